/* A small real-time kernel in the manner of FreeRTOS and Zephyr: it begins with the MMU off, cleans the
 * caches by set and way, maps the published platform with tables of three levels, and switches tasks by a
 * tick: two at EL1 that yield by SVC and pass a token through a semaphore, one that only computes, and one at
 * EL0 that may touch nothing else. */
#include "book.h"

const char book_name[] = "rtos";

#define TASKS       5u
#define TURNS       300u
#define STATE_WORDS 100u /* 64 of SIMD, two of FP control, two of return, 32 of registers */
#define AT_PC       66u
#define AT_PSTATE   67u
#define AT_X0       68u
#define AT_SP       69u

void rtos_caches(void);
void rtos_mmu(uint64_t table, uint64_t mair, uint64_t tcr);
_Noreturn void rtos_leave(void *state);
void rtos_user(void);
uint64_t *rtos_on_sync(uint64_t *state, uint64_t syndrome);
uint64_t *rtos_on_irq(uint64_t *state);
_Noreturn void rtos_on_bad(uint64_t syndrome, uint64_t pc);
extern const char rtos_vectors[];

struct task {
    uint64_t *state; /* NULL: not there */
    volatile bool waits;
};

static struct task tasks[TASKS];
static uint32_t running;
static uint64_t stacks[TASKS][512] __attribute__((aligned(16)));
static uint64_t kernel_stacks[TASKS][512] __attribute__((aligned(16)));
static uint64_t level1[512] __attribute__((aligned(4096)));
static uint64_t level2_device[512] __attribute__((aligned(4096)));
static uint64_t level2_ram[512] __attribute__((aligned(4096)));
static uint64_t level3_code[512] __attribute__((aligned(4096)));

static volatile uint32_t tokens[2]; /* two semaphores */
static volatile uint32_t turns[2];
static volatile uint32_t user_calls;
static volatile uint32_t user_faults;
static volatile uint32_t ticks;
static volatile uint32_t computed;
static volatile uint32_t wrong_user;

/* -- The map -- */
#define DEVICE 0x60000000000401ULL /* block, attribute 0, not for execution */
#define NORMAL 0x60000000000705ULL /* data: block, attribute 1, inner shareable, not for execution */
#define CODE   0x40000000000787ULL /* page, read only, for EL1 only */
#define RODATA 0x60000000000787ULL
#define DATA   0x60000000000707ULL
#define USER   0x200000000007C7ULL /* page, read only for all, executed at EL0 only */

extern const char book_head[];
extern const char text_end[];
extern const char user_begin[];
extern const char user_end[];
extern const char rodata_end[];

static uint64_t page_kind(uint64_t at)
{
    const uint64_t text_from = (uint64_t)(uintptr_t)book_head & ~0xFFFULL;
    uint64_t kind = DATA;

    if ((at >= (uint64_t)(uintptr_t)user_begin) && (at < (uint64_t)(uintptr_t)user_end)) {
        kind = USER;
    } else if ((at >= text_from) && (at < (uint64_t)(uintptr_t)text_end)) {
        kind = CODE;
    } else if ((at >= text_from) && (at < (uint64_t)(uintptr_t)rodata_end)) {
        kind = RODATA;
    } else {
        /* data */
    }
    return kind;
}

static void map(void)
{
    const uint64_t here = (uint64_t)(uintptr_t)book_head & ~0x1FFFFFULL;

    level1[0] = (uint64_t)(uintptr_t)level2_device | 3u;
    level1[1] = (uint64_t)(uintptr_t)level2_ram | 3u;
    /* what the map has, and nothing else: controller (0x0300_0000, and its redistributors to 0x0320_0000),
     * UART */
    level2_device[0x03000000u >> 21u] = 0x03000000u | DEVICE;
    level2_device[0x22000000u >> 21u] = 0x22000000u | DEVICE;
    for (uint64_t i = 0u; i < 16u; i++) { /* 32 MiB */
        level2_ram[i] = (0x40000000u + (i << 21u)) | NORMAL;
    }
    level2_ram[(here - 0x40000000u) >> 21u] = (uint64_t)(uintptr_t)level3_code | 3u;
    for (uint64_t i = 0u; i < 512u; i++) {
        level3_code[i] = (here + (i << 12u)) | page_kind(here + (i << 12u));
    }
    rtos_caches();
    rtos_mmu((uint64_t)(uintptr_t)level1, 0xFF04u, 0x200803519u);
}

/* -- Tasks -- */
static void task_make(uint32_t n, void (*entry)(void), uint64_t pstate)
{
    uint64_t *const top = &kernel_stacks[n][512];
    uint64_t *const state = top - STATE_WORDS;

    state[AT_PC] = (uint64_t)(uintptr_t)entry;
    state[AT_PSTATE] = pstate;
    state[AT_SP] = (uint64_t)(uintptr_t)&stacks[n][512];
    tasks[n].state = state;
}

/* Round robin; the last task, which only sleeps, when no other can go on. */
static uint64_t *next(uint64_t *state)
{
    tasks[running].state = state;
    for (uint32_t i = 1u; i <= TASKS; i++) {
        const uint32_t n = (running + i) % TASKS;

        if ((n != (TASKS - 1u)) && (tasks[n].state != NULL) && !tasks[n].waits) {
            running = n;
            return tasks[n].state;
        }
    }
    running = TASKS - 1u;
    return tasks[running].state;
}

uint64_t *rtos_on_irq(uint64_t *state)
{
    const uint32_t token = gic_take();

    if ((token & 0x3FFu) == VIRT_IRQ) {
        ticks++;
        WRITE_SYS(cntv_cval_el0, READ_SYS(cntv_cval_el0) + ms(1u));
    }
    if ((token & 0x3FFu) < 1020u) {
        gic_done(token);
    }
    return next(state);
}

/* SVC 0: yield. 1: the user's report. 2: wait for the semaphore of x0. 3: give it. */
static uint64_t *service(uint64_t *state, uint32_t number)
{
    uint64_t *result = state;

    if (number == 1u) {
        user_calls++;
        if (state[AT_X0 + 2u] != (state[AT_X0] + 1u)) { /* x1 comes after x0 and SP_EL0 */
            wrong_user++;
        }
        if (user_calls == 50u) { /* from now on it does what it may not */
            state[AT_X0 + 3u] = (uint64_t)(uintptr_t)&tasks;
        }
    }
    if (number == 2u) {
        if (tokens[state[AT_X0]] == 0u) {
            tasks[running].waits = true;
            state[AT_PC] -= 4u; /* asks again when it is woken */
        } else {
            tokens[state[AT_X0]]--;
            return state;
        }
    }
    if (number == 3u) {
        tokens[state[AT_X0]]++;
        tasks[0].waits = false;
        tasks[1].waits = false;
    }
    result = next(state);
    return result;
}

uint64_t *rtos_on_sync(uint64_t *state, uint64_t syndrome)
{
    const uint32_t class = (uint32_t)(syndrome >> 26u) & 0x3Fu;

    if (class == 0x15u) {
        return service(state, (uint32_t)syndrome & 0xFFFFu);
    }
    if ((class == 0x24u) && ((state[AT_PSTATE] & 15u) == 0u)) { /* a data abort of EL0: it ends there */
        user_faults++;
        MUST_BE(READ_SYS(far_el1), (uint64_t)(uintptr_t)&tasks);
        MUST_BE((syndrome >> 2u) & 15u, 3u); /* permission */
        tasks[running].waits = true;
        return next(state);
    }
    rtos_on_bad(syndrome, state[AT_PC]);
}

_Noreturn void rtos_on_bad(uint64_t syndrome, uint64_t pc)
{
    put_found(0u, "no such exception comes", syndrome);
    put_found(0u, "nor from this place", pc);
    book_end();
}

static void wait_for(uint64_t semaphore)
{
    register uint64_t x0 __asm__("x0") = semaphore;

    __asm__ volatile("svc #2" : "+r"(x0) : : "memory");
}

static void give(uint64_t semaphore)
{
    register uint64_t x0 __asm__("x0") = semaphore;

    __asm__ volatile("svc #3" : "+r"(x0) : : "memory");
}

static void ping(void)
{
    for (;;) {
        wait_for(0u);
        turns[0]++;
        give(1u);
    }
}

static void finish(void)
{
    irq_close();
    MUST(turns[0] >= TURNS);
    MUST(turns[0] <= (turns[1] + 1u));
    MUST(turns[1] <= turns[0]);
    MUST(user_calls >= 50u);
    MUST_BE(wrong_user, 0u);
    MUST_BE(user_faults, 1u);
    MUST(ticks > 50u);
    MUST(computed > 0u);
    MUST_BE(READ_SYS(sctlr_el1) & 0x1005u, 0x1005u);
    book_end();
}

static void pong(void)
{
    const uint64_t end = now() + ms(500u);

    give(0u);
    for (;;) {
        wait_for(1u);
        turns[1]++;
        if ((turns[1] >= TURNS) && (now() > end) && (user_faults != 0u) && (ticks > 50u)) {
            finish();
        }
        give(0u);
        __asm__ volatile("svc #0");
    }
}

/* A checksum that is the same every time, whoever comes in between. */
static void compute(void)
{
    uint64_t first = 0u;

    for (;;) {
        uint64_t sum = 1u;

        for (uint64_t i = 0u; i < 2000u; i++) {
            sum = (sum * 31u) + i;
        }
        if (computed == 0u) {
            first = sum;
        }
        MUST_BE(sum, first);
        computed++;
    }
}

static void idle(void)
{
    for (;;) {
        sleep_until_irq();
    }
}

void book_main(void)
{
    map();
    MUST_BE(READ_SYS(currentel), 4u);
    WRITE_SYS(vbar_el1, (uint64_t)(uintptr_t)rtos_vectors);
    gic_start();
    gic_enable(VIRT_IRQ, 0xA0u);
    task_make(0u, ping, 0x4u); /* EL1t */
    task_make(1u, pong, 0x4u);
    task_make(2u, compute, 0x4u);
    task_make(3u, rtos_user, 0x0u); /* EL0t */
    task_make(4u, idle, 0x4u);
    WRITE_SYS(cntv_cval_el0, now() + ms(1u));
    WRITE_SYS(cntv_ctl_el0, 1u);
    running = 0u;
    rtos_leave(tasks[0].state);
}
