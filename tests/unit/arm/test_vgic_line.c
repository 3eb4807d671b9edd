/* Physical interrupts of guests: linked to the guest's own, whatever it does to its controller.
 * [test->req~device-interrupts~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "fake_arm.h"

#define IRQ  50u
#define VIRQ 70u
#define WORD 8u /* of VIRQ */
#define BIT  BIT32((VIRQ & 31u))

static void begin(uint32_t version)
{
    fake_machine(version, 3, 64);
    fake_load(0, 0);
    guest_open();
    assert_int_equal(hal_irq_route(IRQ, false, &fake_domain, VIRQ), HV_OK);
    assert_false(fake_spi_enabled(IRQ));
    guest_write(GICD(GICD_ISENABLER + WORD), 4, BIT);
    assert_true(fake_spi_enabled(IRQ));
}

static int setup3(void **state)
{
    (void)state;
    begin(3);
    return 0;
}

static int setup2(void **state)
{
    (void)state;
    begin(2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hal_irq_unroute(IRQ, &fake_domain);
    assert_false(fake_spi_enabled(IRQ) || fake_spi_active(IRQ));
    fake_spi_level(IRQ, false);
    fake_machine_down();
    return 0;
}

static void target(uint32_t vcpu)
{
    if (fake_domain.arm.gic_version == 3u) {
        guest_write(GICD(GICD_IROUTER + (8u * VIRQ)), 8, hal_vplat_cpu_hwid(vcpu));
    } else {
        guest_write(GICD(GICD_ITARGETSR + VIRQ), 1, BIT32(vcpu));
    }
}

/* A level comes again as long as it is asserted, once at a time. */
static void level(void **state)
{
    (void)state;
    fake_spi_level(IRQ, true);
    for (uint32_t n = 0; n < 3u; n++) {
        assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
        assert_true(fake_spi_active(IRQ));
        fake_check();
        if (n == 2u) {
            fake_spi_level(IRQ, false);
        }
        guest_eoi(VIRQ);
    }
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_false(fake_spi_active(IRQ));
    assert_int_equal(fake_seen.irqs, 0);
}

/* Off its CPU the guest keeps it, pending or active. */
static void descheduled(void **state)
{
    (void)state;
    fake_spi_pulse(IRQ);
    fake_take_interrupts();
    fake_save(0);
    fake_check();
    assert_true(fake_spi_active(IRQ));
    fake_load(1, 0);
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    fake_save(1);
    fake_check();
    fake_load(0, 0);
    assert_true(fake_spi_active(IRQ));
    guest_eoi(VIRQ);
    assert_false(fake_spi_active(IRQ));
    fake_save(0);
    fake_spi_pulse(IRQ); /* nobody is loaded: it wakes */
    fake_take_interrupts();
    assert_true(fake_seen.kicks[0] > 0u);
    fake_load(0, 0);
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    guest_eoi(VIRQ);
}

/* It follows its target, and where that is. */
static void directed(void **state)
{
    (void)state;
    fake_load(2, 1);
    guest_open();
    target(1);
    fake_on(0);
    fake_spi_pulse(IRQ);
    fake_take_interrupts();
    fake_run_ipis();
    fake_on(2);
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    guest_eoi(VIRQ);
    assert_int_equal(fake_spi_route(IRQ), 2);
    fake_spi_pulse(IRQ);
    assert_true(fake_interrupt_waits(2));
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    guest_eoi(VIRQ);
    fake_on(0);
    hal_irq_adopt(2);
    assert_int_equal(fake_spi_route(IRQ), 0);
}

/* Registers: what they may do, and what they may not. */
static void registers(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ICFGR + 16u), 4, UINT32_MAX);
    assert_int_equal((guest_read(GICD(GICD_ICFGR + 16u), 4) >> 12) & 3u, 0);
    guest_write(GICD(GICD_ICENABLER + WORD), 4, BIT);
    assert_false(fake_spi_enabled(IRQ));
    fake_spi_level(IRQ, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + WORD), 4), BIT);
    guest_write(GICD(GICD_ISENABLER + WORD), 4, BIT);
    fake_take_interrupts();
    guest_write(GICD(GICD_ICENABLER + WORD), 4, BIT); /* pending in a list register */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_spi_level(IRQ, false);
    guest_write(GICD(GICD_ICPENDR + WORD), 4, BIT);
    fake_check();
    assert_false(fake_spi_active(IRQ));
    guest_write(GICD(GICD_ISENABLER + WORD), 4, BIT);
    guest_write(GICD(GICD_ISPENDR + WORD), 4, BIT);
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    guest_write(GICD(GICD_ICACTIVER + WORD), 4, BIT);
    fake_check();
    assert_false(fake_spi_active(IRQ));
    guest_write(GICD(GICD_ISACTIVER + WORD), 4, BIT);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + WORD), 4), 0);
    fake_spi_pulse(IRQ);
    fake_take_interrupts();
    guest_write(GICD(GICD_ISACTIVER + WORD), 4, BIT); /* with one pending in a list register */
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    guest_eoi(VIRQ);
}

static void refused(void **state)
{
    (void)state;
    assert_int_equal(hal_irq_route(IRQ, false, &fake_domain, VIRQ + 1u), HV_EXISTS);
    assert_int_equal(hal_irq_route(31, false, &fake_domain, VIRQ), HV_INVALID);
    assert_int_equal(hal_irq_route(128, false, &fake_domain, VIRQ), HV_INVALID);
    assert_int_equal(hal_irq_route(51, false, &fake_domain, 31), HV_INVALID);
    assert_int_equal(hal_irq_route(51, false, &fake_domain, 32 + 64), HV_INVALID);
    assert_int_equal(hal_irq_enable(52, false), HV_OK);
    assert_int_equal(hal_irq_route(52, false, &fake_domain, VIRQ + 1u), HV_EXISTS);
    hal_irq_unroute(52, &fake_domain);
    assert_true(fake_spi_enabled(52));
    hal_irq_unroute(2000, &fake_domain);
    hal_irq_unroute(0, &fake_domain);
}

/* Taken away while it is active. */
static void taken_away(void **state)
{
    (void)state;
    fake_spi_level(IRQ, true);
    assert_int_equal(guest_ack() & 0x3FFu, VIRQ);
    hal_irq_unroute(IRQ, &fake_domain);
    assert_false(fake_spi_enabled(IRQ) || fake_spi_active(IRQ));
    assert_int_equal(hal_irq_route(IRQ, true, &fake_domain, VIRQ), HV_OK);
}

static uint32_t had[FAKE_CPUS]; /* what the guest has not ended */
static uint32_t taken;

static void take(uint32_t cpu, bool nests)
{
    if ((had[cpu] == GUEST_NOTHING) || nests) {
        const uint32_t ack = guest_ack();

        taken += (((ack & 0x3FFu) & ~1u) == VIRQ) ? 1u : 0u;
        if ((had[cpu] != GUEST_NOTHING) && (ack != GUEST_NOTHING)) {
            guest_eoi(ack);
        } else if (ack != GUEST_NOTHING) {
            had[cpu] = ack;
        } else {
            /* nothing */
        }
    }
}

static void end(uint32_t cpu)
{
    if (had[cpu] != GUEST_NOTHING) {
        guest_eoi(had[cpu]);
        had[cpu] = GUEST_NOTHING;
    }
}

static void swap(uint32_t cpu, uint32_t by)
{
    if ((had[0] == GUEST_NOTHING) && (had[1] == GUEST_NOTHING)) {
        fake_save(cpu);
        fake_load(cpu, (gic_cpus[1u - cpu].loaded->index + 1u + by) % 3u);
        fake_cpu()->vmcr = 0xF8000003u;
    }
}

static void touch(uint32_t what)
{
    static const uint32_t regs[] = { GICD_ISENABLER, GICD_ISENABLER, GICD_ICENABLER, GICD_ISPENDR,
                                     GICD_ICPENDR,   GICD_ISACTIVER, GICD_ICACTIVER, GICD_ICFGR };

    guest_write(GICD(regs[what % 8u] + WORD), 4, what >> 4);
}

static void step(uint32_t cpu, uint32_t kind, uint32_t what)
{
    fake_on(cpu);
    if (kind < 3u) {
        take(cpu, (what & 0x10u) != 0u);
    } else if (kind < 5u) {
        end(cpu);
    } else if (kind == 5u) {
        fake_spi_level(IRQ, (what & 1u) != 0u);
    } else if (kind == 6u) {
        fake_spi_pulse(51);
    } else if (kind == 7u) {
        hal_virq_pulse(&fake_domain, 32u + (what % 32u));
    } else if (kind == 8u) {
        touch(what);
    } else if (kind == 9u) {
        target(what % 3u);
    } else if (kind == 10u) {
        guest_write(GICD(GICD_ISENABLER + WORD), 4, UINT32_MAX);
    } else {
        swap(cpu, what & 1u);
    }
    fake_take_interrupts();
    fake_run_ipis();
    fake_check();
}

/* Anything a guest can do, with other interrupts about: the link holds at each step. */
static void anything(void **state)
{
    uint32_t seed = 7;

    (void)state;
    taken = 0;
    had[0] = GUEST_NOTHING;
    had[1] = GUEST_NOTHING;
    assert_int_equal(hal_irq_route(51, true, &fake_domain, VIRQ + 1u), HV_OK);
    fake_load(1, 1);
    guest_open();
    guest_write(GICD(GICD_ISENABLER + 4u), 4, UINT32_MAX);
    guest_write(GICD(GICD_ISENABLER + WORD), 4, UINT32_MAX);
    for (uint32_t n = 0; n < 30000u; n++) {
        seed = (seed * 1103515245u) + 12345u;
        step((seed >> 8) & 1u, (seed >> 9) % 12u, seed >> 16);
    }
    assert_true(taken > 100u);
    assert_int_equal(fake_seen.irqs, 0);
    hal_irq_unroute(51, &fake_domain);
}

#define BOTH(name)                                                                                           \
    cmocka_unit_test_setup_teardown(name, setup3, teardown),                                                 \
        cmocka_unit_test_setup_teardown(name, setup2, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(level),   BOTH(descheduled), BOTH(directed), BOTH(registers),
        BOTH(refused), BOTH(taken_away),  BOTH(anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
