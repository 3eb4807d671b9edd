/* IOMMUs: what devices reach by DMA. Each transaction belongs to a stream; a stream is attached to a guest's
 * map or refused. IOMMUs are numbered as hal_plan_iommu() numbers them. */
#ifndef HAL_IOMMU_H
#define HAL_IOMMU_H

#include "hal/guestmap.h"
#include "hal/plan.h"

#define HAL_IOMMU_BURST 32u
#define HAL_IOMMU_LINES 2u

/* A transaction that was refused. */
struct hal_iommu_fault {
    uint32_t iommu;
    uint32_t stream;
    uint32_t cause;   /* the port's code */
    gpa_t at;         /* 0 if the stream leads nowhere */
    const char *what; /* constant text */
};

/* All IOMMUs refuse everything from the return on. nr_streams[i]: the ids of IOMMU i that will ever be
 * attached are below; 0: none, it stays as it is then. One that cannot be used is told in the log, and
 * nothing is attached there. Boot CPU; after the heap and the interrupt controller. */
void hal_iommu_init(const struct hal_plan_host *host, const uint32_t *nr_streams);

/* Memory for attaching these later. Boot. HV_NO_MEMORY, HV_NOT_SUPPORTED. */
HV_MUST_CHECK enum hv_status hal_iommu_reserve(uint32_t iommu, uint32_t first, uint32_t nr);

/* Streams first .. first + nr - 1, reserved, of no map, see what the map's guest sees, write and execute
 * permissions included. Several maps' streams may share an IOMMU. HV_NOT_SUPPORTED: this IOMMU cannot;
 * HV_BUSY: it does not answer, nothing is attached. The caller serialises attach, detach and changes of one
 * map. */
HV_MUST_CHECK enum hv_status hal_iommu_attach(uint32_t iommu, uint32_t first, uint32_t nr,
                                              struct hal_guestmap *map);

/* They are refused again, silently: who owned them may be gone. On return no transaction of theirs is under
 * way and nothing of the map is cached for them. Also if they were not attached. HV_BUSY: the IOMMU does not
 * confirm it; then the map and what it leads to must stay as they are for ever. */
HV_MUST_CHECK enum hv_status hal_iommu_detach(uint32_t iommu, uint32_t first, uint32_t nr,
                                              struct hal_guestmap *map);

/* The interrupts of an IOMMU; how many. 0: it is to be asked from time to time. */
uint32_t hal_iommu_lines(uint32_t iommu, struct hal_plan_line line[HAL_IOMMU_LINES]);

/* Calls upcall_iommu_fault() for what was refused since, HAL_IOMMU_BURST at most. True: there is more, and no
 * interrupt will tell. One CPU at a time for each IOMMU; interrupts masked. */
bool hal_iommu_service(uint32_t iommu);

/* The next run of streams that lead to one map, from *stream on, as the IOMMU sees it: *stream, *nr and
 * *map_id are set. False: none. Bounded by the ids that are reserved. For reports, beside anything. */
bool hal_iommu_walk(uint32_t iommu, uint32_t *stream, uint32_t *nr, uint16_t *map_id);

#endif
