"""What the hypervisor refuses to run on, with a message. [test->req~refuses-el1~1]"""
import os
import re
import subprocess

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


TOOL = "out/host/bulkhead-image"
# Three faults in two nodes of the reference system: a value, a property of a later issue, modules that overlap.
DAMAGE = [("-t", "i", "/chosen/domU1", "cpus", "0"),
          ("-t", "x", "/chosen/domU2", "xen,static-mem", "30000000", "1000"),
          ("-t", "x", "/chosen/domU2/module@0x4d000000", "reg", "0", "4c000000", "ffffff")]


def test_same_sentences_as_the_tool(tmp_path):
    """A bad tree is refused by tool and hypervisor with the same sentences, and nothing starts.
    [test->req~same-sentence~1]"""
    tree = str(tmp_path / "bad.dtb")
    board = Machine(kernel=IMAGE).board_tree()
    subprocess.run([TOOL, "--merge", "--board", board, "--system", "systems/reference.dts", "-o", tree], check=True)
    for node in DAMAGE:
        subprocess.run(["fdtput", node[0], node[1], tree] + list(node[2:]), check=True)
    said = subprocess.run([TOOL, "--check", "--board", board, "--system", tree], capture_output=True, text=True)
    faults = [line for line in said.stderr.splitlines() if line.startswith("/")]
    assert said.returncode == 1
    assert len(faults) >= 3
    with Machine(kernel=IMAGE, extra=["-dtb", tree]) as machine:
        try:
            machine.expect(r"nothing is started", 30)
            machine.wait_end(30)
        except Exception:
            print(machine.text)
            raise
        told = [re.sub(r"^bulkhead: \[ *[0-9.]+\] ", "", line) for line in machine.text.splitlines()]
        assert [line for line in told if line.startswith("/")] == faults
        assert "starts" not in machine.text.replace("nothing is started", "")
