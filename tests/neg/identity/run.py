#!/usr/bin/python3
"""Systems for a board where nothing translates: what must be at the host's addresses, and what is told of it.

usage: run.py

[test->req~armv8r~1] [test->req~static-memory~1]
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
TOOL = os.path.join(ROOT, "out", "host", "bulkhead-image-armv8r")
BOARD = os.path.join(ROOT, "systems", "boards", "mps3-an536.dts")
NOTE = "note: /chosen/a: xen,static-mem: is mapped directly: nothing translates on this host"
MEMORY = "xen,static-mem = <0x30000000 0x400000>;"


def domain(more=MEMORY, children=""):
    return ('a { compatible = "xen,domain"; #address-cells = <1>; #size-cells = <1>; memory = <0 4096>; cpus = <1>; '
            f'{more} kernel {{ compatible = "multiboot,kernel", "multiboot,module"; reg = <0x28000000 0x1000>; }}; '
            f"{children} }};")


def shared(place):
    return ('shm { compatible = "xen,domain-shared-memory-v1"; xen,shm-id = "s"; role = "owner"; '
            f"xen,shared-mem = <{place}>; }};")


def compiled(folder, name, source, suffix="dtb"):
    path = os.path.join(folder, name)
    with open(path + ".dts", "w", encoding="ascii") as file:
        file.write("/dts-v1/; " + source)
    if suffix == "dtb":
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path + ".dtb", path + ".dts"], check=True)
    return path + "." + suffix


def device(folder, name, host, guest):
    """A module with a partial tree whose device has these registers."""
    compiled(folder, name, 'gic { #interrupt-cells = <3>; phandle = <9>; }; passthrough { compatible = "simple-bus"; ranges; '
             f"#address-cells = <1>; #size-cells = <1>; device {{ xen,reg = <{host:#x} 0x1000 {guest:#x}>; "
             "xen,force-assign-without-iommu; }; };".join(("/ { ", " };")))
    return (f'devices {{ compatible = "multiboot,device-tree", "multiboot,module"; data = /incbin/("{name}.dtb"); }};')


def check(folder, text, board=BOARD):
    path = compiled(folder, "system", f"/ {{ chosen {{ #address-cells = <1>; #size-cells = <1>; {text} }}; }};", "dts")
    done = subprocess.run([TOOL, "--check", "--board", board, "--system", path, "-i", folder], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False)
    return [line for line in done.stderr.decode().splitlines() if not line.startswith("bulkhead-image")]


def cases(folder):
    more = "/ { memory@20000000 { reg = <0x20000000 0x40000000>; }; };"
    large = compiled(folder, "large", f'/include/ "{BOARD}"\n{more}', "dts")
    cells = "#xen,static-mem-address-cells = <1>; #xen,static-mem-size-cells = <1>;"
    place = "/chosen/a/shm: xen,shared-mem: found <{}>, expected the host's address as the domain's, which is mapped directly"
    registers = "/chosen/a/devices:/passthrough/device: xen,reg: found <0x{:x} 0x1000 0x{:x}>, expected {}"
    return {
        "none": (domain(""), ["/chosen/a: xen,static-mem: found nothing, expected the ranges of host memory: nothing translates "
                              "on this host"]),
        "plain": (domain(), [NOTE]),
        "cells": (domain(cells + "xen,static-mem = <0x30000000 0x20000000>;").replace("<0 4096>", "<0 0x80000>"), [NOTE], large),
        "direct": (domain(MEMORY + " direct-map;"), []),
        "emulated": (domain("xen,static-mem = <0x22000000 0x400000>; vpl011;"), [
            NOTE, "/chosen/a: xen,static-mem: found 0x400000 bytes at 0x22000000, expected memory that no emulated device has, "
            "for direct-map"]),
        "mpu": (domain(MEMORY + ' v8r_el1_msa = "mpu";'), [NOTE]),
        "mmu": (domain(MEMORY + ' v8r_el1_msa = "mmu";'), [
            '/chosen/a: v8r_el1_msa: found "mmu", expected mpu, which is what this host\'s CPUs have', NOTE]),
        "msa": (domain(MEMORY + ' v8r_el1_msa = "both";'), [
            '/chosen/a: v8r_el1_msa: found "both", expected mpu or mmu', NOTE]),
        "shared": (domain(MEMORY, shared("0x33000000 0x33000000 0x1000")), [NOTE]),
        "shared-nowhere": (domain(MEMORY, shared("0x33000000 0x1000")), [NOTE, place.format("0x33000000 0x1000")]),
        "shared-elsewhere": (domain(MEMORY, shared("0x33000000 0x34000000 0x1000")), [
            NOTE, place.format("0x33000000 0x34000000 0x1000")]),
        "device": (domain(MEMORY, device(folder, "same", 0xE0206000, 0xE0206000)), [NOTE]),
        "device-elsewhere": (domain(MEMORY, device(folder, "other", 0xE0206000, 0xE0207000)), [
            NOTE, registers.format(0xE0206000, 0xE0207000,
                                   "the host's address as the guest's: nothing translates on this host")]),
        "device-ours": (domain(MEMORY, device(folder, "ours", 0xE0100000, 0xE0100000)), [
            NOTE, registers.format(0xE0100000, 0xE0100000, "registers that the hypervisor does not use itself")]),
    }


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, expected, *board) in cases(folder).items():
            found = check(folder, text, *board)
            if found == expected:
                passed += 1
            else:
                failed += 1
                print(f"FAIL {name}:\n  found    {found!r}\n  expected {expected!r}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
