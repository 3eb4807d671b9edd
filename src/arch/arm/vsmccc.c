/* Firmware calls of guests, by HVC and SMC alike (DEN 0028, SMC Calling Convention 1.2). None reaches the
 * real firmware. */
/* [impl->req~smccc~1] */
#include "arch/arm/vpsci.h"
#include "arm_port.h"
#include "hal/upcall.h"

#define SMCCC_NOT_SUPPORTED     (~0ULL)
#define SMCCC_INVALID_PARAMETER (~0ULL - 2u)

#define SMCCC_VERSION       0x80000000u
#define SMCCC_ARCH_FEATURES 0x80000001u
#define SMCCC_1_2           0x00010002u

/* General queries of a service (section 6): function numbers 0xFF00 and up */
#define SMCCC_PSCI_COUNT     0x8400FF00u
#define SMCCC_PSCI_UID       0x8400FF01u
#define SMCCC_PSCI_REVISION  0x8400FF03u
#define SMCCC_HYP_COUNT      0x8600FF00u
#define SMCCC_HYP_UID        0x8600FF01u
#define SMCCC_HYP_REVISION   0x8600FF03u
#define SMCCC_QUERIES        3u
#define SMCCC_REVISION_MAJOR 0u
#define SMCCC_REVISION_MINOR 1u

/* Vendor specific hypervisor service: docs/guest-platform.md */
#define DOMAIN_REPORT 0xC6000000u
#define DOMAIN_STATUS 0xC6000001u
#define DOMAIN_CALLS  2u

#define SMCCC_IS_64    BIT32(30)
#define SMCCC_FEATURES 0x8400000Au /* of PSCI */
#define SMCCC_ARGS     3u

/* The identification that guests know this interface by; bytes in the order of the text, the first in bits
 * 7:0. */
static const uint32_t smccc_hyp_uid[4] = { 0xDC1218A7u, 0x694398C6u, 0xD179CF9Au, 0x67E6DE8Du };
static const uint32_t smccc_psci_uid[4] = { 0x6F3863F8u, 0xBD4C394Bu, 0x16CE2092u, 0x6F9FE541u };

static void smccc_answer_uid(struct hal_vcpu *vcpu, const uint32_t *uid)
{
    for (uint32_t n = 0u; n < 4u; n++) {
        arm_reg_set(vcpu, n, uid[n]);
    }
}

/* The workarounds of section 7 are not offered: a guest that asks learns that it can't rely on them. */
static uint64_t smccc_arch_features(uint32_t function)
{
    return ((function == SMCCC_VERSION) || (function == SMCCC_ARCH_FEATURES)) ? 0u : SMCCC_NOT_SUPPORTED;
}

/* [impl->req~monitor-calls~1] */
static void smccc_domain_status(struct hal_vcpu *vcpu)
{
    struct hal_domain_status status;
    const enum hv_status found = upcall_domain_status(vcpu->domain, arm_reg_get(vcpu, 1u), &status);

    if (found == HV_OK) {
        arm_reg_set(vcpu, 0u, 0u);
        arm_reg_set(vcpu, 1u, status.state);
        arm_reg_set(vcpu, 2u, status.nr_restarts);
        arm_reg_set(vcpu, 3u, status.progress);
    } else {
        arm_reg_set(vcpu, 0u, (found == HV_DENIED) ? SMCCC_NOT_SUPPORTED : SMCCC_INVALID_PARAMETER);
    }
}

void arm_vcpu_firmware(struct hal_vcpu *vcpu)
{
    const uint32_t function = (uint32_t)arm_reg_get(vcpu, 0u);

    switch (function) {
    case SMCCC_VERSION:
        arm_reg_set(vcpu, 0u, SMCCC_1_2);
        break;
    case SMCCC_ARCH_FEATURES:
        arm_reg_set(vcpu, 0u, smccc_arch_features((uint32_t)arm_reg_get(vcpu, 1u)));
        break;
    case SMCCC_PSCI_COUNT:
        arm_reg_set(vcpu, 0u, VPSCI_COUNT + SMCCC_QUERIES);
        break;
    case SMCCC_HYP_COUNT:
        arm_reg_set(vcpu, 0u, DOMAIN_CALLS + SMCCC_QUERIES);
        break;
    case SMCCC_PSCI_UID:
        smccc_answer_uid(vcpu, smccc_psci_uid);
        break;
    case SMCCC_HYP_UID:
        smccc_answer_uid(vcpu, smccc_hyp_uid);
        break;
    case SMCCC_PSCI_REVISION:
    case SMCCC_HYP_REVISION:
        arm_reg_set(vcpu, 0u, SMCCC_REVISION_MAJOR);
        arm_reg_set(vcpu, 1u, SMCCC_REVISION_MINOR);
        break;
    case DOMAIN_REPORT:
        upcall_domain_report(vcpu->domain, arm_reg_get(vcpu, 1u));
        arm_reg_set(vcpu, 0u, 0u);
        break;
    case DOMAIN_STATUS:
        smccc_domain_status(vcpu);
        break;
    default:
        arm_reg_set(vcpu, 0u, vpsci_call(vcpu, function));
        break;
    }
}

/* The hypervisor's own functions differ in that bit alone. */
void arm_vcpu_firmware32(struct hal_vcpu *vcpu)
{
    const uint32_t function = (uint32_t)arm_reg_get(vcpu, 0u);
    const uint32_t asked = (function == SMCCC_FEATURES) ? (uint32_t)arm_reg_get(vcpu, 1u) : function;

    if ((asked & SMCCC_IS_64) != 0u) {
        arm_reg_set(vcpu, 0u, SMCCC_NOT_SUPPORTED);
    } else {
        for (uint32_t n = 1u; n <= SMCCC_ARGS; n++) {
            arm_reg_set(vcpu, n, arm_reg_get(vcpu, n) & UINT32_MAX);
        }
        if ((function - (DOMAIN_REPORT & ~SMCCC_IS_64)) < DOMAIN_CALLS) {
            arm_reg_set(vcpu, 0u, function | SMCCC_IS_64);
        }
        arm_vcpu_firmware(vcpu);
    }
}
