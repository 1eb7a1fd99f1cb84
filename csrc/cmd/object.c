/* What the server knows of a value besides its content: OBJECT ENCODING, FREQ, IDLETIME,
 * REFCOUNT; MEMORY USAGE. */
#include "exec/exec.h"
#include "exec/reply.h"

#define SHARED_INTEGERS 10000 /* 0 ... 9999: what tools take for integers that all keys share */
#define SHARED_REFCOUNT INT32_MAX
#define USAGE_SAMPLES 5 /* elements of an aggregate that MEMORY USAGE weighs unless told */
#define MSG_SWITCHING                                                                              \
    " Please note that when switching between policies at runtime LRU and LFU data will take "     \
    "some time to adjust."

/* The entry of argv[2], or NULL after the null reply. Counts as a read, but is no use and no
 * miss to tell of. */
static const tr_entry *object(tr_client *c) {
    tr_store_stats *stats = &c->x->store->stats;
    const tr_entry *e = tr_db_look(c->db, &c->argv[2]);
    if (e != NULL) {
        stats->keyspace_hits++;
    } else {
        stats->keyspace_misses++;
        tr_reply_null(c);
    }
    return e;
}

void tr_cmd_object_encoding(tr_client *c) {
    const tr_entry *e = object(c);
    if (e != NULL) tr_reply_cstr(c, c->x->store->types[tr_entry_type(e)]->encoding_name(e));
}

void tr_cmd_object_freq(tr_client *c) {
    const tr_store *store = c->x->store;
    const tr_entry *e = object(c);
    if (e == NULL) return;
    if (store->policy & TR_POLICY_LFU) {
        tr_reply_int(c, tr_store_lfu_now(store, e));
        return;
    }
    tr_reply_error(c, "ERR An LFU maxmemory policy is not selected, access frequency not "
                      "tracked." MSG_SWITCHING);
}

void tr_cmd_object_idletime(tr_client *c) {
    const tr_store *store = c->x->store;
    const tr_entry *e = object(c);
    if (e == NULL) return;
    if (!(store->policy & TR_POLICY_LFU)) {
        tr_reply_int(c, (int64_t)(tr_store_idle_ms(store, e) / 1000));
        return;
    }
    tr_reply_error(c, "ERR An LFU maxmemory policy is selected, idle time not "
                      "tracked." MSG_SWITCHING);
}

/* A policy that looks at each key's use forbids sharing, once there is a limit. */
static int shares_integers(const tr_store *store) {
    return store->maxmemory == 0 || !(store->policy & (TR_POLICY_LRU | TR_POLICY_LFU));
}

void tr_cmd_object_refcount(tr_client *c) {
    const tr_entry *e = object(c);
    if (e == NULL) return;
    int is_int = tr_entry_type(e) == TR_STRING && tr_entry_enc(e) == TR_ENC_INT;
    int64_t n = is_int ? tr_entry_int(e) : -1;
    int is_shared = n >= 0 && n < SHARED_INTEGERS && shares_integers(c->x->store);
    tr_reply_int(c, is_shared ? SHARED_REFCOUNT : 1);
}

void tr_cmd_memory_usage(tr_client *c) {
    const tr_arg *key = &c->argv[2];
    int64_t samples = USAGE_SAMPLES;
    for (int i = 3; i < c->argc; i += 2) {
        if (i + 1 == c->argc || !tr_arg_is(c, i, "SAMPLES")) {
            tr_reply_error(c, TR_MSG_SYNTAX);
            return;
        }
        if (!tr_arg_int(c, i + 1, &samples)) return;
        if (samples < 0) {
            tr_reply_error(c, TR_MSG_SYNTAX);
            return;
        }
        if (samples == 0) samples = INT64_MAX;
    }
    const tr_entry *e = tr_db_peek(c->db, key->ptr, key->len);
    if (e == NULL) {
        tr_reply_null(c);
        return;
    }
    size_t bytes = tr_mem_size(e);
    bytes += c->x->store->types[tr_entry_type(e)]->memory(c->db, e, samples);
    tr_reply_int(c, (int64_t)bytes);
}
