/* Numbers of hypercalls against Xen's public headers (libxen-dev 4.20). [test->req~hypercalls~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* structs of one name on both sides */
#define xen_hvm_param ours_hvm_param
#include "abi/xen.h"
#undef xen_hvm_param

/* Names that the headers have as well, as ours say */
enum {
    OUR_CONSOLEIO_WRITE = CONSOLEIO_WRITE,
    OUR_CONSOLEIO_READ = CONSOLEIO_READ,
    OUR_EPERM = XEN_EPERM,
    OUR_ENOENT = XEN_ENOENT,
    OUR_ESRCH = XEN_ESRCH,
    OUR_EIO = XEN_EIO,
    OUR_E2BIG = XEN_E2BIG,
    OUR_ENOMEM = XEN_ENOMEM,
    OUR_EACCES = XEN_EACCES,
    OUR_EFAULT = XEN_EFAULT,
    OUR_EBUSY = XEN_EBUSY,
    OUR_EEXIST = XEN_EEXIST,
    OUR_ENODEV = XEN_ENODEV,
    OUR_EINVAL = XEN_EINVAL,
    OUR_ENOSPC = XEN_ENOSPC,
    OUR_ENOSYS = XEN_ENOSYS,
    OUR_EOVERFLOW = XEN_EOVERFLOW,
    OUR_EILSEQ = XEN_EILSEQ,
    OUR_ENODATA = XEN_ENODATA,
    OUR_EOPNOTSUPP = XEN_EOPNOTSUPP,
    OUR_ENOBUFS = XEN_ENOBUFS,
    OUR_CALLBACK_IRQ = HVM_PARAM_CALLBACK_IRQ,
    OUR_STORE_PFN = HVM_PARAM_STORE_PFN,
    OUR_STORE_EVTCHN = HVM_PARAM_STORE_EVTCHN,
    OUR_CONSOLE_PFN = HVM_PARAM_CONSOLE_PFN,
    OUR_CONSOLE_EVTCHN = HVM_PARAM_CONSOLE_EVTCHN,
};
static const uint32_t fifo_flags[] = { EVTCHN_FIFO_PENDING, EVTCHN_FIFO_MASKED, EVTCHN_FIFO_LINKED,
                                       EVTCHN_FIFO_LINK_BITS, EVTCHN_FIFO_LINK_MASK };
static const uint64_t update_flag = XEN_RUNSTATE_UPDATE;
#undef XEN_RUNSTATE_UPDATE
static const uint32_t platform_numbers[] = { XENPF_INTERFACE_VERSION };
#undef XENPF_INTERFACE_VERSION
static const uint32_t our_virqs[] = { VIRQ_TIMER,    VIRQ_DEBUG,    VIRQ_CONSOLE, VIRQ_DOM_EXC,
                                      VIRQ_XENOPROF, VIRQ_CON_RING, VIRQ_XENPMU };
#undef VIRQ_TIMER
#undef VIRQ_DEBUG
#undef VIRQ_CONSOLE
#undef VIRQ_DOM_EXC
#undef VIRQ_XENOPROF
#undef VIRQ_CON_RING
#undef VIRQ_XENPMU
#undef XEN_EPERM /* the headers have enumerators of these names */
#undef XEN_ENOENT
#undef XEN_ESRCH
#undef XEN_EIO
#undef XEN_E2BIG
#undef XEN_ENOMEM
#undef XEN_EACCES
#undef XEN_EFAULT
#undef XEN_EBUSY
#undef XEN_EEXIST
#undef XEN_ENODEV
#undef XEN_EINVAL
#undef XEN_ENOSPC
#undef XEN_ENOSYS
#undef XEN_EOVERFLOW
#undef XEN_EILSEQ
#undef XEN_ENODATA
#undef XEN_EOPNOTSUPP
#undef XEN_ENOBUFS
#undef HVM_PARAM_CALLBACK_IRQ /* ... and other macros of these */
#undef HVM_PARAM_STORE_PFN
#undef HVM_PARAM_STORE_EVTCHN
#undef HVM_PARAM_CONSOLE_PFN
#undef HVM_PARAM_CONSOLE_EVTCHN
#undef EVTCHN_FIFO_PENDING
#undef EVTCHN_FIFO_MASKED
#undef EVTCHN_FIFO_LINKED
#undef EVTCHN_FIFO_LINK_BITS
#undef EVTCHN_FIFO_LINK_MASK

#include "xen_headers.h"

#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/hvm/hvm_op.h>
#include <xen/hvm/params.h>
#include <xen/platform.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>

static const uint32_t their_virqs[] = { VIRQ_TIMER,    VIRQ_DEBUG,    VIRQ_CONSOLE, VIRQ_DOM_EXC,
                                        VIRQ_XENOPROF, VIRQ_CON_RING, VIRQ_XENPMU };

#define SAME(ours, ours_field, theirs, their_field)                                                          \
    assert_int_equal(offsetof(ours, ours_field), offsetof(theirs, their_field))

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(XEN_HCALL_MEMORY_OP, __HYPERVISOR_memory_op);
    assert_int_equal(XEN_HCALL_GRANT_TABLE_OP, __HYPERVISOR_grant_table_op);
    assert_int_equal(XEN_HCALL_CONSOLE_IO, __HYPERVISOR_console_io);
    assert_int_equal(OUR_CONSOLEIO_WRITE, CONSOLEIO_write);
    assert_int_equal(OUR_CONSOLEIO_READ, CONSOLEIO_read);
    assert_int_equal(XEN_HCALL_VM_ASSIST, __HYPERVISOR_vm_assist);
    assert_int_equal(VM_ASSIST_ENABLE, VMASST_CMD_enable);
    assert_int_equal(VM_ASSIST_DISABLE, VMASST_CMD_disable);
    assert_int_equal(VM_ASSIST_RUNSTATE_FLAG, VMASST_TYPE_runstate_update_flag);
    assert_int_equal(XEN_HCALL_PLATFORM_OP, __HYPERVISOR_platform_op);
    assert_int_equal(platform_numbers[0], XENPF_INTERFACE_VERSION);
    assert_int_equal(XENPF_SETTIME64, XENPF_settime64);
    SAME(struct xen_platform_settime, interface_version, struct xen_platform_op, interface_version);
    SAME(struct xen_platform_settime, secs, struct xen_platform_op, u.settime64.secs);
    SAME(struct xen_platform_settime, nsecs, struct xen_platform_op, u.settime64.nsecs);
    SAME(struct xen_platform_settime, mbz, struct xen_platform_op, u.settime64.mbz);
    SAME(struct xen_platform_settime, system_time, struct xen_platform_op, u.settime64.system_time);
    assert_true(sizeof(struct xen_platform_settime) <= sizeof(struct xen_platform_op));
    SAME(struct xen_shared_info, wc_version, struct shared_info, wc_version);
    SAME(struct xen_shared_info, wc_sec, struct shared_info, wc_sec);
    SAME(struct xen_shared_info, wc_nsec, struct shared_info, wc_nsec);
    SAME(struct xen_shared_info, wc_sec_hi, struct shared_info, wc_sec_hi);
    assert_int_equal(XEN_HCALL_MULTICALL, __HYPERVISOR_multicall);
    assert_int_equal(sizeof(struct xen_multicall_entry), sizeof(struct multicall_entry));
    SAME(struct xen_multicall_entry, result, struct multicall_entry, result);
    SAME(struct xen_multicall_entry, args, struct multicall_entry, args);
    assert_int_equal(XEN_HCALL_XEN_VERSION, __HYPERVISOR_xen_version);
    assert_int_equal(XEN_HCALL_VCPU_OP, __HYPERVISOR_vcpu_op);
    assert_int_equal(XEN_HCALL_SCHED_OP, __HYPERVISOR_sched_op);
    assert_int_equal(XEN_HCALL_EVENT_CHANNEL_OP, __HYPERVISOR_event_channel_op);
    assert_int_equal(XEN_HCALL_HVM_OP, __HYPERVISOR_hvm_op);
    assert_true((XEN_HYPERCALLS > __HYPERVISOR_arch_7) && (XEN_HYPERCALLS < 128u));
    assert_int_equal(XEN_DOMID_SELF, DOMID_SELF);
    assert_int_equal(XEN_DOMID_INVALID, DOMID_INVALID);
    assert_int_equal(XEN_NR_VIRQS, NR_VIRQS);
    assert_int_equal(HVMOP_SET_PARAM, HVMOP_set_param);
    assert_int_equal(HVMOP_GET_PARAM, HVMOP_get_param);
    assert_int_equal(OUR_CALLBACK_IRQ, HVM_PARAM_CALLBACK_IRQ);
    assert_int_equal(OUR_STORE_PFN, HVM_PARAM_STORE_PFN);
    assert_int_equal(OUR_STORE_EVTCHN, HVM_PARAM_STORE_EVTCHN);
    assert_int_equal(OUR_CONSOLE_PFN, HVM_PARAM_CONSOLE_PFN);
    assert_int_equal(OUR_CONSOLE_EVTCHN, HVM_PARAM_CONSOLE_EVTCHN);
}

static void version_numbers(void **state)
{
    (void)state;
    assert_int_equal(XEN_VERSION >> 16, 4); /* of libxen-dev's interface, which the headers don't say */
    assert_int_equal(XENVER_VERSION, XENVER_version);
    assert_int_equal(XENVER_EXTRAVERSION, XENVER_extraversion);
    assert_int_equal(XENVER_COMPILE_INFO, XENVER_compile_info);
    assert_int_equal(XENVER_CAPABILITIES, XENVER_capabilities);
    assert_int_equal(XENVER_CHANGESET, XENVER_changeset);
    assert_int_equal(XENVER_PLATFORM_PARAMETERS, XENVER_platform_parameters);
    assert_int_equal(XENVER_GET_FEATURES, XENVER_get_features);
    assert_int_equal(XENVER_PAGESIZE, XENVER_pagesize);
    assert_int_equal(XENVER_GUEST_HANDLE, XENVER_guest_handle);
    assert_int_equal(XENVER_COMMANDLINE, XENVER_commandline);
    assert_int_equal(XENVER_BUILD_ID, XENVER_build_id);
    assert_int_equal(XENVER_EXTRAVERSION2, XENVER_extraversion2);
    assert_int_equal(XENVER_CAPABILITIES2, XENVER_capabilities2);
    assert_int_equal(XENVER_CHANGESET2, XENVER_changeset2);
    assert_int_equal(XENVER_COMMANDLINE2, XENVER_commandline2);
    assert_int_equal(XENFEAT_WRITABLE_PAGE_TABLES, XENFEAT_writable_page_tables);
    assert_int_equal(XENFEAT_AUTO_TRANSLATED_PHYSMAP, XENFEAT_auto_translated_physmap);
    assert_int_equal(XENFEAT_DOM0, XENFEAT_dom0);
    assert_int_equal(XENFEAT_ARM_SMCCC_SUPPORTED, XENFEAT_ARM_SMCCC_supported);
    assert_int_equal(XENFEAT_NOT_DIRECT_MAPPED, XENFEAT_not_direct_mapped);
    assert_int_equal(XENFEAT_DIRECT_MAPPED, XENFEAT_direct_mapped);
    /* what hcall_version.c writes, and where */
    assert_int_equal(offsetof(struct xen_compile_info, compile_by), 64);
    assert_int_equal(offsetof(struct xen_compile_info, compile_domain), 80);
    assert_int_equal(offsetof(struct xen_compile_info, compile_date), 112);
    assert_int_equal(sizeof(struct xen_platform_parameters), 8);
    assert_int_equal(sizeof(xen_domain_handle_t), 16);
    assert_int_equal(offsetof(struct xen_varbuf, buf), 4);
}

static void sched_numbers(void **state)
{
    (void)state;
    assert_int_equal(SCHEDOP_YIELD, SCHEDOP_yield);
    assert_int_equal(SCHEDOP_BLOCK, SCHEDOP_block);
    assert_int_equal(SCHEDOP_SHUTDOWN, SCHEDOP_shutdown);
    assert_int_equal(SCHEDOP_POLL, SCHEDOP_poll);
    assert_int_equal(SCHEDOP_REMOTE_SHUTDOWN, SCHEDOP_remote_shutdown);
    assert_int_equal(SCHEDOP_SHUTDOWN_CODE, SCHEDOP_shutdown_code);
    assert_int_equal(SCHEDOP_WATCHDOG, SCHEDOP_watchdog);
    assert_int_equal(SCHEDOP_PIN_OVERRIDE, SCHEDOP_pin_override);
    assert_int_equal(SHUTDOWN_SUSPEND, SHUTDOWN_suspend);
    assert_int_equal(SHUTDOWN_SOFT_RESET, SHUTDOWN_soft_reset);
    assert_int_equal(sizeof(struct xen_sched_remote_shutdown), sizeof(struct sched_remote_shutdown));
    assert_int_equal(offsetof(struct xen_sched_remote_shutdown, reason),
                     offsetof(struct sched_remote_shutdown, reason));
    assert_int_equal(sizeof(struct xen_sched_watchdog), sizeof(struct sched_watchdog));
    assert_int_equal(offsetof(struct xen_sched_watchdog, timeout), offsetof(struct sched_watchdog, timeout));
    assert_int_equal(SHUTDOWN_POWEROFF, SHUTDOWN_poweroff);
    assert_int_equal(SHUTDOWN_REBOOT, SHUTDOWN_reboot);
    assert_int_equal(SHUTDOWN_CRASH, SHUTDOWN_crash);
    assert_int_equal(SHUTDOWN_WATCHDOG, SHUTDOWN_watchdog);
    assert_int_equal(sizeof(struct xen_sched_poll), sizeof(struct sched_poll));
    assert_int_equal(offsetof(struct xen_sched_poll, nr_ports), offsetof(struct sched_poll, nr_ports));
    assert_int_equal(offsetof(struct xen_sched_poll, timeout), offsetof(struct sched_poll, timeout));
    assert_int_equal(VCPUOP_REGISTER_VCPU_INFO, VCPUOP_register_vcpu_info);
    assert_int_equal(VCPUOP_REGISTER_RUNSTATE_MEMORY_AREA, VCPUOP_register_runstate_memory_area);
    assert_int_equal(sizeof(struct xen_register_vcpu_info), sizeof(struct vcpu_register_vcpu_info));
    assert_int_equal(offsetof(struct xen_register_vcpu_info, offset),
                     offsetof(struct vcpu_register_vcpu_info, offset));
    assert_int_equal(sizeof(struct xen_runstate_info), sizeof(struct vcpu_runstate_info));
    SAME(struct xen_runstate_info, state_entry_time, struct vcpu_runstate_info, state_entry_time);
    SAME(struct xen_runstate_info, time, struct vcpu_runstate_info, time);
    assert_int_equal(RUNSTATE_RUNNING, RUNSTATE_running);
    assert_int_equal(RUNSTATE_RUNNABLE, RUNSTATE_runnable);
    assert_int_equal(RUNSTATE_BLOCKED, RUNSTATE_blocked);
    assert_int_equal(RUNSTATE_OFFLINE, RUNSTATE_offline);
    assert_true(update_flag == XEN_RUNSTATE_UPDATE);
    assert_int_equal(offsetof(struct xen_runstate_info, state_entry_time),
                     offsetof(struct vcpu_runstate_info, state_entry_time));
}

static void param_numbers(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct ours_hvm_param), sizeof(struct xen_hvm_param));
    SAME(struct ours_hvm_param, index, struct xen_hvm_param, index);
    SAME(struct ours_hvm_param, value, struct xen_hvm_param, value);
}

static void event_numbers(void **state)
{
    (void)state;
    assert_int_equal(EVTCHNOP_BIND_INTERDOMAIN, EVTCHNOP_bind_interdomain);
    assert_int_equal(EVTCHNOP_BIND_VIRQ, EVTCHNOP_bind_virq);
    assert_int_equal(EVTCHNOP_BIND_PIRQ, EVTCHNOP_bind_pirq);
    assert_int_equal(EVTCHNOP_CLOSE, EVTCHNOP_close);
    assert_int_equal(EVTCHNOP_SEND, EVTCHNOP_send);
    assert_int_equal(EVTCHNOP_STATUS, EVTCHNOP_status);
    assert_int_equal(EVTCHNOP_ALLOC_UNBOUND, EVTCHNOP_alloc_unbound);
    assert_int_equal(EVTCHNOP_BIND_IPI, EVTCHNOP_bind_ipi);
    assert_int_equal(EVTCHNOP_BIND_VCPU, EVTCHNOP_bind_vcpu);
    assert_int_equal(EVTCHNOP_UNMASK, EVTCHNOP_unmask);
    assert_int_equal(EVTCHNOP_RESET, EVTCHNOP_reset);
    assert_int_equal(EVTCHNOP_INIT_CONTROL, EVTCHNOP_init_control);
    assert_int_equal(EVTCHNOP_EXPAND_ARRAY, EVTCHNOP_expand_array);
    assert_int_equal(EVTCHNOP_SET_PRIORITY, EVTCHNOP_set_priority);
    assert_int_equal(EVTCHNSTAT_CLOSED, EVTCHNSTAT_closed);
    assert_int_equal(EVTCHNSTAT_UNBOUND, EVTCHNSTAT_unbound);
    assert_int_equal(EVTCHNSTAT_INTERDOMAIN, EVTCHNSTAT_interdomain);
    assert_int_equal(EVTCHNSTAT_VIRQ, EVTCHNSTAT_virq);
    assert_int_equal(EVTCHNSTAT_IPI, EVTCHNSTAT_ipi);
    for (uint32_t i = 0u; i < 6u; i++) {
        assert_int_equal(our_virqs[i], their_virqs[i]);
    }
    assert_int_equal(fifo_flags[0], 1u << EVTCHN_FIFO_PENDING);
    assert_int_equal(fifo_flags[1], 1u << EVTCHN_FIFO_MASKED);
    assert_int_equal(fifo_flags[2], 1u << EVTCHN_FIFO_LINKED);
    assert_int_equal(fifo_flags[3], EVTCHN_FIFO_LINK_BITS);
    assert_int_equal(fifo_flags[4], EVTCHN_FIFO_LINK_MASK);
    assert_int_equal(EVTCHN_FIFO_QUEUES, EVTCHN_FIFO_MAX_QUEUES);
    assert_int_equal(EVTCHN_FIFO_DEFAULT, EVTCHN_FIFO_PRIORITY_DEFAULT);
}

static void event_layouts(void **state)
{
    typedef union xen_evtchn_op op;

    (void)state;
    SAME(op, bind_interdomain.remote_port, struct evtchn_bind_interdomain, remote_port);
    SAME(op, bind_interdomain.local_port, struct evtchn_bind_interdomain, local_port);
    SAME(op, bind_virq.vcpu, struct evtchn_bind_virq, vcpu);
    SAME(op, bind_virq.port, struct evtchn_bind_virq, port);
    SAME(op, port.port, struct evtchn_send, port);
    SAME(op, port.to, struct evtchn_bind_vcpu, vcpu);
    SAME(op, port.to, struct evtchn_set_priority, priority);
    SAME(op, status.port, struct evtchn_status, port);
    SAME(op, status.status, struct evtchn_status, status);
    SAME(op, status.vcpu, struct evtchn_status, vcpu);
    SAME(op, status.peer_dom, struct evtchn_status, u.interdomain.dom);
    SAME(op, status.peer_dom, struct evtchn_status, u.unbound.dom);
    SAME(op, status.peer_port, struct evtchn_status, u.interdomain.port);
    assert_int_equal(sizeof(struct evtchn_status), 24);
    SAME(op, alloc_unbound.remote_dom, struct evtchn_alloc_unbound, remote_dom);
    SAME(op, alloc_unbound.port, struct evtchn_alloc_unbound, port);
    SAME(op, bind_ipi.port, struct evtchn_bind_ipi, port);
    SAME(op, init_control.offset, struct evtchn_init_control, offset);
    SAME(op, init_control.vcpu, struct evtchn_init_control, vcpu);
    SAME(op, init_control.link_bits, struct evtchn_init_control, link_bits);
    assert_int_equal(sizeof(struct evtchn_init_control), 24);
    assert_int_equal(sizeof(struct evtchn_expand_array), 8);
    assert_int_equal(sizeof(struct xen_vcpu_info), sizeof(struct vcpu_info));
    SAME(struct xen_vcpu_info, upcall_pending, struct vcpu_info, evtchn_upcall_pending);
    SAME(struct xen_vcpu_info, pending_sel, struct vcpu_info, evtchn_pending_sel);
    SAME(struct xen_vcpu_info, time, struct vcpu_info, time);
    assert_true(sizeof(struct xen_shared_info) <=
                sizeof(struct shared_info)); /* ours ends where we stop reading */
    SAME(struct xen_shared_info, evtchn_pending, struct shared_info, evtchn_pending);
    SAME(struct xen_shared_info, evtchn_mask, struct shared_info, evtchn_mask);
    assert_int_equal(XEN_2L_WORDS * 32u, EVTCHN_2L_NR_CHANNELS);
    assert_int_equal(sizeof(struct xen_control_block), sizeof(struct evtchn_fifo_control_block));
    SAME(struct xen_control_block, head, struct evtchn_fifo_control_block, head);
}

static void errors(void **state)
{
    (void)state;
    assert_int_equal(OUR_EPERM, XEN_EPERM);
    assert_int_equal(OUR_ENOENT, XEN_ENOENT);
    assert_int_equal(OUR_ESRCH, XEN_ESRCH);
    assert_int_equal(OUR_EIO, XEN_EIO);
    assert_int_equal(OUR_E2BIG, XEN_E2BIG);
    assert_int_equal(OUR_ENOMEM, XEN_ENOMEM);
    assert_int_equal(OUR_EACCES, XEN_EACCES);
    assert_int_equal(OUR_EFAULT, XEN_EFAULT);
    assert_int_equal(OUR_EBUSY, XEN_EBUSY);
    assert_int_equal(OUR_EEXIST, XEN_EEXIST);
    assert_int_equal(OUR_ENODEV, XEN_ENODEV);
    assert_int_equal(OUR_EINVAL, XEN_EINVAL);
    assert_int_equal(OUR_ENOSPC, XEN_ENOSPC);
    assert_int_equal(OUR_ENOSYS, XEN_ENOSYS);
    assert_int_equal(OUR_EOVERFLOW, XEN_EOVERFLOW);
    assert_int_equal(OUR_EILSEQ, XEN_EILSEQ);
    assert_int_equal(OUR_ENODATA, XEN_ENODATA);
    assert_int_equal(OUR_EOPNOTSUPP, XEN_EOPNOTSUPP);
    assert_int_equal(OUR_ENOBUFS, XEN_ENOBUFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),       cmocka_unit_test(version_numbers), cmocka_unit_test(sched_numbers),
        cmocka_unit_test(param_numbers), cmocka_unit_test(event_numbers),   cmocka_unit_test(event_layouts),
        cmocka_unit_test(errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
