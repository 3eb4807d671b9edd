"""Domains whose memory is fixed: Linux at the host's addresses, a real-time guest beside it."""
import os

from helpers import LINUX_UP, check_lines, check_ticks, focus, operator, shell
from run import ROOT

BANKS = ["60000000-67ffffff : System RAM", "110000000-113ffffff : System RAM"]
UART = "9000000-9000fff : sbsa-uart@9000000"


def check_banks(m):
    """What Linux has, and nothing at the addresses of other guests."""
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "grep 'System RAM' /proc/iomem | grep -vc ' : System RAM$'", "0")
    for bank in BANKS:
        shell(m, "domU1", "grep -c '^%s$' /proc/iomem" % bank, "1")
    shell(m, "domU1", "grep -c 'System RAM' /proc/iomem", str(len(BANKS)))
    shell(m, "domU1", "ls /proc/device-tree | grep -c -e ^memory@60000000$ -e ^sbsa-uart@9000000$ -e @8000000$", "3")


def static(boot, **machine):
    m = boot("static", **machine)
    m.expect(r"RT domU2 ticks=\d+ missed=0", 60)
    check_banks(m)
    focus(m, "operator")
    operator(m, "list", r"^domU1 +1 +running +2 +192 ")
    operator(m, "restart domU1")
    m.expect(r"^bulkhead: .*domU1: restarts \(1\)", 30)
    focus(m, "domU1")
    check_banks(m)
    shell(m, "domU1", "echo $((6*7))-$(nproc)", "42-2")
    check_ticks(m, "domU2", 5)
    check_lines(m, ["domU1", "domU2"])


def test_static(boot):
    """[test->req~static-memory~1] [test->req~direct-map~1] [test->req~static-heap~1]"""
    static(boot)


def test_static_gicv2(boot):
    """[test->req~static-memory~1] [test->req~direct-map~1]"""
    static(boot, gic="2", cpu="cortex-a53")


def test_static_smallest(boot):
    """In the profile without parts, which has no operator. [test->req~static-profile~1] [test->req~static-memory~1]"""
    hypervisor = os.path.join(ROOT, "out/arm64-clang-release-static3-none/bulkhead.bin")
    assert os.stat(hypervisor).st_size < 128 << 10
    m = boot("static", hypervisor=hypervisor)
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(nproc)", "42-2")
    check_ticks(m, "domU2", 2)
