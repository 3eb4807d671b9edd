"""A guest of random instructions, which now and then destroys itself and is restarted; its neighbour notices nothing."""
import os
import re

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
LINE = r"RANDOM instructions=(\d+) seeds=(\d+) traps=(\d+)"


def lives(text):
    """(instructions, seeds) of each life, from the last line that it wrote."""
    found = []
    for part in re.split(r"RANDOM \w+ begins, seed \d+", text)[1:]:
        lines = re.findall(LINE, part)
        if lines:
            found.append((int(lines[-1][0]), int(lines[-1][1])))
    return found


def total(text):
    return tuple(sum(life[i] for life in lives(text)) for i in (0, 1))


def judge(machine, seconds, at_least):
    """A life whose random stores met the code that reports goes on unheard until its last seed: the next ones count then."""
    machine.expect_count(r"RT ticker ticks=\d+ missed=\d+", seconds, 60 + (seconds * 5))

    def enough():
        instructions, seeds = total(machine.whole)
        return seeds >= at_least and instructions >= 50 * at_least
    machine.wait(enough, "%d seeds reported, of 50 instructions each" % at_least, 120)
    text = machine.whole
    print("RANDOM instructions=%d seeds=%d restarts=%d" % (*total(text), len(re.findall(r"random: restarts \(", text))))
    assert set(re.findall(r"RT ticker ticks=\d+ missed=(\d+)", text)) == {"0"}
    assert "early=" not in text
    assert "PANIC" not in text


@pytest.mark.parametrize("gic,cpu,cpus", [("3", "cortex-a57", 2), ("2", "max", 2)])
def test_random(boot, gic, cpu, cpus):
    """[test->req~input-never-panics~1] [test->req~memory-apart~1]"""
    judge(boot(os.path.join(HERE, "random.dts"), gic=gic, cpu=cpu, cpus=cpus, mem=512), 8, 40)
