/* Kernels by their first bytes, and the payload's header. */
#include "tree_source.h"

#include "config/kimage.h"
#include "config/payload.h"
#include "lib/crc32.h"

static uint8_t image[4096];
static struct kimage k;

static void put_le(uint32_t at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        image[at + i] = (uint8_t)(value >> (8u * i));
    }
}

static void put_be32(uint32_t at, uint32_t value)
{
    for (uint32_t i = 0; i < 4u; i++) {
        image[at + i] = (uint8_t)(value >> (24u - (8u * i)));
    }
}

static void arm64_at(uint32_t at, uint64_t text_offset, uint64_t image_bytes)
{
    put_le(at + 8u, text_offset, 8);
    put_le(at + 16u, image_bytes, 8);
    put_le(at + 0x38u, 0x644D5241, 4);
}

/* A uImage header in front of bytes that are there already. */
static void uimage(uint32_t size, uint32_t load, uint32_t entry, uint8_t arch, uint8_t compression)
{
    memset(image, 0, 64);
    put_be32(0, 0x27051956);
    put_be32(12, size);
    put_be32(16, load);
    put_be32(20, entry);
    image[28] = 5;
    image[29] = arch;
    image[30] = 2;
    image[31] = compression;
    put_be32(4, crc32_update(0, image, 64));
}

static void refused(uint64_t bytes, enum hv_status status, const char *found)
{
    assert_int_equal(kimage_parse(image, bytes, &k), status);
    assert_int_equal(k.kind, KIMAGE_NONE);
    assert_string_equal(k.found, found);
    assert_non_null(k.expected);
}

static void test_arm64(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    arm64_at(0, 0x200000, 0x300);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ARM64);
    assert_false(k.uimage);
    assert_int_equal(k.text_offset, 0x200000);
    assert_int_equal(k.memory_bytes, 0x300);
    assert_int_equal(k.payload_bytes, 0x300); /* the rest of the module is padding */
    arm64_at(0, 0, 0x100000);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.payload_bytes, 4096);
    assert_int_equal(k.memory_bytes, 0x100000);
    arm64_at(0, 7, 0); /* before 3.17 */
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.text_offset, 0x80000);
    assert_int_equal(k.memory_bytes, 4096);
    arm64_at(0, 0, 63);
    refused(4096, HV_CORRUPT, "an arm64 Image with an image_size below its header's");
    refused(63, HV_NOT_SUPPORTED, "an unknown format");
    refused(0, HV_NOT_SUPPORTED, "an unknown format");
    memcpy(image, "\177ELF", 4);
    image[0x38] = 0;
    refused(4096, HV_NOT_SUPPORTED, "an unknown format");
}

static void test_gzip(void **state)
{
    struct kimage outer;

    (void)state;
    memset(image, 0, sizeof(image));
    memcpy(image, "\x1f\x8b\x08", 3);
    put_le(96, 0x12345678, 4);
    assert_int_equal(kimage_parse(image, 100, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_GZIP);
    assert_int_equal(k.payload_bytes, 100);
    assert_int_equal(k.inflated_hint, 0x12345678);
    assert_int_equal(k.memory_bytes, 0);
    refused(19, HV_CORRUPT, "a gzip stream that ends in its header");
    refused(2, HV_NOT_SUPPORTED, "an unknown format");
    image[2] = 7;
    refused(100, HV_NOT_SUPPORTED, "an unknown format");
    image[2] = 8;
    assert_int_equal(kimage_parse(image, 100, &outer), HV_OK);
    assert_int_equal(kimage_parse_inflated(image, 100, &outer, &k), HV_NOT_SUPPORTED);
    memset(image, 0, sizeof(image));
    arm64_at(0, 0x1000, 0x2000);
    assert_int_equal(kimage_parse_inflated(image, 4096, &outer, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ARM64);
    assert_int_equal(k.text_offset, 0x1000);
}

static void test_uimage(void **state)
{
    struct kimage outer;

    (void)state;
    memset(image, 0, sizeof(image));
    uimage(1000, 0x40080000, 0x40080040, 22, 0);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_FLAT);
    assert_true(k.uimage && k.placed);
    assert_int_equal(k.payload_offset, 64);
    assert_int_equal(k.payload_bytes, 1000);
    assert_int_equal(k.load_base, 0x40080000);
    assert_int_equal(k.entry, 0x40080040);
    refused(1063, HV_CORRUPT, "a uImage that says it is longer than the module, or empty");
    refused(64, HV_CORRUPT, "a uImage that ends in its header");
    refused(10, HV_CORRUPT, "a uImage that ends in its header");
    image[40] ^= 1u;
    refused(4096, HV_CORRUPT, "a uImage with a wrong header checksum");
    uimage(1000, 0, 0, 22, 0);
    refused(4096, HV_NOT_SUPPORTED, "a uImage of flat code without a load address");
    uimage(1000, 0, 4, 22, 0);
    refused(4096, HV_NOT_SUPPORTED, "a uImage with an entry but no load address");
    uimage(1000, 0, 0, 24, 0);
    refused(4096, HV_NOT_SUPPORTED, "a uImage for another architecture");
    uimage(1000, 0, 0, 22, 2);
    refused(4096, HV_NOT_SUPPORTED, "a uImage with another compression");
    uimage(1000, 0, 0, 22, 1);
    refused(4096, HV_NOT_SUPPORTED, "a uImage with another compression"); /* gzip said, none there */
    uimage(0, 0, 0, 22, 0);
    refused(4096, HV_CORRUPT, "a uImage that says it is longer than the module, or empty");
    arm64_at(64, 0, 0x5000);
    uimage(1000, 0, 0, 2, 0);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ARM64);
    assert_false(k.placed);
    assert_int_equal(k.payload_offset, 64);
    assert_int_equal(k.payload_bytes, 1000);
    memcpy(image + 64, "\x1f\x8b\x08", 3);
    uimage(1000, 0x40080000, 0x40080000, 22, 1);
    assert_int_equal(kimage_parse(image, 4096, &outer), HV_OK);
    assert_int_equal(outer.kind, KIMAGE_GZIP);
    memset(image, 0, sizeof(image));
    assert_int_equal(kimage_parse_inflated(image, 4096, &outer, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_FLAT);
    assert_int_equal(k.entry, 0x40080000);
}

static void zimage_at(uint32_t at, uint32_t start, uint32_t end)
{
    put_le(at + 0x24u, 0x016F2818, 4);
    put_le(at + 0x28u, start, 4);
    put_le(at + 0x2Cu, end, 4);
}

static void test_zimage(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    zimage_at(0, 0, 1000);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ZIMAGE);
    assert_true(k.is_32bit && !k.placed);
    assert_int_equal(k.payload_bytes, 1000);
    assert_int_equal(k.memory_bytes, 1000);
    refused(999, HV_CORRUPT, "a zImage that is shorter than it says");
    refused(47, HV_NOT_SUPPORTED, "an unknown format");
    zimage_at(0, 2000, 1000);
    refused(4096, HV_CORRUPT, "a zImage that is shorter than it says");
    zimage_at(0, 1000, 1047);
    refused(4096, HV_CORRUPT, "a zImage that is shorter than it says");
    zimage_at(0, 0x40008000, 0x40008100); /* linked to a place */
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_true(k.placed);
    assert_int_equal(k.load_base, 0x40008000);
    assert_int_equal(k.entry, 0x40008000);
    assert_int_equal(k.memory_bytes, 0x100);
    put_be32(0x24, 0x016F2818);
    refused(4096, HV_NOT_SUPPORTED, "a big-endian zImage");
    memset(image, 0, sizeof(image));
    zimage_at(64, 0, 500);
    uimage(1000, 0, 0, 2, 0);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ZIMAGE);
    assert_true(k.is_32bit && !k.placed);
    assert_int_equal(k.payload_offset, 64);
    assert_int_equal(k.payload_bytes, 500);
    uimage(1000, 0x48000000, 0x48000000, 2, 0);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_true(k.placed);
    assert_int_equal(k.load_base, 0x48000000);
    memset(image + 64, 0, 64); /* flat code goes by the architecture that is named */
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_FLAT);
    assert_true(k.is_32bit);
    arm64_at(64, 0, 0x5000); /* an Image by its own header */
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_false(k.is_32bit);
}

static void test_sentences(void **state)
{
    static struct said said;
    static struct plan_domain d;

    (void)state;
    said_init(&said);
    (void)strcpy(d.name, "domU1");
    d.kernel.name = "kernel@1";
    d.memory_bytes = 0x10000;
    d.ramdisk.bytes = 0x1000;
    memset(image, 0, sizeof(image));
    refused(64, HV_NOT_SUPPORTED, "an unknown format");
    kimage_fault(&said.report, &d, &k);
    arm64_at(0, 0x1000, 0xE000);
    assert_int_equal(kimage_parse(image, 4096, &k), HV_OK);
    assert_true(kimage_fits(&said.report, &d, &k));
    k.memory_bytes++;
    assert_false(kimage_fits(&said.report, &d, &k));
    assert_int_equal(said.report.nr_faults, 2);
    assert_string_equal(
        said.text,
        "/chosen/domU1/kernel@1: kernel: found an unknown format, expected an arm64 Image, a gzip of "
        "one, a zImage, or a uImage\n"
        "/chosen/domU1/kernel@1: kernel: found an image that takes 57345 bytes, expected one that "
        "leaves room for the ramdisk in the domain's memory\n");
    k.text_offset = UINT64_MAX;
    assert_false(kimage_fits(&said.report, &d, &k));
}

static void test_payload(void **state)
{
    const struct payload_header good = { PAYLOAD_MAGIC, PAYLOAD_VERSION, 0,      0x5000,
                                         0x1000,        0x800,           0x2000, 0x3000 };
    struct payload_header h = good;
    struct payload_header out;

    (void)state;
    assert_memory_equal(&h.magic, "BULKHEAD", 8);
#define CHECK(field, value, status)                                                                          \
    h = good;                                                                                                \
    h.field = (value);                                                                                       \
    h.header_crc = payload_header_crc(&h);                                                                   \
    assert_int_equal(payload_check(&h, 0x5000, &out), status)
    CHECK(version, 1, HV_OK);
    assert_int_equal(out.tree_offset, 0x1000);
    assert_int_equal(payload_check(&h, sizeof(h) - 1u, &out), HV_CORRUPT);
    assert_int_equal(payload_check(&h, 0x4FFF, &out), HV_CORRUPT);
    h.header_crc ^= 1u;
    assert_int_equal(payload_check(&h, 0x5000, &out), HV_CORRUPT);
    CHECK(magic, 0, HV_NOT_FOUND);
    CHECK(version, 2, HV_CORRUPT);
    CHECK(tree_offset, 0x1004, HV_CORRUPT);
    CHECK(tree_offset, 8, HV_CORRUPT);
    CHECK(tree_offset, 0x6000, HV_CORRUPT);
    CHECK(tree_bytes, 0, HV_CORRUPT);
    CHECK(tree_bytes, UINT64_MAX, HV_CORRUPT);
    CHECK(modules_offset, 0x2008, HV_CORRUPT);
    CHECK(modules_bytes, 0x3001, HV_CORRUPT);
    CHECK(modules_bytes, 0, HV_OK);
#undef CHECK
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arm64),  cmocka_unit_test(test_gzip),      cmocka_unit_test(test_uimage),
        cmocka_unit_test(test_zimage), cmocka_unit_test(test_sentences), cmocka_unit_test(test_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
