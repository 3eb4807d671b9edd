#!/usr/bin/python3
"""Runs the programs of one level of tests and writes its result file.

    run_level.py LEVEL RESULT-FILE PROGRAM...

A PROGRAM is a binary or a Python script that reports in one of three ways: as cmocka does, by an end mark
`<NAME> N passed, N failed`, or by `N passed, N failed` as its last line. `pytest:FOLDER[:WORD]` runs pytest there. One that is
missing, crashes, does not end in time or reports no test at all counts as a failure. The last line of the result file and of
the output is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON = "/usr/bin/python3"
CMOCKA_END = re.compile(r"^\[==========\] (?:\w+: )?(\d+) test\(s\) run\.", re.M)  # 1.1.7 names the group
CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
COUNTS = re.compile(r"^(?:[A-Z][A-Z0-9-]* )?(\d+) passed, (\d+) failed\s*$", re.M)
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0:detect_stack_use_after_return=0",
              "UBSAN_OPTIONS": "print_stacktrace=1"}


class Level:
    def __init__(self, name, timeout):
        self.name = name
        self.timeout = timeout
        self.passed = self.failed = 0
        self.lines = []

    def say(self, text):
        print(text, flush=True)
        self.lines.append(text)

    def count(self, name, passed, failed, note, output, seconds):
        """Adds what a program reported; its output is shown when something failed."""
        if passed + failed == 0:
            failed, note = 1, note or "ran no test"
        self.passed += passed
        self.failed += failed
        if failed:
            self.say(output.rstrip())
        self.say("%s %s: %d passed, %d failed (%.1f s)%s"
                 % ("FAIL" if failed else "ok  ", name, passed, failed, seconds, " -- " + note if note else ""))

    def execute(self, command, environment):
        """Its output and exit code; None when it did not end in time."""
        try:
            done = subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=self.timeout, check=False)
            return done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as late:
            return (late.stdout or b"").decode(errors="replace"), None

    def program(self, path):
        """What count() is told of it."""
        name = os.path.relpath(path, ROOT) if os.path.isabs(path) else path
        if not os.path.exists(os.path.join(ROOT, path)):
            return name, 0, 1, "was not built", "", 0
        command = [PYTHON, path] if path.endswith(".py") else [os.path.join(ROOT, path)]
        started = time.monotonic()
        output, code = self.execute(command, dict(os.environ, **SANITIZERS))
        passed, failed, note = self.judge(output, code)
        return name, passed, failed, note, output, time.monotonic() - started

    def judge(self, output, code):
        """(passed, failed, note) of a program's words and exit code."""
        groups = [int(n) for n in CMOCKA_END.findall(output)]
        if groups:
            passed = sum(int(n) for n in CMOCKA_PASSED.findall(output))
            failed = sum(groups) - passed
        else:
            counts = COUNTS.findall(output)
            passed = int(counts[-1][0]) if counts else 0
            failed = int(counts[-1][1]) if counts else 0
            if not counts:
                return 0, 1, "no end mark" + ("" if code is not None else ", stopped after %d s" % self.timeout)
        if code is None:
            return passed, failed + 1, "stopped after %d s" % self.timeout
        if code != 0 and failed == 0:
            return passed, 1, "ended with code %d" % code
        if code == 0 and failed != 0:
            return passed, failed, "ended with code 0 in spite of that"
        return passed, failed, ""

    def pytest(self, what):
        folder, _, word = what.partition(":")
        report = os.path.join(ROOT, "out", "results", self.name + ".xml")
        os.makedirs(os.path.dirname(report), exist_ok=True)
        if os.path.exists(report):
            os.unlink(report)
        command = [PYTHON, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=short", "--durations=0", "--junitxml",
                   report, folder] + (["-k", word] if word else [])
        started = time.monotonic()
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = ""
        for raw in process.stdout:
            line = raw.decode(errors="replace")
            output += line
            print(line, end="", flush=True)
        code = process.wait()
        self.lines.append(output.rstrip())
        passed, failed, note = self.read_junit(report)
        if code not in (0, 1) and not note:
            failed, note = failed + 1, "pytest ended with code %d" % code
        self.count("pytest " + folder, passed, failed, note, "", time.monotonic() - started)

    @staticmethod
    def read_junit(report):
        if not os.path.exists(report):
            return 0, 1, "pytest left no report"
        passed = failed = 0
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            bad = any(child.tag in ("failure", "error", "skipped") for child in case)
            passed, failed = (passed, failed + 1) if bad else (passed + 1, failed)
        return passed, failed, ""

    def finish(self, path):
        if self.passed + self.failed == 0:
            self.failed = 1
            self.say("no test ran")
        self.say("%d passed, %d failed" % (self.passed, self.failed))
        os.makedirs(os.path.dirname(os.path.join(ROOT, path)), exist_ok=True)
        with open(os.path.join(ROOT, path), "w", encoding="utf-8") as stream:
            stream.write("\n".join(self.lines) + "\n")
        return 1 if self.failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("level")
    parser.add_argument("result")
    parser.add_argument("programs", nargs="*")
    parser.add_argument("--timeout", type=int, default=300, help="seconds that each program has")
    parser.add_argument("--jobs", type=int, default=1, help="programs that run at a time, 0: one for each CPU of the machine")
    parser.add_argument("--broken", action="store_true", help="something could not be built: one more failure")
    options = parser.parse_args()
    level = Level(options.level, options.timeout)
    if options.broken:
        level.count("the build", 0, 1, "something could not be compiled", "", 0)
    suites = [program for program in options.programs if program.startswith("pytest:")]
    with concurrent.futures.ThreadPoolExecutor(options.jobs or os.cpu_count()) as pool:
        for result in pool.map(level.program, [program for program in options.programs if program not in suites]):
            level.count(*result)
    for suite in suites:
        level.pytest(suite[len("pytest:"):])
    return level.finish(options.result)


if __name__ == "__main__":
    sys.exit(main())
