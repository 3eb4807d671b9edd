/* What the nodes of domains and their vCPUs say to the scheduler of their cpupool, and whether rtds can keep
 * it. */
/* [impl->req~sched-parameters~1] [impl->req~rtds-admission~1] */
#include "config/sched/config_sched.h"

#include "lib/edf.h"

#define WEIGHT        "bulkhead,weight"
#define CAP           "bulkhead,cap"
#define PERIOD        "bulkhead,period-us"
#define BUDGET        "bulkhead,budget-us"
#define NO_EXTRA      "bulkhead,no-extratime"
#define POLICY(sched) BIT32((uint32_t)(sched))
#define CREDITS       (POLICY(PLAN_SCHED_CREDIT) | POLICY(PLAN_SCHED_CREDIT2))
#define CAP_WHOLE     100u
#define MILLE         1000u

static const struct {
    const char *prop;
    uint32_t policies; /* that know it */
    const char *names;
} known[] = {
    { WEIGHT, CREDITS, "credit or credit2" },
    { CAP, CREDITS, "credit or credit2" },
    { PERIOD, POLICY(PLAN_SCHED_RTDS), "rtds" },
    { BUDGET, POLICY(PLAN_SCHED_RTDS), "rtds" },
    { NO_EXTRA, POLICY(PLAN_SCHED_RTDS), "rtds" },
    { CONFIG_WINDOWS, POLICY(PLAN_SCHED_ARINC653), "arinc653" },
};

static void effect_check(struct config_maker *m, uint32_t node, enum plan_sched sched)
{
    for (uint32_t i = 0; i < ARRAY_LEN(known); i++) {
        if (((known[i].policies & POLICY(sched)) == 0u) && dt_has(m->ix, node, known[i].prop)) {
            config_unknown_to(m, node, known[i].prop, sched, known[i].names);
        }
    }
}

static void vcpu_nodes_find(struct config_maker *m, uint32_t domain)
{
    const uint32_t node = m->domain_node[domain];

    for (uint32_t v = 0; v < HV_VCPUS_MAX; v++) {
        m->vcpu_node[v] = (uint16_t)node;
    }
    for (uint32_t n = dt_first_child(m->ix, node); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        uint32_t id = 0;

        if (dt_compatible(m->ix, n, "xen,vcpu") && dt_enabled(m->ix, n) && dt_get_u32(m->ix, n, "id", &id) &&
            (id < HV_VCPUS_MAX)) {
            m->vcpu_node[id] = (uint16_t)n;
        }
    }
}

/* -- credit, credit2 -- */

static void share_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    char text[40];
    struct fmt_buf most;
    const struct config_rule weight = {
        .name = WEIGHT, .expected = "1 to 65535", .min = 1u, .max = UINT16_MAX
    };
    const struct config_rule cap = { .name = CAP, .expected = text, .max = CAP_WHOLE * d->nr_vcpus };
    struct config_target t = { m, node, d };
    struct dt_value v = { NULL, 0u };
    uint32_t number = 0;

    fmt_init(&most, text, sizeof(text));
    fmt_add(&most, "0 to %u, 100 for each vCPU", cap.max);
    if (dt_get(m->ix, node, WEIGHT, &v) && config_number(&t, &weight, &v, &number)) {
        d->weight = (uint16_t)number;
    }
    if (dt_get(m->ix, node, CAP, &v) && config_number(&t, &cap, &v, &number)) {
        d->cap = (uint16_t)number;
    }
}

/* -- rtds -- */

/* False and a fault if one of them is impossible. */
static bool rt_read(struct config_maker *m, uint32_t node, struct plan_rt *rt)
{
    static const struct config_rule period = { .name = PERIOD,
                                               .expected = "microseconds, 10 to 3600000000",
                                               .min = PLAN_RT_US_MIN,
                                               .max = PLAN_PERIOD_US_MAX };
    static const struct config_rule budget = { .name = BUDGET,
                                               .expected = "microseconds, 10 to 3600000000",
                                               .min = PLAN_RT_US_MIN,
                                               .max = PLAN_PERIOD_US_MAX };
    struct config_target t = { m, node, NULL };
    struct dt_value v = { NULL, 0u };
    bool good = true;

    if (dt_get(m->ix, node, PERIOD, &v)) {
        good = config_number(&t, &period, &v, &rt->period_us);
    }
    if (dt_get(m->ix, node, BUDGET, &v)) {
        good = config_number(&t, &budget, &v, &rt->budget_us) && good;
    }
    return good;
}

static void rt_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct plan_rt all = d->rt[0];
    struct dt_value v = { NULL, 0u };
    uint32_t told = DT_NONE; /* the node whose budget was found wrong */

    d->rt_extra = !dt_get(m->ix, node, NO_EXTRA, &v);
    if (v.bytes != 0u) {
        config_fault(m->report, node, NO_EXTRA, &v, CONFIG_NO_VALUE);
    }
    if (!rt_read(m, node, &all)) {
        return;
    }
    for (uint32_t i = 0; i < d->nr_vcpus; i++) {
        const uint32_t own = m->vcpu_node[i];
        struct plan_rt rt = all;
        const bool good = (own == node) || rt_read(m, own, &rt);

        if (good && (rt.budget_us <= rt.period_us)) {
            d->rt[i] = rt;
        } else if (good && (own != told)) {
            config_fault_say(m->report, own, BUDGET, "%u, expected at most %u, its " PERIOD, rt.budget_us,
                             rt.period_us);
            told = own;
        } else {
            /* that is told */
        }
    }
}

void config_params_make(struct config_maker *m, uint32_t domain)
{
    struct plan_domain *const d = &m->plan->domain[domain];
    const enum plan_sched sched = m->plan->pool[d->pool].sched;
    const uint32_t node = m->domain_node[domain];

    vcpu_nodes_find(m, domain);
    if (d->nr_vcpus > 0u) {
        effect_check(m, node, sched);
    }
    for (uint32_t v = 0; v < d->nr_vcpus; v++) {
        d->rt[v].period_us = PLAN_RT_PERIOD_US;
        d->rt[v].budget_us = PLAN_RT_BUDGET_US;
        if (m->vcpu_node[v] != node) {
            effect_check(m, m->vcpu_node[v], sched);
        }
    }
    if ((d->nr_vcpus > 0u) && ((POLICY(sched) & CREDITS) != 0u)) {
        share_make(m, d, node);
    } else if (sched == PLAN_SCHED_RTDS) {
        rt_make(m, d, node);
    } else {
        /* the others are told nothing, or windows */
    }
}

/* -- What rtds can keep -- */

/* Shares of all vCPUs of a pool's domains so far */
struct load {
    uint64_t sum;
    uint64_t largest;
};

static struct load load_add(const struct load *load, const struct plan_domain *d)
{
    struct load with = *load;

    for (uint32_t v = 0; v < d->nr_vcpus; v++) {
        const uint64_t share = edf_share(d->rt[v].budget_us, d->rt[v].period_us);

        with.sum += share;
        with.largest = bits_max(with.largest, share);
    }
    return with;
}

/* The domain with which it is too much, in the order of the nodes, is the one to blame. */
static void pool_admit(struct config_maker *m, uint32_t id)
{
    const uint32_t nr_cpus = bits_count64(m->plan->pool[id].cpus);
    struct load load = { 0u, 0u };

    for (uint32_t i = 0; (i < m->plan->nr_domains) && (nr_cpus > 0u); i++) {
        struct plan_domain *const d = &m->plan->domain[i];
        const struct load with = load_add(&load, d);
        const uint64_t bound = edf_bound(nr_cpus, with.largest);
        const uint32_t before = m->report->nr_faults;

        if (d->pool != id) {
            /* another's */
        } else if (with.sum <= bound) {
            load = with;
        } else {
            config_fault_say(m->report, m->domain_node[i], BUDGET,
                             "%U thousandths of a CPU with the domains before it, expected at most %U: its "
                             "cpupool admits no more (bulkhead,admission; CPUs: %u)",
                             ((with.sum * MILLE) + (EDF_WHOLE - 1u)) / EDF_WHOLE, (bound * MILLE) / EDF_WHOLE,
                             nr_cpus);
            config_domain_blame(m, d, before);
            config_domain_forget(d);
        }
    }
}

void config_admission_check(struct config_maker *m)
{
    for (uint32_t id = 0; id < m->plan->nr_pools; id++) {
        if (m->plan->pool[id].admission) {
            pool_admit(m, id);
        }
    }
}
