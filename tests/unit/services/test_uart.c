/* The UART drivers against models of the devices. */
#include "machine.h"

#include <string.h>

#include "drivers/uart.h"

struct model {
    uint8_t sent[64];
    uint32_t nr_sent;
    const char *typed;
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

static struct uart_regs device(uint64_t base, bool pl011)
{
    const struct fake_device d = { base, 0x1000u, pl011 ? pl011_model_read : ns16550_model_read,
                                   pl011 ? pl011_model_write : ns16550_model_write, &model };
    struct uart_regs regs = { NULL, model.shift, model.width, 0u, 0u };
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
    regs = device(0x9000000u, true);
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
        regs = device(0xA000000u + (i * 0x1000u), false);
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pl011), cmocka_unit_test(test_ns16550) };

    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
