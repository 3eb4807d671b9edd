/* Grant tables: numbers and layouts of Xen's public headers (tests/abi compares). */
#ifndef ABI_XEN_GRANT_H
#define ABI_XEN_GRANT_H

#include <stdint.h>

#define GNTTABOP_MAP_GRANT_REF     0u
#define GNTTABOP_UNMAP_GRANT_REF   1u
#define GNTTABOP_SETUP_TABLE       2u
#define GNTTABOP_COPY              5u
#define GNTTABOP_QUERY_SIZE        6u
#define GNTTABOP_SET_VERSION       8u
#define GNTTABOP_GET_STATUS_FRAMES 9u
#define GNTTABOP_GET_VERSION       10u
#define GNTTABOP_SWAP_GRANT_REF    11u
#define GNTTABOP_CACHE_FLUSH       12u
#define GNTTABOPS                  13u

#define GNTST_OKAY              0
#define GNTST_GENERAL_ERROR     (-1)
#define GNTST_BAD_DOMAIN        (-2)
#define GNTST_BAD_GNTREF        (-3)
#define GNTST_BAD_HANDLE        (-4)
#define GNTST_BAD_VIRT_ADDR     (-5)
#define GNTST_PERMISSION_DENIED (-8)
#define GNTST_BAD_PAGE          (-9)
#define GNTST_BAD_COPY_ARG      (-10)
#define GNTST_EAGAIN            (-12)
#define GNTST_NO_SPACE          (-13)

/* An entry's flags, below its domid in the first word; with version 2 READING and WRITING are in the
 * status */
#define GTF_TYPE_MASK     3u
#define GTF_PERMIT_ACCESS 1u
#define GTF_READONLY      4u
#define GTF_READING       8u
#define GTF_WRITING       16u
#define GTF_SUB_PAGE      0x100u

#define GNTTAB_NR_RESERVED_ENTRIES 8u
#define GNTTAB_RESERVED_XENSTORE   1u

struct xen_grant_v1 {
    uint32_t flags_domid;
    uint32_t frame;
};

struct xen_grant_v2 {
    uint32_t flags_domid;
    uint16_t page_off;
    uint16_t length;
    uint64_t frame;
};

/* gnttab_map_grant_ref.flags; those above the mask are left to others */
#define GNTMAP_HOST_MAP 2u
#define GNTMAP_READONLY 4u
#define GNTMAP_MASK     0x1Fu

struct xen_grant_map {
    uint64_t host_addr;
    uint32_t flags;
    uint32_t ref;
    uint16_t dom; /* from here on it goes out */
    int16_t status;
    uint32_t handle;
    uint64_t dev_bus_addr;
};

struct xen_grant_unmap {
    uint64_t host_addr;
    uint64_t dev_bus_addr;
    uint32_t handle;
    int16_t status;
    uint16_t pad;
};

struct xen_grant_setup {
    uint16_t dom;
    uint16_t pad;
    uint32_t nr_frames;
    int16_t status;
    uint16_t pad2[3];
    uint64_t frame_list; /* guest virtual: frame numbers of 64 bits */
};

struct xen_grant_status_frames {
    uint32_t nr_frames;
    uint16_t dom;
    int16_t status;
    uint64_t frame_list;
};

#define GNTCOPY_SOURCE_GREF 1u
#define GNTCOPY_DEST_GREF   2u

struct xen_grant_copy_end {
    uint64_t ref; /* 32 bits of it, or all for a frame number of the caller's */
    uint16_t domid;
    uint16_t offset;
    uint32_t pad;
};

struct xen_grant_copy {
    struct xen_grant_copy_end source;
    struct xen_grant_copy_end dest;
    uint16_t len;
    uint16_t flags;
    int16_t status;
    uint16_t pad;
};

struct xen_grant_query {
    uint16_t dom;
    uint16_t pad;
    uint32_t nr_frames;
    uint32_t max_nr_frames;
    int16_t status;
    uint16_t pad2;
};

struct xen_grant_version {
    uint16_t dom;
    uint16_t pad;
    uint32_t version;
};

struct xen_grant_swap {
    uint32_t ref_a;
    uint32_t ref_b;
    int16_t status;
    uint16_t pad;
};

#define GNTTAB_CACHE_CLEAN       1u
#define GNTTAB_CACHE_INVAL       2u
#define GNTTAB_CACHE_SOURCE_GREF 0x80000000u

struct xen_grant_flush {
    uint64_t dev_bus_addr;
    uint16_t offset;
    uint16_t length;
    uint32_t op;
};

union xen_grant_op {
    uint64_t word[5];
    struct xen_grant_map map;
    struct xen_grant_unmap unmap;
    struct xen_grant_setup setup;
    struct xen_grant_copy copy;
    struct xen_grant_query query;
    uint32_t set_version;
    struct xen_grant_status_frames status_frames;
    struct xen_grant_version version;
    struct xen_grant_swap swap;
    struct xen_grant_flush flush;
};

#endif
