"""Linux guests that end by themselves come back alone: the others are not disturbed."""
from helpers import LINUX_UP, check_lines, check_ticks


def reboots(boot, count, **machine):
    m = boot("reboot", cpus=3, **machine)
    for n in range(1, count + 1):
        m.expect(r"^domU1: GUEST-REBOOTS domU1", LINUX_UP)
        m.expect(r"^bulkhead: .*domU1: restarts \(%d\): SYSTEM_RESET$" % n, 30)
    m.expect(r"^domU1: GUEST-REBOOTS domU1", LINUX_UP)
    m.expect_count(r"^bulkhead: .*domU3: .*it stays stopped$", 1, LINUX_UP)
    m.expect(r"RT domU2 ticks=", 20)
    check_ticks(m, "domU2", count)
    check_lines(m, ["domU1", "domU2", "domU3"])
    assert m.whole.count("domU3: GUEST-PANICS domU3") >= 2
    assert m.whole.count("Kernel panic - not syncing: sysrq triggered crash") >= 2
    assert "domU3: restarts (1): SYSTEM_RESET" in m.text


def test_linux_reboots(boot):
    """Five times, by `reboot -f`; beside it one that panics, once more than it may. [test->req~linux-reboots~1]"""
    reboots(boot, 5)
