/* The sentences about faults: `<path>: <property>: found <value>, expected <what>`. Private to config/ and
 * the ports' plan/ folders. */
#ifndef CONFIG_CONFIG_FAULT_H
#define CONFIG_CONFIG_FAULT_H

#include "config/config.h"
#include "config/dtindex.h"
#include "lib/fmt.h"

#define CONFIG_SENTENCE_MAX 384u

struct config_sentence {
    char bytes[CONFIG_SENTENCE_MAX];
    struct fmt_buf text;
};

/* -- In pieces -- */
void config_sentence_begin(struct config_sentence *s, const char *first);
/* begins with "<path>: <prop>: found " */
void config_sentence_node(struct config_sentence *s, const struct config_report *report, uint32_t node,
                          const char *prop);
/* ends with ", expected <expected>" and reports the sentence */
void config_sentence_end(struct config_sentence *s, struct config_report *report, const char *expected);

/* -- In one call: what was found is a property's value (NULL = nothing), a number or a text -- */
void config_fault(struct config_report *report, uint32_t node, const char *prop, const struct dt_value *found,
                  const char *expected);
void config_fault_u64(struct config_report *report, uint32_t node, const char *prop, uint64_t found,
                      const char *expected);
void config_fault_text(struct config_report *report, uint32_t node, const char *prop, const char *found,
                       const char *expected);
/* as config_fault, of the node's own property of that name, present or not */
void config_fault_prop(struct config_report *report, uint32_t node, const char *prop, const char *expected);
/* Not a fault: what is left out or done differently and why. "<path>: <prop>: <what>" */
void config_note(struct config_report *report, uint32_t node, const char *prop, const char *what);

/* Names in a tree may hold anything; a terminal is shown printable characters only. */
void config_make_printable(struct fmt_buf *text);

/* A value as a reader of device-tree source knows it: a decimal number, "text", <cells>, or a count of
 * bytes. */
void config_value_print(struct fmt_buf *out, const struct dt_value *v);

#endif
