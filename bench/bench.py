#!/usr/bin/python3
"""Counts EL2 instructions per event, ours and the peer's, with the same guests; see docs/performance.md.

  bench.py run                both, everything, twice: the table, out/bench/bench.json, bench.svg, masked.txt
  bench.py check              ours alone against bench/baseline.json
  bench.py baseline REASON    writes bench/baseline.json
  bench.py profile EVENT      where the instructions of an event go, function by function
"""
import argparse
import collections
import concurrent.futures
import json
import os
import sys

import chart
from machines import BENCH, HERE, MachineError, OUT, our_system, peer_image, peer_system, peer_version, run, versions
from report import Report, cause
from rows import BOTH, ROWS, SYSTEMS, UNIT, size_rows
from symbols import Symbols

BASELINE = os.path.join(HERE, "baseline.json")
JOBS = 2                        # QEMU counts on one thread


def measure(system, side, turn, hypervisor, more=()):
    """The path of one run's report."""
    if side == "ours":
        tree = our_system(system.name, system.domains)
    else:
        tree, hypervisor = peer_system(system.name, system.domains, system.bootargs), peer_image()
    out = os.path.join(BENCH, "reports", "%s-%s-%s.tsv" % (side, system.name, turn))
    return run(system.name, side, tree, hypervisor, out, list(system.plugin) + list(more), system.cpus, system.mem)


def measure_all(systems, sides, turns, hypervisor):
    """Reports by (side, turn), then by the system's name."""
    reports = collections.defaultdict(dict)
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {pool.submit(measure, system, side, turn, hypervisor): (system.name, side, turn)
                for turn in turns for system in systems for side in sides if side in system.sides}
        for job in concurrent.futures.as_completed(jobs):
            name, side, turn = jobs[job]
            reports[side, turn][name] = job.result()
            print("  BENCH    %s %s, run %s" % (side, name, turn), file=sys.stderr, flush=True)
    return reports


def same_twice(reports):
    """Whether every report of the second turn has the bytes of the first."""
    good = True
    for side in BOTH:
        for name, path in sorted(reports[side, 1].items()):
            with open(path, "rb") as first, open(reports[side, 2][name], "rb") as second:
                if first.read() != second.read():
                    print("bench: two runs of %s (%s) differ: %s" % (name, side, path), file=sys.stderr)
                    good = False
    return good


def taken(row, parsed):
    """A row's figures, None where a side has none."""
    try:
        return row.take(parsed)
    except KeyError:
        return None                                          # a system that this side does not run


def met(row, ours):
    if row.goal is None:
        return None
    if ours is None or ours.max > row.goal or (row.exact and ours.min != ours.max):
        return False
    return row.barriers is None or ours.barriers <= row.barriers


def numbers(figures):
    return None if figures is None else {"min": figures.min, "median": figures.median, "max": figures.max}


def entries(parsed, sizes):
    """What bench.json holds."""
    result = []
    for row in ROWS:
        ours, peer = taken(row, parsed["ours"]), taken(row, parsed["peer"])
        if ours is None and peer is None:
            continue
        entry = {"event": row.event, "unit": row.unit, "ours": numbers(ours), "peer": numbers(peer), "goal": row.goal,
                 "met": met(row, ours)}
        for name in ("moves", "barriers"):
            entry[name] = {side: getattr(figures, name) for side, figures in (("ours", ours), ("peer", peer)) if figures}
        result.append(entry)
    for label, unit, ours, peer in sizes:
        result.append({"event": label, "unit": unit, "ours": ours and {"min": ours, "median": ours, "max": ours},
                       "peer": peer and {"min": peer, "median": peer, "max": peer}, "goal": None, "met": None,
                       "moves": {}, "barriers": {}})
    return result


def spread(figures):
    if figures is None:
        return "-"
    if figures["min"] == figures["max"]:
        return "%d" % figures["median"]
    return "%d / %d / %d" % (figures["min"], figures["median"], figures["max"])


def extras(entry, side):
    moves, barriers = entry["moves"].get(side), entry["barriers"].get(side)
    return "" if moves is None else " s%d b%d" % (moves, barriers)


def table(found):
    lines = ["| event | ours | peer | ratio | goal | met |", "|---|---|---|---|---|---|"]
    for entry in found:
        ours, peer = entry["ours"], entry["peer"]
        ratio = "%.2f" % (ours["median"] / peer["median"]) if ours and peer and peer["median"] else "-"
        goal = "-" if entry["goal"] is None else "<= %d" % entry["goal"]
        unit = "" if entry["unit"] == UNIT else " (%s)" % entry["unit"]
        lines.append("| %s | %s | %s | %s | %s | %s |" % (
            entry["event"] + unit, spread(ours) + extras(entry, "ours"), spread(peer) + extras(entry, "peer"), ratio, goal,
            {True: "yes", False: "NO", None: "-"}[entry["met"]]))
    return lines


def masked_lines(parsed, symbols):
    """Every cause of masked interrupts, the longest first."""
    lines = []
    for name in ("storm1", "storm2"):
        lines.append("%s: longest stretch, times, cause, from - to" % name)
        longest = {}
        for c in parsed[name].masked:
            what = cause(c, symbols)
            if what not in longest or c.max > longest[what][0].max:
                longest[what] = (c, longest.get(what, (c, 0))[1] + c.n)
            else:
                longest[what] = (longest[what][0], longest[what][1] + c.n)
        for what, (c, times) in sorted(longest.items(), key=lambda item: (-item[1][0].max, item[0])):
            lines.append("%8d %9d  %s, %s - %s" % (c.max, times, what, symbols.name(c.start), symbols.name(c.end)))
    return lines


def save(name, text):
    with open(os.path.join(BENCH, name), "w", encoding="utf-8") as stream:
        stream.write(text)


def parse(paths):
    return {name: Report(path) for name, path in paths.items()}


def command_run(options):
    reports = measure_all(SYSTEMS, BOTH, (1, 2), options.hypervisor)
    repeatable = same_twice(reports)
    parsed = {side: parse(reports[side, 1]) for side in BOTH}
    found = entries(parsed, size_rows(options.sizes, peer_image()))
    masked = masked_lines(parsed["ours"], Symbols(options.elf))
    about = versions()
    about["peer"] = "Xen " + peer_version()
    save("bench.json", json.dumps(found, indent=1) + "\n")
    save("bench.svg", chart.svg(found, about))
    save("masked.txt", "\n".join(masked) + "\n")
    text = table(found)
    save("table.md", "\n".join(text) + "\n")
    print("\n".join(text))
    print("\nmin / median / max of an event; s: moves of system registers, b: barriers (median event)")
    print("%(compiler)s, -O2, release; %(qemu)s, -icount shift=0,sleep=off, cortex-a57, GICv3; peer: %(peer)s" % about)
    print("\nInterrupts masked (all causes: out/bench/masked.txt)")
    print("\n".join(line for part in ("storm1", "storm2") for line in first_lines(masked, part, 6)))
    print("\nTwo runs: %s" % ("identical" if repeatable else "DIFFERENT"))
    return 0 if repeatable else 1


def first_lines(lines, part, count):
    begin = next(number for number, line in enumerate(lines) if line.startswith(part))
    return lines[begin:begin + 1 + count]


def checked_figures(options):
    """Ours alone, of the systems that are quick."""
    reports = measure_all([system for system in SYSTEMS if system.check], ("ours",), (1,), options.hypervisor)
    parsed = parse(reports["ours", 1])
    found = {}
    for row in ROWS:
        figures = taken(row, parsed)
        if figures is not None:
            found[row.event] = {"median": figures.median, "max": figures.max}
    return found


def command_check(options):
    with open(BASELINE, encoding="ascii") as stream:
        baseline = json.load(stream)
    found, here = checked_figures(options), versions()
    comparable = here == baseline["versions"]
    dearer = []
    for name, now in found.items():
        then = baseline["events"].get(name)
        if then is None:
            print("new: %s, %d / %d: not in bench/baseline.json" % (name, now["median"], now["max"]))
        elif now != then:
            worse = now["median"] > then["median"] or now["max"] > then["max"]
            print("%s: %s, median %d -> %d, max %d -> %d" % ("DEARER" if worse else "cheaper", name, then["median"],
                                                            now["median"], then["max"], now["max"]))
            dearer += [name] if worse else []
    gone = [name for name in baseline["events"] if name not in found]
    for name in gone:
        print("GONE: %s" % name)
    if not comparable:
        print("bench-check: not compared, the baseline is of other tools: %s, here %s" % (baseline["versions"], here))
        return 0
    print("bench-check: %d events, %d dearer than the baseline, %d gone" % (len(found), len(dearer), len(gone)))
    return 1 if dearer or gone else 0


def command_baseline(options):
    if not options.what:
        raise MachineError("a baseline needs a reason: make bench-baseline REASON='...'")
    data = {"reason": options.what, "versions": versions(), "events": checked_figures(options)}
    with open(BASELINE, "w", encoding="ascii") as stream:
        json.dump(data, stream, indent=1)
        stream.write("\n")
    print("bench: %d events in bench/baseline.json" % len(data["events"]))
    return 0


def command_profile(options):
    rows = [row for row in ROWS if row.phase]
    chosen = [row for row in rows if options.what and options.what.lower() in row.event.lower()]
    if not chosen:
        raise MachineError("EVENT is (a part of) one of: " + "; ".join(row.event for row in rows))
    name, phase = chosen[0].phase
    system = next(system for system in SYSTEMS if system.name == name)
    path = measure(system, "ours", "profile", options.hypervisor, ["profile=%d" % phase])
    report, symbols = Report(path), Symbols(options.elf)
    times = sum(c.n for c in report.samples if c.phase == phase) if phase else 1
    if times == 0:
        raise MachineError("the guest left this event out")
    functions = collections.Counter()
    for address, count in report.counts:
        functions[symbols.name(address)] += count
    print("%s: EL2 instructions per event (%d events), by function" % (chosen[0].event, times))
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
    parser.add_argument("--hypervisor", default="out/bulkhead.bin")
    parser.add_argument("--elf", default=os.path.join(OUT, "bulkhead.elf"))
    parser.add_argument("--sizes", default=os.path.join(OUT, "sizes.json"))
    options = parser.parse_args()
    try:
        return COMMANDS[options.command](options)
    except MachineError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
