#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/percpu.h"
#include "hal/hypmap.h"
#include "hal/upcall.h"
#include "mem/heap.h"
#include "mem/ram.h"
#include "sched/sched.h"

#define HEAP_BYTES (8ULL << 20)

struct machine_notes machine;
static char output[65536];
static uint32_t output_len;

/* -- The scheduler and the worker -- */

void sched_add(struct vcpu *vcpu)
{
    (void)vcpu;
    machine.nr_added++;
}

void sched_remove(struct vcpu *vcpu)
{
    assert_int_equal(vcpu->state, VCPU_OFF);
    machine.nr_added--;
}

enum hv_status sched_power_on(struct vcpu *vcpu)
{
    vcpu->state = VCPU_RUNNABLE;
    machine.nr_on++;
    return HV_OK;
}

void sched_power_off(struct vcpu *vcpu)
{
    vcpu->state = VCPU_OFF;
    machine.nr_off++;
}

void sched_pause_domain(struct domain *domain)
{
    assert_true(domain->paused);
    machine.nr_paused++;
}

void sched_unpause_domain(struct domain *domain)
{
    assert_false(domain->paused);
    machine.nr_unpaused++;
}

bool sched_domain_quiet(const struct domain *domain)
{
    (void)domain;
    if (machine.quiet_after > 0u) {
        machine.quiet_after--;
        return false;
    }
    return true;
}

uint64_t sched_run_ns(const struct vcpu *vcpu)
{
    return ((uint64_t)vcpu->index + 1u) * 5000000u;
}

void sched_wake(struct vcpu *vcpu)
{
    (void)vcpu;
}

void upcall_vcpu_kick(struct hal_vcpu *vcpu)
{
    (void)vcpu;
}

void work_setup(struct work *work, void (*run)(struct work *work))
{
    work->next = NULL;
    work->run = run;
    work->queued = 0u;
}

void work_queue(struct work *work, cpuid_t cpu)
{
    (void)cpu;
    assert_null(machine.queued);
    machine.queued = work;
}

void work_breathe(void)
{
    machine.nr_breaths++;
}

bool machine_work_run(void)
{
    struct work *const work = machine.queued;

    machine.queued = NULL;
    if (work != NULL) {
        work->run(work);
    }
    return work != NULL;
}

/* -- The console -- */

static bool uart_blocked;

static bool uart_put(void *device, uint8_t c)
{
    (void)device;
    if (uart_blocked) {
        return false;
    }
    if ((c != '\r') && (output_len < (sizeof(output) - 1u))) {
        output[output_len] = (char)c;
        output_len++;
    }
    return true;
}

static bool uart_get(void *device, uint8_t *c)
{
    (void)device;
    (void)c;
    return false;
}

static const struct console_uart uart = { uart_put, uart_get, NULL, NULL, NULL, false };

void machine_uart_block(bool block)
{
    uart_blocked = block;
}

void machine_uart_reopen(void)
{
    console_set_uart(&uart);
}

const char *machine_output(void)
{
    output[output_len] = '\0';
    return output;
}

void machine_output_forget(void)
{
    output_len = 0u;
}

/* -- Setup -- */

struct plan_domain *machine_plan(struct plan *plan, uint32_t nr_vcpus)
{
    struct plan_domain *const d = &plan->domain[0];

    plan->nr_cpus = 1u;
    plan->nr_domains = 1u;
    plan->nr_pools = 1u;
    plan->pool[0].cpus = UINT64_MAX;
    plan->pool[0].sched = PLAN_SCHED_CREDIT2;
    (void)strcpy(d->name, "domU1");
    d->domid = 1u;
    d->memory_bytes = 64ULL << 20u;
    d->pool_bytes = 1ULL << 20u;
    d->nr_vcpus = nr_vcpus;
    d->nr_spis = 32u;
    d->bootargs = "";
    for (uint32_t i = 0; i < HV_VCPUS_MAX; i++) {
        d->affinity[i] = UINT64_MAX;
    }
    return d;
}

int machine_setup(void **state)
{
    hpa_t base = { 0u };
    uint64_t bytes = 0;
    uint64_t used = 0;
    void *va = NULL;

    (void)state;
    fake_reset();
    fake_ram_setup(MACHINE_RAM, MACHINE_RAM_SIZE);
    fake_cpu_set(0u);
    percpu_area[0].online = 1u;
    machine_uart_reopen();
    assert_int_equal(ram_add(hpa(MACHINE_RAM), MACHINE_RAM_SIZE), HV_OK);
    assert_int_equal(ram_claim(hpa(MACHINE_MODULES), MACHINE_MODULES_SIZE, RAM_MODULE), HV_OK);
    assert_int_equal(ram_alloc(HEAP_BYTES, HEAP_BYTES, 65536u, RAM_HEAP, &base, &bytes), HV_OK);
    assert_int_equal(hal_hypmap_heap(base, bytes, &va, &used), HV_OK);
    heap_init((uint8_t *)va + used, bytes - used);
    return 0;
}

/* -- Modules -- */

struct plan_module machine_module(uint64_t offset, const void *bytes, uint64_t count, const char *name)
{
    const struct plan_module module = { .base = { MACHINE_MODULES + offset }, .bytes = count, .name = name };

    assert_true((offset + count) <= MACHINE_MODULES_SIZE);
    (void)memcpy(fake_ram(module.base, count), bytes, count);
    return module;
}

uint8_t *machine_gzip(const uint8_t *data, uint64_t bytes, uint64_t *out_bytes)
{
    const uint64_t room = bytes + (bytes / 100u) + 4096u;
    uint8_t *const out = malloc(room);
    z_stream z;

    (void)memset(&z, 0, sizeof(z));
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (uint8_t *)(uintptr_t)data;
    z.avail_in = (uInt)bytes;
    z.next_out = out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    *out_bytes = z.total_out;
    (void)deflateEnd(&z);
    return out;
}

static void put_le(uint8_t *at, uint64_t value, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(value >> (8u * i));
    }
}

uint8_t *machine_image(uint64_t bytes, uint64_t text_offset, uint64_t image_size)
{
    uint8_t *const image = malloc(bytes);
    uint32_t x = 12345u;

    for (uint64_t i = 0; i < bytes; i++) {
        x = (x * 1664525u) + 1013904223u;
        /* some of it compresses well, some does not */
        image[i] = ((i >> 12u) % 3u) == 0u ? (uint8_t)(x >> 24u) : (uint8_t)(i >> 12u);
    }
    (void)memset(image, 0, 64u);
    put_le(&image[8], text_offset, 8u);
    put_le(&image[16], image_size, 8u);
    put_le(&image[56], 0x644D5241u, 4u);
    return image;
}
