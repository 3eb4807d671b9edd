/* Registers of the GIC that the probe looks at as well. */
#ifndef GUEST_GIC_H
#define GUEST_GIC_H

#include "guest.h"

#define GICD_CTLR       0x000u
#define GICD_TYPER      0x004u
#define GICD_IIDR       0x008u
#define GICD_IGROUPR    0x080u
#define GICD_ISENABLER  0x100u
#define GICD_ICENABLER  0x180u
#define GICD_ISPENDR    0x200u
#define GICD_ICPENDR    0x280u
#define GICD_ISACTIVER  0x300u
#define GICD_ICACTIVER  0x380u
#define GICD_IPRIORITYR 0x400u
#define GICD_ITARGETSR  0x800u
#define GICD_ICFGR      0xC00u
#define GICD_SGIR       0xF00u
#define GICD_IROUTER    0x6000u
#define GICD_PIDR2      0xFE8u /* GICv2 */

#define GICC_CTLR  0x000u
#define GICC_PMR   0x004u
#define GICC_BPR   0x008u
#define GICC_IAR   0x00Cu
#define GICC_EOIR  0x010u
#define GICC_RPR   0x014u
#define GICC_HPPIR 0x018u

#define GICR_CTLR  0x0000u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_PIDR2 0xFFE8u
#define GICR_SGI   0x10000u /* the second frame */

/* Distributor; the calling vCPU's redistributor (GICv3) or CPU interface (GICv2) */
uintptr_t gic_distributor(void);
uintptr_t gic_redistributor(void);
uintptr_t gic_cpu_interface(void);
/* Where this vCPU's bits for numbers below 32 are: banked distributor or redistributor */
uintptr_t gic_private(void);

#endif
