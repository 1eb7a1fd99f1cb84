/* cmd_harness.h - a keyspace, a dispatcher and one client, without sockets and with a clock set
 * by hand, to run commands in tests.
 *
 * A script is a table of steps, each a command and its reply as text: RESP with a space for each
 * CRLF, none at the end, other bytes outside of printable ASCII as \xHH. Words are split at spaces;
 * "..." keeps spaces and knows \xHH, \r, \n, \\, \". Besides commands a step may be
 *
 *   @advance MS           time goes on
 *   @list KEY             makes a value of another type than string
 *   @clear                empties the keyspace
 *   @policy BITS          tr_policy
 *   @maxmemory BYTES
 *   @string-max BYTES
 *   @keep-expired 0|1
 *   @events               hooks were told since the last time: "db:event:key" words
 *   @dirty                changes counted since the last time
 *   @dump                 the keyspace: "db:key=value(encoding)+ttl" words, ttl in milliseconds
 */
#ifndef TR_TESTS_CMD_HARNESS_H
#define TR_TESTS_CMD_HARNESS_H

#include "base/clock.h"
#include "exec/exec.h"
#include "store/store.h"

#define HARNESS_TEXT_MAX 65536
#define HARNESS_ARGS_MAX 256
#define HARNESS_EPOCH_MS 1700000000000 /* the clock's start */

typedef struct cmd_harness {
    tr_mem mem;
    tr_clock clock;
    tr_store store;
    tr_exec x;
    tr_client c;
    uint64_t dirty_seen;
    char events[HARNESS_TEXT_MAX];
    size_t events_len;
    char text[HARNESS_TEXT_MAX]; /* of the last reply */
} cmd_harness;

/* Command, reply (NULL or missing: not looked at), reply in RESP3 (missing: the same). */
typedef const char *cmd_step[3];
#define STEPS(array) (array), sizeof(array) / sizeof((array)[0])

cmd_harness *harness_new(int proto);
/* Asserts that the keyspace is sound and all memory came back. */
void harness_free(cmd_harness *h);
/* The reply (or the answer of a step with @), in h->text. */
const char *harness_run(cmd_harness *h, const char *command);
/* The same for arguments that may have blobs. */
const char *harness_run_args(cmd_harness *h, const tr_arg *argv, int argc);
/* Runs the script with both protocols, each in a harness of its own. 1, or 0 after messages. */
int harness_script(const cmd_step *steps, size_t count);
/* Runs the command again and again, after `setup` in a harness of its own, while its first,
 * second, ... allocation fails. Each time the keyspace must be sound, and be as ever after with
 * the usual reply (or one that could not be written), or as before with a reply that says that
 * there is no memory. The count of failures until there was none, or -1 after a message. */
int harness_fail_sweep(const cmd_step *setup, size_t setup_count, const char *command);

#endif
