/* Ranges of RAM, the heap, pools. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "mem/heap.h"
#include "mem/pool.h"
#include "mem/ram.h"

#define BASE  0x40000000ULL
#define OWNER (RAM_OWNER_DOMAIN + 1u)

static int setup(void **state)
{
    (void)state;
    fake_reset();
    fake_cpu_set(0);
    fake_park_allow(true);
    return 0;
}

static void ram_banks(void **state)
{
    (void)state;
    assert_int_equal(ram_add(hpa(BASE + MIB(64)), MIB(64)), HV_OK);
    assert_int_equal(ram_add(hpa(BASE), MIB(64)), HV_OK);
    assert_int_equal(ram_add(hpa(BASE + GIB(1)), MIB(16)), HV_OK);
    assert_int_equal(ram_add(hpa(BASE + MIB(127)), MIB(2)), HV_EXISTS);
    assert_int_equal(ram_add(hpa(BASE - MIB(1)), MIB(2)), HV_EXISTS);
    assert_int_equal(ram_add(hpa(BASE + 1), MIB(2)), HV_INVALID);
    assert_int_equal(ram_add(hpa(0), 0), HV_INVALID);
    assert_int_equal(ram_bytes(RAM_FREE), MIB(144));
    assert_int_equal(ram_owner(hpa(BASE - 1)), RAM_RESERVED);
    assert_int_equal(ram_owner(hpa(BASE + MIB(128) - 1)), RAM_FREE);
    assert_int_equal(ram_owner(hpa(BASE + MIB(128))), RAM_RESERVED);
}

static void ram_claims(void **state)
{
    (void)state;
    /* what is outside of RAM is left out */
    assert_int_equal(ram_claim(hpa(BASE - MIB(1)), MIB(2), RAM_IMAGE), HV_OK);
    assert_int_equal(ram_bytes(RAM_IMAGE), MIB(1));
    assert_int_equal(ram_claim(hpa(BASE), PAGE_BYTES, RAM_HEAP), HV_BUSY);
    assert_int_equal(ram_claim(hpa(BASE + MIB(1) - PAGE_BYTES), MIB(1), RAM_HEAP), HV_BUSY);
    assert_int_equal(ram_bytes(RAM_HEAP), 0);
    /* unaligned: whole pages */
    assert_int_equal(ram_claim(hpa(BASE + MIB(2) + 1), PAGE_BYTES, RAM_TREE), HV_OK);
    assert_int_equal(ram_bytes(RAM_TREE), 2 * PAGE_BYTES);
    ram_release(hpa(BASE + MIB(2)), 2 * PAGE_BYTES, RAM_TREE);
    ram_release(hpa(BASE), MIB(1), RAM_IMAGE);
    assert_int_equal(ram_bytes(RAM_FREE), MIB(144));
}

static void ram_pieces(void **state)
{
    hpa_t at[3];
    uint64_t bytes[3];

    (void)state;
    /* a hole at 2 MiB, so the first 100 MiB in a row are behind it */
    assert_int_equal(ram_claim(hpa(BASE + MIB(1)), MIB(2), RAM_MODULE), HV_OK);
    assert_int_equal(ram_alloc(MIB(100), MIB(1), MIB(2), OWNER, &at[0], &bytes[0]), HV_OK);
    assert_int_equal(at[0].v, BASE + MIB(4));
    assert_int_equal(bytes[0], MIB(100));
    /* nothing has 100 MiB any more: the largest piece */
    assert_int_equal(ram_alloc(MIB(100), MIB(1), MIB(2), OWNER, &at[1], &bytes[1]), HV_OK);
    assert_int_equal(at[1].v, BASE + MIB(104));
    assert_int_equal(bytes[1], MIB(24));
    assert_int_equal(ram_alloc(MIB(100), MIB(20), MIB(2), OWNER, &at[2], &bytes[2]), HV_NO_MEMORY);
    assert_int_equal(ram_alloc(5, 1, 1, OWNER, &at[2], &bytes[2]), HV_OK);
    assert_int_equal(at[2].v, BASE);
    assert_int_equal(bytes[2], PAGE_BYTES);
    assert_int_equal(ram_bytes(OWNER), MIB(124) + PAGE_BYTES);
    for (int i = 0; i < 3; i++) {
        ram_release(at[i], bytes[i], OWNER);
    }
    ram_release(hpa(BASE + MIB(1)), MIB(2), RAM_MODULE);
    assert_int_equal(ram_bytes(RAM_FREE), MIB(144));
    assert_int_equal(ram_alloc(MIB(128), MIB(128), MIB(2), OWNER, &at[0], &bytes[0]),
                     HV_OK); /* all merged again */
    ram_release(at[0], bytes[0], OWNER);
}

struct ram_piece {
    hpa_t at;
    uint64_t bytes;
};

/* The pages of a piece in the low bank change from free to taken, or back. */
static void ram_mark(const struct ram_piece *piece, uint32_t was, uint32_t is)
{
    static uint32_t page[128 * 256];

    for (uint64_t i = 0; (i < piece->bytes / PAGE_BYTES) && (piece->at.v < BASE + GIB(1)); i++) {
        uint32_t *p = &page[(piece->at.v - BASE) / PAGE_BYTES + i];

        assert_int_equal(*p, was);
        *p = is;
    }
}

/* [test->dsn~ram-by-ranges~1] */
/* Random claims against a plain array of owners. */
static void ram_model(void **state)
{
    uint32_t live = 0;
    struct ram_piece piece[40];

    (void)state;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        if ((live < 40) && (rand() % 2 == 0)) {
            const uint64_t want = (uint64_t)(1 + rand() % 2000) * PAGE_BYTES;
            const uint64_t align = (uint64_t)PAGE_BYTES << (rand() % 10);

            if (ram_alloc(want, PAGE_BYTES, align, OWNER, &piece[live].at, &piece[live].bytes) == HV_OK) {
                assert_int_equal(piece[live].at.v % align, 0);
                assert_in_range(piece[live].bytes, 1, want);
                ram_mark(&piece[live], 0, 1);
                live++;
            }
        } else if (live > 0) {
            const uint32_t k = (uint32_t)rand() % live;

            ram_mark(&piece[k], 1, 0);
            ram_release(piece[k].at, piece[k].bytes, OWNER);
            piece[k] = piece[live - 1];
            live--;
        }
    }
    while (live > 0) {
        live--;
        ram_release(piece[live].at, piece[live].bytes, OWNER);
    }
    assert_int_equal(ram_bytes(RAM_FREE), MIB(144));
}

static void ram_table_full(void **state)
{
    uint32_t n = 0;

    (void)state;
    /* every second page: one more entry each, two at the most */
    while (ram_claim(hpa(BASE + (2 * n + 1) * (uint64_t)PAGE_BYTES), PAGE_BYTES, OWNER) == HV_OK) {
        n++;
        assert_true(n < RAM_RANGES_MAX);
    }
    assert_in_range(n, RAM_RANGES_MAX / 2 - 3, RAM_RANGES_MAX);
    assert_int_equal(ram_claim(hpa(BASE + MIB(100)), PAGE_BYTES, OWNER), HV_LIMIT);
    while (n > 0) {
        n--;
        ram_release(hpa(BASE + (2 * n + 1) * (uint64_t)PAGE_BYTES), PAGE_BYTES, OWNER);
    }
    assert_int_equal(ram_bytes(RAM_FREE), MIB(144));
}

static void heap_pages(void **state)
{
    static uint8_t area[70 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
    uint8_t *early = upcall_heap_page();
    uint8_t *a;
    uint8_t *b;

    (void)state;
    assert_non_null(early);
    assert_int_equal((uintptr_t)early % PAGE_BYTES, 0);
    assert_ptr_not_equal(upcall_heap_page(), early);
    assert_null(heap_alloc(1000));
    memset(area, 0xa5, sizeof(area));
    heap_init(area, sizeof(area));
    assert_int_equal(heap_free_bytes(), 69 * PAGE_BYTES);
    a = heap_alloc(3);
    b = heap_alloc(1);
    assert_ptr_equal(b, a + 3 * PAGE_BYTES);
    for (size_t i = 0; i < 4 * PAGE_BYTES; i++) {
        assert_int_equal(a[i], 0);
    }
    heap_free(a, 3);
    assert_null(heap_alloc(66));
    assert_ptr_equal(heap_alloc(4), b + PAGE_BYTES); /* does not fit into the gap of 3 */
    assert_ptr_equal(heap_alloc(2), a);
    assert_ptr_equal(heap_alloc(1), a + 2 * PAGE_BYTES);
    for (uint32_t n = 1; n <= 8; n *= 2) { /* aligned to their size, and what that took has come back */
        const uint64_t before = heap_free_bytes();
        uint8_t *const pages = upcall_heap_pages(n);

        assert_non_null(pages);
        assert_int_equal((uintptr_t)pages % (n * PAGE_BYTES), 0);
        assert_int_equal(heap_free_bytes(), before - n * PAGE_BYTES);
        heap_free(pages, n);
    }
    assert_null(upcall_heap_pages(64));
    heap_free(early, 1); /* not the heap's: nothing happens */
    assert_int_equal(heap_free_bytes(), (69 - 8) * PAGE_BYTES);
    while (upcall_heap_page() != NULL) {
    }
    assert_int_equal(heap_free_bytes(), 0);
    heap_free(a, 3);
}

static void pools(void **state)
{
    struct pool pool;
    void *page[3];

    (void)state;
    assert_int_equal(pool_init(&pool, 4), HV_NO_MEMORY); /* 3 pages are left above */
    assert_null(pool_alloc(&pool));
    assert_int_equal(pool_init(&pool, 3), HV_OK);
    for (int i = 0; i < 3; i++) {
        page[i] = pool_alloc(&pool);
        assert_non_null(page[i]);
        memset(page[i], 0xee, PAGE_BYTES);
    }
    assert_null(pool_alloc(&pool));
    assert_int_equal(pool.nr_free, 0);
    pool_free(&pool, page[1]);
    pool_free(&pool, page[0]);
    page[0] = pool_alloc(&pool);
    for (size_t i = 0; i < PAGE_BYTES; i++) {
        assert_int_equal(((uint8_t *)page[0])[i], 0);
    }
    assert_int_equal(pool.nr_free, 1);
    assert_int_equal(pool_init(&pool, 0), HV_OK);
    assert_null(pool_alloc(&pool));
    /* [test->dsn~nothing-after-boot~1] */
    heap_seal();
    assert_null(upcall_heap_page());
    assert_null(upcall_heap_pages(1));
}

static void bad_free(void *arg)
{
    struct pool *pool = arg;

    pool_free(pool, (uint8_t *)pool->pages + pool->nr_pages * PAGE_BYTES);
}

static void foreign_page_panics(void **state)
{
    static uint8_t area[4 * PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
    struct pool pool;

    (void)state;
    heap_init(area, sizeof(area));
    assert_int_equal(pool_init(&pool, 2), HV_OK);
    assert_int_equal(fake_call(bad_free, &pool), FAKE_END_PARK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ram_banks), cmocka_unit_test(ram_claims),          cmocka_unit_test(ram_pieces),
        cmocka_unit_test(ram_model), cmocka_unit_test(ram_table_full),      cmocka_unit_test(heap_pages),
        cmocka_unit_test(pools),     cmocka_unit_test(foreign_page_panics),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
