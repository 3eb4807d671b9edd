"""dom0 with what the host has: Debian's kernel as it is, and a life of its own beside the others'."""
import os
import re

from helpers import LINUX_UP, focus, shell, type_text
from test_partition import live, planned
from test_passthrough import network

HERE = os.path.dirname(os.path.abspath(__file__))
DOM0 = "Domain-0"


def own(facts):
    """What it has for good: memory is exchanged page by page for what it maps."""
    return [fact for fact in facts if re.match(r"(irq|stream|vcpu) .*%s" % DOM0, fact)]


def control(boot, **machine):
    m = boot(os.path.join(HERE, "control.dts"), **machine)
    m.expect(r"^%s: GUEST-UP dom0$" % DOM0, LINUX_UP)
    focus(m, DOM0)
    return m


def test_control(boot, tmp_path):
    """It has the host's devices, behind the IOMMU too, restarts alone and has them again; the other domain goes on.
    [test->req~control-domain~1] [test->req~control-power~1]"""
    m = boot(os.path.join(HERE, "control.dts"), gic="3")
    facts = own(live(m))
    assert facts == own(planned(m, tmp_path, os.path.join(HERE, "control.dts"))[0])
    assert len(facts) > 20
    for life in range(2):
        m.expect(r"^%s: GUEST-UP dom0$" % DOM0, LINUX_UP)
        if life == 0:
            focus(m, DOM0)
        network(m, DOM0)
        if life == 0:
            type_text(m, "reboot -f\n")
            m.expect(r"^bulkhead: .*%s: restarts \(1\): \w+$" % DOM0, 60)
    shell(m, DOM0, "ls /proc/device-tree | grep -c -e smmu -e its -e pl011", "0")
    type_text(m, "poweroff -f\n")
    m.expect(r"^bulkhead: .*%s: powered off" % DOM0, 60)
    m.expect_count(r"RT rt1 ticks=", 2, 30)
    assert not re.search(r"DMA of stream", m.text)


def test_control_gic2(boot):
    """[test->req~control-domain~1] [test->req~gicv2-host~1]"""
    m = control(boot, gic="2")
    shell(m, DOM0, "grep -c -e arch_timer -e events /proc/interrupts", "2")
