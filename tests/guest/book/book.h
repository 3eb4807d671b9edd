/* What the kernels of this folder share: how they begin (start.S), how they say what they found, and, for
 * those whose subject is another one, an interrupt controller driver that knows both versions.
 * All they know of the machine is the architecture and the published map: no device tree is read. */
#ifndef BOOK_H
#define BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UART_BASE 0x22000000u
#define GICD_BASE 0x03001000u
#define GICC_BASE 0x03002000u
#define GICR_BASE 0x03020000u
#define UART_IRQ  32u
#define VIRT_IRQ  27u
#define PHYS_IRQ  30u

/* As people write it: the compiler is free to choose the instruction. */
#define REG32(at) (*(volatile uint32_t *)(uintptr_t)(at))
#define REG8(at)  (*(volatile uint8_t *)(uintptr_t)(at))
#define REG64(at) (*(volatile uint64_t *)(uintptr_t)(at))

#define TEXT_OF(name) #name
#define READ_SYS(name)                                                                                       \
    ({                                                                                                       \
        uint64_t value_;                                                                                     \
        __asm__ volatile("mrs %0, " TEXT_OF(name) : "=r"(value_) : : "memory");                              \
        value_;                                                                                              \
    })
#define WRITE_SYS(name, value)                                                                               \
    do {                                                                                                     \
        const uint64_t write_ = (value);                                                                     \
        __asm__ volatile("msr " TEXT_OF(name) ", %0\n\tisb" : : "r"(write_) : "memory");                     \
    } while (false)

static inline void irq_open(void)
{
    __asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline void irq_close(void)
{
    __asm__ volatile("msr daifset, #2" : : : "memory");
}

static inline void settle(void)
{
    __asm__ volatile("dsb sy\n\tisb" : : : "memory");
}

static inline void sleep_until_irq(void)
{
    __asm__ volatile("dsb sy\n\twfi" : : : "memory");
}

static inline uint64_t now(void)
{
    __asm__ volatile("isb" : : : "memory");
    return READ_SYS(cntvct_el0);
}

/* What start.S calls, and what it saved. The defaults in book.c say that nothing of the kind was expected. */
struct frame {
    uint64_t x[31];
    uint64_t pc;
    uint64_t state;
    uint64_t pad;
};
void book_main(void);
void book_place(uint64_t distance);
void book_irq(struct frame *frame);
void book_fiq(struct frame *frame);
void book_sync(struct frame *frame);

extern const char book_name[]; /* each kernel's own */

/* book.c. A finding is one line; the last one is `BOOK <name> ok` if there was none. */
void put_text(const char *text);
void put_hex(uint64_t value);
void put_found(uint32_t line, const char *what, uint64_t found);
_Noreturn void book_end(void);
uint64_t ms(uint64_t n);                                      /* in counts of the counter */
void pause_ms(uint64_t n);                                    /* busy, in a loop with YIELD */
bool await(const volatile uint32_t *what, uint32_t at_least); /* up to 20 s */
uint64_t psci_hvc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);
uint64_t psci_smc(uint64_t function, uint64_t a, uint64_t b, uint64_t c);

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            put_found(__LINE__, #condition, 0u);                                                             \
        }                                                                                                    \
    } while (false)
#define MUST_BE(what, expected)                                                                              \
    do {                                                                                                     \
        const uint64_t found_ = (uint64_t)(what);                                                            \
        if (found_ != (uint64_t)(expected)) {                                                                \
            put_found(__LINE__, #what " is " #expected, found_);                                             \
        }                                                                                                    \
    } while (false)

/* gic.c: the interrupt controller of either version, priorities with 0xA0 in the middle */
bool gic_is_v3(void);
void gic_start(void); /* once; gic_start_cpu() on each further CPU */
void gic_start_cpu(void);
void gic_enable(uint32_t id, uint8_t priority);
uint32_t gic_take(void); /* 1023: none */
void gic_done(uint32_t token);
void gic_send(uint32_t sgi, uint32_t cpus); /* a set of CPUs, absent ones among them if you like */
void gic_send_others(uint32_t sgi);

#endif
