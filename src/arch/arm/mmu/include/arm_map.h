/* The hypervisor's own tables and where the image lies, on ports with an MMU. The port's arm_mmu.h says at
 * which addresses its areas begin. */
#ifndef ARCH_ARM_MAP_H
#define ARCH_ARM_MAP_H

#include "arm_pte.h"
#include "arm_smmu.h"

#define ARM_VTTBR_VMID_LOW 48u
#define ARM_AREA_BYTES     0x40000000ULL /* what a level 2 table covers */
#define ARM_IMAGE_L3_PAGES 2u            /* level 3 tables of the image: 4 MiB at most */
#define ARM_FIXED_L3_PAGES 2u /* level 3 tables that work before there is a heap: the tree and the console */

/* The first tables, filled by early.c with the MMU off; hypmap.c owns them afterwards. Page aligned, outside
 * .bss. */
struct arm_tables {
    uint64_t root[ARM_PTE_ENTRIES]; /* what the MMU is switched on with */
    uint64_t l1[ARM_PTE_ENTRIES];
    uint64_t image_l2[ARM_PTE_ENTRIES];
    uint64_t image_l3[ARM_IMAGE_L3_PAGES][ARM_PTE_ENTRIES];
    uint64_t window_l2[ARM_PTE_ENTRIES]; /* entry: cpu slot * HAL_WINDOWS + window */
    uint64_t fixed_l2[ARM_PTE_ENTRIES];  /* devices and read-only memory, in the order of the calls */
    uint64_t fixed_l3[ARM_FIXED_L3_PAGES][ARM_PTE_ENTRIES];
    uint64_t heap_l2[ARM_PTE_ENTRIES];
    uint64_t identity_l1[ARM_PTE_ENTRIES]; /* where the root is of level 0 */
    uint64_t identity_l2[ARM_PTE_ENTRIES];
};

/* Reached relative to the program counter: early.c runs where the image was loaded. */
#pragma GCC visibility push(hidden)
extern struct arm_tables arm_tables;

/* Linker script. Page aligned; ends are exclusive. */
extern uint8_t arm_image_start[];
extern uint8_t arm_text_end[];
extern uint8_t arm_rodata_end[];
extern uint8_t arm_boot_guard[];
extern uint8_t arm_image_end[];
#pragma GCC visibility pop

/* Where the image was loaded. Set once, before upcall_boot(). */
extern uint64_t arm_image_pa;

/* The address of a heap page that a table entry names. */
uint64_t *arm_heap_at(uint64_t pa);

/* guestmap.c: stage 2 control of this CPU, nothing mapped; and that map again when no vCPU is loaded. */
void arm_guestmap_init_cpu(void);
void arm_guestmap_leave(void);

/* A guest's map as an SMMU walks it. */
static inline struct smmu_stage2 arm_stage2_of(const struct hal_guestmap *map)
{
    const struct smmu_stage2 stage2 = { .root = map->vttbr & GENMASK64(47u, 0u),
                                        .ipa_bits = map->ipa_bits,
                                        .level0 = map->start_level == 0u,
                                        .id = (uint16_t)(map->vttbr >> ARM_VTTBR_VMID_LOW) };

    return stage2;
}

#endif
