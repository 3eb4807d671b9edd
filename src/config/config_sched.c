/* Which scheduler, and with `null` which vCPU on which CPU. */
#include "config/config_maker.h"

#define NOBODY     0xFFu
#define OPTION_MAX 32u

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

/* Gives each vCPU a CPU of its own. Answers the first domain for which that is not possible, or
 * nr_domains. */
static uint32_t pin_all(struct plan *plan)
{
    struct match w;
    uint32_t nr_vcpus = 0;
    uint32_t fit = 0; /* domains */
    bool fits = true;

    w.nr_cpus = plan->nr_cpus;
    (void)memset(w.owner, (int)NOBODY, sizeof(w.owner));
    while ((fit < plan->nr_domains) && fits) {
        for (uint32_t v = 0; (v < plan->domain[fit].nr_vcpus) && fits; v++) {
            fits = nr_vcpus < plan->nr_cpus;
            if (fits) {
                w.allowed[nr_vcpus] = plan->domain[fit].affinity[v];
                w.cpu_of[nr_vcpus] = NOBODY;
                fits = match_add(&w, nr_vcpus);
                nr_vcpus++;
            }
        }
        fit += fits ? 1u : 0u;
    }
    nr_vcpus = 0;
    for (uint32_t d = 0; (d < plan->nr_domains) && fits; d++) {
        for (uint32_t v = 0; v < plan->domain[d].nr_vcpus; v++) {
            plan->domain[d].pinned[v] = w.cpu_of[nr_vcpus];
            nr_vcpus++;
        }
    }
    return fit;
}

/* The user's choice: /chosen/bulkhead,scheduler, or else sched= of the command line. *prop names where it
 * stands. */
static bool sched_named(struct config_maker *m, char *out, const char **prop)
{
    const char *word = NULL;
    bool named = false;

    *prop = "bulkhead,scheduler";
    if (dt_get_string(m->ix, m->chosen, *prop, &word)) {
        struct fmt_buf text;

        fmt_init(&text, out, OPTION_MAX);
        fmt_str(&text, word);
        named = true;
    } else {
        *prop = "xen,xen-bootargs";
        named = config_option(m, "sched=", out, OPTION_MAX);
    }
    return named;
}

/* A domain whose vCPUs find no CPU is the one to blame, in the order of the nodes. Each turn takes one
 * out. */
static void pin_rest(struct config_maker *m, uint32_t first)
{
    struct plan *const plan = m->plan;

    for (uint32_t i = first; i < plan->nr_domains; i = pin_all(plan)) {
        const uint32_t before = m->report->nr_faults;

        config_fault_prop(m->report, m->domain_node[i], "cpus", "a CPU for each vCPU, or the scheduler rr");
        config_domain_blame(m, &plan->domain[i], before);
        config_domain_forget(&plan->domain[i]);
    }
}

void config_sched_make(struct config_maker *m)
{
    char word[OPTION_MAX];
    const char *prop = NULL;
    const bool named = sched_named(m, word, &prop);
    const uint32_t fit = pin_all(m->plan);

    if (!named) {
        const bool fits = (fit == m->plan->nr_domains) && (m->plan->spares.nr == 0u);

        m->plan->sched = fits ? PLAN_SCHED_NULL : PLAN_SCHED_RR;
    } else if (strcmp(word, "rr") == 0) {
        m->plan->sched = PLAN_SCHED_RR;
    } else if (strcmp(word, "null") == 0) {
        m->plan->sched = PLAN_SCHED_NULL;
        pin_rest(m, fit);
    } else {
        config_fault_prop(m->report, m->chosen, prop, "the scheduler null or rr");
    }
}
