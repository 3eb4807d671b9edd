#!/usr/bin/python3
"""Makes the seeds of the fuzz targets, seeds.py FOLDER: trees of tests/fuzz/seeds, systems and tests/neg/config, images."""
import glob
import gzip
import os
import re
import struct
import subprocess
import sys
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BOARD = os.path.join(ROOT, "tests", "neg", "config", "board.dts")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def write(folder, target, name, data):
    os.makedirs(os.path.join(folder, target), exist_ok=True)
    with open(os.path.join(folder, target, name), "wb") as file:
        file.write(data)


def compiled(source):
    """The blob, or None where dtc finds the source wrong (an overlay of its own, a file that is not here)."""
    done = subprocess.run(["dtc", "-q", "-f", "-I", "dts", "-O", "dtb", "-"], input=source.encode(), capture_output=True,
                          check=False)
    return done.stdout if done.returncode == 0 else None


def on_board(path):
    """System and board as one tree; modules lie in RAM instead of in files."""
    place = iter(range(0x48000000, 0x50000000, 0x100000))
    text = read(path).replace("/dts-v1/;", "")
    text = re.sub(r'data = /incbin/\([^)]*\);', lambda _: f"reg = <0 {next(place):#x} 0x100000>;", text)
    return read(BOARD) + text.replace("#size-cells = <2>;", "#size-cells = <1>;")


def partial():
    """One tree that is the host's, and the partial tree of a domain in it."""
    board = read(BOARD).replace("firmware@7f000000", "spare@7e000000 { reg = <0 0x7e000000 0 0x1000>; }; firmware@7f000000")
    return board + """/ {
        soc { serial@1040000 { reg = <0x1040000 0x1000>; interrupts = <0 8 4>; }; };
        gic { #interrupt-cells = <3>; phandle = <9>; };
        passthrough { compatible = "simple-bus"; ranges; #address-cells = <1>; #size-cells = <1>;
            serial@9040000 { reg = <0x9040000 0x1000>; interrupts = <0 70 4>; interrupt-parent = <9>; bulkhead,virqs = <102>;
                xen,reg = <0x9040000 0x1000 0x9040000>; xen,path = "/soc/serial@1040000"; xen,force-assign-without-iommu; }; };
        chosen { domU1 { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; cpus = <1>;
            kernel { compatible = "multiboot,kernel", "multiboot,module"; reg = <0 0x48000000 0x1000>; };
            devices { compatible = "multiboot,device-tree", "multiboot,module"; reg = <0 0x49000000 0x2000>; }; }; }; };"""


def pools():
    """A cpupool of each kind on the board's four CPUs, all in use."""
    def domain(name, at, more):
        return (f'{name} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; {more} '
                f'kernel {{ compatible = "multiboot,kernel", "multiboot,module"; reg = <0 {at:#x} 0x1000>; }}; }}; ')
    cpus = "".join(f"cpu@{i} {{ phandle = <{i + 1}>; }}; " for i in range(4))
    return read(BOARD) + "/ { cpus { " + cpus + """}; chosen { bulkhead,partial-boot; bulkhead,scheduler = "arinc653";
        bulkhead,major-frame-us = <1000>;
        p { compatible = "xen,cpupool"; phandle = <16>; cpupool-cpus = <4 3>; cpupool-sched = "rtds"; bulkhead,admission; };
        q { compatible = "xen,cpupool"; phandle = <17>; cpupool-cpus = <2>; cpupool-sched = "null"; };
""" + domain("a", 0x48000000, "cpus = <1>; bulkhead,windows = <0 100>, <500 128>;") + \
        domain("b", 0x48100000, 'cpus = <2>; bulkhead,windows = <100 400>; v { compatible = "xen,vcpu"; id = <1>; '
                                "bulkhead,windows = <900 100>; };") + \
        domain("c", 0x48200000, "cpus = <2>; domain-cpupool = <16>; bulkhead,period-us = <1000>; bulkhead,budget-us = <500>; "
                                'v { compatible = "xen,vcpu"; id = <0>; bulkhead,budget-us = <64>; };') + \
        domain("d", 0x48300000, "cpus = <1>; domain-cpupool = <16>; bulkhead,no-extratime;") + \
        domain("e", 0x48400000, "cpus = <1>; domain-cpupool = <17>;") + "}; };"


def trees(folder):
    for path in sorted(glob.glob(os.path.join(ROOT, "systems", "*.dts")) + glob.glob(BOARD.replace("board", "*"))):
        blob = compiled(on_board(path)) if path != BOARD else None
        if blob is not None and len(blob) < 16384:
            write(folder, "plan", os.path.basename(path), blob)
    write(folder, "plan", "partial", compiled(partial()))
    write(folder, "plan", "pools", compiled(pools()))
    for path in sorted(glob.glob(os.path.join(HERE, "seeds", "*.dts"))):
        write(folder, "tree", os.path.basename(path), compiled(read(path)))


def arm64_image(body, text_offset=0, image_bytes=0):
    return struct.pack("<IIQQQQQQII", 0x14000010, 0, text_offset, image_bytes or 64 + len(body), 0xA, 0, 0, 0, 0x644D5241,
                       0) + body


def uimage(body, load, entry, compression):
    def header(crc):
        return struct.pack(">7I4B32s", 0x27051956, crc, 0, len(body), load, entry, zlib.crc32(body), 5, 22, 2, compression,
                           b"seed")
    return header(zlib.crc32(header(0))) + body


def elf(bits, parts, entry, machine=None):
    """An executable: parts are (address, bytes, size in memory)."""
    wide = bits == 64
    head = 64 if wide else 52
    each = 56 if wide else 32
    table, body, at = b"", b"", 512
    for address, data, room in parts:
        table += (struct.pack("<IIQQQQQQ", 1, 7, at + len(body), address, address, len(data), room, 8) if wide else
                  struct.pack("<IIIIIIII", 1, at + len(body), address, address, len(data), room, 7, 8))
        body += data
    kind = machine or (183 if wide else 40)
    shape = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    header = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9) + struct.pack(
        shape, 2, kind, 1, entry, head, 0, 0, head, each, len(parts), 0, 0, 0)
    return (header + table).ljust(512, b"\0") + body


def images(folder):
    """Three bytes before each: what the target does with it."""
    plain = arm64_image(bytes(range(256)) * 8)
    packed = gzip.compress(plain, mtime=0)
    for name, data in {
            "plain": plain, "offset": arm64_image(b"body" * 100, 0x80000, 0x20000), "gzip": packed, "cut": packed[:200],
            "padded": packed + bytes(5000), "uimage": uimage(plain, 0x40200000, 0x40200000, 0),
            "uimage-gzip": uimage(packed, 0x40080000, 0x40080040, 1),
            "elf-64": elf(64, [(0x40000000, b"text" * 99, 0x1000), (0x40200010, b"data", 0x40000)], 0x40000010),
            "elf-32": elf(32, [(0x40010000, b"text" * 999, 0x1000)], 0x40010001),
            "elf-far": elf(64, [(0x40000000, b"text", 4), (0x7FFFFFFFFFFF, b"data", 4)], 0x40000000),
            "large": gzip.compress(arm64_image(bytes(1 << 20)), mtime=0),
    }.items():
        write(folder, "image", name, b"\0\0\0" + data)


def payloads(folder):
    fields = [4096 * 8, 4096, 0x1000, 4096 * 2, 4096 * 6]
    body = struct.pack("<QII5Q", 0x444145484B4C5542, 1, 0, *fields)
    write(folder, "payload", "good", struct.pack("<QII5Q", 0x444145484B4C5542, 1, zlib.crc32(body), *fields))
    write(folder, "payload", "sum", body)


def number(value):
    """A word of an argument that is any number below 2^24"""
    return bytes([0xC0, 0x03]) + value.to_bytes(3, "little")


def hypercalls(folder):
    """Sequences as a guest makes them; what the bytes are says fuzz_hypercall.c."""
    here, frame, list_at, own, calm = b"\x71", b"\x40", b"\x58", b"\x80", b"\x82"  # a place, a page, words 8 and 9, domids

    def call(which, operation, words):
        words = list(words) + [b"\0"] * (10 - len(words))
        return bytes([2, 0x50 | which]) + b"".join(words) + bytes([operation, 0])

    def memory(operation):
        return call(5, operation, [list_at, b"\0", b"\1", b"\0", b"\0", b"\0", own, b"\0", frame])
    table = call(5, 7, [own, b"\1", b"\0", b"\0", b"\x60"])
    give = bytes([0, 1, 0, 0xF0, 0x7F, 16, 0, 0, 3, 0, 4, 0, 17, 0])
    port = call(0, 6, [number(0x27FF0)]) + call(0, 0, [number(2), number(2)]) + call(0, 4, [number(2)])
    fifo = call(0, 11, [frame, b"\0", b"\0", b"\0"]) + call(0, 12, [b"\x41"]) + port + call(0, 13, [b"\2", b"\1"])
    grant = call(2, 0, [here, b"\0", b"\2", b"\x09", calm])
    read = call(2, 0, [here, b"\0", b"\x06", b"\x08", calm])
    put = bytes([0, 1, 2, 3, 4, 0, 4])
    unmap = call(2, 1, [here])
    copy = call(2, 5, [b"\x08", b"\0", b"\2", b"\0", frame, b"\0", own, b"\0", number(0x10008)])
    version = call(2, 8, [b"\2"]) + call(2, 9, [b"\1", b"\0", list_at]) + call(2, 8, [b"\1"])
    foreign = call(5, 23, [number(0x47FF0), number(0x20001), list_at, b"\0", list_at, b"\0", list_at, b"\0", frame])
    calls = call(11, 0, [b"\x0C", b"\0", b"\0", b"\0", b"\1", b"\0", list_at])
    for name, data in {
            "events": port + call(0, 10, [own]), "fifo": fifo, "map": grant + put + unmap, "read": read + put + unmap,
            "left": grant + put, "twice": grant + grant + unmap, "copy": copy + copy, "own": table + give + version + copy,
            "memory": memory(1) + memory(6) + memory(1) + grant + memory(6), "calls": calls + calls, "version": version + table,
            "reset": grant + call(9, 2, [b"\1"]) + grant,
    }.items():
        write(folder, "hypercall", name, b"\0" + data)
    write(folder, "hypercall", "foreign", b"\3" + foreign + bytes([8, 1, 2, 3, 4, 0, 0]) + memory(1))
    theirs = call(5, 1, [list_at, b"\0", b"\1", b"\0", b"\0", b"\0", calm, b"\0", frame])
    write(folder, "hypercall", "others", b"\3" + theirs + call(15, 0, [b"\x05", number(0x17), b"\2"]))


def controls(folder):
    """Lives of made domains, as tools order them; what the bytes are says fuzz_control.c."""
    none = b"\xA0" * 4  # words of an argument that are 0

    def go_on(vcpu=0, turns=4):
        return bytes([0, 0xE8, 0x80, vcpu]) * turns

    def domctl(index, words=none, vcpu=0, made=0):
        return bytes([0, vcpu, index, made]) + words

    def populate(which, made=0, gfn=0, nr=1, vcpu=0):
        return bytes([5, vcpu, which, nr, made, gfn])
    create, wait = domctl(0, b"\0\0\0"), bytes([0, 0xEF])
    memory = domctl(9, b"\x68" + none[1:]) + populate(8) + populate(0, gfn=0xC0)
    runs = domctl(10, b"\xA0\xA0\0") + domctl(5)
    made = create + go_on() + memory + runs + wait * 4
    destroy = domctl(2) + go_on()
    foreign = bytes([6, 0, 0x09, 0, 0])
    ends = {"off": 4, "reset": 0, "crash": 8}
    for name, data in {
            "life": made + destroy, "twice": made + destroy + made + destroy, "left": made,
            "two": made + create + go_on() + memory,
            "half": create + domctl(2, vcpu=1) + go_on() + go_on(1),
            "race": create + domctl(2, vcpu=1) + go_on(1, 1) + go_on(),
            "maps": made + foreign + destroy + foreign, "balloon": made + populate(9, nr=0) + populate(1) + populate(8),
            "other": made + bytes([7, 0, 2, 0, 0]) + none + bytes([7, 0, 0, 0, 1]) + none,
            "calls": made + bytes([8, 0xB0, 0]) + none + b"\xA0\0" + bytes([8, 0xB0, 1]) + none + b"\xA0\0" + wait,
            "sysctl": b"".join(bytes([4, 0, cmd]) + none + b"\xA0" for cmd in range(32)),
            "every": made + b"".join(domctl(index) for index in range(6, 44)),
            **{name: made + bytes([0, 0xB0, how]) + wait * 3 + destroy for name, how in ends.items()},
    }.items():
        write(folder, "control", name, data)


def main():
    controls(sys.argv[1])
    hypercalls(sys.argv[1])
    trees(sys.argv[1])
    images(sys.argv[1])
    payloads(sys.argv[1])


if __name__ == "__main__":
    main()
