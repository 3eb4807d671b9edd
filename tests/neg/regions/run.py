#!/usr/bin/python3
"""Systems for a board with protection regions that need more of a CPU's than there are, with the exact sentences, and
such as just fit.

usage: run.py

[test->req~region-budget~1]
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TOOL = os.path.join(ROOT, "out", "host", "bulkhead-image-armv8r")
BOARD = os.path.join(ROOT, "systems", "boards", "mps3-an536.dts")
OWN = ["the hypervisor's code", "its data", "its heap"] + ["its heap, above a stack's guard"] * 3 + [
    "the device tree", "0xf0000000 to 0xf000ffff, interrupt controller",
    "0xf0100000 to 0xf013ffff, interrupt controller", "0xe0205000 to 0xe0205fff, console"]
MIB = 1 << 20


def domain(name, ranges, more=""):
    cells = ", ".join(f"<{base:#x} {size:#x}>" for base, size in ranges)
    return (f'{name} {{ compatible = "xen,domain"; #address-cells = <1>; #size-cells = <1>; direct-map; '
            f'memory = <0 {sum(size for _, size in ranges) >> 10:#x}>; cpus = <1>; xen,static-mem = {cells}; {more} '
            f'kernel {{ compatible = "multiboot,kernel", "multiboot,module"; reg = <0x28000000 0x1000>; }}; }};')


def shared(at, size):
    return ('shm { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "s"; '
            f"xen,shared-mem = <{at:#x} {at:#x} {size:#x}>; }};")


def run(domains, more=""):
    with tempfile.NamedTemporaryFile("w", suffix=".dts") as file:
        file.write(f"/dts-v1/; / {{ chosen {{ #address-cells = <1>; #size-cells = <1>; {more} {domains} }}; }};")
        file.flush()
        done = subprocess.run([TOOL, "--check", "--board", BOARD, "--system", file.name], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
    return done


def check(domains, more=""):
    done = run(domains, more)
    return done.returncode, [line for line in done.stderr.decode().splitlines() if not line.startswith("bulkhead-image")]


def listed(domains):
    """What the tool says of a good system."""
    return [line.strip() for line in run(domains).stdout.decode().splitlines() if " regions " in line]


def apart(nr):
    return [(0x30000000 + i * 8 * MIB, 4 * MIB) for i in range(nr)]


def fault(name, nr, most, listed):
    said = [f"/chosen/{name}: xen,static-mem: found {nr} regions of memory and devices, expected at most {most} of a CPU's 16"]
    return 1, said + [f"note: /chosen/{name}: region: {what}" for what in listed]


def memory(ranges, what="memory"):
    return [f"{base:#x} to {base + size - 1:#x}, {what}" for base, size in ranges]


def main():
    seven = fault("many", 7, 6, memory(apart(7)) + OWN)
    together = [(0x30000000 + i * 4 * MIB, 4 * MIB) for i in range(16)]
    six = apart(6)
    beside = six[5][0] + six[5][1]
    tests = {
        "too-many": (check(domain("many", apart(7))), seven),
        "just-fits": (check(domain("fits", apart(6))), (0, [])),
        "neighbours": (check(domain("fits", together)), (0, [])),
        # shared memory beside a domain's own is of another kind
        "shared": (check(domain("many", six, shared(beside, MIB))),
                   fault("many", 7, 6, memory(six) + memory([(beside, MIB)], "shared memory") + OWN)),
        "shared-fits": (check(domain("fits", apart(5), shared(0x34000000, MIB))), (0, [])),
        "two": (check(domain("fits", [(0x3a000000, 4 * MIB)]) + domain("many", apart(7)))[0], seven[0]),
        "no-console": (check(domain("fits", apart(7)), 'stdout-path = "/nothing";')[0], 0),
    }
    tests["listed"] = (listed(domain("fits", together)), [
        "regions 10 of 16: " + ", ".join(what if " to " not in what else
                                         " ".join(reversed(what.replace(" to ", "-").split(", "))) for what in OWN),
        "regions 1 of 16: memory 0x30000000-0x33ffffff"])
    failed = 0
    for name, (found, expected) in tests.items():
        if found != expected:
            failed += 1
            print(f"FAIL {name}:\n  found    {found!r}\n  expected {expected!r}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
