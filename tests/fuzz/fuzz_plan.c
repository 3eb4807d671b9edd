/* Device trees to plans with the rules of the arm64 port: index, host, domains. An agreed plan must be sound,
 * a refused one must have said why, twice the same. [test->req~input-never-panics~1] */
#include "fuzz.h"
#include "plan_check.h"

#include <string.h>

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static uint32_t nr_sentences;
static void *copies[HV_DOMAINS_MAX]; /* which the plan points into */
static uint32_t nr_copies;

struct input {
    const uint8_t *blob;
    size_t bytes;
};

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    nr_sentences++;
    sentence_check(sentence);
}

/* A partial tree is the input itself, or as much of it as the module has room for: one tree is the host's and
 * a domain's. [test->req~partial-tree~1] */
static const void *module_bytes(void *ctx, const struct plan_module *module)
{
    const struct input *const in = ctx;
    const size_t bytes = (module->bytes < in->bytes) ? (size_t)module->bytes : in->bytes;

    FUZZ_MUST((module->bytes <= 0x100000u) && (nr_copies < HV_DOMAINS_MAX));
    copies[nr_copies] = calloc(1u, module->bytes);
    (void)memcpy(copies[nr_copies], in->blob, bytes);
    nr_copies++;
    return copies[nr_copies - 1u];
}

static uint32_t make(const uint8_t *blob, size_t bytes, const struct config_env *where)
{
    const struct input input = { blob, bytes };
    struct config_env copy = *where;
    const struct config_env *const env = &copy;
    struct config_report report = { say, NULL, NULL, 0u, NULL, NULL };
    enum hv_status status = config_index_make(&ix, blob, bytes, &report);

    while (nr_copies > 0u) {
        nr_copies--;
        free(copies[nr_copies]);
    }
    copy.module_bytes = module_bytes;
    copy.ctx = (void *)(uintptr_t)&input;
    nr_sentences = 0u;
    if (status == HV_OK) {
        status = config_plan_make(&ix, env, &plan, &report);
    }
    FUZZ_MUST((status == HV_OK) || (report.nr_faults > 0u));
    if (status == HV_OK) { /* faults of domains alone are forgiven in a partial boot */
        FUZZ_MUST((report.nr_faults == 0u) || plan.partial_boot);
        plan_check(&plan, env);
    }
    return report.nr_faults;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct config_env plain = {
        { 0x60000000u }, 0x100000u, { 0x61000000u }, { 0u }, 0u, NULL, NULL
    };
    static const struct config_env payload = {
        { 0x50000000u }, 0x100000u, { 0x50101000u }, { 0x50100000u }, 0x8000000u, NULL, NULL
    };
    /* at the end of an allocation, so that what reads beyond is seen */
    uint8_t *const blob = malloc((bytes > 0u) ? bytes : 1u);

    (void)memcpy(blob, data, bytes);
    const uint32_t first = make(blob, bytes, &plain);
    FUZZ_MUST(make(blob, bytes, &plain) == first);
    (void)make(blob, bytes, &payload);
    free(blob);
    return 0;
}
