/* Xen's hypercall interface: numbers and layouts of its public headers (tests/abi compares). */
#ifndef ABI_XEN_H
#define ABI_XEN_H

#include <stdint.h>

#define XEN_HYPERCALLS             64u /* numbers are below */
#define XEN_HCALL_PLATFORM_OP      7u
#define XEN_HCALL_MEMORY_OP        12u
#define XEN_HCALL_MULTICALL        13u
#define XEN_HCALL_XEN_VERSION      17u
#define XEN_HCALL_GRANT_TABLE_OP   20u
#define XEN_HCALL_CONSOLE_IO       18u
#define XEN_HCALL_VM_ASSIST        21u
#define XEN_HCALL_VCPU_OP          24u
#define XEN_HCALL_SCHED_OP         29u
#define XEN_HCALL_EVENT_CHANNEL_OP 32u
#define XEN_HCALL_HVM_OP           34u

#define XEN_EPERM      1
#define XEN_ENOENT     2
#define XEN_ESRCH      3
#define XEN_EIO        5
#define XEN_E2BIG      7
#define XEN_ENOMEM     12
#define XEN_EACCES     13
#define XEN_EFAULT     14
#define XEN_EBUSY      16
#define XEN_EEXIST     17
#define XEN_ENODEV     19
#define XEN_EINVAL     22
#define XEN_ENOSPC     28
#define XEN_ENOSYS     38
#define XEN_EOVERFLOW  75
#define XEN_EILSEQ     84
#define XEN_ENODATA    61
#define XEN_EOPNOTSUPP 95
#define XEN_ENOBUFS    105

#define XEN_DOMID_SELF    0x7FF0u /* it and above are no domain's number */
#define XEN_DOMID_INVALID 0x7FF4u

struct xen_multicall_entry {
    uint64_t op;
    uint64_t result;
    uint64_t args[6];
};

/* xen_version. Tools of guests look for files by this number: it is that of the interface, not ours. */
#define XENVER_VERSION             0u
#define XENVER_EXTRAVERSION        1u
#define XENVER_COMPILE_INFO        2u
#define XENVER_CAPABILITIES        3u
#define XENVER_CHANGESET           4u
#define XENVER_PLATFORM_PARAMETERS 5u
#define XENVER_GET_FEATURES        6u
#define XENVER_PAGESIZE            7u
#define XENVER_GUEST_HANDLE        8u
#define XENVER_COMMANDLINE         9u
#define XENVER_BUILD_ID            10u
#define XENVER_EXTRAVERSION2       11u
#define XENVER_CAPABILITIES2       12u
#define XENVER_CHANGESET2          13u
#define XENVER_COMMANDLINE2        14u
#define XEN_VERSION                0x00040014 /* 4.20 */

#define XENFEAT_WRITABLE_PAGE_TABLES    0u
#define XENFEAT_AUTO_TRANSLATED_PHYSMAP 2u
#define XENFEAT_DOM0                    11u
#define XENFEAT_ARM_SMCCC_SUPPORTED     14u
#define XENFEAT_NOT_DIRECT_MAPPED       16u
#define XENFEAT_DIRECT_MAPPED           17u

#define XENPF_INTERFACE_VERSION 0x03000001u
#define XENPF_SETTIME64         62u

struct xen_platform_settime {
    uint32_t cmd;
    uint32_t interface_version;
    uint64_t secs;
    uint32_t nsecs;
    uint32_t mbz;
    uint64_t system_time;
};

#define CONSOLEIO_WRITE 0u
#define CONSOLEIO_READ  1u

#define SCHEDOP_YIELD           0u
#define SCHEDOP_BLOCK           1u
#define SCHEDOP_SHUTDOWN        2u
#define SCHEDOP_POLL            3u
#define SCHEDOP_REMOTE_SHUTDOWN 4u
#define SCHEDOP_SHUTDOWN_CODE   5u
#define SCHEDOP_WATCHDOG        6u
#define SCHEDOP_PIN_OVERRIDE    7u
#define SHUTDOWN_POWEROFF       0u
#define SHUTDOWN_REBOOT         1u
#define SHUTDOWN_SUSPEND        2u
#define SHUTDOWN_CRASH          3u
#define SHUTDOWN_WATCHDOG       4u
#define SHUTDOWN_SOFT_RESET     5u
#define XEN_POLL_PORTS_MAX      128u

struct xen_sched_poll {
    uint64_t ports; /* guest virtual, words */
    uint32_t nr_ports;
    uint32_t pad;
    uint64_t timeout; /* ns of the guest's counter, 0 = none */
};

struct xen_sched_remote_shutdown {
    uint16_t domid;
    uint16_t pad;
    uint32_t reason;
};

struct xen_sched_watchdog {
    uint32_t id;
    uint32_t timeout; /* s */
};

#define VM_ASSIST_ENABLE        0u
#define VM_ASSIST_DISABLE       1u
#define VM_ASSIST_RUNSTATE_FLAG 5u

#define VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA 5u
#define VCPUOP_REGISTER_VCPU_INFO            10u

struct xen_register_vcpu_info {
    uint64_t mfn;
    uint32_t offset;
    uint32_t rsvd;
};

#define RUNSTATE_RUNNING    0u
#define RUNSTATE_RUNNABLE   1u
#define RUNSTATE_BLOCKED    2u
#define RUNSTATE_OFFLINE    3u
#define XEN_RUNSTATE_UPDATE 0x8000000000000000ULL /* in state_entry_time: being written */

struct xen_runstate_info {
    int32_t state; /* RUNSTATE_ */
    uint32_t pad;
    uint64_t state_entry_time;
    uint64_t time[4];
};

#define HVMOP_SET_PARAM          0u
#define HVMOP_GET_PARAM          1u
#define HVM_PARAM_CALLBACK_IRQ   0u
#define HVM_PARAM_STORE_PFN      1u
#define HVM_PARAM_STORE_EVTCHN   2u
#define HVM_PARAM_CONSOLE_PFN    17u
#define HVM_PARAM_CONSOLE_EVTCHN 18u
#define HVM_PARAM_MONITOR_RING   28u
#define XEN_HVM_PARAMS           29u /* all that Arm has are below */

/* HVM_PARAM_CALLBACK_IRQ: a private interrupt, active low and level triggered */
#define XEN_CALLBACK_PPI 0x0200000000000200ULL

struct xen_hvm_param {
    uint16_t domid;
    uint16_t pad;
    uint32_t index;
    uint64_t value;
};

/* The page between a domain and its xenstore. A client begins when the server says that it is connected; a
 * server that can reconnect drops all of the client's when it finds XENSTORE_RECONNECT. */
#define XENSTORE_CONNECTED            0u
#define XENSTORE_RECONNECT            1u
#define XENSTORE_FEATURE_RECONNECTION 1u
#define XENSTORE_MAGIC_GFN            0x39001u /* where tools put it */
#define XENSTORE_GRANT_REF            1u

struct xen_store_ring {
    uint8_t req[1024];
    uint8_t rsp[1024];
    uint32_t req_cons;
    uint32_t req_prod;
    uint32_t rsp_cons;
    uint32_t rsp_prod;
    uint32_t server_features;
    uint32_t connection;
    uint32_t error;
};

/* The page between a console and who serves it */
#define CONSOLE_MAGIC_GFN 0x39000u /* where tools put it */
#define CONSOLE_GRANT_REF 0u

struct xen_console_ring {
    uint8_t in[1024];
    uint8_t out[2048];
    uint32_t in_cons;
    uint32_t in_prod;
    uint32_t out_cons;
    uint32_t out_prod;
};

#define EVTCHNOP_BIND_INTERDOMAIN 0u
#define EVTCHNOP_BIND_VIRQ        1u
#define EVTCHNOP_BIND_PIRQ        2u
#define EVTCHNOP_CLOSE            3u
#define EVTCHNOP_SEND             4u
#define EVTCHNOP_STATUS           5u
#define EVTCHNOP_ALLOC_UNBOUND    6u
#define EVTCHNOP_BIND_IPI         7u
#define EVTCHNOP_BIND_VCPU        8u
#define EVTCHNOP_UNMASK           9u
#define EVTCHNOP_RESET            10u
#define EVTCHNOP_INIT_CONTROL     11u
#define EVTCHNOP_EXPAND_ARRAY     12u
#define EVTCHNOP_SET_PRIORITY     13u
#define EVTCHNOPS                 14u

#define EVTCHNSTAT_CLOSED      0u
#define EVTCHNSTAT_UNBOUND     1u
#define EVTCHNSTAT_INTERDOMAIN 2u
#define EVTCHNSTAT_VIRQ        4u
#define EVTCHNSTAT_IPI         5u

#define VIRQ_TIMER    0u
#define VIRQ_DEBUG    1u
#define VIRQ_CONSOLE  2u
#define VIRQ_DOM_EXC  3u
#define VIRQ_XENOPROF 7u
#define VIRQ_CON_RING 8u
#define VIRQ_XENPMU   13u
#define XEN_NR_VIRQS  24u

/* Arguments of event_channel_op, of which an operation uses the first words */
union xen_evtchn_op {
    struct {
        uint16_t remote_dom;
        uint16_t pad;
        uint32_t remote_port;
        uint32_t local_port;
    } bind_interdomain;
    struct {
        uint32_t virq;
        uint32_t vcpu;
        uint32_t port;
    } bind_virq;
    struct {
        uint32_t port; /* close, send, unmask; bind_vcpu and set_priority, with what follows */
        uint32_t to;
    } port;
    struct {
        uint16_t dom;
        uint16_t pad;
        uint32_t port;
        uint32_t status;
        uint32_t vcpu;
        uint16_t peer_dom;
        uint16_t pad2;
        uint32_t peer_port;
    } status;
    struct {
        uint16_t dom;
        uint16_t remote_dom;
        uint32_t port;
    } alloc_unbound;
    struct {
        uint32_t vcpu;
        uint32_t port;
    } bind_ipi;
    struct {
        uint16_t dom;
    } reset;
    struct {
        uint64_t control_gfn;
        uint32_t offset;
        uint32_t vcpu;
        uint8_t link_bits;
        uint8_t pad[7];
    } init_control;
    struct {
        uint64_t array_gfn;
    } expand_array;
};

/* What guest and hypervisor write together. Words of 32 bits throughout: what the guest takes for longer ones
 * lies in them the same way. */
struct xen_vcpu_info {
    uint8_t upcall_pending;
    uint8_t pad[7];
    uint32_t pending_sel[2];
    uint64_t time[4];
};

#define XEN_2L_WORDS 128u

struct xen_shared_info {
    struct xen_vcpu_info vcpu_info;
    uint32_t evtchn_pending[XEN_2L_WORDS];
    uint32_t evtchn_mask[XEN_2L_WORDS];
    uint32_t wc_version; /* odd: being written */
    uint32_t wc_sec;     /* when the domain's counter was 0, since 1970 */
    uint32_t wc_nsec;
    uint32_t wc_sec_hi;
};

#define EVTCHN_FIFO_PENDING   0x80000000u
#define EVTCHN_FIFO_MASKED    0x40000000u
#define EVTCHN_FIFO_LINKED    0x20000000u
#define EVTCHN_FIFO_LINK_BITS 17u
#define EVTCHN_FIFO_LINK_MASK 0x1FFFFu
#define EVTCHN_FIFO_QUEUES    16u
#define EVTCHN_FIFO_DEFAULT   7u /* priority */

struct xen_control_block {
    uint32_t ready;
    uint32_t pad;
    uint32_t head[EVTCHN_FIFO_QUEUES];
};

#endif
