/* Host RAM as a memory file of the host, seen through real mappings: what is read-only faults when written, a
 * window that was closed faults when used, and a guard page guards. Caches need nothing. */
#define _GNU_SOURCE

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/percpu.h"
#include "fake_private.h"
#include "hal/cache.h"
#include "hal/hypmap.h"

#define VIEWS_MAX        32u
#define GUARDS_MAX       256u
#define IMAGE_HPA        BIT64(44) /* where this program pretends to lie: away from all RAM */
#define WINDOWS_BYTES    ((uint64_t)HV_CPUS_MAX * (uint64_t)HAL_WINDOWS * HAL_WINDOW_BYTES)
#define HEAP_TABLE_BYTES PAGE_BYTES /* what a port's tables would take */

/* A standing mapping of RAM or of a device */
struct view {
    uint8_t *va;
    uint64_t at;
    uint64_t bytes;
    bool linear; /* hal_hypmap_hpa() answers for it */
};

extern const char __executable_start[]; /* the host linker's */
extern const char _end[];

static int file = -1;
static uint64_t ram_base;
static uint64_t ram_bytes;
static uint8_t *ram; /* the test's view */
static uint8_t *windows;
static bool window_open[HV_CPUS_MAX][HAL_WINDOWS];
static struct view views[VIEWS_MAX];
static uint32_t nr_views;
static uint8_t *guarded[GUARDS_MAX];
static uint32_t nr_guarded;

static bool in_ram(uint64_t at, uint64_t bytes)
{
    return (at >= ram_base) && (bytes <= ram_bytes) && ((at - ram_base) <= (ram_bytes - bytes));
}

static uint8_t *map_ram(uint64_t at, uint64_t bytes, int prot, void *where)
{
    if (!in_ram(at, bytes)) {
        fake_die("[0x%llx, +0x%llx) is not RAM", (unsigned long long)at, (unsigned long long)bytes);
    }
    void *const va = mmap(where, bytes, prot, MAP_SHARED | ((where != NULL) ? MAP_FIXED : 0), file,
                          (off_t)(at - ram_base));
    if (va == MAP_FAILED) {
        fake_die("the host cannot map [0x%llx, +0x%llx)", (unsigned long long)at, (unsigned long long)bytes);
    }
    return va;
}

void fake_memory_reset(void)
{
    for (uint32_t i = 0u; i < nr_guarded; i++) {
        (void)mprotect(guarded[i], PAGE_BYTES, PROT_READ | PROT_WRITE);
    }
    for (uint32_t i = 0u; i < nr_views; i++) {
        (void)munmap(views[i].va, views[i].bytes);
    }
    if (file >= 0) {
        (void)munmap(ram, ram_bytes);
        (void)munmap(windows, WINDOWS_BYTES);
        (void)close(file);
    }
    nr_guarded = 0u;
    nr_views = 0u;
    file = -1;
    ram_bytes = 0u;
    (void)memset(window_open, 0, sizeof(window_open));
}

void fake_ram_setup(uint64_t base, uint64_t bytes)
{
    if ((file >= 0) || (((base | bytes) % HAL_WINDOW_BYTES) != 0u) || (bytes == 0u)) {
        fake_die("RAM is set up once, in multiples of 2 MiB");
    }
    file = memfd_create("fake-ram", MFD_CLOEXEC);
    if ((file < 0) || (ftruncate(file, (off_t)bytes) != 0)) {
        fake_die("no memory file of 0x%llx bytes", (unsigned long long)bytes);
    }
    ram_base = base;
    ram_bytes = bytes;
    ram = map_ram(base, bytes, PROT_READ | PROT_WRITE, NULL);
    windows = mmap(NULL, WINDOWS_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (windows == MAP_FAILED) {
        fake_die("no room for windows");
    }
}

uint8_t *fake_ram(hpa_t at, uint64_t bytes)
{
    if (!in_ram(at.v, bytes)) {
        fake_die("the test looks at [0x%llx, +0x%llx), which is not RAM", (unsigned long long)at.v,
                 (unsigned long long)bytes);
    }
    return &ram[at.v - ram_base];
}

static uint8_t *view_add(uint8_t *va, uint64_t at, uint64_t bytes, bool linear)
{
    if (nr_views >= VIEWS_MAX) {
        fake_die("more than %u standing mappings", VIEWS_MAX);
    }
    views[nr_views] = (struct view){ va, at, bytes, linear };
    nr_views++;
    return va;
}

/* -- The contract -- */

enum hv_status hal_hypmap_heap(hpa_t base, uint64_t bytes, void **va, uint64_t *used_bytes)
{
    if (((base.v | bytes) % KIB(64)) != 0u) {
        return HV_INVALID;
    }
    if (bytes <= HEAP_TABLE_BYTES) {
        return HV_NO_MEMORY;
    }
    *va = view_add(map_ram(base.v, bytes, PROT_READ | PROT_WRITE, NULL), base.v, bytes, true);
    *used_bytes = HEAP_TABLE_BYTES;
    return HV_OK;
}

hpa_t hal_hypmap_hpa(const void *va)
{
    const uintptr_t at = (uintptr_t)va;
    uint64_t found = 0u;

    for (uint32_t i = 0u; i < nr_views; i++) {
        const uintptr_t first = (uintptr_t)views[i].va;

        if (views[i].linear && (at >= first) && ((at - first) < views[i].bytes)) {
            found = views[i].at + (at - first);
        }
    }
    if ((at >= (uintptr_t)__executable_start) && (at < (uintptr_t)_end)) {
        found = IMAGE_HPA + (at - (uintptr_t)__executable_start);
    }
    if (found == 0u) {
        fake_die("hal_hypmap_hpa(%p): neither image nor heap", va);
    }
    return hpa(found);
}

enum hv_status hal_hypmap_device(hpa_t base, uint64_t bytes, void **va)
{
    const uint64_t first = bits_align_down(base.v, PAGE_BYTES);
    const uint64_t size = bits_align_up(base.v + bytes, PAGE_BYTES) - first;

    if (bytes == 0u) {
        return HV_INVALID;
    }
    if (nr_views >= VIEWS_MAX) {
        return HV_LIMIT;
    }
    uint8_t *const at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        return HV_NO_MEMORY;
    }
    (void)view_add(at, first, size, false);
    fake_device_mapped(first, size, at);
    *va = &at[base.v - first];
    return HV_OK;
}

enum hv_status hal_hypmap_readonly(hpa_t base, uint64_t bytes, const void **va)
{
    const uint64_t first = bits_align_down(base.v, PAGE_BYTES);
    const uint64_t size = bits_align_up(base.v + bytes, PAGE_BYTES) - first;

    if (bytes == 0u) {
        return HV_INVALID;
    }
    if (nr_views >= VIEWS_MAX) {
        return HV_LIMIT;
    }
    *va = &view_add(map_ram(first, size, PROT_READ, NULL), first, size, false)[base.v - first];
    return HV_OK;
}

enum hv_status hal_hypmap_memory(hpa_t base, uint64_t bytes, void **va)
{
    const uint64_t first = bits_align_down(base.v, PAGE_BYTES);
    const uint64_t size = bits_align_up(base.v + bytes, PAGE_BYTES) - first;

    if (bytes == 0u) {
        return HV_INVALID;
    }
    if (nr_views >= VIEWS_MAX) {
        return HV_LIMIT;
    }
    *va = &view_add(map_ram(first, size, PROT_READ | PROT_WRITE, NULL), first, size, false)[base.v - first];
    return HV_OK;
}

static uint8_t *window_at(enum hal_window slot)
{
    if (slot >= HAL_WINDOWS) {
        fake_die("window slot %d", (int)slot);
    }
    return &windows[(((uint64_t)cpu_id() * (uint64_t)HAL_WINDOWS) + (uint64_t)slot) * HAL_WINDOW_BYTES];
}

void *hal_hypmap_window(enum hal_window slot, hpa_t at, enum hal_hypmap_perm perm, uint64_t *bytes)
{
    const uint64_t block = bits_align_down(at.v, HAL_WINDOW_BYTES);
    const bool by_trap = (slot == HAL_WINDOW_TRAP) || (slot == HAL_WINDOW_TRAP2);

    if (by_trap && !hal_cpu_irq_masked()) {
        fake_die("a trap window with interrupts open");
    }
    (void)map_ram(block, HAL_WINDOW_BYTES, (perm == HAL_HYPMAP_RW) ? (PROT_READ | PROT_WRITE) : PROT_READ,
                  window_at(slot));
    window_open[cpu_id()][slot] = true;
    *bytes = HAL_WINDOW_BYTES - (at.v - block);
    return &window_at(slot)[at.v - block];
}

void hal_hypmap_window_close(enum hal_window slot)
{
    if (window_open[cpu_id()][slot]) {
        (void)mmap(window_at(slot), HAL_WINDOW_BYTES, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        window_open[cpu_id()][slot] = false;
    }
}

uint32_t hal_hypmap_peek(hpa_t at)
{
    uint64_t bytes = 0u;
    const uint32_t value = *(const uint32_t *)hal_hypmap_window(HAL_WINDOW_TRAP, at, HAL_HYPMAP_RO, &bytes);

    hal_hypmap_window_close(HAL_WINDOW_TRAP);
    return value;
}

uint32_t fake_windows_open(void)
{
    uint32_t count = 0u;

    for (uint32_t cpu = 0u; cpu < HV_CPUS_MAX; cpu++) {
        for (uint32_t slot = 0u; slot < (uint32_t)HAL_WINDOWS; slot++) {
            count += window_open[cpu][slot] ? 1u : 0u;
        }
    }
    return count;
}

enum hv_status hal_hypmap_guard(void *va, cpuid_t cpu)
{
    (void)cpu;
    if (((uintptr_t)va % PAGE_BYTES) != 0u) {
        return HV_INVALID;
    }
    if (nr_guarded >= GUARDS_MAX) {
        return HV_LIMIT;
    }
    if (mprotect(va, PAGE_BYTES, PROT_NONE) != 0) {
        return HV_NO_MEMORY;
    }
    guarded[nr_guarded] = va;
    nr_guarded++;
    return HV_OK;
}

void hal_hypmap_seal(void)
{
}

void hal_cache_clean(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

void hal_cache_clean_invalidate(const void *va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
}

void hal_cache_zero(void *va, uint64_t bytes)
{
    if (((((uintptr_t)va) | bytes) % PAGE_BYTES) != 0u) {
        fake_die("hal_cache_zero(%p, 0x%llx): not whole pages", va, (unsigned long long)bytes);
    }
    (void)memset(va, 0, bytes);
}

void hal_cache_copy(void *dst, const void *src, uint64_t bytes)
{
    (void)memcpy(dst, src, bytes);
}

void hal_cache_instructions(void)
{
}
