/* scan_args.h - the arguments that SCAN, SSCAN, HSCAN and ZSCAN share.
 *
 * SCAN parses the cursor, then the options. The others look at the key in between: a missing one
 * answers an empty scan whatever the options say.
 * Both return 1, or 0 after the error reply. pattern is borrowed from the client's arguments.
 */
#ifndef TR_CMD_SCAN_ARGS_H
#define TR_CMD_SCAN_ARGS_H

#include "exec/client.h"

#define TR_SCAN_COUNT 10        /* elements that one call looks at unless told */
#define TR_SCAN_VISITS_RATIO 10 /* buckets that one call may visit per element wanted */

typedef enum tr_scan_kind { TR_SCAN_KEYS, TR_SCAN_HASH, TR_SCAN_OTHER } tr_scan_kind;

typedef struct tr_scan_args {
    uint64_t cursor;
    int64_t count;         /* >= 1 */
    const tr_arg *pattern; /* NULL: everything */
    int by_type;           /* 1: only keys of `type` */
    tr_type type;          /* TR_MODULE: the one that type_name says, if there is such a one */
    const tr_arg *type_name; /* borrowed */
    int no_values;         /* HSCAN */
} tr_scan_args;

int tr_scan_parse_cursor(tr_client *c, int i, tr_scan_args *out);
/* The arguments from `first` on; after the cursor. */
int tr_scan_parse_options(tr_client *c, int first, tr_scan_kind kind, tr_scan_args *out);
/* 1 when the pattern, if any, matches. */
int tr_scan_matches(const tr_scan_args *args, const char *p, size_t len);
/* How many steps tr_hash_scan() may take for one call. */
int64_t tr_scan_steps_max(const tr_scan_args *args);
/* [cursor, [... count elements to follow. */
void tr_scan_reply_head(tr_client *c, uint64_t cursor, size_t count);

#endif
