# src/arch/arm/mpu natively, on registers that notice what the architecture forbids.
unit_mpu_alone := 1
unit_mpu_cflags := -Itests/unit/mpu/include -Itests/unit/arm/include -Isrc -Isrc/arch/arm/mpu/include -Isrc/arch/arm/include
unit_mpu_with := tests/unit/mpu/fake_mpu.c $(sort $(wildcard src/arch/arm/mpu/*.c src/arch/arm/mpu/plan/*.c))
