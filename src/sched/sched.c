/* [impl->req~more-vcpus~1] */
#include "sched/sched.h"

#include "hal/upcall.h"
#include "hal/virq.h"
#include "sched/runstate.h"
#include "sched/cpupool_core.h"

struct sched_cpu sched_cpus[HV_CPUS_MAX];

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

/* Lock held; RUNNABLE from now on, and on the queue unless its domain is paused. */
static void vcpu_ready(struct sched_unit *unit, struct vcpu *vcpu)
{
    if ((CONFIG_LINKS != 0) && (vcpu->runstate.area != 0u)) {
        runstate_wake(vcpu, hal_timer_now_ns());
    }
    vcpu->state = VCPU_RUNNABLE;
    if (!vcpu->queued && !vcpu->domain->paused && vcpu->sched.joined) {
        if (unit->policy->wake != NULL) {
            unit->policy->wake(unit, vcpu, hal_timer_now_ns());
        }
        sched_enqueue(unit, vcpu);
        if (unit->cpus == 0u) {
            sched_pool_review(); /* one that is off may have a CPU for it */
        }
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
        uint64_t flags = 0;
        struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

        claimed = (vcpu->state != VCPU_OFF) && sched_claim(vcpu);
        spin_unlock(&unit->lock, flags);
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

void sched_add(struct vcpu *vcpu)
{
    vcpu->state = VCPU_OFF;
    vcpu->queued = false;
    vcpu->stop_requested = false;
    timer_setup(&vcpu->timer, vcpu_timer_fire);
    sched_plan_params(vcpu);
    sched_pool_enter(vcpu);
}

void sched_remove(struct vcpu *vcpu)
{
    sched_pool_exit(vcpu);
    timer_disarm(&vcpu->timer);
}

enum hv_status sched_power_on(struct vcpu *vcpu)
{
    enum hv_status status = HV_BUSY;
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    if (vcpu->state == VCPU_OFF) {
        vcpu->stop_requested = false;
        vcpu_ready(unit, vcpu);
        status = HV_OK;
    }
    spin_unlock(&unit->lock, flags);
    return status;
}

void sched_wake(struct vcpu *vcpu)
{
    uint64_t flags = 0;

    if (vcpu == sched_current()) {
        hal_context_request_exit_work();
        return;
    }
    hal_barrier(); /* as in current_block(): either it sees what is pending, or we that it is blocked */
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    switch (vcpu->state) {
    case VCPU_BLOCKED:
        vcpu_ready(unit, vcpu);
        break;
    case VCPU_RUNNING:
        /* the port takes in what is pending when it enters the guest again */
        percpu_ipi_send(vcpu->cpu, PERCPU_IPI_RESCHED);
        break;
    case VCPU_RUNNABLE:
        if (vcpu->queued && ((unit->worker & BIT64(vcpu->cpu)) != 0u) && !sched_cpus[vcpu->cpu].woken) {
            sched_poke(unit, vcpu->cpu);
        }
        break;
    case VCPU_OFF:
    default:
        break;
    }
    spin_unlock(&unit->lock, flags);
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
    struct sched_cpu *const me = &sched_cpus[cpu_id()];
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    if (!unit->policy->windows && (queue_first(&unit->ready, BIT64(cpu_id())) == NULL)) { /* no other waits */
        me->work_due_ns = 1u; /* it was for long */
        me->work_cut = false;
    }
    spin_unlock(&unit->lock, flags);
    sched_pass_turn(vcpu);
}

void sched_power_off(struct vcpu *vcpu)
{
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

    if (vcpu->state == VCPU_RUNNING) {
        vcpu->stop_requested = true;
        sched_request(vcpu->cpu);
    } else {
        sched_dequeue(unit, vcpu);
        vcpu->state = VCPU_OFF;
        sched_pool_left(unit);
    }
    spin_unlock(&unit->lock, flags);
}

void sched_pause_domain(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        struct vcpu *vcpu = domain->vcpu[i];
        uint64_t flags = 0;
        struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

        if (vcpu->state == VCPU_RUNNING) {
            sched_request(vcpu->cpu);
        }
        sched_dequeue(unit, vcpu);
        spin_unlock(&unit->lock, flags);
    }
}

void sched_unpause_domain(struct domain *domain)
{
    for (uint32_t i = 0; i < domain->nr_vcpus; i++) {
        struct vcpu *vcpu = domain->vcpu[i];
        uint64_t flags = 0;
        struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

        if (vcpu->state == VCPU_RUNNABLE) {
            vcpu_ready(unit, vcpu);
        }
        spin_unlock(&unit->lock, flags);
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
    uint64_t flags = 0;
    struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);
    uint64_t run_ns = vcpu->run_ns;

    if (vcpu->state == VCPU_RUNNING) {
        run_ns += hal_timer_now_ns() - vcpu->loaded_at_ns;
    }
    spin_unlock(&unit->lock, flags);
    return run_ns;
}

uint64_t sched_idle_ns(cpuid_t cpu)
{
    const struct sched_cpu *const of = &sched_cpus[cpu];
    struct sched_unit *const unit =
        of->unit; /* of a CPU that just goes elsewhere, the one it was in: a figure for people */

    if (unit == NULL) {
        return 0u;
    }
    const uint64_t flags = spin_lock(&unit->lock);
    uint64_t idle_ns = of->idle_ns;

    if ((of->runs == SCHED_RUNS_IDLE) && (of->started != 0u)) {
        idle_ns += hal_timer_now_ns() - of->rest_from_ns;
    }
    spin_unlock(&unit->lock, flags);
    return idle_ns;
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
    uint64_t flags = 0;
    struct sched_unit *unit = sched_lock_unit(of, &flags);

    if (of->domain->state != DOMAIN_RUNNING) {
        status = HV_DENIED;
    } else if ((of->state != VCPU_OFF) || !sched_claim(of)) {
        status = HV_BUSY;
    } else {
        /* ours until the claim is given back */
    }
    spin_unlock(&unit->lock, flags);
    if (status != HV_OK) {
        return status;
    }
    sched_reset(of, entry, argument);
    unit = sched_lock_unit(of, &flags);
    if (of->domain->state == DOMAIN_RUNNING) {
        of->stop_requested = false;
        vcpu_ready(unit, of);
    } else {
        status = HV_DENIED; /* began to stop meanwhile */
    }
    spin_unlock(&unit->lock, flags);
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
