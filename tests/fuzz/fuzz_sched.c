/* What can happen to the scheduler, as an input says: guests, tools, CPUs and pools, with two policies of the
 * input's choice. What must hold when all CPUs are at rest is in tests/unit/sched/schedops.h.
 * [test->req~input-never-panics~1] */
#include "../unit/sched/schedops.h"
#include "host.h"

#define STEPS_MAX 400u

static struct fuzz_input in;

static uint64_t take(uint64_t below)
{
    return fuzz_bytes(&in, (below <= 256u) ? 1u : 4u) % below;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    in = (struct fuzz_input){ data, bytes };
    host_reset();
    (void)memset(&bench_boot, 0, sizeof(bench_boot));
    (void)memset(bench_plan, 0, sizeof(bench_plan));
    (void)memset(bench_domain, 0, sizeof(bench_domain));
    (void)memset(bench_vcpu, 0, sizeof(bench_vcpu));
    ops_take = take;
    ops_may_lose = (take(4u) == 0u);
    ops_setup();
    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u); n++) {
        ops_one(false);
        if (take(2u) == 0u) {
            fake_run();
            ops_check();
        }
    }
    fake_run();
    ops_check();
    return 0;
}
