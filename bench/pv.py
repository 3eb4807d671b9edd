#!/usr/bin/python3
"""Counts EL2 instructions of PV disk and network, ours and the peer's: Debian's Linux as dom0 serves Debian's Linux.

  pv.py run         both: a table, out/bench/pv.json
  pv.py baseline    run, and writes the table of docs/performance.md

A guest transfers so much between two marks, then more: the difference of the two, by the requests more, is what one costs, with
all that both hypervisor and guests do meanwhile (idle CPUs and ticks too), without boot and what begins and ends a transfer.
"""
import argparse
import concurrent.futures
import gzip
import json
import os
import sys

import baseline
from machines import (BENCH, GUESTS, IMAGES, MachineError, OUT, PEER_FIRST, PEER_STEP, ROOT, fetched_version, kernel_path,
                      peer_image, run, versions, write)
from report import Report

sys.path.insert(0, os.path.join(ROOT, "tools", "guest"))
from initramfs import Archive, read  # noqa: E402  (the path is set above)

BUILD = os.path.join(OUT, "arm64-clang-release")
GOAL = 0.5
MEM = 2048
LIMIT_S = 900
# What, the phase of the shorter one (the longer one's is the next), how many requests the longer one has more.
TRANSFERS = [
    ("PV disk, write of 4 KiB", 70, 256),
    ("PV disk, read of 4 KiB", 72, 256),
    ("PV disk, write of 64 KiB", 74, 64),
    ("PV disk, read of 64 KiB", 76, 64),
    ("PV network, 64 KiB of TCP to dom0", 78, 32),
    ("PV network, 64 KiB of TCP from dom0", 80, 32),
]
# The peer as it comes (each vCPU bound to a CPU), and at its best where vCPUs have CPUs for themselves.
SIDES = {"ours": "", "peer": "dom0_vcpus_pin ", "peer-null": "sched=null vwfi=native dom0_vcpus_pin "}
FIRST_ARGS = "console=hvc0 quiet name=dom0"
SECOND_ARGS = "console=ttyAMA0 quiet name=domU1"


def ramdisk(name, base, script, program):
    """The usual one, then an archive more with the script: the kernel unpacks both."""
    more = Archive()
    more.file("etc/boot.d/pv-bench", read(os.path.join(ROOT, "bench", "guest", script)), 0o755)
    if program:
        more.file("bin/mark", read(os.path.join(IMAGES, program)), 0o755)
    path = os.path.join(BENCH, name)
    with open(path, "wb") as stream:
        stream.write(read(os.path.join(GUESTS, base)) + gzip.compress(more.pack(), 9, mtime=0))
    return path


def system(side):
    """The tree of one side, and for the peer the list of its modules."""
    kernel = kernel_path("linux.Image")
    files = [kernel, ramdisk("pv-dom0.gz", "dom0.gz", "pv-back-bench", None),
             kernel, ramdisk("pv-domU.gz", "initrd.gz", "pv-front-bench", "mark")]
    at, nodes, modules = PEER_FIRST, [], []
    for number, path in enumerate(files):
        size = os.stat(path).st_size
        kind = "ramdisk" if number % 2 else "kernel"
        where = ('data = /incbin/("%s");' % path if side == "ours" else "reg = <0 0x%x 0 0x%x>;" % (at, size))
        args = "" if number % 2 else 'bootargs = "%s";' % (SECOND_ARGS if number else FIRST_ARGS)
        nodes.append('module@%x { compatible = "multiboot,%s", "multiboot,module"; %s %s };' % (at, kind, where, args))
        modules.append("0x%x %s\n" % (at, path))
        at = (at + size + 2 * PEER_STEP - 1) // PEER_STEP * PEER_STEP
    domain = ('domU1 { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <2>; memory = <0 131072>; cpus = <1>; '
              'vpl011; xen,enhanced; vcpu0 { compatible = "xen,vcpu"; id = <0>; hard-affinity = "1"; };\n%s\n};'
              % "\n".join(nodes[2:]))
    text = ('/dts-v1/;\n/ {\nchosen {\n#address-cells = <2>; #size-cells = <2>;\n'
            'xen,xen-bootargs = "%sdom0_mem=512M dom0_max_vcpus=1%s";\nxen,dom0-bootargs = "%s";\n%s\n%s\n};\n%s};\n'
            % (SIDES[side], "" if side == "ours" else " console=dtuart", FIRST_ARGS, "\n".join(nodes[:2]), domain,
               "" if side == "ours" else 'pl061@9030000 { status = "disabled"; };\n'))
    path = os.path.join(BENCH, side, "pv.dts")
    write(path, text)
    os.utime(path)  # the ramdisks may be others
    if side != "ours":
        write(os.path.splitext(path)[0] + ".modules", "".join(modules))
    return path


def measure(side, hypervisor):
    out = os.path.join(BENCH, "reports", "pv-%s.tsv" % side)
    tree = system(side)
    run("pv", side, tree, hypervisor if side == "ours" else peer_image(), out, ["guest=off"], 2, MEM, LIMIT_S)
    report = Report(out)
    return {name: (report.sample(phase + 1).max - report.sample(phase).max) // more for name, phase, more in TRANSFERS}


def lines_of(found):
    lines = ["| request | ours | peer | ratio | peer, null scheduler | ratio | goal | met |", "|---|---|---|---|---|---|---|---|"]
    for name, _, _ in TRANSFERS:
        ours, peer, best = (found[side][name] for side in SIDES)
        lines.append("| %s | %d | %d | %.2f | %d | %.2f | <= %.2f | %s |" % (
            name, ours, peer, ours / peer, best, ours / best, GOAL, "yes" if ours <= GOAL * peer else "NO"))
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=("run", "baseline"))
    parser.add_argument("--hypervisor", default=os.path.join(BUILD, "bulkhead.bin"))
    parser.add_argument("--side", choices=SIDES, help="only this one, as figures")
    options = parser.parse_args()
    try:
        if options.side:
            print(json.dumps(measure(options.side, options.hypervisor), indent=1))
            return 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            found = dict(zip(SIDES, pool.map(lambda side: measure(side, options.hypervisor), SIDES)))
    except MachineError as error:
        print("bench: %s" % error, file=sys.stderr)
        return 1
    with open(os.path.join(BENCH, "pv.json"), "w", encoding="utf-8") as stream:
        json.dump(found, stream, indent=1)
    lines = lines_of(found)
    print("\n".join(lines))
    if options.command == "baseline":
        about = "Measured %s; %s; peer: Xen %s." % (baseline.commit(), versions()["qemu"], fetched_version("xen-hypervisor"))
        baseline.put_table([about, "", *lines], marks="pv")
    return 0


if __name__ == "__main__":
    sys.exit(main())
