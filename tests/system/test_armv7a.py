"""The systems of systems/ on Armv7-A, whose Linux guests are Debian's for armhf."""
from helpers import shell
from test_control import DOM0, control
from test_reboot import reboots
from test_static import static
from test_systems import smp_linux, two_linux

BOARD = "virt-a15"


def test_two_linux(boot):
    """[test->req~armv7a~1] [test->req~two-linux~1] [test->req~gicv2-host~1]"""
    two_linux(boot, board=BOARD, gic="2")


def test_smp_linux(boot):
    """[test->req~armv7a~1] [test->req~smp-linux~1]"""
    smp_linux(boot, board=BOARD, gic="3")


def test_reboots(boot):
    """[test->req~armv7a~1] [test->req~linux-reboots~1]"""
    reboots(boot, 1, board=BOARD, gic="3")


def test_static(boot):
    """Memory below and above 4 GiB. [test->req~armv7a~1] [test->req~static-memory~1] [test->req~direct-map~1]"""
    static(boot, board=BOARD, gic="2")


def test_control(boot):
    """Debian's kernel for armhf as dom0. [test->req~armv7a~1] [test->req~control-domain~1]"""
    m = control(boot, board=BOARD, gic="2")
    shell(m, DOM0, "grep -c -e arch_timer -e events /proc/interrupts", "2")
