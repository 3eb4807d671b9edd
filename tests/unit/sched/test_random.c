/* All policies, several pools, everything at random. [test->req~cpupools~1] [test->req~null-replacement~1] */
#include "schedops.h"

static uint64_t seed;
static uint64_t nr_ops;

static uint64_t take(uint64_t below)
{
    seed ^= seed << 13u;
    seed ^= seed >> 7u;
    seed ^= seed << 17u;
    return (seed >> 11u) % below;
}

static void random_scenario(void)
{
    ops_take = take;
    ops_setup();
    for (uint64_t i = 0; i < nr_ops; i++) {
        ops_one(getenv("SCHED_TRACE") != NULL);
        if (take(2u) == 0u) {
            fake_run();
            ops_check();
        }
    }
    CHECK(ops_works > 50u);
}

/* The first draws choose the policies of both pools: all pairs come up. */
static void random_any(void **state)
{
    const char *const more = getenv("SCHED_SWEEP");
    const uint32_t rounds = 25u * ((more != NULL) ? (uint32_t)strtoul(more, NULL, 10) : 1u);

    (void)state;
    for (uint32_t i = 0; i < rounds; i++) { /* SCHED_TRACE tells what the one that fails did */
        seed = (i + 1u) * 0x9E3779B97F4A7C15ULL;
        nr_ops = 8000u;
        ops_may_lose = (i % 5u) == 4u;
        bench_alone(random_scenario);
    }
    (void)fprintf(stderr, "all policies, pools, moves: %u runs of %u operations hold all invariants\n",
                  rounds, (unsigned)nr_ops);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_any),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
