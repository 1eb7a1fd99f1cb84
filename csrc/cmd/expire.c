/* How long keys live: EXPIRE and its kin, TTL and its kin, PERSIST. */
#include "cmd/expire_time.h"

#include "base/err.h"
#include "exec/exec.h"
#include "exec/reply.h"

enum { IF_NONE = 1 << 0, IF_SOME = 1 << 1, IF_LATER = 1 << 2, IF_SOONER = 1 << 3 };

/* 1 and *conditions, or 0 after the error reply. */
static int parse_conditions(tr_client *c, uint32_t *conditions) {
    static const struct {
        const char *word;
        uint32_t bit;
    } words[] = {{"NX", IF_NONE}, {"XX", IF_SOME}, {"GT", IF_LATER}, {"LT", IF_SOONER}};
    uint32_t bits = 0;
    for (int i = 3; i < c->argc; i++) {
        size_t w = 0;
        while (w < 4 && !tr_arg_is(c, i, words[w].word)) w++;
        if (w == 4) {
            int len = c->argv[i].len < INT32_MAX ? (int)c->argv[i].len : INT32_MAX;
            tr_reply_errorf(c, "ERR Unsupported option %.*s", len, c->argv[i].ptr);
            return 0;
        }
        bits |= words[w].bit;
    }
    *conditions = bits;
    if (bits & IF_NONE && bits & ~(uint32_t)IF_NONE) {
        tr_reply_error(c, "ERR NX and XX, GT or LT options at the same time are not compatible");
        return 0;
    }
    if (bits & IF_LATER && bits & IF_SOONER) {
        tr_reply_error(c, "ERR GT and LT options at the same time are not compatible");
        return 0;
    }
    return 1;
}

/* now: the deadline that the key has, -1: none, which is later than any. */
static int holds(uint32_t conditions, int64_t now, int64_t when) {
    if (conditions & IF_NONE && now != -1) return 0;
    if (conditions & IF_SOME && now == -1) return 0;
    if (conditions & IF_LATER && (now == -1 || when <= now)) return 0;
    if (conditions & IF_SOONER && now != -1 && when >= now) return 0;
    return 1;
}

static void expire(tr_client *c, tr_time_unit unit, tr_time_base base) {
    const tr_arg *key = &c->argv[1];
    uint32_t conditions = 0;
    int64_t when;
    if (!parse_conditions(c, &conditions) || !tr_arg_deadline(c, 2, unit, base, &when)) return;
    tr_entry *e = tr_db_write(c->db, key);
    if (e == NULL || !holds(conditions, tr_db_expire_at(c->db, e), when)) {
        tr_reply_int(c, 0);
    } else if (tr_deadline_passed(c, when)) {
        tr_db_delete(c->db, e);
        tr_db_changed(c->db, TR_EV_GENERIC, "del", key->ptr, key->len);
        tr_reply_int(c, 1);
    } else if (tr_db_set_expire(c->db, e, when) != TR_OK) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
    } else {
        tr_db_changed(c->db, TR_EV_GENERIC, "expire", key->ptr, key->len);
        tr_reply_int(c, 1);
    }
}

void tr_cmd_expire(tr_client *c) {
    expire(c, TR_SECONDS, TR_FROM_NOW);
}

void tr_cmd_expireat(tr_client *c) {
    expire(c, TR_SECONDS, TR_SINCE_1970);
}

void tr_cmd_pexpire(tr_client *c) {
    expire(c, TR_MILLISECONDS, TR_FROM_NOW);
}

void tr_cmd_pexpireat(tr_client *c) {
    expire(c, TR_MILLISECONDS, TR_SINCE_1970);
}

static void reply_life(tr_client *c, tr_time_unit unit, tr_time_base base) {
    const tr_entry *e = tr_db_read_no_touch(c->db, &c->argv[1]);
    int64_t when = e ? tr_db_expire_at(c->db, e) : -1;
    if (when == -1) {
        tr_reply_int(c, e ? -1 : -2);
        return;
    }
    if (base == TR_FROM_NOW) when -= c->x->store->now_ms;
    if (when < 0) when = 0;
    /* Rounded; in unsigned arithmetic, as the last deadline of all is INT64_MAX. */
    tr_reply_int(c, unit == TR_SECONDS ? (int64_t)(((uint64_t)when + 500) / 1000) : when);
}

void tr_cmd_ttl(tr_client *c) {
    reply_life(c, TR_SECONDS, TR_FROM_NOW);
}

void tr_cmd_pttl(tr_client *c) {
    reply_life(c, TR_MILLISECONDS, TR_FROM_NOW);
}

void tr_cmd_expiretime(tr_client *c) {
    reply_life(c, TR_SECONDS, TR_SINCE_1970);
}

void tr_cmd_pexpiretime(tr_client *c) {
    reply_life(c, TR_MILLISECONDS, TR_SINCE_1970);
}

void tr_cmd_persist(tr_client *c) {
    const tr_arg *key = &c->argv[1];
    tr_entry *e = tr_db_write(c->db, key);
    if (e == NULL || !tr_db_persist(c->db, e)) {
        tr_reply_int(c, 0);
        return;
    }
    tr_db_changed(c->db, TR_EV_GENERIC, "persist", key->ptr, key->len);
    tr_reply_int(c, 1);
}
