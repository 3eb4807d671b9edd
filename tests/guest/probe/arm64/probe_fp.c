/* State that only a careful switch keeps: FP and SIMD registers, pointer authentication keys, thread and
 * translation registers of EL1. Compiled with floating point. */
#include "probe.h"

#define VECTORS 32u
#define SYSTEM  12u

struct vectors {
    uint64_t half[2u * VECTORS];
} __attribute__((aligned(16)));

static struct vectors in[GUEST_CPUS_MAX];
static struct vectors out[GUEST_CPUS_MAX];

#define ALL_VECTORS(op, base)                                                                                \
    op " q0, q1, [" base ", #0]\n\t" op " q2, q3, [" base ", #32]\n\t" op " q4, q5, [" base ", #64]\n\t" op  \
       " q6, q7, [" base ", #96]\n\t" op " q8, q9, [" base ", #128]\n\t" op " q10, q11, [" base              \
       ", #160]\n\t" op " q12, q13, [" base ", #192]\n\t" op " q14, q15, [" base ", #224]\n\t" op            \
       " q16, q17, [" base ", #256]\n\t" op " q18, q19, [" base ", #288]\n\t" op " q20, q21, [" base         \
       ", #320]\n\t" op " q22, q23, [" base ", #352]\n\t" op " q24, q25, [" base ", #384]\n\t" op            \
       " q26, q27, [" base ", #416]\n\t" op " q28, q29, [" base ", #448]\n\t" op " q30, q31, [" base         \
       ", #480]\n\t"

static bool has_pointer_authentication(void)
{
    const uint64_t isar1 = reg_read(id_aa64isar1_el1);

    return ((isar1 & 0xFF0u) != 0u) || ((reg_read(S3_0_C0_C6_2) & 0xF000u) != 0u); /* APA, API; APA3 */
}

static void system_write(const uint64_t *v)
{
    reg_write(tpidr_el0, v[0]);
    reg_write(tpidrro_el0, v[1]);
    reg_write(tpidr_el1, v[2]);
    reg_write(contextidr_el1, v[3] & 0xFFFFFFFFu);
    reg_write(par_el1, 0u);
    reg_write(afsr0_el1, 0u);
    reg_write(sp_el0, v[4] & ~15ULL);
    reg_write(ttbr1_el1, v[5] & 0xFFFFFFF000ULL);
    if (has_pointer_authentication()) {
        reg_write(S3_0_C2_C1_0, v[6]); /* APIAKeyLo_EL1 .. */
        reg_write(S3_0_C2_C1_1, v[7]);
        reg_write(S3_0_C2_C1_2, v[8]);
        reg_write(S3_0_C2_C2_0, v[9]);
        reg_write(S3_0_C2_C2_3, v[10]);
        reg_write(S3_0_C2_C3_1, v[11]);
    }
}

static uint32_t system_changed(const uint64_t *v)
{
    uint32_t n = 0u;

    n += (reg_read(tpidr_el0) != v[0]) ? 1u : 0u;
    n += (reg_read(tpidrro_el0) != v[1]) ? 1u : 0u;
    n += (reg_read(tpidr_el1) != v[2]) ? 1u : 0u;
    n += (reg_read(contextidr_el1) != (v[3] & 0xFFFFFFFFu)) ? 1u : 0u;
    n += (reg_read(sp_el0) != (v[4] & ~15ULL)) ? 1u : 0u;
    n += (reg_read(ttbr1_el1) != (v[5] & 0xFFFFFFF000ULL)) ? 1u : 0u;
    if (has_pointer_authentication()) {
        n += (reg_read(S3_0_C2_C1_0) != v[6]) ? 1u : 0u;
        n += (reg_read(S3_0_C2_C1_1) != v[7]) ? 1u : 0u;
        n += (reg_read(S3_0_C2_C1_2) != v[8]) ? 1u : 0u;
        n += (reg_read(S3_0_C2_C2_0) != v[9]) ? 1u : 0u;
        n += (reg_read(S3_0_C2_C2_3) != v[10]) ? 1u : 0u;
        n += (reg_read(S3_0_C2_C3_1) != v[11]) ? 1u : 0u;
    }
    return n;
}

uint32_t probe_registers_kept(uint64_t pattern, uint32_t ms)
{
    struct vectors *const from = &in[cpu_number()];
    struct vectors *const to = &out[cpu_number()];
    const uint64_t end = timer_now() + ((timer_frequency() / 1000u) * ms);
    uint64_t system[SYSTEM];
    uint64_t rounds = 0u;
    uint32_t changed = 0u;

    for (uint32_t i = 0u; i < (2u * VECTORS); i++) {
        from->half[i] = pattern + ((uint64_t)i * 0x0101010101010101ULL);
    }
    for (uint32_t i = 0u; i < SYSTEM; i++) {
        system[i] = pattern ^ ((uint64_t)(i + 1u) * 0x9E3779B97F4A7C15ULL);
    }
    system_write(system);
    arch_irq_open();
    while (timer_now() < end) {
        /* Loaded, left alone for some time, stored: nothing in between uses these registers. */
        reg_write(fpcr, 0x400000u);
        reg_write(fpsr, 0x1Fu);
        __asm__ volatile(ALL_VECTORS("ldp", "%0") "mov x9, %2\n"
                                                  "1:\tsubs x9, x9, #1\n\t"
                                                  "b.ne 1b\n\t" ALL_VECTORS("stp", "%1")
                         :
                         : "r"(from), "r"(to), "r"(20000ULL)
                         : "x9", "cc", "memory", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9",
                           "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",
                           "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
        changed += (reg_read(fpcr) != 0x400000u) ? 1u : 0u;
        changed += (reg_read(fpsr) != 0x1Fu) ? 1u : 0u;
        for (uint32_t i = 0u; i < (2u * VECTORS); i++) {
            changed += (from->half[i] != to->half[i]) ? 1u : 0u;
        }
        rounds++;
    }
    arch_irq_mask();
    changed += system_changed(system);
    reg_write(fpcr, 0u);
    return (rounds > 0u) ? changed : 1u;
}
