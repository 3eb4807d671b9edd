/* Emulated devices: each byte of each register at each width, and accesses that no driver makes. The device
 * lies twice in our address space, once as device and once as normal memory, for which nothing need be
 * aligned. */
#include "code.h"
#include "hostile.h"
#include "hostile_arch.h"

#define GIC_FRAME 0x20000u

static void forms_ready(void)
{
    for (uint32_t i = 0u; i < hostile_nr_forms; i++) {
        code_put(i, hostile_forms[i]);
    }
    code_sync();
}

/* The plain widths, read and write, at this byte */
static void byte(uint64_t at, uint64_t value)
{
    for (uint32_t width = 0u; width < HOSTILE_WIDTHS; width++) {
        (void)code_run(width, at, 0u);
        (void)code_run(HOSTILE_WIDTHS + width, at, value);
    }
    tried(2u * HOSTILE_WIDTHS);
}

static void bytes(uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at++) {
        byte(at + HOSTILE_ALIAS, random64());
    }
}

/* All forms at the ends of a window and at some places in it */
static void awkward(uint64_t base, uint64_t length)
{
    const uint64_t places[] = {
        base - 8u,          base - 4u,          base - 1u,           base,
        base + 1u,          base + 0x18u,       base + length - 16u, base + length - 8u,
        base + length - 4u, base + length - 2u, base + length - 1u,  base + length
    };

    for (uint32_t p = 0u; p < (sizeof(places) / sizeof(places[0])); p++) {
        for (uint32_t form = 0u; form < hostile_nr_forms; form++) {
            (void)code_run(form, places[p], 0u);
            (void)code_run(form, places[p] + HOSTILE_ALIAS,
                           ~1ULL); /* not bit 0: it would start the watchdog */
        }
        tried(2u * hostile_nr_forms);
    }
}

static void distributor(void)
{
    const uint64_t base = gic_distributor();

    forms_ready();
    bytes(base, base + 0x1000u);
    if (irq_version() == 3u) {
        bytes(base + 0x6000u, base + 0x6100u);
        bytes(base + 0x7F00u, base + 0x8008u);
        bytes(base + 0xFFD0u, base + 0x10000u);
        for (uint64_t at = 0x1000u; at < 0x10000u; at += 0x7Cu) {
            byte(base + at, random64());
        }
    }
    awkward(base, (irq_version() == 3u) ? 0x10000u : 0x1000u);
    gic_calm();
}

/* Of GICv3 every vCPU's redistributor, whoever is asked, and those that are not there; of GICv2 the CPU
 * interface */
static void private_frames(void)
{
    forms_ready();
    if (irq_version() == 3u) {
        const uint64_t first = gic_redistributor() - ((uint64_t)cpu_number() * GIC_FRAME);

        for (uint32_t cpu = 0u; cpu < hostile_cpus(); cpu++) {
            const uint64_t frame = first + ((uint64_t)cpu * GIC_FRAME);

            bytes(frame, frame + 0x80u);
            bytes(frame + 0xFFE0u, frame + 0x10000u);
            bytes(frame + 0x10080u, frame + 0x10100u);
            for (uint64_t at = 0x10100u; at < 0x11000u; at += 3u) {
                byte(frame + at + HOSTILE_ALIAS, random64());
            }
        }
        awkward(first, (uint64_t)hostile_cpus() * GIC_FRAME);
        awkward(first + (40u * GIC_FRAME), GIC_FRAME);
    } else {
        bytes(gic_cpu_interface(), gic_cpu_interface() + 0x120u);
        bytes(gic_cpu_interface() + 0xFC0u, gic_cpu_interface() + 0x1008u);
        awkward(gic_cpu_interface(), 0x2000u);
    }
    gic_calm();
}

static void uart(void)
{
    const uint64_t base = console_base();

    forms_ready();
    bytes(base + 4u, base + 0x1000u);
    awkward(base, 0x1000u);
    mmio_write32(base + 0x38u, 0u);
    console_put('\n');
}

static void watchdog(void)
{
    const struct tree_node node = tree_compatible("arm,sbsa-gwdt");

    forms_ready();
    for (uint32_t frame = 0u; frame < 2u; frame++) {
        uint64_t base;
        uint64_t length;

        if (!tree_reg(&node, frame, &base, &length)) {
            break;
        }
        for (uint64_t at = base; at < (base + 0x1000u); at++) {
            byte(at + HOSTILE_ALIAS, random64() & ~1ULL);
        }
        awkward(base, 0x1000u);
    }
}

const struct attack attacks_devices[] = {
    { "device_alias", hostile_alias, false },
    { "distributor", distributor, false },
    { "private_frames", private_frames, false },
    { "private_frames_together", private_frames, true },
    { "uart", uart, false },
    { "watchdog", watchdog, false },
    { NULL, NULL, false },
};
