/* Four processors by PSCI and the architecture: started by the functions of PSCI 0.1, 0.2 and their 64-bit
 * form, by HVC and by SMC; spin-locks of exclusives with WFE and SEV; messages to all, absent ones included;
 * off and on again. Tables of its own, since exclusives want cacheable memory. */
#include "book.h"

const char book_name[] = "smp";

#define CPUS     4u
#define ROUNDS   1000u
#define OFF_ON   6u
#define SGI      9u
#define WAKE_SGI 10u

#define CPU_OFF_01  1u
#define CPU_ON_01   2u
#define VERSION     0x84000000u
#define CPU_OFF     0x84000002u
#define CPU_ON      0x84000003u
#define CPU_ON_64   0xC4000003u
#define AFFINITY    0x84000004u
#define AFFINITY_64 0xC4000004u
#define FEATURES    0x8400000Au
#define NOT_THERE   ((uint64_t)-2)
#define ALREADY_ON  ((uint64_t)-4)

void smp_begin(void);  /* smp_start.S: the entry of further CPUs; x0 is what the caller of CPU_ON said */
void smp_mmu_on(void); /* this CPU's MMU, with smp_table */
void smp_main(uint64_t context);
extern uint64_t smp_table[512];

enum { LOCKED, MESSAGES, SLEEP, LEAVE };

static volatile uint32_t phase[CPUS]; /* what each has reached */
static volatile uint32_t order;       /* what all shall do */
static volatile uint32_t begun[CPUS];
static volatile uint64_t contexts[CPUS];
static volatile uint32_t messages[CPUS];
static volatile uint32_t wakes[CPUS];
static uint32_t lock;
static volatile uint64_t shared_sum; /* under the lock */

/* The manual's example, K13.2.1 of DDI 0487: wait for an event, take it with an exclusive; the releasing
 * store is the event. */
static void take(uint32_t *at)
{
    uint32_t value;
    uint32_t failed;

    __asm__ volatile("   sevl\n"
                     "1: wfe\n"
                     "2: ldaxr %w0, [%2]\n"
                     "   cbnz  %w0, 1b\n"
                     "   stxr  %w1, %w3, [%2]\n"
                     "   cbnz  %w1, 2b"
                     : "=&r"(value), "=&r"(failed)
                     : "r"(at), "r"(1u)
                     : "memory");
}

static void release(uint32_t *at)
{
    __asm__ volatile("stlr wzr, [%0]\n\tsev" : : "r"(at) : "memory");
}

static uint32_t self(void)
{
    return (uint32_t)READ_SYS(mpidr_el1) & 0xFFu;
}

void book_irq(struct frame *frame)
{
    const uint32_t token = gic_take();
    const uint32_t id = token & 0x3FFu;

    (void)frame;
    if (id == SGI) {
        messages[self()]++;
    } else if (id == WAKE_SGI) {
        wakes[self()]++;
    } else {
        /* another */
    }
    if (id < 1020u) {
        gic_done(token);
    }
}

static void wait_order(uint32_t n)
{
    while (order < n) {
        __asm__ volatile("wfe");
    }
}

static void give_order(uint32_t n)
{
    order = n;
    __asm__ volatile("dsb sy\n\tsev" : : : "memory");
}

static bool all_reached(uint32_t n)
{
    bool all = true;

    for (uint32_t cpu = 1u; cpu < CPUS; cpu++) {
        all = await(&phase[cpu], n) && all;
    }
    return all;
}

static void add(void)
{
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        take(&lock);
        shared_sum += 1u;
        release(&lock);
    }
}

/* Each further CPU: the lock, then messages, then sleep, then off. */
void smp_main(uint64_t context)
{
    const uint32_t cpu = self();

    contexts[cpu] = context;
    gic_start_cpu();
    gic_enable(SGI, 0x80u);
    gic_enable(WAKE_SGI, 0x80u);
    begun[cpu]++;
    if (order < SLEEP) {
        wait_order(LOCKED + 1u);
        add();
        phase[cpu] = LOCKED + 1u;
        irq_open();
        wait_order(MESSAGES + 1u);
        phase[cpu] = MESSAGES + 1u;
        wait_order(LEAVE);
        irq_close();
    }
    while (wakes[cpu] < begun[cpu]) { /* asleep until told, with the handler called by hand */
        sleep_until_irq();
        irq_open();
        __asm__ volatile("isb");
        irq_close();
    }
    (void)((cpu == 1u) ? psci_hvc(CPU_OFF_01, 0u, 0u, 0u) : psci_smc(CPU_OFF, 0u, 0u, 0u));
    MUST_BE(cpu, 100u); /* it came back */
}

static uint64_t on_by(uint32_t cpu, uint64_t context)
{
    const uint64_t entry = (uint64_t)(uintptr_t)smp_begin;
    uint64_t result;

    if (cpu == 1u) {
        result = psci_hvc(CPU_ON_01, cpu, entry, context);
    } else if (cpu == 2u) {
        result = psci_smc(CPU_ON, cpu, entry, context);
    } else {
        result = psci_smc(CPU_ON_64, cpu, entry, context | (1ULL << 40u));
    }
    return (uint64_t)(int64_t)(int32_t)result;
}

static void bring_up(void)
{
    MUST((psci_smc(VERSION, 0u, 0u, 0u) >> 16u) >= 1u);
    MUST_BE(psci_hvc(VERSION, 0u, 0u, 0u), psci_smc(VERSION, 0u, 0u, 0u));
    MUST_BE(psci_smc(FEATURES, CPU_ON_64, 0u, 0u), 0u);
    for (uint32_t cpu = 1u; cpu < CPUS; cpu++) {
        MUST_BE(psci_smc(AFFINITY_64, cpu, 0u, 0u), 1u);
        MUST_BE(on_by(cpu, 1000u + cpu), 0u);
        MUST(await(&begun[cpu], 1u));
        MUST_BE(contexts[cpu], (1000u + cpu) | ((cpu == 3u) ? (1ULL << 40u) : 0u));
        MUST_BE(on_by(cpu, 0u), ALREADY_ON);
        MUST_BE(psci_hvc(AFFINITY, cpu, 0u, 0u), 0u);
    }
    MUST_BE(on_by(0u, 0u), ALREADY_ON);
    MUST_BE(on_by(CPUS, 0u), NOT_THERE);
    MUST_BE(psci_smc(CPU_ON_64, 0x100u, (uint64_t)(uintptr_t)smp_begin, 0u), NOT_THERE);
}

static void locked(void)
{
    give_order(LOCKED + 1u);
    add();
    MUST(all_reached(LOCKED + 1u));
    MUST_BE(shared_sum, CPUS * ROUNDS);
}

static void message_all(void)
{
    irq_open();
    for (uint32_t i = 1u; i <= 20u; i++) {
        gic_send(SGI, 0xFFFFu); /* twelve or four of these are not there */
        for (uint32_t cpu = 0u; cpu < CPUS; cpu++) {
            MUST(await(&messages[cpu], i));
        }
    }
    gic_send_others(SGI);
    gic_send(SGI, 0xF0u); /* nobody */
    for (uint32_t cpu = 1u; cpu < CPUS; cpu++) {
        MUST(await(&messages[cpu], 21u));
    }
    pause_ms(2u);
    for (uint32_t cpu = 0u; cpu < CPUS; cpu++) {
        MUST_BE(messages[cpu], (cpu == 0u) ? 20u : 21u);
    }
    irq_close();
    give_order(MESSAGES + 1u);
    MUST(all_reached(MESSAGES + 1u));
}

static bool goes_off(uint32_t cpu)
{
    const uint64_t end = now() + ms(5000u);

    while ((psci_smc(AFFINITY_64, cpu, 0u, 0u) != 1u) && (now() < end)) {
        __asm__ volatile("yield");
    }
    return psci_smc(AFFINITY_64, cpu, 0u, 0u) == 1u;
}

static void off_and_on(void)
{
    give_order(LEAVE);
    for (uint32_t round = 1u; round <= OFF_ON; round++) {
        for (uint32_t cpu = 1u; cpu < CPUS; cpu++) {
            MUST(await(&begun[cpu], round));
            gic_send(WAKE_SGI, 1u << cpu);
        }
        for (uint32_t cpu = 1u; cpu < CPUS; cpu++) {
            MUST(goes_off(cpu));
            MUST_BE(wakes[cpu], round);
            if (round < OFF_ON) {
                MUST_BE(on_by(cpu, round), 0u);
            }
        }
    }
}

void book_main(void)
{
    smp_table[0] = 0x60000000000401ULL; /* the first GiB: devices, never executed */
    smp_table[1] = 0x40000705ULL;       /* RAM: write-back, inner shareable */
    smp_mmu_on();
    gic_start();
    gic_enable(SGI, 0x80u);
    bring_up();
    locked();
    message_all();
    off_and_on();
}
