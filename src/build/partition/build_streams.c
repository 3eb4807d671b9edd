/* What a domain's devices reach by DMA: its memory as its CPUs see it, from the moment when all of it is
 * built until it is taken down. */
/* [impl->req~dma-apart~1] [impl->req~dma-restart~1] */
#include "build/builder.h"

#include "hal/iommu.h"

enum hv_status build_streams(struct domain *domain)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < build_plan()->nr_streams) && (status == HV_OK); i++) {
        const struct plan_stream *const s = &build_plan()->stream[i];

        if (build_is_its(domain, s->domain)) {
            const uint64_t flags = spin_lock(&domain->lock);

            status = hal_iommu_attach(s->iommu, s->first, s->nr, &domain->hal.map);
            spin_unlock(&domain->lock, flags);
            if (status != HV_OK) {
                log_line("%s: %s: its DMA cannot be held, the IOMMU does not serve stream %X",
                         domain->plan->name, (s->path != NULL) ? s->path : "device", s->first);
            }
        }
    }
    return status;
}

/* A device may be in the middle of a transfer: after this it reaches nothing. If nobody can be sure of that,
 * nothing of the domain may become anybody's again. */
void build_streams_undo(struct domain *domain)
{
    for (uint32_t i = 0; i < plan_streams(build_plan()); i++) {
        const struct plan_stream *const s = &build_plan()->stream[i];

        if (build_is_its(domain, s->domain) && build_slot_of(domain)->has_map) {
            const uint64_t flags = spin_lock(&domain->lock);
            const enum hv_status status = hal_iommu_detach(s->iommu, s->first, s->nr, &domain->hal.map);

            spin_unlock(&domain->lock, flags);
            if (status != HV_OK) {
                build_slot_of(domain)->stuck = true;
                log_line("%s: its devices cannot be cut off, its memory is not used again",
                         domain->plan->name);
            }
        }
    }
}
