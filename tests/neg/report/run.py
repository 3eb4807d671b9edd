#!/usr/bin/python3
"""What bulkhead-image --report writes: three files that agree with each other, and no report of what cannot be used.

usage: run.py [--tool PROGRAM]

The last line printed is `N passed, N failed`. [test->req~partition-report~1]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
BOARD = os.path.join(ROOT, "tests", "neg", "config", "board.dts")
SYSTEM = """/dts-v1/; / { chosen {
    domU1 { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x10000>; cpus = <2>; vpl011;
        kernel { compatible = "multiboot,kernel", "multiboot,module"; reg = <0 0x48000000 0x100000>; }; };
    domU2 { compatible = "xen,domain"; #address-cells = <2>; #size-cells = <1>; memory = <0 0x10000>; cpus = <%d>;
        kernel { compatible = "multiboot,kernel", "multiboot,module"; reg = <0 0x49000000 0x100000>; }; };
}; };"""
MEMBERS = {
    "domains": "name starts fixed memory_bytes", "vcpu": "domain index cpus", "banks": "first last",
    "ram": "first last owner detail", "taken_at_boot": "owner bytes", "map": "domain first last to permissions type",
    "emulated": "domain first last what",
    "device": "first last owner what", "pci": "function domain", "irq": "irq owner trigger what",
    "stream": "iommu first last domain what", "channel": "domain port peer_domain peer_port", "shm": "id owner users",
    "faults": ""}


class Report:
    def __init__(self, tool, directory):
        self.tool = tool
        self.directory = directory
        self.passed = self.failed = 0

    def path(self, name):
        return os.path.join(self.directory, name)

    def run(self, system, *more):
        with open(self.path("system.dts"), "w", encoding="ascii") as file:
            file.write(system)
        done = subprocess.run([self.tool, "--check", "-b", BOARD, "-s", self.path("system.dts"), *more],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        return done.returncode, done.stderr.decode()

    def text(self, prefix):
        with open(self.path(prefix + ".txt"), encoding="ascii") as file:
            return file.read()

    def expect(self, name, found, expected=True):
        if found == expected:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAIL {name}:\n  found    {found!r}\n  expected {expected!r}")


def files_agree(r):
    r.expect("made", r.run(SYSTEM % 1, "--report", r.path("a")), (0, ""))
    text = r.text("a")
    with open(r.path("a.json"), encoding="ascii") as file:
        data = json.load(file)
    page = xml.etree.ElementTree.parse(r.path("a.html")).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    r.expect("verdict", (data["format"], data["proven"], data["faults"], data["fixed_before_power_on"],
                         data["places_assumed"], data["cpus"], data["cpus_shared_in_time"]),
             (1, True, [], False, True, 4, False))
    for kind, members in MEMBERS.items():
        r.expect("members of " + kind, isinstance(data[kind], list) and all(
            set(members.split()) <= set(item) for item in data[kind]))
    covered = sum(int(item["last"], 16) - int(item["first"], 16) + 1 for item in data["ram"])
    r.expect("all bytes", covered, 1 << 30)
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    r.expect("lines of vcpu", [line for line in lines if line.startswith("vcpu")],
             [f"vcpu {item['domain']}/{item['index']} {item['cpus']}" for item in data["vcpu"]])
    r.expect("lines of irq", [line for line in lines if line.startswith("irq")],
             [f"irq {item['irq']} {item['owner']} {item['trigger']}" for item in data["irq"]])
    r.expect("modules", [line for line in lines if line.endswith(" module")],
             ["ram 0x48000000-0x480fffff module", "ram 0x49000000-0x490fffff module"])
    r.expect("at boot", re.findall("^# (.*): taken at boot", text, re.M), ["heap", "domU1", "domU2"])
    r.expect("proof", text.splitlines()[-1], "# proof: no two domains overlap except through declared links")
    titles = [picture.text for picture in page.iter("{http://www.w3.org/1999/xhtml}h3")]
    r.expect("pictures", (titles, len(list(page.iter(svg + "svg")))), (["Host RAM", "domU1", "domU2"], 3))
    boxes = list(page.iter(svg + "svg"))[0].findall(svg + "rect")
    r.expect("boxes", len(boxes), len(data["ram"]))


def options(r):
    shared = r.run(SYSTEM % 3, "--report", r.path("b"))
    text = r.text("b")
    r.expect("shared CPUs", (shared, "vcpu domU2/2 0-3\n" in text, "# CPUs: shared in time\n" in text), ((0, ""), True, True))
    moved = r.run(SYSTEM % 1, "--report", r.path("c"), "--load-address", "0x60000000")
    r.expect("load address", (moved, re.findall("^ram (.*)-.* image$", r.text("c"), re.M)), ((0, ""), ["0x60000000"]))
    odd = "bulkhead-image: --load-address is a multiple of 2 MiB"
    for word in ("0x60100000", "x", "0x60000000z", "0"):
        status, said = r.run(SYSTEM % 1, "--load-address", word)
        r.expect("load address " + word, (status, said.partition("\n")[0]), (2, odd))
    status, said = r.run(SYSTEM % 1, "--report", r.path("no/folder"))
    r.expect("no folder", (status, said), (1, f"bulkhead-image: {r.path('no/folder')}.txt: No such file or directory\n"))
    status, said = r.run(SYSTEM % 0, "--report", r.path("d"))
    r.expect("bad system", (status, os.path.exists(r.path("d.txt"))), (1, False))
    merge = subprocess.run([r.tool, "-m", "-b", BOARD, "-s", r.path("system.dts"), "-r", r.path("e"), "-o", r.path("f")],
                           stderr=subprocess.PIPE, check=False)
    r.expect("merge", (merge.returncode, merge.stderr.decode().partition("\n")[0]),
             (2, "bulkhead-image: --merge knows no places: no --report"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", default=os.path.join(ROOT, "out", "host", "bulkhead-image"))
    with tempfile.TemporaryDirectory() as directory:
        r = Report(parser.parse_args().tool, directory)
        files_agree(r)
        options(r)
    print(f"{r.passed} passed, {r.failed} failed")
    return 1 if r.failed or not r.passed else 0


if __name__ == "__main__":
    sys.exit(main())
