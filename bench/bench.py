#!/usr/bin/python3
"""Counts EL2 instructions per event, ours and the peer's, with the same guests; see docs/performance.md.

  bench.py run                both, everything, twice: the table, out/bench/bench.json, bench.svg, masked.txt
  bench.py check              ours alone, once, against bench/baseline.json; each event is a test
  bench.py baseline REASON    run, and writes bench/baseline.json and the table of docs/performance.md
  bench.py profile EVENT      where the instructions of an event go, function by function

[impl->dsn~counts-repeat~1]
"""
import argparse
import collections
import concurrent.futures
import json
import os
import sys
import time

import baseline
import chart
from machines import BENCH, MachineError, OUT, fetched_version, our_system, peer_image, peer_system, run, versions
from report import Report
from rows import BOTH, ROWS, SYSTEMS, UNIT, size_rows
from symbols import Symbols
from table import entries, masked_lines, table, taken

BUILD = os.path.join(OUT, "arm64-clang-release")
JOBS = 2                        # QEMU counts on one thread
SHOWN = 6                       # causes of masked interrupts on the console
SELF_CHECK = "PSCI_VERSION"     # the event that `check` also profiles


def report_path(system, side, turn):
    return os.path.join(BENCH, "reports", "%s-%s-%s.tsv" % (side, system.name, turn))


def measure(system, side, turn, hypervisor, more=()):
    """Leaves one run's report and returns how long it took."""
    started = time.monotonic()
    if side == "ours":
        tree = our_system(system.name, system.domains, system.chosen)
    else:
        tree, hypervisor = peer_system(system.name, system.domains, system.bootargs), peer_image()
    run(system.name, side, tree, hypervisor, report_path(system, side, turn), list(system.plugin) + list(more), system.cpus,
        system.mem)
    return time.monotonic() - started


def measure_all(sides, turns, hypervisor):
    """Every system's report, in all the turns."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {pool.submit(measure, system, side, turn, hypervisor): (side, system.name, turn)
                for turn in turns for system in SYSTEMS for side in sides if side in system.sides}
        for job in concurrent.futures.as_completed(jobs):
            took = job.result()
            print("  BENCH    %s %s, run %s (%.0f s)" % (*jobs[job], took), file=sys.stderr, flush=True)


def differing(sides=BOTH):
    """The reports of the first turn whose bytes are not those of the second."""
    found = []
    for system in SYSTEMS:
        for side in (side for side in sides if side in system.sides):
            first, second = report_path(system, side, 1), report_path(system, side, 2)
            with open(first, "rb") as one, open(second, "rb") as two:
                if one.read() != two.read():
                    found.append(first)
    return found


def parse(side):
    return {system.name: Report(report_path(system, side, 1)) for system in SYSTEMS if side in system.sides}


def our_figures(parsed):
    """What the baseline keeps: prices, not a guest's luck. Debian's kernel changes more often than all else: its rows say
    which it was."""
    kept = {}
    for row in ROWS:
        figures = taken(row, parsed)
        if figures and row.unit == UNIT:
            kept[row.event] = {"median": figures.median, "max": figures.max}
            if row.kernel:
                kept[row.event]["kernel"] = fetched_version("linux-image")
    return kept


def save(name, text):
    with open(os.path.join(BENCH, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def under_table(about):
    return ("min / median / max of an event; s: moves of system registers, b: barriers (of the median one)\n"
            "%(compiler)s, -O2, release; %(qemu)s, -icount shift=0,sleep=off, cortex-a57, GICv3; peer: %(peer)s" % about)


def findings(options):
    """(entries of bench.json, what they depend on, the masked lines) of the reports that are there."""
    parsed = {side: parse(side) for side in BOTH}
    found = entries(parsed, size_rows(options.sizes, options.hypervisor, peer_image()))
    return found, dict(versions(), peer="Xen " + fetched_version("xen-hypervisor")), masked_lines(parsed["ours"], options.elf)


def summary(masked):
    return "\n".join(line for part in masked.values() for line in part[:1 + SHOWN])


def command_run(options):
    """Also what `baseline` begins with."""
    started = time.monotonic()
    measure_all(BOTH, (1, 2), options.hypervisor)
    different = differing()
    found, about, masked = findings(options)
    lines = table(found)
    save("bench.json", json.dumps(found, indent=1) + "\n")
    save("bench.svg", chart.svg(found, about))
    save("masked.txt", "\n".join(line for part in masked.values() for line in part) + "\n")
    save("table.md", "\n".join(lines) + "\n")
    print("\n".join(lines) + "\n\n" + under_table(about))
    print("\nInterrupts masked (all causes: out/bench/masked.txt)\n" + summary(masked))
    for path in different:
        print("bench: another run differs: %s" % path, file=sys.stderr)
    print("\nTwo runs: %s; %.0f s" % ("DIFFERENT" if different else "identical", time.monotonic() - started))
    return 1 if different else 0


def command_baseline(options):
    if not options.what:
        raise MachineError("a baseline needs a reason: make bench-baseline REASON='...'")
    if command_run(options) != 0:
        raise MachineError("what is not the same twice is no baseline")
    found, about, masked = findings(options)
    baseline.save(baseline.BASELINE, options.what, versions(), our_figures(parse("ours")))
    baseline.put_table(["Measured %s." % baseline.commit(), "", *table(found), "", under_table(about).replace("\n", "\n\n"), "",
                        "The longest stretches with interrupts masked, in instructions:", "", "```", summary(masked), "```"])
    print("bench: bench/baseline.json and docs/performance.md are written; commit both")
    return 0


def command_check(options):
    """Ends as a level of tests does. One test more: a profile accounts for every instruction of its event."""
    measure_all(("ours",), (1,), options.hypervisor)
    events = our_figures(parse("ours"))
    passed, failed, lines = baseline.compare(baseline.load(options.baseline), versions(), events)
    times, functions = profiled(SELF_CHECK, options)
    whole = sum(functions.values()) / times
    good = abs(whole - events[SELF_CHECK]["median"]) < 1
    lines.append("%-7s %.2f in all: profile of %s" % ("ok" if good else "WRONG", whole, SELF_CHECK))
    lines.append("%d passed, %d failed" % (passed + good, failed + (not good)))
    print("\n".join(lines))
    if options.results:
        os.makedirs(os.path.dirname(options.results), exist_ok=True)
        with open(options.results, "w", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n")
    return 0 if lines[-1].endswith(" 0 failed") else 1


def profiled(event, options):
    """(how many rounds the guest made, instructions of all by function); of a boot there is one round."""
    system_name, phase = next(row.phase for row in ROWS if row.event == event)
    system = next(system for system in SYSTEMS if system.name == system_name)
    measure(system, "ours", "profile", options.hypervisor, ["profile=%d" % phase])
    report, symbols = Report(report_path(system, "ours", "profile")), Symbols(options.elf)
    times = sum(c.n for c in report.samples if c.phase == phase) if phase else 1
    functions = collections.Counter()
    for address, count in report.counts:
        functions[symbols.name(address)] += count
    return times, functions


def command_profile(options):
    names = [row.event for row in ROWS if row.phase]
    chosen = [name for name in names if options.what and options.what.lower() in name.lower()]
    for name in chosen:
        times, functions = profiled(name, options)
        if times:
            break
        print("the guest leaves this out: %s" % name)
    else:
        raise MachineError("EVENT is (a part of) one of: " + "; ".join(names))
    print("%s: EL2 instructions of a round of the guest's loop (of %d), by function" % (name, times))
    for function, count in sorted(functions.items(), key=lambda item: (-item[1], item[0])):
        if count >= times // 100:
            print("%10.2f  %s" % (count / times, function))
    print("%10.2f  in all" % (sum(functions.values()) / times))
    return 0


COMMANDS = {"run": command_run, "check": command_check, "baseline": command_baseline, "profile": command_profile}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("what", nargs="?", default="")
    parser.add_argument("--hypervisor", default=os.path.join(BUILD, "bulkhead.bin"))
    parser.add_argument("--elf", default=os.path.join(BUILD, "bulkhead.elf"))
    parser.add_argument("--sizes", default=os.path.join(BUILD, "sizes.json"))
    parser.add_argument("--baseline", default=baseline.BASELINE)
    parser.add_argument("--results", help="where `check` leaves its report")
    options = parser.parse_args()
    try:
        return COMMANDS[options.command](options)
    except MachineError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
