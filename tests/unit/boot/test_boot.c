/* Boots of whole systems. Each runs in a process of its own, because a boot leaves nothing as it was.
 * [test->req~host-smp~1] */
#include "tree_source.h"

#include <sys/wait.h>

#include "base/console.h"
#include "base/percpu.h"
#include "build/build.h"
#include "fake.h"
#include "hal/upcall.h"
#include "lib/crc32c.h"
#include "mem/ram.h"

#define RAM       0x80000000ULL
#define RAM_SIZE  (512ULL << 20)
#define IMAGE     (RAM + 0x200000u)
#define TREE      (RAM + 0x1000008ULL)
#define KERNEL    (RAM + 0x2000000ULL)
#define UART      0x9000000ULL
#define UART_IRQ  33u
#define SPARE_CPU 3u /* the test's own */

#define MUST(condition)                                                                                      \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            (void)fprintf(stderr, "%s:%d: not so: %s\nconsole:\n%s\n", __FILE__, __LINE__, #condition,       \
                          shown);                                                                            \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static char shown[65536];
static size_t nr_shown;
static const char *typed = "";
static struct hal_boot boot;

/* -- The board -- */

static uint64_t uart_read(void *ctx, uint64_t offset, uint32_t width)
{
    uint64_t value = 0;

    (void)ctx;
    (void)width;
    if (offset == 0x18u) {
        value = (*typed == '\0') ? 0x10u : 0u;
    } else if (offset == 0u) {
        value = (uint8_t)*typed;
        typed++;
    }
    return value;
}

static void uart_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    (void)ctx;
    (void)width;
    if ((offset == 0u) && (nr_shown < (sizeof(shown) - 1u)) && (value != '\r')) {
        shown[nr_shown] = (char)value;
        nr_shown++;
        shown[nr_shown] = '\0';
    }
}

/* clang-format off */
#define CPU(n) "cpu@" n " { device_type = \"cpu\"; reg = <0x" n ">; enable-method = \"e\"; };"
#define BOARD \
    "/dts-v1/; / { #address-cells = <2>; #size-cells = <2>; interrupt-parent = <&ic>;" \
    " cpus { #address-cells = <1>; #size-cells = <0>; " CPU("100") CPU("7") CPU("200") " };" \
    " memory@80000000 { device_type = \"memory\"; reg = <0 0x80000000 0 0x20000000>; };" \
    " ic: intc@1000 { compatible = \"bulkhead,fake-intc\"; interrupt-controller; #interrupt-cells = <3>; };" \
    " power { compatible = \"bulkhead,fake-power\"; };" \
    " uart: serial@9000000 { compatible = \"arm,pl011\"; reg = <0 0x9000000 0 0x1000>;" \
    " interrupts = <0 1 4>; };" \
    " chosen { stdout-path = &uart; "
#define DOMAIN(name, more, at, bytes) \
    name " { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 65536>;" \
         " cpus = <1>; vpl011; " more " module@" at \
         " { compatible = \"multiboot,kernel\", \"multiboot,module\"; reg = <0x0 0x" at " " bytes ">;" \
         " bootargs = \"hello\"; }; };"
#define END "}; };"
#define POOL(phandle, cpu) \
    "p { compatible = \"xen,cpupool\"; phandle = <" phandle ">; cpupool-cpus = <" cpu ">; };"
#define CPU_PHANDLE(n, phandle) " / { cpus { cpu@" n " { phandle = <" phandle ">; }; }; };"
#define DIGEST \
    "domU1 { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; memory = <0 65536>;" \
    " cpus = <1>; vpl011; kernel { compatible = \"multiboot,kernel\", \"multiboot,module\";" \
    " reg = <0 0x82000000 0x180000>; bulkhead,crc32c = <0x%x>; }; };"
/* clang-format on */

static void put_kernel(uint64_t at, uint32_t bytes)
{
    uint8_t *const k = fake_ram(hpa(at), bytes);

    (void)memset(k, 0xA5, bytes);
    (void)memset(k, 0, 64u);
    (void)memcpy(&k[16], &bytes, 4u);
    (void)memcpy(&k[56], "ARMd", 4u);
}

static void board_make(const char *source)
{
    static const struct fake_device uart = { UART, 0x1000u, uart_read, uart_write, NULL };
    size_t bytes = 0;
    void *blob;

    fake_reset();
    fake_ram_setup(RAM, RAM_SIZE);
    fake_device_add(&uart);
    blob = tree_compile(source, &bytes);
    (void)memcpy(fake_ram(hpa(TREE), bytes), blob, bytes);
    free(blob);
    put_kernel(KERNEL, 0x180000u);
    put_kernel(KERNEL + 0x1000000u, 0x1000u);
    boot.image_base = hpa(IMAGE);
    boot.image_bytes = 0x80000u;
    boot.tree = hpa(TREE);
    boot.cpu_hwid = 7u; /* not the first in the tree */
}

static void boot_main(void *arg)
{
    upcall_boot(arg);
}

static void power_on(void)
{
    fake_cpu_boot(1u, boot_main, &boot); /* by the tree it is CPU 1 */
    fake_run();
}

static bool says(const char *text)
{
    fake_cpu_set(SPARE_CPU);
    console_flush(); /* the rest would come with the next interrupts */
    return strstr(shown, text) != NULL;
}

/* Runs fn in a process of its own; what fails there aborts it. */
static void scenario(void (*fn)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* -- Good systems -- */

static struct vcpu *runs(const char *name)
{
    struct domain *const d = domain_by_name(name);

    MUST(d != NULL);
    for (cpuid_t cpu = 0; cpu < 3u; cpu++) {
        if (fake_cpu_guest(cpu) == &d->vcpu[0]->hal) {
            return d->vcpu[0];
        }
    }
    return NULL;
}

static void ask_off(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_domain_power(vcpu->domain, HAL_DOMAIN_OFF, NULL);
}

static void ask_reset(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_domain_power(vcpu->domain, HAL_DOMAIN_RESET, NULL);
}

static void call(const struct vcpu *vcpu, void (*fn)(struct hal_vcpu *, void *))
{
    for (cpuid_t cpu = 0; cpu < 3u; cpu++) {
        if (fake_cpu_guest(cpu) == &vcpu->hal) {
            fake_guest_call(cpu, fn, NULL);
            break;
        }
    }
    fake_run();
}

static void power_off(const struct vcpu *vcpu)
{
    call(vcpu, ask_off);
}

static void reset(const struct vcpu *vcpu)
{
    call(vcpu, ask_reset);
}

static void two_domains(void)
{
    const struct vcpu *a;
    const struct vcpu *b;

    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000")
                   DOMAIN("domU2", "bulkhead,start-order = <5>;", "83000000", "0x1000") END);
    power_on();
    MUST(says("Bulkhead 0.1.0 on "));
    MUST(says(", 3 CPUs, 512 MiB RAM\n"));
    MUST(says("boot: 2 domains running after "));
    MUST(says("kept from guests: ") && says(" bytes, retained modules: 1576960 bytes\n"));
    a = runs("domU1");
    b = runs("domU2");
    MUST((a != NULL) && (b != NULL));
    MUST(a->hal.entry == 0x40000000u);
    MUST(percpu_online() == 7u);
    /* CPU 1 is the one that was booted on */
    MUST(percpu_area[1].hwid == 7u);
    MUST(fake_maps_disjoint());
    MUST(fake_windows_open() == 0u);
    fake_cpu_set(0u);
    MUST(ram_owner(hpa(IMAGE)) == RAM_IMAGE);
    MUST(ram_owner(hpa(TREE)) == RAM_TREE);
    MUST(ram_owner(hpa(KERNEL + 0x17FFFFu)) == RAM_MODULE);
    /* input by interrupt reaches the first domain's UART, then the prompt's */
    typed = "x";
    fake_irq_raise(UART_IRQ);
    fake_run();
    MUST(*typed == '\0');
    typed = "\x01\x01\x01\x01\x01\x01list\r";
    fake_irq_raise(UART_IRQ);
    fake_run();
    MUST(says("bulkhead> list\n"));
    MUST(says("domU2                       2  running       1      64 "));
    power_off(a);
    MUST(says("domU1: powered off\n"));
    MUST(domain_by_name("domU1")->state == DOMAIN_STOPPED);
    MUST(runs("domU2") != NULL);
    MUST(fake_power_state() == FAKE_POWER_ON);
    power_off(b);
    MUST(says("all domains are off\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

/* One CPU, no secondary comes: the order of building is the order in the log. */
static void start_order(void)
{
    const char *first;
    const char *second;

    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000")
                   DOMAIN("domU2", "bulkhead,start-order = <5>;", "83000000", "0x1000") END);
    fake_cpu_broken(5u);
    power_on();
    MUST(says("CPU 0 (0x100): the firmware refuses to start it\n"));
    MUST(says("1 of 3 CPUs are online\n"));
    first = strstr(shown, "domU2: built in");
    second = strstr(shown, "domU1: built in");
    MUST(first != NULL);
    if (second != NULL) { /* with the null scheduler a pinned CPU may be missing */
        MUST(first < second);
    }
}

static void one_is_bad(void)
{
    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000") DOMAIN("domU2", "", "83000000", "0x1000")
                   END);
    (void)memset(fake_ram(hpa(KERNEL), 64u), 0xEE, 64u);
    power_on();
    MUST(says("/chosen/domU1/module@82000000: kernel: found an unknown format"));
    MUST(says("domU1: not built, phase image failed\n"));
    MUST(says("boot: 1 domains running after "));
    MUST(runs("domU2") != NULL);
    power_off(runs("domU2"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

static void all_are_bad(void)
{
    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000") END);
    (void)memset(fake_ram(hpa(KERNEL), 64u), 0xEE, 64u);
    power_on();
    MUST(says("boot: 0 domains running after "));
    MUST(says("all domains are off\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

/* The sound ones start, the others are listed and cannot be reached. [test->req~partial-boot~1] */
static void partial_boot(void)
{
    const char *told;

    board_make(BOARD "bulkhead,partial-boot;" DOMAIN("domU1", "nr_spis = <999>;", "82000000", "0x180000")
                   DOMAIN("domU2", "", "83000000", "0x1000") END);
    power_on();
    told = strstr(shown, "/chosen/domU1: nr_spis: found 999, expected 0 to 988");
    MUST(told != NULL);
    MUST(strstr(told, "domU1: not started, its configuration is unsound\n") != NULL);
    MUST(says("boot: 1 domains running after "));
    MUST(!says("domU1: built in"));
    MUST(domain_count == 2u);
    MUST(runs("domU2")->domain->id == 2u);
    MUST(domain_by_name("domU1")->state == DOMAIN_FAILED);
    typed = "\x01\x01\x01list\rpause domU1\rstop domU1\rrestart domU1\r";
    fake_irq_raise(UART_IRQ);
    fake_run();
    MUST(says("domU1                       1  failed        0       0 "));
    MUST(says("domU2                       2  running       1      64 "));
    MUST(domain_by_name("domU1")->state == DOMAIN_FAILED);
    fake_cpu_set(0u);
    MUST(ram_owner(hpa(KERNEL)) != RAM_MODULE);
    power_off(runs("domU2"));
    MUST(says("all domains are off\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

/* With nothing sound there is nothing to start. */
static void partial_none(void)
{
    board_make(BOARD "bulkhead,partial-boot;" DOMAIN("domU1", "nr_spis = <999>;", "82000000", "0x180000")
                   END);
    power_on();
    MUST(says("/chosen/domU1: nr_spis: found 999, expected 0 to 988"));
    MUST(says("boot: step verdict failed, nothing is started\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

/* -- The hypervisor fails. The operator's panic comes as an interrupt. -- */

#define LOG_REGION                                                                                           \
    "}; reserved-memory { #address-cells = <2>; #size-cells = <2>; ranges;"                                  \
    " log@9f000000 { compatible = \"bulkhead,log\"; reg = <0x0 0x9f000000 0x0 0x4000>; }; }; };"

static void panic_on(cpuid_t cpu)
{
    fake_park_allow(true);
    fake_cpu_set(cpu);
    percpu_ipi_send(cpu, PERCPU_IPI_PANIC);
    fake_time_step(1000000u);
    fake_run();
}

/* CPU 1 takes the UART's interrupt and runs a domain; both have to be dealt with. [test->req~on-panic~1] */
static void park_one(void)
{
    struct domain *gone;
    struct domain *other;
    const struct hal_vcpu *still;

    board_make(BOARD "bulkhead,on-panic = \"park\";" DOMAIN("domU1", "", "82000000", "0x180000")
                   DOMAIN("domU2", "bulkhead,on-crash = \"restart\";", "83000000", "0x1000") END);
    power_on();
    MUST(fake_cpu_guest(1u) != NULL);
    gone = vcpu_of(fake_cpu_guest(1u))->domain;
    other = domain_table[(gone == domain_table[0]) ? 1u : 0u];
    still = &runs(other->plan->name)->hal;
    panic_on(1u);
    MUST(says("PANIC on CPU 1, running domU"));
    MUST(says(": asked for by the operator\n"));
    MUST(says("PANIC: CPU 1 is parked, the others run on\n"));
    MUST(fake_cpu_state(1u) == FAKE_STATE_PARKED);
    MUST(percpu_online() == 5u);
    MUST(says(": does not leave its CPU, its memory is not used again\n"));
    MUST((gone->state == DOMAIN_CRASHED) && (gone->nr_restarts == 0u));
    MUST(strcmp(gone->fault[0].what, "the hypervisor failed on its CPU") == 0);
    MUST((other->state == DOMAIN_RUNNING) && (&runs(other->plan->name)->hal == still));
    /* another CPU takes the UART's interrupt now, and work goes on */
    typed = "\x01\x01\x01\x01\x01\x01list\r";
    fake_irq_raise(UART_IRQ);
    fake_run();
    MUST(*typed == '\0');
    MUST(says("bulkhead> list\n") && says("  crashed "));
    /* a second one ends it */
    panic_on(2u);
    MUST(says("PANIC: CPU 2 cannot be parked: another one was parked before; all CPUs halt\n"));
    MUST(fake_cpu_state(0u) == FAKE_STATE_PARKED);
    MUST(fake_power_state() == FAKE_POWER_ON);
}

/* One whose vCPU only that CPU may run has another there: it is named, and nothing else happens to it. */
static void park_leaves_orphans(void)
{
    board_make(BOARD "bulkhead,on-panic = \"park\"; bulkhead,scheduler = \"credit2\";" DOMAIN(
        "domU1", "v { compatible = \"xen,vcpu\"; id = <0>; hard-affinity = \"0\"; };", "82000000", "0x180000")
                   END);
    power_on();
    const struct hal_exit idle = { .kind = HAL_EXIT_IDLE };

    MUST(runs("domU1")->cpu == 0u);
    (void)fake_guest_exit(0u, &idle);
    fake_run();
    panic_on(0u);
    MUST(says("PANIC on CPU 0, running idle: "));
    MUST(says("domU1: vCPU 0 may run on CPU 0 only and stops\n"));
    MUST(domain_by_name("domU1")->state == DOMAIN_RUNNING);
    MUST(fake_cpu_state(2u) != FAKE_STATE_PARKED);
}

static void park_alone(void)
{
    board_make(BOARD "bulkhead,on-panic = \"park\"; bulkhead,scheduler = \"credit2\";" DOMAIN(
        "domU1", "", "82000000", "0x180000") END);
    fake_cpu_broken(5u);
    power_on();
    panic_on(1u);
    MUST(says("PANIC: CPU 1 cannot be parked: there is no other CPU; all CPUs halt\n"));
    MUST(fake_cpu_state(1u) == FAKE_STATE_PARKED);
}

/* What it holds when it fails, others would wait for. */
static void park_not_held(void)
{
    board_make(BOARD "bulkhead,on-panic = \"park\";" DOMAIN("domU1", "", "82000000", "0x180000") END);
    power_on();
    percpu_area[0].held = 1u;
    panic_on(0u);
    MUST(says("PANIC: CPU 0 cannot be parked: it holds what others wait for; all CPUs halt\n"));
    MUST((fake_cpu_state(1u) == FAKE_STATE_PARKED) && (fake_cpu_state(2u) == FAKE_STATE_PARKED));
}

static void reboot_board(void)
{
    board_make(BOARD "bulkhead,on-panic = \"reboot\";" DOMAIN("domU1", "", "82000000", "0x180000")
                   LOG_REGION);
}

static void reboot_first(void)
{
    power_on();
    MUST(!says("before the reset"));
    panic_on(0u);
    MUST(says("PANIC on CPU 0, running domU1: asked for by the operator\n"));
    MUST(fake_power_state() == FAKE_POWER_RESET);
}

static void reboot_second(void)
{
    power_on();
    MUST(says("bulkhead: before the reset| [    0.000] Bulkhead 0.1.0 on "));
    MUST(says("PANIC on CPU 0, running domU1: asked for by the operator\n"));
    MUST(runs("domU1") != NULL);
}

static void reboot_third(void)
{
    power_on();
    MUST(says("before the reset| "));
    MUST(!says("PANIC")); /* once */
}

/* Each boot is a process of its own; what they share is the board's RAM. [test->req~log-kept~1] */
static void reboot(void **state)
{
    (void)state;
    reboot_board();
    scenario(reboot_first);
    scenario(reboot_second);
    scenario(reboot_third);
}

/* A domain whose module changed is not built again; it fails alone. [test->req~module-digest~1] */
static void flipped_bit(void)
{
    static char source[8192];
    uint32_t crc;

    board_make(BOARD END);
    crc = crc32c_update(0u, fake_ram(hpa(KERNEL), 0x180000u), 0x180000u);
    (void)snprintf(source, sizeof(source), BOARD DOMAIN("domU2", "", "83000000", "0x1000") DIGEST END, crc);
    board_make(source);
    power_on();
    MUST(says("boot: 2 domains running after "));
    reset(runs("domU1"));
    MUST(says("domU1: restarts (1): "));
    MUST(runs("domU1") != NULL);
    MUST(!says("digest"));
    *fake_ram(hpa(KERNEL + 0x17FFFFu), 1u) ^= 0x10u;
    reset(runs("domU1"));
    MUST(says("/chosen/domU1/kernel: found contents that its digest does not match, expected what "
              "bulkhead-image packed\n"));
    MUST(domain_by_name("domU1")->state == DOMAIN_FAILED);
    MUST(runs("domU1") == NULL);
    MUST(runs("domU2") != NULL);
    MUST(fake_power_state() == FAKE_POWER_ON);
}

/* -- Systems that are refused -- */

static void nothing_starts(void)
{
    MUST(says("boot: step verdict failed, nothing is started\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
    MUST(!says("built in"));
    MUST(domain_count == 0u);
}

static void many_faults(void)
{
    static char source[40000];

    (void)strcpy(source, BOARD);
    for (uint32_t i = 0; i < 32u; i++) {
        (void)snprintf(&source[strlen(source)], 1000u,
                       "a-name-as-long-as-may-be-%u { compatible = \"xen,domain\"; #address-cells = <2>; "
                       "#size-cells = <1>; "
                       "memory = <0 65536>; cpus = <0>; nonsense-of-some-kind; };\n",
                       10u + i);
    }
    (void)strcat(source, END);
    board_make(source);
    power_on();
    /* all of them, although the console keeps only so much of what is said before it is open */
    for (uint32_t i = 0; i < 32u; i++) {
        char text[100];

        (void)snprintf(text, sizeof(text), "/chosen/a-name-as-long-as-may-be-%u: cpus: found 0, expected ",
                       10u + i);
        MUST(says(text));
    }
    nothing_starts();
}

static void no_tree(void)
{
    board_make(BOARD END);
    boot.tree = hpa(RAM + 0x1800000u); /* zeros */
    power_on();
    MUST(fake_power_state() == FAKE_POWER_OFF);
    MUST(domain_count == 0u);
}

static void bad_payload(void)
{
    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000") END);
    boot.payload = hpa(RAM + 0x1800000u);
    power_on();
    MUST(fake_power_state() == FAKE_POWER_OFF);
    MUST(domain_count == 0u);
}

static void cpu_unknown(void)
{
    board_make(BOARD DOMAIN("domU1", "", "82000000", "0x180000") END);
    boot.cpu_hwid = 0x999u;
    power_on();
    MUST(says("/cpus: reg: found no CPU 0x999, expected the one that the hypervisor was booted on\n"));
    MUST(fake_power_state() == FAKE_POWER_OFF);
}

static void run_scenario(void **state)
{
    scenario((void (*)(void))(uintptr_t)*state);
}

/* What is in force is told after boot and again to the operator; who does not run has no map.
 * [test->req~partition-live~1] */
static void report(void)
{
    board_make(BOARD "bulkhead,report; bulkhead,scheduler = \"credit2\"; " DOMAIN(
        "domU1", "bulkhead,watchdog-ms = <0>;", "82000000", "0x180000")
                   DOMAIN("domU2", "domain-cpupool = <0x70>;", "83000000", "0x1000") POOL("0x70", "0x71")
                       END CPU_PHANDLE("7", "0x71"));
    power_on();
    fake_time_advance(1000000000u); /* the guests want the CPUs too */
    MUST(says(" report: ram 0x80200000-0x8027ffff image\n"));
    MUST(says(" report: ram 0x82000000-0x8217ffff module\n"));
    MUST(says("-0x9fffffff free\n"));
    MUST(says(" report: map domU1 0x40000000-0x43ffffff 0x"));
    MUST(says(" report: emulated domU1 0x22001000-0x22002fff\n"));
    MUST(says(" report: emulated domU2 0x22000000-0x22000fff\n"));
    MUST(says(" report: irq 33 hypervisor level\n"));
    MUST(says(" report: vcpu domU1/0 0,2\n"));
    MUST(says(" report: vcpu domU2/0 1\n"));
    MUST(says(" facts\n"));
    power_off(runs("domU1"));
    nr_shown = 0;
    typed = "\x01\x01\x01\x01\x01\x01report\r";
    fake_irq_raise(UART_IRQ);
    fake_run();
    fake_time_advance(1000000000u);
    MUST(says("\nreport: map domU2 0x40000000-0x43ffffff 0x") && says(" rwx normal\n"));
    MUST(says(" domU2\n") && !says(" domU1\n") && !says("report: map domU1"));
    MUST(says(" facts\n"));
}

#define SCENARIO(f) { #f, run_scenario, NULL, NULL, (void *)(uintptr_t)(f) }

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENARIO(two_domains),  SCENARIO(start_order),   SCENARIO(one_is_bad),
        SCENARIO(all_are_bad),  SCENARIO(many_faults),   SCENARIO(no_tree),
        SCENARIO(bad_payload),  SCENARIO(cpu_unknown),   SCENARIO(partial_boot),
        SCENARIO(partial_none), SCENARIO(park_one),      SCENARIO(park_leaves_orphans),
        SCENARIO(park_alone),   SCENARIO(park_not_held), cmocka_unit_test(reboot),
        SCENARIO(flipped_bit),  SCENARIO(report),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
