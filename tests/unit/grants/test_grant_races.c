/* Grants with vCPUs that really run at a time: two domains of two, a thread each, map, unmap, copy, change
 * entries and take them back at any moment. One keeps to the protocol: an entry that it has taken back is in
 * nobody's map, and no copy of it goes on. The other writes anything into its table, changes its version, and
 * restarts again and again. What is not volatile, atomic or under a lock is reported by ThreadSanitizer.
 * [test->req~grants~1] [test->req~guest-words-bounded~1] */
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

#include "grant/grant_core.h"
#include "hal/cache.h"
#include "hal/hypmap.h"
#include "mem/heap.h"

#define MUST(condition)                                                                                      \
    if (!(condition)) {                                                                                      \
        (void)fprintf(stderr, "line %d: " #condition "\n", __LINE__);                                        \
        abort();                                                                                             \
    }

#define DOMAINS  2u
#define VCPUS    2u
#define ROUNDS   40000u
#define RESTARTS 60u
#define FRAMES   16u /* of a domain: entry n grants frame n */
#define GFNS     16u /* where others' frames appear */
#define HELD     6u  /* handles of a vCPU */

static struct domain domains[DOMAINS];
static struct vcpu vcpus[DOMAINS][VCPUS];
static struct plan_domain plans[DOMAINS];
static pthread_rwlock_t lives = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP; /* of domain 1 */
static uint32_t done;
static uint32_t mapped;
static uint32_t copied;
static uint32_t taken_back;
static _Thread_local uint32_t seed = 1u;

/* Where the maps lead: frame + 1; under the mapper's lock */
static uint64_t map_at[DOMAINS][GFNS];
/* How many maps lead to a frame, and how many windows */
static uint32_t leads[DOMAINS][FRAMES];
static uint32_t looks[DOMAINS][FRAMES];
static _Thread_local uint64_t window[HAL_WINDOWS];

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
    if (any(64u) == 0u) {
        (void)sched_yield();
    }
}

void *race_set(void *to, int value, size_t bytes);
void *race_set(void *to, int value, size_t bytes)
{
    for (size_t i = 0u; i < bytes; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

/* -- What lies below -- */

_Thread_local struct percpu *fake_cpu_area;
_Thread_local struct hal_cpu fake_cpu_spare;

void fake_cpu_irq_point(void)
{
}

void fake_cpu_turn(void)
{
    (void)sched_yield();
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

void *heap_alloc(uint32_t nr_pages)
{
    return calloc(nr_pages, PAGE_BYTES);
}

void *pool_alloc(struct pool *pool)
{
    (void)pool;
    return calloc(1u, PAGE_BYTES);
}

void pool_free(struct pool *pool, void *page)
{
    (void)pool;
    free(page);
}

struct domain *domain_table[HV_DOMAINS_MAX];

struct domain *domain_by_id(uint32_t domid)
{
    return ((domid > 0u) && (domid <= DOMAINS)) ? &domains[domid - 1u] : NULL;
}

bool role_may_share(const struct domain *a, const struct domain *b)
{
    (void)a;
    (void)b;
    return true;
}

void hal_cache_clean(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

void hal_cache_clean_invalidate(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

static uint64_t frame_of(const struct domain *domain, uint64_t gfn)
{
    return (((uint64_t)(domain - domains) * FRAMES) + gfn) << PAGE_SHIFT;
}

static void count(uint32_t table[DOMAINS][FRAMES], uint64_t frame, uint32_t by)
{
    const uint64_t number = frame >> PAGE_SHIFT;

    (void)__atomic_add_fetch(&table[number / FRAMES][number % FRAMES], by, __ATOMIC_SEQ_CST);
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    static uint8_t nothing[PAGE_BYTES];

    (void)perm;
    *bytes = PAGE_BYTES;
    window[slot] = at.v;
    count(looks, at.v, 1u);
    (void)sched_yield();
    return nothing;
}

void hal_hypmap_window_close(enum hal_window slot)
{
    count(looks, window[slot], UINT32_MAX);
}

enum hv_status p2m_frame(struct domain *owner, uint64_t gfn, bool write, hpa_t *frame)
{
    (void)write;
    *frame = hpa(frame_of(owner, gfn % FRAMES));
    return (gfn < FRAMES) ? HV_OK : HV_INVALID;
}

static void leave(const struct domain *mapper, uint64_t gfn)
{
    uint64_t *const slot = &map_at[mapper - domains][gfn];

    if (*slot != 0u) {
        count(leads, *slot - 1u, UINT32_MAX);
    }
    *slot = 0u;
}

/* Nobody comes here for a domain that is down. */
enum hv_status p2m_map_foreign(struct domain *mapper, uint64_t gfn, struct domain *owner, hpa_t frame,
                               bool readonly)
{
    (void)readonly;
    MUST(owner->reachable);
    if ((gfn >= GFNS) || (any(16u) == 0u)) {
        return HV_INVALID;
    }
    leave(mapper, gfn);
    map_at[mapper - domains][gfn] = frame.v + 1u;
    count(leads, frame.v, 1u);
    return HV_OK;
}

enum hv_status p2m_unmap_foreign(struct domain *mapper, uint64_t gfn)
{
    if (gfn >= GFNS) {
        return HV_INVALID;
    }
    leave(mapper, gfn);
    return HV_OK;
}

bool p2m_reaches(struct domain *domain, hpa_t frame)
{
    (void)domain;
    (void)frame;
    return false;
}

/* -- Guests -- */

struct held {
    uint32_t handle;
    uint64_t gfn;
};

static void map(struct vcpu *vcpu, struct held *held)
{
    union xen_grant_op arg = { .map = { .flags = GNTMAP_HOST_MAP | (any(2u) * GNTMAP_READONLY) } };

    arg.map.dom = (uint16_t)(1u + any(DOMAINS));
    arg.map.ref = 8u + any(8u);
    arg.map.host_addr = (1ULL + any(GFNS - 1u)) << PAGE_SHIFT; /* 0 would be none */
    (void)grant_map(vcpu, &arg);
    if (arg.map.status == GNTST_OKAY) {
        *held = (struct held){ arg.map.handle, arg.map.host_addr };
        (void)__atomic_add_fetch(&mapped, 1u, __ATOMIC_RELAXED);
    }
}

static void unmap(struct vcpu *vcpu, struct held *held)
{
    union xen_grant_op arg = { .unmap = { .host_addr = held->gfn, .handle = held->handle } };

    (void)grant_unmap(vcpu, &arg);
    held->handle = UINT32_MAX;
}

static void copy(struct vcpu *vcpu)
{
    union xen_grant_op arg = { .copy = { .flags = any(4u) } };

    arg.copy.source.domid = (arg.copy.flags & 1u) ? (uint16_t)(1u + any(DOMAINS)) : XEN_DOMID_SELF;
    arg.copy.dest.domid = (arg.copy.flags & 2u) ? (uint16_t)(1u + any(DOMAINS)) : XEN_DOMID_SELF;
    arg.copy.source.ref = ((arg.copy.flags & 1u) != 0u) ? any(FRAMES) : any(8u); /* its own are no grants */
    arg.copy.dest.ref = ((arg.copy.flags & 2u) != 0u) ? any(FRAMES) : any(8u);
    (void)grant_copy(vcpu, &arg);
    if ((arg.copy.status == GNTST_OKAY) && (arg.copy.flags != 0u)) {
        (void)__atomic_add_fetch(&copied, 1u, __ATOMIC_RELAXED);
    }
}

/* Domain 0, version 1, an entry that is this vCPU's: granted, or taken back as the header tells. */
static void keep_to_it(uint32_t ref)
{
    struct grant_table *const gt = domains[0].grants;
    volatile uint32_t *const entry = &((volatile uint32_t *)gt->frame.page[0])[2u * ref];
    const uint32_t head = entry[0];

    if ((head & GTF_TYPE_MASK) == 0u) {
        entry[1] = ref;
        hal_store_release32(&entry[0],
                            GTF_PERMIT_ACCESS | (any(2u) * GTF_READONLY) | ((1u + any(DOMAINS)) << 16u));
    } else if ((head & (GTF_READING | GTF_WRITING)) == 0u) {
        if (hal_compare_swap32(&entry[0], head, 0u)) {
            MUST(__atomic_load_n(&leads[0][ref], __ATOMIC_SEQ_CST) == 0u);
            MUST(__atomic_load_n(&looks[0][ref], __ATOMIC_SEQ_CST) == 0u);
            (void)__atomic_add_fetch(&taken_back, 1u, __ATOMIC_RELAXED);
        }
    } else {
        /* it waits */
    }
}

static void lie(struct vcpu *vcpu)
{
    struct grant_table *const gt = domains[1].grants;
    volatile uint32_t *const words = gt->frame.page[0];
    union xen_grant_op arg = { .set_version = 1u + any(2u) };
    const uint32_t what = any(8u);

    if (what == 0u) {
        (void)grant_set_version(vcpu, &arg);
    } else if (what == 1u) {
        arg.swap.ref_a = any(FRAMES);
        arg.swap.ref_b = any(FRAMES);
        (void)grant_swap(vcpu, &arg);
    } else if (what < 6u) {
        const uint32_t ref = any(FRAMES);

        words[(2u * ref) + 1u] = any(FRAMES + 1u);
        words[2u * ref] = (any(8u) | GTF_PERMIT_ACCESS) + ((1u + any(DOMAINS)) << 16u);
    } else {
        words[any(4u * FRAMES)] = any(UINT32_MAX);
    }
}

static void operate(struct vcpu *vcpu, struct held held[HELD])
{
    struct held *const h = &held[any(HELD)];
    const uint32_t what = any(8u);

    if (what < 3u) {
        if (h->handle == UINT32_MAX) {
            map(vcpu, h);
        } else {
            unmap(vcpu, h);
        }
    } else if (what == 3u) {
        copy(vcpu);
    } else if (vcpu->domain == &domains[0]) {
        keep_to_it(8u + (vcpu->index * 4u) + any(4u));
    } else if (what == 4u) { /* anybody's, at any place */
        struct held other = { any(2u * HELD * VCPUS), (uint64_t)any(GFNS) << PAGE_SHIFT };

        unmap(vcpu, &other);
    } else {
        lie(vcpu);
    }
}

static void *run(void *of)
{
    struct vcpu *const vcpu = of;
    const bool restarts = (vcpu->domain == &domains[1]);
    struct held held[HELD];

    seed = (vcpu->domain->id * 16u) + vcpu->index;
    (void)memset(held, 0xFF, sizeof(held));
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        if (restarts) {
            MUST(pthread_rwlock_rdlock(&lives) == 0);
        }
        operate(vcpu, held);
        if (restarts) {
            MUST(pthread_rwlock_unlock(&lives) == 0);
        }
    }
    for (uint32_t i = 0u; (i < HELD) && !restarts; i++) {
        unmap(vcpu, &held[i]);
    }
    (void)__atomic_add_fetch(&done, 1u, __ATOMIC_RELEASE);
    return NULL;
}

static void breathe(void)
{
    (void)sched_yield();
}

static void leave_all(struct domain *mapper, const struct domain *owner)
{
    (void)spin_lock(&mapper->lock);
    for (uint64_t gfn = 0u; gfn < GFNS; gfn++) {
        const uint64_t slot = map_at[mapper - domains][gfn];

        if ((owner == NULL) ||
            ((slot != 0u) && (((slot >> PAGE_SHIFT) / FRAMES) == (uint64_t)(owner - domains)))) {
            leave(mapper, gfn);
        }
    }
    spin_unlock(&mapper->lock, 0u);
}

/* Nobody looks at the frames of a domain that ended, nor maps one (above), and it uses nobody's. */
static void restart(void)
{
    void *page = NULL;

    MUST(pthread_rwlock_wrlock(&lives) == 0);
    leave_all(&domains[1], NULL);
    grant_end(&domains[1], breathe);
    domains[1].reachable = false;
    for (uint32_t i = 0u; i < FRAMES; i++) {
        MUST(__atomic_load_n(&looks[1][i], __ATOMIC_SEQ_CST) == 0u);
    }
    (void)sched_yield();
    leave_all(&domains[0], &domains[1]);
    for (uint32_t i = 0u; i < FRAMES; i++) {
        MUST(__atomic_load_n(&leads[1][i], __ATOMIC_SEQ_CST) == 0u);
    }
    domains[1].reachable = true;
    grant_begin(&domains[1]);
    MUST(grant_frame(&domains[1], 0u, &page) == HV_OK);
    MUST(pthread_rwlock_unlock(&lives) == 0);
}

static void setup(void)
{
    void *page = NULL;

    for (uint32_t d = 0u; d < DOMAINS; d++) {
        plans[d].enhanced = PLAN_ENHANCED_NO_XENSTORE;
        plans[d].max_grant_version = d + 1u;
        plans[d].max_grant_frames = 1u;
        plans[d].max_maptrack_frames = 1u;
        domains[d].plan = &plans[d];
        domains[d].id = (domid_t)(d + 1u);
        domains[d].index = d;
        domains[d].reachable = true;
        domain_table[d] = &domains[d];
        for (uint32_t v = 0u; v < VCPUS; v++) {
            vcpus[d][v].domain = &domains[d];
            vcpus[d][v].index = v;
        }
        assert_int_equal(grant_setup(&domains[d]), HV_OK);
        grant_begin(&domains[d]);
        assert_int_equal(grant_frame(&domains[d], 0u, &page), HV_OK);
    }
}

static void test_races(void **state)
{
    pthread_t thread[DOMAINS * VCPUS];
    uint32_t restarts = 0u;

    (void)state;
    setup();
    for (uint32_t t = 0u; t < (DOMAINS * VCPUS); t++) {
        assert_int_equal(pthread_create(&thread[t], NULL, run, &vcpus[t / VCPUS][t % VCPUS]), 0);
    }
    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < (DOMAINS * VCPUS)) {
        if (restarts < RESTARTS) {
            restart();
            restarts++;
        }
        (void)sched_yield();
    }
    for (uint32_t t = 0u; t < (DOMAINS * VCPUS); t++) {
        assert_int_equal(pthread_join(thread[t], NULL), 0);
    }
    restart(); /* what domain 1 still held */
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        const struct grant_table *const gt = domains[d].grants;
        const struct grant_pins *const pins = gt->pins.page[0];

        assert_int_equal(gt->nr_pinned, 0);
        assert_int_equal(gt->nr_copies, 0);
        for (uint32_t ref = 0u; (ref < GRANT_PINS_A_PAGE) && (pins != NULL); ref++) {
            assert_false(grant_is_used(&pins[ref]));
        }
    }
    assert_true((mapped > 1000u) && (copied > 100u) && (taken_back > 1000u));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_races) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
