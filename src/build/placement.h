/* Where a guest's device tree and ramdisk go. Pure. */
#ifndef BUILD_PLACEMENT_H
#define BUILD_PLACEMENT_H

#include "hal/types.h"

struct placement {
    uint64_t bank_base; /* a bank of memory, guest physical, a multiple of 2 MiB */
    uint64_t bank_bytes;
    uint64_t kernel_base; /* inside the bank; base and end are the bank's base if it is elsewhere */
    uint64_t kernel_end;
    uint64_t ramdisk_bytes; /* 0 = none */
    /* found */
    gpa_t tree;
    gpa_t ramdisk;
};

/* Tree and ramdisk each take a multiple of 2 MiB, the tree first: at 128 MiB into the bank if the bank has
 * the room and the kernel ends below; else at the end of the bank; else just below the kernel. False if none
 * of these works. The tree has 2 MiB. */
bool placement_find(struct placement *p);

#endif
