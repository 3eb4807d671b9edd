"""Runs every checker, then the negative tests of the checkers, and writes one result file.

The last line of the file and of the output is `N passed, N failed`: one for each checker, one for each negative case.
"""
import argparse
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CONSTANTS = ["DEBUG=1", "STATIC=0", "GIC_ONLY=0", "LINKS=1", "DEVICES=1", "IOMMU=1", "PCI=1", "WATCHDOG=1", "REPORT=1",
             "CMSDK=1", "REGIONS=1", "GRANTS=1", "CONTROL=1"]
QUICK_MISRA_FILES = 40
LAST = re.compile(r"^(\d+) passed, (\d+) failed$")


def run(command):
    started = time.monotonic()
    result = subprocess.run(command, cwd=TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.returncode, result.stdout, time.monotonic() - started


def checkers(args):
    library = ["--library-include", args.library_include] if args.library_include else []
    quick = ["--quick", str(QUICK_MISRA_FILES)] if args.quick else []
    include = ["-I" + args.library_include] if args.library_include else []
    return [("layers", []), ("includes", []), ("port", []), ("sizes", []), ("format", ["--clang-format"]), ("trace", []),
            ("headers", ["-DCONFIG_" + constant for constant in CONSTANTS] + include), ("misra", quick + library)]


def main(args):
    passed = failed = 0
    lines = []

    def say(text):
        print(text, flush=True)
        lines.append(text)

    for name, options in [] if args.negative_only else checkers(args):
        code, output, seconds = run([sys.executable, os.path.join(HERE, name + ".py")] + options)
        passed, failed = (passed + 1, failed) if code == 0 else (passed, failed + 1)
        say(output.rstrip())
        say(f"{'ok  ' if code == 0 else 'FAIL'} {name} ({seconds:.1f} s)")
    _, output, seconds = run([sys.executable, os.path.join(TOP, "tests", "neg", "checkers", "run.py")])
    *rest, last = output.rstrip().split("\n")
    counts = LAST.match(last)
    for line in rest if counts else rest + [last]:
        say(line)
    if counts is None or counts.group(1) == "0":
        failed += 1
        say("FAIL the negative tests reported no test")
    passed += int(counts.group(1)) if counts else 0
    failed += int(counts.group(2)) if counts else 0
    say(f"negative tests of the checkers took {seconds:.1f} s")
    say(f"{passed} passed, {failed} failed")
    os.makedirs(os.path.dirname(args.results), exist_ok=True)
    with open(args.results, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="misra only for a few changed files")
    parser.add_argument("--negative-only", action="store_true", help="only the negative tests")
    parser.add_argument("--results", default=os.path.join(TOP, "out", "results", "check.txt"))
    parser.add_argument("--library-include", help="folder of libfdt.h and zlib.h")
    sys.exit(main(parser.parse_args()))
