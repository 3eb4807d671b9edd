# bulkhead-image's partition report: facts from plans that are made up, and the proof on facts that are damaged.
unit_report_alone := 1
unit_report_cflags := -D_GNU_SOURCE -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include -Isrc/arch/arm/mmu/include -Itools/bulkhead-image
unit_report_with := $(wildcard tools/bulkhead-image/partition/*.c) tools/bulkhead-image/files.c \
    $(wildcard src/config/*.c src/config/sched/*.c src/config/partition/*.c src/config/control/*.c) \
    src/lib/crc32.c src/lib/fmt.c $(wildcard src/arch/arm/plan/*.c src/arch/arm/mmu/plan/*.c)
