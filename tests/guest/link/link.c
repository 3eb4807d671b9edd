/* One end of a link: traffic both ways with its peer, and a clock that must not notice anything. In the
 * bootargs: self= and peer= are domids, first=1 for one of the two, port= the channel's (0: it looks each
 * tick), lives= how many times it ends itself after that many seconds of traffic: by turns a reset and a
 * crash.
 *
 * A line each second: LINK <domain> bytes=<n> crc=ok, with all that ever came in, and what its clock felt. */
#include "event.h"
#include "guest.h"
#include "monitor.h"
#include "traffic.h"

#define TICKS_PER_SECOND 100u
#define BUDGET           64u

static uint64_t period;
static volatile uint64_t deadline;
static volatile uint64_t ticks;
static volatile uint64_t worst; /* counter units late */

static void tick(uint32_t intid)
{
    const uint64_t late = timer_now() - deadline;

    (void)intid;
    worst = (late > worst) ? late : worst;
    ticks++;
    deadline += period;
    timer_virt_set(deadline);
}

static void notify(void *ctx)
{
    const uint32_t *const port = ctx;

    event_send(*port);
}

static uint64_t restarts_of(uint64_t domid)
{
    struct domain_status status = { 0u, 0u, 0u };

    if (!domain_status(domid, &status)) {
        print("LINK FAIL: the state of %U is not told\n", domid);
    }
    return status.restarts;
}

static void report(const char *name, const struct traffic *t, uint64_t us)
{
    print("LINK %s bytes=%U crc=%s\n", name, t->bytes, t->bad ? "BAD" : "ok");
    print("LINK-CLOCK %s ticks=%U worst=%U us\n", name, ticks, (worst * us) / period);
}

static _Noreturn void end(const char *name, uint64_t life)
{
    print("LINK %s ends\n", name);
    arch_irq_mask();
    if ((life & 1u) == 0u) {
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    reg_write(vbar_el1, 0x7FFF0000u); /* where nothing is: the next exception ends the domain */
    __asm__ volatile("svc #0");
    for (;;) {
        arch_wait();
    }
}

void guest_main(void)
{
    static uint32_t port;
    static struct traffic t = { .in = { .ctx = &port }, .out = { .ctx = &port } };
    const char *const name = tree_domain_name();
    const struct tree_node node = tree_compatible("xen,shared-memory-v1");
    const uint64_t peer = tree_number("peer", 0u);
    const uint64_t life = restarts_of(tree_number("self", 0u));
    const uint64_t lives = tree_number("lives", 0u);
    uint64_t peer_life = restarts_of(peer);
    uint64_t seconds = 0u;
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    port = (uint32_t)tree_number("port", 0u);
    event_init(port);
    t.in.notify = (port != 0u) ? notify : NULL;
    t.out.notify = t.in.notify;
    if (!tree_reg(&node, 0u, &base, &bytes) ||
        !traffic_open(&t, (void *)(uintptr_t)base, bytes, tree_number("first", 0u) != 0u, (uint32_t)life)) {
        print("LINK FAIL: no window\n");
        power_off();
    }
    print("LINK %s starts, life %U, %U KiB at %X\n", name, life, bytes >> 10u, base);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
    period = timer_frequency() / TICKS_PER_SECOND;
    deadline = timer_now() + period;
    timer_virt_set(deadline);
    arch_irq_open();
    for (;;) {
        const uint64_t now = ticks;
        const bool busy = traffic_run(&t, BUDGET);

        if (t.restarted) {
            t.restarted = false;
            print("LINK %s peer restarted\n", name);
        }
        if (restarts_of(peer) != peer_life) {
            peer_life = restarts_of(peer);
            print("LINK %s peer's restarts: %U\n", name, peer_life);
        }
        if ((ticks / TICKS_PER_SECOND) != seconds) {
            seconds = ticks / TICKS_PER_SECOND;
            report(name, &t, 1000000u / TICKS_PER_SECOND);
            if ((life < lives) && (seconds >= 2u) && (t.bytes > 0u)) {
                end(name, life);
            }
        }
        arch_irq_mask(); /* until asleep */
        if (!busy && (ticks == now) && !event_came()) {
            arch_wait();
        }
        arch_irq_open();
    }
}
