/* A simulated CPU: which one executes is a variable, one per thread, that the test or the simulation's driver
 * sets. */
#ifndef HAL_ARCH_CPU_H
#define HAL_ARCH_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hal_frame;
struct percpu;

/* First member of struct percpu. All zero is the state after reset: interrupts masked, nothing to enter. */
struct hal_cpu {
    bool irq_open;
    bool exit_work;            /* upcall_exit_work() is due before anything is entered */
    struct hal_frame *current; /* what this CPU enters next */
};

/* Private: the area of the CPU that this thread plays; before the first hal_cpu_set_local() a spare of no
 * CPU. */
extern _Thread_local struct percpu *fake_cpu_area;
extern _Thread_local struct hal_cpu fake_cpu_spare;
/* Private: the CPU may have been interrupted meanwhile (fake_sim.c). */
void fake_cpu_irq_point(void);
/* Private: gives the other simulated CPUs a turn. */
void fake_cpu_turn(void);
void fake_cpu_sleep(void);

static inline struct hal_cpu *fake_cpu_self(void)
{
    return (fake_cpu_area != NULL) ? (struct hal_cpu *)(void *)fake_cpu_area : &fake_cpu_spare;
}

static inline struct percpu *hal_cpu_local(void)
{
    return fake_cpu_area;
}

static inline void hal_cpu_set_local(struct percpu *area)
{
    fake_cpu_area = area;
}

static inline uint64_t hal_cpu_irq_save(void)
{
    struct hal_cpu *self = fake_cpu_self();
    const uint64_t before = self->irq_open ? 1u : 0u;

    self->irq_open = false;
    return before;
}

static inline void hal_cpu_irq_restore(uint64_t flags)
{
    fake_cpu_self()->irq_open = flags != 0u;
    if (flags != 0u) {
        fake_cpu_irq_point();
    }
}

static inline void hal_cpu_irq_unmask(void)
{
    hal_cpu_irq_restore(1u);
}

static inline bool hal_cpu_irq_masked(void)
{
    return !fake_cpu_self()->irq_open;
}

static inline void hal_cpu_relax(void)
{
    fake_cpu_turn();
}

static inline void hal_cpu_wait(void)
{
    fake_cpu_sleep();
}

#endif
