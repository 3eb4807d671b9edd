/* Static event channels: pairs of nodes compatible with xen,evtchn-v1 that name each other. */
/* [impl->req~static-channels~1] */
#include "config/config_maker.h"

#define PROP "xen,evtchn"

/* One end as its node says it */
struct channel_end {
    uint32_t node;
    uint32_t domain; /* in plan.domain[] */
    uint32_t port;
    uint32_t peer; /* node, DT_NONE if it names none */
};

static bool is_channel(const struct config_maker *m, uint32_t node)
{
    return dt_compatible(m->ix, node, "xen,evtchn-v1") && dt_enabled(m->ix, node);
}

uint32_t config_domain_of_node(const struct config_maker *m, uint32_t node)
{
    uint32_t i = 0;

    while ((i < m->plan->nr_domains) && (m->domain_node[i] != node)) {
        i++;
    }
    return i;
}

/* False: nothing that could be an end. */
static bool end_read(const struct config_maker *m, uint32_t node, struct channel_end *end)
{
    struct dt_value v = { NULL, 0u };
    const bool good = is_channel(m, node) && dt_get(m->ix, node, PROP, &v) && (v.bytes == 8u);

    end->node = node;
    end->domain = config_domain_of_node(m, m->ix->node[node].parent);
    end->port = good ? dt_cell(&v, 0) : 0u;
    end->peer = good ? dt_by_phandle(m->ix, dt_cell(&v, 1)) : DT_NONE;
    return good && (end->domain < m->plan->nr_domains);
}

static bool port_taken(const struct plan *plan, uint32_t domain, uint32_t port)
{
    bool taken = false;

    for (uint32_t i = 0; i < plan->nr_channels; i++) {
        const struct plan_channel *const c = &plan->channel[i];

        for (uint32_t e = 0; e < 2u; e++) {
            taken = taken || ((c->domain[e] == domain) && (c->port[e] == port));
        }
    }
    return taken;
}

/* The first thing that is wrong with an end, as it should be; NULL if nothing is. */
static const char *end_judge(const struct config_maker *m, const struct channel_end *end, bool good,
                             struct channel_end *peer)
{
    return !good ? "a port and the phandle of the other end, two cells"
           : (m->plan->domain[end->domain].enhanced == PLAN_ENHANCED_NONE)
               ? "a domain with xen,enhanced = \"no-xenstore\""
           : ((end->port == 0u) || (end->port >= PLAN_PORTS)) ? "a port from 1 to 1023"
           : ((end->peer == DT_NONE) || (end->peer == end->node) || !end_read(m, end->peer, peer))
               ? "the phandle of another domain's node compatible with \"xen,evtchn-v1\""
           : (peer->peer != end->node) ? "the phandle of a node that names this one"
                                       : NULL;
}

static void channel_add(struct config_maker *m, const struct channel_end *a, const struct channel_end *b)
{
    struct plan *const plan = m->plan;
    const bool same = (a->domain == b->domain) && (a->port == b->port);

    if (port_taken(plan, a->domain, a->port) || port_taken(plan, b->domain, b->port) || same) {
        config_fault_prop(m->report, a->node, PROP, "ports that no other channel of their domains has");
    } else if (plan->nr_channels == PLAN_CHANNELS_MAX) {
        config_fault_prop(m->report, a->node, PROP, "at most 128 channels");
    } else {
        struct plan_channel *const c = &plan->channel[plan->nr_channels];

        c->domain[0] = (uint8_t)a->domain;
        c->port[0] = a->port;
        c->domain[1] = (uint8_t)b->domain;
        c->port[1] = b->port;
        plan->nr_channels++;
    }
}

/* A channel is added by its second end, when both are known to be good. */
static void end_make(struct config_maker *m, uint32_t node)
{
    struct channel_end end;
    struct channel_end peer;
    const bool good = end_read(m, node, &end);
    const char *const expected = end_judge(m, &end, good, &peer);

    if (expected != NULL) {
        config_fault_prop(m->report, node, PROP, expected);
    } else if (end.peer < node) {
        struct channel_end own;

        if (end_judge(m, &peer, true, &own) == NULL) {
            channel_add(m, &end, &peer);
        }
    } else {
        /* the other end comes yet */
    }
}

void config_channels_make(struct config_maker *m)
{
    for (uint32_t i = 0; i < m->plan->nr_domains; i++) {
        const uint32_t before = m->report->nr_faults;

        for (uint32_t n = dt_first_child(m->ix, m->domain_node[i]); n != DT_NONE;
             n = dt_next_sibling(m->ix, n)) {
            if (is_channel(m, n)) {
                end_make(m, n);
            }
        }
        config_domain_blame(m, &m->plan->domain[i], before);
    }
}
