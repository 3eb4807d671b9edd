# Schedulers in simulated time. SCHED_SWEEP=n in the environment: n times as many rounds.
unit_sched_cflags := -D_GNU_SOURCE
