/* The storm: every vCPU sleeps between ticks of its own timer and interrupts from its neighbour, and nothing
 * else happens in this domain. What is lost shows as lateness: of a tick, from its deadline to its handler;
 * of a call to the neighbour, from the sending to its handler. For five seconds; then the worst of both, and
 * off.
 *
 * The timer is used as an operating system does: the handler sets the next deadline, or none at all for a
 * while and the neighbour's call starts it again. */
#include "guest.h"

#define SGI     3u
#define SECONDS 5u

struct cpu_state {
    volatile uint64_t deadline; /* 0: the timer is stopped */
    volatile uint64_t ticks;
    volatile uint64_t calls;
    volatile uint64_t called_at; /* 0: nobody calls */
    volatile uint64_t worst_tick;
    volatile uint64_t worst_call;
};

static struct cpu_state states[GUEST_CPUS_MAX];
static uint32_t nr_cpus;
static volatile uint32_t alive;
static volatile bool over;
static uint64_t period;

static void note(volatile uint64_t *worst, uint64_t late)
{
    if (late > *worst) {
        *worst = late;
    }
}

static void call_next(void)
{
    const uint32_t next = (cpu_number() + 1u) % nr_cpus;

    if (states[next].called_at == 0u) {
        states[next].called_at = timer_now();
        irq_send(SGI, next);
    }
}

static void tick(uint32_t intid)
{
    struct cpu_state *const me = &states[cpu_number()];
    const uint64_t now = timer_now();

    (void)intid;
    if ((me->deadline != 0u) && (now >= me->deadline)) {
        note(&me->worst_tick, now - me->deadline);
        me->ticks++;
        if ((me->ticks % 16u) == 0u) {
            me->deadline = 0u;
            timer_virt_stop();
        } else {
            me->deadline = now + period;
            timer_virt_set(me->deadline);
        }
        call_next();
    }
}

static void call(uint32_t intid)
{
    struct cpu_state *const me = &states[cpu_number()];
    const uint64_t now = timer_now();

    (void)intid;
    me->calls++;
    if (me->called_at != 0u) {
        note(&me->worst_call, now - me->called_at);
        me->called_at = 0u;
    }
    if (me->deadline == 0u) {
        me->deadline = now + period;
        timer_virt_set(me->deadline);
    }
}

static void run(void)
{
    struct cpu_state *const me = &states[cpu_number()];

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, tick);
    irq_enable(SGI, IRQ_PRIORITY_LOW, call);
    alive++;
    while (alive < nr_cpus) {
        /* all begin together */
    }
    me->deadline = timer_now() + period;
    timer_virt_set(me->deadline);
    while (!over) {
        arch_irq_mask();
        if (!over) {
            arch_wait();
        }
        arch_irq_open();
        if ((cpu_number() == 0u) && (timer_now() > (SECONDS * timer_frequency()))) {
            over = true;
        }
    }
    arch_irq_mask();
    timer_virt_stop();
}

/* What is still waited for at the end counts as late until now: a lost call is late by seconds then. */
static void still_waiting(struct cpu_state *state)
{
    const uint64_t now = timer_now();

    if ((state->called_at != 0u) && (now > state->called_at)) {
        note(&state->worst_call, now - state->called_at);
    }
    if ((state->deadline != 0u) && (now > state->deadline)) {
        note(&state->worst_tick, now - state->deadline);
    }
}

static uint64_t to_us(uint64_t counts)
{
    return (counts * 1000u) / (timer_frequency() / 1000u);
}

void guest_main(void)
{
    uint64_t worst_tick = 0u;
    uint64_t worst_call = 0u;

    while ((nr_cpus < GUEST_CPUS_MAX) && (cpu_hwid(nr_cpus) != UINT64_MAX)) {
        nr_cpus++;
    }
    period = timer_frequency() / 1000u;
    print("STORM %s begins, GICv%u, %u vCPUs\n", tree_domain_name(), irq_version(), nr_cpus);
    for (uint32_t cpu = 1u; cpu < nr_cpus; cpu++) {
        const uint32_t before = alive;

        (void)cpu_on(cpu, run);
        while (alive == before) {
            /* one after the other: the counter is not atomic */
        }
    }
    run();
    for (uint32_t cpu = 0u; cpu < nr_cpus; cpu++) {
        still_waiting(&states[cpu]);
        print("STORM vCPU %u: %U ticks, %U calls, worst tick %U us, worst call %U us\n", cpu,
              states[cpu].ticks, states[cpu].calls, to_us(states[cpu].worst_tick),
              to_us(states[cpu].worst_call));
        worst_tick = (states[cpu].worst_tick > worst_tick) ? states[cpu].worst_tick : worst_tick;
        worst_call = (states[cpu].worst_call > worst_call) ? states[cpu].worst_call : worst_call;
    }
    print("STORM-END tick=%U call=%U\n", to_us(worst_tick), to_us(worst_call));
}
