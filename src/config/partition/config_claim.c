/* No two things share host memory or registers: the one place where that is judged. */
/* [impl->req~nothing-shared~1] */
#include "config/config_maker.h"

/* What the host keeps for itself. Image, tree and reserved ranges may lie in each other: firmware reserves
 * the tree, and the tool puts it into the image. */
static const char *host_keeps(const struct config_maker *m, const struct range *r, bool packed)
{
    const struct range image = { m->env->image_base.v, m->env->image_bytes };
    const struct range tree = { m->env->tree_base.v, m->ix->blob_bytes };

    return (config_ranges_met(m->plan->reserved, m->plan->nr_reserved, r->base, r->bytes) > 0u)
               ? "memory that is not reserved"
           : (!packed && range_meets(&image, r->base, r->bytes))
               ? "memory that the hypervisor's image leaves free"
           : range_meets(&tree, r->base, r->bytes) ? "memory that the device tree leaves free"
                                                   : NULL;
}

/* Two domains may use one module of the payload. */
static const struct config_claim *others_have(const struct config_maker *m, const struct range *r,
                                              bool packed)
{
    const struct config_claim *found = NULL;

    for (uint32_t i = 0; (i < m->nr_claims) && (found == NULL); i++) {
        const struct config_claim *const c = &m->claim[i];
        const bool same = packed && c->packed && (c->range.base == r->base) && (c->range.bytes == r->bytes);

        found = (!same && range_meets(&c->range, r->base, r->bytes)) ? c : NULL;
    }
    return found;
}

/* Nobody knows whose it is: the domain that has it is as unsound as the one that wants it, which its faults
 * make so. */
static void clash_fault(struct config_maker *m, uint32_t node, const char *prop, const struct range *r,
                        const struct config_claim *other)
{
    char path[PLAN_PATH_MAX];
    struct fmt_buf text;
    bool found = false;

    fmt_init(&text, path, PLAN_PATH_MAX);
    dt_path(m->ix, other->node, &text);
    config_fault_say(m->report, node, prop, "%X to %X, expected a range that %s (%s) does not have", r->base,
                     r->base + (r->bytes - 1u), path, other->what);
    for (uint32_t i = m->plan->nr_domains; (i > 0u) && !found; i--) { /* domains' nodes are in dom0's */
        const uint32_t first = m->domain_node[i - 1u];

        found = (other->node >= first) && (other->node < m->ix->node[first].end);
        if (found) {
            m->plan->domain[i - 1u].unsound = true;
        }
    }
}

bool config_taken(const struct config_maker *m, uint32_t i, struct range *out)
{
    const struct range image = { m->env->image_base.v, m->env->image_bytes };
    const struct range tree = { m->env->tree_base.v, m->ix->blob_bytes };
    const uint32_t nr_reserved = m->plan->nr_reserved;
    const bool there = i < (2u + nr_reserved + m->nr_claims);

    if (i < 2u) {
        *out = (i == 0u) ? image : tree;
    } else if (i < (2u + nr_reserved)) {
        *out = m->plan->reserved[i - 2u];
    } else if (there) {
        *out = m->claim[i - 2u - nr_reserved].range;
    } else {
        /* no more */
    }
    return there;
}

static bool claim(struct config_maker *m, uint32_t node, const char *prop, const struct range *r,
                  const char *what, bool packed)
{
    const char *const host = host_keeps(m, r, packed);
    const struct config_claim *const other = others_have(m, r, packed);
    bool good = false;

    if (host != NULL) {
        config_fault_say(m->report, node, prop, "%X to %X, expected %s", r->base, r->base + (r->bytes - 1u),
                         host);
    } else if (other != NULL) {
        clash_fault(m, node, prop, r, other);
    } else if (m->nr_claims == CONFIG_CLAIMS_MAX) {
        config_fault_text(m->report, node, prop, "one more",
                          "at most 512 ranges of modules, memory and devices");
    } else {
        const struct config_claim mine = { { r->base, r->bytes }, what, (uint16_t)node, packed };

        m->claim[m->nr_claims] = mine;
        m->nr_claims++;
        good = true;
    }
    return good;
}

bool config_claim(struct config_maker *m, uint32_t node, const char *prop, const struct range *r,
                  const char *what)
{
    return claim(m, node, prop, r, what, false);
}

bool config_claim_packed(struct config_maker *m, uint32_t node, const char *prop, const struct range *r)
{
    return claim(m, node, prop, r, "module", true);
}
