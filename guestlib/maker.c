/* [impl->req~plain-control~1] */
#include "maker.h"

#include <stddef.h>

#include "abi/xen.h"
#include "abi/xen_memory.h"

#define PAGE_BITS   12u
#define PAGE_BYTES  4096u
#define BLOCK_ORDER (MAKER_BLOCK_BITS - PAGE_BITS)
#define BLOCK_PAGES (1u << BLOCK_ORDER)
#define BLOCK_BYTES (1ULL << MAKER_BLOCK_BITS)
#define EXTENTS     16u /* of a call */
#define RAM_GFN     (MAKER_RAM >> PAGE_BITS)
#define MAGIC_PAGES 4u /* console, xenstore, and two that xl makes as well */
#define SPARE_KIB   1024u
#define POOL_BYTES  (1u << 20u) /* for translation tables; ours are the place's */

static int64_t call(uint64_t number, uint64_t op, const volatile void *arg)
{
    return maker_hypercall(number, op, (uintptr_t)arg);
}

static int64_t domctl(uint32_t cmd, uint16_t domid, struct xen_domctl *op)
{
    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_VERSION;
    op->domain = domid;
    return call(XEN_HCALL_DOMCTL, (uintptr_t)op, NULL);
}

/* -- Steps -- */

static int64_t step_create(struct maker *maker)
{
    struct xen_domctl op = { .u.create = { .flags = XEN_CDF_HVM | XEN_CDF_HAP,
                                           .max_vcpus = maker->nr_vcpus,
                                           .max_evtchn_port = 1023u,
                                           .max_grant_frames = 4,
                                           .max_maptrack_frames = 4,
                                           .grant_opts = 1u } };

    for (uint32_t i = 0u; i < sizeof(maker->handle); i++) {
        op.u.create.handle[i] = maker->handle[i];
    }
    const int64_t result = domctl(XEN_DOMCTL_CREATEDOMAIN, 0u, &op); /* any number */

    maker->domid = op.domain;
    return result;
}

static int64_t step_limits(struct maker *maker)
{
    const uint64_t kib = (((uint64_t)maker->nr_blocks * BLOCK_BYTES) / 1024u) + SPARE_KIB;
    struct xen_domctl vcpus = { .u.max_vcpus = maker->nr_vcpus };
    struct xen_domctl memory = { .u.max_mem.kib = kib };
    struct xen_domctl pool = { .u.mempool_bytes = POOL_BYTES };
    struct xen_domctl width = { .u.address_bits = 64u };
    int64_t result = domctl(XEN_DOMCTL_MAX_VCPUS, maker->domid, &vcpus);

    result = (result == 0) ? domctl(XEN_DOMCTL_MAX_MEM, maker->domid, &memory) : result;
    result = (result == 0) ? domctl(XEN_DOMCTL_SET_PAGING_MEMPOOL, maker->domid, &pool) : result;
    return (result == 0) ? domctl(XEN_DOMCTL_SET_ADDRESS_SIZE, maker->domid, &width) : result;
}

/* Frames from `gfn` on, `nr` extents of 2^order each; at most EXTENTS. */
static int64_t populate(const struct maker *maker, uint64_t gfn, uint32_t nr, uint32_t order)
{
    uint64_t frames[EXTENTS];

    for (uint32_t i = 0u; i < nr; i++) {
        frames[i] = gfn + ((uint64_t)i << order);
    }
    const struct xen_memory_reservation extents = {
        .extent_start = (uintptr_t)frames, .nr_extents = nr, .extent_order = order, .domid = maker->domid
    };
    const int64_t done = call(XEN_HCALL_MEMORY_OP, XENMEM_POPULATE_PHYSMAP, &extents);

    return (done == (int64_t)nr) ? 0 : ((done < 0) ? done : -XEN_ENOMEM);
}

static int64_t step_memory(struct maker *maker)
{
    int64_t result = 0;

    for (uint32_t i = 0u; (i < maker->nr_blocks) && (result == 0); i += EXTENTS) {
        const uint32_t left = maker->nr_blocks - i;

        result = populate(maker, RAM_GFN + ((uint64_t)i * BLOCK_PAGES), (left < EXTENTS) ? left : EXTENTS,
                          BLOCK_ORDER);
    }
    return (result == 0) ? populate(maker, MAKER_CONSOLE, MAGIC_PAGES, 0u) : result;
}

/* A port of the domain that this one may bind to */
static int64_t port_of(const struct maker *maker, uint32_t *port)
{
    union xen_evtchn_op arg = { .alloc_unbound = { maker->domid, XEN_DOMID_SELF, 0u } };
    const int64_t result = call(XEN_HCALL_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, &arg);

    *port = arg.alloc_unbound.port;
    return result;
}

static int64_t tell(const struct maker *maker, uint32_t index, uint64_t value)
{
    const struct xen_hvm_param param = { .domid = maker->domid, .index = index, .value = value };

    return call(XEN_HCALL_HVM_OP, HVMOP_SET_PARAM, &param);
}

/* The domain finds its console by parameters. It has no xenstore: that page stays unknown to it. */
static int64_t step_channels(struct maker *maker)
{
    int64_t result = port_of(maker, &maker->store_port);

    result = (result == 0) ? port_of(maker, &maker->console_port) : result;
    result = (result == 0) ? tell(maker, HVM_PARAM_CONSOLE_PFN, MAKER_CONSOLE) : result;
    return (result == 0) ? tell(maker, HVM_PARAM_CONSOLE_EVTCHN, maker->console_port) : result;
}

/* To the domain's address `at`, a page boundary, by the window; then to memory, where a CPU without caches
 * looks. */
static int64_t load(struct maker *maker, uint64_t at, const struct maker_image *image)
{
    const uint8_t *const from = image->data;
    const uint64_t pages = (image->bytes + PAGE_BYTES - 1u) / PAGE_BYTES;
    struct xen_domctl flush = { .u.cacheflush = { at >> PAGE_BITS, pages } };
    int64_t result = 0;

    for (uint64_t page = 0u; (page < pages) && (result == 0); page++) {
        const uint64_t offset = page * PAGE_BYTES;
        const uint64_t left = image->bytes - offset;

        result = maker_map(maker, (at + offset) >> PAGE_BITS, 1u);
        for (uint64_t i = 0u; (i < left) && (i < PAGE_BYTES) && (result == 0); i++) {
            maker->window[i] = from[offset + i];
        }
        result = (result == 0) ? maker_let_go(maker, 1u) : result;
    }
    return (result == 0) ? domctl(XEN_DOMCTL_CACHEFLUSH, maker->domid, &flush) : result;
}

static uint64_t tree_at(const struct maker *maker)
{
    return MAKER_RAM + ((uint64_t)(maker->nr_blocks - 1u) * BLOCK_BYTES);
}

static int64_t step_kernel(struct maker *maker)
{
    return load(maker, MAKER_RAM, &maker->kernel);
}

static int64_t step_tree(struct maker *maker)
{
    return load(maker, tree_at(maker), &maker->tree);
}

/* Where vCPU 0 begins; the domain starts the others itself. */
static int64_t step_context(struct maker *maker)
{
    const struct xen_vcpu_context context = { .flags = XEN_VGCF_ONLINE,
                                              .x = { tree_at(maker) },
                                              .pc = MAKER_RAM,
                                              .cpsr = 0x1C5u,         /* EL1h, A, I and F masked */
                                              .sctlr = 0x00C50078u }; /* MMU and caches off */
    struct xen_domctl op = { .u.vcpucontext = { .context = (uintptr_t)&context } };

    return domctl(XEN_DOMCTL_SETVCPUCONTEXT, maker->domid, &op);
}

static const struct {
    const char *name;
    int64_t (*run)(struct maker *maker);
} steps[MAKER_STEPS] = {
    { "createdomain", step_create }, { "limits", step_limits }, { "memory", step_memory },
    { "channels", step_channels },   { "kernel", step_kernel }, { "tree", step_tree },
    { "context", step_context },
};

const char *maker_step_name(uint32_t step)
{
    return (step < MAKER_STEPS) ? steps[step].name : "unpause";
}

int64_t maker_step(struct maker *maker, uint32_t step)
{
    const int64_t result = steps[step].run(maker);

    maker->nr_steps = (result == 0) ? (step + 1u) : step;
    return result;
}

int64_t maker_create(struct maker *maker)
{
    int64_t result = 0;

    for (uint32_t step = 0u; (step < MAKER_STEPS) && (result == 0); step++) {
        result = maker_step(maker, step);
    }
    if ((result != 0) && (maker->nr_steps > 0u)) {
        (void)maker_destroy(maker->domid);
    }
    return result;
}

/* -- A domain that is there -- */

int64_t maker_pause(uint16_t domid)
{
    struct xen_domctl op = { .cmd = 0u };

    return domctl(XEN_DOMCTL_PAUSE, domid, &op);
}

int64_t maker_unpause(uint16_t domid)
{
    struct xen_domctl op = { .cmd = 0u };

    return domctl(XEN_DOMCTL_UNPAUSE, domid, &op);
}

int64_t maker_destroy(uint16_t domid)
{
    struct xen_domctl op = { .cmd = 0u };

    return domctl(XEN_DOMCTL_DESTROYDOMAIN, domid, &op);
}

/* Asked about a number that is free, Xen tells of the next one that is not. */
int64_t maker_info(uint16_t domid, struct xen_domaininfo *info)
{
    struct xen_domctl op = { .cmd = 0u };
    const int64_t result = domctl(XEN_DOMCTL_GETDOMAININFO, domid, &op);

    *info = op.u.info;
    return ((result == 0) && (info->domain != domid)) ? -XEN_ESRCH : result;
}

/* -- Its memory -- */

static uint64_t window_gfn(const struct maker *maker, uint32_t i)
{
    return ((uintptr_t)maker->window >> PAGE_BITS) + i;
}

int64_t maker_map(struct maker *maker, uint64_t gfn, uint32_t nr)
{
    uint64_t theirs[MAKER_WINDOW];
    uint64_t ours[MAKER_WINDOW];
    int32_t error[MAKER_WINDOW] = { 0 };
    const struct xen_add_to_physmap_batch batch = { .domid = XEN_DOMID_SELF,
                                                    .space = XENMAPSPACE_GMFN_FOREIGN,
                                                    .size = (uint16_t)nr,
                                                    .foreign_domid = maker->domid,
                                                    .idxs = (uintptr_t)theirs,
                                                    .gpfns = (uintptr_t)ours,
                                                    .errs = (uintptr_t)error };
    int64_t result = (nr <= MAKER_WINDOW) ? 0 : -XEN_EINVAL;

    for (uint32_t i = 0u; (i < nr) && (result == 0); i++) {
        theirs[i] = gfn + i;
        ours[i] = window_gfn(maker, i);
    }
    result = (result == 0) ? call(XEN_HCALL_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, &batch) : result;
    for (uint32_t i = 0u; (i < nr) && (result == 0); i++) {
        result = error[i];
    }
    return result;
}

int64_t maker_let_go(struct maker *maker, uint32_t nr)
{
    int64_t result = 0;

    for (uint32_t i = 0u; i < nr; i++) {
        const struct xen_remove_from_physmap gone = { .domid = XEN_DOMID_SELF, .gpfn = window_gfn(maker, i) };
        const int64_t one = call(XEN_HCALL_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, &gone);

        result = (result == 0) ? one : result;
    }
    return result;
}
