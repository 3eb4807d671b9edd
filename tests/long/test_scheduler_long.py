"""The schedulers' sweep (tests/guest/test_scheduler.py): more hogs, more CPUs, more seeds of tasks."""
import random

import pytest

from schedulers import S, SETTLED, traced
from test_scheduler import fair, judge_budget, real_time, weighted


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("cpus", [1, 2, 3, 4])
@pytest.mark.parametrize("hogs", [2, 3, 5, 8, 12, 16])
def test_credit2_shares_sweep(hogs, cpus, seed):
    """[test->req~weights-and-caps~1]"""
    generator = random.Random(seed * 10000 + hogs * 100 + cpus)
    weights = [generator.randrange(128, 1024) for _ in range(hogs)]
    trace = traced("sweep%d" % hogs, "credit2", weighted(weights), SETTLED + S, cpus)
    shares, due = trace.shares(SETTLED, SETTLED + S), fair(weights, cpus)
    for at in range(hogs):
        got = shares["v%d.0" % (at + 1)]
        assert abs(got / due[at] - 1) <= 0.02, "v%d.0 had %.4f of a CPU, expected %.4f" % (at + 1, got, due[at])


@pytest.mark.parametrize("seed", range(6))
def test_rtds_sweep(seed):
    """Random sets on a CPU, up to 95 % of it. [test->req~rtds-budget~1]"""
    generator = random.Random(seed)
    tasks, left = [], 950
    while left > 100 and len(tasks) < 4:
        period, part = generator.choice((1000, 2000, 4000, 5000)), generator.randrange(100, min(left, 400) + 1)
        tasks.append((period * part // 1000, period))
        left -= part
    trace = traced("sets%d" % seed, "rtds", [real_time(*task) for task in tasks], SETTLED + S, 1, "bulkhead,admission;")
    for at, (budget, period) in enumerate(tasks, 1):
        judge_budget(trace, "v%d.0" % at, budget, period, SETTLED, SETTLED + S)
