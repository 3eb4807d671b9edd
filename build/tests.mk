# The levels of tests; tests/README.md tells what each is for and how to run one test alone (T=<word of its name>).
# What runs natively is compiled here, with AddressSanitizer and UndefinedBehaviourSanitizer, in out/tests/.

TESTS_OUT := out/tests
T ?=
RUN_LEVEL := $(PYTHON) tests/run_level.py

TEST_CC := gcc
TEST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
TEST_CFLAGS := -std=c11 -g -O1 $(TEST_SANITIZE) -fno-omit-frame-pointer -fno-common -fno-strict-aliasing -pthread \
    -DCONFIG_DEBUG=1 -DCONFIG_STATIC=0 -DCONFIG_GIC_ONLY=0 $(PARTS_ALL) -DZ_SOLO -Wall -Wextra
TEST_INCLUDES := -Isrc -Isrc/arch/fake/include
# Members of the archive are taken as needed; a function that a test defines itself stands in for the product's.
TEST_LINK := $(TEST_SANITIZE) -pthread -Wl,-z,muldefs
TEST_LIBS := -lcmocka -lfdt -lz -lmd

# -- The generic code and the host as a port, as one archive ------------------------------------------------------------

# lib/string.c stays out: the host has these functions, and the sanitizers watch the host's.
unit_generic := $(filter-out src/lib/string.c,$(sort $(wildcard $(addprefix src/,$(addsuffix /*.c, \
    lib base mem irq time domain sched sched/policy virq vdev evtchn grant config config/sched config/partition config/control \
    build build/partition hcall hcall/control trap boot operator drivers)))))
unit_port := $(sort $(wildcard src/arch/fake/*.c src/arch/fake/plan/*.c))
unit_objects := $(patsubst %.c,$(TESTS_OUT)/obj/%.o,$(unit_generic) $(unit_port))
unit_archive := $(TESTS_OUT)/libbulkhead.a

# -- Unit tests: tests/unit/<folder>/test_*.c, each a program. ---------------------------------------------------------
# tests/unit/<folder>/unit.mk, if there is one, may set
#   unit_<folder>_cflags   more compiler flags, before the usual include roots
#   unit_<folder>_with     further .c files, compiled with these flags and linked before the archive
#   unit_<folder>_alone    1: not linked with the archive, and none of the usual include roots
unit_tests := $(sort $(wildcard tests/unit/*/test_*.c))
unit_folders := $(sort $(foreach t,$(unit_tests),$(notdir $(patsubst %/,%,$(dir $(t))))))
-include $(wildcard tests/unit/*/unit.mk)
unit_wanted := $(if $(T),$(strip $(foreach t,$(unit_tests),$(if $(findstring $(T),$(t)),$(t)))),$(unit_tests))
unit_programs := $(patsubst %.c,$(TESTS_OUT)/%,$(unit_wanted))

unit_flags = $(TEST_CFLAGS) $(unit_$(1)_cflags) $(if $(filter 1,$(unit_$(1)_alone)),,$(TEST_INCLUDES)) -Itests/unit/$(1)
unit_more = $(patsubst %.c,$(TESTS_OUT)/with/$(1)/%.o,$(unit_$(1)_with))

$(TESTS_OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(TEST_CC) $(TEST_CFLAGS) $(TEST_INCLUDES) $(TEST_LINK) $(TEST_LIBS)' \
	    '$(foreach f,$(unit_folders),$(unit_$(f)_cflags) $(unit_$(f)_with) $(unit_$(f)_alone))' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(TESTS_OUT)/obj/%.o: %.c $(TESTS_OUT)/flags
	@mkdir -p $(@D)
	$(call say,TESTCC,$<)$(TEST_CC) $(TEST_CFLAGS) $(TEST_INCLUDES) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(unit_archive): $(wildcard $(unit_objects))
	@rm -f $@
	$(call say,AR,$@)ar rcs $@ $^

# $(call unit_rules,FOLDER)
define unit_rules
$(TESTS_OUT)/with/$(1)/%.o: %.c $(TESTS_OUT)/flags
	@mkdir -p $$(@D)
	$$(call say,TESTCC,$$<)$$(TEST_CC) $$(call unit_flags,$(1)) -MD -MP -MF $$(@:.o=.d) -c -o $$@ $$<

$(TESTS_OUT)/tests/unit/$(1)/%: tests/unit/$(1)/%.c $(call unit_more,$(1)) $(if $(filter 1,$(unit_$(1)_alone)),,$(unit_archive)) \
    $(TESTS_OUT)/flags
	@mkdir -p $$(@D)
	$$(call say,TEST,$$@)$$(TEST_CC) $$(call unit_flags,$(1)) -MD -MP -MF $$@.d $$(TEST_LINK) -o $$@ $$< \
	    $(call unit_more,$(1)) $(if $(filter 1,$(unit_$(1)_alone)),,$(unit_archive)) $$(TEST_LIBS)
endef
$(foreach f,$(unit_folders),$(eval $(call unit_rules,$(f))))

# Sources and programs that do not build count as failed; the others run all the same.
.PHONY: unit-objects unit-programs test-unit
unit-objects: $(unit_objects)
unit-programs: $(unit_programs)
test-unit:
	+@broken=; $(MAKE) -k unit-objects || broken=--broken; $(MAKE) -k unit-programs || broken=--broken; \
	$(RUN_LEVEL) --jobs 0 --timeout 120 $$broken unit out/results/unit.txt $(unit_programs)

unit_more_dependencies := $(foreach f,$(unit_folders),$(patsubst %.o,%.d,$(call unit_more,$(f))))
-include $(wildcard $(unit_objects:.o=.d) $(TESTS_OUT)/tests/unit/*/*.d $(unit_more_dependencies))

# -- The guests' ABI as Xen's public headers state it ---------------------------------------------------------------------

abi_tests := $(sort $(wildcard tests/abi/test_*.c))
abi_wanted := $(if $(T),$(strip $(foreach t,$(abi_tests),$(if $(findstring $(T),$(t)),$(t)))),$(abi_tests))
abi_programs := $(patsubst %.c,$(TESTS_OUT)/%,$(abi_wanted))
# The Arm ports' map is compiled for the host, as in the host tool.
abi_sources := $(sort $(wildcard src/arch/arm/plan/*.c src/arch/arm/mmu/plan/*.c src/config/*.c \
    $(addprefix src/config/,sched/*.c partition/*.c control/*.c))) \
    src/lib/fmt.c src/lib/crc32.c

$(TESTS_OUT)/tests/abi/%: tests/abi/%.c $(abi_sources) $(TESTS_OUT)/flags
	@mkdir -p $(@D)
	$(call say,TEST,$@)$(TEST_CC) $(TEST_CFLAGS) -isystem $(FETCHED) -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include \
	    -Isrc/arch/arm/mmu/include \
	    -MD -MP -MF $@.d $(TEST_LINK) -o $@ $< $(abi_sources) $(TEST_LIBS)
-include $(wildcard $(TESTS_OUT)/tests/abi/*.d)

.PHONY: abi-programs test-abi
abi-programs: $(abi_programs)
test-abi:
	+@broken=; $(MAKE) -k abi-programs || broken=--broken; $(RUN_LEVEL) --jobs 0 $$broken abi out/results/abi.txt $(abi_programs) \
	    $(if $(T),,tests/abi/complete.py)

# -- Systems that must be refused. The checkers' own negative tests belong to `make check`. --------------------------------

neg_scripts := $(filter-out tests/neg/checkers/%,$(sort $(wildcard tests/neg/*/run.py)))
neg_wanted := $(if $(T),$(strip $(foreach t,$(neg_scripts),$(if $(findstring $(T),$(t)),$(t)))),$(neg_scripts))

.PHONY: test-neg
test-neg: tools image-static
	+@$(MAKE) PORT=armv8r TOOLCHAIN=clang DEBUG=0 STATIC=0 tools
	@$(RUN_LEVEL) neg out/results/neg.txt $(neg_wanted)

# -- The contract of src/hal: one suite on every port -----------------------------------------------------------------------

hal_suite := $(sort $(wildcard tests/hal/suite_*.c))
hal_native := $(TESTS_OUT)/hal/native
hal_native_sources := $(hal_suite) tests/hal/native_main.c
hal_native_objects := $(patsubst %.c,$(TESTS_OUT)/obj/%.o,$(unit_port) src/lib/fmt.c src/lib/tree.c src/lib/crc32c.c \
    src/config/dtindex.c src/config/dtread.c src/config/config_fault.c)

$(TESTS_OUT)/hal/%.o: %.c $(TESTS_OUT)/flags
	@mkdir -p $(@D)
	$(call say,TESTCC,$<)$(TEST_CC) $(TEST_CFLAGS) $(TEST_INCLUDES) -Itests/hal -MD -MP -MF $(@:.o=.d) -c -o $@ $<
$(hal_native): $(patsubst %.c,$(TESTS_OUT)/hal/%.o,$(hal_native_sources)) $(hal_native_objects)
	$(call say,TEST,$@)$(TEST_CC) $(TEST_SANITIZE) -pthread -o $@ $^ -lfdt
-include $(wildcard $(TESTS_OUT)/hal/tests/hal/*.d)

# The same suite in the hypervisor's place: the port's objects as they are in the product, with the suite above them.
hal_selftest := $(OUT)/hal-selftest.bin
hal_target_sources := $(hal_suite) tests/hal/selftest_main.c tests/hal/selftest_edu.c \
    tests/hal/machine_$(if $(filter 1,$(port_mpu)),mps3,virt).c
hal_target_objects := $(patsubst %.c,$(OUT)/%.o,$(hal_target_sources)) \
    $(filter $(OUT)/src/arch/% $(OUT)/src/lib/% $(OUT)/src/config/% $(OUT)/src/base/spinlock.o $(OUT)/src/base/librt.o,$(target_objects))
lib_users += tests/hal
$(foreach f,$(hal_target_sources),$(eval CFLAGS_$(f) := -Itests/hal))

$(OUT)/hal-selftest.elf: $(hal_target_objects) $(port_lds) $(target_libs) $(OUT)/flags
	$(call say,LD,$@)$(LD_TARGET) $(LDFLAGS_TARGET) -T $(port_lds) -o $@ $(hal_target_objects) \
	    --start-group $(target_libs) --end-group
$(hal_selftest): $(OUT)/hal-selftest.elf
	$(call say,OBJCOPY,$@)$(OBJCOPY_TARGET) -O binary $< $@
-include $(wildcard $(OUT)/tests/hal/*.d)

.PHONY: hal-native hal-selftest test-hal
hal-native: $(hal_native)
hal-selftest: $(hal_selftest)
# The images are tried on the machines and processors of tests/hal/test_selftest.py.
test-hal:
	+@$(MAKE) -k unit-objects hal-native hal-selftest || echo 'the suite could not be built everywhere'
	+@for port in $(PORTS); do $(MAKE) PORT=$$port TOOLCHAIN=clang DEBUG=0 STATIC=0 hal-selftest || exit 1; done
	@$(RUN_LEVEL) hal out/results/hal.txt $(if $(T),,$(hal_native)) \
	    'pytest:tests/hal$(if $(T),:$(T))'

# -- Guests of our own and systems, in QEMU ---------------------------------------------------------------------------------

.PHONY: test-guest test-system
test-guest: build image-static image-ports
	@$(RUN_LEVEL) guest out/results/guest.txt 'pytest:tests/guest$(if $(T),:$(T))'

test-system: build image-static image-ports
	@$(RUN_LEVEL) system out/results/system.txt 'pytest:tests/system$(if $(T),:$(T))'

# For `make nightly`: more machines, more load, more time.
NIGHTLY_LEVELS := test-long sched-nightly
.PHONY: test-long
test-long: build
	@$(RUN_LEVEL) long out/results/long.txt 'pytest:tests/long$(if $(T),:$(T))'

# The schedulers' simulations, with SCHED_SWEEP times as many rounds as in `make test-unit`.
.PHONY: sched-nightly
sched-nightly:
	+@$(MAKE) unit-objects && $(MAKE) unit-programs T=unit/sched/
	@SCHED_SWEEP=20 $(RUN_LEVEL) --timeout 3600 sched out/results/sched.txt \
	    $(patsubst %.c,$(TESTS_OUT)/%,$(filter tests/unit/sched/%,$(unit_tests)))
