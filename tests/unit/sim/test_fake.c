/* The simulated machine itself: it must fault, wait, interrupt and complain where a real one would, or the
 * tests that rely on it prove nothing. Each test runs in a process of its own. [test->dsn~simulated-port~1]
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/percpu.h"
#include "fake.h"
#include "hal/cache.h"
#include "hal/context.h"
#include "hal/guestmap.h"
#include "hal/hypmap.h"
#include "hal/irq.h"
#include "hal/mmio.h"
#include "hal/power.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/bits.h"

#define RAM 0x40000000ULL

/* -- Generic code, as small as it can be -- */

static uint32_t ipis;
static uint32_t timers;
static uint32_t exit_works;
static uint32_t pages;
static struct hal_frame *next_frame;
static uint8_t page_store[32][PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
static bool page_used[32];

void upcall_ipi(void)
{
    ipis++;
}

void upcall_timer(void)
{
    timers++;
}

void upcall_exit_work(void)
{
    exit_works++;
    hal_context_clear_exit_work();
    if (next_frame != NULL) {
        hal_context_set(next_frame);
        next_frame = NULL;
    }
}

void upcall_reschedule(void)
{
    upcall_exit_work();
}

void *upcall_domain_page(struct hal_domain *domain)
{
    (void)domain;
    for (uint32_t i = 0u; i < 32u; i++) {
        if (!page_used[i]) {
            page_used[i] = true;
            pages++;
            return page_store[i];
        }
    }
    return NULL;
}

void upcall_domain_page_free(struct hal_domain *domain, void *page)
{
    (void)domain;
    for (uint32_t i = 0u; i < 32u; i++) {
        if (page == page_store[i]) {
            page_used[i] = false;
            pages--;
        }
    }
}

/* -- Processes: fn must return, or die by the signal -- */

static int run(void (*fn)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        (void)signal(SIGSEGV, SIG_DFL); /* the sanitizer's report is not wanted */
        (void)signal(SIGABRT, SIG_DFL);
        fake_reset();
        fake_cpu_set(0u);
        fn();
        _exit(0);
    }
    (void)waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

#define LIVES(fn)               assert_int_equal(run(fn), 0)
#define DIES(fn, signal_number) assert_int_equal(run(fn), (signal_number))
#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                            \
            _exit(1);                                                                                        \
        }                                                                                                    \
    } while (0)

/* -- Memory -- */

static void window_shows_ram(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    uint8_t *const w = hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(RAM + 5u), HAL_HYPMAP_RW, &bytes);
    w[0] = 7u;
    MUST(*fake_ram(hpa(RAM + 5u), 1u) == 7u);
    MUST(fake_windows_open() == 1u);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    MUST(fake_windows_open() == 0u);
}

static void window_read_only(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    *(volatile uint8_t *)hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(RAM), HAL_HYPMAP_RO, &bytes) = 1u;
}

static void window_closed(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    volatile uint8_t *const w = hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(RAM), HAL_HYPMAP_RW, &bytes);
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    w[0] = 1u;
}

static void window_overrun(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    volatile uint8_t *const w = hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(RAM), HAL_HYPMAP_RW, &bytes);
    w[bytes] = 1u;
}

static void window_outside(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    (void)hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(RAM + MIB(8)), HAL_HYPMAP_RO, &bytes);
}

static void window_of_trap_unmasked(void)
{
    uint64_t bytes = 0u;

    fake_ram_setup(RAM, MIB(8));
    hal_cpu_irq_unmask();
    (void)hal_hypmap_window(HAL_WINDOW_TRAP, hpa(RAM), HAL_HYPMAP_RO, &bytes);
}

static void guard_page(void)
{
    void *va = NULL;
    uint64_t used = 0u;

    fake_ram_setup(RAM, MIB(8));
    MUST(hal_hypmap_heap(hpa(RAM), MIB(1), &va, &used) == HV_OK);
    MUST(hal_hypmap_guard(&((uint8_t *)va)[PAGE_BYTES], 0u) == HV_OK);
    ((volatile uint8_t *)va)[PAGE_BYTES + 8u] = 1u;
}

static void address_of_nothing(void)
{
    (void)hal_hypmap_hpa(&(uint64_t){ 0u });
}

static void memory(void **state)
{
    (void)state;
    LIVES(window_shows_ram);
    DIES(window_read_only, SIGSEGV);
    DIES(window_closed, SIGSEGV);
    DIES(window_overrun, SIGSEGV);
    DIES(window_outside, SIGABRT);
    DIES(window_of_trap_unmasked, SIGABRT);
    DIES(guard_page, SIGSEGV);
    DIES(address_of_nothing, SIGABRT);
}

/* -- Maps -- */

static void maps_overlap(void)
{
    static struct hal_domain a;
    static struct hal_domain b;

    MUST(hal_guestmap_init(&a.map, &a, 1u) == HV_OK);
    MUST(hal_guestmap_init(&b.map, &b, 2u) == HV_OK);
    MUST(hal_guestmap_map(&a.map, gpa(0u), hpa(RAM), MIB(2), HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    MUST(hal_guestmap_map(&b.map, gpa(0u), hpa(RAM + MIB(2)), MIB(2), HAL_PERM_RWX, HAL_MEM_NORMAL) == HV_OK);
    MUST(fake_maps_disjoint());
    MUST(hal_guestmap_map(&b.map, gpa(MIB(4)), hpa(RAM + MIB(2) - PAGE_BYTES), PAGE_BYTES, HAL_PERM_R,
                          HAL_MEM_NORMAL) == HV_OK);
    MUST(!fake_maps_disjoint());
    MUST(hal_guestmap_unmap(&b.map, gpa(MIB(4)), PAGE_BYTES) == HV_OK);
    MUST(fake_maps_disjoint());
    MUST(fake_maps_live() == 2u);
    hal_guestmap_destroy(&a.map);
    hal_guestmap_destroy(&b.map);
    MUST((fake_maps_live() == 0u) && (pages == 0u));
}

static void map_id_taken(void)
{
    static struct hal_domain a;
    static struct hal_domain b;

    MUST(hal_guestmap_init(&a.map, &a, 1u) == HV_OK);
    MUST(hal_guestmap_init(&b.map, &b, 1u) == HV_OK);
}

static void map_destroyed_twice(void)
{
    static struct hal_domain a;

    MUST(hal_guestmap_init(&a.map, &a, 1u) == HV_OK);
    hal_guestmap_destroy(&a.map);
    hal_guestmap_destroy(&a.map);
}

static void maps(void **state)
{
    (void)state;
    LIVES(maps_overlap);
    DIES(map_id_taken, SIGABRT);
    DIES(map_destroyed_twice, SIGABRT);
}

/* -- Ways to end -- */

static void park(void *arg)
{
    (void)arg;
    hal_cpu_park();
}

static void off(void *arg)
{
    (void)arg;
    hal_power_off();
}

static void nothing(void *arg)
{
    (void)arg;
}

static void ends_are_told(void)
{
    MUST(fake_call(nothing, NULL) == FAKE_END_RETURN);
    MUST(fake_call(park, NULL) == FAKE_END_PARK);
    MUST(fake_power_state() == FAKE_POWER_ON);
    MUST(fake_call(off, NULL) == FAKE_END_OFF);
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

static void park_unawaited(void)
{
    hal_cpu_park();
}

static void park_in_simulation(void)
{
    fake_cpu_boot(1u, park, NULL);
    fake_run();
}

static void park_allowed(void)
{
    fake_park_allow(true);
    fake_cpu_boot(1u, park, NULL);
    fake_run();
    MUST(fake_cpu_state(1u) == FAKE_STATE_PARKED);
}

static void ends(void **state)
{
    (void)state;
    LIVES(ends_are_told);
    DIES(park_unawaited, SIGABRT);
    DIES(park_in_simulation, SIGABRT);
    LIVES(park_allowed);
}

/* -- Simulated CPUs -- */

static struct hal_context first;
static struct hal_context second;
static uint32_t first_rounds;
static uint32_t second_rounds;
static volatile bool hold;

static void second_loop(void *arg)
{
    (void)arg;
    for (;;) {
        second_rounds++;
        next_frame = &first.frame;
        hal_context_yield();
    }
}

static void first_loop(void *arg)
{
    (void)arg;
    MUST(!hal_cpu_irq_masked());
    for (;;) {
        first_rounds++;
        if (hold) {
            const uint64_t flags = hal_cpu_irq_save();
            const uint32_t before = ipis;

            hal_irq_ipi(1u);
            MUST(ipis == before); /* masked: not yet */
            hal_cpu_irq_restore(flags);
            MUST(ipis == (before + 1u)); /* taken where it was unmasked */
            hold = false;
        }
        hal_cpu_wait();
    }
}

static void cpu_begin(void *arg)
{
    (void)arg;
    hal_context_init(&first, first_loop, NULL, NULL);
    hal_context_init(&second, second_loop, NULL, NULL);
    hal_context_set(&first.frame);
    hal_cpu_run();
}

static void interrupts_arrive(void)
{
    hold = true;
    fake_cpu_boot(1u, cpu_begin, NULL);
    fake_run();
    MUST(fake_cpu_state(1u) == FAKE_STATE_SLEEP);
    MUST((first_rounds == 1u) && (ipis == 1u));
    hal_irq_ipi(1u);
    MUST(ipis == 1u); /* nobody ran yet */
    fake_run();
    MUST((ipis == 2u) && (first_rounds == 2u));
    MUST(exit_works == 0u); /* nobody asked for it */
    /* an interrupt whose exit work lets another context run first */
    next_frame = &second.frame;
    percpu_area[1].hal.exit_work = true;
    hal_irq_ipi(1u);
    fake_run();
    MUST((second_rounds == 1u) && (first_rounds == 3u));
}

static void time_in_order(void)
{
    fake_cpu_boot(1u, cpu_begin, NULL);
    fake_run();
    fake_cpu_set(1u);
    hal_timer_set(500u);
    fake_cpu_set(0u);
    hal_timer_set(300u);
    fake_time_advance(400u);
    MUST((timers == 1u) && (hal_timer_now_ns() == 400u));
    fake_time_advance(100u);
    MUST((timers == 2u) && (hal_timer_now_ns() == 500u));
    fake_time_advance(1000u);
    MUST(timers == 2u); /* once each */
    fake_time_step(7u);
    MUST(hal_timer_now_ns() == 1507u);
}

static void poll_forever(void *arg)
{
    (void)arg;
    for (;;) {
        hal_cpu_relax();
    }
}

static void livelock(void)
{
    fake_cpu_boot(1u, poll_forever, NULL);
    fake_run();
}

static void yield_in_boot(void *arg)
{
    (void)arg;
    hal_context_yield();
}

static void no_context(void)
{
    fake_cpu_boot(1u, yield_in_boot, NULL);
    fake_run();
}

static void entry_returns(void)
{
    static struct hal_context returns;

    fake_cpu_boot(1u, cpu_begin, NULL);
    hal_context_init(&returns, nothing, NULL, NULL);
    fake_run();
    next_frame = &returns.frame;
    percpu_area[1].hal.exit_work = true;
    hal_irq_ipi(1u);
    fake_run();
}

static void simulation(void **state)
{
    (void)state;
    LIVES(interrupts_arrive);
    LIVES(time_in_order);
    DIES(livelock, SIGABRT);
    DIES(no_context, SIGABRT);
    DIES(entry_returns, SIGABRT);
}

/* -- vCPUs -- */

static struct hal_domain domain;
static struct hal_vcpu vcpu;

static void vcpu_make(void)
{
    const struct hal_domain_config config = { .nr_vcpus = 1u, .nr_spis = 32u, .map_id = 3u };

    MUST(hal_domain_init(&domain, &config) == HV_OK);
    MUST(hal_vcpu_init(&vcpu, &domain, 0u) == HV_OK);
    hal_vcpu_reset(&vcpu, 1u, 2u);
    (void)hal_cpu_irq_save();
}

static void loaded_on_one(void)
{
    vcpu_make();
    hal_vcpu_load(&vcpu);
    fake_cpu_set(1u);
    hal_vcpu_load(&vcpu);
}

static void saved_elsewhere(void)
{
    vcpu_make();
    hal_vcpu_load(&vcpu);
    fake_cpu_set(1u);
    hal_vcpu_save(&vcpu);
}

static void reset_while_loaded(void)
{
    vcpu_make();
    hal_vcpu_load(&vcpu);
    hal_vcpu_reset(&vcpu, 1u, 2u);
}

static void destroyed_while_loaded(void)
{
    vcpu_make();
    hal_vcpu_load(&vcpu);
    hal_domain_destroy(&domain);
}

static void loaded_and_saved(void)
{
    vcpu_make();
    hal_vcpu_load(&vcpu);
    MUST(fake_cpu_self()->current == &vcpu.frame);
    fake_guest_virt_timer(&vcpu, 100u);
    MUST(hal_vcpu_deadline(&vcpu, true) == TIME_NEVER);
    MUST(hal_vcpu_deadline(&vcpu, false) == 100u);
    hal_vcpu_save(&vcpu);
    fake_cpu_set(1u);
    hal_vcpu_load(&vcpu);
    hal_vcpu_save(&vcpu);
    hal_domain_destroy(&domain);
    MUST(pages == 0u);
}

static void loads_extend(void)
{
    const struct hal_exit narrow = { .width = 1u, .reg = 3u, .sign_extend = true, .wide = false };
    const struct hal_exit wide = { .width = 2u, .reg = 3u, .sign_extend = true, .wide = true };
    const struct hal_exit plain = { .width = 4u, .reg = 3u };

    vcpu_make();
    hal_vcpu_set_load(&vcpu, &narrow, 0x180u);
    MUST(vcpu.frame.reg[3] == 0xFFFFFF80u);
    hal_vcpu_set_load(&vcpu, &wide, 0x8001u);
    MUST(vcpu.frame.reg[3] == 0xFFFFFFFFFFFF8001ULL);
    hal_vcpu_set_load(&vcpu, &plain, UINT64_MAX);
    MUST(vcpu.frame.reg[3] == 0xFFFFFFFFu);
}

static void vcpus(void **state)
{
    (void)state;
    LIVES(loaded_and_saved);
    LIVES(loads_extend);
    DIES(loaded_on_one, SIGABRT);
    DIES(saved_elsewhere, SIGABRT);
    DIES(reset_while_loaded, SIGABRT);
    DIES(destroyed_while_loaded, SIGABRT);
}

/* -- Devices -- */

static uint64_t device_last;

static uint64_t device_read(void *ctx, uint64_t offset, uint32_t width)
{
    return offset + width + (uint64_t)(uintptr_t)ctx;
}

static void device_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    (void)ctx;
    device_last = (offset << 32u) | ((uint64_t)width << 16u) | value;
}

static void device_model(void)
{
    const struct fake_device device = { 0x9000000u, 0x1000u, device_read, device_write,
                                        (void *)(uintptr_t)0x100u };
    void *va = NULL;
    uint32_t plain[2] = { 5u, 6u };

    fake_device_add(&device);
    MUST(hal_hypmap_device(hpa(0x9000000u), 0x1000u, &va) == HV_OK);
    MUST(hal_mmio_read32(&((uint8_t *)va)[0x18]) == (0x18u + 4u + 0x100u));
    hal_mmio_write8(&((uint8_t *)va)[0x20], 9u);
    MUST(device_last == ((0x20ULL << 32u) | (1u << 16u) | 9u));
    MUST(hal_mmio_read32(&plain[1]) == 6u);
    hal_mmio_write32(&plain[0], 7u);
    MUST(plain[0] == 7u);
}

static void device_misaligned(void)
{
    uint32_t plain[2] = { 5u, 6u };

    (void)hal_mmio_read32(&((uint8_t *)plain)[2]);
}

static void devices(void **state)
{
    (void)state;
    LIVES(device_model);
    DIES(device_misaligned, SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory),     cmocka_unit_test(maps),  cmocka_unit_test(ends),
        cmocka_unit_test(simulation), cmocka_unit_test(vcpus), cmocka_unit_test(devices),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
