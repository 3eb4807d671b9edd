"""The contract suite as an image in the hypervisor's place. [test->dsn~port-contract~1]"""
import os
import re

import pytest

IMAGE = os.environ.get("BULKHEAD_SELFTEST", "out/arm64-clang-release/hal-selftest.bin")


@pytest.mark.parametrize("gic,cpu", [("3", "cortex-a57"), ("2", "cortex-a57"), ("3", "max"), ("2", "cortex-a53"),
                                     ("3", "cortex-a76")])
def test_selftest(boot, gic, cpu):
    machine = boot(kernel=IMAGE, gic=gic, cpu=cpu, cpus=2, mem=1024)
    found = machine.expect(r"^HAL-SUITE (\d+) passed, (\d+) failed", 60)
    assert found.group(2) == "0"
    assert int(found.group(1)) >= 32
    assert machine.wait_end(20) == 0
    assert not re.search(r"FAIL|fatal", machine.text)
