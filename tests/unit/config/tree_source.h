/* For the tests of config/: device trees from source text by dtc, and a list of what was reported. */
#ifndef TESTS_TREE_SOURCE_H
#define TESTS_TREE_SOURCE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"

struct said {
    char text[16384]; /* one sentence a line, notes after "note: " */
    struct config_report report;
};

static inline void said_line(struct said *said, const char *before, const char *sentence)
{
    const size_t used = strlen(said->text);

    (void)snprintf(said->text + used, sizeof(said->text) - used, "%s%s\n", before, sentence);
}

static inline void said_fault(void *ctx, const char *sentence)
{
    said_line(ctx, "", sentence);
}

static inline void said_note(void *ctx, const char *sentence)
{
    said_line(ctx, "note: ", sentence);
}

static inline void said_init(struct said *said)
{
    memset(said, 0, sizeof(*said));
    said->report.fault = said_fault;
    said->report.note = said_note;
    said->report.ctx = said;
}

/* The blob of a source text, from malloc. */
static inline void *tree_compile(const char *source, size_t *bytes)
{
    char name[] = "/tmp/bulkhead-test-XXXXXX";
    char command[128];
    const int fd = mkstemp(name);
    void *blob = malloc(1u << 20u);
    FILE *pipe;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, source, strlen(source)), (ssize_t)strlen(source));
    (void)close(fd);
    (void)snprintf(command, sizeof(command), "dtc -q -f -I dts -O dtb %s 2>/dev/null", name);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    *bytes = fread(blob, 1, 1u << 20u, pipe);
    assert_int_equal(pclose(pipe), 0);
    (void)unlink(name);
    assert_true(*bytes > 0u);
    /* The allocation ends where the blob does, so that the address sanitizer sees what reads beyond it. */
    return realloc(blob, *bytes);
}

/* The source of the board that tests/neg/config uses, from the repository's root. */
static inline char *board_source(void)
{
    FILE *const file = fopen("tests/neg/config/board.dts", "r");
    char *const text = calloc(1, 65536);
    size_t got;

    assert_non_null(file);
    got = fread(text, 1, 65535, file);
    assert_true(got > 0u);
    (void)fclose(file);
    return text;
}

/* The board with more source behind it: "/ { chosen { ... }; };" */
static inline void *board_with(const char *more, size_t *bytes)
{
    char *const board = board_source();
    char *const text = malloc(strlen(board) + strlen(more) + 2u);
    void *blob;

    (void)sprintf(text, "%s\n%s", board, more);
    blob = tree_compile(text, bytes);
    free(board);
    free(text);
    return blob;
}

#endif
