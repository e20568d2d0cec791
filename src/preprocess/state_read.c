/* SPDX-License-Identifier: Apache-2.0 */
/* A fitted plan out of JSON: the plan is read as a person's, and its columns are found again;
 * what was fitted is checked against them. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bl_status broken(const char *member, bl_err *err)
{
    return bli_fail(err, BL_E_MODEL,
                    "the fitted plan's '%s' is not as boostlens writes it", member);
}

static bl_status read_doubles(const json_t *list, const char *member, size_t n,
                              double **ret, bl_err *err)
{
    void *block;
    if (!json_is_array(list) || json_array_size(list) != n)
        return broken(member, err);
    bl_status st = bli_alloc(n, sizeof(double), "a fitted plan", &block, err);
    if (st != BL_OK)
        return st;
    double *v = block;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        v[i] = json_is_number(item) ? json_number_value(item) : (double)NAN;
    }
    *ret = v;
    return BL_OK;
}

static bl_status read_levels(const json_t *list, const char *member, bl_levels **ret,
                             bl_err *err)
{
    bl_levels *levels = NULL;
    if (!json_is_array(list))
        return broken(member, err);
    bl_status st = bli_levels_new(&levels, err);
    for (size_t i = 0; st == BL_OK && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        uint32_t code = 0;
        if (!json_is_string(item))
            st = broken(member, err);
        else
            st = bli_levels_add(levels, json_string_value(item), json_string_length(item),
                                UINT32_MAX - 1, &code, err);
        if (st == BL_OK && code != i)
            st = broken(member, err);
    }
    if (st == BL_OK)
        *ret = levels;
    else
        bli_levels_free(levels);
    return st;
}

static bl_status read_number_step(const json_t *object, bl_number_step *step, bl_err *err)
{
    const char *name = json_string_value(json_object_get(object, "step"));
    void *block;
    if (!name || !bli_step_kind_of(name, &step->kind))
        return broken("step", err);
    if (step->kind == BL_STEP_BINS) {
        const json_t *edges = json_object_get(object, "edges");
        step->n = json_array_size(edges);
        return read_doubles(edges, "edges", step->n, &step->v, err);
    }
    const char *const *names = bli_number_names(step->kind);
    size_t n = 0;
    while (names[n])
        n++;
    bl_status st = bli_alloc(n, sizeof(double), "a fitted plan", &block, err);
    if (st != BL_OK)
        return st;
    step->v = block;
    step->n = n;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(object, names[i]);
        if (!value)
            return broken(names[i], err);
        /* Only an open bound of clip is no number. */
        step->v[i] = json_is_number(value) ? json_number_value(value)
                     : i == 0              ? -(double)INFINITY
                                           : (double)INFINITY;
    }
    return BL_OK;
}

static bl_status read_made(const json_t *object, const bl_source *source, bl_made *made,
                           bl_err *err)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const json_t *part = json_object_get(object, "part");
    const json_t *steps = json_object_get(object, "steps");
    void *block;
    if (!name || !json_is_integer(part) || json_integer_value(part) < 0 ||
        (size_t)json_integer_value(part) >= (source->is_text ? source->width : 1))
        return broken("made", err);
    made->part = (size_t)json_integer_value(part);
    made->is_indicator = json_is_true(json_object_get(object, "indicator"));
    made->is_category =
        source->is_text && source->encode == BL_STEP_CATEGORY && !made->is_indicator;
    bl_status st = bli_strdup(name, &made->name, err);
    if (st != BL_OK || !steps)
        return st;
    st = bli_alloc(json_array_size(steps), sizeof(bl_number_step), "a fitted plan",
                   &block, err);
    if (st != BL_OK)
        return st;
    made->steps = block;
    for (size_t i = 0; st == BL_OK && i < json_array_size(steps); i++) {
        made->n_steps = i + 1;
        st = read_number_step(json_array_get(steps, i), &made->steps[i], err);
    }
    return st;
}

static bl_status read_code(const json_t *object, const char *key, size_t n, uint32_t *ret,
                           bl_err *err)
{
    const json_t *value = json_object_get(object, key);
    *ret = BL_NO_LEVEL;
    if (!value)
        return BL_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (size_t)json_integer_value(value) >= n)
        return broken(key, err);
    *ret = (uint32_t)json_integer_value(value);
    return BL_OK;
}

/* ordinal and category: a code is its own number. */
static bl_status number_codes(bl_source *source, bl_err *err)
{
    size_t n = bli_levels_count(source->known);
    void *block;
    bl_status st = bli_alloc(n + 1, sizeof(double), "a fitted plan", &block, err);
    if (st != BL_OK)
        return st;
    source->table = block;
    for (size_t c = 0; c < n; c++)
        source->table[c] = (double)c;
    source->table[n] = (double)NAN;
    return BL_OK;
}

static bl_status read_text(const bl_transform *t, const json_t *object, bl_source *source,
                           bl_err *err)
{
    const char *encode = json_string_value(json_object_get(object, "encode"));
    const json_t *width = json_object_get(object, "width");
    bl_status st =
        read_levels(json_object_get(object, "levels"), "levels", &source->known, err);
    if (st != BL_OK)
        return st;
    size_t n = bli_levels_count(source->known);
    if (!encode || !bli_step_kind_of(encode, &source->encode) ||
        bli_step_class_of(source->encode) != BL_CLASS_ENCODE || !json_is_integer(width) ||
        json_integer_value(width) < 0 || json_integer_value(width) > 1 << 24)
        return broken("encode", err);
    source->width = (size_t)json_integer_value(width);
    st = read_code(object, "rare", n, &source->other, err);
    if (st == BL_OK)
        st = read_code(object, "imputed", n, &source->filled, err);
    if (st != BL_OK)
        return st;
    const bl_entry *entry = bli_source_entry(t, source);
    size_t n_text = entry ? bli_text_steps(entry->steps, entry->n_steps) : 0, cells;
    switch (source->encode) {
    case BL_STEP_TARGET:
        if (!bli_mul(n + 1, source->width, &cells))
            return broken("width", err);
        return read_doubles(json_object_get(object, "table"), "table", cells,
                            &source->table, err);
    case BL_STEP_ONEHOT:
        return source->width == n || source->width == n + 1 ? BL_OK
                                                            : broken("width", err);
    case BL_STEP_DATE:
        return n_text && entry->steps[n_text - 1].kind == BL_STEP_DATE &&
                       entry->steps[n_text - 1].n_parts == source->width
                   ? BL_OK
                   : broken("width", err);
    default:
        return source->width == 1 ? number_codes(source, err) : broken("width", err);
    }
}

static bl_status read_source(const bl_transform *t, const json_t *object,
                             bl_source *source, bl_err *err)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const json_t *made = json_object_get(object, "made");
    const char *name = json_string_value(json_object_get(object, "column"));
    void *block;
    if (!kind || !json_is_array(made) || !name || strcmp(name, source->name) != 0)
        return broken("columns", err);
    source->is_text = strcmp(kind, "text") == 0;
    bl_status st = source->is_text ? read_text(t, object, source, err) : BL_OK;
    if (st == BL_OK)
        st = bli_alloc(json_array_size(made), sizeof(bl_made), "a fitted plan", &block,
                       err);
    if (st != BL_OK)
        return st;
    source->made = block;
    for (size_t m = 0; st == BL_OK && m < json_array_size(made); m++) {
        source->n_made = m + 1;
        st = read_made(json_array_get(made, m), source, &source->made[m], err);
    }
    return st;
}

static bl_status read_classes(bl_transform *t, const json_t *fitted, bl_err *err)
{
    const json_t *classes = json_object_get(fitted, "classes");
    const json_t *other = json_object_get(fitted, "other_class");
    t->has_other_class = json_is_number(other);
    t->other_class = json_number_value(other);
    if (!classes)
        return BL_OK;
    bl_status st = read_levels(classes, "classes", &t->classes, err);
    return st == BL_OK
               ? read_doubles(json_object_get(fitted, "class_values"), "class_values",
                              bli_levels_count(t->classes), &t->class_value, err)
               : st;
}

static bl_status read_pca(const bl_transform *t, const json_t *object, size_t p,
                          bl_pca *pca, bl_err *err)
{
    const json_t *in = json_object_get(object, "made");
    void *block;
    size_t cells;
    pca->n_in = json_array_size(in);
    pca->n_out = json_array_size(json_object_get(object, "singular_values"));
    if (pca->n_in == 0 || pca->n_out == 0 || pca->n_out > pca->n_in ||
        !bli_mul(pca->n_in, pca->n_out, &cells) || p >= t->plan->n_pcas)
        return broken("pca", err);
    bl_status st = bli_strdup(t->plan->pcas[p].name, &pca->name, err);
    if (st == BL_OK)
        st = bli_alloc(pca->n_in, sizeof(size_t), "a fitted plan", &block, err);
    if (st != BL_OK)
        return st;
    pca->in = block;
    for (size_t j = 0; j < pca->n_in; j++) {
        const json_t *made = json_array_get(in, j);
        if (!json_is_integer(made) || json_integer_value(made) < 0 ||
            (size_t)json_integer_value(made) >= t->n_made)
            return broken("pca", err);
        pca->in[j] = (size_t)json_integer_value(made);
    }
    st = read_doubles(json_object_get(object, "singular_values"), "singular_values",
                      pca->n_out, &pca->singular, err);
    if (st == BL_OK)
        st = read_doubles(json_object_get(object, "mean"), "mean", pca->n_in, &pca->mean,
                          err);
    if (st == BL_OK)
        st =
            read_doubles(json_object_get(object, "axes"), "axes", cells, &pca->axis, err);
    return st;
}

static bl_status read_joint(bl_transform *t, const json_t *fitted, bl_err *err)
{
    const json_t *left_out = json_object_get(fitted, "left_out");
    const json_t *pcas = json_object_get(fitted, "pca");
    void *block;
    for (size_t i = 0; i < json_array_size(left_out); i++) {
        const json_t *made = json_array_get(left_out, i);
        if (!json_is_integer(made) || json_integer_value(made) < 0 ||
            (size_t)json_integer_value(made) >= t->n_made)
            return broken("left_out", err);
        t->is_dropped[json_integer_value(made)] = true;
    }
    bl_status st =
        bli_alloc(json_array_size(pcas), sizeof(bl_pca), "a fitted plan", &block, err);
    if (st != BL_OK)
        return st;
    t->pcas = block;
    for (size_t p = 0; st == BL_OK && p < json_array_size(pcas); p++) {
        t->n_pcas = p + 1;
        st = read_pca(t, json_array_get(pcas, p), p, &t->pcas[p], err);
    }
    if (st == BL_OK)
        bli_list_columns(t);
    return st;
}

static bl_status read_file_columns(bl_transform *t, const json_t *fitted, bl_err *err)
{
    const json_t *list = json_object_get(fitted, "file_columns");
    size_t n = json_array_size(list), n_named = 0;
    if (n == 0)
        return broken("file_columns", err);
    const char **names = calloc(n, sizeof *names);
    if (!names)
        return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t i = 0; i < n; i++) {
        names[i] = json_string_value(json_array_get(list, i));
        n_named += names[i] != NULL;
    }
    bl_status st = n_named == 0 || n_named == n
                       ? bli_resolve(t, "the training file", n, names, err)
                       : broken("file_columns", err);
    free(names);
    return st;
}

bl_status bli_transform_take_fitted(bl_transform *t, const bl_limits *limits, bl_err *err)
{
    const json_t *fitted = t->plan->fitted;
    const json_t *columns = json_object_get(fitted, "columns");
    if (!json_is_object(fitted) || !json_is_array(columns))
        return broken("fitted", err);
    bl_status st = read_file_columns(t, fitted, err);
    if (st == BL_OK)
        st = read_classes(t, fitted, err);
    if (st == BL_OK)
        st = bli_list_sources(t, err);
    if (st == BL_OK && json_array_size(columns) != t->n_sources)
        st = broken("columns", err);
    for (size_t s = 0; st == BL_OK && s < t->n_sources; s++)
        st = read_source(t, json_array_get(columns, s), &t->sources[s], err);
    if (st == BL_OK)
        st = bli_count_made(t, limits, err);
    if (st == BL_OK)
        st = read_joint(t, fitted, err);
    t->is_fitted = st == BL_OK;
    return st;
}

bl_status bli_transform_read(const json_t *object, const bl_limits *limits,
                             bl_plan **ret_plan, bl_transform **ret_transform,
                             bl_err *err)
{
    bl_plan *plan = NULL;
    bl_transform *t = NULL;
    json_t *copy = json_deep_copy(object);
    if (!copy)
        return broken("plan", err);
    bl_status st = bli_plan_of("boostlens.json", copy, limits, &plan, err);
    if (st == BL_OK && !plan->fitted)
        st = broken("fitted", err);
    if (st == BL_OK)
        st = bli_transform_new(plan, limits, &t, err);
    if (st != BL_OK) {
        bli_plan_free(plan);
        return st;
    }
    *ret_plan = plan;
    *ret_transform = t;
    return BL_OK;
}
