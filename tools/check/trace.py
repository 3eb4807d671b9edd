"""Requirements and what covers them, in OpenFastTrace's form.

docs/reqs/*.rst hold `req~name~1` items with `Needs: impl, test`; src, tests, tools and bench carry [impl->...] and [test->...]
tags. Findings: a tag of an unknown requirement or an outdated revision, a requirement twice, one without what it needs,
`Covers:` of something unknown. An item that needs nothing else is itself covered by items that name it in `Covers:`.
"""
import re
import sys

import tree

ITEM = re.compile(r"^`((req|feat|dsn|aou)~([a-z0-9][a-z0-9._-]*)~(\d+))`\s*$")
ID = r"(?:req|feat|dsn|aou)~[A-Za-z0-9._-]+~\d+"
TAG = re.compile(r"\[\s*(impl|test|proof|doc)\s*->\s*(" + ID + r")\s*\]")
BROKEN_TAG = re.compile(r"\[\s*(?:impl|test|proof|doc)\s*->[^\]\n]*\]?")
KINDS = ("impl", "test", "proof", "doc", "req", "feat", "dsn", "review")
TAGGED = (".c", ".h", ".S", ".py", ".sh", ".mk", ".dts", ".dtso", ".txt")


class Item:
    def __init__(self, ident, kind, name, revision, path, line):
        self.ident, self.kind, self.name, self.revision = ident, kind, name, int(revision)
        self.path, self.line = path, line
        self.needs, self.covers = [], []
        self.covered = {}


def read_items(root, report):
    items = {}
    for path in (p for p in tree.walk(root, "docs/reqs") if p.endswith(".rst")):
        item, list_of = None, None
        for number, line in enumerate(tree.read(root, path).split("\n"), 1):
            match = ITEM.match(line)
            if match:
                item = Item(*match.groups(), path, number)
                list_of = None
                same = [i for i in items.values() if (i.kind, i.name) == (item.kind, item.name)]
                if same:
                    report.add(path, number, f"{item.ident} is there twice, see {same[0].path}:{same[0].line}")
                else:
                    items[item.ident] = item
                continue
            if line.startswith("`") and "~" in line and line.rstrip().endswith("`"):
                report.add(path, number, f"{line.strip()} is not a requirement's name: want `req~name~1`")
            field = re.match(r"\s*(Needs|Covers)\s*:\s*(.*)$", line)
            if item is None:
                continue
            if field:
                list_of = item.needs if field.group(1) == "Needs" else item.covers
                list_of += [w.strip(" `") for w in field.group(2).split(",") if w.strip(" `")]
            elif list_of is not None and re.match(r"\s*[-*]\s+\S", line):
                list_of.append(line.strip(" -*`"))
            elif line.strip():
                list_of = None
    return items


def unknown(items, ident):
    """Why an identifier names nothing."""
    kind, name, revision = ident.split("~")
    for item in items.values():
        if (item.kind, item.name) == (kind, name):
            return f"has an outdated revision, the requirement is {item.ident}" if int(revision) < item.revision \
                else f"names a revision that is not there, the requirement is {item.ident}"
    return "names a requirement that is not in docs/reqs"


def read_tags(root, report, items):
    count = 0
    for path in tree.walk(root, "src", "tests", "tools", "bench", "guestlib", "store"):
        if not path.endswith(TAGGED) or path.startswith(("tests/neg/checkers/", "tools/check/")):
            continue
        for number, line in enumerate(tree.read(root, path).split("\n"), 1):
            for broken in BROKEN_TAG.finditer(line):
                match = TAG.fullmatch(broken.group(0))
                if match is None:
                    report.add(path, number, f"{broken.group(0)} is not a tag: want [kind->req~name~1]")
                    continue
                kind, ident = match.groups()
                count += 1
                if ident not in items:
                    report.add(path, number, f"{match.group(0)} {unknown(items, ident)}")
                elif kind == "test" and path.startswith("src/"):
                    report.add(path, number, f"{match.group(0)}: a test tag stands in tests or tools")
                elif kind == "impl" and path.startswith("tests/"):
                    report.add(path, number, f"{match.group(0)}: an impl tag stands in src, tools or bench")
                else:
                    items[ident].covered.setdefault(kind, []).append(f"{path}:{number}")
    return count


def check(report, items):
    for item in items.values():
        for parent in item.covers:
            if parent not in items:
                why = unknown(items, parent) if re.fullmatch(ID, parent) else "is not a requirement's name"
                report.add(item.path, item.line, f"{item.ident} covers {parent}, which {why}")
            else:
                items[parent].covered.setdefault(item.kind, []).append(f"{item.path}:{item.line}")
    for item in items.values():
        if not item.needs and not item.covered and item.kind != "aou":
            report.add(item.path, item.line, f"{item.ident} has no Needs and nothing covers it")
        for kind in item.needs:
            if kind not in KINDS:
                report.add(item.path, item.line, f"{item.ident} needs {kind}, which is not a kind of cover")
            elif kind != "review" and kind not in item.covered:
                report.add(item.path, item.line, f"{item.ident} has no {kind}")


def main(root, show):
    report = tree.Report("trace")
    items = read_items(root, report)
    tags = read_tags(root, report, items)
    check(report, items)
    if show:
        for item in sorted(items.values(), key=lambda i: i.ident):
            cover = "; ".join(f"{kind} {' '.join(places)}" for kind, places in sorted(item.covered.items()))
            print(f"{item.ident}  ({item.path}:{item.line})  {cover}")
    return report.finish(f"{len(items)} requirements, {tags} tags")


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--matrix", action="store_true", help="print each requirement with all that covers it")
    args = parser.parse_args()
    sys.exit(main(args.root, args.matrix))
