/* SPDX-License-Identifier: Apache-2.0 */
/* Final metrics as a JSON object, and checks of its members. */
#ifndef BL_TESTS_UNIT_EVALUATE_FINALS_H
#define BL_TESTS_UNIT_EVALUATE_FINALS_H

#include "evaluate/evaluate.h"

/* The members of a JSON object; json_decref. */
static inline json_t *final_of(const bl_scored *scored)
{
    bl_err err = {0};
    bl_buf buf = {0};
    bl_jw jw = {.buf = &buf};
    bli_jw_object(&jw);
    CHECK_OK(bli_final_metrics(scored, &jw, &err), err);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    CHECK_OK(bli_buf_check(&buf, "metrics", &err), err);
    json_t *object = NULL;
    CHECK_OK(bli_json_parse(buf.data, buf.n, &object, &err), err);
    bli_buf_done(&buf);
    return object;
}

static inline void check_number(const json_t *object, const char *name, double want)
{
    const json_t *value = json_object_get(object, name);
    CHECK(json_is_number(value), "%s is no number", name);
    double got = json_number_value(value);
    CHECK(fabs(got - want) <= 1e-12 * fmax(1, fabs(want)), "%s is %.17g, not %.17g", name,
          got, want);
}

static inline void check_null(const json_t *object, const char *name)
{
    CHECK(json_is_null(json_object_get(object, name)), "%s is not null", name);
}

static inline bl_scored numbers(const char *objective, uint64_t n, size_t n_predictions,
                                const float *predictions, const float *labels)
{
    return (bl_scored){.n_rows = n,
                       .n_outputs = n_predictions,
                       .n_predictions = n_predictions,
                       .predictions = predictions,
                       .labels = labels,
                       .n_labels = 1,
                       .objective = objective};
}

#endif
