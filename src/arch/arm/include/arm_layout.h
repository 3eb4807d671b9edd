/* Where Arm guests find their devices: the map of Xen's public/arch-arm.h, which existing guests are built
 * for. */
#ifndef ARM_LAYOUT_H
#define ARM_LAYOUT_H

#define ARM_GUEST_GICD_BASE           0x03001000ULL
#define ARM_GUEST_GICD2_BYTES         0x1000ULL  /* GICv2 */
#define ARM_GUEST_GICD3_BYTES         0x10000ULL /* GICv3 */
#define ARM_GUEST_GICC_BASE           0x03002000ULL
#define ARM_GUEST_GICC_BYTES          0x2000ULL
#define ARM_GUEST_GICR_BASE           0x03020000ULL
#define ARM_GUEST_GICR_FRAME_BYTES    0x20000ULL    /* RD and SGI frame of one vCPU */
#define ARM_GUEST_GICR_BYTES          0x01000000ULL /* 128 vCPUs */
#define ARM_GUEST_VPCI_ECAM_BASE      0x10000000ULL
#define ARM_GUEST_VPCI_MEM_BASE       0x23000000ULL
#define ARM_GUEST_VPCI_MEM_BYTES      0x10000000ULL
#define ARM_GUEST_VPCI_PREFETCH_BASE  0x100000000ULL
#define ARM_GUEST_VPCI_PREFETCH_BYTES 0x100000000ULL
#define ARM_GUEST_VUART_BASE          0x22000000ULL
#define ARM_GUEST_VUART_BYTES         0x1000ULL
#define ARM_GUEST_VUART_IRQ           32u
#define ARM_GUEST_WATCHDOG_BASE       0x22001000ULL /* ours: Xen has nothing there */
#define ARM_GUEST_WATCHDOG_IRQ        48u
#define ARM_GUEST_RAM0_BASE           0x40000000ULL
#define ARM_GUEST_RAM0_BYTES          0xC0000000ULL
#define ARM_GUEST_RAM1_BASE           0x200000000ULL
#define ARM_GUEST_RAM1_BYTES          0xFE00000000ULL
#define ARM_GUEST_SPIS_MAX            992u /* INTIDs 32 to 1023, of which 1020 and above are special */
#define ARM_GUEST_PPI_VIRT_TIMER      27u
#define ARM_GUEST_PPI_SEC_TIMER       29u
#define ARM_GUEST_PPI_PHYS_TIMER      30u
#define ARM_GUEST_VCPUS_MAX_GICV2     8u
#define ARM_GUEST_VCPUS_MAX_GICV3     128u

#endif
