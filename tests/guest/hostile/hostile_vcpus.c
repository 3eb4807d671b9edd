/* Power: every vCPU switches every other on, and itself off, all at a time. */
#include "hostile.h"

#define NOWHERE LAYOUT_NOWHERE

static volatile uint64_t starts;
static volatile bool over;

static void short_life(void)
{
    starts++;
    for (uint32_t cpu = 0u; cpu < hostile_cpus(); cpu++) {
        if (!over) {
            (void)cpu_on(cpu, short_life);
        }
        (void)firmware_call(PSCI_AFFINITY_INFO, cpu_hwid(cpu), 0u, 0u);
    }
    cpu_off();
}

static bool others_off(void)
{
    bool off = true;

    for (uint32_t cpu = 1u; cpu < hostile_cpus(); cpu++) {
        off = off && (firmware_call(PSCI_AFFINITY_INFO, cpu_hwid(cpu), 0u, 0u) == 1u);
    }
    return off;
}

static void power_race(void)
{
    over = false;
    for (uint64_t i = 0u; storm_goes(i, 2000u); i++) {
        for (uint32_t cpu = 0u; cpu < hostile_cpus(); cpu++) {
            (void)cpu_on(cpu, short_life);
        }
    }
    over = true;
    while (!others_off()) {
        arch_yield();
    }
    tried(starts + storm(2000u));
}

/* On with an entry that cannot be, and with affinities that are nobody's */
static void power_nowhere(void)
{
    for (uint64_t i = 0u; storm_goes(i, 2000u); i++) {
        const uint64_t hwid =
            ((i % 2u) == 0u) ? cpu_hwid((uint32_t)(random64() % hostile_cpus())) : random64();

        (void)firmware_call(PSCI_CPU_ON, hwid, NOWHERE + (random64() & 0xFFFFFu), random64());
        (void)firmware_call(PSCI_AFFINITY_INFO, hwid, random64() % 5u, random64());
    }
    tried(2u * storm(2000u));
}

static volatile bool asleep_may_end;

static void sleeper(void)
{
    while (!asleep_may_end) {
        arch_wait(); /* masked, and nothing is enabled: only a message wakes it */
    }
}

/* Interrupts and power at vCPUs that sleep */
static void disturb_sleepers(void)
{
    asleep_may_end = false;
    for (uint32_t cpu = 1u; cpu < hostile_cpus(); cpu++) {
        (void)cpu_on(cpu, sleeper);
    }
    for (uint64_t i = 0u; storm_goes(i, 1000u); i++) {
        for (uint32_t cpu = 1u; cpu < hostile_cpus(); cpu++) {
            irq_send((uint32_t)(i % 16u), cpu);
            (void)cpu_on(cpu, sleeper);
        }
    }
    asleep_may_end = true;
    while (!others_off()) {
        for (uint32_t cpu = 1u; cpu < hostile_cpus(); cpu++) {
            irq_send(1u, cpu);
        }
        arch_yield();
    }
    tried(2u * storm(1000u));
}

const struct attack attacks_vcpus[] = {
    { "power_race", power_race, false },
    { "power_nowhere", power_nowhere, false },
    { "disturb_sleepers", disturb_sleepers, false },
    { NULL, NULL, false },
};
