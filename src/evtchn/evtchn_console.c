/* The console's input for a domain that reads it by hypercall. [impl->req~console-io~1] */
#include "evtchn/evtchn_core.h"

bool evtchn_console_receive(struct domain *domain, uint8_t byte)
{
    struct evtchn_domain *const ed = domain->events;

    if (ed == NULL) {
        return false;
    }
    const uint64_t flags = spin_lock(&ed->input_lock);
    const bool mine = ed->reads_input || !domain->plan->vpl011;

    if (mine && (ed->up != 0u) &&
        (ed->input_count < EVTCHN_INPUT_BYTES)) { /* else it is lost, as on a UART */
        ed->input[(ed->input_head + ed->input_count) % EVTCHN_INPUT_BYTES] = byte;
        ed->input_count++;
    }
    spin_unlock(&ed->input_lock, flags);
    if (mine) {
        evtchn_virq_raise(domain, VIRQ_CONSOLE);
    }
    return mine;
}

uint32_t evtchn_console_read(struct domain *domain, uint8_t *to, uint32_t room)
{
    struct evtchn_domain *const ed = domain->events;
    const uint64_t flags = spin_lock(&ed->input_lock);
    uint32_t n = 0;

    ed->reads_input = true;
    while ((n < room) && (ed->input_count > 0u)) { /* EVTCHN_INPUT_BYTES at most */
        to[n] = ed->input[ed->input_head];
        ed->input_head = (ed->input_head + 1u) % EVTCHN_INPUT_BYTES;
        ed->input_count--;
        n++;
    }
    spin_unlock(&ed->input_lock, flags);
    return n;
}
