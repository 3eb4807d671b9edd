/* Xen's hypercalls as guests make them. Numbers and layouts are those of src/abi, which tests/abi compares
 * with Xen's headers. Results are Xen's: >= 0 or -XEN_E... Arguments lie on the caller's stack. */
#ifndef GUEST_XEN_H
#define GUEST_XEN_H

#include "abi/xen.h"
#include "abi/xen_grant.h"
#include "abi/xen_memory.h"
#include "guest.h"
#include "hypercall.h"

#define XEN_PAGE_BYTES 4096u
#define XEN_PPI_EVENTS 31u
/* The window of the /hypervisor node; pages of the toolstack behind it. The guest maps both as memory. */
#define XEN_GRANT_WINDOW 0x38000000u
#define XEN_MAGIC_STORE  0x39001000u

static inline int64_t xen_call(uint64_t number, uint64_t a, const volatile void *b, uint64_t c)
{
    return (int64_t)hypercall(number, a, (uintptr_t)b, c);
}

static inline uint64_t xen_gfn(const volatile void *at)
{
    return (uintptr_t)at / XEN_PAGE_BYTES;
}

static inline int64_t xen_version(uint64_t op, void *arg)
{
    return xen_call(XEN_HCALL_XEN_VERSION, op, arg, 0u);
}

/* hvm_op */
int64_t xen_param(uint32_t index, uint64_t *value);
int64_t xen_param_set(uint32_t index, uint64_t value);

/* memory_op: page `idx` of a space appears at gfn. */
int64_t xen_place(uint32_t space, uint64_t idx, uint64_t gfn);
/* What is at gfn goes; a page of RAM comes to gfn. Populating answers how many came. */
int64_t xen_remove(uint64_t gfn);
int64_t xen_populate(uint64_t gfn);
int64_t xen_decrease(uint64_t gfn);
int64_t xen_vcpu_info(uint32_t vcpu, uint64_t gfn, uint32_t offset);

/* event_channel_op. What makes a port returns it. */
int64_t xen_event(uint64_t op, union xen_evtchn_op *arg);
int64_t xen_event_alloc(uint16_t remote);
int64_t xen_event_bind(uint16_t remote, uint32_t port);
int64_t xen_event_ipi(uint32_t vcpu);
int64_t xen_event_port(uint64_t op, uint32_t port,
                       uint32_t to);     /* CLOSE, SEND, UNMASK, BIND_VCPU, SET_PRIORITY */
int64_t xen_event_status(uint32_t port); /* EVTCHNSTAT_ */

/* grant_table_op: the call's own failure, or the argument's status (GNTST_). */
int64_t xen_grant_op(uint64_t op, void *arg, uint32_t count);
int64_t xen_grant_map(uint16_t domid, uint32_t ref, uint64_t at, uint32_t flags, uint32_t *handle);
int64_t xen_grant_unmap(uint64_t at, uint32_t handle);
/* Between a frame of the caller's and a reference */
int64_t xen_grant_copy(const struct xen_grant_copy_end *from, const struct xen_grant_copy_end *to,
                       uint16_t bytes, uint16_t flags);
/* Entry of version 1: domid and frame first, the flags that count last; and taken back, unless it is in
 * use. */
void xen_grant_give(struct xen_grant_v1 *entry, uint16_t domid, uint64_t gfn, uint32_t flags);
bool xen_grant_end(struct xen_grant_v1 *entry);

/* console_io */
int64_t xen_console_write(const char *text, uint32_t bytes);
int64_t xen_console_read(char *text, uint32_t bytes);

/* The two levels as a guest without vcpu_info of its own finds them. */
bool xen_port_pending(const volatile struct xen_shared_info *shared, uint32_t port);
/* Takes the port's bit away; whether it was set */
bool xen_port_take(struct xen_shared_info *shared, uint32_t port);
/* By the book: flag, selector, words. take() for each port that was pending and not masked. */
void xen_upcall(struct xen_shared_info *shared, void (*take)(uint32_t port));

#endif
