"""As much over PV disk and network as the systems they are for would send."""
from helpers import focus
from test_pv import DOM0, served, through


def test_pv_bytes_long(boot):
    """256 MiB to disk, 64 MiB each way over TCP. [test->req~pv-io~1]"""
    m = boot("pv-io", cpus=5, mem=2048)
    served(m)
    focus(m, DOM0)
    through(m, 256, 64, timeout=900)
