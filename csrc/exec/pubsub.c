#include "exec/pubsub.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/num.h"
#include "base/siphash.h"
#include "exec/exec.h"

#define BULK_HEAD_MAX (TR_INT_TEXT + 3) /* "$<length>\r\n" */

static const char message_head[] = "*3\r\n$7\r\nmessage\r\n";
static const char smessage_head[] = "*3\r\n$8\r\nsmessage\r\n";
static const char pmessage_head[] = "*4\r\n$8\r\npmessage\r\n";

/* --- topics ---------------------------------------------------------------------------------- */

static int same_name(const tr_hnode *node, const void *name, size_t len) {
    const tr_topic *t = (const tr_topic *)node;
    return t->len == len && memcmp(t->name, name, len) == 0;
}

static uint32_t hash_name(const tr_exec *x, const char *name, size_t len) {
    return (uint32_t)tr_siphash(name, len, x->store->hash_key);
}

static tr_topic *find_topic(tr_exec *x, tr_sub_kind kind, uint32_t hash, const char *name, size_t len) {
    tr_hnode **link = tr_hash_find_eq(&x->pubsub.topics[kind], hash, same_name, name, len);
    return link ? (tr_topic *)*link : NULL;
}

/* Bytes that stand for themselves at the front of a pattern. */
static size_t literal_of(const char *pattern, size_t len) {
    size_t n = 0;
    while (n < len && memchr("*?[\\", pattern[n], 4) == NULL) n++;
    return n;
}

static char *put_bulk_head(char *at, size_t len) {
    *at++ = '$';
    at += tr_num_format_uint(at, len);
    memcpy(at, "\r\n", 2);
    return at + 2;
}

static char *put_bulk(char *at, const char *p, size_t len) {
    at = put_bulk_head(at, len);
    if (len != 0) memcpy(at, p, len);
    memcpy(at + len, "\r\n", 2);
    return at + len + 2;
}

/* A pattern's text is the head of its messages, with its name inside; a channel's is its name. */
static void name_topic(tr_topic *t, const char *name, size_t len) {
    t->len = len;
    if (t->kind != TR_SUB_PATTERN) {
        if (len != 0) memcpy(t->text, name, len);
        t->name = t->text;
        t->head = t->kind == TR_SUB_SHARD ? smessage_head : message_head;
        t->head_len = t->kind == TR_SUB_SHARD ? sizeof(smessage_head) - 1 : sizeof(message_head) - 1;
        return;
    }
    size_t fixed = sizeof(pmessage_head) - 1;
    memcpy(t->text, pmessage_head, fixed);
    t->name = put_bulk_head(t->text + fixed, len);
    char *end = put_bulk(t->text + fixed, name, len);
    t->head = t->text;
    t->head_len = (size_t)(end - t->text);
    t->literal = literal_of(name, len);
}

static void link_pattern(tr_pubsub *p, tr_topic *t) {
    t->prev = p->patterns_last;
    if (p->patterns_last) p->patterns_last->next = t;
    else p->patterns = t;
    p->patterns_last = t;
}

static void unlink_pattern(tr_pubsub *p, tr_topic *t) {
    if (t->prev) t->prev->next = t->next;
    else p->patterns = t->next;
    if (t->next) t->next->prev = t->prev;
    else p->patterns_last = t->prev;
}

/* NULL: no memory. */
static tr_topic *open_topic(tr_exec *x, tr_sub_kind kind, uint32_t hash, const char *name, size_t len) {
    size_t extra = kind == TR_SUB_PATTERN ? sizeof(pmessage_head) + BULK_HEAD_MAX + 2 : 0;
    if (len > TR_ALLOC_MAX - sizeof(tr_topic) - extra) return NULL;
    tr_topic *t = tr_alloc(x->mem, sizeof(*t) + extra + len);
    if (t == NULL) return NULL;
    *t = (tr_topic){.node = {.hash = hash}, .kind = kind, .cap = 1};
    t->members = &t->lone;
    name_topic(t, name, len);
    tr_hash_insert(&x->pubsub.topics[kind], &t->node);
    if (kind == TR_SUB_PATTERN) link_pattern(&x->pubsub, t);
    return t;
}

static void close_topic_if_unused(tr_exec *x, tr_topic *t) {
    if (t->count != 0) return;
    tr_hash *topics = &x->pubsub.topics[t->kind];
    tr_hash_unlink(topics, tr_hash_link_of(topics, &t->node));
    if (t->kind == TR_SUB_PATTERN) unlink_pattern(&x->pubsub, t);
    if (t->members != &t->lone) tr_free(x->mem, t->members);
    tr_free(x->mem, t);
}

/* Room for one member more. */
static int grow_members(tr_exec *x, tr_topic *t) {
    if (t->count < t->cap) return TR_OK;
    uint32_t cap = t->cap == 1 ? 8 : t->cap * 2;
    tr_member *old = t->members == &t->lone ? NULL : t->members;
    tr_member *members = tr_realloc(x->mem, old, (size_t)cap * sizeof(*members));
    if (members == NULL) return TR_ENOMEM;
    if (old == NULL) members[0] = t->lone;
    t->members = members;
    t->cap = cap;
    return TR_OK;
}

/* The last member takes the place of the one that goes; a much too large array shrinks, if there is memory for it. */
static void drop_member(tr_exec *x, tr_topic *t, uint32_t at) {
    tr_assert(at < t->count);
    t->members[at] = t->members[--t->count];
    t->members[at].subscription->at = at;
    if (t->cap < 16 || t->count > t->cap / 4) return;
    tr_member *members = tr_realloc(x->mem, t->members, (size_t)(t->cap / 2) * sizeof(*members));
    if (members == NULL) return;
    t->members = members;
    t->cap /= 2;
}

/* --- subscriptions --------------------------------------------------------------------------- */

typedef struct link_key {
    const tr_client *client;
    const tr_topic *topic;
} link_key;

static int same_link(const tr_hnode *node, const void *want, size_t len) {
    (void)len;
    const tr_subscription *s = (const tr_subscription *)node;
    const link_key *key = want;
    return s->client == key->client && s->topic == key->topic;
}

static uint32_t hash_link(const tr_client *c, const tr_topic *t) {
    return t->node.hash ^ (uint32_t)((c->id * 0x9e3779b97f4a7c15u) >> 32);
}

static tr_subscription *find_subscription(const tr_client *c, const tr_topic *t) {
    link_key key = {.client = c, .topic = t};
    tr_hnode **link = tr_hash_find_eq(&c->x->pubsub.links, hash_link(c, t), same_link, &key, 0);
    return link ? (tr_subscription *)*link : NULL;
}

static int total(const tr_subscriber *sub) {
    return sub->count[TR_SUB_CHANNEL] + sub->count[TR_SUB_PATTERN] + sub->count[TR_SUB_SHARD] != 0;
}

static tr_subscriber *state_of(tr_client *c) {
    if (c->pubsub != NULL) return c->pubsub;
    tr_subscriber *sub = tr_zalloc(c->x->mem, sizeof(*sub));
    if (sub == NULL) return NULL;
    tr_outq_init(&sub->held, &c->x->pool);
    return c->pubsub = sub;
}

static void drop_state_if_unused(tr_client *c) {
    tr_subscriber *sub = c->pubsub;
    if (sub == NULL || total(sub) || sub->held.head != NULL) return;
    tr_free(c->x->mem, sub);
    c->pubsub = NULL;
}

static void join(tr_client *c, tr_topic *t, tr_subscription *s) {
    tr_exec *x = c->x;
    tr_subscriber *sub = c->pubsub;
    *s = (tr_subscription){.node = {.hash = hash_link(c, t)}, .topic = t, .client = c, .at = t->count};
    t->members[t->count++] = (tr_member){.client = c, .subscription = s};
    tr_hash_insert(&x->pubsub.links, &s->node);
    s->prev = sub->last[t->kind];
    if (s->prev) s->prev->next = s;
    else sub->first[t->kind] = s;
    sub->last[t->kind] = s;
    if (!total(sub)) {
        c->flags |= TR_CLIENT_PUBSUB;
        x->pubsub.clients++;
    }
    sub->count[t->kind]++;
}

int tr_pubsub_add(tr_client *c, tr_sub_kind kind, const char *name, size_t len) {
    tr_exec *x = c->x;
    uint32_t hash = hash_name(x, name, len);
    tr_topic *t = find_topic(x, kind, hash, name, len);
    if (t != NULL && find_subscription(c, t) != NULL) return 0;
    tr_subscription *s = state_of(c) != NULL ? tr_alloc(x->mem, sizeof(*s)) : NULL;
    if (s != NULL && t == NULL) t = open_topic(x, kind, hash, name, len);
    if (s == NULL || t == NULL || grow_members(x, t) != TR_OK) {
        tr_free(x->mem, s);
        drop_state_if_unused(c);
        return TR_ENOMEM;
    }
    join(c, t, s);
    return 1;
}

void tr_pubsub_end(tr_subscription *s) {
    tr_client *c = s->client;
    tr_exec *x = c->x;
    tr_topic *t = s->topic;
    tr_subscriber *sub = c->pubsub;
    drop_member(x, t, s->at);
    tr_hash_unlink(&x->pubsub.links, tr_hash_link_of(&x->pubsub.links, &s->node));
    if (s->prev) s->prev->next = s->next;
    else sub->first[t->kind] = s->next;
    if (s->next) s->next->prev = s->prev;
    else sub->last[t->kind] = s->prev;
    sub->count[t->kind]--;
    tr_free(x->mem, s);
    close_topic_if_unused(x, t);
    if (total(sub)) return;
    c->flags &= ~(uint32_t)TR_CLIENT_PUBSUB;
    tr_assert(x->pubsub.clients > 0);
    x->pubsub.clients--;
}

int tr_pubsub_remove(tr_client *c, tr_sub_kind kind, const char *name, size_t len) {
    const tr_topic *t = find_topic(c->x, kind, hash_name(c->x, name, len), name, len);
    tr_subscription *s = t ? find_subscription(c, t) : NULL;
    if (s == NULL) return 0;
    tr_pubsub_end(s);
    return 1;
}

void tr_pubsub_leave(tr_client *c) {
    if (c->pubsub == NULL) return;
    for (int kind = 0; kind < TR_SUB_KINDS; kind++) {
        while (c->pubsub->first[kind] != NULL) tr_pubsub_end(c->pubsub->first[kind]);
    }
    tr_outq_clear(&c->pubsub->held);
    drop_state_if_unused(c);
    tr_assert(c->pubsub == NULL);
}

void tr_pubsub_settle(tr_client *c) {
    tr_outq *held = &c->pubsub->held;
    if (held->head != NULL || held->failed) tr_outq_splice(&c->out, held);
    drop_state_if_unused(c);
}

uint32_t tr_pubsub_count(const tr_client *c, tr_sub_kind kind) {
    return c->pubsub ? c->pubsub->count[kind] : 0;
}

size_t tr_pubsub_memory(const tr_client *c) {
    const tr_subscriber *sub = c->pubsub;
    if (sub == NULL) return 0;
    size_t count = (size_t)sub->count[TR_SUB_CHANNEL] + sub->count[TR_SUB_PATTERN] + sub->count[TR_SUB_SHARD];
    size_t each = sizeof(tr_subscription) + sizeof(tr_member) + sizeof(tr_hnode *);
    return tr_mem_size(sub) + tr_outq_memory(&sub->held) + count * each;
}

uint32_t tr_pubsub_members(tr_exec *x, tr_sub_kind kind, const char *name, size_t len) {
    const tr_topic *t = find_topic(x, kind, hash_name(x, name, len), name, len);
    return t ? t->count : 0;
}

/* --- messages -------------------------------------------------------------------------------- */

/* Channel and message as they follow the head of every copy. */
typedef struct letter {
    const char *text; /* NULL: not written yet */
    size_t len;
    tr_blob *blob; /* owned; NULL: it is short */
    char small[TR_PUBSUB_SHARE_MIN];
} letter;

/* 0 or TR_ENOMEM. */
static int write_letter(tr_exec *x, letter *l, const char *channel, size_t channel_len, const char *msg, size_t len) {
    if (l->text != NULL) return TR_OK;
    char number[TR_INT_TEXT];
    if (channel_len > TR_ALLOC_MAX / 4 || len > TR_ALLOC_MAX / 4) return TR_ENOMEM;
    size_t frame = 2 * 5 + tr_num_format_uint(number, channel_len) + tr_num_format_uint(number, len);
    l->len = frame + channel_len + len;
    char *at = l->small;
    if (l->len > sizeof(l->small)) {
        l->blob = tr_blob_new(x->mem, NULL, l->len, l->len);
        if (l->blob == NULL) return TR_ENOMEM;
        at = l->blob->data;
    }
    l->text = at;
    at = put_bulk(at, channel, channel_len);
    at = put_bulk(at, msg, len);
    tr_assert((size_t)(at - l->text) == l->len);
    return TR_OK;
}

static void deliver(tr_client *c, const tr_topic *t, const letter *l) {
    if (TR_UNLIKELY(c->flags & (TR_CLIENT_CLOSE_NOW | TR_CLIENT_CLOSE_AFTER_REPLY))) return;
    tr_outq *q = TR_UNLIKELY(tr_client_is_executing(c)) ? &c->pubsub->held : &c->out;
    size_t own = t->head_len + (l->blob ? 0 : l->len);
    char *at = tr_outq_reserve_little(q, own);
    if (TR_LIKELY(at != NULL)) {
        memcpy(at, t->head, t->head_len);
        at[0] = c->w.proto == 3 ? '>' : '*';
        if (l->blob == NULL) memcpy(at + t->head_len, l->text, l->len);
        tr_outq_commit(q, own);
        if (l->blob != NULL) tr_outq_append_blob(q, l->blob, 0, l->len);
    }
    const tr_exec_hooks *hooks = &c->x->hooks;
    if (hooks->pushed) hooks->pushed(hooks->ctx, c);
}

static void deliver_to_all(const tr_topic *t, const letter *l) {
    for (uint32_t i = 0; i < t->count; i++) deliver(t->members[i].client, t, l);
}

static int matches(const tr_topic *t, const char *channel, size_t len) {
    if (len < t->literal || memcmp(channel, t->name, t->literal) != 0) return 0;
    return tr_glob_match(t->name, t->len, channel, len, 0);
}

int64_t tr_pubsub_publish(tr_exec *x, const char *channel, size_t channel_len, const char *msg, size_t len, int shard) {
    tr_pubsub *p = &x->pubsub;
    tr_sub_kind kind = shard ? TR_SUB_SHARD : TR_SUB_CHANNEL;
    int64_t receivers = 0;
    letter l;
    l.text = NULL;
    l.blob = NULL;
    const tr_topic *t = NULL;
    if (tr_hash_count(&p->topics[kind]) != 0)
        t = find_topic(x, kind, hash_name(x, channel, channel_len), channel, channel_len);
    if (t != NULL) {
        if (write_letter(x, &l, channel, channel_len, msg, len) != TR_OK) return TR_ENOMEM;
        deliver_to_all(t, &l);
        receivers += t->count;
    }
    for (t = shard ? NULL : p->patterns; t != NULL; t = t->next) {
        if (!matches(t, channel, channel_len)) continue;
        if (write_letter(x, &l, channel, channel_len, msg, len) != TR_OK) return TR_ENOMEM;
        deliver_to_all(t, &l);
        receivers += t->count;
    }
    tr_blob_drop(x->mem, l.blob);
    return receivers;
}

/* --- the whole ------------------------------------------------------------------------------- */

static int never(const tr_hnode *node, const void *key, size_t len) {
    (void)node, (void)key, (void)len;
    return 0; /* looked up with comparisons of their own */
}

void tr_pubsub_init(tr_exec *x) {
    for (int kind = 0; kind < TR_SUB_KINDS; kind++) tr_hash_init(&x->pubsub.topics[kind], x->mem, never);
    tr_hash_init(&x->pubsub.links, x->mem, never);
}

void tr_pubsub_release(tr_exec *x) {
    tr_pubsub *p = &x->pubsub;
    tr_assert(p->clients == 0 && p->patterns == NULL && tr_hash_count(&p->links) == 0);
    for (int kind = 0; kind < TR_SUB_KINDS; kind++) {
        tr_assert(tr_hash_count(&p->topics[kind]) == 0);
        tr_hash_release(&p->topics[kind]);
    }
    tr_hash_release(&p->links);
}

typedef struct census {
    tr_exec *x;
    uint64_t members, topics;
} census;

static void check_topic(void *ctx, tr_hnode *node) {
    census *seen = ctx;
    const tr_topic *t = (const tr_topic *)node;
    tr_assert(t->count > 0 && t->count <= t->cap);
    for (uint32_t i = 0; i < t->count; i++) {
        const tr_subscription *s = t->members[i].subscription;
        tr_assert(s->topic == t && s->at == i && s->client == t->members[i].client);
        tr_assert(find_subscription(s->client, t) == s);
        tr_assert(s->client->flags & TR_CLIENT_PUBSUB);
    }
    seen->members += t->count;
    seen->topics++;
}

void tr_pubsub_check(tr_exec *x) {
    tr_pubsub *p = &x->pubsub;
    census seen = {.x = x};
    for (int kind = 0; kind < TR_SUB_KINDS; kind++) {
        uint64_t cursor = 0, before = seen.topics;
        tr_hash_check(&p->topics[kind]);
        if (tr_hash_rehashing(&p->topics[kind])) return; /* a scan may see a topic twice */
        do cursor = tr_hash_scan(&p->topics[kind], cursor, check_topic, &seen);
        while (cursor != 0);
        tr_assert(seen.topics - before == tr_hash_count(&p->topics[kind]));
    }
    tr_hash_check(&p->links);
    tr_assert(seen.members == tr_hash_count(&p->links));
    uint64_t patterns = 0;
    for (const tr_topic *t = p->patterns; t != NULL; t = t->next) patterns++;
    tr_assert(patterns == tr_hash_count(&p->topics[TR_SUB_PATTERN]));
}
