/* Kernel, ramdisk and device tree of a domain. Modules are only read, so a domain can be built again from
 * them, but for the kernel of one that never is. */
/* [impl->req~kernel-images~1] [impl->req~kernel-in-place~1] */

#include "build/gtree.h"
#include "build/inflate.h"
#include "build/placement.h"
#include "config/kimage.h"
#include "hal/cache.h"
#include "hal/cpu.h"

/* One build's view of its images. */
struct image_load {
    struct domain *domain;
    struct build_workspace *workspace;
    struct kimage kernel; /* what is wrapped in a gzip, if it is one */
    struct range source;  /* bytes to copy or to inflate */
    bool gzip;
    struct range bank; /* of memory, that it goes to */
    uint64_t base;     /* guest physical */
    uint64_t end;
    uint64_t entry;
};

/* The sentence of kimage_fault(). */
static enum hv_status kernel_refuse(const struct image_load *load, const char *found, const char *expected)
{
    const struct plan_domain *const plan = load->domain->plan;

    log_line("/chosen/%s/%s: kernel: found %s, expected %s", plan->name, plan->kernel.name, found, expected);
    return HV_CORRUPT;
}

static enum hv_status inflate_refuse(const struct image_load *load, enum inflate_end end)
{
    static const char *const why[][2] = {
        [INFLATE_CUT] = { "a gzip stream that is cut off", "a kernel that is whole" },
        [INFLATE_DAMAGED] = { "a damaged gzip stream", "a kernel that is whole" },
        [INFLATE_FULL] = { "a gzip kernel that inflates to more than it may",
                           "one that fits into the domain's memory" },
        [INFLATE_MEMORY] = { "a gzip stream that needs more memory to inflate",
                             "one with at most 32 KiB of history" },
    };

    return kernel_refuse(load, why[end][0], why[end][1]);
}

/* The module's first bytes; a window may end inside them. */
static void read_head(const struct plan_module *module, uint8_t head[KIMAGE_HEAD_BYTES])
{
    uint64_t done = 0;

    (void)memset(head, 0, KIMAGE_HEAD_BYTES);
    while (done < bits_min(module->bytes, KIMAGE_HEAD_BYTES)) {
        uint64_t room = 0;
        const void *const at =
            hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(module->base.v + done), HAL_HYPMAP_RO, &room);
        const uint64_t piece = bits_min(room, bits_min(module->bytes, KIMAGE_HEAD_BYTES) - done);

        (void)memcpy(&head[done], at, (size_t)piece);
        done += piece;
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
}

/* What the gzip holds, from its first bytes inflated. */
static enum hv_status look_inside(struct image_load *load)
{
    const struct kimage outer = load->kernel;
    uint8_t head[INFLATE_HEAD_BYTES];
    uint32_t bytes = 0;
    const enum inflate_end end = inflate_head(load->workspace, &load->source, head, &bytes);
    enum hv_status status;

    if ((end != INFLATE_DONE) && (end != INFLATE_FULL)) {
        status = inflate_refuse(load, end);
    } else {
        status = kimage_parse_inflated(head, bytes, &outer, &load->kernel);
        if (status != HV_OK) {
            status = kernel_refuse(load, load->kernel.found, load->kernel.expected);
        }
    }
    return status;
}

static void kernel_source(struct image_load *load)
{
    load->source.base = load->domain->plan->kernel.base.v + load->kernel.payload_offset;
    load->source.bytes = load->kernel.payload_bytes;
    load->gzip = (load->kernel.kind == KIMAGE_GZIP);
}

static enum hv_status kernel_recognise(struct image_load *load)
{
    const struct plan_module *const module = &load->domain->plan->kernel;
    uint8_t head[KIMAGE_HEAD_BYTES];
    enum hv_status status;

    read_head(module, head);
    status = kimage_parse_kernel(load->domain->plan, head, &load->kernel);
    if (status != HV_OK) {
        status = kernel_refuse(load, load->kernel.found, load->kernel.expected);
    } else {
        kernel_source(load);
        if (load->gzip) {
            status =
                (CONFIG_STATIC == 0)
                    ? look_inside(load)
                    : kernel_refuse(load, "a gzip", "one that is not compressed, for the static profile");
        }
    }
    return status;
}

/* Where the kernel goes: an Image to the first bank that has the room; false if none has. The end of one that
 * does not tell its size is known when it is there. */
static bool kernel_find(struct image_load *load)
{
    const struct kimage *const k = &load->kernel;
    const bool fits = kimage_find(build_plan(), load->domain->plan, k, &load->bank, &load->base);

    load->end = load->base + k->memory_bytes;
    load->entry = k->placed ? k->entry : load->base;
    return fits;
}

static bool meets(const struct plan_module *module, uint64_t base, uint64_t end)
{
    return (module->bytes != 0u) && (module->base.v < end) && ((module->base.v + module->bytes) > base);
}

/* Nothing but this domain's kernel is in [base, end). */
static bool is_alone(const struct domain *domain, uint64_t base, uint64_t end)
{
    bool alone = true;

    for (uint32_t i = 0; i < domain_count; i++) {
        const struct plan_module *const kernel = &domain_table[i]->plan->kernel;
        const struct plan_module *const ramdisk = &domain_table[i]->plan->ramdisk;
        const struct plan_module *const partial = &domain_table[i]->plan->partial;

        alone = alone && ((domain_table[i] == domain) || !meets(kernel, base, end)) &&
                !meets(ramdisk, base, end) && !meets(partial, base, end);
    }
    return alone;
}

bool build_in_place(struct domain *domain, struct domain_chunk *chunk)
{
    const struct plan_domain *const plan = domain->plan;
    struct image_load load = { .domain = domain };
    uint8_t head[KIMAGE_HEAD_BYTES];
    bool good = !plan->restart_on_reset && !plan->restart_on_crash && !plan->watchdog &&
                (plan->nr_static == 0u) && (build_plan()->nr_static_heap == 0u);

    if (good) {
        read_head(&plan->kernel, head);
        good = (kimage_parse_kernel(plan, head, &load.kernel) == HV_OK) && kernel_find(&load);
    }
    if (good) {
        kernel_source(&load);
        const uint64_t from = bits_align_up(load.source.base, BUILD_SECTION_BYTES);
        const uint64_t end = bits_align_down(load.source.base + load.source.bytes, BUILD_SECTION_BYTES);

        good = !load.gzip && (load.kernel.kind != KIMAGE_ELF) &&
               (((load.base - load.source.base) % BUILD_SECTION_BYTES) == 0u) && (from < end) &&
               is_alone(domain, from, end);
        chunk->at = gpa(load.base + (from - load.source.base));
        chunk->to = hpa(from);
        chunk->bytes = end - from;
    }
    return good;
}

/* What lies in place already stays there. */
static enum hv_status kernel_copy(const struct image_load *load)
{
    const struct range *const kept = &build_slot_of(load->domain)->in_place;
    struct range part = load->source;
    enum hv_status status = HV_OK;

    if (kept->bytes != 0u) {
        part.bytes = kept->base - part.base;
        status = build_copy(load->domain, gpa(load->base), &part);
        part.base = kept->base + kept->bytes;
        part.bytes = (load->source.base + load->source.bytes) - part.base;
    }
    return (status == HV_OK)
               ? build_copy(load->domain, gpa(load->base + (part.base - load->source.base)), &part)
               : status;
}

/* Its parts, each from its place in the module. */
static enum hv_status kernel_copy_parts(const struct image_load *load)
{
    uint8_t head[KIMAGE_HEAD_BYTES];
    struct kimage_part part = { 0u, 0u, 0u };
    enum hv_status status = HV_OK;

    read_head(&load->domain->plan->kernel, head);
    for (uint32_t i = 0; (status == HV_OK) && kimage_part(head, i, &part); i++) { /* at most 14 */
        const struct range source = { load->source.base + part.offset, part.bytes };

        if (part.bytes > 0u) {
            status = build_copy(load->domain, gpa(part.at), &source);
        }
    }
    return status;
}

static enum hv_status kernel_inflate(struct image_load *load)
{
    const uint64_t bank_end = load->bank.base + load->bank.bytes;
    struct inflate_sink sink = { load->domain, gpa(load->base), bank_end - load->base, 0u };
    const enum inflate_end end = inflate_to(load->workspace, &load->source, &sink);

    load->end = bits_max(load->end, load->base + sink.written);
    return (end == INFLATE_DONE) ? HV_OK : inflate_refuse(load, end);
}

static enum hv_status kernel_put(struct image_load *load)
{
    enum hv_status status;

    if (load->kernel.kind == KIMAGE_ELF) {
        status = kernel_copy_parts(load);
    } else if (load->gzip && (CONFIG_STATIC == 0)) {
        status = kernel_inflate(load);
    } else {
        status = kernel_copy(load);
    }
    return status;
}

static enum hv_status kernel_load(struct image_load *load)
{
    const struct plan_domain *const plan = load->domain->plan;
    enum hv_status status = kernel_recognise(load);

    if (status == HV_OK) {
        status = hal_domain_width(&load->domain->hal, load->kernel.is_32bit);
        if (status != HV_OK) {
            log_line("/chosen/%s/%s: kernel: found one for %u bits, expected one for guests of %s",
                     plan->name, plan->kernel.name, load->kernel.is_32bit ? 32u : 64u, hal_cpu_describe());
        }
    }
    if ((status == HV_OK) && !kernel_find(load)) {
        status = kernel_refuse(load, "an image that does not fit where it must go",
                               "a place in the domain's memory");
    }
    if (status == HV_OK) {
        status = kernel_put(load);
    }
    if ((status == HV_OK) && ((load->entry < load->base) || (load->entry >= load->end))) {
        status = kernel_refuse(load, "a kernel that is entered outside of itself", "an entry in the image");
    }
    return status;
}

static enum hv_status tree_load(const struct image_load *load, const struct placement *place)
{
    const struct gtree_input in = { load->domain, place->ramdisk, place->ramdisk_bytes };
    uint32_t bytes = 0;
    enum hv_status status = gtree_write(&in, load->workspace->tree, load->workspace->tree_bytes, &bytes);

    if (status == HV_OK) {
        status = build_write(load->domain, place->tree, load->workspace->tree, bytes);
    }
    if (status != HV_OK) {
        log_line("/chosen/%s: its device tree cannot be written", load->domain->plan->name);
    }
    return status;
}

/* The first two bytes by which Linux knows that a ramdisk is compressed (its lib/decompress.c). */
static bool is_compressed(const uint8_t head[KIMAGE_HEAD_BYTES])
{
    static const uint8_t magic[][2] = { { 0x1Fu, 0x8Bu }, { 0x1Fu, 0x9Eu }, { 0x42u, 0x5Au },
                                        { 0x5Du, 0x00u }, { 0xFDu, 0x37u }, { 0x89u, 0x4Cu },
                                        { 0x02u, 0x21u }, { 0x28u, 0xB5u } };
    bool found = false;

    for (uint32_t i = 0; i < ARRAY_LEN(magic); i++) {
        found = found || ((head[0] == magic[i][0]) && (head[1] == magic[i][1]));
    }
    return found;
}

/* Is host memory from the beginning of a page to `end`, within that page, all zero? */
static bool is_zero(uint64_t page, uint64_t end)
{
    uint64_t room = 0;
    const void *const at = hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(page), HAL_HYPMAP_RO, &room);
    const uint64_t *const words = at;
    const uint8_t *const bytes = at;
    const uint64_t count = end - page;
    uint64_t seen = 0;

    for (uint64_t i = 0; i < (count / sizeof(seen)); i++) {
        seen |= words[i];
    }
    for (uint64_t i = bits_align_down(count, sizeof(seen)); i < count; i++) {
        seen |= bytes[i];
    }
    return seen == 0u;
}

/* The bytes of the ramdisk that matter: zeros behind a compressed one are padding by who placed it, and
 * would cost the guest its memory. A page of them stays, since the stream itself may end with some. Bounded
 * by the module's pages. */
static uint64_t ramdisk_bytes(const struct plan_module *module)
{
    uint8_t head[KIMAGE_HEAD_BYTES];
    uint64_t end = module->base.v + module->bytes;
    bool zero;

    read_head(module, head);
    zero = (module->bytes > 0u) && is_compressed(head);
    while (zero) {
        const uint64_t page = bits_max(bits_align_down(end - 1u, PAGE_BYTES), module->base.v);

        zero = (page > module->base.v) && is_zero(page, end);
        end = zero ? page : end;
        work_breathe();
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    return bits_min(module->bytes, (end + PAGE_BYTES) - module->base.v);
}

/* Room for device tree and ramdisk: beside the kernel, or else in the first bank that has it */
static bool modules_find(const struct image_load *load, struct placement *place)
{
    struct range bank = load->bank;
    bool more = true;
    bool found = false;

    for (uint32_t i = 0; !found && more; i++) { /* at most 65 */
        const uint64_t base = bits_align_up(bank.base, BUILD_SECTION_BYTES);
        const uint64_t end = bits_min(bank.base + bank.bytes, kimage_reach(&load->kernel));
        const bool is_kernels = (bank.base == load->bank.base);

        place->bank_base = base;
        place->bank_bytes = (end > base) ? (end - base) : 0u;
        place->kernel_base = is_kernels ? bits_max(load->base, base) : base;
        place->kernel_end = is_kernels ? bits_max(load->end, base) : base;
        found = placement_find(place);
        more = layout_bank(build_plan(), load->domain->plan, i, &bank);
    }
    return found;
}

static enum hv_status modules_load(const struct image_load *load)
{
    const struct plan_domain *const plan = load->domain->plan;
    const struct range ramdisk = { plan->ramdisk.base.v, ramdisk_bytes(&plan->ramdisk) };
    struct placement place = { .ramdisk_bytes = ramdisk.bytes };
    enum hv_status status = HV_OK;

    if (plan->no_tree && (ramdisk.bytes == 0u)) {
        /* a small memory need not have room for anything else */
    } else if (!modules_find(load, &place)) {
        log_line(
            "/chosen/%s: memory: found %U KiB, expected room for kernel, ramdisk of %U KiB and device tree",
            plan->name, plan->memory_bytes >> 10u, ramdisk.bytes >> 10u);
        status = HV_NO_MEMORY;
    }
    if ((status == HV_OK) && (ramdisk.bytes > 0u)) {
        status = build_copy(load->domain, place.ramdisk, &ramdisk);
    }
    if ((status == HV_OK) && !plan->no_tree) {
        status = tree_load(load, &place);
    }
    build_slot_of(load->domain)->tree = plan->no_tree ? gpa(0u) : place.tree;
    return status;
}

enum hv_status build_image(struct domain *domain)
{
    struct image_load load;
    enum hv_status status;

    (void)memset(&load, 0, sizeof(load));
    load.domain = domain;
    load.workspace = build_workspace_take();
    status = kernel_load(&load);
    if (status == HV_OK) {
        status = modules_load(&load);
    }
    build_workspace_give(load.workspace);
    build_slot_of(domain)->entry = gpa(load.entry);
    hal_cache_instructions();
    return status;
}
