/* codec.h - messages as bytes, and back.
 *
 *   0       4        6     8           16     20      24        32
 *   | magic | version | type | request id | flags | length | reserved | body: length bytes
 *
 * Everything is little-endian, nothing is padded, reserved is 0. The fields of a body follow each
 * other as the tables of protocol.h say: numbers as they are, bytes as u32 length and bytes, lists
 * as u32 count and items.
 *
 * Bodies are the plain structs of protocol.h. A decoded one borrows from the message's bytes and is
 * valid as long as they are; strings and lists that are encoded are borrowed for the call.
 *
 * Bytes of a peer are never trusted: a header is judged by tr_wire_why_invalid() before its body
 * is read, a body by tr_wire_decode(), which looks at nothing outside of the bytes that came, takes
 * no value out of the bounds of its field, and wants the body used up to its last byte. Both answer
 * with a reason in words, a static text. What we send is held to the same bounds: a body that
 * breaks them gives TR_ELIMIT.
 *
 * Cost: one pass over the body, no allocation but room in the output.
 */
#ifndef TR_WIRE_CODEC_H
#define TR_WIRE_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define TR_WIRE_HEADER_BYTES 32
#define TR_WIRE_FIELDS_MAX 32

/* Header flags. An engine's request that is to be served after those that were handed over before
 * it, not amid the question that the engine is answering now. */
#define TR_WIRE_QUEUED 1u

typedef enum tr_wire_side { TR_FROM_HOST = 0, TR_FROM_ENGINE = 1 } tr_wire_side;
typedef enum tr_wire_channel { TR_CONTROL = 0, TR_DATA = 1 } tr_wire_channel;
typedef enum tr_wire_role { TR_REQUEST = 0, TR_ANSWER = 1, TR_ONE_WAY = 2 } tr_wire_role;

typedef enum tr_wire_kind {
    TR_WIRE_U8,
    TR_WIRE_U16,
    TR_WIRE_U32,
    TR_WIRE_U64,
    TR_WIRE_I64,
    TR_WIRE_F64,
    TR_WIRE_BYTES,
    TR_WIRE_TEXTS, /* lists from here on */
    TR_WIRE_U64S,
    TR_WIRE_I64S,
    TR_WIRE_F64S
} tr_wire_kind;

/* The header as it lies on the wire: for its offsets, the bytes are read one field at a time. */
typedef struct tr_wire_header_layout {
    uint32_t magic;
    uint16_t version;
    uint16_t type;
    uint64_t request_id;
    uint32_t flags;
    uint32_t length;
    uint64_t reserved;
} tr_wire_header_layout;

_Static_assert(sizeof(tr_wire_header_layout) == TR_WIRE_HEADER_BYTES, "the header has no padding");
_Static_assert(offsetof(tr_wire_header_layout, version) == 4, "where the version is");
_Static_assert(offsetof(tr_wire_header_layout, type) == 6, "where the type is");
_Static_assert(offsetof(tr_wire_header_layout, request_id) == 8, "where the request id is");
_Static_assert(offsetof(tr_wire_header_layout, flags) == 16, "where the flags are");
_Static_assert(offsetof(tr_wire_header_layout, length) == 20, "where the length is");
_Static_assert(offsetof(tr_wire_header_layout, reserved) == 24, "where the rest is");

/* A header that was judged. */
typedef struct tr_wire_header {
    uint16_t version;
    uint16_t type;
    uint32_t flags;
    uint32_t length; /* of the body */
    uint64_t request_id;
} tr_wire_header;

/* Borrowed bytes; at may be NULL when len is 0. */
typedef struct tr_wire_bytes {
    const uint8_t *at;
    uint32_t len;
} tr_wire_bytes;

/* A list, borrowed. Decoded ones lie packed in the message. For encoding it is either that, or
 * packed is NULL and the member of items for the field's kind points to count items. */
typedef struct tr_wire_list {
    uint32_t count;
    uint32_t packed_bytes;
    const uint8_t *packed;
    union {
        const tr_wire_bytes *texts;
        const uint64_t *u64s;
        const int64_t *i64s;
        const double *f64s;
    } items;
} tr_wire_list;

typedef struct tr_wire_field {
    const char *name;
    uint16_t offset; /* in the body's struct */
    uint8_t kind;    /* tr_wire_kind */
    uint8_t per;     /* not 0: so many items for each of the list before */
    uint8_t of;      /* index of that list */
    uint64_t max;    /* value, length or count */
} tr_wire_field;

typedef struct tr_wire_spec {
    const char *name;
    uint16_t type;
    uint8_t from;    /* tr_wire_side */
    uint8_t channel; /* tr_wire_channel */
    uint8_t role;    /* tr_wire_role */
    uint8_t once;
    uint8_t detached; /* a request whose answer may come amid others */
    uint8_t field_count;
    uint16_t states; /* bits of tr_state in which it may be sent */
    uint16_t index;  /* in the table */
    uint32_t max;    /* length of the body */
    uint32_t struct_bytes;
    const tr_wire_field *fields;
} tr_wire_spec;

/* What is known of a type; NULL: there is none. Static. */
const tr_wire_spec *tr_wire_spec_of(uint16_t type);
/* All types, in the order of their numbers; sets how many. Static. */
const tr_wire_spec *tr_wire_specs(size_t *count);

/* Judges the 32 bytes of a header that came on the channel from the side. NULL: it is valid, and
 * *out is set; the body is not longer than its type permits. Else the reason. */
const char *tr_wire_why_invalid(const uint8_t *bytes, tr_wire_channel channel, tr_wire_side from,
                                tr_wire_header *out);

/* Reads a body of exactly len bytes into the struct of the type. NULL: done. Else the reason; *body
 * is then undefined. The type must be one that is. */
const char *tr_wire_decode(uint16_t type, const uint8_t *bytes, size_t len, void *body);

/* Appends header and body. 0, TR_ELIMIT (the body breaks the bounds of its type) or TR_ENOMEM; the
 * output is unchanged then. The type must be one that is. */
int tr_wire_encode(tr_mem *mem, tr_buf *out, uint16_t type, uint32_t flags, uint64_t request_id,
                   const void *body);

/* Item i of a list of numbers; i must be below count. */
uint64_t tr_wire_u64_at(const tr_wire_list *list, uint32_t i);
int64_t tr_wire_i64_at(const tr_wire_list *list, uint32_t i);
double tr_wire_f64_at(const tr_wire_list *list, uint32_t i);

/* Walks through a list of bytes: start with {0}. 1: *item is set, borrowed as the list is; 0: that
 * was all. */
typedef struct tr_wire_cursor {
    uint32_t index;
    uint32_t offset;
} tr_wire_cursor;

int tr_wire_next(const tr_wire_list *list, tr_wire_cursor *cursor, tr_wire_bytes *item);

#endif
