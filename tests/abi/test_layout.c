/* The machine that guests see, against Xen's public headers (libxen-dev 4.20). [test->req~guest-memory-map~1]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arm_layout.h"
#include "hal/plan.h"
#include "hal/types.h"
#include "hal/vplat.h"
#include "lib/bits.h"

#include "xen_headers.h"

#include <xen/device_tree_defs.h>

static void gic_v2(void **state)
{
    (void)state;
    assert_int_equal(ARM_GUEST_GICD_BASE, GUEST_GICD_BASE);
    assert_int_equal(ARM_GUEST_GICD2_BYTES, GUEST_GICD_SIZE);
    assert_int_equal(ARM_GUEST_GICC_BASE, GUEST_GICC_BASE);
    assert_int_equal(ARM_GUEST_GICC_BYTES, GUEST_GICC_SIZE);
}

static void gic_v3(void **state)
{
    (void)state;
    assert_int_equal(ARM_GUEST_GICD_BASE, GUEST_GICV3_GICD_BASE);
    assert_int_equal(ARM_GUEST_GICD3_BYTES, GUEST_GICV3_GICD_SIZE);
    assert_int_equal(GUEST_GICV3_RDIST_REGIONS, 1);
    assert_int_equal(ARM_GUEST_GICR_BASE, GUEST_GICV3_GICR0_BASE);
    assert_int_equal(ARM_GUEST_GICR_BYTES, GUEST_GICV3_GICR0_SIZE);
    assert_true((ARM_GUEST_GICR_FRAME_BYTES * GUEST_MAX_VCPUS) <= GUEST_GICV3_GICR0_SIZE);
}

static void uart(void **state)
{
    const struct hal_guest_layout *const l = hal_plan_layout();

    (void)state;
    assert_int_equal(ARM_GUEST_VUART_BYTES, GUEST_PL011_SIZE);
    assert_int_equal(l->vuart_base.v, GUEST_PL011_BASE);
    assert_int_equal(l->vuart_irq, GUEST_VPL011_SPI);
}

static void memory(void **state)
{
    const struct hal_guest_layout *const l = hal_plan_layout();
    static const uint64_t base[] = GUEST_RAM_BANK_BASES;
    static const uint64_t bytes[] = GUEST_RAM_BANK_SIZES;

    (void)state;
    assert_int_equal(l->nr_banks, GUEST_RAM_BANKS);
    for (uint32_t i = 0u; i < l->nr_banks; i++) {
        assert_true(l->bank[i].base.v == base[i]);
        assert_true(l->bank[i].max_bytes == bytes[i]);
    }
}

static void interrupts(void **state)
{
    (void)state;
    assert_int_equal(ARM_GUEST_PPI_VIRT_TIMER, GUEST_TIMER_VIRT_PPI);
    assert_int_equal(ARM_GUEST_PPI_PHYS_TIMER, GUEST_TIMER_PHYS_NS_PPI);
    assert_int_equal(ARM_GUEST_PPI_SEC_TIMER, GUEST_TIMER_PHYS_S_PPI);
    assert_int_equal(ARM_GUEST_VCPUS_MAX_GICV3, GUEST_MAX_VCPUS);
    assert_int_equal(HV_VCPUS_MAX, GUEST_MAX_VCPUS);
    assert_int_equal(HAL_VPLAT_PHANDLE_INTC, GUEST_PHANDLE_GIC);
    assert_true(ARM_GUEST_SPIS_MAX >= (GUEST_VIRTIO_MMIO_SPI_LAST + 1 - 32));
}

/* No device of ours where the map promises something else */
static void devices_apart(void **state)
{
    static const struct {
        uint64_t base;
        uint64_t bytes;
    } place[] = {
        { GUEST_VIRTIO_MMIO_BASE, GUEST_VIRTIO_MMIO_SIZE },
        { ARM_GUEST_GICD_BASE, ARM_GUEST_GICD3_BYTES },
        { ARM_GUEST_GICR_BASE, ARM_GUEST_GICR_BYTES },
        { GUEST_VPCI_ECAM_BASE, GUEST_VPCI_ECAM_SIZE },
        { GUEST_ACPI_BASE, GUEST_ACPI_SIZE },
        { ARM_GUEST_VUART_BASE, ARM_GUEST_VUART_BYTES },
        { GUEST_VPCI_MEM_ADDR, GUEST_VPCI_MEM_SIZE },
        { GUEST_GNTTAB_BASE, GUEST_GNTTAB_SIZE },
        { GUEST_MAGIC_BASE, GUEST_MAGIC_SIZE },
        { ARM_GUEST_RAM0_BASE, ARM_GUEST_RAM0_BYTES },
        { GUEST_VPCI_PREFETCH_MEM_ADDR, GUEST_VPCI_PREFETCH_MEM_SIZE },
        { ARM_GUEST_RAM1_BASE, ARM_GUEST_RAM1_BYTES },
    };

    (void)state;
    for (uint32_t i = 1u; i < ARRAY_LEN(place); i++) {
        assert_true((place[i - 1u].base + place[i - 1u].bytes) <= place[i].base);
    }
}

static void domain_ids(void **state)
{
    (void)state;
    assert_true((1u + HV_DOMAINS_MAX) < DOMID_FIRST_RESERVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gic_v2),     cmocka_unit_test(gic_v3),     cmocka_unit_test(uart),
        cmocka_unit_test(memory),     cmocka_unit_test(interrupts), cmocka_unit_test(devices_apart),
        cmocka_unit_test(domain_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
