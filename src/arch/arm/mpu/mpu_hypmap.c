/* What EL2 itself may touch: everything lies at its physical address, and only what a region names is there
 * (HSCTLR.BR is 0). Regions must not overlap. Each CPU has its own set of the same ones, but for the guards,
 * which only the CPU needs whose stack is above. */
/* [impl->req~no-standing-map~1] [impl->req~stack-guards~1] */
#include "mpu_cpu.h"

#include "base/percpu.h"
#include "hal/upcall.h"
#include "mpu_regs.h"

static struct mpu_cpu mpu_cpus[HV_CPUS_MAX];

static struct mpu_cpu *mpu_self(void)
{
    return &mpu_cpus[cpu_id()];
}

const struct mpu_cpu *mpu_cpu_of(cpuid_t cpu)
{
    return &mpu_cpus[cpu];
}

static uint64_t mpu_address(const void *va)
{
    return (uint64_t)(uintptr_t)(const uint8_t *)va;
}

static void *mpu_pointer(uint64_t at)
{
    return (void *)(uint8_t *)(uintptr_t)at;
}

/* A CPU's own region that holds `at`, nr_own: none. */
static uint32_t mpu_own_at(const struct mpu_cpu *cpu, uint64_t at)
{
    uint32_t i = 0u;

    while ((i < cpu->nr_own) && ((at < cpu->own[i].base) || (at > cpu->own[i].limit))) {
        i++;
    }
    return i;
}

void mpu_image(const struct mpu_region *code, const struct mpu_region *data)
{
    if (mpu_count() < MPU_PLANNED) {
        upcall_fatal("mpu: fewer regions than systems are planned for", mpu_count());
    }
    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        mpu_cpus[i].own[0] = *code;
        mpu_cpus[i].own[1] = *data;
        mpu_cpus[i].nr_own = 2u;
    }
}

uint32_t mpu_guest_regions(void)
{
    uint32_t most = 0u;

    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        most = (mpu_cpus[i].nr_own > most) ? mpu_cpus[i].nr_own : most;
    }
    return mpu_count() - most;
}

/* -- Windows -- */

static bool mpu_holds(const struct mpu_region *r, uint64_t at)
{
    return (at >= r->base) && (at <= r->limit);
}

/* What a window would show if nothing else did: its block, up to our own regions. */
static struct mpu_region mpu_window_region(const struct mpu_cpu *cpu, uint64_t at)
{
    const uint64_t first = bits_align_down(at, HAL_WINDOW_BYTES);
    struct mpu_region r = { first, first + (HAL_WINDOW_BYTES - 1u), 0u };

    for (uint32_t i = 0u; i < cpu->nr_own; i++) {
        if (cpu->own[i].base > at) {
            r.limit = bits_min(r.limit, cpu->own[i].base - 1u);
        } else {
            r.base = bits_max(r.base, cpu->own[i].limit + 1u);
        }
    }
    return r;
}

/* The regions of all open windows, none twice, instead of a domain's. */
static void mpu_show(struct mpu_cpu *cpu)
{
    cpu->nr_shown = 0u;
    mpu_keep(cpu->nr_own);
    for (uint32_t slot = 0u; slot < (uint32_t)HAL_WINDOWS; slot++) {
        const uint64_t at = cpu->window[slot].at;
        bool shown = !cpu->window[slot].is_open || (mpu_own_at(cpu, at) < cpu->nr_own);
        struct mpu_region r = mpu_window_region(cpu, at);

        for (uint32_t i = 0u; (i < (uint32_t)HAL_WINDOWS) && !shown; i++) {
            const struct mpu_window *const w = &cpu->window[i];

            if (w->is_open && mpu_holds(&r, w->at)) {
                shown = (i < slot);
                r.attr |= w->write ? MPU_WRITE : 0u;
            }
        }
        if (!shown) {
            mpu_put(cpu->nr_own + cpu->nr_shown, &r);
            cpu->nr_shown++;
            cpu->version = 0u;
        }
    }
    mpu_sync();
}

/* What shows `at` already; NULL: nothing that allows it. */
static const struct mpu_region *mpu_standing(const struct mpu_cpu *cpu, uint64_t at, bool write)
{
    const uint32_t own = mpu_own_at(cpu, at);
    const struct mpu_region *r = NULL;

    if (own < cpu->nr_own) {
        r = &cpu->own[own];
        if (write && ((r->attr & MPU_WRITE) == 0u)) {
            upcall_fatal("mpu: a window to write to what is read-only", at);
        }
    } else if (cpu->map != NULL) {
        r = mpu_at(&cpu->map->set, at);
    } else {
        /* only windows are there */
    }
    return ((r != NULL) && (!write || ((r->attr & MPU_WRITE) != 0u))) ? r : NULL;
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    const bool write = (perm == HAL_HYPMAP_RW);
    const uint64_t flags = hal_cpu_irq_save();
    struct mpu_cpu *const cpu = mpu_self();
    const struct mpu_region *const standing = mpu_standing(cpu, at.v, write);
    struct mpu_region r = mpu_window_region(cpu, at.v);

    cpu->window[slot] = (struct mpu_window){ at.v, true, write };
    if (standing != NULL) {
        r.limit =
            bits_min(standing->limit, bits_align_down(at.v, HAL_WINDOW_BYTES) + (HAL_WINDOW_BYTES - 1u));
    } else {
        if (cpu->map != NULL) {
            cpu->put_aside = cpu->map;
            cpu->map = NULL;
        }
        mpu_show(cpu);
    }
    *bytes = (r.limit - at.v) + 1u;
    hal_cpu_irq_restore(flags);
    return mpu_pointer(at.v);
}

void hal_hypmap_window_close(enum hal_window slot)
{
    const uint64_t flags = hal_cpu_irq_save();
    struct mpu_cpu *const cpu = mpu_self();

    cpu->window[slot].is_open = false;
    if (cpu->nr_shown > 0u) {
        mpu_show(cpu);
    }
    /* the worker's slots may stay open, for later */
    if ((cpu->put_aside != NULL) && !cpu->window[HAL_WINDOW_TRAP].is_open &&
        !cpu->window[HAL_WINDOW_TRAP2].is_open) {
        arm_guestmap_enter(cpu->put_aside);
    }
    hal_cpu_irq_restore(flags);
}

uint32_t hal_hypmap_peek(hpa_t at)
{
    uint64_t bytes;
    const volatile uint32_t *const word = hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RO, &bytes);
    const uint32_t value = *word;

    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    return value;
}

/* -- A domain's regions on this CPU -- */

/* Those that are there still are switched on, which is most of what a switch between two vCPUs of one domain
 * costs. */
void arm_guestmap_enter(const struct hal_guestmap *map)
{
    struct mpu_cpu *const cpu = mpu_self();

    if (cpu->version == map->version) {
        mpu_keep(cpu->nr_own + map->set.nr);
    } else {
        mpu_keep(cpu->nr_own);
        for (uint32_t i = 0u; i < map->set.nr; i++) {
            mpu_put(cpu->nr_own + i, &map->set.region[i]);
        }
        cpu->version = map->version;
    }
    cpu->map = map;
    cpu->put_aside = NULL;
    cpu->nr_shown = 0u;
    mpu_vmid_write(map->id);
    mpu_sync();
}

void arm_guestmap_leave(void)
{
    struct mpu_cpu *const cpu = mpu_self();

    cpu->map = NULL;
    mpu_vmid_write(0u);
    mpu_show(cpu);
}

/* -- What stays -- */

/* One more for a CPU. What it touches or meets of the same kind becomes part of it. Its number; MPU_OWN_MAX:
 * it meets others, or there is no number left. */
static uint32_t mpu_own_add(struct mpu_cpu *cpu, const struct mpu_region *region)
{
    struct mpu_region all = *region;
    uint32_t found = cpu->nr_own;

    for (uint32_t i = 0u; (i < cpu->nr_own) && (found != MPU_OWN_MAX); i++) {
        const struct mpu_region *const r = &cpu->own[i];
        const bool meets = (r->base <= region->limit) && (r->limit >= region->base);
        const bool touches = (r->limit == (region->base - 1u)) || (r->base == (region->limit + 1u));

        if ((r->attr == region->attr) && (meets || touches) && (found == cpu->nr_own)) {
            found = i;
            all.base = bits_min(all.base, r->base);
            all.limit = bits_max(all.limit, r->limit);
        } else if (meets) {
            found = MPU_OWN_MAX;
        } else {
            /* apart */
        }
    }
    if (found != MPU_OWN_MAX) {
        cpu->own[found] = all;
        cpu->nr_own += (found == cpu->nr_own) ? 1u : 0u;
    }
    return found;
}

/* In whole units of `unit`; for all CPUs, of which only this one runs. */
static enum hv_status mpu_stay(hpa_t base, uint64_t bytes, uint64_t unit, uint32_t attr)
{
    const struct mpu_region r = { bits_align_down(base.v, unit), bits_align_up(base.v + bytes, unit) - 1u,
                                  attr };
    struct mpu_cpu *const self = mpu_self();
    enum hv_status status = ((bytes == 0u) || (r.limit >= BIT64(MPU_BITS))) ? HV_LIMIT : HV_OK;

    for (uint32_t i = 0u; (i < HV_CPUS_MAX) && (status == HV_OK); i++) {
        const uint32_t n = mpu_own_add(&mpu_cpus[i], &r);

        if (n == MPU_OWN_MAX) {
            status = HV_LIMIT;
        } else if (&mpu_cpus[i] == self) {
            mpu_keep((n < (self->nr_own - 1u)) ? self->nr_own : n); /* a window may have been there */
            mpu_put(n, &self->own[n]);
            mpu_show(self);
        } else {
            /* it starts with it */
        }
    }
    return status;
}

enum hv_status hal_hypmap_heap(hpa_t base, uint64_t bytes, void **va, uint64_t *used_bytes)
{
    *va = mpu_pointer(base.v);
    *used_bytes = 0u;
    return (((base.v | bytes) & (KIB(64) - 1u)) != 0u) ? HV_INVALID
                                                       : mpu_stay(base, bytes, KIB(64), MPU_WRITE);
}

enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va)
{
    *va = mpu_pointer(base.v);
    return mpu_stay(base, bytes, MPU_GRANULE, MPU_WRITE | MPU_DEVICE);
}

enum hv_status hal_hypmap_memory(hpa_t base, uint64_t bytes, void **va)
{
    *va = mpu_pointer(base.v);
    return mpu_stay(base, bytes, MPU_GRANULE, MPU_WRITE);
}

/* In pages, so that what the tool has packed one behind the other is one region. */
enum hv_status hal_hypmap_readonly(hpa_t base, uint64_t bytes, const void **va)
{
    *va = mpu_pointer(base.v);
    return mpu_stay(base, bytes, PAGE_BYTES, 0u);
}

hpa_t hal_hypmap_hpa(const void *va)
{
    return hpa(mpu_address(va));
}

/* The region ends below the page, and another begins above. */
enum hv_status hal_hypmap_guard(void *va, cpuid_t cpu)
{
    const uint64_t at = mpu_address(va);
    struct mpu_cpu *const of = &mpu_cpus[cpu];
    const uint32_t n = mpu_own_at(of, at);
    struct mpu_region *const low = &of->own[n % MPU_OWN_MAX];
    struct mpu_region high;

    if ((n == of->nr_own) || (of->nr_own == MPU_OWN_MAX) || ((at % PAGE_BYTES) != 0u) || (at == low->base) ||
        ((low->limit - at) < PAGE_BYTES)) {
        return HV_INVALID;
    }
    high = *low;
    high.base = at + PAGE_BYTES;
    low->limit = at - 1u;
    of->own[of->nr_own] = high;
    of->nr_own++;
    if (of == mpu_self()) {
        mpu_keep(of->nr_own - 1u);
        mpu_put(n, low);
        mpu_put(of->nr_own - 1u, &high);
        mpu_show(of);
    }
    return HV_OK;
}

/* Nothing was mapped for the boot alone. */
void hal_hypmap_seal(void)
{
}
