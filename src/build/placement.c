#include "build/placement.h"

#define PLACEMENT_SECTION MIB(2)
#define PLACEMENT_USUAL   MIB(128)

bool placement_find(struct placement *p)
{
    const uint64_t modules = PLACEMENT_SECTION + bits_align_up(p->ramdisk_bytes, PLACEMENT_SECTION);
    const uint64_t bank_end = p->bank_base + p->bank_bytes;
    const uint64_t usual = p->bank_base + PLACEMENT_USUAL;
    const uint64_t top = bits_align_down(bank_end - bits_min(modules, p->bank_bytes), PLACEMENT_SECTION);
    const uint64_t below = p->kernel_base - p->bank_base;
    uint64_t at = 0;
    bool found = true;

    if ((p->ramdisk_bytes > p->bank_bytes) || (modules > p->bank_bytes)) {
        found = false;
    } else if ((p->kernel_end <= usual) && (p->bank_bytes >= (PLACEMENT_USUAL + modules))) {
        at = usual;
    } else if (top >= p->kernel_end) {
        at = top;
    } else if (below >= modules) {
        at = bits_align_down(p->kernel_base - modules, PLACEMENT_SECTION);
        found = (at >= p->bank_base);
    } else {
        found = false;
    }
    p->tree = gpa(at);
    p->ramdisk = gpa(at + PLACEMENT_SECTION);
    return found;
}
