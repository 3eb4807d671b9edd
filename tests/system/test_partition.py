"""What is in force is what was planned: the host tool's report and the hypervisor's, line by line."""
import os
import re
import subprocess

import pytest

from helpers import focus, operator, prompt
from run import GUESTS, whole

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SYSTEM = os.path.join(HERE, "partition.dts")


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
    prompt(machine)
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


POOLS = """
/ {
    cpus {
        cpu@1 { phandle = <0x5001>; };
        cpu@2 { phandle = <0x5002>; };
        cpu@3 { phandle = <0x5003>; };
    };
    chosen {
        frames { compatible = "xen,cpupool"; phandle = <0x6001>; cpupool-cpus = <0x5002>; cpupool-sched = "arinc653";
            bulkhead,major-frame-us = <10000>; };
        others { compatible = "xen,cpupool"; phandle = <0x6002>; cpupool-cpus = <0x5003>, <0x5001>; cpupool-sched = %s; };
        one { domain-cpupool = <0x6001>; bulkhead,windows = <0 4000>, <6000 2000>; };
        two { domain-cpupool = <0x6002>; %s };
    };
};
"""


STATIC = os.path.join(ROOT, "out/arm64-clang-release-static/bulkhead.bin")


@pytest.mark.parametrize("hypervisor", [None, STATIC])
def test_cpupools(boot, tmp_path, hypervisor):
    """Two domains in pools of their own, whose CPUs are what was planned; the static profile, which has fewer schedulers, too.
    [test->req~boot-cpupools~1]"""
    source = tmp_path / "pools.dts"
    scheduler, own = ('"rtds"; bulkhead,admission', "bulkhead,budget-us = <5000>;") if hypervisor is None else ('"null"', "")
    with open(SYSTEM, encoding="ascii") as file:
        source.write_text(file.read() + POOLS % (scheduler, own))
    m = boot(str(source), cpus=4, second=True, hypervisor=hypervisor)
    facts, text = planned(m, tmp_path, source)
    assert [line for line in facts if line.startswith("vcpu one")] == ["vcpu one/0 2"]
    assert ("vcpu two/1 1,3" in facts) == (hypervisor is None)
    assert "\n# pool 2 CPUs 2 arinc653, frame 10000 us\n# window CPU 2 0-4000 us one/0\n" in text
    assert live(m) == facts
    m.expect(r"RT one ticks=\d+", 30)
    m.expect(r"RT two ticks=\d+", 30)
