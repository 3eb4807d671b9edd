# The whole way from upcall_boot() to guests that run and power off, on simulated CPUs with the real scheduler.
unit_boot_cflags := -D_GNU_SOURCE -Itests/unit/config
unit_boot_with := $(wildcard src/operator/*.c)
