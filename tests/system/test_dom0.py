"""dom0 on the other GIC, and how it ends the host; what it serves is in test_pv.py."""
from helpers import LINUX_UP, focus, type_text

DOM0 = "Domain-0"


def test_dom0_gic2(boot):
    """With GICv2; its power-off is the host's, whatever the other domain does.
    [test->req~control-domain~1] [test->req~control-power~1]"""
    m = boot("dom0", cpus=2, mem=2048, gic="2")
    m.expect(r"^%s: DOM0 init-dom0less ok\s*$" % DOM0, LINUX_UP)
    m.expect(r"^%s: GUEST-UP dom0$" % DOM0, LINUX_UP)
    m.expect_count(r"^domU1: GUEST-UP domU1", 1, LINUX_UP)
    focus(m, DOM0)
    type_text(m, "poweroff\n")
    assert m.wait_end(60) == 0
