#include "host.h"

#include <string.h>

#include "base/console.h"
#include "hal/boot.h"
#include "hal/upcall.h"
#include "state_reset.h"

#define TYPED_MAX 256u

static char shown[1u << 17u];
static size_t nr_shown;
static uint8_t typed[TYPED_MAX];
static uint32_t nr_typed;
static uint32_t nr_read;

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_stack_use_after_return=0"; /* coroutines are left for good */
}

static uint64_t uart_read(void *ctx, uint64_t offset, uint32_t width)
{
    uint64_t value = 0u;

    (void)ctx;
    (void)width;
    if (offset == 0x18u) {
        value = 0x80u | ((nr_read < nr_typed) ? 0u : 0x10u);
    } else if ((offset == 0u) && (nr_read < nr_typed)) {
        value = typed[nr_read];
        nr_read++;
    }
    return value;
}

static void uart_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    (void)ctx;
    (void)width;
    if ((offset == 0u) && (nr_shown < (sizeof(shown) - 1u)) && (value != '\r')) {
        shown[nr_shown] = (char)value;
        nr_shown++;
    }
}

const char *host_shown(void)
{
    console_flush(); /* the rest would come with the next interrupts */
    return shown;
}

void host_type(uint8_t c)
{
    if (nr_typed < TYPED_MAX) {
        typed[nr_typed] = c;
        nr_typed++;
        fake_irq_raise(HOST_UART_IRQ);
        fake_run();
    }
}

static void boot_main(void *arg)
{
    upcall_boot(arg);
}

void host_reset(void)
{
    (void)memset(shown, 0, nr_shown);
    nr_shown = 0u;
    nr_typed = 0u;
    nr_read = 0u;
    fake_reset();
    state_reset();
}

void host_setup(const uint8_t *tree, size_t bytes)
{
    static const struct fake_device uart = { HOST_UART, 0x1000u, uart_read, uart_write, NULL };

    fake_ram_setup(HOST_RAM, HOST_RAM_BYTES);
    fake_device_add(&uart);
    (void)memcpy(fake_ram(hpa(HOST_TREE), bytes), tree, bytes);
}

void host_on(uint64_t cpu_hwid)
{
    static struct hal_boot boot;

    boot = (struct hal_boot){ .image_base = hpa(HOST_IMAGE),
                              .image_bytes = HOST_IMAGE_BYTES,
                              .tree = hpa(HOST_TREE),
                              .cpu_hwid = cpu_hwid };
    fake_cpu_boot(0u, boot_main, &boot);
    fake_run();
    fake_cpu_set(HV_CPUS_MAX - 1u);
}
