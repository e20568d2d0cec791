/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CSV reader over hostile bytes. The first three bytes choose settings, the rest is the
 * file. Each input is read three times: as usual, in small chunks, and by libcsv alone; all
 * three must give one table or one message.
 */
#include "base/mem.h"
#include "ingest/ingest_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool same(const float *a, const float *b, size_t n)
{
    return (!a && !b) || (a && b && memcmp(a, b, n * sizeof *a) == 0);
}

static void compare(const bl_table *a, const bl_table *b)
{
    require(a->n_rows == b->n_rows && a->n_features == b->n_features);
    require(a->has_header == b->has_header && a->n_blocks == b->n_blocks);
    for (size_t i = 0; i < a->n_blocks; i++)
        require(same(a->blocks[i].x, b->blocks[i].x,
                     (size_t)a->blocks[i].n_rows * a->n_features));
    require(
        same(a->roles.labels, b->roles.labels, (size_t)a->n_rows * a->roles.n_labels));
    require(same(a->roles.weights, b->roles.weights, (size_t)a->n_rows));
    require(a->roles.n_groups == b->roles.n_groups);
    for (size_t k = 0; k < a->n_features; k++) {
        const bl_column *x = &a->columns[k], *y = &b->columns[k];
        require(x->n_missing == y->n_missing && x->n_zero == y->n_zero);
        require(!x->levels == !y->levels);
        require(!x->levels || bli_levels_count(x->levels) == bli_levels_count(y->levels));
    }
    require(strcmp(a->files.file[0].sha256, b->files.file[0].sha256) == 0);
}

typedef struct setup {
    bl_read_settings settings;
    bl_limits limits;
    bl_column_ref label, id, margin;
    char *texts[1];
    char *types[2];
} setup;

/* Where the byte says so; most files then are refused, and each refusal is a path too. */
static void choose(setup *s, const uint8_t *choice)
{
    static char question[] = "?", c[] = "c", q[] = "q", name[] = "a";
    *s = (setup){.limits = bli_limits(), .texts = {question}, .types = {c, q}};
    bl_read_settings *r = &s->settings;
    r->labels = (bl_column_refs){choice[0] & 1, &s->label};
    r->label_optional = choice[0] & 2;
    r->enable_categorical = choice[0] & 4;
    r->has_weight = choice[0] & 8;
    r->weight.index = 1;
    r->has_group = choice[0] & 16;
    r->group.index = 2;
    r->missing = choice[0] & 32 ? 0.0F : NAN;
    r->header = (bl_header)((choice[0] >> 6) % 3);
    r->unseen = choice[1] & 1 ? BL_UNSEEN_MISSING : BL_UNSEEN_ERROR;
    r->missing_texts_given = choice[1] & 2;
    r->missing_texts = (bl_texts){1, s->texts};
    r->feature_types = (bl_texts){choice[1] & 4 ? 2 : 0, s->types};
    r->has_lower = r->has_upper = choice[1] & 8;
    r->lower.index = 3;
    r->upper.index = 4;
    s->id.index = 5;
    r->ids = (bl_column_refs){choice[1] & 16 ? 1 : 0, &s->id};
    s->margin.index = 6;
    r->base_margins = (bl_column_refs){choice[1] & 32 ? 1 : 0, &s->margin};
    if (choice[1] & 64)
        s->label.name = name;
    s->limits.line_bytes = choice[1] & 128 ? 64 : 100000;
    s->limits.columns = 1000;
    s->limits.levels = choice[2] & 128 ? 4 : 1000;
}

/* The table as the first of a job, and its own text as the next one: always fits. */
static void follow(const bl_ingest *ingest, const bl_table *first, const void *text,
                   size_t n)
{
    bl_ingest next = *ingest;
    bl_table_like *like;
    bl_table *table = NULL;
    bl_err err = {0};
    if (bli_table_like_new(first, &like, &err) != BL_OK)
        return;
    next.like = like;
    bl_status st = bli_ingest_text(&next, "f.csv", text, n, &table, &err);
    require(st == BL_OK || *err.msg);
    if (st == BL_OK) {
        require(table->n_rows == first->n_rows && table->n_features == first->n_features);
        bli_table_free(table);
    }
    bli_table_like_free(like);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    setup s;
    choose(&s, data);
    bl_ingest ingest = {
        .settings = &s.settings, .limits = &s.limits, .content_given = data[2] & 1};
    const bl_read_how hows[] = {
        {0}, {.chunk_bytes = 1 + (data[2] >> 1) % 32}, {.only_libcsv = true}};
    bl_table *tables[BL_LEN(hows)] = {NULL};
    bl_err errs[BL_LEN(hows)];
    memset(errs, 0, sizeof errs);
    for (size_t i = 0; i < BL_LEN(hows); i++) {
        bl_status st = bli_ingest_text_how(&ingest, "f.csv", data + 3, size - 3, &hows[i],
                                           &tables[i], &errs[i]);
        require((st == BL_OK) == (tables[i] != NULL) && st == errs[i].status);
        require(st != BL_E_INTERNAL && st != BL_E_IO && (st == BL_OK || *errs[i].msg));
        require(st == errs[0].status && strcmp(errs[i].msg, errs[0].msg) == 0);
        if (tables[i])
            compare(tables[0], tables[i]);
    }
    if (tables[0])
        follow(&ingest, tables[0], data + 3, size - 3);
    for (size_t i = 0; i < BL_LEN(hows); i++)
        bli_table_free(tables[i]);
    return 0;
}
