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
    plan.nr_pools = PLAN_POOLS_MAX;
    plan.pool[PLAN_POOLS_MAX - 1u].major_us = 1000u;
    plan.nr_minors = PLAN_MINORS_MAX;
    plan.minor[PLAN_MINORS_MAX - 1u].at_us = 999u;
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
    plan.nr_pci = 2;
    plan.pci[0].name = "pci@0,2";
    plan.nr_pv = 1;
    plan.pv[0].text = "7:0";
    (void)strcpy(plan.host.arm.cpu_compatible, "arm,cortex-a53");
}

/* All pointers of plan.h, as its source names them: a new one has to come into this list. */
static const char *const pointers[] = { "plan_module.name",         "plan_window.path",    "plan_line.path",
                                        "plan_stream.path",         "plan_pci.name",       "plan_pv.text",
                                        "plan_domain.partial_tree", "plan_domain.bootargs" };

#define NR_POINTERS (sizeof(pointers) / sizeof(pointers[0]))
#define NR_STRINGS  (PLAN_STRINGS_OF_ALL + (4u * HV_DOMAINS_MAX))
#define PLAN_STRINGS_OF_ALL                                                                                  \
    (PLAN_WINDOWS_MAX + PLAN_LINES_MAX + PLAN_STREAMS_MAX + PLAN_PCI_MAX + PLAN_PV_MAX)

/* Each string of a plan, and that of a full one all are there. */
static size_t strings_of(struct plan *of, const char **string[NR_STRINGS])
{
    size_t nr = 0;

    for (uint32_t i = 0; i < HV_DOMAINS_MAX; i++) {
        string[nr++] = &of->domain[i].kernel.name;
        string[nr++] = &of->domain[i].ramdisk.name;
        string[nr++] = &of->domain[i].partial.name;
        string[nr++] = &of->domain[i].bootargs;
    }
    for (uint32_t i = 0; i < PLAN_WINDOWS_MAX; i++) {
        string[nr++] = &of->window[i].path;
    }
    for (uint32_t i = 0; i < PLAN_LINES_MAX; i++) {
        string[nr++] = &of->line[i].path;
    }
    for (uint32_t i = 0; i < PLAN_STREAMS_MAX; i++) {
        string[nr++] = &of->stream[i].path;
    }
    for (uint32_t i = 0; i < PLAN_PCI_MAX; i++) {
        string[nr++] = &of->pci[i].name;
    }
    for (uint32_t i = 0; i < PLAN_PV_MAX; i++) {
        string[nr++] = &of->pv[i].text;
    }
    return nr;
}

/* The members of plan.h that are pointers are those above, and the port's part has none. */
static void test_pointers(void **state)
{
    char line[256];
    char type[64] = "";
    size_t nr = 0;
    FILE *file = fopen("src/config/plan.h", "r");

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        char *const comment = strstr(line, "/*");
        char member[64];
        char found[160];
        const char *star;

        if (comment != NULL) {
            *comment = 0;
        }
        (void)sscanf(line, "struct %63[a-z_] {", type);
        star = strchr(line, '*');
        if ((star != NULL) && (strncmp(line, "    ", 4) == 0)) {
            assert_int_equal(sscanf(star, "*%63[a-z_0-9];", member), 1);
            (void)snprintf(found, sizeof(found), "%s.%s", type, member);
            assert_true(nr < NR_POINTERS);
            assert_string_equal(found, pointers[nr]);
            nr++;
        }
    }
    (void)fclose(file);
    assert_int_equal(nr, NR_POINTERS);
    file = fopen("src/arch/arm/include/arm_plan.h", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        assert_true((strncmp(line, "    ", 4) != 0) || (strchr(line, '*') == NULL) ||
                    (strstr(line, "/*") != NULL) || (strchr(line, ';') == NULL) ||
                    (strchr(line, ')') != NULL));
    }
    (void)fclose(file);
}

/* A plan at its limits, all strings different: each comes back, and none as an address of here. */
static void test_full(void **state)
{
    static char text[NR_STRINGS][12];
    static const char **string[NR_STRINGS];
    static const char **again[NR_STRINGS];
    const uint64_t room = sizeof(plan) + sizeof(text) + 64u;
    uint8_t *const file = malloc(room);
    uint64_t bytes;

    (void)state;
    (void)memset(&plan, 0, sizeof(plan));
    plan.nr_pools = 1;
    plan.nr_domains = HV_DOMAINS_MAX;
    plan.nr_windows = PLAN_WINDOWS_MAX;
    plan.nr_lines = PLAN_LINES_MAX;
    plan.nr_streams = PLAN_STREAMS_MAX;
    plan.nr_pci = PLAN_PCI_MAX;
    plan.nr_pv = PLAN_PV_MAX;
    assert_int_equal(strings_of(&plan, string), NR_STRINGS);
    for (size_t i = 0; i < NR_STRINGS; i++) {
        (void)snprintf(text[i], sizeof(text[i]), "s%zu", i);
        *string[i] = text[i];
    }
    for (uint32_t i = 0; i < HV_DOMAINS_MAX; i++) {
        plan.domain[i].partial_tree = text;
    }
    bytes = plan_file_write(&plan, hpa(0), file, room);
    assert_true(bytes > 0u);
    assert_int_equal(plan_file_read(file, bytes, &header, &back), HV_OK);
    (void)strings_of(&back, again);
    for (size_t i = 0; i < NR_STRINGS; i++) {
        assert_in_range((uintptr_t)*again[i], (uintptr_t)file, (uintptr_t)&file[bytes - 1u]);
        assert_string_equal(*again[i], text[i]);
        *again[i] = text[i];
    }
    for (uint32_t i = 0; i < HV_DOMAINS_MAX; i++) {
        assert_null(back.domain[i].partial_tree);
        back.domain[i].partial_tree = text;
    }
    assert_memory_equal(&back, &plan, sizeof(plan)); /* and nothing else changed */
    free(file);
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
    assert_int_equal(back.pool[PLAN_POOLS_MAX - 1u].major_us, 1000u);
    assert_int_equal(back.minor[PLAN_MINORS_MAX - 1u].at_us, 999u);
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
    assert_string_equal(back.pci[0].name, "pci@0,2");
    assert_null(back.pci[1].name);
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
    put32(&at[offsetof(struct plan, nr_pools)], 0u, bytes, file);
    put32(&at[offsetof(struct plan, nr_pools)], PLAN_POOLS_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, nr_minors)], PLAN_MINORS_MAX + 1u, bytes, file);
    put32(&at[offsetof(struct plan, nr_pci)], PLAN_PCI_MAX + 1u, bytes, file);
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_round), cmocka_unit_test(test_full),
                                        cmocka_unit_test(test_pointers), cmocka_unit_test(test_room),
                                        cmocka_unit_test(test_damaged) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
