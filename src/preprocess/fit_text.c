/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of text: dictionary, rare levels, and the table that turns codes into numbers. */
#include "preprocess/transform_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t bli_text_steps(const bl_step *steps, size_t n_steps)
{
    for (size_t i = 0; i < n_steps; i++)
        if (bli_step_class_of(steps[i].kind) == BL_CLASS_ENCODE)
            return i + 1;
    return n_steps; /* "category" is the last one where none is given */
}

/* Levels of the training rows while steps work on them. */
typedef struct dictionary {
    bl_levels *levels;
    uint64_t *count;  /* [levels] */
    uint32_t *of_row; /* [levels of the frame] code here; BL_NO_LEVEL: not in training */
    size_t n_frame;
    uint64_t n_missing, n_rows;
} dictionary;

static void dictionary_done(dictionary *d)
{
    bli_levels_free(d->levels);
    free(d->count);
    free(d->of_row);
}

/* Levels that occur in the rows, sorted by bytes. */
static bl_status make_dictionary(const bl_frame_column *column, const uint64_t *row,
                                 uint64_t n, dictionary *d, bl_err *err)
{
    size_t n_frame = bli_levels_count(column->levels);
    void *count_block, *code_block, *order_block;
    bl_status st = bli_alloc(n_frame, sizeof(uint64_t), "levels", &count_block, err);
    if (st != BL_OK)
        return st;
    uint64_t *count = count_block;
    *d = (dictionary){.count = count, .n_frame = n_frame, .n_rows = n};
    for (uint64_t i = 0; i < n; i++) {
        uint32_t code = column->codes[row ? row[i] : i];
        if (code == BL_NO_LEVEL)
            d->n_missing++;
        else
            count[code]++;
    }
    st = bli_alloc(n_frame, sizeof(uint32_t), "levels", &code_block, err);
    if (st == BL_OK) {
        d->of_row = code_block;
        st = bli_levels_new(&d->levels, err);
    }
    for (uint32_t c = 0; st == BL_OK && c < n_frame; c++) {
        const char *text = bli_levels_text(column->levels, c);
        d->of_row[c] = BL_NO_LEVEL;
        if (count[c])
            st = bli_levels_add(d->levels, text, strlen(text), UINT32_MAX - 1,
                                &d->of_row[c], err);
    }
    size_t n_levels = st == BL_OK ? bli_levels_count(d->levels) : 0;
    if (st == BL_OK)
        st = bli_alloc(n_levels, sizeof(uint32_t), "levels", &order_block, err);
    if (st != BL_OK)
        return st;
    uint32_t *new_code = order_block;
    st = bli_levels_sort(d->levels, new_code, err);
    uint64_t *sorted = st == BL_OK ? calloc(n_levels + 1, sizeof *sorted) : NULL;
    if (st == BL_OK && !sorted)
        st = bli_fail(err, BL_E_NOMEM, "no memory for %zu levels", n_levels);
    for (uint32_t c = 0; st == BL_OK && c < n_frame; c++)
        if (d->of_row[c] != BL_NO_LEVEL) {
            d->of_row[c] = new_code[d->of_row[c]];
            sorted[d->of_row[c]] = count[c];
        }
    free(new_code);
    if (st == BL_OK) {
        free(d->count);
        d->count = sorted;
    }
    return st;
}

/* Renumbers: new_code[old] in fresh levels with n_new of them. */
static bl_status renumber(dictionary *d, bl_levels *fresh, const uint32_t *new_code,
                          bl_err *err)
{
    size_t n_old = bli_levels_count(d->levels), n_new = bli_levels_count(fresh);
    uint64_t *count = calloc(n_new + 1, sizeof *count);
    if (!count)
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu levels", n_new);
    for (size_t c = 0; c < n_old; c++)
        if (new_code[c] != BL_NO_LEVEL)
            count[new_code[c]] += d->count[c];
    for (size_t c = 0; c < d->n_frame; c++)
        if (d->of_row[c] != BL_NO_LEVEL)
            d->of_row[c] = new_code[d->of_row[c]];
    free(d->count);
    d->count = count;
    bli_levels_free(d->levels);
    d->levels = fresh;
    return BL_OK;
}

/* Adds a level by its place in the order of bytes; *ret_code, and new codes of the others. */
static bl_status add_level(dictionary *d, bl_source *source, const char *text,
                           const bool *is_gone, uint32_t *ret_code, bl_err *err)
{
    size_t n = bli_levels_count(d->levels);
    bl_levels *fresh = NULL;
    uint32_t *code = calloc(n + 2, sizeof *code), *order = calloc(n + 2, sizeof *order);
    bl_status st = code && order ? bli_levels_new(&fresh, err)
                                 : bli_fail(err, BL_E_NOMEM, "no memory for levels");
    for (uint32_t c = 0; st == BL_OK && c < n; c++) {
        const char *level = bli_levels_text(d->levels, c);
        if (!is_gone || !is_gone[c])
            st = bli_levels_add(fresh, level, strlen(level), UINT32_MAX - 1, &code[c],
                                err);
    }
    uint32_t added = 0;
    if (st == BL_OK)
        st = bli_levels_add(fresh, text, strlen(text), UINT32_MAX - 1, &added, err);
    for (uint32_t c = 0; st == BL_OK && c < n; c++)
        if (is_gone && is_gone[c])
            code[c] = added;
    if (st == BL_OK)
        st = bli_levels_sort(fresh, order, err);
    for (uint32_t c = 0; st == BL_OK && c < n; c++)
        code[c] = order[code[c]];
    if (st == BL_OK) {
        uint32_t *kept[] = {&source->other, &source->filled};
        for (size_t i = 0; i < BL_LEN(kept); i++)
            if (*kept[i] != BL_NO_LEVEL)
                *kept[i] = code[*kept[i]];
        *ret_code = order[added];
        st = renumber(d, fresh, code, err);
    }
    if (st != BL_OK)
        bli_levels_free(fresh);
    free(code);
    free(order);
    return st;
}

static bl_status gather_rare(dictionary *d, bl_source *source, const bl_step *step,
                             bl_err *err)
{
    size_t n = bli_levels_count(d->levels);
    double least = step->a < 1 ? step->a * (double)d->n_rows : step->a;
    bool *is_rare = calloc(n + 1, sizeof *is_rare);
    if (!is_rare)
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu levels", n);
    for (size_t c = 0; c < n; c++)
        is_rare[c] = (double)d->count[c] < least;
    bl_status st = add_level(d, source, step->text, is_rare, &source->other, err);
    free(is_rare);
    return st;
}

static bl_status fill_missing(dictionary *d, bl_source *source, const bl_step *step,
                              bl_err *err)
{
    size_t n = bli_levels_count(d->levels);
    bl_status st = BL_OK;
    uint32_t code = 0;
    if (step->impute == BL_IMPUTE_CONSTANT) {
        st = add_level(d, source, step->text, NULL, &code, err);
    } else if (n == 0) {
        st =
            bli_fail(err, BL_E_DATA,
                     "impute: every cell of the training rows is missing, so there is no "
                     "level to take; impute a constant, or leave the column out");
    } else {
        for (uint32_t c = 1; c < n; c++)
            if (d->count[c] > d->count[code])
                code = c;
    }
    if (st != BL_OK)
        return st;
    source->filled = code;
    d->count[code] += d->n_missing;
    d->n_missing = 0;
    return BL_OK;
}

/* The order a person gave, which must hold every level of the training rows. */
static bl_status set_order(dictionary *d, bl_source *source, const bl_step *step,
                           bl_err *err)
{
    size_t n = bli_levels_count(d->levels);
    bl_levels *fresh = NULL;
    uint32_t *code = calloc(n + 1, sizeof *code);
    bl_status st = code ? bli_levels_copy(step->order, &fresh, err)
                        : bli_fail(err, BL_E_NOMEM, "no memory for levels");
    for (uint32_t c = 0; st == BL_OK && c < n; c++) {
        char quoted[80];
        const char *text = bli_levels_text(d->levels, c);
        code[c] = bli_levels_find(step->order, text, strlen(text));
        if (code[c] != BL_NO_LEVEL)
            continue;
        if (source->unseen == BL_UNSEEN_ERROR)
            st = bli_fail(
                err, BL_E_DATA,
                "level '%s' occurs in %llu rows, but not in \"order\"; add it, or "
                "say \"unseen\": \"missing\"",
                bli_quote(text, strlen(text), quoted, sizeof quoted),
                (unsigned long long)d->count[c]);
        else
            d->n_missing += d->count[c];
    }
    if (st == BL_OK && source->filled != BL_NO_LEVEL)
        source->filled = code[source->filled];
    if (st == BL_OK && source->other != BL_NO_LEVEL)
        source->other = code[source->other];
    if (st == BL_OK)
        st = renumber(d, fresh, code, err);
    if (st != BL_OK)
        bli_levels_free(fresh);
    free(code);
    return st;
}

/* --- Tables ---------------------------------------------------------------------------- */

static bl_status make_table(bl_source *source, bool missing_column, bl_err *err)
{
    size_t n = bli_levels_count(source->known), cells;
    void *block;
    source->width = source->encode == BL_STEP_ONEHOT ? n + missing_column : 1;
    if (!bli_mul(n + 1, source->width, &cells))
        cells = SIZE_MAX;
    if (source->encode == BL_STEP_ONEHOT)
        return BL_OK; /* not needed: a code is compared */
    bl_status st = bli_alloc(cells, sizeof(double), "a table of levels", &block, err);
    if (st != BL_OK)
        return st;
    source->table = block;
    for (size_t c = 0; c < n; c++)
        source->table[c] = (double)c;
    source->table[n] = (double)NAN;
    return BL_OK;
}

static bl_status check_level_texts(const bl_source *source, uint64_t limit, bl_err *err)
{
    uint32_t n = bli_levels_count(source->known);
    if (n > limit)
        return bli_fail(
            err, BL_E_LIMIT,
            "%u levels, the limit of a plan is %llu; leave the column out, or "
            "gather the rare ones before ({\"rare\": 10})",
            n, (unsigned long long)limit);
    for (uint32_t c = 0; c < n; c++) {
        const char *text = bli_levels_text(source->known, c);
        json_t *utf8 = json_string(text);
        bool is_utf8 = utf8 != NULL;
        char quoted[80];
        json_decref(utf8);
        if (!is_utf8)
            return bli_fail(err, BL_E_DATA,
                            "level '%s' is no UTF-8 text, so it could not be kept in the "
                            "fitted plan; convert the file (iconv -f LATIN1 -t UTF-8)",
                            bli_quote(text, strlen(text), quoted, sizeof quoted));
    }
    return BL_OK;
}

static bl_status codes_of_rows(const dictionary *d, const bl_source *source,
                               const bl_frame_column *column, const uint64_t *row,
                               uint64_t n, uint32_t **ret_code, bl_err *err)
{
    void *block;
    uint32_t missing =
        source->filled != BL_NO_LEVEL ? source->filled : bli_levels_count(source->known);
    bl_status st = bli_alloc((size_t)n, sizeof(uint32_t), "codes", &block, err);
    if (st != BL_OK)
        return st;
    uint32_t *code = block;
    for (uint64_t i = 0; i < n; i++) {
        uint32_t raw = column->codes[row ? row[i] : i];
        code[i] = raw == BL_NO_LEVEL || d->of_row[raw] == BL_NO_LEVEL ? missing
                                                                      : d->of_row[raw];
    }
    *ret_code = code;
    return BL_OK;
}

static bl_status encode(const dictionary *d, bl_source *source, const bl_step *step,
                        const bl_frame_column *column, const uint64_t *row, uint64_t n,
                        const bl_targets *targets, bl_err *err)
{
    uint32_t *code = NULL;
    if (source->encode != BL_STEP_TARGET)
        return make_table(source, d->n_missing > 0, err);
    if (!targets)
        return bli_fail(
            err, BL_E_CONFIG,
            "target encoding needs the label: name it in the plan (\"label\")");
    bl_status st = codes_of_rows(d, source, column, row, n, &code, err);
    if (st == BL_OK)
        st = bli_fit_target(source, step, code, n, targets, err);
    free(code);
    return st;
}

bl_status bli_fit_text(bl_source *source, const bl_frame_column *column,
                       const bl_step *steps, size_t n_steps, const uint64_t *row,
                       uint64_t n, const bl_targets *targets, uint64_t limit, bl_err *err)
{
    static const bl_step category = {.kind = BL_STEP_CATEGORY};
    dictionary d = {0};
    const bl_step *last = n_steps ? &steps[n_steps - 1] : NULL;
    bool given = last && bli_step_class_of(last->kind) == BL_CLASS_ENCODE;
    const bl_step *encoding = given ? last : &category;
    source->encode = encoding->kind;
    source->other = source->filled = BL_NO_LEVEL;
    if (source->encode == BL_STEP_DATE) {
        source->width = encoding->n_parts;
        return bli_levels_new(&source->known, err);
    }
    bl_status st = make_dictionary(column, row, n, &d, err);
    for (size_t i = 0; st == BL_OK && i < n_steps; i++) {
        if (steps[i].kind == BL_STEP_RARE)
            st = gather_rare(&d, source, &steps[i], err);
        else if (steps[i].kind == BL_STEP_IMPUTE)
            st = fill_missing(&d, source, &steps[i], err);
    }
    if (st == BL_OK && encoding->order)
        st = set_order(&d, source, encoding, err);
    if (st == BL_OK) {
        source->known = d.levels;
        d.levels = NULL;
        st = check_level_texts(source, limit, err);
    }
    if (st == BL_OK)
        st = encode(&d, source, encoding, column, row, n, targets, err);
    dictionary_done(&d);
    return st;
}
