/* SPDX-License-Identifier: Apache-2.0 */
/* A plan met with data: its life, how files are read for it, its schema. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bli_source_done(bl_source *source)
{
    free(source->name);
    bli_levels_free(source->known);
    free(source->table);
    free(source->fold_tables);
    free(source->fold);
    for (size_t m = 0; source->made && m < source->n_made; m++) {
        bl_made *made = &source->made[m];
        for (size_t i = 0; made->steps && i < made->n_steps; i++)
            free(made->steps[i].v);
        free(made->steps);
        free(made->name);
    }
    free(source->made);
}

void bli_transform_free(bl_transform *t)
{
    if (!t)
        return;
    for (size_t i = 0; t->file_columns && i < t->n_file_columns; i++)
        free(t->file_columns[i]);
    free(t->file_columns);
    free(t->uses);
    bli_levels_free(t->classes);
    free(t->class_value);
    for (size_t s = 0; t->sources && s < t->n_sources; s++)
        bli_source_done(&t->sources[s]);
    free(t->sources);
    free(t->made_source);
    free(t->is_dropped);
    for (size_t p = 0; t->pcas && p < t->n_pcas; p++) {
        free(t->pcas[p].name);
        free(t->pcas[p].in);
        free(t->pcas[p].mean);
        free(t->pcas[p].axis);
        free(t->pcas[p].singular);
    }
    free(t->pcas);
    free(t->columns);
    free(t);
}

bl_status bli_transform_new(const bl_plan *plan, const bl_limits *limits,
                            bl_transform **ret_transform, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_transform), "a transform", &block, err);
    if (st != BL_OK)
        return st;
    bl_transform *t = block;
    t->plan = plan;
    if (plan->fitted)
        st = bli_transform_take_fitted(t, limits, err);
    if (st != BL_OK) {
        bli_transform_free(t);
        return st;
    }
    *ret_transform = t;
    return BL_OK;
}

void bli_transform_set_unseen(bl_transform *t, bl_unseen unseen)
{
    for (size_t s = 0; s < t->n_sources; s++)
        t->sources[s].unseen = unseen;
}

bool bli_transform_is_fitted(const bl_transform *t)
{
    return t->is_fitted;
}

size_t bli_transform_n_columns(const bl_transform *t)
{
    return t->n_sources;
}

const char *bli_transform_column(const bl_transform *t, size_t i)
{
    return t->has_header ? t->sources[i].name : NULL;
}

const bl_entry *bli_source_entry(const bl_transform *t, const bl_source *source)
{
    return source->entry == BL_NONE ? NULL : &t->plan->entries[source->entry];
}

/* --- Reading files ------------------------------------------------------------------- */

static bool is_optional(const bl_transform *t, bl_place_role part)
{
    return part == BL_AS_DATE || part == BL_AS_LEFT ||
           (t->label_optional && part != BL_AS_FEATURE && part != BL_AS_ID &&
            part != BL_AS_MARGIN);
}

static bl_status lacks(const char *file, const bl_transform *t, size_t place, bl_err *err)
{
    return bli_fail(err, BL_E_DATA, "'%s' lacks column '%.80s' (%s in training)", file,
                    t->file_columns[place],
                    t->uses[place].part == BL_AS_FEATURE ? "a feature" : "a role");
}

/* What a column of a later file is wanted as; kinds are those of training. */
static void want_again(const bl_transform *t, size_t place, bl_frame_want *want)
{
    bli_want_of(t, place, t->doubles, want);
    const bl_use_of *use = &t->uses[place];
    if (use->part == BL_AS_FEATURE && use->order < t->n_sources)
        want->kind = t->sources[use->order].is_text ? BL_FRAME_TEXT : BL_FRAME_NUMBER;
    if (t->uses[place].part == BL_AS_LABEL)
        want->kind = t->classes ? BL_FRAME_TEXT : BL_FRAME_NUMBER;
}

static bl_status choose_by_name(const bl_transform *t, const char *file, size_t n,
                                const char *const *names, bl_frame_want *wants,
                                bl_err *err)
{
    bl_levels *index = NULL;
    bl_status st = bli_levels_new(&index, err);
    size_t n_extra = 0, extra = 0;
    bool *known = calloc(n + 1, sizeof *known);
    if (st == BL_OK && !known)
        st = bli_fail(err, BL_E_NOMEM, "no memory for columns");
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        uint32_t code;
        wants[i].kind = BL_FRAME_SKIP;
        st = bli_levels_add(index, names[i], strlen(names[i]), UINT32_MAX, &code, err);
    }
    for (size_t p = 0; st == BL_OK && p < t->n_file_columns; p++) {
        uint32_t i =
            bli_levels_find(index, t->file_columns[p], strlen(t->file_columns[p]));
        if (i != BL_NO_LEVEL) {
            known[i] = true;
            want_again(t, p, &wants[i]);
        } else if (!is_optional(t, t->uses[p].part)) {
            st = lacks(file, t, p, err);
        }
    }
    for (size_t i = n; st == BL_OK && i-- > 0;)
        if (!known[i])
            n_extra++, extra = i;
    if (st == BL_OK && n_extra)
        bli_log(t->log, BL_WARNING, "ingest",
                "'%s': %zu column%s not in training, ignored (the first: '%.80s')", file,
                n_extra, n_extra == 1 ? "" : "s", names[extra]);
    bli_levels_free(index);
    free(known);
    return st;
}

static bl_status choose_by_place(const bl_transform *t, const char *file, size_t n,
                                 bl_frame_want *wants, bl_err *err)
{
    size_t n_features = t->n_of[BL_AS_FEATURE], k = 0;
    if (n != t->n_file_columns && (n != n_features || !t->label_optional))
        return bli_fail(err, BL_E_DATA,
                        "'%s': %zu columns and no header; expected are the %zu columns "
                        "of the training "
                        "file in their order%s, or a header",
                        file, n, t->n_file_columns,
                        t->label_optional ? ", or its features alone" : "");
    for (size_t p = 0; p < t->n_file_columns; p++) {
        if (n == t->n_file_columns)
            want_again(t, p, &wants[p]);
        else if (t->uses[p].part == BL_AS_FEATURE)
            want_again(t, p, &wants[k++]);
    }
    return BL_OK;
}

static bl_status choose(void *cookie, const char *file, size_t n,
                        const char *const *names, bl_frame_want *wants, bl_err *err)
{
    bl_transform *t = cookie;
    if (t->file_columns) {
        bool header = n > 0 && names[0];
        return header && t->has_header ? choose_by_name(t, file, n, names, wants, err)
                                       : choose_by_place(t, file, n, wants, err);
    }
    bl_status st = bli_resolve(t, file, n, names, err);
    size_t n_left = 0, left = 0;
    for (size_t i = n; st == BL_OK && i-- > 0;) {
        bli_want_of(t, i, t->doubles, &wants[i]);
        if (t->uses[i].part == BL_AS_LEFT && !t->uses[i].is_named)
            n_left++, left = i;
    }
    if (n_left)
        bli_log(
            t->log, BL_NOTE, "preprocess",
            "%zu column%s of '%s' named by no entry of the plan and left out (the first: "
            "'%.80s'); an entry {\"columns\": \"*\"} takes all that remain",
            n_left, n_left == 1 ? " is" : "s are", file,
            names[left] ? names[left] : "without name");
    return st;
}

bl_frame_ask bli_transform_ask(bl_transform *t, bool doubles, bool optional,
                               const bl_log *log)
{
    t->doubles = doubles;
    t->label_optional = optional;
    t->log = log;
    return (bl_frame_ask){.choose = choose, .cookie = t};
}

/* --- The schema ------------------------------------------------------------------------ */

/* Sources that a model column comes of, PCAs behind the columns of the file: at[source] is its
 * place, or BL_NONE. */
static size_t number_sources(const bl_transform *t, size_t *at)
{
    size_t n = 0, all = t->n_sources + t->n_pcas;
    for (size_t i = 0; i < all; i++)
        at[i] = BL_NONE;
    for (size_t c = 0; c < t->n_columns; c++) {
        const bl_model_column *column = &t->columns[c];
        at[column->made == BL_NONE ? t->n_sources + column->pca
                                   : t->made_source[column->made]] = 0;
    }
    for (size_t i = 0; i < all; i++)
        if (at[i] != BL_NONE)
            at[i] = n++;
    return n;
}

static bl_status set_feature(const bl_transform *t, const bl_model_column *column,
                             const size_t *at, bl_feature *feature, bl_err *err)
{
    char name[400];
    feature->type = "q";
    if (column->made == BL_NONE) {
        snprintf(name, sizeof name, "%.300s_%zu", t->pcas[column->pca].name,
                 column->component);
        feature->source = at[t->n_sources + column->pca];
        return bli_strdup(name, &feature->name, err);
    }
    size_t s = t->made_source[column->made];
    const bl_source *source = &t->sources[s];
    const bl_made *made = &source->made[column->made - source->first_made];
    feature->source = at[s];
    bl_status st = bli_strdup(made->name, &feature->name, err);
    if (st != BL_OK || !made->is_category)
        return st;
    feature->type = "c";
    return bli_levels_copy(source->known, &feature->levels, err);
}

static bl_status set_sources(const bl_transform *t, const size_t *at, size_t n,
                             bl_schema *schema, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(n, sizeof(char *), "a schema", &block, err);
    if (st != BL_OK)
        return st;
    schema->sources = block;
    schema->n_sources = n;
    for (size_t i = 0; st == BL_OK && i < t->n_sources + t->n_pcas; i++)
        if (at[i] != BL_NONE)
            st = bli_strdup(i < t->n_sources ? t->sources[i].name
                                             : t->pcas[i - t->n_sources].name,
                            &schema->sources[at[i]], err);
    return st;
}

bl_status bli_transform_schema(const bl_transform *t, bl_schema **ret_schema, bl_err *err)
{
    void *block, *features, *places;
    bl_status st = bli_alloc(1, sizeof(bl_schema), "a schema", &block, err);
    if (st != BL_OK)
        return st;
    bl_schema *schema = block;
    st = bli_alloc(t->n_sources + t->n_pcas, sizeof(size_t), "a schema", &places, err);
    if (st != BL_OK) {
        free(schema);
        return st;
    }
    size_t *at = places, n = number_sources(t, at);
    schema->has_header = schema->has_names = t->has_header;
    st = bli_alloc(t->n_columns, sizeof(bl_feature), "a schema", &features, err);
    if (st == BL_OK) {
        schema->features = features;
        schema->n_features = t->n_columns;
        st = set_sources(t, at, n, schema, err);
    }
    for (size_t c = 0; st == BL_OK && c < t->n_columns; c++) {
        st = set_feature(t, &t->columns[c], at, &schema->features[c], err);
        schema->has_types |= schema->features[c].levels != NULL;
    }
    free(at);
    if (st == BL_OK)
        *ret_schema = schema;
    else
        bli_schema_free(schema);
    return st;
}

bl_status bli_transform_digest(const bl_transform *t, char ret_sha256[BL_DIGEST_TEXT],
                               bl_err *err)
{
    bl_buf text = {0};
    bl_jw jw = {.buf = &text};
    bli_transform_write(t, &jw);
    bl_status st = bli_buf_check(&text, "a fitted plan", err);
    if (st == BL_OK)
        st = bli_digest_bytes(text.data, text.n, ret_sha256, err);
    bli_buf_done(&text);
    return st;
}
