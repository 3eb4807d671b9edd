#include "base/panic.h"

#include "base/console.h"
#include "base/log.h"
#include "base/percpu.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "lib/fmt.h"

#define FATAL_TEXT_MAX 96u

static volatile uint32_t panic_owner; /* 1 + the CPU that panicked first */

_Noreturn void panic_at(const char *file, unsigned int line, const char *what)
{
    const struct percpu *area = hal_cpu_local();
    const char *runs = (area->runs != NULL) ? area->runs : "boot";

    (void)hal_cpu_irq_save();
    /* A panic inside a panic, or on a second CPU: whatever the first one managed to print is the one that
     * counts. */
    if (!hal_compare_swap32(&panic_owner, 0u, area->id + 1u)) {
        hal_cpu_park();
    }
    log_emergency();
    console_emergency();
    log_line("PANIC on CPU %u, running %s: %s", area->id, runs, what);
    log_line("PANIC at %s:%u", file, (uint32_t)line);
    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        if ((cpu != area->id) && (hal_load_acquire32(&percpu_area[cpu].online) != 0u)) {
            percpu_ipi_send(cpu, PERCPU_IPI_PARK);
        }
    }
    hal_cpu_park();
}

_Noreturn void upcall_fatal(const char *what, uint64_t where)
{
    char bytes[FATAL_TEXT_MAX];
    struct fmt_buf text;

    fmt_init(&text, bytes, sizeof(bytes));
    fmt_str(&text, what);
    fmt_str(&text, " at pc ");
    fmt_hex(&text, where);
    panic_at("exception", 0u, bytes);
}
