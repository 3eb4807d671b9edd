# bulkhead-image, the host tool: the very config/ and plan/ code of the target, compiled for the machine at hand.

HOSTCC ?= cc
HOST_TOOL := out/host/bulkhead-image
host_folders := tools/bulkhead-image tools/bulkhead-image/partition src/config src/config/partition src/lib src/arch/arm/plan \
    src/arch/arm64/plan
# What C's own library gives is the host's; the target's version of it stays out.
host_leave_out := src/lib/string.c
host_c := $(filter-out $(host_leave_out),$(sort $(foreach d,$(host_folders),$(wildcard $(d)/*.c))))
host_objects := $(patsubst %.c,out/host/%.o,$(host_c))
HOST_CFLAGS := -std=c11 -O2 -g -fno-strict-aliasing -fno-common -Wall -Wextra -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wundef -Wvla -Werror -D_GNU_SOURCE -DCONFIG_DEBUG=1 -DCONFIG_STATIC=0 \
    -Isrc -Isrc/arch/arm64/include -Isrc/arch/arm/include -Itools/bulkhead-image

.PHONY: tools
tools: $(if $(wildcard tools/bulkhead-image/*.c),$(HOST_TOOL))

out/host/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(HOSTCC) $(HOST_CFLAGS)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

out/host/%.o: %.c out/host/flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)$(HOSTCC) $(HOST_CFLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(HOST_TOOL): $(host_objects) out/host/flags
	$(call say,HOSTLD,$@)$(HOSTCC) -o $@ $(host_objects) -lfdt -lmd

-include $(host_objects:.o=.d)
