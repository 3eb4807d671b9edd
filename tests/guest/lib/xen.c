#include "xen.h"

int64_t xen_param(uint32_t index, uint64_t *value)
{
    struct xen_hvm_param param = { .domid = XEN_DOMID_SELF, .index = index, .value = UINT64_MAX - 1u };
    const int64_t result = xen_call(XEN_HCALL_HVM_OP, HVMOP_GET_PARAM, &param, 0u);

    *value = param.value;
    return result;
}

int64_t xen_param_set(uint32_t index, uint64_t value)
{
    const struct xen_hvm_param param = { .domid = XEN_DOMID_SELF, .index = index, .value = value };

    return xen_call(XEN_HCALL_HVM_OP, HVMOP_SET_PARAM, &param, 0u);
}

int64_t xen_place(uint32_t space, uint64_t idx, uint64_t gfn)
{
    const struct xen_add_to_physmap add = { XEN_DOMID_SELF, 0u, space, idx, gfn };

    return xen_call(XEN_HCALL_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, &add, 0u);
}

int64_t xen_vcpu_info(uint32_t vcpu, uint64_t gfn, uint32_t offset)
{
    const struct xen_register_vcpu_info info = { gfn, offset, 0u };

    return (int64_t)hypercall(XEN_HCALL_VCPU_OP, VCPUOP_REGISTER_VCPU_INFO, vcpu, (uintptr_t)&info);
}

int64_t xen_event(uint64_t op, union xen_evtchn_op *arg)
{
    return xen_call(XEN_HCALL_EVENT_CHANNEL_OP, op, arg, 0u);
}

int64_t xen_event_alloc(uint16_t remote)
{
    union xen_evtchn_op arg = { .alloc_unbound = { XEN_DOMID_SELF, remote, 0u } };
    const int64_t result = xen_event(EVTCHNOP_ALLOC_UNBOUND, &arg);

    return (result == 0) ? arg.alloc_unbound.port : result;
}

int64_t xen_event_bind(uint16_t remote, uint32_t port)
{
    union xen_evtchn_op arg = { .bind_interdomain = { remote, 0u, port, 0u } };
    const int64_t result = xen_event(EVTCHNOP_BIND_INTERDOMAIN, &arg);

    return (result == 0) ? arg.bind_interdomain.local_port : result;
}

int64_t xen_event_ipi(uint32_t vcpu)
{
    union xen_evtchn_op arg = { .bind_ipi = { vcpu, 0u } };
    const int64_t result = xen_event(EVTCHNOP_BIND_IPI, &arg);

    return (result == 0) ? arg.bind_ipi.port : result;
}

int64_t xen_event_port(uint64_t op, uint32_t port, uint32_t to)
{
    union xen_evtchn_op arg = { .port = { port, to } };

    return xen_event(op, &arg);
}

int64_t xen_event_status(uint32_t port)
{
    union xen_evtchn_op arg = { .status = { .dom = XEN_DOMID_SELF, .port = port } };
    const int64_t result = xen_event(EVTCHNOP_STATUS, &arg);

    return (result == 0) ? arg.status.status : result;
}

bool xen_port_pending(const volatile struct xen_shared_info *shared, uint32_t port)
{
    return (shared->evtchn_pending[port / 32u] & (1u << (port % 32u))) != 0u;
}

bool xen_port_take(struct xen_shared_info *shared, uint32_t port)
{
    const uint32_t bit = 1u << (port % 32u);

    return (__atomic_fetch_and(&shared->evtchn_pending[port / 32u], ~bit, __ATOMIC_SEQ_CST) & bit) != 0u;
}

/* Ports of a word that are pending and not masked */
static void take_word(struct xen_shared_info *shared, uint32_t word, void (*take)(uint32_t port))
{
    for (uint32_t bit = 0u; bit < 32u; bit++) {
        const uint32_t masked = *(volatile uint32_t *)&shared->evtchn_mask[word];

        if (((masked & (1u << bit)) == 0u) && xen_port_take(shared, (word * 32u) + bit)) {
            take((word * 32u) + bit);
        }
    }
}

void xen_upcall(struct xen_shared_info *shared, void (*take)(uint32_t port))
{
    uint32_t *const selector = shared->vcpu_info.pending_sel;

    __atomic_store_n(&shared->vcpu_info.upcall_pending, 0u, __ATOMIC_SEQ_CST);
    for (uint32_t half = 0u; half < 2u; half++) {
        uint32_t words = __atomic_exchange_n(&selector[half], 0u, __ATOMIC_SEQ_CST);

        for (uint32_t i = half * 64u; words != 0u; i += 2u) {
            if ((words & 1u) != 0u) {
                take_word(shared, i, take);
                take_word(shared, i + 1u, take);
            }
            words >>= 1u;
        }
    }
}
