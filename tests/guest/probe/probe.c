#include "probe.h"

struct probe_trap probe_trap;
volatile uint32_t probe_irqs[64];
volatile uint64_t probe_irq_time;
static uint32_t nr_passed;
static uint32_t nr_failed;
static bool this_failed;
static const char *this_name;

static void fail_begin(const char *what, uint32_t line)
{
    if (!this_failed) {
        this_failed = true;
        print("PROBE %s FAIL", this_name);
    }
    print(" [line %u: %s", line, what);
}

void probe_expect(bool good, const char *what, uint32_t line)
{
    if (!good) {
        fail_begin(what, line);
        print("]");
    }
}

void probe_expect_equal(uint64_t found, uint64_t wanted, const char *what, uint32_t line)
{
    if (found != wanted) {
        fail_begin(what, line);
        print(" is %X, expected %X]", found, wanted);
    }
}

static bool trap_note(struct trap_frame *frame, uint64_t syndrome, uint64_t address)
{
    probe_trap.count++;
    probe_trap.syndrome = syndrome;
    probe_trap.address = address;
    probe_trap.pc = frame->pc;
    probe_trap.state = (uint32_t)frame->state;
    if ((syndrome >> 26u) == CLASS_FETCH_ABORT) {
        trap_leave(frame);
    } else {
        trap_skip(frame);
    }
    return probe_trap.count < 100u;
}

void probe_catch(void)
{
    probe_trap.count = 0u;
    probe_trap.syndrome = 0u;
    probe_trap.address = 0u;
    trap_hook = trap_note;
}

bool probe_caught(uint32_t class)
{
    return (probe_trap.count == 1u) && ((uint32_t)(probe_trap.syndrome >> 26u) == class);
}

void probe_irq_count(uint32_t intid)
{
    probe_irqs[intid % 64u]++;
    probe_irq_time = timer_now();
}

bool probe_await(const volatile uint32_t *count, uint32_t wanted, uint32_t ms)
{
    const uint64_t limit = timer_now() + ((timer_frequency() / 1000u) * ms);

    arch_irq_open();
    /* the time may pass while others run: what is pending then still comes */
    for (uint32_t late = 0u; (*count < wanted) && (late < 100u);) {
        late += (timer_now() < limit) ? 0u : 1u;
    }
    arch_irq_mask();
    return *count >= wanted;
}

void probe_pause(uint32_t ms)
{
    static const volatile uint32_t never;

    (void)probe_await(&never, 1u, ms);
}

uint32_t probe_cpus(void)
{
    uint32_t n = 0u;

    while ((n < GUEST_CPUS_MAX) && (cpu_hwid(n) != UINT64_MAX)) {
        n++;
    }
    return n;
}

static void run_all(const struct probe *probe)
{
    for (const struct probe *p = probe; p->name != NULL; p++) {
        this_name = p->name;
        this_failed = false;
        p->run();
        trap_hook = NULL;
        if (this_failed) {
            nr_failed++;
            print("\n");
        } else {
            nr_passed++;
            print("PROBE %s ok\n", p->name);
        }
    }
}

void guest_main(void)
{
    print("PROBE-BEGIN %s, GICv%u, %u vCPUs, counter %U Hz\n", tree_domain_name(), irq_version(),
          probe_cpus(), timer_frequency());
    run_all(probes_cpu);
    run_all(probes_arch);
    run_all(probes_memory);
    run_all(probes_interrupts);
    run_all(probes_time);
    run_all(probes_vcpus);
    run_all(probes_console);
    print("PROBE-END %u passed, %u failed\n", nr_passed, nr_failed);
}
