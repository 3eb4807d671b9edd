/* Somebody to be scheduled. What it does its bootargs say; what it sees it tells by marks (arch_mark()),
 * which cost one instruction, and not by the console.
 *
 *   role=hog    never waits; vCPUs beyond the first are hogs of whatever role
 *   role=noise  never waits, and has the hypervisor do something at each turn: hypercalls, messages to
 *   itself, an
 *               own tick, a trapped device
 *   role=io     sleeps until its timer rings, marks how late it woke in ns, works for run= us and sleeps
 *   again,
 *               for period= us and up to as much again
 *   role=tick   never waits, has a tick each period= us, and marks each
 *   role=job    each period= us works for run= us, and marks how long after its release it was done in ns
 *
 * A microsecond is a thousand instructions, and one of them is YIELD, with which an emulator goes on with
 * another CPU. */
#include "guest.h"

#define SGI          3u
#define UART_FR      0x18u
#define NOISE_TICKS  20000u /* of a second: every 50 us */
#define WORK_DEFAULT 20u
#define NOISE_LEAST  8u /* us of nothing between noise */
#define NOISE_MORE   16u
#define RANDOM_STEPS 512u /* of three instructions */
#define NS           1000000000u

static volatile uint64_t deadline;
static volatile uint64_t late;
static volatile bool rang;
static uint64_t frequency;
static uint64_t ticking;
static uint64_t randomly = 1u;

/* Whatever time it takes: a processor of one instruction a nanosecond makes it us microseconds. */
static __attribute__((noinline)) void work(uint64_t us)
{
    for (uint64_t n = 0u; n < us; n++) {
        __asm__ volatile("yield\n\t.rept 996\n\tnop\n\t.endr");
    }
}

static uint64_t random_below(uint64_t end)
{
    randomly = (randomly * 6364136223846793005u) + 1442695040888963407u;
    return (randomly >> 33u) % end;
}

static void pause_randomly(void)
{
    for (uint64_t n = random_below(RANDOM_STEPS); n > 0u; n--) {
        __asm__ volatile("nop");
    }
}

static uint64_t to_ns(uint64_t counts)
{
    return (counts * NS) / frequency;
}

static void bell(uint32_t intid)
{
    (void)intid;
    late = timer_now() - deadline;
    rang = true;
    timer_virt_stop();
}

static void sleep_until(uint64_t at)
{
    deadline = at;
    rang = false;
    timer_virt_set(at);
    while (!rang) {
        arch_irq_mask();
        if (!rang) {
            arch_wait();
        }
        arch_irq_open();
    }
}

static void hog(void)
{
    for (;;) {
        work(1000u);
    }
}

static void io(uint64_t period, uint64_t run)
{
    uint64_t at = timer_now();

    for (;;) {
        at += period + random_below(period);
        sleep_until(at);
        arch_mark(to_ns(late));
        work(run);
        if (timer_now() > at) {
            at = timer_now();
        }
    }
}

static void job(uint64_t period, uint64_t run)
{
    uint64_t release = timer_now() + period;

    for (;;) {
        if (timer_now() < release) {
            sleep_until(release);
        }
        work(run);
        arch_mark(to_ns(timer_now() - release));
        release += period;
    }
}

static void message(uint32_t intid)
{
    (void)intid;
}

static void tick(uint32_t intid)
{
    (void)intid;
    timer_virt_set(timer_now() + (frequency / NOISE_TICKS));
}

static void own_tick(uint32_t intid)
{
    (void)intid;
    deadline += ticking;
    timer_virt_set(deadline);
    arch_mark(deadline);
}

static void ticker(uint64_t period)
{
    ticking = period;
    deadline = timer_now() + period;
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, own_tick);
    timer_virt_set(deadline);
    hog();
}

static void noise(void)
{
    irq_enable(SGI, IRQ_PRIORITY_LOW, message);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, tick);
    tick(0u);
    for (;;) {
        (void)firmware_call(PSCI_VERSION, 0u, 0u, 0u);
        irq_send(SGI, cpu_number());
        if (console_present()) {
            (void)mmio_read32(console_base() + UART_FR);
        }
        work(NOISE_LEAST + random_below(NOISE_MORE));
        pause_randomly();
    }
}

void guest_main(void)
{
    const char *const argument = tree_argument("role");
    const char role = (argument == NULL) ? 'h' : argument[0];
    const uint64_t run = tree_number("run", WORK_DEFAULT);

    frequency = timer_frequency();
    const uint64_t period = (tree_number("period", 1000u) * frequency) / 1000000u;

    randomly = tree_number("seed", 1u);
    for (uint32_t cpu = 1u; (cpu < GUEST_CPUS_MAX) && (cpu_hwid(cpu) != UINT64_MAX); cpu++) {
        (void)cpu_on(cpu, hog);
    }
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, bell);
    arch_irq_open();
    if (role == 'n') {
        noise();
    } else if (role == 't') {
        ticker(period);
    } else if (role == 'i') {
        io(period, run);
    } else if (role == 'j') {
        job(period, run);
    } else {
        hog();
    }
}
