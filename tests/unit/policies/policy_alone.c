#include "policy_alone.h"

uint64_t any(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15ULL;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

uint64_t any_of(uint64_t from, uint64_t to)
{
    return from + (any() % (to - from + 1u));
}

void sched_at(struct sched_unit *unit, struct vcpu *vcpu, uint64_t at_ns)
{
    assert_false(vcpu->sched.timed); /* else it would be twice in a tree */
    vcpu->sched.timed = true;
    vcpu->sched.later.rank = 0u;
    vcpu->sched.later.key = at_ns;
    vcpu->sched.later.mask = UINT64_MAX;
    queue_insert(&unit->later, &vcpu->sched.later);
}

void sched_at_no_more(struct sched_unit *unit, struct vcpu *vcpu)
{
    if (vcpu->sched.timed) {
        vcpu->sched.timed = false;
        queue_remove(&unit->later, &vcpu->sched.later);
    }
}

/* One unit, one CPU at a time: nothing to lock, but each lock is given back. */
struct sched_unit alone_unit;
struct sched_pool alone_pools[SCHED_POOLS_MAX];
struct domain alone_domains[HV_DOMAINS_MAX];
struct domain *domain_table[HV_DOMAINS_MAX];
uint32_t domain_count;
struct spinlock sched_pools_lock;
static uint32_t nr_held;

uint64_t spin_lock(struct spinlock *lock)
{
    (void)lock;
    assert_true(nr_held < 2u);
    return nr_held++;
}

void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    (void)lock;
    nr_held--;
    assert_int_equal(nr_held, flags);
}

struct sched_unit *sched_lock_unit(const struct vcpu *vcpu, uint64_t *flags)
{
    struct sched_unit *const unit = (vcpu->sched.unit != NULL) ? vcpu->sched.unit : &alone_unit;

    *flags = spin_lock(&unit->lock);
    return unit;
}

struct sched_pool *sched_pool_of(uint32_t id)
{
    assert_int_equal(nr_held, 1u);
    return ((id < SCHED_POOLS_MAX) && (alone_pools[id].policy != NULL)) ? &alone_pools[id] : NULL;
}

void alone_begin(void)
{
    memset(&alone_unit, 0, sizeof(alone_unit));
    memset(alone_pools, 0, sizeof(alone_pools));
    memset(alone_domains, 0, sizeof(alone_domains));
    domain_count = HV_DOMAINS_MAX;
    for (uint32_t i = 0u; i < HV_DOMAINS_MAX; i++) {
        domain_table[i] = &alone_domains[i];
        alone_domains[i].id = XEN_DOMID_INVALID;
        alone_domains[i].index = i;
    }
    assert_int_equal(nr_held, 0u);
}

uint64_t alone_now_ns;
uint64_t alone_asked;
struct sched_unit sched_units[HV_CPUS_MAX];
struct sched_cpu sched_cpus[HV_CPUS_MAX];

uint64_t hal_timer_now_ns(void)
{
    return alone_now_ns;
}

void sched_request(cpuid_t cpu)
{
    alone_asked |= BIT64(cpu);
}
