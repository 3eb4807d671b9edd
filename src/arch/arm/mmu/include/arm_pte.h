/* Descriptors of the 4 KiB granule, both stages, as pure functions (DDI 0487 D8.3). Levels 0 to 3; leaves at
 * 1 to 3. */
#ifndef ARCH_ARM_PTE_H
#define ARCH_ARM_PTE_H

#include "hal/guestmap.h"

#ifndef ARM_PTE_BITS
#define ARM_PTE_BITS 9u /* address bits that one level resolves; proofs use fewer */
#endif
#define ARM_PTE_ENTRIES BIT32(ARM_PTE_BITS)
#define ARM_LEVEL_LEAF  3u
#define ARM_PA_BITS_MAX 48u

#define ARM_PTE_VALID     BIT64(0)
#define ARM_PTE_TABLE     BIT64(1) /* levels 0 to 2: table; level 3: always set */
#define ARM_PTE_ATTR_LOW  2u
#define ARM_PTE_SH_INNER  (3ULL << 8u)
#define ARM_PTE_AF        BIT64(10)
#define ARM_PTE_XN        BIT64(54)
#define ARM_PTE_OUTPUT    GENMASK64(47u, 12u)
#define ARM_PTE_S1_AP_ONE BIT64(6) /* AP[1], RES1 in a regime of one privilege level */
#define ARM_PTE_S1_RO     BIT64(7)
#define ARM_PTE_S2_R      BIT64(6)
#define ARM_PTE_S2_W      BIT64(7)
#define ARM_S2_ATTR_WB    0xFULL /* MemAttr[3:0]: outer and inner write-back */
#define ARM_S2_ATTR_NGNRE 0x1ULL

/* Attributes of our own mappings; the index is MAIR_EL2's: 0 write-back, 1 device nGnRE */
#define ARM_S1_COMMON (ARM_PTE_VALID | ARM_PTE_AF | ARM_PTE_SH_INNER | ARM_PTE_S1_AP_ONE)
#define ARM_S1_TEXT   (ARM_S1_COMMON | ARM_PTE_S1_RO)
#define ARM_S1_RO     (ARM_S1_COMMON | ARM_PTE_S1_RO | ARM_PTE_XN)
#define ARM_S1_RW     (ARM_S1_COMMON | ARM_PTE_XN)
#define ARM_S1_DEVICE (ARM_S1_COMMON | ARM_PTE_XN | (1ULL << ARM_PTE_ATTR_LOW))

/* Address bits below a level's index; level 3 or less. */
static inline uint32_t arm_level_shift(uint32_t level)
{
    return PAGE_SHIFT + ((ARM_LEVEL_LEAF - level) * ARM_PTE_BITS);
}

/* Bytes that one entry of a level covers. */
static inline uint64_t arm_level_bytes(uint32_t level)
{
    return 1ULL << arm_level_shift(level);
}

static inline uint32_t arm_pte_index(uint64_t address, uint32_t level)
{
    return (uint32_t)(address >> arm_level_shift(level)) & (ARM_PTE_ENTRIES - 1u);
}

static inline bool arm_pte_is_valid(uint64_t pte)
{
    return (pte & ARM_PTE_VALID) != 0u;
}

static inline bool arm_pte_is_table(uint64_t pte, uint32_t level)
{
    const uint64_t both = ARM_PTE_VALID | ARM_PTE_TABLE;

    return (level < ARM_LEVEL_LEAF) && ((pte & both) == both);
}

static inline bool arm_pte_is_leaf(uint64_t pte, uint32_t level)
{
    return arm_pte_is_valid(pte) && !arm_pte_is_table(pte, level);
}

/* Where a leaf or a table descriptor leads; a leaf's low bits are zero by construction. */
static inline uint64_t arm_pte_output(uint64_t pte)
{
    return pte & ARM_PTE_OUTPUT;
}

static inline uint64_t arm_pte_table(uint64_t pa)
{
    return (pa & ARM_PTE_OUTPUT) | ARM_PTE_TABLE | ARM_PTE_VALID;
}

/* attributes: one of ARM_S1_*, or those of another leaf of the same stage */
static inline uint64_t arm_pte_leaf(uint64_t pa, uint32_t level, uint64_t attributes)
{
    const uint64_t kind = (level == ARM_LEVEL_LEAF) ? ARM_PTE_TABLE : 0u;

    return (pa & ARM_PTE_OUTPUT) | (attributes & ~(ARM_PTE_OUTPUT | ARM_PTE_TABLE)) | kind;
}

/* Stage 2 attributes for HAL_PERM_* (D8.4.2.1, XN[1:0] = 0b10 or 0b00) and a memory type. */
static inline uint64_t arm_s2_attributes(uint32_t perm, enum hal_memtype type)
{
    uint64_t attributes = ARM_PTE_VALID | ARM_PTE_AF | ARM_PTE_SH_INNER;

    attributes |= ((perm & HAL_PERM_R) != 0u) ? ARM_PTE_S2_R : 0u;
    attributes |= ((perm & HAL_PERM_W) != 0u) ? ARM_PTE_S2_W : 0u;
    attributes |= ((perm & HAL_PERM_X) == 0u) ? ARM_PTE_XN : 0u;
    attributes |= ((type == HAL_MEM_DEVICE) ? ARM_S2_ATTR_NGNRE : ARM_S2_ATTR_WB) << ARM_PTE_ATTR_LOW;
    return attributes;
}

static inline uint32_t arm_s2_perm(uint64_t pte)
{
    uint32_t perm = 0u;

    perm |= ((pte & ARM_PTE_S2_R) != 0u) ? HAL_PERM_R : 0u;
    perm |= ((pte & ARM_PTE_S2_W) != 0u) ? HAL_PERM_W : 0u;
    perm |= ((pte & ARM_PTE_XN) == 0u) ? HAL_PERM_X : 0u;
    perm |= (((pte >> ARM_PTE_ATTR_LOW) & ARM_S2_ATTR_WB) != ARM_S2_ATTR_WB) ? HAL_PERM_DEV : 0u;
    return perm;
}

/* Physical address bits for ID_AA64MMFR0_EL1.PARange (D19.2.64); 52 bits need another descriptor format: 48
 * then. */
static inline uint32_t arm_pa_bits_of(uint32_t parange)
{
    static const uint8_t bits[5] = { 32, 36, 40, 42, 44 };

    return (parange < 5u) ? bits[parange] : ARM_PA_BITS_MAX;
}

/* Bits of guest physical address space for a host's PA size. A single root page needs no contiguous memory:
 * 39 bits from level 1, or all bits from level 0, which the architecture offers from 44 bits of PA on
 * (D8.2.7). */
static inline uint32_t arm_ipa_bits(uint32_t pa_bits)
{
    uint32_t bits = pa_bits;

    if ((pa_bits < 44u) && (pa_bits > 39u)) {
        bits = 39u;
    }
    return bits;
}

static inline uint32_t arm_ipa_start_level(uint32_t ipa_bits)
{
    return (ipa_bits > 39u) ? 0u : 1u;
}

#endif
