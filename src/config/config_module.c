/* The children of a domain's node: boot modules and vCPUs. */
/* [impl->req~reference-tree~1] */
#include "config/config_maker.h"

#define DIGEST_CRC32C "bulkhead,crc32c"
#define DIGEST_SHA256 "bulkhead,sha256"
#define LOAD_ADDRESS  "bulkhead,load-address"
#define ENTRY_ADDRESS "bulkhead,entry-address"

static const struct config_rule module_rule[] = {
    CONFIG_RULE("bulkhead,image-offset", NULL, ""),
    CONFIG_RULE("bulkhead,image-bytes", NULL, ""),
    CONFIG_RULE(DIGEST_CRC32C, NULL, ""),
    CONFIG_RULE(DIGEST_SHA256, NULL, ""),
    CONFIG_RULE(LOAD_ADDRESS, NULL, ""),
    CONFIG_RULE(ENTRY_ADDRESS, NULL, ""),
    CONFIG_RULE("xen,uefi-binary", config_take_refuse,
                "no such property (booting as a UEFI program is not supported yet)"),
};

bool config_is_module(const struct dt_index *ix, uint32_t node)
{
    return dt_compatible(ix, node, "multiboot,module") || dt_compatible(ix, node, "xen,multiboot-module");
}

bool config_in_payload(const struct config_env *env, const struct plan_module *module)
{
    return (env->payload_bytes > 0u) &&
           config_ranges_meet(env->payload_base.v, env->payload_bytes, module->base.v, module->bytes);
}

/* -- Where a module lies -- */

static bool module_from_reg(struct config_maker *m, uint32_t node, struct range *out)
{
    const uint32_t parent = m->ix->node[node].parent;
    const uint32_t ac = dt_address_cells(m->ix, parent);
    const uint32_t sc = dt_size_cells(m->ix, parent);
    struct dt_value v = { NULL, 0u };
    const bool cells = (ac >= 1u) && (ac <= 2u) && (sc >= 1u) && (sc <= 2u);
    const bool there = dt_get(m->ix, node, "reg", &v);
    bool good = cells && there && (v.bytes == ((ac + sc) * 4u));

    if (good) {
        out->base = dt_cells(&v, 0, ac);
        out->bytes = dt_cells(&v, ac, sc);
        good = out->bytes > 0u;
        if (!good) {
            config_fault_prop(m->report, node, "reg", "a size above 0");
        }
    } else if (!there && dt_get(m->ix, node, "data", &v)) {
        config_fault(m->report, node, "data", &v,
                     (v.bytes == 0u) ? "the bytes of a file" : "reg, or an image made by bulkhead-image");
    } else if (cells) {
        config_fault_prop(m->report, node, "reg",
                          "one address and size of the cells that the domain's node says");
    } else {
        /* the fault is in the domain's node and is reported there */
    }
    return good;
}

static bool module_from_payload(struct config_maker *m, uint32_t node, struct range *out)
{
    const char *const prop = "bulkhead,image-offset";
    struct dt_value offset = { NULL, 0u };
    struct dt_value bytes = { NULL, 0u };
    const bool both =
        dt_get(m->ix, node, prop, &offset) && dt_get(m->ix, node, "bulkhead,image-bytes", &bytes);
    const uint64_t payload = m->env->payload_bytes;
    bool good = false;

    if (dt_has(m->ix, node, "reg")) {
        config_fault_prop(m->report, node, "reg", "none beside a module's data");
    }
    if (!both || (offset.bytes != 8u) || (bytes.bytes != 8u)) {
        config_fault_prop(m->report, node, prop, "two cells, and two in bulkhead,image-bytes");
    } else {
        const uint64_t at = dt_cells(&offset, 0, 2);

        out->bytes = dt_cells(&bytes, 0, 2);
        good = (out->bytes > 0u) && (at < payload) && (out->bytes <= (payload - at));
        if (good) {
            out->base = m->env->payload_base.v + at;
        } else {
            config_fault_prop(m->report, node, prop, "a place inside the image's payload");
        }
    }
    return good;
}

static bool module_place_good(struct config_maker *m, uint32_t node, const struct range *r, bool packed)
{
    const char *const prop = packed ? "bulkhead,image-offset" : "reg";
    bool good = config_inside_ram(m->plan, r);

    if (!good) {
        config_fault_prop(m->report, node, prop, "a range inside the host's memory");
    } else {
        good = packed ? config_claim_packed(m, node, prop, r) : config_claim(m, node, prop, r, "module");
    }
    return good;
}

/* -- What a module is -- */

/* By its compatible, or else by the order: first a kernel, then a ramdisk. NULL if it is neither; that is
 * reported. */
static struct plan_module *module_role(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    const struct dt_index *const ix = m->ix;
    const bool kernel =
        dt_compatible(ix, node, "multiboot,kernel") || dt_compatible(ix, node, "xen,linux-zimage");
    const bool ramdisk =
        dt_compatible(ix, node, "multiboot,ramdisk") || dt_compatible(ix, node, "xen,linux-initrd");
    const bool partial = dt_compatible(ix, node, "multiboot,device-tree");
    const bool open = !kernel && !ramdisk;
    struct plan_module *role = NULL;

    if (partial && (d->partial.name == NULL)) {
        role = &d->partial;
        m->partial_node = node;
    } else if (partial) {
        config_fault_prop(m->report, node, "compatible", "at most one device tree in a domain");
    } else if (dt_compatible(ix, node, "xen,xsm-policy") || dt_compatible(ix, node, "multiboot,microcode")) {
        config_fault_prop(m->report, node, "compatible", "a kernel or a ramdisk in a domain's node");
    } else if ((kernel || open) && (d->kernel.name == NULL)) {
        role = &d->kernel;
    } else if (!kernel && (d->ramdisk.name == NULL)) {
        role = &d->ramdisk;
    } else {
        config_fault_prop(m->report, node, "compatible", "at most one kernel and one ramdisk in a domain");
    }
    return role;
}

static void kernel_bootargs(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct dt_value v = { NULL, 0u };

    if (dt_get(m->ix, node, "bootargs", &v)) {
        if (!dt_is_string(&v)) {
            config_fault(m->report, node, "bootargs", &v, "one string that ends with NUL");
        } else if (v.bytes > PLAN_BOOTARGS_MAX) {
            config_fault_say(m->report, node, "bootargs", "%u, expected at most 2048 bytes with the NUL",
                             v.bytes);
        } else {
            (void)dt_get_string(m->ix, node, "bootargs", &d->bootargs);
        }
    }
}

/* Whether the property is there. A fault unless it is one address. */
static bool kernel_address(struct config_maker *m, uint32_t node, const char *prop, uint64_t *out)
{
    struct dt_value v = { NULL, 0u };
    const bool there = dt_get(m->ix, node, prop, &v);

    if (there && (v.bytes != 4u) && (v.bytes != 8u)) {
        config_fault(m->report, node, prop, &v, "an address in one cell or two");
    } else if (there) {
        *out = dt_cells(&v, 0, v.bytes / 4u);
    } else {
        /* as it is */
    }
    return there;
}

/* A kernel without a header of its own goes where the module says, as it is. */
static void kernel_place(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    d->kernel_flat = kernel_address(m, node, LOAD_ADDRESS, &d->kernel_at);
    d->kernel_entry = d->kernel_at;
    if (kernel_address(m, node, ENTRY_ADDRESS, &d->kernel_entry) &&
        (!d->kernel_flat || (d->kernel_entry < d->kernel_at) ||
         ((d->kernel_entry - d->kernel_at) >= d->kernel.bytes))) {
        config_fault_prop(m->report, node, ENTRY_ADDRESS,
                          "an address in the kernel, whose place " LOAD_ADDRESS " says");
    }
}

static void module_digest(struct config_maker *m, struct plan_module *module, uint32_t node)
{
    struct dt_value crc = { NULL, 0u };
    struct dt_value sha = { NULL, 0u };
    const bool has_crc = dt_get(m->ix, node, DIGEST_CRC32C, &crc);
    const bool has_sha = dt_get(m->ix, node, DIGEST_SHA256, &sha);

    if (has_crc && (crc.bytes != 4u)) {
        config_fault(m->report, node, DIGEST_CRC32C, &crc, "one cell");
    } else if (has_sha && (sha.bytes != PLAN_DIGEST_MAX)) {
        config_fault(m->report, node, DIGEST_SHA256, &sha, "32 bytes");
    } else if (has_crc && has_sha) {
        config_fault(m->report, node, DIGEST_SHA256, &sha, "none beside " DIGEST_CRC32C);
    } else if (has_crc || has_sha) {
        const struct dt_value *const v = has_crc ? &crc : &sha;

        module->digest = has_crc ? PLAN_DIGEST_CRC32C : PLAN_DIGEST_SHA256;
        (void)memcpy(module->digest_is, v->data, v->bytes);
    } else {
        /* taken as it is */
    }
}

void config_module_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    struct config_target t = { m, node, d };
    const bool packed = dt_has(m->ix, node, "bulkhead,image-offset");
    struct plan_module *const role = module_role(m, d, node);
    struct range r = { 0u, 0u };
    bool good;

    config_rules_apply(&t, module_rule, ARRAY_LEN(module_rule));
    if (role != NULL) {
        role->name = dt_name(m->ix, node);
        module_digest(m, role, node);
        good = packed ? module_from_payload(m, node, &r) : module_from_reg(m, node, &r);
        if (good && module_place_good(m, node, &r, packed)) {
            role->base = hpa(r.base);
            role->bytes = r.bytes;
        }
        if (role == &d->kernel) {
            kernel_bootargs(m, d, node);
            kernel_place(m, d, node);
        } else if (dt_has(m->ix, node, LOAD_ADDRESS) || dt_has(m->ix, node, ENTRY_ADDRESS)) {
            config_fault_prop(m->report, node, LOAD_ADDRESS, "none of a module that is no kernel");
        } else {
            /* wherever there is room */
        }
    }
}

/* -- vCPUs -- */

bool config_decimal(const char **text, uint32_t limit, uint32_t *out)
{
    const char *t = *text;
    uint32_t value = 0;
    bool good = (*t >= '0') && (*t <= '9');

    while ((*t >= '0') && (*t <= '9') && good) {
        value = (value * 10u) + ((uint32_t)*t - (uint32_t)'0');
        good = value < limit;
        t = &t[1];
    }
    *text = t;
    *out = value;
    return good;
}

uint32_t config_hex(char c)
{
    static const char *const digits = "0123456789abcdef";
    const char *const at = (c >= '0') ? strchr(digits, (int)((uint32_t)(uint8_t)c | 0x20u)) : NULL;

    return (at != NULL) ? (uint32_t)(at - digits) : 16u;
}

/* "0,2-3" as a set of CPUs. False if it is malformed, empty or names a CPU that is not there. */
static bool list_parse(const char *list, uint32_t nr_cpus, uint64_t *out)
{
    const char *t = list;
    uint64_t set = 0;
    bool more = true;
    bool good = true;

    while (more && good) {
        uint32_t first = 0;
        uint32_t last;

        good = config_decimal(&t, nr_cpus, &first);
        last = first;
        if (good && (*t == '-')) {
            t = &t[1];
            good = config_decimal(&t, nr_cpus, &last) && (last >= first);
        }
        if (good) {
            set |= GENMASK64(last, first);
        }
        more = (*t == ',');
        t = more ? &t[1] : t;
    }
    *out = set;
    return good && (*t == '\0');
}

/* The vCPU's node came before: the children in front of this one. */
static bool vcpu_id_taken(const struct dt_index *ix, uint32_t node, uint32_t id)
{
    bool taken = false;

    for (uint32_t n = dt_first_child(ix, ix->node[node].parent); n != node; n = dt_next_sibling(ix, n)) {
        uint32_t other = 0;

        taken =
            taken || (dt_compatible(ix, n, "xen,vcpu") && dt_get_u32(ix, n, "id", &other) && (other == id));
    }
    return taken;
}

void config_vcpu_make(struct config_maker *m, struct plan_domain *d, uint32_t node)
{
    static const struct config_rule vcpu_rule[] = { CONFIG_RULE("bulkhead,period-us", NULL, ""),
                                                    CONFIG_RULE("bulkhead,budget-us", NULL, ""),
                                                    CONFIG_RULE("bulkhead,windows", NULL, "") };
    const uint64_t pool = m->plan->pool[d->pool].cpus;
    struct config_target t = { m, node, d };
    const char *list = NULL;
    uint32_t id = 0;

    config_rules_apply(&t, vcpu_rule, ARRAY_LEN(vcpu_rule));
    if (!dt_get_u32(m->ix, node, "id", &id) || ((id >= d->nr_vcpus) && (d->nr_vcpus > 0u)) ||
        (id >= HV_VCPUS_MAX)) {
        config_fault_prop(m->report, node, "id", "one cell below the domain's cpus");
    } else if (vcpu_id_taken(m->ix, node, id)) {
        config_fault_prop(m->report, node, "id", "a number that no other vCPU of the domain has");
    } else if (dt_has(m->ix, node, "hard-affinity") &&
               (!dt_get_string(m->ix, node, "hard-affinity", &list) ||
                !list_parse(list, m->plan->nr_cpus, &d->affinity[id]))) {
        config_fault_prop(m->report, node, "hard-affinity", "CPUs of this host such as \"0,2-3\"");
    } else if (((d->affinity[id] & pool) == 0u) && (pool != 0u) && !d->unsound) {
        config_fault_prop(m->report, node, "hard-affinity", "also a CPU of the domain's cpupool");
    } else {
        /* these, or any CPU */
    }
}
