/* The console's UART, by what the plan says about it. */
#include "boot/boot.h"

#include "base/console.h"
#include "hal/timer.h"
#include "irq/irq.h"
#include "time/timer.h"

#define POLL_NS                                                                                              \
    5000000ULL /* at 115200 baud 58 characters come in this time, more than a FIFO holds: typing works */
#define POLL_BUSY_NS 1000000ULL /* ... and a FIFO of 16 is emptied in 1.4 ms */

static struct uart_regs regs;
static struct console_uart uart;
static struct timer poll_timer;

/* NULL: not in this build. */
static void (*const uart_open[])(struct uart_regs *regs, struct console_uart *uart) = {
    [PLAN_CONSOLE_NONE] = NULL,
    [PLAN_CONSOLE_PL011] = pl011_open,
    [PLAN_CONSOLE_NS16550] = (CONFIG_STATIC == 0) ? ns16550_open : NULL,
    [PLAN_CONSOLE_CADENCE] = cadence_open,
    [PLAN_CONSOLE_CMSDK] = (CONFIG_CMSDK != 0) ? cmsdk_open : NULL,
};

/* Without a console everything else works the same. */
enum hv_status boot_console_open(void)
{
    const struct plan_console *const plan = &boot_state.plan.console;
    void *va = NULL;

    if (((uint32_t)plan->kind < ARRAY_LEN(uart_open)) && (uart_open[plan->kind] != NULL) &&
        (hal_hypmap_device(plan->base, plan->bytes, &va) == HV_OK)) {
        regs.base = va;
        regs.reg_shift = plan->reg_shift;
        regs.reg_width = plan->reg_width;
        uart_open[plan->kind](&regs, &uart);
        console_set_uart(&uart);
    }
    return HV_OK;
}

enum hv_status boot_console_keep(void)
{
    const struct range *const keep = &boot_state.plan.log_keep;
    void *va = NULL;

    /* the region of a tree that has faults may not even be memory */
    if ((CONFIG_STATIC == 0) && boot_state.sound && (keep->bytes != 0u) &&
        (hal_hypmap_memory(hpa(keep->base), keep->bytes, &va) == HV_OK)) {
        log_keep(va, keep->bytes);
    }
    return HV_OK;
}

static void service(void *ctx)
{
    (void)ctx;
    (void)console_service(); /* if more is left the transmit interrupt comes again */
}

static void poll(struct timer *timer)
{
    const bool busy = console_service();

    timer_arm(timer, hal_timer_now_ns() + (busy ? POLL_BUSY_NS : POLL_NS));
}

enum hv_status boot_console_listen(void)
{
    const struct plan_console *const plan = &boot_state.plan.console;
    bool by_irq = false;

    if ((uart.irq_enable != NULL) && (uart.tx_irq != NULL) && (plan->irq != 0u)) {
        by_irq = (irq_register(plan->irq, plan->irq_edge, service, NULL) == HV_OK);
        if (by_irq) {
            uart.irq_enable(uart.device);
        }
    }
    if ((uart.get != NULL) && !by_irq) {
        timer_setup(&poll_timer, poll);
        timer_arm(&poll_timer, hal_timer_now_ns() + POLL_NS);
    }
    if (uart.get != NULL) {
        console_drive(by_irq); /* also takes what is there: a FIFO that is full may not interrupt again */
    }
    return HV_OK;
}
