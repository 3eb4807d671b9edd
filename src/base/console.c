/* [impl->req~console-lines~1] [impl->req~console-switch~1] [impl->req~console-ring~1] */
#include "base/console.h"

#include "base/percpu.h"
#include "drivers/uart_queue.h"
#include "hal/sync.h"
#include "lib/ring.h"

#define RECEIVE_BURST  16u
#define SWITCH_PRESSES 3u
#define ESCAPE_MAX     16u /* bytes; a longer control sequence is dropped from the line */
#define REPLAY_CHUNK   64u
#define CHAR_ESC       '\x1b'
#define CHAR_DEL       0x7Fu
#define CHAR_SPACE     0x20u
#define CHUNK          CONSOLE_LINE_BYTES /* of a text, taken under one lock */
#define TURNS          32u                /* bytes that are no plain text, taken under one lock ... */
#define TURNS_LINE     8u                 /* ... of which an end of line counts as many */
#define CONT_MARK      '\\'               /* ends a piece of a held line that is too long */

/* A guest ends its lines with \r\n: what a \r means is known with the byte behind it. */
#define CARRIAGE_NONE  0u
#define CARRIAGE_SEEN  1u /* the last byte was \r */
#define CARRIAGE_ENDED 2u /* ... and then another source's line came: it is ended on the terminal already */

/* Room in the queue. One byte of a source ends the owner's line, shows its own line and draws the owner's
 * again: two names, two lines and a few more. A guest leaves room for the hypervisor; and one whose text
 * waits already may fill half of the queue, so that it does not keep the others waiting. */
#define ROOM_DRAW   ((4u * CONSOLE_LINE_BYTES) + 64u)
#define ROOM_GUEST  (2u * ROOM_DRAW)
#define ROOM_OTHERS (UART_QUEUE_BYTES / 2u)

static const char colour_off[] = { CHAR_ESC, '[', '0', 'm', '\0' };

/* Locks: a source's lock guards its line and ring, console_lock the rest and what is appended to the queue.
 * The owner's line is guarded by both: it is drawn by others. Becoming the owner takes both locks, ceasing to
 * be only console_lock: who holds a source's lock and sees that it is not the owner can rely on that. */
static struct spinlock console_lock = SPINLOCK(LOCK_CONSOLE);
static struct uart_queue queue;
static struct console *source[CONSOLE_TARGETS_MAX];
static uint32_t nr_sources;
static bool last_fixed;                 /* source[nr_sources - 1] was registered as the last */
static struct console *owner;           /* has the input; its unfinished line is visible */
static bool owner_chosen;               /* by console_focus() or keys; until then the first target has it */
static struct console *open_line;       /* whose unfinished line the cursor stands in: the owner or NULL */
static struct console *redraw;          /* whose line was ended for another's */
static volatile uint32_t receiving;     /* 1: some CPU takes received bytes; the next one is its */
static uint32_t told;                   /* index of the source that was told last of room */
static uint32_t nr_switch;              /* Ctrl-a received in a row; the receiving CPU's */
static volatile uint32_t emergency_cpu; /* 1 + the CPU that panicked; it alone still writes, without lock */

/* False: this CPU may not touch the console any more. */
static bool console_alive(void)
{
    const uint32_t emergency = emergency_cpu;

    return (emergency == 0u) || (emergency == (cpu_id() + 1u));
}

static uint64_t lock_take(struct spinlock *lock)
{
    return (emergency_cpu == 0u) ? spin_lock(lock) : 0u;
}

static void lock_drop(struct spinlock *lock, uint64_t flags)
{
    if (emergency_cpu == 0u) {
        spin_unlock(lock, flags);
    }
}

static uint64_t screen_take(void)
{
    return lock_take(&console_lock);
}

static void screen_drop(uint64_t flags)
{
    uart_queue_publish(&queue);
    lock_drop(&console_lock, flags);
}

static void put_bytes(const char *text, uint32_t bytes)
{
    uart_queue_append(&queue, text, bytes);
}

static void put_char(char c)
{
    put_bytes(&c, 1u);
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

/* Colours that the line set do not reach into the next. */
static void put_colour_off(const struct console *console)
{
    if (memchr(console->line, CHAR_ESC, console->line_len) != NULL) {
        put_text(colour_off);
    }
}

/* Ends a line on the terminal. */
static void put_end(const struct console *console)
{
    put_colour_off(console);
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
        open_line = NULL;
        if (console->carriage == CARRIAGE_SEEN) {
            put_end(console);
            console->carriage = CARRIAGE_ENDED;
            line_forget(console);
        } else {
            put_colour_off(console);
            put_text("\r\r\n"); /* which no finished line ends with: who reads a log can leave it out */
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

/* How many of the first bytes are plain text that the line has room for: those go at once. */
static uint32_t plain_run(const struct console *console, const char *text, uint32_t bytes)
{
    const uint32_t room = CONSOLE_LINE_BYTES - console->line_len;
    const uint32_t most = (console->escape_len != 0u) ? 0u : ((bytes < room) ? bytes : room);
    uint32_t n = 0;

    while ((n < most) && ((uint8_t)text[n] >= CHAR_SPACE) && ((uint8_t)text[n] != CHAR_DEL)) {
        n++;
    }
    return n;
}

/* One byte of any kind, or more of plain text that fit. */
static void text_keep(struct console *console, const char *text, uint32_t bytes, bool owns)
{
    if (bytes > 1u) {
        (void)memcpy(&console->line[console->line_len], text, bytes);
        console->line_len += bytes;
    } else {
        line_keep(console, text[0], owns);
    }
}

static void write_owner(struct console *console, const char *text, uint32_t bytes)
{
    if (text[0] == '\n') {
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
        put_bytes(text, bytes);
        text_keep(console, text, bytes, true);
    }
    console->carriage = CARRIAGE_NONE;
}

static void write_held(struct console *console, const char *text, uint32_t bytes)
{
    if (text[0] == '\n') {
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
        text_keep(console, text, bytes, false);
    }
    console->carriage = CARRIAGE_NONE;
}

/* Writes one byte, or as many as are plain text; returns how many. */
static uint32_t write_some(struct console *console, const char *text, uint32_t bytes)
{
    const uint32_t run = plain_run(console, text, bytes);
    const uint32_t n = (run > 1u) ? run : 1u;

    if (text[0] == '\r') {
        if (console->carriage == CARRIAGE_NONE) {
            console->carriage = CARRIAGE_SEEN;
        }
    } else if (hal_load_acquire32(&console->owns) != 0u) {
        write_owner(console, text, n);
    } else {
        write_held(console, text, n);
    }
    return n;
}

static bool has_room(const struct console *console, bool guest)
{
    uint32_t want = ROOM_DRAW;

    if (guest) {
        want = uart_queue_waits(&queue, console->drawn_to) ? ROOM_OTHERS : ROOM_GUEST;
    }
    return uart_queue_room(&queue) >= want;
}

/* Whether this byte needs console_lock: text of others than the owner is only kept until its line ends. */
static bool shows(const struct console *console, char c)
{
    return (hal_load_acquire32(&console->owns) != 0u) || (c == '\n') ||
           (console->line_len == CONSOLE_LINE_BYTES);
}

/* Takes what there is room for, at most CHUNK and TURNS; returns how much. */
static uint32_t take(struct console *console, const char *text, uint32_t bytes, bool guest)
{
    const uint64_t flags = lock_take(&console->lock);
    const uint32_t most = (bytes < CHUNK) ? bytes : CHUNK;
    uint64_t screen_flags = 0;
    bool screen = false;
    bool fits = true;
    uint32_t turns = 0;
    uint32_t n = 0;

    while (fits && (n < most) && (turns < TURNS)) {
        if (!screen && queue.present && shows(console, text[n])) {
            screen_flags = screen_take();
            screen = true;
        }
        fits = !screen || has_room(console, guest);
        if (fits) {
            const uint32_t some = queue.present ? write_some(console, &text[n], most - n) : (most - n);

            turns += (text[n] == '\n') ? TURNS_LINE : 1u;
            ring_put(console->ring, CONSOLE_RING_BYTES, console->ring_written, &text[n], some);
            console->ring_written += some;
            console->ring_shown = queue.present ? console->ring_written : console->ring_shown;
            n += some;
        }
    }
    if (screen) {
        line_resume();
        console->drawn_to = queue.end;
        screen_drop(screen_flags);
    }
    lock_drop(&console->lock, flags);
    return n;
}

/* The sender's role is a flag of the queue. */
static void queue_poll(uint32_t bytes)
{
    percpu_hold();
    uart_queue_poll(&queue, bytes);
    percpu_drop();
}

void console_write(struct console *console, const char *text, uint32_t bytes)
{
    uint32_t done = 0;
    bool stuck = !console_alive();

    while (!stuck && (done < bytes)) { /* each turn but the last takes a byte */
        uint32_t n = take(console, &text[done], bytes - done, false);

        if (n == 0u) {
            queue_poll(ROOM_GUEST);
            n = take(console, &text[done], bytes - done, false);
            stuck = (n == 0u); /* the device hangs */
        }
        done += n;
    }
    console_push();
}

/* True: it was otherwise before. */
static bool wait_set(struct console *console, uint32_t waits)
{
    const uint64_t flags = lock_take(&console->lock);
    const bool changes = console->waits != waits;

    if (changes) {
        hal_store_release32(&console->waits, waits);
        (void)hal_fetch_add32(&queue.watched, (waits != 0u) ? 1u : UINT32_MAX);
    }
    lock_drop(&console->lock, flags);
    return changes;
}

uint32_t console_offer(struct console *console, const char *text, uint32_t bytes)
{
    uint32_t n = bytes;

    if (console_alive()) {
        n = take(console, text, bytes, true);
        if ((n < bytes) && (console->room != NULL)) {
            (void)wait_set(console, 1u);
            hal_barrier();
            /* room that came before anybody could know that we wait */
            n += take(console, &text[n], bytes - n, true);
        }
    }
    return n;
}

void console_tell(struct console *console)
{
    if ((console->room != NULL) && console_alive()) {
        (void)wait_set(console, 1u);
    }
}

void console_push(void)
{
    if (console_alive() && uart_queue_busy(&queue)) {
        percpu_hold();
        uart_queue_push(&queue);
        percpu_drop();
    }
}

void console_drive(bool by_irq)
{
    uart_queue_drive(&queue, by_irq);
    (void)console_service();
}

void console_flush(void)
{
    if (console_alive()) {
        queue_poll(UART_QUEUE_BYTES);
    }
}

/* Where the ring's oldest byte stands. */
static uint64_t ring_oldest(const struct console *console)
{
    return (console->ring_written > CONSOLE_RING_BYTES) ? (console->ring_written - CONSOLE_RING_BYTES) : 0u;
}

/* Shows a piece of what a source said while there was no UART, as far as its ring holds it. True: there is
 * more. */
static bool show_missed(struct console *console)
{
    const uint64_t flags = lock_take(&console->lock);
    const uint64_t screen_flags = screen_take();
    const uint64_t oldest = ring_oldest(console);
    uint64_t at = (oldest > console->ring_shown) ? oldest : console->ring_shown;
    uint32_t n = 0;

    for (; (n < CHUNK) && (at < console->ring_written) && has_room(console, false); at++) {
        (void)write_some(console, &console->ring[at % CONSOLE_RING_BYTES], 1u);
        n++;
    }
    line_resume();
    screen_drop(screen_flags);
    console->ring_shown = at;
    lock_drop(&console->lock, flags);
    return n == CHUNK;
}

void console_set_uart(const struct console_uart *uart)
{
    open_line = NULL;
    uart_queue_open(&queue, uart);
    for (uint32_t i = 0; queue.present && (i < nr_sources); i++) {
        while (show_missed(source[i])) { /* at most CONSOLE_RING_BYTES / CHUNK */
            console_push();
        }
        console_push();
    }
}

static void owner_set(struct console *console)
{
    line_interrupt();
    redraw = NULL;
    if (owner != NULL) {
        hal_store_release32(&owner->owns, 0u);
    }
    owner = console;
    owner->owns = 1u;
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

/* With both locks: a place in the table; the owner is its first target until one is chosen. */
static void source_insert(struct console *console, bool last)
{
    const bool before_last = last_fixed && !last;
    const uint32_t at = before_last ? (nr_sources - 1u) : nr_sources;
    uint32_t first = 0;

    if (before_last) {
        source[nr_sources] = source[at];
    }
    source[at] = console;
    nr_sources++;
    last_fixed = last_fixed || last;
    console->registered = true;
    while (source[first]->rx == NULL) { /* ends at the new one at the latest, if that is a target */
        if (source[first] == console) {
            return;
        }
        first++;
    }
    if (!owner_chosen && (source[first] == console)) {
        owner_set(console);
    }
}

enum hv_status console_register(struct console *console, bool last)
{
    enum hv_status status = HV_OK;

    if (console->registered) {
        status = HV_EXISTS;
    } else if (!console_alive()) {
        status = HV_BUSY;
    } else {
        uint64_t flags;
        uint64_t screen_flags;

        spin_init(&console->lock, LOCK_CONSOLE_LINE);
        flags = lock_take(&console->lock);
        screen_flags = screen_take();
        if (nr_sources < CONSOLE_TARGETS_MAX) {
            source_insert(console, last);
        } else {
            status = HV_LIMIT;
        }
        screen_drop(screen_flags);
        lock_drop(&console->lock, flags);
        console_push();
    }
    return status;
}

void console_reset(struct console *console)
{
    if (console_alive()) {
        const uint64_t flags = lock_take(&console->lock);
        const uint64_t screen_flags = screen_take();

        if (open_line == console) {
            put_end(console);
            open_line = NULL;
        }
        line_forget(console);
        console->carriage = CARRIAGE_NONE;
        screen_drop(screen_flags);
        console->ring_written = 0;
        console->ring_shown = 0;
        lock_drop(&console->lock, flags);
        (void)wait_set(console, 0u);
        console_push();
    }
}

void console_focus(struct console *console)
{
    if (console_alive() && (console->rx != NULL)) {
        uint64_t flags;
        uint64_t screen_flags;

        if (uart_queue_room(&queue) < ROOM_DRAW) {
            queue_poll(ROOM_DRAW);
        }
        flags = lock_take(&console->lock);
        screen_flags = screen_take();
        owner_announce(console);
        screen_drop(screen_flags);
        lock_drop(&console->lock, flags);
        console_push();
    }
}

/* The target behind the owner; the owner if it is the only one, NULL if there is none. */
static struct console *target_next(void)
{
    const uint64_t flags = screen_take();
    struct console *next = NULL;
    uint32_t at = 0;

    for (uint32_t i = 0; i < nr_sources; i++) {
        if (source[i] == owner) {
            at = i + 1u;
        }
    }
    for (uint32_t i = 0; (next == NULL) && (i < nr_sources); i++) {
        struct console *console = source[(at + i) % nr_sources];

        if (console->rx != NULL) {
            next = console;
        }
    }
    screen_drop(flags);
    return next;
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
                console_focus(next);
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

static const struct console *target_now(void)
{
    const uint64_t flags = screen_take();
    const struct console *now = owner;

    screen_drop(flags);
    return now;
}

/* Interrupts are masked: a handler must not find the role held by its own CPU. True: there may be more. */
static bool receive(void)
{
    const uint64_t flags = hal_cpu_irq_save();
    uint32_t taken = 0;
    uint8_t key = 0;

    if (hal_compare_swap32(&receiving, 0u, 1u)) {
        while ((taken < RECEIVE_BURST) && queue.uart.get(queue.uart.device, &key)) {
            uint8_t out[SWITCH_PRESSES] = { 0u, 0u, 0u };
            const uint32_t nr = key_take(key, out);
            const struct console *target = target_now();

            for (uint32_t k = 0; (target != NULL) && (k < nr); k++) {
                target->rx(target->ctx, out[k]);
            }
            taken++;
        }
        hal_store_release32(&receiving, 0u);
    }
    hal_cpu_irq_restore(flags);
    return taken == RECEIVE_BURST;
}

/* Tells the next source that waits and has room. One at a time: what it then says takes its time as well. */
static void waiter_tell(void)
{
    const uint64_t screen_flags = screen_take();
    struct console *found = NULL;

    for (uint32_t i = 0; (i < nr_sources) && (found == NULL); i++) {
        struct console *const console = source[(told + i + 1u) % nr_sources];

        if ((hal_load_acquire32(&console->waits) != 0u) && has_room(console, true)) {
            found = console;
            told = (told + i + 1u) % nr_sources;
        }
    }
    screen_drop(screen_flags);
    if ((found != NULL) && wait_set(found, 0u)) {
        found->room(found->ctx);
    }
}

bool console_service(void)
{
    bool more = false;

    if (console_alive() && queue.present) {
        more = (queue.uart.get != NULL) && receive();
        if (!more) { /* else what is to be sent comes next: each call is bounded */
            if (queue.watched != 0u) {
                waiter_tell();
            }
            (void)uart_queue_send(&queue);
            more = uart_queue_busy(&queue) || (queue.watched != 0u);
        }
    }
    return more;
}

void console_replay(struct console *console, void (*put)(void *ctx, char c), void *ctx)
{
    char chunk[REPLAY_CHUNK];
    uint64_t at = 0;
    uint64_t end = UINT64_MAX; /* known after the first look */
    bool more = true;

    /* put() may write to the console: copy a piece with the lock, hand it on without. At most
     * CONSOLE_RING_BYTES bytes. */
    while (more && console_alive()) {
        const uint64_t flags = lock_take(&console->lock);
        uint32_t n = 0;

        end = (end == UINT64_MAX) ? console->ring_written : end;
        at = (at < ring_oldest(console)) ? ring_oldest(console) : at;
        for (; (n < REPLAY_CHUNK) && (at < end); at++) {
            chunk[n] = console->ring[at % CONSOLE_RING_BYTES];
            n++;
        }
        lock_drop(&console->lock, flags);
        for (uint32_t i = 0; i < n; i++) {
            put(ctx, chunk[i]);
        }
        more = (n == REPLAY_CHUNK);
    }
}

void console_emergency(void)
{
    emergency_cpu = cpu_id() + 1u;
    uart_queue_seize(&queue);
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
