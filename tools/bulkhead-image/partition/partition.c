/* --report: the facts made, proven and written to PREFIX.txt, PREFIX.json and PREFIX.html. */
#include "partition/facts.h"

#include <stdlib.h>
#include <string.h>

#define FAULTS_MAX 200u /* told at most; more tell nothing new */

static void fault_keep(void *ctx, const char *sentence)
{
    struct verdict *const v = ctx;

    fprintf(stderr, "%s\n", sentence);
    if (v->nr_faults < FAULTS_MAX) {
        v->fault[v->nr_faults] = strdup(sentence);
        v->nr_faults += (v->fault[v->nr_faults] != NULL) ? 1u : 0u;
    }
}

static bool one_write(const char *prefix, const char *end, const struct facts *f, const struct verdict *v,
                      void (*write)(FILE *to, const struct facts *f, const struct verdict *v))
{
    const size_t bytes = strlen(prefix) + strlen(end) + 1u;
    char *const path = memory_get(bytes);
    struct blob text = { NULL, 0 };
    char *data = NULL;
    size_t length = 0;
    FILE *const to = open_memstream(&data, &length);
    bool good = (to != NULL);

    if (good) {
        write(to, f, v);
        good = (fclose(to) == 0);
        text.data = (uint8_t *)data;
        text.bytes = length;
    }
    snprintf(path, bytes, "%s%s", prefix, end);
    good = good && file_write(path, &text);
    free(data);
    free(path);
    return good;
}

bool partition_report(const struct partition_job *job, const char *prefix)
{
    struct facts *const f = memory_get(sizeof(*f));
    struct verdict v = { memory_get(FAULTS_MAX * sizeof(char *)), 0u };
    bool proven;
    bool good;

    facts_make(f, job);
    proven = facts_prove(f, fault_keep, &v);
    good = one_write(prefix, ".txt", f, &v, facts_write_text) &&
           one_write(prefix, ".json", f, &v, facts_write_json) &&
           one_write(prefix, ".html", f, &v, facts_write_html);
    if (!proven) {
        fprintf(stderr, TOOL_NAME ": %s: the proof of partitioning fails\n", job->system);
    }
    for (uint32_t i = 0; i < v.nr_faults; i++) {
        free(v.fault[i]);
    }
    free(v.fault);
    free(f);
    return good && proven;
}
