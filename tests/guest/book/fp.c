/* Floating point and SIMD by the architecture: the unit is switched on by the first instruction that needs
 * it, and all thirty-two registers, FPCR and FPSR keep what they hold while others use the same CPU. Two
 * domains run this one. */
#include "book.h"

const char book_name[] = "fp";

#define ROUNDS 200u

#define FPCR S3_3_C4_C4_0 /* by number: this file is compiled without the unit */
#define FPSR S3_3_C4_C4_1

void fp_fill(uint64_t seed);
void fp_numbers(void);
uint64_t fp_differ(uint64_t seed); /* a bit for each register that does not hold what fp_fill() gave it */

static volatile uint32_t nr_traps;
static volatile uint32_t nr_ticks;

/* EC 7: FP or SIMD while CPACR_EL1 says no. */
void book_sync(struct frame *frame)
{
    if ((READ_SYS(esr_el1) >> 26u) == 7u) {
        nr_traps++;
        WRITE_SYS(cpacr_el1, 3u << 20u);
    } else {
        MUST_BE(READ_SYS(esr_el1), 0u);
        MUST_BE(frame->pc, 0u);
        book_end();
    }
}

void book_irq(struct frame *frame)
{
    const uint32_t token = gic_take();

    (void)frame;
    if ((token & 0x3FFu) == VIRT_IRQ) {
        nr_ticks++;
        WRITE_SYS(cntv_tval_el0, ms(1u));
    }
    gic_done(token);
}

void book_main(void)
{
    uint64_t seed = now() | 1u;

    WRITE_SYS(cpacr_el1, 0u);
    fp_numbers();
    MUST_BE(nr_traps, 1u);
    gic_start();
    gic_enable(VIRT_IRQ, 0xA0u);
    WRITE_SYS(cntv_tval_el0, ms(1u));
    WRITE_SYS(cntv_ctl_el0, 1u);
    irq_open();
    for (uint32_t round = 0u; round < ROUNDS; round++) {
        const uint64_t end = now() + ms(3u);

        seed = (seed * 6364136223846793005u) + 1442695040888963407u;
        WRITE_SYS(FPCR, (seed >> 8u) & (3u << 22u));
        WRITE_SYS(FPSR, (seed >> 16u) & 0x1Fu);
        fp_fill(seed);
        if ((round % 4u) == 0u) {
            sleep_until_irq();
        } else {
            while (now() < end) {
            }
        }
        const uint64_t differ = fp_differ(seed);

        MUST_BE(differ, 0u);
        MUST_BE(READ_SYS(FPCR), (seed >> 8u) & (3u << 22u));
        MUST_BE(READ_SYS(FPSR), (seed >> 16u) & 0x1Fu);
        if (differ != 0u) {
            break;
        }
    }
    MUST(nr_ticks > 20u);
    WRITE_SYS(FPCR, 0u);
}
