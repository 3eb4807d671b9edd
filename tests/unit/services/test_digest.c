/* Digests of modules: known values, and a module in which one bit flipped.
 * [test->req~module-digest~1] */
#include "machine.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "lib/crc32c.h"

#define BYTES 100001u
#define AT    ((2u << 20u) - 33333u) /* a window ends inside */

static const uint8_t digits[] = "123456789";
static struct plan_domain plan = { .name = "domU1" };
static struct domain domain = { .plan = &plan };
static uint8_t content[BYTES];

static int setup(void **state)
{
    (void)machine_setup(state);
    for (uint32_t i = 0; i < BYTES; i++) {
        content[i] = (uint8_t)((i * 2654435761u) >> 24u);
    }
    return 0;
}

static void test_crc32c(void **state)
{
    (void)state;
    assert_int_equal(crc32c_update(0, digits, 9), 0xE3069283u);
    assert_int_equal(crc32c_update(crc32c_update(0, digits, 4), &digits[4], 5), 0xE3069283u);
    assert_int_equal(crc32c_update(0, digits, 0), 0);
    assert_int_equal(crc32c_update(0, content, 32),
                     crc32c_update(crc32c_update(0, content, 1), &content[1], 31));
}

/* FIPS 180-4's example: "abc" */
static void test_sha256(void **state)
{
    static const uint8_t abc[SHA256_DIGEST_LENGTH] = {
        0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23,
        0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad,
    };
    uint8_t is[SHA256_DIGEST_LENGTH];
    SHA2_CTX state256;

    (void)state;
    SHA256Init(&state256);
    SHA256Update(&state256, (const uint8_t *)"abc", 3);
    SHA256Final(is, &state256);
    assert_memory_equal(is, abc, sizeof(abc));
}

static void module_set(struct plan_module *module, uint64_t offset, enum plan_digest digest)
{
    const uint32_t crc = crc32c_update(0, content, BYTES);
    SHA2_CTX sha;

    *module = machine_module(offset, content, BYTES, (module == &plan.kernel) ? "kernel" : "ramdisk");
    module->digest = digest;
    if (digest == PLAN_DIGEST_SHA256) {
        SHA256Init(&sha);
        SHA256Update(&sha, content, BYTES);
        SHA256Final(module->digest_is, &sha);
    } else {
        for (uint32_t i = 0; i < 4u; i++) {
            module->digest_is[i] = (uint8_t)(crc >> (24u - (8u * i)));
        }
    }
}

/* Good; then with one bit of each of some places flipped, and back. */
static void flips(const struct plan_module *module, const char *says)
{
    static const uint32_t places[] = { 0u, 16383u, 16384u, 33332u, 33333u, BYTES - 1u };

    assert_int_equal(build_check_modules(&domain), HV_OK);
    assert_string_equal(machine_output(), "");
    for (uint32_t i = 0; i < (sizeof(places) / sizeof(places[0])); i++) {
        uint8_t *const byte = fake_ram(hpa(module->base.v + places[i]), 1u);

        *byte ^= (uint8_t)(1u << i);
        assert_int_equal(build_check_modules(&domain), HV_CORRUPT);
        assert_non_null(strstr(machine_output(), says));
        machine_output_forget();
        *byte ^= (uint8_t)(1u << i);
    }
    assert_int_equal(build_check_modules(&domain), HV_OK);
    assert_true(machine.nr_breaths > 0u);
    assert_int_equal(fake_windows_open(), 0u);
}

#define EXPECTED ": found contents that its digest does not match, expected what bulkhead-image packed\n"

static void test_flip(void **state)
{
    (void)state;
    machine_output_forget();
    module_set(&plan.kernel, AT, PLAN_DIGEST_CRC32C);
    flips(&plan.kernel, "/chosen/domU1/kernel" EXPECTED);
    module_set(&plan.kernel, AT, PLAN_DIGEST_SHA256);
    flips(&plan.kernel, "/chosen/domU1/kernel" EXPECTED);
    module_set(&plan.ramdisk, AT + (8u << 20u), PLAN_DIGEST_CRC32C);
    flips(&plan.ramdisk, "/chosen/domU1/ramdisk" EXPECTED);
    flips(&plan.kernel, "/chosen/domU1/kernel" EXPECTED);
}

/* A module without a digest is taken as it is. */
static void test_none(void **state)
{
    (void)state;
    module_set(&plan.kernel, AT, PLAN_DIGEST_NONE);
    (void)memset(&plan.kernel.digest_is, 0xEE, sizeof(plan.kernel.digest_is));
    (void)memset(&plan.ramdisk, 0, sizeof(plan.ramdisk));
    assert_int_equal(build_check_modules(&domain), HV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_flip),
        cmocka_unit_test(test_none),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
