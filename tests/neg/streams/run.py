#!/usr/bin/python3
"""Devices whose DMA cannot be held as the system asks: refused by bulkhead-image with the exact sentence.

usage: run.py [--tool PROGRAM]

The last line printed is `N passed, N failed`. [test->req~stream-owner~1] [test->req~dma-apart~1]
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BOARD = os.path.join(ROOT, "tests", "neg", "config", "board.dts")

# What a device of the board says of its DMA, and what is told of a domain that gets it; SMMU is the IOMMU.
DEVICES = {
    "none": ("", "/chosen/one/devices:/passthrough/device@a000000: xen,force-assign-without-iommu: found nothing, expected this "
             "of a device that no IOMMU holds: its DMA would reach everything"),
    "beyond": ("iommus = <&smmu 0x100000>;",
               "/device@a000000: iommus: found <0x7001 0x100000>, expected stream ids below 1048576"),
    "stranger": ("iommus = <&gic 5>;", "/device@a000000: iommus: found <GIC 0x5>, expected an IOMMU of a known kind"),
    "half": ("iommus = <&smmu>;", "/device@a000000: iommus: found 28673, expected pairs of an IOMMU and a stream id"),
    "gap": ("iommu-map = <0 &smmu 0 0x8000>;",
            "/device@a000000: iommu-map: found <0x0 0x7001 0x0 0x8000>, expected one entry of 4 cells for each requester id "
            "that a domain has"),
    "masked": ("iommu-map = <0 &smmu 0 0x10000>; iommu-map-mask = <0xff00>;",
               "/device@a000000: iommu-map-mask: found 65280, expected all bits set"),
    "good": ("iommus = <&smmu 7>;", None),
    "good-pci": ("iommu-map = <0 &smmu 0x10000 0x10000>;", None),
}
TWICE = "/device@b000000: iommus: found <0x7001 0x7>, expected streams that no other domain has"


def compiled(source, path):
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", path, "-"], input=source.encode(), check=True)


def board_with(first, second):
    text = open(BOARD).read()
    nodes = ('smmu: iommu@9050000 { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>; '
             'phandle = <0x7001>; };')
    for base, says in (("a000000", first), ("b000000", second)):
        nodes += f"device@{base} {{ reg = <0 0x{base} 0 0x1000>; {says} }};"
    end = text.rindex("};")
    return "/dts-v1/;\n" + text[:end].replace("/dts-v1/;", "") + nodes + "};\n"


def partial(base, path):
    return ('/dts-v1/; / { passthrough { compatible = "simple-bus"; #address-cells = <2>; #size-cells = <2>; ranges; '
            f"device@{base} {{ reg = <0 0x{base} 0 0x1000>; xen,reg = <0 0x{base} 0 0x1000 0 0x{base}>; "
            f'xen,path = "{path}"; }}; }}; }};')


def domain(name, tree):
    return (f'{name} {{ compatible = "xen,domain"; memory = <0 16384>; cpus = <1>; passthrough = "enabled"; '
            f'kernel {{ compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("kernel.bin"); }}; '
            f'devices {{ compatible = "multiboot,device-tree", "multiboot,module"; data = /incbin/("{tree}"); }}; }};')


class Runner:
    def __init__(self, tool, folder):
        self.tool = tool
        self.folder = folder
        self.passed = 0
        self.failed = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def said(self, first, second, domains):
        compiled(board_with(first, second), self.path("board.dtb"))
        with open(self.path("system.dts"), "w") as file:
            file.write("/dts-v1/; / { chosen { " + domains + " }; };")
        done = subprocess.run([self.tool, "--check", "--board", self.path("board.dtb"), "--system", self.path("system.dts")],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        return done.returncode, done.stderr.decode(errors="replace").splitlines()[:-1]

    def result(self, name, good, found):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {name}: {found}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", default=os.path.join(ROOT, "out", "host", "bulkhead-image"))
    with tempfile.TemporaryDirectory() as folder:
        r = Runner(parser.parse_args().tool, folder)
        header = bytearray(4096)
        header[16:24] = (4096).to_bytes(8, "little")
        header[56:60] = b"ARMd"
        with open(r.path("kernel.bin"), "wb") as file:
            file.write(header)
        compiled(partial("a000000", "/device@a000000"), r.path("first.dtb"))
        compiled(partial("b000000", "/device@b000000"), r.path("second.dtb"))
        compiled(partial("9050000", "/iommu@9050000"), r.path("iommu.dtb"))
        for name, (says, sentence) in DEVICES.items():
            status, lines = r.said(says, "", domain("one", "first.dtb"))
            lines = [line.replace("<0x1 0x5>", "<GIC 0x5>").replace("<0x2 0x5>", "<GIC 0x5>") for line in lines]
            r.result(name, (status != 0 and lines == [sentence]) if sentence else status == 0, (status, lines))
        two = domain("one", "first.dtb") + domain("two", "second.dtb")
        status, lines = r.said("iommus = <&smmu 7>;", "iommus = <&smmu 7>;", two)
        r.result("twice", status != 0 and lines == [TWICE], (status, lines))
        status, lines = r.said("iommus = <&smmu 7>;", "iommus = <&smmu 8>;", two)
        r.result("beside", status == 0, (status, lines))
        status, lines = r.said("iommu-map = <0 &smmu 0 0x10000>;", "iommus = <&smmu 7>;", two)
        r.result("bridge", status != 0 and lines == [TWICE], (status, lines))
        status, lines = r.said("", "", domain("one", "iommu.dtb"))  # its registers would be the way out
        r.result("iommu", status != 0 and any(" xen,reg: found" in line for line in lines), (status, lines))
    print(f"{r.passed} passed, {r.failed} failed")
    return 0 if r.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
