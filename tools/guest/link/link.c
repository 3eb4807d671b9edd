/* One end of a link under Linux, with what a plain kernel offers: /dev/mem for a window that has
 * bulkhead,no-map, /dev/xen/evtchn for the static channel. No C library: it runs in any initramfs.
 *
 *   link NAME ADDRESS BYTES PORT     prints LINK <name> bytes=<n> crc=ok each second
 *
 * The traffic is tests/guest/link's. */
#include "traffic.h"

#define SYS_IOCTL         29
#define SYS_OPENAT        56
#define SYS_READ          63
#define SYS_WRITE         64
#define SYS_PPOLL         73
#define SYS_EXIT          93
#define SYS_CLOCK_GETTIME 113
#define SYS_MMAP          222

#define AT_FDCWD        (-100)
#define O_RDWR_SYNC     0x101002
#define PROT_READ_WRITE 3
#define MAP_SHARED      1
#define POLLIN          1
#define CLOCK_MONOTONIC 1

/* include/uapi/xen/evtchn.h: _IOC(_IOC_NONE, 'E', nr, 4) */
#define EVTCHN_NOTIFY      0x44504
#define EVTCHN_BIND_STATIC 0x44507

#define BUDGET 64u

struct timespec {
    int64_t s;
    int64_t ns;
};

static int64_t evtchn;

/* A system call; none of ours has a last argument but mmap(), whose offset it is. */
static int64_t call_at(int64_t number, const int64_t *arg, int64_t last)
{
    register int64_t x8 __asm__("x8") = number;
    register int64_t x0 __asm__("x0") = arg[0];
    register int64_t x1 __asm__("x1") = arg[1];
    register int64_t x2 __asm__("x2") = arg[2];
    register int64_t x3 __asm__("x3") = arg[3];
    register int64_t x4 __asm__("x4") = arg[4];
    register int64_t x5 __asm__("x5") = last;

    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

static int64_t call(int64_t number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e)
{
    const int64_t arg[5] = { a, b, c, d, e };

    return call_at(number, arg, 0);
}

/* The compiler's own calls */
void *memset(void *to, int value, uint64_t bytes);
void *memset(void *to, int value, uint64_t bytes)
{
    for (uint64_t i = 0u; i < bytes; i++) {
        ((volatile uint8_t *)to)[i] = (uint8_t)value;
    }
    return to;
}

static int64_t at(const void *pointer)
{
    return (int64_t)(uintptr_t)pointer;
}

static char *put_text(char *to, const char *text)
{
    while (*text != '\0') {
        *to++ = *text++;
    }
    return to;
}

static char *put_number(char *to, uint64_t value)
{
    char digits[20];
    uint32_t n = 0u;

    do {
        digits[n++] = (char)('0' + (value % 10u));
        value /= 10u;
    } while (value != 0u);
    while (n > 0u) {
        *to++ = digits[--n];
    }
    return to;
}

/* One line in one write */
static void say(const char *name, const char *what, uint64_t number, const char *end)
{
    char line[160];
    char *c = put_text(put_text(put_text(line, "LINK "), name), what);

    c = (number != UINT64_MAX) ? put_number(c, number) : c;
    c = put_text(put_text(c, end), "\n");
    (void)call(SYS_WRITE, 1, at(line), c - line, 0, 0);
}

static uint64_t number_of(const char *text)
{
    const bool hex = (text[0] == '0') && (text[1] == 'x');
    uint64_t value = 0u;

    for (const char *c = hex ? &text[2] : text; *c != '\0'; c++) {
        const uint64_t digit = (*c <= '9') ? (uint64_t)(*c - '0') : (uint64_t)((*c | 0x20) - 'a' + 10);

        value = (value * (hex ? 16u : 10u)) + digit;
    }
    return value;
}

static void notify(void *ctx)
{
    (void)call(SYS_IOCTL, evtchn, EVTCHN_NOTIFY, at(ctx), 0, 0);
}

static int64_t now_s(uint32_t *ns)
{
    struct timespec t = { 0, 0 };

    (void)call(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC, at(&t), 0, 0, 0);
    *ns = (uint32_t)t.ns;
    return t.s;
}

static void fail(const char *name, const char *what, int64_t error)
{
    say(name, what, (uint64_t)-error, " FAIL");
    (void)call(SYS_EXIT, 1, 0, 0, 0, 0);
}

/* Sleeps until an event came, or for most of a second; what came is open for the next one then. */
static bool event_wait(void)
{
    struct {
        int32_t fd;
        int16_t events;
        int16_t revents;
    } poll = { (int32_t)evtchn, POLLIN, 0 };
    const struct timespec most = { 0, 900000000 };
    uint32_t ports[64];
    int64_t bytes = 0;

    if (call(SYS_PPOLL, at(&poll), 1, at(&most), 0, 0) > 0) {
        bytes = call(SYS_READ, evtchn, at(ports), sizeof(ports), 0, 0);
        if (bytes > 0) {
            (void)call(SYS_WRITE, evtchn, at(ports), bytes, 0, 0);
        }
    }
    return bytes > 0;
}

static void run(const char *name, struct traffic *t)
{
    uint32_t ns = 0u;
    int64_t second = now_s(&ns);
    uint64_t nr_events = 0u;
    bool busy = true;

    for (;;) {
        const bool came = !busy && event_wait();

        nr_events += came ? 1u : 0u;
        busy = (busy || came) && traffic_run(t, BUDGET);
        if (t->restarted) {
            t->restarted = false;
            say(name, " peer restarted", UINT64_MAX, "");
        }
        if (now_s(&ns) != second) {
            second = now_s(&ns);
            say(name, " bytes=", t->bytes, t->bad ? " crc=BAD" : " crc=ok");
            say(name, " events=", nr_events, "");
        }
    }
}

void link_main(uint64_t argc, char **argv);
void link_main(uint64_t argc, char **argv)
{
    static uint32_t port;
    static struct traffic t = { .in = { .notify = notify, .ctx = &port },
                                .out = { .notify = notify, .ctx = &port } };
    const char *const name = (argc > 1u) ? argv[1] : "link";
    uint32_t ns = 0u;
    int64_t memory;
    int64_t window;
    int64_t error;

    if (argc != 5u) {
        fail(name, " arguments", 0);
    }
    port = (uint32_t)number_of(argv[4]);
    memory = call(SYS_OPENAT, AT_FDCWD, at("/dev/mem"), O_RDWR_SYNC, 0, 0);
    evtchn = call(SYS_OPENAT, AT_FDCWD, at("/dev/xen/evtchn"), O_RDWR_SYNC, 0, 0);
    if ((memory < 0) || (evtchn < 0)) {
        fail(name, " /dev/mem or /dev/xen/evtchn", (memory < 0) ? memory : evtchn);
    }
    const int64_t map[5] = { 0, (int64_t)number_of(argv[3]), PROT_READ_WRITE, MAP_SHARED, memory };

    window = call_at(SYS_MMAP, map, (int64_t)number_of(argv[2]));
    if ((window < 0) && (window > -4096)) {
        fail(name, " mmap", window);
    }
    error = call(SYS_IOCTL, evtchn, EVTCHN_BIND_STATIC, at(&port), 0, 0);
    if (error < 0) {
        fail(name, " bind", error);
    }
    (void)now_s(&ns);
    if (!traffic_open(&t, (void *)(uintptr_t)window, number_of(argv[3]), false, ns >> 10u)) {
        fail(name, " window", 0);
    }
    say(name, " starts", UINT64_MAX, "");
    run(name, &t);
}

__asm__(".global _start\n_start: ldr x0, [sp]\n add x1, sp, #8\n bl link_main\n");
