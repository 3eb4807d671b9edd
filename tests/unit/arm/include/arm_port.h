/* The registers of the test machine's executing CPU. */
#ifndef TEST_ARM_PORT_H
#define TEST_ARM_PORT_H

#include "arm_plan.h"
#include "arm_smmu.h"
#include "hal/types.h"
#include "hal/vcpu.h"

struct fake_cpu {
    uint64_t lr[16];
    uint32_t hcr;
    uint32_t vmcr;
    uint32_t apr[2][4];
    uint32_t active;  /* private interrupts that are active in the host's controller */
    uint32_t pending; /* ... or pending, besides the timer */
    uint32_t running; /* acknowledged and not dropped, + 1 */
    uint32_t cntv_ctl;
    uint64_t cntv_cval;
    uint64_t cntvoff;
    uint32_t cnthctl;
    uint32_t cnthp_ctl;
    uint64_t cnthp_cval;
    uint64_t sgi1r; /* last one sent */
    uint32_t sre_el2;
    uint32_t eoimode;
};

extern struct fake_cpu fake_cpus[];
extern uint32_t fake_cpu_now;
extern uint64_t fake_counter; /* the physical counter, the same everywhere */
extern uint32_t fake_hz;
extern uint64_t fake_smccc_last;

struct fake_cpu *fake_cpu(void);
uint32_t fake_acknowledge(void);
void fake_ipi(uint64_t cpus); /* sent to this set */
void fake_deactivate(uint32_t intid);
bool fake_vtimer_output(const struct fake_cpu *cpu);

static inline uint64_t arm_smccc(enum arm_conduit conduit, uint64_t function, uint64_t a1, uint64_t a2,
                                 uint64_t a3)
{
    (void)conduit;
    (void)a1;
    (void)a2;
    (void)a3;
    fake_smccc_last = function;
    return 0u;
}

static inline uint64_t arm_reg_get(const struct hal_vcpu *vcpu, uint32_t n)
{
    return (n < 31u) ? vcpu->frame.x[n] : 0u;
}

static inline void arm_reg_set(struct hal_vcpu *vcpu, uint32_t n, uint64_t value)
{
    if (n < 31u) {
        vcpu->frame.x[n] = value;
    }
}

/* Host physical addresses are the test's own pointers. */
static inline uint64_t *arm_heap_at(uint64_t pa)
{
    return (uint64_t *)(uintptr_t)pa;
}

static inline struct smmu_stage2 arm_stage2_of(const struct hal_guestmap *map)
{
    const struct smmu_stage2 stage2 = { map->root, map->ipa_bits, map->level0, map->id };

    return stage2;
}

static inline void arm_isb(void)
{
}

static inline uint64_t arm_cpu_hwid(void)
{
    return fake_cpu_now;
}

/* The host's AArch32: each register tells its number; one cache level of 4 sets and 4 ways of 64 bytes. */
#define ARM_ID32_READ(crm, op2) (0x01010101u * (((crm) << 4u) | (op2)))
#define ARM_MVFR_READ(n)        (0x33333330u | (uint32_t)(n))

extern uint64_t fake_cisw; /* last line cleaned by set and way */

static inline uint64_t arm_clidr_read(void)
{
    return 4u;
}

static inline bool arm_ccsidr_is_wide(void)
{
    return false;
}

static inline uint64_t arm_ccsidr_read(uint32_t select)
{
    (void)select;
    return (3u << 13u) | (3u << 3u) | 2u;
}

static inline void arm_dc_cisw(uint64_t operand)
{
    fake_cisw = operand;
}

static inline uint64_t arm_counter_read(void)
{
    return fake_counter;
}

static inline uint32_t arm_counter_frequency(void)
{
    return fake_hz;
}

static inline void arm_hyp_timer_write(uint64_t compare, uint32_t control)
{
    fake_cpu()->cnthp_cval = compare;
    fake_cpu()->cnthp_ctl = control;
}

static inline uint32_t arm_virt_timer_control(void)
{
    const struct fake_cpu *cpu = fake_cpu();
    const bool reached = (fake_counter - cpu->cntvoff) >= cpu->cntv_cval;

    return (cpu->cntv_ctl & 3u) | ((((cpu->cntv_ctl & 1u) != 0u) && reached) ? 4u : 0u);
}

static inline void arm_virt_timer_control_write(uint32_t control)
{
    fake_cpu()->cntv_ctl = control;
}

static inline void arm_virt_timer_compare_write(uint64_t compare)
{
    fake_cpu()->cntv_cval = compare;
}

static inline uint64_t arm_virt_timer_compare(void)
{
    return fake_cpu()->cntv_cval;
}

static inline void arm_virt_offset_write(uint64_t offset)
{
    fake_cpu()->cntvoff = offset;
}

static inline void arm_timer_access_write(uint32_t cnthctl)
{
    fake_cpu()->cnthctl = cnthctl;
}

#endif
