"""Who had which CPU when: what bench/plugin/schedtrace.c wrote, and what can be asked about it.

Times are nanoseconds, which are instructions. A vCPU is called v<domain>.<vCPU>, domains in their order from 1.
"""
import bisect
import collections

Stay = collections.namedtuple("Stay", "start end")
Mark = collections.namedtuple("Mark", "ns value el2 stays")     # instructions at EL2 of that CPU so far, in so many stays

IDLE, EL2 = "idle", "el2"


class Trace:
    """lanes: {cpu: [(from, what)]}, each until the next one; stays: {vCPU: [Stay]} in order; marks: {vCPU: [Mark]}."""

    def __init__(self, path):
        self.lanes, self.marks, self.el2, self.end = {}, collections.defaultdict(list), {}, 0
        with open(path, encoding="ascii") as stream:
            for line in stream:
                words = line.split()
                if words[0] == "mark":
                    self.marks[words[3]].append(Mark(int(words[1]), *map(int, words[4:])))
                elif words[0] == "el2":
                    self.el2[int(words[1])] = (int(words[2]), int(words[3]))
                elif words[0] == "end":
                    self.end = int(words[1])
                else:
                    self.lanes.setdefault(int(words[1]), []).append((int(words[0]), words[2]))
        self.stays = collections.defaultdict(list)
        self.held = collections.defaultdict(list)   # the same with the way there: the stretch of EL2 before each
        for cpu in self.lanes:
            before = Stay(0, 0)
            for what, stay in self.stretches(cpu):
                self.stays[what].append(stay)
                self.held[what].append(Stay(before.start, stay.end) if before.end else stay)
                before = stay if what == EL2 else Stay(0, 0)
        for stays in (*self.stays.values(), *self.held.values()):
            stays.sort()

    def stretches(self, cpu):
        """(what, Stay) of a CPU, one after another."""
        lane = self.lanes[cpu]
        ends = [start for start, _ in lane[1:]] + [self.end]
        return [(what, Stay(start, end)) for (start, what), end in zip(lane, ends)]

    @property
    def vcpus(self):
        return sorted((what for what in self.stays if what not in (IDLE, EL2)),
                      key=lambda what: [int(word) for word in what[1:].split(".")])

    def ran(self, what, start, end, way=False):
        """For how long it ran within these. way: the way there counts, too."""
        stays = (self.held if way else self.stays).get(what, [])
        at = max(bisect.bisect_right(stays, Stay(start, end)) - 1, 0)
        total = 0
        for stay in stays[at:]:
            if stay.start >= end:
                break
            total += max(min(stay.end, end) - max(stay.start, start), 0)
        return total

    def shares(self, start, end):
        """{vCPU: the part of one CPU that it had}"""
        return {what: self.ran(what, start, end) / (end - start) for what in self.vcpus}

    def most(self, what, start, end, length):
        """The most that it ran in any stretch of that length, of those that begin where it began or end where it ended."""
        edges = [stay.start for stay in self.stays[what]] + [stay.end - length for stay in self.stays[what]]
        return max((self.ran(what, edge, edge + length) for edge in edges if start <= edge and edge + length <= end), default=0)


# A window of an arinc653 frame, in ns: from its beginning, how long, whose
Window = collections.namedtuple("Window", "at length who")


def window_starts(trace, schedules, frame, start, frames, calm):
    """Of frames behind `start`, with {CPU: [Window]}: (where a frame begins, {(CPU, Window): [how long after its place its vCPU
    came]}). Who comes in a window was not there just before. Where a frame begins nobody tells: it is where a CPU was taken
    away earliest from one that would have gone on, which idle ones do and those that are `calm`: they enter the hypervisor for
    nothing else. So what all windows are late by is counted, too."""
    found, taken = {}, []
    first = None
    for cpu, windows in schedules.items():
        comes = {}                  # {vCPU: [it came]}
        lane = trace.lanes[cpu]
        for had, leaves, (ns, what) in zip(lane, lane[1:], lane[2:]):
            if ns >= start and leaves[1] == EL2:
                comes.setdefault(what, []).append(ns)
                first = ns - windows[0].at if first is None and what == windows[0].who else first
                taken += [(leaves[0], window.at) for window in windows if window.who == what and had[1] in calm]
        for window in windows:
            found[cpu, window] = [_next(comes[window.who], first + n * frame + window.at, window) for n in range(1, frames + 1)]
    early = min((ns - at - first + frame // 2) % frame - frame // 2 for ns, at in taken)
    return first + early, {key: [late - early for late in lates] for key, lates in found.items()}


def _next(comes, place, window):
    """How long after (before) its place its vCPU came."""
    at = bisect.bisect_left(comes, place - window.length // 4)
    assert at < len(comes) and comes[at] < place + window.length, "nobody came at %d ns to %s" % (place, window)
    return comes[at] - place


def percentile(values, part):
    """The value that this part of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
