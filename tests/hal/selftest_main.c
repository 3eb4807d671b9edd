/* The suite as an image of its own, in the hypervisor's place on a machine of QEMU's; the end is the host's
 * power-off. */
#include "config/config.h"
#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "hal/irq.h"
#include "hal/power.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal_suite.h"
#include "lib/bits.h"
#include "selftest_edu.h"
#include "selftest_machine.h"

#define UART_BYTES  0x1000u
#define HEAP_BYTES  MIB(4)
#define TREE_BYTES  MIB(2) /* most that the tree may have */
#define STACK_ALIGN 16

static volatile uint8_t *uart;
static struct dt_room room;
static struct dt_index tree = DT_INDEX(room, DT_DEPTH_MAX);
static struct hal_plan_host host;
static uint8_t stacks[2][SUITE_STACK_BYTES] __attribute__((aligned(STACK_ALIGN)));

static void put(char c)
{
    if (uart != NULL) {
        if (c == '\n') {
            put('\r');
        }
        selftest_machine.put(uart, c);
    }
}

static void end(uint32_t nr_failed)
{
    (void)nr_failed;
    hal_power_off();
    suite_text("HAL-SUITE the power stays on\n");
    hal_cpu_park();
}

static void must(enum hv_status status, const char *what)
{
    if (status != HV_OK) {
        suite_text("HAL-SUITE cannot begin: ");
        suite_text(what);
        suite_text(" answers ");
        suite_number((uint64_t)status);
        suite_text("\n");
        end(1u);
    }
}

static void fault(void *ctx, const char *sentence)
{
    (void)ctx;
    suite_text("HAL-LOG ");
    suite_text(sentence);
    suite_text("\n");
}

static void cpu_begin(cpuid_t cpu, void (*entry)(void *arg))
{
    struct percpu *const area = &percpu_area[cpu];

    hal_timer_init_cpu();
    hal_context_init(&area->worker, entry, NULL, &stacks[cpu][SUITE_STACK_BYTES]);
    hal_context_set(&area->worker.frame);
    hal_cpu_run();
}

/* A CPU of the tree that is not the one we run on */
static uint64_t second_hwid(uint64_t mine)
{
    const uint32_t cpus = dt_find(&tree, "/cpus");
    uint64_t found = UINT64_MAX;

    for (uint32_t n = (cpus == DT_NONE) ? DT_NONE : dt_first_child(&tree, cpus); n != DT_NONE;
         n = dt_next_sibling(&tree, n)) {
        struct dt_value reg = { NULL, 0u };

        if (dt_has(&tree, n, "device_type") && dt_get(&tree, n, "reg", &reg)) {
            const uint64_t hwid = dt_cells(&reg, 0u, dt_address_cells(&tree, cpus));

            found = (hwid != mine) ? hwid : found;
        }
    }
    return found;
}

static void tree_read(hpa_t at)
{
    struct config_report report = { .fault = fault };
    const void *blob = NULL;

    must(hal_hypmap_readonly(at, TREE_BYTES, &blob), "hal_hypmap_readonly");
    must(config_index_make(&tree, blob, TREE_BYTES, &report), "config_index_make");
    hal_plan_host_parse(&tree, &report, &host);
    must((report.nr_faults == 0u) ? HV_OK : HV_INVALID, "hal_plan_host_parse");
}

_Noreturn void upcall_boot(const struct hal_boot *boot)
{
    static const uint32_t nr_streams[HAL_IOMMUS_MAX] = { SUITE_STREAMS };
    void *va = NULL;
    uint64_t used = 0u;

    percpu_area[0].hwid = boot->cpu_hwid;
    hal_cpu_set_local(&percpu_area[0]);
    hal_cpu_init();
    suite_seen.domain_pages_max = UINT32_MAX;
    suite_machine.put = put;
    suite_machine.end = end;
    suite_machine.scratch = hpa(selftest_machine.scratch);
    suite_machine.host = &host;
    must(hal_hypmap_heap(hpa(selftest_machine.heap), HEAP_BYTES, &va, &used), "hal_hypmap_heap");
    uint8_t *const heap = &((uint8_t *)va)[used];
    CHECK(hal_hypmap_hpa(va).v == selftest_machine.heap);
    CHECK((used < HEAP_BYTES) && ((used % PAGE_BYTES) == 0u));
    CHECK(hal_hypmap_hpa(&((uint8_t *)va)[HEAP_BYTES - 1u]).v == (selftest_machine.heap + HEAP_BYTES - 1u));
    must(hal_hypmap_device(hpa(selftest_machine.uart), UART_BYTES, &va), "hal_hypmap_device");
    uart = va;
    suite_machine.pages = heap;
    suite_text("HAL-SUITE begins\n");
    tree_read((selftest_machine.tree != 0u) ? hpa(selftest_machine.tree) : boot->tree);
    suite_machine.second_hwid = second_hwid(boot->cpu_hwid);
    hal_power_init(&host);
    must(hal_irq_init(&host), "hal_irq_init");
    must(hal_timer_init(&host), "hal_timer_init");
    if ((CONFIG_IOMMU != 0) && selftest_edu_find() && (host.arm.nr_smmus > 0u)) {
        hal_iommu_init(&host, nr_streams);
    } else {
        suite_machine.copy = NULL;
    }
    cpu_begin(0u, suite_run);
    end(1u);
    hal_cpu_park();
}

_Noreturn void upcall_cpu_boot(cpuid_t cpu)
{
    percpu_area[cpu].id = cpu;
    hal_cpu_set_local(&percpu_area[cpu]);
    hal_cpu_init();
    must(hal_irq_init_cpu(), "hal_irq_init_cpu");
    cpu_begin(cpu, suite_second);
    hal_cpu_park();
}
