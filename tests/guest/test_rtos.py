"""A kernel in the manner of an RTOS for Cortex-R52 (tests/guest/rtos): it knows core and board, and nothing of us."""
import os
import re
import subprocess
import time

import pytest

from conftest import ROOT

FACTS = 45  # that it tells

SYSTEM = """/dts-v1/;

/ {
    chosen {
        #address-cells = <1>;
        #size-cells = <1>;
        bulkhead,scheduler = "%s";

        ddr {
            compatible = "xen,domain";
            memory = <0 1024>;
            cpus = <1>;
            xen,static-mem = <0x24000000 0x100000>;
            bulkhead,no-device-tree;
            vcpu0 { compatible = "xen,vcpu"; id = <0>; hard-affinity = "0"; };
            kernel { compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("rtos.elf"); };
            devices { compatible = "multiboot,device-tree", "multiboot,module"; data = /incbin/("mps3-uart1.dtb"); };
        };
        bram {
            compatible = "xen,domain";
            memory = <0 512>;
            cpus = <1>;
            xen,static-mem = <0x10000000 0x80000>;
            direct-map;
            bulkhead,no-device-tree;
            vcpu0 { compatible = "xen,vcpu"; id = <0>; hard-affinity = "%d"; };
            kernel { compatible = "multiboot,kernel", "multiboot,module"; data = /incbin/("rtos-own.elf"); };
            devices { compatible = "multiboot,device-tree", "multiboot,module"; data = /incbin/("mps3-own.dtb"); };
        };
    };
};
"""


def verdict(text, mode):
    assert "RTOS begins in " + mode in text
    assert not re.findall(r"RTOS .*FAIL.*", text), text
    assert len(re.findall(r"RTOS \S+ ok\b", text)) == FACTS, text
    assert "RTOS end: " in text


@pytest.mark.parametrize("image,before", [("rtos", 3), ("rtos-own", 0)])
def test_bare_board(tmp_path, image, before):
    """What the kernel asks of a machine is what the board has: it passes there without us, from HYP."""
    console = tmp_path / "console"
    serial = ["-serial", "null"] * before + ["-serial", "file:%s" % console]
    command = ["qemu-system-arm", "-machine", "mps3-an536", "-smp", "2", "-display", "none", "-monitor", "none", *serial,
               "-kernel", os.path.join(ROOT, "out", "guests", image + ".elf")]
    end = time.monotonic() + 30 * float(os.environ.get("BULKHEAD_PATIENCE", "1"))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as qemu:
        text = ""
        while "RTOS end" not in text and time.monotonic() < end and qemu.poll() is None:
            time.sleep(0.1)
            text = console.read_text(errors="replace") if console.exists() else ""
        qemu.terminate()
    verdict(text, "HYP")


@pytest.mark.parametrize("scheduler,cpu", [("null", 1), ("credit2", 0)])
def test_guests(boot, tmp_path, scheduler, cpu):
    """Two of them, in DDR and in block RAM, each on a core or both on one, on UARTs that are passed through.
    [test->req~rtos-images~1] [test->req~core-registers~1] [test->req~guest-registers~1] [test->req~physical-timer~1]"""
    source = tmp_path / "rtos.dts"
    source.write_text(SYSTEM % (scheduler, cpu))
    own = [tmp_path / name for name in ("core0", "core1")]
    m = boot(str(source), board="mps3-an536", second=True, cores=["file:%s" % path for path in own])
    m.expect(r"all domains are off", 60)
    assert len(re.findall(r"powered off: SYSTEM_OFF", m.whole)) == 2, m.text
    verdict(m.second_text, "SVC")
    verdict(own[cpu].read_text(errors="replace"), "SVC")
