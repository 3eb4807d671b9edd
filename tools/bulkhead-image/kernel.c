/* What is wrong with a kernel whose bytes are at hand. The hypervisor says the same when it loads one. */
#include "tool.h"

#include "lib/bits.h"

static const char *kernel_name(const struct plan_domain *domain)
{
    return (domain->kernel.name != NULL) ? domain->kernel.name : "";
}

void kimage_fault(struct config_report *report, const struct plan_domain *domain, const struct kimage *image)
{
    config_fault_whole(report, "/chosen/%s/%s: kernel: found %s, expected %s", domain->name,
                       kernel_name(domain), image->found, image->expected);
}

bool kimage_fits(struct config_report *report, const struct plan *plan, const struct plan_domain *domain,
                 struct kimage *image)
{
    struct range bank = { 0u, 0u };
    uint64_t base = 0;
    const uint64_t memory = domain->memory_bytes;
    const uint64_t offset = (image->kind == KIMAGE_ARM64) ? image->text_offset : 0u;
    const uint64_t after = (offset < memory) ? (memory - offset) : 0u;
    const uint64_t room = after - bits_min(after, domain->ramdisk.bytes);
    bool fits = image->memory_bytes <= room;

    if (fits && !kimage_find(plan, domain, image, &bank, &base)) {
        image->found = "an image that does not fit where it must go";
        image->expected = "a place in the domain's memory";
        kimage_fault(report, domain, image);
        fits = false;
    } else if (!fits) {
        config_fault_whole(report,
                           "/chosen/%s/%s: kernel: found an image that takes %U bytes, expected one that "
                           "leaves room for the ramdisk in the domain's memory",
                           domain->name, kernel_name(domain), image->memory_bytes);
    } else {
        /* it fits */
    }
    return fits;
}
