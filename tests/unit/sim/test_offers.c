/* Devices that nobody has, given by a control domain to domains that it made. Two domains of the tree stand
 * in for such. [test->req~devices-later~1] */
#include "sim_guest.h"

#include "abi/xen_control.h"
#include "hal/irq.h"

/* clang-format off */
#define DEVICES \
    " smmu: iommu@1 { compatible = \"bulkhead,fake-iommu\"; #iommu-cells = <1>; };" \
    " dma@a000000 { reg = <0 0xa000000 0 0x80000>; interrupts = <0 8 4>; iommus = <&smmu 5>;" \
    "  xen,passthrough; };" \
    " gpio@b000000 { reg = <0 0xb000000 0 0x1000>; interrupts = <0 9 1>; xen,passthrough; };" \
    " plain@c000000 { reg = <0 0xc000000 0 0x1000>; interrupts = <0 10 4>; iommus = <&smmu 6>; };"
#define SYSTEM \
    BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_CPU("2") BOARD_CPU("3") " };" DEVICES " empty {" \
    BOARD_REST("rr") DOMAIN("1", "2", " capabilities = <5>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", ENHANCED) DOMAIN("3", "1", ENHANCED) BOARD_END
/* clang-format on */

#define DMA      "/dma@a000000"
#define GPIO     "/gpio@b000000"
#define DMA_MFN  0xa000u
#define GPIO_MFN 0xb000u
#define DMA_IRQ  40u
#define GPIO_IRQ 41u
#define STREAM   5u
#define GFN      0x50000u
#define PATH     (ARGS + 0x200u)
#define FREE_AT  (GUEST_RAM + 0x1100u)

static struct domain *made[2];

static int64_t domctl(uint32_t cmd, uint16_t domid, struct xen_domctl *arg)
{
    arg->cmd = cmd;
    arg->interface_version = XEN_DOMCTL_VERSION;
    arg->domain = domid;
    put(one, ARGS, arg, sizeof(*arg));
    return call(one, XEN_HCALL_DOMCTL, place(one, ARGS), 0u, 0u);
}

static int64_t iomem(uint16_t domid, uint64_t mfn, uint64_t nr, uint8_t allow)
{
    struct xen_domctl arg = { .u.iomem = { mfn, nr, allow } };

    return domctl(XEN_DOMCTL_IOMEM_PERMISSION, domid, &arg);
}

static int64_t mapping(uint16_t domid, uint64_t gfn, uint64_t mfn, uint64_t nr, uint32_t add)
{
    struct xen_domctl arg = { .u.mapping = { gfn, mfn, nr, add } };

    return domctl(XEN_DOMCTL_MEMORY_MAPPING, domid, &arg);
}

static int64_t pt_irq(uint32_t cmd, uint16_t domid, uint32_t irq)
{
    struct xen_domctl arg = { .u.pt_irq = { irq, XEN_PT_IRQ_TYPE_SPI, (uint16_t)irq } };

    return domctl(cmd, domid, &arg);
}

static int64_t irq_permission(uint16_t domid, uint32_t irq, uint8_t allow)
{
    struct xen_domctl arg = { .u.irq = { irq, allow } };

    return domctl(XEN_DOMCTL_IRQ_PERMISSION, domid, &arg);
}

static int64_t device(uint32_t cmd, uint16_t domid, const char *path)
{
    struct xen_domctl arg = { .u.device = { XEN_DOMCTL_DEV_DT, 0u, (uint32_t)strlen(path), 0u, 0u } };

    arg.u.device.path = place(one, PATH);
    put(one, PATH, path, strlen(path));
    return domctl(cmd, domid, &arg);
}

static void boot(void)
{
    source = SYSTEM;
    begin();
    made[0] = domain("domU2");
    made[1] = domain("domU3");
    for (uint32_t i = 0u; i < 2u; i++) {
        ((struct plan_domain *)(uintptr_t)made[i]->plan)->spare = true;
    }
}

static bool dma(uint64_t *value, bool write)
{
    return fake_dma(0u, STREAM, gpa(FREE_AT), value, sizeof(*value), write);
}

static bool leads(const struct domain *d, uint64_t gfn, uint64_t mfn)
{
    uint64_t bytes = 0u;
    uint32_t perm = 0u;
    hpa_t to = hpa(0u);

    return (hal_guestmap_lookup(&d->hal.map, gpa(gfn << 12u), &to, &perm, &bytes) == HV_OK) &&
           (to.v == (mfn << 12u)) && ((perm & HAL_PERM_DEV) != 0u) && ((perm & HAL_PERM_X) == 0u);
}

static void registers(void)
{
    boot();
    MUST(iomem(2u, DMA_MFN, 0x80u, 1u) == 0);
    MUST(iomem(2u, DMA_MFN + 1u, 2u, 1u) == 0);
    MUST(iomem(2u, DMA_MFN, 0x80u, 0u) == -XEN_EOPNOTSUPP);
    MUST(iomem(3u, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(iomem(1u, GPIO_MFN, 1u, 1u) == -XEN_EPERM);   /* it was not made */
    MUST(iomem(2u, 0xc000u, 1u, 1u) == -XEN_EPERM);    /* not marked */
    MUST(iomem(2u, RAM >> 12u, 1u, 1u) == -XEN_EPERM); /* memory */
    MUST(iomem(2u, 0x9000u, 1u, 1u) == -XEN_EPERM);    /* the hypervisor's console */
    MUST(iomem(2u, DMA_MFN, 0x81u, 1u) == -XEN_EPERM); /* beyond its end */
    MUST(iomem(2u, DMA_MFN + 1u, UINT64_MAX, 1u) == -XEN_EPERM);
    MUST(iomem(2u, UINT64_MAX, 2u, 1u) == -XEN_EPERM);

    MUST(mapping(2u, GFN, DMA_MFN, 65u, 1u) == -XEN_E2BIG);
    MUST(mapping(2u, GFN, DMA_MFN, 0u, 1u) == -XEN_EINVAL);
    MUST(mapping(3u, GFN, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(mapping(2u, UINT64_MAX, DMA_MFN, 2u, 1u) == -XEN_EINVAL);
    MUST(mapping(2u, GFN, DMA_MFN, 64u, 1u) == 0);
    MUST(mapping(2u, GFN + 64u, DMA_MFN + 64u, 64u, 1u) == 0);
    MUST(leads(made[0], GFN, DMA_MFN) && leads(made[0], GFN + 127u, DMA_MFN + 127u));
    MUST(mapping(2u, GFN, DMA_MFN, 1u, 1u) == -XEN_EBUSY); /* something is there */
    MUST(mapping(2u, GUEST_RAM >> 12u, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(mapping(2u, GFN + 1u, DMA_MFN, 1u, 0u) == -XEN_ENODEV); /* not this one */
    MUST(mapping(2u, GFN + 1u, DMA_MFN + 1u, 4u, 0u) == 0);
    MUST(!leads(made[0], GFN + 1u, DMA_MFN + 1u) && leads(made[0], GFN + 5u, DMA_MFN + 5u));
    MUST(mapping(2u, GFN + 1u, DMA_MFN + 1u, 1u, 0u) == -XEN_ENODEV);
}

static void interrupts(void)
{
    uint32_t virq = 0u;

    boot();
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, DMA_IRQ) == -XEN_EBUSY); /* it runs */
    MUST(irq_permission(2u, DMA_IRQ, 1u) == 0);
    MUST(irq_permission(2u, DMA_IRQ, 0u) == -XEN_EOPNOTSUPP);
    MUST(irq_permission(3u, DMA_IRQ, 1u) == -XEN_EBUSY);
    MUST(irq_permission(2u, 42u, 1u) == -XEN_EPERM);
    MUST(build_pause(made[0], true));
    fake_run();
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, DMA_IRQ) == 0);
    MUST((hal_irq_guest(DMA_IRQ, &virq) == &made[0]->hal) && (virq == DMA_IRQ));
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, DMA_IRQ) == -XEN_EBUSY);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, 42u) == -XEN_EPERM);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, 27u) == -XEN_EPERM);
    struct xen_domctl other = { .u.pt_irq = { GPIO_IRQ, XEN_PT_IRQ_TYPE_SPI, DMA_IRQ } };
    MUST(domctl(XEN_DOMCTL_BIND_PT_IRQ, 2u, &other) == -XEN_EINVAL);
    other.u.pt_irq.spi = GPIO_IRQ;
    other.u.pt_irq.type = 2u;
    MUST(domctl(XEN_DOMCTL_BIND_PT_IRQ, 2u, &other) == -XEN_EINVAL);
    MUST(pt_irq(XEN_DOMCTL_UNBIND_PT_IRQ, 2u, DMA_IRQ) == 0);
    MUST(hal_irq_guest(DMA_IRQ, &virq) == NULL);
    MUST(pt_irq(XEN_DOMCTL_UNBIND_PT_IRQ, 2u, DMA_IRQ) == 0);
    MUST(iomem(3u, DMA_MFN, 1u, 1u) == -XEN_EBUSY); /* the whole device is that one's */
}

static void streams(void)
{
    uint64_t value = 0x1111u;
    uint64_t found = 0u;

    boot();
    MUST(!dma(&value, true));
    MUST(device(XEN_DOMCTL_TEST_ASSIGN_DEVICE, 2u, DMA) == 0);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 1u, DMA) == -XEN_EPERM);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, DMA) == 0);
    MUST(dma(&value, true));
    MUST(fake_guest_read(&made[0]->hal.map, gpa(FREE_AT), &found, 8u) && (found == value));
    MUST(device(XEN_DOMCTL_TEST_ASSIGN_DEVICE, 3u, DMA) == -XEN_EBUSY);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 3u, DMA) == -XEN_EBUSY);
    MUST(device(XEN_DOMCTL_DEASSIGN_DEVICE, 3u, DMA) == -XEN_EBUSY);
    MUST(dma(&value, true));
    MUST(device(XEN_DOMCTL_DEASSIGN_DEVICE, 2u, DMA) == 0);
    MUST(!dma(&value, true));
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, GPIO) == -XEN_ENODEV); /* no IOMMU */
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, "/plain@c000000") == -XEN_ENODEV);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, "") == -XEN_ENODEV);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, DMA "/") == -XEN_ENODEV);
    struct xen_domctl arg = { .u.device = { XEN_DOMCTL_DEV_DT, 0u, UINT32_MAX, 0u, PATH } };
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, 2u, &arg) == -XEN_EINVAL);
    arg.u.device.kind = 0u;
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, 2u, &arg) == -XEN_EOPNOTSUPP);
    arg = (struct xen_domctl){ .u.device = { XEN_DOMCTL_DEV_DT, 0u, 4u, 0u, 8u } };
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, 2u, &arg) == -XEN_EFAULT);
}

/* Whatever it has is free for the next when it ends, and reaches nothing any more. */
static void ends(void)
{
    uint64_t value = 0x2222u;
    uint32_t virq = 0u;

    boot();
    order(made[0], HAL_DOMAIN_RESET);
    until(made[0], DOMAIN_RUNNING, 1u);
    const struct account before = account(made[0]);

    MUST((iomem(2u, DMA_MFN, 0x80u, 1u) == 0) && (mapping(2u, GFN, DMA_MFN, 64u, 1u) == 0));
    MUST(iomem(2u, GPIO_MFN, 1u, 1u) == 0);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 2u, DMA) == 0);
    MUST(build_pause(made[0], true));
    fake_run();
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, 2u, GPIO_IRQ) == 0);
    order(made[0], HAL_DOMAIN_RESET);
    for (uint32_t i = 0u; (made[0]->state != DOMAIN_RUNNING) && (i < 1000u); i++) {
        (void)dma(&value, true);
        MUST(made[0]->state != DOMAIN_BUILDING || !dma(&value, true));
        (void)fake_cpu_go(i % CPUS);
    }
    until(made[0], DOMAIN_RUNNING, 2u);
    const struct account after = account(made[0]);

    account_same(&before, &after);
    MUST(!dma(&value, true) && (hal_irq_guest(GPIO_IRQ, &virq) == NULL) && !leads(made[0], GFN, DMA_MFN));
    MUST((iomem(3u, DMA_MFN, 0x80u, 1u) == 0) && (device(XEN_DOMCTL_ASSIGN_DEVICE, 3u, DMA) == 0));
    MUST(irq_permission(3u, GPIO_IRQ, 1u) == 0);
    MUST(dma(&value, true));
    order(made[1], HAL_DOMAIN_OFF);
    until(made[1], DOMAIN_STOPPED, 0u);
    MUST(iomem(3u, DMA_MFN, 1u, 1u) == -XEN_EBUSY); /* it is down */
    MUST(iomem(2u, DMA_MFN, 1u, 1u) == 0);
}

static void offers_registers(void **state)
{
    (void)state;
    scenario(registers);
}

static void offers_interrupts(void **state)
{
    (void)state;
    scenario(interrupts);
}

static void offers_streams(void **state)
{
    (void)state;
    scenario(streams);
}

static void offers_ends(void **state)
{
    (void)state;
    scenario(ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_registers),
        cmocka_unit_test(offers_interrupts),
        cmocka_unit_test(offers_streams),
        cmocka_unit_test(offers_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
