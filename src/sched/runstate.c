/* [impl->req~runstate~1] */
#include "sched/runstate.h"

#include "hal/hypmap.h"
#include "hal/sync.h"
#include "hal/timer.h"

/* Who reads the area of a vCPU on another CPU sees from the flag that it is being written, if it wants to
 * know. */
static void area_write(const struct vcpu *vcpu, uint32_t state, uint64_t since_ns)
{
    const struct vcpu_runstate *const r = &vcpu->runstate;
    const bool flag = vcpu->domain->runstate_flag;
    uint64_t room = 0;
    struct xen_runstate_info *const to =
        hal_hypmap_window(HAL_WINDOW_TRAP, hpa(r->area - 1u), HAL_HYPMAP_RW, &room);
    volatile uint64_t *const entry = &to->state_entry_time;

    if (flag) {
        *entry = since_ns | XEN_RUNSTATE_UPDATE;
        hal_barrier();
    }
    to->state = (int32_t)state;
    to->time[RUNSTATE_RUNNING] = vcpu->run_ns;
    to->time[RUNSTATE_RUNNABLE] = r->time[RUNSTATE_RUNNABLE];
    to->time[RUNSTATE_BLOCKED] = r->time[RUNSTATE_BLOCKED];
    to->time[RUNSTATE_OFFLINE] = r->time[RUNSTATE_OFFLINE];
    if (flag) {
        hal_barrier();
    }
    *entry = since_ns;
    hal_hypmap_window_close(HAL_WINDOW_TRAP);
}

void runstate_leave(struct vcpu *vcpu)
{
    static const uint32_t as[] = {
        [VCPU_OFF] = RUNSTATE_OFFLINE,
        [VCPU_BLOCKED] = RUNSTATE_BLOCKED,
        [VCPU_RUNNABLE] = RUNSTATE_RUNNABLE, /* preempted, paused, or woken again by now */
        [VCPU_RUNNING] = RUNSTATE_RUNNING,
    };
    struct vcpu_runstate *const r = &vcpu->runstate;

    r->left_ns = hal_timer_now_ns();
    r->left_as = as[(uint32_t)vcpu->state % ARRAY_LEN(as)];
    area_write(vcpu, r->left_as, r->left_ns);
}

void runstate_enter(struct vcpu *vcpu)
{
    struct vcpu_runstate *const r = &vcpu->runstate;
    const uint64_t now_ns = vcpu->loaded_at_ns;

    if ((r->left_ns != 0u) && (now_ns > r->left_ns)) {
        uint64_t ready_ns = (r->left_as == RUNSTATE_RUNNABLE) ? r->left_ns : r->ready_ns;

        ready_ns = bits_min(bits_max(ready_ns, r->left_ns), now_ns);
        r->time[r->left_as % ARRAY_LEN(r->time)] += ready_ns - r->left_ns;
        r->time[RUNSTATE_RUNNABLE] += now_ns - ready_ns;
    }
    area_write(vcpu, RUNSTATE_RUNNING, now_ns);
}

void runstate_tell(struct vcpu *vcpu, hpa_t area)
{
    hal_store_release64(&vcpu->runstate.area, area.v + 1u);
    area_write(vcpu, (vcpu->state == VCPU_RUNNING) ? RUNSTATE_RUNNING : RUNSTATE_OFFLINE, hal_timer_now_ns());
}
