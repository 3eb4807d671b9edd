/* Host RAM divided: what is ours, what holds modules, what is left for domains. */
#include "boot/boot.h"

#include "build/build.h"
#include "mem/heap.h"
#include "mem/ram.h"

#define HEAP_ALIGN         KIB(64)
#define HEAP_SPARE         KIB(128) /* devices' registers, the port's tables */
#define HEAP_SPARE_PER_CPU KIB(16)  /* windows, redistributors */

/* Pages that something else owns already keep that owner: a module may begin in the page where another
 * ends, and several domains may use one. Bounded by the pages of the range. */
static enum hv_status claim(uint64_t base, uint64_t bytes, uint32_t owner)
{
    const uint64_t first = bits_align_down(base, PAGE_BYTES);
    const uint64_t end = bits_align_up(base + bytes, PAGE_BYTES);
    enum hv_status status = HV_OK;

    if (end > first) {
        status = ram_claim(hpa(first), end - first, owner);
    }
    if (status == HV_BUSY) {
        status = HV_OK;
        for (uint64_t at = first; (at < end) && (status == HV_OK); at += PAGE_BYTES) {
            if (ram_owner(hpa(at)) == RAM_FREE) {
                status = ram_claim(hpa(at), PAGE_BYTES, owner);
            }
        }
    }
    return status;
}

static enum hv_status claim_modules(const struct plan *plan)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < plan->nr_domains) && (status == HV_OK); i++) {
        const struct plan_domain *const d = &plan->domain[i];

        status = claim(d->kernel.base.v, d->kernel.bytes, RAM_MODULE);
        status = (status == HV_OK) ? claim(d->ramdisk.base.v, d->ramdisk.bytes, RAM_MODULE) : status;
        status = (status == HV_OK) ? claim(d->partial.base.v, d->partial.bytes, RAM_MODULE) : status;
    }
    return status;
}

/* Domains' static memory is theirs for good. */
static enum hv_status claim_static(const struct plan *plan)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        for (uint32_t r = 0; (r < d->nr_static) && (status == HV_OK); r++) {
            const struct range *const range = &plan->static_mem[d->static_first + r];

            status = ram_claim(hpa(range->base), range->bytes, RAM_OWNER_DOMAIN + d->domid);
        }
    }
    return status;
}

/* Nothing is free but the static heap. */
/* [impl->req~static-heap~1] */
static enum hv_status claim_rest(const struct plan *plan)
{
    hpa_t base = { 0u };
    uint64_t bytes = 0;
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < plan->nr_static_heap) && (status == HV_OK); i++) {
        status = ram_claim(hpa(plan->static_heap[i].base), plan->static_heap[i].bytes, RAM_HEAP);
    }
    while (status == HV_OK) { /* as often as there are free ranges */
        status = ram_alloc(UINT64_MAX - PAGE_BYTES, PAGE_BYTES, PAGE_BYTES, RAM_UNUSED, &base, &bytes);
    }
    if ((status == HV_NO_MEMORY) && (ram_bytes(RAM_FREE) == 0u)) {
        for (uint32_t i = 0; i < plan->nr_static_heap; i++) {
            ram_release(hpa(plan->static_heap[i].base), plan->static_heap[i].bytes, RAM_HEAP);
        }
        status = HV_OK;
    }
    return status;
}

enum hv_status boot_memory_ram(void)
{
    const struct plan *const plan = &boot_state.plan;
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < plan->nr_ram) && (status == HV_OK); i++) {
        status = ram_add(hpa(plan->ram[i].base), plan->ram[i].bytes);
    }
    if (status == HV_OK) {
        status = claim(boot_state.port.image_base.v, boot_state.port.image_bytes, RAM_IMAGE);
    }
    for (uint32_t i = 0; (i < plan->nr_reserved) && (status == HV_OK); i++) {
        status = claim(plan->reserved[i].base, plan->reserved[i].bytes, RAM_RESERVED);
    }
    status = (status == HV_OK) ? claim(boot_state.tree_base.v, boot_state.tree_bytes, RAM_TREE) : status;
    status = (status == HV_OK) ? claim_modules(plan) : status;
    for (uint32_t i = 0; (i < plan->nr_shm) && (status == HV_OK); i++) {
        if (plan->shm[i].is_placed) {
            status = claim(plan->shm[i].host.base, plan->shm[i].host.bytes, RAM_SHARED);
        }
    }
    status = (status == HV_OK) ? claim_static(plan) : status;
    return ((status == HV_OK) && (plan->nr_static_heap > 0u)) ? claim_rest(plan) : status;
}

enum hv_status boot_memory_heap(void)
{
    const struct plan *const plan = &boot_state.plan;
    const uint64_t needed = build_heap_bytes(plan) + smp_heap_bytes(plan) +
                            ((CONFIG_IOMMU != 0) ? boot_iommu_heap_bytes(plan) : 0u);
    const uint64_t tables = (needed / 512u) + HEAP_SPARE + (plan->nr_cpus * HEAP_SPARE_PER_CPU);
    const uint64_t want = bits_align_up(needed + tables, HEAP_ALIGN);
    hpa_t base = { 0u };
    uint64_t bytes = 0;
    void *va = NULL;
    uint64_t used = 0;
    enum hv_status status = ram_alloc(want, want, HEAP_ALIGN, RAM_HEAP, &base, &bytes);

    if (status != HV_OK) {
        log_line("/chosen: %s: found %U KiB free, expected %U KiB for the hypervisor in one piece",
                 (plan->nr_static_heap > 0u) ? "xen,static-heap" : "memory", ram_bytes(RAM_FREE) >> 10u,
                 want >> 10u);
    } else {
        status = hal_hypmap_heap(base, bytes, &va, &used);
    }
    if (status == HV_OK) {
        uint8_t *const first = va;

        heap_init(&first[used], bytes - used);
    }
    return status;
}
