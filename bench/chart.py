"""The table as a bar chart: our median as a part of the peer's, with the goal."""
from xml.sax.saxutils import escape

LEFT, WIDTH, ROW, TOP = 380, 520, 22, 64
FULL = 1.25                     # what the width stands for; the peer is 1


def bar(at, entry):
    ours, peer = entry["ours"]["median"], entry["peer"]["median"]
    part, y = ours / peer, TOP + at * ROW
    width = min(part, FULL) / FULL * WIDTH
    colour = "#2b7a78" if part <= 1 else "#c0392b"
    lines = ['<text x="%d" y="%d" text-anchor="end">%s</text>' % (LEFT - 8, y + 14, escape(entry["event"])),
             '<rect x="%d" y="%d" width="%.1f" height="14" fill="%s"/>' % (LEFT, y + 3, width, colour),
             '<text x="%.1f" y="%d">%d of %d</text>' % (LEFT + width + 6, y + 14, ours, peer)]
    if entry["goal"] is not None and entry["goal"] / peer <= FULL:
        x = LEFT + entry["goal"] / peer / FULL * WIDTH
        lines.append('<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#000" stroke-width="2"/>' % (x, y + 1, x, y + 19))
    return lines


def svg(found, about):
    shown = [entry for entry in found if entry["ours"] and entry["peer"] and entry["peer"]["median"]]
    height = TOP + len(shown) * ROW + 16
    peer = LEFT + WIDTH / FULL
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">'
             % (LEFT + WIDTH + 160, height), '<rect width="100%" height="100%" fill="#fff"/>',
             '<text x="12" y="20" font-size="15">EL2 instructions per event: Bulkhead as a part of %s</text>'
             % escape(about["peer"]),
             '<text x="12" y="40">%s</text>' % escape("%(compiler)s; %(qemu)s; black: goal; grey: the peer. "
                                                     "Instructions are not cycles." % about),
             '<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#999"/>' % (peer, TOP - 4, peer, height - 8)]
    for at, entry in enumerate(shown):
        lines += bar(at, entry)
    return "\n".join(lines + ["</svg>"]) + "\n"
