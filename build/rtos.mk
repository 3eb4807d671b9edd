# The kernel in the manner of an RTOS for Cortex-R52 (tests/guest/rtos), an ELF file with a Thumb entry.

RTOS_OBJ := out/guests/obj/rtos
RTOS_CC := clang-19 --target=armv8r-none-eabi -mcpu=cortex-r52 -mthumb -mfloat-abi=soft
RTOS_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -nostdlibinc -fno-common -fno-builtin -fno-stack-protector -Wall -Wextra -Wshadow \
    -Wmissing-prototypes -Werror
RTOS_LDS := tests/guest/rtos/rtos.lds
rtos_sources := $(sort $(wildcard tests/guest/rtos/*.c tests/guest/rtos/*.S))

# $(call rtos_image,NAME,BASE,UART): where it is linked, and the UART of the board that it prints on
define rtos_image
$(RTOS_OBJ)/$(1)/%.o: tests/guest/rtos/%.c build/rtos.mk
	@mkdir -p $$(@D)
	$$(call say,GUESTCC,$$<)$$(RTOS_CC) $$(RTOS_CFLAGS) -DRTOS_UART=$(3)u -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$(RTOS_OBJ)/$(1)/%.o: tests/guest/rtos/%.S build/rtos.mk
	@mkdir -p $$(@D)
	$$(call say,GUESTAS,$$<)$$(RTOS_CC) -g -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
out/guests/$(1).elf: $(patsubst tests/guest/rtos/%,$(RTOS_OBJ)/$(1)/%.o,$(basename $(rtos_sources))) $(RTOS_LDS)
	$$(call say,GUESTLD,$$@)ld.lld-19 -static --build-id=none --fatal-warnings --defsym=rtos_base=$(2) -T $(RTOS_LDS) \
	    -o $$@ $$(filter %.o,$$^)
rtos_images += out/guests/$(1).elf
endef

$(eval $(call rtos_image,rtos,0x24000000,0xe0206000))
$(eval $(call rtos_image,rtos-own,0x10000000,0xe7c00000))

.PHONY: rtos-guests
rtos-guests: $(rtos_images)
guests: rtos-guests

-include $(wildcard $(RTOS_OBJ)/*/*.d)
