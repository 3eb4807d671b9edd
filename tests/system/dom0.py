"""dom0's shell in a system with all of Xen's tools, and the domains that it makes."""
import re
import time

from helpers import LINUX_UP
from run import MachineError, PATIENCE, whole

STEP = 60  # seconds that a command may take on a slow, shared machine; one that takes longer is ended
PREFIX = r"^(?:Domain-0: )?"
LOG = "/var/log/xen/console/guest-%s.log"  # what a domain says, by xenconsoled


class Dom0:
    """dom0's shell: a command's output arrives at once after its end, numbered, between what others say."""

    def __init__(self, machine):
        self.machine = machine
        self.number = 0

    def type(self, text):
        for at in range(0, len(text), 16):  # no faster than the console takes it
            self.machine.send(text[at:at + 16])
            time.sleep(0.04)

    def run(self, command, timeout=STEP):
        """(exit code, output) of a command"""
        self.number += 1
        start = len(self.machine.text)
        self.type("dom0-run %d %d %s\n" % (self.number, timeout * PATIENCE, command))
        try:
            code = self.machine.expect(PREFIX + r"%d=(\d+)\s*$" % self.number, timeout + 30).group(1)
        except MachineError:
            self.machine.send("\x03\n")
            raise
        lines = re.findall(PREFIX + r"%d\|(.*?)\s*$" % self.number, whole(self.machine.text[start:]), re.M)
        return int(code), "\n".join(lines)

    def leave(self):
        """Ends xl console, which wants the byte alone."""
        time.sleep(1)
        self.machine.send("\x1d")
        self.machine.expect(r"\bdom0# ", STEP)

    def good(self, command, answer="", timeout=STEP):
        """The match of the answer in the output of a command that succeeds."""
        code, said = self.run(command, timeout)
        assert code == 0, said
        found = re.search(answer, said, re.M)
        assert found, "/%s/ is not in:\n%s" % (answer, said)
        return found

    def until(self, command, answer, timeout=LINUX_UP):
        """Repeats a command until its output has the answer."""
        limit = time.monotonic() + timeout * PATIENCE
        pause = 0.25
        while True:
            found = re.search(answer, self.run(command)[1], re.M)
            if found:
                return found
            assert time.monotonic() < limit, "%s never said /%s/" % (command, answer)
            time.sleep(pause)
            pause = min(2 * pause, 4)  # asking takes time from who is waited for

    def listed(self, name="domU"):
        """(id, MiB, vCPUs, state) that xl list tells of a domain, or None."""
        code, said = self.run("xl list %s" % name)
        found = re.search(r"^%s +(\d+) +(\d+) +(\d+) +(\S+) +[\d.]+$" % re.escape(name), said, re.M)
        return (int(found[1]), int(found[2]), int(found[3]), found[4]) if code == 0 and found else None

    def gone(self, name="domU"):
        self.until("xl domid %s" % name, r"invalid domain identifier|not exist")

    def fresh(self, name="domU"):
        """Whatever there is of this name goes."""
        if self.listed(name):
            self.run("xl destroy %s" % name)
            self.gone(name)

    def create(self, *keys, name="domU", words="", console="hvc0"):
        """A domain of the ready configuration with keys of its own, up to its shell; what it is called there."""
        self.fresh(name)
        guest = "u%d" % self.number
        keys = ('name="%s"' % name, 'extra="console=%s quiet name=%s %s"' % (console, guest, words)) + keys
        self.good("xl create /etc/xen/domU.cfg %s" % " ".join("'%s'" % key for key in keys))
        if console == "hvc0":
            self.up(guest, name)
        return guest

    def up(self, guest, name="domU", times=1):
        self.until("grep -a GUEST-UP %s" % LOG % name, r"(?:GUEST-UP %s\b[^$]*){%d}" % (guest, times))

    def guest(self, command, answer="", name="domU"):
        """Types a command into a domain's shell through its console and waits for the answer."""
        mark = "M%d" % self.number
        self.good("dom0-say %s '%s; echo %s=$?'" % (name, command, mark))
        said = self.until("tail -c 2000 %s" % LOG % name, r"(?s)(.*)^%s=(\d+)" % mark, STEP)
        assert re.search(answer, said[1], re.M), "/%s/ is not in:\n%s" % (answer, said[1])


def booted(machine):
    """The shell of a machine that boots systems/xl or one made like it."""
    for what in ("tools' disk", "capabilities=control_d", "xenstored", "init-dom0", "xenconsoled", "init-dom0less"):
        assert machine.expect(PREFIX + r"DOM0 %s (ok|FAILED)\s*$" % what, LINUX_UP)[1] == "ok", what
    machine.expect(PREFIX + "GUEST-UP dom0", LINUX_UP)
    return Dom0(machine)
