/* Shared memory of domains while they come and go. The owner's frames are there while it is up; else, and
 * before that, each borrower's window leads to one page of the borrower's own, over and over. Where nothing
 * can lead elsewhere (hal_guestmap_translates()) the frames stay with the borrowers; the owner's next life
 * finds them zero, and what borrowers wrote since. */
/* [impl->req~shared-memory~1] [impl->req~shared-revoked~1] */
#include "build/builder.h"

#include "base/panic.h"
#include "hal/cache.h"
#include "hal/cpu.h"
#include "hal/sync.h"
#include "mem/ram.h"

#define LINKS_PIECE_BYTES KIB(256) /* of a window are changed at a time, with interrupts masked */

/* A region's frames may be seen by its borrowers; the hypervisor's own are so from their first use on. */
enum link_state { LINK_DOWN, LINK_SCRUBBED_NOW, LINK_UP };

struct link_region {
    hpa_t base;
    volatile uint32_t state; /* enum link_state */
};

static const struct plan *links_plan;
static uint32_t link_count; /* of links_plan->shm_use */
static struct link_region link_region[PLAN_SHM_MAX];
/* By use: the page that stands in for the region, of the borrower's pool, under the borrower's lock; NULL:
 * the window is not there, or needs none. */
static void *link_stand_in[PLAN_SHM_USES_MAX];

enum hv_status build_links_setup(const struct plan *plan)
{
    enum hv_status status = HV_OK;

    links_plan = plan;
    link_count = plan->nr_shm_uses;
    for (uint32_t i = 0; (i < plan->nr_shm) && (status == HV_OK); i++) {
        const struct plan_shm *const shm = &plan->shm[i];
        const uint64_t align = (shm->host.bytes >= MIB(2)) ? MIB(2) : PAGE_BYTES;
        uint64_t bytes = 0;

        link_region[i].base = hpa(shm->host.base);
        link_region[i].state = LINK_DOWN;
        if (!shm->is_placed && (shm->host.bytes > 0u)) {
            status =
                ram_alloc(shm->host.bytes, shm->host.bytes, align, RAM_SHARED, &link_region[i].base, &bytes);
        }
        if (status != HV_OK) {
            log_line("xen,shared-mem %s: found no %U KiB of host memory in one piece, expected some", shm->id,
                     shm->host.bytes >> 10u);
        }
    }
    return status;
}

const struct plan_shm_use *build_link(const struct domain *domain, uint32_t i)
{
    const bool mine = (i < link_count) && (domain_table[links_plan->shm_use[i].domain] == domain);

    return mine ? &links_plan->shm_use[i] : NULL;
}

const char *build_link_id(const struct plan_shm_use *use)
{
    return links_plan->shm[use->shm].id;
}

const char *build_region_id(hpa_t at)
{
    const char *id = "?";

    for (uint32_t i = 0; (links_plan != NULL) && (i < links_plan->nr_shm); i++) {
        if ((at.v - link_region[i].base.v) < links_plan->shm[i].host.bytes) {
            id = links_plan->shm[i].id;
        }
    }
    return id;
}

static bool is_up(uint32_t shm)
{
    return hal_load_acquire32(&link_region[shm].state) == (uint32_t)LINK_UP;
}

/* The hypervisor's, or one that cannot be taken from borrowers */
static bool stays_up(uint32_t shm)
{
    return (links_plan->shm[shm].owner == PLAN_NO_DOMAIN) || !hal_guestmap_translates();
}

/* Leads a piece of a borrower's window to where it should lead now. Its lock is held. Nothing here can run
 * out: the tables for single pages are there. */
static void piece_lead(struct hal_guestmap *map, uint32_t i, uint64_t from, uint64_t bytes)
{
    const struct plan_shm_use *const use = &links_plan->shm_use[i];
    const bool up = is_up(use->shm);
    const uint64_t region = link_region[use->shm].base.v + use->offset;
    const hpa_t stand_in = hal_hypmap_hpa(link_stand_in[i]);
    enum hv_status status;

    if (!up && (from == 0u)) {
        hal_cache_zero(link_stand_in[i], PAGE_BYTES);
    }
    hal_guestmap_begin(map);
    status = hal_guestmap_unmap(map, gpa(use->at.v + from), bytes);
    for (uint64_t at = from; (at < (from + bytes)) && (status == HV_OK); at += PAGE_BYTES) {
        status = hal_guestmap_map(map, gpa(use->at.v + at), up ? hpa(region + at) : stand_in, PAGE_BYTES,
                                  HAL_PERM_R | HAL_PERM_W, HAL_MEM_NORMAL);
    }
    hal_guestmap_end(map);
    ASSERT(status == HV_OK);
}

/* The whole window. Whoever changes a region's state does this afterwards for all windows, and each piece is
 * decided with the lock: the last one is right. A vCPU that is just there tries again. */
static void window_lead(uint32_t i)
{
    const uint64_t bytes = links_plan->shm_use[i].bytes;
    struct domain *const domain = domain_table[links_plan->shm_use[i].domain];

    for (uint64_t done = 0; done < bytes; done += LINKS_PIECE_BYTES) {
        const uint64_t flags = spin_lock(&domain->lock);

        if (link_stand_in[i] != NULL) {
            piece_lead(&domain->hal.map, i, done, bits_min(bytes - done, LINKS_PIECE_BYTES));
        }
        spin_unlock(&domain->lock, flags);
        work_breathe();
    }
}

static void region_set(uint32_t shm, enum link_state state)
{
    hal_store_release32(&link_region[shm].state, (uint32_t)state);
    hal_barrier();
    for (uint32_t i = 0; i < link_count; i++) {
        if (links_plan->shm_use[i].shm == shm) {
            window_lead(i);
        }
    }
}

/* A region that nobody's life ends is zero once, before its first user has it; a second one waits as long as
 * another CPU scrubs. */
static void region_begin(uint32_t shm)
{
    struct link_region *const region = &link_region[shm];

    if (hal_compare_swap32(&region->state, (uint32_t)LINK_DOWN, (uint32_t)LINK_SCRUBBED_NOW)) {
        build_scrub(region->base, links_plan->shm[shm].host.bytes);
        hal_store_release32(&region->state, (uint32_t)LINK_UP);
    }
    while (!is_up(shm)) {
        hal_cpu_relax();
        work_breathe();
    }
}

/* In single pages, so that no table is needed when it has to lead elsewhere. */
static enum hv_status borrow(struct domain *domain, uint32_t i)
{
    const struct plan_shm_use *const use = &links_plan->shm_use[i];
    void *const page = pool_alloc(&domain->pool);
    enum hv_status status = (page != NULL) ? HV_OK : HV_NO_MEMORY;

    for (uint64_t done = 0; (done < use->bytes) && (status == HV_OK); done += PAGE_BYTES) {
        status = hal_guestmap_map(&domain->hal.map, gpa(use->at.v + done), hal_hypmap_hpa(page), PAGE_BYTES,
                                  HAL_PERM_R | HAL_PERM_W, HAL_MEM_NORMAL);
        work_breathe();
    }
    if (status == HV_OK) {
        const uint64_t flags = spin_lock(&domain->lock);

        link_stand_in[i] = page; /* from now on others lead it */
        spin_unlock(&domain->lock, flags);
        window_lead(i);
    } else if (page != NULL) {
        pool_free(&domain->pool, page); /* the map goes too */
    } else {
        /* there was none */
    }
    return status;
}

static enum hv_status link_make(struct domain *domain, uint32_t i)
{
    const struct plan_shm_use *const use = &links_plan->shm_use[i];
    const struct plan_shm *const shm = &links_plan->shm[use->shm];
    const bool owns = (shm->owner == use->domain);
    const bool stays = stays_up(use->shm);
    enum hv_status status = HV_OK;

    if (stays) {
        region_begin(use->shm);
    }
    if (owns) {
        build_scrub(link_region[use->shm].base, shm->host.bytes);
    }
    if (owns || stays) {
        status = hal_guestmap_map(&domain->hal.map, use->at, hpa(link_region[use->shm].base.v + use->offset),
                                  use->bytes, HAL_PERM_R | HAL_PERM_W, HAL_MEM_NORMAL);
    } else {
        status = borrow(domain, i);
    }
    if ((status == HV_OK) && owns && !stays) {
        region_set(use->shm, LINK_UP);
    }
    return status;
}

enum hv_status build_links(struct domain *domain)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; (i < link_count) && (status == HV_OK); i++) {
        if (build_link(domain, i) != NULL) {
            status = link_make(domain, i);
        }
    }
    if (status != HV_OK) {
        log_line("/chosen/%s: xen,shared-mem: %s", domain->plan->name,
                 (status == HV_NO_MEMORY)
                     ? "found no more pages in xen,domain-p2m-mem-mb, expected some"
                     : "found an address that this CPU cannot give it, expected a lower one");
    }
    return status;
}

void build_links_undo(struct domain *domain)
{
    for (uint32_t i = 0; i < link_count; i++) {
        const struct plan_shm_use *const use = build_link(domain, i);

        if (use != NULL) {
            const uint64_t flags = spin_lock(&domain->lock);
            void *const page = link_stand_in[i];

            link_stand_in[i] = NULL;
            spin_unlock(&domain->lock, flags);
            if (page != NULL) { /* no vCPU and no device of the domain runs */
                pool_free(&domain->pool, page);
            }
            if ((links_plan->shm[use->shm].owner == use->domain) && is_up(use->shm) && !stays_up(use->shm)) {
                region_set(use->shm, LINK_DOWN);
            }
        }
    }
}
