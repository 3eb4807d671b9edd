"""Linux and its own driver for the emulated SBSA watchdog."""
import os
import time

from helpers import LINUX_UP, check_ticks, focus, operator, shell

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 6  # seconds without a ping; the daemon pings every second


def start(boot, **machine):
    """Linux is up, its driver has found the watchdog running, and a daemon pings it."""
    m = boot(os.path.join(HERE, "watchdog.dts"), cpus=3, **machine)
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "insmod /lib/sbsa_gwdt.ko",
          r"\[.*\] sbsa-gwdt 22002000\.watchdog: Initialized with 120s timeout @ \d+ Hz, action=0\. \[enabled\]")
    shell(m, "domU1", "watchdog -T %d -t 1 /dev/watchdog; sleep 1; pidof watchdog | wc -w" % TIMEOUT, "1")
    return m


def check_restart(m):
    """Linux is restarted, alone."""
    m.expect(r"^bulkhead: .*domU1: restarts \(1\): watchdog$", 30)
    m.expect(r"domU1: .*Booting Linux", 60)
    m.expect(r"RT domU2 ticks=", 20)
    check_ticks(m, "domU2", 15)


def test_linux_watchdog(boot):
    """Nothing happens while Linux pings or is paused; when the pings end it is restarted. [test->req~watchdog~1]"""
    m = start(boot)
    focus(m, "operator")
    operator(m, "pause domU1")
    time.sleep(TIMEOUT + 1)
    operator(m, "resume domU1")
    focus(m, "domU1")
    shell(m, "domU1", "sleep %d; echo $((6*7))" % (TIMEOUT + 1), "42")
    assert "restarts (" not in m.text
    shell(m, "domU1", "kill -9 $(pidof watchdog); echo $((6*8))", "48")
    check_restart(m)
