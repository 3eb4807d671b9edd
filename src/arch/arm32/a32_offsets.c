/* Numbers that assembly needs. Never linked: the build turns each "->NAME VALUE" of this file's compilation
 * into a #define. */

#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/vcpu.h"

#define OFFSET(name, value) __asm__ volatile("\n.ascii \"->" #name " %0\"" : : "i"(value))

void asm_offsets(void);

void asm_offsets(void)
{
    OFFSET(FRAME_LR, offsetof(struct hal_frame, lr));
    OFFSET(FRAME_PC, offsetof(struct hal_frame, pc));
    OFFSET(FRAME_SP, offsetof(struct hal_frame, sp));
    OFFSET(FRAME_BYTES, sizeof(struct hal_frame));
    OFFSET(CPU_CURRENT, offsetof(struct hal_cpu, current));
    OFFSET(CPU_STACK_TOP, offsetof(struct hal_cpu, stack_top));
    OFFSET(CPU_EXIT_WORK, offsetof(struct hal_cpu, exit_work));
}
