/* [impl->req~one-file~1] */
#include "tool.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config/payload.h"
#include "lib/bits.h"

#define OWN_BYTES_MAX GIB(1u)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the payload header is written as it is in memory");

static uint64_t le_get(const uint8_t *at, unsigned int bytes)
{
    uint64_t value = 0;

    for (unsigned int i = bytes; i > 0u; i--) {
        value = (value << 8u) | at[i - 1u];
    }
    return value;
}

static void le_put(uint8_t *at, unsigned int bytes, uint64_t value)
{
    for (unsigned int i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8u * i));
    }
}

static bool is_zimage(const struct blob *image)
{
    return le_get(image->data + PAYLOAD_ZIMAGE_AT, 4) == PAYLOAD_ZIMAGE_MAGIC;
}

uint64_t hypervisor_place(const struct blob *image)
{
    return is_zimage(image) ? le_get(image->data + PAYLOAD_ZIMAGE_AT + 4u, 4) : 0u;
}

const char *hypervisor_port(const struct blob *image)
{
    const char *port = NULL;

    if (image->bytes >= PAYLOAD_OWN_AREA_END) {
        if (is_zimage(image)) {
            port = (hypervisor_place(image) == 0u) ? "armv7a" : "armv8r";
        } else {
            port = (le_get(image->data + PAYLOAD_IMAGE_MAGIC_AT, 4) == PAYLOAD_IMAGE_MAGIC) ? "arm64" : NULL;
        }
    }
    return port;
}

uint64_t hypervisor_bytes(const char *path, const struct blob *image)
{
    uint64_t own = 0;

    if (hypervisor_port(image) == NULL) {
        fprintf(stderr, TOOL_NAME ": %s: neither an arm64 Image nor an Arm zImage\n", path);
    } else if (le_get(image->data + PAYLOAD_OFFSET_AT, 8) != 0u) {
        fprintf(stderr, TOOL_NAME ": %s: has a payload already, expected the plain bulkhead.bin\n", path);
    } else {
        own = le_get(image->data + PAYLOAD_OWN_BYTES_AT, 8);
        if ((own < image->bytes) || (own > OWN_BYTES_MAX)) {
            fprintf(stderr,
                    TOOL_NAME ": %s: says it takes %" PRIu64
                              " bytes, expected %zu or more: is it Bulkhead?\n",
                    path, own, image->bytes);
            own = 0;
        }
    }
    return bits_align_up(own, PAYLOAD_ALIGN);
}

void image_pack(const struct blob *hypervisor, uint64_t own_bytes, const struct blob *tree,
                uint64_t tree_offset, const struct contents *contents, struct blob *out)
{
    struct payload_header h = { .magic = PAYLOAD_MAGIC, .version = PAYLOAD_VERSION };
    uint8_t *payload;

    h.tree_offset = tree_offset;
    h.tree_bytes = tree->bytes;
    h.total_bytes = bits_align_up(tree_offset + tree->bytes, PAYLOAD_ALIGN);
    h.modules_offset = (tree_offset == contents->end) ? PAYLOAD_ALIGN : h.total_bytes;
    h.modules_bytes = contents->end - h.modules_offset;
    h.total_bytes = bits_max(h.total_bytes, contents->end);
    h.header_crc = payload_header_crc(&h);

    out->bytes = own_bytes + h.total_bytes;
    out->data = memory_get(out->bytes);
    memcpy(out->data, hypervisor->data, hypervisor->bytes);
    if (is_zimage(hypervisor)) {
        le_put(out->data + PAYLOAD_ZIMAGE_AT + 8u, 4u, hypervisor_place(hypervisor) + out->bytes);
    } else {
        le_put(out->data + PAYLOAD_IMAGE_SIZE_AT, 8u, out->bytes);
    }
    le_put(out->data + PAYLOAD_OFFSET_AT, 8u, own_bytes);
    payload = out->data + own_bytes;
    memcpy(payload, &h, sizeof(h));
    memcpy(payload + h.tree_offset, tree->data, tree->bytes);
    for (uint32_t i = 0; i < contents->nr_items; i++) {
        memcpy(payload + contents->item[i].offset, contents->item[i].data, contents->item[i].bytes);
    }
}
