/* Where the log survives a reset: what is found there is garbage until it proves to be a line.
 * [test->req~log-kept~1] */
#include "bench.h"

#include "base/log.h"
#include "base/log_keep.h"

#define LINES 16u /* that the region holds, of 256 bytes each */

static uint64_t region[LINES * 32u];
static char said[65536];
static uint32_t nr_said;

static void say(const char *line, uint32_t bytes)
{
    CHECK(bytes <= 240u);
    (void)strncat(said, line, bytes);
    nr_said++;
}

static void reopen(void)
{
    said[0] = '\0';
    nr_said = 0u;
    log_keep_open(region, sizeof(region), say);
}

static void write_lines(uint32_t nr)
{
    char text[64];

    for (uint32_t i = 0; i < nr; i++) {
        (void)snprintf(text, sizeof(text), "line %u\n", i);
        log_keep_line(text, (uint32_t)strlen(text));
    }
}

static void nothing_scenario(void)
{
    log_keep_line("lost\n", 5u); /* there is no region yet */
    reopen();
    CHECK(nr_said == 0u);
    (void)memset(region, 0xFF, sizeof(region));
    reopen();
    CHECK(nr_said == 0u);
    srand(3);
    for (uint32_t round = 0; round < 200u; round++) {
        for (size_t i = 0; i < (sizeof(region) / sizeof(region[0])); i++) {
            region[i] = ((uint64_t)(uint32_t)rand() << 32u) ^ (uint32_t)rand();
        }
        for (size_t i = 0; i < LINES; i++) { /* as near as garbage may come */
            region[i * 32u] = (region[i * 32u] & ~0xFFFFFFFFULL) | 0x504B4C42u;
            region[(i * 32u) + 1u] = i + (LINES * (uint64_t)(rand() % 3));
            region[(i * 32u) + 2u] = ((uint64_t)(uint32_t)rand() << 32u) | (uint32_t)(rand() % 300);
        }
        reopen();
        CHECK(nr_said == 0u);
    }
    log_keep_open(region, 255u, say); /* not one line's room */
    log_keep_line("lost\n", 5u);
    log_keep_open(region, 0u, say);
    CHECK(nr_said == 0u);
}
ALONE(nothing)

static void survives_scenario(void)
{
    reopen();
    write_lines(3);
    reopen();
    CHECK(strcmp(said, "line 0\nline 1\nline 2\n") == 0);
    reopen(); /* said once */
    CHECK(nr_said == 0u);
    write_lines(2u * LINES + 5u);
    reopen();
    CHECK(nr_said == LINES);
    CHECK(strncmp(said, "line 21\nline 22\n", 16) == 0);
    CHECK(strstr(said, "line 36\n") != NULL);
}
ALONE(survives)

static void damaged_scenario(void)
{
    uint8_t *const bytes = (uint8_t *)region;

    reopen();
    write_lines(5);
    bytes[(3u * 256u) + 20u] ^= 1u; /* lines are numbered from 1 */
    reopen();
    CHECK(strcmp(said, "line 0\nline 1\nline 3\nline 4\n") == 0);
    write_lines(5);
    for (uint32_t at = 0; at < 24u; at++) { /* any bit of what says so makes it no line */
        uint64_t copy[LINES * 32u];

        (void)memcpy(copy, region, sizeof(copy));
        bytes[(2u * 256u) + at] ^= 0x80u;
        reopen();
        CHECK(nr_said == 4u);
        (void)memcpy(region, copy, sizeof(copy));
    }
}
ALONE(damaged)

/* The last line that a boot has written when it ends in the middle of one. */
static void long_line_scenario(void)
{
    char text[241];

    (void)memset(text, 'x', 240u);
    text[240] = '\0';
    reopen();
    log_keep_line(text, 240u);
    reopen();
    CHECK((nr_said == 1u) && (strlen(said) == 236u));
}
ALONE(long_line)

/* -- Through the log -- */

static char shown[65536];

static bool uart_put(void *device, uint8_t c)
{
    const size_t n = strlen(shown);

    (void)device;
    shown[n] = (char)c;
    return true;
}

static void through_log_scenario(void)
{
    static const struct console_uart uart = { uart_put, NULL, NULL, NULL, NULL, false };

    fake_reset();
    fake_cpu_set(0);
    console_set_uart(&uart);
    log_keep(region, sizeof(region));
    log_line("first %u", 1u);
    log_emergency();
    log_line("and last");
    log_keep(region, sizeof(region));
    CHECK(strstr(shown, "bulkhead: before the reset| [    0.000] first 1\r\n"
                        "bulkhead: before the reset| [    0.000] and last\r\n") != NULL);
}
ALONE(through_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),   cmocka_unit_test(survives),    cmocka_unit_test(damaged),
        cmocka_unit_test(long_line), cmocka_unit_test(through_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
