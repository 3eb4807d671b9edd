/* The hypervisor's own address space (DDI 0487 D8.2, EL2 stage 1). early.c filled the first tables; areas:
 * the port's arm_mmu.h. Boot CPU until sealed, but for windows, of which every CPU has its own entries. */
/* [impl->req~no-standing-map~1] [impl->req~stack-guards~1] */
#include "arm_mmu.h"
#include "arm_port.h"
#include "hal/hypmap.h"
#include "hal/sync.h"
#include "hal/upcall.h"

#define WINDOW_CPUS (ARM_PTE_ENTRIES / (uint32_t)HAL_WINDOWS)

_Static_assert(WINDOW_CPUS >= HV_CPUS_MAX, "one level 2 table holds the windows of all CPUs");
_Static_assert(HAL_WINDOW_BYTES == (1ULL << (PAGE_SHIFT + ARM_PTE_BITS)), "a window is one level 2 entry");

static uint64_t hypmap_heap_pa;
static uint64_t hypmap_heap_bytes;
static uint64_t hypmap_fixed_next; /* bytes of the fixed area given away */

static void *hypmap_pointer(uint64_t va)
{
    return (void *)(uint8_t *)(uintptr_t)va;
}

static uint64_t hypmap_address(const void *va)
{
    return (uint64_t)(uintptr_t)(const uint8_t *)va;
}

/* New entries are visible to table walkers, and to this CPU's next instruction. */
static void hypmap_publish(void)
{
    arm_dsb_ishst();
    arm_isb();
}

hpa_t hal_hypmap_hpa(const void *va)
{
    const uint64_t at = hypmap_address(va);
    const uint64_t in_image = at - ARM_VA_IMAGE;
    const uint64_t in_heap = at - ARM_VA_HEAP;

    if (in_image < (hypmap_address(arm_image_end) - ARM_VA_IMAGE)) {
        return hpa(arm_image_pa + in_image);
    }
    if (in_heap >= hypmap_heap_bytes) {
        upcall_fatal("hypmap: not an address of image or heap", at);
    }
    return hpa(hypmap_heap_pa + in_heap);
}

uint64_t *arm_heap_at(uint64_t pa)
{
    if ((pa - hypmap_heap_pa) >= hypmap_heap_bytes) {
        upcall_fatal("hypmap: a table outside the heap", pa);
    }
    return (uint64_t *)hypmap_pointer(ARM_VA_HEAP + (pa - hypmap_heap_pa));
}

static inline uint32_t hypmap_window_index(enum hal_window slot)
{
    return ((arm_cpu_slot() * (uint32_t)HAL_WINDOWS) + (uint32_t)slot) % ARM_PTE_ENTRIES;
}

static inline uint64_t hypmap_window_va(uint32_t index)
{
    return ARM_VA_WINDOWS + (index * HAL_WINDOW_BYTES);
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    const uint64_t offset = at.v & (HAL_WINDOW_BYTES - 1u);
    const uint64_t wanted = arm_pte_leaf(at.v - offset, 2u, (perm == HAL_HYPMAP_RW) ? ARM_S1_RW : ARM_S1_RO);
    const uint32_t index = hypmap_window_index(slot);
    const uint64_t va = hypmap_window_va(index);
    uint64_t *entry = &arm_tables.window_l2[index];

    if (*entry != wanted) {
        if (*entry != 0u) {
            arm_entry_set(entry, 0u);
            arm_tlb_flush_local(va);
        }
        arm_entry_set(entry, wanted);
        hypmap_publish();
    }
    *bytes = HAL_WINDOW_BYTES - offset;
    return hypmap_pointer(va + offset);
}

void hal_hypmap_window_close(enum hal_window slot)
{
    const uint32_t index = hypmap_window_index(slot);
    uint64_t *entry = &arm_tables.window_l2[index];

    if (*entry != 0u) {
        arm_entry_set(entry, 0u);
        arm_tlb_flush_local(hypmap_window_va(index));
    }
}

uint32_t hal_hypmap_peek(hpa_t at)
{
    const uint64_t offset = at.v & (HAL_WINDOW_BYTES - 1u);
    const uint32_t index = hypmap_window_index(HAL_WINDOW_TRAP);
    const uint64_t va = hypmap_window_va(index);
    const volatile uint32_t *const word = hypmap_pointer(va + offset);

    arm_entry_set(&arm_tables.window_l2[index], arm_pte_leaf(at.v - offset, 2u, ARM_S1_RO));
    hypmap_publish();
    const uint32_t value = *word;

    arm_entry_set(&arm_tables.window_l2[index], 0u);
    arm_tlb_flush_local(va);
    return value;
}

/* The level 3 tables lie at the heap's beginning and are written through a window, before the heap is
 * mapped. */
enum hv_status hal_hypmap_heap(hpa_t base, uint64_t bytes, void **va, uint64_t *used_bytes)
{
    const uint64_t span = arm_level_bytes(2u);
    const uint64_t nr_tables = (bytes + span - 1u) / span;

    if ((hypmap_heap_bytes != 0u) || (bytes == 0u) || (((base.v | bytes) & (KIB(64) - 1u)) != 0u)) {
        return HV_INVALID;
    }
    if ((bytes > ARM_AREA_BYTES) || ((nr_tables * PAGE_BYTES) > bytes)) {
        return HV_LIMIT;
    }
    for (uint64_t t = 0u; t < nr_tables; t++) {
        uint64_t room;
        uint64_t *table = (uint64_t *)hal_hypmap_window(HAL_WINDOW_WORK_DST, hpa(base.v + (t * PAGE_BYTES)),
                                                        HAL_HYPMAP_RW, &room);

        for (uint64_t i = 0u; i < ARM_PTE_ENTRIES; i++) {
            const uint64_t offset = (t * span) + (i * PAGE_BYTES);

            table[i] = (offset < bytes) ? arm_pte_leaf(base.v + offset, ARM_LEVEL_LEAF, ARM_S1_RW) : 0u;
        }
        arm_tables.heap_l2[t] = arm_pte_table(base.v + (t * PAGE_BYTES));
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    hypmap_publish();
    hypmap_heap_pa = base.v;
    hypmap_heap_bytes = bytes;
    *va = hypmap_pointer(ARM_VA_HEAP);
    *used_bytes = nr_tables * PAGE_BYTES;
    return HV_OK;
}

/* The level 3 table of the fixed area for va, made if need be. */
static uint64_t *hypmap_fixed_table(uint64_t offset)
{
    const uint64_t index = offset / arm_level_bytes(2u);
    uint64_t *entry = &arm_tables.fixed_l2[index];
    uint64_t *table = NULL;

    if (index < ARM_FIXED_L3_PAGES) {
        table = arm_tables.fixed_l3[index];
    } else if (arm_pte_is_valid(*entry)) {
        table = arm_heap_at(arm_pte_output(*entry));
    } else {
        table = (uint64_t *)upcall_heap_page();
        if (table != NULL) {
            *entry = arm_pte_table(hal_hypmap_hpa(table).v);
        }
    }
    return table;
}

/* One unmapped page stays between neighbours. Never undone: what a failed call has mapped stays unused. */
static enum hv_status hypmap_fixed(hpa_t base, uint64_t bytes, uint64_t attributes, uint64_t *va)
{
    const uint64_t first = bits_align_down(base.v, PAGE_BYTES);
    const uint64_t end = bits_align_up(base.v + bytes, PAGE_BYTES);
    const uint64_t at = hypmap_fixed_next;

    if ((bytes == 0u) || (bytes >= ARM_AREA_BYTES) || ((end - first) >= (ARM_AREA_BYTES - at))) {
        return HV_LIMIT;
    }
    for (uint64_t done = 0u; done < (end - first); done += PAGE_BYTES) {
        uint64_t *table = hypmap_fixed_table(at + done);

        if (table == NULL) {
            return HV_NO_MEMORY;
        }
        arm_entry_set(&table[arm_pte_index(at + done, ARM_LEVEL_LEAF)],
                      arm_pte_leaf(first + done, ARM_LEVEL_LEAF, attributes));
    }
    hypmap_publish();
    hypmap_fixed_next = at + (end - first) + PAGE_BYTES;
    *va = ARM_VA_FIXED + at + (base.v - first);
    return HV_OK;
}

enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va)
{
    uint64_t at = 0u;
    const enum hv_status status = hypmap_fixed(base, bytes, ARM_S1_DEVICE, &at);

    *va = hypmap_pointer(at);
    return status;
}

enum hv_status hal_hypmap_memory(hpa_t base, uint64_t bytes, void **va)
{
    uint64_t at = 0u;
    const enum hv_status status = hypmap_fixed(base, bytes, ARM_S1_RW, &at);

    *va = hypmap_pointer(at);
    return status;
}

enum hv_status hal_hypmap_readonly(hpa_t base, uint64_t bytes, const void **va)
{
    uint64_t at = 0u;
    const enum hv_status status = hypmap_fixed(base, bytes, ARM_S1_RO, &at);

    *va = hypmap_pointer(at);
    return status;
}

enum hv_status hal_hypmap_guard(void *va, cpuid_t cpu)
{
    const uint64_t at = hypmap_address(va);
    const uint64_t in_heap = at - ARM_VA_HEAP;

    (void)cpu;
    if (((at & (PAGE_BYTES - 1u)) != 0u) || (in_heap >= hypmap_heap_bytes)) {
        return HV_INVALID;
    }
    uint64_t *const table = arm_heap_at(arm_pte_output(arm_tables.heap_l2[arm_pte_index(at, 2u)]));

    arm_entry_set(&table[arm_pte_index(at, ARM_LEVEL_LEAF)], 0u);
    arm_tlb_flush_va(at);
    return HV_OK;
}

void hal_hypmap_seal(void)
{
    arm_entry_set(arm_identity_entry(&arm_tables, arm_image_pa), 0u);
    arm_tlb_flush_va(arm_image_pa);
}
