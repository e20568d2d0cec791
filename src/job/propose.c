/* SPDX-License-Identifier: Apache-2.0 */
/* The plan verb: what a file's columns are, and what to do with them. */
#include "job/job_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "job/places_priv.h"
#include "job/propose_priv.h"
#include "report/profile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* --- Texts that mean missing ----------------------------------------------------------------- */

static bool is_usual(const char *text)
{
    return bli_text_equal_nocase(text, "NA") || bli_text_equal_nocase(text, "NaN") ||
           bli_text_equal_nocase(text, "null");
}

/* Signs that could be a level of their own mean missing only beside numbers. */
static bool means_missing(const char *text, bool beside_numbers)
{
    static const char *const always[] = {"?", "N/A", "#N/A", "<NA>"};
    static const char *const beside[] = {"-", "--", ".", "none", "missing", "#VALUE!"};
    bool found = is_usual(text);
    for (size_t i = 0; i < BL_LEN(always); i++)
        found = found || bli_text_equal_nocase(text, always[i]);
    for (size_t i = 0; beside_numbers && i < BL_LEN(beside); i++)
        found = found || bli_text_equal_nocase(text, beside[i]);
    return found;
}

static bl_status find_missing(const bl_profile *profile, const bl_frame *frame,
                              bl_levels *missing, bool *ret_usual_only, bl_err *err)
{
    bl_status st = BL_OK;
    uint32_t code;
    *ret_usual_only = true;
    for (size_t i = 0; st == BL_OK && i < frame->n_columns; i++) {
        const bl_levels *levels = frame->columns[i].levels;
        uint32_t n = bli_levels_count(levels);
        for (uint32_t k = 0; st == BL_OK && k < n; k++) {
            const char *text = bli_levels_text(levels, k);
            if (!means_missing(text, profile->columns[i].n_numbers > 0))
                continue;
            *ret_usual_only = *ret_usual_only && is_usual(text);
            st = bli_levels_add(missing, text, strlen(text), 1000, &code, err);
        }
    }
    return st;
}

/* --- What a column is --------------------------------------------------------------------------- */

static bool ends_nocase(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && bli_text_equal_nocase(name + n - m, end);
}

static bool is_named_as_id(const char *name)
{
    static const char *const ends[] = {"_id", "-id", " id",    "_nbr", "_no",
                                       "key", "_nr", "number", "uuid", "guid"};
    bool found = bli_text_equal_nocase(name, "id") || ends_nocase(name, "index") ||
                 strncmp(name, "Unnamed: ", 9) == 0;
    for (size_t i = 0; i < BL_LEN(ends); i++)
        found = found || ends_nocase(name, ends[i]);
    size_t n = strlen(name);
    return found || (n > 2 && strcmp(name + n - 2, "Id") == 0) ||
           (n > 2 && strcmp(name + n - 2, "ID") == 0);
}

enum { LEAST_ROWS = 20, RARE_ROWS = 1000, FEW_TEXTS = 3, MANY_NUMBERS = 20 };

static bool is_id(const bl_profile *p, const bl_profile_column *c)
{
    if (!(c->findings & BL_FOUND_UNIQUE) || p->n_rows < LEAST_ROWS)
        return false;
    if (c->type == BL_PROFILE_TEXT)
        return true;
    return c->type == BL_PROFILE_INTEGER &&
           (is_named_as_id(c->name) || c->max - c->min < 2 * (double)p->n_rows);
}

/* Almost every cell another one. */
static bool is_scattered(const bl_profile *p, const bl_profile_column *c)
{
    return p->n_rows >= LEAST_ROWS && c->n_distinct * 2 > p->n_rows - c->n_missing;
}

static bool is_near_id(const bl_profile *p, const bl_profile_column *c)
{
    return is_scattered(p, c) && is_named_as_id(c->name) &&
           (c->type == BL_PROFILE_INTEGER || c->type == BL_PROFILE_TEXT ||
            c->type == BL_PROFILE_MIXED);
}

static void decide_text(const bl_proposing *p, size_t i, bl_proposed *to)
{
    const bl_profile_column *c = &p->profile->columns[i];
    uint32_t n_texts = bli_levels_count(p->frame->columns[i].levels);
    if (c->type == BL_PROFILE_MIXED && n_texts <= FEW_TEXTS &&
        c->n_distinct > MANY_NUMBERS) {
        to->use = BL_PROPOSE_NUMBER;
        to->texts_missing = true;
        bli_buf_printf(&to->why,
                       "numbers, and %u text%s in %llu cells that %s taken as missing",
                       n_texts, n_texts == 1 ? "" : "s", (unsigned long long)c->n_texts,
                       n_texts == 1 ? "is" : "are");
        return;
    }
    if (is_scattered(p->profile, c) && c->n_distinct > 100) {
        to->use = BL_PROPOSE_DROP;
        bli_buf_printf(&to->why, "%llu different texts: free text, not a category",
                       (unsigned long long)c->n_distinct);
        return;
    }
    to->use = BL_PROPOSE_CATEGORY;
    to->rare = c->n_rare > 1 && p->profile->n_rows >= RARE_ROWS;
    if (c->type == BL_PROFILE_MIXED)
        bli_buf_text(&to->why, "numbers and texts: every cell is a level");
    else if (to->rare)
        bli_buf_printf(&to->why, "%llu of %llu texts are rarer than 20 rows",
                       (unsigned long long)c->n_rare, (unsigned long long)c->n_distinct);
}

static void decide(const bl_proposing *p, size_t i)
{
    static const bl_finding drops[] = {BL_FOUND_EMPTY, BL_FOUND_CONSTANT,
                                       BL_FOUND_IS_LABEL, BL_FOUND_TELLS_LABEL,
                                       BL_FOUND_REPEATS};
    const bl_profile_column *c = &p->profile->columns[i];
    bl_proposed *to = &p->columns[i];
    if (i == p->profile->label) {
        to->use = BL_PROPOSE_LABEL;
        return;
    }
    for (size_t k = 0; k < BL_LEN(drops); k++)
        if (c->findings & drops[k]) {
            to->use = BL_PROPOSE_DROP;
            bli_profile_sentence(&to->why, p->profile, c, drops[k]);
            return;
        }
    if (is_id(p->profile, c)) {
        to->use = BL_PROPOSE_ID;
        bli_buf_text(&to->why,
                     "another value in every row: an identifier, carried along");
    } else if (is_near_id(p->profile, c)) {
        to->use = BL_PROPOSE_DROP;
        bli_buf_printf(&to->why, "%llu different values: an identifier by its name",
                       (unsigned long long)c->n_distinct);
    } else if (c->type == BL_PROFILE_DATE) {
        to->use = BL_PROPOSE_DATE;
    } else if (c->type == BL_PROFILE_TEXT || c->type == BL_PROFILE_MIXED) {
        decide_text(p, i, to);
    } else {
        to->use = BL_PROPOSE_NUMBER;
        if (c->n_infinite) {
            to->use = BL_PROPOSE_DROP;
            bli_profile_sentence(&to->why, p->profile, c, BL_FOUND_INFINITE);
        }
    }
}

/* --- The verb ------------------------------------------------------------------------------------- */

static bl_status read_file(const bl_propose *propose, const bl_texts *missing,
                           const bl_limits *limits, bl_profile **ret_profile,
                           bl_frame **ret_frame, bl_err *err)
{
    bl_column_ref label = {0};
    bl_profile_read read = {.n_files = 1,
                            .files = &propose->file,
                            .missing = missing,
                            .guess_label = !propose->label,
                            .limits = limits,
                            .log = propose->log,
                            .stop = propose->stop};
    if (propose->label) {
        label = bli_typed_column(propose->label);
        read.label = &label;
    }
    return bli_profile_read_files(&read, ret_profile, ret_frame, err);
}

/* Once as the cells stand, and once more where some of them mean missing. */
static bl_status read_twice(const bl_propose *propose, const bl_limits *limits,
                            bl_levels *missing, bool *ret_usual, bl_profile **ret_profile,
                            bl_frame **ret_frame, bl_err *err)
{
    static const char *const usual[] = {"NA", "NaN", "null"};
    bl_texts none = {0}, given = {0};
    bl_profile *profile = NULL;
    bl_frame *frame = NULL;
    void *texts;
    bl_status st = read_file(propose, &none, limits, &profile, &frame, err);
    if (st == BL_OK)
        st = find_missing(profile, frame, missing, ret_usual, err);
    if (st != BL_OK || bli_levels_count(missing) == 0) {
        *ret_profile = profile;
        *ret_frame = frame;
        return st;
    }
    bli_profile_free(profile);
    bli_frame_free(frame);
    uint32_t code;
    for (size_t i = 0; st == BL_OK && !*ret_usual && i < BL_LEN(usual); i++)
        st = bli_levels_add(missing, usual[i], strlen(usual[i]), 1003, &code, err);
    size_t n = bli_levels_count(missing);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(char *), "texts", &texts, err);
    if (st != BL_OK)
        return st;
    given = (bl_texts){n, texts};
    for (size_t i = 0; i < n; i++) /* lent, not written to */
        given.text[i] = (char *)(uintptr_t)bli_levels_text(missing, (uint32_t)i);
    st = read_file(propose, *ret_usual ? NULL : &given, limits, ret_profile, ret_frame,
                   err);
    free(texts);
    return st;
}

static bl_status enter_sandbox(const bl_propose *propose, bl_err *err)
{
    bl_places places = {0};
    struct stat info;
    if (stat(propose->file, &info) == 0 && !S_ISREG(info.st_mode) &&
        !S_ISDIR(info.st_mode))
        return bli_fail(err, BL_E_DATA,
                        "'%s' is a pipe or a device; plan reads its file twice: give a "
                        "regular file",
                        propose->file);
    bl_status st = bli_places_add(&places, propose->file, false, err);
    if (st == BL_OK)
        st = bli_places_enter(&places, NULL, propose->log, err);
    bli_places_done(&places);
    return st;
}

/* What is written is a plan that the other verbs take. */
static bl_status check_plan(const bl_buf *text, const bl_limits *limits, bl_err *err)
{
    bl_plan *plan = NULL;
    bl_status st = bli_buf_check(text, "a plan", err);
    if (st == BL_OK)
        st = bli_plan_read("proposed", text->data, text->n, limits, &plan, err);
    bli_plan_free(plan);
    return st;
}

bl_status bli_propose(const bl_propose *propose, bl_buf *ret_text, bl_err *err)
{
    const bl_limits limits = bli_limits();
    bl_profile *profile = NULL;
    bl_frame *frame = NULL;
    bl_levels *missing = NULL;
    bl_proposing p = {.label_is_guessed = !propose->label};
    bool usual = true;
    void *columns;
    const char *slash = strrchr(propose->file, '/');
    bl_status st = enter_sandbox(propose, err);
    if (st == BL_OK)
        st = bli_levels_new(&missing, err);
    if (st == BL_OK)
        st = read_twice(propose, &limits, missing, &usual, &profile, &frame, err);
    if (st == BL_OK && profile->n_columns < 2)
        st = bli_fail(err, BL_E_DATA,
                      "'%s' has one column; a plan needs a label and something to "
                      "predict it from",
                      propose->file);
    if (st == BL_OK)
        st = bli_alloc(profile->n_columns, sizeof(bl_proposed), "columns", &columns, err);
    if (st != BL_OK)
        goto done;
    p.file = slash ? slash + 1 : propose->file;
    p.profile = profile;
    p.frame = frame;
    p.missing = usual ? NULL : missing;
    p.columns = columns;
    for (size_t i = 0; i < profile->n_columns; i++)
        decide(&p, i);
    if (p.label_is_guessed)
        bli_log(propose->log, BL_NOTE, "plan",
                "no --label: column %zu is taken; the plan says so, change it there or "
                "say --label",
                profile->label);
    bli_propose_write(&p, ret_text);
    st = check_plan(ret_text, &limits, err);
    for (size_t i = 0; i < profile->n_columns; i++)
        bli_buf_done(&p.columns[i].why);
done:
    free(p.columns);
    bli_profile_free(profile);
    bli_frame_free(frame);
    bli_levels_free(missing);
    return st;
}
