/* IOMMUs as a list of runs that lead to maps; a test plays the devices with fake_dma(). */
#include "fake_private.h"
#include "hal/upcall.h"

#define RUNS_MAX   256u
#define FAULTS_MAX 128u
#define CAUSE      0x10u

struct run {
    uint32_t iommu;
    uint32_t first;
    uint32_t nr;
    struct hal_guestmap *map; /* NULL: reserved only */
};

static struct run runs[RUNS_MAX];
static uint32_t nr_runs;
static struct hal_iommu_fault faults[FAULTS_MAX];
static uint32_t nr_faults;
static uint32_t limit[HAL_IOMMUS_MAX];
static bool broken;

void fake_iommu_reset(void)
{
    nr_runs = 0u;
    nr_faults = 0u;
    broken = false;
    for (uint32_t i = 0u; i < HAL_IOMMUS_MAX; i++) {
        limit[i] = 0u;
    }
}

void fake_iommu_break(bool is_broken)
{
    broken = is_broken;
}

/* The run that a stream is in: of those that lead to a map, or of those that are reserved. */
static struct run *run_of(uint32_t iommu, uint32_t stream, bool attached)
{
    struct run *found = NULL;

    for (uint32_t i = 0u; i < nr_runs; i++) {
        if ((runs[i].iommu == iommu) && (stream >= runs[i].first) &&
            ((stream - runs[i].first) < runs[i].nr) && ((runs[i].map != NULL) == attached)) {
            found = &runs[i];
        }
    }
    return found;
}

static enum hv_status add(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    if (nr_runs == RUNS_MAX) {
        return HV_NO_MEMORY;
    }
    runs[nr_runs] = (struct run){ iommu, first, nr, map };
    nr_runs++;
    return HV_OK;
}

void hal_iommu_init(const struct hal_plan_host *host, const uint32_t *nr_streams)
{
    for (uint32_t i = 0u; i < host->nr_iommus; i++) {
        limit[i] = nr_streams[i];
    }
}

enum hv_status hal_iommu_reserve(uint32_t iommu, uint32_t first, uint32_t nr)
{
    if ((iommu >= HAL_IOMMUS_MAX) || (nr > limit[iommu]) || (first > (limit[iommu] - nr))) {
        return HV_NOT_SUPPORTED;
    }
    return add(iommu, first, nr, NULL);
}

enum hv_status hal_iommu_attach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    for (uint32_t s = first; s < (first + nr); s++) {
        if (run_of(iommu, s, false) == NULL) {
            return HV_NOT_SUPPORTED;
        }
        if ((run_of(iommu, s, true) != NULL) && (run_of(iommu, s, true)->map != map)) {
            fake_die("stream %u is another map's", s);
        }
    }
    return broken ? HV_BUSY : add(iommu, first, nr, map);
}

enum hv_status hal_iommu_detach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    uint32_t kept = 0u;

    for (uint32_t i = 0u; i < nr_runs; i++) {
        if ((runs[i].map != map) || (runs[i].iommu != iommu) || (runs[i].first < first) ||
            ((runs[i].first - first) >= nr)) {
            runs[kept] = runs[i];
            kept++;
        }
    }
    nr_runs = kept;
    return broken ? HV_BUSY : HV_OK;
}

bool fake_iommu_leads_to(const struct hal_guestmap *map)
{
    bool found = false;

    for (uint32_t i = 0u; i < nr_runs; i++) {
        found = found || (runs[i].map == map);
    }
    return found;
}

uint32_t hal_iommu_lines(uint32_t iommu, struct hal_plan_line line[HAL_IOMMU_LINES])
{
    line[0].irq = FAKE_IOMMU_IRQ + iommu;
    line[0].edge = true;
    return 1u;
}

bool hal_iommu_service(uint32_t iommu)
{
    uint32_t told = 0u;
    uint32_t kept = 0u;

    for (uint32_t i = 0u; i < nr_faults; i++) {
        if ((faults[i].iommu == iommu) && (told < HAL_IOMMU_BURST)) {
            upcall_iommu_fault(&faults[i]);
            told++;
        } else {
            faults[kept] = faults[i];
            kept++;
        }
    }
    nr_faults = kept;
    return kept > 0u;
}

bool hal_iommu_walk(uint32_t iommu, uint32_t *stream, uint32_t *nr, uint16_t *map_id)
{
    const uint32_t end = (iommu < HAL_IOMMUS_MAX) ? limit[iommu] : 0u;
    const struct run *r = NULL;
    uint32_t next;

    for (; (*stream < end) && (r == NULL); (*stream)++) {
        r = run_of(iommu, *stream, true);
    }
    if (r != NULL) {
        (*stream)--;
        for (next = *stream; (next < end) && (run_of(iommu, next, true) != NULL) &&
                             (run_of(iommu, next, true)->map == r->map);
             next++) {
        }
        *nr = next - *stream;
        *map_id = r->map->id;
    }
    return r != NULL;
}

/* -- Devices -- */

bool fake_dma(uint32_t iommu, uint32_t stream, gpa_t at, void *bytes, uint64_t nr, bool write)
{
    const struct run *const r = run_of(iommu, stream, true);
    const struct hal_guestmap *const map = (r != NULL) ? r->map : NULL;
    bool good = map != NULL;

    if (good) {
        good = write ? fake_guest_write(map, at, bytes, nr) : fake_guest_read(map, at, bytes, nr);
    }
    /* of a stream that is cut off nothing is told */
    if (!good && ((r != NULL) || (run_of(iommu, stream, false) == NULL)) && (nr_faults < FAULTS_MAX)) {
        faults[nr_faults] = (struct hal_iommu_fault){ iommu, stream, CAUSE, at, "nothing there" };
        nr_faults++;
        if (nr_faults == 1u) {
            fake_irq_raise(FAKE_IOMMU_IRQ + iommu);
        }
    }
    return good;
}
