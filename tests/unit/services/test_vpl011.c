/* The emulated UART as its registers show it. */
#include "machine.h"

#include <string.h>

#include "hal/virq.h"

#define DR    0x00u
#define RSR   0x04u
#define FR    0x18u
#define IBRD  0x24u
#define LCR_H 0x2Cu
#define CR    0x30u
#define IFLS  0x34u
#define IMSC  0x38u
#define RIS   0x3Cu
#define MIS   0x40u
#define ICR   0x44u
#define DMACR 0x48u

#define RX 0x10u
#define TX 0x20u
#define RT 0x40u
#define OE 0x400u

static struct plan_domain plan;
static struct domain domain;
static struct vcpu vcpu;
static struct vpl011 uart;

/* A source of the console stays for good. */
static void console_again(void)
{
    const struct console kept = domain.console;

    (void)memset(&domain, 0, sizeof(domain));
    domain.console = kept;
    if (!kept.registered) {
        domain.console.name = plan.name;
        domain.console.prefix = true;
        domain.console.room = vpl011_transmit;
        domain.console.ctx = &uart;
        assert_int_equal(console_register(&domain.console, false), HV_OK);
    }
    console_reset(&domain.console);
}

static int reset(void **state)
{
    (void)state;
    (void)strcpy(plan.name, "domU1");
    console_again();
    domain.plan = &plan;
    domain.nr_vcpus = 1u;
    domain.vcpu[0] = &vcpu;
    spin_init(&domain.lock, LOCK_DOMAIN);
    vcpu.domain = &domain;
    vpl011_setup(&uart);
    assert_int_equal(pool_init(&domain.pool, 16u), HV_OK);
    const struct hal_domain_config config = { 1u, 32u, 1u, false };
    assert_int_equal(hal_domain_init(&domain.hal, &config), HV_OK);
    assert_int_equal(hal_vcpu_init(&vcpu.hal, &domain.hal, 0u), HV_OK);
    assert_int_equal(vpl011_attach(&uart, &domain, gpa(0x22000000u), 32u), HV_OK);
    machine_output_forget();
    return 0;
}

static int take_down(void **state)
{
    (void)state;
    vpl011_detach(&uart);
    hal_domain_destroy(&domain.hal);
    return 0;
}

static uint32_t rd(uint32_t offset)
{
    uint64_t value = 0xDEADu;

    assert_int_equal(domain.nr_windows, 1);
    assert_true(domain.window[0].ops->read(domain.window[0].device, &vcpu, offset, 4u, &value));
    return (uint32_t)value;
}

static void wr(uint32_t offset, uint32_t value)
{
    assert_true(domain.window[0].ops->write(domain.window[0].device, &vcpu, offset, 4u, value));
}

static bool line(void)
{
    return fake_guest_line(&domain.hal, 32u);
}

static void type(const char *text)
{
    for (; *text != '\0'; text++) {
        vpl011_receive(&uart, (uint8_t)*text);
    }
}

static void test_after_reset(void **state)
{
    (void)state;
    assert_int_equal(domain.window[0].base.v, 0x22000000u);
    assert_int_equal(domain.window[0].bytes, 0x1000u);
    assert_int_equal(rd(FR), 0x90u); /* both FIFOs empty */
    assert_int_equal(rd(RIS), 0u);
    assert_int_equal(rd(IMSC), 0u);
    assert_int_equal(rd(DR), 0u);
    assert_false(line());
}

static void test_send(void **state)
{
    (void)state;
    wr(IMSC, TX);
    assert_false(line());
    wr(DR, 'h');
    assert_int_equal(rd(RIS), TX);
    assert_true(line());
    wr(ICR, TX);
    assert_int_equal(rd(RIS), 0u);
    assert_false(line());
    wr(DR, 'i');
    wr(IMSC, 0u);
    assert_false(line());
    wr(DR, '\n');
    assert_non_null(strstr(machine_output(), "domU1: hi\n"));
    assert_int_equal(rd(FR) & 0x28u, 0u); /* never full, never busy */
}

/* A console that takes nothing: the FIFO fills, the guest is told, and nothing of what it was allowed to
 * write is lost. */
static void test_send_waits(void **state)
{
    static char line_text[101];

    (void)state;
    (void)memset(line_text, 'x', 99u);
    line_text[99] = '\n';
    console_drive(false);
    machine_uart_block(true);
    wr(IMSC, TX);
    for (uint32_t n = 0; (rd(FR) & 0x20u) == 0u; n++) {
        assert_true(n < 65536u);
        wr(DR, (uint32_t)line_text[n % 100u]);
    }
    assert_int_equal(rd(FR) & 0xA8u, 0x28u); /* full, busy, not empty */
    assert_int_equal(rd(RIS) & TX, 0u);
    assert_false(line());
    wr(DR, 'L'); /* it was told */
    assert_int_equal(uart.tx_lost, 1u);
    (void)console_service();
    assert_false(line());
    machine_uart_block(false);
    for (uint32_t n = 0; console_service(); n++) {
        assert_true(n < 1000u);
    }
    assert_true(line());
    assert_int_equal(rd(FR), 0x90u);
    assert_int_equal(rd(RIS), TX);
    assert_null(strchr(machine_output(), 'L'));
    /* Linux's handler writes half a FIFO without asking */
    machine_uart_block(true);
    while ((rd(FR) & 0x20u) == 0u) {
        wr(DR, 'y');
        if ((rd(RIS) & TX) != 0u) {
            for (uint32_t n = 0; n < 16u; n++) {
                wr(DR, (n == 7u) ? '\n' : 'z');
            }
        }
    }
    assert_int_equal(uart.tx_lost, 1u);
    vpl011_detach(&uart);
    machine_uart_block(false);
    while (console_service()) {
    }
    domain.nr_windows = 0u;
    assert_int_equal(vpl011_attach(&uart, &domain, gpa(0x22000000u), 32u), HV_OK);
    assert_int_equal(rd(FR), 0x90u);
    machine_uart_reopen();
}

static void test_receive_timeout_only(void **state)
{
    (void)state;
    wr(IMSC, RT);
    type("a");
    assert_true(line());
    assert_int_equal(rd(RIS), RT);
    assert_int_equal(rd(MIS), RT);
    /* cleared with data left: told again */
    wr(ICR, RT);
    assert_true(line());
    assert_int_equal(rd(FR), 0x80u);
    assert_int_equal(rd(DR), 'a');
    assert_false(line());
    assert_int_equal(rd(FR), 0x90u);
}

static void test_receive_trigger_only(void **state)
{
    (void)state;
    wr(IMSC, RX);
    type("0123456789abcde");
    assert_false(line());
    type("f");
    assert_true(line());
    assert_int_equal(rd(RIS), RX | RT);
    assert_int_equal(rd(DR), '0');
    assert_false(line());
    wr(IFLS, 0u); /* an eighth: 4 characters */
    assert_true(line());
    wr(LCR_H, 0x60u); /* no FIFO: each character counts */
    for (uint32_t i = 1; i < 16u; i++) {
        assert_true(line());
        assert_int_equal(rd(DR), "0123456789abcdef"[i]);
    }
    assert_false(line());
}

static void test_overrun(void **state)
{
    (void)state;
    wr(IMSC, OE);
    for (uint32_t i = 0; i < 32u; i++) {
        vpl011_receive(&uart, (uint8_t)i);
    }
    assert_int_equal(rd(FR), 0xC0u);
    assert_false(line());
    type("xyz");
    assert_true(line());
    assert_int_equal(rd(RSR), 8u);
    wr(RSR, 0u);
    assert_int_equal(rd(RSR), 0u);
    wr(ICR, OE);
    assert_false(line());
    for (uint32_t i = 0; i < 32u; i++) {
        assert_int_equal(rd(DR), i);
    }
    type("pq");
    assert_int_equal(rd(DR), 'p' | 0x800u);
    assert_int_equal(rd(DR), 'q');
}

static void test_ring_wraps(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 1000u; i++) {
        vpl011_receive(&uart, (uint8_t)i);
        vpl011_receive(&uart, (uint8_t)(i + 7u));
        assert_int_equal(rd(DR), (uint8_t)i);
        assert_int_equal(rd(DR), (uint8_t)(i + 7u));
    }
}

static void test_pl011_registers_accepted(void **state)
{
    (void)state;
    assert_int_equal(rd(CR), 0x301u);
    wr(IBRD, 0x12345678u);
    assert_int_equal(rd(IBRD), 0x5678u);
    wr(CR, 0u);
    wr(DMACR, 0xFFu);
    assert_int_equal(rd(DMACR), 7u);
    wr(0x80u, 0xFFFFFFFFu); /* integration test registers and holes: nothing */
    assert_int_equal(rd(0x80u), 0u);
    wr(DR, 'x'); /* sent although the guest "disabled" it: SBSA knows no such thing */
    wr(DR, '\n');
    assert_non_null(strstr(machine_output(), "x\n"));
}

static void test_identification(void **state)
{
    static const uint8_t id[8] = { 0x11, 0x10, 0x34, 0x00, 0x0D, 0xF0, 0x05, 0xB1 };

    (void)state;
    for (uint32_t i = 0; i < 8u; i++) {
        assert_int_equal(rd(0xFE0u + (4u * i)), id[i]);
    }
    wr(0xFE0u, 0u);
    assert_int_equal(rd(0xFE0u), 0x11u);
}

static void test_widths(void **state)
{
    const struct mmio_ops *const ops = domain.window[0].ops;
    uint64_t value = 0;

    (void)state;
    assert_false(ops->read(&uart, &vcpu, FR, 8u, &value));
    assert_false(ops->write(&uart, &vcpu, DR, 8u, 'x'));
    assert_string_equal(machine_output(), "");
    assert_true(ops->read(&uart, &vcpu, FR, 1u, &value));
    assert_int_equal(value, 0x90u);
    assert_true(ops->read(&uart, &vcpu, CR, 2u, &value));
    assert_int_equal(value, 0x301u);
    assert_true(ops->read(&uart, &vcpu, CR + 1u, 1u, &value));
    assert_int_equal(value, 3u);
    type("a");
    assert_true(ops->read(&uart, &vcpu, DR + 1u, 1u, &value));
    assert_int_equal(rd(DR), 'a'); /* only the register's first byte takes a character */
    assert_true(ops->write(&uart, &vcpu, DR, 1u, 'b'));
    assert_true(ops->write(&uart, &vcpu, DR + 1u, 1u, 'c'));
    assert_true(ops->write(&uart, &vcpu, DR, 2u, '\n'));
    assert_non_null(strstr(machine_output(), "domU1: b\n"));
}

/* Whatever is written, reads stay possible and the line follows RIS and IMSC. */
static void test_any_write(void **state)
{
    uint32_t x = 1u;

    (void)state;
    for (uint32_t i = 0; i < 20000u; i++) {
        const uint32_t offset = (x >> 8u) & 0xFFCu;

        x = (x * 1664525u) + 1013904223u;
        if ((i % 3u) == 0u) {
            vpl011_receive(&uart, (uint8_t)x);
        }
        wr(((i % 2u) == 0u) ? offset : (offset & 0x4Cu), x);
        (void)rd(offset);
        assert_int_equal(line(), rd(MIS) != 0u);
        assert_int_equal(rd(MIS), rd(RIS) & rd(IMSC));
    }
}

static void test_detached(void **state)
{
    uint64_t value = 0;

    (void)state;
    wr(IMSC, RT);
    vpl011_detach(&uart);
    type("lost");
    assert_false(line());
    assert_false(domain.window[0].ops->read(&uart, &vcpu, FR, 4u, &value));
    domain.nr_windows = 0u;
    assert_int_equal(vpl011_attach(&uart, &domain, gpa(0x22000000u), 32u), HV_OK);
    assert_int_equal(rd(FR), 0x90u);
    assert_int_equal(rd(IMSC), 0u);
}

/* -- Led to tools. [test->req~console-tools~1] -- */

static struct xen_console_ring page;
static bool served;
static uint32_t nr_told;

static bool other_there(const struct domain *of, uint32_t port)
{
    assert_ptr_equal(of, &domain);
    assert_int_equal(port, 7u);
    return served;
}

static bool other_told(const struct domain *of, uint32_t port)
{
    nr_told += other_there(of, port) ? 1u : 0u;
    return served;
}

static int lead(void **state)
{
    static const struct vpl011_ends ends = { other_there, other_told };

    (void)reset(state);
    vpl011_detach(&uart);
    domain.nr_windows = 0u;
    (void)memset(&page, 0, sizeof(page));
    served = true;
    nr_told = 0u;
    vpl011_lead(&uart, &page, 7u, &ends);
    assert_int_equal(vpl011_attach(&uart, &domain, gpa(0x22000000u), 32u), HV_OK);
    return 0;
}

static void arrive(const char *text)
{
    for (; *text != '\0'; text++) {
        page.in[page.in_prod % 1024u] = (uint8_t)*text;
        page.in_prod++;
    }
    vpl011_hear(&uart);
}

static void test_led(void **state)
{
    (void)state;
    wr(IMSC, TX);
    for (const char *c = "hello\n"; *c != '\0'; c++) {
        wr(DR, (uint32_t)*c);
    }
    assert_int_equal(page.out_prod, 6u);
    assert_memory_equal(page.out, "hello\n", 6u);
    assert_int_equal(nr_told, 6u);
    assert_true(line());
    assert_int_equal(rd(FR), 0x90u);
    assert_string_equal(machine_output(), "");
    served = false; /* what is sent goes to the shared console meanwhile */
    vpl011_hear(&uart);
    wr(DR, 'x');
    wr(DR, '\n');
    assert_int_equal(rd(FR), 0x90u);
    assert_non_null(strstr(machine_output(), "domU1: x\n"));
    assert_int_equal(page.out_prod, 6u);
    served = true;
    wr(DR, 'y');
    assert_int_equal(page.out[6], 'y');

    page.out_prod = 0x12345678u; /* the guest's or the server's; it goes its own way */
    wr(DR, 'z');
    assert_int_equal(page.out_prod, 8u);
    assert_int_equal(page.out[7], 'z');
    vpl011_detach(&uart); /* another life: what was not read stays */
    vpl011_hear(&uart);
    domain.nr_windows = 0u;
    page.in_prod = 5u;
    assert_int_equal(vpl011_attach(&uart, &domain, gpa(0x22000000u), 32u), HV_OK);
    assert_true((page.out_prod == 8u) && (page.in_cons == 5u));
    assert_int_equal(rd(FR), 0x90u);
}

/* More than the FIFO takes comes as it is read; typing at the shared console works, too. */
static void test_led_input(void **state)
{
    (void)state;
    wr(IMSC, RT);
    for (uint32_t i = 0; i < 60u; i++) {
        arrive("0123456789");
    }
    assert_int_equal(page.in_cons, 32u);
    assert_int_equal(rd(RSR), 0u); /* nothing is lost */
    assert_true(line());
    for (uint32_t i = 0; i < 600u; i++) {
        assert_int_equal(rd(DR), "0123456789"[i % 10u]);
    }
    assert_false(line());
    assert_int_equal(nr_told, 0u);
    type("k");
    assert_int_equal(rd(DR), 'k');
    page.in_prod = page.in_cons + 1024u; /* full: who waits for room hears of it */
    vpl011_hear(&uart);
    assert_int_equal(nr_told, 1u);
    assert_int_equal(page.in_prod - page.in_cons, 1024u - 32u);
}

/* Whatever the words of the page say, what is done is bounded and in the page. */
static void test_led_hostile(void **state)
{
    static const uint32_t words[] = { 0u,    1u,    1023u, 1024u,       1025u,
                                      2047u, 2048u, 2049u, 0x80000000u, UINT32_MAX };
    uint8_t before = 0;

    (void)state;
    wr(IMSC, RT | TX);
    for (uint32_t i = 0; i < (10u * 10u * 10u); i++) {
        page.in_prod = words[i % 10u];
        page.in_cons = words[(i / 10u) % 10u];
        page.out_cons = words[(i / 100u) % 10u];
        page.out_prod = words[(i / 10u) % 10u];
        vpl011_hear(&uart);
        before = page.out[2047];
        wr(DR, i);
        (void)rd(FR);
        assert_int_equal(line(), rd(MIS) != 0u);
        assert_true((before == page.out[2047]) || ((uart.ring.out_prod % 2048u) == 0u));
    }
    page.in_prod = uart.ring.in_cons + 1025u; /* more than there can be: none of it */
    while ((rd(FR) & 0x10u) == 0u) {
        (void)rd(DR);
    }
    page.in_prod = uart.ring.in_cons + 1025u;
    vpl011_hear(&uart);
    assert_int_equal(rd(FR) & 0x10u, 0x10u);
    assert_int_equal(page.in_cons, page.in_prod);
}

/* A ring that nobody reads: the guest is told to wait, and no longer after a while. */
static void test_led_not_read(void **state)
{
    (void)state;
    wr(IMSC, TX);
    for (uint32_t n = 0; (rd(FR) & 0x20u) == 0u; n++) {
        assert_true(n < 2048u);
        wr(DR, 'a' + (n % 26u));
    }
    assert_int_equal(page.out_prod, 2048u);
    assert_int_equal(rd(FR) & 0xA8u, 0x28u);
    assert_false(line());
    wr(DR, 'L');
    fake_time_advance(1900000000u);
    assert_int_equal(rd(FR) & 0xA8u, 0x28u);
    fake_time_advance(200000000u);
    assert_int_equal(rd(FR), 0x90u);
    assert_true(line());
    wr(DR, 'L');
    assert_int_equal(rd(FR), 0x90u);
    assert_int_equal(page.out_prod, 2048u);
    assert_int_equal(page.out[0], 'a');
    page.out_cons = 15u; /* it is read after all, and waited for again */
    vpl011_hear(&uart);
    assert_false(line());
    assert_int_equal(rd(FR), 0x90u);
    page.out_cons = 16u;
    vpl011_hear(&uart);
    assert_true(line());
    for (uint32_t n = 0; n < 16u; n++) {
        wr(DR, 'b');
    }
    assert_int_equal(rd(FR) & 0xA8u, 0x28u);
    served = false; /* it goes: the shared console takes it */
    vpl011_hear(&uart);
    assert_true(line());
    assert_int_equal(rd(FR), 0x90u);
}

#define LED_TEST(f)  cmocka_unit_test_setup_teardown(f, lead, take_down)
#define UART_TEST(f) cmocka_unit_test_setup_teardown(f, reset, take_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UART_TEST(test_after_reset),
        UART_TEST(test_send),
        UART_TEST(test_send_waits),
        UART_TEST(test_receive_timeout_only),
        UART_TEST(test_receive_trigger_only),
        UART_TEST(test_overrun),
        UART_TEST(test_ring_wraps),
        UART_TEST(test_pl011_registers_accepted),
        UART_TEST(test_identification),
        UART_TEST(test_widths),
        UART_TEST(test_any_write),
        UART_TEST(test_detached),
        LED_TEST(test_led),
        LED_TEST(test_led_input),
        LED_TEST(test_led_hostile),
        LED_TEST(test_led_not_read),
    };

    return cmocka_run_group_tests(tests, machine_setup, NULL);
}
