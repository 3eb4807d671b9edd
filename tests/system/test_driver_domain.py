"""A driver domain with devices of its own behind the SMMU: systems/driver-domain.dts."""
from helpers import LINUX_UP, focus, operator, shell


def test_driver_domain(boot):
    """[test->req~driver-domain~1] Another domain's disk and network, and beyond the card; the driver domain restarts."""
    m = boot("driver-domain", cpus=2, mem=1024)
    m.expect(r"^driver: DRIVER disk=254:0 card=e1000e", LINUX_UP)
    m.expect(r"^frontend: PV disk=ok net=ok$", LINUX_UP)
    focus(m, "frontend")
    shell(m, "frontend", "ping -c 3 10.0.2.2", r"3 packets received", LINUX_UP)

    focus(m, "operator")
    operator(m, "restart driver")
    m.expect(r"^store: STORE domain 2 connected", 60)
    m.expect(r"^driver: DRIVER vif3\.0 up", LINUX_UP)
    focus(m, "frontend")
    shell(m, "frontend", "until [ -b /dev/xvda ]; do sleep 1; done; pv-front disk 2", r"PV-FRONT disk=ok mib=2", LINUX_UP)
    shell(m, "frontend", "until ip link set eth0 up; do sleep 1; done; ip addr add 10.0.2.16/24 dev eth0; "
          "pv-front net 10.0.2.15 2", r"PV-FRONT net=ok mib=2", LINUX_UP)
    shell(m, "frontend", "ping -c 3 10.0.2.2", r"3 packets received", LINUX_UP)
    assert m.text.count("GUEST-UP frontend") == 1
