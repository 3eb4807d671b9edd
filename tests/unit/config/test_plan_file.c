/* A plan packed at the desk is the same plan on the target, and a damaged file is none.
 * [test->req~static-profile~1] */
#include "tree_source.h"

#include "config/partition/plan_file.h"

#define ROOM (sizeof(struct plan) + 65536u)

static struct plan plan;
static struct plan back;
static struct plan_file header;

/* Of two domains, one of which has all strings. */
static void plan_fill(void)
{
    struct plan_domain *const d = plan.domain;

    (void)memset(&plan, 0, sizeof(plan));
    plan.nr_cpus = 4;
    plan.nr_domains = 2;
    (void)strcpy(d[0].name, "domU1");
    d[0].kernel.name = "kernel";
    d[0].kernel.base = hpa(0x41234000);
    d[0].kernel.bytes = 77;
    d[0].ramdisk.name = "ramdisk";
    d[0].partial.name = "devices";
    d[0].bootargs = "console=ttyAMA0";
    d[1].kernel.name = "kernel";
    d[1].bootargs = "";
    d[1].pinned[HV_VCPUS_MAX - 1u] = 9u;
    plan.nr_windows = 1;
    plan.window[0].path = "/soc/uart";
    plan.nr_lines = 2;
    plan.line[1].path = "/soc/timer";
    plan.nr_streams = 1;
    plan.stream[0].path = "/soc/dma";
    (void)strcpy(plan.host.arm.cpu_compatible, "arm,cortex-a53");
}

static uint8_t *packed(uint64_t *bytes)
{
    uint8_t *const file = malloc(ROOM);

    plan_fill();
    *bytes = plan_file_write(&plan, hpa(0x40200000), file, ROOM);
    assert_true(*bytes > sizeof(struct plan_file));
    assert_true(*bytes < sizeof(plan)); /* domains that are not there take no room */
    /* ends where the file does, for the address sanitizer */
    return realloc(file, *bytes);
}

static void test_round(void **state)
{
    uint64_t bytes = 0;
    uint8_t *const file = packed(&bytes);
    const struct plan_domain *const d = back.domain;

    (void)state;
    assert_int_equal(plan_file_read(file, bytes, &header, &back), HV_OK);
    assert_int_equal(header.image_base, 0x40200000);
    assert_int_equal(header.bytes, bytes);
    assert_int_equal(back.nr_domains, 2);
    assert_string_equal(d[0].name, "domU1");
    assert_string_equal(d[0].kernel.name, "kernel");
    assert_int_equal(d[0].kernel.base.v, 0x41234000);
    assert_string_equal(d[0].ramdisk.name, "ramdisk");
    assert_string_equal(d[0].partial.name, "devices");
    assert_string_equal(d[0].bootargs, "console=ttyAMA0");
    assert_string_equal(d[1].bootargs, "");
    assert_null(d[1].ramdisk.name);
    assert_int_equal(d[1].pinned[HV_VCPUS_MAX - 1u], 9u);
    assert_string_equal(back.window[0].path, "/soc/uart");
    assert_null(back.line[0].path);
    assert_string_equal(back.line[1].path, "/soc/timer");
    assert_string_equal(back.stream[0].path, "/soc/dma");
    assert_string_equal(back.host.arm.cpu_compatible, "arm,cortex-a53");
    /* strings lie in the file, not in the plan that was packed */
    assert_in_range((uintptr_t)d[0].bootargs, (uintptr_t)file, (uintptr_t)&file[bytes - 1u]);
    free(file);
}

static void test_room(void **state)
{
    uint64_t bytes = 0;
    uint8_t *const file = packed(&bytes);

    (void)state;
    plan_fill();
    assert_int_equal(plan_file_write(&plan, hpa(0), file, bytes), bytes);
    assert_int_equal(plan_file_write(&plan, hpa(0), file, bytes - 1u), 0);
    assert_int_equal(plan_file_write(&plan, hpa(0), file, 100), 0);
    free(file);
}

static void refused(const uint8_t *file, uint64_t bytes, enum hv_status status)
{
    static const struct plan none;

    back.nr_domains = 7;
    assert_int_equal(plan_file_read(file, bytes, &header, &back), status);
    assert_memory_equal(&back, &none, sizeof(none));
}

static void put32(uint8_t *at, uint32_t value, uint64_t bytes, uint8_t *file)
{
    uint8_t before[4];

    (void)memcpy(before, at, 4);
    (void)memcpy(at, &value, 4);
    refused(file, bytes, HV_CORRUPT);
    (void)memcpy(at, before, 4);
}

static void test_damaged(void **state)
{
    uint64_t bytes = 0;
    uint8_t *const file = packed(&bytes);
    uint8_t *const at = &file[sizeof(struct plan_file)];

    (void)state;
    refused(file, bytes - 1u, HV_CORRUPT);
    refused(file, 31u, HV_NOT_FOUND);
    put32(&file[8], PLAN_LAYOUT + 1u, bytes, file);
    put32(&file[16], (uint32_t)bytes + 1u, bytes, file);
    put32(&file[16], 40u, bytes, file);
    put32(&at[offsetof(struct plan, nr_domains)], 0u, bytes, file);
    put32(&at[offsetof(struct plan, nr_domains)], 3u, bytes, file); /* more than the file holds */
    put32(&at[offsetof(struct plan, nr_domains)], HV_DOMAINS_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, nr_windows)], PLAN_WINDOWS_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, nr_lines)], PLAN_LINES_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, nr_streams)], PLAN_STREAMS_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, window) + offsetof(struct plan_window, path)], (uint32_t)bytes, bytes,
          file);
    put32(&at[offsetof(struct plan, domain) + offsetof(struct plan_domain, bootargs) + 4u], 1u, bytes, file);
    file[bytes - 1u] = 'x';
    refused(file, bytes, HV_CORRUPT);
    file[bytes - 1u] = 0;
    assert_int_equal(plan_file_read(file, bytes, &header, &back), HV_OK);
    file[0] ^= 1u;
    refused(file, bytes, HV_NOT_FOUND);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round), cmocka_unit_test(test_room),
                                        cmocka_unit_test(test_damaged) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
