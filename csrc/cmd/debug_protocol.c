/* DEBUG PROTOCOL: a sample of each type of reply, for tests of client libraries. */
#include "cmd/debug_parts.h"
#include "exec/reply.h"

#define MSG_RESP3_ONLY "ERR RESP2 is not supported by this command"
#define MSG_BAD_TYPE                                                                               \
    "ERR Wrong protocol type name. Please use one of the following: " TR_DEBUG_TYPES
#define SAMPLES 3

static void sample_string(tr_client *c) {
    tr_reply_cstr(c, "Hello World");
}

static void sample_integer(tr_client *c) {
    tr_reply_int(c, 12345);
}

static void sample_double(tr_client *c) {
    tr_w_double(&c->w, 3.141);
}

static void sample_bignum(tr_client *c) {
    static const char digits[] = "1234567999999999999999999999999999999";
    tr_w_bignum(&c->w, digits, sizeof(digits) - 1);
}

static void sample_null(tr_client *c) {
    tr_reply_null(c);
}

static void sample_array(tr_client *c) {
    tr_reply_array(c, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) tr_reply_int(c, i);
}

static void sample_set(tr_client *c) {
    tr_w_set(&c->w, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) tr_reply_int(c, i);
}

static void sample_map(tr_client *c) {
    tr_reply_map(c, SAMPLES);
    for (int i = 0; i < SAMPLES; i++) {
        tr_reply_int(c, i);
        tr_w_bool(&c->w, i == 1);
    }
}

static void sample_attrib(tr_client *c) {
    if (!tr_w_wants_attr(&c->w)) {
        tr_reply_error(c, MSG_RESP3_ONLY);
        return;
    }
    tr_w_attr(&c->w, 1);
    tr_reply_cstr(c, "key-popularity");
    tr_reply_array(c, 2);
    tr_reply_cstr(c, "key:123");
    tr_reply_int(c, 90);
    tr_reply_cstr(c, "Some real reply following the attribute");
}

/* The push leaves behind the reply of the command that caused it; for a module there is only the order of writing. */
static void sample_push(tr_client *c) {
    static const char reply[] = "Some real reply following the push reply";
    if (c->w.proto < 3) {
        tr_reply_error(c, MSG_RESP3_ONLY);
        return;
    }
    int last = c->owner != NULL;
    if (!last) tr_reply_cstr(c, reply);
    tr_w_push(&c->w, 2);
    tr_reply_cstr(c, "server-cpu-usage");
    tr_reply_int(c, 42);
    if (last) tr_reply_cstr(c, reply);
}

static void sample_verbatim(tr_client *c) {
    static const char text[] = "This is a verbatim\nstring";
    tr_w_verbatim(&c->w, "txt", text, sizeof(text) - 1);
}

static void sample_true(tr_client *c) {
    tr_w_bool(&c->w, 1);
}

static void sample_false(tr_client *c) {
    tr_w_bool(&c->w, 0);
}

static const struct {
    const char *name;
    void (*fn)(tr_client *c);
} samples[] = {
    {"string", sample_string},     {"integer", sample_integer}, {"double", sample_double},
    {"bignum", sample_bignum},     {"null", sample_null},       {"array", sample_array},
    {"set", sample_set},           {"map", sample_map},         {"attrib", sample_attrib},
    {"push", sample_push},         {"verbatim", sample_verbatim}, {"true", sample_true},
    {"false", sample_false},
};

void tr_debug_protocol(tr_client *c) {
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (!tr_arg_is(c, 2, samples[i].name)) continue;
        samples[i].fn(c);
        return;
    }
    tr_reply_error(c, MSG_BAD_TYPE);
}
