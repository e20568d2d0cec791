/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plans over hostile JSON, and categories over hostile cells. Up to the first line "---" the input is a
 * plan, what follows is a CSV file. A plan that reads is met with the file: split, fitted, applied; then the
 * fitted plan is written, read back and applied to the same rows, which must give the same bits, all
 * at once and one row alone.
 */
#include "base/mem.h"
#include "preprocess/preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

typedef struct setup {
    bl_read_settings settings;
    bl_limits limits;
    char *texts[1];
    bl_ingest ingest;
} setup;

static void make_setup(setup *s)
{
    static char na[] = "NA";
    *s = (setup){.limits = bli_limits(), .texts = {na}};
    s->settings = (bl_read_settings){.missing = NAN, .missing_texts = {1, s->texts}};
    s->limits.rows = 2000;
    s->limits.columns = 200;
    s->limits.line_bytes = 20000;
    s->limits.levels = 1000;
    s->limits.plan_columns = 300;
    s->limits.plan_levels = 100;
    s->limits.plan_joint = 30;
    s->ingest = (bl_ingest){
        .settings = &s->settings, .limits = &s->limits, .content_given = true};
}

static void settled(bl_status st, const bl_err *err)
{
    require(st == BL_OK || (st == err->status && *err->msg));
    require(st != BL_E_INTERNAL && st != BL_E_IO);
}

static void require_same(const bl_matrix *a, const bl_matrix *b)
{
    require(a->n_rows == b->n_rows && a->n_features == b->n_features);
    for (size_t k = 0; k < a->n_blocks; k++)
        require(memcmp(a->blocks[k].x, b->blocks[k].x,
                       (size_t)a->blocks[k].n_rows * a->n_features * sizeof(float)) == 0);
    require(!a->roles.labels == !b->roles.labels);
}

/* The fitted plan after a round trip, over the same rows. */
static void read_back(const setup *s, const bl_transform *t, bl_frame *frame,
                      const bl_matrix *first)
{
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    json_t *json = NULL;
    bl_plan *plan = NULL;
    bl_transform *again = NULL;
    bl_schema *schema = NULL;
    bl_matrix *matrix = NULL, *one = NULL;
    bl_err err = {0};
    bli_transform_write(t, &jw);
    require(!text.failed);
    /* A header that is no UTF-8 is written with U+FFFD: then it is another plan. */
    bl_status st = bli_json_parse(text.data, text.n, &json, &err);
    if (st == BL_OK)
        st = bli_transform_read(json, &s->limits, &plan, &again, &err);
    if (st == BL_OK)
        st = bli_transform_schema(again, &schema, &err);
    if (st == BL_OK)
        st = bli_transform_matrix(again, schema, frame, NULL, 0, false, true, false, NULL,
                                  NULL, &matrix, &err);
    settled(st, &err);
    if (st == BL_OK) {
        uint64_t row = frame->n_rows / 2;
        require_same(first, matrix);
        st = bli_transform_matrix(again, schema, frame, &row, 1, false, true, false, NULL,
                                  NULL, &one, &err);
        require(st == BL_OK || st == BL_E_DATA);
        const bl_block *block = bli_matrix_block(matrix, row);
        require(st != BL_OK ||
                memcmp(one->blocks[0].x,
                       block->x + (row - block->first_row) * matrix->n_features,
                       matrix->n_features * sizeof(float)) == 0);
    }
    bli_matrix_free(one);
    bli_matrix_free(matrix);
    bli_schema_free(schema);
    bli_transform_free(again);
    bli_plan_free(plan);
    json_decref(json);
    bli_buf_done(&text);
}

static void fit_and_apply(const setup *s, const bl_plan *plan, const char *csv, size_t n)
{
    bl_transform *t = NULL;
    bl_frame *frame = NULL;
    bl_row_sets sets = {0};
    bl_schema *schema = NULL;
    bl_matrix *matrix = NULL;
    bl_err err = {0};
    bl_status st = bli_transform_new(plan, &s->limits, &t, &err);
    settled(st, &err);
    if (st != BL_OK)
        return;
    const bl_frame_ask ask = bli_transform_ask(t, true, true, NULL);
    st = bli_frame_text(&s->ingest, &ask, "f.csv", csv, n, &frame, &err);
    if (st == BL_OK)
        st = bli_transform_rows(t, frame, true, NULL, &sets, &err);
    if (st == BL_OK && !bli_transform_is_fitted(t))
        st = bli_transform_fit(t, frame, sets.row[BL_SET_TRAIN], sets.n[BL_SET_TRAIN],
                               &s->limits, NULL, &err);
    if (st == BL_OK)
        st = bli_transform_schema(t, &schema, &err);
    if (st == BL_OK)
        st = bli_transform_matrix(t, schema, frame, NULL, 0, false, true, false, NULL,
                                  NULL, &matrix, &err);
    settled(st, &err);
    if (st == BL_OK)
        read_back(s, t, frame, matrix);
    bli_matrix_free(matrix);
    bli_schema_free(schema);
    bli_row_sets_done(&sets);
    bli_frame_free(frame);
    bli_transform_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char mark[] = "\n---\n";
    const char *text = (const char *)data;
    const char *cut = memmem(text, size, mark, sizeof mark - 1);
    size_t n = cut ? (size_t)(cut - text) : size;
    setup s;
    bl_plan *plan = NULL;
    bl_err err = {0};
    make_setup(&s);
    bl_status st = bli_plan_read("plan.json", text, n, &s.limits, &plan, &err);
    settled(st, &err);
    if (st != BL_OK)
        return 0;
    if (cut)
        fit_and_apply(&s, plan, cut + sizeof mark - 1, size - n - (sizeof mark - 1));
    bli_plan_free(plan);
    return 0;
}
