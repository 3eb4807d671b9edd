# Armv7-A with the virtualization extensions: an MMU with long descriptors, HYP mode.
include build/arm32.mk
port_folders := arm32/v7a arm32
port_shared := arm arm/mmu
port_lacks := iommu
port_extras :=
port_mpu := 0
port_clang := armv7a-none-eabi
port_cpu := -march=armv7ve
port_ldflags :=
# It runs where the image was loaded, before the MMU shows it where it was linked.
CFLAGS_src/arch/arm/mmu/early.c := -fpie
