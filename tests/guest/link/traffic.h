/* What goes over a link in tests: numbered messages with a checksum, both ways at once, over the two rings in
 * a window of shared memory. For our bare-metal guest and for a program under Linux. */
#ifndef LINK_TRAFFIC_H
#define LINK_TRAFFIC_H

#include "ring.h"

#define TRAFFIC_TEXT_MAX 240u

struct traffic {
    struct ring in;
    struct ring out;
    uint32_t sent;     /* messages since both ends are up */
    uint32_t received; /* likewise */
    uint64_t bytes;    /* that came in since the start */
    bool bad;          /* one was not what was sent */
    bool restarted;    /* the peer began anew: whoever tells it clears this */
};

/* first: for one of the two ends. False: too small. */
/* t->in.notify, t->out.notify and their ctx are set before. */
bool traffic_open(struct traffic *t, void *window, uint64_t bytes, bool first, uint32_t life);
/* Sends and takes what there is room for, at most `budget` messages each way. False: nothing could be done,
 * the peer has to do something first. */
bool traffic_run(struct traffic *t, uint32_t budget);

#endif
