/* The device tree: found, mapped, checked. A fault is logged here and judged when the console is open. */
#include "boot/boot.h"

#define TREE_MAGIC      0xD00DFEEDu
#define TREE_HEAD_BYTES 8u /* magic and size, big-endian */

static struct dt_room boot_room;
static struct dt_index boot_index = DT_INDEX(boot_room, DT_DEPTH_MAX);

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    log_line("%s", sentence);
}

/* A fault before there is a tree to speak of. */
static void fault_early(const char *what)
{
    log_line("%s", what);
    boot_state.report.nr_faults++;
}

static bool tree_map(hpa_t base)
{
    const uint8_t *const head = boot_map(base, TREE_HEAD_BYTES);
    uint64_t bytes = 0;

    if ((head != NULL) && (bits_be32(head) == TREE_MAGIC)) {
        bytes = bits_be32(&head[4]);
    }
    if ((bytes >= TREE_HEAD_BYTES) && (bytes <= BOOT_TREE_BYTES_MAX)) {
        boot_state.tree = boot_map(base, bytes);
        boot_state.tree_bytes = bytes;
    }
    return boot_state.tree != NULL;
}

enum hv_status boot_tree_find(void)
{
    const struct hal_boot *const port = &boot_state.port;
    bool found = true;

    boot_state.tree_base = port->tree;
    if (port->payload.v != 0u) {
        found = boot_payload_use();
        if (!found) {
            fault_early("image: payload: found a damaged header, expected one that bulkhead-image wrote");
        }
    }
    if (found && ((boot_state.tree_base.v == 0u) || !tree_map(boot_state.tree_base))) {
        fault_early("device tree: found none, expected one of at most 2 MiB from the loader or in the image");
    }
    return HV_OK;
}

static const void *module_bytes(void *ctx, const struct plan_module *module)
{
    (void)ctx;
    return boot_module_map(module);
}

static enum hv_status plan_make(void)
{
    const struct hal_boot *const port = &boot_state.port;
    struct config_env env = { port->image_base,
                              port->image_bytes,
                              boot_state.tree_base,
                              boot_state.payload_base,
                              boot_state.payload_bytes,
                              module_bytes,
                              NULL };
    const uint64_t payload_end = boot_state.payload_base.v + boot_state.payload_bytes;
    enum hv_status status =
        config_index_make(&boot_index, boot_state.tree, boot_state.tree_bytes, &boot_state.report);

    if (boot_state.payload_bytes > 0u) {
        env.image_bytes = bits_max(env.image_bytes, payload_end - port->image_base.v);
    }
    if (status == HV_OK) {
        status = config_plan_make(&boot_index, &env, &boot_state.plan, &boot_state.report);
    }
    return status;
}

enum hv_status boot_tree_plan(void)
{
    boot_state.report.note = say;
    boot_state.sound = (boot_state.tree != NULL) && (plan_make() == HV_OK);
    if ((boot_state.tree != NULL) && !boot_state.sound && (boot_state.report.nr_faults == 0u)) {
        fault_early(
            "device tree: found something that cannot be used, expected a tree that bulkhead-image accepts");
    }
    return HV_OK;
}

enum hv_status boot_tree_verdict(void)
{
    enum hv_status status = HV_OK;

    if (boot_state.report.nr_faults > 0u) {
        boot_state.report.fault = say;
        boot_state.report.note = NULL;
        status = (boot_state.tree != NULL) ? plan_make() : HV_INVALID;
    }
    for (uint32_t i = 0; (i < boot_state.plan.nr_domains) && (status == HV_OK); i++) {
        if (boot_state.plan.domain[i].unsound) {
            log_line("%s: not started, its configuration is unsound", boot_state.plan.domain[i].name);
        }
    }
    return (status == HV_OK) ? HV_OK : HV_INVALID;
}
