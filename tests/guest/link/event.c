/* The 2-level ABI of Xen's public/event_channel.h and xen.h, for one vCPU. */
#include "event.h"

#include "xen.h"

static union {
    struct xen_shared_info shared;
    uint8_t page[XEN_PAGE_BYTES];
} info __attribute__((aligned(XEN_PAGE_BYTES)));
static volatile bool came;

static void take(uint32_t port)
{
    (void)port;
    came = true;
}

static void event_take(uint32_t intid)
{
    (void)intid;
    xen_upcall(&info.shared, take);
}

void event_init(uint32_t port)
{
    if (port != 0u) {
        const int64_t result = xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(&info));

        if (result != 0) {
            print("LINK FAIL: shared_info: %d\n", (int32_t)result);
        }
        irq_enable(XEN_PPI_EVENTS, IRQ_PRIORITY_LOW, event_take);
    }
}

void event_send(uint32_t port)
{
    const int64_t result = xen_event_port(EVTCHNOP_SEND, port, 0u);

    if (result != 0) {
        print("LINK FAIL: send: %d\n", (int32_t)result);
    }
}

bool event_came(void)
{
    const bool any = came;

    if (any) {
        came = false; /* before the caller looks at what it is about */
    }
    return any;
}

bool event_pending(void)
{
    return came;
}
