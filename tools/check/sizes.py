"""Sizes of files, functions and folders against the house's limits, guide / hard. A guide is reported, a hard limit fails.

Complexity is McCabe's: 1 + if, for, while, ?, &&, || and each switch clause (labels that share one count once).
Exceptions stand in sizes-exceptions.txt with a reason; one that is no longer needed is a finding.
`goto` has the limit 0.
"""
import os
import sys

import ctext
import tree

LIMITS = {"file": (500, 800), "function": (60, 80), "parameters": (5, 6), "nesting": (3, 4), "complexity": (10, 15),
          "folder": (12, 12)}
UNITS = {"file": "lines", "function": "lines", "parameters": "parameters", "nesting": "levels",
         "complexity": "paths", "folder": "source files"}
FOLDER_EXEMPT = {"src/arch/arm", "src/hcall"}
TOPS = ("src", "tools", "tests", "bench", "guestlib", "store")
CONTROL = ("if", "for", "while", "switch")


def complexity(body):
    count, previous = 1, ""
    waiting_label = False
    for word, _ in body:
        if word in ("case", "default"):
            if not waiting_label:
                count += 1 if word == "case" else 0
            waiting_label = True
        elif previous == ":" and waiting_label:
            waiting_label = False
        if word in ("if", "for", "while", "?", "&&", "||"):
            count += 1
        previous = word
    return count


def nesting(body):
    """The deepest control block inside a function's braces; `else if` stays at the level of its `if`."""
    words = [t for t, _ in body]
    before_paren, open_parens, blocks = {}, [], []
    deepest = depth = 0
    for index, word in enumerate(words):
        if word == "(":
            open_parens.append(index)
        elif word == ")":
            if open_parens:
                before_paren[index] = words[open_parens.pop() - 1]
        elif word == "{":
            previous = words[index - 1] if index else ""
            counts = previous in ("else", "do", ";", "}") or (previous == ")" and before_paren.get(index - 1) in CONTROL)
            counts = counts and index > 0
            blocks.append(counts)
            depth += 1 if counts else 0
            deepest = max(deepest, depth)
        elif word == "}" and blocks:
            depth -= 1 if blocks.pop() else 0
    return deepest


class Sizes:
    def __init__(self, root, show_guides):
        self.root = root
        self.report = tree.Report("sizes")
        self.show_guides = show_guides
        self.exceptions = {}
        self.used = set()
        self.guides = 0
        for number, line in tree.data_lines(root, "sizes-exceptions.txt"):
            kind, _, rest = line.partition(" ")
            subject, _, reason = rest.strip().partition(" ")
            if kind not in LIMITS or not subject or not reason.strip():
                self.report.add("tools/check/sizes-exceptions.txt", number, "want: kind subject reason")
                continue
            self.exceptions[(kind, subject)] = number

    def measure(self, kind, value, subject, path, line, name):
        guide, hard = LIMITS[kind]
        text = f"{name} has {value} {UNITS[kind]}"
        if value > hard:
            if (kind, subject) in self.exceptions:
                self.used.add((kind, subject))
                return
            self.report.add(path, line, f"{text}, the limit is {hard}")
        elif value > guide:
            self.guides += 1
            if self.show_guides:
                self.report.note(f"{path}:{line}: {text}, the guide is {guide}")

    def check_file(self, path):
        text = tree.read(self.root, path)
        self.measure("file", text.count("\n"), path, path, 1, "file")
        if not path.endswith((".c", ".h")):
            return
        for function in ctext.functions(text):
            subject = f"{path}:{function.name}"
            where = (subject, path, function.line, function.name)
            self.measure("parameters", function.parameters(), *where)
            if function.body is None:
                continue
            self.measure("function", function.end_line - function.line + 1, *where)
            self.measure("nesting", nesting(function.body), *where)
            self.measure("complexity", complexity(function.body), *where)
            for word, line in function.body:
                if word == "goto":
                    self.report.add(path, line, f"{function.name} uses goto")

    def check_folders(self, paths):
        count = {}
        for path in paths:
            if path.startswith("src/") and path.endswith((".c", ".S")):
                count.setdefault(os.path.dirname(path), []).append(path)
        for folder, inside in count.items():
            if folder not in FOLDER_EXEMPT:
                self.measure("folder", len(inside), folder, folder, 1, "folder")

    def run(self):
        paths = [p for p in tree.walk(self.root, *TOPS) if p.endswith((".c", ".h", ".S", ".py", ".sh"))]
        for path in paths:
            self.check_file(path)
        self.check_folders(paths)
        for kind, subject in set(self.exceptions) - self.used:
            self.report.add("tools/check/sizes-exceptions.txt", self.exceptions[(kind, subject)],
                            f"the exception {kind} {subject} is not needed")
        return self.report.finish(f"{len(paths)} files, {len(self.used)} exceptions, {self.guides} over a guide")


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--guides", action="store_true", help="print what is over a guide, too")
    args = parser.parse_args()
    sys.exit(Sizes(args.root, args.guides).run())
