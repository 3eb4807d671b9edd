/* The suite on the simulated port: two CPUs, time that passes when somebody looks at it. */
#include <stdio.h>
#include <stdlib.h>

#include "fake.h"
#include "hal/context.h"
#include "hal/irq.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal_suite.h"
#include "lib/bits.h"

#define RAM_BASE 0x40000000ULL

static void put(char c)
{
    (void)putchar(c);
}

static void end(uint32_t nr_failed)
{
    (void)fflush(stdout);
    exit((nr_failed == 0u) ? 0 : 1);
}

static void cpu_begin(cpuid_t cpu, void (*entry)(void *arg))
{
    struct percpu *const area = &percpu_area[cpu];

    area->id = cpu;
    hal_cpu_set_local(area);
    hal_cpu_init();
    hal_timer_init_cpu();
    hal_context_init(&area->worker, entry, NULL, area);
    hal_context_set(&area->worker.frame);
    hal_cpu_run();
}

static void copy(uint64_t from, uint64_t to)
{
    uint64_t word = 0u;

    (void)fake_dma(0u, suite_machine.stream, gpa(from), &word, sizeof(word), false);
    (void)fake_dma(0u, suite_machine.stream, gpa(to), &word, sizeof(word), true);
}

static void first(void *arg)
{
    static const uint32_t nr_streams[HAL_IOMMUS_MAX] = { SUITE_STREAMS };

    const struct hal_plan_host *const host = arg;
    void *va = NULL;
    uint64_t used = 0u;

    if ((hal_hypmap_heap(hpa(RAM_BASE), MIB(1), &va, &used) != HV_OK) || (hal_hypmap_hpa(va).v != RAM_BASE)) {
        abort();
    }
    suite_machine.pages = &((uint8_t *)va)[used];
    if ((hal_irq_init(host) != HV_OK) || (hal_timer_init(host) != HV_OK)) {
        abort();
    }
    hal_iommu_init(host, nr_streams);
    cpu_begin(0u, suite_run);
}

_Noreturn void upcall_cpu_boot(cpuid_t cpu)
{
    cpu_begin(cpu, suite_second);
    abort();
}

_Noreturn void upcall_boot(const struct hal_boot *boot)
{
    (void)boot;
    abort();
}

int main(void)
{
    static const struct hal_plan_host host = { .intc_version = 3u, .has_power = true, .nr_iommus = 1u };

    fake_reset();
    fake_ram_setup(RAM_BASE, MIB(64));
    fake_time_step(1000u);
    suite_seen.domain_pages_max = UINT32_MAX;
    suite_machine = (struct suite_machine){ .scratch = hpa(RAM_BASE + MIB(16)),
                                            .host = &host,
                                            .second_hwid = 1u,
                                            .copy = copy,
                                            .stream = 16u,
                                            .put = put,
                                            .end = end };
    fake_cpu_boot(0u, first, (void *)(uintptr_t)&host);
    fake_run();
    (void)printf("HAL-SUITE the CPUs came to rest before the end\n");
    return 1;
}
