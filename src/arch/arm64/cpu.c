/* A CPU's control registers, its start, contexts and caches. */
/* [impl->dsn~port-contract~1] */
#include "arm_mmu.h"
#include "a64_trap.h"
#include "arm_port.h"
#include "hal/cache.h"
#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "hal/sync.h"
#include "lib/crc32c.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define MIDR_PART(midr) ((uint32_t)bits_field((midr), 15u, 4u))
#define MIDR_ARM        0x41u
#define PMCR_N_HIGH     15u
#define PMCR_N_LOW      11u
#define PSCI_SUCCESS    0u
#define LINES_A_TURN    16u
#define CRC_TURN        64u /* what a64_crc32c() does in a turn */
#define COPY_LINE       64u
#define COPY_TURN       (4u * COPY_LINE) /* what a64_copy_lines() does in a turn */

void *a64_secondary_stack[HV_CPUS_MAX];

static volatile uint32_t cpu_slots; /* handed out so far */

/* Traps of features that guests do not see; what a CPU does not have is not written (D19.2, reset values are
 * unknown). */
static void cpu_init_traps(void)
{
    const uint64_t mmfr0 = A64_READ(id_aa64mmfr0_el1);
    const uint64_t mmfr1 = A64_READ(id_aa64mmfr1_el1);
    const uint32_t pmuver = a64_id_field(A64_READ(id_aa64dfr0_el1), A64_DFR0_PMUVER_LOW);
    uint64_t mdcr = A64_MDCR_TRAPS;

    if ((pmuver != 0u) && (pmuver != 0xFu)) {
        mdcr |= bits_field(A64_READ(pmcr_el0), PMCR_N_HIGH, PMCR_N_LOW); /* HPMN: all counters */
    }
    A64_WRITE(mdcr_el2, mdcr);
    A64_WRITE(mdscr_el1, 0u);
    A64_WRITE(cptr_el2, A64_CPTR_VALUE);
    A64_WRITE(hstr_el2, A64_HSTR_VALUE);
    A64_WRITE(hcr_el2, A64_HCR_HOST);
    A64_WRITE(vpidr_el2, A64_READ(midr_el1));
    if (a64_id_field(mmfr0, A64_MMFR0_FGT_LOW) != 0u) {
        /* zero traps just what came with FGT: HFGRTR HFGWTR HFGITR HDFGRTR HDFGWTR */
        A64_WRITE(S3_4_C1_C1_4, 0u);
        A64_WRITE(S3_4_C1_C1_5, 0u);
        A64_WRITE(S3_4_C1_C1_6, 0u);
        A64_WRITE(S3_4_C3_C1_4, 0u);
        A64_WRITE(S3_4_C3_C1_5, 0u);
    }
    if (a64_id_field(mmfr0, A64_MMFR0_FGT_LOW) > 1u) {
        /* HFGRTR2 HFGWTR2 HDFGRTR2 HDFGWTR2 HFGITR2 */
        A64_WRITE(S3_4_C3_C1_2, 0u);
        A64_WRITE(S3_4_C3_C1_3, 0u);
        A64_WRITE(S3_4_C3_C1_0, 0u);
        A64_WRITE(S3_4_C3_C1_1, 0u);
        A64_WRITE(S3_4_C3_C1_7, 0u);
    }
    if (a64_id_field(mmfr1, A64_MMFR1_HCX_LOW) != 0u) {
        A64_WRITE(S3_4_C1_C2_2, 0u); /* HCRX_EL2: none of the extensions it enables */
    }
}

void hal_cpu_init(void)
{
    struct hal_cpu *cpu = a64_cpu();

    cpu->slot = hal_fetch_add32(&cpu_slots, 1u) % HV_CPUS_MAX;
    cpu->stack_top = (void *)(uint8_t *)(uintptr_t)A64_READ(sp_el0); /* from head.S */
    cpu_init_traps();
    if (cpu->slot == 0u) {
        a64_sysreg_init();
    }
    arm_guestmap_init_cpu();
}

enum hv_status hal_cpu_start(cpuid_t cpu, uint64_t hwid, void *stack_top)
{
    const struct arm_plan_host *host = arm_host();
    const uint64_t entry = hal_hypmap_hpa(a64_secondary).v;

    if (cpu >= HV_CPUS_MAX) {
        return HV_INVALID;
    }
    if ((host->psci_conduit != ARM_CONDUIT_SMC) || (host->psci_cpu_on == 0u)) {
        return HV_NOT_SUPPORTED;
    }
    a64_secondary_stack[cpu] = stack_top;
    hal_barrier_io();
    return (arm_smccc(host->psci_conduit, host->psci_cpu_on, hwid, entry, cpu) == PSCI_SUCCESS) ? HV_OK
                                                                                                : HV_INVALID;
}

void hal_cpu_park(void)
{
    (void)hal_cpu_irq_save();
    /* From here on no stack is needed. If it was the one for broken code, the next CPU may have it. */
    hal_store_release32(&a64_broken_claim, 0u);
    for (;;) {
        hal_cpu_wait();
    }
}

static const char *cpu_part_name(uint64_t midr)
{
    static const struct {
        uint32_t part;
        const char *name;
    } known[] = {
        { 0xD03u, "Cortex-A53" },  { 0xD04u, "Cortex-A35" },  { 0xD05u, "Cortex-A55" },
        { 0xD07u, "Cortex-A57" },  { 0xD08u, "Cortex-A72" },  { 0xD09u, "Cortex-A73" },
        { 0xD0Au, "Cortex-A75" },  { 0xD0Bu, "Cortex-A76" },  { 0xD0Cu, "Neoverse-N1" },
        { 0xD40u, "Neoverse-V1" }, { 0xD41u, "Cortex-A78" },  { 0xD42u, "Cortex-A78AE" },
        { 0xD47u, "Cortex-A710" }, { 0xD49u, "Neoverse-N2" },
    };
    const char *name = NULL;

    for (uint32_t i = 0u; (i < ARRAY_LEN(known)) && (bits_field(midr, 31u, 24u) == MIDR_ARM); i++) {
        if (known[i].part == MIDR_PART(midr)) {
            name = known[i].name;
        }
    }
    return name;
}

const char *hal_cpu_describe(void)
{
    static char line[96];
    const uint64_t midr = A64_READ(midr_el1);
    const uint32_t pa_bits = arm_pa_bits();
    const char *name = cpu_part_name(midr);
    struct fmt_buf text;

    fmt_init(&text, line, sizeof(line));
    if (name != NULL) {
        fmt_str(&text, name);
    } else {
        fmt_add(&text, "MIDR %X", midr);
    }
    fmt_add(&text, " r%Up%U, PA %u bits, guests' %u bits", bits_field(midr, 23u, 20u),
            bits_field(midr, 3u, 0u), pa_bits, arm_ipa_bits(pa_bits));
    return line;
}

uint32_t hal_cpu_crc32c(uint32_t before, const void *data, uint64_t bytes)
{
    const uint8_t *const from = data;
    const bool has_crc = a64_id_field(A64_READ(id_aa64isar0_el1), A64_ISAR0_CRC32_LOW) != 0u;
    const uint64_t walk = has_crc ? bits_align_down(bytes, CRC_TURN) : 0u;
    const uint32_t so_far = (walk != 0u) ? ~a64_crc32c(~before, from, walk) : before;

    return crc32c_update(so_far, &from[walk], bytes - walk);
}

void hal_context_init(struct hal_context *context, void (*entry)(void *arg), void *arg, void *stack_top)
{
    (void)memset(context, 0, sizeof(*context));
    (void)memcpy(&context->frame.pc, &entry, sizeof(entry));
    context->frame.x[0] = (uint64_t)(uintptr_t)(uint8_t *)arg;
    context->frame.sp = (uint64_t)(uintptr_t)(uint8_t *)stack_top;
    context->frame.pstate = A64_PSTATE_EL2H | A64_PSTATE_D; /* interrupts and SErrors unmasked */
}

void hal_context_save_fp(struct hal_context *context)
{
    a64_fp_save(&context->fp);
}

void hal_context_load_fp(const struct hal_context *context)
{
    a64_fp_load(&context->fp);
}

/* Caches by address, to the point of coherency (D7.5.9). Bytes of the smallest line. */
static uint64_t cache_line(void)
{
    return 4ULL << bits_field(A64_READ(ctr_el0), 19u, 16u);
}

/* dc op on LINES_A_TURN lines from p on: without a branch for each. */
#define CACHE_LINES(op, p, line)                                                                             \
    __asm__ volatile(".rept 16\n\tdc " op ", %0\n\tadd %0, %0, %1\n\t.endr" : "+r"(p) : "r"(line) : "memory")

void hal_cache_clean(const void *va, uint64_t bytes)
{
    const uint64_t line = cache_line();
    const uint64_t at = (uint64_t)(uintptr_t)(const uint8_t *)va;
    const uint64_t end = at + bytes;
    uint64_t p = bits_align_down(at, line);

    while ((end - p) >= (LINES_A_TURN * line)) {
        CACHE_LINES("cvac", p, line);
    }
    for (; p < end; p += line) {
        __asm__ volatile("dc cvac, %0" : : "r"(p) : "memory");
    }
    hal_barrier_io();
}

void hal_cache_clean_invalidate(const void *va, uint64_t bytes)
{
    const uint64_t line = cache_line();
    const uint64_t at = (uint64_t)(uintptr_t)(const uint8_t *)va;

    for (uint64_t p = bits_align_down(at, line); p < (at + bytes); p += line) {
        __asm__ volatile("dc civac, %0" : : "r"(p) : "memory");
    }
    hal_barrier_io();
}

/* DC ZVA where it is allowed (DCZID_EL0.DZP clear) and zeroes just a line; the line is cleaned and dropped
 * while it is at hand. */
void hal_cache_zero(void *va, uint64_t bytes)
{
    const uint64_t dczid = A64_READ(dczid_el0);
    const uint64_t line = cache_line();
    const uint64_t end = (uint64_t)(uintptr_t)(uint8_t *)va + bytes;

    if (((dczid & BIT64(4)) != 0u) || ((4ULL << (dczid & 0xFu)) != line)) {
        (void)memset(va, 0, bytes);
        hal_cache_clean_invalidate(va, bytes);
        return;
    }
    /* a page has a multiple of LINES_A_TURN lines */
    for (uint64_t p = end - bytes; p < end;) {
        CACHE_LINES("zva, %0\n\tdc civac", p, line);
    }
    hal_barrier_io();
}

static void copy_and_clean(uint8_t *dst, const uint8_t *src, uint64_t bytes)
{
    (void)memcpy(dst, src, bytes);
    hal_cache_clean(dst, bytes);
}

void hal_cache_copy(void *dst, const void *src, uint64_t bytes)
{
    uint8_t *const to = dst;
    const uint8_t *const from = src;
    const uint64_t head = bits_min(bytes, (0u - (uint64_t)(uintptr_t)to) % COPY_LINE);
    const uint64_t walk = (cache_line() < COPY_LINE) ? 0u : bits_align_down(bytes - head, COPY_TURN);

    copy_and_clean(to, from, head);
    if (walk != 0u) {
        a64_copy_lines(&to[head], &from[head], walk);
    }
    copy_and_clean(&to[head + walk], &from[head + walk], bytes - head - walk);
}

void hal_cache_instructions(void)
{
    __asm__ volatile("dsb ish\n\tic ialluis\n\tdsb ish\n\tisb" : : : "memory");
}
