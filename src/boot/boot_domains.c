/* The domains of the plan: prepared in its order, built in the start order, by as many CPUs as there are. */
/* [impl->req~start-order~1] */
#include "boot/boot.h"

#include "base/percpu.h"
#include "build/build.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "mem/heap.h"
#include "mem/ram.h"
#include "sched/work.h"

#define NS_PER_MS 1000000ULL

static uint8_t order[HV_DOMAINS_MAX]; /* indices in domain_table, who is built first comes first */
static struct work builder[HV_DOMAINS_MAX];
static volatile uint32_t nr_taken;
static volatile uint32_t nr_done;

/* By insertion, which keeps ties in node order. */
static void order_make(const struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        uint32_t at = i;

        while ((at > 0u) && (plan->domain[order[at - 1u]].start_order > plan->domain[i].start_order)) {
            order[at] = order[at - 1u];
            at--;
        }
        order[at] = (uint8_t)i;
    }
}

enum hv_status boot_domains_prepare(void)
{
    const struct plan *const plan = &boot_state.plan;
    enum hv_status status = build_setup(plan);

    for (uint32_t i = 0; (i < plan->nr_domains) && (status == HV_OK); i++) {
        struct domain *domain = NULL;

        status = build_prepare(&plan->domain[i], &domain);
    }
    if ((CONFIG_CONTROL != 0) && (status == HV_OK)) {
        status = build_spares_prepare(plan);
    }
    order_make(plan);
    return status;
}

static void say_fact(void *ctx, const char *line)
{
    (void)ctx;
    log_line("report: %s", line);
}

/* Nothing is allocated and no CPU started from here on. */
static void finish(void)
{
    uint32_t running = 0;

    smp_close();
    hal_hypmap_seal();
    heap_seal();
    boot_panic_policy(true);
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domain_table[i]->state == DOMAIN_RUNNING) {
            running++;
        }
    }
    log_line("kept from guests: %U bytes, retained modules: %U bytes",
             ram_bytes(RAM_HEAP) + ram_bytes(RAM_IMAGE) + ram_bytes(RAM_TREE), ram_bytes(RAM_MODULE));
    log_line("boot: %u domains running after %U ms", running, hal_timer_now_ns() / NS_PER_MS);
    if ((CONFIG_REPORT != 0) && boot_state.plan.report) {
        build_report(say_fact, NULL);
    }
}

/* One domain a time, then to whatever CPU has least to do: the CPU of a domain that runs by now is left
 * alone. */
static void build_next(struct work *work)
{
    const uint32_t mine = hal_fetch_add32(&nr_taken, 1u);
    const uint32_t nr_domains = boot_state.plan.nr_domains;

    if (mine < nr_domains) {
        struct domain *const domain = domain_table[order[mine]];
        const uint64_t since_ns = hal_timer_now_ns();

        if (domain->plan->unsound || domain->plan->spare) {
            /* it is listed and no more, or tools make it */
        } else if (build_domain(domain) == HV_OK) {
            log_line("%s: built in %U ms, starts", domain->plan->name,
                     (hal_timer_now_ns() - since_ns) / NS_PER_MS);
            build_start(domain);
        } else {
            /* it has said why */
        }
        if ((hal_fetch_add32(&nr_done, 1u) + 1u) == nr_domains) {
            finish();
            build_check_all_off();
        } else {
            work_queue(work, WORK_ANY_CPU);
        }
    }
}

enum hv_status boot_domains_queue(void)
{
    const uint64_t online = percpu_online();
    const uint32_t most = (uint32_t)bits_min(build_nr_workspaces(), boot_state.plan.nr_domains);
    uint32_t nr_builders = 0;

    if (boot_state.plan.nr_domains == 0u) {
        log_line("the tree has no domain");
        finish();
    }
    for (cpuid_t cpu = 0; (cpu < HV_CPUS_MAX) && (nr_builders < most); cpu++) {
        if ((online & BIT64(cpu)) != 0u) {
            work_setup(&builder[nr_builders], build_next);
            work_queue(&builder[nr_builders], cpu);
            nr_builders++;
        }
    }
    return HV_OK;
}
