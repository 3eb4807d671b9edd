/* Ports: given, bound, looked at and closed. */
/* [impl->req~event-channels~1] */
#include "evtchn/evtchn_core.h"

#include "hal/sync.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "sched/sched.h"

#define CLOSES_A_CALL 16u /* a reset goes on with the next call */

static bool is_self(const struct evtchn_domain *ed, uint32_t domid)
{
    return (domid == XEN_DOMID_SELF) || (domid == ed->domain->id);
}

/* The domain of that number if it can have channels now, else NULL. */
static struct evtchn_domain *find(struct evtchn_domain *ed, uint32_t domid)
{
    struct evtchn_domain *found = is_self(ed, domid) ? ed : NULL;

    for (uint32_t i = 0; (i < HV_DOMAINS_MAX) && (found == NULL); i++) {
        if ((evtchn_table[i] != NULL) && (evtchn_table[i]->domain->id == domid) &&
            (evtchn_table[i]->up != 0u)) {
            found = evtchn_table[i];
        }
    }
    return found;
}

/* Lock held. A port that nobody has, or -XEN_ENOSPC. */
static int64_t port_take(struct evtchn_domain *ed, uint32_t vcpu)
{
    uint32_t word = 0;
    uint32_t port = 0;

    while ((word < ARRAY_LEN(ed->used)) && (ed->used[word] == UINT32_MAX)) {
        word++;
    }
    if (word == ARRAY_LEN(ed->used)) {
        return -XEN_ENOSPC;
    }
    port = (word * 32u) + (uint32_t)__builtin_ctz(~ed->used[word]);
    ed->used[word] |= BIT32(port % 32u);
    ed->port[port].queue = evtchn_queue(vcpu, EVTCHN_FIFO_DEFAULT);
    return (int64_t)port;
}

static int64_t alloc_unbound(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t who = arg->alloc_unbound.remote_dom;

    if (!is_self(ed, arg->alloc_unbound.dom)) {
        return -XEN_EPERM;
    }
    const uint64_t flags = spin_lock(&evtchn_lock);

    int64_t result = port_take(ed, 0u);

    if (result > 0) {
        arg->alloc_unbound.port = (uint32_t)result;
        ed->port[result].link = evtchn_link_unbound((who == XEN_DOMID_SELF) ? ed->domain->id : who);
        result = 0;
    }
    spin_unlock(&evtchn_lock, flags);
    return result;
}

static int64_t bind_interdomain(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    struct evtchn_domain *const peer = find(ed, arg->bind_interdomain.remote_dom);
    const uint32_t remote = hal_index(arg->bind_interdomain.remote_port, EVTCHN_PORTS);
    int64_t result = -XEN_EINVAL;

    if (peer == NULL) {
        return -XEN_ESRCH;
    }
    const uint64_t flags = spin_lock(&evtchn_lock);

    if ((remote != 0u) && (peer->port[remote].link == evtchn_link_unbound(ed->domain->id))) {
        result = port_take(ed, vcpu->index);
    }
    if (result > 0) {
        ed->port[result].link = evtchn_link_to(peer, remote);
        peer->port[remote].link = evtchn_link_to(ed, (uint32_t)result);
        arg->bind_interdomain.local_port = (uint32_t)result;
    }
    spin_unlock(&evtchn_lock, flags);
    if (result > 0) {
        evtchn_pend(ed, arg->bind_interdomain.local_port); /* for what the other end sent before */
        result = 0;
    }
    return result;
}

/* There is no virtual interrupt that this hypervisor raises. */
static int64_t bind_virq(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    (void)vcpu;
    return (arg->bind_virq.virq < XEN_NR_VIRQS) ? -XEN_EOPNOTSUPP : -XEN_EINVAL;
}

static int64_t bind_pirq(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    (void)vcpu;
    (void)arg;
    return -XEN_EOPNOTSUPP;
}

static int64_t bind_ipi(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;

    if (arg->bind_ipi.vcpu >= vcpu->domain->nr_vcpus) {
        return -XEN_ENOENT;
    }
    const uint64_t flags = spin_lock(&evtchn_lock);

    int64_t result = port_take(ed, hal_index(arg->bind_ipi.vcpu, vcpu->domain->nr_vcpus));

    if (result > 0) {
        ed->port[result].link = LINK_IPI;
        arg->bind_ipi.port = (uint32_t)result;
        result = 0;
    }
    spin_unlock(&evtchn_lock, flags);
    return result;
}

void evtchn_close(struct evtchn_domain *ed, uint32_t port)
{
    const uint64_t flags = spin_lock(&evtchn_lock);
    const uint32_t link = ed->port[port].link;

    if ((link != LINK_CLOSED) && ((link & LINK_STATIC) == 0u)) {
        if (evtchn_link_status(link) == EVTCHNSTAT_INTERDOMAIN) {
            evtchn_link_domain(link)->port[link & LINK_PORT_MASK].link = evtchn_link_unbound(ed->domain->id);
        }
        ed->port[port].link = LINK_CLOSED;
        ed->port[port].poller = 0u;
        evtchn_clear(ed, port);
        ed->used[port / 32u] &= ~BIT32(port % 32u);
    }
    spin_unlock(&evtchn_lock, flags);
}

/* The port of an operation, 0 if the domain does not have it. */
static uint32_t port_of(const struct evtchn_domain *ed, uint32_t number)
{
    const uint32_t port = hal_index(number, EVTCHN_PORTS);

    return (ed->port[port].link != LINK_CLOSED) ? port : 0u;
}

static int64_t close_port(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = port_of(ed, arg->port.port);

    if ((port == 0u) || ((ed->port[port].link & LINK_STATIC) != 0u)) {
        return -XEN_EINVAL;
    }
    evtchn_close(ed, port);
    return 0;
}

static int64_t send(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    return evtchn_send(vcpu, arg->port.port);
}

static int64_t status(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    const uint32_t port = hal_index(arg->status.port, EVTCHN_PORTS);
    const uint32_t link = ed->port[port].link;
    const struct evtchn_domain *const peer = evtchn_link_domain(link);

    if (!is_self(ed, arg->status.dom)) {
        return (find(ed, arg->status.dom) != NULL) ? -XEN_EPERM : -XEN_ESRCH;
    }
    if (port == 0u) {
        return -XEN_EINVAL;
    }
    arg->status.status = evtchn_link_status(link);
    arg->status.vcpu = evtchn_vcpu_of(&ed->port[port]);
    arg->status.peer_dom = (uint16_t)(link & LINK_PORT_MASK);
    if (arg->status.status == EVTCHNSTAT_INTERDOMAIN) {
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
    if ((port == 0u) || (ed->port[port].link == LINK_IPI)) {
        return -XEN_EINVAL;
    }
    ed->port[port].queue = evtchn_queue(hal_index(arg->port.to, vcpu->domain->nr_vcpus),
                                        ed->port[port].queue % EVTCHN_FIFO_QUEUES);
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

/* Static channels stay, as only the description of the system makes them. */
static int64_t reset(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    uint32_t closed = 0;

    if (!is_self(ed, arg->reset.dom)) {
        return -XEN_EPERM;
    }
    for (uint32_t port = 1; (port < EVTCHN_PORTS) && (closed < CLOSES_A_CALL); port++) {
        const uint32_t link = ed->port[port].link;

        if ((link != LINK_CLOSED) && ((link & LINK_STATIC) == 0u)) {
            evtchn_close(ed, port);
            closed++;
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

/* One page has words for all ports. */
static int64_t expand_array(struct vcpu *vcpu, union xen_evtchn_op *arg)
{
    struct evtchn_domain *const ed = vcpu->domain->events;
    int64_t result = 0;
    uint32_t *page = NULL;

    if (ed->abi != EVTCHN_FIFO) {
        return -XEN_EOPNOTSUPP;
    }
    if (ed->array != NULL) {
        return -XEN_ENOSPC;
    }
    page = evtchn_page_at(ed, arg->expand_array.array_gfn, &result);
    if (page != NULL) {
        ed->array = page;
        work_queue(&ed->work, WORK_ANY_CPU);
    }
    return result;
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
    ed->port[port].queue =
        evtchn_queue(evtchn_vcpu_of(&ed->port[port]), hal_index(arg->port.to, EVTCHN_FIFO_QUEUES));
    return 0;
}

int64_t evtchn_operate(struct vcpu *vcpu, uint32_t op, union xen_evtchn_op *arg)
{
    static int64_t (*const operation[EVTCHNOPS])(struct vcpu *vcpu, union xen_evtchn_op *arg) = {
        [EVTCHNOP_BIND_INTERDOMAIN] = bind_interdomain,
        [EVTCHNOP_BIND_VIRQ] = bind_virq,
        [EVTCHNOP_BIND_PIRQ] = bind_pirq,
        [EVTCHNOP_CLOSE] = close_port,
        [EVTCHNOP_SEND] = send,
        [EVTCHNOP_STATUS] = status,
        [EVTCHNOP_ALLOC_UNBOUND] = alloc_unbound,
        [EVTCHNOP_BIND_IPI] = bind_ipi,
        [EVTCHNOP_BIND_VCPU] = bind_vcpu,
        [EVTCHNOP_UNMASK] = unmask,
        [EVTCHNOP_RESET] = reset,
        [EVTCHNOP_INIT_CONTROL] = init_control,
        [EVTCHNOP_EXPAND_ARRAY] = expand_array,
        [EVTCHNOP_SET_PRIORITY] = set_priority,
    };

    return operation[hal_index(op, EVTCHNOPS)](vcpu, arg);
}

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
        } else if (!poller_join(vcpu, &ed->port[n])) {
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
