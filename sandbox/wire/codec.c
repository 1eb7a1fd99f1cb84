#include "sandbox/wire/codec.h"

#include <string.h>

#include "base/assert.h"
#include "base/err.h"
#include "sandbox/wire/protocol.h"

/* Written out, so that compilers make one load or store of each. */
static uint32_t get_u16(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get_u32(const uint8_t *p) {
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get_u64(const uint8_t *p) {
    return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}

static uint64_t get_le(const uint8_t *p, size_t width) {
    switch (width) {
    case 1:
        return p[0];
    case 2:
        return get_u16(p);
    case 4:
        return get_u32(p);
    default:
        return get_u64(p);
    }
}

static uint8_t *put_u32(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    return p + 4;
}

static uint8_t *put_le(uint8_t *p, uint64_t v, size_t width) {
    if (width == 8) return put_u32(put_u32(p, (uint32_t)v), (uint32_t)(v >> 32));
    if (width == 4) return put_u32(p, (uint32_t)v);
    p[0] = (uint8_t)v;
    if (width == 2) p[1] = (uint8_t)(v >> 8);
    return p + width;
}

/* Bytes of a number of the kind; of a length or a count for the others. */
static size_t width_of(uint8_t kind) {
    static const uint8_t widths[] = {1, 2, 4, 8, 8, 8, 4, 4, 4, 4, 4};
    tr_assert(kind < sizeof widths);
    return widths[kind];
}

const char *tr_wire_why_invalid(const uint8_t *bytes, tr_wire_channel channel, tr_wire_side from,
                                tr_wire_header *out) {
    tr_wire_header h;
    if (get_u32(bytes) != TR_WIRE_MAGIC) return "no message begins like this";
    h.version = (uint16_t)get_u16(bytes + 4);
    h.type = (uint16_t)get_u16(bytes + 6);
    h.request_id = get_u64(bytes + 8);
    h.flags = get_u32(bytes + 16);
    h.length = get_u32(bytes + 20);
    if (h.version < TR_WIRE_VERSION_MIN || h.version > TR_WIRE_VERSION_MAX) {
        return "a version that is not spoken";
    }
    const tr_wire_spec *spec = tr_wire_spec_of(h.type);
    if (spec == NULL) return "an unknown type";
    if (spec->channel != channel) return "a message of the other channel";
    if (spec->from != from) return "a message of the other side";
    if (get_u64(bytes + 24) != 0) return "a reserved field is not 0";
    int may_queue = spec->role == TR_REQUEST && channel == TR_DATA && from == TR_FROM_ENGINE;
    if ((h.flags & ~(may_queue ? TR_WIRE_QUEUED : 0u)) != 0) return "an unknown flag";
    if ((h.request_id == 0) != (spec->role == TR_ONE_WAY)) return "a wrong request id";
    if (h.length > spec->max) return "longer than its type permits";
    *out = h;
    return NULL;
}

/* ------------------------------------------------------------------ decoding */

typedef struct reader {
    const uint8_t *at;
    size_t left;
} reader;

static const char *const short_body = "the body ends within a field";

static const char *read_texts(reader *r, tr_wire_list *list) {
    const uint8_t *start = r->at;
    for (uint32_t i = 0; i < list->count; i++) {
        if (r->left < 4) return short_body;
        uint32_t len = get_u32(r->at);
        if (len > r->left - 4) return short_body;
        r->at += 4 + (size_t)len;
        r->left -= 4 + (size_t)len;
    }
    list->packed = start;
    list->packed_bytes = (uint32_t)(r->at - start);
    return NULL;
}

static const char *read_numbers(reader *r, tr_wire_list *list) {
    if (list->count > r->left / 8) return short_body;
    list->packed = r->at;
    list->packed_bytes = list->count * 8;
    r->at += list->packed_bytes;
    r->left -= list->packed_bytes;
    return NULL;
}

/* The count that a list must have, by its other list; any when it has none. */
static int count_fits(const tr_wire_spec *spec, const tr_wire_field *field, const uint8_t *body,
                      uint64_t count) {
    if (field->per == 0) return count <= field->max;
    tr_wire_list other;
    memcpy(&other, body + spec->fields[field->of].offset, sizeof other);
    return count == (uint64_t)field->per * other.count;
}

/* Sets a number's field. */
static void set_number(uint8_t *to, uint64_t v, size_t width) {
    uint8_t u8 = (uint8_t)v;
    uint16_t u16 = (uint16_t)v;
    uint32_t u32 = (uint32_t)v;
    if (width == 1) memcpy(to, &u8, 1);
    else if (width == 2) memcpy(to, &u16, 2);
    else if (width == 4) memcpy(to, &u32, 4);
    else memcpy(to, &v, 8);
}

static const char *read_field(reader *r, const tr_wire_spec *spec, const tr_wire_field *field,
                              uint8_t *body) {
    size_t width = width_of(field->kind);
    if (r->left < width) return short_body;
    uint64_t v = get_le(r->at, width);
    r->at += width;
    r->left -= width;
    uint8_t *to = body + field->offset;
    if (field->kind < TR_WIRE_BYTES) {
        if (v > field->max) return "a number is out of its bounds";
        set_number(to, v, width);
        return NULL;
    }
    if (field->kind == TR_WIRE_BYTES) {
        if (v > field->max) return "bytes are longer than their field permits";
        if (v > r->left) return short_body;
        tr_wire_bytes bytes = {.at = r->at, .len = (uint32_t)v};
        memcpy(to, &bytes, sizeof bytes);
        r->at += v;
        r->left -= v;
        return NULL;
    }
    if (!count_fits(spec, field, body, v)) return "a list has a wrong count";
    tr_wire_list list = {.count = (uint32_t)v};
    const char *why = field->kind == TR_WIRE_TEXTS ? read_texts(r, &list) : read_numbers(r, &list);
    if (why == NULL) memcpy(to, &list, sizeof list);
    return why;
}

const char *tr_wire_decode(uint16_t type, const uint8_t *bytes, size_t len, void *body) {
    const tr_wire_spec *spec = tr_wire_spec_of(type);
    tr_assert(spec != NULL);
    tr_assert(bytes != NULL || len == 0);
    if (len > spec->max) return "longer than its type permits";
    reader r = {.at = bytes, .left = len};
    memset(body, 0, spec->struct_bytes);
    for (size_t i = 0; i < spec->field_count; i++) {
        const char *why = read_field(&r, spec, &spec->fields[i], body);
        if (why != NULL) return why;
    }
    return r.left == 0 ? NULL : "bytes are left over";
}

/* ------------------------------------------------------------------ encoding */

/* The value of a number's field. */
static uint64_t number_of(const uint8_t *from, size_t width) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (width) {
    case 1:
        memcpy(&u8, from, 1);
        return u8;
    case 2:
        memcpy(&u16, from, 2);
        return u16;
    case 4:
        memcpy(&u32, from, 4);
        return u32;
    default:
        memcpy(&u64, from, 8);
        return u64;
    }
}

/* Bytes of a list's items on the wire. */
static uint64_t list_bytes(const tr_wire_list *list, uint8_t kind) {
    if (list->packed != NULL) return list->packed_bytes;
    if (kind != TR_WIRE_TEXTS) return (uint64_t)list->count * 8;
    uint64_t size = 0;
    for (uint32_t i = 0; i < list->count; i++) size += 4 + (uint64_t)list->items.texts[i].len;
    return size;
}

/* Bytes of a field on the wire. 0 or TR_ELIMIT. */
static int size_field(const tr_wire_spec *spec, const tr_wire_field *field, const uint8_t *body,
                      uint64_t *size) {
    const uint8_t *from = body + field->offset;
    size_t width = width_of(field->kind);
    if (field->kind < TR_WIRE_BYTES) {
        *size += width;
        return number_of(from, width) <= field->max ? 0 : TR_ELIMIT;
    }
    if (field->kind == TR_WIRE_BYTES) {
        tr_wire_bytes bytes;
        memcpy(&bytes, from, sizeof bytes);
        *size += width + bytes.len;
        return bytes.len <= field->max ? 0 : TR_ELIMIT;
    }
    tr_wire_list list;
    memcpy(&list, from, sizeof list);
    *size += width + list_bytes(&list, field->kind);
    return count_fits(spec, field, body, list.count) ? 0 : TR_ELIMIT;
}

static uint8_t *put_bytes(uint8_t *to, const tr_wire_bytes *bytes) {
    to = put_le(to, bytes->len, 4);
    if (bytes->len != 0) memcpy(to, bytes->at, bytes->len);
    return to + bytes->len;
}

static uint8_t *put_list(uint8_t *to, const tr_wire_list *list, uint8_t kind) {
    to = put_le(to, list->count, 4);
    if (list->packed != NULL) {
        memcpy(to, list->packed, list->packed_bytes);
        return to + list->packed_bytes;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        if (kind == TR_WIRE_TEXTS) {
            to = put_bytes(to, &list->items.texts[i]);
        } else {
            uint64_t v;
            memcpy(&v, list->items.u64s + i, 8); /* whatever their type, items are 8 bytes */
            to = put_le(to, v, 8);
        }
    }
    return to;
}

static uint8_t *put_field(uint8_t *to, const tr_wire_field *field, const uint8_t *body) {
    const uint8_t *from = body + field->offset;
    size_t width = width_of(field->kind);
    if (field->kind < TR_WIRE_BYTES) return put_le(to, number_of(from, width), width);
    if (field->kind == TR_WIRE_BYTES) {
        tr_wire_bytes bytes;
        memcpy(&bytes, from, sizeof bytes);
        return put_bytes(to, &bytes);
    }
    tr_wire_list list;
    memcpy(&list, from, sizeof list);
    return put_list(to, &list, field->kind);
}

int tr_wire_encode(tr_mem *mem, tr_buf *out, uint16_t type, uint32_t flags, uint64_t request_id,
                   const void *body) {
    const tr_wire_spec *spec = tr_wire_spec_of(type);
    tr_assert(spec != NULL);
    tr_assert((request_id == 0) == (spec->role == TR_ONE_WAY));
    uint64_t length = 0;
    for (size_t i = 0; i < spec->field_count; i++) {
        int rc = size_field(spec, &spec->fields[i], body, &length);
        if (rc != 0) return rc;
    }
    if (length > spec->max) return TR_ELIMIT;
    int rc = tr_buf_reserve(mem, out, TR_WIRE_HEADER_BYTES + (size_t)length);
    if (rc != 0) return rc;
    uint8_t *start = (uint8_t *)out->data + out->wpos;
    uint8_t *to = put_le(start, TR_WIRE_MAGIC, 4);
    to = put_le(to, TR_WIRE_VERSION_MAX, 2);
    to = put_le(to, type, 2);
    to = put_le(to, request_id, 8);
    to = put_le(to, flags, 4);
    to = put_le(to, length, 4);
    to = put_le(to, 0, 8);
    for (size_t i = 0; i < spec->field_count; i++) to = put_field(to, &spec->fields[i], body);
    tr_assert((uint64_t)(to - start) == TR_WIRE_HEADER_BYTES + length);
    out->wpos += (size_t)(to - start);
    return 0;
}

/* ------------------------------------------------------------------ lists */

uint64_t tr_wire_u64_at(const tr_wire_list *list, uint32_t i) {
    tr_assert(i < list->count);
    return list->packed != NULL ? get_u64(list->packed + (size_t)i * 8) : list->items.u64s[i];
}

int64_t tr_wire_i64_at(const tr_wire_list *list, uint32_t i) {
    tr_assert(i < list->count);
    return list->packed != NULL ? (int64_t)get_u64(list->packed + (size_t)i * 8)
                                : list->items.i64s[i];
}

double tr_wire_f64_at(const tr_wire_list *list, uint32_t i) {
    tr_assert(i < list->count);
    if (list->packed == NULL) return list->items.f64s[i];
    uint64_t bits = get_u64(list->packed + (size_t)i * 8);
    double v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

int tr_wire_next(const tr_wire_list *list, tr_wire_cursor *cursor, tr_wire_bytes *item) {
    if (cursor->index == list->count) return 0;
    if (list->packed == NULL) {
        *item = list->items.texts[cursor->index++];
        return 1;
    }
    tr_assert(cursor->offset + 4 <= list->packed_bytes);
    item->len = get_u32(list->packed + cursor->offset);
    item->at = list->packed + cursor->offset + 4;
    tr_assert(item->len <= list->packed_bytes - cursor->offset - 4);
    cursor->offset += 4 + item->len;
    cursor->index++;
    return 1;
}
