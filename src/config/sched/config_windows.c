/* The major frames of arinc653: which vCPU has which CPU when. */
/* [impl->req~arinc-windows~1] */
#include "config/sched/config_sched.h"

#define MINORS_A_CPU 64u /* what Xen's call has room for */
#define CELLS        2u  /* of a window */

static uint32_t end_of(const struct plan_minor *w)
{
    return w->at_us + w->us;
}

static void overlap_fault(struct config_maker *m, uint32_t node, const struct plan_minor *w,
                          const struct plan_minor *other)
{
    struct plan_domain *const d = &m->plan->domain[other->domain];

    config_fault_say(m->report, node, CONFIG_WINDOWS,
                     "%u to %u us on CPU %u, expected a time that vCPU %u of %s does not have, %u to %u us",
                     w->at_us, end_of(w), (uint32_t)w->cpu, (uint32_t)other->vcpu, d->name, other->at_us,
                     end_of(other));
    d->unsound = true; /* nobody knows whose it is */
}

/* Into its place by CPU and time, if there is nothing else there. */
static void window_add(struct config_maker *m, uint32_t node, const struct plan_minor *w)
{
    struct plan *const plan = m->plan;
    const struct plan_minor *clash = NULL;
    uint32_t place = 0;
    uint32_t beside = 0; /* of this CPU */

    for (uint32_t i = 0; i < plan->nr_minors; i++) {
        const struct plan_minor *const other = &plan->minor[i];

        if (other->cpu < w->cpu) {
            place = i + 1u;
        } else if (other->cpu == w->cpu) {
            const bool before = end_of(other) <= w->at_us;

            beside++;
            place = before ? (i + 1u) : place;
            clash = (!before && (other->at_us < end_of(w)) && (clash == NULL)) ? other : clash;
        } else {
            /* behind */
        }
    }
    if (clash != NULL) {
        overlap_fault(m, node, w, clash);
    } else if ((plan->nr_minors == PLAN_MINORS_MAX) || (beside == MINORS_A_CPU)) {
        config_fault_text(m->report, node, CONFIG_WINDOWS, "one more", "at most 64 of a CPU, 128 in all");
    } else {
        (void)memmove(&plan->minor[place + 1u], &plan->minor[place],
                      (plan->nr_minors - place) * sizeof(plan->minor[0]));
        plan->minor[place] = *w;
        plan->nr_minors++;
    }
}

static void windows_read(struct config_maker *m, uint32_t node, const struct dt_value *v,
                         const struct plan_minor *whose)
{
    const uint32_t major_us = m->plan->pool[m->plan->domain[whose->domain].pool].major_us;
    const uint32_t nr_cells = v->bytes / 4u;

    if ((v->bytes == 0u) || ((v->bytes % (CELLS * 4u)) != 0u)) {
        config_fault(m->report, node, CONFIG_WINDOWS, v, "pairs of begin and length in microseconds");
    } else if (major_us != 0u) {
        for (uint32_t i = 0; i < nr_cells; i += CELLS) {
            struct plan_minor w = *whose;

            w.at_us = dt_cell(v, i);
            w.us = dt_cell(v, i + 1u);
            if ((w.us == 0u) || (w.at_us >= major_us) || (w.us > (major_us - w.at_us))) {
                config_fault_say(
                    m->report, node, CONFIG_WINDOWS,
                    "<%u %u>, expected a length above 0 and an end within the major frame, %u us", w.at_us,
                    w.us, major_us);
            } else {
                window_add(m, node, &w);
            }
        }
    } else {
        /* there is no frame; that is told */
    }
}

/* The only CPU of a set; HV_CPUS_MAX if it has none or several */
static uint32_t only_one(uint64_t set)
{
    const bool one = (set != 0u) && ((set & (set - 1u)) == 0u);

    return one ? (uint32_t)__builtin_ctzll(set) : HV_CPUS_MAX;
}

static void vcpu_make(struct config_maker *m, uint32_t domain, uint32_t vcpu)
{
    struct plan_domain *const d = &m->plan->domain[domain];
    const uint32_t own = m->vcpu_node[vcpu];
    const uint32_t node = m->domain_node[domain];
    const uint64_t set = d->affinity[vcpu] & m->plan->pool[d->pool].cpus;
    const uint32_t cpu = only_one(set);
    const struct plan_minor whose = { (uint8_t)domain, (uint8_t)vcpu, (uint8_t)cpu, 0u, 0u };
    struct dt_value v = { NULL, 0u };
    struct dt_value of_domain = { NULL, 0u };
    const bool there = dt_get(m->ix, own, CONFIG_WINDOWS, &v) && ((own != node) || (vcpu == 0u));
    const bool twice = (own != node) && (vcpu == 0u) && dt_get(m->ix, node, CONFIG_WINDOWS, &of_domain);

    if (there && twice) {
        config_fault(m->report, node, CONFIG_WINDOWS, &of_domain, "those of vCPU 0 here or in its own node");
    } else if (!there && !twice && d->spare) {
        /* the control domain gives them */
    } else if (!there && !twice) {
        config_fault_say(m->report, own, CONFIG_WINDOWS,
                         "nothing for vCPU %u, expected when it runs: its cpupool has the scheduler arinc653",
                         vcpu);
    } else if (cpu == HV_CPUS_MAX) {
        config_fault_say(m->report, own, CONFIG_AFFINITY,
                         "several CPUs of its cpupool for vCPU %u, expected the one that its windows are on",
                         vcpu);
    } else {
        d->affinity[vcpu] = set;
        windows_read(m, twice ? node : own, twice ? &of_domain : &v, &whose);
    }
}

void config_windows_make(struct config_maker *m, uint32_t domain)
{
    const struct plan_domain *const d = &m->plan->domain[domain];

    for (uint32_t v = 0; (v < d->nr_vcpus) && (m->plan->pool[d->pool].sched == PLAN_SCHED_ARINC653); v++) {
        vcpu_make(m, domain, v);
    }
}
