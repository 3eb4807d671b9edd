"""A device that does DMA, in the hands of a domain that abuses it."""
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SMMU = ["-machine", "iommu=smmuv3", "-device", "edu,dma_mask=0xffffffffffff"]


@pytest.mark.parametrize("gic,cpu", [("3", "max"), ("2", "cortex-a53")])
def test_dma(boot, gic, cpu):
    """It reaches the domain's memory and nothing else; two lives, both ended in the middle of a transfer; what was refused is
    told of the domain. [test->req~dma-apart~1] [test->req~dma-fault-log~1] [test->req~dma-restart~1]"""
    machine = boot(os.path.join(HERE, "dma.dts"), gic=gic, cpu=cpu, cpus=4, mem=512, extra=SMMU)
    machine.expect(r"^bulkhead: .*attacker: more than 1 restarts in a minute, it stays stopped$", 120)
    seen = len(re.findall(r"memory=unchanged", machine.whole))
    machine.expect_count(r"(one|two): DMA victim memory=unchanged", seen + 4, 60)
    ticks = len(re.findall(r"RT ticker ticks", machine.whole))
    machine.expect_count(r"RT ticker ticks=\d+ missed=\d+", ticks + 1, 60)
    assert re.findall(r"attacker: DMA own=(\w+) foreign=(\w+)", machine.whole) == [("ok", "blocked")] * 2
    assert "changed" not in re.findall(r"DMA victim memory=(\w+)", machine.whole)
    assert set(re.findall(r"RT ticker ticks=\d+ missed=(\d+)", machine.whole)) == {"0"}
    told = re.findall(r"attacker: DMA of stream 0x[0-9a-f]+ at (0x[0-9a-f]+) refused: nothing there, event 0x10", machine.whole)
    assert told[0] == "0x40200000"
    assert 4 <= len(told) < 20
    assert not re.search(r"no domain's|(one|two|ticker): DMA of stream", machine.text)
