/* Inside the port: traps, injection, FP, starting CPUs. */
#ifndef ARCH_ARM32_A32_TRAP_H
#define ARCH_ARM32_A32_TRAP_H

#include "hal/vcpu.h"

/* vectors.S, interrupts masked; vcpu is current. */
void a32_trap_sync(struct hal_vcpu *vcpu, uint32_t hsr);
void a32_trap_hvc(struct hal_vcpu *vcpu, uint32_t hsr);
_Noreturn void a32_trap_broken(uint32_t what, const struct hal_frame *frame);
/* vectors.S: takes an asynchronous abort that is pending by now, of what was done before. Its syndrome, 0 if
 * there is none. Stack pointers of User and Supervisor mode may be lost: no vCPU's registers are in this
 * CPU. */
uint32_t a32_abort_take(void);
extern uint8_t a32_vectors[];
extern uint32_t a32_broken_claim;

/* An asynchronous abort that this vCPU has to answer for, with its syndrome. */
void a32_abort_async(struct hal_vcpu *vcpu, uint32_t hsr);

/* pc, cpsr and r0 to r12, one log line each. */
void a32_frame_print(const struct hal_frame *frame);

/* abort.c. hsr: the syndrome of the trap that is answered; the vCPU is loaded. */
enum hal_resume a32_abort(struct hal_vcpu *vcpu, uint32_t hsr);
void a32_inject_abort(struct hal_vcpu *vcpu, uint32_t hsr);
void a32_inject_undef(struct hal_vcpu *vcpu);

/* support.S */
void a32_fp_save(struct a32_fp *fp);
void a32_fp_load(const struct a32_fp *fp);

/* The memory model's part of a switch (v7a, v8r): the guest's map, and registers that are in no list. */
void a32_model_init_cpu(void);
/* Instead of firmware, which these machines do not have: HV_INVALID if the CPU runs. */
enum hv_status a32_model_start(cpuid_t cpu, uint64_t hwid);
void a32_model_reset(struct hal_vcpu *vcpu);
void a32_model_save(struct hal_vcpu *vcpu);
void a32_model_load(struct hal_vcpu *vcpu);

/* head.S: where secondaries start (code), and the stacks it gives them, by cpuid_t. */
extern uint8_t a32_secondary[];
extern void *a32_secondary_stack[HV_CPUS_MAX];

#endif
