/* What a module's bytes are known by later. */
#include "tool.h"

#include <sha2.h>
#include <string.h>

#include "lib/crc32c.h"

const char *digest_property(enum plan_digest kind)
{
    return (kind == PLAN_DIGEST_SHA256) ? "bulkhead,sha256" : "bulkhead,crc32c";
}

uint32_t digest_make(enum plan_digest kind, const uint8_t *data, uint64_t bytes, uint8_t out[PLAN_DIGEST_MAX])
{
    uint32_t made = SHA256_DIGEST_LENGTH;

    if (kind == PLAN_DIGEST_SHA256) {
        SHA2_CTX state;

        SHA256Init(&state);
        SHA256Update(&state, data, bytes);
        SHA256Final(out, &state);
    } else {
        const uint32_t crc = crc32c_update(0u, data, bytes);

        made = sizeof(crc);
        for (uint32_t i = 0; i < made; i++) {
            out[i] = (uint8_t)(crc >> (24u - (8u * i)));
        }
    }
    return made;
}

/* The plan's strings point into the tree. */
static uint32_t node_of(const struct dt_index *ix, const struct plan_module *module)
{
    uint32_t node = 0;

    while (((node + 1u) < ix->nr_nodes) && (dt_name(ix, node) != module->name)) {
        node++;
    }
    return node;
}

void digest_check(struct config_report *report, const struct plan_module *module, const uint8_t *data)
{
    uint8_t is[PLAN_DIGEST_MAX];
    const uint32_t bytes = digest_make(module->digest, data, module->bytes, is);

    if (memcmp(is, module->digest_is, bytes) != 0) {
        char text[(2u * PLAN_DIGEST_MAX) + 32u];
        struct fmt_buf expected;

        fmt_init(&expected, text, sizeof(text));
        for (uint32_t i = 0; i < bytes; i++) {
            fmt_hex_width(&expected, is[i], 2u);
        }
        fmt_str(&expected, ", which its data gives");
        config_fault_prop(report, node_of(report->index, module), digest_property(module->digest), text);
    }
}
