"""The tests' own ways of talking to a console, where what comes at once differs from what comes bit by bit."""
import pytest

import helpers
from run import CUT, Machine, MachineError


def said(text):
    """A machine that is not started, whose console said this in one piece."""
    machine = Machine("demo")
    machine.text = text
    machine.send = lambda data: None
    return machine


def test_prompt_interrupted():
    """What a command brings about may interrupt the prompt behind it at once: it is still to be found."""
    m = said("bulkhead> restart domU1\nbulkhead> %s\nbulkhead: [ 9.872] domU1: restarts (1): by the operator\nbulkhead> " % CUT)
    helpers.operator(m, "restart domU1", timeout=1)
    m.expect(r"^bulkhead: .*domU1: restarts \(1\)", 1)


def test_line_interrupted():
    """A line that was interrupted comes again: a pattern that takes the rest of a line waits for that."""
    m = said("SERIAL registers %s\nbulkhead: one\nSERIAL registers o%s\nbulkhead: two\nSERIAL registers ok\nbulkhead: three\n" %
             (CUT, CUT))
    assert m.expect(r"SERIAL registers (.*)$", 1)[1] == "ok"
    m.position = 0
    assert m.expect(r"SERIAL registers (.*)\n", 1)[1] == "ok"


def test_prompt_typed_at():
    """A prompt at which something stands is not the one that follows the command."""
    m = said("bulkhead> list\nname\nbulkhead> xy%s\nbulkhead: one\nbulkhead> xy" % CUT)
    with pytest.raises(MachineError):
        helpers.operator(m, "list", r"^name$", timeout=0.5)
