#include "config/payload.h"

#include <stdbool.h>

#include "lib/crc32.h"
#include "lib/string.h"

uint32_t payload_header_crc(const struct payload_header *header)
{
    struct payload_header copy = *header;
    const void *const bytes = &copy;

    copy.header_crc = 0;
    return crc32_update(0u, bytes, sizeof(copy));
}

/* Whether a part lies behind the header and inside the whole. */
static bool part_good(const struct payload_header *h, uint64_t offset, uint64_t bytes)
{
    return (offset >= PAYLOAD_ALIGN) && (offset <= h->total_bytes) && (bytes <= (h->total_bytes - offset));
}

enum hv_status payload_check(const void *header, uint64_t bytes, struct payload_header *out)
{
    enum hv_status status = HV_CORRUPT;

    if (bytes >= sizeof(*out)) {
        (void)memcpy(out, header, sizeof(*out));
        if (out->magic != PAYLOAD_MAGIC) {
            status = HV_NOT_FOUND;
        } else if ((out->version == PAYLOAD_VERSION) && (out->header_crc == payload_header_crc(out)) &&
                   (out->total_bytes <= bytes) && ((out->tree_offset % PAYLOAD_TREE_ALIGN) == 0u) &&
                   (out->tree_bytes > 0u) && part_good(out, out->tree_offset, out->tree_bytes) &&
                   ((out->modules_offset % PAYLOAD_ALIGN) == 0u) &&
                   part_good(out, out->modules_offset, out->modules_bytes)) {
            status = HV_OK;
        } else {
            status = HV_CORRUPT;
        }
    }
    return status;
}
