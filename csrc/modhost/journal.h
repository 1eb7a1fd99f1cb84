/* journal.h - what the server keeps of the values of one helper's types, so that they outlive the process.
 *
 *   value --> base: its payload as of the last checkpoint; none before
 *   entry --> entry --> entry --> ...          what happened since, in order:
 *     payload   the value is this from now on
 *     copy      the value was copied from that one
 *     commands  one unit: commands that were propagated, the keys that it opened with the values under them, and the
 *               values that it made, in order
 *
 * A value is a tr_module_value from its birth until nobody needs it: it is in the keyspace (live), or an entry
 * mentions
 * it. Entries point to values, not to keys, so renames, moves, swaps and deletions need no entry of their own. A
 * payload behind a payload of the same value makes it needless, if nothing between them mentions the value.
 *
 * Entries bear the stamp of the time that they were added in, so that those since then can be taken out again.
 *
 * Knows no process and no keyspace; one thread. Cost O(what is added). Fails with TR_ENOMEM only, then unchanged.
 */
#ifndef TR_MODHOST_JOURNAL_H
#define TR_MODHOST_JOURNAL_H

#include <stdint.h>

#include "base/arg.h"
#include "base/mem.h"
#include "ds/hash.h"

struct tr_module_type;
struct tr_journal;
struct tr_jentry;

typedef struct tr_module_value {
    tr_hnode by_token;      /* in the journal's table, while it has one; first */
    struct tr_module_value *next, *prev; /* all of the journal */
    union {
        struct tr_module_value *next_freed; /* of those that the process is to free; they count as mentioned */
        struct tr_module_value *group;      /* mend.c */
    };
    struct tr_module_value *next_dirty;  /* of those that are; they count as mentioned */
    struct tr_journal *home; /* NULL: the helper is no more */
    struct tr_module_type *type; /* NULL without a home */
    uint64_t token;         /* its number in the process; 0: none */
    struct tr_jentry *last; /* the payload that says all of it, if nothing mentioned it since */
    char *base;             /* owned; NULL: none */
    size_t base_len;
    char *staged;           /* owned: its payload as of the checkpoint that is under way; NULL: has not come */
    size_t staged_len;
    uint32_t base_encver, staged_encver;
    uint32_t pending;       /* payloads of it that came in units that run */
    uint32_t mentions;      /* by entries and open units */
    uint8_t live;           /* the keyspace has it */
    uint8_t lost;           /* nothing says what it was */
    uint8_t failures;       /* how often the process died of loading its base */
    uint8_t covered;        /* its type saves and loads */
    uint8_t marked;         /* was live when the checkpoint began; while sweeping: its state is needed */
    uint8_t freed;          /* among those that the process is to free */
    uint8_t dirty;          /* the process has what was taken back: mend.c */
    uint8_t described;      /* mend.c: base and entries say what it is */
    uint8_t changes;        /* mend.c: an entry that was looked at does change it */
    uint64_t unkept;        /* stamp of the last change that was not put down */
} tr_module_value;

/* A key as a unit found it. */
typedef struct tr_jname {
    tr_module_value *value; /* NULL: nothing was there */
    int64_t expire_ms;      /* -1: never */
    uint32_t db;
    uint32_t len;
    char *name;             /* of the block that it is in, or owned by the record */
    uint8_t written;        /* opened for writing, or set */
} tr_jname;

/* What a unit does with keys, while it runs; also the view of the keyspace while an entry is replayed. {0} at
 * first. */
typedef struct tr_touched {
    tr_jname *names;
    uint32_t name_count, name_cap;
    uint32_t *index;        /* by hash, of more than a few names; 0: free, else place + 1 */
    uint32_t index_cap;
    tr_module_value **made; /* by set_value, in order */
    uint32_t made_count, made_cap;
} tr_touched;

typedef struct tr_jcommand {
    uint32_t db;
    int argc;
    tr_arg *argv;
} tr_jcommand;

typedef enum tr_jkind { TR_JOURNAL_PAYLOAD, TR_JOURNAL_COPY, TR_JOURNAL_COMMANDS } tr_jkind;

typedef struct tr_jentry {
    struct tr_jentry *next, *prev;
    uint64_t stamp;        /* of the journal when it was added */
    size_t bytes;          /* it accounts for */
    uint8_t kind;          /* tr_jkind */
    uint8_t failures;      /* how often the process died of it */
    uint32_t encver;       /* TR_JOURNAL_PAYLOAD */
    tr_module_value *value; /* TR_JOURNAL_PAYLOAD; TR_JOURNAL_COPY: the new one */
    char *payload;         /* owned */
    size_t payload_len;
    tr_jname *names;       /* TR_JOURNAL_COPY: from, to */
    uint32_t name_count;
    uint32_t made_count;
    tr_module_value **made;
    tr_jcommand *commands;
    uint32_t command_count;
} tr_jentry;

typedef struct tr_journal {
    tr_mem *mem;
    uint64_t seed[2];
    tr_module_value *values; /* the newest first */
    uint64_t value_count, live_count;
    tr_jentry *first, *last;
    uint64_t count;
    size_t bytes;      /* of the entries */
    size_t base_bytes; /* of the payloads of the last checkpoint */
    uint64_t stamp;    /* of what is added now; never less than before but for 0, of what is not to be taken out */
    tr_hash by_token;
    tr_jentry *mark;   /* the last entry before the checkpoint that is under way */
    uint8_t in_checkpoint;
} tr_journal;

void tr_journal_init(tr_journal *j, tr_mem *mem, const uint64_t seed[2]);
/* Values that are live stay, without a home: their keys have them. */
void tr_journal_release(tr_journal *j);

/* A live value without a token. NULL: no memory. */
tr_module_value *tr_journal_new_value(tr_journal *j, struct tr_module_type *type);
/* Under which number the process has it; 0: not any more. */
void tr_journal_set_token(tr_module_value *v, uint64_t token);
tr_module_value *tr_journal_by_token(tr_journal *j, uint64_t token);
/* The keyspace has it no longer; it may be freed by this. home may be NULL. */
void tr_journal_value_dies(tr_mem *mem, tr_module_value *v);
static inline void tr_journal_hold(tr_module_value *v) {
    v->mentions++;
}
/* The counterpart; it may be freed by this. */
void tr_journal_let_go(tr_mem *mem, tr_module_value *v);

/* Each: 0 or TR_ENOMEM. Bytes are copied. */
/* *before: the entry that is needless by this, which the caller may drop; NULL: none is. */
int tr_journal_add_payload(tr_journal *j, tr_module_value *v, uint32_t encver, const tr_arg *payload,
                           tr_jentry **before);
int tr_journal_add_copy(tr_journal *j, const tr_jname *from, const tr_jname *to);
int tr_journal_add_commands(tr_journal *j, const tr_touched *touched, const tr_jcommand *commands, uint32_t count);
/* Takes it out. */
void tr_journal_drop(tr_journal *j, tr_jentry *entry);
/* Drops entries and bases that no live value follows from. Not amid a checkpoint. */
void tr_journal_sweep(tr_journal *j);

/* Drops all entries and bases. Not amid a checkpoint. */
void tr_journal_forget(tr_journal *j);

/* A checkpoint: from begin to end the payloads of all live values as of the begin come in; then they are the bases,
 * and
 * the entries before the begin go. */
void tr_journal_checkpoint_begins(tr_journal *j);
/* 0, TR_ENOMEM, TR_EINVAL (no such value then, or no checkpoint). */
int tr_journal_stage(tr_journal *j, tr_module_value *v, uint32_t encver, const void *p, size_t len);
/* ok 0: given up. 0; TR_EAGAIN: given up, or a payload is missing: all is as if there had been none. */
int tr_journal_checkpoint_ends(tr_journal *j, int ok);
/* Asserts that counts and links agree. */
void tr_journal_check(const tr_journal *j);

/* The name, or NULL. Borrowed until the next add. */
tr_jname *tr_touched_find(const tr_journal *j, const tr_touched *r, uint32_t db, const char *name, size_t len);
/* The name, which is added (with this value, held) if it isn't there. NULL: no memory. */
tr_jname *tr_touched_add(tr_journal *j, tr_touched *r, uint32_t db, const char *name, size_t len,
                         tr_module_value *value);
/* Notes that the unit made the value, which is held. 0 or TR_ENOMEM. */
int tr_touched_made(tr_journal *j, tr_touched *r, tr_module_value *v);
void tr_touched_release(tr_journal *j, tr_touched *r);

#endif
