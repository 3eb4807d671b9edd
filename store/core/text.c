/* Text in blocks, paths, numbers. */
#include "core/core.h"

#include <string.h>

#define BLOCKS_OF(bytes) (((bytes) + (STORE_TEXT_BYTES - 1u)) / STORE_TEXT_BYTES)

struct store_text text_none(void)
{
    return (struct store_text){ STORE_NONE, 0u };
}

uint16_t text_share(const struct store_text *text)
{
    return (uint16_t)(text->first / STORE_BLOCKS);
}

static struct store_block *block_at(struct store *s, uint16_t block)
{
    return &s->share[block / STORE_BLOCKS].block[block % STORE_BLOCKS];
}

static const struct store_block *block_see(const struct store *s, uint16_t block)
{
    return &s->share[block / STORE_BLOCKS].block[block % STORE_BLOCKS];
}

static uint16_t block_take(struct store *s, uint16_t share)
{
    struct store_share *const of = &s->share[share];

    for (uint32_t i = 0u; i < STORE_BLOCKS; i++) {
        const uint32_t at = (of->block_hint + i) % STORE_BLOCKS;

        if (!of->block_used[at]) {
            of->block_used[at] = true;
            of->block_hint = (uint16_t)((at + 1u) % STORE_BLOCKS);
            return (uint16_t)((share * STORE_BLOCKS) + at);
        }
    }
    return STORE_NONE;
}

void text_free(struct store *s, struct store_text *text)
{
    uint16_t block = text->first;

    for (uint32_t i = 0u; (i < BLOCKS_OF((uint32_t)text->bytes)) && (block != STORE_NONE); i++) {
        s->share[block / STORE_BLOCKS].block_used[block % STORE_BLOCKS] = false;
        block = block_see(s, block)->next;
    }
    *text = text_none();
}

bool text_put(struct store *s, uint16_t share, const void *bytes, uint32_t nr, struct store_text *text)
{
    const uint8_t *const from = bytes;
    uint16_t *link = &text->first;

    *text = text_none();
    for (uint32_t done = 0u; done < nr; done += STORE_TEXT_BYTES) {
        const uint32_t left = nr - done;
        const uint32_t n = (left < STORE_TEXT_BYTES) ? left : STORE_TEXT_BYTES;
        const uint16_t block = block_take(s, share);

        if (block == STORE_NONE) {
            text_free(s, text);
            return false;
        }
        (void)memcpy(block_at(s, block)->bytes, &from[done], n);
        block_at(s, block)->next = STORE_NONE;
        *link = block;
        link = &block_at(s, block)->next;
        text->bytes = (uint16_t)(done + n);
    }
    return true;
}

void text_get(const struct store *s, const struct store_text *text, void *out)
{
    uint8_t *const to = out;
    uint16_t block = text->first;

    for (uint32_t done = 0u; done < text->bytes; done += STORE_TEXT_BYTES) {
        const uint32_t left = text->bytes - done;

        (void)memcpy(&to[done], block_see(s, block)->bytes,
                     (left < STORE_TEXT_BYTES) ? left : STORE_TEXT_BYTES);
        block = block_see(s, block)->next;
    }
}

bool text_copy(struct store *s, uint16_t share, const struct store_text *from, struct store_text *text)
{
    uint8_t bytes[STORE_VALUE_MAX];

    text_get(s, from, bytes);
    return text_put(s, share, bytes, from->bytes, text);
}

bool text_is(const struct store *s, const struct store_text *text, const char *bytes, uint32_t nr)
{
    uint16_t block = text->first;
    bool same = (text->bytes == nr);

    for (uint32_t done = 0u; same && (done < nr); done += STORE_TEXT_BYTES) {
        const uint32_t left = nr - done;

        same = memcmp(&bytes[done], block_see(s, block)->bytes,
                      (left < STORE_TEXT_BYTES) ? left : STORE_TEXT_BYTES) == 0;
        block = block_see(s, block)->next;
    }
    return same;
}

/* -- Paths -- */

bool path_append(struct path *path, const char *text, uint32_t bytes)
{
    const bool fits = (bytes <= (STORE_PATH_MAX - path->bytes));

    if (fits) {
        (void)memcpy(&path->text[path->bytes], text, bytes);
        path->bytes += bytes;
        path->text[path->bytes] = '\0';
    }
    return fits;
}

void path_of(struct path *path, const char *text)
{
    path->bytes = 0u;
    path->text[0] = '\0';
    (void)path_append(path, text, (uint32_t)strlen(text));
}

void path_of_text(const struct store *s, const struct store_text *text, struct path *path)
{
    text_get(s, text, path->text);
    path->bytes = text->bytes;
    path->text[path->bytes] = '\0';
}

void path_up(struct path *path)
{
    while ((path->bytes > 0u) && (path->text[path->bytes - 1u] != '/')) {
        path->bytes--;
    }
    path->bytes -= (path->bytes > 0u) ? 1u : 0u;
    path->text[path->bytes] = '\0';
}

bool path_within(const struct path *a, const struct path *b)
{
    return (b->bytes >= a->bytes) && (memcmp(a->text, b->text, a->bytes) == 0) &&
           ((b->text[a->bytes] == '/') || (b->text[a->bytes] == '\0'));
}

/* -- Numbers -- */

bool number_read(const char *text, uint32_t *value)
{
    uint64_t number = 0u;
    uint32_t i = 0u;

    for (; (i < 10u) && (text[i] >= '0') && (text[i] <= '9'); i++) {
        number = (number * 10u) + (uint32_t)(text[i] - '0');
    }
    *value = (uint32_t)number;
    return (i > 0u) && (text[i] == '\0') && (number <= UINT32_MAX);
}

uint32_t number_write(uint32_t value, char out[11])
{
    char digit[10];
    uint32_t nr = 0u;
    uint32_t left = value;

    do {
        digit[nr] = (char)('0' + (char)(left % 10u));
        nr++;
        left /= 10u;
    } while (left > 0u); /* at most ten */
    for (uint32_t i = 0u; i < nr; i++) {
        out[i] = digit[nr - 1u - i];
    }
    out[nr] = '\0';
    return nr;
}
