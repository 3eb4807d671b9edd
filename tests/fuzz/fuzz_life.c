/* A booted system of two domains. One does what the input says: accesses to its devices and beside them,
 * calls, waits, timers, resets, crashes; people type at the console; time passes. The other has a tick and
 * must not lose one, nor a byte of its memory. [test->req~input-never-panics~1] [test->req~memory-apart~1] */
#include <string.h>

#include "build/build.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/virq.h"
#include "host.h"
#include "tree_source.h"

#define CPUS       3u
#define STEPS_MAX  150u
#define GUEST_RAM  0x40000000ULL
#define UART       0x22000000ULL
#define WATCHDOG   0x22001000ULL
#define VIRT_TIMER 27u
#define PATTERN    0x5AA55AA5C33C3CC3ULL

/* clang-format off */
#define BOARD(scheduler, cpus) \
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;" \
    " cpus { #address-cells = <1>; #size-cells = <0>;" cpus "};" \
    " memory@40000000 { device_type = \"memory\"; reg = <0 0x40000000 0 0x3000000>; };" \
    " ic: intc { interrupt-controller; #interrupt-cells = <3>; };" \
    " uart: serial@9000000 { compatible = \"arm,pl011\"; reg = <0 0x9000000 0 0x1000>;" \
    "  interrupts = <0 1 4>; };" \
    " chosen { stdout-path = &uart; bulkhead,scheduler = \"" scheduler "\";" \
    " wild { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>;" \
    "  memory = <0 4096>; cpus = <2>;" \
    "  vpl011; bulkhead,on-crash = \"restart\"; bulkhead,restart-limit = <4>; bulkhead,watchdog-ms = <40>;" \
    "  bulkhead,max-irq-rate = <2000>; bulkhead,monitor;" \
    "  k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 0x42000000 0x1000>; }; };" \
    " calm { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>;" \
    "  memory = <0 4096>; cpus = <1>;" \
    "  k { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0 0x42001000 0x1000>; }; };" \
    " }; };"
#define CPU(n) "cpu@" n " { device_type = \"cpu\"; reg = <" n ">; enable-method = \"e\"; };"
/* clang-format on */

static struct fuzz_input in;
static struct domain *wild;
static struct domain *calm;
static uint64_t ticks;
static uint64_t next_tick_ns;
static bool typed;

/* -- The calm one -- */

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

/* Wherever it runs it takes its tick, asks for the next and waits. */
static void calm_tick(void)
{
    struct vcpu *const v = calm->vcpu[0];

    for (cpuid_t cpu = 0u; cpu < CPUS; cpu++) {
        if (fake_cpu_guest(cpu) == &v->hal) {
            while (fake_guest_ack(&v->hal) == VIRT_TIMER) {
                ticks++;
                next_tick_ns += HOST_MS;
                fake_guest_virt_timer(&v->hal, next_tick_ns);
            }
            fake_guest_wait(cpu);
            fake_run();
            break;
        }
    }
}

static void pass(uint64_t ns)
{
    for (uint64_t done = 0u; (done < ns) && (fake_power_state() == FAKE_POWER_ON); done += HOST_MS / 2u) {
        fake_time_advance(HOST_MS / 2u);
        calm_tick();
    }
}

/* -- The wild one -- */

static cpuid_t wild_cpu(uint32_t choice)
{
    cpuid_t found = CPUS;

    for (cpuid_t i = 0u; i < CPUS; i++) {
        const cpuid_t cpu = (i + choice) % CPUS;
        const struct hal_vcpu *const v = fake_cpu_guest(cpu);

        found = ((v != NULL) && (v->domain == &wild->hal)) ? cpu : found;
    }
    return found;
}

static void exit_any(cpuid_t cpu)
{
    static const uint8_t widths[8] = { 4, 4, 4, 1, 2, 8, 0, 4 };
    const uint8_t how = fuzz_u8(&in);
    const uint8_t more = fuzz_u8(&in);
    struct hal_exit exit = { .kind = HAL_EXIT_MEM_FAULT,
                             .width = widths[how & 7u],
                             .write = (how & 8u) != 0u };

    switch ((how >> 4u) & 3u) {
    case 0:
        exit.gpa = gpa(UART + (more * 4u));
        break;
    case 1:
        exit.gpa = gpa(WATCHDOG + ((more & 0x80u) << 5u) + ((more & 0x7Fu) * 4u));
        break;
    case 2:
        exit.gpa = gpa(UART + fuzz_bytes(&in, 2u));
        break;
    default:
        exit.gpa = gpa(fuzz_number(&in) & 0xFFFFFFFFFFULL);
        break;
    }
    exit.value = fuzz_number(&in);
    if (exit.width < 8u) {
        exit.value &= (1ULL << (exit.width * 8u)) - 1u;
    }
    exit.reg = more % FAKE_FRAME_REGS;
    if ((how & 0x80u) != 0u) {
        exit.exec = (more & 1u) != 0u;
        exit.walk = (more & 2u) != 0u;
        exit.permission = (more & 4u) != 0u;
        exit.sign_extend = (more & 8u) != 0u;
        exit.kind = (enum hal_exit_kind)((more >> 4u) % 5u);
    }
    (void)fake_guest_exit(cpu, &exit);
}

static void call_any(struct hal_vcpu *vcpu, void *arg)
{
    const uint32_t what = (uint32_t)(uintptr_t)arg;
    struct hal_domain_status status;
    struct hal_vcpu *const other = upcall_vcpu(vcpu->domain, what >> 4u);

    switch (what & 15u) {
    case 0:
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_RESET, "SYSTEM_RESET");
        break;
    case 1:
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_CRASH, "it does");
        break;
    case 2:
        upcall_domain_power(vcpu->domain, ((what & 0xF0u) == 0xF0u) ? HAL_DOMAIN_OFF : HAL_DOMAIN_WATCHDOG,
                            "why");
        break;
    case 3:
        upcall_vcpu_stop(vcpu);
        break;
    case 4:
    case 5:
    case 6:
        if (other != NULL) {
            (void)upcall_vcpu_start(other, what, what);
        }
        break;
    case 7:
        upcall_vcpu_block(vcpu);
        break;
    case 8:
        upcall_domain_report(vcpu->domain, what);
        break;
    case 9:
        (void)upcall_domain_status(vcpu->domain, what >> 4u, &status);
        break;
    case 10:
        hal_virq_pulse(vcpu->domain, 28u + (what >> 4u));
        break;
    default:
        if (other != NULL) {
            upcall_vcpu_kick(other);
        }
        break;
    }
}

static void wild_step(cpuid_t cpu, uint32_t what)
{
    struct hal_vcpu *const v = fake_cpu_guest(cpu);

    switch (what & 7u) {
    case 0:
        fake_guest_wait(cpu);
        break;
    case 1:
        fake_guest_call(cpu, call_any, (void *)(uintptr_t)fuzz_u8(&in));
        break;
    case 2:
        fake_guest_virt_timer(v, hal_timer_now_ns() + fuzz_number(&in));
        break;
    case 3:
        fake_guest_phys_timer(v, fuzz_number(&in));
        break;
    case 4:
        (void)fake_guest_ack(v);
        break;
    default:
        exit_any(cpu);
        break;
    }
}

/* Escapes to the prompt come often enough to be used. */
static void type_any(uint8_t with)
{
    static const char *const words[16] = { "\x01\x01\x01\x01\x01\x01",
                                           "\r",
                                           "list\r",
                                           "help\r",
                                           "stop wild\r",
                                           "start wild\r",
                                           "restart wild\r",
                                           "pause wild\r",
                                           "unpause wild\r",
                                           "faults wild\r",
                                           "wild",
                                           " ",
                                           "info wild\r",
                                           "\x08\x7f\x03",
                                           "heap\r",
                                           "log\r" };

    if ((with & 0x30u) != 0u) {
        host_type((uint8_t)fuzz_u8(&in));
    } else {
        for (const char *c = words[with & 15u]; *c != '\0'; c++) {
            host_type((uint8_t)*c);
        }
    }
    typed = true;
}

static void step(void)
{
    const uint8_t what = fuzz_u8(&in);
    const cpuid_t cpu = wild_cpu(what >> 5u);

    if ((what & 0x18u) == 0u) {
        if ((what & 4u) != 0u) {
            type_any(fuzz_u8(&in));
        } else {
            pass((uint64_t)fuzz_u8(&in) * (HOST_MS / 4u));
        }
    } else if (cpu < CPUS) {
        wild_step(cpu, what);
    } else {
        pass(HOST_MS);
    }
    fake_run();
    calm_tick();
}

static void *trees[2];
static size_t trees_bytes[2];

static void boot(uint32_t which)
{
    if (trees[0] == NULL) {
        trees[0] = tree_compile(BOARD("null", CPU("0") CPU("1") CPU("2")), &trees_bytes[0]);
        trees[1] = tree_compile(BOARD("credit2", CPU("0") CPU("1")), &trees_bytes[1]);
    }
    host_reset();
    host_setup(trees[which], trees_bytes[which]);
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
    typed = false;
    ticks = 0u;
    boot(fuzz_u8(&in) & 1u);
    calm_memory(false);
    next_tick_ns = hal_timer_now_ns() + HOST_MS;
    fake_guest_virt_timer(&calm->vcpu[0]->hal, next_tick_ns);
    for (uint32_t n = 0u; (n < STEPS_MAX) && (in.left > 0u) && (fake_power_state() == FAKE_POWER_ON); n++) {
        step();
    }
    /* whatever was going on is over soon */
    for (uint32_t i = 0u;
         (i < 400u) && ((wild->state == DOMAIN_BUILDING) || (wild->state == DOMAIN_STOPPING)); i++) {
        pass(HOST_MS);
    }
    FUZZ_MUST((wild->state != DOMAIN_BUILDING) && (wild->state != DOMAIN_STOPPING));
    FUZZ_MUST(fake_maps_disjoint() && (fake_windows_open() == 0u));
    FUZZ_MUST(typed || (calm->state == DOMAIN_RUNNING));
    if (calm->state == DOMAIN_RUNNING) {
        calm_memory(true);
    }
    if (!typed) {
        pass(40u * HOST_MS);
        FUZZ_MUST(next_tick_ns + (30u * HOST_MS) > hal_timer_now_ns()); /* none was lost */
    }
    return 0;
}
