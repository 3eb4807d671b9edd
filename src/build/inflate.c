#include "build/inflate.h"

#define ZLIB_CONST
#include <zlib.h>

#include "hal/cache.h"

#define GZIP_WINDOW_BITS (15 + 16) /* the largest history; gzip's header and trailer, nothing else */
#define ARENA_ALIGN      16u

struct inflate_run {
    z_stream z;
    struct range from;
    uint64_t taken; /* bytes that zlib was shown */
};

/* zlib allocates twice, when it starts; the arena is empty again with the next run. */
static void *arena_alloc(void *opaque, unsigned int items, unsigned int size)
{
    struct build_workspace *const w = opaque;
    const uint64_t count = items;
    const uint64_t bytes = bits_align_up(count * size, ARENA_ALIGN);
    void *block = NULL;

    if (bytes <= ((uint64_t)w->arena_bytes - w->arena_used)) {
        block = &w->arena[w->arena_used];
        w->arena_used += (uint32_t)bytes;
    }
    return block;
}

static void arena_free(void *opaque, void *block)
{
    (void)opaque;
    (void)block;
}

static int run_begin(struct inflate_run *run, struct build_workspace *workspace, const struct range *from)
{
    (void)memset(run, 0, sizeof(*run));
    workspace->arena_used = 0u;
    run->z.zalloc = arena_alloc;
    run->z.zfree = arena_free;
    run->z.opaque = workspace;
    run->from = *from;
    return inflateInit2(&run->z, GZIP_WINDOW_BITS);
}

/* Shows zlib the next piece of the source. */
static void run_feed(struct inflate_run *run)
{
    if ((run->z.avail_in == 0u) && (run->taken < run->from.bytes)) {
        uint64_t room = 0;
        const void *const at =
            hal_hypmap_window(HAL_WINDOW_WORK_SRC, hpa(run->from.base + run->taken), HAL_HYPMAP_RO, &room);
        const uint64_t piece = bits_min(bits_min(room, run->from.bytes - run->taken), BUILD_PIECE_BYTES);

        run->z.next_in = at;
        run->z.avail_in = (unsigned int)piece;
        run->taken += piece;
    }
}

/* Goes on until `bytes` came out or the stream or the source ended. Each turn but the last uses up a piece
 * of the source. */
static int run_piece(struct inflate_run *run, void *out, uint64_t bytes)
{
    int result;
    bool more;

    run->z.next_out = out;
    run->z.avail_out = (unsigned int)bytes;
    do {
        run_feed(run);
        result = inflate(&run->z, Z_NO_FLUSH);
        more = ((result == Z_OK) || (result == Z_BUF_ERROR)) && (run->z.avail_out > 0u) &&
               (run->z.avail_in == 0u) && (run->taken < run->from.bytes);
    } while (more);
    return result;
}

/* What the end of a piece means when not all of its room was used, or the stream ended. */
static enum inflate_end end_of(int result)
{
    switch (result) {
    case Z_STREAM_END:
        return INFLATE_DONE;
    case Z_OK:
    case Z_BUF_ERROR:
        return INFLATE_CUT;
    case Z_MEM_ERROR:
        return INFLATE_MEMORY;
    default:
        return INFLATE_DAMAGED;
    }
}

static bool goes_on(const struct inflate_run *run, int result)
{
    return ((result == Z_OK) || (result == Z_BUF_ERROR)) && (run->z.avail_out == 0u);
}

enum inflate_end inflate_head(struct build_workspace *workspace, const struct range *from,
                              uint8_t head[INFLATE_HEAD_BYTES], uint32_t *bytes)
{
    struct inflate_run run;
    int result = run_begin(&run, workspace, from);
    enum inflate_end end = INFLATE_FULL;

    *bytes = 0u;
    if (result == Z_OK) {
        result = run_piece(&run, head, INFLATE_HEAD_BYTES);
        *bytes = INFLATE_HEAD_BYTES - run.z.avail_out;
    }
    if (!goes_on(&run, result) || (*bytes == 0u)) {
        end = end_of(result);
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    return end;
}

/* Is there more of the stream when the room is used up? Its trailer does not count. */
static enum inflate_end run_overflow(struct inflate_run *run)
{
    uint8_t spill;
    const int result = run_piece(run, &spill, sizeof(spill));

    return (run->z.avail_out == 0u) ? INFLATE_FULL : end_of(result);
}

enum inflate_end inflate_to(struct build_workspace *workspace, const struct range *from,
                            struct inflate_sink *sink)
{
    struct inflate_run run;
    int result = run_begin(&run, workspace, from);
    bool more = (result == Z_OK);
    enum inflate_end end = end_of(result);

    sink->written = 0u;
    while (more) {
        uint64_t seen = 0;
        void *const at = build_window(sink->domain, gpa(sink->to.v + sink->written), &seen);
        const uint64_t piece = bits_min(bits_min(seen, sink->room - sink->written), BUILD_PIECE_BYTES);

        if (piece == 0u) {
            end = run_overflow(&run);
            more = false;
        } else {
            const uint64_t made_before = sink->written;

            result = run_piece(&run, at, piece);
            sink->written += piece - run.z.avail_out;
            if (sink->written > made_before) {
                hal_cache_clean(at, sink->written - made_before);
            }
            more = goes_on(&run, result);
            end = end_of(result);
            work_breathe();
        }
    }
    hal_hypmap_window_close(HAL_WINDOW_WORK_DST);
    hal_hypmap_window_close(HAL_WINDOW_WORK_SRC);
    return end;
}
