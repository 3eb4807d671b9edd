/* Tasks as small kernels have them: two in system mode that yield by SVC and keep floating-point registers,
 * one that never yields, and one at EL0 in a region of its own. */
#include "rtos.h"

#define TASKS      5u
#define FRAME      82u /* FPSCR and one more, 64 of floating point, r0 to r12, lr, pc, cpsr */
#define AT_LR      79u
#define AT_PC      80u
#define AT_CPSR    81u
#define CPSR_SYS   0x1fu
#define CPSR_USR   0x10u
#define CPSR_THUMB 0x20u
#define TURNS      200u
#define CNTP       30u

bool rtos_interrupt(void);
uint32_t *rtos_on_svc(uint32_t *state);
uint32_t *rtos_on_irq(uint32_t *state);

uint32_t rtos_user_faults;
static uint64_t stacks[TASKS][128];
static uint64_t user_stack[128] __attribute__((section(".user"), aligned(64)));
static volatile uint32_t user_turns __attribute__((section(".user")));
static uint32_t *states[TASKS]; /* 0: the one that began */
static uint32_t running;
static volatile uint32_t turns[TASKS];
static volatile uint32_t wrong;

static uint32_t *next(uint32_t *state)
{
    states[running] = state;
    running = (running + 1u) % TASKS;
    return states[running];
}

uint32_t *rtos_on_svc(uint32_t *state)
{
    return next(state);
}

uint32_t *rtos_on_irq(uint32_t *state)
{
    return (rtos_interrupt() && (states[1] != (uint32_t *)0)) ? next(state) : state;
}

static void yield(void)
{
    __asm__ volatile("svc #0" : : : "memory");
}

static void task_fp(uint32_t n)
{
    const uint32_t seed = 0x10000u * n;

    for (;;) {
        rtos_fp_fill(seed + turns[n]);
        yield();
        wrong += rtos_fp_check(seed + turns[n]);
        turns[n]++;
    }
}

static void task_a(void)
{
    task_fp(1u);
}

static void task_b(void)
{
    task_fp(2u);
}

static void task_busy(void)
{
    for (;;) {
        turns[3]++;
    }
}

/* The first time it tries to change the kernel's memory. */
static void task_user(void)
{
    __asm__ volatile("str.w %0, [%1]" : : "r"(0u), "r"(&wrong) : "memory");
    for (;;) {
        user_turns++;
        yield();
    }
}

static void task_make(uint32_t n, void (*entry)(void), uint64_t *top, uint32_t mode)
{
    uint32_t *const state = (uint32_t *)top - FRAME;

    state[AT_PC] = (uint32_t)(uintptr_t)entry & ~1u;
    state[AT_CPSR] = mode | (((uint32_t)(uintptr_t)entry & 1u) != 0u ? CPSR_THUMB : 0u);
    states[n] = state;
}

void tasks_check(void)
{
    const uint64_t limit = GET64(0, 14) + (GET(0, 14, 0, 0) * 20ULL);

    task_make(1u, task_a, &stacks[1][128], CPSR_SYS);
    task_make(2u, task_b, &stacks[2][128], CPSR_SYS);
    task_make(3u, task_busy, &stacks[3][128], CPSR_SYS);
    task_make(4u, task_user, &user_stack[128], CPSR_USR);
    rtos_fp_fill(0x5000u);
    gic_enable(CNTP);
    SET64(2, 14, GET64(0, 14));
    SET(0, 14, 2, 1, 1u);
    irq_open();
    while ((turns[1] < TURNS) && (GET64(0, 14) < limit)) {
        yield();
    }
    irq_close();
    SET(0, 14, 2, 1, 0u);
    gic_disable(CNTP);
    /* The tick that ends the busy task's turn is followed at once by others when a hypervisor had the CPU for
     * some periods: they end the turns of whoever is next, before it counted. */
    tell("task-switch", (turns[1] >= TURNS) && (turns[2] >= (TURNS / 10u)), turns[2]);
    tell("preemption", (turns[3] != 0u) && (irq_count[CNTP] > 100u), irq_count[CNTP]);
    tell("fp-of-tasks", (wrong + rtos_fp_check(0x5000u)) == 0u, wrong);
    tell("user-task", user_turns >= (TURNS / 10u), user_turns);
    tell("user-kept-out", rtos_user_faults == 1u, rtos_user_faults);
}
