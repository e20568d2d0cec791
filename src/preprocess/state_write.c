/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A fitted plan as JSON: the plan as it was given and, under "fitted", what was found
 * in the training rows. Doubles are written so that they read back to the same bits; what is
 * missing is null.
 */
#include "preprocess/transform_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Writing ----------------------------------------------------------------------------- */

static void copy_value(const json_t *value, bl_jw *jw)
{
    if (json_is_object(value)) {
        const char *key;
        json_t *item;
        bli_jw_object(jw);
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            bli_jw_key(jw, key);
            copy_value(item, jw);
        }
        bli_jw_object_end(jw);
    } else if (json_is_array(value)) {
        bool flat = true;
        for (size_t i = 0; i < json_array_size(value); i++)
            flat &= !json_is_object(json_array_get(value, i));
        bli_jw_list(jw, flat);
        for (size_t i = 0; i < json_array_size(value); i++)
            copy_value(json_array_get(value, i), jw);
        bli_jw_list_end(jw);
    } else if (json_is_string(value)) {
        bli_jw_text(jw, json_string_value(value));
    } else if (json_is_integer(value)) {
        bli_jw_int(jw, json_integer_value(value));
    } else if (json_is_real(value)) {
        bli_jw_double(jw, json_real_value(value));
    } else if (json_is_boolean(value)) {
        bli_jw_bool(jw, json_is_true(value));
    } else {
        bli_jw_null(jw);
    }
}

static void write_doubles(const char *key, const double *v, size_t n, bl_jw *jw)
{
    bli_jw_key(jw, key);
    bli_jw_list(jw, true);
    for (size_t i = 0; i < n; i++)
        bli_jw_double(jw, v[i]);
    bli_jw_list_end(jw);
}

static void write_levels(const char *key, const bl_levels *levels, bl_jw *jw)
{
    bli_jw_key(jw, key);
    bli_jw_list(jw, true);
    for (uint32_t c = 0; c < bli_levels_count(levels); c++)
        bli_jw_text(jw, bli_levels_text(levels, c));
    bli_jw_list_end(jw);
}

static void write_number_step(const bl_number_step *step, bl_jw *jw)
{
    size_t i = 0;
    bli_jw_object(jw);
    bli_jw_key(jw, "step");
    bli_jw_text(jw, bli_step_name(step->kind));
    for (const char *const *name = bli_number_names(step->kind); *name && i < step->n;
         name++) {
        bli_jw_key(jw, *name);
        bli_jw_double(jw, step->v[i++]);
    }
    if (step->kind == BL_STEP_BINS)
        write_doubles("edges", step->v, step->n, jw);
    bli_jw_object_end(jw);
}

static void write_made(const bl_made *made, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "name");
    bli_jw_text(jw, made->name);
    bli_jw_key(jw, "part");
    bli_jw_int(jw, (int64_t)made->part);
    if (made->is_indicator) {
        bli_jw_key(jw, "indicator");
        bli_jw_bool(jw, true);
    }
    if (made->n_steps) {
        bli_jw_key(jw, "steps");
        bli_jw_list(jw, false);
        for (size_t i = 0; i < made->n_steps; i++)
            write_number_step(&made->steps[i], jw);
        bli_jw_list_end(jw);
    }
    bli_jw_object_end(jw);
}

static void write_code(const char *key, uint32_t code, bl_jw *jw)
{
    if (code == BL_NO_LEVEL)
        return;
    bli_jw_key(jw, key);
    bli_jw_int(jw, code);
}

static void write_source(const bl_source *source, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "column");
    bli_jw_text(jw, source->name);
    bli_jw_key(jw, "kind");
    bli_jw_text(jw, source->is_text ? "text" : "number");
    if (source->is_text) {
        bli_jw_key(jw, "encode");
        bli_jw_text(jw, bli_step_name(source->encode));
        write_levels("levels", source->known, jw);
        write_code("rare", source->other, jw);
        write_code("imputed", source->filled, jw);
        bli_jw_key(jw, "width");
        bli_jw_int(jw, (int64_t)source->width);
        if (source->encode == BL_STEP_TARGET)
            write_doubles("table", source->table,
                          ((size_t)bli_levels_count(source->known) + 1) * source->width,
                          jw);
    }
    bli_jw_key(jw, "made");
    bli_jw_list(jw, false);
    for (size_t m = 0; m < source->n_made; m++)
        write_made(&source->made[m], jw);
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

static void write_pcas(const bl_transform *t, bl_jw *jw)
{
    bli_jw_key(jw, "pca");
    bli_jw_list(jw, false);
    for (size_t p = 0; p < t->n_pcas; p++) {
        const bl_pca *pca = &t->pcas[p];
        bli_jw_object(jw);
        bli_jw_key(jw, "name");
        bli_jw_text(jw, pca->name);
        bli_jw_key(jw, "made");
        bli_jw_list(jw, true);
        for (size_t j = 0; j < pca->n_in; j++)
            bli_jw_int(jw, (int64_t)pca->in[j]);
        bli_jw_list_end(jw);
        write_doubles("singular_values", pca->singular, pca->n_out, jw);
        write_doubles("mean", pca->mean, pca->n_in, jw);
        write_doubles("axes", pca->axis, pca->n_in * pca->n_out, jw);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
}

static void write_fitted(const bl_transform *t, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "file_columns");
    bli_jw_list(jw, true);
    for (size_t i = 0; i < t->n_file_columns; i++)
        bli_jw_text(jw, t->file_columns[i]);
    bli_jw_list_end(jw);
    if (t->classes) {
        write_levels("classes", t->classes, jw);
        write_doubles("class_values", t->class_value, bli_levels_count(t->classes), jw);
    }
    if (t->has_other_class) {
        bli_jw_key(jw, "other_class");
        bli_jw_double(jw, t->other_class);
    }
    bli_jw_key(jw, "columns");
    bli_jw_list(jw, false);
    for (size_t s = 0; s < t->n_sources; s++)
        write_source(&t->sources[s], jw);
    bli_jw_list_end(jw);
    bli_jw_key(jw, "left_out");
    bli_jw_list(jw, true);
    for (size_t m = 0; m < t->n_made; m++)
        if (t->is_dropped[m])
            bli_jw_int(jw, (int64_t)m);
    bli_jw_list_end(jw);
    if (t->n_pcas)
        write_pcas(t, jw);
    bli_jw_object_end(jw);
}

void bli_transform_write(const bl_transform *t, bl_jw *jw)
{
    const char *key;
    json_t *value;
    bli_jw_object(jw);
    json_object_foreach(t->plan->document, key, value)
    {
        bli_jw_key(jw, key);
        copy_value(value, jw);
    }
    if (t->is_fitted) {
        bli_jw_key(jw, "fitted");
        write_fitted(t, jw);
    }
    bli_jw_object_end(jw);
}
