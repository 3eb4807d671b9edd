/* Firmware and platform as a guest sees them: PSCI, SMCCC, the port's nodes of its tree. And the host's power
 * and GIC. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_arm.h"
#include "hal/power.h"
#include "hal/plan.h"

#define NOT_SUPPORTED   (~0ULL)
#define INVALID         (~0ULL - 1)
#define DENIED          (~0ULL - 2)
#define ALREADY_ON      (~0ULL - 3)
#define INVALID_ADDRESS (~0ULL - 8)

static int setup(void **state)
{
    (void)state;
    fake_machine(3, 18, 32);
    fake_load(0, 0);
    fake_seen.on[0] = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

static uint64_t call(uint32_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
    return guest_call(function, a1, a2, a3);
}

static void psci_versions(void **state)
{
    static const uint32_t known[] = { 0x84000000, 0x84000001, 0xC4000001, 0x84000002, 0x84000003,
                                      0xC4000003, 0x84000004, 0xC4000004, 0x84000006, 0x84000008,
                                      0x84000009, 0x8400000A, 0x80000000 };

    (void)state;
    assert_int_equal(call(0x84000000, 0, 0, 0), 0x00010001);
    for (uint32_t n = 0; n < ARRAY_LEN(known); n++) {
        assert_int_equal(call(0x8400000A, known[n], 0, 0), 0);
    }
    assert_int_equal(call(0x8400000A, 0x8400000E, 0, 0), NOT_SUPPORTED); /* SYSTEM_SUSPEND */
    assert_int_equal(call(0x8400000A, 0xC4000000, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0x8400000E, 0, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0xC4000000, 0, 0, 0), NOT_SUPPORTED); /* no 64-bit form */
    assert_int_equal(call(0x84000006, 0, 0, 0), 2);
    assert_int_equal(call(0, 0, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0xFFFFFFFF, 0, 0, 0), NOT_SUPPORTED);
}

static void psci_cpu_on(void **state)
{
    (void)state;
    assert_int_equal(call(0xC4000003, 1, 0x40001000, 0x1234567890ULL), 0);
    assert_true(fake_seen.on[1]);
    assert_int_equal(fake_seen.start_entry, 0x40001000);
    assert_int_equal(fake_seen.start_argument, 0x1234567890ULL);
    assert_int_equal(call(0xC4000003, 0x101, 0x40001000, 0), 0); /* Aff1 1, Aff0 1 */
    assert_true(fake_seen.on[17]);
    assert_int_equal(call(0xC4000003, 18, 0x40001000, 0), INVALID);
    assert_int_equal(call(0xC4000003, 16, 0x40001000, 0), INVALID);
    assert_int_equal(call(0xC4000003, 0x102, 0x40001000, 0), INVALID);
    assert_int_equal(call(0xC4000003, 1ULL << 32, 0x40001000, 0), INVALID);
    assert_int_equal(call(0xC4000003, 0x80000001, 0x40001000, 0), INVALID);
    assert_int_equal(call(0xC4000003, ~0ULL, 0x40001000, 0), INVALID);
    fake_seen.starts = 0;
    assert_int_equal(call(0xC4000003, 2, 0x3FFFFFFC, 0), INVALID_ADDRESS);
    assert_int_equal(call(0xC4000003, 2, 0x40001002, 0), INVALID_ADDRESS);
    assert_int_equal(call(0xC4000003, 2, 0x40FFF000, 0), INVALID_ADDRESS); /* not executable */
    assert_int_equal(call(0xC4000003, 2, ~3ULL, 0), INVALID_ADDRESS);
    assert_int_equal(fake_seen.starts, 0);
    fake_seen.start_answer = HV_BUSY;
    assert_int_equal(call(0xC4000003, 1, 0x40001000, 0), ALREADY_ON);
    fake_seen.start_answer = HV_DENIED;
    assert_int_equal(call(0xC4000003, 3, 0x40001000, 0), DENIED);
    fake_seen.start_answer = HV_OK;
    assert_int_equal(call(0x84000003, 0xFF00000000000004ULL, 0xFF00000040001000ULL, 0xFF00000000000005ULL),
                     0);
    assert_int_equal(fake_seen.start_entry, 0x40001000); /* the 32-bit form takes 32 bits */
    assert_int_equal(fake_seen.start_argument, 5);
    assert_int_equal(call(2, 5, 0x40001000, 0), 0); /* PSCI 0.1 */
    assert_true(fake_seen.on[5]);
}

static void psci_rest(void **state)
{
    (void)state;
    assert_int_equal(call(0xC4000004, 0, 0, 0), 0);
    assert_int_equal(call(0xC4000004, 1, 0, 0), 1);
    assert_int_equal(call(0xC4000004, 1, 1, 0), INVALID);
    assert_int_equal(call(0x84000004, 0x500, 0, 0), INVALID);
    assert_int_equal(call(0xC4000001, 0, 0x40001000, 0), 0);
    assert_int_equal(fake_seen.blocks, 1);
    (void)call(0x84000002, 0, 0, 0);
    (void)call(1, 0, 0, 0);
    assert_int_equal(fake_seen.stops, 2);
    (void)call(0x84000008, 0, 0, 0);
    assert_int_equal(fake_seen.power, HAL_DOMAIN_OFF);
    (void)guest_call(0x84000009, 0, 0, 0);
    assert_int_equal(fake_seen.power, HAL_DOMAIN_RESET);
    assert_int_equal(fake_seen.power_requests, 2);
}

static void smccc(void **state)
{
    (void)state;
    assert_int_equal(call(0x80000000, 0, 0, 0), 0x10002);
    assert_int_equal(call(0x80000001, 0x80000000, 0, 0), 0);
    assert_int_equal(call(0x80000001, 0x80000001, 0, 0), 0);
    assert_int_equal(call(0x80000001, 0x80000002, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0x80000001, 0x80008000, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0x80000001, 0x80003FFF, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0x80008000, 1, 2, 3), NOT_SUPPORTED);
    assert_int_equal(fake_vcpu[0].frame.x[1], 1); /* only x0 */
    assert_int_equal(fake_vcpu[0].frame.x[3], 3);
    assert_int_equal(call(0x8600FF00, 0, 0, 0), 5);
    assert_int_equal(call(0x8600FF01, 0, 0, 0), 0xDC1218A7);
    assert_int_equal(fake_vcpu[0].frame.x[1], 0x694398C6);
    assert_int_equal(fake_vcpu[0].frame.x[2], 0xD179CF9A);
    assert_int_equal(fake_vcpu[0].frame.x[3], 0x67E6DE8D);
    assert_int_equal(call(0x8600FF03, 9, 9, 9), 0);
    assert_int_equal(fake_vcpu[0].frame.x[1], 1);
    assert_int_equal(call(0x8400FF01, 0, 0, 0), 0x6F3863F8);
    assert_int_equal(call(0x82000000, 0, 0, 0), NOT_SUPPORTED); /* SiP */
    assert_int_equal(call(0xB2000000, 0, 0, 0), NOT_SUPPORTED); /* trusted OS */
    assert_int_equal(fake_smccc_last, 0);                       /* nothing went to the real firmware */
}

/* [test->req~monitor-calls~1] */
static void monitor(void **state)
{
    const uint64_t *x = fake_vcpu[0].frame.x;

    (void)state;
    assert_int_equal(call(0xC6000000, 0x123456789ABCDEF0ULL, 2, 3), 0);
    assert_int_equal(fake_seen.progress, 0x123456789ABCDEF0ULL);
    assert_int_equal(x[1], 0x123456789ABCDEF0ULL); /* only x0 */
    assert_int_equal(call(0xC6000001, 7, 2, 3), NOT_SUPPORTED);
    assert_true((x[1] == 7) && (x[2] == 2) && (x[3] == 3));
    fake_seen.monitor = true;
    assert_int_equal(guest_call(0xC6000001, 7, 0, 0), 0);
    assert_int_equal(x[1], 2);
    assert_int_equal(x[2], 0x100000003ULL);
    assert_int_equal(x[3], 0x123456789ABCDEF0ULL);
    assert_int_equal(call(0xC6000001, 0, 2, 3), ~0ULL - 2);
    assert_int_equal(call(0xC6000001, 0x100000007ULL, 2, 3), ~0ULL - 2); /* all of x1 counts */
    assert_true((x[1] == 0x100000007ULL) && (x[2] == 2) && (x[3] == 3));
    assert_int_equal(call(0x86000000, 1, 0, 0), NOT_SUPPORTED); /* no 32-bit forms */
    assert_int_equal(call(0x86000001, 7, 0, 0), NOT_SUPPORTED);
    assert_int_equal(call(0xC6000002, 7, 0, 0), NOT_SUPPORTED);
    assert_int_equal(fake_seen.progress, 0x123456789ABCDEF0ULL);
}

/* -- The guest's tree, written down as text
 * --------------------------------------------------------------------------- */

static char text[16384];
static uint32_t length;

static void out(const char *what)
{
    length += (uint32_t)snprintf(&text[length], sizeof(text) - length, "%s", what);
}

static void tree_begin(void *ctx, const char *name)
{
    (void)ctx;
    out(name);
    out("{");
}

static void tree_prop(void *ctx, const char *name, const void *value, uint32_t bytes)
{
    const uint8_t *byte = value;
    char hex[4];

    (void)ctx;
    out(name);
    out("=");
    for (uint32_t n = 0; n < bytes; n++) {
        (void)snprintf(hex, sizeof(hex), "%02x", byte[n]);
        out(hex);
    }
    out(";");
}

static void tree_end(void *ctx)
{
    (void)ctx;
    out("}");
}

static void tree_write(void)
{
    const struct tree_sink tree = { .begin = tree_begin, .prop = tree_prop, .end = tree_end };

    length = 0;
    hal_vplat_tree(&fake_domain, HAL_VPLAT_PHANDLE_INTC, false, &tree);
}

static void tree_gicv3(void **state)
{
    (void)state;
    tree_write();
    assert_non_null(strstr(
        text, "cpus{#address-cells=00000001;#size-cells=00000000;cpu@0{device_type=63707500;compatible="
              "746573742c63707500;reg=00000000;enable-method=7073636900;}cpu@1{"));
    assert_non_null(strstr(text, "cpu@101{"));
    assert_null(strstr(text, "cpu@102{"));
    assert_non_null(strstr(text, "interrupt-controller@3001000{compatible=61726d2c6769632d763300;"));
    assert_non_null(strstr(text, "reg=00000000030010000000000000010000"
                                 "00000000030200000000000001000000;phandle=0000fde8;"));
    assert_non_null(
        strstr(text, "interrupts=000000010000000d00000008000000010000000e00000008000000010000000b00000008;"));
    assert_null(strstr(text, "clock-frequency"));
    assert_non_null(
        strstr(text, "psci{compatible=61726d2c707363692d312e300061726d2c707363692d302e320061726d2c7073636900;"
                     "method=68766300;cpu_off=00000001;cpu_on=00000002;}"));
}

static int setup_v2(void **state)
{
    (void)state;
    fake_machine(2, 2, 32);
    return 0;
}

static void tree_gicv2(void **state)
{
    (void)state;
    tree_write();
    assert_non_null(strstr(text, "compatible=61726d2c6769632d34303000;"));
    assert_non_null(strstr(text, "reg=00000000030010000000000000001000"
                                 "00000000030020000000000000002000;"));
    assert_non_null(strstr(text, "interrupts=000000010000000d0000ff08"));
}

static void host_power(void **state)
{
    struct hal_plan_host host = { .arm = { .psci_conduit = ARM_CONDUIT_SMC,
                                           .psci_system_off = 0x84000008,
                                           .psci_system_reset = 0x84000009 } };

    (void)state;
    fake_smccc_last = 0;
    hal_power_init(&host);
    hal_power_off();
    assert_int_equal(fake_smccc_last, 0x84000008);
    hal_power_reset();
    assert_int_equal(fake_smccc_last, 0x84000009);
    fake_smccc_last = 0;
    host.arm.psci_conduit = ARM_CONDUIT_HVC; /* would come back to us */
    hal_power_off();
    host.arm.psci_conduit = ARM_CONDUIT_NONE;
    hal_power_off();
    host.arm.psci_conduit = ARM_CONDUIT_SMC;
    host.arm.psci_system_off = 0; /* PSCI 0.1 */
    hal_power_off();
    assert_int_equal(fake_smccc_last, 0);
}

/* -- The host's GIC
 * --------------------------------------------------------------------------------------------------- */

static void host_gicv3(void **state)
{
    (void)state;
    assert_int_equal(gic_host.nr_irqs, 128);
    assert_int_equal(gic_host.nr_lrs, 4);
    for (uint32_t n = 0; n < FAKE_CPUS; n++) {
        assert_ptr_equal(gic_cpus[n].redist, gic_host.gicd + 0x40000 + (n * 0x20000)); /* found by affinity */
        assert_int_equal(fake_cpus[n].sre_el2 & 9, 1);                                 /* EL1's SRE traps */
        assert_int_equal(fake_cpus[n].eoimode, 2);
    }
    hal_irq_ipi(2);
    assert_int_equal(fake_cpu()->sgi1r, 4);
    assert_int_equal(hal_irq_enable(33, true), HV_OK);
    assert_int_equal(gic_read32(gic_host.gicd, GICD_ICFGR + 8), 8);
    assert_int_equal(gic_read32(gic_host.gicd, GICD_ISENABLER + 4), 2);
    assert_int_equal(hal_irq_enable(128, false), HV_INVALID);
    hal_irq_disable(UINT32_MAX);
}

static void host_gic_refused(void **state)
{
    struct hal_plan_host host = { .arm = { .gic_version = 4 } };

    (void)state;
    fake_machine_down();
    assert_int_equal(hal_irq_init(&host), HV_NOT_SUPPORTED);
    host.arm.gic_version = 3;
    assert_int_equal(hal_irq_init(&host), HV_NOT_SUPPORTED); /* PPIs missing */
    host.arm.ppi_maintenance = 25;
    host.arm.ppi_virt_timer = 27;
    host.arm.ppi_hyp_timer = 32;
    assert_int_equal(hal_irq_init(&host), HV_NOT_SUPPORTED);
    fake_machine(3, 1, 32); /* sane again */
    fake_load(0, 0);
}

/* The machine's GICC is 128 KiB; if its pages are repeated, DIR and the guests' second page are 64 KiB on. */
static void host_gicv2_alias(void **state)
{
    struct hal_plan_host host = { .arm = *arm_host() };
    const uint32_t iidr = 0x0202143B;
    volatile uint8_t *gicc = gic_host.gicd + 0x10000;

    (void)state;
    assert_int_equal(gic_host.gicv[1].v, 0x8041000); /* as it is: not repeated */
    memcpy((void *)(uintptr_t)(gicc + 0x10FC), &iidr, 4);
    memcpy((void *)(uintptr_t)(gicc + 0xF0FC), &iidr, 4);
    assert_int_equal(hal_irq_init(&host), HV_OK);
    assert_int_equal(gic_host.gicv[1].v, 0x8050000);
    host.arm.gicc.bytes = 0x2000; /* the tree says that there is no more */
    assert_int_equal(hal_irq_init(&host), HV_OK);
    assert_int_equal(gic_host.gicv[1].v, 0x8041000);
    host.arm.gicv.bytes = 0;
    assert_int_equal(hal_irq_init(&host), HV_NOT_SUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(psci_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(psci_cpu_on, setup, teardown),
        cmocka_unit_test_setup_teardown(psci_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(smccc, setup, teardown),
        cmocka_unit_test_setup_teardown(monitor, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_gicv3, setup, teardown),
        cmocka_unit_test_setup_teardown(tree_gicv2, setup_v2, teardown),
        cmocka_unit_test_setup_teardown(host_power, setup, teardown),
        cmocka_unit_test_setup_teardown(host_gicv3, setup, teardown),
        cmocka_unit_test_setup_teardown(host_gic_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(host_gicv2_alias, setup_v2, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
