#include "hostile.h"

#include "hypercall.h"
#include "monitor.h"

#define NR_SPIS_WORDS 32u

volatile uint64_t traps[GUEST_CPUS_MAX];
static uint64_t counts[GUEST_CPUS_MAX * 8u]; /* a line for each vCPU */
static uint64_t seeds[GUEST_CPUS_MAX * 8u];
static uint64_t tried_before; /* in earlier lives, as the neighbour remembers it */
static uint64_t effort;
static uint64_t neighbour;
static uint32_t nr_cpus;
static void (*volatile common)(void);
static volatile uint32_t through[GUEST_CPUS_MAX];

void tried(uint64_t n)
{
    counts[cpu_number() * 8u] += n;
    arch_yield();
}

int64_t attempt(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    tried(1u);
    return (int64_t)hypercall(number, a, b, c);
}

static uint64_t tried_so_far(void)
{
    uint64_t sum = tried_before;

    for (uint32_t i = 0u; i < GUEST_CPUS_MAX; i++) {
        sum += *(volatile uint64_t *)&counts[i * 8u];
    }
    return sum;
}

uint64_t random64(void)
{
    uint64_t *const seed = &seeds[cpu_number() * 8u];

    *seed = (*seed * 6364136223846793005u) + 1442695040888963407u + cpu_number();
    return *seed ^ (*seed >> 29u);
}

uint32_t hostile_cpus(void)
{
    return nr_cpus;
}

uint64_t storm(uint64_t turns)
{
    return turns * effort;
}

bool storm_goes(uint64_t i, uint64_t turns)
{
    arch_yield();
    return i < storm(turns);
}

/* -- Exceptions -- */

static bool skip(struct trap_frame *frame, uint64_t syndrome, uint64_t address)
{
    const uint32_t class = (uint32_t)(syndrome >> 26u);
    /* of a bad fetch, a bad pc and an illegal state the call is skipped */
    const bool by_return = (class == 0x20u) || (class == 0x21u) || (class == 0x22u) || (class == 0x0Eu);

    (void)address;
    traps[cpu_number()]++;
    arch_yield();
    if (by_return) {
        trap_leave(frame);
    } else {
        trap_skip(frame);
    }
    frame->state &= ~(1u << 20u); /* an illegal state is one no longer */
    return true;
}

/* -- Interrupts -- */

void take_any(uint32_t intid)
{
    (void)intid;
    timer_virt_stop();
    timer_phys_stop();
}

static void end_active(void)
{
    for (uint32_t i = 0u; i < 64u; i++) {
        if (irq_version() == 3u) {
            reg_write(S3_0_C12_C12_1, reg_read(S3_0_C12_C12_0)); /* EOIR1 of IAR1 */
            reg_write(S3_0_C12_C8_1, reg_read(S3_0_C12_C8_0));   /* EOIR0 of IAR0 */
        } else {
            mmio_write32(gic_cpu_interface() + GICC_EOIR, mmio_read32(gic_cpu_interface() + GICC_IAR));
        }
    }
}

static void bits_calm(uintptr_t frame, uint32_t word)
{
    mmio_write32(frame + GICD_ICENABLER + (4u * word), UINT32_MAX);
    mmio_write32(frame + GICD_ICPENDR + (4u * word), UINT32_MAX);
    mmio_write32(frame + GICD_ICACTIVER + (4u * word), UINT32_MAX);
    mmio_write32(frame + GICD_IGROUPR + (4u * word), (irq_version() == 3u) ? UINT32_MAX : 0u);
    mmio_write32(frame + GICD_ICFGR + (8u * word), 0u);
    mmio_write32(frame + GICD_ICFGR + (8u * word) + 4u, 0u);
}

void gic_calm(void)
{
    arch_irq_mask();
    timer_virt_stop();
    timer_phys_stop();
    if (cpu_number() == 0u) {
        irq_init();
    } else {
        irq_init_cpu();
    }
    bits_calm(gic_private(), 0u);
    for (uint32_t word = 1u; (cpu_number() == 0u) && (word < NR_SPIS_WORDS); word++) {
        bits_calm(gic_distributor(), word);
    }
    for (uint32_t i = 0u; (irq_version() == 2u) && (i < 16u); i += 4u) {
        mmio_write32(gic_distributor() + 0xF10u + i, UINT32_MAX); /* CPENDSGIR */
    }
    end_active();
    if (irq_version() == 3u) {
        reg_write(S3_0_C12_C9_0, 0u); /* ICC_AP1R0_EL1 */
        reg_write(S3_0_C12_C8_4, 0u); /* ICC_AP0R0_EL1 */
    } else {
        mmio_write32(gic_cpu_interface() + 0xD0u, 0u); /* GICC_APR0 */
    }
    irq_init_cpu();
}

void take_interrupts(uint32_t us)
{
    const uint64_t until = timer_now() + ((timer_frequency() * us) / 1000000u);

    arch_irq_open();
    while (timer_now() < until) {
        arch_yield();
    }
    arch_irq_mask();
}

/* -- Several vCPUs -- */

static void serve(void)
{
    const uint32_t me = cpu_number();

    seeds[me * 8u] = 77u + me;
    common();
    through[me]++;
}

static bool is_off(uint32_t cpu)
{
    return firmware_call(PSCI_AFFINITY_INFO, cpu_hwid(cpu), 0u, 0u) == 1u;
}

void everyone(void (*function)(void))
{
    uint32_t before[GUEST_CPUS_MAX];

    common = function;
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        before[cpu] = through[cpu];
        while (cpu_on(cpu, serve) == PSCI_ALREADY_ON) {
            arch_yield(); /* it is about to be off */
        }
    }
    function();
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        while ((through[cpu] == before[cpu]) || !is_off(cpu)) {
            arch_yield();
        }
    }
}

void let_loose(uint32_t cpu, void (*function)(void))
{
    (void)cpu_on(cpu, function);
}

void watchdog_arm(uint32_t ms)
{
    const struct tree_node node = tree_compatible("arm,sbsa-gwdt");
    uint64_t refresh;
    uint64_t control;
    uint64_t bytes;

    if (tree_reg(&node, 0u, &control, &bytes) && tree_reg(&node, 1u, &refresh, &bytes)) {
        mmio_write32(control + 8u,
                     (uint32_t)((timer_frequency() * ms) / 2000u)); /* WOR: half for each stage */
        mmio_write32(control, 1u);                                  /* WCS */
        mmio_write32(refresh, 1u);
    } else {
        print("HOSTILE has no watchdog\n");
    }
}

/* -- The table -- */

/* What is told is known to the neighbour before something ends us; not for longer than it takes a live
 * one. */
static void report(bool waits)
{
    const uint64_t until = timer_now() + timer_frequency();
    struct domain_status status;

    domain_report(tried_so_far());
    while (waits && (neighbour != 0u) && domain_status(neighbour, &status) &&
           (status.progress < tried_so_far()) && (timer_now() < until)) {
        arch_yield();
    }
}

static void run_all(const struct attack *attacks)
{
    for (const struct attack *a = attacks; a->name != NULL; a++) {
        print("HOSTILE-TRY %s %U ms\n", a->name, timer_now() / (timer_frequency() / 1000u));
        if (a->together) {
            everyone(a->run);
        } else {
            a->run();
        }
        gic_calm();
        report(false);
    }
}

/* All, or as many as the bootargs say: lives=<n> */
static uint32_t nr_lethal(void)
{
    const uint64_t lives = tree_number("lives", UINT64_MAX);
    uint32_t n = 0u;

    while ((attacks_lethal[n].name != NULL) && (n < lives)) {
        n++;
    }
    return n;
}

static void first_life(void)
{
    run_all(attacks_registers);
    run_all(attacks_devices);
    run_all(attacks_firmware);
    run_all(attacks_events);
    run_all(attacks_grants);
    run_all(attacks_pages);
    run_all(attacks_memory);
    run_all(attacks_interrupts);
    run_all(attacks_vcpus);
    run_all(attacks_el0);
}

/* Everything else in the first life, then a life for each way to die. A control domain (role=control) has one
 * life, and its own list. */
void guest_main(void)
{
    struct domain_status status = { DOMAIN_RUNNING, 0u, 0u };
    const char *const role = tree_argument("role");

    effort = tree_number("effort", 1u);
    neighbour = tree_number("peer", 0u);
    if ((neighbour != 0u) && domain_status(neighbour, &status)) {
        tried_before = status.progress;
    }
    if (!domain_status(tree_number("self", 0u), &status)) {
        print("HOSTILE cannot ask for its restarts\n");
    }
    while ((nr_cpus < GUEST_CPUS_MAX) && (cpu_hwid(nr_cpus) != UINT64_MAX)) {
        nr_cpus++;
    }
    print("HOSTILE-BEGIN life %U, GICv%u, %u vCPUs\n", status.restarts, irq_version(), nr_cpus);
    trap_hook = skip;
    if (role != NULL) {
        run_all(attacks_control);
        print("HOSTILE-ALIVE\n");
    } else if (status.restarts == 0u) {
        first_life();
        print("HOSTILE-ALIVE\n");
    } else {
        /* a way to die */
    }
    if ((role == NULL) && (status.restarts < nr_lethal())) {
        print("HOSTILE-TRY %s in life %U\n", attacks_lethal[status.restarts].name, status.restarts);
        tried(1u);
        report(true);
        attacks_lethal[status.restarts].run();
        print("HOSTILE-SURVIVED %s\n", attacks_lethal[status.restarts].name);
        report(true);
    } else {
        print("HOSTILE-END\n");
    }
}
