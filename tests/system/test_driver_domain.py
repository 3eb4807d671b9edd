"""A driver domain with devices of its own behind the SMMU: systems/driver-domain.dts."""
from helpers import LINUX_UP, focus, shell


def test_driver_domain(boot):
    """[test->req~driver-domain~1] Another domain's disk and network, and beyond the card."""
    m = boot("driver-domain", cpus=2, mem=1024)
    m.expect(r"^driver: DRIVER disk=254:0 card=e1000e", LINUX_UP)
    m.expect(r"^frontend: PV disk=ok net=ok$", LINUX_UP)
    focus(m, "frontend")
    shell(m, "frontend", "ping -c 3 10.0.2.2", r"3 packets transmitted, 3 packets received, 0% packet loss", LINUX_UP)
