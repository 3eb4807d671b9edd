/*
 * llcmodel - QEMU TCG plugin: a cache model keyed by guest PHYSICAL address.
 *
 * Private L1I/L1D per CPU and one shared last-level cache (default geometry:
 * Zynq UltraScale+ Cortex-A53: L1 32 KiB, LLC 1 MiB 16-way, 64-byte lines, so
 * one way is 64 KiB = 16 page colours of 4 KiB).  True LRU, write-allocate,
 * not inclusive.  Each access is charged to the domain that owns the physical
 * page; an eviction whose victim line belongs to another domain than the line
 * brought in is counted in the matrix evict[incoming][victim].
 *
 *  -plugin ./llcmodel.so,out=FILE,dom=NAME:LO-HI[:C0-C1][,dom=...][,llc=SIZE:WAYS]
 *          [,l1=SIZE:WAYS][,l1=off][,ram=BASE:SIZE][,fetch=off]
 *
 * dom: physical range [LO,HI) and optionally an inclusive colour range
 * C0-C1; first match wins, the rest is domain "other".  A name may be given
 * several times.  Marks (eor xzr,x0,xzr,lsl #imm): 1 = start phase x0 with
 * cold statistics but a warm cache, 2 = write the report.
 *
 * Loads/stores come with their physical address from QEMU.  Instruction
 * fetches carry a host address only; it is turned into a physical one with
 * the offset learnt from the first block executed in RAM with the MMU off
 * (virtual = physical), valid while guest RAM is one mapping (ram=).
 * One shared model, one lock: run it with -icount (one thread) for a
 * repeatable order of accesses.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "qplug.h"

QP_EXPORT int qemu_plugin_version = QP_API_LEVEL;
#define LINE   6
#define MAXDOM 16
#define MAXPH  32
#define MAXCPU 64

struct cache {
    unsigned sets, ways;
    uint64_t *tag;
    uint64_t *age;
}; /* tag = line+1, 0 = empty */
static struct cache llc, l1d[MAXCPU], l1i[MAXCPU];
static uint64_t llc_size = 1 << 20, l1_size = 32 << 10, clk;
static unsigned llc_ways = 16, l1_ways = 4, use_l1 = 1, use_fetch = 1;
static struct rng {
    uint64_t lo, hi;
    int c0, c1, dom;
} rngs[64];
static unsigned nrng, ndom, ncol;
static char domname[MAXDOM][16];
struct stat {
    uint64_t acc[MAXDOM], l1miss[MAXDOM], miss[MAXDOM], evict[MAXDOM][MAXDOM], ns;
};
static struct stat st[MAXPH];
static unsigned phase;
static const char *outname = "llc.tsv";
static uint64_t rambase = 0x40000000, ramsize = 1ull << 40;
static uintptr_t hostoff;
static int havehost;
static const void *envs[MAXCPU];
static unsigned ncpu;
static __thread unsigned me __attribute__((tls_model("initial-exec")));
static struct qemu_plugin_register *x0reg;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int domof(uint64_t pa)
{
    int col = (int)(pa >> 12 & (ncol - 1));
    for (unsigned i = 0; i < nrng; i++) {
        if (pa >= rngs[i].lo && pa < rngs[i].hi &&
            (rngs[i].c0 < 0 || (col >= rngs[i].c0 && col <= rngs[i].c1))) {
            return rngs[i].dom;
        }
    }
    return 0;
}

static void mk(struct cache *c, uint64_t size, unsigned ways)
{
    c->ways = ways;
    c->sets = (unsigned)(size >> LINE) / ways;
    c->tag = calloc((size_t)c->sets * ways, 8);
    c->age = calloc((size_t)c->sets * ways, 8);
}

/* returns 1 on a hit; on a miss *victim is the evicted line + 1, or 0 */
static int touch(struct cache *c, uint64_t line, uint64_t *victim)
{
    unsigned s = (unsigned)(line & (c->sets - 1)), old = 0;
    uint64_t *t = c->tag + (size_t)s * c->ways, *a = c->age + (size_t)s * c->ways;
    for (unsigned w = 0; w < c->ways; w++) {
        if (t[w] == line + 1) {
            a[w] = ++clk;
            return 1;
        }
        if (a[w] < a[old]) {
            old = w;
        }
    }
    *victim = t[old];
    t[old] = line + 1;
    a[old] = ++clk;
    return 0;
}

static void access_(unsigned v, int fetch, uint64_t pa)
{
    uint64_t line = pa >> LINE, vic;
    struct stat *p = &st[phase];
    int d = domof(pa);
    p->acc[d]++;
    if (use_l1) {
        struct cache *c = fetch ? &l1i[v] : &l1d[v];
        if (!c->tag) {
            mk(c, l1_size, l1_ways);
        }
        if (touch(c, line, &vic)) {
            return;
        }
        p->l1miss[d]++;
    }
    if (touch(&llc, line, &vic)) {
        return;
    }
    p->miss[d]++;
    if (vic) {
        p->evict[d][domof((vic - 1) << LINE)]++;
    }
}

static void mem_cb(unsigned v, qp_meminfo info, uint64_t va, void *u)
{
    (void)v;
    (void)u;
    struct qemu_plugin_hwaddr *h = qemu_plugin_get_hwaddr(info, va);
    if (!h || qemu_plugin_hwaddr_is_io(h)) {
        return;
    }
    uint64_t pa = qemu_plugin_hwaddr_phys_addr(h);
    unsigned sz = 1u << qemu_plugin_mem_size_shift(info);
    pthread_mutex_lock(&lock);
    access_(me, 0, pa);
    if ((pa ^ (pa + sz - 1)) >> LINE) {
        access_(me, 0, pa + sz - 1);
    }
    pthread_mutex_unlock(&lock);
}

/* one fetch per line and block: u = physical address */
static void fetch_cb(unsigned v, void *u)
{
    (void)v;
    pthread_mutex_lock(&lock);
    access_(me, 1, (uintptr_t)u);
    pthread_mutex_unlock(&lock);
}

/* see elmeter.c: the CPU is told by TCG's env register, not by the index */
__attribute__((visibility("hidden"), used)) void tb_who_c(unsigned v, void *u, const void *env)
{
    (void)v;
    (void)u;
    for (unsigned i = 0; i < ncpu; i++) {
        if (envs[i] == env) {
            me = i;
            return;
        }
    }
    if (ncpu == MAXCPU) {
        abort();
    }
    envs[me = ncpu++] = env;
}
#if defined(__x86_64__)
__asm__(".text\ntb_who: movq %rbp, %rdx\n jmp tb_who_c\n");
#elif defined(__aarch64__)
__asm__(".text\ntb_who: mov x2, x19\n b tb_who_c\n");
#else
#error host not known
#endif
void tb_who(unsigned v, void *u) __attribute__((visibility("hidden")));

static int dumped;

static void dump(void)
{
    FILE *f = fopen(outname, "w");
    if (!f) {
        return;
    }
    fprintf(f, "# llc %u sets x %u ways, %u colours of 4 KiB; l1 %s\n", llc.sets, llc.ways, ncol,
            use_l1 ? "on" : "off");
    fprintf(f, "# phase domain accesses l1miss llcmiss | evicted lines of:");
    for (unsigned i = 0; i < ndom; i++) {
        fprintf(f, " %s", domname[i]);
    }
    fprintf(f, "\n");
    for (unsigned p = 0; p < MAXPH; p++) {
        for (unsigned d = 0; d < ndom; d++) {
            if (!st[p].acc[d]) {
                continue;
            }
            fprintf(f, "%u\t%s\t%lu\t%lu\t%lu", p, domname[d], st[p].acc[d], st[p].l1miss[d], st[p].miss[d]);
            for (unsigned e = 0; e < ndom; e++) {
                fprintf(f, "\t%lu", st[p].evict[d][e]);
            }
            fprintf(f, "\n");
        }
    }
    fclose(f);
}

static void magic(unsigned v, void *u)
{
    (void)v;
    unsigned imm = (unsigned)(uintptr_t)u;
    static __thread struct gl_bytes *buf;
    uint64_t x0 = 0;
    if (!buf) {
        buf = g_byte_array_new();
    }
    g_byte_array_set_size(buf, 0);
    int n = qemu_plugin_read_register(x0reg, buf);
    if (n > 0) {
        memcpy(&x0, buf->data, n > 8 ? 8 : n);
    }
    pthread_mutex_lock(&lock);
    if (imm == 1 && x0 < MAXPH) {
        phase = (unsigned)x0;
    }
    if (imm == 2) {
        dump();
        dumped = 1;
    }
    pthread_mutex_unlock(&lock);
}

static void find_x0(void)
{
    struct gl_array *a = qemu_plugin_get_registers();
    struct qp_regdesc *d = (void *)a->data;
    for (unsigned i = 0; i < a->len; i++) {
        if (!strcmp(d[i].name, "x0")) {
            x0reg = d[i].handle;
        }
    }
}

static int in_ram(uint64_t a)
{
    return a >= rambase && a - rambase < ramsize;
}

/* an instruction is fetched; returns its line */
static uint64_t translate_fetch(struct qemu_plugin_insn *in, uint64_t last)
{
    uint64_t va = qemu_plugin_insn_vaddr(in);
    uintptr_t ha = (uintptr_t)qemu_plugin_insn_haddr(in);
    if (!havehost && ha && in_ram(va)) {
        hostoff = ha - va;
        havehost = 1;
    }
    uint64_t pa = ha - hostoff;
    if (!use_fetch || !havehost || !ha || !in_ram(pa) || pa >> LINE == last) {
        return last;
    }
    qemu_plugin_register_vcpu_insn_exec_cb(in, fetch_cb, QP_NO_REGS, (void *)(uintptr_t)pa);
    return pa >> LINE;
}

static void tb_trans(qp_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    if (!x0reg) {
        find_x0();
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, tb_who, QP_NO_REGS, NULL);
    size_t n = qemu_plugin_tb_n_insns(tb);
    uint64_t last = ~0ull;
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *in = qemu_plugin_tb_get_insn(tb, i);
        uint32_t op = 0;
        qemu_plugin_insn_data(in, &op, 4);
        last = translate_fetch(in, last);
        if ((op & 0x0A000000u) == 0x08000000u || (op & 0xFFF80000u) == 0xD5080000u) {
            qemu_plugin_register_vcpu_mem_cb(in, mem_cb, QP_NO_REGS, QP_MEM_RW, NULL);
        }
        if ((op & 0xFFFF03FFu) == 0xCA1F001Fu) {
            qemu_plugin_register_vcpu_insn_exec_cb(in, magic, QP_R_REGS, (void *)(uintptr_t)(op >> 10 & 63));
        }
    }
}

/* after mark 2 CPUs run on until QEMU stops, at a host-dependent point */
static void at_exit(qp_id id, void *u)
{
    (void)id;
    (void)u;
    if (!dumped) {
        dump();
    }
}

static uint64_t num(const char *s, char **e)
{
    uint64_t v = strtoull(s, e, 0);
    if (**e == 'K') {
        v <<= 10;
        ++*e;
    } else if (**e == 'M') {
        v <<= 20;
        ++*e;
    } else if (**e == 'G') {
        v <<= 30;
        ++*e;
    }
    return v;
}

/* NAME:FROM-TO[:COLOUR-COLOUR] */
static int domain_option(char *a)
{
    char *c = strchr(a, ':'), *e;
    unsigned d = 1;
    if (!c) {
        return 0;
    }
    *c = 0;
    while (d < ndom && strcmp(domname[d], a)) {
        d++;
    }
    if (d == ndom) {
        if (ndom == MAXDOM) {
            return 0;
        }
        snprintf(domname[ndom++], 16, "%s", a);
    }
    struct rng *r = &rngs[nrng++];
    r->dom = (int)d;
    r->c0 = r->c1 = -1;
    r->lo = num(c + 1, &e);
    r->hi = num(e + 1, &e);
    if (*e == ':') {
        r->c0 = (int)strtoul(e + 1, &e, 0);
        r->c1 = (int)strtoul(e + 1, &e, 0);
    }
    return 1;
}

QP_EXPORT int qemu_plugin_install(qp_id id, const struct qp_info *info, int argc, char **argv)
{
    if (strcmp(info->target_name, "aarch64") || !info->system_emulation) {
        return -1;
    }
    strcpy(domname[ndom++], "other");
    for (int i = 0; i < argc; i++) {
        char *a = argv[i], *e;
        if (!strncmp(a, "out=", 4)) {
            outname = strdup(a + 4);
        } else if (!strcmp(a, "l1=off")) {
            use_l1 = 0;
        } else if (!strcmp(a, "fetch=off")) {
            use_fetch = 0;
        } else if (!strncmp(a, "llc=", 4)) {
            llc_size = num(a + 4, &e);
            llc_ways = atoi(e + 1);
        } else if (!strncmp(a, "l1=", 3)) {
            l1_size = num(a + 3, &e);
            l1_ways = atoi(e + 1);
        } else if (!strncmp(a, "ram=", 4)) {
            rambase = num(a + 4, &e);
            ramsize = num(e + 1, &e);
        } else if (!strncmp(a, "dom=", 4) && nrng < 64) {
            if (!domain_option(a + 4)) {
                return -1;
            }
        } else {
            fprintf(stderr, "llcmodel: bad option %s\n", a);
            return -1;
        }
    }
    mk(&llc, llc_size, llc_ways);
    ncol = (unsigned)(llc_size / llc_ways >> 12);
    qemu_plugin_register_vcpu_tb_trans_cb(id, tb_trans);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
