/* sysctl: cpupools, and what is set of a pool's policy. [impl->req~toolstack~1] [impl->req~cpupools~1] */
#include "hcall/control/hcall_control.h"

#include "base/percpu.h"
#include "lib/string.h"
#include "sched/params.h"
#include "sched/cpupool.h"
#include "sched/sched.h"

/* -- Pools, with Xen's errors -- */

static int64_t answer(enum hv_status status, int64_t invalid, int64_t busy, int64_t limit)
{
    int64_t result = -XEN_EINVAL;

    switch (status) {
    case HV_OK:
        result = 0;
        break;
    case HV_INVALID:
        result = invalid;
        break;
    case HV_BUSY:
        result = busy;
        break;
    case HV_LIMIT:
        result = limit;
        break;
    case HV_NOT_FOUND:
        result = -XEN_ENOENT;
        break;
    case HV_EXISTS:
        result = -XEN_EEXIST;
        break;
    case HV_DENIED:
        result = -XEN_ENOSPC; /* Xen admits whatever comes */
        break;
    case HV_NO_MEMORY:
    case HV_NOT_SUPPORTED:
    case HV_FAULT:
    case HV_CORRUPT:
    default:
        break;
    }
    return result;
}

static int64_t pool_make(const struct hcall_sysctl *c)
{
    const uint32_t id = c->op->u.cpupool.cpupool_id;
    const bool number = (id < SCHED_POOLS_MAX) || (id == XEN_CPUPOOL_ANY);
    uint32_t made = 0;
    const enum hv_status status = sched_pool_make(id, c->op->u.cpupool.sched_id, &made);

    c->op->u.cpupool.cpupool_id = made;
    return answer(status, number ? -XEN_ENOENT : -XEN_EINVAL, -XEN_EBUSY, -XEN_ENOMEM);
}

/* CPUs and domains that were just taken from it may be about to leave. */
static int64_t pool_drop(const struct hcall_sysctl *c)
{
    const uint32_t id = c->op->u.cpupool.cpupool_id;
    const enum hv_status status = sched_pool_drop(id);
    struct sched_pool_facts facts;
    int64_t result = answer(status, -XEN_EINVAL, -XEN_EBUSY, -XEN_EBUSY);

    if ((status == HV_BUSY) && (id != 0u) && (sched_pool_facts(id, &facts) == HV_OK) && (facts.id == id) &&
        (facts.cpus == 0u) && (facts.nr_domains == 0u)) {
        sched_await_work(c->vcpu);
        result = HCALL_SYSCTL_AGAIN;
    }
    return result;
}

static int64_t pool_info(const struct hcall_sysctl *c)
{
    struct sched_pool_facts facts;

    if (sched_pool_facts(c->op->u.cpupool.cpupool_id, &facts) != HV_OK) {
        return -XEN_ENOENT;
    }
    c->op->u.cpupool.cpupool_id = facts.id;
    c->op->u.cpupool.sched_id = facts.abi_id;
    c->op->u.cpupool.n_dom = facts.nr_domains;
    return hcall_write_bitmap(c->vcpu, &c->op->u.cpupool.cpumap, facts.cpus);
}

static int64_t pool_add_cpu(const struct hcall_sysctl *c)
{
    const enum hv_status status = sched_pool_add_cpu(c->op->u.cpupool.cpupool_id, c->op->u.cpupool.cpu);

    return answer(status, -XEN_EINVAL, -XEN_ENODEV, -XEN_ENODEV);
}

static int64_t pool_remove_cpu(const struct hcall_sysctl *c)
{
    const uint32_t cpu = c->op->u.cpupool.cpu;
    const bool there = (cpu < HV_CPUS_MAX) && ((percpu_online() & BIT64(cpu % HV_CPUS_MAX)) != 0u);
    const enum hv_status status = sched_pool_remove_cpu(c->op->u.cpupool.cpupool_id, cpu);

    return answer(status, there ? -XEN_ENODEV : -XEN_EINVAL, -XEN_EBUSY, -XEN_EBUSY);
}

static int64_t pool_move(const struct hcall_sysctl *c)
{
    struct domain *const domain = domain_by_id(c->op->u.cpupool.domid);

    return (domain == NULL)              ? -XEN_ESRCH
           : (domain == c->vcpu->domain) ? -XEN_EPERM
                                         : answer(sched_pool_move(domain, c->op->u.cpupool.cpupool_id),
                                                  -XEN_EINVAL, -XEN_EBUSY, -XEN_ENOENT);
}

static int64_t pool_free_cpus(const struct hcall_sysctl *c)
{
    return hcall_write_bitmap(c->vcpu, &c->op->u.cpupool.cpumap, sched_pool_free_cpus());
}

int64_t hcall_sysctl_cpupool(const struct hcall_sysctl *c)
{
    static int64_t (*const act[])(const struct hcall_sysctl *c) = {
        [XEN_CPUPOOL_OP_CREATE] = pool_make,        [XEN_CPUPOOL_OP_DESTROY] = pool_drop,
        [XEN_CPUPOOL_OP_INFO] = pool_info,          [XEN_CPUPOOL_OP_ADDCPU] = pool_add_cpu,
        [XEN_CPUPOOL_OP_RMCPU] = pool_remove_cpu,   [XEN_CPUPOOL_OP_MOVEDOMAIN] = pool_move,
        [XEN_CPUPOOL_OP_FREEINFO] = pool_free_cpus,
    };
    const uint32_t op = hal_index(c->op->u.cpupool.op, ARRAY_LEN(act));

    return (act[op] != NULL) ? act[op](c) : -XEN_ENOSYS; /* 0 is none */
}

/* -- Policies -- */

static int64_t tuning(const struct hcall_sysctl *c, bool put)
{
    const uint32_t pool = c->op->u.scheduler.cpupool_id;
    const bool credit = (c->op->u.scheduler.sched_id == XEN_SCHEDULER_CREDIT);
    struct sched_tuning t;
    enum hv_status status = sched_tuning_get(pool, &t);

    if (put && credit) {
        t = (struct sched_tuning){ c->op->u.scheduler.of.credit.tslice_ms,
                                   c->op->u.scheduler.of.credit.ratelimit_us,
                                   c->op->u.scheduler.of.credit.vcpu_migr_delay_us };
    } else if (put) {
        t.ratelimit_us = c->op->u.scheduler.of.credit2_ratelimit_us;
    } else if (credit) {
        c->op->u.scheduler.of.credit.tslice_ms = t.slice_ms;
        c->op->u.scheduler.of.credit.ratelimit_us = t.ratelimit_us;
        c->op->u.scheduler.of.credit.vcpu_migr_delay_us = t.stay_us;
    } else {
        c->op->u.scheduler.of.credit2_ratelimit_us = t.ratelimit_us;
    }
    if (put && (status == HV_OK)) {
        status = sched_tuning_set(pool, &t);
    }
    return (status == HV_OK) ? 0 : ((status == HV_NOT_FOUND) ? -XEN_ESRCH : -XEN_EINVAL);
}

/* What a schedule begins with; behind it our minor frames lie as Xen's entries do. */
struct head {
    uint64_t major_frame;
    uint8_t num_sched_entries;
    uint8_t pad[7];
};
_Static_assert((sizeof(struct head) == 16u) &&
                   (sizeof(struct sched_minor) == sizeof(struct xen_arinc653_entry)) &&
                   (SCHED_MINORS == XEN_ARINC653_ENTRIES),
               "a minor frame is an entry, as tests/unit/sim/test_pools finds field by field");

/* Too large for a stack, and used by one CPU at a time. */
static struct spinlock major_lock = SPINLOCK(LOCK_BUILD);
static struct sched_major major;

/* Lock held. */
static int64_t major_put(const struct hcall_sysctl *c)
{
    const uint64_t at = c->op->u.scheduler.of.schedule;
    struct head head;
    int64_t result = hcall_read(c->vcpu, &head, at, sizeof(head));

    if ((result == 0) && ((head.num_sched_entries == 0u) || (head.num_sched_entries > SCHED_MINORS))) {
        result = -XEN_EINVAL;
    }
    if (result == 0) {
        major.ns = head.major_frame;
        major.nr = head.num_sched_entries;
        result = hcall_read(c->vcpu, major.minor, at + sizeof(head), major.nr * sizeof(major.minor[0]));
    }
    if (result == 0) {
        const enum hv_status status = sched_major_set(c->op->u.scheduler.cpupool_id, &major);

        result = (status == HV_OK) ? 0 : ((status == HV_NOT_FOUND) ? -XEN_ESRCH : -XEN_EINVAL);
    }
    return result;
}

/* Lock held. */
static int64_t major_get(const struct hcall_sysctl *c)
{
    const uint64_t at = c->op->u.scheduler.of.schedule;
    struct head head = { .major_frame = 0u };
    int64_t result = 0;

    (void)memset(&major, 0, sizeof(major));
    const enum hv_status status = sched_major_get(c->op->u.scheduler.cpupool_id, &major);

    if (status != HV_OK) {
        return (status == HV_LIMIT) ? -XEN_E2BIG : ((status == HV_NOT_FOUND) ? -XEN_ESRCH : -XEN_EINVAL);
    }
    head.major_frame = major.ns;
    head.num_sched_entries = (uint8_t)major.nr;
    result = hcall_write(c->vcpu, at, &head, sizeof(head));
    return (result == 0) ? hcall_write(c->vcpu, at + sizeof(head), major.minor, sizeof(major.minor)) : result;
}

static int64_t schedule(const struct hcall_sysctl *c, bool put)
{
    const uint64_t flags = spin_lock(&major_lock);
    const int64_t result = put ? major_put(c) : major_get(c);

    spin_unlock(&major_lock, flags);
    return result;
}

int64_t hcall_sysctl_scheduler(const struct hcall_sysctl *c)
{
    const uint32_t pool = c->op->u.scheduler.cpupool_id;
    const uint32_t id = c->op->u.scheduler.sched_id;
    const bool put = (c->op->u.scheduler.cmd == XEN_SCHEDOP_PUTINFO);
    struct sched_pool_facts facts;
    int64_t result = 0;

    if (c->op->u.scheduler.cmd > XEN_SCHEDOP_GETINFO) {
        result = -XEN_EINVAL;
    } else if ((sched_pool_facts(pool, &facts) != HV_OK) || (facts.id != pool)) {
        result = -XEN_ESRCH;
    } else if (facts.abi_id != id) {
        result = -XEN_EINVAL;
    } else if ((id == XEN_SCHEDULER_CREDIT) || (id == XEN_SCHEDULER_CREDIT2)) {
        result = tuning(c, put);
    } else if (id == XEN_SCHEDULER_ARINC653) {
        result = schedule(c, put);
    } else {
        /* null, rtds: there is nothing to tell or set of a pool */
    }
    return result;
}
