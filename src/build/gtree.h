/* The device tree that a guest is given, written with libfdt. Pure but for the port's nodes (hal/vplat.h). */
#ifndef BUILD_GTREE_H
#define BUILD_GTREE_H

#include "domain/domain.h"

struct gtree_input {
    const struct domain *domain; /* hal_domain_init() done */
    gpa_t ramdisk;
    uint64_t ramdisk_bytes; /* 0 = none */
};

/* HV_NO_MEMORY: it does not fit into buf; *bytes is its size else. */
HV_MUST_CHECK enum hv_status gtree_write(const struct gtree_input *in, void *buf, uint32_t buf_bytes,
                                         uint32_t *bytes);

#endif
