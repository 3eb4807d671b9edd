"""Domains that hang, and the watchdog that ends that."""
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize("gic,cpus", [("3", 4), ("2", 3)])
def test_watchdog(boot, gic, cpus):
    """By the book, and from the domain's start: who hangs is restarted alone, until it did so too often.
    [test->req~watchdog~1]"""
    machine = boot(os.path.join(HERE, "watchdog.dts"), gic=gic, cpus=cpus, mem=512)
    machine.expect(r"^bulkhead: .*stuck: more than 3 restarts in a minute, it stays stopped$", 60)
    machine.expect(r"^bulkhead: .*trial: more than 1 restarts in a minute, it stays stopped$", 120)
    ticks = len(re.findall(r"RT ticker ticks", machine.whole))
    machine.expect_count(r"RT ticker ticks=\d+ missed=\d+", ticks + 2, 60)
    assert re.findall(r"trial: WATCHDOG (.*)", machine.whole) == ["ok"] * 2
    assert re.findall(r"trial: restarts \((\d+)\): watchdog", machine.whole) == ["1"]
    assert re.findall(r"stuck: restarts \((\d+)\): watchdog", machine.whole) == ["1", "2", "3"]
    assert set(re.findall(r"RT ticker ticks=\d+ missed=(\d+)", machine.whole)) == {"0"}
