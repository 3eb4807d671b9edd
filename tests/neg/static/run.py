#!/usr/bin/python3
"""Systems that the static profile must refuse, with the exact sentences; and that its image holds a plan, no tree.

usage: run.py [--tool PROGRAM] [--hypervisor BULKHEAD.BIN]

The last line printed is `N passed, N failed`. [test->req~static-profile~1]
"""
import argparse
import hashlib
import importlib.util
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BOARD = os.path.join(os.path.dirname(HERE), "config", "board.dts")
PROFILE = b"BULKSTAT"
KERNEL = struct.pack("<IIQQQQQQII", 0x14000008, 0, 0, 0x10000, 0xA, 0, 0, 0, 0x644D5241, 0) + bytes(5000)
GZIP = bytes.fromhex("1f8b080000000000000303000000000000000000")
UART = 'soc { serial@1000000 { compatible = "ns16550a"; reg-shift = <2>; }; };'
LOG = ('reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges; log@7e000000 { compatible = "bulkhead,log"; '
       'reg = <0 0x7e000000 0 0x1000>; }; };')

passed = failed = 0


def equal(name, found, expected):
    global passed, failed
    if found == expected:
        passed += 1
    else:
        failed += 1
        print(f"FAIL {name}:\n  found    {found!r}\n  expected {expected!r}")


def domain(file="k.bin", cpus=1, more="", own=""):
    return (f'domU1 {{ compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x4000>; '
            f'cpus = <{cpus}>; {own} '
            f'kernel {{ compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("{file}"); {more} }}; }};')


SHA = f"bulkhead,sha256 = [{hashlib.sha256(KERNEL).hexdigest()}];"
SCHEDULER = ("/chosen: bulkhead,scheduler: found %s for pool %u, said or needed, expected null, with a CPU for each vCPU, or "
             "arinc653: the static profile has no other")
# name: what is in / beside chosen, what is in chosen, the sentence
REFUSED = {
    "scheduler": ("", 'bulkhead,scheduler = "rtds"; ' + domain(), SCHEDULER % ("rtds", 0)),
    "too-many-vcpus": ("", domain(cpus=5), SCHEDULER % ("credit2", 0)),
    "pools": ("cpus { cpu@1 { phandle = <0x5001>; }; };",
              'bulkhead,scheduler = "null"; ' + domain() +
              ' p { compatible = "xen,cpupool"; cpupool-cpus = <0x5001>; cpupool-sched = "credit"; };',
              SCHEDULER % ("credit", 1)),
    "partial-boot": ("", "bulkhead,partial-boot; " + domain(),
                     "/chosen: bulkhead,partial-boot: found an empty value, expected nothing: the static profile starts all "
                     "or none"),
    "log": (LOG, domain(),
            "/reserved-memory: bulkhead,log: found a node, expected none: the static profile keeps no log"),
    "console": (UART, domain(),
                "/chosen: stdout-path: found a 16550, expected a PL011, SBSA UART, Cadence or CMSDK UART: the static profile "
                "has no other"),
    "sha256": ("", domain(more=SHA),
               "/chosen/domU1/kernel: bulkhead,sha256: found one, expected bulkhead,crc32c: the static profile has no SHA-256"),
    "gzip": ("", domain("gzip.bin"),
             "/chosen/domU1/kernel: kernel: found a gzip, expected one that is not compressed, for the static profile"),
}

# What a profile without any part says of a system that uses one.
PARTS = {
    "report": ("/chosen: bulkhead,report: found it", "report", "bulkhead,report; " + domain()),
    "links": ("/chosen/domU1: xen,enhanced: found it", "links", domain(own='xen,enhanced = "no-xenstore";')),
    "watchdog": ("/chosen/domU1: bulkhead,watchdog-ms: found it", "watchdog", domain(own="bulkhead,watchdog-ms = <0>;")),
    "shm": ("/chosen/domU1: xen,domain-shared-memory-v1: found a node", "links",
            domain(own='shm@0 { compatible = "xen,domain-shared-memory-v1"; role = "owner"; xen,shm-id = "a"; '
                       'xen,shared-mem = <0x0 0x50000000 0x0 0x50000000 0x200000>; };')),
}


# A device with DMA of the board, and its partial tree; PCI functions behind the same IOMMU.
DEVICE = ('iommu@9050000 { compatible = "arm,smmu-v3"; reg = <0 0x9050000 0 0x20000>; #iommu-cells = <1>; phandle = <0x7001>; }; '
          'device@a000000 { reg = <0 0xa000000 0 0x1000>; iommus = <0x7001 7>; };')
PARTIAL = ('/dts-v1/; / { passthrough { compatible = "simple-bus"; #address-cells = <2>; #size-cells = <2>; ranges; '
           'device@a000000 { reg = <0 0xa000000 0 0x1000>; xen,reg = <0 0xa000000 0 0x1000 0 0xa000000>; '
           'xen,path = "/device@a000000"; }; }; };')
GIVEN = ('passthrough = "enabled"; devices { compatible = "multiboot,device-tree", "multiboot,module"; '
         'data = /incbin/("devices.dtb"); };')
WITHOUT = "expected none: this static profile was built with PARTS= without "
GIVEN_SAID = ["/chosen/domU1: multiboot,device-tree: found a module, " + WITHOUT + "devices",
              "/chosen/domU1: iommus: found DMA streams, " + WITHOUT + "iommu"]
PCI_SAID = ["/chosen/domU1: interrupts: found the host's, " + WITHOUT + "devices",
            "/chosen/domU1: iommus: found DMA streams, " + WITHOUT + "iommu",
            "/chosen/domU1: bulkhead,pci-functions: found functions, " + WITHOUT + "pci"]


def pci_system(tool, folder):
    """Board and system of the PCI tests."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("pci_run", os.path.join(os.path.dirname(HERE), "pci", "run.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    runner = module.config_run.Runner(tool, folder, [])
    return module.system(runner, "pci", (module.functions("0000:00:02.0"),), module.host())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default=os.path.join(ROOT, "out/host/bulkhead-image"))
    parser.add_argument("--hypervisor", default=os.path.join(ROOT, "out/arm64-clang-release-static/bulkhead.bin"))
    options = parser.parse_args()
    with open(options.hypervisor, "rb") as file:
        image = file.read()
    at = next(i for i in range(0, len(image), 8) if image[i:i + 8] == PROFILE)
    layout = struct.unpack_from("<I", image, at + 8)[0]
    with tempfile.TemporaryDirectory() as folder:
        def write(name, data):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
            return os.path.join(folder, name)

        def run(program, system, *more, board=BOARD):
            done = subprocess.run([options.tool, "-b", board, "-s", system, "-x", program, "-i", folder, *more],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            return done.returncode, done.stderr.decode().splitlines()

        def system(name, beside, chosen):
            return write(name + ".dts", ("/dts-v1/; / { %s chosen { %s }; };" % (beside, chosen)).encode())

        write("k.bin", KERNEL)
        write("gzip.bin", GZIP)
        for name, (beside, chosen, sentence) in REFUSED.items():
            path = system(name, beside, chosen)
            last = f"bulkhead-image: {path}: 1 fault"
            equal(name, run(options.hypervisor, path, "--check"), (1, [sentence, last]))
        good = system("good", "", domain())
        framed = system("framed", "", 'bulkhead,scheduler = "arinc653"; bulkhead,major-frame-us = <1000>; ' +
                        domain(own='bulkhead,windows = <600 177>; v { compatible = "xen,vcpu"; id = <0>; '
                               'hard-affinity = "3"; };'))
        out = os.path.join(folder, "image.bin")
        equal("framed", run(options.hypervisor, framed, "-o", out), (0, []))
        with open(out, "rb") as file: # the plan's window: domain, vCPU, CPU, begin and length
            equal("framed-plan", file.read().count(struct.pack("<BBBxII", 0, 0, 3, 600, 177)), 1)
        equal("good", run(options.hypervisor, good, "-o", out), (0, []))
        with open(out, "rb") as file:
            made = file.read()
        own = struct.unpack_from("<Q", made, 0x48)[0]
        tree, tree_bytes = struct.unpack_from("<QQ", made, own + 24)
        magic, its_layout, _, plan_bytes, base = struct.unpack_from("<8sIIQQ", made, own + tree)
        equal("plan", (magic, its_layout, plan_bytes, base), (b"BULKPLAN", layout, tree_bytes, 0x40200000))
        equal("no-tree", made.find(struct.pack(">I", 0xD00DFEED), own), -1)
        equal("load", run(options.hypervisor, good, "-o", out, "--load-address", "0x50000000"), (0, []))
        with open(out, "rb") as file:
            equal("load-base", struct.unpack_from("<Q", file.read(), own + tree + 24)[0], 0x50000000)
        equal("load-odd", run(options.hypervisor, good, "-o", out, "--load-address", "0x50001000")[0], 2)
        other = write("other.bin", image[:at + 8] + struct.pack("<I", layout + 1) + image[at + 12:])
        equal("layout", run(other, good, "-o", out), (1, [f"bulkhead-image: {other}: takes plans of another version of "
                                                          "bulkhead-image"]))
        gic2 = write("gic2.bin", image[:at + 12] + struct.pack("<I", 2) + image[at + 16:])
        equal("gic", run(gic2, good, "--check")[1][:1],
              ["/: interrupt-parent: found a GICv3, expected the other version: this static profile was built with GIC= for "
               "that one only"])
        none = write("none.bin", image[:at + 16] + bytes(4) + image[at + 20:])
        equal("parts-good", run(none, good, "--check"), (0, []))
        for name, (found, part, chosen) in PARTS.items():
            path = system("part-" + name, "", chosen)
            equal("part-" + name, run(none, path, "--check"),
                  (1, [f"{found}, expected none: this static profile was built with PARTS= without {part}",
                       f"bulkhead-image: {path}: 1 fault"]))
            equal("with-" + name, run(options.hypervisor, path, "--check"), (0, []))
        subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", os.path.join(folder, "devices.dtb"), "-"],
                       input=PARTIAL.encode(), check=True)
        path = system("given", DEVICE, domain(own=GIVEN))
        equal("given", run(none, path, "--check"), (1, GIVEN_SAID + [f"bulkhead-image: {path}: 2 faults"]))
        equal("with-given", run(options.hypervisor, path, "--check"), (0, []))
        board, path = pci_system(options.tool, folder)
        equal("pci", run(none, path, "--check", board=board), (1, PCI_SAID + [f"bulkhead-image: {path}: 3 faults"]))
        equal("with-pci", run(options.hypervisor, path, "--check", board=board), (0, []))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
