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

static uint64_t entry_at(const struct hcall_sysctl *c, uint32_t i)
{
    return c->op->u.scheduler.of.schedule + sizeof(struct head) + (i * sizeof(struct sched_minor));
}

static int64_t major_answer(enum hv_status status)
{
    return (status == HV_NOT_FOUND) ? -XEN_ESRCH : answer(status, -XEN_EINVAL, -XEN_EBUSY, -XEN_EINVAL);
}

/* How far a schedule is that is set, more[1]; more[0] is its ticket. The guest has it meanwhile. */
enum { ADDS, GIVES, FILLS };
struct put {
    uint8_t stage;
    uint8_t nr;
    uint8_t left; /* entries */
};

static int64_t put_begin(const struct hcall_sysctl *c, struct put *put)
{
    struct head head;
    uint32_t ticket = 0;
    int64_t result = hcall_read(c->vcpu, &head, c->op->u.scheduler.of.schedule, sizeof(head));

    if (result == 0) {
        put->nr = head.num_sched_entries;
        put->left = put->nr;
        result = major_answer(
            sched_major_begin(c->op->u.scheduler.cpupool_id, head.major_frame, put->nr, &ticket));
        c->more[0] = ticket;
    }
    return result;
}

/* A piece of it: with one entry, or of one CPU */
static int64_t put_on(const struct hcall_sysctl *c, struct put *put)
{
    const uint32_t ticket = (uint32_t)c->more[0];
    const bool entry = (put->stage != GIVES);
    struct sched_minor minor;
    int64_t result = 0;
    bool done = false;

    if (entry && ((put->left == 0u) || (put->left > SCHED_MINORS))) {
        return -XEN_EINVAL;
    }
    if (entry) {
        put->left--;
        result = hcall_read(c->vcpu, &minor, entry_at(c, put->left), sizeof(minor));
        done = (put->left == 0u);
    }
    if (result != 0) {
        /* what was begun ends when somebody begins again */
    } else if (put->stage == ADDS) {
        result = major_answer(sched_major_add(ticket, &minor));
    } else if (put->stage == GIVES) {
        result = major_answer(sched_major_give(ticket, &done));
    } else {
        sched_minor_fill(&minor);
    }
    if (done) {
        put->stage++;
        put->left = put->nr;
    }
    return result;
}

static int64_t major_put(const struct hcall_sysctl *c)
{
    struct put put = { (uint8_t)(c->more[1] >> 16u), (uint8_t)(c->more[1] >> 8u), (uint8_t)c->more[1] };
    int64_t result = (c->more[1] == 0u) ? put_begin(c, &put) : put_on(c, &put);

    if ((result == 0) && (put.stage <= FILLS)) {
        c->more[1] = ((uint64_t)put.stage << 16u) | ((uint64_t)put.nr << 8u) | put.left;
        result = HCALL_SYSCTL_AGAIN;
    }
    return result;
}

/* more[0]: entries so far; more[1]: of the schedule with that serial number */
static int64_t major_get(const struct hcall_sysctl *c)
{
    struct sched_minors told;
    struct head head = { .major_frame = 0u };
    const uint32_t first = (uint32_t)(c->more[0] % SCHED_MINORS);
    const enum hv_status status = sched_major_get(c->op->u.scheduler.cpupool_id, first, &told);
    int64_t result = (told.nr > SCHED_MINORS) ? -XEN_E2BIG : major_answer(status);
    const bool same = (first == 0u) || (told.serial == c->more[1]);

    if ((result == 0) && same) {
        result = hcall_write(c->vcpu, entry_at(c, first), told.minor, sizeof(told.minor));
    }
    c->more[0] = same ? (first + SCHED_MINORS_TOLD) : 0u;
    c->more[1] = told.serial;
    if ((result == 0) && (c->more[0] < SCHED_MINORS)) {
        result = HCALL_SYSCTL_AGAIN;
    } else if (result == 0) {
        head.major_frame = told.major_ns;
        head.num_sched_entries = (uint8_t)told.nr;
        result = hcall_write(c->vcpu, c->op->u.scheduler.of.schedule, &head, sizeof(head));
    } else {
        /* it is told */
    }
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
        result = put ? major_put(c) : major_get(c);
    } else {
        /* null, rtds: there is nothing to tell or set of a pool */
    }
    return result;
}
