/* What arch/arm/mmu needs of the port it is built into: armv7a (DDI 0406 B3.6, long descriptors; B3.19 for
 * the registers). arm64 offers the same names. */
#ifndef ARCH_ARM32_V7A_ARM_MMU_H
#define ARCH_ARM32_V7A_ARM_MMU_H

#include "a32_sysreg.h"
#include "arm_map.h"
#include "hal/cpu.h"

/* The areas: the four entries of level 1. link.lds has the image's address, too: the end of its GiB, so that
 * address 0 leads nowhere and the identity of most machines' RAM finds room beside it. */
#define ARM_VA_IMAGE   0x3FC00000ULL
#define ARM_VA_WINDOWS 0x40000000ULL
#define ARM_VA_FIXED   0x80000000ULL
#define ARM_VA_HEAP    0xC0000000ULL

#define A32_TLBIALLIS  "p15, 0, %0, c8, c3, 0"
#define A32_TLBIMVAHIS "p15, 4, %0, c8, c3, 1"
#define A32_TLBIMVAH   "p15, 4, %0, c8, c7, 1"

/* Inner and outer write-back walks, inner shareable, from level 1 on; T0SZ is signed and S its sign */
#define A32_VTCR_VALUE 0x80003550u
#define A32_VTCR_T0SZ  0xFu

static inline uint32_t arm_pa_bits(void)
{
    return 40u;
}

static inline uint32_t arm_cpu_slot(void)
{
    return a32_cpu()->slot;
}

/* An entry of our own map, in one piece: with LPAE a pair is (DDI 0406C A3.5.3). */
static inline void arm_entry_set(volatile uint64_t *entry, uint64_t value)
{
    __asm__ volatile("strd %Q1, %R1, %0" : "=Q"(*entry) : "r"(value) : "memory");
}

/* What makes the identity: beside the image, or in a table of its own */
static inline uint64_t *arm_identity_entry(struct arm_tables *t, uint64_t pa)
{
    const bool beside = arm_pte_index(pa, 1u) == arm_pte_index(ARM_VA_IMAGE, 1u);

    return beside ? &t->image_l2[arm_pte_index(pa, 2u)] : &t->identity_l2[arm_pte_index(pa, 2u)];
}

/* MMU off. The root that it is switched on with, which has the image and what lets the code find itself where
 * it was; false: the image cannot lie there. */
static inline bool arm_map_identity(struct arm_tables *t, uint64_t pa)
{
    uint64_t *entry = arm_identity_entry(t, pa);
    const bool is_free = !arm_pte_is_valid(*entry);

    *entry = arm_pte_leaf(bits_align_down(pa, arm_level_bytes(2u)), 2u, ARM_S1_TEXT);
    t->root[arm_pte_index(pa, 1u)] = arm_pte_table((uintptr_t)t->identity_l2);
    t->root[arm_pte_index(ARM_VA_IMAGE, 1u)] = arm_pte_table((uintptr_t)t->image_l2);
    return is_free && ((pa & (PAGE_BYTES - 1u)) == 0u);
}

static inline void arm_vtcr_write(uint32_t ipa_bits)
{
    A32_WRITE(A32_VTCR, A32_VTCR_VALUE | ((32u - ipa_bits) & A32_VTCR_T0SZ));
}

static inline uint64_t arm_vttbr_read(void)
{
    return A32_READ64(A32_VTTBR);
}

static inline void arm_vttbr_write(uint64_t vttbr)
{
    A32_WRITE64(A32_VTTBR, vttbr);
    a32_isb();
}

/* On all CPUs, of the VMID in VTTBR, both stages: there is nothing that takes an IPA (B4.2.2). */
static inline void arm_tlb_flush_guest(uint64_t ipa, uint32_t nr_pages)
{
    (void)ipa;
    (void)nr_pages;
    __asm__ volatile("dsb ishst" : : : "memory");
    A32_WRITE(A32_TLBIALLIS, 0u);
    __asm__ volatile("dsb ish" : : : "memory");
}

/* Our own translations: of the page or block at va on this CPU, on all CPUs. */
static inline void arm_tlb_flush_local(uint64_t va)
{
    __asm__ volatile("dsb nshst" : : : "memory");
    A32_WRITE(A32_TLBIMVAH, va);
    __asm__ volatile("dsb nsh\n\tisb" : : : "memory");
}

static inline void arm_tlb_flush_va(uint64_t va)
{
    __asm__ volatile("dsb ishst" : : : "memory");
    A32_WRITE(A32_TLBIMVAHIS, va);
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

#endif
