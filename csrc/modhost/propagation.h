/* propagation.h - commands that a unit writes for AOF and replicas, gathered in order while it runs.
 *
 * A unit that ends well hands them over (exec's hook propagate) as one transaction; those of a unit amid a call of
 * another unit join that one's, behind what it wrote before the call. What a failed unit wrote is dropped.
 */
#ifndef TR_MODHOST_PROPAGATION_H
#define TR_MODHOST_PROPAGATION_H

#include "base/arg.h"
#include "base/mem.h"

#define TR_PROPAGATED_MAX 1000000                      /* commands of one unit */
#define TR_PROPAGATED_BYTES_MAX ((size_t)1 << 30)      /* of their arguments */
#define TR_PROPAGATE_NOT_AOF 1u
#define TR_PROPAGATE_NOT_REPLICAS 2u

typedef struct tr_propagated {
    struct tr_propagated *next;
    int db_id;
    uint8_t flags; /* TR_PROPAGATE_... */
    int argc;
    tr_arg argv[]; /* the bytes stand behind */
} tr_propagated;

typedef struct tr_propagation {
    tr_propagated *first, *last;
    uint32_t count;
    size_t bytes;
} tr_propagation;

/* Copies the command to the end. 0, TR_ENOMEM, TR_ELIMIT. */
int tr_propagation_add(tr_mem *mem, tr_propagation *p, int db_id, uint8_t flags, const tr_arg *argv, int argc);
/* Moves all of `from` to the end of `to`. */
void tr_propagation_join(tr_propagation *to, tr_propagation *from);
void tr_propagation_drop(tr_mem *mem, tr_propagation *p);

#endif
