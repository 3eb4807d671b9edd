/* The neighbour: it sits beside a domain that misbehaves, does honest work, and says in the end what it felt
 * of it.
 *
 * What must not change while the other one (bootargs: peer=<domid>) does its worst:
 *  - its tick. 1000 expiries a second of the virtual timer, each set by adding to the last one, so that none
 *  can be
 *    skipped. An expiry is missed when its interrupt does not come: the comparator is past by MARGIN_MS and
 *    the guest, interrupts open, looks LOOKS times without being interrupted. Coming late is not missing; the
 *    worst lateness is told beside it, for machines on which it means something.
 *  - its memory, some MiB of a pattern whose hash is computed again and again.
 *  - what it grants the other one, if it has Xen's interface: the first page of the pattern to read, and one
 *  to write,
 *    which is nobody's when the other one is off.
 *  - its registers: everything that can be read and does not count, and the floating-point registers.
 *
 * It ends when the other one ended: HOSTILE tried=<what the other reports> missed=<n>
 * memory=<unchanged|changed>; or, with restarts=<n>, when the other one has begun anew so many times: RESTART
 * count=<n> missed=<n>. Then it is off, unless stay=1. */
#include "gic.h"
#include "guard.h"
#include "monitor.h"
#include "xen.h"

#define MARGIN_MS   3000u /* an emulator on a busy host has been seen to stop its clocks for a second */
#define LOOKS       1000u
#define AREA_WORDS  (4u * 1024u * 128u) /* 4 MiB */
#define SLICE_WORDS 8192u
#define TICKS_SLOW  50u /* between looks at what changes slowly */

static uint64_t area[AREA_WORDS] __attribute__((aligned(XEN_PAGE_BYTES)));
static uint8_t writable[XEN_PAGE_BYTES] __attribute__((aligned(XEN_PAGE_BYTES)));
static union {
    struct xen_shared_info info;
    uint8_t page[XEN_PAGE_BYTES];
} shared __attribute__((aligned(XEN_PAGE_BYTES)));
static bool grants;
static uint64_t area_hash;
static uint64_t hash;
static uint32_t at_word;
static uint32_t passes;
static bool memory_changed;
static bool registers_changed;

static uint64_t frequency;
static uint64_t period;
static volatile uint64_t deadline;
static volatile uint64_t ticks;
static volatile uint64_t worst;
static uint64_t missed;

static uint64_t peer;
static uint64_t restarts_wanted;
static uint64_t tried;
static struct domain_status status;

/* -- Tick -- */

static void tick(uint32_t intid)
{
    const uint64_t now = timer_now();

    (void)intid;
    if (now >= deadline) {
        if ((now - deadline) > worst) {
            worst = now - deadline;
        }
        ticks++;
        deadline += period;
        timer_virt_set(deadline);
    }
}

/* Of lower priority: ends a sleep that no tick ended. */
static void alarm(uint32_t intid)
{
    (void)intid;
    timer_phys_stop();
}

static void rest(void)
{
    timer_phys_set(timer_phys_now() + ((2u * MARGIN_MS * frequency) / 1000u));
    arch_irq_mask();
    if (timer_now() < deadline) {
        arch_wait();
    }
    arch_irq_open();
}

static void look_for_missed(void)
{
    const uint64_t seen = ticks;
    uint32_t looks = 0u;

    while ((ticks == seen) && (looks < LOOKS) &&
           (timer_now() >= (deadline + ((MARGIN_MS * frequency) / 1000u)))) {
        looks++;
    }
    if (looks == LOOKS) {
        arch_irq_mask();
        if (ticks == seen) {
            const uint64_t lost = ((timer_now() - deadline) / period) + 1u;

            missed += lost;
            print("GUARD missed %U after %U ticks, timer %x, pending %x, active %x\n", lost, ticks,
                  (uint32_t)reg_read(cntv_ctl_el0), mmio_read32(gic_private() + GICD_ISPENDR),
                  mmio_read32(gic_private() + GICD_ISACTIVER));
            deadline += lost * period;
            timer_virt_set(deadline);
        }
        arch_irq_open();
    }
}

/* -- Memory -- */

static uint64_t hash_step(uint64_t so_far, uint64_t word)
{
    return (so_far ^ word) * 0x100000001B3u;
}

static void memory_fill(void)
{
    uint64_t value = 0x9E3779B97F4A7C15u;

    for (uint32_t i = 0u; i < AREA_WORDS; i++) {
        value = (value * 6364136223846793005u) + 1442695040888963407u;
        area[i] = value;
        area_hash = hash_step(area_hash, value);
    }
}

static void memory_slice(void)
{
    const volatile uint64_t *const word = area;

    for (uint32_t i = 0u; i < SLICE_WORDS; i++) {
        hash = hash_step(hash, word[at_word + i]);
    }
    arch_yield();
    at_word += SLICE_WORDS;
    if (at_word == AREA_WORDS) {
        memory_changed = memory_changed || (hash != area_hash);
        passes++;
        hash = 0u;
        at_word = 0u;
    }
}

/* -- What it shares -- */

static volatile struct xen_grant_v1 *entries(void)
{
    return (volatile struct xen_grant_v1 *)(uintptr_t)XEN_GRANT_WINDOW;
}

static void event_take(uint32_t port)
{
    (void)port;
}

static void event(uint32_t intid)
{
    (void)intid;
    xen_upcall(&shared.info, event_take);
}

static void share(void)
{
    grants = (tree_compatible("xen,xen").at != NULL) &&
             (xen_place(XENMAPSPACE_SHARED_INFO, 0u, xen_gfn(&shared)) == 0) &&
             (xen_place(XENMAPSPACE_GRANT_TABLE, 0u, XEN_GRANT_WINDOW / XEN_PAGE_BYTES) == 0);
    if (grants) {
        struct xen_grant_v1 *const table = (struct xen_grant_v1 *)(uintptr_t)XEN_GRANT_WINDOW;

        xen_grant_give(&table[GUARD_REF_READ], (uint16_t)peer, xen_gfn(area),
                       GTF_PERMIT_ACCESS | GTF_READONLY);
        xen_grant_give(&table[GUARD_REF_WRITE], (uint16_t)peer, xen_gfn(writable), GTF_PERMIT_ACCESS);
        irq_enable(XEN_PPI_EVENTS, IRQ_PRIORITY_LOW, event);
        for (uint32_t i = 0u; i < 4u; i++) {
            (void)xen_event_alloc((uint16_t)peer);
        }
    }
}

/* Nobody uses what was granted. */
static bool grants_idle(void)
{
    const uint32_t used = entries()[GUARD_REF_READ].flags_domid | entries()[GUARD_REF_WRITE].flags_domid;

    return (used & (GTF_READING | GTF_WRITING)) == 0u;
}

/* -- The other one -- */

static bool peer_over(void)
{
    const bool known = domain_status(peer, &status);
    bool over = !known;

    if (known && (restarts_wanted != 0u)) {
        over = status.restarts >= restarts_wanted;
    } else if (known) {
        if (status.progress > tried) {
            tried = status.progress;
            domain_report(tried); /* after a restart the other one counts on from here */
        }
        over = (status.state >= DOMAIN_STOPPED);
    } else {
        print("GUARD domain %U cannot be watched\n", peer);
    }
    return over;
}

static void verdict(void)
{
    if (grants) {
        print("GUARD grants=%s\n", grants_idle() ? "idle" : "used");
    }
    print("GUARD ticks=%U worst=%U us hashes=%u registers=%s restarts=%U\n", ticks,
          (worst * 1000u) / (frequency / 1000u), passes, registers_changed ? "changed" : "unchanged",
          status.restarts);
    if (restarts_wanted != 0u) {
        print("RESTART count=%U missed=%U\n", status.restarts, missed);
    } else {
        print("HOSTILE tried=%U missed=%U memory=%s\n", tried, missed,
              memory_changed ? "changed" : "unchanged");
    }
}

/* Between two ticks: a slice of work, then sleep. Every TICKS_SLOW ticks a look at the rest. */
static bool guard_for_a_tick(bool watches)
{
    static uint64_t next_look;
    bool over = false;

    memory_slice();
    rest();
    look_for_missed();
    if (watches && ((ticks % 4u) == 0u)) {
        over = peer_over();
    }
    if (ticks >= next_look) {
        next_look = ticks + TICKS_SLOW;
        arch_irq_mask();
        registers_changed = registers_changed || (guard_registers_differ() != 0u) || !guard_vectors_same();
        arch_irq_open();
    }
    return over;
}

void guest_main(void)
{
    const bool stays = tree_number("stay", 0u) != 0u;

    peer = tree_number("peer", 0u);
    restarts_wanted = tree_number("restarts", 0u);
    frequency = timer_frequency();
    period = frequency / 1000u;
    memory_fill();
    guard_vectors_fill();
    print("GUARD %s watches domain %U, GICv%u, %u registers, counter %U Hz\n", tree_domain_name(), peer,
          irq_version(), guard_registers_note(), frequency);
    share();
    irq_enable(timer_phys_irq(), IRQ_PRIORITY_LOW, alarm);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, tick);
    deadline = timer_now() + period;
    timer_virt_set(deadline);
    while (!guard_for_a_tick(true)) {
        /* until the other one ends */
    }
    while (passes == 0u) {
        (void)guard_for_a_tick(false);
    }
    verdict();
    while (stays) {
        (void)guard_for_a_tick(false);
    }
}
