"""What is measured: the systems, and the table's rows with their goals."""
import collections
import json
import os

from machines import Domain, kernel_path
from report import Figures

UNIT = "EL2 instructions"
MIB = 1 << 20
BOTH = ("ours", "peer")

# plugin: options of elmeter. bootargs: the peer's. sides: who runs it. check: part of bench-check.
System = collections.namedtuple("System", "name domains cpus mem plugin bootargs sides check",
                                defaults=(1, 512, (), "", BOTH, False))


def boot(name, kernel, count, mib, mem=512, check=False):
    return System("boot-" + name, [Domain(kernel, mib)] * count, mem=mem, plugin=["first=%d" % count, "guest=off"], check=check)


def storm(name, cpus):
    """Interference: on one CPU all of it, on two a share for each."""
    domains = [Domain("tick.bin", cpu=0), Domain("hammer.bin", cpu=cpus - 1), Domain("hammer.bin", cpu=0),
               Domain("resetter.bin", mib=4, cpu=cpus - 1, restarts=True)]
    return System(name, domains, cpus=cpus, plugin=["guest=off"], sides=("ours",))


SYSTEMS = [
    System("events", [Domain("events.bin")], check=True),
    System("pair", [Domain("pair.bin", cpus=2)], cpus=2, check=True),
    # With its usual rate limit of 1 ms the peer would only take longer to come to a switch.
    System("switch", [Domain("sleeper.bin", cpu=0), Domain("spinner.bin", cpu=0)], plugin=["guest=off"],
           bootargs="sched_ratelimit_us=0", check=True),
    boot("tiny1", "tiny.bin", 1, 16, check=True),
    boot("tiny2", "tiny.bin", 2, 16),
    boot("tiny4", "tiny.bin", 4, 16, check=True),
    boot("tiny144", "tiny.bin", 1, 144, check=True),
    boot("tiny64", "tiny.bin", 1, 64, mem=1024),
    boot("linux1", "linux.Image", 1, 64, mem=1024),
    boot("linux2", "linux.Image", 2, 64, mem=1024),
    boot("linux4", "linux.Image", 4, 64, mem=1024),
    storm("storm1", 1),
    storm("storm2", 2),
]

# take: a function of the reports of one side, by the system's name. phase: what bench-profile looks at in which system.
Row = collections.namedtuple("Row", "event unit take goal exact barriers phase", defaults=(None, False, None, None))


def event(name, system, phase, goal=None, exact=False, barriers=None):
    """exact: the least and the most must be the same. barriers: at most so many."""
    return Row(name, UNIT, lambda r: r[system].sample(phase), goal, exact, barriers, (system, phase))


def switch(name, phase, goal=None, **wanted):
    return Row(name, UNIT, lambda r: r["switch"].switch(phase, **wanted), goal, phase=("switch", phase))


def one(value):
    return Figures(value, value, value)


def per_mib_ram(r):
    return (r["boot-tiny144"].firsts[0] - r["boot-tiny1"].firsts[0]) // 128


def per_mib_image(r):
    size = os.stat(kernel_path("linux.Image")).st_size
    return (r["boot-linux1"].firsts[0] - r["boot-tiny64"].firsts[0]) * MIB // size


def boot_rows():
    rows = []
    for kernel, label in (("tiny", "tiny image"), ("linux", "37 MB kernel")):
        for count in (1, 2, 4):
            name = "boot-%s%d" % (kernel, count)
            what = "%s, %d domain%s" % (label, count, "s" if count > 1 else "")
            rows.append(Row("boot to the first guest, " + what, UNIT, lambda r, n=name: one(r[n].firsts[0]), phase=(name, 0)))
            if count > 1:
                rows.append(Row("boot to all guests, " + what, UNIT, lambda r, n=name: one(r[n].firsts[-1])))
    return rows + [
        Row("boot to the first guest, tiny image, scrubbing apart", UNIT,
            lambda r: one(r["boot-tiny1"].firsts[0] - 16 * per_mib_ram(r)), 700000),
        Row("each further tiny domain, scrubbing apart", UNIT,
            lambda r: one((r["boot-tiny4"].firsts[-1] - r["boot-tiny1"].firsts[0]) // 3 - 16 * per_mib_ram(r)), 80000),
        Row("each MiB of guest RAM", UNIT, lambda r: one(per_mib_ram(r)), 55000),
        Row("each MiB of kernel image, in RAM counted apart", UNIT, lambda r: one(per_mib_image(r)), 135000),
    ]


def masked_row(name, label):
    return Row("longest stretch with interrupts masked, " + label, UNIT,
               lambda r: one(max(c.max for c in r[name].masked)), 4000)


ROWS = [
    event("null hypercall (xen_version)", "events", 1, 84, barriers=0),
    event("hypercall not implemented", "events", 2),
    event("PSCI_VERSION", "events", 3, 100),
    event("vpl011 FR read", "events", 4, 150),
    event("vpl011 IMSC write", "events", 5),
    event("GICD_TYPER read", "events", 6, 150),
    event("GICD_ISENABLER write", "events", 7),
    event("timer interrupt to the running guest", "events", 8, 110, exact=True),
    event("SGI to itself", "events", 9, 180),
    event("SGI to another running vCPU, both sides", "pair", 20, 400),
    event("SGI to another waiting vCPU, both sides", "pair", 21),
    event("WFI until the timer", "events", 10, 110),
    event("first touch of a page", "events", 11),
    event("yield, nobody else there", "events", 12),
    switch("yield to another domain's vCPU, with FP", 31, 500, ec=0x16),
    switch("WFI to another domain's vCPU, with FP", 30, 500, ec=0x01),
    switch("timer brings the waiting domain's vCPU back", 30, vec=9),
] + boot_rows() + [
    masked_row("storm1", "1 CPU"),
    masked_row("storm2", "2 CPUs"),
]


def size_rows(sizes, peer_image):
    """The sizes, as entries: (event, unit, ours, peer)."""
    with open(sizes, encoding="ascii") as stream:
        ours = json.load(stream)
    names = (("code_lines", "lines of code", "lines"), ("image_bytes", "image", "bytes"), ("text", "text", "bytes"),
             ("data", "data", "bytes"), ("bss", "bss", "bytes"), ("kept_bytes", "memory kept from guests (demo)", "bytes"))
    return [(label, unit, ours.get(key), os.stat(peer_image).st_size if key == "image_bytes" and peer_image else None)
            for key, label, unit in names]
