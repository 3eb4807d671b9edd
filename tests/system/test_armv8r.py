"""Systems on mps3-an536: two Cortex-R52, protection regions, no firmware."""
import os
import re

from helpers import check_lines, check_ticks, focus, operator

HERE = os.path.dirname(os.path.abspath(__file__))
BOARD = "mps3-an536"


def test_two_rt(boot):
    """One domain crashes and restarts again and again, the other's clock misses nothing; the watchdog switches the host off.
    [test->req~armv8r~1] [test->req~mps3-an536~1] [test->req~realtime-undisturbed~1]"""
    m = boot("two-rt", board=BOARD)
    m.expect("^bulkhead: .*nothing translates on this host", 60)
    m.expect_count(r"crashes: restarts \(\d+\): its exception vectors cannot be fetched", 3, 60)
    check_ticks(m, "ticks", 6)
    check_lines(m, ["ticks", "crashes"])
    focus(m, "operator")
    operator(m, "list", r"^ticks +1 +running +1 +8 +\d+ +0 +0 +\d+$")
    m.send("poweroff\n")
    assert m.wait_end(20) == 0
    assert "comes too often" not in m.text


def test_half(boot):
    """Static memory without direct-map is where the host has it, and its owner is told. [test->req~armv8r~1]
    [test->req~static-memory~1]"""
    m = boot(os.path.join(HERE, "armv8r-half.dts"), board=BOARD, mem=1024)
    m.expect("^bulkhead: .*/chosen/half: xen,static-mem: is mapped directly: nothing translates on this host", 60)
    check_ticks(m, "half", 2)


def test_shared_core(boot):
    """Two domains on one core, with memory that they share; a third has a UART. [test->req~armv8r~1]"""
    m = boot(os.path.join(HERE, "armv8r.dts"), board=BOARD, second=True)
    check_ticks(m, "left", 3)
    check_ticks(m, "right", 3)
    m.second_expect(r"RT \w+ ticks=\d+ missed=0 [^\0]*RT \w+ ticks=\d+ missed=0 ", 60)
    check_lines(m, ["left", "right", "own"])
    focus(m, "operator")
    m.send("report\n")
    m.expect(r"^report: # \d+ facts", 20)
    said = set(re.findall(r"^report: (map .*)$", m.whole, re.MULTILINE))
    assert said == {
        "map left 0x30000000-0x307fffff 0x30000000 rwx normal", "map left 0x33000000-0x3307ffff 0x33000000 rw- normal",
        "map right 0x31000000-0x317fffff 0x31000000 rwx normal", "map right 0x33000000-0x3307ffff 0x33000000 rw- normal",
        "map own 0x32000000-0x327fffff 0x32000000 rwx normal", "map own 0xe0206000-0xe0206fff 0xe0206000 rw- device"}


def test_links(boot):
    """Both ends of a link on one core; the owner of the memory resets, then crashes. [test->req~armv8r~1]
    [test->req~static-channels~1] [test->req~shared-revoked~1]"""
    m = boot(os.path.join(HERE, "armv8r-link.dts"), board=BOARD)
    m.expect(r"^owner: LINK owner starts, life 2", 60)
    m.expect_count(r"owner: LINK owner bytes=[1-9]\d* crc=ok", 4, 30)
    check_ticks(m, "ticker", 5)
    check_lines(m, ["owner", "borrower", "ticker"])
    assert "FAIL" not in m.text and "BAD" not in m.text and "guest: trap" not in m.text
    assert m.whole.count("LINK borrower peer's restarts: ") == 2
