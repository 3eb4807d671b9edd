/* Hypercalls of whole domains: several at once, and those that go on with the next call.
 * [test->req~hypercalls~1] [test->req~multicall~1] */
#include "sim_guest.h"

#define LIST (GUEST_RAM + 0x105000ULL)

static void list_put(uint32_t i, uint64_t op_number, uint64_t a0, uint64_t a1)
{
    const struct xen_multicall_entry entry = { .op = op_number, .result = 0x55u, .args = { a0, a1 } };

    put(one, LIST + (i * sizeof(entry)), &entry, sizeof(entry));
}

static uint64_t result_of(uint32_t i)
{
    struct xen_multicall_entry entry;

    get(one, LIST + (i * sizeof(entry)), &entry, sizeof(entry));
    return entry.result;
}

/* Makes the call until it does not ask for another; how often it did. */
static uint32_t calls_to_end(uint32_t nr)
{
    const uint32_t before = one->hal.nr_again;
    uint32_t n = 0u;

    (void)call(one, 13u, place(one, LIST), nr, 0u);
    while ((one->hal.nr_again - before) > n) {
        n++;
        MUST((n < 1000u) && (call_number == 13u));
        (void)call(one, 13u, call_arg[0], call_arg[1], 0u);
    }
    return n;
}

static void several(void)
{
    begin();
    list_put(0u, 17u, 0u, 0u);
    list_put(1u, 999u, 0u, 0u);
    list_put(2u, 13u, place(one, LIST), 1u); /* one within another is refused */
    list_put(3u, 17u, 7u, 0u);
    list_put(4u, 17u | (1ULL << 32u), 0u, 0u);
    MUST((calls_to_end(4u) == 0u) && (call_arg[0] == 0u));
    MUST((result_of(0u) == 0x00040014u) && (result_of(3u) == 4096u));
    MUST((result_of(1u) == (uint64_t)-38LL) && (result_of(2u) == (uint64_t)-22LL));
    MUST(result_of(4u) == 0x55u);
    MUST((calls_to_end(5u) == 0u) && (result_of(4u) == (uint64_t)-38LL));
    MUST(call(one, 13u, place(one, LIST), 0u, 0u) == 0);
    MUST(call(one, 13u, 0u, 1u, 0u) == -XEN_EFAULT);
    MUST(call(one, 13u, UINT64_MAX - 7u, UINT32_MAX, 0u) == -XEN_EFAULT);

    for (uint32_t i = 0u; i < 30u; i++) {
        list_put(i, 17u, 7u, 0u);
    }
    MUST((calls_to_end(30u) == 3u) && (call_arg[0] == 0u)); /* a bounded piece at a time */
    for (uint32_t i = 0u; i < 30u; i++) {
        MUST(result_of(i) == 4096u);
    }
    list_put(0u, 29u, 0u, 0u); /* what gives the CPU away ends the piece */
    MUST((calls_to_end(3u) == 1u) && (result_of(0u) == 0u) && (result_of(2u) == 4096u));
}

/* A call that goes on with the next one does so within several. */
static void long_ones(void)
{
    uint32_t port = 0u;
    const uint32_t self = 0x7FF0u;

    begin();
    for (uint32_t i = 0u; i < 40u; i++) {
        MUST(unbound(one, 2u, &port) == 0);
    }
    put(one, ARGS, &self, sizeof(self));
    list_put(0u, 17u, 7u, 0u);
    list_put(1u, 32u, EVTCHNOP_RESET, place(one, ARGS));
    list_put(2u, 17u, 7u, 0u);
    MUST((calls_to_end(3u) == 2u) && (call_arg[0] == 0u));
    MUST((result_of(0u) == 4096u) && (result_of(1u) == 0u) && (result_of(2u) == 4096u));
    MUST(status(one, port) == EVTCHNSTAT_CLOSED);
    MUST(one->multicall == VCPU_NO_MULTICALL);
}

static void several_at_once(void **state)
{
    (void)state;
    scenario(several);
}

static void several_long_ones(void **state)
{
    (void)state;
    scenario(long_ones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(several_long_ones),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
