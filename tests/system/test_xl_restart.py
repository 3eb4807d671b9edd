"""The tree's domains under xl, and what is left of all when a dom0 that crashed is back; one boot."""
import os
import re
import time

import pytest

from dom0 import LOG, STEP, booted

HERE = os.path.dirname(os.path.abspath(__file__))
DOMAINS = ("domU1", "domU2")


@pytest.fixture(scope="module")
def dom0(boot_once):
    return booted(boot_once(os.path.join(HERE, "xl-restart.dts"), cpus=2, mem=1024))


def told(dom0, what, times=1):
    """The hypervisor says it so often, whatever else is said."""
    dom0.machine.expect_count(r"^bulkhead: .*%s" % what, times, STEP)


def ups(dom0, name):
    return int(dom0.run("grep -ac GUEST-UP %s" % LOG % name)[1])


def answers(dom0, name):
    """Its shell is reached; what is typed before it is up is lost."""
    dom0.until("sh -c \"dom0-say %s 'echo at-\\$((6*7))'; sleep 1; tail -n 3 %s\"" % (name, LOG % name), "^at-42$")


def console(dom0, name):
    """A person at its console, who leaves it."""
    dom0.type("xl console %s\n" % name)
    time.sleep(1)
    dom0.type("\necho $((6*7))-at-$(hostname)\n")
    dom0.machine.expect(r"^(?:Domain-0: )?42-at-%s\s*$" % name, STEP)
    dom0.leave()


def pause(dom0, name):
    dom0.good("xl pause %s" % name)
    assert re.fullmatch(r"[-r][-b]p---", dom0.listed(name)[3])
    dom0.good("xl unpause %s" % name)
    assert re.fullmatch(r"[-r][-b]----", dom0.listed(name)[3])


def test_tree(dom0):
    """What the hypervisor started has its name, its console and its ends. [test->req~console-tools~1] [test->req~toolstack~1]"""
    for number, name in enumerate(DOMAINS, 1):
        answers(dom0, name)
        assert dom0.listed(name)[:3] == (number, 96, 1)
        console(dom0, name)
    dom0.good("xl domid domU2", "^2$")
    dom0.good("xl uptime domU1", r"^domU1 +1 +\d+:\d\d:\d\d$")
    pause(dom0, "domU1")
    before = ups(dom0, "domU1")
    dom0.good("xl reboot domU1")
    told(dom0, r"domU1: restarts \(1\)")
    dom0.until("grep -ac GUEST-UP %s" % LOG % "domU1", "^%d$" % (before + 1))
    dom0.good("xl shutdown domU2")
    told(dom0, "domU2: powered off")
    dom0.until("xl list domU2", r"^domU2 +2 +\d+ +\d+ +---s--")


def test_dom0_crash(dom0):
    """They go on without dom0, which finds them with what it knew of them, and those that it made.
    [test->req~control-power~1] [test->req~toolstack~1]"""
    keys = ('name="made"', 'kernel="/guest/made.bin"', "memory=32", "disk=[]", "vif=[]")
    dom0.good("xl create /etc/xen/domU.cfg %s" % " ".join("'%s'" % key for key in keys))
    made = dom0.listed("made")[:3]
    uuids = dict(re.findall(r"^(\w+) .* ([-0-9a-f]{36}) ", dom0.run("xl list -v")[1], re.M))
    dom0.guest("echo kept > /tmp/life", name="domU1")
    dom0.type("echo c > /proc/sysrq-trigger\n")
    told(dom0, r"Domain-0: restarts \(1\)")
    dom0 = booted(dom0.machine)
    assert dict(re.findall(r"^(\w+) .* ([-0-9a-f]{36}) ", dom0.run("xl list -v")[1], re.M)) == uuids
    assert dom0.listed("made")[:3] == made
    assert dom0.listed("domU2")[3] == "---s--"
    answers(dom0, "domU1")
    dom0.guest("cat /tmp/life", "^kept$", name="domU1")
    console(dom0, "domU1")
    pause(dom0, "domU1")
    dom0.good("dom0-say made o")
    dom0.until("cat %s" % LOG % "made", "^MADE o ")
    dom0.until("xl list made", r"^made +%d +3\d +\d+ +---s--" % made[0])
    for name in ("made",) + DOMAINS:
        dom0.good("xl destroy %s" % name)
        dom0.gone(name)
    assert "restarts (2)" not in dom0.machine.text
