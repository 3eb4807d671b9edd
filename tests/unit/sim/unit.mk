# Whole systems on simulated CPUs over their whole life, and the simulator itself.
unit_sim_cflags := -D_GNU_SOURCE -Itests/unit/config
unit_sim_with := tests/unit/sim/sim_system.c
