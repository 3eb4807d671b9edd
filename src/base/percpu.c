#include "base/percpu.h"

#include "base/panic.h"
#include "hal/irq.h"
#include "hal/sync.h"
#include "hal/upcall.h"

struct percpu percpu_area[HV_CPUS_MAX];

uint64_t percpu_online(void)
{
    uint64_t set = 0;

    for (uint32_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        if (hal_load_acquire32(&percpu_area[cpu].online) != 0u) {
            set |= BIT64(cpu);
        }
    }
    return set;
}

uint32_t percpu_count_online(void)
{
    const uint64_t set = percpu_online();

    return bits_count32((uint32_t)set) + bits_count32((uint32_t)(set >> 32u));
}

void percpu_ipi_send(cpuid_t cpu, uint64_t bits)
{
    /* Whoever set the first bit interrupts; the handler takes all bits at once, so later ones need nothing
     * more. */
    if (hal_fetch_or64(&percpu_area[cpu].ipi_work, bits) == 0u) {
        hal_irq_ipi(cpu);
    }
}

static __attribute__((noinline)) void ipi_work(void)
{
    const uint64_t work = hal_exchange64(&hal_cpu_local()->ipi_work, 0u);

    if ((work & PERCPU_IPI_PARK) != 0u) {
        hal_cpu_park();
    }
    if ((work & PERCPU_IPI_PANIC) != 0u) {
        panic("asked for by the operator");
    }
    if ((work & PERCPU_IPI_RESCHED) != 0u) {
        hal_context_request_exit_work();
    }
}

/* Most are the port's own messages; who sets a bit after this look interrupts once more. */
void upcall_ipi(void)
{
    if (hal_cpu_local()->ipi_work != 0u) {
        ipi_work();
    }
}
