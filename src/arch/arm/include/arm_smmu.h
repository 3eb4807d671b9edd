/* Sizes of what an SMMUv3 reads and writes, for the plan and the driver (IHI 0070 sections 3.3 and 3.5). A
 * page each: command queue, event queue, stream table of level 2. */
#ifndef ARM_SMMU_H
#define ARM_SMMU_H

#include "hal/types.h"

#define SMMU_REG_BYTES    KIB(128)
#define SMMU_STREAMS_MAX  BIT32(20) /* stream ids are below; keeps level 1 small */
#define SMMU_TABLE_BITS   6u        /* streams of one table of level 2: STRTAB_BASE_CFG.SPLIT */
#define SMMU_QUEUES       2u        /* pages of an SMMU besides its tables */
#define SMMU_RUN_PAGES    3u /* tables that a run of streams may need: first, whole ones (shared), last */
#define SMMU_LEVEL1_BYTES 8u /* of a descriptor */

/* Bits of the ids below nr_streams (at most SMMU_STREAMS_MAX); no fewer than one table of level 2
 * resolves. */
static inline uint32_t smmu_id_bits(uint32_t nr_streams)
{
    uint32_t bits = SMMU_TABLE_BITS;

    while (BIT32(bits) < nr_streams) {
        bits++;
    }
    return bits;
}

/* Pages of level 1 for such ids; a power of two. */
static inline uint32_t smmu_level1_pages(uint32_t id_bits)
{
    const uint32_t bytes = SMMU_LEVEL1_BYTES << (id_bits - SMMU_TABLE_BITS);

    return (bytes + (PAGE_BYTES - 1u)) / PAGE_BYTES;
}

/* A guest's map as stage 2 of a stream. */
struct smmu_stage2 {
    uint64_t root;
    uint32_t ipa_bits;
    bool level0; /* the walk begins at level 0, else at level 1 */
    uint16_t id;
};

/* An SMMU reads memory past the caches: what it walks is cleaned when it is written. Set at boot. */
extern bool smmu_sees_memory;

/* Nothing of the map stays cached in the SMMUs (bits) where its streams are. Bounded wait. LOCK_IOMMU. */
void smmu_flush(uint32_t bits, uint16_t map_id);

#endif
