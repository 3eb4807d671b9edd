/* Plans from good boards and systems; the faults have their own tests in tests/neg/config.
 * [test->req~host-from-tree~1] */
#include "tree_source.h"

#include "config/config.h"
#include "config/control/config_control.h"

#define MODULE(name, kind, at)                                                                               \
    name " { compatible = \"multiboot," kind "\", \"multiboot,module\"; reg = <0 " at " 0x100000>; };"
#define CELLS "#address-cells = <2>; #size-cells = <1>;"
#define SECOND                                                                                               \
    "soc { second: serial@2000000 { compatible = \"snps,dw-apb-uart\"; reg = <0x2000000 0x100>; "            \
    "reg-shift = <2>; reg-io-width = <4>; interrupts = <0 9 1>; }; }; aliases { serial1 = &second; };"
#define DOMAIN "compatible = \"xen,domain\"; " CELLS " memory = <0 0x10000>;"

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static struct said said;
static struct config_env env;

static enum hv_status plan_of(const char *more, void **blob)
{
    size_t bytes = 0;

    *blob = board_with(more, &bytes);
    said_init(&said);
    env.image_base.v = 0x40200000;
    env.image_bytes = 0x80000;
    env.tree_base.v = 0x40280000;
    assert_int_equal(config_index_make(&ix, *blob, bytes, &said.report), HV_OK);
    return config_plan_make(&ix, &env, &plan, &said.report);
}

static void *good_plan(const char *more)
{
    void *blob = NULL;
    const enum hv_status status = plan_of(more, &blob);

    assert_string_equal(said.text, "");
    assert_int_equal(status, HV_OK);
    return blob;
}

static const char one_domain[] =
    "/ { chosen { domU1 { " DOMAIN " cpus = <1>; " MODULE("k", "kernel", "0x48000000") " }; }; };";

static void test_host(void **state)
{
    void *const blob = good_plan(one_domain);

    (void)state;
    assert_int_equal(plan.nr_ram, 1);
    assert_int_equal(plan.ram[0].base, 0x40000000);
    assert_int_equal(plan.ram[0].bytes, 0x40000000);
    assert_int_equal(plan.nr_reserved, 2);
    assert_int_equal(plan.reserved[0].base, 0x40000000);
    assert_int_equal(plan.reserved[0].bytes, 0x10000);
    assert_int_equal(plan.reserved[1].base, 0x7f000000);
    assert_int_equal(plan.nr_cpus, 4);
    assert_int_equal(plan.cpu_hwid[3], 3);
    assert_int_equal(plan.console.kind, PLAN_CONSOLE_PL011);
    assert_int_equal(plan.console.base.v, 0x9000000);
    assert_int_equal(plan.console.bytes, 0x1000);
    assert_int_equal(plan.console.irq, 33);
    assert_false(plan.console.irq_edge);
    assert_int_equal(plan.host.arm.gic_version, 3);
    assert_int_equal(plan.host.arm.gicd.base, 0x8000000);
    assert_int_equal(plan.host.arm.nr_gicr, 1);
    assert_int_equal(plan.host.arm.gicr[0].base, 0x80a0000);
    assert_int_equal(plan.host.arm.gicr[0].bytes, 0xf60000);
    assert_int_equal(plan.host.arm.ppi_maintenance, 25);
    assert_int_equal(plan.host.arm.ppi_virt_timer, 27);
    assert_int_equal(plan.host.arm.ppi_hyp_timer, 26);
    assert_int_equal(plan.host.arm.ppi_phys_timer, 30);
    assert_int_equal(plan.host.arm.psci_conduit, ARM_CONDUIT_SMC);
    assert_int_equal(plan.host.arm.psci_cpu_on, 0xC4000003);
    assert_int_equal(plan.host.arm.psci_system_off, 0x84000008);
    assert_string_equal(plan.host.arm.cpu_compatible, "arm,cortex-a53");
    free(blob);
}

static void test_memory_banks(void **state)
{
    void *const blob = good_plan(
        "/ { "
        "memory@40000000 { reg = <0 0x80000000 0 0x1000000>, <0 0x40000000 0 0x40000000>, <0 0 0 0>; }; "
        "memory@200000000 { device_type = \"memory\"; reg = <2 0x800 0 0x2000>; }; "
        "memory@300000000 { device_type = \"memory\"; reg = <3 0 0 0x2000>; status = \"disabled\"; }; "
        "memory-controller { device_type = \"memory\"; reg = <4 0 0 0x2000>; }; "
        "reserved-memory { c@50000800 { reg = <0 0x50000800 0 0x1000>; }; a { #address-cells = <2>; "
        "#size-cells = <2>; ranges; b@50002000 { reg = <0 0x50002000 0 0x1000>; }; }; dynamic { "
        "size = <0 0x1000>; }; "
        "off@60000000 { reg = <0 0x60000000 0 0x1000>; status = \"disabled\"; }; }; "
        "chosen { domU1 { " DOMAIN " cpus = <1>; " MODULE("k", "kernel", "0x80000000") " }; }; };");

    (void)state;
    assert_int_equal(plan.nr_ram, 2); /* neighbours are one bank */
    assert_int_equal(plan.ram[0].base, 0x40000000);
    assert_int_equal(plan.ram[0].bytes, 0x41000000);
    assert_int_equal(plan.ram[1].base, 0x200001000); /* whole pages only */
    assert_int_equal(plan.ram[1].bytes, 0x1000);
    assert_int_equal(plan.nr_reserved, 3); /* 0x50000800 grows to whole pages and meets 0x50002000 */
    assert_int_equal(plan.reserved[1].base, 0x50000000);
    assert_int_equal(plan.reserved[1].bytes, 0x3000);
    free(blob);
}

static void test_cpus(void **state)
{
    void *blob = good_plan("/ { cpus { cpu@1 { status = \"disabled\"; }; "
                           "cpu-map { }; l2 { device_type = \"cache\"; }; }; chosen { domU1 { " DOMAIN
                           " cpus = <1>; " MODULE("k", "kernel", "0x48000000") " }; }; };");

    (void)state;
    assert_int_equal(plan.nr_cpus, 3);
    assert_int_equal(plan.cpu_hwid[1], 2);
    free(blob);

    assert_int_equal(
        plan_of("/ { cpus { #address-cells = <2>; cpu@0 { reg = <1 0>; }; cpu@1 { reg = <0 0x100>; }; "
                "cpu@2 { reg = <0 2>; enable-method = \"spin-table\"; }; "
                "cpu@3 { reg = <0 3>; enable-method = \"spin-table\"; }; }; };",
                &blob),
        HV_INVALID);
    assert_int_equal(plan.nr_cpus, 2);
    assert_int_equal(plan.cpu_hwid[0], 0x100000000);
    assert_string_equal(said.text,
                        "note: /cpus/cpu@3: enable-method: left out, this host has no way to start it\n"
                        "note: /cpus/cpu@2: enable-method: left out, this host has no way to start it\n"
                        "/chosen: domains: found nothing, expected a node below /chosen compatible with "
                        "\"xen,domain\"\n");
    free(blob);

    /* Without firmware that starts CPUs the first one runs alone. */
    assert_int_equal(plan_of("/ { psci { status = \"disabled\"; }; };", &blob), HV_INVALID);
    assert_int_equal(plan.nr_cpus, 1);
    assert_int_equal(plan.cpu_hwid[0], 0);
    assert_int_equal(plan.host.arm.psci_conduit, ARM_CONDUIT_NONE);
    free(blob);

    assert_int_equal(
        plan_of("/ { psci { compatible = \"arm,psci\"; method = \"hvc\"; cpu_on = <0x95c1ba60>; }; };",
                &blob),
        HV_INVALID);
    assert_int_equal(plan.host.arm.psci_conduit, ARM_CONDUIT_HVC);
    assert_int_equal(plan.host.arm.psci_cpu_on, 0x95c1ba60);
    assert_int_equal(plan.host.arm.psci_system_off, 0);
    assert_int_equal(plan.nr_cpus, 4);
    free(blob);
}

/* A CPU more than there is room for is left out. */
static void test_cpus_many(void **state)
{
    char *const source = calloc(1, 65536);
    void *blob = NULL;

    (void)state;
    (void)strcpy(source, "/ { cpus {");
    for (int i = 4; i < 65; i++) {
        (void)sprintf(source + strlen(source),
                      " cpu@%x { device_type = \"cpu\"; reg = <%d>; enable-method = \"psci\"; };",
                      (unsigned int)i, i);
    }
    (void)strcat(source, " }; };");
    assert_int_equal(plan_of(source, &blob), HV_INVALID);
    assert_int_equal(plan.nr_cpus, 64);
    assert_non_null(strstr(said.text, "note: /cpus/cpu@40: reg: left out, 64 CPUs are the most\n"));
    free(blob);
    free(source);
}

static void console_is(const char *more, enum plan_console_kind kind, uint64_t base)
{
    void *blob = NULL;

    (void)plan_of(more, &blob);
    assert_int_equal(plan.console.kind, kind);
    assert_int_equal(plan.console.base.v, base);
    free(blob);
}

static void test_console(void **state)
{
    (void)state;
    console_is("/ { " SECOND " };", PLAN_CONSOLE_PL011, 0x9000000);
    console_is("/ { " SECOND " chosen { stdout-path = \"serial1\"; }; };", PLAN_CONSOLE_NS16550, 0xa000000);
    assert_int_equal(plan.console.reg_shift, 2);
    assert_int_equal(plan.console.reg_width, 4);
    assert_int_equal(plan.console.irq, 41);
    assert_true(plan.console.irq_edge);
    console_is("/ { " SECOND
               " chosen { xen,xen-bootargs = \"console=dtuart dtuart=serial1 sched=credit2\"; }; };",
               PLAN_CONSOLE_NS16550, 0xa000000);
    console_is("/ { " SECOND " chosen { stdout-path = \"/soc/serial@2000000:9600\"; }; };",
               PLAN_CONSOLE_NS16550, 0xa000000);
    console_is("/ { chosen { stdout-path = \"/soc/none\"; }; };", PLAN_CONSOLE_NONE, 0);
    assert_non_null(
        strstr(said.text, "note: /chosen: stdout-path: names no console that is known, there is none\n"));
    console_is("/ { soc { serial@1000000 { compatible = \"arm,sbsa-uart\"; interrupts = <0 2000 4>; }; }; };",
               PLAN_CONSOLE_PL011, 0x9000000);
    assert_int_equal(plan.console.irq, 0);
    console_is("/ { /delete-node/ chosen; };", PLAN_CONSOLE_PL011, 0x9000000);
    console_is("/ { /delete-node/ chosen; soc { serial@1000000 { status = \"disabled\"; }; }; };",
               PLAN_CONSOLE_NONE, 0);
    console_is("/ { soc { serial@1000000 { compatible = \"ns16550a\"; reg-offset = <0x40>; }; }; };",
               PLAN_CONSOLE_NS16550, 0x9000040);
    assert_int_equal(plan.console.reg_width, 1);
    console_is("/ { soc { serial@1000000 { compatible = \"xlnx,zynqmp-uart\", \"cdns,uart-r1p12\"; }; }; };",
               PLAN_CONSOLE_CADENCE, 0x9000000);
    console_is("/ { soc { serial@1000000 { compatible = \"arm,mps2-uart\"; "
               "interrupts = <0 5 4>, <0 6 4>, <0 17 4>; }; }; };",
               PLAN_CONSOLE_CMSDK, 0x9000000);
    assert_int_equal(plan.console.irq, 0); /* none of these is for all it has to say */
    console_is(
        "/ { soc { serial@1000000 { compatible = \"arm,mps2-uart\"; "
        "interrupts = <0 5 4>, <0 6 4>, <0 13 4>; interrupt-names = \"rx\", \"tx\", \"combined\"; }; }; };",
        PLAN_CONSOLE_CMSDK, 0x9000000);
    assert_int_equal(plan.console.irq, 45);
}

static void test_gicv2(void **state)
{
    void *const blob = good_plan(
        "/ { soc { interrupt-controller@0 { compatible = \"arm,cortex-a15-gic\"; "
        "reg = <0 0x10000>, <0x10000 0x10000>, <0x30000 0x10000>, <0x40000 0x10000>; }; }; "
        "timer { interrupts = <1 10 4>, <1 11 4>, <1 13 4>, <1 14 4>; clock-frequency = <62500000>; "
        "interrupt-names = \"hyp-phys\", \"virt\", \"sec-phys\", \"phys\"; }; "
        "chosen { domU1 { " DOMAIN " cpus = <8>; " MODULE("k", "kernel", "0x48000000") " }; }; };");

    (void)state;
    assert_int_equal(plan.host.arm.gic_version, 2);
    assert_int_equal(plan.host.arm.gicc.base, 0x8010000);
    assert_int_equal(plan.host.arm.gich.base, 0x8030000);
    assert_int_equal(plan.host.arm.gicv.base, 0x8040000);
    assert_int_equal(plan.host.arm.ppi_hyp_timer, 26);
    assert_int_equal(plan.host.arm.ppi_virt_timer, 27);
    assert_int_equal(plan.host.arm.ppi_phys_timer, 30);
    assert_int_equal(plan.host.arm.timer_frequency, 62500000);
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_CREDIT2);
    free(blob);
}

static void test_domains(void **state)
{
    void *const blob = good_plan(
        "/ { chosen { domU1 { " DOMAIN " cpus = <2>; vpl011; "
        "module@48000000 { compatible = \"multiboot,module\"; reg = <0 0x48000000 0xffffff>; "
        "bootargs = \"a b\"; }; "
        "module@4a000000 { compatible = \"xen,multiboot-module\"; reg = <0 0x4a000000 0x1000>; }; }; "
        "off { " DOMAIN " status = \"disabled\"; }; hypervisor { compatible = \"something\"; }; "
        "rt@1 { compatible = \"x\", \"xen,domain\"; #address-cells = <1>; #size-cells = <2>; "
        "memory = <0 4>; cpus = <1>; "
        "nr_spis = <33>; trap-unmapped-accesses = <0>; xen,domain-p2m-mem-mb = <3>; "
        "bulkhead,start-order = <1>; "
        "passthrough = \"disabled\"; capabilities = <0>; sve = <0>; xen,enhanced = \"disabled\"; "
        "max_grant_version = <1>; max_grant_frames = <64>; xen,sci_type = \"none\"; "
        "vcpu { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0,2-3\"; }; "
        "ramdisk { compatible = \"xen,linux-initrd\", \"multiboot,module\"; reg = <0x4c000000 0 1>; }; "
        "kernel { compatible = \"multiboot,module\", \"xen,linux-zimage\"; reg = <0x4b000000 0 0x1000>; "
        "}; }; }; };");
    const struct plan_domain *d = &plan.domain[0];

    (void)state;
    assert_int_equal(plan.nr_domains, 2);
    assert_string_equal(d->name, "domU1");
    assert_int_equal(d->domid, 1);
    assert_int_equal(d->memory_bytes, 64u << 20u);
    assert_int_equal(d->pool_bytes, (256u << 10u) + (64u << 10u) + (16u << 10u));
    assert_int_equal(d->nr_vcpus, 2);
    assert_int_equal(d->nr_spis, 32);
    assert_int_equal(d->start_order, 1000);
    assert_true(d->vpl011);
    assert_true(d->trap_unmapped);
    assert_int_equal(d->kernel.base.v, 0x48000000);
    assert_int_equal(d->kernel.bytes, 0xffffff);
    assert_string_equal(d->kernel.name, "module@48000000");
    assert_int_equal(d->ramdisk.base.v, 0x4a000000);
    assert_string_equal(d->bootargs, "a b");
    assert_true(d->affinity[0] == UINT64_MAX);
    d = &plan.domain[1];
    assert_string_equal(d->name, "rt@1");
    assert_int_equal(d->domid, 2);
    assert_int_equal(d->memory_bytes, 4096);
    assert_int_equal(d->pool_bytes, 3u << 20u);
    assert_int_equal(d->nr_spis, 64);
    assert_int_equal(d->start_order, 1);
    assert_false(d->vpl011);
    assert_false(d->trap_unmapped);
    assert_int_equal(d->kernel.base.v, 0x4b000000);
    assert_int_equal(d->ramdisk.bytes, 1);
    assert_string_equal(d->bootargs, "");
    assert_int_equal(d->affinity[0], 0xd);
    free(blob);
}

static void test_scheduler(void **state)
{
    /* Only one arrangement works: the greedy one would give CPU 0 to the first vCPU. */
    void *blob = good_plan(
        "/ { chosen { a { " DOMAIN
        " cpus = <2>; v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0-1\"; }; "
        "w { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"1-2\"; }; " MODULE(
            "k", "kernel",
            "0x48000000") " }; "
                          "b { " DOMAIN
                          " cpus = <2>; v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0\"; }; "
                          "w { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"1-2\"; }; " MODULE(
                              "k", "kernel", "0x49000000") " }; }; };");
    const struct plan_domain *const d = plan.domain;

    (void)state;
    assert_string_equal(said.text, "");
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_CREDIT2); /* four vCPUs, three CPUs allowed */
    free(blob);

    blob = good_plan(
        "/ { chosen { a { " DOMAIN
        " cpus = <2>; v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0-1\"; }; "
        "w { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"1-3\"; }; " MODULE(
            "k", "kernel",
            "0x48000000") " }; "
                          "b { " DOMAIN
                          " cpus = <2>; v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0\"; }; "
                          "w { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"2\"; }; " MODULE(
                              "k", "kernel", "0x49000000") " }; }; };");
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_NULL);
    assert_int_equal(d[0].pinned[0], 1);
    assert_int_equal(d[0].pinned[1], 3);
    assert_int_equal(d[1].pinned[0], 0);
    assert_int_equal(d[1].pinned[1], 2);
    free(blob);

    blob = good_plan(
        "/ { chosen { bulkhead,scheduler = \"credit2\"; xen,xen-bootargs = \"sched=null\"; domU1 { " DOMAIN
        " cpus = <1>; " MODULE("k", "kernel", "0x48000000") " }; }; };");
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_CREDIT2);
    free(blob);
    blob = good_plan("/ { chosen { xen,xen-bootargs = \"nosched=null sched=credit2\"; domU1 { " DOMAIN
                     " cpus = <1>; " MODULE("k", "kernel", "0x48000000") " }; }; };");
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_CREDIT2);
    free(blob);
}

/* Every arrangement of affinities of four vCPUs over four CPUs, against trying all permutations. */
static void test_matching(void **state)
{
    void *const blob =
        good_plan("/ { chosen { a { " DOMAIN
                  " cpus = <4>; v0 { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0\"; }; "
                  "v1 { compatible = \"xen,vcpu\"; id = <1>; hard-affinity = \"0\"; }; "
                  "v2 { compatible = \"xen,vcpu\"; id = <2>; hard-affinity = \"0\"; }; "
                  "v3 { compatible = \"xen,vcpu\"; id = <3>; hard-affinity = \"0\"; }; " MODULE(
                      "k", "kernel", "0x48000000") " }; }; };");
    uint8_t *list[4];

    (void)state;
    for (int v = 0; v < 4; v++) {
        char path[32];
        struct dt_value value;

        (void)sprintf(path, "/chosen/a/v%d", v);
        assert_true(dt_get(&ix, dt_find(&ix, path), "hard-affinity", &value));
        list[v] = (uint8_t *)(uintptr_t)value.data;
    }
    for (uint32_t code = 0; code < 256u; code++) {
        bool possible = true;
        uint32_t used = 0;

        for (int v = 0; v < 4; v++) {
            const uint32_t cpu = (code >> (2 * v)) & 3u;

            list[v][0] = (uint8_t)('0' + cpu);
            possible = possible && ((used & (1u << cpu)) == 0u);
            used |= 1u << cpu;
        }
        assert_int_equal(config_plan_make(&ix, &env, &plan, &said.report), HV_OK);
        assert_int_equal(plan.pool[0].sched, possible ? PLAN_SCHED_NULL : PLAN_SCHED_CREDIT2);
    }
    free(blob);
}

static void test_payload(void **state)
{
    void *blob = NULL;
    const char *const source =
        "/ { chosen { a { " DOMAIN
        " cpus = <1>; k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "
        "bulkhead,image-offset = <0 0x2000>; bulkhead,image-bytes = <0 0x800>; }; }; "
        "b { " DOMAIN " cpus = <1>; k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "
        "bulkhead,image-offset = <0 0x2000>; bulkhead,image-bytes = <0 0x800>; }; "
        "r { compatible = \"multiboot,ramdisk\", \"multiboot,module\"; "
        "bulkhead,image-offset = <0 0x2800>; bulkhead,image-bytes = <0 0x801>; }; }; }; };";

    (void)state;
    env.payload_base.v = 0x4027e000;
    env.payload_bytes = 0x4000;
    assert_int_equal(plan_of(source, &blob), HV_INVALID); /* the tree is said to lie where the modules do */
    assert_non_null(strstr(said.text, "expected memory that the device tree leaves free\n"));
    free(blob);
    env.payload_base.v = 0x40300000;
    (void)good_plan(source);
    assert_int_equal(plan.domain[0].kernel.base.v, 0x40302000);
    assert_int_equal(plan.domain[1].kernel.base.v, 0x40302000);
    assert_int_equal(plan.domain[1].ramdisk.bytes, 0x801);
    env.payload_bytes = 0x3000;
    free((void *)(uintptr_t)ix.blob);
    assert_int_equal(plan_of(source, &blob), HV_INVALID);
    assert_string_equal(said.text,
                        "/chosen/b/r: bulkhead,image-offset: found <0x0 0x2800>, expected a place inside the "
                        "image's payload\n");
    free(blob);
    memset(&env, 0, sizeof(env));
}

/* What a terminal would take for a command does not reach it. */
static void test_printable(void **state)
{
    void *blob = NULL;
    uint8_t *name;

    (void)state;
    (void)plan_of("/ { chosen { evilname { " DOMAIN " cpus = <0>; }; }; };", &blob);
    name = (uint8_t *)(uintptr_t)dt_name(&ix, dt_find(&ix, "/chosen/evilname"));
    name[0] = 0x1b;
    name[1] = '[';
    said_init(&said);
    assert_int_equal(config_plan_make(&ix, &env, &plan, &said.report), HV_INVALID);
    assert_string_equal(said.text,
                        "/chosen/?[ilname: name: found ?[ilname, expected letters, digits and ,._+-@ only\n"
                        "/chosen/?[ilname: cpus: found 0, expected 1 to 128\n"
                        "/chosen/?[ilname: kernel: found nothing, expected a module compatible with "
                        "\"multiboot,kernel\"\n");
    free(blob);
}

/* What a domain does when it ends, and what it may use. */
static void test_life_cycle(void **state)
{
    void *blob = good_plan(one_domain);
    const struct plan_domain *const d = plan.domain;

    (void)state;
    assert_false(d->restart_on_crash);
    assert_true(d->restart_on_reset);
    assert_int_equal(d->restarts_per_minute, 10);
    assert_false(d->watchdog || d->monitor || d->unsound);
    assert_int_equal(d->max_irq_rate, 0);
    assert_int_equal(plan.on_panic, PLAN_PANIC_HALT);
    assert_false(plan.partial_boot);
    assert_int_equal(plan.log_keep.bytes, 0);
    free(blob);

    blob =
        good_plan("/ { reserved-memory { log@50000000 { compatible = \"bulkhead,log\"; reg = <0 0x50000000 0 "
                  "0x100000>; }; }; chosen { bulkhead,on-panic = \"park\"; domU1 { " DOMAIN
                  " cpus = <1>; bulkhead,on-crash = \"restart\"; bulkhead,on-reset = \"stop\"; "
                  "bulkhead,restart-limit = <0>; bulkhead,watchdog-ms = <0>; nr_spis = <0>; "
                  "bulkhead,max-irq-rate = <1000000>; bulkhead,monitor; " MODULE("k", "kernel",
                                                                                 "0x48000000") " }; }; };");
    assert_true(d->restart_on_crash);
    assert_false(d->restart_on_reset);
    assert_int_equal(d->restarts_per_minute, 0);
    assert_true(d->watchdog && d->monitor);
    assert_int_equal(d->watchdog_ms, 0);
    assert_int_equal(d->nr_spis, 32); /* the watchdog's interrupt is one */
    assert_int_equal(d->max_irq_rate, 1000000);
    assert_int_equal(plan.on_panic, PLAN_PANIC_PARK);
    assert_int_equal(plan.log_keep.base, 0x50000000);
    assert_int_equal(plan.log_keep.bytes, 0x100000);
    assert_int_equal(plan.nr_reserved, 3); /* not for guests */
    assert_int_equal(plan.reserved[1].base, 0x50000000);
    free(blob);
}

static void test_digests(void **state)
{
    void *const blob = good_plan(
        "/ { chosen { domU1 { " DOMAIN
        " cpus = <1>; k { compatible = \"multiboot,kernel\", \"multiboot,module\"; "
        "reg = <0 0x48000000 0x100000>; bulkhead,crc32c = <0x01020304>; }; "
        "r { compatible = \"multiboot,ramdisk\", \"multiboot,module\"; reg = <0 0x49000000 0x100000>; "
        "bulkhead,sha256 = <1 2 3 4 5 6 7 0x80000009>; }; }; }; };");
    const struct plan_domain *const d = plan.domain;

    (void)state;
    assert_int_equal(d->kernel.digest, PLAN_DIGEST_CRC32C);
    assert_memory_equal(d->kernel.digest_is, "\1\2\3\4", 4);
    assert_int_equal(d->ramdisk.digest, PLAN_DIGEST_SHA256);
    assert_int_equal(d->ramdisk.digest_is[3], 1);
    assert_int_equal(d->ramdisk.digest_is[28], 0x80);
    assert_int_equal(d->ramdisk.digest_is[31], 9);
    free(blob);
}

/* An unsound domain keeps its number and its name and nothing else; the others do not change.
 * [test->req~partial-boot~1] */
static void test_partial(void **state)
{
#define THREE(more)                                                                                          \
    "/ { chosen { " more " a { " DOMAIN " cpus = <1>; " MODULE(                                              \
        "k", "kernel", "0x48000000") " }; b { " DOMAIN                                                       \
                                     " cpus = <3>; nr_spis = <999>; vpl011; " MODULE(                        \
                                         "k", "kernel",                                                      \
                                         "0x49000000") " }; c { " DOMAIN                                     \
                                                       " cpus = <3>; " MODULE("k", "kernel",                 \
                                                                              "0x4a000000") " }; }; };"
    static const char sentence[] = "/chosen/b: nr_spis: found 999, expected 0 to 988\n";
    const struct plan_domain *const d = plan.domain;
    void *blob = NULL;

    (void)state;
    assert_int_equal(plan_of(THREE(""), &blob), HV_INVALID);
    assert_string_equal(said.text, sentence);
    free(blob);
    assert_int_equal(plan_of(THREE("bulkhead,partial-boot;"), &blob), HV_OK);
    assert_string_equal(said.text, sentence);
    assert_int_equal(plan.nr_domains, 3);
    assert_false(d[0].unsound || d[2].unsound);
    assert_true(d[1].unsound);
    assert_string_equal(d[1].name, "b");
    assert_int_equal(d[1].domid, 2);
    assert_int_equal(d[2].domid, 3);
    assert_int_equal(d[1].nr_vcpus, 0);
    assert_int_equal(d[1].memory_bytes + d[1].pool_bytes + d[1].kernel.bytes, 0);
    assert_false(d[1].vpl011);
    assert_int_equal(plan.pool[0].sched, PLAN_SCHED_NULL); /* four vCPUs are left for four CPUs */
    assert_int_equal(d[0].pinned[0], 0);
    assert_int_equal(d[2].pinned[2], 3);
    free(blob);
    /* a fault that is no domain's */
    assert_int_equal(plan_of(THREE("bulkhead,partial-boot; bulkhead,scheduler = \"x\";"), &blob), HV_INVALID);
    free(blob);
    /* what a terminal would take for a command is not in the list either */
    assert_int_equal(plan_of(THREE("bulkhead,partial-boot;"), &blob), HV_OK);
    *(uint8_t *)(uintptr_t)dt_name(&ix, dt_find(&ix, "/chosen/b")) = 0x1b;
    assert_int_equal(config_plan_make(&ix, &env, &plan, &said.report), HV_OK);
    assert_string_equal(d[1].name, "?");
    free(blob);
}

/* Tables for the whole of what is left, page by page. [test->req~spare-domains~1] */
static void test_spares(void **state)
{
    static const char *const says[] = { "", "bulkhead,spare-domains = <2>;",
                                        "bulkhead,spare-domains = <3 1 64>;" };
    static const uint32_t nr[] = { 8u, 2u, 3u };
    char text[1024];

    (void)state;
    for (uint32_t i = 0u; i < 3u; i++) {
        (void)snprintf(text, sizeof(text),
                       "/ { chosen { %s s { " DOMAIN " cpus = <1>; capabilities = <1>; "
                       "xen,enhanced = \"no-xenstore\"; " MODULE("k", "kernel", "0x48000000") " }; }; };",
                       says[i]);
        free(good_plan(text));
        assert_int_equal(plan.spares.nr, nr[i]);
        assert_in_range(plan.spares.pool_kib, (i < 2u) ? 2700u : 64u, (i < 2u) ? 3072u : 64u);
    }
}

/* Where a backend of that plan maps what is others': above its memory, apart from what is given to it. */
static void expect_region(void)
{
    assert_int_equal(plan.domain[0].region_gib, 0);
    assert_int_equal(plan.domain[2].region_gib, 0);
    assert_int_equal(plan.domain[1].region_gib, 2);
    plan.nr_windows = 2;
    plan.window[0].domain = 2; /* a frontend's */
    plan.window[0].at = gpa(0x80000000u);
    plan.window[0].host.bytes = 0x1000u;
    plan.window[1] = plan.window[0];
    plan.window[1].domain = 1;
    plan.window[1].at = gpa(0xfffff000u);
    config_regions_make(&plan);
    assert_int_equal(plan.domain[1].region_gib, 2);
    plan.window[1].at = gpa(0xbffff000u);
    config_regions_make(&plan);
    assert_int_equal(plan.domain[1].region_gib, 3);
}

/* [test->req~store-links~1] */
static void test_pv(void **state)
{
    void *const blob = good_plan(
        "/ { chosen { s: store { " DOMAIN
        " cpus = <1>; capabilities = <4>; xen,enhanced = \"no-xenstore\"; " MODULE("k", "kernel",
                                                                                   "0x48000000")   //
        " }; b: back { " DOMAIN " cpus = <1>; xen,enhanced; " MODULE("k", "kernel", "0x49000000")  //
        " }; f: front { " DOMAIN " cpus = <1>; xen,enhanced; " MODULE("k", "kernel", "0x4a000000") //
        " d { compatible = \"bulkhead,pv-disk\"; backend = <&b>; vdev = \"xvdb\"; device = \"fe:1\";"
        " read-only; };"
        " n { compatible = \"bulkhead,pv-net\"; backend = <&b>; handle = <3>; mac = \"00:16:3e:00:00:01\"; };"
        " }; }; };");

    (void)state;
    assert_int_equal(plan.nr_pv, 2);
    assert_int_equal(plan.pv[0].domain, 2);
    assert_int_equal(plan.pv[0].backend, 1);
    assert_false(plan.pv[0].net);
    assert_true(plan.pv[0].read_only);
    assert_int_equal(plan.pv[0].handle, 51728);
    assert_string_equal(plan.pv[0].text, "fe:1");
    assert_true(plan.pv[1].net);
    assert_false(plan.pv[1].read_only);
    assert_int_equal(plan.pv[1].handle, 3);
    assert_string_equal(plan.pv[1].text, "00:16:3e:00:00:01");
    assert_int_equal(plan.domain[0].peers, 0);
    assert_int_equal(plan.domain[1].peers, 4);
    assert_int_equal(plan.domain[2].peers, 2);
    expect_region();
    free(blob);
}

/* [test->req~control-domain~1] */
static void test_dom0(void **state)
{
    void *const blob = good_plan(
        "/ { chosen { " CELLS " xen,xen-bootargs = \"dom0_mem=256M dom0_max_vcpus=2\"; bootargs = \"quiet\"; "
        "bulkhead,control-reset = \"domain\"; " MODULE("module@1", "kernel", "0x44000000") MODULE(
            "module@2", "ramdisk",
            "0x48000000") "a: domU1 { " DOMAIN
                          " cpus = <1>; xen,enhanced; max_grant_version = <2>; max_grant_frames = <3>; "
                          "max_maptrack_frames = <4>; bulkhead,share-with = <&b>; " MODULE(
                              "k", "kernel", "0x49000000") " }; "
                                                           "b: domU2 { " DOMAIN
                                                           " cpus = <1>; xen,enhanced = \"legacy\"; " MODULE(
                                                               "k", "kernel", "0x4a000000") " }; }; };");
    const struct plan_domain *const d = plan.domain;
    uint64_t sum = 0;

    (void)state;
    assert_int_equal(plan.nr_domains, 3);
    assert_true(plan.control_alone);
    assert_string_equal(d[0].name, "Domain-0");
    assert_string_equal(d[0].bootargs, "quiet");
    assert_int_equal(d[0].role, PLAN_ROLE_CONTROL | PLAN_ROLE_HARDWARE | PLAN_ROLE_XENSTORE);
    assert_int_equal(d[0].nr_vcpus, 2);
    assert_true(d[0].direct_map && d[0].host_memory && (d[0].enhanced == PLAN_ENHANCED_NO_XENSTORE));
    assert_int_equal(d[0].ramdisk.base.v, 0x48000000);
    assert_int_equal(d[0].max_grant_version, 1);
    assert_int_equal(d[0].max_grant_frames, 64);
    assert_int_equal(d[0].max_maptrack_frames, 1024);
    for (uint32_t i = 0; i < 3u; i++) {
        assert_int_equal(d[i].domid, i);
        assert_int_equal(plan_index(&plan, d[i].domid), i);
    }
    /* In the lowest place that is free, behind the modules, where a zImage wants it. */
    for (uint32_t i = 0; i < d[0].nr_static; i++) {
        sum += plan.static_mem[d[0].static_first + i].bytes;
    }
    assert_int_equal(sum, 256u << 20u);
    assert_int_equal(plan.static_mem[d[0].static_first].base, 0x50000000);
    assert_int_equal(d[1].enhanced, PLAN_ENHANCED_ENABLED);
    assert_int_equal(d[2].enhanced, PLAN_ENHANCED_LEGACY);
    assert_int_equal(d[1].max_grant_version, 2);
    assert_int_equal(d[1].max_grant_frames, 3);
    assert_int_equal(d[1].max_maptrack_frames, 4);
    assert_int_equal(d[1].peers, 4);
    assert_int_equal(d[2].peers, 2);
    free(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_host),         cmocka_unit_test(test_pv),
        cmocka_unit_test(test_spares),       cmocka_unit_test(test_dom0),
        cmocka_unit_test(test_memory_banks), cmocka_unit_test(test_cpus),
        cmocka_unit_test(test_cpus_many),    cmocka_unit_test(test_console),
        cmocka_unit_test(test_gicv2),        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_scheduler),    cmocka_unit_test(test_matching),
        cmocka_unit_test(test_payload),      cmocka_unit_test(test_printable),
        cmocka_unit_test(test_life_cycle),   cmocka_unit_test(test_digests),
        cmocka_unit_test(test_partial),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
