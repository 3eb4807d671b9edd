/* What tools ask of pools. It is in force at once for who asks again; CPUs and vCPUs follow (cpupool.c). */
/* [impl->req~cpupools~1] */
#include "sched/cpupool_core.h"

static uint32_t count_domains(uint32_t id)
{
    uint32_t nr = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        nr += (domain_is_there(domain_table[i]) && (domain_table[i]->cpupool == id)) ? 1u : 0u;
    }
    return nr;
}

enum hv_status sched_pool_facts(uint32_t id, struct sched_pool_facts *facts)
{
    enum hv_status status = HV_NOT_FOUND;
    const uint64_t flags = spin_lock(&sched_pools_lock);

    for (uint32_t i = id; (i < SCHED_POOLS_MAX) && (status != HV_OK); i++) {
        const struct sched_pool *const pool = sched_pool_of(i);

        if (pool != NULL) {
            facts->id = i;
            facts->abi_id = pool->policy->abi_id;
            facts->nr_domains = count_domains(i);
            facts->cpus = pool->cpus;
            status = HV_OK;
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

static uint64_t free_cpus(void)
{
    uint64_t set = percpu_online();

    for (uint32_t i = 0; i < SCHED_POOLS_MAX; i++) {
        set &= (sched_pools[i].policy != NULL) ? ~sched_pools[i].cpus : UINT64_MAX;
    }
    return set;
}

uint64_t sched_pool_free_cpus(void)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    const uint64_t set = free_cpus();

    spin_unlock(&sched_pools_lock, flags);
    return set;
}

enum hv_status sched_pool_make(uint32_t id, uint32_t abi_id, uint32_t *made)
{
    const struct sched_policy *const policy = sched_policy_of(abi_id);
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    uint32_t at = id;

    if (id == SCHED_POOL_ANY) {
        for (at = 0; (at < SCHED_POOLS_MAX) && (sched_pools[at].policy != NULL); at++) {
        }
    }
    if ((policy == NULL) || ((id != SCHED_POOL_ANY) && (at >= SCHED_POOLS_MAX))) {
        status = HV_INVALID;
    } else if (at >= SCHED_POOLS_MAX) {
        status = HV_LIMIT;
    } else if (sched_pools[at].policy != NULL) {
        status = HV_EXISTS;
    } else {
        sched_pool_begin(&sched_pools[at], at, policy);
        *made = at;
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

/* Pools' lock held. vCPUs or CPUs of it may still be on their way elsewhere. */
static bool is_left(const struct sched_pool *pool)
{
    bool left = (pool->waiting.nr_vcpus == 0u) && (pool->waiting.nr_places == 0u);

    for (uint32_t i = 0; (i < sched_nr_units) && left; i++) {
        const struct sched_unit *const unit = &sched_units[i];

        left =
            (unit->pool != pool) || ((unit->nr_vcpus == 0u) && (unit->nr_places == 0u) && (unit->cpus == 0u));
    }
    return left;
}

enum hv_status sched_pool_drop(uint32_t id)
{
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const pool = sched_pool_of(id);

    if (pool == NULL) {
        status = HV_NOT_FOUND;
    } else if ((id == 0u) || (pool->cpus != 0u) || (count_domains(id) != 0u) || !is_left(pool)) {
        status = HV_BUSY;
    } else {
        pool->policy = NULL;
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

enum hv_status sched_pool_add_cpu(uint32_t id, cpuid_t cpu)
{
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const pool = sched_pool_of(id);
    const uint64_t set = free_cpus();
    const cpuid_t which = ((cpu == SCHED_CPU_ANY) && (set != 0u)) ? (cpuid_t)__builtin_ctzll(set) : cpu;

    if (pool == NULL) {
        status = HV_NOT_FOUND;
    } else if (cpu == SCHED_CPU_ANY && (set == 0u)) {
        status = HV_LIMIT;
    } else if ((which >= HV_CPUS_MAX) || ((percpu_online() & BIT64(which)) == 0u)) {
        status = HV_INVALID;
    } else if ((set & BIT64(which)) == 0u) {
        status = HV_BUSY;
    } else if (!sched_pool_cpu_join(pool, which)) {
        status = HV_LIMIT;
    } else {
        sched_request(which);
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

enum hv_status sched_pool_remove_cpu(uint32_t id, cpuid_t cpu)
{
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const pool = sched_pool_of(id);
    cpuid_t which = cpu;

    if ((pool != NULL) && (cpu == SCHED_CPU_ANY) && (pool->cpus != 0u)) {
        which = 63u - (cpuid_t)__builtin_clzll(pool->cpus);
    }
    if (pool == NULL) {
        status = HV_NOT_FOUND;
    } else if ((which >= HV_CPUS_MAX) || ((pool->cpus & BIT64(which)) == 0u)) {
        status = HV_INVALID;
    } else if (((id == 0u) && (which == 0u)) || ((pool->cpus == BIT64(which)) && (count_domains(id) != 0u))) {
        status = HV_BUSY;
    } else {
        pool->cpus &= ~BIT64(which);
        sched_pool_cpu_drop(which, NULL);
        sched_request(which);
        sched_pool_review();
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

void sched_pool_forget(struct domain *domain)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);

    domain->cpupool = 0u;
    spin_unlock(&sched_pools_lock, flags);
}

enum hv_status sched_pool_move(struct domain *domain, uint32_t id)
{
    enum hv_status status = HV_OK;
    const uint64_t flags = spin_lock(&sched_pools_lock);
    const struct sched_pool *const pool = sched_pool_of(id);

    if ((pool == NULL) || !domain_is_there(domain)) {
        status = HV_NOT_FOUND;
    } else if (pool->cpus == 0u) {
        status = HV_LIMIT;
    } else if (domain->cpupool == id) {
        /* it is there */
    } else if (!sched_rt_admits(pool, domain)) {
        status = HV_DENIED;
    } else {
        domain->cpupool = id;
        sched_pool_review();
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}
