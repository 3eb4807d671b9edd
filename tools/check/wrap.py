"""Breaks comment lines of C files that are longer than 110 columns; never touches code or a comment beside code.

A line that is too long is split at a space; what is over goes to the front of the next line if that continues the same
paragraph (same indentation, same kind of line), else it gets a line of its own. `wrap.py FILE...` rewrites the files.
"""
import re
import sys

import ctext

COLUMNS = 110
LINE = re.compile(r"^(\s*(?:/\*|\*|//)[*!]?)(\s+)(\S.*?)(\s*\*/)?$")


def split(text, room):
    """(what fits, what is over) of a text, at the last space that fits."""
    cut = text.rfind(" ", 0, room + 1)
    return (text[:cut].rstrip(), text[cut:].strip()) if cut > 0 else (text, "")


def wrap_block(lines):
    """The lines of one comment that has its lines to itself."""
    out, carry, shape = [], "", None
    for index, line in enumerate(lines):
        match = LINE.match(line)
        if match is None:
            if carry:
                out.append(shape + carry)
                carry = ""
            out.append(line)
            continue
        mark, gap, text, end = match.groups()
        following = re.sub(r"/\*[*!]?$", " *", mark) if index == 0 else mark
        is_item = re.match(r"[-*] |\d+[.)] |\w+\(|.*\S {2,}\S", text) is not None
        if carry and (shape != following + gap or is_item):
            out.append(shape + carry)
            carry = ""
        if carry:
            text, carry = carry + " " + text, ""
        shape = following + gap
        first = mark + gap
        while len(first + text + (end or "")) > COLUMNS:
            head, over = split(text, COLUMNS - len(first))
            if over == "":
                break
            out.append(first + head)
            text, first = over, shape
            if end is None and index + 1 < len(lines) and len(first + text) <= COLUMNS:
                carry, text = text, ""
                break
        if text:
            out.append(first + text + (end or ""))
    if carry:
        out.append(shape + carry)
    return out


def wrap(source):
    lines = source.split("\n")
    for first, last, _, alone in reversed(list(ctext.comments(source))):
        if alone and any(len(line) > COLUMNS for line in lines[first - 1:last]):
            lines[first - 1:last] = wrap_block(lines[first - 1:last])
    return "\n".join(lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8", newline="") as stream:
            before = stream.read()
        after = wrap(before)
        if after != before:
            with open(name, "w", encoding="utf-8", newline="") as stream:
                stream.write(after)
            print(f"wrapped {name}")
