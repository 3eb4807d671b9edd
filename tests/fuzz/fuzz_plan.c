/* Device trees to plans with the rules of the arm64 port: index, host, domains. An agreed plan must be sound,
 * a refused one must have said why, twice the same. [test->req~input-never-panics~1] */
#include "fuzz.h"
#include "plan_check.h"

#include <string.h>

static struct dt_room room;
static struct dt_index ix = DT_INDEX(room, DT_DEPTH_MAX);
static struct plan plan;
static uint32_t nr_sentences;

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    nr_sentences++;
    sentence_check(sentence);
}

static uint32_t make(const uint8_t *blob, size_t bytes, const struct config_env *env)
{
    struct config_report report = { say, NULL, NULL, 0u, NULL, NULL };
    enum hv_status status = config_index_make(&ix, blob, bytes, &report);

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
    static const struct config_env plain = { { 0x60000000u }, 0x100000u, { 0x61000000u }, { 0u }, 0u };
    static const struct config_env payload = {
        { 0x50000000u }, 0x100000u, { 0x50101000u }, { 0x50100000u }, 0x8000000u
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
