/* Devices that a test models, the host's power, and the whole machine's reset. */
#include "fake_private.h"
#include "hal/mmio.h"
#include "hal/power.h"
#include "lib/string.h"

#define DEVICES_MAX 16u

struct mapped {
    struct fake_device device;
    uint8_t *va; /* NULL until hal_hypmap_device() */
};

static struct mapped devices[DEVICES_MAX];
static uint32_t nr_devices;
static enum fake_power power;
static bool identity; /* the host that was booted has no translation */

void fake_device_add(const struct fake_device *device)
{
    if (nr_devices >= DEVICES_MAX) {
        fake_die("more than %u devices", DEVICES_MAX);
    }
    devices[nr_devices].device = *device;
    devices[nr_devices].va = NULL;
    nr_devices++;
}

void fake_devices_reset(void)
{
    nr_devices = 0u;
}

/* [base, base + bytes) is seen at va from now on. */
void fake_device_mapped(uint64_t base, uint64_t bytes, uint8_t *va)
{
    for (uint32_t i = 0u; i < nr_devices; i++) {
        const uint64_t at = devices[i].device.base;

        if ((at >= base) && ((at - base) < bytes)) {
            devices[i].va = &va[at - base];
        }
    }
}

static struct mapped *device_at(uintptr_t at)
{
    struct mapped *found = NULL;

    for (uint32_t i = 0u; i < nr_devices; i++) {
        const uintptr_t first = (uintptr_t)devices[i].va;

        if ((first != 0u) && (at >= first) && ((at - first) < devices[i].device.bytes)) {
            found = &devices[i];
        }
    }
    return found;
}

static void check_aligned(uintptr_t at, uint32_t width)
{
    if ((at % width) != 0u) {
        fake_die("device access of %u bytes at 0x%llx", width, (unsigned long long)at);
    }
}

uint64_t fake_mmio_read(const volatile void *at, uint32_t width)
{
    const struct mapped *const m = device_at((uintptr_t)at);
    uint64_t value = 0u;

    check_aligned((uintptr_t)at, width);
    if (m != NULL) {
        value = m->device.read(m->device.ctx, (uint64_t)((uintptr_t)at - (uintptr_t)m->va), width);
    } else {
        (void)memcpy(&value, (const void *)(uintptr_t)at, width);
    }
    return value;
}

void fake_mmio_write(volatile void *at, uint32_t width, uint64_t value)
{
    const struct mapped *const m = device_at((uintptr_t)at);

    check_aligned((uintptr_t)at, width);
    if (m != NULL) {
        m->device.write(m->device.ctx, (uint64_t)((uintptr_t)at - (uintptr_t)m->va), width, value);
    } else {
        (void)memcpy((void *)(uintptr_t)at, &value, width);
    }
}

void hal_power_init(const struct hal_plan_host *host)
{
    identity = host->identity;
}

bool hal_guestmap_translates(void)
{
    return !identity;
}

void hal_power_off(void)
{
    power = FAKE_POWER_OFF;
    fake_leave(FAKE_END_OFF);
}

void hal_power_reset(void)
{
    power = FAKE_POWER_RESET;
    fake_leave(FAKE_END_OFF);
}

enum fake_power fake_power_state(void)
{
    return power;
}

void fake_reset(void)
{
    power = FAKE_POWER_ON;
    fake_sim_reset();
    fake_cpu_reset_all();
    fake_vcpu_reset_all();
    fake_devices_reset();
    fake_maps_reset();
    fake_iommu_reset();
    fake_memory_reset();
}
