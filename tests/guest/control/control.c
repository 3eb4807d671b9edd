/* A control domain in plain C, the example of docs/control-guest.md: it makes a domain of the kernel that is
 * its own ramdisk, as xl would, shows what it says, and destroys it when it ends. Then it does so again and
 * again: bootargs cycles=<n> lives that end, reboots=<n> that reset, each looking at its memory; a
 * destruction after each step of a creation, one under load, and two vCPUs that make and destroy at a time.
 * What the host has left must be the same each time. CONTROL <what> ok, or CONTROL FAIL. Beside: self=<own
 * domid>, vcpus=<n> for the domain under load. */
#include "control.h"

#define TREE_BYTES 16384u

struct maker child;
uint32_t faults;
static uint8_t tree[TREE_BYTES];

int64_t maker_hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    return (int64_t)hypercall(number, a, b, 0u);
}

void must(const char *what, int64_t is, int64_t wanted)
{
    if (is != wanted) {
        faults++;
        print("CONTROL FAIL %s: %d, not %d\n", what, (int32_t)is, (int32_t)wanted);
    }
}

/* -- What it is made of -- */

static uint64_t cells(const uint8_t *at, uint32_t bytes)
{
    uint64_t value = 0u;

    for (uint32_t i = 0u; i < bytes; i++) {
        value = (value << 8u) | at[i];
    }
    return value;
}

/* Where a property of our own tree lies in the copy */
static uint8_t *in_copy(const char *path, const char *name, uint32_t *bytes)
{
    const struct tree_node node = tree_path(path);
    uint64_t all = 0u;
    const uint8_t *const own = tree_prop(&node, name, bytes);

    return (own != NULL) ? &tree[own - (const uint8_t *)tree_blob(&all)] : NULL;
}

void tree_ram(uint64_t bytes)
{
    uint32_t length = 0u;
    uint8_t *const reg = in_copy("memory", "reg", &length);

    for (uint32_t i = 0u; i < 8u; i++) {
        reg[i] = (uint8_t)(MAKER_RAM >> (8u * (7u - i)));
        reg[8u + i] = (uint8_t)(bytes >> (8u * (7u - i)));
    }
}

/* Our own tree describes the made domain, too: only its RAM is another, and it has no UART. */
static void tree_make(void)
{
    uint64_t bytes = 0u;
    const uint8_t *const own = tree_blob(&bytes);
    uint32_t length = 0u;

    for (uint64_t i = 0u; (i < bytes) && (i < TREE_BYTES); i++) {
        tree[i] = own[i];
    }
    for (uint8_t *uart = in_copy("sbsa-uart", "compatible", &length); uart != NULL; uart = NULL) {
        uart[0] = 'x';
    }
    for (uint8_t *out = in_copy("chosen", "stdout-path", &length); out != NULL; out = NULL) {
        out[0] = 'x';
    }
    child.tree = (struct maker_image){ tree, bytes };
}

static void kernel_find(void)
{
    const struct tree_node chosen = tree_path("chosen");
    uint32_t bytes = 0u;
    const void *const begin = tree_prop(&chosen, "linux,initrd-start", &bytes);
    const uint64_t at = (begin != NULL) ? cells(begin, bytes) : 0u;
    const void *const end = tree_prop(&chosen, "linux,initrd-end", &bytes);

    child.kernel.data = (const void *)(uintptr_t)at;
    child.kernel.bytes = (end != NULL) ? (cells(end, bytes) - at) : 0u;
}

/* -- The example -- */

static void look(void)
{
    struct xen_domaininfo info = { .domain = 0u };

    must("info", maker_info(child.domid, &info), 0);
    must("running", info.flags & (XEN_DOMINF_PAUSED | XEN_DOMINF_SHUTDOWN | XEN_DOMINF_DYING), 0);
    must("pages", (int64_t)info.tot_pages, (2 * 512) + 4);
    must("pause", maker_pause(child.domid), 0);
    must("info of one that is paused", maker_info(child.domid, &info), 0);
    must("paused", info.flags & XEN_DOMINF_PAUSED, XEN_DOMINF_PAUSED);
    must("unpause", maker_unpause(child.domid), 0);
}

static void example(void)
{
    struct xen_domaininfo info = { .domain = 0u };
    const int64_t result = child_make('\0', 2u, 1u); /* it waits */

    must("create", result, 0);
    if (result == 0) {
        look();
        child_order('o');
        must("end", child_watch(NULL), SHUTDOWN_POWEROFF);
        child_destroy();
        must("gone", maker_info(child.domid, &info), -XEN_ESRCH);
    }
    must("label", maker_hypercall(27u, 5u, (uintptr_t)&info), -XEN_ENOSYS); /* xsm_op: there is no FLASK */
}

static void host_console(char c)
{
    (void)xen_console_write(&c, 1u);
}

static void trial(const char *name, void (*run)(void))
{
    const struct account before = account_now();

    run();
    account_must_be(name, &before);
    account_tell();
    print("CONTROL %s %s\n", name, (faults == 0u) ? "ok" : "FAIL");
}

static void all_trials(void)
{
    trial("load", trial_load); /* what it needs for that it has from then on */
    trial("steps", trial_steps);
    trial_lives("cycles", 'o', SHUTDOWN_POWEROFF, tree_number("cycles", 0u));
    trial_lives("reboots", 'r', SHUTDOWN_REBOOT, tree_number("reboots", 0u));
    trial_lives("crashes", 'c', SHUTDOWN_CRASH, tree_number("crashes", 0u));
    trial_lives("balloons", 'b', SHUTDOWN_POWEROFF, tree_number("balloons", 0u));
    trial("load", trial_load);
    trial("race", trial_race);
}

void guest_main(void)
{
    console_hook = host_console;
    kernel_find();
    tree_make();
    if (tree_number("tree", 0u) != 0u) {
        child.tree =
            (struct maker_image){ (const uint8_t *)child.kernel.data + tree_number("tree", 0u), 4096u };
        child.kernel.bytes = tree_number("tree", 0u);
    }
    child.window = (volatile uint8_t *)(uintptr_t)(XEN_GRANT_WINDOW + 0x100000u);
    print("CONTROL kernel of %U bytes, tree of %U\n", child.kernel.bytes, child.tree.bytes);
    trial("example", example);
    if (faults == 0u) {
        all_trials();
    }
    print("CONTROL end faults=%u lies=%u\n", faults, child_lies());
}
