#!/usr/bin/python3
"""Counts EL2 instructions per event on the 32-bit ports, as bench.py does for arm64; see docs/performance.md.

  ports.py run                the table
  ports.py check              once, against bench/ports.json; each event of a port is a test, added to those in --results
  ports.py baseline REASON    twice, and writes bench/ports.json and its table of docs/performance.md
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import sys

import baseline
from machines import BENCH, HERE, Measured, MachineError, OUT, versions, write
from report import Report

BASELINE = os.path.join(HERE, "ports.json")
JOBS = 2

# place: of a domain's memory, by its number: what says it, and where it is.
Port = collections.namedtuple("Port", "name board gic place")
PORTS = (
    Port("armv7a", "virt-a15", "3", lambda n: ("", 0x40000000)),
    Port("armv8r", "mps3-an536", None,
         lambda n: ("xen,static-mem = <0x%x 0x400000>;" % (0x24000000 + n * 0x1000000), 0x24000000 + n * 0x1000000)),
)
# roles: a domain each, all from CPU 0 on. cpus: of a domain, each on a CPU. first: report when so many run. chosen: more
# properties of /chosen.
System = collections.namedtuple("System", "name roles cpus first chosen", defaults=(1, 0, ""))
SYSTEMS = (System("events", ("events",)), System("pair", ("pair",), cpus=2), System("yield", ("yielder", "passer")),
           System("boot", ("tiny",), first=1), System("clean", ("tiny",), first=1, chosen="bulkhead,clean-memory;"))

# goal: that of arm64 (rows.py).
YIELD = "yield to another domain's vCPU and back, with FP and regions"
Row = collections.namedtuple("Row", "event system phase goal")
ROWS = (
    Row("null hypercall (xen_version)", "events", 1, 84),
    Row("hypercall not implemented", "events", 2, None),
    Row("PSCI_VERSION", "events", 3, 100),
    Row("vpl011 FR read", "events", 4, 150),
    Row("vpl011 IMSC write", "events", 5, None),
    Row("GICD_TYPER read", "events", 6, 150),
    Row("GICD_ISENABLER write", "events", 7, None),
    Row("timer interrupt to the running guest", "events", 8, 110),
    Row("SGI to itself", "events", 9, 180),
    Row("SGI to another running vCPU, both sides", "pair", 20, 400),
    Row("WFI until the timer", "events", 10, 110),
    Row("yield, nobody else there", "events", 12, None),
    Row(YIELD, "yield", 31, 1000),
    Row("boot to the first guest, tiny image, 4 MiB", "boot", None, None),
    Row("boot to the first guest, tiny image, memory vouched clean", "clean", None, 700000),
)


def tree(port, system):
    """The system, as a device tree."""
    nodes = []
    for number, role in enumerate(system.roles):
        place, at = port.place(number)
        cpus = range(system.cpus)
        nodes += ["dom%d {" % number, 'compatible = "xen,domain";', "memory = <0 4096>;", "cpus = <%d>;" % system.cpus, "vpl011;",
                  place, "bulkhead,no-device-tree;"]
        nodes += ['vcpu%d { compatible = "xen,vcpu"; id = <%d>; hard-affinity = "%d"; };' % (n, n, n) for n in cpus]
        nodes += ['kernel { compatible = "multiboot,kernel", "multiboot,module"; bulkhead,load-address = <0x%x>; '
                  'data = /incbin/("%s.bin"); };' % (at, role), "};"]
    text = "/dts-v1/;\n/ {\nchosen {\n%s\n#address-cells = <1>;\n#size-cells = <1>;\n%s\n};\n};\n" % (
        system.chosen, "\n".join(nodes))
    path = os.path.join(BENCH, port.name, system.name + ".dts")
    write(path, text)
    return path


def measure(port, system):
    """One run's report."""
    path = os.path.join(BENCH, "reports", "%s-%s.tsv" % (port.name, system.name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        os.remove(path)
    plugin = ["out=" + path, "end=on"] + (["first=%d" % system.first, "guest=off"] if system.first else [])
    machine = Measured(tree(port, system), plugin, board=port.board, gic=port.gic, cpus=1 if system.first else 2,
                       hypervisor="out/%s-clang-release/bulkhead.bin" % port.name,
                       include=[os.path.join(BENCH, "guest", port.name)])
    with machine:
        try:
            machine.wait_end(60)
        except MachineError:
            raise MachineError("%s: the guest of %s did not end:\n%s" % (port.name, system.name, machine.text)) from None
    return Report(path)


def figures():
    """What each event of each port takes."""
    jobs, found = {}, {}
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        for port in PORTS:
            for system in SYSTEMS:
                jobs[port.name, system.name] = pool.submit(measure, port, system)
    for port in PORTS:
        for row in ROWS:
            report = jobs[port.name, row.system].result()
            if row.phase is None:
                found["%s: %s" % (port.name, row.event)] = {"median": report.firsts[0], "max": report.firsts[0]}
            else:
                sample = report.sample(row.phase)
                if sample is None:
                    raise MachineError("%s: no %s" % (port.name, row.event))
                found["%s: %s" % (port.name, row.event)] = {"median": sample.median, "max": sample.max,
                                                            "moves": sample.moves, "barriers": sample.barriers}
    return found


def arm64():
    """The same events there, as its baseline has them."""
    events = baseline.load(baseline.BASELINE)["events"]
    renamed = {"WFI until the timer": ("WFI until the timer, null scheduler", 1),
               YIELD: ("yield to another domain's vCPU, with FP", 2),
               "boot to the first guest, tiny image, memory vouched clean":
                   ("boot to the first guest, tiny image, scrubbing apart", 1)}
    there = {}
    for row in ROWS:
        name, times = renamed.get(row.event, (row.event, 1))
        there[row.event] = str(times * events[name]["median"]) if name in events else "-"
    return there


def written(entry):
    both = "%d" % entry["median"] if entry["median"] == entry["max"] else "%d / %d" % (entry["median"], entry["max"])
    return both + (" s%d b%d" % (entry["moves"], entry["barriers"]) if "moves" in entry else "")


def table(found):
    lines = ["| event | %s | arm64 | goal | met |" % " | ".join(port.name for port in PORTS),
             "|---|%s---|---|---|" % ("---|" * len(PORTS))]
    there = arm64()
    for row in ROWS:
        ours = [found["%s: %s" % (port.name, row.event)] for port in PORTS]
        met = "-" if row.goal is None else "yes" if all(entry["max"] <= row.goal for entry in ours) else "NO"
        goal = "-" if row.goal is None else "<= %d" % row.goal
        lines.append("| %s | %s | %s | %s | %s |" % (
            row.event, " | ".join(written(entry) for entry in ours), there[row.event], goal, met))
    return lines


def command_run(_):
    print("\n".join(table(figures())))
    return 0


def command_baseline(options):
    found = figures()
    if not options.what:
        raise MachineError("a baseline needs a reason: make bench-baseline REASON='...'")
    if figures() != found:
        raise MachineError("what is not the same twice is no baseline")
    baseline.save(BASELINE, options.what, versions(), found)
    baseline.put_table(table(found), marks="ports")
    print("\n".join(table(found)))
    return 0


def command_check(options):
    """Ends as a level of tests does."""
    passed, failed, lines = baseline.compare(baseline.load(BASELINE), versions(), figures())
    good, earlier = failed == 0, []
    if options.results and os.path.exists(options.results):
        with open(options.results, encoding="utf-8") as stream:
            earlier = stream.read().splitlines()
        before = [int(word) for word in re.findall(r"(\d+) (?:passed|failed)", earlier.pop())]
        passed, failed = passed + before[0], failed + before[1]
    lines.append("%d passed, %d failed" % (passed, failed))
    print("\n".join(lines))
    if options.results:
        with open(options.results, "w", encoding="utf-8") as stream:
            stream.write("\n".join(earlier + lines) + "\n")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "check", "baseline"))
    parser.add_argument("what", nargs="?", default="")
    parser.add_argument("--results", help="where `check` leaves its report")
    options = parser.parse_args()
    try:
        return {"run": command_run, "check": command_check, "baseline": command_baseline}[options.command](options)
    except MachineError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
