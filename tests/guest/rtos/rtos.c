/* An RTOS's first moments on a Cortex-R52, one line for each thing it needs. */
#include "rtos.h"

struct rtos_fault rtos_fault;
void rtos_lost(void);
void rtos_main(uint32_t entry_cpsr);
void (*rtos_recover)(void) = rtos_lost;

static uint32_t nr_ok;
static uint32_t nr_failed;
static volatile uint32_t word = 0x600df00du;

static void put_char(char c)
{
    while ((REG32(RTOS_UART + 4u) & 1u) != 0u) {
        /* until the buffer is empty */
    }
    REG32(RTOS_UART) = (uint8_t)c;
}

void put_text(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

void put_hex(uint32_t value)
{
    put_text("0x");
    for (int shift = 28; shift >= 0; shift -= 4) {
        put_char("0123456789abcdef"[(value >> shift) & 15u]);
    }
}

void tell(const char *what, bool is_so, uint32_t found)
{
    put_text("RTOS ");
    put_text(what);
    put_text(is_so ? " ok" : " FAIL ");
    if (!is_so) {
        put_hex(found);
    }
    put_text("\n");
    nr_ok += is_so ? 1u : 0u;
    nr_failed += is_so ? 0u : 1u;
}

void rtos_lost(void)
{
    put_text("RTOS lost FAIL kind ");
    put_hex(rtos_fault.kind);
    put_text(" lr ");
    put_hex(rtos_fault.lr);
    put_text(" dfsr ");
    put_hex(GET(0, 5, 0, 0));
    put_text(" dfar ");
    put_hex(GET(0, 6, 0, 0));
    put_text("\n");
    for (;;) {
        __asm__ volatile("wfi");
    }
}

static void uart_begin(void)
{
    REG32(RTOS_UART + 0x10u) = 434u;
    REG32(RTOS_UART + 8u) = 3u;
}

/* All of the data cache invalidated by set and way, as reset code does that expects nothing in it. */
static void caches_check(void)
{
    const uint32_t clidr = GET(1, 0, 0, 1);
    uint32_t lines = 0u;

    word = 0x600df00du;
    for (uint32_t level = 0u; level < 7u; level++) {
        uint32_t ccsidr;

        if (((clidr >> (3u * level)) & 7u) < 2u) {
            continue;
        }
        SET(2, 0, 0, 0, level << 1u);
        ccsidr = GET(1, 0, 0, 0);
        for (uint32_t way = 0u; way <= ((ccsidr >> 3u) & 0x3ffu); way++) {
            for (uint32_t set = 0u; set <= ((ccsidr >> 13u) & 0x7fffu); set++) {
                const uint32_t ways = ((ccsidr >> 3u) & 0x3ffu) + 1u;
                const uint32_t shift = (ways == 1u) ? 0u : (uint32_t)__builtin_clz(ways - 1u);

                SET(0, 7, 6, 2, (way << shift) | (set << ((ccsidr & 7u) + 4u)) | (level << 1u));
                lines++;
            }
        }
    }
    SET(0, 7, 5, 0, 0u); /* ICIALLU */
    SET(0, 7, 5, 6, 0u); /* BPIALL */
    SET(0, 1, 0, 0, GET(0, 1, 0, 0) | (1u << 12u) | (1u << 2u));
    SET(0, 7, 14, 1, (uintptr_t)&word); /* DCCIMVAC */
    SET(0, 7, 10, 1, (uintptr_t)&word); /* DCCMVAC */
    SET(0, 7, 6, 1, (uintptr_t)&word);  /* DCIMVAC */
    SET(0, 7, 5, 1, (uintptr_t)&word);  /* ICIMVAU */
    __asm__ volatile("dsb sy\n\tdmb ish\n\tdsb ishst\n\tisb");
    tell("caches", (lines != 0u) && (word == 0x600df00du), word);
}

static void identity_check(void)
{
    const uint32_t midr = GET(0, 0, 0, 0);

    tell("midr", (midr & 0xff0ffff0u) == 0x410fd130u, midr);
    tell("mpidr", (GET(0, 0, 0, 5) & 0x80ffffffu) == 0x80000000u, GET(0, 0, 0, 5));
    tell("mpuir", ((GET(0, 0, 0, 4) >> 8u) & 0xffu) == 16u, GET(0, 0, 0, 4));
    (void)(GET(0, 0, 0, 1) + GET(0, 0, 0, 2) + GET(0, 0, 0, 6));
    (void)(GET(0, 0, 1, 0) + GET(0, 0, 1, 1) + GET(0, 0, 1, 4) + GET(0, 0, 2, 0) + GET(0, 0, 2, 6));
    tell("id-registers", true, 0u);
}

/* Registers of this processor alone, of its counters and of debug: whoever knows the core pokes them. */
static void core_registers(uint32_t unused)
{
    (void)unused;
    SET(0, 1, 0, 1, GET(0, 1, 0, 1));            /* ACTLR */
    SET(0, 9, 1, 0, GET(0, 9, 1, 0));            /* IMP_ATCMREGIONR */
    SET(0, 9, 1, 1, GET(0, 9, 1, 1));            /* IMP_BTCMREGIONR */
    SET(0, 9, 1, 2, GET(0, 9, 1, 2));            /* IMP_CTCMREGIONR */
    SET(1, 9, 1, 0, GET(1, 9, 1, 0));            /* IMP_CSCTLR */
    SET(1, 9, 1, 1, GET(1, 9, 1, 1));            /* IMP_BPCTLR */
    SET(1, 9, 1, 2, GET(1, 9, 1, 2));            /* IMP_MEMPROTCLR */
    SET(0, 11, 0, 0, GET(0, 11, 0, 0));          /* IMP_SLAVEPCTLR */
    SET(0, 15, 0, 0, GET(0, 15, 0, 0));          /* IMP_PERIPHREGIONR */
    SET(0, 15, 0, 1, GET(0, 15, 0, 1));          /* IMP_FLASHIFREGIONR */
    (void)(GET(0, 15, 2, 0) + GET(0, 15, 2, 7)); /* IMP_BUILDOPTR, IMP_PINOPTR */
    SET(1, 15, 3, 1, GET(1, 15, 3, 1));          /* IMP_QOSR */
    SET64(0, 15, GET64(0, 15));                  /* CPUACTLR */
}

static void counters(uint32_t unused)
{
    (void)unused;
    SET(0, 9, 12, 0, GET(0, 9, 12, 0) | 7u); /* PMCR: enable, reset */
    SET(0, 9, 12, 1, 0x80000000u);           /* PMCNTENSET */
    SET(0, 9, 12, 3, 0x80000000u);           /* PMOVSR */
    SET(0, 9, 12, 5, 0u);                    /* PMSELR */
    SET(0, 9, 13, 1, 0x11u);                 /* PMXEVTYPER */
    SET(0, 9, 14, 0, 1u);                    /* PMUSERENR */
    SET(0, 9, 14, 2, 0xffffffffu);           /* PMINTENCLR */
    (void)(GET(0, 9, 13, 0) + GET(0, 9, 13, 2));
}

static void debug_registers(uint32_t unused)
{
    (void)unused;
    (void)GET_CP(14, 0, 0, 0, 0);                   /* DBGDIDR */
    SET_CP(14, 0, 1, 0, 4, 0u);                     /* DBGOSLAR */
    SET_CP(14, 0, 1, 3, 4, 0u);                     /* DBGOSDLR */
    SET_CP(14, 0, 0, 2, 2, GET_CP(14, 0, 0, 2, 2)); /* DBGDSCRext */
}

static void core_check(void)
{
    const uint32_t cbar = GET(1, 15, 3, 0);

    tell("core-registers", rtos_attempt(core_registers, 0u) == 0, rtos_fault.lr);
    tell("counters", rtos_attempt(counters, 0u) == 0, rtos_fault.lr);
    tell("debug-registers", rtos_attempt(debug_registers, 0u) == 0, rtos_fault.lr);
    tell("gic-by-cbar", cbar == GICD_BASE, cbar);
}

static void do_undefined(uint32_t unused)
{
    (void)unused;
    __asm__ volatile("udf #1");
}

static void do_read(uint32_t at)
{
    (void)REG32(at);
}

static void do_write(uint32_t at)
{
    REG32(at) = 0u;
}

static void do_call(uint32_t at)
{
    ((void (*)(void))(uintptr_t)at)();
}

static void vectors_check(const char *what, const char *vectors, bool is_thumb)
{
    const uint32_t te = 1u << 30u;

    SET(0, 12, 0, 0, (uintptr_t)vectors);
    SET(0, 1, 0, 0, (GET(0, 1, 0, 0) & ~te) | (is_thumb ? te : 0u));
    tell(what,
         (GET(0, 12, 0, 0) == (uintptr_t)vectors) && (rtos_attempt(do_undefined, 0u) == 1) &&
             (rtos_fault.kind == 1u) && ((rtos_fault.spsr & 0x1fu) == 0x1fu),
         rtos_fault.kind);
}

/* -- Protection: the first regions and the last by their direct names, others through PRSELR. -- */
#define REGION_RW        0x01u /* EL1, no execution */
#define REGION_RO_X      0x06u
#define REGION_USER      0x03u
#define REGION_ON        1u
#define REGION_NORMAL    (1u << 1u)
#define SH_INNER         (3u << 3u)
#define PRBAR(base, ap)  (((uint32_t)(uintptr_t)(base) & ~63u) | SH_INNER | (ap))
#define PRLAR(end, attr) ((((uint32_t)(uintptr_t)(end) - 1u) & ~63u) | (attr) | REGION_ON)

static void mpu_begin(void)
{
    for (uint32_t n = 0u; n < 16u; n++) {
        SET(0, 6, 2, 1, n); /* PRSELR */
        SET(0, 6, 3, 0, 0u);
        SET(0, 6, 3, 1, 0u);
    }
    SET(0, 10, 2, 0, 0x0044ff04u);                   /* MAIR0: device, write-back, not cached */
    SET(0, 6, 8, 0, PRBAR(rtos_begin, REGION_RO_X)); /* PRBAR0 */
    SET(0, 6, 8, 1, PRLAR(rtos_text_end, REGION_NORMAL));
    SET(0, 6, 8, 4, PRBAR(rtos_text_end, REGION_RW)); /* PRBAR1 */
    SET(0, 6, 8, 5, PRLAR(rtos_user, REGION_NORMAL));
    SET(0, 6, 2, 1, 2u);
    SET(0, 6, 3, 0, PRBAR(rtos_user, REGION_USER));
    SET(0, 6, 3, 1, PRLAR(rtos_user_end, REGION_NORMAL));
    SET(0, 6, 15, 4, RTOS_UART | REGION_RW); /* PRBAR15 */
    SET(0, 6, 15, 5, RTOS_UART | 0xfc0u | REGION_ON);
    SET(0, 1, 0, 0, GET(0, 1, 0, 0) | (1u << 17u) | 1u); /* BR, M */
    __asm__ volatile("dsb\n\tisb");
}

static void mpu_check(void)
{
    uint32_t status;

    mpu_begin();
    SET(0, 6, 2, 1, 15u);
    tell("mpu-direct", GET(0, 6, 3, 0) == (RTOS_UART | REGION_RW), GET(0, 6, 3, 0));
    SET(0, 6, 2, 1, 1u);
    tell("mpu-select", (GET(0, 6, 8, 4) == GET(0, 6, 3, 0)) && (GET(0, 6, 8, 5) == GET(0, 6, 3, 1)),
         GET(0, 6, 8, 4));
    tell("mpu-on", (GET(0, 1, 0, 0) & 0x20001u) == 0x20001u, GET(0, 1, 0, 0));
    tell("background", rtos_attempt(do_read, GICD_BASE + 4u) == 0, GET(0, 6, 0, 0));
    tell("write-to-code",
         (rtos_attempt(do_write, (uint32_t)(uintptr_t)rtos_begin) == 1) && (rtos_fault.kind == 4u) &&
             (GET(0, 6, 0, 0) == (uint32_t)(uintptr_t)rtos_begin),
         rtos_fault.kind);
    status = GET(0, 5, 0, 0);
    tell("its-status", ((status & 0x63fu) == 0x20cu) && ((status & 0x800u) != 0u), status);
    tell("fetch-of-data",
         (rtos_attempt(do_call, (uint32_t)(uintptr_t)rtos_user | 1u) == 1) && (rtos_fault.kind == 3u),
         rtos_fault.kind);
}

static void fp_check(void)
{
    SET(0, 1, 0, 2, GET(0, 1, 0, 2) | (15u << 20u)); /* CPACR: full access to both */
    __asm__ volatile(".fpu neon-fp-armv8\n\tvmsr fpexc, %0" : : "r"(1u << 30u));
    rtos_fp_fill(0x1000u);
    tell("vfp", rtos_fp_check(0x1000u) == 0u, rtos_fp_check(0x1000u));
}

static void exclusives_check(void)
{
    uint32_t value;
    uint32_t failed;

    __asm__ volatile(
        "clrex\n1:\tldrex %0, [%2]\n\tadd %0, %0, #1\n\tstrex %1, %0, [%2]\n\tcmp %1, #0\n\tbne 1b"
        : "=&r"(value), "=&r"(failed)
        : "r"(&word)
        : "cc", "memory");
    tell("exclusives", word == 0x600df00eu, word);
    __asm__ volatile("sev\n\twfe");
    tell("events", true, 0u);
}

static void end(bool was_hyp)
{
    put_text("RTOS end: ");
    put_hex(nr_ok);
    put_text(nr_failed == 0u ? " ok, none failed\n" : " ok, others FAILED\n");
    if (!was_hyp) { /* there is somebody to ask */
        register uint32_t r0 __asm__("r0") = 0x84000008u;

        __asm__ volatile(".arch_extension virt\n\thvc #0" : "+r"(r0) : : "r1", "r2", "r3", "memory");
    }
}

void rtos_main(uint32_t entry_cpsr)
{
    const uint32_t mode = entry_cpsr & 0x1fu;

    uart_begin();
    put_text(mode == 0x1au ? "RTOS begins in HYP\n" : "RTOS begins in SVC\n");
    tell("entry-mode", (mode == 0x1au) || (mode == 0x13u), entry_cpsr);
    tell("entry-masked", (entry_cpsr & 0x1c0u) == 0x1c0u, entry_cpsr);
    vectors_check("vectors", rtos_vectors, false);
    identity_check();
    caches_check();
    core_check();
    mpu_check();
    fp_check();
    exclusives_check();
    vectors_check("vectors-thumb", rtos_vectors_thumb, true);
    gic_begin();
    gic_check();
    timers_check();
    tasks_check();
    end(mode == 0x1au);
}
