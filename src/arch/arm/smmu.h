/* Inside the SMMUv3 driver: registers and layouts (IHI 0070F chapters 3, 4, 5, 6 and 7), as pure
 * functions. */
#ifndef ARCH_ARM_SMMU_H
#define ARCH_ARM_SMMU_H

#include "arm_smmu.h"

/* Registers (6.3) */
#define SMMU_IDR0            0x00u
#define SMMU_IDR1            0x04u
#define SMMU_IDR5            0x14u
#define SMMU_CR0             0x20u
#define SMMU_CR1             0x28u
#define SMMU_CR2             0x2Cu
#define SMMU_GBPA            0x44u
#define SMMU_IRQ_CTRL        0x50u
#define SMMU_GERROR          0x60u
#define SMMU_GERRORN         0x64u
#define SMMU_GERROR_IRQ_CFG0 0x68u
#define SMMU_STRTAB_BASE     0x80u
#define SMMU_STRTAB_BASE_CFG 0x88u
#define SMMU_CMDQ_BASE       0x90u
#define SMMU_CMDQ_PROD       0x98u
#define SMMU_CMDQ_CONS       0x9Cu
#define SMMU_EVENTQ_BASE     0xA0u
#define SMMU_EVENTQ_IRQ_CFG0 0xB0u
#define SMMU_EVENTQ_PROD     0x100A8u
#define SMMU_EVENTQ_CONS     0x100ACu

#define SMMU_IDR0_S2P       BIT32(0)
#define SMMU_IDR0_TTF64     BIT32(3)
#define SMMU_IDR0_COHACC    BIT32(4)
#define SMMU_IDR0_MSI       BIT32(13)
#define SMMU_IDR0_BIG       0x00600000u
#define SMMU_IDR0_STALL     0x03000000u
#define SMMU_IDR0_STALL_ALL 0x02000000u
#define SMMU_IDR0_LEVELS    0x18000000u
#define SMMU_IDR0_LEVELS_2  0x08000000u
#define SMMU_IDR1_PRESET    0x60000000u /* tables or queues at fixed addresses */
#define SMMU_IDR5_GRAN4K    BIT32(4)
#define SMMU_CR0_SMMUEN     BIT32(0)
#define SMMU_CR0_EVENTQEN   BIT32(2)
#define SMMU_CR0_CMDQEN     BIT32(3)
#define SMMU_CR1_WB         0xD75u /* queues and tables: write-back, inner shareable */
#define SMMU_CR2_RECINVSID  BIT32(1)
#define SMMU_CR2_PTM        BIT32(2) /* the CPUs' own TLB maintenance is none of its business */
#define SMMU_GBPA_ABORT     BIT32(20)
#define SMMU_GBPA_UPDATE    BIT32(31)
#define SMMU_IRQ_GERROR     BIT32(0)
#define SMMU_IRQ_EVENTQ     BIT32(2)
#define SMMU_BASE_ALLOCATE  BIT64(62)
#define SMMU_STRTAB_2LEVEL  BIT32(16)
#define SMMU_QUEUE_FLAG     BIT32(31) /* of the event queue: an overflow, or that it was seen */

/* Commands (4), word 0 */
#define SMMU_CMD_CFGI_ALL  0x04ULL
#define SMMU_CFGI_ALL_SPAN 31ULL
#define SMMU_CMD_S12_VMALL 0x28ULL
#define SMMU_CMD_NSNH_ALL  0x30ULL
#define SMMU_CMD_SYNC      0x46ULL
#define SMMU_CMD_WORDS     2u

/* Stream table entries (5.2), word 0 */
#define SMMU_STE_WORDS  8u
#define SMMU_STE_ABORT  1ULL /* valid; without an event */
#define SMMU_STE_STAGE2 (1ULL | (6ULL << 1u))
#define SMMU_STE_SHCFG  BIT64(44) /* word 1: shareability as the device says */

#define SMMU_TABLE_STREAMS BIT32(SMMU_TABLE_BITS)
#define SMMU_LEVEL1_SPAN   (SMMU_TABLE_BITS + 1u)
#define SMMU_LEVEL1_TABLE  GENMASK64(51u, 6u)

/* Events (7.3) */
#define SMMU_EVENT_WORDS       4u
#define SMMU_EVENT_BYTES       32u
#define SMMU_EVENT_BAD_STREAM  0x02u
#define SMMU_EVENT_BAD_STE     0x04u
#define SMMU_EVENT_TRANSLATION 0x10u
#define SMMU_EVENT_ADDR_SIZE   0x11u
#define SMMU_EVENT_PERMISSION  0x13u

/* Word 2 of an entry: walks as the CPUs do them (write-back, inner shareable, 4 KiB granule, AArch64, little
 * endian); no access-flag faults; faults end the transaction and are recorded. oas: IDR5.OAS; the input is
 * cut to what such an SMMU can take. */
static inline uint64_t smmu_ste2(const struct smmu_stage2 *map, uint32_t oas)
{
    static const uint8_t oas_bits[6] = { 32, 36, 40, 42, 44, 48 };
    const uint32_t ps = (oas < 5u) ? oas : 5u;
    const uint64_t bits = bits_min(map->ipa_bits, oas_bits[ps]);
    const uint64_t level = map->level0 ? 2u : 1u;

    return map->id | ((64u - bits) << 32u) | (level << 38u) | (1ULL << 40u) | (1ULL << 42u) | (3ULL << 44u) |
           ((uint64_t)ps << 48u) | BIT64(51) | BIT64(53) | BIT64(54) | BIT64(58);
}

/* Level 0 begins where the output has 44 bits or more (5.2, S2SL0). */
static inline bool smmu_can_walk(const struct smmu_stage2 *map, uint32_t oas)
{
    return !map->level0 || (oas >= 4u);
}

static inline uint64_t smmu_level1(uint64_t table)
{
    return (table & SMMU_LEVEL1_TABLE) | SMMU_LEVEL1_SPAN;
}

static inline const char *smmu_event_text(uint32_t code)
{
    switch (code) {
    case SMMU_EVENT_BAD_STREAM:
    case SMMU_EVENT_BAD_STE:
        return "its stream leads nowhere";
    case SMMU_EVENT_TRANSLATION:
        return "nothing there";
    case SMMU_EVENT_ADDR_SIZE:
        return "no such address";
    case SMMU_EVENT_PERMISSION:
        return "no permission";
    default:
        return "the IOMMU cannot";
    }
}

#endif
