"""The figures that must not get worse unnoticed (bench/baseline.json), and the table in docs/performance.md.

[impl->dsn~no-event-dearer~1]
"""
import json
import os
import subprocess

from machines import HERE, ROOT, MachineError

BASELINE = os.path.join(HERE, "baseline.json")
PAGE = os.path.join(ROOT, "docs", "performance.md")
MARKS = "<!-- bench-%s: begin -->\n", "<!-- bench-%s: end -->\n"


def load(path):
    with open(path, encoding="ascii") as stream:
        return json.load(stream)


def save(path, reason, versions, events):
    with open(path, "w", encoding="ascii") as stream:
        json.dump({"reason": reason, "versions": versions, "events": events}, stream, indent=1)
        stream.write("\n")


def verdict(then, now):
    """Of one event: whether it passes, and a word on it, none where nothing changed."""
    if then is None:
        return False, "NEW     median %d, max %d: make bench-baseline records it" % (now["median"], now["max"])
    if now is None:
        return False, "GONE    median %d, max %d" % (then["median"], then["max"])
    if now == then:
        return True, None
    if then.get("kernel") != now.get("kernel"):
        return True, "another kernel, only reported: median %d -> %d" % (then["median"], now["median"])
    worse = now["median"] > then["median"] or now["max"] > then["max"]
    return not worse, "%s median %d -> %d, max %d -> %d" % (
        "DEARER " if worse else "cheaper", then["median"], now["median"], then["max"], now["max"])


def compare(baseline, versions, events):
    """(passed, failed, lines): each event is a test. Other tools than the baseline's fail nothing."""
    passed, lines = 0, []
    names = list(baseline["events"]) + [name for name in events if name not in baseline["events"]]
    for name in names:
        good, word = verdict(baseline["events"].get(name), events.get(name))
        passed += good
        if word:
            lines.append("%s: %s" % (word, name))
    if versions != baseline["versions"]:
        lines.append("only reported, the baseline is of other tools: %s, here %s" % (baseline["versions"], versions))
        passed = len(names)
    return passed, len(names) - passed, lines


def commit():
    """What the sources are."""
    command = ["git", "-C", ROOT, "log", "-1", "--format=%cs, on top of commit %h"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown sources"


def put_table(lines, path=PAGE, marks="baseline"):
    """The table's place is between two marks."""
    begins, ends = (mark % marks for mark in MARKS)
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    head, begin, rest = text.partition(begins)
    _, end, tail = rest.partition(ends)
    if not begin or not end:
        raise MachineError("%s has no place for the table" % path)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(head + begin + "\n".join(lines) + "\n" + end + tail)
