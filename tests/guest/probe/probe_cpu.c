/* The processor: which it is, and firmware calls; the rest is the architecture's. */
#include "hypercall.h"
#include "probe.h"

static void affinity(void)
{
    EXPECT_EQUAL(reg_read(mpidr_el1) & MPIDR_AFFINITY, cpu_hwid(0u));
    EXPECT((reg_read(mpidr_el1) & 0x80000000u) != 0u);
    EXPECT((reg_read(mpidr_el1) & 0x40000000u) == 0u); /* U: one of several, as the tree may say */
    EXPECT(reg_read(midr_el1) != 0u);
}

/* -- Firmware -- */

static void psci_by_both_ways(void)
{
    probe_catch();
    const uint64_t by_hvc = firmware_hvc(PSCI_VERSION, 0u, 0u, 0u).x[0];
    const uint64_t by_smc = firmware_smc(PSCI_VERSION, 0u, 0u, 0u).x[0];

    EXPECT_EQUAL(by_hvc, 0x10001u);
    if (GUEST_MPU) {
        EXPECT(probe_caught(CLASS_UNKNOWN)); /* without EL3 the instruction is none, and nobody may trap it */
    } else {
        EXPECT_EQUAL(by_smc, by_hvc);
        EXPECT_EQUAL(probe_trap.count, 0u);
    }
}

static void psci_features(void)
{
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, PSCI_CPU_ON, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, PSCI_CPU_OFF, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, PSCI_AFFINITY_INFO, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, PSCI_SYSTEM_OFF, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, PSCI_SYSTEM_RESET, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, 0x84000000u | 0x1Fu, 0u, 0u), PSCI_NOT_SUPPORTED);
    EXPECT_EQUAL(firmware_call(0x84000006u, 0u, 0u, 0u), 2u); /* MIGRATE_INFO_TYPE: nothing to migrate */
}

static void smccc(void)
{
    EXPECT_EQUAL(firmware_call(PSCI_FEATURES, 0x80000000u, 0u, 0u), 0u);
    EXPECT_EQUAL(firmware_call(0x80000000u, 0u, 0u, 0u), 0x10002u); /* SMCCC_VERSION */
    EXPECT_EQUAL(firmware_call(0x84000FFFu, 0u, 0u, 0u), PSCI_NOT_SUPPORTED);
    EXPECT_EQUAL(firmware_call(0xC6000123u, 0u, 0u, 0u), PSCI_NOT_SUPPORTED);
    EXPECT_EQUAL(firmware_call(0xBF00FF01u, 0u, 0u, 0u), PSCI_NOT_SUPPORTED);
}

/* Xen's interface, as far as it goes: the version that guests' tools look for, and -ENOSYS. */
static void hypercalls(void)
{
    const uint64_t not_there = (uint64_t)-38LL;
    static const uint64_t numbers[] = {
        0u, 16u, 22u, 40u, 63u, 64u, 81u, 0xFFFFFFFFu, 1ULL << 63u, UINT64_MAX
    };

    probe_catch();
    EXPECT_EQUAL(hypercall(17u, 0u, 0u, 0u), 0x00040014u);
    EXPECT_EQUAL(hypercall(17u, 7u, 0u, 0u), 4096u);
    EXPECT_EQUAL(hypercall(17u, 7u, 1u, 0u), (uint64_t)-22LL);
    EXPECT_EQUAL(hypercall(17u, 77u, 0x40000000u, 0u), not_there);
    EXPECT_EQUAL(hypercall(29u, 0u, 0u, 0u), 0u); /* yield */
    EXPECT_EQUAL(hypercall(29u, 77u, 0u, 0u), not_there);
    for (uint32_t i = 0u; i < 10u; i++) {
        EXPECT_EQUAL(hypercall(numbers[i], 0u, 0u, 0u), not_there);
    }
    EXPECT_EQUAL(probe_trap.count, 0u);
}

const struct probe probes_cpu[] = {
    { "affinity", affinity },
    { "hypercalls", hypercalls },
    { "psci_by_both_ways", psci_by_both_ways },
    { "psci_features", psci_features },
    { "smccc", smccc },
    { NULL, NULL },
};
