/* SPDX-License-Identifier: Apache-2.0 */
/* Constraints against the data's features, and XGBoost's texts without their clutter. */
#include "help.h"

#include "train/train_priv.h"

#include <stdlib.h>

static bl_matrix *named_rows(void)
{
    bl_matrix *rows = matrix_new(1500, 3, 2, 0, 1);
    bl_schema *schema = (bl_schema *)(uintptr_t)rows->schema;
    static const char *const names[] = {"age", "fixed acidity", "x.y"};
    for (size_t i = 0; i < 3; i++) {
        free(schema->features[i].name);
        schema->features[i].name = strdup(names[i]);
    }
    schema->has_names = true;
    return rows;
}

static void test_constraints_are_resolved(void **state)
{
    (void)state;
    static const struct {
        const char *given, *want;
    } monotone[] = {{"(1,0,-1)", "(1,0,-1)"},
                    {"[1, 0, -1]", "(1,0,-1)"},
                    {"(1,)", "(1,)"},
                    {"{\"x.y\": -1, \"age\": 1}", "(1,0,-1)"}},
      interaction[] = {{"[[0,1],[2]]", "[[0,1],[2]]"},
                       {"[[\"x.y\", \"age\"], [1]]", "[[2,0],[1]]"},
                       {"[]", "[]"}};
    bl_matrix *rows = named_rows();
    bl_err err = {0};
    for (size_t i = 0; i < 4; i++) {
        char *text;
        CHECK_OK(bli_monotone_text(monotone[i].given, rows->schema, &text, &err), err);
        assert_string_equal(text, monotone[i].want);
        free(text);
    }
    for (size_t i = 0; i < 3; i++) {
        char *text;
        CHECK_OK(bli_interaction_text(interaction[i].given, rows->schema, &text, &err),
                 err);
        assert_string_equal(text, interaction[i].want);
        free(text);
    }
    matrix_free(rows);
}

static void test_constraints_on_nothing_are_refused(void **state)
{
    (void)state;
    static const struct {
        bool monotone;
        const char *given, *says;
    } cases[] = {
        {true, "(1,0,0,1)",
         "monotone_constraints has 4 entries, the data has 3 features"},
        {true, "{\"weight\": 1}",
         "monotone_constraints names 'weight', which is no feature"},
        {true, "{\"age\": 2}", "monotone_constraints: 'age' must be -1, 0 or 1"},
        {true, "{\"age\": ", "monotone_constraints: "},
        {false, "[[0, 3]]", "names feature 3, the data has features 0 to 2"},
        {false, "[[-1]]", "names feature -1"},
        {false, "[[\"weight\"]]", "names 'weight', which is no feature of the data"},
        {false, "[0, 1]", "interaction_constraints must be a list of lists"},
        {false, "{\"a\": 1}", "interaction_constraints must be a list of lists"},
        {false, "[[1.5]]", "interaction_constraints must be a list of lists"},
        {false, "[[0, 1]", "interaction_constraints: "},
    };
    bl_matrix *rows = named_rows();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static char mark;
        char *text = &mark;
        bl_err err = {0};
        bl_status st =
            cases[i].monotone
                ? bli_monotone_text(cases[i].given, rows->schema, &text, &err)
                : bli_interaction_text(cases[i].given, rows->schema, &text, &err);
        CHECK(st == BL_E_CONFIG && strstr(err.msg, cases[i].says), "%s: %d '%s'",
              cases[i].given, (int)st, err.msg);
        assert_ptr_equal(text, &mark);
    }
    matrix_free(rows);
}

/* Scores of 21 rows along column 0, the others at one half. */
static float *scores_along(const bl_training *t, bl_matrix **ret_rows)
{
    bl_matrix *rows = matrix_new(21, 3, 1, 0, 1);
    for (int i = 0; i < 21; i++)
        for (int j = 0; j < 3; j++)
            rows->blocks[0].x[i * 3 + j] = j ? 0.5F : (float)i / 20.0F;
    size_t width;
    *ret_rows = rows;
    return plain_predict(t->ubj, t->n_ubj, rows, 1, &width);
}

static void test_monotone_constraints_bind_by_name(void **state)
{
    (void)state;
    /* The label grows with age; held to fall, the score may not grow anywhere. */
    bl_job *job = job_new("binary:logistic", 10);
    bl_matrix *rows = named_rows(), *line;
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    float *s = scores_along(t, &line);
    CHECK(s[20] > s[0], "%g %g", (double)s[0], (double)s[20]);
    free(s);
    matrix_free(line);
    bli_training_free(t);
    job_param(job, "monotone_constraints", "{\"age\": -1}");
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    s = scores_along(t, &line);
    for (int i = 1; i < 21; i++)
        CHECK(s[i] <= s[i - 1], "%d: %g %g", i, (double)s[i - 1], (double)s[i]);
    free(s);
    matrix_free(line);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_interactions_with_feature_0_train(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 3);
    bl_matrix *rows = named_rows();
    bl_training *a, *b;
    bl_err err = {0};
    job_param(job, "interaction_constraints", "[[\"age\",\"x.y\"],[\"fixed acidity\"]]");
    CHECK_OK(train(job, rows, NULL, NULL, &a, &err), err);
    job_free(job);
    job = job_new("binary:logistic", 3);
    job_param(job, "interaction_constraints", "[[0,2],[1]]");
    CHECK_OK(train(job, rows, NULL, NULL, &b, &err), err);
    assert_int_equal(a->n_ubj, b->n_ubj);
    assert_memory_equal(a->ubj, b->ubj, a->n_ubj);
    bli_training_free(a);
    bli_training_free(b);
    matrix_free(rows);
    job_free(job);
}

static void test_texts_lose_places_times_and_traces(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *want;
    } cases[] = {
        {"[12:00:01] WARNING: /workspace/src/learner.cc:794: \nParameters: { \"x\" } are "
         "not "
         "used.\n",
         "Parameters: { \"x\" } are not used"},
        {"[12:00:01] /workspace/src/a/b.cu:116: Check failed: is_valid: must be in "
         "(0,1).\n"
         "Stack trace:\n  [bt] (0) lib.so(+0x1) [0x7f]\n",
         "must be in (0,1)"},
        {"[12:00:01] /w/s/data.cc:1: Check failed: a == b (2 vs. 3) : Sizes "
         "differ.\nStack "
         "trace:\n",
         "Sizes differ"},
        {"[1:00:01] /w/s/q.h:23: Check failed: !alpha.empty(): \nStack trace:",
         "Check failed: !alpha.empty()"},
        {"value 2 for Parameter eta exceed bound [0,1]\neta: Step size.",
         "value 2 for Parameter eta exceed bound [0,1] eta: Step size"},
        {"", ""},
        {"plain", "plain"},
        {"[a, b] stays", "[a, b] stays"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[200];
        bli_xgb_tidy(cases[i].raw, out, sizeof out);
        assert_string_equal(out, cases[i].want);
    }
    char small[6];
    bli_xgb_tidy("abcdefghij", small, sizeof small);
    assert_true(strlen(small) < sizeof small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constraints_are_resolved),
        cmocka_unit_test(test_constraints_on_nothing_are_refused),
        cmocka_unit_test(test_monotone_constraints_bind_by_name),
        cmocka_unit_test(test_interactions_with_feature_0_train),
        cmocka_unit_test(test_texts_lose_places_times_and_traces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
