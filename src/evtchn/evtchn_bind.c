/* Ports: given, bound, looked at and closed. */
/* [impl->req~event-channels~1] [impl->req~virqs~1] */
#include "evtchn/evtchn_core.h"

#include "domain/role.h"
#include "hal/timer.h"
#include "hal/upcall.h"

#define CLOSES_A_CALL 16u /* a reset goes on with the next call */

/* The domain that an operation is about, if it can have channels now; NULL: why not is in *error. */
static struct evtchn_domain *target_of(const struct vcpu *vcpu, uint32_t domid, int64_t *error)
{
    struct domain *target = NULL;

    *error = role_target(vcpu, domid, ROLE_EVENT, &target);
    if ((*error == 0) && ((target->events == NULL) || (target->events->up == 0u))) {
        *error = -XEN_ESRCH;
    }
    return (*error == 0) ? target->events : NULL;
}

/* 0, if these two may have a channel */
static int64_t may_share(const struct domain *a, const struct domain *b)
{
    int64_t result = -XEN_ESRCH;

    if (b != NULL) {
        result = role_may_share(a, b) ? 0 : -XEN_EPERM;
    }
    return result;
}

static struct domain *domain_of_call(const struct vcpu *vcpu, uint32_t domid)
{
    return (domid == XEN_DOMID_SELF) ? vcpu->domain : domain_by_id(domid);
}

/* Lock held. A port that nobody has, or -XEN_ENOSPC; -XEN_ESRCH: its domain has ended meanwhile. */
static int64_t port_take(struct evtchn_domain *ed, uint32_t vcpu)
{
    uint32_t word = 0;
    uint32_t port = 0;

    if (hal_load_acquire32(&ed->up) == 0u) {
        return -XEN_ESRCH;
    }
    while ((word < (ed->nr_ports / 32u)) && (ed->used[word] == UINT32_MAX)) {
        word++;
    }
    if (word == (ed->nr_ports / 32u)) {
        return -XEN_ENOSPC;
    }
    port = (word * 32u) + (uint32_t)__builtin_ctz(~ed->used[word]);
    ed->used[word] |= BIT32(port % 32u);
    evtchn_at(ed, port)->queue = evtchn_queue(vcpu, EVTCHN_FIFO_DEFAULT);
    return (int64_t)port;
}

/* A port with this link, for a vCPU. 0 and which, or as port_take() says. */
static int64_t port_open(struct evtchn_domain *ed, uint32_t vcpu, uint32_t link, uint32_t *port)
{
    const uint64_t flags = spin_lock(&evtchn_lock);
    const int64_t result = port_take(ed, vcpu);

    if (result > 0) {
        *port = (uint32_t)result;
        evtchn_at(ed, *port)->link = link;
    }
    spin_unlock(&evtchn_lock, flags);
    return (result > 0) ? 0 : result;
}

int64_t evtchn_offer(struct domain *domain, domid_t to, uint32_t *port)
{
    return port_open(domain->events, 0u, evtchn_link_unbound(to) | LINK_OURS, port);
}

static int64_t alloc_unbound(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    const struct domain *const remote = domain_of_call(vcpu, arg->alloc_unbound.remote_dom);
    int64_t result = 0;
    struct evtchn_domain *const ed = target_of(vcpu, arg->alloc_unbound.dom, &result);

    if (result == 0) {
        result = may_share(ed->domain, remote);
    }
    const domid_t whom = (result == 0) ? remote->id : XEN_DOMID_INVALID;

    if (result == 0) {
        result = port_open(ed, 0u, evtchn_link_unbound(whom), &arg->alloc_unbound.port);
    }
    if ((result == 0) && (remote->dying || (remote->id != whom))) { /* evtchn_forget() may not have seen it */
        evtchn_close(ed, arg->alloc_unbound.port, 0u);
        result = -XEN_ESRCH;
    }
    return result;
}

static int64_t bind_interdomain(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const struct domain *const to = domain_of_call(vcpu, arg->bind_interdomain.remote_dom);
    struct evtchn_domain *const peer = (to != NULL) ? to->events : NULL;
    int64_t result = may_share(vcpu->domain, to);

    if ((result == 0) && (peer == NULL)) {
        result = -XEN_ESRCH;
    }
    if (result != 0) {
        return result;
    }
    const uint32_t remote = hal_index(arg->bind_interdomain.remote_port, peer->nr_ports);
    struct evtchn_port *const end = evtchn_at(peer, remote);
    const uint64_t flags = spin_lock(&evtchn_lock);
    const uint32_t kept = end->link & LINK_KEPT;

    result = (hal_load_acquire32(&peer->up) != 0u) ? -XEN_EINVAL : -XEN_ESRCH;
    if ((result == -XEN_EINVAL) && (remote != 0u) &&
        ((end->link ^ kept) == evtchn_link_unbound(ed->domain->id))) {
        result = port_take(ed, vcpu->index);
    }
    if (result > 0) {
        arg->bind_interdomain.local_port = (uint32_t)result;
        evtchn_at(ed, arg->bind_interdomain.local_port)->link =
            evtchn_link_to(peer, remote) | (((kept & LINK_OURS) != 0u) ? LINK_IS_TO_OURS : 0u);
        end->link = evtchn_link_to(ed, arg->bind_interdomain.local_port) | kept;
    }
    spin_unlock(&evtchn_lock, flags);
    if (result > 0) {
        evtchn_pend(ed, arg->bind_interdomain.local_port); /* for what the other end sent before */
        result = 0;
    }
    return result;
}

/* Those that each vCPU has for itself */
static bool virq_is_private(uint32_t virq)
{
    return (virq == VIRQ_TIMER) || (virq == VIRQ_DEBUG) || (virq == VIRQ_XENOPROF) || (virq == VIRQ_XENPMU);
}

static volatile uint16_t *virq_slot(const struct evtchn_domain *ed, uint32_t vcpu, uint32_t virq)
{
    return &ed->vcpu[virq_is_private(virq) ? vcpu : 0u].virq[virq % XEN_NR_VIRQS];
}

/* Anybody may bind any of them; whether somebody raises it is another matter. */
static int64_t bind_virq(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t virq = hal_index(arg->bind_virq.virq, XEN_NR_VIRQS);
    const uint32_t whose = hal_index(arg->bind_virq.vcpu, vcpu->domain->nr_vcpus);
    int64_t result = -XEN_EEXIST;

    if ((virq != arg->bind_virq.virq) || (!virq_is_private(virq) && (arg->bind_virq.vcpu != 0u))) {
        return -XEN_EINVAL;
    }
    if (whose != arg->bind_virq.vcpu) {
        return -XEN_ENOENT;
    }
    volatile uint16_t *const slot = virq_slot(ed, whose, virq);
    const uint64_t flags = spin_lock(&evtchn_lock);

    if (*slot == 0u) {
        result = port_take(ed, whose);
    }
    if (result > 0) {
        arg->bind_virq.port = (uint32_t)result;
        evtchn_at(ed, arg->bind_virq.port)->link = LINK_IS_VIRQ | virq;
        *slot = (uint16_t)result;
        result = 0;
    }
    spin_unlock(&evtchn_lock, flags);
    return result;
}

static int64_t bind_ipi(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    const uint32_t whose = hal_index(arg->bind_ipi.vcpu, vcpu->domain->nr_vcpus);

    return (whose == arg->bind_ipi.vcpu)
               ? port_open(vcpu->domain->events, whose, LINK_IPI, &arg->bind_ipi.port)
               : -XEN_ENOENT;
}

void evtchn_close(struct evtchn_domain *ed, uint32_t port, uint32_t spared)
{
    struct evtchn_port *const p = evtchn_at(ed, port);
    const uint64_t flags = spin_lock(&evtchn_lock);
    const uint32_t link = p->link;
    const bool leaves_ours = (evtchn_link_status(link) == evtchn_link_status(LINK_IS_TO_OURS));

    if ((link != LINK_CLOSED) && ((link & (LINK_STATIC | spared)) == 0u)) {
        if (evtchn_link_leads(link)) {
            struct evtchn_port *const end = evtchn_at(evtchn_link_domain(link), link & LINK_PORT_MASK);

            end->link = evtchn_link_unbound(ed->domain->id) | (end->link & LINK_KEPT);
        } else if (evtchn_link_status(link) == EVTCHNSTAT_VIRQ) {
            *virq_slot(ed, evtchn_vcpu_of(p), link & LINK_PORT_MASK) = 0u;
        } else {
            /* nobody else knows it */
        }
        p->link = LINK_CLOSED;
        p->poller = 0u;
        evtchn_clear(ed, port);
        ed->used[port / 32u] &= ~BIT32(port % 32u);
    }
    spin_unlock(&evtchn_lock, flags);
    if (leaves_ours) {
        evtchn_hear(evtchn_link_domain(link));
    }
}

/* The port of an operation, 0 if the domain does not have it. */
static uint32_t port_of(const struct evtchn_domain *ed, uint32_t number)
{
    const uint32_t port = hal_index(number, ed->nr_ports);

    return (evtchn_at(ed, port)->link != LINK_CLOSED) ? port : 0u;
}

static int64_t close_port(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = port_of(ed, arg->port.port);

    if ((port == 0u) || ((evtchn_at(ed, port)->link & LINK_STATIC) != 0u)) {
        return -XEN_EINVAL;
    }
    evtchn_close(ed, port, 0u);
    return 0;
}

static int64_t send(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    return evtchn_send(vcpu, arg->port.port);
}

static int64_t status(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    int64_t result = 0;
    const struct evtchn_domain *const ed = target_of(vcpu, arg->status.dom, &result);

    if (ed == NULL) {
        return result;
    }
    const uint32_t port = hal_index(arg->status.port, ed->nr_ports);
    const uint32_t link = evtchn_at(ed, port)->link;

    if (port == 0u) {
        return -XEN_EINVAL;
    }
    arg->status.status = evtchn_link_status(link);
    arg->status.vcpu = evtchn_vcpu_of(evtchn_at(ed, port));
    arg->status.peer_dom = (uint16_t)(link & LINK_PORT_MASK);
    if (evtchn_link_leads(link)) {
        const struct evtchn_domain *const peer = evtchn_link_domain(link);

        arg->status.peer_dom = peer->domain->id;
        arg->status.peer_port = link & LINK_PORT_MASK;
        arg->status.status = (peer->up != 0u) ? EVTCHNSTAT_INTERDOMAIN : EVTCHNSTAT_UNBOUND;
    }
    return 0;
}

static int64_t bind_vcpu(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = port_of(ed, arg->port.port);

    if (arg->port.to >= vcpu->domain->nr_vcpus) {
        return -XEN_ENOENT;
    }
    const uint32_t link = evtchn_at(ed, port)->link;

    if ((port == 0u) || (link == LINK_IPI) ||
        ((evtchn_link_status(link) == EVTCHNSTAT_VIRQ) && virq_is_private(link & LINK_PORT_MASK))) {
        return -XEN_EINVAL;
    }
    evtchn_at(ed, port)->queue = evtchn_queue(hal_index(arg->port.to, vcpu->domain->nr_vcpus),
                                              evtchn_at(ed, port)->queue % EVTCHN_FIFO_QUEUES);
    return 0;
}

static int64_t unmask(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = port_of(ed, arg->port.port);

    if (port != 0u) {
        evtchn_unmask(ed, port);
    }
    return (port != 0u) ? 0 : -XEN_EINVAL;
}

/* Static channels stay, as only the description of the system makes them. Another domain's are closed while
 * it is paused. */
static int64_t reset(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    int64_t result = 0;
    struct evtchn_domain *const ed = target_of(vcpu, arg->reset.dom, &result);
    uint32_t closed = 0;

    if (ed == NULL) {
        return result;
    }
    if ((ed->domain != vcpu->domain) && !ed->domain->paused) {
        return -XEN_EINVAL;
    }
    for (uint32_t word = 0; (word < (ed->nr_ports / 32u)) && (closed < CLOSES_A_CALL); word++) {
        uint32_t left = evtchn_word(&ed->used[word]);

        while ((left != 0u) && (closed < CLOSES_A_CALL)) { /* at most 32 */
            const uint32_t port = (word * 32u) + bits_take(&left);

            if ((port != 0u) && ((evtchn_at(ed, port)->link & LINK_STATIC) == 0u)) {
                evtchn_close(ed, port, 0u);
                closed++;
            }
        }
    }
    if (closed == CLOSES_A_CALL) {
        return EVTCHN_AGAIN;
    }
    evtchn_fifo_reset(ed);
    return 0;
}

static int64_t init_control(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint64_t last = PAGE_BYTES - sizeof(struct xen_control_block);
    const uint32_t index = hal_index(arg->init_control.vcpu, vcpu->domain->nr_vcpus);
    const uint32_t offset = arg->init_control.offset;
    int64_t result = 0;
    uint8_t *page = NULL;

    if (arg->init_control.vcpu >= vcpu->domain->nr_vcpus) {
        return -XEN_ENOENT;
    }
    if ((offset > last) || ((offset % 8u) != 0u) || (ed->vcpu[index].control != NULL)) {
        return -XEN_EINVAL;
    }
    page = evtchn_page_at(ed, arg->init_control.control_gfn, &result);
    if (page != NULL) {
        evtchn_fifo_begin(ed, index, (struct xen_control_block *)(void *)&page[offset]);
        arg->init_control.link_bits = EVTCHN_FIFO_LINK_BITS;
    }
    return result;
}

static int64_t expand_array(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;

    return (ed->abi == EVTCHN_FIFO) ? evtchn_array_grow(ed, arg->expand_array.array_gfn) : -XEN_EOPNOTSUPP;
}

static int64_t set_priority(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = port_of(ed, arg->port.port);

    if (ed->abi != EVTCHN_FIFO) {
        return -XEN_ENOSYS;
    }
    if ((port == 0u) || (arg->port.to >= EVTCHN_FIFO_QUEUES)) {
        return -XEN_EINVAL;
    }
    evtchn_at(ed, port)->queue =
        evtchn_queue(evtchn_vcpu_of(evtchn_at(ed, port)), hal_index(arg->port.to, EVTCHN_FIFO_QUEUES));
    return 0;
}

const struct evtchn_operation evtchn_operations[EVTCHNOPS] = {
    [EVTCHNOP_BIND_INTERDOMAIN] = { bind_interdomain, 12u, 12u },
    [EVTCHNOP_BIND_VIRQ] = { bind_virq, 12u, 12u },
    [EVTCHNOP_BIND_PIRQ] = { NULL, 0u, 0u }, /* interrupts of the host are none of a guest's */
    [EVTCHNOP_CLOSE] = { close_port, 4u, 0u },
    [EVTCHNOP_SEND] = { send, 4u, 0u },
    [EVTCHNOP_STATUS] = { status, 8u, 24u },
    [EVTCHNOP_ALLOC_UNBOUND] = { alloc_unbound, 8u, 8u },
    [EVTCHNOP_BIND_IPI] = { bind_ipi, 4u, 8u },
    [EVTCHNOP_BIND_VCPU] = { bind_vcpu, 8u, 0u },
    [EVTCHNOP_UNMASK] = { unmask, 4u, 0u },
    [EVTCHNOP_RESET] = { reset, 2u, 0u },
    [EVTCHNOP_INIT_CONTROL] = { init_control, 16u, 24u },
    [EVTCHNOP_EXPAND_ARRAY] = { expand_array, 8u, 0u },
    [EVTCHNOP_SET_PRIORITY] = { set_priority, 8u, 0u },
};

/* Takes the place of whoever polled this port and does so no more. False: another vCPU polls it. */
static bool poller_join(struct vcpu *vcpu, struct evtchn_port *p)
{
    const uint32_t now = p->poller;
    const struct domain *const domain = vcpu->domain;

    if ((now != 0u) && (now != (vcpu->index + 1u)) &&
        (domain->vcpu[now - 1u]->poll == (uint32_t)VCPU_POLL_WAITS)) {
        return false;
    }
    p->poller = (uint16_t)(vcpu->index + 1u);
    return true;
}

/* Does it have to wait? -XEN_EINVAL for a port that it does not have. */
static int64_t poll_look(struct vcpu *vcpu, const uint32_t *port, uint32_t nr_ports)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    int64_t waits = 1;

    for (uint32_t i = 0; (i < nr_ports) && (waits > 0); i++) { /* XEN_POLL_PORTS_MAX */
        const uint32_t n = port_of(ed, port[i]);

        if (n == 0u) {
            waits = -XEN_EINVAL;
        } else if (!poller_join(vcpu, evtchn_at(ed, n))) {
            sched_pass_turn(vcpu);
            waits = 0;
        } else {
            hal_barrier(); /* who raises it from here on sees us */
            waits = evtchn_is_pending(ed, n) ? 0 : 1;
        }
    }
    return waits;
}

int64_t evtchn_poll(struct vcpu *vcpu, const uint32_t *port, uint32_t nr_ports, uint64_t timeout_ns)
{
    const uint64_t guest_ns = hal_timer_ns(hal_domain_counter(&vcpu->domain->hal));

    vcpu->poll = (uint32_t)VCPU_POLL_WAITS;
    hal_barrier();
    int64_t waits = poll_look(vcpu, port, nr_ports);

    if ((waits > 0) && (timeout_ns != 0u) && (timeout_ns <= guest_ns)) {
        waits = 0;
    }
    if (waits > 0) {
        if (timeout_ns != 0u) {
            const uint64_t left_ns = timeout_ns - guest_ns;
            const uint64_t now_ns = hal_timer_now_ns();

            timer_arm(&vcpu->domain->events->vcpu[vcpu->index].poll,
                      (left_ns < (TIME_NEVER - now_ns)) ? (now_ns + left_ns) : TIME_NEVER);
        }
        sched_block(vcpu);
    } else {
        vcpu->poll = (uint32_t)VCPU_POLL_NONE;
    }
    return (waits < 0) ? waits : 0;
}
