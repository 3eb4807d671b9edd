/* More than one vCPU: power, interrupts between them, and that each keeps its registers. */
#include "probe.h"

#define SGI       7u
#define STATE_ON  0u
#define STATE_OFF 1u

static volatile uint32_t second_alive;
static volatile uint32_t second_end;
static volatile uint32_t second_changed;
static volatile uint32_t second_hwid;

static uint64_t state_of(uint32_t cpu)
{
    return firmware_call(PSCI_AFFINITY_INFO, cpu_hwid(cpu), 0u, 0u);
}

static bool await_state(uint32_t cpu, uint64_t wanted)
{
    const uint64_t limit = timer_now() + (2u * timer_frequency());

    while ((state_of(cpu) != wanted) && (timer_now() < limit)) {
        probe_pause(1u);
    }
    return state_of(cpu) == wanted;
}

static void registers_alone(void)
{
    EXPECT_EQUAL(probe_registers_kept(0x1111000011110000ULL, 100u), 0u);
    EXPECT_EQUAL(probe_sums_differ(100u), 0u);
}

static void answer(uint32_t intid)
{
    probe_irq_count(intid);
    irq_send(SGI, 0u);
}

static void second(void)
{
    second_hwid = (uint32_t)(reg_read(mpidr_el1) & 0xFFFFFFu);
    irq_enable(SGI, IRQ_PRIORITY_LOW, answer);
    second_alive++;
    while (second_end == 0u) {
        /* masked from the look to the sleep: what comes in between still ends it */
        arch_wait();
        arch_irq_open();
        arch_irq_mask();
    }
}

static void power_states(void)
{
    EXPECT_EQUAL(state_of(0u), STATE_ON);
    EXPECT_EQUAL(state_of(1u), STATE_OFF);
    EXPECT_EQUAL(firmware_call(PSCI_AFFINITY_INFO, 0x123400u, 0u, 0u), PSCI_INVALID_PARAMETERS);
    EXPECT_EQUAL(firmware_call(PSCI_CPU_ON, 0x123400u, 0u, 0u), PSCI_INVALID_PARAMETERS);
    EXPECT_EQUAL(cpu_on(0u, second), PSCI_ALREADY_ON);
    second_alive = 0u;
    second_end = 0u;
    EXPECT_EQUAL(cpu_on(1u, second), PSCI_SUCCESS);
    EXPECT(probe_await(&second_alive, 1u, 2000u));
    EXPECT_EQUAL(second_hwid, cpu_hwid(1u));
    EXPECT_EQUAL(state_of(1u), STATE_ON);
    EXPECT_EQUAL(cpu_on(1u, second), PSCI_ALREADY_ON);
}

/* There and back, often: the other one sleeps in between. */
static void sgi_to_other(void)
{
    irq_enable(SGI, IRQ_PRIORITY_LOW, probe_irq_count);
    for (uint32_t i = 0u; i < 100u; i++) {
        const uint32_t before = probe_irqs[SGI];

        /* each of the two handlers counts */
        irq_send(SGI, 1u);
        EXPECT(probe_await(&probe_irqs[SGI], before + 2u, 2000u));
    }
}

static void off_and_on_again(void)
{
    second_end = 1u;
    irq_send(SGI, 1u);
    EXPECT(await_state(1u, STATE_OFF));
    for (uint32_t i = 0u; i < 3u; i++) {
        second_alive = 0u;
        second_end = 0u;
        EXPECT_EQUAL(cpu_on(1u, second), PSCI_SUCCESS);
        EXPECT(probe_await(&second_alive, 1u, 2000u));
        second_end = 1u;
        irq_send(SGI, 1u);
        EXPECT(await_state(1u, STATE_OFF));
    }
}

static void second_registers(void)
{
    second_changed = probe_registers_kept(0x2222333322223333ULL, 300u) + probe_sums_differ(300u);
    second_alive++;
}

/* Both compute at a time; with fewer CPUs than vCPUs they are switched. */
static void registers_together(void)
{
    second_alive = 0u;
    EXPECT_EQUAL(cpu_on(1u, second_registers), PSCI_SUCCESS);
    EXPECT_EQUAL(probe_registers_kept(0x4444555544445555ULL, 300u), 0u);
    EXPECT_EQUAL(probe_sums_differ(300u), 0u);
    EXPECT(probe_await(&second_alive, 1u, 5000u));
    EXPECT_EQUAL(second_changed, 0u);
    EXPECT(await_state(1u, STATE_OFF));
}

const struct probe probes_vcpus[] = {
    { "registers_alone", registers_alone },
    { "power_states", power_states },
    { "sgi_to_other", sgi_to_other },
    { "off_and_on_again", off_and_on_again },
    { "registers_together", registers_together },
    { NULL, NULL },
};
