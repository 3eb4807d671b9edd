/* Pools of more than eight CPUs have several units, whose queues know nothing of each other. A worker
 * compares the weights of those that want a CPU now, and sends one at a time from the fullest unit to the
 * emptiest. What it looks at may change meanwhile: it is a hint, and the next look is soon. */
/* [impl->req~load-balance~1] */
#include "lib/string.h"
#include "sched/cpupool_core.h"

#define MOVES_MAX     16u         /* of one look, of one pool */
#define EVERY_NS      50000000ULL /* while all are busy */
#define EVERY_NS_IDLE 1000000ULL  /* a CPU that has nothing to do looks for some */

struct loads {
    uint64_t weight[HV_CPUS_MAX]; /* of those that want a CPU, by unit */
};

static struct loads loads;

static bool wants(const struct vcpu *vcpu)
{
    return vcpu->sched.joined && ((vcpu->state == VCPU_RUNNABLE) || (vcpu->state == VCPU_RUNNING)) &&
           !vcpu->domain->paused;
}

static void weigh(const struct sched_pool *pool)
{
    (void)memset(&loads, 0, sizeof(loads));
    for (uint32_t d = 0; d < domain_count; d++) {
        const struct domain *const domain = domain_table[d];

        for (uint32_t i = 0; (i < domain->nr_vcpus) && (domain->cpupool == pool->id); i++) {
            const struct sched_unit *const unit = domain->vcpu[i]->sched.goes;

            if (wants(domain->vcpu[i]) && (unit->index < HV_CPUS_MAX)) {
                loads.weight[unit->index] += domain->sched.weight;
            }
        }
    }
}

/* Weight for each CPU, in 1/64 */
static uint64_t density(const struct sched_unit *unit, uint64_t weight)
{
    return (weight * 64u) / bits_count64(unit->members);
}

/* The fullest and the emptiest unit of a pool; false: there are not two. */
static bool extremes(const struct sched_pool *pool, struct sched_unit **full, struct sched_unit **empty)
{
    *full = NULL;
    *empty = NULL;
    for (uint32_t i = 0; i < sched_nr_units; i++) {
        struct sched_unit *const unit = &sched_units[i];

        if ((unit->pool == pool) && (unit->members != 0u)) {
            const uint64_t d = density(unit, loads.weight[i]);

            *full = ((*full == NULL) || (d > density(*full, loads.weight[(*full)->index]))) ? unit : *full;
            *empty =
                ((*empty == NULL) || (d < density(*empty, loads.weight[(*empty)->index]))) ? unit : *empty;
        }
    }
    return *full != *empty;
}

/* The one that waits in `full`, may run in `empty`, and after whose move the two differ less; it is on its
 * way then. */
static struct vcpu *send_one(struct sched_pool *pool, struct sched_unit *full, struct sched_unit *empty)
{
    struct vcpu *found = NULL;
    uint64_t flags = spin_lock(&sched_pools_lock);

    if ((full->pool == pool) && (empty->pool == pool) && (full->members != 0u) && (empty->members != 0u)) {
        const uint64_t inner = spin_lock(&full->lock);
        struct queue_node *const node = queue_first(&full->ready, empty->members);

        found = (node != NULL) ? sched_vcpu_ready(node) : NULL;
        spin_unlock(&full->lock, inner);
    }
    if (found != NULL) {
        const uint64_t weight = found->domain->sched.weight;
        const uint64_t before = density(full, loads.weight[full->index]);
        const uint64_t after = density(empty, loads.weight[empty->index] + weight);
        const uint64_t away_ns = hal_timer_now_ns() - found->sched.charged_ns;

        if ((found->sched.goes == full) && (after < before) &&
            (away_ns >= ((uint64_t)pool->tuning.stay_us * 1000u))) {
            full->nr_places--;
            empty->nr_places++;
            found->sched.goes = empty;
            loads.weight[full->index] -= bits_min(weight, loads.weight[full->index]);
            loads.weight[empty->index] += weight;
        } else {
            found = NULL;
        }
    }
    spin_unlock(&sched_pools_lock, flags);
    return found;
}

static void balance_pool(struct sched_pool *pool)
{
    struct sched_unit *full = NULL;
    struct sched_unit *empty = NULL;
    struct vcpu *moved = NULL;

    weigh(pool);
    for (uint32_t i = 0; (i < MOVES_MAX) && extremes(pool, &full, &empty); i++) {
        moved = send_one(pool, full, empty);
        if (moved == NULL) {
            break;
        }
        sched_pool_follow(moved);
        work_breathe();
    }
}

static void balance_run(struct work *work)
{
    (void)work;
    for (uint32_t i = 0; i < SCHED_POOLS_MAX; i++) {
        struct sched_pool *const pool = &sched_pools[i];

        if ((pool->policy != NULL) && (pool->nr_units > 1u) && !pool->policy->single &&
            !pool->policy->windows) {
            balance_pool(pool);
        }
    }
}

void sched_balance_soon(struct sched_unit *unit, bool idle, uint64_t now_ns)
{
    static struct work balance = { .next = NULL, .run = balance_run, .queued = 0u };

    if (!unit->policy->single && !unit->policy->windows &&
        ((now_ns - unit->balanced_ns) >= (idle ? EVERY_NS_IDLE : EVERY_NS))) {
        unit->balanced_ns = now_ns;
        work_queue(&balance, WORK_ANY_CPU);
    }
}
