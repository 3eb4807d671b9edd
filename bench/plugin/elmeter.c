/* elmeter: a QEMU TCG plugin that counts the instructions executed at EL2, AArch32's HYP mode included.
 *
 *  qemu-system-aarch64 ... -plugin
 *  elmeter.so,out=FILE[,end=on][,first=N][,guest=off][,pairs=off][,profile=PHASE]
 *
 * An exit is what runs at EL2 between a block at EL0 or EL1 and the ERET back. Its class: phase, vector,
 * ESR.EC, a sub key (HVC immediate and function, trapped register, page and offset, INTID acknowledged), the
 * vCPU left and the one entered, and whether EL2 idled meanwhile. A sample is what runs at EL2 between two
 * marks of a guest, whatever the exits. A stretch is what runs at EL2 with interrupts masked.
 *
 * Marks, usable at any level and no-ops on hardware: eor xzr, x0, xzr, lsl #imm
 * (AArch32: dbg #imm, and r0)
 *   1 phase x0 begins   2 report   3 a sample begins   4 it ends and the next begins   5 x0 is logged
 * end=on: the report ends QEMU. first=N: the report comes when N vCPUs have been entered.
 * pairs=off: of the vCPU left and the one entered an exit tells only whether they differ. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kinds.h"
#include "qcpu.h"

QP_EXPORT int qemu_plugin_version = QP_API_LEVEL;

#define MAX_CPUS   64
#define MAX_KEPT   4096 /* values of a class that its median is taken of */
#define MAX_FIRSTS 256
#define MAX_MARKS  1024
#define TABLE      65536
#define VEC_FIRST  0xff /* the first entry on a CPU */
#define VEC_SELF   0xfe /* a stretch that the hypervisor's own code began */
#define NO_PHASE   0xffffffffu
#define NO_INTID   0xffffffffu

struct counters {
    uint64_t el[4];
    uint64_t kind[NR_KINDS];
};

struct value {
    uint64_t length; /* instructions at EL2; of a sample: of all CPUs */
    uint32_t kind[NR_KINDS];
};

struct key {
    uint32_t phase, vec, ec, sub, fn, from, to, idle;
};

struct class
{
    struct key key;
    struct value *value;
    size_t n;
    uint64_t max;
    uint64_t start, end; /* of the longest stretch */
    struct class *next;
};

/* An instruction of EL2 */
struct insn {
    uint64_t pc, n;
    unsigned kind;
    struct insn *next;
};

struct cpu {
    const void *env;
    struct counters now;
    int el;
    int inside;      /* an exit */
    int iar_pending; /* 1 + register */
    struct key key;
    struct counters before;        /* the exit */
    struct counters sample_before; /* all CPUs */
    int sampling;
    int masked, mask_counts;
    struct key mask_key;
    uint64_t mask_before, mask_pc;
};

static struct cpu cpus[MAX_CPUS];
static unsigned nr_cpus;
static __thread struct cpu *cur __attribute__((tls_model("initial-exec")));
static struct class *exits[TABLE], *samples[TABLE], *stretches[TABLE];
static struct insn *insns[TABLE];
static uint32_t phase;
static int recording; /* a phase has begun: boot is over */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *out_name = "elmeter.tsv";
static int end_on, guest_on = 1, pairs_on = 1, reported, is_arm32;
static unsigned wanted_firsts;
static uint32_t profile = NO_PHASE;

static struct {
    uint32_t vcpu;
    uint64_t own, all;
} firsts[MAX_FIRSTS];
static unsigned nr_firsts;
static struct {
    unsigned cpu, imm;
    uint64_t x0, el1, el2;
} marks[MAX_MARKS];
static unsigned nr_marks;

/* -- Registers -- */

static struct {
    struct qemu_plugin_register *x[31], *cpsr, *esr, *far, *hpfar, *vttbr, *vmpidr, *spsr, *vbar;
    int known;
} regs;

static void collect_registers(void)
{
    const struct reg_wanted wanted[] = { { "cpsr", &regs.cpsr },       { "ESR_EL2", &regs.esr },
                                         { "FAR_EL2", &regs.far },     { "HPFAR_EL2", &regs.hpfar },
                                         { "VTTBR_EL2", &regs.vttbr }, { "VMPIDR_EL2", &regs.vmpidr },
                                         { "SPSR_EL2", &regs.spsr },   { "VBAR_EL2", &regs.vbar },
                                         { "HSR", &regs.esr },         { "VMPIDR", &regs.vmpidr } };

    regs_find(wanted, sizeof wanted / sizeof wanted[0], regs.x, is_arm32 ? 'r' : 'x');
    regs.known = 1;
}

static uint32_t vcpu_id(void)
{
    return (uint32_t)(reg(regs.vttbr) >> 48) << 8 | (uint32_t)(reg(regs.vmpidr) & 0xff);
}

/* -- Which CPU runs -- */

static struct cpu *who(unsigned v, const void *env)
{
    struct cpu *c = cur;

    if (c != NULL && c->env == env) {
        return c;
    }
    for (unsigned i = 0; i < nr_cpus; i++) {
        if (cpus[i].env == env) {
            return cur = &cpus[i];
        }
    }
    pthread_mutex_lock(&lock);
    if (v >= MAX_CPUS || cpus[v].env != NULL) {
        for (v = 0; v < MAX_CPUS - 1 && cpus[v].env != NULL; v++) {
        }
    }
    c = &cpus[v];
    c->el = -1;
    c->env = env;
    c->masked = 1;
    nr_cpus = v + 1 > nr_cpus ? v + 1 : nr_cpus;
    pthread_mutex_unlock(&lock);
    return cur = c;
}

static struct counters total(void)
{
    struct counters sum;

    memset(&sum, 0, sizeof sum);
    for (unsigned i = 0; i < nr_cpus; i++) {
        for (int k = 0; k < 4; k++) {
            sum.el[k] += cpus[i].now.el[k];
        }
        for (int k = 0; k < NR_KINDS; k++) {
            sum.kind[k] += cpus[i].now.kind[k];
        }
    }
    return sum;
}

/* -- Classes -- */

static struct class *class_of(struct class **table, const struct key *key)
{
    uint32_t words[sizeof *key / 4], hash = 2166136261u;

    memcpy(words, key, sizeof *key);
    for (size_t i = 0; i < sizeof words / 4; i++) {
        hash = (hash ^ words[i]) * 16777619u;
    }
    struct class **at = &table[hash % TABLE];
    while (*at != NULL && memcmp(&(*at)->key, key, sizeof *key) != 0) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        (*at)->key = *key;
        (*at)->value = calloc(MAX_KEPT, sizeof *(*at)->value);
    }
    return *at;
}

static void class_add(struct class *c, uint64_t length, const struct counters *now,
                      const struct counters *then)
{
    if (c->n < MAX_KEPT) {
        struct value *v = &c->value[c->n];
        v->length = length;
        for (int i = 0; i < NR_KINDS; i++) {
            v->kind[i] = (uint32_t)(now->kind[i] - then->kind[i]);
        }
    }
    c->n++;
    c->max = length > c->max ? length : c->max;
}

/* -- Report -- */

static int by_value(const void *a, const void *b)
{
    const struct value *x = a, *y = b;
    return x->length < y->length ? -1 : x->length > y->length;
}

static int by_key(const void *a, const void *b)
{
    return memcmp(&(*(struct class *const *)a)->key, &(*(struct class *const *)b)->key, sizeof(struct key));
}

static void report_class(FILE *f, const char *what, struct class *c)
{
    const struct key *k = &c->key;
    size_t kept = c->n < MAX_KEPT ? c->n : MAX_KEPT;

    qsort(c->value, kept, sizeof *c->value, by_value);
    const struct value *median = &c->value[kept / 2];
    fprintf(f, "%s\t%u\t%x\t%x\t%x\t%x\t%x\t%x\t%u", what, k->phase, k->vec, k->ec, k->sub, k->fn, k->from,
            k->to, k->idle);
    fprintf(f, "\t%zu\t%lu\t%lu\t%lu\t%lx\t%lx", c->n, c->value[0].length, median->length, c->max, c->start,
            c->end);
    for (int i = 0; i < NR_KINDS; i++) {
        fprintf(f, "\t%u", median->kind[i]);
    }
    fprintf(f, "\n");
}

static void report_table(FILE *f, const char *what, struct class **table)
{
    size_t n = 0;
    struct class **sorted;

    for (size_t i = 0; i < TABLE; i++) {
        for (struct class *c = table[i]; c != NULL; c = c->next) {
            n++;
        }
    }
    sorted = calloc(n + 1, sizeof(struct class *));
    n = 0;
    for (size_t i = 0; i < TABLE; i++) {
        for (struct class *c = table[i]; c != NULL; c = c->next) {
            sorted[n++] = c;
        }
    }
    qsort(sorted, n, sizeof(struct class *), by_key);
    for (size_t i = 0; i < n; i++) {
        report_class(f, what, sorted[i]);
    }
    free(sorted);
}

static void report_profile(FILE *f)
{
    for (size_t i = 0; i < TABLE; i++) {
        for (const struct insn *in = insns[i]; in != NULL; in = in->next) {
            if (in->n != 0) {
                fprintf(f, "pc\t%lx\t%lu\n", in->pc, in->n);
            }
        }
    }
}

static void report(void)
{
    FILE *f = fopen(out_name, "w");

    reported = 1;
    if (f == NULL) {
        perror(out_name);
        _exit(1);
    }
    fprintf(f, "# total: cpu el0 el1 el2 el3\n");
    for (unsigned i = 0; i < nr_cpus; i++) {
        const uint64_t *el = cpus[i].now.el;
        fprintf(f, "total\t%u\t%lu\t%lu\t%lu\t%lu\n", i, el[0], el[1], el[2], el[3]);
    }
    fprintf(f, "# first entry: vcpu (vmid << 8 | aff0), EL2 instructions so far on that CPU, on all\n");
    for (unsigned i = 0; i < nr_firsts; i++) {
        fprintf(f, "first\t%x\t%lu\t%lu\n", firsts[i].vcpu, firsts[i].own, firsts[i].all);
    }
    fprintf(f, "# mark: cpu imm x0, el1 and el2 of this cpu\n");
    for (unsigned i = 0; i < nr_marks; i++) {
        fprintf(f, "mark\t%u\t%u\t%lx\t%lu\t%lu\n", marks[i].cpu, marks[i].imm, marks[i].x0, marks[i].el1,
                marks[i].el2);
    }
    fprintf(f, "# exit, sample, masked: phase vec ec sub fn from to idle, n, min median max, start end,"
               " of the median:");
    for (int i = 0; i < NR_KINDS; i++) {
        fprintf(f, " %s", kind_name[i]);
    }
    fprintf(f, "\n");
    report_table(f, "exit", exits);
    report_table(f, "sample", samples);
    report_table(f, "masked", stretches);
    report_profile(f);
    if (fclose(f) != 0) {
        perror(out_name);
        _exit(1);
    }
    if (end_on) {
        _exit(0);
    }
}

/* -- Stretches with interrupts masked -- */

static void stretch_begin(struct cpu *c, const struct key *key, uint64_t pc)
{
    c->masked = 1;
    c->mask_counts = recording;
    c->mask_key = *key;
    c->mask_before = c->now.el[2];
    c->mask_pc = pc;
}

static void stretch_end(struct cpu *c, uint64_t pc)
{
    if (c->masked && c->mask_counts) {
        uint64_t length = c->now.el[2] - c->mask_before;
        struct key key = c->mask_key;
        key.phase = key.to = key.from = 0;
        pthread_mutex_lock(&lock);
        struct class *class = class_of(stretches, &key);
        if (class->n == 0 || length > class->max) {
            class->start = c->mask_pc;
            class->end = pc;
        }
        class_add(class, length, &c->now, &c->now);
        pthread_mutex_unlock(&lock);
    }
    c->masked = 0;
}

static void stretch_begin_own(struct cpu *c, uint64_t pc, uint32_t vec)
{
    struct key key = { .vec = vec };

    if (!c->masked) {
        if (vec == VEC_SELF) {
            key.sub = (uint32_t)pc;
            key.fn = (uint32_t)reg(regs.x[30]); /* for whom, where that is a function of its own */
        }
        stretch_begin(c, &key, pc);
    }
}

/* The callbacks of instructions that change PSTATE.I; the count already has the instruction itself. */
static void daif_set(unsigned v, void *pc)
{
    (void)v;
    stretch_begin_own(cur, (uintptr_t)pc, VEC_SELF);
}

static void daif_clear(unsigned v, void *pc)
{
    (void)v;
    stretch_end(cur, (uintptr_t)pc);
}

/* MSR DAIF, Xt */
static void daif_write(unsigned v, void *in)
{
    const struct insn *insn = in;
    unsigned rt = insn->kind >> 8;
    uint64_t value = rt < 31 ? reg(regs.x[rt]) : 0;

    (void)v;
    if ((value & 0x80) != 0) {
        stretch_begin_own(cur, insn->pc, VEC_SELF);
    } else {
        stretch_end(cur, insn->pc);
    }
}

static void eret_exec(unsigned v, void *pc)
{
    uint64_t spsr = reg(regs.spsr);

    (void)v;
    if ((spsr & 0xc) != 8) {
        stretch_end(cur, (uintptr_t)pc); /* a guest's PSTATE.I does not keep interrupts from EL2 */
    } else if ((spsr & 0x80) != 0) {
        stretch_begin_own(cur, (uintptr_t)pc, VEC_SELF);
    } else {
        stretch_end(cur, (uintptr_t)pc);
    }
}

static void wfi_exec(unsigned v, void *pc)
{
    struct key key = cur->mask_key;

    (void)v;
    if (cur->masked) {
        stretch_end(cur, (uintptr_t)pc);
        stretch_begin(cur, &key, (uintptr_t)pc);
    }
}

/* -- Exits -- */

static void exit_ends(struct cpu *c)
{
    struct key key = c->key;
    unsigned i = 0;

    key.to = vcpu_id();
    key.idle = c->now.kind[C_WFI] != c->before.kind[C_WFI];
    const uint32_t entered = key.to;
    if (!pairs_on) {
        key.to = key.to != key.from;
        key.from = 0;
    }
    pthread_mutex_lock(&lock);
    uint64_t length = c->now.el[2] - c->before.el[2];
    class_add(class_of(exits, &key), length, &c->now, &c->before);
    while (i < nr_firsts && firsts[i].vcpu != entered) {
        i++;
    }
    if (i == nr_firsts && nr_firsts < MAX_FIRSTS) {
        firsts[i].vcpu = entered;
        firsts[i].own = c->now.el[2];
        firsts[i].all = total().el[2];
        nr_firsts++;
        if (nr_firsts == wanted_firsts) {
            report();
        }
    }
    pthread_mutex_unlock(&lock);
}

static void exit_begins(struct cpu *c, uint64_t pc)
{
    struct key *k = &c->key;

    memset(k, 0, sizeof *k);
    k->phase = phase;
    k->from = vcpu_id();
    c->before = c->now;
    c->inside = 1;
    if (is_arm32) { /* only samples are looked at */
        return;
    }
    k->vec = (pc & 0x7ff) >> 7;
    k->sub = NO_INTID; /* of an interrupt, until it is acknowledged */
    if ((k->vec & 3) == 0) {
        uint64_t esr = reg(regs.esr);
        k->ec = esr >> 26 & 0x3f;
        k->sub = esr & 0x1ff;
        if (k->ec == 0x16) {
            k->sub = esr & 0xffff;
            k->fn = (uint32_t)reg(regs.x[k->sub == 0xea1 ? 16 : 0]);
        } else if (k->ec == 0x17) {
            k->fn = (uint32_t)reg(regs.x[0]);
        } else if (k->ec == 0x18) {
            k->sub = esr & 0x3ffc1f; /* without the register moved */
        } else if (k->ec == 0x20 || k->ec == 0x24) {
            k->sub = (uint32_t)(reg(regs.hpfar) >> 4);
            k->fn = (uint32_t)(reg(regs.far) & 0xfff) | ((esr & 0x40) != 0 ? 0x10000 : 0);
        }
    }
    stretch_begin(c, k, pc);
}

/* The INTID acknowledged first */
static void iar_done(unsigned v, void *unused)
{
    struct cpu *c = cur;

    (void)v;
    (void)unused;
    if (c->iar_pending != 0) {
        uint32_t intid = (uint32_t)reg(regs.x[c->iar_pending - 1]) & 0xffffff;
        if (c->key.sub == NO_INTID && (c->key.vec & 3) != 0) {
            c->key.sub = c->mask_key.sub = intid;
        }
        c->iar_pending = 0;
    }
}

/* At the start of each block. The tag: address, level in bits 0 and 1 */
void block_exec_env(unsigned v, void *tag, const void *env)
{
    struct cpu *c = who(v, env);
    uint64_t pc = (uintptr_t)tag & ~3ULL;
    int el = (uintptr_t)tag & 3;

    if (c->iar_pending != 0) {
        iar_done(v, NULL);
    }
    if (el == c->el) {
        return;
    }
    if (el == 2 && (c->el == 0 || c->el == 1)) {
        exit_begins(c, pc);
    } else if (c->el == 2 && el < 2) {
        if (!c->inside) {
            memset(&c->key, 0, sizeof c->key);
            memset(&c->before, 0, sizeof c->before);
            c->key.phase = phase;
            c->key.vec = VEC_FIRST;
        }
        exit_ends(c);
        c->inside = 0;
    }
    c->el = el;
}

static void self_vector(unsigned v, void *pc)
{
    (void)v;
    stretch_begin_own(cur, (uintptr_t)pc, ((uintptr_t)pc & 0x7ff) >> 7);
}

/* -- Instructions -- */

static void iar_exec(unsigned v, void *rt)
{
    (void)v;
    cur->iar_pending = (int)(uintptr_t)rt + 1;
}

static void el2_exec(unsigned v, void *in)
{
    struct insn *insn = in;

    (void)v;
    cur->now.el[2]++;
    cur->now.kind[insn->kind & 0xff]++;
    insn->n += phase == profile;
}

static void other_exec(unsigned v, void *el)
{
    (void)v;
    cur->now.el[(uintptr_t)el]++;
}

static void sample_mark(struct cpu *c, unsigned imm)
{
    struct counters now = total();
    struct key key = { .phase = phase };

    if (imm == 4 && c->sampling) {
        class_add(class_of(samples, &key), now.el[2] - c->sample_before.el[2], &now, &c->sample_before);
    }
    c->sampling = 1;
    c->sample_before = now;
}

static void mark_exec(unsigned v, void *number)
{
    unsigned imm = (unsigned)(uintptr_t)number;
    uint64_t x0 = reg(regs.x[0]);

    (void)v;
    pthread_mutex_lock(&lock);
    if (imm == 3 || imm == 4) {
        sample_mark(cur, imm);
    } else if (nr_marks < MAX_MARKS) {
        marks[nr_marks].cpu = (unsigned)(cur - cpus);
        marks[nr_marks].imm = imm;
        marks[nr_marks].x0 = x0;
        marks[nr_marks].el1 = cur->now.el[1];
        marks[nr_marks].el2 = cur->now.el[2];
        nr_marks++;
    }
    if (imm == 1) {
        phase = (uint32_t)x0;
        recording |= phase != 0;
    } else if (imm == 2) {
        report();
    }
    pthread_mutex_unlock(&lock);
}

/* -- Translation -- */

static struct insn *insn_at(uint64_t pc, uint32_t op)
{
    struct insn **at = &insns[(pc >> 2) % TABLE];

    while (*at != NULL && (*at)->pc != pc) {
        at = &(*at)->next;
    }
    if (*at == NULL) {
        *at = calloc(1, sizeof **at);
        (*at)->pc = pc;
    }
    (*at)->kind = (unsigned)(is_arm32 ? kind_of_arm(op) : kind_of(op)) | (op & 31) << 8;
    return *at;
}

static void translate_masking(struct qemu_plugin_insn *q, struct insn *in, uint32_t op)
{
    void *pc = (void *)(uintptr_t)in->pc;

    if ((op & 0xFFFFF2FFu) == 0xD50342DFu) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, daif_set, QP_R_REGS, pc);
    } else if ((op & 0xFFFFF2FFu) == 0xD50342FFu) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, daif_clear, QP_NO_REGS, pc);
    } else if ((op & ~31u) == 0xD51B4220u) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, daif_write, QP_R_REGS, in);
    } else if ((in->kind & 0xff) == C_ERET) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, eret_exec, QP_R_REGS, pc);
    } else if ((in->kind & 0xff) == C_WFI) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, wfi_exec, QP_NO_REGS, pc);
    }
}

/* Interrupts and SErrors taken out of EL2 itself */
static int is_self_vector(uint64_t pc)
{
    return (pc & 0x7f) == 0 && (pc & 0x7ff) >= 0x280 && (pc & 0x7ff) < 0x400 &&
           (pc & ~0x7ffULL) == reg(regs.vbar);
}

/* Whether Xt of this instruction holds an INTID when it is done: mrs xt, icc_iar{1,0}_el1 */
static int translate_el2(struct qemu_plugin_insn *q, uint64_t pc, uint32_t op)
{
    struct insn *in = insn_at(pc, op);

    if (is_arm32) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, el2_exec, QP_NO_REGS, in);
        return 0;
    }
    if (is_self_vector(pc)) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, self_vector, QP_NO_REGS, (void *)(uintptr_t)pc);
    }
    qemu_plugin_register_vcpu_insn_exec_cb(q, el2_exec, QP_NO_REGS, in);
    translate_masking(q, in, op);
    if ((op & ~31u) == 0xD538CC00u || (op & ~31u) == 0xD538C800u) {
        qemu_plugin_register_vcpu_insn_exec_cb(q, iar_exec, QP_NO_REGS, (void *)(uintptr_t)(op & 31));
        return 1;
    }
    return 0;
}

/* A block is translated for the state the CPU is in: its level is a constant of the block. */
static void translate(qp_id id, struct qemu_plugin_tb *tb)
{
    unsigned mark;
    int iar = 0;

    (void)id;
    pthread_mutex_lock(&lock);
    if (!regs.known) {
        collect_registers();
    }
    int el = level_of((unsigned)reg(regs.cpsr));
    qemu_plugin_register_vcpu_tb_exec_cb(
        tb, block_exec, QP_R_REGS, (void *)(uintptr_t)((qemu_plugin_tb_vaddr(tb) & ~3ULL) | (unsigned)el));
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *q = qemu_plugin_tb_get_insn(tb, i);
        uint32_t op = 0;
        qemu_plugin_insn_data(q, &op, 4);
        if (iar) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, iar_done, QP_R_REGS, NULL);
            iar = 0;
        }
        if (el == 2) {
            iar = translate_el2(q, qemu_plugin_insn_vaddr(q), op);
        } else if (guest_on) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, other_exec, QP_NO_REGS, (void *)(uintptr_t)el);
        }
        if (mark_of(op, is_arm32, &mark)) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, mark_exec, QP_R_REGS, (void *)(uintptr_t)mark);
        }
    }
    pthread_mutex_unlock(&lock);
}

/* Where QEMU ends is the host's affair: only without a report before is there one now. */
static void at_exit(qp_id id, void *unused)
{
    (void)id;
    (void)unused;
    if (!reported) {
        report();
    }
}

QP_EXPORT int qemu_plugin_install(qp_id id, const struct qp_info *info, int argc, char **argv)
{
    is_arm32 = strcmp(info->target_name, "arm") == 0;
    if ((!is_arm32 && strcmp(info->target_name, "aarch64") != 0) || !info->system_emulation) {
        return -1;
    }
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "out=", 4) == 0) {
            out_name = strdup(argv[i] + 4);
        } else if (strcmp(argv[i], "end=on") == 0) {
            end_on = 1;
        } else if (strncmp(argv[i], "first=", 6) == 0) {
            wanted_firsts = (unsigned)atoi(argv[i] + 6);
        } else if (strcmp(argv[i], "guest=off") == 0) {
            guest_on = 0;
        } else if (strcmp(argv[i], "pairs=off") == 0) {
            pairs_on = 0;
        } else if (strncmp(argv[i], "profile=", 8) == 0) {
            profile = (uint32_t)atoi(argv[i] + 8);
        } else {
            fprintf(stderr, "elmeter: no option %s\n", argv[i]);
            return -1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
