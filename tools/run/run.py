#!/usr/bin/python3
"""Boots a system of systems/ in QEMU: for a person at a terminal, for scripts, and for the system tests.

As a program it is what `make run` starts; its settings come as BULKHEAD_<NAME> in the environment (see `make help`).
Tests import it:

    from run import Machine
    with Machine("demo") as m:              # starts; stops at the end
        m.expect(r"GUEST-UP domU1", 120)    # the re.Match, or MachineError
        m.send("uname -m\\n")
        print(m.text)                       # all the console said, without carriage returns and escape sequences
        print(m.whole)                      # ... and without the beginnings of lines that follow whole
"""
import atexit
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
if HERE not in sys.path:
    sys.path.insert(0, HERE)

from boards import BOARDS  # noqa: E402  (the path is set above)

OUT = os.path.join(ROOT, "out")
GUESTS = os.path.join(OUT, "guests")
ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][A-Za-z0-9]|[=>78cDEHM])|[\r\x00]")
HALF_ESCAPE = re.compile(r"(?:\x1b(?:\[[0-9;?]*|[()])?|\r+)\Z")
INTERRUPTED = "\r\r\n"  # ends a line that is shown whole later (src/base/console.h)
CUT = "\u2026"          # stands in `text` at the end of such a line; no byte decodes to it
# Patience of all waiting times, for machines that are slower than the one the times were chosen on.
PATIENCE = float(os.environ.get("BULKHEAD_PATIENCE", "1"))


def plain(text):
    """What the console said without escape sequences; a line that another source interrupted ends with CUT."""
    return ESCAPES.sub("", text.replace(INTERRUPTED, CUT + "\n"))


def whole(text):
    """The text without the lines that were interrupted: each of them follows whole, if ever it ends."""
    return "".join(line for line in text.splitlines(True) if not line.endswith(CUT + "\n"))


class MachineError(Exception):
    """What was waited for did not come, or the machine could not be started."""


def in_root(path):
    return path if os.path.isabs(path) else os.path.join(ROOT, path)


def newer(target, sources):
    """Whether target exists and no source changed after it was made."""
    if not os.path.exists(target):
        return False
    made = os.stat(target).st_mtime_ns
    return all(os.stat(source).st_mtime_ns <= made for source in sources)


def fetched_folder():
    cache = os.environ.get("BULKHEAD_CACHE")
    if not cache:
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "bulkhead")
    return os.path.join(cache, "trixie-arm64")


class Lock:
    """Runs that need the same made file wait for each other."""

    def __init__(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.path = path + ".lock"

    def __enter__(self):
        self.stream = open(self.path, "w")
        fcntl.flock(self.stream, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.stream.close()


def checked(command, what):
    """Runs a command to its end; its words are the error's when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise MachineError("%s failed:\n%s\n%s" % (what, shlex.join(command), done.stdout.decode(errors="replace")))


class Machine:
    """One QEMU with one system in it, its console on pipes.

    system      a name in systems/ or the path of a .dts or .dtb; with a file of the same name and the end .modules
                beside it the modules are loaded at the addresses that it lists, else one image is made of all; a file
                of the same name and the end .qemu holds further arguments of QEMU
    board, cpu, cpus, mem (MiB), gic: the machine; None takes the board's usual value
    extra       further QEMU arguments; they also take part when the board's tree is made
    hypervisor  bulkhead.bin of another build; include: further folders for /incbin/
    kernel      boots this file as it is instead of a system (self-test images); then system is None
    cores       where the cores' own UARTs lead, which some boards have before the console, as -serial says it (nowhere)
    second      the machine has a second UART: what it sends is in second_text, second_send() types there
    cuts        False: INTERRUPTED has no meaning, the hypervisor is not ours
    """

    def __init__(self, system=None, board="virt", cpu=None, cpus=None, mem=None, gic=None, extra=(), hypervisor=None,
                 include=(), kernel=None, second=False, cores=(), cuts=True):
        if board not in BOARDS:
            raise MachineError("no board '%s'; there are: %s" % (board, " ".join(sorted(BOARDS))))
        self.board = BOARDS[board]
        self.cpu = cpu or self.board.cpu
        self.cpus = int(cpus or self.board.cpus)
        self.mem = int(mem or self.board.mem)
        self.gic = str(gic or self.board.gic)
        self.extra = list(extra)
        self.include = [in_root(path) for path in include]
        port = self.board.port
        # What a guest is called is the same everywhere: what was built for the port goes before what was built for arm64.
        self.guests = ([] if port == "arm64" else [os.path.join(GUESTS, port)]) + [GUESTS]
        self.tool = os.path.join(OUT, "host", "bulkhead-image" + ("" if port == "arm64" else "-" + port))
        usual = "out/bulkhead.bin" if port == "arm64" else "out/%s-clang-release/bulkhead.bin" % port
        given = os.environ.get("BULKHEAD_IMAGE") if port == os.environ.get("BULKHEAD_PORT", "arm64") else None
        self.hypervisor = in_root(hypervisor or given or usual)
        self.link_address = self.board.link_address and int(setting("LOAD_ADDR", str(self.board.link_address)), 0)
        self.kernel = in_root(kernel) if kernel else None
        self.second = second
        self.cores = list(cores)
        self.plain = plain if cuts else lambda text: ESCAPES.sub("", text)
        self.second_text = ""
        self._second = None
        self.system = None
        if system:
            self.system = in_root(system) if "/" in system else os.path.join(ROOT, "systems", system + ".dts")
            if not os.path.exists(self.system):
                names = sorted(n[:-4] for n in os.listdir(os.path.join(ROOT, "systems")) if n.endswith(".dts"))
                raise MachineError("no system '%s'; there are: %s" % (system, " ".join(names)))
            self.extra = self._needs() + self.extra
        self.process = None
        self.command = None
        self.raw = bytearray()
        self.text = ""
        self.position = 0
        self.last_data = time.monotonic()
        self._pending = ""
        self._changed = threading.Condition()
        self._ended = False
        self._reader = None
        self._echo = None

    # -- Files a boot needs ---------------------------------------------------------------------------------------------

    def board_tree(self):
        """The path of the board's device tree: QEMU's own, or a file in which QEMU puts right how much memory there is."""
        given = []
        options = ",dtb-randomness=off"
        if self.board.tree:
            options = ""
            if self.board.tree.endswith(".dts"):
                return self._own_tree()
            given = ["-dtb", os.path.join(fetched_folder(), "dtb", self.board.tree)]
            if self.mem == self.board.tree_mem:
                return given[1]
        # A tree is QEMU's own statement on these arguments; no randomness, so that equal machines have equal trees.
        arguments = self.board.arguments(self.cpu, self.cpus, self.mem, self.gic, options, "single") + self.extra
        qemu = shutil.which(self.board.qemu)
        if qemu is None:
            raise MachineError("%s is not installed" % self.board.qemu)
        arguments += given
        key = hashlib.sha256(repr((arguments, self.second, os.stat(qemu).st_ctime_ns)).encode()).hexdigest()[:12]
        path = os.path.join(OUT, "boards", "%s-%s-%d-%dM-gic%s-%s.dtb"
                            % (self.board.name, (self.cpu or "own").split(",")[0], self.cpus, self.mem, self.gic, key))
        with Lock(path):
            if not os.path.exists(path):
                machine = arguments[1] + ",dumpdtb=%s.new" % path
                serial = ["-serial", "null"] * (2 if self.second else 1)
                checked([qemu, arguments[0], machine] + arguments[2:] + serial, "asking QEMU for its device tree")
                os.replace(path + ".new", path)
        return path

    def _own_tree(self):
        """The tree of systems/boards, or a copy that tells of another size of memory."""
        source = os.path.join(ROOT, "systems", "boards", self.board.tree)
        if self.mem == self.board.tree_mem and self.cpus == self.board.cpus:
            return source
        path = os.path.join(OUT, "boards", "%s-%d-%dM.dts" % (self.board.name, self.cpus, self.mem))
        absent = "".join("\n/delete-node/ &{/cpus/cpu@%d};" % cpu for cpu in range(self.cpus, self.board.cpus))
        with Lock(path), open(path + ".new", "w", encoding="ascii") as stream:
            stream.write('/include/ "%s"\n/ { memory@%x { reg = <0x%x 0x%x>; }; };%s\n'
                         % (source, self.board.ram, self.board.ram, self.mem << 20, absent))
            os.replace(path + ".new", path)
        return path

    def _needs(self):
        """What of QEMU the system needs: the arguments in the .qemu file beside it, where @guests@ is out/guests."""
        path = os.path.splitext(self.system)[0] + ".qemu"
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as stream:
            return shlex.split(stream.read().replace("@guests@", GUESTS), comments=True)

    def _modules(self):
        """What the .modules file beside the system lists: (file, address, size or None)."""
        path = os.path.splitext(self.system)[0] + ".modules"
        if not os.path.exists(path):
            return None
        modules = []
        with open(path, encoding="utf-8") as stream:
            for line in stream:
                words = line.split("#")[0].split()
                if words:
                    modules.append((words[1], int(words[0], 0), int(words[2], 0) if len(words) > 2 else None))
        return modules

    def _padded(self, name, size):
        """The module's file, or a copy padded with zeros to the size that the tree says."""
        source = next(filter(os.path.exists, (os.path.join(folder, name) for folder in self.guests)), name)
        if size is None:
            return source
        length = os.stat(source).st_size
        if length > size:
            raise MachineError("%s has %d bytes, more than the %d of its reg" % (source, length, size))
        path = os.path.join(OUT, "images", "%s-%x" % (name, size))
        with Lock(path):
            if not newer(path, [source]):
                shutil.copyfile(source, path + ".new")
                os.truncate(path + ".new", size)
                os.replace(path + ".new", path)
        return path

    def _system_sources(self):
        """Everything an image is made of, as far as it can be told without reading the tree."""
        folders = self.guests + [os.path.dirname(self.system)] + self.include
        sources = [self.tool, self.hypervisor, self.system]
        for folder in folders:
            if os.path.isdir(folder):
                sources += [e.path for e in os.scandir(folder) if e.is_file() and not e.name.endswith((".py", ".lock", ".new"))]
        return sources

    def _tool(self, tree, arguments, stem, suffix):
        """What bulkhead-image makes of the system for this board, under out/images."""
        for path, what in ((self.tool, "the host tool"), (self.hypervisor, "the hypervisor")):
            if not os.path.exists(path):
                raise MachineError("%s is not built: %s" % (what, os.path.relpath(path, ROOT)))
        key = hashlib.sha256(repr((tree, self.system, self.hypervisor, self.include)).encode()).hexdigest()[:12]
        path = os.path.join(OUT, "images", "%s-%s.%s" % (stem, key, suffix))
        command = [self.tool] + arguments + ["--board", tree, "--system", self.system]
        for folder in self.guests + self.include:
            command += ["-i", folder]
        with Lock(path):
            if not newer(path, self._system_sources() + [tree]):
                checked(command + ["-o", path + ".new"], "making the system")
                os.replace(path + ".new", path)
        return path

    def _boot(self, image):
        """How this file is started: by the machine's loader, or put where it is linked, which all cores are pointed to."""
        if self.link_address is None:
            return ["-kernel", image]
        path = image.replace(",", ",,")
        loader = ["-device", "loader,file=%s,addr=0x%x,force-raw=on" % (path, self.link_address)]
        for cpu in range(self.cpus):
            loader += ["-device", "loader,addr=0x%x,cpu-num=%d" % (self.link_address, cpu)]
        return loader

    def _serial(self, console):
        """The console among QEMU's serial lines; those before it are the cores' own."""
        lines = self.cores + ["null"] * (self.board.console - len(self.cores)) + [console]
        return [part for line in lines for part in ("-serial", line)]

    def arguments(self):
        """QEMU's whole command but for the console, making what files it needs."""
        # Counting instructions needs all processors on one thread.
        threads = "single" if "-icount" in self.extra else "multi"
        command = [self.board.qemu] + self.board.arguments(self.cpu, self.cpus, self.mem, self.gic, threads=threads)
        tree = self.board_tree() if self.board.tree or self.system else None
        if self.kernel:
            command += self._boot(self.kernel)
        elif self.system:
            stem = os.path.splitext(os.path.basename(self.system))[0]
            modules = self._modules()
            if modules is None:
                image = self._tool(tree, ["--hypervisor", self.hypervisor], stem, "img")
                command += self._boot(image)
            elif self.link_address is not None:
                raise MachineError("%s: the board %s is handed no device tree, its modules must be in the image"
                                   % (self.system, self.board.name))
            else:
                merged = self._tool(tree, ["--merge"], stem, "dtb")
                command += ["-kernel", self.hypervisor]
                for name, address, size in modules:
                    path = self._padded(name, size)
                    command += ["-device", "loader,file=%s,addr=0x%x,force-raw=on" % (path.replace(",", ",,"), address)]
                tree = merged
                command += ["-dtb", tree]
        if self.board.tree and self.link_address is None and "-dtb" not in command:
            command += ["-dtb", tree]
        return command + self.extra

    # -- Life -----------------------------------------------------------------------------------------------------------

    def start(self, echo=None):
        """Starts QEMU. `echo`, a binary stream, gets a copy of all output as it comes."""
        # setpriv: QEMU ends with us, however we end.
        self.command = self.arguments() + self._serial("stdio")
        if self.second:
            self._second = socket.socketpair()
            self.command += ["-chardev", "socket,id=second,fd=%d" % self._second[1].fileno(), "-serial", "chardev:second"]
        self._echo = echo
        self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL"] + self.command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
                                        pass_fds=[self._second[1].fileno()] if self.second else [])
        if self.second:
            self._second[1].close()
            threading.Thread(target=self._read_second, daemon=True).start()
        atexit.register(self.stop)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def _read_second(self):
        while True:
            data = self._second[0].recv(4096)
            if not data:
                return
            with self._changed:
                self.second_text += data.decode("latin-1")
                self._changed.notify_all()

    def second_send(self, text):
        """Types on the second UART."""
        self._second[0].sendall(text.encode())

    def second_expect(self, regex, timeout=60):
        """The first match in all that the second UART sent since second_text was last emptied."""
        return self.wait(lambda: re.search(regex, self.second_text), "the second UART said /%s/" % regex, timeout)

    def _read(self):
        descriptor = self.process.stdout.fileno()
        while True:
            data = os.read(descriptor, 65536)
            echo = self._echo
            if data and echo:
                try:
                    echo.write(data)
                    echo.flush()
                except OSError:
                    self._echo = None
            with self._changed:
                if not data:
                    self.text += self.plain(self._pending)
                    self._pending = ""
                    self._ended = True
                    self._changed.notify_all()
                    return
                self.raw += data
                # Bytes above 127 are kept one character each: a guest may cut a UTF-8 sequence anywhere.
                pending = self._pending + data.decode("latin-1")
                cut = HALF_ESCAPE.search(pending)
                end = cut.start() if cut else len(pending)
                self.text += self.plain(pending[:end])
                self._pending = pending[end:]
                self.last_data = time.monotonic()
                self._changed.notify_all()

    def wait(self, found, what, timeout):
        """Waits until found() gives something true and returns that."""
        limit = time.monotonic() + timeout * PATIENCE
        with self._changed:
            while True:
                result = found()
                if result:
                    return result
                left = limit - time.monotonic()
                if self._ended:
                    raise MachineError("QEMU ended (code %s) before %s" % (self.process.wait(), what))
                if left <= 0:
                    raise MachineError("after %g s still not %s; the last lines:\n%s"
                                       % (timeout * PATIENCE, what, "\n".join(self.text.splitlines()[-15:])))
                self._changed.wait(min(left, 0.25))

    @property
    def whole(self):
        return whole(self.text)

    def expect(self, regex, timeout=60):
        """The next match after the previous one's end (^ and $ are those of lines). What another source interrupted may be
        half of a word: it matches when it is whole."""
        pattern = re.compile(regex, re.MULTILINE)

        def found():
            match = pattern.search(self.text, self.position)
            while match and match.end() > match.start() and (self.text.startswith(CUT, match.end()) or
                                                             match.group().rstrip("\n").endswith(CUT)):
                match = pattern.search(self.text, match.end())
            # At the end of what has come so far it may be half of a word, unless nothing follows.
            if match and match.end() == len(self.text) and not (self._ended or time.monotonic() - self.last_data > 0.2):
                match = None
            if match:
                self.position = match.end()
            return match
        return self.wait(found, "seen: %s" % regex, timeout)

    def expect_count(self, regex, count, timeout=60):
        """Waits until the pattern has appeared `count` times in all, counted line by line over the whole transcript."""
        counter = LineCounter(regex)

        def found():
            quiet = time.monotonic() - self.last_data > 0.2
            return counter.count(self.text, quiet or self._ended) >= count
        self.wait(found, "seen %d times: %s" % (count, regex), timeout)

    def wait_end(self, timeout=60):
        """Waits until QEMU has ended by itself (all domains off) and returns its exit code."""
        self.wait(lambda: self._ended, "ended", timeout)
        return self.process.wait()

    def send(self, data):
        """Types into the console."""
        if isinstance(data, str):
            data = data.encode()
        try:
            self.process.stdin.write(data)
        except (BrokenPipeError, ValueError) as error:
            raise MachineError("QEMU has ended, nothing can be typed") from error

    def stop(self):
        """Ends QEMU; harmless when it has ended."""
        if self.process is None:
            return
        self._echo = None                                    # QEMU's farewell is no output of the system
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._reader is not None:
            self._reader.join(5)
        for stream in (self.process.stdin, self.process.stdout):
            try:
                stream.close()
            except OSError:
                pass
        atexit.unregister(self.stop)

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.stop()


class LineCounter:
    """Counts a pattern's matches line by line, looking at each finished line once."""

    def __init__(self, regex):
        self.pattern = re.compile(regex)
        self.done = 0
        self.total = 0

    def _matches(self, line):
        return sum(1 for _ in self.pattern.finditer(line))

    def count(self, text, with_last):
        """Matches so far, but those in interrupted lines; `with_last`: also in the line that has no end yet (a prompt never
        gets one)."""
        while True:
            end = text.find("\n", self.done)
            if end < 0:
                break
            if not text.startswith(CUT, end - 1):
                self.total += self._matches(text[self.done:end])
            self.done = end + 1
        return self.total + (self._matches(text[self.done:]) if with_last else 0)


# -- make run ---------------------------------------------------------------------------------------------------------

LEAVING = """\
Your keys, Ctrl-C too, go to the guests. Ctrl-a three times moves the input to the next one; after the last domain
comes the operator's prompt, where `help` lists what can be done and `poweroff` ends it all. QEMU also ends when
every domain is off.
"""


def setting(name, default=None):
    return os.environ.get("BULKHEAD_" + name) or default


def unescape(text):
    """\\n, \\r, \\xNN and the like, as in C; everything else stays."""
    simple = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "0": "\0"}

    def one(match):
        return chr(int(match.group(1)[1:], 16)) if match.group(1).startswith("x") else simple[match.group(1)]
    return re.sub(r"\\(x[0-9A-Fa-f]{2}|[nrt0\\])", one, text)


def interactive(machine):
    import termios
    command = machine.arguments() + ["-chardev", "stdio,id=console,signal=off"] + machine._serial("chardev:console")
    sys.stdout.write(LEAVING)
    sys.stdout.flush()
    saved = termios.tcgetattr(0) if os.isatty(0) else None
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    process = subprocess.Popen(command)
    print("(If all else fails, from another terminal: kill %d)\n" % process.pid, flush=True)
    try:
        return process.wait()
    finally:
        if saved:
            termios.tcsetattr(0, termios.TCSADRAIN, saved)


def scripted(machine, until, count, timeout, typed):
    """No terminal: copies the console out until the pattern has appeared often enough."""
    when, arrow, text = typed.partition("=>")
    if not arrow:
        when, text = "", typed
    machine.start(echo=sys.stdout.buffer)
    try:
        if when:
            machine.expect(when, timeout)
        if text:
            machine.send(unescape(text))
        machine.expect_count(until, count, timeout)
        return 0
    finally:
        machine.stop()
        kept = re.search(r"kept from guests: (\d+) bytes", machine.text)
        if kept and os.path.basename(machine.system) == "demo.dts":
            with open(os.path.join(OUT, "last-kept"), "w", encoding="ascii") as stream:
                stream.write(kept.group(1) + "\n")


def main():
    until = setting("UNTIL")
    try:
        machine = Machine(setting("SYSTEM", "demo"), board=setting("BOARD", "virt"), cpu=setting("CPU"), cpus=setting("CPUS"),
                          mem=setting("MEM"), gic=setting("GIC"), extra=shlex.split(setting("QEMU_EXTRA", "")))
        if until is None:
            return interactive(machine)
        return scripted(machine, until, int(setting("COUNT", "1")), float(setting("TIMEOUT", "300")), setting("INPUT", ""))
    except (MachineError, ValueError, re.error) as error:
        print("\nrun: %s" % error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
