/* Two domains with event channels, and what their guests call and look at. Included by one file of a program,
 * as sim_restart.h is. */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "sim_restart.h"

#include "abi/xen.h"
#include "abi/xen_memory.h"

/* clang-format off */
#define ENHANCED " xen,enhanced = \"no-xenstore\";"
#define CHANNEL(label, unit, port, other) \
    label ": ec@" unit " { compatible = \"xen,evtchn-v1\"; xen,evtchn = <" port " &" other ">; };"
#define PAIR \
    BOARD("credit2") DOMAIN("1", "2", ENHANCED CHANNEL("a", "1", "5", "b") CHANNEL("c", "2", "700", "d")) \
    DOMAIN("2", "1", ENHANCED CHANNEL("b", "1", "9", "a") CHANNEL("d", "2", "1023", "c")) \
    DOMAIN("3", "1", "") BOARD_END
/* clang-format on */

#define ARGS    (GUEST_RAM + 0x100000ULL) /* where guests put arguments */
#define SHARED  (GUEST_RAM + 0x101000ULL)
#define INFO    (GUEST_RAM + 0x102000ULL)
#define CONTROL (GUEST_RAM + 0x103000ULL)
#define ARRAY   (GUEST_RAM + 0x104000ULL)
#define PENDING 48u
#define MASK    560u
#define EVENTS  31u

/* -- Guests -- */

static const char *source = PAIR;

/* Where a guest has what is told as if its memory began at GUEST_RAM */
static inline uint64_t place(const struct vcpu *vcpu, uint64_t at)
{
    return (at - GUEST_RAM) + vcpu->domain->chunk[0].at.v;
}

static uint64_t call_arg[5];
static uint64_t call_number;

static inline void make_call(struct hal_vcpu *vcpu, void *arg)
{
    (void)arg;
    upcall_hypercall(vcpu, call_number, call_arg);
}

static inline int64_t call(const struct vcpu *vcpu, uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
    MUST(cpu_of(vcpu) < CPUS);
    call_number = number;
    call_arg[0] = a0;
    call_arg[1] = a1;
    call_arg[2] = a2;
    fake_guest_call(cpu_of(vcpu), make_call, NULL);
    MUST(fake_windows_open() == 0u);
    return (int64_t)call_arg[0];
}

static inline void put(const struct vcpu *vcpu, uint64_t at, const void *from, uint64_t bytes)
{
    MUST(fake_guest_write(&vcpu->domain->hal.map, gpa(place(vcpu, at)), from, bytes));
}

static inline void get(const struct vcpu *vcpu, uint64_t at, void *to, uint64_t bytes)
{
    MUST(fake_guest_read(&vcpu->domain->hal.map, gpa(place(vcpu, at)), to, bytes));
}

static inline uint32_t word(const struct vcpu *vcpu, uint64_t at)
{
    uint32_t value = 0u;

    get(vcpu, at, &value, sizeof(value));
    return value;
}

static inline void word_put(const struct vcpu *vcpu, uint64_t at, uint32_t value)
{
    put(vcpu, at, &value, sizeof(value));
}

/* An event channel operation; what it answers replaces *arg. */
static inline int64_t op(const struct vcpu *vcpu, uint32_t number, void *arg, uint64_t bytes)
{
    int64_t result = 0;

    put(vcpu, ARGS, arg, bytes);
    result = call(vcpu, 32u, number, place(vcpu, ARGS), 0u);
    get(vcpu, ARGS, arg, bytes);
    return result;
}

static inline int64_t on_port(const struct vcpu *vcpu, uint32_t number, uint32_t port, uint32_t to)
{
    uint32_t arg[2] = { port, to };

    return op(vcpu, number, arg, sizeof(arg));
}

static inline int64_t send(const struct vcpu *vcpu, uint32_t port)
{
    return on_port(vcpu, EVTCHNOP_SEND, port, 0u);
}

static inline uint32_t status(const struct vcpu *vcpu, uint32_t port)
{
    union xen_evtchn_op arg = { .status = { .dom = 0x7FF0u, .port = port } };

    MUST(op(vcpu, EVTCHNOP_STATUS, &arg, sizeof(arg)) == 0);
    return arg.status.status;
}

static inline int64_t unbound(const struct vcpu *vcpu, uint16_t for_whom, uint32_t *port)
{
    union xen_evtchn_op arg = { .alloc_unbound = { .dom = 0x7FF0u, .remote_dom = for_whom } };
    const int64_t result = op(vcpu, EVTCHNOP_ALLOC_UNBOUND, &arg, 8u);

    *port = arg.alloc_unbound.port;
    return result;
}

static inline int64_t bind(const struct vcpu *vcpu, uint16_t to, uint32_t remote, uint32_t *port)
{
    union xen_evtchn_op arg = { .bind_interdomain = { .remote_dom = to, .remote_port = remote } };
    const int64_t result = op(vcpu, EVTCHNOP_BIND_INTERDOMAIN, &arg, 12u);

    *port = arg.bind_interdomain.local_port;
    return result;
}

static inline void share(const struct vcpu *vcpu)
{
    struct xen_add_to_physmap add = { .domid = 0x7FF0u, .gpfn = place(vcpu, SHARED) >> 12u };

    put(vcpu, ARGS, &add, sizeof(add));
    MUST(call(vcpu, 12u, XENMEM_ADD_TO_PHYSMAP, place(vcpu, ARGS), 0u) == 0);
}

static inline bool pending(const struct vcpu *vcpu, uint32_t port)
{
    return (word(vcpu, SHARED + PENDING + ((port / 32u) * 4u)) & BIT32(port % 32u)) != 0u;
}

/* As a handler: the interrupt, the flag, the selector, then the ports' bits. */
static inline bool hears(struct vcpu *vcpu, uint64_t info)
{
    const bool told = fake_guest_pending(&vcpu->hal, EVENTS);

    while (fake_guest_ack(&vcpu->hal) != UINT32_MAX) {
    }
    MUST(!told || (word(vcpu, info) == 1u));
    word_put(vcpu, info, 0u);
    word_put(vcpu, info + 8u, 0u);
    word_put(vcpu, info + 12u, 0u);
    return told;
}

static inline void forget(const struct vcpu *vcpu, uint32_t port)
{
    const uint64_t at = SHARED + PENDING + ((port / 32u) * 4u);

    word_put(vcpu, at, word(vcpu, at) & ~BIT32(port % 32u));
}

static struct vcpu *one;
static struct vcpu *two;

static inline void begin(void)
{
    power_on(source, CPUS, kernels_put);
    one = domain("domU1")->vcpu[0];
    two = domain("domU2")->vcpu[0];
    until(domain("domU1"), DOMAIN_RUNNING, 0u);
    until(domain("domU2"), DOMAIN_RUNNING, 0u);
    until_in_guest(one);
    until_in_guest(two);
    share(one);
    share(two);
    (void)hears(one, SHARED);
    (void)hears(two, SHARED);
    for (uint32_t i = 0u; i < 2u; i++) { /* each was told that the other is there */
        static const uint32_t none[128];

        put((i == 0u) ? one : two, SHARED + PENDING, none, sizeof(none));
    }
}

#endif
