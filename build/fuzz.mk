# libFuzzer targets, tests/fuzz/fuzz_<target>.c, on the host; docs/fuzzing.md tells what each does.
#   make fuzz                  each for FUZZ_SECONDS; corpus, crashers and the log are kept in out/fuzz
#   make test-fuzz             known inputs and a short look around, a level of tests
# T= is a target's name in both.

FUZZ_OUT := out/fuzz
FUZZ_SECONDS ?= 60
FUZZ_CC := clang-19
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_FLAGS := -std=c11 -g -O1 -fno-pie -fno-omit-frame-pointer -fno-common -fno-strict-aliasing -pthread -DCONFIG_DEBUG=1 \
    -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 $(PARTS_ALL) -DZ_SOLO -Itests/fuzz -Wall -Wextra

# A family of objects: what they are compiled with. The sanitizers tell coroutines by a macro of gcc's.
fuzz_fake := $(TEST_INCLUDES) -D__SANITIZE_ADDRESS__=1
fuzz_flags_product := $(fuzz_fake) -include tests/fuzz/state.h
fuzz_flags_host := $(fuzz_fake) -D_GNU_SOURCE -Itests/unit/config -Itests/unit/services
fuzz_flags_arm := -Itests/unit/arm/include -Isrc -Isrc/arch/arm/include -Itests/unit/arm
fuzz_flags_a64 := -include tests/fuzz/a64.h $(fuzz_flags_arm) -Isrc/arch/arm64/include -Isrc/arch/arm/mmu/include
fuzz_flags_store := -Istore -DSTORE_CLIENTS=4u -DSTORE_NODES=80u -DSTORE_BLOCKS=160u
fuzz_flags_plan := -D_GNU_SOURCE -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include -Isrc/arch/arm/mmu/include

# $(call fuzz_objects,FAMILY,SOURCES)
fuzz_objects = $(patsubst %.c,$(FUZZ_OUT)/obj/$(1)/%.o,$(2))
fuzz_arm := $(call fuzz_objects,arm,$(addprefix tests/unit/arm/,fake_arm.c fake_guest.c fake_spi.c) $(sort $(wildcard src/arch/arm/*.c)) \
    src/arch/arm/plan/arm_plan_guest.c src/lib/fmt.c src/lib/tree.c)
fuzz_plan := $(call fuzz_objects,plan,$(filter-out src/lib/string.c,$(sort $(wildcard src/config/*.c \
    src/config/sched/*.c src/config/partition/*.c src/config/control/*.c src/lib/*.c src/arch/arm/plan/*.c src/arch/arm/mmu/plan/*.c))) \
    tests/fuzz/plan_check.c tests/fuzz/tree_mutate.c)
fuzz_product := $(call fuzz_objects,product,$(unit_generic) $(unit_port))
fuzz_archive := $(FUZZ_OUT)/libproduct.a
fuzz_host := $(call fuzz_objects,host,tests/fuzz/host.c) $(FUZZ_OUT)/obj/state.o

fuzz_with_hypercall := $(call fuzz_objects,host,tests/fuzz/fuzz_hypercall.c) $(fuzz_host) $(fuzz_archive)
fuzz_with_control := $(call fuzz_objects,host,tests/fuzz/fuzz_control.c) $(fuzz_host) $(fuzz_archive)
fuzz_with_image := $(call fuzz_objects,host,tests/fuzz/fuzz_image.c tests/unit/services/machine.c) $(fuzz_archive)
fuzz_with_life := $(call fuzz_objects,host,tests/fuzz/fuzz_life.c) $(fuzz_host) $(fuzz_archive)
fuzz_with_mmio := $(call fuzz_objects,arm,tests/fuzz/fuzz_mmio.c) $(fuzz_arm)
fuzz_with_payload := $(call fuzz_objects,plan,tests/fuzz/fuzz_payload.c src/config/payload.c src/lib/crc32.c)
fuzz_with_plan := $(call fuzz_objects,plan,tests/fuzz/fuzz_plan.c) $(fuzz_plan)
fuzz_with_sched := $(call fuzz_objects,host,tests/fuzz/fuzz_sched.c) $(fuzz_host) $(fuzz_archive)
fuzz_with_store := $(call fuzz_objects,store,tests/fuzz/fuzz_store.c $(sort $(wildcard store/core/*.c)))
fuzz_with_sysreg := $(call fuzz_objects,a64,tests/fuzz/fuzz_sysreg.c src/arch/arm64/trap.c src/arch/arm64/abort.c \
    src/arch/arm64/sysreg.c src/arch/arm64/a32.c) $(fuzz_arm)
fuzz_with_tree := $(call fuzz_objects,host,tests/fuzz/fuzz_tree.c tests/fuzz/plan_check.c tests/fuzz/tree_mutate.c) \
    $(fuzz_host) $(fuzz_archive)

fuzz_targets := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
fuzz_wanted := $(if $(T),$(strip $(foreach t,$(fuzz_targets),$(if $(findstring $(T),$(t)),$(t)))),$(fuzz_targets))
fuzz_programs := $(addprefix $(FUZZ_OUT)/fuzz_,$(fuzz_wanted))

$(FUZZ_OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(FUZZ_CC) $(FUZZ_SANITIZE) $(FUZZ_FLAGS)' \
	    '$(foreach f,product host arm a64 plan store,$(fuzz_flags_$(f)))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# $(call fuzz_family,FAMILY)
define fuzz_family
$(FUZZ_OUT)/obj/$(1)/%.o: %.c $(FUZZ_OUT)/flags
	@mkdir -p $$(@D)
	$$(call say,FUZZCC,$$<)$(FUZZ_CC) $(FUZZ_FLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link $(fuzz_flags_$(1)) \
	    -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<
endef
$(foreach f,product host arm a64 plan store,$(eval $(call fuzz_family,$(f))))

# It copies the sanitizers' red zones, too: neither they nor the library's memcpy() may watch.
$(FUZZ_OUT)/obj/state.o: tests/fuzz/state.c $(FUZZ_OUT)/flags
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)$(FUZZ_CC) $(FUZZ_FLAGS) -O2 -fno-builtin -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(fuzz_archive): $(fuzz_product)
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^

# $(call fuzz_program,TARGET)
define fuzz_program
$(FUZZ_OUT)/fuzz_$(1): $(fuzz_with_$(1)) $(FUZZ_OUT)/flags
	$$(call say,FUZZ,$$@)$(FUZZ_CC) $(FUZZ_SANITIZE) -fsanitize=fuzzer -no-pie -pthread -Wl,-z,muldefs -o $$@.new \
	    $(fuzz_with_$(1)) $$(TEST_LIBS) && mv $$@.new $$@
endef
$(foreach t,$(fuzz_targets),$(eval $(call fuzz_program,$(t))))
-include $(shell find $(FUZZ_OUT)/obj -name '*.d' 2>/dev/null)

$(FUZZ_OUT)/seeds/made: tests/fuzz/seeds.py $(wildcard tests/fuzz/seeds/*.dts systems/*.dts tests/neg/config/*.dts)
	@rm -rf $(@D)
	$(call say,SEEDS,$(@D))$(PYTHON) $< $(@D) && touch $@

.PHONY: fuzz-programs fuzz test-fuzz
fuzz-programs: $(fuzz_programs) $(FUZZ_OUT)/seeds/made
fuzz: fuzz-programs
	@$(PYTHON) tests/fuzz/run.py --seconds $(FUZZ_SECONDS) --jobs $(JOBS) $(fuzz_wanted)

test-fuzz:
	+@$(MAKE) -k fuzz-programs || echo 'some fuzz targets could not be built'
	@FUZZ_TARGETS='$(fuzz_wanted)' $(RUN_LEVEL) fuzz out/results/fuzz.txt tests/fuzz/run.py

# For `make nightly`: an hour of CPU or so.
NIGHTLY_LEVELS += fuzz-nightly
.PHONY: fuzz-nightly
fuzz-nightly: fuzz-programs
	@$(PYTHON) tests/fuzz/run.py --seconds 480 --jobs $(JOBS) $(fuzz_wanted) > out/results/fuzz-nightly.txt; \
	    cat out/results/fuzz-nightly.txt; tail -n 1 out/results/fuzz-nightly.txt | grep -q ' 0 failed'
