/* SPDX-License-Identifier: Apache-2.0 */
/* boostlens.h: interactions, backgrounds, aggregates, and what walks of trees give. */
#include "api/api_priv.h"

#include "base/mem.h"
#include "explain/aggregates.h"
#include "explain/background.h"
#include "explain/interactions.h"
#include "explain/walks.h"

#include <stdlib.h>

/* a * b * c == len; n: how the caller's elements are called. */
static bl_status check_len(const char *function, size_t a, size_t b, size_t c, size_t len,
                           const char *elements, bl_err *err)
{
    size_t want;
    if (bli_mul(a, b, &want) && bli_mul(want, c, &want) && want == len)
        return BL_OK;
    return bli_fail(err, BL_E_SHAPE, "%s: room for %zu %s, %zu x %zu x %zu are needed",
                    function, len, elements, a, b, c);
}

static bl_status check_features(const char *function, size_t n, size_t want, bl_err *err)
{
    return n == want
               ? BL_OK
               : bli_fail(err, BL_E_SHAPE, "%s: rows of %zu features, the model has %zu",
                          function, n, want);
}

static bl_status null(const char *function, const char *what, bl_err *err)
{
    return bli_fail(err, BL_E_ARG, "%s: %s is NULL", function, what);
}

bl_status bl_approx_contribs(const bl_model *model, const float *rows, size_t n_rows,
                             size_t n_features, float *phi, size_t phi_len, bl_err *err)
{
    static const char me[] = "bl_approx_contribs";
    if (!model || (n_rows && (!rows || !phi)))
        return null(me, "model, rows or phi", err);
    const bl_forest *forest = model->forest;
    bl_status st = check_features(me, n_features, forest->n_features, err);
    if (st == BL_OK)
        st = check_len(me, n_rows, forest->n_outputs, n_features + 1, phi_len, "floats",
                       err);
    if (st != BL_OK || n_rows == 0)
        return st;
    return bli_approximate_rows(model->explainer, rows, n_rows, 0, phi, err);
}

bl_status bl_leaves(const bl_model *model, const float *rows, size_t n_rows,
                    size_t n_features, uint32_t *leaves, size_t leaves_len, bl_err *err)
{
    static const char me[] = "bl_leaves";
    if (!model || (n_rows && (!rows || !leaves)))
        return null(me, "model, rows or leaves", err);
    if (model->forest->linear)
        return bli_fail(err, BL_E_ARG, "%s: a gblinear model has no trees", me);
    bl_status st = check_features(me, n_features, model->forest->n_features, err);
    if (st == BL_OK)
        st =
            check_len(me, n_rows, bl_model_n_trees(model), 1, leaves_len, "numbers", err);
    if (st == BL_OK && leaves_len)
        bli_leaves(model->forest, 0, model->n_rounds, rows, n_rows, 0, leaves);
    return st;
}

/* --- Interactions ------------------------------------------------------------------- */

bl_status bl_interactions_new(const bl_model *model, bl_interactions **ret_interactions,
                              bl_err *err)
{
    if (!model || !ret_interactions)
        return null("bl_interactions_new", "model or ret_interactions", err);
    return bli_interactions_new(model->forest, 0, model->n_rounds, NULL, ret_interactions,
                                err);
}

void bl_interactions_free(bl_interactions *interactions)
{
    bli_interactions_free(interactions);
}

/* out: not NULL where there is nothing to write either. */
static bl_status check_pairs(const char *function, const bl_interactions *interactions,
                             const float *rows, size_t n_rows, size_t n_features,
                             const void *out, bl_err *err)
{
    if (!interactions || (n_rows && !rows) || !out)
        return null(function, "interactions, rows or the output", err);
    return check_features(function, n_features, bli_interactions_n_features(interactions),
                          err);
}

bl_status bl_interactions_rows(const bl_interactions *interactions, const float *rows,
                               size_t n_rows, size_t n_features, float *matrix,
                               size_t matrix_len, bl_err *err)
{
    static const char me[] = "bl_interactions_rows";
    bl_status st = check_pairs(me, interactions, rows, n_rows, n_features,
                               n_rows ? (const void *)matrix : me, err);
    size_t cells, n;
    if (st != BL_OK)
        return st;
    if (!bli_mul(n_rows, bli_interactions_n_outputs(interactions), &n) ||
        !bli_mul(n_features + 1, n_features + 1, &cells))
        return bli_fail(err, BL_E_SHAPE, "%s: more cells than there are addresses", me);
    st = check_len(me, n, n_features + 1, n_features + 1, matrix_len, "floats", err);
    if (st != BL_OK || n_rows == 0)
        return st;
    return bli_interactions_rows(interactions, rows, n_rows, NULL, 0, matrix, err);
}

bl_status bl_interactions_top(const bl_interactions *interactions, const float *rows,
                              size_t n_rows, size_t n_features, size_t n_top,
                              bl_top_pair *top, size_t top_len, bl_err *err)
{
    static const char me[] = "bl_interactions_top";
    bl_status st = check_pairs(me, interactions, rows, n_rows, n_features,
                               n_rows && n_top ? (const void *)top : me, err);
    if (st == BL_OK)
        st = check_len(me, n_rows, bli_interactions_n_outputs(interactions), n_top,
                       top_len, "pairs", err);
    if (st != BL_OK || top_len == 0)
        return st;
    return bli_interactions_top(interactions, rows, n_rows, n_top, 0, top, err);
}

size_t bl_interactions_n_pairs(const bl_interactions *interactions)
{
    return bli_interactions_n_pairs(interactions);
}

static void put_strengths(const bl_strengths *from, bl_strength *to)
{
    double n = (double)from->n_rows;
    for (size_t i = 0; i < from->n_outputs * from->n_pairs; i++)
        to[i] = (bl_strength){from->pairs[i % from->n_pairs].first,
                              from->pairs[i % from->n_pairs].second, from->sum_abs[i] / n,
                              from->sum[i] / n};
}

bl_status bl_interactions_strengths(const bl_interactions *interactions,
                                    const float *rows, size_t n_rows, size_t n_features,
                                    bl_strength *strengths, size_t strengths_len,
                                    bl_err *err)
{
    static const char me[] = "bl_interactions_strengths";
    bl_status st = check_pairs(me, interactions, rows, n_rows, n_features,
                               strengths_len ? (const void *)strengths : me, err);
    if (st == BL_OK && n_rows == 0)
        st =
            bli_fail(err, BL_E_ARG, "%s: no rows, and so no mean: give at least one", me);
    if (st == BL_OK)
        st = check_len(me, bli_interactions_n_outputs(interactions),
                       bli_interactions_n_pairs(interactions), 1, strengths_len,
                       "strengths", err);
    if (st != BL_OK || strengths_len == 0)
        return st;
    bl_strengths *sums = NULL;
    st = bli_strengths_new(interactions, &sums, err);
    if (st == BL_OK)
        st = bli_strengths_add(sums, interactions, rows, n_rows, 0, err);
    if (st == BL_OK)
        put_strengths(sums, strengths);
    bli_strengths_free(sums);
    return st;
}

/* --- Against a background ----------------------------------------------------------- */

bl_status bl_background_new(const bl_model *model, const float *rows, size_t n_rows,
                            size_t n_features, bl_background **ret_background,
                            bl_err *err)
{
    static const char me[] = "bl_background_new";
    if (!model || !ret_background || (n_rows && !rows))
        return null(me, "model, rows or ret_background", err);
    bl_status st = check_features(me, n_features, model->forest->n_features, err);
    return st == BL_OK ? bli_background_new(model->forest, 0, model->n_rounds, rows,
                                            n_rows, NULL, 0, ret_background, err)
                       : st;
}

void bl_background_free(bl_background *background)
{
    bli_background_free(background);
}

bl_status bl_background_base_values(const bl_background *background, double *base,
                                    size_t base_len, bl_err *err)
{
    static const char me[] = "bl_background_base_values";
    if (!background || !base)
        return null(me, "background or base", err);
    size_t n = bli_background_n_outputs(background);
    bl_status st = check_len(me, n, 1, 1, base_len, "numbers", err);
    for (size_t o = 0; st == BL_OK && o < n; o++)
        base[o] = bli_background_base_values(background)[o];
    return st;
}

bl_status bl_background_contribs(const bl_background *background, bl_space space,
                                 const float *rows, const float *labels, size_t n_rows,
                                 size_t n_features, float *phi, size_t phi_len,
                                 bl_err *err)
{
    static const char me[] = "bl_background_contribs";
    if (!background || (n_rows && (!rows || !phi)))
        return null(me, "background, rows or phi", err);
    if (space != BL_SPACE_MARGIN && space != BL_SPACE_PROBABILITY &&
        space != BL_SPACE_LOG_LOSS)
        return bli_fail(err, BL_E_ARG, "%s: %d is no bl_space", me, (int)space);
    if ((space == BL_SPACE_LOG_LOSS) != (labels != NULL) && n_rows)
        return bli_fail(err, BL_E_ARG, "%s: labels are %s", me,
                        labels ? "for BL_SPACE_LOG_LOSS only; give NULL"
                               : "needed for BL_SPACE_LOG_LOSS, and are NULL");
    bl_status st =
        check_features(me, n_features, bli_background_n_features(background), err);
    if (st == BL_OK)
        st = check_len(me, n_rows, bli_background_n_outputs(background), n_features + 1,
                       phi_len, "floats", err);
    if (st != BL_OK || n_rows == 0)
        return st;
    return space == BL_SPACE_MARGIN
               ? bli_background_rows(background, rows, n_rows, 0, phi, err)
               : bli_background_rows_in(background, space, rows, labels, n_rows, 0, phi,
                                        err);
}

/* --- Aggregates --------------------------------------------------------------------- */

bl_status bl_aggregates_new(const bl_model *model, bl_aggregates **ret_aggregates,
                            bl_err *err)
{
    if (!model || !ret_aggregates)
        return null("bl_aggregates_new", "model or ret_aggregates", err);
    return bli_aggregates_new(model->forest->n_features, model->forest->n_outputs, 0,
                              ret_aggregates, err);
}

void bl_aggregates_free(bl_aggregates *aggregates)
{
    bli_aggregates_free(aggregates);
}

bl_status bl_aggregates_add(bl_aggregates *aggregates, const float *phi, size_t n_rows,
                            size_t phi_len, bl_err *err)
{
    static const char me[] = "bl_aggregates_add";
    if (!aggregates || (n_rows && !phi))
        return null(me, "aggregates or phi", err);
    bl_status st =
        check_len(me, n_rows, bli_aggregates_n_outputs(aggregates),
                  bli_aggregates_n_features(aggregates) + 1, phi_len, "floats", err);
    return st == BL_OK ? bli_aggregates_add(aggregates, phi, NULL, NULL, n_rows, 0, err)
                       : st;
}

uint64_t bl_aggregates_n_rows(const bl_aggregates *aggregates)
{
    return bli_aggregates_n_rows(aggregates);
}

double bl_aggregates_accuracy(const bl_aggregates *aggregates)
{
    return bli_aggregates_accuracy(aggregates);
}

static bl_status check_out(const char *function, const bl_aggregates *aggregates,
                           const double *out, size_t out_len, bl_err *err)
{
    if (!aggregates || !out)
        return null(function, "aggregates or out", err);
    return check_len(function, bli_aggregates_n_outputs(aggregates),
                     bli_aggregates_n_features(aggregates), 1, out_len, "numbers", err);
}

bl_status bl_aggregates_mean_abs(const bl_aggregates *aggregates, double *out,
                                 size_t out_len, bl_err *err)
{
    bl_status st = check_out("bl_aggregates_mean_abs", aggregates, out, out_len, err);
    for (size_t i = 0; st == BL_OK && i < out_len; i++)
        out[i] = bli_aggregate(aggregates, i / bli_aggregates_n_features(aggregates),
                               i % bli_aggregates_n_features(aggregates))
                     .mean_abs;
    return st;
}

bl_status bl_aggregates_mean(const bl_aggregates *aggregates, double *out, size_t out_len,
                             bl_err *err)
{
    bl_status st = check_out("bl_aggregates_mean", aggregates, out, out_len, err);
    for (size_t i = 0; st == BL_OK && i < out_len; i++)
        out[i] = bli_aggregate(aggregates, i / bli_aggregates_n_features(aggregates),
                               i % bli_aggregates_n_features(aggregates))
                     .mean;
    return st;
}

bl_status bl_aggregates_quantile(const bl_aggregates *aggregates, double q, double *out,
                                 size_t out_len, bl_err *err)
{
    static const char me[] = "bl_aggregates_quantile";
    bl_status st = check_out(me, aggregates, out, out_len, err);
    if (st == BL_OK && !(q >= 0 && q <= 1))
        st = bli_fail(err, BL_E_ARG, "%s: q is %g, and must be from 0 to 1", me, q);
    for (size_t i = 0; st == BL_OK && i < out_len; i++)
        out[i] =
            bli_aggregates_quantile(aggregates, i / bli_aggregates_n_features(aggregates),
                                    i % bli_aggregates_n_features(aggregates), q);
    return st;
}
