/* internal.h - what the files of this room share and nobody else needs. */
#ifndef TR_MODHOST_INTERNAL_H
#define TR_MODHOST_INTERNAL_H

#include "modhost/modhost.h"

#define TR_HELPER_ERROR_MAX (TR_HELPER_REASON_MAX + TR_HELPER_NAME_MAX * 4 + TR_HELPER_REPORT_MAX)

/* helper.c */
/* The error of everybody who waited for a helper that has crashed. */
void tr__helper_crash_text(const tr_helper *h, char out[TR_HELPER_ERROR_MAX]);
void tr__helper_init(tr_helper *h, tr_modhost *m);
/* Gives up all that it has, its process too: it is as after tr__helper_init(). */
void tr__helper_clear(tr_helper *h);
/* 1: its module is gone and nothing is left of it but commands that nobody finds: it may be another module's. */
int tr__helper_is_vacant(const tr_helper *h);
/* It is there to be handed units. */
int tr__helper_takes_work(const tr_helper *h);
/* Hands over what is pending and serves until all is answered: 1; or the time of a turn is over: 0. */
int tr__helper_progress(tr_helper *h);
/* The poller says that one of its descriptors is ready: takes the sign away. 1: the process has ended. */
int tr__helper_take_sign(tr_helper *h);
/* Takes what it said while it had no unit. */
void tr__helper_listen(tr_helper *h, int has_ended);
/* Runs the unit (stolen) at once, amid whatever runs, and waits. The reply is in c, an error if the helper failed. */
void tr__unit_run_now(tr_helper *h, tr_unit *unit, tr_client *c);
/* Runs the unit (stolen), for which no client waits, at once; or later, when the helper can't be talked to now. */
void tr__unit_run_soon(tr_helper *h, tr_unit *unit);

/* helper.c: a one-way message. 0, or a code that fails the helper. */
int tr__helper_say(tr_helper *h, tr_msg_type type, const void *body);

#define TR_FEW_ARGS 16 /* that need no memory of their own */
/* unit.c: no more than so many stay for later use. */
void tr__units_trim(tr_modhost *m, uint32_t keep);
/* unit.c: a list of the arguments as messages have it, in few if they fit; they stay where they are. NULL: no
 * memory. */
tr_wire_bytes *tr__wire_args(tr_mem *mem, tr_wire_bytes few[TR_FEW_ARGS], const tr_arg *argv, int argc);
void tr__wire_args_free(tr_mem *mem, const tr_wire_bytes *few, tr_wire_bytes *items);

/* known.c: notes where in the unit's message the keys of its command are; argv: as it was encoded. */
void tr__known_note(tr_helper *h, tr_unit *unit, const tr_arg *argv);
/* known.c: what there is to know of them, ahead of the unit. 0, or a code that fails the helper. */
int tr__known_send(tr_helper *h, const tr_unit *unit);

/* filters.c: x->hooks.filter */
void tr__modhost_filter(void *ctx, tr_client *c);

/* events.c: what waits to be told */
typedef struct tr_told {
    struct tr_told *next;
    uint8_t is_server_event;
    uint16_t event_len;
    uint32_t cls;
    int db_id;
    size_t key_len;
    tr_happening happening; /* of a server event */
    const struct tr_helper *about; /* doesn't hear of it */
    char bytes[]; /* event, key; or the happening's text */
} tr_told;

/* Room for so many bytes. NULL: no memory, or too many wait; it is counted. */
tr_told *tr__modhost_told_new(tr_modhost *m, size_t bytes);
/* Steals it. */
void tr__modhost_told_add(tr_modhost *m, tr_told *t);
/* What helpers want to hear has changed. */
void tr__modhost_listen_anew(tr_modhost *m);

/* server_events.c */
void tr__modhost_events_lost(tr_helper *h);
void tr__modhost_tell_event(tr_helper *h, const tr_told *t);
void tr__modhost_key_fate(tr_modhost *m, int db_id, tr_event_class cls, const char *event, const char *key, size_t len);
void tr__modhost_module_changed(const tr_helper *h, int is_unloaded);

/* floor.c */
/* Before all that waits, except what was put there. */
void tr__helper_queue_first(tr_helper *h, tr_unit *unit);
/* The process is gone: its asks and the callbacks of its blocks go. */
void tr__grants_lost(tr_helper *h);

/* mend.c */
/* A mark of the store's log has ended: what was put down since goes, if it was taken back. */
void tr__modhost_taken_back(tr_modhost *m);
/* Makes values anew that processes have as they should not be any more. Where nobody is amid a message. */
void tr__modhost_mend(tr_modhost *m);

/* helper.c: 1: tr_helper_ask() works now. */
int tr__helper_can_be_asked(const tr_helper *h);

/* helper.c, for restore.c: a request that is not waited for, within command_ms; its answer, waited for until then: 1:
 * decoded into *out (borrowed until the next message), 0: not yet. Or a code for broke(), as of leave(), after which
 * the eventfd tells when there is something to be taken. */
int tr__helper_post(tr_helper *h, tr_msg_type type, const void *body, uint64_t *id);
int tr__helper_answer_of(tr_helper *h, tr_msg_type type, uint64_t id, int64_t until_ns, void *out);
void tr__helper_wake(tr_helper *h);
int tr__helper_leave(tr_helper *h);
void tr__helper_broke(tr_helper *h, int rc);
/* It has all its values and serves. 0 or it has failed. */
int tr__helper_restored(tr_helper *h);

/* restore.c: 0: there is nothing to be given back. */
int tr__restore_begin(tr_helper *h);
/* Goes on for a while. */
void tr__restore_turn(tr_helper *h);

/* unit.c */
void tr__unit_free(tr_modhost *m, tr_unit *unit);
/* It begins: it has the floor. */
void tr__unit_begins(tr_helper *h, tr_unit *unit, int64_t now_ns);
/* The helper has answered it. 0, or the answer breaks the rules: tr_helper_wrong(). */
int tr__unit_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message);
/* The helper failed while it ran: undone, and its client has the error. */
void tr__unit_crashed(tr_helper *h, tr_unit *unit);
/* It can't run at all any more. */
void tr__unit_refused(tr_helper *h, tr_unit *unit, const char *error);

/* serve.c */
/* A request or one-way message that came. 0 or a code that fails the helper. */
int tr__serve(tr_helper *h, const tr_wire_header *header, const tr_buf *message);
/* Decodes the body of a message into *body, which has tr__body_room. 0 or a code that fails the helper. */
int tr__decode(tr_helper *h, const tr_wire_header *header, const tr_buf *message, void *body);

#define TR_BODY_BYTES_MAX 1024 /* the largest struct of a message */

typedef union tr__body_room {
    uint8_t bytes[TR_BODY_BYTES_MAX];
    uint64_t aligned;
} tr__body_room;

#endif
