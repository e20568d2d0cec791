/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How large a channel will be in memory, before it is read: rows and cells counted in the
 * first bytes of some of its files, and scaled by the bytes of all.
 */
#include "ingest/ingest_priv.h"

#include "ingest/reader.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLE_BYTES = 1 << 18,   /* of text, in which rows are counted */
    UNPACKED_BYTES = 1 << 22, /* of text, by which bytes of storage are counted: a packed
                                  file is read ahead by some 100 KB */
    SAMPLE_FILES = 16
};

/* What the sampled bytes hold. */
typedef struct sample {
    uint64_t stored, rows, cells, filled;
} sample;

static char delimiter_of(const char *text, size_t n)
{
    static const char candidates[] = ",\t;|";
    size_t most = 0;
    char best = ',';
    for (const char *c = candidates; *c; c++) {
        size_t count = 0;
        for (size_t i = 0; i < n; i++)
            count += text[i] == *c;
        if (count > most) {
            most = count;
            best = *c;
        }
    }
    return most ? best : memchr(text, ' ', n) ? ' ' : best;
}

/* stored: bytes of the file that these n bytes of text came from; whole: there are no more. */
static void count(const char *text, size_t n, uint64_t stored, bool whole, sample *s)
{
    char delimiter = delimiter_of(text, n);
    bool in_cell = false;
    size_t end = n;
    /* A line that is cut would count as a short one. */
    const char *last = memrchr(text, '\n', n);
    if (!whole && last)
        end = (size_t)(last - text) + 1;
    for (size_t i = 0; i < end; i++) {
        if (text[i] != delimiter && text[i] != '\n') {
            in_cell = in_cell || (text[i] != '\r' && text[i] != ' ');
            continue;
        }
        s->cells++;
        s->filled += in_cell;
        s->rows += text[i] == '\n';
        in_cell = false;
    }
    if (end && text[end - 1] != '\n') {
        s->rows++;
        s->cells++;
        s->filled++;
    }
    s->stored += n ? (uint64_t)((double)stored * (double)end / (double)n) : 0;
}

static bl_status sample_file(const bl_found *file, char *text, sample *s, bl_err *err)
{
    bl_source *source = NULL;
    char rest[65536];
    size_t n = 0, got = 1, total;
    bl_status st = bli_source_open(file->path, file->name, &source, err);
    while (st == BL_OK && got > 0 && n < SAMPLE_BYTES) {
        st = bli_source_read(source, text + n, SAMPLE_BYTES - n, &got, err);
        n += st == BL_OK ? got : 0;
    }
    bool whole = got == 0;
    for (total = n; st == BL_OK && got > 0 && total < UNPACKED_BYTES; total += got)
        st = bli_source_read(source, rest, sizeof rest, &got, err);
    if (st == BL_OK && total > 0)
        count(text, n,
              (uint64_t)((double)bli_source_n_bytes(source) * (double)n / (double)total),
              whole, s);
    bli_source_free(source);
    return st;
}

static uint64_t scaled(uint64_t count, const sample *s, uint64_t n_bytes)
{
    return s->stored ? (uint64_t)((double)count * ((double)n_bytes / (double)s->stored))
                     : 0;
}

bl_status bli_ingest_guess(const bl_ingest *ingest, const char *root, const char *folder,
                           bl_ingest_size *ret_size, bl_err *err)
{
    bl_list list = {0};
    sample s = {0};
    uint64_t n_bytes = 0;
    char *text = malloc(SAMPLE_BYTES);
    bl_status st = text ? bli_walk(ingest->limits, root, folder, &list, err)
                        : bli_fail(err, BL_E_NOMEM, "no memory to look at data files");
    size_t step = list.n / SAMPLE_FILES + 1;
    for (size_t i = 0; st == BL_OK && i < list.n; i++) {
        n_bytes += list.file[i].n_bytes;
        /* Looking into a pipe would take what is in it. */
        if (i % step == 0 && list.file[i].n_bytes > 0)
            st = sample_file(&list.file[i], text, &s, err);
    }
    free(text);
    bli_list_done(&list);
    if (st != BL_OK)
        return st;
    *ret_size = (bl_ingest_size){.n_bytes = n_bytes,
                                 .n_rows = scaled(s.rows, &s, n_bytes),
                                 .n_cells = scaled(s.cells, &s, n_bytes),
                                 .n_filled = scaled(s.filled, &s, n_bytes)};
    return BL_OK;
}
