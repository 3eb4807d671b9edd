/* The emulated GICv2 distributor on a GICv2 host: senders of SGIs, targets, and the list registers' other
 * layout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_arm.h"

static int setup(void **state)
{
    (void)state;
    fake_machine(2, 4, 32);
    fake_load(0, 0);
    guest_open();
    fake_load(1, 1);
    guest_open();
    fake_on(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

static void identification(void **state)
{
    (void)state;
    assert_int_equal(guest_read(GICD(GICD_TYPER), 4), 1 | (3 << 5));
    assert_int_equal(guest_read(GICD(0xFE8), 4) & 0xF0, 0x20);
    assert_int_equal(guest_read(GICD(GICD_CTLR), 4), 3);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR), 4), 0x01010101);
    fake_on(1);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 28), 4), 0x02020202);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 1), 1), 2);
}

static void interface_is_mapped(void **state)
{
    (void)state;
    assert_int_equal(fake_domain.map.nr_pages, 2);
    assert_int_equal(fake_domain.map.page[0][0], ARM_GUEST_GICC_BASE);
    assert_int_equal(fake_domain.map.page[0][1], 0x8040000);
    assert_int_equal(fake_domain.map.page[1][0], ARM_GUEST_GICC_BASE + 0x1000);
    assert_int_equal(fake_domain.map.page[1][1], 0x8041000);
}

static void no_system_registers(void **state)
{
    struct arm_sysreg access = { .encoding = ARM_SYSREG(3, 0, 12, 11, 5), .write = true, .value = 1 };
    enum hal_resume resume;
    uint64_t value = 0;

    (void)state;
    assert_false(arm_vcpu_sysreg(&fake_vcpu[0], &access, &resume));
    assert_int_equal(guest_access(GICR(0, 8), 8, false, &value), HAL_INJECT_UNDEF);
    assert_int_equal(guest_access(GICD(0x1000), 4, false, &value), HAL_INJECT_UNDEF);
}

/* One SGI from several senders is taken once for each. */
static void senders(void **state)
{
    (void)state;
    guest_write(GICD(GICD_SGIR), 4, (0x01u << 16) | 3); /* to self */
    fake_on(1);
    guest_write(GICD(GICD_SGIR), 4, (0xF1u << 16) | 3); /* to 0 and to some that are absent */
    fake_run_ipis();
    fake_on(0);
    const uint32_t first = guest_ack();

    assert_int_equal(first & 0x3FF, 3);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_eoi(first);
    const uint32_t second = guest_ack();

    assert_int_equal(second & 0x3FF, 3);
    assert_int_equal((first >> 10) + (second >> 10), 1); /* 0 and 1 */
    guest_eoi(second);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void filters(void **state)
{
    (void)state;
    guest_write(GICD(GICD_SGIR), 4, (1u << 24) | 5); /* the others */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_run_ipis();
    fake_on(1);
    assert_int_equal(guest_ack(), 5);
    guest_eoi(5);
    guest_write(GICD(GICD_SGIR), 4, (2u << 24) | (0xFFu << 16) | 6); /* self */
    assert_int_equal(guest_ack(), (1u << 10) | 6);
    guest_eoi(6);
    guest_write(GICD(GICD_SGIR), 4, (3u << 24) | (0xFFu << 16) | 7); /* reserved */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_not_equal(fake_vcpu[2].arm.vgic.sgi_in[0], 0); /* vCPU 2 is off, and will find it */
}

static void senders_by_register(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ICENABLER), 4, 2);
    guest_write(GICD(GICD_SPENDSGIR), 4, 0x0500u);
    assert_int_equal(guest_read(GICD(GICD_CPENDSGIR), 4), 0x0500);
    assert_int_equal(guest_read(GICD(GICD_SPENDSGIR + 1), 1), 5);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR), 4), 2);
    guest_write(GICD(GICD_ISPENDR), 4, 4); /* SGIs only by sender */
    guest_write(GICD(GICD_ICPENDR), 4, 2);
    assert_int_equal(guest_read(GICD(GICD_ISPENDR), 4), 2);
    guest_write(GICD(GICD_CPENDSGIR + 1), 1, 1);
    guest_write(GICD(GICD_ISENABLER), 4, 2);
    assert_int_equal(guest_read(GICD(GICD_SPENDSGIR), 4), 0x0400); /* from the list register */
    guest_write(GICD(GICD_CPENDSGIR), 4, 0x0400);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_SPENDSGIR), 4, 0x0400);
    assert_int_equal(guest_ack(), (2u << 10) | 1);
    guest_eoi(1);
    assert_int_equal(guest_read(GICD(GICD_SPENDSGIR), 4), 0);
}

static void targets(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ISENABLER + 4), 4, 3);
    hal_virq_set_line(&fake_domain, 32, true); /* nobody asked: CPU 0 */
    assert_int_equal(guest_ack(), 32);
    hal_virq_set_line(&fake_domain, 32, false);
    guest_eoi(32);
    guest_write(GICD(GICD_ITARGETSR + 33), 1, 0x02);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 32), 4), 0x01010201);
    hal_virq_set_line(&fake_domain, 33, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_run_ipis();
    fake_on(1);
    assert_int_equal(guest_ack(), 33);
    fake_on(0);
    guest_write(GICD(GICD_ITARGETSR + 33), 1, 0); /* to nobody; it is active at 1 */
    fake_on(1);
    guest_eoi(33);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_on(0);
    guest_write(GICD(GICD_ITARGETSR + 33), 1, 0xFF);
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 33), 1), 0x0F);
    assert_int_equal(guest_ack(), 33);
    hal_virq_set_line(&fake_domain, 33, false);
    guest_eoi(33);
    guest_write(GICD(GICD_ITARGETSR + 32), 2, 0); /* not at this width */
    assert_int_equal(guest_read(GICD(GICD_ITARGETSR + 32), 1), 1);
}

static void group1(void **state)
{
    (void)state;
    guest_write(GICD(GICD_ISENABLER + 4), 4, 1);
    guest_write(GICD(GICD_IGROUPR + 4), 4, 1);
    guest_write(GICD(GICD_CTLR), 4, 1);
    hal_virq_set_line(&fake_domain, 32, true);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_CTLR), 4, 2);
    assert_int_equal(guest_ack(), 32);
    assert_int_not_equal(fake_cpus[0].lr[1] & GIC_LR_GROUP1, 0);
    hal_virq_set_line(&fake_domain, 32, false);
    guest_eoi(32);
}

static void irq_pending_follows_mask(void **state)
{
    (void)state;
    guest_write(GICD(GICD_IPRIORITYR + 32), 1, 0x50);
    guest_write(GICD(GICD_ISENABLER + 4), 4, 1);
    hal_virq_set_line(&fake_domain, 32, true);
    fake_cpus[0].vmcr = 0x58000003u;
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_cpus[0].vmcr = 0x50000003u;
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_save(0);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_vcpu[0].arm.vgic.vmcr = 0x58000003u;
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
}

static void sgi_survives_migration(void **state)
{
    (void)state;
    fake_on(1);
    guest_write(GICD(GICD_SGIR), 4, (1u << 16) | 3);
    guest_write(GICD(GICD_SGIR), 4, (1u << 16) | 4);
    fake_run_ipis();
    fake_on(0);
    assert_int_equal(guest_ack() & 0x3FF, 3);
    fake_save(0);
    fake_load(2, 0);
    assert_int_equal(guest_ack(), (1u << 10) | 4);
    guest_eoi(4);
    guest_eoi(3);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(guest_read(GICD(GICD_ISACTIVER), 4), 0);
}

static void any_access(void **state)
{
    uint32_t seed = 4711;

    (void)state;
    for (uint32_t n = 0; n < 40000; n++) {
        seed = (seed * 1103515245u) + 12345u;
        const uint32_t what = seed >> 8;
        const uint32_t width = 1u << ((what >> 4) & 3u);
        const uint64_t at = GICD((what >> 6) & 0xFFFu & ~(width - 1u));

        fake_on((what >> 1) & 1u);
        if ((what % 61u) == 0u) {
            hal_virq_set_line(&fake_domain, 32u + (seed % 32u), (what & 4u) != 0u);
        } else if ((what % 67u) == 0u) {
            guest_write(GICD(GICD_SGIR), 4, seed);
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
            guest_write(at, width, (uint64_t)seed * 2654435761u);
        } else {
            (void)guest_read(at, width);
        }
        fake_run_ipis();
        fake_check();
    }
}

static void vcpu_limit(void **state)
{
    const struct hal_domain_config many = { .nr_vcpus = 9, .nr_spis = 32 };
    struct hal_domain domain;

    (void)state;
    assert_int_equal(arm_domain_init(&domain, &many), HV_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identification, setup, teardown),
        cmocka_unit_test_setup_teardown(interface_is_mapped, setup, teardown),
        cmocka_unit_test_setup_teardown(no_system_registers, setup, teardown),
        cmocka_unit_test_setup_teardown(senders, setup, teardown),
        cmocka_unit_test_setup_teardown(filters, setup, teardown),
        cmocka_unit_test_setup_teardown(senders_by_register, setup, teardown),
        cmocka_unit_test_setup_teardown(targets, setup, teardown),
        cmocka_unit_test_setup_teardown(group1, setup, teardown),
        cmocka_unit_test_setup_teardown(irq_pending_follows_mask, setup, teardown),
        cmocka_unit_test_setup_teardown(sgi_survives_migration, setup, teardown),
        cmocka_unit_test_setup_teardown(any_access, setup, teardown),
        cmocka_unit_test_setup_teardown(vcpu_limit, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
