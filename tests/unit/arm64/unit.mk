# The pure parts of src/arch/arm64: descriptors and syndromes.
unit_arm64_alone := 1
unit_arm64_cflags := -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include -Isrc/arch/arm/mmu/include
