/* A guest that begins anew again and again, and looks each time whether everything is as after power-on: its
 * memory but for what it was loaded with, interrupt controller, timers, console, the other vCPUs. Then it
 * dirties all of that and ends, each time in another way. restarts=<n> in the bootargs: after so many it
 * powers off. */
#include "gic.h"
#include "monitor.h"

#define NOWHERE     LAYOUT_CODE
#define HANG_MS     200u
#define UART_IMSC   0x38u
#define UART_RIS    0x3Cu
#define TREE_MARGIN 0x10000u
#define WAYS        7u

extern const char image_start[];
extern const char bss_end[];

static uint32_t nr_cpus;
static uint32_t nr_faults;
static uint64_t ram_base;
static uint64_t ram_bytes;
static uint64_t tree_at;
static uint32_t early_ctlr;
static uint64_t watchdog_control;
static volatile uint32_t alive;
static volatile bool dirtied;

#define CLEAN(value) clean_if((uint64_t)(value), #value)
static void clean_if(uint64_t value, const char *what)
{
    if (value != 0u) {
        nr_faults++;
        print("RESET-FAULT %s is %X\n", what, value);
    }
}

/* -- Is it as after power-on? -- */

void guest_early(void)
{
    struct tree_node node = tree_compatible("arm,gic-v3");
    uint64_t base;
    uint64_t bytes;

    if (node.at == NULL) {
        node = tree_compatible("arm,gic-400");
    }
    if (tree_reg(&node, 0u, &base, &bytes)) {
        early_ctlr = mmio_read32(base + GICD_CTLR) & 3u; /* the groups: the library is about to open them */
    }
}

static void memory_clean(void)
{
    const uint64_t end = ram_base + ram_bytes;
    uint64_t dirty = 0u;

    for (uint64_t at = ((uint64_t)(uintptr_t)bss_end + 64u) & ~63ULL; at < end; at += 8u) {
        if ((at < (tree_at - TREE_MARGIN)) || (at >= (tree_at + TREE_MARGIN))) {
            if (*(const volatile uint64_t *)(uintptr_t)at != 0u) {
                dirty = (dirty == 0u) ? at : dirty;
            }
        }
    }
    CLEAN(dirty);
}

static void interrupts_clean(void)
{
    for (uint32_t word = 1u; word < 31u; word++) {
        CLEAN(mmio_read32(gic_distributor() + GICD_ISENABLER + (4u * word)));
        CLEAN(mmio_read32(gic_distributor() + GICD_ISPENDR + (4u * word)));
        CLEAN(mmio_read32(gic_distributor() + GICD_ISACTIVER + (4u * word)));
    }
    CLEAN(mmio_read32(gic_private() + GICD_ISENABLER) & 0xFFFF0000u);
    CLEAN(mmio_read32(gic_private() + GICD_ISPENDR));
    CLEAN(mmio_read32(gic_private() + GICD_ISACTIVER));
    CLEAN(mmio_read32(gic_distributor() + GICD_IPRIORITYR + 32u));
    CLEAN(early_ctlr);
}

static void registers_clean(void)
{
    CLEAN(reg_read(cntv_ctl_el0) & 3u);
    CLEAN(reg_read(cntp_ctl_el0) & 3u);
    CLEAN(reg_read(cntv_cval_el0));
    CLEAN(reg_read(tpidr_el0));
    CLEAN(reg_read(tpidr_el1));
    CLEAN(reg_read(contextidr_el1));
    CLEAN(reg_read(par_el1));
    CLEAN(timer_now() / (60u * timer_frequency())); /* its time begins with it */
}

static void devices_clean(void)
{
    CLEAN(mmio_read32(console_base() + UART_IMSC));
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        CLEAN(firmware_call(PSCI_AFFINITY_INFO, cpu_hwid(cpu), 0u, 0u) != 1u);
    }
}

/* -- Dirt -- */

/* To vCPU 0; without the tree, which may be gone by now */
static void send(void)
{
    if (irq_version() == 3u) {
        reg_write(S3_0_C12_C11_5, 0x3000001u); /* ICC_SGI1R_EL1 */
    } else {
        mmio_write32(gic_distributor() + GICD_SGIR, 0x10003u);
    }
}

static void busy(void)
{
    alive++;
    for (;;) {
        send();
        reg_write(tpidr_el1, ~0ULL);
        (void)mmio_read32(gic_distributor() + GICD_ISPENDR + 4u);
        arch_yield();
    }
}

/* The tree too: whatever of it is needed later was read before. */
static void memory_dirty(void)
{
    const uint64_t end = ram_base + ram_bytes;

    for (uint64_t at = ((uint64_t)(uintptr_t)bss_end + 64u) & ~63ULL; at < end; at += 8u) {
        *(volatile uint64_t *)(uintptr_t)at = at | 1u;
    }
}

static void all_dirty(void)
{
    for (uint32_t word = 1u; word < 3u; word++) {
        mmio_write32(gic_distributor() + GICD_ISENABLER + (4u * word), UINT32_MAX);
        mmio_write32(gic_distributor() + GICD_ISPENDR + (4u * word), 0x55555555u);
        mmio_write32(gic_distributor() + GICD_ISACTIVER + (4u * word), 0x33333333u);
        mmio_write32(gic_distributor() + GICD_IPRIORITYR + (32u * word), 0x50505050u);
    }
    mmio_write32(gic_private() + GICD_ISENABLER, UINT32_MAX);
    mmio_write32(gic_private() + GICD_ISPENDR, UINT32_MAX);
    mmio_write32(console_base() + UART_IMSC, 0x7FFu);
    reg_write(tpidr_el0, ~0ULL);
    reg_write(tpidr_el1, ~0ULL);
    reg_write(contextidr_el1, 77u);
    timer_virt_set(0u);
    timer_phys_set(timer_phys_now() + (timer_frequency() / 2000u));
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        const uint32_t before = alive;

        (void)cpu_on(cpu, busy);
        while (alive == before) {
            arch_yield();
        }
    }
    memory_dirty();
}

/* -- Ways to end -- */

static void reset(void)
{
    (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    for (;;) {
        arch_yield();
    }
}

static void reset_when_dirty(void)
{
    while (!dirtied) {
        arch_yield();
    }
    reset();
}

static void crash(void)
{
    void (*const nowhere)(void) = (void (*)(void))(uintptr_t)(NOWHERE + 0x1000000u);

    reg_write(vbar_el1, NOWHERE);
    nowhere();
}

static void hang(void)
{
    mmio_write32(watchdog_control + 8u, (uint32_t)((timer_frequency() * HANG_MS) / 2000u)); /* WOR */
    mmio_write32(watchdog_control, 1u);                                                     /* WCS */
    for (;;) {
        arch_yield();
    }
}

static void end(uint64_t way)
{
    switch (way) {
    case 0u:
        all_dirty();
        reset();
        break;
    case 1u:
        all_dirty();
        crash();
        break;
    case 2u: /* the others are in the middle of their first instructions */
        for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
            (void)cpu_on(cpu, busy);
        }
        reset();
        break;
    case 3u:
        if (nr_cpus > 1u) {
            (void)cpu_on(1u, reset_when_dirty);
            memory_dirty();
            dirtied = true;
        } else {
            reset();
        }
        break;
    case 4u:
        for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
            (void)cpu_on(cpu, crash);
        }
        crash();
        break;
    case 5u:
        all_dirty();
        hang();
        break;
    default: /* at once */
        reset();
        break;
    }
    for (;;) {
        arch_yield();
    }
}

void guest_main(void)
{
    struct domain_status status = { DOMAIN_RUNNING, 0u, 0u };
    const struct tree_node memory = tree_path("memory");
    const struct tree_node chosen = tree_path("chosen");
    const struct tree_node watchdog = tree_compatible("arm,sbsa-gwdt");
    uint64_t bytes;
    const uint64_t restarts = tree_number("restarts", UINT64_MAX);

    if (!domain_status(tree_number("self", 0u), &status)) {
        print("RESET-FAULT it cannot ask for its restarts\n");
    }
    while ((nr_cpus < GUEST_CPUS_MAX) && (cpu_hwid(nr_cpus) != UINT64_MAX)) {
        nr_cpus++;
    }
    tree_at = (uint64_t)(uintptr_t)chosen.at;
    (void)tree_reg(&memory, 0u, &ram_base, &ram_bytes);
    if (!tree_reg(&watchdog, 0u, &watchdog_control, &bytes)) {
        print("RESET-FAULT there is no watchdog\n");
    }
    memory_clean();
    interrupts_clean();
    registers_clean();
    devices_clean();
    print("RESET life %U, GICv%u, %u vCPUs, %u faults\n", status.restarts, irq_version(), nr_cpus, nr_faults);
    domain_report(status.restarts);
    if (status.restarts >= restarts) {
        print("RESET-END\n");
        power_off();
    }
    end(status.restarts % WAYS);
}
