/* What a control domain's tools do with domains, who else may, and the page that a domain has with its
 * xenstore. */
#include "sim_tools.h"

#include "domain/p2m.h"
#include "domain/role.h"

#define MAGIC     (0x39001ULL << 12u)
#define PARAM_GET 1u
#define PARAM_SET 0u
#define LATER     UINT64_MAX

static int64_t param(struct vcpu *vcpu, uint32_t set, uint16_t domid, uint32_t index, uint64_t *value)
{
    struct xen_hvm_param arg = { .domid = domid, .index = index, .value = *value };
    int64_t result = 0;

    put(vcpu, ARGS, &arg, sizeof(arg));
    result = call(vcpu, 34u, set, place(vcpu, ARGS), 0u);
    get(vcpu, ARGS, &arg, sizeof(arg));
    *value = arg.value;
    return result;
}

static uint64_t param_of(struct vcpu *vcpu, uint32_t index)
{
    uint64_t value = 77u;

    MUST(param(vcpu, PARAM_GET, 0x7FF0u, index, &value) == 0);
    return value;
}

static void ring_get(const struct vcpu *vcpu, struct xen_store_ring *ring)
{
    MUST(fake_guest_read(&vcpu->domain->hal.map, gpa(MAGIC), ring, sizeof(*ring)));
}

static void ring_put(const struct vcpu *vcpu, const struct xen_store_ring *ring)
{
    MUST(fake_guest_write(&vcpu->domain->hal.map, gpa(MAGIC), ring, sizeof(*ring)));
}

/* -- hvm parameters -- */

static void params_run(void)
{
    uint64_t value = 0u;

    boot(TOOLS);
    for (uint32_t i = 0u; i < 3u; i++) {
        MUST(param_of(vcpus[i], 0u) == 0x020000000000021FULL);
        MUST((param_of(vcpus[i], 17u) == 0u) && (param_of(vcpus[i], 18u) == 0u));
        for (uint32_t index = 0u; index < 64u; index++) {
            const bool there = (index < 3u) || (index == 17u) || (index == 18u);
            const int64_t hidden = (index == 28u) ? -XEN_EPERM : -XEN_EINVAL;

            MUST(param(vcpus[i], PARAM_GET, 0x7FF0u, index, &value) == (there ? 0 : hidden));
            MUST(param(vcpus[i], PARAM_SET, domain_table[i]->id, index, &value) ==
                 ((there || (index == 28u)) ? -XEN_EPERM : -XEN_EINVAL));
        }
        MUST(param(vcpus[i], PARAM_GET, 0x7FF0u, UINT32_MAX, &value) == -XEN_EINVAL);
        MUST(param(vcpus[i], PARAM_GET, 4u, 0u, &value) == -XEN_ESRCH);
    }
    for (uint32_t set = 0u; set < 2u; set++) {
        MUST(param(vcpus[1], set, 3u, 1u, &value) == -XEN_EPERM);
        MUST(param(vcpus[1], set, 1u, 1u, &value) == -XEN_EPERM);
    }
    MUST(call(vcpus[0], 34u, PARAM_GET, 8u, 0u) == -XEN_EFAULT);
    MUST(call(vcpus[0], 34u, 24u, 0u, 0u) == -XEN_ENOSYS);
    value = 0x12345ULL;
    MUST(param(vcpus[0], PARAM_SET, 2u, 17u, &value) == 0);
    MUST(param(vcpus[0], PARAM_SET, 2u, 28u, &value) == 0);
    MUST((param_of(vcpus[1], 17u) == 0x12345u) && (param_of(vcpus[2], 17u) == 0u));
    value = 0u;
    MUST((param(vcpus[0], PARAM_GET, 2u, 28u, &value) == 0) && (value == 0x12345u));
}

/* -- The page -- */

/* Tools introduce domains: they bring the page, as they think, and what they say holds in all lives. */
static void introduced_run(void)
{
    struct xen_store_ring ring;
    uint64_t pfn = MAGIC >> 12u;

    boot(TOOLS);
    MUST(param_of(vcpus[0], 1u) == 0u);
    MUST((param_of(vcpus[1], 1u) == LATER) && (param_of(vcpus[2], 1u) == LATER));
    MUST((param_of(vcpus[0], 2u) == 0u) && (param_of(vcpus[1], 2u) == 1u) && (param_of(vcpus[2], 2u) == 1u));
    MUST(!fake_guest_read(&vcpus[0]->domain->hal.map, gpa(MAGIC), &ring, sizeof(ring)));
    MUST(param(vcpus[0], PARAM_SET, 2u, 1u, &pfn) == 0);
    MUST((param_of(vcpus[1], 1u) == pfn) && (param_of(vcpus[2], 1u) == LATER));

    /* a server that knows nothing of new lives goes on with the same indexes */
    ring_get(vcpus[1], &ring);
    MUST(ring.connection == 1u);
    ring = (struct xen_store_ring){ .req_cons = 5u, .req_prod = 9u, .rsp_cons = 3u, .rsp_prod = 8u };
    ring_put(vcpus[1], &ring);
    guest_asks(vcpus[1], HAL_DOMAIN_RESET);
    until(vcpus[1]->domain, DOMAIN_RUNNING, 1u);
    ring_get(vcpus[1], &ring);
    MUST((ring.req_cons == 5u) && (ring.req_prod == 9u) && (ring.rsp_cons == 8u) && (ring.rsp_prod == 8u));
    MUST((ring.connection == 0u) && (param_of(vcpus[1], 1u) == pfn));

    /* one that can reconnect is asked to */
    ring.server_features = 1u;
    ring_put(vcpus[1], &ring);
    guest_asks(vcpus[1], HAL_DOMAIN_CRASH);
    until(vcpus[1]->domain, DOMAIN_RUNNING, 2u);
    ring_get(vcpus[1], &ring);
    MUST((ring.connection == 1u) && (ring.req_prod == 0u) && (ring.rsp_prod == 0u));
}

/* A server's map of the page outlives the life that it was made in, anybody else's does not. */
static void mapped_run(void)
{
    static const uint64_t gfn = 0x200001ULL;
    struct domain *const owner = (boot(TOOLS), vcpus[1]->domain);
    uint64_t pfn = MAGIC >> 12u;
    struct xen_store_ring ring;
    hpa_t frame = hpa(0u);

    MUST(param(vcpus[0], PARAM_SET, 2u, 1u, &pfn) == 0);
    MUST(p2m_frame(owner, pfn, true, &frame) == HV_OK);
    for (uint32_t i = 0u; i < 3u; i += 2u) {
        MUST(p2m_map_foreign(vcpus[i]->domain, gfn, owner, frame, false) == HV_OK);
    }
    guest_asks(vcpus[1], HAL_DOMAIN_CRASH);
    until(owner, DOMAIN_RUNNING, 1u);
    MUST(fake_guest_read(&vcpus[2]->domain->hal.map, gpa(gfn << 12u), &ring, sizeof(ring)));
    MUST(ring.connection == 0u);
    MUST(fake_guest_read(&vcpus[0]->domain->hal.map, gpa(gfn << 12u), &ring, sizeof(ring)));
    MUST(ring.connection == 1u);
    ring.rsp_prod = 3u; /* and it is the page that the domain has */
    MUST(fake_guest_write(&vcpus[0]->domain->hal.map, gpa(gfn << 12u), &ring, sizeof(ring)));
    ring_get(vcpus[1], &ring);
    MUST(ring.rsp_prod == 3u);
    for (uint32_t i = 0u; i < 3u; i += 2u) {
        MUST(p2m_unmap_foreign(vcpus[i]->domain, gfn) == HV_OK);
    }
}

/* No tools: the page is told from the start, to whom it is not to be kept from. */
static void alone_run(void)
{
    struct xen_store_ring ring;
    uint64_t value = 0u;

    boot(ALONE);
    MUST((param_of(vcpus[1], 1u) == (MAGIC >> 12u)) && (param_of(vcpus[2], 1u) == LATER));
    ring_get(vcpus[1], &ring);
    MUST((ring.connection == 1u) && (ring.req_prod == 0u));
    ring.req_prod = 16u; /* early, to nobody */
    ring_put(vcpus[1], &ring);
    guest_asks(vcpus[1], HAL_DOMAIN_RESET);
    until(vcpus[1]->domain, DOMAIN_RUNNING, 1u);
    ring_get(vcpus[1], &ring);
    MUST((ring.connection == 1u) && (ring.req_prod == 0u));
    /* the xenstore domain may look, and no more */
    MUST((param(vcpus[0], PARAM_GET, 2u, 1u, &value) == 0) && (value == (MAGIC >> 12u)));
    MUST(param(vcpus[0], PARAM_SET, 2u, 1u, &value) == -XEN_EPERM);
}

/* -- domctl -- */

static uint32_t flags_of(struct vcpu *who, uint16_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    MUST(domctl_call(who, 5u, domid, &arg) == 0);
    MUST((arg.u.info.domain == domid) && (arg.u.info.tot_pages == (MEMORY_BYTES >> 12u)));
    return arg.u.info.flags;
}

static void domctl_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    uint64_t store = 0u;
    uint64_t bits[4] = { 0u, 0u, LATER, LATER };

    boot(TOOLS);
    MUST((flags_of(vcpus[0], 1u) & ~0x30u) == (2u | 128u | 256u));
    MUST((flags_of(vcpus[0], 2u) & ~0x30u) == (2u | 256u));
    MUST(domctl_call(vcpus[0], 5u, 4u, &arg) == -XEN_ESRCH);
    MUST(domctl_call(vcpus[0], 999u, 2u, &arg) == -XEN_ENOSYS);
    MUST(call(vcpus[0], 36u, 16u, 0u, 0u) == -XEN_EFAULT);
    arg.interface_version = 0x18u;
    put(vcpus[0], ARGS, &arg, sizeof(arg));
    MUST(call(vcpus[0], 36u, place(vcpus[0], ARGS), 0u, 0u) == -XEN_EACCES);

    (void)memcpy(arg.u.handle, "0123456789abcdef", 16u);
    MUST(domctl_call(vcpus[0], 17u, 2u, &arg) == -XEN_EPERM); /* it has one, by its name and number */
    arg.u.max_mem.kib = 40960u;
    MUST(domctl_call(vcpus[0], 11u, 2u, &arg) == 0);
    MUST(domctl_call(vcpus[0], 5u, 2u, &arg) == 0);
    MUST((memcmp(arg.u.info.handle,
                 "bulkhe\x80"
                 "a\x80"
                 "d",
                 10u) == 0) &&
         (arg.u.info.handle[14] == 2u));
    MUST(arg.u.info.max_pages == 10240u);
    MUST((arg.u.info.max_vcpu_id == 0u) && (arg.u.info.nr_online_vcpus == 1u));

    arg.u.vcpuinfo.vcpu = 1u;
    MUST((domctl_call(vcpus[0], 14u, 1u, &arg) == 0) && (arg.u.vcpuinfo.online == 0u));
    arg.u.vcpuinfo.vcpu = 0u;
    MUST((domctl_call(vcpus[0], 14u, 1u, &arg) == 0) && (arg.u.vcpuinfo.running == 1u));
    arg.u.vcpuinfo.vcpu = 2u;
    MUST(domctl_call(vcpus[0], 14u, 1u, &arg) == -XEN_ESRCH);

    put(vcpus[0], BUFFER, bits, sizeof(bits));
    arg.u.affinity.vcpu = 0u;
    arg.u.affinity.flags = XEN_AFFINITY_HARD | XEN_AFFINITY_SOFT;
    arg.u.affinity.hard = (struct xen_bitmap){ .bitmap = place(vcpus[0], BUFFER), .nr_bits = 9u };
    arg.u.affinity.soft =
        (struct xen_bitmap){ .bitmap = place(vcpus[0], BUFFER) + 16u, .nr_bits = UINT32_MAX };
    MUST(domctl_call(vcpus[0], 25u, 2u, &arg) == 0);
    get(vcpus[0], BUFFER, bits, sizeof(bits));
    MUST((bits[0] == 0xFu) && (bits[2] == LATER) && (bits[3] == 0u));
    arg.u.nodes = (struct xen_bitmap){ .bitmap = place(vcpus[0], BUFFER), .nr_bits = 64u };
    MUST(domctl_call(vcpus[0], 69u, 2u, &arg) == 0);
    get(vcpus[0], BUFFER, bits, sizeof(bits));
    MUST(bits[0] == 1u);
    arg.u.affinity.flags = 8u;
    MUST(domctl_call(vcpus[0], 25u, 2u, &arg) == -XEN_EINVAL);

    MUST(domctl_call(vcpus[0], 3u, 1u, &arg) == -XEN_EINVAL); /* itself */
    MUST(domctl_call(vcpus[0], 4u, 2u, &arg) == -XEN_EINVAL); /* it runs */
    MUST((domctl_call(vcpus[0], 3u, 2u, &arg) == 0) && ((flags_of(vcpus[0], 2u) & 8u) != 0u));
    MUST((domctl_call(vcpus[0], 4u, 2u, &arg) == 0) && ((flags_of(vcpus[0], 2u) & 8u) == 0u));
    fake_run();

    guest_asks(vcpus[1], HAL_DOMAIN_OFF);
    until(vcpus[1]->domain, DOMAIN_STOPPED, 0u);
    MUST(flags_of(vcpus[0], 2u) == (2u | 4u | 256u));
    MUST(domctl_call(vcpus[0], 4u, 2u, &arg) == -XEN_EINVAL); /* it is not paused, but may be */
    MUST((domctl_call(vcpus[0], 3u, 2u, &arg) == 0) && (domctl_call(vcpus[0], 4u, 2u, &arg) == 0));
    MUST((param(vcpus[0], PARAM_GET, 2u, 2u, &store) == 0) && (store == 0u)); /* nobody to be connected */
    guest_asks(vcpus[2], HAL_DOMAIN_CRASH);
    until(vcpus[2]->domain, DOMAIN_CRASHED, 0u);
    MUST(flags_of(vcpus[0], 3u) == (2u | 4u | 256u | (3u << 16u)));
}

/* -- sysctl -- */

static void sysctl_run(void)
{
    struct xen_sysctl arg = { .cmd = 0u };
    struct xen_domaininfo info[3];

    boot(TOOLS);
    MUST(sysctl_call(vcpus[0], 3u, &arg) == 0);
    MUST((arg.u.physinfo.nr_cpus == CPUS) && (arg.u.physinfo.max_cpu_id == (CPUS - 1u)));
    MUST((arg.u.physinfo.total_pages == (RAM_BYTES >> 12u)) && (arg.u.physinfo.free_pages > 0u));
    MUST((arg.u.physinfo.free_pages < arg.u.physinfo.total_pages) &&
         (arg.u.physinfo.max_mfn == (((RAM + RAM_BYTES) >> 12u) - 1u)));
    MUST((sysctl_call(vcpus[0], 4u, &arg) == 0) && (arg.u.sched_id == 6u));

    arg.u.list.first_domain = 2u;
    arg.u.list.max_domains = 100u;
    arg.u.list.buffer = place(vcpus[0], BUFFER);
    MUST((sysctl_call(vcpus[0], 6u, &arg) == 0) && (arg.u.list.num_domains == 2u));
    get(vcpus[0], BUFFER, info, sizeof(info));
    MUST((sizeof(info[0]) == 120u) && (info[0].domain == 2u) && (info[1].domain == 3u));
    arg.u.list.first_domain = 0u;
    arg.u.list.max_domains = 1u;
    MUST((sysctl_call(vcpus[0], 6u, &arg) == 0) && (arg.u.list.num_domains == 1u));
    arg.u.list.buffer = 8u;
    MUST(sysctl_call(vcpus[0], 6u, &arg) == -XEN_EFAULT);
}

static void topology_run(void)
{
    struct xen_sysctl arg = { .cmd = 0u };
    uint32_t words[16];

    boot(TOOLS);
    arg.u.topology.nr = 0u;
    arg.u.topology.at = 0u;
    MUST((sysctl_call(vcpus[0], 16u, &arg) == 0) && (arg.u.topology.nr == CPUS));
    arg.u.topology.nr = UINT32_MAX;
    arg.u.topology.at = place(vcpus[0], BUFFER);
    MUST((sysctl_call(vcpus[0], 16u, &arg) == 0) && (arg.u.topology.nr == CPUS));
    get(vcpus[0], BUFFER, words, sizeof(words));
    MUST((words[3] == 1u) && (words[4] == 0u) && (words[5] == 0u));
    arg.u.topology.nr = 8u;
    arg.u.topology.distance = place(vcpus[0], BUFFER) + 16u;
    MUST((sysctl_call(vcpus[0], 17u, &arg) == 0) && (arg.u.topology.nr == 1u));
    get(vcpus[0], BUFFER, words, sizeof(words));
    MUST((words[0] == RAM_BYTES) && (words[4] == 10u));

    arg.u.cpupool.op = XEN_CPUPOOL_OP_INFO;
    arg.u.cpupool.cpupool_id = 0u;
    arg.u.cpupool.cpumap = (struct xen_bitmap){ .bitmap = place(vcpus[0], BUFFER), .nr_bits = 8u };
    MUST((sysctl_call(vcpus[0], 18u, &arg) == 0) && (arg.u.cpupool.n_dom == 3u));
    get(vcpus[0], BUFFER, words, sizeof(words));
    MUST((words[0] & 0xFFu) == 0xFu);
    arg.u.cpupool.cpupool_id = 1u;
    MUST(sysctl_call(vcpus[0], 18u, &arg) == -XEN_ENOENT);
    MUST(sysctl_call(vcpus[0], 30u, &arg) == -XEN_ENOSYS);
    arg.interface_version = 0u;
    put(vcpus[0], ARGS, &arg, sizeof(arg));
    MUST(call(vcpus[0], 35u, place(vcpus[0], ARGS), 0u, 0u) == -XEN_EACCES);
}

/* -- Who else may: nobody, but for the xenstore domain that looks -- */

static void denied_run(void)
{
    struct xen_domctl arg = { .cmd = 0u };
    struct xen_sysctl sys = { .cmd = 0u };

    boot(ALONE);
    for (uint32_t cmd = 0u; cmd < 128u; cmd++) {
        for (uint16_t domid = 0u; domid < 5u; domid++) {
            const bool there = (domid > 0u) && (domid < 4u);

            MUST(domctl_call(vcpus[1], cmd, domid, &arg) == -XEN_EPERM);
            MUST(domctl_call(vcpus[0], cmd, domid, &arg) ==
                 ((cmd != 5u) ? -XEN_EPERM : (there ? 0 : -XEN_ESRCH)));
        }
        MUST(sysctl_call(vcpus[1], cmd, &sys) == -XEN_EPERM);
        MUST(sysctl_call(vcpus[0], cmd, &sys) == -XEN_EPERM);
    }
}

/* Whatever a control domain says, it gets an answer, and everybody goes on. */
static void anything_run(void)
{
    uint64_t seed = 88172645463325252ULL;

    boot(TOOLS);
    for (uint32_t i = 0u; i < 20000u; i++) {
        union {
            struct xen_domctl domctl;
            struct xen_sysctl sysctl;
            uint64_t word[18];
        } arg;
        const bool dom = (i % 2u) != 0u;

        for (uint32_t k = 0u; k < 18u; k++) {
            seed ^= seed << 13u;
            seed ^= seed >> 7u;
            seed ^= seed << 17u;
            arg.word[k] = (k < 3u) ? (seed % 32u) : (seed >> (seed % 64u));
            arg.word[k] = ((seed % 5u) == 0u) ? (place(vcpus[0], BUFFER) + (seed % 64u)) : arg.word[k];
        }
        until_in_guest(vcpus[0]); /* it may have moved itself */
        if (dom && ((arg.word[0] % 32u) != 3u) && ((arg.word[0] % 128u) != 2u) &&
            ((arg.word[0] % 128u) != 28u)) {
            (void)domctl_call(vcpus[0], (uint32_t)(arg.word[0] % 128u), (uint16_t)(arg.word[1] % 5u),
                              &arg.domctl);
        } else {
            (void)sysctl_call(vcpus[0], (uint32_t)(arg.word[0] % 32u), &arg.sysctl);
        }
    }
    MUST((vcpus[0]->domain->state == DOMAIN_RUNNING) && (vcpus[1]->domain->state == DOMAIN_RUNNING));
    MUST(!vcpus[1]->domain->paused && (param_of(vcpus[1], 1u) == LATER));
}

#define TEST(name)                                                                                           \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(name##_run);                                                                                \
    }

/* [test->req~store-page~1] */
TEST(params)
TEST(introduced)
TEST(mapped)
TEST(alone)
/* [test->req~toolstack~1] */
TEST(domctl)
TEST(sysctl)
TEST(topology)
TEST(anything)
/* [test->req~roles~1] */
TEST(denied)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(params),   cmocka_unit_test(introduced), cmocka_unit_test(alone),
        cmocka_unit_test(domctl),   cmocka_unit_test(sysctl),     cmocka_unit_test(topology),
        cmocka_unit_test(anything), cmocka_unit_test(denied),     cmocka_unit_test(mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
