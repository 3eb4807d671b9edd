#!/usr/bin/python3
"""Whether all that src/abi says is compared with Xen's headers by a program of this folder: each constant is used, of each struct
the size and, field by field, where it is. A comparison is a statement that names both the struct and the field."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMMENT = re.compile(r"/\*.*?\*/", re.S)
DEFINE = re.compile(r"^#define (\w+)[ \t]+\S", re.M)
STRUCT = re.compile(r"^(struct|union) (\w+) \{\n(.*?)^\}[^;]*;", re.M | re.S)
INNER = re.compile(r"^    struct \{\n(.*?)^    \} (\w+);", re.M | re.S)
FIELD = re.compile(r"(\w+)(?:\[[^;]*\])*;")
PAD = re.compile(r"(?:pad|rsvd|reserved)\w*$")
RENAMED = re.compile(r"^(?:#define|    typedef \w+) (\w+)[ \t]+(ours_\w+|op);?$", re.M)

# Ours alone: how large a table of ours is, which bits an operation's argument has room for, ...
OURS = {"EVTCHNOPS", "XEN_HYPERCALLS", "XENMEM_OP_MASK", "XEN_POLL_PORTS_MAX"}


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as stream:
        return COMMENT.sub("", stream.read())


def statements(texts):
    """What the programs do, by statements and rows of tables; what is renamed on the way is back under its own name."""
    found = []
    for text in texts:
        for name, other in RENAMED.findall(text):
            text = re.sub(r"\b%s\b" % other, name, text)
        body = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)
        found += [frozenset(re.findall(r"\w+", part.replace("SIZE(", "sizeof("))) for part in re.split(r"[;]|\},\s*\{", body)]
    return found


def wanted(header):
    """(what, words that a statement has to have) of each thing in a header. Of a struct the first field is where it begins."""
    things = [(name, {name}) for name in DEFINE.findall(header) if not name.endswith("_H") and name not in OURS]
    for kind, name, body in STRUCT.findall(header):
        inner = INNER.findall(body)
        if not inner and kind == "union":
            continue  # of what is compared already
        if not inner:
            things.append((name + "'s size", {name, "sizeof"}))
        for fields, member in inner or [(body, name)]:
            things += [("%s %s" % (member, field), {name, member, field}) for field in FIELD.findall(fields)[1:]
                       if not PAD.match(field)]
    return things


def missing(header, found):
    return [what for what, words in wanted(header) if not any(words <= words_there for words_there in found)]


def main():
    found = statements([read(path) for path in sorted(glob.glob(os.path.join(ROOT, "tests/abi/test_*.c")))])
    failed = passed = 0
    for path in sorted(glob.glob(os.path.join(ROOT, "src/abi/*.h"))):
        header = read(path)
        absent = missing(header, found)
        for what in absent:
            print("%s: %s is compared with nothing" % (os.path.relpath(path, ROOT), what))
        failed += len(absent)
        passed += len(wanted(header)) - len(absent)
    # what nobody compares is found
    odd = "#define XEN_NOBODY 5u\nstruct xen_nobody {\n    uint32_t pad;\n    uint16_t way[3];\n};\n"
    if missing(odd, found) == ["XEN_NOBODY", "xen_nobody's size", "xen_nobody way"]:
        passed += 1
    else:
        print("a struct and a number that nobody compares went through")
        failed += 1
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
