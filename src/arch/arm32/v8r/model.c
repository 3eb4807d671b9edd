/* [impl->req~armv8r~1] */
/* Armv8-R's memory model: from the early regions to upcall_boot(), CPUs that start with all of them, a vCPU's
 * part of a switch. */
/* [impl->req~memory-apart~1] */
#include "a32_trap.h"
#include "arm_early.h"
#include "arm_port.h"
#include "hal/cache.h"
#include "hal/cpu.h"
#include "hal/upcall.h"
#include "mpu_cpu.h"
#include "mpu_regs.h"

#define MPUIR_REGIONS_LOW 8u

/* Linker script */
extern uint8_t arm_image_start[];
extern uint8_t arm_rodata_end[];
extern uint8_t arm_image_end[];

/* head.S: whether a CPU is to go on, by affinity: 1 + cpuid_t. Read before .bss is clear. */
extern uint32_t a32_mailbox[HV_CPUS_MAX];
uint32_t a32_mailbox[HV_CPUS_MAX] __attribute__((section(".data.a32_mailbox")));

/* memory.S: what a secondary starts with, encoded, by cpuid_t */
struct a32_regions {
    uint32_t nr;
    uint32_t pair[MPU_OWN_MAX][2]; /* HPRBAR, HPRLAR */
};
extern struct a32_regions a32_regions[HV_CPUS_MAX];
_Static_assert(sizeof(struct a32_regions) == 100u, "memory.S says so, too");
struct a32_regions a32_regions[HV_CPUS_MAX];

void arm_early_boot(uintptr_t tree, uintptr_t image_pa, uintptr_t payload_offset)
{
    const struct mpu_region code = { image_pa, (uintptr_t)arm_rodata_end - 1u, MPU_EXEC };
    const struct mpu_region data = { (uintptr_t)arm_rodata_end, (uintptr_t)arm_image_end - 1u, MPU_WRITE };
    const struct hal_boot boot = {
        .image_base = hpa(image_pa),
        .image_bytes = (uintptr_t)arm_image_end - image_pa,
        .payload = hpa((payload_offset != 0u) ? (image_pa + payload_offset) : 0u),
        .tree = hpa(tree),
        .cpu_hwid = arm_cpu_hwid(),
    };

    mpu_image(&code, &data);
    upcall_boot(&boot);
}

enum hv_status a32_model_start(cpuid_t cpu, uint64_t hwid)
{
    const struct mpu_cpu *const from = mpu_cpu_of(cpu);
    struct a32_regions *const to = &a32_regions[cpu];
    uint32_t *const mail = &a32_mailbox[hwid % HV_CPUS_MAX];

    if (*mail != 0u) {
        return HV_INVALID;
    }
    for (uint32_t i = 0u; i < from->nr_own; i++) {
        to->pair[i][0] = mpu_bar32(&from->own[i]);
        to->pair[i][1] = mpu_lar32(&from->own[i]);
    }
    to->nr = from->nr_own;
    hal_cache_clean(to, sizeof(*to));
    hal_cache_clean(a32_secondary_stack, sizeof(a32_secondary_stack));
    *mail = cpu + 1u;
    hal_cache_clean(mail, sizeof(*mail));
    __asm__ volatile("dsb ishst\n\tsev" : : : "memory"); /* the mail first (DDI 0406 B1.8.13) */
    return HV_OK;
}

void a32_model_init_cpu(void)
{
    arm_guestmap_leave();
}

/* All regions are off: their registers are zero, as the MPU is by SCTLR. */
void a32_model_reset(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

static uint32_t model_regions(void)
{
    return (A32_READ(A32_MPUIR) >> MPUIR_REGIONS_LOW) & 0xFFu;
}

void a32_model_save(struct hal_vcpu *vcpu)
{
    struct a32_guest_regs *const regs = &vcpu->regs;
    const uint32_t nr = model_regions();

#define MODEL_SAVE(field, reg) regs->field = A32_READ(reg);
    if (nr > 16u) {
        A32_MODEL_TO_20(MODEL_SAVE)
    }
    if (nr > 20u) {
        A32_MODEL_TO_24(MODEL_SAVE)
    }
#undef MODEL_SAVE
    arm_guestmap_leave();
}

void a32_model_load(struct hal_vcpu *vcpu)
{
    const struct a32_guest_regs *const regs = &vcpu->regs;
    const uint32_t nr = model_regions();

#define MODEL_LOAD(field, reg) A32_WRITE(reg, regs->field);
    if (nr > 16u) {
        A32_MODEL_TO_20(MODEL_LOAD)
    }
    if (nr > 20u) {
        A32_MODEL_TO_24(MODEL_LOAD)
    }
#undef MODEL_LOAD
    arm_guestmap_enter(&vcpu->domain->map);
}
