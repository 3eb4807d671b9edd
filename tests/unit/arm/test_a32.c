/* AArch32 guests: conditions, IT blocks, injected exceptions and coprocessor registers, as the manual's
 * tables and pseudocode have them. [test->req~id-registers~1] [test->req~set-way~1]
 * [test->req~aarch32-guests~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arm_a32.h"
#include "fake_arm.h"

#define EC(ec)                 (((uint64_t)(ec) << 26) | BIT64(25))
#define CV(cond)               (BIT64(24) | ((uint64_t)(cond) << 20))
#define CP(op1, crn, crm, op2) (((op2) << 17) | ((op1) << 14) | ((crn) << 10) | ((crm) << 1))
#define CP2(op1, crm, rt, rt2) (((op1) << 16) | ((rt2) << 10) | ((rt) << 5) | ((crm) << 1))
#define RT(n)                  ((uint64_t)(n) << 5)
#define READ                   1u
#define FLAGS(n, z, c, v)      (((uint32_t)(n) << 31) | ((z) << 30) | ((c) << 29) | ((v) << 28))

static int setup(void **state)
{
    (void)state;
    fake_machine(3, 4, 32);
    fake_load(0, 0);
    arm_sysreg_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

/* All conditions on all flags: each of the first 14 is the opposite of its neighbour. */
static void conditions(void **state)
{
    (void)state;
    for (uint32_t f = 0; f < 16; f++) {
        const bool n = (f & 8) != 0;
        const bool z = (f & 4) != 0;
        const bool c = (f & 2) != 0;
        const bool v = (f & 1) != 0;
        const bool want[7] = { z, c, n, v, c && !z, n == v, !z && (n == v) };

        for (uint32_t cond = 0; cond < 14; cond++) {
            assert_int_equal(arm_cond_holds(cond, f << 28),
                             ((cond & 1) == 0) ? want[cond / 2] : !want[cond / 2]);
        }
        assert_true(arm_cond_holds(14, f << 28));
        assert_true(arm_cond_holds(15, f << 28));
    }
}

static void trapped_conditional(void **state)
{
    const uint32_t z = FLAGS(0, 1, 0, 0);
    const uint32_t ne_block = ARM_PSR_T | ((0x18u >> 2) << 10); /* condition 1, one left */

    (void)state;
    assert_true(arm_trap_holds(EC(0x01) | CV(0), z));
    assert_false(arm_trap_holds(EC(0x01) | CV(1), z));
    assert_false(arm_trap_holds(EC(0x03) | CV(1), z));
    assert_false(arm_trap_holds(EC(0x0C) | CV(1), z));
    assert_true(arm_trap_holds(EC(0x12) | CV(1), z)); /* HVC: an immediate */
    assert_true(arm_trap_holds(EC(0x24) | CV(1), z));
    assert_true(arm_trap_holds(EC(0x00) | CV(1), z));
    assert_true(arm_trap_holds(EC(0x13) | CV(1), z)); /* known to have passed */
    assert_false(arm_trap_holds(EC(0x13) | CV(1) | BIT64(19), z));
    /* not described: the block's condition, 1 with the last bit of the mask */
    assert_false(arm_trap_holds(EC(0x01), z | ne_block));
    assert_true(arm_trap_holds(EC(0x01), ne_block));
    assert_true(arm_trap_holds(EC(0x01), z));
}

/* A Thumb IT block of three: each emulated instruction moves it on, the last one ends it. */
static void it_block(void **state)
{
    const uint32_t it = 0x0C; /* condition 0, three left: mask 1100 -> 1000 -> end */
    uint32_t cpsr = 0x30 | ((it >> 2) << 10) | ((it & 3) << 25);

    (void)state;
    cpsr = arm_psr_next(cpsr);
    assert_int_equal(arm_it_get(cpsr), 0x18);
    cpsr = arm_psr_next(cpsr);
    assert_int_equal(arm_it_get(cpsr), 0);
    assert_int_equal(cpsr, 0x30);
    assert_int_equal(arm_psr_next(0x13), 0x13);
}

static void injected(void **state)
{
    struct arm_a32_entry entry =
        arm_a32_enter(ARM_VECTOR_UNDEF, 0x8000, 0x60000110, ARM_SCTLR_SPAN, 0x40000000);

    (void)state;
    assert_int_equal(entry.pc, 0x40000004);
    assert_int_equal(entry.lr, 0x8004);
    assert_int_equal(entry.spsr, 0x60000110);
    assert_int_equal(entry.cpsr, 0x6000019B); /* flags, A stays, I set */
    /* out of Thumb code in an IT block, big-endian and Thumb handlers, high vectors, PAN */
    entry = arm_a32_enter(ARM_VECTOR_UNDEF, 0x8002, 0x8000FC3F, ARM_SCTLR_EE | ARM_SCTLR_TE | ARM_SCTLR_V,
                          0x1000);
    assert_int_equal(entry.pc, 0xFFFF0004);
    assert_int_equal(entry.lr, 0x8004);
    assert_int_equal(entry.cpsr, 0x804002BB);
    entry = arm_a32_enter(ARM_VECTOR_PABT, 0x8000, 0x13, ARM_SCTLR_SPAN, 0x1020);
    assert_int_equal(entry.pc, 0x102C);
    assert_int_equal(entry.lr, 0x8004);
    assert_int_equal(entry.cpsr, 0x197);
    assert_false(arm_a32_repeats(&entry, 0x8000));
    entry = arm_a32_enter(ARM_VECTOR_DABT, 0x8000, 0x000F0073, ARM_SCTLR_SPAN | ARM_SCTLR_DSSBS, 0x1000);
    assert_int_equal(entry.pc, 0x1010);
    assert_int_equal(entry.lr, 0x8008);
    assert_int_equal(entry.cpsr, 0x008F01D7); /* F stays, GE stays, T gone, SSBS */
    /* a fetch of the vector of refused fetches that is refused again */
    entry = arm_a32_enter(ARM_VECTOR_PABT, 0x100C, 0x197, ARM_SCTLR_SPAN, 0x1000);
    assert_true(arm_a32_repeats(&entry, 0x100C));
}

static void fault_status(void **state)
{
    (void)state;
    assert_int_equal(arm_a32_fsr(EC(0x20) | BIT64(6), false), 0x008);
    assert_int_equal(arm_a32_fsr(EC(0x20), true), 0x210);
    assert_int_equal(arm_a32_fsr(EC(0x24), true), 0x210);
    assert_int_equal(arm_a32_fsr(EC(0x24) | BIT64(6), true), 0xA10);
    assert_int_equal(arm_a32_fsr(EC(0x24) | BIT64(6), false), 0x808);
    assert_int_equal(arm_a32_fsr(EC(0x24) | BIT64(6) | BIT64(8), false), 0x2808);
}

/* Coprocessor registers and their AArch64 counterparts (DDI 0487 tables of the AArch32 system registers) */
static void decoded(void **state)
{
    static const struct {
        uint64_t esr;
        uint32_t encoding;
    } known[] = {
        { EC(3) | CV(14) | CP(0, 0, 1, 4), ARM_SYSREG(3, 0, 0, 1, 4) },   /* ID_MMFR0 */
        { EC(3) | CV(14) | CP(0, 1, 0, 1), ARM_SYSREG(3, 0, 1, 0, 1) },   /* ACTLR */
        { EC(3) | CV(14) | CP(0, 1, 0, 3), ARM_SYSREG(3, 0, 1, 0, 1) },   /* ACTLR2 */
        { EC(3) | CV(14) | CP(0, 7, 14, 2), ARM_SYSREG(1, 0, 7, 14, 2) }, /* DCCISW */
        { EC(3) | CV(14) | CP(0, 14, 2, 1), ARM_SYSREG(3, 3, 14, 2, 1) }, /* CNTP_CTL */
        { EC(3) | CP(0, 14, 2, 0), ARM_SYSREG(3, 3, 14, 2, 0) },          /* CNTP_TVAL */
        { EC(3) | CP(0, 12, 12, 5), ARM_SYSREG(3, 0, 12, 12, 5) },        /* ICC_SRE */
        { EC(3) | CP(0, 15, 1, 2), ARM_SYSREG(3, 0, 15, 1, 2) },          /* the implementation's */
        { EC(3) | CP(1, 9, 0, 2), ARM_SYSREG(3, 1, 9, 0, 2) },
        { EC(4) | CP2(0, 12, 2, 3), ARM_SYSREG(3, 0, 12, 11, 5) }, /* ICC_SGI1R */
        { EC(4) | CP2(1, 12, 2, 3), ARM_SYSREG(3, 0, 12, 11, 6) },
        { EC(4) | CP2(2, 12, 2, 3), ARM_SYSREG(3, 0, 12, 11, 7) },
        { EC(4) | CP2(3, 12, 2, 3), 0 },
        { EC(4) | CP2(2, 14, 2, 3), ARM_SYSREG(3, 3, 14, 2, 2) },  /* CNTP_CVAL */
        { EC(4) | CP2(0, 9, 2, 3), ARM_SYSREG(3, 0, 9, 13, 0) },   /* PMCCNTR */
        { EC(4) | CP2(0, 15, 2, 3), ARM_SYSREG(3, 0, 15, 15, 0) }, /* CPUACTLR */
        { EC(4) | CP2(0, 2, 2, 3), 0 },                            /* TTBR0 is not trapped */
        { EC(5) | CP(0, 1, 1, 4), ARM_SYSREG(2, 0, 1, 1, 4) },     /* DBGOSLSR */
        { EC(5) | CP(0, 0, 3, 5), ARM_SYSREG(2, 0, 0, 3, 5) },     /* DBGBCR3 */
        { EC(5) | CP(1, 0, 0, 0), 0 },                             /* trace */
        { EC(12) | CP2(0, 1, 0, 1), ARM_SYSREG(2, 0, 1, 0, 0) },   /* DBGDRAR */
        { EC(12) | CP2(1, 1, 0, 1), 0 },
        { EC(8) | CP(7, 7, 0, 0), ARM_SYSREG(3, 0, 0, 3, 0) }, /* MVFR0 */
        { EC(8) | CP(7, 6, 0, 0), ARM_SYSREG(3, 0, 0, 3, 1) },
        { EC(8) | CP(7, 5, 0, 0), ARM_SYSREG(3, 0, 0, 3, 2) },
        { EC(8) | CP(7, 0, 0, 0), 0 }, /* FPSID */
        { EC(6) | CV(14), 0 },         /* LDC */
    };

    (void)state;
    for (uint32_t n = 0; n < ARRAY_LEN(known); n++) {
        const struct arm_cp cp = arm_cp_decode(known[n].esr);

        assert_int_equal(cp.encoding, known[n].encoding);
    }
    assert_int_equal(arm_cp_decode(EC(4) | CP2(0, 12, 18, 19)).rt, 18);
    assert_int_equal(arm_cp_decode(EC(4) | CP2(0, 12, 18, 19)).rt2, 19);
    assert_int_equal(arm_cp_decode(EC(3) | RT(7)).rt, 7);
    assert_int_equal(arm_cp_decode(EC(3) | RT(7)).rt2, ARM_CP_NO_RT2);
}

static enum hal_resume reads(uint64_t esr, uint64_t *value)
{
    struct hal_vcpu *const vcpu = &fake_vcpu[0];
    enum hal_resume resume;

    vcpu->frame.x[2] = 0x5555;
    resume = arm_cp_access(vcpu, esr | RT(2) | READ);
    *value = vcpu->frame.x[2];
    return resume;
}

static enum hal_resume writes(uint64_t esr, uint64_t value)
{
    fake_vcpu[0].frame.x[2] = value;
    return arm_cp_access(&fake_vcpu[0], esr | RT(2));
}

static void identified(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(reads(EC(3) | CP(0, 0, 1, 0), &value), HAL_RESUME_NEXT);
    assert_int_equal(value, 0x01010101u * 0x10 & 0xFFFFF);
    assert_int_equal(reads(EC(3) | CP(0, 0, 1, 1), &value), HAL_RESUME_NEXT);
    assert_int_equal(value, (0x11111111u & 0x00010FFFu) | BIT32(28)); /* GICv3, no virtualization */
    assert_int_equal(reads(EC(3) | CP(0, 0, 2, 5), &value), HAL_RESUME_NEXT);
    assert_int_equal(value, 0x25252525);
    assert_int_equal(reads(EC(8) | CP(7, 7, 0, 0), &value), HAL_RESUME_NEXT);
    assert_int_equal(value, 0x33333330);
    for (uint32_t crm = 4; crm < 8; crm++) { /* AArch64's: reserved here */
        assert_int_equal(reads(EC(3) | CP(0, 0, crm, 0), &value), HAL_RESUME_NEXT);
        assert_int_equal(value, 0);
    }
    assert_int_equal(writes(EC(3) | CP(0, 0, 1, 0), 1), HAL_INJECT_UNDEF);
}

static void hidden(void **state)
{
    uint64_t value;

    (void)state;
    assert_int_equal(reads(EC(5) | CP(0, 1, 1, 4), &value), HAL_RESUME_NEXT); /* DBGOSLSR */
    assert_int_equal(value, 8);
    assert_int_equal(reads(EC(5) | CP(0, 0, 0, 0), &value), HAL_RESUME_NEXT); /* DBGDIDR */
    assert_int_equal(value, 0);
    assert_int_equal(writes(EC(5) | CP(0, 0, 2, 2), 0xFFFFFFFF), HAL_RESUME_NEXT);
    assert_int_equal(reads(EC(5) | CP(1, 0, 0, 0), &value), HAL_INJECT_UNDEF);
    assert_int_equal(value, 0x5555);
    assert_int_equal(reads(EC(3) | CP(0, 9, 12, 0), &value), HAL_INJECT_UNDEF); /* PMCR */
    assert_int_equal(reads(EC(3) | CP(0, 15, 0, 0), &value), HAL_INJECT_UNDEF);
    assert_int_equal(reads(EC(6), &value), HAL_INJECT_UNDEF);
    assert_int_equal(reads(EC(3) | CP(0, 1, 0, 1), &value), HAL_RESUME_NEXT); /* ACTLR */
    assert_int_equal(value, 0);
}

static void set_and_way(void **state)
{
    (void)state;
    fake_cisw = 0;
    assert_int_equal(writes(EC(3) | CP(0, 7, 14, 2), (3u << 30) | (2u << 6)), HAL_RESUME_NEXT);
    assert_int_equal(fake_cisw, (3u << 30) | (2u << 6));
    fake_cisw = 0;
    assert_int_equal(writes(EC(3) | CP(0, 7, 14, 2), (3u << 30) | (4u << 6)),
                     HAL_RESUME_NEXT);                                           /* no such set */
    assert_int_equal(writes(EC(3) | CP(0, 7, 14, 2), 1u << 1), HAL_RESUME_NEXT); /* no such level */
    assert_int_equal(fake_cisw, 0);
}

/* 64 bits in two registers: the compare value of the physical timer, and an SGI. */
static void pairs(void **state)
{
    struct hal_vcpu *const vcpu = &fake_vcpu[0];

    (void)state;
    vcpu->frame.x[2] = 0x89ABCDEFu;
    vcpu->frame.x[3] = 0x01234567u;
    assert_int_equal(arm_cp_access(vcpu, EC(4) | CP2(2, 14, 2, 3)), HAL_RESUME_NEXT);
    assert_true(vcpu->arm.timer.cntp_cval == 0x0123456789ABCDEFULL);
    assert_int_equal(arm_cp_access(vcpu, EC(4) | CP2(2, 14, 4, 5) | READ), HAL_RESUME_NEXT);
    assert_int_equal(vcpu->frame.x[4], 0x89ABCDEFu);
    assert_int_equal(vcpu->frame.x[5], 0x01234567u);
    vcpu->frame.x[2] = (5u << 24) | 2u; /* SGI 5 to vCPU 1 */
    vcpu->frame.x[3] = 0u;
    assert_int_equal(arm_cp_access(vcpu, EC(4) | CP2(0, 12, 2, 3)), HAL_RESUME_NEXT);
    assert_true((fake_vcpu[1].arm.vgic.inbox & BIT64(5)) != 0u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions),
        cmocka_unit_test(trapped_conditional),
        cmocka_unit_test(it_block),
        cmocka_unit_test(injected),
        cmocka_unit_test(fault_status),
        cmocka_unit_test(decoded),
        cmocka_unit_test_setup_teardown(identified, setup, teardown),
        cmocka_unit_test_setup_teardown(hidden, setup, teardown),
        cmocka_unit_test_setup_teardown(set_and_way, setup, teardown),
        cmocka_unit_test_setup_teardown(pairs, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
