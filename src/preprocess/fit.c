/* SPDX-License-Identifier: Apache-2.0 */
/* Fits a plan on training rows: each column alone, side by side, each in a fixed order of
 * additions; then what takes several columns together. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fitting {
    bl_transform *t;
    const bl_frame *frame;
    const bl_frame_column **by_place;
    const uint64_t *row;
    uint64_t n;
    const bl_targets *targets; /* NULL: no label */
    const bl_limits *limits;
} fitting;

/* --- Names of what is made --------------------------------------------------------------- */

static bl_status add_made(bl_source *source, size_t *cap, const char *name, size_t part,
                          bl_err *err)
{
    void *made = source->made;
    bl_status st =
        bli_grow(&made, cap, source->n_made + 1, sizeof(bl_made), "columns", err);
    source->made = made;
    if (st != BL_OK)
        return st;
    bl_made *fresh = &source->made[source->n_made];
    *fresh = (bl_made){.part = part};
    st = bli_strdup(name, &fresh->name, err);
    source->n_made += st == BL_OK;
    return st;
}

static bl_status name_part(const fitting *f, const bl_source *source, const bl_step *date,
                           size_t part, char **ret_name, bl_err *err)
{
    bl_buf name = {0};
    size_t n_levels = bli_levels_count(source->known);
    bli_buf_text(&name, source->name);
    if (source->encode == BL_STEP_ONEHOT)
        bli_buf_printf(&name, "=%s",
                       part < n_levels ? bli_levels_text(source->known, (uint32_t)part)
                                       : "(missing)");
    else if (source->encode == BL_STEP_DATE)
        bli_buf_printf(&name, "_%s", bli_date_part_name(date->parts[part]));
    else if (source->encode == BL_STEP_TARGET && source->width > 1)
        bli_buf_printf(&name, "_%s", bli_levels_text(f->t->classes, (uint32_t)part));
    bl_status st = bli_buf_check(&name, "a name", err);
    if (st == BL_OK)
        *ret_name = name.data;
    else
        bli_buf_done(&name);
    return st;
}

static bl_status make_columns(const fitting *f, bl_source *source, const bl_step *last,
                              bool indicator, bl_err *err)
{
    size_t cap = 0, width = source->is_text ? source->width : 1;
    bl_status st = BL_OK;
    if (width > f->limits->plan_columns)
        return bli_fail(err, BL_E_LIMIT, "%zu columns come of it; the limit is %llu",
                        width, (unsigned long long)f->limits->plan_columns);
    for (size_t part = 0; st == BL_OK && part < width; part++) {
        char *name = NULL;
        st = source->is_text ? name_part(f, source, last, part, &name, err)
                             : bli_strdup(source->name, &name, err);
        if (st == BL_OK)
            st = add_made(source, &cap, name, part, err);
        free(name);
        if (st == BL_OK)
            source->made[part].is_category =
                source->is_text && source->encode == BL_STEP_CATEGORY;
    }
    if (st == BL_OK && indicator) {
        char name[400];
        snprintf(name, sizeof name, "%.380s_missing", source->name);
        st = add_made(source, &cap, name, 0, err);
        if (st == BL_OK)
            source->made[source->n_made - 1].is_indicator = true;
    }
    return st;
}

/* --- One column --------------------------------------------------------------------------- */

/* Training rows of a made column before its number steps. */
static void fill(const fitting *f, const bl_source *source, const bl_frame_column *column,
                 size_t part, double *x, const bl_step *date)
{
    for (uint64_t i = 0; i < f->n; i++) {
        uint64_t r = f->row ? f->row[i] : i;
        if (!source->is_text) {
            x[i] = column->numbers[r];
            continue;
        }
        uint32_t raw = column->codes[r], missing = bli_levels_count(source->known);
        const char *text =
            raw == BL_NO_LEVEL ? NULL : bli_levels_text(column->levels, raw);
        if (source->encode == BL_STEP_DATE) {
            double seconds;
            x[i] = text && bli_date_read(text, date->text, &seconds)
                       ? bli_date_part_of(seconds, date->parts[part])
                       : (double)NAN;
            continue;
        }
        uint32_t code =
            text ? bli_levels_find(source->known, text, strlen(text)) : source->filled;
        if (text && code == BL_NO_LEVEL)
            code = source->other;
        if (code == BL_NO_LEVEL)
            code = missing;
        const double *table = source->table;
        if (source->fold)
            table = source->fold_tables +
                    (size_t)source->fold[i] * ((size_t)missing + 1) * source->width;
        x[i] = table[code * source->width + part];
    }
}

static bl_status fit_numbers(const fitting *f, bl_source *source,
                             const bl_frame_column *column, const bl_step *steps,
                             size_t n_steps, const bl_step *date, bl_err *err)
{
    void *scratch = NULL, *block;
    bl_status st = BL_OK;
    size_t n_number = 0;
    for (size_t i = 0; i < n_steps; i++)
        n_number += steps[i].kind != BL_STEP_INDICATOR;
    if (n_number == 0)
        return BL_OK;
    st = bli_alloc((size_t)f->n, sizeof(double), "a column", &scratch, err);
    for (size_t m = 0; st == BL_OK && m < source->n_made; m++) {
        bl_made *made = &source->made[m];
        if (made->is_indicator)
            continue;
        st = bli_alloc(n_number, sizeof(bl_number_step), "steps", &block, err);
        if (st != BL_OK)
            break;
        made->steps = block;
        fill(f, source, column, made->part, scratch, date);
        for (size_t i = 0; st == BL_OK && i < n_steps; i++) {
            if (steps[i].kind == BL_STEP_INDICATOR)
                continue;
            st = bli_number_fit(&steps[i], scratch, f->n, &made->steps[made->n_steps],
                                err);
            made->n_steps += st == BL_OK;
        }
    }
    free(scratch);
    return st;
}

static bl_status fit_source(const fitting *f, bl_source *source, bl_err *err)
{
    const bl_entry *entry = bli_source_entry(f->t, source);
    const bl_frame_column *column = f->by_place[source->place];
    const bl_step *steps = entry ? entry->steps : NULL;
    size_t n_steps = entry ? entry->n_steps : 0, n_text = 0;
    bool indicator = false;
    for (size_t i = 0; i < n_steps; i++)
        indicator |= steps[i].kind == BL_STEP_INDICATOR ||
                     (steps[i].kind == BL_STEP_IMPUTE && steps[i].indicator);
    bl_status st = BL_OK;
    source->is_text = column->kind == BL_FRAME_TEXT;
    if (source->is_text) {
        n_text = bli_text_steps(steps, n_steps);
        st = bli_fit_text(source, column, steps, n_text, f->row, f->n, f->targets,
                          f->limits->plan_levels, err);
    }
    const bl_step *last = n_text ? &steps[n_text - 1] : NULL;
    if (st == BL_OK)
        st = make_columns(f, source, last, indicator, err);
    if (st == BL_OK)
        st = fit_numbers(f, source, column, steps ? steps + n_text : NULL,
                         n_steps - n_text, last, err);
    if (st != BL_OK) {
        char name[80];
        if (entry)
            bli_err_prefix(
                err, "plan '%.60s', %.60s, column '%s'", f->t->plan->name, entry->path,
                bli_quote(source->name, strlen(source->name), name, sizeof name));
        else
            bli_err_prefix(
                err, "column '%s'",
                bli_quote(source->name, strlen(source->name), name, sizeof name));
    }
    return st;
}

/* --- All columns ---------------------------------------------------------------------------- */

bl_status bli_list_sources(bl_transform *t, bl_err *err)
{
    void *block;
    bl_status st =
        bli_alloc(t->n_of[BL_AS_FEATURE], sizeof(bl_source), "columns", &block, err);
    if (st != BL_OK)
        return st;
    t->sources = block;
    t->n_sources = t->n_of[BL_AS_FEATURE];
    for (size_t i = 0; st == BL_OK && i < t->n_file_columns; i++) {
        const bl_use_of *use = &t->uses[i];
        char plain[32];
        snprintf(plain, sizeof plain, "f%zu", i);
        if (use->part != BL_AS_FEATURE)
            continue;
        bl_source *source = &t->sources[use->order];
        const bl_entry *entry =
            use->entry == BL_NONE ? NULL : &t->plan->entries[use->entry];
        source->place = i;
        source->entry = use->entry;
        source->other = source->filled = BL_NO_LEVEL;
        source->unseen = entry && entry->has_unseen ? entry->unseen : t->plan->unseen;
        st = bli_strdup(t->file_columns[i] ? t->file_columns[i] : plain, &source->name,
                        err);
    }
    return st;
}

static bl_status fit_sources(const fitting *f, bl_err *err)
{
    bl_transform *t = f->t;
    void *statuses, *errors;
    bl_status st = bli_alloc(t->n_sources, sizeof(bl_status), "columns", &statuses, err);
    if (st != BL_OK)
        return st;
    bl_status *status = statuses;
    /* One message a column: only the first in order is told, whatever thread was first. */
    st = bli_alloc(1, sizeof(bl_err), "messages", &errors, err);
    if (st != BL_OK) {
        free(statuses);
        return st;
    }
    bl_err *first = errors;
    size_t first_s = t->n_sources;
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t s = 0; s < t->n_sources; s++) {
        bl_err own = {0};
        status[s] = fit_source(f, &t->sources[s], &own);
        if (status[s] != BL_OK) {
#pragma omp critical
            if (s < first_s) {
                first_s = s;
                *first = own;
            }
        }
    }
    if (first_s < t->n_sources) {
        st = status[first_s];
        if (err)
            *err = *first;
    }
    free(first);
    free(status);
    return st;
}

bl_status bli_count_made(bl_transform *t, const bl_limits *limits, bl_err *err)
{
    void *source_block, *dropped, *columns;
    for (size_t s = 0; s < t->n_sources; s++) {
        t->sources[s].first_made = t->n_made;
        t->n_made += t->sources[s].n_made;
    }
    if (t->n_made > limits->plan_columns)
        return bli_fail(
            err, BL_E_LIMIT,
            "the plan makes %zu columns; the limit is %llu: leave columns out, "
            "or encode those of many levels otherwise (target, category, rare)",
            t->n_made, (unsigned long long)limits->plan_columns);
    bl_status st = bli_alloc(t->n_made, sizeof(size_t), "columns", &source_block, err);
    if (st != BL_OK)
        return st;
    t->made_source = source_block;
    st = bli_alloc(t->n_made, sizeof(bool), "columns", &dropped, err);
    if (st != BL_OK)
        return st;
    t->is_dropped = dropped;
    st = bli_alloc(t->n_made, sizeof(bl_model_column), "columns", &columns, err);
    if (st != BL_OK)
        return st;
    t->columns = columns;
    for (size_t s = 0; s < t->n_sources; s++)
        for (size_t m = 0; m < t->sources[s].n_made; m++) {
            size_t made = t->sources[s].first_made + m;
            t->made_source[made] = s;
            t->columns[t->n_columns++] = (bl_model_column){made, BL_NONE, 0};
        }
    return BL_OK;
}

static bl_status check_names(const bl_transform *t, bl_err *err)
{
    bl_levels *seen = NULL;
    bl_status st = bli_levels_new(&seen, err);
    for (size_t s = 0; st == BL_OK && s < t->n_sources; s++)
        for (size_t m = 0; st == BL_OK && m < t->sources[s].n_made; m++) {
            uint32_t code, n = bli_levels_count(seen);
            const char *name = t->sources[s].made[m].name;
            st = bli_levels_add(seen, name, strlen(name), UINT32_MAX, &code, err);
            if (st == BL_OK && code < n)
                st = bli_fail(
                    err, BL_E_DATA,
                    "two columns that the plan makes are named '%.80s'; rename a "
                    "column of the file, or gather a level",
                    name);
        }
    bli_levels_free(seen);
    return st;
}

/* Classes as columns of 0 and 1 where there are more than two, else the label itself. */
static bl_status make_targets(const fitting *f, bl_targets *ret, bool *ret_has,
                              bl_err *err)
{
    const bl_transform *t = f->t;
    double *labels = NULL;
    *ret_has = false;
    if (t->n_of[BL_AS_LABEL] != 1)
        return BL_OK;
    bl_status st =
        bli_labels_of(t, f->frame, f->by_place, f->row, f->n, true, &labels, err);
    if (st != BL_OK || !labels)
        return st;
    size_t k = t->classes ? bli_levels_count(t->classes) : 0;
    if (k <= 2) {
        *ret = (bl_targets){.k = 1, .y = labels};
        *ret_has = true;
        return BL_OK;
    }
    double *y = calloc((size_t)f->n * k + 1, sizeof *y);
    if (!y) {
        free(labels);
        return bli_fail(err, BL_E_NOMEM, "no memory for targets of %zu classes", k);
    }
    for (uint64_t i = 0; i < f->n; i++)
        for (size_t c = 0; c < k; c++)
            y[i * k + c] = labels[i] == t->class_value[c];
    free(labels);
    *ret = (bl_targets){.k = k, .y = y};
    *ret_has = true;
    return BL_OK;
}

bl_status bli_transform_fit(bl_transform *t, const bl_frame *frame, const uint64_t *row,
                            uint64_t n, const bl_limits *limits, const bl_log *log,
                            bl_err *err)
{
    fitting f = {.t = t, .frame = frame, .row = row, .n = n, .limits = limits};
    bl_targets targets = {0};
    bl_bound bound = {0};
    bool has_targets = false;
    size_t label = bli_place_of(t, BL_AS_LABEL, 0);
    bl_status st = bli_frame_places(t, frame, &f.by_place, err);
    if (st == BL_OK && n == 0)
        st = bli_fail(err, BL_E_DATA, "no training row is left to fit the plan on");
    if (st == BL_OK && label != BL_NONE && t->n_of[BL_AS_LABEL] == 1)
        st = bli_fit_classes(t, f.by_place[label], row, n, err);
    if (st == BL_OK)
        st = make_targets(&f, &targets, &has_targets, err);
    f.targets = has_targets ? &targets : NULL;
    if (st == BL_OK)
        st = bli_list_sources(t, err);
    if (st == BL_OK)
        st = fit_sources(&f, err);
    if (st == BL_OK)
        st = bli_count_made(t, limits, err);
    if (st == BL_OK)
        st = check_names(t, err);
    if (st == BL_OK && (t->plan->n_pcas || t->plan->correlation > 0)) {
        st = bli_bind(t, frame, row, n, true, log, &bound, err);
        if (st == BL_OK)
            st = bli_fit_joint(t, &bound, limits, log, err);
        bli_bound_done(&bound);
    }
    free((void *)(uintptr_t)targets.y);
    free(f.by_place);
    t->is_fitted = st == BL_OK;
    return st;
}
