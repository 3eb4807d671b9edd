"""What every checker shares: the root, the list of files, the ports, and one way to report.

A finding is `file:line: text`; the exit status is 1 when there is any. Folders that are never read: see SKIP_DIRS.
"""
import argparse
import fnmatch
import os
import sys

SKIP_DIRS = {".git", "out", "__pycache__", ".pytest_cache"}
HERE = os.path.dirname(os.path.abspath(__file__))


class Report:
    """Collects findings, prints them sorted, and gives the exit status."""

    def __init__(self, name):
        self.name = name
        self.findings = []
        self.notes = []

    def add(self, path, line, text):
        self.findings.append((path, int(line), text))

    def note(self, text):
        self.notes.append(text)

    def finish(self, summary):
        for path, line, text in sorted(set(self.findings)):
            print(f"{path}:{line}: {text}")
        for text in self.notes:
            print(f"note: {text}")
        count = len(set(self.findings))
        print(f"{self.name}: {summary}, {count} findings")
        sys.stdout.flush()
        return 1 if count else 0


class Port:
    """One line of ports.txt."""

    def __init__(self, name, target, platform, folders, skip, defines):
        self.name = name
        self.target = target
        self.platform = platform
        self.folders = folders
        self.skip = skip
        self.defines = defines

    @property
    def include_roots(self):
        return [folder + "/include" for folder in self.folders]

    def holds(self, path):
        inside = any(folder_of(path) == folder for folder in self.folders)
        return inside and not any(fnmatch.fnmatch(path, glob) for glob in self.skip)


def folder_of(path):
    """The folder of src/arch that a file under it belongs to: what stands above its plan/, include/ or itself."""
    for part in ("/include/", "/plan/"):
        path = path.partition(part)[0] + ("/" if part in path else "")
    return path.rpartition("/")[0]


def arguments(doc):
    """The command line all checkers share; the caller may add its own options before parsing."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    top = os.path.dirname(os.path.dirname(HERE))
    parser.add_argument("--root", default=top, help="the tree to check (default: the one this script stands in)")
    return parser


def data_file(root, name):
    """A data file of the tree under --root if it has one, else the one beside the checkers."""
    inside = os.path.join(root, "tools", "check", name)
    return inside if os.path.exists(inside) else os.path.join(HERE, name)


def data_lines(root, name):
    """(line number, text) of the lines of a data file that say something; `#` begins a comment."""
    with open(data_file(root, name), encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            text = line.split("#", 1)[0].strip()
            if text:
                yield number, text


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace", newline="") as stream:
        return stream.read()


def walk(root, *tops):
    """Paths relative to root, `/` between the parts, sorted; all of the tree or what lies under `tops`."""
    for top in tops or (".",):
        start = os.path.join(root, top)
        found = []
        for folder, dirs, names in os.walk(start):
            dirs[:] = sorted(d for d in dirs if d not in SKIP_DIRS)
            for name in names:
                found.append(os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/"))
        yield from sorted(found)


def c_files(root, *tops, ends=(".c", ".h")):
    return [path for path in walk(root, *tops) if path.endswith(ends)]


def ports(root):
    """The ports of ports.txt, in order; those whose own folder does not exist yet are left out and named."""
    there, missing = [], []
    for number, line in data_lines(root, "ports.txt"):
        fields = line.split()
        if len(fields) < 4:
            sys.exit(f"ports.txt:{number}: want: name target platform folder...")
        folders = [f for f in fields[3:] if not f.startswith(("!", "-D"))]
        skip = [f[1:] for f in fields[3:] if f.startswith("!")]
        port = Port(fields[0], fields[1], fields[2], folders, skip, [f for f in fields[3:] if f.startswith("-D")])
        (there if os.path.isdir(os.path.join(root, folders[0])) else missing).append(port)
    return there, missing
