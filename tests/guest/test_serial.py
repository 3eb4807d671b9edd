"""A device that a guest has: the second UART of QEMU's virt machine."""
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


def talk(machine, words):
    machine.second_text = ""
    machine.second_send(words + "\r")
    machine.second_expect(re.escape(words) + "\r\n", 30)


@pytest.mark.parametrize("system,gic,cpus", [("serial", "3", 3), ("serial", "2", 3), ("serial-moved", "3", 2),
                                             ("serial-moved", "2", 3)])
def test_serial(boot, system, gic, cpus):
    """Registers and interrupts, at their own place and at another; moved to another vCPU; a storm, which the neighbour does not
    feel and a rate holds; restarted with the interrupt active. [test->req~device-registers~1] [test->req~device-interrupts~1]
    [test->req~partial-tree~1] [test->req~irq-rate~1]"""
    machine = boot(os.path.join(HERE, system + ".dts"), gic=gic, cpus=cpus, mem=512, second=True)
    machine.expect(r"SERIAL begins at %s, interrupt %s, GICv%s" %
                   (("0x30000000", 102, gic) if "moved" in system else ("0x9040000", 40, gic)), 60)
    machine.second_expect(">", 30)
    talk(machine, "hello a")
    machine.expect(r"serial: SERIAL line irqs=\d+ vCPU=0$", 30)
    talk(machine, "M")
    machine.expect(r"SERIAL moved", 30)
    talk(machine, "to the other b")
    machine.expect(r"serial: SERIAL line irqs=\d+ vCPU=1$", 30)
    talk(machine, "G")
    assert machine.expect(r"SERIAL registers (.*)$", 30)[1] == "ok"
    talk(machine, "S")
    storm = int(machine.expect(r"SERIAL storm=(\d+)$", 60)[1])
    assert storm <= 1300 if "moved" in system else storm > 300
    machine.second_text = ""
    machine.second_send("R\r")
    machine.expect(r"serial: restarts \(1\)", 30)
    machine.expect(r"SERIAL begins at", 60)
    machine.second_expect(">", 30)
    talk(machine, "again c")
    machine.expect(r"serial: SERIAL line irqs=\d+ vCPU=0$", 30)
    machine.expect(r"RT ticker ticks=\d+ missed=\d+", 60)
    assert set(re.findall(r"RT ticker ticks=\d+ missed=(\d+)", machine.whole)) == {"0"}
