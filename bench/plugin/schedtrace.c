/* schedtrace: a QEMU TCG plugin that writes who has which CPU from when on, without a word from the
 * hypervisor.
 *
 *  qemu-system-... -icount shift=0,sleep=off -plugin schedtrace.so,out=FILE,end=NS[,from=NS]
 *
 * A line: time in ns, CPU, what it runs from then on: v<domain>.<vCPU> (its VMID, and Aff0 of VMPIDR), idle
 * (WFI at EL2), or el2 (a stay that another vCPU follows, or idleness, or one of 20 us and more: the
 * worker's). And
 *   mark <ns> <cpu> <what> <r0> <instructions> <stays>   mark 5 of a guest (elmeter.c), with register 0, and
 *   what
 *                                   was executed at EL2 of this CPU so far, in how many stays
 *   el2 <cpu> <instructions> <stays>  the same of each CPU at the end
 *   end <ns>                        the trace's end, where QEMU ends too; from: nothing is written before
 *
 * Time is counted in instructions and put right by each look at the physical counter, since what is skipped
 * when all CPUs wait is no instruction. */
#include <stdio.h>
#include <unistd.h>
#include "qcpu.h"

QP_EXPORT int qemu_plugin_version = QP_API_LEVEL;

#define MAX_CPUS 64
#define LONG_NS  20000u /* a stay at EL2 that counts as work */
#define IDLE     0xfffffffeu
#define EL2      0xffffffffu
#define A64_WFI  0xD503207Fu
#define A32_WFI  0xE320F003u

struct cpu {
    const void *env;
    unsigned number; /* Aff0 */
    int el;
    uint32_t runs;   /* what the last line said */
    uint64_t since;  /* when this stay at EL2 began */
    uint64_t el2;    /* instructions */
    uint64_t stays;  /* at EL2 */
    int sure;        /* the counter was looked at since then */
    int waits;       /* WFI was the last instruction of EL2 */
    int counter;     /* 1 + register that a look at the counter goes to */
    uint64_t looked; /* when */
};

static struct cpu cpus[MAX_CPUS], *cur;
static unsigned nr_cpus;
static uint64_t now, last, from, end = UINT64_MAX;
static uint64_t tick_ns = 16;
static FILE *out;
static const char *out_name = "schedtrace.tsv";
static int is_arm32, regs_known;
static struct {
    struct qemu_plugin_register *x[31], *cpsr, *vttbr, *vsctlr, *vmpidr, *cntfrq;
} regs;

static void collect_registers(void)
{
    const struct reg_wanted wanted[] = { { "cpsr", &regs.cpsr },         { "VTTBR_EL2", &regs.vttbr },
                                         { "VTTBR", &regs.vttbr },       { "VSCTLR", &regs.vsctlr },
                                         { "VMPIDR_EL2", &regs.vmpidr }, { "VMPIDR", &regs.vmpidr },
                                         { "CNTFRQ_EL0", &regs.cntfrq }, { "CNTFRQ", &regs.cntfrq } };

    regs_find(wanted, sizeof wanted / sizeof wanted[0], regs.x, is_arm32 ? 'r' : 'x');
    if (reg(regs.cntfrq) != 0) {
        tick_ns = 1000000000u / reg(regs.cntfrq);
    }
    regs_known = 1;
}

/* Domain << 8 | vCPU */
static uint32_t vcpu_id(void)
{
    uint64_t vmid = regs.vsctlr != NULL ? reg(regs.vsctlr) >> 16 & 0xff : reg(regs.vttbr) >> 48;

    return (uint32_t)vmid << 8 | (uint32_t)(reg(regs.vmpidr) & 0xff);
}

static struct cpu *who(const void *env)
{
    if (cur != NULL && cur->env == env) {
        return cur;
    }
    for (unsigned i = 0; i < nr_cpus; i++) {
        if (cpus[i].env == env) {
            return cur = &cpus[i];
        }
    }
    if (nr_cpus == MAX_CPUS) {
        abort();
    }
    cur = &cpus[nr_cpus++];
    cur->env = env;
    cur->el = 2;
    cur->runs = EL2;
    cur->number = (unsigned)reg(regs.vmpidr) & 0xff; /* nobody has written it yet */
    return cur;
}

static const char *name_of(uint32_t what)
{
    static char name[16];

    snprintf(name, sizeof name,
             what == IDLE  ? "idle"
             : what == EL2 ? "el2"
                           : "v%u.%u",
             what >> 8, what & 0xff);
    return name;
}

static void finish(void)
{
    for (unsigned i = 0; i < nr_cpus; i++) {
        fprintf(out, "el2\t%u\t%lu\t%lu\n", cpus[i].number, cpus[i].el2, cpus[i].stays);
    }
    fprintf(out, "end\t%lu\n", now);
    if (fclose(out) != 0) {
        perror(out_name);
        _exit(1);
    }
    _exit(0);
}

static void say(struct cpu *c, uint64_t at, uint32_t what)
{
    if (what != c->runs && at >= from) {
        fprintf(out, "%lu\t%u\t%s\n", at > last ? at : last, c->number, name_of(what));
        last = at > last ? at : last;
    }
    c->runs = what;
}

/* A stay at EL2 is over: what follows tells whether it is worth a line. */
static void leaves_el2(struct cpu *c, uint32_t to)
{
    if (to != c->runs || now - c->since >= LONG_NS) {
        say(c, c->since, EL2);
        say(c, now, to);
    }
}

/* Other CPUs may have had their turns since. */
static void counter_seen(struct cpu *c)
{
    uint64_t seen = reg(regs.x[c->counter - 1]);

    if (is_arm32) { /* the low word is enough */
        seen += (c->looked / tick_ns - seen + 0x80000000u) & ~0xffffffffULL;
    }
    seen *= tick_ns;
    if (seen > c->looked) {
        if (!c->sure) {
            c->since += seen - c->looked;
        }
        now += seen - c->looked;
    } else if (c->looked >= seen + tick_ns) {
        now -= c->looked - (seen + tick_ns - 1);
    }
    c->sure = 1;
    c->counter = 0;
}

/* The tag: instructions of the block << 2 | level */
void block_exec_env(unsigned v, void *tag, const void *env)
{
    struct cpu *c = who(env);
    int el = (uintptr_t)tag & 3;
    unsigned n = (unsigned)((uintptr_t)tag >> 2);

    (void)v;
    if (c->counter != 0) {
        counter_seen(c);
    }
    if (el >= 2 && (c->el < 2 || c->waits)) {
        c->since = now;
        c->sure = 0;
        c->waits = 0;
        c->stays++;
    } else if (el < 2 && c->el >= 2) {
        leaves_el2(c, vcpu_id());
    }
    c->el = el;
    now += n;
    if (el >= 2) {
        c->el2 += n;
    }
    if (now >= end) {
        finish();
    }
}

static void wfi_exec(unsigned v, void *unused)
{
    (void)v;
    (void)unused;
    leaves_el2(cur, IDLE);
    cur->waits = 1;
}

static void counter_exec(unsigned v, void *rt)
{
    (void)v;
    cur->counter = (int)(uintptr_t)rt + 1;
    cur->looked = now;
}

static void mark_exec(unsigned v, void *unused)
{
    (void)v;
    (void)unused;
    if (now >= from) {
        fprintf(out, "mark\t%lu\t%u\t%s\t%lu\t%lu\t%lu\n", now, cur->number, name_of(cur->runs),
                reg(regs.x[0]), cur->el2, cur->stays);
    }
}

/* mrs xt, cntpct_el0; mrrc p15, 0, rt, rt2, c14. Both end their block under icount. */
static int counter_register(uint32_t op)
{
    if (is_arm32) {
        return (op & 0x0FF00FFFu) == 0x0C500F0Eu ? (int)(op >> 12 & 15) : -1;
    }
    return (op & ~31u) == 0xD53BE020u ? (int)(op & 31) : -1;
}

static void translate(qp_id id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb);

    (void)id;
    if (!regs_known) {
        collect_registers();
    }
    int el = level_of((unsigned)reg(regs.cpsr));
    qemu_plugin_register_vcpu_tb_exec_cb(tb, block_exec, QP_R_REGS,
                                         (void *)(uintptr_t)(n << 2 | (unsigned)el));
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *q = qemu_plugin_tb_get_insn(tb, i);
        unsigned mark;
        uint32_t op = 0;
        qemu_plugin_insn_data(q, &op, 4);
        if (el == 2 && counter_register(op) >= 0) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, counter_exec, QP_NO_REGS,
                                                   (void *)(uintptr_t)counter_register(op));
        } else if (el == 2 && op == (is_arm32 ? A32_WFI : A64_WFI)) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, wfi_exec, QP_NO_REGS, NULL);
        } else if (el < 2 && mark_of(op, is_arm32, &mark) && mark == 5) {
            qemu_plugin_register_vcpu_insn_exec_cb(q, mark_exec, QP_R_REGS, NULL);
        }
    }
}

static void at_exit(qp_id id, void *unused)
{
    (void)id;
    (void)unused;
    finish();
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
        } else if (strncmp(argv[i], "end=", 4) == 0) {
            end = strtoull(argv[i] + 4, NULL, 10);
        } else if (strncmp(argv[i], "from=", 5) == 0) {
            from = strtoull(argv[i] + 5, NULL, 10);
        } else {
            fprintf(stderr, "schedtrace: no option %s\n", argv[i]);
            return -1;
        }
    }
    out = fopen(out_name, "w");
    if (out == NULL) {
        perror(out_name);
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
