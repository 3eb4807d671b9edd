/* [impl->dsn~timers-in-order~1] */
#include "time/timer.h"

#include "base/percpu.h"
#include "base/spinlock.h"
#include "hal/timer.h"
#include "hal/upcall.h"

/* Sorted by deadline, equal ones in the order of arming. A CPU's list holds at most the timers of its vCPUs
 * and a few of the hypervisor's own: walks are bounded by how many of them the configuration makes. */
struct timer_queue {
    struct spinlock lock;
    struct timer *first;
    volatile uint64_t first_ns; /* its deadline; written with the lock, read by the CPU itself */
    struct timer *own;          /* the CPU's alone; NULL before it is armed */
};

#define QUEUE   { SPINLOCK(LOCK_TIMER), NULL, TIME_NEVER, NULL }
#define QUEUES8 QUEUE, QUEUE, QUEUE, QUEUE, QUEUE, QUEUE, QUEUE, QUEUE

static struct timer_queue timer_queue[HV_CPUS_MAX] = { QUEUES8, QUEUES8, QUEUES8, QUEUES8,
                                                       QUEUES8, QUEUES8, QUEUES8, QUEUES8 };

void timer_setup(struct timer *timer, void (*fire)(struct timer *timer))
{
    timer->next = NULL;
    timer->deadline_ns = TIME_NEVER;
    timer->fire = fire;
    timer->cpu = TIMER_UNARMED;
}

/* By the CPU itself. */
static uint64_t queue_deadline(const struct timer_queue *queue)
{
    return (queue->own != NULL) ? bits_min(queue->own->deadline_ns, queue->first_ns) : queue->first_ns;
}

static void queue_note(struct timer_queue *queue)
{
    queue->first_ns = (queue->first != NULL) ? queue->first->deadline_ns : TIME_NEVER;
}

static void queue_remove(struct timer_queue *queue, struct timer *timer)
{
    struct timer **link = &queue->first;

    while ((*link != NULL) && (*link != timer)) {
        link = &(*link)->next;
    }
    if (*link == timer) {
        *link = timer->next;
    }
    queue_note(queue);
    timer->next = NULL;
    timer->cpu = TIMER_UNARMED;
}

static void queue_insert(struct timer_queue *queue, struct timer *timer)
{
    struct timer **link = &queue->first;

    while ((*link != NULL) && ((*link)->deadline_ns <= timer->deadline_ns)) {
        link = &(*link)->next;
    }
    timer->next = *link;
    *link = timer;
    queue_note(queue);
}

/* Off the list it is on, if any. Another CPU's hardware timer is left alone: it then comes for nothing. */
static void timer_take(struct timer *timer)
{
    const uint32_t cpu = timer->cpu;

    if (cpu != TIMER_UNARMED) {
        struct timer_queue *queue = &timer_queue[cpu];
        const uint64_t flags = spin_lock(&queue->lock);

        if (timer->cpu == cpu) { /* else it fired meanwhile */
            queue_remove(queue, timer);
        }
        spin_unlock(&queue->lock, flags);
    }
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
    const cpuid_t me = cpu_id();

    if (deadline_ns == TIME_NEVER) {
        timer_take(timer);
    } else if ((timer->cpu != me) || (timer->deadline_ns != deadline_ns)) {
        struct timer_queue *queue = &timer_queue[me];

        if (timer->cpu != me) {
            timer_take(timer);
        }
        const uint64_t flags = spin_lock(&queue->lock);
        const uint64_t before = queue_deadline(queue);

        if (timer->cpu == me) {
            queue_remove(queue, timer);
        }
        timer->deadline_ns = deadline_ns;
        timer->cpu = me;
        queue_insert(queue, timer);
        if (queue_deadline(queue) != before) {
            hal_timer_set(queue_deadline(queue));
        }
        spin_unlock(&queue->lock, flags);
    } else {
        /* armed so already */
    }
}

void timer_arm_own(struct timer *timer, uint64_t deadline_ns)
{
    struct timer_queue *queue = &timer_queue[cpu_id()];
    const uint64_t before = queue_deadline(queue);

    queue->own = timer;
    timer->deadline_ns = deadline_ns;
    if (queue_deadline(queue) != before) {
        hal_timer_set(queue_deadline(queue));
    }
}

void timer_disarm(struct timer *timer)
{
    timer_take(timer);
}

/* The first timer whose deadline is past, off the list. */
static struct timer *queue_pop(struct timer_queue *queue, uint64_t now_ns)
{
    const uint64_t flags = spin_lock(&queue->lock);
    struct timer *timer = queue->first;

    if ((timer != NULL) && (timer->deadline_ns <= now_ns)) {
        queue_remove(queue, timer);
    } else {
        timer = NULL;
    }
    spin_unlock(&queue->lock, flags);
    return timer;
}

void timer_adopt(cpuid_t from)
{
    struct timer *timer = queue_pop(&timer_queue[from], TIME_NEVER);

    while (timer != NULL) { /* nothing is armed there any more */
        const uint64_t flags = hal_cpu_irq_save();

        timer->fire(timer);
        hal_cpu_irq_restore(flags);
        timer = queue_pop(&timer_queue[from], TIME_NEVER);
    }
}

void upcall_timer(void)
{
    struct timer_queue *queue = &timer_queue[cpu_id()];
    const uint64_t now_ns = hal_timer_now_ns();

    if ((queue->own != NULL) && (queue->own->deadline_ns <= now_ns)) {
        queue->own->deadline_ns = TIME_NEVER;
        queue->own->fire(queue->own);
    }
    struct timer *const timer = queue_pop(queue, now_ns);

    if (timer != NULL) {
        percpu_hold(); /* it is on no list now */
        timer->fire(timer);
        percpu_drop();
    }
    const uint64_t flags = spin_lock(&queue->lock);

    hal_timer_set(queue_deadline(queue)); /* past ones that are left come at once */
    spin_unlock(&queue->lock, flags);
}
