/* What only AArch32 has to be asked: modes, coprocessor registers, what is hidden, ARM and Thumb code that
 * the hypervisor has to step over, and with an MPU its own regions. */
#include "probe.h"

#define FIELD(value, low) (((value) >> (low)) & 15u)
#define MODE_MASK         0x1Fu
#define MODE_SVC          0x13u
#define PART_MASK         0xFFF0u
#define CORTEX_A15        0xC0F0u
#ifdef __thumb__
#define MY_STATE STATE_THUMB
#else
#define MY_STATE 0u
#endif

#define CP_READ(what)                                                                                        \
    ({                                                                                                       \
        uint32_t value_ = 0u;                                                                                \
        __asm__ volatile("mrc " what : "+r"(value_) : : "memory");                                           \
        value_;                                                                                              \
    })
#define CP_WRITE(what, value) __asm__ volatile("mcr " what "\n\tisb" : : "r"(value) : "memory")

static void level(void)
{
    uint32_t status;

    __asm__ volatile("mrs %0, cpsr" : "=r"(status));
    EXPECT_EQUAL(status & MODE_MASK, MODE_SVC);
}

static void hidden_features(void)
{
    const uint64_t pfr1 = reg_read(id_pfr1);
    const uint64_t dfr0 = reg_read(id_dfr0);
    const uint64_t pmu = FIELD(dfr0, 24u);

    EXPECT_EQUAL(FIELD(pfr1, 16u), 1u);                   /* the generic timer is there */
    if ((reg_read(midr_el1) & PART_MASK) != CORTEX_A15) { /* of which QEMU traps no identification */
        EXPECT_EQUAL(FIELD(pfr1, 12u), 0u);               /* EL2 */
        EXPECT_EQUAL(FIELD(pfr1, 28u), (irq_version() == 3u) ? 1u : 0u);
        EXPECT((pmu == 0u) || (pmu == 15u));
    }
}

#define READ_ROW(row)                                                                                        \
    do {                                                                                                     \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 0");                                                       \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 1");                                                       \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 2");                                                       \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 3");                                                       \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 4");                                                       \
        (void)CP_READ("p15, 0, %0, c0, c" #row ", 5");                                                       \
    } while (false)

static void identification_space(void)
{
    probe_catch();
    (void)CP_READ("p15, 0, %0, c0, c0, 1"); /* CTR */
    (void)CP_READ("p15, 1, %0, c0, c0, 0"); /* CCSIDR */
    READ_ROW(1);
    READ_ROW(2);
    EXPECT_EQUAL(probe_trap.count, 0u);
}

/* The hypervisor's own: one instruction each, one exception each */
static void upper_level(void)
{
    probe_catch();
    (void)CP_READ("p15, 4, %0, c1, c1, 0"); /* HCR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c1, c1, 0", 0u);
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c12, c0, 0", 0u); /* HVBAR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c0, c0, 5", 0u); /* VMPIDR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
#if GUEST_MPU
    probe_catch();
    CP_WRITE("p15, 4, %0, c6, c1, 1", 0u); /* HPRENR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c6, c3, 0", 0u); /* HPRBAR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c6, c8, 1", 1u); /* HPRLAR0 */
    EXPECT(probe_caught(CLASS_UNKNOWN));
#else
    probe_catch();
    CP_WRITE("p15, 4, %0, c2, c1, 2", 0u); /* VTCR */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    probe_catch();
    CP_WRITE("p15, 4, %0, c8, c7, 4", 0u); /* TLBIALLNSNH */
    EXPECT(probe_caught(CLASS_UNKNOWN));
#endif
}

/* RTOSes for Armv8-R expect a cycle counter that moves; nothing else of it is there. */
static void pmu_is_hidden(void)
{
    probe_catch();
    const uint32_t value = CP_READ("p15, 0, %0, c9, c13, 0"); /* PMCCNTR */
    EXPECT(probe_caught(CLASS_UNKNOWN) || ((probe_trap.count == 0u) && (GUEST_MPU || (value == 0u))));
    if (GUEST_MPU) {
        CP_WRITE("p15, 0, %0, c9, c12, 0", 0u); /* PMCR */
        EXPECT_EQUAL(CP_READ("p15, 0, %0, c9, c12, 0"), 0u);
        EXPECT(CP_READ("p15, 0, %0, c9, c13, 0") != value);
        EXPECT_EQUAL(probe_trap.count, 0u);
    }
}

/* Linux does these while it starts. */
static void debug_is_harmless(void)
{
    probe_catch();
    (void)CP_READ("p14, 0, %0, c0, c0, 0"); /* DBGDIDR */
    (void)CP_READ("p14, 0, %0, c0, c1, 0"); /* DBGDSCRint */
    CP_WRITE("p14, 0, %0, c1, c0, 4", 0u);  /* DBGOSLAR */
    (void)CP_READ("p14, 0, %0, c1, c1, 4"); /* DBGOSLSR */
    CP_WRITE("p14, 0, %0, c1, c3, 4", 0u);  /* DBGOSDLR */
    CP_WRITE("p14, 0, %0, c0, c0, 5", 0u);  /* DBGBCR0 */
    EXPECT_EQUAL(CP_READ("p14, 0, %0, c0, c0, 5"), 0u);
    EXPECT_EQUAL(probe_trap.count, 0u);
}

static void set_way(void)
{
    probe_catch();
    for (uint32_t way = 0u; way < 4u; way++) {
        for (uint32_t set = 0u; set < 4u; set++) {
            CP_WRITE("p15, 0, %0, c7, c10, 2", (way << 30u) | (set << 6u)); /* DCCSW */
            CP_WRITE("p15, 0, %0, c7, c14, 2", (way << 30u) | (set << 6u)); /* DCCISW */
        }
    }
    CP_WRITE("p15, 0, %0, c7, c6, 2", 0xEu); /* DCISW of a level that is not there */
    EXPECT_EQUAL(probe_trap.count, 0u);
    EXPECT(reg_read(clidr_el1) != 0u);
}

static void cache_by_address(void)
{
    static volatile uint32_t word;
    const uint32_t at = (uint32_t)(uintptr_t)&word;

    probe_catch();
    word = 5u;
    CP_WRITE("p15, 0, %0, c7, c14, 1", at); /* DCCIMVAC */
    CP_WRITE("p15, 0, %0, c7, c11, 1", at); /* DCCMVAU */
    CP_WRITE("p15, 0, %0, c7, c5, 1", at);  /* ICIMVAU */
    CP_WRITE("p15, 0, %0, c7, c5, 0", 0u);  /* ICIALLU */
    CP_WRITE("p15, 0, %0, c7, c1, 0", 0u);  /* ICIALLUIS */
    CP_WRITE("p15, 0, %0, c7, c5, 6", 0u);  /* BPIALL */
#if !GUEST_MPU
    CP_WRITE("p15, 0, %0, c8, c3, 0", 0u); /* TLBIALLIS */
#endif
    EXPECT_EQUAL(word, 5u);
    EXPECT_EQUAL(probe_trap.count, 0u);
}

/* SMCCC 1.2: what is no result survives a call. */
static void firmware_keeps_registers(void)
{
    uint32_t different;

    __asm__ volatile(".arch_extension virt\n\t"
                     "mov r0, #0x84000000\n\t"
                     "mov r4, #104\n\tmov r5, #105\n\tmov r8, #108\n\tmov r9, #109\n\tmov r10, #110\n\t"
                     "mov r12, #112\n\tmov lr, #114\n\t"
                     "hvc #0\n\t"
                     "sub r4, r4, #104\n\tsub r5, r5, #105\n\tsub r8, r8, #108\n\tsub r9, r9, #109\n\t"
                     "sub r10, r10, #110\n\tsub r12, r12, #112\n\tsub lr, lr, #114\n\t"
                     "orr r4, r4, r5\n\torr r8, r8, r9\n\torr r10, r10, r12\n\torr r4, r4, lr\n\t"
                     "orr r4, r4, r8\n\torr %0, r4, r10"
                     : "=&r"(different)
                     :
                     : "r0", "r1", "r2", "r3", "r4", "r5", "r8", "r9", "r10", "r12", "lr", "cc", "memory");
    EXPECT_EQUAL(different, 0u);
}

/* Devices' registers by every register of ours that an access may name: none is lost or mixed up. */
static void registers_by_number(void)
{
    const uintptr_t gicd = gic_distributor();
    uint32_t by_low;
    uint32_t by_high;
    uint32_t kept;

    __asm__ volatile("mov r3, #103\n\tmov r8, #108\n\tmov r12, #112\n\t"
                     "ldr r2, [%3, #4]\n\tldr r10, [%3, #4]\n\tldr lr, [%3, #4]\n\t"
                     "sub r10, r10, lr\n\torr %1, r2, r10\n\tmov %0, r2\n\t"
                     "sub r3, r3, #103\n\tsub r8, r8, #108\n\tsub r12, r12, #112\n\t"
                     "orr r3, r3, r8\n\torr %2, r3, r12"
                     : "=&r"(by_low), "=&r"(by_high), "=&r"(kept)
                     : "r"(gicd)
                     : "r2", "r3", "r8", "r10", "r12", "lr", "cc", "memory");
    EXPECT_EQUAL(by_low, by_high);
    EXPECT_EQUAL(by_low, mmio_read32(gicd + GICD_TYPER));
    EXPECT_EQUAL(kept, 0u);
}

/* An emulated access in a block of conditional instructions: what comes behind it still has its condition. */
static void conditional_access(void)
{
    const uintptr_t gicd = gic_distributor();
    uint32_t found = 0u;
    uint32_t after = 0u;

    __asm__ volatile("cmp %2, %2\n\t"
                     "ittee eq\n\t"
                     "ldreq %0, [%2, #4]\n\t"
                     "moveq %1, #1\n\t"
                     "movne %1, #2\n\t"
                     "ldrne %0, [%2, #8]"
                     : "+&r"(found), "+&r"(after)
                     : "r"(gicd)
                     : "cc", "memory");
    EXPECT_EQUAL(found, mmio_read32(gicd + GICD_TYPER));
    EXPECT_EQUAL(after, 1u);
}

/* An exception that the hypervisor makes: of this instruction, from this mode and state */
static void strange_calls(void)
{
    uint32_t at;

    probe_catch();
    __asm__ volatile(".arch_extension virt\n\t"
                     ".balign 4\n\t"
                     "adr %0, 1f\n\t"
                     ".balign 4\n"
                     "1:\thvc #0x1234"
                     : "=&r"(at)
                     :
                     : "r0", "r1", "r2", "r3", "memory");
    EXPECT(probe_caught(CLASS_UNKNOWN));
    EXPECT_EQUAL(probe_trap.pc, at & ~1u);
    EXPECT_EQUAL(probe_trap.state & MODE_MASK, MODE_SVC);
    EXPECT_EQUAL(probe_trap.state & STATE_THUMB, MY_STATE);
}

/* The same of an abort: not the hypervisor's view of it */
static void strange_places(void)
{
    uint32_t at;

    probe_catch();
    __asm__ volatile(".balign 4\n\t"
                     "adr %0, 1f\n\t"
                     ".balign 4\n"
                     "1:\tldr r2, [%1]"
                     : "=&r"(at)
                     : "r"(LAYOUT_NOWHERE)
                     : "r2", "memory");
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, LAYOUT_NOWHERE);
    EXPECT_EQUAL(probe_trap.pc, at & ~1u);
    EXPECT_EQUAL(probe_trap.state & MODE_MASK, MODE_SVC);
    EXPECT_EQUAL(probe_trap.state & STATE_THUMB, MY_STATE);
}

#if GUEST_MPU
#define REGION_OPEN 2u /* AP: any level may write */
#define REGION_RO   6u
#define SCTLR_BR    (1u << 17u)

static uint32_t area[256] __attribute__((aligned(1024)));

/* Takes `area` out of the library's region of all that is normal, and gives it one of its own. */
static void regions_set(uint32_t own, bool present)
{
    const uint32_t at = (uint32_t)(uintptr_t)area;

    arch_irq_mask();
    reg_write(sctlr_el1, reg_read(sctlr_el1) & ~1ULL);
    reg_write(prselr, 0u);
    reg_write(prlar, ((at - 1u) & ~63u) | 3u);
    reg_write(prselr, 2u);
    reg_write(prbar, (at + sizeof(area)) | REGION_OPEN | 0x18u);
    reg_write(prlar, 0xDFFFFFC0u | 3u);
    reg_write(prselr, 3u);
    reg_write(prbar, at | own | 0x18u);
    reg_write(prlar, ((at + sizeof(area) - 1u) & ~63u) | (present ? 3u : 2u));
    reg_write(sctlr_el1, reg_read(sctlr_el1) | 1u);
}

static void regions_restore(void)
{
    reg_write(sctlr_el1, reg_read(sctlr_el1) & ~(1ULL | SCTLR_BR));
    for (uint32_t n = 2u; n < 4u; n++) {
        reg_write(prselr, n);
        reg_write(prlar, 0u);
    }
    reg_write(prselr, 0u);
    reg_write(prlar, 0xDFFFFFC0u | 3u);
    reg_write(sctlr_el1, reg_read(sctlr_el1) | 1u);
}

/* What the guest forbids itself is its own affair. */
static void own_regions(void)
{
    volatile uint32_t *const word = area;

    *word = 7u;
    regions_set(REGION_RO, true);
    probe_catch();
    EXPECT_EQUAL(*word, 7u);
    EXPECT_EQUAL(probe_trap.count, 0u);
    mmio_write32((uintptr_t)area, 8u);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    EXPECT_EQUAL(probe_trap.address, (uintptr_t)area);
    EXPECT(((probe_trap.syndrome & SYNDROME_STATUS) & ~3u) == 0xCu); /* permission */
    regions_set(REGION_OPEN, false);
    probe_catch();
    (void)mmio_read32((uintptr_t)area);
    EXPECT(probe_caught(CLASS_DATA_ABORT)); /* no region */
    regions_restore();
    EXPECT_EQUAL(*word, 7u);
}

/* The default map where no region is */
static void background_region(void)
{
    volatile uint32_t *const word = area;

    *word = 9u;
    regions_set(REGION_OPEN, false);
    reg_write(sctlr_el1, reg_read(sctlr_el1) | SCTLR_BR);
    probe_catch();
    EXPECT_EQUAL(*word, 9u);
    *word = 10u;
    EXPECT_EQUAL(probe_trap.count, 0u);
    regions_restore();
    EXPECT_EQUAL(*word, 10u);
}

/* With the MPU off the default map is all there is. */
static void without_regions(void)
{
    volatile uint32_t *const word = area;

    probe_catch();
    reg_write(sctlr_el1, reg_read(sctlr_el1) & ~1ULL);
    *word = 11u;
    (void)mmio_read32(LAYOUT_NOWHERE);
    EXPECT(probe_caught(CLASS_DATA_ABORT));
    reg_write(sctlr_el1, reg_read(sctlr_el1) | 1u);
    EXPECT_EQUAL(*word, 11u);
}

static void region_count(void)
{
    EXPECT((FIELD(reg_read(mpuir), 8u) | (FIELD(reg_read(mpuir), 12u) << 4u)) >= 16u);
    EXPECT_EQUAL(FIELD(reg_read(id_mmfr0), 0u), 0u); /* no VMSA */
}
#endif

const struct probe probes_arch[] = {
    { "level", level },
    { "registers_by_number", registers_by_number },
    { "conditional_access", conditional_access },
    { "hidden_features", hidden_features },
    { "identification_space", identification_space },
    { "upper_level", upper_level },
    { "pmu_is_hidden", pmu_is_hidden },
    { "debug_is_harmless", debug_is_harmless },
    { "set_way", set_way },
    { "cache_by_address", cache_by_address },
    { "firmware_keeps_registers", firmware_keeps_registers },
    { "strange_calls", strange_calls },
    { "strange_places", strange_places },
#if GUEST_MPU
    { "own_regions", own_regions },
    { "background_region", background_region },
    { "without_regions", without_regions },
    { "region_count", region_count },
#endif
    { NULL, NULL },
};
