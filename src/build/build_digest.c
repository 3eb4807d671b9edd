/* A module that changed since it was packed is not booted. */
/* [impl->req~module-digest~1] */
#include "build/builder.h"

#include <sha2.h>

#include "hal/cpu.h"

#define DIGEST_PIECE_BYTES 16384u /* SHA-256 takes some hundred microseconds for it */
#define CRC_BYTES          4u

static bool matches(const struct plan_module *module)
{
    const bool sha = (CONFIG_STATIC == 0) && (module->digest == PLAN_DIGEST_SHA256);
    uint8_t is[PLAN_DIGEST_MAX];
    SHA2_CTX state;
    uint32_t crc = 0;
    uint64_t done = 0;

    if (sha) {
        SHA256Init(&state);
    }
    while (done < module->bytes) {
        uint64_t room = 0;
        const void *const at =
            hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(module->base.v + done), HAL_HYPMAP_RO, &room);
        const uint64_t piece = bits_min(bits_min(room, module->bytes - done), DIGEST_PIECE_BYTES);

        if (sha) {
            SHA256Update(&state, at, (size_t)piece);
        } else {
            crc = hal_cpu_crc32c(crc, at, piece);
        }
        done += piece;
        work_breathe();
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    if (sha) {
        SHA256Final(is, &state);
    } else {
        for (uint32_t i = 0; i < CRC_BYTES; i++) {
            is[i] = (uint8_t)(crc >> (24u - (8u * i)));
        }
    }
    return memcmp(is, module->digest_is, sha ? PLAN_DIGEST_MAX : CRC_BYTES) == 0;
}

static enum hv_status check(const struct domain *domain, const struct plan_module *module)
{
    enum hv_status status = HV_OK;

    if ((module->digest != PLAN_DIGEST_NONE) && !matches(module)) {
        status = HV_CORRUPT;
        log_line("/chosen/%s/%s: found contents that its digest does not match, expected what "
                 "bulkhead-image packed",
                 domain->plan->name, module->name);
    }
    return status;
}

enum hv_status build_check_modules(const struct domain *domain)
{
    const enum hv_status kernel = check(domain, &domain->plan->kernel);
    const enum hv_status ramdisk = check(domain, &domain->plan->ramdisk);
    const enum hv_status partial = check(domain, &domain->plan->partial);
    const enum hv_status first = (kernel != HV_OK) ? kernel : ramdisk;

    return (first != HV_OK) ? first : partial;
}
