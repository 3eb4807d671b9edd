"""What xl's domains have of the host: by a template of the tree, and by iomem, irqs and dtdev; one boot."""
import pytest

from dom0 import booted
from test_passthrough import ADDRESS, PEER


@pytest.fixture(scope="module")
def dom0(boot_once):
    return booted(boot_once("xl-template"))


def free_memory(dom0):
    return dom0.good("xl info", r"^free_memory +: (\d+)$")[1]


def create(dom0, name):
    dom0.good("xl create /etc/xen/%s.cfg" % name)
    dom0.up(name, name)


def destroy(dom0, name):
    dom0.good("xl destroy %s" % name)
    dom0.gone(name)
    dom0.good("rm /var/log/xen/console/guest-%s.log" % name)


def test_template(dom0):
    """Kept memory and the board's clock, with its alarm; in a second life, too. [test->req~templates~1]"""
    before = free_memory(dom0)
    for _ in range(2):
        create(dom0, "kept")
        assert free_memory(dom0) == before  # its memory is not the others'
        dom0.guest("cat /sys/class/rtc/rtc0/name", "^rtc-pl031", name="kept")
        dom0.guest("echo +2 > /sys/class/rtc/rtc0/wakealarm; sleep 4; grep pl031 /proc/interrupts",
                   r"^ *\d+: +1 .*rtc-pl031", name="kept")
        destroy(dom0, "kept")


def test_devices(dom0):
    """A PCI host bridge behind an IOMMU: registers, interrupts and DMA for a network card, one domain after another.
    [test->req~devices-later~1]"""
    for _ in range(2):
        create(dom0, "card")
        dom0.guest("insmod /lib/e1000e.ko; ifconfig eth0 %s up; sleep 4; ping -c 3 %s" % (ADDRESS, PEER),
                   "3 packets transmitted, 3 packets received", name="card")
        dom0.guest("grep eth0 /proc/interrupts", r"^ *\d+: +[1-9]\d* .*eth0", name="card")
        for key in ('iomem=["4010000,100"]', "irqs=[35]", 'dtdev=["/pcie@10000000"]'):
            code, said = dom0.run("xl create /etc/xen/domU.cfg disk=[] vif=[] 'name=\"other\"' '%s'" % key)
            assert code != 0 and ("busy" in said or "xc_assign_dtdevice failed" in said), said
        destroy(dom0, "card")
    for key in ('iomem=["9000,1"]', "irqs=[33]", 'dtdev=["/pl031@9010000"]'):
        code, said = dom0.run("xl create /etc/xen/domU.cfg disk=[] vif=[] 'name=\"other\"' '%s'" % key)
        assert code != 0 and ("not permitted" in said or "xc_assign_dtdevice failed" in said), said
