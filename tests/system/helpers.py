"""What the system tests have in common: switching the input, the operator's prompt, and how a transcript must look."""
import re
import time

from lines import whole_lines
from run import CUT

LINUX_UP = 240  # seconds that a Linux guest may take to its shell on a slow, shared machine
SWITCH = "\x01\x01\x01"
TICK = re.compile(r"RT (\w+) ticks=(\d+) missed=(\d+) worst=(\d+)")


def focus(machine, name, turns=8):
    """Moves the input on with Ctrl-a three times until `name` has it."""
    for _ in range(turns):
        machine.send(SWITCH)
        if machine.expect(r"\[input: ([\w@-]+)\]", 10).group(1) == name:
            return
    raise AssertionError("the input never came to " + name)


def type_text(machine, text):
    """Types no faster than a serial line with 32 bytes of buffer behind it can take."""
    for at in range(0, len(text), 8):
        machine.send(text[at:at + 8])
        time.sleep(0.1)


def shell(machine, name, command, answer, timeout=30):
    """Types a command into a Linux guest's shell, which has the input, and waits for a line of the answer."""
    type_text(machine, command + "\n")
    return machine.expect(r"^%s: %s$" % (name, answer), timeout)


def prompt(machine, timeout=20):
    """Waits for the operator's prompt, whose input may have been interrupted at once by what the command brought about. Not past
    it: what is typed next stands in the same line, and what interrupted is yet to be looked at."""
    machine.expect(r"^(?=bulkhead> (?:%s|(?!\S)))" % CUT, timeout)


def operator(machine, command, answer=None, timeout=20):
    """Types a command at the operator's prompt, which has the input, and waits for the answer and the next prompt."""
    machine.send(command + "\n")
    machine.expect(r"^bulkhead> %s$" % re.escape(command), timeout)
    found = machine.expect(answer, timeout) if answer else None
    prompt(machine, timeout)
    return found


def check_ticks(machine, name, at_least):
    """The real-time guest says often enough how it is, and lost nothing; each line counts on from the one before."""
    machine.expect_count("RT %s ticks=" % name, at_least, 30)
    lines = [TICK.search(line) for line in whole_lines(machine.text, name) if "RT %s ticks=" % name in line]
    assert all(lines), "a line of the real-time guest is not whole"
    assert len(lines) >= at_least
    assert {line.group(3) for line in lines} == {"0"}
    counts = [int(line.group(2)) for line in lines]
    assert counts == sorted(counts)
    assert "early=" not in machine.text


def check_lines(machine, names):
    """Every line says whose it is, and no line holds another one's beginning: nothing was cut into. The last one may be on
    its way still."""
    sources = "|".join(["bulkhead"] + [re.escape(name) for name in names])
    whole = re.compile(r"(?:%s):(?: .*)?|\[input: [\w@-]+\]|bulkhead> .*" % sources)
    inside = re.compile(r".(?:^|[^\w/])(?:%s): \S" % sources)
    operator_lines = False
    for line in machine.text.rpartition("\n")[0].splitlines():
        if line.startswith("qemu-system-") or not line:
            continue
        if line.startswith("bulkhead> ") or "[input: operator]" in line:
            operator_lines = True
        assert whole.fullmatch(line) or operator_lines, "whose line is this: %r" % line
        if line.startswith("bulkhead:"):
            continue  # speaks of domains by name
        assert not inside.search(line), "two sources in one line: %r" % line
