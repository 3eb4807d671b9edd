"""The hypervisor is broken on purpose: what bulkhead,on-panic says follows, and the log survives."""
import os
import re

import pytest

from helpers import focus, operator

HERE = os.path.dirname(os.path.abspath(__file__))
RESETS = ["-action", "reboot=reset"]  # the runs of all other systems end at a reset


def start(boot, policy, **machine):
    """Both real-time guests tick, the third one is gone, and the operator has the input."""
    m = boot(os.path.join(HERE, "panic-%s.dts" % policy), cpus=3, mem=512, **machine)
    m.expect(r"lost: crashed: its exception vectors cannot be fetched", 60)
    for name in ("first", "second"):
        m.position = 0
        m.expect(r"RT %s ticks=\d+ missed=0" % name, 60)
    focus(m, "operator")
    return m


def kept(text):
    return re.findall(r"^bulkhead: before the reset\| (.*)$", text, re.MULTILINE)


def test_reboot(boot):
    """The host is reset, and the next boot says what was logged before, once. [test->req~on-panic~1] [test->req~log-kept~1]"""
    m = start(boot, "reboot", extra=RESETS)
    m.send("panic 1\n")
    m.expect(r"PANIC on CPU 1, running second: asked for by the operator", 20)
    end = m.expect(r"^bulkhead: before the reset\| .*PANIC at .*$", 60).end()
    said = kept(m.text)
    first_boot = [line[len("bulkhead: "):] for line in m.text[:m.text.index("before the reset")].splitlines()
                  if re.match(r"bulkhead: \[ *\d+\.\d{3}\] ", line)]
    # Lines of two CPUs at the same time may stand the other way round on the console (src/base/log.h).
    assert sorted(said) == sorted(first_boot)
    assert said[-2:] == first_boot[-2:]
    m.expect(r"RT second ticks=\d+ missed=0", 60)
    focus(m, "operator")
    m.send("reboot\n")
    m.expect(r"^bulkhead: before the reset\| .*domains running", 60)
    m.expect(r"RT second ticks=\d+ missed=0", 60)
    assert not any("PANIC" in line for line in kept(m.text[end:]))


def test_halt(boot):
    """Guests that run into nowhere end, with their fault log; then all CPUs stop. [test->req~on-panic~1]
    [test->req~fault-log~1] [test->req~vectors-nowhere~1]"""
    m = start(boot, "halt")
    operator(m, "faults lost", r"^ +\d+\.\d{3} +\d+\.\d{3} +0 +1  fetch at 0x18000000, syndrome 0x\w+\n(?:.*\n)*?"
             r" +\d+\.\d{3} +\d+\.\d{3} +0 +1  fetch at 0x10000200, syndrome 0x\w+\n(?:.*\n)*?"
             r" .* its exception vectors cannot be fetched at 0x0")
    operator(m, "panic 7", r"there is no such CPU")
    m.send("panic\n")
    m.expect(r"PANIC on CPU \d, running worker: asked for by the operator", 20)
    m.expect(r"PANIC at .*\n", 20)
    at = len(m.text)
    with pytest.raises(Exception, match="still not seen"):
        m.expect(r"RT \w+ ticks", 3)
    assert "RT" not in m.text[at:]


@pytest.mark.parametrize("gic,cpu,name,other", [("3", 1, "second", "first"), ("2", 0, "first", "second")])
def test_park(boot, gic, cpu, name, other):
    """One CPU stops and its domain with it; the others, the console and the operator go on. A second panic stops all.
    [test->req~on-panic~1]"""
    m = start(boot, "park", gic=gic)
    m.send("panic %d\n" % cpu)
    m.expect(r"PANIC on CPU %d, running %s: asked for by the operator" % (cpu, name), 20)
    m.expect(r"PANIC: CPU %d is parked, the others run on" % cpu, 20)
    m.expect(r"%s: crashed: the hypervisor failed on its CPU" % name, 30)
    m.expect_count(r"RT %s ticks=\d+ missed=0" % other, 2, 30)
    operator(m, "list", r"^%s +\d +crashed" % name)
    operator(m, "restart %s" % name, r"it cannot be built")
    m.send("restart lost\n")
    m.expect(r"lost: crashed: its exception vectors cannot be fetched", 30)
    assert not re.search(r"missed=[1-9]", m.text)
    m.send("panic 2\n")
    m.expect(r"PANIC: CPU 2 cannot be parked: .*; all CPUs halt", 20)
