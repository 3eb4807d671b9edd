/* The other CPUs. */
/* [impl->req~host-smp~1] */
#include "boot/boot.h"

#include "base/percpu.h"
#include "hal/irq.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/string.h"
#include "mem/heap.h"
#include "sched/sched.h"

#define SMP_GUARD_PAGES        1u
#define SMP_CPU_STACK_PAGES    4u
#define SMP_WORKER_STACK_PAGES 4u
#define SMP_IDLE_STACK_PAGES   1u
#define SMP_START_NS           1000000000ULL /* firmware starts a CPU within milliseconds */

static void *cpu_stack[HV_CPUS_MAX];
static volatile uint32_t smp_closed;

enum hv_status smp_name_cpus(void)
{
    const struct plan *const plan = &boot_state.plan;
    cpuid_t self = 0;
    bool found = false;

    for (uint32_t i = 0; i < plan->nr_cpus; i++) {
        percpu_area[i].id = i;
        percpu_area[i].hwid = plan->cpu_hwid[i];
        if (plan->cpu_hwid[i] == boot_state.port.cpu_hwid) {
            self = i;
            found = true;
        }
    }
    boot_state.cpu = self;
    if (self != 0u) {
        (void)memset(&percpu_area[0].hal, 0, sizeof(percpu_area[0].hal));
        hal_cpu_set_local(&percpu_area[self]);
        hal_cpu_init();
    }
    percpu_area[self].online = 1u;
    if (!found) {
        log_line("/cpus: reg: found no CPU %X, expected the one that the hypervisor was booted on",
                 boot_state.port.cpu_hwid);
    }
    return found ? HV_OK : HV_INVALID;
}

uint64_t smp_heap_bytes(const struct plan *plan)
{
    const uint64_t pages =
        (3u * SMP_GUARD_PAGES) + SMP_CPU_STACK_PAGES + SMP_WORKER_STACK_PAGES + SMP_IDLE_STACK_PAGES;

    return (plan->nr_cpus * pages) << PAGE_SHIFT;
}

/* A stack above a page that faults. NULL if there is no memory. */
static void *stack_make(cpuid_t cpu, uint32_t pages)
{
    uint8_t *const base = heap_alloc(SMP_GUARD_PAGES + pages);
    uint8_t *top = NULL;

    if ((base != NULL) && (hal_hypmap_guard(base, cpu) == HV_OK)) {
        top = &base[(SMP_GUARD_PAGES + pages) << PAGE_SHIFT];
    }
    return top;
}

enum hv_status smp_prepare(void)
{
    enum hv_status status = HV_OK;

    for (cpuid_t cpu = 0; (cpu < boot_state.plan.nr_cpus) && (status == HV_OK); cpu++) {
        void *const worker = stack_make(cpu, SMP_WORKER_STACK_PAGES);
        void *const idle = stack_make(cpu, SMP_IDLE_STACK_PAGES);

        if (cpu != boot_state.cpu) {
            cpu_stack[cpu] = stack_make(cpu, SMP_CPU_STACK_PAGES);
        }
        if ((worker == NULL) || (idle == NULL) || ((cpu != boot_state.cpu) && (cpu_stack[cpu] == NULL))) {
            status = HV_NO_MEMORY;
        } else {
            sched_init_cpu(cpu, worker, idle);
        }
    }
    return status;
}

/* They come at their own pace; the wait ends when for a while none did. */
static void wait_online(uint32_t expected)
{
    uint32_t online = percpu_count_online();
    uint64_t end_ns = hal_timer_now_ns() + SMP_START_NS;

    while ((online < expected) && (hal_timer_now_ns() < end_ns)) {
        const uint32_t now = percpu_count_online();

        if (now > online) {
            end_ns = hal_timer_now_ns() + SMP_START_NS;
        }
        online = now;
        hal_cpu_relax();
    }
}

enum hv_status smp_start(void)
{
    const struct plan *const plan = &boot_state.plan;
    uint32_t expected = 1;

    for (cpuid_t cpu = 0; cpu < plan->nr_cpus; cpu++) {
        if (cpu != boot_state.cpu) {
            if (hal_cpu_start(cpu, plan->cpu_hwid[cpu], cpu_stack[cpu]) == HV_OK) {
                expected++;
            } else {
                log_line("CPU %u (%X): the firmware refuses to start it", cpu, plan->cpu_hwid[cpu]);
            }
        }
    }
    wait_online(expected);
    if (percpu_count_online() < plan->nr_cpus) {
        log_line("%u of %u CPUs are online", percpu_count_online(), plan->nr_cpus);
    }
    return HV_OK;
}

void smp_close(void)
{
    hal_store_release32(&smp_closed, 1u);
}

_Noreturn void upcall_cpu_boot(cpuid_t cpu)
{
    struct percpu *const area = &percpu_area[cpu];

    hal_cpu_set_local(area);
    hal_cpu_init();
    if ((hal_load_acquire32(&smp_closed) != 0u) || (hal_irq_init_cpu() != HV_OK)) {
        hal_cpu_park();
    }
    hal_timer_init_cpu();
    sched_start_cpu();
}
