"""What was found, as entries of bench.json, and those as a table."""
from rows import ROWS, UNIT
from symbols import Symbols
from report import cause

STORMS = ("storm1", "storm2", "lives1", "lives2", "frames")


def taken(row, parsed):
    """A row's figures, None where a side has none."""
    try:
        return row.take(parsed)
    except KeyError:
        return None                                          # a system that this side does not run


def met(row, ours):
    if row.goal is None or ours is None:
        return None
    if ours.max > row.goal or (row.exact and ours.min != ours.max):
        return False
    return row.barriers is None or ours.barriers <= row.barriers


def numbers(figures):
    return None if figures is None else {"min": figures.min, "median": figures.median, "max": figures.max}


def entries(parsed, sizes):
    """What bench.json holds. `sizes`: (event, unit, ours, peer)."""
    result = []
    for row in ROWS:
        ours, peer = taken(row, parsed["ours"]), taken(row, parsed["peer"])
        if ours is None and peer is None:
            continue
        entry = {"event": row.event, "unit": row.unit, "ours": numbers(ours), "peer": numbers(peer), "goal": row.goal,
                 "met": met(row, ours)}
        for name in ("moves", "barriers"):
            entry[name] = {side: getattr(figures, name) for side, figures in (("ours", ours), ("peer", peer)) if figures}
        result.append(entry)
    for label, unit, *both in sizes:
        ours, peer = (None if size is None else {"min": size, "median": size, "max": size} for size in both)
        result.append({"event": label, "unit": unit, "ours": ours, "peer": peer, "goal": None, "met": None,
                       "moves": {}, "barriers": {}})
    return result


def written(figures):
    if figures is None:
        return "-"
    if figures["min"] == figures["max"]:
        return "%d" % figures["median"]
    return "%d / %d / %d" % (figures["min"], figures["median"], figures["max"])


def extras(entry, side):
    moves, barriers = entry["moves"].get(side), entry["barriers"].get(side)
    return "" if moves is None else " s%d b%d" % (moves, barriers)


def table(found):
    lines = ["| event | ours | peer | ratio | goal | met |", "|---|---|---|---|---|---|"]
    for entry in found:
        ours, peer = entry["ours"], entry["peer"]
        ratio = "%.2f" % (ours["median"] / peer["median"]) if ours and peer and peer["median"] else "-"
        goal = "-" if entry["goal"] is None else "<= %d" % entry["goal"]
        unit = "" if entry["unit"] == UNIT else " (%s)" % entry["unit"]
        lines.append("| %s | %s | %s | %s | %s | %s |" % (
            entry["event"] + unit, written(ours) + extras(entry, "ours"), written(peer) + extras(entry, "peer"), ratio, goal,
            {True: "yes", False: "NO", None: "-"}[entry["met"]]))
    return lines


def masked_lines(parsed, elf):
    """Every cause of masked interrupts by system, the longest first."""
    symbols, lines = Symbols(elf), {}
    for name in STORMS:
        longest = {}
        for c in parsed[name].masked:
            what = cause(c, symbols)
            before, times = longest.get(what, (c, 0))
            longest[what] = (c if c.max > before.max else before, times + c.n)
        lines[name] = ["%s: longest stretch, times, cause, from - to" % name]
        for what, (c, times) in sorted(longest.items(), key=lambda item: (-item[1][0].max, item[0])):
            lines[name].append("%8d %9d  %s, %s - %s" % (c.max, times, what, symbols.name(c.start), symbols.name(c.end)))
    return lines
