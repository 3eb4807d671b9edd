/* Between the files of this guest. */
#ifndef PV_PV_H
#define PV_PV_H

#include "xen.h"

/* The page that the guest grants its partner, and by which they get on */
struct mailbox {
    uint32_t magic;
    uint32_t way;  /* counts */
    uint32_t port; /* the guest's, unbound for the partner; 0: the guest is about to end */
    uint32_t answer;
    uint32_t done;
};
#define MAILBOX_MAGIC 0x5056424Fu
/* References: the guest's mailbox, the partner's page of patterns */
#define REF_MAILBOX 8u
#define REF_PATTERN 9u

union page {
    uint8_t byte[XEN_PAGE_BYTES];
    uint32_t word[XEN_PAGE_BYTES / 4u];
    uint64_t wide[XEN_PAGE_BYTES / 8u];
    struct xen_shared_info shared;
    struct mailbox mailbox;
    struct xen_grant_v1 grant[XEN_PAGE_BYTES / 8u];
    struct xen_control_block control;
};

extern uint16_t pv_peer;

/* Tells of a result that is not what it has to be. */
void must(const char *what, int64_t is, int64_t wanted);
/* Busy until *word is `wanted`, or for some seconds; whether it is */
bool wait_for(const volatile uint32_t *word, uint32_t wanted);
static inline uint32_t pattern(uint32_t way, uint32_t i)
{
    return (way * 0x9E3779B9u) ^ (i * 0x01000193u);
}

/* The other end: for ever */
_Noreturn void partner(void);

#endif
