# bulkhead-image, the host tool: the very config/ and plan/ code of the target, compiled for the machine at hand. What users type
# is arm64's, which starts another port's, beside it, for an image of that port.

HOSTCC ?= cc
host_other := $(filter-out arm64,$(PORT))
HOST_TOOL := out/host/bulkhead-image$(host_other:%=-%)
HOST_OUT := out/host$(host_other:%=/%)
host_folders := tools/bulkhead-image tools/bulkhead-image/partition src/config src/config/sched src/config/partition \
    src/config/control src/lib $(port_plans)
# What C's own library gives is the host's; the target's version of it stays out.
host_leave_out := src/lib/string.c
host_c := $(filter-out $(host_leave_out),$(sort $(foreach d,$(host_folders),$(wildcard $(d)/*.c))))
host_objects := $(patsubst %.c,$(HOST_OUT)/%.o,$(host_c))
HOST_CFLAGS := -std=c11 -O2 -g -fno-strict-aliasing -fno-common -Wall -Wextra -Wshadow -Wstrict-prototypes \
    -Wmissing-prototypes -Wundef -Wvla -Werror -D_GNU_SOURCE -DCONFIG_DEBUG=1 -DCONFIG_STATIC=0 -DTOOL_PORT=$(PORT) \
    $(foreach p,iommu control,-DCONFIG_$(call capitals,$(p))=$(if $(filter $(p),$(port_lacks)),0,1)) \
    $(port_constants) $(port_includes) -Itools/bulkhead-image

.PHONY: tools
tools: $(HOST_TOOL)
	$(if $(host_other),+@$(MAKE) PORT=arm64 tools)

$(HOST_OUT)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(HOSTCC) $(HOST_CFLAGS)' > $@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

$(HOST_OUT)/%.o: %.c $(HOST_OUT)/flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)$(HOSTCC) $(HOST_CFLAGS) -MD -MP -MF $(@:.o=.d) -c -o $@ $<

$(HOST_TOOL): $(host_objects) $(HOST_OUT)/flags
	$(call say,HOSTLD,$@)$(HOSTCC) -o $@ $(host_objects) -lfdt -lmd

-include $(host_objects:.o=.d)
