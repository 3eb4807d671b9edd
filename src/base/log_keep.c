/* [impl->req~log-kept~1] */
#include "base/log_keep.h"

#include "hal/cache.h"
#include "hal/cpu.h"
#include "lib/string.h"

#define KEEP_MAGIC     0x504B4C42u /* "BLKP" */
#define KEEP_SLOTS_MAX 256u        /* at most 64 KiB; printed at 115200 baud it takes 2 s */
#define KEEP_TEXT      236u
#define KEEP_SUMMED    8u  /* offset of what the checksum covers */
#define KEEP_HEAD      20u /* offset of the text */

/* 256 bytes; the checksum covers what follows it, of the text what there is */
struct keep_slot {
    uint32_t magic;
    uint32_t crc;
    uint64_t number; /* of the line, from 1; it lies in slot number % nr_slots */
    uint32_t bytes;
    char text[KEEP_TEXT];
};

_Static_assert(sizeof(struct keep_slot) == 256u, "without gaps");

static struct keep_slot *slot;
static uint64_t nr_slots;
static uint64_t next_number;

static uint32_t slot_crc(const struct keep_slot *s)
{
    const void *const start = s;
    const uint8_t *const raw = start;

    return hal_cpu_crc32c(0u, &raw[KEEP_SUMMED], (KEEP_HEAD - KEEP_SUMMED) + s->bytes);
}

static bool slot_is(const struct keep_slot *s, uint64_t number)
{
    return (s->magic == KEEP_MAGIC) && (s->number == number) && (s->bytes <= sizeof(s->text)) &&
           (s->crc == slot_crc(s));
}

void log_keep_open(void *region, uint64_t bytes, void (*say)(const char *line, uint32_t bytes))
{
    struct keep_slot *const first = region;
    const uint64_t nr = bits_min(bytes / sizeof(*first), KEEP_SLOTS_MAX);
    uint64_t last = 0;

    for (uint64_t i = 0; i < nr; i++) {
        const uint64_t number = first[i].number;

        if (((number % nr) == i) && (number > last) && slot_is(&first[i], number)) {
            last = number;
        }
    }
    for (uint64_t back = bits_min(nr, last); back > 0u; back--) {
        const struct keep_slot *const s = &first[(last - (back - 1u)) % nr];

        if (slot_is(s, last - (back - 1u))) {
            say(s->text, s->bytes);
        }
    }
    (void)memset(region, 0, (size_t)nr * sizeof(*first));
    if (nr != 0u) {
        hal_cache_clean(region, nr * sizeof(*first));
    }
    slot = first;
    nr_slots = nr;
    next_number = 1u;
}

void log_keep_line(const char *line, uint32_t bytes)
{
    if (nr_slots != 0u) {
        struct keep_slot *const s = &slot[next_number % nr_slots];

        s->magic = KEEP_MAGIC;
        s->number = next_number;
        s->bytes = (uint32_t)bits_min(bytes, sizeof(s->text));
        (void)memcpy(s->text, line, s->bytes);
        s->crc = slot_crc(s);
        hal_cache_clean(s, sizeof(*s));
        next_number++;
    }
}
