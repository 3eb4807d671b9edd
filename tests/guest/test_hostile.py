"""Hostile and restarting guests on processors, interrupt controllers and numbers of CPUs that differ. With fewer CPUs
than these systems have vCPUs the round robin shares them, else each vCPU has its own."""
import os
import re

import pytest

from run import ROOT
from walls import attacks, check_hostile, check_restart


def test_named():
    """What docs/security.md says that is tried is there: attacks of the hostile guest, files of tests."""
    with open(os.path.join(ROOT, "docs", "security.md"), encoding="utf-8") as stream:
        text = stream.read()
    rows = re.findall(r"^\| ([A-Z0-9]+-[0-9]) ", text, re.MULTILINE)
    tried = re.findall(r"`guest/hostile (\w+)`", text)
    assert len(rows) >= 27 and len(set(rows)) == len(rows)
    assert len(tried) > 20 and not set(tried) - set(attacks(False) + attacks(False, control=True))
    for name in set(re.findall(r"`fuzz (\w+)`", text)):
        assert os.path.exists(os.path.join(ROOT, "tests", "fuzz", "fuzz_%s.c" % name)), name
    for path in set(re.findall(r"`((?:unit|guest|hal|system)/[\w/]+)`", text)):
        whole = os.path.join(ROOT, "tests", path)
        assert any(os.path.exists(whole + end) for end in ("", ".c", ".py")), path


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
