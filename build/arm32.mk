# What the ports of AArch32 HYP have in common.
port_offsets := src/arch/arm32/a32_offsets.c
port_debian := armhf
port_gcc := arm-linux-gnueabihf-gcc
port_gcc_flags :=
port_gcc_guard := -mstack-protector-guard=global
port_machine = $(port_cpu) -marm -mfloat-abi=soft -mno-unaligned-access
port_unaligned := -munaligned-access
