/* Domains with a role: the one that modules directly below /chosen make (Xen's dom0), `capabilities` of the
 * others, who may share with whom, and the memory of a hardware domain, which sees the host as it is. */
/* [impl->req~control-domain~1] */
#include "config/control/config_control.h"

#define DOM0_NAME    "Domain-0"
#define DOM0_MEMORY  MIB(512)
#define OPTION_MAX   32u
#define OPTION_LIMIT 100000000u
#define BOOT_OPTIONS "xen,xen-bootargs"
#define SHARE_WITH   "bulkhead,share-with"
#define SPARES       "bulkhead,spare-domains"
#define PLACE_ALIGN  MIB(2)
#define LINUX_ALIGN  MIB(128) /* a zImage believes that memory begins at such an address */
#define CAPABILITIES "capabilities"
#define ALL_ROLES    (PLAN_ROLE_CONTROL | PLAN_ROLE_HARDWARE | PLAN_ROLE_XENSTORE)
#define SHIFT_KIB    10u
#define UNIT_SHIFT   10u
#define KIB_PER_PAGE 4u

#define SPARES_DEFAULT 8u
#define SPARE_VCPUS    4u
#define SPARE_KIB      2048u
#define SPARE_KIB_REST 1024u /* beside a page of table for each 2 MiB of memory */
#define SPARE_KIB_MOST 16384u
#define SPARE_BLOCK    21u
#define SPARE_KIB_MIN  64u
#define SPARE_KIB_MAX  1048576u
#define UNIT_KIB       2u

/* -- dom0 -- */

bool config_dom0_has(const struct config_maker *m)
{
    bool has = false;

    for (uint32_t n = dt_first_child(m->ix, m->chosen); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        has = has || (config_is_module(m->ix, n) && dt_enabled(m->ix, n));
    }
    return has;
}

/* A number of the hypervisor's command line and a unit, of which units[] lists two letters each, from 1 by
 * 1024; usual: the one if there is none. False: it is not there, or a fault. */
static bool option_number(struct config_maker *m, const char *option, const char *units, uint32_t usual,
                          uint64_t *value)
{
    char text[OPTION_MAX];
    const char *rest = text;
    uint32_t number = 0;
    uint32_t unit = usual;
    const bool there = config_option(m, option, text, sizeof(text));
    bool good = there && config_decimal(&rest, OPTION_LIMIT, &number);

    if (good && (rest[0] != '\0')) {
        unit = 0;
        while ((units[unit] != '\0') && (units[unit] != rest[0])) {
            unit++;
        }
        good = (units[unit] != '\0') && (rest[1] == '\0');
    }
    if (good) {
        *value = (uint64_t)number << ((unit / 2u) * UNIT_SHIFT);
    } else if (there) {
        config_fault_say(m->report, m->chosen, BOOT_OPTIONS, "%s%s, expected a number%s", option, text,
                         (units[0] != '\0') ? ", with b, k, m or g of bytes" : "");
    } else {
        /* as it is */
    }
    return good;
}

static void dom0_vcpus(struct config_maker *m, struct plan_domain *d)
{
    const uint32_t most = hal_plan_vcpus_max(&m->plan->host, true);
    uint64_t wanted = bits_min(m->plan->nr_cpus, most);

    if (option_number(m, "dom0_max_vcpus=", "", 0u, &wanted) && ((wanted == 0u) || (wanted > most))) {
        config_fault_say(m->report, m->chosen, BOOT_OPTIONS, "dom0_max_vcpus=%U, expected 1 to %u", wanted,
                         most);
        wanted = 1u;
    }
    d->nr_vcpus = (uint32_t)wanted;
}

/* The kernel's own bootargs come first; those of /chosen are dom0's if the hypervisor has others. */
static void dom0_bootargs(struct config_maker *m, struct plan_domain *d)
{
    if (d->bootargs[0] == '\0') {
        if (!dt_get_string(m->ix, m->chosen, "xen,dom0-bootargs", &d->bootargs) &&
            dt_has(m->ix, m->chosen, BOOT_OPTIONS)) {
            (void)dt_get_string(m->ix, m->chosen, "bootargs", &d->bootargs);
        }
    }
}

void config_dom0_make(struct config_maker *m, struct plan_domain *d)
{
    struct fmt_buf name;

    fmt_init(&name, d->name, PLAN_NAME_MAX);
    fmt_str(&name, DOM0_NAME);
    d->role = ALL_ROLES;
    d->enhanced = PLAN_ENHANCED_NO_XENSTORE;
    d->memory_bytes = DOM0_MEMORY;
    if (option_number(m, "dom0_mem=", "bBkKmMgG", UNIT_KIB, &d->memory_bytes)) { /* as Xen reads it */
        d->memory_bytes = bits_align_up(bits_max(d->memory_bytes, 1u), PAGE_BYTES);
    }
    dom0_vcpus(m, d);
    config_static_make(m, d, m->chosen);
    config_children_make(m, d, m->chosen);
    dom0_bootargs(m, d);
}

/* -- Roles -- */

void config_role_check(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    static const struct {
        uint32_t role;
        const char *expected;
    } single[] = { { PLAN_ROLE_HARDWARE, "one hardware domain" },
                   { PLAN_ROLE_XENSTORE, "one xenstore domain" } };

    for (uint32_t i = 0; i < ARRAY_LEN(single); i++) {
        for (const struct plan_domain *other = m->plan->domain; other != d; other++) {
            if ((d->role & other->role & single[i].role) != 0u) {
                config_fault_prop(m->report, node, CAPABILITIES, single[i].expected);
            }
        }
    }
    if ((d->role & PLAN_ROLE_HARDWARE) != 0u) {
        if (d->vpl011 || d->watchdog || (d->partial.name != NULL) || dt_has(m->ix, node, "nr_spis") ||
            dt_has(m->ix, node, "bulkhead,pci-functions") || d->no_tree) {
            config_fault_prop(
                m->report, node, CAPABILITIES,
                "a hardware domain without vpl011, bulkhead,watchdog-ms, multiboot,device-tree, "
                "nr_spis, bulkhead,pci-functions and bulkhead,no-device-tree");
        }
    }
}

/* -- Memory -- */

/* The first part of [*base, end) that nothing has: *base moves to its beginning. Answers its end. */
static uint64_t free_part(const struct config_maker *m, uint64_t align, uint64_t *base, uint64_t end)
{
    struct range r = { 0u, 0u };
    uint64_t stop = end;
    bool moved = true;

    while (moved) { /* as often as there are ranges */
        moved = false;
        for (uint32_t i = 0; config_taken(m, i, &r); i++) {
            if ((r.base <= *base) && ((*base - r.base) < r.bytes)) {
                *base = bits_align_up(r.base + r.bytes, align);
                moved = true;
            }
        }
    }
    for (uint32_t i = 0; config_taken(m, i, &r); i++) {
        stop = ((r.base > *base) && (r.bytes > 0u)) ? bits_min(stop, r.base) : stop;
    }
    return bits_align_down(stop, PAGE_BYTES);
}

/* The lowest free part of RAM of that size and alignment, or else the largest */
static struct range best_part(const struct config_maker *m, uint64_t want, uint64_t align)
{
    struct range best = { 0u, 0u };

    for (uint32_t b = 0; b < m->plan->nr_ram; b++) {
        const uint64_t end = m->plan->ram[b].base + m->plan->ram[b].bytes;
        uint64_t at = bits_align_up(m->plan->ram[b].base, align);

        while ((at < end) && (best.bytes < want)) { /* as often as there are ranges */
            const uint64_t stop = free_part(m, align, &at, end);

            if ((stop > at) && ((stop - at) > best.bytes)) {
                best.base = at;
                best.bytes = stop - at;
            }
            at = bits_align_up(bits_max(stop, at + 1u), align);
        }
    }
    return best;
}

/* [impl->req~direct-map~1] */
void config_control_memory(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct plan *const plan = m->plan;
    uint64_t left = (d->nr_static == 0u) ? d->memory_bytes : 0u;
    bool good = true;

    if (left > 0u) {
        d->static_first = plan->nr_static_mem;
    }
    while (good && (left > 0u)) { /* at most 64 */
        struct range r = best_part(m, left, LINUX_ALIGN);

        if (r.bytes < left) {
            r = best_part(m, left, PLACE_ALIGN);
        }
        r.bytes = (r.bytes >= left) ? left : bits_align_down(r.bytes, PLACE_ALIGN);
        good = (r.bytes > 0u) && (d->nr_static < PLAN_STATIC_PER_DOMAIN) &&
               (plan->nr_static_mem < PLAN_STATIC_MEM_MAX) && config_claim(m, node, "memory", &r, "memory");
        if (good) {
            plan->static_mem[plan->nr_static_mem] = r;
            plan->nr_static_mem++;
            d->nr_static++;
            left -= r.bytes;
        }
    }
    if (!good) {
        config_fault_say(m->report, node, "memory", "%U, expected at most %U, the KiB that the host has left",
                         d->memory_bytes >> SHIFT_KIB, (d->memory_bytes - left) >> SHIFT_KIB);
        config_domain_forget(d);
    }
}

/* -- Who may share with whom -- */

static void share_with(struct config_maker *m, uint32_t domain)
{
    const uint32_t node = m->domain_node[domain];
    struct dt_value v = { NULL, 0u };

    (void)dt_get(m->ix, node, SHARE_WITH, &v);
    for (uint32_t i = 0; (i * 4u) < v.bytes; i++) {
        const uint32_t cell = ((v.bytes % 4u) == 0u) ? dt_cell(&v, i) : 0u;
        const uint32_t other = config_domain_of_node(m, dt_by_phandle(m->ix, cell));

        if (other == m->plan->nr_domains) {
            config_fault(m->report, node, SHARE_WITH, &v, "phandles of domains' nodes");
        } else {
            m->plan->domain[domain].peers |= BIT32(other);
            m->plan->domain[other].peers |= BIT32(domain);
        }
    }
}

void config_share_make(struct config_maker *m)
{
    struct plan *const plan = m->plan;

    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        struct plan_domain *const d = &plan->domain[i];
        const uint32_t before = m->report->nr_faults;

        share_with(m, i);
        config_pv_make(m, i);
        config_template_check(m, i);
        if ((d->enhanced >= PLAN_ENHANCED_ENABLED) && ((m->roles & PLAN_ROLE_XENSTORE) == 0u)) {
            config_fault_prop(m->report, m->domain_node[i], "xen,enhanced",
                              "a dom0 or a domain with capabilities 4, the xenstore domain, beside it");
        }
        if (d->console_tools && ((d->enhanced == PLAN_ENHANCED_NONE) || (d->role != 0u) ||
                                 ((m->roles & PLAN_ROLE_CONTROL) == 0u))) {
            config_fault_prop(m->report, m->domain_node[i], "bulkhead,console",
                              "shared, or xen,enhanced and a dom0 or a domain with capabilities 1 beside it");
        }
        config_domain_blame(m, d, before);
    }
    config_regions_make(plan);
}

/* -- Places for domains that tools make -- */

static struct plan_spares spares_default(const struct plan *plan)
{
    const uint32_t vcpus = hal_plan_vcpus_max(&plan->host, false);
    const struct plan_spares s = { SPARES_DEFAULT, (uint32_t)bits_min(SPARE_VCPUS, vcpus), 0u };

    return s;
}

void config_take_spares(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    struct plan_spares s = spares_default(t->m->plan);
    uint32_t *const field[] = { &s.nr, &s.nr_vcpus, &s.pool_kib };
    const uint32_t nr_cells = v->bytes / 4u;

    for (uint32_t i = 0; (i < nr_cells) && (i < ARRAY_LEN(field)); i++) {
        *field[i] = dt_cell(v, i);
    }
    if ((nr_cells == 0u) || (nr_cells > ARRAY_LEN(field)) || ((v->bytes % 4u) != 0u) ||
        (s.nr >= HV_DOMAINS_MAX) || (s.nr_vcpus == 0u) ||
        (s.nr_vcpus > hal_plan_vcpus_max(&t->m->plan->host, false)) ||
        ((s.pool_kib < SPARE_KIB_MIN) && (nr_cells == ARRAY_LEN(field))) || (s.pool_kib > SPARE_KIB_MAX) ||
        ((s.pool_kib % KIB_PER_PAGE) != 0u)) {
        config_take_refuse(t, rule, v);
    } else {
        t->m->plan->spares = s;
    }
}

/* Enough for a guest that gives up any pages of all the memory that it could have: Linux stops if it is told
 * that there is none for that. */
static uint32_t spare_kib(uint64_t left)
{
    const uint64_t kib = SPARE_KIB_REST + ((left >> SPARE_BLOCK) * KIB_PER_PAGE);

    return (uint32_t)bits_min(bits_max(kib, SPARE_KIB), SPARE_KIB_MOST);
}

/* [impl->req~spare-domains~1] */
void config_spares_make(struct config_maker *m, uint64_t left)
{
    struct plan_spares *const s = &m->plan->spares;
    const uint32_t most = HV_DOMAINS_MAX - m->plan->nr_domains;
    const bool may = ((m->roles & PLAN_ROLE_CONTROL) != 0u) && !hal_plan_identity(&m->plan->host);

    s->pool_kib = (s->pool_kib != 0u) ? s->pool_kib : spare_kib(left);
    if ((m->chosen != DT_NONE) && dt_has(m->ix, m->chosen, SPARES)) {
        const uint64_t needed = ((uint64_t)s->nr * s->pool_kib) << SHIFT_KIB;

        if (!may && (s->nr > 0u)) {
            config_fault_prop(m->report, m->chosen, SPARES, "0: no domain has the role to make others");
        } else if (s->nr > most) {
            config_fault_say(m->report, m->chosen, SPARES, "%u, expected at most %u", s->nr, most);
        } else if (needed > left) {
            config_fault_say(m->report, m->chosen, SPARES,
                             "%U, expected at most %U, the KiB that the host has left", needed >> SHIFT_KIB,
                             left >> SHIFT_KIB);
        } else {
            /* as it says */
        }
    } else if (may) { /* half of what is left is for their memory */
        *s = spares_default(m->plan);
        s->pool_kib = spare_kib(left);
        s->nr = (uint32_t)bits_min(bits_min(s->nr, most), (left >> (SHIFT_KIB + 1u)) / s->pool_kib);
    } else {
        /* nobody could make any */
    }
}
