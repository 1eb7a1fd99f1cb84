/* host_kit.h - what stands in for the rest of the host program when one part of it is tested: the
 * channel, the contexts and the end of the process. A test of one file; include it once. */
#ifndef TR_TESTS_HOST_KIT_H
#define TR_TESTS_HOST_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "../csrc/check.h"
#include "base/assert.h"
#include "sandbox/host/link.h"

tr_host tr_host_here;

/* ------------------------------------------------------------------ death */

static jmp_buf kit_grave;
static bool kit_mortal;
static int kit_death_kind;
static char kit_death_text[1024];

void tr_host_die(tr_death kind, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(kit_death_text, sizeof(kit_death_text), fmt, args);
    va_end(args);
    if (!kit_mortal) {
        fprintf(stderr, "the host died: %s\n", kit_death_text);
        abort();
    }
    kit_death_kind = kind;
    longjmp(kit_grave, 1);
}

/* What follows must end the process in this way. */
#define CHECK_DIES(kind, call)                                                                     \
    do {                                                                                           \
        kit_mortal = true;                                                                         \
        kit_death_kind = 0;                                                                        \
        if (setjmp(kit_grave) == 0) {                                                              \
            call;                                                                                  \
        }                                                                                          \
        kit_mortal = false;                                                                        \
        CHECK_EQ_INT(kit_death_kind, kind);                                                        \
    } while (0)

/* ------------------------------------------------------------------ what was said */

static int kit_log_count, kit_log_level, kit_log_source;
static char kit_log_text[16 * 1024];

void tr_host_log(int level, int source, const char *text, size_t len) {
    kit_log_count++;
    kit_log_level = level;
    kit_log_source = source;
    snprintf(kit_log_text, sizeof(kit_log_text), "%.*s", (int)len, text);
}

static int kit_post_count;
static tr_msg_type kit_post_type;
static tr_msg_memory_used kit_memory_used;
static tr_msg_latency_sample kit_latency;
static char kit_latency_event[1024];

void tr_link_post(tr_msg_type type, const void *body) {
    kit_post_count++;
    kit_post_type = type;
    if (type == TR_MSG_MEMORY_USED) kit_memory_used = *(const tr_msg_memory_used *)body;
    if (type == TR_MSG_LATENCY_SAMPLE) {
        kit_latency = *(const tr_msg_latency_sample *)body;
        snprintf(kit_latency_event, sizeof(kit_latency_event), "%.*s", (int)kit_latency.event.len,
                 (const char *)kit_latency.event.at);
    }
}

/* What a test makes of questions, of one-way messages and of answers; NULL: nothing. */
static void (*kit_ask)(tr_msg_type type, const void *body, void *body_out);
static void (*kit_tell)(tr_msg_type type, const void *body);
static void (*kit_answer)(const void *body);

void tr_link_tell(const char *function, tr_msg_type type, const void *body) {
    CHECK(function[0] != '\0');
    if (kit_tell != NULL) kit_tell(type, body);
}

void tr_link_answer(const tr_wire_header *request, const void *body) {
    (void)request;
    if (kit_answer != NULL) kit_answer(body);
}

static double kit_ratio;
static tr_msg_type kit_asked;

void tr_link_ask(const char *function, tr_msg_type type, const void *body, void *body_out,
                 tr_answer *answer) {
    (void)answer;
    CHECK(function[0] != '\0');
    kit_asked = type;
    if (kit_ask != NULL) kit_ask(type, body, body_out);
    if (type == TR_MSG_MEMORY_RATIO) ((tr_msg_memory_ratio_answer *)body_out)->ratio = kit_ratio;
}

void tr_answer_drop(tr_answer *answer) {
    (void)answer;
}

void tr_note(uint32_t function, uint32_t flags, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    tr_assert(function >= 1 && function <= TR_FN_COUNT);
    (void)flags, (void)a, (void)b, (void)c, (void)d;
}

/* ------------------------------------------------------------------ contexts */

void tr_ctx_own(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    if (ctx == NULL || !(ctx->flags & TR_CTX_AUTO)) return;
    ctx->autos = realloc(ctx->autos, (ctx->auto_count + 1) * sizeof(*ctx->autos));
    ctx->autos[ctx->auto_count++] = (tr_auto){.kind = kind, .p = p};
}

int tr_ctx_disown(RedisModuleCtx *ctx, tr_auto_kind kind, void *p) {
    for (uint32_t i = 0; i < ctx->auto_count; i++) {
        if (ctx->autos[i].p != p || ctx->autos[i].kind != kind) continue;
        ctx->autos[i] = ctx->autos[--ctx->auto_count];
        return 1;
    }
    return 0;
}

#endif
