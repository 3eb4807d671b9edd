/* What the files of this kernel share. It knows the Cortex-R52 and the board MPS3 AN536, and nothing of
 * us. */
#ifndef RTOS_H
#define RTOS_H

#include <stdbool.h>
#include <stdint.h>

#define REG32(at) (*(volatile uint32_t *)(uintptr_t)(at))

/* Registers by their place: coprocessor, op1, CRn, CRm, op2 */
#define GET_CP(cp, op1, n, m, op2)                                                                           \
    ({                                                                                                       \
        uint32_t v_;                                                                                         \
        __asm__ volatile("mrc p" #cp ", " #op1 ", %0, c" #n ", c" #m ", " #op2 : "=r"(v_) : : "memory");     \
        v_;                                                                                                  \
    })
#define SET_CP(cp, op1, n, m, op2, v)                                                                        \
    __asm__ volatile("mcr p" #cp ", " #op1 ", %0, c" #n ", c" #m ", " #op2 "\n\tisb"                         \
                     :                                                                                       \
                     : "r"((uint32_t)(v))                                                                    \
                     : "memory")
#define GET(op1, n, m, op2)    GET_CP(15, op1, n, m, op2)
#define SET(op1, n, m, op2, v) SET_CP(15, op1, n, m, op2, v)
#define GET64(op1, m)                                                                                        \
    ({                                                                                                       \
        uint64_t v_;                                                                                         \
        __asm__ volatile("isb\n\tmrrc p15, " #op1 ", %Q0, %R0, c" #m : "=r"(v_) : : "memory");               \
        v_;                                                                                                  \
    })
#define SET64(op1, m, v)                                                                                     \
    __asm__ volatile("mcrr p15, " #op1 ", %Q0, %R0, c" #m "\n\tisb" : : "r"((uint64_t)(v)) : "memory")

#define GICD_BASE 0xf0000000u
#define GICR_BASE 0xf0100000u
#define GICR_SGI  (GICR_BASE + 0x10000u)

/* One fact: `RTOS <what> ok`, or FAIL and what was found. */
void tell(const char *what, bool is_so, uint32_t found);
void put_text(const char *text);
void put_hex(uint32_t value);

/* start.S */
struct rtos_fault {
    uint32_t kind; /* 1 undefined, 3 prefetch abort, 4 data abort */
    uint32_t lr;
    uint32_t spsr;
};
extern struct rtos_fault rtos_fault;
extern char rtos_begin[];
extern char rtos_text_end[];
extern char rtos_user[];
extern char rtos_user_end[];
extern char rtos_end[];
extern char rtos_vectors[];
extern char rtos_vectors_thumb[];
int rtos_attempt(void (*what)(uint32_t), uint32_t argument);
void rtos_pair_arm(uint32_t at, uint32_t out[2]);
void rtos_fill_arm(uint32_t at, uint32_t value, uint32_t words);
void rtos_fp_fill(uint32_t seed);
uint32_t rtos_fp_check(uint32_t seed);

/* gic.c */
extern volatile uint32_t irq_count[64];
extern volatile uint32_t fiq_count;
void gic_begin(void);
void gic_check(void);
void gic_enable(uint32_t intid);
void gic_disable(uint32_t intid);
void timers_check(void);

/* tasks.c */
void tasks_check(void);

static inline void irq_open(void)
{
    __asm__ volatile("cpsie if" : : : "memory");
}

static inline void irq_close(void)
{
    __asm__ volatile("cpsid if" : : : "memory");
}

#endif
