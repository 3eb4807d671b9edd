# config/ with the rules of a real port: boards and guests' limits are those of arm64.
unit_config_alone := 1
unit_config_cflags := -D_GNU_SOURCE -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include -Isrc/arch/arm/mmu/include \
    -Itools/bulkhead-image
unit_config_with := $(wildcard src/config/*.c $(addprefix src/config/,sched/*.c partition/*.c control/*.c)) \
    src/lib/crc32.c src/lib/fmt.c \
    tools/bulkhead-image/kernel.c \
    $(wildcard src/arch/arm/plan/*.c src/arch/arm/mmu/plan/*.c)
