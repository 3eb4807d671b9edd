"""Deviations from MISRA rules: the tables of docs/misra/deviations.md and the tags in the code.

A row `| 7 | 11.4, 11.6 | reason |` is the deviation that a tag MISRA-DEV-7 claims; a row `| P2 | 5.6 | src/abi/* | reason |`
holds for all files that the glob fits. A tag beside code covers its line; a comment alone on its lines covers the next
line of code. What covers nothing is a finding.
"""
import fnmatch
import os
import re

import ctext
import tree

DOCUMENT = "docs/misra/deviations.md"
TAG = re.compile(r"MISRA-DEV-(\w+)")
ROW = re.compile(r"^\|\s*(P?\d+)\s*\|(.*)\|\s*$")


class Deviations:
    def __init__(self, root, report):
        self.root = root
        self.report = report
        self.tagged = {}
        self.project = []
        self.cover_of = {}
        self.tags = {}
        self.used = set()
        self.read_document()
        for path in tree.c_files(root, "src", ends=(".c", ".h", ".S")):
            self.read_tags(path)

    def read_document(self):
        if not os.path.exists(os.path.join(self.root, DOCUMENT)):
            return
        for number, line in enumerate(tree.read(self.root, DOCUMENT).split("\n"), 1):
            match = ROW.match(line)
            if match is None:
                continue
            name = match.group(1)
            cells = [cell.strip() for cell in match.group(2).split("|")]
            rules = {rule.strip() for rule in cells[0].split(",")}
            wanted = 3 if name.startswith("P") else 2
            if len(cells) != wanted or not all(cells):
                self.report.add(DOCUMENT, number, f"deviation {name}: want {wanted} filled cells after the number")
            elif name in self.tagged or name in [p[0] for p in self.project]:
                self.report.add(DOCUMENT, number, f"deviation {name} is there twice")
            elif name.startswith("P"):
                self.project.append((name, rules, cells[1].strip("`"), number))
            else:
                self.tagged[name] = (rules, number)

    def read_tags(self, path):
        text = tree.read(self.root, path)
        if "MISRA-DEV" not in text:
            return
        code = ctext.strip(text).split("\n")
        for first, last, comment, alone in ctext.comments(text):
            for match in TAG.finditer(comment):
                name, line = match.group(1), first + comment.count("\n", 0, match.start())
                if name not in self.tagged:
                    self.report.add(path, line, f"MISRA-DEV-{name} is not in {DOCUMENT}")
                    continue
                covered = last
                while alone and covered < len(code) and not code[covered].strip():
                    covered += 1
                covered += 1 if alone else 0
                self.tags[(path, line, name)] = covered
                self.cover_of.setdefault((path, covered), []).append((path, line, name))

    def cover(self, path, line, rule):
        """Does a deviation cover this finding? Remembers what was of use."""
        covered = False
        for tag in self.cover_of.get((path, line), []):
            if rule in self.tagged[tag[2]][0]:
                self.used.add(tag)
                covered = True
        for name, rules, pattern, _ in self.project:
            if not covered and rule in rules and fnmatch.fnmatch(path, pattern):
                self.used.add(name)
                covered = True
        return covered

    def unused(self, reached, is_pinned):
        """Tags and project-wide deviations that cover nothing; only the pinned cppcheck can tell for sure."""
        for tag in self.tags:
            path, line, name = tag
            if tag not in self.used and path in reached:
                self.tell(is_pinned, path, line, f"MISRA-DEV-{name} covers no finding of its rules")
        for name, _, _, number in self.project:
            if name not in self.used:
                self.tell(is_pinned, DOCUMENT, number, f"deviation {name} covers no finding")

    def tell(self, is_finding, path, line, text):
        if is_finding:
            self.report.add(path, line, text)
        else:
            self.report.note(f"{path}:{line}: {text}")
