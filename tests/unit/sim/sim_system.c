#include "sim_system.h"

#include <sys/wait.h>

#include "base/console.h"
#include "base/percpu.h"
#include "hal/upcall.h"
#include "lib/bits.h"
#include "mem/heap.h"
#include "mem/ram.h"

static char shown[1u << 18u];
static size_t nr_shown;
static uint32_t nr_cpus;

const char *sim_shown(void)
{
    console_flush(); /* the rest would come with the next poll */
    return shown;
}

void sim_shown_forget(void)
{
    nr_shown = 0u;
    (void)memset(shown, 0, sizeof(shown));
}

static uint64_t uart_read(void *ctx, uint64_t offset, uint32_t width)
{
    (void)ctx;
    (void)width;
    return (offset == 0x18u) ? 0x90u : 0u;
}

static void uart_write(void *ctx, uint64_t offset, uint32_t width, uint64_t value)
{
    (void)ctx;
    (void)width;
    if ((offset == 0u) && (nr_shown < (sizeof(shown) - 1u)) && (value != '\r')) {
        shown[nr_shown] = (char)value;
        nr_shown++;
    }
}

static void boot_main(void *arg)
{
    upcall_boot(arg);
}

/* All of RAM is somebody's old data before the hypervisor comes. */
void power_on(const char *source, uint32_t cpus, void (*modules_put)(void))
{
    static const struct fake_device uart = { 0x9000000u, 0x1000u, uart_read, uart_write, NULL };
    static struct hal_boot boot;
    size_t bytes = 0u;
    void *blob;

    fake_reset();
    fake_ram_setup(RAM, RAM_BYTES);
    (void)memset(fake_ram(hpa(RAM), RAM_BYTES), DIRT, RAM_BYTES);
    fake_device_add(&uart);
    blob = tree_compile(source, &bytes);
    (void)memcpy(fake_ram(hpa(TREE), bytes), blob, bytes);
    free(blob);
    modules_put();
    boot = (struct hal_boot){ .image_base = hpa(IMAGE), .image_bytes = MIB(1), .tree = hpa(TREE) };
    fake_cpu_boot(0u, boot_main, &boot);
    fake_run();
    fake_cpu_set(cpus); /* the test's own */
    nr_cpus = cpus;
}

void scenario(void (*fn)(void))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

struct domain *domain(const char *name)
{
    struct domain *const d = domain_by_name(name);

    MUST(d != NULL);
    return d;
}

cpuid_t cpu_of(const struct vcpu *vcpu)
{
    cpuid_t found = HV_CPUS_MAX;

    for (cpuid_t cpu = 0u; cpu < nr_cpus; cpu++) {
        found = (fake_cpu_guest(cpu) == &vcpu->hal) ? cpu : found;
    }
    return found;
}

/* -- What the hypervisor owns -- */

struct account account(const struct domain *d)
{
    const struct account a = { heap_free_bytes(), ram_bytes(RAM_FREE), d->pool.nr_free, fake_maps_live() };

    MUST(fake_windows_open() == 0u);
    MUST(fake_maps_disjoint());
    return a;
}

void account_same(const struct account *a, const struct account *b)
{
    MUST(a->heap == b->heap);
    MUST(a->free_ram == b->free_ram);
    MUST(a->pool == b->pool);
    MUST(a->maps == b->maps);
}
