#include "exec/notify.h"

#include <stdio.h>
#include <string.h>

#include "exec/exec.h"

#define PREFIX_MAX 32   /* "__keyspace@<db>__:" */
#define CHANNEL_MAX 512 /* bytes of a channel's name that need no allocation */

static void apply(tr_exec *x) {
    const tr_notify *n = &x->notify;
    x->store->notify_mask = n->listener_classes | (n->keyspace || n->keyevent ? n->classes : 0);
}

void tr_notify_set(tr_exec *x, uint32_t classes, int keyspace, int keyevent) {
    x->notify.classes = classes;
    x->notify.keyspace = keyspace;
    x->notify.keyevent = keyevent;
    apply(x);
}

void tr_notify_listen(tr_exec *x, uint32_t classes, tr_keyspace_listener *listener, void *ctx) {
    x->notify.listener_classes = listener ? classes : 0;
    x->notify.listener = listener;
    x->notify.listener_ctx = ctx;
    apply(x);
}

/* Publishes `msg` on the channel "__<what>@<db>__:<rest>". */
static void tell(tr_exec *x, const char *what, int db_id, const char *rest, size_t rest_len, const char *msg,
                 size_t len) {
    char small[CHANNEL_MAX];
    char *channel = small;
    if (rest_len > sizeof(small) - PREFIX_MAX) {
        channel = tr_alloc(x->mem, rest_len + PREFIX_MAX);
        if (channel == NULL) return;
    }
    size_t n = (size_t)snprintf(channel, PREFIX_MAX, "__%s@%d__:", what, db_id);
    memcpy(channel + n, rest, rest_len);
    tr_pubsub_publish(x, channel, n + rest_len, msg, len, 0);
    if (channel != small) tr_free(x->mem, channel);
}

void tr_notify_event(tr_exec *x, tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    const tr_notify *n = &x->notify;
    if (n->listener_classes & cls) n->listener(n->listener_ctx, db, cls, event, key, len);
    if (!(n->classes & cls) || !tr_pubsub_is_heard(&x->pubsub)) return;
    size_t event_len = strlen(event);
    if (n->keyspace) tell(x, "keyspace", db->id, key, len, event, event_len);
    if (n->keyevent) tell(x, "keyevent", db->id, event, event_len, key, len);
}
