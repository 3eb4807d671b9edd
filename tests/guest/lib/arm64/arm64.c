/* AArch64: translation tables, traps, firmware calls and further vCPUs. */
#include "guest.h"

#define BLOCK_DEVICE 0x60000000000401ULL /* never executable */
#define BLOCK_NORMAL 0x705ULL            /* inner shareable */

extern uint64_t level1[512];
extern const char image_start[];
void secondary_start(void);
/* Called by start.S */
void arch_tables_make(void);
void arch_main(const void *tree);
void arch_secondary(uint64_t cpu);
void arch_trap(uint64_t kind, struct trap_frame *frame);

bool (*volatile trap_hook)(struct trap_frame *frame, uint64_t syndrome, uint64_t address);
static void (*volatile secondary_entry[GUEST_CPUS_MAX])(void);
static bool by_smc;
static uint32_t virt_irq;
static uint32_t phys_irq;

/* Before the MMU is on: no table lines may linger in a cache then. */
void arch_tables_make(void)
{
    level1[0] = BLOCK_DEVICE;
    for (uint64_t i = 1u; i < 4u; i++) {
        level1[i] = (i << 30u) | BLOCK_NORMAL;
    }
    for (uint32_t i = 0u; i < 512u; i += 8u) {
        __asm__ volatile("dc ivac, %0" : : "r"(&level1[i]) : "memory");
    }
    __asm__ volatile("dsb sy" : : : "memory");
}

static void timer_find(void)
{
    const struct tree_node node = tree_compatible("arm,armv8-timer");

    /* secure, physical, virtual, hypervisor */
    if (!tree_irq(&node, 1u, &phys_irq) || !tree_irq(&node, 2u, &virt_irq)) {
        print("guest: no timer in the tree\n");
    }
}

uint32_t timer_virt_irq(void)
{
    return virt_irq;
}

uint32_t timer_phys_irq(void)
{
    return phys_irq;
}

__attribute__((weak)) void guest_early(void)
{
}

void arch_main(const void *tree)
{
    tree_init(tree);
    const struct tree_node psci = tree_path("psci");
    const char *const method = tree_string(&psci, "method");

    by_smc = (method != NULL) && text_equal(method, "smc");
    console_init();
    timer_find();
    guest_early();
    irq_init();
    guest_main();
    power_off();
}

/* -- Traps -- */

static void trap_report(uint64_t kind, const struct trap_frame *frame)
{
    print("guest: trap %u esr %X far %X pc %X (image at %X)\n", (uint32_t)kind, reg_read(esr_el1),
          reg_read(far_el1), frame->pc, (uint64_t)(uintptr_t)image_start);
}

void arch_trap(uint64_t kind, struct trap_frame *frame)
{
    if (kind == 1u) {
        irq_dispatch();
    } else if ((kind != 0u) || (trap_hook == NULL) ||
               !trap_hook(frame, reg_read(esr_el1), reg_read(far_el1))) {
        trap_report(kind, frame);
        power_off();
    } else {
        /* the hook dealt with it */
    }
}

/* -- Firmware -- */

#define FIRMWARE(name, instruction)                                                                          \
    struct firmware_result name(uint64_t function, uint64_t a, uint64_t b, uint64_t c)                       \
    {                                                                                                        \
        register uint64_t x0 __asm__("x0") = function;                                                       \
        register uint64_t x1 __asm__("x1") = a;                                                              \
        register uint64_t x2 __asm__("x2") = b;                                                              \
        register uint64_t x3 __asm__("x3") = c;                                                              \
                                                                                                             \
        __asm__ volatile(instruction                                                                         \
                         : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)                                            \
                         :                                                                                   \
                         : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15",     \
                           "x16", "x17", "memory");                                                          \
        const struct firmware_result result = { { x0, x1, x2, x3 } };                                        \
        return result;                                                                                       \
    }

FIRMWARE(firmware_hvc, "hvc #0")
FIRMWARE(firmware_smc, "smc #0")

uint64_t firmware_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    const struct firmware_result result =
        by_smc ? firmware_smc(function, a, b, c) : firmware_hvc(function, a, b, c);

    /* PSCI's answers are 32 bits with a sign in its 32-bit calls. */
    return ((function & 0x40000000u) != 0u) ? result.x[0] : (uint64_t)(int64_t)(int32_t)result.x[0];
}

_Noreturn void power_off(void)
{
    (void)firmware_call(PSCI_SYSTEM_OFF, 0u, 0u, 0u);
    for (;;) {
        arch_wait();
    }
}

_Noreturn void cpu_off(void)
{
    (void)firmware_call(PSCI_CPU_OFF, 0u, 0u, 0u);
    for (;;) {
        print("guest: CPU_OFF came back\n");
        arch_irq_mask();
        arch_wait();
    }
}

void arch_secondary(uint64_t cpu)
{
    irq_init_cpu();
    secondary_entry[cpu]();
    arch_irq_mask();
    cpu_off();
}

uint64_t cpu_hwid(uint32_t cpu)
{
    char path[] = "cpus/cpu@0";
    uint64_t hwid = UINT64_MAX;
    uint64_t none;

    path[9] = (char)('0' + (char)cpu);
    const struct tree_node node = tree_path(path);
    (void)tree_reg(&node, 0u, &hwid, &none);
    return hwid;
}

uint32_t cpu_number(void)
{
    return (uint32_t)(reg_read(mpidr_el1) & 0xFFu);
}

uint64_t cpu_on(uint32_t cpu, void (*entry)(void))
{
    secondary_entry[cpu] = entry;
    arch_barrier();
    return firmware_call(PSCI_CPU_ON, cpu_hwid(cpu), (uint64_t)(uintptr_t)secondary_start, cpu);
}
