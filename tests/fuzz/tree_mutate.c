/* Mutations of device trees: properties and nodes are changed through libfdt, so that what comes out is a
 * tree again; one in eight changes bytes wherever they are. */
#include <libfdt.h>
#include <string.h>

#include "fuzz.h"

#define ROOM   (64u << 10u)
#define STEPS  6u
#define CELLS  64
#define ONE_IN 8u

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned int seed);

static uint64_t state;
static uint8_t tree[ROOM + 8u] __attribute__((aligned(8)));
static uint8_t other[ROOM] __attribute__((aligned(8)));

static uint32_t any(uint32_t below)
{
    state ^= state << 13u;
    state ^= state >> 7u;
    state ^= state << 17u;
    return (uint32_t)((state >> 16u) % below);
}

/* Names that mean something to somebody */
static const char *const names[] = {
    "reg",
    "compatible",
    "status",
    "device_type",
    "#address-cells",
    "#size-cells",
    "ranges",
    "interrupts",
    "interrupt-parent",
    "interrupts-extended",
    "phandle",
    "linux,phandle",
    "stdout-path",
    "enable-method",
    "memory",
    "cpus",
    "vpl011",
    "bootargs",
    "nr_spis",
    "xen,xen-bootargs",
    "xen,domain-p2m-mem-mb",
    "bulkhead,scheduler",
    "bulkhead,start-order",
    "bulkhead,vcpu-affinity",
    "bulkhead,trap-unmapped",
    "bulkhead,image-offset",
    "bulkhead,image-bytes",
    "bulkhead,on-crash",
    "bulkhead,on-reset",
    "bulkhead,restart-limit",
    "bulkhead,watchdog-ms",
    "bulkhead,max-irq-rate",
    "bulkhead,monitor",
    "bulkhead,crc32c",
    "bulkhead,sha256",
    "bulkhead,partial-boot",
    "bulkhead,on-panic",
    "bulkhead,anything",
    "xen,anything",
    "xen,sched",
    "bulkhead,scheduler",
    "cpupool-cpus",
    "cpupool-sched",
    "domain-cpupool",
    "bulkhead,major-frame-us",
    "bulkhead,admission",
    "bulkhead,weight",
    "bulkhead,cap",
    "bulkhead,period-us",
    "bulkhead,budget-us",
    "bulkhead,no-extratime",
    "bulkhead,windows",
    "id",
    "hard-affinity",
    "method",
    "reg-shift",
    "reg-io-width",
    "clock-frequency",
    "no-map",
    "data",
    "mmu-type",
};
static const char *const words[] = {
    "okay",
    "disabled",
    "xen,domain",
    "multiboot,kernel",
    "multiboot,ramdisk",
    "multiboot,module",
    "cpu",
    "memory",
    "psci",
    "smc",
    "hvc",
    "arm,pl011",
    "ns16550a",
    "arm,gic-v3",
    "arm,gic-400",
    "arm,armv8-timer",
    "arm,psci-1.0",
    "bulkhead,fake-intc",
    "bulkhead,fake-intc-2",
    "bulkhead,fake-power",
    "serial0:115200n8",
    "/soc/serial@1000000",
    "null",
    "credit",
    "credit2",
    "rtds",
    "arinc653",
    "sched=null",
    "xen,cpupool",
    "restart",
    "stop",
    "halt",
    "reboot",
    "park",
    "bulkhead,log",
    "xen,vcpu",
    "",
    "a-name-that-is-as-long-as-thirty-one",
    "\033[2J\001\n",
};
static const uint32_t cells[] = { 0u,          1u,          2u,          3u,          4u,
                                  5u,          8u,          16u,         32u,         64u,
                                  127u,        128u,        129u,        1000u,       1024u,
                                  4096u,       4095u,       65536u,      0x10000000u, 0x3FFFFFFFu,
                                  0x40000000u, 0x47FFF000u, 0x48000000u, 0x48001000u, 0x7FFFF000u,
                                  0x7FFFFFFFu, 0x80000000u, 0xFFFFF000u, 0xFFFFFFFEu, 0xFFFFFFFFu };
#define OF(table) ((table)[any(sizeof(table) / sizeof((table)[0]))])

static int node_any(const void *fdt)
{
    int count = 0;
    int at = 0;

    for (int n = fdt_next_node(fdt, -1, NULL); n >= 0; n = fdt_next_node(fdt, n, NULL)) {
        count++;
    }
    for (uint32_t skip = any((uint32_t)count + 1u); (skip > 0u) && (at >= 0); skip--) {
        const int next = fdt_next_node(fdt, at, NULL);

        if (next < 0) {
            break;
        }
        at = next;
    }
    return at;
}

/* A property of that node, -1 if it has none */
static int prop_any(const void *fdt, int node)
{
    int count = 0;
    int found = -1;
    int at;

    fdt_for_each_property_offset(at, fdt, node)
    {
        count++;
    }
    uint32_t pick = (count > 0) ? any((uint32_t)count) : 0u;
    fdt_for_each_property_offset(at, fdt, node)
    {
        if (pick == 0u) {
            found = at;
            break;
        }
        pick--;
    }
    return found;
}

static void set_any(void *fdt, int node, const char *name)
{
    fdt32_t value[CELLS];
    const uint32_t count = any(9u);
    const char *const word = OF(words); /* once: libfdt's macros name it twice */

    for (uint32_t i = 0u; i < count; i++) {
        value[i] = cpu_to_fdt32(OF(cells));
    }
    switch (any(4u)) {
    case 0:
        (void)fdt_setprop_string(fdt, node, name, word);
        break;
    case 1:
        (void)fdt_appendprop_string(fdt, node, name, word);
        break;
    default:
        (void)fdt_setprop(fdt, node, name, value, (int)(count * 4u));
        break;
    }
}

static void cell_change(void *fdt, int prop)
{
    int len = 0;
    const struct fdt_property *const p = fdt_get_property_by_offset(fdt, prop, &len);

    if ((p != NULL) && (len >= 4)) {
        uint8_t *const at = (uint8_t *)(uintptr_t)&p->data[4u * any((uint32_t)len / 4u)];
        fdt32_t value;
        uint32_t number;

        (void)memcpy(&value, at, 4u);
        number = fdt32_to_cpu(value);
        switch (any(5u)) {
        case 0:
            number += any(3u) - 1u;
            break;
        case 1:
            number ^= 1u << any(32u);
            break;
        case 2:
            number = any(300u);
            break;
        default:
            number = OF(cells);
            break;
        }
        value = cpu_to_fdt32(number);
        (void)memcpy(at, &value, 4u);
    }
}

/* The properties and children of one node, into another place: duplicates of domains, modules, devices. */
static void copy_node(void *to, int parent, const void *from, int node, const char *name, uint32_t depth)
{
    const int made = fdt_add_subnode(to, parent, name);
    int at;

    if (made < 0) {
        return;
    }
    fdt_for_each_property_offset(at, from, node)
    {
        int len = 0;
        const char *what = NULL;
        const void *const value = fdt_getprop_by_offset(from, at, &what, &len);
        const int place = fdt_subnode_offset(to, parent, name);

        if ((value != NULL) && (place >= 0)) {
            (void)fdt_setprop(to, place, what, value, len);
        }
    }
    fdt_for_each_subnode(at, from, node)
    {
        const char *const child = fdt_get_name(from, at, NULL);
        const int place = fdt_subnode_offset(to, parent, name);

        if ((child != NULL) && (place >= 0) && (depth < 6u)) {
            copy_node(to, place, from, at, child, depth + 1u);
        }
    }
}

static void copy_any(void *to, const void *from)
{
    const int node = node_any(from);
    const char *const old = fdt_get_name(from, node, NULL);
    char name[48];

    (void)snprintf(name, sizeof(name), "%.30s%s", ((old != NULL) && (*old != '\0')) ? old : "n",
                   (any(2u) == 0u) ? "" : "0");
    copy_node(to, node_any(to), from, node, name, 0u);
}

/* What is done with a property that is there */
static void prop_step(void *fdt, int node, int prop)
{
    const char *in_tree = NULL; /* moves when the tree changes */
    char name[64] = "";

    if (fdt_getprop_by_offset(fdt, prop, &in_tree, NULL) != NULL) {
        (void)snprintf(name, sizeof(name), "%s", in_tree);
    }
    switch (any(8u)) {
    case 0:
        (void)fdt_delprop(fdt, node, name);
        break;
    case 1:
        (void)fdt_nop_property(fdt, node, name);
        break;
    case 2:
        set_any(fdt, node, name);
        break;
    default:
        cell_change(fdt, prop);
        break;
    }
}

static void step(void *fdt)
{
    const int node = node_any(fdt);
    const int prop = prop_any(fdt, node);

    switch (any(12u)) {
    case 0:
        set_any(fdt, node, OF(names));
        break;
    case 1:
        (void)fdt_del_node(fdt, (node == 0) ? node_any(fdt) : node);
        break;
    case 2: /* of itself, or of one that was here before */
        if ((any(2u) == 0u) || (fdt_magic(other) != FDT_MAGIC)) {
            (void)memcpy(other, fdt, fdt_totalsize(fdt));
        }
        copy_any(fdt, other);
        break;
    case 3:
        (void)fdt_add_mem_rsv(fdt, (uint64_t)OF(cells), (uint64_t)OF(cells));
        break;
    case 4:
        if (any(8u) == 0u) {
            (void)fdt_set_name(fdt, node, OF(words));
        }
        break;
    default:
        if (prop >= 0) {
            prop_step(fdt, node, prop);
        }
        break;
    }
}

/* Opens what is a tree into tree[]. */
static bool open(const uint8_t *data, size_t bytes)
{
    return (bytes > sizeof(struct fdt_header)) && (bytes < (ROOM / 2u)) &&
           (fdt_check_full(data, bytes) == 0) && (fdt_open_into(data, tree, (int)ROOM) == 0);
}

static size_t close(uint8_t *data, size_t most)
{
    size_t bytes;

    (void)fdt_pack(tree);
    bytes = fdt_totalsize(tree);
    if (bytes > most) {
        bytes = 0u;
    } else {
        (void)memcpy(data, tree, bytes);
    }
    return bytes;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t most, unsigned int seed)
{
    size_t made = 0u;

    state = ((uint64_t)seed << 20u) | 0x9E3779B9u;
    if ((any(ONE_IN) != 0u) && open(data, bytes)) {
        for (uint32_t n = any(STEPS) + 1u; n > 0u; n--) {
            step(tree);
        }
        made = close(data, most);
    }
    return (made > 0u) ? made : LLVMFuzzerMutate(data, bytes, most);
}
