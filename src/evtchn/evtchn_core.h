/* Between the files of evtchn/ only.
 * What a guest writes too is never believed: no index, no address comes from there, and loops on it are
 * bounded. Bindings change under one lock; who sends reads a port's link, one word, without it. */
#ifndef EVTCHN_EVTCHN_CORE_H
#define EVTCHN_EVTCHN_CORE_H

#include "evtchn/evtchn.h"
#include "hal/sync.h"
#include "hal/virq.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "sched/work.h"

/* evtchn_port.link: EVTCHNSTAT_ in the upper bits; below, of UNBOUND: who may bind to it (domid); of
 * INTERDOMAIN: the other end's port and the index of its domain; of VIRQ: which. */
#define LINK_STATUS_LOW  28u
#define LINK_STATIC      BIT32(27)
#define LINK_STICKY      BIT32(26) /* a port that outlives its domain, with who is bound to it */
#define LINK_OURS        BIT32(25) /* what is sent to it is for the hypervisor */
#define LINK_KEPT        (LINK_STICKY | LINK_OURS)
#define LINK_DOMAIN_LOW  16u
#define LINK_DOMAIN_MASK 0x1Fu
#define LINK_PORT_MASK   0xFFFFu
#define LINK_CLOSED      0u
#define LINK_IS_UNBOUND  0x10000000u
#define LINK_IS_TO       0x20000000u
#define LINK_IS_TO_OURS  0x30000000u /* as the former, but nobody there is raised: evtchn_divert() */
#define LINK_IS_VIRQ     0x40000000u
#define LINK_IPI         0x50000000u

#define WORDS_A_PAGE 1024u /* FIFO */

/* 16 bytes: sending finds it by a shift. A queue is a vCPU's number * EVTCHN_FIFO_QUEUES + a priority. */
struct evtchn_port {
    volatile uint32_t link;
    volatile uint16_t queue;  /* whom it interrupts, how urgently */
    volatile uint16_t poller; /* vCPU that waits in SCHEDOP_poll, + 1; 0 = none */
    uint16_t was;             /* under the queues' lock: the queue that it was put on last */
    volatile bool waits;      /* pending where there was no queue or no array yet */
} __attribute__((aligned(16)));

struct evtchn_vcpu {
    struct xen_vcpu_info *volatile info;        /* NULL until registered; vCPU 0 has a default */
    struct xen_control_block *volatile control; /* NULL: no FIFO queues yet */
    struct vcpu *vcpu;
    bool is_registered;
    struct timer poll;                    /* the end of its wait in SCHEDOP_poll */
    volatile uint16_t virq[XEN_NR_VIRQS]; /* port, 0 = none; those of the whole domain are vCPU 0's */
};

#define EVTCHN_TWO_LEVEL 0u
#define EVTCHN_FIFO      1u
/* Two levels, in a page of the guest's memory: ours can't take its place, as nothing translates. Written
 * through a window with the queues' lock, which ends with the guest's life; vCPU 0 alone has a vcpu_info. */
#define EVTCHN_ASIDE 2u

#define EVTCHN_INPUT_BYTES 512u

struct evtchn_domain {
    struct domain *domain;
    uint32_t index; /* in evtchn_table */
    struct spinlock queues;
    uint32_t nr_ports;
    uint32_t server_port[DOMAIN_SERVERS]; /* 0 = none */
    void (*volatile hear)(struct domain *domain);
    volatile uint32_t up;       /* can be sent to */
    volatile uint32_t abi;      /* EVTCHN_TWO_LEVEL, ... */
    volatile uint32_t nr_words; /* FIFO: so many ports have a word in the array */
    uint32_t *array;
    struct xen_shared_info *shared;
    uint8_t *pages; /* nr_pages: [0] is the shared_info page, the array's follow, the others are taken in
                       order */
    uint32_t nr_pages;
    uint32_t nr_used; /* under the domain's lock */
    struct evtchn_vcpu *vcpu;
    uint16_t *tail;         /* by queue: port, 0 = none; under the queues' lock */
    struct work work;       /* raises what waits */
    hpa_t aside;            /* EVTCHN_ASIDE: the guest's page that is its shared_info */
    uint32_t *used;         /* a bit for each port */
    uint32_t clock_version; /* under the queues' lock */
    uint64_t clock_shift_ns;
    struct spinlock input_lock;
    bool reads_input; /* as it has no other way, or has tried */
    uint32_t input_head;
    uint32_t input_count;
    uint8_t input[EVTCHN_INPUT_BYTES];
} __attribute__((aligned(16))); /* the ports follow */

/* By the index of the plan's domains; NULL: no event channels. */
extern struct evtchn_domain *evtchn_table[HV_DOMAINS_MAX];
extern struct spinlock evtchn_lock;

/* port < nr_ports */
static inline struct evtchn_port *evtchn_at(const struct evtchn_domain *ed, uint32_t port)
{
    return &((struct evtchn_port *)(uintptr_t)&ed[1])[port];
}

static inline uint32_t evtchn_vcpu_of(const struct evtchn_port *p)
{
    return (uint32_t)p->queue / EVTCHN_FIFO_QUEUES;
}

static inline uint16_t evtchn_queue(uint32_t vcpu, uint32_t priority)
{
    return (uint16_t)((vcpu * EVTCHN_FIFO_QUEUES) + priority);
}

static inline uint32_t evtchn_link_unbound(uint32_t domid)
{
    return LINK_IS_UNBOUND | domid;
}

static inline uint32_t evtchn_link_to(const struct evtchn_domain *peer, uint32_t port)
{
    return LINK_IS_TO | (peer->index << LINK_DOMAIN_LOW) | port;
}

static inline uint32_t evtchn_link_status(uint32_t link)
{
    return link >> LINK_STATUS_LOW;
}

/* Has it another end? */
static inline bool evtchn_link_leads(uint32_t link)
{
    return (link >> (LINK_STATUS_LOW + 1u)) == (LINK_IS_TO >> (LINK_STATUS_LOW + 1u));
}

static inline struct evtchn_domain *evtchn_link_domain(uint32_t link)
{
    return evtchn_table[(link >> LINK_DOMAIN_LOW) & LINK_DOMAIN_MASK];
}

/* Something came to a port of the hypervisor's. No lock held. */
static inline void evtchn_hear(const struct evtchn_domain *ed)
{
    void (*const hear)(struct domain *domain) = ed->hear;

    if (hear != NULL) {
        hear(ed->domain);
    }
}

/* -- evtchn_bind.c -- */
/* Closes a port if it is open, unless it is a static channel's or one of those. */
void evtchn_close(struct evtchn_domain *ed, uint32_t port, uint32_t spared);

/* -- evtchn_clock.c -- */
/* Writes the time of day where the guest looks for it. */
void evtchn_clock_show(struct evtchn_domain *ed);

/* -- evtchn_send.c -- */
/* Raises a port that is below nr_ports. Interrupts masked. */
void evtchn_pend(struct evtchn_domain *ed, uint32_t port);
/* The guest wants to see its port again: what is pending is told now. */
void evtchn_unmask(struct evtchn_domain *ed, uint32_t port);
void evtchn_clear(struct evtchn_domain *ed, uint32_t port);
bool evtchn_is_pending(const struct evtchn_domain *ed, uint32_t port);
/* The vCPU's flag rises: it is interrupted, unless it was up already. The guest clears its flag, then looks
 * for events; we make an event pending, then look at the flag. */
static inline void evtchn_tell(const struct evtchn_vcpu *v, struct xen_vcpu_info *info)
{
    volatile uint8_t *const flag = &info->upcall_pending;

    hal_barrier();
    if (*flag == 0u) {
        *flag = 1u;
        hal_virq_event(&v->vcpu->hal);
    }
}

/* Words that the guest writes. One that writes without end could make our own writing fail without end: it is
 * tried a number of times, and a guest that loses an event so has itself to thank. */
#define EVTCHN_WORD_TRIES 256u

static inline uint32_t evtchn_word(const uint32_t *word)
{
    return *(const volatile uint32_t *)word;
}

/* False: the bits were set already, or it did not work. Written in any case: who clears them afterwards sees
 * what was written before. */
static inline bool evtchn_word_set(uint32_t *word, uint32_t bits)
{
    uint32_t old = 0;
    bool done = hal_try_or32(word, bits, &old);

    for (uint32_t left = EVTCHN_WORD_TRIES; (left > 0u) && !done; left--) {
        done = hal_try_or32(word, bits, &old);
    }
    return done && ((old & bits) != bits);
}

/* False: the bits were clear already, or it did not work. */
bool evtchn_word_clear(uint32_t *word, uint32_t bits);

/* -- evtchn_fifo.c -- */
/* Sets these bits, none or EVTCHN_FIFO_PENDING, in the port's word, and puts it on its queue if it is pending
 * then and neither masked nor on one. */
void evtchn_fifo_raise(struct evtchn_domain *ed, uint32_t port, uint32_t bits);
/* The vCPU's queues begin at control; with the first of them the domain changes to this ABI. */
void evtchn_fifo_begin(struct evtchn_domain *ed, uint32_t vcpu, struct xen_control_block *control);
/* So many ports have words from now on, unless a reset came before. */
void evtchn_fifo_words(struct evtchn_domain *ed, uint32_t before, uint32_t now);
void evtchn_fifo_reset(struct evtchn_domain *ed);
void evtchn_fifo_work(struct work *work);

/* -- evtchn_memory.c -- */
/* Where the two levels are now. In between: interrupts masked; of EVTCHN_ASIDE the queues' lock held, or the
 * guest is in this very call. */
struct xen_shared_info *evtchn_shared_open(const struct evtchn_domain *ed);
void evtchn_shared_close(const struct evtchn_domain *ed);
/* From now on nobody looks at the guest's memory. */
void evtchn_shared_home(struct evtchn_domain *ed);
/* The next page of the FIFO array is at gfn from now on. */
int64_t evtchn_array_grow(struct evtchn_domain *ed, uint64_t gfn);
/* The page of ours that is at gfn of the guest, put there with what the guest's page holds if it was not.
 * NULL: -XEN_ENOMEM or -XEN_EINVAL in *error. */
void *evtchn_page_at(struct evtchn_domain *ed, uint64_t gfn, int64_t *error);
void evtchn_memory_reset(struct evtchn_domain *ed);

#endif
