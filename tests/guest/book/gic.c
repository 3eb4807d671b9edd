/* Either version, by its manual: what a kernel does that only wants its interrupts. */
#include "book.h"

#define FRAME(cpu) (GICR_BASE + (0x20000u * (cpu)))

bool gic_is_v3(void)
{
    return ((READ_SYS(id_aa64pfr0_el1) >> 24u) & 15u) != 0u;
}

static uint32_t this_cpu(void)
{
    return (uint32_t)READ_SYS(mpidr_el1) & 0xFFu;
}

void gic_start_cpu(void)
{
    if (gic_is_v3()) {
        const uint32_t frame = FRAME(this_cpu());

        REG32(frame + 0x14u) &= ~2u; /* WAKER.ProcessorSleep */
        while ((REG32(frame + 0x14u) & 4u) != 0u) {
        }
        REG32(frame + 0x10080u) = ~0u; /* all in group 1 */
        WRITE_SYS(S3_0_C12_C12_5, READ_SYS(S3_0_C12_C12_5) | 1u);
        WRITE_SYS(S3_0_C4_C6_0, 0xF0u);
        WRITE_SYS(S3_0_C12_C12_7, 1u);
    } else {
        REG32(GICC_BASE + 4u) = 0xF0u;
        REG32(GICC_BASE) = 1u;
    }
}

void gic_start(void)
{
    const uint32_t lines = 32u * ((REG32(GICD_BASE + 4u) & 31u) + 1u);

    REG32(GICD_BASE) = 0u;
    for (uint32_t i = 32u; i < lines; i += 4u) {
        REG32(GICD_BASE + 0x400u + i) = 0xA0A0A0A0u;
        if (!gic_is_v3()) {
            REG32(GICD_BASE + 0x800u + i) = 0x01010101u;
        }
    }
    for (uint32_t i = 32u; i < lines; i += 32u) {
        REG32(GICD_BASE + 0x180u + (i / 8u)) = ~0u;
        REG32(GICD_BASE + 0x380u + (i / 8u)) = ~0u;
        if (gic_is_v3()) {
            REG32(GICD_BASE + 0x80u + (i / 8u)) = ~0u;
        }
    }
    REG32(GICD_BASE) = gic_is_v3() ? 0x12u : 1u;
    while (gic_is_v3() && ((REG32(GICD_BASE) & 0x80000000u) != 0u)) {
    }
    gic_start_cpu();
}

void gic_enable(uint32_t id, uint8_t priority)
{
    const uint32_t base = (gic_is_v3() && (id < 32u)) ? (FRAME(this_cpu()) + 0x10000u) : GICD_BASE;

    REG8(base + 0x400u + id) = priority;
    REG32(base + 0x100u + (4u * (id / 32u))) = 1u << (id % 32u);
    settle();
}

uint32_t gic_take(void)
{
    return gic_is_v3() ? (uint32_t)READ_SYS(S3_0_C12_C12_0) : REG32(GICC_BASE + 0xCu);
}

void gic_done(uint32_t token)
{
    if (gic_is_v3()) {
        WRITE_SYS(S3_0_C12_C12_1, token);
    } else {
        REG32(GICC_BASE + 0x10u) = token;
    }
}

void gic_send(uint32_t sgi, uint32_t cpus)
{
    settle();
    if (gic_is_v3()) {
        WRITE_SYS(S3_0_C12_C11_5, ((uint64_t)sgi << 24u) | (cpus & 0xFFFFu));
    } else {
        REG32(GICD_BASE + 0xF00u) = ((cpus & 0xFFu) << 16u) | sgi;
    }
}

void gic_send_others(uint32_t sgi)
{
    settle();
    if (gic_is_v3()) {
        WRITE_SYS(S3_0_C12_C11_5, ((uint64_t)sgi << 24u) | (1ULL << 40u));
    } else {
        REG32(GICD_BASE + 0xF00u) = (1u << 24u) | sgi;
    }
}
