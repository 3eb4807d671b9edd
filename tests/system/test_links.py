"""Links between domains: systems/links.dts, with Debian's own driver for event channels at one end."""
from helpers import LINUX_UP, focus, operator
from lines import whole_lines


def goes_on(machine, name):
    """More comes in, twice."""
    counts = [int(machine.expect(r"^%s: LINK %s bytes=(\d+) crc=ok$" % (name, name), 60).group(1)) for _ in range(3)]
    assert counts[0] < counts[1] < counts[2]


def test_links(boot):
    """Two small guests on a link, one on a link with Linux; then an end of each is restarted, and the other goes on with it.
    [test->req~shared-memory~1] [test->req~shared-revoked~1] [test->req~ring-library~1]"""
    m = boot("links", cpus=4, mem=1024)
    m.expect(r"^linux: XEN-SHMEM 50000000 mixed$", LINUX_UP)
    m.expect(r"^linux: LINK linux bytes=\d{5,} crc=ok", 60)
    for name in ("left", "right", "device"):
        goes_on(m, name)
    focus(m, "operator")
    for ends, stays in (("device", "linux"), ("left", "right"), ("right", "left")):
        operator(m, "restart " + ends)
        m.expect(r"^%s: LINK %s starts, life 1" % (ends, ends), 30)
        m.expect(r"^%s: LINK %s peer restarted$" % (stays, stays), 30)
        goes_on(m, stays)
        goes_on(m, ends)
    assert "FAIL" not in m.text and "BAD" not in m.text and "guest: trap" not in m.text
    assert len([line for line in whole_lines(m.text, "linux") if "LINK linux starts" in line]) == 1
