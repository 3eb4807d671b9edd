/* Shared memory while domains come and go: who sees what, and that nobody sees what is being scrubbed.
 * [test->req~shared-memory~1] [test->req~shared-revoked~1] */
#include "sim_restart.h"

#include <libfdt.h>

#define WINDOW 0x50000000ULL
#define OTHER  0x60000000ULL
#define HOST   0x8c000000ULL
#define BYTES  0x82000ULL /* three pieces */
#define PART   0x3000ULL
#define WORD   0x1122334455667788ULL

/* clang-format off */
#define SHM(id, place, more) \
    " shm-" id " { compatible = \"xen,domain-shared-memory-v1\"; xen,shm-id = \"" id "\";" \
    " xen,shared-mem = <" place ">; " more " };"
#define SYSTEM \
    BOARD("credit2") \
    DOMAIN("1", "1", ON_CRASH LIMIT("10000") \
        SHM("own", "0 0x8c000000 0 0x50000000 0x82000", "role = \"owner\";") \
        SHM("free", "0 0x60000000 0x3000", "bulkhead,no-map;")) \
    DOMAIN("2", "1", ON_CRASH LIMIT("10000") \
        SHM("own", "0 0x8c000000 0 0x50000000 0x82000", "role = \"borrower\";") \
        SHM("free", "0 0x60000000 0x3000", "")) \
    DOMAIN("3", "1", ON_CRASH LIMIT("10000") \
        SHM("own", "0 0x50000000 0x1000", "role = \"borrower\"; xen,offset = <0 0x3000>;")) \
    BOARD_END
#define DIRECT(n, more) \
    "domU" n " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; direct-map;" \
    " xen,static-mem = <0 0x8" n "400000 0x400000>; memory = <0 4096>; cpus = <1>;" ON_CRASH more \
    " module@8" n "000000 { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    "  reg = <0 0x8" n "000000 0x1000>; bootargs = \"\"; }; };"
#define IDENTITY \
    BOARD("credit2") \
    DIRECT("1", LIMIT("100") SHM("own", "0 0x8c000000 0 0x8c000000 0x82000", "role = \"owner\";")) \
    DIRECT("2", LIMIT("100") SHM("own", "0 0x8c000000 0 0x8c000000 0x82000", "role = \"borrower\";")) \
    "}; mpu { compatible = \"bulkhead,fake-mpu\"; }; };"
/* clang-format on */

static struct domain *owner;
static struct domain *borrower;
static struct domain *third;
static uint32_t nr_scrubs;

static void put(const struct domain *d, uint64_t at, uint64_t value)
{
    MUST(fake_guest_write(&d->hal.map, gpa(at), &value, sizeof(value)));
}

static uint64_t got(const struct domain *d, uint64_t at)
{
    uint64_t value = 0u;

    MUST(fake_guest_read(&d->hal.map, gpa(at), &value, sizeof(value)));
    return value;
}

static hpa_t frame(const struct domain *d, uint64_t at)
{
    hpa_t to = hpa(0u);
    uint32_t perm = 0u;
    uint64_t bytes = 0u;

    MUST(hal_guestmap_lookup(&d->hal.map, gpa(at), &to, &perm, &bytes) == HV_OK);
    MUST(perm == (HAL_PERM_R | HAL_PERM_W));
    return to;
}

/* The product's scrubbing with an eye on it: nobody's window leads to what is being scrubbed. */
void hal_cache_zero(void *at, uint64_t bytes)
{
    uint8_t *const region = fake_ram(hpa(HOST), BYTES);
    const bool own = ((uint8_t *)at >= region) && ((uint8_t *)at < (region + BYTES));

    nr_scrubs += own ? 1u : 0u;
    for (uint64_t p = 0u; own && (borrower != NULL) && borrower->hal.map.live && (p < BYTES);
         p += PAGE_BYTES) {
        hpa_t to = hpa(0u);
        uint32_t perm = 0u;
        uint64_t room = 0u;

        if (hal_guestmap_lookup(&borrower->hal.map, gpa(WINDOW + p), &to, &perm, &room) == HV_OK) {
            MUST((to.v - HOST) >= BYTES);
        }
    }
    (void)memset(at, 0, bytes);
}

static void start(void)
{
    owner = NULL;
    borrower = NULL;
    power_on(SYSTEM, CPUS, kernels_put);
    owner = domain("domU1");
    borrower = domain("domU2");
    third = domain("domU3");
    MUST(owner->state == DOMAIN_RUNNING);
    MUST(borrower->state == DOMAIN_RUNNING);
    MUST(third->state == DOMAIN_RUNNING);
    nr_scrubs = 0u;
}

static void zero_is(const struct domain *d, uint64_t at, uint64_t bytes)
{
    for (uint64_t i = 0u; i < bytes; i += 8u) {
        MUST(got(d, at + i) == 0u);
    }
}

/* All three see the same frames; what was in RAM before is gone. */
static void shared(void)
{
    start();
    zero_is(owner, WINDOW, BYTES);
    zero_is(owner, OTHER, PART);
    for (uint64_t p = 0u; p < BYTES; p += PAGE_BYTES) {
        MUST(frame(owner, WINDOW + p).v == (HOST + p));
        MUST(frame(borrower, WINDOW + p).v == (HOST + p));
    }
    MUST(frame(third, WINDOW).v == (HOST + PART));
    put(owner, WINDOW + PART, WORD);
    MUST(got(borrower, WINDOW + PART) == WORD);
    MUST(got(third, WINDOW) == WORD);
    put(borrower, OTHER, WORD);
    MUST(got(owner, OTHER) == WORD);
    MUST(ram_owner(hpa(HOST)) == RAM_SHARED);
    MUST(ram_owner(frame(owner, OTHER)) == RAM_SHARED);
}

/* As Xen tells it: memory, and a node that says that it is taken */
static void told(void)
{
    static uint8_t tree[0x4000];
    const fdt64_t reg[2] = { cpu_to_fdt64(WINDOW), cpu_to_fdt64(PAGE_BYTES) };
    const fdt64_t offset = cpu_to_fdt64(PART);
    int bytes = 0;

    start();
    MUST(fake_guest_read(&third->hal.map, build_slot_of(third)->tree, tree, sizeof(tree)));
    MUST(fdt_check_header(tree) == 0);
    const int node = fdt_path_offset(tree, "/reserved-memory/xen-shmem@50000000");
    MUST(node >= 0);
    MUST(fdt_node_check_compatible(tree, node, "xen,shared-memory-v1") == 0);
    MUST(strcmp(fdt_getprop(tree, node, "xen,id", &bytes), "own") == 0);
    MUST(memcmp(fdt_getprop(tree, node, "reg", &bytes), reg, sizeof(reg)) == 0);
    MUST(memcmp(fdt_getprop(tree, node, "xen,offset", &bytes), &offset, sizeof(offset)) == 0);
    MUST(fdt_getprop(tree, node, "no-map", &bytes) == NULL);
    MUST(fdt_getprop(tree, fdt_path_offset(tree, "/reserved-memory"), "ranges", &bytes) != NULL);
    const int memory = fdt_path_offset(tree, "/memory@50000000");
    MUST((memory >= 0) && (memcmp(fdt_getprop(tree, memory, "reg", &bytes), reg, sizeof(reg)) == 0));
    MUST(fdt_path_offset(tree, "/reserved-memory/xen-shmem@60000000") < 0);
    MUST(fake_guest_read(&owner->hal.map, build_slot_of(owner)->tree, tree, sizeof(tree)));
    const int free_node = fdt_path_offset(tree, "/reserved-memory/xen-shmem@60000000");
    MUST((free_node >= 0) && (fdt_getprop(tree, free_node, "no-map", &bytes) != NULL));
}

/* The owner is off: others have a page each of their own, all over; then it is back. */
static void owner_ends(void)
{
    start();
    const uint64_t run_before = sched_run_ns(borrower->vcpu[0]);

    put(owner, WINDOW, WORD);
    put(owner, WINDOW + PART, WORD);
    put(owner, OTHER, WORD);
    order(owner, HAL_DOMAIN_OFF);
    until(owner, DOMAIN_STOPPED, 0u);
    zero_is(borrower, WINDOW, BYTES);
    zero_is(third, WINDOW, PAGE_BYTES);
    MUST(got(borrower, OTHER) == WORD); /* the hypervisor's own stays */
    put(borrower, WINDOW + BYTES - 8u, WORD);
    MUST(got(borrower, WINDOW + PAGE_BYTES - 8u) == WORD);
    zero_is(third, WINDOW, PAGE_BYTES);
    MUST(frame(borrower, WINDOW).v != frame(third, WINDOW).v);
    fake_time_advance(20u * MS);
    MUST(sched_run_ns(borrower->vcpu[0]) > run_before);
    order(owner, HAL_DOMAIN_RESET);
    until(owner, DOMAIN_RUNNING, 1u);
    MUST(nr_scrubs > 0u);
    zero_is(borrower, WINDOW, BYTES);
    MUST(frame(borrower, WINDOW + BYTES - PAGE_BYTES).v == (HOST + BYTES - PAGE_BYTES));
    put(owner, WINDOW + PART, WORD);
    MUST(got(third, WINDOW) == WORD);
    MUST((borrower->nr_restarts == 0u) && (third->nr_restarts == 0u));
}

/* A borrower ends: that is nobody else's matter. */
static void borrower_ends(void)
{
    start();
    put(owner, WINDOW, WORD);
    put(owner, OTHER, WORD);
    guest_asks(borrower->vcpu[0], HAL_DOMAIN_CRASH);
    until(borrower, DOMAIN_RUNNING, 1u);
    MUST(nr_scrubs == 0u);
    MUST(got(owner, WINDOW) == WORD);
    MUST(got(borrower, WINDOW) == WORD);
    MUST(got(borrower, OTHER) == WORD);
    order(borrower, HAL_DOMAIN_OFF);
    until(borrower, DOMAIN_STOPPED, 1u);
    order(owner, HAL_DOMAIN_RESET);
    until(owner, DOMAIN_RUNNING, 1u);
    order(borrower, HAL_DOMAIN_RESET);
    until(borrower, DOMAIN_RUNNING, 2u);
    MUST(frame(borrower, WINDOW).v == HOST);
    zero_is(borrower, WINDOW, BYTES);
}

/* Both at once, again and again, on as many CPUs, with every breath a chance for the other. */
static void both_end(void)
{
    struct domain *const *const all[] = { &owner, &borrower, &third };
    uint32_t chance = 1u;
    uint32_t lives[3] = { 0u, 0u, 0u };

    start();
    const uint32_t pages[3] = { owner->pool.nr_free, borrower->pool.nr_free, third->pool.nr_free };

    breath_turns = true;
    for (uint32_t n = 0u; n < 300u; n++) {
        for (uint32_t i = 0u; i < 3u; i++) {
            chance = (chance * 1664525u) + 1013904223u;
            if ((((chance >> 12u) & 3u) != 0u) && ((*all[i])->state == DOMAIN_RUNNING)) {
                put(*all[i], WINDOW, WORD + n);
                build_request_stop(*all[i], HAL_DOMAIN_CRASH, "the test");
                lives[i]++;
            }
            for (uint32_t steps = (chance >> 20u) & 15u; steps > 0u; steps--) {
                (void)fake_cpu_go(steps % CPUS);
            }
        }
        for (uint32_t i = 0u; i < 3u; i++) {
            until(*all[i], DOMAIN_RUNNING, lives[i]);
        }
        for (uint64_t p = 0u; p < BYTES; p += PAGE_BYTES) {
            MUST(frame(borrower, WINDOW + p).v == (HOST + p));
        }
        MUST(frame(third, WINDOW).v == (HOST + PART));
        for (uint32_t i = 0u; i < 3u; i++) {
            MUST((*all[i])->pool.nr_free == pages[i]);
        }
    }
}

/* Where nothing translates a borrower keeps the frames; each life of the owner begins with zeros in them, and
 * no life of a borrower takes anything from the owner. */
static void identity(void)
{
    power_on(IDENTITY, CPUS, kernels_put);
    owner = domain("domU1");
    third = domain("domU2");
    MUST((owner->state == DOMAIN_RUNNING) && (third->state == DOMAIN_RUNNING));
    zero_is(third, HOST, BYTES);
    for (uint32_t life = 1u; life < 4u; life++) {
        put(owner, HOST + PART, WORD);
        MUST(got(third, HOST + PART) == WORD);
        guest_asks(third->vcpu[0], HAL_DOMAIN_CRASH);
        until(third, DOMAIN_RUNNING, life);
        MUST(got(owner, HOST + PART) == WORD);
        order(owner, HAL_DOMAIN_OFF);
        until(owner, DOMAIN_STOPPED, life - 1u);
        MUST(frame(third, HOST).v == HOST);
        put(third, HOST, WORD);
        order(owner, HAL_DOMAIN_RESET);
        until(owner, DOMAIN_RUNNING, life);
        zero_is(third, HOST, BYTES);
    }
}

/* Who is linked with whom may ask for its state, and nobody else. */
static void peers_ask(void)
{
    struct hal_domain_status status;

    start();
    order(owner, HAL_DOMAIN_RESET);
    until(owner, DOMAIN_RUNNING, 1u);
    MUST(upcall_domain_status(&borrower->hal, 1u, &status) == HV_OK);
    MUST((status.state == (uint64_t)DOMAIN_RUNNING) && (status.nr_restarts == 1u));
    MUST(upcall_domain_status(&third->hal, 2u, &status) == HV_OK); /* they share a region that is another's */
    MUST(upcall_domain_status(&third->hal, 4u, &status) == HV_NOT_FOUND);
}

static void test_shared(void **state)
{
    (void)state;
    scenario(shared);
}

static void test_told(void **state)
{
    (void)state;
    scenario(told);
}

static void test_owner_ends(void **state)
{
    (void)state;
    scenario(owner_ends);
}

static void test_borrower_ends(void **state)
{
    (void)state;
    scenario(borrower_ends);
}

static void test_both_end(void **state)
{
    (void)state;
    scenario(both_end);
}

static void test_identity(void **state)
{
    (void)state;
    scenario(identity);
}

static void test_peers_ask(void **state)
{
    (void)state;
    scenario(peers_ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared),     cmocka_unit_test(test_told),
        cmocka_unit_test(test_owner_ends), cmocka_unit_test(test_borrower_ends),
        cmocka_unit_test(test_both_end),   cmocka_unit_test(test_peers_ask),
        cmocka_unit_test(test_identity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
