/* [impl->req~on-panic~1] */
#include "base/panic.h"

#include "base/console.h"
#include "base/log.h"
#include "base/percpu.h"
#include "hal/power.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "lib/fmt.h"

#define FATAL_TEXT_MAX 96u

static volatile uint32_t panic_owner; /* 1 + the CPU whose panic it is */
static volatile bool panic_final;     /* all CPUs stop */
static bool panic_resets;
static const char *(*panic_park)(void);

void panic_set_policy(bool resets, const char *(*park)(void))
{
    panic_resets = resets;
    panic_park = park;
}

static void panic_say(const char *file, unsigned int line, const char *what)
{
    const struct percpu *area = hal_cpu_local();
    const char *runs = (area->runs != NULL) ? area->runs : "boot";

    log_line("PANIC on CPU %u, running %s: %s", area->id, runs, what);
    log_line("PANIC at %s:%u", file, (uint32_t)line);
}

static _Noreturn void panic_stop_all(cpuid_t self)
{
    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        if ((cpu != self) && (hal_load_acquire32(&percpu_area[cpu].online) != 0u)) {
            percpu_ipi_send(cpu, PERCPU_IPI_PARK);
        }
    }
    if (panic_resets) {
        hal_power_reset();
    }
    hal_cpu_park();
}

_Noreturn void panic_at(const char *file, unsigned int line, const char *what)
{
    const struct percpu *area = hal_cpu_local();
    const uint32_t me = area->id + 1u;
    const bool again = (panic_owner == me);
    const char *why = NULL;

    (void)hal_cpu_irq_save();
    /* Another CPU's may leave the others running. */
    while (!again && !panic_final && !hal_compare_swap32(&panic_owner, 0u, me)) {
        hal_cpu_relax();
    }
    if (panic_final) {
        hal_cpu_park(); /* whatever the first panic managed to print is the one that counts */
    }
    if ((panic_park != NULL) && !again) {
        why = (area->held != 0u) ? "it holds what others wait for" : panic_park();
        if (why == NULL) {
            panic_say(file, line, what);
            log_line("PANIC: CPU %u is parked, the others run on", area->id);
            hal_store_release32(&panic_owner, 0u);
            hal_cpu_park();
        }
    }
    panic_final = true;
    log_emergency();
    console_emergency();
    panic_say(file, line, what);
    if (why != NULL) {
        log_line("PANIC: CPU %u cannot be parked: %s; all CPUs halt", area->id, why);
    }
    panic_stop_all(area->id);
}

_Noreturn void upcall_fatal(const char *what, uint64_t where)
{
    char bytes[FATAL_TEXT_MAX];
    struct fmt_buf text;

    fmt_init(&text, bytes, sizeof(bytes));
    fmt_add(&text, "%s at pc %X", what, where);
    panic_at("exception", 0u, bytes);
}
