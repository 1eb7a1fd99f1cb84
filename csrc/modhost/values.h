/* values.h - the values of a helper's data types: types, keys that hold values, and how values outlive the process.
 *
 *   entry (TR_MODULE) --> tr_module_value --token--> the process' value
 *                                        \--> base and journal (journal.h)
 *
 * Each unit ends in the journal before its reply leaves, if it may have changed values of its helper (opened for
 * writing, set,
 * replaced): as the commands that it propagated, or as the payloads that the process has sent with values_now.
 * Commands
 * will do when running them again brings the values about from values alone: all of them are the helper's own, the
 * unit asked for nothing but its own values (session of tr_wire_replayable()), and it wasn't amid another unit of
 * its own. Both ends judge
 * by the same rule: the process sends payloads in all other cases, since only it can save what a value is before the
 * next unit runs.
 *
 * A new process gets its values (TR_HELPER_RESTORING): bases are loaded, the journal is run again as units that see
 * only the keys of their entry; then keys whose values nothing describes are deleted. That goes on in turns of
 * TR_RESTORE_SLICE_NS, and what takes longer than a turn is left running, so others' commands run in between and may
 * delete, rename, move or overwrite such keys: entries go by values, and values are there until nothing needs them.
 * To everybody else the process is down until all is there.
 *
 * A journal that grows is swept, then a checkpoint makes new bases. A child of the process saves them, so that nobody
 * waits; the process itself does where the kernel refuses it a child, and gives up when that takes long.
 *
 * When a unit is undone, what the units amid it did to values of other helpers is undone as well (mend.c): their
 * entries go, and the living processes get those values anew. Not so values that nothing is put down of: they stay
 * changed, and TR_HELPER_EVENT_NOT_TAKEN_BACK tells.
 *
 * What no one can see: a value that a module changes without opening its key for writing.
 */
#ifndef TR_MODHOST_VALUES_H
#define TR_MODHOST_VALUES_H

#include "modhost/journal.h"
#include "modhost/modhost.h"

#define TR_TYPES_MAX 1024                             /* of one module */
#define TR_TYPE_NAME_LEN 9
#define TR_JOURNAL_BYTES_MIN ((size_t)1 << 20)        /* below that no checkpoint is worth its while */
#define TR_JOURNAL_ENTRIES_MAX 100000                 /* that a restart may have to run again, about */
#define TR_CHECKPOINT_HERE_MS_MAX 100                 /* that the server waits, where no child can be made */
#define TR_CHECKPOINT_MS_MAX 60000                    /* that a child may take */
#define TR_CHECKPOINT_REST_MS_MIN 500                 /* after one that fails; twice that after each further one */
#define TR_CHECKPOINT_REST_MS_MAX 60000
#define TR_MEND_STEPS_MAX 4000                        /* bases and entries that are made anew in a living process */
#define TR_MEND_BYTES_MAX ((size_t)4 << 20)           /* of them; beyond, it is started again */
#define TR_REPLAY_FAILURES_MAX 2                      /* deaths by one entry before it is left out */
#define TR_RESTORE_SLICE_NS 2000000                    /* of a turn, for values that a new process gets back */
#define TR_RESTORE_LOOKS 256                          /* values that are looked at between two looks at the clock */
#define TR_RESTORE_PASSES_MAX 8                       /* through the keyspace, for keys that are to go */
#define TR_FREES_BATCH 1024                           /* values that are given back in one message */

/* Bits of the message register_type. */
enum {
    TR_TYPE_LOADS = 1 << 0,
    TR_TYPE_SAVES = 1 << 1,
    TR_TYPE_REWRITES = 1 << 2,
    TR_TYPE_MEM_USAGE = 1 << 3,
    TR_TYPE_DIGESTS = 1 << 4,
    TR_TYPE_FREE_EFFORT = 1 << 8,
    TR_TYPE_UNLINKS = 1 << 9,
    TR_TYPE_COPIES = 1 << 10,
};

typedef struct tr_module_type {
    struct tr_values *home;
    uint32_t handle;
    uint32_t encver;
    uint64_t methods; /* TR_TYPE_... */
    uint32_t aux_when;
    uint8_t registered; /* by the process that is there */
    char name[TR_TYPE_NAME_LEN + 1];
} tr_module_type;

typedef struct tr_values_stats {
    uint64_t types, uncovered_types; /* without load or save */
    uint64_t values;
    uint64_t base_bytes, journal_bytes, journal_entries;
    uint64_t checkpoints, checkpoints_failed;
    uint64_t lost;     /* keys, by the last restart */
    uint64_t lost_all; /* ever */
    uint64_t not_taken_back; /* values that stayed changed when a unit of another module was undone, ever */
    uint64_t not_kept; /* changes that could not be put down, ever; a checkpoint follows at once */
} tr_values_stats;

/* The store can have values of modules from now on. */
void tr_values_install(tr_store *store);
tr_values_stats tr_values_statistics(const tr_helper *h);
/* module-durability; on at first. Off: what is kept goes. */
void tr_modhost_keep_values(tr_modhost *m, int wanted);
/* The n-th type; NULL: there are no more. Borrowed. */
const tr_module_type *tr_values_type(const tr_helper *h, uint32_t n);

/* serve.c: every message of the helper, decoded, before it is served. 0: to be served; 1: it has been, as the
 * helper is being
 * given its values back; or a code that fails it. */
int tr_values_message(tr_helper *h, const tr_wire_header *header, const void *body);
/* serve_key.c: the key was opened and has e (NULL: nothing). 0 or TR_ENOMEM. */
int tr_values_opened(tr_helper *h, const tr_db *db, const char *name, size_t len, uint32_t mode, const tr_entry *e);
/* A TR_MODULE entry as this helper knows it: handle of the type and token; zeros: it is another's, or lost. */
void tr_modhost_value_of(const tr_helper *h, const tr_entry *e, uint32_t *type, uint64_t *token);
/* The unit ends well: before its reply is made. 0, or TR_ENOMEM: what it did can't be put down. */
int tr_values_unit_ends(tr_helper *h, tr_unit *unit);
/* 1: it is loading a value, or doing again what its journal says. */
int tr_values_are_given_back(const tr_helper *h);
/* It has all its values, and serves. 0 or it has failed. */
int tr_values_serves(tr_helper *h);
/* Between units: gives back what was freed; sweeps, begins and ends checkpoints. */
void tr_values_cron(tr_helper *h);

tr_modhost_serve tr_modhost_values_now;
tr_modhost_serve tr_modhost_snapshot_part;
tr_modhost_serve tr_modhost_snapshot_end;

#endif
