/* undo.h - takes back what a stretch of work did to the keyspace.
 *
 *   mark a |  k = 1   del j   mark b |  k = 2   flush 3  | rollback b |  ... commit a: all records go
 *
 * While a mark is open (store->undo_depth > 0) everything that changes the keyspace first puts down what was there:
 * once per key and innermost mark, in a log that is read backwards. A rollback to a mark restores keys, values and
 * expiry as they were at its begin and leaves the records before it to the outer mark; a commit leaves all records of
 * an inner mark to the outer one; the end of the outermost drops what is left. Times of use (LRU, LFU), statistics and
 * dirty counts are not taken back.
 *
 * Cheap where it can be: an entry that leaves is kept, not copied, with its value of whatever type; strings that are
 * changed where they stand share their blob with the log; a flush keeps the tables. A value of another type that
 * changes inside is copied by its type's copy_value (the type says tr_db_will_change() before it does); those of
 * TR_MODULE are not: the other process has them, so the log has what became of the keys only. Every value is owned by
 * one place, keyspace or log; those in the log are freed at the end of the outermost mark, never before.
 *
 * A change for whose record there is no memory fails with TR_ENOMEM, nothing changed. Those that can't fail (delete,
 * expiry, PERSIST, flush) go on and the log is no longer whole until the outermost mark ends: tr_undo_is_whole()
 * tells, and a rollback takes back what it has and returns TR_ENOMEM. A rollback itself needs no memory. Nothing is
 * evicted while a mark is open (it would free nothing): tr_store_make_room() then only looks.
 */
#ifndef TR_STORE_UNDO_H
#define TR_STORE_UNDO_H

#include <stddef.h>
#include <stdint.h>

#include "ds/hash.h"

#define TR_UNDO_DEPTH_MAX 128 /* open marks; who begins one looks at tr_undo_may_begin() */

struct tr_store;
struct tr_undo_record;

typedef struct tr_undo {
    tr_hash keys;                 /* the newest record of each key */
    struct tr_undo_record *last;  /* of the log */
    struct tr_undo_record *spare; /* for changes that were prepared and can't fail */
    uint64_t serial;              /* of the last record */
    uint64_t floor;               /* a record up to this one doesn't count for a new change */
    uint64_t swapped;             /* the last SWAPDB's: before it, keys were in other databases */
    uint64_t marks[TR_UNDO_DEPTH_MAX];
    uint8_t ended[TR_UNDO_DEPTH_MAX]; /* how a mark ended whose inner ones are still open; 0: it hasn't */
    size_t bytes;                 /* that the log holds, about */
    uint64_t stamp;               /* of the last mark that was begun; none has the same */
    uint64_t stamps[TR_UNDO_DEPTH_MAX];
    uint64_t taken_back;          /* stamp of the earliest mark that was taken back and not asked about; 0: none */
    uint8_t expiring; /* room for expiries was kept */
    uint8_t broken;
} tr_undo;

int tr_undo_may_begin(const struct tr_store *store);
/* A new innermost mark. */
size_t tr_undo_begin(struct tr_store *store);
/* The mark ends and what was done stays. Mostly the innermost one; another one ends with those inside of it. */
void tr_undo_commit(struct tr_store *store, size_t mark);
/* The mark ends and what was done since its begin is taken back, now or when those inside of it have ended; hooks
 * hear of every key that changes (changed, flushed, swapped). 0, or TR_ENOMEM: the log wasn't whole, some changes
 * stay. */
int tr_undo_rollback(struct tr_store *store, size_t mark);
/* For who keeps things of its own that go with the keyspace: the stamp of the last mark, for what is put down now (0:
 * no mark is open); of an open mark; and of the earliest one that was taken back since this was asked last (0: none),
 * so that what bears this stamp or a later one has to go. */
uint64_t tr_undo_stamp(const struct tr_store *store);
uint64_t tr_undo_stamp_of(const struct tr_store *store, size_t mark);
uint64_t tr_undo_taken_back(struct tr_store *store);
/* 0: a change since the outermost begin can't be taken back. */
int tr_undo_is_whole(const struct tr_store *store);

#endif
