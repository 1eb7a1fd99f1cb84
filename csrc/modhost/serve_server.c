/* What modules ask of the server itself: INFO, clients, messages. */
#include <string.h>

#include "base/err.h"
#include "exec/pubsub.h"
#include "exec/reply.h"
#include "modhost/internal.h"

#define INFO_SECTIONS_MAX 64 /* named at once */

int tr_modhost_register_info(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)body;
    tr_msg_register_info_answer answer = {.outcome = 0};
    h->has_info = 1;
    return tr_helper_answer(h, header, &answer);
}

/* All bytes of a client's output, taken out of it. 0 or TR_ENOMEM. */
static int gather(tr_client *c, tr_buf *out) {
    while (c->out.bytes != 0) {
        struct iovec iov[16];
        int count = tr_outq_iov(&c->out, iov, 16);
        size_t taken = 0;
        for (int i = 0; i < count; i++) {
            if (tr_buf_append(c->x->mem, out, iov[i].iov_base, iov[i].iov_len) != TR_OK) return TR_ENOMEM;
            taken += iov[i].iov_len;
        }
        tr_outq_consume(&c->out, taken);
    }
    return c->out.failed ? TR_ENOMEM : TR_OK;
}

/* The text of the one bulk string in a reply; empty for anything else. */
static tr_wire_bytes bulk_of(const tr_buf *reply) {
    const char *p = reply->data + reply->rpos, *end = reply->data + reply->wpos;
    tr_wire_bytes none = {0};
    if (p == end || *p != '$') return none;
    const char *line = memchr(p, '\n', (size_t)(end - p));
    if (line == NULL || end - line < 3) return none;
    return (tr_wire_bytes){.at = (const uint8_t *)line + 1, .len = (uint32_t)(end - line - 3)};
}

int tr_modhost_server_info(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_server_info *m = body;
    tr_exec *x = h->m->x;
    tr_client c;
    tr_arg argv[2] = {{.ptr = "INFO", .len = 4}, {.ptr = (const char *)m->section.at, .len = m->section.len}};
    tr_buf reply = {0};
    tr_client_init(&c, x, x->next_client_id++, TR_CLIENT_INTERNAL | TR_CLIENT_AUTHENTICATED);
    c.owner = h;
    c.argv = argv;
    c.argc = m->section.len == 0 ? 1 : 2;
    tr_execute(&c);
    int rc = gather(&c, &reply);
    tr_client_release(&c);
    if (rc == TR_OK) {
        tr_msg_server_info_answer answer = {.text = bulk_of(&reply)};
        rc = tr_helper_answer(h, header, &answer);
    }
    tr_buf_release(x->mem, &reply);
    return rc;
}

int tr_modhost_publish(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_publish *m = body;
    int64_t count = tr_pubsub_publish(h->m->x, (const char *)m->channel.at, m->channel.len, (const char *)m->message.at,
                                      m->message.len, m->shard);
    tr_msg_publish_answer answer = {.receivers = count < 0 ? 0 : (uint64_t)count};
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_client_info(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_client_info *m = body;
    const tr_client *c = tr_client_by_id(h->m->x, m->client_id);
    tr_msg_client_info_answer answer = {.found = 0};
    char address[TR_HELPER_REASON_MAX];
    if (c == NULL || c->flags & TR_CLIENT_INTERNAL) return tr_helper_answer(h, header, &answer);
    answer.found = 1;
    answer.flags = tr_modhost_client_flags(c);
    answer.db = (uint32_t)c->db->id;
    answer.name = (tr_wire_bytes){.at = (const uint8_t *)c->name.ptr, .len = (uint32_t)c->name.len};
    answer.user = (tr_wire_bytes){.at = (const uint8_t *)"default", .len = 7};
    if (h->m->hooks.address != NULL && h->m->hooks.address(h->m->hooks.ctx, c, address, sizeof address, &answer.port)) {
        answer.address = (tr_wire_bytes){.at = (const uint8_t *)address, .len = (uint32_t)strlen(address)};
    }
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_set_client_name(tr_helper *h, const tr_wire_header *header, const void *body) {
    const tr_msg_set_client_name *m = body;
    tr_msg_set_client_name_answer answer = {.outcome = 1};
    tr_client *c = tr_client_by_id(h->m->x, m->client_id);
    if (c != NULL && !(c->flags & TR_CLIENT_INTERNAL)) {
        int rc = tr_client_set_text(c, &c->name, (const char *)m->name.at, m->name.len);
        if (rc == TR_ENOMEM) return rc;
        answer.outcome = rc == TR_OK ? 0 : 2;
    }
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_client_certificate(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)body;
    tr_msg_client_certificate_answer answer = {.found = 0}; /* nobody comes over TLS */
    return tr_helper_answer(h, header, &answer);
}

int tr_modhost_info(tr_helper *h, int all, int for_crash, const tr_arg *sections, int count, tr_buf *out) {
    tr_wire_bytes names[INFO_SECTIONS_MAX];
    if (!h->has_info || h->state != TR_HELPER_SERVING) return TR_ENOENT;
    if (count > INFO_SECTIONS_MAX) count = INFO_SECTIONS_MAX;
    for (int i = 0; i < count; i++) {
        names[i] = (tr_wire_bytes){.at = (const uint8_t *)sections[i].ptr, .len = (uint32_t)sections[i].len};
    }
    tr_msg_run_info ask = {.all = all != 0,
                           .crash = for_crash != 0,
                           .sections = {.count = (uint32_t)count, .items.texts = names}};
    tr_msg_run_info_answer answer;
    tr_buf hold = {0};
    int rc = tr_helper_ask(h, TR_MSG_RUN_INFO, &ask, &answer, &hold);
    if (rc == TR_OK) rc = tr_buf_append(h->m->mem, out, answer.text.at, answer.text.len);
    tr_buf_release(h->m->mem, &hold);
    return rc;
}

int tr_modhost_latency_sample(tr_helper *h, const tr_wire_header *header, const void *body) {
    (void)header;
    const tr_msg_latency_sample *m = body;
    char event[TR_LATENCY_NAME_MAX];
    size_t len = m->event.len < sizeof event ? m->event.len : sizeof event - 1;
    if (len != 0) memcpy(event, m->event.at, len);
    event[len] = '\0';
    tr_latency_told(h->m->x, event, m->latency_ms);
    return TR_OK;
}
