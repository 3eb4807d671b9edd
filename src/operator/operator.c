/* Line editing in the trap that brings the characters; the command itself is a work item, so a long answer
 * keeps no guest waiting. */
/* [impl->req~operator~1] */
#include "operator/operator.h"

#include "hal/sync.h"
#include "lib/string.h"
#include "operator/operator_command.h"
#include "sched/work.h"

#define OPERATOR_LINE_MAX 80u
#define CHAR_BACKSPACE    0x08u
#define CHAR_DELETE       0x7Fu

static const char prompt[] = "bulkhead> ";

static struct console operator_console; /* filled when it starts: as data it would make the image larger */
static struct work operator_work;
static char line[OPERATOR_LINE_MAX]; /* the trap's while not busy, the work item's while busy */
static uint32_t line_len;
static bool after_return; /* of CR LF the LF is no line of its own */
static volatile uint32_t busy;

static void say(const char *text)
{
    console_write(&operator_console, text, (uint32_t)strlen(text));
}

static void line_run(struct work *work)
{
    (void)work;
    operator_command_run(&operator_console, line);
    line_len = 0u;
    hal_store_release32(&busy, 0u); /* before the prompt: who sees that may type */
    say(prompt);
}

static void line_edit(uint8_t c)
{
    if ((c == CHAR_BACKSPACE) || (c == CHAR_DELETE)) {
        if (line_len > 0u) {
            line_len--;
            say("\b \b");
        }
    } else if ((c >= 0x20u) && (line_len < (OPERATOR_LINE_MAX - 1u))) {
        const char echo = (char)c;

        line[line_len] = echo;
        line_len++;
        console_write(&operator_console, &echo, 1u);
    } else {
        /* no meaning here, or no room */
    }
}

/* The console hands over one character at a time. */
static void operator_receive(void *ctx, uint8_t c)
{
    const bool line_feed = (c == (uint8_t)'\n');
    const bool ends = (c == (uint8_t)'\r') || (line_feed && !after_return);

    (void)ctx;
    after_return = (c == (uint8_t)'\r');
    if (hal_load_acquire32(&busy) != 0u) {
        /* a command runs: what is typed meanwhile is lost */
    } else if (ends) {
        say("\n");
        line[line_len] = '\0';
        hal_store_release32(&busy, 1u);
        work_queue(&operator_work, WORK_ANY_CPU);
    } else if (!line_feed) {
        line_edit(c);
    } else {
        /* second half of CR LF */
    }
}

enum hv_status operator_start(void)
{
    operator_console.name = "operator";
    operator_console.rx = operator_receive;
    const enum hv_status status = console_register(&operator_console, true);

    if (status == HV_OK) {
        work_setup(&operator_work, line_run);
        say(prompt);
    }
    return status;
}
