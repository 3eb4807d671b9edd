/* A console that is flooded with input: counts the UART's interrupts and the bytes, and tells about once a
 * second what came, and in what time. Of input only x (part of a flood) and i (is it heard?) mean
 * something. */
#include "guest.h"

#define UART_IMSC    0x38u
#define UART_ICR     0x44u
#define UART_RX_BITS 0x50u /* receive, receive timeout */

static volatile uint64_t interrupts;
static volatile uint64_t bytes;
static volatile bool asked;
static volatile bool second;
static uint64_t next;

static void input(uint32_t intid)
{
    char c;

    (void)intid;
    interrupts++;
    for (uint32_t i = 0u; (i < 10000u) && console_get(&c); i++) { /* what is left would interrupt again */
        bytes++;
        asked = asked || (c == 'i');
    }
    mmio_write32(console_base() + UART_ICR, UART_RX_BITS);
}

static void tick(uint32_t intid)
{
    (void)intid;
    second = true;
    next += timer_frequency();
    timer_virt_set(next);
}

void guest_main(void)
{
    const char *const name = tree_domain_name();
    uint64_t seen = 0u;
    uint64_t seen_bytes = 0u;
    uint64_t since;

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
    irq_enable(console_irq(), IRQ_PRIORITY_LOW, input);
    mmio_write32(console_base() + UART_IMSC, UART_RX_BITS);
    print("FLOOD %s ready\n", name);
    since = timer_now();
    next = since + timer_frequency();
    timer_virt_set(next);
    for (;;) {
        arch_irq_mask();
        if (!second && !asked) {
            arch_wait();
        }
        const uint64_t now = interrupts;
        const uint64_t now_at = timer_now();
        const uint64_t now_bytes = bytes;
        const bool is_second = second;
        const bool is_asked = asked;

        second = second && !is_second;
        asked = false;
        arch_irq_open();
        if (is_second) {
            if (now != seen) {
                print("FLOOD %s interrupts=%U bytes=%U ms=%U\n", name, now - seen, now_bytes - seen_bytes,
                      ((now_at - since) * 1000u) / timer_frequency());
            }
            seen = now;
            seen_bytes = now_bytes;
            since = now_at;
        }
        if (is_asked) {
            print("FLOOD %s hears\n", name);
        }
    }
}
