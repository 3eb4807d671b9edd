"""A control domain in plain C: domains made, watched, destroyed, at any moment of their lives; and one that is hostile."""
import os
import re

import pytest

from helpers import check_lines, check_ticks, focus, operator
from walls import attacks, check_quiet, end_by_operator, variant

HERE = os.path.dirname(os.path.abspath(__file__))
ARGS = "cycles=5 reboots=5 crashes=1 balloons=1"
TRIALS = ("example", "steps", "cycles", "reboots", "crashes", "balloons", "load", "race")
# What the hypervisor's log tells of each domain when no made one is there
FACT = re.compile(r"^bulkhead: \[ *[\d.]+\] (control|ticker): (\d+ KiB, .* of its pool free|\d+ ports lead .*|grant table .*)$",
                  re.MULTILINE)


def check_facts(text):
    """Pools, channels and grants are the same at the end of each trial, from the first use of everything on."""
    facts = FACT.findall(text[text.index("CONTROL example ok"):])
    kinds = {(who, re.sub(r"\d+", "", fact)) for who, fact in facts}
    assert len(kinds) == 5 and len(facts) >= len(TRIALS) * len(kinds), facts
    assert len(set(facts)) == len(kinds), sorted(set(facts))


def check_soak(boot, name, cycles, reboots, timeout, **machine):
    """What made domains had is back each time, what they find in their memory is zero, and the real-time guest loses no tick."""
    args = "cycles=%d reboots=%d crashes=%d balloons=%d" % (cycles, reboots, reboots // 5, reboots // 5)
    path = variant("control-guest", name, [(ARGS, "quiet=1 " + args)])
    m = boot(path, mem=512, **machine)
    m.expect(r"^control: CONTROL end faults=0 lies=0$", timeout)
    assert "CONTROL FAIL" not in m.text and "guest: trap" not in m.text
    for trial in TRIALS:
        assert re.search(r"^control: CONTROL %s (?:\d+ )?ok$" % trial, m.text, re.MULTILINE), trial
    check_facts(m.whole)
    check_ticks(m, "ticker", 3)
    check_lines(m, ["control", "ticker"])


@pytest.mark.parametrize("gic,cpus", [("3", 4), ("2", 2), ("3", 1)])
def test_made(boot, gic, cpus):
    """[test->req~plain-control~1] [test->req~made-domains-leave-nothing~1]"""
    check_soak(boot, "%s-%d" % (gic, cpus), 50 if cpus == 4 else 10, 10, 120, gic=gic, cpus=cpus)


@pytest.mark.parametrize("gic,cpus,vcpus", [("3", 4, 4), ("2", 2, 2)])
def test_hostile_control(boot, gic, cpus, vcpus):
    """[test->req~control-untrusted~1]"""
    path = variant(os.path.join(HERE, "hostile-control.dts"), "%s-%d" % (gic, cpus), [("cpus = <2>", "cpus = <%d>" % vcpus)])
    m = boot(path, mem=512, gic=gic, cpus=cpus)
    m.expect(r"^hostile: HOSTILE-TRY control_creations", 60)
    found = m.expect(r"^guard: HOSTILE tried=(\d+) missed=(\d+) memory=(\w+)$", 180)
    assert int(found.group(1)) > 5000 and found.group(2) == "0" and found.group(3) == "unchanged"
    for attack in attacks(False, control=True):
        assert re.search(r"^hostile: .*HOSTILE-TRY %s\b" % attack, m.text, re.MULTILINE), attack + " was not tried"
    assert "HOSTILE-ALIVE" in m.text and "HOSTILE-REACHED" not in m.text
    check_quiet(m, ("hostile", "guard"))
    focus(m, "operator")
    assert not re.search(r"^dom\d+ ", operator(m, "list", r"^hostile +1 .*$").group(0), re.MULTILINE)
    end_by_operator(m, r"^hostile +1 +stopped")
