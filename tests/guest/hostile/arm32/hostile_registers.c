/* Every encoding of MRC, MCR, MRRC and MCRR of coprocessors 14 and 15, those of HYP mode among them, and
 * instructions that a hypervisor traps or that nobody has defined. */
#include "code.h"
#include "hostile.h"

#define ROW    128u /* CRm and op2 */
#define WRITES 128u /* slots of the writes */

static uint64_t scratch[GUEST_CPUS_MAX][512] __attribute__((aligned(4096)));

/* What this guest stands on: SCTLR, its translation or regions, its vectors */
static bool is_kept(uint32_t cp, uint32_t op1, uint32_t crn, uint32_t crm, uint32_t op2)
{
    static const struct {
        uint32_t bits;
        uint32_t mask;
    } kept[] = {
        { CODE_COPROCESSOR(15u, 0u, 1u, 0u, 0u), CODE_COPROCESSOR(15u, 7u, 15u, 15u, 7u) },  /* SCTLR */
        { CODE_COPROCESSOR(15u, 0u, 2u, 0u, 0u), CODE_COPROCESSOR(15u, 7u, 15u, 0u, 0u) },   /* TTBR, TTBCR */
        { CODE_COPROCESSOR(15u, 0u, 6u, 0u, 0u), CODE_COPROCESSOR(15u, 6u, 15u, 0u, 0u) },   /* PRBAR .. */
        { CODE_COPROCESSOR(15u, 0u, 10u, 2u, 0u), CODE_COPROCESSOR(15u, 7u, 15u, 15u, 0u) }, /* MAIR */
        { CODE_COPROCESSOR(15u, 0u, 12u, 0u, 0u), CODE_COPROCESSOR(15u, 7u, 15u, 15u, 7u) }, /* VBAR */
    };
    const uint32_t this = CODE_COPROCESSOR(cp, op1, crn, crm, op2);
    bool found = false;

    for (uint32_t i = 0u; i < (sizeof(kept) / sizeof(kept[0])); i++) {
        found = found || ((this & kept[i].mask) == kept[i].bits);
    }
    return found;
}

/* What takes an address, or the number of a set */
static bool is_operation(uint32_t cp, uint32_t crn)
{
    return (cp == 15u) && ((crn == 7u) || (crn == 8u));
}

static void one(uint32_t slot, bool operation)
{
    const uint32_t me = cpu_number();
    const uint64_t before = traps[me];
    const uint64_t value = code_run(slot, 0u, 0u);
    const uint64_t after_read = traps[me];
    const bool readable = after_read == before;

    (void)code_run(WRITES + slot, operation ? (uint64_t)(uintptr_t)scratch[me] : value, 0u);
    if (traps[me] == after_read) {
        (void)code_run(WRITES + slot, UINT32_MAX, UINT32_MAX);
        (void)code_run(WRITES + slot, 0u, 0u);
        if (readable && !operation) {
            (void)code_run(WRITES + slot, value, 0u);
        }
        tried(2u);
    }
    tried(2u);
}

static void row(uint32_t cp, uint32_t op1, uint32_t crn)
{
    for (uint32_t i = 0u; i < ROW; i++) {
        code_put(i, CODE_MRC | CODE_COPROCESSOR(cp, op1, crn, i / 8u, i % 8u));
        code_put(WRITES + i, CODE_MCR | CODE_COPROCESSOR(cp, op1, crn, i / 8u, i % 8u));
    }
    code_sync();
    for (uint32_t i = 0u; i < ROW; i++) {
        if (!is_kept(cp, op1, crn, i / 8u, i % 8u)) {
            one(i, is_operation(cp, crn));
        }
    }
}

/* Rows in which nothing is defined take their turn only with more effort: each encoding is a piece of code of
 * its own to an emulator. */
static bool is_rare(uint32_t cp, uint32_t op1, uint32_t crn)
{
    return (cp == 15u) ? ((op1 != 0u) && (op1 != 4u) && ((crn % 5u) != 0u))
                       : ((op1 != 0u) && ((crn % 7u) != 0u));
}

static void space(uint32_t cp)
{
    timer_virt_set(0u); /* WFI is one of them: something is pending */
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint32_t op1 = 0u; op1 < 8u; op1++) {
        for (uint32_t crn = 0u; crn < 16u; crn++) {
            if ((storm(1u) > 1u) || !is_rare(cp, op1, crn)) {
                row(cp, op1, crn);
            }
        }
    }
    gic_calm();
}

static void system_registers(void)
{
    space(15u);
}

static void debug_registers(void)
{
    space(14u);
}

static void double_registers(void)
{
    for (uint32_t cp = 14u; cp < 16u; cp++) {
        for (uint32_t i = 0u; i < 256u; i++) {
            const uint32_t bits = CODE_DOUBLE(i / 16u, i % 16u);

            code_put(i, CODE_MRRC(cp) | bits);
            code_put(256u + i, CODE_MCRR(cp) | bits);
        }
        code_sync();
        for (uint32_t i = 0u; i < 256u; i++) {
            const bool tables = (cp == 15u) && ((i % 16u) == 2u) && (i < 32u);

            (void)code_run(i, 0u, 0u);
            if (!tables) {
                (void)code_run(256u + i, UINT32_MAX, UINT32_MAX);
                (void)code_run(256u + i, 0u, 0u);
            }
            tried(3u);
        }
    }
    gic_calm();
}

/* Everything that can be written stays full of ones, for a neighbour that comes to run on this CPU to
 * find. */
static void soiled_registers(void)
{
    for (uint32_t crn = 0u; crn < 16u; crn++) {
        const bool control = (crn == 1u) || (crn == 7u) || (crn == 8u) || (crn == 12u);

        for (uint32_t i = 0u; i < ROW; i++) {
            code_put(i, CODE_MCR | CODE_COPROCESSOR(15u, 0u, crn, i / 8u, i % 8u));
        }
        code_sync();
        for (uint32_t i = 0u; !control && (i < ROW); i++) {
            const bool timer = (crn == 14u) && ((i / 8u) != 1u);

            if (!timer && !is_kept(15u, 0u, crn, i / 8u, i % 8u)) {
                (void)code_run(i, UINT32_MAX, 0u);
                tried(1u);
            }
        }
    }
    take_interrupts(200000u);
}

/* HVC, SMC, BKPT, HLT, UDF; banked registers of HYP mode; WFI, WFE;
 * and words that are no instruction */
static void strange_instructions(void)
{
    static const uint32_t words[] = {
        0xE1200070u, 0xE12FFF7Fu, 0xE1000070u, 0xE7F000F0u, 0xE10E0300u, 0xE10F0300u, 0xE14E0300u,
        0xE12EF300u, 0xE16EF300u, 0xE320F002u, 0xE320F003u, 0xE320F004u, 0xE320F005u, 0xE320F0F0u,
        0x1320F003u, 0xF1010000u, 0xE321F0DAu, 0xE321F0D6u, 0xF102001Au, 0xF1020016u, 0xEEF00A10u,
        0xEEE00A10u, 0xEEF70A10u, 0xEE200A10u, 0xEC510B10u, 0xEE000E15u, 0xEE100E11u, 0xECB05E01u,
        0xECA05E01u, 0xEE1F0F10u, 0xEE0F0F10u, 0xEC5F0F0Fu, 0xEE000000u, 0xEE000F00u, 0xFE000F00u,
        0xF57FF01Fu, 0xFFFFFFFFu, 0x00000000u, 0xE7FFDEFEu, 0xE1400070u, 0xE1600070u, 0xE140EA71u,
        0xF6F0F000u, 0xE320F014u, 0xE320F010u,
    };
    const uint32_t nr_words = (uint32_t)(sizeof(words) / sizeof(words[0]));

    for (uint32_t i = 0u; i < nr_words; i++) {
        code_put(i, words[i]);
    }
    for (uint32_t i = 0u; i < 32u; i++) {
        const uint32_t imm = (uint32_t)random64();

        code_put(nr_words + (2u * i), 0xE1400071u | ((imm & 0xFFFu) << 8u) | (imm >> 28u)); /* HVC */
        code_put(nr_words + (2u * i) + 1u, 0xE1600070u | (imm & 15u));                      /* SMC */
    }
    code_sync();
    timer_virt_set(0u); /* something is pending: nothing of this sleeps */
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint32_t i = 0u; i < (nr_words + 64u); i++) {
        (void)code_run(i, (uint64_t)(uintptr_t)scratch[cpu_number()], UINT32_MAX);
    }
    tried(nr_words + 64u);
    gic_calm();
}

/* A kernel that writes itself while it runs: the instruction changes under the same address, with all
 * maintenance and with none. */
static void self_modifying(void)
{
    for (uint64_t i = 0u; storm_goes(i, 2000u); i++) {
        code_put(0u, 0xE3000000u | (uint32_t)(i & 0xFFFu)); /* movw r0, #i */
        if ((i % 2u) == 0u) {
            code_sync();
        }
        (void)code_run(0u, 0u, 0u);
    }
    tried(storm(2000u));
}

const struct attack attacks_registers[] = {
    { "strange_instructions", strange_instructions, false },
    { "system_registers", system_registers, false },
    { "debug_registers", debug_registers, false },
    { "double_registers", double_registers, false },
    { "soiled_registers", soiled_registers, true },
    { "self_modifying", self_modifying, true },
    { NULL, NULL, false },
};
