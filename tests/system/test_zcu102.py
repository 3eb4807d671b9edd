"""Debian's kernel on the board xlnx-zcu102, in memory that the tree gives by address."""
import os

import pytest

from helpers import LINUX_UP, check_lines, shell
from run import ROOT


@pytest.mark.parametrize("profile", ["", "-static2"])
def test_static_reference(boot, profile):
    """The reference tree of static partitioning: typing, a second life in the same memory, power off by the firmware.
    [test->req~zcu102~1] [test->req~static-profile~1]"""
    m = boot("static-reference", board="xlnx-zcu102",
             hypervisor=os.path.join(ROOT, "out/arm64-clang-release%s/bulkhead.bin" % profile))
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "echo $((6*7))-$(nproc)-$(uname -m)", "42-2-aarch64")
    if profile:
        m.send("reboot -f\n")
        m.expect(r"^bulkhead: .*domU1: restarts \(1\): SYSTEM_RESET", 60)
        m.expect(r"GUEST-UP domU1", LINUX_UP)
    shell(m, "domU1", "grep -c 'CPU implementer.*0x41' /proc/cpuinfo", "2")
    m.send("poweroff\n")
    m.expect(r"^bulkhead: .*all domains are off", 60)
    assert m.wait_end(20) == 0
    check_lines(m, ["domU1"])
