/* The sentences about faults: `<path>: <property>: found <value>, expected <what>`. Private to config/ and
 * the ports' plan/ folders. */
#ifndef CONFIG_CONFIG_FAULT_H
#define CONFIG_CONFIG_FAULT_H

#include "config/config.h"

/* What was found is a property's value (NULL = nothing) or a text. */
void config_fault(struct config_report *report, uint32_t node, const char *prop, const struct dt_value *found,
                  const char *expected);
void config_fault_text(struct config_report *report, uint32_t node, const char *prop, const char *found,
                       const char *expected);
/* What was found and expected: "<found>, expected <expected>"; formats are those of lib/fmt.h. */
void config_fault_say(struct config_report *report, uint32_t node, const char *prop, const char *format, ...);
/* the whole sentence */
void config_fault_whole(struct config_report *report, const char *format, ...);
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
