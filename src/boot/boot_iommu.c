/* The host's IOMMUs: started with what the plan's streams need, then asked for what they refused. */
/* [impl->req~dma-apart~1] [impl->req~dma-fault-log~1] */
#include "boot/boot.h"

#include "build/build.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "irq/irq.h"
#include "sched/report.h"

/* Faults of devices are only told, so they can wait: what a storm of them costs is bounded by so many looks a
 * second, HAL_IOMMU_BURST faults each. Until a look is over no further interrupt comes. */
#define IOMMU_LOOK_NS 10000000ULL
#define IOMMU_POLL_NS 100000000ULL /* of one that has no interrupt */

struct iommu_watch {
    struct timer timer; /* first */
    uint32_t iommu;
    bool polled;
};

static struct iommu_watch watches[HAL_IOMMUS_MAX];
static uint32_t nr_unowned; /* faults of streams that no domain has */

/* One past the highest stream of each IOMMU that the plan gives to a domain. */
static void streams_count(const struct plan *plan, uint32_t *nr_streams)
{
    for (uint32_t i = 0; i < HAL_IOMMUS_MAX; i++) {
        nr_streams[i] = 0;
    }
    for (uint32_t i = 0; i < plan_streams(plan); i++) {
        const struct plan_stream *const s = &plan->stream[i];

        nr_streams[s->iommu] = (uint32_t)bits_max(nr_streams[s->iommu], (uint64_t)s->first + s->nr);
    }
}

uint64_t boot_iommu_heap_bytes(const struct plan *plan)
{
    uint32_t nr_streams[HAL_IOMMUS_MAX];

    streams_count(plan, nr_streams);
    return hal_plan_iommu_bytes(&plan->host, nr_streams, plan_streams(plan));
}

static void watch_look(struct timer *timer)
{
    const struct iommu_watch *const w = (const struct iommu_watch *)(const void *)timer;
    const bool more = hal_iommu_service(w->iommu);

    if (more || w->polled) {
        timer_arm(timer, hal_timer_now_ns() + (more ? IOMMU_LOOK_NS : IOMMU_POLL_NS));
    }
}

static void watch_interrupt(void *ctx)
{
    struct iommu_watch *const w = ctx;

    if (w->timer.cpu == TIMER_UNARMED) {
        timer_arm(&w->timer, hal_timer_now_ns() + IOMMU_LOOK_NS);
    }
}

static void watch_begin(uint32_t iommu)
{
    struct iommu_watch *const w = &watches[iommu];
    struct hal_plan_line line[HAL_IOMMU_LINES] = { { 0u, false }, { 0u, false } };
    const uint32_t nr_lines = hal_iommu_lines(iommu, line);

    w->iommu = iommu;
    w->polled = (nr_lines == 0u);
    timer_setup(&w->timer, watch_look);
    for (uint32_t i = 0; i < nr_lines; i++) {
        w->polled = (irq_register(line[i].irq, line[i].edge, watch_interrupt, w) != HV_OK) || w->polled;
    }
    if (w->polled) {
        timer_arm(&w->timer, hal_timer_now_ns() + IOMMU_POLL_NS);
    }
}

/* An IOMMU that cannot be used costs the domains that need it, no more: attaching fails then. */
enum hv_status boot_iommu_start(void)
{
    const struct plan *const plan = &boot_state.plan;
    uint32_t nr_streams[HAL_IOMMUS_MAX];
    enum hv_status status = HV_OK;

    streams_count(plan, nr_streams);
    hal_iommu_init(&plan->host, nr_streams);
    for (uint32_t i = 0; (i < plan_streams(plan)) && (status != HV_NO_MEMORY); i++) {
        status = hal_iommu_reserve(plan->stream[i].iommu, plan->stream[i].first, plan->stream[i].nr);
    }
    for (uint32_t i = 0; i < HAL_IOMMUS_MAX; i++) {
        if (nr_streams[i] > 0u) {
            watch_begin(i);
        }
    }
    return (status == HV_NO_MEMORY) ? status : HV_OK;
}

static struct domain *owner_of(const struct hal_iommu_fault *fault)
{
    const struct plan *const plan = &boot_state.plan;
    struct domain *owner = NULL;

    for (uint32_t i = 0; (i < plan_streams(plan)) && (owner == NULL); i++) {
        const struct plan_stream *const s = &plan->stream[i];

        if ((s->iommu == fault->iommu) && ((fault->stream - s->first) < s->nr)) {
            owner = build_owner_of(s->domain);
        }
    }
    return owner;
}

/* By the page: one transfer may be refused word by word. */
void upcall_iommu_fault(const struct hal_iommu_fault *fault)
{
    struct domain *const owner = owner_of(fault);

    if (owner != NULL) {
        const struct domain_fault note = { .cause = fault->cause,
                                           .address = bits_align_down(fault->at.v, PAGE_BYTES),
                                           .virtual = fault->stream,
                                           .what = fault->what,
                                           .vcpu = DOMAIN_FAULT_DMA,
                                           .tell = true };

        report_fault(owner, &note);
    } else {
        nr_unowned++;
        if ((nr_unowned & (nr_unowned - 1u)) == 0u) {
            log_line("DMA of stream %X, which is no domain's, refused at %X: %u such so far", fault->stream,
                     fault->at.v, nr_unowned);
        }
    }
}
