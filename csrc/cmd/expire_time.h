/* expire_time.h - when a key shall die, as a command's argument says it.
 *
 * Seconds or milliseconds, from now or since 1970, all become milliseconds since 1970 here, with
 * every overflow found. No state; fails only by replying.
 */
#ifndef TR_CMD_EXPIRE_TIME_H
#define TR_CMD_EXPIRE_TIME_H

#include "exec/client.h"

typedef enum tr_time_unit { TR_SECONDS, TR_MILLISECONDS } tr_time_unit;
typedef enum tr_time_base { TR_FROM_NOW, TR_SINCE_1970 } tr_time_base;

/* argv[i] as a deadline of EXPIRE and its kin, which may lie in the past. 1 and *when_ms, or 0
 * after the error reply. */
int tr_arg_deadline(tr_client *c, int i, tr_time_unit unit, tr_time_base base, int64_t *when_ms);
/* The same for SET and its kin, which refuse what is not positive. */
int tr_arg_positive_deadline(tr_client *c, int i, tr_time_unit unit, tr_time_base base,
                             int64_t *when_ms);
/* 1 when a key that dies then must be deleted instead of getting this deadline. */
int tr_deadline_passed(const tr_client *c, int64_t when_ms);

#endif
