#!/usr/bin/python3
"""Partial device trees that bulkhead-image must refuse, with the exact sentences, and good ones.

usage: run.py [--tool PROGRAM] [NAME...]

The board of ../config with three more devices; each test gives a domain a partial tree of its own.
[test->req~partial-tree~1] [test->req~pci-bridge~1] [test->req~device-registers~1]
[test->req~device-interrupts~1] [test->req~interrupt-owner~1]
"""
import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("config_run", os.path.join(os.path.dirname(HERE), "config", "run.py"))
config_run = importlib.util.module_from_spec(spec)
spec.loader.exec_module(config_run)

FORCE = "xen,force-assign-without-iommu;"
HOST = """soc {
    serial@1040000 { compatible = "arm,pl011"; reg = <0x1040000 0x1000>; interrupts = <0 8 4>; };
    timer@1050000 { compatible = "test,timer"; reg = <0x1050000 0x1000>, <0x1060000 0x200>; interrupts = <0 9 1>, <0 10 4>; };
    frame@1090000 { compatible = "arm,gic-v2m-frame"; reg = <0x1090000 0x1000>; };
    iommu@10a0000 { compatible = "arm,smmu-v3"; reg = <0x10a0000 0x20000>; #iommu-cells = <1>;
                    interrupts = <0 20 1>, <0 21 1>, <0 22 1>, <0 23 1>;
                    interrupt-names = "eventq", "priq", "cmdq-sync", "gerror"; };
    thief@10d0000 { compatible = "test,thief"; reg = <0x10d0000 0x1000>; interrupts = <0 23 1>; };
    clone@1070000 { compatible = "test,clone"; reg = <0x1070000 0x1000>; interrupts = <0 8 4>; };
    pmu@1080000 { compatible = "test,pmu"; reg = <0x1080000 0x1000>; interrupts = <1 7 4>; };
};
pcie@b0000000 { compatible = "pci-host-ecam-generic"; device_type = "pci"; #address-cells = <3>; #size-cells = <2>;
                reg = <0 0xb0000000 0 0x1000000>; ranges = <0x2000000 0 0xc0000000 0 0xc0000000 0 0x10000000>; };"""
SERIAL = "/soc/serial@1040000"
FRAME = "/soc/frame@1090000"


def node(name, host, size, guest, path=SERIAL, more="interrupts = <0 8 4>; interrupt-parent = <&gic>;", force=FORCE):
    where = f'xen,path = "{path}";' if path else ""
    return (f'{name} {{ reg = <0 {guest:#x} 0 {size:#x}>; xen,reg = <0 {host:#x} 0 {size:#x} 0 {guest:#x}>; {where} {force} '
            f'{more} }}; ')


def tree(devices, gic="gic: gic { #interrupt-cells = <3>; interrupt-controller; };", top="", cells="#address-cells = <2>; "
         '#size-cells = <2>; ranges; compatible = "simple-bus";'):
    return f"/dts-v1/; / {{ {top} {gic} passthrough {{ {cells} {devices} }}; }};"


UART = node("serial@9040000", 0x9040000, 0x1000, 0x9040000)
AT = "/chosen/{}/devices:/passthrough/{}: "
LONG = "n" + "x" * 30
DEEP = "".join(f"d{i} {{ " for i in range(15)) + "}; " * 15
LOOP = ('a: a {{ interrupt-controller; #interrupt-cells = <1>; interrupt-parent = <&{}>; }}; '
        'b: b {{ interrupt-controller; #interrupt-cells = <1>; interrupt-parent = <&a>; }}; ')

# name: (partial trees of domU1, domU2 ..., sentences); a domain's more properties stand before a "|"
BAD = {
    "twice": ((tree(UART), tree(UART)),
              [AT.format("domU2", "serial@9040000") + f'xen,path: found "{SERIAL}", expected a device that no other domain has',
               "/chosen/domU2/devices: xen,reg: found 0x9040000 to 0x9040fff, expected a range that /chosen/domU1/devices "
               "(xen,reg) does not have",
               AT.format("domU2", "serial@9040000") + "interrupts: found <0x0 0x8 0x4>, expected shared interrupts of devices "
               "that xen,path gives to this domain"]),
    "irq-shared": ((tree(UART), tree(node("c", 0x9070000, 0x1000, 0x9070000, "/soc/clone@1070000", ""))),
                   [AT.format("domU2", "c") + f"xen,path: found interrupt 40, expected an interrupt that domU1 ({SERIAL}) "
                    "does not have"]),
    "irq-private": ((tree(node("p", 0x9080000, 0x1000, 0x9080000, "/soc/pmu@1080000", "")),),
                    [AT.format("domU1", "p") + "xen,path: found interrupt 23, expected shared interrupts, 32 to 1019"]),
    "console": ((tree(node("s", 0x9000000, 0x1000, 0x9000000, "/soc/serial@1000000", "")),),
                [AT.format("domU1", "s") + "xen,path: found interrupt 33, expected an interrupt that the hypervisor's console "
                 "does not have",
                 AT.format("domU1", "s") + "xen,reg: found <0x0 0x9000000 0x0 0x1000 0x0 0x9000000>, expected registers that "
                 "the hypervisor does not use itself"]),
    "gic": ((tree(node("g", 0x80b0000, 0x10000, 0x90000000, None, "")),),
            [AT.format("domU1", "g") + "xen,reg: found <0x0 0x80b0000 0x0 0x10000 0x0 0x90000000>, expected registers that the "
             "hypervisor does not use itself"]),
    "smmu": ((tree(node("g", 0x90b0000, 0x1000, 0x90000000, None, "")),),
             [AT.format("domU1", "g") + "xen,reg: found <0x0 0x90b0000 0x0 0x1000 0x0 0x90000000>, expected registers that the "
              "hypervisor does not use itself"]),
    "smmu-node": ((tree(node("g", 0x90a0000, 0x20000, 0x90a0000, "/soc/iommu@10a0000", "")),),
                  [AT.format("domU1", "g") + f"xen,path: found interrupt {irq}, expected an interrupt that the hypervisor does "
                   "not use itself" for irq in (52, 55)] +
                  [AT.format("domU1", "g") + "xen,reg: found <0x0 0x90a0000 0x0 0x20000 0x0 0x90a0000>, expected registers that "
                   "the hypervisor does not use itself"]),
    "smmu-irq": ((tree(node("g", 0x90d0000, 0x1000, 0x90d0000, "/soc/thief@10d0000", "")),),
                 [AT.format("domU1", "g") + "xen,path: found interrupt 55, expected an interrupt that the hypervisor does not "
                  "use itself"]),
    "timer": ((tree(node("t", 0x90d0000, 0x1000, 0x90d0000, "/timer", "")),),
              [AT.format("domU1", "t") + f"xen,path: found interrupt {irq}, expected shared interrupts, 32 to 1019"
               for irq in (29, 30, 27, 26)]),
    "gicr": ((tree(node("g", 0x80c0000, 0x1000, 0x90000000, None, "")),),
             [AT.format("domU1", "g") + "xen,reg: found <0x0 0x80c0000 0x0 0x1000 0x0 0x90000000>, expected registers that the "
              "hypervisor does not use itself"]),
    "ecam": (('bulkhead,pci-functions = "0000:00:02.0 pin=none"; ' + FORCE + "|" + tree(""),
              tree(node("e", 0xb0100000, 0x100000, 0x90000000, None, ""))),
             ["/chosen/domU2/devices: xen,reg: found 0xb0100000 to 0xb01fffff, expected a range that /pcie@b0000000 (PCI "
              "configuration space) does not have"]),
    "ecam-first": ((tree(node("e", 0xb0100000, 0x100000, 0x90000000, None, "")),
                    'bulkhead,pci-functions = "0000:00:02.0 pin=none"; ' + FORCE + "|" + tree("")),
                   ["/pcie@b0000000: reg: found 0xb0000000 to 0xb0ffffff, expected a range that /chosen/domU1/devices (xen,reg) "
                    "does not have"]),
    "ram": ((tree(node("m", 0x50000000, 0x1000, 0x90000000, None, "")),),
            [AT.format("domU1", "m") + "xen,reg: found <0x0 0x50000000 0x0 0x1000 0x0 0x90000000>, expected registers outside "
             "of the host's memory"]),
    "ram-guest": ((tree(node("m", 0x9040000, 0x1000, 0x40001000, None, "")),),
                  [AT.format("domU1", "m") + "xen,reg: found <0x0 0x9040000 0x0 0x1000 0x0 0x40001000>, expected guest "
                   "addresses apart from memory, emulated and other devices"]),
    "gic-guest": ((tree(node("m", 0x9040000, 0x1000, 0x3010000, None, "")),),
                  [AT.format("domU1", "m") + "xen,reg: found <0x0 0x9040000 0x0 0x1000 0x0 0x3010000>, expected guest "
                   "addresses apart from memory, emulated and other devices"]),
    "vpl011-guest": (("vpl011;|" + tree(node("m", 0x9040000, 0x1000, 0x22000000, None, "")),),
                     [AT.format("domU1", "m") + "xen,reg: found <0x0 0x9040000 0x0 0x1000 0x0 0x22000000>, expected guest "
                      "addresses apart from memory, emulated and other devices"]),
    "unaligned": ((tree(node("m", 0x9040200, 0x1000, 0x9040000)),),
                  [AT.format("domU1", "m") + "xen,reg: found <0x0 0x9040200 0x0 0x1000 0x0 0x9040000>, expected whole pages "
                   "below 2^52"]),
    "cells": ((tree('m { xen,reg = <0 0x9040000 0x1000>; xen,path = "' + SERIAL + '"; ' + FORCE + " };"),),
              [AT.format("domU1", "m") + "xen,reg: found <0x0 0x9040000 0x1000>, expected host address, size and guest address "
               "in the 1 or 2 cells of the node around"]),
    "no-path": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, None, "", "")),),
                [AT.format("domU1", "m") + "xen,path: found nothing, expected the device in the host's tree, or "
                 "xen,force-assign-without-iommu"]),
    "path-wrong": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, "/soc/none", "")),),
                   [AT.format("domU1", "m") + 'xen,path: found "/soc/none", expected the path of a node of the host']),
    "no-reg": ((tree('m { xen,path = "' + SERIAL + '"; };'),),
               [AT.format("domU1", "m") + "xen,reg: found nothing, expected registers of the device that xen,path names"]),
    "no-force": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, force="")),),
                 [AT.format("domU1", "m") + "xen,force-assign-without-iommu: found nothing, expected this of a device that no "
                  "IOMMU holds: its DMA would reach everything"]),
    "reg-elsewhere": ((tree(node("m", 0x9050000, 0x1000, 0x9040000, force="")),),
                      [AT.format("domU1", "m") + "xen,force-assign-without-iommu: found nothing, expected this of a device that "
                       "no IOMMU holds: its DMA would reach everything",
                       AT.format("domU1", "m") + "xen,reg: found <0x0 0x9050000 0x0 0x1000 0x0 0x9040000>, expected registers "
                       "of the device that xen,path names"]),
    "virq-vpl011": (("vpl011;|" + tree(node("m", 0x9040000, 0x1000, 0x9040000, more="bulkhead,virqs = <32>;")),),
                    [AT.format("domU1", "m") + "bulkhead,virqs: found interrupt 40 as 32, expected a number that the domain's "
                     "vpl011 or watchdog does not have"]),
    "virq-few": ((tree(node("m", 0x9050000, 0x1000, 0x9050000, "/soc/timer@1050000", "bulkhead,virqs = <50>;")),),
                 [AT.format("domU1", "m") + "bulkhead,virqs: found 50, expected a number for each of the device's interrupts"]),
    "virq-same": ((tree(node("m", 0x9050000, 0x1000, 0x9050000, "/soc/timer@1050000", "bulkhead,virqs = <50 50>;")),),
                  [AT.format("domU1", "m") + "bulkhead,virqs: found interrupt 42 as 50, expected a number that domU1 "
                   "(/soc/timer@1050000) does not have"]),
    "virq-large": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, more="bulkhead,virqs = <1020>;")),),
                   [AT.format("domU1", "m") + "bulkhead,virqs: found interrupt 40 as 1020, expected shared interrupts, "
                    "32 to 1019"]),
    "interrupts": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, more="interrupts = <0 9 4>;")),),
                   [AT.format("domU1", "m") + "interrupts: found <0x0 0x9 0x4>, expected shared interrupts of devices that "
                    "xen,path gives to this domain"]),
    "property": ((tree(node("m", 0x9040000, 0x1000, 0x9040000, more="xen,regs;")),),
                 [AT.format("domU1", "m") + "xen,regs: found an empty value, expected no property of this name here"]),
    "frame-numbers": ((tree(node("f", 0x9090000, 0x1000, 0x9090000, FRAME, "")),),
                      [AT.format("domU1", "f") + "arm,msi-base-spi: found nothing, expected the frame's first interrupt"]),
    "frame-many": ((tree(node("f", 0x9090000, 0x1000, 0x9090000, FRAME,
                                    "arm,msi-base-spi = <80>; arm,msi-num-spis = <257>;")),),
                   [AT.format("domU1", "f") + "arm,msi-num-spis: found 257, expected 1 to 256 interrupts from the first, which "
                    "is 32 to 988"]),
    "frame-shared": ((tree(UART), tree(node("f", 0x9090000, 0x1000, 0x9090000, FRAME,
                                            "arm,msi-base-spi = <39>; arm,msi-num-spis = <2>;"))),
                     [AT.format("domU2", "f") + f"xen,path: found interrupt 40, expected an interrupt that domU1 ({SERIAL}) "
                      "does not have"]),
    "deep": ((tree(DEEP),), ["/chosen/domU1/devices: levels: found more, expected at most 16"]),
    "cyclic": ((tree(LOOP.format("b")),),
               [AT.format("domU1", "a") + "interrupt-parent: found 1, expected a way to /gic of at most 16 steps",
                AT.format("domU1", "b") + "interrupt-parent: found 2, expected a way to /gic of at most 16 steps"]),
    "parent": ((tree("m { interrupt-parent = <77>; };"),),
               [AT.format("domU1", "m") + "interrupt-parent: found 77, expected /gic or a node below /passthrough"]),
    "phandle": ((tree("m { phandle = <65000>; };"),),
                [AT.format("domU1", "m") + "phandle: found 65000, expected a number below 65000"]),
    "phandle-gic": ((tree("", "gic { phandle = <65001>; };"),),
                    ["/chosen/domU1/devices:/gic: phandle: found 65001, expected a number below 65000"]),
    "phandle-twice": ((tree("m { phandle = <7>; }; n { phandle = <7>; };"),),
                      [AT.format("domU1", "n") + "phandle: found 7, expected a number that no other node has"]),
    "bus": ((tree("", cells='compatible = "bus";'),),
            ["/chosen/domU1/devices:/passthrough: compatible: found \"bus\", expected \"simple-bus\"",
             "/chosen/domU1/devices:/passthrough: ranges: found nothing, expected no value, the property is there or not",
             "/chosen/domU1/devices:/passthrough: #address-cells: found nothing, expected 1 or 2",
             "/chosen/domU1/devices:/passthrough: #size-cells: found nothing, expected 1 or 2"]),
    "nodes": ((tree("".join(f"n{i} {{ }}; " for i in range(512))),),
              ["/chosen/domU1/devices: nodes: found more, expected at most 512"]),
    "room": ((tree("".join(f"n{i} {{ {''.join(f'{LONG}{k} = [{0:064x}]; ' for k in range(3))} p = [{'00' * 1500}]; }}; "
                           for i in range(300))),) * 3,
             ["/chosen/domU3/devices: size: found {}, expected at most 1 MiB of device trees of all domains"]),
    "garbage": (("no tree",), ["/chosen/domU1/devices: blob: found FDT_ERR_TRUNCATED, expected a flattened device tree that is "
                               "whole"]),
}

GOOD = {
    "uart": (tree(UART),),
    "uart-virq": (tree(node("m", 0x9040000, 0x1000, 0x9040000, more="bulkhead,virqs = <70>; interrupts = <0 38 4>;")),),
    "frame": (tree(node("f", 0x9090000, 0x1000, 0x9090000, FRAME, "arm,msi-base-spi = <80>; arm,msi-num-spis = <64>;")),),
    "pages": (tree(node("m", 0x9050000, 0x1000, 0x9050000, "/soc/timer@1050000", "") +
                   node("n", 0x9060000, 0x1000, 0x9060000, "/soc/timer@1050000", "") +
                   node("o", 0x9060000, 0x1000, 0x9060000, "/soc/timer@1050000", "")),),
    "two": (tree(UART), tree(node("m", 0x9050000, 0x1000, 0x9050000, "/soc/timer@1050000", ""))),
    "old-parent": (tree(UART.replace("<&gic>", "<0xfde8>"), gic=""),),
    "ignored": (tree("", gic="", top="other { xen,reg = <1>; };"),),
}


def compiled(source):
    """Also what dtc objects to."""
    done = subprocess.run(["dtc", "-f", "-q", "-q", "-I", "dts", "-O", "dtb", "-"], input=source.encode(),
                          stderr=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True)
    return done.stdout


def system(r, name, trees):
    """The paths of a system with these partial trees, and of the first one's blob."""
    domains = ""
    for number, source in enumerate(trees, 1):
        more, _, source = source.rpartition("|")
        blob = compiled(source) if source.startswith("/dts") else source.encode()
        path = r.write(f"{name}-{number}.bin", blob)
        domains += (f'domU{number} {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x1000>; '
                    f'cpus = <1>; {more} kernel {{ compatible = "multiboot,kernel", "multiboot,module"; '
                    f'reg = <0 {0x48000000 + (number << 20):#x} 0x1000>; }}; '
                    f'devices {{ compatible = "multiboot,device-tree", "multiboot,module"; '
                    f'data = /incbin/("{os.path.basename(path)}"); }}; }}; ')
    return r.write(name + ".dts", "/dts-v1/; / { " + HOST + " chosen { " + domains + " }; };"), path


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", default=os.path.join(config_run.ROOT, "out", "host", "bulkhead-image"))
    parser.add_argument("names", nargs="*", help="run these alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        r = config_run.Runner(options.tool, directory, options.names)
        for name, (trees, expected) in BAD.items():
            if r.wanted(name):
                path, blob = system(r, name, trees)
                status, said, _ = r.check(path)
                r.equal(name, (status, said), (1, [line.format(os.stat(blob).st_size) for line in expected]))
        for name, trees in GOOD.items():
            if r.wanted(name):
                status, said, last = r.check(system(r, name, trees)[0])
                r.equal(name, (status, said, last), (0, [], ""))
    print(f"{r.passed} passed, {r.failed} failed")
    return 1 if r.failed or not r.passed else 0


if __name__ == "__main__":
    sys.exit(main())
