/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the ingest tests: settings to start from, a log that remembers, short names. */
#ifndef BL_TESTS_INGEST_TEST_H
#define BL_TESTS_INGEST_TEST_H

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

#define HEARD(b, says)                                                                   \
    CHECK(strstr((b)->heard.text, says), "the log is:\n%s", (b)->heard.text)
#define NOT_HEARD(b, says)                                                               \
    CHECK(!strstr((b)->heard.text, says), "the log is:\n%s", (b)->heard.text)

#endif
