#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "store/store.h"

#define LRU_MASK 0xffffffu
#define LFU_MAX 255u
#define EVICT_ROUNDS_MAX 1000000 /* keys that one call may evict */

static uint32_t minutes16(const tr_store *store) {
    return (uint32_t)(store->now_ms / 60000) & 0xffffu;
}

uint32_t tr_store_new_lru(const tr_store *store) {
    return store->policy & TR_POLICY_LFU ? minutes16(store) << 8 | TR_LFU_START : store->lru_clock;
}

uint32_t tr_store_lfu_now(const tr_store *store, const tr_entry *e) {
    uint32_t lru = tr_entry_lru(e);
    uint32_t counter = lru & 255u;
    if (store->lfu_decay_minutes <= 0) return counter;
    uint32_t passed = (minutes16(store) - (lru >> 8)) & 0xffffu;
    uint32_t periods = passed / (uint32_t)store->lfu_decay_minutes;
    return periods >= counter ? 0 : counter - periods;
}

/* One more use: the more uses were counted, the less likely the counter grows. */
static uint32_t lfu_grown(tr_store *store, uint32_t counter) {
    if (counter >= LFU_MAX) return LFU_MAX;
    uint64_t above = counter > TR_LFU_START ? counter - TR_LFU_START : 0;
    uint64_t odds = above * (uint64_t)store->lfu_log_factor + 1;
    return tr_rng_below(&store->rng, odds) == 0 ? counter + 1 : counter;
}

void tr_store_touch(tr_store *store, tr_entry *e) {
    if (store->no_touch) return;
    if (store->policy & TR_POLICY_LFU) {
        uint32_t counter = lfu_grown(store, tr_store_lfu_now(store, e));
        tr_entry_set_lru(e, minutes16(store) << 8 | counter);
    } else if (tr_entry_lru(e) != store->lru_clock) {
        tr_entry_set_lru(e, store->lru_clock);
    }
}

uint64_t tr_store_idle_ms(const tr_store *store, const tr_entry *e) {
    return (uint64_t)((store->lru_clock - tr_entry_lru(e)) & LRU_MASK) * 1000;
}

int tr_store_over_limit(const tr_store *store) {
    if (store->maxmemory == 0) return 0;
    int64_t counted = (int64_t)store->mem->used - store->not_counted - (int64_t)store->undo.bytes;
    return counted > 0 && (uint64_t)counted > store->maxmemory;
}

static void drop_pool_item(tr_store *store, int i) {
    tr_free(store->mem, store->pool[i].key);
    memmove(&store->pool[i], &store->pool[i + 1], (size_t)(store->pool_count - i - 1) * sizeof(tr_pool_item));
    store->pool_count--;
}

void tr_store_release_pool(tr_store *store) {
    while (store->pool_count > 0) drop_pool_item(store, store->pool_count - 1);
}

/* Greater is evicted sooner. */
static uint64_t score(const tr_store *store, const tr_entry *e) {
    if (store->policy & TR_POLICY_LFU) return LFU_MAX - tr_store_lfu_now(store, e);
    return tr_store_idle_ms(store, e);
}

/* Keeps the pool sorted by idle, greatest last; a full pool loses its least idle one. */
static void offer(tr_store *store, tr_db *db, const tr_entry *e) {
    uint64_t idle = score(store, e);
    size_t len = tr_entry_key_len(e);
    int at = 0;
    for (int i = 0; i < store->pool_count; i++) {
        const tr_pool_item *item = &store->pool[i];
        if (item->db_id == db->id && item->key_len == len && memcmp(item->key, e->key, len) == 0) return;
        if (item->idle < idle) at = i + 1;
    }
    if (store->pool_count == TR_EVICTION_POOL && at == 0) return;
    char *key = tr_alloc(store->mem, len);
    if (key == NULL) return; /* the sample is lost, nothing else */
    memcpy(key, e->key, len);
    if (store->pool_count == TR_EVICTION_POOL) {
        drop_pool_item(store, 0);
        at--;
    }
    memmove(&store->pool[at + 1], &store->pool[at], (size_t)(store->pool_count - at) * sizeof(tr_pool_item));
    store->pool[at] = (tr_pool_item){.idle = idle, .db_id = db->id, .key_len = (uint32_t)len, .key = key};
    store->pool_count++;
}

static void sample(tr_store *store, tr_db *db) {
    tr_hnode *nodes[64];
    int want = store->maxmemory_samples < 64 ? store->maxmemory_samples : 64;
    if (store->policy & TR_POLICY_ALLKEYS) {
        int n = tr_hash_sample(&db->keys, tr_rng_next(&store->rng), nodes, want);
        for (int i = 0; i < n; i++) offer(store, db, (tr_entry *)nodes[i]);
        return;
    }
    for (int i = 0; i < want && db->ttl.count > 0; i++) {
        uint32_t slot = 1 + (uint32_t)tr_rng_below(&store->rng, db->ttl.count);
        offer(store, db, db->ttl.items[slot].owner);
    }
}

static size_t candidates(const tr_store *store, const tr_db *db) {
    return store->policy & TR_POLICY_ALLKEYS ? tr_hash_count(&db->keys) : db->ttl.count;
}

/* LRU and LFU: the most idle of the pool that still exists. */
static tr_entry *pick_from_pool(tr_store *store, tr_db **db) {
    for (int tries = 0; tries < 16; tries++) {
        size_t total = 0;
        for (int i = 0; i < store->db_count; i++) {
            size_t n = candidates(store, &store->dbs[i]);
            total += n;
            if (n != 0) sample(store, &store->dbs[i]);
        }
        if (total == 0) return NULL;
        while (store->pool_count > 0) {
            tr_pool_item *item = &store->pool[store->pool_count - 1];
            *db = &store->dbs[item->db_id];
            tr_entry *e = tr_db_peek(*db, item->key, item->key_len);
            drop_pool_item(store, store->pool_count - 1);
            if (e != NULL && (store->policy & TR_POLICY_ALLKEYS || e->ttl_slot != 0)) return e;
        }
    }
    return NULL;
}

static tr_entry *pick_random(tr_store *store, tr_db **out) {
    for (int i = 0; i < store->db_count; i++) {
        tr_db *db = &store->dbs[store->evict_next_db];
        store->evict_next_db = (store->evict_next_db + 1) % store->db_count;
        if (candidates(store, db) == 0) continue;
        *out = db;
        if (store->policy & TR_POLICY_ALLKEYS)
            return (tr_entry *)tr_hash_random(&db->keys, tr_rng_next(&store->rng), tr_rng_next(&store->rng));
        return db->ttl.items[1 + tr_rng_below(&store->rng, db->ttl.count)].owner;
    }
    return NULL;
}

static tr_entry *pick_soonest(tr_store *store, tr_db **out) {
    const tr_ttl_item *best = NULL;
    for (int i = 0; i < store->db_count; i++) {
        const tr_ttl_item *first = tr_ttlheap_peek(&store->dbs[i].ttl);
        if (first == NULL || (best != NULL && best->when <= first->when)) continue;
        best = first;
        *out = &store->dbs[i];
    }
    return best ? best->owner : NULL;
}

static tr_entry *pick(tr_store *store, tr_db **db) {
    if (store->policy & (TR_POLICY_LRU | TR_POLICY_LFU)) return pick_from_pool(store, db);
    if (store->policy & TR_POLICY_RANDOM) return pick_random(store, db);
    if (store->policy & TR_POLICY_TTL) return pick_soonest(store, db);
    return NULL;
}

static void evict(tr_store *store, tr_db *db, tr_entry *e) {
    size_t len = tr_entry_key_len(e);
    store->stats.evicted_keys++;
    if (store->wants & TR_WANTS_GONE) store->hooks.gone(store->hooks.ctx, db, TR_GONE_EVICTED, e->key, len);
    if (store->wants & TR_WANTS_CHANGED) store->hooks.changed(store->hooks.ctx, db, e->key, len);
    tr_db_event(db, TR_EV_EVICTED, "evicted", e->key, len);
    size_t used = store->mem->used;
    tr_db_delete(db, e);
    store->stats.evicted_bytes += used - store->mem->used;
}

static void evict_timed(tr_store *store, tr_db *db, tr_entry *e) {
    int64_t began_ns = tr_clock_mono_ns(store->stopwatch);
    evict(store, db, e);
    int64_t ns = tr_clock_mono_ns(store->stopwatch) - began_ns;
    if (ns > store->slowest_eviction_ns) store->slowest_eviction_ns = ns;
}

int tr_store_make_room(tr_store *store) {
    if (store->undo_depth != 0) return tr_store_over_limit(store) ? TR_ENOMEM : TR_OK;
    for (int round = 0; tr_store_over_limit(store); round++) {
        if (store->doomed != NULL) {
            tr_store_lazyfree(store, TR_LAZYFREE_STEP);
            continue;
        }
        tr_db *db = NULL;
        tr_entry *e = round < EVICT_ROUNDS_MAX ? pick(store, &db) : NULL;
        if (e == NULL) return TR_ENOMEM;
        if (TR_LIKELY(store->stopwatch == NULL)) evict(store, db, e);
        else evict_timed(store, db, e);
    }
    return TR_OK;
}
