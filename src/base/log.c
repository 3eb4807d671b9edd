#include "base/log.h"

#include "base/console.h"
#include "base/log_keep.h"
#include "hal/timer.h"
#include "hal/upcall.h"
#include "lib/fmt.h"
#include "lib/ring.h"

#define LOG_RING_BYTES 16384u /* a power of two */
#define LOG_LINE_MAX   240u   /* a longer line is cut */
#define LOG_DUMP_CHUNK 64u
#define NS_PER_MS      1000000ULL
#define MS_PER_S       1000ULL

static struct spinlock log_lock = SPINLOCK(LOCK_LOG);
static char log_ring[LOG_RING_BYTES];
static uint64_t log_written; /* bytes ever */
static volatile bool log_is_emergency;
static struct console log_console; /* with a ring: named below, so that it is no part of the image */

static uint64_t log_lock_take(void)
{
    return log_is_emergency ? 0u : spin_lock(&log_lock);
}

static void log_lock_drop(uint64_t flags)
{
    if (!log_is_emergency) {
        spin_unlock(&log_lock, flags);
    }
}

/* "[    1.234] ": uptime in seconds */
static void log_uptime(struct fmt_buf *line)
{
    const uint64_t ms = hal_timer_now_ns() / NS_PER_MS;

    fmt_add(line, "[%5U.%03U] ", ms / MS_PER_S, ms % MS_PER_S);
}

/* The first line is written by the boot CPU alone, into an empty table. */
static void log_show(const char *text, uint32_t bytes)
{
    log_console.name = "bulkhead";
    log_console.prefix = true;
    if (log_console.registered || (console_register(&log_console, false) == HV_OK)) {
        console_tell(&log_console);
        console_write(&log_console, text, bytes);
    }
}

static void log_commit(const char *text, uint32_t bytes)
{
    const uint64_t flags = log_lock_take();

    ring_put(log_ring, LOG_RING_BYTES, log_written, text, bytes);
    log_written += bytes;
    if (CONFIG_STATIC == 0) {
        log_keep_line(text, bytes);
    }
    log_lock_drop(flags);
    log_show(text, bytes);
}

static void log_show_kept(const char *line, uint32_t bytes)
{
    static const char before[] = "before the reset| ";

    log_show(before, (uint32_t)sizeof(before) - 1u);
    log_show(line, bytes);
}

void log_keep(void *region, uint64_t bytes)
{
    if (CONFIG_STATIC == 0) {
        log_keep_open(region, bytes, log_show_kept);
    }
}

void log_line(const char *format, ...)
{
    char bytes[LOG_LINE_MAX];
    struct fmt_buf line;
    va_list args; /* MISRA-DEV-1 */

    fmt_init(&line, bytes, sizeof(bytes) - 1u);
    log_uptime(&line);
    va_start(args, format); /* MISRA-DEV-1 */
    fmt_args(&line, format, &args);
    va_end(args); /* MISRA-DEV-1 */
    bytes[line.len] = '\n';
    log_commit(bytes, line.len + 1u);
}

uint32_t log_read(uint32_t *at, char *to, uint32_t room)
{
    const uint64_t flags = log_lock_take();
    const uint32_t kept = (uint32_t)bits_min(log_written, LOG_RING_BYTES);
    const uint32_t behind = (uint32_t)bits_min((uint32_t)log_written - *at, kept);
    const uint32_t n = (uint32_t)bits_min(behind, room);

    *at = (uint32_t)log_written - behind;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = log_ring[(*at + i) % LOG_RING_BYTES];
    }
    *at += n;
    log_lock_drop(flags);
    return n;
}

void log_watch(void (*told)(void *ctx))
{
    log_console.room = told;
}

/* put() may write to the console, which ranks below the log: a piece is copied with the lock, printed
 * without. */
void log_dump(void (*put)(void *ctx, char c), void *ctx)
{
    char chunk[LOG_DUMP_CHUNK];
    uint32_t at = (uint32_t)log_written - LOG_RING_BYTES;
    uint32_t n = LOG_DUMP_CHUNK;

    for (uint32_t done = 0; (done < LOG_RING_BYTES) && (n == LOG_DUMP_CHUNK); done += n) {
        n = log_read(&at, chunk, LOG_DUMP_CHUNK);
        for (uint32_t i = 0; i < n; i++) {
            put(ctx, chunk[i]);
        }
    }
}

void log_emergency(void)
{
    log_is_emergency = true;
}

void upcall_log_hex(const char *text, uint64_t value)
{
    log_line("%s%X", text, value);
}
