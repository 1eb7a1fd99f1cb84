/* notify.h - keyspace notifications: what happens to keys, as messages on two kinds of channels.
 *
 *   tr_db_event() -> tr_notify_event() -> listener (modules)
 *                                      -> __keyspace@<db>__:<key>    message: the event's name
 *                                      -> __keyevent@<db>__:<event>  message: the key
 *
 * Which classes are wanted is notify-keyspace-events' and, by a mask of its own, the listener's; the store asks only
 * the union of both (tr_store.notify_mask), so events that nobody wants cost one test. The listener hears of an event
 * first, and whatever the directive says. No memory: that message is lost, nothing else.
 */
#ifndef TR_EXEC_NOTIFY_H
#define TR_EXEC_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct tr_exec;

/* Called for each event of a wanted class, in the middle of the command: it must not change the keyspace. */
typedef void tr_keyspace_listener(void *ctx, tr_db *db, tr_event_class cls, const char *event, const char *key,
                                  size_t len);

typedef struct tr_notify {
    uint32_t classes; /* published */
    int keyspace;     /* on channels by key */
    int keyevent;     /* on channels by event */
    uint32_t listener_classes;
    tr_keyspace_listener *listener; /* NULL: none */
    void *listener_ctx;
} tr_notify;

/* notify-keyspace-events. classes: TR_EV_... */
void tr_notify_set(struct tr_exec *x, uint32_t classes, int keyspace, int keyevent);
/* A second listener besides the channels; classes 0: none. */
void tr_notify_listen(struct tr_exec *x, uint32_t classes, tr_keyspace_listener *listener, void *ctx);
/* The store's hook, and the way for others to tell of an event of their own: asks both masks. */
void tr_notify_event(struct tr_exec *x, tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len);

#endif
