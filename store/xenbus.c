#include "xenbus.h"

#include "abi/xen_grant.h"
#include "guest.h"
#include "monitor.h"
#include "xen.h"

#define VIRQ_DOM_EXC 3u
#define GRANT_RING   1u /* of each domain, for its xenstore */
#define POLLS_PER_S  50u
#define AT(client)   (XEN_GRANT_WINDOW + ((uint64_t)(client) * XEN_PAGE_BYTES))

static union {
    struct xen_shared_info info;
    uint8_t page[XEN_PAGE_BYTES];
} shared __attribute__((aligned(XEN_PAGE_BYTES)));

static struct {
    bool mapped;
    uint32_t handle;
    uint32_t port; /* 0: none */
} end[STORE_CLIENTS];

static volatile bool came;

static void take(uint32_t port)
{
    (void)port; /* who it is about shows in the rings */
}

static void event(uint32_t intid)
{
    (void)intid;
    xen_upcall(&shared.info, take);
    came = true;
}

static void poll(uint32_t intid)
{
    (void)intid;
    timer_virt_stop();
    came = true;
}

void xenbus_init(void)
{
    union xen_evtchn_op virq = { .bind_virq = { VIRQ_DOM_EXC, 0u, 0u } };
    const int64_t result = xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(&shared));

    irq_enable(XEN_PPI_EVENTS, IRQ_PRIORITY_LOW, event);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, poll);
    if ((result != 0) || (xen_event(EVTCHNOP_BIND_VIRQ, &virq) != 0)) {
        print("STORE FAIL: no events\n");
    }
}

uint64_t xenbus_life(uint16_t domid, bool *changing)
{
    struct domain_status status = { 0u, 0u, 0u };

    if (!domain_status(domid, &status)) {
        return 0u;
    }
    *changing = *changing || (status.state == DOMAIN_BUILDING) || (status.state == DOMAIN_STOPPING);
    return (status.state == DOMAIN_RUNNING) ? (status.restarts + 1u) : 0u;
}

void xenbus_detach(uint16_t client)
{
    struct xen_grant_unmap unmap = { .host_addr = AT(client), .handle = end[client].handle };

    if (end[client].port != 0u) {
        (void)xen_event_port(EVTCHNOP_CLOSE, end[client].port, 0u);
    }
    if (end[client].mapped) {
        (void)xen_call(XEN_HCALL_GRANT_TABLE_OP, GNTTABOP_UNMAP_GRANT_REF, &unmap, 1u);
    }
    end[client].port = 0u;
    end[client].mapped = false;
}

volatile struct xs_ring *xenbus_attach(uint16_t client, uint16_t domid)
{
    struct xen_grant_map map = {
        .host_addr = AT(client), .flags = GNTMAP_HOST_MAP, .ref = GRANT_RING, .dom = domid
    };
    struct xen_hvm_param param = { .domid = domid, .index = HVM_PARAM_STORE_EVTCHN };
    int64_t port = 0;

    xenbus_detach(client);
    if ((xen_call(XEN_HCALL_GRANT_TABLE_OP, GNTTABOP_MAP_GRANT_REF, &map, 1u) != 0) ||
        (map.status != GNTST_OKAY)) {
        return NULL;
    }
    end[client].mapped = true;
    end[client].handle = map.handle;
    if (xen_call(XEN_HCALL_HVM_OP, HVMOP_GET_PARAM, &param, 0u) == 0) {
        port = xen_event_bind(domid, (uint32_t)param.value);
    }
    if (port <= 0) {
        xenbus_detach(client);
        return NULL;
    }
    end[client].port = (uint32_t)port;
    return (volatile struct xs_ring *)(uintptr_t)AT(client);
}

void xenbus_notify(uint16_t client)
{
    (void)xen_event_port(EVTCHNOP_SEND, end[client].port, 0u);
}

void xenbus_wait(bool soon)
{
    if (soon) {
        timer_virt_set(timer_now() + (timer_frequency() / POLLS_PER_S));
    }
    arch_irq_mask();
    if (!came) {
        arch_wait();
    }
    arch_irq_open();
    came = false; /* before the caller looks */
}
