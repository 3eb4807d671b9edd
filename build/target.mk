# The hypervisor of one port: which files, which flags, how it is linked. Nothing here runs a compiler to find things out
# but for gcc's own header folder. build/<port>.mk is short:
#   port_folders      its folders under src/arch, the first with the linker script; port_shared: those that are other ports' too
#   port_offsets      the file that a generated header of this name is made of
#   port_leaves       files of shared folders that it has another one for
#   port_lacks        the parts (PART_NAMES) that its machines have no use for
#   port_extras       what only it and few others need (EXTRA_NAMES)
#   port_debian       Debian's name of the architecture, whose libraries are linked
#   port_mpu          1: protection regions; 0: translation tables
#   port_clang        clang's target; port_gcc: the other compiler; port_gcc_flags, port_gcc_guard: what only that is told
#   port_machine      flags for all that is compiled; port_unaligned: for what may use unaligned words; port_ldflags: lld's
include build/$(PORT).mk
port_constants := -DCONFIG_MPU=$(port_mpu) \
    $(foreach e,$(EXTRA_NAMES),-DCONFIG_$(call capitals,$(e))=$(if $(filter $(e),$(port_extras)),1,0))

# A folder is in this port or it is not; a file in it that must stay out would be named here.
generic_folders := lib base mem irq time domain sched sched/policy virq vdev evtchn grant config config/sched config/partition \
    config/control build build/partition hcall hcall/control trap operator boot drivers
port_plans := $(wildcard $(addsuffix /plan,$(addprefix src/arch/,$(port_shared) $(port_folders))))
target_folders := $(addprefix src/,$(generic_folders)) $(addprefix src/arch/,$(port_shared) $(port_folders)) $(port_plans)
port_lds := src/arch/$(firstword $(port_folders))/link.lds
target_c := $(filter-out $(port_offsets) $(port_leaves),$(sort $(foreach d,$(target_folders),$(wildcard $(d)/*.c))))
target_asm := $(sort $(foreach d,$(port_folders),$(wildcard src/arch/$(d)/*.S)))
FETCHED_TARGET := $(CACHE)/trixie-$(port_debian)

# The static profile: what is left out because the tool has done it, or because a static tree does not use it. What names such
# a file stands behind `if (CONFIG_STATIC == 0)`. GIC=2 or 3 also leaves out the other interrupt controller; PARTS= takes some of
# the parts below only, or none.
part_links := src/evtchn/% src/hcall/% src/vdev/pv_watchdog.c src/sched/runstate.c src/domain/guestmem.c src/domain/p2m% src/domain/role.c \
    src/build/partition/links.c src/build/partition/build_store.c
part_grants := src/grant/% src/hcall/hcall_grant.c
part_devices := src/build/partition/build_given.c
part_iommu := src/arch/arm/smmu.c src/boot/boot_iommu.c src/build/partition/build_streams.c
part_pci := src/vdev/vpci.c src/drivers/pci.c src/build/partition/build_pci.c
part_watchdog := src/vdev/watchdog.c
part_control := src/config/control/% src/hcall/control/% src/vdev/console_ring.c src/build/build_spare.c \
    src/build/partition/build_pv.c src/build/partition/build_host.c src/build/partition/build_offer.c
part_report := src/build/partition/build_report.c
part_cmsdk := src/drivers/cmsdk.c
part_regions := src/config/partition/config_regions.c
ifneq ($(filter-out none $(PART_NAMES),$(PARTS)),)
$(error PARTS are of: $(PART_NAMES) none; not '$(PARTS)')
endif
parts_in := $(filter-out $(port_lacks),$(if $(filter 1,$(STATIC)),$(or $(PARTS),$(PART_NAMES)),$(PART_NAMES)))
PROFILE := $(foreach p,$(PART_NAMES),-DCONFIG_$(call capitals,$(p))=$(if $(filter $(p),$(parts_in)),1,0)) $(port_constants)
leave_out := $(foreach p,$(filter-out $(parts_in),$(PART_NAMES)) $(filter-out $(port_extras),$(EXTRA_NAMES)),$(part_$(p)))
ifeq ($(STATIC),1)
PROFILE += -DCONFIG_STATIC=1 -DCONFIG_GIC_ONLY=$(or $(GIC),0)
leave_out += $(if $(filter iommu,$(parts_in)),,src/arch/arm/plan/arm_plan_smmu.c) src/config/sched/% \
    src/config/config_% src/config/dt% src/config/partition/config_% src/config/control/% src/arch/arm/plan/arm_plan_gic.c \
    src/arch/arm/plan/arm_plan_parse.c src/operator/% src/build/inflate.c src/base/log_keep.c \
    $(addprefix src/sched/,policy/credit.c policy/credit2.c policy/fair.c policy/rtds.c balance.c) \
    src/drivers/ns16550.c src/boot/boot_tree.c $(if $(filter iommu,$(parts_in)),,src/arch/arm/plan/arm_plan_smmu.c) \
    $(if $(GIC),$(filter-out src/arch/arm/%gicv$(GIC).c src/arch/arm/gicv$(GIC).c,$(wildcard src/arch/arm/*gicv?.c)))
else
PROFILE += -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0
leave_out += src/config/partition/plan_file.c src/boot/boot_packed.c
endif
target_c := $(filter-out $(leave_out),$(target_c))
target_objects := $(patsubst %,$(OUT)/%.o,$(basename $(target_c) $(target_asm)))

# Device trees, compressed kernels, digests: these may include <libfdt.h>, <zlib.h> and <sha2.h>, and the few C headers that
# those name, of which src/lib/shim has freestanding versions.
lib_users := src/config src/build src/build/partition src/boot $(port_plans)
lib_flags := -DZ_SOLO -isystem $(FETCHED_TARGET)/include -isystem src/lib/shim
target_libs := $(addprefix $(FETCHED_TARGET)/lib/,libfdt.a libz.a libmd.a)

# The port's own headers before those that it shares
port_includes := -Isrc $(addprefix -I,$(wildcard $(patsubst %,src/arch/%/include,$(port_folders) $(port_shared))))
INCLUDES := $(port_includes) -I$(OUT)/gen

# -- Compilers ---------------------------------------------------------------------------------------------------------

ifeq ($(TOOLCHAIN),clang)
CC_TARGET := clang-19 --target=$(port_clang)
FREESTANDING := -nostdlibinc
TOOLCHAIN_FLAGS :=
TOOLCHAIN_WARNINGS := -Wcast-align -Wimplicit-fallthrough -Wcomma -Wassign-enum -Wextra-semi -Wunreachable-code \
    -Wmissing-variable-declarations -Wconditional-uninitialized -Wframe-larger-than=1024
DEBUG_FLAGS := -fstack-protector-strong
else ifeq ($(TOOLCHAIN),gcc)
CC_TARGET := $(port_gcc)
FREESTANDING := -nostdinc -isystem $(shell $(port_gcc) -print-file-name=include)
TOOLCHAIN_FLAGS := $(port_gcc_flags) -fno-stack-clash-protection
TOOLCHAIN_WARNINGS := -Wcast-align=strict -Wimplicit-fallthrough=5 -Warith-conversion -Wduplicated-cond \
    -Wduplicated-branches -Wlogical-op -Wstack-usage=1024
DEBUG_FLAGS := -fstack-protector-strong $(port_gcc_guard)
else
$(error TOOLCHAIN is clang or gcc, not '$(TOOLCHAIN)')
endif
# Debian's gcc and Debian's clang differ in what they switch on by themselves; both are told.
LD_TARGET := ld.lld-19
OBJCOPY_TARGET := llvm-objcopy-19
SIZE_TARGET := llvm-size-19

WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wstrict-prototypes \
    -Wmissing-prototypes -Wmissing-declarations -Wredundant-decls -Wnested-externs -Wundef -Wvla -Walloca \
    -Wswitch-default -Wswitch-enum -Wnull-dereference -Wformat=2 -Wwrite-strings -Wunused-macros -Wdate-time -Werror

# No FP or vector registers: they hold guests' state. Strict alignment: code runs before the MMU does. Zeroed locals are
# the default; a hot file that cannot bear it says so below, with the reason.
CFLAGS_TARGET := -std=c11 -O2 -g $(port_machine) -ffreestanding $(FREESTANDING) -fno-common -fno-pic -fno-strict-aliasing \
    -fno-delete-null-pointer-checks -fno-asynchronous-unwind-tables -fomit-frame-pointer -ffunction-sections -fdata-sections \
    -ftrivial-auto-var-init=zero $(if $(filter 1,$(DEBUG)),$(DEBUG_FLAGS),-fno-stack-protector) \
    -DCONFIG_DEBUG=$(if $(filter 1,$(DEBUG)),1,0) $(PROFILE) $(TOOLCHAIN_FLAGS) $(WARNINGS) $(TOOLCHAIN_WARNINGS) $(INCLUDES)
ASFLAGS_TARGET := -g $(port_machine) -fno-pic -D__ASSEMBLY__ -DCONFIG_DEBUG=$(if $(filter 1,$(DEBUG)),1,0) \
    -DCONFIG_MPU=$(port_mpu) -Werror $(INCLUDES)
LDFLAGS_TARGET := -nostdlib -static --gc-sections --fatal-warnings --build-id=none -z noexecstack -z max-page-size=4096 \
    $(port_ldflags)

# What runs once, at boot or for the operator, is made small.
COLD_FLAGS := -Oz
cold_folders := $(addprefix src/,config config/sched config/partition config/control build build/partition boot operator drivers) \
    $(port_plans)
cold_c := $(filter $(addsuffix /%,$(cold_folders)),$(target_c))
# In the static profile all is, but for what traps, interrupts and switches of vCPUs run through.
HOT_FILES := src/arch/arm/gic% src/arch/arm/vgic% src/arch/arm/vtimer.c src/arch/arm/arm_vcpu.c \
    $(foreach d,$(port_folders),$(addprefix src/arch/$(d)/,trap.c sysreg.c vcpu.c)) src/trap/dispatch.c src/sched/% \
    src/time/timer.c src/vdev/vpl011.c src/evtchn/evtchn_send.c src/evtchn/evtchn_fifo.c src/base/spinlock.c src/base/percpu.c \
    src/lib/string.c
ifeq ($(STATIC),1)
cold_c := $(filter-out $(HOT_FILES),$(target_c))
endif
$(foreach f,$(cold_c),$(eval CFLAGS_$(f) := $(COLD_FLAGS)))

# Its unaligned words are normal memory's, with the MMU on: whoever runs before that has none.
CFLAGS_src/lib/string.c := $(port_unaligned)
# Its call is read whole before anybody looks at it, and large.
CFLAGS_src/hcall/control/hcall_domctl.c := -ftrivial-auto-var-init=uninitialized

# $(call compile,FILE): the compiler and its flags for one file. The libraries' headers come before the compiler's own
# (gcc's limits.h wants a C library behind it); CFLAGS_<file> comes last, so that it can take back what went before.
compile = $(CC_TARGET) $(if $(filter $(patsubst %/,%,$(dir $(1))),$(lib_users)),$(lib_flags)) \
    $(CFLAGS_TARGET) $(CFLAGS_$(1))

# -- Rules -------------------------------------------------------------------------------------------------------------

.PHONY: image objects image-static image-ports
image: $(OUT)/bulkhead.bin
# For the tests, which want the static profile beside the full one.
image-static:
	+@for gic in '' 2 3; do $(MAKE) STATIC=1 TOOLCHAIN=clang DEBUG=0 GIC=$$gic PARTS= image || exit 1; done
	+@$(MAKE) STATIC=1 TOOLCHAIN=clang DEBUG=0 GIC=3 PARTS=none image
# ... and the other ports' beside this one's, with their tools.
image-ports:
	+@for port in $(filter-out $(PORT),$(PORTS)); do \
	    $(MAKE) PORT=$$port STATIC=0 TOOLCHAIN=clang DEBUG=0 image tools || exit 1; done
objects: $(target_objects)

# Objects are made anew when a flag changes, not only when a source does.
.PHONY: FORCE
$(OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC_TARGET) $(CFLAGS_TARGET) $(ASFLAGS_TARGET) $(LDFLAGS_TARGET)' \
	    '$(lib_flags) $(COLD_FLAGS) $(cold_c)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# Offsets of what assembly touches, computed by the compiler: each line "->NAME VALUE" of its output becomes a #define.
offsets := $(OUT)/gen/$(notdir $(basename $(port_offsets)))
$(offsets).h: $(port_offsets) $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,OFFSETS,$@)$(call compile,$<) -g0 -MD -MP -MF $(offsets).d -MT $@ \
	    -S -o $(offsets).s $<
	@{ printf '/* Made by the build from %s. */\n#ifndef GEN_OFFSETS_H\n#define GEN_OFFSETS_H\n\n' '$<'; \
	   sed -n 's/.*->\([A-Za-z][A-Za-z0-9_]*\)[[:blank:]][[:blank:]]*[#$$]\{0,1\}\(-\{0,1\}[0-9][0-9A-Fa-fx]*\).*/#define \1 \2/p' \
	       $(offsets).s; \
	   printf '\n#endif\n'; } > $@

$(OUT)/%.o: %.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)$(call compile,$<) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(OUT)/%.o: %.S $(OUT)/flags $(if $(wildcard $(port_offsets)),$(offsets).h)
	@mkdir -p $(@D)
	$(call say,AS,$<)$(CC_TARGET) $(ASFLAGS_TARGET) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(OUT)/bulkhead.elf: $(target_objects) $(port_lds) $(target_libs) $(OUT)/flags
	$(call say,LD,$@)$(LD_TARGET) $(LDFLAGS_TARGET) -T $(port_lds) -Map=$(OUT)/bulkhead.map -o $@ $(target_objects) \
	    --start-group $(target_libs) --end-group
	$(if $(filter arm64-clang-release,$(notdir $(OUT))),@ln -sf $(notdir $(OUT))/bulkhead.elf out/bulkhead.elf)

# What the loaders of the port's machines boot: a Linux arm64 Image, an Arm zImage, or as an ELF file.
$(OUT)/bulkhead.bin: $(OUT)/bulkhead.elf
	$(call say,OBJCOPY,$@)$(OBJCOPY_TARGET) -O binary $< $@
	$(if $(filter arm64-clang-release,$(notdir $(OUT))),@ln -sf $(notdir $(OUT))/bulkhead.bin out/bulkhead.bin)

-include $(target_objects:.o=.d) $(offsets).d
