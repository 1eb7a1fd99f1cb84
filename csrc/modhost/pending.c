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

void tr_modhost_blocks_lost(tr_helper *h, const char *error) {
    (void)h, (void)error;
}

void tr_modhost_blocks_release(tr_helper *h) {
    (void)h;
}

void tr_modhost_client_gone(tr_modhost *m, tr_client *c) {
    (void)m, (void)c;
}

int tr_modhost_grant_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    (void)unit, (void)header, (void)message;
    return tr_helper_wrong(h, "the floor was not granted");
}

int tr_modhost_blocked_answered(tr_helper *h, tr_unit *unit, const tr_wire_header *header, const tr_buf *message) {
    (void)unit, (void)header, (void)message;
    return tr_helper_wrong(h, "nobody is blocked");
}

void tr_modhost_blocked_crashed(tr_helper *h, tr_unit *unit, const char *error) {
    (void)h, (void)unit, (void)error;
}

int tr_modhost_has_blocked(tr_helper *h, tr_unit *unit) {
    (void)h, (void)unit;
    return 0;
}
