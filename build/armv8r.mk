# Armv8-R AArch32: protection regions and no translation, so the image runs where it is linked: LOAD_ADDR.
include build/arm32.mk
LOAD_ADDR ?= 0x20000000
port_folders := arm32/v8r arm32
port_shared := arm arm/mpu
port_lacks := grants iommu pci control
port_extras := cmsdk regions
port_leaves := src/arch/arm/power.c
port_mpu := 1
port_clang := armv8r-none-eabi
port_cpu := -mcpu=cortex-r52
port_ldflags := --defsym=a32_load_address=$(LOAD_ADDR)
