/* Numbers of Xen's hypercall interface (its public headers; tests/abi compares). */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#define XEN_HYPERCALLS        64u /* numbers are below */
#define XEN_HCALL_XEN_VERSION 17u
#define XEN_HCALL_SCHED_OP    29u

#define XEN_EINVAL 22
#define XEN_ENOSYS 38

/* xen_version. Tools of guests look for files by this number: it is that of the interface, not ours. */
#define XENVER_VERSION  0u
#define XENVER_PAGESIZE 7u
#define XEN_VERSION     0x00040014 /* 4.20 */

#define SCHEDOP_YIELD 0u

#endif
