/* A domain's PCI bus: the functions of real devices that it was given, one a device, in configuration space
 * that is emulated (ECAM). The guest sees what a driver needs and places the BARs where it likes in its own
 * windows; what it does there moves nothing on the host's bus. */
#ifndef VDEV_VPCI_H
#define VDEV_VPCI_H

#include "domain/domain.h"
#include "drivers/pci.h"

#define VPCI_FUNCTIONS_MAX 16u
#define VPCI_ECAM_BYTES    PCI_BUS_BYTES
#define VPCI_CAPS_MAX      8u

struct vpci_cap {
    uint32_t at;
    uint32_t bytes;
};

struct vpci_function {
    struct pci_function hw;
    bool has_pin;
    uint32_t command;                   /* what the guest may set of it, as it did */
    uint32_t interrupt;                 /* a byte that means nothing */
    uint32_t bar[PCI_BARS];             /* as the guest reads them */
    uint64_t mapped[PCI_BARS];          /* where in its map; 0 = not there */
    struct vpci_cap cap[VPCI_CAPS_MAX]; /* those that it sees, in the chain's order */
    uint32_t nr_caps;
};

struct vpci {
    struct domain *domain;
    struct vpci_function *function; /* [slot] */
    uint32_t nr;
    struct hal_guest_bank memory[PCI_WINDOWS]; /* where BARs may be; bus addresses are physical ones */
};

/* As after a reset, with BARs that have a place; the functions are there and quiet. HV_LIMIT, HV_EXISTS. */
HV_MUST_CHECK enum hv_status vpci_attach(struct vpci *pci, struct domain *domain,
                                         const struct hal_guest_layout *layout);
/* The domain runs: its functions answer. Any context. */
void vpci_begin(struct vpci *pci);

#endif
