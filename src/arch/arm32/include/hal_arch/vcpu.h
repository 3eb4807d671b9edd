/* A domain's and a vCPU's state inside the port: AArch32. */
#ifndef HAL_ARCH_VCPU_H
#define HAL_ARCH_VCPU_H

#include "hal_arch/context.h"
#include "hal_arch/guestmap.h"
#include "a32_regs.h"
#include "arm_vcpu.h"

struct hal_domain {
    struct hal_guestmap map;
    uint32_t nr_vcpus;
    uint8_t last_vcpu
        [HV_CPUS_MAX]; /* index + 1 of the vCPU that ran last on each CPU: TLB entries are per VMID only */
    struct arm_domain arm;
};

/* d0-d31 and the control registers */
struct a32_fp {
    uint64_t d[32];
    uint32_t fpscr;
    uint32_t fpexc;
};

/* What is live in the CPU while the vCPU is loaded (a32_regs.h) */
#define A32_FIELD32(name, reg) uint32_t name;
#define A32_FIELD64(name, reg) uint64_t name;
struct a32_guest_regs {
    uint32_t bank[A32_BANKED_NR];
    A32_WORDS(A32_FIELD32)
    A32_MODEL_SOME(A32_FIELD32) /* those that not all CPUs have: a32_model_save() */
    A32_PAIRS(A32_FIELD64)
};
#undef A32_FIELD32
#undef A32_FIELD64

#define A32_CALL_ARGS 5u

struct hal_vcpu {
    struct hal_frame frame; /* first: assembly and generic code cast */
    struct hal_domain *domain;
    uint32_t index;
    uint32_t hcr;
    uint32_t vmpidr;
    struct a32_guest_regs regs;
    struct a32_fp fp;
    struct arm_vcpu arm;
    uint64_t call[A32_CALL_ARGS]; /* arguments of the hypercall that it is in */
};

#endif
