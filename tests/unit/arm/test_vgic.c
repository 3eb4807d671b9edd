/* The emulated GICv3: what a guest and its devices see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_arm.h"

static int setup(void **state)
{
    (void)state;
    fake_machine(3, 4, 64);
    fake_load(0, 0);
    guest_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

static void spi_on(uint32_t intid, uint32_t priority, uint32_t vcpu)
{
    guest_write(GICD(GICD_IPRIORITYR + intid), 1, priority);
    guest_write(GICD(GICD_IROUTER + (8u * intid)), 8, hal_vplat_cpu_hwid(vcpu));
    guest_write(GICD(GICD_ISENABLER + (4u * (intid / 32u))), 4, BIT32((intid & 31u)));
}

static void identification(void **state)
{
    (void)state;
    assert_int_equal(guest_read(GICD(GICD_TYPER), 4) & 0x1F, 2);
    assert_int_equal((guest_read(GICD(GICD_TYPER), 4) >> 19) & 0x1F, 9);
    assert_int_equal(guest_read(GICD(GICD_CTLR), 4), 0x53);
    assert_int_equal(guest_read(GICD(0xFFE8), 4) & 0xF0, 0x30);
    assert_int_equal(guest_read(GICR(0, 0xFFE8), 4) & 0xF0, 0x30);
    assert_int_equal(guest_read(GICR(2, 8), 8), (2ULL << 32) | (2u << 8));
    assert_int_equal(guest_read(GICR(3, 8), 8), (3ULL << 32) | (3u << 8) | 0x10);
    assert_int_equal(guest_read(GICR(3, 12), 4), 3);
    assert_int_equal(guest_read(GICR(0, 0x14), 4), 0);
    assert_int_equal(guest_read(GICR(1, 0x14), 4), 6); /* still asleep */
}

static void places_that_are_not_ours(void **state)
{
    uint64_t value = 0;

    (void)state;
    assert_int_equal(guest_access(ARM_GUEST_GICD_BASE - 4, 4, false, &value), HAL_INJECT_UNDEF);
    assert_int_equal(guest_access(GICD(0x10000), 4, false, &value), HAL_INJECT_UNDEF);
    assert_int_equal(guest_access(GICR(4, 0), 4, false, &value), HAL_INJECT_UNDEF); /* no such vCPU */
    assert_int_equal(guest_access(GICR(127, 0x1FFF8), 8, false, &value), HAL_INJECT_UNDEF);
    assert_int_equal(guest_access(GICR(128, 0), 8, false, &value), HAL_INJECT_UNDEF);
    assert_int_equal(guest_access(GICD(2), 4, false, &value), HAL_INJECT_ABORT); /* misaligned */
    assert_int_equal(guest_access(GICD(0), 0, false, &value), HAL_INJECT_ABORT); /* not described */
}

static void unknown_registers_and_widths(void **state)
{
    (void)state;
    guest_write(GICD(0x0C), 4, UINT32_MAX);
    assert_int_equal(guest_read(GICD(0x0C), 4), 0);
    assert_int_equal(guest_read(GICD(GICD_TYPER), 1), 0);
    assert_int_equal(guest_read(GICD(GICD_ISENABLER + 4), 2), 0);
    assert_int_equal(guest_read(GICD(GICD_ISENABLER), 4), 0); /* private ones are not here with ARE */
    guest_write(GICD(GICD_ITARGETSR + 32), 4, UINT32_MAX);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 32), 4), 0);
    guest_write(GICD(GICD_ISENABLER + 12), 4, UINT32_MAX); /* beyond 64 SPIs */
    assert_int_equal(guest_read(GICD(GICD_ISENABLER + 12), 4), 0);
}

static void plain_registers(void **state)
{
    (void)state;
    guest_write(GICD(GICD_IPRIORITYR + 40), 4, 0x12345678);
    assert_int_equal(guest_read(GICD(GICD_IPRIORITYR + 40), 4), 0x10305078);
    assert_int_equal(guest_read(GICD(GICD_IPRIORITYR + 42), 1), 0x30);
    guest_write(GICD(GICD_IPRIORITYR + 41), 1, 0xFF);
    assert_int_equal(guest_read(GICD(GICD_IPRIORITYR + 40), 4), 0x1030F878);
    guest_write(GICD(GICD_ICFGR + 8), 4, 0xFFFFFFFF);
    assert_int_equal(guest_read(GICD(GICD_ICFGR + 8), 4), 0xAAAAAAAA);
    assert_int_equal(guest_read(GICR_S(0, GICD_ICFGR), 4), 0xAAAAAAAA); /* SGIs are edges */
    guest_write(GICR_S(0, GICD_ICFGR + 4), 4, 0xFFFFFFFF);
    assert_int_equal(guest_read(GICR_S(0, GICD_ICFGR + 4), 4), 0);
    guest_write(GICD(GICD_IROUTER + 8 * 33), 8, 0x3);
    assert_int_equal(guest_read(GICD(GICD_IROUTER + 8 * 33), 8), 3);
    guest_write(GICD(GICD_IROUTER + 8 * 33), 4, 0x1);
    assert_int_equal(guest_read(GICD(GICD_IROUTER + 8 * 33), 4), 1);
    guest_write(GICD(GICD_IROUTER + 8 * 33), 8, 0x80000001); /* no 1 of N */
    assert_int_equal(guest_read(GICD(GICD_IROUTER + 8 * 33), 8), 1);
    guest_write(GICD(GICD_IROUTER + 8 * 33), 8, 0x100);
    assert_int_equal(vgic_target(&fake_domain, 1), VGIC_NO_VCPU);
    guest_write(GICD(GICD_ISENABLER + 4), 4, 0xF0);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 0x30);
    assert_int_equal(guest_read(GICD(GICD_ISENABLER + 4), 4), 0xC0);
    assert_int_equal(guest_read(GICD(GICD_ICENABLER + 4), 4), 0xC0);
}

/* A level stays until the device lowers it: shown again after the guest's EOI, and only then. */
static void level_line(void **state)
{
    (void)state;
    spi_on(33, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 2);
    assert_int_equal(guest_ack(), 33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 2);
    guest_eoi(33);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_eoi(33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 0);
    hal_virq_set_line(&fake_domain, 33, true);
    hal_virq_set_line(&fake_domain, 33, false); /* gone before it was taken */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void level_rises_while_active(void **state)
{
    (void)state;
    spi_on(33, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    hal_virq_set_line(&fake_domain, 33, true);
    guest_eoi(33);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    guest_eoi(33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void edges(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ICFGR + 8), 4, 2u << 4); /* 34 */
    spi_on(34, 0xA0, 0);
    hal_virq_pulse(&fake_domain, 34);
    hal_virq_pulse(&fake_domain, 34); /* merges */
    assert_int_equal(guest_ack(), 34);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    hal_virq_pulse(&fake_domain, 34); /* while active */
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 4);
    guest_eoi(34);
    assert_int_equal(guest_ack(), 34);
    guest_eoi(34);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    hal_virq_set_line(&fake_domain, 34, true);
    assert_int_equal(guest_ack(), 34);
    guest_eoi(34);
    assert_int_equal(guest_ack(), GUEST_NOTHING); /* still high, no edge */
    hal_virq_set_line(&fake_domain, 34, false);
    hal_virq_set_line(&fake_domain, 34, true);
    assert_int_equal(guest_ack(), 34);
    guest_eoi(34);
}

static void disabled_and_groups(void **state)
{
    (void)state;
    hal_virq_set_line(&fake_domain, 35, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 8);
    spi_on(35, 0xA0, 0);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 8); /* taken back out of the list register */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_ISENABLER + 4), 4, 8);
    guest_write(GICD(GICD_CTLR), 4, 1);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_CTLR), 4, 2);
    guest_write(GICD(GICD_IGROUPR + 4), 4, 0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_CTLR), 4, 3);
    assert_int_equal(guest_ack(), 35);
    hal_virq_set_line(&fake_domain, 35, false);
    guest_eoi(35);
}

static void pending_and_active_by_software(void **state)
{
    (void)state;
    spi_on(36, 0xA0, 0);
    guest_write(GICD(GICD_ISPENDR + 4), 4, 0x10);
    assert_int_equal(guest_read(GICD(GICD_ICPENDR + 4), 4), 0x10);
    guest_write(GICD(GICD_ICPENDR + 4), 4, 0x10);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_ISPENDR + 4), 4, 0x10);
    assert_int_equal(guest_ack(), 36);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 0);
    assert_int_equal(guest_read(GICD(GICD_ICACTIVER + 4), 4), 0x10);
    guest_write(GICD(GICD_ISPENDR + 4), 4, 0x10); /* again, while active */
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 0x10);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_eoi(36);
    assert_int_equal(guest_ack(), 36);
    guest_eoi(36);
    guest_write(GICD(GICD_ISACTIVER + 4), 4, 0x20);
    guest_write(GICD(GICD_ISENABLER + 4), 4, 0x20);
    hal_virq_set_line(&fake_domain, 37, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING); /* active by software */
    guest_write(GICD(GICD_ICACTIVER + 4), 4, 0x20);
    assert_int_equal(guest_ack(), 37);
    hal_virq_set_line(&fake_domain, 37, false);
    guest_write(GICD(GICD_ICACTIVER + 4), 4, 0x20); /* instead of an EOI */
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

/* The same for edges, whose pending state is in the list register alone. */
static void edge_taken_back(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ICFGR + 8), 4, 2u << 4); /* 34 */
    spi_on(34, 0xA0, 0);
    hal_virq_pulse(&fake_domain, 34);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 4);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 4);
    guest_write(GICD(GICD_ISENABLER + 4), 4, 4);
    guest_write(GICD(GICD_ICPENDR + 4), 4, 4);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    hal_virq_pulse(&fake_domain, 34);
    assert_int_equal(guest_ack(), 34);
    hal_virq_pulse(&fake_domain, 34);
    guest_write(GICD(GICD_ICPENDR + 4), 4, 4); /* pending and active */
    guest_eoi(34);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_sgi((3u << 24) | 1);
    guest_write(GICR_S(0, GICD_ICPENDR), 4, 8);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void sgis(void **state)
{
    (void)state;
    fake_load(1, 1);
    guest_open();
    fake_load(2, 2);
    guest_open();
    guest_sgi((5u << 24) | 0xFFFF); /* vCPUs 0 to 3, of which 3 is off, and twelve that are absent */
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    fake_on(0);
    assert_int_equal(guest_ack(), GUEST_NOTHING); /* not before the IPI */
    fake_run_ipis();
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    fake_on(1);
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    guest_sgi(BIT64(40) | (6u << 24)); /* all but self */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_run_ipis();
    fake_on(2);
    assert_int_equal(guest_ack(), 6);
    guest_eoi(6);
    fake_on(1);
    fake_save(1);
    fake_load(1, 3); /* what it was sent while it was off waits for it */
    guest_open();
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    assert_int_equal(guest_ack(), 6);
    guest_eoi(6);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_sgi((7u << 24) | (1ULL << 32) | 8); /* Aff2, Aff3, Aff1, range: nobody */
    guest_sgi((7u << 24) | (1ULL << 48) | 8);
    guest_sgi((7u << 24) | (1ULL << 16) | 8);
    guest_sgi((7u << 24) | (1ULL << 44) | 8);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

/* The way without a lock, over and over, and with the interrupt in all states. */
static void sgi_to_self(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 10; n++) {
        guest_sgi((3u << 24) | 1);
        assert_int_equal(guest_ack(), 3);
        guest_sgi((3u << 24) | 1); /* while active */
        guest_sgi((3u << 24) | 1);
        assert_int_equal(guest_read(GICR_S(0, GICD_ISPENDR), 4), 8);
        guest_eoi(3);
        assert_int_equal(guest_ack(), 3);
        guest_eoi(3);
        assert_int_equal(guest_ack(), GUEST_NOTHING);
    }
    guest_write(GICR_S(0, GICD_ICENABLER), 4, 8);
    guest_sgi((3u << 24) | 1);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICR_S(0, GICD_IPRIORITYR + 3), 1, 0x40);
    guest_write(GICR_S(0, GICD_ISENABLER), 4, 8);
    assert_int_equal((fake_cpus[0].lr[1] >> 48) & 0xFF, 0x40);
    assert_int_equal(guest_ack(), 3);
    guest_eoi(3);
}

static void group0_sgis(void **state)
{
    struct arm_sysreg access = { .encoding = ARM_SYSREG(3, 0, 12, 11, 7),
                                 .write = true,
                                 .value = (2u << 24) | 1 };
    enum hal_resume resume;

    (void)state;
    assert_true(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume));
    assert_int_equal(guest_ack(), GUEST_NOTHING); /* it is in group 1 */
    guest_write(GICR_S(0, GICD_IGROUPR), 4, ~4u);
    assert_true(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume));
    assert_int_equal(guest_ack(), 2);
    guest_eoi(2);
    access.write = false;
    assert_false(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume)); /* write-only */
    access.encoding = ARM_SYSREG(3, 0, 12, 12, 5);
    assert_true(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume));
    assert_int_equal(access.value, 7);
    access.encoding = ARM_SYSREG(3, 0, 12, 12, 4);
    assert_false(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume));
}

/* More than list registers: none is lost, all come in order of priority. */
static void overflow(void **state)
{
    uint32_t last = 0;

    (void)state;
    for (uint32_t n = 0; n < 40; n++) {
        spi_on(32 + n, ((n * 7) % 16) * 16, 0);
    }
    for (uint32_t n = 0; n < 40; n++) {
        hal_virq_set_line(&fake_domain, 32 + n, true);
        fake_check();
    }
    for (uint32_t n = 0; n < 40; n++) {
        const uint32_t intid = guest_ack();

        assert_int_not_equal(intid, GUEST_NOTHING);
        const uint32_t priority = (((intid - 32) * 7) % 16) * 16;

        assert_true(priority >= last);
        last = priority;
        hal_virq_set_line(&fake_domain, intid, false);
        guest_eoi(intid);
    }
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(fake_cpus[0].hcr, 1);
}

/* Nested handlers, deeper than list registers: the evicted active ones can be ended. */
static void nesting(void **state)
{
    uint32_t taken[6];

    (void)state;
    for (uint32_t n = 0; n < 6; n++) {
        spi_on(40 + n, 0xF0 - (n * 16), 0);
        hal_virq_set_line(&fake_domain, 40 + n, true);
        taken[n] = guest_ack();
        assert_int_equal(taken[n], 40 + n);
    }
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 0x3F00);
    for (uint32_t n = 6; n > 0; n--) {
        hal_virq_set_line(&fake_domain, taken[n - 1], false);
        guest_eoi(taken[n - 1]);
    }
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 0);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 0);
    assert_int_equal(fake_cpus[0].hcr, 1);
}

/* State follows the vCPU to another CPU, whatever it was in the middle of. */
static void migration(void **state)
{
    (void)state;
    spi_on(33, 0xA0, 0);
    guest_write(GICD(GICD_ICFGR + 8), 4, 2u << 4);
    spi_on(34, 0x80, 0);
    hal_virq_pulse(&fake_domain, 34);
    assert_int_equal(guest_ack(), 34);
    hal_virq_pulse(&fake_domain, 34);
    hal_virq_set_line(&fake_domain, 33, true);
    guest_sgi((9u << 24) | 1);
    fake_save(0);
    fake_check();
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_load(3, 0);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 4);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR + 4), 4), 6);
    guest_eoi(34);
    assert_int_equal(guest_ack(), 9); /* priority 0 */
    guest_eoi(9);
    assert_int_equal(guest_ack(), 34);
    guest_eoi(34);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    guest_eoi(33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
}

/* An interrupt that is active on one vCPU while its route changes ends there and comes up at the new
 * place. */
static void rerouted_while_active(void **state)
{
    (void)state;
    fake_load(1, 1);
    guest_open();
    fake_on(0);
    spi_on(33, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    assert_int_equal(guest_ack(), 33);
    fake_save(0);
    fake_on(1);
    guest_write(GICD(GICD_IROUTER + 8 * 33), 8, 1);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_load(0, 0);
    guest_eoi(33);
    fake_run_ipis();
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_on(1);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    guest_eoi(33);
}

/* What another CPU's list registers hold: the access is repeated until that CPU has answered. */
static void remote_state(void **state)
{
    uint64_t value = 0;

    (void)state;
    fake_load(1, 1);
    guest_open();
    spi_on(33, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    fake_run_ipis();
    fake_on(0);
    assert_int_equal(guest_ack(), 33);
    fake_on(1);
    assert_int_equal(guest_access(GICD(GICD_ISACTIVER + 4), 4, false, &value), HAL_RESUME);
    assert_int_equal(value, 0xDEAD);
    assert_int_equal(guest_access(GICD(GICD_ISACTIVER + 4), 4, false, &value), HAL_RESUME);
    fake_run_ipis();
    assert_int_equal(guest_access(GICD(GICD_ISACTIVER + 4), 4, false, &value), HAL_RESUME_NEXT);
    assert_int_equal(value, 2);
    guest_write(GICD(GICD_ICACTIVER + 4), 4, 2);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER + 4), 4), 0);
    fake_on(0);
    assert_int_equal(guest_ack(), 33); /* its line is high */
    fake_on(1);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 2);
    hal_virq_set_line(&fake_domain, 33, false);
    fake_run_ipis();
    fake_on(0);
    guest_eoi(33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    hal_virq_set_line(&fake_domain, 33, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING); /* disabled by the other */
}

/* While one write waits, the guest's interrupt handler writes another value to the same register: both
 * count. */
static void nested_wait(void **state)
{
    uint64_t value = 2;

    (void)state;
    fake_load(1, 1);
    guest_open();
    fake_on(0);
    spi_on(33, 0xA0, 0);
    spi_on(34, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    hal_virq_set_line(&fake_domain, 34, true);
    fake_on(1);
    assert_int_equal(guest_access(GICD(GICD_ICENABLER + 4), 4, true, &value), HAL_RESUME);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 4);
    guest_write(GICD(GICD_ICENABLER + 4), 4, 2);
    assert_int_equal(guest_read(GICD(GICD_ISENABLER + 4), 4) & 6, 0);
    fake_on(0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

/* A CPU that does not answer does not hold the other for ever. */
static void remote_state_without_answer(void **state)
{
    uint64_t value = 0;
    uint32_t tries = 0;

    (void)state;
    fake_load(1, 1);
    guest_open();
    spi_on(33, 0xA0, 0);
    hal_virq_set_line(&fake_domain, 33, true);
    fake_run_ipis();
    fake_on(1);
    while ((guest_access(GICD(GICD_ISPENDR + 4), 4, false, &value) == HAL_RESUME) && (tries < 100000)) {
        tries++;
    }
    assert_in_range(tries, 1, 20000);
    assert_int_equal(value, 2);
}

static void remote_redistributor(void **state)
{
    (void)state;
    fake_load(1, 1);
    guest_open();
    fake_on(0);
    guest_write(GICR_S(1, GICD_IPRIORITYR + 20), 1, 0x20);
    guest_write(GICR_S(1, GICD_ISENABLER), 4, BIT32(20));
    assert_int_equal(guest_read(GICR_S(1, GICD_ISENABLER), 4) & BIT32(20), BIT32(20)); /* asked is done */
    guest_write(GICR_S(1, GICD_ISPENDR), 4, BIT32(20));
    assert_int_equal(guest_read(GICR_S(1, GICD_ISPENDR), 4), BIT32(20));
    fake_on(1);
    assert_int_equal(guest_ack(), 20);
    fake_on(0);
    assert_int_equal(guest_read(GICR_S(1, GICD_ISACTIVER), 4), BIT32(20));
    assert_int_equal(guest_read(GICR_S(1, GICD_ISPENDR), 4), 0);
    guest_write(GICR_S(1, GICD_ICACTIVER), 4, BIT32(20));
    guest_write(GICR_S(1, GICD_ICENABLER), 4, BIT32(20));
    guest_write(GICR_S(1, GICD_ISPENDR), 4, BIT32(20));
    fake_run_ipis();
    fake_on(1);
    assert_int_equal(guest_read(GICR_S(1, GICD_ISACTIVER), 4), 0);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_save(1);
    fake_on(0);
    guest_write(GICR_S(1, GICD_ISENABLER), 4, BIT32(20)); /* of a vCPU that does not run */
    fake_load(1, 1);
    assert_int_equal(guest_ack(), 20);
    guest_eoi(20);
}

static void irq_pending_follows_masks(void **state)
{
    (void)state;
    spi_on(33, 0xA0, 0);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    hal_virq_set_line(&fake_domain, 33, true);
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_cpus[0].vmcr = 0xA0000003u; /* priority mask */
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_cpus[0].vmcr = 0xF8000001u; /* group 1 off at the interface */
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_save(0);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_vcpu[0].arm.vgic.vmcr = 0xF8000003u;
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    hal_virq_set_line(&fake_domain, 33, false);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_load(1, 1);
    guest_open();
    guest_sgi((1u << 24) | 1);
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    assert_int_not_equal(fake_seen.kicks[0], 0);
}

static void lines_that_do_not_exist(void **state)
{
    (void)state;
    hal_virq_set_line(&fake_domain, 0, true);
    hal_virq_set_line(&fake_domain, 31, true);
    hal_virq_set_line(&fake_domain, 96, true);
    hal_virq_pulse(&fake_domain, UINT32_MAX);
    hal_virq_pulse(&fake_domain, 1020);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

/* Nothing a guest writes breaks our own invariants (guest_write checks them) or runs out of bounds (the
 * sanitizers). */
static void any_access(void **state)
{
    uint32_t seed = 12345;

    (void)state;
    fake_load(1, 1);
    guest_open();
    for (uint32_t n = 0; n < 60000; n++) {
        seed = (seed * 1103515245u) + 12345u;
        const uint32_t what = seed >> 8;
        const uint32_t width = 1u << ((what >> 4) & 3u);
        uint64_t at = ((what & 1u) != 0u) ? GICD((what >> 6) % 0x1000u)
                                          : GICR((what >> 20) & 3u, ((what >> 6) & 0xFFFu) | 0x10000u);
        uint64_t value = ((uint64_t)seed * 2654435761u) & ((what & 8u) ? 0xFFFFFFFFu : 0x0000FF0Fu);

        at &= ~(uint64_t)(width - 1u);
        fake_on((what >> 1) & 1u);
        if ((what % 61u) == 0u) {
            hal_virq_set_line(&fake_domain, 32u + (seed % 64u), (what & 4u) != 0u);
        } else if ((what % 67u) == 0u) {
            guest_sgi((uint64_t)seed << 4);
        } else if ((what % 71u) == 0u) {
            const uint32_t vcpu = gic_cpus[fake_cpu_now].loaded->index;

            fake_save(fake_cpu_now);
            fake_load(fake_cpu_now, vcpu);
        } else if ((what % 5u) == 0u) {
            const uint32_t intid = guest_ack();

            if (intid != GUEST_NOTHING) {
                guest_eoi(intid);
            }
        } else if ((what & 2u) != 0u) {
            guest_write(at, width, value);
        } else {
            (void)guest_read(at, width);
        }
        fake_run_ipis();
        fake_check();
    }
}

/* -- Against a model: every edge that is raised while its interrupt is idle arrives exactly once, at its
 * target, with three vCPUs moving between two CPUs.
 * ---------------------------------------------------------------------------------- */

static bool model_waits[64];

static void model_take(void)
{
    const uint32_t intid = guest_ack();

    if (intid != GUEST_NOTHING) {
        assert_true(model_waits[intid - 32]);
        assert_int_equal(gic_cpus[fake_cpu_now].loaded->index, (intid - 32) % 3);
        model_waits[intid - 32] = false;
        guest_eoi(intid);
    }
}

/* Another vCPU on this CPU, one that is not on the other. */
static void model_switch(uint32_t wish)
{
    const uint32_t other = gic_cpus[1u - fake_cpu_now].loaded->index;

    fake_save(fake_cpu_now);
    fake_load(fake_cpu_now, (wish != other) ? wish : ((wish + 1u) % 3u));
}

static void model_setup(void)
{
    memset(model_waits, 0, sizeof(model_waits));
    for (uint32_t v = 1; v < 3; v++) {
        fake_load(1, v);
        guest_open();
        fake_save(1);
    }
    fake_on(0);
    for (uint32_t n = 0; n < 64; n += 16) {
        guest_write(GICD(GICD_ICFGR + 8 + (n / 4)), 4, UINT32_MAX);
    }
    for (uint32_t n = 0; n < 64; n++) {
        spi_on(32 + n, (n % 16) * 16, n % 3);
    }
    fake_load(1, 1);
}

static void model_finish(void)
{
    fake_save(0);
    fake_save(1);
    for (uint32_t v = 0; v < 3; v++) {
        fake_load(0, v);
        for (uint32_t n = 0; n < 64; n++) {
            model_take();
        }
        fake_save(0);
    }
    for (uint32_t n = 0; n < 64; n++) {
        assert_false(model_waits[n]);
    }
}

static void nothing_lost(void **state)
{
    uint32_t seed = 99;

    (void)state;
    model_setup();
    for (uint32_t step = 0; step < 20000; step++) {
        seed = (seed * 1103515245u) + 12345u;
        const uint32_t what = seed >> 10;
        const uint32_t n = (what >> 8) % 64u;

        fake_on(what & 1u);
        if ((what & 0x1Eu) == 0u) {
            model_switch(n % 3u);
        } else if (((what & 8u) != 0u) && !model_waits[n]) {
            model_waits[n] = true;
            hal_virq_pulse(&fake_domain, 32 + n);
        } else {
            model_take();
        }
        fake_run_ipis();
        fake_check();
    }
    model_finish();
}

static void limits(void **state)
{
    const struct hal_domain_config many = { .nr_vcpus = 129, .nr_spis = 32 };
    const struct hal_domain_config none = { .nr_vcpus = 0, .nr_spis = 32 };
    const struct hal_domain_config spis = { .nr_vcpus = 1, .nr_spis = 1024 };
    struct hal_domain domain;

    (void)state;
    assert_int_equal(arm_domain_init(&domain, &many), HV_NOT_SUPPORTED);
    assert_int_equal(arm_domain_init(&domain, &none), HV_NOT_SUPPORTED);
    assert_int_equal(arm_domain_init(&domain, &spis), HV_NOT_SUPPORTED);
}

static int setup_most(void **state)
{
    (void)state;
    fake_machine(3, 20, 992);
    fake_load(0, 17);
    guest_open();
    return 0;
}

static void last_interrupts(void **state)
{
    (void)state;
    assert_int_equal(guest_read(GICD(GICD_TYPER), 4) & 0x1F, 31);
    guest_write(GICD(GICD_ISENABLER + 4 * 31), 4, UINT32_MAX);
    assert_int_equal(guest_read(GICD(GICD_ISENABLER + 4 * 31), 4), 0x0FFFFFFF); /* 1020 and up are special */
    guest_write(GICD(GICD_IROUTER + 8 * 1019), 8, 0x101);
    assert_int_equal(guest_read(GICD(GICD_IROUTER + 8 * 1019), 8), 0x101);
    assert_int_equal(guest_read(GICD(GICD_IROUTER + 8 * 1020), 8), 0);
    hal_virq_set_line(&fake_domain, 1019, true);
    hal_virq_set_line(&fake_domain, 1020, true);
    assert_int_equal(guest_ack(), 1019);
    hal_virq_set_line(&fake_domain, 1019, false);
    guest_eoi(1019);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_sgi((4u << 24) | (1u << 16) | 2); /* Aff1 1, Aff0 1 = vCPU 17 */
    assert_int_equal(guest_ack(), 4);
    guest_eoi(4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identification, setup, teardown),
        cmocka_unit_test_setup_teardown(places_that_are_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_registers_and_widths, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_registers, setup, teardown),
        cmocka_unit_test_setup_teardown(level_line, setup, teardown),
        cmocka_unit_test_setup_teardown(level_rises_while_active, setup, teardown),
        cmocka_unit_test_setup_teardown(edges, setup, teardown),
        cmocka_unit_test_setup_teardown(disabled_and_groups, setup, teardown),
        cmocka_unit_test_setup_teardown(pending_and_active_by_software, setup, teardown),
        cmocka_unit_test_setup_teardown(edge_taken_back, setup, teardown),
        cmocka_unit_test_setup_teardown(sgis, setup, teardown),
        cmocka_unit_test_setup_teardown(sgi_to_self, setup, teardown),
        cmocka_unit_test_setup_teardown(group0_sgis, setup, teardown),
        cmocka_unit_test_setup_teardown(overflow, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting, setup, teardown),
        cmocka_unit_test_setup_teardown(migration, setup, teardown),
        cmocka_unit_test_setup_teardown(rerouted_while_active, setup, teardown),
        cmocka_unit_test_setup_teardown(remote_state, setup, teardown),
        cmocka_unit_test_setup_teardown(nested_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(remote_state_without_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(remote_redistributor, setup, teardown),
        cmocka_unit_test_setup_teardown(irq_pending_follows_masks, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_that_do_not_exist, setup, teardown),
        cmocka_unit_test_setup_teardown(any_access, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(limits, setup, teardown),
        cmocka_unit_test_setup_teardown(last_interrupts, setup_most, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
