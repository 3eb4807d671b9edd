"""Is every port complete? The contract is src/hal/*.h; the ports are in ports.txt.

A function declared there is defined exactly once in each port (C or assembly), never inline; a function that the contract
only names in a comment is defined inline in hal_arch headers or once in the port's code. What upcall.h declares is defined
once in generic code. No port defines a hal_ name that the contract does not know. Weak symbols are refused.
"""
import re
import sys

import ctext
import tree

WEAK = re.compile(r"__attribute__\s*\(\(\s*[^)]*\b(?:__)?weak(?:__)?\b|^\s*#\s*pragma\s+weak\b|^\s*\.weak\b", re.M)
LABEL = re.compile(r"^\s*([A-Za-z_]\w*):", re.M)
MACRO_ENTRY = re.compile(r"^\s*\w*(?:func|entry|proc|begin)\w*[\s(]+([A-Za-z_]\w*)", re.M | re.I)
GLOBAL = re.compile(r"^\s*\.glob[a]?l\s+([A-Za-z_]\w*)", re.M)


class Contract:
    """What src/hal says: declared functions, functions named in comments, upcalls; each name -> (file, line)."""

    def __init__(self, root):
        self.declared, self.named, self.upcalls = {}, {}, {}
        self.inline_here = set()
        for path in tree.c_files(root, "src/hal", ends=(".h",)):
            text = tree.read(root, path)
            target = self.upcalls if path.endswith("/upcall.h") else self.declared
            for function in ctext.functions(text):
                if function.body is not None or function.is_static:
                    self.inline_here.add(function.name)
                else:
                    target.setdefault(function.name, (path, function.line))
            for first, _, comment, _ in ctext.comments(text):
                for line, words in enumerate(comment.split("\n"), first):
                    for name in names_in(words):
                        self.named.setdefault(name, (path, line))
        for name in list(self.named):
            if name in self.declared or name in self.upcalls or name in self.inline_here:
                del self.named[name]


def names_in(words):
    """Contract functions that one line of a comment names; `hal_x8(...) ... 16 32` names hal_x16 and hal_x32, too."""
    names = re.findall(r"\b(hal_\w+)\(", words)
    widths = re.search(r"\.\.\. (\d+(?: \d+)*)", words)
    if widths and names:
        stem = names[0].rstrip("0123456789")
        names += [stem + width for width in widths.group(1).split()]
    return names


def assembly_names(text):
    plain = ctext.strip(text)
    names = set(GLOBAL.findall(plain)) & set(LABEL.findall(plain))
    return names | set(MACRO_ENTRY.findall(plain))


def definitions(root, paths):
    """name -> [(file, line, is inline in a header)] of the external and inline functions of these files."""
    found = {}
    for path in paths:
        text = tree.read(root, path)
        if path.endswith(".S"):
            for name in assembly_names(text):
                found.setdefault(name, []).append((path, 1, False))
            continue
        is_header = path.endswith(".h")
        for function in ctext.functions(text):
            if function.body is not None and (is_header or not function.is_static):
                found.setdefault(function.name, []).append((path, function.line, is_header))
    return found


def check_port(report, contract, port, found):
    for name, (path, line) in contract.declared.items():
        places = found.get(name, [])
        plain = [p for p in places if not p[2]]
        for place, at, _ in (p for p in places if p[2]):
            report.add(place, at, f"{name} is declared in {path} and so not inline")
        if not plain and len(places) == len(plain):
            report.add(path, line, f"port {port.name} does not define {name}")
        elif len(plain) > 1:
            report.add(plain[1][0], plain[1][1], f"port {port.name} defines {name} {len(plain)} times")
    for name, (path, line) in contract.named.items():
        places = found.get(name, [])
        if not places:
            report.add(path, line, f"port {port.name} does not define {name}, which the contract names")
        elif len(places) > 1:
            report.add(places[1][0], places[1][1], f"port {port.name} defines {name} {len(places)} times")
    for name, places in found.items():
        known = name in contract.declared or name in contract.named or name in contract.upcalls
        if name.startswith("hal_") and not known:
            report.add(places[0][0], places[0][1], f"{name} is not in the contract (src/hal)")


def main(root):
    report = tree.Report("port")
    contract = Contract(root)
    there, missing = tree.ports(root)
    sources = tree.c_files(root, "src", ends=(".c", ".h", ".S"))
    for port in missing:
        report.add(port.folders[0], 1, f"port {port.name} is listed in ports.txt, but its folder is missing")
    for port in there:
        check_port(report, contract, port, definitions(root, [p for p in sources if port.holds(p)]))
    generic = [p for p in sources if not p.startswith("src/arch/") and p.endswith(".c")]
    found = definitions(root, generic)
    for name, (path, line) in contract.upcalls.items():
        places = found.get(name, [])
        if not places:
            report.add(path, line, f"no generic code defines the upcall {name}")
        elif len(places) > 1:
            report.add(places[1][0], places[1][1], f"the upcall {name} is defined {len(places)} times")
    for path in sources:
        text = ctext.strip(tree.read(root, path))
        for match in WEAK.finditer(text):
            line = text.count("\n", 0, match.end()) + 1
            report.add(path, line, "weak symbol: a missing contract function must fail to link")
    return report.finish(f"{len(contract.declared)} contract functions, {len(contract.named)} inline, "
                         f"{len(contract.upcalls)} upcalls, {len(there)} ports")


if __name__ == "__main__":
    sys.exit(main(tree.arguments(__doc__).parse_args().root))
