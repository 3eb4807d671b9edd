/* One physical console shared by the hypervisor, every domain and the operator. Each source's lines carry its
 * name and are never cut by another's: the input owner's unfinished line shows at once; before another
 * source's line it is ended, by \r\r\n instead of \r\n, and afterwards drawn again. Others are held until
 * their newline, or until their line buffer is full. Ctrl-a three times moves the input to the next target;
 * the operator's prompt is the last one. A ring per source keeps what was said last.
 * Nobody waits for the UART: what is drawn goes to a queue, and a source that a guest drives is told to wait
 * when the queue is well filled, in the guest's own time. Only the hypervisor's lines poll for room, if need
 * be. */
#ifndef BASE_CONSOLE_H
#define BASE_CONSOLE_H

#include "base/spinlock.h"
#include "drivers/uart.h"

#define CONSOLE_RING_BYTES  4096u
#define CONSOLE_LINE_BYTES  256u
#define CONSOLE_SWITCH_CHAR 1u /* Ctrl-a */
#define CONSOLE_TARGETS_MAX (HV_DOMAINS_MAX + 2u)

/* A source and, when rx is set, a target of input. Storage is the caller's and stays for good. */
struct console {
    const char *name;
    void (*rx)(void *ctx, uint8_t c); /* trap context, no console lock held; NULL: takes no input */
    void (*room)(void *ctx);          /* console_offer() takes more again; context as for rx; may be NULL */
    void *ctx;
    bool prefix; /* lines carry "name: "; the operator's do not */
    /* private to console.c */
    struct spinlock lock;
    volatile uint32_t owns;  /* is the owner */
    volatile uint32_t waits; /* 1: for room() to be called */
    uint32_t drawn_to;       /* where in the queue its last bytes end */
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

/* Adds a source; order of registration is the order of input switching. HV_LIMIT. Name stays valid. last: it
 * (the operator) stays behind all others registered later. */
HV_MUST_CHECK enum hv_status console_register(struct console *console, bool last);

/* The hypervisor's own text. Any context, any locks of lower rank. bytes < 64 Ki; bounded work: if the queue
 * is full it polls until there is room. */
void console_write(struct console *console, const char *text, uint32_t bytes);

/* A guest's text: takes what there is room for, returns how many bytes. If not all, room() is called once
 * there is more. Touches memory only; console_push() sends. Any context, any locks of lower rank. bytes <=
 * 256. */
uint32_t console_offer(struct console *console, const char *text, uint32_t bytes);
/* room() is called when there is room: what is written next makes that soon. */
void console_tell(struct console *console);
/* Sends what the UART takes at once. No lock of a guest's device should be held: it is slow. */
void console_push(void);

/* Forgets an unfinished line and the ring (a domain restarts). */
void console_reset(struct console *console);

/* From now on console_service() is called: by the UART's receive and transmit interrupt (by_irq) or by a
 * timer, every few milliseconds and soon again when it returned true. Until then every writer polls until all
 * is sent. */
void console_drive(bool by_irq);
/* Takes received bytes from the UART, at most 16 a call, and hands them to the target; or, if there were
 * fewer, calls one room() and sends. Interrupt or poll, no lock held. True: more is left to be done. */
bool console_service(void);
/* Polls until what was said is sent: before the power goes. */
void console_flush(void);

/* Gives the input to this target, with a line on the console that says so. */
void console_focus(struct console *console);

/* Last bytes of a source, oldest first. */
void console_replay(struct console *console, void (*put)(void *ctx, char c), void *ctx);

/* After a panic: no locks any more, straight to the UART. */
void console_emergency(void);

#endif
