# Bulkhead: the only entry point. `make help` lists what it does; the details are in build/*.mk.
#
# Two stages. The first needs nothing but make and a shell: it sees to it that the tools are installed and the guests are
# fetched, then starts make again with BULKHEAD_READY=1 for what was asked. Only that second stage reads the build's rules.

MAKEFLAGS += --no-builtin-rules --no-print-directory
SHELL := /bin/sh
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := build

# What a user may set. PORT, TOOLCHAIN, DEBUG and STATIC choose the build, the rest chooses the run; `make help` explains them.
# A board is a port's.
PORT_OF_virt-a15 := armv7a
PORT_OF_mps3-an536 := armv8r
PORTS := arm64 armv7a armv8r
PORT ?= $(or $(PORT_OF_$(BOARD)),arm64)
TOOLCHAIN ?= clang
DEBUG ?= 0
STATIC ?= 0
V ?= 0

PYTHON := /usr/bin/python3
CACHE := $(or $(BULKHEAD_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/bulkhead)
# What a static profile may be built without; a part's constant is CONFIG_ and its name.
PART_NAMES := links grants devices iommu pci watchdog report control
capitals = $(shell echo $(1) | tr a-z A-Z)
# What only some ports' machines need, in all profiles of these; named and used alike.
EXTRA_NAMES := cmsdk regions
PARTS_ALL := $(foreach p,$(call capitals,$(PART_NAMES) $(EXTRA_NAMES)),-DCONFIG_$(p)=1) -DCONFIG_MPU=0
# The parts of a static profile as its folder names them: -links-report, -none; nothing for all.
PARTS_NAME := $(if $(PARTS),-$(subst $(empty) ,-,$(strip $(PARTS))))
# Headers, libraries and guests; build/fetch.sh fills it.
FETCHED := $(CACHE)/trixie-arm64
FETCHED_ARMHF := $(CACHE)/trixie-armhf
OUT := out/$(PORT)-$(TOOLCHAIN)-$(if $(filter 1,$(DEBUG)),debug,release)$(if $(filter 1,$(STATIC)),-static$(GIC)$(PARTS_NAME))
JOBS := $(or $(shell nproc 2>/dev/null),1)

# The runner is told by environment, as it was typed: neither make nor a shell sees into a pattern with $ or quotes.
RUN_VARIABLES := SYSTEM UNTIL TIMEOUT COUNT BOARD CPU CPUS MEM GIC QEMU_EXTRA INPUT LOAD_ADDR
$(foreach v,$(RUN_VARIABLES),$(if $(filter-out undefined,$(origin $(v))),$(eval export BULKHEAD_$(v) := $$(value $(v)))))
export BULKHEAD_IMAGE := $(OUT)/bulkhead.bin
export BULKHEAD_PORT := $(PORT)

# Goals of the first stage, and where a second one is needed.
PLAIN_GOALS := help clean setup fetch

.PHONY: $(PLAIN_GOALS)
help:
	@sh build/help.sh

setup:
	@sh build/setup.sh

fetch: setup
	@sh build/fetch.sh

clean:
	rm -rf out

ifndef BULKHEAD_READY

STAGED_GOALS := $(filter-out $(PLAIN_GOALS),$(or $(MAKECMDGOALS),$(.DEFAULT_GOAL)))
.PHONY: $(STAGED_GOALS) second-stage
$(STAGED_GOALS): second-stage
	@:
second-stage: | $(filter clean,$(MAKECMDGOALS))
	@sh build/setup.sh && sh build/fetch.sh
	+@$(MAKE) $(if $(findstring j,$(firstword -$(MAKEFLAGS))),,-j$(JOBS)) BULKHEAD_READY=1 $(STAGED_GOALS)

else

# $(call say,WHAT) names a step on one line; V=1 shows the commands themselves.
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '  %-8s %s\n' '$(1)' '$(2)';)

include build/target.mk
include build/host.mk
include build/linux.mk
-include build/guests.mk
-include build/tests.mk
-include build/fuzz.mk
-include build/check.mk
-include build/proof.mk
include build/bench.mk

.PHONY: build build-all run test quick nightly fresh sizes format
build: image tools guests

# Every compiler and kind of build must pass without a warning.
BUILD_KINDS := $(foreach k,clang-0-0 clang-1-0 gcc-0-0 gcc-1-0 clang-0-1 gcc-1-1,arm64-$(k)) \
    $(foreach k,clang-0-0 gcc-1-0 gcc-0-1,armv7a-$(k) armv8r-$(k))
build-all: tools guests
	+$(Q)sh build/levels.sh kinds '$(MAKE)' $(BUILD_KINDS)

run: build
	@$(PYTHON) tools/run/run.py

# The levels run one after the other, each to its end; the last line sums them up.
test:
	+@sh build/levels.sh run '$(MAKE)' build-all check test-unit test-abi test-neg test-fuzz test-hal test-guest test-system \
	    bench-check

quick:
	+@sh build/levels.sh run '$(MAKE)' build check-quick test-unit test-abi test-neg

nightly:
	+@sh build/levels.sh run '$(MAKE)' build-all check test-unit test-abi test-neg test-fuzz test-hal test-guest test-system \
	    bench-check $(NIGHTLY_LEVELS) fresh

fresh:
	+@sh build/fresh.sh $(FRESH)

sizes: image tools guests
	@$(PYTHON) build/sizes.py --out $(OUT) --json out/sizes.json $(if $(filter 1,$(STATIC)),--static)

FORMATTED = $(shell find src tools tests bench guestlib store -name '*.[ch]' 2>/dev/null)
format:
	$(if $(FORMATTED),clang-format-19 -i $(FORMATTED))

endif
