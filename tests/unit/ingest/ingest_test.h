/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the ingest tests: settings to start from, a log that remembers, short names. */
#ifndef BL_TESTS_UNIT_INGEST_INGEST_TEST_H
#define BL_TESTS_UNIT_INGEST_INGEST_TEST_H

#include "check.h"

#include "base/mem.h"
#include "ingest/ingest.h"
#include "ingest/ingest_priv.h"

#include <stdlib.h>
#include <unistd.h>

typedef struct heard {
    char text[65536]; /* "note ingest: ...\n" lines */
    size_t n;
    unsigned n_of[BL_ERROR + 1];
} heard;

static inline void hear(void *cookie, bl_level level, const char *stage, const char *text)
{
    heard *h = cookie;
    h->n_of[level]++;
    if (h->n < sizeof h->text)
        h->n += (size_t)snprintf(h->text + h->n, sizeof h->text - h->n, "%d %s: %s\n",
                                 (int)level, stage, text);
}

/* Everything a test turns; start with `setup`, end with `teardown`. */
typedef struct bench {
    bl_read_settings settings;
    bl_column_ref label; /* labels.ref */
    bl_limits limits;
    heard heard;
    bl_log log;
    bl_ingest ingest;
    bl_table *table;
    bl_err err;
} bench;

static inline void setup(bench *b)
{
    memset(b, 0, sizeof *b);
    b->settings.labels = (bl_column_refs){1, &b->label};
    b->settings.missing = NAN;
    b->limits = bli_limits();
    b->log = (bl_log){hear, NULL, &b->heard};
    b->ingest = (bl_ingest){.settings = &b->settings,
                            .limits = &b->limits,
                            .log = &b->log,
                            .content_given = true};
}

static inline void teardown(bench *b)
{
    bli_table_free(b->table);
    b->table = NULL;
}

/* Reads text; a table of an earlier call is freed. */
static inline bl_status read_text(bench *b, const char *text)
{
    teardown(b);
    b->err = (bl_err){0};
    b->heard.n = 0;
    b->heard.text[0] = '\0';
    memset(b->heard.n_of, 0, sizeof b->heard.n_of);
    return bli_ingest_text(&b->ingest, "t.csv", text, strlen(text), &b->table, &b->err);
}

#define READ(b, text) CHECK_OK(read_text(b, text), (b)->err)
#define REFUSED(b, text, status, says)                                                   \
    CHECK_FAILS(read_text(b, text), status, (b)->err, says)

static inline float cell(const bl_table *table, uint64_t row, size_t column)
{
    for (size_t i = 0; i < table->n_blocks; i++) {
        const bl_block *block = &table->blocks[i];
        if (row - block->first_row < block->n_rows)
            return block->x[(row - block->first_row) * table->n_features + column];
    }
    fail_msg("no row %d", (int)row);
    return 0;
}

#define CELL_IS(table, row, column, want)                                                \
    do {                                                                                 \
        float got_ = cell(table, row, column), want_ = (want);                           \
        CHECK(memcmp(&got_, &want_, sizeof got_) == 0 || (isnan(got_) && isnan(want_)),  \
              "row %d, column %d: %.9g, wanted %.9g", (int)(row), (int)(column),         \
              (double)got_, (double)want_);                                              \
    } while (0)

static inline bool same_floats(const float *a, const float *b, size_t n)
{
    return (!a && !b) || n == 0 || (a && b && memcmp(a, b, n * sizeof *a) == 0);
}

/* Bit for bit, counts and digests included. */
static inline void check_same_table(const bl_table *a, const bl_table *b,
                                    const char *what)
{
    CHECK(a->n_rows == b->n_rows && a->n_features == b->n_features &&
              a->n_blocks == b->n_blocks && a->has_header == b->has_header,
          "%s: %d x %zu, %d x %zu", what, (int)a->n_rows, a->n_features, (int)b->n_rows,
          b->n_features);
    for (size_t i = 0; i < a->n_blocks; i++)
        CHECK(a->blocks[i].n_rows == b->blocks[i].n_rows &&
                  same_floats(a->blocks[i].x, b->blocks[i].x,
                              a->blocks[i].n_rows * a->n_features),
              "%s: block %zu", what, i);
    CHECK(same_floats(a->roles.labels, b->roles.labels, a->n_rows * a->roles.n_labels),
          "%s: labels", what);
    CHECK(same_floats(a->roles.weights, b->roles.weights, a->n_rows), "%s: weights",
          what);
    for (size_t k = 0; k < a->n_features; k++)
        CHECK(a->columns[k].n_missing == b->columns[k].n_missing &&
                  a->columns[k].n_zero == b->columns[k].n_zero,
              "%s: counts of column %zu", what, k);
    assert_string_equal(a->files.file[0].sha256, b->files.file[0].sha256);
    CHECK(a->files.file[0].n_bytes == b->files.file[0].n_bytes, "%s: bytes", what);
}

#define HEARD(b, says)                                                                   \
    CHECK(strstr((b)->heard.text, says), "the log is:\n%s", (b)->heard.text)
#define NOT_HEARD(b, says)                                                               \
    CHECK(!strstr((b)->heard.text, says), "the log is:\n%s", (b)->heard.text)

#endif
