/* The interrupt controller that guests see: GICv3 on GICv3 hosts, GICv2 on GICv2 hosts.
 *
 * Who may touch what. Private interrupts and list registers of a vCPU belong to the CPU where it is loaded
 * and need no lock; a vCPU that is not loaded has all its state in memory. Shared interrupts, and list
 * registers that hold one, are under the domain's lock. Whoever wants something of a vCPU elsewhere leaves it
 * in its inbox (atomic) and kicks it; the vCPU's own CPU attends to the inbox on the IPI, or when it loads
 * it. List register 0 is the virtual timer's: its interrupt is linked to the physical one (HW), which stays
 * active until the guest deactivates it. */
#ifndef ARCH_ARM_VGIC_H
#define ARCH_ARM_VGIC_H

#include "base/spinlock.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "hal/virq.h"

#define VGIC_SPI_BANKS   31u
#define VGIC_VTIMER_BIT  BIT32(ARM_GUEST_PPI_VIRT_TIMER)
#define VGIC_PTIMER_BIT  BIT32(ARM_GUEST_PPI_PHYS_TIMER)
#define VGIC_PRIO_MASK   0xF8u /* 32 priorities, the least a GIC may offer to guests */
#define VGIC_NO_VCPU     0xFFu
#define VGIC_SGI_BITS    0xFFFFu
#define VGIC_EVENT_BIT   BIT32(HAL_VIRQ_EVENTS)
#define VGIC_CTLR_GROUP0 BIT32(0)
#define VGIC_CTLR_GROUP1 BIT32(1)
#define VGIC_LR_TIMER    0u

/* The registers of a bit each, by their place */
#define VGIC_REG_IGROUPR   1u
#define VGIC_REG_ISENABLER 2u
#define VGIC_REG_ICENABLER 3u
#define VGIC_REG_ISPENDR   4u
#define VGIC_REG_ICPENDR   5u
#define VGIC_REG_ISACTIVER 6u
#define VGIC_REG_ICACTIVER 7u

/* One page of the domain's pool. */
struct vgic_shared {
    struct spinlock lock;
    volatile uint32_t ctlr; /* VGIC_CTLR_ */
    uint32_t nr_banks;
    uint64_t tell[2];   /* vCPUs to be told of new shared interrupts when the lock is released, */
    uint64_t recall[2]; /* or to judge their list registers again */
    struct vgic_bank spi[VGIC_SPI_BANKS];
    uint8_t target[VGIC_SPI_BANKS * VGIC_BANK_IRQS]; /* GICv2: GICD_ITARGETSR; GICv3: vCPU or VGIC_NO_VCPU */
    uint8_t home[VGIC_SPI_BANKS * VGIC_BANK_IRQS];   /* vCPU where it is resident or active */
};

_Static_assert(sizeof(struct vgic_shared) <= PAGE_BYTES, "one page of the domain's pool");

/* Which shared interrupts are physical ones, one page of the domain's pool. Under the lock. */
struct vgic_lines {
    uint32_t bank[VGIC_SPI_BANKS];
    uint32_t level[VGIC_SPI_BANKS];                /* what the guest reads as level-sensitive */
    uint16_t irq[VGIC_SPI_BANKS * VGIC_BANK_IRQS]; /* the host's INTID */
};

static inline uint32_t vgic_linked(const struct hal_domain *domain, uint32_t bank)
{
    return (domain->arm.lines != NULL) ? domain->arm.lines->bank[bank] : 0u;
}

static inline bool vgic_is_linked(const struct hal_domain *domain, uint32_t intid)
{
    return (domain->arm.lines != NULL) && (intid >= 32u) &&
           ((domain->arm.lines->bank[(intid / VGIC_BANK_IRQS) - 1u] & BIT32((intid % VGIC_BANK_IRQS))) != 0u);
}

static inline uint32_t vgic_group_mask(const struct vgic_shared *shared, const struct vgic_bank *bank)
{
    const uint32_t ctlr = shared->ctlr;

    return (((ctlr & VGIC_CTLR_GROUP0) != 0u) ? ~bank->group1 : 0u) |
           (((ctlr & VGIC_CTLR_GROUP1) != 0u) ? bank->group1 : 0u);
}

/* Pending outside list registers. */
static inline uint32_t vgic_pending(const struct vgic_bank *bank)
{
    return bank->latch | (bank->line & ~bank->edge);
}

static inline uint32_t vgic_deliverable(const struct vgic_shared *shared, const struct vgic_bank *bank)
{
    return vgic_pending(bank) & bank->enabled & vgic_group_mask(shared, bank);
}

/* Index of the lowest bit of a word that is not 0. */
static inline uint32_t vgic_first(uint32_t word)
{
    return (uint32_t)__builtin_ctz(word);
}

/* vgic.c: the domain's part */
enum hv_status vgic_domain_init(struct hal_domain *domain);
void vgic_domain_destroy(struct hal_domain *domain);
void vgic_vcpu_reset(struct hal_vcpu *vcpu);
/* vCPU that a shared interrupt goes to, or VGIC_NO_VCPU. spi = INTID - 32. */
uint32_t vgic_target(const struct hal_domain *domain, uint32_t spi);
struct vgic_bank *vgic_bank_of(struct hal_vcpu *vcpu, uint32_t intid);
/* Takes the lock; unlocking passes on what shared->tell and recall collected (kicks; the loaded vCPU of this
 * CPU is left with a full inbox: vgic_attend()). */
uint64_t vgic_lock(const struct hal_domain *domain);
void vgic_unlock(const struct hal_domain *domain, uint64_t flags);
/* Under the lock: whoever these bits of a bank concern will look at them. */
void vgic_notify(const struct hal_domain *domain, uint32_t bank, uint32_t bits);
/* Leaves bits in a vCPU's inbox and kicks it. No lock needed; one may be held. */
void vgic_post(struct hal_vcpu *vcpu, uint64_t bits);
/* Attends to the inbox of the vCPU loaded on this CPU, if any. Interrupts masked, no lock held. */
void vgic_attend(void);
/* SGI n (0 .. 15) to a vCPU of the same domain. */
void vgic_send_sgi(struct hal_vcpu *from, struct hal_vcpu *to, uint32_t n);

/* vgic_line.c: physical interrupts of guests */
/* One was acknowledged: true if it is a guest's and stays active. Interrupts masked. */
bool vgic_line_fired(uint32_t irq);
/* Lock held: it is to be seen by the guest. */
void vgic_line_raise(struct hal_domain *domain, uint32_t spi);
/* Lock held: the guest is done with it, and its list register does not say so to the host's controller. */
void vgic_line_end(const struct hal_domain *domain, uint32_t intid);
/* Lock held: what a guest's write to a bit register (VGIC_REG_) means for those of a bank; answers the bits
 * that memory is to take. */
uint32_t vgic_line_write(const struct hal_domain *domain, uint32_t number, uint32_t reg, uint32_t bits);
/* Those of a bank that wait at the host's controller */
uint32_t vgic_line_pending(const struct hal_domain *domain, uint32_t number);

/* vgic_cpu.c, vgic_vtimer.c. vcpu is loaded on this CPU, interrupts masked. */
void vgic_load(struct hal_vcpu *vcpu);
void vgic_save(struct hal_vcpu *vcpu);
void vgic_work(struct hal_vcpu *vcpu);
void vgic_maintain(struct hal_vcpu *vcpu); /* NULL allowed */
/* The physical interrupt of the virtual timer was acknowledged; vcpu may be NULL. True if it stays active. */
bool vgic_vtimer_fired(struct hal_vcpu *vcpu);
/* Private interrupts changed: shows what can be shown. Takes the lock if it must. */
void vgic_refresh(struct hal_vcpu *vcpu);
/* Memory follows the list registers, and they follow enables, groups, lines and requests. If some hold shared
 * interrupts the lock is held. */
void vgic_sync(struct hal_vcpu *vcpu);
/* GICv3: shows an SGI, or the interrupt of events, at once if nothing stands in the way and there is a list
 * register; false: it is a longer way. */
bool vgic_show_edge(struct hal_vcpu *vcpu, uint32_t n);
/* Level of the emulated physical timer's line. */
void vgic_set_ptimer(struct hal_vcpu *vcpu, bool level);

/* vgic_mmio.c and one file a version: registers */
struct vgic_access {
    struct hal_vcpu *vcpu; /* who accesses, loaded here */
    uint64_t gpa;
    uint64_t value; /* to be written; or result */
    uint32_t offset;
    uint32_t width; /* 1, 2, 4, 8; offset is a multiple */
    bool write;
    bool is_again; /* result: the guest must execute the instruction again */
};

/* Offsets 0x080 to 0xCFF of a distributor, or of a redistributor's SGI page. owner: whose private interrupts
 * the first bank is, NULL for none. has_shared: the rest is there. */
void vgic_bank_access(struct vgic_access *access, struct hal_vcpu *owner, bool has_shared);
/* Writes to the bit registers ISENABLER (2) to ICACTIVER (7) of a loaded vCPU's private interrupts; takes
 * effect on list registers with the next vgic_sync(). */
void vgic_write_private(struct hal_vcpu *vcpu, uint32_t reg, uint32_t bits);
void vgic_write_ctlr(struct hal_vcpu *vcpu, uint32_t groups);
/* A window's register that is not there reads as zero and ignores writes. */
void vgicv2_access(struct vgic_access *access);
void vgicv3_gicd_access(struct vgic_access *access);
/* A 32-bit register below IGROUPR, as it reads */
uint32_t vgicv3_gicd_tell(const struct hal_domain *domain, uint32_t offset);
void vgicv3_gicr_access(struct vgic_access *access, struct hal_vcpu *owner);
#define VGIC_SGIR_INTID GENMASK64(27u, 24u)
/* ICC_SGI1R_EL1 (allows_group1) or ICC_SGI0R_EL1, ICC_ASGI1R_EL1 */
void vgicv3_write_sgir(struct hal_vcpu *vcpu, uint64_t value, bool allows_group1);

#endif
