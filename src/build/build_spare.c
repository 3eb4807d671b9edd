/* Domains that a control domain makes at run time, in places that are set aside at boot. */
/* [impl->req~spare-domains~1] */
#include "build/builder.h"

#include "lib/string.h"

#define SPARE_NR_SPIS         32u
#define SPARE_GRANT_FRAMES    64u
#define SPARE_MAPTRACK_FRAMES 1024u

static struct plan_domain planned;

const struct plan_domain *build_spare_plan(const struct plan *plan)
{
    planned = (struct plan_domain){ .spare = true,
                                    .nr_vcpus = plan->spares.nr_vcpus,
                                    .pool_bytes = (uint64_t)plan->spares.pool_kib << 10u,
                                    .nr_spis = SPARE_NR_SPIS,
                                    .trap_unmapped = true,
                                    .enhanced = PLAN_ENHANCED_NO_XENSTORE, /* tools bring port and page */
                                    .max_grant_version = 1u,
                                    .max_grant_frames = SPARE_GRANT_FRAMES,
                                    .max_maptrack_frames = SPARE_MAPTRACK_FRAMES,
                                    .bootargs = "" };
    (void)memset(planned.affinity, 0xFF, sizeof(planned.affinity));
    return &planned;
}

enum hv_status build_spares_prepare(const struct plan *plan)
{
    struct domain *domain = NULL;
    enum hv_status status = HV_OK;

    (void)build_spare_plan(plan);
    for (uint32_t i = 0; (i < plan->spares.nr) && (status == HV_OK); i++) {
        planned.domid = (domid_t)(plan->domain[0].domid + plan->nr_domains + i);
        status = build_prepare(&planned, &domain);
    }
    return status;
}
