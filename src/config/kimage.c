/* [impl->req~kernel-programs~1] */
#include "config/kimage.h"

#include "config/partition/layout.h"
#include "lib/crc32.h"
#include "lib/string.h"

/* arm64 Image, all little-endian: Linux Documentation/arch/arm64/booting.rst */
#define ARM64_HEADER_BYTES    64u
#define ARM64_MAGIC_AT        0x38u
#define ARM64_MAGIC           0x644D5241u
#define ARM64_TEXT_OFFSET_AT  8u
#define ARM64_IMAGE_SIZE_AT   16u
#define ARM64_OLD_TEXT_OFFSET 0x80000u /* when image_size is 0: kernels before 3.17 */

/* arm zImage: Linux Documentation/arch/arm/booting.rst and the head of its decompressor. It is entered at
 * `start`, 0 = anywhere. */
#define ZIMAGE_HEADER_BYTES 48u
#define ZIMAGE_MAGIC_AT     0x24u
#define ZIMAGE_START_AT     0x28u
#define ZIMAGE_END_AT       0x2Cu
#define ZIMAGE_MAGIC        0x016F2818u
#define ZIMAGE_BELOW_BYTES  MIB(128)

/* RFC 1952: ten bytes of header, eight of trailer, and no stream is empty */
#define GZIP_BYTES_MIN 20u

/* U-Boot's legacy image, all big-endian: include/image.h of U-Boot */
#define UIMAGE_MAGIC        0x27051956u
#define UIMAGE_HEADER_BYTES 64u
#define UIMAGE_HCRC_AT      4u
#define UIMAGE_SIZE_AT      12u
#define UIMAGE_LOAD_AT      16u
#define UIMAGE_ENTRY_AT     20u
#define UIMAGE_ARCH_AT      29u
#define UIMAGE_COMP_AT      31u
#define UIMAGE_ARCH_ARM     2u
#define UIMAGE_ARCH_ARM64   22u
#define UIMAGE_COMP_NONE    0u
#define UIMAGE_COMP_GZIP    1u

/* ELF, little-endian (System V ABI, chapters 4 and 5): [0] of 32 bits, [1] of 64 */
#define ELF_MAGIC        0x464C457Fu
#define ELF_BITS_32      1u
#define ELF_BITS_64      2u
#define ELF_LITTLE       1u
#define ELF_EXECUTABLE   2u
#define ELF_LOAD         1u
#define ELF_HEADER_BYTES 64u
#define ELF_LIMIT        BIT64(48) /* of any guest's addresses; keeps sums far from wrapping */
#define KERNEL_SECTION   MIB(2)    /* what an Image's place counts from: Linux's booting.rst */

struct elf_shape {
    uint32_t width; /* of an address */
    uint32_t machine;
    uint32_t phoff_at;
    uint32_t phentsize_at; /* the number of entries follows */
    uint32_t ph_bytes;
    uint32_t ph_offset_at; /* in a program header */
    uint32_t ph_paddr_at;
    uint32_t ph_filesz_at; /* the size in memory follows */
};

static const struct elf_shape elf_shapes[2] = { { 4u, 40u, 28u, 42u, 32u, 4u, 12u, 16u },
                                                { 8u, 183u, 32u, 54u, 56u, 8u, 24u, 32u } };

/* A little-endian number of so many bytes */
static uint64_t le(const uint8_t *b, uint32_t bytes)
{
    uint64_t number = 0;

    for (uint32_t i = bytes; i > 0u; i--) {
        number = (number << 8u) | b[i - 1u];
    }
    return number;
}

static uint32_t le32(const uint8_t *b)
{
    return (uint32_t)le(b, 4u);
}

static enum hv_status refuse(struct kimage *out, enum hv_status status, const char *found,
                             const char *expected)
{
    out->kind = KIMAGE_NONE;
    out->found = found;
    out->expected = expected;
    return status;
}

static bool is_arm64(const uint8_t *data, uint64_t bytes)
{
    return (bytes >= ARM64_HEADER_BYTES) && (le32(&data[ARM64_MAGIC_AT]) == ARM64_MAGIC);
}

static bool is_zimage(const uint8_t *data, uint64_t bytes)
{
    return (bytes >= ZIMAGE_HEADER_BYTES) && ((le32(&data[ZIMAGE_MAGIC_AT]) == ZIMAGE_MAGIC) ||
                                              (bits_be32(&data[ZIMAGE_MAGIC_AT]) == ZIMAGE_MAGIC));
}

static bool is_gzip(const uint8_t *data, uint64_t bytes)
{
    return (bytes >= 3u) && (data[0] == 0x1Fu) && (data[1] == 0x8Bu) && (data[2] == 8u);
}

static bool is_elf(const uint8_t *data, uint64_t bytes)
{
    return (bytes >= ELF_HEADER_BYTES) && (le32(data) == ELF_MAGIC);
}

static const struct elf_shape *elf_shape(const uint8_t *data)
{
    return &elf_shapes[(data[4] == ELF_BITS_64) ? 1 : 0];
}

bool kimage_part(const uint8_t *data, uint32_t i, struct kimage_part *out)
{
    const struct elf_shape *const shape = elf_shape(data);
    const bool there = i < le(&data[shape->phentsize_at + 2u], 2u);

    out->bytes = 0u;
    if (there) {
        const uint8_t *const ph = &data[le(&data[shape->phoff_at], shape->width) + (i * shape->ph_bytes)];

        out->offset = le(&ph[shape->ph_offset_at], shape->width);
        out->at = le(&ph[shape->ph_paddr_at], shape->width);
        out->bytes = (le32(ph) == ELF_LOAD) ? le(&ph[shape->ph_filesz_at], shape->width) : 0u;
    }
    return there;
}

static bool elf_header_good(const uint8_t *data, uint64_t bytes)
{
    const struct elf_shape *const shape = elf_shape(data);
    const uint64_t phoff = le(&data[shape->phoff_at], shape->width);
    const uint64_t table = le(&data[shape->phentsize_at + 2u], 2u) * shape->ph_bytes;
    const uint64_t most = bits_min(bytes, KIMAGE_HEAD_BYTES);

    return ((data[4] == ELF_BITS_32) || (data[4] == ELF_BITS_64)) && (data[5] == ELF_LITTLE) &&
           (le(&data[16], 2u) == ELF_EXECUTABLE) && (le(&data[18], 2u) == shape->machine) &&
           (le(&data[shape->phentsize_at], 2u) == shape->ph_bytes) && (phoff <= most) &&
           (table <= (most - phoff));
}

/* Adds a program header's range of memory to [*base, *end). False if it is not good. */
static bool elf_part_add(const uint8_t *ph, const struct elf_shape *shape, uint64_t bytes, uint64_t *base,
                         uint64_t *end)
{
    const uint64_t offset = le(&ph[shape->ph_offset_at], shape->width);
    const uint64_t at = le(&ph[shape->ph_paddr_at], shape->width);
    const uint64_t filesz = le(&ph[shape->ph_filesz_at], shape->width);
    const uint64_t memsz = le(&ph[shape->ph_filesz_at + shape->width], shape->width);
    bool good = true;

    if ((le32(ph) == ELF_LOAD) && (memsz > 0u)) {
        good = (filesz <= memsz) && (offset <= bytes) && (filesz <= (bytes - offset)) && (at < ELF_LIMIT) &&
               (memsz <= (ELF_LIMIT - at));
        *base = bits_min(*base, at);
        *end = bits_max(*end, at + memsz);
    }
    return good;
}

/* What is not in the file needs no clearing: a domain's memory is zero. */
static enum hv_status parse_elf(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    const struct elf_shape *const shape = elf_shape(data);
    const uint32_t nr = (uint32_t)le(&data[shape->phentsize_at + 2u], 2u);
    uint64_t base = UINT64_MAX;
    uint64_t end = 0;
    bool good = elf_header_good(data, bytes);
    enum hv_status status = HV_OK;

    if (!good) {
        status = refuse(out, HV_NOT_SUPPORTED, "an ELF file of another kind",
                        "an executable for Arm or AArch64, program headers in its first 512 bytes");
    } else {
        const uint64_t phoff = le(&data[shape->phoff_at], shape->width);

        for (uint32_t i = 0; i < nr; i++) { /* at most 14: the table lies in the head */
            good = good && elf_part_add(&data[phoff + (i * shape->ph_bytes)], shape, bytes, &base, &end);
        }
        out->kind = KIMAGE_ELF;
        out->is_32bit = data[4] == ELF_BITS_32;
        out->placed = true;
        out->load_base = base;
        out->memory_bytes = end - base;
        out->payload_bytes = bytes;
        out->entry = le(&data[24], shape->width);
        good = good && (end > base) && (out->entry >= base) && (out->entry < end);
        status = good ? HV_OK
                      : refuse(out, HV_CORRUPT,
                               "an ELF file with parts outside of it, or an entry outside of them",
                               "a kernel that is whole");
    }
    return status;
}

static enum hv_status parse_arm64(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    const uint64_t image_bytes = le(&data[ARM64_IMAGE_SIZE_AT], 8u);

    out->kind = KIMAGE_ARM64;
    out->is_32bit = false;
    out->text_offset = (image_bytes == 0u) ? ARM64_OLD_TEXT_OFFSET : le(&data[ARM64_TEXT_OFFSET_AT], 8u);
    out->memory_bytes = (image_bytes == 0u) ? bytes : image_bytes;
    out->payload_bytes = bits_min(bytes, out->memory_bytes);
    return (out->memory_bytes >= ARM64_HEADER_BYTES)
               ? HV_OK
               : refuse(out, HV_CORRUPT, "an arm64 Image with an image_size below its header's",
                        "a kernel that is whole");
}

static enum hv_status parse_zimage(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    const uint32_t start = le32(&data[ZIMAGE_START_AT]);
    const uint32_t end = le32(&data[ZIMAGE_END_AT]);
    enum hv_status status = HV_OK;

    if (le32(&data[ZIMAGE_MAGIC_AT]) != ZIMAGE_MAGIC) {
        status = refuse(out, HV_NOT_SUPPORTED, "a big-endian zImage", "a little-endian one");
    } else if ((end < start) || ((end - start) < ZIMAGE_HEADER_BYTES) || ((end - start) > bytes)) {
        status = refuse(out, HV_CORRUPT, "a zImage that is shorter than it says", "a kernel that is whole");
    } else {
        out->kind = KIMAGE_ZIMAGE;
        out->is_32bit = true;
        out->payload_bytes = end - start;
        out->memory_bytes = end - start;
        if (start != 0u) {
            out->placed = true;
            out->load_base = start;
            out->entry = start;
        }
    }
    return status;
}

static enum hv_status parse_gzip(uint64_t bytes, struct kimage *out)
{
    out->kind = KIMAGE_GZIP;
    out->payload_bytes = bytes;
    return (bytes >= GZIP_BYTES_MIN)
               ? HV_OK
               : refuse(out, HV_CORRUPT, "a gzip stream that ends in its header", "a kernel that is whole");
}

/* A kernel that is not wrapped in a uImage. */
static enum hv_status parse_bare(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    enum hv_status status;

    if (is_gzip(data, bytes)) {
        status = parse_gzip(bytes, out);
    } else if (is_arm64(data, bytes)) {
        status = parse_arm64(data, bytes, out);
    } else if (is_zimage(data, bytes)) {
        status = parse_zimage(data, bytes, out);
    } else if (is_elf(data, bytes)) {
        status = parse_elf(data, bytes, out);
    } else {
        status = refuse(out, HV_NOT_SUPPORTED, "an unknown format",
                        "an arm64 Image, a gzip of one, a zImage, a uImage or an ELF file");
    }
    return status;
}

/* What a uImage without compression wraps: an Image by its own header, else flat code, which must say
 * where it goes. */
static enum hv_status parse_wrapped(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    enum hv_status status = HV_OK;

    if (is_arm64(data, bytes)) {
        status = parse_arm64(data, bytes, out);
    } else if (is_zimage(data, bytes)) {
        status = parse_zimage(data, bytes, out);
    } else if (out->placed) {
        out->kind = KIMAGE_FLAT;
        out->payload_bytes = bytes;
        out->memory_bytes = bytes;
    } else {
        status =
            refuse(out, HV_NOT_SUPPORTED, "a uImage of flat code without a load address", "a load address");
    }
    return status;
}

static bool uimage_header_good(const uint8_t *data)
{
    uint8_t header[UIMAGE_HEADER_BYTES];

    (void)memcpy(header, data, sizeof(header));
    (void)memset(&header[UIMAGE_HCRC_AT], 0, 4u);
    return crc32_update(0u, header, sizeof(header)) == bits_be32(&data[UIMAGE_HCRC_AT]);
}

static enum hv_status parse_uimage(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    const char *const whole = "a kernel that is whole";
    const uint64_t left = bytes - bits_min(bytes, UIMAGE_HEADER_BYTES);
    enum hv_status status;

    if (left == 0u) {
        status = refuse(out, HV_CORRUPT, "a uImage that ends in its header", whole);
    } else if (!uimage_header_good(data)) {
        status = refuse(out, HV_CORRUPT, "a uImage with a wrong header checksum", whole);
    } else if ((bits_be32(&data[UIMAGE_SIZE_AT]) == 0u) || (bits_be32(&data[UIMAGE_SIZE_AT]) > left)) {
        status = refuse(out, HV_CORRUPT, "a uImage that says it is longer than the module, or empty", whole);
    } else if ((data[UIMAGE_ARCH_AT] != UIMAGE_ARCH_ARM64) && (data[UIMAGE_ARCH_AT] != UIMAGE_ARCH_ARM)) {
        status = refuse(out, HV_NOT_SUPPORTED, "a uImage for another architecture", "one for ARM64 or ARM");
    } else {
        const uint8_t *const inner = &data[UIMAGE_HEADER_BYTES];
        const uint64_t inner_bytes = bits_be32(&data[UIMAGE_SIZE_AT]);

        out->uimage = true;
        out->is_32bit = data[UIMAGE_ARCH_AT] == UIMAGE_ARCH_ARM;
        out->payload_offset = UIMAGE_HEADER_BYTES;
        out->load_base = bits_be32(&data[UIMAGE_LOAD_AT]);
        out->entry = bits_be32(&data[UIMAGE_ENTRY_AT]);
        out->placed = out->load_base != 0u;
        if (!out->placed && (out->entry != 0u)) {
            status =
                refuse(out, HV_NOT_SUPPORTED, "a uImage with an entry but no load address", "both or none");
        } else if ((data[UIMAGE_COMP_AT] == UIMAGE_COMP_GZIP) && is_gzip(inner, inner_bytes)) {
            status = parse_gzip(inner_bytes, out);
        } else if (data[UIMAGE_COMP_AT] == UIMAGE_COMP_NONE) {
            status = parse_wrapped(inner, inner_bytes, out);
        } else {
            status = refuse(out, HV_NOT_SUPPORTED, "a uImage with another compression", "gzip or none");
        }
    }
    return status;
}

enum hv_status kimage_parse_head(const uint8_t *data, uint64_t bytes, struct kimage *out)
{
    const bool uimage = (bytes >= 4u) && (bits_be32(data) == UIMAGE_MAGIC);

    (void)memset(out, 0, sizeof(*out));
    return uimage ? parse_uimage(data, bytes, out) : parse_bare(data, bytes, out);
}

enum hv_status kimage_parse_kernel(const struct plan_domain *domain, const uint8_t *data, struct kimage *out)
{
    enum hv_status status = HV_OK;

    if (domain->kernel_flat) {
        (void)memset(out, 0, sizeof(*out));
        out->kind = KIMAGE_FLAT;
        out->is_32bit = UINTPTR_MAX <= UINT32_MAX; /* as the host */
        out->placed = true;
        out->load_base = domain->kernel_at;
        out->entry = domain->kernel_entry;
        out->payload_bytes = domain->kernel.bytes;
        out->memory_bytes = domain->kernel.bytes;
    } else {
        status = kimage_parse_head(data, domain->kernel.bytes, out);
    }
    return status;
}

/* Where in a bank an image goes that may go anywhere in it (Linux's booting.rst). A zImage wants to be out of
 * its kernel's way. */
static uint64_t kernel_place(const struct kimage *k, const struct range *bank)
{
    uint64_t at = bits_align_up(bank->base, KERNEL_SECTION) + k->text_offset;

    if (k->kind == KIMAGE_ZIMAGE) {
        const uint64_t room = bits_min(bank->bytes, ZIMAGE_BELOW_BYTES);

        at = bits_align_down((bank->base + room) - bits_min(k->memory_bytes, room), KERNEL_SECTION);
    }
    return at;
}

uint64_t kimage_reach(const struct kimage *image)
{
    return image->is_32bit ? GIB(4) : UINT64_MAX;
}

bool kimage_find(const struct plan *plan, const struct plan_domain *domain, const struct kimage *image,
                 struct range *bank, uint64_t *base)
{
    bool fits = false;

    for (uint32_t i = 0; !fits && layout_bank(plan, domain, i, bank); i++) { /* at most 64 */
        *base = image->placed ? image->load_base : kernel_place(image, bank);
        fits = (*base >= bank->base) && ((*base - bank->base) < bank->bytes) &&
               ((*base + image->memory_bytes) <= kimage_reach(image)) &&
               (image->memory_bytes <= (bank->bytes - (*base - bank->base)));
    }
    return fits;
}

enum hv_status kimage_parse_inflated(const uint8_t *data, uint64_t bytes, const struct kimage *outer,
                                     struct kimage *out)
{
    enum hv_status status;

    (void)memset(out, 0, sizeof(*out));
    out->uimage = outer->uimage;
    out->is_32bit = outer->is_32bit;
    out->placed = outer->placed;
    out->load_base = outer->load_base;
    out->entry = outer->entry;
    if (is_gzip(data, bytes) || is_elf(data, bytes)) {
        status = refuse(out, HV_NOT_SUPPORTED, "a gzip or an ELF file inside a gzip", "an arm64 Image in it");
    } else if (outer->uimage) {
        status = parse_wrapped(data, bytes, out);
    } else {
        status = parse_bare(data, bytes, out);
    }
    return status;
}
