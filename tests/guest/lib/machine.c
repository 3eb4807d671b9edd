/* What does not depend on how many bits a register has: beginning, timers, traps, firmware, vCPUs. */
#include "arch.h"

bool (*volatile trap_hook)(struct trap_frame *frame, uint64_t syndrome, uint64_t address);
static void (*volatile secondary_entry[GUEST_CPUS_MAX])(void);
static bool by_smc;
static uint32_t virt_irq;
static uint32_t phys_irq;

static void timer_find(void)
{
    struct tree_node node = tree_compatible("arm,armv8-timer");

    if (node.at == NULL) {
        node = tree_compatible("arm,armv7-timer");
    }
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

void machine_trap(uint32_t kind, struct trap_frame *frame, uint64_t syndrome, uint64_t address)
{
    if (kind == TRAP_IRQ) {
        irq_dispatch();
    } else if ((kind != TRAP_SYNC) || (trap_hook == NULL) || !trap_hook(frame, syndrome, address)) {
        print("guest: trap %u esr %X far %X pc %X (image at %X)\n", kind, syndrome, address,
              (uint64_t)frame->pc, (uint64_t)(uintptr_t)image_start);
        power_off();
    } else {
        /* the hook dealt with it */
    }
}

/* -- Firmware -- */

uint64_t firmware_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c)
{
    const struct firmware_result result =
        by_smc ? firmware_smc(function, a, b, c) : firmware_hvc(function, a, b, c);

    /* PSCI's answers are 32 bits with a sign in its 32-bit calls. */
    const bool wide = (sizeof(uintptr_t) == 8u) && ((function & 0x40000000u) != 0u);

    return wide ? result.x[0] : (uint64_t)(int64_t)(int32_t)result.x[0];
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
