/* SPDX-License-Identifier: Apache-2.0 */
/* Rows for a saved model: read as the model's own data were, unless the options say otherwise. */
#include "job/apply_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/text.h"
#include "preprocess/preprocess.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One item of a comma-separated list, blanks around it dropped. */
static const char *next_item(const char **at, size_t *ret_n)
{
    const char *from = *at + strspn(*at, " \t");
    size_t n = strcspn(from, ",");
    *at = from + n + (from[n] == ',');
    while (n > 0 && (from[n - 1] == ' ' || from[n - 1] == '\t'))
        n--;
    *ret_n = n;
    return from;
}

static size_t count_items(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static bl_status parse_texts(const char *list, bl_texts *ret, bl_err *err)
{
    void *block;
    size_t most = count_items(list);
    bl_status st = bli_alloc(most, sizeof(char *), "texts", &block, err);
    if (st != BL_OK)
        return st;
    bl_texts texts = {.text = block};
    for (size_t i = 0; i < most; i++) {
        size_t n;
        const char *item = next_item(&list, &n);
        if (n == 0)
            continue; /* an empty cell is missing anyway */
        texts.text[texts.n] = strndup(item, n);
        if (!texts.text[texts.n++])
            return bli_fail(err, BL_E_NOMEM, "no memory for texts");
    }
    *ret = texts;
    return BL_OK;
}

static void free_refs(bl_column_refs *refs)
{
    for (size_t i = 0; i < refs->n; i++)
        free(refs->ref[i].name);
    free(refs->ref);
    *refs = (bl_column_refs){0};
}

/* "none", or names and indices. */
static bl_status parse_columns(const char *list, bl_column_refs *refs, bl_err *err)
{
    free_refs(refs);
    if (strcmp(list, "none") == 0)
        return BL_OK;
    void *block;
    size_t most = count_items(list);
    bl_status st = bli_alloc(most, sizeof(bl_column_ref), "columns", &block, err);
    if (st != BL_OK)
        return st;
    refs->ref = block;
    for (size_t i = 0; i < most; i++) {
        size_t n;
        const char *item = next_item(&list, &n);
        bl_column_ref *ref = &refs->ref[refs->n++];
        if (n > 0 && bli_read_int(item, n, &ref->index) && ref->index >= 0)
            continue;
        ref->index = 0;
        ref->name = strndup(item, n);
        if (!ref->name)
            return bli_fail(err, BL_E_NOMEM, "no memory for columns");
    }
    return BL_OK;
}

static bl_status parse_word(const char *option, const char *word,
                            const char *const *words, size_t n_words, int *ret,
                            bl_err *err)
{
    for (size_t i = 0; i < n_words; i++)
        if (strcmp(word, words[i]) == 0) {
            *ret = (int)i;
            return BL_OK;
        }
    return bli_fail(err, BL_E_ARG, "%s '%s': %s, %s%s%s is expected", option, word,
                    words[0], n_words > 2 ? words[1] : "or ", n_words > 2 ? " or " : "",
                    words[n_words - 1]);
}

static bl_status apply_words(const bl_apply *apply, bl_read_settings *read, bl_err *err)
{
    static const char *const headers[] = {
        [BL_HEADER_AUTO] = "auto", [BL_HEADER_YES] = "yes", [BL_HEADER_NO] = "no"};
    static const char *const unseen[] = {
        [BL_UNSEEN_ERROR] = "error", [BL_UNSEEN_MISSING] = "missing"};
    bl_status st = BL_OK;
    int word = 0;
    if (apply->header) {
        st = parse_word("--header", apply->header, headers, 3, &word, err);
        if (st == BL_OK)
            read->header = (bl_header)word;
    }
    if (st == BL_OK && apply->unseen) {
        st = parse_word("--unseen", apply->unseen, unseen, 2, &word, err);
        if (st == BL_OK)
            read->unseen = (bl_unseen)word;
    }
    if (st != BL_OK || !apply->missing)
        return st;
    if (bli_text_equal_nocase(apply->missing, "nan"))
        read->missing = NAN;
    else if (bli_read_float(apply->missing, strlen(apply->missing), &read->missing) !=
             BL_NUMBER_OK)
        st = bli_fail(err, BL_E_ARG, "--missing '%s': a number or nan is expected",
                      apply->missing);
    return st;
}

/* The texts that mean missing where neither the model nor the options say. */
static const char default_missing[] = "NA,NaN,null";

bl_status bli_saved_options(const bl_apply *apply, bl_saved *saved, bl_err *err)
{
    bl_read_settings *read = &saved->read;
    if (!saved->has_card)
        read->missing = NAN;
    read->label_optional = true;
    read->enable_categorical = true; /* whether a column is one is the model's to say */
    const char *texts = apply->missing_text ? apply->missing_text
                        : !saved->has_card  ? default_missing
                                            : NULL;
    bl_status st = apply_words(apply, read, err);
    if (st == BL_OK && texts) {
        bl_texts parsed = {0};
        st = parse_texts(texts, &parsed, err);
        for (size_t i = 0; i < read->missing_texts.n; i++)
            free(read->missing_texts.text[i]);
        free(read->missing_texts.text);
        read->missing_texts = parsed;
        read->missing_texts_given = apply->missing_text != NULL;
    }
    if (st == BL_OK && apply->label)
        st = parse_columns(apply->label, &read->labels, err);
    if (st == BL_OK && apply->id)
        st = parse_columns(apply->id, &read->ids, err);
    return st;
}

static bool stop_asked(void *cookie)
{
    const bl_apply *apply = cookie;
    return apply->stop && *apply->stop;
}

static bl_status read_files(bl_ingest *ingest, const bl_apply *apply,
                            const bl_saved *saved, const char *const *paths,
                            size_t n_paths, bl_table **ret_table, bl_err *err)
{
    bl_table_like like = {0};
    bl_status st = bli_like_from_schema(saved->schema, &like, err);
    ingest->like = &like;
    ingest->log = apply->log;
    ingest->content_given = true;
    ingest->cancelled = stop_asked;
    ingest->cookie = (void *)(uintptr_t)apply;
    if (st == BL_OK)
        st = n_paths == 1 && bli_is_folder(paths[0])
                 ? bli_ingest_folder(ingest, paths[0], paths[0], ret_table, err)
                 : bli_ingest_files(ingest, paths, n_paths, ret_table, err);
    bli_like_done(&like);
    return st;
}

#define PART_BYTES (UINT64_C(32) << 20)

uint64_t bli_part_rows(size_t n_features, uint64_t multiple)
{
    uint64_t rows = PART_BYTES / (4 * ((uint64_t)n_features + 1)) / multiple * multiple;
    return rows ? rows : multiple;
}

bl_status bli_saved_parts(const bl_apply *apply, const bl_saved *saved,
                          const bl_limits *limits, uint64_t part_rows,
                          bl_status (*part)(void *cookie, const bl_part *part,
                                            bl_err *err),
                          void *cookie, bl_err *err)
{
    if (saved->transform)
        return bli_planned_parts(apply, saved, limits, part_rows, part, cookie, err);
    bl_table *table = NULL;
    bl_ingest ingest = {.settings = &saved->read,
                        .limits = limits,
                        .part = part,
                        .part_cookie = cookie,
                        .part_rows = part_rows};
    bl_status st =
        read_files(&ingest, apply, saved, apply->data, apply->n_data, &table, err);
    bli_table_free(table);
    return st;
}

bl_status bli_saved_background(const bl_apply *apply, const bl_saved *saved,
                               const bl_limits *limits, bl_matrix **ret_matrix,
                               bl_err *err)
{
    if (saved->transform)
        return bli_planned_background(apply, saved, limits, ret_matrix, err);
    bl_read_settings read = saved->read;
    bl_table *table = NULL;
    read.ids_optional = true;
    bl_ingest ingest = {.settings = &read, .limits = limits};
    bl_status st = read_files(&ingest, apply, saved, &apply->background, 1, &table, err);
    if (st == BL_OK)
        st = bli_apply(saved->schema, table, ret_matrix, err);
    bli_table_free(table);
    return st;
}
