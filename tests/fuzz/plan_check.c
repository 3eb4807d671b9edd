/* What must be true of every plan that config/ agrees to, and of every sentence with which it does not. */
#include "plan_check.h"

#include <string.h>

#include "fuzz.h"
#include "lib/bits.h"

static bool meet(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
    return (a < (b + b_bytes)) && (b < (a + a_bytes));
}

static void ranges_check(const struct range *range, uint32_t count, bool disjoint)
{
    FUZZ_MUST(count <= PLAN_RANGES_MAX);
    for (uint32_t i = 0u; i < count; i++) {
        FUZZ_MUST((range[i].bytes > 0u) && ((range[i].base % PAGE_BYTES) == 0u));
        FUZZ_MUST((range[i].base + range[i].bytes) > range[i].base);
        FUZZ_MUST((i == 0u) || (range[i - 1u].base <= range[i].base));
        FUZZ_MUST((i == 0u) || !disjoint || ((range[i - 1u].base + range[i - 1u].bytes) <= range[i].base));
    }
}

static bool in_ram(const struct plan *plan, uint64_t base, uint64_t bytes)
{
    uint64_t at = base;

    for (uint32_t i = 0u; i < plan->nr_ram; i++) { /* sorted: adjacent banks lead on */
        if ((at >= plan->ram[i].base) && ((at - plan->ram[i].base) < plan->ram[i].bytes)) {
            at = plan->ram[i].base + plan->ram[i].bytes;
        }
    }
    return (base + bytes) <= at;
}

static void module_check(const struct plan *plan, const struct config_env *env,
                         const struct plan_module *module)
{
    const uint64_t base = module->base.v;

    if (module->bytes == 0u) {
        return;
    }
    FUZZ_MUST((module->name != NULL) && ((base + module->bytes) > base));
    FUZZ_MUST(in_ram(plan, base, module->bytes));
    for (uint32_t i = 0u; i < plan->nr_reserved; i++) {
        FUZZ_MUST(!meet(base, module->bytes, plan->reserved[i].base, plan->reserved[i].bytes));
    }
    if (env->payload_bytes == 0u) {
        FUZZ_MUST(!meet(base, module->bytes, env->image_base.v, env->image_bytes));
    }
}

/* Static memory of domains that are built, and the heap: in RAM, nobody else's, and as much as is said. */
static void static_check(const struct plan *plan, const struct range *r, uint32_t *nr, struct range *seen)
{
    FUZZ_MUST((r->bytes > 0u) && (((r->base | r->bytes) % PAGE_BYTES) == 0u) &&
              in_ram(plan, r->base, r->bytes));
    for (uint32_t i = 0u; i < plan->nr_reserved; i++) {
        FUZZ_MUST(!meet(r->base, r->bytes, plan->reserved[i].base, plan->reserved[i].bytes));
    }
    for (uint32_t i = 0u; i < *nr; i++) {
        FUZZ_MUST(!meet(r->base, r->bytes, seen[i].base, seen[i].bytes));
    }
    for (uint32_t n = 0u; n < plan->nr_domains; n++) {
        const struct plan_module *const k = &plan->domain[n].kernel;

        FUZZ_MUST((k->bytes == 0u) || !meet(r->base, r->bytes, k->base.v, k->bytes));
    }
    seen[*nr] = *r;
    (*nr)++;
}

static void statics_check(const struct plan *plan)
{
    static struct range seen[PLAN_STATIC_MEM_MAX + PLAN_STATIC_HEAP_MAX];
    uint32_t nr = 0u;

    FUZZ_MUST((plan->nr_static_mem <= PLAN_STATIC_MEM_MAX) && (plan->nr_static_heap <= PLAN_STATIC_HEAP_MAX));
    for (uint32_t i = 0u; i < plan->nr_static_heap; i++) {
        static_check(plan, &plan->static_heap[i], &nr, seen);
    }
    for (uint32_t n = 0u; n < plan->nr_domains; n++) {
        const struct plan_domain *const d = &plan->domain[n];
        uint64_t sum = 0u;

        FUZZ_MUST((d->nr_static <= PLAN_STATIC_PER_DOMAIN) &&
                  ((d->static_first + d->nr_static) <= plan->nr_static_mem));
        for (uint32_t i = 0u; i < d->nr_static; i++) {
            static_check(plan, &plan->static_mem[d->static_first + i], &nr, seen);
            sum += plan->static_mem[d->static_first + i].bytes;
        }
        FUZZ_MUST((d->nr_static == 0u) || (sum == d->memory_bytes));
        FUZZ_MUST(!d->host_memory || (d->nr_static > 0u));
    }
}

static void domain_check(const struct plan *plan, const struct config_env *env, uint32_t n)
{
    const struct plan_domain *const d = &plan->domain[n];

    FUZZ_MUST((d->domid == (n + plan->domain[0].domid)) && (plan->domain[0].domid <= 1u) &&
              (d->bootargs != NULL));
    FUZZ_MUST(strnlen(d->name, PLAN_NAME_MAX) < PLAN_NAME_MAX);
    if (d->unsound) { /* its name may be what is wrong */
        FUZZ_MUST(plan->partial_boot);
        return;
    }
    FUZZ_MUST(d->name[0] != '\0');
    for (uint32_t i = 0u; i < n; i++) {
        FUZZ_MUST(strcmp(d->name, plan->domain[i].name) != 0);
    }
    FUZZ_MUST((d->nr_vcpus >= 1u) && (d->nr_vcpus <= hal_plan_vcpus_max(&plan->host, false)));
    FUZZ_MUST((d->memory_bytes > 0u) && ((d->memory_bytes % PAGE_BYTES) == 0u));
    FUZZ_MUST((d->pool_bytes > 0u) && ((d->pool_bytes % PAGE_BYTES) == 0u));
    FUZZ_MUST(((d->nr_spis % 32u) == 0u) && (d->nr_spis <= 992u));
    FUZZ_MUST(strlen(d->bootargs) < PLAN_BOOTARGS_MAX);
    FUZZ_MUST(d->kernel.bytes > 0u);
    module_check(plan, env, &d->kernel);
    module_check(plan, env, &d->ramdisk);
    for (uint32_t v = 0u; v < d->nr_vcpus; v++) {
        FUZZ_MUST((d->affinity[v] & GENMASK64(plan->nr_cpus - 1u, 0u)) != 0u);
        FUZZ_MUST((plan->pool[d->pool].sched != PLAN_SCHED_NULL) || (d->pinned[v] < plan->nr_cpus));
    }
}

/* Registers and interrupts are one domain's, and no memory. */
static void devices_check(const struct plan *plan)
{
    for (uint32_t i = 0u; i < plan->nr_windows; i++) {
        const struct plan_window *const w = &plan->window[i];

        FUZZ_MUST((w->domain < plan->nr_domains) && !plan->domain[w->domain].unsound);
        FUZZ_MUST((w->host.bytes > 0u) && (((w->host.base | w->host.bytes | w->at.v) % PAGE_BYTES) == 0u));
        for (uint32_t k = 0u; k < plan->nr_ram; k++) {
            FUZZ_MUST(!meet(w->host.base, w->host.bytes, plan->ram[k].base, plan->ram[k].bytes));
        }
        for (uint32_t k = 0u; k < i; k++) {
            const struct plan_window *const q = &plan->window[k];

            FUZZ_MUST(!meet(w->host.base, w->host.bytes, q->host.base, q->host.bytes));
            FUZZ_MUST((q->domain != w->domain) || !meet(w->at.v, w->host.bytes, q->at.v, q->host.bytes));
        }
    }
    for (uint32_t i = 0u; i < plan->nr_lines; i++) {
        const struct plan_line *const l = &plan->line[i];

        FUZZ_MUST((l->domain < plan->nr_domains) && !plan->domain[l->domain].unsound);
        FUZZ_MUST((l->irq >= 32u) && (l->irq < 1020u) && (l->virq >= 32u) && (l->virq < 1020u));
        FUZZ_MUST((l->virq - 32u) < plan->domain[l->domain].nr_spis);
        for (uint32_t k = 0u; k < i; k++) {
            FUZZ_MUST(l->irq != plan->line[k].irq);
            FUZZ_MUST((l->domain != plan->line[k].domain) || (l->virq != plan->line[k].virq));
        }
    }
}

static void shm_check(const struct plan *plan)
{
    FUZZ_MUST((plan->nr_shm <= PLAN_SHM_MAX) && (plan->nr_shm_uses <= PLAN_SHM_USES_MAX));
    for (uint32_t i = 0u; i < plan->nr_shm_uses; i++) {
        const struct plan_shm_use *const use = &plan->shm_use[i];

        FUZZ_MUST((use->shm < plan->nr_shm) && (use->domain < plan->nr_domains));
        const struct plan_shm *const shm = &plan->shm[use->shm];
        FUZZ_MUST(!plan->domain[use->domain].unsound);
        FUZZ_MUST((use->bytes > 0u) && (((use->bytes | use->at.v | use->offset) % PAGE_BYTES) == 0u));
        FUZZ_MUST((use->at.v + use->bytes) > use->at.v);
        if (shm->host.bytes > 0u) { /* else its owner is not built */
            FUZZ_MUST((use->offset < shm->host.bytes) && (use->bytes <= (shm->host.bytes - use->offset)));
            FUZZ_MUST(!shm->is_placed || in_ram(plan, shm->host.base, shm->host.bytes));
        } else {
            FUZZ_MUST((shm->owner != PLAN_NO_DOMAIN) && plan->domain[shm->owner].unsound);
        }
        for (uint32_t k = 0u; k < i; k++) {
            const struct plan_shm_use *const other = &plan->shm_use[k];

            FUZZ_MUST((other->domain != use->domain) ||
                      !meet(use->at.v, use->bytes, other->at.v, other->bytes));
        }
    }
}

/* Both ends know of each other, and no domain has two of one name. */
static void pv_check(const struct plan *plan)
{
    FUZZ_MUST(plan->nr_pv <= PLAN_PV_MAX);
    for (uint32_t i = 0u; i < plan->nr_pv; i++) {
        const struct plan_pv *const pv = &plan->pv[i];

        FUZZ_MUST((pv->domain < plan->nr_domains) && (pv->backend < plan->nr_domains) &&
                  (pv->domain != pv->backend) && (pv->text != NULL) && (strlen(pv->text) < PLAN_PATH_MAX));
        FUZZ_MUST((plan->domain[pv->domain].peers & BIT32(pv->backend)) != 0u);
        FUZZ_MUST((plan->domain[pv->backend].peers & BIT32(pv->domain)) != 0u);
        for (uint32_t k = 0u; k < i; k++) {
            FUZZ_MUST((plan->pv[k].domain != pv->domain) || (plan->pv[k].net != pv->net) ||
                      (plan->pv[k].handle != pv->handle));
        }
    }
}

static void pools_check(const struct plan *plan)
{
    uint64_t taken = 0u;

    FUZZ_MUST((plan->nr_pools >= 1u) && (plan->nr_pools <= PLAN_POOLS_MAX));
    for (uint32_t i = 0u; i < plan->nr_pools; i++) {
        const struct plan_pool *const p = &plan->pool[i];

        FUZZ_MUST((p->cpus != 0u) && ((p->cpus & taken) == 0u) && (p->sched <= PLAN_SCHED_ARINC653));
        FUZZ_MUST((p->major_us != 0u) == (p->sched == PLAN_SCHED_ARINC653));
        FUZZ_MUST(!p->admission || (p->sched == PLAN_SCHED_RTDS));
        taken |= p->cpus;
    }
    FUZZ_MUST(((plan->pool[0].cpus & 1u) != 0u) && (taken == GENMASK64(plan->nr_cpus - 1u, 0u)));
}

/* Each in its vCPU's CPU's frame, in order, none in another, and no vCPU without one but those that come
 * later */
static void minors_check(const struct plan *plan)
{
    uint32_t of[HV_DOMAINS_MAX][HV_VCPUS_MAX];

    memset(of, 0, sizeof(of));
    FUZZ_MUST(plan->nr_minors <= PLAN_MINORS_MAX);
    for (uint32_t i = 0u; i < plan->nr_minors; i++) {
        const struct plan_minor *const w = &plan->minor[i];
        const struct plan_minor *const next = &plan->minor[i + 1u];

        FUZZ_MUST((w->domain < plan->nr_domains) && (w->vcpu < plan->domain[w->domain].nr_vcpus));
        const struct plan_domain *const d = &plan->domain[w->domain];
        const struct plan_pool *const p = &plan->pool[d->pool];
        FUZZ_MUST(!d->unsound && (p->sched == PLAN_SCHED_ARINC653));
        FUZZ_MUST((d->affinity[w->vcpu] == BIT64(w->cpu)) && ((p->cpus & BIT64(w->cpu)) != 0u));
        FUZZ_MUST((w->us > 0u) && (((uint64_t)w->at_us + w->us) <= p->major_us));
        FUZZ_MUST(((i + 1u) == plan->nr_minors) || (next->cpu > w->cpu) ||
                  ((next->cpu == w->cpu) && (next->at_us >= (w->at_us + w->us))));
        of[w->domain][w->vcpu]++;
    }
    for (uint32_t i = 0u; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        for (uint32_t v = 0u; v < d->nr_vcpus; v++) {
            FUZZ_MUST((plan->pool[d->pool].sched != PLAN_SCHED_ARINC653) || d->spare || d->unsound ||
                      (of[i][v] > 0u));
        }
    }
}

/* What the domain's pool gives it */
static void share_check(const struct plan *plan, const struct plan_domain *d)
{
    FUZZ_MUST(d->pool < plan->nr_pools);
    FUZZ_MUST((d->weight > 0u) && (d->unsound || (d->cap <= (100u * d->nr_vcpus))));
    for (uint32_t v = 0u; v < d->nr_vcpus; v++) {
        const struct plan_rt *const rt = &d->rt[v];

        FUZZ_MUST((rt->budget_us >= PLAN_RT_US_MIN) && (rt->budget_us <= rt->period_us) &&
                  (rt->period_us <= PLAN_PERIOD_US_MAX));
        FUZZ_MUST(d->unsound || ((d->affinity[v] & plan->pool[d->pool].cpus) != 0u));
    }
}

/* With admission: in rational numbers as exact as a long double is, with room for its errors */
static void admission_check(const struct plan *plan, uint32_t id)
{
    long double sum = 0.0L;
    long double largest = 0.0L;
    const long double cpus = (long double)__builtin_popcountll(plan->pool[id].cpus);

    for (uint32_t i = 0u; i < plan->nr_domains; i++) {
        for (uint32_t v = 0u; (plan->domain[i].pool == id) && (v < plan->domain[i].nr_vcpus); v++) {
            const struct plan_rt *const rt = &plan->domain[i].rt[v];
            const long double share = (long double)rt->budget_us / (long double)rt->period_us;

            sum += share;
            largest = (share > largest) ? share : largest;
        }
    }
    FUZZ_MUST(sum <= (cpus - ((cpus - 1.0L) * largest) + 1e-12L));
}

void plan_check(const struct plan *plan, const struct config_env *env)
{
    uint64_t pinned = 0u;

    ranges_check(plan->ram, plan->nr_ram, true);
    ranges_check(plan->reserved, plan->nr_reserved, false);
    FUZZ_MUST(plan->nr_ram > 0u);
    FUZZ_MUST((plan->nr_cpus >= 1u) && (plan->nr_cpus <= HV_CPUS_MAX));
    for (uint32_t i = 0u; i < plan->nr_cpus; i++) {
        for (uint32_t k = 0u; k < i; k++) {
            FUZZ_MUST(plan->cpu_hwid[i] != plan->cpu_hwid[k]);
        }
    }
    FUZZ_MUST(plan->nr_domains <= HV_DOMAINS_MAX);
    shm_check(plan);
    pv_check(plan);
    statics_check(plan);
    devices_check(plan);
    pools_check(plan);
    minors_check(plan);
    for (uint32_t i = 0u; i < plan->nr_pools; i++) {
        if (plan->pool[i].admission) {
            admission_check(plan, i);
        }
    }
    for (uint32_t n = 0u; n < plan->nr_domains; n++) {
        const struct plan_domain *const d = &plan->domain[n];

        domain_check(plan, env, n);
        share_check(plan, d);
        for (uint32_t v = 0u; (plan->pool[d->pool].sched == PLAN_SCHED_NULL) && (v < d->nr_vcpus); v++) {
            const uint64_t cpu = BIT64(d->pinned[v]);

            FUZZ_MUST(d->unsound ||
                      (((pinned & cpu) == 0u) && ((d->affinity[v] & plan->pool[d->pool].cpus & cpu) != 0u)));
            pinned |= d->unsound ? 0u : cpu;
        }
    }
}

void sentence_check(const char *sentence)
{
    const char *const found = strstr(sentence, ": found ");

    FUZZ_MUST((found != NULL) && (found != sentence) && (strstr(found, ", expected ") != NULL));
    for (const char *c = sentence; *c != '\0'; c++) {
        FUZZ_MUST((*c >= ' ') && (*c <= '~')); /* a terminal may show it */
    }
}
