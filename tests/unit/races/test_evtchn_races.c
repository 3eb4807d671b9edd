/* Event channels with vCPUs that really run at a time: two domains of two, a thread each, in any operation at
 * any moment, while one domain restarts again and again. What is not volatile, atomic or under a lock is
 * reported by ThreadSanitizer. [test->req~event-channels~1] [test->req~guest-words-bounded~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain/p2m.h"
#include "evtchn/evtchn_core.h"
#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "hal/timer.h"
#include "mem/heap.h"
#include "sched/sched.h"

#define MUST(condition)                                                                                      \
    if (!(condition)) {                                                                                      \
        (void)fprintf(stderr, "line %d: " #condition "\n", __LINE__);                                        \
        abort();                                                                                             \
    }

#define DOMAINS  2u
#define VCPUS    2u
#define ROUNDS   60000u
#define RESTARTS 60u
#define PORTS    12u /* of those that the guests try, so that they meet */
#define GFNS     64u

static struct domain domains[DOMAINS];
static struct vcpu vcpus[DOMAINS][VCPUS];
static struct plan plan;
static pthread_rwlock_t lives =
    PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP; /* of domain 1: no vCPU runs while it has none */
static volatile uint32_t to_work;
static volatile uint32_t done;
static uint32_t told;
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
    if (any(64u) == 0u) {
        (void)sched_yield();
    }
}

/* A life's memory begins again while late senders may still write there: for them that is as good. */
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

hpa_t hal_hypmap_hpa(const void *va)
{
    return hpa((uint64_t)(uintptr_t)va);
}

bool hal_guestmap_translates(void)
{
    return true;
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    (void)slot;
    (void)perm;
    *bytes = PAGE_BYTES;
    return (void *)(uintptr_t)at.v;
}

void hal_hypmap_window_close(enum hal_window slot)
{
    (void)slot;
}

static void *page_at[DOMAINS][GFNS]; /* under the domain's lock */

enum hv_status p2m_lookup(struct domain *domain, uint64_t gfn, hpa_t *frame)
{
    void *const page = (gfn < GFNS) ? page_at[domain - domains][gfn] : NULL;

    if (page != NULL) {
        *frame = hal_hypmap_hpa(page);
        return HV_OK;
    }
    return HV_NOT_FOUND;
}

enum hv_status p2m_put_page(struct domain *domain, uint64_t gfn, void *va, bool keep)
{
    if (keep) {
        (void)race_set(va, 0, PAGE_BYTES);
    }
    if (gfn < GFNS) {
        page_at[domain - domains][gfn] = va;
    }
    return (gfn < GFNS) ? HV_OK : HV_INVALID;
}

int64_t p2m_result(enum hv_status status)
{
    return (status == HV_OK) ? 0 : -XEN_EINVAL;
}

bool domain_has_page(const struct domain *domain, uint64_t gfn)
{
    (void)domain;
    return gfn < GFNS;
}

void sched_poll_over(struct vcpu *vcpu)
{
    (void)hal_compare_swap32(&vcpu->poll, (uint32_t)VCPU_POLL_WAITS, (uint32_t)VCPU_POLL_OVER);
}

void sched_block(struct vcpu *vcpu)
{
    for (uint32_t i = 0u; (i < 100u) && (vcpu->poll == (uint32_t)VCPU_POLL_WAITS); i++) {
        (void)sched_yield();
    }
    vcpu->poll = (uint32_t)VCPU_POLL_NONE;
}

void sched_pass_turn(struct vcpu *vcpu)
{
    (void)vcpu;
    (void)sched_yield();
}

void timer_setup(struct timer *timer, void (*fire)(struct timer *timer))
{
    timer->fire = fire;
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    (void)timer;
    (void)deadline_ns;
}

void timer_disarm(struct timer *timer)
{
    (void)timer;
}

void work_setup(struct work *work, void (*run)(struct work *work))
{
    work->run = run;
}

void work_queue(struct work *work, cpuid_t cpu)
{
    (void)work;
    (void)cpu;
    to_work = 1u;
}

uint64_t hal_domain_counter(const struct hal_domain *domain)
{
    (void)domain;
    return 1000u;
}

uint64_t hal_timer_ns(uint64_t ticks)
{
    return ticks;
}

uint64_t hal_timer_now_ns(void)
{
    return 1000u;
}

struct domain *domain_table[HV_DOMAINS_MAX];
uint32_t domain_count = DOMAINS;

struct domain *domain_by_id(uint32_t domid)
{
    return ((domid > 0u) && (domid <= DOMAINS)) ? &domains[domid - 1u] : NULL;
}

/* The vCPU is a real one, whatever anybody did to the words that led here. */
void hal_virq_event(struct hal_vcpu *vcpu)
{
    const struct vcpu *const v = (const struct vcpu *)(void *)vcpu;

    MUST((v == &vcpus[0][0]) || (v == &vcpus[0][1]) || (v == &vcpus[1][0]) || (v == &vcpus[1][1]));
    (void)__atomic_add_fetch(&told, 1u, __ATOMIC_RELAXED);
}

/* -- Guests -- */

/* A handler, or a guest that writes anything where it and the hypervisor both write. */
static void look(const struct vcpu *vcpu, uint32_t port)
{
    const struct evtchn_domain *const ed = vcpu->domain->events;
    struct xen_vcpu_info *const info = ed->vcpu[vcpu->index].info;

    if (info != NULL) {
        *(volatile uint8_t *)&info->upcall_pending = 0u;
        *(volatile uint32_t *)&info->pending_sel[0] = 0u;
        *(volatile uint32_t *)&ed->shared->evtchn_pending[0] = 0u;
        *(volatile uint32_t *)&ed->shared->evtchn_mask[0] = any(2u) * any(UINT32_MAX);
    }
    if (port < ed->nr_words) {
        *(volatile uint32_t *)&ed->array[port] = any(2u) * (any(UINT32_MAX) << 8u);
    }
}

static void operate_else(struct vcpu *vcpu, uint32_t op, uint32_t port)
{
    if (op == EVTCHNOPS) {
        (void)evtchn_poll(vcpu, &port, 1u, 0u);
    } else if (op == (EVTCHNOPS + 1u)) {
        look(vcpu, port);
    } else if (op == (EVTCHNOPS + 2u)) {
        evtchn_virq_raise(&domains[any(DOMAINS)], VIRQ_CONSOLE + any(2u));
    } else {
        (void)evtchn_send(vcpu, port);
    }
}

/* One operation, anything in it: most are refused. Structures of FIFO are at fixed pages, so that they can be
 * had again after a reset. */
static void operate(struct vcpu *vcpu)
{
    union xen_evtchn_op arg = { .status = { 0u, 0u, 0u, 0u, 0u, 0u, 0u, 0u } };
    const uint32_t op = any(EVTCHNOPS + 5u);
    const uint32_t port = any(PORTS);

    if (op >= EVTCHNOPS) {
        operate_else(vcpu, op, port);
        return;
    }
    switch (op) {
    case EVTCHNOP_BIND_INTERDOMAIN:
        arg.bind_interdomain.remote_dom = (uint16_t)(1u + any(DOMAINS));
        arg.bind_interdomain.remote_port = port;
        break;
    case EVTCHNOP_STATUS:
        arg.status.dom = (uint16_t)((any(4u) == 0u) ? 2u : XEN_DOMID_SELF);
        arg.status.port = port;
        break;
    case EVTCHNOP_ALLOC_UNBOUND:
        arg.alloc_unbound.dom = (uint16_t)((any(4u) == 0u) ? 2u : XEN_DOMID_SELF);
        arg.alloc_unbound.remote_dom = (uint16_t)(1u + any(DOMAINS));
        break;
    case EVTCHNOP_BIND_VIRQ:
        arg.bind_virq.virq = VIRQ_DEBUG + any(3u);
        arg.bind_virq.vcpu = any(VCPUS);
        break;
    case EVTCHNOP_BIND_IPI:
        arg.bind_ipi.vcpu = any(VCPUS + 1u);
        break;
    case EVTCHNOP_RESET:
        arg.reset.dom = (uint16_t)((any(4u) == 0u) ? 2u : XEN_DOMID_SELF);
        break;
    case EVTCHNOP_INIT_CONTROL:
        arg.init_control.vcpu = any(VCPUS);
        arg.init_control.control_gfn = 10u + arg.init_control.vcpu;
        break;
    case EVTCHNOP_EXPAND_ARRAY:
        arg.expand_array.array_gfn = 20u;
        break;
    default:
        arg.port.port = port;
        arg.port.to = any(VCPUS);
        break;
    }
    if (evtchn_operations[op].act != NULL) {
        (void)evtchn_operations[op].act(vcpu, &arg);
    }
}

static void *run(void *of)
{
    struct vcpu *const vcpu = of;
    const bool restarts = (vcpu->domain == &domains[1]);

    seed = (vcpu->domain->id * 16u) + vcpu->index;
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        if (restarts) {
            MUST(pthread_rwlock_rdlock(&lives) == 0);
        }
        operate(vcpu);
        if (restarts) {
            MUST(pthread_rwlock_unlock(&lives) == 0);
        }
    }
    (void)__atomic_add_fetch(&done, 1u, __ATOMIC_RELEASE);
    return NULL;
}

static void restart(void)
{
    MUST(pthread_rwlock_wrlock(&lives) == 0);
    evtchn_domain_reset(&domains[1]);
    evtchn_begin(&domains[1]);
    evtchn_announce(&domains[1]);
    MUST(pthread_rwlock_unlock(&lives) == 0);
}

/* Each end of a channel knows the other, and a port is taken as long as it is bound. */
static void all_consistent(void)
{
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        const struct evtchn_domain *const ed = domains[d].events;

        for (uint32_t port = 1u; port < ed->nr_ports; port++) {
            const uint32_t link = evtchn_at(ed, port)->link;
            const bool used = (ed->used[port / 32u] & BIT32(port % 32u)) != 0u;

            assert_int_equal(used, link != LINK_CLOSED);
            if (evtchn_link_status(link) == EVTCHNSTAT_INTERDOMAIN) {
                const struct evtchn_domain *const peer = evtchn_link_domain(link);

                assert_int_equal(evtchn_at(peer, link & LINK_PORT_MASK)->link & ~(LINK_STATIC | LINK_STICKY),
                                 evtchn_link_to(ed, port));
            }
            if (evtchn_link_status(link) == EVTCHNSTAT_VIRQ) {
                const uint32_t virq = link & LINK_PORT_MASK;
                const uint32_t vcpu = (virq == VIRQ_DEBUG) ? evtchn_vcpu_of(evtchn_at(ed, port)) : 0u;

                assert_int_equal(ed->vcpu[vcpu].virq[virq], port);
            }
        }
    }
}

static void setup(void)
{
    static const struct plan_channel channel = { { 0u, 1u }, { 3u, 5u } };

    plan.nr_domains = DOMAINS;
    plan.channel[0] = channel;
    plan.nr_channels = 1u;
    evtchn_init(&plan);
    for (uint32_t d = 0u; d < DOMAINS; d++) {
        plan.domain[d].domid = (domid_t)(d + 1u);
        plan.domain[d].nr_vcpus = VCPUS;
        plan.domain[d].enhanced = PLAN_ENHANCED_NO_XENSTORE;
        plan.domain[0].role = PLAN_ROLE_CONTROL | PLAN_ROLE_XENSTORE;
        plan.domain[1].enhanced = PLAN_ENHANCED_NO_XENSTORE + 1; /* with a port to the xenstore domain */
        domains[d].plan = &plan.domain[d];
        domain_table[d] = &domains[d];
        domains[d].id = (domid_t)(d + 1u);
        domains[d].index = d;
        domains[d].nr_vcpus = VCPUS;
        spin_init(&domains[d].lock, LOCK_DOMAIN);
        for (uint32_t v = 0u; v < VCPUS; v++) {
            vcpus[d][v].domain = &domains[d];
            vcpus[d][v].index = v;
            domains[d].vcpu[v] = &vcpus[d][v];
        }
        assert_int_equal(evtchn_setup(&domains[d]), HV_OK);
    }
    evtchn_begin(&domains[0]);
    evtchn_begin(&domains[1]);
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
        if (to_work != 0u) {
            to_work = 0u;
            domains[0].events->work.run(&domains[0].events->work);
            domains[1].events->work.run(&domains[1].events->work);
        }
        if (restarts < RESTARTS) {
            restart();
            restarts++;
        }
        (void)sched_yield();
    }
    for (uint32_t t = 0u; t < (DOMAINS * VCPUS); t++) {
        assert_int_equal(pthread_join(thread[t], NULL), 0);
    }
    all_consistent();
    assert_true(told > 100u);
    restart(); /* and it still works: nothing left over makes an event lost */
    evtchn_domain_reset(&domains[0]);
    evtchn_begin(&domains[0]);
    assert_int_equal(evtchn_send(&vcpus[0][0], 3u), 0);
    assert_true(evtchn_is_pending(domains[1].events, 5u));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_races) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
