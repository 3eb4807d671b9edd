/* Where the hypervisor's own address space has what (48-bit TTBR0_EL2, one 512 GiB slot of level 0, 1 GiB
 * areas). Also read by assembly and the linker script's checks. */
#ifndef ARCH_ARM64_A64_MAP_H
#define ARCH_ARM64_A64_MAP_H

#define A64_VA_BASE        0x0000FF0000000000ULL /* the image; link.lds has it too */
#define A64_VA_ROOT_INDEX  510u
#define A64_AREA_BYTES     0x40000000ULL
#define A64_AREA_IMAGE     0u
#define A64_AREA_WINDOWS   1u /* entry (cpu slot * HAL_WINDOWS + window) of one level 2 table */
#define A64_AREA_FIXED     2u /* devices and read-only memory, in the order of the calls */
#define A64_AREA_HEAP      3u
#define A64_IMAGE_L3_PAGES 2u /* level 3 tables of the image: 4 MiB at most */
#define A64_FIXED_L3_PAGES 2u /* level 3 tables that work before there is a heap: the tree and the console */

#ifndef __ASSEMBLY__
#include "a64_pte.h"
#include "hal/types.h"

/* The first tables, filled by early.c with the MMU off; hypmap.c owns them afterwards. Page aligned, outside
 * .bss. */
struct a64_tables {
    uint64_t l0[A64_PTE_ENTRIES];
    uint64_t l1[A64_PTE_ENTRIES];
    uint64_t image_l2[A64_PTE_ENTRIES];
    uint64_t image_l3[A64_IMAGE_L3_PAGES][A64_PTE_ENTRIES];
    uint64_t window_l2[A64_PTE_ENTRIES];
    uint64_t fixed_l2[A64_PTE_ENTRIES];
    uint64_t fixed_l3[A64_FIXED_L3_PAGES][A64_PTE_ENTRIES];
    uint64_t heap_l2[A64_PTE_ENTRIES];
    uint64_t identity_l1[A64_PTE_ENTRIES];
    uint64_t identity_l2[A64_PTE_ENTRIES];
};
extern struct a64_tables a64_tables;

/* Linker script. Page aligned; ends are exclusive. */
extern uint8_t a64_image_start[];
extern uint8_t a64_text_end[];
extern uint8_t a64_rodata_end[];
extern uint8_t a64_boot_guard[];
extern uint8_t a64_image_end[];

/* Where the image was loaded. Set once, before upcall_boot(). */
extern uint64_t a64_image_pa;

/* The address of a heap page that a table entry names. */
uint64_t *a64_hypmap_table(uint64_t pa);

#endif
#endif
