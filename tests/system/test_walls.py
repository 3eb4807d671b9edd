"""The systems `hostile` and `restart` as `make run` boots them; tests/guest/test_hostile.py has more machines."""
import re

from walls import check_hostile, check_quiet, check_restart

SLICE_US = 5000  # SCHED_SLICE_NS


def test_hostile(boot):
    """[test->req~hostile-system~1] [test->req~hostile-guests~1] [test->req~input-never-panics~1]"""
    check_hostile(boot, "plain")


def test_hostile_late(boot):
    """Time that is counted in instructions, on one CPU: whatever the hostile domain's two vCPUs do, the neighbour waits for
    their turns and no longer; 2 ms are for the hypervisor, whose worker has 1 ms of its own between turns. The last lethal
    things execute no instruction, which stops such a clock. [test->req~hostile-guests~1]"""
    late = check_hostile(boot, "late", cpus=1, lives=11, extra=["-icount", "shift=3,sleep=off"])
    assert late <= 2 * SLICE_US + 2000


def test_restart_ends_by_itself(boot):
    """The promised line, and the host is off when both domains are. [test->req~restart-system~1]"""
    m = boot("restart")
    m.expect(r"^guard: RESTART count=20 missed=0$", 120)
    assert m.wait_end(30) == 0
    check_quiet(m, ("reset", "guard"))
    assert len(re.findall(r"^reset: RESET life \d+, .*, 0 faults$", m.whole, re.MULTILINE)) == 21


def test_restart_fifty_times(boot):
    """[test->req~restart-alone~1] [test->req~restart-fresh~1] [test->req~watchdog~1]"""
    check_restart(boot, "fifty", count=50)
