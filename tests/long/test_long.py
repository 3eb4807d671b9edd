"""What takes too long for every change: more machines, more load, more time."""
import os

import pytest

from helpers import LINUX_UP, check_lines, check_ticks, focus, shell
from test_book import ALONE, run
from test_probe import PROBES, faults, finish
from test_reboot import reboots

GUESTS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "guest")


@pytest.mark.parametrize("cpu", ["cortex-a35", "cortex-a72", "cortex-a710", "neoverse-n1", "neoverse-v1"])
@pytest.mark.parametrize("gic", ["3", "2"])
def test_probe_everywhere(boot, gic, cpu):
    machine = boot(os.path.join(GUESTS, "probe.dts"), gic=gic, cpu=cpu, cpus=2, mem=512)
    finish(machine, "probe", 120)
    bad, count = faults(machine, "probe")
    assert not bad
    assert count == PROBES


@pytest.mark.parametrize("gic", ["3", "2"])
@pytest.mark.parametrize("cpus", [2, 3])
def test_crowd_on_some(boot, gic, cpus):
    machine = boot(os.path.join(GUESTS, "crowd.dts"), gic=gic, cpus=cpus, mem=512)
    finish(machine, "probe1", 120)
    focus(machine, "probe2")
    machine.expect_count(r"probe2: PROBE-INPUT", 1, 60)
    machine.send("x")
    machine.expect_count(r"probe2: PROBE-END", 1, 60)
    for name in ("probe1", "probe2"):
        bad, count = faults(machine, name)
        assert not bad
        assert count == PROBES
    machine.expect_count(r"RT ticker ticks=", 5, 60)
    check_ticks(machine, "ticker", 4)


@pytest.mark.parametrize("cpus", [1, 2, 4])
def test_four_linux_gicv2(boot, cpus):
    m = boot("four-linux", gic="2", cpus=cpus)
    m.expect_count(r"GUEST-UP domU[1-4]", 4, 3 * LINUX_UP)
    check_lines(m, ["domU1", "domU2", "domU3", "domU4"])


def test_smp_linux_gicv2(boot):
    m = boot("smp-linux", gic="2", cpu="cortex-a57")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "nproc", "4")
    for _ in range(5):
        shell(m, "domU1", "echo 0 > /sys/devices/system/cpu/cpu3/online; nproc", "3", 60)
        shell(m, "domU1", "echo 1 > /sys/devices/system/cpu/cpu3/online; nproc", "4", 60)


def test_realtime_for_minutes(boot):
    """A Linux that computes and prints beside it for two minutes costs the real-time guest no tick."""
    m = boot("demo")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "(while :; do dd if=/dev/zero bs=1M count=64 2>&1 | md5sum; done > /dev/console) &", ".*")
    m.expect_count(r"RT domU2 ticks=", 120, 400)
    check_ticks(m, "domU2", 119)
    assert m.whole.count("domU1: ") > 200


@pytest.mark.parametrize("gic", ["3", "2"])
def test_linux_reboots_often(boot, gic):
    reboots(boot, 20, gic=gic)


@pytest.mark.parametrize("cpu", ["cortex-a35", "cortex-a57", "neoverse-v1"])
@pytest.mark.parametrize("gic", ["3", "2"])
def test_book_everywhere(boot, tmp_path, gic, cpu):
    """... and all of them on one CPU."""
    run(boot, tmp_path, ALONE, gic, cpu, cpus=1)
