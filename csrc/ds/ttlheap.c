#include "ds/ttlheap.h"

#include "base/assert.h"
#include "base/err.h"

#define HEAP_ARITY 4
#define HEAP_MIN_CAP 8 /* items, the unused first one included */
#define HEAP_COUNT_MAX (UINT32_MAX - 1)

static inline uint32_t parent_of(uint32_t slot) {
    return (slot - 2) / HEAP_ARITY + 1;
}

/* 64 bits: the first child of a late slot may be beyond any slot. */
static inline uint64_t first_child_of(uint32_t slot) {
    return ((uint64_t)slot - 1) * HEAP_ARITY + 2;
}

static inline uint32_t *slot_of(const tr_ttlheap *h, void *owner) {
    return (uint32_t *)(void *)((char *)owner + h->slot_offset);
}

static inline void put(tr_ttlheap *h, uint32_t slot, tr_ttl_item item) {
    h->items[slot] = item;
    *slot_of(h, item.owner) = slot;
}

void tr_ttlheap_init(tr_ttlheap *h, tr_mem *mem, size_t slot_offset) {
    *h = (tr_ttlheap){.mem = mem, .slot_offset = slot_offset};
}

void tr_ttlheap_release(tr_ttlheap *h) {
    tr_free(h->mem, h->items);
    tr_ttlheap_init(h, h->mem, h->slot_offset);
}

void tr_ttlheap_clear(tr_ttlheap *h) {
    h->count = 0;
}

static int set_cap(tr_ttlheap *h, uint32_t cap) {
    tr_ttl_item *items = tr_realloc(h->mem, h->items, (size_t)cap * sizeof(*items));
    if (items == NULL) return TR_ENOMEM;
    h->items = items;
    h->cap = cap;
    return TR_OK;
}

static int make_room(tr_ttlheap *h) {
    if (h->count >= HEAP_COUNT_MAX - h->kept) return TR_ELIMIT;
    if (h->count + h->kept + 1 < h->cap) return TR_OK;
    if (h->cap > UINT32_MAX / 2) return set_cap(h, UINT32_MAX);
    return set_cap(h, h->cap == 0 ? HEAP_MIN_CAP : h->cap * 2);
}

int tr_ttlheap_reserve(tr_ttlheap *h) {
    return make_room(h);
}

int tr_ttlheap_keep(tr_ttlheap *h) {
    int rc = make_room(h);
    if (rc == TR_OK) h->kept++;
    return rc;
}

void tr_ttlheap_unkeep(tr_ttlheap *h, uint32_t adds) {
    tr_assert(adds <= h->kept);
    h->kept -= adds;
}

/* The item belongs at slot or nearer to the root. */
static uint32_t sift_up(tr_ttlheap *h, uint32_t slot, tr_ttl_item item) {
    while (slot > 1 && item.when < h->items[parent_of(slot)].when) {
        put(h, slot, h->items[parent_of(slot)]);
        slot = parent_of(slot);
    }
    put(h, slot, item);
    return slot;
}

static uint32_t earliest_child(const tr_ttlheap *h, uint64_t first) {
    uint64_t end = first + HEAP_ARITY;
    if (end > (uint64_t)h->count + 1) end = (uint64_t)h->count + 1;
    uint64_t best = first;
    for (uint64_t child = first + 1; child < end; child++) {
        if (h->items[child].when < h->items[best].when) best = child;
    }
    return (uint32_t)best;
}

/* The item belongs at slot or farther from the root. */
static void sift_down(tr_ttlheap *h, uint32_t slot, tr_ttl_item item) {
    for (uint64_t first; (first = first_child_of(slot)) <= h->count;) {
        uint32_t child = earliest_child(h, first);
        if (item.when <= h->items[child].when) break;
        put(h, slot, h->items[child]);
        slot = child;
    }
    put(h, slot, item);
}

static void settle(tr_ttlheap *h, uint32_t slot, tr_ttl_item item) {
    if (sift_up(h, slot, item) == slot) sift_down(h, slot, item);
}

int tr_ttlheap_add(tr_ttlheap *h, void *owner, int64_t when) {
    tr_assert(*slot_of(h, owner) == 0);
    int rc = make_room(h);
    if (rc != TR_OK) return rc;
    h->count++;
    sift_up(h, h->count, (tr_ttl_item){.when = when, .owner = owner});
    return TR_OK;
}

void tr_ttlheap_change(tr_ttlheap *h, uint32_t slot, int64_t when) {
    tr_assert(slot >= 1 && slot <= h->count);
    settle(h, slot, (tr_ttl_item){.when = when, .owner = h->items[slot].owner});
}

void tr_ttlheap_drop(tr_ttlheap *h, uint32_t slot) {
    tr_assert(slot >= 1 && slot <= h->count);
    *slot_of(h, h->items[slot].owner) = 0;
    tr_ttl_item last = h->items[h->count--];
    if (slot <= h->count) settle(h, slot, last);
    /* Half of what is free goes back; if that fails the larger array stays. */
    if (h->cap > HEAP_MIN_CAP && h->count + h->kept < h->cap / 4) (void)set_cap(h, h->cap / 2);
}

void tr_ttlheap_moved(tr_ttlheap *h, uint32_t slot, void *owner) {
    tr_assert(slot >= 1 && slot <= h->count);
    tr_assert(*slot_of(h, owner) == slot);
    h->items[slot].owner = owner;
}

size_t tr_ttlheap_memory(const tr_ttlheap *h) {
    return h->items != NULL ? tr_mem_size(h->items) : 0;
}

void tr_ttlheap_check(const tr_ttlheap *h) {
    tr_assert(h->count == 0 || h->count < h->cap);
    tr_assert((h->items == NULL) == (h->cap == 0));
    for (uint32_t slot = 1; slot <= h->count; slot++) {
        tr_assert(*slot_of(h, h->items[slot].owner) == slot);
        if (slot > 1) tr_assert(h->items[parent_of(slot)].when <= h->items[slot].when);
    }
}
