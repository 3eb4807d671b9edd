# What base, mem, irq, time, domain, sched and trap do. trap names build, which leads to boot and the operator.
unit_core_with := $(wildcard src/operator/*.c)
