"""The plain C control domain's lives, as many as the mission asks for."""
from test_control_guest import check_soak


def test_soak_long(boot):
    """1,000 domains made and destroyed, 200 reboots. [test->req~made-domains-leave-nothing~1]"""
    check_soak(boot, "long", 1000, 200, 3600, gic="3", cpus=4)
