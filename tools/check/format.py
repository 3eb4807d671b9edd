"""Plain text rules: no trailing space, no tab, no CR, a final newline, 110 columns; no address of one machine or mirror.

With --clang-format also: each C file under src, tools, tests and bench is as clang-format-19 with .clang-format leaves it
(skipped with a note where that program is not installed).
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

import tree

COLUMNS = {".c": 110, ".h": 110, ".S": 110, ".py": 130, ".dts": 110, ".dtsi": 110, ".sh": 140, ".mk": 140}
TABS_ALLOWED = (".mk", "Makefile", ".patch", ".diff")
DOT = r"\."
# Written in parts, so that this file holds no such name itself.
HOSTS = ("deb|security|ftp|snapshot|httpredir|cdn-fastly" + DOT + "debian" + DOT + "org",
         "archive|ports|security" + DOT + "ubuntu" + DOT + "com",
         "registry" + DOT + "npmjs|yarnpkg" + DOT + "org|com",
         "files" + DOT + "pythonhosted" + DOT + "org",
         "(?:test)" + DOT + "pypi" + DOT + "org", "proxy|sum" + DOT + "golang" + DOT + "org",
         "static|index" + DOT + "crates" + DOT + "io", "repo1|repo" + DOT + "maven" + DOT + "org|apache",
         "index" + DOT + "rubygems" + DOT + "org")
HOST = re.compile("|".join(r"\b(?:" + h.replace(DOT, ")" + DOT + "(?:") + r")\b" for h in HOSTS), re.I)
MIRROR_IP = re.compile(r"\b(?:https?|ftp)://(?!127\.|0\.0\.0\.0)\d{1,3}(?:\.\d{1,3}){3}\b")
HOME_PATH = re.compile(r"(?<![\w.$}/-])/(?:work|home|Users)/[A-Za-z0-9_.-]+")


def check_text(report, path, data):
    if b"\0" in data:
        return False
    text = data.decode("utf-8", errors="replace")
    name = os.path.basename(path)
    columns = COLUMNS.get(os.path.splitext(name)[1], len(text))
    if "\ufffd" in text:
        report.add(path, text.count("\n", 0, text.index("\ufffd")) + 1, "not UTF-8")
    if text and not text.endswith("\n"):
        report.add(path, text.count("\n") + 1, "no newline at the end of the file")
    if text.endswith("\n\n"):
        report.add(path, text.count("\n"), "empty line at the end of the file")
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith("\r"):
            report.add(path, number, "CR at the end of the line")
            line = line[:-1]
        if line != line.rstrip():
            report.add(path, number, "space at the end of the line")
        if "\t" in line and not name.endswith(TABS_ALLOWED):
            report.add(path, number, "tab")
        if len(line) > columns:
            report.add(path, number, f"{len(line)} columns, the limit is {columns}")
        for pattern, what in ((HOST, "a registry's host name"), (MIRROR_IP, "a mirror's address"),
                              (HOME_PATH, "an absolute path of one machine")):
            found = pattern.search(line)
            if found:
                report.add(path, number, f"{what}: {found.group(0)}")
    return True


def clang_format(report, root, paths):
    program = shutil.which("clang-format-19")
    if program is None:
        report.note("clang-format-19 is not installed: layout of C files not checked")
        return
    if not os.path.exists(os.path.join(root, ".clang-format")):
        report.note("there is no .clang-format: layout of C files not checked")
        return

    def run(batch):
        command = [program, "--dry-run", "--style=file", "-ferror-limit=1"] + batch
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stderr

    batches = [paths[start:start + 20] for start in range(0, len(paths), 20)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for output in pool.map(run, batches):
            seen = set()
            for match in re.finditer(r"^(\S+?):(\d+):\d+: (?:warning|error): code should be clang-formatted", output, re.M):
                if match.group(1) not in seen:
                    seen.add(match.group(1))
                    report.add(match.group(1), match.group(2), "not as clang-format leaves it (make format)")


def main(root, with_clang_format):
    report = tree.Report("format")
    count = 0
    paths = list(tree.walk(root))
    for path in paths:
        full = os.path.join(root, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as stream:
            count += check_text(report, path, stream.read())
    if with_clang_format:
        tops = ("src/", "tools/", "tests/", "bench/", "guestlib/", "store/")
        clang_format(report, root, [p for p in paths if p.endswith((".c", ".h"))
                                    and p.startswith(tops) and not p.startswith("src/lib/shim/")])
    return report.finish(f"{count} files")


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--clang-format", action="store_true", help="check the layout of C files, too")
    args = parser.parse_args()
    sys.exit(main(args.root, args.clang_format))
