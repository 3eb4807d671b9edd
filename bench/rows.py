"""What is measured: the systems, and the table's rows with their goals."""
import collections
import json
import os
import struct

from machines import Domain, kernel_path
from report import Figures, spread

UNIT = "EL2 instructions"
MIB = 1 << 20
BOTH = ("ours", "peer")

# plugin: options of elmeter. bootargs: the peer's. sides: who runs it. chosen: properties of /chosen that only our side knows.
System = collections.namedtuple("System", "name domains cpus mem plugin bootargs sides chosen",
                                defaults=(1, 512, (), "", BOTH, ""))


def boot(name, kernel, count, mib, mem=512, ours="", sides=BOTH):
    """ours: properties of the domains that only our side knows."""
    return System("boot-" + name, [Domain(kernel, mib, ours=ours)] * count, mem=mem,
                  plugin=["first=%d" % count, "guest=off"], sides=sides)


def boot_clean(name, kernel, mib, mem=512, ours=""):
    """Nothing is scrubbed."""
    return boot(name, kernel, 1, mib, mem, ours, ("ours",))._replace(chosen="bulkhead,clean-memory;")


def link(name, first, second, window, first_args="", second_args=""):
    """Two domains with a channel and shared memory."""
    def end(number):
        return ('xen,enhanced = "no-xenstore"; end%d: channel { compatible = "xen,evtchn-v1"; xen,evtchn = <10 &end%d>; }; '
                'shm { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "link"; '
                'xen,shared-mem = <0 0x50000000 0 %d>; };' % (number, 3 - number, window))
    return System(name, [Domain(first, cpu=(0,), ours=end(1), args=first_args),
                         Domain(second, cpu=(1,), ours=end(2), args=second_args)], cpus=2, sides=("ours",))


def grants(name, first, second):
    """Two domains that may share, of which the first grants. The peer's usual policy, SILO, forbids it to two plain ones."""
    more = 'xen,enhanced = "no-xenstore"; '
    return System(name, [Domain(first, cpu=(0,), ours=more + "bulkhead,share-with = <&{/chosen/dom2}>;"),
                         Domain(second, cpu=(1,), ours=more)], cpus=2, bootargs="xsm=dummy")


def storm(name, cpus):
    """Interference: on one CPU all of it, on two a share for each, and messages between them."""
    last = cpus - 1
    often = 'bulkhead,restart-limit = <10000>; bulkhead,on-crash = "restart";'
    domains = [Domain("tick.bin", cpu=(0,)), Domain("hammer.bin", cpus=2, cpu=(last, 0)),
               Domain("hammer.bin", cpus=2, cpu=(0, last)), Domain("resetter.bin", mib=4, cpu=(last,), ours=often)]
    return System(name, domains, cpus=cpus, plugin=["guest=off"], sides=("ours",))


def lives(name, cpus):
    """A control domain that makes and destroys others all the time."""
    last = cpus - 1
    domains = [Domain("tick.bin", cpu=(0,)), Domain("making.bin", mib=32, cpu=(last,), args="storm=1", control=True)]
    return System(name, domains, cpus=cpus, plugin=["guest=off"], sides=("ours",))


def frames(name):
    """A control domain that sets the schedule of its pool."""
    domain = Domain("making.bin", mib=32, args="frames=1", control=True, ours="bulkhead,windows = <0 1000>;")
    return System(name, [domain], plugin=["guest=off"], sides=("ours",),
                  chosen='bulkhead,scheduler = "arinc653"; bulkhead,major-frame-us = <1000>;')


SYSTEMS = [
    System("events", [Domain("events.bin", ours='xen,enhanced = "no-xenstore";')]),
    # The peer at its best where a vCPU has a CPU for itself.
    System("alone", [Domain("events.bin")], bootargs="sched=null vwfi=native", sides=("peer",)),
    System("pair", [Domain("pair.bin", cpus=2)], cpus=2),
    link("post", "poster.bin", "taker.bin", 4096),
    link("ring", "link.bin", "link.bin", 65536, "port=10 self=1 peer=2 first=1 bench=1", "port=10 self=2 peer=1 bench=1"),
    grants("grant", "granter.bin", "grantee.bin"),
    # With its usual rate limit of 1 ms the peer would only take longer to come to a switch.
    System("switch", [Domain("sleeper.bin", cpu=(0,)), Domain("spinner.bin", cpu=(0,))], plugin=["guest=off"],
           bootargs="sched_ratelimit_us=0"),
    System("yield", [Domain("yielder.bin", cpu=(0,))] * 2, plugin=["guest=off"], bootargs="sched_ratelimit_us=0"),
    System("making", [Domain("making.bin", mib=32, control=True)], mem=1024, plugin=["guest=off"]),
    boot("tiny1", "tiny.bin", 1, 16),
    boot("tiny2", "tiny.bin", 2, 16),
    boot("tiny4", "tiny.bin", 4, 16),
    boot("tiny144", "tiny.bin", 1, 144),
    boot("tiny64", "tiny.bin", 1, 64, mem=1024),
    boot("linux1", "linux.Image", 1, 64, mem=1024),
    boot("linux2", "linux.Image", 2, 64, mem=1024),
    boot("linux4", "linux.Image", 4, 64, mem=1024),
    boot_clean("clean16", "tiny.bin", 16),
    boot_clean("clean144", "tiny.bin", 144),
    boot_clean("clean64", "tiny.bin", 64, mem=1024),
    boot_clean("place64", "linux.Image", 64, mem=1024, ours='bulkhead,on-reset = "stop";'),
    storm("storm1", 1),
    storm("storm2", 2),
    lives("lives1", 1),
    lives("lives2", 2),
    frames("frames"),
]

# take: a function of the reports of one side, by the system's name. phase: what bench-profile looks at in which system.
# kernel: the figure depends on Debian's kernel.
Row = collections.namedtuple("Row", "event unit take goal exact barriers phase kernel",
                             defaults=(None, False, None, None, False))


def event(name, system, phase, goal=None, exact=False, barriers=None):
    """exact: the least and the most must be the same. barriers: at most so many."""
    return Row(name, UNIT, lambda r: r[system].sample(phase), goal, exact, barriers, (system, phase))


def alone(name, phase, goal=None):
    """An event for which the peer is told that nobody else needs the CPU."""
    return Row(name, UNIT, lambda r: r["alone" if "alone" in r else "events"].sample(phase), goal, phase=("events", phase))


def switch(name, system, phase, goal=None, **wanted):
    return Row(name, UNIT, lambda r: r[system].switch(phase, **wanted), goal, phase=(system, phase))


def one(value):
    return Figures(value, value, value)


def per_mib(r, large, small, size):
    """What a boot with `size` bytes more costs more, for each MiB of them."""
    return one((r["boot-" + large].firsts[0] - r["boot-" + small].firsts[0]) * MIB // size)


def ram(r):
    return per_mib(r, "tiny144", "tiny1", 128 * MIB).max


def kernel_size():
    return os.stat(kernel_path("linux.Image")).st_size


def boot_rows():
    rows = []
    for kernel, label in (("tiny", "tiny image"), ("linux", "37 MB kernel")):
        for count in (1, 2, 4):
            name = "boot-%s%d" % (kernel, count)
            what = "%s, %d domain%s" % (label, count, "s" if count > 1 else "")
            rows.append(Row("boot to the first guest, " + what, UNIT, lambda r, n=name: one(r[n].firsts[0]), phase=(name, 0),
                            kernel=kernel == "linux"))
            if count > 1:
                rows.append(Row("boot to all guests, " + what, UNIT, lambda r, n=name: one(r[n].firsts[-1]),
                                kernel=kernel == "linux"))
    return rows + [
        Row("boot to the first guest, tiny image, scrubbing apart", UNIT,
            lambda r: one(r["boot-tiny1"].firsts[0] - 16 * ram(r)), 700000),
        Row("each further tiny domain, scrubbing apart", UNIT,
            lambda r: one((r["boot-tiny4"].firsts[-1] - r["boot-tiny1"].firsts[0]) // 3 - 16 * ram(r)), 80000),
        Row("each MiB of guest RAM, scrubbed", UNIT, lambda r: per_mib(r, "tiny144", "tiny1", 128 * MIB), 55000),
        Row("each MiB of guest RAM, vouched clean", UNIT, lambda r: per_mib(r, "clean144", "clean16", 128 * MIB), 1000),
        Row("each MiB of kernel image, copied", UNIT, lambda r: per_mib(r, "linux1", "tiny64", kernel_size()), 135000,
            kernel=True),
        Row("each MiB of kernel image, in place", UNIT, lambda r: per_mib(r, "place64", "clean64", kernel_size()), 45000,
            kernel=True),
    ]


def masked(name, label):
    return Row("longest stretch with interrupts masked, " + label, UNIT,
               lambda r: one(max(c.max for c in r[name].masked)), 4000)


def destroyed(r):
    """A domain of 320 MiB less one of 64 MiB, four times."""
    return one(4 * (r["making"].sample(92).median - r["making"].sample(91).median))


def late(name, label):
    """The guest's own words: from the deadline to the code after its handler, in ticks of 16 ns, and 1 ns is 1 instruction."""
    return Row("1 kHz tick under interference is late by, " + label, "instructions of all levels",
               lambda r: spread([16 * ticks for ticks in r[name].logged]))


def ring(r):
    """The reader's own words: ticks of 16 ns for 1 MiB; 1 ns is 1 instruction, of either side."""
    return one(16 * r["ring"].logged[0] // 1024)


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
    alone("WFI until the timer, null scheduler", 10, 110),
    event("WFI until the timer, scheduler as it comes", "events", 10),
    event("first touch of a page", "events", 11),
    event("event-channel send to itself, delivered", "events", 13),
    event("event-channel send to another domain's running vCPU, both sides", "post", 50, 400),
    event("event-channel send to another domain's waiting vCPU, both sides", "post", 51),
    event("grant map and unmap of a page", "grant", 60, 1200),
    event("grant copy of 4 KiB", "grant", 61),
    event("grant copy of 4 KiB, beyond the copy itself", "grant", 62, 1500),
    event("yield, nobody else there", "events", 12),
    switch("yield to another domain's vCPU, with FP", "yield", 31, 500, ec=0x16),
    switch("WFI to another domain's vCPU, with FP", "switch", 30, 500, ec=0x01),
    switch("timer brings the waiting domain's vCPU back, with FP", "switch", 30, vec=9),
] + boot_rows() + [
    event("domctl getdomaininfo", "making", 93, 712),
    event("domain of 64 MiB made, createdomain to its first instruction", "making", 90, 3440000),
    event("another domain's page mapped and unmapped by the control domain", "making", 94),
    Row("GiB of a destroyed domain, until it is clean and free", UNIT, destroyed, 114000000, phase=("making", 92)),
    masked("storm1", "1 CPU"),
    masked("storm2", "2 CPUs"),
    masked("lives1", "while domains are made and destroyed, 1 CPU"),
    masked("lives2", "while domains are made and destroyed, 2 CPUs"),
    masked("frames", "while a schedule of 64 windows is set and read"),
    late("storm1", "1 CPU"),
    Row("KiB over a link's ring in messages of 240 bytes, both sides", "instructions of all levels", ring),
]


def image_in_memory(path):
    """With bss, as an arm64 Image says it."""
    with open(path, "rb") as stream:
        return struct.unpack_from("<Q", stream.read(24), 16)[0]


def size_rows(sizes, ours_image, peer_image):
    """The sizes, as entries: (event, unit, ours, peer). Debian's package of the peer tells no more than its image does."""
    with open(sizes, encoding="ascii") as stream:
        ours = json.load(stream)
    return [("lines of code", "lines", ours["code_lines"], None),
            ("text", "bytes", ours["text"], None),
            ("data", "bytes", ours["data"], None),
            ("bss", "bytes", ours["bss"], image_in_memory(peer_image) - os.stat(peer_image).st_size),
            ("image (text and data)", "bytes", ours["image_bytes"], os.stat(peer_image).st_size),
            ("image in memory", "bytes", image_in_memory(ours_image), image_in_memory(peer_image)),
            ("memory kept from guests (demo)", "bytes", ours["kept_bytes"], None)]
