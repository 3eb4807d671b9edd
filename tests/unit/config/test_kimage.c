/* Kernels by their first bytes, and the payload's header. */
#include "tree_source.h"

#include "tool.h"

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
    assert_int_equal(kimage_parse_head(image, bytes, &k), status);
    assert_int_equal(k.kind, KIMAGE_NONE);
    assert_string_equal(k.found, found);
    assert_non_null(k.expected);
}

static void test_arm64(void **state)
{
    (void)state;
    memset(image, 0, sizeof(image));
    arm64_at(0, 0x200000, 0x300);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ARM64);
    assert_false(k.uimage);
    assert_int_equal(k.text_offset, 0x200000);
    assert_int_equal(k.memory_bytes, 0x300);
    assert_int_equal(k.payload_bytes, 0x300); /* the rest of the module is padding */
    arm64_at(0, 0, 0x100000);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.payload_bytes, 4096);
    assert_int_equal(k.memory_bytes, 0x100000);
    arm64_at(0, 7, 0); /* before 3.17 */
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.text_offset, 0x80000);
    assert_int_equal(k.memory_bytes, 4096);
    arm64_at(0, 0, 63);
    refused(4096, HV_CORRUPT, "an arm64 Image with an image_size below its header's");
    refused(63, HV_NOT_SUPPORTED, "an unknown format");
    refused(0, HV_NOT_SUPPORTED, "an unknown format");
    memcpy(image, "\177ELF", 4);
    image[0x38] = 0;
    refused(63, HV_NOT_SUPPORTED, "an unknown format");
    refused(4096, HV_NOT_SUPPORTED, "an ELF file of another kind");
}

static void test_gzip(void **state)
{
    struct kimage outer;

    (void)state;
    memset(image, 0, sizeof(image));
    memcpy(image, "\x1f\x8b\x08", 3);
    put_le(96, 0x12345678, 4);
    assert_int_equal(kimage_parse_head(image, 100, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_GZIP);
    assert_int_equal(k.payload_bytes, 100);
    assert_int_equal(k.memory_bytes, 0);
    refused(19, HV_CORRUPT, "a gzip stream that ends in its header");
    refused(2, HV_NOT_SUPPORTED, "an unknown format");
    image[2] = 7;
    refused(100, HV_NOT_SUPPORTED, "an unknown format");
    image[2] = 8;
    assert_int_equal(kimage_parse_head(image, 100, &outer), HV_OK);
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
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
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
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ARM64);
    assert_false(k.placed);
    assert_int_equal(k.payload_offset, 64);
    assert_int_equal(k.payload_bytes, 1000);
    memcpy(image + 64, "\x1f\x8b\x08", 3);
    uimage(1000, 0x40080000, 0x40080000, 22, 1);
    assert_int_equal(kimage_parse_head(image, 4096, &outer), HV_OK);
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
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
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
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_true(k.placed);
    assert_int_equal(k.load_base, 0x40008000);
    assert_int_equal(k.entry, 0x40008000);
    assert_int_equal(k.memory_bytes, 0x100);
    put_be32(0x24, 0x016F2818);
    refused(4096, HV_NOT_SUPPORTED, "a big-endian zImage");
    memset(image, 0, sizeof(image));
    zimage_at(64, 0, 500);
    uimage(1000, 0, 0, 2, 0);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ZIMAGE);
    assert_true(k.is_32bit && !k.placed);
    assert_int_equal(k.payload_offset, 64);
    assert_int_equal(k.payload_bytes, 500);
    uimage(1000, 0x48000000, 0x48000000, 2, 0);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_true(k.placed);
    assert_int_equal(k.load_base, 0x48000000);
    memset(image + 64, 0, 64); /* flat code goes by the architecture that is named */
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_FLAT);
    assert_true(k.is_32bit);
    arm64_at(64, 0, 0x5000); /* an Image by its own header */
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_false(k.is_32bit);
}

/* An ELF file of `bits` with nr program headers, all alike but for the address. */
static void elf(uint32_t bits, uint32_t nr, uint64_t at, uint64_t entry)
{
    const bool wide = bits == 64u;
    const uint32_t first = wide ? 64u : 52u;
    const uint32_t each = wide ? 56u : 32u;
    const int width = wide ? 8 : 4;

    memset(image, 0, sizeof(image));
    memcpy(image, "\177ELF", 4);
    image[4] = wide ? 2u : 1u;
    image[5] = 1;
    put_le(16, 2, 2);
    put_le(18, wide ? 183u : 40u, 2);
    put_le(24, entry, width);
    put_le(wide ? 32u : 28u, first, width);
    put_le(wide ? 54u : 42u, each, 2);
    put_le(wide ? 56u : 44u, nr, 2);
    for (uint32_t i = 0; i < nr; i++) {
        const uint32_t ph = first + (i * each);

        put_le(ph, 1, 4);
        put_le(ph + (wide ? 8u : 4u), 0x400u + (i * 0x100u), width);
        put_le(ph + (wide ? 24u : 12u), at + (i * 0x10000u), width);
        put_le(ph + (wide ? 32u : 16u), 0x100, width);
        put_le(ph + (wide ? 40u : 20u), 0x8000, width);
    }
}

static void test_elf(void **state)
{
    static const char other[] = "an ELF file of another kind";
    static const char damaged[] = "an ELF file with parts outside of it, or an entry outside of them";
    struct kimage_part part;

    (void)state;
    elf(32, 2, 0x30000000, 0x30000041);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ELF);
    assert_true(k.placed && k.is_32bit);
    assert_int_equal(k.load_base, 0x30000000);
    assert_int_equal(k.memory_bytes, 0x18000);
    assert_int_equal(k.entry, 0x30000041);
    assert_true(kimage_part(image, 1, &part));
    assert_int_equal(part.at, 0x30010000);
    assert_int_equal(part.offset, 0x500);
    assert_int_equal(part.bytes, 0x100);
    assert_false(kimage_part(image, 2, &part));
    elf(64, 8, 0x140000000, 0x140010000);
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_false(k.is_32bit);
    assert_int_equal(k.load_base, 0x140000000);
    put_le(64 + 56, 6, 4); /* not to be loaded */
    assert_true(kimage_part(image, 1, &part));
    assert_int_equal(part.bytes, 0);
    elf(64, 9, 0x40000000, 0x40000000); /* the table leaves the head */
    refused(4096, HV_NOT_SUPPORTED, other);
    elf(32, 14, 0x40000000, 0x40000000);
    assert_int_equal(kimage_parse_head(image, 0x2000, &k), HV_OK);
    refused(499, HV_NOT_SUPPORTED, other); /* and the file */
    elf(32, 15, 0x40000000, 0x40000000);
    refused(4096, HV_NOT_SUPPORTED, other);
    elf(32, 0, 0x40000000, 0x40000000);
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, 0x40000000, 0x40000000);
    put_le(32, UINT64_MAX - 8u, 8);
    refused(4096, HV_NOT_SUPPORTED, other);
    for (uint32_t at = 4; at < 20; at++) { /* class, byte order, kind and machine */
        elf(32, 1, 0x40000000, 0x40000000);
        image[at] ^= 0x40u;
        assert_int_equal(kimage_parse_head(image, 4096, &k),
                         ((at < 6u) || (at >= 16u)) ? HV_NOT_SUPPORTED : HV_OK);
    }
    elf(64, 1, 0x40000000, 0x40008000);
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, 0x40000000, 0x3FFFFFFF);
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, 0x40000000, 0x40000000);
    refused(0x4FF, HV_CORRUPT, damaged);
    put_le(64 + 32, 0x8001, 8); /* more in the file than in memory */
    refused(4096 * 16, HV_CORRUPT, damaged);
    put_le(64 + 32, 0x100, 8);
    put_le(64 + 8, UINT64_MAX - 0x7Fu, 8);
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, UINT64_MAX - 0xFFFu, UINT64_MAX - 0xFFFu); /* wraps */
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, 0xFFFFFFFF8001, 0xFFFFFFFF8001);
    refused(4096, HV_CORRUPT, damaged);
    elf(64, 1, 0x40000000, 0x40000000);
    assert_int_equal(kimage_parse_inflated(image, 4096, &(struct kimage){ 0 }, &k), HV_NOT_SUPPORTED);
}

static void test_flat(void **state)
{
    struct plan_domain d = { .kernel = { .bytes = 0x1000 }, .kernel_flat = true };

    (void)state;
    elf(32, 1, 0x40000000, 0x40000000);
    d.kernel_at = 0x30000000;
    d.kernel_entry = 0x30000101;
    assert_int_equal(kimage_parse_kernel(&d, image, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_FLAT);
    assert_true(k.placed);
    assert_int_equal(k.load_base, 0x30000000);
    assert_int_equal(k.entry, 0x30000101);
    assert_int_equal(k.memory_bytes, 0x1000);
    d.kernel_flat = false;
    assert_int_equal(kimage_parse_kernel(&d, image, &k), HV_OK);
    assert_int_equal(k.kind, KIMAGE_ELF);
}

static void test_sentences(void **state)
{
    static struct said said;
    static struct plan p;
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
    assert_int_equal(kimage_parse_head(image, 4096, &k), HV_OK);
    assert_true(kimage_fits(&said.report, &p, &d, &k));
    k.memory_bytes++;
    assert_false(kimage_fits(&said.report, &p, &d, &k));
    assert_int_equal(said.report.nr_faults, 2);
    assert_string_equal(
        said.text,
        "/chosen/domU1/kernel@1: kernel: found an unknown format, expected an arm64 Image, a gzip of "
        "one, a zImage, a uImage or an ELF file\n"
        "/chosen/domU1/kernel@1: kernel: found an image that takes 57345 bytes, expected one that "
        "leaves room for the ramdisk in the domain's memory\n");
    k.text_offset = UINT64_MAX;
    assert_false(kimage_fits(&said.report, &p, &d, &k));
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
        cmocka_unit_test(test_arm64),     cmocka_unit_test(test_gzip),    cmocka_unit_test(test_uimage),
        cmocka_unit_test(test_zimage),    cmocka_unit_test(test_elf),     cmocka_unit_test(test_flat),
        cmocka_unit_test(test_sentences), cmocka_unit_test(test_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
