/* A domain's memory: pieces of host RAM, scrubbed before they are given and after they came back. */
/* [impl->req~memory-scrubbed~1] [impl->req~memory-vouched~1] */
#include "build/builder.h"

#include "base/percpu.h"
#include "domain/p2m.h"
#include "hal/cache.h"
#include "hal/sync.h"
#include "mem/ram.h"

static bool vouched;               /* memory that nobody had is zero */
static volatile uint32_t returned; /* 0: all free memory is such */

/* Zeroes host memory, or cleans it as it is. */
static void clean(hpa_t base, uint64_t bytes, bool zero)
{
    uint64_t done = 0;

    while (done < bytes) {
        uint64_t room = 0;
        void *const at = hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(base.v + done),
                                           zero ? HAL_HYPMAP_RW : HAL_HYPMAP_RO, &room);
        const uint64_t piece = bits_min(bits_min(room, bytes - done), BUILD_PIECE_BYTES);

        if (zero) {
            hal_cache_zero(at, piece);
        } else {
            hal_cache_clean(at, piece);
        }
        done += piece;
        work_breathe();
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
}

void build_scrub(hpa_t base, uint64_t bytes)
{
    clean(base, bytes, true);
}

/* -- Blocks of domains that tools make -- */

#define GIVES 32u /* blocks given back at a time, with interrupts masked */

static struct scrubber {
    struct work work; /* first */
    volatile uint32_t busy;
    uint32_t first; /* of a list of blocks */
    uint64_t cpus;  /* to be visited before anything is done with these */
} scrubber;

/* Where a vCPU may be in a call, and still know a frame by an address from before it went out. */
static uint64_t callers(void)
{
    uint64_t cpus = 0;

    for (uint32_t i = 0; i < domain_count; i++) {
        const struct domain *const d = domain_table[i];

        for (uint32_t v = 0; (v < d->nr_vcpus) && (d->events != NULL); v++) {
            cpus |=
                (hal_load_acquire32(&d->vcpu[v]->on_cpu) != 0u) ? BIT64(d->vcpu[v]->cpu % HV_CPUS_MAX) : 0u;
        }
    }
    return cpus;
}

/* Hops from CPU to CPU: each of them has left the call that it was in, if any, once its worker runs. Then
 * zeroes. */
/* [impl->req~memory-changes-hands~1] */
static void scrub_run(struct work *work)
{
    struct scrubber *const s = &scrubber;

    if (!hal_compare_swap32(&s->busy, 0u, 1u)) {
        return; /* who is at it looks again in the end */
    }
    if (s->first == 0u) {
        s->first = blocks_dirty();
        s->cpus = (s->first != 0u) ? callers() : 0u;
    }
    s->cpus &= percpu_online() & ~BIT64(cpu_id());
    const uint64_t cpus = s->cpus;

    while ((cpus == 0u) && (s->first != 0u)) { /* as many as there are */
        build_scrub(blocks_at(s->first), BLOCK_BYTES);
        s->first = blocks_clean(s->first);
    }
    hal_store_release32(&s->busy, 0u);
    if (cpus != 0u) {
        work_queue(work, (uint32_t)__builtin_ctzll(cpus));
    } else if (blocks_dirty_bytes() != 0u) {
        work_queue(work, WORK_ANY_CPU);
    } else {
        /* all is zero */
    }
}

static void scrub_wanted(void)
{
    work_queue(&scrubber.work, WORK_ANY_CPU);
}

static bool makes_domains(const struct plan *plan)
{
    bool makes = plan->spares.nr > 0u;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        makes = makes || plan->domain[i].spare;
    }
    return (CONFIG_CONTROL != 0) && makes && (plan->nr_ram > 0u);
}

/* Static memory of domains that tools make */
static enum hv_status static_set_aside(const struct plan *plan)
{
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        for (uint32_t r = 0; d->spare && (r < d->nr_static) && (status == HV_OK); r++) {
            const struct range *const range = &plan->static_mem[d->static_first + r];

            status = blocks_set_aside(range->base, range->bytes, i + 1u);
        }
    }
    return status;
}

static uint64_t ram_end(const struct plan *plan)
{
    return plan->ram[plan->nr_ram - 1u].base + plan->ram[plan->nr_ram - 1u].bytes;
}

uint64_t build_memory_pages(const struct plan *plan)
{
    return makes_domains(plan) ? blocks_heap_pages(plan->ram[0].base, ram_end(plan)) : 0u;
}

enum hv_status build_memory_setup(const struct plan *plan)
{
    vouched = plan->clean_memory;
    returned = 0u;
    (void)memset(&scrubber, 0, sizeof(scrubber));
    work_setup(&scrubber.work, scrub_run);
    enum hv_status status = HV_OK;

    if (makes_domains(plan)) {
        status = blocks_setup(plan->ram[0].base, ram_end(plan), vouched, scrub_wanted);
    }
    return (status == HV_OK) ? static_set_aside(plan) : status;
}

bool build_has_booted(void)
{
    bool all = true;

    for (uint32_t i = 0; i < domain_count; i++) {
        const struct domain *const d = domain_table[i];
        const bool first =
            (d->state == DOMAIN_NEW) || ((d->state == DOMAIN_BUILDING) && (d->nr_restarts == 0u));

        all = all && (d->plan->spare || !first);
    }
    return all;
}

static enum hv_status blocks_begin(struct domain *domain)
{
    struct block_set *const set = &build_slot_of(domain)->blocks;

    *set = (struct block_set){ .owner = domain->index + 1u, .apart = domain->plan->nr_static > 0u };
    domain->blocks = set;
    return build_has_booted() ? HV_OK : HV_BUSY;
}

static void blocks_end(struct domain *domain)
{
    bool more = true;

    for (uint32_t i = 0; i < domain->nr_vcpus; i++) { /* nobody runs: it is written to no more */
        volatile uint64_t *const area = &domain->vcpu[i]->runstate.area;

        if (*area != 0u) {
            p2m_let_go(domain, hpa(*area - 1u));
            *area = 0u;
        }
    }
    while (more) {
        const uint64_t flags = spin_lock(&domain->lock);

        more = blocks_give(domain->blocks, GIVES);
        spin_unlock(&domain->lock, flags);
        work_breathe();
    }
}

/* -- Chunks -- */

/* The largest piece, as a multiple of 2 MiB so that the next piece starts aligned too. Another build may
 * be quicker. */
static enum hv_status take_large(uint64_t want, uint32_t owner, hpa_t *base, uint64_t *bytes)
{
    enum hv_status status = ram_alloc(want, MIB(2), MIB(2), owner, base, bytes);

    if ((status == HV_OK) && ((*bytes % MIB(2)) != 0u)) {
        const uint64_t keep = bits_align_down(*bytes, MIB(2));

        ram_release(*base, *bytes, owner);
        status = ram_alloc(keep, keep, MIB(2), owner, base, bytes);
    }
    return status;
}

/* The best piece of at most `want` bytes: whole and aligned so that the largest blocks can map it; then
 * whole and less aligned; then what there is. */
static enum hv_status take_piece(uint64_t want, uint32_t owner, hpa_t *base, uint64_t *bytes)
{
    static const uint64_t whole_align[] = { GIB(1), MIB(2), PAGE_BYTES };
    enum hv_status status = HV_NO_MEMORY;

    for (uint32_t i = 0; (i < ARRAY_LEN(whole_align)) && (status != HV_OK); i++) {
        if (want >= whole_align[i]) {
            status = ram_alloc(want, want, whole_align[i], owner, base, bytes);
        }
    }
    if (status != HV_OK) {
        status = take_large(want, owner, base, bytes);
    }
    if (status != HV_OK) {
        status = ram_alloc(want, PAGE_BYTES, PAGE_BYTES, owner, base, bytes);
    }
    return status;
}

/* Memory that nobody has had since the start may be known to be zero. */
static void scrub_new(const struct domain_chunk *chunk)
{
    if (!vouched || (hal_load_acquire32(&returned) != 0u)) {
        build_scrub(chunk->to, chunk->bytes);
    }
}

static enum hv_status fill_bank(struct domain *domain, gpa_t bank, uint64_t bytes)
{
    const uint32_t owner = RAM_OWNER_DOMAIN + domain->id;
    uint64_t done = 0;
    enum hv_status status = HV_OK;

    if (makes_domains(build_plan()) && (ram_bytes(RAM_FREE) < bytes)) {
        blocks_yield();
    }
    while ((done < bytes) && (status == HV_OK)) {
        struct domain_chunk *const chunk = &domain->chunk[domain->nr_chunks];

        if (domain->nr_chunks == DOMAIN_CHUNKS_MAX) {
            log_line("/chosen/%s: memory: found host memory in more than %u free pieces, expected fewer",
                     domain->plan->name, DOMAIN_CHUNKS_MAX);
            status = HV_LIMIT;
        } else {
            status = take_piece(bytes - done, owner, &chunk->to, &chunk->bytes);
        }
        if (status == HV_OK) {
            chunk->at = gpa(bank.v + done);
            done += chunk->bytes;
            domain->nr_chunks++;
            scrub_new(chunk);
        } else if (status == HV_NO_MEMORY) {
            log_line("/chosen/%s: memory: found %U KiB of host memory free, expected %U more",
                     domain->plan->name, ram_bytes(RAM_FREE) >> 10u, (bytes - done) >> 10u);
        } else {
            /* logged */
        }
    }
    return status;
}

/* The bank that the kernel goes to. What of its module may stay where it lies is taken for the memory
 * there. */
static enum hv_status fill_first(struct domain *domain, const struct range *bank)
{
    struct range *const in_place = &build_slot_of(domain)->in_place;
    struct domain_chunk found = { { 0u }, { 0u }, 0u };
    uint64_t done = 0;
    enum hv_status status = HV_OK;

    if (build_in_place(domain, &found)) {
        done = found.at.v - bank->base;
        status = fill_bank(domain, gpa(bank->base), done);
        if ((status == HV_OK) && (domain->nr_chunks < DOMAIN_CHUNKS_MAX) &&
            (ram_pass(found.to, found.bytes, RAM_MODULE, RAM_OWNER_DOMAIN + domain->id) == HV_OK)) {
            domain->chunk[domain->nr_chunks] = found;
            domain->nr_chunks++;
            in_place->base = found.to.v;
            in_place->bytes = found.bytes;
            clean(found.to, found.bytes, false);
            done += found.bytes;
        }
    }
    return (status == HV_OK) ? fill_bank(domain, gpa(bank->base + done), bank->bytes - done) : status;
}

/* The ranges of its own, one behind the other in its banks. With a direct map each is a bank. */
/* [impl->req~static-memory~1] */
static enum hv_status take_static(struct domain *domain)
{
    const struct plan_domain *const plan = domain->plan;
    struct range bank = { 0u, 0u };
    uint32_t nr_banks = 0;
    enum hv_status status = HV_OK;

    for (uint32_t i = 0; i < plan->nr_static; i++) {
        const struct range *const r = &build_plan()->static_mem[plan->static_first + i];
        uint64_t done = 0;

        while ((done < r->bytes) && (status == HV_OK)) { /* once, or twice at the end of a bank */
            struct domain_chunk *const chunk = &domain->chunk[domain->nr_chunks];

            if (bank.bytes == 0u) {
                status = layout_bank(build_plan(), plan, nr_banks, &bank) ? HV_OK : HV_INVALID;
                nr_banks++;
            }
            chunk->at = gpa(bank.base);
            chunk->to = hpa(r->base + done);
            chunk->bytes = bits_min(bank.bytes, r->bytes - done);
            bank.base += chunk->bytes;
            bank.bytes -= chunk->bytes;
            done += chunk->bytes;
            domain->nr_chunks++;
            scrub_new(chunk);
        }
    }
    return status;
}

enum hv_status build_reserve(struct domain *domain)
{
    struct range bank = { 0u, 0u };
    const bool keeps = (domain->nr_chunks > 0u);
    enum hv_status status = HV_OK;

    if ((CONFIG_CONTROL != 0) && domain->plan->spare) {
        status = blocks_begin(domain);
    } else if (keeps) {
        for (uint32_t i = 0; i < domain->nr_chunks; i++) {
            build_scrub(domain->chunk[i].to, domain->chunk[i].bytes);
        }
    } else if (domain->plan->nr_static > 0u) {
        status = take_static(domain);
    } else {
        for (uint32_t i = 0; (status == HV_OK) && layout_bank(build_plan(), domain->plan, i, &bank); i++) {
            status = (i == 0u) ? fill_first(domain, &bank) : fill_bank(domain, gpa(bank.base), bank.bytes);
        }
    }
    return status;
}

void build_release(struct domain *domain)
{
    if ((CONFIG_CONTROL != 0) && (domain->blocks != NULL)) {
        blocks_end(domain);
    }
    while (domain->nr_chunks > 0u) {
        const struct domain_chunk *const chunk = &domain->chunk[domain->nr_chunks - 1u];

        build_scrub(chunk->to, chunk->bytes);
        hal_store_release32(&returned, 1u); /* before anybody can take it */
        blocks_doubt();
        if (domain->plan->nr_static == 0u) {
            ram_release(chunk->to, chunk->bytes, RAM_OWNER_DOMAIN + domain->id);
        }
        domain->nr_chunks--;
    }
}

static bool has_streams(const struct domain *domain)
{
    bool found = false;

    for (uint32_t i = 0; (CONFIG_IOMMU != 0) && (i < build_plan()->nr_streams); i++) {
        found = found || build_is_its(domain, build_plan()->stream[i].domain);
    }
    return found;
}

enum hv_status build_map(struct domain *domain)
{
    const struct plan_domain *const plan = domain->plan;
    const uint16_t map_id = (uint16_t)(domain->index + 1u);
    const struct hal_domain_config config = { plan->nr_vcpus, plan->nr_spis, map_id, plan->direct_map };
    enum hv_status status = hal_domain_init(&domain->hal, &config);

    build_slot_of(domain)->has_map = (status == HV_OK);
    for (uint32_t i = 0; (i < domain->nr_chunks) && (status == HV_OK); i++) {
        const struct domain_chunk *const chunk = &domain->chunk[i];

        status = hal_guestmap_map(&domain->hal.map, chunk->at, chunk->to, chunk->bytes, HAL_PERM_RWX,
                                  HAL_MEM_NORMAL);
        work_breathe();
    }
    if ((CONFIG_LINKS != 0) && (status == HV_OK)) {
        status = p2m_begin(domain, plan->host_memory && has_streams(domain));
    }
    if (status == HV_NO_MEMORY) {
        log_line("/chosen/%s: xen,domain-p2m-mem-mb: found %U KiB, expected more for this domain's tables",
                 plan->name, plan->pool_bytes >> 10u);
    }
    return status;
}

void build_unmap(struct domain *domain)
{
    struct build_slot *const slot = build_slot_of(domain);

    if (slot->has_map) {
        if (CONFIG_LINKS != 0) {
            p2m_revoke(domain, work_breathe);
            p2m_reset(domain);
        }
        hal_domain_destroy(&domain->hal);
        slot->has_map = false;
    }
}
