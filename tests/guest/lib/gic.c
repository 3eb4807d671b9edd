/* GICv2 and GICv3, chosen by the device tree. */
#include "gic.h"

static uint32_t version;
static uintptr_t distributor;
static uintptr_t cpu_interface;
static uintptr_t redistributors;
static uint64_t redistributors_bytes;
static uintptr_t redistributor[GUEST_CPUS_MAX];
static void (*handler[GUEST_CPUS_MAX][IRQ_MAX])(uint32_t intid);

uint32_t irq_version(void)
{
    return version;
}

uintptr_t gic_distributor(void)
{
    return distributor;
}

uintptr_t gic_redistributor(void)
{
    return redistributor[cpu_number()];
}

uintptr_t gic_cpu_interface(void)
{
    return cpu_interface;
}

uintptr_t gic_private(void)
{
    return (version == 3u) ? (gic_redistributor() + GICR_SGI) : distributor;
}

static uintptr_t registers_of(uint32_t intid)
{
    return (intid < 32u) ? gic_private() : distributor;
}

static void put8(uintptr_t at, uint8_t value)
{
    mmio_write8(at, value);
}

/* The frame whose affinity is this vCPU's */
static uintptr_t redistributor_find(void)
{
    const uint64_t mpidr = reg_read(mpidr_el1);
    const uint64_t affinity = (mpidr & 0xFFFFFFu) | ((mpidr >> 8u) & 0xFF000000u);
    uintptr_t found = 0u;
    bool last = false;

    for (uint64_t at = 0u; !last && (found == 0u) && (at < redistributors_bytes);) {
        const uint64_t type = mmio_read64(redistributors + at + GICR_TYPER);

        if ((type >> 32u) == affinity) {
            found = redistributors + at;
        }
        last = (type & 0x10u) != 0u;
        at += ((type & 2u) != 0u) ? 0x40000u : 0x20000u;
    }
    return found;
}

static void find(void)
{
    struct tree_node node = tree_compatible("arm,gic-v3");
    uint64_t base = 0u;
    uint64_t second = 0u;
    uint64_t bytes = 0u;

    version = 3u;
    if (node.at == NULL) {
        version = 2u;
        node = tree_compatible("arm,gic-400");
    }
    if (node.at == NULL) {
        node = tree_compatible("arm,cortex-a15-gic");
    }
    if (!tree_reg(&node, 0u, &base, &bytes) || !tree_reg(&node, 1u, &second, &bytes)) {
        print("guest: no interrupt controller in the tree\n");
        power_off();
    }
    distributor = (uintptr_t)base;
    if (version == 3u) {
        redistributors = (uintptr_t)second;
        redistributors_bytes = bytes;
    } else {
        cpu_interface = (uintptr_t)second;
    }
}

static void init_cpu_v3(void)
{
    const uintptr_t frame = redistributor_find();

    redistributor[cpu_number()] = frame;
    mmio_write32(frame + GICR_WAKER, mmio_read32(frame + GICR_WAKER) & ~2u);
    for (uint32_t i = 0u; (i < 1000000u) && ((mmio_read32(frame + GICR_WAKER) & 4u) != 0u); i++) {
        /* until its children are awake */
    }
    mmio_write32(frame + GICR_SGI + GICD_IGROUPR, 0xFFFFFFFFu);
    reg_write(S3_0_C12_C12_5, reg_read(S3_0_C12_C12_5) | 1u); /* ICC_SRE_EL1 */
    reg_write(S3_0_C4_C6_0, 0xF0u);                           /* ICC_PMR_EL1 */
    reg_write(S3_0_C12_C12_3, 0u);                            /* ICC_BPR1_EL1 */
    reg_write(S3_0_C12_C12_4, 0u);                            /* ICC_CTLR_EL1: one write ends an interrupt */
    reg_write(S3_0_C12_C12_7, 1u);                            /* ICC_IGRPEN1_EL1 */
}

static void init_cpu_v2(void)
{
    mmio_write32(cpu_interface + GICC_PMR, 0xF0u);
    mmio_write32(cpu_interface + GICC_BPR, 0u);
    mmio_write32(cpu_interface + GICC_CTLR, 1u);
}

void irq_init_cpu(void)
{
    if (version == 3u) {
        init_cpu_v3();
    } else {
        init_cpu_v2();
    }
}

void irq_init(void)
{
    find();
    mmio_write32(distributor + GICD_CTLR, 0u);
    if (version == 3u) {
        const uint32_t words = (mmio_read32(distributor + GICD_TYPER) & 31u) + 1u;

        for (uint32_t i = 1u; i < words; i++) {
            mmio_write32(distributor + GICD_IGROUPR + (4u * i), 0xFFFFFFFFu);
        }
        mmio_write32(distributor + GICD_CTLR, 0x12u); /* affinity routing, non-secure group 1 */
    } else {
        mmio_write32(distributor + GICD_CTLR, 1u);
    }
    irq_init_cpu();
}

void irq_enable(uint32_t intid, uint8_t priority, void (*function)(uint32_t intid))
{
    handler[cpu_number()][intid] = function;
    put8(registers_of(intid) + GICD_IPRIORITYR + intid, priority);
    if (intid >= 32u) {
        if (version == 3u) {
            mmio_write64(distributor + GICD_IROUTER + (8u * (uint64_t)intid),
                         reg_read(mpidr_el1) & 0xFF00FFFFFFULL);
        } else {
            put8(distributor + GICD_ITARGETSR + intid, (uint8_t)(1u << cpu_number()));
        }
    }
    arch_barrier();
    mmio_write32(registers_of(intid) + GICD_ISENABLER + (4u * (intid / 32u)), 1u << (intid % 32u));
    arch_barrier();
}

void irq_disable(uint32_t intid)
{
    mmio_write32(registers_of(intid) + GICD_ICENABLER + (4u * (intid / 32u)), 1u << (intid % 32u));
    arch_barrier();
}

void irq_send(uint32_t intid, uint32_t cpu)
{
    arch_barrier();
    if (version == 3u) {
        const uint64_t hwid = cpu_hwid(cpu);

        /* ICC_SGI1R_EL1: affinity 1 in bits 23..16, one bit of the target list */
        reg_write(S3_0_C12_C11_5,
                  ((uint64_t)intid << 24u) | (((hwid >> 8u) & 0xFFu) << 16u) | (1ULL << (hwid & 15u)));
    } else {
        mmio_write32(distributor + GICD_SGIR, (1u << (16u + cpu)) | intid);
    }
}

void irq_dispatch(void)
{
    const uint32_t word =
        (version == 3u) ? (uint32_t)reg_read(S3_0_C12_C12_0) : mmio_read32(cpu_interface + GICC_IAR);
    const uint32_t intid = (version == 3u) ? (word & 0xFFFFFFu) : (word & 0x3FFu);

    if (intid < IRQ_MAX) {
        arch_barrier();
        if (handler[cpu_number()][intid] != NULL) {
            handler[cpu_number()][intid](intid);
        } else {
            print("guest: interrupt %u without a handler\n", intid);
        }
        if (version == 3u) {
            reg_write(S3_0_C12_C12_1, intid); /* ICC_EOIR1_EL1 */
        } else {
            mmio_write32(cpu_interface + GICC_EOIR, word);
        }
    }
}
