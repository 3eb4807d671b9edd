/* Device trees, the whole way: index, plan, boot on simulated CPUs, domains built, restarted, powered off.
 * What is refused says why; what is built lies in RAM of its own; what ends gives everything back.
 * [test->req~input-never-panics~1] [test->req~memory-apart~1] [test->req~all-faults-told~1] */
#include <string.h>

#include "build/build.h"
#include "host.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "plan_check.h"

#define CPUS_MOST   8u
#define VCPUS_MOST  64u
#define MEMORY_MOST MIB(24) /* of all domains: scrubbing is what takes time */
#define MODULE_MOST MIB(4)

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static uint32_t nr_sentences;

static bool says(const char *text)
{
    return (plan.console.kind != PLAN_CONSOLE_PL011) || (plan.console.base.v != HOST_UART) ||
           (strstr(host_shown(), text) != NULL);
}

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    nr_sentences++;
    sentence_check(sentence);
}

static bool plan_make(const uint8_t *blob, size_t bytes)
{
    const struct config_env env = {
        hpa(HOST_IMAGE), HOST_IMAGE_BYTES, hpa(HOST_TREE), hpa(0u), 0u, NULL, NULL
    };
    struct config_report report = { say, NULL, NULL, 0u, NULL, NULL };
    enum hv_status status = config_index_make(&ix, blob, bytes, &report);

    nr_sentences = 0u;
    if (status == HV_OK) {
        status = config_plan_make(&ix, &env, &plan, &report);
    }
    FUZZ_MUST((status == HV_OK) || (report.nr_faults > 0u));
    if (status == HV_OK) { /* faults of domains alone are forgiven in a partial boot */
        FUZZ_MUST((report.nr_faults == 0u) || plan.partial_boot);
        plan_check(&plan, &env);
    }
    return status == HV_OK;
}

/* Is this a machine of the size that we play? */
static bool fits(void)
{
    uint64_t bytes = 0u;
    uint64_t modules = 0u;
    uint32_t vcpus = 0u;
    bool fit = plan.nr_cpus <= CPUS_MOST;

    for (uint32_t i = 0u; i < plan.nr_ram; i++) {
        fit = fit && (plan.ram[i].base >= HOST_RAM) &&
              ((plan.ram[i].base + plan.ram[i].bytes) <= (HOST_RAM + HOST_RAM_BYTES));
    }
    for (uint32_t i = 0u; i < plan.nr_domains; i++) {
        const struct plan_domain *const d = &plan.domain[i];

        bytes += bits_min(d->memory_bytes, MEMORY_MOST + 1u);
        modules += d->kernel.bytes + d->ramdisk.bytes;
        vcpus += d->nr_vcpus;
        fit = fit && (d->pool_bytes <= MIB(8));
    }
    return fit && (bytes <= MEMORY_MOST) && (modules <= MODULE_MOST) && (vcpus <= VCPUS_MOST);
}

static void kernels_put(void)
{
    for (uint32_t i = 0u; i < plan.nr_domains; i++) {
        const struct plan_module *const k = &plan.domain[i].kernel;

        if (k->bytes >= 64u) {
            uint8_t *const to = fake_ram(k->base, k->bytes);

            (void)memcpy(&to[16], &k->bytes, 8u);
            (void)memcpy(&to[56], "ARMd", 4u);
        }
    }
}

/* -- What was built -- */

static bool mine(uint64_t at, uint64_t bytes, uint32_t owner)
{
    bool all = true;

    for (uint64_t page = 0u; page < bytes; page += PAGE_BYTES) {
        all = all && (ram_owner(hpa(at + page)) == owner);
    }
    return all;
}

static void domain_check(const struct domain *d)
{
    gpa_t at = gpa(0u);
    hpa_t to = hpa(0u);
    uint64_t bytes = 0u;
    uint64_t sum = 0u;
    uint32_t perm = 0u;
    uint8_t head[64];

    for (uint32_t i = 0u; fake_map_region(&d->hal.map, i, &at, &to, &bytes, &perm); i++) {
        FUZZ_MUST(mine(to.v, bytes, RAM_OWNER_DOMAIN + d->id));
        sum += bytes;
    }
    FUZZ_MUST(sum == d->plan->memory_bytes);
    FUZZ_MUST(ram_bytes(RAM_OWNER_DOMAIN + d->id) == sum);
    FUZZ_MUST(fake_guest_read(&d->hal.map, gpa(d->vcpu[0]->hal.entry), head, 64u) && (head[56] == 'A'));
    FUZZ_MUST(fake_guest_read(&d->hal.map, gpa(d->vcpu[0]->hal.argument), head, 4u) && (head[0] == 0xD0u));
}

static bool settled(void)
{
    bool all = true;

    for (uint32_t i = 0u; i < domain_count; i++) {
        const enum domain_state state = domain_table[i]->state;

        all = all && (state != DOMAIN_NEW) && (state != DOMAIN_BUILDING) && (state != DOMAIN_STOPPING);
    }
    return all;
}

static void settle(void)
{
    for (uint32_t i = 0u; !settled() && (i < 2000u) && (fake_power_state() == FAKE_POWER_ON); i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST(settled());
    FUZZ_MUST(fake_maps_disjoint() && (fake_windows_open() == 0u));
}

static uint32_t all_check(void)
{
    uint32_t running = 0u;

    for (uint32_t i = 0u; i < domain_count; i++) {
        if (domain_table[i]->state == DOMAIN_RUNNING) {
            domain_check(domain_table[i]);
            running++;
        }
    }
    FUZZ_MUST(fake_maps_live() == running);
    return running;
}

static void ask_all(enum hal_power_request request)
{
    for (uint32_t i = 0u; i < domain_count; i++) {
        if ((domain_table[i]->state == DOMAIN_RUNNING) && (fake_power_state() == FAKE_POWER_ON)) {
            upcall_domain_power(&domain_table[i]->hal, request, "fuzz");
            fake_run();
        }
    }
    settle();
}

static void live(void)
{
    settle();
    FUZZ_MUST(domain_count == (plan.nr_domains + plan.spares.nr));
    FUZZ_MUST((all_check() == domain_count) || plan.partial_boot || says("not built"));
    for (uint32_t i = 0u; i < 5u; i++) {
        fake_time_advance(3u * HOST_MS);
    }
    ask_all(HAL_DOMAIN_RESET);
    (void)all_check();
    ask_all(HAL_DOMAIN_OFF);
    FUZZ_MUST((all_check() == 0u) && (fake_power_state() != FAKE_POWER_ON));
    for (uint32_t i = 0u; i < domain_count; i++) {
        const struct plan_domain *const d = domain_table[i]->plan;

        FUZZ_MUST(ram_bytes(RAM_OWNER_DOMAIN + d->domid) == ((d->nr_static > 0u) ? d->memory_bytes : 0u));
        FUZZ_MUST(domain_table[i]->pool.nr_free == domain_table[i]->pool.nr_pages);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint8_t *const blob = malloc((bytes > 0u) ? bytes : 1u);
    bool good;

    (void)memcpy(blob, data, bytes);
    host_reset();
    good = plan_make(blob, bytes);
    if (!good || fits()) {
        host_setup(blob, bytes);
        if (good) {
            kernels_put();
            host_on(plan.cpu_hwid[0]);
            live();
        } else {
            host_on(0u);
            FUZZ_MUST((fake_power_state() == FAKE_POWER_OFF) && (domain_count == 0u));
        }
    }
    free(blob);
    return 0;
}
