"""A kernel in the manner of an RTOS for Cortex-R52 (tests/guest/rtos): it knows core and board, and nothing of us."""
import os
import re
import subprocess
import time

import pytest

from conftest import ROOT

FACTS = 45  # that it tells


def verdict(text):
    """The kernel's own findings; that it came to its end is the caller's matter."""
    assert not re.findall(r"RTOS .*FAIL.*", text), text
    assert len(re.findall(r"RTOS \S+ ok\b", text)) == FACTS, text


@pytest.mark.parametrize("image,before", [("rtos", 2), ("rtos-own", 0)])
def test_bare_board(tmp_path, image, before):
    """What the kernel asks of a machine is what the board has: it passes there without us, from HYP."""
    console = tmp_path / "console"
    serial = ["-serial", "null"] * before + ["-serial", "file:%s" % console]
    command = ["qemu-system-arm", "-machine", "mps3-an536", "-smp", "2", "-display", "none", "-monitor", "none", *serial,
               "-kernel", os.path.join(ROOT, "out", "guests", image + ".elf")]
    end = time.monotonic() + 30 * float(os.environ.get("BULKHEAD_PATIENCE", "1"))
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as qemu:
        text = ""
        while "RTOS end" not in text and time.monotonic() < end and qemu.poll() is None:
            time.sleep(0.1)
            text = console.read_text(errors="replace") if console.exists() else ""
        qemu.terminate()
    assert "RTOS begins in HYP" in text
    assert "RTOS end: " in text
    verdict(text)
