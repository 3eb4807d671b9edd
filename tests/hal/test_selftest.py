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


def test_selftest_armv8r(boot, tmp_path):
    """Nobody hands this board's tree over, nor can every board be switched off."""
    tree = str(tmp_path / "board.dtb")
    source = os.path.join(ROOT, "systems", "boards", "mps3-an536.dts")
    subprocess.run(["dtc", "-q", "-I", "dts", "-O", "dtb", "-o", tree, source], check=True)
    suite(boot, "armv8r", 32, board="mps3-an536", extra=["-device", "loader,file=%s,addr=0x34000000,force-raw=on" % tree])
