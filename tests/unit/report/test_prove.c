/* The proof of partitioning holds for facts that are sound, and tells what is wrong with each kind of damage.
 * [test->req~partition-proof~1] */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bits.h"
#include "partition/facts.h"

#define RAM_BASE 0x40000000ull
#define RAM_LAST 0x7FFFFFFFull

static const struct owner own_free = { OWNER_FREE, 0u };
static const struct owner own_heap = { OWNER_HEAP, 0u };
static const struct owner own_image = { OWNER_IMAGE, 0u };
static const struct owner own_hypervisor = { OWNER_HYPERVISOR, 0u };
static const struct owner own_one = { OWNER_DOMAIN, 0u };
static const struct owner own_two = { OWNER_DOMAIN, 1u };
static const struct owner own_ring = { OWNER_SHM, 0u };

static char said[4096];

static void hear(void *ctx, const char *sentence)
{
    (void)ctx;
    strncat(said, sentence, sizeof(said) - strlen(said) - 2u);
    strcat(said, "\n");
}

static void put_ram(struct facts *f, uint64_t first, uint64_t last, struct owner owner)
{
    const struct fact_ram r = { first, last, owner, "" };

    f->ram[f->nr_ram++] = r;
}

static void put_map(struct facts *f, uint32_t domain, uint64_t first, uint64_t bytes, uint64_t to,
                    bool device)
{
    const struct fact_map m = { domain, first, first + bytes - 1u, to, FACT_R | FACT_W, device, false };

    f->map[f->nr_maps++] = m;
}

static void put_device(struct facts *f, uint64_t first, uint64_t bytes, struct owner owner)
{
    const struct fact_device d = { first, first + bytes - 1u, owner, false, "" };

    f->device[f->nr_devices++] = d;
}

/* Two domains of 16 MiB, a shared region of 1 MiB, a device, an interrupt, a stream and a CPU each. */
static struct facts *sound(void)
{
    struct facts *const f = calloc(1u, sizeof(*f));

    f->system = "system";
    f->board = "board";
    f->nr_cpus = 2u;
    f->bank[0].base = RAM_BASE;
    f->bank[0].bytes = RAM_LAST - RAM_BASE + 1u;
    f->nr_banks = 1u;
    f->nr_domains = 2u;
    for (uint32_t i = 0; i < 2u; i++) {
        snprintf(f->domain[i].name, sizeof(f->domain[i].name), (i == 0u) ? "one" : "two");
        f->domain[i].starts = true;
        f->domain[i].placed = true;
        f->domain[i].memory_bytes = MIB(16u);
        f->vcpu[i].domain = i;
        f->vcpu[i].cpus = 1ull << i;
        f->channel[0].domain[i] = i;
        f->channel[0].port[i] = 5u;
        f->stream[i].domain = i;
        f->stream[i].first = 8u * i;
        f->stream[i].last = (8u * i) + 7u;
        f->irq[i].irq = 40u + i;
        f->irq[i].virq = 40u;
        f->emulated[i].domain = i;
        f->emulated[i].first = 0x22000000u;
        f->emulated[i].last = 0x22000FFFu;
        f->emulated[i].what = "uart";
    }
    f->irq[0].owner = own_one;
    f->irq[1].owner = own_two;
    f->irq[2].irq = 33u;
    f->irq[2].owner = own_hypervisor;
    f->nr_vcpus = 2u;
    f->pool[0].cpus = 3u;
    f->pool[0].sched = PLAN_SCHED_NULL;
    f->nr_pools = 1u;
    f->nr_channels = 1u;
    f->nr_streams = 2u;
    f->nr_irqs = 3u;
    f->nr_emulated = 2u;
    put_ram(f, RAM_BASE, 0x400FFFFFu, own_free);
    put_ram(f, 0x40100000u, 0x401FFFFFu, own_image);
    put_ram(f, 0x40200000u, 0x40FFFFFFu, own_heap);
    put_ram(f, 0x41000000u, 0x41FFFFFFu, own_one);
    put_ram(f, 0x42000000u, 0x42FFFFFFu, own_two);
    put_ram(f, 0x43000000u, 0x430FFFFFu, own_ring);
    put_ram(f, 0x43100000u, RAM_LAST, own_free);
    strcpy(f->shm[0].id, "ring");
    f->shm[0].placed = true;
    f->shm[0].first = 0x43000000u;
    f->shm[0].last = 0x430FFFFFu;
    f->shm[0].owner = own_one;
    f->shm[0].user_domain = 3u;
    f->nr_shm = 1u;
    put_map(f, 0u, RAM_BASE, MIB(16u), 0x41000000u, false);
    put_map(f, 1u, RAM_BASE, MIB(16u), 0x42000000u, false);
    put_map(f, 0u, 0x70000000u, MIB(1u), 0x43000000u, false);
    put_map(f, 1u, 0x80000000u, KIB(512u), 0x43080000u, false);
    put_map(f, 0u, 0x09010000u, PAGE_BYTES, 0x09010000u, true);
    put_map(f, 1u, 0x03002000u, PAGE_BYTES, 0x08040000u, true);
    put_map(f, 0u, 0x03002000u, PAGE_BYTES, 0x08040000u, true);
    put_device(f, 0x09000000u, PAGE_BYTES, own_hypervisor);
    put_device(f, 0x09010000u, PAGE_BYTES, own_one);
    put_device(f, 0x09020000u, PAGE_BYTES, own_free);
    put_device(f, 0x08040000u, PAGE_BYTES, own_hypervisor);
    f->device[3].banked = true;
    return f;
}

static void expect(struct facts *f, const char *sentences)
{
    said[0] = '\0';
    assert_int_equal(facts_prove(f, hear, NULL), sentences[0] == '\0');
    assert_string_equal(said, sentences);
    free(f);
}

static void test_sound(void **state)
{
    (void)state;
    expect(sound(), "");
}

static void test_ram(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->ram[4].first = 0x41FFF000u; /* two begins in one's last page */
    f->ram[3].last = 0x41FFFFFFu;
    expect(f, "ram 0x41000000-0x41ffffff of one: overlaps 0x41fff000-0x42ffffff of two\n"
              "ram: the owners of 1073745920 bytes are told, there are 1073741824\n"
              "two: owns 16781312 bytes and reaches 16777216, asked for 16777216\n");
    f = sound();
    f->nr_ram--;
    expect(f, "ram: the owners of 51380224 bytes are told, there are 1073741824\n");
    f = sound();
    f->ram[6].last = RAM_LAST + PAGE_BYTES;
    f->ram[0].first = RAM_BASE + PAGE_BYTES;
    expect(f, "ram 0x43100000-0x80000fff of free: not in a bank of RAM\n");
}

static void test_memory(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->map[1].to = 0x41000000u;
    expect(f, "map: one and two both reach 0x41000000-0x41ffffff, which no link declares\n"
              "map two 0x40000000: reaches 0x41000000, which is one\n");
    f = sound();
    f->map[1].to = 0x41FFF000u; /* the last page of one, and one page less of its own */
    expect(f, "map: one and two both reach 0x41fff000-0x41ffffff, which no link declares\n"
              "map two 0x40000000: reaches 0x41fff000, which is one\n");
    f = sound();
    f->map[0].to = 0x40FFF000u;
    expect(f, "map one 0x40000000: reaches 0x40fff000, which is heap\n"
              "one: owns 16777216 bytes and reaches 0, asked for 16777216\n");
    f = sound();
    f->map[0].to = 0x90000000u;
    expect(f, "map one 0x40000000: reaches 0x90000000, which is no RAM\n"
              "one: owns 16777216 bytes and reaches 0, asked for 16777216\n");
    f = sound();
    f->shm[0].user_domain = 1u; /* two maps what it does not declare */
    expect(f, "map: one and two both reach 0x43080000-0x430fffff, which no link declares\n"
              "map two 0x80000000: reaches 0x43080000, which is shm:ring\n");
    f = sound();
    f->map[3].last += PAGE_BYTES; /* a page beyond the region */
    expect(f, "map two 0x80000000: reaches 0x43100000, which is free\n");
    f = sound();
    f->map[2].first = 0x40FFF000u;
    f->map[2].last = 0x410FEFFFu;
    expect(f, "map one 0x40000000-0x40ffffff: overlaps 0x40fff000-0x410fefff of the same domain\n");
    f = sound();
    f->emulated[0].first = 0x09010000u;
    f->emulated[0].last = 0x09010FFFu;
    expect(f, "emulated one 0x9010000: overlaps what is mapped at 0x9010000\n");
    f = sound();
    f->emulated[1].domain = 0u;
    expect(f, "emulated one 0x22000000: overlaps 0x22000000\n");
    f = sound();
    f->shm[0].last = 0x431FFFFFu;
    expect(f, "shm ring: 1048576 bytes at 0x43000000-0x431fffff are its own\n");
}

static void test_domains(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->domain[1].memory_bytes = MIB(32u);
    expect(f, "two: owns 16777216 bytes and reaches 16777216, asked for 33554432\n");
    f = sound();
    f->domain[1].starts = false;
    expect(f, "two: owns 16777216 bytes and reaches 16777216 without having a place\n");
    f = sound();
    f->domain[0].placed = false;
    expect(f, "one: owns 16777216 bytes and reaches 16777216 without having a place\n");
}

static void test_devices(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->map[4].to = 0x09000000u; /* the console */
    expect(f, "map one 0x9010000: reaches 0x9000000, which is no device of its own\n");
    f = sound();
    f->map[4].domain = 1u;
    expect(f, "map two 0x9010000: reaches 0x9010000, which is no device of its own\n");
    f = sound();
    f->map[4].to = 0x41000000u;
    expect(f, "map one 0x9010000: reaches RAM at 0x41000000 as a device\n"
              "map one 0x9010000: reaches 0x41000000, which is no device of its own\n");
    f = sound();
    f->device[3].banked = false;
    expect(f, "map two 0x3002000: reaches 0x8040000, which is no device of its own\n"
              "map: two and one both reach 0x8040000-0x8040fff, which no link declares\n"
              "map one 0x3002000: reaches 0x8040000, which is no device of its own\n");
    f = sound();
    f->device[1].last -= 0x800u;
    f->map[4].last -= 0x800u;
    f->device[2].first = 0x09010C00u; /* nobody's device in the same page */
    expect(f, "device 0x9010000-0x90107ff of one: its pages hold 0x9010c00 of nobody too\n");
}

static void test_lines(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->irq[1].irq = 40u;
    expect(f, "irq 40: one and two both have it\n");
    f = sound();
    f->irq[1].irq = 33u;
    expect(f, "irq 33: two and hypervisor both have it\n");
    f = sound();
    f->irq[1].owner = own_one;
    expect(f, "irq 40: is interrupt 40 of one, as irq 41 is\n");
    f = sound();
    f->stream[1].first = 7u;
    expect(f, "stream 0:0-7 of one: overlaps 7-15 of two\n");
    f = sound();
    f->stream[1].first = 7u;
    f->stream[1].iommu = 1u;
    expect(f, "");
}

static void test_links(void **state)
{
    struct facts *f = sound();

    (void)state;
    f->channel[1] = f->channel[0];
    f->channel[1].port[1] = 6u;
    f->nr_channels = 2u;
    expect(f, "channel one:5: is the end of more than one\n");
    f = sound();
    f->vcpu[1].cpus = 1u;
    expect(f, "vcpu two/0: has no CPU of its own\n");
    f = sound();
    f->vcpu[1].cpus = 1u;
    f->pool[0].sched = PLAN_SCHED_CREDIT;
    expect(f, "");
    f = sound();
    f->vcpu[0].cpus = 0u;
    expect(f, "vcpu one/0: has no CPU\n");
    f = sound();
    f->cut = true;
    expect(f, "there are more facts than this report can hold\n");
}

/* The frame of CPU 1, a pool of its own: 0 to 400 and 600 to 1000 are domain two's */
static struct facts *framed(void)
{
    struct facts *const f = sound();

    f->pool[0].cpus = 1u;
    f->pool[1].cpus = 2u;
    f->pool[1].sched = PLAN_SCHED_ARINC653;
    f->pool[1].major_us = 1000u;
    f->nr_pools = 2u;
    f->vcpu[1].pool = 1u;
    f->window[0] = (struct fact_window){ 1u, 0u, 1u, 0u, 400u };
    f->window[1] = (struct fact_window){ 1u, 0u, 1u, 600u, 1000u };
    f->nr_windows = 2u;
    return f;
}

static void test_frames(void **state)
{
    static const char outside[] = "window two/0: is not in the frame of its CPU 1\n";
    struct facts *f = framed();

    (void)state;
    expect(f, "");
    f = framed();
    f->pool[1].cpus = 3u;
    expect(f, "pool 1: has no CPUs of its own\n");
    f = framed();
    f->pool[0].cpus = 0u;
    expect(f, "pool 0: has no CPUs of its own\nvcpu one/0: has a CPU of another cpupool\n");
    f = framed();
    f->vcpu[1].pool = 2u;
    f->nr_windows = 0u;
    expect(f, "vcpu two/0: has a CPU of another cpupool\n");
    f = framed();
    f->window[1].end_us = 1001u;
    expect(f, outside);
    f = framed();
    f->window[1].first_us = 1000u;
    expect(f, outside);
    f = framed();
    f->window[0].end_us = 601u;
    expect(f, "window two/0: is two's too on CPU 1\n");
    f = framed();
    f->window[1].domain = 0u;
    expect(f, "window one/0: is not in the frame of its CPU 1\n");
    f = framed();
    f->pool[1].sched = PLAN_SCHED_RTDS;
    f->nr_windows = 1u;
    expect(f, outside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),   cmocka_unit_test(test_ram),     cmocka_unit_test(test_memory),
        cmocka_unit_test(test_domains), cmocka_unit_test(test_devices), cmocka_unit_test(test_lines),
        cmocka_unit_test(test_links),   cmocka_unit_test(test_frames),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
