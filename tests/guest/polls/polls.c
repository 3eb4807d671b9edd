/* A client of the xenstore as boot loaders are: no interrupts, no shared_info, it asks for the ring's page
 * and then looks at the ring until the answer is there. Every answer is compared; the requests go round the
 * ring many times. POLLS <name> requests=<n> faults=<n> */
#include "xen.h"

#define XS_READ    2u
#define XS_WRITE   11u
#define XS_RM      13u
#define XS_ERROR   16u
#define LATER      UINT64_MAX
#define ROUNDS     100u
#define PATIENCE_S 20u

struct header {
    uint32_t type;
    uint32_t req_id;
    uint32_t tx_id;
    uint32_t len;
};

struct reply {
    struct header header;
    char text[64];
};

static volatile struct xen_store_ring *ring;
static uint32_t port;
static uint32_t requests;
static uint32_t faults;
static uint64_t until; /* by then the answer must have begun or gone on */

static bool late(void)
{
    arch_yield();
    return timer_now() > until;
}

static void must(const char *what, bool good)
{
    if (!good) {
        faults++;
        print("POLLS FAIL %s at request %u\n", what, requests);
    }
}

static uint32_t length(const char *text)
{
    uint32_t n = 0u;

    while (text[n] != '\0') {
        n++;
    }
    return n;
}

static void tell(void)
{
    must("send", xen_event_port(EVTCHNOP_SEND, port, 0u) == 0);
}

/* A byte at a time, which is what the store must bear: it sees each of them come. */
static void put(const void *from, uint32_t bytes)
{
    const uint8_t *const byte = from;

    for (uint32_t i = 0u; i < bytes; i++) {
        const uint32_t prod = ring->req_prod;

        until = timer_now() + (PATIENCE_S * timer_frequency());
        while (((prod - ring->req_cons) == sizeof(ring->req)) && !late()) {
            tell();
        }
        ring->req[prod % sizeof(ring->req)] = byte[i];
        arch_barrier();
        ring->req_prod = prod + 1u;
    }
}

static void get(void *to, uint32_t bytes)
{
    uint8_t *const byte = to;

    for (uint32_t i = 0u; i < bytes; i++) {
        const uint32_t cons = ring->rsp_cons;

        until = timer_now() + (PATIENCE_S * timer_frequency());
        while ((ring->rsp_prod == cons) && !late()) {
        }
        must("an answer", ring->rsp_prod != cons);
        arch_barrier();
        byte[i] = ring->rsp[cons % sizeof(ring->rsp)];
        arch_barrier();
        ring->rsp_cons = cons + 1u;
    }
}

/* value NULL: none. The answer's text ends with a NUL here. */
static void ask(uint32_t type, const char *path, const char *value, struct reply *reply)
{
    const uint32_t more = (value != NULL) ? length(value) : 0u;
    const struct header header = { type, requests, 0u, length(path) + 1u + more };

    put(&header, sizeof(header));
    put(path, length(path) + 1u);
    put(value, more);
    tell();
    get(&reply->header, sizeof(reply->header));
    must("the request's number", reply->header.req_id == requests);
    must("a short answer", reply->header.len < sizeof(reply->text));
    if (reply->header.len < sizeof(reply->text)) {
        get(reply->text, reply->header.len);
        reply->text[reply->header.len] = '\0';
    }
    requests++;
}

static bool says(const struct reply *reply, uint32_t type, const char *text)
{
    uint32_t i = 0u;

    while ((text[i] != '\0') && (text[i] == reply->text[i])) {
        i++;
    }
    return (reply->header.type == type) && (text[i] == reply->text[i]);
}

void guest_main(void)
{
    const char *const name = tree_domain_name();
    uint64_t value = LATER;
    struct reply reply;
    char count[] = "value 00";

    until = timer_now() + (PATIENCE_S * timer_frequency());
    while (((xen_param(HVM_PARAM_STORE_PFN, &value) != 0) || (value == LATER)) && !late()) {
    }
    must("a page", value != LATER);
    ring = (volatile struct xen_store_ring *)(uintptr_t)(value * XEN_PAGE_BYTES);
    must("a port", (xen_param(HVM_PARAM_STORE_EVTCHN, &value) == 0) && (value != 0u));
    port = (uint32_t)value;
    while ((ring->connection != XENSTORE_CONNECTED) && !late()) {
    }
    ask(XS_READ, "name", NULL, &reply);
    must("its name", says(&reply, XS_READ, name));
    ask(XS_READ, "data/nothing", NULL, &reply);
    must("nothing there", says(&reply, XS_ERROR, "ENOENT"));
    for (uint32_t i = 0u; i < ROUNDS; i++) {
        count[6] = (char)('0' + (i / 10u));
        count[7] = (char)('0' + (i % 10u));
        ask(XS_WRITE, "data/polls", count, &reply);
        must("written", says(&reply, XS_WRITE, "OK"));
        ask(XS_READ, "data/polls", NULL, &reply);
        must("read back", says(&reply, XS_READ, count));
    }
    ask(XS_RM, "data/polls", NULL, &reply);
    must("removed", says(&reply, XS_RM, "OK"));
    print("POLLS %s requests=%u faults=%u\n", name, requests, faults);
    for (;;) {
        arch_wait();
    }
}
