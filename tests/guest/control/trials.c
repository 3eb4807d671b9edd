/* Lives that end, one after the other; ends in the middle of a creation, and of work. */
#include "control.h"

#include "machine.h"

#define NR_GRANTS    4u
#define GRANTS_FIRST 8u
#define TURNS        200u
#define RACES        12u

/* Each life looks for what the one before left in the same memory; every third takes more of it. */
void trial_lives(const char *name, char what, int64_t reason, uint64_t count)
{
    const struct account before = account_now();

    for (uint64_t i = 0u; (i < count) && (faults == 0u); i++) {
        must("create", child_make(what, ((i % 3u) == 2u) ? 3u : 2u, 1u + (uint32_t)(i % 2u)), 0);
        must(name, child_watch(NULL), reason);
        child_destroy();
        if (((i % 10u) == 9u) || ((i + 1u) == count)) {
            account_must_be(name, &before);
        }
        if ((i % 100u) == 99u) {
            account_tell();
            print("CONTROL %s %U\n", name, i + 1u);
        }
    }
    account_tell();
    print("CONTROL %s %U %s\n", name, count, (faults == 0u) ? "ok" : "FAIL");
}

static void kill_after(uint32_t steps)
{
    const struct account before = account_now();
    struct xen_domaininfo info;

    child.nr_blocks = 2u;
    child.nr_vcpus = 2u;
    for (uint32_t step = 0u; step < steps; step++) {
        must(maker_step_name(step), maker_step(&child, step), 0);
    }
    if (steps > MAKER_STEPS) {
        must("unpause", maker_unpause(child.domid), 0);
    }
    must("destroy", maker_destroy(child.domid), 0);
    must("destroyed", maker_info(child.domid, &info), -XEN_ESRCH);
    must("destroyed again", maker_destroy(child.domid), -XEN_ESRCH);
    account_must_be(maker_step_name(steps - 1u), &before);
}

/* After each step of a creation; the last one runs, and waits for its command. */
void trial_steps(void)
{
    for (uint32_t steps = 1u; steps <= MAKER_STEPS; steps++) {
        kill_after(steps);
    }
}

/* While its vCPUs work, and what it granted and lent is in use here */
void trial_load(void)
{
    const uint64_t page = XEN_GRANT_WINDOW + 0x200000u;
    uint32_t handle[NR_GRANTS];
    uint64_t sum = 0u;

    must("create", child_make('h', 2u, (uint32_t)tree_number("vcpus", 2u)), 0);
    must("works", child_watch("MADE works"), -1);
    must("foreign", maker_map(&child, MAKER_RAM >> 12u, 2u), 0);
    for (uint32_t i = 0u; i < NR_GRANTS; i++) {
        must("map",
             xen_grant_map(child.domid, GRANTS_FIRST + i, page + (i * XEN_PAGE_BYTES), GNTMAP_HOST_MAP,
                           &handle[i]),
             GNTST_OKAY);
    }
    for (uint32_t i = 0u; i < TURNS; i++) {
        (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_YIELD, NULL, 0u);
        sum += *(volatile uint64_t *)(uintptr_t)(page + ((i % NR_GRANTS) * XEN_PAGE_BYTES));
    }
    child_destroy();
    for (uint32_t i = 0u; i < NR_GRANTS; i++) { /* nobody's memory: it may be read, and is let go */
        sum += *(volatile uint64_t *)(uintptr_t)(page + (i * XEN_PAGE_BYTES));
        must("unmap", xen_grant_unmap(page + (i * XEN_PAGE_BYTES), handle[i]), GNTST_OKAY);
    }
    sum += *(volatile uint64_t *)child.window;
    must("let go", maker_let_go(&child, 2u), 0);
    print("CONTROL read %U\n", sum);
}

/* -- Two vCPUs of this domain at a time -- */

static struct maker rival; /* vCPU 1's */
static volatile uint32_t rival_ends;

/* About a domain that the other vCPU may destroy at any moment */
static void may(const char *what, int64_t is)
{
    if ((is != -XEN_ESRCH) && (is != -XEN_EINVAL) && (is != -XEN_EBUSY)) {
        must(what, is, 0);
    }
}

static void disturb(const struct maker *other, uint32_t turn, uint32_t step)
{
    if ((turn % 3u) == 1u) {
        may("pause of the other's", maker_pause(other->domid));
        may("unpause of the other's", maker_unpause(other->domid));
    }
    if (((turn % 3u) == 2u) && (step == (turn % MAKER_STEPS))) {
        may("destroy of the other's", maker_destroy(other->domid));
    }
}

static void race(struct maker *own, const struct maker *other)
{
    struct xen_domaininfo info;

    for (uint32_t turn = 0u; turn < RACES; turn++) {
        int64_t result = 0;

        for (uint32_t step = 0u; (step < MAKER_STEPS) && (result == 0); step++) {
            result = maker_step(own, step);
            may(maker_step_name(step), result);
            disturb(other, turn, step);
        }
        must("a place", own->nr_steps > 0u, 1);
        may("unpause", maker_unpause(own->domid));
        may("destroy", maker_destroy(own->domid));
        must("destroyed", maker_info(own->domid, &info), -XEN_ESRCH);
    }
}

static void rival_run(void)
{
    race(&rival, &child);
    rival_ends = 1u;
}

/* They make and destroy their own domains, and each other's. */
void trial_race(void)
{
    child.nr_blocks = 2u;
    child.nr_vcpus = 1u;
    rival = child;
    rival.window = child.window + 0x10000u;
    must("second vCPU", (int64_t)cpu_on(1u, rival_run), 0);
    race(&child, &rival);
    while (rival_ends == 0u) {
        (void)xen_call(XEN_HCALL_SCHED_OP, SCHEDOP_YIELD, NULL, 0u);
    }
}
