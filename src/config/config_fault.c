/* [impl->req~all-faults-told~1] [impl->req~same-sentence~1] */
#include "config/config_fault.h"

#define SENTENCE_MAX 384u
#define CELLS_SHOWN  6u
#define CHARS_SHOWN  64u

/* A sentence that is being written */
struct sentence {
    char bytes[SENTENCE_MAX];
    struct fmt_buf text;
};

void config_make_printable(struct fmt_buf *text)
{
    for (uint32_t i = 0; i < text->len; i++) {
        if ((text->buf[i] < ' ') || (text->buf[i] > '~')) {
            text->buf[i] = '?';
        }
    }
}

static void begin_with_path(struct sentence *s, const struct dt_index *ix, uint32_t node)
{
    char path[PLAN_PATH_MAX];
    struct fmt_buf text;

    fmt_init(&text, path, PLAN_PATH_MAX);
    dt_path(ix, node, &text);
    fmt_add(&s->text, "%s%s: ", path, text.cut ? "..." : "");
}

static void begin(struct sentence *s, const struct config_report *report, uint32_t node, const char *prop)
{
    fmt_init(&s->text, s->bytes, SENTENCE_MAX);
    if (report->within != NULL) {
        fmt_add(&s->text, "%s:", report->within);
    }
    begin_with_path(s, report->index, node);
    fmt_strn(&s->text, prop, CHARS_SHOWN);
    fmt_str(&s->text, ": found ");
}

static void end(struct sentence *s, struct config_report *report)
{
    config_make_printable(&s->text);
    report->nr_faults++;
    if (report->fault != NULL) {
        report->fault(report->ctx, s->bytes);
    }
}

/* Whether v is text: one string or several, none of them empty. */
static bool printable(const struct dt_value *v)
{
    bool good = (v->bytes > 1u) && (v->data[v->bytes - 1u] == 0u);
    bool inside = false; /* a string has begun */

    for (uint32_t i = 0; (i < v->bytes) && good; i++) {
        const uint8_t c = v->data[i];

        good = (c == 0u) ? inside : ((c >= 0x20u) && (c < 0x7Fu));
        inside = (c != 0u);
    }
    return good;
}

static void print_strings(struct fmt_buf *out, const struct dt_value *v)
{
    const void *const bytes = v->data;
    const char *const text = bytes;
    uint32_t i = 0;

    fmt_char(out, '"');
    for (; ((i + 1u) < v->bytes) && (i < CHARS_SHOWN); i++) {
        if (text[i] == '\0') {
            fmt_str(out, "\", \"");
        } else {
            fmt_char(out, text[i]);
        }
    }
    fmt_str(out, ((i + 1u) < v->bytes) ? "...\"" : "\"");
}

static void print_cells(struct fmt_buf *out, const struct dt_value *v)
{
    const uint32_t nr_cells = v->bytes / 4u;

    for (uint32_t i = 0; (i < nr_cells) && (i < CELLS_SHOWN); i++) {
        fmt_char(out, (i == 0u) ? '<' : ' ');
        fmt_hex(out, dt_cell(v, i));
    }
    fmt_str(out, (nr_cells > CELLS_SHOWN) ? " ...>" : ">");
}

void config_value_print(struct fmt_buf *out, const struct dt_value *v)
{
    if (v == NULL) {
        fmt_str(out, "nothing");
    } else if (v->bytes == 0u) {
        fmt_str(out, "an empty value");
    } else if (printable(v)) {
        print_strings(out, v);
    } else if (v->bytes == 4u) {
        fmt_u64(out, dt_cell(v, 0));
    } else if ((v->bytes % 4u) == 0u) {
        print_cells(out, v);
    } else {
        fmt_u64(out, v->bytes);
        fmt_str(out, (v->bytes == 1u) ? " byte" : " bytes");
    }
}

void config_fault(struct config_report *report, uint32_t node, const char *prop, const struct dt_value *found,
                  const char *expected)
{
    struct sentence s;

    begin(&s, report, node, prop);
    config_value_print(&s.text, found);
    fmt_add(&s.text, ", expected %s", expected);
    end(&s, report);
}

void config_fault_prop(struct config_report *report, uint32_t node, const char *prop, const char *expected)
{
    struct dt_value v = { NULL, 0u };

    config_fault(report, node, prop, dt_get(report->index, node, prop, &v) ? &v : NULL, expected);
}

void config_fault_text(struct config_report *report, uint32_t node, const char *prop, const char *found,
                       const char *expected)
{
    config_fault_say(report, node, prop, "%s, expected %s", found, expected);
}

void config_fault_say(struct config_report *report, uint32_t node, const char *prop, const char *format, ...)
{
    struct sentence s;
    va_list args; /* MISRA-DEV-1 */

    begin(&s, report, node, prop);
    va_start(args, format); /* MISRA-DEV-1 */
    fmt_args(&s.text, format, &args);
    va_end(args); /* MISRA-DEV-1 */
    end(&s, report);
}

void config_fault_whole(struct config_report *report, const char *format, ...)
{
    struct sentence s;
    va_list args; /* MISRA-DEV-1 */

    fmt_init(&s.text, s.bytes, SENTENCE_MAX);
    va_start(args, format); /* MISRA-DEV-1 */
    fmt_args(&s.text, format, &args);
    va_end(args); /* MISRA-DEV-1 */
    end(&s, report);
}

void config_note(struct config_report *report, uint32_t node, const char *prop, const char *what)
{
    if (report->note != NULL) {
        struct sentence s;

        fmt_init(&s.text, s.bytes, SENTENCE_MAX);
        begin_with_path(&s, report->index, node);
        fmt_add(&s.text, "%s: %s", prop, what);
        config_make_printable(&s.text);
        report->note(report->ctx, s.bytes);
    }
}
