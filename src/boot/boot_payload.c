/* What bulkhead-image appended to the image. */
#include "boot/boot.h"

#include "config/payload.h"

const uint8_t *boot_map(hpa_t base, uint64_t bytes)
{
    const void *va = NULL;

    return (hal_hypmap_readonly(base, bytes, &va) == HV_OK) ? va : NULL;
}

bool boot_payload_use(void)
{
    const hpa_t base = boot_state.port.payload;
    const void *const page = boot_map(base, PAGE_BYTES);
    struct payload_header header;
    bool good = false;

    /* Nothing says yet how much RAM follows: the header's own sizes are checked against each other. */
    if ((page != NULL) && (payload_check(page, UINT64_MAX, &header) == HV_OK)) {
        good = (header.tree_bytes <= BOOT_TREE_BYTES_MAX) && (header.total_bytes <= (UINT64_MAX - base.v));
        boot_state.payload_base = base;
        boot_state.payload_bytes = header.total_bytes;
        boot_state.tree_base = hpa(base.v + header.tree_offset);
        boot_state.tree_bytes = header.tree_bytes;
    }
    return good;
}

const void *boot_module_map(const struct plan_module *module)
{
    static struct plan_module known[HV_DOMAINS_MAX];
    static const void *at[HV_DOMAINS_MAX];
    uint32_t i = 0;

    while ((i < HV_DOMAINS_MAX) && (at[i] != NULL) &&
           ((known[i].base.v != module->base.v) || (known[i].bytes != module->bytes))) {
        i++;
    }
    if ((i < HV_DOMAINS_MAX) && (at[i] == NULL)) {
        known[i] = *module;
        at[i] = boot_map(module->base, module->bytes);
    }
    return (i < HV_DOMAINS_MAX) ? at[i] : NULL;
}
