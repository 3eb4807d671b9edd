"""What tests that boot QEMU have in common: machines that end with the test, and their consoles in the report of a failure."""
import os
import sys

import pytest

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, *where) for where in (("tools", "run"), ("tests",), ("tests", "system"), ("tests", "guest"))]

from run import Machine  # noqa: E402  (the path is set above)


def starter():
    machines = []

    def start(*args, **kwargs):
        machine = Machine(*args, **kwargs)
        machines.append(machine)
        return machine.start()
    start.machines = machines
    yield start
    for machine in machines:
        machine.stop()


@pytest.fixture
def boot():
    """boot(system, **machine) starts a Machine of tools/run; it is stopped when the test ends."""
    yield from starter()


@pytest.fixture(scope="module")
def boot_once():
    """The same for machines that all tests of a file share."""
    yield from starter()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    given = getattr(item, "funcargs", {})
    start = given.get("boot") or given.get("boot_once")
    if report.failed and start is not None:
        for number, machine in enumerate(start.machines, 1):
            report.sections.append(("console %d: %s" % (number, " ".join(machine.command or [])), machine.text))
