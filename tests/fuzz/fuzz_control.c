/* A control domain that is not to be trusted with the hypervisor's life. On a booted system its two vCPUs
 * make domctl, sysctl, memory_op, hvm_op and event channel calls about domains that they make, about pools,
 * themselves and a neighbour, well-formed and not, one between the pieces of the other's; calls that go
 * on are repeated, forged or forgotten. The domains that they make run, too, reset, end and give memory back.
 * In the end all are destroyed, and the tools' domain is off: nothing of them may be left, of the host's
 * memory, pools, ports, grants and maps; what is free is zero; and nobody's map leads to another's frame
 * without a reference that is held. [test->req~control-untrusted~1] */
#include <string.h>

#include "abi/xen_control.h"
#include "abi/xen_grant.h"
#include "abi/xen_memory.h"
#include "build/build.h"
#include "domain/p2m_core.h"
#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "host.h"
#include "base/percpu.h"
#include "mem/ram.h"
#include "sched/cpupool.h"
#include "tree_source.h"

#define CPUS      4u
#define STEPS_MAX 250u
#define TOOLS     2u /* vCPUs of the control domain */
#define GUEST_RAM 0x40000000ULL
#define ARGUMENT  (GUEST_RAM + 0x200000ULL) /* two pages for each vCPU */
#define WINDOW    (GUEST_RAM + 0x210000ULL)
#define MAGIC     0x39000ULL
#define ROUNDS    4000u
#define BOARD_RAM MIB(24)
#define TOOLS_RAM MIB(4)

/* clang-format off */
#define CPU(n) "cpu@" n " { device_type = \"cpu\"; reg = <" n ">; enable-method = \"e\"; };"
#define DOMAIN(name, kernel, vcpus, more) \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 4096>;" \
    "  cpus = <" vcpus ">; " more " bulkhead,restart-limit = <1000>;" \
    "  k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 " kernel " 0x1000>; }; };"
static const char board[] =
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;"
    " cpus { #address-cells = <1>; #size-cells = <0>;" CPU("0") CPU("1") CPU("2") CPU("3") "};"
    " memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x1800000>; };"
    " ic: intc { interrupt-controller; #interrupt-cells = <3>; };"
    " chosen { bulkhead,scheduler = \"credit2\"; bulkhead,spare-domains = <3 2 1024>;"
    DOMAIN("tools", "0x41000000", "2", "xen,enhanced = \"no-xenstore\"; capabilities = <5>;")
    DOMAIN("calm", "0x41001000", "1", "") "}; };";
/* clang-format on */

static struct fuzz_input in;
static struct domain *tools;
static struct domain *calm;
static uint16_t made[4]; /* numbers that were given */
static uint32_t nr_made;

/* A call that a vCPU makes, and may have to make again */
struct call {
    uint64_t number;
    uint64_t arg[5];
    bool again;
};
static struct call calls[TOOLS];

static cpuid_t cpu_of(const struct vcpu *vcpu)
{
    cpuid_t cpu = 0u;

    while ((cpu < CPUS) && (fake_cpu_guest(cpu) != &vcpu->hal)) {
        cpu++;
    }
    return cpu;
}

static void make_call(struct hal_vcpu *vcpu, void *of)
{
    struct call *const call = of;
    const uint32_t before = vcpu->nr_again;

    upcall_hypercall(vcpu, call->number, call->arg);
    call->again = (vcpu->nr_again != before);
}

/* -- Words of arguments -- */

static uint16_t any_domid(void)
{
    const uint8_t how = fuzz_u8(&in);
    uint16_t id = made[how & 3u];

    if (how >= 0xF8u) {
        id = (uint16_t)fuzz_bytes(&in, 2u);
    } else if (how >= 0xF0u) {
        id = tools->id;
    } else if (how >= 0xE8u) {
        id = 0x7FF0u;
    } else {
        /* one that was made */
    }
    return (id == calm->id) ? 0x7FEFu : id; /* of which it says nothing, it changes nothing */
}

static uint64_t argument(uint32_t v)
{
    return ARGUMENT + (v * 2u * PAGE_BYTES);
}

/* A frame of a made domain, or of one of ours */
static uint64_t any_gfn(void)
{
    const uint8_t how = fuzz_u8(&in);
    uint64_t gfn = (GUEST_RAM >> PAGE_SHIFT) + ((how & 7u) * 512u) + ((how & 8u) * 5u);

    if (how >= 0xF0u) {
        gfn = fuzz_number(&in);
    } else if (how >= 0xC0u) {
        gfn = MAGIC + (how & 3u);
    } else {
        /* RAM */
    }
    return gfn;
}

static uint64_t any_word(uint32_t v)
{
    const uint8_t how = fuzz_u8(&in);
    uint64_t word = how & 31u;

    switch (how >> 5u) {
    case 0u:
        word = any_gfn();
        break;
    case 1u:
        word = argument(v) + PAGE_BYTES;
        break;
    case 2u:
        word = fuzz_number(&in);
        break;
    case 3u:
        word = (uint64_t)word * 1024u;
        break;
    case 4u:
        word = ((uint64_t)any_domid() << 32u) | word;
        break;
    default:
        break;
    }
    return word;
}

/* -- Calls of the tools -- */

static void put(uint64_t at, const void *from, uint64_t bytes)
{
    (void)fake_guest_write(&tools->hal.map, gpa(at), from, bytes);
}

static void create_fill(struct xen_domctl *op)
{
    op->domain = ((fuzz_u8(&in) & 7u) == 7u) ? (uint16_t)fuzz_bytes(&in, 2u) : 0u;
    op->u.create.flags = XEN_CDF_HVM | XEN_CDF_HAP;
    op->u.create.max_vcpus = 1u + (fuzz_u8(&in) & 1u);
    op->u.create.max_evtchn_port = 1023u;
    op->u.create.max_grant_frames = 4;
    op->u.create.max_maptrack_frames = 4;
    op->u.create.grant_opts = 1u;
    for (uint8_t how = fuzz_u8(&in); how >= 0xC0u; how = fuzz_u8(&in)) { /* bounded by the input */
        ((uint8_t *)&op->u)[fuzz_u8(&in) & 127u] = fuzz_u8(&in);
    }
}

static void context_fill(uint32_t v, struct xen_domctl *op)
{
    const struct xen_vcpu_context context = {
        .flags = 1u, .pc = any_word(v), .cpsr = 0x1C5u, .sctlr = 0x00C50078u, .x = { any_word(v) }
    };

    op->u.vcpucontext.vcpu = fuzz_u8(&in) & 3u;
    op->u.vcpucontext.context = argument(v) + PAGE_BYTES;
    put(argument(v) + PAGE_BYTES, &context, sizeof(context));
}

/* Of a domain, or of some vCPUs of it whose elements stand on the vCPU's second page */
static void sched_fill(uint32_t v, struct xen_domctl *op)
{
    struct xen_sched_vcpu element;

    op->u.scheduler.sched_id = XEN_SCHEDULER_CREDIT + (fuzz_u8(&in) % 6u);
    op->u.scheduler.cmd = fuzz_u8(&in) & 3u;
    if (op->u.scheduler.cmd >= XEN_SCHEDOP_PUTVCPUINFO) {
        op->u.sched_vcpus.vcpus = argument(v) + PAGE_BYTES;
        op->u.sched_vcpus.nr_vcpus = fuzz_u8(&in) & 31u;
        for (uint32_t i = 0u; i < 32u; i++) {
            element = (struct xen_sched_vcpu){ { 5000u + i, fuzz_u8(&in) * 20u, i & 1u }, fuzz_u8(&in) & 3u };
            put(argument(v) + PAGE_BYTES + (i * sizeof(element)), &element, sizeof(element));
        }
    } else {
        op->u.sched_rt.rt =
            (struct xen_sched_rt){ (uint32_t)fuzz_number(&in), (uint32_t)fuzz_number(&in), fuzz_u8(&in) };
    }
}

static void domctl(uint32_t v, struct call *call)
{
    /* those that do something, and often enough in an order that leads somewhere */
    static const uint8_t common[] = { 1u,  1u,  2u,  2u,  3u,  4u,  4u,  5u,  9u,  11u, 12u,
                                      13u, 14u, 15u, 16u, 17u, 20u, 24u, 25u, 27u, 28u, 35u,
                                      36u, 37u, 38u, 39u, 45u, 47u, 48u, 66u, 68u, 69u, 71u,
                                      74u, 81u, 85u, 86u, 87u, 89u, 18u, 19u, 29u, 4u,  1u };
    const uint8_t which = fuzz_u8(&in);
    struct xen_domctl op = { .cmd = (which < 0xF0u) ? common[which % sizeof(common)] : fuzz_u8(&in),
                             .interface_version = (which == 0xEFu) ? 0x16u : XEN_DOMCTL_VERSION,
                             .domain = any_domid() };

    if (op.cmd == XEN_DOMCTL_CREATEDOMAIN) {
        create_fill(&op);
    } else if (op.cmd == XEN_DOMCTL_SETVCPUCONTEXT) {
        context_fill(v, &op);
    } else if ((op.cmd == XEN_DOMCTL_SCHEDULER_OP) && (which < 0xE0u)) {
        sched_fill(v, &op);
    } else {
        for (uint32_t i = 0u; i < 4u; i++) {
            op.u.room[i] = any_word(v);
        }
    }
    put(argument(v), &op, sizeof(op));
    *call = (struct call){ XEN_HCALL_DOMCTL, { argument(v) }, false };
}

static void sysctl(uint32_t v, struct call *call)
{
    struct xen_sysctl op = { .cmd = fuzz_u8(&in) & 31u, .interface_version = XEN_SYSCTL_VERSION };

    for (uint32_t i = 0u; i < 5u; i++) {
        op.u.room[i] = any_word(v);
    }
    put(argument(v), &op, sizeof(op));
    *call = (struct call){ XEN_HCALL_SYSCTL, { argument(v) }, false };
}

static uint32_t any_pool(void)
{
    const uint8_t how = fuzz_u8(&in);

    return (how >= 0xF8u) ? (uint32_t)fuzz_number(&in) : ((how >= 0xE0u) ? XEN_CPUPOOL_ANY : (how & 3u));
}

/* Up to four windows of made domains, on the vCPU's second page */
static void schedule_fill(uint32_t v, struct xen_sysctl *op)
{
    struct xen_arinc653_schedule s = { .major_frame = 1u + (fuzz_u8(&in) * 100000u),
                                       .num_sched_entries = fuzz_u8(&in) & 7u };

    for (uint32_t i = 0u; i < 4u; i++) {
        const struct domain *const domain = domain_by_id(made[fuzz_u8(&in) & 3u]);

        if (domain != NULL) {
            (void)memcpy(s.sched_entries[i].dom_handle, domain->handle, sizeof(domain->handle));
        }
        s.sched_entries[i].vcpu_id = fuzz_u8(&in) & 3u;
        s.sched_entries[i].runtime = fuzz_u8(&in) * 10000u;
    }
    put(argument(v) + PAGE_BYTES, &s, sizeof(s));
    op->u.scheduler.of.schedule = argument(v) + PAGE_BYTES;
}

static void pools(uint32_t v, struct call *call)
{
    const uint8_t what = fuzz_u8(&in);
    const uint32_t sched_id = XEN_SCHEDULER_CREDIT + (fuzz_u8(&in) % 6u);
    struct xen_sysctl op = { .cmd = XEN_SYSCTL_CPUPOOL_OP, .interface_version = XEN_SYSCTL_VERSION };

    if (what >= 0xC0u) {
        op.cmd = XEN_SYSCTL_SCHEDULER_OP;
        op.u.scheduler.cpupool_id = any_pool();
        op.u.scheduler.sched_id = sched_id;
        op.u.scheduler.cmd = what & 1u;
        if (sched_id == XEN_SCHEDULER_ARINC653) {
            schedule_fill(v, &op);
        } else {
            op.u.scheduler.of.credit.tslice_ms = (uint32_t)fuzz_number(&in);
            op.u.scheduler.of.credit.ratelimit_us = (uint32_t)fuzz_number(&in);
        }
    } else {
        op.u.cpupool.op = what & 7u;
        op.u.cpupool.cpupool_id = any_pool();
        op.u.cpupool.sched_id = sched_id;
        op.u.cpupool.domid = any_domid();
        op.u.cpupool.cpu = ((what & 0x38u) == 0u) ? XEN_CPUPOOL_ANY : (fuzz_u8(&in) & 7u);
        op.u.cpupool.cpumap = (struct xen_bitmap){ .bitmap = argument(v) + PAGE_BYTES, .nr_bits = what };
    }
    put(argument(v), &op, sizeof(op));
    *call = (struct call){ XEN_HCALL_SYSCTL, { argument(v) }, false };
}

/* The extents stand on the vCPU's second page. */
static void reservation(uint32_t v, struct call *call)
{
    static const uint8_t ops[] = { 6u, 6u, 6u, 1u, 0u, 24u, 4u, 3u };
    static const uint8_t orders[] = { 0u, 9u, 9u, 0u, 1u, 10u, 18u, 9u };
    const uint8_t which = fuzz_u8(&in);
    const struct xen_memory_reservation arg = { .extent_start = argument(v) + PAGE_BYTES,
                                                .nr_extents = 1u + (fuzz_u8(&in) & 15u),
                                                .extent_order = orders[(which >> 3u) & 7u],
                                                .mem_flags =
                                                    (which >= 0xF0u) ? (uint32_t)fuzz_number(&in) : 0u,
                                                .domid = any_domid() };
    uint64_t gfn = any_gfn();

    for (uint32_t i = 0u; i < 16u; i++) {
        put(argument(v) + PAGE_BYTES + (i * 8u), &gfn, 8u);
        gfn += 1ULL << (arg.extent_order & 31u);
    }
    put(argument(v), &arg, sizeof(arg));
    *call = (struct call){ XEN_HCALL_MEMORY_OP, { ops[which & 7u], argument(v) }, false };
}

static void foreign(uint32_t v, struct call *call)
{
    const uint8_t which = fuzz_u8(&in);
    const uint64_t list = argument(v) + PAGE_BYTES;
    const struct xen_add_to_physmap_batch batch = { .domid = ((which & 0x38u) != 0u) ? 0x7FF0u : any_domid(),
                                                    .space = XENMAPSPACE_GMFN_FOREIGN,
                                                    .size = 1u + (which & 7u),
                                                    .foreign_domid = any_domid(),
                                                    .idxs = list,
                                                    .gpfns = list + 64u,
                                                    .errs = list + 128u };
    uint64_t gfn = any_gfn();

    for (uint32_t i = 0u; i < 8u; i++) {
        const uint64_t here = (WINDOW >> PAGE_SHIFT) + i;

        put(list + (i * 8u), &gfn, 8u);
        put(list + 64u + (i * 8u), &here, 8u);
        gfn++;
    }
    put(argument(v), &batch, sizeof(batch));
    *call = (struct call){ XEN_HCALL_MEMORY_OP, { XENMEM_ADD_TO_PHYSMAP_BATCH, argument(v) }, false };
}

/* Anything else about a domain: words of the argument are numbers of domains, pages, small numbers. */
static void other(uint32_t v, struct call *call)
{
    static const uint8_t numbers[][2] = { { 34u, 0u },  { 34u, 1u },  { 32u, 6u }, { 32u, 0u }, { 32u, 3u },
                                          { 32u, 5u },  { 32u, 10u }, { 29u, 4u }, { 12u, 7u }, { 12u, 15u },
                                          { 12u, 28u }, { 12u, 14u }, { 20u, 0u }, { 20u, 1u }, { 20u, 5u },
                                          { 20u, 6u },  { 27u, 5u },  { 41u, 0u }, { 32u, 1u }, { 32u, 4u } };
    const uint8_t which = fuzz_u8(&in);
    const uint8_t *const number = numbers[which % (sizeof(numbers) / sizeof(numbers[0]))];
    uint64_t words[5] = { any_domid() | ((uint64_t)(fuzz_u8(&in) & 31u) << 32u) };
    const uint16_t target = (uint16_t)words[0];

    if ((number[0] == XEN_HCALL_SCHED_OP) &&
        ((target == tools->id) || (target == calm->id) || (target == XEN_DOMID_SELF))) {
        words[0] = 0x7FEFu; /* it would end what is to go on to the end */
    }

    for (uint32_t i = 1u; i < 5u; i++) {
        words[i] = any_word(v);
    }
    put(argument(v), words, sizeof(words));
    *call = (struct call){ number[0], { number[1], argument(v), 1u }, false };
}

static void made_note(const struct call *call, uint32_t v)
{
    struct xen_domctl op;

    if ((call->number == XEN_HCALL_DOMCTL) && (call->arg[0] == 0u) && !call->again &&
        fake_guest_read(&tools->hal.map, gpa(argument(v)), &op, sizeof(op)) &&
        (op.cmd == XEN_DOMCTL_CREATEDOMAIN)) {
        made[nr_made % 4u] = op.domain;
        nr_made++;
    }
}

/* Goes on with what is under way, mostly. */
static void tools_step(uint32_t v, uint8_t what)
{
    static void (*const kinds[8])(uint32_t v, struct call *call) = { domctl, domctl,      domctl,  pools,
                                                                     sysctl, reservation, foreign, other };
    struct call *const call = &calls[v];
    const cpuid_t cpu = cpu_of(tools->vcpu[v]);

    if ((cpu == CPUS) || (!call->again && ((what & 0xF0u) == 0x80u))) {
        fake_time_advance(HOST_MS); /* there is nothing to go on with */
    } else {
        if (!call->again || (what >= 0xF0u)) {
            kinds[what & 7u](v, call);
        }
        if (what >= 0xFCu) {
            call->arg[1] = any_word(v); /* as if it went on */
        }
        fake_guest_call(cpu, make_call, call);
        made_note(call, v);
    }
}

/* -- What made domains do -- */

static struct domain *made_domain(uint8_t which)
{
    struct domain *const domain = domain_by_id(made[which & 3u]);

    return ((domain != tools) && (domain != calm)) ? domain : NULL;
}

static void act(struct hal_vcpu *vcpu, void *arg)
{
    static const enum hal_power_request ends[4] = { HAL_DOMAIN_RESET, HAL_DOMAIN_OFF, HAL_DOMAIN_CRASH,
                                                    HAL_DOMAIN_WATCHDOG };
    const uint32_t what = (uint32_t)(uintptr_t)arg;
    struct hal_vcpu *const other = upcall_vcpu(vcpu->domain, 1u);

    if ((what & 3u) == 0u) {
        upcall_domain_power(vcpu->domain, ends[(what >> 2u) & 3u], "it asked");
    } else if (((what & 3u) == 1u) && (other != NULL)) {
        (void)upcall_vcpu_start(other, what, what);
    } else if ((what & 3u) == 2u) {
        upcall_vcpu_block(vcpu);
    } else {
        upcall_vcpu_stop(vcpu);
    }
}

/* Its arguments stand at the beginning of its RAM, if it has any. */
static void made_calls(struct domain *domain, cpuid_t cpu)
{
    static const uint8_t numbers[][2] = { { 12u, 1u }, { 12u, 6u }, { 12u, 7u }, { 32u, 6u },
                                          { 32u, 0u }, { 20u, 0u }, { 29u, 2u }, { 24u, 10u } };
    const uint8_t which = fuzz_u8(&in);
    uint64_t words[5];
    struct call call = { numbers[which & 7u][0], { numbers[which & 7u][1], GUEST_RAM, 1u }, false };

    for (uint32_t i = 0u; i < 5u; i++) {
        words[i] = any_word(0u);
    }
    if (call.number == XEN_HCALL_MEMORY_OP) {
        const uint64_t gfn = any_gfn();

        words[0] = GUEST_RAM + 64u;
        words[1] = 1u;
        words[2] = ((which & 8u) != 0u) ? 9u : 0u;
        words[4] = 0x7FF0u;
        (void)fake_guest_write(&domain->hal.map, gpa(GUEST_RAM + 64u), &gfn, sizeof(gfn));
    }
    (void)fake_guest_write(&domain->hal.map, gpa(GUEST_RAM), words, sizeof(words));
    fake_guest_call(cpu, make_call, &call);
}

static void made_step(uint8_t what)
{
    struct domain *const domain = made_domain(what);
    const cpuid_t cpu = ((domain != NULL) && (domain->state == DOMAIN_RUNNING))
                            ? cpu_of(domain->vcpu[(what >> 2u) & 1u])
                            : CPUS;

    if (cpu == CPUS) {
        fake_time_advance(HOST_MS);
    } else if ((what & 0x38u) == 0u) {
        fake_guest_call(cpu, act, (void *)(uintptr_t)fuzz_u8(&in));
    } else {
        made_calls(domain, cpu);
    }
}

/* -- What must hold -- */

static void calm_memory(bool check)
{
    for (uint64_t at = 0x1000u; at < (4u << 20u); at += 0x3F000u) {
        uint64_t word = at;

        if (check) {
            FUZZ_MUST(fake_guest_read(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u) && (word == at));
        } else {
            FUZZ_MUST(fake_guest_write(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u));
        }
    }
}

static void step(void)
{
    const uint8_t what = fuzz_u8(&in);
    const uint8_t who = fuzz_u8(&in);

    if (who >= 0xE0u) {
        fake_time_advance(HOST_MS * ((who & 15u) + 1u));
    } else if (who >= 0xB0u) {
        made_step(what);
    } else {
        tools_step(who & 1u, what);
    }
    fake_run();
    FUZZ_MUST(fake_windows_open() == 0u);
}

static void vcpu_on(struct hal_vcpu *vcpu, void *unused)
{
    (void)unused;
    (void)upcall_vcpu_start(upcall_vcpu(vcpu->domain, 1u), GUEST_RAM, 1u);
}

static void boot(void)
{
    static void *tree;
    static size_t tree_bytes;

    if (tree == NULL) {
        tree = tree_compile(board, &tree_bytes);
    }
    host_reset();
    host_setup(tree, tree_bytes);
    for (uint64_t at = 0x41000000u; at < 0x41002000u; at += 0x1000u) {
        const uint64_t bytes = 0x1000u;

        (void)memcpy(fake_ram(hpa(at + 16u), 8u), &bytes, 8u);
        (void)memcpy(fake_ram(hpa(at + 56u), 4u), "ARMd", 4u);
    }
    host_on(0u);
    tools = domain_by_name("tools");
    calm = domain_by_name("calm");
    FUZZ_MUST((tools != NULL) && (calm != NULL));
    for (uint32_t i = 0u; (i < 100u) && ((tools->state != DOMAIN_RUNNING) || (calm->state != DOMAIN_RUNNING));
         i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST((tools->state == DOMAIN_RUNNING) && (calm->state == DOMAIN_RUNNING));
    for (uint32_t i = 0u; (i < 100u) && (cpu_of(tools->vcpu[0]) == CPUS); i++) {
        fake_time_advance(HOST_MS);
    }
    fake_guest_call(cpu_of(tools->vcpu[0]), vcpu_on, NULL);
    (void)memset(calls, 0, sizeof(calls));
    (void)memset(made, 0xFF, sizeof(made));
    nr_made = 0u;
}

/* Whose frame is it? NULL: no domain's */
static const struct domain *owner_of(hpa_t at)
{
    const struct domain *owner = NULL;

    for (uint32_t i = 0u; i < domain_count; i++) {
        const struct domain *const domain = domain_table[i];
        bool its = (domain->blocks != NULL) && (blocks_owner(at) == domain->blocks->owner);

        for (uint32_t c = 0u; c < domain->nr_chunks; c++) {
            its = its || ((at.v - domain->chunk[c].to.v) < domain->chunk[c].bytes);
        }
        FUZZ_MUST(!its || (owner == NULL));
        owner = its ? domain : owner;
    }
    return owner;
}

/* Each page of a map is the domain's, the hypervisor's for it, or of another by a reference. */
static void reach_check(const struct domain *domain)
{
    uint64_t bytes = 0u;
    uint32_t perm = 0u;
    gpa_t at = gpa(0u);
    hpa_t to = hpa(0u);

    for (uint32_t i = 0u;
         (domain->state == DOMAIN_RUNNING) && fake_map_region(&domain->hal.map, i, &at, &to, &bytes, &perm);
         i++) {
        for (uint64_t page = 0u; page < bytes; page += PAGE_BYTES) {
            const struct domain *const owner = owner_of(hpa(to.v + page));

            FUZZ_MUST((owner != NULL) || (ram_owner(hpa(to.v + page)) != RAM_FREE));
            if ((owner != NULL) && (owner != domain)) {
                const struct p2m_ref *const ref =
                    p2m_ref_find(domain->p2m, hpa(to.v + page), (at.v + page) >> PAGE_SHIFT, 0u);

                FUZZ_MUST((ref != NULL) && (ref->owner == owner));
                FUZZ_MUST(ref->write || ((perm & HAL_PERM_W) == 0u));
            }
        }
    }
}

static void reach_check_all(void)
{
    for (uint32_t i = 0u; i < domain_count; i++) {
        reach_check(domain_table[i]);
    }
}

/* Each CPU is in one pool or in none, each domain in one, the boot CPU in the first. */
static void pools_check(void)
{
    struct sched_pool_facts pool = { .id = 0u };
    uint64_t cpus = sched_pool_free_cpus();
    uint32_t nr_domains = 0u;

    FUZZ_MUST((sched_pool_facts(0u, &pool) == HV_OK) && (pool.id == 0u) && ((pool.cpus & 1u) != 0u));
    for (uint32_t id = 0u; sched_pool_facts(id, &pool) == HV_OK; id = pool.id + 1u) {
        FUZZ_MUST((cpus & pool.cpus) == 0u);
        cpus |= pool.cpus;
        nr_domains += pool.nr_domains;
    }
    FUZZ_MUST((cpus == percpu_online()) && (nr_domains == domain_nr_there()) && (calm->cpupool == 0u));
}

struct account {
    uint64_t free_bytes;
    uint32_t pool[HV_DOMAINS_MAX];
};

static struct account account_now(void)
{
    struct account now = { .free_bytes = blocks_free_bytes() + blocks_dirty_bytes() };

    for (uint32_t i = 0u; i < domain_count; i++) {
        now.pool[i] = domain_table[i]->pool.nr_free;
    }
    return now;
}

/* Of each page that nobody has, some words */
static void free_is_zero(void)
{
    static const uint32_t words[4] = { 0u, 8u, 2048u, 4088u };

    for (uint64_t at = HOST_RAM; at < (HOST_RAM + BOARD_RAM); at += PAGE_BYTES) {
        if ((ram_owner(hpa(at)) == RAM_FREE) ||
            ((ram_owner(hpa(at)) == RAM_BLOCKS) && (blocks_owner(hpa(at)) == 0u))) {
            for (uint32_t i = 0u; i < 4u; i++) {
                FUZZ_MUST(*(const uint64_t *)(const void *)fake_ram(hpa(at + words[i]), 8u) == 0u);
            }
        }
    }
}

static struct domain *one_made(void)
{
    struct domain *found = NULL;

    for (uint32_t i = 0u; i < domain_count; i++) {
        found = (domain_table[i]->plan->spare && domain_is_there(domain_table[i])) ? domain_table[i] : found;
    }
    return found;
}

/* One piece of what vCPU v has under way; what vCPU 1 had when it went off is over. */
static void go_on(uint32_t v)
{
    const cpuid_t cpu = cpu_of(tools->vcpu[v]);

    if ((cpu < CPUS) && calls[v].again) {
        fake_guest_call(cpu, make_call, &calls[v]);
    }
    calls[v].again = calls[v].again && (tools->vcpu[v]->state != VCPU_OFF);
}

/* What is under way is forgotten, then each is destroyed, by who made it. */
static void destroy_all(void)
{
    struct domain *one = one_made();

    (void)memset(calls, 0, sizeof(calls));
    for (uint32_t i = 0u; (i < ROUNDS) && ((one != NULL) || calls[0].again || calls[1].again); i++) {
        if ((one != NULL) && !calls[0].again) {
            const struct xen_domctl op = { .cmd = XEN_DOMCTL_DESTROYDOMAIN,
                                           .interface_version = XEN_DOMCTL_VERSION,
                                           .domain = one->id };

            put(argument(0u), &op, sizeof(op));
            calls[0] = (struct call){ XEN_HCALL_DOMCTL, { argument(0u) }, true };
        }
        for (uint32_t v = 0u; v < TOOLS; v++) {
            go_on(v);
        }
        fake_run();
        fake_time_advance(HOST_MS);
        one = one_made();
    }
    FUZZ_MUST((one == NULL) && !calls[0].again && !calls[1].again);
}

static void tools_off(void)
{
    (void)build_order(tools, HAL_DOMAIN_OFF, "the end of the input");
    for (uint32_t i = 0u; (i < ROUNDS) && ((tools->state == DOMAIN_STOPPING) || (blocks_dirty_bytes() != 0u));
         i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST((tools->state == DOMAIN_STOPPED) && (blocks_dirty_bytes() == 0u));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    in = (struct fuzz_input){ data, bytes };
    boot();
    calm_memory(false);
    const struct account before = account_now();

    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u) && (fake_power_state() == FAKE_POWER_ON); n++) {
        step();
        if ((n % 16u) == 0u) {
            reach_check_all();
            pools_check();
        }
    }
    FUZZ_MUST((tools->state == DOMAIN_RUNNING) && (calm->state == DOMAIN_RUNNING));
    reach_check_all();
    destroy_all();
    reach_check_all();
    pools_check();
    calm_memory(true);
    tools_off();
    const struct account after = account_now();

    FUZZ_MUST(after.free_bytes == (before.free_bytes + TOOLS_RAM));
    for (uint32_t i = 0u; i < domain_count; i++) {
        FUZZ_MUST((domain_table[i] == tools) || (after.pool[i] == before.pool[i]));
    }
    free_is_zero();
    return 0;
}
