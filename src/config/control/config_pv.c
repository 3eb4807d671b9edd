/* Disks and network cards that a domain has from another, in a system whose xenstore is a domain: nodes
 * compatible with bulkhead,pv-disk or bulkhead,pv-net in the frontend's node. */
/* [impl->req~store-links~1] */
#include "config/control/config_control.h"
#include "config/partition/layout.h"

#define DISK          "bulkhead,pv-disk"
#define NET           "bulkhead,pv-net"
#define DISKS         16u           /* xvda .. xvdp */
#define DISK_FIRST    (202u * 256u) /* numbers as Xen counts: Linux' major, and 16 minors each */
#define DISK_NUMBERS  16u
#define MAC_TEXT      17u
#define REGION_BYTES  GIB(1)
#define REGION_PLACES 64u /* where it is tried */

/* "00:16:3e:01:02:03", of one station */
static bool mac_good(const char *text)
{
    bool good = (strlen(text) == MAC_TEXT) && (strchr("02468aceACE", text[1]) != NULL);

    for (uint32_t i = 0; (i < MAC_TEXT) && good; i++) {
        const bool is_hex = (config_hex(text[i]) < 16u);

        good = ((i % 3u) == 2u) ? (text[i] == ':') : is_hex;
    }
    return good;
}

/* "<major>:<minor>" in hexadecimal digits, or a path */
static bool device_good(const char *text)
{
    uint32_t colons = 0;
    uint32_t i = 0;
    bool good = true;

    for (; (text[i] != '\0') && good && (text[0] != '/'); i++) {
        colons += (text[i] == ':') ? 1u : 0u;
        good = (config_hex(text[i]) < 16u) || ((text[i] == ':') && (i > 0u) && (colons == 1u));
    }
    return good && (strlen(text) < PLAN_PATH_MAX) &&
           ((text[0] == '/') || ((colons == 1u) && (text[i - 1u] != ':')));
}

/* What a disk is called at the frontend, as its number; false: it cannot be. */
static bool disk_number(const char *text, uint32_t *handle)
{
    static const char letter[] = "abcdefghijklmnop";

    *handle = 0;
    for (uint32_t i = 0; (i < DISKS) && (strlen(text) == 4u) && dt_text_begins(text, "xvd", 3u); i++) {
        if (text[3] == letter[i]) {
            *handle = DISK_FIRST + (i * DISK_NUMBERS);
        }
    }
    return *handle != 0u;
}

static bool taken(const struct plan *plan, const struct plan_pv *pv)
{
    bool found = false;

    for (uint32_t i = 0; i < plan->nr_pv; i++) {
        const struct plan_pv *const other = &plan->pv[i];

        found = found ||
                ((other->domain == pv->domain) && (other->net == pv->net) && (other->handle == pv->handle));
    }
    return found;
}

/* What of a node's properties is wrong: its name, and what it should be */
struct wrong {
    const char *prop; /* NULL: nothing is */
    const char *expected;
};

static void backend_judge(struct config_maker *m, uint32_t node, struct plan_pv *pv, struct wrong *wrong)
{
    const struct plan *const plan = m->plan;
    uint32_t phandle = 0;

    (void)dt_get_u32(m->ix, node, "backend", &phandle);
    const uint32_t backend = config_domain_of_node(m, dt_by_phandle(m->ix, phandle));

    if ((backend == plan->nr_domains) || (backend == pv->domain) ||
        (plan->domain[backend].enhanced < PLAN_ENHANCED_ENABLED) ||
        (plan->domain[pv->domain].enhanced < PLAN_ENHANCED_ENABLED)) {
        *wrong =
            (struct wrong){ "backend",
                            "the phandle of another domain's node, both with xen,enhanced = \"enabled\"" };
    }
    pv->backend = (uint8_t)backend;
}

static void net_judge(struct config_maker *m, uint32_t node, struct plan_pv *pv, struct wrong *wrong)
{
    struct dt_value v = { NULL, 0u };

    if (dt_get(m->ix, node, "handle", &v)) {
        pv->handle = (v.bytes == 4u) ? dt_cell(&v, 0) : UINT32_MAX;
    }
    if (!dt_get_string(m->ix, node, "mac", &pv->text) || !mac_good(pv->text)) {
        *wrong = (struct wrong){ "mac", "an address like \"00:16:3e:00:00:01\"" };
    } else if (pv->handle > UINT8_MAX) {
        *wrong = (struct wrong){ "handle", "0 to 255" };
    } else {
        /* good */
    }
}

static void disk_judge(struct config_maker *m, uint32_t node, struct plan_pv *pv, struct wrong *wrong)
{
    const char *name = "";

    pv->read_only = dt_has(m->ix, node, "read-only");
    if (!dt_get_string(m->ix, node, "device", &pv->text) || !device_good(pv->text)) {
        *wrong = (struct wrong){ "device", "\"major:minor\" in hexadecimal digits, or a path" };
    } else if (!dt_get_string(m->ix, node, "vdev", &name) || !disk_number(name, &pv->handle)) {
        *wrong = (struct wrong){ "vdev", "\"xvda\" to \"xvdp\"" };
    } else {
        /* good */
    }
}

static void pv_make(struct config_maker *m, struct plan_pv *pv, uint32_t node)
{
    struct plan *const plan = m->plan;
    struct wrong wrong = { NULL, NULL };

    (pv->net ? net_judge : disk_judge)(m, node, pv, &wrong);
    backend_judge(m, node, pv, &wrong);
    if ((wrong.prop == NULL) && taken(plan, pv)) {
        wrong = (struct wrong){ pv->net ? "handle" : "vdev", "one that the domain has not yet" };
    } else if ((wrong.prop == NULL) && (plan->nr_pv == PLAN_PV_MAX)) {
        wrong = (struct wrong){ "backend", "at most 64 disks and network cards" };
    } else {
        /* there is room for it */
    }
    if (wrong.prop != NULL) {
        config_fault_prop(m->report, node, wrong.prop, wrong.expected);
    } else {
        plan->domain[pv->domain].peers |= BIT32(pv->backend);
        plan->domain[pv->backend].peers |= BIT32(pv->domain);
        plan->pv[plan->nr_pv] = *pv;
        plan->nr_pv++;
    }
}

void config_pv_make(struct config_maker *m, uint32_t domain)
{
    const uint32_t parent = m->domain_node[domain];

    for (uint32_t n = dt_first_child(m->ix, parent); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        struct plan_pv pv = { .domain = (uint8_t)domain, .net = dt_compatible(m->ix, n, NET) };

        if (dt_enabled(m->ix, n) && (pv.net || dt_compatible(m->ix, n, DISK))) {
            pv_make(m, &pv, n);
        }
    }
}

/* Without a region Linux lends pages of its memory for what it maps, and when it gets some of them back early
 * it plugs memory in below its RAM, of which AArch64's dies (drivers/xen/balloon.c, 6.12). */
static void region_find(const struct plan *plan, struct plan_domain *d)
{
    struct range r = { 0u, REGION_BYTES };
    struct range bank = { 0u, 0u };

    for (uint32_t i = 0; layout_bank(plan, d, i, &bank); i++) { /* at most 64 */
        r.base = bits_max(r.base, bits_align_up(bank.base + bank.bytes, REGION_BYTES));
    }
    for (uint32_t i = 0; (i < REGION_PLACES) && (layout_meets(plan, d, &r, NULL) != NULL); i++) {
        r.base += REGION_BYTES;
    }
    if ((layout_meets(plan, d, &r, NULL) == NULL) && ((r.base / REGION_BYTES) <= UINT16_MAX)) {
        d->region_gib = (uint16_t)(r.base / REGION_BYTES);
    }
}

void config_regions_make(struct plan *plan)
{
    for (uint32_t i = 0; (i < plan->nr_pv) && !hal_plan_identity(&plan->host); i++) {
        region_find(plan, &plan->domain[plan->pv[i].backend]);
    }
}
