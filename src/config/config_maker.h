/* The parts of config_plan_make(), in the order in which they run. Private to config/. Each reports what
 * is wrong and goes on with what is usable. */
#ifndef CONFIG_CONFIG_MAKER_H
#define CONFIG_CONFIG_MAKER_H

#include "config/config_fault.h"
#include "lib/string.h"

/* A host address range that something has */
struct config_claim {
    struct range range;
    const char *what; /* constant text */
    uint16_t node;
    bool packed; /* a module of the payload */
};

#define CONFIG_CLAIMS_MAX 512u

struct config_maker {
    const struct dt_index *ix;
    const struct config_env *env;
    struct plan *plan;
    struct config_report *report;
    uint32_t chosen;                      /* the node, DT_NONE if there is none */
    uint32_t roles;                       /* of all domains so far */
    uint16_t domain_node[HV_DOMAINS_MAX]; /* of the plan's domains */
    uint16_t cpu_node[HV_CPUS_MAX];       /* of the plan's CPUs */
    uint16_t pool_node[PLAN_POOLS_MAX];   /* of the plan's pools; /chosen: it has none of its own */
    uint16_t vcpu_node[HV_VCPUS_MAX];     /* of the domain that is looked at; its own if one has none */
    uint16_t shm_node[PLAN_SHM_USES_MAX]; /* of the plan's shm_use */
    uint32_t pools_open;                  /* bit = pool: nothing says which scheduler it has */
    uint32_t nr_domain_faults;            /* those that a partial boot forgives */
    uint32_t nr_claims;
    uint32_t partial_node;  /* module of the domain that is being made; DT_NONE: it has none */
    uint64_t partial_bytes; /* of all domains' so far */
    struct config_claim claim[CONFIG_CLAIMS_MAX]; /* last: nr_claims tells what is in it */
};

/* What a node's property may be; tables of these name everything that config/ knows. */
struct config_target {
    struct config_maker *m;
    uint32_t node;
    struct plan_domain *domain; /* NULL for /chosen */
};

struct config_rule {
    const char *name;
    /* NULL: known, and read elsewhere */
    void (*take)(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
    const char *expected;
    uint32_t min; /* for numbers */
    uint32_t max;
    const char *const *words; /* for strings that are one of these; NULL ends them */
    uint16_t at;  /* where the value goes: in the domain, or in the plan for /chosen; 0: nowhere */
    bool is_flag; /* what is there is a bool; else a number, or a word's place among the words */
};
#define CONFIG_RULE(property, handler, text) { .name = (property), .take = (handler), .expected = (text) }
#define CONFIG_FIELD(type, field)            .at = (uint16_t)offsetof(type, field)
#define CONFIG_FLAG(type, field)             .is_flag = true, .at = (uint16_t)offsetof(type, field)

/* Hands each property to its rule. Of the others those named xen,... or bulkhead,... are faults, the rest
 * is ignored. */
void config_rules_apply(struct config_target *t, const struct config_rule *rules, uint32_t nr_rules);
void config_take_refuse(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
/* a number between min and max, one of the words, or no value; what is none of them is a fault */
void config_take_number(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
void config_take_word(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
void config_take_flag(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
#define CONFIG_NO_VALUE "no value, the property is there or not"
/* False and a fault unless v is one cell between min and max. */
bool config_number(struct config_target *t, const struct config_rule *rule, const struct dt_value *v,
                   uint32_t *out);

/* What was reported since there were `faults_before` makes this domain unsound. */
void config_domain_blame(struct config_maker *m, struct plan_domain *d, uint32_t faults_before);
/* An unsound domain takes nothing of what the others share. */
void config_domain_forget(struct plan_domain *d);

void config_host_make(struct config_maker *m);
void config_console_make(struct config_maker *m);
void config_chosen_check(struct config_maker *m);
void config_domains_make(struct config_maker *m);

/* -- sched/ -- */
#define CONFIG_POOL       "xen,cpupool" /* what a pool's node is compatible with */
#define CONFIG_SCHEDULERS "the scheduler null, credit, credit2, rtds or arinc653"
/* The pools; no domain is known yet. */
void config_pools_make(struct config_maker *m);
/* domain-cpupool */
void config_take_pool(struct config_target *t, const struct config_rule *rule, const struct dt_value *v);
/* Policies, and what domains get of them, when all domains are known */
void config_sched_make(struct config_maker *m);

/* The children of a domain's node, or of /chosen for a dom0. */
void config_children_make(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* A child of a domain's node. module: one that is compatible with multiboot,module. vcpu: with xen,vcpu. */
void config_module_make(struct config_maker *m, struct plan_domain *d, uint32_t node);
void config_vcpu_make(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* What each may reach against the regions of a CPU, when all have been read; with hal_plan_identity(). */
void config_regions_check(struct config_maker *m);
/* The static event channels between domains, when all of these are known. */
void config_channels_make(struct config_maker *m);
/* What a node takes in a guest's tree, where names are not shared (DTSpec 5.4) */
uint64_t config_node_room(const struct dt_index *ix, uint32_t node);
/* The plan's domain whose node this is; nr_domains: it is none's. */
uint32_t config_domain_of_node(const struct config_maker *m, uint32_t node);
/* A decimal number below `limit` (at most 4e8) at *text, which moves behind it. False: there is none. */
bool config_decimal(const char **text, uint32_t limit, uint32_t *out);
/* A hexadecimal digit; 16: it is none. */
uint32_t config_hex(char c);
bool config_is_module(const struct dt_index *ix, uint32_t node);
/* Whether the module travelled in the payload of the one-file image. */
bool config_in_payload(const struct config_env *env, const struct plan_module *module);

/* -- partition/config_shm.c -- */
/* A node of shared memory in a domain's node. */
void config_shm_make(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* Pages of the domain's pool that its shared memory may need. */
uint64_t config_shm_pool_bytes(const struct plan *plan, const struct plan_domain *d);
/* Regions and their places, when all domains have been read. */
void config_shm_check(struct config_maker *m);
/* Of the memory that domains share, for regions that sound domains use. */
uint64_t config_shm_bytes(const struct plan *plan);
/* When it is known which domains are unsound: regions that nobody else needs are dropped; who is linked with
 * whom. */
void config_links_settle(struct config_maker *m);
/* The value of `option` ("sched=") on the hypervisor's command line, up to a space; false if it is not
 * there. */
bool config_option(struct config_maker *m, const char *option, char *out, uint32_t out_bytes);

/* -- partition/config_claim.c -- */
/* Host addresses [r->base, r->base + r->bytes), not empty and not wrapping, become this property's. `what` is
 * said to whoever wants them too: "a range that <node's path> (<what>) does not have". False and a fault,
 * also against the other domain, if they are the host's (image, tree, reserved memory) or somebody's. */
bool config_claim(struct config_maker *m, uint32_t node, const char *prop, const struct range *r,
                  const char *what);
/* the same for a module of the payload, which lies in the image and may be several domains' */
bool config_claim_packed(struct config_maker *m, uint32_t node, const char *prop, const struct range *r);
/* The i-th range of host addresses that something has; false: there are no more. */
bool config_taken(const struct config_maker *m, uint32_t i, struct range *out);
/* config/partition/config_partial.c: the domain's own devices, once everything else of it is known. */
void config_partial_make(struct config_maker *m, struct plan_domain *d);

/* -- partition/config_static.c -- */
void config_take_static_heap(struct config_target *t, const struct config_rule *rule,
                             const struct dt_value *v);
/* xen,static-mem, and what direct-map asks for; the other properties of the domain are known. */
void config_static_make(struct config_maker *m, struct plan_domain *d, uint32_t node);

/* -- partition/config_pci.c: bulkhead,pci-functions, once the properties of the domain are known -- */
void config_pci_make(struct config_maker *m, struct plan_domain *d, uint32_t node);
/* The next interrupt in the interrupt-map of a host bridge, from cell *at (0 to begin with) on; false: no
 * more. The same may come several times. */
bool config_pci_line(const struct dt_index *ix, uint32_t bridge, uint32_t *at, struct hal_plan_line *out);
/* Pages of the domain's pool that the maps of their BARs may need. */
uint64_t config_pci_pool_bytes(const struct plan *plan, const struct plan_domain *d);
/* Whether the domain has a PCI bus and this range of its address space meets it. */
bool config_pci_meets(const struct plan *plan, const struct plan_domain *d, uint64_t base, uint64_t bytes);

/* -- partition/config_device.c -- */
/* Registers, by whole pages: who has a page of them may reach all of it. */
bool config_is_hypervisors(const struct plan *plan, uint64_t base, uint64_t bytes);
/* Whether another domain has something of the host's device. */
bool config_is_anothers(const struct config_maker *m, uint32_t node, uint8_t domain);

/* Whether a range lies in one bank of RAM. */
bool config_inside_ram(const struct plan *plan, const struct range *r);
bool config_ranges_meet(uint64_t base_a, uint64_t bytes_a, uint64_t base_b, uint64_t bytes_b);
/* How many of a list [base, base + bytes) meets */
uint32_t config_ranges_met(const struct range *list, uint32_t nr, uint64_t base, uint64_t bytes);

#endif
