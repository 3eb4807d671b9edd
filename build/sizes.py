#!/usr/bin/python3
"""How big the hypervisor is: lines of code, image, memory kept from guests. `make sizes` calls it.

Lines are those that are neither blank nor comment, of the files that the build compiled and of the headers under src that
these really include (as the compiler's dependency files say).
"""
import argparse
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOKENS = re.compile(r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""", re.DOTALL | re.VERBOSE)
STATIC_GOALS = {"code_lines": 8000, "image_bytes": 128 << 10}


def code_lines(path):
    with open(path, encoding="utf-8") as stream:
        text = stream.read()

    def blank(match):
        found = match.group(0)
        return "\n" * found.count("\n") if found.startswith("/") else found
    return sum(1 for line in TOKENS.sub(blank, text).splitlines() if line.strip())


def used_files(out):
    """Every file below src that the objects under `out` were made of."""
    files = set()
    for folder, _, names in os.walk(out):
        for name in names:
            # A dependency file without its object is of a source that is gone.
            path = os.path.join(folder, name)
            if not name.endswith(".d") or not os.path.exists(re.sub(r"\.d$", ".h" if "/gen" in folder else ".o", path)):
                continue
            with open(path, encoding="utf-8") as stream:
                words = stream.read().replace("\\\n", " ").split()
            files.update(word.rstrip(":") for word in words)
    return sorted(name for name in files if name.startswith("src/") and os.path.exists(name))


def sections(elf):
    done = subprocess.run(["llvm-size-19", elf], stdout=subprocess.PIPE, text=True, check=True)
    return [int(word) for word in done.stdout.splitlines()[1].split()[:3]]


def kept_bytes(image):
    """What a boot of the demonstration, a system of arm64, said last, or says now; None when it says nothing."""
    if not os.path.basename(os.path.dirname(image)).startswith("arm64-"):
        return None
    path = "out/last-kept"
    if not os.path.exists(path) or os.stat(path).st_mtime < os.stat(image).st_mtime:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("BULKHEAD_")}
        if "BULKHEAD_CACHE" in os.environ:
            environment["BULKHEAD_CACHE"] = os.environ["BULKHEAD_CACHE"]
        environment.update(BULKHEAD_SYSTEM="demo", BULKHEAD_UNTIL="kept from guests: [0-9]+ bytes", BULKHEAD_TIMEOUT="60",
                           BULKHEAD_IMAGE=image)
        done = subprocess.run(["/usr/bin/python3", "tools/run/run.py"], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            print("sizes: no figure from a boot of the demonstration: %s" % done.stderr.strip(), file=sys.stderr)
            return None
    with open(path, encoding="ascii") as stream:
        return int(stream.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the folder of the build to measure")
    parser.add_argument("--json", required=True)
    parser.add_argument("--static", action="store_true", help="it is the static profile, which has goals of its own")
    options = parser.parse_args()
    os.chdir(ROOT)
    image = os.path.join(options.out, "bulkhead.bin")
    files = {path: code_lines(path) for path in used_files(options.out)}
    text, data, bss = sections(os.path.join(options.out, "bulkhead.elf"))
    sizes = {"code_lines": sum(files.values()), "image_bytes": os.stat(image).st_size, "text": text, "data": data,
             "bss": bss, "kept_bytes": kept_bytes(image)}
    with open(options.json, "w", encoding="ascii") as stream:
        json.dump(sizes, stream, indent=2)
        stream.write("\n")

    folders = {}
    for path, lines in files.items():
        count, total = folders.get(os.path.dirname(path), (0, 0))
        folders[os.path.dirname(path)] = (count + 1, total + lines)
    for folder in sorted(folders):
        print("%-36s %4d files %7d lines" % ((folder,) + folders[folder]))
    for name in sizes:
        print("%-36s %s" % (name, "unknown" if sizes[name] is None else sizes[name]))
    for name, goal in STATIC_GOALS.items() if options.static else ():
        print("static profile, goal: %-14s %d (%s)" % (name, goal, "met" if sizes[name] <= goal else "not met"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
