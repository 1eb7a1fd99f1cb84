#include "base/assert.h"
#include "base/err.h"
#include "store/store.h"
#include "store/store_impl.h"

int64_t tr_db_expire_at(const tr_db *db, const tr_entry *e) {
    return e->ttl_slot == 0 ? -1 : tr_ttlheap_when(&db->ttl, e->ttl_slot);
}

int tr_db_is_expired(const tr_db *db, const tr_entry *e) {
    return e->ttl_slot != 0 && db->store->now_ms > tr_ttlheap_when(&db->ttl, e->ttl_slot);
}

int tr_db_reserve_expire(tr_db *db) {
    return tr_ttlheap_reserve(&db->ttl);
}

int tr_db_set_expire(tr_db *db, tr_entry *e, int64_t when_ms) {
    if (TR_UNLIKELY(db->store->undo_depth != 0) && tr__undo_expiry(db, e) != TR_OK) return TR_ENOMEM;
    if (e->ttl_slot == 0) return tr_ttlheap_add(&db->ttl, e, when_ms);
    tr_ttlheap_change(&db->ttl, e->ttl_slot, when_ms);
    return TR_OK;
}

int tr_db_persist(tr_db *db, tr_entry *e) {
    if (e->ttl_slot == 0) return 0;
    if (TR_UNLIKELY(db->store->undo_depth != 0) && tr__undo_expiry(db, e) != TR_OK) tr__undo_break(db->store);
    tr_ttlheap_drop(&db->ttl, e->ttl_slot);
    return 1;
}

void tr_db_expire_now(tr_db *db, tr_entry *e) {
    tr_store *store = db->store;
    const char *key = e->key;
    size_t len = tr_entry_key_len(e);
    store->stats.expired_keys++;
    if (store->wants & TR_WANTS_GONE) store->hooks.gone(store->hooks.ctx, db, TR_GONE_EXPIRED, key, len);
    if (store->wants & TR_WANTS_CHANGED) store->hooks.changed(store->hooks.ctx, db, key, len);
    tr_db_event(db, TR_EV_EXPIRED, "expired", key, len);
    tr_db_delete(db, e);
}

/* Deletes up to max due keys of one database; the count. */
static uint64_t expire_some(tr_db *db, uint64_t max) {
    uint64_t count = 0;
    const tr_ttl_item *first;
    while (count < max && (first = tr_ttlheap_peek(&db->ttl)) != NULL && db->store->now_ms > first->when) {
        tr_db_expire_now(db, first->owner);
        count++;
    }
    return count;
}

uint64_t tr_store_expire_due(tr_store *store, int64_t budget_us, int64_t (*clock_us)(void *ctx), void *ctx) {
    if (!store->active_expire || store->keep_expired) return 0;
    int64_t start = 0;
    uint64_t total = 0;
    for (int seen = 0; seen < store->db_count;) {
        tr_db *db = &store->dbs[store->expire_next_db % store->db_count];
        const tr_ttl_item *first = tr_ttlheap_peek(&db->ttl);
        if (first == NULL || store->now_ms <= first->when) {
            store->expire_next_db = (store->expire_next_db + 1) % store->db_count;
            seen++;
            continue;
        }
        if (start == 0) start = clock_us(ctx);
        total += expire_some(db, TR_EXPIRE_RUN_MAX);
        if (clock_us(ctx) - start >= budget_us) {
            store->stats.expired_time_cap++;
            break;
        }
    }
    if (start != 0) store->stats.expire_cycle_us += (uint64_t)(clock_us(ctx) - start);
    return total;
}
