/* Every encoding of MRS, MSR, SYS and SYSL, and instructions that a hypervisor traps or that nobody has
 * defined. */
#include "code.h"
#include "hostile.h"

#define ROW    128u /* CRm and op2 */
#define WRITES 128u /* slots of the writes */

static uint64_t scratch[GUEST_CPUS_MAX][512] __attribute__((aligned(4096)));

/* What this guest stands on: its translation, its vectors, which stack it has and that it is not
 * interrupted */
static bool is_kept(uint32_t op0, uint32_t op1, uint32_t crn, uint32_t crm, uint32_t op2)
{
    static const uint32_t kept[] = {
        CODE_SYSREG(3u, 0u, 1u, 0u, 0u),  CODE_SYSREG(3u, 0u, 2u, 0u, 0u),  CODE_SYSREG(3u, 0u, 2u, 0u, 2u),
        CODE_SYSREG(3u, 0u, 10u, 2u, 0u), CODE_SYSREG(3u, 0u, 12u, 0u, 0u), CODE_SYSREG(3u, 0u, 4u, 2u, 0u),
        CODE_SYSREG(3u, 3u, 4u, 2u, 1u),
    };
    const uint32_t this = CODE_SYSREG(op0, op1, crn, crm, op2);
    bool found = false;

    for (uint32_t i = 0u; i < (sizeof(kept) / sizeof(kept[0])); i++) {
        found = found || (kept[i] == this);
    }
    return found;
}

static void one(uint32_t slot, bool is_operation)
{
    const uint32_t me = cpu_number();
    const uint64_t before = traps[me];
    const uint64_t value = code_run(slot, 0u, 0u);
    const uint64_t after_read = traps[me];
    const bool readable = after_read == before;

    (void)code_run(WRITES + slot, is_operation ? (uint64_t)(uintptr_t)scratch[me] : value, 0u);
    if (traps[me] == after_read) {
        (void)code_run(WRITES + slot, UINT64_MAX, 0u);
        (void)code_run(WRITES + slot, 0u, 0u);
        if (readable && !is_operation) {
            (void)code_run(WRITES + slot, value, 0u);
        }
        tried(2u);
    }
    tried(2u);
}

static void row(uint32_t op0, uint32_t op1, uint32_t crn)
{
    for (uint32_t i = 0u; i < ROW; i++) {
        code_put(i, CODE_MRS | CODE_SYSREG(op0, op1, crn, i / 8u, i % 8u));
        code_put(WRITES + i, CODE_MSR | CODE_SYSREG(op0, op1, crn, i / 8u, i % 8u));
    }
    code_sync();
    for (uint32_t i = 0u; i < ROW; i++) {
        if (!is_kept(op0, op1, crn, i / 8u, i % 8u)) {
            one(i, op0 == 1u);
        }
    }
}

/* Rows of which nothing can be meant for EL1 (other levels' registers, nothing defined) take their turn only
 * with more effort: each encoding is a piece of code of its own to an emulator. */
static bool is_rare(uint32_t op0, uint32_t op1, uint32_t crn)
{
    const bool other_level = (op1 == 2u) || (op1 > 3u);
    const bool operation = (crn >= 7u) && (crn != 10u);
    bool rare = other_level && ((crn % 4u) != 0u);

    if (op0 == 1u) {
        rare = rare || !operation;
    } else if (op0 == 2u) {
        rare = rare || (crn > 9u);
    } else {
        /* registers are everywhere */
    }
    return rare;
}

static void space(uint32_t op0)
{
    for (uint32_t op1 = 0u; op1 < 8u; op1++) {
        for (uint32_t crn = 0u; crn < 16u; crn++) {
            if ((storm(1u) > 1u) || !is_rare(op0, op1, crn)) {
                row(op0, op1, crn);
            }
        }
    }
}

static void operations(void)
{
    space(1u);
}

static void debug_registers(void)
{
    space(2u);
}

static void system_registers(void)
{
    space(3u);
    gic_calm();
}

/* Whether this guest can go on without it: not its translation, state, interrupts or timers */
static bool is_spare(uint32_t op1, uint32_t crn, uint32_t crm, uint32_t op2)
{
    const bool control = (crn == 1u) || (crn == 4u) || (crn == 12u) || ((crn == 14u) && (crm != 1u));

    return !control && !is_kept(3u, op1, crn, crm, op2);
}

/* Everything that can be written stays full of ones, for a neighbour that comes to run on this CPU to
 * find. */
static void soiled_registers(void)
{
    for (uint32_t op1 = 0u; op1 < 4u; op1++) {
        for (uint32_t crn = 0u; crn < 16u; crn++) {
            for (uint32_t i = 0u; i < ROW; i++) {
                code_put(i, CODE_MSR | CODE_SYSREG(3u, op1, crn, i / 8u, i % 8u));
            }
            code_sync();
            for (uint32_t i = 0u; i < ROW; i++) {
                if (is_spare(op1, crn, i / 8u, i % 8u)) {
                    (void)code_run(i, UINT64_MAX, 0u);
                    tried(1u);
                }
            }
        }
    }
    take_interrupts(200000u);
}

/* HVC, SMC, SVC, BRK, HLT, DCPS; ERET to nowhere good; UDF; WFET; vector lengths, matrices, tags; and words
 * that are no instruction */
static void strange_instructions(void)
{
    static const uint32_t words[] = {
        0xD4200000u, 0xD43FFFE0u, 0xD4400000u, 0xD4A00001u, 0xD4A00002u, 0xD4A00003u, 0xD4000001u,
        0xD41FFFE1u, 0x00000000u, 0x0000FFFFu, 0xFFFFFFFFu, 0xD5031000u, 0xD5031020u, 0x04BF5000u,
        0xD503477Fu, 0xD503467Fu, 0xD9200000u, 0xD96003E0u, 0x9AC01400u, 0xD69F0BFFu, 0xD69F0FFFu,
        0xDAC143E0u, 0x1E2E1000u, 0x0420E3E0u, 0xD50323FFu, 0xD503201Fu, 0xD503203Fu, 0xD503205Fu,
        0xD5033FDFu, 0xD5033F9Fu, 0xF83F0000u, 0xC8207C20u,
    };
    const uint32_t nr_words = (uint32_t)(sizeof(words) / sizeof(words[0]));

    for (uint32_t i = 0u; i < nr_words; i++) {
        code_put(i, words[i]);
    }
    for (uint32_t i = 0u; i < 32u; i++) {
        const uint32_t imm = (i == 0u) ? 0xEA1u : ((uint32_t)random64() | 1u) & 0xFFFFu;

        code_put(nr_words + (2u * i), 0xD4000002u | (imm << 5u));      /* HVC */
        code_put(nr_words + (2u * i) + 1u, 0xD4000003u | (imm << 5u)); /* SMC */
    }
    code_sync();
    timer_virt_set(0u); /* something is pending: nothing of this sleeps */
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint32_t i = 0u; i < (nr_words + 64u); i++) {
        (void)code_run(i, (uint64_t)(uintptr_t)scratch[cpu_number()], UINT64_MAX);
    }
    tried(nr_words + 64u);
}

/* A kernel that writes itself while it runs: the instruction changes under the same address, with all
 * maintenance and with none. */
static void self_modifying(void)
{
    for (uint64_t i = 0u; storm_goes(i, 2000u); i++) {
        code_put(0u, 0xD2800000u | ((uint32_t)(i & 0xFFFFu) << 5u)); /* mov x0, #i */
        if ((i % 2u) == 0u) {
            code_sync();
        }
        (void)code_run(0u, 0u, 0u);
    }
    tried(storm(2000u));
}

const struct attack attacks_registers[] = {
    { "strange_instructions", strange_instructions, false },
    { "operations", operations, false },
    { "debug_registers", debug_registers, false },
    { "system_registers", system_registers, false },
    { "soiled_registers", soiled_registers, true },
    { "self_modifying", self_modifying, true },
    { NULL, NULL, false },
};
