/* SPDX-License-Identifier: Apache-2.0 */
/* Rows into tallies, and tallies into a profile. */
#include "evaluate/profile_priv.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t USUAL_CELLS = UINT64_C(1) << 26;
static const uint64_t ROW_KEYS = UINT64_C(1) << 23;
static const uint64_t NUMBER_KEYS = UINT64_C(1) << 24;
static const uint64_t LEAST_ROWS = 1000;

const double bli_profile_quantiles[BL_PROFILE_QUANTILES] = {0.01, 0.05, 0.25, 0.5,
                                                            0.75, 0.95, 0.99};

const char *bli_profile_type_name(bl_profile_type type)
{
    static const char *const names[] = {"empty", "integer", "number", "boolean",
                                        "text",  "date",    "mixed"};
    return names[type];
}

const char *bli_finding_name(size_t bit)
{
    static const char *const names[BL_N_FINDINGS] = {
        "empty",   "constant", "one_value",  "near_constant", "unique",      "mixed",
        "missing", "infinite", "many_texts", "is_label",      "tells_label", "repeats"};
    return names[bit];
}

const char *bli_alone_name(bl_alone measure)
{
    static const char *const names[] = {"none", "auc", "errors_saved", "r2"};
    return names[measure];
}

/* --- Life -------------------------------------------------------------------------------- */

void bli_profiler_free(bl_profiler *profiler)
{
    if (!profiler)
        return;
    for (size_t i = 0; i < profiler->ask.n; i++) {
        if (profiler->names)
            free(profiler->names[i]);
        if (!profiler->tallies)
            continue;
        bl_tally *tally = &profiler->tallies[i];
        free(tally->count);
        free(tally->numbers);
        free(tally->codes);
        bli_key_set_done(&tally->set);
    }
    free(profiler->names);
    free(profiler->tallies);
    bli_key_set_done(&profiler->rows);
    free(profiler);
}

void bli_profile_free(bl_profile *profile)
{
    if (!profile)
        return;
    for (size_t i = 0; profile->columns && i < profile->n_columns; i++) {
        free(profile->columns[i].name);
        for (size_t k = 0; k < profile->columns[i].n_top; k++)
            free(profile->columns[i].top[k].text);
    }
    free(profile->columns);
    free(profile->pair);
    free(profile->correlation);
    free(profile);
}

static bl_status copy_name(const bl_profile_ask *ask, size_t i, char **ret_name,
                           bl_err *err)
{
    char index[32];
    snprintf(index, sizeof index, "%zu", i);
    return bli_strdup(ask->names[i] ? ask->names[i] : index, ret_name, err);
}

bl_status bli_profiler_new(const bl_profile_ask *ask, bl_profiler **ret_profiler,
                           bl_err *err)
{
    void *block, *tallies, *names;
    bl_status st = bli_alloc(1, sizeof(bl_profiler), "a profile", &block, err);
    if (st != BL_OK)
        return st;
    bl_profiler *p = block;
    p->ask = *ask;
    p->ask.rare = ask->rare ? ask->rare : 20;
    uint64_t cells = ask->cells ? ask->cells : USUAL_CELLS, n = ask->n ? ask->n : 1;
    p->most_kept = cells / n > LEAST_ROWS ? cells / n : LEAST_ROWS;
    p->rows.cap = (size_t)ROW_KEYS;
    st = bli_alloc(ask->n, sizeof(bl_tally), "a profile", &tallies, err);
    if (st == BL_OK) {
        p->tallies = tallies;
        st = bli_alloc(ask->n, sizeof(char *), "a profile", &names, err);
    }
    if (st == BL_OK)
        p->names = names;
    for (size_t i = 0; st == BL_OK && i < ask->n; i++) {
        p->tallies[i].set.cap = NUMBER_KEYS / n > 256 ? (size_t)(NUMBER_KEYS / n) : 256;
        p->tallies[i].min = (double)INFINITY;
        p->tallies[i].max = -(double)INFINITY;
        st = copy_name(ask, i, &p->names[i], err);
    }
    if (st == BL_OK)
        *ret_profiler = p;
    else
        bli_profiler_free(p);
    return st;
}

/* --- Tallies -------------------------------------------------------------------------------- */

/* Chan, Golub, LeVeque 1979: moments of a part into those before it. */
static void add_moments(bl_tally *t, uint64_t n_before, uint64_t n, double mean,
                        double m2)
{
    double all = (double)(n_before + n), delta = mean - t->mean;
    t->mean += delta * ((double)n / all);
    t->m2 += m2 + delta * delta * ((double)n_before * ((double)n / all));
}

static void tally_numbers(bl_tally *t, const double *x, uint64_t n)
{
    uint64_t before = t->n_numbers - t->n_infinite, finite = 0;
    double sum = 0, lost = 0, m2 = 0;
    for (uint64_t r = 0; r < n; r++) {
        if (isnan(x[r]))
            continue;
        t->n_numbers++;
        if (isinf(x[r])) {
            t->n_infinite++;
            continue;
        }
        finite++;
        t->n_zero += x[r] == 0;
        t->n_negative += x[r] < 0;
        t->min = x[r] < t->min ? x[r] : t->min;
        t->max = x[r] > t->max ? x[r] : t->max;
        double y = x[r] - lost, next = sum + y;
        lost = next - sum - y;
        sum = next;
    }
    if (!finite)
        return;
    double mean = sum / (double)finite;
    for (uint64_t r = 0; r < n; r++)
        if (isfinite(x[r]))
            m2 += (x[r] - mean) * (x[r] - mean);
    add_moments(t, before, finite, mean, m2);
}

static bl_status tally_texts(bl_tally *t, const bl_profile_cells *cells, uint64_t n,
                             bl_err *err)
{
    size_t n_levels = bli_levels_count(cells->levels), before = t->cap_count;
    void *count = t->count;
    bl_status st = bli_grow(&count, &t->cap_count, n_levels, sizeof *t->count,
                            "counts of texts", err);
    if (st != BL_OK)
        return st;
    t->count = count;
    if (t->cap_count > before)
        memset(t->count + before, 0, (t->cap_count - before) * sizeof *t->count);
    for (uint64_t r = 0; r < n; r++)
        if (cells->codes[r] != BL_NO_LEVEL) {
            t->count[cells->codes[r]]++;
            t->n_texts++;
        }
    return BL_OK;
}

static bl_status set_numbers(bl_tally *t, const double *x, uint64_t n, bl_err *err)
{
    bl_status st = BL_OK;
    for (uint64_t r = 0; st == BL_OK && x && r < n; r++)
        if (!isnan(x[r]))
            st = bli_key_set_add(&t->set, bli_key_of(x[r]), err);
    return st;
}

/* --- Rows that are kept ------------------------------------------------------------------- */

static bool has_number(const double *x, uint64_t n)
{
    for (uint64_t r = 0; x && r < n; r++)
        if (!isnan(x[r]))
            return true;
    return false;
}

static bool has_text(const uint32_t *codes, uint64_t n)
{
    for (uint64_t r = 0; codes && r < n; r++)
        if (codes[r] != BL_NO_LEVEL)
            return true;
    return false;
}

static bl_status make_room(bl_profiler *p, uint64_t n, bl_err *err)
{
    uint64_t want = p->n_kept + n < p->most_kept ? p->n_kept + n : p->most_kept;
    if (want <= p->cap_kept)
        return BL_OK;
    uint64_t cap = p->cap_kept + p->cap_kept / 2;
    cap = cap < want ? want : cap > p->most_kept ? p->most_kept : cap;
    for (size_t i = 0; i < p->ask.n; i++) {
        bl_tally *t = &p->tallies[i];
        double *numbers = t->numbers ? realloc(t->numbers, cap * sizeof *numbers) : NULL;
        if (t->numbers && !numbers)
            return bli_fail(err, BL_E_NOMEM, "no memory for %llu rows of a profile",
                            (unsigned long long)cap);
        t->numbers = numbers;
        uint32_t *codes = t->codes ? realloc(t->codes, cap * sizeof *codes) : NULL;
        if (t->codes && !codes)
            return bli_fail(err, BL_E_NOMEM, "no memory for %llu rows of a profile",
                            (unsigned long long)cap);
        t->codes = codes;
    }
    p->cap_kept = cap;
    return BL_OK;
}

/* A column's first number or text: nothing in the rows before. */
static bl_status begin_kept(const bl_profiler *p, bl_tally *t,
                            const bl_profile_cells *cells, uint64_t n, bl_err *err)
{
    void *block;
    bl_status st = BL_OK;
    if (!t->numbers && has_number(cells->numbers, n)) {
        st = bli_alloc(p->cap_kept, sizeof *t->numbers, "rows of a profile", &block, err);
        if (st != BL_OK)
            return st;
        t->numbers = block;
        for (uint64_t r = 0; r < p->cap_kept; r++)
            t->numbers[r] = (double)NAN;
    }
    if (!t->codes && has_text(cells->codes, n)) {
        st = bli_alloc(p->cap_kept, sizeof *t->codes, "rows of a profile", &block, err);
        if (st != BL_OK)
            return st;
        t->codes = block;
        for (uint64_t r = 0; r < p->cap_kept; r++)
            t->codes[r] = BL_NO_LEVEL;
    }
    return st;
}

/* Where each row goes (Vitter's algorithm R); UINT64_MAX: nowhere. */
static void draw(bl_profiler *p, uint64_t *slot, uint64_t n)
{
    bl_rng rng = {p->state};
    for (uint64_t r = 0; r < n; r++) {
        if (p->n_kept < p->most_kept) {
            slot[r] = p->n_kept++;
            continue;
        }
        uint64_t at = bli_rng_below(&rng, p->n_rows + r + 1);
        slot[r] = at < p->most_kept ? at : UINT64_MAX;
    }
    p->state = rng.state;
}

static void keep(bl_tally *t, const bl_profile_cells *cells, const uint64_t *slot,
                 uint64_t n)
{
    for (uint64_t r = 0; t->numbers && r < n; r++)
        if (slot[r] != UINT64_MAX)
            t->numbers[slot[r]] = cells->numbers ? cells->numbers[r] : (double)NAN;
    for (uint64_t r = 0; t->codes && r < n; r++)
        if (slot[r] != UINT64_MAX)
            t->codes[slot[r]] = cells->codes ? cells->codes[r] : BL_NO_LEVEL;
}

static void hash_cells(const bl_profile_cells *cells, uint64_t *hash, uint64_t n)
{
    for (uint64_t r = 0; r < n; r++) {
        uint64_t key = 1; /* missing */
        if (cells->codes && cells->codes[r] != BL_NO_LEVEL)
            key = ((uint64_t)cells->codes[r] << 2) | 2;
        else if (cells->numbers && !isnan(cells->numbers[r]))
            key = bli_mix(bli_key_of(cells->numbers[r]));
        hash[r] = bli_mix(hash[r] ^ key) + key;
    }
}

/* Rows beyond those kept are coming: sets of numbers take over from here. */
static bl_status begin_sampling(bl_profiler *p, bl_err *err)
{
    bl_status st = BL_OK;
    p->is_sampled = true;
    for (size_t i = 0; st == BL_OK && i < p->ask.n; i++)
        st = set_numbers(&p->tallies[i], p->tallies[i].numbers, p->n_kept, err);
    return st;
}

bl_status bli_profiler_add(bl_profiler *p, const bl_profile_cells *columns, uint64_t n,
                           bl_err *err)
{
    void *slots = NULL, *hashes = NULL;
    bl_status st = bli_alloc(n, sizeof(uint64_t), "rows of a profile", &slots, err);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(uint64_t), "rows of a profile", &hashes, err);
    if (st == BL_OK)
        st = make_room(p, n, err);
    if (st == BL_OK && !p->is_sampled && p->n_rows + n > p->most_kept)
        st = begin_sampling(p, err);
    if (st != BL_OK)
        goto done;
    uint64_t *slot = slots, *hash = hashes;
    draw(p, slot, n);
    for (size_t i = 0; st == BL_OK && i < p->ask.n; i++) {
        bl_tally *t = &p->tallies[i];
        if (columns[i].numbers)
            tally_numbers(t, columns[i].numbers, n);
        if (columns[i].codes)
            st = tally_texts(t, &columns[i], n, err);
        if (st == BL_OK && p->is_sampled)
            st = set_numbers(t, columns[i].numbers, n, err);
        if (st == BL_OK)
            st = begin_kept(p, t, &columns[i], n, err);
        if (st == BL_OK)
            keep(t, &columns[i], slot, n);
        hash_cells(&columns[i], hash, n);
    }
    for (uint64_t r = 0; st == BL_OK && r < n; r++)
        st = bli_key_set_add(&p->rows, hash[r], err);
    p->n_rows += n;
done:
    free(slots);
    free(hashes);
    return st;
}

/* --- The end ----------------------------------------------------------------------------- */

static bl_profile_type type_of(const bl_profile_column *c, const bl_profile_cells *cells)
{
    if (c->n_numbers && c->n_texts)
        return BL_PROFILE_MIXED;
    if (c->n_texts)
        return c->date ? BL_PROFILE_DATE : BL_PROFILE_TEXT;
    if (!c->n_numbers)
        return BL_PROFILE_EMPTY;
    if (cells->n_true_false == c->n_numbers)
        return BL_PROFILE_BOOLEAN;
    return cells->is_whole && !c->n_infinite ? BL_PROFILE_INTEGER : BL_PROFILE_NUMBER;
}

static unsigned find(const bl_profile_column *c, uint64_t n_rows)
{
    unsigned found = 0;
    uint64_t n = n_rows - c->n_missing;
    if (!n)
        return BL_FOUND_EMPTY;
    if (c->n_distinct == 1)
        found |= c->n_missing ? BL_FOUND_ONE_VALUE : BL_FOUND_CONSTANT;
    else if (c->n_top && (double)c->top[0].n > 0.995 * (double)n_rows)
        found |= BL_FOUND_NEAR_CONSTANT;
    if (c->type != BL_PROFILE_NUMBER && c->n_distinct == n && n > 1 &&
        !c->distinct_is_estimate)
        found |= BL_FOUND_UNIQUE;
    if (c->type == BL_PROFILE_MIXED)
        found |= BL_FOUND_MIXED;
    if (c->n_missing * 2 > n_rows)
        found |= BL_FOUND_MISSING;
    if (c->n_infinite)
        found |= BL_FOUND_INFINITE;
    if ((c->type == BL_PROFILE_TEXT || c->type == BL_PROFILE_MIXED) &&
        c->n_distinct > 1000)
        found |= BL_FOUND_MANY_TEXTS;
    return found;
}

static bl_status end_column(const bl_ending *e, size_t i, const void *cookie, bl_err *err)
{
    const bl_tally *t = &e->profiler->tallies[i];
    bl_profile_column *c = &e->profile->columns[i];
    uint64_t finite = t->n_numbers - t->n_infinite;
    (void)cookie;
    *c = (bl_profile_column){.name = c->name,
                             .place = i,
                             .n_numbers = t->n_numbers,
                             .n_texts = t->n_texts,
                             .n_missing = e->profiler->n_rows - t->n_numbers - t->n_texts,
                             .n_infinite = t->n_infinite,
                             .n_zero = t->n_zero,
                             .n_negative = t->n_negative,
                             .min = finite ? t->min : (double)NAN,
                             .max = finite ? t->max : (double)NAN,
                             .mean = finite ? t->mean : (double)NAN,
                             .deviation = finite > 1 ? sqrt(t->m2 / (double)(finite - 1))
                                                     : (double)NAN,
                             .alone = (double)NAN};
    bl_status st = bli_profile_numbers(e, i, err);
    if (st == BL_OK)
        st = bli_profile_texts(e, i, err);
    c->type = type_of(c, &e->cells[i]);
    c->findings = find(c, e->profiler->n_rows);
    return st;
}

typedef struct bl_outcome {
    bl_status status;
    bl_err err;
} bl_outcome;

bl_status bli_each_column(const bl_ending *e, bl_column_work *work, const void *cookie,
                          bl_err *err)
{
    void *block;
    int64_t n = (int64_t)e->profile->n_columns;
    bl_status st = bli_alloc((size_t)n, sizeof(bl_outcome), "columns", &block, err);
    if (st != BL_OK)
        return st;
    bl_outcome *outcome = block;
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < n; i++)
        outcome[i].status = work(e, (size_t)i, cookie, &outcome[i].err);
    for (int64_t i = 0; st == BL_OK && i < n; i++) {
        st = outcome[i].status;
        if (st != BL_OK && err)
            *err = outcome[i].err;
    }
    free(block);
    return st;
}

bl_status bli_profiler_finish(bl_profiler *p, const bl_profile_cells *columns,
                              bl_profile **ret_profile, bl_err *err)
{
    void *block, *array;
    bl_status st = bli_alloc(1, sizeof(bl_profile), "a profile", &block, err);
    if (st != BL_OK)
        return st;
    bl_profile *profile = block;
    *profile = (bl_profile){.has_header = p->ask.has_header,
                            .n_rows = p->n_rows,
                            .n_kept = p->n_kept,
                            .n_columns = p->ask.n,
                            .label = p->ask.label,
                            .n_repeated_rows = p->n_rows - bli_key_set_count(&p->rows),
                            .repeated_is_estimate = p->rows.level > 0};
    if (bli_key_set_count(&p->rows) > p->n_rows)
        profile->n_repeated_rows = 0;
    bl_ending e = {p, columns, profile};
    st = bli_alloc(p->ask.n, sizeof(bl_profile_column), "a profile", &array, err);
    if (st == BL_OK)
        profile->columns = array;
    for (size_t i = 0; st == BL_OK && i < p->ask.n; i++) {
        profile->columns[i].name = p->names[i];
        p->names[i] = NULL;
    }
    if (st == BL_OK)
        st = bli_each_column(&e, end_column, NULL, err);
    if (st == BL_OK)
        st = bli_profile_repeats(&e, err);
    if (st == BL_OK)
        st = bli_profile_label(&e, err);
    if (st == BL_OK)
        st = bli_profile_pairs(&e, err);
    if (st == BL_OK)
        *ret_profile = profile;
    else
        bli_profile_free(profile);
    return st;
}
