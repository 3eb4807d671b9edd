/* domctl and sysctl against Xen's public headers (libxen-dev 4.20). [test->req~toolstack~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define xen_domctl ours_domctl
#define xen_sysctl ours_sysctl
#include "abi/xen_control.h"
#undef xen_domctl
#undef xen_sysctl

/* Names that the headers have as well, as ours say */
static const uint32_t schedulers[] = { XEN_SCHEDULER_CREDIT, XEN_SCHEDULER_CREDIT2, XEN_SCHEDULER_ARINC653,
                                       XEN_SCHEDULER_RTDS, XEN_SCHEDULER_NULL };
static const uint32_t domctl_numbers[] = { XEN_DOMCTL_DEV_DT, XEN_PT_IRQ_TYPE_SPI };
static const uint32_t vuart_numbers[] = { XEN_DOMCTL_VUART_OP_INIT, XEN_DOMCTL_VUART_TYPE_VPL011 };
#undef XEN_DOMCTL_DEV_DT
#undef XEN_DOMCTL_VUART_OP_INIT
#undef XEN_DOMCTL_VUART_TYPE_VPL011
#undef XEN_SCHEDULER_CREDIT
#undef XEN_SCHEDULER_CREDIT2
#undef XEN_SCHEDULER_ARINC653
#undef XEN_SCHEDULER_RTDS
#undef XEN_SCHEDULER_NULL

#include "xen_headers.h"

#define __XEN_PUBLIC_HVM_SAVE_H__ /* asks for anonymous structs, of which nothing is compared here */
#include <xen/domctl.h>
#include <xen/sysctl.h>

#define SIZE(our, their) assert_int_equal(sizeof(struct our), sizeof(their))
#define BYTES(s, field)  sizeof(((s *)NULL)->field)
#define SAME(our, our_field, their, their_field)                                                             \
    do {                                                                                                     \
        assert_int_equal(offsetof(struct our, our_field), offsetof(their, their_field));                     \
        assert_int_equal(BYTES(struct our, our_field), BYTES(their, their_field));                           \
    } while (0)
#define SAME_NAME(our, their, field) SAME(our, field, their, field)

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(XEN_HCALL_SYSCTL, __HYPERVISOR_sysctl);
    assert_int_equal(XEN_HCALL_DOMCTL, __HYPERVISOR_domctl);
    assert_int_equal(XEN_DOMCTL_VERSION, XEN_DOMCTL_INTERFACE_VERSION);
    assert_int_equal(XEN_SYSCTL_VERSION, XEN_SYSCTL_INTERFACE_VERSION);
    assert_int_equal(XEN_DOMCTL_PAUSE, XEN_DOMCTL_pausedomain);
    assert_int_equal(XEN_DOMCTL_UNPAUSE, XEN_DOMCTL_unpausedomain);
    assert_int_equal(XEN_DOMCTL_GETDOMAININFO, XEN_DOMCTL_getdomaininfo);
    assert_int_equal(XEN_DOMCTL_SETVCPUAFFINITY, XEN_DOMCTL_setvcpuaffinity);
    assert_int_equal(XEN_DOMCTL_SCHEDULER_OP, XEN_DOMCTL_scheduler_op);
    assert_int_equal(XEN_DOMCTL_SETTIMEOFFSET, XEN_DOMCTL_settimeoffset);
    assert_int_equal(XEN_DOMCTL_SENDTRIGGER, XEN_DOMCTL_sendtrigger);
    assert_int_equal(XEN_DOMCTL_SETNODEAFFINITY, XEN_DOMCTL_setnodeaffinity);
    assert_int_equal(XEN_DOMCTL_SET_LLC_COLORS, XEN_DOMCTL_set_llc_colors);
    assert_int_equal(XEN_SYSCTL_READCONSOLE, XEN_SYSCTL_readconsole);
    assert_int_equal(XEN_SYSCTL_DEBUG_KEYS, XEN_SYSCTL_debug_keys);
    assert_int_equal(XEN_SYSCTL_GETCPUINFO, XEN_SYSCTL_getcpuinfo);
    assert_int_equal(XEN_SYSCTL_AVAILHEAP, XEN_SYSCTL_availheap);
    assert_int_equal(XEN_SYSCTL_SCHEDULER_OP, XEN_SYSCTL_scheduler_op);
    assert_int_equal(XEN_DOMCTL_MAX_MEM, XEN_DOMCTL_max_mem);
    assert_int_equal(XEN_DOMCTL_GETVCPUINFO, XEN_DOMCTL_getvcpuinfo);
    assert_int_equal(XEN_DOMCTL_SETDOMAINHANDLE, XEN_DOMCTL_setdomainhandle);
    assert_int_equal(XEN_DOMCTL_GETVCPUAFFINITY, XEN_DOMCTL_getvcpuaffinity);
    assert_int_equal(XEN_DOMCTL_IRQ_PERMISSION, XEN_DOMCTL_irq_permission);
    assert_int_equal(XEN_DOMCTL_IOMEM_PERMISSION, XEN_DOMCTL_iomem_permission);
    assert_int_equal(XEN_DOMCTL_ASSIGN_DEVICE, XEN_DOMCTL_assign_device);
    assert_int_equal(XEN_DOMCTL_BIND_PT_IRQ, XEN_DOMCTL_bind_pt_irq);
    assert_int_equal(XEN_DOMCTL_MEMORY_MAPPING, XEN_DOMCTL_memory_mapping);
    assert_int_equal(XEN_DOMCTL_TEST_ASSIGN_DEVICE, XEN_DOMCTL_test_assign_device);
    assert_int_equal(XEN_DOMCTL_DEASSIGN_DEVICE, XEN_DOMCTL_deassign_device);
    assert_int_equal(XEN_DOMCTL_UNBIND_PT_IRQ, XEN_DOMCTL_unbind_pt_irq);
    assert_int_equal(domctl_numbers[0], XEN_DOMCTL_DEV_DT);
    assert_int_equal(domctl_numbers[1], PT_IRQ_TYPE_SPI);
    assert_int_equal(XEN_DOMCTL_GETNODEAFFINITY, XEN_DOMCTL_getnodeaffinity);
    assert_int_equal(XEN_DOMCTL_CREATEDOMAIN, XEN_DOMCTL_createdomain);
    assert_int_equal(XEN_DOMCTL_DESTROYDOMAIN, XEN_DOMCTL_destroydomain);
    assert_int_equal(XEN_DOMCTL_SETVCPUCONTEXT, XEN_DOMCTL_setvcpucontext);
    assert_int_equal(XEN_DOMCTL_GETVCPUCONTEXT, XEN_DOMCTL_getvcpucontext);
    assert_int_equal(XEN_DOMCTL_MAX_VCPUS, XEN_DOMCTL_max_vcpus);
    assert_int_equal(XEN_DOMCTL_RESUMEDOMAIN, XEN_DOMCTL_resumedomain);
    assert_int_equal(XEN_DOMCTL_SET_ADDRESS_SIZE, XEN_DOMCTL_set_address_size);
    assert_int_equal(XEN_DOMCTL_GET_ADDRESS_SIZE, XEN_DOMCTL_get_address_size);
    assert_int_equal(XEN_DOMCTL_CACHEFLUSH, XEN_DOMCTL_cacheflush);
    assert_int_equal(XEN_DOMCTL_VUART_OP, XEN_DOMCTL_vuart_op);
    assert_int_equal(vuart_numbers[0], XEN_DOMCTL_VUART_OP_INIT);
    assert_int_equal(vuart_numbers[1], XEN_DOMCTL_VUART_TYPE_VPL011);
    assert_int_equal(XEN_DOMCTL_GET_PAGING_MEMPOOL, XEN_DOMCTL_get_paging_mempool_size);
    assert_int_equal(XEN_DOMCTL_SET_PAGING_MEMPOOL, XEN_DOMCTL_set_paging_mempool_size);
    assert_int_equal(XEN_SYSCTL_PHYSINFO, XEN_SYSCTL_physinfo);
    assert_int_equal(XEN_SYSCTL_SCHED_ID, XEN_SYSCTL_sched_id);
    assert_int_equal(XEN_SYSCTL_GETDOMAININFOLIST, XEN_SYSCTL_getdomaininfolist);
    assert_int_equal(XEN_SYSCTL_CPUTOPOINFO, XEN_SYSCTL_cputopoinfo);
    assert_int_equal(XEN_SYSCTL_NUMAINFO, XEN_SYSCTL_numainfo);
    assert_int_equal(XEN_SYSCTL_CPUPOOL_OP, XEN_SYSCTL_cpupool_op);
    assert_int_equal(schedulers[0], XEN_SCHEDULER_CREDIT);
    assert_int_equal(schedulers[1], XEN_SCHEDULER_CREDIT2);
    assert_int_equal(schedulers[2], XEN_SCHEDULER_ARINC653);
    assert_int_equal(schedulers[3], XEN_SCHEDULER_RTDS);
    assert_int_equal(schedulers[4], XEN_SCHEDULER_NULL);
}

static void flags(void **state)
{
    (void)state;
    assert_int_equal(XEN_CDF_HVM, XEN_DOMCTL_CDF_hvm);
    assert_int_equal(XEN_CDF_HAP, XEN_DOMCTL_CDF_hap);
    assert_int_equal(XEN_CDF_XS_DOMAIN, XEN_DOMCTL_CDF_xs_domain);
    assert_int_equal(XEN_CDF_IOMMU, XEN_DOMCTL_CDF_iommu);
    assert_int_equal(XEN_GRANT_VERSIONS, XEN_DOMCTL_GRANT_version_mask);
    assert_int_equal(XEN_GIC_NATIVE, XEN_DOMCTL_CONFIG_GIC_NATIVE);
    assert_int_equal(XEN_GIC_V2, XEN_DOMCTL_CONFIG_GIC_V2);
    assert_int_equal(XEN_GIC_V3, XEN_DOMCTL_CONFIG_GIC_V3);
    assert_int_equal(XEN_VGCF_ONLINE, VGCF_online);
    assert_int_equal(XEN_DOMINF_DYING, XEN_DOMINF_dying);
    assert_int_equal(XEN_DOMINF_HVM, XEN_DOMINF_hvm_guest);
    assert_int_equal(XEN_DOMINF_SHUTDOWN, XEN_DOMINF_shutdown);
    assert_int_equal(XEN_DOMINF_PAUSED, XEN_DOMINF_paused);
    assert_int_equal(XEN_DOMINF_BLOCKED, XEN_DOMINF_blocked);
    assert_int_equal(XEN_DOMINF_RUNNING, XEN_DOMINF_running);
    assert_int_equal(XEN_DOMINF_XS_DOMAIN, XEN_DOMINF_xs_domain);
    assert_int_equal(XEN_DOMINF_HAP, XEN_DOMINF_hap);
    assert_int_equal(XEN_DOMINF_REASON_LOW, XEN_DOMINF_shutdownshift);
    assert_int_equal(XEN_AFFINITY_HARD, XEN_VCPUAFFINITY_HARD);
    assert_int_equal(XEN_AFFINITY_SOFT, XEN_VCPUAFFINITY_SOFT);
    assert_int_equal(XEN_AFFINITY_FORCE, XEN_VCPUAFFINITY_FORCE);
    assert_int_equal(XEN_TRIGGER_RESET, XEN_DOMCTL_SENDTRIGGER_RESET);
    assert_int_equal(XEN_TRIGGER_POWER, XEN_DOMCTL_SENDTRIGGER_POWER);
    assert_int_equal(XEN_SCHEDOP_PUTINFO, XEN_DOMCTL_SCHEDOP_putinfo);
    assert_int_equal(XEN_SCHEDOP_GETINFO, XEN_DOMCTL_SCHEDOP_getinfo);
    assert_int_equal(XEN_SCHEDOP_PUTVCPUINFO, XEN_DOMCTL_SCHEDOP_putvcpuinfo);
    assert_int_equal(XEN_SCHEDOP_GETVCPUINFO, XEN_DOMCTL_SCHEDOP_getvcpuinfo);
    assert_int_equal(XEN_SCHEDRT_EXTRA, XEN_DOMCTL_SCHEDRT_extra);
    assert_int_equal(XEN_SCHEDOP_PUTINFO, XEN_SYSCTL_SCHEDOP_putinfo);
    assert_int_equal(XEN_SCHEDOP_GETINFO, XEN_SYSCTL_SCHEDOP_getinfo);
    assert_int_equal(XEN_PHYSCAP_DIRECTIO, XEN_SYSCTL_PHYSCAP_directio);
    assert_int_equal(XEN_PHYSCAP_HVM, XEN_SYSCTL_PHYSCAP_hvm);
    assert_int_equal(XEN_PHYSCAP_HAP, XEN_SYSCTL_PHYSCAP_hap);
    assert_int_equal(XEN_PHYSCAP_GNTTAB_V1, XEN_SYSCTL_PHYSCAP_gnttab_v1);
    assert_int_equal(XEN_PHYSCAP_GNTTAB_V2, XEN_SYSCTL_PHYSCAP_gnttab_v2);
    assert_int_equal(XEN_CPUPOOL_OP_CREATE, XEN_SYSCTL_CPUPOOL_OP_CREATE);
    assert_int_equal(XEN_CPUPOOL_OP_DESTROY, XEN_SYSCTL_CPUPOOL_OP_DESTROY);
    assert_int_equal(XEN_CPUPOOL_OP_INFO, XEN_SYSCTL_CPUPOOL_OP_INFO);
    assert_int_equal(XEN_CPUPOOL_OP_ADDCPU, XEN_SYSCTL_CPUPOOL_OP_ADDCPU);
    assert_int_equal(XEN_CPUPOOL_OP_RMCPU, XEN_SYSCTL_CPUPOOL_OP_RMCPU);
    assert_int_equal(XEN_CPUPOOL_OP_MOVEDOMAIN, XEN_SYSCTL_CPUPOOL_OP_MOVEDOMAIN);
    assert_int_equal(XEN_CPUPOOL_OP_FREEINFO, XEN_SYSCTL_CPUPOOL_OP_FREEINFO);
    assert_int_equal(XEN_CPUPOOL_ANY, XEN_SYSCTL_CPUPOOL_PAR_ANY);
    assert_int_equal(XEN_ARINC653_ENTRIES, ARINC653_MAX_DOMAINS_PER_SCHEDULE);
}

static void of_a_domain(void **state)
{
    (void)state;
    SIZE(xen_domaininfo, struct xen_domctl_getdomaininfo);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, domain);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, flags);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, tot_pages);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, max_pages);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, outstanding_pages);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, shr_pages);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, paged_pages);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, shared_info_frame);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, cpu_time);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, nr_online_vcpus);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, max_vcpu_id);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, ssidref);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, handle);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, cpupool);
    SAME_NAME(xen_domaininfo, struct xen_domctl_getdomaininfo, gpaddr_bits);
    SAME(xen_domaininfo, gic_version, struct xen_domctl_getdomaininfo, arch_config.gic_version);
    SAME(xen_domaininfo, sve_vl, struct xen_domctl_getdomaininfo, arch_config.sve_vl);
    SAME(xen_domaininfo, tee_type, struct xen_domctl_getdomaininfo, arch_config.tee_type);
    SAME(xen_domaininfo, nr_spis, struct xen_domctl_getdomaininfo, arch_config.nr_spis);
    SAME(xen_domaininfo, clock_frequency, struct xen_domctl_getdomaininfo, arch_config.clock_frequency);
}

static void domctl(void **state)
{
    (void)state;
    SIZE(ours_domctl, struct xen_domctl);
    SAME_NAME(ours_domctl, struct xen_domctl, cmd);
    SAME_NAME(ours_domctl, struct xen_domctl, interface_version);
    SAME_NAME(ours_domctl, struct xen_domctl, domain);
    SAME_NAME(ours_domctl, struct xen_domctl, u);
    SAME(ours_domctl, u.info, struct xen_domctl, u.getdomaininfo);
    SAME(ours_domctl, u.max_mem.kib, struct xen_domctl, u.max_mem.max_memkb);
    SAME(ours_domctl, u.handle, struct xen_domctl, u.setdomainhandle.handle);
    SAME(ours_domctl, u.nodes, struct xen_domctl, u.nodeaffinity.nodemap);
    SAME(ours_domctl, u.iomem.mfn, struct xen_domctl, u.iomem_permission.first_mfn);
    SAME(ours_domctl, u.iomem.nr, struct xen_domctl, u.iomem_permission.nr_mfns);
    SAME(ours_domctl, u.iomem.allow, struct xen_domctl, u.iomem_permission.allow_access);
    SAME(ours_domctl, u.irq.irq, struct xen_domctl, u.irq_permission.pirq);
    SAME(ours_domctl, u.irq.allow, struct xen_domctl, u.irq_permission.allow_access);
    SAME(ours_domctl, u.mapping.gfn, struct xen_domctl, u.memory_mapping.first_gfn);
    SAME(ours_domctl, u.mapping.mfn, struct xen_domctl, u.memory_mapping.first_mfn);
    SAME(ours_domctl, u.mapping.nr, struct xen_domctl, u.memory_mapping.nr_mfns);
    SAME(ours_domctl, u.mapping.add, struct xen_domctl, u.memory_mapping.add_mapping);
    SAME(ours_domctl, u.vuart_op.cmd, struct xen_domctl, u.vuart_op.cmd);
    SAME(ours_domctl, u.vuart_op.type, struct xen_domctl, u.vuart_op.type);
    SAME(ours_domctl, u.vuart_op.gfn, struct xen_domctl, u.vuart_op.gfn);
    SAME(ours_domctl, u.vuart_op.console_domid, struct xen_domctl, u.vuart_op.console_domid);
    SAME(ours_domctl, u.vuart_op.evtchn, struct xen_domctl, u.vuart_op.evtchn);
    SAME(ours_domctl, u.pt_irq.machine_irq, struct xen_domctl, u.bind_pt_irq.machine_irq);
    SAME(ours_domctl, u.pt_irq.type, struct xen_domctl, u.bind_pt_irq.irq_type);
    SAME(ours_domctl, u.pt_irq.spi, struct xen_domctl, u.bind_pt_irq.u.spi.spi);
    SAME(ours_domctl, u.device.kind, struct xen_domctl, u.assign_device.dev);
    SAME(ours_domctl, u.device.flags, struct xen_domctl, u.assign_device.flags);
    SAME(ours_domctl, u.device.bytes, struct xen_domctl, u.assign_device.u.dt.size);
    SAME(ours_domctl, u.device.path, struct xen_domctl, u.assign_device.u.dt.path);
    SAME(ours_domctl, u.room, struct xen_domctl, u.pad);
    assert_int_equal(sizeof(((struct ours_domctl *)NULL)->u.vcpuinfo), sizeof(struct xen_domctl_getvcpuinfo));
    SAME(ours_domctl, u.vcpuinfo.vcpu, struct xen_domctl, u.getvcpuinfo.vcpu);
    SAME(ours_domctl, u.vcpuinfo.online, struct xen_domctl, u.getvcpuinfo.online);
    SAME(ours_domctl, u.vcpuinfo.blocked, struct xen_domctl, u.getvcpuinfo.blocked);
    SAME(ours_domctl, u.vcpuinfo.running, struct xen_domctl, u.getvcpuinfo.running);
    SAME(ours_domctl, u.vcpuinfo.cpu_time, struct xen_domctl, u.getvcpuinfo.cpu_time);
    SAME(ours_domctl, u.vcpuinfo.cpu, struct xen_domctl, u.getvcpuinfo.cpu);
    assert_int_equal(sizeof(((struct ours_domctl *)NULL)->u.affinity),
                     sizeof(struct xen_domctl_vcpuaffinity));
    SAME(ours_domctl, u.affinity.vcpu, struct xen_domctl, u.vcpuaffinity.vcpu);
    SAME(ours_domctl, u.affinity.flags, struct xen_domctl, u.vcpuaffinity.flags);
    SAME(ours_domctl, u.affinity.hard, struct xen_domctl, u.vcpuaffinity.cpumap_hard);
    SAME(ours_domctl, u.affinity.soft, struct xen_domctl, u.vcpuaffinity.cpumap_soft);
    SAME(ours_domctl, u.scheduler.sched_id, struct xen_domctl, u.scheduler_op.sched_id);
    SAME(ours_domctl, u.scheduler.cmd, struct xen_domctl, u.scheduler_op.cmd);
    SAME(ours_domctl, u.scheduler.weight, struct xen_domctl, u.scheduler_op.u.credit.weight);
    SAME(ours_domctl, u.scheduler.cap, struct xen_domctl, u.scheduler_op.u.credit.cap);
    SAME(ours_domctl, u.scheduler.weight, struct xen_domctl, u.scheduler_op.u.credit2.weight);
    SAME(ours_domctl, u.scheduler.cap, struct xen_domctl, u.scheduler_op.u.credit2.cap);
    assert_int_equal(offsetof(struct ours_domctl, u.sched_rt.head),
                     offsetof(struct xen_domctl, u.scheduler_op));
    SAME(ours_domctl, u.sched_rt.rt, struct xen_domctl, u.scheduler_op.u.rtds);
    SAME(ours_domctl, u.sched_vcpus.vcpus, struct xen_domctl, u.scheduler_op.u.v.vcpus);
    SAME(ours_domctl, u.sched_vcpus.nr_vcpus, struct xen_domctl, u.scheduler_op.u.v.nr_vcpus);
    SIZE(xen_sched_rt, struct xen_domctl_sched_rtds);
    SAME_NAME(xen_sched_rt, struct xen_domctl_sched_rtds, period);
    SAME_NAME(xen_sched_rt, struct xen_domctl_sched_rtds, budget);
    SAME_NAME(xen_sched_rt, struct xen_domctl_sched_rtds, flags);
    SIZE(xen_sched_vcpu, struct xen_domctl_schedparam_vcpu);
    SAME(xen_sched_vcpu, rt, struct xen_domctl_schedparam_vcpu, u.rtds);
    SAME_NAME(xen_sched_vcpu, struct xen_domctl_schedparam_vcpu, vcpuid);
    SAME(ours_domctl, u.trigger.trigger, struct xen_domctl, u.sendtrigger.trigger);
    SAME(ours_domctl, u.trigger.vcpu, struct xen_domctl, u.sendtrigger.vcpu);
    SAME(ours_domctl, u.time_offset.seconds, struct xen_domctl, u.settimeoffset.time_offset_seconds);
    SIZE(xen_bitmap, struct xenctl_bitmap);
    SAME_NAME(xen_bitmap, struct xenctl_bitmap, bitmap);
    SAME_NAME(xen_bitmap, struct xenctl_bitmap, nr_bits);
}

/* What a domain is made of */
static void created(void **state)
{
    (void)state;
    SIZE(xen_createdomain, struct xen_domctl_createdomain);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, ssidref);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, handle);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, flags);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, iommu_opts);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, max_vcpus);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, max_evtchn_port);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, max_grant_frames);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, max_maptrack_frames);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, grant_opts);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, altp2m_opts);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, vmtrace_size);
    SAME_NAME(xen_createdomain, struct xen_domctl_createdomain, cpupool_id);
    SAME(xen_createdomain, gic_version, struct xen_domctl_createdomain, arch.gic_version);
    SAME(xen_createdomain, sve_vl, struct xen_domctl_createdomain, arch.sve_vl);
    SAME(xen_createdomain, tee_type, struct xen_domctl_createdomain, arch.tee_type);
    SAME(xen_createdomain, nr_spis, struct xen_domctl_createdomain, arch.nr_spis);
    SAME(xen_createdomain, clock_frequency, struct xen_domctl_createdomain, arch.clock_frequency);
    SIZE(xen_vcpu_context, struct vcpu_guest_context);
    SAME_NAME(xen_vcpu_context, struct vcpu_guest_context, flags);
    SAME(xen_vcpu_context, x[0], struct vcpu_guest_context, user_regs.x0);
    SAME(xen_vcpu_context, x[30], struct vcpu_guest_context, user_regs.x30);
    SAME(xen_vcpu_context, pc, struct vcpu_guest_context, user_regs.pc64);
    SAME(xen_vcpu_context, cpsr, struct vcpu_guest_context, user_regs.cpsr);
    SAME(xen_vcpu_context, spsr_el1, struct vcpu_guest_context, user_regs.spsr_el1);
    SAME(xen_vcpu_context, spsr_banked[0], struct vcpu_guest_context, user_regs.spsr_fiq);
    SAME(xen_vcpu_context, spsr_banked[3], struct vcpu_guest_context, user_regs.spsr_abt);
    SAME(xen_vcpu_context, sp_el0, struct vcpu_guest_context, user_regs.sp_el0);
    SAME(xen_vcpu_context, sp_el1, struct vcpu_guest_context, user_regs.sp_el1);
    SAME(xen_vcpu_context, elr_el1, struct vcpu_guest_context, user_regs.elr_el1);
    SAME_NAME(xen_vcpu_context, struct vcpu_guest_context, sctlr);
    SAME(xen_vcpu_context, tcr, struct vcpu_guest_context, ttbcr);
    SAME_NAME(xen_vcpu_context, struct vcpu_guest_context, ttbr0);
    SAME_NAME(xen_vcpu_context, struct vcpu_guest_context, ttbr1);
    SAME(ours_domctl, u.create, struct xen_domctl, u.createdomain);
    SAME(ours_domctl, u.vcpucontext.vcpu, struct xen_domctl, u.vcpucontext.vcpu);
    SAME(ours_domctl, u.vcpucontext.context, struct xen_domctl, u.vcpucontext.ctxt);
    SAME(ours_domctl, u.max_vcpus, struct xen_domctl, u.max_vcpus.max);
    SAME(ours_domctl, u.mempool_bytes, struct xen_domctl, u.paging_mempool.size);
    SAME(ours_domctl, u.address_bits, struct xen_domctl, u.address_size.size);
    SAME(ours_domctl, u.cacheflush.start_pfn, struct xen_domctl, u.cacheflush.start_pfn);
    SAME(ours_domctl, u.cacheflush.nr_pfns, struct xen_domctl, u.cacheflush.nr_pfns);
}

static void of_the_host(void **state)
{
    (void)state;
    SIZE(xen_physinfo, struct xen_sysctl_physinfo);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, threads_per_core);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, cores_per_socket);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, nr_cpus);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, max_cpu_id);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, nr_nodes);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, max_node_id);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, cpu_khz);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, capabilities);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, arch_capabilities);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, total_pages);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, free_pages);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, scrub_pages);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, outstanding_pages);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, max_mfn);
    SAME_NAME(xen_physinfo, struct xen_sysctl_physinfo, hw_cap);
    SIZE(xen_cputopo, struct xen_sysctl_cputopo);
    SAME_NAME(xen_cputopo, struct xen_sysctl_cputopo, socket);
    SAME_NAME(xen_cputopo, struct xen_sysctl_cputopo, node);
    SIZE(xen_meminfo, struct xen_sysctl_meminfo);
    SAME_NAME(xen_meminfo, struct xen_sysctl_meminfo, memfree);
}

static void sysctl(void **state)
{
    (void)state;
    SIZE(ours_sysctl, struct xen_sysctl);
    SAME_NAME(ours_sysctl, struct xen_sysctl, cmd);
    SAME_NAME(ours_sysctl, struct xen_sysctl, interface_version);
    SAME_NAME(ours_sysctl, struct xen_sysctl, u);
    SAME(ours_sysctl, u.physinfo, struct xen_sysctl, u.physinfo);
    SAME(ours_sysctl, u.sched_id, struct xen_sysctl, u.sched_id.sched_id);
    SAME(ours_sysctl, u.room, struct xen_sysctl, u.pad);
    SAME(ours_sysctl, u.list.first_domain, struct xen_sysctl, u.getdomaininfolist.first_domain);
    SAME(ours_sysctl, u.list.max_domains, struct xen_sysctl, u.getdomaininfolist.max_domains);
    SAME(ours_sysctl, u.list.buffer, struct xen_sysctl, u.getdomaininfolist.buffer);
    SAME(ours_sysctl, u.list.num_domains, struct xen_sysctl, u.getdomaininfolist.num_domains);
    SAME(ours_sysctl, u.topology.nr, struct xen_sysctl, u.cputopoinfo.num_cpus);
    SAME(ours_sysctl, u.topology.at, struct xen_sysctl, u.cputopoinfo.cputopo);
    SAME(ours_sysctl, u.topology.nr, struct xen_sysctl, u.numainfo.num_nodes);
    SAME(ours_sysctl, u.topology.at, struct xen_sysctl, u.numainfo.meminfo);
    SAME(ours_sysctl, u.topology.distance, struct xen_sysctl, u.numainfo.distance);
    SAME(ours_sysctl, u.cpupool.op, struct xen_sysctl, u.cpupool_op.op);
    SAME(ours_sysctl, u.cpupool.cpupool_id, struct xen_sysctl, u.cpupool_op.cpupool_id);
    SAME(ours_sysctl, u.cpupool.sched_id, struct xen_sysctl, u.cpupool_op.sched_id);
    SAME(ours_sysctl, u.cpupool.domid, struct xen_sysctl, u.cpupool_op.domid);
    SAME(ours_sysctl, u.cpupool.cpu, struct xen_sysctl, u.cpupool_op.cpu);
    SAME(ours_sysctl, u.cpupool.n_dom, struct xen_sysctl, u.cpupool_op.n_dom);
    SAME(ours_sysctl, u.cpupool.cpumap, struct xen_sysctl, u.cpupool_op.cpumap);
    SAME(ours_sysctl, u.readconsole.clear, struct xen_sysctl, u.readconsole.clear);
    SAME(ours_sysctl, u.readconsole.incremental, struct xen_sysctl, u.readconsole.incremental);
    SAME(ours_sysctl, u.readconsole.index, struct xen_sysctl, u.readconsole.index);
    SAME(ours_sysctl, u.readconsole.buffer, struct xen_sysctl, u.readconsole.buffer);
    SAME(ours_sysctl, u.readconsole.count, struct xen_sysctl, u.readconsole.count);
    SAME(ours_sysctl, u.debug_keys.keys, struct xen_sysctl, u.debug_keys.keys);
    SAME(ours_sysctl, u.debug_keys.nr_keys, struct xen_sysctl, u.debug_keys.nr_keys);
    SAME(ours_sysctl, u.cpuinfo.max_cpus, struct xen_sysctl, u.getcpuinfo.max_cpus);
    SAME(ours_sysctl, u.cpuinfo.info, struct xen_sysctl, u.getcpuinfo.info);
    SAME(ours_sysctl, u.cpuinfo.nr_cpus, struct xen_sysctl, u.getcpuinfo.nr_cpus);
    SAME(ours_sysctl, u.availheap.min_bitwidth, struct xen_sysctl, u.availheap.min_bitwidth);
    SAME(ours_sysctl, u.availheap.max_bitwidth, struct xen_sysctl, u.availheap.max_bitwidth);
    SAME(ours_sysctl, u.availheap.node, struct xen_sysctl, u.availheap.node);
    SAME(ours_sysctl, u.availheap.avail_bytes, struct xen_sysctl, u.availheap.avail_bytes);
    SAME(ours_sysctl, u.scheduler.cpupool_id, struct xen_sysctl, u.scheduler_op.cpupool_id);
    SAME(ours_sysctl, u.scheduler.sched_id, struct xen_sysctl, u.scheduler_op.sched_id);
    SAME(ours_sysctl, u.scheduler.cmd, struct xen_sysctl, u.scheduler_op.cmd);
    SAME(ours_sysctl, u.scheduler.of.credit, struct xen_sysctl, u.scheduler_op.u.sched_credit);
    SAME(ours_sysctl, u.scheduler.of.credit.tslice_ms, struct xen_sysctl,
         u.scheduler_op.u.sched_credit.tslice_ms);
    SAME(ours_sysctl, u.scheduler.of.credit.ratelimit_us, struct xen_sysctl,
         u.scheduler_op.u.sched_credit.ratelimit_us);
    SAME(ours_sysctl, u.scheduler.of.credit.vcpu_migr_delay_us, struct xen_sysctl,
         u.scheduler_op.u.sched_credit.vcpu_migr_delay_us);
    SAME(ours_sysctl, u.scheduler.of.credit2_ratelimit_us, struct xen_sysctl,
         u.scheduler_op.u.sched_credit2.ratelimit_us);
    SAME(ours_sysctl, u.scheduler.of.schedule, struct xen_sysctl, u.scheduler_op.u.sched_arinc653.schedule);
    SIZE(xen_arinc653_schedule, struct xen_sysctl_arinc653_schedule);
    SAME_NAME(xen_arinc653_schedule, struct xen_sysctl_arinc653_schedule, major_frame);
    SAME_NAME(xen_arinc653_schedule, struct xen_sysctl_arinc653_schedule, num_sched_entries);
    SAME_NAME(xen_arinc653_schedule, struct xen_sysctl_arinc653_schedule, sched_entries);
    assert_int_equal(sizeof(struct xen_arinc653_entry),
                     sizeof(((struct xen_sysctl_arinc653_schedule *)NULL)->sched_entries[0]));
    SAME(xen_arinc653_schedule, sched_entries[1].dom_handle, struct xen_sysctl_arinc653_schedule,
         sched_entries[1].dom_handle);
    assert_int_equal(offsetof(struct xen_arinc653_entry, vcpu_id),
                     offsetof(struct xen_sysctl_arinc653_schedule, sched_entries[0].vcpu_id) - 16u);
    assert_int_equal(offsetof(struct xen_arinc653_entry, runtime),
                     offsetof(struct xen_sysctl_arinc653_schedule, sched_entries[0].runtime) - 16u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers), cmocka_unit_test(flags),       cmocka_unit_test(of_a_domain),
        cmocka_unit_test(domctl),  cmocka_unit_test(of_the_host), cmocka_unit_test(created),
        cmocka_unit_test(sysctl),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
