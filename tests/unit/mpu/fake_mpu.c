#include "fake_mpu.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/percpu.h"
#include "hal/upcall.h"
#include "mpu_regs.h"

#define CPUS 2u

struct percpu percpu_area[HV_CPUS_MAX];

static struct {
    struct mpu_region region[FAKE_REGIONS];
    bool on[FAKE_REGIONS];
    uint32_t vmid;
} cpus[CPUS];
static uint32_t self;
static uint32_t writes;

void fake_mpu_reset(void)
{
    memset(cpus, 0, sizeof(cpus));
    for (uint32_t i = 0; i < CPUS; i++) {
        percpu_area[i].id = i;
    }
    self = 0;
    writes = 0;
}

void fake_cpu(cpuid_t cpu)
{
    self = cpu;
}

struct percpu *hal_cpu_local(void)
{
    return &percpu_area[self];
}

uint32_t fake_vmid(void)
{
    return cpus[self].vmid;
}

uint32_t fake_writes(void)
{
    return writes;
}

uint32_t mpu_count(void)
{
    return FAKE_REGIONS;
}

void mpu_keep(uint32_t nr)
{
    for (uint32_t i = 0; i < FAKE_REGIONS; i++) {
        cpus[self].on[i] = i < nr;
    }
}

/* What is written to must be off, or keep its place in part, as it is written in two steps. */
void mpu_put(uint32_t n, const struct mpu_region *region)
{
    const struct mpu_region *const was = &cpus[self].region[n];

    assert_true(n < FAKE_REGIONS);
    assert_true(!cpus[self].on[n] || was->base == region->base || was->limit == region->limit);
    cpus[self].region[n] = *region;
    cpus[self].on[n] = true;
    writes++;
}

void mpu_sync(void)
{
    for (uint32_t i = 0; i < FAKE_REGIONS; i++) {
        for (uint32_t j = 0; j < i; j++) {
            const struct mpu_region *const a = &cpus[self].region[i];
            const struct mpu_region *const b = &cpus[self].region[j];

            assert_false(cpus[self].on[i] && cpus[self].on[j] && a->base <= b->limit && b->base <= a->limit);
        }
    }
}

void mpu_vmid_write(uint32_t vmid)
{
    cpus[self].vmid = vmid;
}

int fake_look(uint64_t at)
{
    int found = -1;

    mpu_sync();
    for (uint32_t i = 0; i < FAKE_REGIONS; i++) {
        const struct mpu_region *const r = &cpus[self].region[i];

        found = (cpus[self].on[i] && at >= r->base && at <= r->limit) ? (int)r->attr : found;
    }
    return found;
}

_Noreturn void upcall_fatal(const char *what, uint64_t value)
{
    (void)fprintf(stderr, "fatal: %s %llx\n", what, (unsigned long long)value);
    exit(FAKE_FATAL);
}
