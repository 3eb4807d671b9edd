/* sysctl: what tools of a control domain ask about the host. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "base/log.h"
#include "base/percpu.h"
#include "build/build.h"
#include "evtchn/evtchn.h"
#include "hal/timer.h"
#include "mem/ram.h"
#include "operator/operator_keys.h"
#include "sched/params.h"
#include "sched/sched.h"

#define PIECE 256u /* bytes of the log at a time */

/* more[] goes through registers of the guest, which says by the third that a call goes on. */
#define GOES_ON 0x676F6573u
#define AGAIN   HCALL_SYSCTL_AGAIN

/* All RAM; *end: behind the last page */
static uint64_t ram_sum(uint64_t *end)
{
    hpa_t base = hpa(0);
    uint64_t bytes = 0;
    uint64_t sum = 0;
    uint32_t owner = 0;

    *end = 0;
    for (uint32_t i = 0; (i < RAM_RANGES_MAX) && ram_range(hpa(*end), &base, &bytes, &owner); i++) {
        sum += bytes;
        *end = base.v + bytes;
    }
    return sum;
}

static uint32_t cpus_end(void)
{
    return 64u - (uint32_t)__builtin_clzll(percpu_online() | 1u);
}

static int64_t physinfo(const struct hcall_sysctl *c)
{
    const uint64_t hz = hal_timer_ticks(1000000000ULL);
    uint64_t end = 0;

    c->op->u.physinfo = (struct xen_physinfo){
        .threads_per_core = 1u,
        .cores_per_socket = percpu_count_online(),
        .nr_cpus = percpu_count_online(),
        .max_cpu_id = cpus_end() - 1u,
        .nr_nodes = 1u,
        .cpu_khz = (uint32_t)(hz / 1000u),
        .capabilities = XEN_PHYSCAP_HVM | XEN_PHYSCAP_HAP | XEN_PHYSCAP_GNTTAB_V1 | XEN_PHYSCAP_GNTTAB_V2 |
                        (build_has_streams() ? XEN_PHYSCAP_DIRECTIO : 0u),
        .total_pages = ram_sum(&end) >> PAGE_SHIFT,
        .free_pages = blocks_free_bytes() >> PAGE_SHIFT,
        .scrub_pages = blocks_dirty_bytes() >> PAGE_SHIFT,
    };
    c->op->u.physinfo.max_mfn = (end >> PAGE_SHIFT) - 1u;
    return 0;
}

static int64_t sched_id(const struct hcall_sysctl *c)
{
    c->op->u.sched_id = sched_abi_id();
    return 0;
}

/* The domain of the lowest number from `id` on; NULL: there is none. */
static const struct domain *domain_from(uint64_t id)
{
    const struct domain *found = NULL;

    for (uint32_t i = 0; i < domain_count; i++) {
        const struct domain *const d = domain_table[i];

        if (domain_is_there(d) && (d->id >= id) && ((found == NULL) || (d->id < found->id))) {
            found = d;
        }
    }
    return found;
}

/* By their numbers, one at a time. more[0]: how many so far, more[1]: the number behind the last. */
static int64_t domain_list(const struct hcall_sysctl *c)
{
    const uint32_t nr = (uint32_t)c->more[0];
    const struct domain *const domain = domain_from((nr == 0u) ? c->op->u.list.first_domain : c->more[1]);
    struct xen_domaininfo info;
    int64_t result = 0;

    c->op->u.list.num_domains = nr;
    if ((domain != NULL) && (nr < c->op->u.list.max_domains)) {
        hcall_domain_info(domain, &info);
        result = hcall_write(c->vcpu, c->op->u.list.buffer + (nr * sizeof(info)), &info, sizeof(info));
        c->more[0] = (uint64_t)nr + 1u;
        c->more[1] = (uint64_t)info.domain + 1u;
        result = (result == 0) ? AGAIN : result;
    }
    return result;
}

/* Each CPU is a core of one socket. One at a time, more[0]. */
static int64_t cputopo(const struct hcall_sysctl *c)
{
    const uint32_t nr = cpus_end();
    const uint64_t i = c->more[0];
    int64_t result = 0;

    if ((i < nr) && (i < c->op->u.topology.nr) && (c->op->u.topology.at != 0u)) {
        const bool here = (percpu_online() & BIT64(i)) != 0u;
        const struct xen_cputopo topo = { here ? (uint32_t)i : UINT32_MAX, here ? 0u : UINT32_MAX,
                                          here ? 0u : UINT32_MAX };

        c->more[0] = i + 1u;
        result = hcall_write(c->vcpu, c->op->u.topology.at + (i * sizeof(topo)), &topo, sizeof(topo));
        result = (result == 0) ? AGAIN : result;
    }
    c->op->u.topology.nr = nr;
    return result;
}

static int64_t numainfo(const struct hcall_sysctl *c)
{
    static const uint32_t distance = 10u;
    uint64_t end = 0;
    const struct xen_meminfo memory = { ram_sum(&end), blocks_free_bytes() };
    int64_t result = 0;

    if ((c->op->u.topology.nr > 0u) && (c->op->u.topology.at != 0u)) {
        result = hcall_write(c->vcpu, c->op->u.topology.at, &memory, sizeof(memory));
    }
    if ((c->op->u.topology.nr > 0u) && (c->op->u.topology.distance != 0u) && (result == 0)) {
        result = hcall_write(c->vcpu, c->op->u.topology.distance, &distance, sizeof(distance));
    }
    c->op->u.topology.nr = 1u;
    return result;
}

/* A new line of the log: whom it concerns, if anybody, hears of it. */
static void log_told(void *ctx)
{
    struct domain *const tools = role_holder(PLAN_ROLE_CONTROL);

    (void)ctx;
    if (tools != NULL) {
        evtchn_virq_raise(tools, VIRQ_CON_RING);
    }
}

/* The log from a position on, or all of it since it was cleared; a piece at a time. more[0]: bytes so far,
 * more[1]: the position after them. Who has read once hears of new lines. */
static int64_t readconsole(const struct hcall_sysctl *c)
{
    static uint32_t cleared;
    char text[PIECE];
    const uint32_t count = c->op->u.readconsole.count;
    const uint32_t before = (uint32_t)bits_min(c->more[0], count);
    uint32_t at = (uint32_t)c->more[1];
    int64_t result = 0;

    if (before == 0u) {
        log_watch(log_told);
        at = (c->op->u.readconsole.incremental != 0u) ? c->op->u.readconsole.index : cleared;
    }
    const uint32_t n = log_read(&at, text, (uint32_t)bits_min(count - before, PIECE));

    result = hcall_write(c->vcpu, c->op->u.readconsole.buffer + before, text, n);
    c->more[0] = (uint64_t)before + n;
    c->more[1] = at;
    if ((result == 0) && (n == PIECE)) {
        result = AGAIN;
    } else if ((result == 0) && (c->op->u.readconsole.clear != 0u)) {
        cleared = at;
    } else {
        /* it is told, or fails */
    }
    c->op->u.readconsole.count = before + n;
    c->op->u.readconsole.index = at;
    return result;
}

static int64_t debug_keys(const struct hcall_sysctl *c)
{
    char keys[OPERATOR_KEYS_MAX];
    const uint32_t nr = c->op->u.debug_keys.nr_keys;
    int64_t result =
        (nr > sizeof(keys)) ? -XEN_E2BIG : hcall_read(c->vcpu, keys, c->op->u.debug_keys.keys, nr);

    if ((result == 0) && !operator_keys(keys, nr)) {
        result = -XEN_EBUSY;
    }
    return result;
}

static int64_t cpuinfo(const struct hcall_sysctl *c)
{
    const uint64_t nr = bits_min(cpus_end(), c->op->u.cpuinfo.max_cpus);
    const uint64_t i = c->more[0];
    int64_t result = 0;

    if (i < nr) {
        const uint64_t idle_ns = sched_idle_ns((cpuid_t)hal_index(i, HV_CPUS_MAX));

        c->more[0] = i + 1u;
        result =
            hcall_write(c->vcpu, c->op->u.cpuinfo.info + (i * sizeof(idle_ns)), &idle_ns, sizeof(idle_ns));
        result = (result == 0) ? AGAIN : result;
    }
    c->op->u.cpuinfo.nr_cpus = (uint32_t)nr;
    return result;
}

/* Free memory is one node's, whatever the width of its addresses. */
static int64_t availheap(const struct hcall_sysctl *c)
{
    const uint32_t node = c->op->u.availheap.node;

    c->op->u.availheap.avail_bytes = ((node == 0u) || (node == UINT32_MAX)) ? blocks_free_bytes() : 0u;
    return 0;
}

int64_t hcall_sysctl(struct vcpu *vcpu, uint64_t *arg)
{
    static const struct {
        uint32_t cmd;
        int64_t (*act)(const struct hcall_sysctl *c);
    } rules[] = {
        { XEN_SYSCTL_READCONSOLE, readconsole },
        { XEN_SYSCTL_PHYSINFO, physinfo },
        { XEN_SYSCTL_SCHED_ID, sched_id },
        { XEN_SYSCTL_GETDOMAININFOLIST, domain_list },
        { XEN_SYSCTL_DEBUG_KEYS, (CONFIG_STATIC == 0) ? debug_keys : NULL },
        { XEN_SYSCTL_GETCPUINFO, cpuinfo },
        { XEN_SYSCTL_AVAILHEAP, availheap },
        { XEN_SYSCTL_CPUTOPOINFO, cputopo },
        { XEN_SYSCTL_NUMAINFO, numainfo },
        { XEN_SYSCTL_CPUPOOL_OP, hcall_sysctl_cpupool },
        { XEN_SYSCTL_SCHEDULER_OP, hcall_sysctl_scheduler },
    };
    struct xen_sysctl op = { .cmd = 0u };
    const bool goes_on = (arg[3] == GOES_ON);
    uint64_t more[2] = { goes_on ? arg[1] : 0u, goes_on ? arg[2] : 0u };
    const struct hcall_sysctl c = { vcpu, &op, more };
    uint32_t i = 0;
    int64_t result = hcall_read(vcpu, &op, arg[0], sizeof(op));

    while ((i < ARRAY_LEN(rules)) && (rules[i].cmd != op.cmd)) {
        i++;
    }
    if (result != 0) {
        /* it is told */
    } else if (op.interface_version != XEN_SYSCTL_VERSION) {
        result = -XEN_EACCES;
    } else if (!role_may(vcpu->domain, ROLE_SYSCTL)) {
        result = -XEN_EPERM;
    } else if ((i == ARRAY_LEN(rules)) || (rules[i].act == NULL)) {
        result = -XEN_ENOSYS;
    } else {
        result = rules[i].act(&c);
    }
    if (goes_on) {
        arg[3] = 0u; /* not for another call */
    }
    if (result == AGAIN) {
        arg[1] = more[0];
        arg[2] = more[1];
        arg[3] = GOES_ON;
        result = hcall_again(vcpu, arg[0]);
    } else if (result == 0) {
        result = hcall_write(vcpu, arg[0], &op, sizeof(op));
    } else {
        /* it is told */
    }
    return result;
}
