/* What a control domain's tools call, on a system of three domains. Included by one file of a program, as
 * sim_guest.h is. */
#ifndef SIM_TOOLS_H
#define SIM_TOOLS_H

#include "sim_guest.h"

#include "abi/xen_control.h"

/* clang-format off */
#define ROLES(n) " capabilities = <" n ">; xen,enhanced = \"no-xenstore\";"
#define STORED(how) " xen,enhanced" how ";"
#define TOOLS BOARD("credit2") DOMAIN("1", "2", ROLES("5")) DOMAIN("2", "1", STORED("") ON_CRASH) \
    DOMAIN("3", "1", STORED(" = \"legacy\"")) BOARD_END
#define ALONE BOARD("credit2") DOMAIN("1", "1", ROLES("4")) DOMAIN("2", "1", STORED(" = \"enabled\"")) \
    DOMAIN("3", "2", STORED(" = \"legacy\"")) BOARD_END
/* clang-format on */

#define BUFFER (GUEST_RAM + 0x106000ULL)

static struct vcpu *vcpus[3];

static inline void boot(const char *of)
{
    source = of;
    begin();
    for (uint32_t i = 0u; i < 3u; i++) {
        vcpus[i] = domain_table[i]->vcpu[0];
    }
}

/* The call, as often as it wants to be made once more */
static inline int64_t whole_call(struct vcpu *vcpu, uint64_t number)
{
    uint64_t arg[3] = { place(vcpu, ARGS), 0u, 0u };
    uint32_t before = 0u;
    uint32_t turns = 0u;
    int64_t result = 0;

    do {
        until_in_guest(vcpu);
        before = vcpu->hal.nr_again;
        result = call(vcpu, number, arg[0], arg[1], arg[2]);
        MUST((vcpu->hal.nr_again == before) || (call_arg[0] == arg[0]));
        arg[1] = call_arg[1];
        arg[2] = call_arg[2];
        if (vcpu->hal.nr_again != before) {
            fake_time_advance(MS / 10u); /* it gave its turn away, maybe */
        }
        turns++;
        MUST(turns < 1000u);
    } while (vcpu->hal.nr_again != before);
    return result;
}

static inline int64_t domctl_call(struct vcpu *vcpu, uint32_t cmd, uint16_t domid, struct xen_domctl *arg)
{
    int64_t result = 0;

    arg->cmd = cmd;
    arg->interface_version = 0x17u;
    arg->domain = domid;
    put(vcpu, ARGS, arg, sizeof(*arg));
    result = whole_call(vcpu, 36u);
    get(vcpu, ARGS, arg, sizeof(*arg));
    return result;
}

static inline int64_t sysctl_call(struct vcpu *vcpu, uint32_t cmd, struct xen_sysctl *arg)
{
    int64_t result = 0;

    arg->cmd = cmd;
    arg->interface_version = 0x15u;
    put(vcpu, ARGS, arg, sizeof(*arg));
    result = whole_call(vcpu, 35u);
    get(vcpu, ARGS, arg, sizeof(*arg));
    return result;
}

/* Sets of CPUs in a guest's memory, and what is told of a vCPU's; hard and soft: 0 for none. What is told
 * then replaces *told. */
static inline struct xen_bitmap bits_at(uint32_t n, uint32_t nr_bits)
{
    return (struct xen_bitmap){ .bitmap = place(vcpus[0], BUFFER) + (n * 8u), .nr_bits = nr_bits };
}

static inline int64_t pin(uint16_t domid, uint32_t index, uint64_t hard, uint64_t soft, uint64_t *told)
{
    struct xen_domctl arg = { .cmd = 0u };
    uint64_t sets[2] = { hard, soft };
    int64_t result = 0;

    until_in_guest(vcpus[0]);
    put(vcpus[0], BUFFER, sets, sizeof(sets));
    arg.u.affinity.vcpu = index;
    arg.u.affinity.flags = ((hard != 0u) ? XEN_AFFINITY_HARD : 0u) | ((soft != 0u) ? XEN_AFFINITY_SOFT : 0u);
    arg.u.affinity.hard = bits_at(0u, 64u);
    arg.u.affinity.soft = bits_at(1u, 64u);
    result = domctl_call(vcpus[0], 9u, domid, &arg);
    get(vcpus[0], BUFFER, told, sizeof(sets));
    return result;
}

#endif
