/* Each CPU repeats its major frame, a row of windows that have each one vCPU. Who may have a CPU follows
 * from the time alone: no account of what guests do is kept that could be wrong, late or lent, and no
 * guest can add to its window, which ends when the CPU's timer says so. What a window loses because
 * another was cut late it does not get back elsewhere: the next one begins at its place. So no partition
 * can overrun, by construction; what is not used of a window is the hypervisor's own work's, or nobody's.
 *
 * Frames begin at start_ns + k * major_ns. begin_ns is moved on by whole frames, so it never drifts. */
/* [impl->req~arinc653-windows~1] */
#include "sched/cpupool_core.h"

#include "lib/string.h"

#define NS_IN_US     1000u
#define WINDOWS      256u           /* of all CPUs */
#define BY_HANDLE    HV_DOMAINS_MAX /* tools name a domain so, and it may come later */
#define NOBODY       0xFF           /* ... and with such bytes none */
#define MAJOR_NS_MAX ((uint64_t)SCHED_PERIOD_US_MAX * NS_IN_US)

struct window {
    struct window *next; /* later ones of its row */
    uint64_t at_ns;      /* from the frame's beginning */
    uint64_t end_ns;
    struct vcpu *vcpu; /* NULL: it is not here */
    uint32_t place;    /* of its domain in domain_table */
    uint32_t index;
    uint8_t handle[16]; /* BY_HANDLE */
};

struct sched_frame {
    uint64_t begin_ns; /* of the frame that is now; in the future if the first has not begun */
    uint64_t major_ns;
    struct window *first;
    struct window *at; /* that was looked at last, or NULL */
};

/* Of each unit, under its lock. */
static struct sched_frame frames[HV_CPUS_MAX];
/* Under the pools' lock: windows in no row; and each CPU's next row, of one pool at a time. */
static struct window windows[WINDOWS];
static struct window *free_windows;
static uint32_t nr_free;
static uint32_t nr_never_used = WINDOWS;
static struct window *next_row[HV_CPUS_MAX];
static bool next_made;

/* -- Windows and rows; pools' lock held -- */

static uint32_t windows_left(void)
{
    return nr_free + nr_never_used;
}

/* There is one left; it becomes the first of the row. */
static struct window *row_add(struct window **row)
{
    struct window *window = free_windows;

    if (window != NULL) {
        free_windows = window->next;
        nr_free--;
    } else {
        nr_never_used--;
        window = &windows[nr_never_used];
    }
    (void)memset(window, 0, sizeof(*window));
    window->next = *row;
    *row = window;
    return window;
}

/* Nobody uses it any more. */
static void row_free(struct window **row)
{
    struct window *window = *row;

    while (window != NULL) {
        struct window *const next = window->next;

        window->next = free_windows;
        free_windows = window;
        nr_free++;
        window = next;
    }
    *row = NULL;
}

/* One after another; until here each has its length as its end. False: they are longer than that. */
static bool row_place(struct window *row, uint64_t major_ns)
{
    uint64_t at_ns = 0;
    bool fits = true;

    for (struct window *window = row; (window != NULL) && fits; window = window->next) {
        fits = (window->end_ns != 0u) && (window->end_ns <= (major_ns - at_ns));
        window->at_ns = at_ns;
        window->end_ns += at_ns;
        at_ns = window->end_ns;
    }
    return fits;
}

/* -- Of one CPU; its unit's lock held -- */

/* The window that is now, or the next one of this frame, or NULL. At most as many steps as the row has
 * windows; as the time goes on, one. */
static const struct window *frame_seek(struct sched_frame *frame, uint64_t now_ns)
{
    uint64_t since_ns = now_ns - frame->begin_ns;

    if (since_ns >= frame->major_ns) {
        frame->begin_ns += (since_ns / frame->major_ns) * frame->major_ns;
        since_ns = now_ns - frame->begin_ns;
    }
    if ((frame->at == NULL) || (since_ns < frame->at->at_ns)) {
        frame->at = frame->first;
    }
    while ((frame->at != NULL) && (since_ns >= frame->at->end_ns)) {
        frame->at = frame->at->next;
    }
    return frame->at;
}

static struct vcpu *arinc653_window(struct sched_unit *unit, cpuid_t cpu, uint64_t now_ns, uint64_t *until_ns)
{
    struct sched_frame *const frame = unit->frame;
    struct vcpu *vcpu = NULL;

    (void)cpu;
    if (frame == NULL) {
        *until_ns = TIME_NEVER;
    } else if (now_ns < frame->begin_ns) {
        *until_ns = frame->begin_ns;
    } else {
        const struct window *const window = frame_seek(frame, now_ns);

        if (window == NULL) {
            *until_ns = frame->begin_ns + frame->major_ns;
        } else if ((now_ns - frame->begin_ns) < window->at_ns) {
            *until_ns = frame->begin_ns + window->at_ns;
        } else {
            *until_ns = frame->begin_ns + window->end_ns;
            vcpu = window->vcpu;
        }
    }
    return vcpu;
}

static bool window_names(const struct window *window, const struct vcpu *vcpu)
{
    const struct domain *const domain = vcpu->domain;
    bool names = (window->index == vcpu->index);

    if (window->place != BY_HANDLE) {
        names = names && (window->place == domain->index);
    } else {
        names = names && (memcmp(window->handle, domain->handle, sizeof(window->handle)) == 0);
    }
    return names;
}

static void arinc653_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    (void)now_ns;
    if (unit->frame != NULL) {
        for (struct window *window = unit->frame->first; window != NULL; window = window->next) {
            if ((window->vcpu == NULL) && window_names(window, vcpu)) {
                window->vcpu = vcpu;
            }
        }
    }
}

static void arinc653_leave(struct sched_unit *unit, struct vcpu *vcpu)
{
    if (unit->frame != NULL) {
        for (struct window *window = unit->frame->first; window != NULL; window = window->next) {
            if (window->vcpu == vcpu) {
                window->vcpu = NULL;
            }
        }
    }
}

/* -- Of a pool -- */

/* The row is the unit's from now on, and its frames begin then. */
static void frame_set(struct sched_unit *unit, struct window *row, uint64_t start_ns, uint64_t major_ns)
{
    struct sched_frame *const frame = &frames[hal_index(unit->index, HV_CPUS_MAX)];

    frame->begin_ns = start_ns;
    frame->major_ns = major_ns;
    frame->first = row;
    frame->at = NULL;
    unit->frame = (row != NULL) ? frame : NULL;
}

void sched_frame_plan(struct sched_unit *unit, const struct plan *plan, cpuid_t cpu)
{
    struct window *row = NULL;

    for (uint32_t left = plan->nr_minors; left > 0u; left--) {
        const struct plan_minor *const minor = &plan->minor[left - 1u];

        if ((minor->cpu == cpu) && (windows_left() > 0u)) {
            struct window *const window = row_add(&row);

            window->at_ns = (uint64_t)minor->at_us * NS_IN_US;
            window->end_ns = window->at_ns + ((uint64_t)minor->us * NS_IN_US);
            window->place = minor->domain;
            window->index = minor->vcpu;
        }
    }
    frame_set(unit, row, unit->pool->start_ns, unit->pool->major_ns);
}

void sched_frame_drop(struct sched_unit *unit)
{
    if (unit->frame != NULL) {
        row_free(&unit->frame->first);
        unit->frame = NULL;
    }
}

/* The vCPU that tools mean, or NULL. */
static struct vcpu *minor_vcpu(const struct sched_minor *minor)
{
    struct vcpu *found = NULL;

    for (uint32_t i = 0; (i < domain_count) && (found == NULL); i++) {
        const struct domain *const domain = domain_table[i];

        if ((minor->vcpu < domain->nr_vcpus) && domain_is_there(domain) &&
            (memcmp(domain->handle, minor->handle, sizeof(minor->handle)) == 0)) {
            found = domain->vcpu[minor->vcpu];
        }
    }
    return found;
}

/* Pools' lock held. HV_OK: next_row is the caller's. */
static enum hv_status rows_begin(const struct sched_pool *pool, uint32_t nr)
{
    enum hv_status status = HV_OK;

    if (pool == NULL) {
        status = HV_NOT_FOUND;
    } else if (!pool->policy->windows) {
        status = HV_NOT_SUPPORTED;
    } else if (next_made) {
        status = HV_BUSY;
    } else if ((pool->cpus == 0u) || (windows_left() < nr)) {
        status = HV_LIMIT;
    } else {
        next_made = true;
    }
    return status;
}

/* Each entry in the row of its CPU, from the last to the first: one of nobody, as gaps are, goes with the
 * one after it. */
static enum hv_status rows_make(uint64_t cpus, const struct sched_major *major)
{
    cpuid_t cpu = (cpuid_t)__builtin_ctzll(cpus);
    enum hv_status status = HV_OK;

    for (uint32_t left = major->nr; left > 0u; left--) {
        const struct sched_minor *const minor = &major->minor[left - 1u];
        struct vcpu *const vcpu = minor_vcpu(minor);

        if (vcpu != NULL) {
            const uint64_t allowed = vcpu->affinity & cpus;

            cpu = (cpuid_t)__builtin_ctzll((allowed != 0u) ? allowed : cpus);
        }
        const uint64_t flags = spin_lock(&sched_pools_lock);
        struct window *const window = row_add(&next_row[cpu]);

        spin_unlock(&sched_pools_lock, flags);
        window->end_ns = minor->ns;
        window->vcpu = vcpu;
        window->place = BY_HANDLE;
        window->index = minor->vcpu;
        (void)memcpy(window->handle, minor->handle, sizeof(window->handle));
    }
    for (cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        status = row_place(next_row[cpu], major->ns) ? status : HV_INVALID;
    }
    return status;
}

/* Pools' lock held. */
static void rows_end(void)
{
    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        row_free(&next_row[cpu]);
    }
    next_made = false;
}

/* Pools' lock held. The unit's row and its CPU's next one change places. */
static void row_take(struct sched_unit *unit, const struct sched_pool *pool)
{
    const cpuid_t cpu = (cpuid_t)__builtin_ctzll(unit->members);
    const uint64_t flags = spin_lock(&unit->lock);
    struct window *const was = (unit->frame != NULL) ? unit->frame->first : NULL;

    for (struct window *window = next_row[cpu]; window != NULL; window = window->next) {
        const struct vcpu *const vcpu = window->vcpu;

        if ((vcpu != NULL) &&
            (!vcpu->sched.joined || (vcpu->sched.unit != unit) || !window_names(window, vcpu))) {
            window->vcpu = NULL; /* it comes, or ended meanwhile */
        }
    }
    frame_set(unit, next_row[cpu], pool->start_ns, pool->major_ns);
    next_row[cpu] = was;
    spin_unlock(&unit->lock, flags);
    sched_request(cpu);
}

/* To the CPUs that are the pool's still, with interrupts masked for one at a time. */
static void rows_give(const struct sched_pool *pool)
{
    for (uint32_t i = 0; i < HV_CPUS_MAX; i++) {
        struct sched_unit *const unit = &sched_units[i];
        const uint64_t flags = spin_lock(&sched_pools_lock);

        if ((unit->pool == pool) && (unit->members != 0u) && unit->policy->windows) {
            row_take(unit, pool);
        }
        spin_unlock(&sched_pools_lock, flags);
    }
}

enum hv_status sched_major_set(uint32_t pool, const struct sched_major *major)
{
    if ((major->ns == 0u) || (major->ns > MAJOR_NS_MAX) || (major->nr == 0u) || (major->nr > SCHED_MINORS)) {
        return HV_INVALID;
    }
    uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *const of = sched_pool_of(pool);
    enum hv_status status = rows_begin(of, major->nr);
    const uint64_t cpus = (of != NULL) ? of->cpus : 0u;

    spin_unlock(&sched_pools_lock, flags);
    if (status != HV_OK) {
        return status;
    }
    status = rows_make(cpus, major);
    if (status == HV_OK) {
        flags = spin_lock(&sched_pools_lock);
        of->start_ns = hal_timer_now_ns();
        of->major_ns = major->ns;
        spin_unlock(&sched_pools_lock, flags);
        rows_give(of);
    }
    flags = spin_lock(&sched_pools_lock);
    rows_end();
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

/* Unit's lock held. Its row behind what is there, a gap as a window of nobody. */
static bool row_tell(const struct sched_frame *frame, struct sched_major *major)
{
    uint64_t at_ns = 0;

    for (const struct window *window = frame->first; window != NULL; window = window->next) {
        struct sched_minor minor = { .vcpu = 0u, .ns = window->at_ns - at_ns };

        if (((minor.ns != 0u) ? 2u : 1u) > (SCHED_MINORS - major->nr)) {
            return false;
        }
        if (minor.ns != 0u) {
            (void)memset(minor.handle, NOBODY, sizeof(minor.handle));
            major->minor[major->nr] = minor;
            major->nr++;
        }
        minor.vcpu = window->index;
        minor.ns = window->end_ns - window->at_ns;
        (void)memcpy(minor.handle,
                     (window->place == BY_HANDLE)
                         ? window->handle
                         : domain_table[hal_index(window->place, HV_DOMAINS_MAX)]->handle,
                     sizeof(minor.handle));
        major->minor[major->nr] = minor;
        major->nr++;
        at_ns = window->end_ns;
    }
    return true;
}

enum hv_status sched_major_get(uint32_t pool, struct sched_major *major)
{
    uint64_t flags = spin_lock(&sched_pools_lock);
    const struct sched_pool *const of = sched_pool_of(pool);
    enum hv_status status = HV_OK;

    major->nr = 0u;
    if (of == NULL) {
        status = HV_NOT_FOUND;
    } else if (!of->policy->windows) {
        status = HV_NOT_SUPPORTED;
    } else {
        major->ns = of->major_ns;
    }
    for (cpuid_t cpu = 0; (cpu < HV_CPUS_MAX) && (status == HV_OK); cpu++) {
        struct sched_unit *const unit = sched_cpus[cpu].goes;

        if ((unit != NULL) && (unit->pool == of) && ((unit->members & BIT64(cpu)) != 0u)) {
            const uint64_t inner = spin_lock(&unit->lock);

            status = ((unit->frame == NULL) || row_tell(unit->frame, major)) ? HV_OK : HV_LIMIT;
            spin_unlock(&unit->lock, inner);
        }
        spin_unlock(&sched_pools_lock, flags);
        flags = spin_lock(&sched_pools_lock);
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

const struct sched_policy sched_arinc653 = {
    .name = "arinc653",
    .abi_id = XEN_SCHEDULER_ARINC653,
    .unit_cpus = 1,
    .windows = true,
    .join = arinc653_join,
    .leave = arinc653_leave,
    .window = arinc653_window,
};
