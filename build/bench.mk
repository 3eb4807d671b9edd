# The benchmark: our hypervisor and its peer under QEMU, counting instructions. Always the release build of clang.

BENCH_OUT := out/bench
BENCH_PLUGINS := $(BENCH_OUT)/elmeter.so $(BENCH_OUT)/llcmodel.so
BENCH_CFLAGS := -std=c11 -O2 -D_GNU_SOURCE -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror
# One source, a guest for each part; the number is ROLE.
BENCH_ROLES := events:1 pair:2 sleeper:3 spinner:4 tick:5 hammer:6 resetter:7 tiny:8 yielder:9 poster:10 taker:11 granter:12 grantee:13
BENCH_GUESTS := $(foreach r,$(BENCH_ROLES),$(BENCH_OUT)/guest/$(firstword $(subst :, ,$(r))).bin) \
    $(BENCH_OUT)/guest/making.bin $(BENCH_OUT)/guest/crowd.bin
BENCH_BUILD := out/$(PORT)-clang-release
BENCH := $(PYTHON) bench/bench.py --hypervisor $(BENCH_BUILD)/bulkhead.bin --elf $(BENCH_BUILD)/bulkhead.elf \
    --sizes $(BENCH_BUILD)/sizes.json

.PHONY: bench bench-check bench-baseline bench-profile bench-pv bench-pv-files bench-files bench-sizes
ifneq ($(TOOLCHAIN)$(DEBUG),clang0)
bench-files bench-sizes:
	+@$(MAKE) TOOLCHAIN=clang DEBUG=0 $@
else
bench-files: $(BENCH_PLUGINS) $(BENCH_GUESTS) image tools out/guests/linux.Image out/guests/link.bin
# What is kept from guests is said by a boot of the demonstration.
bench-sizes: bench-files guests
	@$(PYTHON) build/sizes.py --out $(BENCH_BUILD) --json $(BENCH_BUILD)/sizes.json > /dev/null
endif

$(BENCH_OUT)/elmeter.so: bench/plugin/elmeter.c bench/plugin/kinds.c bench/plugin/kinds.h bench/plugin/qcpu.h
$(BENCH_OUT)/llcmodel.so: bench/plugin/llcmodel.c
$(BENCH_OUT)/schedtrace.so: bench/plugin/schedtrace.c bench/plugin/qcpu.h
$(BENCH_OUT)/%.so: bench/plugin/qplug.h build/bench.mk
	@mkdir -p $(@D)
	$(call say,PLUGIN,$@)cc $(BENCH_CFLAGS) -o $@ $(filter %.c,$^)

# $(call bench_guest,NAME,ROLE)
define bench_guest
$(BENCH_OUT)/guest/$(1).bin: bench/guest/event.S build/bench.mk
	@mkdir -p $$(@D)
	$$(call say,GUEST,$$@)clang-19 --target=aarch64-none-elf -march=armv8-a -DROLE=$(2) -c -o $$(@:.bin=.o) $$<
	@ld.lld-19 -Ttext=0 -e start -o $$(@:.bin=.elf) $$(@:.bin=.o)
	@llvm-objcopy-19 -O binary $$(@:.bin=.elf) $$@
endef
$(foreach r,$(BENCH_ROLES),$(eval $(call bench_guest,$(firstword $(subst :, ,$(r))),$(lastword $(subst :, ,$(r))))))

# Those in C, on top of our bare-metal guests' library
MAKING := bench/guest/making/making.c
$(GUEST_OBJ)/arm64/making.elf: $(call guest_objects,arm64,$(MAKING) $(sort $(wildcard tests/guest/lib/*.c tests/guest/lib/arm64/*.[cS])) \
    guestlib/maker.c) tests/guest/lib/arm64/guest.lds
	$(call say,GUESTLD,$@)ld.lld-19 $(GUEST_LDFLAGS) -T tests/guest/lib/arm64/guest.lds -o $@ $(filter %.o,$^)
$(GUEST_OBJ)/arm64/crowd.elf: $(call guest_objects,arm64,bench/guest/crowd/crowd.c \
    $(sort $(wildcard tests/guest/lib/*.c tests/guest/lib/arm64/*.[cS]))) tests/guest/lib/arm64/guest.lds
	$(call say,GUESTLD,$@)ld.lld-19 $(GUEST_LDFLAGS) -T tests/guest/lib/arm64/guest.lds -o $@ $(filter %.o,$^)
$(BENCH_OUT)/guest/making.bin $(BENCH_OUT)/guest/crowd.bin: $(BENCH_OUT)/guest/%.bin: $(GUEST_OBJ)/arm64/%.elf
	@mkdir -p $(@D)
	$(call say,OBJCOPY,$@)llvm-objcopy-19 -O binary $< $@

# What Linux guests make marks with, and what they run (bench/pv.py)
$(BENCH_OUT)/guest/mark: bench/guest/mark.S build/bench.mk
	@mkdir -p $(@D)
	$(call say,GUEST,$@)clang-19 --target=aarch64-linux-gnu -c -o $@.o $<
	@ld.lld-19 -static -o $@ $@.o

# The guests of the 32-bit ports: $(call bench_guest32,PORT,NAME,ROLE), addresses in bench_at_PORT
bench_at_armv7a := -mcpu=cortex-a15 -DGICD=0x03001000 -DGICR=0x03020000 -DUART=0x22000000
bench_at_armv8r := -mcpu=cortex-r52 -DGICD=0xf0000000 -DGICR=0xf0100000 -DUART=0x22000000
BENCH_PORTS := armv7a armv8r
define bench_guest32
BENCH_GUESTS32 += $(BENCH_OUT)/guest/$(1)/$(2).bin
$(BENCH_OUT)/guest/$(1)/$(2).bin: bench/guest/event32.S build/bench.mk
	@mkdir -p $$(@D)
	$$(call say,GUEST,$$@)clang-19 --target=$(1)-none-eabi $(bench_at_$(1)) -DROLE=$(3) -c -o $$(@:.bin=.o) $$<
	@ld.lld-19 -Ttext=0 -e start -o $$(@:.bin=.elf) $$(@:.bin=.o)
	@llvm-objcopy-19 -O binary $$(@:.bin=.elf) $$@
endef
$(foreach p,$(BENCH_PORTS),$(foreach r,events:1 pair:2 passer:3 tiny:8 yielder:9,$(eval $(call \
    bench_guest32,$(p),$(firstword $(subst :, ,$(r))),$(lastword $(subst :, ,$(r)))))))

# The 32-bit ports' images are made by makes of their own.
.PHONY: bench-ports-files bench-ports
bench-ports-files: $(BENCH_PLUGINS) $(BENCH_GUESTS32)
	+@for p in $(BENCH_PORTS); do $(MAKE) PORT=$$p TOOLCHAIN=clang DEBUG=0 image tools || exit 1; done
bench-ports: bench-ports-files
	@$(PYTHON) bench/ports.py run

# What a decision costs when many vCPUs share a CPU
.PHONY: bench-decisions
bench-decisions: bench-files
	@$(PYTHON) bench/decisions.py run

BENCH_PV := $(PYTHON) bench/pv.py --hypervisor $(BENCH_BUILD)/bulkhead.bin
bench-pv-files: bench-files $(BENCH_OUT)/guest/mark out/guests/dom0.gz out/guests/initrd.gz
bench-pv: bench-pv-files
	@$(BENCH_PV) run

# Who had which CPU when, as a picture of each cpupool; FROM and TO: milliseconds
.PHONY: sched-trace
sched-trace: export BULKHEAD_SYSTEM := $(or $(value SYSTEM),schedulers)
sched-trace: export BULKHEAD_SPAN := $(value FROM) $(value TO)
sched-trace: image tools bare-guests $(BENCH_OUT)/schedtrace.so
	@$(PYTHON) tools/sched/sched_trace.py
# Tests measure with it, too
test-guest test-long: $(BENCH_OUT)/schedtrace.so

bench: bench-sizes
	@$(BENCH) run

# A level of tests; the 32-bit ports' lines come after arm64's.
bench-check: bench-files bench-ports-files
	@ok=0; $(BENCH) check --results out/results/bench-check.txt || ok=1; \
	    $(PYTHON) bench/ports.py check --results out/results/bench-check.txt || ok=1; exit $$ok

# What was typed, whatever quotes are in it.
bench-baseline: export BENCH_WHAT := $(value REASON)
bench-baseline: bench-sizes bench-ports-files bench-pv-files
	@$(BENCH) baseline "$$BENCH_WHAT" && $(BENCH_PV) baseline && $(PYTHON) bench/ports.py baseline "$$BENCH_WHAT"

bench-profile: export BENCH_WHAT := $(value EVENT)
bench-profile: bench-files
	@$(BENCH) profile "$$BENCH_WHAT"
