/* The hypervisor's own log: a ring that survives until read, echoed to the console.
 * Formats are those of lib/fmt.h. One call is one line. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

void log_line(const char *format, ...);

/* Prints the ring, oldest first, through put(ctx, byte). */
void log_dump(void (*put)(void *ctx, char c), void *ctx);

/* From now on every line also goes to this region, which a warm reset leaves alone; what an earlier boot left
 * there is printed first. Its contents are not trusted. Boot CPU, once. */
void log_keep(void *region, uint64_t bytes);

/* After a panic: no locks any more. */
void log_emergency(void);

#endif
