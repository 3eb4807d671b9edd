/* bulkhead-image: checks a system against a board, and makes of both one file that any loader boots. */
#include "tool.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/payload.h"
#include "lib/bits.h"

#define TOOL_TEXT(word)     #word
#define TOOL_WORD(word)     TOOL_TEXT(word)
#define EXIT_USAGE          2
#define NOMINAL_LOAD_OFFSET MIB(2u)   /* from the start of memory */
#define NOMINAL_IMAGE_BYTES KIB(512u) /* of a hypervisor that is not given */

/* The parts of one run. */
struct job {
    struct options options;
    struct blob board;
    struct blob system;
    struct blob hypervisor;
    struct blob tree;
    struct contents contents;
    struct dt_room board_room;
    struct dt_room system_room;
    struct dt_room room;
    struct dt_index board_index;
    struct dt_index system_index;
    struct dt_index index; /* of the merged tree */
    struct plan plan;
    struct config_env env;
    struct config_report report;
    uint64_t own_bytes; /* of the hypervisor with .bss */
    struct plan_profile profile;
    void *trees[HV_DOMAINS_MAX]; /* of domains */
    uint32_t nr_trees;
};

static void usage(FILE *to)
{
    fprintf(
        to,
        "usage: " TOOL_NAME " --board BOARD --system SYSTEM --hypervisor BULKHEAD.BIN [-i DIR]...\n"
        "           [--digest crc32c|sha256|none] [--report PREFIX] [--load-address ADDRESS] -o FILE\n"
        "       " TOOL_NAME " --check --board BOARD --system SYSTEM [-i DIR]... [--hypervisor BULKHEAD.BIN]\n"
        "           [--report PREFIX] [--load-address ADDRESS]\n"
        "       " TOOL_NAME " --merge --board BOARD --system SYSTEM [-i DIR]... -o FILE\n"
        "\n"
        "Checks SYSTEM, which describes domains below /chosen, against BOARD, the host's device tree, and\n"
        "writes one file with the hypervisor, the device tree and all modules. Both trees are blobs, or\n"
        "sources named *.dts. A module's file is named in the source: data = /incbin/(\"FILE\");\n"
        "\n"
        "  -b, --board FILE       the host's device tree\n"
        "  -s, --system FILE      the domains\n"
        "  -x, --hypervisor FILE  bulkhead.bin\n"
        "  -i, --include DIR      where sources and modules are looked for; may be given again\n"
        "  -o, --output FILE      what to write\n"
        "  -d, --digest KIND      by which the hypervisor sees that a module has changed: crc32c (default),\n"
        "                         sha256 or none\n"
        "  -c, --check            report all faults and write nothing\n"
        "  -r, --report PREFIX    also prove that no two domains overlap except through declared links, and\n"
        "                         write who owns what to PREFIX.txt, PREFIX.json and PREFIX.html\n"
        "  -l, --load-address A   where the loader puts the image; default: 2 MiB above memory's start;\n"
        "                         a static profile (make STATIC=1) runs there only\n"
        "  -p, --port NAME        without --hypervisor: arm64 (default), armv7a or armv8r\n"
        "  -m, --merge            write the merged tree alone: for modules that have `reg` and a loader of\n"
        "                         the user's own\n"
        "  -h, --help             this text\n"
        "\n"
        "Exit status: 0 good, or good in part if the system asks for a partial boot; 1 faults in the system\n"
        "or a file that cannot be used; 2 wrong usage.\n");
}

static int usage_fault(const char *what)
{
    fprintf(stderr, TOOL_NAME ": %s\nTry '" TOOL_NAME " --help'.\n", what);
    return EXIT_USAGE;
}

static bool digest_named(const char *word, enum plan_digest *out)
{
    static const char *const names[] = { "none", "crc32c", "sha256" }; /* as enum plan_digest has them */
    uint32_t i = 0;

    while ((i < ARRAY_LEN(names)) && (strcmp(word, names[i]) != 0)) {
        i++;
    }
    *out = (enum plan_digest)i;
    return i < ARRAY_LEN(names);
}

static bool address_read(const char *word, uint64_t *out)
{
    char *end = NULL;

    errno = 0;
    *out = strtoull(word, &end, 0);
    return (errno == 0) && (end != word) && (*end == '\0') && (*out != 0u) &&
           ((*out % NOMINAL_LOAD_OFFSET) == 0u);
}

/* Options whose value may be wrong: how, or NULL. */
static const char *value_take(struct options *o, int option, const char *word)
{
    const char *fault = NULL;

    if (option == 'd') {
        fault = digest_named(word, &o->digest) ? NULL : "--digest is crc32c, sha256 or none";
    } else if (option == 'l') {
        fault = address_read(word, &o->load_address) ? NULL : "--load-address is a multiple of 2 MiB";
    } else if (o->nr_include_dirs < INCLUDE_DIRS_MAX) {
        o->include_dir[o->nr_include_dirs] = word;
        o->nr_include_dirs++;
    } else {
        fault = "too many -i";
    }
    return fault;
}

/* 0 to go on, or else the exit status plus 1. */
static int options_read(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        { "board", required_argument, NULL, 'b' },
        { "system", required_argument, NULL, 's' },
        { "hypervisor", required_argument, NULL, 'x' },
        { "include", required_argument, NULL, 'i' },
        { "output", required_argument, NULL, 'o' },
        { "digest", required_argument, NULL, 'd' },
        { "report", required_argument, NULL, 'r' },
        { "load-address", required_argument, NULL, 'l' },
        { "port", required_argument, NULL, 'p' },
        { "check", no_argument, NULL, 'c' },
        { "merge", no_argument, NULL, 'm' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    const char *fault = NULL;
    int c = getopt_long(argc, argv, "b:s:x:i:o:d:r:l:p:cmh", known, NULL);

    for (; c != -1; c = getopt_long(argc, argv, "b:s:x:i:o:d:r:l:p:cmh", known, NULL)) {
        switch (c) {
        case 'b':
            o->board = optarg;
            break;
        case 's':
            o->system = optarg;
            break;
        case 'x':
            o->hypervisor = optarg;
            break;
        case 'i':
        case 'd':
        case 'l':
            fault = value_take(o, c, optarg);
            if (fault != NULL) {
                return usage_fault(fault) + 1;
            }
            break;
        case 'o':
            o->output = optarg;
            break;
        case 'r':
            o->report = optarg;
            break;
        case 'p':
            o->port = optarg;
            break;
        case 'c':
            o->check = true;
            break;
        case 'm':
            o->merge = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS + 1;
        default:
            return usage_fault("wrong usage") + 1;
        }
    }
    return 0;
}

static const char *merge_fault(const struct options *o)
{
    const char *fault = NULL;

    if (o->hypervisor != NULL) {
        fault = "--merge takes no --hypervisor";
    } else if (o->report != NULL) {
        fault = "--merge knows no places: no --report";
    } else {
        fault = (o->output == NULL) ? "-o FILE is needed" : NULL;
    }
    return fault;
}

static const char *options_fault(const struct options *o, bool more_words)
{
    const char *fault = NULL;

    if (more_words) {
        fault = "unexpected argument";
    } else if ((o->board == NULL) || (o->system == NULL)) {
        fault = "--board and --system are needed";
    } else if (o->check && (o->merge || (o->output != NULL))) {
        fault = "--check writes nothing: no --merge, no -o";
    } else if (o->merge) {
        fault = merge_fault(o);
    } else if (!o->check && (o->output == NULL)) {
        fault = "-o FILE is needed";
    } else if (!o->check && (o->hypervisor == NULL)) {
        fault = "--hypervisor is needed";
    } else {
        fault = NULL;
    }
    return fault;
}

static void fault_print(void *ctx, const char *sentence)
{
    (void)ctx;
    fprintf(stderr, "%s\n", sentence);
}

static void note_print(void *ctx, const char *sentence)
{
    (void)ctx;
    fprintf(stderr, "note: %s\n", sentence);
}

static void fault_drop(void *ctx, const char *sentence)
{
    (void)ctx;
    (void)sentence;
}

/* Reads a tree and indexes it. */
static bool tree_load(struct job *j, const char *path, struct blob *blob, struct dt_index *index)
{
    bool good = tree_read(path, &j->options, blob);

    if (good && (config_index_make(index, blob->data, blob->bytes, &j->report) != HV_OK)) {
        fprintf(stderr, TOOL_NAME ": %s: not a usable device tree\n", path);
        good = false;
    }
    return good;
}

static bool is_static(const struct job *j)
{
    return j->profile.magic != 0u;
}

/* A packed plan's strings are the tree's, and paths of devices. */
static uint64_t plan_room(const struct job *j)
{
    const uint64_t paths = (PLAN_WINDOWS_MAX + PLAN_LINES_MAX + PLAN_STREAMS_MAX) * PLAN_PATH_MAX;

    return bits_align_up(sizeof(struct plan_file) + sizeof(struct plan) + j->tree.bytes + paths,
                         PAYLOAD_ALIGN);
}

/* Merges the trees; where modules go depends on the tree's size, which does not depend on where they go. */
static bool tree_build(struct job *j)
{
    const struct contents *const contents = j->options.merge ? NULL : &j->contents;
    bool good;

    contents_collect(&j->system_index, j->options.digest, &j->contents);
    good = trees_merge(&j->board_index, &j->system_index, contents, &j->report, &j->tree);
    if (good && (contents != NULL)) {
        const uint64_t before = PAYLOAD_ALIGN + (is_static(j) ? 0u : j->tree.bytes);

        contents_place(&j->contents, bits_align_up(before, PAYLOAD_ALIGN), j->own_bytes);
        free(j->tree.data);
        good = trees_merge(&j->board_index, &j->system_index, contents, &j->report, &j->tree);
    }
    return good && (config_index_make(&j->index, j->tree.data, j->tree.bytes, &j->report) == HV_OK);
}

/* 2 MiB above the start of memory, of the first bank that has the room. */
static hpa_t nominal_place(const struct plan *plan, uint64_t bytes)
{
    uint64_t base = 0;
    uint64_t end = 0;

    for (uint32_t i = 0; (i < plan->nr_ram) && ((end < base) || ((end - base) <= bytes)); i++) {
        base = bits_align_up(plan->ram[i].base, NOMINAL_LOAD_OFFSET) + NOMINAL_LOAD_OFFSET;
        end = plan->ram[i].base + plan->ram[i].bytes;
    }
    return hpa(base);
}

/* Where the image is linked, else where the user says that it is loaded, else the nominal place. */
static void env_make(struct job *j)
{
    struct config_report silent = { .fault = fault_drop };

    /* Only for where memory starts; the caller asks again and reports. */
    const enum hv_status first = config_plan_make(&j->index, &j->env, &j->plan, &silent);

    (void)first;
    j->env.image_base = nominal_place(&j->plan, j->own_bytes);
    if (j->options.load_address != 0u) {
        j->env.image_base = hpa(j->options.load_address);
    }
    if ((j->hypervisor.data != NULL) && (hypervisor_place(&j->hypervisor) != 0u)) {
        j->env.image_base = hpa(hypervisor_place(&j->hypervisor));
    }
    j->env.image_bytes = j->own_bytes;
    j->env.tree_base = hpa(j->env.image_base.v + j->own_bytes);
    if (!j->options.merge) {
        j->env.payload_base = hpa(j->env.image_base.v + j->own_bytes);
        j->env.payload_bytes = j->contents.end + (is_static(j) ? plan_room(j) : 0u);
        j->env.image_bytes += j->env.payload_bytes;
        j->env.tree_base = hpa(j->env.payload_base.v + (is_static(j) ? j->contents.end : PAYLOAD_ALIGN));
    }
}

/* The module's bytes; NULL if they are not at hand, as with `reg`. */
static const struct content *content_of(const struct job *j, const struct plan_module *module)
{
    const struct content *found = NULL;

    for (uint32_t c = 0; (c < j->contents.nr_items) && !j->options.merge; c++) {
        const struct content *const item = &j->contents.item[c];

        if ((module->bytes == item->bytes) && (module->base.v == (j->env.payload_base.v + item->offset))) {
            found = item;
        }
    }
    return found;
}

/* libfdt wants a tree at a multiple of 8. Freed with the job. */
static const void *module_bytes(void *ctx, const struct plan_module *module)
{
    struct job *const j = ctx;
    const struct content *const item = content_of(j, module);

    if ((item != NULL) && (j->nr_trees < HV_DOMAINS_MAX)) {
        j->trees[j->nr_trees] = memory_get(item->bytes);
        memcpy(j->trees[j->nr_trees], item->data, item->bytes);
        j->nr_trees++;
        return j->trees[j->nr_trees - 1u];
    }
    return NULL;
}

static void module_check(struct job *j, const struct plan_domain *d, const struct plan_module *module)
{
    const struct content *const item = content_of(j, module);
    struct kimage image;

    if (item == NULL) {
        return;
    }
    if (module->digest != PLAN_DIGEST_NONE) {
        digest_check(&j->report, module, item->data);
    }
    if (module != &d->kernel) {
        /* anything will do */
    } else if (kimage_parse_kernel(d, item->data, &image) != HV_OK) {
        kimage_fault(&j->report, d, &image);
    } else if ((image.kind == KIMAGE_GZIP) && is_static(j)) {
        image.found = "a gzip";
        image.expected = "one that is not compressed, for the static profile";
        kimage_fault(&j->report, d, &image);
    } else {
        (void)kimage_fits(&j->report, &j->plan, d, &image);
    }
}

/* Modules that are at hand, one after the other. False if no domain is left that could start. */
static bool modules_check(struct job *j)
{
    uint32_t nr_sound = 0;

    for (uint32_t i = 0; i < j->plan.nr_domains; i++) {
        struct plan_domain *const d = &j->plan.domain[i];
        const uint32_t before = j->report.nr_faults;

        module_check(j, d, &d->kernel);
        module_check(j, d, &d->ramdisk);
        module_check(j, d, &d->partial);
        d->unsound = d->unsound || (j->report.nr_faults > before);
        nr_sound += d->unsound ? 0u : 1u;
    }
    return nr_sound > 0u;
}

/* Whether something can be started: everything, or with a partial boot the sound domains. */
static bool system_check(struct job *j)
{
    struct options *const o = &j->options;
    bool good = tree_load(j, o->board, &j->board, &j->board_index) &&
                tree_load(j, o->system, &j->system, &j->system_index) && tree_build(j);

    if (good) {
        env_make(j);
        j->env.module_bytes = module_bytes;
        j->env.ctx = j;
        good = config_plan_make(&j->index, &j->env, &j->plan, &j->report) == HV_OK;
        good = modules_check(j) && good;
    }
    if (good && is_static(j)) {
        profile_check(&j->profile, &j->plan, &j->report);
        good = j->report.nr_faults == 0u;
    }
    if (j->report.nr_faults > 0u) {
        fprintf(stderr, TOOL_NAME ": %s: %" PRIu32 " fault%s\n", o->system, j->report.nr_faults,
                (j->report.nr_faults == 1u) ? "" : "s");
        good = good && j->plan.partial_boot;
    }
    return good;
}

static bool report(const struct job *j)
{
    const struct options *const o = &j->options;
    struct blob plan = { NULL, 0 };
    bool good = true;
    struct partition_job job = { .system = o->system,
                                 .board = o->board,
                                 .plan = &j->plan,
                                 .env = &j->env,
                                 .index = &j->index,
                                 .own_bytes = j->own_bytes,
                                 .tree_bytes = j->tree.bytes,
                                 .nominal = (o->hypervisor == NULL) };

    if (o->report != NULL) {
        if (is_static(j)) {
            plan_pack(&j->plan, j->env.image_base, plan_room(j), &plan);
            job.tree_bytes = plan.bytes;
            free(plan.data);
        }
        good = partition_report(&job, o->report);
    }
    return good;
}

static bool image_write(const struct job *j)
{
    struct blob plan = { NULL, 0 };
    struct blob image = { NULL, 0 };
    bool good = true;

    if (is_static(j)) {
        plan_pack(&j->plan, j->env.image_base, plan_room(j), &plan);
        good = plan.bytes > 0u;
    }
    if (good) {
        image_pack(&j->hypervisor, j->own_bytes, is_static(j) ? &plan : &j->tree,
                   is_static(j) ? j->contents.end : PAYLOAD_ALIGN, &j->contents, &image);
        good = file_write(j->options.output, &image);
    } else {
        fprintf(stderr, TOOL_NAME ": %s: its plan is too large\n", j->options.system);
    }
    free(plan.data);
    free(image.data);
    return good;
}

static bool run(struct job *j, char **argv)
{
    struct options *const o = &j->options;
    const char *port = o->port;
    bool good = (o->hypervisor == NULL) || file_read(o->hypervisor, &j->hypervisor);

    j->own_bytes = NOMINAL_IMAGE_BYTES;
    if (good && (o->hypervisor != NULL)) {
        port = hypervisor_port(&j->hypervisor);
    }
    if (good && (port != NULL) && (strcmp(port, TOOL_WORD(TOOL_PORT)) != 0)) {
        tool_become(port, argv);
        good = false;
    }
    if (good && (o->hypervisor != NULL)) {
        j->own_bytes = hypervisor_bytes(o->hypervisor, &j->hypervisor);
        good = (j->own_bytes > 0u) && profile_find(o->hypervisor, &j->hypervisor, &j->profile);
    }
    good = good && system_check(j) && report(j);
    if (!good) {
        /* the messages are out */
    } else if (o->check) {
        plan_print(o, &j->plan);
    } else if (o->merge) {
        good = file_write(o->output, &j->tree);
    } else {
        good = image_write(j);
    }
    return good;
}

int main(int argc, char **argv)
{
    struct job *const j = memory_get(sizeof(*j));
    int status;

    j->board_index = (struct dt_index)DT_INDEX(j->board_room, DT_DEPTH_MAX);
    j->system_index = (struct dt_index)DT_INDEX(j->system_room, DT_DEPTH_MAX);
    j->index = (struct dt_index)DT_INDEX(j->room, DT_DEPTH_MAX);
    j->options.digest = PLAN_DIGEST_CRC32C;
    status = options_read(argc, argv, &j->options);

    if (status == 0) {
        const char *const fault = options_fault(&j->options, optind < argc);

        j->report.fault = fault_print;
        j->report.note = note_print;
        if (fault != NULL) {
            status = usage_fault(fault);
        } else {
            status = run(j, argv) ? EXIT_SUCCESS : EXIT_FAILURE;
        }
    } else {
        status--;
    }
    for (uint32_t i = 0; i < j->nr_trees; i++) {
        free(j->trees[i]);
    }
    free(j->board.data);
    free(j->system.data);
    free(j->hypervisor.data);
    free(j->tree.data);
    free(j);
    return status;
}
