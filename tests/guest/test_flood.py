"""Floods of input: into the host's UART, and so into the domain that has the input."""
import fcntl
import os
import re
import time

import pytest

from helpers import check_lines, check_ticks, focus
from lines import whole_lines

HERE = os.path.dirname(os.path.abspath(__file__))
SECONDS = 3
RATE = 10  # bulkhead,max-irq-rate in flood.dts


def flood(machine, seconds):
    """Types as fast as the UART takes it, with little on the way."""
    fcntl.fcntl(machine.process.stdin.fileno(), fcntl.F_SETPIPE_SZ, 4096)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        machine.send("x" * 1024)


def until_heard(machine, name):
    """What is typed into the rest of the flood is lost to the emulated UART's buffer: types again."""
    for _ in range(20):
        machine.send("i")
        time.sleep(0.5)
        if "FLOOD %s hears" % name in machine.text:
            return
    raise AssertionError("%s does not hear any more" % name)


def rates(machine, name):
    """Interrupts and milliseconds of each of the guest's seconds."""
    found = [re.search(r"FLOOD \w+ interrupts=(\d+) bytes=\d+ ms=(\d+)$", line) for line in whole_lines(machine.text, name)]
    return [(int(match[1]), int(match[2])) for match in found if match]


@pytest.mark.parametrize("gic", ["3", "2"])
def test_flood(boot, gic):
    """The domain with a rate gets no more interrupts than that, and its input works afterwards; the other one shows that
    there was a flood; and the real-time guest on the CPU that takes it all loses no tick. [test->req~irq-rate~1]
    [test->dsn~irq-bounded~1] [test->req~realtime-undisturbed~1]"""
    machine = boot(os.path.join(HERE, "flood.dts"), gic=gic, cpus=3, mem=512)
    machine.expect_count(r"FLOOD \w+ ready|RT ticker ticks=", 3, 60)
    for name in ("bounded", "free"):
        focus(machine, name)
        flood(machine, SECONDS)
        until_heard(machine, name)
    machine.expect(r"RT ticker ticks=", 20)
    bounded = rates(machine, "bounded")
    for interrupts, ms in bounded:
        assert interrupts <= RATE * (ms + 100) / 1000 + 2  # a tenth of a second's in advance, one more, and one that waited
    assert sum(interrupts for interrupts, _ in bounded) >= RATE
    assert max(interrupts * 1000 / ms for interrupts, ms in rates(machine, "free")) > 3 * RATE
    assert machine.whole.count("bounded: more device interrupts than bulkhead,max-irq-rate") >= 1
    assert machine.whole.count("more device interrupts than") < 12
    assert "free: more" not in machine.text
    check_ticks(machine, "ticker", 6)
    check_lines(machine, ["bounded", "free", "ticker"])
