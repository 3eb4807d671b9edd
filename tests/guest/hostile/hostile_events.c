/* Xen's hypercalls and event channels: every number, every port, words that lie, all vCPUs at a time. */
#include "hostile.h"
#include "xen.h"

#define PAGE_BYTES 4096u
#define MEMORY_OP  12u
#define VCPU_OP    24u
#define SCHED_OP   29u
#define EVENT_OP   32u
#define SELF       0x7FF0u
#define PPI_EVENTS 31u
#define NR_OPS     14u
#define NR_PORTS   1024u

enum { BIND, VIRQ, PIRQ, CLOSE, SEND, STATUS, ALLOC, IPI, VCPU, UNMASK, RESET, CONTROL, EXPAND, PRIORITY };

/* What is exchanged for the hypervisor's pages, and nothing else is in it */
static struct {
    uint64_t shared[PAGE_BYTES / 8u];
    uint64_t info[PAGE_BYTES / 8u];
    uint64_t control[PAGE_BYTES / 8u];
    uint32_t array[PAGE_BYTES / 4u];
} pages __attribute__((aligned(4096)));
static uint64_t argument[GUEST_CPUS_MAX][PAGE_BYTES / 4u] __attribute__((aligned(4096))); /* two pages each */

static uint64_t address(const volatile void *of)
{
    return (uint64_t)(uintptr_t)of;
}

static uint64_t *own_argument(void)
{
    return argument[cpu_number()];
}

/* What would end this domain, sleeps for ever or writes all over its memory has its turn elsewhere: lists
 * whose length is a pointer are worked on to the end of RAM. */
static bool is_tame(uint64_t number, uint64_t op)
{
    const bool is_list = (number == XEN_HCALL_MULTICALL) || (number == XEN_HCALL_GRANT_TABLE_OP) ||
                         (number == XEN_HCALL_CONSOLE_IO);

    return !is_list && ((number != SCHED_OP) || (op == 0u) || (op > 6u));
}

/* Pointers that lead nowhere, to devices, over the end of what there is; never to our own code. */
static uint64_t pointer(uint32_t i)
{
    const uint64_t buffer = address(own_argument());
    const uint64_t list[] = { 0u,          1u,          UINT64_MAX,  UINT64_MAX - 7u,
                              1ULL << 63u, 1ULL << 48u, 0x03001000u, 0x38000000u,
                              0x10000000u, buffer,      buffer + 1u, buffer + PAGE_BYTES - 4u };

    return list[i % (sizeof(list) / sizeof(list[0]))];
}

static void fill_random(void)
{
    for (uint32_t i = 0u; i < 8u; i++) {
        own_argument()[i] = ((i & 1u) != 0u) ? random64() : (random64() & 0x7FF7FFu);
    }
}

static void hypercalls(void)
{
    for (uint64_t number = 0u; number < 70u; number++) {
        for (uint64_t op = 0u; op < 40u; op++) {
            for (uint32_t i = 0u; is_tame(number, op) && (i < 12u); i++) {
                fill_random();
                (void)attempt(number, op, pointer(i), pointer(i + 9u));
            }
        }
        (void)attempt(number, UINT64_MAX, UINT64_MAX, UINT64_MAX);
        (void)attempt(number | (1ULL << 32u), 4u, address(own_argument()), 0u);
    }
}

static int64_t event(uint64_t op, uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t words[6] = { a, b, c, 0u, 0u, 0u };

    return attempt(EVENT_OP, op, address(words), 0u);
}

static void shared_pages(void)
{
    const uint64_t add[3] = { SELF, 0u, address(pages.shared) / PAGE_BYTES };
    const uint64_t own[2] = { address(pages.info) / PAGE_BYTES, (uint64_t)cpu_number() * 64u };

    for (uint64_t offset = 4000u; offset < 4200u; offset++) {
        const uint64_t bad[2] = { address(pages.info) / PAGE_BYTES, offset };

        (void)attempt(VCPU_OP, 10u, cpu_number(), address((offset > 4048u) ? bad : own));
    }
    (void)attempt(VCPU_OP, 10u, cpu_number(), address(own));
    (void)attempt(MEMORY_OP, 7u, address(add), 0u);
    irq_enable(PPI_EVENTS, IRQ_PRIORITY_LOW, take_any);
}

/* All vCPUs take, bind, send, move and close whatever there is, each other's ports too. */
static void ports(void)
{
    shared_pages();
    for (uint32_t port = 0u; port < (NR_PORTS + 70u); port++) {
        for (uint64_t op = 0u; op < NR_OPS; op++) {
            if (op != RESET) {
                (void)event(op, port, random64() & 7u, 0u);
            }
        }
        (void)event(ALLOC, SELF | (SELF << 16u), 0u, 0u);
        (void)event(ALLOC, SELF | (2u << 16u), 0u, 0u);
        (void)event(IPI, random64() & 3u, 0u, 0u);
        (void)event(BIND, SELF, random64() & 0x7FFu, 0u);
        (void)event(BIND, 2u, random64() & 0x7FFu, 0u);
        (void)event(SEND, UINT32_MAX - port, 0u, 0u);
        (void)event(STATUS, SELF, port, 0u);
        (void)event(CLOSE, random64() & 0x3FFu, 0u, 0u);
    }
    take_interrupts(100u);
}

static void resets(void)
{
    for (uint64_t i = 0u; storm_goes(i, 50u); i++) {
        (void)event(IPI, 0u, 0u, 0u);
        (void)event(RESET, SELF, 0u, 0u);
        (void)event(SEND, random64() & 0xFu, 0u, 0u);
    }
}

/* One vCPU writes words that both sides use, without end; the others make the hypervisor write them. */
static void lies(void)
{
    volatile uint32_t *const words = (volatile uint32_t *)(uintptr_t)&pages;
    const uint64_t control[3] = { address(pages.control) / PAGE_BYTES,
                                  ((uint64_t)cpu_number() << 32u) | (72u * cpu_number()), 0u };
    const uint64_t array[1] = { address(pages.array) / PAGE_BYTES };

    (void)attempt(EVENT_OP, CONTROL, address(control), 0u);
    (void)attempt(EVENT_OP, EXPAND, address(array), 0u);
    for (uint64_t i = 0u; storm_goes(i, 20000u); i++) {
        if (cpu_number() == 1u) {
            words[random64() % (sizeof(pages) / 4u)] = (uint32_t)random64();
            words[(3u * PAGE_BYTES / 4u) + (i & 7u)] = (uint32_t)i << 13u;
        } else {
            const uint32_t port = random64() & 7u;

            (void)event(IPI, random64() & 1u, 0u, 0u);
            (void)event(SEND, port, 0u, 0u);
            (void)event(PRIORITY, port, random64() & 15u, 0u);
            (void)event(VCPU, port, random64() & 1u, 0u);
            (void)event(UNMASK, port, 0u, 0u);
        }
    }
    take_interrupts(100u);
}

static void polls(void)
{
    const uint32_t port = 1u;
    uint64_t poll[3] = { address(&port), 1u, 1u };

    irq_enable(timer_virt_irq(), IRQ_PRIORITY_LOW, take_any);
    for (uint64_t i = 0u; storm_goes(i, 1000u); i++) {
        poll[1] = ((i & 7u) == 0u) ? random64() : (i & 127u);
        poll[2] = 1u + (random64() & 0xFFFFu); /* long over */
        (void)attempt(SCHED_OP, 3u, address(poll), 0u);
        timer_virt_set(0u);
        (void)attempt(SCHED_OP, 1u, 0u, 0u);
    }
}

const struct attack attacks_events[] = {
    { "hypercalls", hypercalls, true },
    { "event_ports", ports, true },
    { "event_resets", resets, true },
    { "event_lies", lies, true },
    { "event_resets_again", resets, true },
    { "event_polls", polls, true },
    { NULL, NULL, false },
};
