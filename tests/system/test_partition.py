"""What is in force is what was planned: the host tool's report and the hypervisor's, line by line."""
import os
import re
import subprocess

import pytest

from helpers import focus, operator
from run import GUESTS, whole

SYSTEM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "partition.dts")


def planned(machine, folder, source=SYSTEM):
    """The facts by the host tool, of a system on the board that the machine is."""
    prefix = os.path.join(str(folder), "report")
    subprocess.run([machine.tool, "--check", "--board", machine.board_tree(), "--system", str(source), "--hypervisor",
                    machine.hypervisor, "-i", GUESTS, "--report", prefix], check=True, stdout=subprocess.DEVNULL)
    with open(prefix + ".txt", encoding="ascii") as file:
        text = file.read()
    assert "# proof: no two domains overlap except through declared links\n" in text
    return sorted(line for line in text.splitlines() if not line.startswith("#")), text


def live(machine, start=0):
    """The facts that the hypervisor told since `start`; it told all of them."""
    end = machine.expect(r"report: # (\d+) facts", 30)
    lines = re.findall(r"report: ([^#\r\n]+)$", whole(machine.text[start:end.end()]), re.M)
    assert len(lines) == int(end.group(1))
    return sorted(lines)


def ask(machine):
    """The same by the operator's command; the operator has the input."""
    start = len(machine.text)
    machine.send("report\n")
    facts = live(machine, start)
    machine.expect(r"^(?=bulkhead> (?!\S))", 20)
    return facts


@pytest.mark.parametrize("gic", ["3", "2"])
def test_report(boot, tmp_path, gic):
    """[test->req~partition-live~1] [test->req~partition-report~1]"""
    m = boot(SYSTEM, gic=gic, second=True)
    facts, text = planned(m, tmp_path)
    assert "irq 40 one 102 level" in facts
    assert "# fixed before power-on: everything\n" in text
    assert live(m) == facts
    focus(m, "operator")
    assert ask(m) == facts

    # a tree with other places than were booted is found out
    with open(SYSTEM, encoding="ascii") as file:
        source = file.read()
    for before, after in (("0x70000000 0x0 0x31000000", "0x70000000 0x0 0x32000000"), ("0x50000000", "0x54000000"),
                          ("cpus = <2>", "cpus = <1>")):
        other = tmp_path / "other.dts"
        other.write_text(source.replace(before, after))
        assert planned(m, tmp_path, other)[0] != facts, after

    # who is down has nothing, and what its peer had of it leads nowhere
    operator(m, "stop one")
    m.expect(r"one: .*stopped by the operator", 30)
    down = ask(m)
    assert not any(re.match(r"(map|shm|vcpu|emulated|channel|irq) (\w+ )?.*one", line) for line in down)
    assert any(re.fullmatch(r"map two 0x70000000-0x700fffff 0x\w+ rw- normal repeated", line) for line in down)
    operator(m, "restart one")
    m.expect(r"RT one ticks=\d+", 30)
    assert ask(m) == facts
