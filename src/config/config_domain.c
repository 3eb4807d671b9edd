/* Domains: the nodes below /chosen that are compatible with xen,domain. */
/* [impl->req~unknown-refused~1] [impl->req~partial-boot~1] */
#include "config/control/config_control.h"
#include "config/partition/layout.h"

#define START_ORDER_DEFAULT 1000u
#define RESTARTS_DEFAULT    10u
#define NR_SPIS_DEFAULT     32u /* covers the vpl011 and the watchdog; nothing else is wired to a domain */
#define NR_SPIS_STEP        32u
#define POOL_MIB            "xen,domain-p2m-mem-mb"
#define POOL_MIB_MAX        65536u
#define KIB_PER_PAGE        4u
#define GRANT_FRAMES_MAX    0x7FFFFFFFu
#define GRANT_FRAMES        64u
#define MAPTRACK_FRAMES     1024u

/* -- Properties of a domain -- */

static const char *const end_words[] = { "stop", "restart", NULL };
static const char *const enhanced[] = { "disabled", "no-xenstore", "enabled", "legacy", NULL }; /* as enum
                                                                                             plan_enhanced */
static const char *const passthrough[] = { "enabled", "disabled", NULL };
static const char *const console[] = { "shared", "tools", NULL };
static const char *const el1_msa[] = { "mpu", "mmu", NULL };
static const char *const no_sci[] = { "none", NULL };

static void take_memory(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    const struct hal_guest_layout *const layout = hal_plan_layout();
    uint64_t most = 0;

    for (uint32_t i = 0; i < layout->nr_banks; i++) {
        most += layout->bank[i].max_bytes;
    }
    if (v->bytes != 8u) {
        config_take_refuse(t, rule, v);
    } else {
        const uint64_t kib = dt_cells(v, 0, 2);

        if ((kib == 0u) || ((kib % KIB_PER_PAGE) != 0u) || (kib > (most >> 10u))) {
            config_fault_say(t->m->report, t->node, rule->name, "%U, expected %s", kib, rule->expected);
        } else {
            t->domain->memory_bytes = kib << 10u;
        }
    }
}

static void take_cpus(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    const uint32_t most = hal_plan_vcpus_max(&t->m->plan->host, false);

    if ((v->bytes != 4u) || (dt_cell(v, 0) == 0u) || (dt_cell(v, 0) > most)) {
        char text[24];
        struct fmt_buf expected;

        fmt_init(&expected, text, sizeof(text));
        fmt_add(&expected, "1 to %u", most);
        config_fault(t->m->report, t->node, rule->name, v, text);
    } else {
        t->domain->nr_vcpus = dt_cell(v, 0);
    }
}

static void take_watchdog(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    t->domain->watchdog = config_number(t, rule, v, &t->domain->watchdog_ms);
}

static void take_enhanced(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    if (v->bytes == 0u) {
        t->domain->enhanced = PLAN_ENHANCED_ENABLED;
    } else {
        config_take_word(t, rule, v);
    }
}

static void take_el1_msa(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    const struct hal_plan_host *const host = &t->m->plan->host;

    if (!hal_plan_identity(host)) {
        config_fault(t->m->report, t->node, rule->name, v, "no such property on a host with an MMU");
    } else if (!hal_plan_el1_mmu(host) && dt_strings_have(v, el1_msa[1])) {
        config_fault(t->m->report, t->node, rule->name, v, "mpu, which is what this host's CPUs have");
    } else {
        config_take_word(t, rule, v);
    }
}

#define FIELD(field) CONFIG_FIELD(struct plan_domain, field)
#define FLAG(field)  CONFIG_FLAG(struct plan_domain, field)

/* Devices come with a partial tree, and their IOMMU with them: "passthrough" only has to be understood. */
static const struct config_rule domain_rule[] = {
    CONFIG_RULE("compatible", NULL, ""),
    { .name = "#address-cells", config_take_number, "1 or 2", 1, 2 },
    { .name = "#size-cells", config_take_number, "1 or 2", 1, 2 },
    CONFIG_RULE("memory", take_memory,
                "two cells with KiB, a multiple of 4 that the guest's memory map has room for"),
    CONFIG_RULE("cpus", take_cpus, ""),
    { "vpl011", config_take_flag, CONFIG_NO_VALUE, FLAG(vpl011) },
    { "nr_spis", config_take_number, "0 to 988", 0, 988, FIELD(nr_spis) },
    { "trap-unmapped-accesses", config_take_number, "0 or 1", 0, 1, FLAG(trap_unmapped) },
    { .name = POOL_MIB, config_take_number, "1 to 65536", 1, POOL_MIB_MAX },
    { "bulkhead,start-order", config_take_number, "one cell", 0, UINT32_MAX, FIELD(start_order) },
    { "bulkhead,on-crash", config_take_word, "stop or restart", .words = end_words, FLAG(restart_on_crash) },
    { "bulkhead,on-reset", config_take_word, "stop or restart", .words = end_words, FLAG(restart_on_reset) },
    { "bulkhead,restart-limit", config_take_number, "0 to 10000", 0, 10000, FIELD(restarts_per_minute) },
    { .name = "bulkhead,watchdog-ms", take_watchdog, "0 to 86400000", 0, 86400000 },
    { "bulkhead,max-irq-rate", config_take_number, "1 to 1000000", 1, 1000000, FIELD(max_irq_rate) },
    { "bulkhead,no-device-tree", config_take_flag, CONFIG_NO_VALUE, FLAG(no_tree) },
    { "bulkhead,monitor", config_take_flag, CONFIG_NO_VALUE, FLAG(monitor) },
    { "bulkhead,console", config_take_word, "shared or tools", .words = console, FLAG(console_tools) },
    CONFIG_RULE("bulkhead,pci-functions", NULL, ""),
    CONFIG_RULE("xen,force-assign-without-iommu", config_take_flag, CONFIG_NO_VALUE),
    { "passthrough", config_take_word, "enabled or disabled", .words = passthrough },
    CONFIG_RULE("xen,static-mem", NULL, ""),
    { "direct-map", config_take_flag, CONFIG_NO_VALUE, FLAG(direct_map) },
    CONFIG_RULE("domain-cpupool", config_take_pool,
                "the phandle of a node of /chosen compatible with \"xen,cpupool\""),
    CONFIG_RULE("bulkhead,weight", NULL, ""),
    CONFIG_RULE("bulkhead,cap", NULL, ""),
    CONFIG_RULE("bulkhead,period-us", NULL, ""),
    CONFIG_RULE("bulkhead,budget-us", NULL, ""),
    CONFIG_RULE("bulkhead,no-extratime", NULL, ""),
    CONFIG_RULE("bulkhead,windows", NULL, ""),
    CONFIG_RULE("llc-colors", config_take_refuse, "no such property (cache colours are not supported yet)"),
    CONFIG_RULE("sve", config_take_number, "0 (SVE is not supported yet)"),
    { "xen,enhanced", take_enhanced, "no value, or enabled, legacy, no-xenstore or disabled",
      .words = enhanced, FIELD(enhanced) },
    { "capabilities", config_take_number, "a sum of 1 (control), 2 (hardware) and 4 (xenstore)", 0,
      PLAN_ROLE_CONTROL | PLAN_ROLE_HARDWARE | PLAN_ROLE_XENSTORE, FIELD(role) },
    { "max_grant_version", config_take_number, "1 or 2", 1, 2, FIELD(max_grant_version) },
    { "max_grant_frames", config_take_number, "0 to 0x7fffffff", 0, GRANT_FRAMES_MAX,
      FIELD(max_grant_frames) },
    { "max_maptrack_frames", config_take_number, "0 to 0x7fffffff", 0, GRANT_FRAMES_MAX,
      FIELD(max_maptrack_frames) },
    CONFIG_RULE("bulkhead,share-with", NULL, ""),
    { "bulkhead,template", config_take_flag, CONFIG_NO_VALUE, FLAG(spare) },
    CONFIG_RULE("bulkhead,uuid", (CONFIG_CONTROL != 0) ? config_take_uuid : config_take_refuse,
                "a UUID in its 36 characters, and not 0"),
    { "xen,sci_type", config_take_word, "none (SCMI is not supported yet)", .words = no_sci },
    { "v8r_el1_msa", take_el1_msa, "mpu or mmu", .words = el1_msa, FLAG(el1_mmu) },
};

/* -- A domain -- */

/* The characters that the Devicetree Specification (2.2.1) allows in a node's name. */
static bool name_good(const char *name)
{
    uint32_t i = 0;
    bool good = true;

    for (; (name[i] != '\0') && good; i++) {
        const char c = name[i];

        good = ((c >= 'a') && (c <= 'z')) || ((c >= 'A') && (c <= 'Z')) || ((c >= '0') && (c <= '9')) ||
               (strchr(",._+-@", c) != NULL);
    }
    return good && (i > 0u);
}

static void domain_name(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    const char *const name = dt_name(m->ix, node);
    struct fmt_buf text;

    fmt_init(&text, d->name, PLAN_NAME_MAX);
    fmt_str(&text, name);
    if (text.cut) {
        config_fault_text(m->report, node, "name", name, "at most 31 characters");
    }
    if (!name_good(name)) {
        config_fault_text(m->report, node, "name", name, "letters, digits and ,._+-@ only");
        config_make_printable(&text);
    }
    for (const struct plan_domain *other = m->plan->domain; other != d; other++) {
        if (strcmp(other->name, d->name) == 0) {
            config_fault_text(m->report, node, "name", d->name, "a name that no other domain has");
        }
    }
}

void config_children_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    for (uint32_t n = dt_first_child(m->ix, node); n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        if (!dt_enabled(m->ix, n)) {
            /* switched off */
        } else if (config_is_module(m->ix, n)) {
            config_module_make(m, d, n);
        } else if (dt_compatible(m->ix, n, "xen,evtchn-v1")) {
            /* config_channels_make(), when all domains are known */
        } else if (dt_compatible(m->ix, n, "xen,domain-shared-memory-v1")) {
            config_shm_make(m, d, n);
        } else if (dt_compatible(m->ix, n, "xen,vcpu")) {
            config_vcpu_make(m, d, n);
        } else if (node == m->chosen) {
            /* a dom0's: what else is there is not for it */
        } else if (dt_compatible(m->ix, n, "multiboot,kernel") ||
                   dt_compatible(m->ix, n, "multiboot,ramdisk")) {
            config_fault_prop(m->report, n, "compatible", "also \"multiboot,module\"");
        } else if (dt_has(m->ix, n, "reg") || dt_has(m->ix, n, "data")) {
            config_fault_prop(m->report, n, "compatible", "\"multiboot,module\" of a node with reg or data");
        } else {
            /* nothing of ours */
        }
    }
}

/* What must be there, and what follows from other properties. */
static void domain_complete(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    uint32_t pool_mib = 0;

    if ((d->kernel.name == NULL) && !d->spare) {
        config_fault(m->report, node, "kernel", NULL, "a module compatible with \"multiboot,kernel\"");
    }
    if (d->spare) {
        d->enhanced = PLAN_ENHANCED_NO_XENSTORE; /* what xl makes has its xenstore page in its memory */
    }
    d->nr_spis = (uint32_t)bits_align_up(d->nr_spis, NR_SPIS_STEP);
    if (d->vpl011 || d->watchdog) {
        d->nr_spis = (uint32_t)bits_max(d->nr_spis, NR_SPIS_DEFAULT);
    }
    if (dt_get_u32(m->ix, node, POOL_MIB, &pool_mib) && (pool_mib > 0u) && (pool_mib <= POOL_MIB_MAX)) {
        d->pool_bytes = MIB(pool_mib);
    } else {
        d->pool_bytes = hal_plan_pool_bytes(d->memory_bytes, d->nr_vcpus) + layout_pool_bytes(m->plan, d) +
                        config_shm_pool_bytes(m->plan, d) + config_pci_pool_bytes(m->plan, d);
    }
}

void config_domain_blame(struct config_maker *m, struct plan_domain *d, uint32_t faults_before)
{
    const uint32_t more = m->report->nr_faults - faults_before;

    m->nr_domain_faults += more;
    d->unsound = d->unsound || (more > 0u);
}

void config_domain_forget(struct plan_domain *d)
{
    d->memory_bytes = 0;
    d->pool_bytes = 0;
    d->nr_vcpus = 0;
    d->vpl011 = false;
    d->watchdog = false;
    d->enhanced = PLAN_ENHANCED_NONE;
    d->console_tools = false;
    d->direct_map = false;
    d->host_memory = false;
    d->nr_static = 0;
    d->kernel.bytes = 0;
    d->ramdisk.bytes = 0;
    d->partial.bytes = 0;
}

static void domain_defaults(struct plan_domain *d)
{
    d->nr_spis = NR_SPIS_DEFAULT;
    d->start_order = START_ORDER_DEFAULT;
    d->trap_unmapped = true;
    d->restart_on_reset = true;
    d->restarts_per_minute = RESTARTS_DEFAULT;
    d->bootargs = "";
    d->max_grant_version = 1u;
    d->max_grant_frames = GRANT_FRAMES;
    d->max_maptrack_frames = MAPTRACK_FRAMES;
    d->weight = PLAN_WEIGHT;
    d->rt_extra = true;
    for (uint32_t i = 0; i < HV_VCPUS_MAX; i++) {
        d->affinity[i] = ~0ULL;
    }
}

static void domain_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct config_target t = { m, node, d };

    domain_name(m, d, node);
    config_rules_apply(&t, domain_rule, ARRAY_LEN(domain_rule));
    m->partial_node = DT_NONE;
    config_static_make(m, d, node);
    config_children_make(m, d, node);
    config_pci_make(m, d, node);
    if (!dt_has(m->ix, node, "memory")) {
        config_fault(m->report, node, "memory", NULL, "two cells with KiB");
    }
    if (!dt_has(m->ix, node, "cpus")) {
        config_fault(m->report, node, "cpus", NULL, "the number of vCPUs");
    }
}

/* Modules directly below /chosen make the domain of that node. */
static void domain_add(struct config_maker *m, uint32_t node)
{
    struct plan *const plan = m->plan;
    const bool dom0 = (CONFIG_CONTROL != 0) && (node == m->chosen);
    struct plan_domain *const d = &plan->domain[plan->nr_domains];
    const uint32_t before = m->report->nr_faults;

    m->domain_node[plan->nr_domains] = (uint16_t)node;
    d->domid =
        (domid_t)(plan->nr_domains + ((plan->nr_domains == 0u) ? (dom0 ? 0u : 1u) : plan->domain[0].domid));
    plan->nr_domains++;
    domain_defaults(d);
    if (dom0) {
        config_dom0_make(m, d);
    } else {
        domain_make(m, d, node);
    }
    m->roles |= d->role;
    domain_complete(m, d, node);
    config_partial_make(m, d);
    if (CONFIG_CONTROL != 0) {
        config_role_check(m, d, node);
    } else if ((d->role != 0u) || d->spare || d->console_tools) {
        config_fault_prop(m->report, node,
                          d->spare ? "bulkhead,template"
                                   : (d->console_tools ? "bulkhead,console" : "capabilities"),
                          "none such: this port has no control domains");
    } else {
        /* a plain one */
    }
    config_domain_blame(m, d, before);
}

/* What is left of the host is the hardware domain's. */
static void hardware_make(struct config_maker *m)
{
    for (uint32_t i = 0; i < m->plan->nr_domains; i++) {
        struct plan_domain *const d = &m->plan->domain[i];
        const uint32_t before = m->report->nr_faults;

        if ((d->role & PLAN_ROLE_HARDWARE) != 0u) {
            config_control_memory(m, d, m->domain_node[i]);
            config_rest_make(m, d);
        }
        config_domain_blame(m, d, before);
    }
}

/* -- Memory of all domains against the host's -- */

/* It is not built, so it takes nothing. */
static bool is_left_out(const struct plan *plan, const struct plan_domain *d)
{
    return d->unsound && plan->partial_boot;
}

/* What is reserved of a bank */
static uint64_t reserved_bytes(const struct plan *plan, const struct range *bank)
{
    uint64_t bytes = 0;

    for (uint32_t r = 0; r < plan->nr_reserved; r++) {
        const uint64_t from = bits_max(bank->base, plan->reserved[r].base);
        const uint64_t to =
            bits_min(bank->base + bank->bytes, plan->reserved[r].base + plan->reserved[r].bytes);

        bytes += (to > from) ? (to - from) : 0u;
    }
    return bytes;
}

/* What the host has for domains without static memory and everybody's tables. Modules stay: a restart takes
 * them again. */
static uint64_t memory_left(struct config_maker *m)
{
    const struct plan *const plan = m->plan;
    uint64_t have = 0;
    uint64_t gone = m->env->image_bytes + config_shm_bytes(plan);

    for (uint32_t i = 0; i < plan->nr_ram; i++) {
        have += plan->ram[i].bytes;
        gone += reserved_bytes(plan, &plan->ram[i]);
    }
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];

        gone += config_in_payload(m->env, &d->kernel) ? 0u : d->kernel.bytes;
        gone += config_in_payload(m->env, &d->ramdisk) ? 0u : d->ramdisk.bytes;
        gone += config_in_payload(m->env, &d->partial) ? 0u : d->partial.bytes;
        gone += ((d->nr_static > 0u) && !is_left_out(plan, d)) ? d->memory_bytes : 0u;
    }
    if (plan->nr_static_heap > 0u) { /* claimed: nothing else is in it */
        have = 0;
        gone = config_shm_bytes(plan);
        for (uint32_t i = 0; i < plan->nr_static_heap; i++) {
            have += plan->static_heap[i].bytes;
        }
    }
    return (have > gone) ? (have - gone) : 0u;
}

static void memory_fault(struct config_maker *m, uint32_t index, uint64_t left)
{
    struct plan_domain *const d = &m->plan->domain[index];
    const bool is_static = (d->nr_static > 0u);
    const uint32_t before = m->report->nr_faults;

    config_fault_say(m->report, m->domain_node[index], is_static ? POOL_MIB : "memory",
                     "%U, expected at most %U, the KiB that the host has left",
                     (is_static ? d->pool_bytes : d->memory_bytes) >> 10u,
                     (is_static ? left : (left - bits_min(left, d->pool_bytes))) >> 10u);
    config_domain_blame(m, d, before);
}

/* The domain that does not fit any more, in the order of the nodes, is the one to blame. */
static void memory_share(struct config_maker *m)
{
    uint64_t left = memory_left(m);

    for (uint32_t i = 0; i < m->plan->nr_domains; i++) {
        const struct plan_domain *const d = &m->plan->domain[i];
        const uint64_t needed = d->pool_bytes + ((d->nr_static > 0u) ? 0u : d->memory_bytes);

        if (needed > left) {
            memory_fault(m, i, left);
        } else if (!is_left_out(m->plan, d)) {
            left -= needed;
        } else {
            /* it is not built */
        }
    }
    if (CONFIG_CONTROL != 0) {
        config_spares_make(m, left);
    }
}

/* Drops what unsound domains have in a list of such as begin with the domain's index; keeps the order. How
 * many are left. */
static uint32_t forget(const struct plan *plan, void *list, size_t entry, uint32_t nr)
{
    uint8_t *const bytes = list;
    uint32_t kept = 0;

    for (uint32_t i = 0; i < nr; i++) {
        if (!plan->domain[bytes[i * entry]].unsound) {
            (void)memmove(&bytes[kept * entry], &bytes[i * entry], entry);
            kept++;
        }
    }
    return kept;
}
#define FORGET(plan, list, nr)                                                                               \
    ((plan)->nr = forget((plan), (plan)->list, sizeof((plan)->list[0]), (plan)->nr))

static void domains_add(struct config_maker *m)
{
    uint32_t n = (m->chosen == DT_NONE) ? DT_NONE : dt_first_child(m->ix, m->chosen);

    if ((CONFIG_CONTROL != 0) && (n != DT_NONE) && config_dom0_has(m)) {
        domain_add(m, m->chosen);
    }
    for (; n != DT_NONE; n = dt_next_sibling(m->ix, n)) {
        if (!dt_compatible(m->ix, n, "xen,domain") || !dt_enabled(m->ix, n)) {
            /* nothing of ours */
        } else if (m->plan->nr_domains >= HV_DOMAINS_MAX) {
            config_fault_text(m->report, n, "compatible", "one more domain", "at most 32");
        } else {
            domain_add(m, n);
        }
    }
    if (m->plan->nr_domains == 0u) {
        const uint32_t at = (m->chosen == DT_NONE) ? DT_ROOT : m->chosen;

        config_fault_text(m->report, at, "domains", "nothing",
                          "a node below /chosen compatible with \"xen,domain\"");
    }
}

void config_domains_make(struct config_maker *m)
{
    struct plan *const plan = m->plan;

    domains_add(m);
    config_channels_make(m);
    config_shm_check(m);
    if (CONFIG_CONTROL != 0) {
        config_share_make(m);
        hardware_make(m);
    }
    if (plan->nr_ram > 0u) {
        memory_share(m);
    }
    if ((CONFIG_REGIONS != 0) && hal_plan_identity(&plan->host)) {
        config_regions_check(m);
    }
    config_sched_make(m);
    FORGET(plan, minor, nr_minors);
    FORGET(plan, shm_use, nr_shm_uses);
    FORGET(plan, window, nr_windows);
    FORGET(plan, line, nr_lines);
    FORGET(plan, stream, nr_streams);
    FORGET(plan, pci, nr_pci);
    FORGET(plan, pv, nr_pv);
    if (CONFIG_CONTROL != 0) {
        config_offers_make(m);
    }
    config_links_settle(m);
}
