/* The commands of a connection about itself. CLIENT's are Python's, but the one that must act before its own reply. */
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/err.h"
#include "base/version.h"
#include "exec/exec.h"
#include "exec/reply.h"

#define MSG_WRONGPASS "WRONGPASS invalid username-password pair or user is disabled."
#define MSG_BAD_NAME "ERR Client names cannot contain spaces, newlines or special characters."
#define MSG_NO_PASSWORD                                                                            \
    "ERR AUTH <password> called without any password configured for the default user. Are you sure your "     \
    "configuration is correct?"
#define MSG_HELLO_NOAUTH                                                                           \
    "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> "  \
    "<pass> option can be used to authenticate the client and select the RESP protocol version at the same time"

void tr_cmd_ping(tr_client *c) {
    if (c->argc > 2) {
        tr_reply_errorf(c, "ERR wrong number of arguments for 'ping' command");
    } else if (c->flags & TR_CLIENT_PUBSUB && c->w.proto == 2) { /* in the shape of a message */
        tr_reply_array(c, 2);
        tr_reply_cstr(c, "pong");
        tr_reply_bulk(c, c->argc == 2 ? c->argv[1].ptr : "", c->argc == 2 ? c->argv[1].len : 0);
    } else if (c->argc == 2) {
        tr_reply_bulk(c, c->argv[1].ptr, c->argv[1].len);
    } else {
        tr_reply_simple(c, "PONG");
    }
}

void tr_cmd_echo(tr_client *c) {
    tr_reply_bulk(c, c->argv[1].ptr, c->argv[1].len);
}

void tr_cmd_quit(tr_client *c) {
    tr_reply_ok(c);
    c->flags |= TR_CLIENT_CLOSE_AFTER_REPLY;
}

void tr_cmd_select(tr_client *c) {
    int id;
    if (!tr_arg_int32(c, 1, &id)) return;
    if (id < 0 || id >= c->x->store->db_count) {
        tr_reply_error(c, TR_MSG_DB_RANGE);
        return;
    }
    c->db = &c->x->store->dbs[id];
    tr_reply_ok(c);
}

void tr_cmd_time(tr_client *c) {
    int64_t now = c->x->now_us;
    tr_reply_array(c, 2);
    tr_w_bulk_int(&c->w, now / 1000000);
    tr_w_bulk_int(&c->w, now % 1000000);
}

void tr_cmd_reset(tr_client *c) {
    if (c->owner != NULL) {
        tr_reply_error(c, "ERR can only reset normal client connections");
        return;
    }
    tr_client_reset(c);
    c->w.q = &c->out; /* CLIENT REPLY is back on, from this reply on */
    tr_reply_simple(c, "RESET");
}

/* 1 when the pair is right and the client authenticated. user NULL: the default user. */
static int authenticate(tr_client *c, const tr_arg *user, const tr_arg *pass) {
    const tr_exec_hooks *hooks = &c->x->hooks;
    int ok = hooks->authenticate &&
             hooks->authenticate(hooks->python_ctx, c, user ? user->ptr : NULL,
                                 user ? user->len : 0, pass->ptr, pass->len);
    if (ok) {
        c->flags |= TR_CLIENT_AUTHENTICATED;
    } else {
        c->x->totals.auth_failures++;
    }
    return ok;
}

void tr_cmd_auth(tr_client *c) {
    if (c->argc > 3) {
        tr_reply_error(c, TR_MSG_SYNTAX);
    } else if (c->argc == 2 && !c->x->password_set) {
        tr_reply_error(c, MSG_NO_PASSWORD);
    } else if (authenticate(c, c->argc == 3 ? &c->argv[1] : NULL, &c->argv[c->argc - 1])) {
        tr_reply_ok(c);
    } else {
        tr_reply_error(c, MSG_WRONGPASS);
    }
}

typedef struct hello_options {
    int64_t proto; /* 0: as it is */
    const tr_arg *user, *pass, *name;
} hello_options;

/* 1, or 0 after the error reply. */
static int parse_hello(tr_client *c, hello_options *o) {
    *o = (hello_options){0};
    if (c->argc == 1) return 1;
    if (!tr_arg_int_or(c, 1, &o->proto, "ERR Protocol version is not an integer or out of range")) return 0;
    if (o->proto < 2 || o->proto > 3) {
        tr_reply_error(c, "NOPROTO unsupported protocol version");
        return 0;
    }
    for (int i = 2; i < c->argc; i++) {
        int left = c->argc - 1 - i;
        if (left >= 2 && tr_arg_is(c, i, "AUTH")) {
            o->user = &c->argv[i + 1];
            o->pass = &c->argv[i + 2];
            i += 2;
        } else if (left >= 1 && tr_arg_is(c, i, "SETNAME")) {
            o->name = &c->argv[++i];
        } else {
            tr_reply_errorf(c, "ERR Syntax error in HELLO option '%.*s'",
                            (int)(c->argv[i].len < 512 ? c->argv[i].len : 512),
                            c->argv[i].ptr);
            return 0;
        }
    }
    return 1;
}

/* As MODULE LIST, whose Python knows their files and arguments. */
static void describe_modules(tr_client *c) {
    const tr_command *self = c->cmd;
    const tr_command *list = tr_command_find_sub(tr_command_find("module", 6), "list", 4);
    if (c->x->hooks.call_python == NULL) {
        tr_reply_array(c, 0);
        return;
    }
    c->cmd = list;
    c->x->hooks.call_python(c->x->hooks.python_ctx, c);
    c->cmd = self;
}

static void describe_server(tr_client *c) {
    tr_reply_map(c, 7);
    tr_reply_cstr(c, "server");
    tr_reply_cstr(c, "redis");
    tr_reply_cstr(c, "version");
    tr_reply_cstr(c, TR_REDIS_VERSION);
    tr_reply_cstr(c, "proto");
    tr_reply_int(c, c->w.proto);
    tr_reply_cstr(c, "id");
    tr_reply_int(c, (int64_t)c->id);
    tr_reply_cstr(c, "mode");
    tr_reply_cstr(c, "standalone");
    tr_reply_cstr(c, "role");
    tr_reply_cstr(c, "master");
    tr_reply_cstr(c, "modules");
    describe_modules(c);
}

void tr_cmd_hello(tr_client *c) {
    hello_options o;
    if (!parse_hello(c, &o)) return;
    if (o.pass != NULL && !authenticate(c, o.user, o.pass)) {
        tr_reply_error(c, MSG_WRONGPASS);
        return;
    }
    if (!tr_client_may_enter(c)) {
        tr_reply_error(c, MSG_HELLO_NOAUTH);
        return;
    }
    if (o.name != NULL) {
        int rc = tr_client_set_text(c, &c->name, o.name->ptr, o.name->len);
        if (rc != TR_OK) {
            tr_reply_error(c, rc == TR_ENOMEM ? TR_MSG_NO_MEMORY : MSG_BAD_NAME);
            return;
        }
    }
    if (o.proto != 0) c->w.proto = (int)o.proto;
    describe_server(c);
}

/* ON speaks up at once, OFF from this very command on; SKIP drops the reply of the next one and its own. */
void tr_cmd_client_reply(tr_client *c) {
    if (tr_arg_is(c, 2, "ON")) {
        c->flags &= ~(uint32_t)(TR_CLIENT_REPLY_OFF | TR_CLIENT_REPLY_SKIP | TR_CLIENT_REPLY_SKIP_NEXT);
        c->w.q = &c->out;
        tr_reply_ok(c);
    } else if (tr_arg_is(c, 2, "OFF")) {
        c->flags |= TR_CLIENT_REPLY_OFF;
    } else if (tr_arg_is(c, 2, "SKIP")) {
        if (!(c->flags & TR_CLIENT_REPLY_OFF)) c->flags |= TR_CLIENT_REPLY_SKIP_NEXT;
    } else {
        tr_reply_error(c, TR_MSG_SYNTAX);
    }
}
