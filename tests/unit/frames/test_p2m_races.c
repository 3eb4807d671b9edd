/* A domain gives pages away and populates them again and restarts again and again, while two others map its
 * memory and unmap it. When its memory is scrubbed, or a frame is populated, nobody's map may lead there.
 * [test->req~foreign-revoked~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/panic.h"
#include "domain/p2m.h"
#include "hal/cache.h"
#include "hal/hypmap.h"
#include "mem/blocks.h"
#include "mem/heap.h"
#include "mem/ram.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define DOMAINS  3u /* the first is who owns what the others map */
#define GFNS     128u
#define FRAMES   32u /* of each domain: its first gfns */
#define FRAME(d) (0x10000000ULL + ((uint64_t)(d) * 0x100000u))
#define ROUNDS   40000u
#define RESTARTS 400u

static struct domain domains[DOMAINS];
static struct plan_domain plan[DOMAINS];
struct domain *domain_table[HV_DOMAINS_MAX];
uint32_t domain_count = DOMAINS;
/* Stage 2: frame and permissions */
static volatile uint64_t leaf[DOMAINS][GFNS];
static pthread_rwlock_t life = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP; /* the owner runs */
static volatile uint32_t rounds; /* of the owner, which is the last to go on */
static volatile uint32_t nr_mapped;
static volatile uint32_t nr_populated;
static volatile uint32_t nr_revoked;
static _Thread_local uint32_t seed = 1u;
static _Thread_local uint64_t in_window;

static bool by_blocks; /* the first domain has blocks, and few pages, so that its block comes and goes */
static uint32_t frames = FRAMES; /* gfns of the first */
static struct block_set set = { .owner = 1u };
static volatile uint32_t nr_returned;
static volatile uint64_t seen; /* a frame that was the first's */

static uint32_t any(uint32_t end)
{
    seed = (seed * 1664525u) + 1013904223u;
    return (seed >> 8u) % end;
}

/* Each volatile access comes by here. */
void race_point(void *at);
void race_point(void *at)
{
    (void)at;
    if (any(32u) == 0u) {
        (void)sched_yield();
    }
}

/* -- What lies below -- */

_Thread_local struct percpu *fake_cpu_area;
_Thread_local struct hal_cpu fake_cpu_spare;

void fake_cpu_irq_point(void)
{
}

void panic_at(const char *file, unsigned int line, const char *what)
{
    (void)fprintf(stderr, "panic: %s:%u: %s\n", file, line, what);
    abort();
}

void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    (void)rank;
    lock->owner = 0u;
}

uint64_t spin_lock(struct spinlock *lock)
{
    while (__atomic_exchange_n(&lock->owner, 1u, __ATOMIC_ACQUIRE) != 0u) {
        (void)sched_yield();
    }
    return 0u;
}

void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    (void)flags;
    __atomic_store_n(&lock->owner, 0u, __ATOMIC_RELEASE);
}

void *heap_alloc_as_is(uint32_t nr_pages)
{
    return aligned_alloc(PAGE_BYTES, (size_t)nr_pages * PAGE_BYTES);
}

void *heap_alloc(uint32_t nr_pages)
{
    return calloc(nr_pages, PAGE_BYTES);
}

hpa_t hal_hypmap_hpa(const void *va)
{
    return hpa((uint64_t)(uintptr_t)va);
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    (void)slot;
    (void)perm;
    in_window = at.v;
    *bytes = PAGE_BYTES;
    return NULL;
}

void hal_hypmap_window_close(enum hal_window slot)
{
    (void)slot;
}

/* Does any map lead there? */
static bool reached_in(uint64_t base, uint64_t bytes)
{
    bool found = false;

    for (uint32_t d = 0u; d < DOMAINS; d++) {
        for (uint32_t gfn = 0u; gfn < GFNS; gfn++) {
            found = found || ((leaf[d][gfn] - base) < bytes);
        }
    }
    return found;
}

static bool reached(uint64_t frame)
{
    return reached_in(frame, PAGE_BYTES);
}

void hal_cache_zero(void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
    MUST(!reached(in_window));
    nr_populated++;
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    (void)map;
    (void)at;
    (void)to;
    (void)bytes;
    (void)perm;
    (void)type;
    return HV_INVALID;
}

/* A block has gone back. */
static void dirty(void)
{
    uint32_t block = blocks_dirty();

    while (block != 0u) {
        MUST(!reached_in(blocks_at(block).v, BLOCK_BYTES));
        block = blocks_clean(block);
        nr_returned++;
    }
}

bool hal_guestmap_translates(void)
{
    return true;
}

uint64_t hal_guestmap_limit(void)
{
    return (uint64_t)GFNS * PAGE_BYTES;
}

void hal_guestmap_begin(struct hal_guestmap *map)
{
    (void)map;
}

void hal_guestmap_end(struct hal_guestmap *map)
{
    (void)map;
}

static volatile uint64_t *leaf_of(const struct hal_guestmap *map, gpa_t at)
{
    uint32_t d = 0u;

    while (&domains[d].hal.map != map) {
        d++;
    }
    return &leaf[d][at.v / PAGE_BYTES];
}

void hal_guestmap_look(struct hal_guestmap *map, gpa_t at, struct hal_guestmap_page *page)
{
    const uint64_t now = *leaf_of(map, at);

    *page = (struct hal_guestmap_page){ .to = hpa(now & ~(uint64_t)(PAGE_BYTES - 1u)),
                                        .perm = (uint32_t)(now % PAGE_BYTES),
                                        .bytes = PAGE_BYTES };
}

enum hv_status hal_guestmap_put(struct hal_guestmap *map, gpa_t at, const struct hal_guestmap_page *page,
                                hpa_t to, uint32_t perm)
{
    MUST((*leaf_of(map, at) % PAGE_BYTES) == page->perm);
    *leaf_of(map, at) = 0u;
    *leaf_of(map, at) = (perm != 0u) ? (to.v | perm) : 0u;
    return HV_OK;
}

enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes)
{
    MUST(bytes == PAGE_BYTES);
    *leaf_of(map, at) = 0u;
    return HV_OK;
}

/* -- The domains -- */

static void breathe(void)
{
    (void)sched_yield();
}

static void begin(struct domain *d)
{
    const uint64_t flags = spin_lock(&d->lock);
    const bool chunk = (d->nr_chunks > 0u);

    for (uint32_t gfn = 0u; gfn < GFNS; gfn++) {
        leaf[d - domains][gfn] = (chunk && (gfn < FRAMES))
                                     ? ((d->chunk[0].to.v + ((uint64_t)gfn * PAGE_BYTES)) | HAL_PERM_RWX)
                                     : 0u;
    }
    spin_unlock(&d->lock, flags);
    MUST(p2m_begin(d, false) == HV_OK);
}

static void setup(void)
{
    for (uint32_t n = 0u; n < DOMAINS; n++) {
        struct domain *const d = &domains[n];

        plan[n].enhanced = PLAN_ENHANCED_NO_XENSTORE;
        plan[n].memory_bytes = (uint64_t)FRAMES * PAGE_BYTES;
        d->plan = &plan[n];
        d->chunk[0] = (struct domain_chunk){ gpa(0u), hpa(FRAME(n)), plan[n].memory_bytes };
        d->nr_chunks = (by_blocks && (n == 0u)) ? 0u : 1u;
        d->blocks = (d->nr_chunks == 0u) ? &set : NULL;
        d->max_pages = (d->nr_chunks == 0u) ? frames : 0u;
        spin_init(&d->lock, LOCK_DOMAIN);
        MUST(pool_init(&d->pool, 8u) == HV_OK);
        domain_table[n] = d;
        begin(d);
    }
}

static void *owner_run(void *unused)
{
    seed = 7u;
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        const uint64_t gfn = any(frames);
        enum hv_status status = HV_OK;
        uint64_t nr = 0u;

        MUST(pthread_rwlock_rdlock(&life) == 0);
        if (any(2u) == 0u) {
            status = p2m_take(&domains[0], gfn, 1u, &nr);
        } else {
            status = p2m_populate(&domains[0], (any(8u) == 0u) ? (frames + gfn) : gfn);
        }
        MUST(pthread_rwlock_unlock(&life) == 0);
        MUST((status != HV_INVALID) && (status != HV_DENIED));
        rounds = i + 1u;
    }
    return unused;
}

static void *mapper_run(void *of)
{
    struct domain *const d = of;

    seed = (uint32_t)(d - domains) * 31u;
    while (rounds < ROUNDS) {
        const uint64_t at = (FRAMES - 4u) + any(24u); /* some in place of its own memory */
        hpa_t frame = hpa(0u);
        enum hv_status status = HV_OK;
        uint64_t flags = 0u;
        uint64_t nr = 0u;

        switch (any(4u)) {
        case 0u:
            flags = spin_lock(&d->lock);
            status = p2m_unmap_foreign(d, at);
            spin_unlock(&d->lock, flags);
            break;
        case 1u:
            if (any(2u) == 0u) {
                status = p2m_take(d, at, 1u, &nr);
            } else {
                status = p2m_populate(d, at % FRAMES);
            }
            break;
        default:
            /* or one that it was told of long ago */
            frame = hpa(by_blocks ? seen : (FRAME(0) + ((uint64_t)any(FRAMES) * PAGE_BYTES)));
            if ((any(2u) == 0u) || (p2m_frame(&domains[0], any(frames), true, &frame) == HV_OK)) {
                seen = frame.v;
                flags = spin_lock(&d->lock);
                nr_mapped += (p2m_map_foreign(d, at, &domains[0], frame, any(2u) == 0u) == HV_OK) ? 1u : 0u;
                spin_unlock(&d->lock, flags);
            }
            break;
        }
        MUST((status != HV_INVALID) && (status != HV_DENIED));
    }
    return NULL;
}

/* As build/ ends a life and begins the next: in between its memory is scrubbed. */
static void restart(void)
{
    MUST(pthread_rwlock_wrlock(&life) == 0);
    p2m_revoke(&domains[0], breathe);
    p2m_reset(&domains[0]);
    for (uint32_t gfn = 0u; gfn < GFNS; gfn++) {
        leaf[0][gfn] = 0u;
    }
    for (uint32_t i = 0u; i < FRAMES; i++) {
        MUST(!reached(FRAME(0) + ((uint64_t)i * PAGE_BYTES)));
    }
    if (by_blocks) {
        MUST(!blocks_give(&set, 8u));
        MUST((set.nr == 0u) && (set.nr_pages == 0u) && (blocks_dirty_bytes() == 0u));
    }
    MUST(domains[0].pool.nr_free == 8u);
    nr_revoked++;
    begin(&domains[0]);
    MUST(pthread_rwlock_unlock(&life) == 0);
}

static void race(void)
{
    pthread_t thread[DOMAINS];

    rounds = by_blocks ? (ROUNDS / 2u) : 0u;
    nr_revoked = by_blocks ? (RESTARTS / 2u) : 0u;
    setup();
    MUST(pthread_create(&thread[0], NULL, owner_run, NULL) == 0);
    MUST(pthread_create(&thread[1], NULL, mapper_run, &domains[1]) == 0);
    MUST(pthread_create(&thread[2], NULL, mapper_run, &domains[2]) == 0);
    while (rounds < ROUNDS) {
        if (rounds > (nr_revoked * (ROUNDS / RESTARTS))) {
            restart();
        }
        (void)sched_yield();
    }
    for (uint32_t t = 0u; t < DOMAINS; t++) {
        MUST(pthread_join(thread[t], NULL) == 0);
    }
    print_message("mapped=%u populated=%u revoked=%u\n", nr_mapped, nr_populated, nr_revoked);
    assert_true((nr_mapped > 1000u) && (nr_populated > 1000u) &&
                (nr_revoked > (by_blocks ? (RESTARTS / 2u) - 1u : (RESTARTS / 2u))));
    for (uint32_t n = 0u; n < DOMAINS; n++) {
        p2m_revoke(&domains[n], breathe);
        p2m_reset(&domains[n]);
        assert_int_equal(domains[n].pool.nr_free, 8u);
        assert_int_equal(domains[n].nr_foreign, 0u);
    }
}

static void test_races(void **state)
{
    (void)state;
    race();
}

/* [test->req~memory-changes-hands~1] */
static void test_blocks(void **state)
{
    uint64_t free_bytes = 0u;

    (void)state;
    by_blocks = true;
    frames = 2u;
    MUST(ram_add(hpa(MIB(64)), MIB(8)) == HV_OK);
    MUST(blocks_setup(MIB(64), MIB(72), true, dirty) == HV_OK);
    free_bytes = blocks_free_bytes();
    seen = MIB(64);
    race();
    print_message("returned=%u\n", nr_returned);
    assert_true(nr_returned > ((nr_revoked - (RESTARTS / 2u)) + 5u)); /* not only when it ended */
    for (uint32_t gfn = 0u; gfn < GFNS; gfn++) {                      /* its own map is gone */
        leaf[0][gfn] = 0u;
    }
    (void)blocks_give(&set, 8u);
    assert_int_equal(blocks_free_bytes(), free_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_races), cmocka_unit_test(test_blocks) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
