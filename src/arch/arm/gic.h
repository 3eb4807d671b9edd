/* The host's interrupt controller as the rest of arch/arm sees it: one interface over GICv2 and GICv3.
 * IHI 0048B is the GICv2 specification, IHI 0069H the GICv3 one. */
#ifndef ARCH_ARM_GIC_H
#define ARCH_ARM_GIC_H

#include "arm_vcpu.h"

#define GIC_SGIS        16u
#define GIC_PRIVATE     32u /* INTIDs below are private to a CPU */
#define GIC_INTID_MASK  0x3FFu
#define GIC_SPECIAL     1020u /* acknowledged INTIDs from here on mean: nothing */
#define GIC_SGI_IPI     0u
#define GIC_PRIORITIES4 0xA0A0A0A0u
#define GIC_PMR         0xF0u

/* Distributor registers, the same in both versions; from IGROUPR to ICFGR also the GICv3 redistributor's SGI
 * page. */
#define GICD_CTLR       0x0000u
#define GICD_TYPER      0x0004u
#define GICD_IIDR       0x0008u
#define GICD_IGROUPR    0x0080u
#define GICD_ISENABLER  0x0100u
#define GICD_ICENABLER  0x0180u
#define GICD_ISPENDR    0x0200u
#define GICD_ICPENDR    0x0280u
#define GICD_ISACTIVER  0x0300u
#define GICD_ICACTIVER  0x0380u
#define GICD_IPRIORITYR 0x0400u
#define GICD_ITARGETSR  0x0800u
#define GICD_ICFGR      0x0C00u
#define GICD_SGIR       0x0F00u
#define GICD_CPENDSGIR  0x0F10u
#define GICD_SPENDSGIR  0x0F20u
#define GICD_IROUTER    0x6000u
#define GICD_V2_PIDR2   0x0FE8u
#define GICD_V3_PIDR2   0xFFE8u

#define GICR_CTLR  0x0000u
#define GICR_IIDR  0x0004u
#define GICR_TYPER 0x0008u
#define GICR_WAKER 0x0014u
#define GICR_SGI   0x10000u /* second page of a redistributor */

#define GICR_WAKER_PROCESSOR_SLEEP BIT32(1)
#define GICR_WAKER_CHILDREN_ASLEEP BIT32(2)
#define GICR_TYPER_LAST            BIT64(4)

/* List register as GICv3 lays it out (IHI 0069H section 12.4.8); gicv2.c converts. With HW = 0 the field of
 * the physical INTID holds the EOI request and, for GICv2's SGIs, the sender. */
#define GIC_LR_VINTID     0x3FFULL
#define GIC_LR_SOURCE_LOW 32u
#define GIC_LR_PINTID_LOW 32u
#define GIC_LR_EOI        BIT64(41)
#define GIC_LR_PRIO_LOW   48u
#define GIC_LR_GROUP1     BIT64(60)
#define GIC_LR_HW         BIT64(61)
#define GIC_LR_PENDING    BIT64(62)
#define GIC_LR_ACTIVE     BIT64(63)
#define GIC_LR_STATE      (GIC_LR_PENDING | GIC_LR_ACTIVE)

/* ICH_HCR_EL2 and GICH_HCR agree in these; so do ICH_VMCR_EL2 and GICH_VMCR. */
#define GIC_HCR_EN           BIT32(0)
#define GIC_HCR_LRENPIE      BIT32(2)
#define GIC_HCR_NPIE         BIT32(3)
#define GIC_HCR_EOICOUNT_LOW 27u
#define GIC_VMCR_ENG0        BIT32(0)
#define GIC_VMCR_ENG1        BIT32(1)
#define GIC_VMCR_PMR_LOW     24u

/* A host CPU. Written by that CPU only. */
struct gic_cpu {
    struct hal_vcpu *loaded;  /* the vCPU whose interrupt state this CPU holds */
    volatile uint8_t *redist; /* GICv3: its redistributor */
    uint64_t address;         /* GICv2: its bit in target masks; GICv3: affinity as in ICC_SGI1R_EL1 */
    volatile uint32_t is_up;
};

struct gic {
    const struct arm_plan_host *host;
    volatile uint8_t *gicd;
    uint32_t version; /* 2 or 3 */
    uint32_t nr_irqs;
    uint32_t nr_lrs;     /* 2 .. VGIC_LRS_MAX */
    uint32_t nr_aprs;    /* active priority registers of each group; GICv2: 1 */
    uint32_t vtimer_irq; /* physical INTID of the guests' virtual timer */
    hpa_t gicv[2];       /* GICv2: the two pages of the virtual CPU interface */
};

extern struct gic gic_host;
extern struct gic_cpu gic_cpus[HV_CPUS_MAX];

struct gic_cpu *gic_this_cpu(void);

/* Ends an interrupt of this CPU; value: its INTID as acknowledged. Priority drop is apart from it (EOImode
 * 1). */
void gic_deactivate(uint32_t value);
/* Makes a private interrupt of this CPU active, so that it is not delivered until a guest deactivates it. */
void gic_private_set_active(uint32_t intid);

/* The virtual CPU interface of this CPU. slot < nr_lrs. */
uint64_t gic_lr_read(uint32_t slot);
void gic_lr_write(uint32_t slot, uint64_t value);
uint32_t gic_lr_empty(void); /* set of list registers without pending or active state */
uint32_t gic_hcr_read(void);
void gic_hcr_write(uint32_t value);
uint32_t gic_vmcr_read(void);
/* VMCR and active priorities; apr as in struct vgic_vcpu */
void gic_interface_save(struct vgic_vcpu *value);
void gic_interface_load(const struct vgic_vcpu *value);

/* Registers of a distributor or redistributor page */
uint32_t gic_read32(const volatile uint8_t *page, uint32_t offset);
void gic_write32(volatile uint8_t *page, uint32_t offset, uint32_t value);
/* Groups, enables, active and pending state, priorities of the 32 interrupts of one bank, as after our own
 * reset. */
void gic_reset_bank(volatile uint8_t *page, uint32_t bank, uint32_t groups);
/* Waits, bounded, until (register & mask) == want. */
bool gic_wait32(const volatile uint8_t *page, uint32_t offset, uint32_t mask, uint32_t want);

/* A shared interrupt's trigger; where it goes */
void gic_set_edge(uint32_t irq, bool edge);
void gic_route(uint32_t irq, const struct gic_cpu *cpu);
/* Until what was disabled is not delivered any more (GICv3; GICv2 does it at once) */
void gic_settle_distributor(void);

/* One version each; called by gic.c only */
enum hv_status gicv2_init(void);
enum hv_status gicv2_init_cpu(struct gic_cpu *cpu);
uint32_t gicv2_acknowledge(void);
void gicv2_priority_drop(uint32_t value);
void gicv2_deactivate(uint32_t value);
void gicv2_route(uint32_t irq, const struct gic_cpu *cpu);
void gicv2_ipi(const struct gic_cpu *cpu);
uint64_t gicv2_lr_read(uint32_t slot);
void gicv2_lr_write(uint32_t slot, uint64_t value);
uint32_t gicv2_lr_empty(void);
uint32_t gicv2_hcr_read(void);
void gicv2_hcr_write(uint32_t value);
uint32_t gicv2_vmcr_read(void);
void gicv2_interface_save(struct vgic_vcpu *vgic);
void gicv2_interface_load(const struct vgic_vcpu *vgic);

enum hv_status gicv3_init(void);
enum hv_status gicv3_init_cpu(struct gic_cpu *cpu);
void gicv3_settle(void);
void gicv3_route(uint32_t irq, const struct gic_cpu *cpu);
void gicv3_ipi(const struct gic_cpu *cpu);
uint64_t gicv3_lr_read(uint32_t slot);
void gicv3_lr_write(uint32_t slot, uint64_t value);
void gicv3_interface_save(struct vgic_vcpu *vgic);
void gicv3_interface_load(const struct vgic_vcpu *vgic);

#endif
