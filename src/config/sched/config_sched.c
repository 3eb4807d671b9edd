/* Which scheduler a cpupool has of which nothing says it, and with `null` which vCPU on which CPU. */
#include "config/sched/config_sched.h"

#define NOBODY 0xFFu

/* vCPUs of all domains, numbered through, against CPUs: a matching that grows by augmenting paths. */
struct match {
    uint64_t allowed[HV_CPUS_MAX]; /* of each vCPU */
    uint8_t cpu_of[HV_CPUS_MAX];
    uint8_t owner[HV_CPUS_MAX]; /* of each CPU */
    uint8_t from[HV_CPUS_MAX];  /* the vCPU that reached this CPU in the present search */
    uint8_t queue[HV_CPUS_MAX];
    uint32_t nr_cpus;
};

/* Searches for a CPU that is free, moving others aside; answers it or nr_cpus. Each CPU is reached at most
 * once. */
static uint32_t match_search(struct match *w, uint32_t vcpu)
{
    uint64_t reached = 0;
    uint32_t head = 0;
    uint32_t tail = 1;
    uint32_t found = w->nr_cpus;

    w->queue[0] = (uint8_t)vcpu;
    for (; (head < tail) && (found == w->nr_cpus); head++) {
        const uint8_t now = w->queue[head];

        for (uint32_t cpu = 0; (cpu < w->nr_cpus) && (found == w->nr_cpus); cpu++) {
            if (((w->allowed[now] & ~reached) & BIT64(cpu)) != 0u) {
                reached |= BIT64(cpu);
                w->from[cpu] = now;
                if (w->owner[cpu] == NOBODY) {
                    found = cpu;
                } else if (tail < HV_CPUS_MAX) {
                    w->queue[tail] = w->owner[cpu];
                    tail++;
                } else {
                    /* cannot be: there are fewer owners than CPUs */
                }
            }
        }
    }
    return found;
}

static bool match_add(struct match *w, uint32_t vcpu)
{
    uint32_t cpu = match_search(w, vcpu);
    const bool found = cpu < w->nr_cpus;
    bool more = found;

    while (more) {
        const uint8_t taker = w->from[cpu];
        const uint32_t before = w->cpu_of[taker];

        w->owner[cpu] = taker;
        w->cpu_of[taker] = (uint8_t)cpu;
        more = (taker != vcpu);
        cpu = before;
    }
    return found;
}

/* Gives each vCPU of these pools (bit = index) a CPU of its own. Answers the first domain for which that is
 * not possible, or nr_domains. */
static uint32_t pin_all(struct plan *plan, uint32_t pools)
{
    struct match w;
    uint32_t nr_vcpus = 0;
    uint32_t fit = 0; /* domains */
    bool fits = true;

    w.nr_cpus = plan->nr_cpus;
    (void)memset(w.owner, (int)NOBODY, sizeof(w.owner));
    while ((fit < plan->nr_domains) && fits) {
        const struct plan_domain *const d = &plan->domain[fit];
        const uint32_t wanted = ((pools & BIT32(d->pool)) != 0u) ? d->nr_vcpus : 0u;

        for (uint32_t v = 0; (v < wanted) && fits; v++) {
            fits = nr_vcpus < plan->nr_cpus;
            if (fits) {
                w.allowed[nr_vcpus] = d->affinity[v] & plan->pool[d->pool].cpus;
                w.cpu_of[nr_vcpus] = NOBODY;
                fits = match_add(&w, nr_vcpus);
                nr_vcpus++;
            }
        }
        fit += fits ? 1u : 0u;
    }
    nr_vcpus = 0;
    for (uint32_t i = 0; (i < plan->nr_domains) && fits; i++) {
        struct plan_domain *const d = &plan->domain[i];

        for (uint32_t v = 0; (v < d->nr_vcpus) && ((pools & BIT32(d->pool)) != 0u); v++) {
            d->pinned[v] = w.cpu_of[nr_vcpus];
            nr_vcpus++;
        }
    }
    return fit;
}

/* Pools of which nothing says it all have the same one. */
static void policy_choose(struct config_maker *m)
{
    struct plan *const plan = m->plan;
    const bool fits = (plan->spares.nr == 0u) && (pin_all(plan, m->pools_open) == plan->nr_domains);

    for (uint32_t id = 0; id < plan->nr_pools; id++) {
        if ((m->pools_open & BIT32(id)) != 0u) {
            plan->pool[id].sched = fits ? PLAN_SCHED_NULL : PLAN_SCHED_CREDIT2;
        }
    }
}

/* A domain whose vCPUs find no CPU is the one to blame, in the order of the nodes. Each turn takes one
 * out. */
static void pin_rest(struct config_maker *m)
{
    struct plan *const plan = m->plan;
    uint32_t pools = 0;

    for (uint32_t id = 0; id < plan->nr_pools; id++) {
        pools |= (plan->pool[id].sched == PLAN_SCHED_NULL) ? BIT32(id) : 0u;
    }
    for (uint32_t i = pin_all(plan, pools); i < plan->nr_domains; i = pin_all(plan, pools)) {
        const uint32_t before = m->report->nr_faults;

        config_fault_prop(m->report, m->domain_node[i], "cpus",
                          "a CPU of its cpupool for each vCPU, or another scheduler than null");
        config_domain_blame(m, &plan->domain[i], before);
        config_domain_forget(&plan->domain[i]);
    }
}

static void unsound_forget(struct plan *plan)
{
    for (uint32_t i = 0; (i < plan->nr_domains) && plan->partial_boot; i++) {
        if (plan->domain[i].unsound) {
            config_domain_forget(&plan->domain[i]);
        }
    }
}

void config_sched_make(struct config_maker *m)
{
    struct plan *const plan = m->plan;

    unsound_forget(plan);
    policy_choose(m);
    config_pools_settle(m);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const uint32_t before = m->report->nr_faults;

        config_params_make(m, i);
        config_windows_make(m, i);
        config_domain_blame(m, &plan->domain[i], before);
    }
    unsound_forget(plan);
    config_admission_check(m);
    pin_rest(m);
}
