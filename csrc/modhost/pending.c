/* What other files of this room will do at the turns of a helper's life: until they are there, nothing needs to be
 * done, because nothing of their kind can be made. */
#include "base/err.h"
#include "modhost/internal.h"

void tr_modhost_close_keys(tr_helper *h) {
    (void)h;
}

void tr_modhost_unit_ends(tr_helper *h, tr_unit *unit) {
    (void)h, (void)unit;
}

void tr_modhost_values_lost(tr_helper *h) {
    (void)h;
}

int tr_modhost_values_restore(tr_helper *h) {
    (void)h;
    return TR_OK;
}

void tr_modhost_values_release(tr_helper *h) {
    (void)h;
}
