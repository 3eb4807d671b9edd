/* [impl->dsn~work-apart~1] */
#include "sched/work.h"

#include "sched/sched_core.h"

struct work_cpu {
    struct work *first;
    struct work *last;
    volatile uint32_t pending; /* queued and running items */
};

static struct spinlock work_lock = SPINLOCK(LOCK_WORK);
static struct work_cpu work_cpus[HV_CPUS_MAX];

void work_setup(struct work *work, void (*run)(struct work *work))
{
    work->next = NULL;
    work->run = run;
    work->queued = 0;
}

bool work_pending(cpuid_t cpu)
{
    return hal_load_acquire32(&work_cpus[cpu].pending) != 0u;
}

/* The CPU with the least to do; a vCPU counts for more than one item, which may be the caller's own and about
 * to end, and windows, which leave work only what is over, for more than that. What it looks at may change: a
 * hint. */
static cpuid_t work_choose(void)
{
    cpuid_t best = cpu_id();
    uint32_t best_load = UINT32_MAX;

    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        if (hal_load_acquire32(&sched_cpus[cpu].started) != 0u) {
            const uint32_t vcpu = (sched_cpus[cpu].runs == SCHED_RUNS_VCPU) ? 3u : 0u;
            const uint32_t windows = sched_cpus[cpu].unit->policy->windows ? 16u : 0u;
            const uint32_t load = (hal_load_acquire32(&work_cpus[cpu].pending) * 2u) + vcpu + windows;

            if (load < best_load) {
                best = cpu;
                best_load = load;
            }
        }
    }
    return best;
}

/* The choice is made with the lock, so that nothing is queued on a CPU that work_leave() has emptied. */
static void append(struct work *work, cpuid_t cpu)
{
    const uint64_t flags = spin_lock(&work_lock);
    const bool there = (cpu != WORK_ANY_CPU) && (hal_load_acquire32(&percpu_area[cpu].online) != 0u);
    const cpuid_t to = there ? cpu : work_choose();
    struct work_cpu *of = &work_cpus[to];

    work->next = NULL;
    if (of->last != NULL) {
        of->last->next = work;
    } else {
        of->first = work;
    }
    of->last = work;
    (void)hal_fetch_add32(&of->pending, 1u);
    spin_unlock(&work_lock, flags);
    sched_request(to);
}

void work_queue(struct work *work, cpuid_t cpu)
{
    if (hal_compare_swap32(&work->queued, 0u, 1u)) {
        append(work, cpu);
    }
}

bool work_leave(cpuid_t cpu)
{
    struct work_cpu *of = &work_cpus[cpu];
    const uint64_t flags = spin_lock(&work_lock);
    struct work *first = of->first;
    uint32_t nr_queued = 0;

    for (const struct work *w = first; w != NULL; w = w->next) {
        nr_queued++;
    }
    const bool idle = (of->pending == nr_queued);

    if (idle) {
        hal_store_release32(&sched_cpus[cpu].started, 0u);
        hal_store_release32(&percpu_area[cpu].online, 0u);
        of->first = NULL;
        of->last = NULL;
        of->pending = 0;
    } else {
        first = NULL;
    }
    spin_unlock(&work_lock, flags);
    while (first != NULL) {
        struct work *next = first->next;

        append(first, WORK_ANY_CPU);
        first = next;
    }
    return idle;
}

static struct work *work_take(struct work_cpu *of)
{
    const uint64_t flags = spin_lock(&work_lock);
    struct work *work = of->first;

    if (work != NULL) {
        of->first = work->next;
        if (of->first == NULL) {
            of->last = NULL;
        }
    }
    spin_unlock(&work_lock, flags);
    return work;
}

void work_breathe(void)
{
    if (sched_requested()) {
        hal_context_yield();
    }
}

void work_loop(void *arg)
{
    struct work_cpu *of = &work_cpus[cpu_id()];

    (void)arg;
    for (;;) {
        struct work *work = work_take(of);

        if (work != NULL) {
            hal_store_release32(&work->queued, 0u);
            work->run(work);
            (void)hal_fetch_add32(&of->pending, UINT32_MAX); /* one less */
            work_breathe();
        } else {
            hal_context_yield();
        }
    }
}
