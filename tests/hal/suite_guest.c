/* Domains and vCPUs as far as they can be seen without running one; what guests' trees get from the port. */
#include "hal_suite.h"

#include "hal/plan.h"
#include "hal/timer.h"
#include "hal/virq.h"
#include "hal/vplat.h"
#include "lib/bits.h"
#include "lib/string.h"

static struct hal_domain domain;
static struct hal_vcpu vcpu[2];
static int32_t depth;
static uint32_t nr_nodes;
static bool saw_cpus;
static bool saw_controller;

static void domain_made_and_unmade(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    const struct hal_domain_config config = { .nr_vcpus = 2u, .nr_spis = 32u, .map_id = 9u };

    suite_vcpu = &vcpu[0];
    for (uint32_t i = 0u; i < 3u; i++) {
        suite_seen.domain_pages_max = UINT32_MAX;
        CHECK(hal_domain_init(&domain, &config) == HV_OK);
        CHECK(hal_vcpu_init(&vcpu[0], &domain, 0u) == HV_OK);
        CHECK(hal_vcpu_init(&vcpu[1], &domain, 1u) == HV_OK);
        CHECK((vcpu[1].domain == &domain) && (vcpu[1].index == 1u));
        hal_vcpu_reset(&vcpu[0], 0x40080000u, 0x48000000u);
        CHECK(hal_vcpu_deadline(&vcpu[0], false) == TIME_NEVER);
        CHECK(!hal_vcpu_irq_pending(&vcpu[0]));
        CHECK(!hal_vcpu_irq_pending(&vcpu[1]));
        hal_vcpu_trap_wait(&vcpu[0], true);
        hal_virq_set_line(&domain, 32u, true);
        hal_virq_set_line(&domain, 32u, false);
        hal_virq_set_line(&domain, 64u, true); /* no such line: ignored */
        hal_virq_set_line(&domain, 5000u, true);
        hal_virq_pulse(&domain, 5000u);
        CHECK(!hal_vcpu_irq_pending(&vcpu[0]));
        hal_domain_destroy(&domain);
        CHECK(suite_seen.domain_pages == pages);
    }
}

/* As fast as the clock; a domain counts from 0 or with all others. */
static void counter_runs(void)
{
    const struct hal_domain_config config = { .nr_vcpus = 1u, .nr_spis = 32u, .map_id = 9u };
    uint32_t never = 0u;

    CHECK(hal_domain_init(&domain, &config) == HV_OK);
    const uint64_t from_ns = hal_timer_now_ns();
    const uint64_t from = hal_domain_counter(&domain);

    (void)suite_await(&never, 1u, 2000000u);
    const uint64_t to = hal_domain_counter(&domain);
    const uint64_t to_ns = hal_timer_now_ns();

    CHECK(to > from);
    CHECK(hal_timer_ns(to - from) <= ((to_ns - from_ns) + 1000u));
    CHECK(hal_timer_ns(to - from) >= 1990000u);
    hal_domain_destroy(&domain);
}

static void domain_without_memory(void)
{
    const uint32_t pages = suite_seen.domain_pages;
    const struct hal_domain_config config = { .nr_vcpus = 2u, .nr_spis = 32u, .map_id = 9u };
    enum hv_status status = HV_NO_MEMORY;

    for (uint32_t allowed = 0u; (status == HV_NO_MEMORY) && (allowed < 64u); allowed++) {
        suite_seen.domain_pages_max = pages + allowed;
        status = hal_domain_init(&domain, &config);
        if (status == HV_NO_MEMORY) {
            CHECK(suite_seen.domain_pages == pages);
        }
    }
    CHECK(status == HV_OK);
    hal_domain_destroy(&domain);
    CHECK(suite_seen.domain_pages == pages);
    suite_seen.domain_pages_max = UINT32_MAX;
}

static void layout(void)
{
    const struct hal_guest_layout *const l = hal_plan_layout();

    CHECK((l->nr_banks >= 1u) && (l->nr_banks <= HAL_GUEST_BANKS_MAX));
    for (uint32_t i = 0u; i < l->nr_banks; i++) {
        const uint64_t base = l->bank[i].base.v;

        CHECK(((base | l->bank[i].max_bytes) % PAGE_BYTES) == 0u);
        CHECK((l->vuart_base.v + PAGE_BYTES <= base) || (l->vuart_base.v >= (base + l->bank[i].max_bytes)));
        CHECK((i == 0u) || (base >= (l->bank[i - 1u].base.v + l->bank[i - 1u].max_bytes)));
    }
    CHECK(l->vuart_irq >= 32u);
    CHECK((l->watchdog_base.v % PAGE_BYTES) == 0u);
    CHECK((l->watchdog_base.v >= (l->vuart_base.v + PAGE_BYTES)) &&
          ((l->watchdog_base.v + (2u * PAGE_BYTES)) <= l->bank[0].base.v));
    CHECK((l->watchdog_irq >= 32u) && (l->watchdog_irq < 64u) && (l->watchdog_irq != l->vuart_irq));
    CHECK((l->nr_spis_max % 32u) == 0u);
    CHECK((hal_plan_vcpus_max(suite_machine.host, false) >= 1u) &&
          (hal_plan_vcpus_max(suite_machine.host, false) <= HV_VCPUS_MAX));
    CHECK((hal_plan_pool_bytes(MIB(64), 1u) % PAGE_BYTES) == 0u);
    CHECK(hal_plan_pool_bytes(MIB(64), 1u) > 0u);
    CHECK(hal_plan_pool_bytes(GIB(8), 8u) >= hal_plan_pool_bytes(MIB(64), 1u));
}

static void hwids_differ(void)
{
    bool differ = true;

    for (uint32_t i = 0u; i < HV_VCPUS_MAX; i++) {
        for (uint32_t j = 0u; j < i; j++) {
            differ = differ && (hal_vplat_cpu_hwid(i) != hal_vplat_cpu_hwid(j));
        }
    }
    CHECK(differ);
    CHECK(hal_vplat_cpu_hwid(0u) == 0u);
}

static void sink_begin(void *ctx, const char *name)
{
    (void)ctx;
    CHECK((name != NULL) && (name[0] != '\0'));
    saw_cpus = saw_cpus || (strcmp(name, "cpus") == 0);
    depth++;
    nr_nodes++;
}

static void sink_prop(void *ctx, const char *name, const void *value, uint32_t bytes)
{
    static const uint8_t phandle[4] = { 0u, 0u, 0xFDu, 0xE8u };

    (void)ctx;
    CHECK(depth > 0);
    CHECK((value != NULL) || (bytes == 0u));
    if (strcmp(name, "phandle") == 0) {
        saw_controller = saw_controller || ((bytes == 4u) && (memcmp(value, phandle, 4u) == 0));
    }
}

static void sink_end(void *ctx)
{
    (void)ctx;
    depth--;
    CHECK(depth >= 0);
}

static void tree_is_nested(void)
{
    const struct hal_domain_config config = { .nr_vcpus = 2u, .nr_spis = 32u, .map_id = 9u };
    const struct tree_sink tree = { sink_begin, sink_prop, sink_end, NULL };

    suite_seen.domain_pages_max = UINT32_MAX;
    CHECK(hal_domain_init(&domain, &config) == HV_OK);
    hal_vplat_tree(&domain, HAL_VPLAT_PHANDLE_INTC, false, &tree);
    CHECK(depth == 0);
    CHECK(saw_cpus);
    CHECK(saw_controller);
    CHECK(nr_nodes >= 4u); /* cpus, two of them, the controller */
    hal_domain_destroy(&domain);
}

const struct suite_test suite_tests_guest[] = {
    { "domain_made_and_unmade", domain_made_and_unmade },
    { "counter_runs", counter_runs },
    { "domain_without_memory", domain_without_memory },
    { "layout", layout },
    { "hwids_differ", hwids_differ },
    { "tree_is_nested", tree_is_nested },
    { NULL, NULL },
};
