/* LCS: the longest common subsequence of two strings, its length, or where its pieces stand.
 *
 * length[i][j] is the answer's length for the first i bytes of one and the first j of the other,
 * filled row by row; from the last cell a way back to an edge visits the answer's bytes in
 * reverse. Time and memory grow with the product of the two lengths; the settings' bound on
 * strings bounds the memory. */
#include "base/assert.h"
#include "exec/exec.h"
#include "exec/reply.h"

typedef struct lcs_options {
    int len_only;
    int indexes;
    int with_lengths;
    int64_t min_len;
} lcs_options;

typedef struct lcs {
    tr_view a, b;
    size_t width;     /* cells of a row: b.len + 1 */
    uint32_t *length; /* owned */
} lcs;

/* A piece that both strings have: ends inclusive. */
typedef struct lcs_match {
    size_t a_first, b_first, count;
} lcs_match;

static uint32_t *cell(const lcs *l, size_t i, size_t j) {
    return &l->length[i * l->width + j];
}

/* 1, or 0 after the error reply. */
static int parse_options(tr_client *c, lcs_options *o) {
    *o = (lcs_options){0};
    for (int i = 3; i < c->argc; i++) {
        if (tr_arg_is(c, i, "IDX")) {
            o->indexes = 1;
        } else if (tr_arg_is(c, i, "LEN")) {
            o->len_only = 1;
        } else if (tr_arg_is(c, i, "WITHMATCHLEN")) {
            o->with_lengths = 1;
        } else if (tr_arg_is(c, i, "MINMATCHLEN") && i + 1 < c->argc) {
            if (!tr_arg_int(c, ++i, &o->min_len)) return 0;
        } else {
            tr_reply_error(c, TR_MSG_SYNTAX);
            return 0;
        }
    }
    if (!o->indexes || !o->len_only) return 1;
    tr_reply_error(c, "ERR If you want both the length and indexes, please just use IDX.");
    return 0;
}

/* 1, or 0 after the error reply. */
static int read_strings(tr_client *c, lcs *l) {
    const tr_entry *a = tr_db_read(c->db, &c->argv[1]);
    const tr_entry *b = tr_db_read(c->db, &c->argv[2]);
    if ((a && tr_entry_type(a) != TR_STRING) || (b && tr_entry_type(b) != TR_STRING)) {
        tr_reply_error(c, "ERR The specified keys must contain string values");
        return 0;
    }
    l->a = l->b = (tr_view){.ptr = ""};
    if (a != NULL) tr_entry_view(a, &l->a);
    if (b != NULL) tr_entry_view(b, &l->b);
    l->width = l->b.len + 1;
    return 1;
}

/* 1, or 0 after the error reply. */
static int make_table(tr_client *c, lcs *l) {
    if (l->a.len >= UINT32_MAX - 1 || l->b.len >= UINT32_MAX - 1) {
        tr_reply_error(c, "ERR String too long for LCS");
        return 0;
    }
    uint64_t cells = (uint64_t)(l->a.len + 1) * l->width;
    size_t size;
    int fits = !__builtin_mul_overflow(cells, sizeof(uint32_t), &size);
    if (fits && size > (size_t)c->x->string_max) {
        tr_reply_error(c, "ERR Insufficient memory, transient memory for LCS exceeds "
                          "proto-max-bulk-len");
        return 0;
    }
    l->length = fits ? tr_alloc(c->x->mem, size) : NULL;
    if (l->length != NULL) return 1;
    tr_reply_error(c, "ERR Insufficient memory, failed allocating transient memory for LCS");
    return 0;
}

static void fill_table(lcs *l) {
    for (size_t j = 0; j < l->width; j++) *cell(l, 0, j) = 0;
    for (size_t i = 1; i <= l->a.len; i++) {
        const uint32_t *above = cell(l, i - 1, 0);
        uint32_t *row = cell(l, i, 0);
        char byte = l->a.ptr[i - 1];
        row[0] = 0;
        for (size_t j = 1; j < l->width; j++) {
            uint32_t longer = above[j] > row[j - 1] ? above[j] : row[j - 1];
            row[j] = l->b.ptr[j - 1] == byte ? above[j - 1] + 1 : longer;
        }
    }
}

/* Goes back from before (*i, *j) to the next piece. 1 and the piece, which (*i, *j) is then
 * before, or 0: there is none. */
static int match_before(const lcs *l, size_t *i, size_t *j, lcs_match *m) {
    const char *a = l->a.ptr, *b = l->b.ptr;
    while (*i > 0 && *j > 0 && a[*i - 1] != b[*j - 1]) {
        if (*cell(l, *i - 1, *j) > *cell(l, *i, *j - 1)) {
            --*i;
        } else {
            --*j;
        }
    }
    m->count = 0;
    for (; *i > 0 && *j > 0 && a[*i - 1] == b[*j - 1]; m->count++) {
        --*i;
        --*j;
    }
    m->a_first = *i;
    m->b_first = *j;
    return m->count != 0;
}

static void reply_span(tr_client *c, size_t first, size_t count) {
    tr_reply_array(c, 2);
    tr_reply_int(c, (int64_t)first);
    tr_reply_int(c, (int64_t)(first + count - 1));
}

static void reply_indexes(tr_client *c, const lcs *l, const lcs_options *o) {
    size_t i = l->a.len, j = l->b.len, count = 0;
    lcs_match m;
    tr_reply_map(c, 2);
    tr_reply_cstr(c, "matches");
    tr_w_gap gap = tr_w_defer(&c->w);
    while (match_before(l, &i, &j, &m)) {
        if ((int64_t)m.count < o->min_len) continue;
        tr_reply_array(c, o->with_lengths ? 3 : 2);
        reply_span(c, m.a_first, m.count);
        reply_span(c, m.b_first, m.count);
        if (o->with_lengths) tr_reply_int(c, (int64_t)m.count);
        count++;
    }
    tr_w_defer_end(&c->w, gap, '*', count);
    tr_reply_cstr(c, "len");
    tr_reply_int(c, *cell(l, l->a.len, l->b.len));
}

static void reply_bytes(tr_client *c, const lcs *l) {
    size_t i = l->a.len, j = l->b.len;
    size_t at = *cell(l, i, j);
    tr_blob *bytes = tr_blob_new(c->x->mem, NULL, at, 0);
    if (bytes == NULL) {
        tr_reply_error(c, TR_MSG_NO_MEMORY);
        return;
    }
    for (lcs_match m; match_before(l, &i, &j, &m);) {
        tr_assert(at >= m.count);
        at -= m.count;
        memcpy(bytes->data + at, l->a.ptr + m.a_first, m.count);
    }
    tr_assert(at == 0);
    tr_w_bulk_blob(&c->w, bytes, 0, bytes->len);
    tr_blob_drop(c->x->mem, bytes);
}

void tr_cmd_lcs(tr_client *c) {
    lcs l;
    lcs_options o;
    if (!read_strings(c, &l) || !parse_options(c, &o) || !make_table(c, &l)) return;
    fill_table(&l);
    if (o.indexes) {
        reply_indexes(c, &l, &o);
    } else if (o.len_only) {
        tr_reply_int(c, *cell(&l, l.a.len, l.b.len));
    } else {
        reply_bytes(c, &l);
    }
    tr_free(c->x->mem, l.length);
}
