/* One physical console shared by the hypervisor, every domain and the operator. Each source's lines carry its
 * name and are never cut by another's: the input owner's unfinished line shows at once; before another
 * source's line it is ended and afterwards drawn again. Others are held until their newline, or until their
 * line buffer is full. Ctrl-a three times moves the input to the next target; the operator's prompt is the
 * last one. A ring per source keeps what was said last. */
#ifndef BASE_CONSOLE_H
#define BASE_CONSOLE_H

#include "drivers/uart.h"
#include "hal/types.h"
#include "lib/status.h"

#define CONSOLE_RING_BYTES  4096u
#define CONSOLE_LINE_BYTES  256u
#define CONSOLE_SWITCH_CHAR 1u /* Ctrl-a */
#define CONSOLE_TARGETS_MAX (HV_DOMAINS_MAX + 2u)

/* A source and, when rx is set, a target of input. Storage is the caller's and stays for good. */
struct console {
    const char *name;
    void (*rx)(void *ctx, uint8_t c); /* trap context, console lock NOT held; NULL: takes no input */
    void *ctx;
    bool prefix; /* lines carry "name: "; the operator's do not */
    /* private to console.c */
    char line[CONSOLE_LINE_BYTES];
    uint32_t line_len;
    uint32_t escape_len;   /* last bytes of line[] that are the start of a control sequence */
    uint32_t carriage;     /* enum in console.c: what became of the last carriage return */
    uint64_t ring_written; /* bytes ever; ring position modulo CONSOLE_RING_BYTES */
    uint64_t ring_shown;   /* how many of them the UART has seen */
    char ring[CONSOLE_RING_BYTES];
    bool registered;
};

/* Copies *uart; what registered sources said before (as far as their rings hold it) is printed then. NULL:
 * none any more. */
void console_set_uart(const struct console_uart *uart);

/* Adds a source; order of registration is the order of input switching. HV_LIMIT. Name stays valid. */
HV_MUST_CHECK enum hv_status console_register(struct console *console);
/* Marks the last target (the operator) that stays behind all others registered later. */
HV_MUST_CHECK enum hv_status console_register_last(struct console *console);

/* Any context. bytes < 64 Ki; bounded work. */
void console_write(struct console *console, const char *text, uint32_t bytes);
/* Forgets an unfinished line and the ring (a domain restarts). */
void console_reset(struct console *console);

/* Takes all received bytes from the UART, at most 64 a call, and hands them to the target. Interrupt or
 * poll. */
void console_receive(void);

/* Gives the input to this target, with a line on the console that says so. */
void console_focus(struct console *console);

/* Last bytes of a source, oldest first. */
void console_replay(const struct console *console, void (*put)(void *ctx, char c), void *ctx);

/* After a panic: no locks any more, straight to the UART. */
void console_emergency(void);

#endif
