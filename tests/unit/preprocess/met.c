/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "met.h"

static bl_ingest ingest_of(const met *m)
{
    return (bl_ingest){
        .settings = &m->settings, .limits = &m->limits, .content_given = true};
}

bl_status met_fit(met *m, const char *plan, const char *csv, const bl_limits *limits)
{
    *m = (met){.settings = {.missing = NAN}, .limits = limits ? *limits : bli_limits()};
    const bl_ingest ingest = ingest_of(m);
    bl_status st =
        bli_plan_read("plan.json", plan, strlen(plan), &m->limits, &m->plan, &m->err);
    if (st == BL_OK && bli_plan_names_columns(m->plan))
        m->settings.header = BL_HEADER_YES;
    if (st == BL_OK)
        st = bli_transform_new(m->plan, &m->limits, &m->transform, &m->err);
    if (st != BL_OK)
        return st;
    const bl_frame_ask ask = bli_transform_ask(m->transform, false, false, NULL);
    st = bli_frame_text(&ingest, &ask, "t.csv", csv, strlen(csv), &m->frame, &m->err);
    if (st == BL_OK)
        st = bli_transform_rows(m->transform, m->frame, true, NULL, &m->sets, &m->err);
    if (st == BL_OK && !bli_transform_is_fitted(m->transform))
        st = bli_transform_fit(m->transform, m->frame, m->sets.row[BL_SET_TRAIN],
                               m->sets.n[BL_SET_TRAIN], &m->limits, NULL, &m->err);
    if (st == BL_OK)
        st = bli_transform_schema(m->transform, &m->schema, &m->err);
    if (st == BL_OK)
        st = bli_transform_matrix(m->transform, m->schema, m->frame,
                                  m->sets.row[BL_SET_TRAIN], m->sets.n[BL_SET_TRAIN],
                                  true, false, false, NULL, NULL, &m->train, &m->err);
    return st;
}

void met_done(met *m)
{
    bli_matrix_free(m->train);
    bli_schema_free(m->schema);
    bli_row_sets_done(&m->sets);
    bli_frame_free(m->frame);
    bli_transform_free(m->transform);
    bli_plan_free(m->plan);
}

bl_status met_apply(met *m, const char *csv, bl_matrix **ret_matrix)
{
    bl_frame *frame = NULL;
    bl_ingest ingest = ingest_of(m);
    bl_read_settings settings = m->settings;
    settings.label_optional = true;
    ingest.settings = &settings;
    const bl_frame_ask ask = bli_transform_ask(m->transform, false, true, NULL);
    bl_status st =
        bli_frame_text(&ingest, &ask, "u.csv", csv, strlen(csv), &frame, &m->err);
    if (st == BL_OK)
        st = bli_transform_matrix(m->transform, m->schema, frame, NULL, 0, false, true,
                                  false, NULL, NULL, ret_matrix, &m->err);
    bli_frame_free(frame);
    return st;
}

double met_cell(const bl_matrix *matrix, uint64_t row, size_t column)
{
    const bl_block *block = bli_matrix_block(matrix, row);
    return (double)block->x[(row - block->first_row) * matrix->n_features + column];
}
