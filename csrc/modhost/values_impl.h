/* values_impl.h - what the files about values share. */
#ifndef TR_MODHOST_VALUES_IMPL_H
#define TR_MODHOST_VALUES_IMPL_H

#include "modhost/values.h"

#define TR_MODE_WRITE 2u /* the module API's bit */

/* A payload that came with values_now and counts when the unit ends well. */
typedef struct tr_payload {
    struct tr_payload *next;
    tr_module_value *value; /* held */
    tr_jentry *before;      /* the entry that it makes needless; NULL: none */
    size_t len;
    char bytes[];
} tr_payload;

/* What one unit has done so far. */
typedef struct tr_deeds {
    struct tr_deeds *outer;
    const tr_unit *unit;
    tr_touched touched;
    tr_payload *payloads;
    uint8_t foreign;  /* can't be run again from its commands */
} tr_deeds;

/* Somebody took the key of a value away, and the process is to hear of it. */
typedef struct tr_unlinked {
    struct tr_unlinked *next;
    tr_module_value *value; /* held */
    uint64_t stamp;         /* tr_undo_stamp() */
    uint32_t db;
    uint32_t len;
    char name[];
} tr_unlinked;

/* A value was changed amid another's unit and no entry says so. */
typedef struct tr_unkept {
    struct tr_unkept *next;
    tr_module_value *value; /* held */
    uint64_t stamp;         /* tr_undo_stamp() */
} tr_unkept;

/* An entry that is being run again. */
typedef struct tr_replay {
    const tr_jentry *entry; /* NULL: a base or a payload is loaded */
    tr_touched view;         /* the keys; their places are the handles */
    uint32_t made;          /* of entry->made, given so far */
    uint8_t diverged;       /* the module did something else than then */
    uint8_t mends;          /* only values that are dirty, in a process that lives on */
} tr_replay;

/* A base or an entry, on its way into the process. */
typedef struct tr_step {
    tr_replay replay;
    tr_module_value *v; /* whose base it is */
    tr_jentry *e;       /* NULL: a base */
    uint32_t asked;     /* questions so far */
} tr_step;

/* How far a new process has got its values. */
typedef struct tr_restore {
    uint8_t stage;
    uint8_t passes;         /* through the keyspace */
    uint8_t any_lost;
    uint16_t asked;         /* tr_msg_type of the question that is under way; 0: none is */
    uint64_t asked_id;
    tr_module_value *value; /* held: the next one */
    tr_jentry *entry;       /* the next one; none is added or dropped meanwhile */
    tr_step step;
    int db;
    uint64_t cursor;
    uint64_t lost;          /* keys */
} tr_restore;

typedef struct tr_values {
    tr_helper *h;
    tr_journal journal;
    tr_module_type **types; /* by handle - 1; owned, and never move */
    uint32_t type_count;
    tr_deeds *deeds;        /* of the innermost unit that did something */
    tr_module_value *freed; /* held */
    tr_unlinked *unlinked, **unlinked_end;
    uint32_t freed_count;
    tr_replay *replay;      /* NULL: not now */
    tr_restore restore;     /* TR_HELPER_RESTORING */
    tr_unkept *unkept;      /* the newest first */
    tr_module_value *dirty; /* held; the process has what was taken back */
    uint64_t snapshot;      /* number of the one that is under way; 0: none */
    uint64_t snapshots;     /* numbers given */
    int64_t snapshot_ns;    /* when it began */
    uint32_t frozen;        /* > 0: it may not ask for anything */
    uint8_t not_wanted;     /* module-durability is off */
    uint8_t hurry;          /* something could not be put down: a checkpoint, at once */
    uint8_t snapshot_here;  /* ... by the process itself, which must outlive it */
    uint8_t here_fails;     /* the process ended amid one */
    uint8_t fails;          /* checkpoints that failed one after the other; no more than count */
    int64_t rest_until_ns;  /* no checkpoint before */
    uint8_t loses;          /* there are keys whose values nothing describes: they go with the next cron */
    uint64_t not_kept, not_taken_back, checkpoints, checkpoints_failed, lost, lost_all;
} tr_values;

/* The values of the helper, made at the first use; NULL: no memory. */
tr_values *tr__values_of(tr_helper *h);
/* 1: they are to outlive the process, and there are types. */
static inline int tr__values_kept(const tr_values *values) {
    return values != NULL && !values->not_wanted && values->type_count != 0;
}
static inline int tr__type_is_covered(const tr_module_type *type) {
    return (type->methods & (TR_TYPE_LOADS | TR_TYPE_SAVES)) == (TR_TYPE_LOADS | TR_TYPE_SAVES);
}
/* The helper's own value of an entry; NULL: another's, or no module's. */
tr_module_value *tr__value_of(const tr_values *values, const tr_entry *e);
/* The process is to free the value, some time. The value is held until then. */
void tr__values_give_back(tr_values *values, tr_module_value *v);
/* Tells the process what was unlinked and freed since. 0 or it has failed. */
int tr__values_send_back(tr_values *values);
/* The same for what nobody can have back; what may come back by an undo is left out. */
int tr__values_send_dead(tr_values *values);
/* What is not to be told any more: values that are unlinked again. */
void tr__values_unlinked_since(tr_values *values, uint64_t stamp);
void tr__deeds_drop(tr_values *values);
/* The journal, for an entry that is added now. */
tr_journal *tr__values_journal(tr_values *values);
/* deeds.c: what this unit has done, made at the first use; NULL: no memory. */
tr_deeds *tr__deeds_of(tr_values *values, const tr_unit *unit);
/* restore.c: serves the message, as the values are being restored. 0 or a code that fails the helper. */
int tr__replay_serve(tr_values *values, const tr_wire_header *header, const void *body);
/* In a process that lives on: loads the base, if there is one; runs the entry again. 0, or the helper has failed, or
 * TR_ENOMEM. */
int tr__mend_base(tr_values *values, tr_module_value *v);
int tr__mend_entry(tr_values *values, tr_jentry *e);
/* The process is gone. */
void tr__restore_lost(tr_values *values);
/* values.c: module-durability may have been changed while values were given back. */
void tr__values_settle_keep(tr_values *values);
/* Deletes the keys whose values nothing describes; how many. */
uint64_t tr__values_drop_lost(tr_values *values);
/* mend.c: the value may be changed now; NULL v is no value. 0 or TR_ENOMEM. */
int tr__unkept_note(tr_values *values, tr_module_value *v);
/* The process is gone. */
void tr__mend_lost(tr_values *values);
/* checkpoint.c */
void tr__checkpoint_cron(tr_values *values);
void tr__checkpoint_lost(tr_values *values);

#endif
