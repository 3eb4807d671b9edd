/* vCPUs of a control domain give one offered device to two domains at a time, while these end and begin
 * again: it is never in the hands of both, and none is left with a part of it. [test->req~devices-later~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "build/builder.h"
#include "build/partition/build_given.h"
#include "domain/p2m.h"
#include "hal/iommu.h"
#include "hal/irq.h"
#include "sched/sched.h"

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                    \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

#define DOMAINS 2u
#define GIVERS  3u
#define ROUNDS  30000u
#define MFN     0xa000u
#define GFN     0x50000u
#define IRQ     40u
#define STREAM  5u
#define PATH    "/dma@a000000"

/* What a domain may have of the device: which one has it */
enum part { PART_PAGE, PART_LINE, PART_STREAM, PARTS };

static struct domain domains[DOMAINS];
static struct plan_domain made = { .spare = true };
static struct plan plan;
static void *volatile holder[PARTS]; /* the domain's part of the port */
static volatile uint32_t nr_done;    /* givers that have come to their end */
static volatile uint32_t nr_taken;
static volatile uint32_t nr_refused;
static volatile uint32_t nr_ended;
static _Thread_local uint32_t seed = 1u;

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
    if (any(8u) == 0u) {
        (void)sched_yield();
    }
}

/* -- What lies below -- */

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

const struct plan *build_plan(void)
{
    return &plan;
}

bool sched_domain_quiet(const struct domain *domain)
{
    (void)domain;
    return true;
}

uint64_t hal_guestmap_limit(void)
{
    return UINT64_MAX;
}

/* Nobody else has any of it. */
static enum hv_status get(enum part part, void *who)
{
    for (uint32_t i = 0u; i < PARTS; i++) {
        void *const now = holder[i];

        MUST((now == NULL) || (now == who));
    }
    const bool had = (holder[part] != NULL);

    holder[part] = who;
    return had ? HV_EXISTS : HV_OK;
}

static void leave(enum part part, const void *who)
{
    if (holder[part] == who) {
        holder[part] = NULL;
    }
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    MUST((at.v == (GFN << 12u)) && (to.v == (MFN << 12u)) && (bytes == PAGE_BYTES) &&
         (type == HAL_MEM_DEVICE));
    MUST(perm == (HAL_PERM_R | HAL_PERM_W));
    return get(PART_PAGE, map);
}

enum hv_status hal_guestmap_unmap(struct hal_guestmap *map, gpa_t at, uint64_t bytes)
{
    (void)at;
    (void)bytes;
    leave(PART_PAGE, map);
    return HV_OK;
}

enum hv_status p2m_lookup(struct domain *domain, uint64_t gfn, hpa_t *frame)
{
    *frame = hpa(MFN << 12u);
    return ((gfn == GFN) && (holder[PART_PAGE] == &domain->hal.map)) ? HV_OK : HV_NOT_FOUND;
}

static void *map_of(const struct hal_domain *hal)
{
    return (void *)(uintptr_t)&hal->map;
}

enum hv_status hal_irq_route(uint32_t irq, bool edge, struct hal_domain *domain, uint32_t virq)
{
    MUST((irq == IRQ) && (virq == IRQ) && !edge);
    return get(PART_LINE, map_of(domain));
}

void hal_irq_unroute(uint32_t irq, struct hal_domain *domain)
{
    (void)irq;
    leave(PART_LINE, map_of(domain));
}

enum hv_status hal_iommu_attach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    MUST((iommu == 0u) && (first == STREAM) && (nr == 1u));
    (void)get(PART_STREAM, map);
    return (any(8u) == 0u) ? HV_BUSY : HV_OK; /* it does not answer: what was attached is detached */
}

enum hv_status hal_iommu_detach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    (void)iommu;
    (void)first;
    (void)nr;
    leave(PART_STREAM, map);
    return HV_OK;
}

/* -- Those who give, and those who end -- */

static void *giver_run(void *of)
{
    seed = (uint32_t)(uintptr_t)of * 31u;
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        struct domain *const d = &domains[any(DOMAINS)];
        const enum build_offer_act act = (enum build_offer_act)any(3u);
        enum hv_status status = HV_OK;

        switch (any(3u)) {
        case 0u:
            status = build_offer_pages(d, act, GFN, MFN, 1u);
            break;
        case 1u:
            status = build_offer_line(d, act, IRQ);
            break;
        default:
            status = build_offer_device(d, act, PATH);
            break;
        }
        MUST((status != HV_DENIED) && (status != HV_INVALID) && (status != HV_NOT_SUPPORTED));
        (void)__atomic_add_fetch((status == HV_OK) ? &nr_taken : &nr_refused, 1u, __ATOMIC_RELAXED);
    }
    (void)__atomic_add_fetch(&nr_done, 1u, __ATOMIC_RELAXED);
    return NULL;
}

/* As build/ ends a domain: first its state, then what it has, then the device is anybody's. */
static void end(struct domain *d)
{
    uint64_t flags = spin_lock(&d->lock);

    d->state = DOMAIN_STOPPING;
    spin_unlock(&d->lock, flags);
    for (uint32_t i = 0u; i < PARTS; i++) {
        leave((enum part)i, &d->hal.map);
    }
    build_offers_return(d);
    MUST(build_offer_owner(0u) != d->index);
    for (uint32_t i = 0u; i < PARTS; i++) {
        MUST(holder[i] != &d->hal.map);
    }
    nr_ended++;
    flags = spin_lock(&d->lock);
    d->state = DOMAIN_RUNNING;
    spin_unlock(&d->lock, flags);
}

static void test_offers(void **state)
{
    pthread_t thread[GIVERS];

    (void)state;
    plan.nr_offered_windows = 1u;
    plan.window[0] = (struct plan_window){ .domain = PLAN_OFFER, .host = { MFN << 12u, PAGE_BYTES } };
    plan.nr_offered_lines = 1u;
    plan.line[0] = (struct plan_line){ .domain = PLAN_OFFER, .irq = IRQ, .virq = IRQ };
    plan.nr_offered_streams = 1u;
    plan.stream[0] = (struct plan_stream){ .domain = PLAN_OFFER, .first = STREAM, .nr = 1u };
    plan.nr_offers = 1u;
    (void)snprintf(plan.offer[0].path, sizeof(plan.offer[0].path), "%s", PATH);
    for (uint32_t i = 0u; i < DOMAINS; i++) {
        domains[i].index = i;
        domains[i].plan = &made;
        domains[i].paused = true;
        domains[i].state = DOMAIN_RUNNING;
    }
    for (uint32_t t = 0u; t < GIVERS; t++) {
        MUST(pthread_create(&thread[t], NULL, giver_run, (void *)(uintptr_t)(t + 1u)) == 0);
    }
    while (nr_done < GIVERS) {
        end(&domains[any(DOMAINS)]);
    }
    for (uint32_t t = 0u; t < GIVERS; t++) {
        MUST(pthread_join(thread[t], NULL) == 0);
    }
    print_message("taken=%u refused=%u ended=%u\n", nr_taken, nr_refused, nr_ended);
    assert_true((nr_taken > 1000u) && (nr_refused > 1000u) && (nr_ended > 100u));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_offers) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
