/* pubsub.h - channels, patterns and shard channels: who listens, and the way of a message to all of them.
 *
 *   tr_pubsub.topics[kind]: name -> topic -> members: [client|subscription][client|subscription]...
 *                                                            |
 *   tr_client.pubsub -> first[kind] -> subscription <-> subscription ...    (also in tr_pubsub.links)
 *
 * A topic lives as long as it has members. A message is put together once: a short one is copied into each
 * listener's output, a long one (TR_PUBSUB_SHARE_MIN) is a blob that all of them share, whatever their protocol and
 * whether a channel or a pattern brought it there. Whoever owns the connection hears of each (tr_exec_hooks.pushed), to
 * look at limits and to send.
 *
 * A client that runs a command gets the messages of that command behind its reply: they wait in tr_subscriber.held
 * until tr_pubsub_settle(). One that is being closed gets none, but still counts as a receiver.
 *
 * Cost: subscribe and unsubscribe O(1), publish O(members + patterns). No memory: tr_pubsub_add() changes nothing,
 * tr_pubsub_publish() reaches nobody; a listener whose queue can't grow is closed, as with any reply.
 */
#ifndef TR_EXEC_PUBSUB_H
#define TR_EXEC_PUBSUB_H

#include <stddef.h>
#include <stdint.h>

#include "base/arg.h"
#include "base/mem.h"
#include "base/outq.h"
#include "ds/hash.h"

/* Bytes of channel and message from which listeners share one copy. Measured with 100 of them: at 250 bytes copying
 * costs a quarter of sharing, at 900 as much as half, at 2000 half as much again. */
#define TR_PUBSUB_SHARE_MIN 1024

struct tr_client;
struct tr_exec;

typedef enum tr_sub_kind { TR_SUB_CHANNEL, TR_SUB_PATTERN, TR_SUB_SHARD, TR_SUB_KINDS } tr_sub_kind;

typedef struct tr_subscription {
    tr_hnode node; /* in tr_pubsub.links */
    struct tr_subscription *prev, *next; /* the client's others of this kind, oldest first */
    struct tr_topic *topic;
    struct tr_client *client;
    uint32_t at; /* its place among the topic's members */
} tr_subscription;

typedef struct tr_member {
    struct tr_client *client;
    tr_subscription *subscription; /* owned */
} tr_member;

typedef struct tr_topic {
    tr_hnode node; /* in tr_pubsub.topics */
    struct tr_topic *prev, *next; /* all patterns */
    tr_member *members; /* owned unless it is `lone` */
    tr_member lone;
    uint32_t count, cap;
    tr_sub_kind kind;
    size_t literal; /* bytes that a text must begin with to match the pattern */
    const char *head; /* what each message begins with, as RESP2 */
    size_t head_len;
    const char *name; /* in text */
    size_t len;
    char text[];
} tr_topic;

/* What a client has subscribed to. */
typedef struct tr_subscriber {
    tr_subscription *first[TR_SUB_KINDS], *last[TR_SUB_KINDS];
    uint32_t count[TR_SUB_KINDS];
    tr_outq held; /* messages that came while its command ran */
} tr_subscriber;

typedef struct tr_pubsub {
    tr_hash topics[TR_SUB_KINDS];
    tr_hash links; /* subscriptions by client and topic */
    tr_topic *patterns, *patterns_last;
    uint64_t clients; /* that have a subscription */
} tr_pubsub;

void tr_pubsub_init(struct tr_exec *x);
/* All clients must be released. */
void tr_pubsub_release(struct tr_exec *x);

/* 1, 0: it had subscribed before, TR_ENOMEM. */
int tr_pubsub_add(struct tr_client *c, tr_sub_kind kind, const char *name, size_t len);
/* 1, or 0: it had not subscribed. */
int tr_pubsub_remove(struct tr_client *c, tr_sub_kind kind, const char *name, size_t len);
/* The client's subscription ends; frees it. */
void tr_pubsub_end(tr_subscription *s);
/* For a client that goes or is reset: as if it had never subscribed. */
void tr_pubsub_leave(struct tr_client *c);
/* After a command: the messages that it caused follow its reply. c->pubsub may be NULL afterwards. */
void tr_pubsub_settle(struct tr_client *c);
/* Subscriptions of one kind. */
uint32_t tr_pubsub_count(const struct tr_client *c, tr_sub_kind kind);
/* Bytes held for the client. */
size_t tr_pubsub_memory(const struct tr_client *c);

/* Clients that listen to a channel or shard channel, 0: none. */
uint32_t tr_pubsub_members(struct tr_exec *x, tr_sub_kind kind, const char *name, size_t len);
/* Somebody could hear a message on a channel. */
static inline int tr_pubsub_is_heard(const tr_pubsub *p) {
    return tr_hash_count(&p->topics[TR_SUB_CHANNEL]) != 0 || p->patterns != NULL;
}
/* Sends a message; returns how many receive it (who listens in two ways counts twice), or TR_ENOMEM: nobody does. */
int64_t tr_pubsub_publish(struct tr_exec *x, const char *channel, size_t channel_len, const char *msg, size_t len,
                          int shard);
/* Asserts that tables, members and counts agree; for tests. */
void tr_pubsub_check(struct tr_exec *x);

#endif
