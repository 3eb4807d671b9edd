#!/usr/bin/python3
"""The benchmark can fail: a dearer event, a report that is not the same twice; without QEMU, with figures made here.

The last line printed is `N passed, N failed`. [test->dsn~counts-repeat~1] [test->dsn~no-event-dearer~1]
"""
import argparse
import collections
import contextlib
import copy
import io
import os
import re
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(ROOT, "bench"))

import baseline  # noqa: E402  (the path is set above)
import bench  # noqa: E402
import table  # noqa: E402
from machines import MachineError  # noqa: E402
from report import Figures, Report, spread  # noqa: E402
from rows import SYSTEMS, Row  # noqa: E402

RECORDED = baseline.load(baseline.BASELINE)
HEAD = "# exit, sample, masked: ...\n"


@contextlib.contextmanager
def instead(module, **functions):
    """Functions of a module replaced for a while."""
    kept = {name: getattr(module, name) for name in functions}
    try:
        for name, function in functions.items():
            setattr(module, name, function)
        yield
    finally:
        for name, function in kept.items():
            setattr(module, name, function)


def changed(event, **by):
    """The recorded baseline with an event's figures moved."""
    data = copy.deepcopy(RECORDED)
    for name, amount in by.items():
        data["events"][event][name] += amount
    return data


def check_exit(directory, data, versions=None):
    """(exit code, what is printed) of `bench.py check` when the recorded figures are what was measured."""
    path = os.path.join(directory, "baseline.json")
    baseline.save(path, data["reason"], data["versions"], data["events"])
    results = os.path.join(directory, "results.txt")
    options = argparse.Namespace(hypervisor="", elf="", baseline=path, results=results)
    whole = RECORDED["events"][bench.SELF_CHECK]["median"]
    with instead(bench, measure_all=lambda *_: None, parse=lambda _: {}, our_figures=lambda _: RECORDED["events"],
                 versions=lambda: versions or RECORDED["versions"], profiled=lambda *_: (1, collections.Counter(all=whole))):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = bench.command_check(options)
    with open(results, encoding="utf-8") as stream:
        assert stream.read() == said.getvalue()
    return code, said.getvalue()


def unchanged_passes(directory):
    code, said = check_exit(directory, RECORDED)
    assert code == 0 and said.endswith("%d passed, 0 failed\n" % (len(RECORDED["events"]) + 1)), said


def one_instruction_dearer_fails(directory):
    for event in RECORDED["events"]:
        for name in ("median", "max"):
            code, said = check_exit(directory, changed(event, **{name: -1}))
            assert code == 1 and said.endswith(" 1 failed\n"), (event, said)
            assert re.search(r"^DEARER .*: %s$" % re.escape(event), said, re.M), said


def cheaper_passes(directory):
    code, said = check_exit(directory, changed("PSCI_VERSION", median=1, max=1))
    assert code == 0 and "cheaper" in said, said


def cheaper_median_excuses_nothing(directory):
    code, said = check_exit(directory, changed("PSCI_VERSION", median=5, max=-1))
    assert code == 1, said


def event_gone_fails(directory):
    data = copy.deepcopy(RECORDED)
    data["events"]["an event of yesterday"] = {"median": 1, "max": 1}
    code, said = check_exit(directory, data)
    assert code == 1 and "GONE" in said, said


def event_not_recorded_fails(directory):
    data = copy.deepcopy(RECORDED)
    del data["events"]["PSCI_VERSION"]
    code, said = check_exit(directory, data)
    assert code == 1 and "NEW" in said, said


def other_tools_only_report(directory):
    for tool in RECORDED["versions"]:
        code, said = check_exit(directory, changed("PSCI_VERSION", max=-1), dict(RECORDED["versions"], **{tool: "another"}))
        assert code == 0 and "DEARER" in said and "only reported" in said and said.endswith(" 0 failed\n"), said


def other_kernel_only_reports(directory):
    event = next(event for event, figures in RECORDED["events"].items() if "kernel" in figures)
    data = changed(event, max=-1, median=-1)
    assert check_exit(directory, data)[0] == 1
    data["events"][event]["kernel"] = "another"
    code, said = check_exit(directory, data)
    assert code == 0 and "only reported" in said, said


def profile_that_loses_instructions_fails(directory):
    options = argparse.Namespace(hypervisor="", elf="", baseline=baseline.BASELINE, results=None)
    with instead(bench, measure_all=lambda *_: None, parse=lambda _: {}, our_figures=lambda _: RECORDED["events"],
                 versions=lambda: RECORDED["versions"], profiled=lambda *_: (1, collections.Counter(all=10))):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            code = bench.command_check(options)
    assert directory and code == 1 and "WRONG" in said.getvalue()


def reports_in(directory, second):
    """All reports there, but for one equal in both turns."""
    os.makedirs(os.path.join(directory, "reports"), exist_ok=True)
    with instead(bench, BENCH=directory):
        for system in SYSTEMS:
            for side in system.sides:
                for turn in (1, 2):
                    odd = turn == 2 and (system.name, side) == second
                    with open(bench.report_path(system, side, turn), "w", encoding="ascii") as stream:
                        stream.write(HEAD + ("total\t0\t0\t0\t1\t0\n" if odd else "total\t0\t0\t0\t0\t0\n"))
        return [os.path.basename(path) for path in bench.differing()]


def equal_reports_pass(directory):
    assert reports_in(directory, None) == []


def every_differing_report_is_seen(directory):
    for system in SYSTEMS:
        for side in system.sides:
            assert reports_in(directory, (system.name, side)) == ["%s-%s-1.tsv" % (side, system.name)]


def differing_run_fails(directory):
    options = argparse.Namespace(hypervisor="", elf="", sizes="", what="why")
    storms = {name: ["%s: ..." % name] for name in table.STORMS}
    for found in ([], ["one.tsv"]):
        with instead(bench, measure_all=lambda *_: None, differing=lambda f=found: f, BENCH=directory, size_rows=lambda *_: [],
                     parse=lambda _: {}, masked_lines=lambda *_: storms, versions=lambda: RECORDED["versions"],
                     fetched_version=lambda _: "0", peer_image=lambda: ""):
            with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(io.StringIO()):
                code = bench.command_run(options)
        assert code == len(found) and ("DIFFERENT" in said.getvalue()) == bool(found), said.getvalue()


def baseline_needs_reason_and_repeatable(directory):
    for what, code in (("", 0), ("because", 1)):
        with instead(bench, command_run=lambda _, c=code: c):
            try:
                bench.command_baseline(argparse.Namespace(what=what, sizes="", hypervisor="", elf=""))
            except MachineError:
                continue
        raise AssertionError("recorded all the same: %r, %d, %s" % (what, code, directory))


def words(kind, phase, key, n, least, median, most):
    """A line of elmeter; no moves, two barriers."""
    return "\t".join(map(str, [kind, phase, *key, n, least, median, most, 0, 0] + [0] * 8 + [2] + [0] * 9)) + "\n"


def reports_are_read(directory):
    path = os.path.join(directory, "r.tsv")
    alone, away, idle = "8 16 ea1 1d 100 100 0", "8 16 ea1 1d 100 200 0", "8 16 ea1 1d 100 200 1"
    with open(path, "w", encoding="ascii") as stream:
        stream.write(HEAD + "first\t100\t5\t7\nmark\t0\t5\ta\t1\t1\nmark\t0\t1\tb\t1\t1\n" +
                     words("sample", 3, ["0"] * 7, 200, 5, 6, 9) + words("exit", 31, alone.split(), 10, 1, 1, 1) +
                     words("exit", 31, away.split(), 9, 2, 3, 4) + words("exit", 31, idle.split(), 20, 8, 8, 8) +
                     words("masked", 0, away.split(), 3, 1, 1, 4001))
    report = Report(path)
    assert report.firsts == [7] and report.logged == [10] and report.masked[0].max == 4001
    assert report.sample(3) == Figures(5, 6, 9, 0, 2) and report.sample(4) is None
    assert report.switch(31, ec=0x16) == Figures(2, 3, 4, 0, 2)
    assert spread([3, 1, 2]) == Figures(1, 2, 3) and spread([]) is None


def goals_can_be_missed(directory):
    row = Row("e", "u", None, 100, exact=True, barriers=0)
    cases = (((100, 100, 100, 1, 0), True), ((101, 101, 101, 1, 0), False), ((99, 100, 100, 1, 0), False),
             ((100, 100, 100, 1, 1), False))
    for figures, wanted in cases:
        assert table.met(row, Figures(*figures)) is wanted, (directory, figures)
    assert table.met(row, None) is None


def table_replaces_only_its_place(directory):
    path = os.path.join(directory, "page.md")
    page = "before\n%sold\n%safter\n" % tuple(mark % "baseline" for mark in baseline.MARKS)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(page)
    baseline.put_table(["| a |"], path)
    with open(path, encoding="utf-8") as stream:
        assert stream.read() == page.replace("old", "| a |")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write("no place\n")
    try:
        baseline.put_table([], path)
    except MachineError:
        return
    raise AssertionError("a page without the marks was written")


def page_says_what_is_recorded(directory):
    """docs/performance.md and bench/baseline.json are of one run."""
    with open(baseline.PAGE, encoding="utf-8") as stream:
        begins, ends = (mark % "baseline" for mark in baseline.MARKS)
        table = stream.read().partition(begins)[2].partition(ends)[0]
        shown = dict(re.findall(r"^\| (.+?) \| ([^|]+) \|", table, re.M))
    for event, figures in RECORDED["events"].items():
        said = [int(word) for word in re.sub(r" s\d+ b\d+$", "", shown[event]).split(" / ")]
        assert (said[len(said) // 2], said[-1]) == (figures["median"], figures["max"]), (directory, event, said)


TESTS = (unchanged_passes, one_instruction_dearer_fails, cheaper_passes, cheaper_median_excuses_nothing, event_gone_fails,
         event_not_recorded_fails, other_tools_only_report, other_kernel_only_reports,
         profile_that_loses_instructions_fails, equal_reports_pass,
         every_differing_report_is_seen, differing_run_fails, baseline_needs_reason_and_repeatable, reports_are_read,
         goals_can_be_missed, table_replaces_only_its_place, page_says_what_is_recorded)


def main():
    failed = 0
    for test in TESTS:
        with tempfile.TemporaryDirectory() as directory:
            try:
                test(directory)
                print("ok   %s" % test.__name__)
            except Exception as error:                       # whatever it was, the others run
                failed += 1
                print("FAIL %s: %s: %s" % (test.__name__, type(error).__name__, error))
    print("%d passed, %d failed" % (len(TESTS) - failed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
