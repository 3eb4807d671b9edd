/* The header of the one-file image, as it is and with its checksum made right.
 * [test->req~input-never-panics~1] */
#include <string.h>

#include "config/payload.h"
#include "fuzz.h"

static bool inside(const struct payload_header *h, uint64_t offset, uint64_t bytes)
{
    return (offset >= sizeof(*h)) && (bytes <= h->total_bytes) && (offset <= (h->total_bytes - bytes));
}

static void check(const uint8_t *header, uint64_t bytes)
{
    struct payload_header h;

    if (payload_check(header, bytes, &h) == HV_OK) {
        FUZZ_MUST((h.magic == PAYLOAD_MAGIC) && (h.version == PAYLOAD_VERSION));
        FUZZ_MUST((h.total_bytes <= bytes) && ((h.tree_offset % PAYLOAD_TREE_ALIGN) == 0u));
        FUZZ_MUST(inside(&h, h.tree_offset, h.tree_bytes) && inside(&h, h.modules_offset, h.modules_bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint8_t *const copy = malloc((bytes > 0u) ? bytes : 1u);
    struct payload_header h;

    (void)memcpy(copy, data, bytes);
    check(copy, bytes);
    if (bytes >= sizeof(h)) { /* what follows the header is said to be there */
        check(copy, UINT64_MAX);
        (void)memcpy(&h, copy, sizeof(h));
        h.magic = PAYLOAD_MAGIC;
        h.version = PAYLOAD_VERSION;
        h.header_crc = payload_header_crc(&h);
        (void)memcpy(copy, &h, sizeof(h));
        check(copy, UINT64_MAX);
        check(copy, 1u << 20u);
    }
    free(copy);
    return 0;
}
