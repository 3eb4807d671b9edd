#include "base/console.h"

#include "base/percpu.h"
#include "base/spinlock.h"
#include "lib/string.h"

#define RECEIVE_BURST  64u
#define SWITCH_PRESSES 3u
#define ESCAPE_MAX     16u /* bytes; a longer control sequence is dropped from the line */
#define REPLAY_CHUNK   64u
#define CHAR_ESC       '\x1b'
#define CHAR_DEL       0x7Fu
#define CHAR_SPACE     0x20u
#define CONT_MARK      '\\' /* ends a piece of a held line that is too long */

/* A guest ends its lines with \r\n: what a \r means is known with the byte behind it. */
#define CARRIAGE_NONE  0u
#define CARRIAGE_SEEN  1u /* the last byte was \r */
#define CARRIAGE_ENDED 2u /* ... and then another source's line came: it is ended on the terminal already */

static const char colour_off[] = { CHAR_ESC, '[', '0', 'm', '\0' };
static struct spinlock console_lock = SPINLOCK(LOCK_CONSOLE);
static struct console_uart uart;
static bool uart_present;
static struct console *source[CONSOLE_TARGETS_MAX];
static uint32_t nr_sources;
static bool last_fixed;                 /* source[nr_sources - 1] came by console_register_last() */
static struct console *owner;           /* has the input; its unfinished line is visible */
static bool owner_chosen;               /* by console_focus() or keys; until then the first target has it */
static struct console *open_line;       /* whose unfinished line the cursor stands in: the owner or NULL */
static struct console *redraw;          /* whose line was ended for another's */
static uint32_t nr_switch;              /* Ctrl-a received in a row */
static volatile uint32_t emergency_cpu; /* 1 + the CPU that panicked; it alone still writes, without lock */

/* False: this CPU may not touch the console any more. */
static bool console_enter(uint64_t *flags)
{
    bool entered = true;

    *flags = 0;
    if (emergency_cpu == 0u) {
        *flags = spin_lock(&console_lock);
    } else {
        entered = (emergency_cpu == (cpu_id() + 1u));
    }
    return entered;
}

static void console_leave(uint64_t flags)
{
    if (emergency_cpu == 0u) {
        spin_unlock(&console_lock, flags);
    }
}

static void put_char(char c)
{
    if (uart_present) {
        uart.put(uart.device, (uint8_t)c);
    }
}

static void put_bytes(const char *text, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++) {
        put_char(text[i]);
    }
}

/* names are short; bounded by CONSOLE_LINE_BYTES */
static void put_text(const char *text)
{
    put_bytes(text, (uint32_t)strnlen(text, CONSOLE_LINE_BYTES));
}

static void put_prefix(const struct console *console)
{
    if (console->prefix) {
        put_text(console->name);
        put_text(": ");
    }
}

/* Ends a line on the terminal; colours that the line set do not reach into the next. */
static void put_end(const struct console *console)
{
    if (memchr(console->line, CHAR_ESC, console->line_len) != NULL) {
        put_text(colour_off);
    }
    put_text("\r\n");
}

static void line_forget(struct console *console)
{
    console->line_len = 0;
    console->escape_len = 0;
}

/* Shows prefix and unfinished line; the cursor stays behind it. */
static void line_draw(struct console *console)
{
    put_prefix(console);
    put_bytes(console->line, console->line_len);
    open_line = console;
}

/* Frees the terminal's line for another source. */
static void line_interrupt(void)
{
    struct console *console = open_line;

    if (console != NULL) {
        put_end(console);
        open_line = NULL;
        if (console->carriage == CARRIAGE_SEEN) {
            console->carriage = CARRIAGE_ENDED;
            line_forget(console);
        } else {
            redraw = console;
        }
    }
}

/* The last step of whatever may have interrupted the owner's line. */
static void line_resume(void)
{
    if ((redraw != NULL) && (redraw == owner) && (open_line == NULL)) {
        line_draw(redraw);
    }
    redraw = NULL;
}

/* A control sequence is complete. What only sets colours stays in the line, and for the owner what edits
 * within the line; queries do not: the terminal would answer a second time when the line is drawn again. */
static void escape_end(struct console *console, bool owns, char final, bool known)
{
    const bool colour = (final == 'm');
    const bool edit = owns && (strchr("KJCDP@", final) != NULL);

    if (!known || (!colour && !edit)) {
        console->line_len -= console->escape_len;
    }
    console->escape_len = 0;
}

/* Makes room for one more byte. The owner's line is on the terminal; its beginning is forgotten. A held line
 * is shown in pieces; a control sequence that is not complete goes to the next piece. */
static void line_make_room(struct console *console, bool owns)
{
    const uint32_t from = owns ? (CONSOLE_LINE_BYTES / 2u) : (CONSOLE_LINE_BYTES - console->escape_len);
    const uint32_t rest = CONSOLE_LINE_BYTES - from;

    if (!owns) {
        line_interrupt();
        put_prefix(console);
        put_bytes(console->line, from);
        put_char(CONT_MARK);
        put_end(console);
    }
    (void)memmove(console->line, &console->line[from], rest);
    console->line_len = rest;
}

static bool is_kept(char c, bool owns)
{
    const uint8_t byte = (uint8_t)c;

    return ((byte >= CHAR_SPACE) && (byte != CHAR_DEL)) || (c == '\t') || (owns && (c == '\b'));
}

/* Keeps a byte of the unfinished line. Of others than the owner only text and colours are ever shown: nothing
 * that moves the cursor out of their line or over their name. */
static void line_keep(struct console *console, char c, bool owns)
{
    const bool in_escape = console->escape_len != 0u;

    if (!in_escape && (c != CHAR_ESC) && !is_kept(c, owns)) {
        return;
    }
    if (console->line_len == CONSOLE_LINE_BYTES) {
        line_make_room(console, owns);
    }
    console->line[console->line_len] = c;
    console->line_len++;
    if (in_escape || (c == CHAR_ESC)) {
        console->escape_len++;
        if (console->escape_len == 2u) {
            if (c != '[') {
                escape_end(console, owns, c, false);
            }
        } else if (console->escape_len > 2u) {
            if ((c >= '@') && (c <= '~')) {
                escape_end(console, owns, c, true);
            } else if (((uint8_t)c < CHAR_SPACE) || (console->escape_len == ESCAPE_MAX)) {
                escape_end(console, owns, c, false);
            }
        }
    }
}

static void write_owner(struct console *console, char c)
{
    if (c == '\n') {
        if (console->carriage != CARRIAGE_ENDED) {
            if (open_line != console) {
                line_draw(console);
            }
            put_end(console);
        }
        open_line = NULL;
        line_forget(console);
    } else {
        if (console->carriage == CARRIAGE_SEEN) {
            line_forget(console);
            if (open_line == console) {
                put_char('\r');
                put_prefix(console);
            }
        }
        if (open_line != console) {
            line_draw(console);
        }
        put_char(c);
        line_keep(console, c, true);
    }
    console->carriage = CARRIAGE_NONE;
}

static void write_held(struct console *console, char c)
{
    if (c == '\n') {
        if (console->carriage != CARRIAGE_ENDED) {
            console->line_len -= console->escape_len;
            console->escape_len = 0;
            line_interrupt();
            put_prefix(console);
            put_bytes(console->line, console->line_len);
            put_end(console);
        }
        line_forget(console);
    } else {
        if (console->carriage == CARRIAGE_SEEN) {
            line_forget(console);
        }
        line_keep(console, c, false);
    }
    console->carriage = CARRIAGE_NONE;
}

static void write_char(struct console *console, char c)
{
    if (c == '\r') {
        if (console->carriage == CARRIAGE_NONE) {
            console->carriage = CARRIAGE_SEEN;
        }
    } else if (console == owner) {
        write_owner(console, c);
    } else {
        write_held(console, c);
    }
}

void console_write(struct console *console, const char *text, uint32_t bytes)
{
    uint64_t flags;

    if (!console_enter(&flags)) {
        return;
    }
    for (uint32_t i = 0; i < bytes; i++) {
        console->ring[console->ring_written % CONSOLE_RING_BYTES] = text[i];
        console->ring_written++;
        if (uart_present) {
            write_char(console, text[i]);
            console->ring_shown = console->ring_written;
        }
    }
    line_resume();
    console_leave(flags);
}

/* Where the ring's oldest byte stands. */
static uint64_t ring_oldest(const struct console *console)
{
    return (console->ring_written > CONSOLE_RING_BYTES) ? (console->ring_written - CONSOLE_RING_BYTES) : 0u;
}

void console_set_uart(const struct console_uart *new_uart)
{
    uint64_t flags;

    if (!console_enter(&flags)) {
        return;
    }
    uart_present = (new_uart != NULL);
    open_line = NULL;
    if (new_uart != NULL) {
        uart = *new_uart;
        for (uint32_t i = 0; i < nr_sources; i++) {
            struct console *console = source[i];
            uint64_t at = ring_oldest(console);

            if (at < console->ring_shown) {
                at = console->ring_shown;
            }
            for (; at < console->ring_written; at++) { /* at most CONSOLE_RING_BYTES */
                write_char(console, console->ring[at % CONSOLE_RING_BYTES]);
            }
            console->ring_shown = console->ring_written;
        }
        line_resume();
    }
    console_leave(flags);
}

static void owner_set(struct console *console)
{
    line_interrupt();
    redraw = NULL;
    owner = console;
}

static void owner_announce(struct console *console)
{
    owner_set(console);
    owner_chosen = true;
    put_text("[input: ");
    put_text(console->name);
    put_text("]\r\n");
    if (console->line_len != 0u) {
        line_draw(console);
    }
}

static enum hv_status source_add(struct console *console, bool last)
{
    uint64_t flags;
    enum hv_status status = HV_OK;

    if (!console_enter(&flags)) {
        return HV_BUSY;
    }
    if (nr_sources == CONSOLE_TARGETS_MAX) {
        status = HV_LIMIT;
    } else if (console->registered) {
        status = HV_EXISTS;
    } else {
        const bool before_last = last_fixed && !last;
        const uint32_t at = before_last ? (nr_sources - 1u) : nr_sources;

        if (before_last) {
            source[nr_sources] = source[at];
        }
        source[at] = console;
        nr_sources++;
        last_fixed = last_fixed || last;
        console->registered = true;
        for (uint32_t i = 0; !owner_chosen && (i < nr_sources); i++) {
            if (source[i]->rx != NULL) {
                if (source[i] != owner) {
                    owner_set(source[i]);
                }
                break;
            }
        }
    }
    console_leave(flags);
    return status;
}

enum hv_status console_register(struct console *console)
{
    return source_add(console, false);
}

enum hv_status console_register_last(struct console *console)
{
    return source_add(console, true);
}

void console_reset(struct console *console)
{
    uint64_t flags;

    if (!console_enter(&flags)) {
        return;
    }
    if (open_line == console) {
        put_end(console);
        open_line = NULL;
    }
    line_forget(console);
    console->carriage = CARRIAGE_NONE;
    console->ring_written = 0;
    console->ring_shown = 0;
    console_leave(flags);
}

void console_focus(struct console *console)
{
    uint64_t flags;

    if (console_enter(&flags)) {
        if (console->rx != NULL) {
            owner_announce(console);
        }
        console_leave(flags);
    }
}

/* The target behind the owner; the owner if it is the only one, NULL if there is none. */
static struct console *target_next(void)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < nr_sources; i++) {
        if (source[i] == owner) {
            at = i + 1u;
        }
    }
    for (uint32_t i = 0; i < nr_sources; i++) {
        struct console *console = source[(at + i) % nr_sources];

        if (console->rx != NULL) {
            return console;
        }
    }
    return NULL;
}

/* What a received byte means: nr bytes in out[] for the owner. */
static uint32_t key_take(uint8_t key, uint8_t out[SWITCH_PRESSES])
{
    uint32_t nr = 0;

    if (key == CONSOLE_SWITCH_CHAR) {
        nr_switch++;
        if (nr_switch == SWITCH_PRESSES) {
            struct console *next = target_next();

            nr_switch = 0;
            if (next != NULL) {
                owner_announce(next);
            }
        }
    } else {
        for (; nr < nr_switch; nr++) {
            out[nr] = CONSOLE_SWITCH_CHAR;
        }
        out[nr] = key;
        nr++;
        nr_switch = 0;
    }
    return nr;
}

void console_receive(void)
{
    for (uint32_t i = 0; i < RECEIVE_BURST; i++) {
        uint8_t key = 0;
        uint8_t out[SWITCH_PRESSES] = { 0u, 0u, 0u };
        uint32_t nr = 0;
        uint64_t flags;
        bool got = false;
        const struct console *target = NULL;

        if (console_enter(&flags)) {
            got = uart_present && uart.get(uart.device, &key);
            if (got) {
                nr = key_take(key, out);
            }
            target = owner;
            console_leave(flags);
        }
        if (!got) {
            break;
        }
        for (uint32_t k = 0; (target != NULL) && (k < nr); k++) {
            target->rx(target->ctx, out[k]);
        }
    }
}

void console_replay(const struct console *console, void (*put)(void *ctx, char c), void *ctx)
{
    char chunk[REPLAY_CHUNK];
    uint64_t flags;
    uint64_t at = 0;
    uint64_t end = UINT64_MAX; /* known after the first look */
    bool more = true;

    /* put() may write to the console: copy a piece with the lock, hand it on without. At most
     * CONSOLE_RING_BYTES bytes. */
    while (more && console_enter(&flags)) {
        uint32_t n = 0;

        end = (end == UINT64_MAX) ? console->ring_written : end;
        at = (at < ring_oldest(console)) ? ring_oldest(console) : at;
        for (; (n < REPLAY_CHUNK) && (at < end); at++) {
            chunk[n] = console->ring[at % CONSOLE_RING_BYTES];
            n++;
        }
        console_leave(flags);
        for (uint32_t i = 0; i < n; i++) {
            put(ctx, chunk[i]);
        }
        more = (n == REPLAY_CHUNK);
    }
}

void console_emergency(void)
{
    emergency_cpu = cpu_id() + 1u;
    if (open_line != NULL) {
        put_text(colour_off);
        put_text("\r\n");
        open_line = NULL;
    }
    redraw = NULL;
    for (uint32_t i = 0; i < nr_sources; i++) {
        line_forget(source[i]);
        source[i]->carriage = CARRIAGE_NONE;
    }
}
