/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is written: XGBoost's own bytes where nothing changes, and a portable form that XGBoost
 * 3.4 predicts alike. Which older XGBoost reads it right is measured by tests/portable.sh.
 */
#include "trained.h"

#include "hand.h"

#include "base/mem.h"
#include "model/ubj_priv.h"

#include <stdlib.h>

#define FEW    "max_depth=3 "
#define SOFT   FEW "objective=multi:softprob num_class=3 "
#define VECTOR FEW "multi_strategy=multi_output_tree "

typedef struct claim {
    recipe recipe;
    const char *oldest;
    bool fully, folded;
    const char *native; /* oldest for XGBoost's own bytes */
} claim;

static const claim claims[] = {
    {{.name = "regression", .params = FEW, .rounds = 4}, "1.7", true, false, "3.1"},
    {{.name = "base_score 0.5", .params = FEW "base_score=0.5", .rounds = 4},
     "1.7",
     true,
     false,
     "1.7"},
    {{.name = "logistic",
      .params = FEW "objective=binary:logistic",
      .rounds = 4,
      .y = Y_BINARY},
     "1.7",
     true,
     false,
     "3.1"},
    {{.name = "softprob", .params = SOFT, .rounds = 4, .y = Y_CLASS, .n_targets = 3},
     "1.7",
     true,
     true,
     "3.1"},
    {{.name = "softprob, base_score given",
      .params = SOFT "base_score=1.25",
      .rounds = 4,
      .y = Y_CLASS,
      .n_targets = 3},
     "1.7",
     true,
     false,
     "3.1"},
    {{.name = "quantiles",
      .params = FEW "objective=reg:quantileerror quantile_alpha=[0.1,0.9]",
      .rounds = 4,
      .n_targets = 2},
     "2.0",
     true,
     true,
     "3.1"},
    {{.name = "expectiles",
      .params = FEW "objective=reg:expectileerror expectile_alpha=[0.1,0.9]",
      .rounds = 4,
      .n_targets = 2},
     "3.3",
     true,
     false,
     "3.3"},
    {{.name = "rank", .params = FEW "objective=rank:ndcg", .rounds = 4, .y = Y_RANK},
     "1.7",
     true,
     false,
     "3.1"},
    {{.name = "squared log error",
      .params = FEW "objective=reg:squaredlogerror base_score=0.5",
      .rounds = 4,
      .y = Y_COUNT},
     "1.7",
     true,
     false,
     "3.0"},
    {{.name = "multi target", .params = FEW, .rounds = 4, .y = Y_MULTI, .n_targets = 2},
     "1.7",
     true,
     true,
     "3.1"},
    {{.name = "vector leaves",
      .params = VECTOR,
      .rounds = 4,
      .y = Y_MULTI,
      .n_targets = 2},
     "2.0",
     true,
     true,
     "3.1"},
    {{.name = "vector leaves, base_score 0.5",
      .params = VECTOR "base_score=0.5",
      .rounds = 4,
      .y = Y_MULTI,
      .n_targets = 2},
     "2.0",
     true,
     false,
     "2.0"},
    {{.name = "vector leaves, dart",
      .params = VECTOR "rate_drop=0.5",
      .rounds = 6,
      .y = Y_MULTI,
      .n_targets = 2},
     "3.3",
     false,
     true,
     "3.4"},
    {{.name = "dart", .params = FEW "booster=dart rate_drop=0.5", .rounds = 8},
     "1.7",
     true,
     false,
     "3.4"},
    {{.name = "dart, softprob",
      .params = SOFT "booster=dart rate_drop=0.5",
      .rounds = 8,
      .y = Y_CLASS,
      .n_targets = 3},
     "1.7",
     true,
     true,
     "3.4"},
    {{.name = "gblinear, softprob",
      .params = "booster=gblinear objective=multi:softprob num_class=3",
      .rounds = 4,
      .y = Y_CLASS,
      .n_targets = 3},
     "1.7",
     true,
     false,
     "3.1"},
    {{.name = "categories", .params = FEW, .rounds = 4, .n_levels = 40},
     "1.7",
     true,
     false,
     "3.1"},
    {{.name = "no trees, logistic", .params = "objective=binary:logistic", .y = Y_BINARY},
     "3.1",
     false,
     false,
     "3.1"},
    {{.name = "no trees", .params = FEW}, "1.7", true, false, "1.7"},
};

static void test_what_xgboost_wrote_is_written_back_byte_for_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(claims); i++) {
        trained *t = train(&claims[i].recipe);
        bl_portable out = {0};
        bl_err err = {0};
        CHECK_OK(bli_native_write(t->ubj, t->n_ubj, NULL, &out, &err), err);
        CHECK(out.bytes.n == t->n_ubj && memcmp(out.bytes.data, t->ubj, t->n_ubj) == 0,
              "%s: %zu bytes of %zu", claims[i].recipe.name, out.bytes.n, t->n_ubj);
        CHECK(strcmp(out.oldest, claims[i].native) == 0, "%s: from %s, expected %s",
              claims[i].recipe.name, out.oldest, claims[i].native);
        assert_true(out.fully == (out.reason[0] == '\0') && !out.folded);
        bli_buf_done(&out.bytes);
        trained_free(t);
    }
}

static double largest(const float *values, size_t n)
{
    double max = 0;
    for (size_t i = 0; i < n; i++)
        max = fabs((double)values[i]) > max ? fabs((double)values[i]) : max;
    return max;
}

/* XGBoost 3.4 predicts the rewritten model as the trained one, and so do we. */
static void check_written(trained *t, const bl_portable *out, const char *name,
                          bool folded)
{
    size_t n, n2;
    float *want = trained_predict(t, true, 0, 0, NULL, 0, &n);
    BoosterHandle booster = load(out->bytes.data, out->bytes.n);
    CHECK(booster, "%s: %s", name, XGBGetLastError());
    float *theirs = predict_with(booster, t->data, true, 0, 0, &n2);
    bl_forest *f = read_forest(out->bytes.data, out->bytes.n);
    float *ours = calloc(n, sizeof *ours);
    assert_true(ours && n == n2);
    bli_forest_margins(f, 0, f->n_rounds, t->x, t->n_rows, NULL, ours);
    CHECK(differing(ours, theirs, n) == 0, "%s: %zu of %zu margins differ from XGBoost's",
          name, differing(ours, theirs, n), n);
    double moved = 0;
    for (size_t i = 0; i < n; i++)
        moved = fmax(moved, fabs((double)theirs[i] - (double)want[i]));
    CHECK(folded ? moved <= 3e-7 * largest(want, n) : moved == 0, "%s: moved by %g", name,
          moved);
    free(want);
    free(theirs);
    free(ours);
    bli_forest_free(f);
    XGBoosterFree(booster);
}

static void test_a_portable_model_predicts_as_the_trained_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(claims); i++) {
        const claim *c = &claims[i];
        trained *t = train(&c->recipe);
        bl_portable out = {0};
        bl_err err = {0};
        CHECK_OK(bli_portable_write(t->ubj, t->n_ubj, NULL, &out, &err), err);
        CHECK(strcmp(out.oldest, c->oldest) == 0 && out.fully == c->fully &&
                  out.folded == c->folded,
              "%s: from %s, %d, %d", c->recipe.name, out.oldest, out.fully, out.folded);
        assert_true(out.fully == (out.reason[0] == '\0'));
        check_written(t, &out, c->recipe.name, c->folded);
        /* Writing what was written changes no byte: XGBoost's own re-save may. */
        bl_portable again = {0};
        CHECK_OK(bli_portable_write(out.bytes.data, out.bytes.n, NULL, &again, &err),
                 err);
        CHECK(again.bytes.n == out.bytes.n &&
                  memcmp(again.bytes.data, out.bytes.data, out.bytes.n) == 0,
              "%s: not stable", c->recipe.name);
        bli_buf_done(&again.bytes);
        bli_buf_done(&out.bytes);
        trained_free(t);
    }
}

static char *score_of(const bl_buf *bytes)
{
    bl_ubj_doc *doc = NULL;
    bl_err err = {0};
    CHECK_OK(bli_ubj_read(bytes->data, bytes->n, 64, &doc, &err), err);
    const bl_ubj *param =
        bli_ubj_get(bli_ubj_get(bli_ubj_root(doc), "learner"), "learner_model_param");
    const bl_ubj *score = bli_ubj_get(param, "base_score");
    assert_non_null(score);
    char *text = strndup((const char *)score->u.bytes, score->n);
    bli_ubj_free(doc);
    return text;
}

static void test_base_score_is_one_number_without_brackets(void **state)
{
    (void)state;
    static const struct {
        const char *objective, *given, *written;
    } cases[] = {
        {"reg:squarederror", "[-3.7945863E-2]", "-3.7945863E-2"},
        {"reg:squarederror", "[3E3]", "3E3"},
        {"reg:squarederror", "[0E0]", "0E0"},
        {"reg:squarederror", "-0", "0E0"},
        /* Read wrong by XGBoost up to 3.0 with an exponent; plain it is right. */
        {"reg:squarederror", "[-1.0809323E4]", "-10809.323"},
        /* A whole part beyond 32 bits was read wrong. */
        {"reg:squarederror", "[1.0872876E10]", "10.872876E9"},
        /* Logistic: moved inside as XGBoost 3.4 does it itself; older ones refuse 0 and 1. */
        {"binary:logistic", "[0E0]", "1E-6"},
        {"binary:logistic", "[1E0]", "0.999999"},
        {"binary:logistic", "[-0E0]", "5E-1"},
    };
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char with[64];
        snprintf(with, sizeof with, "'%s'", cases[i].given);
        bl_buf ubj = ubjson(replaced(replaced(stump, "'[0E0]'", with), "reg:squarederror",
                                     cases[i].objective));
        bl_portable out = {0};
        bl_err err = {0};
        CHECK_OK(bli_portable_write(ubj.data, ubj.n, NULL, &out, &err), err);
        char *text = score_of(&out.bytes);
        CHECK(strncmp(text, cases[i].written, strlen(cases[i].written)) == 0 &&
                  out.fully && text[0] != '[',
              "%s became %s", cases[i].given, text);
        float value = strtof(text, NULL);
        bl_forest *f = read_forest(out.bytes.data, out.bytes.n);
        bl_forest *before = read_forest(ubj.data, ubj.n);
        CHECK(f->base_score[0] == value && f->base_margin[0] == before->base_margin[0],
              "%s: margin %g, was %g", text, (double)f->base_margin[0],
              (double)before->base_margin[0]);
        bli_forest_free(f);
        bli_forest_free(before);
        free(text);
        bli_buf_done(&out.bytes);
        bli_buf_done(&ubj);
    }
}

static void test_a_base_score_no_old_reader_gets_right_is_said(void **state)
{
    (void)state;
    bl_buf ubj = ubjson(replaced(stump, "'[0E0]'", "'[3E-39]'"));
    bl_portable out = {0};
    bl_err err = {0};
    CHECK_OK(bli_portable_write(ubj.data, ubj.n, NULL, &out, &err), err);
    assert_string_equal(out.oldest, "3.1");
    assert_true(!out.fully && strstr(out.reason, "base_score") != NULL);
    char *text = score_of(&out.bytes);
    assert_string_equal(text, "[3E-39]");
    free(text);
    bli_buf_done(&out.bytes);
    bli_buf_done(&ubj);
}

static void test_a_model_for_base_margins_is_not_folded(void **state)
{
    (void)state;
    static const recipe r = {
        .params = SOFT, .rounds = 4, .y = Y_CLASS, .n_targets = 3, .base_margin = true};
    trained *t = train(&r);
    bl_portable out = {0};
    bl_err err = {0};
    CHECK_OK(bli_portable_write_unfolded(t->ubj, t->n_ubj, NULL, &out, &err), err);
    assert_true(!out.folded && !out.fully);
    assert_string_equal(out.oldest, "3.1");
    assert_non_null(strstr(out.reason, "different intercepts"));
    BoosterHandle booster = load(out.bytes.data, out.bytes.n);
    CHECK(booster, "%s", XGBGetLastError());
    size_t n, n2;
    float *want = trained_predict(t, true, 0, 0, NULL, 0, &n);
    float *got = predict_with(booster, t->data, true, 0, 0, &n2);
    assert_true(n == n2 && differing(want, got, n) == 0);
    free(want);
    free(got);
    XGBoosterFree(booster);
    bli_buf_done(&out.bytes);
    trained_free(t);
}

static void test_a_folded_model_trains_on(void **state)
{
    (void)state;
    static const recipe r = {.params = SOFT, .rounds = 4, .y = Y_CLASS, .n_targets = 3};
    trained *t = train(&r);
    bl_portable out = {0};
    bl_err err = {0};
    CHECK_OK(bli_portable_write(t->ubj, t->n_ubj, NULL, &out, &err), err);
    BoosterHandle booster = load(out.bytes.data, out.bytes.n);
    CHECK(booster, "%s", XGBGetLastError());
    XGBoosterSetParam(booster, "max_depth", "3");
    for (int i = 4; i < 8; i++) {
        CHECK(XGBoosterUpdateOneIter(booster, i, t->data) == 0, "%s", XGBGetLastError());
        assert_int_equal(XGBoosterUpdateOneIter(t->booster, i, t->data), 0);
    }
    size_t n, n2;
    float *want = trained_predict(t, true, 0, 0, NULL, 0, &n);
    float *got = predict_with(booster, t->data, true, 0, 0, &n2);
    double moved = 0;
    for (size_t i = 0; i < n; i++)
        moved = fmax(moved, fabs((double)want[i] - (double)got[i]));
    CHECK(n == n2 && moved <= 1e-5 * largest(want, n), "moved by %g", moved);
    free(want);
    free(got);
    XGBoosterFree(booster);
    bli_buf_done(&out.bytes);
    trained_free(t);
}

static void test_a_broken_model_is_not_rewritten(void **state)
{
    (void)state;
    bl_buf ubj = ubjson(
        replaced(stump, "'split_conditions':[0.5,1.0", "'split_conditions':[0.5,'NaN'"));
    bl_portable out = {.folded = true};
    bl_err err = {0};
    bl_status st = bli_portable_write(ubj.data, ubj.n, NULL, &out, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, "tree 0, node 1: the leaf's value is nan");
    st = bli_native_write(ubj.data, ubj.n, NULL, &out, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, "tree 0, node 1: the leaf's value is nan");
    assert_true(out.folded && out.bytes.data == NULL);
    bli_buf_done(&ubj);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_xgboost_wrote_is_written_back_byte_for_byte),
        cmocka_unit_test(test_a_portable_model_predicts_as_the_trained_one),
        cmocka_unit_test(test_base_score_is_one_number_without_brackets),
        cmocka_unit_test(test_a_base_score_no_old_reader_gets_right_is_said),
        cmocka_unit_test(test_a_model_for_base_margins_is_not_folded),
        cmocka_unit_test(test_a_folded_model_trains_on),
        cmocka_unit_test(test_a_broken_model_is_not_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
