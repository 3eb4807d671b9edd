/* Processes of this guest: what EL0 can reach of the hypervisor, in AArch64 and, where the CPU has it,
 * AArch32; and returns to states that do not exist. Vectors of their own: whatever happens ends the run. */
#include "code.h"
#include "hostile.h"

#define USER_CODE   0xC0000000u /* RAM again, for EL0 */
#define USER_DEVICE 0x80000000u /* the first GiB again, for EL0 */
#define RAM         0x40000000u
#define BLOCK_USER  0x745ULL
#define STATE_A64   0x3C0ULL /* EL0t, all masked */
#define STATE_A32   0x1D0ULL /* user, A I F masked */
#define STATE_T32   0x1F0ULL
#define SVC_A64     0xD4000001u
#define SVC_A32     0xEF000000u
#define PAIRS       512u
#define ROW         128u
#define SCTLR_OPEN                                                                                           \
    ((1ULL << 26u) | (1ULL << 18u) | (1ULL << 16u) | (1ULL << 15u) | (1ULL << 14u) | (1ULL << 9u))

extern uint64_t level1[512];
extern const char el0_vectors[];
uint64_t el0_run(uint64_t pc, uint64_t state, uint64_t x0);
static uint32_t user[PAIRS * 2u] __attribute__((aligned(4096)));
static uint64_t vectors_before;

/* el0_run() returns the syndrome of what ended the run. */
__asm__(".text\n\t"
        ".balign 2048\n"
        "el0_vectors:\n\t"
        ".rept 16\n\t"
        ".balign 128\n\t"
        "b 1f\n\t"
        ".endr\n"
        "1: ldp x19, x20, [sp, #16]\n\t"
        "ldp x21, x22, [sp, #32]\n\t"
        "ldp x23, x24, [sp, #48]\n\t"
        "ldp x25, x26, [sp, #64]\n\t"
        "ldp x27, x28, [sp, #80]\n\t"
        "ldp x29, x30, [sp], #96\n\t"
        "mrs x0, esr_el1\n\t"
        "ret\n"
        ".global el0_run\n"
        "el0_run:\n\t"
        "stp x29, x30, [sp, #-96]!\n\t"
        "stp x19, x20, [sp, #16]\n\t"
        "stp x21, x22, [sp, #32]\n\t"
        "stp x23, x24, [sp, #48]\n\t"
        "stp x25, x26, [sp, #64]\n\t"
        "stp x27, x28, [sp, #80]\n\t"
        "msr elr_el1, x0\n\t"
        "msr spsr_el1, x1\n\t"
        "mov x0, x2\n\t"
        "isb\n\t"
        "eret\n");

static uint64_t user_address(const void *at)
{
    return (uint64_t)(uintptr_t)at - RAM + USER_CODE;
}

static void user_begin(void)
{
    level1[USER_CODE >> 30u] = RAM | BLOCK_USER;
    level1[USER_DEVICE >> 30u] = BLOCK_USER;
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
    vectors_before = reg_read(vbar_el1);
    reg_write(vbar_el1, (uint64_t)(uintptr_t)el0_vectors);
    reg_write(sctlr_el1, reg_read(sctlr_el1) | SCTLR_OPEN);
    reg_write(cntkctl_el1, 0x303u);
    timer_virt_set(0u); /* pending for ever: WFI goes on */
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
}

static void user_end(void)
{
    reg_write(vbar_el1, vectors_before);
    reg_write(sctlr_el1, reg_read(sctlr_el1) & ~SCTLR_OPEN);
    timer_virt_stop();
}

static void user_sync(void)
{
    __asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}

static void a64_row(uint32_t op0, uint32_t op1, uint32_t crn)
{
    for (uint32_t i = 0u; i < ROW; i++) {
        const uint32_t which = CODE_SYSREG(op0, op1, crn, i / 8u, i % 8u);

        user[4u * i] = CODE_MRS | which;
        user[(4u * i) + 1u] = SVC_A64;
        user[(4u * i) + 2u] = CODE_MSR | which;
        user[(4u * i) + 3u] = SVC_A64;
    }
    user_sync();
    for (uint32_t i = 0u; i < (2u * ROW); i++) {
        (void)el0_run(user_address(&user[2u * i]), STATE_A64, user_address(user));
    }
    tried(2u * ROW);
}

static void el0_registers(void)
{
    user_begin();
    for (uint32_t op1 = 0u; op1 < 8u; op1++) {
        for (uint32_t crn = 0u; crn < 16u; crn++) {
            a64_row(3u, op1, crn);
        }
    }
    a64_row(1u, 3u, 7u);
    a64_row(2u, 3u, 0u);
    user_end();
}

static void el0_instructions(void)
{
    static const uint32_t words[] = {
        0xD4000002u, 0xD4000003u, 0xD4000022u, 0xD4200000u, 0xD4400000u, 0xD503205Fu,
        0xD503207Fu, 0xD69F03E0u, 0x00000000u, 0x04BF5000u, 0xD503477Fu, 0xF9400001u,
        0xB9000001u, 0xA9400C02u, 0xB8404401u, 0xC85F7C01u, 0x88E1FC02u, 0xD50B7420u,
        0xD50B7B20u, 0x3DC00001u, 0x39400001u, 0x79000001u,
    };

    user_begin();
    for (uint32_t i = 0u; i < (sizeof(words) / sizeof(words[0])); i++) {
        user[2u * i] = words[i];
        user[(2u * i) + 1u] = SVC_A64;
    }
    user_sync();
    for (uint32_t i = 0u; i < (sizeof(words) / sizeof(words[0])); i++) {
        (void)el0_run(user_address(&user[2u * i]), STATE_A64, USER_DEVICE + console_base() + 0x18u);
        (void)el0_run(user_address(&user[2u * i]), STATE_A64, USER_DEVICE + 0x03001003u);
        (void)el0_run(user_address(&user[2u * i]), STATE_A64, USER_DEVICE + 0x30000000u);
        tried(3u);
    }
    user_end();
}

static void aarch32(void)
{
    /* always, and where the condition fails */
    static const uint32_t words[] = {
        0xE320F003u, 0xE320F002u, 0x1320F003u, 0x0320F002u, 0xEE100F10u, 0xEE190F1Du, 0x1E190F1Du,
        0xEE1E0F12u, 0xEE1E0F32u, 0xEE0E0F32u, 0xEC510F0Eu, 0xEC510F1Eu, 0xEC510F2Eu, 0xEC410F2Eu,
        0xEE100E11u, 0xEE100E15u, 0xECB05E01u, 0xECA05E01u, 0xEEF00A10u, 0xEEF70A10u, 0xEE1F0F10u,
        0xEE0F0F10u, 0xE1400070u, 0xE1600070u, 0xE1200070u, 0xE7F000F0u, 0xEE070F56u, 0xEE070F5Eu,
        0xEE110F10u, 0xEE1C0F10u, 0xEC8B0F0Cu, 0xEE1D0F70u, 0xE5901000u, 0xE5801000u, 0xE4901004u,
        0xE1D010B0u, 0xE1C010B0u, 0xE1D010D0u, 0xE1C020D0u, 0xE1C020F0u, 0xE890000Eu, 0xE880000Eu,
        0xE1901F9Fu, 0xE1802F91u, 0xE1001091u, 0xF4200A0Fu, 0xE5D01000u, 0xE5C01000u,
    };
    /* each: IT, a conditional access of r0, and one after it */
    static const uint16_t thumb[] = { 0xBF08u, 0x6801u, 0xBF18u, 0x6801u, 0xBF0Cu, 0x7801u, 0xBF14u,
                                      0x8001u, 0xBF30u, 0xBF00u, 0xBF20u, 0xBF00u, 0xBF1Cu, 0xC806u };
    uint16_t *const half = (uint16_t *)(void *)user;

    if ((reg_read(id_aa64pfr0_el1) & 15u) != 2u) {
        print("HOSTILE has no AArch32\n");
        return;
    }
    user_begin();
    for (uint32_t i = 0u; i < (sizeof(words) / sizeof(words[0])); i++) {
        user[0] = words[i];
        user[1] = SVC_A32;
        user_sync();
        (void)el0_run(USER_CODE + ((uintptr_t)user - RAM), STATE_A32, USER_DEVICE + console_base() + 0x18u);
        (void)el0_run(USER_CODE + ((uintptr_t)user - RAM), STATE_A32 | 0x40000000u,
                      USER_DEVICE + 0x03001002u);
        (void)el0_run(USER_CODE + ((uintptr_t)user - RAM), STATE_A32, USER_DEVICE + 0x30000001u);
        tried(3u);
    }
    for (uint32_t i = 0u; i < (sizeof(thumb) / sizeof(thumb[0])); i += 2u) {
        half[0] = thumb[i];
        half[1] = thumb[i + 1u];
        half[2] = thumb[i + 1u];
        half[3] = 0xDF00u; /* svc */
        half[4] = 0xDF00u;
        user_sync();
        (void)el0_run(user_address(user), STATE_T32, USER_DEVICE + console_base() + 0x18u);
        (void)el0_run(user_address(user), STATE_T32 | 0x40000000u, USER_DEVICE + console_base() + 0x18u);
        /* in the middle of a block already, an impossible one too */
        (void)el0_run(user_address(&half[1]), STATE_T32 | 0x06001800u, USER_DEVICE + 0x03001004u);
        (void)el0_run(user_address(&half[1]), STATE_T32 | 0x0600FC00u, USER_DEVICE + 0x30000004u);
        tried(4u);
    }
    user_end();
}

/* Every mode number, with bits that mean nothing */
static void illegal_states(void)
{
    user_begin();
    user[0] = SVC_A64;
    user_sync();
    for (uint64_t mode = 0u; mode < 32u; mode++) {
        if ((mode != 4u) && (mode != 5u)) { /* our own level: legal, and it would go on there */
            (void)el0_run(user_address(user), 0x3C0u | mode, 0u);
            (void)el0_run(user_address(user), (random64() & ~0x1FULL) | 0x1003C0u | mode, 0u);
            (void)el0_run(user_address(user) + 1u, 0x3C0u | mode, 0u);
            (void)el0_run(0x30000000u, 0x3C0u | mode, 0u);
            tried(4u);
        }
    }
    user_end();
}

const struct attack attacks_el0[] = {
    { "el0_registers", el0_registers, false },
    { "el0_instructions", el0_instructions, false },
    { "aarch32", aarch32, false },
    { "illegal_states", illegal_states, false },
    { NULL, NULL, false },
};
