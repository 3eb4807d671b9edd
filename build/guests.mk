# Our bare-metal guests, one image each: tests/guest/<name>/*.c on top of tests/guest/lib, and what the folders <arch> of both
# have. The same bodies for each kind of guest: arm64, which lies in out/guests, the others in out/guests/<kind>.

GUEST_KINDS := arm64 armv7a armv8r thumb
guest_apart := tests/guest/lib/% tests/guest/book/% tests/guest/rtos/%
guest_names := $(sort store $(notdir $(patsubst %/,%,$(dir $(filter-out $(guest_apart),$(wildcard tests/guest/*/*.c))))))

# $(guest_<WHAT>_<KIND>): compiler, folder of the architecture, flags without and with floating point, guests that it has not
guest_cc_arm64 := clang-19 --target=aarch64-none-elf -march=armv8-a
guest_arch_arm64 := arm64
guest_flags_arm64 := -DGUEST_MPU=0 -mgeneral-regs-only -mstrict-align
guest_fp_arm64 :=
guest_not_arm64 :=

guest_cc_armv7a := clang-19 --target=armv7a-none-eabi -mcpu=cortex-a15 -marm
guest_arch_armv7a := arm32
guest_flags_armv7a := -DGUEST_MPU=0 -mfloat-abi=soft -mno-unaligned-access
guest_fp_armv7a := -mfloat-abi=softfp -mfpu=neon-vfpv4
guest_not_armv7a := dma random lost control made

guest_cc_armv8r := clang-19 --target=armv8r-none-eabi -mcpu=cortex-r52 -marm
guest_arch_armv8r := arm32
guest_flags_armv8r := -DGUEST_MPU=1 -mfloat-abi=soft -mno-unaligned-access
guest_fp_armv8r := -mfloat-abi=softfp -mfpu=neon-fp-armv8
guest_not_armv8r := $(guest_not_armv7a) store polls

guest_cc_thumb := clang-19 --target=armv7a-none-eabi -mcpu=cortex-a15 -mthumb
guest_arch_thumb := arm32
guest_flags_thumb := -DGUEST_THUMB $(guest_flags_armv7a)
guest_fp_thumb := $(guest_fp_armv7a)
guest_not_thumb := $(filter-out probe,$(guest_names))

GUEST_OBJ := out/guests/obj
GUEST_CFLAGS := -std=gnu11 -O2 -g -fpie -ffreestanding -nostdlibinc -fno-common \
    -fno-builtin -fno-asynchronous-unwind-tables -fno-stack-protector -fvisibility=hidden -Wall -Wextra -Wshadow \
    -Wmissing-prototypes -Werror -Itests/guest/lib -Iguestlib -Isrc -Istore -Isrc/lib/shim
GUEST_LDFLAGS := -pie --no-dynamic-linker -z notext -z norelro -z max-page-size=4096 --build-id=none --fatal-warnings -static

.PHONY: bare-guests
guests: bare-guests

# Partial device trees: devices that systems give to guests.
GUEST_TREES := $(patsubst systems/devices/%.dts,out/guests/%.dtb,$(wildcard systems/devices/*.dts))
out/guests/%.dtb: systems/devices/%.dts
	@mkdir -p $(@D)
	$(call say,DTC,$@)dtc -q -I dts -O dtb -o $@ $<
bare-guests: $(GUEST_TREES)

# $(call guest_objects,KIND,SOURCES)
guest_objects = $(patsubst %,$(GUEST_OBJ)/$(1)/%.o,$(basename $(2)))

# What a guest consists of beside its folder
guest_more_link := guestlib/ring.c
guest_more_control := guestlib/maker.c
guest_more_hostile := guestlib/maker.c
# A product of its own, which only stands on the guests' kernel: the xenstore domain
guest_more_store := $(sort $(wildcard store/*.c store/core/*.c)) src/lib/string.c

# $(call guest_folders,FOLDER,ARCHITECTURE): where a guest's file, perhaps one of that architecture alone, finds headers
guest_folders = -Itests/guest/lib/$(2) -I$(patsubst %/$(2),%,$(1)) -I$(patsubst %/$(2),%,$(1))/$(2)

# $(call guest_kind,KIND): what computes in floating point says so by its name.
define guest_kind
$(GUEST_OBJ)/$(1)/%_fp.o: %_fp.c build/guests.mk
	@mkdir -p $$(@D)
	$$(call say,GUESTCC,$$@)$(guest_cc_$(1)) $$(GUEST_CFLAGS) $$(call guest_folders,$$(<D),$(guest_arch_$(1))) \
	    $(filter-out -mgeneral-regs-only -mfloat-abi=%,$(guest_flags_$(1))) $(guest_fp_$(1)) -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$(GUEST_OBJ)/$(1)/%.o: %.c build/guests.mk
	@mkdir -p $$(@D)
	$$(call say,GUESTCC,$$@)$(guest_cc_$(1)) $$(GUEST_CFLAGS) $$(call guest_folders,$$(<D),$(guest_arch_$(1))) \
	    $(guest_flags_$(1)) -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$(GUEST_OBJ)/$(1)/%.o: %.S build/guests.mk
	@mkdir -p $$(@D)
	$$(call say,GUESTAS,$$@)$(filter-out -mthumb,$(guest_cc_$(1))) $(filter -D%,$(guest_flags_$(1))) -g -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
$$(foreach g,$$(filter-out $$(guest_not_$(1)),$$(guest_names)),$$(eval $$(call guest_rules,$(1),$$(g),$(guest_arch_$(1)),$(if \
    $(filter-out arm64,$(1)),/$(1)))))
endef

# $(call guest_rules,KIND,NAME,ARCH,/FOLDER)
define guest_rules
$(GUEST_OBJ)/$(1)/$(2).elf: $(call guest_objects,$(1),$(sort $(wildcard tests/guest/lib/*.c tests/guest/lib/$(3)/*.[cS] \
    tests/guest/$(2)/*.c tests/guest/$(2)/$(3)/*.[cS])) $(guest_more_$(2))) tests/guest/lib/$(3)/guest.lds
	$$(call say,GUESTLD,$$@)ld.lld-19 $(GUEST_LDFLAGS) -T tests/guest/lib/$(3)/guest.lds -o $$@ $$(filter %.o,$$^)
out/guests$(4)/$(2).bin: $(GUEST_OBJ)/$(1)/$(2).elf
	@mkdir -p $$(@D)
	$$(call say,OBJCOPY,$$@)llvm-objcopy-19 -O binary $$< $$@
bare-guests: out/guests$(4)/$(2).bin
endef
$(foreach k,$(GUEST_KINDS),$(eval $(call guest_kind,$(k))))

-include $(shell find $(GUEST_OBJ) -name '*.d' 2>/dev/null)

include build/book.mk
include build/rtos.mk
