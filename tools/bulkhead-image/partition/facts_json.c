/* The facts for programs; docs/partition-report.md is the schema. Addresses are strings, since JSON's numbers
 * do not hold 64 bits everywhere. */
#include "partition/facts.h"

#include <inttypes.h>

struct json {
    FILE *to;
    const struct facts *f;
    bool begun; /* the innermost array or object has a member */
};

static void text(struct json *j, const char *s)
{
    fputc('"', j->to);
    for (const char *c = s; *c != '\0'; c++) {
        const unsigned char u = (unsigned char)*c;

        if ((u < 0x20u) || (u > 0x7Eu)) {
            fprintf(j->to, "\\u%04x", u);
        } else {
            fprintf(j->to, ((u == '"') || (u == '\\')) ? "\\%c" : "%c", u);
        }
    }
    fputc('"', j->to);
}

static void next(struct json *j)
{
    fputs(j->begun ? "," : "", j->to);
    j->begun = true;
}

static void key(struct json *j, const char *name)
{
    next(j);
    text(j, name);
    fputc(':', j->to);
}

static void put_text(struct json *j, const char *name, const char *value)
{
    key(j, name);
    text(j, value);
}

static void put_number(struct json *j, const char *name, uint64_t value)
{
    key(j, name);
    fprintf(j->to, "%" PRIu64, value);
}

static void put_bool(struct json *j, const char *name, bool value)
{
    key(j, name);
    fputs(value ? "true" : "false", j->to);
}

static void put_range(struct json *j, uint64_t first, uint64_t last)
{
    key(j, "first");
    fprintf(j->to, "\"0x%" PRIx64 "\"", first);
    key(j, "last");
    fprintf(j->to, "\"0x%" PRIx64 "\"", last);
}

static void open_item(struct json *j)
{
    fputs(j->begun ? ",\n {" : "\n {", j->to);
    j->begun = false;
}

static void close_item(struct json *j)
{
    fputc('}', j->to);
    j->begun = true;
}

static void open_list(struct json *j, const char *name)
{
    fputs(",\n", j->to);
    text(j, name);
    fputs(":[", j->to);
    j->begun = false;
}

static void close_list(struct json *j)
{
    fputc(']', j->to);
    j->begun = true;
}

static const char *device_owner(const struct facts *f, struct owner owner)
{
    return (owner.kind == OWNER_FREE) ? "nobody" : owner_name(f, owner);
}

static void memory_write(struct json *j)
{
    const struct facts *const f = j->f;

    open_list(j, "banks");
    for (uint32_t i = 0; i < f->nr_banks; i++) {
        open_item(j);
        put_range(j, f->bank[i].base, f->bank[i].base + (f->bank[i].bytes - 1u));
        close_item(j);
    }
    close_list(j);
    open_list(j, "ram");
    for (uint32_t i = 0; i < f->nr_ram; i++) {
        open_item(j);
        put_range(j, f->ram[i].first, f->ram[i].last);
        put_text(j, "owner", owner_name(f, f->ram[i].owner));
        put_text(j, "detail", f->ram[i].detail);
        close_item(j);
    }
    close_list(j);
    open_list(j, "taken_at_boot");
    for (uint32_t i = 0; i < f->nr_unplaced; i++) {
        open_item(j);
        put_text(j, "owner", owner_name(f, f->unplaced[i].owner));
        put_number(j, "bytes", f->unplaced[i].bytes);
        close_item(j);
    }
    close_list(j);
}

static void guests_write(struct json *j)
{
    const struct facts *const f = j->f;

    open_list(j, "map");
    for (uint32_t i = 0; i < f->nr_maps; i++) {
        const struct fact_map *const m = &f->map[i];

        open_item(j);
        put_text(j, "domain", f->domain[m->domain].name);
        put_range(j, m->first, m->last);
        key(j, "to");
        fprintf(j->to, "\"0x%" PRIx64 "\"", m->to);
        put_text(j, "permissions", perm_name(m->perm));
        put_text(j, "type", (m->device && !m->cached) ? "device" : "normal");
        close_item(j);
    }
    close_list(j);
    open_list(j, "emulated");
    for (uint32_t i = 0; i < f->nr_emulated; i++) {
        open_item(j);
        put_text(j, "domain", f->domain[f->emulated[i].domain].name);
        put_range(j, f->emulated[i].first, f->emulated[i].last);
        put_text(j, "what", f->emulated[i].what);
        close_item(j);
    }
    close_list(j);
}

static void devices_write(struct json *j)
{
    const struct facts *const f = j->f;

    open_list(j, "device");
    for (uint32_t i = 0; i < f->nr_devices; i++) {
        open_item(j);
        put_range(j, f->device[i].first, f->device[i].last);
        put_text(j, "owner", device_owner(f, f->device[i].owner));
        put_text(j, "what", f->device[i].what);
        close_item(j);
    }
    close_list(j);
    open_list(j, "pci");
    for (uint32_t i = 0; i < f->nr_pci; i++) {
        open_item(j);
        put_text(j, "function", f->pci[i].function);
        put_text(j, "domain", f->domain[f->pci[i].domain].name);
        close_item(j);
    }
    close_list(j);
    open_list(j, "irq");
    for (uint32_t i = 0; i < f->nr_irqs; i++) {
        open_item(j);
        put_number(j, "irq", f->irq[i].irq);
        put_text(j, "owner", owner_name(f, f->irq[i].owner));
        if (f->irq[i].owner.kind == OWNER_DOMAIN) {
            put_number(j, "virq", f->irq[i].virq);
        }
        put_text(j, "trigger", f->irq[i].edge ? "edge" : "level");
        put_text(j, "what", f->irq[i].what);
        close_item(j);
    }
    close_list(j);
    open_list(j, "stream");
    for (uint32_t i = 0; i < f->nr_streams; i++) {
        open_item(j);
        put_number(j, "iommu", f->stream[i].iommu);
        put_number(j, "first", f->stream[i].first);
        put_number(j, "last", f->stream[i].last);
        put_text(j, "domain", f->domain[f->stream[i].domain].name);
        put_text(j, "what", f->stream[i].what);
        close_item(j);
    }
    close_list(j);
}

static void links_write(struct json *j)
{
    const struct facts *const f = j->f;

    open_list(j, "channel");
    for (uint32_t i = 0; i < f->nr_channels; i++) {
        open_item(j);
        put_text(j, "domain", f->domain[f->channel[i].domain[0]].name);
        put_number(j, "port", f->channel[i].port[0]);
        put_text(j, "peer_domain", f->domain[f->channel[i].domain[1]].name);
        put_number(j, "peer_port", f->channel[i].port[1]);
        close_item(j);
    }
    close_list(j);
    open_list(j, "shm");
    for (uint32_t i = 0; i < f->nr_shm; i++) {
        open_item(j);
        put_text(j, "id", f->shm[i].id);
        if (f->shm[i].placed) {
            put_range(j, f->shm[i].first, f->shm[i].last);
        }
        put_text(j, "owner", owner_name(f, f->shm[i].owner));
        key(j, "users");
        fputc('[', j->to);
        j->begun = false;
        for (uint32_t d = 0; d < f->nr_domains; d++) {
            if (((f->shm[i].user_domain >> d) & 1u) != 0u) {
                next(j);
                text(j, f->domain[d].name);
            }
        }
        close_list(j);
        close_item(j);
    }
    close_list(j);
}

static void domains_write(struct json *j)
{
    const struct facts *const f = j->f;
    char set[256];

    open_list(j, "domains");
    for (uint32_t i = 0; i < f->nr_domains; i++) {
        open_item(j);
        put_text(j, "name", f->domain[i].name);
        put_bool(j, "starts", f->domain[i].starts);
        put_bool(j, "fixed", f->domain[i].placed);
        put_number(j, "memory_bytes", f->domain[i].memory_bytes);
        close_item(j);
    }
    close_list(j);
    open_list(j, "vcpu");
    for (uint32_t i = 0; i < f->nr_vcpus; i++) {
        open_item(j);
        put_text(j, "domain", f->domain[f->vcpu[i].domain].name);
        put_number(j, "index", f->vcpu[i].index);
        put_text(j, "cpus", set_name(f->vcpu[i].cpus, set, sizeof(set)));
        put_number(j, "pool", f->vcpu[i].pool);
        close_item(j);
    }
    close_list(j);
}

static void pools_write(struct json *j)
{
    const struct facts *const f = j->f;
    char set[256];

    open_list(j, "pool");
    for (uint32_t i = 0; i < f->nr_pools; i++) {
        open_item(j);
        put_text(j, "cpus", set_name(f->pool[i].cpus, set, sizeof(set)));
        put_text(j, "scheduler", config_sched_name(f->pool[i].sched));
        put_number(j, "major_us", f->pool[i].major_us);
        put_bool(j, "admission", f->pool[i].admission);
        close_item(j);
    }
    close_list(j);
    open_list(j, "window");
    for (uint32_t i = 0; i < f->nr_windows; i++) {
        open_item(j);
        put_number(j, "cpu", f->window[i].cpu);
        put_number(j, "first_us", f->window[i].first_us);
        put_number(j, "end_us", f->window[i].end_us);
        put_text(j, "domain", f->domain[f->window[i].domain].name);
        put_number(j, "vcpu", f->window[i].vcpu);
        close_item(j);
    }
    close_list(j);
}

void facts_write_json(FILE *to, const struct facts *f, const struct verdict *v)
{
    struct json j = { to, f, false };

    fputc('{', to);
    put_number(&j, "format", 1u);
    put_text(&j, "system", f->system);
    put_text(&j, "board", f->board);
    put_bool(&j, "places_assumed", f->nominal);
    put_bool(&j, "fixed_before_power_on", f->nr_unplaced == 0u);
    put_number(&j, "cpus", f->nr_cpus);
    put_bool(&j, "cpus_shared_in_time", f->shared_cpus);
    put_bool(&j, "proven", v->nr_faults == 0u);
    open_list(&j, "faults");
    for (uint32_t i = 0; i < v->nr_faults; i++) {
        next(&j);
        text(&j, v->fault[i]);
    }
    close_list(&j);
    domains_write(&j);
    pools_write(&j);
    memory_write(&j);
    guests_write(&j);
    devices_write(&j);
    links_write(&j);
    fputs("}\n", to);
}
