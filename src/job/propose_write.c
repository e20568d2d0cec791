/* SPDX-License-Identifier: Apache-2.0 */
/* A proposed plan as JSON that a person reads and edits. */
#include "job/job_priv.h"

#include "base/json.h"
#include "job/propose_priv.h"

#include <stdlib.h>
#include <string.h>

static bool is_utf8(const char *text)
{
    json_t *value = json_string(text);
    bool good = value != NULL;
    json_decref(value);
    return good;
}

/* By name where there is one that JSON can carry, else by index. */
static void column(bl_jw *jw, const bl_proposing *p, size_t i)
{
    const char *name = p->frame->columns[i].name;
    if (name && is_utf8(name))
        bli_jw_text(jw, name);
    else
        bli_jw_int(jw, (int64_t)p->frame->columns[i].place);
}

static void key(bl_jw *jw, const bl_proposing *p, size_t i)
{
    bli_jw_key(jw, p->profile->columns[i].name);
}

/* --- Comment ------------------------------------------------------------------------------------- */

static void objective(bl_jw *jw, const bl_profile *p)
{
    bli_jw_key(jw, "objective");
    bli_jw_text(jw, p->n_classes == 2  ? "binary:logistic"
                    : p->n_classes > 2 ? "multi:softprob"
                                       : "reg:squarederror");
    if (p->n_classes > 2) {
        bli_jw_key(jw, "num_class");
        bli_jw_int(jw, (int64_t)p->n_classes);
    }
}

static bool has_reason(const bl_proposing *p, bool dropped)
{
    for (size_t i = 0; i < p->profile->n_columns; i++)
        if (p->columns[i].why.n && (p->columns[i].use == BL_PROPOSE_DROP) == dropped)
            return true;
    return false;
}

/* A name of the header stands once; texts that JSON cannot carry could meet: the index then. */
static void reasons(bl_jw *jw, const bl_proposing *p, bool dropped)
{
    if (!has_reason(p, dropped))
        return;
    bli_jw_key(jw, dropped ? "dropped" : "columns");
    bli_jw_object(jw);
    for (size_t i = 0; i < p->profile->n_columns; i++) {
        char index[32];
        if (!p->columns[i].why.n || (p->columns[i].use == BL_PROPOSE_DROP) != dropped)
            continue;
        snprintf(index, sizeof index, "%zu", i);
        if (is_utf8(p->profile->columns[i].name))
            key(jw, p, i);
        else
            bli_jw_key(jw, index);
        bli_jw_text(jw, p->columns[i].why.data);
    }
    bli_jw_object_end(jw);
}

static void comment(bl_jw *jw, const bl_proposing *p)
{
    bl_buf about = {0};
    bli_buf_printf(&about, "proposed from %s, %llu rows; edit it as you see fit", p->file,
                   (unsigned long long)p->profile->n_rows);
    bli_jw_key(jw, "comment");
    bli_jw_object(jw);
    bli_jw_key(jw, "about");
    bli_jw_text(jw, about.data);
    if (p->label_is_guessed) {
        bli_jw_key(jw, "label");
        bli_jw_text(jw, "guessed: say which column it is");
    }
    objective(jw, p->profile);
    reasons(jw, p, true);
    reasons(jw, p, false);
    bli_jw_object_end(jw);
    jw->buf->failed |= about.failed;
    bli_buf_done(&about);
}

/* --- Roles ---------------------------------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int compare_numbers(const void *a, const void *b)
{
    double x = strtod(*(const char *const *)a, NULL),
           y = strtod(*(const char *const *)b, NULL);
    return (x > y) - (x < y);
}

/* Texts of the label in the order of their classes; 0: it needs no classes. */
static size_t classes(const bl_proposing *p, const char *text[BL_PROFILE_CLASSES])
{
    const bl_profile_column *c = &p->profile->columns[p->profile->label];
    const bl_levels *levels = p->frame->columns[p->profile->label].levels;
    uint32_t n = bli_levels_count(levels);
    if (c->n_texts && !c->n_numbers && n <= BL_PROFILE_CLASSES) {
        for (uint32_t k = 0; k < n; k++) {
            text[k] = bli_levels_text(levels, k);
            if (!is_utf8(text[k]))
                return 0;
        }
        qsort(text, n, sizeof *text, compare_texts);
        return n;
    }
    /* 0, 1 and unknown: each is a class, a person merges them */
    if (c->type == BL_PROFILE_MIXED && c->n_distinct <= BL_PROFILE_TOP) {
        for (size_t k = 0; k < c->n_top; k++) {
            text[k] = c->top[k].text;
            if (!is_utf8(text[k]))
                return 0;
        }
        qsort(text, c->n_top, sizeof *text, compare_texts);
        return c->n_top;
    }
    /* 1 and 2, -1 and 1 */
    if (c->type != BL_PROFILE_INTEGER || c->n_distinct != 2 ||
        (c->min == 0 && c->max == 1))
        return 0;
    for (size_t k = 0; k < c->n_top; k++)
        text[k] = c->top[k].text;
    qsort(text, c->n_top, sizeof *text, compare_numbers);
    return c->n_top;
}

static void label(bl_jw *jw, const bl_proposing *p)
{
    const char *text[BL_PROFILE_CLASSES];
    size_t i = p->profile->label, n = classes(p, text);
    bli_jw_key(jw, "label");
    if (!n) {
        column(jw, p, i);
        return;
    }
    bli_jw_object(jw);
    bli_jw_key(jw, "column");
    column(jw, p, i);
    bli_jw_key(jw, "classes");
    bli_jw_object(jw);
    for (size_t k = 0; k < n; k++) {
        bli_jw_key(jw, text[k]);
        bli_jw_int(jw, (int64_t)k);
    }
    bli_jw_object_end(jw);
    bli_jw_object_end(jw);
}

static void list_of(bl_jw *jw, const bl_proposing *p, const char *member, bl_proposal use)
{
    size_t n = 0;
    for (size_t i = 0; i < p->profile->n_columns; i++)
        n += p->columns[i].use == use;
    if (!n)
        return;
    bli_jw_key(jw, member);
    bli_jw_list(jw, true);
    for (size_t i = 0; i < p->profile->n_columns; i++)
        if (p->columns[i].use == use)
            column(jw, p, i);
    bli_jw_list_end(jw);
}

/* --- Entries --------------------------------------------------------------------------------------- */

static void missing(bl_jw *jw, const bl_proposing *p, const bl_levels *more)
{
    static const char *const usual[] = {"NA", "NaN", "null"};
    bli_jw_key(jw, "missing");
    bli_jw_list(jw, true);
    for (uint32_t k = 0; p->missing && k < bli_levels_count(p->missing); k++)
        bli_jw_text(jw, bli_levels_text(p->missing, k));
    for (size_t k = 0; !p->missing && k < sizeof usual / sizeof usual[0]; k++)
        bli_jw_text(jw, usual[k]);
    for (uint32_t k = 0; more && k < bli_levels_count(more); k++)
        bli_jw_text(jw, bli_levels_text(more, k));
    bli_jw_list_end(jw);
}

static bool is_like(const bl_proposing *p, size_t a, size_t b)
{
    const bl_proposed *x = &p->columns[a], *y = &p->columns[b];
    return x->use == y->use && x->rare == y->rare && !x->texts_missing &&
           !y->texts_missing && x->use != BL_PROPOSE_DATE;
}

static bool is_feature(const bl_proposing *p, size_t i)
{
    return p->columns[i].use <= BL_PROPOSE_DATE;
}

static void date_step(bl_jw *jw, const bl_profile_column *c)
{
    static const char *const parts[] = {"year", "month", "day", "weekday"};
    bli_jw_object(jw);
    bli_jw_key(jw, "date");
    bli_jw_object(jw);
    bli_jw_key(jw, "parts");
    bli_jw_list(jw, true);
    for (size_t k = 0; k < sizeof parts / sizeof parts[0]; k++)
        bli_jw_text(jw, parts[k]);
    if (c->has_time)
        bli_jw_text(jw, "hour");
    bli_jw_list_end(jw);
    if (*c->date) {
        bli_jw_key(jw, "format");
        bli_jw_text(jw, c->date);
    }
    bli_jw_object_end(jw);
    bli_jw_object_end(jw);
}

static void steps(bl_jw *jw, const bl_proposing *p, size_t i)
{
    bli_jw_key(jw, "type");
    bli_jw_text(jw, p->columns[i].use == BL_PROPOSE_DATE ? "date" : "category");
    bli_jw_key(jw, "steps");
    bli_jw_list(jw, false);
    if (p->columns[i].rare) {
        bli_jw_object(jw);
        bli_jw_key(jw, "rare");
        bli_jw_int(jw, 20);
        bli_jw_object_end(jw);
    }
    if (p->columns[i].use == BL_PROPOSE_DATE)
        date_step(jw, &p->profile->columns[i]);
    else
        bli_jw_text(jw, "ordinal");
    bli_jw_list_end(jw);
}

/* Columns first .. last - 1, of which features are treated alike. */
static void entry(bl_jw *jw, const bl_proposing *p, size_t first, size_t last)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "columns");
    bli_jw_list(jw, true);
    for (size_t i = first; i < last; i++)
        if (is_feature(p, i))
            column(jw, p, i);
    bli_jw_list_end(jw);
    if (p->columns[first].texts_missing)
        missing(jw, p, p->frame->columns[first].levels);
    if (p->columns[first].use != BL_PROPOSE_NUMBER)
        steps(jw, p, first);
    bli_jw_object_end(jw);
}

static void entries(bl_jw *jw, const bl_proposing *p)
{
    bli_jw_key(jw, "columns");
    bli_jw_list(jw, false);
    for (size_t first = 0, next; first < p->profile->n_columns; first = next) {
        next = first + 1;
        if (!is_feature(p, first))
            continue;
        while (next < p->profile->n_columns &&
               (!is_feature(p, next) || is_like(p, first, next)))
            next++;
        entry(jw, p, first, next);
    }
    bli_jw_list_end(jw);
}

/* --- The plan -------------------------------------------------------------------------------------- */

static void rows(bl_jw *jw, const bl_proposing *p)
{
    if (!p->profile->columns[p->profile->label].n_missing)
        return;
    bli_jw_key(jw, "rows");
    bli_jw_list(jw, false);
    bli_jw_object(jw);
    bli_jw_key(jw, "drop");
    bli_jw_object(jw);
    bli_jw_key(jw, "column");
    column(jw, p, p->profile->label);
    bli_jw_key(jw, "missing");
    bli_jw_bool(jw, true);
    bli_jw_object_end(jw);
    bli_jw_object_end(jw);
    bli_jw_list_end(jw);
}

static void split(bl_jw *jw, const bl_proposing *p)
{
    bli_jw_key(jw, "split");
    bli_jw_object(jw);
    bli_jw_key(jw, "by");
    bli_jw_text(jw, p->profile->n_classes >= 2 ? "stratified" : "random");
    bli_jw_key(jw, "test");
    bli_jw_double(jw, 0.2);
    bli_jw_key(jw, "seed");
    bli_jw_int(jw, 0);
    bli_jw_object_end(jw);
}

void bli_propose_write(const bl_proposing *p, bl_buf *out)
{
    bl_jw jw = {.buf = out};
    bli_jw_object(&jw);
    bli_jw_key(&jw, "format");
    bli_jw_int(&jw, 1);
    comment(&jw, p);
    label(&jw, p);
    if (p->missing)
        missing(&jw, p, NULL);
    bli_jw_key(&jw, "unseen");
    bli_jw_text(&jw, "missing");
    list_of(&jw, p, "id", BL_PROPOSE_ID);
    list_of(&jw, p, "drop", BL_PROPOSE_DROP);
    rows(&jw, p);
    entries(&jw, p);
    split(&jw, p);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
}
