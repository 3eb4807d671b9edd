/* A booted system of two domains with a static channel. One makes hypercalls: every number, arguments in
 * memory or nowhere, and writes the words that it shares with the hypervisor as the input says; it may reset
 * itself. The other domain's memory stays as it is, and both sides of its map too.
 * [test->req~guest-words-bounded~1] [test->req~memory-apart~1] */
#include <string.h>

#include "build/build.h"
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

/* clang-format off */
#define DOMAIN(name, vcpus, kernel, own, port, other) \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 4096>;" \
    "  cpus = <" vcpus ">; xen,enhanced = \"no-xenstore\"; bulkhead,restart-limit = <1000>;" \
    "  " own ": c { compatible = \"xen,evtchn-v1\"; xen,evtchn = <" port " &" other ">; };" \
    "  k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 " kernel " 0x1000>; }; };"
#define BOARD \
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;" \
    " cpus { #address-cells = <1>; #size-cells = <0>;" CPU("0") CPU("1") "};" \
    " memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x3000000>; };" \
    " ic: intc { interrupt-controller; #interrupt-cells = <3>; };" \
    " chosen { bulkhead,scheduler = \"rr\";" \
    DOMAIN("wild", "1", "0x42000000", "a", "5", "b") DOMAIN("calm", "1", "0x42001000", "b", "9", "a") "}; };"
#define CPU(n) "cpu@" n " { device_type = \"cpu\"; reg = <" n ">; enable-method = \"e\"; };"
/* clang-format on */

static struct fuzz_input in;
static struct domain *wild;
static struct domain *calm;

static void calm_memory(bool check)
{
    for (uint64_t at = 0x1000u; at < (4u << 20u); at += 0x3F000u) {
        uint64_t word = PATTERN ^ at;

        if (check) {
            FUZZ_MUST(fake_guest_read(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u));
            FUZZ_MUST(word == (PATTERN ^ at));
        } else {
            FUZZ_MUST(fake_guest_write(&calm->hal.map, gpa(GUEST_RAM + at), &word, 8u));
        }
    }
}

static cpuid_t wild_cpu(void)
{
    cpuid_t cpu = 0u;

    while ((cpu < CPUS) && (fake_cpu_guest(cpu) != &wild->vcpu[0]->hal)) {
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

/* Half of the argument's words are small numbers, or pages that may be shared. */
static void argument_write(void)
{
    for (uint32_t i = 0u; i < 6u; i++) {
        const uint8_t how = fuzz_u8(&in);
        uint32_t word = how & 31u;

        if ((how & 0xC0u) == 0x40u) {
            word = (uint32_t)(SHARED >> 12u) + (how % NR_SHARED);
        } else if ((how & 0xC0u) == 0x80u) {
            word = 0x7FF0u | ((uint32_t)(how & 1u) * 0x7FF00000u);
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
    static const uint8_t numbers[8] = { 32u, 32u, 32u, 32u, 12u, 24u, 17u, 29u };
    const uint8_t which = fuzz_u8(&in);

    argument_write();
    call[0] = (which < 0xF0u) ? numbers[which & 7u] : fuzz_number(&in);
    call[1] = fuzz_u8(&in) & 15u;
    call[2] = pointer();
    call[3] = pointer();
    if ((call[0] == 24u) || (call[0] == 29u)) {
        call[2] = (call[0] == 24u) ? (call[2] & 1u) : call[2];
    }
    fake_guest_call(cpu, make_call, NULL);
}

static void step(void)
{
    const uint8_t what = fuzz_u8(&in);
    const cpuid_t cpu = wild_cpu();

    if (cpu == CPUS) {
        fake_time_advance(HOST_MS);
    } else if ((what & 7u) == 0u) {
        const uint32_t word = (uint32_t)fuzz_bytes(&in, 4u);
        const uint64_t at = SHARED + ((fuzz_bytes(&in, 2u) * 4u) % (NR_SHARED * PAGE_BYTES));

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
    static void *tree;
    static size_t tree_bytes;

    if (tree == NULL) {
        tree = tree_compile(BOARD, &tree_bytes);
    }
    host_reset();
    host_setup(tree, tree_bytes);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    in = (struct fuzz_input){ data, bytes };
    boot();
    calm_memory(false);
    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u) && (fake_power_state() == FAKE_POWER_ON); n++) {
        step();
    }
    for (uint32_t i = 0u;
         (i < 400u) && ((wild->state == DOMAIN_BUILDING) || (wild->state == DOMAIN_STOPPING)); i++) {
        fake_time_advance(HOST_MS);
    }
    FUZZ_MUST((wild->state != DOMAIN_BUILDING) && (wild->state != DOMAIN_STOPPING));
    FUZZ_MUST((calm->state == DOMAIN_RUNNING) && fake_maps_disjoint());
    calm_memory(true);
    return 0;
}
