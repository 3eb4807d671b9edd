/* A domain's and a vCPU's state inside the port: arm64. */
#ifndef HAL_ARCH_VCPU_H
#define HAL_ARCH_VCPU_H

#include "hal_arch/context.h"
#include "hal_arch/guestmap.h"
#include "arm_vcpu.h"

struct hal_domain {
    struct hal_guestmap map;
    uint32_t nr_vcpus;
    uint8_t last_vcpu
        [HV_CPUS_MAX]; /* index + 1 of the vCPU that ran last on each CPU: TLB entries are per VMID only */
    struct arm_domain arm;
};

/* EL1 and EL0 registers that are live in the CPU while the vCPU is loaded, by their architectural names. */
struct a64_guest_regs {
    uint64_t sctlr;
    uint64_t cpacr;
    uint64_t ttbr0;
    uint64_t ttbr1;
    uint64_t tcr;
    uint64_t mair;
    uint64_t amair;
    uint64_t vbar;
    uint64_t esr;
    uint64_t far;
    uint64_t afsr0;
    uint64_t afsr1;
    uint64_t elr;
    uint64_t spsr;
    uint64_t sp_el0;
    uint64_t sp_el1;
    uint64_t contextidr;
    uint64_t tpidr_el0;
    uint64_t tpidrro;
    uint64_t tpidr_el1;
    uint64_t par;
    uint64_t cntkctl;
    uint64_t csselr;
    uint64_t key[10]; /* pointer authentication: IA IB DA DB GA, low then high */
    uint32_t a32[7];  /* what only AArch32 has; not switched for others */
};

/* What besides is switched */
#define A64_MORE_KEYS 1u
#define A64_MORE_A32  2u

struct hal_vcpu {
    struct hal_frame frame; /* first: assembly and generic code cast */
    struct hal_domain *domain;
    uint32_t index;
    uint32_t more; /* A64_MORE_ */
    uint64_t hcr;
    uint64_t vmpidr;
    struct a64_guest_regs regs;
    struct hal_fp fp;
    struct arm_vcpu arm;
};

#endif
