/* The 2-level ABI of Xen's public/event_channel.h and xen.h, for one vCPU. */
#include "event.h"

#include "guest.h"
#include "hypercall.h"

#define HYPERCALL_MEMORY_OP     12u
#define HYPERCALL_EVENT_CHANNEL 32u
#define XENMEM_ADD_TO_PHYSMAP   7u
#define EVTCHNOP_SEND           4u
#define DOMID_SELF              0x7FF0u
#define EVENT_PPI               31u
#define PAGE_BYTES              4096u

/* struct shared_info, as far as it is used */
struct shared {
    uint8_t upcall_pending;
    uint8_t pad[7];
    uint64_t pending_sel;
    uint8_t rest[32];
    uint64_t pending[64];
    uint64_t mask[64];
};

static union {
    struct shared shared;
    uint8_t page[PAGE_BYTES];
} info __attribute__((aligned(PAGE_BYTES)));
static volatile bool came;

static int64_t call(uint64_t number, uint64_t a, const void *b)
{
    return (int64_t)hypercall(number, a, (uintptr_t)b, 0u);
}

static void event_take(uint32_t intid)
{
    uint64_t words;

    (void)intid;
    __atomic_store_n(&info.shared.upcall_pending, 0u, __ATOMIC_SEQ_CST);
    words = __atomic_exchange_n(&info.shared.pending_sel, 0u, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0u; i < 64u; i++) {
        if ((words & (1ULL << i)) != 0u) {
            (void)__atomic_exchange_n(&info.shared.pending[i], 0u, __ATOMIC_SEQ_CST);
        }
    }
    came = true;
}

void event_init(uint32_t port)
{
    struct {
        uint16_t domid;
        uint16_t size;
        uint32_t space;
        uint64_t idx;
        uint64_t gpfn;
    } add = { DOMID_SELF, 0u, 0u, 0u, (uint64_t)(uintptr_t)&info / PAGE_BYTES };

    if (port != 0u) {
        const int64_t result = call(HYPERCALL_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, &add);

        if (result != 0) {
            print("LINK FAIL: shared_info: %d\n", (int32_t)result);
        }
        irq_enable(EVENT_PPI, IRQ_PRIORITY_LOW, event_take);
    }
}

void event_send(uint32_t port)
{
    const int64_t result = call(HYPERCALL_EVENT_CHANNEL, EVTCHNOP_SEND, &port);

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
