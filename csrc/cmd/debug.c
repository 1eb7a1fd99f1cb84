/* DEBUG: looks behind the scenes, and makes things happen that tests need. The table has a row for
 * each subcommand. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"
#include "cmd/debug_parts.h"
#include "exec/exec.h"
#include "exec/reply.h"
#include "store/digest.h"

#define TABLE_TEXT 4096         /* bytes of text about one hash table */
#define POPULATE_KEY_MAX 4096   /* longest prefix of a key, with its number */
#define SLEEP_SECONDS_MAX 1e9
#define MSG_UNKNOWN                                                                                \
    "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try DEBUG HELP."
#define MSG_NO_TABLE                                                                               \
    "ERR The value stored at the specified key is not represented using an hash table"
#define NS_PER_S 1000000000

static void debug_sleep(tr_client *c) {
    double seconds = 0;
    if (!tr_num_parse_double(c->argv[2].ptr, c->argv[2].len, &seconds) || seconds < 0) seconds = 0;
    if (seconds > SLEEP_SECONDS_MAX) seconds = SLEEP_SECONDS_MAX;
    double whole = floor(seconds);
    struct timespec left = {
        .tv_sec = (time_t)whole,
        .tv_nsec = (long)((seconds - whole) * NS_PER_S),
    };
    while (nanosleep(&left, &left) != 0) continue; /* a signal: the rest of the time is in `left` */
    tr_reply_ok(c);
}

static void debug_error(tr_client *c) {
    tr_reply_error_len(c, c->argv[2].ptr, c->argv[2].len);
}

static void debug_set_active_expire(tr_client *c) {
    int64_t on = 0;
    c->x->store->active_expire = tr_num_parse_int(c->argv[2].ptr, c->argv[2].len, &on) && on != 0;
    tr_reply_ok(c);
}

/* Bytes of a string value in an RDB file, not compressed, its type byte left out. */
static size_t saved_bytes(const tr_entry *e) {
    int64_t n;
    size_t len = tr_entry_string_len(e);
    if (len < TR_INT_TEXT && tr_entry_string_int(e, &n) && n >= INT32_MIN && n <= INT32_MAX) {
        return n >= INT8_MIN && n <= INT8_MAX ? 2 : n >= INT16_MIN && n <= INT16_MAX ? 3 : 5;
    }
    return len + (len < 64 ? 1 : len < 16384 ? 2 : len <= UINT32_MAX ? 5 : 9);
}

static void debug_object(tr_client *c) {
    const tr_entry *e = tr_db_peek(c->db, c->argv[2].ptr, c->argv[2].len);
    if (e == NULL) {
        tr_reply_error(c, TR_MSG_NO_KEY);
        return;
    }
    const tr_store *store = c->x->store;
    char text[256];
    const char *encoding = store->types[tr_entry_type(e)]->encoding_name(e);
    int n = snprintf(text, sizeof(text),
                     "Value at:%p refcount:1 encoding:%s serializedlength:%zu lru:%" PRIu32
                     " lru_seconds_idle:%" PRIu64,
                     (const void *)e, encoding, saved_bytes(e), tr_entry_lru(e),
                     tr_store_idle_ms(store, e) / 1000);
    tr_w_simple(&c->w, text, (size_t)n);
}

static void reply_digest(tr_client *c, const unsigned char digest[TR_SHA1_BYTES]) {
    char text[2 * TR_SHA1_BYTES + 1];
    for (int i = 0; i < TR_SHA1_BYTES; i++) sprintf(text + 2 * i, "%02x", digest[i]);
    tr_reply_simple(c, text);
}

static void debug_digest(tr_client *c) {
    unsigned char digest[TR_SHA1_BYTES];
    tr_digest_store(digest, c->x->store);
    reply_digest(c, digest);
}

static void debug_digest_value(tr_client *c) {
    tr_reply_array(c, (size_t)c->argc - 2);
    for (int i = 2; i < c->argc; i++) {
        unsigned char digest[TR_SHA1_BYTES] = {0};
        const tr_entry *e = tr_db_look(c->db, &c->argv[i]);
        if (e != NULL) tr_digest_value(digest, c->db, e);
        reply_digest(c, digest);
    }
}

/* 1 and *out >= 0, or 0 after the error. */
static int arg_count(tr_client *c, int i, int64_t *out) {
    if (!tr_arg_int(c, i, out)) return 0;
    if (*out >= 0) return 1;
    tr_reply_error(c, "ERR value is out of range, must be positive");
    return 0;
}

/* A string of `size` bytes: the text, cut or followed by zeros. NULL: no memory. */
static tr_entry *add_filled(tr_db *db, const tr_arg *key, uint32_t hash, const char *text,
                            size_t size) {
    tr_mem *mem = db->store->mem;
    tr_blob *blob = tr_blob_new(mem, NULL, size, size);
    if (blob == NULL) return NULL;
    memset(blob->data, 0, size);
    memcpy(blob->data, text, strlen(text));
    tr_entry *e = tr_db_set_value(db, NULL, key, hash, TR_STRING, TR_ENC_RAW, blob, 0);
    if (e == NULL) tr_blob_drop(mem, blob);
    return e;
}

/* Adds one key unless it is there, with a value of `size` bytes (0: as long as its text). 0 or
 * TR_ENOMEM. */
static int populate_one(tr_db *db, const tr_arg *key, int64_t number, size_t size) {
    uint32_t hash;
    if (tr_db_write_hash(db, key, &hash) != NULL) return TR_OK;
    char text[TR_EMB_VALUE_MAX] = {0};
    size_t len = (size_t)snprintf(text, sizeof(text), "value:%" PRId64, number);
    if (size == 0) size = len;
    tr_entry *e = size <= sizeof(text) ? tr_db_set_plain(db, NULL, key, hash, text, size, 0)
                                       : add_filled(db, key, hash, text, size);
    if (e == NULL) return TR_ENOMEM;
    tr_db_changed(db, 0, "", key->ptr, key->len);
    return TR_OK;
}

static void debug_populate(tr_client *c) {
    int64_t count, size = 0;
    if (!arg_count(c, 2, &count) || (c->argc > 4 && !arg_count(c, 4, &size))) return;
    const tr_arg plain = {.ptr = "key", .len = 3};
    const tr_arg *prefix = c->argc > 3 ? &c->argv[3] : &plain;
    char text[POPULATE_KEY_MAX + TR_INT_TEXT + 1];
    if (prefix->len > POPULATE_KEY_MAX || size > c->x->string_max) {
        tr_reply_error(c, "ERR prefix or value is too long");
        return;
    }
    memcpy(text, prefix->ptr, prefix->len);
    text[prefix->len] = ':';
    for (int64_t i = 0; i < count; i++) {
        size_t digits = tr_num_format_int(text + prefix->len + 1, i);
        const tr_arg key = {.ptr = text, .len = prefix->len + 1 + digits};
        if (populate_one(c->db, &key, i, (size_t)size) != TR_OK) {
            tr_reply_error(c, TR_MSG_NO_MEMORY);
            return;
        }
    }
    tr_reply_ok(c);
}

static void debug_htstats(tr_client *c) {
    int64_t id;
    const tr_store *store = c->x->store;
    if (!tr_arg_int(c, 2, &id)) return;
    if (id < 0 || id >= store->db_count) {
        tr_reply_error(c, "ERR Out of range database");
        return;
    }
    const tr_db *db = &store->dbs[id];
    char text[TABLE_TEXT + 256];
    size_t at = (size_t)sprintf(text, "[Dictionary HT]\n");
    at += tr_hash_stats(&db->keys, text + at, TABLE_TEXT);
    at += (size_t)sprintf(text + at,
                          "[Expires heap]\n number of elements: %" PRIu32 "\n size in bytes: %zu\n",
                          db->ttl.count, tr_ttlheap_memory(&db->ttl));
    tr_w_verbatim(&c->w, "txt", text, at);
}

static void debug_htstats_key(tr_client *c) {
    const tr_entry *e = tr_db_look(c->db, &c->argv[2]);
    tr_reply_error(c, e == NULL ? TR_MSG_NO_KEY : MSG_NO_TABLE);
}

/* There is no buffer of replies whose size could be tuned: settings are accepted and forgotten. */
static void debug_replybuffer(tr_client *c) {
    int64_t n;
    if (tr_arg_is(c, 2, "RESIZING")) {
        if (tr_arg_int(c, 3, &n)) tr_reply_ok(c);
    } else if (!tr_arg_is(c, 2, "PEAK-RESET-TIME")) {
        tr_reply_error(c, TR_MSG_SYNTAX);
    } else if (tr_arg_is(c, 3, "NEVER") || tr_arg_is(c, 3, "RESET") || tr_arg_int(c, 3, &n)) {
        tr_reply_ok(c);
    }
}

static void debug_help(tr_client *c);

typedef struct subcommand {
    const char *name;
    int argc_min, argc_max; /* DEBUG and the name included */
    void (*fn)(tr_client *c);
    const char *args, *about;
} subcommand;

#define ANY_NUMBER INT32_MAX

static const subcommand subcommands[] = {
    {"DIGEST", 2, 2, debug_digest, "", "Signs all data: equal data gives equal digits."},
    {"DIGEST-VALUE", 2, ANY_NUMBER, debug_digest_value, "key [key ...]",
     "Signs the value of each key; zeros where there is none."},
    {"ERROR", 3, 3, debug_error, "text", "Answers with that error."},
    {"HELP", 2, 2, debug_help, "", "Lists what DEBUG can do."},
    {"HTSTATS", 3, 4, debug_htstats, "db [FULL]", "Describes the tables behind a database."},
    {"HTSTATS-KEY", 3, 4, debug_htstats_key, "key [FULL]",
     "Describes the hash table that is the value of a key."},
    {"OBJECT", 3, 4, debug_object, "key [FAST]",
     "Tells address, encoding, size in a file (not compressed) and age of a value."},
    {"POPULATE", 3, 5, debug_populate, "count [prefix [size]]",
     "Adds that many strings, named key:0 and so on."},
    {"PROTOCOL", 3, 3, tr_debug_protocol, "type",
     "Answers with a sample of a reply type: " TR_DEBUG_TYPES "."},
    {"REPLYBUFFER", 4, 4, debug_replybuffer,
     "PEAK-RESET-TIME <NEVER | RESET | ms> | RESIZING <0 | 1>",
     "Is accepted and changes nothing: this server has no such buffers."},
    {"SET-ACTIVE-EXPIRE", 3, 3, debug_set_active_expire, "0 | 1",
     "Switches off that keys die of age before somebody asks for them."},
    {"SLEEP", 3, 3, debug_sleep, "seconds",
     "Stops the whole server for a while, fractions allowed."},
};

#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static void debug_help(tr_client *c) {
    tr_reply_array(c, 1 + 2 * SUBCOMMANDS);
    tr_reply_simple(c, "DEBUG <subcommand> [<arg> ...]. Subcommands are:");
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        char line[256];
        const subcommand *sub = &subcommands[i];
        snprintf(line, sizeof(line), "%s%s%s", sub->name, *sub->args ? " " : "", sub->args);
        tr_reply_simple(c, line);
        snprintf(line, sizeof(line), "    %s", sub->about);
        tr_reply_simple(c, line);
    }
}

void tr_cmd_debug(tr_client *c) {
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        const subcommand *sub = &subcommands[i];
        if (!tr_arg_is(c, 1, sub->name)) continue;
        if (c->argc < sub->argc_min || c->argc > sub->argc_max) break;
        sub->fn(c);
        return;
    }
    size_t len = c->argv[1].len < TR_UNKNOWN_ARGS_MAX ? c->argv[1].len : TR_UNKNOWN_ARGS_MAX;
    tr_reply_errorf(c, MSG_UNKNOWN, (int)len, c->argv[1].ptr);
}
