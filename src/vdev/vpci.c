/* [impl->req~pci-functions~1] [impl->req~pci-hostile~1] */
#include "vdev/vpci.h"

#include "hal/mmio.h"
#include "lib/string.h"

#define SLOT_SHIFT     15u /* ECAM: device number; the function's is 0 */
#define FUNCTION_MASK  0x7000u
#define REG_MASK       0xFFFu
#define ONES           0xFFFFFFFFu
#define MAY_SET        (PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF)
#define STATUS_MASK    0xFFEF0000u
#define STATUS_CAPS    0x00100000u
#define HEADER_MASK    0x007F0000u /* one function a device; no cache line, latency or self test */
#define PIN_MASK       0x0000FF00u
#define LINE_MASK      0x000000FFu
#define EXPRESS_BYTES  0x3Cu
#define EXPRESS_DEVCAP 0x04u
#define DEVCAP_FLR     BIT32(28)
#define CAPS_FIRST     0x40u
#define CAPS_END       0x100u
#define BAR_END        0x28u

/* -- What is seen of the capabilities: PCI Express and what vendors say, to read only. Message interrupts,
 * power states, resets and all of the extended ones are the hypervisor's. -- */

static void caps_find(struct vpci_function *f)
{
    const volatile uint8_t *const config = f->hw.config;
    uint32_t at = pci_next(config, 0u);

    f->nr_caps = 0u;
    for (uint32_t i = 0; (i < PCI_CAPABILITIES_MAX) && (at != 0u) && (f->nr_caps < VPCI_CAPS_MAX); i++) {
        const uint32_t header = pci_read(config, at);
        const uint32_t id = header & 0xFFu;
        const uint32_t bytes = (id == PCI_CAP_EXPRESS) ? EXPRESS_BYTES : ((header >> 16u) & 0xFFu);

        if ((id == PCI_CAP_EXPRESS) || (id == PCI_CAP_VENDOR)) {
            f->cap[f->nr_caps].at = at;
            f->cap[f->nr_caps].bytes = (uint32_t)bits_max(bytes, 4u);
            f->nr_caps++;
        }
        at = pci_next(config, at);
    }
}

static uint32_t caps_read(const struct vpci_function *f, uint32_t reg)
{
    uint32_t value = 0;

    for (uint32_t i = 0; i < f->nr_caps; i++) {
        const struct vpci_cap *const cap = &f->cap[i];
        const uint32_t next = ((i + 1u) < f->nr_caps) ? f->cap[i + 1u].at : 0u;

        if ((reg >= cap->at) && ((reg - cap->at) < cap->bytes)) {
            value = pci_read(f->hw.config, reg);
            if (reg == cap->at) {
                value = (value & 0xFFFF00FFu) | (next << 8u);
            } else if ((reg == (cap->at + EXPRESS_DEVCAP)) && (cap->bytes == EXPRESS_BYTES)) {
                value &= ~DEVCAP_FLR;
            } else {
                /* as it is */
            }
        }
    }
    return value;
}

/* -- BARs -- */

static uint64_t bar_address(const struct vpci_function *f, uint32_t i)
{
    const bool is_64 = (f->hw.bar[i].flags & PCI_BAR_64) != 0u;
    const uint64_t high = is_64 ? ((uint64_t)f->bar[(i + 1u) % PCI_BARS] << 32u) : 0u;

    return high | (f->bar[i] & ~0xFFFu);
}

/* Where it belongs in the guest's map; 0: nowhere. */
static uint64_t bar_wanted(const struct vpci *pci, const struct vpci_function *f, uint32_t i)
{
    const uint64_t at = bar_address(f, i);
    const uint64_t bytes = f->hw.bar[i].bytes;
    uint64_t wanted = 0;

    for (uint32_t w = 0; (w < (uint32_t)PCI_WINDOWS) && (bytes > 0u); w++) {
        const uint64_t offset = at - pci->memory[w].base.v; /* wraps below the window and is too large then */
        const uint64_t room = pci->memory[w].max_bytes;

        if ((offset < room) && (bytes <= (room - offset)) && ((f->command & PCI_COMMAND_MEMORY) != 0u)) {
            wanted = at;
        }
    }
    return wanted;
}

/* The domain's lock held. The map follows command and BARs; where two BARs meet the first has it. */
static void bars_follow(const struct vpci *pci, struct vpci_function *f)
{
    struct hal_guestmap *const map = &pci->domain->hal.map;

    for (uint32_t i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *const bar = &f->hw.bar[i];

        if ((f->mapped[i] != 0u) && (f->mapped[i] != bar_wanted(pci, f, i)) &&
            (hal_guestmap_unmap(map, gpa(f->mapped[i]), bar->bytes) == HV_OK)) {
            f->mapped[i] = 0u;
        }
    }
    for (uint32_t i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *const bar = &f->hw.bar[i];
        const uint64_t wanted = bar_wanted(pci, f, i);

        if ((f->mapped[i] == 0u) && (wanted != 0u) &&
            (hal_guestmap_map(map, gpa(wanted), bar->host, bar->bytes, HAL_PERM_R | HAL_PERM_W,
                              HAL_MEM_DEVICE) == HV_OK)) {
            f->mapped[i] = wanted;
        }
    }
}

static void bar_write(struct vpci_function *f, uint32_t i, uint32_t value)
{
    const struct pci_bar *const bar = &f->hw.bar[i];
    const struct pci_bar *const lower = (i > 0u) ? &f->hw.bar[i - 1u] : NULL;

    if (bar->bytes > 0u) {
        f->bar[i] = (value & (uint32_t)~(bar->bytes - 1u)) | bar->flags;
    } else if ((lower != NULL) && (lower->bytes > 0u) && ((lower->flags & PCI_BAR_64) != 0u)) {
        f->bar[i] = value & (uint32_t)(~(lower->bytes - 1u) >> 32u);
    } else {
        /* there is none */
    }
}

/* -- Configuration space, by words -- */

static struct vpci_function *function_at(const struct vpci *pci, uint64_t offset)
{
    const uint64_t slot = offset >> SLOT_SHIFT;

    return (((offset & FUNCTION_MASK) == 0u) && (slot < pci->nr)) ? &pci->function[slot] : NULL;
}

static uint32_t word_read(const struct vpci_function *f, uint32_t reg)
{
    const volatile uint8_t *const config = f->hw.config;

    switch (reg) {
    case PCI_VENDOR:
    case PCI_CLASS:
    case PCI_SUBSYSTEM:
        return pci_read(config, reg);
    case PCI_COMMAND:
        return (pci_read(config, reg) & STATUS_MASK) | f->command | ((f->nr_caps > 0u) ? STATUS_CAPS : 0u);
    case PCI_HEADER:
        return pci_read(config, reg) & HEADER_MASK;
    case PCI_CAPABILITIES:
        return (f->nr_caps > 0u) ? f->cap[0].at : 0u;
    case PCI_INTERRUPT:
        return f->interrupt | (f->has_pin ? (pci_read(config, reg) & PIN_MASK) : 0u);
    default:
        if ((reg >= PCI_BAR) && (reg < BAR_END)) {
            return f->bar[(reg - PCI_BAR) / 4u];
        }
        return ((reg >= CAPS_FIRST) && (reg < CAPS_END)) ? caps_read(f, reg) : 0u;
    }
}

/* The domain's lock held. */
static void hardware_command(const struct vpci_function *f)
{
    /* Memory answers all the time: where the guest sees it, if anywhere, is up to its map. */
    pci_command(f->hw.config, f->command | PCI_COMMAND_MEMORY);
}

/* The domain's lock held. */
static void word_write(const struct vpci *pci, struct vpci_function *f, uint32_t reg, uint32_t value)
{
    if (reg == PCI_COMMAND) {
        f->command = value & MAY_SET;
        bars_follow(pci, f);
        hardware_command(f);
    } else if ((reg >= PCI_BAR) && (reg < BAR_END)) {
        bar_write(f, (reg - PCI_BAR) / 4u, value);
        bars_follow(pci, f);
    } else if (reg == PCI_INTERRUPT) {
        f->interrupt = value & LINE_MASK;
    } else {
        /* nobody's to change */
    }
}

static bool access_good(uint64_t offset, uint32_t width)
{
    return (width <= 4u) && ((offset % width) == 0u);
}

static bool ecam_read(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value)
{
    const struct vpci_function *const f = function_at(device, offset);
    const uint32_t reg = (uint32_t)offset & REG_MASK;
    const bool good = access_good(offset, width);

    (void)vcpu;
    if (good) {
        const uint32_t word = (f != NULL) ? word_read(f, reg & ~3u) : ONES;

        *value = (word >> ((reg & 3u) * 8u)) & GENMASK64((width * 8u) - 1u, 0u);
    }
    return good;
}

static bool ecam_write(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value)
{
    struct vpci *const pci = device;
    struct vpci_function *const f = function_at(pci, offset);
    const uint32_t reg = (uint32_t)offset & REG_MASK;
    const bool good = access_good(offset, width);

    if (good && (f != NULL)) {
        const uint64_t shift = ((uint64_t)reg & 3u) * 8u;
        const uint64_t mask = GENMASK64((width * 8u) - 1u, 0u) << shift;
        const uint64_t flags = spin_lock(&vcpu->domain->lock);
        const uint64_t old = word_read(f, reg & ~3u);

        word_write(pci, f, reg & ~3u, (uint32_t)((old & ~mask) | ((value << shift) & mask)));
        spin_unlock(&vcpu->domain->lock, flags);
    }
    return good;
}

static const struct mmio_ops vpci_ops = { ecam_read, ecam_write };

/* Guests that place nothing find their BARs placed. What does not fit stays at 0, where it never shows. */
static void bars_place(const struct vpci *pci, struct vpci_function *f, uint64_t next[PCI_WINDOWS])
{
    for (uint32_t i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *const bar = &f->hw.bar[i];
        const uint32_t w = ((bar->flags & PCI_BAR_HIGH) == PCI_BAR_HIGH) ? PCI_WINDOW_64 : PCI_WINDOW_32;

        if (bar->bytes > 0u) {
            const uint64_t at = bits_align_up(next[w], bar->bytes);
            const uint64_t used = at - pci->memory[w].base.v;
            const bool fits =
                (used <= pci->memory[w].max_bytes) && (bar->bytes <= (pci->memory[w].max_bytes - used));

            bar_write(f, i, fits ? (uint32_t)at : 0u);
            if ((bar->flags & PCI_BAR_64) != 0u) {
                bar_write(f, i + 1u, fits ? (uint32_t)(at >> 32u) : 0u);
            }
            next[w] = fits ? (at + bar->bytes) : next[w];
        }
    }
}

enum hv_status vpci_attach(struct vpci *pci, struct domain *domain, const struct hal_guest_layout *layout)
{
    const struct mmio_window window = { layout->pci_ecam, VPCI_ECAM_BYTES, &vpci_ops, pci };
    uint64_t next[PCI_WINDOWS] = { layout->pci_memory[PCI_WINDOW_32].base.v,
                                   layout->pci_memory[PCI_WINDOW_64].base.v };

    pci->domain = domain;
    (void)memcpy(pci->memory, layout->pci_memory, sizeof(pci->memory));
    for (uint32_t s = 0; s < pci->nr; s++) {
        struct vpci_function *const f = &pci->function[s];

        f->command = 0u;
        f->interrupt = 0u;
        (void)memset(f->mapped, 0, sizeof(f->mapped));
        (void)memset(f->bar, 0, sizeof(f->bar));
        bars_place(pci, f, next);
        caps_find(f);
    }
    return domain_add_window(domain, &window);
}

void vpci_begin(struct vpci *pci)
{
    for (uint32_t s = 0; s < pci->nr; s++) {
        hardware_command(&pci->function[s]);
    }
}
