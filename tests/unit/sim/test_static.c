/* Systems with a static heap and static memory. [test->req~static-heap~1] [test->req~static-memory~1] */
#include "sim_system.h"

#include "lib/bits.h"
#include "mem/ram.h"

#define HEAP       (RAM + MIB(128))
#define HEAP_BYTES MIB(24)
#define OWN        (RAM + MIB(192))
#define OWN_BYTES  MIB(8)
#define K_BYTES    0x100000u

/* clang-format off */
#define DOMAIN(n, more) \
    "domU" n " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>;" \
    " memory = <0 8192>; cpus = <1>; bulkhead,on-reset = \"stop\"; vpl011;" more \
    " module@8" n "000000 { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    "  reg = <0 0x8" n "000000 0x100000>; }; };"
#define SYSTEM(heap, second) \
    BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_REST("credit2") " #address-cells = <1>;" \
    " #size-cells = <1>; xen,static-heap = " heap ";" \
    DOMAIN("1", " xen,static-mem = <0x8c000000 0x800000>;") DOMAIN("2", second) BOARD_END
/* clang-format on */

static void modules_put(void)
{
    for (uint64_t n = 1u; n <= 2u; n++) {
        uint8_t *const k = fake_ram(hpa(KERNEL(n)), K_BYTES);

        (void)memset(k, 0, K_BYTES);
        (void)memcpy(&k[16], "\0\0\x10", 4u); /* image_size */
        (void)memcpy(&k[56], "ARMd", 4u);
    }
}

static uint64_t owned(uint64_t base, uint64_t bytes, uint32_t owner)
{
    uint64_t sum = 0u;

    for (uint64_t at = base; at < (base + bytes); at += PAGE_BYTES) {
        sum += (ram_owner(hpa(at)) == owner) ? PAGE_BYTES : 0u;
    }
    return sum;
}

/* Domain 2, the heap and what is free lie in the static heap; domain 1 has its own range; modules keep
 * theirs. */
static void heap_only(void)
{
    power_on(SYSTEM("<0 0x88000000 0 0x1800000>", ""), 2u, modules_put);
    for (uint32_t i = 0u; (i < 1000u) && (domain("domU2")->state != DOMAIN_RUNNING); i++) {
        fake_time_advance(MS);
    }
    MUST((domain("domU1")->state == DOMAIN_RUNNING) && (domain("domU2")->state == DOMAIN_RUNNING));
    MUST(owned(OWN, OWN_BYTES, RAM_OWNER_DOMAIN + 1u) == OWN_BYTES);
    MUST(ram_bytes(RAM_OWNER_DOMAIN + 1u) == OWN_BYTES);
    MUST(owned(HEAP, HEAP_BYTES, RAM_OWNER_DOMAIN + 2u) == MIB(8));
    MUST(ram_bytes(RAM_OWNER_DOMAIN + 2u) == MIB(8));
    MUST(ram_bytes(RAM_HEAP) == owned(HEAP, HEAP_BYTES, RAM_HEAP));
    MUST(ram_bytes(RAM_FREE) == owned(HEAP, HEAP_BYTES, RAM_FREE));
    MUST((ram_bytes(RAM_HEAP) + ram_bytes(RAM_FREE) + MIB(8)) == HEAP_BYTES);
    MUST(ram_bytes(RAM_MODULE) == (2u * K_BYTES));
    MUST(build_order(domain("domU1"), HAL_DOMAIN_OFF, "test") == HV_OK);
    MUST(build_order(domain("domU2"), HAL_DOMAIN_OFF, "test") == HV_OK);
    for (uint32_t i = 0u; (i < 1000u) && (domain("domU2")->state != DOMAIN_STOPPED); i++) {
        fake_time_advance(MS);
    }
    MUST((domain("domU1")->state == DOMAIN_STOPPED) && (ram_bytes(RAM_OWNER_DOMAIN + 1u) == OWN_BYTES));
    MUST(ram_bytes(RAM_OWNER_DOMAIN + 2u) == 0u);
}

/* What config/ knows of would fit, but the hypervisor wants one piece. */
static void heap_in_pieces(void)
{
    power_on(SYSTEM("<0 0x88000000 0 0x40000>, <0 0x88080000 0 0x40000>, <0 0x88100000 0 0x40000>",
                    " xen,static-mem = <0x8d000000 0x800000>;"),
             2u, modules_put);
    MUST(strstr(sim_shown(), "/chosen: xen,static-heap: found 768 KiB free, expected ") != NULL);
    MUST(strstr(sim_shown(), " KiB for the hypervisor in one piece\n") != NULL);
    MUST((strstr(sim_shown(), "boot: step heap failed") != NULL) && (domain_count == 0u));
}

static void run_scenario(void **state)
{
    scenario((void (*)(void))(uintptr_t)*state);
}

#define SCENARIO(f) { #f, run_scenario, NULL, NULL, (void *)(uintptr_t)(f) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(heap_only),
        SCENARIO(heap_in_pieces),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
