/* The console: a PL011 or what emulates one, or a CMSDK UART without its interrupts, as the tree names it.
 * Without one all text is lost, by intention, but for who sets console_hook. */
#include "guest.h"

#define UART_DR 0x00u
#define UART_FR 0x18u
#define UART_CR 0x30u
#define FR_RXFE 0x10u
#define FR_TXFF 0x20u

#define CMSDK_STATE    0x04u
#define CMSDK_CTRL     0x08u
#define CMSDK_BAUD     0x10u
#define STATE_TX_FULL  0x01u
#define STATE_RX_FULL  0x02u
#define CTRL_BOTH_WAYS 0x03u

void (*console_hook)(char c);
static uintptr_t base;
static uint32_t irq;
/* Where the state is told, and what of it means that there is no room or no input */
static uint32_t state = UART_FR;
static uint32_t full = FR_TXFF;
static uint32_t input = FR_RXFE;
static uint32_t input_when;

static void cmsdk_begin(void)
{
    state = CMSDK_STATE;
    full = STATE_TX_FULL;
    input = STATE_RX_FULL;
    input_when = STATE_RX_FULL;
    mmio_write32(base + CMSDK_BAUD, 16u);
    mmio_write32(base + CMSDK_CTRL, CTRL_BOTH_WAYS);
}

void console_init(void)
{
    const struct tree_node chosen = tree_path("chosen");
    const char *const path = tree_string(&chosen, "stdout-path");
    struct tree_node node = { NULL, 0u, 0u, NULL };
    uint64_t at = 0u;
    uint64_t bytes = 0u;

    if ((path != NULL) && (path[0] == '/')) {
        node = tree_path(path);
    }
    if (node.at == NULL) {
        node = tree_compatible("arm,sbsa-uart");
    }
    if (node.at == NULL) {
        node = tree_compatible("arm,pl011");
    }
    if (node.at == NULL) {
        node = tree_compatible("arm,mps2-uart");
    }
    if ((node.at != NULL) && tree_reg(&node, 0u, &at, &bytes)) {
        const char *const kind = tree_string(&node, "compatible");

        base = (uintptr_t)at;
        if ((kind != NULL) && text_equal(kind, "arm,mps2-uart")) {
            cmsdk_begin();
            return;
        }
        (void)tree_irq(&node, 0u, &irq);
        if ((kind == NULL) || !text_equal(kind, "arm,sbsa-uart")) {
            mmio_write32(base + UART_CR, 0x301u); /* a whole PL011 wants to be switched on */
        }
    }
}

bool console_present(void)
{
    return base != 0u;
}

uintptr_t console_base(void)
{
    return base;
}

uint32_t console_irq(void)
{
    return irq;
}

void console_put(char c)
{
    if (base != 0u) {
        for (uint32_t i = 0u; (i < 1000000u) && ((mmio_read32(base + state) & full) != 0u); i++) {
            /* bounded: a dead console must not stop the guest */
        }
        mmio_write32(base + UART_DR, (uint8_t)c);
    } else if (console_hook != NULL) {
        console_hook(c);
    } else {
        /* lost */
    }
}

bool console_get(char *c)
{
    const bool there = (base != 0u) && ((mmio_read32(base + state) & input) == input_when);

    if (there) {
        *c = (char)mmio_read32(base + UART_DR);
    }
    return there;
}
