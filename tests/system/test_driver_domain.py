"""A driver domain with devices of its own behind the SMMU: systems/driver-domain.dts."""
from helpers import LINUX_UP, focus, operator, shell


def check_beyond(machine):
    """Disk by checksum, and a machine beyond the card."""
    focus(machine, "frontend")
    shell(machine, "frontend", "until [ -b /dev/xvda ]; do sleep 1; done; pv-front disk 4",
          r"PV-FRONT disk=ok mib=4 sum=[0-9a-f]{32}", LINUX_UP)
    shell(machine, "frontend", "until ip link set eth0 up; do sleep 1; done; ip addr add 10.0.2.15/24 dev eth0; "
          "ping -c 3 10.0.2.2", r"3 packets transmitted, 3 packets received, 0% packet loss", LINUX_UP)


def test_driver_domain(boot):
    """[test->req~driver-domain~1] Another domain's disk and network, and beyond the card; both come again when the driver
    domain, whose devices are reset with it, has restarted alone."""
    m = boot("driver-domain", cpus=2, mem=1024)
    m.expect(r"^driver: DRIVER disk=254:0 card=e1000e", LINUX_UP)
    m.expect(r"^frontend: PV disk=ok net=ok$", LINUX_UP)
    check_beyond(m)
    focus(m, "operator")
    operator(m, "restart driver")
    m.expect(r"^driver: DRIVER disk=254:0 card=e1000e", LINUX_UP)
    check_beyond(m)
    assert "STORE FAIL" not in m.text and "guest: trap" not in m.text
    assert m.whole.count("GUEST-UP frontend") == 1
