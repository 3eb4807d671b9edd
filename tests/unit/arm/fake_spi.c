/* The shared interrupts of the test machine's physical controller: 96 of them, by the book (IHI 0069H
 * 4.1). */
#include <assert.h>
#include <string.h>

#include "fake_arm.h"

#define WORDS 4u /* of 32; the first is private and not here */

static struct {
    uint32_t enabled[WORDS];
    uint32_t latch[WORDS];
    uint32_t level[WORDS];
    uint32_t active[WORDS];
    uint64_t route[WORDS * 32u];
} spi;

void fake_spi_reset(void)
{
    (void)memset(&spi, 0, sizeof(spi));
}

bool fake_spi_read(uint32_t at, uint32_t *value)
{
    const uint32_t word = (at & 0x7Fu) / 4u;
    const uint32_t reg = at >> 7u;

    if ((reg < 2u) || (reg > 7u) || (word == 0u) || (word >= WORDS)) {
        return false;
    }
    *value = (reg < 4u) ? spi.enabled[word]
                        : ((reg < 6u) ? (spi.latch[word] | spi.level[word]) : spi.active[word]);
    return true;
}

bool fake_spi_write(uint32_t at, uint32_t width, uint64_t value)
{
    const uint32_t word = (at & 0x7Fu) / 4u;
    const uint32_t reg = at >> 7u;
    uint32_t *const bits[] = { spi.enabled, spi.latch, spi.active };

    if ((at >= GICD_IROUTER + 256u) && (at < GICD_IROUTER + (8u * 32u * WORDS))) {
        assert(width == 8u);
        spi.route[(at - GICD_IROUTER) / 8u] = value;
        return true;
    }
    if ((at >= GICD_ITARGETSR + 32u) && (at < GICD_ITARGETSR + (32u * WORDS)) && (width == 1u)) {
        spi.route[at - GICD_ITARGETSR] = (uint64_t)__builtin_ctzll(value);
        return true;
    }
    if ((reg < 2u) || (reg > 7u) || (word == 0u) || (word >= WORDS)) {
        return false;
    }
    uint32_t *const set = &bits[(reg - 2u) / 2u][word];
    *set = ((reg & 1u) == 0u) ? (*set | (uint32_t)value) : (*set & ~(uint32_t)value);
    return true;
}

uint32_t fake_spi_waits(uint32_t cpu)
{
    for (uint32_t n = 32u; n < (32u * WORDS); n++) {
        const uint32_t w = n / 32u;

        if (((((spi.latch[w] | spi.level[w]) & spi.enabled[w] & ~spi.active[w]) >> (n & 31u)) & 1u) != 0u) {
            if (spi.route[n] == cpu) {
                return n;
            }
        }
    }
    return 0u;
}

void fake_spi_acknowledge(uint32_t intid)
{
    spi.latch[intid / 32u] &= ~BIT32((intid & 31u));
    spi.active[intid / 32u] |= BIT32((intid & 31u));
}

void fake_spi_deactivate(uint32_t intid)
{
    assert(fake_spi_active(intid));
    spi.active[intid / 32u] &= ~BIT32((intid & 31u));
}

bool fake_spi_active(uint32_t intid)
{
    return (spi.active[intid / 32u] & BIT32((intid & 31u))) != 0u;
}

bool fake_spi_enabled(uint32_t intid)
{
    return (spi.enabled[intid / 32u] & BIT32((intid & 31u))) != 0u;
}

uint64_t fake_spi_route(uint32_t intid)
{
    return spi.route[intid];
}

void fake_spi_level(uint32_t intid, bool level)
{
    spi.level[intid / 32u] = level ? (spi.level[intid / 32u] | BIT32((intid & 31u)))
                                   : (spi.level[intid / 32u] & ~BIT32((intid & 31u)));
}

void fake_spi_pulse(uint32_t intid)
{
    spi.latch[intid / 32u] |= BIT32((intid & 31u));
}

/* Active here exactly as long as the guest has it. */
void fake_spi_check(void)
{
    const struct vgic_lines *const lines = fake_domain.arm.lines;

    for (uint32_t n = 0u; (lines != NULL) && (n < 992u); n++) {
        const struct vgic_bank *const bank = &fake_domain.arm.vgic->spi[n / 32u];
        const uint32_t bit = BIT32((n & 31u));
        bool has = ((bank->latch | (bank->active & ~bank->resident)) & bit) != 0u;

        if ((lines->bank[n / 32u] & bit) == 0u) {
            continue;
        }
        for (uint32_t slot = 1u; ((bank->resident & bit) != 0u) && (slot < 4u); slot++) {
            const struct vgic_vcpu *const vgic = &fake_vcpu[fake_domain.arm.vgic->home[n]].arm.vgic;
            const uint64_t lr = fake_cpus[vgic->loaded - 1u].lr[slot];

            if (((vgic->lr_spi & BIT32(slot)) != 0u) && ((vgic->lr[slot] & 0x3FFu) == (n + 32u))) {
                assert((lr & GIC_LR_STATE) != GIC_LR_STATE);
                has = has || ((lr & GIC_LR_STATE) != 0u);
            }
        }
        assert(has == fake_spi_active(lines->irq[n]));
    }
}
