/* Processes of this guest: what USR mode can reach of the hypervisor, in ARM and Thumb code, and returns to
 * modes that do not exist. Vectors of their own: whatever happens ends the run. */
#include "code.h"
#include "hostile.h"
#include "hostile_arch.h"

#define STATE_USR       0x1D0u /* A, I and F masked */
#define STATE_THUMB_USR 0x1F0u
#define SVC_ARM         0xEF000000u
#define SVC_THUMB       0xDF00u
#define ROW             128u

extern const char el0_vectors[];
static uint32_t user[ROW * 4u] __attribute__((aligned(4096)));
static uint64_t vectors_before;

__asm__(".text\n\t"
        ".arm\n\t"
        ".balign 32\n"
        "el0_vectors:\n\t"
        ".rept 8\n\t"
        "b 1f\n\t"
        ".endr\n"
        "1: cps #0x13\n\t"
        "clrex\n\t"
        "pop {r4-r11, pc}\n\t"
        ".global el0_run\n\t"
        ".type el0_run, %function\n"
        "el0_run:\n\t"
        "push {r4-r11, lr}\n\t"
        "push {r0, r1}\n\t"
        "mov r0, r2\n\t"
        "rfeia sp!\n");

void el0_begin(void)
{
    vectors_before = reg_read(vbar_el1);
    reg_write(vbar_el1, (uintptr_t)el0_vectors);
    hostile_alias();
    reg_write(cntkctl_el1, 0x303u);
    timer_virt_set(0u); /* pending for ever: WFI goes on */
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
}

void el0_end(void)
{
    reg_write(vbar_el1, vectors_before);
    timer_virt_stop();
}

static void user_sync(void)
{
    __asm__ volatile("dsb ish\n\tmcr p15, 0, %0, c7, c1, 0\n\tdsb ish\n\tisb" : : "r"(0u) : "memory");
}

static void user_row(uint32_t cp, uint32_t op1, uint32_t crn)
{
    for (uint32_t i = 0u; i < ROW; i++) {
        const uint32_t which = CODE_COPROCESSOR(cp, op1, crn, i / 8u, i % 8u);

        user[4u * i] = CODE_MRC | which;
        user[(4u * i) + 1u] = SVC_ARM;
        user[(4u * i) + 2u] = CODE_MCR | which;
        user[(4u * i) + 3u] = SVC_ARM;
    }
    user_sync();
    for (uint32_t i = 0u; i < (2u * ROW); i++) {
        el0_run((uint32_t)(uintptr_t)&user[2u * i], STATE_USR, (uint32_t)(uintptr_t)user);
    }
    tried(2u * ROW);
}

static void el0_registers(void)
{
    el0_begin();
    for (uint32_t crn = 0u; crn < 16u; crn++) {
        user_row(15u, 0u, crn);
        user_row(15u, 4u, crn);
    }
    user_row(14u, 0u, 0u);
    user_row(14u, 0u, 1u);
    el0_end();
}

/* Always, and where the condition fails */
static const uint32_t words[] = {
    0xE320F003u, 0xE320F002u, 0x1320F003u, 0x0320F002u, 0xEC510F0Eu, 0xEC510F1Eu, 0xEC510F2Eu, 0xEC410F2Eu,
    0xEE100E11u, 0xEE100E15u, 0xECB05E01u, 0xECA05E01u, 0xEEF00A10u, 0xEEF70A10u, 0xE1400070u, 0xE1600070u,
    0xE140EA71u, 0xE1200070u, 0xE7F000F0u, 0xE160006Eu, 0xF102001Au, 0xE10E0300u, 0xE5901000u, 0xE5801000u,
    0xE4901004u, 0xE1D010B0u, 0xE1C010B0u, 0xE1D010D0u, 0xE1C020D0u, 0xE1C020F0u, 0xE890000Eu, 0xE880000Eu,
    0xE1901F9Fu, 0xE1802F91u, 0xE1001091u, 0xF4200A0Fu, 0xE5D01000u, 0xE5C01000u, 0xE12FFF30u,
};
/* Each: IT, a conditional access of r0, and one after it */
static const uint16_t thumb[] = { 0xBF08u, 0x6801u, 0xBF18u, 0x6801u, 0xBF0Cu, 0x7801u, 0xBF14u,
                                  0x8001u, 0xBF30u, 0xBF00u, 0xBF20u, 0xBF00u, 0xBF1Cu, 0xC806u };

static void el0_thumb(const uint32_t *place, uint32_t nr_places)
{
    uint16_t *const half = (uint16_t *)(void *)user;

    for (uint32_t i = 0u; i < (sizeof(thumb) / sizeof(thumb[0])); i += 2u) {
        half[0] = thumb[i];
        half[1] = thumb[i + 1u];
        half[2] = thumb[i + 1u];
        half[3] = SVC_THUMB;
        half[4] = SVC_THUMB;
        user_sync();
        for (uint32_t p = 0u; p < nr_places; p++) {
            el0_run((uint32_t)(uintptr_t)user, STATE_THUMB_USR, place[p]);
            el0_run((uint32_t)(uintptr_t)user, STATE_THUMB_USR | 0x40000000u, place[p]);
            /* in the middle of a block already, an impossible one too */
            el0_run((uint32_t)(uintptr_t)&half[1], STATE_THUMB_USR | 0x06001800u, place[p]);
            el0_run((uint32_t)(uintptr_t)&half[1], STATE_THUMB_USR | 0x0600FC00u, place[p]);
            tried(4u);
        }
    }
}

static void el0_instructions(void)
{
    const uint32_t place[] = { HOSTILE_ALIAS + (uint32_t)console_base() + 0x18u,
                               HOSTILE_ALIAS + (uint32_t)gic_distributor() + 2u, LAYOUT_NOWHERE + 1u };

    el0_begin();
    for (uint32_t i = 0u; i < (sizeof(words) / sizeof(words[0])); i++) {
        user[0] = words[i];
        user[1] = SVC_ARM;
        user_sync();
        for (uint32_t p = 0u; p < 3u; p++) {
            el0_run((uint32_t)(uintptr_t)user, STATE_USR, place[p]);
            el0_run((uint32_t)(uintptr_t)user, STATE_USR | 0x40000000u, place[p]);
            tried(2u);
        }
    }
    el0_thumb(place, 3u);
    el0_end();
}

/* Everything by USR mode: a load, a store and a jump each MiB. What a load brings is not told: the neighbour
 * judges. */
static void el0_places(void)
{
    el0_begin();
    user[0] = 0xE5901000u; /* ldr r1, [r0] */
    user[1] = 0xE5801000u; /* str r1, [r0] */
    user[2] = SVC_ARM;
    user[4] = 0xE5801000u;
    user[5] = SVC_ARM;
    user_sync();
    for (uint32_t mib = 0u; mib < 4096u; mib++) {
        const uint32_t at = (mib << 20u) | ((uint32_t)random64() & 0xFFFFCu);

        if (!hostile_is_ours(at)) {
            el0_run((uint32_t)(uintptr_t)user, STATE_USR, at);
            el0_run((uint32_t)(uintptr_t)&user[4], STATE_USR, at);
            el0_run(at, STATE_USR, at);
            tried(3u);
        }
    }
    el0_end();
}

/* Every mode number, with bits that mean nothing */
static void illegal_states(void)
{
    el0_begin();
    user[0] = SVC_ARM;
    user[1] = SVC_ARM;
    user_sync();
    for (uint32_t mode = 0u; mode < 32u; mode++) {
        if (((mode & 0x10u) == 0u) || (mode == 0x16u) || (mode == 0x1Au)) { /* the others are ours */
            el0_run((uint32_t)(uintptr_t)user, 0x1C0u | mode, 0u);
            el0_run((uint32_t)(uintptr_t)user + 2u, 0x1C0u | mode, 0u);
            el0_run(LAYOUT_NOWHERE, 0x1C0u | mode, 0u);
            tried(3u);
        }
    }
    el0_end();
}

const struct attack attacks_el0[] = {
    { "el0_registers", el0_registers, false },
    { "el0_instructions", el0_instructions, false },
    { "el0_places", el0_places, false },
    { "illegal_states", illegal_states, false },
    { NULL, NULL, false },
};
