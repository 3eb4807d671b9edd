/* vCPUs, their interrupt controller and their clocks. */
#include "base/percpu.h"
#include "fake_private.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "hal/virq.h"

static struct hal_vcpu *loaded[HV_CPUS_MAX];
static void (*watch)(struct hal_vcpu *vcpu, bool in);

void fake_watch(void (*fn)(struct hal_vcpu *vcpu, bool in))
{
    watch = fn;
}

void fake_vcpu_reset_all(void)
{
    watch = NULL;
    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        loaded[i] = NULL;
    }
}

static bool bit_get(const uint64_t *words, uint32_t n)
{
    return (words[n / 64u] & BIT64(n % 64u)) != 0u;
}

static void bit_put(uint64_t *words, uint32_t n, bool value)
{
    if (value) {
        words[n / 64u] |= BIT64(n % 64u);
    } else {
        words[n / 64u] &= ~BIT64(n % 64u);
    }
}

/* -- Domains -- */

enum hv_status hal_domain_init(struct hal_domain *domain, const struct hal_domain_config *config)
{
    const uint32_t nr_inits = domain->nr_inits;

    if (domain->live) {
        fake_die("hal_domain_init() of a domain that is alive");
    }
    if ((config->nr_vcpus == 0u) || (config->nr_vcpus > HV_VCPUS_MAX) ||
        (config->nr_spis > (FAKE_INTIDS - FAKE_SPI_FIRST))) {
        return HV_NOT_SUPPORTED;
    }
    *domain = (struct hal_domain){ .nr_vcpus = config->nr_vcpus, .nr_spis = config->nr_spis };
    domain->nr_inits = nr_inits + 1u;
    domain->page = upcall_domain_page(domain);
    if (domain->page == NULL) {
        return HV_NO_MEMORY;
    }
    const enum hv_status status = hal_guestmap_init(&domain->map, domain, config->map_id);
    if (status != HV_OK) {
        upcall_domain_page_free(domain, domain->page);
        domain->page = NULL;
        return status;
    }
    domain->live = true;
    return HV_OK;
}

enum hv_status hal_domain_width(struct hal_domain *domain, bool is_32bit)
{
    domain->is_32bit = is_32bit;
    return HV_OK;
}

void hal_domain_destroy(struct hal_domain *domain)
{
    if (!domain->live) {
        fake_die("hal_domain_destroy() of a domain that is not alive");
    }
    for (uint32_t i = 0u; i < HV_CPUS_MAX; i++) {
        if ((loaded[i] != NULL) && (loaded[i]->domain == domain)) {
            fake_die("hal_domain_destroy() while CPU %u has a vCPU of it", i);
        }
    }
    hal_guestmap_destroy(&domain->map);
    upcall_domain_page_free(domain, domain->page);
    domain->page = NULL;
    domain->live = false;
}

/* -- vCPUs -- */

enum hv_status hal_vcpu_init(struct hal_vcpu *vcpu, struct hal_domain *domain, uint32_t index)
{
    if (vcpu->loaded) {
        fake_die("hal_vcpu_init() of a vCPU that CPU %u has", vcpu->loaded_on);
    }
    *vcpu = (struct hal_vcpu){ .frame = { .kind = FAKE_FRAME_VCPU }, .domain = domain, .index = index };
    vcpu->virt_deadline_ns = TIME_NEVER;
    vcpu->phys_deadline_ns = TIME_NEVER;
    return HV_OK;
}

void hal_vcpu_reset(struct hal_vcpu *vcpu, uint64_t entry, uint64_t argument)
{
    if (vcpu->loaded) {
        fake_die("hal_vcpu_reset() of a vCPU that CPU %u has", vcpu->loaded_on);
    }
    vcpu->frame = (struct hal_frame){ .kind = FAKE_FRAME_VCPU, .pc = entry, .reg = { argument } };
    vcpu->entry = entry;
    vcpu->argument = argument;
    vcpu->nr_resets++;
    vcpu->virt_deadline_ns = TIME_NEVER;
    vcpu->phys_deadline_ns = TIME_NEVER;
    vcpu->intc = (struct fake_intc){ { 0u }, { 0u }, { 0u } };
}

void hal_vcpu_save(struct hal_vcpu *vcpu)
{
    if (!vcpu->loaded || (vcpu->loaded_on != cpu_id()) || (loaded[cpu_id()] != vcpu) ||
        !hal_cpu_irq_masked()) {
        fake_die("hal_vcpu_save() on CPU %u of a vCPU that it has not", cpu_id());
    }
    vcpu->loaded = false;
    vcpu->nr_saves++;
    loaded[cpu_id()] = NULL;
    if (watch != NULL) {
        watch(vcpu, false);
    }
}

void hal_vcpu_load(struct hal_vcpu *vcpu)
{
    if (vcpu->loaded || (loaded[cpu_id()] != NULL) || !hal_cpu_irq_masked()) {
        fake_die("hal_vcpu_load() on CPU %u while something is loaded", cpu_id());
    }
    if (!vcpu->domain->live) {
        fake_die("hal_vcpu_load() of a vCPU whose domain is gone");
    }
    vcpu->loaded = true;
    vcpu->loaded_on = cpu_id();
    vcpu->nr_loads++;
    loaded[cpu_id()] = vcpu;
    hal_context_set(&vcpu->frame);
    if (watch != NULL) {
        watch(vcpu, true);
    }
}

void hal_vcpu_registers(const struct hal_vcpu *vcpu, struct hal_registers *registers)
{
    if (vcpu->loaded) {
        fake_die("the registers of a vCPU that is loaded");
    }
    *registers = (struct hal_registers){ .x = { vcpu->frame.reg[0] }, .pc = vcpu->frame.pc };
}

void hal_vcpu_again(struct hal_vcpu *vcpu)
{
    vcpu->nr_again++;
}

void hal_vcpu_set_load(struct hal_vcpu *vcpu, const struct hal_exit *exit, uint64_t value)
{
    const uint32_t bits = 8u * (uint32_t)exit->width;
    uint64_t result = (bits < 64u) ? (value & (BIT64(bits) - 1u)) : value;

    if (exit->reg >= FAKE_FRAME_REGS) {
        fake_die("register %u", exit->reg);
    }
    if (exit->sign_extend && (bits < 64u) && ((result & BIT64(bits - 1u)) != 0u)) {
        result |= ~(BIT64(bits) - 1u);
    }
    vcpu->frame.reg[exit->reg] = exit->wide ? result : (result & UINT32_MAX);
}

void hal_vcpu_trap_wait(struct hal_vcpu *vcpu, bool trap)
{
    vcpu->trap_wait = trap;
}

/* Its virtual addresses are physical ones. */
hpa_t hal_vcpu_reach(const struct hal_vcpu *vcpu, uint64_t va, bool write)
{
    const uint32_t need = write ? HAL_PERM_W : HAL_PERM_R;
    uint32_t perm = 0u;
    uint64_t bytes = 0u;
    hpa_t to = hpa(0u);
    const bool is_there = hal_guestmap_lookup(&vcpu->domain->map, gpa(va), &to, &perm, &bytes) == HV_OK;

    return (is_there && ((perm & need) != 0u)) ? to : hpa(HAL_NOWHERE);
}

/* -- Interrupts -- */

/* The lowest pending one that the vCPU would take; FAKE_INTIDS if none. */
static uint32_t pending_first(const struct hal_vcpu *vcpu)
{
    uint32_t found = FAKE_INTIDS;

    for (uint32_t i = 0u; (found == FAKE_INTIDS) && (i < FAKE_INTIDS); i++) {
        if (fake_guest_pending(vcpu, i)) {
            found = i;
        }
    }
    return found;
}

bool fake_guest_pending(const struct hal_vcpu *vcpu, uint32_t intid)
{
    const bool shared = intid >= FAKE_SPI_FIRST;
    const struct fake_intc *const intc = shared ? &vcpu->domain->intc : &vcpu->intc;

    return (!shared || (vcpu->index == 0u)) && (bit_get(intc->pending, intid) || bit_get(intc->level, intid));
}

bool hal_vcpu_irq_pending(const struct hal_vcpu *vcpu)
{
    return pending_first(vcpu) != FAKE_INTIDS;
}

uint32_t fake_guest_ack(struct hal_vcpu *vcpu)
{
    const uint32_t intid = pending_first(vcpu);
    struct fake_intc *const intc = (intid >= FAKE_SPI_FIRST) ? &vcpu->domain->intc : &vcpu->intc;

    if (intid != FAKE_INTIDS) {
        bit_put(intc->pending, intid, false);
    }
    return (intid != FAKE_INTIDS) ? intid : UINT32_MAX;
}

void fake_guest_pend(struct hal_vcpu *vcpu, uint32_t intid)
{
    bit_put((intid >= FAKE_SPI_FIRST) ? vcpu->domain->intc.pending : vcpu->intc.pending, intid, true);
    upcall_vcpu_kick(vcpu);
}

bool fake_guest_line(const struct hal_domain *domain, uint32_t intid)
{
    return bit_get(domain->intc.level, intid);
}

static bool line_known(const struct hal_domain *domain, uint32_t intid)
{
    return (intid >= FAKE_SPI_FIRST) && ((intid - FAKE_SPI_FIRST) < domain->nr_spis);
}

static void kick_first(struct hal_domain *domain)
{
    struct hal_vcpu *const vcpu = upcall_vcpu(domain, 0u);

    if (vcpu != NULL) {
        upcall_vcpu_kick(vcpu);
    }
}

void hal_virq_set_line(struct hal_domain *domain, uint32_t intid, bool level)
{
    if (fake_line_routed(domain, intid)) {
        if (level) {
            hal_virq_pulse(domain, intid);
        }
    } else if (line_known(domain, intid)) {
        const bool before = bit_get(domain->intc.level, intid);

        bit_put(domain->intc.level, intid, level);
        if (level && !before) {
            kick_first(domain);
        }
    } else {
        /* ignored */
    }
}

void hal_virq_pulse(struct hal_domain *domain, uint32_t intid)
{
    if (line_known(domain, intid)) {
        bit_put(domain->intc.pending, intid, true);
        kick_first(domain);
    }
}

void hal_virq_event(struct hal_vcpu *vcpu)
{
    fake_guest_pend(vcpu, HAL_VIRQ_EVENTS);
}

/* -- Clocks: one interrupts the guest by itself while the vCPU is loaded, the other is emulated -- */

/* A clock that has expired stays a deadline, of this very moment, until the guest has been told. */
uint64_t hal_vcpu_deadline(const struct hal_vcpu *vcpu, bool is_loaded)
{
    const bool told_later =
        fake_guest_pending(vcpu, FAKE_INTID_VIRT_TIMER) || fake_guest_pending(vcpu, FAKE_INTID_PHYS_TIMER);

    if (!is_loaded && told_later) {
        return hal_timer_now_ns();
    }
    return is_loaded ? vcpu->phys_deadline_ns : bits_min(vcpu->phys_deadline_ns, vcpu->virt_deadline_ns);
}

static void expire(struct hal_vcpu *vcpu, uint64_t *deadline_ns, uint32_t intid)
{
    if (*deadline_ns <= fake_time()) {
        *deadline_ns = TIME_NEVER;
        bit_put(vcpu->intc.pending, intid, true);
    }
}

void hal_vcpu_deadline_reached(struct hal_vcpu *vcpu)
{
    expire(vcpu, &vcpu->phys_deadline_ns, FAKE_INTID_PHYS_TIMER);
    if (!vcpu->loaded) {
        expire(vcpu, &vcpu->virt_deadline_ns, FAKE_INTID_VIRT_TIMER);
    }
}

/* The same for all domains */
uint64_t hal_domain_counter(const struct hal_domain *domain)
{
    (void)domain;
    return hal_timer_ticks(hal_timer_now_ns());
}

uint64_t fake_loaded_deadline(cpuid_t cpu)
{
    return (loaded[cpu] != NULL) ? loaded[cpu]->virt_deadline_ns : TIME_NEVER;
}

void fake_loaded_timer(cpuid_t cpu)
{
    if (loaded[cpu] != NULL) {
        expire(loaded[cpu], &loaded[cpu]->virt_deadline_ns, FAKE_INTID_VIRT_TIMER);
    }
}

void fake_guest_virt_timer(struct hal_vcpu *vcpu, uint64_t deadline_ns)
{
    vcpu->virt_deadline_ns = deadline_ns;
    if (vcpu->loaded) {
        expire(vcpu, &vcpu->virt_deadline_ns, FAKE_INTID_VIRT_TIMER); /* one in the past comes at once */
    }
}

static void deadline_changed(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_vcpu_deadline_changed(vcpu);
}

void fake_guest_phys_timer(struct hal_vcpu *vcpu, uint64_t deadline_ns)
{
    vcpu->phys_deadline_ns = deadline_ns;
    if (vcpu->loaded) {
        fake_guest_call(vcpu->loaded_on, deadline_changed, NULL);
    }
}

/* -- The test as a guest -- */

struct guest_call {
    cpuid_t cpu;
    void (*fn)(struct hal_vcpu *vcpu, void *arg);
    void *arg;
};

static void guest_enter_trap(void *arg)
{
    const struct guest_call *const call = arg;

    call->fn(loaded[call->cpu], call->arg);
    fake_exit_work();
}

void fake_guest_call(cpuid_t cpu, void (*fn)(struct hal_vcpu *vcpu, void *arg), void *arg)
{
    struct percpu *const before = fake_cpu_area;
    struct guest_call call = { cpu, fn, arg };

    fake_cpu_set(cpu);
    const uint64_t flags = hal_cpu_irq_save();
    if (loaded[cpu] == NULL) {
        fake_die("CPU %u is in no guest", cpu);
    }
    (void)fake_call(guest_enter_trap, &call);
    fake_cpu_self()->irq_open = flags != 0u;
    fake_cpu_area = before;
}

struct exit_call {
    const struct hal_exit *exit;
    enum hal_resume resume;
};

static void exit_call(struct hal_vcpu *vcpu, void *arg)
{
    struct exit_call *const call = arg;

    call->resume = upcall_exit(vcpu, call->exit);
}

enum hal_resume fake_guest_exit(cpuid_t cpu, const struct hal_exit *exit)
{
    struct exit_call call = { exit, HAL_RESUME };

    fake_guest_call(cpu, exit_call, &call);
    return call.resume;
}

static void wait_call(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    if (vcpu->trap_wait) {
        const struct hal_exit exit = { .kind = HAL_EXIT_IDLE };

        (void)upcall_exit(vcpu, &exit);
    }
}

void fake_guest_wait(cpuid_t cpu)
{
    fake_guest_call(cpu, wait_call, NULL);
}
