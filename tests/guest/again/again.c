/* A guest of two vCPUs that looks whether its life is a first one, leaves traces wherever it can, and resets
 * itself: by either of its vCPUs, or both at once, awake or on the way up. It cannot count its lives: that
 * nothing is left of the last one is the point. Each begins with `AGAIN fresh`, or a line for each thing that
 * is not. */
#include "gic.h"

#define SPI         40u /* nobody's */
#define SPI_WORD    4u  /* offset of its bits in a register of enable, pending or active bits */
#define SPI_BIT     (1u << (SPI % 32u))
#define SGI         3u
#define TRACE_BYTES (1u << 17u) /* the end of memory: neither kernel nor tree is there */
#define TRACE_WORD  0xA5C3F00D5AFE1234ULL
#define UART_IMSC   0x38u

static volatile uint64_t *trace;
static volatile bool is_up;
static volatile bool both;
static bool is_fresh = true;

static void expect_zero(const char *what, uint64_t found)
{
    if (found != 0u) {
        print("AGAIN not fresh: %s %X\n", what, found);
        is_fresh = false;
    }
}

static void look(void)
{
    const uintptr_t gicd = gic_distributor();
    uint64_t seen = 0u;

    for (uint32_t i = 0u; i < (TRACE_BYTES / 8u); i++) {
        seen |= trace[i];
    }
    expect_zero("memory", seen);
    expect_zero("pending", mmio_read32(gicd + GICD_ISPENDR + SPI_WORD) & SPI_BIT);
    expect_zero("active", mmio_read32(gicd + GICD_ISACTIVER + SPI_WORD) & SPI_BIT);
    expect_zero("enabled", mmio_read32(gicd + GICD_ISENABLER + SPI_WORD) & SPI_BIT);
    expect_zero("priority", mmio_read8(gicd + GICD_IPRIORITYR + SPI));
    expect_zero("message", mmio_read32(gic_private() + GICD_ISPENDR) & (1u << SGI));
    expect_zero("console interrupts", mmio_read32(console_base() + UART_IMSC));
    expect_zero("virtual timer", reg_read(cntv_ctl_el0));
    expect_zero("virtual compare", reg_read(cntv_cval_el0));
    expect_zero("physical timer", reg_read(cntp_ctl_el0));
    expect_zero("virtual counter, in minutes", timer_now() / (60u * timer_frequency()));
    expect_zero("thread register", reg_read(tpidr_el1) | reg_read(tpidr_el0));
}

static void leave_traces(void)
{
    const uintptr_t gicd = gic_distributor();

    for (uint32_t i = 0u; i < (TRACE_BYTES / 8u); i++) {
        trace[i] = TRACE_WORD;
    }
    mmio_write8(gicd + GICD_IPRIORITYR + SPI, IRQ_PRIORITY_LOW);
    mmio_write32(gicd + GICD_ISPENDR + SPI_WORD, SPI_BIT);
    mmio_write32(gicd + GICD_ISACTIVER + SPI_WORD, SPI_BIT);
    mmio_write32(gicd + GICD_ISENABLER + SPI_WORD, SPI_BIT);
    mmio_write32(console_base() + UART_IMSC, 0x7FFu);
    irq_send(SGI, 0u);
    timer_phys_set(timer_phys_now() + (timer_frequency() / 500u));
    timer_virt_set(timer_now() + (timer_frequency() / 1000u));
    reg_write(tpidr_el1, TRACE_WORD);
    reg_write(tpidr_el0, TRACE_WORD);
    print("half a line");
}

static void second(void)
{
    is_up = true;
    while (!both) {
        arch_yield();
    }
    (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    for (;;) {
        arch_yield();
    }
}

void guest_main(void)
{
    const struct tree_node memory = tree_path("memory");
    uint64_t base = 0u;
    uint64_t bytes = 0u;
    uint64_t how;
    uint64_t answer;

    (void)tree_reg(&memory, 0u, &base, &bytes);
    trace = (volatile uint64_t *)(base + bytes - TRACE_BYTES);
    look();
    how = timer_now() % 4u;
    leave_traces();
    answer = cpu_on(1u, second);
    expect_zero("second vCPU, answer", answer);
    while ((how != 0u) && !is_up) {
        arch_yield();
    }
    if (is_fresh) {
        print("\nAGAIN fresh\n");
    }
    if (how == 1u) { /* the other one alone, while we sleep */
        both = true;
        for (;;) {
            arch_wait();
        }
    }
    both = (how == 2u);
    (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    print("AGAIN goes on after its end\n");
}
