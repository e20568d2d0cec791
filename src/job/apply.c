/* SPDX-License-Identifier: Apache-2.0 */
/* The explain verb: a saved model on any rows, which come and go in parts. */
#include "job/explain_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"

#include <inttypes.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* The few settings of a job that the last stages ask for. */
static bl_status make_job(const bl_apply *apply, const bl_saved *saved, bl_job **ret_job,
                          bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_job), "a job", &block, err);
    if (st != BL_OK)
        return st;
    bl_job *job = block;
    const bl_forest *forest = saved->models[0].forest;
    job->objective = forest->objective;
    job->num_class = bli_objective_task(forest->objective) == BL_TASK_CLASSES
                         ? (int64_t)forest->n_outputs
                         : 0;
    job->explain = BL_EXPLAIN_TRAIN;
    job->explain_data = true;
    job->compress = apply->compress;
    st = bli_strdup(apply->output, &job->output_data_dir, err);
    if (st == BL_OK)
        *ret_job = job;
    else
        bli_job_free(job);
    return st;
}

/* --- What goes together ------------------------------------------------------------- */

static bl_status check_options(const bl_apply *apply, const bl_saved *saved, bl_err *err)
{
    if (saved->n_models > 1)
        return bli_fail(
            err, BL_E_ARG,
            "'%s' holds the %zu models of a k-fold job; explain takes one: give "
            "--model %s/xgboost-model-0 (the job's own attributions.h5 is out of fold)",
            apply->model, saved->n_models, apply->model);
    if (apply->space != BL_SPACE_MARGIN && !apply->background)
        return bli_fail(
            err, BL_E_ARG,
            "--space probability and logloss are defined against a background "
            "only: give one with --background FILE");
    if (apply->interactions && apply->background)
        return bli_fail(err, BL_E_ARG,
                        "--interactions are path-dependent, and values against a "
                        "--background are not: explain twice, with one of them each");
    if (apply->top && apply->aggregate_only)
        return bli_fail(
            err, BL_E_ARG,
            "--top writes values of each row and --aggregate-only writes none: "
            "give one of them");
    if (apply->background && saved->read.base_margins.n)
        return bli_fail(
            err, BL_E_ARG,
            "this model is used with base margins, and it is not defined whose "
            "margin a row mixed with one of the --background begins from");
    return BL_OK;
}

static bl_status read_background(bl_explaining *x, bl_err *err)
{
    const bl_apply *apply = x->apply;
    const bl_final_model *model = &x->stages->model;
    const char *path = apply->background;
    bl_matrix *matrix = NULL;
    void *rows = NULL;
    size_t n;
    bl_status st =
        bli_saved_background(apply, x->saved, &x->stages->limits, &matrix, err);
    if (st == BL_OK)
        st = bli_mul((size_t)matrix->n_rows, matrix->n_features, &n)
                 ? bli_alloc(n, sizeof(float), "a background", &rows, err)
                 : bli_fail(err, BL_E_NOMEM, "no memory for a background");
    for (size_t b = 0; st == BL_OK && b < matrix->n_blocks; b++) {
        const bl_block *from = &matrix->blocks[b];
        memcpy((float *)rows + from->first_row * matrix->n_features, from->x,
               (size_t)from->n_rows * matrix->n_features * sizeof(float));
    }
    if (st == BL_OK)
        st = bli_background_new(model->forest, model->first_round, model->n_rounds, rows,
                                matrix->n_rows, NULL, x->stages->n_threads,
                                &x->background, err);
    if (st == BL_OK) {
        x->background_rows = matrix->n_rows;
        bli_log(apply->log, BL_INFO, "explain",
                "background '%s': all %" PRIu64 " rows count", path, x->background_rows);
        st = bli_background_check_space(x->background, apply->space, err);
    } else {
        bli_err_prefix(err, "--background %.200s", path);
    }
    free(rows);
    bli_matrix_free(matrix);
    return st;
}

static bl_status make_interactions(bl_explaining *x, bl_err *err)
{
    const bl_final_model *model = &x->stages->model;
    void *pending;
    bl_status st = bli_interactions_new(model->forest, model->first_round,
                                        model->n_rounds, NULL, &x->interactions, err);
    if (st == BL_OK)
        st = bli_strengths_new(x->interactions, &x->strengths, err);
    if (st == BL_OK)
        st = bli_alloc(BLI_STRENGTH_ROWS, model->forest->n_features * sizeof(float),
                       "rows of interactions", &pending, err);
    if (st == BL_OK)
        x->pending = pending;
    return st;
}

static bl_status prepare(bl_explaining *x, bl_err *err)
{
    bl_stages *stages = x->stages;
    void *sums;
    bl_status st = check_options(x->apply, x->saved, err);
    if (st == BL_OK)
        st = make_job(x->apply, x->saved, &stages->job, err);
    if (st != BL_OK)
        return st;
    stages->schema = x->saved->schema;
    stages->model = x->saved->models[0];
    stages->attribute_began = bli_seconds();
    const bl_forest *forest = stages->model.forest;
    uint64_t chunk = bli_explainer_block_rows(stages->model.explainer);
    x->part_rows = bli_part_rows(forest->n_features, chunk);
    st = bli_aggregates_new(forest->n_features, forest->n_outputs, chunk, &x->aggregates,
                            err);
    if (st == BL_OK && x->apply->background)
        st = read_background(x, err);
    if (st == BL_OK && x->apply->space != BL_SPACE_MARGIN) {
        st = bli_alloc(forest->n_outputs, sizeof(double), "base values", &sums, err);
        if (st == BL_OK)
            x->base_sums = sums;
    }
    if (st == BL_OK && x->apply->interactions)
        st = make_interactions(x, err);
    return st == BL_OK ? bli_facet_find(x, err) : st;
}

/* --- After the last row ------------------------------------------------------------- */

static const double *base_values(const bl_explaining *x)
{
    for (size_t o = 0; x->base_sums && o < x->stages->model.forest->n_outputs; o++)
        x->base_sums[o] /= (double)x->n_rows;
    return x->base_sums    ? x->base_sums
           : x->background ? bli_background_base_values(x->background)
                           : bli_explainer_base_values(x->stages->model.explainer);
}

static bl_status make_attribution(const bl_explaining *x,
                                  bl_attribution **ret_attribution, bl_err *err)
{
    bl_status st =
        bli_aggregates_attribution(x->aggregates, base_values(x), ret_attribution, err);
    if (st != BL_OK)
        return st;
    bl_attribution *a = *ret_attribution;
    a->max_abs_margin = x->values.largest;
    a->worst_additivity = x->values.worst;
    a->worst_row = x->values.worst_row;
    a->worst_margin_distance = x->values.worst_margin_distance;
    return BL_OK;
}

static double relative(double error, double largest)
{
    return largest > 0 ? error / largest : error;
}

static void say(const bl_explaining *x, const bl_attribution *a)
{
    const bl_log *log = x->apply->log;
    if (x->apply->space == BL_SPACE_MARGIN)
        bli_say_additivity(x->stages, "data", a);
    else
        bli_log(log, BL_INFO, "explain",
                "data: %" PRIu64
                " rows; worst additivity error %.3g (%.3g of the largest "
                "%s), at row %" PRIu64,
                x->n_rows, a->worst_additivity,
                relative(a->worst_additivity, a->max_abs_margin),
                x->apply->space == BL_SPACE_PROBABILITY ? "probability" : "log loss",
                a->worst_row);
    if (x->interactions && x->n_paired)
        bli_log(log, BL_INFO, "explain",
                "interactions: whole matrices of %" PRIu64
                " rows; worst additivity error "
                "%.3g (%.3g of the largest margin), at row %" PRIu64,
                x->n_paired, x->pairs.worst, relative(x->pairs.worst, x->pairs.largest),
                x->pairs.worst_row);
    else if (x->interactions)
        bli_log(log, BL_NOTE, "explain",
                "interactions: with so many features no whole matrix is made, and no "
                "additivity error measured");
    if (!x->apply->aggregate_only && !x->apply->top)
        bli_log(log, BL_NOTE, "explain",
                "attributions.h5 holds the feature values of these rows");
}

static bl_status write_aggregates(const bl_explaining *x, const bl_attribution *a,
                                  bl_err *err)
{
    static const char *const spaces[] = {[BL_SPACE_MARGIN] = "margin",
                                         [BL_SPACE_PROBABILITY] = "probability",
                                         [BL_SPACE_LOG_LOSS] = "logloss"};
    const bl_aggregates_report report = {.schema = x->stages->schema,
                                         .aggregates = x->aggregates,
                                         .attribution = a,
                                         .space = spaces[x->apply->space],
                                         .background_rows = x->background_rows,
                                         .facet = x->apply->facet,
                                         .groups = x->groups};
    char *path = NULL;
    bl_status st = bli_output_data_path(x->stages->job, "aggregates.json", &path, err);
    if (st == BL_OK)
        st = bli_aggregates_write(path, &report, err);
    free(path);
    path = NULL;
    if (st == BL_OK && x->strengths)
        st = bli_output_data_path(x->stages->job, "interactions.csv", &path, err);
    if (st == BL_OK && x->strengths)
        st = bli_interactions_write(path, x->stages->schema, x->strengths, err);
    free(path);
    return st;
}

static bl_status write_metrics(bl_explaining *x, bl_attribution *attribution, bl_err *err)
{
    bl_stages *stages = x->stages;
    bl_attribution *const attributions[N_DATA] = {attribution};
    bl_matrix rows = {.schema = stages->schema,
                      .n_features = stages->schema->n_features,
                      .n_rows = x->n_rows,
                      .roles = x->kept.roles};
    stages->data[DATA_TRAIN] = &rows;
    stages->margins = x->kept.margins;
    x->kept.margins = NULL; /* taken over */
    bl_status st = bli_stage_metrics(stages, attributions, err);
    free(stages->margins);
    stages->margins = NULL;
    stages->data[DATA_TRAIN] = NULL;
    return st;
}

static bl_status finish(bl_explaining *x, bl_err *err)
{
    bl_attribution *attribution = NULL;
    bl_status st = x->interactions ? bli_explain_pairs_end(x, err) : BL_OK;
    if (st == BL_OK && x->h5) {
        bl_h5 *h5 = x->h5;
        x->h5 = NULL;
        st = bli_h5_close(h5, err);
    }
    if (st == BL_OK)
        st = make_attribution(x, &attribution, err);
    if (st == BL_OK) {
        say(x, attribution);
        st = bli_stage_importance(x->stages, attribution, err);
    }
    if (st == BL_OK)
        st = write_aggregates(x, attribution, err);
    if (st == BL_OK && x->kept.n_rows)
        st = write_metrics(x, attribution, err);
    if (st == BL_OK)
        bli_say_importances(x->stages, attribution);
    bli_attribution_free(attribution);
    return st;
}

static void explaining_done(bl_explaining *x)
{
    bli_h5_abort(x->h5);
    free(x->h5_path);
    bli_background_free(x->background);
    bli_strengths_free(x->strengths);
    bli_interactions_free(x->interactions);
    bli_aggregates_free(x->aggregates);
    bli_levels_free(x->groups);
    bli_kept_done(&x->kept);
    free(x->base_sums);
    free(x->pending);
    bli_job_free(x->stages->job);
    bli_saved_free(x->saved);
}

bl_status bli_explain_files(const bl_apply *apply, bl_err *err)
{
    static const char *const names[N_DATA] = {"data"};
    const bl_run run = {.log = apply->log, .stop = apply->stop};
    bl_stages stages = {
        .run = &run, .log = apply->log, .limits = bli_limits(), .data_names = names};
    bl_explaining x = {.apply = apply, .stages = &stages};
    stages.n_threads = apply->nthread > 0 ? (int)apply->nthread : bli_machine_threads();
    omp_set_num_threads(stages.n_threads);
    bl_status st = bli_apply_isolate(apply, err);
    if (st == BL_OK)
        st = bli_saved_open(apply, &stages.limits, &x.saved, err);
    if (st == BL_OK)
        st = prepare(&x, err);
    if (st == BL_OK)
        st = bli_saved_parts(apply, x.saved, &stages.limits, x.part_rows,
                             bli_explain_part, &x, err);
    if (st == BL_E_CONFIG && x.facet_is_ours)
        bli_err_prefix(err, "--facet %.100s (the label is called 'label' here)",
                       apply->facet);
    if (st == BL_OK)
        st = finish(&x, err);
    explaining_done(&x);
    return st;
}
