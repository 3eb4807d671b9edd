/* [impl->req~unmapped-access~1] */
#include "trap/fault.h"

#include "base/log.h"
#include "base/percpu.h"
#include "lib/bits.h"

/* The window that answered last on each CPU: guests talk to one device many times in a row. Only a hint. */
static uint32_t window_hint[HV_CPUS_MAX];

static bool window_covers(const struct mmio_window *window, gpa_t at, uint64_t width)
{
    const uint64_t offset = at.v - window->base.v; /* wraps below the window and is too large then */

    return (offset < window->bytes) && (width <= (window->bytes - offset));
}

static const struct mmio_window *window_find(const struct domain *domain, gpa_t at, uint64_t width)
{
    uint32_t *hint = &window_hint[cpu_id()];

    if ((*hint < domain->nr_windows) && window_covers(&domain->window[*hint], at, width)) {
        return &domain->window[*hint];
    }
    for (uint32_t i = 0; i < domain->nr_windows; i++) {
        if (window_covers(&domain->window[i], at, width)) {
            *hint = i;
            return &domain->window[i];
        }
    }
    return NULL;
}

/* False: no device there, or none of its registers. */
static bool fault_emulate(struct vcpu *vcpu, const struct hal_exit *exit)
{
    const struct mmio_window *window = window_find(vcpu->domain, exit->gpa, exit->width);
    bool done = false;

    if (window != NULL) {
        const uint64_t offset = exit->gpa.v - window->base.v;

        if (exit->write) {
            done = window->ops->write(window->device, vcpu, offset, exit->width, exit->value);
        } else {
            uint64_t value = 0;

            done = window->ops->read(window->device, vcpu, offset, exit->width, &value);
            if (done) {
                hal_vcpu_set_load(&vcpu->hal, exit, value);
            }
        }
    }
    return done;
}

/* Another CPU may have mapped it since the access. */
static bool fault_is_over(const struct vcpu *vcpu, const struct hal_exit *exit)
{
    const uint32_t read_or_write = exit->write ? HAL_PERM_W : HAL_PERM_R;
    const uint32_t need = exit->exec ? HAL_PERM_X : read_or_write;
    uint32_t perm = 0;
    uint64_t bytes = 0;
    hpa_t to = hpa(0);

    return !exit->permission &&
           (hal_guestmap_lookup(&vcpu->domain->hal.map, exit->gpa, &to, &perm, &bytes) == HV_OK) &&
           ((perm & need) == need);
}

static enum hal_resume fault_abort(struct vcpu *vcpu, const struct hal_exit *exit)
{
    struct domain *domain = vcpu->domain;
    const char *read_or_write = exit->write ? "write" : "read";
    struct domain_fault fault = { .cause = exit->cause, .address = exit->gpa.v, .vcpu = vcpu->index };

    fault.what = exit->exec ? "fetch" : read_or_write;
    if (exit->external) {
        fault.what = "bus error";
        fault.address = exit->gva;
    }
    if (domain_fault_note(domain, &fault)) {
        log_line("%s: vCPU %u: %s at %X (virtual %X) aborted, syndrome %X", domain->plan->name, vcpu->index,
                 fault.what, fault.address, exit->gva, exit->cause);
    }
    return HAL_INJECT_ABORT;
}

enum hal_resume trap_fault(struct vcpu *vcpu, const struct hal_exit *exit)
{
    const bool described = (exit->width != 0u) && !exit->exec && !exit->walk;
    enum hal_resume resume = HAL_RESUME_NEXT;

    /* Devices first: they are what faults all the time, and never mapped. */
    if (exit->external) {
        resume = fault_abort(vcpu, exit);
    } else if (described && fault_emulate(vcpu, exit)) {
        resume = HAL_RESUME_NEXT;
    } else if (fault_is_over(vcpu, exit)) {
        resume = HAL_RESUME;
    } else if (vcpu->domain->plan->trap_unmapped || !described) {
        resume = fault_abort(vcpu, exit);
    } else if (!exit->write) {
        hal_vcpu_set_load(&vcpu->hal, exit, GENMASK64(((uint64_t)exit->width * 8u) - 1u, 0u));
    } else {
        /* ignored */
    }
    return resume;
}
