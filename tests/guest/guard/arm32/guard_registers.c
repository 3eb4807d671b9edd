#include "code.h"
#include "guard.h"

#define NOTES_MAX 1024u
#define ROW       128u /* CRm and op2 */

struct note {
    uint32_t register_bits;
    uint64_t value;
};

static struct note notes[NOTES_MAX];
static uint32_t nr_notes;
static volatile bool trapped;

static bool skip(struct trap_frame *frame, uint64_t syndrome, uint64_t address)
{
    (void)syndrome;
    (void)address;
    trapped = true;
    trap_skip(frame);
    return true;
}

#define ONE_OF(op1, crn, crm, op2) CODE_COPROCESSOR(15u, op1, crn, crm, op2)

/* What changes by itself, by being read, or by a hypervisor that mends a fault: encodings, and which of their
 * bits count */
static const struct {
    uint32_t bits;
    uint32_t mask;
} lively[] = {
    { ONE_OF(0u, 5u, 0u, 0u), ONE_OF(7u, 15u, 0u, 0u) },   /* DFSR, IFSR */
    { ONE_OF(0u, 6u, 0u, 0u), ONE_OF(7u, 15u, 15u, 0u) },  /* DFAR, IFAR */
    { ONE_OF(0u, 7u, 0u, 0u), ONE_OF(7u, 15u, 0u, 0u) },   /* operations, PAR */
    { ONE_OF(0u, 9u, 12u, 0u), ONE_OF(7u, 15u, 12u, 0u) }, /* performance counters */
    { ONE_OF(0u, 12u, 8u, 0u), ONE_OF(7u, 15u, 8u, 0u) },  /* the interrupt controller's */
    { ONE_OF(0u, 12u, 1u, 0u), ONE_OF(7u, 15u, 15u, 0u) }, /* ISR */
    { ONE_OF(0u, 14u, 2u, 0u), ONE_OF(7u, 15u, 14u, 0u) }, /* timers */
};

static bool is_lively(uint32_t which)
{
    bool found = false;

    for (uint32_t i = 0u; i < (sizeof(lively) / sizeof(lively[0])); i++) {
        found = found || ((which & lively[i].mask) == lively[i].bits);
    }
    return found;
}

static void row_note(uint32_t op1, uint32_t crn)
{
    for (uint32_t i = 0u; i < ROW; i++) {
        code_put(i, CODE_MRC | CODE_COPROCESSOR(15u, op1, crn, i / 8u, i % 8u));
    }
    code_sync();
    for (uint32_t i = 0u; (i < ROW) && (nr_notes < NOTES_MAX); i++) {
        const uint32_t which = CODE_COPROCESSOR(15u, op1, crn, i / 8u, i % 8u);

        if (!is_lively(which)) {
            trapped = false;
            const uint64_t value = code_run(i, 0u, 0u);

            if (!trapped) {
                notes[nr_notes].register_bits = which;
                notes[nr_notes].value = value;
                nr_notes++;
            }
        }
    }
}

uint32_t guard_registers_note(void)
{
    reg_write(tpidr_el0, 0x33334444u);
    reg_write(tpidrro_el0, 0x44445555u);
    reg_write(tpidr_el1, 0x55556666u);
    reg_write(contextidr_el1, 0x44445555u);
    trap_hook = skip;
    for (uint32_t op1 = 0u; op1 < 3u; op1++) {
        for (uint32_t crn = 0u; crn < 16u; crn++) {
            row_note(op1, crn);
        }
    }
    return nr_notes;
}

uint32_t guard_registers_differ(void)
{
    uint32_t differ = 0u;

    for (uint32_t first = 0u; first < nr_notes; first += CODE_SLOTS) {
        const uint32_t left = nr_notes - first;
        const uint32_t n = (left < CODE_SLOTS) ? left : CODE_SLOTS;

        for (uint32_t i = 0u; i < n; i++) {
            code_put(i, CODE_MRC | notes[first + i].register_bits);
        }
        code_sync();
        for (uint32_t i = 0u; i < n; i++) {
            const uint64_t value = code_run(i, 0u, 0u);

            if (value != notes[first + i].value) {
                print("GUARD register %x was %X, is %X\n", notes[first + i].register_bits,
                      notes[first + i].value, value);
                notes[first + i].value = value;
                differ++;
            }
        }
    }
    return differ;
}
