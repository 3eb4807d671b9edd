"""PCI devices in domains: Debian's driver of a network card, and a device whose guest attacks everything by DMA."""
import os
import re

import pytest

from helpers import LINUX_UP, check_ticks, focus, operator, shell

HERE = os.path.dirname(os.path.abspath(__file__))
ADDRESS = "10.0.2.15"  # of QEMU's user network, whose other end is ...
PEER = "10.0.2.2"


def network(m, name, extra=""):
    """The card gets a lease and answers come back: DMA both ways, and interrupts."""
    shell(m, name, "insmod /lib/e1000e.ko; ifconfig eth0 up; echo $((6*7))", "42", 60)
    shell(m, name, "udhcpc -i eth0 -n -q -t 20 -T 1 -s /bin/true", r"udhcpc: lease of %s obtained.*" % re.escape(ADDRESS), 90)
    shell(m, name, "ifconfig eth0 %s; ping -c 3 %s" % (ADDRESS, PEER), "3 packets transmitted, 3 packets received.*", 60)
    shell(m, name, "grep eth0 /proc/interrupts" + extra, r" *\d+: +[1-9]\d* .*eth0")


@pytest.mark.parametrize("gic,cpu", [("3", "cortex-a57"), ("2", "cortex-a53")])
def test_passthrough(boot, gic, cpu):
    """Two functions of one host bridge in two domains; the one with the card lives twice. [test->req~pci-system~1]
    [test->req~pci-functions~1] [test->req~pci-quiet~1] [test->req~dma-apart~1]"""
    m = boot("passthrough", gic=gic, cpu=cpu)
    m.expect(r"^dma: DMA own=ok foreign=blocked$", 120)
    m.expect(r"GUEST-UP net", LINUX_UP)
    network(m, "net")
    if gic == "3":
        focus(m, "operator")
        operator(m, "restart net")
        m.expect(r"GUEST-UP net", LINUX_UP)
        focus(m, "net")
        network(m, "net")
    assert not re.search(r"net: DMA of stream|no domain's", m.text)
    check_ticks(m, "rt", 5)


def test_bridge(boot):
    """A whole host bridge, with a GICv2m frame for its message interrupts. [test->req~pci-bridge~1]"""
    m = boot(os.path.join(HERE, "bridge.dts"), gic="2", cpu="cortex-a53")
    m.expect(r"GUEST-UP domU1", LINUX_UP)
    network(m, "domU1", " | grep MSI")
    assert not re.search(r"DMA of stream", m.text)
