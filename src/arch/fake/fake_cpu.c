/* CPUs, their interrupts and the one clock. */
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/percpu.h"
#include "fake_private.h"
#include "hal/irq.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/crc32c.h"

struct fake_lines {
    bool enabled;
    bool edge;
    bool pending;
    cpuid_t cpu;               /* who enabled it */
    struct hal_domain *domain; /* whose it is, as virq */
    uint32_t virq;
};

_Thread_local struct percpu *fake_cpu_area;
_Thread_local struct hal_cpu fake_cpu_spare;

static uint64_t ipis_pending; /* by CPU */
static uint64_t ipis_sent;
static uint64_t deadline_ns[HV_CPUS_MAX]; /* plus one, so that zero means none */
static struct fake_lines line[FAKE_IRQS];
static uint32_t lines_pending;
static uint64_t now_ns;
static uint64_t step_ns;
static uint64_t timers_taken;
static uint64_t exit_works;
static uint64_t cpus_broken;
static char description[32];

void fake_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs("fake port: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    abort();
}

void fake_cpu_set(cpuid_t cpu)
{
    if (cpu >= HV_CPUS_MAX) {
        fake_die("there is no CPU %u", cpu);
    }
    percpu_area[cpu].id = cpu;
    hal_cpu_set_local(&percpu_area[cpu]);
}

void fake_cpu_reset_all(void)
{
    ipis_pending = 0u;
    ipis_sent = 0u;
    lines_pending = 0u;
    now_ns = 0u;
    step_ns = 0u;
    timers_taken = 0u;
    exit_works = 0u;
    cpus_broken = 0u;
    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        deadline_ns[i] = 0u;
    }
    for (uint32_t i = 0u; i < FAKE_IRQS; i++) {
        line[i] = (struct fake_lines){ .enabled = false };
    }
    fake_cpu_area = NULL;
    fake_cpu_spare = (struct hal_cpu){ false, false, NULL };
}

void hal_cpu_init(void)
{
}

uint32_t hal_cpu_crc32c(uint32_t before, const void *data, uint64_t bytes)
{
    return crc32c_update(before, data, bytes);
}

const char *hal_cpu_describe(void)
{
    (void)snprintf(description, sizeof(description), "simulated CPU %u", cpu_id());
    return description;
}

_Noreturn void hal_cpu_park(void)
{
    fake_leave(FAKE_END_PARK);
    fake_die("a CPU parks, and nothing awaited that");
}

_Noreturn void hal_cpu_run(void)
{
    fake_leave(FAKE_END_RUN);
    fake_die("hal_cpu_run() outside fake_call() and fake_cpu_boot()");
}

void fake_cpu_broken(uint64_t cpus)
{
    cpus_broken = cpus;
}

static void secondary(void *arg)
{
    upcall_cpu_boot((cpuid_t)(uintptr_t)arg);
}

enum hv_status hal_cpu_start(cpuid_t cpu, uint64_t hwid, void *stack_top)
{
    (void)hwid;
    if ((cpu >= HV_CPUS_MAX) || (stack_top == NULL) || ((cpus_broken & BIT64(cpu)) != 0u) ||
        fake_sim_knows(cpu)) {
        return HV_INVALID;
    }
    fake_cpu_boot(cpu, secondary, (void *)(uintptr_t)cpu);
    return HV_OK;
}

/* -- Interrupts between CPUs and lines -- */

void hal_irq_ipi(cpuid_t cpu)
{
    if (cpu >= HV_CPUS_MAX) {
        fake_die("IPI to CPU %u", cpu);
    }
    (void)__atomic_fetch_or(&ipis_pending, BIT64(cpu), __ATOMIC_SEQ_CST);
    (void)__atomic_fetch_add(&ipis_sent, 1u, __ATOMIC_SEQ_CST);
}

uint64_t fake_ipis_pending(void)
{
    return __atomic_load_n(&ipis_pending, __ATOMIC_SEQ_CST);
}

uint64_t fake_ipis_sent(void)
{
    return __atomic_load_n(&ipis_sent, __ATOMIC_SEQ_CST);
}

static bool ipi_take(cpuid_t cpu)
{
    const uint64_t before = __atomic_fetch_and(&ipis_pending, ~BIT64(cpu), __ATOMIC_SEQ_CST);

    return (before & BIT64(cpu)) != 0u;
}

void fake_ipi_deliver(cpuid_t cpu)
{
    struct percpu *const before = fake_cpu_area;

    if (ipi_take(cpu)) {
        fake_cpu_set(cpu);
        const uint64_t flags = hal_cpu_irq_save();
        upcall_ipi();
        fake_cpu_self()->irq_open = flags != 0u;
        fake_cpu_area = before;
    }
}

enum hv_status hal_irq_init(const struct hal_plan_host *host)
{
    return (host->intc_version != 0u) ? HV_OK : HV_NOT_SUPPORTED;
}

enum hv_status hal_irq_init_cpu(void)
{
    return HV_OK;
}

enum hv_status hal_irq_enable(uint32_t irq, bool edge)
{
    if (irq >= FAKE_IRQS) {
        return HV_INVALID;
    }
    line[irq].enabled = true;
    line[irq].edge = edge;
    line[irq].cpu = cpu_id();
    return HV_OK;
}

void hal_irq_disable(uint32_t irq)
{
    if (irq < FAKE_IRQS) {
        line[irq].enabled = false;
    }
}

bool hal_irq_is_enabled(uint32_t irq, bool *edge)
{
    const bool there = (irq < FAKE_IRQS);

    *edge = there && line[irq].edge;
    return there && line[irq].enabled;
}

/* Enabled from the beginning, and not held back until the guest's end of it. */
enum hv_status hal_irq_route(uint32_t irq, bool edge, struct hal_domain *domain, uint32_t virq)
{
    enum hv_status status = HV_OK;

    if ((irq < FAKE_SPI_FIRST) || (irq >= FAKE_IRQS) || (virq < FAKE_SPI_FIRST) ||
        ((virq - FAKE_SPI_FIRST) >= domain->nr_spis)) {
        status = HV_INVALID;
    } else if (line[irq].enabled) {
        status = HV_EXISTS;
    } else {
        line[irq] = (struct fake_lines){ true, edge, false, cpu_id(), domain, virq };
    }
    return status;
}

void hal_irq_unroute(uint32_t irq, struct hal_domain *domain)
{
    if ((irq < FAKE_IRQS) && (domain != NULL) && (line[irq].domain == domain)) {
        lines_pending -= line[irq].pending ? 1u : 0u;
        line[irq] = (struct fake_lines){ .enabled = false };
    }
}

struct hal_domain *hal_irq_guest(uint32_t irq, uint32_t *virq)
{
    struct hal_domain *const domain = (irq < FAKE_IRQS) ? line[irq].domain : NULL;

    *virq = (domain != NULL) ? line[irq].virq : 0u;
    return domain;
}

void hal_irq_adopt(cpuid_t from)
{
    for (uint32_t i = 0u; i < FAKE_IRQS; i++) {
        if ((line[i].domain != NULL) && (line[i].cpu == from)) {
            line[i].cpu = cpu_id();
        }
    }
}

bool fake_line_routed(const struct hal_domain *domain, uint32_t virq)
{
    bool found = false;

    for (uint32_t i = 0u; i < FAKE_IRQS; i++) {
        found = found || ((line[i].domain == domain) && (line[i].virq == virq));
    }
    return found;
}

bool fake_irq_enabled(uint32_t irq)
{
    return (irq < FAKE_IRQS) && line[irq].enabled;
}

/* The lowest line that waits for this CPU; FAKE_IRQS if none. */
static uint32_t line_waiting(cpuid_t cpu)
{
    uint32_t found = FAKE_IRQS;

    for (uint32_t i = 0u; (lines_pending != 0u) && (found == FAKE_IRQS) && (i < FAKE_IRQS); i++) {
        if (line[i].pending && line[i].enabled && (line[i].cpu == cpu)) {
            found = i;
        }
    }
    return found;
}

static void line_take(uint32_t irq)
{
    line[irq].pending = false;
    lines_pending--;
    if (line[irq].domain != NULL) {
        upcall_line(line[irq].domain, line[irq].virq);
    } else {
        upcall_irq(irq);
    }
}

void fake_irq_raise(uint32_t irq)
{
    if (irq >= FAKE_IRQS) {
        fake_die("there is no line %u", irq);
    }
    if (!line[irq].pending) {
        line[irq].pending = true;
        lines_pending++;
    }
    if (line[irq].enabled && !fake_sim_knows(line[irq].cpu)) {
        struct percpu *const before = fake_cpu_area;

        fake_cpu_set(line[irq].cpu);
        const uint64_t flags = hal_cpu_irq_save();
        line_take(irq);
        fake_cpu_self()->irq_open = flags != 0u;
        fake_cpu_area = before;
    }
}

/* -- The clock -- */

enum hv_status hal_timer_init(const struct hal_plan_host *host)
{
    (void)host;
    return HV_OK;
}

void hal_timer_init_cpu(void)
{
}

uint64_t hal_timer_now_ns(void)
{
    return __atomic_add_fetch(&now_ns, step_ns, __ATOMIC_SEQ_CST);
}

uint64_t hal_timer_ns(uint64_t ticks)
{
    return (ticks < (TIME_NEVER / FAKE_TICK_NS)) ? (ticks * FAKE_TICK_NS) : TIME_NEVER;
}

uint64_t hal_timer_ticks(uint64_t ns)
{
    return ns / FAKE_TICK_NS;
}

uint64_t fake_time(void)
{
    return __atomic_load_n(&now_ns, __ATOMIC_SEQ_CST);
}

void fake_time_set(uint64_t ns)
{
    __atomic_store_n(&now_ns, ns, __ATOMIC_SEQ_CST);
}

void fake_time_step(uint64_t ns)
{
    step_ns = ns;
}

void hal_timer_set(uint64_t deadline)
{
    deadline_ns[cpu_id()] = deadline + 1u; /* TIME_NEVER + 1 is none */
}

uint64_t fake_timer_deadline(cpuid_t cpu)
{
    return deadline_ns[cpu] - 1u;
}

uint64_t fake_timers_taken(void)
{
    return timers_taken;
}

uint64_t fake_exit_works(void)
{
    return exit_works;
}

uint64_t fake_cpu_next_ns(cpuid_t cpu)
{
    return bits_min(fake_timer_deadline(cpu), fake_loaded_deadline(cpu));
}

/* -- What waits for a CPU -- */

void fake_exit_work(void)
{
    for (uint32_t i = 0u; fake_cpu_self()->exit_work; i++) {
        if (i > 1000000u) {
            fake_die("exit work asks for exit work for ever");
        }
        exit_works++;
        upcall_exit_work();
    }
}

bool fake_irq_waiting(cpuid_t cpu)
{
    return ((fake_ipis_pending() & BIT64(cpu)) != 0u) || (fake_cpu_next_ns(cpu) <= fake_time()) ||
           (line_waiting(cpu) != FAKE_IRQS);
}

void fake_irq_take(cpuid_t cpu)
{
    bool more = true;

    for (uint32_t i = 0u; more && (i < HAL_IRQ_BURST); i++) {
        const uint32_t irq = line_waiting(cpu);

        if (ipi_take(cpu)) {
            upcall_ipi();
        } else if (fake_timer_deadline(cpu) <= fake_time()) {
            deadline_ns[cpu] = 0u;
            timers_taken++;
            upcall_timer();
        } else if (fake_loaded_deadline(cpu) <= fake_time()) {
            fake_loaded_timer(cpu);
        } else if (irq != FAKE_IRQS) {
            line_take(irq);
        } else {
            more = false;
        }
    }
}

/* Plain: the timer of a CPU that nobody simulates */
static void timer_deliver(cpuid_t cpu)
{
    struct percpu *const before = fake_cpu_area;

    deadline_ns[cpu] = 0u;
    timers_taken++;
    fake_cpu_set(cpu);
    const uint64_t flags = hal_cpu_irq_save();
    upcall_timer();
    fake_cpu_self()->irq_open = flags != 0u;
    fake_cpu_area = before;
}

static cpuid_t cpu_due(uint64_t until_ns)
{
    cpuid_t best = HV_CPUS_MAX;
    uint64_t best_ns = until_ns;

    for (cpuid_t cpu = 0u; cpu < HV_CPUS_MAX; cpu++) {
        const bool simulated = fake_sim_knows(cpu);
        const uint64_t at = simulated ? fake_cpu_next_ns(cpu) : fake_timer_deadline(cpu);

        if ((at <= best_ns) && (at != TIME_NEVER) && ((best == HV_CPUS_MAX) || (at < best_ns)) &&
            (!simulated || (fake_cpu_state(cpu) != FAKE_STATE_PARKED))) {
            best = cpu;
            best_ns = at;
        }
    }
    return best;
}

void fake_time_advance(uint64_t ns)
{
    const uint64_t target = fake_time() + ns;
    uint32_t rounds = 0u;

    for (cpuid_t cpu = cpu_due(target); cpu != HV_CPUS_MAX; cpu = cpu_due(target)) {
        fake_time_set(bits_max(fake_time(), fake_cpu_next_ns(cpu)));
        if (fake_sim_knows(cpu)) {
            fake_run();
        } else {
            timer_deliver(cpu);
        }
        rounds++;
        if (rounds > 10000000u) {
            fake_die("CPU %u sets deadlines in the past for ever", cpu);
        }
    }
    fake_time_set(bits_max(target, fake_time()));
    fake_run();
}
