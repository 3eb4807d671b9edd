/* The SMMUv3 driver against a model of the hardware that caches what it may, and can hang.
 * [test->req~dma-apart~1] [test->req~dma-fault-log~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "arch/arm/smmu.h"
#include "fake_arm.h"
#include "hal/cache.h"
#include "hal/hypmap.h"
#include "hal/iommu.h"
#include "hal/plan.h"

#define IDS   0x10000u
#define ROOT  0x12345000u
#define ABORT 0xFFFFu /* what view() says of a stream that is refused silently */
#define BAD   0xFFFEu /* ... with an event */

static struct {
    uint32_t reg[SMMU_REG_BYTES / 4];
    uint64_t ste[IDS][SMMU_STE_WORDS]; /* as fetched */
    bool fetched[IDS];
    bool hangs;
    uint32_t commands[256]; /* opcodes, of the last batches */
    uint32_t nr_commands;
    uint32_t last_vmid;
    uint32_t nr_pages;
} hw;

static struct hal_plan_host host;
static struct hal_iommu_fault last;
static uint32_t nr_told;
static uint64_t cleaned;

static uint32_t *reg_at(uint32_t offset)
{
    assert_true(offset < SMMU_REG_BYTES);
    return &hw.reg[offset / 4];
}

static uint64_t reg64(uint32_t offset)
{
    return ((uint64_t)*reg_at(offset + 4) << 32) | *reg_at(offset);
}

/* -- What the model does when it is written to -- */

static void consume(void)
{
    const uint64_t *const queue = (const uint64_t *)(uintptr_t)(reg64(SMMU_CMDQ_BASE) & 0xFFFFFFFFFFFE0);
    const uint32_t bits = reg64(SMMU_CMDQ_BASE) & 31;

    assert_true((*reg_at(SMMU_CR0) & SMMU_CR0_CMDQEN) != 0);
    while (*reg_at(SMMU_CMDQ_CONS) != *reg_at(SMMU_CMDQ_PROD)) {
        const uint64_t *const c = &queue[(*reg_at(SMMU_CMDQ_CONS) & ((1u << bits) - 1)) * 2];

        hw.commands[hw.nr_commands++ % 256] = c[0] & 0xFF;
        if ((c[0] & 0xFF) == SMMU_CMD_CFGI_ALL) {
            assert_int_equal(c[1], 31);
            memset(hw.fetched, 0, sizeof(hw.fetched));
        }
        if ((c[0] & 0xFF) == SMMU_CMD_S12_VMALL) {
            hw.last_vmid = c[0] >> 32;
        }
        *reg_at(SMMU_CMDQ_CONS) = (*reg_at(SMMU_CMDQ_CONS) + 1) & ((2u << bits) - 1);
    }
}

uint32_t fake_mmio_read(const volatile void *reg, uint32_t width)
{
    assert_int_equal(width, 4);
    return *reg_at((uint32_t)((const volatile uint8_t *)reg - (uint8_t *)hw.reg));
}

void fake_mmio_write(volatile void *reg, uint32_t width, uint64_t value)
{
    const uint32_t offset = (uint32_t)((volatile uint8_t *)reg - (uint8_t *)hw.reg);

    *reg_at(offset) = (uint32_t)value;
    if (width == 8) {
        *reg_at(offset + 4) = value >> 32;
    }
    if (!hw.hangs) {
        switch (offset) {
        case SMMU_CR0:
        case SMMU_IRQ_CTRL:
            *reg_at(offset + 4) = (uint32_t)value;
            break;
        case SMMU_GBPA:
            *reg_at(offset) &= ~SMMU_GBPA_UPDATE;
            break;
        case SMMU_CMDQ_PROD:
            if (value != 0) {
                consume();
            }
            break;
        default:
            break;
        }
    }
}

enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va)
{
    assert_int_equal(base.v, 0x9050000);
    assert_int_equal(bytes, SMMU_REG_BYTES);
    *va = hw.reg;
    return HV_OK;
}

void *upcall_heap_pages(uint32_t nr_pages)
{
    void *const pages = aligned_alloc((size_t)nr_pages * PAGE_BYTES, (size_t)nr_pages * PAGE_BYTES);

    hw.nr_pages += nr_pages;
    return memset(pages, 0, (size_t)nr_pages * PAGE_BYTES);
}

void hal_cache_clean(const void *va, uint64_t bytes)
{
    (void)va;
    cleaned += bytes;
}

void upcall_iommu_fault(const struct hal_iommu_fault *fault)
{
    last = *fault;
    nr_told++;
}

/* Whose a stream is for the hardware, which remembers what it read: a VMID, ABORT or BAD. */
static uint32_t view(uint32_t stream)
{
    const uint32_t cfg = *reg_at(SMMU_STRTAB_BASE_CFG);
    const uint64_t *table = (const uint64_t *)(uintptr_t)(reg64(SMMU_STRTAB_BASE) & 0xFFFFFFFFFFFC0);

    assert_true((*reg_at(SMMU_CR0) & SMMU_CR0_SMMUEN) != 0);
    if ((stream >> (cfg & 63)) != 0) {
        return BAD;
    }
    if (((cfg >> 16) & 3) == 1) {
        const uint64_t level1 = table[stream >> ((cfg >> 6) & 31)];

        if ((level1 & 31) == 0) {
            return BAD;
        }
        assert_int_equal(1u << ((level1 & 31) - 1), 1u << ((cfg >> 6) & 31));
        table = (const uint64_t *)(uintptr_t)(level1 & 0xFFFFFFFFFFFC0);
        stream = (stream & ~63u) | (stream & 63);
        table = &table[(stream & 63) * 8];
    } else {
        table = &table[stream * 8];
    }
    if (!hw.fetched[stream]) {
        memcpy(hw.ste[stream], table, sizeof(hw.ste[stream]));
        hw.fetched[stream] = true;
    }
    if ((hw.ste[stream][0] & 1) == 0) {
        return BAD;
    }
    if ((hw.ste[stream][0] & 0xE) == 0) {
        return ABORT;
    }
    assert_int_equal(hw.ste[stream][0] & 0xF, 0xD); /* stage 2 only, never bypass */
    assert_int_equal(hw.ste[stream][3], ROOT + ((hw.ste[stream][2] & 0xFFFF) << 12));
    return hw.ste[stream][2] & 0xFFFF;
}

/* -- Machines -- */

#define IDR0_QEMU 0x0D44101Bu
#define IDR1(sid) ((7u << 21) | (7u << 16) | (sid))

static void start(uint32_t idr0, uint32_t idr1, uint32_t idr5, uint32_t nr_streams)
{
    const uint32_t streams[HAL_IOMMUS_MAX] = { nr_streams };

    memset(&hw, 0, sizeof(hw));
    memset(&host, 0, sizeof(host));
    *reg_at(SMMU_IDR0) = idr0;
    *reg_at(SMMU_IDR1) = idr1;
    *reg_at(SMMU_IDR5) = idr5;
    *reg_at(SMMU_CR0) = 1; /* firmware left it on */
    *reg_at(SMMU_CR0 + 4) = 1;
    host.arm.nr_smmus = 1;
    host.arm.smmu[0].base = 0x9050000;
    host.arm.smmu[0].irq[0] = 106;
    host.arm.smmu[0].irq[1] = 109;
    nr_told = 0;
    cleaned = 0;
    smmu_sees_memory = false;
    hal_iommu_init(&host, streams);
}

static struct hal_guestmap map_of(uint16_t id)
{
    const struct hal_guestmap map = { .root = ROOT + ((uint64_t)id << 12), .ipa_bits = 39, .id = id };

    return map;
}

static bool closed(void)
{
    return *reg_at(SMMU_GBPA) == SMMU_GBPA_ABORT && *reg_at(SMMU_CR0) == 0;
}

static void useless(void **state)
{
    static const struct {
        uint32_t idr0;
        uint32_t idr1;
        uint32_t idr5;
    } bad[] = {
        { IDR0_QEMU & ~1u, IDR1(16), 0x14 },                        /* no stage 2 */
        { (IDR0_QEMU & ~0xCu) | 4u, IDR1(16), 0x14 },               /* AArch32 tables only */
        { IDR0_QEMU, IDR1(16), 0x44 },                              /* pages of 64 KiB only */
        { IDR0_QEMU | (3u << 21), IDR1(16), 0x14 },                 /* big-endian */
        { (IDR0_QEMU & ~(3u << 24)) | (2u << 24), IDR1(16), 0x14 }, /* every fault stalls */
        { IDR0_QEMU, IDR1(16) | (1u << 30), 0x14 },
        { IDR0_QEMU, (1u << 21) | (7u << 16) | 16, 0x14 },
    };
    struct hal_guestmap map = map_of(3);
    struct hal_plan_line line[HAL_IOMMU_LINES];

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        start(bad[i].idr0, bad[i].idr1, bad[i].idr5, 64);
        assert_true(closed());
        assert_int_equal(hal_iommu_reserve(0, 0, 1), HV_NOT_SUPPORTED);
        assert_int_equal(hal_iommu_attach(0, 0, 1, &map), HV_NOT_SUPPORTED);
        assert_int_equal(hal_iommu_detach(0, 0, 1, &map), HV_OK);
        assert_int_equal(hal_iommu_lines(0, line), 0);
        assert_false(hal_iommu_service(0));
        assert_int_equal(hw.nr_pages, 0);
    }
    start(IDR0_QEMU, IDR1(16), 0x14, 0); /* nobody has streams */
    assert_true(closed());
    assert_int_equal(hw.nr_pages, 0);
}

/* All streams: 16 and 17 are of these, those from 100 on of `rest`, the others nobody's. */
static void views(uint32_t of_16, uint32_t of_17, uint32_t rest)
{
    for (uint32_t s = 0; s < IDS; s++) {
        uint32_t wanted = (s >= 100) ? rest : BAD;

        wanted = (s == 16) ? of_16 : wanted;
        wanted = (s == 17) ? of_17 : wanted;
        assert_int_equal(view(s), wanted);
    }
}

static void two_levels(void **state)
{
    struct hal_guestmap a = map_of(3);
    struct hal_guestmap b = map_of(4);
    uint32_t stream = 0;
    uint32_t nr = 0;
    uint16_t id = 0;

    (void)state;
    start(IDR0_QEMU, IDR1(16), 0x14, IDS);
    assert_int_equal(*reg_at(SMMU_CR0), 0xD);
    assert_int_equal(*reg_at(SMMU_GBPA), SMMU_GBPA_ABORT);
    assert_int_equal(*reg_at(SMMU_STRTAB_BASE_CFG), (1u << 16) | (6u << 6) | 16);
    assert_int_equal(reg64(SMMU_STRTAB_BASE) % 8192, 0);
    assert_int_equal(*reg_at(SMMU_IRQ_CTRL), 5);
    assert_int_equal(hw.commands[0], SMMU_CMD_CFGI_ALL);
    assert_int_equal(hw.commands[1], SMMU_CMD_NSNH_ALL);
    assert_int_equal(hw.commands[2], SMMU_CMD_SYNC);
    assert_int_equal(hw.nr_pages, 4);
    for (uint32_t s = 0; s < IDS; s += 17) {
        assert_int_equal(view(s), BAD);
    }
    assert_int_equal(hal_iommu_reserve(0, 16, 1), HV_OK);
    assert_int_equal(hal_iommu_reserve(0, 17, 1), HV_OK);
    assert_int_equal(hal_iommu_reserve(0, 100, IDS - 100), HV_OK); /* all the rest */
    assert_int_equal(hw.nr_pages, 4 + 1 + 2);
    assert_int_equal(hal_iommu_reserve(0, IDS, 1), HV_NOT_SUPPORTED);
    assert_int_equal(hal_iommu_reserve(0, 1, IDS), HV_NOT_SUPPORTED);
    assert_int_equal(hal_iommu_attach(0, 16, 1, &a), HV_OK);
    assert_int_equal(view(16), 3);
    assert_int_equal(view(17), BAD);
    assert_int_equal(hal_iommu_attach(0, 17, 1, &b), HV_OK);
    assert_int_equal(hal_iommu_attach(0, 100, IDS - 100, &b), HV_OK);
    assert_true(a.smmus == 1 && b.smmus == 1);
    views(3, 4, 4);
    assert_true(hal_iommu_walk(0, &stream, &nr, &id) && stream == 16 && nr == 1 && id == 3);
    stream = 17;
    assert_true(hal_iommu_walk(0, &stream, &nr, &id) && stream == 17 && nr == 1 && id == 4);
    stream = 18;
    assert_true(hal_iommu_walk(0, &stream, &nr, &id) && stream == 100 && nr == IDS - 100 && id == 4);
    stream = IDS;
    assert_false(hal_iommu_walk(0, &stream, &nr, &id));
    /* the entries are remembered, and forgotten in time */
    hw.last_vmid = 0;
    assert_int_equal(hal_iommu_detach(0, 100, IDS - 100, &b), HV_OK);
    assert_int_equal(hw.last_vmid, 4);
    assert_int_equal(hw.commands[(hw.nr_commands - 1) % 256], SMMU_CMD_SYNC);
    views(3, 4, ABORT);
    assert_int_equal(hal_iommu_detach(0, 16, 1, &a), HV_OK);
    assert_int_equal(view(16), ABORT);
    assert_int_equal(hal_iommu_attach(0, 16, 1, &a), HV_OK); /* its next life */
    assert_int_equal(view(16), 3);
    smmu_flush(a.smmus, 3);
    assert_int_equal(hw.last_vmid, 3);
    assert_int_equal(hw.commands[(hw.nr_commands - 1) % 256], SMMU_CMD_SYNC);
    assert_int_equal(cleaned, 0);
}

static void linear(void **state)
{
    struct hal_guestmap a = map_of(7);

    (void)state;
    start(IDR0_QEMU & ~(3u << 27), IDR1(6), 0x10, IDS);
    assert_int_equal(*reg_at(SMMU_STRTAB_BASE_CFG), 6);
    assert_int_equal(hal_iommu_reserve(0, 0, 64), HV_OK);
    assert_int_equal(hal_iommu_reserve(0, 64, 1), HV_NOT_SUPPORTED);
    assert_int_equal(hw.nr_pages, 3);
    assert_int_equal(hal_iommu_attach(0, 5, 2, &a), HV_OK);
    for (uint32_t s = 0; s < 64; s++) {
        assert_int_equal(view(s), (s == 5 || s == 6) ? 7 : BAD);
    }
    assert_int_equal(hw.ste[5][2] >> 32 & 0x3F, 64 - 32); /* the SMMU has 32 bits of addresses */
}

/* Word 2 of an entry, field by field (IHI 0070F 5.2) */
static void entries(void **state)
{
    const struct smmu_stage2 small = { ROOT, 39, false, 9 };
    const struct smmu_stage2 large = { ROOT, 48, true, 255 };
    uint64_t w = smmu_ste2(&small, 2);

    (void)state;
    assert_int_equal(w & 0xFFFF, 9);
    assert_int_equal(w >> 32 & 0x3F, 64 - 39);
    assert_int_equal(w >> 38 & 3, 1);       /* from level 1 */
    assert_int_equal(w >> 40 & 0x3F, 0x35); /* write-back twice, inner shareable */
    assert_int_equal(w >> 46 & 3, 0);       /* 4 KiB */
    assert_int_equal(w >> 48 & 7, 2);
    assert_int_equal(w >> 51, 1 | 4 | 8 | 128); /* AArch64, no access-flag faults, PTW, faults are recorded */
    w = smmu_ste2(&large, 4);
    assert_int_equal(w >> 32 & 0x3F, 64 - 44);
    assert_int_equal(w >> 38 & 3, 2);
    assert_int_equal(w >> 48 & 7, 4);
    assert_int_equal(smmu_ste2(&large, 6) >> 48 & 7, 5); /* 52 bits need other tables */
    assert_true(smmu_can_walk(&small, 0));
    assert_false(smmu_can_walk(&large, 3));
    assert_true(smmu_can_walk(&large, 4));
    assert_int_equal(smmu_id_bits(1), 6);
    assert_int_equal(smmu_id_bits(64), 6);
    assert_int_equal(smmu_id_bits(65), 7);
    assert_int_equal(smmu_id_bits(SMMU_STREAMS_MAX), 20);
    assert_int_equal(smmu_level1_pages(6), 1);
    assert_int_equal(smmu_level1_pages(15), 1);
    assert_int_equal(smmu_level1_pages(16), 2);
    assert_int_equal(smmu_level1_pages(20), 32);
}

static void cannot_walk(void **state)
{
    struct hal_guestmap a = map_of(3);

    (void)state;
    a.level0 = true;
    a.ipa_bits = 48;
    start(IDR0_QEMU, IDR1(16), 0x12, 64); /* 40 bits */
    assert_int_equal(hal_iommu_reserve(0, 1, 1), HV_OK);
    assert_int_equal(hal_iommu_attach(0, 1, 1, &a), HV_NOT_SUPPORTED);
    assert_int_equal(view(1), BAD);
}

/* One that stops answering is off, and stays so. */
static void hung(void **state)
{
    struct hal_guestmap a = map_of(3);

    (void)state;
    start(IDR0_QEMU, IDR1(16), 0x14, 64);
    assert_int_equal(hal_iommu_reserve(0, 1, 2), HV_OK);
    assert_int_equal(hal_iommu_attach(0, 1, 1, &a), HV_OK);
    hw.hangs = true;
    assert_int_equal(hal_iommu_detach(0, 1, 1, &a), HV_BUSY);
    assert_true(closed());
    assert_int_equal(hal_iommu_attach(0, 1, 1, &a), HV_BUSY);
    hw.hangs = false;
    assert_int_equal(hal_iommu_attach(0, 1, 1, &a), HV_BUSY);
    assert_int_equal(hal_iommu_detach(0, 1, 1, &a), HV_BUSY);
    assert_true(closed());
    /* and one that never did */
    start(IDR0_QEMU, IDR1(16), 0x14, 64);
    memset(hw.reg, 0, sizeof(hw.reg));
    hw.hangs = true;
    *reg_at(SMMU_IDR0) = IDR0_QEMU;
    *reg_at(SMMU_IDR1) = IDR1(16);
    *reg_at(SMMU_IDR5) = 0x14;
    hal_iommu_init(&host, (const uint32_t[HAL_IOMMUS_MAX]){ 64 });
    assert_int_equal(hal_iommu_reserve(0, 1, 1), HV_NOT_SUPPORTED);
}

static void past_the_caches(void **state)
{
    struct hal_guestmap a = map_of(3);
    uint64_t before;

    (void)state;
    start(IDR0_QEMU & ~SMMU_IDR0_COHACC, IDR1(16), 0x14, 64);
    assert_true(smmu_sees_memory);
    assert_true(cleaned >= 3 * PAGE_BYTES);
    before = cleaned;
    assert_int_equal(hal_iommu_reserve(0, 1, 1), HV_OK);
    assert_true(cleaned >= before + PAGE_BYTES + 8);
    before = cleaned;
    assert_int_equal(hal_iommu_attach(0, 1, 1, &a), HV_OK);
    assert_true(cleaned >= before + 6 * PAGE_BYTES); /* four words, two batches of commands */
}

static void event(uint32_t code, uint32_t stream, uint64_t at)
{
    uint64_t *const queue = (uint64_t *)(uintptr_t)(reg64(SMMU_EVENTQ_BASE) & 0xFFFFFFFFFFFE0);
    const uint32_t produced = *reg_at(SMMU_EVENTQ_PROD);
    const uint32_t consumed = *reg_at(SMMU_EVENTQ_CONS);

    if (((produced ^ consumed) & 0xFF) == 0x80) { /* full */
        if (((produced ^ consumed) >> 31) == 0) {
            *reg_at(SMMU_EVENTQ_PROD) ^= SMMU_QUEUE_FLAG;
        }
    } else {
        uint64_t *const e = &queue[(produced & 0x7F) * 4];

        e[0] = code | (uint64_t)stream << 32;
        e[2] = at;
        *reg_at(SMMU_EVENTQ_PROD) = (produced & SMMU_QUEUE_FLAG) | ((produced + 1) & 0xFF);
    }
}

static void events(void **state)
{
    (void)state;
    start(IDR0_QEMU, IDR1(16), 0x14, 64);
    assert_false(hal_iommu_service(0));
    event(0x10, 16, 0x90000123);
    assert_false(hal_iommu_service(0));
    assert_int_equal(nr_told, 1);
    assert_true(last.stream == 16 && last.at.v == 0x90000123 && last.cause == 0x10 && last.iommu == 0);
    assert_string_equal(last.what, "nothing there");
    event(0x02, 99999, 0x5A5A);
    assert_false(hal_iommu_service(0));
    assert_true(last.stream == 99999 && last.at.v == 0);
    for (uint32_t code = 0; code < 256; code++) { /* whatever it says */
        event(code, 1, code);
        assert_false(hal_iommu_service(0));
        assert_non_null(last.what);
    }
    nr_told = 0;
    for (uint32_t i = 0; i < 300; i++) {
        event(0x13, 1, i);
    }
    assert_true((*reg_at(SMMU_EVENTQ_PROD) & SMMU_QUEUE_FLAG) != 0);
    for (uint32_t i = 0; i < 3; i++) {
        assert_true(hal_iommu_service(0));
        assert_int_equal(nr_told, (i + 1) * HAL_IOMMU_BURST);
    }
    assert_false(hal_iommu_service(0));
    assert_int_equal(nr_told, 128);
    assert_int_equal(last.at.v, 127);
    event(0x13, 1, 555); /* it goes on after that */
    assert_false(hal_iommu_service(0));
    assert_int_equal(last.at.v, 555);
    *reg_at(SMMU_GERROR) = 4;
    assert_false(hal_iommu_service(0));
    assert_int_equal(*reg_at(SMMU_GERRORN), 4);
}

static void lines(void **state)
{
    struct hal_plan_line line[HAL_IOMMU_LINES];

    (void)state;
    start(IDR0_QEMU, IDR1(16), 0x14, 64);
    assert_int_equal(hal_iommu_lines(0, line), 2);
    assert_true(line[0].irq == 106 && line[1].irq == 109);
    host.arm.smmu[0].irq[1] = 106; /* combined */
    assert_int_equal(hal_iommu_lines(0, line), 1);
    host.arm.smmu[0].irq[0] = 0;
    assert_int_equal(hal_iommu_lines(0, line), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(useless),         cmocka_unit_test(two_levels),  cmocka_unit_test(linear),
        cmocka_unit_test(entries),         cmocka_unit_test(cannot_walk), cmocka_unit_test(hung),
        cmocka_unit_test(past_the_caches), cmocka_unit_test(events),      cmocka_unit_test(lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
