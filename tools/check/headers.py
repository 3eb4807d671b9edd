"""Each header under src compiles alone, twice in a row, without a warning, and has the guard that its path asks for.

Port headers are compiled for each port that has them, all others for the first port of ports.txt.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys

import ctext
import tree

FLAGS = ["-std=c11", "-fsyntax-only", "-ffreestanding", "-Wall", "-Wextra", "-Wundef", "-Wno-unused-function",
         "-Wno-unused-macros", "-Werror", "-x", "c"]
GUARD = re.compile(r"\A\s*#\s*ifndef\s+(\w+)\s*\n\s*#\s*define\s+(\w+)\s*\n.*#\s*endif\s*\Z", re.S)


def guards(path):
    """The guard names that fit a path: as it is included and as it stands under src; the layer need not stand twice."""
    whole = path[len("src/"):]
    without_include = whole.replace("/include/", "/", 1)
    as_included = whole.split("/include/", 1)[1] if "/include/" in whole else whole
    names = {as_included, without_include}
    if whole.startswith("arch/") and "/" not in as_included:
        names.add("arch/" + as_included)
    layer, _, rest = whole.partition("/")
    if rest.startswith(layer + "_"):
        names.add(rest)
    return {re.sub(r"[^A-Za-z0-9]", "_", name).upper() for name in names}


def include_name(path):
    return path.split("/include/", 1)[1] if "/include/" in path else path[len("src/"):]


def command(port, config):
    if port.target == "host":
        program = ["cc"]
    else:
        clang = shutil.which("clang-19") or shutil.which("clang")
        if clang is None:
            sys.exit("headers: no clang found")
        program = [clang, "--target=" + port.target]
    roots = ["-Isrc"] + [f"-I{folder}" for folder in port.include_roots]
    system = [] if port.target == "host" else ["-isystem", "src/lib/shim", "-idirafter", "/usr/include"]
    own = [word.replace("-D", "-U", 1).partition("=")[0] for word in port.defines] + port.defines
    return program + FLAGS + roots + system + config + own + ["-"]


def compile_alone(root, port, path, config):
    line = f'#include "{include_name(path)}"\n'
    source = line + line + "extern int the_unit_is_not_empty;\n"
    result = subprocess.run(command(port, config), cwd=root, input=source, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    found = re.search(r"^(\S+?):(\d+):\d+: (?:fatal )?error: (.*)$", result.stderr, re.M)
    if found is None:
        return (path, 1, "does not compile alone: " + result.stderr.strip().split("\n")[0])
    where, number, text = found.groups()
    if where == path:
        return (path, number, f"does not compile alone: {text}")
    return (path, 1, f"does not compile alone: {text} ({where}:{number})")


def main(root, config):
    report = tree.Report("headers")
    there, _ = tree.ports(root)
    if not there:
        sys.exit("headers: no port of ports.txt is there")
    headers = [p for p in tree.c_files(root, "src", ends=(".h",)) if not p.startswith("src/lib/shim/")]
    work = []
    for path in headers:
        match = GUARD.match(ctext.strip(tree.read(root, path)))
        wanted = guards(path)
        if match is None or match.group(1) != match.group(2) or match.group(1) not in wanted:
            report.add(path, 1, f"the guard is not {' or '.join(sorted(wanted))} around the whole header")
        if path.startswith("src/arch/"):
            work += [(port, path) for port in there if port.holds(path)]
        else:
            work.append((there[0], path))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for finding in pool.map(lambda job: compile_alone(root, job[0], job[1], config), work):
            if finding is not None:
                report.add(*finding)
    return report.finish(f"{len(work)} headers compiled, {len(headers)} read")


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("-D", dest="defines", action="append", default=[], help="a macro for the compiler")
    parser.add_argument("-I", dest="includes", action="append", default=[], help="one more include root")
    args = parser.parse_args()
    options = [f"-D{d}" for d in args.defines] + [f"-I{i}" for i in args.includes]
    sys.exit(main(args.root, options))
