/* Guests' timers: the virtual one's interrupt is the hardware's as the architecture describes it, the
 * physical one is emulated. And the host's clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_arm.h"
#include "hal/plan.h"

#define CNTP_TVAL ARM_SYSREG(3, 3, 14, 2, 0)
#define CNTP_CTL  ARM_SYSREG(3, 3, 14, 2, 1)
#define CNTP_CVAL ARM_SYSREG(3, 3, 14, 2, 2)

/* A register of the first vCPU's private interrupts */
static uint64_t own(uint32_t vcpu, uint32_t offset)
{
    return (fake_domain.arm.gic_version == 3u) ? GICR_S(vcpu, offset) : GICD(offset);
}

static int setup_version(uint32_t version)
{
    fake_machine(version, 2, 32);
    fake_load(0, 0);
    guest_open();
    guest_write(own(0, GICD_ISENABLER), 4, BIT32(27) | BIT32(30));
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_version(3);
}

static int setup_v2(void **state)
{
    (void)state;
    return setup_version(2);
}

static int teardown(void **state)
{
    (void)state;
    fake_machine_down();
    return 0;
}

/* The guest's own registers */
static uint64_t virtual_now(void)
{
    return fake_counter - fake_cpu()->cntvoff;
}

static void timer_set(uint64_t in)
{
    fake_cpu()->cntv_cval = virtual_now() + in;
    fake_cpu()->cntv_ctl = 1;
}

static void pass(uint64_t ticks)
{
    fake_counter += ticks;
    fake_take_interrupts();
    fake_check();
}

static void counter_starts_at_zero(void **state)
{
    (void)state;
    assert_int_equal(virtual_now(), 0);
    pass(55);
    fake_save(0);
    fake_load(1, 1);
    assert_int_equal(virtual_now(), 55);
    assert_int_equal(fake_cpu()->cnthctl, 1); /* counter open, physical timer trapped */
}

static void tick(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 5; n++) {
        timer_set(100);
        pass(99);
        assert_int_equal(guest_ack(), GUEST_NOTHING);
        pass(1);
        assert_int_equal(fake_cpu()->cntv_ctl, 1); /* nobody masks it */
        assert_int_equal(guest_ack(), 27);
        assert_int_equal(guest_ack(), GUEST_NOTHING);
        timer_set(100);
        guest_eoi(27);
    }
}

/* A guest that only moves CVAL, one that ends the interrupt with the output still high, one that switches it
 * off. */
static void architecture(void **state)
{
    (void)state;
    timer_set(10);
    pass(10);
    assert_int_equal(guest_ack(), 27);
    guest_eoi(27); /* still asserted: comes again at once */
    assert_int_equal(guest_ack(), 27);
    timer_set(1000);
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    pass(1000);
    assert_int_equal(guest_ack(), 27);
    fake_cpu()->cntv_ctl = 3; /* masked by the guest */
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_cpu()->cntv_ctl = 1;
    assert_int_equal(guest_ack(), 27);
    fake_cpu()->cntv_ctl = 0;
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void disabled_in_the_controller(void **state)
{
    (void)state;
    guest_write(own(0, GICD_ICENABLER), 4, BIT32(27));
    timer_set(10);
    pass(10);
    assert_true(fake_vcpu[0].arm.vgic.is_vtimer_held);
    assert_int_equal(guest_read(own(0, GICD_ISPENDR), 4), BIT32(27));
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(own(0, GICD_ISENABLER), 4, BIT32(27));
    assert_int_equal(guest_ack(), 27);
    timer_set(100);
    guest_eoi(27);
    guest_write(own(0, GICD_ICENABLER), 4, BIT32(27));
    pass(100);
    timer_set(100); /* moved on while it was held */
    guest_write(own(0, GICD_ISENABLER), 4, BIT32(27));
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    pass(100);
    assert_int_equal(guest_ack(), 27);
    timer_set(100);
    guest_write(own(0, GICD_ICENABLER), 4, BIT32(27)); /* while active */
    guest_eoi(27);
    guest_write(GICD(GICD_CTLR), 4, 0); /* groups off */
    guest_write(own(0, GICD_ISENABLER), 4, BIT32(27));
    pass(100);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(GICD(GICD_CTLR), 4, 3);
    assert_int_equal(guest_ack(), 27);
    timer_set(100);
    guest_eoi(27);
}

static void moved_before_taken(void **state)
{
    (void)state;
    timer_set(10);
    pass(10);
    timer_set(500);
    assert_int_equal(guest_read(own(0, GICD_ISPENDR), 4), 0); /* a look takes it back */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    pass(500);
    assert_int_equal(guest_ack(), 27);
    timer_set(1);
    guest_eoi(27);
    pass(1);
    assert_int_equal(guest_ack(), 27);
    timer_set(1000);
    guest_eoi(27);
}

static void by_software(void **state)
{
    (void)state;
    guest_write(own(0, GICD_ISPENDR), 4, BIT32(27));
    assert_int_equal(guest_read(own(0, GICD_ISPENDR), 4), BIT32(27));
    assert_int_equal(guest_ack(), 27);
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(own(0, GICD_ISPENDR), 4, BIT32(27));
    guest_write(own(0, GICD_ICPENDR), 4, BIT32(27));
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(own(0, GICD_ISACTIVER), 4, BIT32(27));
    assert_int_equal(guest_read(own(0, GICD_ISACTIVER), 4), BIT32(27));
    timer_set(10);
    pass(10);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    guest_write(own(0, GICD_ICACTIVER), 4, BIT32(27));
    assert_int_equal(guest_ack(), 27);
    timer_set(100);
    guest_write(own(0, GICD_ICACTIVER), 4, BIT32(27)); /* instead of an EOI */
    assert_int_equal(guest_read(own(0, GICD_ISACTIVER), 4), 0);
    pass(100);
    assert_int_equal(guest_ack(), 27);
    timer_set(100);
    guest_eoi(27);
}

/* Off and on again, elsewhere, at each stage of the interrupt's life. */
static void switched_out(void **state)
{
    (void)state;
    timer_set(100);
    fake_save(0);
    assert_int_equal(fake_cpus[0].cntv_ctl, 0);
    fake_counter += 200; /* expires while it is away */
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_load(2, 0);
    assert_false(fake_interrupt_waits(2)); /* shown without another interrupt */
    assert_int_equal(guest_ack(), 27);
    fake_save(2); /* in its handler */
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_load(3, 0);
    assert_false(fake_interrupt_waits(3)); /* its line is high, but it is active */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    timer_set(50);
    guest_eoi(27);
    pass(50);
    fake_save(3); /* pending in the list register */
    fake_load(0, 0);
    assert_int_equal(guest_ack(), 27);
    timer_set(50);
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void another_vcpu_meanwhile(void **state)
{
    (void)state;
    timer_set(10);
    pass(10);
    assert_int_equal(guest_ack(), 27);
    fake_save(0);
    fake_load(0, 1);
    guest_open();
    guest_write(own(1, GICD_ISENABLER), 4, BIT32(27));
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    timer_set(10);
    pass(10);
    assert_int_equal(guest_ack(), 27);
    timer_set(1000);
    guest_eoi(27);
    fake_save(0);
    fake_load(0, 0);
    timer_set(1000);
    guest_eoi(27);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

static void fires_without_a_vcpu(void **state)
{
    (void)state;
    fake_save(0);
    fake_cpu()->pending |= BIT32(27); /* on its way when the timer was switched off */
    fake_take_interrupts();
    assert_int_equal(fake_cpu()->active, 0);
    fake_load(0, 0);
    fake_cpu()->pending |= BIT32(27);
    fake_take_interrupts();
    assert_int_equal(guest_ack(), GUEST_NOTHING);
}

/* Random life: an expiry that the guest has not moved away from always arrives, and nothing storms. */
static void never_lost(void **state)
{
    uint32_t seed = 5;
    bool active = false;
    bool enabled = true;

    (void)state;
    for (uint32_t n = 0; n < 50000; n++) {
        seed = (seed * 1103515245u) + 12345u;
        const uint32_t what = (seed >> 12) % 12u;

        fake_counter += (seed >> 20) % 50u;
        switch (what) {
        case 0:
            timer_set((seed >> 8) % 300u);
            break;
        case 1:
            fake_cpu()->cntv_ctl = (seed >> 8) % 4u;
            break;
        case 2:
            enabled = ((seed >> 8) & 1u) != 0u;
            guest_write(own(0, enabled ? GICD_ISENABLER : GICD_ICENABLER), 4, BIT32(27));
            break;
        case 3:
            fake_save(fake_cpu_now);
            fake_load((seed >> 8) % FAKE_CPUS, 0);
            break;
        case 4:
            (void)guest_read(own(0, GICD_ISPENDR), 4);
            break;
        default:
            if (active) {
                guest_eoi(27);
                active = false;
            } else {
                fake_take_interrupts();
                active = guest_ack() == 27;
                if (enabled && fake_vtimer_output(fake_cpu())) {
                    assert_true(active);
                }
                if (active && !enabled) {
                    fail_msg("delivered while disabled");
                }
            }
            break;
        }
        fake_take_interrupts();
        fake_check();
    }
}

static uint64_t cntp(uint32_t encoding, bool write, uint64_t value)
{
    struct arm_sysreg access = { .encoding = encoding, .write = write, .value = value };
    enum hal_resume resume = HAL_INJECT_UNDEF;

    assert_true(arm_vcpu_sysreg(gic_cpus[fake_cpu_now].loaded, &access, &resume));
    assert_int_equal(resume, HAL_RESUME_NEXT);
    return access.value;
}

static void physical_timer(void **state)
{
    (void)state;
    (void)cntp(CNTP_TVAL, true, 100);
    assert_int_equal(cntp(CNTP_CVAL, false, 0), fake_counter + 100);
    (void)cntp(CNTP_CTL, true, 1);
    assert_int_not_equal(fake_seen.deadlines, 0);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], true), hal_timer_now_ns() + 1600);
    fake_counter += 99;
    assert_int_equal(cntp(CNTP_TVAL, false, 0), 1);
    assert_int_equal(cntp(CNTP_CTL, false, 0), 1);
    fake_counter += 2;
    assert_int_equal(cntp(CNTP_TVAL, false, 0), 0xFFFFFFFF);
    assert_int_equal(cntp(CNTP_CTL, false, 0), 5);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], true), hal_timer_now_ns() - 16); /* due for a tick */
    hal_vcpu_deadline_reached(&fake_vcpu[0]);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], true), TIME_NEVER);
    assert_int_equal(guest_ack(), 30);
    guest_eoi(30); /* level: still high */
    assert_int_equal(guest_ack(), 30);
    (void)cntp(CNTP_CVAL, true, fake_counter + 500);
    guest_eoi(30);
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    fake_counter += 500;
    (void)cntp(CNTP_CTL, true, 3); /* masked */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], true), TIME_NEVER);
    (void)cntp(CNTP_CTL, true, 1); /* at once */
    (void)cntp(CNTP_CTL, true, 0); /* and gone before it was taken */
    assert_int_equal(guest_ack(), GUEST_NOTHING);
    (void)cntp(CNTP_TVAL, true, 0xFFFFFFFF); /* -1: in the past */
    (void)cntp(CNTP_CTL, true, 1);
    assert_int_equal(guest_ack(), 30);
    (void)cntp(CNTP_CTL, true, 0);
    guest_eoi(30);
}

/* Deadlines of a vCPU that is not loaded: both timers; one that is over counts only if it would interrupt. */
static void deadlines(void **state)
{
    (void)state;
    timer_set(1000);
    (void)cntp(CNTP_TVAL, true, 2000);
    (void)cntp(CNTP_CTL, true, 1);
    fake_save(0);
    const uint64_t now_ns = hal_timer_now_ns();

    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], false), now_ns + 16000);
    fake_counter += 999;
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_counter += 1;
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], false), now_ns + 16000);
    fake_counter +=
        10; /* a moment in the past stays where it was: who arms a timer for the future does not */
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], false), now_ns + 16000);
    fake_counter -= 10;
    hal_vcpu_deadline_reached(&fake_vcpu[0]);
    fake_vcpu[0].arm.vgic.priv.enabled &= ~BIT32(27);
    assert_false(hal_vcpu_irq_pending(&fake_vcpu[0]));
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], false), now_ns + 32000); /* the other one */
    fake_counter += 1000;
    assert_true(hal_vcpu_irq_pending(&fake_vcpu[0]));
    fake_load(1, 0);
    assert_int_equal(guest_ack(), 30);
    fake_save(1);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], false),
                     TIME_NEVER); /* active: it would not be interrupted */
}

static void far_deadlines(void **state)
{
    (void)state;
    (void)cntp(CNTP_CVAL, true, UINT64_MAX);
    (void)cntp(CNTP_CTL, true, 1);
    assert_int_equal(hal_vcpu_deadline(&fake_vcpu[0], true), TIME_NEVER);
    (void)cntp(CNTP_CVAL, true, UINT64_MAX / 64);
    assert_true(hal_vcpu_deadline(&fake_vcpu[0], true) > (1ULL << 61));
}

static void clock_is_exact(uint32_t hz, uint64_t seconds)
{
    struct hal_plan_host host = { .arm = { .ppi_hyp_timer = 26 } };

    fake_hz = hz;
    fake_counter = 12345;
    assert_int_equal(hal_timer_init(&host), HV_OK);
    assert_int_equal(hal_timer_now_ns(), 0);
    fake_counter += (uint64_t)hz * seconds;
    const uint64_t want = seconds * 1000000000ULL;
    const uint64_t got = hal_timer_now_ns();

    assert_true(got <= want);
    assert_true((want - got) <= (want >> 32) + 1u);
    hal_timer_set(got +
                  1000000u); /* 1 ms on: not early, and late by no more than a tick and the factor's error */
    const uint64_t left = fake_cpu()->cnthp_cval - fake_counter;

    assert_int_equal(fake_cpu()->cnthp_ctl, 1);
    assert_in_range(left, hz / 1000u, (hz / 1000u) + 2u);
    hal_timer_set(0);
    assert_true(fake_cpu()->cnthp_cval <= fake_counter + 1u);
    hal_timer_set(TIME_NEVER);
    assert_int_equal(fake_cpu()->cnthp_ctl, 0);
    fake_hz = 62500000u;
}

static void host_clock(void **state)
{
    static const uint32_t hz[] = { 100000,   1000000,   19200000,   24000000,   33333333,
                                   62500000, 100000000, 1000000000, 4294967295u };

    (void)state;
    for (uint32_t n = 0; n < ARRAY_LEN(hz); n++) {
        clock_is_exact(hz[n], 1);
        clock_is_exact(hz[n], 86400ULL * 36525); /* a hundred years */
    }
}

static void clock_without_frequency(void **state)
{
    struct hal_plan_host host = { .arm = { .ppi_hyp_timer = 26 } };

    (void)state;
    fake_hz = 0;
    assert_int_equal(hal_timer_init(&host), HV_NOT_SUPPORTED);
    host.arm.timer_frequency = 24000000; /* the tree knows better */
    assert_int_equal(hal_timer_init(&host), HV_OK);
    fake_hz = 62500000u;
    assert_int_equal(hal_timer_init(&host), HV_OK);
}

static void host_timer_interrupt(void **state)
{
    (void)state;
    fake_counter += 10;
    hal_timer_set(hal_timer_now_ns() + 160);
    fake_take_interrupts();
    assert_int_equal(fake_seen.timers, 0);
    fake_counter += 12;
    fake_take_interrupts();
    assert_int_equal(fake_seen.timers, 1); /* and quiet by now */
    fake_cpu()->pending |= BIT32(20);
    fake_take_interrupts();
    assert_int_equal(fake_seen.last_irq, 20);
    assert_int_equal(fake_cpu()->active, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counter_starts_at_zero, setup, teardown),
        cmocka_unit_test_setup_teardown(tick, setup, teardown),
        cmocka_unit_test_setup_teardown(architecture, setup, teardown),
        cmocka_unit_test_setup_teardown(disabled_in_the_controller, setup, teardown),
        cmocka_unit_test_setup_teardown(moved_before_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(by_software, setup, teardown),
        cmocka_unit_test_setup_teardown(switched_out, setup, teardown),
        cmocka_unit_test_setup_teardown(another_vcpu_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(fires_without_a_vcpu, setup, teardown),
        cmocka_unit_test_setup_teardown(never_lost, setup, teardown),
        cmocka_unit_test_setup_teardown(physical_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(deadlines, setup, teardown),
        cmocka_unit_test_setup_teardown(far_deadlines, setup, teardown),
        cmocka_unit_test_setup_teardown(host_clock, setup, teardown),
        cmocka_unit_test_setup_teardown(clock_without_frequency, setup, teardown),
        cmocka_unit_test_setup_teardown(host_timer_interrupt, setup, teardown),
        { "counter_starts_at_zero, GICv2", counter_starts_at_zero, setup_v2, teardown, NULL },
        { "tick, GICv2", tick, setup_v2, teardown, NULL },
        { "architecture, GICv2", architecture, setup_v2, teardown, NULL },
        { "disabled_in_the_controller, GICv2", disabled_in_the_controller, setup_v2, teardown, NULL },
        { "moved_before_taken, GICv2", moved_before_taken, setup_v2, teardown, NULL },
        { "by_software, GICv2", by_software, setup_v2, teardown, NULL },
        { "switched_out, GICv2", switched_out, setup_v2, teardown, NULL },
        { "another_vcpu_meanwhile, GICv2", another_vcpu_meanwhile, setup_v2, teardown, NULL },
        { "fires_without_a_vcpu, GICv2", fires_without_a_vcpu, setup_v2, teardown, NULL },
        { "never_lost, GICv2", never_lost, setup_v2, teardown, NULL },
        { "physical_timer, GICv2", physical_timer, setup_v2, teardown, NULL },
        { "deadlines, GICv2", deadlines, setup_v2, teardown, NULL },
        { "host_timer_interrupt, GICv2", host_timer_interrupt, setup_v2, teardown, NULL },
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
