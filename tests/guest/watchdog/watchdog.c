/* The SBSA Generic Watchdog by the book (Arm DEN0029, revision 1): identify, program, refresh, take the
 * warning, stop it; then hang with interrupts masked, which only the watchdog ends. It says one line in each
 * life. Its times are long, for an emulator on a busy machine. */
#include "guest.h"

#define WRR  0x000u
#define WCS  0x000u
#define WOR  0x008u
#define WCV  0x010u
#define IIDR 0xFCCu

#define EN  1u
#define WS0 2u
#define WS1 4u

static uintptr_t refresh;
static uintptr_t control;
static volatile uint32_t warnings;
static volatile uint32_t status_at_warning;

static void warned(uint32_t intid)
{
    (void)intid;
    warnings++;
    status_at_warning = mmio_read32(control + WCS);
    mmio_write32(refresh + WRR, 0u);
}

static void wait_ms(uint64_t ms)
{
    const uint64_t end = timer_now() + ((ms * timer_frequency()) / 1000u);

    while (timer_now() < end) {
        arch_yield();
    }
}

static const char *try_out(uint32_t intid)
{
    const uint64_t second = timer_frequency();

    if (((mmio_read32(control + IIDR) >> 16u) & 15u) != 1u) {
        return "revision";
    }
    if ((mmio_read32(control + WCS) & (WS0 | WS1)) != 0u) {
        return "status at the start";
    }
    mmio_write64(control + WOR, ~(uint64_t)0u);
    if (mmio_read64(control + WOR) != 0x0000FFFFFFFFFFFFu) {
        return "width of WOR";
    }
    mmio_write64(control + WOR, second);
    mmio_write32(control + WCS, EN);
    if ((mmio_read64(control + WCV) - timer_now()) > second) {
        return "WCV";
    }
    irq_enable(intid, IRQ_PRIORITY_HIGH, warned);
    arch_irq_open();
    for (uint32_t i = 0u; i < 15u; i++) {
        wait_ms(100u);
        mmio_write32(refresh + WRR, i);
    }
    if (warnings != 0u) {
        return "warned in spite of refreshes";
    }
    wait_ms(1500u);
    if ((warnings != 1u) || (status_at_warning != (EN | WS0)) || (mmio_read32(control + WCS) != EN)) {
        return "warning";
    }
    mmio_write32(control + WCS, 0u);
    mmio_write32(control + WOR, (uint32_t)(second / 10u));
    wait_ms(500u);
    return ((warnings == 1u) && (mmio_read32(control + WCS) == 0u)) ? NULL : "stopped";
}

void guest_main(void)
{
    const struct tree_node node = tree_compatible("arm,sbsa-gwdt");
    const char *fault = "no such device";
    uint64_t base[2] = { 0u, 0u };
    uint64_t bytes;
    uint32_t intid;

    if ((node.at != NULL) && tree_reg(&node, 0u, &base[0], &bytes) && tree_reg(&node, 1u, &base[1], &bytes) &&
        tree_irq(&node, 0u, &intid)) {
        control = base[0];
        refresh = base[1];
        fault = try_out(intid);
    }
    print("WATCHDOG %s\n", (fault == NULL) ? "ok" : fault);
    arch_irq_mask();
    mmio_write64(control + WOR, timer_frequency() / 4u);
    mmio_write32(control + WCS, EN);
    for (;;) {
        arch_yield();
    }
}
