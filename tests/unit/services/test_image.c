/* A domain built from modules: where things go, what they hold, and what is refused. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include <libfdt.h>

#include "base/percpu.h"
#include "build/inflate.h"
#include "build/placement.h"
#include "hal/vplat.h"
#include "lib/bits.h"
#include "mem/ram.h"

#define BANK   0x40000000ULL
#define MiB(n) ((uint64_t)(n) << 20)

static struct plan plan; /* domain 0 is the one under test */
static struct domain *domain;

static int setup(void **state)
{
    struct plan_domain *d;

    (void)machine_setup(state);
    d = machine_plan(&plan, 2u);
    d->vpl011 = true;
    d->bootargs = "console=ttyAMA0";
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_nr_workspaces(), 1u);
    assert_int_equal(build_prepare(d, &domain), HV_OK);
    return 0;
}

static int reset(void **state)
{
    struct plan_domain *const d = &plan.domain[0];

    (void)state;
    d->memory_bytes = MiB(64);
    d->nr_vcpus = 2u;
    d->kernel.bytes = 0u;
    d->ramdisk.bytes = 0u;
    d->bootargs = "console=ttyAMA0";
    (void)memset(&machine, 0, sizeof(machine));
    machine_output_forget();
    return 0;
}

static struct build_slot *slot(void)
{
    return build_slot_of(domain);
}

static void expect_guest(uint64_t at, const uint8_t *bytes, uint64_t count)
{
    uint8_t *const seen = malloc(count);

    assert_true(fake_guest_read(&domain->hal.map, gpa(at), seen, count));
    assert_memory_equal(seen, bytes, count);
    free(seen);
}

static void expect_zero(uint64_t at, uint64_t count)
{
    uint8_t *const none = calloc(1u, count);

    expect_guest(at, none, count);
    free(none);
}

/* Everything the domain had is back, and scrubbed. */
static void expect_nothing_left(void)
{
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), 0u);
    assert_int_equal(domain->nr_chunks, 0u);
    assert_int_equal(domain->nr_windows, 0u);
    assert_int_equal(domain->pool.nr_free, domain->pool.nr_pages);
    assert_int_equal(machine.nr_added, 0u);
    assert_int_equal(fake_maps_live(), 0u);
    assert_int_equal(fake_windows_open(), 0u);
}

static void build_good(void)
{
    assert_int_equal(build_domain(domain), HV_OK);
    assert_int_equal(domain->state, DOMAIN_BUILDING);
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), plan.domain[0].memory_bytes);
    assert_int_equal(fake_windows_open(), 0u);
}

/* Starts it, lets it power itself off, and looks whether all was undone. */
static void start_and_stop(void)
{
    build_start(domain);
    assert_int_equal(domain->state, DOMAIN_RUNNING);
    assert_int_equal(domain->vcpu[0]->hal.entry, slot()->entry.v);
    assert_int_equal(domain->vcpu[0]->hal.argument, slot()->tree.v);
    build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
    assert_int_equal(domain->state, DOMAIN_STOPPING);
    build_request_stop(domain, HAL_DOMAIN_CRASH, "twice is once");
    machine.quiet_after = 3u;
    assert_true(machine_work_run());
    assert_int_equal(domain->state, DOMAIN_STOPPED);
    assert_non_null(strstr(machine_output(), "domU1: powered off\n"));
    assert_non_null(strstr(machine_output(), "all domains are off"));
    expect_nothing_left();
}

static void build_bad(const char *sentence)
{
    assert_int_not_equal(build_domain(domain), HV_OK);
    assert_int_equal(domain->state, DOMAIN_FAILED);
    if (strstr(machine_output(), sentence) == NULL) {
        fail_msg("not said: %s\nsaid: %s", sentence, machine_output());
    }
    assert_non_null(strstr(machine_output(), "domU1: not built, phase "));
    expect_nothing_left();
}

static void kernel(uint64_t offset, const void *bytes, uint64_t count)
{
    plan.domain[0].kernel = machine_module(offset, bytes, count, "module@1");
}

static const void *guest_tree(uint8_t *copy, uint64_t room)
{
    assert_true(fake_guest_read(&domain->hal.map, slot()->tree, copy, room));
    assert_int_equal(fdt_check_full(copy, room), 0);
    return copy;
}

static uint64_t u64_at(const void *fdt, const char *path, const char *name, int index)
{
    int bytes = 0;
    const uint8_t *const value = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, &bytes);
    uint64_t number = 0;

    assert_non_null(value);
    assert_true(bytes >= (8 * (index + 1)));
    for (uint32_t i = 0; i < 8u; i++) {
        number = (number << 8u) | value[(8u * (uint32_t)index) + i];
    }
    return number;
}

/* -- Placement -- */

static void test_placement(void **state)
{
    struct placement p = { BANK, MiB(256), BANK, BANK + MiB(40), MiB(17), { 0u }, { 0u } };

    (void)state;
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK + MiB(128));
    assert_int_equal(p.ramdisk.v, BANK + MiB(130));

    p.bank_bytes = MiB(64); /* the end of the bank: 2 for the tree, 18 for the ramdisk */
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK + MiB(44));
    assert_int_equal(p.ramdisk.v, BANK + MiB(46));

    p.kernel_end = BANK + MiB(44); /* just fits */
    assert_true(placement_find(&p));
    p.kernel_end++;
    assert_false(placement_find(&p));

    p.kernel_base = BANK + MiB(20); /* below it */
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK);
    p.kernel_base = BANK + MiB(21);
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK);
    p.kernel_base = BANK + MiB(19);
    assert_false(placement_find(&p));

    p.bank_bytes = MiB(1); /* nothing fits at all */
    p.kernel_base = BANK;
    p.kernel_end = BANK + 4096u;
    p.ramdisk_bytes = 0u;
    assert_false(placement_find(&p));
    p.bank_bytes = MiB(4);
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK + MiB(2));
    p.bank_bytes = MiB(4) + 4096u; /* an end that is not aligned */
    assert_true(placement_find(&p));
    assert_int_equal(p.tree.v, BANK + MiB(2));
    p.ramdisk_bytes = UINT64_MAX - 5u;
    assert_false(placement_find(&p));

    /* never outside of the bank, never on the kernel, whatever the numbers */
    for (uint32_t i = 0; i < 2000u; i++) {
        p.bank_bytes = (uint64_t)(i * 7919u % 300000u) * 4096u;
        p.kernel_base = BANK + ((uint64_t)(i * 104729u) % (p.bank_bytes + 1u));
        p.kernel_end =
            p.kernel_base + ((uint64_t)(i * 15485863u) % (BANK + p.bank_bytes - p.kernel_base + 1u));
        p.ramdisk_bytes = (uint64_t)(i * 32452843u) % MiB(200);
        if (placement_find(&p)) {
            const uint64_t end = p.ramdisk.v + p.ramdisk_bytes;

            assert_true((p.tree.v >= BANK) && (end <= (BANK + p.bank_bytes)));
            assert_true((end <= p.kernel_base) || (p.tree.v >= p.kernel_end));
            assert_int_equal(p.tree.v % MiB(2), 0u);
        }
    }
}

/* -- Kernels -- */

static void test_plain_kernel(void **state)
{
    const uint64_t bytes = MiB(5) + 4321u;
    uint8_t *const image = machine_image(bytes, MiB(2), MiB(6));
    uint8_t *const ramdisk = machine_image(MiB(3) + 77u, 0u, 0u);

    (void)state;
    kernel(MiB(1) + 4096u, image, bytes); /* across windows */
    plan.domain[0].ramdisk = machine_module(MiB(30), ramdisk, MiB(3) + 77u, "module@2");
    build_good();
    assert_int_equal(slot()->entry.v, BANK + MiB(2));
    expect_guest(BANK + MiB(2), image, bytes);
    expect_zero(BANK, MiB(2));
    expect_zero(BANK + MiB(2) + bytes, MiB(1));
    /* 64 MiB: tree and ramdisk at the end of the bank, 2 and 4 MiB */
    assert_int_equal(slot()->tree.v, BANK + MiB(58));
    expect_guest(BANK + MiB(60), ramdisk, MiB(3) + 77u);
    expect_zero(BANK + MiB(60) + MiB(3) + 77u, 4096u);
    assert_int_equal(machine.nr_added, 2u);
    start_and_stop();
    /* and once more, from the same modules */
    build_good();
    expect_guest(BANK + MiB(2), image, bytes);
    start_and_stop();
    free(image);
    free(ramdisk);
}

/* Zeros behind a compressed ramdisk are left out, but for a page; of any other ramdisk every byte counts. */
static void test_ramdisk_padding(void **state)
{
    static uint8_t copy[16384];
    uint8_t *const image = machine_image(100000u, 0u, 100000u);
    uint8_t *const ramdisk = calloc(1u, MiB(4));
    const void *fdt;

    (void)state;
    kernel(0u, image, 100000u);
    (void)memset(ramdisk, 0xA5, MiB(1) + 100u);
    ramdisk[0] = 0x1Fu;
    ramdisk[1] = 0x8Bu;
    for (uint32_t pass = 0; pass < 4u; pass++) {
        static const uint64_t offset[] = { 0u, 0u, 123u, 0u };
        static const uint64_t padded[] = { MiB(4) - 1u, MiB(1) + 4096u, MiB(3) + 5u, MiB(4) - 1u };
        const uint64_t in_page = (offset[pass] + MiB(1) + 100u) % 4096u;
        uint64_t expected = bits_min(padded[pass], MiB(1) + 100u + (4096u - in_page) + 4096u);

        if (pass == 3u) {
            (void)memcpy(ramdisk, "0707", 4u); /* a plain cpio */
            expected = padded[pass];
        }
        plan.domain[0].ramdisk = machine_module(MiB(8) + offset[pass], ramdisk, padded[pass], "module@2");
        build_good();
        fdt = guest_tree(copy, sizeof(copy));
        assert_int_equal(u64_at(fdt, "/chosen", "linux,initrd-end", 0) -
                             u64_at(fdt, "/chosen", "linux,initrd-start", 0),
                         expected);
        expect_guest(slot()->tree.v + MiB(2), ramdisk, expected);
        start_and_stop();
    }
    (void)memset(ramdisk, 0, MiB(4)); /* nothing but the magic */
    ramdisk[0] = 0x1Fu;
    ramdisk[1] = 0x8Bu;
    plan.domain[0].ramdisk = machine_module(MiB(8), ramdisk, MiB(2), "module@2");
    build_good();
    start_and_stop();
    plan.domain[0].ramdisk = machine_module(MiB(8), ramdisk, 1u, "module@2");
    build_good();
    start_and_stop();
    free(ramdisk);
    free(image);
}

static void test_memory_is_scrubbed(void **state)
{
    uint8_t *const image = machine_image(100000u, 0u, 100000u);
    const uint8_t mark[16] = "what was before";

    (void)state;
    kernel(0u, image, 100000u);
    /* dirt everywhere that is free */
    for (uint64_t at = MACHINE_RAM + MACHINE_MODULES_SIZE + MiB(16); at < (MACHINE_RAM + MACHINE_RAM_SIZE);
         at += 65536u) {
        (void)memcpy(fake_ram(hpa(at), sizeof(mark)), mark, sizeof(mark));
    }
    build_good();
    expect_zero(BANK + 131072u, MiB(32));
    assert_true(fake_guest_write(&domain->hal.map, gpa(BANK + MiB(20)), mark, sizeof(mark)));
    const hpa_t secret = hpa(domain->chunk[0].to.v + MiB(20));
    assert_memory_equal(fake_ram(secret, sizeof(mark)), mark, sizeof(mark));
    start_and_stop();
    assert_int_equal(*fake_ram(secret, 1u), 0u);
    free(image);
}

static void test_gzip_kernel(void **state)
{
    const uint64_t bytes = MiB(9) + 999u;
    uint8_t *const image = machine_image(bytes, 0x80000u, MiB(10));
    uint64_t packed_bytes = 0;
    uint8_t *const packed = machine_gzip(image, bytes, &packed_bytes);
    uint8_t *const module = calloc(1u, packed_bytes + MiB(1));

    (void)state;
    (void)memcpy(module, packed, packed_bytes);
    /* alone, then padded with zeros, then with something else */
    for (uint32_t pass = 0; pass < 3u; pass++) {
        if (pass == 2u) {
            (void)memset(&module[packed_bytes], 0x5Au, MiB(1));
        }
        kernel(MiB(3) + 12345u, module, (pass == 0u) ? packed_bytes : (packed_bytes + MiB(1)));
        build_good();
        assert_int_equal(slot()->entry.v, BANK + 0x80000u);
        expect_guest(BANK + 0x80000u, image, bytes);
        expect_zero(BANK + 0x80000u + bytes, 65536u);
        start_and_stop();
    }
    free(module);
    free(packed);
    free(image);
}

static void test_gzip_refused(void **state)
{
    const uint64_t bytes = MiB(3);
    uint8_t *const image = machine_image(bytes, 0u, MiB(4));
    uint64_t packed_bytes = 0;
    uint8_t *const packed = machine_gzip(image, bytes, &packed_bytes);
    const char *const cut = "/chosen/domU1/module@1: kernel: found a gzip stream that is cut off, "
                            "expected a kernel that is whole";
    const char *const bad = "/chosen/domU1/module@1: kernel: found a damaged gzip stream, "
                            "expected a kernel that is whole";

    (void)state;
    kernel(0u, packed, packed_bytes - 1u);
    build_bad(cut);
    kernel(0u, packed, packed_bytes / 2u);
    build_bad(cut);
    kernel(0u, packed, 21u);
    build_bad(cut);
    packed[packed_bytes - 5u] ^= 1u; /* checksum */
    kernel(0u, packed, packed_bytes);
    build_bad(bad);
    packed[packed_bytes - 5u] ^= 1u;
    packed[packed_bytes - 1u] ^= 1u; /* length */
    kernel(0u, packed, packed_bytes);
    build_bad(bad);
    packed[packed_bytes - 1u] ^= 1u;
    packed[packed_bytes / 2u] ^= 0x55u;
    kernel(0u, packed, packed_bytes);
    build_bad("kernel: found a damaged gzip stream");
    packed[packed_bytes / 2u] ^= 0x55u;
    packed[3] = 0xE0u; /* reserved flags */
    kernel(0u, packed, packed_bytes);
    build_bad("kernel: found a damaged gzip stream");
    free(packed);
    free(image);
}

/* More comes out than the memory can take: an image_size that lies, and room that ends exactly. */
static void test_gzip_too_large(void **state)
{
    uint64_t packed_bytes = 0;
    uint8_t *image = machine_image(MiB(64) + 1u, 0u, MiB(4));
    uint8_t *packed = machine_gzip(image, MiB(64) + 1u, &packed_bytes);

    (void)state;
    kernel(0u, packed, packed_bytes);
    build_bad("found a gzip kernel that inflates to more than it may, "
              "expected one that fits into the domain's memory");
    free(packed);
    packed = machine_gzip(image, MiB(64), &packed_bytes);
    kernel(0u, packed, packed_bytes);
    build_bad("expected room for kernel, ramdisk of 0 KiB and device tree"); /* the kernel itself did fit */
    free(packed);
    free(image);
}

static void test_not_a_kernel(void **state)
{
    uint8_t *const image = machine_image(70000u, 0u, 70000u);
    uint64_t packed_bytes = 0;
    uint8_t *packed;

    (void)state;
    image[56] = 'X';
    kernel(0u, image, 70000u);
    build_bad("/chosen/domU1/module@1: kernel: found an unknown format, expected an arm64 Image");
    packed = machine_gzip(image, 70000u, &packed_bytes);
    kernel(0u, packed, packed_bytes);
    build_bad("/chosen/domU1/module@1: kernel: found ");
    free(packed);
    packed = machine_gzip(image, 30u, &packed_bytes); /* less than a header */
    kernel(0u, packed, packed_bytes);
    build_bad("/chosen/domU1/module@1: kernel: found ");
    free(packed);
    kernel(0u, image, 1u);
    build_bad("/chosen/domU1/module@1: kernel: found ");
    free(image);
}

static void test_image_size(void **state)
{
    uint8_t *image = machine_image(70000u, MiB(2), MiB(63));

    (void)state;
    kernel(0u, image, 70000u);
    build_bad("kernel: found an image that does not fit where it must go");
    free(image);
    image = machine_image(70000u, UINT64_MAX - 10u, 70000u);
    kernel(0u, image, 70000u);
    build_bad("kernel: found an image that does not fit where it must go");
    free(image);
    image = machine_image(70000u, 0u, UINT64_MAX);
    kernel(0u, image, 70000u);
    build_bad("kernel: found an image that does not fit where it must go");
    free(image);
    image = machine_image(70000u, 0u, MiB(62)); /* exactly the tree's 2 MiB are left */
    kernel(0u, image, 70000u);
    build_good();
    assert_int_equal(slot()->tree.v, BANK + MiB(62));
    start_and_stop();
    free(image);
}

static uint32_t crc_of(const uint8_t *bytes, uint32_t count)
{
    uint32_t crc = ~0u;

    for (uint32_t i = 0; i < (count * 8u); i++) {
        const uint32_t bit = (bytes[i / 8u] >> (i % 8u)) & 1u;

        crc = (crc >> 1u) ^ ((((crc ^ bit) & 1u) != 0u) ? 0xEDB88320u : 0u);
    }
    return ~crc;
}

static void put_be32(uint8_t *at, uint32_t value)
{
    for (uint32_t i = 0; i < 4u; i++) {
        at[i] = (uint8_t)(value >> (24u - (8u * i)));
    }
}

static uint8_t *uimage(const uint8_t *data, uint32_t bytes, uint32_t load, uint32_t entry, uint8_t comp)
{
    uint8_t *const u = calloc(1u, bytes + 64u);

    put_be32(&u[0], 0x27051956u);
    put_be32(&u[12], bytes);
    put_be32(&u[16], load);
    put_be32(&u[20], entry);
    put_be32(&u[24], crc_of(data, bytes));
    u[28] = 5u;
    u[29] = 22u;
    u[30] = 2u;
    u[31] = comp;
    put_be32(&u[4], crc_of(u, 64u));
    (void)memcpy(&u[64], data, bytes);
    return u;
}

static void test_uimage(void **state)
{
    uint8_t *const image = machine_image(300000u, 0x80000u, 400000u);
    uint64_t packed_bytes = 0;
    uint8_t *const packed = machine_gzip(image, 300000u, &packed_bytes);
    uint8_t *u = uimage(image, 300000u, 0u, 0u, 0u);

    (void)state;
    kernel(100u, u, 300064u);
    build_good();
    expect_guest(BANK + 0x80000u, image, 300000u);
    start_and_stop();
    free(u);
    u = uimage(packed, (uint32_t)packed_bytes, 0u, 0u, 1u);
    kernel(100u, u, packed_bytes + 64u);
    build_good();
    expect_guest(BANK + 0x80000u, image, 300000u);
    start_and_stop();
    free(u);
    u = uimage(image, 300000u, (uint32_t)BANK + 0x300000u, (uint32_t)BANK + 0x300040u, 0u);
    kernel(100u, u, 300064u);
    build_good();
    expect_guest(BANK + 0x300000u, image, 300000u);
    assert_int_equal(slot()->entry.v, BANK + 0x300040u);
    start_and_stop();
    free(u);
    u = uimage(image, 300000u, 0x1000u, 0x1000u, 0u); /* no memory there */
    kernel(100u, u, 300064u);
    build_bad("kernel: found an image that does not fit where it must go");
    free(u);
    u = uimage(image, 300000u, (uint32_t)BANK, (uint32_t)BANK + 0x3000000u, 0u);
    kernel(100u, u, 300064u);
    build_bad("kernel: found a kernel that is entered outside of itself");
    free(u);
    free(packed);
    free(image);
}

/* -- Other failures: all undone, in any phase -- */

static void test_failures_undone(void **state)
{
    uint8_t *const image = machine_image(70000u, 0u, 70000u);

    (void)state;
    kernel(0u, image, 70000u);
    plan.domain[0].affinity[1] = 0xF0u; /* none of them is online */
    build_bad("/chosen/domU1: cpus: found no CPU that vCPU 1 could run on");
    plan.domain[0].affinity[1] = UINT64_MAX;
    plan.domain[0].memory_bytes = MiB(1024);
    build_bad("/chosen/domU1: memory: found ");
    plan.domain[0].memory_bytes = MiB(64);
    plan.domain[0].ramdisk = machine_module(0u, image, MiB(1) / 16u, "module@2");
    plan.domain[0].ramdisk.bytes = MiB(63);
    build_bad("/chosen/domU1: memory: found 65536 KiB, "
              "expected room for kernel, ramdisk of 64512 KiB and device tree");
    plan.domain[0].ramdisk.bytes = 0u;
    build_good();
    assert_int_equal(build_domain(domain), HV_BUSY);
    start_and_stop();
    free(image);
}

/* With the null scheduler each vCPU has the CPU that the plan gave it; another, which must be nobody's,
 * only if that one is missing. */
static void test_pinned(void **state)
{
    struct plan_domain *const d = &plan.domain[0];

    (void)state;
    d->nr_vcpus = 2u;
    d->pinned[0] = 2u;
    d->pinned[1] = 1u;
    percpu_area[1].online = 1u;
    percpu_area[2].online = 1u;
    percpu_area[3].online = 1u;
    plan.pool[0].sched = PLAN_SCHED_NULL;
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_affinity(d, 0u), 4u);
    assert_int_equal(build_affinity(d, 1u), 2u);
    percpu_area[1].online = 0u;
    assert_int_equal(build_affinity(d, 1u), 9u);
    d->affinity[1] = 2u;
    assert_int_equal(build_affinity(d, 1u), 0u);
    d->affinity[1] = UINT64_MAX;
    plan.pool[0].sched = PLAN_SCHED_CREDIT2;
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_affinity(d, 1u), 13u);
    percpu_area[2].online = 0u;
    percpu_area[3].online = 0u;
}

/* Free host memory in pieces: the domain is put together from them. */
static void test_pieces(void **state)
{
    uint8_t *const image = machine_image(70000u, 0u, 70000u);
    hpa_t hole[3];
    uint64_t bytes = 0;
    uint64_t at = BANK;

    (void)state;
    kernel(0u, image, 70000u);
    /* 256 MiB are free behind modules, heap and a bit; every second piece of 30 MiB and a page is taken
     * away */
    for (uint32_t i = 0; i < 3u; i++) {
        hole[i] = hpa(MACHINE_RAM + MiB(100) + (i * MiB(80)));
        assert_int_equal(ram_claim(hole[i], MiB(30) + 4096u, RAM_RESERVED), HV_OK);
    }
    plan.domain[0].memory_bytes = MiB(120);
    build_good();
    assert_true(domain->nr_chunks > 1u);
    for (uint32_t i = 0; i < domain->nr_chunks; i++) {
        assert_int_equal(domain->chunk[i].at.v, at);
        assert_int_equal(domain->chunk[i].to.v % MiB(2), 0u);
        at += domain->chunk[i].bytes;
        bytes += domain->chunk[i].bytes;
    }
    assert_int_equal(bytes, MiB(120));
    expect_guest(BANK, image, 70000u);
    start_and_stop();
    for (uint32_t i = 0; i < 3u; i++) {
        ram_release(hole[i], MiB(30) + 4096u, RAM_RESERVED);
    }
    free(image);
}

static void test_stuck_vcpu(void **state)
{
    uint8_t *const image = machine_image(70000u, 0u, 70000u);

    (void)state;
    kernel(0u, image, 70000u);
    build_good();
    build_start(domain);
    plan.domain[0].restart_on_reset = true; /* but not this time */
    plan.domain[0].restarts_per_minute = 10u;
    build_request_stop(domain, HAL_DOMAIN_RESET, NULL);
    machine.quiet_after = UINT32_MAX;
    fake_time_step(1000000u);
    assert_true(machine_work_run());
    fake_time_step(0u);
    assert_int_equal(domain->state, DOMAIN_CRASHED);
    assert_non_null(strstr(machine_output(), "domU1: does not leave its CPU"));
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), MiB(64));
    assert_int_equal(build_domain(domain), HV_BUSY);
    assert_int_equal(build_order(domain, HAL_DOMAIN_RESET, NULL), HV_DENIED);
    plan.domain[0].restart_on_reset = false;
    /* for the tests behind this one */
    machine.quiet_after = 0u;
    slot()->stuck = false;
    build_unmake(domain, false);
    expect_nothing_left();
    free(image);
}

static void test_why(void **state)
{
    uint8_t *const image = machine_image(70000u, 0u, 70000u);

    (void)state;
    kernel(0u, image, 70000u);
    build_good();
    build_request_stop(domain, HAL_DOMAIN_OFF, "too early");
    assert_false(machine_work_run());
    build_start(domain);
    console_write(&domain->console, "last words\n", 11u);
    build_request_stop(domain, HAL_DOMAIN_CRASH, "it spoke ill");
    assert_true(machine_work_run());
    assert_int_equal(domain->state, DOMAIN_CRASHED);
    assert_non_null(strstr(machine_output(), "domU1: crashed: it spoke ill\n"));
    assert_true(domain->console.ring_written >= 11u); /* still to be read */
    build_good();
    assert_int_equal(domain->console.ring_written, 0u);
    build_start(domain);
    build_request_stop(domain, HAL_DOMAIN_RESET, NULL);
    assert_true(machine_work_run());
    assert_int_equal(domain->state, DOMAIN_STOPPED);
    assert_non_null(strstr(machine_output(), "domU1: asked for a reset and is parked\n"));
    free(image);
}

/* -- The guest's tree -- */

static void expect_text(const void *fdt, const char *path, const char *name, const char *text)
{
    const char *const value = fdt_getprop(fdt, fdt_path_offset(fdt, path), name, NULL);

    assert_non_null(value);
    assert_string_equal(value, text);
}

static void test_tree(void **state)
{
    static uint8_t copy[16384];
    uint8_t *const image = machine_image(MiB(1), 0u, MiB(1));
    char args[PLAN_BOOTARGS_MAX];
    const fdt32_t *cells;
    const void *fdt;
    int bytes = 0;

    (void)state;
    (void)memset(args, 'a', sizeof(args));
    args[sizeof(args) - 1u] = '\0';
    plan.domain[0].bootargs = args;
    kernel(0u, image, MiB(1));
    plan.domain[0].ramdisk = machine_module(MiB(2), image, 54321u, "module@2");
    build_good();
    fdt = guest_tree(copy, sizeof(copy));
    cells = fdt_getprop(fdt, 0, "interrupt-parent", &bytes);
    assert_int_equal(fdt32_to_cpu(cells[0]), HAL_VPLAT_PHANDLE_INTC);
    assert_int_equal(fdt_address_cells(fdt, 0), 2);
    assert_int_equal(fdt_size_cells(fdt, 0), 2);
    assert_int_equal(fdt_node_check_compatible(fdt, 0, "xen,xenvm"), 0);
    assert_int_equal(fdt_node_check_compatible(fdt, 0, "xen,xenvm-4.20"), 0);
    expect_text(fdt, "/chosen", "bootargs", args);
    expect_text(fdt, "/chosen", "bulkhead,domain-name", "domU1");
    expect_text(fdt, "/chosen", "stdout-path", "/sbsa-uart@22000000");
    assert_int_equal(u64_at(fdt, "/chosen", "linux,initrd-start", 0), slot()->tree.v + MiB(2));
    assert_int_equal(u64_at(fdt, "/chosen", "linux,initrd-end", 0), slot()->tree.v + MiB(2) + 54321u);
    expect_text(fdt, "/memory@40000000", "device_type", "memory");
    assert_int_equal(u64_at(fdt, "/memory@40000000", "reg", 0), BANK);
    assert_int_equal(u64_at(fdt, "/memory@40000000", "reg", 1), MiB(64));
    expect_text(fdt, "/sbsa-uart@22000000", "compatible", "arm,sbsa-uart");
    assert_int_equal(u64_at(fdt, "/sbsa-uart@22000000", "reg", 0), 0x22000000u);
    cells = fdt_getprop(fdt, fdt_path_offset(fdt, "/sbsa-uart@22000000"), "interrupts", &bytes);
    assert_int_equal(bytes, 12);
    assert_int_equal(fdt32_to_cpu(cells[0]), 0);
    assert_int_equal(fdt32_to_cpu(cells[1]), 0);
    assert_int_equal(fdt32_to_cpu(cells[2]), 4);
    assert_true(fdt_path_offset(fdt, "/cpus/cpu@001") > 0);
    assert_true(fdt_node_offset_by_phandle(fdt, HAL_VPLAT_PHANDLE_INTC) > 0);
    start_and_stop();

    /* without a UART and without a ramdisk nothing speaks of them */
    plan.domain[0].vpl011 = false;
    plan.domain[0].ramdisk.bytes = 0u;
    build_good();
    assert_int_equal(domain->nr_windows, 0u);
    fdt = guest_tree(copy, sizeof(copy));
    assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "stdout-path", NULL));
    assert_null(fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "linux,initrd-start", NULL));
    assert_true(fdt_path_offset(fdt, "/sbsa-uart@22000000") < 0);
    start_and_stop();
    plan.domain[0].vpl011 = true;
    free(image);
}

static void test_heap_bytes(void **state)
{
    struct plan big = { 0 };

    (void)state;
    big.nr_cpus = 64u;
    big.nr_domains = 32u;
    for (uint32_t i = 0; i < 32u; i++) {
        big.domain[i].nr_vcpus = 1u;
        big.domain[i].pool_bytes = MiB(1);
    }
    assert_true(build_heap_bytes(&big) > MiB(32));
    assert_true(build_heap_bytes(&big) < MiB(35));
}

#define IMAGE_TEST(f) cmocka_unit_test_setup(f, reset)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IMAGE_TEST(test_placement),
        IMAGE_TEST(test_plain_kernel),
        IMAGE_TEST(test_ramdisk_padding),
        IMAGE_TEST(test_memory_is_scrubbed),
        IMAGE_TEST(test_gzip_kernel),
        IMAGE_TEST(test_gzip_refused),
        IMAGE_TEST(test_gzip_too_large),
        IMAGE_TEST(test_not_a_kernel),
        IMAGE_TEST(test_image_size),
        IMAGE_TEST(test_uimage),
        IMAGE_TEST(test_failures_undone),
        IMAGE_TEST(test_pinned),
        IMAGE_TEST(test_pieces),
        IMAGE_TEST(test_stuck_vcpu),
        IMAGE_TEST(test_why),
        IMAGE_TEST(test_tree),
        IMAGE_TEST(test_heap_bytes),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
