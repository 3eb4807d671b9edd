"""The guests of this folder on Armv7-A and Armv8-R: what they find, and what they cannot do, is the same there."""
import re

import pytest

from helpers import check_ticks
from ports import PROBES, machine, system
from test_probe import END, faults, finish
from walls import check_hostile, check_restart

# Cortex-A15 with either interrupt controller, Cortex-R52 with its own
BOARDS = [("virt-a15", "2"), ("virt-a15", "3"), ("mps3-an536", None)]
ONE_EACH = [("virt-a15", "3"), ("mps3-an536", None)]


def check_probe(m, name, board):
    bad, count = faults(m, name)
    assert not bad
    assert count == PROBES[board]


@pytest.mark.parametrize("board,gic", BOARDS)
def test_probe(boot, board, gic):
    """[test->req~vgic-v2~1] [test->req~vgic-v3~1] [test->req~psci~1] [test->req~smccc~1] [test->req~unmapped-access~1]
    [test->req~virtual-timer~1] [test->req~physical-timer~1] [test->req~guest-registers~1] [test->req~vpl011~1]
    [test->req~memory-scrubbed~1] [test->req~hypercalls~1]"""
    m = boot(system("probe", board), **machine(board, gic=gic, cpus=2, mem=512))
    finish(m, "probe", 60)
    check_probe(m, "probe", board)


@pytest.mark.parametrize("kind,gic", [("armv7a", "3"), ("thumb", "2")])
def test_probe_aarch32(boot, kind, gic):
    """A guest of 32 bits, in ARM and in Thumb code, on a host of 64. [test->req~guest-registers~1]"""
    m = boot(system("probe", "virt", ('"probe.bin"', '"%s/probe.bin"' % kind)), gic=gic, cpus=2, mem=512)
    finish(m, "probe", 60)
    check_probe(m, "probe", "virt-a15")


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_crowd(boot, board, gic):
    """Five vCPUs on two CPUs: the same answers, and the real-time guest loses no tick. [test->req~more-vcpus~1]"""
    m = boot(system("crowd", board), **machine(board, gic=gic, cpus=2, mem=512))
    finish(m, "probe1", 120)
    m.send("\x01\x01\x01")
    m.expect(r"\[input: probe2\]", 10)
    m.expect_count(r"probe2: PROBE-INPUT", 1, 60)
    m.send("x")
    m.expect_count(r"probe2: " + END, 1, 60)
    m.expect_count(r"ticker: RT ticker ticks=\d+ missed=\d+", 2, 60)
    for name in ("probe1", "probe2"):
        check_probe(m, name, board)
    check_ticks(m, "ticker", 2)


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_storm(boot, board, gic):
    """Sleep, ticks and messages: nothing gets lost. [test->dsn~wake-not-lost~1]"""
    most = 2 if board == "mps3-an536" else 4  # as many as the board's redistributors
    m = boot(system("storm", board, ("cpus = <4>", "cpus = <%d>" % most)), **machine(board, gic=gic, cpus=2, mem=512))
    m.expect(r"storm: STORM-END tick=(\d+) call=(\d+)", 60)
    vcpus = re.findall(r"STORM vCPU (\d): (\d+) ticks, (\d+) calls, worst tick after (\d+), worst call after (\d+)",
                       m.whole)
    assert [int(v[0]) for v in vcpus] == list(range(most))
    assert all(int(v[1]) > 50 and int(v[2]) > 20 and int(v[3]) < 2000 and int(v[4]) < 2000 for v in vcpus)


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_again(boot, board, gic):
    """Twenty lives of a guest that leaves traces wherever it can. [test->req~restart-alone~1] [test->req~restart-fresh~1]"""
    m = boot(system("again", board), **machine(board, gic=gic, cpus=2, mem=512))
    m.expect(r"again: restarts \(20\): SYSTEM_RESET", 120)
    assert m.whole.count("AGAIN fresh") >= 19
    assert "not fresh" not in m.text
    assert "goes on after" not in m.text
    check_ticks(m, "ticker", 1)


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_hostile(boot, board, gic):
    """Every place of the address space from PL1 and USR mode, all coprocessor registers, those of HYP mode among them, own
    tables or regions over everything: none is reached, and the neighbour feels nothing. [test->req~hostile-guests~1]
    [test->req~memory-apart~1] [test->req~vectors-nowhere~1]"""
    check_hostile(boot, board, system=system("hostile", board), arch="arm32", **machine(board, gic=gic, cpus=2))


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_restart(boot, board, gic):
    """Seven ways to end, four times, each life clean. [test->req~restart-alone~1] [test->req~restart-fresh~1]"""
    check_restart(boot, board, count=28, system=system("restart", board), **machine(board, gic=gic, cpus=2))


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_link(boot, board, gic):
    """Event channels and shared memory; the owner ends itself twice. [test->req~shared-memory~1] [test->req~shared-revoked~1]"""
    changes = [("<0 0x50000000 ", "<0 0x3c000000 0 0x3c000000 ")] if board == "mps3-an536" else []
    m = boot(system("link", board, *changes), **machine(board, gic=gic, cpus=2 if board == "mps3-an536" else 3, mem=512))
    m.expect(r"^owner: LINK owner starts, life 2", 60)
    m.expect_count(r"owner: LINK owner bytes=\d+ crc=ok", 6, 30)
    assert "FAIL" not in m.text and "BAD" not in m.text and "guest: trap" not in m.text
    assert len(re.findall(r"LINK borrower peer restarted", m.whole)) >= 2
    check_ticks(m, "ticker", 3)


@pytest.mark.parametrize("kind", ["grant", "pv"])
def test_shared_pages(boot, kind):
    """Grants, and Xen's interface as small kernels use it, by Arm32's calls. [test->req~grants~1] [test->req~hypercalls~1]"""
    m = boot(system(kind, "virt-a15"), **machine("virt-a15", gic="2", cpus=4, mem=512))
    if kind == "grant":
        m.expect(r"^mapper: GRANT mapper ok", 60)
        assert "mapper: GRANT mapper reads zeros" in m.text
    else:
        assert int(m.expect(r"^small: PV life 2 faults=(\d+)$", 120).group(1)) == 0
        m.expect_count(r"^partner: PV partner sees the page revoked$", 2, 20)
    assert "FAIL" not in m.text and "guest: trap" not in m.text


@pytest.mark.parametrize("board,gic", ONE_EACH)
def test_watchdog(boot, board, gic):
    """By the book; the guest that hangs is restarted alone. [test->req~watchdog~1]"""
    m = boot(system("watchdog", board), **machine(board, gic=gic, cpus=2 if board == "mps3-an536" else 3, mem=512))
    m.expect(r"^bulkhead: .*trial: more than 1 restarts in a minute, it stays stopped$", 120)
    assert re.findall(r"trial: WATCHDOG (.*)", m.whole) == ["ok"] * 2
    check_ticks(m, "ticker", 3)
