"""What elmeter wrote, and the figures taken from it."""
import collections

KINDS = "alu ldst excl br mrs msr gicmrs gicmsr isb dsb dmb tlbi cache at eret hint wfi fp".split()
MOVES = ("mrs", "msr", "gicmrs", "gicmsr")
BARRIERS = ("isb", "dsb", "dmb")
NO_INTID = 0xFFFFFFFF
VEC_SELF = 0xFE

Class = collections.namedtuple("Class", "phase vec ec sub fn origin to idle n min median max start end kinds")
# Of one event; moves (of system registers) and barriers are those of the median one, None where they mean nothing.
Figures = collections.namedtuple("Figures", "min median max moves barriers", defaults=(None, None))


class Report:
    def __init__(self, path):
        self.firsts, self.exits, self.samples, self.masked, self.counts, self.logged = [], [], [], [], [], []
        tables = {"exit": self.exits, "sample": self.samples, "masked": self.masked}
        with open(path, encoding="ascii") as stream:
            for line in stream:
                words = line.rstrip("\n").split("\t")
                if words[0] == "first":
                    self.firsts.append(int(words[3]))
                elif words[0] == "mark" and words[2] == "5":
                    self.logged.append(int(words[3], 16))
                elif words[0] == "pc":
                    self.counts.append((int(words[1], 16), int(words[2])))
                elif words[0] in tables:
                    tables[words[0]].append(self._class(words[1:]))

    @staticmethod
    def _class(words):
        key = [int(words[0])] + [int(word, 16) for word in words[1:8]]
        return Class(*key, *map(int, words[8:12]), *(int(word, 16) for word in words[12:14]),
                     dict(zip(KINDS, map(int, words[14:]))))

    def sample(self, phase):
        """The event that a phase repeats, whatever exits it takes; None if the guest left it out."""
        return figures([c for c in self.samples if c.phase == phase])

    def switch(self, phase, **wanted):
        """The exits of a phase that go from one domain to another and do not idle between."""
        return figures([c for c in self.exits if c.phase == phase and c.origin >> 8 != c.to >> 8 and c.origin != 0
                        and not c.idle and all(getattr(c, name) == value for name, value in wanted.items())])


def figures(classes):
    """Of the most frequent one."""
    if not classes:
        return None
    best = max(classes, key=lambda c: c.n)
    return Figures(best.min, best.median, best.max, sum(best.kinds[kind] for kind in MOVES),
                   sum(best.kinds[kind] for kind in BARRIERS))


def spread(values):
    """Least, middle and most of plain numbers."""
    ordered = sorted(values)
    return Figures(ordered[0], ordered[len(ordered) // 2], ordered[-1]) if ordered else None


def cause(c, symbols):
    """Why interrupts came to be masked, in words."""
    if c.vec == VEC_SELF:
        return "masked by %s, %s" % (symbols.name(c.start), symbols.name(c.start & ~0xFFFFFFFF | c.fn))
    if c.vec & 3 != 0:
        where = "interrupt" if c.vec >= 8 else "interrupt in the hypervisor"
        return where if c.sub in (NO_INTID, 0) and c.vec < 8 else "%s %s" % (where, "spurious" if c.sub == NO_INTID else c.sub)
    names = {0x01: "WFI or WFE", 0x07: "FP access", 0x16: "HVC #0x%x of 0x%x" % (c.sub, c.fn), 0x17: "SMC of 0x%x" % c.fn,
             0x18: "system register 0x%x" % c.sub, 0x20: "fetch abort", 0x24: "%s of 0x%x" % (
                 "write" if c.fn & 0x10000 else "read", c.sub << 12 | c.fn & 0xFFF)}
    return names.get(c.ec, "exception class 0x%x" % c.ec)
