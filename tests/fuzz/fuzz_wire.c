/* Whatever bytes come on a channel, they are a message or there is a reason why not: what is
 * accepted can be walked through to the end of its lists and comes out again byte by byte, nothing
 * is read beyond what came, and nothing stays allocated. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "custom_mutator.h"
#include "sandbox/wire/protocol.h"

#define BODY_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Looks at every item of a decoded body. */
static void walk(const tr_wire_spec *spec, const uint8_t *body) {
    volatile uint8_t sink = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        const tr_wire_field *field = &spec->fields[i];
        if (field->kind < TR_WIRE_TEXTS) continue;
        tr_wire_list list;
        memcpy(&list, body + field->offset, sizeof list);
        tr_wire_cursor cursor = {0};
        tr_wire_bytes item;
        for (uint32_t j = 0; j < list.count; j++) {
            if (field->kind != TR_WIRE_TEXTS) {
                sink ^= (uint8_t)tr_wire_u64_at(&list, j);
                continue;
            }
            tr_assert(tr_wire_next(&list, &cursor, &item) == 1);
            if (item.len != 0) sink ^= item.at[item.len - 1];
        }
        tr_assert(field->kind != TR_WIRE_TEXTS || tr_wire_next(&list, &cursor, &item) == 0);
    }
    (void)sink;
}

/* A body as one of that type; the bytes are in memory of exactly that size. */
static void check_body(tr_mem *mem, const tr_wire_header *header, const uint8_t *bytes) {
    const tr_wire_spec *spec = tr_wire_spec_of(header->type);
    _Alignas(16) uint8_t body[BODY_MAX];
    tr_assert(spec->struct_bytes <= sizeof body);
    if (tr_wire_decode(header->type, bytes, header->length, body) != NULL) return;
    walk(spec, body);
    tr_buf out = {0};
    int rc = tr_wire_encode(mem, &out, header->type, header->flags, header->request_id, body);
    tr_assert(rc == 0);
    tr_assert(tr_buf_unread(&out) == TR_WIRE_HEADER_BYTES + (size_t)header->length);
    tr_assert(memcmp(out.data + TR_WIRE_HEADER_BYTES, bytes, header->length) == 0);
    tr_buf_release(mem, &out);
}

/* The input as a message with its header. */
static void check_message(tr_mem *mem, const uint8_t *data, size_t size) {
    tr_wire_header header;
    if (size < TR_WIRE_HEADER_BYTES) return;
    for (int i = 0; i < 4; i++) {
        tr_wire_channel channel = (tr_wire_channel)(i / 2);
        if (tr_wire_why_invalid(data, channel, (tr_wire_side)(i % 2), &header)) continue;
        if (header.length != size - TR_WIRE_HEADER_BYTES) continue;
        check_body(mem, &header, data + TR_WIRE_HEADER_BYTES);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tr_mem mem;
    tr_mem_init(&mem);
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    tr_assert(copy != NULL);
    if (size != 0) memcpy(copy, data, size);
    check_message(&mem, copy, size);
    if (size >= 2) { /* and as the body of the type that its first two bytes pick */
        size_t count;
        const tr_wire_spec *specs = tr_wire_specs(&count);
        const tr_wire_spec *spec = &specs[(size_t)(copy[0] | copy[1] << 8) % count];
        uint8_t *body = malloc(size == 2 ? 1 : size - 2);
        tr_assert(body != NULL);
        memcpy(body, copy + 2, size - 2);
        tr_wire_header header = {.type = spec->type,
                                 .length = (uint32_t)(size - 2),
                                 .request_id = spec->role != TR_ONE_WAY};
        if (header.length <= spec->max) check_body(&mem, &header, body);
        free(body);
    }
    free(copy);
    tr_assert(mem.used == 0);
    return 0;
}
