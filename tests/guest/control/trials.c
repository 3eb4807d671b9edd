/* Lives that end, one after the other; ends in the middle of a creation, and of work. */
#include "control.h"

#define NR_GRANTS    4u
#define GRANTS_FIRST 8u
#define TURNS        200u

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
