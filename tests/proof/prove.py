#!/usr/bin/python3
"""Shows that what tests/proof/prove_*.c claim holds, by CBMC; and that each proof fails where the product is wrong.

    prove.py --cbmc PROGRAM [--only WORD] [--results FILE] -- DEFINITIONS

A claim holds for all values within the bounds that its file and the list below name; loops are unwound to their end, which is
proved, too. Of each proof one is made of a copy of the product with a fault in it, and must fail.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHECKS = ["--bounds-check", "--pointer-check", "--signed-overflow-check", "--undefined-shift-check", "--div-by-zero-check",
          "--unwinding-assertions", "--slice-formula", "--stop-on-fail"]
INCLUDES = ["-Isrc", "-Isrc/arch/fake/include", "-Itests/proof"]
KINDS = ["-DCONFIG_DEBUG=1", "-DCONFIG_STATIC=0", "-DCONFIG_GIC_ONLY=0"]
TIMEOUT = 1200

QUEUE = ("queue", "src/lib/queue.c",
         ["--unwind", "50", "--unwindset", "queue_insert.0:5,queue_remove.0:4,queue_first.0:5,queue_settle.0:5,make.1:11"])
RTDS = ("rtds", "src/sched/policy/rtds.c", ["--unwind", "3", "--unsigned-overflow-check"])
ARINC653 = ("arinc653", "src/sched/policy/arinc653.c", ["--unwind", "5"])
INCLUDED = ("arinc653",)  # the proof includes the source as SOURCE: it makes things of a kind that nobody else knows
CALLS = ["charge", "wake", "look"]


def rtds(call, period_us, budget_us):
    return ("%s, %u of %u us" % (CALLS[call], budget_us, period_us), RTDS,
            ["-DCALL=%u" % call, "-DPERIOD_US=%uu" % period_us, "-DBUDGET_US=%uu" % budget_us])


def arinc653(minors, major_ns):
    return ("%u windows in %u ns" % (minors, major_ns), ARINC653, ["-DMINORS=%uu" % minors, "-DMAJOR_NS=%uu" % major_ns])


# What, of which file, with which bounds
PROOFS = [("up to four nodes and one more", QUEUE, ["-DNODES=4u"])] + [
    rtds(call, period_us, budget_us) for call in range(3) for period_us, budget_us in ((25, 10), (10, 10), (40, 25))] + [
    arinc653(*row) for row in ((1, 1000), (3, 1000), (3, 997), (4, 600))]

# The same, with a fault: text, and what stands for it
FAULTS = [
    ("two steps out of balance", QUEUE, ["-DNODES=4u"], "height > (2u +", "height > (3u +"),
    ("a removal that ends too early", QUEUE, ["-DNODES=5u"], "least = heir;", "(void)heir;"),
    ("masks that are lost", QUEUE, ["-DNODES=2u"], " | queue_masks(node->side[QUEUE_LEFT])", ""),
    ("a debt that is forgotten", RTDS, rtds(0, 25, 10)[2], "(of->left_ns < 0) ? of->left_ns : 0", "0"),
    ("a deadline that stays", RTDS, rtds(2, 25, 10)[2], "of->deadline_ns += nr_periods * period_ns;",
     "of->deadline_ns += period_ns;"),
    ("a window that ends late", ARINC653, arinc653(2, 600)[2], "since_ns >= frame->at->end_ns", "since_ns > frame->at->end_ns"),
    ("frames that are lost", ARINC653, arinc653(2, 600)[2], "(since_ns / frame->major_ns) * frame->major_ns",
     "frame->major_ns"),
    ("a row that is not begun anew", ARINC653, arinc653(2, 600)[2], " || (since_ns < frame->at->at_ns)", ""),
]


def prove(cbmc, of, source, bounds, definitions):
    """CBMC's last words and code."""
    name, _, unwind = of
    with_source = ['-DSOURCE="%s"' % os.path.join(ROOT, source)] if name in INCLUDED else [source]
    command = [cbmc, "tests/proof/prove_%s.c" % name, *with_source, *INCLUDES, *KINDS, *definitions, *bounds, *CHECKS, *unwind]
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return "no answer in %u s" % TIMEOUT, -1
    return "\n".join(done.stdout.decode(errors="replace").splitlines()[-30:]), done.returncode


def fault(cbmc, of, bounds, change, definitions):
    with open(os.path.join(ROOT, of[1]), encoding="utf-8") as product:
        text = product.read()
    if text.count(change[0]) != 1:
        return "%r is not once in %s" % (change[0], of[1]), -1
    with tempfile.TemporaryDirectory() as scratch:
        source = os.path.join(scratch, os.path.basename(of[1]))
        with open(source, "w", encoding="utf-8") as copy:
            copy.write(text.replace(change[0], change[1]))
        return prove(cbmc, of, source, bounds, definitions)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cbmc", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--results")
    parser.add_argument("definitions", nargs="*")
    args = parser.parse_args()
    failed = passed = 0
    jobs = [(of[0] + ": " + what, 0, lambda of=of, bounds=bounds: prove(args.cbmc, of, of[1], bounds, args.definitions))
            for what, of, bounds in PROOFS]
    jobs += [(of[0] + ": finds " + what, 10,
              lambda of=of, bounds=bounds, change=change: fault(args.cbmc, of, bounds, change, args.definitions))
             for what, of, bounds, *change in FAULTS]
    for what, wanted, run in jobs:
        if args.only in what:
            started = time.monotonic()
            words, code = run()
            good = code == wanted
            passed += good
            failed += not good
            if not good:
                print(words)
            print("%s %s (%.0f s)" % ("ok  " if good else "FAIL", what, time.monotonic() - started), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    if args.results:
        os.makedirs(os.path.dirname(args.results), exist_ok=True)
        with open(args.results, "w", encoding="utf-8") as results:
            results.write("%d passed, %d failed\n" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
