"""Hostile and restarting guests on processors, interrupt controllers and numbers of CPUs that differ. With fewer CPUs
than these systems have vCPUs the round robin shares them, else each vCPU has its own."""
import pytest

from walls import check_hostile, check_restart


@pytest.mark.parametrize("gic,cpu,cpus,vcpus", [("2", "cortex-a57", 4, 2), ("3", "cortex-a53", 2, 2), ("2", "cortex-a53", 1, 2),
                                                ("3", "cortex-a76", 8, 2), ("2", "max", 2, 1), ("3", "max", 1, 2)])
def test_hostile(boot, gic, cpu, cpus, vcpus):
    """[test->req~hostile-guests~1] [test->req~guest-words-bounded~1] [test->req~guest-registers~1]
    [test->req~vectors-nowhere~1]"""
    check_hostile(boot, "%s-%s-%d" % (gic, cpu, cpus), gic=gic, cpu=cpu, cpus=cpus, vcpus=vcpus)


@pytest.mark.parametrize("gic,cpu,cpus,vcpus", [("2", "cortex-a57", 8, 2), ("2", "cortex-a76", 2, 1), ("3", "cortex-a53", 1, 2),
                                                ("3", "max", 4, 2), ("2", "cortex-a53", 2, 2)])
def test_restart(boot, gic, cpu, cpus, vcpus):
    """[test->req~restart-alone~1] [test->req~restart-fresh~1]"""
    check_restart(boot, "%s-%s-%d" % (gic, cpu, cpus), gic=gic, cpu=cpu, cpus=cpus, vcpus=vcpus)
