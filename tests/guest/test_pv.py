"""Xen's interface as small kernels use it: other orders of calls than Linux', without registration, polled."""
import os
import re

import pytest

from helpers import check_lines, check_ticks

HERE = os.path.dirname(os.path.abspath(__file__))
WAYS = ("early", "console", "edk2", "uboot", "zephyr", "linux")


@pytest.mark.parametrize("gic,cpus", [("3", 4), ("2", 2), ("3", 1)])
def test_ways(boot, gic, cpus):
    """Each way in each of three lives, and the partner's mapping of a page whose owner resets is led away.
    [test->req~hypercalls~1] [test->req~event-channels~1] [test->req~grants~1]"""
    machine = boot(os.path.join(HERE, "pv.dts"), gic=gic, cpus=cpus, mem=512)
    machine.expect(r"^small: PV life 2 faults=(\d+)$", 120)
    machine.expect_count(r"^partner: PV partner sees the page revoked$", 2, 20)
    check_ticks(machine, "ticker", 3)
    check_lines(machine, ["small", "partner", "ticker"])
    assert "FAIL" not in machine.text and "guest: trap" not in machine.text
    for way in WAYS:
        assert len(re.findall(r"^small: PV %s ok$" % way, machine.whole, re.MULTILINE)) == 3, way


@pytest.mark.parametrize("cpus", [1, 3])
def test_polled_store(boot, cpus):
    """The xenstore's ring looked at without an event, as boot loaders do, byte by byte and many times around.
    [test->req~store-links~1]"""
    machine = boot(os.path.join(HERE, "polls.dts"), cpus=cpus, mem=512)
    machine.expect(r"^client: POLLS client requests=203 faults=0$", 60)
    check_lines(machine, ["store", "client"])
    assert "FAIL" not in machine.text and "guest: trap" not in machine.text
