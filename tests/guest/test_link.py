"""Shared memory between two small guests, of which one ends itself again and again."""
import os
import re

import pytest

from helpers import check_lines, check_ticks
from lines import whole_lines

HERE = os.path.dirname(os.path.abspath(__file__))


def said(machine, name, what):
    return [line for line in whole_lines(machine.text, name) if what in line]


def check_bytes(machine, name, least):
    """Each line's sum is right; how much came in, which only rises within a life."""
    lines = said(machine, name, "LINK %s bytes=" % name)
    counts = [int(re.search(r"bytes=(\d+) crc=ok$", line).group(1)) for line in lines]
    assert max(counts) >= least
    return counts


def narrow(folder):
    """The same system, of which all but the borrower are in AArch32."""
    with open(os.path.join(HERE, "link.dts"), encoding="utf-8") as stream:
        text = stream.read()
    path = folder / "link-narrow.dts"
    path.write_text(text.replace('"link.bin"', '"armv7a/link.bin"', 1).replace('"rt.bin"', '"armv7a/rt.bin"'))
    return str(path)


@pytest.mark.parametrize("gic,is_narrow", [("3", False), ("2", False), ("3", True)])
def test_restart(boot, tmp_path, gic, is_narrow):
    """The owner of the memory resets, then crashes: its peer is told, goes on with what the next life sends, and its clock
    notices nothing; nor does the third domain. [test->req~shared-revoked~1] [test->req~shared-memory~1]
    [test->req~ring-library~1] [test->req~realtime-undisturbed~1] [test->req~aarch32-guests~1]"""
    machine = boot(narrow(tmp_path) if is_narrow else os.path.join(HERE, "link.dts"), gic=gic, cpus=3, mem=512)
    machine.expect(r"^owner: LINK owner starts, life 2", 60)
    machine.expect_count(r"owner: LINK owner bytes=\d+ crc=ok", 6, 30)
    check_ticks(machine, "ticker", 5)
    check_lines(machine, ["owner", "borrower", "ticker"])
    assert "FAIL" not in machine.text and "BAD" not in machine.text and "guest: trap" not in machine.text
    assert len(said(machine, "borrower", "LINK borrower starts")) == 1
    assert len(said(machine, "borrower", "LINK borrower peer restarted")) >= 2
    assert len(said(machine, "borrower", "LINK borrower peer's restarts: ")) == 2
    counts = check_bytes(machine, "borrower", 100000)
    assert counts == sorted(counts) and len(set(counts)) == len(counts)
    check_bytes(machine, "owner", 100000)
    ticks = [int(re.search(r"ticks=(\d+)", line).group(1)) for line in said(machine, "borrower", "LINK-CLOCK borrower")]
    assert ticks == sorted(ticks)
