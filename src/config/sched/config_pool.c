/* Cpupools: what /chosen and its nodes compatible with xen,cpupool say of them. */
/* [impl->req~boot-cpupools~1] */
#include "config/sched/config_sched.h"

#define OPTION_MAX 32u
#define CPUS       "cpupool-cpus"
#define POLICY     "cpupool-sched"
#define MAJOR      "bulkhead,major-frame-us"
#define ADMISSION  "bulkhead,admission"

/* A pool beside its CPUs */
struct saying {
    bool has_policy;
    struct plan_pool pool;
};

static const char *const policies[] = {
    "null", "credit", "credit2", "rtds", "arinc653", NULL
}; /* as enum plan_sched */

const char *config_sched_name(enum plan_sched sched)
{
    return policies[sched];
}

static bool policy_find(const char *word, struct saying *s)
{
    uint32_t which = 0;

    while ((policies[which] != NULL) && (strcmp(policies[which], word) != 0)) {
        which++;
    }
    s->has_policy = (policies[which] != NULL);
    s->pool.sched = s->has_policy ? (enum plan_sched)which : PLAN_SCHED_NULL;
    return s->has_policy;
}

/* -- What is said -- */

/* The user's choice: /chosen's bulkhead,scheduler, or else sched= of the command line */
static void chosen_policy(struct config_maker *m, struct saying *s)
{
    const char *prop = "bulkhead,scheduler";
    const char *word = NULL;
    char option[OPTION_MAX];

    if (!dt_get_string(m->ix, m->chosen, prop, &word)) {
        prop = "xen,xen-bootargs";
        word = config_option(m, "sched=", option, OPTION_MAX) ? option : NULL;
    }
    if ((word != NULL) && !policy_find(word, s)) {
        config_fault_prop(m->report, m->chosen, prop, CONFIG_SCHEDULERS);
    }
}

static void frame_read(struct config_maker *m, uint32_t node, struct saying *s)
{
    static const struct config_rule major = {
        .name = MAJOR, .expected = "microseconds, 1 to 3600000000", .min = 1u, .max = PLAN_PERIOD_US_MAX
    };
    struct config_target t = { m, node, NULL };
    struct dt_value v = { NULL, 0u };

    if (dt_get(m->ix, node, MAJOR, &v)) {
        (void)config_number(&t, &major, &v, &s->pool.major_us);
    }
    if (dt_get(m->ix, node, ADMISSION, &v)) {
        s->pool.admission = true;
        if (v.bytes != 0u) {
            config_fault(m->report, node, ADMISSION, &v, CONFIG_NO_VALUE);
        }
    }
}

/* What a pool's node does not say is as /chosen says. */
static void pool_read(struct config_maker *m, uint32_t id, const struct saying *chosen)
{
    struct plan_pool *const pool = &m->plan->pool[id];
    const uint32_t node = m->pool_node[id];
    struct saying s = *chosen;
    struct dt_value v = { NULL, 0u };

    if (node != m->chosen) {
        const char *word = "";

        frame_read(m, node, &s);
        if (dt_get(m->ix, node, POLICY, &v) &&
            (!dt_get_string(m->ix, node, POLICY, &word) || !policy_find(word, &s))) {
            config_fault(m->report, node, POLICY, &v, CONFIG_SCHEDULERS);
        }
    }
    s.pool.cpus = pool->cpus;
    *pool = s.pool;
    m->pools_open |= s.has_policy ? 0u : BIT32(id);
}

/* -- Which there are -- */

static uint32_t cpu_of_node(const struct config_maker *m, uint32_t node)
{
    uint32_t cpu = 0;

    while ((cpu < m->plan->nr_cpus) && (m->cpu_node[cpu] != node)) {
        cpu++;
    }
    return cpu;
}

/* The CPUs that a pool's node lists; they are taken from *left. */
static uint64_t cpus_read(struct config_maker *m, uint32_t node, uint64_t *left)
{
    uint64_t cpus = 0;
    struct dt_value v = { NULL, 0u };

    if (!dt_get(m->ix, node, CPUS, &v) || (v.bytes == 0u) || ((v.bytes % 4u) != 0u)) {
        config_fault_prop(m->report, node, CPUS, "phandles of CPUs' nodes, one or more");
        v.bytes = 0u;
    }
    for (uint32_t i = 0; i < (v.bytes / 4u); i++) {
        const uint32_t cpu = cpu_of_node(m, dt_by_phandle(m->ix, dt_cell(&v, i)));

        if (cpu == m->plan->nr_cpus) {
            config_fault_say(m->report, node, CPUS, "%x, expected the phandle of a CPU that this host starts",
                             dt_cell(&v, i));
        } else if ((*left & BIT64(cpu)) == 0u) {
            config_fault_say(m->report, node, CPUS, "CPU %u, expected each CPU once in all cpupools", cpu);
        } else {
            cpus |= BIT64(cpu);
            *left &= ~BIT64(cpu);
        }
    }
    return cpus;
}

static void pool_add(struct config_maker *m, uint32_t node, uint64_t cpus)
{
    m->pool_node[m->plan->nr_pools] = (uint16_t)node;
    m->plan->pool[m->plan->nr_pools].cpus = cpus;
    m->plan->nr_pools++;
}

static void nodes_read(struct config_maker *m, uint64_t *left)
{
    static const struct config_rule rules[] = { CONFIG_RULE(MAJOR, NULL, ""),
                                                CONFIG_RULE(ADMISSION, NULL, "") };

    for (uint32_t n = (m->chosen == DT_NONE) ? DT_NONE : dt_first_child(m->ix, m->chosen); n != DT_NONE;
         n = dt_next_sibling(m->ix, n)) {
        struct config_target t = { m, n, NULL };

        if (!dt_compatible(m->ix, n, CONFIG_POOL) || !dt_enabled(m->ix, n)) {
            /* nothing of ours */
        } else {
            const uint64_t cpus = cpus_read(m, n, left);

            config_rules_apply(&t, rules, ARRAY_LEN(rules));
            if (m->plan->nr_pools < PLAN_POOLS_MAX) {
                pool_add(m, n, cpus);
            } else {
                config_fault_text(m->report, n, "compatible", "one more cpupool", "at most 16");
            }
        }
    }
}

static void pools_swap(struct config_maker *m, uint32_t id)
{
    const struct plan_pool pool = m->plan->pool[0];
    const uint16_t node = m->pool_node[0];

    m->plan->pool[0] = m->plan->pool[id];
    m->pool_node[0] = m->pool_node[id];
    m->plan->pool[id] = pool;
    m->pool_node[id] = node;
}

/* The numbers are Xen's: nodes in their order, then the CPUs that none of them lists; and the pool that has
 * CPU 0 changes places with the first. */
void config_pools_make(struct config_maker *m)
{
    struct plan *const plan = m->plan;
    uint64_t left = (plan->nr_cpus > 0u) ? GENMASK64(plan->nr_cpus - 1u, 0) : 0u;
    struct saying chosen;
    uint32_t first = 0;

    (void)memset(&chosen, 0, sizeof(chosen));
    nodes_read(m, &left);
    if ((left != 0u) && (plan->nr_pools == PLAN_POOLS_MAX)) {
        config_fault_text(m->report, m->pool_node[PLAN_POOLS_MAX - 1u], "compatible", "one more cpupool",
                          "at most 15 if there are CPUs in none of them, which are one, too");
    } else if ((left != 0u) || (plan->nr_pools == 0u)) {
        pool_add(m, m->chosen, left);
    } else {
        /* each CPU is in one */
    }
    for (uint32_t id = 1; id < plan->nr_pools; id++) {
        first = ((plan->pool[id].cpus & 1u) != 0u) ? id : first;
    }
    pools_swap(m, first);
    if (m->chosen != DT_NONE) {
        chosen_policy(m, &chosen);
        frame_read(m, m->chosen, &chosen);
    }
    for (uint32_t id = 0; id < plan->nr_pools; id++) {
        pool_read(m, id, &chosen);
    }
}

void config_take_pool(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    const struct config_maker *const m = t->m;
    const uint32_t node = (v->bytes == 4u) ? dt_by_phandle(m->ix, dt_cell(v, 0)) : DT_NONE;
    uint32_t id = 0;

    while ((id < m->plan->nr_pools) && ((m->pool_node[id] != node) || (node == m->chosen))) {
        id++;
    }
    if (id < m->plan->nr_pools) {
        t->domain->pool = (uint8_t)id;
    } else {
        config_take_refuse(t, rule, v);
        t->domain->unsound = true; /* nothing else is judged by the pool */
    }
}

/* -- What they say against what they are -- */

void config_unknown_to(struct config_maker *m, uint32_t node, const char *prop, enum plan_sched sched,
                       const char *knows)
{
    char text[80];
    struct fmt_buf expected;

    fmt_init(&expected, text, sizeof(text));
    fmt_add(&expected, "none: its cpupool has the scheduler %s, not %s", config_sched_name(sched), knows);
    config_fault_prop(m->report, node, prop, text);
}

/* A property of a pool's own node, or of /chosen, has to mean something to a pool of that policy. */
static void effect_check(struct config_maker *m, const char *prop, enum plan_sched policy)
{
    bool chosen_used = false;

    for (uint32_t id = 0; id < m->plan->nr_pools; id++) {
        const uint32_t node = m->pool_node[id];
        const bool own = (node != m->chosen) && dt_has(m->ix, node, prop);
        const bool knows = (m->plan->pool[id].sched == policy);

        chosen_used = chosen_used || (knows && !own);
        if (own && !knows) {
            config_unknown_to(m, node, prop, m->plan->pool[id].sched, config_sched_name(policy));
        }
    }
    if ((m->chosen != DT_NONE) && dt_has(m->ix, m->chosen, prop) && !chosen_used) {
        config_fault_prop(m->report, m->chosen, prop,
                          "none: no cpupool has a scheduler that would take it from here");
    }
}

void config_pools_settle(struct config_maker *m)
{
    effect_check(m, MAJOR, PLAN_SCHED_ARINC653);
    effect_check(m, ADMISSION, PLAN_SCHED_RTDS);
    for (uint32_t id = 0; id < m->plan->nr_pools; id++) {
        struct plan_pool *const pool = &m->plan->pool[id];
        const uint32_t node = m->pool_node[id];

        if (pool->sched != PLAN_SCHED_ARINC653) {
            pool->major_us = 0u;
        } else if (!dt_has(m->ix, node, MAJOR) && !dt_has(m->ix, m->chosen, MAJOR)) {
            config_fault(m->report, node, MAJOR, NULL, "the frame of the scheduler arinc653 in microseconds");
        } else {
            /* said, or said wrongly */
        }
        pool->admission = pool->admission && (pool->sched == PLAN_SCHED_RTDS);
    }
}
