"""The contract suite as an image in the hypervisor's place. [test->dsn~port-contract~1]"""
import os
import re

import pytest

IMAGE = os.environ.get("BULKHEAD_SELFTEST", "out/arm64-clang-release/hal-selftest.bin")


SMMU = ["-machine", "iommu=smmuv3", "-device", "edu,dma_mask=0xffffffffff"]


@pytest.mark.parametrize("gic,cpu,extra", [("3", "cortex-a57", SMMU), ("2", "cortex-a57", []), ("3", "max", SMMU),
                                           ("2", "cortex-a53", SMMU), ("3", "cortex-a76", SMMU)],
                         ids=["3-a57-smmu", "2-a57", "3-max-smmu", "2-a53-smmu", "3-a76-smmu"])
def test_selftest(boot, gic, cpu, extra):
    machine = boot(kernel=IMAGE, gic=gic, cpu=cpu, cpus=2, mem=1024, extra=extra)
    found = machine.expect(r"^HAL-SUITE (\d+) passed, (\d+) failed", 60)
    assert found.group(2) == "0"
    assert int(found.group(1)) >= 32
    assert machine.wait_end(20) == 0
    assert not re.search(r"FAIL|fatal", machine.text)
    assert bool(extra) == ("bits of stream ids" in machine.text)
