# The pure part of src/arch/arm/mpu: sets of regions and both encodings.
unit_mpu_alone := 1
unit_mpu_cflags := -Isrc -Isrc/arch/arm/include
unit_mpu_with := src/arch/arm/mpu/mpu_region.c
