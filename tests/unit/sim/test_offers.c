/* Devices that nobody has, given by a control domain to domains that it made; domains made from a template.
 * [test->req~devices-later~1] [test->req~templates~1] */
#include "sim_guest.h"

#include "abi/xen_control.h"
#include "hal/irq.h"
#include "mem/blocks.h"

/* clang-format off */
#define DEVICES \
    " smmu: iommu@1 { compatible = \"bulkhead,fake-iommu\"; #iommu-cells = <1>; };" \
    " dma@a000000 { reg = <0 0xa000000 0 0x80000>; interrupts = <0 8 4>; iommus = <&smmu 5>;" \
    "  xen,passthrough; };" \
    " gpio@b000000 { reg = <0 0xb000000 0 0x1000>; interrupts = <0 9 1>; xen,passthrough; };" \
    " plain@c000000 { reg = <0 0xc000000 0 0x1000>; interrupts = <0 10 4>; iommus = <&smmu 6>; };"
#define SHM(id, role) \
    " shm-" id " { compatible = \"xen,domain-shared-memory-v1\"; xen,shm-id = \"" id "\";" \
    "  role = \"" role "\";" \
    "  xen,shared-mem = <0 0x6" id "000000 0x2000>; };"
#define TEMPLATE \
    " kept { compatible = \"xen,domain\"; #address-cells = <2>; #size-cells = <1>; bulkhead,template;" \
    "  bulkhead,uuid = \"66696674-6565-6e20-6c65-747465727300\"; memory = <0 8192>; cpus = <2>;" \
    "  #xen,static-mem-address-cells = <2>; #xen,static-mem-size-cells = <1>;" \
    "  xen,static-mem = <0 0x8a000000 0x800000>;" CHANNEL("b", "1", "9", "a") SHM("0", "borrower") \
    SHM("1", "owner") " };"
#define SYSTEM \
    BOARD_BEGIN BOARD_CPU("0") BOARD_CPU("1") BOARD_CPU("2") BOARD_CPU("3") " };" DEVICES " empty {" \
    BOARD_REST("credit2") " bulkhead,spare-domains = <2 1 512>;" \
    DOMAIN("1", "2", " capabilities = <5>; xen,enhanced = \"no-xenstore\";") \
    DOMAIN("2", "1", ENHANCED CHANNEL("a", "1", "5", "b") SHM("0", "owner") SHM("1", "borrower")) \
    TEMPLATE BOARD_END
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
#define THEIRS   0x60000000u /* the memory of a link that domain 2 owns ... */
#define KEPTS    0x61000000u /* ... and the template */

#define HANDLE "fifteen letters" /* the template's UUID */

static uint16_t first; /* of the domains that are made */
static uint16_t second;
static struct domain *made[2];

/* As often as it wants to be made */
static int64_t domctl(uint32_t cmd, uint16_t domid, struct xen_domctl *arg)
{
    uint64_t again = 0u;
    int64_t result = 0;
    uint32_t before;

    arg->cmd = cmd;
    arg->interface_version = XEN_DOMCTL_VERSION;
    arg->domain = domid;
    put(one, ARGS, arg, sizeof(*arg));
    do {
        before = one->hal.nr_again;
        result = call(one, XEN_HCALL_DOMCTL, place(one, ARGS), again, 0u);
        again = call_arg[1];
        if (one->hal.nr_again != before) {
            fake_time_advance(MS / 10u);
            until_in_guest(one);
        }
    } while (one->hal.nr_again != before);
    get(one, ARGS, arg, sizeof(*arg));
    return result;
}

static int64_t create(const char *handle, uint32_t vcpus, uint16_t *domid)
{
    struct xen_domctl arg = { .u.create = { .flags = 3u,
                                            .max_vcpus = vcpus,
                                            .max_evtchn_port = 1023u,
                                            .max_grant_frames = -1,
                                            .max_maptrack_frames = -1,
                                            .grant_opts = 1u } };
    int64_t result = 0;

    (void)strncpy((char *)arg.u.create.handle, handle, 16u);
    result = domctl(XEN_DOMCTL_CREATEDOMAIN, 0u, &arg);
    *domid = arg.domain;
    arg.u.max_mem.kib = 65536u;
    MUST((result != 0) || (domctl(XEN_DOMCTL_MAX_MEM, *domid, &arg) == 0));
    return result;
}

static int64_t destroy(uint16_t domid)
{
    struct xen_domctl arg = { .cmd = 0u };

    return domctl(XEN_DOMCTL_DESTROYDOMAIN, domid, &arg);
}

static int64_t populate(uint16_t domid, uint64_t gfn, uint32_t order)
{
    struct xen_memory_reservation arg = {
        .extent_start = place(one, ARGS + 0x100u), .nr_extents = 1u, .extent_order = order, .domid = domid
    };
    uint64_t op = XENMEM_POPULATE_PHYSMAP;
    int64_t result = 0;
    uint32_t before;

    put(one, ARGS, &arg, sizeof(arg));
    put(one, ARGS + 0x100u, &gfn, sizeof(gfn));
    do { /* the scrubber is waited for */
        before = one->hal.nr_again;
        result = call(one, 12u, op, place(one, ARGS), 0u);
        op = (one->hal.nr_again != before) ? call_arg[0] : op;
        fake_time_advance(MS / 10u);
        until_in_guest(one);
    } while (one->hal.nr_again != before);
    return result;
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
    MUST((create("one", 1u, &first) == 0) && (create("two", 1u, &second) == 0));
    made[0] = domain_by_id(first);
    made[1] = domain_by_id(second);
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
    MUST(iomem(first, DMA_MFN, 0x80u, 1u) == 0);
    MUST(iomem(first, DMA_MFN + 1u, 2u, 1u) == 0);
    MUST(iomem(first, DMA_MFN, 0x80u, 0u) == -XEN_EOPNOTSUPP);
    MUST(iomem(second, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(iomem(1u, GPIO_MFN, 1u, 1u) == -XEN_EPERM);      /* it was not made */
    MUST(iomem(first, 0xc000u, 1u, 1u) == -XEN_EPERM);    /* not marked */
    MUST(iomem(first, RAM >> 12u, 1u, 1u) == -XEN_EPERM); /* memory */
    MUST(iomem(first, 0x9000u, 1u, 1u) == -XEN_EPERM);    /* the hypervisor's console */
    MUST(iomem(first, DMA_MFN, 0x81u, 1u) == -XEN_EPERM); /* beyond its end */
    MUST(iomem(first, DMA_MFN + 1u, UINT64_MAX, 1u) == -XEN_EPERM);
    MUST(iomem(first, UINT64_MAX, 2u, 1u) == -XEN_EPERM);

    MUST(mapping(first, GFN, DMA_MFN, 65u, 1u) == -XEN_E2BIG);
    MUST(mapping(first, GFN, DMA_MFN, 0u, 1u) == -XEN_EINVAL);
    MUST(mapping(second, GFN, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(mapping(first, UINT64_MAX, DMA_MFN, 2u, 1u) == -XEN_EINVAL);
    MUST(mapping(first, GFN, DMA_MFN, 64u, 1u) == 0);
    MUST(mapping(first, GFN + 64u, DMA_MFN + 64u, 64u, 1u) == 0);
    MUST(leads(made[0], GFN, DMA_MFN) && leads(made[0], GFN + 127u, DMA_MFN + 127u));
    MUST(mapping(first, GFN, DMA_MFN, 1u, 1u) == -XEN_EBUSY); /* something is there */
    MUST(populate(first, GFN + 0x1000u, 0u) == 1);
    MUST(mapping(first, GFN + 0x1000u, DMA_MFN, 1u, 1u) == -XEN_EBUSY);
    MUST(populate(first, GFN, 0u) == 0);                            /* nor the other way round */
    MUST(mapping(first, GFN + 1u, DMA_MFN, 1u, 0u) == -XEN_ENODEV); /* not this one */
    MUST(mapping(first, GFN + 1u, DMA_MFN + 1u, 4u, 0u) == 0);
    MUST(!leads(made[0], GFN + 1u, DMA_MFN + 1u) && leads(made[0], GFN + 5u, DMA_MFN + 5u));
    MUST(mapping(first, GFN + 1u, DMA_MFN + 1u, 1u, 0u) == -XEN_ENODEV);
}

static void interrupts(void)
{
    uint32_t virq = 0u;

    boot();
    MUST(build_pause(made[0], false, false));
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, DMA_IRQ) == -XEN_EBUSY); /* it may run */
    MUST(build_pause(made[0], true, false));
    MUST(irq_permission(first, DMA_IRQ, 1u) == 0);
    MUST(irq_permission(first, DMA_IRQ, 0u) == -XEN_EOPNOTSUPP);
    MUST(irq_permission(second, DMA_IRQ, 1u) == -XEN_EBUSY);
    MUST(irq_permission(first, 42u, 1u) == -XEN_EPERM);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, DMA_IRQ) == 0);
    MUST((hal_irq_guest(DMA_IRQ, &virq) == &made[0]->hal) && (virq == DMA_IRQ));
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, DMA_IRQ) == -XEN_EBUSY);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, 42u) == -XEN_EPERM);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, 27u) == -XEN_EPERM);
    struct xen_domctl other = { .u.pt_irq = { GPIO_IRQ, XEN_PT_IRQ_TYPE_SPI, DMA_IRQ } };
    MUST(domctl(XEN_DOMCTL_BIND_PT_IRQ, first, &other) == -XEN_EINVAL);
    other.u.pt_irq.spi = GPIO_IRQ;
    other.u.pt_irq.type = 2u;
    MUST(domctl(XEN_DOMCTL_BIND_PT_IRQ, first, &other) == -XEN_EINVAL);
    MUST(pt_irq(XEN_DOMCTL_UNBIND_PT_IRQ, first, DMA_IRQ) == 0);
    MUST(hal_irq_guest(DMA_IRQ, &virq) == NULL);
    MUST(pt_irq(XEN_DOMCTL_UNBIND_PT_IRQ, first, DMA_IRQ) == 0);
    MUST(iomem(second, DMA_MFN, 1u, 1u) == -XEN_EBUSY); /* the whole device is that one's */
}

static void streams(void)
{
    uint64_t value = 0x1111u;
    uint64_t found = 0u;

    boot();
    MUST(populate(first, GUEST_RAM >> 12u, 9u) == 1);
    MUST(!dma(&value, true));
    MUST(device(XEN_DOMCTL_TEST_ASSIGN_DEVICE, first, DMA) == 0);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, 1u, DMA) == -XEN_EPERM);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, DMA) == 0);
    MUST(dma(&value, true));
    MUST(fake_guest_read(&made[0]->hal.map, gpa(FREE_AT), &found, 8u) && (found == value));
    MUST(device(XEN_DOMCTL_TEST_ASSIGN_DEVICE, second, DMA) == -XEN_EBUSY);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, second, DMA) == -XEN_EBUSY);
    MUST(device(XEN_DOMCTL_DEASSIGN_DEVICE, second, DMA) == -XEN_EBUSY);
    MUST(dma(&value, true));
    MUST(device(XEN_DOMCTL_DEASSIGN_DEVICE, first, DMA) == 0);
    MUST(!dma(&value, true));
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, GPIO) == -XEN_ENODEV); /* no IOMMU */
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, "/plain@c000000") == -XEN_ENODEV);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, "") == -XEN_ENODEV);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, DMA "/") == -XEN_ENODEV);
    struct xen_domctl arg = { .u.device = { XEN_DOMCTL_DEV_DT, 0u, UINT32_MAX, 0u, PATH } };
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, first, &arg) == -XEN_EINVAL);
    arg.u.device.kind = 0u;
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, first, &arg) == -XEN_EOPNOTSUPP);
    arg = (struct xen_domctl){ .u.device = { XEN_DOMCTL_DEV_DT, 0u, 4u, 0u, 8u } };
    MUST(domctl(XEN_DOMCTL_ASSIGN_DEVICE, first, &arg) == -XEN_EFAULT);
}

/* Whatever it has is free for the next when it ends, and reaches nothing any more. */
static void ends(void)
{
    uint64_t value = 0x2222u;
    uint32_t virq = 0u;

    boot();
    MUST(populate(first, GUEST_RAM >> 12u, 9u) == 1);
    MUST(populate(second, GUEST_RAM >> 12u, 9u) == 1);
    MUST((iomem(first, DMA_MFN, 0x80u, 1u) == 0) && (mapping(first, GFN, DMA_MFN, 64u, 1u) == 0));
    MUST(iomem(first, GPIO_MFN, 1u, 1u) == 0);
    MUST(device(XEN_DOMCTL_ASSIGN_DEVICE, first, DMA) == 0);
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, first, GPIO_IRQ) == 0);
    MUST(dma(&value, true));
    MUST(destroy(first) == 0);
    MUST(domain_by_id(first) == NULL);
    MUST(!dma(&value, true) && (hal_irq_guest(GPIO_IRQ, &virq) == NULL));
    MUST((iomem(second, DMA_MFN, 0x80u, 1u) == 0) && (device(XEN_DOMCTL_ASSIGN_DEVICE, second, DMA) == 0));
    MUST(pt_irq(XEN_DOMCTL_BIND_PT_IRQ, second, GPIO_IRQ) == 0);
    MUST(dma(&value, true) && (hal_irq_guest(GPIO_IRQ, &virq) == &made[1]->hal));
    MUST(destroy(second) == 0);
    MUST(!dma(&value, true) && (hal_irq_guest(GPIO_IRQ, &virq) == NULL));
    MUST(create("more", 1u, &first) == 0);
    MUST(iomem(first, DMA_MFN, 1u, 1u) == 0);
}

static bool sees(const struct domain *d, uint64_t at, uint64_t value)
{
    uint64_t found = 0u;

    return fake_guest_read(&d->hal.map, gpa(at), &found, sizeof(found)) && (found == value);
}

/* What the tree declares is there when it is made with its UUID, each time, and nobody else gets it. */
static void from_template(void)
{
    static const uint64_t at = 0x8a000000ULL;
    uint64_t value = 0x3333u;
    uint64_t found = 0u;
    uint16_t kept = 0u;
    uint16_t another = 0u;

    boot();
    MUST(domain_by_name("kept") == NULL);
    MUST(create("more", 2u, &kept) == -XEN_EINVAL); /* all other places have one vCPU */
    for (uint32_t life = 0u; life < 3u; life++) {
        for (uint32_t i = 0u; (i < 1000u) && (blocks_dirty_bytes() != 0u); i++) {
            fake_time_advance(MS);
        }
        const uint64_t free = blocks_free_bytes();

        MUST(blocks_dirty_bytes() == 0u);
        MUST(create(HANDLE, 2u, &kept) == 0);
        MUST(create(HANDLE, 1u, &another) == -XEN_ENOMEM);
        struct domain *const d = domain_by_id(kept);

        MUST((d != NULL) && (domain_by_name("kept") == d) && (d->nr_vcpus == 2u));
        for (uint64_t i = 0u; i < 3u; i++) {
            MUST(populate(kept, (GUEST_RAM >> 12u) + (i * 512u), 9u) == 1);
        }
        MUST(populate(kept, 0x39000u, 0u) == 1);
        MUST(populate(kept, 0x39001u, 0u) == 1);
        MUST(populate(kept, (GUEST_RAM >> 12u) + (3u * 512u), 9u) == 0); /* that was all */
        MUST(blocks_free_bytes() == free);
        for (uint64_t i = 0u; i < MIB(6); i += PAGE_BYTES) {
            uint64_t bytes = 0u;
            uint32_t perm = 0u;
            hpa_t to = hpa(0u);

            MUST(hal_guestmap_lookup(&d->hal.map, gpa(GUEST_RAM + i), &to, &perm, &bytes) == HV_OK);
            MUST((to.v >= at) && (to.v < (at + MIB(8))));
            MUST(fake_guest_read(&d->hal.map, gpa(GUEST_RAM + i), &found, 8u) && (found == 0u));
            MUST(fake_guest_write(&d->hal.map, gpa(GUEST_RAM + i), &value, 8u));
        }
        /* both ends of the links, and of the channel, which told that it is there */
        MUST(pending(two, 5u));
        forget(two, 5u);
        MUST(sees(d, KEPTS, 0u) && sees(two->domain, KEPTS, 0u));
        MUST(fake_guest_write(&two->domain->hal.map, gpa(THEIRS), &value, 8u) && sees(d, THEIRS, value));
        MUST(fake_guest_write(&d->hal.map, gpa(KEPTS), &value, 8u) && sees(two->domain, KEPTS, value));
        MUST(send(two, 5u) == 0);
        MUST(destroy(kept) == 0);
        MUST(pending(two, 5u) && (send(two, 5u) == 0)); /* to nobody */
        forget(two, 5u);
        MUST(sees(two->domain, THEIRS, value) && sees(two->domain, KEPTS, 0u));
        MUST(domain_by_name("kept") == NULL);
    }
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

static void offers_template(void **state)
{
    (void)state;
    scenario(from_template);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_registers), cmocka_unit_test(offers_interrupts),
        cmocka_unit_test(offers_streams),   cmocka_unit_test(offers_ends),
        cmocka_unit_test(offers_template),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
