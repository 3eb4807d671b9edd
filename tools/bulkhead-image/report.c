#include "tool.h"

#include <inttypes.h>
#include <stdio.h>

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
           console_name(plan->console.kind), (plan->sched == PLAN_SCHED_NULL) ? "null" : "rr");
    regions_print(plan, PLAN_NO_DOMAIN);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        if (d->unsound) {
            printf("  %s: not started, its configuration is unsound\n", d->name);
            continue;
        }
        printf("  %s: vCPUs %" PRIu32 ", %" PRIu64 " KiB, kernel %" PRIu64 " bytes, ramdisk %" PRIu64
               " bytes%s\n",
               d->name, d->nr_vcpus, d->memory_bytes >> 10u, d->kernel.bytes, d->ramdisk.bytes,
               d->vpl011 ? ", vpl011" : "");
        regions_print(plan, i);
    }
}
