"""A time line as SVG: a lane for each CPU, a colour for each vCPU."""
from xml.sax.saxutils import escape

from timeline import EL2, IDLE

LEFT, WIDTH, LANE, GAP, TOP = 70, 860, 30, 16, 54
STRIP = 7                       # of a lane's windows, above it
LEAST = 0.25                    # narrower ones are left out, in pixels
COLOURS = ("#3b7dd8", "#e0792b", "#4aa564", "#b04fc4", "#c94040", "#8a6d3b", "#2aa5a5", "#d0a514")
WORK = "#333333"


class Picture:
    """The stretch start .. end (ns) of a trace for one cpupool (system.py); origin: where a frame begins."""

    def __init__(self, trace, pool, start, end, origin=None):
        self.trace, self.pool, self.start, self.end, self.origin = trace, pool, start, end, origin
        self.colour = {vcpu.key: COLOURS[at % len(COLOURS)] for at, vcpu in enumerate(pool.vcpus)}
        self.lines = []

    def x(self, ns):
        return LEFT + (min(max(ns, self.start), self.end) - self.start) * WIDTH / (self.end - self.start)

    def y(self, lane):
        return TOP + lane * (LANE + GAP)

    def text(self, x, y, words, more=""):
        self.lines.append('<text x="%.1f" y="%.1f"%s>%s</text>' % (x, y, more, escape(words)))

    def lane(self, at, cpu):
        y = self.y(at)
        boxes = {}
        for what, stay in self.trace.stretches(cpu):
            width = self.x(stay.end) - self.x(stay.start)
            if what != IDLE and width >= LEAST:
                boxes.setdefault(what, []).append("M%.1f %dh%.1fv%dh-%.1fz" % (self.x(stay.start), y, width, LANE, width))
        self.lines.append('<rect x="%d" y="%d" width="%d" height="%d" fill="#eeeeee"/>' % (LEFT, y, WIDTH, LANE))
        for what, paths in boxes.items():
            colour = WORK if what == EL2 else self.colour.get(what, "#999999")
            self.lines.append('<path fill="%s" d="%s"/>' % (colour, "".join(paths)))
        self.text(LEFT - 8, y + 20, "CPU %d" % cpu, ' text-anchor="end"')

    def windows(self, at, cpu):
        """Where the schedule has them, above what happened."""
        frame = self.pool.frame_us * 1000
        begin = self.origin - (self.origin - self.start + frame - 1) // frame * frame
        while begin < self.end:
            for window in (w for w in self.pool.windows if w.cpu == cpu):
                left, right = self.x(begin + window.at_us * 1000), self.x(begin + (window.at_us + window.us) * 1000)
                if right > left:
                    colour = self.colour[window.key]
                    self.lines.append('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s" fill-opacity="0.45" '
                                      'stroke="%s"/>' % (left, self.y(at) - STRIP - 1, right - left, STRIP, colour, colour))
            if begin >= self.start:
                self.lines.append('<path stroke="#000" stroke-dasharray="3 3" d="M%.1f %dv%d"/>' % (
                    self.x(begin), self.y(at) - STRIP - 3, LANE + STRIP + 6))
            begin += frame

    def axis(self, y):
        """Round steps of milliseconds, some ten of them."""
        span = (self.end - self.start) / 1e6
        step = next(s * 10 ** e for e in range(-3, 6) for s in (1, 2, 5) if span / (s * 10 ** e) <= 12)
        self.lines.append('<path stroke="#000" d="M%d %dh%d"/>' % (LEFT, y, WIDTH))
        at = 0
        while at * step <= span:
            x = LEFT + at * step / span * WIDTH
            self.lines.append('<path stroke="#000" d="M%.1f %dv5"/>' % (x, y))
            self.text(x, y + 18, "%g" % (at * step), ' text-anchor="middle"')
            at += 1
        self.text(LEFT + WIDTH + 14, y + 18, "ms")

    def legend(self, y):
        entries = [(self.colour[vcpu.key], "%s%s: ran %.1f %%" % (
            vcpu.name, " (%s)" % vcpu.says if vcpu.says else "",
            100 * self.trace.ran(vcpu.key, self.start, self.end) / (self.end - self.start))) for vcpu in self.pool.vcpus]
        entries += [("#eeeeee", "idle"), (WORK, "the hypervisor's worker")]
        entries += [("none", "pale, above: windows; dashed: a frame begins")] if self.origin is not None else []
        for at, (colour, words) in enumerate(entries):
            left, top = LEFT + at % 2 * WIDTH // 2, y + at // 2 * 20
            self.lines.append('<rect x="%d" y="%d" width="14" height="14" fill="%s" stroke="#999"/>' % (left, top, colour))
            self.text(left + 20, top + 12, words)
        return y + (len(entries) + 1) // 2 * 20

    def svg(self, title):
        for at, cpu in enumerate(self.pool.cpus):
            self.lane(at, cpu)
            if self.origin is not None:
                self.windows(at, cpu)
        bottom = self.y(len(self.pool.cpus)) - GAP + 4
        self.axis(bottom)
        height = self.legend(bottom + 34) + 10
        head = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">' % (
            LEFT + WIDTH + 50, height), '<rect width="100%" height="100%" fill="#fff"/>',
            '<text x="12" y="22" font-size="15">%s</text>' % escape(title)]
        return "\n".join(head + self.lines + ["</svg>"]) + "\n"
