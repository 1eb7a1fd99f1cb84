/* redact.h - which arguments of a command nobody but the server may see: passwords and what belongs to them.
 *
 * For whoever shows commands: monitors and the slow log. Only commands with TR_CMD_SECRETS have any. The arguments are
 * asked about one after the other, from argv[1] on; more than Redis hides is hidden where a command is malformed,
 * because a mistyped AUTH still holds a password. Cost: nothing for a command without secrets.
 */
#ifndef TR_EXEC_REDACT_H
#define TR_EXEC_REDACT_H

#include "exec/command.h"

#define TR_REDACTED "(redacted)" /* shown instead */

typedef enum tr_secret_rule {
    TR_SECRET_NONE,
    TR_SECRET_ALL,     /* AUTH, and ACL's rules: everything behind the name */
    TR_SECRET_HELLO,   /* what follows AUTH */
    TR_SECRET_CONFIG,  /* values of secret directives */
    TR_SECRET_MIGRATE, /* what follows AUTH or AUTH2 */
} tr_secret_rule;

typedef struct tr_redactor {
    const tr_arg *argv;
    tr_secret_rule rule;
    int hide; /* so many of the next arguments are secret */
    int pass; /* so many of the next ones are values of an option and no options themselves */
} tr_redactor;

void tr_redact_begin(tr_redactor *r, const tr_command *cmd, const tr_arg *argv);
/* 1 when argv[i] must not be shown; i = 1, 2, 3, ... in this order. */
int tr__redact_ask(tr_redactor *r, int i);
static inline int tr_redact_ask(tr_redactor *r, int i) {
    return r->rule != TR_SECRET_NONE && tr__redact_ask(r, i);
}

#endif
