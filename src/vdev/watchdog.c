/* [impl->req~watchdog~1] */
#include "vdev/watchdog.h"

#include "hal/cpu.h"
#include "hal/sync.h"
#include "hal/timer.h"
#include "virq/virq.h"

/* Refresh frame, from 0; the control frame begins a page later. */
#define REG_WRR          0x0000u
#define REG_REFRESH_IIDR 0x0FCCu
#define REG_WCS          0x1000u
#define REG_WOR          0x1008u
#define REG_WOR_HIGH     0x100Cu
#define REG_WCV          0x1010u
#define REG_WCV_HIGH     0x1014u
#define REG_CONTROL_IIDR 0x1FCCu

#define WCS_EN  BIT32(0)
#define WCS_WS0 BIT32(1)
#define WCS_WS1 BIT32(2)

#define IIDR        0x4201043Bu /* product 'B', architecture revision 1, as the interrupt controller's */
#define OFFSET_MAX  GENMASK64(47u, 0u)
#define HIGH_MASK   GENMASK64(63u, 32u)
#define LOW_MASK    GENMASK64(31u, 0u)
#define NS_PER_MS   1000000ULL
#define INTERVAL_NS NS_PER_MS /* no two interrupts of the timer are closer, whatever the guest writes */

/* So that the guest has a whole WOR from now. */
static void reload(struct watchdog *w)
{
    w->compare = hal_domain_counter(&w->domain->hal) + w->offset;
}

/* What an explicit refresh is. */
static void refresh(struct watchdog *w)
{
    w->status &= WCS_EN;
    reload(w);
}

/* Line and timer follow the registers. */
static void settle(struct watchdog *w)
{
    const bool level = (w->status & WCS_WS0) != 0u;
    uint64_t deadline_ns = TIME_NEVER;

    if (level != w->line) {
        w->line = level;
        virq_set_line(w->domain, w->irq, level);
    }
    if ((w->status & (WCS_EN | WCS_WS1)) == WCS_EN) {
        const uint64_t counter = hal_domain_counter(&w->domain->hal);
        const uint64_t left = (w->compare > counter) ? (w->compare - counter) : 0u;
        const uint64_t now_ns = hal_timer_now_ns();

        deadline_ns = now_ns + bits_min(hal_timer_ns(left), TIME_NEVER - now_ns);
        deadline_ns = bits_max(deadline_ns, w->fired_ns + INTERVAL_NS);
    }
    timer_arm(&w->timer, deadline_ns);
}

/* The counter has reached WCV. True at the second time. A domain that was paused could not refresh. */
static bool expire(struct watchdog *w)
{
    bool last = false;

    if (w->domain->paused) {
        reload(w);
    } else if ((w->status & WCS_WS0) == 0u) {
        w->status |= WCS_WS0;
        reload(w);
    } else {
        w->status |= WCS_WS1;
        last = true;
    }
    return last;
}

/* A refresh on another CPU may have overtaken it: the registers decide. */
static void watchdog_fire(struct timer *timer)
{
    struct watchdog *const w = (struct watchdog *)(void *)timer;
    const uint64_t flags = spin_lock(&w->lock);
    struct domain *const domain = w->domain;
    bool last = false;

    w->fired_ns = hal_timer_now_ns();
    if (domain != NULL) {
        const bool due = hal_domain_counter(&domain->hal) >= w->compare;

        last = due && ((w->status & (WCS_EN | WCS_WS1)) == WCS_EN) && expire(w);
        settle(w);
        (void)hal_fetch_add32(&w->ending, last ? 1u : 0u);
    }
    spin_unlock(&w->lock, flags);
    if (last) {
        w->expired(domain);
        (void)hal_fetch_add32(&w->ending, UINT32_MAX); /* one less */
    }
}

static uint32_t reg_read(const struct watchdog *w, uint64_t offset)
{
    switch (offset) {
    case REG_WCS:
        return w->status;
    case REG_WOR:
        return (uint32_t)w->offset;
    case REG_WOR_HIGH:
        return (uint32_t)(w->offset >> 32u);
    case REG_WCV:
        return (uint32_t)w->compare;
    case REG_WCV_HIGH:
        return (uint32_t)(w->compare >> 32u);
    case REG_REFRESH_IIDR:
    case REG_CONTROL_IIDR:
        return IIDR;
    default:
        return 0u;
    }
}

static void reg_write(struct watchdog *w, uint64_t offset, uint32_t value)
{
    const uint64_t high = (uint64_t)value << 32u;

    switch (offset) {
    case REG_WRR:
        refresh(w);
        break;
    case REG_WCS:
        w->status = value & WCS_EN;
        refresh(w);
        break;
    case REG_WOR:
        w->offset = (w->offset & HIGH_MASK) | value;
        refresh(w);
        break;
    case REG_WOR_HIGH:
        w->offset = ((w->offset & LOW_MASK) | high) & OFFSET_MAX;
        refresh(w);
        break;
    case REG_WCV:
        w->compare = (w->compare & HIGH_MASK) | value;
        break;
    case REG_WCV_HIGH:
        w->compare = (w->compare & LOW_MASK) | high;
        break;
    default:
        break;
    }
}

/* Words, and pairs of them. */
static bool access_good(uint64_t offset, uint32_t width)
{
    return ((width == 4u) || (width == 8u)) && ((offset % width) == 0u);
}

static bool watchdog_read(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value)
{
    struct watchdog *const w = device;
    const bool good = access_good(offset, width);

    (void)vcpu;
    if (good) {
        const uint64_t flags = spin_lock(&w->lock);

        *value = reg_read(w, offset);
        if (width == 8u) {
            *value |= (uint64_t)reg_read(w, offset + 4u) << 32u;
        }
        spin_unlock(&w->lock, flags);
    }
    return good;
}

static bool watchdog_write(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value)
{
    struct watchdog *const w = device;
    const bool good = access_good(offset, width);

    (void)vcpu;
    if (good) {
        const uint64_t flags = spin_lock(&w->lock);

        reg_write(w, offset, (uint32_t)value);
        if (width == 8u) {
            reg_write(w, offset + 4u, (uint32_t)(value >> 32u));
        }
        settle(w);
        spin_unlock(&w->lock, flags);
    }
    return good;
}

static const struct mmio_ops watchdog_ops = { watchdog_read, watchdog_write };

void watchdog_setup(struct watchdog *watchdog)
{
    watchdog->domain = NULL;
    watchdog->fired_ns = 0u;
    watchdog->ending = 0u;
    spin_init(&watchdog->lock, LOCK_VDEV);
    timer_setup(&watchdog->timer, watchdog_fire);
}

enum hv_status watchdog_attach(struct watchdog *watchdog, struct domain *domain, gpa_t base, uint32_t irq,
                               void (*expired)(struct domain *domain))
{
    const struct mmio_window window = { base, WATCHDOG_WINDOW_BYTES, &watchdog_ops, watchdog };
    const enum hv_status status = domain_add_window(domain, &window);

    if (status == HV_OK) {
        const uint64_t half_ns = (domain->plan->watchdog_ms * NS_PER_MS) / 2u;
        const uint64_t flags = spin_lock(&watchdog->lock);

        watchdog->status = (half_ns > 0u) ? WCS_EN : 0u;
        watchdog->offset = bits_min(hal_timer_ticks(half_ns), OFFSET_MAX);
        watchdog->compare = UINT64_MAX; /* not due before watchdog_begin() */
        watchdog->line = false;
        watchdog->irq = irq;
        watchdog->expired = expired;
        watchdog->domain = domain;
        spin_unlock(&watchdog->lock, flags);
    }
    return status;
}

void watchdog_detach(struct watchdog *watchdog)
{
    const uint64_t flags = spin_lock(&watchdog->lock);

    watchdog->domain = NULL;
    timer_disarm(&watchdog->timer);
    spin_unlock(&watchdog->lock, flags);
    while (hal_load_acquire32(&watchdog->ending) != 0u) { /* another CPU's handler, which is bounded */
        hal_cpu_relax();
    }
}

void watchdog_begin(struct watchdog *watchdog)
{
    const uint64_t flags = spin_lock(&watchdog->lock);

    if (watchdog->domain != NULL) {
        reload(watchdog);
        settle(watchdog);
    }
    spin_unlock(&watchdog->lock, flags);
}
