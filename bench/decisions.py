#!/usr/bin/python3
"""What a scheduler's decision costs when 1 to 256 vCPUs share a CPU, ours and the peer's in one run; see docs/performance.md.

  decisions.py run        the table
  decisions.py baseline   ... and writes it into docs/performance.md

Each vCPU of bench/guest/crowd yields three times and sleeps, again and again. A decision is an exit that has to look for a vCPU:
a yield, a WFI, or the timer's interrupt that wakes one, or with arinc653 begins the next one's window. Its price is all that runs
at EL2 from one guest to the next, so the switch is in it, and so are further interrupts that are pending when EL2 is left. What
others wait for at most is the longest stretch with interrupts masked.
"""
import concurrent.futures
import os
import sys

import baseline
from machines import BENCH, Domain, MachineError, OUT, fetched_version, our_system, peer_image, peer_system, run
from report import Report

JOBS = 2
CROWDS = (1, 8, 64, 256)
MOST_VCPUS = 8                  # of a domain
PEER_DOMAINS = 30               # it knows 32 modules, two of which are itself and the tree
PHASE = 40
WFX, HVC, IRQ = 0x01, 0x16, 9
KINDS = (("yield", lambda c: c.vec == 8 and c.ec == HVC), ("wait", lambda c: c.vec == 8 and c.ec == WFX),
         ("wake-up", lambda c: c.vec == IRQ))
MASKED = "longest stretch masked"
SIDES = [("ours", policy) for policy in ("credit2", "credit", "rtds", "arinc653", "null")] + [
    ("peer", policy) for policy in ("credit2", "credit")]
MOST = {"arinc653": 64, "null": 1}  # of CROWDS: 128 windows are all that there may be, and a CPU is one vCPU's
WINDOW_US = 100


def domains(crowd):
    return [Domain("crowd.bin", 16, min(crowd, MOST_VCPUS))] * max(crowd // MOST_VCPUS, 1)


def with_windows(crowd):
    """One window for each vCPU, one behind the other."""
    made = []
    for domain in domains(crowd):
        at = [(len(made) * MOST_VCPUS + vcpu) * WINDOW_US for vcpu in range(domain.cpus)]
        windows = ["bulkhead,windows = <%d %d>;" % (begin, WINDOW_US) for begin in at]
        own = ['vcpu%d { compatible = "xen,vcpu"; id = <%d>; %s };' % (vcpu, vcpu, windows[vcpu])
               for vcpu in range(1, domain.cpus)]
        made.append(domain._replace(ours="\n".join(windows[:1] + own)))
    return made


def peers_domains(crowd):
    return domains(crowd)[:PEER_DOMAINS]


def measure(side, policy, crowd):
    """{kind: (median, max)}; a wait's may idle, which is no part of the decision."""
    name = "crowd-%s-%d" % (policy, crowd)
    if crowd > MOST.get(policy, crowd):
        return {}
    if side == "ours":
        frame = "bulkhead,major-frame-us = <%d>;" % (crowd * WINDOW_US)
        made, frame = (with_windows(crowd), frame) if policy == "arinc653" else (domains(crowd), "")
        tree = our_system(name, made, 'bulkhead,scheduler = "%s"; %s' % (policy, frame))
        image = os.path.join(OUT, "arm64-clang-release", "bulkhead.bin")
    else:
        tree, image = peer_system(name, peers_domains(crowd), "sched=%s sched_ratelimit_us=0" % policy), peer_image()
    path = run(name, side, tree, image, os.path.join(BENCH, "reports", "%s-%s.tsv" % (side, name)), ["guest=off", "pairs=off"],
               mem=1024, timeout=600)
    report = Report(path)
    exits = [c for c in report.exits if c.phase == PHASE and not c.idle]
    masked = [c.max for c in report.masked]
    found = {MASKED: (max(masked),)} if masked else {}
    for kind, wanted in KINDS:
        classes = [c for c in exits if wanted(c)]
        classes = [c for c in classes if c.to == 1] or classes
        if classes:
            found[kind] = (max(classes, key=lambda c: c.n).median, max(c.max for c in classes))
    return found


def table():
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        jobs = {(side, policy, crowd): pool.submit(measure, side, policy, crowd) for crowd in CROWDS for side, policy in SIDES}
    lines = ["| decision | scheduler | %s |" % " | ".join("%d vCPU%s" % (n, "s" if n > 1 else "") for n in CROWDS),
             "|---|---|" + "---|" * len(CROWDS)]
    for kind in [kind for kind, _ in KINDS] + [MASKED]:
        for side, policy in SIDES:
            cells = [jobs[side, policy, crowd].result().get(kind) for crowd in CROWDS]
            lines.append("| %s | %s%s | %s |" % (kind, "" if side == "ours" else "Xen's ", policy, " | ".join(
                " / ".join(map(str, cell)) if cell else "-" for cell in cells)))
    about = "median / max, in EL2 instructions; peer: Xen %s, sched_ratelimit_us=0, with 240 vCPUs for 256 (%d domains)"
    return lines + ["", about % (fetched_version("xen-hypervisor"), PEER_DOMAINS)]


def main():
    try:
        lines = table()
        print("\n".join(lines))
        if sys.argv[1:] == ["baseline"]:
            baseline.put_table(["Measured %s." % baseline.commit(), "", *lines], marks="decisions")
        return 0
    except MachineError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
