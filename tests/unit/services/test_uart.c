/* The UART drivers against models of the devices. */
#include "machine.h"

#include <string.h>

#include "drivers/uart.h"

struct model {
    uint8_t sent[64];
    uint32_t nr_sent;
    const char *typed;
    const char *late; /* Cadence */
    bool stays_full;
    bool has_fifo; /* 16550: 16 bytes, empty when LSR says so */
    uint32_t nr_polls;
    uint32_t reg[32];
    uint32_t shift;
    uint32_t width;
};

static struct model model;

static uint64_t pl011_model_read(void *ctx, uint64_t offset, uint32_t width)
{
    struct model *const m = ctx;
    uint64_t value = m->reg[offset / 4u];

    assert_int_equal(width, 4u);
    if (offset == 0x18u) {
        m->nr_polls++;
        value = (m->stays_full ? 0x20u : 0u) | ((*m->typed == '\0') ? 0x10u : 0u);
    } else if (offset == 0u) {
        value = 0xF00u | (uint8_t)*m->typed; /* error bits must not get in */
        m->typed++;
    }
    return value;
}

static void pl011_model_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    struct model *const m = ctx;

    assert_int_equal(width, 4u);
    m->reg[offset / 4u] = (uint32_t)value;
    if (offset == 0u) {
        m->sent[m->nr_sent] = (uint8_t)value;
        m->nr_sent++;
    }
}

static uint64_t ns16550_model_read(void *ctx, uint64_t offset, uint32_t width)
{
    struct model *const m = ctx;
    const uint32_t reg = (uint32_t)offset >> m->shift;
    uint64_t value = m->reg[reg];

    assert_int_equal(width, m->width);
    if (reg == 5u) {
        m->nr_polls++;
        value = (m->stays_full ? 0u : 0x20u) | ((*m->typed == '\0') ? 0u : 1u);
    } else if (reg == 0u) {
        value = (uint8_t)*m->typed;
        m->typed++;
    } else if (reg == 2u) {
        value = m->has_fifo ? 0xC1u : 0x01u;
    }
    return value;
}

static void ns16550_model_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    struct model *const m = ctx;
    const uint32_t reg = (uint32_t)offset >> m->shift;

    assert_int_equal(width, m->width);
    assert_int_equal(offset % (1u << m->shift), 0u);
    m->reg[reg] = (uint32_t)value;
    if (reg == 0u) {
        m->sent[m->nr_sent] = (uint8_t)value;
        m->nr_sent++;
    }
}

/* Interrupt status is latched until ones are written to it; while there is something to read it comes back at
 * once. */
static uint64_t cadence_model_read(void *ctx, uint64_t offset, uint32_t width)
{
    struct model *const m = ctx;
    uint64_t value = m->reg[offset / 4u];

    assert_int_equal(width, 4u);
    if (offset == 0x2Cu) {
        m->nr_polls++;
        value = (m->stays_full ? 0x10u : 0u) | ((*m->typed == '\0') ? 2u : 0u);
        if (m->late != NULL) {
            m->typed = m->late; /* comes right behind this look */
            m->late = NULL;
            m->reg[0x14u / 4u] |= 1u;
        }
    } else if (offset == 0x30u) {
        value = 0xF00u | (uint8_t)*m->typed;
        m->typed++;
    }
    return value;
}

static void cadence_model_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    struct model *const m = ctx;
    uint32_t *const mask = &m->reg[0x10u / 4u];

    assert_int_equal(width, 4u);
    switch (offset) {
    case 0x08u:
        *mask |= (uint32_t)value;
        break;
    case 0x0Cu:
        *mask &= ~(uint32_t)value;
        break;
    case 0x14u:
        m->reg[offset / 4u] &= ~(uint32_t)value;
        break;
    case 0x30u:
        assert_int_equal(m->reg[0x14u / 4u] & 8u, 0u); /* cleared before each byte */
        m->sent[m->nr_sent] = (uint8_t)value;
        m->nr_sent++;
        m->reg[0x14u / 4u] |= 8u;
        break;
    default:
        m->reg[offset / 4u] = (uint32_t)value;
        break;
    }
}

/* One byte each way; its interrupts are latched if they are enabled when something happens. */
static uint64_t cmsdk_model_read(void *ctx, uint64_t offset, uint32_t width)
{
    struct model *const m = ctx;
    uint64_t value = m->reg[offset / 4u];

    assert_int_equal(width, 4u);
    if (offset == 4u) {
        m->nr_polls++;
        value = (m->stays_full ? 1u : 0u) | ((*m->typed == '\0') ? 0u : 2u);
        if (m->late != NULL) {
            m->typed = m->late; /* comes right behind this look */
            m->late = NULL;
            m->reg[3] |= 2u;
        }
    } else if (offset == 0u) {
        value = 0xF00u | (uint8_t)*m->typed;
        m->typed++;
    }
    return value;
}

static void cmsdk_model_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    struct model *const m = ctx;

    assert_int_equal(width, 4u);
    if (offset == 0u) {
        assert_false(m->stays_full);
        assert_int_equal(m->reg[3] & 1u, 0u); /* cleared before each byte */
        assert_true((m->reg[4] >= 16u) && ((m->reg[2] & 1u) != 0u));
        m->sent[m->nr_sent] = (uint8_t)value;
        m->nr_sent++;
        m->reg[3] |= (m->reg[2] >> 2u) & 1u;
    } else if (offset == 0xCu) {
        m->reg[3] &= ~(uint32_t)value;
    } else {
        m->reg[offset / 4u] = (uint32_t)value;
    }
}

enum kind { PL011, NS16550, CADENCE, CMSDK };

static struct uart_regs device(uint64_t base, enum kind kind)
{
    static uint64_t (*const read[])(void *, uint64_t, uint32_t) = { pl011_model_read, ns16550_model_read,
                                                                    cadence_model_read, cmsdk_model_read };
    static void (*const write[])(void *, uint64_t, uint32_t,
                                 uint64_t) = { pl011_model_write, ns16550_model_write, cadence_model_write,
                                               cmsdk_model_write };
    const struct fake_device d = { base, 0x1000u, read[kind], write[kind], &model };
    struct uart_regs regs = { NULL, model.shift, model.width, 0u, 0u, NULL };
    void *va = NULL;

    fake_device_add(&d);
    assert_int_equal(hal_hypmap_device(hpa(base), 0x1000u, &va), HV_OK);
    regs.base = va;
    return regs;
}

/* fifo: how many bytes it takes without being asked whether it is empty again */
static void exercise(const struct console_uart *uart, uint32_t fifo)
{
    uint8_t c = 0;
    uint32_t taken = 0;

    model.typed = "ok";
    model.nr_sent = 0u;
    assert_true(uart->put(uart->device, 'A'));
    assert_true(uart->put(uart->device, 0xFFu));
    assert_int_equal(model.nr_sent, 2u);
    assert_int_equal(model.sent[0], 'A');
    assert_int_equal(model.sent[1], 0xFFu);
    assert_true(uart->get(uart->device, &c));
    assert_int_equal(c, 'o');
    assert_true(uart->get(uart->device, &c));
    assert_int_equal(c, 'k');
    assert_false(uart->get(uart->device, &c));
    /* a full one is not waited for */
    model.stays_full = true;
    while (uart->put(uart->device, 'B')) {
        taken++;
        assert_in_range(taken, 1u, fifo);
    }
    model.nr_polls = 0u;
    assert_false(uart->put(uart->device, 'B'));
    assert_int_equal(model.nr_polls, 1u);
    assert_int_equal(model.nr_sent, 2u + taken);
    model.stays_full = false;
    for (taken = 0; taken < fifo; taken++) {
        assert_true(uart->put(uart->device, 'C'));
    }
    model.nr_polls = 0u;
    assert_true(uart->put(uart->device, 'C'));
    assert_int_equal(model.nr_polls, 1u);
}

static void test_pl011(void **state)
{
    struct uart_regs regs;
    struct console_uart uart;

    (void)state;
    (void)memset(&model, 0, sizeof(model));
    model.typed = "";
    regs = device(0x9000000u, PL011);
    pl011_open(&regs, &uart);
    assert_int_equal(model.reg[0x30 / 4], 0x301u);
    assert_int_equal(model.reg[0x2C / 4], 0x70u);
    assert_int_equal(model.reg[0x38 / 4], 0u);
    exercise(&uart, 0u);
    uart.irq_enable(uart.device);
    assert_int_equal(model.reg[0x38 / 4], 0x50u);
    assert_int_equal(model.reg[0x44 / 4] & 0x70u, 0u); /* what waits keeps its interrupt */
    uart.tx_irq(uart.device, true);
    assert_int_equal(model.reg[0x38 / 4], 0x70u);
    uart.tx_irq(uart.device, false);
    assert_int_equal(model.reg[0x38 / 4], 0x50u);
    model.reg[0x30 / 4] = 0xB01u; /* the firmware set it up: stays */
    model.reg[0x2C / 4] = 0x60u;
    pl011_open(&regs, &uart);
    assert_int_equal(model.reg[0x30 / 4], 0xB01u);
    assert_int_equal(model.reg[0x2C / 4], 0x60u);
    assert_int_equal(model.reg[0x38 / 4], 0u);
}

static void test_ns16550(void **state)
{
    static const uint32_t shapes[3][2] = { { 0u, 1u }, { 2u, 1u }, { 2u, 4u } };

    (void)state;
    for (uint32_t i = 0; i < 6u; i++) {
        struct uart_regs regs;
        struct console_uart uart;

        (void)memset(&model, 0, sizeof(model));
        model.typed = "";
        model.shift = shapes[i / 2u][0];
        model.width = shapes[i / 2u][1];
        model.has_fifo = (i % 2u) != 0u;
        regs = device(0xA000000u + (i * 0x1000u), NS16550);
        ns16550_open(&regs, &uart);
        assert_int_equal(model.reg[1], 0u);
        assert_int_equal(model.reg[3], 3u);
        exercise(&uart, model.has_fifo ? 16u : 1u);
        uart.irq_enable(uart.device);
        assert_int_equal(model.reg[1], 1u);
        assert_int_equal(model.reg[4], 0xBu);
        uart.tx_irq(uart.device, true);
        assert_int_equal(model.reg[1], 3u);
        uart.tx_irq(uart.device, false);
        assert_int_equal(model.reg[1], 1u);
    }
}

static void test_cadence(void **state)
{
    struct uart_regs regs;
    struct console_uart uart;
    uint8_t c = 0;

    (void)state;
    (void)memset(&model, 0, sizeof(model));
    model.typed = "";
    model.reg[0] = 0x128u; /* after reset: both directions off, a break stopped */
    model.reg[4] = 0x1FFFu;
    regs = device(0xB000000u, CADENCE);
    cadence_open(&regs, &uart);
    assert_int_equal(model.reg[0], 0x14u);
    assert_int_equal(model.reg[4], 0u);
    exercise(&uart, 0u);
    uart.irq_enable(uart.device);
    assert_int_equal(model.reg[0x20 / 4], 1u);
    assert_int_equal(model.reg[4], 1u);
    uart.tx_irq(uart.device, true);
    assert_int_equal(model.reg[4], 9u);
    uart.tx_irq(uart.device, false);
    assert_int_equal(model.reg[4], 1u);
    /* the interrupt of a byte that comes while the line is cleared is not lost */
    model.typed = "";
    model.late = "z";
    assert_true(uart.get(uart.device, &c));
    assert_int_equal(c, 'z');
    assert_false(uart.get(uart.device, &c));
    assert_int_equal(model.reg[0x14 / 4] & 1u, 0u);
}

/* [test->req~mps3-an536~1] */
static void test_cmsdk(void **state)
{
    struct uart_regs regs;
    struct console_uart uart;
    uint8_t c = 0;

    (void)state;
    (void)memset(&model, 0, sizeof(model));
    model.typed = "";
    model.reg[3] = 3u;
    regs = device(0xC000000u, CMSDK);
    cmsdk_open(&regs, &uart);
    assert_int_equal(model.reg[2], 3u);
    assert_int_equal(model.reg[3], 0u);
    assert_int_equal(model.reg[4], 434u);
    exercise(&uart, 0u);
    uart.irq_enable(uart.device);
    assert_int_equal(model.reg[2], 0xBu);
    uart.tx_irq(uart.device, true);
    assert_int_equal(model.reg[2], 0xFu);
    assert_true(uart.put(uart.device, 'x'));
    assert_int_equal(model.reg[3], 1u);
    uart.tx_irq(uart.device, false);
    assert_int_equal(model.reg[2], 0xBu);
    assert_int_equal(model.reg[3], 0u);
    /* the interrupt of a byte that comes while the line is cleared is not lost */
    model.typed = "";
    model.late = "z";
    assert_true(uart.get(uart.device, &c));
    assert_int_equal(c, 'z');
    assert_false(uart.get(uart.device, &c));
    assert_int_equal(model.reg[3], 0u);
    model.reg[4] = 27u; /* the firmware chose a speed: it stays */
    cmsdk_open(&regs, &uart);
    assert_int_equal(model.reg[4], 27u);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pl011), cmocka_unit_test(test_ns16550),
                                        cmocka_unit_test(test_cadence), cmocka_unit_test(test_cmsdk) };

    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
