"""Guests in AArch32 on an AArch64 host."""
from helpers import LINUX_UP, check_lines, focus, operator, shell


def check_both(m):
    m.expect_count(r"GUEST-UP domU[12]", 2, LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(uname -m)-$(nproc)", "42-armv7l-2")
    shell(m, "domU1", "cat /proc/device-tree/timer/compatible; echo", "arm,armv7-timer.?")
    focus(m, "domU2")
    shell(m, "domU2", "echo $((6*8))-$(uname -m)", "48-aarch64")


def test_mixed_linux(boot):
    """Debian's kernels of 32 and of 64 bits side by side; the first is restarted. [test->req~aarch32-guests~1]"""
    m = boot("mixed-linux")
    check_both(m)
    focus(m, "operator")
    operator(m, "restart domU1")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    focus(m, "domU1")
    shell(m, "domU1", "echo $((6*9))-$(uname -m)-$(nproc)", "54-armv7l-2")
    m.send("poweroff\n")
    m.expect(r"^bulkhead: .*domU1: powered off", 60)
    check_lines(m, ["domU1", "domU2"])


def test_mixed_linux_gicv2(boot):
    """[test->req~aarch32-guests~1] [test->req~gicv2-host~1]"""
    m = boot("mixed-linux", gic="2", cpu="cortex-a53")
    check_both(m)
    check_lines(m, ["domU1", "domU2"])


def test_no_aarch32(boot):
    """A processor without AArch32 at EL1: the kernel is refused, the other guest runs. [test->req~aarch32-guests~1]"""
    m = boot("mixed-linux", cpu="cortex-a76")
    m.expect(r"^bulkhead: .*/chosen/domU1/kernel: kernel: found one for 32 bits, "
             r"expected one for guests of Cortex-A76 ", 60)
    m.expect(r"GUEST-UP domU2", LINUX_UP)
