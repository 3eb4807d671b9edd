/* Functions of PCI devices through memory-mapped configuration space: PCI Local Bus 3.0, PCI Express Base
 * 4.0. No knowledge of domains. The caller lets one CPU at a time have a function. */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "hal/types.h"

#define PCI_BARS         6u
#define PCI_CONFIG_BYTES 4096u /* of one function */
#define PCI_BUS_BYTES    0x100000u

#define PCI_VENDOR       0x00u
#define PCI_COMMAND      0x04u
#define PCI_CLASS        0x08u
#define PCI_HEADER       0x0Cu
#define PCI_BAR          0x10u
#define PCI_SUBSYSTEM    0x2Cu
#define PCI_CAPABILITIES 0x34u
#define PCI_INTERRUPT    0x3Cu

#define PCI_COMMAND_MEMORY   0x0002u
#define PCI_COMMAND_MASTER   0x0004u
#define PCI_COMMAND_INTX_OFF 0x0400u

#define PCI_CAP_VENDOR  0x09u
#define PCI_CAP_EXPRESS 0x10u

/* Flags of a memory BAR */
#define PCI_BAR_64   0x4u
#define PCI_BAR_HIGH 0xCu /* prefetchable too: a bridge passes it above 4 GiB */

struct pci_bar {
    uint64_t bytes; /* whole pages; 0: no memory, or the upper half of the one before */
    hpa_t host;     /* where the hypervisor has put it */
    uint64_t bus;   /* the same as the bus says it */
    uint32_t flags; /* the low four bits as the device shows them */
};

struct pci_function {
    volatile uint8_t *config; /* NULL: it is not there */
    struct pci_bar bar[PCI_BARS];
};

/* What is left of a host bridge's window */
struct pci_room {
    uint64_t next; /* host */
    uint64_t end;
    uint64_t to_bus; /* to be added; may wrap */
};

enum pci_window { PCI_WINDOW_32, PCI_WINDOW_64, PCI_WINDOWS };

uint32_t pci_read(const volatile uint8_t *config, uint32_t reg);
void pci_write(volatile uint8_t *config, uint32_t reg, uint32_t value);
void pci_command(volatile uint8_t *config, uint32_t bits);
bool pci_is_there(const volatile uint8_t *config);

/* Offset of the capability that follows the one at `after` (0: the first); 0 if there is none. Devices may
 * err: ask PCI_CAPABILITIES_MAX times at most. */
#define PCI_CAPABILITIES_MAX 48u
uint32_t pci_next(const volatile uint8_t *config, uint32_t after);

/* Neither DMA nor memory nor interrupts, its own or of what it could make appear (SR-IOV): as after power-on.
 * Its BARs are set again to where they were placed. */
void pci_quiet(const struct pci_function *f);

/* Measures the BARs and gives them places, a page or more each. False: no room. The function is quiet. */
bool pci_place(struct pci_function *f, struct pci_room room[PCI_WINDOWS]);

/* Opens a bridge to one bus behind it, and to the memory that was taken from room since `from`, both MiB
 * multiples. */
void pci_bridge_open(volatile uint8_t *config, uint32_t primary, uint32_t secondary,
                     const struct pci_room from[PCI_WINDOWS], const struct pci_room room[PCI_WINDOWS]);

/* Begins a reset of the function. False: it has none. For 100 ms from then on it must be left alone, and be
 * made quiet then. */
bool pci_reset(const struct pci_function *f);
/* Whether requests of its own wait for an answer. */
bool pci_pending(const struct pci_function *f);

#endif
