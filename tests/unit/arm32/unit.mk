# The pure parts of src/arch/arm32.
unit_arm32_alone := 1
unit_arm32_cflags := -Isrc -Isrc/arch/arm32/include -Isrc/arch/arm32/v8r/include -Isrc/arch/arm/include
