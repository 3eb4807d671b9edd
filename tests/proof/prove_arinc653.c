/* sched/arinc653, a row of MINORS windows of a frame of MAJOR_NS, for all places and lengths that the plan's
 * check lets pass (config/sched/config_windows.c), and two calls at any times, the second no sooner:
 *  - a vCPU has the CPU exactly in its windows, and only if it is here; outside of all of them nobody has it;
 *  - what was answered holds until the time that was told with it, the next edge, which is to come and no
 *    later than the frame's end; before the first frame nobody has it until that begins;
 *  - a vCPU that left has no window, all others have theirs.
 * What a call leaves follows from its time alone, so that two calls stand for any number. */
#include "proof.h"

#include SOURCE /* src/sched/policy/arinc653.c: rows of its own kind are made here */

#define FRAMES   4u /* so late it may be called */
#define CPU      1u
#define START_NS 700u

static struct sched_unit unit;
static struct domain domain[2];
static struct vcpu vcpu[2];
/* Objects of their own: CBMC follows pointers to a few things better than into one. */
static struct window row_0;
static struct window row_1;
static struct window row_2;
static struct window row_3;
static struct window *const row[] = { &row_0, &row_1, &row_2, &row_3, NULL };

/* What the plan's check lets pass: in order, no two at a time, within the frame. */
static void any_row(void)
{
    uint64_t at_ns = 0;

    for (uint32_t i = 0; i < MINORS; i++) {
        row[i]->next = ((i + 1u) < MINORS) ? row[i + 1u] : NULL;
        row[i]->place = nondet_bool() ? 1u : 0u;
        row[i]->at_ns = nondet_u16();
        row[i]->end_ns = nondet_u16();
        assume((row[i]->at_ns >= at_ns) && (row[i]->end_ns > row[i]->at_ns) && (row[i]->end_ns <= MAJOR_NS));
        at_ns = row[i]->end_ns;
    }
}

/* Who the plan says has the CPU at a time of the frame, as an index; 2: nobody */
static uint32_t planned(uint64_t since_ns)
{
    uint32_t who = 2u;

    for (uint32_t i = 0; i < MINORS; i++) {
        if ((since_ns >= row[i]->at_ns) && (since_ns < row[i]->end_ns)) {
            who = row[i]->place;
        }
    }
    return who;
}

/* Whether something begins or ends at that time of a frame */
static bool edge(uint64_t since_ns)
{
    bool is = (since_ns == 0u) || (since_ns == MAJOR_NS);

    for (uint32_t i = 0; i < MINORS; i++) {
        is = is || (since_ns == row[i]->at_ns) || (since_ns == row[i]->end_ns);
    }
    return is;
}

/* That long after the beginning of frame k */
static void call(uint64_t k, uint64_t since_ns, const bool *here)
{
    const uint64_t begin_ns = START_NS + (k * MAJOR_NS);
    const uint64_t now_ns = begin_ns + since_ns;
    const uint64_t any_ns = nondet_u16();
    uint64_t until_ns = 0;
    const struct vcpu *const who = sched_arinc653.window(&unit, CPU, now_ns, &until_ns);
    const uint32_t is = planned(since_ns);

    prove(who == (((is < 2u) && here[is]) ? &vcpu[is] : NULL), "whose window it is");
    prove((until_ns > now_ns) && (until_ns <= (begin_ns + MAJOR_NS)), "until a time to come in this frame");
    prove(edge(until_ns - begin_ns), "until something begins or ends");
    assume((any_ns >= since_ns) && (any_ns < (until_ns - begin_ns)));
    prove(planned(any_ns) == is, "until then nothing begins or ends");
}

int main(void)
{
    bool here[2] = { true, true };
    const uint64_t k = nondet_u8() % FRAMES;
    const uint64_t later = nondet_u8() % FRAMES;
    const uint64_t first_ns = nondet_u16();
    const uint64_t second_ns = nondet_u16();
    const uint64_t before_ns = nondet_u16();
    uint64_t until_ns = 0;

    assume((first_ns < MAJOR_NS) && (second_ns < MAJOR_NS) && ((later > 0u) || (second_ns >= first_ns)));
    any_row();
    unit.index = CPU;
    for (uint32_t i = 0; i < 2u; i++) {
        domain[i].index = i;
        vcpu[i].domain = &domain[i];
    }
    frame_set(&unit, row[0], START_NS, MAJOR_NS);
    for (uint32_t i = 0; i < 2u; i++) {
        here[i] = nondet_bool();
        if (here[i]) {
            sched_arinc653.join(&unit, &vcpu[i], 0u);
        }
    }
    assume(before_ns < START_NS);
    prove((sched_arinc653.window(&unit, CPU, before_ns, &until_ns) == NULL) && (until_ns == START_NS),
          "nobody before the first frame");
    call(k, first_ns, here);
    if (here[0] && nondet_bool()) {
        sched_arinc653.leave(&unit, &vcpu[0]);
        here[0] = false;
    }
    call(k + later, second_ns, here);
    return 0;
}
