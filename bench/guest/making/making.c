/* A control domain that makes, asks about and destroys domains between the marks of bench/plugin/elmeter.c.
 * It uses Xen's ABI alone, as guestlib/maker.c does, so it runs unchanged as Xen's domain 0 and on ours. With
 * storm=1 among its bootargs it does so for ever, and takes and gives back their memory, without a mark. With
 * frames=1 it is domain 1 of a pool with arinc653, sets that pool's schedule and asks for it. */
#include "maker.h"
#include "xen.h"

#define LIVES        8u
#define ASKED        200u
#define SMALL_BLOCKS 32u /* 64 MiB */
#define LARGE_BLOCKS 160u
#define STORM_BLOCKS 8u
#define PIECES       32u /* pages of a domain that are taken away, one by one and as a block */
#define FRAMES       50u
#define MINOR_NS     10000u
#define SETTLED_MS   1000u /* both scrub what was freed while nobody wants the CPU */

#define PHASE_CREATE        90u
#define PHASE_DESTROY_SMALL 91u
#define PHASE_DESTROY_LARGE 92u
#define PHASE_INFO          93u
#define PHASE_PAGE          94u
#define PHASE_FRAMES        95u

#define MARK(imm, value)                                                                                     \
    do {                                                                                                     \
        register uint64_t x0_ __asm__("x0") = (value);                                                       \
                                                                                                             \
        __asm__ volatile("eor xzr, x0, xzr, lsl #" #imm : : "r"(x0_) : "memory");                            \
    } while (false)

/* The kernel of a made domain: a mark that ends the sample which is running, then it waits for ever. */
static const uint32_t born[] = { 0xCA1F101Fu, 0xD503207Fu, 0x17FFFFFFu };
static const uint8_t tree[XEN_PAGE_BYTES];

static struct maker made = { .nr_vcpus = 1u,
                             .kernel = { born, sizeof(born) },
                             .tree = { tree, sizeof(tree) } };
static volatile bool woken;

int64_t maker_hypercall(uint64_t number, uint64_t a, uint64_t b)
{
    return (int64_t)hypercall(number, a, b, 0u);
}

static void host_console(char c)
{
    (void)xen_console_write(&c, 1u);
}

static void must(const char *what, int64_t result)
{
    if (result != 0) {
        print("MAKING %s: %d\n", what, (int32_t)result);
        power_off(); /* no report: the run has failed */
    }
}

static void alarm(uint32_t intid)
{
    (void)intid;
    timer_virt_stop();
    woken = true;
}

static void sleep_ms(uint32_t ms)
{
    woken = false;
    arch_irq_mask();
    timer_virt_set(timer_now() + ((timer_frequency() / 1000u) * ms));
    while (!woken) {
        arch_wait();
        arch_irq_open();
        arch_barrier();
        arch_irq_mask();
    }
}

static void begin(uint32_t phase)
{
    MARK(1, phase);
    MARK(3, 0u);
}

static void create(uint32_t nr_blocks)
{
    made.nr_blocks = nr_blocks;
    must("create", maker_create(&made));
    must("unpause", maker_unpause(made.domid));
}

/* Phases 0 are not counted: the first lives take memory that nobody had since boot. */
static void life(uint32_t nr_blocks, uint32_t phase_create, uint32_t phase_destroy)
{
    begin(phase_create);
    create(nr_blocks);
    sleep_ms(1u); /* it runs, and ends the sample */
    begin(phase_destroy);
    must("destroy", maker_destroy(made.domid));
    sleep_ms(SETTLED_MS);
    MARK(4, 0u);
    MARK(1, 0u);
}

static void calls(void)
{
    struct xen_domaininfo info;

    create(SMALL_BLOCKS);
    sleep_ms(1u);
    begin(PHASE_INFO);
    for (uint32_t i = 0u; i < ASKED; i++) {
        must("info", maker_info(made.domid, &info));
        MARK(4, 0u);
    }
    begin(PHASE_PAGE);
    for (uint32_t i = 0u; i < ASKED; i++) {
        must("map", maker_map(&made, (MAKER_RAM / XEN_PAGE_BYTES) + i, 1u));
        must("let go", maker_let_go(&made, 1u));
        MARK(4, 0u);
    }
    MARK(1, 0u);
    must("destroy", maker_destroy(made.domid));
}

static void reserve(uint64_t op, const uint64_t *gfn, uint32_t nr, uint32_t order)
{
    const struct xen_memory_reservation extents = {
        .extent_start = (uintptr_t)gfn, .nr_extents = nr, .extent_order = order, .domid = made.domid
    };

    must("reservation", (int64_t)nr - xen_call(XEN_HCALL_MEMORY_OP, op, &extents, 0u));
}

/* A page of it stays mapped here when it dies. */
static void storm_life(uint32_t steps)
{
    struct xen_domaininfo info;
    uint64_t page[PIECES];
    const uint64_t block = (MAKER_RAM / XEN_PAGE_BYTES) + 1024u;

    made.nr_blocks = STORM_BLOCKS;
    for (uint32_t i = 0u; i < PIECES; i++) {
        page[i] = (MAKER_RAM / XEN_PAGE_BYTES) + 512u + (2u * i);
    }
    for (uint32_t step = 0u; step < steps; step++) {
        must(maker_step_name(step), maker_step(&made, step));
    }
    if (steps == MAKER_STEPS) {
        must("unpause", maker_unpause(made.domid));
        must("info", maker_info(made.domid, &info));
        reserve(XENMEM_DECREASE_RESERVATION, page, PIECES, 0u);
        reserve(XENMEM_POPULATE_PHYSMAP, page, PIECES, 0u);
        reserve(XENMEM_DECREASE_RESERVATION, &block, 1u, 9u);
        must("pause", maker_pause(made.domid));
        must("unpause", maker_unpause(made.domid));
        reserve(XENMEM_POPULATE_PHYSMAP, &block, 1u, 9u);
        must("map", maker_map(&made, MAKER_RAM / XEN_PAGE_BYTES, MAKER_WINDOW));
    }
    must("destroy", maker_destroy(made.domid));
    if (steps == MAKER_STEPS) {
        must("let go", maker_let_go(&made, MAKER_WINDOW));
    }
}

static _Noreturn void storm(void)
{
    made.nr_vcpus = 2u;
    for (uint32_t i = 0u;; i++) {
        storm_life(((i % 2u) == 0u) ? MAKER_STEPS : (1u + ((i / 2u) % MAKER_STEPS)));
    }
}

/* As many windows as there may be, half of them its own. The others' domains do not exist, but each is
 * looked for. */
static void frames(void)
{
    static struct xen_arinc653_schedule set = { .major_frame = (uint64_t)MINOR_NS * XEN_ARINC653_ENTRIES,
                                                .num_sched_entries = XEN_ARINC653_ENTRIES };
    static struct xen_arinc653_schedule told;
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_SCHEDULER_OP, .interface_version = XEN_SYSCTL_VERSION };
    struct xen_domaininfo info;

    must("info", maker_info(1u, &info));
    for (uint32_t i = 0u; i < XEN_ARINC653_ENTRIES; i++) {
        (void)__builtin_memcpy(set.sched_entries[i].dom_handle, info.handle, sizeof(info.handle));
        set.sched_entries[i].dom_handle[15] ^= (uint8_t)(i % 2u);
        set.sched_entries[i].runtime = MINOR_NS;
    }
    op.u.scheduler.sched_id = XEN_SCHEDULER_ARINC653;
    MARK(1, PHASE_FRAMES);
    for (uint32_t i = 0u; i < FRAMES; i++) {
        op.u.scheduler.cmd = XEN_SCHEDOP_PUTINFO;
        op.u.scheduler.of.schedule = (uintptr_t)&set;
        must("set", xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u));
        op.u.scheduler.cmd = XEN_SCHEDOP_GETINFO;
        op.u.scheduler.of.schedule = (uintptr_t)&told;
        must("asked", xen_call(XEN_HCALL_SYSCTL, (uintptr_t)&op, NULL, 0u));
        for (uint32_t n = 0u; n < XEN_ARINC653_ENTRIES; n++) {
            must("told", (int64_t)told.sched_entries[n].runtime - (int64_t)MINOR_NS);
        }
    }
    print("MAKING done\n");
    MARK(2, 0u);
}

void guest_main(void)
{
    console_hook = host_console;
    made.window = (volatile uint8_t *)(uintptr_t)(XEN_GRANT_WINDOW + 0x100000u);
    irq_enable(timer_virt_irq(), IRQ_PRIORITY_HIGH, alarm);
    if (tree_number("storm", 0u) != 0u) {
        storm();
    }
    if (tree_number("frames", 0u) != 0u) {
        frames();
        return;
    }
    sleep_ms(2u * SETTLED_MS);
    life(LARGE_BLOCKS, 0u, 0u);
    for (uint32_t i = 0u; i < LIVES; i++) {
        life(SMALL_BLOCKS, PHASE_CREATE, PHASE_DESTROY_SMALL);
    }
    for (uint32_t i = 0u; i < LIVES; i++) {
        life(LARGE_BLOCKS, 0u, PHASE_DESTROY_LARGE);
    }
    calls();
    print("MAKING done\n");
    MARK(2, 0u);
}
