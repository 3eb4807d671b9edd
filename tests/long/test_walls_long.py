"""Hostile and restarting guests on more machines and with more effort than fits into every change."""
import pytest

from walls import check_hostile, check_restart


@pytest.mark.parametrize("cpus", [1, 2, 4])
@pytest.mark.parametrize("cpu", ["cortex-a53", "cortex-a57", "cortex-a76", "max"])
@pytest.mark.parametrize("gic", ["3", "2"])
def test_hostile_everywhere(boot, gic, cpu, cpus):
    check_hostile(boot, "%s-%s-%d" % (gic, cpu, cpus), gic=gic, cpu=cpu, cpus=cpus, timeout=400)


@pytest.mark.parametrize("gic", ["3", "2"])
@pytest.mark.parametrize("cpus,vcpus", [(2, 2), (8, 3)])
def test_hostile_with_effort(boot, gic, cpus, vcpus):
    """Every encoding of system registers, and storms five times as long."""
    check_hostile(boot, "effort-%s-%d" % (gic, cpus), gic=gic, cpus=cpus, vcpus=vcpus, effort=5, timeout=1200)


@pytest.mark.parametrize("gic", ["3", "2"])
@pytest.mark.parametrize("cpus,vcpus", [(1, 2), (2, 1), (8, 3)])
def test_restart_often(boot, gic, cpus, vcpus):
    check_restart(boot, "often-%s-%d" % (gic, cpus), gic=gic, cpus=cpus, vcpus=vcpus, count=200, timeout=1200)
