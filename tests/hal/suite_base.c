/* The suite's frame: runs each test, counts, says how it went. */
#include "hal_suite.h"

#include "hal/context.h"
#include "hal/cpu.h"
#include "hal/timer.h"
#include "lib/bits.h"

struct suite_machine suite_machine;
static uint32_t nr_passed;
static uint32_t nr_failed;
static bool test_failed;
static const char *test_name;

void suite_text(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        suite_machine.put(*c);
    }
}

void suite_number(uint64_t value)
{
    char digit[20];
    uint32_t n = 0u;
    uint64_t rest = value;

    do {
        digit[n] = (char)('0' + (char)(rest % 10u));
        rest /= 10u;
        n++;
    } while (rest != 0u);
    while (n > 0u) {
        n--;
        suite_machine.put(digit[n]);
    }
}

void suite_check(bool good, const char *what, const char *file, uint32_t line)
{
    if (!good) {
        test_failed = true;
        suite_text("HAL-SUITE ");
        suite_text(test_name);
        suite_text(": ");
        suite_text(file);
        suite_text(":");
        suite_number(line);
        suite_text(": ");
        suite_text(what);
        suite_text("\n");
    }
}

bool suite_await(const volatile uint32_t *count, uint32_t wanted, uint64_t ns)
{
    const uint64_t limit = hal_timer_now_ns() + ns;
    const uint64_t flags = hal_cpu_irq_save();

    hal_cpu_irq_unmask();
    while ((*count < wanted) && (hal_timer_now_ns() < limit)) {
        hal_cpu_relax();
    }
    (void)hal_cpu_irq_save();
    hal_cpu_irq_restore(flags);
    return *count >= wanted;
}

static void run_all(const struct suite_test *test)
{
    for (const struct suite_test *t = test; t->name != NULL; t++) {
        test_name = t->name;
        test_failed = false;
        t->run();
        if (test_failed) {
            nr_failed++;
        } else {
            nr_passed++;
        }
        suite_text("HAL-TEST ");
        suite_text(t->name);
        suite_text(test_failed ? " FAIL\n" : " ok\n");
    }
}

void suite_run(void *arg)
{
    (void)arg;
    run_all(suite_tests_cpu);
    run_all(suite_tests_memory);
    run_all(suite_tests_map);
    run_all(suite_tests_guest);
    if (CONFIG_IOMMU != 0) {
        run_all(suite_tests_iommu);
    }
    suite_text("HAL-SUITE ");
    suite_number(nr_passed);
    suite_text(" passed, ");
    suite_number(nr_failed);
    suite_text(" failed\n");
    suite_machine.end(nr_failed);
}
