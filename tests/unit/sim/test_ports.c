/* Virtual interrupts, what a domain with a role does to others' ports and how many it has, and the port to
 * the xenstore domain over the lives of both ends. [test->req~event-channels~1] [test->req~virqs~1]
 * [test->req~store-port~1] [test->req~roles~1] */
#include "sim_guest.h"

#include "evtchn/evtchn_core.h"

static int64_t virq(const struct vcpu *vcpu, uint32_t number, uint32_t of, uint32_t *port)
{
    union xen_evtchn_op arg = { .bind_virq = { .virq = number, .vcpu = of } };
    const int64_t result = op(vcpu, EVTCHNOP_BIND_VIRQ, &arg, 12u);

    *port = arg.bind_virq.port;
    return result;
}

static uint32_t virq_of(const struct vcpu *vcpu, uint32_t port)
{
    union xen_evtchn_op arg = { .status = { .dom = 0x7FF0u, .port = port } };

    MUST((op(vcpu, EVTCHNOP_STATUS, &arg, sizeof(arg)) == 0) && (arg.status.status == 4u));
    return arg.status.peer_dom;
}

static void virqs(void)
{
    uint32_t console = 0u;
    uint32_t debug[2] = { 0u, 0u };
    uint32_t none = 0u;

    begin();
    evtchn_virq_raise(one->domain, VIRQ_CONSOLE); /* nobody has it */
    evtchn_virq_raise(domain("domU3"), VIRQ_CONSOLE);
    MUST(virq(one, VIRQ_CONSOLE, 0u, &console) == 0);
    MUST((console == 1u) && (virq_of(one, console) == VIRQ_CONSOLE) && !hears(one, SHARED));
    MUST(virq(one, VIRQ_CONSOLE, 0u, &none) == -XEN_EEXIST);
    MUST(virq(one, VIRQ_CONSOLE, 1u, &none) == -XEN_EINVAL); /* not a vCPU's own */
    MUST(virq(one, 24u, 0u, &none) == -XEN_EINVAL);
    MUST(virq(one, UINT32_MAX, 0u, &none) == -XEN_EINVAL);
    MUST(virq(one, VIRQ_DEBUG, 2u, &none) == -XEN_ENOENT);
    MUST((virq(one, VIRQ_DEBUG, 0u, &debug[0]) == 0) && (virq(one, VIRQ_DEBUG, 1u, &debug[1]) == 0));
    MUST(virq(one, VIRQ_DEBUG, 1u, &none) == -XEN_EEXIST);
    MUST(virq(two, VIRQ_CONSOLE, 0u, &none) == 0); /* another domain's */
    evtchn_virq_raise(one->domain, VIRQ_CONSOLE);
    MUST(pending(one, console) && hears(one, SHARED) && !pending(two, none));
    forget(one, console);
    MUST(send(one, console) == -XEN_EINVAL);
    MUST(on_port(one, EVTCHNOP_BIND_VCPU, debug[1], 0u) == -XEN_EINVAL);
    MUST(on_port(one, EVTCHNOP_BIND_VCPU, console, 1u) == 0);
    MUST(virq(one, VIRQ_CONSOLE, 0u, &none) == -XEN_EEXIST); /* wherever it is told */
    MUST(on_port(one, EVTCHNOP_CLOSE, console, 0u) == 0);
    MUST(on_port(one, EVTCHNOP_CLOSE, debug[1], 0u) == 0);
    evtchn_virq_raise(one->domain, VIRQ_CONSOLE);
    MUST(!pending(one, console));
    MUST((virq(one, VIRQ_CONSOLE, 0u, &console) == 0) && (virq(one, VIRQ_DEBUG, 1u, &debug[1]) == 0));

    guest_asks(one, HAL_DOMAIN_RESET); /* forgotten with its life */
    until(one->domain, DOMAIN_RUNNING, 1u);
    until_in_guest(one);
    share(one);
    (void)hears(one, SHARED);
    evtchn_virq_raise(one->domain, VIRQ_CONSOLE);
    MUST(!hears(one, SHARED));
    MUST(virq(one, VIRQ_CONSOLE, 0u, &console) == 0);
}

static void is(const char *name, uint32_t role)
{
    ((struct plan_domain *)(uintptr_t)domain(name)->plan)->role = role; /* the tree has none here */
}

static int64_t unbound_of(const struct vcpu *vcpu, uint16_t whose, uint16_t for_whom, uint32_t *port)
{
    union xen_evtchn_op arg = { .alloc_unbound = { .dom = whose, .remote_dom = for_whom } };
    const int64_t result = op(vcpu, EVTCHNOP_ALLOC_UNBOUND, &arg, 8u);

    *port = arg.alloc_unbound.port;
    return result;
}

/* Who has the role makes, asks about and resets others' ports; nobody else does. */
static void control(void)
{
    uint32_t port = 0u;
    uint32_t mine = 0u;
    uint16_t other = 2u;
    union xen_evtchn_op arg = { .status = { .dom = 2u, .port = 9u } };

    begin();
    MUST(unbound_of(one, 2u, 1u, &port) == -XEN_EPERM);
    MUST(unbound_of(one, 77u, 1u, &port) == -XEN_ESRCH);
    MUST(unbound_of(one, 1u, 3u, &port) == -XEN_EPERM); /* nothing links the two */
    MUST(unbound_of(one, 1u, 77u, &port) == -XEN_ESRCH);
    MUST(op(one, EVTCHNOP_STATUS, &arg, sizeof(arg)) == -XEN_EPERM);
    is("domU1", PLAN_ROLE_CONTROL);
    MUST((unbound_of(one, 2u, 1u, &port) == 0) && (status(two, port) == EVTCHNSTAT_UNBOUND));
    MUST(unbound_of(one, 3u, 1u, &mine) == -XEN_ESRCH); /* has no event channels */
    MUST((bind(one, 2u, port, &mine) == 0) && (send(two, port) == 0) && pending(one, mine));
    arg.status.port = port;
    MUST((op(one, EVTCHNOP_STATUS, &arg, sizeof(arg)) == 0) && (arg.status.status == EVTCHNSTAT_INTERDOMAIN));
    MUST((arg.status.peer_dom == 1u) && (arg.status.peer_port == mine));
    MUST(op(one, EVTCHNOP_RESET, &other, sizeof(other)) == -XEN_EINVAL); /* it runs */
    two->domain->paused = true;
    MUST(op(one, EVTCHNOP_RESET, &other, sizeof(other)) == 0);
    two->domain->paused = false;
    MUST((status(two, port) == EVTCHNSTAT_CLOSED) && (status(one, mine) == EVTCHNSTAT_UNBOUND));
    MUST(unbound_of(two, 1u, 2u, &port) == -XEN_EPERM);
    MUST((unbound_of(one, 2u, 3u, &port) == -XEN_EPERM)); /* not for others either */
}

/* -- The port to the xenstore domain -- */

#define STORE 1u

static void again(struct vcpu *vcpu, uint32_t life)
{
    guest_asks(vcpu, HAL_DOMAIN_RESET);
    until(vcpu->domain, DOMAIN_RUNNING, life);
    until_in_guest(vcpu);
    share(vcpu);
}

static void store(void)
{
    uint32_t mine = 0u;

    begin();
    is("domU2", PLAN_ROLE_XENSTORE);
    one->domain->events->server_port[DOMAIN_STORE] = STORE;
    again(one, 1u);
    MUST((evtchn_server_port(one->domain, DOMAIN_STORE) == STORE) &&
         (status(one, STORE) == EVTCHNSTAT_UNBOUND));
    MUST((bind(two, 1u, STORE, &mine) == 0) && (send(one, STORE) == 0) && pending(two, mine));
    MUST(status(one, STORE) == EVTCHNSTAT_INTERDOMAIN);
    (void)hears(two, SHARED);
    forget(two, mine);

    again(one, 2u); /* it comes back as it was, and the server knows */
    MUST((status(one, STORE) == EVTCHNSTAT_INTERDOMAIN) && (status(two, mine) == EVTCHNSTAT_INTERDOMAIN));
    MUST(!pending(one, STORE) && pending(two, mine) && hears(two, SHARED));
    forget(two, mine);
    MUST((send(one, STORE) == 0) && pending(two, mine));

    MUST(on_port(two, EVTCHNOP_CLOSE, mine, 0u) == 0); /* another xenstored */
    MUST(status(one, STORE) == EVTCHNSTAT_UNBOUND);
    again(one, 3u);
    MUST((status(one, STORE) == EVTCHNSTAT_UNBOUND) && (bind(two, 1u, STORE, &mine) == 0));
    again(two, 1u);
    MUST((status(one, STORE) == EVTCHNSTAT_UNBOUND) && (bind(two, 1u, STORE, &mine) == 0));

    MUST(on_port(one, EVTCHNOP_CLOSE, STORE, 0u) == 0); /* the guest's own wish, for this life */
    MUST((status(one, STORE) == EVTCHNSTAT_CLOSED) && (status(two, mine) == EVTCHNSTAT_UNBOUND));
    again(one, 4u);
    MUST((status(one, STORE) == EVTCHNSTAT_UNBOUND) && (bind(two, 1u, STORE, &mine) == 0));
}

/* While the domain is down its end is there for whoever closes his; its next life knows. */
static void store_down(void)
{
    uint32_t mine = 0u;

    begin();
    is("domU2", PLAN_ROLE_XENSTORE);
    one->domain->events->server_port[DOMAIN_STORE] = STORE;
    again(one, 1u);
    MUST(bind(two, 1u, STORE, &mine) == 0);
    guest_asks(one, HAL_DOMAIN_OFF);
    until(one->domain, DOMAIN_STOPPED, 1u);
    MUST((status(two, mine) == EVTCHNSTAT_UNBOUND) && (send(two, mine) == 0));
    MUST(on_port(two, EVTCHNOP_CLOSE, mine, 0u) == 0);
    MUST(bind(two, 1u, STORE, &mine) == -XEN_ESRCH);
    order(one->domain, HAL_DOMAIN_RESET);
    until(one->domain, DOMAIN_RUNNING, 2u);
    until_in_guest(one);
    share(one);
    MUST((status(one, STORE) == EVTCHNSTAT_UNBOUND) && (bind(two, 1u, STORE, &mine) == 0));
}

#define TEST(fn)                                                                                             \
    static void test_##fn(void **state)                                                                      \
    {                                                                                                        \
        (void)state;                                                                                         \
        scenario(fn);                                                                                        \
    }
TEST(virqs)
TEST(control)
TEST(store)
TEST(store_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_virqs),
        cmocka_unit_test(test_control),
        cmocka_unit_test(test_store),
        cmocka_unit_test(test_store_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
