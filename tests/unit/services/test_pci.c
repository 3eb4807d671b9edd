/* PCI functions of domains: the host's buses at boot, the domain's own bus, hostile guests, restarts. The
 * model is a host bridge with what the tests put on it. */
#include "machine.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "build/gtree.h"
#include "build/partition/build_pci.h"
#include "hal/upcall.h"
#include "vdev/vpci.h"

#define ECAM      0x4010000000ULL
#define MEM32     0x10000000ULL
#define MEM64     0x8000000000ULL
#define GUEST_CFG 0x10000000ULL
#define MODELS    6u

struct model {
    uint32_t bus;
    uint32_t devfn;
    uint8_t config[4096];
    uint32_t bar_mask[6]; /* writable bits */
    uint32_t resets;
    bool is_bridge;
};

static struct model models[MODELS];
static uint32_t nr_models;
static struct plan plan;
static struct build_slot slot;
static struct vcpu vcpu;

/* -- The model -- */

static uint32_t get32(const struct model *m, uint32_t reg)
{
    uint32_t value;

    (void)memcpy(&value, &m->config[reg], 4u);
    return value;
}

static void put32(struct model *m, uint32_t reg, uint32_t value)
{
    (void)memcpy(&m->config[reg], &value, 4u);
}

static uint32_t command_of(const struct model *m)
{
    return get32(m, PCI_COMMAND) & 0xFFFFu;
}

static bool reachable(const struct model *m)
{
    bool open = (m->bus == 0u);

    for (uint32_t i = 0; i < nr_models; i++) {
        open = open || (models[i].is_bridge && (((get32(&models[i], 0x18u) >> 8u) & 0xFFu) == m->bus));
    }
    return open;
}

static struct model *model_at(uint64_t offset)
{
    for (uint32_t i = 0; i < nr_models; i++) {
        if (((offset >> 20u) == models[i].bus) && (((offset >> 12u) & 0xFFu) == models[i].devfn) &&
            reachable(&models[i])) {
            return &models[i];
        }
    }
    return NULL;
}

static uint64_t ecam_read(void *ctx, uint64_t offset, uint32_t width)
{
    const struct model *const m = model_at(offset);
    uint64_t value = 0;

    (void)ctx;
    assert_true(width <= 4u);
    if (m == NULL) {
        return (1ULL << (8u * width)) - 1u;
    }
    (void)memcpy(&value, &m->config[offset & 0xFFFu], width);
    return value;
}

static void ecam_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    struct model *const m = model_at(offset);
    const uint32_t reg = (uint32_t)offset & 0xFFFu;

    (void)ctx;
    if (m == NULL) {
        return;
    }
    if (!m->is_bridge && (reg >= PCI_BAR) && (reg < (PCI_BAR + 24u))) {
        const uint32_t i = (reg - PCI_BAR) / 4u;

        assert_int_equal(width, 4u);
        assert_int_equal(command_of(m) & PCI_COMMAND_MEMORY, 0u); /* nobody moves what decodes */
        put32(m, reg, ((uint32_t)value & m->bar_mask[i]) | (get32(m, reg) & ~m->bar_mask[i]));
    } else if ((reg == 0x68u) && ((value & 0x8000u) != 0u) && !m->is_bridge) { /* FLR */
        m->resets++;
        put32(m, PCI_COMMAND, get32(m, PCI_COMMAND) & 0xFFFF0000u);
        for (uint32_t i = 0; i < 6u; i++) {
            put32(m, PCI_BAR + (4u * i), get32(m, PCI_BAR + (4u * i)) & ~m->bar_mask[i]);
        }
    } else {
        (void)memcpy(&m->config[reg], &value, width);
    }
}

static struct model *model_add(uint32_t bus, uint32_t devfn, uint32_t id)
{
    struct model *const m = &models[nr_models];

    assert_true(nr_models < MODELS);
    nr_models++;
    (void)memset(m, 0, sizeof(*m));
    m->bus = bus;
    m->devfn = devfn;
    put32(m, PCI_VENDOR, id);
    put32(m, PCI_COMMAND, 0x0010u << 16u | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER); /* firmware left it on */
    put32(m, PCI_CLASS, 0x02000001u);
    return m;
}

static void model_bar(struct model *m, uint32_t i, uint64_t bytes, uint32_t flags)
{
    m->bar_mask[i] = (uint32_t)~(bytes - 1u);
    put32(m, PCI_BAR + (4u * i), flags);
    if ((flags & 4u) != 0u) {
        m->bar_mask[i + 1u] = (uint32_t)(~(bytes - 1u) >> 32u);
    }
}

/* A card: power management, MSI, PCI Express with FLR, a vendor's capability, MSI-X; ATS. */
static struct model *card(uint32_t bus, uint32_t devfn)
{
    struct model *const m = model_add(bus, devfn, 0x10D38086u);

    model_bar(m, 0, 0x20000u, 0u);
    model_bar(m, 1, 0x100u, 0u); /* less than a page */
    put32(m, PCI_BAR + 8u, 1u);  /* I/O */
    m->bar_mask[2] = 0xFFFFFFE0u;
    model_bar(m, 4, 0x4000u, 0xCu);
    put32(m, PCI_CAPABILITIES, 0x40u);
    put32(m, 0x40u, 0x00035001u); /* power management */
    put32(m, 0x50u, 0x00816005u); /* MSI, enabled */
    put32(m, 0x60u, 0x0002A010u); /* Express */
    put32(m, 0x64u, 0x10008000u);
    put32(m, 0xA0u, 0x0010B009u); /* vendor */
    put32(m, 0xA4u, 0xDEADBEEFu);
    put32(m, 0xB0u, 0x80030011u);  /* MSI-X, enabled */
    put32(m, 0x100u, 0x1401000Fu); /* ATS */
    put32(m, 0x104u, 0x80000000u);
    put32(m, 0x140u, 0x00010010u); /* SR-IOV */
    put32(m, 0x148u, 1u);
    put32(m, PCI_INTERRUPT, 0x0100u);
    return m;
}

/* -- The machine -- */

static void plan_function(uint32_t slot_nr, uint32_t bus, uint32_t devfn, uint32_t bridge, uint32_t pin,
                          const char *name)
{
    struct plan_pci *const f = &plan.pci[plan.nr_pci];

    f->slot = (uint8_t)slot_nr;
    f->bus = (uint8_t)bus;
    f->devfn = (uint8_t)devfn;
    f->bridge = (uint16_t)bridge;
    f->pin = (uint8_t)pin;
    f->virq = 35u;
    f->name = name;
    plan.nr_pci++;
}

static int reset(void **state)
{
    (void)state;
    fake_cpu_set(0u);
    (void)memset(&plan, 0, sizeof(plan));
    (void)memset(&slot, 0, sizeof(slot));
    nr_models = 0u;
    (void)machine_plan(&plan, 1u);
    plan.nr_pci_hosts = 1u;
    plan.pci_host[0].ecam.base = ECAM;
    plan.pci_host[0].ecam.bytes = 3u << 20u;
    plan.pci_host[0].nr_buses = 1u;
    plan.pci_host[0].coherent = true;
    plan.pci_host[0].memory[PLAN_PCI_MEM32].base = MEM32;
    plan.pci_host[0].memory[PLAN_PCI_MEM32].bytes = 0x2eff0000u;
    plan.pci_host[0].memory_bus[PLAN_PCI_MEM32] = MEM32 + 0x1000000u; /* the bus counts otherwise */
    plan.pci_host[0].memory[PLAN_PCI_MEM64].base = MEM64;
    plan.pci_host[0].memory[PLAN_PCI_MEM64].bytes = 1ULL << 30u;
    plan.pci_host[0].memory_bus[PLAN_PCI_MEM64] = MEM64;
    plan.domain[0].domid = 1u;
    slot.domain.id = 1u;
    slot.domain.plan = &plan.domain[0];
    slot.domain.nr_vcpus = 1u;
    slot.domain.vcpu[0] = &vcpu;
    vcpu.domain = &slot.domain;
    vcpu.window = slot.domain.window;
    spin_init(&slot.domain.lock, LOCK_DOMAIN);
    vpl011_setup(&slot.uart);
    watchdog_setup(&slot.watchdog);
    assert_int_equal(pool_init(&slot.domain.pool, 64u), HV_OK);
    machine_output_forget();
    return 0;
}

static void begin(void)
{
    const struct hal_domain_config config = { 1u, 32u, 1u, false };

    assert_int_equal(hal_domain_init(&slot.domain.hal, &config), HV_OK);
    assert_int_equal(hal_vcpu_init(&vcpu.hal, &slot.domain.hal, 0u), HV_OK);
    assert_int_equal(build_devices(&slot.domain), HV_OK);
    build_devices_begin(&slot.domain);
}

static void end(void)
{
    build_devices_undo(&slot.domain);
    hal_domain_destroy(&slot.domain.hal);
}

static void boot(void)
{
    const struct fake_device device = { ECAM, 3u << 20u, ecam_read, ecam_write, NULL };
    static bool added;

    if (!added) {
        fake_device_add(&device);
        fake_time_step(1000000u);
        added = true;
    }
    assert_int_equal(build_pci_setup(&plan), HV_OK);
}

static uint32_t cfg_read(uint32_t slot_nr, uint32_t reg, uint32_t width)
{
    uint64_t value = 0x5A5A5A5Au;

    assert_true(
        upcall_device(&vcpu.hal, gpa(GUEST_CFG + ((uint64_t)slot_nr << 15u) + reg), width, false, &value));
    return (uint32_t)value;
}

static void cfg_write(uint32_t slot_nr, uint32_t reg, uint32_t width, uint32_t value)
{
    uint64_t v = value;

    assert_true(upcall_device(&vcpu.hal, gpa(GUEST_CFG + ((uint64_t)slot_nr << 15u) + reg), width, true, &v));
}

/* -- Boot -- */

/* [test->req~pci-functions~1] [test->req~pci-quiet~1] */
static void test_boot(void **state)
{
    struct model *const stranger = card(0u, 0x08u);
    struct model *const mine = card(0u, 0x10u);
    uint64_t low;

    (void)state;
    plan_function(0u, 0u, 0x10u, PLAN_PCI_ROOT, 1u, "0000:00:02.0");
    boot();
    assert_string_equal(machine_output(), "");
    assert_int_equal(command_of(stranger), PCI_COMMAND_INTX_OFF);
    assert_int_equal(command_of(mine), PCI_COMMAND_INTX_OFF);
    low = get32(mine, PCI_BAR);
    assert_int_equal(low, MEM32 + 0x1000000u);
    assert_int_equal(get32(mine, PCI_BAR + 4u), low + 0x20000u);
    assert_int_equal(get32(mine, PCI_BAR + 8u), 1u); /* I/O stays at 0 */
    assert_int_equal(get32(mine, PCI_BAR + 16u), (uint32_t)MEM64 | 0xCu);
    assert_int_equal(get32(mine, PCI_BAR + 20u), MEM64 >> 32u);
    assert_int_equal(get32(mine, 0x50u) >> 16u, 0u); /* MSI */
    assert_int_equal(get32(mine, 0xB0u) >> 16u, 0u); /* MSI-X */
    assert_int_equal(get32(mine, 0x104u), 0u);       /* ATS */
    assert_int_equal(get32(mine, 0x148u), 0u);       /* SR-IOV */
}

/* A bridge is opened for what is behind it, and no further. */
static void test_bridge(void **state)
{
    struct model *const bridge = model_add(0u, 0x08u, 0x000C1B36u);
    struct model *const behind = card(1u, 0u);
    uint32_t memory;

    (void)state;
    bridge->is_bridge = true;
    put32(bridge, PCI_HEADER, 0x00010000u);
    plan.pci_host[0].nr_buses = 2u;
    plan_function(0u, 1u, 0u, 0x08u, 1u, "0000:00:01.0/00.0");
    boot();
    assert_string_equal(machine_output(), "");
    assert_int_equal(get32(bridge, 0x18u), 0x00010100u);
    assert_int_equal(command_of(bridge), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    memory = get32(bridge, 0x20u);
    assert_int_equal((memory & 0xFFF0u) << 16u, MEM32 + 0x1000000u);
    assert_int_equal(memory >> 20u, (MEM32 + 0x1000000u) >> 20u); /* one MiB */
    assert_int_equal(get32(bridge, 0x28u), MEM64 >> 32u);
    assert_int_equal(get32(bridge, 0x2Cu), MEM64 >> 32u);
    assert_int_equal(get32(behind, PCI_BAR), MEM32 + 0x1000000u);
    assert_int_equal(command_of(behind), PCI_COMMAND_INTX_OFF);
}

static void refused(const char *sentence)
{
    boot();
    assert_non_null(strstr(machine_output(), sentence));
    assert_int_equal(build_pci(&slot.domain), HV_NOT_FOUND);
    build_pci_undo(&slot.domain);
}

static void test_not_there(void **state)
{
    (void)state;
    plan_function(0u, 0u, 0x10u, PLAN_PCI_ROOT, 1u, "0000:00:02.0");
    refused("/chosen/domU1: bulkhead,pci-functions: found nothing at 0000:00:02.0, expected a function");
}

static void test_other_pin(void **state)
{
    (void)state;
    put32(card(0u, 0x10u), PCI_INTERRUPT, 0x0200u);
    plan_function(0u, 0u, 0x10u, PLAN_PCI_ROOT, 1u, "0000:00:02.0");
    refused("found another interrupt pin at 0000:00:02.0");
}

static void test_no_room(void **state)
{
    (void)state;
    (void)card(0u, 0x10u);
    plan.pci_host[0].memory[PLAN_PCI_MEM32].bytes = 0x20000u;
    plan_function(0u, 0u, 0x10u, PLAN_PCI_ROOT, 1u, "0000:00:02.0");
    refused("found more memory than the host bridge has left at 0000:00:02.0");
}

static void test_bridge_given(void **state)
{
    struct model *const bridge = model_add(0u, 0x08u, 0x000C1B36u);

    (void)state;
    bridge->is_bridge = true;
    put32(bridge, PCI_HEADER, 0x00010000u);
    plan_function(0u, 0u, 0x08u, PLAN_PCI_ROOT, 0u, "0000:00:01.0");
    plan_function(1u, 1u, 0x00u, 0x10u, 0u, "0000:00:02.0/00.0");
    plan.pci_host[0].nr_buses = 2u;
    refused("found a bridge at 0000:00:01.0");
    assert_non_null(strstr(machine_output(), "found no bridge at 0000:00:02.0/00.0"));
}

/* -- The domain's bus -- */

static struct model *one_card(void)
{
    struct model *const m = card(0u, 0x10u);

    plan_function(0u, 0u, 0x10u, PLAN_PCI_ROOT, 1u, "0000:00:02.0");
    boot();
    begin();
    return m;
}

/* [test->req~pci-functions~1] */
static void test_seen(void **state)
{
    const struct model *const m = one_card();

    (void)state;
    assert_int_equal(cfg_read(0u, PCI_VENDOR, 4u), 0x10D38086u);
    assert_int_equal(cfg_read(0u, PCI_VENDOR + 2u, 2u), 0x10D3u);
    assert_int_equal(cfg_read(1u, PCI_VENDOR, 4u), 0xFFFFFFFFu);
    assert_int_equal(cfg_read(0u, 0x1000u, 4u), 0xFFFFFFFFu); /* function 1 */
    assert_int_equal(cfg_read(0u, PCI_COMMAND, 2u), 0u);
    assert_int_equal(cfg_read(0u, PCI_COMMAND + 2u, 2u), 0x0010u);
    assert_int_equal(cfg_read(0u, PCI_CAPABILITIES, 1u), 0x60u); /* Express, then the vendor's, no other */
    assert_int_equal(cfg_read(0u, 0x60u, 2u), 0xA010u);
    assert_int_equal(cfg_read(0u, 0x64u, 4u), 0x00008000u); /* no FLR of the guest's */
    assert_int_equal(cfg_read(0u, 0xA0u, 2u), 0x0009u);
    assert_int_equal(cfg_read(0u, 0xA4u, 4u), 0xDEADBEEFu);
    assert_int_equal(cfg_read(0u, 0x50u, 4u), 0u);
    assert_int_equal(cfg_read(0u, 0x100u, 4u), 0u);
    assert_int_equal(cfg_read(0u, PCI_INTERRUPT, 2u), 0x0100u);
    cfg_write(0u, PCI_INTERRUPT, 1u, 0x42u);
    assert_int_equal(cfg_read(0u, PCI_INTERRUPT, 1u), 0x42u);
    assert_int_equal(cfg_read(0u, PCI_BAR, 4u), 0x23000000u); /* placed already */
    assert_int_equal(cfg_read(0u, PCI_BAR + 16u, 4u), 0x0000000Cu);
    assert_int_equal(cfg_read(0u, PCI_BAR + 20u, 4u), 1u);
    assert_int_equal(command_of(m), PCI_COMMAND_MEMORY);
    end();
    assert_int_equal(command_of(m), PCI_COMMAND_INTX_OFF);
}

static bool leads(uint64_t at, uint64_t to)
{
    uint32_t perm = 0;
    uint64_t bytes = 0;
    hpa_t where = hpa(0u);

    return (hal_guestmap_lookup(&slot.domain.hal.map, gpa(at), &where, &perm, &bytes) == HV_OK) &&
           (where.v == to) && (perm == (HAL_PERM_R | HAL_PERM_W | HAL_PERM_DEV));
}

static void test_bars(void **state)
{
    struct model *const m = one_card();

    (void)state;
    assert_false(leads(0x23000000u, MEM32));
    cfg_write(0u, PCI_COMMAND, 2u, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(command_of(m), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_true(leads(0x23000000u, MEM32));
    assert_true(leads(0x100000000u, MEM64));
    cfg_write(0u, PCI_BAR, 4u, 0xFFFFFFFFu); /* how large? */
    assert_int_equal(cfg_read(0u, PCI_BAR, 4u), 0xFFFE0000u);
    assert_false(leads(0x23000000u, MEM32));
    cfg_write(0u, PCI_BAR + 4u, 4u, 0xFFFFFFFFu);
    assert_int_equal(cfg_read(0u, PCI_BAR + 4u, 4u), 0xFFFFF000u); /* a page at least */
    cfg_write(0u, PCI_BAR, 4u, 0x30000000u);
    assert_true(leads(0x30000000u, MEM32));
    cfg_write(0u, PCI_BAR, 4u, 0x40000000u); /* RAM is no place for it */
    assert_false(leads(0x40000000u, MEM32));
    cfg_write(0u, PCI_BAR, 4u, 0x32FE0000u); /* the last that fits */
    assert_true(leads(0x32FE0000u, MEM32));
    cfg_write(0u, PCI_BAR + 4u, 4u, 0x32FF0000u); /* where another is */
    assert_true(leads(0x32FF0000u, MEM32 + 0x10000u));
    cfg_write(0u, PCI_COMMAND, 2u, 0u);
    assert_false(leads(0x32FE0000u, MEM32));
    assert_false(leads(0x100000000u, MEM64));
    assert_int_equal(get32(m, PCI_BAR), MEM32 + 0x1000000u);
    end();
}

/* Anything anywhere: the real functions notice command bits only, and the map leads nowhere but to the own
 * BARs. [test->req~pci-hostile~1] */
static void test_hostile(void **state)
{
    struct model before[2];
    struct model *const stranger = card(0u, 0x08u);
    struct model *const m = one_card();
    uint32_t seed = 4711u;

    (void)state;
    before[0] = *stranger;
    before[1] = *m;
    for (uint32_t n = 0; n < 200000u; n++) {
        seed = (seed * 1664525u) + 1013904223u;
        const uint32_t width = 1u << ((seed >> 8u) % 4u);
        const uint32_t near = (seed >> 12u) % 0x40u;
        const uint32_t far = (seed >> 12u) % VPCI_ECAM_BYTES;
        uint64_t at = GUEST_CFG + (((seed & 7u) != 0u) ? near : far);
        uint64_t value = (uint64_t)seed * 2654435761u;

        if ((seed & 0x70u) == 0u) {
            value = 0x23000000u + ((value & 0x1FFFu) << 12u);
        }
        (void)upcall_device(&vcpu.hal, gpa(at), width, (n % 8u) != 0u, &value);
    }
    assert_memory_equal(stranger->config, before[0].config, 4096u);
    assert_int_equal(command_of(m) & ~(PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF), 0u);
    put32(m, PCI_COMMAND, get32(&before[1], PCI_COMMAND));
    assert_memory_equal(m->config, before[1].config, 4096u);
    for (uint32_t i = 0;; i++) {
        gpa_t at = gpa(0u);
        hpa_t to = hpa(0u);
        uint64_t bytes = 0;
        uint32_t perm = 0;

        if (!fake_map_region(&slot.domain.hal.map, i, &at, &to, &bytes, &perm)) {
            break;
        }
        assert_true(((at.v >= 0x23000000u) && ((at.v + bytes) <= 0x33000000u)) || (at.v >= 0x100000000u));
        assert_true(((to.v >= MEM32) && ((to.v + bytes) <= (MEM32 + 0x21000u))) ||
                    ((to.v >= MEM64) && ((to.v + bytes) <= (MEM64 + 0x4000u))));
    }
    put32(m, PCI_COMMAND, PCI_COMMAND_MEMORY);
    end();
}

/* [test->req~pci-quiet~1] */
static void test_lives(void **state)
{
    struct model *const m = one_card();
    const uint32_t first = m->resets;

    (void)state;
    assert_int_equal(first, 1u);
    cfg_write(0u, PCI_COMMAND, 2u, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    cfg_write(0u, PCI_BAR, 4u, 0x30000000u);
    end();
    assert_int_equal(command_of(m), PCI_COMMAND_INTX_OFF);
    begin();
    assert_int_equal(m->resets, 2u);
    assert_int_equal(cfg_read(0u, PCI_COMMAND, 2u), 0u);
    assert_int_equal(cfg_read(0u, PCI_BAR, 4u), 0x23000000u);
    assert_int_equal(get32(m, PCI_BAR), MEM32 + 0x1000000u); /* the reset forgot it, we did not */
    end();
}

/* One that cannot be reset goes on with what the last life began: none of that leaves it before the new life
 * wants it to. [test->req~pci-quiet~1] */
static void test_no_reset(void **state)
{
    struct model *const m = one_card();
    const uint32_t resets = m->resets;

    (void)state;
    put32(m, 0x64u, 0u);
    for (uint32_t life = 0; life < 3u; life++) {
        cfg_write(0u, PCI_COMMAND, 2u, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        assert_int_equal(command_of(m), PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
        end();
        assert_int_equal(command_of(m), PCI_COMMAND_INTX_OFF);
        begin();
        assert_int_equal(command_of(m), PCI_COMMAND_MEMORY);
        cfg_write(0u, PCI_COMMAND, 2u, PCI_COMMAND_MEMORY);
        cfg_write(0u, PCI_BAR, 4u, 0x30000000u);
        assert_int_equal(command_of(m), PCI_COMMAND_MEMORY);
    }
    assert_int_equal(m->resets, resets);
    end();
}

static void test_tree(void **state)
{
    uint8_t tree[16384];
    uint32_t bytes = 0;
    const struct gtree_input in = { .domain = &slot.domain };
    int node;
    int length = 0;
    const fdt32_t *cells;

    (void)state;
    (void)one_card();
    assert_int_equal(gtree_write(&in, tree, sizeof(tree), &bytes), HV_OK);
    node = fdt_path_offset(tree, "/pcie@10000000");
    assert_true(node > 0);
    assert_non_null(fdt_getprop(tree, node, "dma-coherent", NULL));
    cells = fdt_getprop(tree, node, "interrupt-map", &length);
    assert_int_equal(length, 32);
    assert_int_equal(fdt32_to_cpu(cells[0]), 0u);
    assert_int_equal(fdt32_to_cpu(cells[6]), 3u);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_boot, reset),      cmocka_unit_test_setup(test_bridge, reset),
        cmocka_unit_test_setup(test_not_there, reset), cmocka_unit_test_setup(test_other_pin, reset),
        cmocka_unit_test_setup(test_no_room, reset),   cmocka_unit_test_setup(test_bridge_given, reset),
        cmocka_unit_test_setup(test_seen, reset),      cmocka_unit_test_setup(test_bars, reset),
        cmocka_unit_test_setup(test_hostile, reset),   cmocka_unit_test_setup(test_lives, reset),
        cmocka_unit_test_setup(test_no_reset, reset),  cmocka_unit_test_setup(test_tree, reset),
    };

    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
