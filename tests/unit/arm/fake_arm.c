#include "fake_arm.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arm_sysregs.h"
#include "base/console.h"
#include "base/log.h"
#include "base/percpu.h"
#include "hal/cache.h"
#include "hal/hypmap.h"
#include "hal/plan.h"

struct fake_cpu fake_cpus[FAKE_CPUS];
uint32_t fake_cpu_now;
uint64_t fake_counter;
uint32_t fake_hz = 62500000u;
uint64_t fake_smccc_last;
uint64_t fake_cisw;

/* Unless a port's own is linked */
__attribute__((weak)) bool arm_port_sysreg(const struct hal_vcpu *vcpu, struct arm_sysreg *access)
{
    (void)vcpu;
    (void)access;
    return false;
}
struct percpu percpu_area[HV_CPUS_MAX];
struct fake_seen fake_seen;
struct hal_domain fake_domain;
struct hal_vcpu fake_vcpu[FAKE_VCPUS];

#define PAGE_GICD 0u
#define PAGE_GICC 0x10000u
#define PAGE_GICH 0x30000u
#define PAGE_GICR 0x40000u

static uint8_t fake_pages[PAGE_GICR + (FAKE_CPUS * 0x20000u)];
static struct hal_plan_host fake_host;
static uint32_t fake_nr_vcpus;

struct percpu *hal_cpu_local(void)
{
    return &percpu_area[fake_cpu_now];
}

struct fake_cpu *fake_cpu(void)
{
    return &fake_cpus[fake_cpu_now];
}

/* -- The host's interrupt controller
 * ---------------------------------------------------------------------------------- */

bool fake_vtimer_output(const struct fake_cpu *cpu)
{
    return ((cpu->cntv_ctl & 3u) == 1u) && ((fake_counter - cpu->cntvoff) >= cpu->cntv_cval);
}

static bool fake_maintenance(const struct fake_cpu *cpu)
{
    bool pending = false;
    bool eoi = false;

    for (uint32_t n = 0; n < 4u; n++) {
        pending = pending || ((cpu->lr[n] & GIC_LR_PENDING) != 0u);
        eoi = eoi || (((cpu->lr[n] & (GIC_LR_STATE | GIC_LR_HW)) == 0u) && ((cpu->lr[n] & GIC_LR_EOI) != 0u));
    }
    return ((cpu->hcr & 1u) != 0u) && (eoi || (((cpu->hcr & GIC_HCR_NPIE) != 0u) && !pending) ||
                                       (((cpu->hcr & GIC_HCR_LRENPIE) != 0u) && ((cpu->hcr >> 27u) != 0u)));
}

static uint32_t fake_pending(const struct fake_cpu *cpu)
{
    uint32_t pending = cpu->pending;

    pending |= fake_vtimer_output(cpu) ? BIT32(27) : 0u;
    pending |= fake_maintenance(cpu) ? BIT32(25) : 0u;
    pending |= (((cpu->cnthp_ctl & 1u) != 0u) && (fake_counter >= cpu->cnthp_cval)) ? BIT32(26) : 0u;
    return pending & ~cpu->active;
}

uint32_t fake_acknowledge(void)
{
    struct fake_cpu *cpu = fake_cpu();
    const uint32_t pending = fake_pending(cpu);

    assert(cpu->running == 0u);
    if ((pending == 0u) && (fake_spi_waits(fake_cpu_now) != 0u)) {
        const uint32_t intid = fake_spi_waits(fake_cpu_now);

        fake_spi_acknowledge(intid);
        cpu->running = intid + 1u;
        return intid;
    }
    if (pending == 0u) {
        return 1023u;
    }
    const uint32_t n = (uint32_t)__builtin_ctz(pending);

    cpu->pending &= ~BIT32(n);
    cpu->active |= BIT32(n);
    cpu->running = n + 1u;
    return n;
}

void fake_priority_drop(uint32_t intid)
{
    assert(fake_cpu()->running == (intid & 0x3FFu) + 1u);
    fake_cpu()->running = 0u;
}

void fake_deactivate(uint32_t intid)
{
    if (intid >= 32u) {
        fake_spi_deactivate(intid);
        return;
    }
    assert((fake_cpu()->active & BIT32((intid & 31u))) != 0u);
    fake_cpu()->active &= ~BIT32((intid & 31u));
}

uint32_t fake_elrsr(void)
{
    uint32_t empty = 0u;

    for (uint32_t n = 0; n < 4u; n++) {
        const bool eoi = ((fake_cpu()->lr[n] & GIC_LR_EOI) != 0u) && ((fake_cpu()->lr[n] & GIC_LR_HW) == 0u);

        empty |= (((fake_cpu()->lr[n] & GIC_LR_STATE) == 0u) && !eoi) ? BIT32(n) : 0u;
    }
    return empty;
}

/* GICH_LRn by its own description (IHI 0048B 5.3.11), apart from the product's */
static uint32_t fake_lr2_read(uint32_t n)
{
    const uint64_t lr = fake_cpu()->lr[n];

    return (uint32_t)((lr & 0x3FFu) | (((lr >> 32u) & 0x3FFu) << 10u) | (((lr >> 51u) & 0x1Fu) << 23u) |
                      ((lr >> 62u) << 28u) | (((lr >> 60u) & 1u) << 30u) | (((lr >> 61u) & 1u) << 31u));
}

static void fake_lr2_write(uint32_t n, uint32_t v)
{
    fake_cpu()->lr[n] = (uint64_t)(v & 0x3FFu) | ((uint64_t)((v >> 10u) & 0x3FFu) << 32u) |
                        ((uint64_t)((v >> 23u) & 0x1Fu) << 51u) | ((uint64_t)((v >> 28u) & 3u) << 62u) |
                        ((uint64_t)((v >> 30u) & 1u) << 60u) | ((uint64_t)(v >> 31u) << 61u);
}

static uint32_t fake_gich_read(uint32_t offset)
{
    if (offset >= 0x100u) {
        return fake_lr2_read((offset - 0x100u) / 4u);
    }
    switch (offset) {
    case 0x00:
        return fake_cpu()->hcr;
    case 0x04:
        return 3u;
    case 0x08:
        return fake_cpu()->vmcr;
    case 0x30:
        return fake_elrsr();
    case 0xF0:
        return fake_cpu()->apr[0][0];
    default:
        return 0u;
    }
}

static void fake_gich_write(uint32_t offset, uint32_t value)
{
    if (offset >= 0x100u) {
        fake_lr2_write((offset - 0x100u) / 4u, value);
    } else if (offset == 0x00u) {
        fake_cpu()->hcr = value;
    } else if (offset == 0x08u) {
        fake_cpu()->vmcr = value;
    } else if (offset == 0xF0u) {
        fake_cpu()->apr[0][0] = value;
    }
}

uint32_t fake_mmio_read(const volatile void *reg, uint32_t width)
{
    const uint32_t at = (uint32_t)((const volatile uint8_t *)reg - fake_pages);
    uint32_t value = 0u;

    assert((width == 4u) && (at < sizeof(fake_pages)) && ((at & 3u) == 0u));
    if ((at >= PAGE_GICH) && (at < PAGE_GICR)) {
        return fake_gich_read(at - PAGE_GICH);
    }
    if (at == PAGE_GICC + 0x0Cu) {
        return fake_acknowledge();
    }
    if (fake_spi_read(at, &value)) {
        return value;
    }
    if ((at >= PAGE_GICD + 0x800u) && (at < PAGE_GICD + 0x820u)) {
        return 0x01010101u << fake_cpu_now;
    }
    memcpy(&value, &fake_pages[at], 4);
    return value;
}

/* An IPI counts as a kick of what is loaded there. */
void fake_ipi(uint64_t cpus)
{
    for (uint32_t cpu = 0; cpu < FAKE_CPUS; cpu++) {
        if (((cpus & BIT64(cpu)) != 0u) && (gic_cpus[cpu].loaded != NULL)) {
            fake_seen.kicks[gic_cpus[cpu].loaded->index]++;
        }
    }
}

void fake_mmio_write(volatile void *reg, uint32_t width, uint64_t value)
{
    const uint32_t at = (uint32_t)((volatile uint8_t *)reg - fake_pages);

    assert((at + width <= sizeof(fake_pages)) && ((at & (width - 1u)) == 0u));
    if (fake_spi_write(at, width, value)) {
        return;
    }
    if ((at >= PAGE_GICH) && (at < PAGE_GICR)) {
        fake_gich_write(at - PAGE_GICH, (uint32_t)value);
    } else if (at == PAGE_GICC + 0x10u) {
        fake_priority_drop((uint32_t)value);
    } else if (at == PAGE_GICC + 0x1000u) {
        fake_deactivate((uint32_t)value & 0x3FFu);
    } else if ((fake_host.arm.gic_version == 2u) && (at == 0xF00u)) {
        fake_ipi((value >> 16u) & 0xFFu);
    } else if (((fake_host.arm.gic_version == 2u) && (at == 0x300u)) ||
               (at == PAGE_GICR + (fake_cpu_now * 0x20000u) + 0x10300u)) {
        fake_cpu()->active |= (uint32_t)value;
    } else {
        memcpy(&fake_pages[at], &value, width);
    }
}

enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va)
{
    assert(base.v + bytes <= sizeof(fake_pages));
    *va = &fake_pages[base.v];
    return HV_OK;
}

static void fake_put32(uint32_t at, uint32_t value)
{
    memcpy(&fake_pages[at], &value, 4);
}

/* -- What the product calls
 * ------------------------------------------------------------------------------------------- */

void log_line(const char *format, ...)
{
    (void)format;
}

void console_flush(void)
{
}

void spin_init(struct spinlock *lock, enum lock_rank rank)
{
    *lock = (struct spinlock)SPINLOCK(rank);
}

uint64_t spin_lock(struct spinlock *lock)
{
    assert(lock->owner == 0u); /* one thread: it would wait for ever */
    lock->owner = 1u;
    return 0u;
}

void spin_unlock(struct spinlock *lock, uint64_t flags)
{
    (void)flags;
    assert(lock->owner == 1u);
    lock->owner = 0u;
}

void *upcall_domain_page(struct hal_domain *domain)
{
    (void)domain;
    fake_seen.pages++;
    return calloc(1, PAGE_BYTES);
}

void *upcall_heap_pages(uint32_t nr_pages)
{
    void *const pages = aligned_alloc((size_t)nr_pages * PAGE_BYTES, (size_t)nr_pages * PAGE_BYTES);

    return memset(pages, 0, (size_t)nr_pages * PAGE_BYTES);
}

void upcall_iommu_fault(const struct hal_iommu_fault *fault)
{
    (void)fault;
}

hpa_t hal_hypmap_hpa(const void *va)
{
    return hpa((uint64_t)(uintptr_t)va);
}

void hal_cache_clean(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

void hal_cache_clean_invalidate(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

void upcall_domain_page_free(struct hal_domain *domain, void *page)
{
    (void)domain;
    fake_seen.pages--;
    free(page);
}

struct hal_vcpu *upcall_vcpu(const struct hal_domain *domain, uint32_t index)
{
    (void)domain;
    return (index < fake_nr_vcpus) ? &fake_vcpu[index] : NULL;
}

struct hal_vcpu *upcall_vcpu_current(void)
{
    return gic_cpus[fake_cpu_now].loaded;
}

void upcall_vcpu_kick(struct hal_vcpu *vcpu)
{
    fake_seen.kicks[vcpu->index]++;
}

enum hv_status upcall_vcpu_start(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    fake_seen.starts++;
    fake_seen.start_entry = entry;
    fake_seen.start_argument = argument;
    fake_seen.on[vcpu->index] = fake_seen.on[vcpu->index] || (fake_seen.start_answer == HV_OK);
    return fake_seen.start_answer;
}

void upcall_vcpu_stop(struct hal_vcpu *vcpu)
{
    fake_seen.on[vcpu->index] = false;
    fake_seen.stops++;
}

bool upcall_vcpu_is_on(const struct hal_vcpu *vcpu)
{
    return fake_seen.on[vcpu->index];
}

void upcall_vcpu_block(struct hal_vcpu *vcpu)
{
    (void)vcpu;
    fake_seen.blocks++;
}

void upcall_vcpu_deadline_changed(struct hal_vcpu *vcpu)
{
    (void)vcpu;
    fake_seen.deadlines++;
}

void upcall_domain_power(struct hal_domain *domain, enum hal_power_request request, const char *why)
{
    (void)domain;
    (void)why;
    fake_seen.power_requests++;
    fake_seen.power = request;
}

void upcall_domain_report(struct hal_domain *domain, uint64_t progress)
{
    (void)domain;
    fake_seen.progress = progress;
}

enum hv_status upcall_domain_status(const struct hal_domain *caller, uint64_t domid,
                                    struct hal_domain_status *out)
{
    (void)caller;
    if (fake_seen.monitor && (domid == 7u)) {
        *out = (struct hal_domain_status){ 2u, 0x100000003ULL, fake_seen.progress };
        return HV_OK;
    }
    return fake_seen.monitor ? HV_NOT_FOUND : HV_DENIED;
}

void upcall_irq(uint32_t irq)
{
    fake_seen.irqs++;
    fake_seen.last_irq = irq;
}

void upcall_line(struct hal_domain *domain, uint32_t virq)
{
    hal_virq_pulse(domain, virq);
}

void upcall_ipi(void)
{
    fake_seen.ipis++;
}

void upcall_timer(void)
{
    fake_seen.timers++;
}

enum hv_status hal_guestmap_map(struct hal_guestmap *map, gpa_t at, hpa_t to, uint64_t bytes, uint32_t perm,
                                enum hal_memtype type)
{
    assert((bytes == PAGE_BYTES) && (perm == (HAL_PERM_R | HAL_PERM_W)) && (type == HAL_MEM_DEVICE));
    map->page[map->nr_pages][0] = at.v;
    map->page[map->nr_pages][1] = to.v;
    map->nr_pages++;
    return HV_OK;
}

/* RAM of 16 MiB at 0x40000000; a page of it may not be executed. */
enum hv_status hal_guestmap_lookup(const struct hal_guestmap *map, gpa_t at, hpa_t *to, uint32_t *perm,
                                   uint64_t *bytes)
{
    (void)map;
    if ((at.v < 0x40000000u) || (at.v >= 0x41000000u)) {
        return HV_NOT_FOUND;
    }
    *to = hpa(at.v);
    *bytes = PAGE_BYTES;
    *perm = (at.v >= 0x40FFF000u) ? (HAL_PERM_R | HAL_PERM_W) : HAL_PERM_RWX;
    return HV_OK;
}

void hal_vcpu_set_load(struct hal_vcpu *vcpu, const struct hal_exit *exit, uint64_t value)
{
    arm_reg_set(vcpu, exit->reg, value);
}

/* -- The machine
 * ------------------------------------------------------------------------------------------------------ */

static void fake_describe(uint32_t version)
{
    struct arm_plan_host *arm = &fake_host.arm;

    *arm = (struct arm_plan_host){ .gic_version = version,
                                   .gicd = { PAGE_GICD, 0x10000 },
                                   .gicc = { PAGE_GICC, 0x20000 },
                                   .gich = { PAGE_GICH, 0x1000 },
                                   .gicv = { 0x8040000, 0x2000 },
                                   .gicr = { { PAGE_GICR, FAKE_CPUS * 0x20000 } },
                                   .nr_gicr = 1,
                                   .ppi_maintenance = 25,
                                   .ppi_virt_timer = 27,
                                   .ppi_hyp_timer = 26,
                                   .ppi_phys_timer = 30,
                                   .cpu_compatible = "test,cpu" };
    fake_put32(PAGE_GICD + 4u, 3u); /* 128 interrupts */
    if (version == 3u) {
        fake_put32(PAGE_GICD + 0xFFE8u, 0x3Bu);
    } else {
        fake_put32(PAGE_GICC + 0xFCu, 0x0202143Bu);
    }
    for (uint32_t n = 0; n < FAKE_CPUS; n++) {
        fake_put32(PAGE_GICR + (n * 0x20000u) + 0xFFE8u, 0x3Bu);
        fake_put32(PAGE_GICR + (n * 0x20000u) + 8u, (n == FAKE_CPUS - 1u) ? 0x10u : 0u);
        fake_put32(PAGE_GICR + (n * 0x20000u) + 12u, n);
    }
}

void fake_machine(uint32_t gic_version, uint32_t nr_vcpus, uint32_t nr_spis)
{
    const struct hal_domain_config config = { .nr_vcpus = nr_vcpus, .nr_spis = nr_spis, .map_id = 1 };

    memset(fake_cpus, 0, sizeof(fake_cpus));
    memset(fake_pages, 0, sizeof(fake_pages));
    memset(&fake_seen, 0, sizeof(fake_seen));
    memset(&fake_domain, 0, sizeof(fake_domain));
    memset(fake_vcpu, 0, sizeof(fake_vcpu));
    memset(gic_cpus, 0, sizeof(gic_cpus));
    fake_spi_reset();
    fake_counter = 1000000u;
    fake_nr_vcpus = nr_vcpus;
    fake_describe(gic_version);
    for (uint32_t n = 0; n < FAKE_CPUS; n++) {
        percpu_area[n].id = n;
        fake_cpu_now = n;
        if (((n == 0u) ? hal_irq_init(&fake_host) : hal_irq_init_cpu()) != HV_OK) {
            abort();
        }
        fake_cpus[n].active = 0u;
    }
    fake_cpu_now = 0;
    if (hal_timer_init(&fake_host) != HV_OK) {
        abort();
    }
    if (arm_domain_init(&fake_domain, &config) != HV_OK) {
        abort();
    }
    for (uint32_t n = 0; n < nr_vcpus; n++) {
        fake_vcpu[n].domain = &fake_domain;
        fake_vcpu[n].index = n;
        if (arm_vcpu_init(&fake_vcpu[n]) != HV_OK) {
            abort();
        }
    }
}

void fake_machine_down(void)
{
    for (uint32_t n = 0; n < FAKE_CPUS; n++) {
        if (gic_cpus[n].loaded != NULL) {
            fake_save(n);
        }
    }
    arm_domain_destroy(&fake_domain);
    assert(fake_seen.pages == 0u);
}

void fake_on(uint32_t cpu)
{
    fake_cpu_now = cpu;
}

void fake_load(uint32_t cpu, uint32_t vcpu)
{
    fake_on(cpu);
    assert(gic_cpus[cpu].loaded == NULL);
    arm_vcpu_load(&fake_vcpu[vcpu]);
}

void fake_save(uint32_t cpu)
{
    fake_on(cpu);
    arm_vcpu_save(gic_cpus[cpu].loaded);
    for (uint32_t n = 0; n < 4u; n++) {
        assert((fake_cpus[cpu].lr[n] & (GIC_LR_STATE | GIC_LR_EOI)) == 0u);
    }
    assert((fake_cpus[cpu].active & BIT32(27)) == 0u); /* nothing left behind for the next vCPU */
    assert(fake_cpus[cpu].hcr == 0u);
}

bool fake_interrupt_waits(uint32_t cpu)
{
    return (fake_pending(&fake_cpus[cpu]) != 0u) || (fake_spi_waits(cpu) != 0u);
}

void fake_take_interrupts(void)
{
    for (uint32_t n = 0; (n < 100u) && fake_interrupt_waits(fake_cpu_now); n++) {
        arm_irq_entry();
    }
    assert(!fake_interrupt_waits(fake_cpu_now)); /* a storm */
}

void fake_run_ipis(void)
{
    const uint32_t here = fake_cpu_now;

    for (uint32_t cpu = 0; cpu < FAKE_CPUS; cpu++) {
        struct hal_vcpu *loaded = gic_cpus[cpu].loaded;

        if ((loaded != NULL) && (fake_seen.kicks[loaded->index] != 0u)) {
            fake_seen.kicks[loaded->index] = 0u;
            fake_on(cpu);
            fake_cpus[cpu].pending |= BIT32(0);
            fake_take_interrupts();
        }
    }
    fake_on(here);
}
