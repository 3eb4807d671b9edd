"""Grants between two small guests, of which the granter ends once while a page of it is mapped."""
import os

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))


@pytest.mark.parametrize("cpus", [1, 2])
def test_grants(boot, cpus):
    """Mapped, written, read only, copied, taken back; zeros and on with the next life. [test->req~grants~1]"""
    machine = boot(os.path.join(HERE, "grant.dts"), cpus=cpus, mem=512)
    machine.expect(r"^mapper: GRANT mapper ok", 60)
    for line in ("granter: GRANT granter has all back", "mapper: GRANT mapper gave all back", "mapper: GRANT mapper reads zeros"):
        assert line in machine.text
    assert machine.whole.count("GRANT granter starts") == 2
    assert "FAIL" not in machine.text and "guest: trap" not in machine.text
