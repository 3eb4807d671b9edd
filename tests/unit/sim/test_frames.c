/* The schedule of a pool of arinc653, as a control domain's tools set it and ask for it. */
#include "sim_pools.h"

static struct xen_arinc653_schedule plan;

static int64_t frame(uint32_t pool, uint32_t cmd, uint64_t at)
{
    struct xen_sysctl arg = { .u.scheduler = {
                                  .cpupool_id = pool, .sched_id = XEN_SCHEDULER_ARINC653, .cmd = cmd } };

    arg.u.scheduler.of.schedule = at;
    return sysctl_call(vcpus[0], 19u, &arg);
}

static int64_t frame_put(uint32_t pool)
{
    put(vcpus[0], BUFFER, &plan, sizeof(plan));
    return frame(pool, PUT, place(vcpus[0], BUFFER));
}

static void handle_of(uint16_t domid, uint8_t *handle)
{
    struct xen_domctl arg = { .cmd = 0u };

    MUST(domctl_call(vcpus[0], 5u, domid, &arg) == 0);
    (void)memcpy(handle, arg.u.info.handle, 16u);
}

static void entry(uint32_t i, uint16_t domid, uint64_t ns)
{
    handle_of(domid, plan.sched_entries[i].dom_handle);
    plan.sched_entries[i].vcpu_id = 0u;
    plan.sched_entries[i].runtime = ns;
}

static uint64_t ran_in(const struct vcpu *vcpu, uint64_t ns)
{
    const uint64_t before = sched_run_ns(vcpu);

    fake_time_advance(ns);
    return sched_run_ns(vcpu) - before;
}

static void frames_run(void)
{
    struct xen_arinc653_schedule told;
    uint32_t id = 0u;

    boot(POOLS);
    id = pool_of(XEN_SCHEDULER_ARINC653, 3u);
    MUST((move(2u, id) == 0) && (move(3u, id) == 0));
    fake_time_advance(20u * MS);
    MUST((ran_in(vcpus[1], 50u * MS) == 0u) && (cpu_of(vcpus[1]) == HV_CPUS_MAX)); /* it has no window */
    entry(0u, 2u, 2u * MS);
    entry(1u, 3u, 3u * MS);
    entry(2u, 2u, 1u * MS);
    plan.major_frame = 10u * MS;
    MUST(frame_put(id) == -XEN_EINVAL); /* no entries */
    plan.num_sched_entries = 65u;
    MUST(frame_put(id) == -XEN_EINVAL);
    plan.num_sched_entries = 3u;
    plan.major_frame = 6u * MS - 1u;
    MUST(frame_put(id) == -XEN_EINVAL);
    plan.major_frame = 0u;
    MUST(frame_put(id) == -XEN_EINVAL);
    plan.major_frame = 10u * MS;
    plan.sched_entries[1].runtime = 0u;
    MUST(frame_put(id) == -XEN_EINVAL);
    plan.sched_entries[1].runtime = UINT64_MAX;
    MUST(frame_put(id) == -XEN_EINVAL);
    plan.sched_entries[1].runtime = 3u * MS;
    MUST((frame(id, PUT, 8u) == -XEN_EFAULT) && (frame(0u, PUT, 8u) == -XEN_EINVAL) &&
         (frame(9u, GET, 8u) == -XEN_ESRCH));
    MUST(frame_put(id) == 0);
    fake_time_advance(20u * MS);
    const uint64_t ran = ran_in(vcpus[1], 100u * MS);

    MUST((ran > (29u * MS)) && (ran <= (30u * MS)));
    MUST((ran_in(vcpus[2], 100u * MS) > (29u * MS)) && (frame(id, GET, 8u) == -XEN_EFAULT));
    (void)memset(&told, 0xFF, sizeof(told));
    put(vcpus[0], BUFFER, &told, sizeof(told));
    MUST(frame(id, GET, place(vcpus[0], BUFFER)) == 0);
    get(vcpus[0], BUFFER, &told, sizeof(told));
    MUST((told.major_frame == plan.major_frame) && (told.num_sched_entries == 3u));
    for (uint32_t i = 0u; i < 3u; i++) {
        MUST((memcmp(told.sched_entries[i].dom_handle, plan.sched_entries[i].dom_handle, 16u) == 0) &&
             (told.sched_entries[i].vcpu_id == 0u) &&
             (told.sched_entries[i].runtime == plan.sched_entries[i].runtime));
    }
    MUST(told.sched_entries[3].runtime == 0u);

    /* another one at once; who stands in none has nothing */
    plan.num_sched_entries = 1u;
    plan.sched_entries[0].runtime = 10u * MS;
    MUST(frame_put(id) == 0);
    fake_run();
    MUST((ran_in(vcpus[2], 50u * MS) == 0u) && (ran_in(vcpus[1], 50u * MS) > (49u * MS)));
}

/* A piece of setting that schedule as a guest could make one up: at a stage, with so many entries left */
static int64_t forged(uint32_t pool, uint64_t ticket, uint64_t stage, uint64_t left)
{
    struct xen_sysctl arg = { .cmd = 19u, .interface_version = 0x15u };

    arg.u.scheduler.cpupool_id = pool;
    arg.u.scheduler.sched_id = XEN_SCHEDULER_ARINC653;
    arg.u.scheduler.of.schedule = place(vcpus[0], BUFFER);
    until_in_guest(vcpus[0]);
    put(vcpus[0], ARGS, &arg, sizeof(arg));
    call_arg[3] = 0x676F6573u;
    return call(vcpus[0], 35u, place(vcpus[0], ARGS), ticket, (stage << 16u) | (left << 8u) | left);
}

/* All entries that there may be; what is made up in between changes nothing. */
static void frames_forged_run(void)
{
    struct xen_arinc653_schedule told;
    uint32_t id = 0u;

    boot(POOLS);
    id = pool_of(XEN_SCHEDULER_ARINC653, 3u);
    MUST(move(2u, id) == 0);
    for (uint32_t i = 0u; i < 64u; i++) {
        entry(i, 2u, 1000u * (i + 1u));
    }
    plan.num_sched_entries = 64u;
    plan.major_frame = 10u * MS;
    MUST(frame_put(id) == 0);
    (void)forged(id, 0u, 0u, 0u); /* one that is begun and left */
    const uint64_t ticket = call_arg[1];

    for (uint64_t stage = 0u; stage < 4u; stage++) {
        const int64_t other = forged(id, ticket + 1u, stage, 64u);

        MUST((other == -XEN_EBUSY) || (stage > 1u)); /* who is in it may be filled in at any time */
        MUST(forged(id, ticket, stage, 65u) == ((stage == 1u) ? -XEN_EBUSY : -XEN_EINVAL));
    }
    MUST(forged(id, ticket, 1u, 0u) == -XEN_EBUSY); /* entries are to come */
    MUST(forged(id, ticket, 2u, 0u) == -XEN_EINVAL);
    call_arg[3] = 0u;
    MUST(frame_put(id) == 0); /* by another */
    MUST(forged(id, ticket, 0u, 64u) == -XEN_EBUSY);
    call_arg[3] = 0u;
    (void)memset(&told, 0, sizeof(told));
    put(vcpus[0], BUFFER, &told, sizeof(told));
    MUST(frame(id, GET, place(vcpus[0], BUFFER)) == 0);
    get(vcpus[0], BUFFER, &told, sizeof(told));
    MUST(memcmp(&told, &plan, sizeof(plan)) == 0);
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

/* [test->req~toolstack~1] */
TEST(frames)
TEST(frames_forged)

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(frames), cmocka_unit_test(frames_forged) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
