/* [impl->dsn~lock-ranks~1] */
#include "base/spinlock.h"

#include "base/panic.h"
#include "base/percpu.h"
#include "hal/sync.h"

void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    lock->next = 0;
    lock->owner = 0;
    lock->rank = (uint32_t)rank;
}

/* Ranks held are bits: a lock may be taken if no bit at or above its own is set. */
static void rank_take(const struct spinlock *lock)
{
    struct percpu *area = hal_cpu_local();

    if ((area->lock_rank >> lock->rank) != 0u) {
        panic("lock taken against its rank");
    }
    area->lock_rank |= BIT32(lock->rank);
}

static void rank_drop(const struct spinlock *lock)
{
    struct percpu *area = hal_cpu_local();

    ASSERT((area->lock_rank & BIT32(lock->rank)) != 0u);
    area->lock_rank &= ~BIT32(lock->rank);
}

uint64_t spin_lock(struct spinlock *lock)
{
    const uint64_t flags = hal_cpu_irq_save();

    if (CONFIG_DEBUG != 0) {
        rank_take(lock);
    }
    percpu_hold();
    const uint32_t ticket = hal_fetch_add32(&lock->next, 1u);
    /* bounded by the sections of the CPUs that hold earlier tickets, at most HV_CPUS_MAX - 1 */
    while (hal_load_acquire32(&lock->owner) != ticket) {
        hal_cpu_relax();
    }
    return flags;
}

void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    const uint32_t owner = lock->owner;

    if (CONFIG_DEBUG != 0) {
        rank_drop(lock);
    }
    hal_store_release32(&lock->owner, owner + 1u);
    percpu_drop();
    hal_cpu_irq_restore(flags);
}
