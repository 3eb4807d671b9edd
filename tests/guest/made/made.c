/* A small domain that a control domain makes: it has a console ring, whose first byte says what it is for,
 * and its memory, of which it knows that it has to be zero. What it says goes to the ring.
 *   o  looks at its memory, leaves a pattern everywhere, and is off
 *   r  the same, and resets
 *   c  the same, and crashes
 *   b  gives each page of its memory back and takes it again, looks at them again, and is off
 *   h  all vCPUs work for ever: events, grants, memory
 * MADE <what> zero=<yes|no>; `no` says where. */
#include "arch.h"
#include "ring_console.h"
#include "xen.h"

#define TRACE        0x6D61646564616D65ULL
#define NR_GRANTS    4u
#define GRANTS_FIRST 8u
#define HOLE_PAGES   256u
#define DOZE_MS      3u

static volatile struct ring_console *ring;
static uint32_t ring_port;
static uint64_t ram_end;
static uint64_t tree_begin;
static uint64_t tree_end;
static volatile uint64_t turns[GUEST_CPUS_MAX];
static uint8_t given[NR_GRANTS][XEN_PAGE_BYTES] __attribute__((aligned(XEN_PAGE_BYTES)));
static uint8_t comes_and_goes[GUEST_CPUS_MAX][XEN_PAGE_BYTES] __attribute__((aligned(XEN_PAGE_BYTES)));

static void ring_put(char c)
{
    while ((ring->out_prod - ring->out_cons) >= RING_OUT) {
        arch_yield();
    }
    ring->out[ring->out_prod % RING_OUT] = c;
    arch_barrier();
    ring->out_prod = ring->out_prod + 1u;
    if (c == '\n') {
        (void)xen_event_port(EVTCHNOP_SEND, ring_port, 0u);
    }
}

/* For a while that others need */
static void doze(void)
{
    const uint64_t ms = timer_now() / (timer_frequency() / 1000u);
    const struct xen_sched_poll poll = { .timeout = (ms + DOZE_MS) * 1000000u };

    (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_POLL, &poll, 0u);
}

static char command(void)
{
    while (ring->in_prod == ring->in_cons) {
        doze();
    }
    const char what = ring->in[ring->in_cons % RING_IN];

    ring->in_cons = ring->in_cons + 1u;
    return what;
}

/* The first page at or above `at` that is neither image nor tree */
static uint64_t page_from(uint64_t at)
{
    const uint64_t image_end = ((uintptr_t)bss_end + XEN_PAGE_BYTES) & ~(uint64_t)(XEN_PAGE_BYTES - 1u);
    uint64_t found = (at < image_end) ? image_end : at;

    if ((found >= tree_begin) && (found < tree_end)) {
        found = tree_end;
    }
    return found;
}

static bool zero(uint64_t page)
{
    const volatile uint64_t *const word = (const volatile uint64_t *)(uintptr_t)page;
    uint64_t all = 0u;

    for (uint32_t i = 0u; i < (XEN_PAGE_BYTES / 8u); i++) {
        all |= word[i];
    }
    return all == 0u;
}

static const char *all_zero(void)
{
    bool clean = true;

    for (uint64_t page = page_from(0u); (page < ram_end) && clean; page = page_from(page + XEN_PAGE_BYTES)) {
        clean = zero(page);
        if (!clean) {
            print("MADE finds %X at %X\n", *(volatile uint64_t *)(uintptr_t)page, page);
        }
    }
    return clean ? "yes" : "no";
}

static void leave_traces(void)
{
    for (uint64_t page = page_from(0u); page < ram_end; page = page_from(page + XEN_PAGE_BYTES)) {
        volatile uint64_t *const word = (volatile uint64_t *)(uintptr_t)page;

        for (uint32_t i = 0u; i < (XEN_PAGE_BYTES / 8u); i++) {
            word[i] = TRACE ^ (uintptr_t)&word[i];
        }
    }
}

/* Hundreds of pages at a time, so that whole blocks are without any for a while */
static void balloon(void)
{
    uint64_t given_up[HOLE_PAGES];
    uint32_t wrong = 0u;

    for (uint64_t page = page_from(0u); page < ram_end;) {
        uint32_t nr = 0u;

        while ((nr < HOLE_PAGES) && (page < ram_end)) {
            given_up[nr] = page;
            nr++;
            page = page_from(page + XEN_PAGE_BYTES);
        }
        for (uint32_t i = 0u; i < nr; i++) {
            wrong += (xen_decrease(xen_gfn((void *)(uintptr_t)given_up[i])) != 1) ? 1u : 0u;
        }
        for (uint32_t i = 0u; i < nr; i++) {
            wrong += (xen_populate(xen_gfn((void *)(uintptr_t)given_up[i])) != 1) ? 1u : 0u;
        }
    }
    print("MADE balloon refused=%u zero=%s\n", wrong, all_zero());
}

/* -- For ever -- */

static void hammer(void)
{
    const uint32_t me = cpu_number();
    volatile uint64_t *const word = (volatile uint64_t *)(uintptr_t)(ram_end - XEN_PAGE_BYTES);

    for (;;) {
        turns[me]++;
        word[me] = turns[me];
        given[me % NR_GRANTS][turns[me] % XEN_PAGE_BYTES]++;
        (void)xen_event_port(EVTCHNOP_SEND, ring_port, 0u);
        if ((turns[me] % 64u) == 0u) {
            const int64_t port = xen_event_alloc(XEN_DOMID_SELF);

            (void)xen_decrease(xen_gfn(comes_and_goes[me]));
            (void)xen_populate(xen_gfn(comes_and_goes[me]));
            if (port > 0) {
                (void)xen_event_port(EVTCHNOP_CLOSE, (uint32_t)port, 0u);
            }
        }
    }
}

/* Its grants are for domain 0, or whoever made it: the bootargs' self. */
static void work(void)
{
    struct xen_grant_v1 *const table = (struct xen_grant_v1 *)(uintptr_t)XEN_GRANT_WINDOW;
    const uint16_t maker = (uint16_t)tree_number("self", 0u);

    if (xen_place(XENMAPSPACE_GRANT_TABLE, 0u, XEN_GRANT_WINDOW / XEN_PAGE_BYTES) == 0) {
        for (uint32_t i = 0u; i < NR_GRANTS; i++) {
            xen_grant_give(&table[GRANTS_FIRST + i], maker, xen_gfn(given[i]), GTF_PERMIT_ACCESS);
        }
    }
    print("MADE works\n");
    for (uint32_t cpu = 1u; (cpu < GUEST_CPUS_MAX) && (cpu_hwid(cpu) != UINT64_MAX); cpu++) {
        (void)cpu_on(cpu, hammer);
    }
    hammer();
}

static void places(void)
{
    const struct tree_node memory = tree_path("memory");
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    tree_begin = (uintptr_t)tree_blob(&bytes);
    tree_end = (tree_begin + bytes + XEN_PAGE_BYTES - 1u) & ~(uint64_t)(XEN_PAGE_BYTES - 1u);
    (void)tree_reg(&memory, 0u, &base, &bytes);
    ram_end = base + bytes;
}

void guest_main(void)
{
    uint64_t page = 0u;
    uint64_t port = 0u;

    (void)xen_param(HVM_PARAM_CONSOLE_PFN, &page);
    (void)xen_param(HVM_PARAM_CONSOLE_EVTCHN, &port);
    ring = (volatile struct ring_console *)(uintptr_t)(page * XEN_PAGE_BYTES);
    ring_port = (uint32_t)port;
    console_hook = ring_put;
    places();
    const char what = command();

    print("MADE %c zero=%s\n", what, all_zero());
    if (what == 'h') {
        work();
    }
    if (what == 'b') {
        leave_traces();
        balloon();
    }
    leave_traces();
    if (what == 'r') {
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    if (what == 'c') {
        (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_SHUTDOWN, &(const uint32_t){ SHUTDOWN_CRASH }, 0u);
    }
}
