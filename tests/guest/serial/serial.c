/* A guest that drives a PL011 of its own, by interrupts: what arrives there is sent back. A line is also told
 * on the console, with how many interrupts there were and which vCPU had them. Letters at a line's end are
 * orders: M: the interrupt moves to the other vCPU; S: for a second the device interrupts as fast as it can;
 * G: look at the controller's registers; R: the domain resets itself inside the handler, with the interrupt
 * active. */
#include "gic.h"

#define DR    0x00u
#define FR    0x18u
#define LCR_H 0x2Cu
#define CR    0x30u
#define IMSC  0x38u
#define ICR   0x44u

#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define RX      0x50u /* received, and received a while ago */
#define TX      0x20u

#define LINE_MAX 64u

#define SYSTEM_RESET 0x84000009u /* PSCI */

static uintptr_t base;
static uint32_t intid;
static char line[LINE_MAX];
static uint32_t length;
static volatile uint32_t irqs;
static volatile uint32_t last_cpu;
static volatile char order;
static volatile bool storming;

static void put(char c)
{
    while ((mmio_read32(base + FR) & FR_TXFF) != 0u) {
        arch_yield();
    }
    mmio_write32(base + DR, (uint8_t)c);
}

static void line_end(void)
{
    line[length] = '\0';
    put('\r');
    put('\n');
    if ((length > 0u) && (line[length - 1u] == 'R')) {
        (void)firmware_call(SYSTEM_RESET, 0u, 0u, 0u);
    }
    order = (length > 0u) ? line[length - 1u] : ' ';
    length = 0u;
}

static void handle(uint32_t number)
{
    (void)number;
    irqs++;
    last_cpu = cpu_number();
    if (storming) {
        return; /* the transmitter goes on asking */
    }
    while ((mmio_read32(base + FR) & FR_RXFE) == 0u) {
        const char c = (char)mmio_read32(base + DR);

        if ((c == '\r') || (c == '\n')) {
            line_end();
        } else if (length < (LINE_MAX - 1u)) {
            line[length] = c;
            length++;
            put(c);
        }
    }
    mmio_write32(base + ICR, RX);
}

static volatile uint32_t taken; /* by the second vCPU */
static volatile uint32_t wanted;

static void second(void)
{
    for (;;) {
        arch_irq_open();
        if (wanted != taken) {
            irq_enable(intid, IRQ_PRIORITY_LOW, handle);
            taken = wanted;
        }
        arch_yield();
    }
}

static void storm(void)
{
    const uint64_t end = timer_now() + timer_frequency();
    const uint32_t before = irqs;

    storming = true;
    mmio_write32(base + IMSC, RX | TX);
    put('.');
    while (timer_now() < end) {
        arch_yield();
    }
    mmio_write32(base + IMSC, RX);
    storming = false;
    mmio_write32(base + ICR, TX);
    print("SERIAL storm=%u\n", irqs - before);
}

/* Disabled it does not come and is seen pending; edge or level cannot be changed. */
static const char *registers(void)
{
    const uintptr_t d = gic_distributor();
    const uint32_t word = (intid / 32u) * 4u;
    const uint32_t bit = 1u << (intid % 32u);
    const uintptr_t config = d + GICD_ICFGR + ((intid / 16u) * 4u);
    const uint32_t was = mmio_read32(config);
    const uint32_t before = irqs;
    uint64_t end = timer_now() + (2u * timer_frequency());
    const char *fault = NULL;

    mmio_write32(config, was ^ (2u << ((intid % 16u) * 2u)));
    if (mmio_read32(config) != was) {
        fault = "ICFGR changed";
    }
    mmio_write32(d + GICD_ICENABLER + word, bit);
    storming = true;
    mmio_write32(base + IMSC, RX | TX);
    put('.');
    while ((timer_now() < end) && ((mmio_read32(d + GICD_ISPENDR + word) & bit) == 0u)) {
        arch_yield();
    }
    if (irqs != before) {
        fault = "came while disabled";
    } else if ((mmio_read32(d + GICD_ISPENDR + word) & bit) == 0u) {
        fault = "not seen pending";
    } else {
        mmio_write32(base + IMSC, RX);
        mmio_write32(base + ICR, TX);
        mmio_write32(d + GICD_ICPENDR + word, bit);
        if ((mmio_read32(d + GICD_ISPENDR + word) & bit) != 0u) {
            fault = "still pending";
        }
    }
    mmio_write32(base + IMSC, RX);
    mmio_write32(base + ICR, TX);
    storming = false;
    mmio_write32(d + GICD_ISENABLER + word, bit);
    if ((fault == NULL) && (irqs != before)) {
        fault = "came for nothing";
    }
    mmio_write32(d + GICD_ISPENDR + word, bit); /* by software, once */
    end = timer_now() + (2u * timer_frequency());
    while ((timer_now() < end) && (irqs == before)) { /* another vCPU takes it, whose CPU need not run now */
        arch_yield();
    }
    if ((fault == NULL) && (irqs != (before + 1u))) {
        fault = "ISPENDR";
    }
    if ((fault == NULL) && ((mmio_read32(d + GICD_ISACTIVER + word) & bit) != 0u)) {
        fault = "active";
    }
    return fault;
}

static void obey(void)
{
    const char what = order;

    if (what == '\0') {
        return;
    }
    order = '\0';
    print("SERIAL line irqs=%u vCPU=%u\n", irqs, last_cpu);
    if (what == 'M') {
        wanted++;
        while (wanted != taken) {
            arch_yield();
        }
        print("SERIAL moved\n");
    } else if (what == 'S') {
        storm();
    } else if (what == 'G') {
        const char *const fault = registers();

        print("SERIAL registers %s\n", (fault == NULL) ? "ok" : fault);
    }
}

void guest_main(void)
{
    struct tree_node node = tree_compatible("arm,pl011");
    uint64_t at = 0u;
    uint64_t bytes = 0u;

    if ((node.at == NULL) || !tree_reg(&node, 0u, &at, &bytes) || !tree_irq(&node, 0u, &intid)) {
        print("SERIAL none\n");
        return;
    }
    base = (uintptr_t)at;
    print("SERIAL begins at %X, interrupt %u, GICv%u, FR=%x IMSC=%x\n", at, intid, irq_version(),
          mmio_read32(base + FR), mmio_read32(base + IMSC));
    if (cpu_hwid(1u) != UINT64_MAX) {
        (void)cpu_on(1u, second);
    }
    irq_enable(intid, IRQ_PRIORITY_LOW, handle);
    mmio_write32(base + IMSC, 0u);
    mmio_write32(base + LCR_H, 0x70u);
    mmio_write32(base + CR, 0x301u);
    mmio_write32(base + ICR, 0x7FFu);
    mmio_write32(base + IMSC, RX);
    put('>');
    arch_irq_open();
    for (;;) {
        obey();
        arch_yield();
    }
}
