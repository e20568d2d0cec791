/* SPDX-License-Identifier: Apache-2.0 */
#include "help.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <xgboost/c_api.h>

#define XGB(call) CHECK((call) == 0, "%s", XGBGetLastError())

/* --- Jobs --------------------------------------------------------------------------- */

bl_job *job_new(const char *objective, int64_t rounds)
{
    bl_job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    job->num_round = rounds;
    job->max_bin = 256;
    job->objective = strdup(objective);
    job->booster = "gbtree";
    job->tree_method = "auto";
    job_param(job, "objective", objective);
    return job;
}

static const bl_param_def *find_def(const char *name)
{
    size_t n;
    const bl_param_def *defs = bli_param_defs(&n);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(defs[i].name, name))
            return &defs[i];
    fail_msg("'%s' is no parameter", name);
    return NULL;
}

void job_param(bl_job *job, const char *name, const char *text)
{
    size_t n = job->n_xgboost;
    job->xgboost_names =
        realloc(job->xgboost_names, (n + 1) * sizeof *job->xgboost_names);
    job->xgboost_texts =
        realloc(job->xgboost_texts, (n + 1) * sizeof *job->xgboost_texts);
    job->params = realloc(job->params, (n + 1) * sizeof *job->params);
    job->xgboost_names[n] = strdup(name);
    job->xgboost_texts[n] = strdup(text);
    job->params[n] =
        (bl_param){.def = find_def(name), .text = strdup(text), .source = "default"};
    job->n_xgboost = job->n_params = n + 1;
    if (!strcmp(name, "booster"))
        job->booster = job->params[n].text;
    if (!strcmp(name, "tree_method"))
        job->tree_method = job->params[n].text;
    if (!strcmp(name, "num_class"))
        job->num_class = atoi(text);
    if (!strcmp(name, "max_bin"))
        job->max_bin = atoi(text);
}

void job_metric(bl_job *job, const char *name)
{
    size_t n = job->n_metrics++;
    job->metrics = realloc(job->metrics, (n + 1) * sizeof *job->metrics);
    job->metrics[n] = (bl_metric_name){
        .name = strdup(name),
        .maker = bli_metric_is_custom(name) ? BL_METRIC_CUSTOM : BL_METRIC_XGBOOST};
}

void job_free(bl_job *job)
{
    for (size_t i = 0; i < job->n_xgboost; i++) {
        free(job->xgboost_names[i]);
        free(job->xgboost_texts[i]);
        free(job->params[i].text);
    }
    for (size_t i = 0; i < job->n_metrics; i++)
        free(job->metrics[i].name);
    free((void *)(uintptr_t)job->objective);
    free(job->early_stopping_metric);
    free(job->xgboost_names);
    free(job->xgboost_texts);
    free(job->params);
    free(job->metrics);
    free(job);
}

/* --- Matrices ----------------------------------------------------------------------- */

static bl_schema *schema_new(size_t n_features)
{
    bl_schema *schema = calloc(1, sizeof *schema);
    schema->n_features = n_features;
    schema->features = calloc(n_features, sizeof *schema->features);
    for (size_t i = 0; i < n_features; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%zu", i);
        schema->features[i].name = strdup(name);
        schema->features[i].type = "q";
        schema->features[i].source = i;
    }
    return schema;
}

static bl_matrix *matrix_of(const float *x, uint64_t n_rows, size_t n_features,
                            size_t n_blocks)
{
    bl_matrix *m = calloc(1, sizeof *m);
    m->schema = schema_new(n_features);
    m->n_features = n_features;
    m->n_rows = n_rows;
    m->n_blocks = n_blocks;
    m->blocks = calloc(n_blocks, sizeof *m->blocks);
    for (size_t b = 0; b < n_blocks; b++) {
        uint64_t first = n_rows * b / n_blocks, last = n_rows * (b + 1) / n_blocks;
        size_t bytes = (last - first) * n_features * sizeof(float);
        m->blocks[b] = (bl_block){malloc(bytes + 1), first, last - first};
        memcpy(m->blocks[b].x, x + first * n_features, bytes);
    }
    return m;
}

bl_matrix *matrix_new(uint64_t n_rows, size_t n_features, size_t n_blocks,
                      unsigned missing, uint64_t seed)
{
    bl_rng rng = bli_rng(seed);
    float *x = malloc(n_rows * n_features * sizeof *x);
    float *labels = malloc(n_rows * sizeof *labels);
    for (uint64_t r = 0; r < n_rows; r++) {
        float *row = x + r * n_features;
        for (size_t i = 0; i < n_features; i++) {
            row[i] = (float)bli_rng_below(&rng, 1000000) / 1000000.0F;
            if (missing && !bli_rng_below(&rng, missing))
                row[i] = NAN;
        }
        float noise = (float)bli_rng_below(&rng, 1000) / 2500.0F;
        float a = isnan(row[0]) ? 0.5F : row[0];
        float b = n_features > 2 && !isnan(row[2]) ? row[2] : 0.25F;
        labels[r] = a * b + noise > 0.45F ? 1.0F : 0.0F;
    }
    bl_matrix *m = matrix_of(x, n_rows, n_features, n_blocks);
    m->roles.n_labels = 1;
    m->roles.labels = labels;
    free(x);
    return m;
}

bl_matrix *matrix_text(const char *text, size_t n_features, size_t n_labels)
{
    size_t width = n_features + n_labels;
    size_t cap = strlen(text) + width;
    float *all = malloc(cap * sizeof *all), *x = malloc(cap * sizeof *x);
    float *labels = malloc(cap * sizeof *labels);
    uint64_t n = 0;
    for (char *end; *text; text = end, n++) {
        all[n] = strtof(text, &end);
        assert_ptr_not_equal(end, text);
        while (*end == ' ' || *end == '\n')
            end++;
    }
    assert_int_equal(n % width, 0);
    uint64_t n_rows = n / width;
    for (uint64_t r = 0; r < n_rows; r++) {
        memcpy(labels + r * n_labels, all + r * width, n_labels * sizeof *x);
        memcpy(x + r * n_features, all + r * width + n_labels, n_features * sizeof *x);
    }
    bl_matrix *m = matrix_of(x, n_rows, n_features, 1);
    m->roles.n_labels = n_labels;
    m->roles.labels = labels;
    free(all);
    free(x);
    return m;
}

float *matrix_rows(const bl_matrix *m)
{
    float *x = malloc(m->n_rows * m->n_features * sizeof *x + 1);
    uint64_t row = 0;
    for (size_t b = 0; b < m->n_blocks; b++) {
        memcpy(x + row * m->n_features, m->blocks[b].x,
               m->blocks[b].n_rows * m->n_features * sizeof *x);
        row += m->blocks[b].n_rows;
    }
    return x;
}

static float *copied(const float *from, size_t n)
{
    if (!from)
        return NULL;
    float *to = malloc(n * sizeof *to + 1);
    memcpy(to, from, n * sizeof *to);
    return to;
}

bl_matrix *matrix_recut(const bl_matrix *m, size_t n_blocks)
{
    float *x = matrix_rows(m);
    bl_matrix *fresh = matrix_of(x, m->n_rows, m->n_features, n_blocks);
    bl_roles *r = &fresh->roles;
    *r = m->roles;
    r->labels = copied(r->labels, m->n_rows * r->n_labels);
    r->weights = copied(r->weights, m->n_rows);
    r->lower_bounds = copied(r->lower_bounds, m->n_rows);
    r->upper_bounds = copied(r->upper_bounds, m->n_rows);
    r->base_margins = copied(r->base_margins, m->n_rows * r->n_base_margins);
    if (r->group_rows) {
        r->group_rows = malloc(r->n_groups * sizeof *r->group_rows);
        memcpy(r->group_rows, m->roles.group_rows, r->n_groups * sizeof *r->group_rows);
    }
    for (size_t i = 0; i < m->n_features; i++)
        ((bl_schema *)(uintptr_t)fresh->schema)->features[i].type =
            m->schema->features[i].type;
    ((bl_schema *)(uintptr_t)fresh->schema)->has_types = m->schema->has_types;
    free(x);
    return fresh;
}

void matrix_groups(bl_matrix *m, uint64_t size)
{
    bl_roles *r = &m->roles;
    r->n_groups = (m->n_rows + size - 1) / size;
    r->group_rows = malloc(r->n_groups * sizeof *r->group_rows);
    for (size_t g = 0; g < r->n_groups; g++)
        r->group_rows[g] = g + 1 < r->n_groups ? size : m->n_rows - g * size;
}

void matrix_weights(bl_matrix *m, uint64_t seed)
{
    bl_rng rng = bli_rng(seed);
    m->roles.weights = malloc(m->n_rows * sizeof *m->roles.weights);
    uint64_t row = 0;
    for (size_t g = 0; row < m->n_rows; g++) {
        float weight = (float)(1 + bli_rng_below(&rng, 9)) / 4.0F;
        uint64_t n = m->roles.n_groups ? m->roles.group_rows[g] : 1;
        for (; n; n--)
            m->roles.weights[row++] = weight;
    }
}

void matrix_free(bl_matrix *m)
{
    if (!m)
        return;
    bl_schema *schema = (bl_schema *)(uintptr_t)m->schema;
    for (size_t i = 0; i < schema->n_features; i++)
        free(schema->features[i].name);
    free(schema->features);
    free(schema);
    bli_blocks_free(m->blocks, m->n_blocks);
    bli_roles_done(&m->roles);
    free(m);
}

/* --- Training ----------------------------------------------------------------------- */

static void on_line(void *cookie, bl_level level, const char *stage, const char *text)
{
    static const char *const names[] = {"debug", "info", "note", "warning", "error"};
    bli_buf_printf(&((heard *)cookie)->log, "%s %s: %s\n", names[level], stage, text);
}

static void on_metric(void *cookie, const char *line)
{
    bli_buf_text(&((heard *)cookie)->lines, line);
}

static bool on_ask(void *cookie)
{
    heard *h = cookie;
    return h->cancel_after >= 0 && h->asked++ >= h->cancel_after;
}

void heard_done(heard *h)
{
    bli_buf_done(&h->log);
    bli_buf_done(&h->lines);
}

bl_status train_from(const bl_job *job, bl_matrix *rows, bl_matrix *validation, heard *h,
                     const bl_training *start, bl_training **ret, bl_err *err)
{
    bl_log log = {.line = on_line, .cookie = h};
    bl_train_input input = {.job = job,
                            .train = rows,
                            .validation = validation,
                            .start_model = start ? start->ubj : NULL,
                            .n_start_model = start ? start->n_ubj : 0,
                            .nthread = 1,
                            .checkpoints = h ? h->checkpoints : NULL,
                            .log = h ? &log : NULL,
                            .metric_line = h ? on_metric : NULL,
                            .cancelled = h ? on_ask : NULL,
                            .cookie = h};
    return bli_train(&input, ret, err);
}

bl_status train(const bl_job *job, bl_matrix *rows, bl_matrix *validation, heard *h,
                bl_training **ret, bl_err *err)
{
    return train_from(job, rows, validation, h, NULL, ret, err);
}

/* --- XGBoost without us ------------------------------------------------------------- */

static DMatrixHandle plain_matrix(const bl_matrix *m)
{
    DMatrixHandle handle;
    const bl_roles *r = &m->roles;
    float *x = matrix_rows(m);
    XGB(XGDMatrixCreateFromMat_omp(x, m->n_rows, m->n_features, NAN, &handle, 1));
    free(x);
    if (m->schema->has_types) {
        const char *types[64];
        for (size_t i = 0; i < m->n_features; i++)
            types[i] = m->schema->features[i].type;
        XGB(XGDMatrixSetStrFeatureInfo(handle, "feature_type", types, m->n_features));
    }
    if (r->n_labels == 1)
        XGB(XGDMatrixSetFloatInfo(handle, "label", r->labels, m->n_rows));
    if (r->n_labels > 1) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"data\": [%zu, true], \"typestr\": \"<f4\", \"shape\": [%zu, %zu], "
                 "\"version\": 3}",
                 (size_t)r->labels, (size_t)m->n_rows, r->n_labels);
        XGB(XGDMatrixSetInfoFromInterface(handle, "label", text));
    }
    float *weights = copied(r->weights, m->n_rows);
    size_t n_weights = m->n_rows;
    if (r->n_groups) {
        unsigned *sizes = malloc(r->n_groups * sizeof *sizes);
        uint64_t row = 0;
        for (size_t g = 0; g < r->n_groups; g++) {
            sizes[g] = (unsigned)r->group_rows[g];
            if (weights)
                weights[g] = r->weights[row];
            row += r->group_rows[g];
        }
        n_weights = r->n_groups;
        XGB(XGDMatrixSetUIntInfo(handle, "group", sizes, r->n_groups));
        free(sizes);
    }
    if (weights)
        XGB(XGDMatrixSetFloatInfo(handle, "weight", weights, n_weights));
    free(weights);
    if (r->lower_bounds)
        XGB(XGDMatrixSetFloatInfo(handle, "label_lower_bound", r->lower_bounds,
                                  m->n_rows));
    if (r->upper_bounds)
        XGB(XGDMatrixSetFloatInfo(handle, "label_upper_bound", r->upper_bounds,
                                  m->n_rows));
    if (r->base_margins)
        XGB(XGDMatrixSetFloatInfo(handle, "base_margin", r->base_margins, m->n_rows));
    return handle;
}

void plain_train(const bl_job *job, const bl_matrix *rows, const bl_matrix *validation,
                 bl_buf *ret_ubj, bl_buf *ret_texts)
{
    DMatrixHandle handles[2] = {plain_matrix(rows), NULL};
    const char *names[2] = {"train", "validation"};
    bst_ulong n_sets = 1;
    if (validation)
        handles[n_sets++] = plain_matrix(validation);
    BoosterHandle booster;
    XGB(XGBoosterCreate(handles, n_sets, &booster));
    for (size_t i = 0; i < job->n_xgboost; i++)
        XGB(XGBoosterSetParam(booster, job->xgboost_names[i], job->xgboost_texts[i]));
    XGB(XGBoosterSetParam(booster, "nthread", "1"));
    for (size_t i = 0; i < job->n_metrics; i++)
        if (job->metrics[i].maker == BL_METRIC_XGBOOST)
            XGB(XGBoosterSetParam(booster, "eval_metric", job->metrics[i].name));
    if (rows->schema->has_types) {
        const char *types[64];
        for (size_t i = 0; i < rows->n_features; i++)
            types[i] = rows->schema->features[i].type;
        XGB(XGBoosterSetStrFeatureInfo(booster, "feature_type", types, rows->n_features));
    }
    for (int i = 0; i < (int)job->num_round; i++) {
        const char *text;
        XGB(XGBoosterUpdateOneIter(booster, i, handles[0]));
        XGB(XGBoosterEvalOneIter(booster, i, handles, names, n_sets, &text));
        if (ret_texts)
            bli_buf_printf(ret_texts, "%s\n", text);
    }
    const char *bytes;
    bst_ulong n;
    XGB(XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &n, &bytes));
    bli_buf_add(ret_ubj, bytes, n);
    XGB(XGBoosterFree(booster));
    for (bst_ulong i = 0; i < n_sets; i++)
        XGB(XGDMatrixFree(handles[i]));
}

float *plain_predict(const void *ubj, size_t n, const bl_matrix *rows, int type,
                     size_t *ret_width)
{
    BoosterHandle booster;
    DMatrixHandle handle = plain_matrix(rows);
    char config[160];
    snprintf(config, sizeof config,
             "{\"type\": %d, \"training\": false, \"iteration_begin\": 0, "
             "\"iteration_end\": 0, "
             "\"strict_shape\": true}",
             type);
    const bst_ulong *shape;
    bst_ulong dim;
    const float *values;
    XGB(XGBoosterCreate(NULL, 0, &booster));
    XGB(XGBoosterLoadModelFromBuffer(booster, ubj, n));
    XGB(XGBoosterSetParam(booster, "nthread", "1"));
    XGB(XGBoosterPredictFromDMatrix(booster, handle, config, &shape, &dim, &values));
    size_t width = 1;
    for (bst_ulong i = 1; i < dim; i++)
        width *= shape[i];
    float *copy = copied(values, rows->n_rows * width);
    *ret_width = width;
    XGB(XGBoosterFree(booster));
    XGB(XGDMatrixFree(handle));
    return copy;
}
