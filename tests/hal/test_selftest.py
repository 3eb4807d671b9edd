"""The contract suite as an image in the hypervisor's place. [test->dsn~port-contract~1]"""
import os
import re
import subprocess

import pytest

from run import ROOT

SMMU = ["-machine", "iommu=smmuv3", "-device", "edu,dma_mask=0xffffffffff"]


def suite(boot, port, least, **machine):
    """Boots the port's image and returns the machine after its last words."""
    machine = boot(kernel="out/%s-clang-release/hal-selftest.bin" % port, cpus=2, **machine)
    found = machine.expect(r"^HAL-SUITE (\d+) passed, (\d+) failed", 60)
    assert found.group(2) == "0"
    assert int(found.group(1)) >= least
    assert not re.search(r"FAIL|fatal", machine.text)
    return machine


@pytest.mark.parametrize("gic,cpu,extra", [("3", "cortex-a57", SMMU), ("2", "cortex-a57", []), ("3", "max", SMMU),
                                           ("2", "cortex-a53", SMMU), ("3", "cortex-a76", SMMU)],
                         ids=["3-a57-smmu", "2-a57", "3-max-smmu", "2-a53-smmu", "3-a76-smmu"])
def test_selftest(boot, gic, cpu, extra):
    machine = suite(boot, "arm64", 32, gic=gic, cpu=cpu, mem=1024, extra=extra)
    assert machine.wait_end(20) == 0
    assert bool(extra) == ("bits of stream ids" in machine.text)


@pytest.mark.parametrize("gic", ["2", "3"])
def test_selftest_armv7a(boot, gic):
    machine = suite(boot, "armv7a", 32, board="virt-a15", gic=gic, mem=1024)
    assert machine.wait_end(20) == 0


ARMV7A = "out/armv7a-clang-release/hal-selftest.bin"


def moved(tmp_path, place):
    """For QEMU, which has one place for images: something there that jumps (ldr pc, [pc, #-4]) to the image at another."""
    jump = tmp_path / "jump.bin"
    jump.write_bytes(b"\x04\xf0\x1f\xe5" + place.to_bytes(4, "little"))
    loader = ["-device", "loader,file=%s,addr=0x%x,force-raw=on" % (os.path.join(ROOT, ARMV7A), place)]
    return {"kernel": str(jump), "board": "virt-a15", "mem": 3072, "cpus": 2, "extra": loader}


@pytest.mark.parametrize("place", [0x40200000, 0x80001000, 0xC0200000])
def test_places_armv7a(boot, tmp_path, place):
    """The image runs from any page, whichever area of its own map has the same addresses."""
    machine = boot(**moved(tmp_path, place))
    machine.expect(r"^HAL-SUITE \d+ passed, 0 failed", 60)
    assert machine.wait_end(20) == 0


def test_refused_place_armv7a(boot, tmp_path):
    boot(**moved(tmp_path, 0x40200800)).expect(r"^Bulkhead must be loaded at a 4 KiB boundary, ", 20)


def test_refused_mode_armv7a(boot):
    """[test->req~refuses-el1~1]"""
    machine = boot(kernel=ARMV7A, board="virt-a15", mem=512, cpus=1, extra=["-machine", "virtualization=off"])
    machine.expect(r"^Bulkhead needs HYP mode", 20)


def test_selftest_armv8r(boot, tmp_path):
    """Nobody hands this board's tree over, nor can every board be switched off."""
    tree = str(tmp_path / "board.dtb")
    source = os.path.join(ROOT, "systems", "boards", "mps3-an536.dts")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, source], check=True)
    suite(boot, "armv8r", 32, board="mps3-an536", extra=["-device", "loader,file=%s,addr=0x34000000,force-raw=on" % tree])
