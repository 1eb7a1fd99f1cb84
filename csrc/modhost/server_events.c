/* What happens in the server, told to modules.
 *
 * As with changes of keys (events.c) a module hears of it when the command has ended that brought it about, each event
 * as a unit of its own, in the order of all that is told; what happens outside of commands is told in the next turn.
 * So the two events of a flush come one after the other, behind it, and a key that was deleted, expired or evicted is
 * no longer there when its event comes. Never happen here: changes of role and of replicas, of the link to a master,
 * persistence and its progress, forks, and a key that is overwritten; who wants those is told nothing.
 */
#include <string.h>

#include "base/err.h"
#include "modhost/internal.h"

#define EVENTS_MAX 18 /* ids are below */
#define TEXTS_MAX 64  /* of one message */

static int is_wanted(const tr_modhost *m, uint32_t event) {
    return (int)(m->events_wanted >> event & 1);
}

/* The union of what all want, and whether the dispatch has to say anything. */
static void look_again(tr_modhost *m) {
    m->events_wanted = 0;
    for (const tr_helper *h = m->helpers; h != NULL; h = h->next) m->events_wanted |= h->events_wanted;
    m->x->hooks.happens = m->events_wanted != 0 ? tr_modhost_happens : NULL;
    tr__modhost_listen_anew(m);
}

int tr_modhost_subscribe_event(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_subscribe_event *msg = body;
    tr_msg_subscribe_event_answer answer = {.outcome = msg->event >= EVENTS_MAX};
    if (answer.outcome == 0) {
        uint64_t bit = UINT64_C(1) << msg->event;
        h->events_wanted = msg->wanted ? h->events_wanted | bit : h->events_wanted & ~bit;
        look_again(h->m);
    }
    return tr_helper_answer(h, header, &answer);
}

void tr__modhost_events_lost(tr_helper *h) {
    if (h->events_wanted == 0) return;
    h->events_wanted = 0;
    look_again(h->m);
}

/* about: a helper that doesn't hear of it, because it is its own doing. */
static void gather(tr_modhost *m, const tr_happening *what, const tr_helper *about) {
    if (!is_wanted(m, what->event)) return;
    tr_told *t = tr__modhost_told_new(m, what->len);
    if (t == NULL) return;
    t->is_server_event = 1;
    t->happening = *what;
    t->happening.text = t->bytes;
    if (what->len != 0) memcpy(t->bytes, what->text, what->len);
    t->about = about;
    tr__modhost_told_add(m, t);
}

void tr_modhost_happens(void *ctx, const tr_happening *what) {
    gather(ctx, what, NULL);
}

/* What becomes of a key, as keyspace events name it; -1: it stays. */
static int fate_of(tr_event_class cls, const char *event) {
    if (cls == TR_EV_EXPIRED) return TR_KEY_HAS_EXPIRED;
    if (cls == TR_EV_EVICTED) return TR_KEY_WAS_EVICTED;
    if (cls != TR_EV_GENERIC) return -1;
    static const char *const deletions[] = {"del", "rename_from", "move_from"};
    for (size_t i = 0; i < sizeof deletions / sizeof *deletions; i++)
        if (strcmp(event, deletions[i]) == 0) return TR_KEY_WAS_DELETED;
    return -1;
}

void tr__modhost_key_fate(tr_modhost *m, int db_id, tr_event_class cls, const char *event, const char *key,
                          size_t len) {
    int fate = is_wanted(m, TR_HAPPENS_KEY) ? fate_of(cls, event) : -1;
    if (fate < 0) return;
    tr_happening what = {.event = TR_HAPPENS_KEY,
                         .subevent = (uint32_t)fate,
                         .number_count = 1,
                         .numbers = {db_id},
                         .text_count = 1,
                         .text = key,
                         .len = len};
    tr_modhost_happens(m, &what);
}

void tr__modhost_module_changed(const tr_helper *h, int is_unloaded) {
    tr_happening what = {.event = TR_HAPPENS_MODULE,
                         .subevent = (uint32_t)is_unloaded,
                         .number_count = 1,
                         .numbers = {h->version},
                         .text_count = 1,
                         .text = h->name,
                         .len = strlen(h->name)};
    gather(h->m, &what, h);
}

void tr_modhost_client_changed(tr_modhost *m, const tr_client *c, int is_gone) {
    if (!is_wanted(m, TR_HAPPENS_CLIENT) || c->flags & TR_CLIENT_INTERNAL) return;
    char address[TR_HELPER_REASON_MAX];
    uint16_t port = 0;
    int known = m->hooks.address != NULL && m->hooks.address(m->hooks.ctx, c, address, sizeof address, &port);
    tr_happening what = {.event = TR_HAPPENS_CLIENT,
                         .subevent = (uint32_t)is_gone,
                         .number_count = 4,
                         .numbers = {(int64_t)tr_modhost_client_flags(c), (int64_t)c->id, port, c->db->id},
                         .text_count = (uint32_t)known,
                         .text = address,
                         .len = known ? strlen(address) : 0};
    tr_modhost_happens(m, &what);
}

/* The texts stand one after the other, each but a single one with a NUL behind it. */
static uint32_t split(const tr_happening *what, tr_wire_bytes out[TEXTS_MAX]) {
    if (what->text_count == 1) {
        out[0] = (tr_wire_bytes){.at = (const uint8_t *)what->text, .len = (uint32_t)what->len};
        return 1;
    }
    uint32_t count = 0;
    const char *at = what->text, *end = at + what->len;
    while (at < end && count < what->text_count && count < TEXTS_MAX) {
        const char *nul = memchr(at, '\0', (size_t)(end - at));
        size_t len = (size_t)((nul == NULL ? end : nul) - at);
        out[count++] = (tr_wire_bytes){.at = (const uint8_t *)at, .len = (uint32_t)len};
        at += len + 1;
    }
    return count;
}

void tr__modhost_tell_event(tr_helper *h, const tr_told *t) {
    tr_modhost *m = h->m;
    const tr_happening *what = &t->happening;
    if (h == t->about || !(h->events_wanted >> what->event & 1) || h->state != TR_HELPER_SERVING) return;
    tr_wire_bytes texts[TEXTS_MAX];
    tr_msg_server_event body = {
        .event = what->event,
        .subevent = what->subevent,
        .context_flags = tr_modhost_context_flags(m, NULL),
        .now_us = m->x->now_us,
        .numbers = {.count = what->number_count, .items.i64s = what->numbers},
        .texts = {.count = split(what, texts), .items.texts = texts},
    };
    tr_unit *unit = tr_unit_new(h, TR_UNIT_EVENT, TR_MSG_SERVER_EVENT, &body);
    if (unit == NULL) m->told_lost++;
    else tr__unit_run_soon(h, unit);
}
