/* store.h - the keyspace: databases of entries, their expiry, their eviction, and who wants to know
 * of changes.
 *
 * Owns every entry and value. One thread. Time and randomness come in: the engine's loop sets
 * now_ms and the clocks of LRU and LFU before it runs commands, and seeds rng. No function here
 * does I/O or calls Python.
 *
 * Who wants to know (watched keys, blocked clients, tracking, notifications) sits in exec/ and
 * hangs its functions into tr_store_hooks; a hook that is not wanted costs one test (see
 * tr_store_wants).
 */
#ifndef TR_STORE_STORE_H
#define TR_STORE_STORE_H

#include <stdint.h>

#include "base/arg.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "ds/hash.h"
#include "ds/ttlheap.h"
#include "store/entry.h"
#include "store/undo.h"

#define TR_DB_MAX 16384          /* databases of one server */
#define TR_LFU_START 5           /* a new key's LFU counter */
#define TR_EVICTION_POOL 16      /* best candidates remembered between samples */
#define TR_EXPIRE_RUN_MAX 400    /* keys that one active-expiry run may delete before it looks at the time */
#define TR_LAZYFREE_STEP 512     /* entries freed in the background per step */

struct tr_store;
struct tr_db;

/* Classes of keyspace events, one bit each, with the letter of notify-keyspace-events. */
typedef enum tr_event_class {
    TR_EV_GENERIC = 1 << 0,  /* g */
    TR_EV_STRING = 1 << 1,   /* $ */
    TR_EV_LIST = 1 << 2,     /* l */
    TR_EV_SET = 1 << 3,      /* s */
    TR_EV_HASH = 1 << 4,     /* h */
    TR_EV_ZSET = 1 << 5,     /* z */
    TR_EV_EXPIRED = 1 << 6,  /* x */
    TR_EV_EVICTED = 1 << 7,  /* e */
    TR_EV_STREAM = 1 << 8,   /* t */
    TR_EV_KEY_MISS = 1 << 9, /* m */
    TR_EV_MODULE = 1 << 10,  /* d */
    TR_EV_NEW = 1 << 11,     /* n */
} tr_event_class;

/* Why a key went. */
typedef enum tr_gone { TR_GONE_DELETED, TR_GONE_EXPIRED, TR_GONE_EVICTED } tr_gone;

/* All functions may be NULL. key and len are borrowed for the call. A hook must not change the
 * keyspace. */
typedef struct tr_store_hooks {
    void *ctx;
    void (*changed)(void *ctx, struct tr_db *db, const char *key, size_t len); /* value or existence changed */
    void (*event)(void *ctx, struct tr_db *db, tr_event_class cls, const char *name, const char *key, size_t len);
    /* blocked clients may go on */
    void (*added)(void *ctx, struct tr_db *db, tr_type type, const char *key, size_t len);
    /* expired, evicted: to propagate */
    void (*gone)(void *ctx, struct tr_db *db, tr_gone why, const char *key, size_t len);
    void (*flushed)(void *ctx, int db_id);          /* -1: all; before the keys go */
    void (*swapped)(void *ctx, int a, int b);
} tr_store_hooks;

/* Bits of tr_store.wants: which hooks are wanted now. */
#define TR_WANTS_CHANGED 1u
#define TR_WANTS_ADDED 2u
#define TR_WANTS_GONE 4u

typedef enum tr_policy_bits {
    TR_POLICY_LRU = 1,
    TR_POLICY_LFU = 2,
    TR_POLICY_ALLKEYS = 4,
    TR_POLICY_RANDOM = 8,
    TR_POLICY_TTL = 16,
} tr_policy_bits;

typedef enum tr_policy {
    TR_NOEVICTION = 0,
    TR_VOLATILE_LRU = TR_POLICY_LRU,
    TR_VOLATILE_LFU = TR_POLICY_LFU,
    TR_VOLATILE_RANDOM = TR_POLICY_RANDOM,
    TR_VOLATILE_TTL = TR_POLICY_TTL,
    TR_ALLKEYS_LRU = TR_POLICY_LRU | TR_POLICY_ALLKEYS,
    TR_ALLKEYS_LFU = TR_POLICY_LFU | TR_POLICY_ALLKEYS,
    TR_ALLKEYS_RANDOM = TR_POLICY_RANDOM | TR_POLICY_ALLKEYS,
} tr_policy;

typedef struct tr_store_stats {
    uint64_t keyspace_hits;
    uint64_t keyspace_misses;
    uint64_t expired_keys;
    uint64_t expired_lazy;
    uint64_t expire_cycle_us;
    uint64_t expired_time_cap;      /* active runs that stopped at their time limit */
    uint64_t evicted_keys;
    uint64_t evicted_bytes;         /* that they gave back */
    uint64_t lazyfreed_objects;
} tr_store_stats;

/* What each type can do; a row per type in tr_store.types. Functions get the word behind the key (a
 * pointer). */
typedef struct tr_type_ops {
    const char *name; /* TYPE's answer */
    const char *(*name_of)(const tr_entry *e); /* NULL: always `name` */
    void (*free_value)(struct tr_store *store, tr_enc enc, void *ptr);
    /* A copy of the value in *out; TR_ENOMEM. NULL: the undo log can't have one (TR_MODULE). */
    int (*copy_value)(struct tr_store *store, tr_enc enc, const void *ptr, void **out);
    /* In its place for a copy under another key, where the type wants to know which: 0 or a code. NULL: copy_value. */
    int (*copy_entry)(struct tr_db *from, const tr_entry *e, struct tr_db *to, const tr_arg *key, void **out);
    /* The key is being deleted or gets another value; not when all keys go. NULL: nothing to do. */
    void (*leaves)(struct tr_db *db, const tr_entry *e);
    size_t (*memory)(struct tr_db *db, const tr_entry *e, int64_t samples); /* bytes besides the entry */
    const char *(*encoding_name)(const tr_entry *e);
    /* As DEBUG DIGEST-VALUE has it. */
    void (*digest)(const struct tr_db *db, const tr_entry *e, unsigned char digest[20]);
} tr_type_ops;

/* The row of TR_STRING, which every store has; its values are freed and copied where they stand, in
 * db.c. */
extern const tr_type_ops tr_string_ops;

typedef struct tr_db {
    struct tr_store *store;
    int id;
    tr_hash keys;
    tr_ttlheap ttl;
} tr_db;

typedef struct tr_pool_item {
    uint64_t idle;   /* greater: sooner evicted */
    int db_id;
    uint32_t key_len;
    char *key;       /* owned */
} tr_pool_item;

typedef struct tr_doomed {
    struct tr_doomed *next;
    tr_hash keys;
    uint64_t cursor;
} tr_doomed;

typedef struct tr_store {
    tr_mem *mem;
    tr_db *dbs;
    int db_count;
    int64_t now_ms;       /* wall clock of the current command */
    uint32_t lru_clock;   /* seconds, 24 bits */
    uint32_t notify_mask; /* classes that are wanted; 0: none */
    uint32_t wants;
    int no_touch;         /* 1: reads leave LRU and LFU alone */
    int active_expire;    /* DEBUG SET-ACTIVE-EXPIRE */
    int keep_expired;     /* 1: never delete by time (loading, replica, paused) */
    uint64_t dirty;       /* changes since start */
    uint64_t hash_key[2];
    tr_rng rng;
    tr_policy policy;
    uint64_t maxmemory;
    int64_t not_counted;  /* bytes of mem->used that do not count for maxmemory */
    int maxmemory_samples;
    int lfu_log_factor;
    int lfu_decay_minutes;
    tr_store_hooks hooks;
    tr_store_stats stats;
    const tr_clock *stopwatch;   /* evictions are timed with it; NULL: they are not */
    int64_t slowest_eviction_ns; /* of one key, while they are timed */
    const tr_type_ops *types[TR_TYPE_COUNT];
    tr_pool_item pool[TR_EVICTION_POOL];
    int pool_count;
    int evict_next_db;
    int expire_next_db;
    tr_doomed *doomed;
    uint64_t doomed_count; /* entries waiting to be freed in the background */
    int undo_depth;        /* > 0: changes are recorded */
    tr_undo undo;
} tr_store;

/* What TYPE says of the entry. Borrowed until the entry changes. */
static inline const char *tr_entry_type_name(const tr_store *store, const tr_entry *e) {
    const tr_type_ops *ops = store->types[tr_entry_type(e)];
    return ops->name_of != NULL ? ops->name_of(e) : ops->name;
}

/* 0 or TR_ENOMEM, TR_EINVAL (db_count). seed: 16 random bytes. */
int tr_store_init(tr_store *store, tr_mem *mem, int db_count, const uint64_t seed[2]);
void tr_store_release(tr_store *store);
/* Sets the clocks. */
void tr_store_set_time(tr_store *store, int64_t now_ms);

/* db.c: lookups. `hash` variants take the code that tr_db_hash() gave. Entries are borrowed. */
uint32_t tr_db_hash(const tr_db *db, const char *key, size_t len);
/* As it is, expired or not; no statistics. */
tr_entry *tr_db_peek(tr_db *db, const char *key, size_t len);
/* For reading: deletes an expired one, counts hit or miss, touches LRU/LFU. NULL: none. */
tr_entry *tr_db_read(tr_db *db, const tr_arg *key);
/* The same without the touch (TTL, TYPE, EXISTS, ...). */
tr_entry *tr_db_read_no_touch(tr_db *db, const tr_arg *key);
/* For reading what may be replaced then: as tr_db_read, and the key's hash for a following add. */
tr_entry *tr_db_read_hash(tr_db *db, const tr_arg *key, uint32_t *hash);
/* Deletes an expired one; no statistics, no touch, no events. */
tr_entry *tr_db_look(tr_db *db, const tr_arg *key);
/* For changing: deletes an expired one, touches; no statistics. */
tr_entry *tr_db_write(tr_db *db, const tr_arg *key);
/* The same and the key's hash for a following add. */
tr_entry *tr_db_write_hash(tr_db *db, const tr_arg *key, uint32_t *hash);

/* db.c: changes. `old` is what tr_db_write_hash() gave for the key, NULL: none. All return the
 * entry (which may have moved), or NULL: no memory, unchanged. They free the old value of whatever
 * type, keep or drop the expiry, and tell `added`; the caller tells `changed` and events
 * (tr_db_changed). */
#define TR_KEEP_TTL 1
tr_entry *tr_db_set_string(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, const tr_arg *value, int flags);
/* Never as an integer. */
tr_entry *tr_db_set_plain(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash,
                          const char *p, size_t len, int flags);
tr_entry *tr_db_set_integer(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, int64_t n, int flags);
/* Steals value (on success only): a blob for TR_STRING, or what the type says. */
tr_entry *tr_db_set_value(tr_db *db, tr_entry *old, const tr_arg *key, uint32_t hash, tr_type type,
                          tr_enc enc, void *value, int flags);
/* The string value as a blob that nobody else shares and that has room for cap bytes; converts the
 * entry to TR_ENC_RAW. The caller may write up to cap bytes and set its len. *e follows the entry.
 * NULL: no memory, unchanged. */
tr_blob *tr_db_own_blob(tr_db *db, tr_entry **e, size_t cap);
/* For changes of several keys at once: first makes every entry, then puts all of them in place,
 * which can't fail. An entry made is the caller's until tr_db_put() steals it or tr_db_discard()
 * frees it; its node.next is free for the caller's own list. NULL: no memory. */
tr_entry *tr_db_make_string(tr_db *db, const tr_arg *key, uint32_t hash, const tr_arg *value);
/* Takes the place of what the key had, expiry included; tells `added` when it had nothing. */
void tr_db_put(tr_db *db, tr_entry *e);
void tr_db_discard(tr_db *db, tr_entry *e);
/* Takes the entry out and frees it with its value. */
void tr_db_delete(tr_db *db, tr_entry *e);
/* Gives the entry's value and expiry to another key of any database, in place of what that key had
 * there; the entry dies. NULL: no memory, unchanged. from and key together must not mean the entry
 * itself. */
tr_entry *tr_db_move(tr_db *from, tr_entry *e, tr_db *to, const tr_arg *key);
/* The same with a copy of value and expiry; the entry stays. 0, TR_ENOMEM, or what the type says. */
int tr_db_copy(tr_db *from, tr_entry *e, tr_db *to, const tr_arg *key);
/* A random key that is not expired, or NULL. */
tr_entry *tr_db_random(tr_db *db);
/* Drops all keys of one database or (-1) all; in the background when asked. The count of keys that
 * went. */
uint64_t tr_store_flush(tr_store *store, int db_id, int in_background);
/* 0, or TR_ENOMEM: not recorded in the undo log, unchanged. */
int tr_store_swap(tr_store *store, int a, int b);
/* Frees up to max entries of flushed databases; 1 while more are left. */
int tr_store_lazyfree(tr_store *store, int max);

/* Before a value is changed where it stands, not through the functions above (tr_db_own_blob() says it itself). 0, or
 * TR_ENOMEM: leave it as it is. */
int tr__undo_changing(tr_db *db, tr_entry *e);
static inline int tr_db_will_change(tr_db *db, tr_entry *e) {
    return db->store->undo_depth != 0 ? tr__undo_changing(db, e) : 0;
}

/* expiry.c */
/* Milliseconds since 1970, or -1. */
int64_t tr_db_expire_at(const tr_db *db, const tr_entry *e);
int tr_db_is_expired(const tr_db *db, const tr_entry *e);
/* Makes room for one more expiry, so that the next tr_db_set_expire() of this database can't fail.
 * 0 or TR_ENOMEM. */
int tr_db_reserve_expire(tr_db *db);
/* 0 or TR_ENOMEM. */
int tr_db_set_expire(tr_db *db, tr_entry *e, int64_t when_ms);
/* 1 when there was one. */
int tr_db_persist(tr_db *db, tr_entry *e);
/* Deletes what is due; looks at `clock_us(ctx)` every so often and stops after budget_us. Returns
 * keys deleted. */
uint64_t tr_store_expire_due(tr_store *store, int64_t budget_us, int64_t (*clock_us)(void *ctx), void *ctx);
void tr_db_expire_now(tr_db *db, tr_entry *e); /* one that is known to be due */

/* evict.c */
/* Evicts until memory is below maxmemory: 0, or TR_ENOMEM when nothing more may go (nothing at all while changes are
 * recorded for undo). */
int tr_store_make_room(tr_store *store);
int tr_store_over_limit(const tr_store *store);
uint32_t tr_store_lfu_now(const tr_store *store, const tr_entry *e); /* the counter, decayed to now */
uint32_t tr_store_new_lru(const tr_store *store);
void tr_store_touch(tr_store *store, tr_entry *e);
uint64_t tr_store_idle_ms(const tr_store *store, const tr_entry *e);
void tr_store_release_pool(tr_store *store);

/* Tells that the key's value changed: watchers, and the event when its class is wanted. Also counts
 * it as dirty. */
void tr_db_tell(tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len);
static inline void tr_db_changed(tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    tr_store *store = db->store;
    store->dirty++;
    if (store->wants & TR_WANTS_CHANGED || store->notify_mask & cls) tr_db_tell(db, cls, event, key, len);
}
/* An event alone. */
static inline void tr_db_event(tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    tr_store *store = db->store;
    if (store->notify_mask & cls && store->hooks.event) store->hooks.event(store->hooks.ctx, db, cls, event, key, len);
}
/* Asserts that databases, heaps and counts agree. */
void tr_store_check(tr_store *store);

#endif
