/* The FIFO ABI: a word for each port, chained into queues by vCPU and priority. The hypervisor appends, the
 * guest takes from the front. Tails are ours; of the guest's words we only ever look at their flags. */
#include "evtchn/evtchn_core.h"

#include "hal/cpu.h"
#include "hal/sync.h"
#include "lib/string.h"

#define WORD_TRIES 256u

/* LINKED, with nothing behind it, unless it is not to be linked. */
static bool word_link(uint32_t *word)
{
    bool linked = false;

    for (uint32_t i = 0; (i < WORD_TRIES) && !linked; i++) {
        const uint32_t old = evtchn_word(word);

        if ((old & (EVTCHN_FIFO_PENDING | EVTCHN_FIFO_MASKED | EVTCHN_FIFO_LINKED)) != EVTCHN_FIFO_PENDING) {
            break;
        }
        linked = hal_try_swap32(word, old, (old & ~EVTCHN_FIFO_LINK_MASK) | EVTCHN_FIFO_LINKED);
    }
    return linked;
}

/* False: it is on no queue any more, the guest has taken it off. */
static bool word_append(uint32_t *tail, uint32_t port)
{
    bool appended = false;

    for (uint32_t i = 0; (i < WORD_TRIES) && !appended; i++) {
        const uint32_t old = evtchn_word(tail);

        if ((old & EVTCHN_FIFO_LINKED) == 0u) {
            break;
        }
        appended = hal_try_swap32(tail, old, (old & ~EVTCHN_FIFO_LINK_MASK) | port);
    }
    return appended;
}

/* Queues' lock held, the port was just linked. True: its vCPU must be told. */
static bool queue_append(struct evtchn_domain *ed, uint32_t *array, uint32_t port, uint32_t index)
{
    struct evtchn_port *const p = &ed->port[port];
    struct evtchn_vcpu *const v = &ed->vcpu[index];
    const uint32_t priority = p->priority;
    uint16_t *const was = &ed->vcpu[p->was_vcpu].tail[p->was_priority];
    uint32_t tail;
    bool tell = false;

    if (*was == port) {
        *was = 0u; /* it was taken off that queue, which ended with it */
    }
    p->was_vcpu = (uint8_t)index;
    p->was_priority = (uint8_t)priority;
    tail = v->tail[priority];
    v->tail[priority] = (uint16_t)port;
    if ((tail == 0u) || !word_append(&array[tail], port)) {
        struct xen_control_block *const control = v->control;

        *(volatile uint32_t *)&control->head[priority] = port;
        tell = evtchn_word_set(&control->ready, BIT32(priority));
    }
    return tell;
}

void evtchn_fifo_link(struct evtchn_domain *ed, uint32_t port)
{
    struct evtchn_port *const p = &ed->port[port];
    const uint64_t flags = spin_lock(&ed->queues);
    const uint32_t index = p->vcpu;
    uint32_t *const array = ed->array;
    bool tell = false;

    if ((array == NULL) || (ed->vcpu[index].control == NULL)) {
        p->waits = true;
    } else if (word_link(&array[port])) {
        tell = queue_append(ed, array, port, index);
    } else {
        /* masked, or on a queue */
    }
    spin_unlock(&ed->queues, flags);
    if (tell && (ed->vcpu[index].info != NULL)) {
        evtchn_tell(ed, index);
    }
}

void evtchn_fifo_pend(struct evtchn_domain *ed, uint32_t port)
{
    uint32_t *const array = ed->array;

    if (array == NULL) {
        evtchn_fifo_link(ed, port);
    } else {
        (void)evtchn_word_set(&array[port], EVTCHN_FIFO_PENDING);
        if ((evtchn_word(&array[port]) & (EVTCHN_FIFO_MASKED | EVTCHN_FIFO_LINKED)) == 0u) {
            evtchn_fifo_link(ed, port);
        }
    }
}

/* Whatever waits for a queue or for the array is raised again; what still has none waits on. */
void evtchn_fifo_work(struct work *work)
{
    struct evtchn_domain *const ed =
        (struct evtchn_domain *)(void *)((uint8_t *)(void *)work - offsetof(struct evtchn_domain, work));

    for (uint32_t port = 1; port < EVTCHN_PORTS; port++) {
        if (ed->port[port].waits && (ed->up != 0u)) {
            const uint64_t flags = hal_cpu_irq_save();

            ed->port[port].waits = false;
            evtchn_pend(ed, port);
            hal_cpu_irq_restore(flags);
        }
    }
}

/* Queues' lock held. What is pending by then is raised again: its port's bit is where nobody looks any
 * more. */
static void fifo_take_over(struct evtchn_domain *ed)
{
    ed->fifo = 1u;
    hal_barrier(); /* as in two_level_pend() */
    for (uint32_t word = 0; word < ARRAY_LEN(ed->used); word++) {
        uint32_t left = evtchn_word(&ed->shared->evtchn_pending[word]) & ed->used[word];

        while (left != 0u) { /* at most 32 */
            ed->port[(word * 32u) + (uint32_t)__builtin_ctz(left)].waits = true;
            left &= left - 1u;
        }
    }
}

void evtchn_fifo_begin(struct evtchn_domain *ed, uint32_t vcpu, struct xen_control_block *control)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->vcpu[vcpu].control = control;
    if (ed->fifo == 0u) {
        fifo_take_over(ed);
    }
    spin_unlock(&ed->queues, flags);
    work_queue(&ed->work, WORK_ANY_CPU);
}

void evtchn_fifo_reset(struct evtchn_domain *ed)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->fifo = 0u;
    ed->array = NULL;
    for (uint32_t i = 0; i < ed->domain->nr_vcpus; i++) {
        ed->vcpu[i].control = NULL;
        (void)memset(ed->vcpu[i].tail, 0, sizeof(ed->vcpu[i].tail));
    }
    spin_unlock(&ed->queues, flags);
}
