#!/usr/bin/python3
"""Systems that bulkhead-image must refuse, with the exact sentences; and damaged blobs, wrong usage, good systems.

usage: run.py [--tool PROGRAM] [NAME...]

Each NAME.dts beside this file is a system for board.dts; NAME.expect holds what `bulkhead-image --check` says of it, but
for its last line. The last line printed is `N passed, N failed`.
[test->req~all-faults-told~1] [test->req~unknown-refused~1] [test->req~nothing-shared~1] [test->req~host-registers~1]
[test->req~static-channels~1] [test->req~spare-domains~1] [test->req~templates~1]
"""
import argparse
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BOARD = os.path.join(HERE, "board.dts")
BOARD_R = os.path.join(ROOT, "systems", "boards", "mps3-an536.dts")
PAGE = 4096
WHOLE = "a flattened device tree that is whole"


class Runner:
    def __init__(self, tool, directory, names):
        self.tool = tool
        self.directory = directory
        self.names = names
        self.passed = 0
        self.failed = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, data):
        with open(self.path(name), "wb" if isinstance(data, bytes) else "w") as file:
            file.write(data)
        return self.path(name)

    def run(self, *arguments):
        done = subprocess.run([self.tool, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")

    def check(self, system, board=BOARD):
        """(exit status, what it says without its last line, the last line)"""
        status, _, said = self.run("--check", "--board", board, "--system", system)
        lines = said.splitlines()
        return status, lines[:-1], lines[-1] if lines else ""

    def wanted(self, name):
        return not self.names or name in self.names

    def result(self, name, problem):
        if problem:
            self.failed += 1
            print(f"FAIL {name}: {problem}")
        else:
            self.passed += 1

    def equal(self, name, found, expected):
        """One test: what was found is what was expected."""
        if found == expected:
            self.result(name, None)
        else:
            self.result(name, f"\n  found    {found!r}\n  expected {expected!r}")


def compiled(source):
    done = subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-"], input=source.encode(), stdout=subprocess.PIPE,
                          check=True)
    return done.stdout


def bad_systems(r):
    for file in sorted(os.listdir(HERE)):
        name, end = os.path.splitext(file)
        if end != ".dts" or name == "board" or not r.wanted(name):
            continue
        with open(os.path.join(HERE, name + ".expect"), encoding="ascii") as expect:
            lines = expect.read().splitlines()
        status, said, last = r.check(os.path.join(HERE, file))
        count = sum(1 for line in lines if not line.startswith("note: "))
        summary = f"bulkhead-image: {os.path.join(HERE, file)}: {count} fault{'' if count == 1 else 's'}"
        r.equal(name, (status, said, last), (1, lines, summary))


def large_systems(r):
    """Those that are too long to read as files."""
    def domain(name, at, more=""):
        return (f'{name} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; '
                f'cpus = <1>; kernel {{ compatible = "multiboot,kernel", "multiboot,module"; '
                f'reg = <0 {at:#x} 0x1000>; {more} }}; }};')

    def judge(name, domains, expected):
        path = r.write(name + ".dts", "/dts-v1/; / { chosen { " + domains + " }; };")
        if r.wanted(name):
            r.equal(name, r.check(path), (1, [expected], f"bulkhead-image: {path}: 1 fault"))

    judge("bootargs-long", domain("domU1", 0x48000000, 'bootargs = "' + "x" * 2048 + '";'),
          "/chosen/domU1/kernel: bootargs: found 2049, expected at most 2048 bytes with the NUL")
    judge("domain-too-many", "".join(domain(f"d{i}", 0x48000000 + (i << 12)) for i in range(33)),
          "/chosen/d32: compatible: found one more domain, expected at most 32")
    ranges = ", ".join(f"<0 {0x50000000 + (i << 13):#x} 0 0x1000>" for i in range(63))
    path = r.write("reserved-many.dts", "/dts-v1/; / { reserved-memory { holes { reg = " + ranges + "; }; }; chosen { " +
                   domain("domU1", 0x48000000) + " }; };")
    judge("chosen-long", "xen," + "y" * 200 + ' = "' + "z" * 5000 + '"; ' + domain("domU1", 0x48000000),
          f'/chosen: xen,{"y" * 60}: found "{"z" * 64}...", expected no property of this name here')
    for name, nr_cpus, nr_pools, expected in (
            ("pools-many", 17, 17, "/chosen/p16: compatible: found one more cpupool, expected at most 16"),
            ("pools-rest", 17, 16, "/chosen/p15: compatible: found one more cpupool, expected at most 15 if there are CPUs in "
                                   "none of them, which are one, too")):
        cpus = "".join(f'cpu@{i:x} {{ device_type = "cpu"; reg = <{i}>; enable-method = "psci"; '
                       f'phandle = <{0x5000 + i:#x}>; }}; '
                       for i in range(nr_cpus))
        pools = "".join(f'p{i} {{ compatible = "xen,cpupool"; cpupool-cpus = <{0x5000 + i:#x}>; }}; ' for i in range(nr_pools))
        crowd = r.write(name + ".dts", "/dts-v1/; / { cpus { " + cpus + "}; chosen { " + pools + domain("domU1", 0x48000000) +
                        " }; };")
        if r.wanted(name):
            r.equal(name, r.check(crowd), (1, [expected], f"bulkhead-image: {crowd}: 1 fault"))
    minors = "bulkhead,windows = " + ", ".join(f"<{i * 10} 10>" for i in range(65)) + ";"
    judge("windows-many", 'bulkhead,scheduler = "arinc653"; bulkhead,major-frame-us = <1000>; ' +
          domain("a", 0x48000000).replace("cpus = <1>;", "cpus = <1>; " + minors +
                                          ' v { compatible = "xen,vcpu"; id = <0>; hard-affinity = "0"; };', 1),
          "/chosen/a: bulkhead,windows: found one more, expected at most 64 of a CPU, 128 in all")
    if r.wanted("reserved-many"):
        r.equal("reserved-many", r.check(path),
                (1, ["/reserved-memory/holes: reg: found one more, expected at most 64 ranges in all"],
                 f"bulkhead-image: {path}: 1 fault"))


def words(blob):
    return list(struct.unpack(">10I", blob[:40]))


def with_header(blob, index, value):
    header = words(blob)
    header[index] = value
    return struct.pack(">10I", *header) + blob[40:]


def damaged(good):
    """name: (blob, what is found, what is expected)"""
    total, structure, strings, reserve = (words(good)[i] for i in (1, 2, 3, 4))
    nodes = "".join(f"n{i:x} {{ }};" for i in range(2048))
    properties = "".join(f"n{i:x} {{ {''.join(f'p{k}; ' for k in range(64))} }};" for i in range(129))
    deep = "/dts-v1/; / {" + "".join(f"d{i:x} {{" for i in range(32)) + "};" * 32 + "};"
    name_at = good.index(b"domU1\0")
    prop = good.index(struct.pack(">II", 3, 8), structure)  # the domain's memory, eight bytes
    return {
        "blob-cut": (good[:total - 8], "FDT_ERR_TRUNCATED", None),
        "blob-cut-in-header": (good[:30], "FDT_ERR_TRUNCATED", None),
        "blob-total-large": (with_header(good, 1, total + 4096), "FDT_ERR_TRUNCATED", None),
        "blob-total-small": (with_header(good, 1, 48), "FDT_ERR_TRUNCATED", None),
        "blob-structure-outside": (with_header(good, 2, total + 64), "FDT_ERR_TRUNCATED", None),
        "blob-strings-outside": (with_header(good, 3, total + 64), "FDT_ERR_TRUNCATED", None),
        "blob-reserve-outside": (with_header(good, 4, total + 64), "FDT_ERR_TRUNCATED", None),
        "blob-version-old": (with_header(with_header(good, 5, 16), 6, 2), "16", "version"),
        "blob-version-new": (with_header(with_header(good, 5, 99), 6, 98), "FDT_ERR_BADVERSION", None),
        "blob-tag": (good[:structure] + struct.pack(">I", 7) + good[structure + 4:], "FDT_ERR_BADSTRUCTURE", None),
        "blob-no-end": (with_header(good, 9, words(good)[9] - 4), "FDT_ERR_TRUNCATED|FDT_ERR_BADSTRUCTURE", None),
        "blob-name-open": (good[:name_at] + b"x" * (total - name_at), "FDT_ERR", None),
        "blob-length": (good[:prop + 4] + b"\x7f\xff\xff\xff" + good[prop + 8:], "FDT_ERR_BADSTRUCTURE", None),
        "blob-name-offset": (good[:prop + 8] + b"\0\1\0\0" + good[prop + 12:],
                             "FDT_ERR_BADSTRUCTURE|FDT_ERR_BADOFFSET", None),
        "blob-strings-empty": (with_header(good, 8, 0), "FDT_ERR_BADSTRUCTURE|FDT_ERR_BADOFFSET", None),
        "blob-nodes": (compiled(f"/dts-v1/; / {{ {nodes} }};"), "more", "nodes: at most 2048"),
        "blob-properties": (compiled(f"/dts-v1/; / {{ {properties} }};"), "more", "properties: at most 8192"),
        "blob-deep": (compiled(deep), "more", "levels: at most 32"),
        "blob-reserve-open": (good[:reserve] + b"\1" * (strings - reserve) + good[strings:], "FDT_ERR", None),
    }


def bad_blobs(r, good):
    for name, (blob, found, expected) in damaged(good).items():
        if not r.wanted(name):
            continue
        path = r.write(name + ".dtb", blob)
        status, said, last = r.check(path)
        if expected is None:
            starts = [f"device tree: blob: found {word}" for word in found.split("|")]
            ends = f", expected {WHOLE}"
        elif expected == "version":
            starts, ends = ["device tree: version: found 16"], ", expected 17 or later"
        else:
            what, _, limit = expected.partition(": ")
            starts, ends = [f"device tree: {what}: found {found}"], f", expected {limit}"
        if status != 1 or len(said) < 1 or not any(said[0].startswith(s) for s in starts) or \
                not said[0].endswith(ends) or last != f"bulkhead-image: {path}: 1 fault":
            r.result(name, f"status {status}, said {said} {last}")
        else:
            r.result(name, None)


def arm64_image(extra=0, image_bytes=0x10000, text_offset=0):
    header = struct.pack("<IIQQQQQQII", 0x14000008, 0, text_offset, image_bytes, 0xA, 0, 0, 0, 0x644D5241, 0)
    return header + bytes(extra)


def hypervisor(own_bytes=0x9100, payload=0):
    return arm64_image() + struct.pack("<QQ", own_bytes, payload) + b"H" * 0x2000


def domain(name, files):
    kinds = {"kernel": "multiboot,kernel", "ramdisk": "multiboot,ramdisk"}
    nodes = "".join(f'{kind} {{ compatible = "{kinds[kind]}", "multiboot,module"; data = /incbin/("{file}"); }};'
                    for kind, file in files.items())
    return (f'{name} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x4000>; '
            f'cpus = <1>; {nodes} }};')


def good_system(r):
    return "/dts-v1/; / { chosen { " + domain("domU1", {"kernel": "k.bin", "ramdisk": "r.bin"}) + \
        domain("domU2", {"kernel": "k.bin"}) + " }; };"


def image(r):
    """The one file: its layout, each module once, the tree in it good."""
    kernel, ramdisk = arm64_image(5000), b"ramdisk" * 100
    r.write("k.bin", kernel)
    r.write("r.bin", ramdisk)
    system = r.write("good.dts", good_system(r))
    program = r.write("bulkhead.bin", hypervisor())
    out = r.path("image.bin")
    status, said, errors = r.run("-b", BOARD, "-s", system, "-x", program, "-i", r.directory, "-o", out)
    r.equal("image-made", (status, said, errors), (0, "", ""))
    if status != 0:
        return
    with open(out, "rb") as file:
        data = file.read()
    own = 0xA000
    magic, version, _, total, tree_at, tree_bytes, modules_at, modules_bytes = struct.unpack_from("<QIIQQQQQ", data, own)
    r.equal("image-header", (struct.unpack_from("<Q", data, 16)[0], struct.unpack_from("<QQ", data, 0x40)),
            (len(data), (0x9100, own)))
    r.equal("image-payload", (magic.to_bytes(8, "little"), version, total, tree_at, modules_at % PAGE),
            (b"BULKHEAD", 1, len(data) - own, PAGE, 0))
    r.equal("image-hypervisor", data[0x50:0x1000], hypervisor()[0x50:0x1000])
    modules = data[own + modules_at:]
    r.equal("image-modules", (len(modules), modules_bytes, modules[:len(kernel)], modules[2 * PAGE:][:len(ramdisk)]),
            (3 * PAGE, 3 * PAGE, kernel, ramdisk))
    tree = data[own + tree_at:][:tree_bytes]
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", "-"], input=tree, stdout=subprocess.PIPE,
                          check=True).stdout.decode()
    place = f"bulkhead,image-offset = <0x00 {modules_at:#x}>;"
    r.equal("image-tree", (text.count(place), text.count("data ="), text.count('stdout-path = "serial0:115200n8"')),
            (2, 0, 1))
    r.equal("image-again", r.run("-b", BOARD, "-s", system, "-x", out, "-i", r.directory, "-o", out + "2"),
            (1, "", f"bulkhead-image: {out}: has a payload already, expected the plain bulkhead.bin\n"))


def zimage(r):
    """A 32-bit port's hypervisor: the file is as long as its header says, and lies where it is linked. The port's tool judges,
    whichever was started. [test->req~mps3-an536~1]"""
    program = bytearray(hypervisor())
    program[0x38:0x3C] = bytes(4)
    struct.pack_into("<III", program, 0x24, 0x016F2818, 0x28000000, 0x28009100)
    kernel = bytearray(5000)
    struct.pack_into("<III", kernel, 0x24, 0x016F2818, 0, len(kernel))
    r.write("k32.bin", bytes(kernel))
    path, out = r.write("zimage.bin", bytes(program)), r.path("zimage.img")

    def system(at):
        own = ("cpus = <1>; direct-map; #xen,static-mem-address-cells = <1>; #xen,static-mem-size-cells = <1>; "
               f"xen,static-mem = <{at:#x} 0x1000000>;")
        return r.write(f"at-{at:x}.dts", "/dts-v1/; / { chosen { " +
                       domain("domU1", {"kernel": "k32.bin"}).replace("cpus = <1>;", own, 1) + " }; };")
    words = ("-b", BOARD_R, "-x", path, "-i", r.directory)
    r.equal("zimage-made", r.run(*words, "-s", system(0x30000000), "-o", out), (0, "", ""))
    with open(out, "rb") as file:
        data = file.read()
    r.equal("zimage-header", struct.unpack_from("<III", data, 0x24), (0x016F2818, 0x28000000, 0x28000000 + len(data)))
    r.equal("zimage-payload", (data[16:24], struct.unpack_from("<QQ", data, 0x40)),
            (bytes(program[16:24]), (0x9100, 0xA000)))
    said = r.run(*words, "-s", system(0x28000000), "-o", out)[2]
    r.equal("zimage-place", "expected memory that the hypervisor's image leaves free" in said, True)
    said = r.run("-c", *words, "-s", system(0x30000000))[1]
    r.equal("zimage-told", said.splitlines()[1], "  host: 512 MiB, CPUs 2, console CMSDK, scheduler null")
    r.equal("port-told", r.run("-c", "-p", "armv8r", "-b", BOARD_R, "-s", system(0x30000000), "-i", r.directory), (0, said, ""))
    r.equal("port-unknown", r.run("-c", "-p", "z80", "-b", BOARD_R, "-s", system(0x30000000))[2].split(", ")[0],
            "bulkhead-image: the port z80 has a tool of its own")


def in_place(r):
    """Kernels that are needed once lie at whole blocks, others do not. [test->req~kernel-in-place~1]"""
    block, stop = 2 << 20, 'bulkhead,on-reset = "stop";'
    words = {"once": stop, "again": "", "crash": stop + 'bulkhead,on-crash = "restart";',
             "dog": stop + "bulkhead,watchdog-ms = <0>;"}
    kernels = {name: arm64_image(block, block + 0x100000) + name.encode() for name in words}
    nodes = ""
    for name, more in words.items():
        r.write(name + ".bin", kernels[name])
        nodes += (f'{name} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x8000>; '
                  f'cpus = <1>; {more} kernel {{ compatible = "multiboot,kernel", "multiboot,module"; '
                  f'data = /incbin/("{name}.bin"); }}; }}; ')
    system = r.write("place.dts", "/dts-v1/; / { chosen { " + nodes + "}; };")
    program = r.write("bulkhead.bin", hypervisor())
    out = r.path("place.bin")
    made = r.run("-b", BOARD, "-s", system, "-x", program, "-i", r.directory, "-o", out)
    r.equal("place-made", made, (0, "", ""))
    if made[0] != 0:
        return
    with open(out, "rb") as file:
        data = file.read()
    for name, kernel in kernels.items():
        r.equal("place-" + name, data.find(kernel) % block == 0, name == "once")


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def digests(r):
    """Which digest the tool writes, and that one in the source is kept. [test->req~module-digest~1]"""
    kernel, ramdisk = arm64_image(5000), b"ramdisk" * 100
    sha = hashlib.sha256(ramdisk).hexdigest()
    own = (f'domU3 {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x4000>; '
           f'cpus = <1>; kernel {{ compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("k.bin"); '
           f'bulkhead,crc32c = <{crc32c(kernel)}>; }}; '
           f'ramdisk {{ compatible = "multiboot,ramdisk", "multiboot,module"; data = /incbin/("r.bin"); '
           f'bulkhead,sha256 = [{sha}]; }}; }};')
    system = r.write("digests.dts", good_system(r).replace("chosen {", "chosen { " + own))
    out = r.path("digests.bin")

    def written(*options):
        made = r.run("-b", BOARD, "-s", system, "-x", r.path("bulkhead.bin"), "-i", r.directory, "-o", out, *options)
        with open(out, "rb") as file:
            data = file.read()[0xA000 + PAGE:]
        text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", "-"], input=data[:words(data)[1]],
                              stdout=subprocess.PIPE, check=True).stdout.decode()
        crc = [text.count(f"bulkhead,crc32c = <{crc32c(what):#010x}>;") for what in (kernel, ramdisk)]
        cells = " ".join(f"0x{hashlib.sha256(ramdisk).hexdigest()[i:i + 8]}" for i in range(0, 64, 8))
        return made, crc, text.count("bulkhead,sha256"), text.replace("<0x0", "<0x").count(cells[:40]) > 0

    r.equal("digest-crc32c", written(), ((0, "", ""), [3, 1], 1, True))
    r.equal("digest-sha256", written("-d", "sha256"), ((0, "", ""), [1, 0], 4, True))
    r.equal("digest-none", written("--digest", "none"), ((0, "", ""), [1, 0], 1, True))
    r.equal("digest-unknown", r.run("--digest", "md5")[2].partition("\n")[0],
            "bulkhead-image: --digest is crc32c, sha256 or none")


def partial(r):
    """With a partial boot the sound domains are good, the others listed. [test->req~partial-boot~1]"""
    def unit(name, at, more="", cpus=1, mem=0x1000):
        return (f'{name} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 {mem:#x}>; '
                f'cpus = <{cpus}>; {more} kernel {{ compatible = "multiboot,kernel", "multiboot,module"; '
                f'reg = <0 {at:#x} 0x1000>; }}; }};')

    def judge(name, chosen, status, told, listed):
        path = r.write(name + ".dts", "/dts-v1/; / { chosen { bulkhead,partial-boot; " + chosen + " }; };")
        plural = "" if len(told) == 1 else "s"
        told = told + [f"bulkhead-image: {path}: {len(told)} fault{plural}"]
        found = r.run("--check", "--board", BOARD, "--system", path)
        r.equal(name, (found[0], found[1].splitlines()[2:], found[2].splitlines()), (status, listed, told))

    sound = "  {}: vCPUs 1, 4096 KiB, kernel 4096 bytes, ramdisk 0 bytes"
    unsound = "  {}: not started, its configuration is unsound"
    judge("partial-own", unit("a", 0x48000000) + unit("b", 0x49000000, cpus=0) + unit("c", 0x4A000000), 0,
          ["/chosen/b: cpus: found 0, expected 1 to 128"], [sound.format("a"), unsound.format("b"), sound.format("c")])
    judge("partial-shared", unit("a", 0x48000000) + unit("b", 0x48000000) + unit("c", 0x4A000000), 0,
          ["/chosen/b/kernel: reg: found 0x48000000 to 0x48000fff, expected a range that /chosen/a/kernel (module) does "
           "not have"],
          [unsound.format("a"), unsound.format("b"), sound.format("c")])
    judge("partial-memory", unit("a", 0x48000000, "nr_spis = <999>;", mem=0xC0000) + unit("b", 0x49000000, mem=0x80000) +
          unit("c", 0x4A000000, mem=0x80000) + unit("d", 0x4B000000), 0,
          ["/chosen/a: nr_spis: found 999, expected 0 to 988",
           "/chosen/c: memory: found 524288, expected at most 506472, the KiB that the host has left"],
          [unsound.format("a"), sound.format("b").replace("4096 KiB", "524288 KiB"), unsound.format("c"), sound.format("d")])
    judge("partial-cpus", 'bulkhead,scheduler = "null"; ' + unit("a", 0x48000000) + unit("b", 0x49000000, cpus=4) +
          unit("c", 0x4A000000), 0,
          ["/chosen/b: cpus: found 4, expected a CPU of its cpupool for each vCPU, or another scheduler than null"],
          [sound.format("a"), unsound.format("b"), sound.format("c")])
    judge("partial-kernel", unit("a", 0x48000000) +
          'b { compatible = "xen,domain"; memory = <0 0x1000>; cpus = <1>; k { compatible = "multiboot,kernel", '
          '"multiboot,module"; data = "no kernel"; }; };', 0,
          ["/chosen/b/k: kernel: found an unknown format, expected an arm64 Image, a gzip of one, a zImage, a uImage or an ELF "
           "file"],
          [sound.format("a"), unsound.format("b")])
    judge("partial-none", unit("a", 0x48000000, cpus=0), 1, ["/chosen/a: cpus: found 0, expected 1 to 128"], [])
    judge("partial-chosen", 'bulkhead,on-panic = "x"; ' + unit("a", 0x48000000), 1,
          ['/chosen: bulkhead,on-panic: found "x", expected halt, reboot or park'], [])


def usage(r, good):
    def first(*arguments):
        status, said, errors = r.run(*arguments)
        return status, said, errors.partition("\n")[0]

    none = r.path("none.dtb")
    text = r.write("text", "no tree\n")
    broken = r.write("broken.dts", "/dts-v1/; / { chosen { };\n")
    tree = r.write("tree.dtb", good)
    foreign = r.write("foreign.bin", arm64_image(4096))
    tests = {
        "usage-none": ((), (2, "", "bulkhead-image: --board and --system are needed")),
        "usage-option": (("--bored",), (2, "", f"{r.tool}: unrecognized option '--bored'")),
        "usage-no-output": (("-b", BOARD, "-s", tree, "-x", tree), (2, "", "bulkhead-image: -o FILE is needed")),
        "usage-no-hypervisor": (("-b", BOARD, "-s", tree, "-o", none),
                                (2, "", "bulkhead-image: --hypervisor is needed")),
        "usage-check-output": (("-c", "-b", BOARD, "-s", tree, "-o", none),
                               (2, "", "bulkhead-image: --check writes nothing: no --merge, no -o")),
        "file-missing": (("-c", "-b", BOARD, "-s", none), (1, "", f"bulkhead-image: {none}: No such file or directory")),
        "file-no-tree": (("-c", "-b", BOARD, "-s", text),
                         (1, "", f"bulkhead-image: {text}: neither a device-tree blob nor named *.dts")),
        "file-foreign": (("-b", BOARD, "-s", tree, "-x", foreign, "-o", none),
                         (1, "", f"bulkhead-image: {foreign}: says it takes 0 bytes, expected 4160 or more: is it Bulkhead?")),
        "file-no-image": (("-b", BOARD, "-s", tree, "-x", text, "-o", none),
                          (1, "", f"bulkhead-image: {text}: neither an arm64 Image nor an Arm zImage")),
        "file-no-folder": (("-m", "-b", BOARD, "-s", tree, "-o", r.path("no/folder")),
                           (1, "", f"bulkhead-image: {r.path('no/folder')}: No such file or directory")),
    }
    for name, (arguments, expected) in tests.items():
        if r.wanted(name):
            r.equal(name, first(*arguments), expected)
    status, said, errors = r.run("-c", "-b", BOARD, "-s", broken)
    r.equal("source-broken", (status, said, errors.splitlines()[-1]),
            (1, "", f"bulkhead-image: {broken}: dtc cannot compile it"))
    status, said, errors = r.run("--help")
    r.equal("usage-help", (status, said.startswith("usage: bulkhead-image"), errors), (0, True, ""))


def good_trees(r, good):
    """What must be accepted: systems with `reg`, checked, merged and checked again."""
    tree = r.write("tree.dtb", good)
    expected = (f"{tree} on {BOARD}: good\n  host: 1024 MiB, CPUs 4, console PL011, scheduler null\n"
                "  domU1: vCPUs 1, 65536 KiB, kernel 1048576 bytes, ramdisk 0 bytes\n")
    r.equal("good-check", r.run("-c", "-b", BOARD, "-s", tree), (0, expected, ""))
    merged = r.path("merged.dtb")
    r.equal("good-merge", r.run("-m", "-b", BOARD, "-s", tree, "-o", merged), (0, "", ""))
    log = r.write("log.dts", "/dts-v1/; / { reserved-memory { log@50000000 { compatible = \"bulkhead,log\"; "
                  "reg = <0 0x50000000 0 0x10000>; }; }; };")
    r.equal("good-log", r.run("-m", "-b", merged, "-s", log, "-o", r.path("log.dtb")), (0, "", ""))
    text = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", r.path("log.dtb")], stdout=subprocess.PIPE,
                          check=True).stdout.decode().partition("reserved-memory {")[2].partition("};\n\t};")[0]
    r.equal("good-log-merged", ("firmware@7f000000" in text, "log@50000000" in text, text.count("ranges")),
            (True, True, 1))
    again = r.run("-c", "-b", merged, "-s", merged)
    r.equal("good-merged", again, (0, expected.replace(f"{tree} on {BOARD}", f"{merged} on {merged}"), ""))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", default=os.path.join(ROOT, "out", "host", "bulkhead-image"))
    parser.add_argument("names", nargs="*", help="run these alone")
    options = parser.parse_args()
    good = compiled('/dts-v1/; / { chosen { domU1 { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; '
                    'memory = <0 0x10000>; cpus = <1>; kernel { compatible = "multiboot,kernel", "multiboot,module"; '
                    'reg = <0 0x48000000 0x100000>; bootargs = "quiet"; }; }; }; };')
    with tempfile.TemporaryDirectory() as directory:
        r = Runner(options.tool, directory, options.names)
        bad_systems(r)
        large_systems(r)
        bad_blobs(r, good)
        if not options.names:
            usage(r, good)
            good_trees(r, good)
            image(r)
            zimage(r)
            in_place(r)
            digests(r)
            partial(r)
    print(f"{r.passed} passed, {r.failed} failed")
    return 1 if r.failed or not r.passed else 0


if __name__ == "__main__":
    sys.exit(main())
