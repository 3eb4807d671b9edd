/* Firmware calls: each function number, defined or not, with arguments that make no sense, by both ways. */
#include "hostile.h"

#include "monitor.h"

#define CPU_SUSPEND  0x84000001u
#define CPU_ON32     0x84000003u
#define PSCI01_OFF   1u
#define PSCI01_ON    2u
#define IS_64        0x40000000u
#define PER_ARGUMENT 4u

static const uint64_t arguments[] = {
    0u,          1u,          UINT64_MAX,  0x8000000000000000ULL, 0xFFFFFFFFu,     0x80000000u,
    0x40000000u, 0x40000001u, 0x03001000u, 0xFFFFFFFFFFFFF000ULL, 0xFF00FFFFFFULL,
};
#define NR_ARGUMENTS ((uint32_t)(sizeof(arguments) / sizeof(arguments[0])))

/* What ends this vCPU or domain if it works; it has its turn elsewhere. */
static bool is_final(uint64_t function)
{
    const uint32_t plain = (uint32_t)function & ~IS_64;

    return (plain == PSCI_CPU_OFF) || (plain == PSCI_SYSTEM_OFF) || (plain == PSCI_SYSTEM_RESET) ||
           (plain == 0x84000012u) || (plain == 0x8400000Eu) || ((uint32_t)function == PSCI01_OFF);
}

static bool is_cpu_on(uint64_t function)
{
    return (((uint32_t)function & ~IS_64) == CPU_ON32) || ((uint32_t)function == PSCI01_ON);
}

static void call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t first = a;
    uint64_t second = b;

    if (((uint32_t)function & ~IS_64) == CPU_SUSPEND) {
        timer_virt_set(0u); /* expired: it does not sleep for long */
    }
    if (((uint32_t)function & ~IS_64) == (DOMAIN_REPORT & ~IS_64)) {
        first = 0u; /* the neighbour counts by it */
    }
    if (is_cpu_on(function) && (first < 8u)) {
        second |= 1u; /* never a place where one of our own could begin */
    }
    (void)firmware_hvc(function, first, second, c);
    (void)firmware_smc(function, first, second, c);
    tried(2u);
}

static void range(uint64_t first, uint64_t last)
{
    for (uint64_t function = first; function <= last; function++) {
        for (uint32_t i = 0u; !is_final(function) && (i < NR_ARGUMENTS); i++) {
            call(function, arguments[i], arguments[(i * 3u + 1u) % NR_ARGUMENTS], random64());
            call(function | 0xFFFFFFFF00000000ULL, arguments[i], random64(), arguments[i]);
        }
    }
}

static void suspendable(void)
{
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
}

static void psci(void)
{
    suspendable();
    range(0x84000000u, 0x8400001Fu);
    range(0xC4000000u, 0xC400001Fu);
    range(0x95C1BA5Eu, 0x95C1BA62u); /* Xen's names for the functions of PSCI 0.1 */
    range(0u, 8u);
}

static void services(void)
{
    suspendable();
    for (uint64_t owner = 0u; owner < 64u; owner++) {
        for (uint64_t kind = 0u; kind < 4u; kind++) { /* yielding and fast, of 32 and 64 bits */
            const uint64_t base = (kind << 30u) | (owner << 24u);

            if ((base & 0x3F000000u) != 0x04000000u) {
                range(base, base + 2u);
            }
            range(base | 0xFF00u, base | 0xFF03u);
            range(base | 0xFFFFu, base | 0xFFFFu);
        }
    }
    range(0x80007FFFu, 0x80008001u);
    range(0x80003FFEu, 0x80004001u);
}

static void random_calls(void)
{
    suspendable();
    for (uint64_t i = 0u; storm_goes(i, 10000u); i++) {
        const uint64_t function = random64();

        if (!is_final(function)) {
            call(function, random64(), random64(), random64());
        }
    }
}

/* Legal calls, as fast as they go */
static void call_storm(void)
{
    for (uint64_t i = 0u; storm_goes(i, 5000u); i++) {
        (void)firmware_hvc(PSCI_VERSION, 0u, 0u, 0u);
        (void)firmware_smc(PSCI_AFFINITY_INFO, cpu_hwid(0u), 0u, 0u);
    }
    tried(2u * storm(5000u));
}

const struct attack attacks_firmware[] = {
    { "psci", psci, true },
    { "services", services, false },
    { "random_calls", random_calls, false },
    { "call_storm", call_storm, true },
    { NULL, NULL, false },
};
