/* [impl->req~pci-functions~1] */
#include "drivers/pci.h"

#include "hal/mmio.h"

#define CAP_MSI  0x05u
#define CAP_MSIX 0x11u

#define EXT_FIRST 0x100u
#define EXT_MAX   960u /* as many as fit */
#define EXT_ATS   0x0Fu
#define EXT_SRIOV 0x10u
#define EXT_PRI   0x13u
#define EXT_PASID 0x1Bu

#define EXPRESS_DEVCAP  0x04u
#define EXPRESS_DEVCTL  0x08u
#define DEVCAP_FLR      BIT32(28)
#define DEVCTL_FLR      BIT32(15)
#define DEVSTA_PENDING  BIT32(21) /* in the word with the control register */
#define DEVCTL_MASK     0xFFFFu   /* the status above it is cleared by ones */
#define STATUS_HAS_CAPS BIT32(20)

#define BAR_IO        1u
#define BAR_TYPE_MASK 6u
#define BAR_FLAGS     15u
#define ONES          0xFFFFFFFFu

#define BRIDGE_EMPTY      0x0000FFF0u
#define BRIDGE_BUSES      0x18u
#define BRIDGE_MEMORY     0x20u
#define BRIDGE_PREFETCH   0x24u
#define BRIDGE_BASE_HIGH  0x28u
#define BRIDGE_LIMIT_HIGH 0x2Cu

uint32_t pci_read(const volatile uint8_t *config, uint32_t reg)
{
    return hal_mmio_read32(&config[reg]);
}

void pci_write(volatile uint8_t *config, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&config[reg], value);
}

/* Half of the word: ones in the other half would clear its status. */
void pci_command(volatile uint8_t *config, uint32_t bits)
{
    hal_mmio_write16(&config[PCI_COMMAND], (uint16_t)bits);
}

bool pci_is_there(const volatile uint8_t *config)
{
    return (pci_read(config, PCI_VENDOR) & 0xFFFFu) != 0xFFFFu;
}

uint32_t pci_next(const volatile uint8_t *config, uint32_t after)
{
    const bool has = (after != 0u) || ((pci_read(config, PCI_COMMAND) & STATUS_HAS_CAPS) != 0u);
    const uint32_t word = has ? pci_read(config, (after != 0u) ? after : PCI_CAPABILITIES) : 0u;
    const uint32_t next = ((after != 0u) ? (word >> 8u) : word) & 0xFCu;

    return (next >= 0x40u) ? next : 0u;
}

static uint32_t find(const volatile uint8_t *config, uint32_t id)
{
    uint32_t at = pci_next(config, 0u);

    for (uint32_t i = 0; (i < PCI_CAPABILITIES_MAX) && (at != 0u) && ((pci_read(config, at) & 0xFFu) != id);
         i++) {
        at = pci_next(config, at);
    }
    return ((at != 0u) && ((pci_read(config, at) & 0xFFu) == id)) ? at : 0u;
}

/* What could make it send anything beside plain DMA of its own. */
static void extended_off(volatile uint8_t *config)
{
    uint32_t at = EXT_FIRST;

    for (uint32_t i = 0; (i < EXT_MAX) && (at >= EXT_FIRST); i++) {
        const uint32_t header = pci_read(config, at);
        const uint32_t id = header & 0xFFFFu;

        if (header == ONES) {
            return;
        }
        if ((id == EXT_SRIOV) && (at <= (PCI_CONFIG_BYTES - 12u))) {
            hal_mmio_write16(&config[at + 8u], 0u);
        } else if ((id == EXT_ATS) || (id == EXT_PASID)) {
            hal_mmio_write16(&config[at + 6u], 0u);
        } else if (id == EXT_PRI) {
            hal_mmio_write16(&config[at + 4u], 0u);
        } else {
            /* harmless */
        }
        at = (header >> 20u) & 0xFFCu;
    }
}

void pci_quiet(const struct pci_function *f)
{
    volatile uint8_t *const config = f->config;
    const uint32_t msi = find(config, CAP_MSI);
    const uint32_t msix = find(config, CAP_MSIX);

    pci_command(config, PCI_COMMAND_INTX_OFF);
    if (msi != 0u) {
        hal_mmio_write16(&config[msi + 2u], 0u);
    }
    if (msix != 0u) {
        hal_mmio_write16(&config[msix + 2u], 0u);
    }
    if (find(config, PCI_CAP_EXPRESS) != 0u) {
        extended_off(config);
    }
    for (uint32_t i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *const bar = &f->bar[i];

        if (bar->bytes > 0u) {
            pci_write(config, PCI_BAR + (4u * i), (uint32_t)bar->bus);
            if ((bar->flags & PCI_BAR_64) != 0u) {
                pci_write(config, PCI_BAR + (4u * (i + 1u)), (uint32_t)(bar->bus >> 32u));
            }
        }
    }
}

/* PCI Local Bus 3.0, 6.2.5.1. True: the next BAR is the upper half of this one. */
static bool measure(struct pci_function *f, uint32_t i)
{
    struct pci_bar *const bar = &f->bar[i];
    const uint32_t reg = PCI_BAR + (4u * i);
    uint64_t mask = 0;
    bool is_64 = false;

    pci_write(f->config, reg, ONES);
    const uint32_t low = pci_read(f->config, reg);

    bar->bytes = 0u;
    bar->flags = low & BAR_FLAGS;
    if ((low != 0u) && ((low & BAR_IO) == 0u)) {
        is_64 = ((low & BAR_TYPE_MASK) == PCI_BAR_64) && (i < (PCI_BARS - 1u));
        bar->flags &= is_64 ? BAR_FLAGS : ~PCI_BAR_64;
        mask = low & ~BAR_FLAGS;
        if (is_64) {
            pci_write(f->config, reg + 4u, ONES);
            mask |= (uint64_t)pci_read(f->config, reg + 4u) << 32u;
        } else {
            mask |= GENMASK64(63u, 32u);
        }
        bar->bytes = bits_align_up(~mask + 1u, PAGE_BYTES);
    }
    pci_write(f->config, reg, 0u);
    return is_64;
}

static bool place(struct pci_bar *bar, struct pci_room room[PCI_WINDOWS])
{
    const bool high = ((bar->flags & PCI_BAR_HIGH) == PCI_BAR_HIGH) && (room[PCI_WINDOW_64].end != 0u);
    struct pci_room *const from = &room[high ? PCI_WINDOW_64 : PCI_WINDOW_32];
    const uint64_t at = bits_align_up(from->next + from->to_bus, bar->bytes) - from->to_bus;
    const bool fits = (at >= from->next) && (at <= from->end) && (bar->bytes <= (from->end - at));

    if (fits) {
        bar->host = hpa(at);
        bar->bus = at + from->to_bus;
        from->next = at + bar->bytes;
    }
    return fits;
}

bool pci_place(struct pci_function *f, struct pci_room room[PCI_WINDOWS])
{
    bool good = true;
    bool upper = false;

    for (uint32_t i = 0; i < PCI_BARS; i++) {
        struct pci_bar *const bar = &f->bar[i];

        if (upper) {
            bar->bytes = 0u;
            upper = false;
        } else {
            upper = measure(f, i);
            good = ((bar->bytes == 0u) || place(bar, room)) && good;
        }
    }
    return good;
}

/* Base and limit of a window, of MiB each; an empty one has its base above its limit. */
static uint32_t window(const struct pci_room *from, const struct pci_room *to)
{
    const uint64_t first = from->next + from->to_bus;
    const uint64_t last = (to->next + to->to_bus) - 1u;

    return (from->next == to->next) ? BRIDGE_EMPTY
                                    : (((uint32_t)(first >> 16u) & 0xFFF0u) | ((uint32_t)last & 0xFFF00000u));
}

void pci_bridge_open(volatile uint8_t *config, uint32_t primary, uint32_t secondary,
                     const struct pci_room from[PCI_WINDOWS], const struct pci_room room[PCI_WINDOWS])
{
    const struct pci_room *const high = &from[PCI_WINDOW_64];
    const struct pci_room *const high_end = &room[PCI_WINDOW_64];

    pci_write(config, BRIDGE_BUSES, primary | (secondary << 8u) | (secondary << 16u));
    pci_write(config, BRIDGE_MEMORY, window(&from[PCI_WINDOW_32], &room[PCI_WINDOW_32]));
    pci_write(config, BRIDGE_PREFETCH, window(high, high_end));
    pci_write(config, BRIDGE_BASE_HIGH, (uint32_t)((high->next + high->to_bus) >> 32u));
    pci_write(config, BRIDGE_LIMIT_HIGH, (uint32_t)(((high_end->next + high_end->to_bus) - 1u) >> 32u));
    pci_command(config, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

bool pci_reset(const struct pci_function *f)
{
    const uint32_t express = find(f->config, PCI_CAP_EXPRESS);
    const bool can = (express != 0u) && ((pci_read(f->config, express + EXPRESS_DEVCAP) & DEVCAP_FLR) != 0u);

    if (can) {
        const uint32_t control = pci_read(f->config, express + EXPRESS_DEVCTL) & DEVCTL_MASK;

        hal_mmio_write16(&f->config[express + EXPRESS_DEVCTL], (uint16_t)(control | DEVCTL_FLR));
    }
    return can;
}

bool pci_pending(const struct pci_function *f)
{
    const uint32_t express = find(f->config, PCI_CAP_EXPRESS);

    return (express != 0u) && ((pci_read(f->config, express + EXPRESS_DEVCTL) & DEVSTA_PENDING) != 0u);
}
