"""What the schedulers promise, on the target: who had which CPU when, told by a plugin of QEMU and not by the hypervisor
(bench/plugin/schedtrace.c), in instructions, of which a nanosecond has one. The guests are tests/guest/sched: hogs that
contain YIELD, noise, sleepers. With two CPUs both take turns in that time, so a stretch of it is half a CPU's."""
import concurrent.futures
import os

import pytest

from schedulers import MS, S, SETTLED, US, Domain, traced
from timeline import IDLE, Window, percentile, window_starts

LATE = 5 * US                   # a window's beginning
TICK = 10 * MS                  # by what it allows in one a cap may be exceeded
EXACT = 10 * US                 # a budget of rtds


# -- arinc653 -------------------------------------------------------------------------------------------------------------------

FRAME = 1 * MS
FRAMES = 10000
NOISY = "role=noise"


def windows_text(*pairs):
    return "bulkhead,windows = <%s>;" % " ".join("%d %d" % pair for pair in pairs)


def judge_windows(trace, schedules, calm):
    """Every one begins on time, and so did the ten thousandth frame's: there is one origin for all of them, so drift would add
    up. Nobody has the CPU longer than its windows."""
    origin, late = window_starts(trace, schedules, FRAME, SETTLED, FRAMES, (IDLE, *calm))
    for (cpu, window), values in late.items():
        assert len(values) == FRAMES
        assert 0 <= min(values) and max(values) <= LATE, "CPU %d, %s: %d to %d ns late" % (cpu, window, min(values), max(values))
        drift = sum(values[-100:]) / 100 - sum(values[:100]) / 100
        assert abs(drift) < US, "CPU %d, %s: %.0f ns later at the end" % (cpu, window, drift)
        had = trace.ran(window.who, origin + FRAME, origin + (FRAMES + 1) * FRAME) / FRAMES
        assert window.length - LATE <= had <= window.length + LATE, "%s had %.0f ns a frame" % (window, had)


def frames_system(cpu, first):
    """Three domains on a CPU and a gap: noise before and behind a hog. (domains, windows)"""
    domains = [Domain(NOISY, windows_text((0, 300)), (cpu,)), Domain("role=hog", windows_text((300, 250)), (cpu,)),
               Domain(NOISY, windows_text((550, 300)), (cpu,))]
    names = ["v%d.0" % (first + at) for at in range(3)]
    return domains, [Window(0, 300 * US, names[0]), Window(300 * US, 250 * US, names[1]), Window(550 * US, 300 * US, names[2])]


def frames_traced(domains, cpus, board="virt"):
    ns = (FRAMES + 3) * FRAME + SETTLED
    return traced("windows", "arinc653", domains, ns, cpus, "bulkhead,major-frame-us = <1000>;", board)


SMALL = [Domain(NOISY, windows_text((0, 400)), (0,)), Domain("role=hog", windows_text((400, 500)), (0,))]


@pytest.fixture(scope="module")
def frames():
    """Their traces are the long ones: as many at a time as the host has CPUs. By what each is called"""
    domains = [domain for cpu in range(2) for domain in frames_system(cpu, 1 + 3 * cpu)[0]]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {2: pool.submit(frames_traced, domains, 2), 1: pool.submit(frames_traced, domains[:3], 1),
                "r52": pool.submit(frames_traced, SMALL, 2, "mps3-an536")}
        concurrent.futures.wait(jobs.values())
    return jobs


@pytest.mark.parametrize("cpus", [1, 2])
def test_windows(frames, cpus):
    """Ten thousand frames of a millisecond. [test->req~arinc653-windows~1]"""
    schedules = {cpu: frames_system(cpu, 1 + 3 * cpu)[1] for cpu in range(cpus)}
    judge_windows(frames[cpus].result(), schedules, ["v%d.0" % (2 + 3 * cpu) for cpu in range(cpus)])


def test_windows_cortex_r52(frames):
    """Two domains on one core without translation. [test->req~arinc653-windows~1]"""
    judge_windows(frames["r52"].result(), {0: [Window(0, 400 * US, "v1.0"), Window(400 * US, 500 * US, "v2.0")]}, ["v2.0"])


# -- credit2 --------------------------------------------------------------------------------------------------------------------

def weighted(weights):
    return [Domain(NOISY if at == 0 else "role=hog", "bulkhead,weight = <%d>;" % weight) for at, weight in enumerate(weights)]


def fair(weights, cpus):
    """What each is due, in CPUs: by weight, but nobody more than one CPU."""
    due, left, rest = {}, float(cpus), dict(enumerate(weights))
    while rest:
        total = sum(rest.values())
        full = [at for at, weight in rest.items() if weight * left / total >= 1]
        if not full:
            due.update((at, weight * left / total) for at, weight in rest.items())
            break
        for at in full:
            due[at] = 1.0
            left -= 1
            del rest[at]
    return due


@pytest.mark.parametrize("weights,cpus", [((256, 512), 1), ((100, 200, 300, 400, 500), 1), ((256,) * 8 + (512,) * 8, 1),
                                          ((256, 512, 256), 2), ((100, 200, 300, 400, 500), 2), ((256,) * 12 + (768,) * 4, 2)])
def test_credit2_shares(weights, cpus):
    """Two to sixteen hogs get what their weights say over a second, within 2 %. [test->req~weights-and-caps~1]"""
    trace = traced("shares%d" % len(weights), "credit2", weighted(weights), SETTLED + S, cpus)
    shares, due = trace.shares(SETTLED, SETTLED + S), fair(weights, cpus)
    for at in range(len(weights)):
        got = shares["v%d.0" % (at + 1)]
        assert abs(got / due[at] - 1) <= 0.02, "v%d.0 had %.4f of a CPU, expected %.4f: %s" % (at + 1, got, due[at], shares)


@pytest.mark.parametrize("cpus", [1, 2])
def test_credit2_caps(cpus):
    """In no stretch of the trace has a capped domain more than its cap and one tick's part of it.
    [test->req~weights-and-caps~1]"""
    caps = {1: 25, 2: 40, 3: 30}
    domains = [Domain("role=hog", "bulkhead,cap = <25>;"), Domain(NOISY, "bulkhead,cap = <40>;"),
               Domain("role=hog", "bulkhead,cap = <30>;", vcpus=cpus)]
    trace = traced("caps", "credit2", domains, SETTLED + S, cpus)
    for number, cap in caps.items():
        names = [name for name in trace.vcpus if name.startswith("v%d." % number)]
        for ticks in (1, 3, 10, 50):
            most = sum(trace.most(name, SETTLED, SETTLED + S, ticks * TICK) for name in names) if len(names) == 1 else \
                max(sum(trace.ran(name, at, at + ticks * TICK) for name in names)
                    for at in range(SETTLED, SETTLED + S - ticks * TICK, MS))
            assert most <= (ticks + 1) * TICK * cap // 100 + LATE, "domain %d: %d ns in %d ticks" % (number, most, ticks)
        had = sum(trace.ran(name, SETTLED, SETTLED + S) for name in names)
        assert had >= 0.97 * S * cap / 100, "domain %d had %d ns of a second, expected %d %%" % (number, had, cap)


def wakes(policy, cpus):
    """How late a sleeper's timer reached it beside eight hogs, of which two are noisy."""
    domains = [Domain("role=io period=2000 run=50")] + [Domain(NOISY)] * 2 + [Domain()] * 6
    trace = traced("wakes-" + policy, policy, domains, SETTLED + S, cpus)
    late = [mark.value for mark in trace.marks["v1.0"] if mark.ns > SETTLED]
    assert len(late) > 250, "it woke %d times" % len(late)
    return late


@pytest.mark.parametrize("cpus", [1, 2])
def test_credit2_wakes(cpus):
    """Within 1 ms at the 99th percentile. [test->req~wake-up-latency~1]"""
    late = wakes("credit2", cpus)
    assert percentile(late, 0.99) <= MS, "p99 %d ns, worst %d" % (percentile(late, 0.99), max(late))


# -- credit ---------------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cpus", [1, 2])
def test_credit_shares(cpus):
    """Coarse: within 10 % over three seconds. [test->req~weights-and-caps~1]"""
    weights = (256, 512, 256, 768)
    trace = traced("coarse", "credit", weighted(weights), SETTLED + 3 * S, cpus)
    shares, due = trace.shares(SETTLED, SETTLED + 3 * S), fair(weights, cpus)
    for at in range(len(weights)):
        assert abs(shares["v%d.0" % (at + 1)] / due[at] - 1) <= 0.1, "expected %s, had %s" % (due, shares)


def test_credit_wakes():
    """Whoever wakes with credit left goes first (BOOST)."""
    late = wakes("credit", 1)
    assert percentile(late, 0.99) <= 2 * MS, "p99 %d ns, worst %d" % (percentile(late, 0.99), max(late))


# -- rtds -----------------------------------------------------------------------------------------------------------------------

def real_time(budget, period, does="role=hog", more="bulkhead,no-extratime;"):
    return Domain(does, "bulkhead,budget-us = <%d>; bulkhead,period-us = <%d>; %s" % (budget, period, more))


def judge_budget(trace, who, budget, period, start, end):
    """A hog has its budget in each period, no more and no less; the way there is a part of it. Nobody tells when its periods
    begin: when a CPU comes to it after it had none is a candidate."""
    budget, period, best = budget * US, period * US, None
    phases = sorted({(stay.start - start) % period for stay in trace.stays[who] if start <= stay.start < start + 50 * period})
    for phase in phases:
        edges = range(start + phase, end - period, period)
        worst = max(abs(trace.ran(who, edge, edge + period, way=True) - budget) for edge in edges)
        best = worst if best is None else min(best, worst)
    assert best is not None and best <= EXACT, "%s: a budget of %d ns is missed by %s ns" % (who, budget, best)


SETS = {1: ((300, 1000), (900, 3000), (1750, 5000)),
        2: ((500, 1000), (1200, 3000), (1500, 5000), (400, 2000))}


@pytest.mark.parametrize("cpus", [1, 2])
def test_rtds_budgets(cpus):
    """Sets that are just admitted: no deadline is missed, and a budget is exact within 10 us, whatever the one next to them
    does. [test->req~rtds-budget~1]"""
    domains = [real_time(*task, does=NOISY if at == 1 else "role=hog") for at, task in enumerate(SETS[cpus])]
    trace = traced("budgets", "rtds", domains, SETTLED + S, cpus, "bulkhead,admission;")
    for at, (budget, period) in enumerate(SETS[cpus], 1):
        judge_budget(trace, "v%d.0" % at, budget, period, SETTLED, SETTLED + S)


def test_rtds_misbehaving():
    """One that wants all there is, extratime too, beside a job that has its budget: the job is done in time each time, and
    what is over is the other's. [test->req~rtds-budget~1]"""
    domains = [real_time(2000, 10000, NOISY, ""), real_time(1500, 5000, "role=job period=5000 run=1200")]
    trace = traced("misbehaving", "rtds", domains, SETTLED + S)
    done = [mark.value for mark in trace.marks["v2.0"] if mark.ns > SETTLED]
    assert len(done) >= 199, "%d jobs in a second" % len(done)
    assert max(done) <= 5 * MS, "a job took %d ns" % max(done)
    idle = trace.ran(IDLE, SETTLED, SETTLED + S)
    assert trace.ran("v1.0", SETTLED, SETTLED + S) >= 0.7 * S, "extratime was not given: idle for %d ns" % idle


# -- null -----------------------------------------------------------------------------------------------------------------------

def test_null_is_silent():
    """Between two ticks of a guest the hypervisor executes nothing on its CPU but the tick itself: one stay, always as long.
    [test->req~null-pinned~1]"""
    trace = traced("silent", "null", [Domain("role=tick period=1000"), Domain()], SETTLED + S, 2)
    marks = [mark for mark in trace.marks["v1.0"] if mark.ns > SETTLED]
    assert len(marks) >= 990, len(marks)
    stays = {b.stays - a.stays for a, b in zip(marks, marks[1:])}
    took = {b.el2 - a.el2 for a, b in zip(marks, marks[1:])}
    assert stays == {1}, "stays at EL2 between two ticks: %s" % stays
    assert len(took) == 1 and max(took) <= 110, "instructions of a tick: %s" % took
    assert [what for _, what in trace.lanes[1]][-1] == "v2.0" and trace.lanes[1][-1][0] < SETTLED
