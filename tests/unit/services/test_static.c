/* Domains whose memory the plan fixes. [test->req~static-memory~1] [test->req~direct-map~1] */
#include "machine.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "build/gtree.h"
#include "lib/bits.h"
#include "mem/ram.h"

#define FREE     (MACHINE_RAM + MIB(80) + (MIB(80) * test)) /* of this test */
#define BANK0    0x40000000ULL
#define BANK1    0x200000000ULL
#define KERNEL   MIB(3)
#define UART     0x9000000ULL
#define UART_IRQ 40u

static struct plan plan;
static struct domain *domain;
static uint32_t test;

/* Stands in for the port's: a first bank that a test can fill */
const struct hal_guest_layout *hal_plan_layout(void)
{
    static const struct hal_guest_layout layout = { .bank = { { { BANK0 }, MIB(24) }, { { BANK1 }, GIB(1) } },
                                                    .nr_banks = 2u,
                                                    .vuart_base = { 0x22000000ULL },
                                                    .vuart_irq = 32u,
                                                    .watchdog_base = { 0x22001000ULL },
                                                    .watchdog_irq = 48u };

    return &layout;
}

static void range(uint64_t base, uint64_t bytes)
{
    plan.static_mem[plan.nr_static_mem] = (struct range){ base, bytes };
    plan.nr_static_mem++;
    plan.domain[0].nr_static++;
    assert_int_equal(ram_claim(hpa(base), bytes, RAM_OWNER_DOMAIN + 1u), HV_OK);
    (void)memset(fake_ram(hpa(base), bytes), 0xA5, bytes);
}

static int setup(void **state)
{
    uint8_t *const image = machine_image(KERNEL, 0u, MIB(4));
    struct plan_domain *d;

    (void)memset(&plan, 0, sizeof(plan));
    (void)state;
    d = machine_plan(&plan, 1u);
    plan.console.base = hpa(UART);
    plan.console.irq = UART_IRQ;
    d->nr_spis = 64u;
    d->vpl011 = true;
    d->restart_on_reset = true;
    d->restarts_per_minute = 10u;
    d->kernel = machine_module(MIB(2), image, KERNEL, "k");
    free(image);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    domain_count = 0u;
    test++;
    return 0;
}

static void prepare(uint64_t bytes)
{
    plan.domain[0].memory_bytes = bytes;
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_prepare(&plan.domain[0], &domain), HV_OK);
    assert_int_equal(build_domain(domain), HV_OK);
}

static void expect_at(uint64_t at, uint64_t to)
{
    hpa_t found = { 0u };
    uint32_t perm = 0u;
    uint64_t bytes = 0u;

    assert_int_equal(hal_guestmap_lookup(&domain->hal.map, gpa(at), &found, &perm, &bytes), HV_OK);
    assert_int_equal(found.v, to);
    assert_int_equal(perm, HAL_PERM_RWX);
}

static bool is_zero(uint64_t base, uint64_t bytes)
{
    const uint8_t *const at = fake_ram(hpa(base), bytes);

    return (at[0] == 0u) && (memcmp(at, &at[1], bytes - 1u) == 0);
}

/* The guest's own view of its tree */
static bool tree_has(const char *name)
{
    static uint8_t buf[16384];
    const struct gtree_input in = { .domain = domain };
    uint32_t bytes = 0;

    assert_int_equal(gtree_write(&in, buf, sizeof(buf), &bytes), HV_OK);
    for (uint32_t i = 0; (i + strlen(name)) < bytes; i++) {
        if (memcmp(&buf[i], name, strlen(name) + 1u) == 0) {
            return true;
        }
    }
    return false;
}

/* Three ranges, the second in both banks; their second life is in the same place. */
static void test_ranges(void **state)
{
    const uint64_t free_ram = ram_bytes(RAM_FREE) - MIB(40);

    (void)state;
    range(FREE + MIB(64), MIB(16));
    range(FREE, MIB(16));
    range(FREE + MIB(32) + 4096u, MIB(8));
    prepare(MIB(40));
    assert_int_equal(ram_bytes(RAM_FREE), free_ram);
    for (uint32_t life = 0; life < 3u; life++) {
        assert_int_equal(domain->nr_chunks, 4u);
        expect_at(BANK0, FREE + MIB(64));
        expect_at(BANK0 + MIB(16) - 4096u, FREE + MIB(80) - 4096u);
        expect_at(BANK0 + MIB(16), FREE);
        expect_at(BANK0 + MIB(24) - 4096u, FREE + MIB(8) - 4096u);
        expect_at(BANK1, FREE + MIB(8));
        expect_at(BANK1 + MIB(8), FREE + MIB(32) + 4096u);
        assert_true(is_zero(FREE + MIB(40), 4096u));
        assert_true(is_zero(FREE + MIB(76), MIB(4)));
        (void)memset(fake_ram(hpa(FREE + MIB(76)), MIB(4)), 0x77, MIB(4));
        assert_true(tree_has("memory@40000000"));
        assert_true(tree_has("memory@200000000"));
        assert_true(tree_has("sbsa-uart@22000000"));
        build_start(domain);
        if (life == 0u) {
            build_request_stop(domain, HAL_DOMAIN_RESET, "again");
        } else {
            build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
        }
        assert_true(machine_work_run());
        if (life == 1u) {
            assert_true(is_zero(FREE + MIB(64), MIB(16)));
            assert_int_equal(ram_bytes(RAM_FREE), free_ram); /* it stays its own */
            assert_int_equal(build_domain(domain), HV_OK);
        } else if (life == 0u) {
            assert_int_equal(domain->state, DOMAIN_RUNNING);
        }
    }
}

/* Banks, console and kernel at the host's addresses; a first bank that is too small for the kernel, one that
 * does not begin at a multiple of 2 MiB */
static void test_direct(void **state)
{
    (void)state;
    plan.domain[0].direct_map = true;
    plan.domain[0].host_memory = true;
    range(FREE + MIB(64), MIB(2));
    range(FREE + 0x1000u, MIB(16) - 0x1000u);
    prepare(MIB(18) - 0x1000u);
    expect_at(FREE + MIB(64), FREE + MIB(64));
    expect_at(FREE + 0x1000u, FREE + 0x1000u);
    assert_int_equal(build_slot_of(domain)->entry.v, FREE + MIB(2));
    assert_int_equal(build_slot_of(domain)->tree.v, FREE + MIB(14));
    assert_true(tree_has("memory@8e000000"));
    assert_true(tree_has("memory@8a001000"));
    assert_true(tree_has("sbsa-uart@9000000"));
    assert_false(tree_has("memory@40000000"));
    assert_int_equal(domain->window[0].base.v, UART);
    build_start(domain);
    build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
    assert_true(machine_work_run());
}

/* Device tree and ramdisk go to another bank if the kernel leaves no room in its own. */
static void test_direct_small(void **state)
{
    (void)state;
    plan.domain[0].direct_map = true;
    plan.domain[0].host_memory = true;
    range(FREE, MIB(4));
    range(FREE + MIB(32), MIB(4));
    prepare(MIB(8));
    assert_int_equal(build_slot_of(domain)->entry.v, FREE);
    assert_int_equal(build_slot_of(domain)->tree.v, FREE + MIB(34));
    build_start(domain);
    build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
    assert_true(machine_work_run());
}

/* A kernel that fits nowhere. */
static void test_direct_none(void **state)
{
    (void)state;
    plan.domain[0].direct_map = true;
    plan.domain[0].host_memory = true;
    range(FREE, MIB(3));
    range(FREE + MIB(32) + 4096u, MIB(5));
    plan.domain[0].memory_bytes = MIB(8);
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_prepare(&plan.domain[0], &domain), HV_OK);
    machine_output_forget();
    assert_int_equal(build_domain(domain), HV_CORRUPT);
    assert_int_equal(domain->state, DOMAIN_FAILED);
    assert_non_null(strstr(machine_output(), "expected a place in the domain's memory"));
    assert_int_equal(ram_owner(hpa(FREE)), RAM_OWNER_DOMAIN + 1u);
}

/* The host's tree but for what the plan marks, in its order of nodes: 0 root, 1 console, 2 dma, 3 its child,
 * 4 controller, 5 its child, 6 given. [test->req~control-domain~1] */
static void test_host_tree(void **state)
{
    static uint8_t host[4096];
    static uint8_t buf[16384];
    static const uint8_t ranges[3u * 16u] = { 1u };
    struct plan_domain *const d = &plan.domain[0];
    struct gtree_input in = { .domain = NULL };
    uint32_t bytes = 0;
    int node = 0;
    int size = 0;

    (void)state;
    assert_int_equal(fdt_create(host, (int)sizeof(host)), 0);
    assert_int_equal(fdt_finish_reservemap(host), 0);
    assert_int_equal(fdt_begin_node(host, "") | fdt_property_string(host, "model", "a board") |
                         fdt_property_u32(host, "#address-cells", 2u) |
                         fdt_property_u32(host, "#size-cells", 1u),
                     0);
    assert_int_equal(fdt_begin_node(host, "console") | fdt_end_node(host), 0);
    assert_int_equal(fdt_begin_node(host, "dma") | fdt_property_u32(host, "iommus", 1u) |
                         fdt_property_u32(host, "kept", 7u) | fdt_begin_node(host, "child") |
                         fdt_end_node(host) | fdt_end_node(host),
                     0);
    assert_int_equal(fdt_begin_node(host, "controller") | fdt_property(host, "reg", ranges, sizeof(ranges)) |
                         fdt_property_u32(host, "interrupts", 9u) | fdt_begin_node(host, "its") |
                         fdt_end_node(host) | fdt_end_node(host),
                     0);
    assert_int_equal(fdt_begin_node(host, "given") | fdt_property_string(host, "status", "okay") |
                         fdt_end_node(host) | fdt_end_node(host) | fdt_finish(host),
                     0);
    prepare(MIB(16));
    d->role = PLAN_ROLE_HARDWARE;
    d->enhanced = PLAN_ENHANCED_NO_XENSTORE;
    d->partial_tree = host;
    d->vpl011 = false;
    plan.tree_kept[0] = (uint8_t)(BIT32(1u) | BIT32(5u));
    plan.tree_others[0] = (uint8_t)BIT32(6u);
    plan.tree_intc = 4u;
    plan.tree_intc_cells = 4u;
    plan.hole.base = GIB(4);
    plan.hole.bytes = GIB(1);
    in.domain = domain;
    assert_int_equal(gtree_write(&in, buf, sizeof(buf), &bytes), HV_OK);
    assert_string_equal(fdt_getprop(buf, 0, "model", NULL), "a board");
    assert_true(fdt_path_offset(buf, "/console") < 0);
    assert_true(fdt_path_offset(buf, "/controller/its") < 0);
    assert_true(fdt_path_offset(buf, "/dma/child") > 0);
    node = fdt_path_offset(buf, "/dma");
    assert_non_null(fdt_getprop(buf, node, "kept", NULL));
    assert_null(fdt_getprop(buf, node, "iommus", NULL));
    node = fdt_path_offset(buf, "/controller");
    assert_non_null(fdt_getprop(buf, node, "reg", &size));
    assert_int_equal(size, 16); /* the fake port's has one range */
    assert_null(fdt_getprop(buf, node, "interrupts", NULL));
    assert_string_equal(fdt_getprop(buf, fdt_path_offset(buf, "/given"), "status", NULL), "disabled");
    assert_non_null(fdt_getprop(buf, fdt_path_offset(buf, "/hypervisor"), "reg", &size));
    assert_int_equal(size, 24); /* two ranges in the host's cells */
    assert_true(fdt_path_offset(buf, "/cpus") > 0);
    assert_true(fdt_path_offset(buf, "/chosen") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direct, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direct_small, setup, teardown),
        cmocka_unit_test_setup_teardown(test_direct_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_host_tree, setup, teardown),
    };

    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
