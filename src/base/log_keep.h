/* The log where a warm reset leaves it alone: a ring of slots of one line each, every one with a checksum and
 * its number. There is nothing else to be damaged, and what is no such slot is as good as empty. */
#ifndef BASE_LOG_KEEP_H
#define BASE_LOG_KEEP_H

#include <stdint.h>

/* Hands what an earlier boot left to say(), line by line, oldest first, and empties the ring. Once. */
void log_keep_open(void *region, uint64_t bytes, void (*say)(const char *line, uint32_t bytes));
/* One line; nothing happens before log_keep_open(). The log's lock is held. */
void log_keep_line(const char *line, uint32_t bytes);

#endif
