/* The static profile of the hypervisor: it takes a plan instead of a tree, and less of one than the full
 * profile. */
/* [impl->req~static-profile~1] */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"
#include "lib/parts.h"

bool profile_find(const char *path, const struct blob *image, struct plan_profile *out)
{
    bool good = true;

    memset(out, 0, sizeof(*out));
    for (size_t at = 0; ((at + sizeof(*out)) <= image->bytes) && (out->magic != PLAN_PROFILE_MAGIC);
         at += 8u) {
        memcpy(out, &image->data[at], sizeof(*out));
    }
    if (out->magic != PLAN_PROFILE_MAGIC) {
        memset(out, 0, sizeof(*out));
    } else if (out->layout != PLAN_LAYOUT) {
        fprintf(stderr, TOOL_NAME ": %s: takes plans of another version of " TOOL_NAME "\n", path);
        good = false;
    } else {
        /* found */
    }
    return good;
}

static void module_check(struct config_report *report, const struct plan_domain *d,
                         const struct plan_module *module)
{
    if (module->digest == PLAN_DIGEST_SHA256) {
        char path[PLAN_PATH_MAX];

        snprintf(path, sizeof(path), "/chosen/%s/%s", d->name, module->name);
        config_fault_text(report, dt_find(report->index, path), "bulkhead,sha256", "one",
                          "bulkhead,crc32c: the static profile has no SHA-256");
    }
}

/* What a domain uses of a part: the first property or binding found, in the order of the parts. */
struct use {
    uint32_t part;
    const char *name; /* of the part */
    const char *prop;
    const char *found;
    bool is;
};

static bool plan_shares(const struct plan *plan, uint32_t domain)
{
    bool is = false;

    for (uint32_t i = 0; i < plan->nr_shm_uses; i++) {
        is = is || (plan->shm_use[i].domain == domain);
    }
    return is;
}

static bool plan_has_devices(const struct plan *plan, uint32_t domain)
{
    bool is = false;

    for (uint32_t i = 0; i < plan->nr_windows; i++) {
        is = is || (plan->window[i].domain == domain);
    }
    for (uint32_t i = 0; i < plan->nr_lines; i++) {
        is = is || (plan->line[i].domain == domain);
    }
    return is;
}

static bool plan_has_streams(const struct plan *plan, uint32_t domain)
{
    bool is = false;

    for (uint32_t i = 0; i < plan->nr_streams; i++) {
        is = is || (plan->stream[i].domain == domain);
    }
    return is;
}

static bool plan_has_pci(const struct plan *plan, uint32_t domain)
{
    bool is = false;

    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        is = is || (plan->pci[i].domain == domain);
    }
    return is;
}

static void use_check(const struct plan_profile *profile, const struct use *use, const char *node,
                      struct config_report *report)
{
    if (use->is && ((profile->parts & use->part) == 0u)) {
        char expected[96];
        char path[PLAN_PATH_MAX];

        snprintf(path, sizeof(path), "/chosen%s%s", (node[0] != 0) ? "/" : "", node);
        snprintf(expected, sizeof(expected), "none: this static profile was built with PARTS= without %s",
                 use->name);
        config_fault_text(report, dt_find(report->index, path), use->prop, use->found, expected);
    }
}

static void parts_check(const struct plan_profile *profile, const struct plan *plan,
                        struct config_report *report)
{
    const struct use facts = { PART_REPORT, "report", "bulkhead,report", "it", plan->report };

    use_check(profile, &facts, "", report);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        const struct plan_domain *const d = &plan->domain[i];
        const struct use use[] = {
            { PART_LINKS, "links", "xen,enhanced", "it", d->enhanced != PLAN_ENHANCED_NONE },
            { PART_LINKS, "links", "xen,domain-shared-memory-v1", "a node", plan_shares(plan, i) },
            { PART_DEVICES, "devices", "multiboot,device-tree", "a module", d->partial.bytes != 0u },
            { PART_DEVICES, "devices", "interrupts", "the host's",
              (d->partial.bytes == 0u) && plan_has_devices(plan, i) },
            { PART_IOMMU, "iommu", "iommus", "DMA streams", plan_has_streams(plan, i) },
            { PART_PCI, "pci", "bulkhead,pci-functions", "functions", plan_has_pci(plan, i) },
            { PART_WATCHDOG, "watchdog", "bulkhead,watchdog-ms", "it", d->watchdog },
            { PART_CONTROL, "control", "capabilities", "a role", d->role != 0u },
        };

        if ((d->role & PLAN_ROLE_HARDWARE) != 0u) {
            config_fault_text(report, dt_find(report->index, "/chosen"), "capabilities", "a hardware domain",
                              "none: the static profile has no tree of the host to show it");
        }
        for (size_t u = 0; (u < (sizeof(use) / sizeof(use[0]))) && ((d->role & PLAN_ROLE_HARDWARE) == 0u);
             u++) {
            use_check(profile, &use[u], d->name, report);
        }
    }
}

void profile_check(const struct plan_profile *profile, const struct plan *plan, struct config_report *report)
{
    const uint32_t chosen = dt_find(report->index, "/chosen");
    const uint32_t gic = plan->host.arm.gic_version;

    for (uint32_t id = 0; id < plan->nr_pools; id++) {
        const enum plan_sched sched = plan->pool[id].sched;

        if ((sched != PLAN_SCHED_NULL) && (sched != PLAN_SCHED_ARINC653)) {
            config_fault_say(report, chosen, "bulkhead,scheduler",
                             "%s for pool %u, said or needed, expected null, with a CPU for each vCPU, or "
                             "arinc653: the static profile has no other",
                             config_sched_name(sched), id);
        }
    }
    if (plan->partial_boot) {
        config_fault_prop(report, chosen, "bulkhead,partial-boot",
                          "nothing: the static profile starts all or none");
    }
    if (plan->log_keep.bytes != 0u) {
        config_fault_text(report, dt_find(report->index, "/reserved-memory"), "bulkhead,log", "a node",
                          "none: the static profile keeps no log");
    }
    if (plan->console.kind == PLAN_CONSOLE_NS16550) {
        config_fault_text(report, chosen, "stdout-path", "a 16550",
                          "a PL011, SBSA UART, Cadence or CMSDK UART: the static profile has no other");
    }
    if ((profile->gic_version != 0u) && (profile->gic_version != gic)) {
        config_fault_text(report, DT_ROOT, "interrupt-parent", (gic == 2u) ? "a GICv2" : "a GICv3",
                          "the other version: this static profile was built with GIC= for that one only");
    }
    parts_check(profile, plan, report);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        module_check(report, &plan->domain[i], &plan->domain[i].kernel);
        module_check(report, &plan->domain[i], &plan->domain[i].ramdisk);
    }
}

void plan_pack(const struct plan *plan, hpa_t image_base, size_t room, struct blob *out)
{
    struct plan_file header;

    out->data = memory_get(room);
    out->bytes = (size_t)plan_file_write(plan, image_base, out->data, room);
    if (out->bytes != 0u) {
        memcpy(&header, out->data, sizeof(header));
        header.crc = crc32c_update(0u, &out->data[sizeof(header)], out->bytes - sizeof(header));
        memcpy(out->data, &header, sizeof(header));
    }
}
