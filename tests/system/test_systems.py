"""The systems of systems/, booted with Debian's kernel in QEMU."""
import os
import re

import pytest

from helpers import LINUX_UP, check_lines, check_ticks, focus, operator, shell


def test_demo(boot):
    """Both guests are up, each can be talked to, and the operator ends it. [test->req~demo~1]
    [test->req~console-lines~1] [test->req~console-switch~1] [test->req~operator~1] [test->req~power-off-host~1]
    [test->req~start-order~1] [test->req~realtime-undisturbed~1]
    [test->req~one-file~1]"""
    m = boot("demo")
    m.expect(r"RT domU2 ticks=\d+ missed=0", 60)
    assert "domU1: [" not in m.text[:m.text.index("RT domU2")], "the real-time domain starts first"
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(uname -m)", "42-aarch64")
    shell(m, "domU1", "nproc", "2")
    focus(m, "domU2")
    m.send("i")
    m.expect(r"RT domU2 ticks=\d+ missed=0", 20)
    focus(m, "operator")
    operator(m, "list", r"^domU1 +1 +running +2 +128 +\d+ +0 +\d+ +\d+\n(?:.*\n)*?domU2 +2 +running +1 +64 +\d+ +0 +\d+ +\d+$")
    operator(m, "stop domU1")
    m.expect(r"^bulkhead: .*domU1: .*stopped by the operator", 30)
    m.expect(r"RT domU2 ticks=\d+ missed=0", 20)
    operator(m, "list", r"^domU1 +1 +stopped")
    check_ticks(m, "domU2", 5)
    operator(m, "pause domU2")
    operator(m, "list", r"^domU2 +2 +paused")
    operator(m, "resume domU2")
    operator(m, "list", r"^domU2 +2 +running")
    m.expect(r"RT domU2 ticks=\d+", 30)
    m.send("poweroff\n")
    assert m.wait_end(20) == 0
    check_lines(m, ["domU1", "domU2"])


def test_demo_gicv2(boot):
    """[test->req~demo~1] [test->req~gicv2-host~1]"""
    m = boot("demo", gic="2", cpu="cortex-a53")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(nproc)", "42-2")
    m.expect(r"RT domU2 ticks", 20)
    check_ticks(m, "domU2", 3)
    check_lines(m, ["domU1", "domU2"])


def test_once(boot):
    """A kernel in place runs, its module is memory of the domain, and there is no second life.
    [test->req~kernel-in-place~1] [test->req~memory-vouched~1]"""
    m = boot(os.path.join(os.path.dirname(os.path.abspath(__file__)), "once.dts"))
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    retained = int(re.search(r"retained modules: (\d+) bytes", m.text).group(1))
    assert retained < (16 << 20), "the kernel's module is not kept beside the domain's memory"
    shell(m, "domU1", "echo $((6*7))-$(uname -m)", "42-aarch64")
    focus(m, "operator")
    operator(m, "restart domU1", r"^it cannot be built")
    focus(m, "domU1")
    m.send("reboot -f\n")
    m.expect(r"^bulkhead: .*domU1: asked for a reset and is parked", 60)
    check_ticks(m, "ticker", 5)


def two_linux(boot, **machine):
    m = boot("two-linux", **machine)
    m.expect_count(r"GUEST-UP domU[12]", 2, LINUX_UP)
    shell(m, "domU1", "echo $((6*7))", "42")
    shell(m, "domU1", "grep -c console=ttyAMA0 /proc/cmdline", "1")
    m.send("poweroff\n")
    m.expect(r"^bulkhead: .*domU1: powered off", 60)
    focus(m, "domU2")
    shell(m, "domU2", "echo $((6*8))", "48")
    m.send("poweroff\n")
    m.expect(r"^bulkhead: .*all domains are off", 60)
    assert m.wait_end(20) == 0
    check_lines(m, ["domU1", "domU2"])


def test_two_linux(boot):
    """The last domain's power-off is the host's. [test->req~two-linux~1] [test->req~power-off-host~1]"""
    two_linux(boot)


def test_four_linux(boot):
    """[test->req~four-linux~1]"""
    m = boot("four-linux")
    m.expect_count(r"GUEST-UP domU[1-4]", 4, LINUX_UP)
    for number in (1, 2, 3, 4):
        assert "GUEST-UP domU%d" % number in m.text
    check_lines(m, ["domU1", "domU2", "domU3", "domU4"])


def smp_linux(boot, **machine):
    m = boot("smp-linux", **machine)
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "nproc", "4")
    shell(m, "domU1", "echo 0 > /sys/devices/system/cpu/cpu3/online; nproc", "3")
    shell(m, "domU1", "echo 1 > /sys/devices/system/cpu/cpu3/online; nproc", "4")
    m.send("poweroff\n")
    assert m.wait_end(60) == 0


@pytest.mark.parametrize("gic,cpu", [("3", "max"), ("2", "cortex-a57")])
def test_smp_linux(boot, gic, cpu):
    """[test->req~smp-linux~1] [test->req~guest-smp~1]"""
    smp_linux(boot, gic=gic, cpu=cpu)


def test_reference(boot):
    """Ready addresses, compressed kernels, padding behind them. [test->req~reference-tree~1] [test->req~kernel-images~1]"""
    m = boot("reference")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(nproc)", "42-2")
    focus(m, "operator")
    first = operator(m, "list", r"^domU2 +2 +running +1 +64 +(\d+)")
    second = operator(m, "list", r"^domU2 +2 +running +1 +64 +(\d+)")
    assert int(first.group(1)) > 100, "the domain without a console has run"
    assert int(second.group(1)) >= int(first.group(1))
    check_lines(m, ["domU1", "domU2"])


def test_fewer_cpus_than_vcpus(boot):
    """Four Linux guests share two CPUs. [test->req~more-vcpus~1]"""
    m = boot("four-linux", cpus=2)
    m.expect_count(r"GUEST-UP domU[1-4]", 4, 2 * LINUX_UP)
