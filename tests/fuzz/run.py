#!/usr/bin/python3
"""Runs fuzz targets, keeps corpus and crashers, and writes down what it cost.

usage: run.py                                 all targets, or those of FUZZ_TARGETS: the seeds, the known crashers of
                                              tests/fuzz/known and a short look around; a test
       run.py --seconds S [--rounds N] [--jobs N] [--log FILE] TARGET...
                                              fuzz each for S seconds, N rounds (0: for ever), some at a time
       run.py --sum FILE...                   what logs add up to, as a table

A target's program is FOLDER/fuzz_<target>, its seeds are FOLDER/seeds/<target>; its corpus grows in FOLDER/corpus/<target> and
its crashers fall into FOLDER/crashes. FOLDER is out/fuzz or what --folder says.
"""
import argparse
import concurrent.futures
import datetime
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
EXECUTIONS, FINAL, COVERAGE, FEATURES = r"#(\d+)\s", r"number_of_executed_units: (\d+)", r"cov: (\d+)", r"ft: (\d+)"
LENGTH = {"tree": 65536, "plan": 65536, "image": 16384, "life": 600, "hypercall": 4000, "control": 4000}
REPLAY_RUNS, REPLAY_SECONDS, REPLAY_JOBS = 2000, 4, 2


def run(command):
    """(exit status, output, CPU seconds)"""
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return child.returncode, out.read().decode(errors="replace"), usage.ru_utime + usage.ru_stime


def last(pattern, text, otherwise="0"):
    found = re.findall(pattern, text)
    return found[-1] if found else otherwise


class Target:
    def __init__(self, folder, name):
        self.folder = os.path.abspath(folder)
        self.name = name

    def beside(self, *parts):
        path = os.path.join(self.folder, *parts)
        os.makedirs(path, exist_ok=True)
        return path

    def command(self, *more):
        return [os.path.join(self.folder, "fuzz_" + self.name), f"-max_len={LENGTH.get(self.name, 4096)}", "-len_control=10",
                "-timeout=60", "-rss_limit_mb=3000", f"-artifact_prefix={self.beside('crashes')}/{self.name}-", *more]

    def seeds(self):
        path = os.path.join(self.folder, "seeds", self.name)
        return [path] if os.path.isdir(path) else []

    def fuzz(self, options):
        status, text, cpu = run(self.command(f"-max_total_time={options.seconds}", "-print_final_stats=1",
                                             self.beside("corpus", self.name), *self.seeds()))
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = (f"{now} {self.name} cpu={cpu:.1f} executions={last(FINAL, text, last(EXECUTIONS, text))} "
                f"coverage={last(COVERAGE, text)} features={last(FEATURES, text)} result={'ok' if status == 0 else 'CRASH'}")
        with open(options.log, "a", encoding="ascii") as log:
            log.write(line + "\n")
        if status != 0:
            report = os.path.join(self.beside("crashes"), f"{self.name}-{now}.txt")
            with open(report, "w", encoding="utf-8") as file:
                file.write(text[-20000:])
            line += f"\n{report}\n{text[-3000:]}"
        print(line, flush=True)
        return status == 0

    def known(self, folder):
        """The crashers of the past, made from text."""
        for path in sorted(glob.glob(os.path.join(HERE, "known", self.name + "-*"))):
            out = os.path.join(folder, os.path.basename(path))
            if path.endswith(".dts"):
                subprocess.run(["dtc", "-q", "-f", "-I", "dts", "-O", "dtb", "-o", out, path], check=True)
            else:
                with open(path, encoding="ascii") as text, open(out, "wb") as file:
                    file.write(bytes.fromhex("".join(line.partition("#")[0] for line in text)))

    def replay(self, _):
        """Each of the known inputs once, then some new ones from a fixed seed."""
        with tempfile.TemporaryDirectory() as folder:
            new, known = os.path.join(folder, "new"), os.path.join(folder, "known")
            os.mkdir(new)
            os.mkdir(known)
            self.known(known)
            files = [os.path.join(d, f) for d in [known, *self.seeds()] for f in sorted(os.listdir(d))]
            status, text, _ = run(self.command(*files)) if files else (0, "", 0)
            if status == 0:
                status, text, _ = run(self.command(f"-runs={REPLAY_RUNS}", "-seed=1", f"-max_total_time={REPLAY_SECONDS}", new,
                                                   known, *self.seeds()))
        print(f"{'ok' if status == 0 else 'FAIL'} {self.name}: {len(files)} known inputs, {last(EXECUTIONS, text)} executions, "
              f"coverage {last(COVERAGE, text)}" + ("" if status == 0 else "\n" + text[-3000:]), flush=True)
        return status == 0


def add_up(files):
    total = {}
    for path in files:
        with open(path, encoding="ascii") as log:
            for line in log:
                words = dict(w.split("=", 1) for w in line.split() if "=" in w)
                sums = total.setdefault(line.split()[1], [0.0, 0, 0, 0])
                sums[0] += float(words["cpu"])
                sums[1] += int(words["executions"])
                sums[2] = max(sums[2], int(words["coverage"]))
                sums[3] += words["result"] != "ok"
    print("| target | CPU hours | executions | edges covered | runs ended by a crash |\n|---|---|---|---|---|")
    for target, (cpu, executions, coverage, crashes) in sorted(total.items()):
        print(f"| {target} | {cpu / 3600:.2f} | {executions} | {coverage} | {crashes} |")
    print(f"| all | {sum(t[0] for t in total.values()) / 3600:.2f} | {sum(t[1] for t in total.values())} | | |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, help="fuzz each so long")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=REPLAY_JOBS)
    parser.add_argument("--folder", default=os.path.join(ROOT, "out", "fuzz"))
    parser.add_argument("--log")
    parser.add_argument("--sum", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.sum:
        add_up(options.names)
        return 0
    options.log = options.log or os.path.join(options.folder, "log")
    everything = [os.path.basename(path)[5:-2] for path in sorted(glob.glob(os.path.join(HERE, "fuzz_*.c")))]
    targets = [Target(options.folder, name) for name in
               options.names or os.environ.get("FUZZ_TARGETS", "").split() or everything]
    done, rounds = [], 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        while rounds == 0 or options.rounds == 0 or rounds < options.rounds:
            work = [pool.submit(target.fuzz if options.seconds else target.replay, options) for target in targets]
            done = [job.result() for job in work]
            rounds += 1
    print(f"{done.count(True)} passed, {done.count(False)} failed")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
