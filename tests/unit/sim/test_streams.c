/* Devices that do DMA, and what becomes of them when their domain ends. The plan's streams are the test's
 * own. [test->req~dma-apart~1] [test->req~dma-fault-log~1] [test->req~dma-restart~1] */
#include "sim_restart.h"

#include "config/config_maker.h"
#include "hal/iommu.h"

#define IOMMU     " iommu@1 { compatible = \"bulkhead,fake-iommu\"; #iommu-cells = <1>; };"
#define FREE_AT   (GUEST_RAM + KERNEL_AT + 0x1100u) /* neither kernel nor tree */
#define STREAM(n) ((n) * 16u)                       /* of domU<n> */

/* clang-format off */
#define TWO_DOMAINS \
    BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_CPU("2") BOARD_CPU("3") " };" IOMMU " empty {" \
    BOARD_REST("credit2") DOMAIN("1", "1", ON_CRASH) DOMAIN("2", "1", ON_CRASH) BOARD_END
/* clang-format on */

/* comes last of what looks at streams, and has nothing to do here */
void config_links_settle(struct config_maker *m)
{
    struct plan *const plan = m->plan;

    for (uint8_t i = 0u; i < plan->nr_domains; i++) {
        plan->stream[i] =
            (struct plan_stream){ .domain = i, .first = STREAM(i + 1u), .nr = 2u, .path = "dma" };
    }
    plan->nr_streams = plan->nr_domains;
}

static struct domain *one;
static struct domain *two;

static void begin(void)
{
    power_on(TWO_DOMAINS, CPUS, kernels_put);
    one = domain("domU1");
    two = domain("domU2");
    MUST((one->state == DOMAIN_RUNNING) && (two->state == DOMAIN_RUNNING));
}

static bool dma(uint32_t stream, uint64_t at, uint64_t *value, bool write)
{
    return fake_dma(0u, stream, gpa(at), value, sizeof(*value), write);
}

static const struct domain_fault *last_fault(const struct domain *d)
{
    MUST(d->nr_fault_kinds > 0u);
    return &d->fault[(d->nr_fault_kinds - 1u) % DOMAIN_FAULTS_KEPT];
}

/* Each device sees its own domain's memory under the same addresses as the other one sees its. */
static void apart(void)
{
    uint64_t a = 0x1111u;
    uint64_t b = 0x2222u;
    uint64_t found = 0u;

    begin();
    MUST(dma(STREAM(1u), FREE_AT, &a, true));
    MUST(dma(STREAM(2u) + 1u, FREE_AT, &b, true));
    MUST(fake_guest_read(&one->hal.map, gpa(FREE_AT), &found, 8u) && (found == a));
    MUST(fake_guest_read(&two->hal.map, gpa(FREE_AT), &found, 8u) && (found == b));
    MUST(!dma(STREAM(1u), GUEST_RAM + MIB(64), &a, true)); /* nothing there */
    MUST(!dma(STREAM(1u), RAM, &a, true));
    MUST(!dma(STREAM(1u), 0x9000000u, &found, false));
    MUST(!dma(STREAM(1u) + 2u, GUEST_RAM, &found, false)); /* nobody's stream */
    fake_time_advance(20u * MS);
    MUST((one->nr_faults == 3u) && (two->nr_faults == 0u));
    MUST(last_fault(one)->vcpu == DOMAIN_FAULT_DMA);
    MUST((last_fault(one)->address == 0x9000000u) && (last_fault(one)->virtual == STREAM(1u)));
    MUST(strstr(sim_shown(),
                "domU1: DMA of stream 0x10 at 0x44000000 refused: nothing there, event 0x10\n") != NULL);
    MUST(strstr(sim_shown(),
                "DMA of stream 0x12, which is no domain's, refused at 0x40000000: 1 such so far\n") != NULL);
}

/* A device that is refused without end: so many a look, a look every 10 ms; the log says it ever less
 * often. */
static void storm(void)
{
    uint64_t value = 0u;

    begin();
    for (uint32_t ms = 0u; ms < 1000u; ms++) {
        for (uint32_t i = 0u; i < 20u; i++) {
            MUST(!dma(STREAM(1u), GUEST_RAM + MIB(64), &value, true));
        }
        fake_time_advance(MS);
    }
    MUST((one->nr_faults >= 32u * 90u) && (one->nr_faults <= 32u * 101u));
    uint32_t lines = 0u;

    for (const char *at = sim_shown(); (at = strstr(at, "domU1: DMA of")) != NULL; at++) {
        lines++;
    }
    MUST((lines >= 4u) && (lines <= 24u));
}

/* Whatever ends it: its devices are cut off before its memory is scrubbed, and see the next life's. */
static void restarts(void)
{
    uint64_t value = 0x3333u;
    uint64_t found = 0u;

    begin();
    const struct account a = account(one);
    for (uint32_t i = 1u; i < 5u; i++) {
        MUST(dma(STREAM(1u), FREE_AT, &value, true));
        guest_asks(one->vcpu[0], ((i % 2u) == 0u) ? HAL_DOMAIN_RESET : HAL_DOMAIN_CRASH);
        MUST(fake_iommu_leads_to(&one->hal.map)); /* it is only asked for */
        until(one, DOMAIN_RUNNING, i);
        MUST(dma(STREAM(1u), FREE_AT, &found, false));
        MUST(found == 0u);
        const struct account b = account(one);
        account_same(&a, &b);
    }
    guest_asks(one->vcpu[0], HAL_DOMAIN_OFF);
    until(one, DOMAIN_STOPPED, 4u);
    MUST(!dma(STREAM(1u), FREE_AT, &value, true));
    MUST(dma(STREAM(2u), FREE_AT, &value, true));
}

/* The first life's last word is a transfer in each breath of the way down. */
static void on_the_way_down(void)
{
    uint64_t value = 0x4444u;
    uint8_t page[64];

    begin();
    guest_asks(one->vcpu[0], HAL_DOMAIN_OFF);
    for (uint32_t i = 0u; (one->state != DOMAIN_STOPPED) && (i < 1000u); i++) {
        (void)dma(STREAM(1u), FREE_AT, &value, true);
        (void)fake_cpu_go(i % CPUS);
    }
    MUST(one->state == DOMAIN_STOPPED);
    MUST(!dma(STREAM(1u), FREE_AT, &value, true));
    for (uint64_t at = RAM + MIB(64); at < (RAM + RAM_BYTES);
         at += MIB(2)) { /* what was its memory is zero */
        (void)memcpy(page, fake_ram(hpa(at + 0x1100u), sizeof(page)), sizeof(page));
        MUST(memcmp(page, &value, sizeof(value)) != 0);
    }
}

/* An IOMMU that does not confirm: nothing of the domain is used again, the others go on. */
static void hung(void)
{
    uint64_t value = 0x5555u;

    begin();
    const struct account a = account(one);
    fake_iommu_break(true);
    guest_asks(one->vcpu[0], HAL_DOMAIN_RESET);
    until(one, DOMAIN_CRASHED, 0u);
    const struct account b = account(one);
    account_same(&a, &b); /* it keeps all that it had */
    MUST(strstr(sim_shown(), "domU1: its devices cannot be cut off, its memory is not used again\n") != NULL);
    MUST(build_order(one, HAL_DOMAIN_RESET, "by the operator") == HV_DENIED);
    fake_iommu_break(false);
    MUST(dma(STREAM(2u), FREE_AT, &value, true));
    MUST(two->state == DOMAIN_RUNNING);
}

static char told[256];

static void streams_keep(void *ctx, const char *line)
{
    (void)ctx;
    if (strncmp(line, "stream ", 7u) == 0) {
        (void)strncat(told, &line[7], sizeof(told) - strlen(told) - 2u);
        (void)strcat(told, ";");
    }
}

static void report_run(struct work *work)
{
    (void)work;
    build_report(streams_keep, NULL);
}

static bool report_tells(const char *streams)
{
    static struct work work;

    told[0] = '\0';
    work_setup(&work, report_run);
    work_queue(&work, 0u);
    fake_run();
    fake_time_advance(1000000000u);
    return strcmp(told, streams) == 0;
}

/* What the IOMMU has is told, not what it should have. [test->req~partition-live~1] */
static void reported(void)
{
    begin();
    MUST(report_tells("0:0x10-0x11 domU1;0:0x20-0x21 domU2;"));
    guest_asks(one->vcpu[0], HAL_DOMAIN_OFF);
    until(one, DOMAIN_STOPPED, 0u);
    MUST(report_tells("0:0x20-0x21 domU2;"));
    MUST(hal_iommu_attach(0u, STREAM(1u), 1u, &two->hal.map) == HV_OK);
    MUST(report_tells("0:0x10-0x10 domU2;0:0x20-0x21 domU2;"));
}

#define SCENARIO(name)                                                                                       \
    static void test_##name(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name);                                                                                      \
    }
SCENARIO(apart)
SCENARIO(storm)
SCENARIO(restarts)
SCENARIO(on_the_way_down)
SCENARIO(hung)
SCENARIO(reported)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_apart),           cmocka_unit_test(test_storm), cmocka_unit_test(test_restarts),
        cmocka_unit_test(test_on_the_way_down), cmocka_unit_test(test_hung),  cmocka_unit_test(test_reported),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
