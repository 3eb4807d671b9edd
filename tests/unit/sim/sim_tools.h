/* What a control domain's tools call, on a system of three domains. Included by one file of a program, as
 * sim_guest.h is. */
#ifndef SIM_TOOLS_H
#define SIM_TOOLS_H

#include "sim_guest.h"

#include "abi/xen_control.h"

/* clang-format off */
#define ROLES(n) " capabilities = <" n ">; xen,enhanced = \"no-xenstore\";"
#define STORED(how) " xen,enhanced" how ";"
#define TOOLS BOARD("rr") DOMAIN("1", "2", ROLES("5")) DOMAIN("2", "1", STORED("") ON_CRASH) \
    DOMAIN("3", "1", STORED(" = \"legacy\"")) BOARD_END
#define ALONE BOARD("rr") DOMAIN("1", "1", ROLES("4")) DOMAIN("2", "1", STORED(" = \"enabled\"")) \
    DOMAIN("3", "2", STORED(" = \"legacy\"")) BOARD_END
/* clang-format on */

#define BUFFER  (GUEST_RAM + 0x106000ULL)
#define GOES_ON 0x676F6573u /* in x3: the call is made once more */

static struct vcpu *vcpus[3];

static inline void boot(const char *of)
{
    source = of;
    begin();
    for (uint32_t i = 0u; i < 3u; i++) {
        vcpus[i] = domain_table[i]->vcpu[0];
    }
}

static inline int64_t domctl_call(struct vcpu *vcpu, uint32_t cmd, uint16_t domid, struct xen_domctl *arg)
{
    int64_t result = 0;

    arg->cmd = cmd;
    arg->interface_version = 0x17u;
    arg->domain = domid;
    put(vcpu, ARGS, arg, sizeof(*arg));
    result = call(vcpu, 36u, place(vcpu, ARGS), 0u, 0u);
    get(vcpu, ARGS, arg, sizeof(*arg));
    return result;
}

static inline int64_t sysctl_call(struct vcpu *vcpu, uint32_t cmd, struct xen_sysctl *arg)
{
    int64_t result = 0;

    arg->cmd = cmd;
    arg->interface_version = 0x15u;
    put(vcpu, ARGS, arg, sizeof(*arg));
    result = call(vcpu, 35u, place(vcpu, ARGS), 0u, 0u);
    for (uint32_t i = 0u; (i < 100u) && (call_arg[3] == GOES_ON); i++) {
        MUST(call_arg[0] == place(vcpu, ARGS));
        result = call(vcpu, 35u, call_arg[0], call_arg[1], call_arg[2]);
    }
    get(vcpu, ARGS, arg, sizeof(*arg));
    return result;
}

#endif
