"""A Linux that panics, on a GICv2 host."""
from test_watchdog import check_restart, start


def test_linux_panic(boot):
    """[test->req~watchdog~1]"""
    m = start(boot, gic="2", cpu="cortex-a53")
    m.send("echo c > /proc/sysrq-trigger\n")
    m.expect(r"domU1: .*Kernel panic", 20)
    check_restart(m)
