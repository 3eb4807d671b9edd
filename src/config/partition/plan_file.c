/* [impl->req~static-profile~1] */
#include "config/partition/plan_file.h"

#include "lib/string.h"

#define PLAN_AT ((uint64_t)sizeof(struct plan_file))

/* What goes over the strings: in a file each is the offset of its first byte, 0 for NULL. */
struct walk {
    const uint8_t *file; /* reading */
    uint8_t *out;        /* writing, with `room` */
    uint64_t bytes;      /* of the file; so far, when writing */
    uint64_t room;
    bool good;
};

static void string_write(struct walk *w, const char **string)
{
    const uint64_t at = w->bytes;
    void *const field = string;
    uint64_t offset = 0;

    if (*string != NULL) {
        const uint64_t length = (uint64_t)strlen(*string) + 1u;

        w->good = w->good && (length <= (w->room - at));
        if (w->good) {
            const void *const text = *string;

            (void)memcpy(&w->out[at], text, (size_t)length);
            offset = at;
            w->bytes += length;
        }
    }
    (void)memcpy(field, &offset, sizeof(*string));
}

/* The file's last byte is 0, so that what begins in it also ends there. */
static void string_read(struct walk *w, const char **string)
{
    const void *const field = string;
    uint64_t offset = 0;

    (void)memcpy(&offset, field, sizeof(*string)); /* the low bytes are the first */
    *string = NULL;
    if (offset != 0u) {
        w->good = w->good && (offset < w->bytes);
        if (w->good) {
            const void *const text = &w->file[offset];

            *string = text;
        }
    }
}

/* Every pointer in a plan is one of these, or a domain's partial_tree. */
static void strings_walk(struct plan *plan, struct walk *w,
                         void (*visit)(struct walk *w, const char **string))
{
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        struct plan_domain *const d = &plan->domain[i];

        visit(w, &d->kernel.name);
        visit(w, &d->ramdisk.name);
        visit(w, &d->partial.name);
        visit(w, &d->bootargs);
    }
    for (uint32_t i = 0; i < plan_windows(plan); i++) {
        visit(w, &plan->window[i].path);
    }
    for (uint32_t i = 0; i < plan_lines(plan); i++) {
        visit(w, &plan->line[i].path);
    }
    for (uint32_t i = 0; i < plan_streams(plan); i++) {
        visit(w, &plan->stream[i].path);
    }
    for (uint32_t i = 0; i < plan->nr_pci; i++) {
        visit(w, &plan->pci[i].name);
    }
    for (uint32_t i = 0; i < plan->nr_pv; i++) {
        visit(w, &plan->pv[i].text);
    }
}

/* Modules' own bytes are mapped by who uses them. */
static void trees_forget(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->nr_domains; i++) {
        plan->domain[i].partial_tree = NULL;
    }
}

static uint64_t plan_bytes(uint32_t nr_domains)
{
    return (uint64_t)offsetof(struct plan, domain) + ((uint64_t)nr_domains * sizeof(struct plan_domain));
}

uint64_t plan_file_write(const struct plan *plan, hpa_t image_base, uint8_t *out, uint64_t room)
{
    const void *const from = plan;
    const uint64_t size = plan_bytes(plan->nr_domains);
    struct walk w = { NULL, out, PLAN_AT + size, room, true };
    struct plan_file header = { PLAN_FILE_MAGIC, PLAN_LAYOUT, 0u, 0u, image_base.v };
    const void *const head = &header;

    if (room < w.bytes) {
        return 0u;
    }
    void *const body = &out[PLAN_AT];

    (void)memcpy(body, from, (size_t)size);
    trees_forget(body);
    strings_walk(body, &w, string_write);
    header.bytes = w.bytes;
    (void)memcpy(out, head, sizeof(header));
    return w.good ? w.bytes : 0u;
}

static bool fit(uint32_t nr, uint32_t nr_offered, uint32_t most)
{
    return (nr <= most) && (nr_offered <= (most - nr));
}

/* Counts bound every later walk. */
static bool counts_good(const struct plan *plan)
{
    return (plan->nr_pools > 0u) && (plan->nr_pools <= PLAN_POOLS_MAX) &&
           (plan->nr_minors <= PLAN_MINORS_MAX) &&
           fit(plan->nr_windows, plan->nr_offered_windows, PLAN_WINDOWS_MAX) &&
           fit(plan->nr_lines, plan->nr_offered_lines, PLAN_LINES_MAX) &&
           fit(plan->nr_streams, plan->nr_offered_streams, PLAN_STREAMS_MAX) &&
           (plan->nr_offers <= PLAN_OFFERS_MAX) && (plan->nr_pci <= PLAN_PCI_MAX) &&
           (plan->nr_pv <= PLAN_PV_MAX) && (plan->nr_domains > 0u) && (plan->nr_domains <= HV_DOMAINS_MAX) &&
           (plan->spares.nr <= (HV_DOMAINS_MAX - plan->nr_domains));
}

enum hv_status plan_file_read(const uint8_t *file, uint64_t bytes, struct plan_file *header,
                              struct plan *plan)
{
    struct walk w = { file, NULL, 0u, 0u, false };
    enum hv_status status = HV_CORRUPT;
    void *const head = header;
    void *const body = plan;

    (void)memset(plan, 0, sizeof(*plan));
    (void)memset(header, 0, sizeof(*header));
    if (bytes >= PLAN_AT) {
        (void)memcpy(head, file, PLAN_AT);
    }
    if (header->magic != PLAN_FILE_MAGIC) {
        status = HV_NOT_FOUND;
    } else if ((header->layout == PLAN_LAYOUT) && (header->bytes <= bytes) &&
               (header->bytes > (PLAN_AT + plan_bytes(1u))) && (file[header->bytes - 1u] == 0u)) {
        (void)memcpy(body, &file[PLAN_AT], (size_t)plan_bytes(0u));
        w.bytes = header->bytes;
        w.good = counts_good(plan) && ((PLAN_AT + plan_bytes(plan->nr_domains)) < header->bytes);
    } else {
        /* another version's, or damaged */
    }
    if (w.good) {
        (void)memcpy(body, &file[PLAN_AT], (size_t)plan_bytes(plan->nr_domains));
        trees_forget(plan);
        strings_walk(plan, &w, string_read);
    }
    if (w.good) {
        status = HV_OK;
    } else {
        (void)memset(plan, 0, sizeof(*plan));
    }
    return status;
}
