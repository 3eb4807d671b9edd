/* The static profile of the hypervisor: it takes a plan instead of a tree, and less of one than the full
 * profile. */
/* [impl->req~static-profile~1] */
#include "tool.h"

#include <stdio.h>
#include <string.h>

#include "lib/crc32c.h"

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

void profile_check(const struct plan_profile *profile, const struct plan *plan, struct config_report *report)
{
    const uint32_t chosen = dt_find(report->index, "/chosen");
    const uint32_t gic = plan->host.arm.gic_version;

    if (plan->sched != PLAN_SCHED_NULL) {
        config_fault_text(report, chosen, "bulkhead,scheduler", "rr, said or needed",
                          "a CPU for each vCPU: the static profile has the scheduler null only");
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
                          "a PL011, SBSA UART or Cadence UART: the static profile has no other");
    }
    if ((profile->gic_version != 0u) && (profile->gic_version != gic)) {
        config_fault_text(report, DT_ROOT, "interrupt-parent", (gic == 2u) ? "a GICv2" : "a GICv3",
                          "the other version: this static profile was built with GIC= for that one only");
    }
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
