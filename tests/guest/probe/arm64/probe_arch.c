/* What only AArch64 has to be asked: identification, what is hidden, set/way operations. */
#include "probe.h"

#define FIELD(value, low) (((value) >> (low)) & 15u)

static void level(void)
{
    EXPECT_EQUAL(reg_read(CurrentEL), 4u);
}

static void hidden_features(void)
{
    const uint64_t pfr0 = reg_read(id_aa64pfr0_el1);
    const uint64_t pfr1 = reg_read(id_aa64pfr1_el1);
    const uint64_t dfr0 = reg_read(id_aa64dfr0_el1);

    EXPECT_EQUAL(FIELD(pfr0, 32u), 0u); /* SVE */
    EXPECT_EQUAL(FIELD(pfr0, 8u), 0u);  /* EL2 */
    EXPECT_EQUAL(FIELD(pfr0, 40u), 0u); /* MPAM */
    EXPECT_EQUAL(FIELD(pfr0, 44u), 0u); /* AMU */
    EXPECT_EQUAL(FIELD(pfr1, 8u), 0u);  /* MTE */
    EXPECT_EQUAL(FIELD(pfr1, 24u), 0u); /* SME */
    EXPECT_EQUAL(FIELD(dfr0, 8u), 0u);  /* PMU */
    EXPECT_EQUAL(FIELD(dfr0, 4u), 0u);  /* trace */
    EXPECT_EQUAL(FIELD(dfr0, 32u), 0u); /* statistical profiling */
    EXPECT_EQUAL(FIELD(pfr0, 24u), (irq_version() == 3u) ? 1u : 0u);
    EXPECT(FIELD(pfr0, 16u) != 15u);                         /* floating point is there */
    EXPECT_EQUAL(FIELD(reg_read(id_aa64mmfr1_el1), 8u), 0u); /* VHE */
}

#define READ_ROW(row)                                                                                        \
    do {                                                                                                     \
        (void)reg_read(S3_0_C0_C##row##_0);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_1);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_2);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_3);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_4);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_5);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_6);                                                                  \
        (void)reg_read(S3_0_C0_C##row##_7);                                                                  \
    } while (false)

/* All of the identification space can be read; what is not allocated there is zero. */
static void identification_space(void)
{
    probe_catch();
    READ_ROW(1);
    READ_ROW(2);
    READ_ROW(3);
    READ_ROW(4);
    READ_ROW(5);
    READ_ROW(6);
    READ_ROW(7);
    EXPECT_EQUAL(probe_trap.count, 0u);
    EXPECT_EQUAL(reg_read(S3_0_C0_C7_7), 0u);
}

/* Even a guest that opens its own gate to SVE finds none. */
static void sve_is_undefined(void)
{
    const uint64_t before = reg_read(cpacr_el1);

    probe_catch();
    reg_write(cpacr_el1, before | (3u << 16u));
    __asm__ volatile(".inst 0x0420e3e0" : : : "x0"); /* cntb x0 */
    EXPECT(probe_caught(CLASS_UNKNOWN));
    reg_write(cpacr_el1, before);
}

static void pmu_is_hidden(void)
{
    probe_catch();
    const uint64_t value = reg_read(pmccntr_el0);
    EXPECT(probe_caught(CLASS_UNKNOWN) || ((probe_trap.count == 0u) && (value == 0u)));
}

/* Linux writes these while it starts. */
static void debug_is_harmless(void)
{
    probe_catch();
    reg_write(mdscr_el1, 0u);
    EXPECT_EQUAL(reg_read(mdscr_el1), 0u);
    reg_write(oslar_el1, 0u);
    reg_write(osdlr_el1, 0u);
    EXPECT_EQUAL(reg_read(oslsr_el1) & 2u, 0u);
    reg_write(dbgbcr0_el1, 0u);
    EXPECT_EQUAL(reg_read(dbgbcr0_el1), 0u);
    EXPECT_EQUAL(probe_trap.count, 0u);
}

static void set_way(void)
{
    const uint64_t clidr = reg_read(clidr_el1);

    probe_catch();
    for (uint64_t way = 0u; way < 4u; way++) {
        for (uint64_t set = 0u; set < 4u; set++) {
            const uint64_t operand = (way << 30u) | (set << 6u);

            __asm__ volatile("dc csw, %0" : : "r"(operand) : "memory");
            __asm__ volatile("dc cisw, %0" : : "r"(operand) : "memory");
        }
    }
    __asm__ volatile("dc isw, %0\n\tdsb sy" : : "r"(0xEULL) : "memory"); /* a level that is not there */
    EXPECT_EQUAL(probe_trap.count, 0u);
    EXPECT(clidr != 0u);
}

static void cache_by_address(void)
{
    static uint64_t word;

    probe_catch();
    word = 5u;
    __asm__ volatile("dc civac, %0\n\tdsb sy\n\tic iallu\n\tic ialluis\n\tdsb sy\n\tisb"
                     :
                     : "r"(&word)
                     : "memory");
    __asm__ volatile("dc cvau, %0\n\tic ivau, %1\n\tdsb sy\n\tisb"
                     :
                     : "r"(&word), "r"(cache_by_address)
                     : "memory");
    __asm__ volatile("tlbi vmalle1is\n\tdsb sy\n\tisb" : : : "memory");
    EXPECT_EQUAL(word, 5u);
    EXPECT_EQUAL(probe_trap.count, 0u);
}

/* SMCCC 1.2: what is no result survives a call. */
static void firmware_keeps_registers(void)
{
    uint64_t different;

    __asm__ volatile(
        "mov x0, #0x84000000\n\t"
        "mov x4, #104\n\tmov x5, #105\n\tmov x6, #106\n\tmov x7, #107\n\tmov x8, #108\n\tmov x9, #109\n\t"
        "mov x16, #116\n\tmov x17, #117\n\tmov x19, #119\n\tmov x28, #128\n\t"
        "hvc #0\n\t"
        "sub x4, x4, #104\n\tsub x5, x5, #105\n\tsub x6, x6, #106\n\tsub x7, x7, #107\n\t"
        "sub x8, x8, #108\n\tsub x9, x9, #109\n\tsub x16, x16, #116\n\tsub x17, x17, #117\n\t"
        "sub x19, x19, #119\n\tsub x28, x28, #128\n\t"
        "orr x4, x4, x5\n\torr x6, x6, x7\n\torr x8, x8, x9\n\torr x16, x16, x17\n\torr x19, x19, x28\n\t"
        "orr x4, x4, x6\n\torr x8, x8, x16\n\torr x4, x4, x8\n\torr %0, x4, x19"
        : "=&r"(different)
        :
        : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x16", "x17", "x19", "x28", "memory");
    EXPECT_EQUAL(different, 0u);
}

/* Devices' registers by every register of ours that an access may name: none is lost or mixed up. */
static void registers_by_number(void)
{
    const uint64_t gicd = gic_distributor();
    uint64_t by_low;
    uint64_t by_high;
    uint64_t kept;

    __asm__ volatile(
        "mov x19, #119\n\tmov x20, #120\n\tmov x28, #128\n\tmov x30, #130\n\t"
        "ldr w2, [%3, #4]\n\tldr w21, [%3, #4]\n\tldr wzr, [%3, #4]\n\t"
        "mov %0, x2\n\tmov %1, x21\n\t"
        "sub x19, x19, #119\n\tsub x20, x20, #120\n\tsub x28, x28, #128\n\tsub x30, x30, #130\n\t"
        "orr x19, x19, x20\n\torr x28, x28, x30\n\torr %2, x19, x28"
        : "=&r"(by_low), "=&r"(by_high), "=&r"(kept)
        : "r"(gicd)
        : "x2", "x19", "x20", "x21", "x28", "x30", "memory");
    EXPECT_EQUAL(by_low, by_high);
    EXPECT(by_low != 0u);
    EXPECT_EQUAL(kept, 0u);
}

static void strange_calls(void)
{
    probe_catch();
    __asm__ volatile("hvc #0x1234" : : : "x0", "x1", "x2", "x3", "memory");
    EXPECT(probe_caught(CLASS_UNKNOWN));
}

const struct probe probes_arch[] = {
    { "level", level },
    { "registers_by_number", registers_by_number },
    { "hidden_features", hidden_features },
    { "identification_space", identification_space },
    { "sve_is_undefined", sve_is_undefined },
    { "pmu_is_hidden", pmu_is_hidden },
    { "debug_is_harmless", debug_is_harmless },
    { "set_way", set_way },
    { "cache_by_address", cache_by_address },
    { "firmware_keeps_registers", firmware_keeps_registers },
    { "strange_calls", strange_calls },
    { NULL, NULL },
};
