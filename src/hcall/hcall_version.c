/* xen_version: what a guest may know of who runs it. Nothing here tells about the host, and how the
 * hypervisor was made only a control domain is told. */
#include "hcall/hcall.h"

#include "lib/string.h"
#include "lib/version.h"

/* What kernels a domain may have, as tools compare it */
#if UINTPTR_MAX > UINT32_MAX
#define CAPABILITIES "xen-3.0-aarch64 "
#else
#define CAPABILITIES "xen-3.0-armv7l "
#endif

#define TEXT_BYTES 64u /* the compiler's name has no more room; no other is as long */

/* Text that goes to an offset of the answer */
struct hcall_text {
    uint32_t op;
    uint32_t offset;
    const char *text;
    const char *told; /* to who may know how the hypervisor was made */
};

static const struct hcall_text texts[] = {
    { XENVER_EXTRAVERSION, 0u, "", "-bulkhead" HV_VERSION },
    { XENVER_COMPILE_INFO, 0u, "", __VERSION__ }, /* compiler, by, domain, date */
    { XENVER_COMPILE_INFO, 64u, "", "bulkhead" },
    { XENVER_COMPILE_INFO, 80u, "", "" },
    { XENVER_COMPILE_INFO, 112u, "", "" },
    { XENVER_CAPABILITIES, 0u, CAPABILITIES, CAPABILITIES },
    { XENVER_CHANGESET, 0u, "", "Bulkhead " HV_VERSION },
    { XENVER_COMMANDLINE, 0u, "<denied>", "" },
};
_Static_assert(sizeof("-bulkhead" HV_VERSION) <= 16u, "as long as Xen's");

static const char *text_for(const struct vcpu *vcpu, const struct hcall_text *of)
{
    return role_may(vcpu->domain, ROLE_VERSION) ? of->told : of->text;
}

static int64_t version_texts(struct vcpu *vcpu, uint64_t op, uint64_t to)
{
    int64_t result = -XEN_ENOSYS;

    for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
        if ((texts[i].op == op) && (result != -XEN_EFAULT)) {
            const char *const text = text_for(vcpu, &texts[i]);

            result = hcall_write(vcpu, to + texts[i].offset, text, bits_min(strlen(text) + 1u, TEXT_BYTES));
        }
    }
    return result;
}

/* The same texts by the later numbers: a word with the room behind it comes in, the length goes out. */
static int64_t version_varbuf(struct vcpu *vcpu, uint64_t op, uint64_t to)
{
    static const uint8_t first[] = { XENVER_EXTRAVERSION, XENVER_CAPABILITIES, XENVER_CHANGESET,
                                     XENVER_COMMANDLINE };
    const char *answer = "";
    uint32_t room = 0;
    int64_t result = 0;

    for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].op == first[(op - XENVER_EXTRAVERSION2) % ARRAY_LEN(first)]) {
            answer = text_for(vcpu, &texts[i]);
        }
    }
    const uint64_t bytes = strlen(answer) + 1u;

    if (to == 0u) {
        return (int64_t)bytes;
    }
    result = hcall_read(vcpu, &room, to, sizeof(room));
    if ((result == 0) && (room < bytes)) {
        result = -XEN_ENOBUFS;
    }
    if (result == 0) {
        result = hcall_write(vcpu, to + sizeof(room), answer, bytes);
    }
    return (result == 0) ? (int64_t)bytes : result;
}

static int64_t version_features(struct vcpu *vcpu, uint64_t at)
{
    const struct plan_domain *const plan = vcpu->domain->plan;
    uint32_t info[2] = { 0u, 0u }; /* which 32 of them, the answer */
    int64_t result = hcall_read(vcpu, info, at, sizeof(info));

    if (result == 0) {
        result = (info[0] == 0u) ? 0 : -XEN_EINVAL;
    }
    if (result == 0) {
        info[1] = BIT32(XENFEAT_WRITABLE_PAGE_TABLES) | BIT32(XENFEAT_AUTO_TRANSLATED_PHYSMAP) |
                  BIT32(XENFEAT_ARM_SMCCC_SUPPORTED) |
                  (((plan->role & PLAN_ROLE_HARDWARE) != 0u) ? BIT32(XENFEAT_DOM0) : 0u) |
                  (plan->host_memory ? BIT32(XENFEAT_DIRECT_MAPPED) : BIT32(XENFEAT_NOT_DIRECT_MAPPED));
        result = hcall_write(vcpu, at, info, sizeof(info));
    }
    return result;
}

static __attribute__((noinline)) int64_t version_other(struct vcpu *vcpu, const uint64_t *arg)
{
    static const uint64_t zero = 0u;

    switch (arg[0]) {
    case XENVER_PLATFORM_PARAMETERS:
        return hcall_write(vcpu, arg[1], &zero, sizeof(zero));
    case XENVER_GET_FEATURES:
        return version_features(vcpu, arg[1]);
    case XENVER_PAGESIZE:
        return (arg[1] == 0u) ? (int64_t)PAGE_BYTES : -XEN_EINVAL;
    case XENVER_GUEST_HANDLE:
        return hcall_write(vcpu, arg[1], vcpu->domain->handle, sizeof(vcpu->domain->handle));
    case XENVER_BUILD_ID: /* whoever may ask hears that there is none */
        return role_may(vcpu->domain, ROLE_VERSION) ? -XEN_ENODATA : -XEN_EPERM;
    case XENVER_EXTRAVERSION2:
    case XENVER_CAPABILITIES2:
    case XENVER_CHANGESET2:
    case XENVER_COMMANDLINE2:
        return version_varbuf(vcpu, arg[0], arg[1]);
    default:
        return version_texts(vcpu, arg[0], arg[1]);
    }
}

/* The version is what guests ask for to see whether anybody answers: that takes no registers to be saved. */
int64_t hcall_xen_version(struct vcpu *vcpu, uint64_t *arg)
{
    return (arg[0] == XENVER_VERSION) ? XEN_VERSION : version_other(vcpu, arg);
}
