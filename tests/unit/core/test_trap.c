/* The waist: exits of guests, windows of emulated devices, guest memory. */
#include "bench.h"

#include "base/console.h"

static uint64_t reg_value;
static uint64_t reg_offset;
static uint32_t reg_width;
static uint32_t reg_calls;
static char said[8192];

static bool uart_put(void *device, uint8_t c)
{
    const size_t n = strlen(said);

    (void)device;
    CHECK(n < sizeof(said) - 1u);
    said[n] = (char)c;
    said[n + 1u] = '\0';
    return true;
}

static bool dev_read(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value)
{
    CHECK(vcpu == &bench_vcpu[0][0]);
    reg_calls++;
    reg_offset = offset;
    reg_width = width;
    *value = 0x1122334455667788ULL;
    return offset != *(uint64_t *)device;
}

static bool dev_write(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value)
{
    uint64_t ignored = 0;

    reg_value = value;
    return dev_read(device, vcpu, offset, width, &ignored);
}

static const struct mmio_ops ops = { dev_read, dev_write };
static uint64_t hole = 0x18;

static struct vcpu *guest(void)
{
    const uint64_t any[] = { ANY_CPU };
    const struct console_uart uart = { uart_put, NULL, NULL, NULL, NULL, false };
    const struct mmio_window one = { gpa(0x9000000), 0x1000, &ops, &hole };
    const struct mmio_window two = { gpa(0xa000000), 0x1000, &ops, &hole };
    const struct mmio_window over = { gpa(0x9000fff), 0x1000, &ops, &hole };
    const struct mmio_window wraps = { gpa(UINT64_MAX - 10u), 0x1000, &ops, &hole };
    struct domain *d = &bench_domain[0];

    bench_setup(PLAN_SCHED_CREDIT2);
    bench_cpus(1);
    console_set_uart(&uart);
    bench_plan[0].trap_unmapped = true;
    bench_domain_make(0, any, 1);
    CHECK(domain_add_window(d, &one) == HV_OK);
    CHECK(domain_add_window(d, &two) == HV_OK);
    CHECK(domain_add_window(d, &over) == HV_EXISTS);
    CHECK(domain_add_window(d, &wraps) == HV_INVALID);
    CHECK(sched_power_on(&bench_vcpu[0][0]) == HV_OK);
    fake_run();
    CHECK(bench_runs(&bench_vcpu[0][0], 0));
    return &bench_vcpu[0][0];
}

static struct hal_exit access_to(uint64_t at, uint8_t width, bool write)
{
    const struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT,
                                   .cause = 0x93,
                                   .gpa = gpa(at),
                                   .width = width,
                                   .write = write,
                                   .reg = 3,
                                   .wide = true,
                                   .value = 0x55 };
    return exit;
}

static enum hal_resume try_access(uint64_t at, uint8_t width, bool write)
{
    const struct hal_exit exit = access_to(at, width, write);

    return fake_guest_exit(0, &exit);
}

static void devices_scenario(void)
{
    struct vcpu *v = guest();

    CHECK(try_access(0x9000010, 4, false) == HAL_RESUME_NEXT);
    CHECK(reg_offset == 0x10 && reg_width == 4 && reg_calls == 1);
    CHECK(v->hal.frame.reg[3] == 0x55667788u);
    CHECK(try_access(0xa000ffe, 2, true) == HAL_RESUME_NEXT);
    CHECK(reg_offset == 0xffe && reg_value == 0x55);
    CHECK(try_access(0x9000010, 1, false) == HAL_RESUME_NEXT);
    CHECK(v->hal.frame.reg[3] == 0x88u);
    reg_calls = 0;
    CHECK(try_access(0xa000fff, 2, true) == HAL_INJECT_ABORT); /* over the end */
    CHECK(try_access(0x8ffffff, 2, true) == HAL_INJECT_ABORT);
    CHECK(try_access(0x9000010, 0, false) == HAL_INJECT_ABORT); /* not described */
    CHECK(try_access(UINT64_MAX, 8, false) == HAL_INJECT_ABORT);
    CHECK(reg_calls == 0);
    CHECK(try_access(0x9000018, 4, false) == HAL_INJECT_ABORT); /* no such register */
    CHECK(v->domain->nr_faults == 5);
    struct hal_exit exit = access_to(0x9000010, 4, false);
    exit.exec = true;
    CHECK(fake_guest_exit(0, &exit) == HAL_INJECT_ABORT);
    CHECK(reg_calls == 1);
    CHECK(said[0] == '\0'); /* not in the trap */
    fake_time_advance(20u * MS);
    CHECK(strstr(said, "dom0: vCPU 0: write at 0xa000fff (virtual 0x0), syndrome 0x") != NULL);
    CHECK(strstr(said, "fetch at 0x9000010") != NULL);
}
ALONE(devices)

static void ignoring_scenario(void)
{
    struct vcpu *v = guest();

    bench_plan[0].trap_unmapped = false;
    CHECK(try_access(0x100, 4, false) == HAL_RESUME_NEXT);
    CHECK(v->hal.frame.reg[3] == 0xffffffffu);
    CHECK(try_access(0x100, 8, false) == HAL_RESUME_NEXT);
    CHECK(v->hal.frame.reg[3] == UINT64_MAX);
    CHECK(try_access(0x100, 1, true) == HAL_RESUME_NEXT);
    CHECK(try_access(0x9000018, 2, false) == HAL_RESUME_NEXT);
    CHECK(v->hal.frame.reg[3] == 0xffffu);
    CHECK(v->domain->nr_faults == 0);
    CHECK(try_access(0x100, 0, false) == HAL_INJECT_ABORT);
    struct hal_exit exit = access_to(0x100, 4, false);
    exit.walk = true;
    CHECK(fake_guest_exit(0, &exit) == HAL_INJECT_ABORT);
}
ALONE(ignoring)

static void mapped_meanwhile_scenario(void)
{
    struct vcpu *v = guest();

    CHECK(hal_guestmap_map(&v->domain->hal.map, gpa(0x40000000), hpa(0x80000000), PAGE_BYTES, HAL_PERM_R,
                           HAL_MEM_NORMAL) == HV_OK);
    CHECK(try_access(0x40000010, 4, false) == HAL_RESUME);
    CHECK(try_access(0x40000010, 4, true) == HAL_INJECT_ABORT);
    struct hal_exit exit = access_to(0x40000010, 4, false);
    exit.permission = true;
    CHECK(fake_guest_exit(0, &exit) == HAL_INJECT_ABORT);
    exit.permission = false;
    exit.width = 0;
    CHECK(fake_guest_exit(0, &exit) == HAL_RESUME);
    exit.exec = true;
    CHECK(fake_guest_exit(0, &exit) == HAL_INJECT_ABORT);
}
ALONE(mapped_meanwhile)

/* A guest that faults all the time does not fill the log. */
static void log_is_bounded_scenario(void)
{
    const struct hal_exit unknown = { .kind = HAL_EXIT_UNKNOWN, .cause = 0x1f };
    uint32_t lines = 0;

    (void)guest();
    for (int i = 0; i < 50000; i++) {
        CHECK(try_access(0x100, 4, (i % 2) == 0) == HAL_INJECT_ABORT);
        CHECK(fake_guest_exit(0, &unknown) == HAL_INJECT_UNDEF);
    }
    fake_time_advance(20u * MS);
    for (const char *at = said; *at != '\0'; at++) {
        lines += (*at == '\n') ? 1u : 0u;
    }
    CHECK((lines > 0u) && (lines < 30u));
}
ALONE(log_is_bounded)

/* The same again counts, the last few causes are kept. [test->req~fault-log~1] */
static void fault_log_scenario(void)
{
    const struct hal_exit unknown = { .kind = HAL_EXIT_UNKNOWN, .cause = 0x1f, .gva = 0x40000000 };
    struct domain *d = guest()->domain;

    fake_time_advance(5u * MS);
    (void)try_access(0x100, 4, false);
    fake_time_advance(2u * MS);
    (void)try_access(0x100, 4, false);
    CHECK(d->nr_fault_kinds == 1u);
    CHECK((d->fault[0].count == 2u) && (d->fault[0].first_ns == 5u * MS) && (d->fault[0].last_ns == 7u * MS));
    CHECK((strcmp(d->fault[0].what, "read") == 0) && (d->fault[0].address == 0x100));
    (void)try_access(0x100, 4, true);
    CHECK(fake_guest_exit(0, &unknown) == HAL_INJECT_UNDEF);
    CHECK(strcmp(d->fault[1].what, "write") == 0);
    CHECK((d->fault[2].address == 0x40000000) && (d->fault[2].cause == 0x1f));
    for (uint64_t i = 0; i < DOMAIN_FAULTS_KEPT; i++) {
        (void)try_access(0x1000u + i, 1, false);
    }
    CHECK(d->nr_fault_kinds == 3u + DOMAIN_FAULTS_KEPT);
    CHECK((d->fault[2].address == 0x1007u) && (d->fault[3].address == 0x1000u));
    CHECK(d->nr_faults == 4u + DOMAIN_FAULTS_KEPT);
    (void)try_access(0x100, 4, false); /* forgotten meanwhile */
    CHECK((d->fault[3].address == 0x100u) && (d->fault[3].count == 1u));
}
ALONE(fault_log)

/* What the memory system refuses is the guest's, whatever its map says. [test->req~errors-attributed~1] */
static void external_scenario(void)
{
    struct vcpu *v = guest();
    struct hal_exit exit = access_to(0, 0, false);

    CHECK(hal_guestmap_map(&v->domain->hal.map, gpa(0), hpa(0x80000000), PAGE_BYTES, HAL_PERM_RWX,
                           HAL_MEM_NORMAL) == HV_OK);
    CHECK(fake_guest_exit(0, &exit) == HAL_RESUME);
    bench_plan[0].trap_unmapped = false;
    exit.external = true;
    exit.gva = 0x1234;
    CHECK(fake_guest_exit(0, &exit) == HAL_INJECT_ABORT);
    CHECK((strcmp(v->domain->fault[0].what, "bus error") == 0) && (v->domain->fault[0].address == 0x1234));
    fake_time_advance(20u * MS);
    CHECK(strstr(said, "bus error at 0x1234 (virtual 0x1234), syndrome 0x") != NULL);
}
ALONE(external)

static const char *stopped_why;

void build_request_stop(struct domain *domain, enum hal_power_request request, const char *why)
{
    CHECK((domain == &bench_domain[0]) && (request == HAL_DOMAIN_CRASH));
    stopped_why = why;
}

static void hardware_error_scenario(void)
{
    const struct hal_exit exit = { .kind = HAL_EXIT_ERROR, .cause = 0xBE000000u, .gva = 0x40001000 };
    struct vcpu *v = guest();

    (void)fake_guest_exit(0, &exit);
    CHECK(strcmp(stopped_why, "hardware error") == 0);
    CHECK(strcmp(v->domain->fault[0].what, "hardware error") == 0);
    for (int i = 0; i < 10000; i++) {
        (void)fake_guest_exit(0, &exit);
    }
    CHECK((v->domain->nr_fault_kinds == 1u) && (v->domain->fault[0].count == 10001u));
    CHECK(strlen(said) < 4096u);
}
ALONE(hardware_error)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices),        cmocka_unit_test(ignoring),  cmocka_unit_test(mapped_meanwhile),
        cmocka_unit_test(log_is_bounded), cmocka_unit_test(fault_log), cmocka_unit_test(external),
        cmocka_unit_test(hardware_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
