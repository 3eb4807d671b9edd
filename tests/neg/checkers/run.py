"""Negative tests of the repository's checkers: each case holds a small tree that the checker must reject, with the
finding that it must give, and the clean twin that it must accept.

A case is one text file, cases/<checker>-<what>.case:
    checker: layers            the script in tools/check
    options: ...               its options (optional)
    expect: regular expression one line of the output on the bad tree fits it; may be repeated
    count: 1                   findings on the bad tree, if it matters (optional)
    == PATH                    a file of both trees; the lines up to the next == are its text
    == bad PATH, == good PATH  a file of one of them
In the text <TAB> <SP> <CR> <DOT> and <SLASH> stand for the characters, <NONL> at its end for "no newline". `run.py NAME...`
runs the cases whose names hold one of the words.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
WORK = os.path.join(TOP, "out", "neg", "checkers")
ESCAPES = {"<TAB>": "\t", "<SP>": " ", "<CR>": "\r", "<DOT>": ".", "<SLASH>": "/"}


class Case:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-len(".case")]
        self.checker, self.options, self.count = None, [], None
        self.expect = []
        self.files = {"bad": {}, "good": {}}
        lines = None
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                head = re.match(r"== (?:(bad|good) )?(\S+)$", line.rstrip("\n"))
                if head:
                    lines = []
                    for tree in [head.group(1)] if head.group(1) else ["bad", "good"]:
                        self.files[tree][head.group(2)] = lines
                elif lines is not None:
                    lines.append(line)
                elif line.strip() and not line.startswith("#"):
                    self.field(*line.rstrip("\n").split(": ", 1))

    def field(self, key, value):
        if key == "checker":
            self.checker = value
        elif key == "options":
            self.options = value.split()
        elif key == "expect":
            self.expect.append(re.compile(value, re.M))
        elif key == "count":
            self.count = int(value)
        else:
            sys.exit(f"{self.name}: unknown field {key}")

    def lay(self, tree):
        root = os.path.join(WORK, self.name, tree)
        shutil.rmtree(root, ignore_errors=True)
        os.makedirs(root)
        for path, lines in self.files[tree].items():
            text = "".join(lines)
            for mark, character in ESCAPES.items():
                text = text.replace(mark, character)
            if text.endswith("<NONL>\n"):
                text = text[:-len("<NONL>\n")]
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
        return root

    def check(self, tree):
        script = os.path.join(TOP, "tools", "check", self.checker + ".py")
        command = [sys.executable, script, "--root", self.lay(tree)] + self.options
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return result.returncode, result.stdout

    def run(self):
        """None if the case holds, else what is wrong."""
        if self.checker is None or not self.expect:
            return "the case names no checker or expects nothing"
        code, output = self.check("good")
        if code != 0:
            return f"the clean tree was rejected:\n{output}"
        code, output = self.check("bad")
        if code != 1:
            return f"the bad tree was not rejected (exit {code}):\n{output}"
        for expected in self.expect:
            if not expected.search(output):
                return f"no finding fits {expected.pattern}:\n{output}"
        findings = int(re.findall(r", (\d+) findings$", output, re.M)[-1])
        if self.count is not None and findings != self.count:
            return f"{findings} findings, not {self.count}:\n{output}"
        return None


def main(words):
    folder = os.path.join(HERE, "cases")
    cases = [Case(os.path.join(folder, name)) for name in sorted(os.listdir(folder)) if name.endswith(".case")]
    cases = [case for case in cases if not words or any(word in case.name for word in words)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for case, wrong in zip(cases, pool.map(Case.run, cases)):
            if wrong is not None:
                failed += 1
                print(f"FAIL {case.name}: {wrong}")
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
