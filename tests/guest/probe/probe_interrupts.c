/* The interrupt controller: its registers read back what was written, and what is pended is delivered, once.
 */
#include "probe.h"

#define SPI      40u
#define SPI_BIT  (1u << (SPI - 32u))
#define PPI      20u
#define SGI      5u
#define WORD_SPI 4u /* registers of one bit an interrupt: offset of the word of 32 .. 63 */

static uint32_t shared(uint32_t reg)
{
    return mmio_read32(gic_distributor() + reg);
}

static void shared_put(uint32_t reg, uint32_t value)
{
    mmio_write32(gic_distributor() + reg, value);
    arch_barrier();
}

static uint32_t own(uint32_t reg)
{
    return mmio_read32(gic_private() + reg);
}

static void own_put(uint32_t reg, uint32_t value)
{
    mmio_write32(gic_private() + reg, value);
    arch_barrier();
}

static void identification(void)
{
    probe_catch();
    EXPECT((shared(GICD_TYPER) & 31u) >= 1u);
    (void)shared(GICD_IIDR);
    if (irq_version() == 3u) {
        EXPECT_EQUAL((shared(0xFFE8u) >> 4u) & 15u, 3u);
        EXPECT_EQUAL((mmio_read32(gic_redistributor() + GICR_PIDR2) >> 4u) & 15u, 3u);
        EXPECT_EQUAL(mmio_read64(gic_redistributor() + GICR_TYPER) >> 32u, cpu_hwid(0u));
        EXPECT_EQUAL(reg_read(S3_0_C12_C12_5) & 1u, 1u); /* ICC_SRE_EL1 */
    } else {
        EXPECT_EQUAL((shared(GICD_PIDR2) >> 4u) & 15u, 2u);
        EXPECT_EQUAL(((shared(GICD_TYPER) >> 5u) & 7u) + 1u, probe_cpus());
    }
    EXPECT_EQUAL(probe_trap.count, 0u);
}

static void enable_bits(void)
{
    shared_put(GICD_ISENABLER + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISENABLER + WORD_SPI) & SPI_BIT, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ICENABLER + WORD_SPI) & SPI_BIT, SPI_BIT);
    shared_put(GICD_ISENABLER + WORD_SPI, 0u); /* zeroes change nothing */
    EXPECT_EQUAL(shared(GICD_ISENABLER + WORD_SPI) & SPI_BIT, SPI_BIT);
    shared_put(GICD_ICENABLER + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISENABLER + WORD_SPI) & SPI_BIT, 0u);
    own_put(GICD_ISENABLER, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISENABLER) & (1u << PPI), 1u << PPI);
    own_put(GICD_ICENABLER, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISENABLER) & (1u << PPI), 0u);
}

static void priorities(void)
{
    const uint32_t word = GICD_IPRIORITYR + SPI;

    shared_put(word, 0xA0B0C0D0u);
    EXPECT_EQUAL(shared(word), 0xA0B0C0D0u);
    EXPECT_EQUAL(mmio_read8(gic_distributor() + word + 2u), 0xB0u);
    mmio_write8(gic_distributor() + word + 1u, 0x80u);
    EXPECT_EQUAL(shared(word), 0xA0B080D0u);
    own_put(GICD_IPRIORITYR + PPI, 0x90909090u);
    EXPECT_EQUAL(own(GICD_IPRIORITYR + PPI), 0x90909090u);
}

static void routes(void)
{
    if (irq_version() == 3u) {
        const uintptr_t at = gic_distributor() + GICD_IROUTER + (8u * SPI);

        mmio_write64(at, cpu_hwid(0u));
        EXPECT_EQUAL(mmio_read64(at), cpu_hwid(0u));
        if (probe_cpus() > 1u) {
            mmio_write64(at, cpu_hwid(1u));
            EXPECT_EQUAL(mmio_read64(at), cpu_hwid(1u));
            mmio_write64(at, cpu_hwid(0u));
        }
    } else {
        mmio_write8(gic_distributor() + GICD_ITARGETSR + SPI, 1u);
        EXPECT_EQUAL(mmio_read8(gic_distributor() + GICD_ITARGETSR + SPI), 1u);
        EXPECT_EQUAL(mmio_read8(gic_distributor() + GICD_ITARGETSR), 1u); /* of private ones: oneself */
    }
}

static void triggers(void)
{
    const uint32_t reg = GICD_ICFGR + (4u * (SPI / 16u));
    const uint32_t bit = 2u << (2u * (SPI % 16u));

    shared_put(reg, shared(reg) | bit);
    EXPECT_EQUAL(shared(reg) & bit, bit);
    shared_put(reg, shared(reg) & ~bit);
    EXPECT_EQUAL(shared(reg) & bit, 0u);
    shared_put(reg, shared(reg) | bit);
}

static void pending_bits(void)
{
    shared_put(GICD_ISPENDR + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISPENDR + WORD_SPI) & SPI_BIT, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ICPENDR + WORD_SPI) & SPI_BIT, SPI_BIT);
    shared_put(GICD_ICPENDR + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISPENDR + WORD_SPI) & SPI_BIT, 0u);
    own_put(GICD_ISPENDR, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISPENDR) & (1u << PPI), 1u << PPI);
    own_put(GICD_ICPENDR, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISPENDR) & (1u << PPI), 0u);
}

static void active_bits(void)
{
    shared_put(GICD_ISACTIVER + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISACTIVER + WORD_SPI) & SPI_BIT, SPI_BIT);
    shared_put(GICD_ICACTIVER + WORD_SPI, SPI_BIT);
    EXPECT_EQUAL(shared(GICD_ISACTIVER + WORD_SPI) & SPI_BIT, 0u);
    own_put(GICD_ISACTIVER, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISACTIVER) & (1u << PPI), 1u << PPI);
    own_put(GICD_ICACTIVER, 1u << PPI);
    EXPECT_EQUAL(own(GICD_ISACTIVER) & (1u << PPI), 0u);
}

static volatile uint32_t active_in_handler;
static volatile uint32_t pending_in_handler;

static void look_in_handler(uint32_t intid)
{
    active_in_handler = shared(GICD_ISACTIVER + WORD_SPI) & SPI_BIT;
    pending_in_handler = shared(GICD_ISPENDR + WORD_SPI) & SPI_BIT;
    probe_irq_count(intid);
}

static void spi_delivery(void)
{
    const uint32_t before = probe_irqs[SPI];

    irq_enable(SPI, IRQ_PRIORITY_LOW, look_in_handler);
    shared_put(GICD_ISPENDR + WORD_SPI, SPI_BIT);
    EXPECT(probe_await(&probe_irqs[SPI], before + 1u, 1000u));
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[SPI], before + 1u);
    EXPECT_EQUAL(active_in_handler, SPI_BIT);
    EXPECT_EQUAL(pending_in_handler, 0u);
    EXPECT_EQUAL(shared(GICD_ISACTIVER + WORD_SPI) & SPI_BIT, 0u);
    /* what is not enabled waits, and comes when it is */
    irq_disable(SPI);
    shared_put(GICD_ISPENDR + WORD_SPI, SPI_BIT);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[SPI], before + 1u);
    irq_enable(SPI, IRQ_PRIORITY_LOW, look_in_handler);
    EXPECT(probe_await(&probe_irqs[SPI], before + 2u, 1000u));
}

static void active_holds_back(void)
{
    const uint32_t before = probe_irqs[SPI];

    irq_enable(SPI, IRQ_PRIORITY_LOW, look_in_handler);
    shared_put(GICD_ISACTIVER + WORD_SPI, SPI_BIT);
    shared_put(GICD_ISPENDR + WORD_SPI, SPI_BIT);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[SPI], before);
    shared_put(GICD_ICACTIVER + WORD_SPI, SPI_BIT);
    EXPECT(probe_await(&probe_irqs[SPI], before + 1u, 1000u));
    irq_disable(SPI);
}

static void unpended_in_time(void)
{
    const uint32_t before = probe_irqs[SPI];

    irq_enable(SPI, IRQ_PRIORITY_LOW, look_in_handler);
    /* masked at the processor: it may wait in the CPU interface already when it is taken back */
    shared_put(GICD_ISPENDR + WORD_SPI, SPI_BIT);
    shared_put(GICD_ICPENDR + WORD_SPI, SPI_BIT);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[SPI], before);
    irq_disable(SPI);
}

static void ppi_delivery(void)
{
    const uint32_t before = probe_irqs[PPI];

    irq_enable(PPI, IRQ_PRIORITY_LOW, probe_irq_count);
    own_put(GICD_ISPENDR, 1u << PPI);
    EXPECT(probe_await(&probe_irqs[PPI], before + 1u, 1000u));
    irq_disable(PPI);
}

static void sgi_to_self(void)
{
    const uint32_t before = probe_irqs[SGI];

    irq_enable(SGI, IRQ_PRIORITY_LOW, probe_irq_count);
    for (uint32_t i = 1u; i <= 10u; i++) {
        irq_send(SGI, 0u);
        EXPECT(probe_await(&probe_irqs[SGI], before + i, 1000u));
    }
    /* all 16, pended together */
    for (uint32_t i = 0u; i < 16u; i++) {
        probe_irqs[i] = 0u;
        irq_enable(i, IRQ_PRIORITY_LOW, probe_irq_count);
    }
    for (uint32_t i = 0u; i < 16u; i++) {
        irq_send(i, 0u);
    }
    probe_pause(20u);
    for (uint32_t i = 0u; i < 16u; i++) {
        EXPECT_EQUAL(probe_irqs[i], 1u);
    }
}

static volatile uint32_t order[8];
static volatile uint32_t nr_order;

static void note_order(uint32_t intid)
{
    if (nr_order < 8u) {
        order[nr_order] = intid;
        nr_order++;
    }
}

static void higher_first(void)
{
    nr_order = 0u;
    irq_enable(1u, 0xC0u, note_order);
    irq_enable(2u, 0x80u, note_order);
    irq_enable(3u, 0xA0u, note_order);
    irq_send(1u, 0u);
    irq_send(2u, 0u);
    irq_send(3u, 0u);
    EXPECT(probe_await(&nr_order, 3u, 1000u));
    EXPECT_EQUAL(order[0], 2u);
    EXPECT_EQUAL(order[1], 3u);
    EXPECT_EQUAL(order[2], 1u);
}

static void priority_mask_put(uint32_t value)
{
    if (irq_version() == 3u) {
        reg_write(S3_0_C4_C6_0, value);
    } else {
        mmio_write32(gic_cpu_interface() + GICC_PMR, value);
    }
    arch_barrier();
}

static void priority_mask(void)
{
    const uint32_t before = probe_irqs[SGI];

    irq_enable(SGI, 0xC0u, probe_irq_count);
    priority_mask_put(0x80u);
    irq_send(SGI, 0u);
    probe_pause(5u);
    EXPECT_EQUAL(probe_irqs[SGI], before);
    priority_mask_put(0xF0u);
    EXPECT(probe_await(&probe_irqs[SGI], before + 1u, 1000u));
}

static void spurious(void)
{
    const uint32_t none = (irq_version() == 3u) ? (uint32_t)reg_read(S3_0_C12_C12_0)
                                                : mmio_read32(gic_cpu_interface() + GICC_IAR);

    EXPECT_EQUAL(none & 0x3FFu, 1023u);
}

const struct probe probes_interrupts[] = {
    { "identification", identification },
    { "enable_bits", enable_bits },
    { "priorities", priorities },
    { "routes", routes },
    { "triggers", triggers },
    { "pending_bits", pending_bits },
    { "active_bits", active_bits },
    { "spi_delivery", spi_delivery },
    { "active_holds_back", active_holds_back },
    { "unpended_in_time", unpended_in_time },
    { "ppi_delivery", ppi_delivery },
    { "sgi_to_self", sgi_to_self },
    { "higher_first", higher_first },
    { "priority_mask", priority_mask },
    { "spurious", spurious },
    { NULL, NULL },
};
