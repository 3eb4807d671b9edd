#include "operator/operator_command.h"

#include "base/log.h"
#include "base/percpu.h"
#include "build/build.h"
#include "hal/power.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "sched/work.h"

#define TEXT_MAX  160u
#define NS_PER_MS 1000000ULL
#define MS_PER_S  1000ULL

/* A command that was typed */
struct asked {
    struct console *out;
    struct domain *domain; /* NULL: it names none */
    const char *argument;  /* the word behind the command, empty if there is none */
};

static void say(struct console *out, const char *text)
{
    console_write(out, text, (uint32_t)strlen(text));
}

/* -- Long answers: collected and written line by line -- */

struct sink {
    struct console *out;
    char text[TEXT_MAX];
    uint32_t len;
};

static void sink_flush(struct sink *s)
{
    console_write(s->out, s->text, s->len);
    s->len = 0u;
    work_breathe();
}

static void sink_put(void *ctx, char c)
{
    struct sink *const s = ctx;

    s->text[s->len] = c;
    s->len++;
    if ((c == '\n') || (s->len == TEXT_MAX)) {
        sink_flush(s);
    }
}

/* The end of what was collected, as a line. */
static void sink_end(struct sink *s)
{
    if (s->len > 0u) {
        sink_put(s, '\n');
    }
    if (s->len > 0u) {
        sink_flush(s);
    }
}

/* -- Commands. domain: the one named, NULL for a command without a name -- */

static void pad(struct fmt_buf *text, uint32_t column)
{
    do {
        fmt_char(text, ' ');
    } while ((text->len < column) && !text->cut);
}

static const char *state_of(const struct domain *d)
{
    return ((d->state == DOMAIN_RUNNING) && d->paused) ? "paused" : domain_state_name(d->state);
}

static uint64_t run_ms(const struct domain *d)
{
    uint64_t ns = 0;

    if ((d->state == DOMAIN_RUNNING) || (d->state == DOMAIN_STOPPING)) {
        for (uint32_t i = 0; i < d->nr_vcpus; i++) {
            ns += sched_run_ns(d->vcpu[i]);
        }
    }
    return ns / NS_PER_MS;
}

static void list_domain(struct console *out, const struct domain *d)
{
    char bytes[TEXT_MAX];
    struct fmt_buf text;

    fmt_init(&text, bytes, TEXT_MAX);
    fmt_str(&text, d->plan->name);
    pad(&text, 24u);
    fmt_add(&text, "%5u  %s", (uint32_t)domain_number(d), state_of(d));
    pad(&text, 41u);
    fmt_add(&text, "%5u%8U%10U%9u%8U%7u\n", d->nr_vcpus, d->plan->memory_bytes >> 20u, run_ms(d),
            d->nr_restarts, d->nr_faults, d->pool.nr_pages - d->pool.nr_free);
    say(out, bytes);
}

static void do_list(const struct asked *a)
{
    say(a->out, "name                       id  state     vCPUs     MiB    CPU ms restarts  faults  pages\n");
    for (uint32_t i = 0; i < domain_count; i++) {
        if (domain_number(domain_table[i]) != XEN_DOMID_INVALID) {
            list_domain(a->out, domain_table[i]);
        }
    }
}

static void do_pause(const struct asked *a)
{
    if (!build_pause(a->domain, true, false)) {
        say(a->out, "it does not run\n");
    }
}

static void do_resume(const struct asked *a)
{
    if (!build_pause(a->domain, false, false)) {
        say(a->out, "it is not paused\n");
    }
}

static void do_stop(const struct asked *a)
{
    if (build_order(a->domain, HAL_DOMAIN_OFF, "stopped by the operator") != HV_OK) {
        say(a->out, "it does not run\n");
    }
}

static void do_restart(const struct asked *a)
{
    if (build_order(a->domain, HAL_DOMAIN_RESET, "by the operator") != HV_OK) {
        say(a->out, "it cannot be built\n");
    }
}

static void do_log(const struct asked *a)
{
    struct sink s = { .out = a->out };

    log_dump(sink_put, &s);
    sink_end(&s);
}

static void do_console(const struct asked *a)
{
    struct sink s = { .out = a->out };

    console_replay(&a->domain->console, sink_put, &s);
    sink_end(&s);
}

static void list_fault(struct console *out, const struct domain_fault *fault)
{
    const uint64_t first = fault->first_ns / NS_PER_MS;
    const uint64_t last = fault->last_ns / NS_PER_MS;
    char bytes[TEXT_MAX];
    struct fmt_buf text;

    fmt_init(&text, bytes, TEXT_MAX);
    fmt_add(&text, "%7U.%03U%7U.%03U", first / MS_PER_S, first % MS_PER_S, last / MS_PER_S, last % MS_PER_S);
    if (fault->vcpu == DOMAIN_FAULT_DMA) {
        fmt_str(&text, "   DMA");
    } else {
        fmt_add(&text, "%6u", fault->vcpu);
    }
    fmt_add(&text, "%9u  %s at %X, syndrome %X\n", fault->count, fault->what, fault->address, fault->cause);
    say(out, bytes);
}

/* [impl->req~fault-log~1] */
static void do_faults(const struct asked *a)
{
    const uint32_t end = a->domain->nr_fault_kinds;

    say(a->out, "      first       last  vCPU    count  what\n");
    for (uint32_t i = (end > DOMAIN_FAULTS_KEPT) ? (end - DOMAIN_FAULTS_KEPT) : 0u; i < end; i++) {
        list_fault(a->out, &a->domain->fault[i % DOMAIN_FAULTS_KEPT]);
    }
}

/* By an interrupt, so that it happens in whatever that CPU is doing. */
static void do_panic(const struct asked *a)
{
    cpuid_t cpu = cpu_id();

    if (*a->argument != '\0') {
        cpu = 0;
        for (const char *c = a->argument; (*c >= '0') && (*c <= '9') && (cpu < HV_CPUS_MAX); c = &c[1]) {
            cpu = (cpu * 10u) + ((uint32_t)(uint8_t)*c - (uint32_t)'0');
        }
    }
    if ((cpu >= HV_CPUS_MAX) || ((percpu_online() & BIT64(cpu)) == 0u)) {
        say(a->out, "there is no such CPU\n");
    } else {
        percpu_ipi_send(cpu, PERCPU_IPI_PANIC);
    }
}

static void do_poweroff(const struct asked *a)
{
    hal_power_off();
    say(a->out, "the firmware cannot\n");
}

static void do_reboot(const struct asked *a)
{
    hal_power_reset();
    say(a->out, "the firmware cannot\n");
}

static void say_fact(void *ctx, const char *line)
{
    struct console *const out = ctx;

    say(out, "report: ");
    say(out, line);
    say(out, "\n");
}

static void do_report(const struct asked *a)
{
    build_report(say_fact, a->out);
}

static void do_help(const struct asked *a);

struct command {
    const char *name;
    bool takes_domain;
    void (*run)(const struct asked *a);
    const char *help;
};

static const struct command commands[] = {
    { "help", false, do_help, "this list" },
    { "list", false, do_list, "all domains" },
    { "pause", true, do_pause, "NAME  keeps a domain from running" },
    { "resume", true, do_resume, "NAME  lets it run again" },
    { "stop", true, do_stop, "NAME  powers a domain off" },
    { "restart", true, do_restart, "NAME  builds a domain again and starts it" },
    { "log", false, do_log, "what the hypervisor said since it was booted" },
    { "console", true, do_console, "NAME  what a domain wrote last" },
    { "faults", true, do_faults, "NAME  what it was refused and how it failed" },
    { "report", false, do_report, "who owns what, from the tables in force" },
    { "panic", false, do_panic, "[CPU]  breaks the hypervisor, to try what follows" },
    { "poweroff", false, do_poweroff, "powers the host off" },
    { "reboot", false, do_reboot, "resets the host" },
};

static void do_help(const struct asked *a)
{
    for (uint32_t i = 0; i < ARRAY_LEN(commands); i++) {
        char bytes[TEXT_MAX];
        struct fmt_buf text;

        fmt_init(&text, bytes, TEXT_MAX);
        fmt_str(&text, commands[i].name);
        pad(&text, 10u);
        fmt_add(&text, "%s\n", commands[i].help);
        say(a->out, bytes);
    }
    say(a->out, "Ctrl-a three times moves the input on\n");
}

/* Takes the first word off a line. Empty if there is none. */
static char *word_take(char **rest)
{
    char *word = *rest;

    while (*word == ' ') {
        word = &word[1];
    }
    char *end = word;

    while ((*end != ' ') && (*end != '\0')) {
        end = &end[1];
    }
    if (*end == ' ') {
        *end = '\0';
        end = &end[1];
    }
    *rest = end;
    return word;
}

void operator_command_run(struct console *out, char *line)
{
    char *rest = line;
    const char *const verb = word_take(&rest);
    const char *const name = word_take(&rest);
    const struct asked a = { out, (*name != '\0') ? domain_by_name(name) : NULL, name };
    uint32_t i = 0;

    while ((i < ARRAY_LEN(commands)) && (strcmp(commands[i].name, verb) != 0)) {
        i++;
    }
    if (*verb == '\0') {
        /* an empty line */
    } else if (i == ARRAY_LEN(commands)) {
        say(out, "no such command; help lists them\n");
    } else if (commands[i].takes_domain && (a.domain == NULL)) {
        say(out, "which domain? list names them\n");
    } else {
        commands[i].run(&a);
    }
}
