"""What the hypervisor refuses to run on, with a message. [test->req~refuses-el1~1]"""
import os
import re
import subprocess

import pytest

from helpers import check_ticks, focus, operator
from run import Machine

IMAGE = os.environ.get("BULKHEAD_IMAGE", "out/bulkhead.bin")


class WithoutEl2(Machine):
    def arguments(self):
        return [word.replace("virtualization=on", "virtualization=off") for word in super().arguments()]


def test_refuses_el1():
    with WithoutEl2(kernel=IMAGE, cpus=1, mem=512) as machine:
        try:
            machine.expect(r"Bulkhead needs EL2", 20)
        except Exception:
            print(machine.text)
            raise


def faults_told(machine):
    told = [re.sub(r"^bulkhead: \[ *[0-9.]+\] ", "", line) for line in machine.text.splitlines()]
    return [line for line in told if line.startswith("/")]


TOOL = "out/host/bulkhead-image"
# Faults in the reference system: values, gigantic numbers, wrong cell counts, texts too long, a property of a later
# issue, what is missing, modules that overlap or lie in nobody's memory.
DAMAGE = [("-t s", "/chosen", "bulkhead,on-panic", "explode"),
          ("-t i", "/chosen/domU1", "cpus", "0"),
          ("-t x", "/chosen/domU1", "memory", "ffffffff", "ffffffff"),
          ("-t i", "/chosen/domU1", "nr_spis", "1", "2"),
          ("-t s", "/chosen/domU1", "bulkhead,on-crash", "x" * 3000),
          ("-t x", "/chosen/domU2", "xen,static-mem", "30000000", "1000"),
          ("-t i", "/chosen/domU2", "bulkhead,watchdog-ms", "86400001"),
          ("-d", "/chosen/domU2", "cpus"),
          ("-t x", "/chosen/domU2/module@0x4d000000", "reg", "0", "4c000000", "ffffff")]


def test_same_sentences_as_the_tool(tmp_path):
    """A bad tree is refused by tool and hypervisor with the same sentences, and nothing starts.
    [test->req~same-sentence~1]"""
    tree = str(tmp_path / "bad.dtb")
    board = Machine(kernel=IMAGE).board_tree()
    subprocess.run([TOOL, "--merge", "--board", board, "--system", "systems/reference.dts", "-o", tree], check=True)
    for options, *what in DAMAGE:
        subprocess.run(["fdtput", *options.split(), tree, *what], check=True)
    said = subprocess.run([TOOL, "--check", "--board", board, "--system", tree], capture_output=True, text=True)
    faults = [line for line in said.stderr.splitlines() if line.startswith("/")]
    assert said.returncode == 1
    assert len(faults) >= len(DAMAGE)
    with Machine(kernel=IMAGE, extra=["-dtb", tree]) as machine:
        try:
            machine.expect(r"nothing is started", 30)
            machine.wait_end(30)
        except Exception:
            print(machine.text)
            raise
        assert faults_told(machine) == faults
        assert "starts" not in machine.text.replace("nothing is started", "")


@pytest.mark.parametrize("digest", ["crc32c", "sha256"])
def test_flipped_bit(tmp_path, digest):
    """A module of which one bit flipped after it was packed is not booted again; it fails alone.
    [test->req~module-digest~1]"""
    with open("out/guests/rt.bin", "rb") as file:
        kernel = file.read()
    (tmp_path / "good.bin").write_bytes(kernel)
    (tmp_path / "other.bin").write_bytes(kernel + b"BEHIND IT")  # not a part of what is loaded, so that it boots once
    unit = ('%s { compatible = "xen,domain"; memory = <0 65536>; cpus = <1>; vpl011; kernel { '
            'compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("%s.bin"); }; };')
    source = "/dts-v1/; / { chosen { %s %s }; };" % (unit % ("good", "good"), unit % ("other", "other"))
    (tmp_path / "system.dts").write_text(source)
    image = tmp_path / "system.img"
    board = Machine(kernel=IMAGE, cpus=2, mem=512).board_tree()
    subprocess.run([TOOL, "--board", board, "--system", tmp_path / "system.dts", "--hypervisor", IMAGE, "-i", tmp_path,
                    "--digest", digest, "-o", image], check=True)
    packed = image.read_bytes()
    assert packed.count(b"BEHIND IT") == 1
    image.write_bytes(packed.replace(b"BEHIND IT", b"BEHIND HT"))
    with Machine(kernel=str(image), cpus=2, mem=512) as machine:
        try:
            machine.expect(r"^good: RT good ticks=\d+ missed=0", 60)
            focus(machine, "operator")
            operator(machine, "restart good")
            machine.expect_count(r"^bulkhead: .*good: restarts \(1\)", 1, 30)
            operator(machine, "restart other")
            machine.expect_count(r"^bulkhead: .*/chosen/other/kernel: found contents that its digest does not match, "
                                 r"expected what bulkhead-image packed$", 1, 30)
            machine.expect_count(r"^bulkhead: .*other: not built, phase", 1, 30)
            machine.expect_count(r"^good: RT good starts", 2, 30)  # the two are built side by side
            operator(machine, "list", r"^good +1 +running +1 +64 +\d+ +1 .*\n(?:.*\n)*?other +2 +failed ")
            machine.expect_count(r"^good: RT good ticks=\d+ missed=0", 4, 60)
            assert "missed=0" in machine.text and not re.search(r"missed=[1-9]", machine.text)
        except Exception:
            print(machine.text)
            raise


def test_partial_boot(boot):
    """The sound domain starts and loses nothing; the tool and the hypervisor say the same of the other.
    [test->req~partial-boot~1] [test->req~same-sentence~1]"""
    system = os.path.join(os.path.dirname(os.path.abspath(__file__)), "partial.dts")
    machine = boot(system, cpus=2, mem=512, hypervisor=IMAGE)
    said = subprocess.run([TOOL, "--check", "--board", machine.board_tree(), "--system", system, "-i", "out/guests"],
                          capture_output=True, text=True)
    assert said.returncode == 0
    assert "  broken: not started, its configuration is unsound\n" in said.stdout
    machine.expect_count(r"RT ticker ticks=\d+ missed=0", 2, 60)
    faults = [line for line in said.stderr.splitlines() if line.startswith("/")]
    assert len(faults) == 3
    assert faults_told(machine) == faults
    assert re.search(r"^bulkhead: .*broken: not started, its configuration is unsound$", machine.text, re.M)
    assert re.search(r"^bulkhead: .*boot: 1 domains running", machine.text, re.M)
    focus(machine, "operator")
    operator(machine, "list", r"^broken +1 +failed +0 +0 +0 .*\n(?:.*\n)*?ticker +2 +running +1 +64 ")
    operator(machine, "pause broken", r"^.*it does not run$")
    machine.send("poweroff\n")
    assert machine.wait_end(20) == 0
    check_ticks(machine, "ticker", 2)
