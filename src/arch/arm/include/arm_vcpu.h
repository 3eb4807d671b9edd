/* What every Arm port shares of a vCPU and a domain: emulated interrupt controller, timers, firmware.
 * struct arm_vcpu is the member `arm` of the port's struct hal_vcpu, struct arm_domain that of struct
 * hal_domain. Everything here runs with interrupts masked. "Loaded": between arm_vcpu_load() and
 * arm_vcpu_save(). */
#ifndef ARM_VCPU_H
#define ARM_VCPU_H

#include "arm_layout.h"
#include "arm_plan.h"
#include "hal/exit.h"

struct hal_domain;
struct hal_domain_config;
struct hal_vcpu;
struct vgic_lines;
struct vgic_shared; /* arch/arm/vgic.h: distributor and SPIs of a domain, one page of its pool */

#define VGIC_LRS_MAX   16u
#define VGIC_BANK_IRQS 32u

/* 32 interrupts; bit n of a word and priority[n] belong to the same one. */
struct vgic_bank {
    uint32_t enabled;
    uint32_t latch;  /* pending by software or by an edge */
    uint32_t line;   /* level of the input */
    uint32_t active; /* for resident ones the list register knows better */
    uint32_t edge;
    uint32_t group1;
    uint32_t resident; /* in a list register of a loaded vCPU */
    uint32_t shown;    /* ... and pending there, when we looked last */
    uint8_t priority[VGIC_BANK_IRQS];
};

/* Reasons in vgic_vcpu.inbox for looking at a vCPU before it goes on; bits 0 to 31 are edges of private
 * interrupts that others sent: SGIs and that of events. */
#define VGIC_IN_EDGES  0xFFFFFFFFULL
#define VGIC_IN_SPIS   BIT64(32) /* a bank named in spi_banks changed */
#define VGIC_IN_REFILL BIT64(33) /* what is in list registers has to be judged again */
#define VGIC_IN_REMOTE BIT64(34) /* remote[] holds requests */

struct vgic_vcpu {
    volatile uint64_t inbox; /* written by any CPU, like the next four */
    volatile uint64_t remote
        [3]; /* other vCPUs' writes to our redistributor: enabled, pending, active; set low, clear high */
    volatile uint64_t sgi_in[2];   /* GICv2: byte n & 7 of word n >> 3 = senders of SGI n, as a set */
    volatile uint32_t sync_wanted; /* somebody waits for the list registers' state */
    volatile uint32_t loaded;      /* number of the CPU it is loaded on + 1, 0 if none */
    /* under the domain's vGIC lock */
    volatile uint32_t spi_banks; /* banks of shared interrupts that may hold something for this vCPU */
    volatile uint32_t lr_spi;    /* list registers that hold shared interrupts */
    uint32_t drop_pending;       /* list registers whose state a guest's write changes */
    uint32_t set_active;
    uint32_t clear_active;
    /* the rest belongs to the CPU where the vCPU is loaded; what concerns list registers of shared interrupts
     * needs the lock */
    uint32_t lr_used;
    uint32_t hcr; /* as last written */
    struct vgic_bank priv;
    uint8_t lr_of[VGIC_BANK_IRQS]; /* list register of a resident private interrupt */
    uint8_t sgi_source[16];        /* GICv2: senders still to be shown, as a set */
    uint8_t sgi_from[16];          /* GICv2: sender in the list register or active */
    uint64_t lr[VGIC_LRS_MAX]; /* as last written or read; [0] is not used: it belongs to the virtual timer */
    uint64_t sgi_self;         /* GICv3: an ICC_SGI1R_EL1 that means this vCPU alone, but for the INTID */
    uint64_t vtimer_lr;        /* what shows the virtual timer's interrupt at once; 0: think first */
    bool is_vtimer_held; /* its physical interrupt is active, and nothing in the list register ends it */
    uint64_t sync_gpa;   /* access of this vCPU that waits for other CPUs' list registers, 0 = none */
    uint64_t sync_value; /* ... and what it writes */
    uint32_t sync_tries;
    uint32_t waker;     /* GICR_WAKER */
    uint32_t vmcr;      /* CPU interface while not loaded */
    uint32_t apr[2][4]; /* active priorities by group; GICv2 uses [0][0] */
};

struct arm_vtimer {
    uint64_t cntv_cval; /* virtual timer while not loaded */
    uint64_t cntv_ctl;
    uint64_t cntp_cval; /* emulated physical timer, always here */
    uint32_t cntp_ctl;  /* ENABLE, IMASK */
};

struct arm_vcpu {
    struct vgic_vcpu vgic;
    struct arm_vtimer timer;
};

struct arm_domain {
    struct vgic_shared *vgic;
    struct vgic_lines *lines; /* physical interrupts it has; NULL: none */
    uint64_t cntvoff;         /* the virtual counter starts at 0 when the domain is made */
    uint32_t nr_vcpus;
    uint32_t nr_spis;
    uint32_t gic_version; /* 2 or 3 */
    bool is_32bit;        /* hal_domain_width() */
    bool boots;           /* the next vCPU that is reset is entered as a kernel */
    struct arm_gic_map gic;
};

/* A trapped system register access; 32-bit registers are zero-extended. */
struct arm_sysreg {
    uint32_t encoding; /* ARM_SYSREG() */
    bool write;
    uint64_t value; /* read: result */
};

/* Laid out as in ESR_EL2.ISS of EC 0x18 (Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, CRm 4:1), so iss &
 * ARM_SYSREG_MASK is one. */
#define ARM_SYSREG(op0, op1, crn, crm, op2)                                                                  \
    (((uint32_t)(op0) << 20u) | ((uint32_t)(op2) << 17u) | ((uint32_t)(op1) << 14u) |                        \
     ((uint32_t)(crn) << 10u) | ((uint32_t)(crm) << 1u))
#define ARM_SYSREG_MASK 0x003FFC1Eu

#define ARM_SYSREG_OP2(encoding) (((encoding) >> 17u) & 7u)
#define ARM_SYSREG_CRM(encoding) (((encoding) >> 1u) & 15u)

#define SYSREG_ICC_SGI1R_EL1 ARM_SYSREG(3u, 0u, 12u, 11u, 5u)

/* The host's part of the plan; valid after hal_irq_init(). */
const struct arm_plan_host *arm_host(void);

/* Fresh state; the map exists already (GICv2: the virtual CPU interface is mapped into it). HV_NO_MEMORY,
 * HV_NOT_SUPPORTED. */
HV_MUST_CHECK enum hv_status arm_domain_init(struct hal_domain *domain,
                                             const struct hal_domain_config *config);
void arm_domain_destroy(struct hal_domain *domain);

/* domain and index of the vCPU are set. */
HV_MUST_CHECK enum hv_status arm_vcpu_init(struct hal_vcpu *vcpu);
/* Private interrupts, CPU interface and timers as after power-on. Not loaded. */
void arm_vcpu_reset(struct hal_vcpu *vcpu);

/* Interrupt controller interface, timers, CNTVOFF, CNTHCTL; not CNTKCTL. Takes the LOCK_VGIC lock for shared
 * interrupts. */
void arm_vcpu_save(struct hal_vcpu *vcpu);
void arm_vcpu_load(struct hal_vcpu *vcpu);

/* Whether `version`, the host's or a domain's, is this one; a build may be for one GIC only. */
static inline bool gic_is(uint32_t version, uint32_t which)
{
    return (CONFIG_GIC_ONLY == 0) ? (version == which) : (which == (uint32_t)CONFIG_GIC_ONLY);
}

/* Emulated register windows (distributor, redistributors). false: not ours. Loads are completed. */
bool arm_vcpu_mmio(struct hal_vcpu *vcpu, const struct hal_exit *exit, enum hal_resume *resume);
/* Reads a 32-bit register of the distributor, by its offset, that only tells (guests poll GICD_CTLR for RWP).
 * false: another. */
bool arm_vcpu_tells(const struct hal_vcpu *vcpu, uint64_t offset, uint64_t *value);
/* Trapped ICC_ and CNTP_ registers. false: not ours. A read leaves its result in access->value. */
bool arm_vcpu_sysreg(struct hal_vcpu *vcpu, struct arm_sysreg *access, enum hal_resume *resume);
/* ... or of any other kind. HAL_INJECT_UNDEF: there is none. */
enum hal_resume arm_sysreg_access(struct hal_vcpu *vcpu, struct arm_sysreg *access);
/* A trapped coprocessor access of an AArch32 guest (EC 0x03 to 0x0C), its registers included. */
enum hal_resume arm_cp_access(struct hal_vcpu *vcpu, uint64_t esr);
/* Reads the host's identification of AArch32. Boot CPU, once, if it has AArch32. */
void arm_sysreg_init(void);
/* Identification: op0 3, op1 0, CRn 0, CRm 1 to 7. */
bool arm_sysreg_is_id(uint32_t encoding);
/* The port's: registers of its own. false: not one. */
bool arm_port_sysreg(const struct hal_vcpu *vcpu, struct arm_sysreg *access);
/* A write to ICC_SGI1R_EL1, which a GICv3 guest has: by far the most frequent of these. */
void arm_vcpu_send(struct hal_vcpu *vcpu, uint64_t value);
/* PSCI and SMCCC; arguments and results in r0 to r3. */
void arm_vcpu_firmware(struct hal_vcpu *vcpu);
/* The same for an AArch32 guest, with functions of 32 bits only. */
void arm_vcpu_firmware32(struct hal_vcpu *vcpu);

/* Interrupt taken to the hypervisor, from a guest or from hypervisor-level code: acknowledges and settles up
 * to HAL_IRQ_BURST of them. */
void arm_irq_entry(void);

#endif
