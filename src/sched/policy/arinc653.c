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

#define HANDLE_WORDS 2u
struct window {
    struct window *next; /* later ones of its row */
    uint64_t at_ns;      /* from the frame's beginning */
    uint64_t end_ns;
    struct vcpu *vcpu; /* NULL: it is not here */
    uint32_t place;    /* of its domain in domain_table */
    uint32_t index;
    uint64_t handle[HANDLE_WORDS]; /* BY_HANDLE */
};

struct sched_frame {
    uint64_t begin_ns; /* of the frame that is now; in the future if the first has not begun */
    uint64_t major_ns;
    struct window *first;
    struct window *at; /* that was looked at last, or NULL */
};

/* Of each unit, under its lock. */
static struct sched_frame frames[HV_CPUS_MAX];
/* Under the pools' lock: windows in no row; */
static struct window windows[WINDOWS];
static struct window *free_windows;
static uint32_t nr_free;
static uint32_t nr_never_used = WINDOWS;
/* ... and the schedule that somebody sets, of one pool at a time */
static struct {
    uint64_t ns;
    uint64_t used_ns[HV_CPUS_MAX]; /* of its frame */
    struct window *row[HV_CPUS_MAX];
    uint32_t ticket; /* of who began last; then no more anybody's */
    uint32_t pool;
    uint32_t left; /* entries to come, from the last to the first */
    cpuid_t cpu;   /* of the entry after that; then the first that has not got its row */
} major;

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

/* One after another; until here each has its length as its end. */
static void row_place(struct window *row)
{
    uint64_t at_ns = 0;

    for (struct window *window = row; window != NULL; window = window->next) {
        window->at_ns = at_ns;
        window->end_ns += at_ns;
        at_ns = window->end_ns;
    }
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

/* What windows call a vCPU */
struct name {
    uint64_t handle[HANDLE_WORDS];
    uint32_t place;
    uint32_t index;
};

static void name_of(const struct vcpu *vcpu, struct name *name)
{
    const void *const handle = vcpu->domain->handle;

    (void)memcpy(name->handle, handle, sizeof(name->handle));
    name->place = vcpu->domain->index;
    name->index = vcpu->index;
}

static bool window_names(const struct window *window, const struct name *name)
{
    bool names = (window->index == name->index);

    if (window->place != BY_HANDLE) {
        names = names && (window->place == name->place);
    } else {
        names = names && (window->handle[0] == name->handle[0]) && (window->handle[1] == name->handle[1]);
    }
    return names;
}

static void arinc653_join(struct sched_unit *unit, struct vcpu *vcpu, uint64_t now_ns)
{
    struct name name;

    (void)now_ns;
    name_of(vcpu, &name);
    if (unit->frame != NULL) {
        for (struct window *window = unit->frame->first; window != NULL; window = window->next) {
            if ((window->vcpu == NULL) && window_names(window, &name)) {
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

/* Pools' lock held. The pool that may have such a schedule, or why there is none. */
static enum hv_status framed_pool(uint32_t id, struct sched_pool **pool)
{
    struct sched_pool *const of = sched_pool_of(id);
    enum hv_status status = HV_NOT_FOUND;

    *pool = of;
    if (of != NULL) {
        status = of->policy->windows ? HV_OK : HV_NOT_SUPPORTED;
    }
    return status;
}

/* Pools' lock held. The unit of a CPU of that pool, or NULL: it is not one. */
static struct sched_unit *unit_with(const struct sched_pool *pool, cpuid_t cpu)
{
    struct sched_unit *const unit = sched_cpus[cpu].goes;

    return ((unit != NULL) && (unit->pool == pool) && ((unit->members & BIT64(cpu)) != 0u)) ? unit : NULL;
}

/* Pools' lock held. What was begun is nobody's any more. */
static void major_end(void)
{
    for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
        row_free(&major.row[cpu]);
        major.used_ns[cpu] = 0u;
    }
    major.ticket = (major.ticket == UINT32_MAX) ? 1u : (major.ticket + 1u);
    major.left = 0u;
    major.cpu = HV_CPUS_MAX;
}

enum hv_status sched_major_begin(uint32_t pool, uint64_t ns, uint32_t nr, uint32_t *ticket)
{
    if ((ns == 0u) || (ns > MAJOR_NS_MAX) || (nr == 0u) || (nr > SCHED_MINORS)) {
        return HV_INVALID;
    }
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *of = NULL;
    enum hv_status status = framed_pool(pool, &of);

    if (status == HV_OK) {
        major_end();
        status = ((of->cpus == 0u) || (windows_left() < nr)) ? HV_LIMIT : HV_OK;
    }
    if (status == HV_OK) {
        major.pool = pool;
        major.ns = ns;
        major.left = nr;
        *ticket = major.ticket;
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

/* Pools' lock held. In the row of its CPU; one of nobody, as gaps are, goes with the one after it. */
static enum hv_status major_add(const struct sched_pool *pool, const struct sched_minor *minor,
                                struct vcpu *vcpu)
{
    const void *const handle = minor->handle;

    if ((vcpu != NULL) || (major.cpu == HV_CPUS_MAX)) {
        const uint64_t allowed = (vcpu != NULL) ? (vcpu->affinity & pool->cpus) : 0u;

        major.cpu = (cpuid_t)__builtin_ctzll((allowed != 0u) ? allowed : pool->cpus);
    }
    if ((minor->ns == 0u) || (minor->ns > (major.ns - major.used_ns[major.cpu]))) {
        return HV_INVALID;
    }
    struct window *const window = row_add(&major.row[major.cpu]);

    major.used_ns[major.cpu] += minor->ns;
    window->end_ns = minor->ns;
    window->vcpu = vcpu;
    window->place = BY_HANDLE;
    window->index = minor->vcpu;
    (void)memcpy(window->handle, handle, sizeof(window->handle));
    major.left--;
    if (major.left == 0u) {
        for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
            row_place(major.row[cpu]);
        }
        major.cpu = 0u;
    }
    return HV_OK;
}

enum hv_status sched_major_add(uint32_t ticket, const struct sched_minor *minor)
{
    struct vcpu *const vcpu = minor_vcpu(minor);
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *of = NULL;
    enum hv_status status = HV_BUSY;

    if ((ticket == major.ticket) && (major.left > 0u)) {
        status = framed_pool(major.pool, &of);
        if (status == HV_OK) {
            status = ((of->cpus == 0u) || (windows_left() == 0u)) ? HV_LIMIT : major_add(of, minor, vcpu);
        }
        if (status != HV_OK) {
            major_end();
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

/* Pools' lock held. The unit's row and its CPU's next one change places. */
static void row_take(struct sched_unit *unit, const struct sched_pool *pool, cpuid_t cpu)
{
    const uint64_t flags = spin_lock(&unit->lock);
    struct window *const was = (unit->frame != NULL) ? unit->frame->first : NULL;

    for (struct window *window = major.row[cpu]; window != NULL; window = window->next) {
        const struct vcpu *const vcpu = window->vcpu;

        if (vcpu != NULL) {
            struct name name;

            name_of(vcpu, &name);
            if (!vcpu->sched.joined || (vcpu->sched.unit != unit) || !window_names(window, &name)) {
                window->vcpu = NULL; /* it comes, or ended meanwhile */
            }
        }
    }
    frame_set(unit, major.row[cpu], pool->start_ns, pool->major_ns);
    major.row[cpu] = was;
    spin_unlock(&unit->lock, flags);
    sched_request(cpu);
}

/* Pools' lock held. To the next CPU that is the pool's; false: there is none. */
static bool major_give(struct sched_pool *pool)
{
    bool given = false;

    if (major.cpu == 0u) {
        pool->start_ns = hal_timer_now_ns();
        pool->major_ns = major.ns;
    }
    while ((major.cpu < HV_CPUS_MAX) && !given) {
        struct sched_unit *const unit = unit_with(pool, major.cpu);

        if (unit != NULL) {
            row_take(unit, pool, major.cpu);
            given = true;
        }
        major.cpu++;
    }
    return given;
}

enum hv_status sched_major_give(uint32_t ticket, bool *done)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *of = NULL;
    enum hv_status status = HV_BUSY;

    *done = true;
    if ((ticket == major.ticket) && (major.left == 0u)) {
        status = framed_pool(major.pool, &of);
        *done = (status != HV_OK) || !major_give(of);
        if (*done) {
            major_end();
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    return status;
}

void sched_minor_fill(const struct sched_minor *minor)
{
    struct vcpu *const vcpu = minor_vcpu(minor);

    if (vcpu != NULL) {
        uint64_t flags = 0;
        struct sched_unit *const unit = sched_lock_unit(vcpu, &flags);

        if (vcpu->sched.joined && unit->policy->windows) {
            arinc653_join(unit, vcpu, 0u);
            sched_request(vcpu->cpu);
        }
        spin_unlock(&unit->lock, flags);
    }
}

/* The next entry of all rows: a window, or a gap (NULL); it is told if it is asked for. */
static void entry_tell(struct sched_minors *told, const struct window *window, uint64_t ns)
{
    if ((told->nr >= told->first) && ((told->nr - told->first) < SCHED_MINORS_TOLD)) {
        struct sched_minor *const minor = &told->minor[told->nr - told->first];

        minor->ns = ns;
        if (window == NULL) {
            (void)memset(minor->handle, NOBODY, sizeof(minor->handle));
        } else {
            const void *handle = window->handle;

            if (window->place != BY_HANDLE) {
                handle = domain_table[hal_index(window->place, HV_DOMAINS_MAX)]->handle;
            }
            (void)memcpy(minor->handle, handle, sizeof(minor->handle));
            minor->vcpu = window->index;
        }
    }
    told->nr++;
}

/* Unit's lock held. */
static void row_tell(const struct sched_frame *frame, struct sched_minors *told)
{
    uint64_t at_ns = 0;

    for (const struct window *window = frame->first; window != NULL; window = window->next) {
        if (window->at_ns != at_ns) {
            entry_tell(told, NULL, window->at_ns - at_ns);
        }
        entry_tell(told, window, window->end_ns - window->at_ns);
        at_ns = window->end_ns;
    }
}

enum hv_status sched_major_get(uint32_t pool, uint32_t first, struct sched_minors *told)
{
    const uint64_t flags = spin_lock(&sched_pools_lock);
    struct sched_pool *of = NULL;
    const enum hv_status status = framed_pool(pool, &of);

    (void)memset(told, 0, sizeof(*told));
    told->first = first;
    if (status == HV_OK) {
        told->major_ns = of->major_ns;
        told->serial = major.ticket;
        for (cpuid_t cpu = 0; cpu < HV_CPUS_MAX; cpu++) {
            struct sched_unit *const unit = unit_with(of, cpu);

            if (unit != NULL) {
                const uint64_t inner = spin_lock(&unit->lock);

                if (unit->frame != NULL) {
                    row_tell(unit->frame, told);
                }
                spin_unlock(&unit->lock, inner);
            }
        }
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
