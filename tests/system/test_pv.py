"""PV disk and network of a domain that Debian's dom0 serves, with one boot of systems/pv-io for all of them."""
import re

import pytest

from helpers import LINUX_UP, focus, operator, type_text

DOM0 = "Domain-0"
STEP = 120  # seconds that a step of Xen's tools may take on a slow, shared machine


def command(machine, text, answer=None, timeout=STEP):
    """Types a command into dom0's shell, which has the input, and waits for its last line."""
    type_text(machine, text + "\n")
    return machine.expect(r"^%s: %s\s*$" % (DOM0, answer or "PV-BACK %s ok" % text.split()[1]), timeout)


def front(machine, text, answer, timeout=STEP):
    """The same in domU1's shell, which then has the input."""
    focus(machine, "domU1")
    type_text(machine, "pv-front %s\n" % text)
    found = machine.expect(r"^domU1: PV-FRONT %s$" % answer, timeout)
    focus(machine, DOM0)
    return found


def served(machine):
    """dom0 comes up with its tools and serves domU1, whose check of both devices passes."""
    for line in ("capabilities=control_d ok", "cpus=4", "xenstored ok", "init-dom0 ok", "init-dom0less ok", "domains 0 1"):
        machine.expect(r"^%s: DOM0 %s\s*$" % (DOM0, line), LINUX_UP)
    machine.expect_count(r"^%s: GUEST-UP dom0" % DOM0, 1, LINUX_UP)
    machine.expect_count(r"^domU1: PV disk=ok net=ok", 1, LINUX_UP)


def through(machine, disk, net, timeout=STEP):
    """So many MiB are written through to dom0's device and read back, and sent over TCP each way."""
    written = front(machine, "disk %d" % disk, "disk=ok mib=%d sum=(\\w{32})" % disk, timeout).group(1)
    command(machine, "pv-back sum /dev/vda %d" % disk, "PV-BACK sum %s" % written, timeout)
    front(machine, "net 10.9.0.1 %d" % net, "net=ok mib=%d" % net, timeout)


@pytest.fixture(scope="module")
def machine(boot_once):
    m = boot_once("pv-io", cpus=5, mem=2048)  # one each: turns on a CPU in common are what a shared machine is slowest at
    served(m)
    focus(m, DOM0)
    return m


def test_dom0(machine):
    """Debian's kernel is the control domain and has the board's devices; Xen's tools see both domains.
    [test->req~control-domain~1] [test->req~toolstack~1]"""
    type_text(machine, "xl list\n")
    machine.expect(r"^%s: Domain-0 +0 +512 +4 +\S+ +[\d.]+\s*$" % DOM0, STEP)
    machine.expect(r"^%s: domU1 +1 +128 +1 +\S+ +[\d.]+\s*$" % DOM0, STEP)
    command(machine, "ping -c 2 10.0.2.2", r"2 packets transmitted, 2 packets received, 0% packet loss")
    command(machine, "cat /sys/hypervisor/type; ls /sys/bus/virtio/drivers/virtio_blk", r"xen")


def test_bytes(machine):
    """16 MiB each way over disk and network arrive unchanged. [test->req~pv-io~1]"""
    through(machine, 16, 16)


def test_attach(machine):
    """Both devices are taken away and come back by xl, then by plain writes. [test->req~pv-io~1]"""
    for how in ("xl-", ""):
        command(machine, "pv-back no-disk 1")
        command(machine, "pv-back no-net 1")
        command(machine, "pv-back %sdisk 1 /dev/vda" % how)
        command(machine, "pv-back %snet 1" % how)
        focus(machine, "domU1")
        type_text(machine, "ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0\n")
        through(machine, 4, 4)


def test_frontend_restarts(machine):
    """The frontend's domain is restarted and finds both devices again. [test->req~pv-io~1]"""
    focus(machine, "operator")
    operator(machine, "restart domU1")
    machine.expect(r"^domU1: PV disk=ok net=ok$", LINUX_UP)
    focus(machine, DOM0)
    through(machine, 4, 4)


def test_backend_restarts(machine):
    """dom0 reboots by itself alone; domU1 goes on, and once it is started anew it has its devices again.
    [test->req~pv-io~1] [test->req~control-power~1]"""
    focus(machine, DOM0)
    type_text(machine, "reboot\n")
    machine.expect(r"^bulkhead: .*%s: restarts \(1\): SCHEDOP_shutdown$" % DOM0, STEP)
    focus(machine, "domU1")
    type_text(machine, "echo still $((40 + 2))\n")
    machine.expect(r"^domU1: still 42$", STEP)
    for line in ("xenstored ok", "init-dom0less ok", "domains 0 1"):
        machine.expect(r"^%s: DOM0 %s\s*$" % (DOM0, line), LINUX_UP)
    focus(machine, "operator")
    operator(machine, "restart domU1")
    machine.expect(r"^domU1: PV disk=ok net=ok$", LINUX_UP)
    assert not re.search(r"^bulkhead: .*(panic|guest: trap)", machine.text, re.M)
