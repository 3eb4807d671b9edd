/* Kernel images and ramdisks, the whole way into a domain: Image, ELF file, gzip, uImage and flat code, each
 * as it is, wrapped by the target itself so that checksums are right, cut and damaged. Nothing but the
 * domain's memory may change. [test->req~kernel-images~1] [test->req~input-never-panics~1] */
#include <string.h>
#include <zlib.h>

#include "build/inflate.h"
#include "fuzz.h"
#include "lib/bits.h"
#include "lib/crc32.h"
#include "machine.h"
#include "mem/ram.h"

#define DOMAINS     3u
#define BODY_MOST   (8u << 20u)
#define MODULE_MOST (MACHINE_MODULES_SIZE / 4u)
#define RAMDISK_AT  (MACHINE_MODULES_SIZE / 2u)
#define AROUND      MIB(2)
#define FILL        0xA5u
#define BANK        0x40000000ULL

static struct plan plan;
static struct domain *domain[DOMAINS];
static uint8_t body[BODY_MOST + 65536u];
static uint8_t packed[BODY_MOST + 131072u];

static void ready(void)
{
    static const uint64_t kib[DOMAINS] = { 4100u, 6144u, 2056u };
    void *state = NULL;

    (void)machine_setup(&state);
    plan.nr_cpus = 1u;
    plan.nr_domains = DOMAINS;
    plan.pool[0].sched = PLAN_SCHED_CREDIT2;
    for (uint32_t i = 0u; i < DOMAINS; i++) {
        struct plan_domain *const d = &plan.domain[i];

        (void)snprintf(d->name, sizeof(d->name), "domU%u", i + 1u);
        d->domid = (domid_t)(i + 1u);
        d->memory_bytes = kib[i] << 10u;
        d->pool_bytes = MIB(1);
        d->nr_vcpus = 1u;
        d->nr_spis = 32u;
        d->bootargs = "";
        for (uint32_t v = 0u; v < HV_VCPUS_MAX; v++) {
            d->affinity[v] = UINT64_MAX;
        }
    }
    FUZZ_MUST(build_setup(&plan) == HV_OK);
    for (uint32_t i = 0u; i < DOMAINS; i++) {
        FUZZ_MUST(build_prepare(&plan.domain[i], &domain[i]) == HV_OK);
    }
}

/* -- Wrapping -- */

static size_t gzip(size_t bytes)
{
    z_stream z;

    (void)memset(&z, 0, sizeof(z));
    FUZZ_MUST(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = body;
    z.avail_in = (uInt)bytes;
    z.next_out = packed;
    z.avail_out = (uInt)sizeof(packed);
    FUZZ_MUST(deflate(&z, Z_FINISH) == Z_STREAM_END);
    const size_t made = z.total_out;
    (void)deflateEnd(&z);
    FUZZ_MUST(made <= sizeof(body));
    (void)memcpy(body, packed, made);
    return made;
}

static void put_be(uint8_t *at, uint32_t value)
{
    for (uint32_t i = 0u; i < 4u; i++) {
        at[i] = (uint8_t)(value >> (24u - (8u * i)));
    }
}

static size_t uimage(struct fuzz_input *in, size_t bytes, bool zipped)
{
    (void)memmove(&body[64], body, bytes);
    (void)memset(body, 0, 64u);
    put_be(body, 0x27051956u);
    put_be(&body[12], (uint32_t)bytes);
    put_be(&body[16], (uint32_t)(BANK + fuzz_number(in)));
    put_be(&body[20], (uint32_t)(BANK + fuzz_number(in)));
    put_be(&body[24], crc32_update(0u, &body[64], bytes));
    body[28] = 5u;
    body[29] = ((fuzz_u8(in) & 7u) == 0u) ? fuzz_u8(in) : 22u;
    body[30] = 2u;
    body[31] = zipped ? 1u : 0u;
    put_be(&body[4], crc32_update(0u, body, 64u));
    return bytes + 64u;
}

static size_t make(struct fuzz_input *in)
{
    const uint8_t how = fuzz_u8(in);
    const uint8_t more = fuzz_u8(in);
    struct fuzz_input wrap = { in->data, 0u };
    size_t bytes;

    if ((how & 0x18u) != 0u) { /* numbers for what wraps come first */
        wrap.left = (in->left < 16u) ? in->left : 16u;
        in->data += wrap.left;
        in->left -= wrap.left;
    }
    bytes = in->left;
    (void)memcpy(body, in->data, bytes);
    if (((how & 1u) != 0u) && (bytes >= 64u)) {
        (void)memcpy(&body[56], "ARMd", 4u);
    }
    if (((how & 2u) != 0u) && (bytes >= 24u)) { /* a size that may be meant */
        (void)memset(&body[11], 0, 5u);
        (void)memset(&body[19], 0, 5u);
    }
    if ((more & 0xF0u) == 0xF0u) { /* long */
        const size_t whole = (size_t)(more & 15u) << 19u;

        if (whole > bytes) {
            (void)memset(&body[bytes], more, whole - bytes);
            bytes = whole;
        }
    }
    if ((how & 8u) != 0u) {
        bytes = gzip(bytes);
    }
    if ((how & 0x10u) != 0u) {
        bytes = uimage(&wrap, bytes, (how & 8u) != 0u);
    }
    if (((how & 0x20u) != 0u) && (bytes > 0u)) {
        body[fuzz_number(&wrap) % bytes] ^= (uint8_t)(1u << (more & 7u));
    }
    if ((how & 0x40u) != 0u) {
        bytes -= fuzz_number(&wrap) % (bytes + 1u);
    }
    if ((how & 0x80u) != 0u) {
        (void)memset(&body[bytes], 0, 5000u);
        bytes += 5000u;
    }
    return bytes;
}

/* -- One build -- */

/* The domain's last piece of memory may end within a window: what is behind it is somebody else's. */
static void fill(const struct domain *d, bool check)
{
    for (uint32_t i = 0u; i < d->nr_chunks; i++) {
        const uint64_t end = d->chunk[i].to.v + d->chunk[i].bytes;

        for (uint64_t at = end; (at % AROUND) != 0u; at += PAGE_BYTES) {
            if (ram_owner(hpa(at)) == RAM_FREE) {
                uint8_t *const page = fake_ram(hpa(at), PAGE_BYTES);

                for (uint32_t b = 0u; check && (b < PAGE_BYTES); b++) {
                    FUZZ_MUST(page[b] == FILL);
                }
                (void)memset(page, FILL, PAGE_BYTES);
            }
        }
    }
}

static void built(const struct domain *d)
{
    const struct build_slot *const slot = (const struct build_slot *)(const void *)d;
    const uint64_t end = BANK + d->plan->memory_bytes;
    uint8_t head[4];

    FUZZ_MUST((slot->entry.v >= BANK) && (slot->entry.v < end));
    if (d->plan->no_tree) {
        FUZZ_MUST(slot->tree.v == 0u);
    } else {
        FUZZ_MUST((slot->tree.v >= BANK) && (slot->tree.v < end));
        FUZZ_MUST(fake_guest_read(&d->hal.map, slot->tree, head, 4u) && (head[0] == 0xD0u) &&
                  (head[3] == 0xEDu));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const uint64_t starts[8] = { 0u, 8u, 0xFFFu, 0x1FFFF0u, 0x1FFFFFu, 0x40000u, 1u, 0x3FFFFu };
    static bool is_ready;
    struct fuzz_input in = { data, bytes };
    const uint8_t shape = fuzz_u8(&in);
    struct plan_domain *d;

    if (!is_ready) {
        ready();
        is_ready = true;
    }
    d = &plan.domain[shape % DOMAINS];
    if (bytes > 65536u) {
        return 0;
    }
    const size_t made = make(&in);
    const uint64_t at = starts[(shape >> 2u) & 7u];
    struct domain *const of = domain[shape % DOMAINS];
    const uint64_t before = ram_bytes(RAM_FREE);

    FUZZ_MUST((at + made) < MODULE_MOST);
    d->kernel = machine_module(at, body, made, "kernel");
    d->ramdisk.bytes = 0u;
    if ((shape & 0x20u) != 0u) {
        d->ramdisk = machine_module(RAMDISK_AT + at, body, made, "ramdisk");
    }
    d->no_tree = (shape & 0x40u) != 0u;
    d->kernel_flat = (shape & 0xC0u) == 0xC0u; /* as config/ lets it through: entered in itself */
    d->kernel_at = BANK + (at * 16u) - (((shape & 1u) != 0u) ? 1u : 0u);
    d->kernel_entry = d->kernel_at + (made / 2u);
    machine_output_forget();
    const enum hv_status status = build_domain(of);
    if (status == HV_OK) {
        built(of);
        fill(of, false);
        build_unmake(of, false);
        of->state = DOMAIN_STOPPED;
        FUZZ_MUST(build_domain(of) == HV_OK); /* again, the same */
        built(of);
        fill(of, true);
        build_unmake(of, false);
        of->state = DOMAIN_STOPPED;
    } else {
        FUZZ_MUST((strstr(machine_output(), ": found ") != NULL) &&
                  (strstr(machine_output(), "expected ") != NULL));
    }
    FUZZ_MUST(ram_bytes(RAM_FREE) == before);
    FUZZ_MUST(memcmp(fake_ram(d->kernel.base, made), body, made) == 0);
    FUZZ_MUST(fake_windows_open() == 0u);
    return 0;
}
