/* The hypervisor's own log: a ring that survives until read, echoed to the console.
 * Formats are those of lib/fmt.h. One call is one line. The order is each CPU's own: lines of two CPUs at the
 * same time may stand the one way round in the ring and the other on the console. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

void log_line(const char *format, ...);

/* Copies what follows position *at, which goes on by as much; from the oldest on if that is not kept any
 * more, or was never written. At most `room`; 0: there is nothing more. */
uint32_t log_read(uint32_t *at, char *to, uint32_t room);
/* From now on told() is called when a line was written, soon; once for several. Trap context, no lock
 * held. */
void log_watch(void (*told)(void *ctx));

/* Prints the ring, oldest first, through put(ctx, byte). */
void log_dump(void (*put)(void *ctx, char c), void *ctx);

/* From now on every line also goes to this region, which a warm reset leaves alone; what an earlier boot left
 * there is printed first. Its contents are not trusted. Boot CPU, once. */
void log_keep(void *region, uint64_t bytes);

/* After a panic: no locks any more. */
void log_emergency(void);

#endif
