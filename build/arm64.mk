# AArch64: an MMU, EL2.
port_folders := arm64
port_shared := arm arm/mmu
port_offsets := src/arch/arm64/a64_offsets.c
port_lacks :=
port_extras :=
port_debian := arm64
port_mpu := 0
port_clang := aarch64-none-elf
port_gcc := aarch64-linux-gnu-gcc
port_gcc_flags := -mno-outline-atomics
port_gcc_guard := -mstack-protector-guard=global
port_machine := -march=armv8-a -mgeneral-regs-only -mstrict-align -mcmodel=small
port_unaligned := -mno-strict-align
port_ldflags :=
