"""No file includes what another of its includes brings on every port; --fix takes such lines out.

A .c file keeps its own header, which is the one of its name.
"""
import os
import re
import sys

import ctext
import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+(?:"([^"\n]+)"|<(std\w+\.h)>)', re.M)


class Graph:
    """Who includes whom, port by port."""

    def __init__(self, root):
        self.named = {}
        for path in tree.c_files(root, "src"):
            text = ctext.strip(tree.read(root, path), keep_strings=True)
            self.named[path] = [quoted or "<" + library + ">" for quoted, library in INCLUDE.findall(text)]
        self.ports, _ = tree.ports(root)
        self.reach = {}

    def resolve(self, port, name):
        if name.startswith("<"):
            return name
        for folder in ["src"] + port.include_roots:
            if f"{folder}/{name}" in self.named:
                return f"{folder}/{name}"
        return None

    def reached(self, port, path):
        """What including this header brings, itself among it."""
        key = (port.name, path)
        if key not in self.reach:
            seen, left = set(), [path]
            while left:
                at = left.pop()
                if at not in seen:
                    seen.add(at)
                    left += [there for there in (self.resolve(port, name) for name in self.named.get(at, [])) if there]
            self.reach[key] = seen
        return self.reach[key]

    def ports_of(self, path):
        if not path.startswith("src/arch/"):
            return self.ports
        holding = [port for port in self.ports if port.holds(path)]
        return holding or [port for port in self.ports if any(path.startswith(f + "/") for f in port.folders)]

    def brings(self, path, others, name):
        """The include among `others` that brings `name` on all ports of the file; None: none does."""
        for other in others:
            good = other != name
            for port in self.ports_of(path):
                wanted, start = self.resolve(port, name), self.resolve(port, other)
                found = self.reached(port, start) if start else set()
                good = good and wanted is not None and wanted in found and path not in found
            if good:
                return other
        return None


def spare(graph, path):
    """(include, who brings it) of all lines that may go together."""
    own = os.path.splitext(os.path.basename(path))[0] + ".h"
    kept, gone = list(graph.named[path]), []
    for name in graph.named[path]:
        if path.endswith(".h") or os.path.basename(name) != own:
            others = list(kept)
            others.remove(name)
            bringer = graph.brings(path, others, name)
            if bringer is not None:
                kept = others
                gone.append((name, bringer))
    return gone


def take_out(root, path, names):
    text = tree.read(root, path)
    for name in names:
        line = re.escape(name if name.startswith("<") else f'"{name}"')
        text = re.sub(r"^#include " + line + r"[^\n]*\n", "", text, count=1, flags=re.M)
    with open(os.path.join(root, path), "w", encoding="utf-8", newline="") as stream:
        stream.write(re.sub(r"\n\n\n+", "\n\n", text))


def main(root, fix):
    graph = Graph(root)
    report = tree.Report("includes")
    for path in sorted(graph.named):
        gone = spare(graph, path)
        if fix and gone:
            take_out(root, path, [name for name, _ in gone])
        for name, bringer in [] if fix else gone:
            number = next(n for n, line in enumerate(tree.read(root, path).split("\n"), 1)
                          if "include" in line and name.strip("<>") in line)
            report.add(path, number, f"includes {name}, which {bringer} brings")
    return report.finish(f"{len(graph.named)} files")


if __name__ == "__main__":
    PARSER = tree.arguments(__doc__)
    PARSER.add_argument("--fix", action="store_true", help="take the lines out")
    ARGS = PARSER.parse_args()
    sys.exit(main(ARGS.root, ARGS.fix))
