/* The static profile's way to its plan: the tool made and packed it, here it is only checked for damage. */
/* [impl->req~static-profile~1] */
#include "boot/boot.h"

#include "config/partition/plan_file.h"
#include "hal/cpu.h"
#include "lib/parts.h"
#include "lib/string.h"

/* By this the tool knows that an image wants a plan, and which. */
extern const struct plan_profile boot_profile;
__attribute__((used, retain))
const struct plan_profile boot_profile = { PLAN_PROFILE_MAGIC, PLAN_LAYOUT, CONFIG_GIC_ONLY, PARTS_OF_BUILD,
                                           0u };

static struct plan_file packed_header;
static bool packed_good;

enum hv_status boot_packed_find(void)
{
    if ((boot_state.port.payload.v != 0u) && boot_payload_use()) {
        boot_state.tree = boot_map(boot_state.tree_base, boot_state.tree_bytes);
    }
    return HV_OK;
}

/* Without a sound plan there is no console either: the words stay in memory. */
enum hv_status boot_packed_plan(void)
{
    const uint8_t *const file = boot_state.tree;
    struct plan_file *const header = &packed_header;
    const uint64_t head_bytes = sizeof(*header);

    if ((file != NULL) && (plan_file_read(file, boot_state.tree_bytes, header, &boot_state.plan) == HV_OK)) {
        packed_good = hal_cpu_crc32c(0u, &file[head_bytes], header->bytes - head_bytes) == header->crc;
    }
    if (!packed_good) {
        (void)memset(&boot_state.plan, 0, sizeof(boot_state.plan));
    }
    for (uint32_t i = 0; i < boot_state.plan.nr_domains; i++) {
        struct plan_domain *const d = &boot_state.plan.domain[i];

        if ((CONFIG_DEVICES != 0) && (d->partial.bytes != 0u)) {
            d->partial_tree = boot_module_map(&d->partial);
            packed_good = packed_good && (d->partial_tree != NULL);
        }
    }
    boot_state.sound = packed_good && (header->image_base == boot_state.port.image_base.v);
    return HV_OK;
}

enum hv_status boot_packed_verdict(void)
{
    if (!packed_good) {
        log_line("image: plan: found none or a damaged one, expected what bulkhead-image packed");
    } else if (!boot_state.sound) {
        log_line("image: found at %X, expected at %X: the static profile is made for one place",
                 boot_state.port.image_base.v, packed_header.image_base);
    } else {
        /* as it was checked at the desk */
    }
    return boot_state.sound ? HV_OK : HV_INVALID;
}
