/* [impl->req~all-faults-told~1] [impl->req~same-sentence~1] */
#include "config/config_fault.h"

#define CELLS_SHOWN 6u
#define CHARS_SHOWN 64u

void config_sentence_begin(struct config_sentence *s, const char *first)
{
    fmt_init(&s->text, s->bytes, CONFIG_SENTENCE_MAX);
    fmt_str(&s->text, first);
}

void config_sentence_node(struct config_sentence *s, const struct config_report *report, uint32_t node,
                          const char *prop)
{
    char path[PLAN_PATH_MAX];
    struct fmt_buf path_text;

    fmt_init(&path_text, path, PLAN_PATH_MAX);
    dt_path(report->index, node, &path_text);
    config_sentence_begin(s, (report->within != NULL) ? report->within : "");
    fmt_str(&s->text, (report->within != NULL) ? ":" : "");
    fmt_str(&s->text, path);
    fmt_str(&s->text, path_text.cut ? "...: " : ": ");
    fmt_strn(&s->text, prop, CHARS_SHOWN);
    fmt_str(&s->text, ": found ");
}

void config_make_printable(struct fmt_buf *text)
{
    for (uint32_t i = 0; i < text->len; i++) {
        if ((text->buf[i] < ' ') || (text->buf[i] > '~')) {
            text->buf[i] = '?';
        }
    }
}

void config_sentence_end(struct config_sentence *s, struct config_report *report, const char *expected)
{
    fmt_str(&s->text, ", expected ");
    fmt_str(&s->text, expected);
    config_make_printable(&s->text);
    report->nr_faults++;
    report->fault(report->ctx, s->bytes);
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
    struct config_sentence s;

    config_sentence_node(&s, report, node, prop);
    config_value_print(&s.text, found);
    config_sentence_end(&s, report, expected);
}

void config_fault_prop(struct config_report *report, uint32_t node, const char *prop, const char *expected)
{
    struct dt_value v = { NULL, 0u };

    config_fault(report, node, prop, dt_get(report->index, node, prop, &v) ? &v : NULL, expected);
}

void config_fault_u64(struct config_report *report, uint32_t node, const char *prop, uint64_t found,
                      const char *expected)
{
    struct config_sentence s;

    config_sentence_node(&s, report, node, prop);
    fmt_u64(&s.text, found);
    config_sentence_end(&s, report, expected);
}

void config_fault_text(struct config_report *report, uint32_t node, const char *prop, const char *found,
                       const char *expected)
{
    struct config_sentence s;

    config_sentence_node(&s, report, node, prop);
    fmt_str(&s.text, found);
    config_sentence_end(&s, report, expected);
}

void config_note(struct config_report *report, uint32_t node, const char *prop, const char *what)
{
    if (report->note != NULL) {
        struct config_sentence s;
        char path[PLAN_PATH_MAX];
        struct fmt_buf path_text;

        fmt_init(&path_text, path, PLAN_PATH_MAX);
        dt_path(report->index, node, &path_text);
        config_sentence_begin(&s, path);
        fmt_str(&s.text, ": ");
        fmt_str(&s.text, prop);
        fmt_str(&s.text, ": ");
        fmt_str(&s.text, what);
        config_make_printable(&s.text);
        report->note(report->ctx, s.bytes);
    }
}
