#include "tool.h"

#include <inttypes.h>
#include <stdio.h>

#include "partition/facts.h"

static const char *console_name(enum plan_console_kind kind)
{
    static const char *const name[] = { "none", "PL011", "16550", "Cadence", "CMSDK" };

    return name[kind];
}

/* What a CPU's protection regions go to, where these are counted */
static void regions_print(const struct plan *plan, uint32_t domain)
{
    struct hal_plan_region list[HAL_PLAN_REGIONS_MAX];

    if (hal_plan_identity(&plan->host)) {
        const uint32_t nr = hal_plan_regions(plan, domain, list);

        printf("    regions %" PRIu32 " of %" PRIu32 ":", nr, hal_plan_regions_max(plan));
        for (uint32_t i = 0; i < nr; i++) {
            printf("%s %s", (i == 0u) ? "" : ",", list[i].what);
            if (list[i].last != 0u) {
                printf(" 0x%" PRIx64 "-0x%" PRIx64, list[i].base, list[i].last);
            }
        }
        printf("\n");
    }
}

/* The frame of one CPU: who has it when */
static void frame_print(const struct plan *plan, uint32_t cpu)
{
    bool first = true;

    for (uint32_t i = 0; i < plan->nr_minors; i++) {
        const struct plan_minor *const w = &plan->minor[i];

        if (w->cpu == cpu) {
            if (first) {
                printf("    CPU %" PRIu32 ":", cpu);
            }
            printf("%s %" PRIu32 " to %" PRIu32 " %s/%u", first ? "" : ",", w->at_us, w->at_us + w->us,
                   plan->domain[w->domain].name, w->vcpu);
            first = false;
        }
    }
    if (!first) {
        printf("\n");
    }
}

/* One pool with nothing to say of is in the host's line. */
static void pools_print(const struct plan *plan)
{
    char set[256];

    for (uint32_t id = 0; id < plan->nr_pools; id++) {
        const struct plan_pool *const p = &plan->pool[id];

        if ((plan->nr_pools > 1u) || (p->major_us > 0u) || p->admission) {
            printf("  pool %" PRIu32 ": CPUs %s, scheduler %s", id, set_name(p->cpus, set, sizeof(set)),
                   config_sched_name(p->sched));
            if (p->major_us > 0u) {
                printf(", frame %" PRIu32 " us", p->major_us);
            }
            printf("%s\n", p->admission ? ", admission" : "");
        }
        for (uint32_t cpu = 0; (cpu < HV_CPUS_MAX) && (p->sched == PLAN_SCHED_ARINC653); cpu++) {
            if (((p->cpus >> cpu) & 1u) != 0u) {
                frame_print(plan, cpu);
            }
        }
    }
}

/* What the domain has of its pool */
static void share_print(const struct plan *plan, const struct plan_domain *d)
{
    const enum plan_sched sched = plan->pool[d->pool].sched;

    if (plan->nr_pools > 1u) {
        printf(", pool %u", d->pool);
    }
    if ((sched == PLAN_SCHED_CREDIT) || (sched == PLAN_SCHED_CREDIT2)) {
        printf(", weight %u", d->weight);
        if (d->cap > 0u) {
            printf(", cap %u %%", d->cap);
        }
    }
    printf("\n");
    for (uint32_t v = 0; (v < d->nr_vcpus) && (sched == PLAN_SCHED_RTDS); v++) {
        printf("    vCPU %" PRIu32 ": %" PRIu32 " of %" PRIu32 " us%s\n", v, d->rt[v].budget_us,
               d->rt[v].period_us, d->rt_extra ? ", and what nobody needs" : "");
    }
}

void plan_print(const struct options *options, const struct plan *plan)
{
    uint64_t ram = 0;
    bool whole = true;

    for (uint32_t i = 0; i < plan->nr_ram; i++) {
        ram += plan->ram[i].bytes;
    }
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        whole = whole && !plan->domain[i].unsound;
    }
    printf("%s on %s: good%s\n", options->system, options->board, whole ? "" : " in part");
    printf("  host: %" PRIu64 " MiB, CPUs %" PRIu32 ", console %s, scheduler %s\n", ram >> 20u, plan->nr_cpus,
           console_name(plan->console.kind), config_sched_name(plan->pool[0].sched));
    pools_print(plan);
    regions_print(plan, PLAN_NO_DOMAIN);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        if (d->unsound) {
            printf("  %s: not started, its configuration is unsound\n", d->name);
            continue;
        }
        printf("  %s: vCPUs %" PRIu32 ", %" PRIu64 " KiB, kernel %" PRIu64 " bytes, ramdisk %" PRIu64
               " bytes%s",
               d->name, d->nr_vcpus, d->memory_bytes >> 10u, d->kernel.bytes, d->ramdisk.bytes,
               d->vpl011 ? ", vpl011" : "");
        share_print(plan, d);
        regions_print(plan, i);
    }
}
