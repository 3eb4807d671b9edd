/* console_io: a domain writes to its console and reads what is typed for it. Output goes the way of an
 * emulated UART's: held until the line is complete if another domain has the input, and only as fast as the
 * host's UART takes it. [impl->req~console-io~1] */
#include "hcall/hcall.h"

#include "evtchn/evtchn.h"
#include "sched/sched.h"

#define PIECE 128u /* bytes a call */

static int64_t console_write_some(struct vcpu *vcpu, uint64_t *arg, uint32_t count)
{
    uint8_t text[PIECE];
    const uint32_t piece = (count < PIECE) ? count : PIECE;
    int64_t result = hcall_read(vcpu, text, arg[2], piece);

    if ((result == 0) && (piece > 0u)) {
        const uint32_t done = console_offer(&vcpu->domain->console, (const char *)text, piece);

        console_push();
        if (done < count) {
            if (done < piece) {
                sched_pass_turn(vcpu); /* the UART is behind */
            }
            arg[1] = count - done;
            arg[2] += done;
            result = hcall_again(vcpu, CONSOLEIO_WRITE);
        }
    }
    return result;
}

static int64_t console_read_some(struct vcpu *vcpu, const uint64_t *arg, uint32_t count)
{
    uint8_t text[PIECE];
    int64_t result = 0;

    if (count > (uint32_t)INT32_MAX) {
        return -XEN_E2BIG;
    }
    const uint32_t got = evtchn_console_read(vcpu->domain, text, (count < PIECE) ? count : PIECE);

    if (got > 0u) {
        result = hcall_write(vcpu, arg[2], text, got);
    }
    return (result == 0) ? (int64_t)got : result;
}

int64_t hcall_console_io(struct vcpu *vcpu, uint64_t *arg)
{
    const uint32_t count = (uint32_t)arg[1];

    return ((uint32_t)arg[0] == CONSOLEIO_WRITE) ? console_write_some(vcpu, arg, count)
           : (((uint32_t)arg[0] == CONSOLEIO_READ) && (vcpu->domain->events != NULL))
               ? console_read_some(vcpu, arg, count)
               : -XEN_ENOSYS;
}
