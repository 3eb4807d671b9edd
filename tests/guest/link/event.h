/* Event channels as Xen's ABI has them, of which a static link needs three things: the shared page, the line,
 * and sending. */
#ifndef LINK_EVENT_H
#define LINK_EVENT_H

#include <stdbool.h>
#include <stdint.h>

/* port 0: none of this is used */
void event_init(uint32_t port);
void event_send(uint32_t port);
/* Whether any came since this was asked last */
bool event_came(void);
bool event_pending(void); /* the same, and it is not forgotten */

#endif
