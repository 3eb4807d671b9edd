#!/usr/bin/python3
"""Draws who had which CPU when: what `make sched-trace` starts. BULKHEAD_SYSTEM names a system of systems/ or a .dts; each of its
cpupools becomes out/sched/<policy>.svg, and <policy>.tsv has the same as text: from when to when (ns), CPU, who. BULKHEAD_SPAN
are the milliseconds to be drawn ("FROM TO"), BULKHEAD_BOARD and BULKHEAD_CPUS as for `make run`.

Time is counted in instructions, a nanosecond each, so the picture is the same each time.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "bench"))

from machines import TRACER, Measured, MachineError, OUT, write  # noqa: E402  (the path is set above)
from draw import Picture  # noqa: E402
from run import setting  # noqa: E402
from system import pools, read  # noqa: E402
from timeline import EL2, IDLE, Trace, Window, window_starts  # noqa: E402

MS = 1000000
SETTLED = 200                   # milliseconds, after which a picture begins that is told nothing
SPANS = {"null": 20, "credit": 300, "credit2": 60, "rtds": 60, "arinc653": 30}
FOLDER = os.path.join(OUT, "sched")


def origin_of(trace, pool):
    """Where a frame of the pool begins, by when somebody comes who comes once in a frame; None: there are no such."""
    for one in pool.windows if pool.frame_us else []:
        if sum(window.key == one.key for window in pool.windows) == 1:
            window = Window(one.at_us * 1000, one.us * 1000, one.key)
            others = [IDLE] + [vcpu.key for vcpu in pool.vcpus]
            return window_starts(trace, {one.cpu: [window]}, pool.frame_us * 1000, 50 * MS, 1, others)[0]
    return None


def table(trace, pool, start, end):
    lines = []
    for cpu in pool.cpus:
        lines += ["%d\t%d\t%d\t%s\n" % (stay.start, stay.end, cpu, what) for what, stay in trace.stretches(cpu)
                  if stay.end > start and stay.start < end and (what != EL2 or stay.end - stay.start >= 20000)]
    return "".join(lines)


def main():
    system, span = setting("SYSTEM", "schedulers"), setting("SPAN", "").split()
    try:
        begin = float(span[0]) if span else SETTLED
        last = float(span[1]) if len(span) > 1 else begin + max(SPANS.values())
        os.makedirs(FOLDER, exist_ok=True)
        out = os.path.join(FOLDER, "trace.tsv")
        machine = Measured(system, ["out=" + out, "end=%d" % (last * MS)], tool=TRACER, board=setting("BOARD", "virt"),
                           cpus=setting("CPUS", "8" if system == "schedulers" else None))
        root = read(machine, os.path.join(FOLDER, "system.dtb"))
        with machine:
            if machine.wait_end(600) != 0:
                raise MachineError("QEMU failed:\n" + machine.text)
        trace = Trace(out)
        for at, pool in enumerate(pools(root, machine.cpus)):
            start = int(begin * MS)
            end = int(last * MS) if len(span) > 1 else start + SPANS[pool.policy] * MS
            name = os.path.join(FOLDER, pool.policy)
            picture = Picture(trace, pool, start, end, origin_of(trace, pool))
            write(name + ".svg", picture.svg("%s: %s" % (pool.policy, os.path.basename(system))))
            write(name + ".tsv", table(trace, pool, start, end))
            print("sched-trace: Pool-%d, %s: %s.svg" % (at, pool.policy, os.path.relpath(name)))
        return 0
    except (MachineError, ValueError, KeyError) as error:
        print("sched-trace: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
