# What drivers, vdev, build, boot and operator offer. The scheduler is a stand-in that notes what is asked of it.
unit_services_with := tests/unit/services/machine.c $(wildcard src/operator/*.c)
