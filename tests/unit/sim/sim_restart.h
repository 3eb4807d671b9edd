/* Domains of the smallest kind, what their guests do, and a close look at all that they consist of. Included
 * by one file of a program: it defines functions that stand in for the product's. */
#ifndef SIM_RESTART_H
#define SIM_RESTART_H

#include "sim_system.h"

#include "build/builder.h"
#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "lib/crc32c.h"
#include "mem/ram.h"
#include "sched/sched.h"
#include "sched/work.h"

#define CPUS         4u
#define KERNEL_BYTES 0x1000u
#define KERNEL_AT    MIB(2) /* the tree goes below it: the smallest domain there is */
#define MEMORY_BYTES (MIB(2) + 0x2000u)
#define UART         0x22000000ULL
#define UART_IMSC    0x38u
#define UART_INTID   32u
#define WATCHDOG_WCS 0x22002000ULL
#define WATCHDOG_WOR 0x22002008ULL
#define TICK_NS      MS

/* clang-format off */
#define BOARD(scheduler) \
    BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_CPU("2") BOARD_CPU("3") BOARD_REST(scheduler)
#define DOMAIN(n, cpus, more) \
    "domU" n " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>;" \
    " memory = <0 2056>; cpus = <" cpus ">; vpl011;" more \
    " module@8" n "000000 { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    "  reg = <0 0x8" n "000000 0x1000>; bootargs = \"\"; }; };"
#define LIMIT(n) " bulkhead,restart-limit = <" n ">;"
#define GUARDED " bulkhead,watchdog-ms = <1000>; bulkhead,max-irq-rate = <10>;"
#define ON_CRASH " bulkhead,on-crash = \"restart\";"
/* clang-format on */

static inline void kernels_put(void)
{
    for (uint64_t n = 1u; n <= 3u; n++) {
        uint8_t *const k = fake_ram(hpa(KERNEL(n)), KERNEL_BYTES);
        const uint64_t at = KERNEL_AT;
        const uint64_t bytes = KERNEL_BYTES;

        for (uint64_t i = 0u; i < KERNEL_BYTES; i++) {
            k[i] = (uint8_t)((i * 13u) + n);
        }
        (void)memset(k, 0, 64u);
        (void)memcpy(&k[8], &at, 8u);
        (void)memcpy(&k[16], &bytes, 8u);
        (void)memcpy(&k[56], "ARMd", 4u);
    }
}

/* -- Looking closely: with these, the test is asked at each breath of the long work, and between the two
 * halves of a vCPU's power-on -- */

static bool breath_turns;
static void (*on_reset)(struct hal_vcpu *vcpu);

void work_breathe(void)
{
    if (breath_turns) {
        hal_cpu_relax();
    }
    if (sched_requested()) {
        hal_context_yield();
    }
}

void hal_vcpu_reset(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    MUST(!vcpu->loaded);
    vcpu->frame = (struct hal_frame){ .kind = FAKE_FRAME_VCPU, .pc = entry, .reg = { argument } };
    vcpu->entry = entry;
    vcpu->argument = argument;
    vcpu->virt_deadline_ns = TIME_NEVER;
    vcpu->phys_deadline_ns = TIME_NEVER;
    vcpu->intc = (struct fake_intc){ { 0u }, { 0u }, { 0u } };
    if (on_reset != NULL) {
        on_reset(vcpu);
    }
}

/* RAM as it is instead of pages mapped anew each time: ten thousand lives are many. */
void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    (void)slot;
    (void)perm;
    *bytes = MIB(2) - (at.v % MIB(2));
    return fake_ram(at, 1u);
}

void hal_hypmap_window_close(enum hal_window slot)
{
    (void)slot;
}

/* -- What a guest does -- */

static inline void ask(struct hal_vcpu *vcpu, void *arg)
{
    upcall_domain_power(vcpu->domain, (enum hal_power_request)(uintptr_t)arg, "the test");
}

static enum hv_status cpu_on_status;

static inline void cpu_on(struct hal_vcpu *vcpu, void *arg)
{
    struct hal_vcpu *const other = upcall_vcpu(vcpu->domain, (uint32_t)(uintptr_t)arg);

    MUST(other != NULL);
    cpu_on_status = upcall_vcpu_start(other, GUEST_RAM + KERNEL_AT, 0u);
}

static inline void guest_asks(const struct vcpu *vcpu, enum hal_power_request request)
{
    MUST(cpu_of(vcpu) < CPUS);
    fake_guest_call(cpu_of(vcpu), ask, (void *)(uintptr_t)request);
}

static inline void guest_cpu_on(const struct vcpu *vcpu, uint32_t index)
{
    MUST(cpu_of(vcpu) < CPUS);
    fake_guest_call(cpu_of(vcpu), cpu_on, (void *)(uintptr_t)index);
}

static inline void device_put(const struct vcpu *vcpu, uint64_t at, uint64_t value)
{
    const struct hal_exit exit = {
        .kind = HAL_EXIT_MEM_FAULT, .gpa = gpa(at), .value = value, .width = 4u, .write = true
    };

    MUST(fake_guest_exit(cpu_of(vcpu), &exit) == HAL_RESUME_NEXT);
}

static inline void uart_put(const struct vcpu *vcpu, uint32_t reg, uint64_t value)
{
    device_put(vcpu, UART + reg, value);
}

/* Steps of simulated time until it is in this state, `restarts` lives later than its first */
static inline void until(const struct domain *d, enum domain_state state, uint32_t restarts)
{
    fake_run();
    for (uint32_t i = 0u; ((d->state != state) || (d->nr_restarts != restarts)) && (i < 100u); i++) {
        fake_time_advance(MS);
    }
    MUST(d->state == state);
    MUST(d->nr_restarts == restarts);
}

static inline void until_in_guest(const struct vcpu *vcpu)
{
    for (uint32_t i = 0u; (cpu_of(vcpu) == HV_CPUS_MAX) && (i < 100u); i++) {
        fake_time_advance(MS);
    }
    MUST(cpu_of(vcpu) < CPUS);
}

/* Leaves traces everywhere: in memory and devices, in clocks that other CPUs keep, in lines half written. */
static inline void live(struct domain *d)
{
    static uint8_t dirt[MEMORY_BYTES];

    (void)memset(dirt, (int)DIRT, sizeof(dirt));
    MUST(fake_guest_write(&d->hal.map, gpa(GUEST_RAM), dirt, sizeof(dirt)));
    for (uint32_t i = 1u; i < d->nr_vcpus; i++) {
        guest_cpu_on(d->vcpu[0], i);
        MUST(cpu_on_status == HV_OK);
        fake_run();
        until_in_guest(d->vcpu[i]);
    }
    for (uint32_t i = 0u; i < d->nr_vcpus; i++) {
        fake_guest_virt_timer(&d->vcpu[i]->hal, hal_timer_now_ns() + (50u * MS));
        fake_guest_phys_timer(&d->vcpu[i]->hal, hal_timer_now_ns() + (60u * MS));
    }
    uart_put(d->vcpu[0], UART_IMSC, 0x7FFu);
    for (const char *c = "half a line"; *c != '\0'; c++) {
        uart_put(d->vcpu[0], 0u, (uint64_t)*c);
        vpl011_receive(&build_slot_of(d)->uart, (uint8_t)*c);
    }
    MUST(fake_guest_line(&d->hal, UART_INTID));
    (void)fake_guest_ack(&d->vcpu[0]->hal);
    device_put(d->vcpu[0], WATCHDOG_WOR, 12345u);
    device_put(d->vcpu[0], WATCHDOG_WCS, 0u);
    fake_guest_wait(cpu_of(d->vcpu[d->nr_vcpus - 1u])); /* its clocks are the hypervisor's now */
    fake_run();
    fake_guest_pend(&d->vcpu[0]->hal, 5u);
    d->progress = 77u;
}

/* -- Everything that a domain consists of. What may differ from life to life is made alike: counters, locks,
 * texts that nobody sees any more, where in the pool a page was, and which CPU it runs on. -- */

struct whole {
    struct build_slot slot;
    struct vcpu vcpu[3];
    gpa_t at[4];
    hpa_t to[4];
    uint64_t bytes[4];
    uint32_t nr_regions;
};

static inline void slot_alike(struct build_slot *slot)
{
    struct domain *const d = &slot->domain;

    d->hal.map.first = NULL;
    d->hal.map.free = NULL;
    d->hal.map.pages = NULL;
    d->hal.map.next_live = NULL;
    d->hal.map.nr_invalidations = 0u;
    d->hal.nr_inits = 0u;
    d->hal.page = NULL;
    spin_init(&d->lock, LOCK_DOMAIN);
    d->power_request = HAL_DOMAIN_OFF;
    d->power_reason = NULL;
    spin_init(&d->pool.lock, LOCK_MEM);
    d->pool.free_list = NULL;
    spin_init(&d->console.lock, LOCK_CONSOLE_LINE);
    d->console.drawn_to = 0u;
    (void)memset(d->console.line, 0, sizeof(d->console.line));
    (void)memset(d->console.ring, 0, sizeof(d->console.ring));
    d->nr_restarts = 0u;
    d->nr_faults = 0u;
    (void)memset(d->fault, 0, sizeof(d->fault));
    d->nr_fault_kinds = 0u;
    spin_init(&slot->uart.lock, LOCK_VDEV);
    (void)memset(slot->uart.fifo, 0, sizeof(slot->uart.fifo));
    (void)memset(slot->uart.tx, 0, sizeof(slot->uart.tx));
    spin_init(&d->gate.lock, LOCK_VIRQ);
    (void)memset(&d->gate.timer, 0, sizeof(d->gate.timer));
    spin_init(&slot->watchdog.lock, LOCK_VDEV);
    (void)memset(&slot->watchdog.timer, 0, sizeof(slot->watchdog.timer));
    slot->watchdog.compare = 0u;
    slot->watchdog.fired_ns = 0u;
    (void)memset(slot->second, 0, sizeof(slot->second));
}

static inline void vcpu_alike(struct vcpu *v)
{
    v->cpu = 0u;
    (void)memset(&v->sched, 0, sizeof(v->sched)); /* pools are tested elsewhere */
    v->run_ns = 0u;
    v->loaded_at_ns = 0u;
    v->hal.loaded_on = 0u;
    v->hal.nr_loads = 0u;
    v->hal.nr_saves = 0u;
    v->hal.trap_wait = false;
    if (v->timer.cpu == TIMER_UNARMED) {
        v->timer.deadline_ns = TIME_NEVER; /* of its last life, and means nothing */
    }
}

static inline void look(struct domain *d, struct whole *w)
{
    uint32_t perm = 0u;

    (void)memset(w, 0, sizeof(*w));
    (void)memcpy(&w->slot, build_slot_of(d), sizeof(w->slot));
    slot_alike(&w->slot);
    for (uint32_t i = 0u; i < d->nr_vcpus; i++) {
        (void)memcpy(&w->vcpu[i], d->vcpu[i], sizeof(w->vcpu[i]));
        vcpu_alike(&w->vcpu[i]);
    }
    while (fake_map_region(&d->hal.map, w->nr_regions, &w->at[w->nr_regions], &w->to[w->nr_regions],
                           &w->bytes[w->nr_regions], &perm)) {
        w->nr_regions++;
        MUST(w->nr_regions < 4u);
    }
}

static inline void same(const struct whole *a, const struct whole *b)
{
    const uint8_t *const x = (const void *)a;
    const uint8_t *const y = (const void *)b;

    for (size_t i = 0u; i < sizeof(*a); i++) {
        if (x[i] != y[i]) {
            (void)fprintf(stderr, "byte %zu (domain %zu, uart %zu, rest %zu; vCPU 0 at %zu of %zu): %u, %u\n",
                          i, sizeof(struct domain), offsetof(struct build_slot, uart),
                          offsetof(struct build_slot, stop), offsetof(struct whole, vcpu),
                          sizeof(struct vcpu), x[i], y[i]);
            MUST(!"a new life is like the first");
        }
    }
}

/* Kernel and tree, and zeros around them, in its own memory */
static inline void memory_is_fresh(const struct domain *d)
{
    static uint8_t first[MEMORY_BYTES];
    static uint8_t now[MEMORY_BYTES];
    static bool known;

    MUST(fake_guest_read(&d->hal.map, gpa(GUEST_RAM), now, sizeof(now)));
    if (!known) {
        (void)memcpy(first, now, sizeof(now));
        known = true;
    }
    MUST(memcmp(first, now, sizeof(now)) == 0);
}

static inline void order(struct domain *d, enum hal_power_request request)
{
    MUST(build_order(d, request, "by the operator") == HV_OK);
}

#endif
