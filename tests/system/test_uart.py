"""A Linux with a device of its own."""
import pytest

from helpers import LINUX_UP, check_ticks, shell


def use(machine):
    """The second UART as ttyAMA1, there and back, by interrupts."""
    shell(machine, "domU1", "exec 3<>/dev/ttyAMA1; stty -F /dev/ttyAMA1 115200 raw -echo; echo set", "set")
    shell(machine, "domU1", "echo out-$((6*7)) >&3; echo sent", "sent")
    machine.second_expect("out-42", 30)
    machine.second_send("in-%s\n" % ("x" * 40))
    shell(machine, "domU1", "head -n 1 <&3", "in-x{40}")
    shell(machine, "domU1", "grep -c '[1-9].*GIC[-v0-9]*  *40 Level.*uart-pl011' /proc/interrupts", "1")
    machine.second_text = ""


@pytest.mark.parametrize("gic", ["3", "2"])
def test_uart(boot, gic):
    """Unmodified Linux drives a PL011 that its domain was given, and does so again after a restart.
    [test->req~device-registers~1] [test->req~device-interrupts~1] [test->req~partial-tree~1]"""
    m = boot("uart", gic=gic, second=True)
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "ls -d /proc/device-tree/passthrough/serial@9040000/xen,* | wc -l", "0")
    use(m)
    if gic == "3":
        m.send("reboot -f\n")
        m.expect(r"^bulkhead: .*domU1: restarts \(1\)", 60)
        m.expect(r"GUEST-UP domU1", LINUX_UP)
        use(m)
    check_ticks(m, "domU2", 5)
