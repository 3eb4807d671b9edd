/* Firmware calls of guests, by HVC and SMC alike (DEN 0028, SMC Calling Convention 1.2). None reaches the
 * real firmware. */
/* [impl->req~smccc~1] */
#include "arch/arm/vpsci.h"
#include "arm_port.h"
#include "arm_vcpu.h"

#define SMCCC_NOT_SUPPORTED (~0ULL)

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

/* The identification that guests know this interface by; bytes in the order of the text, the first in bits
 * 7:0. */
static const uint32_t smccc_hyp_uid[4] = { 0xDC1218A7u, 0x694398C6u, 0xD179CF9Au, 0x67E6DE8Du };
static const uint32_t smccc_psci_uid[4] = { 0x6F3863F8u, 0xBD4C394Bu, 0x16CE2092u, 0x6F9FE541u };

static void smccc_answer_uid(struct hal_vcpu *vcpu, const uint32_t *uid)
{
    uint32_t n;

    for (n = 0u; n < 4u; n++) {
        arm_reg_set(vcpu, n, uid[n]);
    }
}

static void smccc_answer_revision(struct hal_vcpu *vcpu)
{
    arm_reg_set(vcpu, 0u, SMCCC_REVISION_MAJOR);
    arm_reg_set(vcpu, 1u, SMCCC_REVISION_MINOR);
}

/* The workarounds of section 7 are not offered: a guest that asks learns that it can't rely on them. */
static uint64_t smccc_arch_features(uint32_t function)
{
    return ((function == SMCCC_VERSION) || (function == SMCCC_ARCH_FEATURES)) ? 0u : SMCCC_NOT_SUPPORTED;
}

enum hal_resume arm_vcpu_firmware(struct hal_vcpu *vcpu, bool by_smc)
{
    const uint32_t function = (uint32_t)arm_reg_get(vcpu, 0u);
    uint64_t result = SMCCC_NOT_SUPPORTED;

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
        arm_reg_set(vcpu, 0u, SMCCC_QUERIES);
        break;
    case SMCCC_PSCI_UID:
        smccc_answer_uid(vcpu, smccc_psci_uid);
        break;
    case SMCCC_HYP_UID:
        smccc_answer_uid(vcpu, smccc_hyp_uid);
        break;
    case SMCCC_PSCI_REVISION:
    case SMCCC_HYP_REVISION:
        smccc_answer_revision(vcpu);
        break;
    default:
        if (!vpsci_call(vcpu, function, &result)) {
            result = SMCCC_NOT_SUPPORTED;
        }
        arm_reg_set(vcpu, 0u, result);
        break;
    }
    return by_smc ? HAL_RESUME_NEXT : HAL_RESUME;
}
