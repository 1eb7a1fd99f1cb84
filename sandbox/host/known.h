/* known.h - what the server has told of keys ahead of a command, so that opening them needs no answer.
 *
 *   known_keys --> tr_known of the command --> OpenKey: tr_known_open() --> open_known, one way
 *
 * It was true when the server had served so many of our messages. What we have changed since we know: each change puts
 * the number of its message into a small table by the key's hash, where keys that share a place are held for changed
 * together. Time makes nothing untrue: the server tells of no key that is about to expire.
 */
#ifndef TR_HOST_KNOWN_H
#define TR_HOST_KNOWN_H

#include "sandbox/host/host.h"

#define TR_KNOWN_CHANGES 16384 /* places of the table, a power of two: a batch of changes should seldom meet in one */
#define TR_KNOWN_HANDLE 0x80000000u
#define TR_KNOWN_HANDLES 256  /* chosen by us, open at once */

struct tr_known;

/* What was told for this command, taken out; NULL: nothing. To be freed by tr_known_free(). */
struct tr_known *tr_known_take(uint64_t request_id);
void tr_known_free(struct tr_known *known);
/* The answer that open_key would give; its value borrows from known. 0: it isn't known. A handle is chosen and the
 * server is told. */
int tr_known_open(RedisModuleCtx *ctx, uint32_t db, const RedisModuleString *name, int mode,
                  tr_msg_open_key_answer *out);
/* The handle is closed, or (all) the floor has ended. */
void tr_known_close(uint32_t handle);
void tr_known_close_all(void);
/* We have changed this key, or may have changed any. */
void tr_known_changed(uint32_t db, const RedisModuleString *name);
void tr_known_all_changed(void);

#endif
