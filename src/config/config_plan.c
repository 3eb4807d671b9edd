/* config_plan_make() and what its parts share. */
#include "config/config_maker.h"

#define TOKEN_BYTES 4u
#define PROP_TOKENS 12u

static bool starts_with(const char *text, const char *prefix)
{
    return dt_text_begins(text, prefix, (uint32_t)strlen(prefix));
}

bool config_ranges_meet(uint64_t base_a, uint64_t bytes_a, uint64_t base_b, uint64_t bytes_b)
{
    const bool a_first = base_a <= base_b;

    return a_first ? ((base_b - base_a) < bytes_a) : ((base_a - base_b) < bytes_b);
}

uint32_t config_ranges_met(const struct range *list, uint32_t nr, uint64_t base, uint64_t bytes)
{
    uint32_t met = 0;

    for (uint32_t i = 0; i < nr; i++) {
        met += config_ranges_meet(list[i].base, list[i].bytes, base, bytes) ? 1u : 0u;
    }
    return met;
}

bool config_option(struct config_maker *m, const char *option, char *out, uint32_t out_bytes)
{
    const char *text = "";
    const size_t option_len = strlen(option);
    bool found = false;
    bool at_word = true;

    (void)dt_get_string(m->ix, m->chosen, "xen,xen-bootargs", &text);
    for (uint32_t i = 0; (text[i] != '\0') && !found; i++) {
        if (at_word && starts_with(&text[i], option)) {
            struct fmt_buf value;

            found = true;
            fmt_init(&value, out, out_bytes);
            for (size_t c = (size_t)i + option_len; (text[c] != '\0') && (text[c] != ' '); c++) {
                fmt_char(&value, text[c]);
            }
        }
        at_word = (text[i] == ' ');
    }
    return found;
}

uint64_t config_node_room(const struct dt_index *ix, uint32_t node)
{
    const struct dt_node *const n = &ix->node[node];
    uint64_t bytes = (2u * TOKEN_BYTES) + bits_align_up(strlen(dt_name(ix, node)) + 1u, TOKEN_BYTES);

    for (uint32_t i = n->first_prop; i < ((uint32_t)n->first_prop + n->nr_props); i++) {
        bytes +=
            PROP_TOKENS + bits_align_up(ix->prop[i].bytes, TOKEN_BYTES) + strlen(dt_prop_name(ix, i)) + 1u;
    }
    return bytes;
}

void config_take_refuse(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    config_fault(t->m->report, t->node, rule->name, v, rule->expected);
}

bool config_number(struct config_target *t, const struct config_rule *rule, const struct dt_value *v,
                   uint32_t *out)
{
    const uint32_t number = (v->bytes == 4u) ? dt_cell(v, 0) : 0u;
    const bool good = (v->bytes == 4u) && (number >= rule->min) && (number <= rule->max);

    if (good) {
        *out = number;
    } else {
        config_take_refuse(t, rule, v);
    }
    return good;
}

static void put(const struct config_target *t, const struct config_rule *rule, uint32_t value)
{
    void *const domain = t->domain;
    void *const plan = t->m->plan;
    uint8_t *const into = (domain != NULL) ? domain : plan;
    const bool flag = value != 0u;
    const void *const as_flag = &flag;
    const void *const as_number = &value;

    if (rule->at != 0u) {
        (void)memcpy(&into[rule->at], rule->is_flag ? as_flag : as_number,
                     rule->is_flag ? sizeof(flag) : sizeof(value));
    }
}

void config_take_number(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    uint32_t number = 0;

    if (config_number(t, rule, v, &number)) {
        put(t, rule, number);
    }
}

void config_take_word(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    uint32_t which = 0;

    while ((rule->words[which] != NULL) && !(dt_is_string(v) && dt_strings_have(v, rule->words[which]))) {
        which++;
    }
    if (rule->words[which] != NULL) {
        put(t, rule, which);
    } else {
        config_take_refuse(t, rule, v);
    }
}

void config_take_flag(struct config_target *t, const struct config_rule *rule, const struct dt_value *v)
{
    if (v->bytes == 0u) {
        put(t, rule, 1u);
    } else {
        config_take_refuse(t, rule, v);
    }
}

void config_rules_apply(struct config_target *t, const struct config_rule *rules, uint32_t nr_rules)
{
    const struct dt_index *const ix = t->m->ix;
    const uint32_t first = ix->node[t->node].first_prop;
    const uint32_t end = first + ix->node[t->node].nr_props;

    for (uint32_t p = first; p < end; p++) {
        const char *const name = dt_prop_name(ix, p);
        const struct dt_value v = dt_prop_value(ix, p);
        const struct config_rule *rule = NULL;

        for (uint32_t r = 0; (r < nr_rules) && (rule == NULL); r++) {
            rule = (strcmp(rules[r].name, name) == 0) ? &rules[r] : NULL;
        }
        if ((rule != NULL) && (rule->take != NULL)) {
            rule->take(t, rule, &v);
        } else if ((rule == NULL) && (starts_with(name, "xen,") || starts_with(name, "bulkhead,"))) {
            config_fault(t->m->report, t->node, name, &v, "no property of this name here");
        } else {
            /* a standard property, or somebody else's */
        }
    }
}

enum hv_status config_plan_make(const struct dt_index *index, const struct config_env *env, struct plan *plan,
                                struct config_report *report)
{
    static struct config_maker m; /* too large for a stack; no two trees are read at a time */
    uint32_t allowed = report->nr_faults;
    uint32_t nr_sound = 0;

    (void)memset(plan, 0, sizeof(*plan));
    (void)memset(&m, 0, offsetof(struct config_maker, claim));
    m.ix = index;
    m.env = env;
    m.plan = plan;
    m.report = report;
    report->index = index;
    m.chosen = dt_find(index, "/chosen");
    config_host_make(&m);
    config_console_make(&m);
    config_chosen_check(&m);
    config_pools_make(&m);
    config_domains_make(&m);
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        nr_sound += plan->domain[i].unsound ? 0u : 1u;
    }
    if (plan->partial_boot && (nr_sound > 0u)) {
        allowed += m.nr_domain_faults;
    }
    return (report->nr_faults == allowed) ? HV_OK : HV_INVALID;
}
