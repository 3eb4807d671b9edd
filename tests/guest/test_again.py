"""A guest that resets itself fifty times in a row beside one that ticks."""
import os
import re

import pytest

from helpers import check_ticks, focus, operator

HERE = os.path.dirname(os.path.abspath(__file__))
LIVES = 50


@pytest.mark.parametrize("gic,cpus", [("3", 4), ("2", 1)])
def test_again(boot, gic, cpus):
    """Each life is like the first, none is lost, and nobody else notices. The operator ends it, and begins it again.
    [test->req~restart-alone~1] [test->req~restart-fresh~1] [test->req~realtime-undisturbed~1]"""
    machine = boot(os.path.join(HERE, "again.dts"), gic=gic, cpus=cpus, mem=512)
    machine.expect(r"again: restarts \(%d\): SYSTEM_RESET" % LIVES, 120)
    focus(machine, "operator")
    operator(machine, "stop again", "again: powered off: stopped by the operator")
    ended = machine.whole.count("AGAIN fresh")
    assert ended >= LIVES
    operator(machine, "restart again", r"again: restarts \(\d+\): by the operator")
    machine.expect(r"again: restarts \(\d+\): SYSTEM_RESET", 30)
    machine.expect_count("AGAIN fresh", ended + 5, 30)
    assert "not fresh" not in machine.text
    assert "goes on after" not in machine.text
    numbers = [int(n) for n in re.findall(r"again: restarts \((\d+)\)", machine.whole)]
    assert numbers == list(range(1, len(numbers) + 1))
    check_ticks(machine, "ticker", 1)
