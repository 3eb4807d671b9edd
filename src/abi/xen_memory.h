/* memory_op: numbers and layouts of Xen's public headers (tests/abi compares). */
#ifndef ABI_XEN_MEMORY_H
#define ABI_XEN_MEMORY_H

#include <stdint.h>

#define XENMEM_INCREASE_RESERVATION  0u
#define XENMEM_DECREASE_RESERVATION  1u
#define XENMEM_MAXIMUM_RAM_PAGE      2u
#define XENMEM_CURRENT_RESERVATION   3u
#define XENMEM_MAXIMUM_RESERVATION   4u
#define XENMEM_POPULATE_PHYSMAP      6u
#define XENMEM_ADD_TO_PHYSMAP        7u
#define XENMEM_EXCHANGE              11u
#define XENMEM_MAXIMUM_GPFN          14u
#define XENMEM_REMOVE_FROM_PHYSMAP   15u
#define XENMEM_ADD_TO_PHYSMAP_BATCH  23u
#define XENMEM_CLAIM_PAGES           24u
#define XENMEM_ACQUIRE_RESOURCE      28u
#define XENMEM_OP_BITS               6u /* the rest of the command says where to go on */
#define XENMEM_OP_MASK               0x3Fu
#define XENMEMF_POPULATE_ON_DEMAND   0x10000u
#define XENMEM_RESOURCE_GRANT_TABLE  1u
#define XENMEM_RESOURCE_GRANT_STATUS 1u /* id; 0: the table itself */
#define XENMAPSPACE_SHARED_INFO      0u
#define XENMAPSPACE_GRANT_TABLE      1u
#define XENMAPSPACE_GMFN_RANGE       3u
#define XENMAPSPACE_GMFN_FOREIGN     4u
#define XENMAPSPACE_DEV_MMIO         5u

struct xen_memory_reservation {
    uint64_t extent_start; /* guest virtual, frame numbers of 64 bits */
    uint64_t nr_extents;
    uint32_t extent_order;
    uint32_t mem_flags;
    uint16_t domid;
    uint16_t pad[3];
};

struct xen_add_to_physmap {
    uint16_t domid;
    uint16_t size;
    uint32_t space;
    uint64_t idx;
    uint64_t gpfn;
};

struct xen_add_to_physmap_batch {
    uint16_t domid;
    uint16_t space;
    uint16_t size;
    uint16_t foreign_domid;
    uint64_t idxs;  /* guest virtual, of 64 bits */
    uint64_t gpfns; /* likewise */
    uint64_t errs;  /* ... of 32 */
};

struct xen_remove_from_physmap {
    uint16_t domid;
    uint16_t pad[3];
    uint64_t gpfn;
};

struct xen_mem_acquire_resource {
    uint16_t domid;
    uint16_t type;
    uint32_t id;
    uint32_t nr_frames;
    uint32_t pad;
    uint64_t frame;
    uint64_t frame_list; /* guest virtual, of 64 bits */
};

#endif
