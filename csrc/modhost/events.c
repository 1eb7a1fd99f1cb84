/* What happens to keys, told to modules.
 *
 * A module hears of an event when the command that made it has ended, not amid it: its callback may then use the
 * keyspace as it likes. So events are gathered (tr_modhost.told) and given out in their order by tr_modhost_tell(),
 * which runs each as a unit of its own. Those that happen outside of commands (expiry, eviction) are given out in the
 * next turn.
 */
#include <string.h>

#include "base/err.h"
#include "exec/exec.h"
#include "exec/notify.h"
#include "modhost/internal.h"

#define SUBSCRIPTIONS_MAX 64   /* callbacks of one helper */
#define TOLD_MAX 100000        /* events that wait; further ones are lost, and counted */
#define EVENT_NAME_MAX 255

/* REDISMODULE_NOTIFY_... of the store's classes, by their bits. */
static const struct {
    uint32_t ours;
    uint64_t theirs;
} classes[] = {
    {TR_EV_GENERIC, 1u << 2}, {TR_EV_STRING, 1u << 3},  {TR_EV_LIST, 1u << 4},     {TR_EV_SET, 1u << 5},
    {TR_EV_HASH, 1u << 6},    {TR_EV_ZSET, 1u << 7},    {TR_EV_EXPIRED, 1u << 8},  {TR_EV_EVICTED, 1u << 9},
    {TR_EV_STREAM, 1u << 10}, {TR_EV_KEY_MISS, 1u << 11}, {TR_EV_MODULE, 1u << 13}, {TR_EV_NEW, 1u << 14},
};
#define CLASSES (sizeof classes / sizeof *classes)

static uint32_t to_ours(uint64_t theirs) {
    uint32_t out = 0;
    for (size_t i = 0; i < CLASSES; i++) out |= theirs & classes[i].theirs ? classes[i].ours : 0;
    return out;
}

static uint64_t to_theirs(uint32_t ours) {
    uint64_t out = 0;
    for (size_t i = 0; i < CLASSES; i++) out |= ours & classes[i].ours ? classes[i].theirs : 0;
    return out;
}

tr_told *tr__modhost_told_new(tr_modhost *m, size_t bytes) {
    tr_told *t = m->told_count < TOLD_MAX ? tr_alloc(m->mem, sizeof *t + bytes) : NULL;
    if (t == NULL) m->told_lost++;
    else *t = (tr_told){0};
    return t;
}

void tr__modhost_told_add(tr_modhost *m, tr_told *t) {
    if (m->told_last != NULL) m->told_last->next = t;
    else m->told = t;
    m->told_last = t;
    m->told_count++;
    m->x->after |= TR_AFTER_TELL;
}

static void on_event(void *ctx, tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    tr_modhost *m = ctx;
    size_t event_len = strlen(event);
    tr__modhost_key_fate(m, db->id, cls, event, key, len);
    if (!(m->classes_wanted & to_theirs(cls)) || event_len > EVENT_NAME_MAX) return;
    tr_told *t = tr__modhost_told_new(m, event_len + len);
    if (t == NULL) return;
    *t = (tr_told){.cls = cls, .event_len = (uint16_t)event_len, .db_id = db->id, .key_len = len};
    memcpy(t->bytes, event, event_len);
    memcpy(t->bytes + event_len, key, len);
    tr__modhost_told_add(m, t);
}

/* The classes that any module wants, and those that tell what becomes of keys. */
void tr__modhost_listen_anew(tr_modhost *m) {
    uint64_t wanted = 0;
    for (const tr_helper *h = m->helpers; h != NULL; h = h->next) {
        for (uint32_t i = 0; i < h->subscription_count; i++) wanted |= h->subscriptions[i].classes;
    }
    m->classes_wanted = wanted;
    uint32_t ours = to_ours(wanted);
    if (m->events_wanted >> TR_HAPPENS_KEY & 1) ours |= TR_EV_GENERIC | TR_EV_EXPIRED | TR_EV_EVICTED;
    tr_notify_listen(m->x, ours, ours == 0 ? NULL : on_event, m);
}

int tr_modhost_subscribe_keyspace(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_subscribe_keyspace *msg = body;
    tr_msg_subscribe_keyspace_answer answer = {.outcome = 1};
    if (h->subscriptions == NULL) {
        h->subscriptions = tr_zalloc(h->m->mem, SUBSCRIPTIONS_MAX * sizeof *h->subscriptions);
        if (h->subscriptions == NULL) return TR_ENOMEM;
    }
    if (h->subscription_count < SUBSCRIPTIONS_MAX) {
        h->subscriptions[h->subscription_count++] =
            (tr_key_listener){.classes = msg->classes, .number = msg->subscription};
        answer.outcome = 0;
        tr__modhost_listen_anew(h->m);
    }
    return tr_helper_answer(h, header, &answer);
}

void tr_modhost_subscriptions_lost(tr_helper *h) {
    tr__modhost_events_lost(h);
    if (h->subscription_count == 0) return;
    h->subscription_count = 0;
    tr__modhost_listen_anew(h->m);
}

/* Those of the helper's callbacks that want this class. */
static uint32_t choose(const tr_helper *h, uint64_t cls, uint64_t out[SUBSCRIPTIONS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < h->subscription_count; i++) {
        if (h->subscriptions[i].classes & cls) out[count++] = h->subscriptions[i].number;
    }
    return count;
}

static void tell_helper(tr_helper *h, const tr_told *t) {
    tr_modhost *m = h->m;
    uint64_t numbers[SUBSCRIPTIONS_MAX];
    uint32_t count = choose(h, to_theirs(t->cls), numbers);
    if (count == 0 || h->state != TR_HELPER_SERVING) return;
    tr_msg_keyspace_event body = {
        .event_class = to_theirs(t->cls),
        .subscriptions = {.count = count, .items.u64s = numbers},
        .context_flags = tr_modhost_context_flags(m, NULL),
        .db = (uint32_t)t->db_id,
        .event = {.at = (const uint8_t *)t->bytes, .len = t->event_len},
        .name = {.at = (const uint8_t *)t->bytes + t->event_len, .len = (uint32_t)t->key_len},
    };
    tr_unit *unit = tr_unit_new(h, TR_UNIT_EVENT, TR_MSG_KEYSPACE_EVENT, &body);
    if (unit == NULL) {
        m->told_lost++;
        return;
    }
    unit->db_id = t->db_id;
    tr__unit_run_soon(h, unit);
}

void tr_modhost_tell(tr_modhost *m) {
    m->x->after &= ~(uint32_t)TR_AFTER_TELL;
    if (m->telling) return; /* the one outside goes on with these */
    m->telling = 1;
    while (m->told != NULL) {
        tr_told *t = m->told;
        m->told = t->next;
        if (m->told == NULL) m->told_last = NULL;
        m->told_count--;
        for (tr_helper *h = m->helpers; h != NULL; h = h->next) {
            if (t->is_server_event) tr__modhost_tell_event(h, t);
            else tell_helper(h, t);
        }
        tr_free(m->mem, t);
    }
    m->telling = 0;
}

void tr_modhost_told_release(tr_modhost *m) {
    while (m->told != NULL) {
        tr_told *t = m->told;
        m->told = t->next;
        tr_free(m->mem, t);
    }
    m->told_last = NULL;
}

int tr_modhost_notify_keyspace(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_notify_keyspace *msg = body;
    tr_exec *x = h->m->x;
    char event[EVENT_NAME_MAX + 1];
    uint32_t cls = to_ours(msg->event_class);
    if (msg->db >= (uint32_t)x->store->db_count) return tr_helper_wrong(h, "a database that is not there");
    if (msg->event.len > EVENT_NAME_MAX) return tr_helper_wrong(h, "a long name of an event");
    memcpy(event, msg->event.at, msg->event.len);
    event[msg->event.len] = '\0';
    tr_db *db = &x->store->dbs[msg->db];
    if (x->store->notify_mask & cls) tr_notify_event(x, db, cls, event, (const char *)msg->name.at, msg->name.len);
    return TR_OK;
}

int tr_modhost_notify_classes(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)body;
    tr_msg_notify_classes_answer answer = {.classes = to_theirs(h->m->x->notify.classes)};
    if (h->m->x->notify.keyspace) answer.classes |= 1u << 0;
    if (h->m->x->notify.keyevent) answer.classes |= 1u << 1;
    return tr_helper_answer(h, header, &answer);
}

/* Work for the end of the unit: a unit of its own behind it. */
int tr_modhost_add_job(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_add_job *msg = body;
    if (h->pending_count >= TR_MODHOST_PENDING_MAX) return tr_helper_wrong(h, "too many jobs");
    tr_msg_run_job run = {.job = msg->job, .context_flags = tr_modhost_context_flags(h->m, NULL)};
    tr_unit *unit = tr_unit_new(h, TR_UNIT_EVENT, TR_MSG_RUN_JOB, &run);
    if (unit == NULL) return TR_ENOMEM;
    tr_helper_queue(h, unit);
    return TR_OK;
}
