/* A domain that has QEMU's PCI device `edu`, which copies memory by DMA, and abuses it; and, as role=victim,
 * its neighbour.
 *
 * The attacker first sees that the device reaches its own memory. Then it aims the device, for writing and
 * for reading, at everything that is not its own: other domains' memory, the hypervisor's, the interrupt
 * controller and its doorbells, the UART, the IOMMU itself, the device's own configuration, and where nothing
 * is. DMA own=<ok|fail> foreign=<blocked|seen>; the victims and the hypervisor's log tell the rest. With
 * reset=1 it resets itself in the middle of a transfer.
 *
 * The victim has memory full of a pattern and looks at all of it: DMA victim memory=<unchanged|changed>. */
#include "guest.h"

#define EDU_ID      0x11E81234u
#define CFG_COMMAND 0x04u
#define CFG_BAR0    0x10u
#define ENABLE      6u /* memory, bus master */
#define DMA_FROM    0x80u
#define DMA_TO      0x88u
#define DMA_BYTES   0x90u
#define DMA_COMMAND 0x98u
#define DMA_RUN     1u
#define DMA_TO_RAM  2u
#define BUFFER      0x40000u /* the device's own memory */
#define WORDS       8u
#define MARK        0xD0D0D0D0A5A5A5A5ULL
#define SECRET      0x5EC2E7005EC2E700ULL
#define AREA_WORDS  (8u * 1024u * 128u) /* 8 MiB */

static uint64_t own[1024] __attribute__((aligned(4096)));
static uint64_t area[AREA_WORDS];
static uintptr_t bar;

static void pause(uint32_t ms)
{
    const uint64_t end = timer_now() + ((timer_frequency() * ms) / 1000u);

    while (timer_now() < end) {
        arch_yield();
    }
}

static void transfer_start(uint64_t from, uint64_t to, uint32_t direction)
{
    arch_barrier();
    mmio_write64(bar + DMA_FROM, from);
    mmio_write64(bar + DMA_TO, to);
    mmio_write64(bar + DMA_BYTES, WORDS * 8u);
    mmio_write64(bar + DMA_COMMAND, DMA_RUN | direction);
}

static void transfer_end(void)
{
    while ((mmio_read64(bar + DMA_COMMAND) & DMA_RUN) != 0u) {
        arch_yield();
    }
    arch_barrier();
}

static void load(uint64_t from)
{
    transfer_start(from, BUFFER, 0u);
    transfer_end();
}

static void store(uint64_t to)
{
    transfer_start(BUFFER, to, DMA_TO_RAM);
    transfer_end();
}

static void fill(volatile uint64_t *words, uint64_t value)
{
    for (uint32_t i = 0u; i < WORDS; i++) {
        words[i] = value;
    }
}

static bool holds(const volatile uint64_t *words, uint64_t value)
{
    bool same = true;

    for (uint32_t i = 0u; i < WORDS; i++) {
        same = same && (words[i] == value);
    }
    return same;
}

/* As after power-on, whatever the last life left running: it is not believed before that has ended. */
static bool device_begin(void)
{
    const struct tree_node whole = tree_compatible("bulkhead,test-edu");
    const bool bus = (whole.at == NULL); /* the device alone, on an emulated bus, where its BAR has a place */
    const struct tree_node node = bus ? tree_compatible("pci-host-ecam-generic") : whole;
    uint64_t ecam = 0u;
    uint64_t window = 0u;
    uint64_t bytes = 0u;
    uintptr_t cfg = 0u;

    if ((node.at == NULL) || !tree_reg(&node, 0u, &ecam, &bytes) ||
        (!bus && !tree_reg(&node, 1u, &window, &bytes))) {
        return false;
    }
    for (uint32_t device = 0u; (device < 32u) && (cfg == 0u); device++) {
        if (mmio_read32(ecam + (device << 15u)) == EDU_ID) {
            cfg = ecam + (device << 15u);
        }
    }
    if (cfg != 0u) {
        mmio_write32(cfg + CFG_COMMAND, 0u);
        window = bus ? mmio_read32(cfg + CFG_BAR0) : window;
        mmio_write32(cfg + CFG_BAR0, (uint32_t)window);
        mmio_write32(cfg + CFG_COMMAND, ENABLE & ~4u);
        bar = window;
        transfer_end();
        mmio_write32(cfg + CFG_COMMAND, ENABLE);
        pause(10u);
    }
    return cfg != 0u;
}

static bool own_works(void)
{
    fill(own, MARK);
    fill(&own[512], 0u);
    load((uintptr_t)own);
    store((uintptr_t)&own[512]);
    return holds(&own[512], MARK);
}

/* Nothing of a foreign address is read: the device still has what it had, MARK, or nothing. */
static bool foreign_blocked(uint64_t at)
{
    store(at);
    load(at);
    fill(own, 1u);
    store((uintptr_t)own);
    const bool blocked = holds(own, MARK) || holds(own, 0u);

    if (!blocked) {
        print("DMA read %X at %X\n", own[0], at);
    }
    return blocked;
}

static void attack(void)
{
    static const uint64_t target[] = {
        0x40200000u,                /* the hypervisor's image, where QEMU puts it */
        0x40300000u,   0x50000000u, /* the first victim */
        0x50400000u,   0x52000000u, /* the second */
        0x52400000u,   0x5F000000u, /* the heap, trees, modules */
        0x08000000u,                /* GICD */
        0x08020040u,                /* GICv2m: MSI_SETSPI */
        0x08090040u,                /* GITS_TRANSLATER */
        0x09000000u,                /* the UART */
        0x09050020u,                /* the SMMU */
        0x4010000000u,              /* configuration space */
        0x80000000u,   0x7FFFFFF000u,
    };
    bool blocked = true;
    const bool works = own_works();

    for (uint32_t i = 0u; i < (sizeof(target) / sizeof(target[0])); i++) {
        blocked = foreign_blocked(target[i]) && blocked;
    }
    print("DMA own=%s foreign=%s\n", (works && own_works()) ? "ok" : "fail", blocked ? "blocked" : "seen");
}

static void victim(void)
{
    for (uint32_t i = 0u; i < AREA_WORDS; i++) {
        area[i] = SECRET + i;
    }
    print("DMA victim begins\n");
    for (;;) {
        const volatile uint64_t *const seen = area;
        uint32_t changed = 0u;

        for (uint32_t i = 0u; i < AREA_WORDS; i++) {
            changed += (seen[i] != (SECRET + i)) ? 1u : 0u;
        }
        print("DMA victim memory=%s\n", (changed == 0u) ? "unchanged" : "changed");
        pause(500u);
    }
}

void guest_main(void)
{
    const char *const role = tree_argument("role");

    if ((role != NULL) && (role[0] == 'v')) {
        victim();
    }
    if (!device_begin()) {
        print("DMA no device\n");
        power_off();
    }
    attack();
    if (tree_number("reset", 0u) != 0u) {
        fill(own, MARK);
        load((uintptr_t)own);
        transfer_start(BUFFER, (uintptr_t)&area[AREA_WORDS / 2u], DMA_TO_RAM);
        (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
    }
    power_off();
}
