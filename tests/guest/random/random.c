/* Random instructions, at EL1 and EL0 by turns. A seed makes a buffer of words, some of them biased: system
 * registers, loads and stores, calls; registers hold addresses of memory and devices, function numbers,
 * anything. Each exception comes to vectors of our own that trust nothing but their own address: they set the
 * translation and a stack up again and go on behind the instruction, with other registers. The timer ends
 * what does not end. When the guest has destroyed itself its watchdog notices, and the next life takes its
 * seeds from the counter.
 *
 * A line each second tells how many words were passed over, at least, and how many seeds. */
#include "random.h"

#define WORDS       512u
#define DATA_BYTES  65536u
#define TRAPS_MOST  400u  /* of one seed */
#define SEEDS_MOST  1000u /* of one life: some are ruined and do not end by themselves */
#define SCTLR       0x30D00980u
#define SCTLR_MMU   0x1005u
#define ALIAS       0x40000000u /* EL0 sees RAM this much higher */
#define BLOCK_EL0   0x40000745u /* 1 GiB at 0x40000000, EL0 may write */
#define STATE_EL1H  0x5u
#define STATE_EL0   0x0u
#define STATE_MODE  0x1Fu
#define STATE_MASKS 0x300u /* D and A; interrupts are open */

struct random_keep random_keep;
uint8_t random_stack[16384] __attribute__((aligned(16)));
extern const char random_vectors[];

/* What random addresses point to: further away from everything else than ADR reaches */
struct area {
    uint8_t before[DATA_BYTES];
    uint32_t words[WORDS];
    uint8_t data[DATA_BYTES];
};

static struct area *const area = (struct area *)0x40800000u;
static uint64_t state;
static uint64_t instructions;
static uint64_t seeds;
static uint64_t traps;
static uint32_t traps_here;
static uint64_t next_line;
static uint64_t began; /* the pc that was entered last */
static uintptr_t watchdog;
static uintptr_t devices[6];
static uint32_t nr_devices;

static uint64_t any(void)
{
    state ^= state << 13u;
    state ^= state >> 7u;
    state ^= state << 17u;
    return state * 0x2545F4914F6CDD1DULL;
}

/* -- Words -- */

/* SCTLR, TTBR0, TCR and VBAR of EL1: each such write is the end of a life, one in 16 stays. ICC_BPR1_EL1,
 * BRAA and BRAB: none, QEMU 10.0 ends by an assertion when a guest writes 8 to the one or, on a CPU with BTI,
 * executes the others. */
static bool is_fatal(uint32_t word)
{
    static const uint32_t fatal[] = { 0xD5181000u, 0xD5182000u, 0xD5182040u, 0xD518C000u };
    bool found = false;

    for (uint32_t i = 0u; i < 4u; i++) {
        found = found || ((word & ~31u) == fatal[i]);
    }
    return ((word & ~31u) == 0xD518CC60u) || ((word & ~0x7FFu) == 0xD71F0800u) ||
           (found && ((any() >> 60u) != 0u));
}

static uint32_t word_any(void)
{
    const uint64_t r = any();
    uint32_t word = (uint32_t)(r >> 8u);

    switch (r & 15u) {
    case 0:
    case 1:
    case 2: /* MSR, MRS, SYS, hints, barriers */
        word = 0xD5000000u | (word & 0x3FFFFFu);
        break;
    case 3: /* registers of EL0 and EL1 alone */
        word = 0xD5180000u | (word & 0x23FFFFu) | ((word & 0x80000000u) >> 13u);
        break;
    case 4: /* loads and stores: immediate, */
        word = 0x39000000u | (word & 0xC0FFFFFFu);
        break;
    case 5: /* write-back, register offset, atomic, */
        word = 0x38000000u | (word & 0xC0FFFFFFu);
        break;
    case 6: /* pairs, exclusive */
        word =
            ((word & 1u) != 0u) ? (0x28000000u | (word & 0xC1FFFFFFu)) : (0x08000000u | (word & 0xC0FFFFFFu));
        break;
    case 7: /* SVC, HVC, SMC, BRK with and without a number */
        word = 0xD4000000u | (word & (((word & 0x80000000u) != 0u) ? 0xE00003u : 0xFFFFFFu));
        break;
    default:
        break;
    }
    return is_fatal(word) ? 0xD503201Fu : word;
}

static void fill(void)
{
    for (uint32_t i = 0u; i < WORDS; i++) {
        area->words[i] = word_any();
    }
    for (uintptr_t at = (uintptr_t)area->words; at < (uintptr_t)&area->words[WORDS]; at += 16u) {
        __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    }
    __asm__ volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" : : : "memory");
}

/* -- Registers -- */

static uint64_t value_any(uint64_t alias)
{
    /* no SYSTEM_OFF, no CPU_OFF: they would be the last */
    static const uint32_t calls[8] = { 0x84000000u, 0xC4000001u, 0xC4000003u, 0xC4000004u,
                                       0x8400000Au, 0x80000001u, 0xC6000000u, 0xC6000001u };
    const uint64_t r = any();
    uint64_t value = any();

    switch (r & 15u) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        value = (uint64_t)(uintptr_t)area->data + (DATA_BYTES / 2u) + alias + ((r >> 8u) & 0xFF8u);
        break;
    case 5:
    case 6:
        value = (uint64_t)devices[(r >> 8u) % nr_devices] + ((r >> 16u) & 0xFFFCu);
        break;
    case 7:
        value = calls[(r >> 8u) & 7u];
        break;
    case 8:
        value = (uint64_t)(uintptr_t)area->words + alias + ((r >> 8u) & 0x7FCu);
        break;
    case 9:
    case 10:
        value &= 0xFFu;
        break;
    case 11:
        value &= 0x7FFFFFFFFFu; /* somewhere in the lower half of the address space */
        break;
    default:
        break;
    }
    return value;
}

static _Noreturn void go(uint64_t pc, uint64_t mode)
{
    static struct random_start start;
    const uint64_t alias = (mode == STATE_EL0) ? ALIAS : 0u;

    for (uint32_t i = 0u; i < 31u; i++) {
        start.x[i] = value_any(alias);
    }
    start.sp = (uint64_t)(uintptr_t)area->data + (DATA_BYTES / 2u);
    start.sp_el0 = start.sp + alias;
    start.pc = pc;
    start.state = mode | STATE_MASKS | ((any() & 15u) << 28u);
    began = pc;
    random_enter(&start);
}

/* -- Seeds -- */

static void tick(uint32_t intid)
{
    (void)intid;
    timer_virt_stop();
}

static void controller_restore(void)
{
    mmio_write32(gic_private() + GICD_ICENABLER, UINT32_MAX);
    mmio_write32(gic_private() + GICD_ICPENDR, UINT32_MAX);
    mmio_write32(gic_private() + GICD_ICACTIVER, UINT32_MAX);
    if (irq_version() == 3u) {
        reg_write(S3_0_C12_C9_0, 0u); /* ICC_AP1R0_EL1 */
    }
    mmio_write32(gic_distributor() + GICD_CTLR, (irq_version() == 3u) ? 0x12u : 1u);
    irq_init_cpu();
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
}

static void report(void)
{
    const uint64_t now = timer_phys_now();
    if ((next_line - now) > timer_frequency()) { /* it has passed, or somebody wrote to it */
        next_line = now + timer_frequency();
        print("RANDOM instructions=%U seeds=%U traps=%U\n", instructions, seeds, traps);
    }
}

static _Noreturn void seed_next(void)
{
    seeds++;
    if (seeds > SEEDS_MOST) {
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    traps_here = 0u;
    controller_restore();
    report();
    if (watchdog != 0u) {
        mmio_write32(watchdog, 0u);
    }
    fill();
    timer_virt_set(timer_now() + (timer_frequency() / 250u));
    if ((seeds & 1u) != 0u) {
        go((uint64_t)(uintptr_t)area->words + ALIAS, STATE_EL0);
    }
    go((uint64_t)(uintptr_t)area->words, STATE_EL1H);
}

/* An exception: kind is the vector's number, 0 to 15. */
void random_trap(uint64_t kind)
{
    const uint64_t pc = reg_read(elr_el1);
    const uint64_t mode = reg_read(spsr_el1) & STATE_MODE;
    const uint64_t base = (uint64_t)(uintptr_t)area->words + ((mode == STATE_EL0) ? ALIAS : 0u);
    const bool inside = (pc >= base) && (pc < (base + sizeof(area->words)));

    traps++;
    traps_here++;
    instructions += (inside && (pc >= began)) ? (((pc - began) / 4u) + 1u) : 1u;
    if ((kind & 3u) == 1u) {
        irq_dispatch();
    }
    if (((kind & 3u) != 0u) || (traps_here >= TRAPS_MOST) || ((mode != STATE_EL0) && (mode != STATE_EL1H))) {
        seed_next();
    }
    /* behind the instruction, or anywhere if it led away */
    go(((inside && ((pc + 4u) < (base + sizeof(area->words)))) ? (pc + 4u)
                                                               : (base + (any() % sizeof(area->words)))) &
           ~3ULL,
       mode);
}

/* -- Beginning -- */

static void device_add(const char *what)
{
    const struct tree_node node = tree_compatible(what);
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    for (uint32_t i = 0u; (i < 2u) && tree_reg(&node, i, &base, &bytes); i++) {
        devices[nr_devices] = (uintptr_t)base;
        nr_devices++;
    }
}

void guest_main(void)
{
    const struct tree_node node = tree_compatible("arm,sbsa-gwdt");
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    if (tree_reg(&node, 1u, &base, &bytes)) {
        watchdog = (uintptr_t)base; /* the refresh frame */
    }
    /* not the UART: a large offset from there reaches the watchdog, and nobody would notice the end */
    device_add("arm,gic-v3");
    device_add("arm,gic-400");
    devices[nr_devices] = 0x3F000000u; /* nothing is there */
    nr_devices++;
    random_keep = (struct random_keep){ .mair = reg_read(mair_el1),
                                        .tcr = reg_read(tcr_el1),
                                        .ttbr0 = (uint64_t)(uintptr_t)level1,
                                        .sctlr = SCTLR | SCTLR_MMU };
    level1[2] = BLOCK_EL0;
    state = (timer_phys_now() * 0x9E3779B97F4A7C15ULL) | 1u;
    state = tree_number("seed", state);
    print("RANDOM %s begins, seed %U\n", tree_domain_name(), state);
    next_line = timer_phys_now() + timer_frequency();
    reg_write(vbar_el1, (uint64_t)(uintptr_t)random_vectors);
    __asm__ volatile("dsb sy\n\ttlbi vmalle1\n\tdsb sy\n\tisb" : : : "memory");
    seed_next();
}
