/* sysctl: what tools of a control domain ask about the host. [impl->req~toolstack~1] */
#include "hcall/control/hcall_control.h"

#include "base/percpu.h"
#include "domain/role.h"
#include "hal/timer.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "sched/sched.h"

typedef int64_t sysctl_fn(struct vcpu *vcpu, struct xen_sysctl *op);

/* All RAM, or what is free of it; *end: behind the last page */
static uint64_t ram_sum(bool all, uint64_t *end)
{
    hpa_t base = hpa(0);
    uint64_t bytes = 0;
    uint64_t sum = 0;
    uint32_t owner = 0;

    *end = 0;
    for (uint32_t i = 0; (i < RAM_RANGES_MAX) && ram_range(hpa(*end), &base, &bytes, &owner); i++) {
        sum += (all || (owner == RAM_FREE)) ? bytes : 0u;
        *end = base.v + bytes;
    }
    return sum;
}

static uint32_t cpus_end(void)
{
    return 64u - (uint32_t)__builtin_clzll(percpu_online() | 1u);
}

static int64_t physinfo(struct vcpu *vcpu, struct xen_sysctl *op)
{
    const uint64_t hz = hal_timer_ticks(1000000000ULL);
    uint64_t end = 0;

    (void)vcpu;
    op->u.physinfo = (struct xen_physinfo){
        .threads_per_core = 1u,
        .cores_per_socket = percpu_count_online(),
        .nr_cpus = percpu_count_online(),
        .max_cpu_id = cpus_end() - 1u,
        .nr_nodes = 1u,
        .cpu_khz = (uint32_t)(hz / 1000u),
        .capabilities = XEN_PHYSCAP_HVM | XEN_PHYSCAP_HAP | XEN_PHYSCAP_GNTTAB_V1 | XEN_PHYSCAP_GNTTAB_V2,
        .total_pages = ram_sum(true, &end) >> PAGE_SHIFT,
    };
    op->u.physinfo.free_pages = ram_sum(false, &end) >> PAGE_SHIFT;
    op->u.physinfo.max_mfn = (end >> PAGE_SHIFT) - 1u;
    return 0;
}

static int64_t sched_id(struct vcpu *vcpu, struct xen_sysctl *op)
{
    (void)vcpu;
    op->u.sched_id = sched_abi_id();
    return 0;
}

static int64_t domain_list(struct vcpu *vcpu, struct xen_sysctl *op)
{
    uint32_t nr = 0;
    int64_t result = 0;

    for (uint32_t i = 0; (i < domain_count) && (nr < op->u.list.max_domains) && (result == 0); i++) {
        struct xen_domaininfo info;

        if (domain_is_there(domain_table[i]) && (domain_table[i]->id >= op->u.list.first_domain)) {
            hcall_domain_info(domain_table[i], &info);
            result = hcall_write(vcpu, op->u.list.buffer + (nr * sizeof(info)), &info, sizeof(info));
            nr++;
        }
    }
    op->u.list.num_domains = nr;
    return result;
}

/* Each CPU is a core of one socket. */
static int64_t cputopo(struct vcpu *vcpu, struct xen_sysctl *op)
{
    const uint32_t nr = cpus_end();
    int64_t result = 0;

    for (uint32_t i = 0; (i < bits_min(nr, op->u.topology.nr)) && (result == 0); i++) {
        const bool here = (percpu_online() & BIT64(i)) != 0u;
        const struct xen_cputopo topo = { here ? i : UINT32_MAX, here ? 0u : UINT32_MAX,
                                          here ? 0u : UINT32_MAX };

        if (op->u.topology.at != 0u) {
            result = hcall_write(vcpu, op->u.topology.at + (i * sizeof(topo)), &topo, sizeof(topo));
        }
    }
    op->u.topology.nr = nr;
    return result;
}

static int64_t numainfo(struct vcpu *vcpu, struct xen_sysctl *op)
{
    static const uint32_t distance = 10u;
    uint64_t end = 0;
    const struct xen_meminfo memory = { ram_sum(true, &end), ram_sum(false, &end) };
    int64_t result = 0;

    if ((op->u.topology.nr > 0u) && (op->u.topology.at != 0u)) {
        result = hcall_write(vcpu, op->u.topology.at, &memory, sizeof(memory));
    }
    if ((op->u.topology.nr > 0u) && (op->u.topology.distance != 0u) && (result == 0)) {
        result = hcall_write(vcpu, op->u.topology.distance, &distance, sizeof(distance));
    }
    op->u.topology.nr = 1u;
    return result;
}

/* One pool has all CPUs and domains. */
static int64_t cpupool(struct vcpu *vcpu, struct xen_sysctl *op)
{
    const uint32_t what = op->u.cpupool.op;
    int64_t result = -XEN_EOPNOTSUPP;

    if (what == XEN_CPUPOOL_OP_FREEINFO) {
        result = hcall_write_bitmap(vcpu, &op->u.cpupool.cpumap, 0u);
    } else if (what != XEN_CPUPOOL_OP_INFO) {
        /* pools are not changed */
    } else if (op->u.cpupool.cpupool_id > 0u) {
        result = -XEN_ENOENT;
    } else {
        op->u.cpupool.sched_id = sched_abi_id();
        op->u.cpupool.n_dom = domain_nr_there();
        result = hcall_write_bitmap(vcpu, &op->u.cpupool.cpumap, percpu_online());
    }
    return result;
}

int64_t hcall_sysctl(struct vcpu *vcpu, uint64_t *arg)
{
    static const struct {
        uint32_t cmd;
        sysctl_fn *act;
    } rules[] = {
        { XEN_SYSCTL_PHYSINFO, physinfo },
        { XEN_SYSCTL_SCHED_ID, sched_id },
        { XEN_SYSCTL_GETDOMAININFOLIST, domain_list },
        { XEN_SYSCTL_CPUTOPOINFO, cputopo },
        { XEN_SYSCTL_NUMAINFO, numainfo },
        { XEN_SYSCTL_CPUPOOL_OP, cpupool },
    };
    struct xen_sysctl op = { .cmd = 0u };
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
    } else if (i == ARRAY_LEN(rules)) {
        result = -XEN_ENOSYS;
    } else {
        result = rules[i].act(vcpu, &op);
    }
    return (result == 0) ? hcall_write(vcpu, arg[0], &op, sizeof(op)) : result;
}
