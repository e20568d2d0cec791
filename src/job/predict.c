/* SPDX-License-Identifier: Apache-2.0 */
/* The predict verb: lines of numbers, one a row, in the order of the rows, which come in parts. */
#include "job/apply_priv.h"

#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"
#include "base/text.h"
#include "explain/walks.h"
#include "preprocess/preprocess.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

/* --- Lines -------------------------------------------------------------------------- */

/* RFC 4180: an id with a comma, quote or line end is quoted. */
static void put_id(bl_buf *line, const char *text, size_t n)
{
    bool plain = true;
    for (size_t i = 0; i < n; i++)
        plain &= text[i] != ',' && text[i] != '"' && text[i] != '\n' && text[i] != '\r';
    if (plain) {
        bli_buf_add(line, text, n);
        return;
    }
    bli_buf_char(line, '"');
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '"')
            bli_buf_char(line, '"');
        bli_buf_char(line, text[i]);
    }
    bli_buf_char(line, '"');
}

static void put_ids(bl_buf *line, const bl_roles *roles, uint64_t row)
{
    for (size_t k = 0; k < roles->n_ids; k++) {
        const bl_text_column *ids = &roles->ids[k];
        put_id(line, ids->text + ids->offset[row],
               (size_t)(ids->offset[row + 1] - ids->offset[row]));
        bli_buf_char(line, ',');
    }
}

static void put_values(bl_buf *line, const float *values, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        char text[BL_NUMBER_BYTES];
        if (k)
            bli_buf_char(line, ',');
        bli_buf_add(line, text, bli_write_float(values[k], text));
    }
    bli_buf_char(line, '\n');
}

/* Rows [first, first + n) of values [n][width]. */
static bl_status write_lines(FILE *file, const bl_matrix *matrix, uint64_t first,
                             uint64_t n, const float *values, size_t width, bl_err *err)
{
    bl_buf lines = {0};
    bl_status st = BL_OK;
    for (uint64_t i = 0; i < n; i++) {
        put_ids(&lines, &matrix->roles, first + i);
        put_values(&lines, values + i * width, width);
        if (lines.n > 1 << 20 || i + 1 == n) {
            st = bli_buf_check(&lines, "lines", err);
            if (st != BL_OK)
                break;
            fwrite(lines.data, 1, lines.n, file); /* failures show at commit */
            lines.n = 0;
        }
    }
    bli_buf_done(&lines);
    return st;
}

/* --- Values ------------------------------------------------------------------------- */

/* Softmax of each row's margins, or the probability of class 1. */
static void probabilities(const bl_forest *forest, const float *margins, uint64_t n_rows,
                          float *out)
{
    size_t k_max = forest->n_outputs;
    for (uint64_t i = 0; i < n_rows; i++) {
        const float *margin = margins + i * k_max;
        if (k_max == 1) {
            out[i] = (float)(1 / (1 + exp(-(double)margin[0])));
            continue;
        }
        double most = (double)margin[0], sum = 0;
        for (size_t k = 1; k < k_max; k++)
            most = fmax(most, (double)margin[k]);
        for (size_t k = 0; k < k_max; k++)
            sum += exp((double)margin[k] - most);
        for (size_t k = 0; k < k_max; k++)
            out[i * k_max + k] = (float)(exp((double)margin[k] - most) / sum);
    }
}

/* true where predict itself gives probabilities: then theirs are XGBoost's bits. */
static bool predicts_probability(const char *objective)
{
    return strcmp(objective, "binary:logistic") == 0 ||
           strcmp(objective, "reg:logistic") == 0 ||
           strcmp(objective, "multi:softprob") == 0;
}

static size_t width_of(const bl_apply *apply, const bl_forest *forest)
{
    return apply->type == BL_OUTPUT_PREDICTION ? bli_forest_n_predictions(forest)
                                               : forest->n_outputs;
}

static bl_status one_model(const bl_apply *apply, const bl_final_model *model,
                           const bl_matrix *matrix, int n_threads, float *values,
                           bl_err *err)
{
    const bl_forest *forest = model->forest;
    void *margins;
    bl_status st = bli_alloc((size_t)matrix->n_rows * forest->n_outputs, sizeof(float),
                             "margins", &margins, err);
    if (st != BL_OK)
        return st;
    st = bli_predict_matrix(forest, model->first_round, model->n_rounds, matrix,
                            n_threads, margins, err);
    if (st == BL_OK && apply->type == BL_OUTPUT_MARGIN)
        memcpy(values, margins,
               (size_t)matrix->n_rows * forest->n_outputs * sizeof(float));
    else if (st == BL_OK && apply->type == BL_OUTPUT_PROBABILITY &&
             !predicts_probability(forest->objective))
        probabilities(forest, margins, matrix->n_rows, values);
    else if (st == BL_OK)
        bli_forest_transform(forest, margins, matrix->n_rows, values);
    free(margins);
    return st;
}

/* Classes have no mean: the one most models predict, the smallest of several. */
static void most_frequent(const float *votes, size_t n_models, uint64_t n_rows,
                          float *values)
{
    for (uint64_t i = 0; i < n_rows; i++) {
        size_t best = 0, best_count = 0;
        for (size_t m = 0; m < n_models; m++) {
            size_t count = 0;
            for (size_t o = 0; o < n_models; o++)
                count += votes[o * n_rows + i] == votes[m * n_rows + i];
            if (count > best_count ||
                (count == best_count &&
                 votes[m * n_rows + i] < votes[best * n_rows + i])) {
                best = m;
                best_count = count;
            }
        }
        values[i] = votes[best * n_rows + i];
    }
}

static bool predicts_class(const char *objective)
{
    return strcmp(objective, "multi:softmax") == 0 ||
           strcmp(objective, "binary:hinge") == 0;
}

static bl_status values_of_models(const bl_apply *apply, const bl_saved *saved,
                                  const bl_matrix *matrix, int n_threads, float *values,
                                  bl_err *err)
{
    size_t n_models = saved->n_models;
    const bl_forest *forest = saved->models[0].forest;
    if (n_models == 1)
        return one_model(apply, saved->models, matrix, n_threads, values, err);
    size_t n = (size_t)matrix->n_rows * width_of(apply, forest);
    void *block;
    bl_status st = bli_alloc(n * n_models, sizeof(float), "predictions", &block, err);
    if (st != BL_OK)
        return st;
    float *each = block;
    for (size_t m = 0; st == BL_OK && m < n_models; m++)
        st = one_model(apply, &saved->models[m], matrix, n_threads, each + m * n, err);
    if (st == BL_OK && apply->type == BL_OUTPUT_PREDICTION &&
        predicts_class(forest->objective)) {
        most_frequent(each, n_models, matrix->n_rows, values);
    } else if (st == BL_OK) {
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t m = 0; m < n_models; m++)
                sum += (double)each[m * n + i];
            values[i] = (float)(sum / (double)n_models);
        }
    }
    free(each);
    return st;
}

static bl_status write_values(const bl_apply *apply, const bl_saved *saved,
                              const bl_matrix *matrix, int n_threads, FILE *file,
                              bl_err *err)
{
    size_t width = width_of(apply, saved->models[0].forest);
    void *values;
    bl_status st = bli_alloc((size_t)matrix->n_rows * width, sizeof(float), "predictions",
                             &values, err);
    if (st != BL_OK)
        return st;
    st = values_of_models(apply, saved, matrix, n_threads, values, err);
    if (st == BL_OK)
        st = write_lines(file, matrix, 0, matrix->n_rows, values, width, err);
    free(values);
    return st;
}

/* Leaf numbers held at once. */
#define LEAVES_AT_ONCE ((uint64_t)1 << 20)

static void put_leaves(bl_buf *line, const uint32_t *leaves, size_t n)
{
    for (size_t t = 0; t < n; t++)
        bli_buf_printf(line, "%s%u", t ? "," : "", leaves[t]);
    bli_buf_char(line, '\n');
}

static bl_status write_leaves(const bl_final_model *model, const bl_matrix *matrix,
                              int n_threads, FILE *file, bl_err *err)
{
    const bl_forest *forest = model->forest;
    size_t n_trees =
        forest->round_first[model->n_rounds] - forest->round_first[model->first_round];
    uint64_t step = LEAVES_AT_ONCE / (n_trees + 1) + 1;
    void *leaves;
    bl_status st =
        bli_alloc((size_t)step, n_trees * sizeof(uint32_t), "leaf numbers", &leaves, err);
    if (st != BL_OK)
        return st;
    bl_buf lines = {0};
    for (uint64_t at = 0, n; st == BL_OK && at < matrix->n_rows; at += n) {
        const bl_block *block = bli_matrix_block(matrix, at);
        n = block->first_row + block->n_rows - at;
        n = n < step ? n : step;
        bli_leaves(forest, model->first_round, model->n_rounds,
                   block->x + (at - block->first_row) * matrix->n_features, n, n_threads,
                   leaves);
        lines.n = 0;
        for (uint64_t i = 0; i < n; i++) {
            put_ids(&lines, &matrix->roles, at + i);
            put_leaves(&lines, (const uint32_t *)leaves + i * n_trees, n_trees);
        }
        st = bli_buf_check(&lines, "lines", err);
        if (st == BL_OK)
            fwrite(lines.data, 1, lines.n, file);
    }
    bli_buf_done(&lines);
    free(leaves);
    return st;
}

/* The verb at work: what all parts of the rows share. */
typedef struct predicting {
    const bl_apply *apply;
    const bl_saved *saved;
    int n_threads;
    FILE *file;
    uint64_t n_rows;
} predicting;

typedef struct contrib_sink {
    const bl_matrix *matrix;
    size_t width;
    FILE *file;
} contrib_sink;

static bl_status write_contribs(void *cookie, const bl_batch *batch, bl_err *err)
{
    const contrib_sink *sink = cookie;
    return write_lines(sink->file, sink->matrix, batch->first, batch->n_rows, batch->phi,
                       sink->width, err);
}

static bool stop_asked(void *cookie, uint64_t done, uint64_t total)
{
    (void)done;
    (void)total;
    const bl_apply *apply = cookie;
    return apply->stop && *apply->stop;
}

/* is_all: there are no other rows; else the bytes read say how far it is. */
static bl_status explain_lines(const predicting *p, const bl_matrix *matrix, bool is_all,
                               bl_err *err)
{
    const bl_apply *apply = p->apply;
    const bl_final_model *model = p->saved->models;
    contrib_sink sink = {matrix, model->forest->n_outputs * (matrix->n_features + 1),
                         p->file};
    const bl_explain_options options = {.n_threads = p->n_threads,
                                        .log = is_all ? apply->log : NULL,
                                        .stage = "predict",
                                        .cancelled = stop_asked,
                                        .cookie = (void *)(uintptr_t)apply};
    bl_attribution *attribution = NULL;
    bl_status st = bli_explain(model->explainer, matrix, &options, write_contribs, &sink,
                               &attribution, err);
    bli_attribution_free(attribution);
    return st;
}

static bl_status check_type(const bl_apply *apply, const bl_saved *saved, bl_err *err)
{
    const bl_forest *forest = saved->models[0].forest;
    if (apply->type == BL_OUTPUT_PROBABILITY &&
        !bli_objective_has_probability(forest->objective))
        return bli_fail(
            err, BL_E_ARG,
            "--type probability: %s has none; prediction and margin are there",
            forest->objective);
    if ((apply->type == BL_OUTPUT_LEAF || apply->type == BL_OUTPUT_CONTRIBS) &&
        saved->n_models > 1)
        return bli_fail(
            err, BL_E_ARG,
            "'%s' holds the %zu models of a k-fold job, which have no leaves or "
            "contributions in common; give one of them",
            apply->model, saved->n_models);
    if (apply->type == BL_OUTPUT_LEAF && forest->linear)
        return bli_fail(err, BL_E_ARG, "--type leaf: a gblinear model has no trees");
    return BL_OK;
}

static bl_status take_part(void *cookie, const bl_part *part, bl_err *err)
{
    predicting *p = cookie;
    const bl_apply *apply = p->apply;
    bl_matrix *matrix = NULL;
    bl_status st = bli_apply(p->saved->schema, part->table, &matrix, err);
    if (st != BL_OK)
        return st;
    if (apply->type == BL_OUTPUT_LEAF)
        st = write_leaves(p->saved->models, matrix, p->n_threads, p->file, err);
    else if (apply->type == BL_OUTPUT_CONTRIBS)
        st = explain_lines(p, matrix, part->is_last && part->first_row == 0, err);
    else
        st = write_values(apply, p->saved, matrix, p->n_threads, p->file, err);
    p->n_rows += matrix->n_rows;
    bli_matrix_free(matrix);
    return st;
}

static bl_status write_file(predicting *p, const bl_limits *limits, bl_err *err)
{
    bl_output output;
    bl_status st = bli_output_open_named(p->apply->output, 0600, &output, err);
    if (st != BL_OK)
        return st;
    p->file = output.file;
    uint64_t chunk = bli_explainer_block_rows(p->saved->models[0].explainer);
    st = bli_saved_parts(p->apply, p->saved, limits,
                         bli_part_rows(p->saved->schema->n_features, chunk), take_part, p,
                         err);
    if (st == BL_OK)
        return bli_output_commit(&output, err);
    bli_output_abort(&output);
    return st;
}

bl_status bli_predict_files(const bl_apply *apply, bl_err *err)
{
    bl_limits limits = bli_limits();
    bl_saved *saved = NULL;
    int n_threads = apply->nthread > 0 ? (int)apply->nthread : bli_machine_threads();
    omp_set_num_threads(n_threads);
    bl_status st = bli_apply_isolate(apply, err);
    if (st == BL_OK)
        st = bli_saved_open(apply, &limits, &saved, err);
    predicting p = {.apply = apply, .saved = saved, .n_threads = n_threads};
    if (st == BL_OK)
        st = check_type(apply, saved, err);
    if (st == BL_OK)
        st = write_file(&p, &limits, err);
    if (st == BL_OK)
        bli_log(apply->log, BL_INFO, "predict", "%llu rows written to '%s'",
                (unsigned long long)p.n_rows, apply->output);
    bli_saved_free(saved);
    return st;
}
