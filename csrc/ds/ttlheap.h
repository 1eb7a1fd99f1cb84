/* ttlheap.h - which of many things is due first: a 4-ary heap of (when, owner) with back-links.
 *
 * Holds borrowed owner pointers. The owner keeps a uint32_t slot (0: not in the heap), which the
 * heap updates through a callback-free convention: the slot lives at a fixed byte offset in the
 * owner, given at init. So expiry needs no sampling: the first is always the next to die;
 * volatile-ttl is exact; a random volatile key is a random slot. Cost: add, change, drop O(log n),
 * usually O(1) as new deadlines are mostly late; peek O(1). Limit: UINT32_MAX - 1 members
 * (TR_ELIMIT). Fails with TR_ENOMEM only in add; then unchanged.
 */
#ifndef TR_DS_TTLHEAP_H
#define TR_DS_TTLHEAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

typedef struct tr_ttl_item {
    int64_t when;
    void *owner;
} tr_ttl_item;

typedef struct tr_ttlheap {
    tr_mem *mem;
    tr_ttl_item *items; /* items[0] is unused: slot 0 means none */
    uint32_t count;
    uint32_t cap;
    uint32_t kept; /* adds that must not fail */
    size_t slot_offset;
} tr_ttlheap;

void tr_ttlheap_init(tr_ttlheap *h, tr_mem *mem, size_t slot_offset);
void tr_ttlheap_release(tr_ttlheap *h); /* owners' slots are not touched */
void tr_ttlheap_clear(tr_ttlheap *h);   /* the same, and the room stays */
/* The next add, if nothing is dropped before it, can't fail. 0, TR_ENOMEM or TR_ELIMIT. */
int tr_ttlheap_reserve(tr_ttlheap *h);
/* Keeps room for one more add than before, whatever is added and dropped meanwhile, until tr_ttlheap_unkeep() right
 * before that add. 0, TR_ENOMEM or TR_ELIMIT. */
int tr_ttlheap_keep(tr_ttlheap *h);
void tr_ttlheap_unkeep(tr_ttlheap *h, uint32_t adds);
int tr_ttlheap_add(tr_ttlheap *h, void *owner, int64_t when); /* owner's slot must be 0 */
void tr_ttlheap_change(tr_ttlheap *h, uint32_t slot, int64_t when);
void tr_ttlheap_drop(tr_ttlheap *h, uint32_t slot);           /* sets the owner's slot to 0 */
void tr_ttlheap_moved(tr_ttlheap *h, uint32_t slot, void *owner); /* the owner has a new address */
static inline int64_t tr_ttlheap_when(const tr_ttlheap *h, uint32_t slot) {
    return h->items[slot].when;
}
/* The first due, or NULL. */
static inline const tr_ttl_item *tr_ttlheap_peek(const tr_ttlheap *h) {
    return h->count == 0 ? NULL : &h->items[1];
}
size_t tr_ttlheap_memory(const tr_ttlheap *h);
void tr_ttlheap_check(const tr_ttlheap *h);

#endif
