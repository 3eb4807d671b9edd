"""The probe guest on machines that differ: what it finds inside must be the same everywhere."""
import os
import re

import pytest

from lines import whole_lines
from ports import PROBES as PROBES_OF

HERE = os.path.dirname(os.path.abspath(__file__))
PROBES = PROBES_OF["virt"]
END = r"PROBE-END (\d+) passed, (\d+) failed"


def finish(machine, name, timeout):
    """Answers the probe's wish for input and returns what is wrong with its report."""
    machine.expect(r"%s: PROBE-INPUT" % name, timeout)
    machine.send("x")
    machine.expect(r"%s: %s" % (name, END), timeout)


def faults(machine, name):
    lines = [line for line in whole_lines(machine.text, name) if line.startswith(name + ": PROBE ")]
    return [line for line in lines if not re.fullmatch(r"%s: PROBE \w+ ok" % name, line)], len(lines)


@pytest.mark.parametrize("gic,cpu", [("3", "cortex-a57"), ("2", "cortex-a57"), ("3", "max"), ("2", "cortex-a53"),
                                     ("3", "cortex-a76")])
def test_probe(boot, gic, cpu):
    """[test->req~vgic-v2~1] [test->req~vgic-v3~1] [test->req~psci~1] [test->req~smccc~1] [test->req~id-registers~1]
    [test->req~unmapped-access~1] [test->req~virtual-timer~1] [test->req~physical-timer~1] [test->req~set-way~1]
    [test->req~guest-registers~1] [test->req~vpl011~1] [test->req~memory-scrubbed~1]
    [test->req~input-never-panics~1] [test->req~hypercalls~1]"""
    machine = boot(os.path.join(HERE, "probe.dts"), gic=gic, cpu=cpu, cpus=2, mem=512)
    finish(machine, "probe", 60)
    bad, count = faults(machine, "probe")
    assert not bad
    assert count == PROBES
    machine.wait_end(20)


@pytest.mark.parametrize("system,mem", [("probe", 2048), ("zcu102-high", 4096)])
def test_probe_zcu102(boot, system, mem):
    """RAM from address 0 on and above 32 GiB, a GIC-400 of which each page appears 16 times, Cadence's UART.
    [test->req~zcu102~1] [test->req~gicv2-host~1]"""
    machine = boot(os.path.join(HERE, system + ".dts"), board="xlnx-zcu102", mem=mem)
    machine.expect(r"4 CPUs, %d MiB RAM" % mem, 60)
    finish(machine, "probe", 60)
    bad, count = faults(machine, "probe")
    assert not bad
    assert count == PROBES
    assert machine.wait_end(20) == 0


@pytest.mark.parametrize("gic,cpus", [("3", 1), ("2", 1), ("3", 2)])
def test_crowd(boot, gic, cpus):
    """Five vCPUs on one or two CPUs: the same answers, and the real-time guest loses no tick. [test->req~more-vcpus~1]"""
    machine = boot(os.path.join(HERE, "crowd.dts"), gic=gic, cpus=cpus, mem=512)
    finish(machine, "probe1", 120)
    machine.send("\x01\x01\x01")
    machine.expect(r"\[input: probe2\]", 10)
    machine.expect_count(r"probe2: PROBE-INPUT", 1, 60)
    machine.send("x")
    machine.expect_count(r"probe2: " + END, 1, 60)
    machine.expect_count(r"ticker: RT ticker ticks=\d+ missed=\d+", 3, 60)
    for name in ("probe1", "probe2"):
        bad, count = faults(machine, name)
        assert not bad
        assert count == PROBES
    assert set(re.findall(r"RT ticker ticks=\d+ missed=(\d+)", machine.whole)) == {"0"}
    assert "early=" not in machine.text


@pytest.mark.parametrize("gic,cpus", [("3", 4), ("2", 4), ("3", 2)])
def test_storm(boot, gic, cpus):
    """Four vCPUs that only sleep, tick and wake each other: nothing gets lost. How late things are is the emulator's
    and its host's affair, but what waits while the others tick two thousand times was lost. [test->dsn~wake-not-lost~1]"""
    machine = boot(os.path.join(HERE, "storm.dts"), gic=gic, cpus=cpus, mem=512)
    machine.expect(r"storm: STORM-END tick=(\d+) call=(\d+)", 60)
    vcpus = re.findall(r"STORM vCPU (\d): (\d+) ticks, (\d+) calls, worst tick after (\d+), worst call after (\d+)",
                       machine.whole)
    assert [int(v[0]) for v in vcpus] == [0, 1, 2, 3]
    for _, ticks, calls, worst_tick, worst_call in vcpus:
        assert int(ticks) > 50
        assert int(calls) > 20
        assert int(worst_tick) < 2000
        assert int(worst_call) < 2000
    machine.wait_end(20)
