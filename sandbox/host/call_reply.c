#include "sandbox/host/call_reply.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

#define REPLY_BYTES_MIN 3 /* of the shortest one: _\r\n */
#define FRAMES_FIRST 16
#define FORMAT_BYTES 4 /* of a verbatim string, the colon included */

/* ------------------------------------------------------------------ one piece */

/* A scalar, or the head of a group. */
typedef struct piece {
    int8_t type; /* REDISMODULE_REPLY_... */
    bool resp3;
    bool group;
    const char *text; /* of scalars that are text */
    size_t count;     /* bytes of the text, or what the head says */
    size_t parts;     /* replies that follow in a group: two for each pair */
    int64_t integer;
    double number;
} piece;

/* Length of the line at p, without its end; -1: it has none. */
static ssize_t line_length(const char *p, size_t left) {
    const char *end = memchr(p, '\r', left);
    if (end == NULL || (size_t)(end - p) + 2 > left || end[1] != '\n') return -1;
    return end - p;
}

/* ,1.5 or ,inf: the text ends with a line's end, where strtod() stops. */
static int read_double(const char *p, size_t len, double *number) {
    if (len == 0 || isspace((unsigned char)*p)) return 0;
    char *end;
    *number = strtod(p, &end);
    return (size_t)(end - p) == len;
}

/* $ and =: the bytes that the head announces, and a line's end. How many bytes all takes, or 0. */
static size_t read_bulk(const char *p, size_t left, size_t head, piece *out) {
    uint64_t len;
    if (!tr_num_parse_uint(p + 1, head - 3, &len)) {
        if (*p != '$' || head != 5 || memcmp(p + 1, "-1", 2) != 0) return 0;
        out->type = REDISMODULE_REPLY_NULL;
        return head;
    }
    if (len > left - head || left - head - len < 2) return 0;
    const char *text = p + head;
    if (text[len] != '\r' || text[len + 1] != '\n') return 0;
    if (*p == '=' && (len < FORMAT_BYTES || text[FORMAT_BYTES - 1] != ':')) return 0;
    size_t skip = *p == '=' ? FORMAT_BYTES : 0;
    out->type = *p == '=' ? REDISMODULE_REPLY_VERBATIM_STRING : REDISMODULE_REPLY_STRING;
    out->resp3 = *p == '=';
    out->text = text + skip;
    out->count = len - skip;
    return head + len + 2;
}

/* The head of a group; its length, or 0. */
static size_t read_group(const char *p, size_t left, size_t head, piece *out) {
    uint64_t count;
    if (!tr_num_parse_uint(p + 1, head - 3, &count)) {
        if (*p != '*' || head != 5 || memcmp(p + 1, "-1", 2) != 0) return 0;
        out->type = REDISMODULE_REPLY_NULL;
        return head;
    }
    if (count > (left - head) / REPLY_BYTES_MIN) return 0;
    bool pairs = *p == '%' || *p == '|';
    out->type = *p == '*'   ? REDISMODULE_REPLY_ARRAY
                : *p == '>' ? REDISMODULE_REPLY_UNKNOWN
                : *p == '~' ? REDISMODULE_REPLY_SET
                : *p == '%' ? REDISMODULE_REPLY_MAP
                            : REDISMODULE_REPLY_ATTRIBUTE;
    out->resp3 = *p != '*';
    out->group = true;
    out->count = count;
    out->parts = pairs ? count * 2 : count;
    return head;
}

/* Reads what is all in one line. 1 or 0. */
static int read_line(char kind, const char *text, size_t len, piece *out) {
    out->text = text;
    out->count = len;
    out->resp3 = kind != '+' && kind != '-' && kind != ':';
    switch (kind) {
    case '+': out->type = REDISMODULE_REPLY_STRING; return 1;
    case '-': out->type = REDISMODULE_REPLY_ERROR; return 1;
    case ':': out->type = REDISMODULE_REPLY_INTEGER; return tr_num_parse_int(text, len, &out->integer);
    case '(': out->type = REDISMODULE_REPLY_BIG_NUMBER; return 1;
    case ',': out->type = REDISMODULE_REPLY_DOUBLE; return read_double(text, len, &out->number);
    case '_': out->type = REDISMODULE_REPLY_NULL; return len == 0;
    case '#':
        out->type = REDISMODULE_REPLY_BOOL;
        out->integer = len == 1 && *text == 't';
        return len == 1 && (*text == 't' || *text == 'f');
    default: return 0;
    }
}

/* Reads one piece of left bytes: how many it takes, 0 when it is none. */
static size_t read_piece(const char *p, size_t left, piece *out) {
    *out = (piece){0};
    if (left < REPLY_BYTES_MIN) return 0;
    ssize_t len = line_length(p + 1, left - 1);
    if (len < 0) return 0;
    size_t head = 1 + (size_t)len + 2;
    switch (*p) {
    case '$':
    case '=': return read_bulk(p, left, head, out);
    case '*':
    case '~':
    case '>':
    case '%':
    case '|': return read_group(p, left, head, out);
    default: return read_line(*p, p + 1, (size_t)len, out) ? head : 0;
    }
}

/* The bytes of the first reply, 0 when it isn't whole; sets the number of nodes that it takes. */
static size_t scan(const char *p, size_t len, size_t *nodes) {
    size_t at = 0, missing = 1;
    *nodes = 0;
    while (missing != 0) {
        piece one;
        size_t took = read_piece(p + at, len - at, &one);
        if (took == 0) return 0;
        at += took;
        ++*nodes;
        missing += one.parts;
        if (one.type != REDISMODULE_REPLY_ATTRIBUTE) missing--; /* else the value is still to come */
        if (missing > (len - at) / REPLY_BYTES_MIN) return 0;
    }
    return at;
}

size_t tr_call_reply_scan(const char *p, size_t len) {
    size_t nodes;
    return scan(p, len, &nodes);
}

/* ------------------------------------------------------------------ all of it */

/* A group whose parts are being read. */
typedef struct frame {
    RedisModuleCallReply *group; /* NULL: the outermost one, which has the root in it */
    RedisModuleCallReply *next;
    size_t left;
} frame;

typedef struct build {
    tr_reply_root *root;
    const char *p, *end;
    RedisModuleCallReply *free; /* of the nodes that are not used yet */
    frame *frames;
    size_t frame_count, frame_cap;
} build;

static void enter(build *b, RedisModuleCallReply *group, RedisModuleCallReply *parts, size_t count) {
    if (b->frame_count == b->frame_cap) {
        b->frame_cap = b->frame_cap == 0 ? FRAMES_FIRST : b->frame_cap * 2;
        b->frames = tr_need_more(b->frames, b->frame_cap * sizeof *b->frames);
    }
    b->frames[b->frame_count++] = (frame){.group = group, .next = parts, .left = count};
}

/* All of the node's bytes have been read. */
static void complete(build *b, RedisModuleCallReply *node) {
    node->len = (size_t)(b->p - node->at);
    RedisModuleCallReply *outer = b->frames[b->frame_count - 1].group;
    if (node->resp3 && outer != NULL) outer->resp3 = true;
}

static void fill(build *b, RedisModuleCallReply *node, const piece *one) {
    node->root = b->root;
    node->type = one->type;
    node->count = one->count;
    node->resp3 = node->resp3 || one->resp3;
    switch (one->type) {
    case REDISMODULE_REPLY_INTEGER:
    case REDISMODULE_REPLY_BOOL: node->as.integer = one->integer; break;
    case REDISMODULE_REPLY_DOUBLE: node->as.number = one->number; break;
    default:
        if (one->group) node->as.items = b->free;
        else node->as.text = one->text;
    }
}

/* Reads the next piece into the node that is next. */
static void step(build *b) {
    frame *top = &b->frames[b->frame_count - 1];
    RedisModuleCallReply *node = top->next;
    piece one;
    const char *from = b->p;
    b->p += read_piece(from, (size_t)(b->end - from), &one);
    if (node->attribute == NULL) node->at = from;
    if (one.type == REDISMODULE_REPLY_ATTRIBUTE) { /* stands before the value that it belongs to */
        RedisModuleCallReply *extra = b->free++;
        extra->at = from;
        node->attribute = extra;
        node->resp3 = true;
        node = extra;
    } else {
        top->next++;
        top->left--;
    }
    fill(b, node, &one);
    if (one.group) {
        RedisModuleCallReply *parts = b->free;
        b->free += one.parts;
        enter(b, node, parts, one.parts);
    } else {
        complete(b, node);
    }
}

static void parse(tr_reply_root *root) {
    if (root->parsed) return;
    root->parsed = true;
    RedisModuleCallReply *self = &root->self;
    size_t nodes;
    if (self->len == 0) return;
    if (scan(self->at, self->len, &nodes) != self->len) { /* a push beside the reply: only RESP3 has that */
        self->resp3 = true;
        return;
    }
    root->node_count = nodes - 1;
    if (nodes > 1) root->nodes = tr_need_zeroed((nodes - 1) * sizeof *root->nodes);
    build b = {.root = root, .p = self->at, .end = self->at + self->len, .free = root->nodes};
    enter(&b, NULL, self, 1);
    while (b.frame_count != 1 || b.frames[0].left != 0) {
        if (b.frames[b.frame_count - 1].left != 0) step(&b);
        else complete(&b, b.frames[b.frame_count--  - 1].group);
    }
    free(b.frames);
}

/* The reply, looked at; NULL when there is none. */
static RedisModuleCallReply *look(RedisModuleCallReply *reply) {
    if (reply != NULL) parse(reply->root);
    return reply;
}

/* The reply when it is of the type; else NULL. */
static RedisModuleCallReply *as_type(RedisModuleCallReply *reply, int type) {
    return look(reply) != NULL && reply->type == type ? reply : NULL;
}

/* ------------------------------------------------------------------ life */

RedisModuleCallReply *tr_call_reply_new(RedisModuleCtx *ctx, char *bytes, size_t len) {
    tr_reply_root *root = tr_need_zeroed(sizeof *root);
    root->bytes = bytes;
    root->ctx = ctx != NULL && (ctx->flags & TR_CTX_AUTO) != 0 ? ctx : NULL;
    root->self.at = bytes;
    root->self.len = len;
    root->self.root = root;
    root->self.type = REDISMODULE_REPLY_UNKNOWN;
    if (root->ctx != NULL) tr_ctx_own(ctx, TR_AUTO_REPLY, root);
    return &root->self;
}

RedisModuleCallReply *tr_call_reply_new_promise(RedisModuleCtx *ctx, void *promise, tr_promise_free *promise_free) {
    RedisModuleCallReply *reply = tr_call_reply_new(ctx, NULL, 0);
    reply->root->parsed = true;
    reply->root->promise = promise;
    reply->root->promise_free = promise_free;
    reply->type = REDISMODULE_REPLY_PROMISE;
    return reply;
}

void *tr_call_reply_promise(const RedisModuleCallReply *reply) {
    return reply == NULL ? NULL : reply->root->promise;
}

void tr_call_reply_free(RedisModuleCallReply *reply) {
    tr_reply_root *root = reply->root;
    if (root->promise_free != NULL) root->promise_free(root->promise);
    free(root->bytes);
    free(root->nodes);
    free(root);
}

/* ------------------------------------------------------------------ for the rest of the host */

const char *tr_call_reply_raw(const RedisModuleCallReply *reply, size_t *len) {
    *len = reply->len;
    return reply->at;
}

int tr_call_reply_resp3(RedisModuleCallReply *reply) {
    return look(reply)->resp3;
}

void tr_call_reply_errors(RedisModuleCallReply *reply, void (*found)(void *arg, const char *text, size_t len),
                          void *arg) {
    tr_reply_root *root = look(reply)->root;
    if (reply->type == REDISMODULE_REPLY_ERROR) found(arg, reply->as.text, reply->count);
    for (size_t i = 0; i < root->node_count; i++) {
        const RedisModuleCallReply *node = &root->nodes[i];
        if (node->type == REDISMODULE_REPLY_ERROR) found(arg, node->as.text, node->count);
    }
}

/* ------------------------------------------------------------------ what modules call */

const char *tr_rm_CallReplyProto(RedisModuleCallReply *reply, size_t *len) {
    TR_NOTE(CallReplyProto, reply);
    size_t bytes;
    const char *p = tr_call_reply_raw(reply, &bytes);
    if (len != NULL) *len = bytes;
    return p;
}

void tr_rm_FreeCallReply(RedisModuleCallReply *reply) {
    TR_NOTE(FreeCallReply, reply);
    if (reply == NULL || reply != &reply->root->self) return;
    if (reply->root->ctx != NULL) tr_ctx_disown(reply->root->ctx, TR_AUTO_REPLY, reply);
    tr_call_reply_free(reply);
}

int tr_rm_CallReplyType(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyType, reply);
    return look(reply) == NULL ? REDISMODULE_REPLY_UNKNOWN : reply->type;
}

long long tr_rm_CallReplyInteger(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyInteger, reply);
    return as_type(reply, REDISMODULE_REPLY_INTEGER) == NULL ? LLONG_MIN : reply->as.integer;
}

double tr_rm_CallReplyDouble(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyDouble, reply);
    return as_type(reply, REDISMODULE_REPLY_DOUBLE) == NULL ? (double)LLONG_MIN : reply->as.number;
}

int tr_rm_CallReplyBool(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyBool, reply);
    return as_type(reply, REDISMODULE_REPLY_BOOL) == NULL ? INT_MIN : (int)reply->as.integer;
}

/* The text of a reply, and its length where that is wanted. */
static const char *text_of(const RedisModuleCallReply *reply, size_t *len) {
    if (len != NULL) *len = reply->count;
    return reply->as.text;
}

const char *tr_rm_CallReplyBigNumber(RedisModuleCallReply *reply, size_t *len) {
    TR_NOTE(CallReplyBigNumber, reply);
    return as_type(reply, REDISMODULE_REPLY_BIG_NUMBER) == NULL ? NULL : text_of(reply, len);
}

const char *tr_rm_CallReplyVerbatim(RedisModuleCallReply *reply, size_t *len, const char **format) {
    TR_NOTE(CallReplyVerbatim, reply);
    if (as_type(reply, REDISMODULE_REPLY_VERBATIM_STRING) == NULL) return NULL;
    if (format != NULL) *format = reply->as.text - FORMAT_BYTES;
    return text_of(reply, len);
}

size_t tr_rm_CallReplyLength(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyLength, reply);
    if (look(reply) == NULL) return 0;
    switch (reply->type) {
    case REDISMODULE_REPLY_STRING:
    case REDISMODULE_REPLY_ERROR:
    case REDISMODULE_REPLY_ARRAY:
    case REDISMODULE_REPLY_SET:
    case REDISMODULE_REPLY_MAP:
    case REDISMODULE_REPLY_ATTRIBUTE: return reply->count;
    default: return 0;
    }
}

/* Element idx of a group of the type, or NULL. */
static RedisModuleCallReply *element(RedisModuleCallReply *reply, int type, size_t idx) {
    if (as_type(reply, type) == NULL || idx >= reply->count) return NULL;
    return &reply->as.items[idx];
}

/* Pair idx of a group of the type. */
static int pair(RedisModuleCallReply *reply, int type, size_t idx, RedisModuleCallReply **key,
                RedisModuleCallReply **val) {
    if (as_type(reply, type) == NULL || idx >= reply->count) return REDISMODULE_ERR;
    if (key != NULL) *key = &reply->as.items[idx * 2];
    if (val != NULL) *val = &reply->as.items[idx * 2 + 1];
    return REDISMODULE_OK;
}

RedisModuleCallReply *tr_rm_CallReplyArrayElement(RedisModuleCallReply *reply, size_t idx) {
    TR_NOTE(CallReplyArrayElement, reply, idx);
    return element(reply, REDISMODULE_REPLY_ARRAY, idx);
}

RedisModuleCallReply *tr_rm_CallReplySetElement(RedisModuleCallReply *reply, size_t idx) {
    TR_NOTE(CallReplySetElement, reply, idx);
    return element(reply, REDISMODULE_REPLY_SET, idx);
}

int tr_rm_CallReplyMapElement(RedisModuleCallReply *reply, size_t idx, RedisModuleCallReply **key,
                              RedisModuleCallReply **val) {
    TR_NOTE(CallReplyMapElement, reply, idx);
    return pair(reply, REDISMODULE_REPLY_MAP, idx, key, val);
}

int tr_rm_CallReplyAttributeElement(RedisModuleCallReply *reply, size_t idx, RedisModuleCallReply **key,
                                    RedisModuleCallReply **val) {
    TR_NOTE(CallReplyAttributeElement, reply, idx);
    return pair(reply, REDISMODULE_REPLY_ATTRIBUTE, idx, key, val);
}

RedisModuleCallReply *tr_rm_CallReplyAttribute(RedisModuleCallReply *reply) {
    TR_NOTE(CallReplyAttribute, reply);
    return look(reply) == NULL ? NULL : reply->attribute;
}

const char *tr_rm_CallReplyStringPtr(RedisModuleCallReply *reply, size_t *len) {
    TR_NOTE(CallReplyStringPtr, reply);
    if (as_type(reply, REDISMODULE_REPLY_STRING) == NULL && as_type(reply, REDISMODULE_REPLY_ERROR) == NULL) {
        return NULL;
    }
    return text_of(reply, len);
}

RedisModuleString *tr_rm_CreateStringFromCallReply(RedisModuleCallReply *reply) {
    TR_NOTE(CreateStringFromCallReply, reply);
    if (look(reply) == NULL) return NULL;
    RedisModuleString *made;
    char text[TR_INT_TEXT];
    switch (reply->type) {
    case REDISMODULE_REPLY_STRING:
    case REDISMODULE_REPLY_ERROR: made = tr_string_new(reply->as.text, reply->count); break;
    case REDISMODULE_REPLY_INTEGER: made = tr_string_new(text, tr_num_format_int(text, reply->as.integer)); break;
    default: return NULL;
    }
    tr_ctx_own(reply->root->ctx, TR_AUTO_STRING, made);
    return made;
}
