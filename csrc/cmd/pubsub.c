/* SUBSCRIBE and back in its three kinds, PUBLISH and SPUBLISH, and what PUBSUB tells. */
#include <string.h>

#include "base/glob.h"
#include "exec/exec.h"
#include "exec/multi.h"
#include "exec/reply.h"

#define WORD_SHOWN_MAX 128  /* bytes of an argument that an error repeats */
#define REHASH_BUCKETS 1000

/* What a confirmation counts: shard channels, or channels and patterns together. */
static int64_t counted(const tr_client *c, tr_sub_kind kind) {
    if (kind == TR_SUB_SHARD) return tr_pubsub_count(c, TR_SUB_SHARD);
    return (int64_t)tr_pubsub_count(c, TR_SUB_CHANNEL) + tr_pubsub_count(c, TR_SUB_PATTERN);
}

/* Confirmations are pushes: CLIENT REPLY does not silence them. name NULL: there was none. */
static void confirm(tr_client *c, const char *verb, const char *name, size_t len, int64_t count) {
    tr_writer w = {.q = c->w.q == &c->x->sink ? &c->out : c->w.q, .proto = c->w.proto};
    tr_w_push(&w, 3);
    tr_w_cstr(&w, verb);
    if (name != NULL) tr_w_bulk(&w, name, len);
    else tr_w_null(&w);
    tr_w_int(&w, count);
}

/* Who expects one reply for each command can't have messages. Within EXEC that is so for shard channels only. */
static int may_subscribe(tr_client *c, tr_sub_kind kind, const char *name) {
    int in_exec = c->multi != NULL && c->multi->running;
    if (!(c->flags & TR_CLIENT_INTERNAL) && !(in_exec && kind == TR_SUB_SHARD)) return 1;
    tr_reply_errorf(c, "ERR %s isn't allowed for a DENY BLOCKING client", name);
    return 0;
}

static void subscribe(tr_client *c, tr_sub_kind kind, const char *verb, const char *name) {
    if (!may_subscribe(c, kind, name)) return;
    for (int i = 1; i < c->argc; i++) {
        const tr_arg *topic = &c->argv[i];
        if (tr_pubsub_add(c, kind, topic->ptr, topic->len) < 0) {
            tr_reply_error(c, TR_MSG_NO_MEMORY);
            return;
        }
        confirm(c, verb, topic->ptr, topic->len, counted(c, kind));
    }
}

static void unsubscribe(tr_client *c, tr_sub_kind kind, const char *verb) {
    for (int i = 1; i < c->argc; i++) {
        tr_pubsub_remove(c, kind, c->argv[i].ptr, c->argv[i].len);
        confirm(c, verb, c->argv[i].ptr, c->argv[i].len, counted(c, kind));
    }
    if (c->argc > 1) return;
    if (tr_pubsub_count(c, kind) == 0) confirm(c, verb, NULL, 0, counted(c, kind));
    while (tr_pubsub_count(c, kind) != 0) {
        tr_subscription *s = c->pubsub->first[kind];
        confirm(c, verb, s->topic->name, s->topic->len, counted(c, kind) - 1);
        tr_pubsub_end(s);
    }
}

void tr_cmd_subscribe(tr_client *c) {
    subscribe(c, TR_SUB_CHANNEL, "subscribe", "SUBSCRIBE");
}

void tr_cmd_psubscribe(tr_client *c) {
    subscribe(c, TR_SUB_PATTERN, "psubscribe", "PSUBSCRIBE");
}

void tr_cmd_ssubscribe(tr_client *c) {
    subscribe(c, TR_SUB_SHARD, "ssubscribe", "SSUBSCRIBE");
}

void tr_cmd_unsubscribe(tr_client *c) {
    unsubscribe(c, TR_SUB_CHANNEL, "unsubscribe");
}

void tr_cmd_punsubscribe(tr_client *c) {
    unsubscribe(c, TR_SUB_PATTERN, "punsubscribe");
}

void tr_cmd_sunsubscribe(tr_client *c) {
    unsubscribe(c, TR_SUB_SHARD, "sunsubscribe");
}

static void publish(tr_client *c, int shard) {
    const tr_arg *channel = &c->argv[1], *msg = &c->argv[2];
    int64_t receivers = tr_pubsub_publish(c->x, channel->ptr, channel->len, msg->ptr, msg->len, shard);
    if (receivers < 0) tr_reply_error(c, TR_MSG_NO_MEMORY);
    else tr_reply_int(c, receivers);
}

void tr_cmd_publish(tr_client *c) {
    publish(c, 0);
}

void tr_cmd_spublish(tr_client *c) {
    publish(c, 1);
}

typedef struct listing {
    tr_client *c;
    const tr_arg *pattern; /* NULL: all */
    size_t count;
} listing;

static void list_topic(void *ctx, tr_hnode *node) {
    listing *l = ctx;
    const tr_topic *t = (const tr_topic *)node;
    if (l->pattern && !tr_glob_match(l->pattern->ptr, l->pattern->len, t->name, t->len, 0)) return;
    tr_reply_bulk(l->c, t->name, t->len);
    l->count++;
}

static void list_topics(tr_client *c, tr_sub_kind kind) {
    tr_hash *topics = &c->x->pubsub.topics[kind];
    if (c->argc > 3) {
        int shown = (int)(c->argv[1].len < WORD_SHOWN_MAX ? c->argv[1].len : WORD_SHOWN_MAX);
        tr_reply_errorf(c, "ERR unknown subcommand or wrong number of arguments for '%.*s'. Try PUBSUB HELP.", shown,
                        c->argv[1].ptr);
        return;
    }
    listing l = {.c = c, .pattern = c->argc == 3 ? &c->argv[2] : NULL};
    tr_w_gap gap = tr_w_defer(&c->w);
    while (tr_hash_rehash(topics, REHASH_BUCKETS)) continue; /* or a scan could show a topic twice */
    uint64_t cursor = 0;
    do cursor = tr_hash_scan(topics, cursor, list_topic, &l);
    while (cursor != 0);
    tr_w_defer_end(&c->w, gap, '*', l.count);
}

void tr_cmd_pubsub_channels(tr_client *c) {
    list_topics(c, TR_SUB_CHANNEL);
}

void tr_cmd_pubsub_shardchannels(tr_client *c) {
    list_topics(c, TR_SUB_SHARD);
}

static void count_members(tr_client *c, tr_sub_kind kind) {
    tr_reply_array(c, (size_t)(c->argc - 2) * 2);
    for (int i = 2; i < c->argc; i++) {
        tr_reply_bulk(c, c->argv[i].ptr, c->argv[i].len);
        tr_reply_int(c, tr_pubsub_members(c->x, kind, c->argv[i].ptr, c->argv[i].len));
    }
}

void tr_cmd_pubsub_numsub(tr_client *c) {
    count_members(c, TR_SUB_CHANNEL);
}

void tr_cmd_pubsub_shardnumsub(tr_client *c) {
    count_members(c, TR_SUB_SHARD);
}

void tr_cmd_pubsub_numpat(tr_client *c) {
    tr_reply_int(c, (int64_t)tr_hash_count(&c->x->pubsub.topics[TR_SUB_PATTERN]));
}
