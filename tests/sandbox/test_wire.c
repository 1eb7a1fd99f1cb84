/* Aim: bytes of a peer give a value or a reason, never a crash; both ways agree with the golden
 * messages. Method: every golden message is decoded, shown, encoded from what was decoded and from
 * plain arrays; then each truncation and each flipped bit is judged, in a block of memory of
 * exactly that size, and whatever is accepted must come out again as it came in. */
#include "base/err.h"
#include "check.h"
#include "wire_golden.h"

#define BODY_MAX 1024

typedef union body {
    _Alignas(16) uint8_t bytes[BODY_MAX];
} body;

static tr_mem mem;

/* Judges a whole message in memory of its own. NULL: accepted, and it came out as it came in. */
static const char *judge(const uint8_t *data, size_t len, const tr_wire_spec *from) {
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    tr_assert(copy != NULL);
    memcpy(copy, data, len);
    tr_wire_header header;
    const char *why = "cut short";
    body b;
    if (len >= TR_WIRE_HEADER_BYTES) {
        why = tr_wire_why_invalid(copy, from->channel, from->from, &header);
    }
    if (why == NULL && header.length != len - TR_WIRE_HEADER_BYTES) why = "another length";
    if (why == NULL) {
        why = tr_wire_decode(header.type, copy + TR_WIRE_HEADER_BYTES, header.length, &b);
    }
    if (why == NULL) {
        tr_buf out = {0};
        int rc = tr_wire_encode(&mem, &out, header.type, header.flags, header.request_id, &b);
        CHECK_EQ_INT(rc, 0);
        CHECK_EQ_MEM(out.data, out.wpos, data, len);
        tr_buf_release(&mem, &out);
    }
    free(copy);
    return why;
}

/* Replaces the packed lists of a body by arrays. */
static void unpack(const tr_wire_spec *spec, body *b, void **owned) {
    for (size_t i = 0; i < spec->field_count; i++) {
        const tr_wire_field *field = &spec->fields[i];
        owned[i] = NULL;
        if (field->kind < TR_WIRE_TEXTS) continue;
        tr_wire_list *list = (tr_wire_list *)(void *)(b->bytes + field->offset);
        tr_wire_list plain = {.count = list->count};
        owned[i] = calloc(list->count + 1, sizeof(tr_wire_bytes));
        tr_wire_cursor cursor = {0};
        for (uint32_t j = 0; j < list->count; j++) {
            tr_wire_bytes *text = (tr_wire_bytes *)owned[i] + j;
            if (field->kind == TR_WIRE_TEXTS) tr_wire_next(list, &cursor, text);
            else ((uint64_t *)owned[i])[j] = tr_wire_u64_at(list, j);
        }
        plain.items.u64s = owned[i];
        *list = plain;
    }
}

static void golden_one(const wg_entry *entry) {
    const tr_wire_spec *spec = wg_spec(entry->name);
    CHECK(spec != NULL);
    tr_wire_header header;
    const char *why = tr_wire_why_invalid(entry->bytes, spec->channel, spec->from, &header);
    CHECK_EQ_STR(why == NULL ? "" : why, "");
    CHECK_EQ_INT(header.type, spec->type);
    body b;
    CHECK(spec->struct_bytes <= BODY_MAX);
    why = tr_wire_decode(header.type, entry->bytes + TR_WIRE_HEADER_BYTES, header.length, &b);
    CHECK_EQ_STR(why == NULL ? "" : why, "");
    char *shown = wg_show(spec, header.request_id, &b);
    CHECK_EQ_STR(shown, entry->text);
    free(shown);
    CHECK(judge(entry->bytes, entry->len, spec) == NULL);

    void *owned[TR_WIRE_FIELDS_MAX];
    unpack(spec, &b, owned);
    shown = wg_show(spec, header.request_id, &b);
    CHECK_EQ_STR(shown, entry->text);
    free(shown);
    tr_buf out = {0};
    CHECK_EQ_INT(tr_wire_encode(&mem, &out, spec->type, 0, header.request_id, &b), 0);
    CHECK_EQ_MEM(out.data, out.wpos, entry->bytes, entry->len);
    tr_buf_release(&mem, &out);
    for (size_t i = 0; i < spec->field_count; i++) free(owned[i]);
}

static void hurt_one(const wg_entry *entry) {
    const tr_wire_spec *spec = wg_spec(entry->name);
    uint8_t bytes[WG_BYTES_MAX];
    for (size_t len = 0; len < entry->len; len++) CHECK(judge(entry->bytes, len, spec) != NULL);
    for (size_t bit = 0; bit < entry->len * 8; bit++) {
        memcpy(bytes, entry->bytes, entry->len);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        judge(bytes, entry->len, spec);
    }
    memcpy(bytes, entry->bytes, entry->len);
    bytes[entry->len] = 0;
    bytes[20]++; /* one byte more than the fields have, and the header says so */
    if (bytes[20] != 0) CHECK(judge(bytes, entry->len + 1, spec) != NULL);
    /* A body that is cut, and whose header knows. */
    for (size_t len = TR_WIRE_HEADER_BYTES; len < entry->len; len++) {
        size_t body_len = len - TR_WIRE_HEADER_BYTES;
        memcpy(bytes, entry->bytes, len);
        bytes[20] = (uint8_t)body_len;
        bytes[21] = (uint8_t)(body_len >> 8);
        CHECK(judge(bytes, len, spec) != NULL);
    }
}

static void golden(void) {
    CHECK_EQ_INT(wg_each(getenv("GOLDEN"), golden_one), TR_WIRE_MESSAGES);
}

static void hurt(void) {
    CHECK_EQ_INT(wg_each(getenv("GOLDEN"), hurt_one), TR_WIRE_MESSAGES);
}

/* A header as bytes, with one field changed. */
static const char *judge_header(size_t at, uint8_t value) {
    tr_msg_ping ping = {.token = 1};
    tr_buf out = {0};
    CHECK_EQ_INT(tr_msg_ping_encode(&mem, &out, 5, &ping), 0);
    out.data[at] = (char)value;
    tr_wire_header header;
    const char *why = tr_wire_why_invalid((uint8_t *)out.data, TR_CONTROL, TR_FROM_ENGINE, &header);
    tr_buf_release(&mem, &out);
    return why == NULL ? "" : why;
}

static void headers(void) {
    CHECK_EQ_STR(judge_header(8, 6), "");
    CHECK_EQ_STR(judge_header(0, 0), "no message begins like this");
    CHECK_EQ_STR(judge_header(4, 0), "a version that is not spoken");
    CHECK_EQ_STR(judge_header(4, 2), "a version that is not spoken");
    CHECK_EQ_STR(judge_header(6, 1), "an unknown type");
    CHECK_EQ_STR(judge_header(7, 0xff), "an unknown type");
    CHECK_EQ_STR(judge_header(6, TR_MSG_RUN_COMMAND), "a message of the other channel");
    CHECK_EQ_STR(judge_header(6, TR_MSG_HELLO), "a message of the other side");
    CHECK_EQ_STR(judge_header(24, 1), "a reserved field is not 0");
    CHECK_EQ_STR(judge_header(16, 1), "an unknown flag");
    CHECK_EQ_STR(judge_header(8, 0), "a wrong request id");
    CHECK_EQ_STR(judge_header(23, 1), "longer than its type permits");
}

/* What we send is held to the bounds, too, and a failure leaves the output alone. */
static void bounds(void) {
    tr_buf out = {0};
    tr_wire_bytes names[2] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"bc", 2}};
    uint64_t standing[2] = {1, 0};
    tr_msg_walls walls = {.step = 2};
    walls.names = (tr_wire_list){.count = 2, .items.texts = names};
    walls.standing = (tr_wire_list){.count = 2, .items.u64s = standing};
    walls.details = walls.names;
    CHECK_EQ_INT(tr_msg_walls_encode(&mem, &out, 0, &walls), 0);
    size_t len = out.wpos;
    walls.standing.count = 1;
    CHECK_EQ_INT(tr_msg_walls_encode(&mem, &out, 0, &walls), TR_ELIMIT);
    walls.standing.count = 2;
    walls.step = 3;
    CHECK_EQ_INT(tr_msg_walls_encode(&mem, &out, 0, &walls), TR_ELIMIT);
    tr_msg_log line = {.level = 1};
    static uint8_t text[8193];
    line.text = (tr_wire_bytes){text, sizeof text};
    CHECK_EQ_INT(tr_msg_log_encode(&mem, &out, 0, &line), TR_ELIMIT);
    line.text.len--;
    CHECK_EQ_INT(out.wpos, len);
    tr_mem_fail_at(&mem, 1);
    CHECK_EQ_INT(tr_msg_log_encode(&mem, &out, 0, &line), TR_ENOMEM);
    CHECK_EQ_INT(out.wpos, len);
    CHECK_EQ_INT(tr_msg_log_encode(&mem, &out, 0, &line), 0);
    tr_buf_release(&mem, &out);
}

/* The table says the same as the rules of the file. */
static void table(void) {
    size_t count;
    const tr_wire_spec *specs = tr_wire_specs(&count);
    CHECK_EQ_INT(count, TR_WIRE_MESSAGES);
    for (size_t i = 0; i < count; i++) {
        const tr_wire_spec *spec = &specs[i];
        CHECK(tr_wire_spec_of(spec->type) == spec);
        CHECK_EQ_INT(spec->index, i);
        CHECK_EQ_INT(spec->type % 2, spec->role == TR_ANSWER);
        if (spec->role == TR_ANSWER) {
            const tr_wire_spec *asked = tr_wire_spec_of((uint16_t)(spec->type - 1));
            CHECK(asked != NULL && asked->role == TR_REQUEST && asked->from != spec->from);
        }
    }
    CHECK(tr_wire_spec_of(0) == NULL);
    CHECK(tr_wire_spec_of(UINT16_MAX) == NULL);
}

int main(void) {
    tr_mem_init(&mem);
    RUN(golden);
    RUN(hurt);
    RUN(headers);
    RUN(bounds);
    RUN(table);
    CHECK(mem.used == 0);
    return CHECK_DONE();
}
