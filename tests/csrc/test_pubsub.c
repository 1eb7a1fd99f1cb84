/* Aim: messages reach who listens, once, in order, in the right form; nothing is left of who goes; memory that fails
 * loses no more than it must. Method: fed clients of one engine; sockets where reading or not reading matters. */
#include "check.h"
#include "engine/api.h"
#include "engine/engine.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define CLIENTS 3

static const uint64_t seed[2] = {5, 6};

typedef struct world {
    tr_engine *g;
    uint64_t c[CLIENTS];
} world;

static void begin(world *w) {
    CHECK_EQ_INT(tr_engine_open(4, TR_POLLER_AUTO, seed, &w->g), TR_OK);
    w->g->clock = (tr_clock){.fake = 1, .fake_wall_us = 1000000000, .fake_mono_ns = 1};
    tr_exec_turn(&w->g->x);
    for (int i = 0; i < CLIENTS; i++) w->c[i] = tr_engine_open_fed(w->g, 0);
}

static void end(world *w) {
    tr_pubsub_check(&w->g->x);
    tr_engine_close(w->g);
}

static void turns(world *w) {
    int more = 1, busy;
    while (more) tr_engine_poll(w->g, 0, 0, 0, &more, &busy);
    tr_event events[64];
    while (tr_engine_take_events(w->g, events, 64) == 64) continue;
}

/* What the client got since the last time, " " for CRLF. */
static const char *hear(world *w, int i) {
    static char text[65536];
    size_t n = 0, len;
    const char *p;
    while (tr_api_fed_output(w->g, w->c[i], &p, &len)) {
        CHECK(n + len < sizeof(text));
        memcpy(text + n, p, len);
        n += len;
        tr_api_fed_consume(w->g, w->c[i], len);
    }
    size_t out = 0;
    for (size_t at = 0; at < n; at++) {
        if (text[at] == '\r') continue;
        text[out++] = text[at] == '\n' ? ' ' : text[at];
    }
    text[out > 0 ? out - 1 : 0] = '\0';
    return text;
}

static const char *ask(world *w, int i, const char *line) {
    char request[1024];
    snprintf(request, sizeof(request), "%s\r\n", line);
    tr_api_feed(w->g, w->c[i], request, strlen(request));
    tr_pubsub_check(&w->g->x);
    return hear(w, i);
}

static const tr_client *client(world *w, int i) {
    return tr_api_client_of(w->g, w->c[i]);
}

static void test_subscribe_and_back(void) {
    world w;
    begin(&w);
    CHECK_EQ_STR(ask(&w, 0, "SUBSCRIBE a b a"),
                 "*3 $9 subscribe $1 a :1 *3 $9 subscribe $1 b :2 *3 $9 subscribe $1 a :2");
    CHECK_EQ_STR(ask(&w, 0, "PSUBSCRIBE a*"), "*3 $10 psubscribe $2 a* :3");
    CHECK_EQ_STR(ask(&w, 0, "SSUBSCRIBE a"), "*3 $10 ssubscribe $1 a :1");
    CHECK_EQ_INT(w.g->x.pubsub.clients, 1);
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB CHANNELS"), "*2 $1 b $1 a");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB CHANNELS [a]"), "*1 $1 a");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB NUMSUB a b none"), "*6 $1 a :1 $1 b :1 $4 none :0");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB NUMPAT"), ":1");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB SHARDCHANNELS"), "*1 $1 a");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB SHARDNUMSUB a"), "*2 $1 a :1");
    CHECK_EQ_STR(ask(&w, 1, "PUBSUB CHANNELS a b"),
                 "-ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.");
    CHECK_EQ_STR(ask(&w, 0, "UNSUBSCRIBE b none"), "*3 $11 unsubscribe $1 b :2 *3 $11 unsubscribe $4 none :2");
    CHECK_EQ_STR(ask(&w, 0, "UNSUBSCRIBE"), "*3 $11 unsubscribe $1 a :1");
    CHECK_EQ_STR(ask(&w, 0, "UNSUBSCRIBE"), "*3 $11 unsubscribe $-1 :1");
    CHECK_EQ_STR(ask(&w, 0, "PUNSUBSCRIBE"), "*3 $12 punsubscribe $2 a* :0");
    CHECK_EQ_STR(ask(&w, 0, "GET k"),
                 "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed "
                 "in this context");
    CHECK_EQ_STR(ask(&w, 0, "SUNSUBSCRIBE"), "*3 $12 sunsubscribe $1 a :0");
    CHECK(client(&w, 0)->pubsub == NULL);
    CHECK_EQ_STR(ask(&w, 0, "GET k"), "$-1");
    end(&w);
}

static void test_messages(void) {
    world w;
    begin(&w);
    ask(&w, 0, "SUBSCRIBE news");
    ask(&w, 1, "HELLO 3");
    ask(&w, 1, "SUBSCRIBE news");
    ask(&w, 1, "PSUBSCRIBE n?ws n* x*");
    ask(&w, 1, "SSUBSCRIBE news");
    CHECK_EQ_STR(ask(&w, 2, "PUBLISH news hello"), ":4");
    CHECK_EQ_STR(hear(&w, 0), "*3 $7 message $4 news $5 hello");
    CHECK_EQ_STR(hear(&w, 1), ">3 $7 message $4 news $5 hello >4 $8 pmessage $4 n?ws $4 news $5 hello "
                              ">4 $8 pmessage $2 n* $4 news $5 hello");
    CHECK_EQ_STR(ask(&w, 2, "SPUBLISH news hello"), ":1");
    CHECK_EQ_STR(hear(&w, 1), ">3 $8 smessage $4 news $5 hello");
    CHECK_EQ_STR(ask(&w, 2, "PUBLISH other \"\""), ":0");
    CHECK_EQ_STR(ask(&w, 2, "PUBLISH xyz \"\""), ":1");
    CHECK_EQ_STR(hear(&w, 1), ">4 $8 pmessage $2 x* $3 xyz $0 ");
    CHECK_EQ_STR(hear(&w, 0), "");
    end(&w);
}

/* What one's own command causes follows its reply; several of them keep their order. */
static void test_own_messages_follow_the_reply(void) {
    world w;
    begin(&w);
    ask(&w, 0, "HELLO 3");
    ask(&w, 0, "SUBSCRIBE c");
    CHECK_EQ_STR(ask(&w, 0, "PUBLISH c 1"), ":1 >3 $7 message $1 c $1 1");
    ask(&w, 0, "MULTI");
    ask(&w, 0, "PUBLISH c 2");
    ask(&w, 0, "PUBLISH c 3");
    ask(&w, 0, "UNSUBSCRIBE");
    ask(&w, 0, "PUBLISH c 4");
    CHECK_EQ_STR(ask(&w, 0, "EXEC"), "*4 :1 :1 >3 $11 unsubscribe $1 c :0 :0 >3 $7 message $1 c $1 2 "
                                     ">3 $7 message $1 c $1 3");
    CHECK(client(&w, 0)->pubsub == NULL);
    end(&w);
}

static void test_in_a_transaction(void) {
    world w;
    begin(&w);
    ask(&w, 0, "MULTI");
    CHECK_EQ_STR(ask(&w, 0, "SUBSCRIBE c"), "+QUEUED");
    ask(&w, 0, "SSUBSCRIBE c");
    ask(&w, 0, "GET k");
    CHECK_EQ_STR(ask(&w, 0, "EXEC"), "*3 *3 $9 subscribe $1 c :1 -ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING "
                                     "client $-1");
    CHECK_EQ_STR(ask(&w, 0, "MULTI"), "-ERR Can't execute 'multi': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / "
                                      "QUIT / RESET are allowed in this context");
    CHECK_EQ_STR(ask(&w, 0, "PING"), "*2 $4 pong $0 ");
    CHECK_EQ_STR(ask(&w, 0, "PING text"), "*2 $4 pong $4 text");
    CHECK_EQ_STR(ask(&w, 0, "RESET"), "+RESET");
    CHECK_EQ_STR(ask(&w, 0, "PING"), "+PONG");
    CHECK_EQ_INT(w.g->x.pubsub.clients, 0);
    end(&w);
}

static void test_reply_off_silences_no_message(void) {
    world w;
    begin(&w);
    ask(&w, 0, "HELLO 3");
    CHECK_EQ_STR(ask(&w, 0, "CLIENT REPLY OFF"), "");
    CHECK_EQ_STR(ask(&w, 0, "SUBSCRIBE c"), ">3 $9 subscribe $1 c :1");
    CHECK_EQ_STR(ask(&w, 0, "PUBLISH c 1"), ">3 $7 message $1 c $1 1");
    ask(&w, 1, "PUBLISH c 2");
    CHECK_EQ_STR(hear(&w, 0), ">3 $7 message $1 c $1 2");
    CHECK_EQ_STR(ask(&w, 0, "GET k"), "");
    end(&w);
}

static void test_paused_listeners_hear(void) {
    world w;
    begin(&w);
    ask(&w, 0, "HELLO 3");
    ask(&w, 0, "SUBSCRIBE c");
    tr_api_pause(w.g, 0, INT64_MAX);
    CHECK_EQ_STR(ask(&w, 1, "PUBLISH c 1"), ""); /* may be propagated */
    tr_pubsub_publish(&w.g->x, "c", 1, "2", 1, 0);
    CHECK_EQ_STR(hear(&w, 0), ">3 $7 message $1 c $1 2");
    tr_engine_unpause(w.g);
    turns(&w);
    CHECK_EQ_STR(hear(&w, 0), ">3 $7 message $1 c $1 1");
    end(&w);
}

/* A long message is one blob, whoever gets it. */
static void test_long_messages_are_shared(void) {
    world w;
    begin(&w);
    static char msg[100000];
    memset(msg, 'm', sizeof(msg));
    ask(&w, 0, "SUBSCRIBE c");
    ask(&w, 1, "HELLO 3");
    ask(&w, 1, "SUBSCRIBE c");
    ask(&w, 1, "PSUBSCRIBE *");
    size_t before = w.g->mem.used;
    CHECK_EQ_INT(tr_pubsub_publish(&w.g->x, "c", 1, msg, sizeof(msg), 0), 3);
    CHECK(w.g->mem.used - before < sizeof(msg) + 5000);
    CHECK_EQ_INT(client(&w, 0)->out.bytes, 3 + 17 + sizeof(msg) + 18 - 3);
    CHECK_EQ_INT(client(&w, 1)->out.bytes, client(&w, 0)->out.bytes * 2 + 8);
    CHECK_EQ_INT(client(&w, 0)->out.head->next->blob->refs, 3);
    const char *p;
    size_t len, heard = 0;
    while (tr_api_fed_output(w.g, w.c[1], &p, &len)) {
        heard += len;
        tr_api_fed_consume(w.g, w.c[1], len);
    }
    CHECK(heard > 2 * sizeof(msg));
    CHECK_EQ_INT(client(&w, 0)->out.head->next->blob->refs, 1);
    end(&w);
}

static void test_lengths_around_the_share(void) {
    world w;
    begin(&w);
    ask(&w, 0, "SUBSCRIBE c");
    for (size_t len = TR_PUBSUB_SHARE_MIN - 40; len < TR_PUBSUB_SHARE_MIN + 40; len++) {
        static char msg[TR_PUBSUB_SHARE_MIN + 40], want[sizeof(msg) + 100];
        memset(msg, 'a' + (int)(len % 26), len);
        tr_pubsub_publish(&w.g->x, "c", 1, msg, len, 0);
        snprintf(want, sizeof(want), "*3 $7 message $1 c $%zu %.*s", len, (int)len, msg);
        CHECK_EQ_STR(hear(&w, 0), want);
        tr_outq_check(&client(&w, 0)->out);
    }
    end(&w);
}

/* Whoever goes, in whatever way, is out of every table. */
static void test_leaving(void) {
    static const char *const ways[] = {"QUIT", "RESET", "*1\r\n$x", "kill", "unsubscribe", NULL};
    for (int i = 0; ways[i] != NULL; i++) {
        world w;
        begin(&w);
        ask(&w, 0, "SUBSCRIBE a b c");
        ask(&w, 0, "PSUBSCRIBE *");
        ask(&w, 0, "SSUBSCRIBE a");
        ask(&w, 1, "SUBSCRIBE b c");
        if (strcmp(ways[i], "kill") == 0) {
            tr_engine_kill(w.g, w.c[0], TR_CLOSE_KILLED, 0);
        } else if (strcmp(ways[i], "unsubscribe") == 0) {
            ask(&w, 0, "UNSUBSCRIBE");
            ask(&w, 0, "PUNSUBSCRIBE");
            ask(&w, 0, "SUNSUBSCRIBE");
        } else {
            ask(&w, 0, ways[i]);
        }
        turns(&w);
        CHECK_EQ_STR(ask(&w, 2, "PUBLISH b x"), ":1");
        CHECK_EQ_STR(ask(&w, 2, "PUBSUB NUMSUB a b"), "*4 $1 a :0 $1 b :1");
        CHECK_EQ_STR(ask(&w, 2, "PUBSUB NUMPAT"), ":0");
        CHECK_EQ_INT(w.g->x.pubsub.clients, 1);
        end(&w);
    }
}

/* Members come and go at random; a plain table of who listens to what is the truth. */
static void test_many_at_random(void) {
    enum { PEERS = 40, TOPICS = 12, STEPS = 6000 };
    static char truth[PEERS][TOPICS];
    memset(truth, 0, sizeof(truth));
    world w;
    begin(&w);
    uint64_t ids[PEERS];
    tr_rng rng = {77};
    for (int i = 0; i < PEERS; i++) ids[i] = tr_engine_open_fed(w.g, 0);
    for (int step = 0; step < STEPS; step++) {
        int i = (int)tr_rng_below(&rng, PEERS), t = (int)tr_rng_below(&rng, TOPICS);
        tr_client *c = tr_api_client_of(w.g, ids[i]);
        char name[8];
        snprintf(name, sizeof(name), "t%d", t);
        switch (tr_rng_below(&rng, 8)) {
        case 0:
            tr_pubsub_leave(c);
            memset(truth[i], 0, TOPICS);
            break;
        case 1:
        case 2:
        case 3:
            CHECK_EQ_INT(tr_pubsub_remove(c, TR_SUB_CHANNEL, name, strlen(name)), truth[i][t]);
            truth[i][t] = 0;
            break;
        default:
            CHECK_EQ_INT(tr_pubsub_add(c, TR_SUB_CHANNEL, name, strlen(name)), !truth[i][t]);
            truth[i][t] = 1;
        }
        int members = 0;
        for (int p = 0; p < PEERS; p++) members += truth[p][t];
        CHECK_EQ_INT(tr_pubsub_members(&w.g->x, TR_SUB_CHANNEL, name, strlen(name)), members);
        if (step % 50 == 0) tr_pubsub_check(&w.g->x);
    }
    end(&w);
}

static void test_notifications(void) {
    world w;
    begin(&w);
    ask(&w, 0, "PSUBSCRIBE __key*");
    ask(&w, 1, "SET k 1");
    CHECK_EQ_STR(hear(&w, 0), "");
    w.g->settings.notify_classes = TR_EV_STRING | TR_EV_EXPIRED;
    w.g->settings.notify_keyspace = w.g->settings.notify_keyevent = 1;
    tr_engine_apply(w.g);
    ask(&w, 1, "SELECT 2");
    ask(&w, 1, "SET k 1 PX 5");
    CHECK_EQ_STR(hear(&w, 0), "*4 $8 pmessage $6 __key* $16 __keyspace@2__:k $3 set "
                              "*4 $8 pmessage $6 __key* $18 __keyevent@2__:set $1 k");
    w.g->clock.fake_wall_us += 10000;
    w.g->clock.fake_mono_ns += 10000000;
    tr_engine_cron(w.g);
    CHECK_EQ_STR(hear(&w, 0), "*4 $8 pmessage $6 __key* $16 __keyspace@2__:k $7 expired "
                              "*4 $8 pmessage $6 __key* $22 __keyevent@2__:expired $1 k");
    w.g->settings.notify_keyspace = 0;
    tr_engine_apply(w.g);
    char set[2000] = "SET ", want[2000];
    memset(set + 4, 'k', 900);
    strcpy(set + 904, " v");
    ask(&w, 1, set);
    snprintf(want, sizeof(want), "*4 $8 pmessage $6 __key* $18 __keyevent@2__:set $900 %.900s", set + 4);
    CHECK_EQ_STR(hear(&w, 0), want);
    w.g->settings.notify_keyspace = 1;
    w.g->settings.notify_keyevent = 0;
    tr_engine_apply(w.g);
    ask(&w, 1, set);
    snprintf(want, sizeof(want), "*4 $8 pmessage $6 __key* $915 __keyspace@2__:%.900s $3 set", set + 4);
    CHECK_EQ_STR(hear(&w, 0), want);
    end(&w);
}

typedef struct heard {
    char text[200];
} heard;

static void listen_in(void *ctx, tr_db *db, tr_event_class cls, const char *event, const char *key, size_t len) {
    heard *h = ctx;
    size_t n = strlen(h->text);
    snprintf(h->text + n, sizeof(h->text) - n, "%d/%d/%s/%.*s ", db->id, cls, event, (int)len, key);
}

static void test_a_second_listener(void) {
    world w;
    heard h = {""};
    begin(&w);
    tr_notify_listen(&w.g->x, TR_EV_GENERIC | TR_EV_MODULE, listen_in, &h);
    ask(&w, 0, "PSUBSCRIBE __key*");
    ask(&w, 1, "SET k 1");
    ask(&w, 1, "DEL k");
    tr_notify_event(&w.g->x, &w.g->store.dbs[1], TR_EV_MODULE, "mine", "key", 3);
    CHECK_EQ_STR(h.text, "0/1/del/k 1/1024/mine/key ");
    CHECK_EQ_STR(hear(&w, 0), "");
    w.g->settings.notify_classes = TR_EV_STRING;
    w.g->settings.notify_keyevent = 1;
    tr_engine_apply(w.g);
    ask(&w, 1, "SET k 1");
    ask(&w, 1, "DEL k");
    CHECK_EQ_STR(hear(&w, 0), "*4 $8 pmessage $6 __key* $18 __keyevent@0__:set $1 k");
    CHECK_EQ_STR(h.text, "0/1/del/k 1/1024/mine/key 0/1/del/k ");
    tr_notify_listen(&w.g->x, 0, NULL, NULL);
    CHECK_EQ_INT(w.g->store.notify_mask, TR_EV_STRING);
    end(&w);
}

/* --- sockets --------------------------------------------------------------------------------- */

typedef struct pair {
    int fd; /* ours */
    tr_conn *conn;
} pair;

static pair join(world *w) {
    int fds[2];
    CHECK_EQ_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    return (pair){.fd = fds[1], .conn = tr_conn_open(w->g, fds[0], TR_CLIENT_UNIX)};
}

static void limit(world *w, uint64_t hard, uint64_t soft, int64_t seconds) {
    w->g->settings.out_limits[TR_OUT_PUBSUB] =
        (tr_out_limit){.hard_bytes = hard, .soft_bytes = soft, .soft_seconds = seconds};
}

static void subscribe(world *w, pair *p) {
    CHECK_EQ_INT(send(p->fd, "SUBSCRIBE c\r\n", 13, 0), 13);
    turns(w);
    CHECK_EQ_INT(tr_pubsub_count(&p->conn->client, TR_SUB_CHANNEL), 1);
}

static uint64_t listen_to(pair *p) {
    char text[65536];
    uint64_t sum = 0;
    ssize_t n;
    while ((n = recv(p->fd, text, sizeof(text), 0)) > 0) sum += (uint64_t)n;
    return sum;
}

/* A limit is looked at with each message, not only when a turn ends; others keep what is theirs. */
static void test_slow_ones_are_cut(void) {
    world w;
    begin(&w);
    limit(&w, 100000, 0, 0);
    pair slow = join(&w), fast = join(&w);
    subscribe(&w, &slow);
    subscribe(&w, &fast);
    listen_to(&fast);
    static char msg[5000];
    uint64_t sent = 0, got = 0;
    for (int i = 0; i < 2000; i++) { /* no turn in between */
        tr_pubsub_publish(&w.g->x, "c", 1, msg, sizeof(msg), 0);
        sent += 3 + 1 + 13 + 7 + 7 + sizeof(msg) + 2;
        CHECK(slow.conn->client.out.bytes < 110000);
        got += listen_to(&fast);
    }
    CHECK_EQ_INT(slow.conn->close_reason, TR_CLOSE_OUTPUT_LIMIT);
    CHECK_EQ_INT(w.g->net.output_limit_closes, 1);
    CHECK(!(fast.conn->client.flags & TR_CLIENT_CLOSE_NOW));
    for (int i = 0; i < 100; i++) {
        turns(&w);
        got += listen_to(&fast);
    }
    CHECK_EQ_INT(got, sent);
    CHECK_EQ_INT(tr_pubsub_members(&w.g->x, TR_SUB_CHANNEL, "c", 1), 1);
    CHECK_EQ_INT(w.g->x.client_count, CLIENTS + 1);
    tr_obituary o;
    CHECK_EQ_INT(w.g->obituaries != NULL, 1);
    CHECK_EQ_INT(tr_obituary_take(w.g, w.g->obituaries->id, &o), 1);
    CHECK_EQ_INT(o.out_class, TR_OUT_PUBSUB);
    CHECK_EQ_INT(o.limit_bytes, 100000);
    close(slow.fd);
    close(fast.fd);
    end(&w);
}

/* Messages of several turns leave in one write while somebody else is served; a lone one leaves at once. */
static void test_messages_leave_together(void) {
    world w;
    begin(&w);
    pair p = join(&w), publisher = join(&w);
    subscribe(&w, &p);
    listen_to(&p);
    static char request[40 * 2000];
    size_t len = 0;
    static const char line[] = "PUBLISH c \"\"\r\n";
    for (int i = 0; i < 2000; i++, len += sizeof(line) - 1) memcpy(request + len, line, sizeof(line) - 1);
    uint64_t turns_before = w.g->net.turns, writes = w.g->net.writes;
    CHECK_EQ_INT(send(publisher.fd, request, len, 0), len);
    int more = 1, busy;
    tr_engine_poll(w.g, 0, 0, 1000000, &more, &busy);
    CHECK(w.g->net.turns - turns_before > 2);
    /* The replies of each turn but the last, which had nothing to do but to send the messages. */
    CHECK_EQ_INT(w.g->net.writes - writes, w.g->net.turns - turns_before);
    CHECK_EQ_INT(listen_to(&p), 2000 * 30);
    ask(&w, 1, "PUBLISH c \"\"");
    tr_engine_poll(w.g, 0, 0, 1000000, &more, &busy);
    CHECK_EQ_INT(listen_to(&p), 30);
    ask(&w, 1, "PUBLISH c \"\"");
    tr_engine_cron(w.g);
    CHECK_EQ_INT(listen_to(&p), 30);
    close(p.fd);
    close(publisher.fd);
    end(&w);
}

static void test_soft_limit(void) {
    world w;
    begin(&w);
    limit(&w, 0, 50000, 10);
    pair slow = join(&w);
    subscribe(&w, &slow);
    static char msg[60000];
    for (int i = 0; i < 20; i++) tr_pubsub_publish(&w.g->x, "c", 1, msg, sizeof(msg), 0);
    turns(&w);
    CHECK_EQ_INT(slow.conn->closed, 0);
    CHECK(slow.conn->soft_since_ms != 0);
    w.g->clock.fake_wall_us += 11000000;
    w.g->clock.fake_mono_ns += 11000000000;
    tr_engine_cron(w.g);
    CHECK_EQ_INT(slow.conn->close_reason, TR_CLOSE_OUTPUT_LIMIT);
    turns(&w);
    close(slow.fd);
    end(&w);
}

/* A listener's own command may be in the middle of its reply when it goes over the limit. */
static void test_limit_within_own_command(void) {
    world w;
    begin(&w);
    limit(&w, 2000, 0, 0);
    ask(&w, 0, "HELLO 3");
    ask(&w, 0, "SUBSCRIBE c");
    ask(&w, 0, "MULTI");
    char publish[900] = "PUBLISH c ";
    memset(publish + 10, 'x', 800);
    for (int i = 0; i < 5; i++) ask(&w, 0, publish);
    ask(&w, 0, "EXEC");
    turns(&w);
    CHECK(tr_engine_conn(w.g, w.c[0]) == NULL);
    CHECK_EQ_INT(w.g->net.output_limit_closes, 1);
    end(&w);
}

/* --- memory that fails ----------------------------------------------------------------------- */

static void test_each_allocation_fails_once(void) {
    static char msg[3000];
    int failures = 0;
    for (uint64_t nth = 1; nth < 200; nth++) {
        world w;
        begin(&w);
        uint64_t before = w.g->mem.fail_count;
        tr_mem_fail_at(&w.g->mem, nth);
        for (int i = 0; i < 2; i++) {
            for (int t = 0; t < 6; t++) {
                char line[40];
                snprintf(line, sizeof(line), t % 2 ? "SUBSCRIBE c%d" : "PSUBSCRIBE c%d*", t);
                ask(&w, i, line);
            }
        }
        for (int i = 0; i < 12; i++) tr_pubsub_publish(&w.g->x, "c3", 2, msg, i % 3 ? 10 : sizeof(msg), 0);
        w.g->settings.notify_classes = ~0u;
        w.g->settings.notify_keyspace = 1;
        tr_engine_apply(w.g);
        ask(&w, 2, "SET k 1");
        ask(&w, 0, "UNSUBSCRIBE");
        turns(&w);
        failures += w.g->mem.fail_count != before;
        tr_mem_fail_at(&w.g->mem, 0);
        tr_pubsub_check(&w.g->x);
        ask(&w, 2, "PING");
        end(&w);
    }
    CHECK(failures > 30);
}

static void test_no_memory_reaches_nobody(void) {
    world w;
    begin(&w);
    static char msg[3000];
    ask(&w, 0, "SUBSCRIBE c");
    ask(&w, 1, "PSUBSCRIBE c");
    tr_mem_fail_at(&w.g->mem, 1);
    CHECK_EQ_INT(tr_pubsub_publish(&w.g->x, "c", 1, msg, sizeof(msg), 0), TR_ENOMEM);
    CHECK_EQ_STR(hear(&w, 0), "");
    CHECK_EQ_STR(hear(&w, 1), "");
    tr_mem_fail_at(&w.g->mem, 1);
    tr_client *c = tr_api_client_of(w.g, w.c[2]);
    CHECK_EQ_INT(tr_pubsub_add(c, TR_SUB_CHANNEL, "c", 1), TR_ENOMEM);
    CHECK(c->pubsub == NULL && !(c->flags & TR_CLIENT_PUBSUB));
    tr_mem_fail_at(&w.g->mem, 0);
    end(&w);
}

int main(void) {
    RUN(test_subscribe_and_back);
    RUN(test_messages);
    RUN(test_own_messages_follow_the_reply);
    RUN(test_in_a_transaction);
    RUN(test_reply_off_silences_no_message);
    RUN(test_paused_listeners_hear);
    RUN(test_long_messages_are_shared);
    RUN(test_lengths_around_the_share);
    RUN(test_leaving);
    RUN(test_many_at_random);
    RUN(test_notifications);
    RUN(test_a_second_listener);
    RUN(test_slow_ones_are_cut);
    RUN(test_messages_leave_together);
    RUN(test_soft_limit);
    RUN(test_limit_within_own_command);
    RUN(test_each_allocation_fails_once);
    RUN(test_no_memory_reaches_nobody);
    return CHECK_DONE();
}
