/* [impl->req~vpl011~1] */
#include "vdev/vpl011.h"

#include "hal/sync.h"
#include "lib/string.h"
#include "virq/virq.h"

#define REG_DR   0x000u
#define REG_RSR  0x004u /* write: ECR */
#define REG_FR   0x018u
#define REG_IMSC 0x038u
#define REG_RIS  0x03Cu
#define REG_MIS  0x040u
#define REG_ICR  0x044u
#define REG_ID   0xFE0u /* eight registers to the end of the page */

#define FR_BUSY BIT32(3)
#define FR_RXFE BIT32(4)
#define FR_TXFF BIT32(5)
#define FR_RXFF BIT32(6)
#define FR_TXFE BIT32(7)

#define INT_RX  BIT32(4)
#define INT_TX  BIT32(5)
#define INT_RT  BIT32(6)
#define INT_OE  BIT32(10)
#define INT_ALL 0x7FFu

#define DR_OE  BIT32(11)
#define RSR_OE BIT32(3)

#define LCR_H_FEN     BIT32(4)
#define IFLS_RX_SHIFT 3u
#define IFLS_RX_MASK  7u

/* The PL011's other registers, by offset / 4. At reset: enabled, eight bits, FIFO on, which is what an
 * SBSA UART always is. */
#define PLAIN_LCR_H 0x0Bu
#define PLAIN_IFLS  0x0Du
static const uint16_t plain_writable[VPL011_PLAIN_REGS] = {
    [0x08] = 0xFFu,                          /* ILPR */
    [0x09] = 0xFFFFu,                        /* IBRD */
    [0x0A] = 0x3Fu,                          /* FBRD */
    [PLAIN_LCR_H] = 0xFFu, [0x0C] = 0xFF87u, /* CR */
    [PLAIN_IFLS] = 0x3Fu,  [0x12] = 0x7u,    /* DMACR */
};
static const uint16_t plain_reset[VPL011_PLAIN_REGS] = {
    [PLAIN_LCR_H] = 0x70u,
    [0x0C] = 0x301u,
    [PLAIN_IFLS] = 0x12u,
};

/* PeriphID0-3 (PL011 r1p5: FIFOs of 32) and PCellID0-3 */
static const uint8_t id_regs[8] = { 0x11u, 0x10u, 0x34u, 0x00u, 0x0Du, 0xF0u, 0x05u, 0xB1u };

/* How many characters raise the receive interrupt: by IFLS, one if the guest turned the FIFO off. */
static uint32_t trigger_level(const struct vpl011 *uart)
{
    static const uint8_t level[IFLS_RX_MASK + 1u] = { 4u, 8u, 16u, 24u, 28u, 16u, 16u, 16u };
    const uint32_t select = ((uint32_t)uart->plain[PLAIN_IFLS] >> IFLS_RX_SHIFT) & IFLS_RX_MASK;

    return ((uart->plain[PLAIN_LCR_H] & LCR_H_FEN) == 0u) ? 1u : level[select];
}

/* The time-out interrupt does not wait for a time-out: a guest that enabled only one of the two still
 * hears of its input, and one that cleared it with characters left is told again. */
static uint32_t raw_status(const struct vpl011 *uart)
{
    uint32_t status = uart->latched;

    status |= (uart->count >= trigger_level(uart)) ? INT_RX : 0u;
    status |= (uart->count > 0u) ? INT_RT : 0u;
    return status;
}

static void update_line(struct vpl011 *uart)
{
    const bool level = (raw_status(uart) & uart->mask) != 0u;

    if (level != uart->line) {
        uart->line = level;
        virq_set_line(uart->domain, uart->irq, level);
    }
}

/* DR is read: takes the oldest character with its error bits. An empty FIFO gives 0. */
static uint32_t fifo_take(struct vpl011 *uart)
{
    uint32_t value = 0;

    if (uart->count > 0u) {
        value = uart->fifo[uart->head];
        uart->head = (uart->head + 1u) % VPL011_FIFO;
        uart->count--;
    }
    return value;
}

/* TXRIS: by the event that the FIFO is at most half full, until that is over. Linux then writes another half
 * without looking at FR. */
static void tx_event(struct vpl011 *uart)
{
    if (uart->tx_count <= (VPL011_FIFO / 2u)) {
        uart->latched |= INT_TX;
    } else {
        uart->latched &= ~INT_TX;
    }
}

/* What the console takes leaves the FIFO. */
static void tx_send(struct vpl011 *uart)
{
    const uint32_t before = uart->tx_count;
    bool more = before > 0u;

    while (more) { /* one turn, two if the FIFO wraps */
        const uint32_t to_end = VPL011_FIFO - uart->tx_head;
        const uint32_t piece = (uart->tx_count < to_end) ? uart->tx_count : to_end;
        char text[VPL011_FIFO];
        uint32_t n;

        (void)memcpy(text, &uart->tx[uart->tx_head], piece);
        n = console_offer(&uart->domain->console, text, piece);
        uart->tx_head = (uart->tx_head + n) % VPL011_FIFO;
        uart->tx_count -= n;
        more = (n == piece) && (uart->tx_count > 0u);
    }
    if (uart->tx_count != before) {
        tx_event(uart);
    }
}

static void tx_put(struct vpl011 *uart, uint8_t c)
{
    if (uart->tx_count < VPL011_FIFO) {
        uart->tx[(uart->tx_head + uart->tx_count) % VPL011_FIFO] = c;
        uart->tx_count++;
        tx_event(uart);
        tx_send(uart);
    } else {
        uart->tx_lost++;
    }
}

static uint32_t flags(const struct vpl011 *uart, uint32_t tx_count)
{
    uint32_t fr = (tx_count == 0u) ? FR_TXFE : FR_BUSY;

    fr |= (tx_count == VPL011_FIFO) ? FR_TXFF : 0u;
    fr |= (uart->count == 0u) ? FR_RXFE : 0u;
    fr |= (uart->count == VPL011_FIFO) ? FR_RXFF : 0u;
    return fr;
}

static uint32_t reg_read(struct vpl011 *uart, uint64_t offset)
{
    uint32_t value;

    switch (offset) {
    case REG_DR:
        value = fifo_take(uart);
        break;
    case REG_RSR:
        value = uart->errors;
        break;
    case REG_FR:
        tx_send(uart);
        value = flags(uart, uart->tx_count);
        break;
    case REG_IMSC:
        value = uart->mask;
        break;
    case REG_RIS:
        value = raw_status(uart);
        break;
    case REG_MIS:
        value = raw_status(uart) & uart->mask;
        break;
    default: /* what is neither SBSA's nor the PL011's reads as zero */
        if (offset < (4u * VPL011_PLAIN_REGS)) {
            value = uart->plain[offset / 4u];
        } else {
            value = (offset >= REG_ID) ? id_regs[(offset - REG_ID) / 4u] : 0u;
        }
        break;
    }
    return value;
}

static void reg_write(struct vpl011 *uart, uint64_t offset, uint32_t value)
{
    switch (offset) {
    case REG_DR:
        tx_put(uart, (uint8_t)value);
        break;
    case REG_RSR:
        uart->errors = 0u;
        break;
    case REG_IMSC:
        uart->mask = value & INT_ALL;
        break;
    case REG_ICR:
        uart->latched &= ~value;
        break;
    default:
        if (offset < (4u * VPL011_PLAIN_REGS)) {
            uart->plain[offset / 4u] = (uint16_t)(value & plain_writable[offset / 4u]);
        }
        break;
    }
}

/* 64-bit accesses are no part of the device. Narrow ones see the register's bytes; only the lowest has
 * effects. */
__attribute__((noinline)) static bool read_locked(struct vpl011 *uart, uint64_t offset, uint32_t width,
                                                  uint64_t *value)
{
    const uint32_t byte = (uint32_t)(offset & 3u);
    const bool good = width <= 4u;

    if (good) {
        const uint64_t flags_before = spin_lock(&uart->lock);
        const bool data_above = (byte != 0u) && ((offset & ~3ULL) == REG_DR);
        const uint32_t whole = data_above ? 0u : reg_read(uart, offset & ~3ULL);

        update_line(uart);
        spin_unlock(&uart->lock, flags_before);
        if (offset == REG_FR) {
            console_push(); /* a guest that waits lets its characters go on */
        }
        *value = ((uint64_t)whole >> (8u * byte)) & (~0ULL >> (64u - (8u * width)));
    }
    return good;
}

/* Guests poll FR: while nothing is to be sent, one word of state needs no lock. */
static bool vpl011_read(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value)
{
    struct vpl011 *const uart = device;
    bool good = uart->domain == vcpu->domain;

    if (good && (offset == REG_FR) && (width == 4u) && (hal_load_acquire32(&uart->tx_count) == 0u)) {
        *value = flags(uart, 0u);
    } else if (good) {
        good = read_locked(uart, offset, width, value);
    } else {
        /* its domain is gone */
    }
    return good;
}

static bool vpl011_write(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value)
{
    struct vpl011 *const uart = device;
    const bool good = (width <= 4u) && (uart->domain == vcpu->domain);

    if (good && ((offset & 3u) == 0u)) {
        const uint64_t flags_before = spin_lock(&uart->lock);

        reg_write(uart, offset, (uint32_t)value);
        update_line(uart);
        spin_unlock(&uart->lock, flags_before);
        if (offset == REG_DR) {
            console_push();
        }
    }
    return good;
}

static const struct mmio_ops vpl011_ops = { vpl011_read, vpl011_write };

static void fifo_put(struct vpl011 *uart, uint8_t c)
{
    const uint32_t error = uart->overrun ? DR_OE : 0u;

    uart->fifo[(uart->head + uart->count) % VPL011_FIFO] = (uint16_t)(c | error);
    uart->overrun = false;
    uart->count++;
}

/* -- Led to tools: a way in front of the other, which is not made longer -- */

static bool is_served(const struct vpl011 *uart, const struct domain *domain)
{
    return (uart->domain == domain) && uart->ends->is_there(domain, uart->port);
}

/* The ring counts as the FIFO that sends, of which half is written without a look at FR. Its flags */
static uint32_t ring_event(struct vpl011 *uart)
{
    const uint32_t room = console_ring_room(&uart->ring);

    uart->latched = (room >= (VPL011_FIFO / 2u)) ? (uart->latched | INT_TX) : (uart->latched & ~INT_TX);
    update_line(uart);
    return flags(uart, (room > 0u) ? 0u : VPL011_FIFO);
}

static bool led_read(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t *value)
{
    struct vpl011 *const uart = device;
    bool good = (offset == REG_FR) && (width == 4u) && is_served(uart, vcpu->domain);

    if (good) {
        const uint64_t flags_before = spin_lock(&uart->lock);

        *value = ring_event(uart);
        spin_unlock(&uart->lock, flags_before);
    } else {
        good = vpl011_read(device, vcpu, offset, width, value);
        if (offset == REG_DR) {
            vpl011_hear(uart); /* more may wait in the ring */
        }
    }
    return good;
}

static bool led_write(void *device, struct vcpu *vcpu, uint64_t offset, uint32_t width, uint64_t value)
{
    struct vpl011 *const uart = device;
    bool good = (offset == REG_DR) && (width <= 4u) && is_served(uart, vcpu->domain);

    if (good) {
        const uint64_t flags_before = spin_lock(&uart->lock);

        console_ring_put(&uart->ring, (uint8_t)value);
        (void)ring_event(uart);
        spin_unlock(&uart->lock, flags_before);
        (void)uart->ends->tell(vcpu->domain, uart->port);
    } else {
        good = vpl011_write(device, vcpu, offset, width, value);
    }
    return good;
}

static const struct mmio_ops led_ops = { led_read, led_write };

void vpl011_hear(struct vpl011 *uart)
{
    const uint64_t flags_before = spin_lock(&uart->lock);
    const struct domain *const domain = uart->domain;
    bool was_full = false;

    if (domain != NULL) {
        bool more = true;
        uint8_t c = 0;

        while (more && (uart->count < VPL011_FIFO)) {
            more = console_ring_get(&uart->ring, &c, &was_full);
            if (more) {
                fifo_put(uart, c);
            }
        }
        if (is_served(uart, domain)) {
            (void)ring_event(uart);
        } else {
            tx_event(uart);
            update_line(uart);
        }
    }
    spin_unlock(&uart->lock, flags_before);
    if (was_full) {
        (void)uart->ends->tell(domain, uart->port);
    }
}

void vpl011_lead(struct vpl011 *uart, struct xen_console_ring *page, uint32_t port,
                 const struct vpl011_ends *ends)
{
    if (uart->ring.page != page) {
        uart->ring = (struct console_ring){ .page = page };
    }
    uart->port = port;
    uart->ends = ends;
}

void vpl011_receive(void *ctx, uint8_t c)
{
    struct vpl011 *const uart = ctx;
    const uint64_t flags_before = spin_lock(&uart->lock);

    if (uart->domain == NULL) {
        uart->count = 0u;
    } else if (uart->count == VPL011_FIFO) {
        uart->overrun = true;
        uart->errors |= RSR_OE;
        uart->latched |= INT_OE;
    } else {
        fifo_put(uart, c);
    }
    if (uart->domain != NULL) {
        update_line(uart);
    }
    spin_unlock(&uart->lock, flags_before);
}

void vpl011_transmit(void *ctx)
{
    struct vpl011 *const uart = ctx;
    const uint64_t flags_before = spin_lock(&uart->lock);

    if (uart->domain != NULL) {
        tx_send(uart);
        update_line(uart);
    }
    spin_unlock(&uart->lock, flags_before);
}

void vpl011_setup(struct vpl011 *uart)
{
    (void)memset(uart, 0, sizeof(*uart));
    spin_init(&uart->lock, LOCK_VDEV);
}

enum hv_status vpl011_attach(struct vpl011 *uart, struct domain *domain, gpa_t base, uint32_t irq)
{
    const bool led = (CONFIG_CONTROL != 0) && (uart->ring.page != NULL);
    const struct mmio_window window = { base, VPL011_WINDOW_BYTES, led ? &led_ops : &vpl011_ops, uart };
    const enum hv_status status = domain_add_window(domain, &window);

    if (status == HV_OK) {
        const uint64_t flags_before = spin_lock(&uart->lock);

        (void)memcpy(uart->plain, plain_reset, sizeof(uart->plain));
        uart->line = false;
        uart->overrun = false;
        uart->head = 0u;
        uart->count = 0u;
        uart->tx_head = 0u;
        uart->tx_count = 0u;
        uart->mask = 0u;
        uart->latched = 0u;
        uart->errors = 0u;
        uart->irq = irq;
        if (led) {
            console_ring_begin(&uart->ring);
        }
        uart->domain = domain;
        spin_unlock(&uart->lock, flags_before);
    }
    return status;
}

void vpl011_detach(struct vpl011 *uart)
{
    const uint64_t flags_before = spin_lock(&uart->lock);

    if (uart->domain != NULL) {
        tx_send(uart); /* its last words, if there is room */
    }
    uart->domain = NULL;
    uart->count = 0u;
    uart->tx_count = 0u;
    spin_unlock(&uart->lock, flags_before);
}
