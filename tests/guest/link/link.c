/* One end of a link: traffic both ways with its peer, and a clock that must not notice anything. In the
 * bootargs: self= and peer= are domids, first=1 for one of the two, port= the channel's (0: it looks each
 * tick), batches= of 64 messages each way at most from tick to tick,
 * lives= how many times it ends itself after that many seconds of traffic: by turns a reset and a
 * crash.
 *
 * bench=1: the benchmark instead. A line each second: LINK <domain> bytes=<n> crc=ok, with all that ever came
 * in, and what its clock felt. */
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
static uint64_t nr_events;

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
    print("LINK-CLOCK %s ticks=%U worst=%U us events=%U\n", name, ticks, (worst * us) / period, nr_events);
}

static _Noreturn void end(const char *name, uint64_t life)
{
    print("LINK %s ends\n", name);
    arch_irq_mask();
    if ((life & 1u) == 0u) {
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    reg_write(vbar_el1, LAYOUT_CODE); /* where nothing is: the next exception ends the domain */
    __asm__ volatile("svc #0");
    for (;;) {
        arch_wait();
    }
}

/* The benchmark: a MiB from the first end to the other, which logs the ticks that it took (marks of
 * bench/plugin/elmeter.c, which do nothing elsewhere). Never returns. */
static _Noreturn void bench(struct traffic *t, bool first)
{
    static uint64_t message[30];
    const uint64_t skip = 64u << 10u;
    uint64_t start = 0u;
    uint64_t bytes = 0u;
    uint32_t got = 0u;

    arch_irq_open();
    for (;;) {
        const uint64_t before = bytes;
        const enum ring_status status = first ? ring_send(&t->out, message, sizeof(message))
                                              : ring_receive(&t->in, message, sizeof(message), &got);

        bytes += first ? 0u : got;
        if ((before < skip) && (bytes >= skip)) {
            start = timer_now();
        }
        if ((before < (skip + (1u << 20u))) && (bytes >= (skip + (1u << 20u)))) {
            arch_mark(timer_now() - start);
        }
        arch_irq_mask();
        if ((status != RING_OK) && !event_pending()) {
            arch_wait();
        }
        arch_irq_open();
        (void)event_came();
    }
}

/* What it hears of its peer */
static void peer_look(const char *name, struct traffic *t, uint64_t peer, uint64_t *life)
{
    const uint64_t now = restarts_of(peer);

    if (t->restarted) {
        t->restarted = false;
        print("LINK %s peer restarted\n", name);
    }
    if (now != *life) {
        *life = now;
        print("LINK %s peer's restarts: %U\n", name, now);
    }
}

static void window_open(struct traffic *t, const char *name, uint64_t life)
{
    const struct tree_node node = tree_compatible("xen,shared-memory-v1");
    const bool first = tree_number("first", 0u) != 0u;
    uint64_t base = 0u;
    uint64_t bytes = 0u;

    if (!tree_reg(&node, 0u, &base, &bytes) ||
        !traffic_open(t, (void *)(uintptr_t)base, bytes, first, (uint32_t)life)) {
        print("LINK FAIL: no window\n");
        power_off();
    }
    if (tree_number("bench", 0u) != 0u) {
        bench(t, first);
    }
    print("LINK %s starts, life %U, %U KiB at %X\n", name, life, bytes >> 10u, base);
}

static void clock_start(void)
{
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
    period = timer_frequency() / TICKS_PER_SECOND;
    deadline = timer_now() + period;
    timer_virt_set(deadline);
    arch_irq_open();
}

/* Traffic until the second is over. With a channel nothing is looked at without an event: a lost one ends
 * it. */
static void second(struct traffic *t, bool by_events, uint64_t most)
{
    const uint64_t end = ((ticks / TICKS_PER_SECOND) + 1u) * TICKS_PER_SECOND;
    static bool busy = true;
    uint64_t batches = 0u;

    while (ticks < end) {
        const uint64_t now = ticks;
        const bool came = event_came();

        nr_events += came ? 1u : 0u;
        busy = busy || came || !by_events;
        if (busy && (batches < most)) {
            batches++;
            busy = traffic_run(t, BUDGET);
        }
        arch_irq_mask(); /* until asleep */
        if ((!busy || (batches == most)) && (ticks == now) && !event_pending()) {
            arch_wait();
        }
        arch_irq_open();
        batches = (ticks == now) ? batches : 0u;
    }
}

void guest_main(void)
{
    static uint32_t port;
    static struct traffic t = { .in = { .ctx = &port }, .out = { .ctx = &port } };
    const char *const name = tree_domain_name();
    const uint64_t peer = tree_number("peer", 0u);
    const uint64_t life = restarts_of(tree_number("self", 0u));
    const uint64_t lives = tree_number("lives", 0u);
    uint64_t peer_life = restarts_of(peer);

    port = (uint32_t)tree_number("port", 0u);
    event_init(port);
    t.in.notify = (port != 0u) ? notify : NULL;
    t.out.notify = t.in.notify;
    window_open(&t, name, life);
    clock_start();
    for (uint64_t seconds = 1u;; seconds++) {
        second(&t, port != 0u, tree_number("batches", UINT64_MAX));
        peer_look(name, &t, peer, &peer_life);
        report(name, &t, 1000000u / TICKS_PER_SECOND);
        if ((life < lives) && (seconds >= 2u) && (t.bytes > 0u)) {
            end(name, life);
        }
    }
}
