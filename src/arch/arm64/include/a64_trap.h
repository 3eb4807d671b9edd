/* Inside the port: traps, injection, trapped registers, FP. */
#ifndef ARCH_ARM64_A64_TRAP_H
#define ARCH_ARM64_A64_TRAP_H

#include "a64_esr.h"
#include "hal/vcpu.h"

/* Xen's calling convention on Arm: number in x16 (r12), arguments from x0, result in x0 */
#define A64_HVC_HYPERCALL 0xEA1u

/* vectors.S, interrupts masked; vcpu is current. */
void a64_trap_sync(struct hal_vcpu *vcpu, uint64_t esr);
/* What happens all the time; x19 to x29 are not in the frame. False: nothing was done, a64_trap_sync() it
 * is. */
bool a64_trap_quick(struct hal_vcpu *vcpu, uint64_t esr);
/* The same out of AArch32, of domains and of processes, with all of the frame */
void a64_trap_sync32(struct hal_vcpu *vcpu, uint64_t esr);
void a64_trap_hvc(struct hal_vcpu *vcpu, uint64_t esr);
void a64_trap_serror(struct hal_vcpu *vcpu);
_Noreturn void a64_trap_broken(uint64_t what, const struct hal_frame *frame);

/* An SError that this vCPU has to answer for, with its syndrome. */
void a64_serror(struct hal_vcpu *vcpu, uint64_t esr);
/* vectors.S: takes an SError that is pending by now, of what was done before. Its syndrome, 0 if there is
 * none. TPIDR_EL0 and TPIDRRO_EL0 may be lost: no vCPU's registers are in this CPU. */
uint64_t a64_serror_take(void);
extern uint32_t a64_broken_claim;

/* pc, pstate and x0 to x30, one log line each. */
void a64_frame_print(const struct hal_frame *frame);

/* Moves a guest past the trapped instruction. */
void a64_skip(struct hal_vcpu *vcpu, uint64_t esr);

/* abort.c. esr: the syndrome of the trap that is answered; the vCPU is loaded. */
enum hal_resume a64_abort(struct hal_vcpu *vcpu, uint64_t esr);
void a64_inject_abort(struct hal_vcpu *vcpu, uint64_t esr);
void a64_inject_undef(struct hal_vcpu *vcpu);

/* a32.c: domains in AArch32. False: the abort would repeat itself for ever, nothing was done. */
bool a64_inject_abort32(struct hal_vcpu *vcpu, uint64_t esr);
void a64_inject_undef32(struct hal_vcpu *vcpu);

/* sysreg.c: a trapped access to a system register or by a trapped cache instruction (EC 0x18). */
enum hal_resume a64_sysreg_access(struct hal_vcpu *vcpu, uint64_t esr);
/* Reads the host's identification registers. Boot CPU, once. */
void a64_sysreg_init(void);

/* support.S */
void a64_fp_save(struct hal_fp *fp);
void a64_fp_load(const struct hal_fp *fp);
void a64_copy_lines(void *dst, const void *src, uint64_t bytes);
uint32_t a64_crc32c(uint32_t crc, const void *data, uint64_t bytes);

/* head.S: where secondaries start (code), and the stacks it gives them, by cpuid_t. */
extern uint8_t a64_secondary[];
extern void *a64_secondary_stack[HV_CPUS_MAX];

#endif
