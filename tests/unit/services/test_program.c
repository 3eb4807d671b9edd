/* Kernels that say where they go, or of which the tree says it: ELF files and flat code, with a device tree
 * or without. [test->req~kernel-programs~1] */
#include "machine.h"

#include <string.h>

#include "lib/bits.h"
#include "mem/ram.h"

#define BANK   0x40000000ULL
#define MiB(n) ((uint64_t)(n) << 20)
#define BYTES  9001u

static struct plan plan;
static struct domain *domain;
static uint8_t file[BYTES];

static int setup(void **state)
{
    struct plan_domain *d;

    (void)machine_setup(state);
    d = machine_plan(&plan, 1u);
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_prepare(d, &domain), HV_OK);
    return 0;
}

static void put(uint32_t at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        file[at + i] = (uint8_t)(value >> (8u * i));
    }
}

/* An AArch64 executable of two parts, with a note between them that is not loaded. */
static void elf(uint64_t first, uint64_t second, uint64_t entry)
{
    static const uint32_t type[3] = { 1u, 4u, 1u };
    const uint64_t at[3] = { first, 0u, second };

    for (uint32_t i = 0; i < BYTES; i++) {
        file[i] = (uint8_t)(i * 7u + (i >> 8u));
    }
    (void)memset(file, 0, 512);
    (void)memcpy(file, "\177ELF\2\1\1", 7);
    put(16, 2, 2);
    put(18, 183, 2);
    put(24, entry, 8);
    put(32, 64, 8);
    put(54, 56, 2);
    put(56, 3, 2);
    for (uint32_t i = 0; i < 3u; i++) {
        const uint32_t ph = 64u + (56u * i);

        put(ph, type[i], 4);
        put(ph + 8u, 1000u + (3001u * i), 8);
        put(ph + 24u, at[i], 8);
        put(ph + 32u, 1999u, 8);
        put(ph + 40u, 6000u, 8);
    }
}

static void expect_guest(uint64_t at, const uint8_t *bytes, uint64_t count)
{
    static uint8_t seen[BYTES];

    assert_true(fake_guest_read(&domain->hal.map, gpa(at), seen, count));
    assert_memory_equal(seen, bytes, count);
}

static void build_good(void)
{
    plan.domain[0].kernel = machine_module(321u, file, BYTES, "module@1");
    assert_int_equal(build_domain(domain), HV_OK);
    assert_int_equal(fake_windows_open(), 0u);
    build_start(domain);
}

static void stop(void)
{
    build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
    assert_true(machine_work_run());
    assert_int_equal(domain->state, DOMAIN_STOPPED);
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), 0u);
}

static void build_bad(const char *sentence)
{
    plan.domain[0].kernel = machine_module(321u, file, BYTES, "module@1");
    machine_output_forget();
    assert_int_not_equal(build_domain(domain), HV_OK);
    if (strstr(machine_output(), sentence) == NULL) {
        fail_msg("not said: %s\nsaid: %s", sentence, machine_output());
    }
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), 0u);
}

static void test_elf(void **state)
{
    static const uint8_t none[4001];

    (void)state;
    elf(BANK + 0x1234u, BANK + 0x300010u, BANK + 0x300100u);
    for (uint32_t life = 0; life < 2u; life++) {
        build_good();
        expect_guest(BANK + 0x1234u, &file[1000], 1999u);
        expect_guest(BANK + 0x1234u + 1999u, none, 4001u);
        expect_guest(BANK + 0x300010u, &file[7002], 1999u);
        expect_guest(BANK, none, 4001u); /* headers stay outside */
        assert_int_equal(domain->vcpu[0]->hal.entry, BANK + 0x300100u);
        assert_true(build_slot_of(domain)->tree.v >= (BANK + 0x300010u + 6000u));
        stop();
    }
    elf(BANK - 1u, BANK + 0x300010u, BANK + 0x300100u);
    build_bad(
        "kernel: found an image that does not fit where it must go, expected a place in the domain's memory");
    elf(BANK, BANK + MiB(64) - 5999u, BANK);
    build_bad("kernel: found an image that does not fit where it must go");
    elf(BANK + MiB(8), BANK + MiB(64) - 6000u, BANK + MiB(8)); /* the last byte; the tree goes below */
    build_good();
    stop();
    elf(BANK, BANK, BANK + 6000u);
    build_bad("kernel: found an ELF file with parts outside of it, or an entry outside of them");
}

static void test_flat(void **state)
{
    struct plan_domain *const d = &plan.domain[0];

    (void)state;
    elf(0u, 0u, 0u); /* whatever it looks like */
    d->kernel_flat = true;
    d->kernel_at = BANK + 0x8001u;
    d->kernel_entry = BANK + 0x8021u;
    build_good();
    expect_guest(BANK + 0x8001u, file, BYTES);
    assert_int_equal(domain->vcpu[0]->hal.entry, BANK + 0x8021u);
    stop();
    d->kernel_at = BANK + MiB(64) - 100u;
    d->kernel_entry = d->kernel_at;
    build_bad("kernel: found an image that does not fit where it must go");
    d->kernel_flat = false;
}

/* Then the guest has all of its memory, however small that is. */
static void test_no_tree(void **state)
{
    struct plan_domain *const d = &plan.domain[0];

    (void)state;
    elf(BANK, BANK + 0x8000u, BANK);
    d->memory_bytes = 0x10000u;
    build_bad("memory: found 64 KiB, expected room for kernel, ramdisk of 0 KiB and device tree");
    d->no_tree = true;
    build_good();
    expect_guest(BANK + 0x8000u, &file[7002], 1999u);
    assert_int_equal(domain->vcpu[0]->hal.argument, 0u);
    stop();
    d->memory_bytes = MiB(64);
    d->ramdisk = machine_module(0x10000u, "a ramdisk", 10u, "ramdisk");
    build_good();
    assert_int_equal(domain->vcpu[0]->hal.argument, 0u);
    stop();
    d->ramdisk.bytes = 0u;
    d->no_tree = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_elf), cmocka_unit_test(test_flat),
                                        cmocka_unit_test(test_no_tree) };

    return cmocka_run_group_tests(tests, setup, NULL);
}
