/* Guest RAM as seen by the hypervisor: through the trap window, a piece at a time. The domain's list of
 * chunks says what is RAM; its map may lead to devices as well. */
#include "domain/domain.h"
#include "hal/hypmap.h"
#include "lib/string.h"

#define COPY_MAX KIB(64)

/* Bounded by DOMAIN_CHUNKS_MAX. */
bool domain_has_page(const struct domain *domain, uint64_t gfn)
{
    bool found = false;

    for (uint32_t i = 0; i < domain->nr_chunks; i++) {
        const struct domain_chunk *const chunk = &domain->chunk[i];

        found = found || ((gfn - (chunk->at.v >> PAGE_SHIFT)) < (chunk->bytes >> PAGE_SHIFT));
    }
    return found;
}

static inline bool chunk_holds(const struct domain_chunk *chunk, hpa_t at)
{
    return (at.v - chunk->to.v) < chunk->bytes; /* wraps below and is too large then */
}

/* Bounded by DOMAIN_CHUNKS_MAX. */
static __attribute__((noinline)) bool is_own_elsewhere(const struct domain *domain, hpa_t at)
{
    bool own = chunk_holds(&domain->shared, at);

    for (uint32_t i = 1; (i < domain->nr_chunks) && !own; i++) {
        own = chunk_holds(&domain->chunk[i], at);
    }
    if ((CONFIG_CONTROL != 0) && (domain->blocks != NULL) && !own) {
        own = (blocks_owner(at) == domain->blocks->owner);
    }
    return own;
}

/* A domain that runs has at least one chunk, most no other; or it has blocks, and chunk[0] is empty. */
static inline bool is_own(const struct domain *domain, hpa_t at)
{
    return chunk_holds(&domain->chunk[0], at) || is_own_elsewhere(domain, at);
}

/* What is not there may only be so while another CPU changes the map, which it does with the domain's
 * lock. */
static __attribute__((noinline)) hpa_t reach_again(const struct vcpu *vcpu, uint64_t va, bool write)
{
    const uint64_t flags = spin_lock(&vcpu->domain->lock);
    const hpa_t at = hal_vcpu_reach(&vcpu->hal, va, write);

    spin_unlock(&vcpu->domain->lock, flags);
    return is_own(vcpu->domain, at) ? at : hpa(HAL_NOWHERE);
}

/* No chunk holds HAL_NOWHERE. */
static inline hpa_t reach(const struct vcpu *vcpu, uint64_t va, bool write)
{
    const hpa_t at = hal_vcpu_reach(&vcpu->hal, va, write);

    return is_own(vcpu->domain, at) ? at : reach_again(vcpu, va, write);
}

hpa_t domain_reach_guest(const struct vcpu *vcpu, uint64_t va, uint64_t bytes)
{
    const hpa_t first = reach(vcpu, va, true);
    const hpa_t last = reach(vcpu, va + (bytes - 1u), true);
    const bool whole = (last.v - first.v) == (bytes - 1u);
    const bool one = (first.v / HAL_WINDOW_BYTES) == (last.v / HAL_WINDOW_BYTES);

    return (whole && one && (first.v != HAL_NOWHERE)) ? first : hpa(HAL_NOWHERE);
}

int64_t domain_read_guest_word(struct vcpu *vcpu, uint64_t from)
{
    const hpa_t at = ((from % sizeof(uint32_t)) == 0u) ? reach(vcpu, from, false) : hpa(HAL_NOWHERE);

    return (at.v != HAL_NOWHERE) ? (int64_t)hal_hypmap_peek(at) : -1;
}

void *domain_guest_window(struct vcpu *vcpu, uint64_t va, uint64_t bytes)
{
    const hpa_t at = (((va % PAGE_BYTES) + bytes) <= PAGE_BYTES) ? reach(vcpu, va, true) : hpa(HAL_NOWHERE);
    uint64_t room = 0;

    return (at.v != HAL_NOWHERE) ? hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RW, &room) : NULL;
}

/* Page by page, each of which is in one window: at most COPY_MAX / PAGE_BYTES + 1. */
enum hv_status domain_copy_guest(const struct vcpu *vcpu, uint64_t va, uint8_t *into, const uint8_t *from,
                                 uint64_t bytes)
{
    enum hv_status status = (bytes <= COPY_MAX) ? HV_OK : HV_INVALID;
    uint64_t piece = 0;

    for (uint64_t done = 0; (done < bytes) && (status == HV_OK); done += piece) {
        const hpa_t at = reach(vcpu, va + done, from != NULL);
        uint64_t room = 0;

        piece = bits_min(bytes - done, PAGE_BYTES - ((va + done) % PAGE_BYTES));
        if (at.v == HAL_NOWHERE) {
            status = HV_FAULT;
        } else if (from != NULL) {
            (void)memcpy(hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RW, &room), &from[done],
                         (size_t)piece);
        } else {
            (void)memcpy(&into[done], hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RO, &room),
                         (size_t)piece);
        }
        hal_hypmap_window_close(HAL_WINDOW_TRAP);
    }
    return status;
}
