/* The way from the port's entry to the scheduler, as a table of steps. */
#include "boot/boot.h"

#include "base/percpu.h"
#include "lib/version.h"
#include "hal/irq.h"
#include "hal/power.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "operator/operator.h"
#include "sched/sched.h"

struct boot_state boot_state;

static enum hv_status step_power(void)
{
    hal_power_init(&boot_state.plan.host);
    boot_panic_policy(false);
    return HV_OK;
}

static enum hv_status step_banner(void)
{
    const struct plan *const plan = &boot_state.plan;
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < plan->nr_ram; i++) {
        bytes += plan->ram[i].bytes;
    }
    log_line("Bulkhead %s on %s, %u CPUs, %U MiB RAM", HV_VERSION, hal_cpu_describe(), plan->nr_cpus,
             bytes >> 20u);
    return HV_OK;
}

static enum hv_status step_irq(void)
{
    return hal_irq_init(&boot_state.plan.host);
}

static enum hv_status step_time(void)
{
    const enum hv_status status = hal_timer_init(&boot_state.plan.host);

    if (status == HV_OK) {
        hal_timer_init_cpu();
    }
    return status;
}

static enum hv_status step_sched(void)
{
    sched_init(&boot_state.plan);
    return HV_OK;
}

struct boot_step {
    const char *name;
    enum hv_status (*run)(void);
};

/* A step that fails ends the boot. */
static const struct boot_step steps[] = {
    { "tree", (CONFIG_STATIC == 0) ? boot_tree_find : boot_packed_find },
    { "plan", (CONFIG_STATIC == 0) ? boot_tree_plan : boot_packed_plan },
    { "power", step_power },
    { "console", boot_console_open },
    { "kept log", boot_console_keep },
    { "banner", step_banner },
    { "verdict", (CONFIG_STATIC == 0) ? boot_tree_verdict : boot_packed_verdict },
    { "CPU names", smp_name_cpus },
    { "RAM", boot_memory_ram },
    { "heap", boot_memory_heap },
    { "interrupts", step_irq },
    { "time", step_time },
    { "scheduler", step_sched },
    { "IOMMUs", (CONFIG_IOMMU != 0) ? boot_iommu_start : NULL },
    { "stacks", smp_prepare },
    { "domains", boot_domains_prepare },
    { "operator", (CONFIG_STATIC == 0) ? operator_start : NULL },
    { "input", boot_console_listen },
    { "other CPUs", smp_start },
    { "construction", boot_domains_queue },
};

_Noreturn void upcall_boot(const struct hal_boot *boot)
{
    enum hv_status status = HV_OK;
    uint32_t done = 0;

    hal_cpu_set_local(&percpu_area[0]);
    hal_cpu_init();
    boot_state.port = *boot;
    while ((done < ARRAY_LEN(steps)) && (status == HV_OK)) {
        status = (steps[done].run != NULL) ? steps[done].run() : HV_OK;
        done++;
    }
    if (status != HV_OK) {
        log_line("boot: step %s failed, nothing is started", steps[done - 1u].name);
        hal_power_off();
        console_flush();
        hal_cpu_park();
    }
    sched_start_cpu();
}
