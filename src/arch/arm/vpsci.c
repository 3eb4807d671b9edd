/* Power control for guests: PSCI 1.1 and the two functions of PSCI 0.1 that its tree names (DEN 0022 chapter
 * 5). */
/* [impl->req~psci~1] [impl->req~guest-smp~1] */
#include "arch/arm/vpsci.h"

#include "arm_port.h"
#include "hal/upcall.h"
#include "hal/vplat.h"

#define PSCI01_CPU_OFF 1u
#define PSCI01_CPU_ON  2u

#define PSCI_VERSION           0x84000000u
#define PSCI_CPU_SUSPEND       0x84000001u
#define PSCI_CPU_SUSPEND64     0xC4000001u
#define PSCI_CPU_OFF           0x84000002u
#define PSCI_CPU_ON            0x84000003u
#define PSCI_CPU_ON64          0xC4000003u
#define PSCI_AFFINITY_INFO     0x84000004u
#define PSCI_AFFINITY_INFO64   0xC4000004u
#define PSCI_MIGRATE_INFO_TYPE 0x84000006u
#define PSCI_SYSTEM_OFF        0x84000008u
#define PSCI_SYSTEM_RESET      0x84000009u
#define PSCI_FEATURES          0x8400000Au
#define SMCCC_VERSION          0x80000000u

#define PSCI_1_1 0x00010001u

#define PSCI_SUCCESS            0u
#define PSCI_NOT_SUPPORTED      (~0ULL) /* -1, and so on */
#define PSCI_INVALID_PARAMETERS (~0ULL - 1u)
#define PSCI_DENIED             (~0ULL - 2u)
#define PSCI_ALREADY_ON         (~0ULL - 3u)
#define PSCI_INVALID_ADDRESS    (~0ULL - 8u)

#define PSCI_IS_ON         0u
#define PSCI_IS_OFF        1u
#define PSCI_NO_TRUSTED_OS 2u

#define PSCI_IS_64 BIT32(30)

/* The vCPU of an MPIDR's affinity fields, or NULL. */
static struct hal_vcpu *vpsci_find(const struct hal_vcpu *vcpu, uint64_t affinity)
{
    const uint32_t index = (uint32_t)((bits_field(affinity, 15u, 8u) << 4u) | bits_field(affinity, 3u, 0u));
    const bool exists = (index < vcpu->domain->arm.nr_vcpus) && (hal_vplat_cpu_hwid(index) == affinity);

    return exists ? upcall_vcpu(vcpu->domain, index) : NULL;
}

/* Can a vCPU begin there? */
static bool vpsci_is_entry(const struct hal_vcpu *vcpu, uint64_t entry)
{
    const bool is_thumb = vcpu->domain->arm.is_32bit && ((entry & 1u) != 0u);
    uint64_t bytes;
    uint32_t perm = 0u;
    hpa_t to;

    return (is_thumb || ((entry & 3u) == 0u)) &&
           (hal_guestmap_lookup(&vcpu->domain->map, gpa(entry), &to, &perm, &bytes) == HV_OK) &&
           ((perm & HAL_PERM_X) != 0u);
}

static uint64_t vpsci_cpu_on(struct hal_vcpu *vcpu, uint64_t affinity, uint64_t entry, uint64_t context)
{
    struct hal_vcpu *target = vpsci_find(vcpu, affinity);

    if (target == NULL) {
        return PSCI_INVALID_PARAMETERS;
    }
    if (!vpsci_is_entry(vcpu, entry)) {
        return PSCI_INVALID_ADDRESS;
    }
    const enum hv_status status = upcall_vcpu_start(target, entry, context);

    if (status == HV_OK) {
        return PSCI_SUCCESS;
    }
    return (status == HV_BUSY) ? PSCI_ALREADY_ON : PSCI_DENIED;
}

/* Only single CPUs are asked for (level 0), as 1.0 and later allow. */
static uint64_t vpsci_affinity_info(const struct hal_vcpu *vcpu, uint64_t affinity, uint64_t level)
{
    const struct hal_vcpu *target = vpsci_find(vcpu, affinity);

    if ((level != 0u) || (target == NULL)) {
        return PSCI_INVALID_PARAMETERS;
    }
    return upcall_vcpu_is_on(target) ? PSCI_IS_ON : PSCI_IS_OFF;
}

static uint64_t vpsci_features(uint32_t function)
{
    /* of CPU_SUSPEND flags 0: original format of the power state, platform-coordinated */
    static const uint32_t offered[] = { PSCI_VERSION,       PSCI_CPU_SUSPEND,     PSCI_CPU_SUSPEND64,
                                        PSCI_CPU_OFF,       PSCI_CPU_ON,          PSCI_CPU_ON64,
                                        PSCI_AFFINITY_INFO, PSCI_AFFINITY_INFO64, PSCI_MIGRATE_INFO_TYPE,
                                        PSCI_SYSTEM_OFF,    PSCI_SYSTEM_RESET,    PSCI_FEATURES,
                                        SMCCC_VERSION };
    uint64_t result = PSCI_NOT_SUPPORTED;

    for (uint32_t n = 0u; n < ARRAY_LEN(offered); n++) {
        result = (offered[n] == function) ? PSCI_SUCCESS : result;
    }
    return result;
}

/* Argument n; those of the 32-bit functions have 32 bits. */
static uint64_t vpsci_arg(const struct hal_vcpu *vcpu, uint32_t function, uint32_t n)
{
    const bool is_32 = ((function & PSCI_IS_64) == 0u) && (function != PSCI01_CPU_ON);

    return arm_reg_get(vcpu, n) & (is_32 ? UINT32_MAX : UINT64_MAX);
}

uint64_t vpsci_call(struct hal_vcpu *vcpu, uint32_t function)
{
    switch (function) {
    case PSCI_VERSION:
        return PSCI_1_1;
    case PSCI_CPU_SUSPEND:
    case PSCI_CPU_SUSPEND64:
        upcall_vcpu_block(vcpu); /* every state is standby: it goes on here when an interrupt is pending */
        return PSCI_SUCCESS;
    case PSCI_CPU_OFF:
    case PSCI01_CPU_OFF:
        upcall_vcpu_stop(vcpu);
        return PSCI_SUCCESS;
    case PSCI_CPU_ON:
    case PSCI_CPU_ON64:
    case PSCI01_CPU_ON:
        return vpsci_cpu_on(vcpu, vpsci_arg(vcpu, function, 1u), vpsci_arg(vcpu, function, 2u),
                            vpsci_arg(vcpu, function, 3u));
    case PSCI_AFFINITY_INFO:
    case PSCI_AFFINITY_INFO64:
        return vpsci_affinity_info(vcpu, vpsci_arg(vcpu, function, 1u), vpsci_arg(vcpu, function, 2u));
    case PSCI_MIGRATE_INFO_TYPE:
        return PSCI_NO_TRUSTED_OS;
    case PSCI_SYSTEM_OFF:
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_OFF, "SYSTEM_OFF");
        return PSCI_SUCCESS;
    case PSCI_SYSTEM_RESET:
        upcall_domain_power(vcpu->domain, HAL_DOMAIN_RESET, "SYSTEM_RESET");
        return PSCI_SUCCESS;
    case PSCI_FEATURES:
        return vpsci_features((uint32_t)vpsci_arg(vcpu, function, 1u));
    default:
        return PSCI_NOT_SUPPORTED;
    }
}
