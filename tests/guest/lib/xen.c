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

static int64_t reserve(uint64_t op, uint64_t gfn)
{
    const struct xen_memory_reservation extents = { .extent_start = (uintptr_t)&gfn,
                                                    .nr_extents = 1u,
                                                    .domid = XEN_DOMID_SELF };

    return xen_call(XEN_HCALL_MEMORY_OP, op, &extents, 0u);
}

int64_t xen_populate(uint64_t gfn)
{
    return reserve(XENMEM_POPULATE_PHYSMAP, gfn);
}

int64_t xen_decrease(uint64_t gfn)
{
    return reserve(XENMEM_DECREASE_RESERVATION, gfn);
}

int64_t xen_remove(uint64_t gfn)
{
    const struct xen_remove_from_physmap remove = { .domid = XEN_DOMID_SELF, .gpfn = gfn };

    return xen_call(XEN_HCALL_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, &remove, 0u);
}

int64_t xen_grant_op(uint64_t op, void *arg, uint32_t count)
{
    return xen_call(XEN_HCALL_GRANT_TABLE_OP, op, arg, count);
}

int64_t xen_grant_map(uint16_t domid, uint32_t ref, uint64_t at, uint32_t flags, uint32_t *handle)
{
    struct xen_grant_map map = { .host_addr = at, .flags = flags, .ref = ref, .dom = domid };
    const int64_t result = xen_grant_op(GNTTABOP_MAP_GRANT_REF, &map, 1u);

    *handle = map.handle;
    return (result == 0) ? map.status : result;
}

int64_t xen_grant_unmap(uint64_t at, uint32_t handle)
{
    struct xen_grant_unmap unmap = { .host_addr = at, .handle = handle };
    const int64_t result = xen_grant_op(GNTTABOP_UNMAP_GRANT_REF, &unmap, 1u);

    return (result == 0) ? unmap.status : result;
}

int64_t xen_grant_copy(const struct xen_grant_copy_end *from, const struct xen_grant_copy_end *to,
                       uint16_t bytes, uint16_t flags)
{
    struct xen_grant_copy copy = { .source = *from, .dest = *to, .len = bytes, .flags = flags };
    const int64_t result = xen_grant_op(GNTTABOP_COPY, &copy, 1u);

    return (result == 0) ? copy.status : result;
}

void xen_grant_give(struct xen_grant_v1 *entry, uint16_t domid, uint64_t gfn, uint32_t flags)
{
    volatile struct xen_grant_v1 *const e = entry;

    e->frame = (uint32_t)gfn;
    arch_barrier();
    e->flags_domid = ((uint32_t)domid << 16u) | flags;
    arch_barrier();
}

bool xen_grant_end(struct xen_grant_v1 *entry)
{
    uint32_t old = __atomic_load_n(&entry->flags_domid, __ATOMIC_SEQ_CST);

    while (((old & (GTF_READING | GTF_WRITING)) == 0u) &&
           !__atomic_compare_exchange_n(&entry->flags_domid, &old, 0u, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
        arch_yield();
    }
    return (old & (GTF_READING | GTF_WRITING)) == 0u;
}

int64_t xen_console_write(const char *text, uint32_t bytes)
{
    return (int64_t)hypercall(XEN_HCALL_CONSOLE_IO, CONSOLEIO_WRITE, bytes, (uintptr_t)text);
}

int64_t xen_console_read(char *text, uint32_t bytes)
{
    return (int64_t)hypercall(XEN_HCALL_CONSOLE_IO, CONSOLEIO_READ, bytes, (uintptr_t)text);
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
