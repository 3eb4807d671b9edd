/* Into guest memory, which is seen through one window at a time. Guests start with caches off: what is
 * written is cleaned. */
#include "build/builder.h"

#include "hal/cache.h"

void *build_window(const struct domain *domain, gpa_t at, uint64_t *bytes)
{
    void *va = NULL;

    *bytes = 0u;
    for (uint32_t i = 0; (i < domain->nr_chunks) && (va == NULL); i++) {
        const struct domain_chunk *const chunk = &domain->chunk[i];

        if ((at.v >= chunk->at.v) && ((at.v - chunk->at.v) < chunk->bytes)) {
            const uint64_t offset = at.v - chunk->at.v;
            uint64_t room = 0;

            va = hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(chunk->to.v + offset), HAL_HYPMAP_RW, &room);
            *bytes = bits_min(room, chunk->bytes - offset);
        }
    }
    return va;
}

enum hv_status build_write(const struct domain *domain, gpa_t to, const void *from, uint64_t bytes)
{
    const uint8_t *const source = from;
    uint64_t done = 0;
    enum hv_status status = HV_OK;

    while ((done < bytes) && (status == HV_OK)) {
        uint64_t room = 0;
        void *const at = build_window(domain, gpa(to.v + done), &room);
        const uint64_t piece = bits_min(bits_min(room, bytes - done), BUILD_PIECE_BYTES);

        if (at == NULL) {
            status = HV_FAULT;
        } else {
            hal_cache_copy(at, &source[done], piece);
            done += piece;
            work_breathe();
        }
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    return status;
}

enum hv_status build_copy(const struct domain *domain, gpa_t to, const struct range *from)
{
    uint64_t done = 0;
    enum hv_status status = HV_OK;

    while ((done < from->bytes) && (status == HV_OK)) {
        uint64_t seen = 0;
        const void *const source =
            hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(from->base + done), HAL_HYPMAP_RO, &seen);

        status = build_write(domain, gpa(to.v + done), source, bits_min(seen, from->bytes - done));
        done += bits_min(seen, from->bytes - done);
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    return status;
}
