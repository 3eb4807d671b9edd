"""Random instructions for ten minutes a machine; their neighbour notices nothing."""
import os

import pytest

from test_random import HERE, judge


@pytest.mark.parametrize("gic,cpu", [("3", "cortex-a57"), ("2", "max"), ("3", "cortex-a76")])
def test_random_for_minutes(boot, gic, cpu):
    judge(boot(os.path.join(HERE, "random.dts"), gic=gic, cpu=cpu, cpus=2, mem=512), 600, 4000)
