/* Blocks of memory that come and go. [test->dsn~memory-by-blocks~1] [test->req~memory-changes-hands~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "fake.h"
#include "mem/blocks.h"
#include "mem/heap.h"
#include "mem/ram.h"

static void *memory;
static uint64_t base; /* of this test's RAM */
static uint32_t nr_dirty_calls;

static void dirty(void)
{
    nr_dirty_calls++;
}

static void start(uint64_t bytes, bool is_zero)
{
    base += GIB(2048);

    const uint64_t heap = ((uint64_t)blocks_heap_pages(base, base + bytes) + 64u) * PAGE_BYTES;

    fake_reset();
    fake_cpu_set(0);
    free(memory);
    memory = aligned_alloc(PAGE_BYTES, heap);
    heap_init(memory, heap);
    assert_int_equal(ram_add(hpa(base), bytes), HV_OK);
    assert_int_equal(blocks_setup(base, base + bytes, is_zero, dirty), HV_OK);
    nr_dirty_calls = 0u;
}

/* What the host has is given back, for the next test. */
static void end(uint64_t bytes)
{
    assert_int_equal(blocks_free_bytes(), bytes);
    blocks_yield();
    assert_int_equal(ram_bytes(RAM_FREE), bytes);
    assert_int_equal(ram_claim(hpa(base), bytes, RAM_RESERVED), HV_OK);
}

static uint32_t scrub(void)
{
    uint32_t nr = 0u;

    for (uint32_t b = blocks_dirty(); b != 0u; nr++) {
        assert_int_equal(blocks_owner(blocks_at(b)), 0u);
        b = blocks_clean(b);
    }
    return nr;
}

static void mark(struct block_set *set, hpa_t frame, bool out)
{
    const uint32_t bit = BIT32((frame.v / PAGE_BYTES) % 32u);

    *blocks_out(frame) = out ? (*blocks_out(frame) | bit) : (*blocks_out(frame) & ~bit);
    blocks_move(set, frame, 1u, out);
}

static void test_exhausted(void **state)
{
    struct block_set a = { .owner = 1u };
    struct block_set b = { .owner = 2u };
    hpa_t at = hpa(0);

    (void)state;
    start(MIB(200), true);
    for (uint32_t i = 0u; i < 100u; i++) {
        struct block_set *const set = ((i % 2u) == 0u) ? &a : &b;

        assert_int_equal(blocks_take(set, true, &at), HV_OK);
        assert_int_equal(at.v % BLOCK_BYTES, 0u);
        assert_int_equal(blocks_owner(hpa(at.v + BLOCK_BYTES - 1u)), set->owner);
    }
    assert_int_equal(blocks_take(&a, true, &at), HV_NO_MEMORY);
    assert_int_equal(blocks_free_bytes(), 0u);
    assert_int_equal(a.nr_pages, 50u * BLOCK_PAGES);
    assert_true(blocks_give(&a, 49u));
    assert_false(blocks_give(&a, 49u));
    assert_int_equal(blocks_dirty_bytes(), MIB(100));
    assert_int_equal(blocks_take(&b, true, &at), HV_BUSY); /* there will be one */
    assert_int_equal(scrub(), 50u);
    assert_int_equal(blocks_free_bytes(), MIB(100));
    assert_int_equal(blocks_take(&b, true, &at), HV_OK);
    assert_false(blocks_give(&b, 100u));
    assert_int_equal(scrub(), 51u);
    end(MIB(200));
}

static void test_page_by_page(void **state)
{
    struct block_set a = { .owner = 3u };
    hpa_t at = hpa(0);
    hpa_t block = hpa(0);

    (void)state;
    start(MIB(4), true);
    assert_int_equal(blocks_find_out(&a).v, UINT64_MAX);
    assert_int_equal(blocks_take(&a, false, &block), HV_OK);
    for (uint32_t i = 0u; i < BLOCK_PAGES; i++) {
        at = blocks_find_out(&a);
        assert_int_equal(at.v, block.v + (i * PAGE_BYTES));
        mark(&a, at, false);
    }
    assert_int_equal(a.nr_pages, BLOCK_PAGES);
    assert_int_equal(blocks_find_out(&a).v, UINT64_MAX);
    /* as long as somebody pins it, it stays */
    blocks_pin(block);
    for (uint32_t i = 0u; i < BLOCK_PAGES; i++) {
        mark(&a, hpa(block.v + (i * PAGE_BYTES)), true);
    }
    assert_int_equal(a.nr, 1u);
    assert_int_equal(a.nr_pages, 0u);
    blocks_unpin(block);
    mark(&a, hpa(block.v + PAGE_BYTES), false);
    assert_int_equal(nr_dirty_calls, 0u);
    mark(&a, hpa(block.v + PAGE_BYTES), true);
    assert_int_equal(a.nr, 0u);
    assert_int_equal(nr_dirty_calls, 1u);
    assert_int_equal(blocks_owner(block), 0u);
    assert_int_equal(scrub(), 1u);
    end(MIB(4));
}

/* What nobody had yet is scrubbed before it is given, a piece at a time. */
static void test_not_zero(void **state)
{
    struct block_set a = { .owner = 1u };
    hpa_t at = hpa(0);
    uint32_t nr = 0u;

    (void)state;
    start(MIB(256), false);
    assert_int_equal(blocks_take(&a, true, &at), HV_BUSY);
    assert_int_equal(nr_dirty_calls, 1u);
    for (uint32_t tries = 0u; (tries < 1000u) && (nr < 128u); tries++) {
        if (blocks_take(&a, true, &at) == HV_OK) {
            nr++;
        } else {
            assert_in_range(scrub(), 1u, 32u);
        }
    }
    assert_int_equal(nr, 128u);
    assert_false(blocks_give(&a, 128u));
    assert_int_equal(scrub(), 128u);
    end(MIB(256));
}

/* Holes, ranges that are no whole blocks, and a domain of the plan that wants what is left over. */
static void test_fragments(void **state)
{
    struct block_set a = { .owner = 1u };
    hpa_t at = hpa(0);
    uint64_t nr = 0u;

    (void)state;
    start(MIB(512), true);
    for (uint64_t i = 0u; i < 32u; i++) {
        assert_int_equal(ram_claim(hpa(base + (i * MIB(16)) + MIB(7)), MIB(1), RAM_MODULE), HV_OK);
    }
    const uint64_t before = blocks_free_bytes();

    while (blocks_take(&a, true, &at) == HV_OK) {
        assert_true(((at.v - base) % MIB(16)) != MIB(6));
        nr++;
    }
    assert_int_equal(nr, 32u * 7u);
    assert_false(blocks_give(&a, UINT32_MAX));
    (void)scrub();
    assert_int_equal(blocks_free_bytes(), before);
    assert_int_equal(blocks_take(&a, true, &at), HV_OK);
    blocks_yield();
    assert_true(ram_bytes(RAM_FREE) >= (before - MIB(64)));
    assert_false(blocks_give(&a, 1u));
    (void)scrub();
    blocks_yield();
    assert_int_equal(ram_bytes(RAM_FREE), before);
    for (uint64_t i = 0u; i < 32u; i++) {
        ram_release(hpa(base + (i * MIB(16)) + MIB(7)), MIB(1), RAM_MODULE);
    }
    end(MIB(512));
}

/* A host of 1 TiB and more of it: every block once. */
static void test_large(void **state)
{
    struct block_set a = { .owner = 32u };
    hpa_t at = hpa(0);
    uint32_t nr = 0u;

    (void)state;
    start(GIB(1024), true);
    while (blocks_take(&a, true, &at) == HV_OK) {
        nr++;
    }
    assert_int_equal(nr, 512u * 1024u);
    assert_int_equal(a.nr_pages, 512ULL * 1024u * BLOCK_PAGES);
    assert_int_equal(blocks_owner(hpa(base + GIB(1024))), 0u);
    assert_int_equal(blocks_owner(hpa(base - 1u)), 0u);
    assert_int_equal(blocks_owner(hpa(UINT64_MAX)), 0u);
    assert_false(blocks_give(&a, nr));
    assert_int_equal(scrub(), nr);
    end(GIB(1024));
}

/* What is set aside for one is nobody else's, and he has nothing else. [test->req~templates~1] */
static void test_apart(void **state)
{
    struct block_set one = { .owner = 1u, .apart = true };
    struct block_set two = { .owner = 2u };
    hpa_t at = hpa(0);
    uint32_t nr = 0u;

    (void)state;
    for (uint32_t zero = 0u; zero < 2u; zero++) {
        start(MIB(200), zero != 0u);
        assert_int_equal(ram_claim(hpa(base + MIB(100)), MIB(20), RAM_RESERVED), HV_OK);
        assert_int_equal(blocks_set_aside(base + MIB(100), MIB(20), 1u), HV_OK);
        assert_int_equal(blocks_free_bytes(), MIB(180));
        for (uint32_t i = 0u; i < 10u; i++) {
            if (blocks_take(&one, true, &at) == HV_BUSY) {
                assert_int_equal(scrub(), 10u);
                assert_int_equal(blocks_take(&one, true, &at), HV_OK);
            }
            assert_true((at.v >= (base + MIB(100))) && (at.v < (base + MIB(120))));
        }
        assert_int_equal(blocks_take(&one, true, &at), HV_NO_MEMORY);
        assert_int_equal(blocks_free_bytes(), MIB(180));
        assert_false(blocks_give(&one, 10u));
        assert_int_equal(scrub(), 10u);
        for (nr = 0u; nr < 1000u; nr++) {
            const enum hv_status status = blocks_take(&two, false, &at);

            if (status == HV_NO_MEMORY) {
                break;
            }
            if (status == HV_BUSY) {
                (void)scrub();
            } else {
                assert_true((at.v < (base + MIB(100))) || (at.v >= (base + MIB(120))));
            }
        }
        assert_int_equal(two.nr, 90u);
        assert_int_equal(blocks_take(&one, true, &at), HV_OK);
        assert_int_equal(blocks_free_bytes(), 0u);
        assert_false(blocks_give(&one, 1u));
        assert_false(blocks_give(&two, 90u));
        assert_int_equal(scrub(), 91u);
        assert_int_equal(blocks_free_bytes(), MIB(180));
        blocks_yield();
        assert_int_equal(ram_bytes(RAM_FREE), MIB(180));
        assert_int_equal(ram_claim(hpa(base), MIB(100), RAM_RESERVED), HV_OK);
        assert_int_equal(ram_claim(hpa(base + MIB(120)), MIB(80), RAM_RESERVED), HV_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exhausted), cmocka_unit_test(test_page_by_page),
        cmocka_unit_test(test_not_zero),  cmocka_unit_test(test_fragments),
        cmocka_unit_test(test_large),     cmocka_unit_test(test_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
