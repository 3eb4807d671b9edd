/* What a control domain can do to the hypervisor with calls that it may make: of any number, in any order,
 * with any argument, from all vCPUs at a time, about domains that it makes. The neighbour is its to destroy,
 * too, and is left alone: what it feels all the same it must not feel. Tried when the bootargs say
 * role=control. */
#include "abi/xen_control.h"
#include "hostile.h"
#include "maker.h"
#include "xen.h"

#define NEIGHBOUR 2u
#define NR_IDS    4u
#define DOMCTLS   96u
#define SYSCTLS   40u
#define LIST      16u
#define WINDOW    (XEN_GRANT_WINDOW + 0x400000u)

static volatile uint16_t ids[NR_IDS] = { 3u, 4u, 5u, 6u };
static struct maker makers[GUEST_CPUS_MAX];

int64_t maker_hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    return attempt(number, a, b, 0u);
}

static struct maker *own_maker(void)
{
    struct maker *const own = &makers[cpu_number()];

    own->nr_vcpus = 1u + (uint32_t)(random64() & 1u);
    own->nr_blocks = 1u + (uint32_t)(random64() & 3u);
    own->window = (volatile uint8_t *)(uintptr_t)(WINDOW + (cpu_number() * 0x10000u));
    own->kernel = (struct maker_image){ own, sizeof(*own) };
    own->tree = own->kernel;
    return own;
}

static uint16_t any_id(void)
{
    static const uint16_t others[] = { 0u, 1u, 0x7FEFu, 0x7FF0u, 0x7FF1u, 0x7FF4u, 0xFFFFu, 100u };
    const uint64_t how = random64();

    return ((how & 15u) == 0u) ? others[(how >> 8u) % (sizeof(others) / sizeof(others[0]))]
                               : ids[(how >> 8u) % NR_IDS];
}

/* Frames that a made domain may have, and numbers that none has */
static uint64_t any_frame(void)
{
    static const uint64_t others[] = { 0u,          0x38000u,    0x22000u,          0x3001u,   0x9000u,
                                       1ULL << 28u, 1ULL << 36u, UINT64_MAX >> 12u, UINT64_MAX };
    const uint64_t how = random64();
    uint64_t frame = (MAKER_RAM >> 12u) + ((how >> 8u) & 0x7FFu);

    if ((how & 7u) == 0u) {
        frame = others[(how >> 8u) % (sizeof(others) / sizeof(others[0]))];
    } else if ((how & 7u) == 1u) {
        frame = MAKER_CONSOLE + ((how >> 8u) & 3u);
    } else if ((how & 7u) == 2u) {
        frame &= ~511ULL;
    } else {
        /* any page of it */
    }
    return frame;
}

static uint64_t any_word(void)
{
    const uint64_t how = random64();
    uint64_t word = (how >> 8u) & 31u;

    switch (how & 7u) {
    case 0u:
        word = random64();
        break;
    case 1u:
        word = (uintptr_t)own_maker();
        break;
    case 2u:
        word = any_frame();
        break;
    case 3u:
        word = (word << 32u) | any_id();
        break;
    case 4u:
        word = UINT64_MAX - word;
        break;
    default:
        break;
    }
    return word;
}

static int64_t domctl(struct xen_domctl *op, uint32_t cmd, uint16_t id)
{
    op->cmd = cmd;
    op->interface_version = ((random64() & 63u) == 0u) ? (uint32_t)random64() : XEN_DOMCTL_VERSION;
    op->domain = id;
    return attempt(XEN_HCALL_DOMCTL, (uintptr_t)op, ((random64() & 63u) == 0u) ? random64() : 0u, 0u);
}

static void domctl_any(uint32_t cmd, uint16_t id)
{
    struct xen_domctl op;

    for (uint32_t i = 0u; i < (sizeof(op.u.room) / sizeof(op.u.room[0])); i++) {
        op.u.room[i] = any_word();
    }
    (void)domctl(&op, cmd, id);
}

/* All but this one and the neighbour; others may destroy them as well. */
static void destroy_all(void)
{
    static struct xen_domaininfo list[LIST];
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_GETDOMAININFOLIST,
                             .interface_version = XEN_SYSCTL_VERSION,
                             .u.list = { .max_domains = LIST, .buffer = (uintptr_t)list } };

    if ((attempt(XEN_HCALL_SYSCTL, (uintptr_t)&op, 0u, 0u) != 0) || (op.u.list.num_domains > LIST)) {
        print("HOSTILE-REACHED no list of domains\n");
        return;
    }
    for (uint32_t i = 0u; i < op.u.list.num_domains; i++) {
        const int64_t result = (list[i].domain > NEIGHBOUR) ? maker_destroy(list[i].domain) : 0;

        if ((result != 0) && (result != -XEN_ESRCH)) {
            print("HOSTILE-REACHED domain %u cannot be destroyed: %d\n", (uint32_t)list[i].domain,
                  (int32_t)result);
        }
    }
}

static uint64_t host_free(void)
{
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_PHYSINFO, .interface_version = XEN_SYSCTL_VERSION };

    (void)attempt(XEN_HCALL_SYSCTL, (uintptr_t)&op, 0u, 0u);
    return op.u.physinfo.free_pages + op.u.physinfo.scrub_pages;
}

static void must_be_free(uint64_t before)
{
    const uint64_t until = timer_now() + (5u * timer_frequency());

    while ((host_free() < before) && (timer_now() < until)) {
        arch_yield();
    }
    if (host_free() != before) {
        print("HOSTILE-REACHED %U pages free, of %U\n", host_free(), before);
    }
}

/* -- Each number, about domains that are not there, half made, or this one -- */

static void numbers(void)
{
    for (uint64_t i = 0u; storm_goes(i, 20u); i++) {
        for (uint32_t cmd = 0u; cmd < DOMCTLS; cmd++) {
            domctl_any(cmd, any_id());
        }
        for (uint32_t cmd = 0u; cmd < SYSCTLS; cmd++) {
            struct xen_sysctl op = { .cmd = cmd,
                                     .interface_version =
                                         ((random64() & 15u) == 0u) ? 0x14u : XEN_SYSCTL_VERSION };

            for (uint32_t n = 0u; n < (sizeof(op.u.room) / sizeof(op.u.room[0])); n++) {
                op.u.room[n] = any_word();
            }
            (void)attempt(XEN_HCALL_SYSCTL, (uintptr_t)&op, any_word(), 0u);
        }
        (void)attempt(XEN_HCALL_DOMCTL, any_word(), any_word(), any_word());
        (void)attempt(XEN_HCALL_SYSCTL, any_word(), any_word(), any_word());
    }
}

/* -- More domains than there are places, with arguments that are nearly right -- */

static void creations(void)
{
    for (uint64_t i = 0u; storm_goes(i, 40u); i++) {
        struct xen_domctl op = { .u.create = { .flags = XEN_CDF_HVM | XEN_CDF_HAP,
                                               .max_vcpus = 1u + (uint32_t)(random64() & 3u),
                                               .max_evtchn_port = 1023u,
                                               .max_grant_frames = 4,
                                               .max_maptrack_frames = 4,
                                               .grant_opts = 1u } };
        uint8_t *const bytes = (uint8_t *)&op.u;

        if ((random64() & 1u) != 0u) {
            bytes[random64() % 72u] = (uint8_t)random64();
        }
        if (domctl(&op, XEN_DOMCTL_CREATEDOMAIN, ((random64() & 1u) != 0u) ? 0u : any_id()) == 0) {
            ids[random64() % NR_IDS] = op.domain;
        }
        if ((random64() & 1u) != 0u) {
            (void)maker_destroy(ids[random64() % NR_IDS]);
        }
    }
}

/* -- The steps in any order, and what is not a step, about the same domains by all vCPUs -- */

static void reserve_any(void)
{
    static const uint8_t orders[] = { 0u, 9u, 9u, 18u, 1u, 63u, 64u, 255u };
    static const uint8_t ops[] = { 6u, 6u, 6u, 1u, 0u, 24u, 3u, 4u };
    uint64_t frames[8];

    for (uint32_t i = 0u; i < 8u; i++) {
        frames[i] = any_frame();
    }
    const struct xen_memory_reservation arg = {
        .extent_start = ((random64() & 15u) == 0u) ? any_word() : (uintptr_t)frames,
        .nr_extents = ((random64() & 15u) == 0u) ? any_word() : (1u + (random64() & 7u)),
        .extent_order = orders[random64() % sizeof(orders)],
        .mem_flags = ((random64() & 15u) == 0u) ? (uint32_t)random64() : 0u,
        .domid = ids[random64() % NR_IDS]
    };
    const uint64_t from = ((random64() & 15u) == 0u) ? (random64() << XENMEM_OP_BITS) : 0u;

    (void)attempt(XEN_HCALL_MEMORY_OP, from | ops[random64() % sizeof(ops)], (uintptr_t)&arg, 0u);
}

static void param_any(void)
{
    const struct xen_hvm_param param = { .domid = ids[random64() % NR_IDS],
                                         .index = (uint32_t)(random64() & 31u),
                                         .value = any_word() };
    union xen_evtchn_op port = { .alloc_unbound = { any_id(), any_id(), 0u } };
    const uint16_t target = ids[random64() % NR_IDS];

    (void)attempt(XEN_HCALL_HVM_OP, random64() & 1u, (uintptr_t)&param, 0u);
    (void)attempt(XEN_HCALL_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, (uintptr_t)&port, 0u);
    (void)xen_event_bind(target, (uint32_t)(random64() & 7u));
    tried(1u);
    if ((random64() & 3u) == 0u) {
        (void)xen_event_port(EVTCHNOP_CLOSE, 1u + (uint32_t)(random64() & 63u), 0u);
    }
}

static void map_any(void)
{
    struct maker *const own = own_maker();

    own->domid = ids[random64() % NR_IDS];
    if (maker_map(own, any_frame(), 1u + (uint32_t)(random64() % MAKER_WINDOW)) == 0) {
        own->window[random64() & 4095u]++;
    }
    if ((random64() & 1u) != 0u) {
        (void)maker_let_go(own, MAKER_WINDOW);
    }
}

static void step_any(void)
{
    struct maker *const own = own_maker();
    const uint32_t step = (uint32_t)(random64() % (MAKER_STEPS + 1u));

    own->domid = ids[random64() % NR_IDS];
    if (step == MAKER_STEPS) {
        (void)maker_unpause(own->domid);
    } else if ((maker_step(own, step) == 0) && (step == 0u)) {
        ids[random64() % NR_IDS] = own->domid;
    } else {
        /* it is what it was */
    }
}

static void order(void)
{
    static const uint8_t life[] = { 2u, 3u, 4u, 27u, 28u };

    for (uint64_t i = 0u; storm_goes(i, 500u); i++) {
        switch (random64() % 8u) {
        case 0u:
            domctl_any((uint32_t)(random64() % DOMCTLS), ids[random64() % NR_IDS]);
            break;
        case 1u:
            domctl_any(life[random64() % sizeof(life)], ids[random64() % NR_IDS]);
            break;
        case 2u:
            reserve_any();
            break;
        case 3u:
            param_any();
            break;
        case 4u:
            map_any();
            break;
        default:
            step_any();
            break;
        }
    }
    (void)maker_let_go(own_maker(), MAKER_WINDOW);
}

/* -- All memory that there is, by all at a time; it comes back -- */

static void greed(void)
{
    const uint64_t before = host_free();
    struct maker *const own = own_maker();
    int64_t result = 0;

    own->nr_blocks = 100000u;
    for (uint32_t step = 0u; (step <= 2u) && (result == 0); step++) {
        result = maker_step(own, step);
    }
    if (result == 0) {
        print("HOSTILE-REACHED more memory than there is\n");
    }
    (void)maker_destroy(own->domid);
    must_be_free(before);
}

/* -- One vCPU makes, all others destroy -- */

static void destructions(void)
{
    for (uint64_t i = 0u; storm_goes(i, 30u); i++) {
        if (cpu_number() == 0u) {
            struct maker *const own = own_maker();
            int64_t result = 0;

            for (uint32_t step = 0u; (step < MAKER_STEPS) && (result == 0); step++) {
                result = maker_step(own, step);
                ids[0] = own->domid;
            }
            (void)maker_unpause(own->domid);
        } else if (ids[0] > NEIGHBOUR) {
            (void)maker_destroy(ids[0]);
        } else {
            /* none yet */
        }
    }
}

/* -- What is left of it all: nothing -- */

static uint64_t free_at_first;

static void begin(void)
{
    free_at_first = host_free();
}

static void end(void)
{
    destroy_all();
    must_be_free(free_at_first);
}

const struct attack attacks_control[] = {
    { "control_begin", begin, false },
    { "control_numbers", numbers, true },
    { "control_creations", creations, true },
    { "control_order", order, true },
    { "control_order_end", end, false },
    { "control_greed", greed, false },
    { "control_destructions", destructions, true },
    { "control_end", end, false },
    { "control_numbers_again", numbers, false },
    { NULL, NULL, false },
};
