/* wire_golden.h - reads the golden messages, and shows a decoded body the way they are written. */
#ifndef TR_TESTS_WIRE_GOLDEN_H
#define TR_TESTS_WIRE_GOLDEN_H

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "sandbox/wire/protocol.h"

#define WG_TEXT_MAX 65536
#define WG_BYTES_MAX 16384

typedef struct wg_entry {
    char name[64];
    char text[WG_TEXT_MAX]; /* the values as written */
    size_t text_len;
    uint8_t bytes[WG_BYTES_MAX];
    size_t len;
} wg_entry;

typedef void (*wg_visit)(const wg_entry *entry);

static void wg_hex(wg_entry *entry, const char *at) {
    unsigned byte;
    int used;
    while (*at != '`' && sscanf(at, "%2x%n", &byte, &used) == 1) {
        tr_assert(entry->len < WG_BYTES_MAX);
        entry->bytes[entry->len++] = (uint8_t)byte;
        at += used;
        if (*at == ' ') at++;
    }
}

static void wg_file(const char *path, wg_visit visit, wg_entry *entry, size_t *count) {
    FILE *file = fopen(path, "r");
    tr_assert(file != NULL);
    static char line[WG_TEXT_MAX];
    int in_text = 0;
    entry->name[0] = '\0';
    for (;;) {
        char *got = fgets(line, sizeof line, file);
        if (got == NULL || strncmp(line, "## ", 3) == 0) {
            if (entry->name[0] != '\0') {
                visit(entry);
                ++*count;
            }
            if (got == NULL) break;
            memset(entry, 0, sizeof *entry);
            sscanf(line, "## %63s", entry->name);
        } else if (strncmp(line, "```", 3) == 0) {
            in_text = !in_text;
        } else if (in_text) {
            size_t n = strlen(line);
            tr_assert(entry->text_len + n < WG_TEXT_MAX);
            memcpy(entry->text + entry->text_len, line, n);
            entry->text_len += n;
        } else if (strncmp(line, "| `", 3) == 0) {
            wg_hex(entry, line + 3);
        }
    }
    fclose(file);
}

/* Visits every entry of every file in the folder; returns how many. */
static size_t wg_each(const char *folder, wg_visit visit) {
    DIR *dir = opendir(folder);
    tr_assert(dir != NULL);
    wg_entry *entry = calloc(1, sizeof *entry);
    tr_assert(entry != NULL);
    size_t count = 0;
    struct dirent *one;
    while ((one = readdir(dir)) != NULL) {
        char path[4096];
        if (strstr(one->d_name, ".md") == NULL) continue;
        snprintf(path, sizeof path, "%s/%s", folder, one->d_name);
        wg_file(path, visit, entry, &count);
    }
    closedir(dir);
    free(entry);
    return count;
}

static const tr_wire_spec *wg_spec(const char *name) {
    size_t count;
    const tr_wire_spec *specs = tr_wire_specs(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(specs[i].name, name) == 0) return &specs[i];
    }
    return NULL;
}

static void wg_bytes(FILE *out, tr_wire_bytes bytes) {
    fputc('"', out);
    for (uint32_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.at[i];
        if (c >= 32 && c < 127 && c != '"' && c != '\\') fputc(c, out);
        else fprintf(out, "\\x%02x", c);
    }
    fputc('"', out);
}

static void wg_list(FILE *out, uint8_t kind, const tr_wire_list *list) {
    tr_wire_cursor cursor = {0};
    tr_wire_bytes item;
    fputc('[', out);
    for (uint32_t i = 0; i < list->count; i++) {
        if (i != 0) fputs(", ", out);
        if (kind == TR_WIRE_TEXTS) {
            tr_assert(tr_wire_next(list, &cursor, &item) == 1);
            wg_bytes(out, item);
        } else if (kind == TR_WIRE_U64S) {
            fprintf(out, "%" PRIu64, tr_wire_u64_at(list, i));
        } else if (kind == TR_WIRE_I64S) {
            fprintf(out, "%" PRId64, tr_wire_i64_at(list, i));
        } else {
            fprintf(out, "%.17g", tr_wire_f64_at(list, i));
        }
    }
    tr_assert(kind != TR_WIRE_TEXTS || tr_wire_next(list, &cursor, &item) == 0);
    fputc(']', out);
}

/* Writes a value of the struct; reads it as its C type. */
static void wg_value(FILE *out, uint8_t kind, const void *at) {
    switch (kind) {
    case TR_WIRE_U8:
        fprintf(out, "%u", *(const uint8_t *)at);
        return;
    case TR_WIRE_U16:
        fprintf(out, "%u", *(const uint16_t *)at);
        return;
    case TR_WIRE_U32:
        fprintf(out, "%" PRIu32, *(const uint32_t *)at);
        return;
    case TR_WIRE_U64:
        fprintf(out, "%" PRIu64, *(const uint64_t *)at);
        return;
    case TR_WIRE_I64:
        fprintf(out, "%" PRId64, *(const int64_t *)at);
        return;
    case TR_WIRE_F64:
        fprintf(out, "%.17g", *(const double *)at);
        return;
    case TR_WIRE_BYTES:
        wg_bytes(out, *(const tr_wire_bytes *)at);
        return;
    default:
        wg_list(out, kind, at);
    }
}

/* The values as an entry writes them, in memory that the caller frees. */
static char *wg_show(const tr_wire_spec *spec, uint64_t request_id, const void *body) {
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    tr_assert(out != NULL);
    fprintf(out, "request_id = %" PRIu64 "\n", request_id);
    for (size_t i = 0; i < spec->field_count; i++) {
        const tr_wire_field *field = &spec->fields[i];
        fprintf(out, "%s = ", field->name);
        wg_value(out, field->kind, (const char *)body + field->offset);
        fputc('\n', out);
    }
    fclose(out);
    return text;
}

#endif
