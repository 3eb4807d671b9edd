/* SMMUv3 (IHI 0070): each stream is refused or goes through stage 2 of its domain, by the very tables that
 * the CPUs walk; nothing ever bypasses it. */
/* [impl->req~dma-apart~1] [impl->req~dma-fault-log~1] */
#include "arch/arm/smmu.h"

#include "arm_port.h"
#include "base/log.h"
#include "base/spinlock.h"
#include "hal/cache.h"
#include "hal/cpu.h"
#include "hal/hypmap.h"
#include "hal/mmio.h"
#include "hal/sync.h"
#include "hal/upcall.h"
#include "lib/string.h"

#define SMMU_WAIT_POLLS 200000u /* far beyond what an SMMU needs */
#define SMMU_CMDQ_BITS  8u      /* a page each */
#define SMMU_EVTQ_BITS  7u

struct smmu {
    struct spinlock lock;   /* commands, entries */
    volatile uint8_t *regs; /* NULL: nothing can be attached here */
    const struct arm_smmu *plan;
    uint64_t *table; /* level 1, or the only one */
    uint64_t *cmdq;
    uint64_t *evtq;
    uint32_t cmdq_bits;
    uint32_t evtq_bits;
    uint32_t cmd_next; /* index and wrap bit */
    uint32_t event_next;
    uint32_t id_bits; /* stream ids of this many bits are resolved */
    uint32_t oas;
    uint32_t nr_lost; /* how often events were */
    uint32_t errors;  /* that were told */
    bool two_levels;
    bool is_coherent;
    volatile bool is_dead; /* it did not answer once */
};

bool smmu_sees_memory;
static struct smmu smmus[ARM_SMMUS_MAX];

static struct smmu *smmu_of(uint32_t iommu)
{
    return &smmus[hal_index(iommu, ARM_SMMUS_MAX)];
}

/* What was written at va is there for the SMMU. */
static void reveal(const struct smmu *s, const void *va, uint64_t bytes)
{
    if (!s->is_coherent) {
        hal_cache_clean(va, bytes);
    }
    hal_barrier_io();
}

static bool wait_for(const struct smmu *s, uint32_t reg, uint32_t mask, uint32_t want)
{
    uint32_t polls = 0;

    while (((hal_mmio_read32(&s->regs[reg]) & mask) != want) && (polls < SMMU_WAIT_POLLS)) {
        hal_cpu_relax();
        polls++;
    }
    return polls < SMMU_WAIT_POLLS;
}

/* A control register and the one that acknowledges it. */
static bool control(const struct smmu *s, uint32_t reg, uint32_t value)
{
    hal_mmio_write32(&s->regs[reg], value);
    return wait_for(s, reg + 4u, UINT32_MAX, value);
}

/* -- Commands: locked; the queue is empty before and after a handful of them -- */

static void command(struct smmu *s, uint64_t word0, uint64_t word1)
{
    const uint32_t at = s->cmd_next & (BIT32(s->cmdq_bits) - 1u);

    s->cmdq[at * SMMU_CMD_WORDS] = word0;
    s->cmdq[(at * SMMU_CMD_WORDS) + 1u] = word1;
    s->cmd_next = (s->cmd_next + 1u) & (BIT32(s->cmdq_bits + 1u) - 1u);
}

/* All commands take effect and all transactions from before are done (4.7.3). One that does not answer is
 * switched off, where it refuses everything, and is not believed any more. */
static bool finish(struct smmu *s)
{
    command(s, SMMU_CMD_SYNC, 0u);
    if (!s->is_dead) {
        reveal(s, s->cmdq, PAGE_BYTES);
        hal_mmio_write32(&s->regs[SMMU_CMDQ_PROD], s->cmd_next);
        if (!wait_for(s, SMMU_CMDQ_CONS, BIT32(s->cmdq_bits + 1u) - 1u, s->cmd_next)) {
            s->is_dead = true;
            hal_mmio_write32(&s->regs[SMMU_CR0], 0u);
            log_line("smmu at %X: does not answer, it is switched off", s->plan->base);
        }
    }
    return !s->is_dead;
}

static bool forget_entries(struct smmu *s)
{
    command(s, SMMU_CMD_CFGI_ALL, SMMU_CFGI_ALL_SPAN);
    return finish(s);
}

void smmu_flush(uint32_t bits, uint16_t map_id)
{
    for (uint32_t i = 0; i < ARM_SMMUS_MAX; i++) {
        if ((bits & BIT32(i)) != 0u) {
            struct smmu *const s = &smmus[i];
            const uint64_t flags = spin_lock(&s->lock);

            command(s, SMMU_CMD_S12_VMALL | ((uint64_t)map_id << 32u), 0u);
            (void)finish(s); /* one that does not answer is off now */
            spin_unlock(&s->lock, flags);
        }
    }
}

/* -- Stream tables -- */

/* The table that has the entry of a stream; NULL: there is none. */
static uint64_t *table_of(const struct smmu *s, uint32_t stream)
{
    uint64_t *table = NULL;

    if ((s->regs != NULL) && ((stream >> s->id_bits) == 0u)) {
        table = s->table;
        if (s->two_levels) {
            const uint64_t level1 = s->table[stream >> SMMU_TABLE_BITS];

            table = (level1 != 0u) ? arm_heap_at(level1 & SMMU_LEVEL1_TABLE) : NULL;
        }
    }
    return table;
}

static uint64_t *entry_of(uint64_t *table, uint32_t stream)
{
    return &table[(stream % SMMU_TABLE_STREAMS) * SMMU_STE_WORDS];
}

/* From a stream to the first one of the next table, or to `end`. */
static uint32_t table_end(uint32_t stream, uint32_t end)
{
    return (uint32_t)bits_min(end, bits_align_up((uint64_t)stream + 1u, SMMU_TABLE_STREAMS));
}

static bool has_streams(const struct smmu *s, uint32_t first, uint32_t nr)
{
    const uint64_t limit = (s->regs != NULL) ? BIT64(s->id_bits) : 0u;

    return (nr <= limit) && (first <= (limit - nr));
}

/* Tables that one run has whole are one table: its streams are all alike. */
enum hv_status hal_iommu_reserve(uint32_t iommu, uint32_t first, uint32_t nr)
{
    struct smmu *const s = smmu_of(iommu);
    uint64_t *shared = NULL;
    enum hv_status status = has_streams(s, first, nr) ? HV_OK : HV_NOT_SUPPORTED;
    uint32_t at = first;

    while ((status == HV_OK) && (at < (first + nr))) {
        const uint32_t next = table_end(at, first + nr);

        if (table_of(s, at) == NULL) {
            const bool is_whole = (next - at) == SMMU_TABLE_STREAMS;
            uint64_t *const table = (is_whole && (shared != NULL)) ? shared : upcall_heap_pages(1u);

            if (table != NULL) {
                shared = is_whole ? table : shared;
                reveal(s, table, PAGE_BYTES);
                s->table[at >> SMMU_TABLE_BITS] = smmu_level1(hal_hypmap_hpa(table).v);
                reveal(s, &s->table[at >> SMMU_TABLE_BITS], SMMU_LEVEL1_BYTES);
            } else {
                status = HV_NO_MEMORY;
            }
        }
        at = next;
    }
    return status;
}

/* One word of the entries of a run. A table in a row with itself is written once: it is shared. */
static void entries_set(struct smmu *s, uint32_t first, uint32_t nr, uint32_t word, uint64_t value)
{
    const uint64_t *before = NULL;
    uint32_t at = first;

    while (at < (first + nr)) {
        const uint32_t next = table_end(at, first + nr);
        uint64_t *const table = table_of(s, at);

        if ((table != NULL) && ((table != before) || ((next - at) != SMMU_TABLE_STREAMS))) {
            for (uint32_t stream = at; stream < next; stream++) {
                entry_of(table, stream)[word] = value;
            }
            reveal(s, table, PAGE_BYTES);
        }
        before = ((next - at) == SMMU_TABLE_STREAMS) ? table : NULL;
        at = next;
    }
}

static bool all_reserved(const struct smmu *s, uint32_t first, uint32_t nr)
{
    bool good = has_streams(s, first, nr);

    for (uint32_t at = first; good && (at < (first + nr)); at = table_end(at, first + nr)) {
        good = table_of(s, at) != NULL;
    }
    return good;
}

/* An entry is read in any order: what it says is there for all before it is valid (3.21.3.1). */
enum hv_status hal_iommu_attach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    const struct smmu_stage2 to = arm_stage2_of(map);
    struct smmu *const s = smmu_of(iommu);
    enum hv_status status = HV_BUSY;

    if (!all_reserved(s, first, nr) || !smmu_can_walk(&to, s->oas)) {
        return HV_NOT_SUPPORTED;
    }
    const uint64_t flags = spin_lock(&s->lock);

    entries_set(s, first, nr, 1u, SMMU_STE_SHCFG);
    entries_set(s, first, nr, 2u, smmu_ste2(&to, s->oas));
    entries_set(s, first, nr, 3u, to.root);
    if (forget_entries(s)) {
        entries_set(s, first, nr, 0u, SMMU_STE_STAGE2);
        status = forget_entries(s) ? HV_OK : HV_BUSY;
    }
    spin_unlock(&s->lock, flags);
    map->smmus |= BIT32(iommu);
    return status;
}

enum hv_status hal_iommu_detach(uint32_t iommu, uint32_t first, uint32_t nr, struct hal_guestmap *map)
{
    struct smmu *const s = smmu_of(iommu);
    enum hv_status status = HV_OK;

    if (all_reserved(s, first, nr)) {
        const uint64_t flags = spin_lock(&s->lock);

        entries_set(s, first, nr, 0u, SMMU_STE_ABORT);
        command(s, SMMU_CMD_CFGI_ALL, SMMU_CFGI_ALL_SPAN);
        command(s, SMMU_CMD_S12_VMALL | ((uint64_t)arm_stage2_of(map).id << 32u), 0u);
        status = finish(s) ? HV_OK : HV_BUSY;
        spin_unlock(&s->lock, flags);
    }
    return status;
}

/* The map's id of a stream that leads to one, else 0. */
static uint16_t map_of(const struct smmu *s, uint32_t stream)
{
    uint64_t *const table = table_of(s, stream);
    uint16_t id = 0;

    if ((table != NULL) && (entry_of(table, stream)[0] == SMMU_STE_STAGE2)) {
        id = (uint16_t)(entry_of(table, stream)[2] & 0xFFFFu);
    }
    return id;
}

bool hal_iommu_walk(uint32_t iommu, uint32_t *stream, uint32_t *nr, uint16_t *map_id)
{
    const struct smmu *const s = smmu_of(iommu);
    const uint32_t end = (s->regs != NULL) ? BIT32(s->id_bits) : 0u;
    uint32_t first = *stream;
    uint32_t next;

    while ((first < end) && (map_of(s, first) == 0u)) {
        first = (table_of(s, first) == NULL) ? table_end(first, end) : (first + 1u);
    }
    *map_id = map_of(s, first);
    for (next = first; (next < end) && (map_of(s, next) == *map_id); next++) {
        /* the same domain's */
    }
    *stream = first;
    *nr = next - first;
    return first < end;
}

/* -- Events -- */

uint32_t hal_iommu_lines(uint32_t iommu, struct hal_plan_line line[HAL_IOMMU_LINES])
{
    const struct smmu *const s = smmu_of(iommu);
    uint32_t nr = 0;

    for (uint32_t i = 0; (s->regs != NULL) && (i < ARM_SMMU_LINES); i++) {
        if ((s->plan->irq[i] != 0u) && ((nr == 0u) || (line[0].irq != s->plan->irq[i]))) {
            line[nr].irq = s->plan->irq[i];
            line[nr].edge = s->plan->edge[i];
            nr++;
        }
    }
    return nr;
}

/* Errors of the SMMU itself: each is told once. */
static void errors_settle(struct smmu *s)
{
    const uint32_t now = hal_mmio_read32(&s->regs[SMMU_GERROR]);
    const uint32_t active = now ^ hal_mmio_read32(&s->regs[SMMU_GERRORN]);

    if ((active & ~s->errors) != 0u) {
        log_line("smmu at %X: error %X", s->plan->base, (uint64_t)active);
        s->errors |= active;
    }
    if (active != 0u) {
        hal_mmio_write32(&s->regs[SMMU_GERRORN], now);
    }
}

static void event_tell(const struct smmu *s, uint32_t iommu)
{
    const uint32_t at = s->event_next & (BIT32(s->evtq_bits) - 1u);
    uint64_t *const event = &s->evtq[at * SMMU_EVENT_WORDS];

    if (!s->is_coherent) {
        hal_cache_clean_invalidate(event, SMMU_EVENT_BYTES);
    }
    const uint32_t code = (uint32_t)(event[0] & 0xFFu);
    const struct hal_iommu_fault fault = { .iommu = iommu,
                                           .stream = (uint32_t)(event[0] >> 32u),
                                           .cause = code,
                                           .at = gpa((code >= SMMU_EVENT_TRANSLATION) ? event[2] : 0u),
                                           .what = smmu_event_text(code) };

    upcall_iommu_fault(&fault);
}

bool hal_iommu_service(uint32_t iommu)
{
    struct smmu *const s = smmu_of(iommu);
    const uint32_t mask = BIT32(s->evtq_bits + 1u) - 1u;

    if (s->regs == NULL) {
        return false;
    }
    errors_settle(s);
    const uint32_t produced = hal_mmio_read32(&s->regs[SMMU_EVENTQ_PROD]);

    hal_barrier_io(); /* what it says is there is read after it */
    for (uint32_t n = 0; (n < HAL_IOMMU_BURST) && (s->event_next != (produced & mask)); n++) {
        event_tell(s, iommu);
        s->event_next = (s->event_next + 1u) & mask;
    }
    /* The overflow flag is acknowledged by repeating it (3.5.4, 7.4): events are recorded again. */
    hal_mmio_write32(&s->regs[SMMU_EVENTQ_CONS], s->event_next | (produced & SMMU_QUEUE_FLAG));
    return s->event_next != (produced & mask);
}

/* -- Start -- */

/* What we need of it; NULL: it is there. */
static const char *lacks(uint32_t idr0, uint32_t idr1, uint32_t idr5)
{
    return ((idr0 & SMMU_IDR0_S2P) == 0u) ? "stage 2"
           : (((idr0 & SMMU_IDR0_TTF64) == 0u) || ((idr5 & SMMU_IDR5_GRAN4K) == 0u))
               ? "AArch64 tables of 4 KiB"
           : ((idr0 & SMMU_IDR0_BIG) == SMMU_IDR0_BIG)         ? "little-endian tables"
           : ((idr0 & SMMU_IDR0_STALL) == SMMU_IDR0_STALL_ALL) ? "faults that end a transaction"
           : (((idr1 & SMMU_IDR1_PRESET) != 0u) || (bits_field(idr1, 25u, 21u) < 2u))
               ? "queues and tables where we put them"
               : NULL;
}

/* Nothing passes while it is off, and it is. */
static bool close(const struct smmu *s)
{
    hal_mmio_write32(&s->regs[SMMU_GBPA], SMMU_GBPA_UPDATE | SMMU_GBPA_ABORT);
    return wait_for(s, SMMU_GBPA, SMMU_GBPA_UPDATE, 0u) && control(s, SMMU_CR0, 0u) &&
           control(s, SMMU_IRQ_CTRL, 0u);
}

static bool take_memory(struct smmu *s, uint32_t nr_streams, uint32_t idr1)
{
    const uint32_t bits = s->two_levels ? smmu_id_bits(nr_streams) : SMMU_TABLE_BITS;

    s->id_bits = (uint32_t)bits_min(bits, bits_field(idr1, 5u, 0u));
    s->cmdq_bits = (uint32_t)bits_min(SMMU_CMDQ_BITS, bits_field(idr1, 25u, 21u));
    s->evtq_bits = (uint32_t)bits_min(SMMU_EVTQ_BITS, bits_field(idr1, 20u, 16u));
    s->table = upcall_heap_pages(s->two_levels ? smmu_level1_pages(bits) : 1u);
    s->cmdq = upcall_heap_pages(1u);
    s->evtq = upcall_heap_pages(1u);
    return (s->table != NULL) && (s->cmdq != NULL) && (s->evtq != NULL);
}

/* Where it finds its tables and queues; all of them are empty. */
static void point(const struct smmu *s)
{
    volatile uint8_t *const r = s->regs;
    const uint64_t allocate = SMMU_BASE_ALLOCATE;
    const uint32_t levels = s->two_levels ? (SMMU_STRTAB_2LEVEL | (SMMU_TABLE_BITS << 6u)) : 0u;
    const uint32_t table_bytes = s->two_levels ? (smmu_level1_pages(s->id_bits) * PAGE_BYTES) : PAGE_BYTES;

    reveal(s, s->table, table_bytes);
    reveal(s, s->cmdq, PAGE_BYTES);
    reveal(s, s->evtq, PAGE_BYTES);
    hal_mmio_write32(&r[SMMU_CR1], SMMU_CR1_WB);
    hal_mmio_write32(&r[SMMU_CR2], SMMU_CR2_RECINVSID | SMMU_CR2_PTM);
    hal_mmio_write64(&r[SMMU_STRTAB_BASE], hal_hypmap_hpa(s->table).v | allocate);
    hal_mmio_write32(&r[SMMU_STRTAB_BASE_CFG], levels | s->id_bits);
    hal_mmio_write64(&r[SMMU_CMDQ_BASE], hal_hypmap_hpa(s->cmdq).v | allocate | s->cmdq_bits);
    hal_mmio_write32(&r[SMMU_CMDQ_PROD], 0u);
    hal_mmio_write32(&r[SMMU_CMDQ_CONS], 0u);
    hal_mmio_write64(&r[SMMU_EVENTQ_BASE], hal_hypmap_hpa(s->evtq).v | allocate | s->evtq_bits);
    hal_mmio_write32(&r[SMMU_EVENTQ_PROD], 0u);
    hal_mmio_write32(&r[SMMU_EVENTQ_CONS], 0u);
}

/* It runs, and no stream leads anywhere. */
static bool open(struct smmu *s, uint32_t idr0)
{
    uint32_t cr0 = SMMU_CR0_CMDQEN;
    bool good = control(s, SMMU_CR0, cr0);

    if (good) {
        command(s, SMMU_CMD_CFGI_ALL, SMMU_CFGI_ALL_SPAN);
        command(s, SMMU_CMD_NSNH_ALL, 0u);
        good = finish(s);
    }
    if ((idr0 & SMMU_IDR0_MSI) != 0u) { /* wires, no messages */
        hal_mmio_write64(&s->regs[SMMU_GERROR_IRQ_CFG0], 0u);
        hal_mmio_write64(&s->regs[SMMU_EVENTQ_IRQ_CFG0], 0u);
    }
    cr0 |= SMMU_CR0_EVENTQEN;
    good = good && control(s, SMMU_CR0, cr0) && control(s, SMMU_IRQ_CTRL, SMMU_IRQ_GERROR | SMMU_IRQ_EVENTQ);
    return good && control(s, SMMU_CR0, cr0 | SMMU_CR0_SMMUEN);
}

static void start(struct smmu *s, uint32_t nr_streams)
{
    const uint32_t idr0 = hal_mmio_read32(&s->regs[SMMU_IDR0]);
    const uint32_t idr1 = hal_mmio_read32(&s->regs[SMMU_IDR1]);
    const uint32_t idr5 = hal_mmio_read32(&s->regs[SMMU_IDR5]);
    const char *why = lacks(idr0, idr1, idr5);

    s->two_levels = (idr0 & SMMU_IDR0_LEVELS) == SMMU_IDR0_LEVELS_2;
    s->is_coherent = (idr0 & SMMU_IDR0_COHACC) != 0u;
    s->oas = (uint32_t)bits_field(idr5, 2u, 0u);
    smmu_sees_memory = smmu_sees_memory || !s->is_coherent;
    if (!close(s)) {
        why = "an answer";
    } else if ((why == NULL) && (nr_streams > 0u)) {
        if (!take_memory(s, nr_streams, idr1)) {
            why = "memory";
        } else {
            point(s);
            why = open(s, idr0) ? NULL : "an answer";
        }
    } else {
        /* it refuses everything as it is */
    }
    if (why != NULL) {
        log_line("smmu at %X: cannot be used, it lacks %s", s->plan->base, why);
    } else if (nr_streams > 0u) {
        log_line("smmu at %X: %u bits of stream ids, %s", s->plan->base, s->id_bits,
                 s->is_coherent ? "coherent" : "not coherent");
    } else {
        /* nobody's */
    }
    if ((why != NULL) || (nr_streams == 0u)) {
        s->regs = NULL;
    }
}

void hal_iommu_init(const struct hal_plan_host *host, const uint32_t *nr_streams)
{
    for (uint32_t i = 0; i < host->arm.nr_smmus; i++) {
        struct smmu *const s = &smmus[i];
        void *va = NULL;

        (void)memset(s, 0, sizeof(*s));
        spin_init(&s->lock, LOCK_IOMMU);
        s->plan = &host->arm.smmu[i];
        if (hal_hypmap_device(hpa(s->plan->base), SMMU_REG_BYTES, &va) == HV_OK) {
            s->regs = va;
            start(s, nr_streams[i]);
        }
    }
}
