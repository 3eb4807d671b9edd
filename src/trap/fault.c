/* [impl->req~unmapped-access~1] */
#include "trap/fault.h"

#include "hal/upcall.h"
#include "sched/report.h"

static bool window_covers(const struct mmio_window *window, gpa_t at, uint64_t width)
{
    const uint64_t offset = at.v - window->base.v; /* wraps below the window and is too large then */

    return (offset < window->bytes) && (width <= (window->bytes - offset));
}

/* The window that answered last comes first: guests talk to one device many times in a row. */
static const struct mmio_window *window_find(struct vcpu *vcpu, gpa_t at, uint64_t width)
{
    const struct domain *domain = vcpu->domain;

    for (uint32_t i = 0; i < domain->nr_windows; i++) {
        if (window_covers(&domain->window[i], at, width)) {
            vcpu->window = &domain->window[i];
            return vcpu->window;
        }
    }
    return NULL;
}

/* False: no device there, or none of its registers. */
bool upcall_device(struct hal_vcpu *vcpu, gpa_t at, uint32_t width, bool write, uint64_t *value)
{
    struct vcpu *of = vcpu_of(vcpu);
    const struct mmio_window *window = of->window;

    if (!window_covers(window, at, width)) {
        window = window_find(of, at, width);
    }
    if (window == NULL) {
        return false;
    }
    if (write) {
        return window->ops->write(window->device, of, at.v - window->base.v, width, *value);
    }
    return window->ops->read(window->device, of, at.v - window->base.v, width, value);
}

static bool fault_emulate(struct vcpu *vcpu, const struct hal_exit *exit)
{
    uint64_t value = exit->value;
    const bool done = upcall_device(&vcpu->hal, exit->gpa, exit->width, exit->write, &value);

    if (done && !exit->write) {
        hal_vcpu_set_load(&vcpu->hal, exit, value);
    }
    return done;
}

/* Another CPU may have mapped it since the access, or be about to. */
static bool fault_is_over(const struct vcpu *vcpu, const struct hal_exit *exit)
{
    const uint32_t read_or_write = exit->write ? HAL_PERM_W : HAL_PERM_R;
    const uint32_t need = exit->exec ? HAL_PERM_X : read_or_write;
    uint32_t perm = 0;
    uint64_t bytes = 0;
    hpa_t to = hpa(0);
    enum hv_status status = HV_NOT_FOUND;

    if (!exit->permission) {
        status = hal_guestmap_lookup(&vcpu->domain->hal.map, exit->gpa, &to, &perm, &bytes);
    }
    return (status == HV_BUSY) || ((status == HV_OK) && ((perm & need) == need));
}

static enum hal_resume fault_abort(struct vcpu *vcpu, const struct hal_exit *exit)
{
    const char *read_or_write = exit->write ? "write" : "read";
    struct domain_fault fault = {
        .cause = exit->cause, .address = exit->gpa.v, .virtual = exit->gva, .vcpu = vcpu->index, .tell = true
    };

    fault.what = exit->exec ? "fetch" : read_or_write;
    if (exit->external) {
        fault.what = "bus error";
        fault.address = exit->gva;
    }
    report_fault(vcpu->domain, &fault);
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
