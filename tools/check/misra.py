"""cppcheck with its MISRA addon over the target's sources: no finding without a deviation.

Rules: misra-rules.txt. Deviations: docs/misra/deviations.md, tagged in the code as MISRA-DEV-<n>. Each .c file is
analysed once for each content of itself and of all headers that it can reach; results are kept in out/misra.
"""
import concurrent.futures
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import misra_deviations
import misra_false
import tree

ADDON_PLACES = ("/usr/lib/*/cppcheck/addons/misra.py", "/usr/share/cppcheck/addons/misra.py",
                "/usr/lib/cppcheck/addons/misra.py", "/usr/local/share/Cppcheck/addons/misra.py")
LIBRARY_HEADERS = ("libfdt.h", "fdt.h", "libfdt_env.h", "zlib.h", "zconf.h", "sha2.h")
FINDING = re.compile(r"^(.*?):(\d+):(\d+):(\w+):([\w.-]+):(.*)$")
SEVERITIES = ("error", "warning", "portability")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*["<]([^">]+)[">]', re.M)
SECONDS_A_FILE = 600


class Rules:
    """misra-rules.txt."""

    def __init__(self, root):
        self.adopted, self.core, self.fatal, self.defines, self.pinned = set(), {}, set(), [], []
        for number, line in tree.data_lines(root, "misra-rules.txt"):
            kind, *words = line.split()
            if kind == "rule":
                self.adopted.update(words)
            elif kind == "core" and len(words) == 2:
                self.core[words[0]] = words[1]
            elif kind == "fatal":
                self.fatal.update(words)
            elif kind == "define":
                self.defines += words
            elif kind == "pinned":
                self.pinned = words
            else:
                sys.exit(f"misra-rules.txt:{number}: want rule, core, fatal, define or pinned")

    def judge(self, severity, ident):
        """The rule (or cppcheck id) that a finding counts for, or None."""
        if ident.startswith("misra-c20"):
            rule = ident.rpartition("-")[2]
            return rule if rule in self.adopted else None
        if ident in self.fatal:
            return ident
        if ident in self.core:
            return self.core[ident]
        return ident if severity in SEVERITIES else None


class Analyser:
    """Runs cppcheck on one file at a time and keeps what it said."""

    def __init__(self, root, out, rules, library_include):
        self.root = root
        self.out = os.path.join(root, out)
        self.rules = rules
        self.cppcheck = shutil.which("cppcheck")
        self.addon = next((p for place in ADDON_PLACES for p in sorted(glob.glob(place))), None)
        if self.cppcheck is None or self.addon is None:
            sys.exit("misra: cppcheck or its misra addon is not installed")
        version = subprocess.run([self.cppcheck, "--version"], capture_output=True, text=True, check=True).stdout
        self.version = version.split()[-1]
        self.cache = os.path.join(self.out, "cache")
        os.makedirs(self.cache, exist_ok=True)
        self.library = self.link_libraries(library_include)
        self.texts = {}
        with open(self.addon, "rb") as stream:
            self.base = hashlib.sha256(stream.read() + self.version.encode())
        for name in sorted(os.listdir(self.library)):
            with open(os.path.join(self.library, name), "rb") as stream:
                self.base.update(stream.read())

    def link_libraries(self, include):
        """A folder with nothing but the library headers that the code may name."""
        folder = os.path.join(self.out, "include")
        os.makedirs(folder, exist_ok=True)
        for name in LIBRARY_HEADERS:
            source, link = os.path.join(include, name), os.path.join(folder, name)
            if os.path.lexists(link):
                os.unlink(link)
            if os.path.exists(source):
                os.symlink(source, link)
        return folder

    def options(self, port):
        folders = ["src"] + port.include_roots + ["src/lib/shim", os.path.join(tree.HERE, "misra-include"), self.library]
        machine = "arm" if port.target.startswith("arm") else port.target.split("-")[0]
        defines = self.rules.defines + [word[2:] for word in port.defines]
        defines += [f"__{machine}__=1"] if port.target != "host" else []
        return (["--std=c11", f"--platform={port.platform}", "--language=c", "-q", "--addon=misra",
                 "--enable=warning,style,portability,missingInclude", "--suppress=missingIncludeSystem",
                 "--template={file}:{line}:{column}:{severity}:{id}:{message}"]
                + [f"-I{f}" for f in folders] + [f"-D{d}" for d in defines])

    def text(self, path):
        if path not in self.texts:
            full, self.texts[path] = os.path.join(self.root, path), None
            if os.path.isfile(full):
                with open(full, "rb") as stream:
                    self.texts[path] = stream.read()
        return self.texts[path]

    def closure(self, path, port):
        """The file and every header that it can reach, whatever its #if say."""
        roots = ["src"] + port.include_roots + ["src/lib/shim"]
        seen, waiting = {path}, [path]
        while waiting:
            for name in INCLUDE.findall(self.text(waiting.pop()).decode(errors="replace")):
                for root in roots:
                    target = f"{root}/{name}"
                    if target not in seen and self.text(target) is not None:
                        seen.add(target)
                        waiting.append(target)
        return sorted(seen)

    def key(self, path, port):
        digest = self.base.copy()
        digest.update("\0".join(self.options(port) + [path]).encode())
        for name in self.closure(path, port):
            digest.update(name.encode() + b"\0" + self.text(name) + b"\0")
        for name in sorted(glob.glob(os.path.join(tree.HERE, "misra-include", "*.h"))):
            with open(name, "rb") as stream:
                digest.update(stream.read())
        return digest.hexdigest()[:40]

    def cached(self, key):
        path = os.path.join(self.cache, key + ".json")
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8") as stream:
            return json.load(stream)

    def analyse(self, path, port, key):
        with tempfile.TemporaryDirectory(dir=self.out) as folder:
            command = [self.cppcheck] + self.options(port) + [f"--cppcheck-build-dir={folder}", path]
            try:
                run = subprocess.run(command, cwd=self.root, capture_output=True, text=True, errors="replace",
                                     timeout=SECONDS_A_FILE, check=False)
                lines, code = (run.stdout + "\n" + run.stderr).split("\n"), run.returncode
            except subprocess.TimeoutExpired:
                lines, code = [], "no end"
            found = self.parse(path, lines)
            if code != 0 and not any(ident in self.rules.fatal for _, _, _, _, ident, _ in found):
                found.append([path, 1, 0, "error", "cppcheckError", f"cppcheck ended with {code}"])
            ctu = ""
            for name in sorted(glob.glob(os.path.join(folder, "*.ctu-info"))):
                with open(name, encoding="utf-8") as stream:
                    ctu += stream.read()
        result = {"path": path, "found": found, "ctu": ctu}
        if not self.is_unchanged(self.closure(path, port)):
            return result
        with open(os.path.join(self.cache, key + ".new"), "w", encoding="utf-8") as stream:
            json.dump(result, stream)
        os.replace(os.path.join(self.cache, key + ".new"), os.path.join(self.cache, key + ".json"))
        return result

    def is_unchanged(self, paths):
        """Are the files still what they were when the key was made? Somebody may be editing."""
        for path in paths:
            full = os.path.join(self.root, path)
            if not os.path.isfile(full):
                return False
            with open(full, "rb") as stream:
                if stream.read() != self.text(path):
                    return False
        return True

    def parse(self, unit, lines):
        """The findings of one unit's output; version 2.10 gives a missing include no place."""
        found = []
        for line in lines:
            match = FINDING.match(line)
            if match:
                path, number, column, severity, ident, message = match.groups()
                if path == "nofile":
                    path, number = unit, 1
                elif os.path.isabs(path):
                    path = os.path.relpath(path, self.root)
                found.append([path, int(number), int(column), severity, ident, message])
        return found

    def whole_program(self, results):
        """The addon's rules across translation units, from what it noted of each of them."""
        with tempfile.TemporaryDirectory(dir=self.out) as folder:
            names = []
            for index, result in enumerate(results):
                name = os.path.join(folder, f"{index}.ctu-info")
                with open(name, "w", encoding="utf-8") as stream:
                    stream.write(result["ctu"])
                names.append(name)
            run = subprocess.run([sys.executable, self.addon, "--cli", "--no-summary"] + names, cwd=self.root,
                                 capture_output=True, text=True, check=False)
        found = []
        for line in run.stdout.split("\n"):
            if line.startswith("{"):
                item = json.loads(line)
                if "errorId" in item:
                    found.append([item["file"], item["linenr"], item["column"], item["severity"],
                                  f"{item['addon']}-{item['errorId']}", item.get("extra", "")])
        if run.returncode != 0:
            found.append(["src", 1, 0, "error", "internalError", "the addon's whole-program step failed: "
                          + run.stderr.strip()[-200:]])
        return found


class Gate:
    """All files of all ports, the deviations applied, the findings reported."""

    def __init__(self, args):
        self.args = args
        self.root = os.path.abspath(args.root)
        self.rules = Rules(self.root)
        self.report = tree.Report("misra")
        self.analyser = Analyser(self.root, args.out, self.rules, args.library_include)
        self.deviations = misra_deviations.Deviations(self.root, self.report)
        self.found = {}
        self.reached = set()
        self.keys = set()
        self.fresh = self.skipped = 0

    def work(self):
        """[(port, [paths])]: generic code goes with the first port, host ports are not the product."""
        sources = tree.c_files(self.root, "src", ends=(".c",))
        targets = [p for p in tree.ports(self.root)[0] if p.target != "host"]
        lists = []
        if not targets:
            self.report.add("src/arch", 1, "no port of ports.txt is there: nothing was analysed")
        for index, port in enumerate(targets):
            generic = [p for p in sources if not p.startswith("src/arch/")] if index == 0 else []
            lists.append((port, generic + [p for p in sources if port.holds(p)]))
        return lists

    def analyse(self, port, paths):
        keys = {path: self.analyser.key(path, port) for path in paths}
        self.keys.update(keys.values())
        results = {path: self.analyser.cached(keys[path]) for path in paths}
        waiting = [path for path in paths if results[path] is None]
        if self.args.quick is not None and len(waiting) > self.args.quick:
            waiting.sort(key=lambda p: -os.path.getmtime(os.path.join(self.root, p)))
            self.skipped += len(waiting) - self.args.quick
            waiting = waiting[:self.args.quick]
        with concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            for path, result in zip(waiting, pool.map(lambda p: self.analyser.analyse(p, port, keys[p]), waiting)):
                results[path] = result
        self.fresh += len(waiting)
        for path in paths:
            if results[path] is not None:
                self.reached.update(self.analyser.closure(path, port))
        return [results[path] for path in paths if results[path] is not None]

    def collect(self, found):
        for path, line, column, severity, ident, message in found:
            rule = self.rules.judge(severity, ident)
            inside = path.startswith("src/")
            if rule is None or not (inside or ident in self.rules.fatal):
                continue
            text = (self.analyser.text(path) or b"").decode(errors="replace")
            if misra_false.is_false(rule, text, line, column):
                continue
            text = f"MISRA rule {rule}" if rule[0].isdigit() else f"cppcheck {rule}"
            if not ident.startswith("misra-c20"):
                text += f": {message}"
            self.found.setdefault((path, line, column, rule), text)

    def run(self):
        generic_results, files = [], 0
        for port, paths in self.work():
            results = self.analyse(port, paths)
            files += len(paths)
            for result in results:
                self.collect(result["found"])
            self.collect(self.analyser.whole_program(generic_results + results))
            generic_results = generic_results or [r for r in results if not r["path"].startswith("src/arch/")]
        deviated = 0
        for (path, line, column, rule), text in sorted(self.found.items()):
            if rule not in self.rules.fatal and self.deviations.cover(path, line, rule):
                deviated += 1
            else:
                self.report.add(path, line, f"{text} (column {column})")
        if self.skipped == 0:
            self.deviations.unused(self.reached, self.analyser.version in self.rules.pinned)
            self.forget_old_results()
        else:
            self.report.note(f"{self.skipped} changed files were not analysed: make check does")
        if self.analyser.version not in self.rules.pinned:
            self.report.note(f"this is cppcheck {self.analyser.version}, the promise is made for {' '.join(self.rules.pinned)}")
        return self.report.finish(f"{files} files ({self.fresh} analysed now), {deviated} deviated")

    def forget_old_results(self):
        """Keep the cache small: results that this run did not use go when there are very many."""
        names = os.listdir(self.analyser.cache)
        if len(names) > 2000:
            for name in names:
                if name.partition(".")[0] not in self.keys:
                    os.unlink(os.path.join(self.analyser.cache, name))


if __name__ == "__main__":
    parser = tree.arguments(__doc__)
    parser.add_argument("--out", default="out/misra", help="where results are kept, below the root")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--quick", type=int, metavar="N", help="analyse no more than the N newest changed files")
    parser.add_argument("--library-include", default="/usr/include", help="where libfdt.h and zlib.h stand")
    sys.exit(Gate(parser.parse_args()).run())
