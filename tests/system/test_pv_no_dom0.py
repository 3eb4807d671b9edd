"""PV disk and network without dom0: systems/pv-io-no-dom0.dts, then each of the three domains restarts."""
from helpers import LINUX_UP, focus, operator, shell

MIB = 4  # as in the system


def works(machine):
    """A disk and a card that came by hotplug: checksums through the disk, ping and TCP each way."""
    focus(machine, "frontend")
    shell(machine, "frontend", "until [ -b /dev/xvda ]; do sleep 1; done; pv-front disk %d" % MIB,
          r"PV-FRONT disk=ok mib=%d sum=[0-9a-f]{32}" % MIB, LINUX_UP)
    shell(machine, "frontend", "until ip link set eth0 up; do sleep 1; done; ip addr add 10.9.0.2/24 dev eth0; "
          "pv-front net 10.9.0.1 %d" % MIB, r"PV-FRONT net=ok mib=%d" % MIB, LINUX_UP)


def test_pv_no_dom0(boot):
    """[test->req~store-links~1] [test->req~store-restart~1] [test->req~silo~1]"""
    m = boot("pv-io-no-dom0", cpus=2, mem=1024)
    m.expect(r"^store: STORE begins empty", 60)
    m.expect(r"^frontend: PV disk=ok net=ok$", LINUX_UP)

    focus(m, "operator")
    operator(m, "restart store")
    m.expect(r"^store: STORE begins where it was", 60)
    works(m)  # what is connected needs no store

    focus(m, "operator")
    operator(m, "restart frontend")
    m.expect(r"^store: STORE domain 3 connected", 60)
    m.expect(r"^frontend: PV disk=ok net=ok$", LINUX_UP)

    focus(m, "operator")
    operator(m, "restart backend")
    m.expect(r"^store: STORE domain 2 connected", 60)
    m.expect(r"^backend: .*BACKEND vif3\.0 up", LINUX_UP)
    works(m)
    assert "STORE FAIL" not in m.text and "guest: trap" not in m.text
    assert m.whole.count("GUEST-UP frontend") == 2
