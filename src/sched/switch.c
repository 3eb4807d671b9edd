/* What a CPU does next, and how it gets there. Runs with interrupts masked on the CPU's stack; what is
 * current when it returns is what the port enters. */
/* [impl->dsn~wake-not-lost~1] [impl->dsn~work-share~1] */
#include "hal/timer.h"
#include "sched/runstate.h"
#include "sched/sched_core.h"

/* How the vCPU that was current leaves. */
struct leaving {
    struct vcpu *vcpu; /* NULL if none was */
    bool pending;      /* it wanted to wait, and an interrupt is pending */
    bool wants;        /* it would go on */
    bool needs_clock;  /* the hypervisor's timer stands in for its clocks while it is away */
};

/* A vCPU becomes BLOCKED first and looks for interrupts then: whoever pends one after that look finds it
 * BLOCKED and makes it ready, so no wake-up is lost. The look may take the interrupt controller's lock, so
 * sched_lock is not held; nobody else changes the state of a vCPU that is RUNNING. True: one is pending, or
 * what it polls for. */
static bool current_block(struct vcpu *vcpu)
{
    vcpu->state = VCPU_BLOCKED;
    hal_barrier();
    if (vcpu->poll == (uint32_t)VCPU_POLL_OVER) {
        vcpu->poll = (uint32_t)VCPU_POLL_NONE;
        return true;
    }
    return hal_vcpu_irq_pending(&vcpu->hal);
}

/* Lock held. Settles the state of the current vCPU; true if it would go on. */
static bool current_settle(struct vcpu *vcpu, bool pending)
{
    if (pending && (vcpu->state == VCPU_BLOCKED)) {
        vcpu->state = VCPU_RUNNING;
    }
    if (vcpu->queued) { /* woken on its way out; a message to ourselves makes the port take in why */
        sched_policy->dequeue(vcpu);
        vcpu->queued = false;
        percpu_ipi_send(cpu_id(), PERCPU_IPI_RESCHED);
    }
    if (vcpu->stop_requested) {
        vcpu->stop_requested = false;
        vcpu->state = VCPU_OFF;
    } else if ((vcpu->state == VCPU_RUNNING) || (vcpu->state == VCPU_RUNNABLE)) {
        vcpu->state = vcpu->domain->paused ? VCPU_RUNNABLE : VCPU_RUNNING;
    } else {
        /* BLOCKED or OFF stay */
    }
    return vcpu->state == VCPU_RUNNING;
}

/* Lock held. Nothing to do, or it had its slice: it is due anew. */
static void worker_rests(struct sched_cpu *me)
{
    me->work_due_ns = 0u;
    me->work_ran_ns = 0u;
    me->work_cut = false;
}

/* Lock held. What the worker had since it got the CPU. Of scraps between two turns of a vCPU that is woken
 * all the time nothing but the switches is left, so they do not count. */
static uint64_t worker_stint(const struct sched_cpu *me, uint64_t now_ns)
{
    const uint64_t stint_ns = now_ns - me->rest_from_ns;

    return (stint_ns >= SCHED_WORK_SCRAP_NS) ? stint_ns : 0u;
}

/* Lock held. Does the worker get the CPU even if vCPUs want it? It does when they left it less than a slice
 * for SCHED_WORK_EVERY_NS, and keeps it then until it had the slice. A vCPU that is woken cuts this short,
 * but not twice in a row: guests that are woken all the time would keep the worker from ever getting
 * anywhere. */
static bool worker_first(struct sched_cpu *me, uint64_t now_ns)
{
    bool first = (me->work_due_ns != 0u) && (now_ns >= me->work_due_ns);

    if (me->runs == SCHED_RUNS_WORKER) {
        const uint64_t stint_ns = first ? (now_ns - me->rest_from_ns) : worker_stint(me, now_ns);

        if ((me->work_ran_ns + stint_ns) >= SCHED_WORK_SLICE_NS) {
            worker_rests(me);
            me->rest_from_ns = now_ns;
            first = false;
        } else if (first && me->woken && !me->work_cut) {
            me->work_cut = true;
            me->work_due_ns = now_ns + SCHED_WORK_EVERY_NS;
            first = false;
        } else {
            /* goes on as it was */
        }
    }
    return first;
}

static bool may_run(const struct vcpu *vcpu, cpuid_t cpu)
{
    return (vcpu->affinity & BIT64(cpu)) != 0u;
}

/* Lock held. The vCPU to run, NULL if none; on return it is claimed. */
static struct vcpu *choose_vcpu(cpuid_t cpu, struct vcpu *prev, bool wants, uint64_t now_ns)
{
    struct vcpu *next = NULL;

    if (wants && (now_ns < sched_policy->turn_end(cpu, prev)) && may_run(prev, cpu)) {
        next = prev;
    } else {
        next = sched_policy->pick(cpu, now_ns);
        if (next != NULL) {
            next->queued = false;
        } else if (wants && may_run(prev, cpu)) {
            next = prev;
            prev->slice_end_ns = now_ns + SCHED_SLICE_NS;
        } else {
            next = NULL;
        }
    }
    return next;
}

/* Lock held. Could any CPU of a set take a vCPU that waits before its own turn ends? One that becomes free
 * later looks at the queue itself. */
static bool has_room(uint64_t set)
{
    bool room = (set & (sched_set_idle | sched_set_worker)) != 0u;

    for (uint64_t left = set; (left != 0u) && !room; left &= left - 1u) {
        room = (sched_cpus[(cpuid_t)__builtin_ctzll(left)].turn_end_ns == TIME_NEVER);
    }
    return room;
}

/* Lock held. Books the choice: states, CPU time, sets of CPUs. */
static void book_vcpus(cpuid_t cpu, const struct leaving *leaving, struct vcpu *next, uint64_t now_ns)
{
    struct vcpu *prev = leaving->vcpu;

    if ((prev != NULL) && (prev != next)) {
        prev->run_ns += now_ns - prev->loaded_at_ns;
        if (leaving->wants) {
            prev->state = VCPU_RUNNABLE;
            prev->queued = true;
            if (has_room(prev->affinity & sched_set_started & ~BIT64(cpu))) {
                prev->wanted = 1u;
            }
            sched_policy->enqueue(prev);
        }
    }
    if ((next != NULL) && (prev != next)) {
        next->state = VCPU_RUNNING;
        next->cpu = cpu;
        next->loaded_at_ns = now_ns;
    }
    sched_cpus[cpu].vcpu = next;
}

static void book_cpu(cpuid_t cpu, enum sched_runs runs)
{
    const uint64_t bit = BIT64(cpu);

    sched_cpus[cpu].runs = runs;
    /* who wants it while the worker may not be cut short has said so, and need not again */
    sched_cpus[cpu].woken = sched_cpus[cpu].woken && sched_cpus[cpu].work_cut && (runs == SCHED_RUNS_WORKER);
    sched_set_idle = (runs == SCHED_RUNS_IDLE) ? (sched_set_idle | bit) : (sched_set_idle & ~bit);
    sched_set_worker = (runs == SCHED_RUNS_WORKER) ? (sched_set_worker | bit) : (sched_set_worker & ~bit);
}

/* Lock held. Before book_cpu(). */
static void book_rest(struct sched_cpu *me, enum sched_runs runs, uint64_t now_ns)
{
    if (me->runs == runs) {
        return;
    }
    if (me->runs == SCHED_RUNS_WORKER) {
        me->work_ran_ns += worker_stint(me, now_ns);
    } else if (me->runs == SCHED_RUNS_IDLE) {
        me->idle_ns += now_ns - me->rest_from_ns;
    } else {
        /* what a vCPU had is booked */
    }
    me->rest_from_ns = now_ns;
}

/* Lock held. When this CPU has to choose again by itself. */
static void book_turn(cpuid_t cpu, bool work, uint64_t now_ns)
{
    struct sched_cpu *me = &sched_cpus[cpu];
    uint64_t end_ns = TIME_NEVER;

    if (!work) {
        worker_rests(me);
    } else if (me->work_due_ns == 0u) {
        me->work_due_ns = now_ns + SCHED_WORK_EVERY_NS;
    } else {
        /* the worker waits already */
    }
    if (me->runs == SCHED_RUNS_WORKER) {
        if (now_ns >= me->work_due_ns) {
            end_ns = me->rest_from_ns + (SCHED_WORK_SLICE_NS - me->work_ran_ns);
        }
    } else if (me->runs == SCHED_RUNS_VCPU) {
        end_ns = sched_policy->turn_end(cpu, me->vcpu);
        if (work) {
            end_ns = bits_min(end_ns, me->work_due_ns);
        }
    } else {
        /* idle until something comes */
    }
    me->turn_end_ns = end_ns;
    timer_arm_own(&me->turn, end_ns);
}

/* Saves what the CPU leaves. A vCPU is given free only after its state is in memory. */
static void leave(const struct leaving *leaving, enum sched_runs before)
{
    struct percpu *area = hal_cpu_local();
    struct vcpu *prev = leaving->vcpu;

    if (before == SCHED_RUNS_WORKER) {
        hal_context_save_fp(&area->worker);
    }
    if (prev != NULL) {
        hal_vcpu_save(&prev->hal);
        if ((CONFIG_LINKS != 0) && (prev->runstate.area != 0u)) {
            runstate_leave(prev);
        }
        timer_arm(&prev->timer, leaving->needs_clock ? hal_vcpu_deadline(&prev->hal, false) : TIME_NEVER);
        sched_unclaim(prev, leaving->wants);
    }
}

static void enter(struct sched_cpu *me)
{
    struct percpu *area = hal_cpu_local();

    if (me->runs == SCHED_RUNS_VCPU) {
        struct vcpu *next = me->vcpu;

        hal_vcpu_load(&next->hal);
        if ((CONFIG_LINKS != 0) && (next->runstate.area != 0u)) {
            runstate_enter(next);
        }
        timer_arm(&next->timer, hal_vcpu_deadline(&next->hal, true));
        area->runs = next->domain->plan->name;
    } else if (me->runs == SCHED_RUNS_WORKER) {
        hal_context_load_fp(&area->worker);
        hal_context_set(&area->worker.frame);
        area->runs = "worker";
    } else {
        hal_context_set(&area->idle.frame);
        area->runs = "idle";
    }
}

/* Lock held. */
static void choose(cpuid_t cpu, struct leaving *leaving, bool work)
{
    struct sched_cpu *me = &sched_cpus[cpu];
    const uint64_t now_ns = hal_timer_now_ns();
    enum sched_runs runs = SCHED_RUNS_IDLE;
    struct vcpu *next = NULL;

    if (leaving->vcpu != NULL) {
        leaving->wants = current_settle(leaving->vcpu, leaving->pending);
        if (me->ask == SCHED_ASK_YIELD) {
            leaving->vcpu->slice_end_ns = now_ns;
        }
    }
    if (!work || !worker_first(me, now_ns)) {
        next = choose_vcpu(cpu, leaving->vcpu, leaving->wants, now_ns);
    }
    if (next != NULL) {
        runs = SCHED_RUNS_VCPU;
    } else if (work) {
        runs = SCHED_RUNS_WORKER;
    } else {
        runs = SCHED_RUNS_IDLE;
    }
    book_vcpus(cpu, leaving, next, now_ns);
    book_rest(me, runs, now_ns);
    book_cpu(cpu, runs);
    book_turn(cpu, work, now_ns);
    leaving->needs_clock = (leaving->vcpu != NULL) && ((leaving->vcpu->state == VCPU_BLOCKED) ||
                                                       (leaving->wants && (runs == SCHED_RUNS_WORKER)));
}

void sched_exit_work(void)
{
    const cpuid_t cpu = cpu_id();
    struct sched_cpu *me = &sched_cpus[cpu];
    const enum sched_runs before = me->runs;
    struct leaving leaving = { .vcpu = me->vcpu, .pending = false, .wants = false, .needs_clock = false };

    hal_store_release32(&me->requested, 0u);
    hal_barrier(); /* who queues work or wakes a vCPU from here on asks again */
    if ((leaving.vcpu != NULL) && (me->ask == SCHED_ASK_BLOCK)) {
        leaving.pending = current_block(leaving.vcpu);
    }
    const bool work = work_pending(cpu);
    const uint64_t flags = spin_lock(&sched_lock);

    choose(cpu, &leaving, work);
    spin_unlock(&sched_lock, flags);
    me->ask = SCHED_ASK_NONE;
    if ((me->runs != before) || (me->vcpu != leaving.vcpu)) {
        percpu_hold(); /* the one is not saved yet, the other not loaded */
        leave(&leaving, before);
        enter(me);
        percpu_drop();
    }
    if (me->vcpu != NULL) {
        hal_vcpu_trap_wait(&me->vcpu->hal, work || !sched_policy->wait_in_guest);
    }
}

static void turn_fire(struct timer *timer)
{
    (void)timer;
    sched_request(cpu_id());
}

/* Its interrupts are open: whatever ends the wait also chooses what runs then. */
static void idle_loop(void *arg)
{
    (void)arg;
    for (;;) {
        hal_cpu_wait();
    }
}

void sched_init_cpu(cpuid_t cpu, void *worker_stack_top, void *idle_stack_top)
{
    struct percpu *area = &percpu_area[cpu];

    hal_context_init(&area->worker, work_loop, NULL, worker_stack_top);
    hal_context_init(&area->idle, idle_loop, NULL, idle_stack_top);
    timer_setup(&sched_cpus[cpu].turn, turn_fire);
}

_Noreturn void sched_start_cpu(void)
{
    const cpuid_t cpu = cpu_id();
    struct percpu *area = hal_cpu_local();
    const uint64_t flags = spin_lock(&sched_lock);

    sched_set_started |= BIT64(cpu);
    sched_cpus[cpu].runs = SCHED_RUNS_IDLE;
    sched_cpus[cpu].rest_from_ns = hal_timer_now_ns();
    spin_unlock(&sched_lock, flags);
    hal_store_release32(&sched_cpus[cpu].started, 1u);
    hal_store_release32(&area->online, 1u);
    hal_context_set(&area->idle.frame);
    area->runs = "idle";
    sched_exit_work();
    hal_cpu_run();
}
