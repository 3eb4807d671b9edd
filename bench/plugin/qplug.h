/*
 * qplug.h - own minimal declarations of the QEMU TCG plugin ABI (API level 4,
 * QEMU 9.2 .. 10.x) used by our two measuring plugins.  Written from scratch:
 * only the names, types and enumerator values that form the binary interface.
 * Neither QEMU's own header nor GLib's headers are needed to build.
 */
#ifndef QPLUG_H
#define QPLUG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QP_EXPORT    __attribute__((visibility("default")))
#define QP_API_LEVEL 4

typedef uint64_t qp_id;
typedef uint32_t qp_meminfo;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;
struct qemu_plugin_scoreboard;

struct qp_info { /* qemu_info_t */
    const char *target_name;
    struct {
        int min, cur;
    } version;
    bool system_emulation;
    struct {
        int smp_vcpus, max_vcpus;
    } system;
};

typedef struct {
    struct qemu_plugin_scoreboard *score;
    size_t offset;
} qp_u64;

enum { QP_NO_REGS = 0, QP_R_REGS = 1, QP_RW_REGS = 2 };
enum { QP_MEM_R = 1, QP_MEM_W = 2, QP_MEM_RW = 3 };
enum { QP_INLINE_ADD = 0, QP_INLINE_STORE = 1 };

/* the two GLib containers that cross the interface, by layout */
struct gl_array {
    char *data;
    unsigned len;
}; /* GArray     */
struct gl_bytes {
    uint8_t *data;
    unsigned len;
}; /* GByteArray */
struct gl_bytes *g_byte_array_new(void);
struct gl_bytes *g_byte_array_set_size(struct gl_bytes *, unsigned);

struct qp_regdesc {
    struct qemu_plugin_register *handle;
    const char *name, *feature;
};

typedef void (*qp_vcpu_cb)(qp_id, unsigned vcpu);
typedef void (*qp_udata_cb)(qp_id, void *);
typedef void (*qp_tb_trans_cb)(qp_id, struct qemu_plugin_tb *);
typedef void (*qp_exec_cb)(unsigned vcpu, void *);
typedef void (*qp_mem_cb)(unsigned vcpu, qp_meminfo, uint64_t vaddr, void *);

void qemu_plugin_register_vcpu_init_cb(qp_id, qp_vcpu_cb);
void qemu_plugin_register_vcpu_tb_trans_cb(qp_id, qp_tb_trans_cb);
void qemu_plugin_register_atexit_cb(qp_id, qp_udata_cb, void *);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, qp_exec_cb, int flags, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, qp_exec_cb, int flags, void *);
void qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu(struct qemu_plugin_insn *, int op, qp_u64, uint64_t);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, qp_mem_cb, int flags, int rw, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *, void *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *);
bool qemu_plugin_mem_is_store(qp_meminfo);
unsigned qemu_plugin_mem_size_shift(qp_meminfo);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(qp_meminfo, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *);
struct gl_array *qemu_plugin_get_registers(void);
int qemu_plugin_read_register(struct qemu_plugin_register *, struct gl_bytes *);
struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t);
void *qemu_plugin_scoreboard_find(struct qemu_plugin_scoreboard *, unsigned);
void qemu_plugin_outs(const char *);
#endif
