"""Who may include whom, and what generic code may not know.

Checks src against the table in layers.txt: includes by layer, a folder of src/arch only in those that a port of ports.txt has
beside it, libraries only where they are named, no architecture and no CONFIG_ in an #if outside src/arch, no assembly outside
src/arch, file names unique in generic code and each port, no .c in src/hal.
"""
import os
import re
import sys

import ctext
import tree

ARCH_WORD = re.compile(
    r"^(?:__aarch64__|__AARCH64\w*|__arm__|__arm64__|__ARM_\w*|__x86_64__|__i386__|__amd64__|__riscv\w*|__powerpc\w*|"
    r"__PPC\w*|__ppc\w*|CONFIG_(?:ARCH_\w+|ARM\w*|AARCH\w*|X86\w*|AMD64|RISCV\w*|PPC\w*|POWERPC\w*|FAKE)|"
    r"ARM64|ARM32|AARCH64|AARCH32|X86_64|RISCV64|PPC64)$")
INCLUDE = re.compile(r'^(?:"([^"]+)"|<([^>]+)>)')


class Table:
    """layers.txt."""

    def __init__(self, root):
        self.may = {}
        self.system = {}
        self.host_ports = []
        self.generated = []
        for number, line in tree.data_lines(root, "layers.txt"):
            name, colon, rest = line.partition(":")
            words = rest.split()
            if not colon:
                sys.exit(f"layers.txt:{number}: want `name: words`")
            if name.startswith("<"):
                self.system[name.strip("<>")] = words
            elif name == "host ports":
                self.host_ports = words
            elif name == "generated":
                self.generated = words
            else:
                self.may[name] = words


class Checker:
    def __init__(self, root):
        self.root = root
        self.table = Table(root)
        self.report = tree.Report("layers")
        self.files = tree.c_files(root, "src", ends=(".c", ".h", ".S"))
        self.present = set(self.files)
        there, missing = tree.ports(root)
        self.ports = [port.folders for port in there + missing]

    @staticmethod
    def layer(path):
        """(layer, folder under src/arch or None) of a path under src."""
        if not path.startswith("src/arch/"):
            return path.split("/")[1], None
        folder = tree.folder_of(path)
        if folder == "src/arch":
            return "arch", None
        part = path[len(folder) + 1:].split("/")
        if part[0] == "plan":
            return "plan", folder
        if part[0] == "include":
            return "hal_arch" if part[1] == "hal_arch" else "port", folder
        return "arch", folder

    def ports_of(self, folder):
        return {number for number, folders in enumerate(self.ports) if folder in folders}

    def roots_for(self, folder):
        """Include roots that a file of this folder sees: those of any port that has it; generic code sees each hal_arch."""
        roots = ["src"] + ([f"{folder}/include"] if folder else [])
        for folders in self.ports:
            if folder is None or folder in folders:
                roots += [f"{other}/include" for other in folders]
        return roots

    def resolve(self, name, port):
        for root in self.roots_for(port):
            if f"{root}/{name}" in self.present:
                return f"{root}/{name}"
        return None

    def check_quoted(self, path, line, name):
        layer, port = self.layer(path)
        if ".." in name.split("/"):
            self.report.add(path, line, f'"{name}": write the path from the include root, without ..')
            return
        if name in self.table.generated and path.startswith("src/arch/"):
            return
        target = self.resolve(name, port)
        if target is None:
            beside = f"{os.path.dirname(path)}/{name}"
            text = "is found only beside the file: write its path from the include root" if beside in self.present \
                else "is in no include root of this file"
            self.report.add(path, line, f'"{name}" {text}')
            return
        to_layer, to_port = self.layer(target)
        if layer not in self.table.may:
            return
        if to_layer in ("arch", "plan") and to_port != port and not self.ports_of(port) <= self.ports_of(to_port):
            self.report.add(path, line, f'"{name}": {port} is in ports without {to_port}')
            return
        own = to_layer == layer or (layer == "arch" and to_layer == "plan" and to_port == port)
        allowed = self.table.may[layer]
        if not own and to_layer not in allowed and name not in allowed:
            hint = " (a port calls up only through hal/upcall.h)" if layer == "arch" else ""
            self.report.add(path, line, f'"{name}": layer {layer} may not include layer {to_layer}{hint}')

    def check_system(self, path, line, name, uses_libfdt):
        layer, port = self.layer(path)
        if port is not None and port.rpartition("/")[2] in self.table.host_ports:
            return
        allowed = self.table.system.get(name)
        if allowed is None:
            self.report.add(path, line, f"<{name}> is not a header that this code may use")
            return
        for word in allowed:
            if word in ("*", layer, path) or (word.endswith("/") and path.startswith(word)):
                return
            if word == "libfdt" and uses_libfdt:
                return
        self.report.add(path, line, f"<{name}> may be included only by: {' '.join(allowed)}")

    def check_file(self, path):
        text = tree.read(self.root, path)
        blank_strings = ctext.strip(text)
        plain = ctext.strip(text, keep_strings=True)
        layer, port = self.layer(path)
        is_generic = not path.startswith("src/arch/")
        includes = []
        for line, word, rest in ctext.directives(plain):
            if word == "include":
                match = INCLUDE.match(rest)
                if match is None:
                    self.report.add(path, line, "an include names its file literally")
                    continue
                includes.append((line, match.group(1), match.group(2)))
            elif word in ("if", "ifdef", "ifndef", "elif") and not path.startswith("src/arch/fake/"):
                names = re.findall(r"\bCONFIG_\w+", rest)
                for name in names if not rest.endswith("_H") else []:
                    self.report.add(path, line, f"{name} in an #{word}: constants are 0 or 1 and used in `if`")
        uses_libfdt = any(system == "libfdt.h" for _, _, system in includes)
        for line, quoted, system in includes:
            if quoted is not None:
                self.check_quoted(path, line, quoted)
            else:
                self.check_system(path, line, system, uses_libfdt)
        if is_generic and path.endswith((".c", ".h")):
            for word, line in ctext.tokens(blank_strings):
                if ARCH_WORD.match(word):
                    self.report.add(path, line, f"{word}: generic code does not ask which architecture it is")
                elif word in ("asm", "__asm__", "__asm"):
                    self.report.add(path, line, "assembly stands only in src/arch")
        if is_generic and path.endswith(".S"):
            self.report.add(path, 1, "assembly stands only in src/arch")
        if layer not in self.table.may and path.count("/") > 1:
            self.report.add(path, 1, f"layer {layer} is not in the table")
        if path.count("/") == 1:
            self.report.add(path, 1, "a file of src stands in the folder of its layer")
        if layer == "hal" and path.endswith(".c"):
            self.report.add(path, 1, "src/hal holds headers only")

    def check_names(self):
        """What a port is built of has unique file names; a contract header may be called like the layer's own (hal/vcpu.h,
        domain/vcpu.h), and each port repeats the hal_arch headers by design."""
        seen = {}
        for path in self.files:
            layer, _ = self.layer(path)
            name = os.path.basename(path)
            if layer in ("hal", "hal_arch") or path.startswith("src/lib/shim/"):
                continue
            for other in seen.setdefault(name, []):
                if self.are_together(path, other):
                    self.report.add(path, 1, f"the file name {name} is taken by {other}")
            seen[name].append(path)

    def are_together(self, one, two):
        """Is there anything built of both files?"""
        folders = {self.layer(path)[1] for path in (one, two)} - {None}
        return len(folders) < 2 or any(folders <= set(port) for port in self.ports)

    def run(self):
        for path in self.files:
            self.check_file(path)
        self.check_names()
        return self.report.finish(f"{len(self.files)} files")


if __name__ == "__main__":
    args = tree.arguments(__doc__).parse_args()
    sys.exit(Checker(args.root).run())
