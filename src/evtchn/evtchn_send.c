/* Sending: pending bits, the two-level ABI, and telling a vCPU. */
/* [impl->req~event-channels~1] [impl->req~guest-words-bounded~1] */
#include "evtchn/evtchn_core.h"

#include "hal/cpu.h"
#include "hal/sync.h"
#include "hal/virq.h"
#include "sched/sched.h"

/* A guest that writes a word without end could make our own writing of it fail without end. One that loses an
 * event so has itself to thank: nobody else writes there but senders, each once. */
#define WORD_TRIES 256u

bool evtchn_word_set(uint32_t *word, uint32_t bits)
{
    bool set = false;

    for (uint32_t i = 0; (i < WORD_TRIES) && !set; i++) {
        const uint32_t old = evtchn_word(word);

        if ((old & bits) == bits) {
            break;
        }
        set = hal_try_swap32(word, old, old | bits);
    }
    return set;
}

bool evtchn_word_clear(uint32_t *word, uint32_t bits)
{
    bool cleared = false;

    for (uint32_t i = 0; (i < WORD_TRIES) && !cleared; i++) {
        const uint32_t old = evtchn_word(word);

        if ((old & bits) == 0u) {
            break;
        }
        cleared = hal_try_swap32(word, old, old & ~bits);
    }
    return cleared;
}

/* The guest clears its flag, then looks for events; we make the event pending, then look at the flag. */
void evtchn_tell(struct evtchn_domain *ed, uint32_t vcpu)
{
    volatile uint8_t *const flag = &ed->vcpu[vcpu].info->upcall_pending;

    hal_barrier();
    if (*flag == 0u) {
        *flag = 1u;
        hal_virq_event(&ed->domain->vcpu[vcpu]->hal);
    }
}

/* A port's bit is set and not masked: the vCPU hears of it. A vCPU without vcpu_info does when it has one. */
static void two_level_show(struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t vcpu = ed->port[port].vcpu;
    struct xen_vcpu_info *const info = ed->vcpu[vcpu].info;

    /* a selector's bit stands for 64 ports */
    if ((info != NULL) && evtchn_word_set(&info->pending_sel[port / 2048u], BIT32((port / 64u) % 32u))) {
        evtchn_tell(ed, vcpu);
    }
}

static void two_level_pend(struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t bit = BIT32(port % 32u);

    if (evtchn_word_set(&ed->shared->evtchn_pending[port / 32u], bit) &&
        ((evtchn_word(&ed->shared->evtchn_mask[port / 32u]) & bit) == 0u)) {
        two_level_show(ed, port);
    }
    hal_barrier();
    if (ed->fifo != 0u) { /* switched meanwhile, and our bit may have come too late to be taken over */
        evtchn_fifo_pend(ed, port);
    }
}

void evtchn_pend(struct evtchn_domain *ed, uint32_t port)
{
    struct evtchn_port *const p = &ed->port[port];

    hal_barrier(); /* what the sender wrote before comes before the look at what is pending already */
    if (ed->fifo != 0u) {
        evtchn_fifo_pend(ed, port);
    } else {
        two_level_pend(ed, port);
    }
    if (p->poller != 0u) {
        sched_poll_over(ed->domain->vcpu[p->poller - 1u]);
    }
}

void evtchn_unmask(struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t bit = BIT32(port % 32u);

    if (ed->fifo != 0u) {
        if (ed->array != NULL) {
            (void)evtchn_word_clear(&ed->array[port], EVTCHN_FIFO_MASKED);
            evtchn_fifo_link(ed, port);
        }
    } else if (evtchn_word_clear(&ed->shared->evtchn_mask[port / 32u], bit) &&
               ((evtchn_word(&ed->shared->evtchn_pending[port / 32u]) & bit) != 0u)) {
        two_level_show(ed, port);
    } else {
        /* nothing was held back */
    }
}

void evtchn_clear(struct evtchn_domain *ed, uint32_t port)
{
    if (ed->fifo == 0u) {
        (void)evtchn_word_clear(&ed->shared->evtchn_pending[port / 32u], BIT32(port % 32u));
    } else if (ed->array != NULL) {
        (void)evtchn_word_clear(&ed->array[port], EVTCHN_FIFO_PENDING);
    } else {
        /* no word yet */
    }
    ed->port[port].waits = false;
}

bool evtchn_is_pending(const struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t *const array = ed->array;

    bool pending = ed->port[port].waits;

    if (ed->fifo == 0u) {
        pending = (evtchn_word(&ed->shared->evtchn_pending[port / 32u]) & BIT32(port % 32u)) != 0u;
    } else if (array != NULL) {
        pending = (evtchn_word(&array[port]) & EVTCHN_FIFO_PENDING) != 0u;
    } else {
        /* no word yet */
    }
    return pending;
}

void evtchn_raise(struct domain *domain, uint32_t port)
{
    struct evtchn_domain *const ed = domain->events;

    if ((ed != NULL) && (ed->up != 0u) && (port < EVTCHN_PORTS)) {
        const uint64_t flags = hal_cpu_irq_save();

        evtchn_pend(ed, port);
        hal_cpu_irq_restore(flags);
    }
}
