/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: parts, samples beyond the cells that are kept, estimates that say so. */
#include "check.h"

#include "base/rng.h"
#include "evaluate/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 3 };

/* Column 0: a permutation of 0 .. n - 1; column 1: row % 5; column 2: texts "t0" .. "t2". */
typedef struct made {
    uint64_t n;
    double *number[2];
    uint32_t *code;
    bl_levels *levels;
} made;

static made make(uint64_t n, uint64_t seed)
{
    made m = {.n = n};
    bl_err err = {0};
    uint32_t code;
    uint64_t *order = malloc(n * sizeof *order);
    for (int k = 0; k < 2; k++)
        m.number[k] = malloc(n * sizeof(double));
    m.code = malloc(n * sizeof *m.code);
    for (uint64_t r = 0; r < n; r++)
        order[r] = r;
    bl_rng rng = bli_rng(seed);
    bli_rng_shuffle(&rng, order, n);
    for (uint64_t r = 0; r < n; r++) {
        m.number[0][r] = (double)order[r];
        m.number[1][r] = (double)(r % 5);
        m.code[r] = r % 7 == 0 ? BL_NO_LEVEL : (uint32_t)(r % 3);
    }
    assert_int_equal(bli_levels_new(&m.levels, &err), BL_OK);
    for (int k = 0; k < 3; k++) {
        char text[8];
        snprintf(text, sizeof text, "t%d", k);
        assert_int_equal(bli_levels_add(m.levels, text, 2, 100, &code, &err), BL_OK);
    }
    free(order);
    return m;
}

static void made_done(made *m)
{
    free(m->number[0]);
    free(m->number[1]);
    free(m->code);
    bli_levels_free(m->levels);
}

static bl_profile *profile_of(const made *m, uint64_t cells, uint64_t part, size_t label)
{
    static const char *const names[COLUMNS] = {"order", "five", "text"};
    const bl_profile_ask ask = {
        .has_header = true, .n = COLUMNS, .names = names, .label = label, .cells = cells};
    bl_profiler *profiler = NULL;
    bl_profile *profile = NULL;
    bl_profile_cells columns[COLUMNS] = {{.is_whole = true}, {.is_whole = true}, {0}};
    bl_err err = {0};
    assert_int_equal(bli_profiler_new(&ask, &profiler, &err), BL_OK);
    for (uint64_t first = 0; first < m->n; first += part) {
        uint64_t n = m->n - first < part ? m->n - first : part;
        columns[0].numbers = m->number[0] + first;
        columns[1].numbers = m->number[1] + first;
        columns[2].codes = m->code + first;
        columns[2].levels = m->levels;
        assert_int_equal(bli_profiler_add(profiler, columns, n, &err), BL_OK);
    }
    assert_int_equal(bli_profiler_finish(profiler, columns, &profile, &err), BL_OK);
    bli_profiler_free(profiler);
    return profile;
}

static void parts_of_any_size_give_one_profile(void **state)
{
    (void)state;
    made m = make(5000, 1);
    bl_profile *whole = profile_of(&m, 0, 5000, 1), *parts = profile_of(&m, 0, 37, 1);
    for (size_t i = 0; i < COLUMNS; i++) {
        const bl_profile_column *a = &whole->columns[i], *b = &parts->columns[i];
        assert_int_equal(a->n_missing, b->n_missing);
        assert_int_equal(a->n_distinct, b->n_distinct);
        assert_int_equal(a->findings, b->findings);
        assert_memory_equal(a->quantile, b->quantile, sizeof a->quantile * (i < 2));
        assert_memory_equal(a->bin, b->bin, sizeof a->bin);
        if (i < 2) {
            assert_true(fabs(a->mean - b->mean) <= 1e-12 * fabs(a->mean));
            assert_true(fabs(a->deviation - b->deviation) <= 1e-12 * a->deviation);
        }
    }
    assert_int_equal(whole->n_kept, 5000);
    assert_int_equal(whole->columns[0].n_distinct, 5000);
    assert_true(whole->columns[0].findings & BL_FOUND_UNIQUE);
    assert_int_equal(whole->columns[2].n_missing, (5000 + 6) / 7);
    bli_profile_free(whole);
    bli_profile_free(parts);
    made_done(&m);
}

static void a_sample_stands_for_the_rest_and_counts_stay_exact(void **state)
{
    (void)state;
    const uint64_t n = 60000, kept = 10000;
    made m = make(n, 2);
    bl_profile *p = profile_of(&m, kept * COLUMNS, 777, SIZE_MAX);
    assert_int_equal(p->n_rows, n);
    assert_int_equal(p->n_kept, kept);
    const bl_profile_column *order = &p->columns[0], *five = &p->columns[1];
    assert_int_equal(order->n_numbers, n);
    assert_true(order->min == 0 && order->max == (double)(n - 1));
    assert_true(fabs(order->mean - (double)(n - 1) / 2) < 1e-6);
    /* 3 % of the rank: 1e-7 is the chance that a sample of 10,000 is further off. */
    for (size_t q = 0; q < BL_PROFILE_QUANTILES; q++)
        assert_true(fabs(order->quantile[q] / (double)n - bli_profile_quantiles[q]) <
                    0.03);
    /* Few values stay exact, with their counts over all rows. */
    assert_int_equal(five->n_distinct, 5);
    assert_false(five->distinct_is_estimate);
    assert_int_equal(five->n_top, 5);
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(five->top[k].n, n / 5);
    assert_int_equal(p->columns[2].n_texts, n - (n + 6) / 7);
    assert_int_equal(p->n_repeated_rows, 0);
    bli_profile_free(p);
    made_done(&m);
}

/* 2^24 / 3 numbers fit the set, so this asks for the same of more columns. */
static void more_numbers_than_fit_are_estimated_and_marked(void **state)
{
    enum { WIDE = 4096, ROWS = 20000 };
    (void)state;
    const char **names = calloc(WIDE, sizeof *names);
    bl_profile_cells *columns = calloc(WIDE, sizeof *columns);
    double *x = malloc(ROWS * sizeof *x);
    bl_err err = {0};
    bl_profiler *profiler = NULL;
    bl_profile *p = NULL;
    for (size_t r = 0; r < ROWS; r++)
        x[r] = (double)r * 0.37;
    const bl_profile_ask ask = {.n = WIDE, .names = names, .label = SIZE_MAX, .cells = 1};
    assert_int_equal(bli_profiler_new(&ask, &profiler, &err), BL_OK);
    for (size_t first = 0; first < ROWS; first += 1000) {
        columns[5].numbers = x + first; /* the others are empty */
        assert_int_equal(bli_profiler_add(profiler, columns, 1000, &err), BL_OK);
    }
    assert_int_equal(bli_profiler_finish(profiler, columns, &p, &err), BL_OK);
    const bl_profile_column *c = &p->columns[5];
    assert_int_equal(p->n_kept, 1000);
    assert_true(c->distinct_is_estimate);
    /* 1.2 / sqrt(4096 / 2) is 2.7 %; five of these */
    assert_true(fabs((double)c->n_distinct / ROWS - 1) < 0.135);
    assert_int_equal(c->n_numbers, ROWS);
    assert_true(p->columns[0].findings & BL_FOUND_EMPTY);
    assert_false(c->findings & BL_FOUND_UNIQUE);
    bli_profile_free(p);
    bli_profiler_free(profiler);
    free(x);
    free(columns);
    free(names);
}

static void classes_by_text_or_number_tell_the_same(void **state)
{
    (void)state;
    made m = make(3000, 3);
    for (uint64_t r = 0; r < m.n; r++) { /* text and five agree one to one */
        m.code[r] = (uint32_t)(r % 3);
        m.number[1][r] = (double)(r % 3) * 10 - 3;
    }
    bl_profile *text = profile_of(&m, 0, 500, 2), *number = profile_of(&m, 0, 500, 1);
    assert_int_equal(text->n_classes, 3);
    assert_int_equal(number->n_classes, 3);
    assert_int_equal(text->measure, BL_ALONE_ERROR);
    assert_true(text->columns[1].findings & BL_FOUND_IS_LABEL);
    assert_true(number->columns[2].findings & BL_FOUND_IS_LABEL);
    assert_false(text->columns[0].findings & (BL_FOUND_IS_LABEL | BL_FOUND_TELLS_LABEL));
    assert_true(text->columns[0].alone < 0.2);
    bli_profile_free(text);
    bli_profile_free(number);
    made_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_any_size_give_one_profile),
        cmocka_unit_test(a_sample_stands_for_the_rest_and_counts_stay_exact),
        cmocka_unit_test(more_numbers_than_fit_are_estimated_and_marked),
        cmocka_unit_test(classes_by_text_or_number_tell_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
