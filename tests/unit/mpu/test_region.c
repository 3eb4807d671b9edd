/* Sets of protection regions against a map of granules, with as many regions as the architecture can have;
 * both encodings. [test->dsn~map-by-regions~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "mpu_region.h"

#define FIRST    0x20000000ULL
#define GRANULES 2048u

static struct mpu_region room[MPU_REGIONS_MAX];
static uint8_t truth[GRANULES]; /* attributes + 1; 0 = in no region */
static uint64_t lcg = 1;

static uint32_t draw(uint32_t below)
{
    lcg = lcg * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(lcg >> 33) % below;
}

static struct mpu_set set_of(uint32_t max)
{
    return (struct mpu_set){ .region = room, .max = max };
}

static struct mpu_region region(uint64_t base, uint64_t bytes, uint32_t attr)
{
    return (struct mpu_region){ base, base + bytes - 1, attr };
}

/* The regions that the truth needs, if they are merged wherever they can be */
static uint32_t needed(void)
{
    uint32_t nr = 0;

    for (uint32_t i = 0; i < GRANULES; i++) {
        nr += (truth[i] != 0 && (i == 0 || truth[i - 1] != truth[i])) ? 1 : 0;
    }
    return nr;
}

static void agree(const struct mpu_set *set)
{
    assert_int_equal(set->nr, needed());
    for (uint32_t i = 1; i < set->nr; i++) {
        assert_true(set->region[i - 1].limit < set->region[i].base);
    }
    for (uint32_t i = 0; i < GRANULES; i++) {
        const uint64_t at = FIRST + i * 64ULL + draw(64);
        const struct mpu_region *const found = mpu_at(set, at);
        uint64_t base = 0;
        uint64_t limit = UINT64_MAX;

        assert_int_equal(found == NULL ? 0 : found->attr + 1, truth[i]);
        if (found != NULL) {
            continue;
        }
        mpu_clip(set, at, &base, &limit);
        assert_true(base <= at && at <= limit);
        assert_true(base == 0 || mpu_at(set, base - 1) != NULL);
        assert_true(limit == UINT64_MAX || mpu_at(set, limit + 1) != NULL);
        assert_true(base < FIRST || truth[(base - FIRST) / 64] == 0);
    }
}

static void step(struct mpu_set *set, uint32_t longest)
{
    const uint32_t first = draw(GRANULES);
    const uint32_t most = GRANULES - first < longest ? GRANULES - first : longest;
    const uint32_t nr = 1 + draw(most);
    const struct mpu_region r = region(FIRST + first * 64ULL, nr * 64ULL, draw(16));
    const bool add = draw(5) < 3;
    uint8_t before[GRANULES];
    bool taken = false;
    enum hv_status status;

    memcpy(before, truth, sizeof(before));
    for (uint32_t i = first; i < first + nr; i++) {
        taken = taken || truth[i] != 0;
        truth[i] = add ? (uint8_t)(r.attr + 1) : 0;
    }
    status = add ? mpu_add(set, &r) : mpu_remove(set, r.base, r.limit);
    if (add && taken) {
        assert_int_equal(status, HV_EXISTS);
    } else if (needed() > set->max) {
        assert_int_equal(status, HV_LIMIT);
    } else {
        assert_int_equal(status, HV_OK);
    }
    if (status != HV_OK) {
        memcpy(truth, before, sizeof(truth));
    }
}

static void random_operations(uint32_t max, uint32_t longest, uint32_t steps)
{
    struct mpu_set set = set_of(max);
    uint32_t most = 0;

    memset(truth, 0, sizeof(truth));
    for (uint32_t i = 0; i < steps; i++) {
        step(&set, longest);
        most = set.nr > most ? set.nr : most;
        if (i % 7 == 0) {
            agree(&set);
        }
    }
    agree(&set);
    assert_int_equal(most, max);
}

static void random_255(void **state)
{
    (void)state;
    random_operations(MPU_REGIONS_MAX, 5, 6000);
}

static void random_few(void **state)
{
    (void)state;
    random_operations(16, 400, 4000);
    random_operations(5, 900, 4000);
    random_operations(1, GRANULES, 1000);
}

static void neighbours(void **state)
{
    struct mpu_set set = set_of(2);
    const struct mpu_region low = region(FIRST, 64, MPU_WRITE);
    const struct mpu_region middle = region(FIRST + 64, 64, MPU_WRITE);
    const struct mpu_region high = region(FIRST + 128, 128, MPU_WRITE);
    const struct mpu_region other = region(FIRST + 64, 64, MPU_WRITE | MPU_GUEST);

    (void)state;
    assert_int_equal(mpu_add(&set, &low), HV_OK);
    assert_int_equal(mpu_add(&set, &high), HV_OK);
    assert_int_equal(set.nr, 2);
    assert_int_equal(mpu_add(&set, &other), HV_LIMIT); /* it touches both and is like none */
    assert_int_equal(mpu_add(&set, &middle), HV_OK);   /* and so there is one */
    assert_int_equal(set.nr, 1);
    assert_int_equal(room[0].base, FIRST);
    assert_int_equal(room[0].limit, FIRST + 255);
}

static void bad_bounds(void **state)
{
    struct mpu_set set = set_of(4);
    const struct mpu_region off = { FIRST + 1, FIRST + 127, 0 };
    const struct mpu_region odd = { FIRST, FIRST + 64, 0 };
    const struct mpu_region back = { FIRST + 64, FIRST + 63, 0 };
    const struct mpu_region all = { 0, UINT64_MAX, MPU_WRITE };

    (void)state;
    assert_int_equal(mpu_add(&set, &off), HV_INVALID);
    assert_int_equal(mpu_add(&set, &odd), HV_INVALID);
    assert_int_equal(mpu_add(&set, &back), HV_INVALID);
    assert_int_equal(mpu_remove(&set, FIRST, FIRST + 62), HV_INVALID);
    assert_int_equal(mpu_add(&set, &all), HV_OK);
    assert_int_equal(mpu_remove(&set, 0, 63), HV_OK);
    assert_int_equal(mpu_remove(&set, UINT64_MAX - 63, UINT64_MAX), HV_OK);
    assert_int_equal(set.nr, 1);
    assert_int_equal(room[0].base, 64);
    assert_int_equal(room[0].limit, UINT64_MAX - 64);
}

/* Written down from the manuals' register descriptions: base | SH | AP | XN, limit | AttrIndx | EN */
static void encodings(void **state)
{
    static const struct {
        uint32_t attr;
        uint32_t bar32; /* below the base */
        uint32_t bar64;
        uint32_t lar;
    } known[] = {
        { 0, 0x1D, 0x3A, 1 },                                /* read-only for us */
        { MPU_EXEC, 0x1C, 0x38, 1 },                         /* our code */
        { MPU_WRITE, 0x19, 0x32, 1 },                        /* our data */
        { MPU_WRITE | MPU_DEVICE, 0x11, 0x22, 3 },           /* our devices */
        { MPU_GUEST | MPU_WRITE | MPU_EXEC, 0x1A, 0x34, 1 }, /* a guest's memory */
        { MPU_GUEST | MPU_WRITE, 0x1B, 0x36, 1 },            /* what it shares */
        { MPU_GUEST, 0x1F, 0x3E, 1 },
        { MPU_GUEST | MPU_WRITE | MPU_DEVICE, 0x13, 0x26, 3 }, /* a device of its own */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const struct mpu_region low = region(0x2FFFFFC0, 0x80, known[i].attr);
        const struct mpu_region high = region(0x8000000040ULL, 0x1000, known[i].attr);

        assert_int_equal(mpu_bar32(&low), 0x2FFFFFC0u | known[i].bar32);
        assert_int_equal(mpu_lar32(&low), 0x30000000u | known[i].lar);
        assert_int_equal(mpu_bar64(&high), 0x8000000040ULL | known[i].bar64);
        assert_int_equal(mpu_lar64(&high), 0x8000001000ULL | known[i].lar);
    }
    /* write-back, non-transient, both allocate; Device-nGnRE */
    assert_int_equal((MPU_MAIR0 >> (8 * mpu_index(0))) & 0xFF, 0xFF);
    assert_int_equal((MPU_MAIR0 >> (8 * mpu_index(MPU_DEVICE))) & 0xFF, 0x04);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours), cmocka_unit_test(bad_bounds), cmocka_unit_test(encodings),
        cmocka_unit_test(random_few), cmocka_unit_test(random_255),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
