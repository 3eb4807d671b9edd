/* Static shared memory: nodes compatible with xen,domain-shared-memory-v1 in a domain's node. A region is
 * what all nodes of one xen,shm-id say of it, so it is judged when all domains have been read. */
/* [impl->req~shared-memory~1] */
#include "config/config_maker.h"

#include "config/partition/layout.h"

#define SHM_ID     "xen,shm-id"
#define SHM_PLACE  "xen,shared-mem"
#define SHM_OFFSET "xen,offset"

/* Tables that a window of shared memory may need beside one for each 2 MiB, and the page that stands in for
 * it while its owner is down */
#define SHM_TABLES_MORE 6u

static void take_offset(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    if ((v->bytes != 8u) || ((dt_cells(v, 0, 2) % PAGE_BYTES) != 0u)) {
        config_take_refuse(t, rule, v);
    }
}

static const struct config_rule shm_rule[] = {
    CONFIG_RULE(SHM_ID, NULL, ""),
    CONFIG_RULE(SHM_PLACE, NULL, ""),
    CONFIG_RULE(SHM_OFFSET, take_offset, "two cells, a multiple of 4096"),
    CONFIG_RULE("bulkhead,no-map", config_take_flag, CONFIG_NO_VALUE),
};

/* -- One node -- */

static const char *shm_id(struct config_maker *m, uint32_t node)
{
    const char *id = NULL;

    if (!dt_get_string(m->ix, node, SHM_ID, &id) || (id[0] == '\0') || (strlen(id) >= PLAN_SHM_ID_MAX)) {
        config_fault_prop(m->report, node, SHM_ID, "1 to 15 characters");
        id = NULL;
    }
    return id;
}

/* What is wrong with a place, as what would be expected; NULL: nothing. */
static const char *place_wrong(const struct plan_domain *d, const struct plan_shm *said,
                               const struct plan_shm_use *use)
{
    return (((said->host.base | use->at.v | use->bytes) % PAGE_BYTES) != 0u) ? "whole pages of 4096 bytes"
           : ((use->bytes == 0u) || (use->bytes > (UINT64_MAX - use->at.v)) ||
              (use->bytes > (UINT64_MAX - said->host.base)))
               ? "a size above 0 that the addresses have room for"
           : (d->host_memory && (!said->is_placed || (use->at.v != (said->host.base + use->offset))))
               ? "the host's address as the domain's, which is mapped directly"
               : NULL;
}

/* Host address, if there is one, the domain's address and the size. */
static bool shm_place(struct config_maker *m, const struct plan_domain *d, uint32_t node,
                      struct plan_shm *said, struct plan_shm_use *use)
{
    const uint32_t parent = m->ix->node[node].parent;
    const uint32_t ac = dt_address_cells(m->ix, parent);
    const uint32_t sc = dt_size_cells(m->ix, parent);
    struct dt_value v = { NULL, 0u };
    const char *expected = "an address of the host or none, one of the domain, and a size, in the cells that "
                           "the domain's node says";
    const bool there = dt_get(m->ix, node, SHM_PLACE, &v);
    const bool cells = (ac >= 1u) && (ac <= 2u) && (sc >= 1u) && (sc <= 2u);
    const uint32_t nr_hosts = (v.bytes == (((2u * ac) + sc) * 4u)) ? 1u : 0u;

    if (cells && there && (v.bytes == ((((1u + nr_hosts) * ac) + sc) * 4u))) {
        said->is_placed = (nr_hosts == 1u);
        said->host.base = said->is_placed ? dt_cells(&v, 0, ac) : 0u;
        use->at = gpa(dt_cells(&v, nr_hosts * ac, ac));
        use->bytes = dt_cells(&v, (1u + nr_hosts) * ac, sc);
        expected = place_wrong(d, said, use);
    }
    if ((expected != NULL) && cells) { /* else the fault is in the domain's node and is reported there */
        config_fault_prop(m->report, node, SHM_PLACE, expected);
    }
    return expected == NULL;
}

/* The region of that name, or a new one; NULL and a fault if there is no room. */
static struct plan_shm *shm_find(struct config_maker *m, uint32_t node, const char *id)
{
    struct plan *const plan = m->plan;
    uint32_t i = 0;

    while ((i < plan->nr_shm) && (strcmp(plan->shm[i].id, id) != 0)) {
        i++;
    }
    if ((i == PLAN_SHM_MAX) || (plan->nr_shm_uses == PLAN_SHM_USES_MAX)) {
        config_fault_text(m->report, node, SHM_ID, id, "at most 32 regions in 64 nodes");
        return NULL;
    }
    if (i == plan->nr_shm) {
        struct fmt_buf text;

        fmt_init(&text, plan->shm[i].id, PLAN_SHM_ID_MAX);
        fmt_str(&text, id);
        config_make_printable(&text);
        plan->shm[i].owner = PLAN_NO_DOMAIN;
        plan->nr_shm++;
    }
    return &plan->shm[i];
}

/* Nodes that contradict each other: nobody knows which is right, so all of their domains are unsound. */
static void shm_doubt(struct plan *plan, const struct plan_shm *shm)
{
    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        if (&plan->shm[plan->shm_use[i].shm] == shm) {
            plan->domain[plan->shm_use[i].domain].unsound = true;
        }
    }
}

/* What a node says of its region against what others said. A node with xen,offset does not say how large it
 * is. */
static bool shm_agree(struct config_maker *m, uint32_t node, struct plan_shm *shm,
                      const struct plan_shm *said)
{
    const bool sized = !dt_has(m->ix, node, SHM_OFFSET);
    const bool base_differs = said->is_placed && shm->is_placed && (said->host.base != shm->host.base);
    const bool size_differs = sized && (shm->host.bytes != 0u) && (said->host.bytes != shm->host.bytes);

    if (base_differs || size_differs) {
        config_fault_prop(m->report, node, SHM_PLACE,
                          "the host address and size that other nodes of this xen,shm-id have");
        shm_doubt(m->plan, shm);
        return false;
    }
    if (said->is_placed) {
        shm->is_placed = true;
        shm->host.base = said->host.base;
    }
    if (sized) {
        shm->host.bytes = said->host.bytes;
    }
    return true;
}

static void shm_role(struct config_maker *m, uint32_t node, struct plan_shm *shm, uint8_t domain)
{
    struct dt_value v = { NULL, 0u };
    const bool there = dt_get(m->ix, node, "role", &v);
    const bool text = there && dt_is_string(&v);

    if (text && dt_strings_have(&v, "owner")) {
        if (shm->owner != PLAN_NO_DOMAIN) {
            config_fault(m->report, node, "role", &v, "one owner of a xen,shm-id");
            shm_doubt(m->plan, shm);
        } else {
            shm->owner = domain;
        }
    } else if (there && !(text && dt_strings_have(&v, "borrower"))) {
        config_fault(m->report, node, "role", &v, "owner or borrower");
    } else {
        /* a borrower, or the hypervisor's */
    }
}

void config_shm_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct plan *const plan = m->plan;
    struct config_target t = { m, node, d };
    struct plan_shm said = { .owner = PLAN_NO_DOMAIN };
    struct plan_shm_use use = { .domain = (uint8_t)plan_index(plan, d->domid) };
    const char *const id = shm_id(m, node);
    struct plan_shm *const shm = (id != NULL) ? shm_find(m, node, id) : NULL;
    struct dt_value offset = { NULL, 0u };
    bool again = false;

    config_rules_apply(&t, shm_rule, ARRAY_LEN(shm_rule));
    if (dt_get(m->ix, node, SHM_OFFSET, &offset)) {
        use.offset = (offset.bytes == 8u) ? dt_cells(&offset, 0, 2) : 0u;
    }
    use.no_map = dt_has(m->ix, node, "bulkhead,no-map");
    if ((shm != NULL) && shm_place(m, d, node, &said, &use)) {
        said.host.bytes = use.bytes;
        use.shm = (uint8_t)(shm - plan->shm);
        for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
            again = again || ((plan->shm_use[i].shm == use.shm) && (plan->shm_use[i].domain == use.domain));
        }
        if (again) {
            config_fault_prop(m->report, node, SHM_ID, "an id that no other node of this domain has");
        } else if (shm_agree(m, node, shm, &said)) {
            shm_role(m, node, shm, use.domain);
            m->shm_node[plan->nr_shm_uses] = (uint16_t)node;
            plan->shm_use[plan->nr_shm_uses] = use;
            plan->nr_shm_uses++;
        } else {
            /* told */
        }
    }
}

uint64_t config_shm_pool_bytes(const struct plan *plan, const struct plan_domain *d)
{
    uint64_t pages = 0;

    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        if (plan->shm_use[i].domain == plan_index(plan, d->domid)) {
            pages += (plan->shm_use[i].bytes / MIB(2)) + SHM_TABLES_MORE;
        }
    }
    return pages * PAGE_BYTES;
}

/* -- All of them -- */

/* Whether the plan's domains have any use for the region. */
static bool shm_needed(const struct plan *plan, uint32_t shm)
{
    const uint8_t owner = plan->shm[shm].owner;
    bool needed = false;

    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        const struct plan_shm_use *const u = &plan->shm_use[i];
        const bool sound = !plan->partial_boot || !plan->domain[u->domain].unsound;

        needed = needed || (sound && (u->shm == shm) && ((owner == PLAN_NO_DOMAIN) || (owner == u->domain)));
    }
    return needed;
}

uint64_t config_shm_bytes(const struct plan *plan)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < plan->nr_shm; i++) {
        const bool taken = (plan->nr_static_heap == 0u) || !plan->shm[i].is_placed;

        bytes += (taken && shm_needed(plan, i)) ? plan->shm[i].host.bytes : 0u;
    }
    return bytes;
}

/* One node's part of its region, now that this is known. */
static void use_check(struct config_maker *m, uint32_t i)
{
    const struct plan_shm_use *const use = &m->plan->shm_use[i];
    const struct plan_shm *const shm = &m->plan->shm[use->shm];
    const uint32_t node = m->shm_node[i];
    const struct range r = { use->at.v, use->bytes };
    const char *const clash = layout_meets(m->plan, &m->plan->domain[use->domain], &r, use);
    struct dt_value role = { NULL, 0u };
    const bool borrows = dt_get(m->ix, node, "role", &role) && dt_strings_have(&role, "borrower");

    if (shm->host.bytes == 0u) {
        config_fault_prop(m->report, node, SHM_OFFSET,
                          "another node of this xen,shm-id without it, which says how large the region is");
    } else if ((use->offset > shm->host.bytes) || (use->bytes > (shm->host.bytes - use->offset))) {
        config_fault_prop(m->report, node, SHM_OFFSET, "a part inside the region");
    } else if (clash != NULL) {
        config_fault_prop(m->report, node, SHM_PLACE, clash);
    } else if ((shm->owner == PLAN_NO_DOMAIN) && borrows) {
        config_fault_prop(m->report, node, "role", "another node of this xen,shm-id with the role owner");
    } else {
        /* good */
    }
}

/* The host's memory under a region is claimed by its first node that says how large it is. */
static void place_check(struct config_maker *m, uint32_t i)
{
    const struct plan_shm_use *const use = &m->plan->shm_use[i];
    const struct plan_shm *const shm = &m->plan->shm[use->shm];
    bool first = shm->is_placed && !dt_has(m->ix, m->shm_node[i], SHM_OFFSET);

    for (uint32_t k = 0; k < i; k++) {
        first =
            first && !((m->plan->shm_use[k].shm == use->shm) && !dt_has(m->ix, m->shm_node[k], SHM_OFFSET));
    }
    if (first && !config_inside_ram(m->plan, &shm->host)) {
        config_fault_prop(m->report, m->shm_node[i], SHM_PLACE, "a range inside the host's memory");
    } else if (first) {
        (void)config_claim(m, m->shm_node[i], SHM_PLACE, &shm->host, "xen,shared-mem");
    } else {
        /* another node's */
    }
}

void config_shm_check(struct config_maker *m)
{
    for (uint32_t i = 0; i < m->plan->nr_shm_uses; i++) {
        const uint32_t before = m->report->nr_faults;

        use_check(m, i);
        place_check(m, i);
        config_domain_blame(m, &m->plan->domain[m->plan->shm_use[i].domain], before);
    }
}

/* Who shares memory or a channel with whom */
static void peers_note(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        const struct plan_shm_use *const a = &plan->shm_use[i];

        for (uint32_t k = 0; k < plan->nr_shm_uses; k++) {
            if (plan->shm_use[k].shm == a->shm) {
                plan->domain[a->domain].peers |= BIT32(plan->shm_use[k].domain);
            }
        }
    }
    for (uint32_t i = 0; i < plan->nr_channels; i++) {
        const struct plan_channel *const c = &plan->channel[i];

        plan->domain[c->domain[0]].peers |= BIT32(c->domain[1]);
        plan->domain[c->domain[1]].peers |= BIT32(c->domain[0]);
    }
}

void config_links_settle(struct config_maker *m)
{
    struct plan *const plan = m->plan;

    for (uint32_t i = 0; i < plan->nr_shm; i++) {
        if (!shm_needed(plan, i)) {
            plan->shm[i].host.bytes = 0;
        }
    }
    peers_note(plan);
}
