/* What arch/arm/mmu needs of the port it is built into: arm64 (DDI 0487 D8). armv7a offers the same names. */
#ifndef ARCH_ARM64_ARM_MMU_H
#define ARCH_ARM64_ARM_MMU_H

#include "a64_sysreg.h"
#include "arm_map.h"
#include "hal/cpu.h"

/* The areas: one 512 GiB slot of level 0 of a 48-bit TTBR0_EL2. link.lds has the image's address, too. */
#define ARM_VA_IMAGE   0x0000FF0000000000ULL
#define ARM_VA_WINDOWS (ARM_VA_IMAGE + ARM_AREA_BYTES)
#define ARM_VA_FIXED   (ARM_VA_WINDOWS + ARM_AREA_BYTES)
#define ARM_VA_HEAP    (ARM_VA_FIXED + ARM_AREA_BYTES)

static inline uint32_t arm_pa_bits(void)
{
    return arm_pa_bits_of(a64_id_field(A64_READ(id_aa64mmfr0_el1), A64_MMFR0_PARANGE));
}

static inline uint32_t arm_cpu_slot(void)
{
    return a64_cpu()->slot;
}

/* An entry of our own map, in one piece. */
static inline void arm_entry_set(volatile uint64_t *entry, uint64_t value)
{
    *entry = value;
}

/* What makes the identity. */
static inline uint64_t *arm_identity_entry(struct arm_tables *t, uint64_t pa)
{
    return &t->root[arm_pte_index(pa, 0u)];
}

/* MMU off. The root, and what lets the code that switches the MMU on find itself where it was; false: the
 * image cannot lie there. */
static inline bool arm_map_identity(struct arm_tables *t, uint64_t pa)
{
    const uint32_t slot = arm_pte_index(ARM_VA_IMAGE, 0u);

    *arm_identity_entry(t, pa) = arm_pte_table((uintptr_t)t->identity_l1);
    t->identity_l1[arm_pte_index(pa, 1u)] = arm_pte_table((uintptr_t)t->identity_l2);
    t->identity_l2[arm_pte_index(pa, 2u)] = arm_pte_leaf(pa, 2u, ARM_S1_TEXT);
    t->root[slot] = arm_pte_table((uintptr_t)t->l1);
    return (arm_pte_index(pa, 0u) != slot) && ((pa & (arm_level_bytes(2u) - 1u)) == 0u);
}

static inline void arm_vtcr_write(uint32_t ipa_bits)
{
    uint64_t vtcr = A64_VTCR_RES1 | A64_VTCR_WALK | (64u - ipa_bits);

    vtcr |= bits_min(A64_READ(id_aa64mmfr0_el1) & 0xFu, 5u) << 16u;
    vtcr |= (arm_ipa_start_level(ipa_bits) == 0u) ? A64_VTCR_SL0_L0 : A64_VTCR_SL0_L1;
    A64_WRITE(vtcr_el2, vtcr);
}

static inline uint64_t arm_vttbr_read(void)
{
    return A64_READ(vttbr_el2);
}

static inline void arm_vttbr_write(uint64_t vttbr)
{
    A64_WRITE(vttbr_el2, vttbr);
    a64_isb();
}

/* On all CPUs, of the VMID in VTTBR_EL2: nr_pages pages from ipa on, 0: all. Both stages, since an entry may
 * combine them (D8.13.5). */
static inline void arm_tlb_flush_guest(uint64_t ipa, uint32_t nr_pages)
{
    __asm__ volatile("dsb ishst" : : : "memory");
    if (nr_pages == 0u) {
        __asm__ volatile("tlbi vmalls12e1is" : : : "memory");
    } else {
        for (uint32_t i = 0u; i < nr_pages; i++) {
            __asm__ volatile("tlbi ipas2e1is, %0" : : "r"((ipa >> PAGE_SHIFT) + i) : "memory");
        }
        __asm__ volatile("dsb ish\n\ttlbi vmalle1is" : : : "memory");
    }
    __asm__ volatile("dsb ish" : : : "memory");
}

/* Our own translations: of the page or block at va on this CPU, on all CPUs. */
static inline void arm_tlb_flush_local(uint64_t va)
{
    __asm__ volatile("dsb nshst\n\ttlbi vae2, %0\n\tdsb nsh\n\tisb" : : "r"(va >> PAGE_SHIFT) : "memory");
}

static inline void arm_tlb_flush_va(uint64_t va)
{
    __asm__ volatile("dsb ishst\n\ttlbi vae2is, %0\n\tdsb ish\n\tisb" : : "r"(va >> PAGE_SHIFT) : "memory");
}

#endif
