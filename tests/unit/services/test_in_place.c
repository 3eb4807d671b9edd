/* A kernel that becomes its domain's memory where it lies. [test->req~kernel-in-place~1] */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

#include "lib/bits.h"
#include "mem/ram.h"

#define BANK        0x40000000ULL
#define MiB(n)      ((uint64_t)(n) << 20)
#define PLACE_BYTES (MiB(7) + 123u)

static struct plan plan;
static struct domain *domain;

static int setup(void **state)
{
    struct plan_domain *d;

    (void)machine_setup(state);
    d = machine_plan(&plan, 1u);
    assert_int_equal(build_setup(&plan), HV_OK);
    assert_int_equal(build_prepare(d, &domain), HV_OK);
    return 0;
}

static struct build_slot *slot(void)
{
    return build_slot_of(domain);
}

static void expect_guest(uint64_t at, const uint8_t *bytes, uint64_t count)
{
    uint8_t *const seen = malloc(count);

    assert_true(fake_guest_read(&domain->hal.map, gpa(at), seen, count));
    assert_memory_equal(seen, bytes, count);
    free(seen);
}

static void build_good(uint64_t offset, const uint8_t *image)
{
    plan.domain[0].kernel = machine_module(offset, image, PLACE_BYTES, "module@1");
    assert_int_equal(build_domain(domain), HV_OK);
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), plan.domain[0].memory_bytes);
    assert_int_equal(fake_windows_open(), 0u);
}

static void start_and_stop(void)
{
    build_start(domain);
    build_request_stop(domain, HAL_DOMAIN_OFF, NULL);
    assert_true(machine_work_run());
    assert_int_equal(domain->state, DOMAIN_STOPPED);
    assert_int_equal(ram_bytes(RAM_OWNER_DOMAIN + 1u), 0u);
}

static void place_not(uint64_t offset, const uint8_t *image)
{
    build_good(offset, image);
    assert_int_equal(slot()->in_place.bytes, 0u);
    assert_int_equal(ram_bytes(RAM_MODULE), MACHINE_MODULES_SIZE);
    expect_guest(BANK, image, PLACE_BYTES);
    start_and_stop();
}

/* A kernel that lies like its place in guest memory becomes that, in whole blocks, if it never has to be
 * there again. */
static void test_in_place(void **state)
{
    struct plan_domain *const d = &plan.domain[0];
    uint8_t *const image = machine_image(PLACE_BYTES, 0u, MiB(8));
    const uint64_t at = MACHINE_MODULES + MiB(2);

    (void)state;
    d->restart_on_crash = true;
    place_not(MiB(2), image);
    d->restart_on_crash = false;
    d->restart_on_reset = true;
    place_not(MiB(2), image);
    d->restart_on_reset = false;
    d->watchdog = true;
    place_not(MiB(2), image);
    d->watchdog = false;
    place_not(MiB(2) + 4096u, image);
    d->ramdisk = (struct plan_module){ .base = { at + MiB(5) }, .bytes = 1u, .name = "r" };
    place_not(MiB(2), image);
    d->ramdisk.bytes = 0u;
    ram_release(hpa(at + MiB(4)), 4096u, RAM_MODULE); /* not all of it is the module's */
    build_good(MiB(2), image);
    assert_int_equal(slot()->in_place.bytes, 0u);
    start_and_stop();
    assert_int_equal(ram_claim(hpa(at + MiB(4)), 4096u, RAM_MODULE), HV_OK);

    /* it lies some pages behind such a place, and must in guest memory */
    image[8] = 0u;
    image[9] = 0x30u; /* text_offset 0x3000 */
    build_good(MiB(2) + 0x3000u, image);
    assert_int_equal(slot()->in_place.base, at + MiB(2));
    assert_int_equal(slot()->in_place.bytes, MiB(4));
    expect_guest(BANK + 0x3000u, image, PLACE_BYTES);
    start_and_stop();
    slot()->in_place.bytes = 0u;
    assert_int_equal(ram_claim(hpa(at + MiB(2)), MiB(4), RAM_MODULE), HV_OK);

    image[9] = 0u;
    build_good(MiB(2), image);
    assert_int_equal(slot()->in_place.base, at);
    assert_int_equal(slot()->in_place.bytes, MiB(6));
    assert_int_equal(domain->chunk[0].to.v, at);
    assert_int_equal(ram_owner(hpa(at + MiB(6))), RAM_MODULE);
    expect_guest(BANK, image, PLACE_BYTES);
    uint8_t *const none = calloc(1u, MiB(8) - PLACE_BYTES);
    expect_guest(BANK + PLACE_BYTES, none, MiB(8) - PLACE_BYTES);
    free(none);
    assert_int_equal(build_order(domain, HAL_DOMAIN_RESET, "an order"), HV_DENIED);
    start_and_stop();
    for (uint64_t i = 0; i < MiB(6); i += 4096u) {
        assert_int_equal(*(uint8_t *)fake_ram(hpa(at + i + (i % 4093u)), 1u), 0u);
        assert_int_equal(ram_owner(hpa(at + i)), RAM_FREE);
    }
    assert_int_equal(build_domain(domain), HV_BUSY);
    assert_int_equal(build_order(domain, HAL_DOMAIN_RESET, "an order"), HV_DENIED);
    free(image);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_in_place) };

    return cmocka_run_group_tests(tests, setup, NULL);
}
