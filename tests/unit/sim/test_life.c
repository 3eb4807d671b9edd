/* Two domains on a simulated host, from power-on over several lives to power-off: what they are given, that
 * it was clean, that nothing of it is anybody else's, and that all of it comes back. Each scenario is a
 * process of its own. [test->req~memory-scrubbed~1] [test->req~memory-apart~1] [test->req~guest-tree~1]
 * [test->req~construction-repeatable~1] [test->req~weights-and-caps~1] [test->req~no-standing-map~1]
 * [test->dsn~pages-charged~1] [test->req~memory-vouched~1] */
#include "sim_system.h"

#include <libfdt.h>

#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/vplat.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "sched/sched.h"
#include "sched/work.h"

#define RAMDISK (RAM + MIB(96))
#define K_BYTES 0x123457u
#define R_BYTES 0x4321u
#define CPUS    2u

/* clang-format off */
#define BOARD(scheduler) BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_REST(scheduler)
#define DOMAIN(n, cpus, kib, more) \
    "domU" n " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>;" \
    " memory = <0 " kib ">; cpus = <" cpus ">; vpl011;" more \
    " module@8" n "000000 { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    "  reg = <0 0x8" n "000000 0x123457>; bootargs = \"console=ttyAMA0 name=domU" n "\"; }; };"
#define WITH_RAMDISK \
    " module@86000000 { compatible = \"multiboot,ramdisk\", \"multiboot,module\";" \
    "  reg = <0 0x86000000 0x4321>; };"
#define END BOARD_END
/* clang-format on */

static uint8_t module_byte(uint64_t i)
{
    return (uint8_t)((i * 7u) ^ (i >> 8u) ^ 0x3Cu);
}

static void modules_put(void)
{
    uint8_t *const r = fake_ram(hpa(RAMDISK), R_BYTES);
    const uint64_t bytes = K_BYTES + 0x5000u; /* with a .bss */

    for (uint64_t n = 1u; n <= 4u; n++) {
        uint8_t *const k = fake_ram(hpa(KERNEL(n)), K_BYTES);

        for (uint64_t i = 0u; i < K_BYTES; i++) {
            k[i] = module_byte(i + n);
        }
        (void)memset(k, 0, 64u);
        (void)memcpy(&k[16], &bytes, 8u);
        (void)memcpy(&k[56], "ARMd", 4u);
    }
    for (uint64_t i = 0u; i < R_BYTES; i++) {
        r[i] = module_byte(i + 99u);
    }
}

/* -- What a domain was given -- */

struct part {
    uint64_t at;
    uint64_t bytes;
};

static uint64_t number(const void *tree, int node, const char *name)
{
    int bytes = 0;
    const uint8_t *const p = fdt_getprop(tree, node, name, &bytes);
    uint64_t value = 0u;

    MUST((p != NULL) && ((bytes == 4) || (bytes == 8)));
    for (int i = 0; i < bytes; i++) {
        value = (value << 8u) | p[i];
    }
    return value;
}

static void tree_check(const struct domain *d, const uint8_t *tree, bool has_ramdisk, struct part *ramdisk)
{
    const int chosen = fdt_path_offset(tree, "/chosen");
    const int cpus = fdt_path_offset(tree, "/cpus");
    const int intc = fdt_node_offset_by_phandle(tree, HAL_VPLAT_PHANDLE_INTC);
    const int memory = fdt_path_offset(tree, "/memory@40000000");
    const int uart = fdt_path_offset(tree, "/sbsa-uart@22000000");
    char bootargs[64];
    uint32_t nr_cpus = 0u;
    int node = 0;

    MUST(fdt_check_full(tree, fdt_totalsize(tree)) == 0);
    MUST((number(tree, 0, "#address-cells") == 2u) && (number(tree, 0, "#size-cells") == 2u));
    MUST(number(tree, 0, "interrupt-parent") == HAL_VPLAT_PHANDLE_INTC);
    (void)snprintf(bootargs, sizeof(bootargs), "console=ttyAMA0 name=%s", d->plan->name);
    MUST((chosen >= 0) && (strcmp(fdt_getprop(tree, chosen, "bootargs", NULL), bootargs) == 0));
    MUST(strcmp(fdt_getprop(tree, chosen, "bulkhead,domain-name", NULL), d->plan->name) == 0);
    MUST((intc >= 0) && (fdt_getprop(tree, intc, "interrupt-controller", NULL) != NULL));
    MUST((uart >= 0) && (fdt_node_check_compatible(tree, uart, "arm,sbsa-uart") == 0));
    MUST((memory >= 0) && (strcmp(fdt_getprop(tree, memory, "device_type", NULL), "memory") == 0));
    const fdt32_t *const reg = fdt_getprop(tree, memory, "reg", NULL);
    MUST((fdt32_to_cpu(reg[1]) == GUEST_RAM) && (fdt32_to_cpu(reg[3]) == d->plan->memory_bytes));
    fdt_for_each_subnode(node, tree, cpus)
    {
        nr_cpus++;
    }
    MUST(nr_cpus == d->nr_vcpus);
    ramdisk->bytes = 0u;
    MUST((fdt_getprop(tree, chosen, "linux,initrd-start", NULL) != NULL) == has_ramdisk);
    if (has_ramdisk) {
        ramdisk->at = number(tree, chosen, "linux,initrd-start");
        ramdisk->bytes = number(tree, chosen, "linux,initrd-end") - ramdisk->at;
        MUST(ramdisk->bytes == R_BYTES);
    }
}

static void module_check(const uint8_t *memory, const struct part *part, hpa_t module)
{
    MUST(memcmp(&memory[part->at - GUEST_RAM], fake_ram(module, part->bytes), part->bytes) == 0);
}

/* Everything that is neither kernel nor ramdisk nor tree is zero. */
static void rest_check(const uint8_t *memory, uint64_t bytes, const struct part *part, uint32_t nr_parts)
{
    for (uint64_t i = 0u; i < bytes; i++) {
        bool used = false;

        for (uint32_t p = 0u; p < nr_parts; p++) {
            used = used || (((GUEST_RAM + i) - part[p].at) < part[p].bytes);
        }
        if (!used && (memory[i] != 0u)) {
            (void)fprintf(stderr, "offset 0x%llx\n", (unsigned long long)i);
            MUST(!"memory that was given is clean");
        }
    }
}

static void given(const struct domain *d, bool has_ramdisk)
{
    const uint64_t bytes = d->plan->memory_bytes;
    uint8_t *const memory = malloc(bytes);
    const struct hal_vcpu *const v = &d->vcpu[0]->hal;
    struct part part[3] = { { v->entry, K_BYTES }, { v->argument, 0u }, { 0u, 0u } };

    MUST(d->state == DOMAIN_RUNNING);
    MUST(v->entry == GUEST_RAM);
    MUST(fake_guest_read(&d->hal.map, gpa(GUEST_RAM), memory, bytes));
    MUST(!fake_guest_read(&d->hal.map, gpa(GUEST_RAM + bytes), memory, 1u));
    MUST(!fake_guest_read(&d->hal.map, gpa(GUEST_RAM - 1u), memory, 1u));
    MUST((v->argument >= (GUEST_RAM + K_BYTES)) && ((v->argument + 4096u) < (GUEST_RAM + bytes)));
    const uint8_t *const tree = &memory[v->argument - GUEST_RAM];
    MUST(fdt_check_header(tree) == 0);
    part[1].bytes = fdt_totalsize(tree);
    tree_check(d, tree, has_ramdisk, &part[2]);
    module_check(memory, &part[0], d->plan->kernel.base);
    if (has_ramdisk) {
        module_check(memory, &part[2], d->plan->ramdisk.base);
    }
    rest_check(memory, bytes, part, 3u);
    free(memory);
}

/* -- Scenarios -- */

static void ask_reset(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_domain_power(vcpu->domain, HAL_DOMAIN_RESET, NULL);
}

static void ask_off(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_domain_power(vcpu->domain, HAL_DOMAIN_OFF, "SYSTEM_OFF");
}

/* The frames that a domain has now */
static uint32_t frames_of(const struct domain *d, struct part *frame, uint32_t most)
{
    uint32_t n = 0u;
    gpa_t at = gpa(0u);
    hpa_t to = hpa(0u);
    uint64_t bytes = 0u;
    uint32_t perm = 0u;

    while ((n < most) && fake_map_region(&d->hal.map, n, &at, &to, &bytes, &perm)) {
        frame[n] = (struct part){ to.v, bytes };
        MUST(ram_owner(to) == (RAM_OWNER_DOMAIN + d->id));
        n++;
    }
    return n;
}

static void frames_are_clean(const struct part *frame, uint32_t nr_frames)
{
    for (uint32_t f = 0u; f < nr_frames; f++) {
        const uint8_t *const memory = fake_ram(hpa(frame[f].at), frame[f].bytes);

        for (uint64_t i = 0u; i < frame[f].bytes; i++) {
            MUST(memory[i] == 0u);
        }
        MUST(ram_owner(hpa(frame[f].at)) == RAM_FREE);
    }
}

static struct work rebuild_work;
static struct domain *rebuild_domain;
static enum hv_status rebuild_status;

static void rebuild(struct work *work)
{
    (void)work;
    rebuild_status = build_domain(rebuild_domain);
    if (rebuild_status == HV_OK) {
        build_start(rebuild_domain);
    }
}

/* Long work beside guests takes its time; a second is much. */
static void until_state(const struct domain *d, enum domain_state state)
{
    fake_run();
    for (uint32_t i = 0u; (d->state != state) && (i < 1000u); i++) {
        fake_time_advance(MS);
    }
    MUST(d->state == state);
}

/* The guest fills its memory and devices with traces of itself, and ends. */
static void live_and_die(struct domain *d)
{
    const uint8_t trace[32] = "secret secret secret secret sec";
    const cpuid_t cpu = cpu_of(d->vcpu[0]);

    MUST(cpu < CPUS);
    for (uint64_t at = 0u; at < d->plan->memory_bytes; at += 0x10000u) {
        MUST(fake_guest_write(&d->hal.map, gpa(GUEST_RAM + at), trace, sizeof(trace)));
    }
    fake_guest_virt_timer(&d->vcpu[0]->hal, hal_timer_now_ns() + MS);
    fake_guest_pend(&d->vcpu[0]->hal, 5u);
    fake_guest_call(cpu, ask_off, NULL);
    until_state(d, DOMAIN_STOPPED);
}

static void rebuild_again(struct domain *d, cpuid_t cpu)
{
    rebuild_domain = d;
    rebuild_status = HV_CORRUPT;
    work_setup(&rebuild_work, rebuild);
    work_queue(&rebuild_work, cpu);
    until_state(d, DOMAIN_RUNNING);
    for (uint32_t i = 0u; (rebuild_status != HV_OK) && (i < 100u); i++) {
        fake_time_advance(MS);
    }
    MUST(rebuild_status == HV_OK);
}

static void lives(void)
{
    struct part frame[DOMAIN_CHUNKS_MAX + 4u];
    struct account alive;
    struct account dead;

    power_on(BOARD("null") DOMAIN("1", "1", "32768", WITH_RAMDISK) DOMAIN("2", "1", "16384", "") END, CPUS,
             modules_put);
    struct domain *const d = domain("domU1");
    given(d, true);
    given(domain("domU2"), false);
    for (uint32_t life = 0u; life < 4u; life++) {
        const struct account a = account(d);
        const uint32_t nr_frames = frames_of(d, frame, DOMAIN_CHUNKS_MAX + 4u);

        MUST(nr_frames > 0u);
        live_and_die(d);
        const struct account b = account(d);
        MUST(b.maps == (a.maps - 1u));
        MUST(b.free_ram == (a.free_ram + d->plan->memory_bytes));
        MUST(b.pool == d->pool.nr_pages);
        frames_are_clean(frame, nr_frames);
        if (life > 0u) {
            account_same(&a, &alive);
            account_same(&b, &dead);
        }
        alive = a;
        dead = b;
        /* the other one has noticed nothing */
        MUST(cpu_of(domain("domU2")->vcpu[0]) < CPUS);
        given(domain("domU2"), false);

        rebuild_again(d, life % CPUS);
        given(d, true);
    }
    MUST(fake_power_state() == FAKE_POWER_ON);
}

/* What nobody had is given as it is; what the loader left there shows it. What one had never is. */
static void vouched(void)
{
    static const char source[] =
        BOARD("null") " bulkhead,clean-memory;" DOMAIN("1", "1", "8192", "") DOMAIN("2", "1", "8192", "") END;
    struct part frame[DOMAIN_CHUNKS_MAX + 4u];

    power_on(source, CPUS, modules_put);
    struct domain *const d = domain("domU1");
    uint8_t byte = 0u;
    MUST(fake_guest_read(&d->hal.map, gpa(GUEST_RAM + MIB(3)), &byte, 1u) && (byte == DIRT));
    MUST(fake_guest_read(&domain("domU2")->hal.map, gpa(GUEST_RAM + MIB(3)), &byte, 1u) && (byte == DIRT));
    fake_guest_call(cpu_of(domain("domU2")->vcpu[0]), ask_reset, NULL);
    for (uint32_t i = 0u; (domain("domU2")->nr_restarts == 0u) && (i < 1000u); i++) {
        fake_time_advance(MS);
    }
    until_state(domain("domU2"), DOMAIN_RUNNING);
    given(domain("domU2"), false);
    const uint32_t nr_frames = frames_of(d, frame, DOMAIN_CHUNKS_MAX + 4u);
    live_and_die(d);
    frames_are_clean(frame, nr_frames);
    for (uint32_t f = 0u; f < nr_frames; f++) { /* is it scrubbed again? */
        (void)memset(fake_ram(hpa(frame[f].at), frame[f].bytes), DIRT, frame[f].bytes);
    }
    rebuild_again(d, 0u);
    given(d, false);
}

static void last_one_off(void)
{
    power_on(BOARD("null") DOMAIN("1", "1", "8192", "") DOMAIN("2", "1", "8192", "") END, CPUS, modules_put);
    live_and_die(domain("domU1"));
    MUST(fake_power_state() == FAKE_POWER_ON);
    fake_guest_call(cpu_of(domain("domU2")->vcpu[0]), ask_off, NULL);
    until_state(domain("domU2"), DOMAIN_STOPPED);
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

static void start_other(struct hal_vcpu *vcpu, void *arg)
{
    struct hal_vcpu *const other = upcall_vcpu(vcpu->domain, (uint32_t)(uintptr_t)arg);

    MUST((other != NULL) && (upcall_vcpu_start(other, 0x1000u, 0u) == HV_OK));
}

/* Five vCPUs that all compute, on two CPUs: each gets its part, at any time and not only in the end. */
static void fair(void)
{
    struct vcpu *v[5];
    uint64_t before[5];

    power_on(BOARD("credit2") DOMAIN("1", "2", "8192", "") DOMAIN("2", "2", "8192", "")
                 DOMAIN("3", "1", "8192", "") END,
             CPUS, modules_put);
    for (uint32_t i = 0u; i < 5u; i++) {
        char name[8];

        (void)snprintf(name, sizeof(name), "domU%u", (i / 2u) + 1u);
        v[i] = domain(name)->vcpu[i % 2u];
    }
    for (uint32_t i = 1u; i < 4u; i += 2u) {
        for (uint32_t round = 0u; (cpu_of(v[i - 1u]) == HV_CPUS_MAX) && (round < 100u); round++) {
            fake_time_advance(MS);
        }
        fake_guest_call(cpu_of(v[i - 1u]), start_other, (void *)(uintptr_t)1u);
        fake_run();
    }
    for (uint32_t second = 0u; second < 5u; second++) {
        for (uint32_t i = 0u; i < 5u; i++) {
            before[i] = sched_run_ns(v[i]);
        }
        for (uint32_t i = 0u; i < 200u; i++) {
            fake_time_advance(MS);
        }
        for (uint32_t i = 0u; i < 5u; i++) {
            const uint64_t got = sched_run_ns(v[i]) - before[i];

            MUST((got >= (70u * MS)) && (got <= (90u * MS))); /* 80 is the fifth of 2 * 200 */
        }
    }
}

/* A clock that moves on between two looks: a guest's timer that has expired while its vCPU waits for its turn
 * costs the one that runs an interrupt or two, not all of its time. */
static void expired_timer_is_quiet(void)
{
    power_on(BOARD("credit2") DOMAIN("1", "1", "8192", "") DOMAIN("2", "1", "8192", "")
                 DOMAIN("3", "1", "8192", "") DOMAIN("4", "1", "8192", "") END,
             CPUS, modules_put);
    struct vcpu *sleeper = NULL;

    for (uint32_t round = 0u; (sleeper == NULL) && (round < 100u); round++) {
        fake_time_advance(MS);
        sleeper = (cpu_of(domain("domU4")->vcpu[0]) < CPUS) ? domain("domU4")->vcpu[0] : NULL;
    }
    MUST(sleeper != NULL);
    fake_time_step(100u);
    fake_guest_virt_timer(&sleeper->hal, hal_timer_now_ns() + (MS / 2u));
    fake_guest_wait(cpu_of(sleeper));
    fake_run();
    MUST(cpu_of(sleeper) == HV_CPUS_MAX);
    const uint64_t before = fake_timers_taken();
    for (uint32_t i = 0u; i < 20u; i++) {
        fake_time_advance(MS / 5u);
    }
    MUST((fake_timers_taken() - before) < 20u);
}

static void run_scenario(void **state)
{
    scenario((void (*)(void))(uintptr_t)*state);
}

#define SCENARIO(f) { #f, run_scenario, NULL, NULL, (void *)(uintptr_t)(f) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(lives),
        SCENARIO(vouched),
        SCENARIO(last_one_off),
        SCENARIO(fair),
        SCENARIO(expired_timer_is_quiet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
