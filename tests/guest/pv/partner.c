/* The other end of the guest's exchanges, in the manner of a backend: it maps the guest's mailbox as soon as
 * there is one, by turns over a page of its own RAM and into a hole, and answers. Its own page of patterns is
 * granted to the guest all the time. */
#include "pv.h"

static union page shared __attribute__((aligned(XEN_PAGE_BYTES)));
static union page patterns __attribute__((aligned(XEN_PAGE_BYTES)));
static union page place __attribute__((aligned(XEN_PAGE_BYTES)));

static volatile struct mailbox *const box = &place.mailbox;

/* Maps the mailbox if it is one of a way that was not answered yet. */
static bool find(uint32_t last, uint32_t *handle)
{
    const int64_t result = xen_grant_map(pv_peer, REF_MAILBOX, (uintptr_t)&place, GNTMAP_HOST_MAP, handle);
    bool found = result == GNTST_OKAY;

    if (found && ((box->magic != MAILBOX_MAGIC) || (box->way == last))) {
        must("unmap", xen_grant_unmap((uintptr_t)&place, *handle), GNTST_OKAY);
        found = false;
    }
    return found;
}

static void answer(uint32_t way)
{
    const int64_t port = xen_event_bind(pv_peer, box->port);

    must("bind", port > 0, 1);
    for (uint32_t i = 0u; i < (XEN_PAGE_BYTES / 4u); i++) {
        patterns.word[i] = pattern(way, i);
    }
    arch_barrier();
    box->answer = way;
    must("send", xen_event_port(EVTCHNOP_SEND, (uint32_t)port, 0u), 0);
    must("done", wait_for(&box->done, way), 1);
    must("close", xen_event_port(EVTCHNOP_CLOSE, (uint32_t)port, 0u), 0);
}

/* A guest that ends takes its page away: what is seen then is zero, and giving it back works as ever. */
static void see_revoked(uint32_t way)
{
    box->answer = way;
    must("revoked", wait_for(&box->magic, 0u), 1);
    must("writes to nobody", (box->way = 77u) == 77u, 1);
    print("PV partner sees the page revoked\n");
}

_Noreturn void partner(void)
{
    uint32_t last = 0u;
    uint32_t handle = 0u;

    must("shared_info", xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(&shared)), 0);
    must("grant frame", xen_place(XENMAPSPACE_GRANT_TABLE, 0u, XEN_GRANT_WINDOW / XEN_PAGE_BYTES), 0);
    xen_grant_give(&((union page *)(uintptr_t)XEN_GRANT_WINDOW)->grant[REF_PATTERN], pv_peer,
                   xen_gfn(&patterns), GTF_PERMIT_ACCESS);
    for (;;) {
        if (find(last, &handle)) {
            last = box->way;
            if (box->port != 0u) {
                answer(last);
            } else {
                see_revoked(last);
            }
            must("unmap", xen_grant_unmap((uintptr_t)&place, handle), GNTST_OKAY);
            if ((last & 1u) != 0u) {
                must("populate", xen_populate(xen_gfn(&place)), 1);
                must("a page of zeros", place.word[5], 0);
            }
            print("PV partner served %u\n", last);
        }
        arch_yield();
    }
}
