/* The facts of plans that are made up: what the report says of them, line by line.
 * [test->req~partition-report~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "partition/facts.h"

static char said[2048];

static void hear(void *ctx, const char *sentence)
{
    (void)ctx;
    strncat(said, sentence, sizeof(said) - strlen(said) - 1u);
}

struct made {
    struct plan plan;
    struct config_env env;
    struct dt_index index;
    struct facts facts;
    struct verdict verdict;
};

/* 7 GiB of RAM, GICv2 */
static void host_make(struct made *m)
{
    struct plan *const p = &m->plan;

    m->env.image_base = hpa(0x40200000u);
    m->env.tree_base = hpa(0x40280800u);
    p->ram[0].base = 0x40000000u;
    p->ram[0].bytes = GIB(7u);
    p->nr_ram = 1u;
    p->reserved[0].base = 0x41000000u;
    p->reserved[0].bytes = PAGE_BYTES;
    p->reserved[1].base = 0x41001000u;
    p->reserved[1].bytes = PAGE_BYTES;
    p->nr_reserved = 2u;
    p->log_keep = p->reserved[1];
    p->nr_cpus = 4u;
    p->nr_pools = 1u;
    p->pool[0].cpus = 0xFu;
    p->console.kind = PLAN_CONSOLE_PL011;
    p->console.base = hpa(0x09000000u);
    p->console.bytes = PAGE_BYTES;
    p->console.irq = 33u;
    p->console.irq_edge = true;
    p->host.arm.gic_version = 2u;
    p->host.arm.gicd.base = 0x08000000u;
    p->host.arm.gicd.bytes = 0x1000u;
    p->host.arm.gicc.base = 0x08010000u;
    p->host.arm.gicc.bytes = 0x20000u; /* pages are repeated: the second is 64 KiB on */
    p->host.arm.gicv.base = 0x08040000u;
    p->host.arm.gicv.bytes = 0x20000u;
    p->host.arm.ppi_maintenance = 25u;
    p->host.arm.ppi_hyp_timer = 26u;
    p->host.arm.ppi_virt_timer = 27u;
    p->static_heap[0].base = 0x42000000u;
    p->static_heap[0].bytes = MIB(2u);
    p->nr_static_heap = 1u;
}

static void domains_make(struct plan *p)
{
    p->nr_domains = 3u;
    for (uint32_t i = 0; i < 3u; i++) {
        struct plan_domain *const d = &p->domain[i];

        snprintf(d->name, sizeof(d->name), "domU%u", i + 1u);
        d->domid = (domid_t)(i + 1u);
        d->nr_vcpus = 1u;
        d->pinned[0] = (uint8_t)(3u - i);
        d->affinity[0] = UINT64_MAX;
        d->kernel.base = hpa(0x40282000u + (i * 0x1800u)); /* the next begins in the page where one ends */
        d->kernel.bytes = 0x1800u;
        d->kernel.name = "kernel";
    }
    p->static_mem[0].base = 0x80000000u;
    p->static_mem[0].bytes = GIB(2u);
    p->static_mem[1].base = 0x100000000u;
    p->static_mem[1].bytes = GIB(2u);
    p->static_mem[2].base = 0x60000000u;
    p->static_mem[2].bytes = MIB(64u);
    p->nr_static_mem = 3u;
    p->domain[0].nr_static = 2u;
    p->domain[0].memory_bytes = GIB(4u);
    p->domain[0].vpl011 = true;
    p->domain[1].static_first = 2u;
    p->domain[1].nr_static = 1u;
    p->domain[1].memory_bytes = MIB(64u);
    p->domain[1].direct_map = true;
    p->domain[1].host_memory = true;
    p->domain[2].memory_bytes = MIB(32u);
    p->domain[2].watchdog = true;
}

static void links_make(struct plan *p)
{
    strcpy(p->shm[0].id, "ring");
    p->shm[0].host.base = 0x50000000u;
    p->shm[0].host.bytes = MIB(1u);
    p->shm[0].is_placed = true;
    p->shm[0].owner = 0u;
    strcpy(p->shm[1].id, "late");
    p->shm[1].host.bytes = MIB(4u);
    p->shm[1].owner = PLAN_NO_DOMAIN;
    p->nr_shm = 2u;
    for (uint32_t i = 0; i < 2u; i++) {
        p->shm_use[i].domain = (uint8_t)i;
        p->shm_use[i].at = gpa(0x30000000u);
        p->shm_use[i].offset = i * KIB(512u);
        p->shm_use[i].bytes = MIB(1u) - (i * KIB(512u));
    }
    p->nr_shm_uses = 2u;
    p->channel[0].domain[1] = 1u;
    p->channel[0].port[0] = 7u;
    p->channel[0].port[1] = 9u;
    p->nr_channels = 1u;
    p->window[0].domain = 1u;
    p->window[0].at = gpa(0x09040000u);
    p->window[0].host.base = 0x09040000u;
    p->window[0].host.bytes = PAGE_BYTES;
    p->window[0].path = "/uart@9040000";
    p->nr_windows = 1u;
    p->line[0].domain = 1u;
    p->line[0].irq = 40u;
    p->line[0].virq = 48u;
    p->line[0].path = "/uart@9040000";
    p->nr_lines = 1u;
    p->stream[0].domain = 1u;
    p->stream[0].first = 16u;
    p->stream[0].nr = 8u;
    p->nr_streams = 1u;
}

/* Two domains with memory at fixed places, the second one as the host has it, and a third. */
static struct made *system_make(void)
{
    struct made *const m = calloc(1u, sizeof(*m));

    host_make(m);
    domains_make(&m->plan);
    links_make(&m->plan);
    return m;
}

static const char expected_first[] = "# system on board\n"
                                     "ram 0x40000000-0x401fffff free\n"
                                     "ram 0x40200000-0x4027ffff image\n"
                                     "ram 0x40280000-0x40281fff tree\n"
                                     "ram 0x40282000-0x40286fff module\n"
                                     "ram 0x40287000-0x40ffffff free\n"
                                     "ram 0x41000000-0x41001fff reserved\n"
                                     "ram 0x41002000-0x41ffffff free\n"
                                     "ram 0x42000000-0x421fffff heap\n"
                                     "ram 0x42200000-0x4fffffff free\n"
                                     "ram 0x50000000-0x500fffff shm:ring\n"
                                     "ram 0x50100000-0x5fffffff free\n"
                                     "ram 0x60000000-0x63ffffff domU2\n"
                                     "ram 0x64000000-0x7fffffff free\n"
                                     "ram 0x80000000-0x17fffffff domU1\n"
                                     "ram 0x180000000-0x1ffffffff free\n"
                                     "map domU1 0x3002000-0x3002fff 0x8040000 rw- device\n"
                                     "map domU1 0x3003000-0x3003fff 0x8050000 rw- device\n"
                                     "map domU1 0x30000000-0x300fffff 0x50000000 rw- normal\n"
                                     "map domU1 0x40000000-0xffffffff 0x80000000 rwx normal\n"
                                     "map domU1 0x200000000-0x23fffffff 0x140000000 rwx normal\n"
                                     "map domU2 0x8010000-0x8010fff 0x8040000 rw- device\n"
                                     "map domU2 0x8011000-0x8011fff 0x8050000 rw- device\n"
                                     "map domU2 0x9040000-0x9040fff 0x9040000 rw- device\n"
                                     "map domU2 0x30000000-0x3007ffff 0x50080000 rw- normal\n"
                                     "map domU2 0x60000000-0x63ffffff 0x60000000 rwx normal\n"
                                     "map domU3 0x3002000-0x3002fff 0x8040000 rw- device\n"
                                     "map domU3 0x3003000-0x3003fff 0x8050000 rw- device\n"
                                     "emulated domU1 0x22000000-0x22000fff\n"
                                     "emulated domU3 0x22001000-0x22002fff\n"
                                     "irq 25 hypervisor level\n"
                                     "irq 26 hypervisor level\n"
                                     "irq 27 hypervisor level\n"
                                     "irq 33 hypervisor edge\n"
                                     "irq 40 domU2 48 level\n"
                                     "stream 0:0x10-0x17 domU2\n"
                                     "channel domU1:7 domU2:9\n"
                                     "shm ring 0x50000000-0x500fffff domU1\n"
                                     "shm ring 0x50080000-0x500fffff domU2\n"
                                     "vcpu domU1/0 3\n"
                                     "vcpu domU2/0 2\n"
                                     "vcpu domU3/0 1\n"
                                     "# device 0x9000000-0x9000fff hypervisor console\n"
                                     "# device 0x8000000-0x8000fff hypervisor interrupt distributor\n"
                                     "# device 0x8010000-0x802ffff hypervisor interrupt CPU interface\n"
                                     "# device 0x8040000-0x805ffff hypervisor interrupt virtual interface\n"
                                     "# device 0x9040000-0x9040fff domU2 /uart@9040000\n"
                                     "# domU3: taken at boot, 32768 KiB\n"
                                     "# shm:late: taken at boot, 4096 KiB\n"
                                     "# pool 0 CPUs 0-3 null\n"
                                     "# CPUs: each vCPU has its own\n"
                                     "# fixed before power-on: all but what is taken at boot\n"
                                     "# proof: no two domains overlap except through declared links\n";

static char *text_of(struct made *m)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *const to = open_memstream(&text, &bytes);
    const struct partition_job job = { "system",  "board",  &m->plan, &m->env,
                                       &m->index, 0x80000u, 0x1000u,  false };

    facts_make(&m->facts, &job);
    facts_write_text(to, &m->facts, &m->verdict);
    fclose(to);
    return text;
}

static void test_lines(void **state)
{
    struct made *const m = system_make();
    char *const text = text_of(m);

    (void)state;
    assert_string_equal(text, expected_first);
    said[0] = '\0';
    assert_true(facts_prove(&m->facts, hear, NULL));
    assert_string_equal(said, "");
    free(text);
    free(m);
}

/* What the configuration's checks would have refused, the report's refuse too. */
static void test_clash(void **state)
{
    struct made *const m = system_make();

    (void)state;
    m->plan.static_mem[2].base = 0x80000000u - MIB(32u);
    free(text_of(m));
    said[0] = '\0';
    assert_false(facts_prove(&m->facts, hear, NULL));
    assert_non_null(
        strstr(said, "map: domU1 and domU2 both reach 0x80000000-0x81ffffff, which no link declares"));
    free(m);
}

static void test_unsound(void **state)
{
    struct made *const m = system_make();
    char *text;

    (void)state;
    m->plan.pool[0].sched = PLAN_SCHED_CREDIT2;
    m->plan.domain[2].unsound = true;
    m->plan.domain[2].kernel.bytes = 0u;
    m->plan.domain[0].affinity[0] = 0xBu;
    m->plan.nr_pools = 3u;
    m->plan.pool[0].cpus = 0xBu;
    m->plan.pool[1] = (struct plan_pool){ PLAN_SCHED_ARINC653, false, 1000u, 0x4u };
    m->plan.pool[2] = (struct plan_pool){ PLAN_SCHED_RTDS, true, 0u, 0x10u };
    m->plan.domain[1].pool = 1u;
    m->plan.domain[1].affinity[0] = 4u;
    m->plan.minor[0] = (struct plan_minor){ 1u, 0u, 2u, 5u, 995u };
    m->plan.nr_minors = 1u;
    text = text_of(m);
    assert_non_null(strstr(text, "\n# pool 0 CPUs 0-1,3 credit2\n# pool 1 CPUs 2 arinc653, frame 1000 us\n"
                                 "# pool 2 CPUs 4 rtds, admission\n# window CPU 2 5-1000 us domU2/0\n"
                                 "# CPUs: shared in time\n"));
    assert_non_null(strstr(text, "\nvcpu domU1/0 0-1,3\nvcpu domU2/0 2\n#"));
    assert_null(strstr(text, "map domU3"));
    assert_non_null(strstr(text, "# domU3: not started, its configuration is unsound\n"));
    said[0] = '\0';
    assert_true(facts_prove(&m->facts, hear, NULL));
    free(text);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_clash),
        cmocka_unit_test(test_unsound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
