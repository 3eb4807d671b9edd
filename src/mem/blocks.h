/* Memory that changes hands while the system runs: blocks of 2 MiB for domains that are made on demand. They
 * come from what is free of the host's RAM in extents, and go: free, zero -> a domain's -> dirty, until the
 * scrubber has been there -> free. An array over all RAM, made at boot, tells whose a frame is and whether it
 * is in its owner's map. */
#ifndef MEM_BLOCKS_H
#define MEM_BLOCKS_H

#include "hal/types.h"

#define BLOCK_BYTES MIB(2)
#define BLOCK_PAGES 512u

/* What a domain has of them; under its lock. owner: anything but 0, no two alike; the rest is 0 at first. */
struct block_set {
    uint32_t owner;
    bool apart;        /* they come from what was set aside for this owner, and go there */
    uint32_t whole;    /* first of its blocks of which all frames are in; 0: none */
    uint32_t part;     /* ... of which some are out */
    uint32_t nr;       /* blocks */
    uint64_t nr_pages; /* frames that are in */
    uint64_t end_gfn;  /* behind the last page where one ever was: its owner's */
};

/* Boot, once. The array for RAM from base to end, on the heap, whose pages are dirty() does: is called, with
 * no lock of ours held, when there is something for the scrubber. is_zero: what is free of the host's RAM is.
 * HV_NO_MEMORY. */
uint32_t blocks_heap_pages(uint64_t base, uint64_t end);
HV_MUST_CHECK enum hv_status blocks_setup(uint64_t base, uint64_t end, bool is_zero, void (*dirty)(void));
/* Boot: whole blocks of RAM that is not free, for this owner's sets alone. HV_LIMIT. */
HV_MUST_CHECK enum hv_status blocks_set_aside(uint64_t base, uint64_t bytes, uint32_t owner);
/* From now on what is free of the host's RAM need not be zero. */
void blocks_doubt(void);

/* -- The owner's lock held -- */

/* One more block, zero: its frames are all in, or all out. HV_BUSY: there will be one as soon as the scrubber
 * has been there. HV_NO_MEMORY. */
HV_MUST_CHECK enum hv_status blocks_take(struct block_set *set, bool in, hpa_t *at);
/* nr frames of one block, of which no map of the owner's or of its devices has any, went out, or came in. A
 * block goes back when all are out and nobody pins it. */
void blocks_move(struct block_set *set, hpa_t frame, uint32_t nr, bool out);
/* A frame of its own that is out; all ones: there is none */
hpa_t blocks_find_out(const struct block_set *set);
/* At most `most` of its blocks go back, whatever their frames, which nobody maps. False: it has no more. */
bool blocks_give(struct block_set *set, uint32_t most);

/* -- Any context, no lock -- */

/* Whose it is: a set's owner; 0: nobody's. It stays so for who sees it with the owner's lock or a pin, or
 * until a CPU that looked ends the stretch without interrupts in which it did. */
uint32_t blocks_owner(hpa_t frame);
/* Bits of 32 frames, set: out. The frame is in a block. */
volatile uint32_t *blocks_out(hpa_t frame);
/* As long as a block is pinned it does not change hands while its owner lives. Who pins looks at owner and
 * bits afterwards. */
void blocks_pin(hpa_t frame);
void blocks_unpin(hpa_t frame);

/* Bytes that are free; that wait for the scrubber. RAM_FREE of mem/ram.h is counted with the first. */
uint64_t blocks_free_bytes(void);
uint64_t blocks_dirty_bytes(void);

/* -- Worker context -- */

/* All blocks that wait for the scrubber, a list from then on: the first; 0: none. The scrubber waits until no
 * CPU is in the stretch without interrupts in which it was, then zeroes each. */
uint32_t blocks_dirty(void);
hpa_t blocks_at(uint32_t block);
/* It is zero. Answers the next of the list. */
uint32_t blocks_clean(uint32_t block);
/* Extents of which nothing is in use are the host's again. */
void blocks_yield(void);

#endif
