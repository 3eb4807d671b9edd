# Our bare-metal guests, one Image each: tests/guest/<name>/*.c on top of tests/guest/lib.

GUEST_CC := clang-19 --target=aarch64-none-elf
GUEST_OUT := out/guests/obj
GUEST_CFLAGS := -std=gnu11 -O2 -g -march=armv8-a -mgeneral-regs-only -mstrict-align -fpie -ffreestanding -nostdlibinc -fno-common \
    -fno-builtin -fno-asynchronous-unwind-tables -fno-stack-protector -fvisibility=hidden -Wall -Wextra -Wshadow \
    -Wmissing-prototypes -Werror -Itests/guest/lib -Itests/guest/lib/arm64
GUEST_LDFLAGS := -pie --no-dynamic-linker -z notext -z norelro -z max-page-size=4096 --build-id=none --fatal-warnings -static
GUEST_LDS := tests/guest/lib/arm64/guest.lds
guest_lib := $(sort $(wildcard tests/guest/lib/*.c tests/guest/lib/arm64/*.c tests/guest/lib/arm64/*.S))
guest_names := $(sort $(notdir $(patsubst %/,%,$(dir $(filter-out tests/guest/lib/% tests/guest/book/%,$(wildcard tests/guest/*/*.c))))))
GUEST_BINARIES := $(guest_names:%=out/guests/%.bin)
guest_objects = $(patsubst %,$(GUEST_OUT)/%.o,$(basename $(1)))

# Partial device trees: devices that systems give to guests.
GUEST_TREES := $(patsubst systems/devices/%.dts,out/guests/%.dtb,$(wildcard systems/devices/*.dts))
out/guests/%.dtb: systems/devices/%.dts
	@mkdir -p $(@D)
	$(call say,DTC,$@)dtc -q -I dts -O dtb -o $@ $<

.PHONY: bare-guests
bare-guests: $(GUEST_BINARIES) $(GUEST_TREES)
guests: bare-guests

# What computes in floating point says so by its name.
$(GUEST_OUT)/%_fp.o: %_fp.c build/guests.mk
	@mkdir -p $(@D)
	$(call say,GUESTCC,$<)$(GUEST_CC) $(filter-out -mgeneral-regs-only,$(GUEST_CFLAGS)) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(GUEST_OUT)/%.o: %.c build/guests.mk
	@mkdir -p $(@D)
	$(call say,GUESTCC,$<)$(GUEST_CC) $(GUEST_CFLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(GUEST_OUT)/%.o: %.S build/guests.mk
	@mkdir -p $(@D)
	$(call say,GUESTAS,$<)$(GUEST_CC) -g -march=armv8-a -MD -MP -MF $(@:.o=.d) -c -o $@ $<

# What a guest consists of beside its folder
guest_more_link := guestlib/ring.c
$(GUEST_OUT)/tests/guest/link/%.o: GUEST_CFLAGS += -Iguestlib

# $(call guest_rules,NAME)
define guest_rules
$(GUEST_OUT)/$(1).elf: $(call guest_objects,$(guest_lib) $(sort $(wildcard tests/guest/$(1)/*.c)) $(guest_more_$(1))) $(GUEST_LDS)
	$$(call say,GUESTLD,$$@)ld.lld-19 $(GUEST_LDFLAGS) -T $(GUEST_LDS) -o $$@ $$(filter %.o,$$^)
out/guests/$(1).bin: $(GUEST_OUT)/$(1).elf
	$$(call say,OBJCOPY,$$@)llvm-objcopy-19 -O binary $$< $$@
endef
$(foreach g,$(guest_names),$(eval $(call guest_rules,$(g))))

-include $(wildcard $(GUEST_OUT)/tests/guest/*/*.d $(GUEST_OUT)/tests/guest/lib/arm64/*.d)

include build/book.mk
