/* Sending: pending bits, the two-level ABI, and telling a vCPU. */
/* [impl->req~event-channels~1] [impl->req~guest-words-bounded~1] */
#include "evtchn/evtchn_core.h"

#include "hal/cpu.h"

bool evtchn_word_clear(uint32_t *word, uint32_t bits)
{
    bool cleared = false;

    for (uint32_t i = 0; (i < EVTCHN_WORD_TRIES) && !cleared; i++) {
        const uint32_t old = evtchn_word(word);

        if ((old & bits) == 0u) {
            break;
        }
        cleared = hal_try_swap32(word, old, old & ~bits);
    }
    return cleared;
}

/* A port's bit is set and not masked: the vCPU hears of it. A vCPU without vcpu_info does when it has one. */
static void two_level_show(struct evtchn_domain *ed, struct xen_shared_info *shared, uint32_t port)
{
    const uint32_t vcpu = evtchn_vcpu_of(evtchn_at(ed, port));
    const struct evtchn_vcpu *const v = &ed->vcpu[vcpu];
    struct xen_vcpu_info *const of_first = (vcpu == 0u) ? &shared->vcpu_info : NULL;
    struct xen_vcpu_info *const info = (ed->abi == EVTCHN_ASIDE) ? of_first : v->info;

    /* a selector's bit stands for 64 ports */
    if ((info != NULL) && evtchn_word_set(&info->pending_sel[port / 2048u], BIT32((port / 64u) % 32u))) {
        evtchn_tell(v, info);
    }
}

static void pend_aside(struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t bit = BIT32(port % 32u);
    const uint64_t flags = spin_lock(&ed->queues);

    if (ed->abi == EVTCHN_ASIDE) { /* its life has not ended meanwhile */
        struct xen_shared_info *const shared = evtchn_shared_open(ed);

        if (evtchn_word_set(&shared->evtchn_pending[port / 32u], bit) &&
            ((evtchn_word(&shared->evtchn_mask[port / 32u]) & bit) == 0u)) {
            two_level_show(ed, shared, port);
        }
        evtchn_shared_close(ed);
    }
    spin_unlock(&ed->queues, flags);
}

/* Whatever may be wanted. is_new: the pending bit of the two-level ABI was set just before. */
static __attribute__((noinline)) void pend_through(struct evtchn_domain *ed, uint32_t port, bool is_new)
{
    const uint32_t bit = BIT32(port % 32u);
    bool show = is_new;
    uint32_t poller = 0;

    if ((ed->abi == EVTCHN_TWO_LEVEL) && evtchn_word_set(&ed->shared->evtchn_pending[port / 32u], bit)) {
        show = true;
    }
    hal_barrier(); /* what the sender wrote before comes before the looks at what is pending already, */
    if (ed->abi != EVTCHN_TWO_LEVEL) {
        /* and if it was switched meanwhile, our bit may have come too late to be taken over */
        if (ed->abi == EVTCHN_FIFO) {
            evtchn_fifo_raise(ed, port, EVTCHN_FIFO_PENDING);
        } else {
            pend_aside(ed, port);
            show = false;
        }
        hal_barrier();
    }
    poller = evtchn_at(ed, port)->poller; /* once: a close ends it at any moment */
    if (poller != 0u) {
        sched_poll_over(ed->domain->vcpu[poller - 1u]);
    }
    if (show && ((evtchn_word(&ed->shared->evtchn_mask[port / 32u]) & bit) == 0u)) {
        two_level_show(ed, ed->shared, port);
    }
}

/* The short way, as long as each word takes what is written at once and nobody polls. False: not all is done;
 * *is_new: the port's bit is set. */
static inline __attribute__((always_inline)) bool pend_quick(struct evtchn_domain *ed, uint32_t port,
                                                             bool *is_new)
{
    const uint32_t bit = BIT32(port % 32u);
    const struct evtchn_port *const p = evtchn_at(ed, port);
    const struct evtchn_vcpu *v = NULL;
    struct xen_vcpu_info *info = NULL;
    uint32_t old = 0;

    if ((ed->abi != 0u) || !hal_try_or32(&ed->shared->evtchn_pending[port / 32u], bit, &old)) {
        return false;
    }
    *is_new = (old & bit) == 0u;
    hal_barrier();
    v = &ed->vcpu[evtchn_vcpu_of(p)];
    info = v->info; /* who has moved it since looks at everything, our bit as well */
    if (((ed->abi | p->poller) != 0u) || (info == NULL)) {
        return false;
    }
    if (*is_new && ((evtchn_word(&ed->shared->evtchn_mask[port / 32u]) & bit) == 0u)) {
        const uint32_t selector = BIT32((port / 64u) % 32u);

        if (!hal_try_or32(&info->pending_sel[port / 2048u], selector, &old)) {
            return false;
        }
        if ((old & selector) == 0u) {
            evtchn_tell(v, info);
        }
    }
    return true;
}

static inline __attribute__((always_inline)) void pend(struct evtchn_domain *ed, uint32_t port)
{
    bool is_new = false;

    if (!pend_quick(ed, port, &is_new)) {
        pend_through(ed, port, is_new);
    }
}

void evtchn_pend(struct evtchn_domain *ed, uint32_t port)
{
    pend(ed, port);
}

int64_t evtchn_send(struct vcpu *vcpu, uint32_t number)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    uint32_t port = hal_index(number, ed->nr_ports);
    const uint32_t link = evtchn_at(ed, port)->link;
    struct evtchn_domain *to = NULL;
    int64_t result = 0;

    if (evtchn_link_status(link) == EVTCHNSTAT_INTERDOMAIN) {
        to = evtchn_link_domain(link);
        port = link & LINK_PORT_MASK;
    } else if (link == LINK_IPI) {
        to = ed;
    } else if ((CONFIG_CONTROL != 0) && evtchn_link_leads(link)) {
        evtchn_hear(evtchn_link_domain(link));
    } else {
        /* nobody is there yet, or it is none that sends */
        result = (evtchn_link_status(link) == EVTCHNSTAT_UNBOUND) ? 0 : -XEN_EINVAL;
    }
    if ((to != NULL) && (to->up != 0u)) {
        pend(to, port);
    }
    return result;
}

void evtchn_unmask(struct evtchn_domain *ed, uint32_t port)
{
    const uint32_t bit = BIT32(port % 32u);

    if (ed->abi != EVTCHN_FIFO) {
        struct xen_shared_info *const shared = evtchn_shared_open(ed);

        if (evtchn_word_clear(&shared->evtchn_mask[port / 32u], bit) &&
            ((evtchn_word(&shared->evtchn_pending[port / 32u]) & bit) != 0u)) {
            two_level_show(ed, shared, port);
        }
        evtchn_shared_close(ed);
    } else if (port < ed->nr_words) {
        (void)evtchn_word_clear(&ed->array[port], EVTCHN_FIFO_MASKED);
        evtchn_fifo_raise(ed, port, 0u);
    } else {
        /* no word yet */
    }
}

void evtchn_clear(struct evtchn_domain *ed, uint32_t port)
{
    if (ed->abi != EVTCHN_FIFO) {
        (void)evtchn_word_clear(&evtchn_shared_open(ed)->evtchn_pending[port / 32u], BIT32(port % 32u));
        evtchn_shared_close(ed);
    } else if (port < ed->nr_words) {
        (void)evtchn_word_clear(&ed->array[port], EVTCHN_FIFO_PENDING);
    } else {
        /* no word yet */
    }
    evtchn_at(ed, port)->waits = false;
}

bool evtchn_is_pending(const struct evtchn_domain *ed, uint32_t port)
{
    bool pending = evtchn_at(ed, port)->waits;

    if (ed->abi != EVTCHN_FIFO) {
        const struct xen_shared_info *const shared = evtchn_shared_open(ed);

        pending = (evtchn_word(&shared->evtchn_pending[port / 32u]) & BIT32(port % 32u)) != 0u;
        evtchn_shared_close(ed);
    } else if (port < ed->nr_words) {
        pending = (evtchn_word(&ed->array[port]) & EVTCHN_FIFO_PENDING) != 0u;
    } else {
        /* no word yet */
    }
    return pending;
}

void evtchn_raise(struct domain *domain, uint32_t port)
{
    struct evtchn_domain *const ed = domain->events;

    if ((ed != NULL) && (ed->up != 0u) && (port < ed->nr_ports)) {
        const uint64_t flags = hal_cpu_irq_save();

        evtchn_pend(ed, port);
        hal_cpu_irq_restore(flags);
    }
}

void evtchn_virq_raise(struct domain *domain, uint32_t virq)
{
    const struct evtchn_domain *const ed = domain->events;
    const uint32_t port = (ed != NULL) ? ed->vcpu[0].virq[virq % XEN_NR_VIRQS] : 0u;

    if (port != 0u) {
        evtchn_raise(domain, port);
    }
}
