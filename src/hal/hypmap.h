/* The hypervisor's own address space. W^X; the image, the heap and devices are mapped for good, guest memory
 * never: it is seen through windows, one at a time per CPU and slot. */
#ifndef HAL_HYPMAP_H
#define HAL_HYPMAP_H

#include "hal/types.h"

#define HAL_WINDOW_BYTES MIB(2)

/* Slots belong to whoever runs: the work slots to the CPU's worker (and to boot before it), the trap slots to
 * code that runs with interrupts masked and keeps the window no longer than that. */
enum hal_window { HAL_WINDOW_WORK_SRC, HAL_WINDOW_WORK_DST, HAL_WINDOW_TRAP, HAL_WINDOW_TRAP2, HAL_WINDOWS };

enum hal_hypmap_perm { HAL_HYPMAP_RO, HAL_HYPMAP_RW };

/* Maps [base, base + bytes) of normal memory as the heap: read-write, never executable. Once, on the boot
 * CPU. base and bytes are 64 KiB multiples. *va is linear: hal_hypmap_hpa() inverts it. Table pages it needs
 * come from the range's own beginning; *used_bytes tells how many were taken. */
HV_MUST_CHECK enum hv_status hal_hypmap_heap(hpa_t base, uint64_t bytes, void **va, uint64_t *used_bytes);

/* The physical address of an object inside image or heap. */
hpa_t hal_hypmap_hpa(const void *va);

/* Maps device registers for good. Boot only (needs pages from upcall_heap_page()). HV_NO_MEMORY, HV_LIMIT. */
HV_MUST_CHECK enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va);

/* Maps normal memory read-only for good (the device tree). Boot only. HV_NO_MEMORY, HV_LIMIT. */
HV_MUST_CHECK enum hv_status hal_hypmap_readonly(hpa_t base, uint64_t bytes, const void **va);

/* Maps normal memory read-write for good (where the log is kept). Boot only. HV_NO_MEMORY, HV_LIMIT. */
HV_MUST_CHECK enum hv_status hal_hypmap_memory(hpa_t base, uint64_t bytes, void **va);

/* Maps the HAL_WINDOW_BYTES-aligned block that holds `at`; answers the address of `at` in it and how many
 * bytes follow in the window. Replaces what the slot showed before. Valid on this CPU only, until the slot is
 * opened again or closed. */
void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes);
void hal_hypmap_window_close(enum hal_window slot);

/* One aligned word of normal memory, through the trap window, which is closed before and afterwards. */
uint32_t hal_hypmap_peek(hpa_t at);

/* Makes the page at va in the heap, which is neither its first nor its last, inaccessible at least to `cpu`,
 * which has not been started: a guard below a stack of its own. HV_INVALID, HV_LIMIT. */
HV_MUST_CHECK enum hv_status hal_hypmap_guard(void *va, cpuid_t cpu);

/* Drops the boot-only mappings (identity, init). After the last CPU is up. */
void hal_hypmap_seal(void);

#endif
