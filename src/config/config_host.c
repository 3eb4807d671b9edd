/* Memory, reserved memory and CPUs of the host. */
/* [impl->req~host-from-tree~1] */
#include "config/config_maker.h"

#define CPU_LEFT_OUT  "left out, this host has no way to start it"
#define LOG_KEEP_MAX  MIB(1)
#define ADDRESS_LIMIT BIT64(52) /* of any Armv8-A machine; keeps sums far from wrapping */

/* Adds a range in order of base. False if the list is full. */
static bool ranges_insert(struct range *list, uint32_t *nr, uint64_t base, uint64_t bytes)
{
    const bool room = *nr < PLAN_RANGES_MAX;

    if (room && (bytes > 0u)) {
        uint32_t at = *nr;

        for (; (at > 0u) && (list[at - 1u].base > base); at--) {
            list[at] = list[at - 1u];
        }
        list[at].base = base;
        list[at].bytes = bytes;
        (*nr)++;
    }
    return room;
}

/* Makes one range of those that touch or overlap. */
static void ranges_merge(struct range *list, uint32_t *nr)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < *nr; i++) {
        if ((kept > 0u) && (list[i].base <= (list[kept - 1u].base + list[kept - 1u].bytes))) {
            const uint64_t end = list[i].base + list[i].bytes;
            struct range *const last = &list[kept - 1u];

            last->bytes = bits_max(last->base + last->bytes, end) - last->base;
        } else {
            list[kept] = list[i];
            kept++;
        }
    }
    *nr = kept;
}

static bool range_possible(const struct range *r)
{
    return (r->base < ADDRESS_LIMIT) && (r->bytes <= (ADDRESS_LIMIT - r->base));
}

static void ram_bank_add(struct config_maker *m, uint32_t node, const struct range *r)
{
    struct plan *const plan = m->plan;
    const uint64_t base = bits_align_up(r->base, PAGE_BYTES);
    const uint64_t end = bits_align_down(r->base + r->bytes, PAGE_BYTES);

    if (config_ranges_met(plan->ram, plan->nr_ram, r->base, r->bytes) > 0u) {
        config_fault_prop(m->report, node, "reg", "banks that do not overlap");
    } else if (!ranges_insert(plan->ram, &plan->nr_ram, base, (end > base) ? (end - base) : 0u)) {
        config_fault_prop(m->report, node, "reg", "at most 64 banks of memory in all");
    } else {
        /* taken */
    }
}

static void ram_node_make(struct config_maker *m, uint32_t node)
{
    const uint32_t count = dt_reg_count(m->ix, node);

    if (count == 0u) {
        config_fault_prop(m->report, node, "reg", "pairs of address and size");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct range r = { 0u, 0u };

        (void)dt_reg(m->ix, node, i, &r);
        if (!range_possible(&r)) {
            config_fault_prop(m->report, node, "reg", "memory below 2^52");
        } else if (r.bytes > 0u) {
            ram_bank_add(m, node, &r);
        } else {
            /* firmware leaves empty banks behind */
        }
    }
}

static void ram_make(struct config_maker *m)
{
    for (uint32_t n = dt_first_child(m->ix, DT_ROOT); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        const char *const name = dt_name(m->ix, n);
        struct dt_value type = { NULL, 0u };

        if (dt_text_begins(name, "memory", 6u) && ((name[6] == '\0') || (name[6] == '@')) &&
            dt_get(m->ix, n, "device_type", &type) && dt_strings_have(&type, "memory") &&
            dt_enabled(m->ix, n)) {
            ram_node_make(m, n);
        }
    }
    ranges_merge(m->plan->ram, &m->plan->nr_ram);
    if (m->plan->nr_ram == 0u) {
        config_fault_text(m->report, DT_ROOT, "memory", "nothing",
                          "a node with device_type \"memory\" and a range");
    }
}

static void reserve(struct config_maker *m, uint32_t node, const char *prop, const struct range *r)
{
    struct plan *const plan = m->plan;

    if (!range_possible(r)) {
        config_fault_text(m->report, node, prop, "a range beyond 2^52", "a range of the host's memory");
    } else {
        const uint64_t base = bits_align_down(r->base, PAGE_BYTES);
        const uint64_t end = bits_align_up(r->base + r->bytes, PAGE_BYTES);

        if (!ranges_insert(plan->reserved, &plan->nr_reserved, base, (r->bytes > 0u) ? (end - base) : 0u)) {
            ranges_merge(plan->reserved, &plan->nr_reserved);
            if (!ranges_insert(plan->reserved, &plan->nr_reserved, base, end - base)) {
                config_fault_text(m->report, node, prop, "one more", "at most 64 ranges in all");
            }
        }
    }
}

/* The memory reservation block: pairs of 64-bit numbers up to a pair of zeroes. Its offset stands in the
 * header's fifth word; libfdt has checked that the block lies in the blob and is ended. */
static void memreserve_make(struct config_maker *m)
{
    const struct dt_value header = { m->ix->blob, 40u };
    uint32_t at = dt_cell(&header, 4u);
    bool more = true;

    while (more && (m->ix->blob_bytes >= 16u) && (at <= (m->ix->blob_bytes - 16u))) {
        const struct dt_value pair = { &m->ix->blob[at], 16u };
        const struct range r = { dt_cells(&pair, 0u, 2u), dt_cells(&pair, 2u, 2u) };

        more = (r.base != 0u) || (r.bytes != 0u);
        if (more) {
            reserve(m, DT_ROOT, "/memreserve/", &r);
        }
        at += 16u;
    }
}

bool config_inside_ram(const struct plan *plan, const struct range *r)
{
    bool inside = false;

    for (uint32_t i = 0; (i < plan->nr_ram) && !inside; i++) {
        const struct range *const ram = &plan->ram[i];

        inside = (r->base >= ram->base) && (r->bytes <= ram->bytes) &&
                 ((r->base - ram->base) <= (ram->bytes - r->bytes));
    }
    return inside;
}

/* Where the log survives a warm reset. All that is reserved is in the list by now, this region included. */
static void log_keep_make(struct config_maker *m, uint32_t node)
{
    struct plan *const plan = m->plan;
    const struct config_env *const env = m->env;
    struct range r = { 0u, 0u };

    (void)dt_reg_host(m->ix, node, 0, &r);
    if (plan->log_keep.bytes != 0u) {
        config_fault_prop(m->report, node, "compatible", "one such node only");
    } else if ((dt_reg_count(m->ix, node) != 1u) || (((r.base | r.bytes) % PAGE_BYTES) != 0u) ||
               (r.bytes == 0u) || (r.bytes > LOG_KEEP_MAX) || !config_inside_ram(plan, &r)) {
        config_fault_prop(m->report, node, "reg",
                          "one range of the host's memory, whole pages, at most 1 MiB");
    } else if ((config_ranges_met(plan->reserved, plan->nr_reserved, r.base, r.bytes) > 1u) ||
               config_ranges_meet(env->image_base.v, env->image_bytes, r.base, r.bytes) ||
               config_ranges_meet(env->tree_base.v, m->ix->blob_bytes, r.base, r.bytes)) {
        config_fault_prop(m->report, node, "reg", "memory that nothing else has");
    } else {
        plan->log_keep = r;
    }
}

static void reserved_make(struct config_maker *m)
{
    const uint32_t top = dt_child(m->ix, DT_ROOT, "reserved-memory", 15u);

    memreserve_make(m);
    for (uint32_t n = top; (top != DT_NONE) && (n < m->ix->node[top].end); n++) {
        if ((n != top) && dt_has(m->ix, n, "reg") && dt_enabled(m->ix, n)) {
            const uint32_t count = dt_reg_count(m->ix, n);

            if (count == 0u) {
                config_fault_prop(m->report, n, "reg", "pairs of address and size");
            }
            for (uint32_t i = 0; i < count; i++) {
                struct range r = { 0u, 0u };

                if (dt_reg_host(m->ix, n, i, &r)) {
                    reserve(m, n, "reg", &r);
                } else {
                    config_fault_prop(m->report, n, "reg",
                                      "a range that `ranges` of the nodes above translates");
                }
            }
        }
    }
    for (uint32_t n = top; (top != DT_NONE) && (n < m->ix->node[top].end); n++) {
        if (dt_compatible(m->ix, n, "bulkhead,log") && dt_enabled(m->ix, n)) {
            log_keep_make(m, n);
        }
    }
    ranges_merge(m->plan->reserved, &m->plan->nr_reserved);
}

/* The value of reg of a CPU's node: one or two cells, all of its length. */
static bool cpu_hwid(struct config_maker *m, uint32_t node, uint64_t *out)
{
    const uint32_t cells = dt_address_cells(m->ix, m->ix->node[node].parent);
    struct dt_value v = { NULL, 0u };
    const bool good =
        dt_get(m->ix, node, "reg", &v) && ((cells == 1u) || (cells == 2u)) && (v.bytes == (cells * 4u));

    if (good) {
        *out = dt_cells(&v, 0, cells);
    }
    return good;
}

static void cpu_add(struct config_maker *m, uint32_t node)
{
    struct plan *const plan = m->plan;
    uint64_t hwid = 0;
    const bool good = cpu_hwid(m, node, &hwid);
    bool known = false;

    for (uint32_t i = 0; i < plan->nr_cpus; i++) {
        known = known || (plan->cpu_hwid[i] == hwid);
    }
    if (!good) {
        config_fault_prop(m->report, node, "reg", "one number of the size that #address-cells of /cpus says");
    } else if (known) {
        config_fault_prop(m->report, node, "reg", "a number that no other CPU has");
    } else if (plan->nr_cpus >= HV_CPUS_MAX) {
        config_note(m->report, node, "reg", "left out, 64 CPUs are the most");
    } else {
        plan->cpu_hwid[plan->nr_cpus] = hwid;
        m->cpu_node[plan->nr_cpus] = (uint16_t)node;
        plan->nr_cpus++;
    }
}

/* A host whose CPUs cannot be started runs on the first, which is the one that firmware boots on. */
static void cpus_make(struct config_maker *m)
{
    const uint32_t cpus = dt_child(m->ix, DT_ROOT, "cpus", 4u);
    uint32_t first_left_out = DT_NONE;

    for (uint32_t n = (cpus == DT_NONE) ? DT_NONE : dt_first_child(m->ix, cpus); n != DT_NONE;
         n = dt_next_sibling(m->ix, n)) {
        struct dt_value type = { NULL, 0u };

        if (dt_get(m->ix, n, "device_type", &type) && dt_strings_have(&type, "cpu") && dt_enabled(m->ix, n)) {
            if (hal_plan_cpu_startable(m->ix, n, &m->plan->host)) {
                cpu_add(m, n);
            } else if (first_left_out == DT_NONE) {
                first_left_out = n;
            } else {
                config_note(m->report, n, "enable-method", CPU_LEFT_OUT);
            }
        }
    }
    if ((m->plan->nr_cpus == 0u) && (first_left_out != DT_NONE)) {
        cpu_add(m, first_left_out);
    } else if (first_left_out != DT_NONE) {
        config_note(m->report, first_left_out, "enable-method", CPU_LEFT_OUT);
    } else {
        /* all can be started */
    }
    if (m->plan->nr_cpus == 0u) {
        config_fault_text(m->report, DT_ROOT, "cpus", "nothing", "a node with device_type \"cpu\" and a reg");
    }
}

void config_host_make(struct config_maker *m)
{
    ram_make(m);
    reserved_make(m);
    hal_plan_host_parse(m->ix, m->report, &m->plan->host);
    cpus_make(m);
}
