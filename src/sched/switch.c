/* What a CPU does next, and how it gets there. Runs with interrupts masked on the CPU's stack; what is
 * current when it returns is what the port enters. */
/* [impl->dsn~wake-not-lost~1] [impl->dsn~work-share~1] */
#include "sched/cpupool_core.h"
#include "sched/runstate.h"

/* How the vCPU that was current leaves. */
struct leaving {
    struct vcpu *vcpu; /* NULL if none was */
    bool pending;      /* it wanted to wait, and an interrupt is pending */
    bool wants;        /* it would go on, and may */
    bool yields;       /* ... but others first */
    bool needs_clock;  /* the hypervisor's timer stands in for its clocks while it is away */
};

/* A vCPU becomes BLOCKED first and looks for interrupts then: whoever pends one after that look finds it
 * BLOCKED and makes it ready, so no wake-up is lost. The look may take the interrupt controller's lock, so
 * the unit's is not held; nobody else changes the state of a vCPU that is RUNNING. True: one is pending, or
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
static bool current_settle(struct sched_unit *unit, struct vcpu *vcpu, bool pending)
{
    if (pending && (vcpu->state == VCPU_BLOCKED)) {
        vcpu->state = VCPU_RUNNING;
    }
    if (vcpu->queued) { /* woken on its way out; a message to ourselves makes the port take in why */
        sched_dequeue(unit, vcpu);
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

/* Lock held. What it had since it was charged last; false: it may not go on here. */
static bool charge(struct sched_unit *unit, struct vcpu *vcpu, cpuid_t cpu, uint64_t now_ns)
{
    const uint64_t ran_ns = now_ns - bits_max(vcpu->sched.charged_ns, sched_cpus[cpu].entered_ns);

    vcpu->sched.charged_ns = now_ns;
    if (unit->policy->charge != NULL) {
        unit->policy->charge(unit, vcpu, ran_ns, now_ns);
    }
    return ((vcpu->sched.allowed & unit->cpus & BIT64(cpu)) != 0u) && (vcpu->sched.goes == unit) &&
           !vcpu->sched.parked;
}

static struct vcpu *ready_for(const struct sched_unit *unit, uint64_t cpus)
{
    struct queue_node *const node = queue_first(&unit->ready, cpus);

    return (node != NULL) ? sched_vcpu_ready(node) : NULL;
}

/* Lock held. This CPU took another vCPU than the one that it was asked for, as pinned ones make it do: if
 * one is left that an idle CPU could run, that CPU looks, and hands on in its turn. */
static void hand_on(struct sched_unit *unit, cpuid_t cpu)
{
    const uint64_t others = unit->idle & ~BIT64(cpu);
    const struct vcpu *const vcpu = (others != 0u) ? ready_for(unit, others) : NULL;

    if (vcpu != NULL) {
        sched_poke(unit, (cpuid_t)__builtin_ctzll(vcpu->sched.allowed & others));
    }
}

/* Lock held. Off the queue and claimed, if nobody else has its state; who has puts it back, or takes it
 * elsewhere. */
static bool take(struct sched_unit *unit, struct vcpu *vcpu)
{
    sched_dequeue(unit, vcpu);
    return (vcpu->sched.goes == unit) && sched_claim(vcpu);
}

/* Lock held. The vCPU to run, NULL if none; on return it is claimed. Each turn but the last takes one off
 * the queue whose state another CPU has. */
static struct vcpu *choose_queue(struct sched_unit *unit, cpuid_t cpu, const struct leaving *leaving,
                                 uint64_t now_ns)
{
    struct vcpu *const prev = leaving->wants ? leaving->vcpu : NULL;
    struct vcpu *next = prev;
    struct vcpu *first = ready_for(unit, BIT64(cpu));

    while ((first != NULL) &&
           ((prev == NULL) || leaving->yields || unit->policy->before(unit, first, prev, now_ns))) {
        if (take(unit, first)) {
            next = first;
            hand_on(unit, cpu);
            break;
        }
        first = ready_for(unit, BIT64(cpu));
    }
    return next;
}

/* Lock held. Likewise where the time of day decides. */
static struct vcpu *choose_window(struct sched_unit *unit, cpuid_t cpu, const struct leaving *leaving,
                                  uint64_t now_ns, uint64_t *until_ns)
{
    struct vcpu *const owner = unit->policy->window(unit, cpu, now_ns, until_ns);
    struct vcpu *next = NULL;

    if (owner == NULL) {
        /* nobody's */
    } else if (owner == leaving->vcpu) {
        next = leaving->wants ? owner : NULL;
    } else if (owner->queued && take(unit, owner)) {
        next = owner;
    } else {
        /* it waits */
    }
    return next;
}

/* Lock held. Could any other CPU take a vCPU that waits before its own turn ends? One that becomes free
 * later looks at the queue itself. */
static bool has_room(const struct sched_unit *unit, uint64_t set)
{
    bool room = (set & (unit->idle | unit->worker)) != 0u;

    for (uint64_t left = set; (left != 0u) && !room; left &= left - 1u) {
        room = (sched_cpus[(cpuid_t)__builtin_ctzll(left)].turn_end_ns == TIME_NEVER);
    }
    return room;
}

/* Lock held. Books the choice: states, CPU time, sets of CPUs. */
static void book_vcpus(struct sched_unit *unit, cpuid_t cpu, const struct leaving *leaving, struct vcpu *next,
                       uint64_t now_ns)
{
    struct vcpu *prev = leaving->vcpu;

    if ((prev != NULL) && (prev != next)) {
        prev->run_ns += now_ns - prev->loaded_at_ns;
        if (prev->state == VCPU_RUNNING) {
            prev->state = VCPU_RUNNABLE;
            if ((prev->sched.goes != unit) ||
                has_room(unit, prev->sched.allowed & unit->cpus & ~BIT64(cpu))) {
                prev->wanted = 1u;
            }
            sched_queue(unit, prev);
        } else if (prev->sched.goes != unit) {
            prev->wanted = 1u;
        } else {
            /* it waits here, or is off */
        }
        if (prev->state == VCPU_OFF) {
            sched_pool_left(unit);
        }
    }
    if ((next != NULL) && (prev != next)) {
        next->state = VCPU_RUNNING;
        next->cpu = cpu;
        next->loaded_at_ns = now_ns;
        next->sched.charged_ns = now_ns;
        next->sched.turn_ns = now_ns;
    }
    sched_cpus[cpu].vcpu = next;
}

static void book_cpu(struct sched_unit *unit, cpuid_t cpu, enum sched_runs runs)
{
    const uint64_t bit = BIT64(cpu);

    sched_cpus[cpu].runs = runs;
    /* who wants it while the worker may not be cut short has said so, and need not again */
    sched_cpus[cpu].woken = sched_cpus[cpu].woken && sched_cpus[cpu].work_cut && (runs == SCHED_RUNS_WORKER);
    unit->idle = (runs == SCHED_RUNS_IDLE) ? (unit->idle | bit) : (unit->idle & ~bit);
    unit->worker = (runs == SCHED_RUNS_WORKER) ? (unit->worker | bit) : (unit->worker & ~bit);
    unit->idle &= unit->cpus;
    unit->worker &= unit->cpus;
}

/* Lock held. Before book_cpu(). */
static void book_rest(struct sched_cpu *me, enum sched_runs runs, uint64_t now_ns)
{
    const enum sched_runs had = me->runs;

    if (had == runs) {
        return;
    }
    if (had == SCHED_RUNS_WORKER) {
        me->work_ran_ns += worker_stint(me, now_ns);
    } else if (had == SCHED_RUNS_IDLE) {
        me->idle_ns += now_ns - me->rest_from_ns;
    } else {
        /* what a vCPU had is booked */
    }
    me->rest_from_ns = now_ns;
}

/* Lock held. When this CPU has to choose again by itself; until_ns: the end of a window. */
static void book_turn(struct sched_unit *unit, cpuid_t cpu, bool work, uint64_t now_ns, uint64_t until_ns)
{
    struct sched_cpu *me = &sched_cpus[cpu];
    uint64_t end_ns = until_ns;

    if (!work) {
        worker_rests(me);
    } else if (me->work_due_ns == 0u) {
        me->work_due_ns = now_ns + SCHED_WORK_EVERY_NS;
    } else {
        /* the worker waits already */
    }
    if (unit->policy->windows) {
        /* whoever has it, the next window is another's */
    } else if (me->runs == SCHED_RUNS_WORKER) {
        if (now_ns >= me->work_due_ns) {
            end_ns = me->rest_from_ns + (SCHED_WORK_SLICE_NS - me->work_ran_ns);
        }
    } else if (me->runs == SCHED_RUNS_VCPU) {
        end_ns = unit->policy->turn_end(unit, cpu, me->vcpu, ready_for(unit, BIT64(cpu)), now_ns);
        me->vcpu->sched.turn_end_ns = end_ns;
        if (work) {
            end_ns = bits_min(end_ns, me->work_due_ns);
        }
    } else {
        /* idle until something comes */
    }
    me->turn_end_ns = end_ns;
    timer_arm_own(&me->turn, end_ns);
    if (unit->later.root != NULL) {
        sched_later(unit);
    }
    if ((CONFIG_STATIC == 0) && (unit->pool->nr_units > 1u)) {
        sched_balance_soon(unit, me->runs == SCHED_RUNS_IDLE, now_ns);
    }
}

/* For a vCPU that this CPU has; mostly there is nothing to do. */
static void stand_in(struct timer *timer, uint64_t at_ns)
{
    if ((at_ns != TIME_NEVER) || (timer->cpu != TIMER_UNARMED)) {
        timer_arm(timer, at_ns);
    }
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
        stand_in(&prev->timer, leaving->needs_clock ? hal_vcpu_deadline(&prev->hal, false) : TIME_NEVER);
        sched_unclaim(prev, leaving->wants);
    }
}

static void enter(const struct sched_unit *unit, struct sched_cpu *me)
{
    struct percpu *area = hal_cpu_local();

    if (me->runs == SCHED_RUNS_VCPU) {
        struct vcpu *next = me->vcpu;

        hal_vcpu_load(&next->hal);
        if ((CONFIG_LINKS != 0) && (next->runstate.area != 0u)) {
            runstate_enter(next);
        }
        stand_in(&next->timer, hal_vcpu_deadline(&next->hal, true));
        area->runs = next->domain->plan->name;
        me->entered_ns = unit->policy->net ? hal_timer_now_ns() : 0u;
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
static void choose(struct sched_unit *unit, cpuid_t cpu, struct leaving *leaving, bool work)
{
    struct sched_cpu *me = &sched_cpus[cpu];
    struct vcpu *const prev = leaving->vcpu;
    const uint64_t now_ns = hal_timer_now_ns();
    enum sched_runs runs = SCHED_RUNS_IDLE;
    struct vcpu *next = NULL;
    uint64_t until_ns = TIME_NEVER;
    const bool stays = (me->goes == unit);

    if (prev != NULL) {
        const bool wants = current_settle(unit, prev, leaving->pending);

        leaving->wants = charge(unit, prev, cpu, now_ns) && wants && stays;
        leaving->yields = (me->ask == SCHED_ASK_YIELD);
    }
    if (!stays) {
        /* it takes none with it */
    } else if (unit->policy->windows) {
        next = choose_window(unit, cpu, leaving, now_ns, &until_ns);
    } else if (!work || !worker_first(me, now_ns)) {
        next = choose_queue(unit, cpu, leaving, now_ns);
    } else {
        /* the worker's turn */
    }
    if (next != NULL) {
        runs = SCHED_RUNS_VCPU;
    } else if (work) {
        runs = SCHED_RUNS_WORKER;
    } else {
        runs = SCHED_RUNS_IDLE;
    }
    book_vcpus(unit, cpu, leaving, next, now_ns);
    book_rest(me, runs, now_ns);
    book_cpu(unit, cpu, runs);
    book_turn(unit, cpu, work, now_ns, until_ns);
    leaving->needs_clock =
        (prev != NULL) && ((prev->state == VCPU_BLOCKED) || (leaving->wants && (runs == SCHED_RUNS_WORKER)));
}

/* The CPU is to be another unit's, and has left no vCPU behind: it goes there, and chooses anew. */
static void change_unit(struct sched_cpu *me, cpuid_t cpu)
{
    struct sched_unit *unit = me->unit;
    uint64_t flags = spin_lock(&unit->lock);

    unit->cpus &= ~BIT64(cpu);
    unit->idle &= ~BIT64(cpu);
    unit->worker &= ~BIT64(cpu);
    timer_disarm(&unit->timer);
    if (unit->cpus != 0u) {
        sched_request((cpuid_t)__builtin_ctzll(unit->cpus)); /* arms it again */
    }
    spin_unlock(&unit->lock, flags);
    unit = me->goes;
    me->unit = unit;
    flags = spin_lock(&unit->lock);
    unit->cpus |= unit->members & BIT64(cpu);
    spin_unlock(&unit->lock, flags);
    sched_request(cpu);
    sched_pool_review();
}

void sched_exit_work(void)
{
    const cpuid_t cpu = cpu_id();
    struct sched_cpu *me = &sched_cpus[cpu];
    struct sched_unit *const unit = me->unit;
    const enum sched_runs before = me->runs;
    struct leaving leaving = {
        .vcpu = me->vcpu, .pending = false, .wants = false, .yields = false, .needs_clock = false
    };

    hal_store_release32(&me->requested, 0u);
    hal_barrier(); /* who queues work or wakes a vCPU from here on asks again */
    if ((leaving.vcpu != NULL) && (me->ask == SCHED_ASK_BLOCK)) {
        leaving.pending = current_block(leaving.vcpu);
    }
    const bool work = work_pending(cpu);
    const uint64_t flags = spin_lock(&unit->lock);

    choose(unit, cpu, &leaving, work);
    spin_unlock(&unit->lock, flags);
    me->ask = SCHED_ASK_NONE;
    if ((me->runs != before) || (me->vcpu != leaving.vcpu)) {
        percpu_hold(); /* the one is not saved yet, the other not loaded */
        leave(&leaving, before);
        enter(unit, me);
        percpu_drop();
    }
    if (me->vcpu != NULL) {
        hal_vcpu_trap_wait(&me->vcpu->hal, work || !unit->policy->wait_in_guest);
    } else if (me->goes != unit) {
        change_unit(me, cpu);
    } else {
        /* it stays */
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

    sched_cpus[cpu].runs = SCHED_RUNS_IDLE;
    sched_cpus[cpu].rest_from_ns = hal_timer_now_ns();
    sched_pool_start_cpu(cpu);
    hal_store_release32(&sched_cpus[cpu].started, 1u);
    hal_store_release32(&area->online, 1u);
    hal_context_set(&area->idle.frame);
    area->runs = "idle";
    sched_exit_work();
    hal_cpu_run();
}
