/* A booted system of two domains that may share. One, plain or a control domain as the first byte says, makes
 * hypercalls: every number, arguments in memory or nowhere, lists of them, and writes the words that it
 * shares with the hypervisor, its grant table among them, and what it mapped, as the input says; it may reset
 * itself. The other one grants it a page to read and one to write: all else of its memory stays as it is.
 * Each page that a map leads to is the domain's own, the hypervisor's for it, or of another by a reference
 * that it holds. When the first one is off, the other one has as many pages as before, and nobody uses its
 * grants. [test->req~guest-words-bounded~1] [test->req~memory-apart~1] [test->req~grants~1] */
#include <string.h>

#include "abi/xen_grant.h"
#include "abi/xen_memory.h"
#include "build/build.h"
#include "domain/p2m_core.h"
#include "evtchn/evtchn.h"
#include "hal/upcall.h"
#include "host.h"
#include "tree_source.h"

#define CPUS      2u
#define STEPS_MAX 200u
#define GUEST_RAM 0x40000000ULL
#define ARGUMENT  (GUEST_RAM + 0x200000ULL) /* three pages; what is shared comes behind them */
#define SHARED    (GUEST_RAM + 0x203000ULL)
#define NR_SHARED 4u
#define PATTERN   0x5AA55AA5C33C3CC3ULL
#define WINDOW    0x38000000ULL /* the grant table's place, and behind it some that nothing has */
#define NR_PLACES 8u
#define CALM_READ                                                                                            \
    (0x1000ULL + 0x3F000ULL) /* what calm grants: a page that is looked at, and one that is not */
#define CALM_OPEN 0x2000ULL

/* clang-format off */
#define DOMAIN(name, more, kernel, own, port, other) \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 4096>;" \
    "  cpus = <1>; " more " xen,enhanced = \"no-xenstore\"; bulkhead,restart-limit = <1000>;" \
    "  " own ": c { compatible = \"xen,evtchn-v1\"; xen,evtchn = <" port " &" other ">; };" \
    "  k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 " kernel " 0x1000>; }; };"
#define BOARD(more) \
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;" \
    " cpus { #address-cells = <1>; #size-cells = <0>;" CPU("0") CPU("1") "};" \
    " memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x3000000>; };" \
    " ic: intc { interrupt-controller; #interrupt-cells = <3>; };" \
    " chosen { bulkhead,scheduler = \"credit2\";" \
    DOMAIN("wild", more, "0x42000000", "a", "5", "b") DOMAIN("calm", "", "0x42001000", "b", "9", "a") "}; };"
#define CPU(n) "cpu@" n " { device_type = \"cpu\"; reg = <" n ">; enable-method = \"e\"; };"
/* clang-format on */

static struct fuzz_input in;
static struct domain *wild;
static struct domain *calm;

static bool wild_controls;

/* A control domain may write whatever it maps. */
static void calm_memory(bool check)
{
    for (uint64_t at = 0x1000u; at < (4u << 20u); at += 0x3F000u) {
        uint64_t word = PATTERN ^ at;

        if (check) {
            FUZZ_MUST(fake_guest_read(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u) || wild_controls);
            FUZZ_MUST(wild_controls || (word == (PATTERN ^ at)));
        } else {
            FUZZ_MUST(fake_guest_write(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u));
        }
    }
}

static cpuid_t cpu_of(const struct domain *domain)
{
    cpuid_t cpu = 0u;

    while ((cpu < CPUS) && (fake_cpu_guest(cpu) != &domain->vcpu[0]->hal)) {
        cpu++;
    }
    return cpu;
}

static uint64_t call[6]; /* number and arguments */

static void make_call(struct hal_vcpu *vcpu, void *unused)
{
    (void)unused;
    upcall_hypercall(vcpu, call[0], &call[1]);
}

/* -- What the other one grants -- */

static int64_t calm_call(uint64_t number, uint64_t op, const void *arg, uint32_t bytes, uint64_t more)
{
    FUZZ_MUST(fake_guest_write(&calm->hal.map, gpa(ARGUMENT), arg, bytes));
    call[0] = number;
    call[1] = op;
    call[2] = ARGUMENT;
    call[3] = more;
    fake_guest_call(cpu_of(calm), make_call, NULL);
    return (int64_t)call[1];
}

static void calm_grants(void)
{
    const struct xen_add_to_physmap add = { 0x7FF0u, 0u, XENMAPSPACE_GRANT_TABLE, 0u, WINDOW >> PAGE_SHIFT };
    const struct xen_grant_v1 entry[2] = {
        { ((uint32_t)wild->id << 16u) | GTF_PERMIT_ACCESS | GTF_READONLY,
          (uint32_t)((GUEST_RAM + CALM_READ) >> PAGE_SHIFT) },
        { ((uint32_t)wild->id << 16u) | GTF_PERMIT_ACCESS,
          (uint32_t)((GUEST_RAM + CALM_OPEN) >> PAGE_SHIFT) },
    };

    FUZZ_MUST(calm_call(XEN_HCALL_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, &add, sizeof(add), 0u) == 0);
    FUZZ_MUST(fake_guest_write(&calm->hal.map, gpa(WINDOW + (8u * sizeof(entry[0]))), entry, sizeof(entry)));
}

static void calm_is_as_before(const struct pool *before, uint64_t pages)
{
    struct xen_grant_v1 entry[2];

    FUZZ_MUST(fake_guest_read(&calm->hal.map, gpa(WINDOW + (8u * sizeof(entry[0]))), entry, sizeof(entry)));
    FUZZ_MUST(((entry[0].flags_domid | entry[1].flags_domid) & (GTF_READING | GTF_WRITING)) == 0u);
    FUZZ_MUST((calm->pool.nr_free + 1u >= before->nr_free) &&
              /* counts of what it grants */ (p2m_pages(calm) == pages));
}

/* -- Who reaches what -- */

static struct domain *owner_of(hpa_t at)
{
    struct domain *owner = NULL;

    for (uint32_t i = 0u; i < domain_count; i++) {
        for (uint32_t c = 0u; c < domain_table[i]->nr_chunks; c++) {
            const struct domain_chunk *const chunk = &domain_table[i]->chunk[c];

            if ((at.v - chunk->to.v) < chunk->bytes) {
                FUZZ_MUST(owner == NULL);
                owner = domain_table[i];
            }
        }
    }
    return owner;
}

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
            struct domain *const owner = owner_of(hpa(to.v + page));

            if ((owner != NULL) && (owner != domain)) {
                const struct p2m_ref *const ref =
                    p2m_ref_find(domain->p2m, hpa(to.v + page), (at.v + page) >> PAGE_SHIFT, 0u);

                FUZZ_MUST((ref != NULL) && (ref->owner == owner) && (owner->state == DOMAIN_RUNNING));
                FUZZ_MUST(ref->write || ((perm & HAL_PERM_W) == 0u));
            }
        }
    }
}

/* Half of the argument's words are small numbers, or pages that may be shared. */
static void argument_write(void)
{
    for (uint32_t i = 0u; i < 10u; i++) {
        const uint8_t how = fuzz_u8(&in);
        uint32_t word = how & 31u;

        if ((how & 0xC0u) == 0x40u) {
            word = (uint32_t)(((how & 32u) != 0u) ? (WINDOW >> 12u) : (SHARED >> 12u)) + (how % NR_SHARED);
            word <<= ((how & 16u) != 0u) ? 12u : 0u; /* an address, or a frame */
            word = ((how & 24u) == 24u) ? (uint32_t)(ARGUMENT + 32u) : word;
        } else if ((how & 0xC0u) == 0x80u) {
            word = ((how & 2u) != 0u) ? calm->id : (0x7FF0u | ((uint32_t)(how & 1u) * 0x7FF00000u));
            word |= (how & 4u) << 14u;
        } else if ((how & 0xC0u) == 0xC0u) {
            word = (uint32_t)fuzz_number(&in);
        } else {
            /* small */
        }
        (void)fake_guest_write(&wild->hal.map, gpa(ARGUMENT + (i * 4u)), &word, 4u);
    }
}

static uint64_t pointer(void)
{
    const uint8_t how = fuzz_u8(&in);
    uint64_t at = ARGUMENT;

    if (how >= 0xF8u) {
        at = fuzz_number(&in);
    } else if (how >= 0xE0u) {
        at = SHARED + (fuzz_bytes(&in, 2u) % (NR_SHARED * PAGE_BYTES));
    } else if (how >= 0xC0u) {
        at = ARGUMENT + PAGE_BYTES - (how & 31u);
    } else {
        /* where it was written */
    }
    return at;
}

static void hypercall(cpuid_t cpu)
{
    static const uint8_t numbers[16] = { 32u, 32u, 20u, 20u, 20u, 12u, 12u, 12u,
                                         24u, 17u, 29u, 13u, 34u, 18u, 21u, 36u };
    const uint8_t which = fuzz_u8(&in);

    argument_write();
    call[0] = (which < 0xF0u) ? numbers[which & 15u] : fuzz_number(&in);
    call[1] = fuzz_u8(&in) & 31u;
    call[2] = pointer();
    call[3] = ((which & 0x40u) != 0u) ? ((which >> 4u) & 3u) : pointer();
    if (call[0] == 13u) { /* a list of one call or some, of what is in memory */
        call[1] = ARGUMENT;
        call[2] = call[3] & 31u;
    }
    if (call[0] == 24u) {
        call[2] &= 1u;
    }
    fake_guest_call(cpu, make_call, NULL);
}

static void step(void)
{
    const uint8_t what = fuzz_u8(&in);
    const cpuid_t cpu = cpu_of(wild);

    if (cpu == CPUS) {
        fake_time_advance(HOST_MS);
    } else if ((what & 7u) == 0u) {
        const uint32_t word = (uint32_t)fuzz_bytes(&in, 4u);
        const uint64_t offset = fuzz_bytes(&in, 2u) * 4u;
        const uint64_t at = ((what & 8u) != 0u) ? (SHARED + (offset % (NR_SHARED * PAGE_BYTES)))
                                                : (WINDOW + (offset % (NR_PLACES * PAGE_BYTES)));

        (void)fake_guest_write(&wild->hal.map, gpa(at), &word, 4u);
    } else if (what == 1u) {
        evtchn_raise(wild, fuzz_u8(&in)); /* as its peer would */
    } else if (what == 9u) {
        (void)fake_guest_ack(&wild->vcpu[0]->hal);
    } else {
        hypercall(cpu);
    }
    fake_run();
    FUZZ_MUST(fake_windows_open() == 0u);
}

static void boot(void)
{
    static void *tree[2];
    static size_t tree_bytes[2];
    const uint32_t which = wild_controls ? 1u : 0u;

    if (tree[0] == NULL) {
        tree[0] = tree_compile(BOARD("max_grant_version = <2>;"), &tree_bytes[0]);
        tree[1] = tree_compile(BOARD("capabilities = <5>;"), &tree_bytes[1]);
    }
    host_reset();
    host_setup(tree[which], tree_bytes[which]);
    for (uint64_t at = 0x42000000u; at < 0x42002000u; at += 0x1000u) {
        const uint64_t bytes = 0x1000u;

        (void)memcpy(fake_ram(hpa(at + 16u), 8u), &bytes, 8u);
        (void)memcpy(fake_ram(hpa(at + 56u), 4u), "ARMd", 4u);
    }
    host_on(0u);
    wild = domain_by_name("wild");
    calm = domain_by_name("calm");
    FUZZ_MUST((wild != NULL) && (calm != NULL));
    for (uint32_t i = 0u; (i < 100u) && ((wild->state != DOMAIN_RUNNING) || (calm->state != DOMAIN_RUNNING));
         i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST((wild->state == DOMAIN_RUNNING) && (calm->state == DOMAIN_RUNNING));
}

static void wild_off(void)
{
    if (wild->state == DOMAIN_RUNNING) {
        (void)build_order(wild, HAL_DOMAIN_OFF, "the end of the input");
    }
    for (uint32_t i = 0u; (i < 400u) && (wild->state == DOMAIN_STOPPING); i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST(wild->state != DOMAIN_STOPPING);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    in = (struct fuzz_input){ data, bytes };
    wild_controls = (fuzz_u8(&in) & 3u) == 3u;
    boot();
    calm_grants();
    calm_memory(false);
    const struct pool before = calm->pool;
    const uint64_t pages = p2m_pages(calm);

    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u) && (fake_power_state() == FAKE_POWER_ON); n++) {
        step();
    }
    for (uint32_t i = 0u;
         (i < 400u) && ((wild->state == DOMAIN_BUILDING) || (wild->state == DOMAIN_STOPPING)); i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST((wild->state != DOMAIN_BUILDING) && (wild->state != DOMAIN_STOPPING));
    FUZZ_MUST((calm->state == DOMAIN_RUNNING) || wild_controls);
    reach_check(wild);
    reach_check(calm);
    if (calm->state == DOMAIN_RUNNING) {
        calm_memory(true);
    }
    wild_off();
    if (!wild_controls) {
        FUZZ_MUST(fake_maps_disjoint());
        calm_is_as_before(&before, pages);
    }
    return 0;
}
