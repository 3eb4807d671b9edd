/* The FIFO ABI: a word for each port, chained into queues by vCPU and priority. The hypervisor appends, the
 * guest takes from the front. Tails are ours; of the guest's words we only ever look at their flags. */
#include "evtchn/evtchn_core.h"

#include "hal/cpu.h"

/* Sets bits; true: it became LINKED as well, with nothing behind it. */
static inline bool word_raise(uint32_t *word, uint32_t bits)
{
    bool linked = false;
    bool done = false;

    for (uint32_t left = EVTCHN_WORD_TRIES; (left > 0u) && !done; left--) {
        const uint32_t old = evtchn_word(word);
        uint32_t now = old | bits;

        linked =
            (now & (EVTCHN_FIFO_PENDING | EVTCHN_FIFO_MASKED | EVTCHN_FIFO_LINKED)) == EVTCHN_FIFO_PENDING;
        if (linked) {
            now = (now & ~EVTCHN_FIFO_LINK_MASK) | EVTCHN_FIFO_LINKED;
        }
        done = (now == old);
        if (!done) {
            done = hal_try_swap32(word, old, now);
        }
    }
    return linked && done;
}

/* False: it is on no queue any more, the guest has taken it off. */
static inline bool word_append(uint32_t *tail, uint32_t port)
{
    bool appended = false;

    for (uint32_t left = EVTCHN_WORD_TRIES; (left > 0u) && !appended; left--) {
        const uint32_t old = evtchn_word(tail);

        if ((old & EVTCHN_FIFO_LINKED) == 0u) {
            break;
        }
        appended = hal_try_swap32(tail, old, (old & ~EVTCHN_FIFO_LINK_MASK) | port);
    }
    return appended;
}

/* Queues' lock held, the port was just linked. True: its vCPU must be told. */
static inline bool queue_append(struct evtchn_domain *ed, struct xen_control_block *control, uint32_t port,
                                uint32_t queue)
{
    struct evtchn_port *const p = evtchn_at(ed, port);
    const uint32_t priority = queue % EVTCHN_FIFO_QUEUES;
    uint32_t tail;
    bool tell = false;

    if (ed->tail[p->was] == port) {
        ed->tail[p->was] = 0u; /* it was taken off that queue, which ended with it */
    }
    p->was = (uint16_t)queue;
    tail = ed->tail[queue];
    ed->tail[queue] = (uint16_t)port;
    if ((tail == 0u) || !word_append(&ed->array[tail], port)) {
        *(volatile uint32_t *)&control->head[priority] = port;
        tell = evtchn_word_set(&control->ready, BIT32(priority));
    }
    return tell;
}

void evtchn_fifo_raise(struct evtchn_domain *ed, uint32_t port, uint32_t bits)
{
    struct evtchn_port *const p = evtchn_at(ed, port);
    const uint64_t flags = spin_lock(&ed->queues);
    const uint32_t queue = p->queue;
    const struct evtchn_vcpu *const v = &ed->vcpu[queue / EVTCHN_FIFO_QUEUES];
    struct xen_control_block *const control = v->control;
    bool tell = false;

    if ((port >= ed->nr_words) || (control == NULL)) {
        p->waits = p->waits || (bits != 0u);
    } else if (word_raise(&ed->array[port], bits)) {
        tell = queue_append(ed, control, port, queue);
    } else {
        /* masked, or on a queue */
    }
    spin_unlock(&ed->queues, flags);
    if (tell && (v->info != NULL)) {
        evtchn_tell(v, v->info);
    }
}

/* Whatever waits for a queue or for the array is raised again; what still has none waits on. */
void evtchn_fifo_work(struct work *work)
{
    struct evtchn_domain *const ed =
        (struct evtchn_domain *)(void *)((uint8_t *)(void *)work - offsetof(struct evtchn_domain, work));

    for (uint32_t port = 1; port < ed->nr_ports; port++) {
        if (evtchn_at(ed, port)->waits && (ed->up != 0u)) {
            const uint64_t flags = hal_cpu_irq_save();

            evtchn_at(ed, port)->waits = false;
            evtchn_pend(ed, port);
            hal_cpu_irq_restore(flags);
        }
    }
}

/* Queues' lock held. What is pending by then is raised again: its port's bit is where nobody looks any
 * more. */
static void fifo_take_over(struct evtchn_domain *ed)
{
    ed->abi = EVTCHN_FIFO;
    hal_barrier(); /* as in pend_through(): one of the two sees the other */
    for (uint32_t word = 0; word < (ed->nr_ports / 32u); word++) {
        uint32_t left = evtchn_word(&ed->shared->evtchn_pending[word]) & evtchn_word(&ed->used[word]);

        while (left != 0u) { /* at most 32 */
            evtchn_at(ed, (word * 32u) + bits_take(&left))->waits = true;
        }
    }
}

void evtchn_fifo_begin(struct evtchn_domain *ed, uint32_t vcpu, struct xen_control_block *control)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->vcpu[vcpu].control = control;
    if (ed->abi == EVTCHN_TWO_LEVEL) {
        fifo_take_over(ed);
    }
    spin_unlock(&ed->queues, flags);
    work_queue(&ed->work, WORK_ANY_CPU);
}

void evtchn_fifo_words(struct evtchn_domain *ed, uint32_t before, uint32_t now)
{
    const uint64_t flags = spin_lock(&ed->queues);

    if ((ed->abi == EVTCHN_FIFO) && (ed->nr_words == before)) {
        ed->nr_words = now;
    }
    spin_unlock(&ed->queues, flags);
    work_queue(&ed->work, WORK_ANY_CPU);
}

void evtchn_fifo_reset(struct evtchn_domain *ed)
{
    const uint64_t flags = spin_lock(&ed->queues);

    ed->abi = (ed->abi == EVTCHN_FIFO) ? EVTCHN_TWO_LEVEL : ed->abi;
    ed->nr_words = 0u;
    for (uint32_t i = 0; i < ed->domain->nr_vcpus; i++) {
        ed->vcpu[i].control = NULL;
    }
    (void)memset(ed->tail, 0, ed->domain->nr_vcpus * EVTCHN_FIFO_QUEUES * sizeof(ed->tail[0]));
    spin_unlock(&ed->queues, flags);
}
