#!/usr/bin/python3
"""PCI functions that bulkhead-image must refuse to give, with the exact sentences, and good ones.

usage: run.py [--tool PROGRAM] [NAME...]

The board of ../config with an SMMU and two PCI host bridges, of which the second has no IOMMU.
[test->req~pci-functions~1] [test->req~interrupt-owner~1]
"""
import argparse
import importlib.util
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("config_run", os.path.join(os.path.dirname(HERE), "config", "run.py"))
config_run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(config_run)

FORCE = "xen,force-assign-without-iommu;"


def pins():
    """The interrupt-map of QEMU's virt: SPIs 40 to 43, turned by the device's number."""
    return " ".join(f"<{device << 11:#x} 0 0 {pin} &{{/soc/interrupt-controller@0}} 0 {40 + (device + pin - 1) % 4} 4>,"
                    for device in range(4) for pin in range(1, 5)).rstrip(",")


def bridge(name, segment, ecam, bus, memory, more, buses=4):
    """Configuration space, what the bus calls its memory, where the host sees it."""
    return (f'{name} {{ compatible = "pci-host-ecam-generic"; device_type = "pci"; linux,pci-domain = <{segment}>; '
            f'#address-cells = <3>; #size-cells = <2>; #interrupt-cells = <1>; bus-range = <{bus} {bus + buses - 1}>; '
            f'reg = <0x40 {ecam:#x} 0 {buses << 20:#x}>; ranges = <0x1000000 0 0 0 0x3eff0000 0 0x10000>, '
            f'<0x2000000 0 {memory:#x} 0 {memory:#x} 0 0x2000000>; '
            f'interrupt-map-mask = <0x1800 0 0 7>; interrupt-map = {pins()}; {more} }};')


def host(first="iommu-map = <0 &smmu 0x100 0x10000>;", second="", buses=4):
    return ('smmu: iommu@9050000 { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>; '
            'interrupts = <0 74 1>, <0 75 1>, <0 76 1>, <0 77 1>; '
            'interrupt-names = "eventq", "priq", "cmdq-sync", "gerror"; };'
            + bridge("pcie@4010000000", 0, 0x10000000, 0, 0x10000000, first, buses)
            + bridge("pcie@4020000000", 1, 0x20000000, 8, 0x14000000, second, buses))


def functions(*names):
    return "bulkhead,pci-functions = " + ", ".join(f'"{name}"' for name in names) + ";"


def found(domain, name, expected):
    return f"/chosen/{domain}: bulkhead,pci-functions: found {name}, expected {expected}"


FORMS = 'functions as in "0000:00:02.0", "0000:00:01.0/00.0" (behind a bridge), "0000:00:03.0 pin=none"'
BUS = "a function of the host bridge's own bus, or behind a bridge on it, as in 0000:00:01.0/00.0"
NO_BRIDGE = 'the number of a host bridge compatible with "pci-host-ecam-generic" at its beginning'
TOGETHER = "a device, or what is behind a bridge, of which {} does not have"

# name: (properties of domU1, domU2 ..., sentences, host)
BAD = {
    **{f"form-{number}": ((functions(name),), [found("domU1", name, FORMS)]) for number, name in enumerate((
        "", "00:02.0", "0000:00:02", "0000:00:02.8", "0000:00:20.0", "0000:00:0G.0", "0000:00:02.0 ", "0000:00:02.0/",
        "0000:00:02.0/00.0/00.0", "0000:00:02.0 pin=E", "0000:00:02.0x", "0000:00:02.0 pin=A ", "0000:0G:02.0"))},
    "cells": (("bulkhead,pci-functions = <1 2>;",),
              ["/chosen/domU1: bulkhead,pci-functions: found <0x1 0x2>, expected " + FORMS]),
    "empty": (("bulkhead,pci-functions;",),
              ["/chosen/domU1: bulkhead,pci-functions: found an empty value, expected " + FORMS]),
    "segment": ((functions("0002:00:02.0"),), [found("domU1", "0002:00:02.0", NO_BRIDGE)]),
    "bus": ((functions("0000:01:00.0"),), [found("domU1", "0000:01:00.0", BUS)]),
    "twice": ((functions("0000:00:02.0", "0000:00:02.0"),),
              [found("domU1", "0000:00:02.0", "a function that domU1 (0000:00:02.0) does not have")]),
    "two-domains": ((functions("0000:00:02.0"), functions("0000:00:02.0")),
                    [found("domU2", "0000:00:02.0", "a function that domU1 (0000:00:02.0) does not have")]),
    "one-device": ((functions("0000:00:02.0"), functions("0000:00:02.1 pin=none")),
                   [found("domU2", "0000:00:02.1 pin=none", TOGETHER.format("domU1 (0000:00:02.0)"))]),
    "one-bridge": ((functions("0000:00:01.0/00.0"), functions("0000:00:01.0/01.0 pin=none")),
                   [found("domU2", "0000:00:01.0/01.0 pin=none", TOGETHER.format("domU1 (0000:00:01.0/00.0)"))]),
    "irq-shared": ((functions("0000:00:02.0"), functions("0000:00:01.0 pin=B")),
                   [found("domU2", "0000:00:01.0 pin=B", "an interrupt that domU1 (0000:00:02.0) does not have")]),
    # behind a bridge in slot 1 the second device's pin A is the bridge's pin B, which is slot 2's pin A
    "irq-behind": ((functions("0000:00:02.0"), functions("0000:00:01.0/01.0")),
                   [found("domU2", "0000:00:01.0/01.0", "an interrupt that domU1 (0000:00:02.0) does not have")]),
    "irq-none": ((functions("0000:00:02.0"),),
                 [found("domU1", "0000:00:02.0", "an entry in the host bridge's interrupt-map, or pin=none")],
                 re.sub("interrupt-map = .*?;", "interrupt-map = <0 0 0>;", host())),
    "irq-smmu": ((functions("0000:00:02.0"),),
                 [found("domU1", "0000:00:02.0", "an interrupt that the hypervisor does not use itself")],
                 host().replace(" 0 42 4>", " 0 77 4>")),
    "irq-private": ((functions("0000:00:02.0"),),
                    [found("domU1", "0000:00:02.0", "shared interrupts, 32 to 1019")],
                    host().replace(" 0 42 4>", " 1 11 4>")),
    "no-iommu": ((functions("0001:08:02.0"),),
                 [found("domU1", "0001:08:02.0", "a host bridge with an iommu-map, or xen,force-assign-without-iommu")]),
    "no-stream": ((functions("0000:00:02.0"),),
                  ["/pcie@4010000000: iommu-map: found <0x0 0x2 0x0 0x8>, expected one entry of 4 cells for each requester id "
                   "that a domain has"], host("iommu-map = <0 &smmu 0 8>;")),
    "buses": ((functions("0000:00:01.0/00.0"),),
              [found("domU1", "0000:00:01.0/00.0", "no more buses than the host bridge's reg has room for")],
              host(buses=1)),
    "many": ((functions(*(f"0000:00:{device:02x}.0 pin=none" for device in range(17))),),
             [found("domU1", "0000:00:10.0 pin=none", "at most 16 functions, 64 in all domains")]),
    "ranges": ((functions("0000:00:02.0"),),
               ["/pcie@4010000000: ranges: found <0x1000000 0x0 0x0 0x0 0x3eff0000 0x0 ...>, expected a window of 32-bit memory"],
               host().replace("<0x2000000 0", "<0x1000000 0")),
    "force-value": ((functions("0001:08:02.0") + "xen,force-assign-without-iommu = <1>;",),
                    ["/chosen/domU1: xen,force-assign-without-iommu: found 1, expected no value, the property is there or not"]),
}

GOOD = {
    "one": (functions("0000:00:02.0"),),
    "behind": (functions("0000:00:01.0/00.0", "0000:00:01.0/01.0", "0000:00:02.0 pin=none"),
               functions("0000:00:03.0/00.0 pin=none")),
    "pins": (functions("0000:00:02.0", "0000:00:02.1 pin=B", "0000:00:02.2 pin=D"), functions("0000:00:03.0 pin=B")),
    "shared-own": (functions("0000:00:02.0", "0000:00:01.0 pin=B"),),
    "forced": (functions("0001:08:02.0") + FORCE,),
    "two-bridges": (functions("0001:08:02.0", "0000:00:03.0") + FORCE,),
}


def system(r, name, domains, board):
    nodes = ""
    for number, more in enumerate(domains, 1):
        nodes += (f'domU{number} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; '
                  f'cpus = <1>; {more} kernel {{ compatible = "multiboot,kernel", "multiboot,module"; '
                  f'reg = <0 {0x48000000 + (number << 20):#x} 0x1000>; }}; }}; ')
    text = f"/ {{ {board} }}; "
    with open(config_run.BOARD, encoding="utf-8") as stream:
        path = r.write(name + "-board.dts", stream.read() + text)
    return path, r.write(name + ".dts", "/dts-v1/; / { chosen { " + nodes + " }; };")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", default=os.path.join(config_run.ROOT, "out", "host", "bulkhead-image"))
    parser.add_argument("names", nargs="*", help="run these alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        r = config_run.Runner(options.tool, directory, options.names)
        for name, (domains, expected, *board) in BAD.items():
            if r.wanted(name):
                board, path = system(r, name, domains, *(board or [host()]))
                status, said, _ = r.check(path, board)
                r.equal(name, (status, said), (1, expected))
        for name, domains in GOOD.items():
            if r.wanted(name):
                board, path = system(r, name, domains, host())
                status, said, last = r.check(path, board)
                r.equal(name, (status, said, last), (0, [], ""))
    print(f"{r.passed} passed, {r.failed} failed")
    return 1 if r.failed or not r.passed else 0


if __name__ == "__main__":
    sys.exit(main())
