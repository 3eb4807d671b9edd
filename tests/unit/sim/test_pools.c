/* Cpupools and what is set of schedulers, as a control domain's tools do it. */
#include "sim_pools.h"

static const uint32_t policies[] = { XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_RTDS,
                                     XEN_SCHEDULER_NULL };

/* -- Pools -- */

struct told {
    uint32_t id;
    uint32_t sched;
    uint32_t n_dom;
    uint64_t cpus;
};

static int64_t ask_pool(uint32_t what, uint32_t id, struct told *told)
{
    struct xen_sysctl arg = { .u.cpupool = { .op = what, .cpupool_id = id, .cpumap = bits_at(0u, 64u) } };
    const int64_t result = sysctl_call(vcpus[0], 18u, &arg);

    *told = (struct told){ arg.u.cpupool.cpupool_id, arg.u.cpupool.sched_id, arg.u.cpupool.n_dom, 0u };
    get(vcpus[0], BUFFER, &told->cpus, 8u);
    return result;
}

static struct told info(uint32_t id)
{
    struct told told;

    MUST(ask_pool(INFO_OF, id, &told) == 0);
    return told;
}

static uint64_t free_cpus(void)
{
    struct told told;

    MUST(ask_pool(FREE, 0u, &told) == 0);
    return told.cpus;
}

static void pool_end(uint32_t id, uint32_t cpu)
{
    MUST(of_cpu(REMOVE, id, cpu) == 0);
    MUST(drop(id) == 0);
    MUST(of_cpu(ADD, 0u, cpu) == 0);
}

static uint32_t pool_told(uint16_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    MUST(domctl_call(vcpus[0], 5u, domid, &arg) == 0);
    return arg.u.info.cpupool;
}

static void made_run(void)
{
    struct told told;
    uint32_t id = 0u;
    uint32_t nr = 0u;

    boot(POOLS);
    told = info(0u);
    MUST(told.id == 0u);
    MUST(told.sched == 6u);
    MUST(told.n_dom == 3u);
    MUST(told.cpus == 0xFu);
    MUST(ask_pool(INFO_OF, 1u, &told) == -XEN_ENOENT);
    MUST(free_cpus() == 0u);
    MUST(make(ANY, XEN_SCHEDULER_RTDS, &id) == 0);
    MUST(id == 1u);
    MUST(make(5u, XEN_SCHEDULER_NULL, &id) == 0);
    MUST(id == 5u);
    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &id) == 0);
    MUST(id == 2u);
    MUST(make(1u, XEN_SCHEDULER_CREDIT2, &id) == -XEN_EEXIST);
    MUST(make(0u, XEN_SCHEDULER_CREDIT2, &id) == -XEN_EEXIST);
    MUST(make(16u, XEN_SCHEDULER_CREDIT2, &id) == -XEN_EINVAL);
    MUST(make(ANY, 4u, &id) == -XEN_ENOENT);
    MUST(make(3u, 10u, &id) == -XEN_ENOENT);
    told = info(1u);
    MUST(told.id == 1u);
    MUST(told.sched == XEN_SCHEDULER_RTDS);
    MUST(told.n_dom == 0u);
    MUST(told.cpus == 0u);
    told = info(3u);
    MUST(told.id == 5u);
    MUST(told.sched == XEN_SCHEDULER_NULL);
    MUST(ask_pool(INFO_OF, 6u, &told) == -XEN_ENOENT);
    MUST(drop(2u) == 0);
    MUST(drop(2u) == -XEN_ENOENT);
    MUST(drop(0u) == -XEN_EBUSY);
    MUST(drop(ANY) == -XEN_ENOENT);
    while (make(ANY, XEN_SCHEDULER_ARINC653, &id) == 0) {
        nr++;
    }
    MUST(nr == 13u);
    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &id) == -XEN_ENOMEM);
    for (id = 1u; id < 16u; id++) {
        MUST(drop(id) == 0);
    }
    MUST(of_cpu(0u, 0u, 0u) == -XEN_ENOSYS);
    MUST(of_cpu(8u, 0u, 0u) == -XEN_ENOSYS);
    MUST(of_cpu(ANY, 0u, 0u) == -XEN_ENOSYS);
}

static void filled_run(void)
{
    struct xen_sysctl arg = { .u.cpupool = { .op = INFO_OF, .cpumap = { .bitmap = 8u, .nr_bits = 8u } } };
    uint32_t id = 0u;

    boot(POOLS);
    MUST(sysctl_call(vcpus[0], 18u, &arg) == -XEN_EFAULT);
    arg.u.cpupool.op = FREE;
    MUST(sysctl_call(vcpus[0], 18u, &arg) == -XEN_EFAULT);
    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &id) == 0);
    MUST(id == 1u);
    MUST(of_cpu(REMOVE, 9u, 1u) == -XEN_ENOENT);
    MUST(of_cpu(ADD, 9u, 1u) == -XEN_ENOENT);
    MUST(of_cpu(ADD, 1u, 3u) == -XEN_ENODEV);
    MUST(of_cpu(REMOVE, 1u, 3u) == -XEN_ENODEV);
    MUST(of_cpu(ADD, 1u, ANY) == -XEN_ENODEV);
    MUST(of_cpu(REMOVE, 1u, ANY) == -XEN_EINVAL);
    for (uint32_t cpu = CPUS; cpu < 200u; cpu += 59u) {
        MUST(of_cpu(ADD, 1u, cpu) == -XEN_EINVAL);
        MUST(of_cpu(REMOVE, 0u, cpu) == -XEN_EINVAL);
    }
    MUST(of_cpu(REMOVE, 0u, 0u) == -XEN_EBUSY); /* where it booted */
    MUST(of_cpu(REMOVE, 0u, ANY) == 0);
    MUST(of_cpu(REMOVE, 0u, 2u) == 0);
    MUST(free_cpus() == 0xCu);
    MUST(info(0u).cpus == 3u);
    MUST(of_cpu(ADD, 1u, ANY) == 0);
    MUST(info(1u).cpus == 4u);
    MUST(free_cpus() == 8u);
    MUST(of_cpu(ADD, 1u, 3u) == 0);
    MUST(of_cpu(ADD, 1u, 3u) == -XEN_ENODEV);
    MUST(info(1u).cpus == 0xCu);
    MUST(free_cpus() == 0u);
    MUST(drop(1u) == -XEN_EBUSY);
    MUST(of_cpu(REMOVE, 1u, 2u) == 0);
    MUST(of_cpu(ADD, 0u, 2u) == 0);
    MUST(info(0u).cpus == 7u);
    pool_end(1u, 3u);
    MUST(info(0u).cpus == 0xFu);
}

static void moved_run(void)
{
    uint32_t id = 0u;

    boot(POOLS);
    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &id) == 0);
    MUST((move(2u, id) == -XEN_ENOENT) && (move(2u, 9u) == -XEN_ENOENT)); /* it has no CPU; there is none */
    MUST((move(77u, id) == -XEN_ESRCH) && (move(0x7FF0u, id) == -XEN_ESRCH) && (move(1u, id) == -XEN_EPERM));
    MUST(drop(id) == 0);
    for (uint32_t i = 0u; i < ARRAY_LEN(policies); i++) {
        uint64_t ran = 0u;

        id = pool_of(policies[i], 3u);
        MUST((move(2u, id) == 0) && (move(2u, id) == 0) && (pool_told(2u) == id));
        MUST((info(id).n_dom == 1u) && (info(0u).n_dom == 2u));
        fake_time_advance(50u * MS);
        ran = sched_run_ns(vcpus[1]);
        fake_time_advance(50u * MS);
        MUST((sched_run_ns(vcpus[1]) - ran) > (15u * MS)); /* 40 % at least, rtds' budget */
        until_in_guest(vcpus[1]);
        MUST(cpu_of(vcpus[1]) == 3u);
        MUST((drop(id) == -XEN_EBUSY) && (of_cpu(REMOVE, id, 3u) == -XEN_EBUSY));
        MUST((move(2u, 0u) == 0) && (pool_told(2u) == 0u));
        pool_end(id, 3u);
        fake_time_advance(10u * MS);
        until_in_guest(vcpus[1]);
    }
    /* between two others, a CPU each, without a rest */
    id = pool_of(XEN_SCHEDULER_RTDS, 3u);
    MUST(pool_of(XEN_SCHEDULER_NULL, 2u) == (id + 1u));
    for (uint32_t i = 0u; i < 40u; i++) {
        MUST(move(2u, id + (i % 2u)) == 0);
        fake_time_advance((i % 3u) * MS);
    }
    fake_time_advance(10u * MS);
    until_in_guest(vcpus[1]);
    MUST((cpu_of(vcpus[1]) == 2u) && (pool_told(2u) == (id + 1u)));
}

/* A CPU goes while vCPUs are on it, also the one that asks, and while one may be nowhere else. */
static void taken_run(void)
{
    uint64_t told[2] = { 0u, 0u };

    boot(POOLS);
    MUST(pin(1u, 0u, BIT64(2), 0u, told) == 0);
    fake_run();
    until_in_guest(vcpus[0]);
    MUST((cpu_of(vcpus[0]) == 2u) && (pin(2u, 0u, BIT64(2), 0u, told) == 0) && (of_cpu(REMOVE, 0u, 2u) == 0));
    fake_time_advance(20u * MS);
    for (uint32_t i = 0u; i < 2u; i++) {
        until_in_guest(vcpus[i]);
        MUST(cpu_of(vcpus[i]) != 2u);
    }
    MUST(fake_cpu_guest(2u) == NULL);
    MUST(pin(2u, 0u, BIT64(2), 0u, told) == -XEN_EINVAL);
    MUST(of_cpu(ADD, 0u, 2u) == 0);
    MUST((pin(2u, 0u, BIT64(2), 0u, told) == 0) && (told[0] == BIT64(2)));
    fake_time_advance(20u * MS);
    until_in_guest(vcpus[1]);
    MUST(cpu_of(vcpus[1]) == 2u);
}

static void cpu_off(struct hal_vcpu *vcpu, void *unused)
{
    (void)unused;
    upcall_vcpu_stop(vcpu);
}

/* null: two vCPUs and one CPU. Who goes off leaves it to the other. */
static void replaced_run(void)
{
    struct vcpu *v[2];
    uint32_t id = 0u;

    boot(POOLS);
    v[0] = vcpus[1];
    v[1] = vcpus[1]->domain->vcpu[1];
    id = pool_of(XEN_SCHEDULER_NULL, 3u);
    MUST(move(2u, id) == 0);
    fake_time_advance(10u * MS);
    for (uint32_t i = 0u; i < 4u; i++) {
        struct vcpu *const has = v[i % 2u];
        struct vcpu *const waits = v[(i + 1u) % 2u];

        until_in_guest(has);
        MUST(cpu_of(has) == 3u);
        guest_cpu_on(has, waits->index);
        MUST(cpu_on_status == HV_OK);
        fake_time_advance(50u * MS);
        MUST((waits->state == VCPU_RUNNABLE) && (cpu_of(waits) == HV_CPUS_MAX));
        fake_guest_call(3u, cpu_off, NULL);
        fake_time_advance(10u * MS);
        MUST((has->state == VCPU_OFF) && (cpu_of(waits) == 3u));
    }
}

/* What counts of an affinity is what the pool has of it. */
static void affinity_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    uint64_t told[2] = { 0u, 0u };
    uint32_t id = 0u;

    boot(POOLS);
    id = pool_of(XEN_SCHEDULER_CREDIT2, 3u);
    MUST(of_cpu(REMOVE, 0u, 2u) == 0);
    MUST(of_cpu(ADD, id, 2u) == 0);
    MUST(move(2u, id) == 0);
    MUST((pin(2u, 0u, 0xFu, 0xAu, told) == 0) && (told[0] == 0xCu) && (told[1] == 8u));
    MUST((pin(2u, 0u, 8u, 4u, told) == 0) && (told[0] == 8u) && (told[1] == 0u));
    MUST((pin(2u, 0u, 3u, 0u, told) == -XEN_EINVAL) && (pin(3u, 0u, 0xCu, 0u, told) == -XEN_EINVAL));
    fake_run();
    until_in_guest(vcpus[1]);
    MUST(cpu_of(vcpus[1]) == 3u);
    arg.u.affinity.flags = XEN_AFFINITY_HARD | XEN_AFFINITY_FORCE;
    arg.u.affinity.hard = bits_at(0u, 64u);
    MUST(domctl_call(vcpus[0], 25u, 2u, &arg) == 0);
    get(vcpus[0], BUFFER, told, 8u);
    MUST(told[0] == 8u);
}

/* A domain that ends leaves its pool; one that comes enters the one that is wanted. */
static void ended_run(void)
{
    struct xen_domctl arg = { .u.create = { .flags = 3u,
                                            .max_vcpus = 2u,
                                            .max_evtchn_port = 1023u,
                                            .max_grant_frames = -1,
                                            .max_maptrack_frames = -1,
                                            .grant_opts = 1u } };
    struct xen_domctl wish = arg;
    uint32_t id = 0u;
    uint32_t empty = 0u;

    boot(POOLS);
    id = pool_of(XEN_SCHEDULER_NULL, 3u);
    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &empty) == 0);
    wish.u.create.cpupool_id = 9u;
    MUST(domctl_call(vcpus[0], 1u, 0u, &wish) == -XEN_ESRCH);
    wish = arg;
    wish.u.create.cpupool_id = ANY;
    MUST(domctl_call(vcpus[0], 1u, 0u, &wish) == -XEN_ESRCH);
    wish = arg;
    wish.u.create.cpupool_id = empty;
    MUST(domctl_call(vcpus[0], 1u, 0u, &wish) == -XEN_ENODEV);
    for (uint32_t i = 0u; i < 4u; i++) {
        const uint32_t where = ((i % 2u) == 0u) ? id : 0u;

        wish = arg;
        wish.u.create.cpupool_id = where;
        MUST(domctl_call(vcpus[0], 1u, 0u, &wish) == 0);
        MUST((pool_told(wish.domain) == where) && (info(id).n_dom == ((where == id) ? 1u : 0u)));
        MUST((where == 0u) || (of_cpu(REMOVE, id, 3u) == -XEN_EBUSY));
        MUST(domctl_call(vcpus[0], 2u, wish.domain, &wish) == 0);
        MUST((info(id).n_dom == 0u) && (info(0u).n_dom == 3u));
    }
    MUST(move(3u, id) == 0);
    MUST(domctl_call(vcpus[0], 2u, 3u, &arg) == 0);
    MUST(info(id).n_dom == 0u);
    pool_end(id, 3u);
    MUST(build_order(domain_table[2], HAL_DOMAIN_RESET, "by the operator") == HV_OK); /* its pool is gone */
    until(domain_table[2], DOMAIN_RUNNING, 1u);
    MUST(pool_told(3u) == 0u);
    until_in_guest(vcpus[2]);
}

/* -- Of a domain -- */

static int64_t share_call(uint32_t sched, uint32_t cmd, uint16_t *weight, uint16_t *cap)
{
    struct xen_domctl arg = { .u.scheduler = { sched, cmd, *weight, *cap } };
    const int64_t result = domctl_call(vcpus[0], 16u, 2u, &arg);

    *weight = arg.u.scheduler.weight;
    *cap = arg.u.scheduler.cap;
    return result;
}

static bool share_is(uint32_t sched, uint16_t weight, uint16_t cap)
{
    uint16_t w = 1u;
    uint16_t c = 1u;

    MUST(share_call(sched, GET, &w, &c) == 0);
    return (w == weight) && (c == cap);
}

static int64_t share_put(uint32_t sched, uint16_t weight, uint16_t cap)
{
    return share_call(sched, PUT, &weight, &cap);
}

static void shares_run(void)
{
    uint16_t w = 0u;
    uint16_t c = 0u;

    boot(POOLS);
    for (uint32_t i = 0u; i < ARRAY_LEN(policies); i++) {
        const uint32_t id = pool_of(policies[i], 3u);
        const bool shares = (policies[i] == XEN_SCHEDULER_CREDIT) || (policies[i] == XEN_SCHEDULER_CREDIT2);

        MUST(move(2u, id) == 0);
        for (uint32_t other = 0u; other < 12u; other++) {
            MUST((share_put(other, 0u, 0xFFFFu) == 0) == (other == policies[i]) ||
                 (policies[i] == XEN_SCHEDULER_RTDS));
        }
        MUST(share_call(policies[i], 4u, &w, &c) == -XEN_EINVAL);
        MUST(share_call(policies[i], ANY, &w, &c) == -XEN_EINVAL);
        if (shares) {
            MUST(share_is(policies[i], (i == 0u) ? 256u : 512u, (i == 0u) ? 0u : 50u)); /* goes with it */
            MUST(share_put(policies[i], 1u, 200u) == 0);
            MUST(share_is(policies[i], 1u, 200u));
            MUST(share_put(policies[i], 65535u, 0u) == 0);
            MUST(share_is(policies[i], 65535u, 0u));
            MUST(share_put(policies[i], 512u, 50u) == 0);
            MUST(share_is(policies[i], 512u, 50u));
            MUST(share_put(policies[i], 0u, 0xFFFFu) == 0);
            MUST(share_is(policies[i], 512u, 50u));
            MUST(share_put(policies[i], 3u, 201u) == -XEN_EINVAL);
            MUST(share_is(policies[i], 512u, 50u));
            MUST(share_call(policies[i], GET_OF, &w, &c) == -XEN_EINVAL);
            MUST(share_call(policies[i], PUT_OF, &w, &c) == -XEN_EINVAL);
        } else if (policies[i] == XEN_SCHEDULER_NULL) {
            for (uint32_t cmd = 0u; cmd < 4u; cmd++) {
                w = 7u;
                c = 9u;
                MUST(share_call(XEN_SCHEDULER_NULL, cmd, &w, &c) == 0);
                MUST(w == 7u);
                MUST(c == 9u);
            }
        } else {
            /* below */
        }
        MUST(move(2u, 0u) == 0);
        pool_end(id, 3u);
    }
    MUST(share_is(XEN_SCHEDULER_CREDIT2, 512u, 50u));
}

/* -- Of vCPUs -- */

static int64_t rt_call(uint32_t cmd, struct xen_sched_rt *rt)
{
    struct xen_domctl arg = { .u.sched_rt.rt = *rt };
    int64_t result = 0;

    arg.u.scheduler.sched_id = XEN_SCHEDULER_RTDS;
    arg.u.scheduler.cmd = cmd;
    result = domctl_call(vcpus[0], 16u, 2u, &arg);
    *rt = arg.u.sched_rt.rt;
    return result;
}

static int64_t rt_put(uint32_t period, uint32_t budget, uint32_t flags)
{
    struct xen_sched_rt rt = { period, budget, flags };

    return rt_call(PUT, &rt);
}

/* The elements stand in the buffer; how many there were is told. */
static int64_t elements(uint32_t cmd, uint32_t nr, uint32_t *processed)
{
    struct xen_domctl arg = { .u.sched_vcpus = { .vcpus = place(vcpus[0], BUFFER), .nr_vcpus = nr } };
    int64_t result = 0;

    arg.u.scheduler.sched_id = XEN_SCHEDULER_RTDS;
    arg.u.scheduler.cmd = cmd;
    result = domctl_call(vcpus[0], 16u, 2u, &arg);
    *processed = arg.u.sched_vcpus.nr_vcpus;
    return result;
}

static bool rt_is(uint32_t index, uint32_t period, uint32_t budget, uint32_t flags)
{
    struct xen_sched_vcpu e = { { 1u, 1u, 1u }, index };
    uint32_t n = 0u;

    put(vcpus[0], BUFFER, &e, sizeof(e));
    MUST((elements(GET_OF, 1u, &n) == 0) && (n == 1u));
    get(vcpus[0], BUFFER, &e, sizeof(e));
    MUST(e.vcpuid == index);
    return (e.rt.period == period) && (e.rt.budget == budget) && (e.rt.flags == flags);
}

static int64_t rt_put_of(uint32_t index, uint32_t period, uint32_t budget, uint32_t flags)
{
    const struct xen_sched_vcpu e = { { period, budget, flags }, index };
    uint32_t n = 0u;

    put(vcpus[0], BUFFER, &e, sizeof(e));
    return elements(PUT_OF, 1u, &n);
}

static void realtime_run(void)
{
    struct xen_sched_rt rt = { 0u, 0u, 0u };
    struct xen_sched_vcpu e[70];
    uint32_t n = 0u;

    boot(POOLS);
    MUST(move(2u, pool_of(XEN_SCHEDULER_RTDS, 3u)) == 0);
    MUST(rt_call(GET, &rt) == 0);
    MUST(rt.period == 10000u);
    MUST(rt.budget == 4000u);
    MUST(rt.flags == 1u);
    MUST(rt_is(0u, 10000u, 4000u, 1u));
    MUST(rt_is(1u, 10000u, 4000u, 1u));
    MUST(rt_put(20000u, 5000u, 0u) == 0);
    MUST(rt_is(0u, 20000u, 5000u, 0u));
    MUST(rt_is(1u, 20000u, 5000u, 0u));
    MUST(rt_call(GET, &rt) == 0);
    MUST(rt.period == 10000u); /* what is usual */
    MUST(rt_put_of(1u, 30000u, 10u, 1u) == 0);
    MUST(rt_is(1u, 30000u, 10u, 1u));
    MUST(rt_is(0u, 20000u, 5000u, 0u));
    MUST(rt_put(10u, 10u, 0u) == 0);
    MUST(rt_put(20000u, 5000u, 0u) == 0);
    MUST(rt_put(9u, 9u, 0u) == -XEN_EINVAL);
    MUST(rt_put(10000u, 9u, 0u) == -XEN_EINVAL);
    MUST(rt_put(10000u, 10001u, 0u) == -XEN_EINVAL);
    MUST(rt_put(0u, 0u, 0u) == -XEN_EINVAL);
    MUST(rt_put(UINT32_MAX, 5000u, 0u) == -XEN_EINVAL);
    MUST(rt_put_of(0u, 9u, 9u, 0u) == -XEN_EINVAL);
    MUST(rt_put_of(2u, 20000u, 5000u, 0u) == -XEN_EINVAL);
    MUST(rt_put_of(ANY, 20000u, 5000u, 0u) == -XEN_EINVAL);
    MUST(rt_is(0u, 20000u, 5000u, 0u));
    MUST(elements(GET_OF, 0u, &n) == 0);
    MUST(n == 0u);

    /* many: in pieces, and no more than Xen does without a look around */
    for (uint32_t i = 0u; i < ARRAY_LEN(e); i++) {
        e[i] = (struct xen_sched_vcpu){ { 10000u + i, 1000u, 0u }, i % 2u };
    }
    put(vcpus[0], BUFFER, e, sizeof(e));
    MUST(elements(PUT_OF, ARRAY_LEN(e), &n) == 0);
    MUST(n == 64u);
    MUST(rt_is(0u, 10062u, 1000u, 0u));
    MUST(rt_is(1u, 10063u, 1000u, 0u));
    e[20].vcpuid = 2u;
    put(vcpus[0], BUFFER, e, sizeof(e));
    MUST(elements(GET_OF, 21u, &n) == -XEN_EINVAL);
    get(vcpus[0], BUFFER, e, sizeof(e));
    MUST(e[19].rt.period == 10063u);
    MUST(e[20].rt.period == 10020u);

    /* a budget is what it gets */
    MUST(rt_put(10000u, 2500u, 0u) == 0);
    fake_time_advance(20u * MS);
    const uint64_t ran = sched_run_ns(vcpus[1]);

    fake_time_advance(100u * MS);
    MUST((sched_run_ns(vcpus[1]) - ran) > (24u * MS));
    MUST((sched_run_ns(vcpus[1]) - ran) < (26u * MS));
}

/* -- Of a pool -- */

static int64_t credit(uint32_t pool, uint32_t cmd, uint32_t *words)
{
    struct xen_sysctl arg = { .u.scheduler = {
                                  .cpupool_id = pool, .sched_id = XEN_SCHEDULER_CREDIT, .cmd = cmd } };
    int64_t result = 0;

    (void)memcpy(&arg.u.scheduler.of.credit, words, 12u);
    result = sysctl_call(vcpus[0], 19u, &arg);
    (void)memcpy(words, &arg.u.scheduler.of.credit, 12u);
    return result;
}

static int64_t credit_put(uint32_t pool, uint32_t slice, uint32_t rate, uint32_t delay)
{
    uint32_t words[3] = { slice, rate, delay };

    return credit(pool, PUT, words);
}

static int64_t credit2(uint32_t cmd, uint32_t *rate)
{
    struct xen_sysctl arg = { .u.scheduler = { .sched_id = XEN_SCHEDULER_CREDIT2, .cmd = cmd } };
    int64_t result = 0;

    arg.u.scheduler.of.credit2_ratelimit_us = *rate;
    result = sysctl_call(vcpus[0], 19u, &arg);
    *rate = arg.u.scheduler.of.credit2_ratelimit_us;
    return result;
}

static int64_t credit2_put(uint32_t rate)
{
    return credit2(PUT, &rate);
}

static void tunings_run(void)
{
    struct xen_sysctl arg = { .cmd = 0u };
    uint32_t words[3] = { 1u, 1u, 1u };
    uint32_t id = 0u;

    boot(POOLS);
    MUST(credit2(GET, words) == 0);
    MUST(words[0] == 1000u);
    MUST(credit2_put(0u) == 0);
    MUST(credit2_put(100u) == 0);
    MUST(credit2_put(99u) == -XEN_EINVAL);
    MUST(credit2_put(500001u) == -XEN_EINVAL);
    MUST(credit2(GET, words) == 0);
    MUST(words[0] == 100u);
    MUST(credit2_put(5000u) == 0);
    MUST(credit2(GET, words) == 0);
    MUST(words[0] == 5000u);
    MUST(credit2(2u, words) == -XEN_EINVAL);
    MUST(credit2(ANY, words) == -XEN_EINVAL);
    MUST(credit(0u, GET, words) == -XEN_EINVAL); /* another policy */
    MUST(credit(1u, GET, words) == -XEN_ESRCH);
    MUST(credit(ANY, GET, words) == -XEN_ESRCH);

    MUST(make(ANY, XEN_SCHEDULER_CREDIT, &id) == 0);
    MUST(credit(id, GET, words) == 0);
    MUST(words[0] == 30u);
    MUST(words[1] == 1000u);
    MUST(words[2] == 0u);
    MUST(credit_put(id, 1u, 1000u, 100000u) == 0);
    MUST(credit_put(id, 1000u, 500000u, 0u) == 0);
    MUST(credit_put(id, 0u, 0u, 0u) == -XEN_EINVAL);
    MUST(credit_put(id, 1001u, 0u, 0u) == -XEN_EINVAL);
    MUST(credit_put(id, 1u, 1001u, 0u) == -XEN_EINVAL);
    MUST(credit_put(id, 10u, 99u, 0u) == -XEN_EINVAL);
    MUST(credit_put(id, 10u, 0u, 100001u) == -XEN_EINVAL);
    MUST(credit_put(id, 10u, 2000u, 30u) == 0);
    MUST(credit(id, GET, words) == 0);
    MUST(words[0] == 10u);
    MUST(words[1] == 2000u);
    MUST(words[2] == 30u);
    MUST(credit2(GET, words) == 0);
    MUST(words[0] == 5000u); /* another pool's */
    for (uint32_t sched = XEN_SCHEDULER_RTDS; sched <= XEN_SCHEDULER_NULL; sched++) {
        MUST(make(ANY, sched, &id) == 0);
        for (uint32_t cmd = 0u; cmd < 3u; cmd++) {
            arg.u.scheduler.cpupool_id = id;
            arg.u.scheduler.sched_id = sched;
            arg.u.scheduler.cmd = cmd;
            arg.u.scheduler.of.schedule = 8u;
            MUST(sysctl_call(vcpus[0], 19u, &arg) == ((cmd < 2u) ? 0 : -XEN_EINVAL));
            MUST(arg.u.scheduler.of.schedule == 8u);
        }
    }
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

/* [test->req~cpupools~1] */
TEST(made)
TEST(filled)
TEST(moved)
TEST(taken)
TEST(affinity)
TEST(ended)
/* [test->req~null-replacement~1] */
TEST(replaced)
/* [test->req~toolstack~1] */
TEST(shares)
TEST(realtime)
TEST(tunings)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made),     cmocka_unit_test(filled),   cmocka_unit_test(moved),
        cmocka_unit_test(taken),    cmocka_unit_test(ended),    cmocka_unit_test(affinity),
        cmocka_unit_test(shares),   cmocka_unit_test(realtime), cmocka_unit_test(tunings),
        cmocka_unit_test(replaced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
