/* memory_op: reservations at the edges of what numbers can say, more memory than there is, pages given up and
 * taken again while others use them. What comes back has to be zero: HOSTILE-REACHED. And calls by lists,
 * privileged calls, texts and times. */
#include "hostile.h"
#include "xen.h"

#define NR_PAGES    16u
#define NR_CALLS    64u
#define TIMEOUT_OP  3u
#define WATCHDOG_OP 6u

union page {
    volatile uint64_t word[XEN_PAGE_BYTES / 8u];
    struct xen_multicall_entry call[NR_CALLS];
};
static union page pages[GUEST_CPUS_MAX][NR_PAGES] __attribute__((aligned(XEN_PAGE_BYTES)));
/* Of each vCPU, and of all of them; the second page goes while a list may be longer than the first. */
static union page lists[GUEST_CPUS_MAX][2] __attribute__((aligned(XEN_PAGE_BYTES)));
static union page common __attribute__((aligned(XEN_PAGE_BYTES)));
static union page both[2] __attribute__((aligned(XEN_PAGE_BYTES)));

static void reached(const char *what, uint64_t a, uint64_t b)
{
    print("HOSTILE-REACHED %s %U %U\n", what, a, b);
}

/* Behind a list is nothing. */
static bool list_ends(union page list[2])
{
    return xen_remove(xen_gfn(&list[1])) == 0;
}

static uint64_t extreme(void)
{
    const uint64_t list[] = { 0u,
                              1u,
                              511u,
                              0xFFFFu,
                              (1ULL << 26u) - 1u,
                              1ULL << 26u,
                              1ULL << 31u,
                              UINT32_MAX,
                              1ULL << 32u,
                              1ULL << 52u,
                              1ULL << 58u,
                              1ULL << 63u,
                              UINT64_MAX - 1u,
                              UINT64_MAX,
                              (uintptr_t)lists[cpu_number()],
                              (uintptr_t)lists[cpu_number()] + 4u,
                              (uintptr_t)lists[cpu_number()] + XEN_PAGE_BYTES - 4u,
                              xen_gfn(&pages[cpu_number()][0]),
                              LAYOUT_NOWHERE,
                              LAYOUT_NOWHERE / XEN_PAGE_BYTES };

    return list[random64() % (sizeof(list) / sizeof(list[0]))];
}

static void list_fill(void)
{
    for (uint32_t i = 0u; i < 64u; i++) {
        lists[cpu_number()][0].word[i] =
            ((random64() & 3u) == 0u) ? extreme() : xen_gfn(&pages[cpu_number()][random64() % NR_PAGES]);
    }
}

/* MEM-1: any operation, any extents; where it goes on, too, is the caller's word. */
static void reservations(void)
{
    /* an extent of several pages would be the program's own */
    static const uint32_t orders[] = { 0u, 0u, 0u, 10u, 18u, 31u, 32u, 63u, 64u, UINT32_MAX };
    const bool ends = list_ends(lists[cpu_number()]);

    for (uint64_t i = 0u; ends && storm_goes(i, 4000u); i++) {
        const uint32_t how = (uint32_t)random64();
        uint64_t words[6];

        list_fill();
        for (uint32_t w = 0u; w < 6u; w++) {
            words[w] = extreme();
        }
        words[0] = ((how & 1u) != 0u) ? (uintptr_t)lists[cpu_number()] : words[0];
        words[1] = ((how & 2u) != 0u) ? (random64() & 63u) : words[1];
        words[2] = (random64() << 32u) | orders[random64() % (sizeof(orders) / sizeof(orders[0]))];
        words[2] &= ((how & 4u) != 0u) ? UINT32_MAX : UINT64_MAX; /* often without flags */
        words[3] = ((how & 8u) != 0u) ? XEN_DOMID_SELF : (random64() & 3u);
        (void)attempt(XEN_HCALL_MEMORY_OP, (how >> 8u) & (((how & 16u) != 0u) ? 31u : UINT32_MAX),
                      (uintptr_t)words, 0u);
    }
    if (ends) {
        (void)xen_populate(xen_gfn(&lists[cpu_number()][1]));
    }
}

/* MEM-2, MEM-3, P2M-2: pages of all vCPUs go and come, one vCPU's list of them lies in one that goes. What
 * comes is zero, and no more comes than went. */
static void ballooning(void)
{
    for (uint32_t i = 0u; i < NR_PAGES; i++) {
        (void)xen_populate(xen_gfn(&pages[cpu_number()][i])); /* which earlier attacks left away */
    }
    for (uint64_t i = 0u; storm_goes(i, 200u); i++) {
        union page *const page = &pages[cpu_number()][random64() % NR_PAGES];
        const uint64_t gfn = xen_gfn(page);
        int64_t came = 0;

        tried(3u);
        page->word[11] = random64() | 1u;
        if (xen_decrease(gfn) == 1) {
            if (((i & 7u) == 0u) && (xen_populate(xen_gfn((const void *)(uintptr_t)LAYOUT_NOWHERE)) > 0)) {
                (void)xen_decrease(xen_gfn((const void *)(uintptr_t)LAYOUT_NOWHERE));
            }
            came = xen_populate(gfn);
            if ((came == 1) && (page->word[11] != 0u)) {
                reached("a page that is not zero", gfn, page->word[11]);
            }
        }
        if ((came == 1) && (xen_populate(gfn) > 0)) {
            reached("a page more than it has", gfn, 0u);
        }
        (void)xen_remove(xen_gfn(&common));
        (void)attempt(XEN_HCALL_XEN_VERSION, XENVER_CAPABILITIES, (uintptr_t)&common, 0u);
        (void)xen_populate(xen_gfn(&common));
    }
}

/* TRAP-2: lists of calls that write over themselves, hold lists, and change while they are worked on */
static void call_lists(void)
{
    static const uint8_t numbers[] = { XEN_HCALL_MEMORY_OP,        XEN_HCALL_XEN_VERSION, XEN_HCALL_MULTICALL,
                                       XEN_HCALL_GRANT_TABLE_OP,   XEN_HCALL_VCPU_OP,     XEN_HCALL_SCHED_OP,
                                       XEN_HCALL_EVENT_CHANNEL_OP, XEN_HCALL_HVM_OP,      0u };

    const bool ends = list_ends(lists[cpu_number()]);

    (void)list_ends(both); /* of all vCPUs the first is told so */

    for (uint64_t i = 0u; ends && storm_goes(i, 500u); i++) {
        union page *const list = ((i & 1u) != 0u) ? both : lists[cpu_number()];

        for (uint32_t n = 0u; n < NR_CALLS; n++) {
            const uint8_t number = numbers[random64() % sizeof(numbers)];

            list->call[n] =
                (struct xen_multicall_entry){ .op = number, .args = { random64() & 15u, extreme() } };
            if (number == XEN_HCALL_SCHED_OP) {
                /* yield: the others end or sleep, and in a list of all it may become any */
                list->call[n].op = (list == both) ? 0u : number;
                list->call[n].args[0] = 0u;
            }
            list->call[n].args[1] = ((random64() & 1u) != 0u) ? (uintptr_t)&list->call[random64() % NR_CALLS]
                                                              : list->call[n].args[1];
        }
        (void)attempt(XEN_HCALL_MULTICALL, (uintptr_t)list, ((i & 8u) != 0u) ? extreme() : (random64() & 63u),
                      0u);
    }
    if (ends) {
        (void)xen_populate(xen_gfn(&lists[cpu_number()][1]));
    }
}

/* PRIV-1: no operation that belongs to a control domain is this one's, whatever its version says. */
static void denied(void)
{
    static const struct {
        uint8_t number;
        uint32_t version[2]; /* the call's second word, of platform_op its first */
    } calls[] = { { 7u, { 0x03000001u, 0x03000001u } },
                  { 27u, { 1u, 1u } },
                  { 35u, { 0x15u, 0x16u } },
                  { 36u, { 0x17u, 0x18u } },
                  { 41u, { 0u, 0u } },
                  { 42u, { 0u, 0u } },
                  { 33u, { 0u, 0u } },
                  { 39u, { 0u, 0u } } };
    uint32_t words[64];

    for (uint32_t i = 0u; i < (sizeof(calls) / sizeof(calls[0])); i++) {
        for (uint32_t op = 0u; op < 128u; op++) {
            for (uint32_t w = 0u; w < 64u; w++) {
                words[w] = (uint32_t)random64() & 3u;
            }
            words[0] = op;
            words[1] = calls[i].version[op & 1u];
            if (calls[i].number == 7u) {
                words[0] = calls[i].version[0];
                words[1] = op;
            }
            for (uint32_t domid = 0u; domid < 3u; domid++) {
                const bool packed = (calls[i].number == 33u) || (calls[i].number == 41u);

                words[2] = domid;
                if (attempt(calls[i].number, packed ? op : (uintptr_t)words, (uintptr_t)words, 1u) >= 0) {
                    reached("a call of control domains", calls[i].number, op);
                }
            }
        }
    }
}

/* LOG-1, TIME-1: text and waits without bound, timers of the past and of the end of time */
static void texts_and_times(void)
{
    static const uint32_t port = 1u;
    uint32_t watchdog[2];

    (void)xen_populate(xen_gfn(&pages[cpu_number()][1]));
    const bool ends = xen_remove(xen_gfn(&pages[cpu_number()][1])) == 0; /* where the text does */

    for (uint64_t i = 0u; ends && storm_goes(i, 200u); i++) {
        struct xen_sched_poll poll = { (uintptr_t)&port, 1u, 0u, random64() >> 63u };

        (void)attempt(XEN_HCALL_CONSOLE_IO, random64() & 3u,
                      ((i & 15u) == 0u) ? extreme() : (random64() & 127u),
                      (uintptr_t)&pages[cpu_number()][0]);
        poll.timeout = 1u + (random64() & 1u);
        (void)attempt(XEN_HCALL_SCHED_OP, TIMEOUT_OP, (uintptr_t)&poll, 0u);
        watchdog[0] = (uint32_t)random64() & 3u;
        watchdog[1] = UINT32_MAX - ((uint32_t)random64() & 3u);
        (void)attempt(XEN_HCALL_SCHED_OP, WATCHDOG_OP, (uintptr_t)watchdog, 0u);
        watchdog[0] = 1u + ((uint32_t)random64() & 1u);
        watchdog[1] = 0u; /* off; of a new one it would be the end */
        (void)attempt(XEN_HCALL_SCHED_OP, WATCHDOG_OP, (uintptr_t)watchdog, 0u);
    }
    (void)xen_populate(xen_gfn(&pages[cpu_number()][1]));
}

/* VCPU-1: areas of times at each offset, beyond the end, where nothing is and in a page that goes */
static void runstates(void)
{
    for (uint64_t i = 0u; storm_goes(i, 100u); i++) {
        uint64_t area =
            ((i & 3u) == 0u) ? extreme() : ((uintptr_t)&pages[cpu_number()][1] + (random64() & 0x1FFFu));

        (void)attempt(XEN_HCALL_VCPU_OP, VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA,
                      ((i & 7u) == 0u) ? extreme() : cpu_number(), (uintptr_t)&area);
        (void)attempt(XEN_HCALL_VM_ASSIST, random64() & 1u, random64() & 7u, 0u);
        (void)xen_remove(xen_gfn(&pages[cpu_number()][1]));
        (void)attempt(XEN_HCALL_SCHED_OP, 0u, 0u, 0u);
        (void)xen_populate(xen_gfn(&pages[cpu_number()][1]));
    }
}

const struct attack attacks_pages[] = {
    { "reservations", reservations, true },
    { "ballooning", ballooning, true },
    { "call_lists", call_lists, true },
    { "denied", denied, true },
    { "texts_and_times", texts_and_times, true },
    { "runstates", runstates, true },
    { NULL, NULL, false },
};
