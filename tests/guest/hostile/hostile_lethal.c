/* Ways to die. What only hangs is ended by the watchdog. */
#include "hostile.h"

#include "hostile_arch.h"

#define PATIENCE_MS 300u

extern char image_start[];
extern char bss_end[];

static void spin_masked(void)
{
    for (;;) {
        arch_yield();
    }
}

static void reset(void)
{
    (void)firmware_call(PSCI_SYSTEM_RESET, 0u, 0u, 0u);
}

static void storming(void)
{
    for (;;) {
        for (uint32_t cpu = 0u; cpu < hostile_cpus(); cpu++) {
            irq_send(1u, cpu);
        }
        (void)mmio_read32(gic_distributor() + GICD_ISPENDR + 4u);
        arch_yield();
    }
}

static void others(void (*function)(void))
{
    for (uint32_t cpu = 1u; cpu < hostile_cpus(); cpu++) {
        let_loose(cpu, function);
    }
}

static void reset_in_storm(void)
{
    others(storming);
    for (uint32_t i = 0u; i < 1000u; i++) {
        irq_send(2u, 0u);
    }
    reset();
}

static void reset_by_other(void)
{
    others(reset);
    if (hostile_cpus() == 1u) {
        reset();
    }
    storming();
}

static void reset_by_all(void)
{
    others(reset);
    reset();
}

static void vectors_nowhere(void)
{
    others(storming);
    reg_write(vbar_el1, LAYOUT_CODE);
    hostile_undefined();
}

/* It traps to itself for ever and leaves us never. */
static void vectors_forbidden(void)
{
    watchdog_arm(PATIENCE_MS);
    reg_write(vbar_el1, LAYOUT_NOEXEC);
    hostile_undefined();
}

static void jump_nowhere(void)
{
    void (*const nowhere)(void) = (void (*)(void))(uintptr_t)(LAYOUT_CODE + 0x1000000u);

    reg_write(vbar_el1, LAYOUT_CODE + 0x1000u);
    nowhere();
}

static void tables_gone(void)
{
    watchdog_arm(PATIENCE_MS);
    hostile_memory_gone();
    spin_masked();
}

/* The same by tables that hold nothing, or regions that contradict each other */
static void tables_empty(void)
{
    watchdog_arm(PATIENCE_MS);
    hostile_memory_empty();
    spin_masked();
}

/* Every exception makes another one when its frame is stored. */
static void stack_nowhere(void)
{
    watchdog_arm(PATIENCE_MS);
    hostile_stack_at(LAYOUT_NOWHERE);
}

static void hang(void)
{
    watchdog_arm(PATIENCE_MS);
    others(spin_masked);
    spin_masked();
}

static void sleep_for_ever(void)
{
    watchdog_arm(PATIENCE_MS);
    gic_calm();
    for (;;) {
        arch_wait();
    }
}

static void all_off(void)
{
    watchdog_arm(PATIENCE_MS);
    cpu_off();
}

/* A vCPU that begins where zeros are, with vectors at 0 */
static void vcpu_in_zeros(void)
{
    const uint64_t zeros = ((uint64_t)(uintptr_t)bss_end + 0x10000u) & ~0xFFFULL;

    watchdog_arm(PATIENCE_MS);
    (void)firmware_call(PSCI_CPU_ON, cpu_hwid((hostile_cpus() > 1u) ? 1u : 0u), zeros, 0u);
    spin_masked();
}

/* The kernel writes over itself, its tables and its vectors: one firmware call after the other. */
static void overwrite_self(void)
{
    watchdog_arm(PATIENCE_MS);
    hostile_overwrite(image_start, bss_end);
}

const struct attack attacks_lethal[] = {
    { "reset_in_storm", reset_in_storm, false },
    { "reset_by_other", reset_by_other, false },
    { "reset_by_all", reset_by_all, false },
    { "vectors_nowhere", vectors_nowhere, false },
    { "jump_nowhere", jump_nowhere, false },
    { "vcpu_in_zeros", vcpu_in_zeros, false },
    { "tables_gone", tables_gone, false },
    { "hang", hang, false },
    { "sleep_for_ever", sleep_for_ever, false },
    { "all_off", all_off, false },
    { "stack_nowhere", stack_nowhere, false },
    /* After these no instruction may be executed any more: an emulator that counts them stops its clocks. */
    { "overwrite_self", overwrite_self, false },
    { "vectors_forbidden", vectors_forbidden, false },
    { "tables_empty", tables_empty, false },
    { NULL, NULL, false },
};
