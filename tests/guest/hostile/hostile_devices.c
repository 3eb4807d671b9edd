/* Emulated devices: each byte of each register at each width, and accesses that no driver makes. The device
 * lies twice in our address space, once as device and once as normal memory, for which nothing need be
 * aligned. */
#include "code.h"
#include "hostile.h"

#define ALIAS        0x100000000ULL /* the first GiB again */
#define BLOCK_NORMAL 0x705ULL       /* the attributes of RAM */
#define GIC_FRAME    0x20000u

extern uint64_t level1[512];

/* One load or store each: x0 address, x1 value */
static const uint32_t forms[] = {
    0x39400001u, /* ldrb */
    0x79400001u, /* ldrh */
    0xB9400001u, /* ldr w */
    0xF9400001u, /* ldr x */
    0x39000001u, /* strb */
    0x79000001u, /* strh */
    0xB9000001u, /* str w */
    0xF9000001u, /* str x */
    0x39800001u, /* ldrsb x */
    0xB9800001u, /* ldrsw */
    0xB8404401u, /* ldr w, post-index */
    0xB8404C01u, /* ldr w, pre-index */
    0xB8004401u, /* str w, post-index */
    0xF81F8C01u, /* str x, pre-index down */
    0x29400C02u, /* ldp w */
    0xA9400C02u, /* ldp x */
    0xA9000C02u, /* stp x */
    0xA8C10C02u, /* ldp x, post-index */
    0x885F7C01u, /* ldxr w */
    0xC85FFC01u, /* ldaxr x */
    0x88027C01u, /* stxr w */
    0xC87F0C02u, /* ldxp x */
    0x88DFFC01u, /* ldar w */
    0x889FFC01u, /* stlr w */
    0xB8210001u, /* ldadd w (Armv8.1) */
    0xF8E18001u, /* swpal x (Armv8.1) */
    0x88E1FC02u, /* casal w (Armv8.1) */
    0x48227C04u, /* casp x (Armv8.1) */
    0x3DC00001u, /* ldr q */
    0x3D800001u, /* str q */
    0x4C407001u, /* ld1 16b */
    0x4C9F2001u, /* st1 four, post-index */
    0xAD400801u, /* ldp q */
    0xF9800000u, /* prfm */
    0xB8400801u, /* ldtr w */
    0xD50B7420u, /* dc zva */
    0xD5087620u, /* dc ivac */
    0xD50B7520u, /* ic ivau */
    0xD5087800u, /* at s1e1r */
};
#define NR_FORMS ((uint32_t)(sizeof(forms) / sizeof(forms[0])))

static void forms_ready(void)
{
    for (uint32_t i = 0u; i < NR_FORMS; i++) {
        code_put(i, forms[i]);
    }
    code_sync();
}

static void device_alias(void)
{
    level1[ALIAS >> 30u] = BLOCK_NORMAL;
    __asm__ volatile("dsb ish\n\ttlbi vmalle1is\n\tdsb ish\n\tisb" : : : "memory");
}

/* The plain widths, read and write, at this byte */
static void byte(uint64_t at, uint64_t value)
{
    for (uint32_t width = 0u; width < 4u; width++) {
        (void)code_run(width, at, 0u);
        (void)code_run(4u + width, at, value);
    }
    tried(8u);
}

static void bytes(uint64_t from, uint64_t to)
{
    for (uint64_t at = from; at < to; at++) {
        byte(at + ALIAS, random64());
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
        for (uint32_t form = 0u; form < NR_FORMS; form++) {
            (void)code_run(form, places[p], 0u);
            (void)code_run(form, places[p] + ALIAS, ~1ULL); /* not bit 0: it would start the watchdog */
        }
        tried(2u * NR_FORMS);
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
                byte(frame + at + ALIAS, random64());
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
            byte(at + ALIAS, random64() & ~1ULL);
        }
        awkward(base, 0x1000u);
    }
}

const struct attack attacks_devices[] = {
    { "device_alias", device_alias, false },
    { "distributor", distributor, false },
    { "private_frames", private_frames, false },
    { "private_frames_together", private_frames, true },
    { "uart", uart, false },
    { "watchdog", watchdog, false },
    { NULL, NULL, false },
};
