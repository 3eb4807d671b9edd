#include "config/config_fault.h"

#define CELLS_SHOWN 6u
#define CHARS_SHOWN 48u

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
    config_sentence_begin(s, path);
    fmt_str(&s->text, path_text.cut ? "...: " : ": ");
    fmt_strn(&s->text, prop, CHARS_SHOWN);
    fmt_str(&s->text, ": found ");
}

void config_sentence_end(struct config_sentence *s, struct config_report *report, const char *expected)
{
    fmt_str(&s->text, ", expected ");
    fmt_str(&s->text, expected);
    report->nr_faults++;
    report->fault(report->ctx, s->bytes);
}

static bool printable(const struct dt_value *v)
{
    bool good = dt_is_string(v) && (v->bytes > 1u);

    for (uint32_t i = 0; good && ((i + 1u) < v->bytes); i++) {
        good = (v->data[i] >= 0x20u) && (v->data[i] < 0x7Fu);
    }
    return good;
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
        const void *const bytes = v->data;

        fmt_char(out, '"');
        fmt_strn(out, bytes, CHARS_SHOWN);
        fmt_str(out, ((v->bytes - 1u) > CHARS_SHOWN) ? "...\"" : "\"");
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
        report->note(report->ctx, s.bytes);
    }
}
