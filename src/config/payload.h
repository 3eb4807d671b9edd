/* The one-file image that bulkhead-image writes:
 *   the hypervisor, a Linux arm64 Image or an Arm zImage (32-bit ports), padded to the size that it needs
 *   with .bss, rounded up to 4 KiB
 *   one page with struct payload_header
 *   the device tree, at a multiple of 8 bytes, board and system merged
 *   the modules, each at a multiple of 4 KiB
 * Two words behind the hypervisor's Image header lead to it. All numbers are little-endian; offsets in
 * the header count from the header's first byte. In the tree a module has `bulkhead,image-offset` and
 * `bulkhead,image-bytes`, two cells each. Pure code, used by the hypervisor and the tool. */
#ifndef CONFIG_PAYLOAD_H
#define CONFIG_PAYLOAD_H

#include <stdint.h>

#include "lib/status.h"

/* In the hypervisor's image, from its first byte */
#define PAYLOAD_IMAGE_SIZE_AT  0x10u /* u64 of the arm64 Image header; the tool raises it to the whole file */
#define PAYLOAD_IMAGE_MAGIC_AT 0x38u
#define PAYLOAD_IMAGE_MAGIC    0x644D5241u
/* A zImage's: u32 magic, where it runs (0: anywhere), where it ends, which the tool raises too */
#define PAYLOAD_ZIMAGE_AT    0x24u
#define PAYLOAD_ZIMAGE_MAGIC 0x016F2818u
#define PAYLOAD_OWN_BYTES_AT 0x40u /* u64, by the linker: bytes with .bss */
#define PAYLOAD_OFFSET_AT    0x48u /* u64, by the tool: where the payload header is; 0 = there is none */
#define PAYLOAD_OWN_AREA_END 0x50u

#define PAYLOAD_MAGIC      0x444145484B4C5542ULL /* "BULKHEAD" */
#define PAYLOAD_VERSION    1u
#define PAYLOAD_ALIGN      4096u
#define PAYLOAD_TREE_ALIGN 8u

struct payload_header {
    uint64_t magic;
    uint32_t version;
    uint32_t header_crc; /* CRC-32 of this struct with this field 0 */
    uint64_t
        total_bytes; /* from the header's first byte to the end of the last module, a multiple of 4 KiB */
    uint64_t tree_offset;
    uint64_t tree_bytes;
    uint64_t modules_offset;
    uint64_t modules_bytes; /* 0 = none */
};

_Static_assert(sizeof(struct payload_header) == 56u, "the layout is a file format");

/* Checks what lies at `header`, of which `bytes` are readable, and copies it to *out. HV_NOT_FOUND: no
 * magic; HV_CORRUPT otherwise. What the tree says about modules is checked with the tree. */
HV_MUST_CHECK enum hv_status payload_check(const void *header, uint64_t bytes, struct payload_header *out);

/* The header's checksum, for the one who writes it. */
uint32_t payload_header_crc(const struct payload_header *header);

#endif
