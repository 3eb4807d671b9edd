# src/arch/arm natively: on fake system registers and register pages instead of a port's.
unit_arm_alone := 1
unit_arm_cflags := -Itests/unit/arm/include -Isrc -Isrc/arch/arm/include
unit_arm_with := tests/unit/arm/fake_arm.c $(addprefix tests/unit/arm/,fake_guest.c fake_spi.c) \
    $(sort $(wildcard src/arch/arm/*.c)) src/arch/arm/plan/arm_plan_guest.c src/lib/fmt.c src/lib/tree.c
