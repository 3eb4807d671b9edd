/* A CPU's control registers, its start, contexts and caches. */
/* [impl->dsn~port-contract~1] */
#include "a32_trap.h"
#include "arm_port.h"
#include "hal/cache.h"
#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "hal/sync.h"
#include "lib/crc32c.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define MIDR_ARM     0x41u
#define PMCR_N_HIGH  15u
#define PMCR_N_LOW   11u
#define DFR0_PMU_LOW 24u
#define PSCI_SUCCESS 0u

void *a32_secondary_stack[HV_CPUS_MAX];

static volatile uint32_t cpu_slots; /* handed out so far */

/* Traps of features that guests do not see (DDI 0406 B1.14; reset values are unknown). */
static void cpu_init_traps(void)
{
    const uint32_t pmu = (A32_READ(A32_ID_DFR0) >> DFR0_PMU_LOW) & 0xFu;
    uint32_t hdcr = A32_HDCR_TRAPS;

    if ((pmu != 0u) && (pmu != 0xFu)) {
        hdcr |= (uint32_t)bits_field(A32_READ(A32_PMCR), PMCR_N_HIGH, PMCR_N_LOW); /* HPMN: all counters */
    }
    A32_WRITE(A32_HDCR, hdcr);
    A32_WRITE(A32_HCPTR, A32_HCPTR_VALUE);
    A32_WRITE(A32_HSTR, A32_HSTR_VALUE);
    A32_WRITE(A32_HCR, A32_HCR_HOST);
    if (CONFIG_MPU != 0) {
        A32_WRITE(A32_HCR2, 0u);
    }
    A32_WRITE(A32_VPIDR, A32_READ(A32_MIDR));
}

void hal_cpu_init(void)
{
    struct hal_cpu *cpu = a32_cpu();

    cpu->slot = hal_fetch_add32(&cpu_slots, 1u) % HV_CPUS_MAX;
    cpu->stack_top = (void *)(uint8_t *)(uintptr_t)A32_READ_BANKED(sp_usr); /* from head.S */
    cpu_init_traps();
    if (cpu->slot == 0u) {
        arm_sysreg_init();
    }
    a32_model_init_cpu();
}

enum hv_status hal_cpu_start(cpuid_t cpu, uint64_t hwid, void *stack_top)
{
    const struct arm_plan_host *host = arm_host();
    enum hv_status status = HV_OK;

    if (cpu >= HV_CPUS_MAX) {
        return HV_INVALID;
    }
    a32_secondary_stack[cpu] = stack_top;
    if (CONFIG_MPU != 0) {
        status = a32_model_start(cpu, hwid);
    } else if ((host->psci_conduit != ARM_CONDUIT_SMC) || (host->psci_cpu_on == 0u)) {
        status = HV_NOT_SUPPORTED;
    } else {
        const uint64_t entry = hal_hypmap_hpa(a32_secondary).v;

        hal_barrier_io();
        if (arm_smccc(host->psci_conduit, host->psci_cpu_on, hwid, entry, cpu) != PSCI_SUCCESS) {
            status = HV_INVALID;
        }
    }
    return status;
}

void hal_cpu_park(void)
{
    (void)hal_cpu_irq_save();
    /* From here on no stack is needed. If it was the one for broken code, the next CPU may have it. */
    hal_store_release32(&a32_broken_claim, 0u);
    for (;;) {
        hal_cpu_wait();
    }
}

const char *hal_cpu_describe(void)
{
    static const struct {
        uint32_t part;
        const char *name;
    } known[] = { { 0xC07u, "Cortex-A7" },  { 0xC0Eu, "Cortex-A17" }, { 0xC0Fu, "Cortex-A15" },
                  { 0xC0Du, "Cortex-A12" }, { 0xD13u, "Cortex-R52" }, { 0xD16u, "Cortex-R52+" } };
    static char line[64];
    const uint32_t midr = A32_READ(A32_MIDR);
    struct fmt_buf text;

    fmt_init(&text, line, sizeof(line));
    for (uint32_t i = 0u; (i < ARRAY_LEN(known)) && ((midr >> 24u) == MIDR_ARM); i++) {
        if (known[i].part == ((midr >> 4u) & 0xFFFu)) {
            fmt_str(&text, known[i].name);
        }
    }
    fmt_add(&text, " MIDR %x, %s", midr, (CONFIG_MPU != 0) ? "protection regions" : "MMU");
    return line;
}

uint32_t hal_cpu_crc32c(uint32_t before, const void *data, uint64_t bytes)
{
    return crc32c_update(before, data, bytes);
}

void hal_context_init(struct hal_context *context, void (*entry)(void *arg), void *arg, void *stack_top)
{
    (void)memset(context, 0, sizeof(*context));
    (void)memcpy(&context->frame.pc, &entry, sizeof(entry));
    context->frame.r[0] = (uint32_t)(uintptr_t)(uint8_t *)arg;
    context->frame.sp = (uint32_t)(uintptr_t)(uint8_t *)stack_top;
    context->frame.cpsr = A32_MODE_HYP; /* interrupts and aborts unmasked */
}

void hal_context_save_fp(struct hal_context *context)
{
    (void)context;
}

void hal_context_load_fp(const struct hal_context *context)
{
    (void)context;
}

/* Caches by address, to the point of coherency (DDI 0406 B2.2.7). Bytes of the smallest line. */
static uint32_t cache_line(void)
{
    return 4u << ((A32_READ(A32_CTR) >> 16u) & 0xFu);
}

void hal_cache_clean(const void *va, uint64_t bytes)
{
    const uint32_t line = cache_line();
    const uint64_t at = (uintptr_t)(const uint8_t *)va;

    for (uint64_t p = bits_align_down(at, line); p < (at + bytes); p += line) {
        A32_WRITE(A32_DCCMVAC, p);
    }
    hal_barrier_io();
}

void hal_cache_clean_invalidate(const void *va, uint64_t bytes)
{
    const uint32_t line = cache_line();
    const uint64_t at = (uintptr_t)(const uint8_t *)va;

    for (uint64_t p = bits_align_down(at, line); p < (at + bytes); p += line) {
        A32_WRITE(A32_DCCIMVAC, p);
    }
    hal_barrier_io();
}

/* A page at a time, while its lines are at hand. */
void hal_cache_zero(void *va, uint64_t bytes)
{
    uint8_t *const at = va;

    for (uint64_t done = 0u; done < bytes; done += PAGE_BYTES) {
        (void)memset(&at[done], 0, PAGE_BYTES);
        hal_cache_clean_invalidate(&at[done], PAGE_BYTES);
    }
}

void hal_cache_copy(void *dst, const void *src, uint64_t bytes)
{
    uint8_t *const to = dst;
    const uint8_t *const from = src;
    uint64_t done = 0u;

    while (done < bytes) {
        const size_t step = (size_t)bits_min(bytes - done, PAGE_BYTES);

        (void)memcpy(&to[done], &from[done], step);
        hal_cache_clean(&to[done], step);
        done += step;
    }
}

void hal_cache_instructions(void)
{
    hal_barrier_io();
    A32_WRITE(A32_ICIALLUIS, 0u);
    A32_WRITE(A32_BPIALLIS, 0u);
    hal_barrier_io();
    a32_isb();
}
