/* [impl->req~more-vcpus~1] */
#include "sched/sched.h"

#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/virq.h"
#include "sched/runstate.h"
#include "sched/sched_core.h"

struct sched_cpu sched_cpus[HV_CPUS_MAX];
struct spinlock sched_lock = SPINLOCK(LOCK_SCHED);
const struct sched_policy *sched_policy = &sched_null;
uint64_t sched_set_started;
uint64_t sched_set_idle;
uint64_t sched_set_worker;

void sched_init(enum plan_sched policy)
{
    sched_policy = ((CONFIG_STATIC == 0) && (policy == PLAN_SCHED_RR)) ? &sched_rr : &sched_null;
}

uint32_t sched_abi_id(void)
{
    return sched_policy->abi_id;
}

struct vcpu *sched_current(void)
{
    return sched_cpus[cpu_id()].vcpu;
}

bool sched_requested(void)
{
    return hal_load_acquire32(&sched_cpus[cpu_id()].requested) != 0u;
}

void sched_request(cpuid_t cpu)
{
    struct sched_cpu *of = &sched_cpus[cpu];

    if (hal_load_acquire32(&of->started) != 0u) {
        hal_store_release32(&of->requested, 1u);
        if (cpu == cpu_id()) {
            hal_context_request_exit_work();
        } else {
            percpu_ipi_send(cpu, PERCPU_IPI_RESCHED);
        }
    }
}

void sched_poke(cpuid_t cpu)
{
    sched_set_idle &= ~BIT64(cpu);
    sched_cpus[cpu].woken = true;
    sched_request(cpu);
}

bool sched_claim(struct vcpu *vcpu)
{
    bool mine = hal_compare_swap32(&vcpu->on_cpu, 0u, 1u);

    if (!mine) {
        hal_store_release32(&vcpu->wanted, 1u);
        hal_barrier(); /* as in sched_unclaim(): either who has it sees that, or it is free by now */
        mine = hal_compare_swap32(&vcpu->on_cpu, 0u, 1u);
    }
    return mine;
}

void sched_unclaim(struct vcpu *vcpu, bool preempted)
{
    hal_store_release32(&vcpu->on_cpu, 0u);
    hal_barrier();
    if (hal_load_acquire32(&vcpu->wanted) != 0u) {
        const uint64_t flags = spin_lock(&sched_lock);

        vcpu->wanted = 0u;
        if (vcpu->queued) {
            const cpuid_t cpu = sched_policy->place(vcpu);

            if (!preempted || (cpu != cpu_id())) {
                sched_poke(cpu);
            }
        }
        spin_unlock(&sched_lock, flags);
    }
}

/* Lock held; RUNNABLE from now on, and on the queue unless its domain is paused. */
static void vcpu_ready(struct vcpu *vcpu)
{
    if ((CONFIG_LINKS != 0) && (vcpu->runstate.area != 0u)) {
        runstate_wake(vcpu, hal_timer_now_ns());
    }
    vcpu->state = VCPU_RUNNABLE;
    if (!vcpu->queued && !vcpu->domain->paused) {
        vcpu->queued = true;
        sched_policy->enqueue(vcpu);
        sched_poke(sched_policy->place(vcpu));
    }
}

/* Lock held. */
static void vcpu_unqueue(struct vcpu *vcpu)
{
    if (vcpu->queued) {
        sched_policy->dequeue(vcpu);
        vcpu->queued = false;
    }
}

static struct vcpu *vcpu_of_timer(struct timer *timer)
{
    return (struct vcpu *)(void *)((uint8_t *)(void *)timer - offsetof(struct vcpu, timer));
}

/* The guest's own clocks. If the vCPU is loaded on another CPU, that one has armed the timer anew when it
 * loaded it. */
static void vcpu_timer_fire(struct timer *timer)
{
    struct vcpu *vcpu = vcpu_of_timer(timer);
    const bool here = (vcpu == sched_current());
    bool claimed = false;

    if (!here) {
        const uint64_t flags = spin_lock(&sched_lock);

        claimed = (vcpu->state != VCPU_OFF) && sched_claim(vcpu);
        spin_unlock(&sched_lock, flags);
    }
    if (here || claimed) {
        const uint64_t now_ns = hal_timer_now_ns();

        hal_vcpu_deadline_reached(&vcpu->hal);
        /* One that will be interrupted as soon as it runs needs no clock until then; the port may answer with
         * this very moment for it, and a timer armed for now would fire without end. */
        if (here || !hal_vcpu_irq_pending(&vcpu->hal)) {
            const uint64_t next_ns = hal_vcpu_deadline(&vcpu->hal, here);

            if (next_ns > now_ns) {
                timer_arm(timer, next_ns);
            }
        }
    }
    if (claimed) {
        sched_wake(vcpu);
        sched_unclaim(vcpu, false);
    }
}

enum hv_status sched_add(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_lock);

    vcpu->state = VCPU_OFF;
    vcpu->queued = false;
    vcpu->stop_requested = false;
    timer_setup(&vcpu->timer, vcpu_timer_fire);
    const enum hv_status status = sched_policy->add(vcpu);

    spin_unlock(&sched_lock, flags);
    return status;
}

void sched_remove(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_lock);

    sched_policy->remove(vcpu);
    spin_unlock(&sched_lock, flags);
    timer_disarm(&vcpu->timer);
}

enum hv_status sched_power_on(struct vcpu *vcpu)
{
    enum hv_status status = HV_BUSY;
    const uint64_t flags = spin_lock(&sched_lock);

    if (vcpu->state == VCPU_OFF) {
        vcpu->stop_requested = false;
        vcpu_ready(vcpu);
        status = HV_OK;
    }
    spin_unlock(&sched_lock, flags);
    return status;
}

void sched_wake(struct vcpu *vcpu)
{
    if (vcpu == sched_current()) {
        hal_context_request_exit_work();
        return;
    }
    hal_barrier(); /* as in current_block(): either it sees what is pending, or we that it is blocked */
    const uint64_t flags = spin_lock(&sched_lock);

    switch (vcpu->state) {
    case VCPU_BLOCKED:
        vcpu_ready(vcpu);
        break;
    case VCPU_RUNNING:
        /* the port takes in what is pending when it enters the guest again */
        percpu_ipi_send(vcpu->cpu, PERCPU_IPI_RESCHED);
        break;
    case VCPU_RUNNABLE:
        if (vcpu->queued && (sched_cpus[vcpu->cpu].runs == SCHED_RUNS_WORKER) &&
            !sched_cpus[vcpu->cpu].woken) {
            sched_poke(vcpu->cpu);
        }
        break;
    case VCPU_OFF:
    default:
        break;
    }
    spin_unlock(&sched_lock, flags);
}

static void current_asks(struct vcpu *vcpu, enum sched_ask ask)
{
    const cpuid_t cpu = cpu_id();

    if (vcpu == sched_cpus[cpu].vcpu) {
        sched_cpus[cpu].ask = ask;
        sched_request(cpu);
    }
}

void sched_block(struct vcpu *vcpu)
{
    current_asks(vcpu, SCHED_ASK_BLOCK);
}

void sched_poll_over(struct vcpu *vcpu)
{
    if (hal_compare_swap32(&vcpu->poll, (uint32_t)VCPU_POLL_WAITS, (uint32_t)VCPU_POLL_OVER)) {
        sched_wake(vcpu);
    }
}

void sched_pass_turn(struct vcpu *vcpu)
{
    current_asks(vcpu, SCHED_ASK_YIELD);
}

void sched_await_work(struct vcpu *vcpu)
{
    const cpuid_t cpu = cpu_id();
    const uint64_t flags = spin_lock(&sched_lock);

    if (sched_policy->turn_end(cpu, vcpu) == TIME_NEVER) { /* no other waits */
        sched_cpus[cpu].work_due_ns = 1u;                  /* it was for long */
        sched_cpus[cpu].work_cut = false;
    }
    spin_unlock(&sched_lock, flags);
    sched_pass_turn(vcpu);
}

void sched_power_off(struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_lock);

    if (vcpu->state == VCPU_RUNNING) {
        vcpu->stop_requested = true;
        sched_request(vcpu->cpu);
    } else {
        vcpu_unqueue(vcpu);
        vcpu->state = VCPU_OFF;
    }
    spin_unlock(&sched_lock, flags);
}

void sched_pause_domain(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        struct vcpu *vcpu = domain->vcpu[i];
        const uint64_t flags = spin_lock(&sched_lock);

        if (vcpu->state == VCPU_RUNNING) {
            sched_request(vcpu->cpu);
        }
        vcpu_unqueue(vcpu);
        spin_unlock(&sched_lock, flags);
    }
}

void sched_unpause_domain(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        struct vcpu *vcpu = domain->vcpu[i];
        const uint64_t flags = spin_lock(&sched_lock);

        if (vcpu->state == VCPU_RUNNABLE) {
            vcpu_ready(vcpu);
        }
        spin_unlock(&sched_lock, flags);
    }
}

bool sched_domain_quiet(const struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        if (hal_load_acquire32(&domain->vcpu[i]->on_cpu) != 0u) {
            return false;
        }
    }
    return true;
}

bool sched_registers(struct vcpu *vcpu, struct hal_registers *registers)
{
    const bool mine = sched_claim(vcpu);

    if (mine) {
        hal_vcpu_registers(&vcpu->hal, registers);
        sched_unclaim(vcpu, false);
    }
    return mine;
}

uint64_t sched_run_ns(const struct vcpu *vcpu)
{
    const uint64_t flags = spin_lock(&sched_lock);
    uint64_t run_ns = vcpu->run_ns;

    if (vcpu->state == VCPU_RUNNING) {
        run_ns += hal_timer_now_ns() - vcpu->loaded_at_ns;
    }
    spin_unlock(&sched_lock, flags);
    return run_ns;
}

uint64_t sched_idle_ns(cpuid_t cpu)
{
    const struct sched_cpu *const of = &sched_cpus[cpu];
    const uint64_t flags = spin_lock(&sched_lock);
    uint64_t idle_ns = of->idle_ns;

    if ((of->runs == SCHED_RUNS_IDLE) && (of->started != 0u)) {
        idle_ns += hal_timer_now_ns() - of->rest_from_ns;
    }
    spin_unlock(&sched_lock, flags);
    return idle_ns;
}

enum hv_status sched_affinity(struct vcpu *vcpu, uint64_t hard, uint64_t soft)
{
    const uint64_t flags = spin_lock(&sched_lock);
    const uint64_t allowed = hard & percpu_online();
    enum hv_status status = (allowed != 0u) ? HV_OK : HV_INVALID;

    if ((status == HV_OK) && (sched_policy->move != NULL)) {
        status = sched_policy->move(vcpu, allowed);
    }
    if (status == HV_OK) {
        vcpu->affinity = allowed;
        vcpu->avoids = ~soft;
        if (vcpu->queued) {
            sched_poke(sched_policy->place(vcpu));
        } else if ((vcpu->state == VCPU_RUNNING) && ((allowed & BIT64(vcpu->cpu)) == 0u)) {
            sched_request(vcpu->cpu);
        } else {
            /* it finds its CPU when it is woken */
        }
    }
    spin_unlock(&sched_lock, flags);
    return status;
}

struct hal_vcpu *upcall_vcpu_current(void)
{
    struct vcpu *vcpu = sched_current();

    return (vcpu != NULL) ? &vcpu->hal : NULL;
}

void upcall_vcpu_kick(struct hal_vcpu *vcpu)
{
    sched_wake(vcpu_of(vcpu));
}

void sched_reset(struct vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    hal_vcpu_reset(&vcpu->hal, entry, argument);
    if ((vcpu->event_flag != NULL) && (*vcpu->event_flag != 0u)) {
        hal_virq_event(&vcpu->hal);
    }
}

enum hv_status upcall_vcpu_start(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    struct vcpu *of = vcpu_of(vcpu);
    enum hv_status status = HV_OK;
    uint64_t flags = spin_lock(&sched_lock);

    if (of->domain->state != DOMAIN_RUNNING) {
        status = HV_DENIED;
    } else if ((of->state != VCPU_OFF) || !sched_claim(of)) {
        status = HV_BUSY;
    } else {
        /* ours until the claim is given back */
    }
    spin_unlock(&sched_lock, flags);
    if (status != HV_OK) {
        return status;
    }
    sched_reset(of, entry, argument);
    flags = spin_lock(&sched_lock);
    if (of->domain->state == DOMAIN_RUNNING) {
        of->stop_requested = false;
        vcpu_ready(of);
    } else {
        status = HV_DENIED; /* began to stop meanwhile */
    }
    spin_unlock(&sched_lock, flags);
    sched_unclaim(of, false);
    return status;
}

void upcall_vcpu_stop(struct hal_vcpu *vcpu)
{
    sched_power_off(vcpu_of(vcpu));
}

bool upcall_vcpu_is_on(const struct hal_vcpu *vcpu)
{
    const struct vcpu *of = (const struct vcpu *)(const void *)vcpu;

    return (of->state != VCPU_OFF) || (hal_load_acquire32(&of->on_cpu) != 0u);
}

void upcall_vcpu_block(struct hal_vcpu *vcpu)
{
    sched_block(vcpu_of(vcpu));
}

void upcall_vcpu_deadline_changed(struct hal_vcpu *vcpu)
{
    timer_arm(&vcpu_of(vcpu)->timer, hal_vcpu_deadline(vcpu, true));
}
