"""The tree's domains under xl: names, consoles, ends and new lives, and all of that again when dom0 comes back."""
import os
import re
import time

from helpers import LINUX_UP, focus, type_text

HERE = os.path.dirname(os.path.abspath(__file__))
DOM0 = "Domain-0"
STEP = 120  # seconds that a step of Xen's tools may take on a slow, shared machine


def command(machine, text, answer, timeout=STEP):
    """Types a command into dom0's shell, which has the input, and waits for a line."""
    type_text(machine, text + "\n")
    return machine.expect(r"^%s: %s\s*$" % (DOM0, answer), timeout)


def console(machine, name):
    """xl console reaches the domain's shell both ways; Ctrl-] ends it."""
    command(machine, "xl console %s" % name, ".*")
    type_text(machine, "\necho reached $((40 + 2)) $(sed 's/.*name=//' /proc/cmdline)\n")
    machine.expect(r"^%s: reached 42 %s" % (DOM0, name), STEP)
    machine.send("\x1d")
    time.sleep(5)  # xenconsole wants this byte alone
    command(machine, "echo left $((50 + 3))", "left 53")


def listed(machine, state1, state2):
    for name, number, state in (("domU1", 1, state1), ("domU2", 2, state2)):
        command(machine, "xl list", r"%s +%d +128 +1 +%s +[\d.]+" % (name, number, state))


def test_tree_and_restart(boot):
    """[test->req~console-tools~1] [test->req~toolstack~1] [test->req~control-power~1]"""
    m = boot(os.path.join(HERE, "xl-restart.dts"), cpus=4, mem=1024)
    for life in range(2):
        for line in ("xenstored ok", "xenconsoled ok", "init-dom0less ok", "domains 0 1 2"):
            m.expect(r"^%s: DOM0 %s\s*$" % (DOM0, line), LINUX_UP)
        if life == 0:
            focus(m, DOM0)
        listed(m, "[-rb]+", "[-rb]+")
        command(m, "xl domid domU2", "2")
        for name in ("domU1", "domU2"):
            console(m, name)
        command(m, "xl pause domU1; xl list domU1", r"domU1 +1 .* --p--- .*")
        command(m, "xl unpause domU1; xl list domU1", r"domU1 +1 .* [-rb]b?---- .*")
        if life == 0:
            type_text(m, "xl reboot domU1\n")
            m.expect(r"^bulkhead: .*domU1: restarts \(1\)", STEP)
            console(m, "domU1")
            type_text(m, "reboot\n")
            m.expect(r"^bulkhead: .*%s: restarts \(1\): SCHEDOP_shutdown$" % DOM0, STEP)
    type_text(m, "xl shutdown domU2\n")
    m.expect(r"^bulkhead: .*domU2: powered off", STEP)
    command(m, "xl list domU2", r"domU2 +2 .* ---s-- .*")
    assert not re.search(r"^bulkhead: .*(panic|guest: trap)", m.text, re.M)
