#include <stdbool.h>
#include "kinds.h"

const char *const kind_name[NR_KINDS] = { "alu",    "ldst",   "excl", "br",   "mrs", "msr",
                                          "gicmrs", "gicmsr", "isb",  "dsb",  "dmb", "tlbi",
                                          "cache",  "at",     "eret", "hint", "wfi", "fp" };

/* Without a register: hints, barriers, PSTATE */
static int kind_of_bare(uint32_t op, unsigned crn, unsigned op2)
{
    if (crn == 2) {
        return op == 0xD503207Fu || op == 0xD503205Fu ? C_WFI : C_HINT;
    }
    if (crn != 3) {
        return C_MSR;
    }
    switch (op2) {
    case 6:
        return C_ISB;
    case 4:
    case 1:
        return C_DSB;
    default:
        return C_DMB;
    }
}

static bool is_gic(uint32_t op)
{
    unsigned op1 = op >> 16 & 7, crn = op >> 12 & 15, crm = op >> 8 & 15, op2 = op >> 5 & 7;
    bool pmr = crn == 4 && crm == 6 && op1 == 0 && op2 == 0;

    return (crn == 12 && crm >= 8) || pmr;
}

static int kind_of_system(uint32_t op)
{
    unsigned op0 = op >> 19 & 3, crn = op >> 12 & 15, crm = op >> 8 & 15;
    bool read = (op >> 21 & 1) != 0;

    if (op0 == 0) {
        return kind_of_bare(op, crn, op >> 5 & 7);
    }
    if (op0 == 1) {
        if (crn == 8) {
            return C_TLBI;
        }
        return crn == 7 && crm == 8 ? C_AT : C_CACHE;
    }
    if (op0 == 3 && is_gic(op)) {
        return read ? C_GICMRS : C_GICMSR;
    }
    return read ? C_MRS : C_MSR;
}

int kind_of(uint32_t op)
{
    if ((op & 0xFFC00000u) == 0xD5000000u) {
        return kind_of_system(op);
    }
    if (op == 0xD69F03E0u || (op & 0xFFFFFBFFu) == 0xD69F0BFFu) {
        return C_ERET;
    }
    if ((op & 0x1C000000u) == 0x14000000u) {
        return C_BR;
    }
    if ((op & 0x0A000000u) == 0x08000000u) {
        bool exclusive = (op & 0x3F000000u) == 0x08000000u;
        bool atomic = (op & 0x3B200C00u) == 0x38200000u && (op >> 26 & 1) == 0;
        return exclusive || atomic ? C_EXCL : C_LDST;
    }
    return (op & 0x0E000000u) == 0x0E000000u ? C_FP : C_ALU;
}

/* MCR, MRC, MCRR, MRRC of coprocessor 15: the GIC's are CRn 12, CRm 8 and up, and PMR; the pair of CRm 12 is
 * ICC_SGI. Those of banked registers are moves, too. */
static int kind_of_coprocessor(uint32_t op, bool is_pair)
{
    unsigned crn = op >> 16 & 15, crm = op & 15;
    bool pmr = !is_pair && crn == 4 && crm == 6 && (op >> 21 & 7) == 0;
    bool gic = is_pair ? crm == 12 : (crn == 12 && crm >= 8) || pmr;
    bool read = (op >> 20 & 1) != 0;

    if (!is_pair && crn == 7) {
        return C_CACHE;
    }
    if (!is_pair && crn == 8) {
        return C_TLBI;
    }
    if (gic) {
        return read ? C_GICMRS : C_GICMSR;
    }
    return read ? C_MRS : C_MSR;
}

/* Registers of the system: status and banked ones, coprocessor 15; -1: something else. */
static int kind_of_move(uint32_t op)
{
    if ((op & 0x0FBF0DFFu) == 0x010F0000u || (op & 0x0FB00EFFu) == 0x01000200u) {
        return C_MRS;
    }
    if ((op & 0x0FB0FCF0u) == 0x0120F000u || (op & 0x0FB0FEF0u) == 0x0120F200u) {
        return C_MSR;
    }
    if ((op & 0x0F000F10u) == 0x0E000F10u) {
        return kind_of_coprocessor(op, false);
    }
    return (op & 0x0FE00F00u) == 0x0C400F00u ? kind_of_coprocessor(op, true) : -1;
}

int kind_of_arm(uint32_t op)
{
    const unsigned group = op >> 25 & 7;
    const int move = kind_of_move(op);

    if (move >= 0) {
        return move;
    }
    if ((op & 0xFFFFFF00u) == 0xF57FF000u) {
        return (op & 0xF0u) == 0x60u ? C_ISB : (op & 0xF0u) == 0x50u ? C_DMB : C_DSB;
    }
    if ((op & 0x0FFFFFFFu) == 0x0160006Eu) {
        return C_ERET;
    }
    if ((op & 0x0FFFFFFEu) == 0x0320F002u) {
        return C_WFI;
    }
    if ((op & 0x0F800FF0u) == 0x01800F90u) {
        return C_EXCL;
    }
    if (group >= 5) {
        return group == 5 ? C_BR : C_FP;
    }
    return group >= 2 && !(group == 3 && (op & 0x10u) != 0) ? C_LDST : C_ALU;
}
