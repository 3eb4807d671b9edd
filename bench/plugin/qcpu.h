/* What our plugins share: which CPU executes, and its registers. In one file of a plugin only.
 *
 * QEMU 10.0 gives callbacks the number of the CPU that translated the block, not of the one that runs it,
 * when all share a thread; inline operations crash for the same reason. So callbacks only, and the CPU is
 * told by the pointer that generated code keeps in a fixed host register: block_exec() is what is registered
 * for a block, and it calls block_exec_env(), which the plugin has. */
#ifndef QCPU_H
#define QCPU_H
#include <stdlib.h>
#include <string.h>
#include "qplug.h"

#if defined(__x86_64__)
__asm__(".text\nblock_exec: movq %rbp, %rdx\n jmp block_exec_env\n");
#elif defined(__aarch64__)
__asm__(".text\nblock_exec: mov x2, x19\n b block_exec_env\n");
#else
#error in which host register does generated code keep the CPU?
#endif
void block_exec(unsigned v, void *tag) __attribute__((visibility("hidden")));
void block_exec_env(unsigned v, void *tag, const void *env) __attribute__((visibility("hidden"), used));

struct reg_wanted {
    const char *name;
    struct qemu_plugin_register **to;
};

/* Those of the list, and general ones: x0 .. x30, or r0 .. r15 of AArch32. At the first translation: at a
 * CPU's creation is too early when all CPUs share a thread (QEMU 10.0 crashes). */
static void regs_find(const struct reg_wanted *wanted, size_t n, struct qemu_plugin_register **x, char letter)
{
    struct gl_array *array = qemu_plugin_get_registers();
    struct qp_regdesc *desc = (void *)array->data;

    for (unsigned i = 0; i < array->len; i++) {
        const char *name = desc[i].name;
        if (name[0] == letter && name[1] >= '0' && name[1] <= '9' && atoi(name + 1) < 31) {
            x[atoi(name + 1)] = desc[i].handle;
        }
        for (size_t k = 0; k < n; k++) {
            if (strcmp(name, wanted[k].name) == 0) {
                *wanted[k].to = desc[i].handle;
            }
        }
    }
}

static uint64_t reg(struct qemu_plugin_register *r)
{
    static __thread struct gl_bytes *buffer;
    uint64_t value = 0;

    if (r == NULL) {
        return 0;
    }
    if (buffer == NULL) {
        buffer = g_byte_array_new();
    }
    g_byte_array_set_size(buffer, 0);
    int n = qemu_plugin_read_register(r, buffer);
    memcpy(&value, buffer->data, n > 8 ? 8 : n < 0 ? 0 : (size_t)n);
    return value;
}

/* The level of a PSTATE, AArch32's modes included */
static int level_of(unsigned pstate)
{
    unsigned mode = pstate & 15;

    if ((pstate & 0x10) == 0) {
        return pstate >> 2 & 3;
    }
    return mode == 0 ? 0 : mode == 0xa ? 2 : mode == 6 ? 3 : 1;
}

/* Whether this instruction is a mark (elmeter.c), and its number */
static int mark_of(uint32_t op, int arm32, unsigned *number)
{
    *number = arm32 ? op & 15 : op >> 10 & 63;
    return arm32 ? (op & 0xFFFFFFF0u) == 0xE320F0F0u : (op & 0xFFFF03FFu) == 0xCA1F001Fu;
}
#endif
