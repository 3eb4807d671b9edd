/* A domain's console that a control domain's tools serve, over the lives of both ends.
 * [test->req~console-tools~1] */
#include "sim_guest.h"

#include <libfdt.h>

#include "domain/p2m.h"
#include "evtchn/evtchn_core.h"

/* clang-format off */
#define TOOLS \
    BOARD("credit2") \
    DOMAIN("1", "2", " capabilities = <5>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", " xen,enhanced; bulkhead,console = \"tools\";") \
    DOMAIN("3", "1", " xen,enhanced;") BOARD_END
/* clang-format on */

#define PORT   2u /* the first is the store's */
#define WINDOW (GUEST_RAM + 0x108000ULL)
#define PAGE   (0x39000ULL << 12u)

static struct xen_console_ring *ring;

/* As xenconsoled does, by its second way */
static uint32_t serve(void)
{
    struct xen_add_to_physmap_batch batch = {
        .domid = 0x7FF0u, .space = 4u, .size = 1u, .foreign_domid = 2u
    };
    const uint64_t idx = 0x39000u;
    const uint64_t gpfn = place(one, WINDOW) >> 12u;
    uint32_t port = 0;
    int32_t err = 1;

    batch.idxs = place(one, ARGS) + 0x100u;
    batch.gpfns = place(one, ARGS) + 0x200u;
    batch.errs = place(one, ARGS) + 0x300u;
    put(one, ARGS, &batch, sizeof(batch));
    put(one, ARGS + 0x100u, &idx, sizeof(idx));
    put(one, ARGS + 0x200u, &gpfn, sizeof(gpfn));
    MUST(call(one, 12u, XENMEM_ADD_TO_PHYSMAP_BATCH, place(one, ARGS), 0u) == 0);
    get(one, ARGS + 0x300u, &err, sizeof(err));
    MUST(err == 0);
    MUST(bind(one, 2u, PORT, &port) == 0);
    MUST(status(one, port) == EVTCHNSTAT_INTERDOMAIN);
    forget(one, port);
    return port;
}

static void say(const char *text)
{
    for (; *text != '\0'; text++) {
        uart_put(two, 0u, (uint64_t)*text);
    }
}

static void lives(void)
{
    struct xen_console_ring seen;
    uint32_t port = 0;

    source = TOOLS;
    begin();
    ring = domain("domU2")->ring[DOMAIN_CONSOLE];
    MUST((ring != NULL) && (domain("domU1")->ring[DOMAIN_CONSOLE] == NULL));
    MUST((domain("domU3")->ring[DOMAIN_CONSOLE] == NULL) && (status(two, PORT) == EVTCHNSTAT_UNBOUND));
    say("nobody\n");
    MUST(ring->out_prod == 0u);
    MUST(bind(two, 2u, PORT, &port) == -XEN_EINVAL);

    port = serve();
    say("hello\n");
    MUST(pending(one, port) && (ring->out_prod == 6u));
    MUST(fake_guest_read(&one->domain->hal.map, gpa(place(one, WINDOW)), &seen, sizeof(seen)));
    MUST(memcmp(seen.out, "hello\n", 6u) == 0);
    forget(one, port);

    uart_put(two, UART_IMSC,
             0x40u); /* what is typed arrives with the event, and interrupts the guest only so */
    (void)memcpy(ring->in, "abc", 3u);
    ring->in_prod = 3u;
    MUST(!fake_guest_line(&two->domain->hal, UART_INTID));
    MUST(send(one, port) == 0);
    MUST(fake_guest_line(&two->domain->hal, UART_INTID) && (ring->in_cons == 3u) && !pending(two, PORT));

    guest_asks(two, HAL_DOMAIN_RESET); /* another life: the same page and port, and who serves them hears */
    until(two->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(two);
    MUST((status(one, port) == EVTCHNSTAT_INTERDOMAIN) && pending(one, port));
    forget(one, port);
    say("again\n");
    MUST(pending(one, port) && (ring->out_prod == 12u));
    MUST(fake_guest_read(&one->domain->hal.map, gpa(place(one, WINDOW)), &seen, sizeof(seen)));
    MUST(memcmp(seen.out, "hello\nagain\n", 12u) == 0);

    guest_asks(one, HAL_DOMAIN_RESET); /* another control domain */
    until(one->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(one);
    share(one);
    share(two);
    MUST(status(two, PORT) == EVTCHNSTAT_UNBOUND);
    say("nobody\n");
    MUST(ring->out_prod == 12u);
    port = serve();
    say("!\n");
    MUST(pending(one, port) && (ring->out_prod == 14u));
    MUST(on_port(one, EVTCHNOP_CLOSE, port, 0u) == 0);
    say("nobody\n");
    MUST(ring->out_prod == 14u);

    MUST(on_port(two, EVTCHNOP_CLOSE, PORT, 0u) == 0); /* the guest's own wish */
    MUST(bind(one, 2u, PORT, &port) == -XEN_EINVAL);
    say("nobody\n");
    MUST(ring->out_prod == 14u);
}

static void test_lives(void **state)
{
    (void)state;
    scenario(lives);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lives) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
