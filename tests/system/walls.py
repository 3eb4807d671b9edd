"""A domain that misbehaves (hostile, reset) beside one that must not feel it (guard): how both systems are tried."""
import glob
import os
import re

from helpers import focus, operator
from run import ROOT, in_root

# What the hostile guest's tables hold: what it does not name in its run it has not tried.
FOLDER = os.path.join(ROOT, "tests", "guest", "hostile")
ATTACK = re.compile(r'^    \{ "(\w+)", \w+, \w+ \},$', re.MULTILINE)
GUARD = re.compile(r"^guard: GUARD ticks=(\d+) worst=(\d+) us hashes=(\d+) registers=(\w+) restarts=(\d+)$", re.MULTILINE)
# What both of them have of their pools
PAGES = r"^hostile +\d+ .* (\d+)\n(?:.*\n)*?guard +\d+ .* (\d+)$"


def attacks(lethal, arch="arm64", control=False):
    """Those of a control domain are a list of their own."""
    names = []
    for path in sorted(glob.glob(os.path.join(FOLDER, "hostile_*.c")) + glob.glob(os.path.join(FOLDER, arch, "hostile_*.c"))):
        if (path.endswith("_lethal.c"), path.endswith("_control.c")) == (lethal, control):
            with open(path, encoding="utf-8") as stream:
                names += ATTACK.findall(stream.read())
    assert len(names) > 5
    return names


def variant(system, name, changes):
    """A copy of a system of systems/, or of a file, with some words replaced; each must be there."""
    source = system if os.path.isabs(system) else in_root(os.path.join("systems", system + ".dts"))
    with open(source, encoding="utf-8") as stream:
        text = stream.read()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path = in_root(os.path.join("out", "systems", "%s-%s.dts" % (os.path.basename(system), name)))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    return path


def check_quiet(m, sources):
    """The hypervisor did not panic, every line says whose it is, whatever the guests write, and the neighbour felt nothing.
    Its worst lateness in microseconds, and the restarts that it saw."""
    assert not re.search(r"^bulkhead: .*PANIC", m.text, re.MULTILINE)
    names = tuple(name + ":" for name in ("bulkhead",) + sources) + ("bulkhead>", "[input:", "qemu-system-")
    names += tuple(name + "  " for name in ("name",) + sources)  # what the operator asked for
    for line in m.text.rpartition("\n")[0].splitlines():  # the last one may be on its way
        assert not line or line.startswith(names), "whose line is this: %r" % line
    found = GUARD.search(m.text)
    assert found, "the neighbour did not say how it was"
    assert int(found.group(1)) > 1000
    assert int(found.group(3)) > 0
    assert found.group(4) == "unchanged"
    return int(found.group(2)), int(found.group(5))


def end_by_operator(m, answer):
    """Its prompt answers at the end as it did before."""
    focus(m, "operator")
    operator(m, "list", answer)
    m.send("poweroff\n")
    assert m.wait_end(20) == 0


def check_hostile(boot, name, vcpus=2, effort=1, lives=99, timeout=180, system="hostile", arch="arm64", **machine):
    """Boots the system, lets everything be tried (of the lethal things the first `lives`), and returns the neighbour's worst
    lateness in microseconds."""
    path = variant(system, name, [("cpus = <2>", "cpus = <%d>" % vcpus), ('"peer=1"', '"peer=1 stay=1"'),
                                     ("peer=2", "peer=2 effort=%d lives=%d" % (effort, lives))])
    lethal = attacks(True, arch)[:lives]
    m = boot(path, mem=512, **machine)
    m.expect(r"HOSTILE-TRY psci", 60)  # hypercalls come later
    focus(m, "operator")
    before = operator(m, "list", PAGES)
    found = m.expect(r"^guard: HOSTILE tried=(\d+) missed=(\d+) memory=(\w+)$", timeout)
    assert int(found.group(1)) > 150000
    assert found.group(2) == "0"
    assert found.group(3) == "unchanged"
    for attack in attacks(False, arch) + lethal:
        assert re.search(r"^hostile: .*HOSTILE-TRY %s\b" % attack, m.text, re.MULTILINE), attack + " was not tried"
    assert "HOSTILE-ALIVE" in m.text
    assert "HOSTILE-END" in m.text
    assert "HOSTILE-SURVIVED" not in m.text
    assert "HOSTILE-REACHED" not in m.text
    assert not re.search(r"HOSTILE (?:cannot|has no watchdog)", m.text)
    late, restarts = check_quiet(m, ("hostile", "guard"))
    assert restarts == len(lethal)
    assert "GUARD grants=used" not in m.text
    focus(m, "operator")
    after = operator(m, "list", PAGES)
    # a grant table's pages, once there, stay its own; so do the counts of what it grants
    assert int(after.group(1)) <= int(before.group(1)) + 8, "pages that the hostile domain left behind"
    assert int(after.group(2)) <= int(before.group(2)) + 1, "pages that its neighbour lost"
    end_by_operator(m, r"^hostile +1 +stopped")
    return late


def check_restart(boot, name, count=20, vcpus=2, timeout=120, system="restart", **machine):
    """Boots the system and lets the domain begin anew so often, each time clean."""
    path = variant(system, name, [("cpus = <2>", "cpus = <%d>" % vcpus), ("self=1 restarts=20", "self=1 restarts=%d" % count),
                                     ("peer=1 restarts=20", "peer=1 restarts=%d stay=1" % count)])
    m = boot(path, mem=512, **machine)
    m.expect(r"^guard: RESTART count=%d missed=0$" % count, timeout)
    m.expect_count(r"^bulkhead: .* reset: powered off", 1, 20)
    for number in range(1, count + 1):
        assert re.search(r"^bulkhead: .* reset: restarts \(%d\): \S" % number, m.text, re.MULTILINE)
        assert re.search(r"^reset: RESET life %d, .*, 0 faults$" % number, m.text, re.MULTILINE)
    assert "RESET-FAULT" not in m.text
    assert "RESET-END" in m.text
    for reason in ("SYSTEM_RESET", "watchdog", "vectors"):
        assert re.search(r"restarts \(\d+\): .*%s" % reason, m.text), "it never restarted by " + reason
    check_quiet(m, ("reset", "guard"))
    end_by_operator(m, r"^reset +1 +stopped")
