/* The host's timer, firmware and CPU: bindings timer/arm,arch_timer.yaml and arm/psci.yaml of Linux. */
#include "arm_plan_parse.h"

#include "config/config_fault.h"
#include "lib/string.h"

/* Arm DEN0022 section 5.1: the ids that PSCI 0.2 and later fix; PSCI 0.1 has its own in the tree. */
#define PSCI_SYSTEM_OFF   0x84000008u
#define PSCI_SYSTEM_RESET 0x84000009u

struct timer_line {
    const char *name;
    uint32_t place; /* in a node without interrupt-names */
    uint32_t *intid;
};

uint32_t arm_plan_node(const struct dt_index *ix, const char *compatible)
{
    uint32_t node = 0;

    while ((node < ix->nr_nodes) && !(dt_compatible(ix, node, compatible) && dt_enabled(ix, node))) {
        node++;
    }
    return (node < ix->nr_nodes) ? node : DT_NONE;
}

static void parse_timer(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm)
{
    const uint32_t v8 = arm_plan_node(ix, "arm,armv8-timer");
    const uint32_t node = (v8 != DT_NONE) ? v8 : arm_plan_node(ix, "arm,armv7-timer");
    struct timer_line line[] = {
        { "phys", 1u, &arm->ppi_phys_timer },
        { "virt", 2u, &arm->ppi_virt_timer },
        { "hyp-phys", 3u, &arm->ppi_hyp_timer },
    };

    if (node == DT_NONE) {
        config_fault_text(report, DT_ROOT, "timer", "none", "arm,armv8-timer");
    } else {
        struct dt_value names = { NULL, 0u };
        const bool named = dt_get(ix, node, "interrupt-names", &names);
        bool good = true;

        for (uint32_t i = 0; i < ARRAY_LEN(line); i++) {
            const uint32_t place = named ? dt_string_index(&names, line[i].name) : line[i].place;

            good = (place != DT_NONE) && arm_plan_ppi(ix, node, place, line[i].intid) && good;
        }
        if (!good && (arm->gic_version != 0u)) {
            config_fault_prop(report, node, "interrupts",
                              "PPIs for the secure, physical, virtual and hypervisor timer");
        }
        (void)dt_get_u32(ix, node, "clock-frequency", &arm->timer_frequency);
    }
}

static void parse_psci(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm,
                       uint32_t cpu_on)
{
    const uint32_t v1_0 = arm_plan_node(ix, "arm,psci-1.0");
    const uint32_t v0_2 = (v1_0 != DT_NONE) ? v1_0 : arm_plan_node(ix, "arm,psci-0.2");
    const uint32_t node = (v0_2 != DT_NONE) ? v0_2 : arm_plan_node(ix, "arm,psci");
    struct dt_value method = { NULL, 0u };

    if (node != DT_NONE) {
        if (dt_get(ix, node, "method", &method) && dt_strings_have(&method, "smc")) {
            arm->psci_conduit = ARM_CONDUIT_SMC;
        } else if ((method.bytes > 0u) && dt_strings_have(&method, "hvc")) {
            arm->psci_conduit = ARM_CONDUIT_HVC;
        } else {
            config_fault_prop(report, node, "method", "smc or hvc");
        }
        if (v0_2 != DT_NONE) {
            arm->psci_cpu_on = cpu_on;
            arm->psci_system_off = PSCI_SYSTEM_OFF;
            arm->psci_system_reset = PSCI_SYSTEM_RESET;
        } else if (!dt_get_u32(ix, node, "cpu_on", &arm->psci_cpu_on)) {
            config_note(report, node, "cpu_on", "is not there, so only the boot CPU runs");
            arm->psci_conduit = ARM_CONDUIT_NONE;
        } else {
            /* PSCI 0.1 cannot switch the machine off */
        }
    }
}

/* Guests are shown the name of the first CPU that is switched on; big.LITTLE hosts show their first
 * cluster's. */
static void parse_cpu(const struct dt_index *ix, struct arm_plan_host *arm)
{
    const uint32_t cpus = dt_child(ix, DT_ROOT, "cpus", 4u);
    uint32_t node = (cpus == DT_NONE) ? DT_NONE : dt_first_child(ix, cpus);
    struct fmt_buf name;

    fmt_init(&name, arm->cpu_compatible, sizeof(arm->cpu_compatible));
    fmt_str(&name, "arm,armv8");
    while ((node != DT_NONE) && !(dt_has(ix, node, "device_type") && dt_enabled(ix, node))) {
        node = dt_next_sibling(ix, node);
    }
    if (node != DT_NONE) {
        struct dt_value v = { NULL, 0u };

        if (dt_get(ix, node, "compatible", &v) && (v.bytes > 0u) && (v.data[v.bytes - 1u] == 0u)) {
            const void *const text = v.data;

            fmt_init(&name, arm->cpu_compatible, sizeof(arm->cpu_compatible));
            fmt_str(&name, text);
        }
    }
}

static void parse_power(const struct dt_index *ix, struct arm_plan_host *arm)
{
    const uint32_t node = arm_plan_node(ix, "arm,sp805");
    struct dt_value power = { NULL, 0u };
    struct range r = { 0u, 0u };

    if ((node != DT_NONE) && dt_get(ix, node, "bulkhead,host-power", &power) &&
        dt_reg_host(ix, node, 0, &r)) {
        arm->sp805 = r.base;
        arm->sp805_off = dt_strings_have(&power, "off");
    }
}

void arm_plan_parse(const struct dt_index *ix, struct config_report *report, struct arm_plan_host *arm,
                    uint32_t cpu_on)
{
    (void)memset(arm, 0, sizeof(*arm));
    arm_plan_parse_gic(ix, report, arm);
    parse_timer(ix, report, arm);
    parse_psci(ix, report, arm, cpu_on);
    parse_cpu(ix, arm);
    if (CONFIG_MPU != 0) {
        parse_power(ix, arm);
    }
    if (CONFIG_IOMMU != 0) {
        arm_plan_parse_smmu(ix, report, arm);
    }
}
