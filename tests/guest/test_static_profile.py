"""The static profile (make STATIC=1): what it leaves out is not missed by guests."""
import os
import re
import subprocess

import pytest

from helpers import check_ticks, focus
from run import GUESTS, ROOT, Machine
from test_dma import SMMU
from test_probe import PROBES, faults, finish
from test_serial import talk

HERE = os.path.dirname(os.path.abspath(__file__))
STATIC = os.path.join(ROOT, "out/arm64-clang-release-static%s/bulkhead.bin")


@pytest.mark.parametrize("board,gic,only", [("virt", "3", "3"), ("virt", "2", ""), ("xlnx-zcu102", None, "2")])
def test_probe_static(boot, board, gic, only):
    """With either interrupt controller in the build, or with one. [test->req~static-profile~1]"""
    machine = boot(os.path.join(HERE, "probe.dts"), board=board, gic=gic, hypervisor=STATIC % only)
    finish(machine, "probe", 60)
    bad, count = faults(machine, "probe")
    assert not bad
    assert count == PROBES
    assert machine.wait_end(20) == 0


def test_again_static(boot, tmp_path):
    """A domain is built again from its modules, alone; there is no operator to ask. [test->req~static-profile~1]"""
    with open(os.path.join(HERE, "again.dts"), encoding="ascii") as source:
        system = tmp_path / "again.dts"
        system.write_text(source.read().replace('bulkhead,scheduler = "credit2";', ""))
    machine = boot(str(system), hypervisor=STATIC % "")
    machine.expect(r"again: restarts \(5\): SYSTEM_RESET", 60)
    for name in ("ticker", "again", "ticker"):
        focus(machine, name)
    assert "operator" not in machine.text
    assert "not fresh" not in machine.text
    check_ticks(machine, "ticker", 1)


def test_misplaced_static(boot, tmp_path):
    """The plan holds for one place of the image only. [test->req~static-profile~1]"""
    out = str(tmp_path / "image.bin")
    board = Machine(os.path.join(HERE, "probe.dts"))
    subprocess.run([board.tool, "-b", board.board_tree(), "-s", os.path.join(HERE, "probe.dts"), "-x", STATIC % "", "-i", GUESTS,
                    "-o", out, "--load-address", "0x50000000"], check=True)
    machine = boot(kernel=out)
    machine.expect(r"image: found at 0x40200000, expected at 0x50000000: the static profile is made for one place",
                   30)
    machine.expect(r"boot: step verdict failed, nothing is started", 10)
    assert machine.wait_end(20) == 0


def test_serial_static(boot):
    """A device of the host, before and after a restart. [test->req~static-profile~1] [test->req~device-interrupts~1]"""
    machine = boot(os.path.join(HERE, "serial.dts"), cpus=3, mem=512, second=True, hypervisor=STATIC % "")
    for life in range(2):
        machine.expect(r"SERIAL begins at 0x9040000, interrupt 40, GICv3", 60)
        machine.second_expect(">", 30)
        talk(machine, "hello a")
        machine.expect(r"serial: SERIAL line irqs=\d+ vCPU=0$", 30)
        if life == 0:
            machine.second_text = ""
            machine.second_send("R\r")
            machine.expect(r"serial: restarts \(1\)", 30)


def test_dma_static(boot):
    """A PCI function that does DMA, in two lives of a domain that abuses it. [test->req~static-profile~1]
    [test->req~dma-apart~1]"""
    machine = boot(os.path.join(HERE, "dma.dts"), cpu="max", cpus=4, mem=512, extra=SMMU, hypervisor=STATIC % "")
    machine.expect(r"^bulkhead: .*attacker: more than 1 restarts in a minute, it stays stopped$", 120)
    seen = len(re.findall(r"memory=unchanged", machine.whole))
    machine.expect_count(r"(one|two): DMA victim memory=unchanged", seen + 4, 60)
    assert re.findall(r"attacker: DMA own=(\w+) foreign=(\w+)", machine.whole) == [("ok", "blocked")] * 2
    assert "changed" not in re.findall(r"DMA victim memory=(\w+)", machine.whole)
    assert "attacker: DMA of stream" in machine.text
