/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What XGBoost would take on trust, or refuse with a stack trace: status and text of each.
 * One file, because most of it is one table: a case of eight fields each.
 */
#include "help.h"

#include <stdlib.h>

/* What one case changes on a job of binary:logistic with 3 features. */
typedef struct refusal {
    const char *claim;
    const char *objective;
    const char *params[4]; /* name, text, name, text */
    const char *rows;      /* label and 3 features a row */
    float weights[4];      /* first one negative zero: none given */
    uint64_t group;        /* rows a group; 0: none */
    bl_status status;
    const char *says;
} refusal;

#define ROWS "0 1 2 3\n1 2 3 4\n0 3 4 5\n1 4 5 6\n"
#define NO_WEIGHTS                                                                       \
    {                                                                                    \
        -0.0F                                                                            \
    }

static const refusal refusals[] = {
    {"logistic label 2",
     "binary:logistic",
     {0},
     "0 1 2 3\n2 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from 0 to 2 (row 1 is the first that does not fit), objective "
     "binary:logistic "
     "takes labels between 0 and 1: code the two classes 0 and 1"},
    {"logistic label -1",
     "binary:logistic",
     {0},
     "-1 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from -1 to 1 (row 0"},
    {"logitraw",
     "binary:logitraw",
     {0},
     "-1 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "objective binary:logitraw takes labels between 0 and 1"},
    {"logistic regression",
     "reg:logistic",
     {0},
     "0 1 2 3\n7 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "scale the label"},
    {"hinge fraction",
     "binary:hinge",
     {0},
     "0 1 2 3\n0.5 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "(row 1 is the first that does not fit), objective binary:hinge takes labels 0 or "
     "1"},
    {"hinge 2",
     "binary:hinge",
     {0},
     "0 1 2 3\n2 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "0 or 1"},
    {"poisson",
     "count:poisson",
     {0},
     "0 1 2 3\n-1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from -1 to 0 (row 1 is the first that does not fit), objective "
     "count:poisson "
     "takes labels 0 or larger"},
    {"gamma 0",
     "reg:gamma",
     {0},
     "0 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "takes labels larger than 0: use reg:tweedie where 0 occurs"},
    {"tweedie",
     "reg:tweedie",
     {0},
     "-2 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "takes labels 0 or larger"},
    {"tweedie of zeros",
     "reg:tweedie",
     {0},
     "0 1 2 3\n0 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "all labels are 0, objective reg:tweedie needs a label above 0"},
    {"squaredlogerror",
     "reg:squaredlogerror",
     {0},
     "-1 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "larger than -1"},
    {"cox",
     "survival:cox",
     {0},
     "-1 1 2 3\n-3 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from -3 to -1, objective survival:cox needs an event"},
    {"classes from 1",
     "multi:softmax",
     {"num_class", "7"},
     "1 1 2 3\n7 2 3 4\n3 3 3 3\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from 1 to 7, objective multi:softmax with num_class=7 takes the "
     "integers 0 to "
     "6: subtract 1 from every label (num_class=8 instead would train a class 0 that "
     "never "
     "occurs)"},
    {"too few classes",
     "multi:softprob",
     {"num_class", "3"},
     "0 1 2 3\n4 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "labels run from 0 to 4, objective multi:softprob with num_class=3 takes the "
     "integers 0 to 2: set num_class=5"},
    {"class of -1",
     "multi:softprob",
     {"num_class", "3"},
     "-1 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "number the classes from 0"},
    {"class of 1.5",
     "multi:softprob",
     {"num_class", "3"},
     "0 1 2 3\n1.5 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "row 1 holds 1.5, objective multi:softprob takes the integers 0 to 2"},
    {"missing label",
     "reg:squarederror",
     {0},
     "0 1 2 3\nnan 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "the label of row 1 is missing or infinite"},
    {"infinite label",
     "reg:squarederror",
     {0},
     "inf 1 2 3\n1 2 3 4\n",
     NO_WEIGHTS,
     0,
     BL_E_DATA,
     "the label of row 0 is missing or infinite"},
    {"relevance 32",
     "rank:ndcg",
     {0},
     "0 1 2 3\n32 2 3 4\n",
     NO_WEIGHTS,
     2,
     BL_E_DATA,
     "objective rank:ndcg takes the integers 0 to 31 as relevance: set "
     "ndcg_exp_gain=false"},
    {"relevance 0.5",
     "rank:pairwise",
     {0},
     "0 1 2 3\n0.5 2 3 4\n",
     NO_WEIGHTS,
     2,
     BL_E_DATA,
     "(row 1 is the first that does not fit), objective rank:pairwise takes the "
     "integers"},
    {"map of grades",
     "rank:map",
     {0},
     "0 1 2 3\n2 2 3 4\n",
     NO_WEIGHTS,
     2,
     BL_E_DATA,
     "takes labels 0 or 1 (relevant or not): use rank:ndcg"},
    {"ranking without groups",
     "rank:ndcg",
     {0},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "objective rank:ndcg ranks within groups and the data has none: name the group "
     "column with "
     "bl_group"},
    {"weights within a group",
     "rank:ndcg",
     {0},
     ROWS,
     {1, 1, 1, 2},
     2,
     BL_E_DATA,
     "the weight of row 3 differs from its group's first (2, 1): ranking weighs whole "
     "groups"},
    {"all weights 0",
     "binary:logistic",
     {0},
     ROWS,
     {0, 0, 0, 0},
     0,
     BL_E_DATA,
     "all 4 weights are 0: at least one row must count"},
    {"negative weight",
     "binary:logistic",
     {0},
     ROWS,
     {1, 1, -2, 1},
     0,
     BL_E_DATA,
     "the weight of row 2 is -2: weights are 0 or larger"},
    {"aft without bounds",
     "survival:aft",
     {0},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "bl_label_lower_bound and bl_label_upper_bound"},
    {"quantiles without alpha",
     "reg:quantileerror",
     {0},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "objective reg:quantileerror needs quantile_alpha: one number or a rising list"},
    {"exact by node",
     "binary:logistic",
     {"tree_method", "exact", "colsample_bynode", "0.5"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "tree_method=exact cannot sample columns by node"},
    {"exact gradient_based",
     "binary:logistic",
     {"tree_method", "exact", "sampling_method", "gradient_based"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "sampling_method=gradient_based needs hist"},
    {"exact depth 0",
     "binary:logistic",
     {"tree_method", "exact", "max_depth", "0"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "tree_method=exact needs a max_depth of 1 or more"},
    {"vector leaves by approx",
     "reg:squarederror",
     {"tree_method", "approx", "multi_strategy", "multi_output_tree"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "multi_strategy=multi_output_tree needs tree_method=hist, not approx"},
    {"update without a model",
     "binary:logistic",
     {"process_type", "update", "updater", "prune"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "process_type=update changes the trees of a model that is there: give it in a "
     "channel named "
     "model"},
    {"too many monotone constraints",
     "binary:logistic",
     {"monotone_constraints", "(1,0,0,-1)"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "monotone_constraints has 4 entries, the data has 3"},
    {"unknown interaction",
     "binary:logistic",
     {"interaction_constraints", "[[0,3]]"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "interaction_constraints names feature 3, the data has features 0 to 2"},
    {"base_score outside",
     "binary:logistic",
     {"base_score", "1.5"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "training: base_score must be in (0,1) for the logistic loss"},
    {"no number",
     "binary:logistic",
     {"eta", "fast"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "could not be parsed: 'ast'"},
    {"quantiles that fall",
     "reg:quantileerror",
     {"quantile_alpha", "[0.9,0.1]"},
     ROWS,
     NO_WEIGHTS,
     0,
     BL_E_CONFIG,
     "quantile alpha must be sorted in ascending order"},
};

static void check_refusal(const refusal *c)
{
    bl_job *job = job_new(c->objective, 2);
    bl_matrix *rows = matrix_text(c->rows, 3, 1);
    for (size_t i = 0; i < 4 && c->params[i]; i += 2)
        job_param(job, c->params[i], c->params[i + 1]);
    if (!signbit(c->weights[0])) {
        rows->roles.weights = malloc(sizeof c->weights);
        memcpy(rows->roles.weights, c->weights, sizeof c->weights);
    }
    if (c->group)
        matrix_groups(rows, c->group);
    static char mark;
    bl_training *t = (bl_training *)&mark;
    bl_err err = {0};
    bl_status st = train(job, rows, NULL, NULL, &t, &err);
    CHECK(st == c->status, "%s: status %d, '%s'", c->claim, (int)st, err.msg);
    CHECK(strstr(err.msg, c->says), "%s: '%s'", c->claim, err.msg);
    CHECK(!strstr(err.msg, "Stack trace") && !strchr(err.msg, '\n') &&
              !strstr(err.msg, ".cc:"),
          "%s: '%s'", c->claim, err.msg);
    CHECK(t == (bl_training *)&mark, "%s: output written", c->claim);
    matrix_free(rows);
    job_free(job);
}

static void test_each_refusal_says_what_was_found_and_what_is_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        check_refusal(&refusals[i]);
}

/* A training that ought to fail; frees all. */
static void fails(bl_job *job, bl_matrix *rows, bl_matrix *validation, bl_status status,
                  const char *says)
{
    bl_training *t = NULL;
    bl_err err = {0};
    bl_status st = train(job, rows, validation, NULL, &t, &err);
    CHECK_FAILS(st, status, err, says);
    assert_null(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_validation_is_checked_too(void **state)
{
    (void)state;
    fails(job_new("binary:logistic", 1), matrix_text(ROWS, 3, 1),
          matrix_text("0 1 1 1\n3 1 1 1\n", 3, 1), BL_E_DATA,
          "validation: labels run from 0 to 3 (row 1");
    fails(job_new("binary:logistic", 1), matrix_text(ROWS, 3, 1),
          matrix_text("0 1\n", 1, 1), BL_E_SHAPE,
          "the validation data has 1 features, the training data 3");
    fails(job_new("reg:squarederror", 1), matrix_text(ROWS, 3, 1),
          matrix_text(ROWS, 2, 2), BL_E_SHAPE, "the validation data has 2 features");
    fails(job_new("reg:squarederror", 1), matrix_text("1 1 1\n", 2, 1),
          matrix_text("1 1 1 1\n", 2, 2), BL_E_SHAPE,
          "the validation data has 2 labels a row, the training data 1");
}

static void test_rows_are_named_by_their_file(void **state)
{
    (void)state;
    bl_matrix *rows = matrix_text("0 1 1 1\n0 1 1 1\n5 1 1 1\n", 3, 1);
    rows->files.n = 2;
    rows->files.file = calloc(2, sizeof *rows->files.file);
    rows->files.file[0] = (bl_file){.path = strdup("a.csv"), .first_row = 0, .n_rows = 1};
    rows->files.file[1] =
        (bl_file){.path = strdup("b/c.csv"), .first_row = 1, .n_rows = 2};
    bl_job *job = job_new("binary:logistic", 1);
    bl_training *t = NULL;
    bl_err err = {0};
    bl_status st = train(job, rows, NULL, NULL, &t, &err);
    CHECK_FAILS(st, BL_E_DATA, err,
                "train: labels run from 0 to 5 (row 1 of b/c.csv is the");
    bli_files_done(&rows->files);
    matrix_free(rows);
    job_free(job);
}

static void test_bounds_are_checked(void **state)
{
    (void)state;
    static const struct {
        float lower, upper;
        const char *says;
    } cases[] = {
        {3, 2, "row 1 has the lower bound 3 above the upper 2"},
        {-1, 2, "row 1 has the bounds -1 and 2: the lower one is a time of 0 or larger"},
        {NAN, 2, "row 1 has the bounds nan and 2"},
        {1, NAN, "row 1 has the bounds 1 and nan"},
        {INFINITY, INFINITY, "row 1 has the bounds inf and inf"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bl_matrix *rows = matrix_text("0 1 1 1\n0 1 1 1\n", 3, 1);
        rows->roles.lower_bounds = calloc(2, sizeof(float));
        rows->roles.upper_bounds = calloc(2, sizeof(float));
        rows->roles.lower_bounds[1] = cases[i].lower;
        rows->roles.upper_bounds[1] = cases[i].upper;
        fails(job_new("survival:aft", 1), rows, NULL, BL_E_DATA, cases[i].says);
    }
}

static void test_base_margins_are_one_an_output(void **state)
{
    (void)state;
    bl_job *job = job_new("multi:softprob", 1);
    bl_matrix *rows = matrix_text(ROWS, 3, 1);
    job_param(job, "num_class", "2");
    rows->roles.n_base_margins = 1;
    rows->roles.base_margins = calloc(4, sizeof(float));
    fails(job, rows, NULL, BL_E_CONFIG,
          "bl_base_margin names 1 columns, the model has 2 outputs");
    rows = matrix_text(ROWS, 3, 1);
    rows->roles.n_base_margins = 1;
    rows->roles.base_margins = calloc(4, sizeof(float));
    rows->roles.base_margins[2] = NAN;
    fails(job_new("binary:logistic", 1), rows, NULL, BL_E_DATA,
          "the base margin of row 2 is missing or infinite");
}

static void test_several_labels_need_an_objective_for_them(void **state)
{
    (void)state;
    bl_job *job = job_new("multi:softprob", 1);
    job_param(job, "num_class", "9");
    fails(job, matrix_text(ROWS, 2, 2), NULL, BL_E_CONFIG,
          "bl_label names 2 columns, objective multi:softprob takes one label");
    fails(job_new("survival:cox", 1), matrix_text(ROWS, 2, 2), NULL, BL_E_CONFIG,
          "objective survival:cox takes one label");
}

static bl_matrix *category_rows(void)
{
    bl_matrix *rows = matrix_text(ROWS, 3, 1);
    bl_schema *schema = (bl_schema *)(uintptr_t)rows->schema;
    schema->has_types = true;
    schema->features[1].type = "c";
    return rows;
}

static void test_categories_are_checked(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 1);
    job_param(job, "tree_method", "exact");
    fails(job, category_rows(), NULL, BL_E_CONFIG,
          "feature 'f1' is a category, tree_method=exact takes numbers only");
    job = job_new("binary:logistic", 1);
    job_param(job, "booster", "gblinear");
    fails(job, category_rows(), NULL, BL_E_CONFIG,
          "feature 'f1' is a category, booster=gblinear takes numbers only");
    static const float bad[] = {-1, 2.5F, 16777216, INFINITY};
    for (size_t i = 0; i < 4; i++) {
        bl_matrix *rows = category_rows();
        rows->blocks[0].x[2 * 3 + 1] = bad[i];
        fails(job_new("binary:logistic", 1), rows, NULL, BL_E_DATA,
              "feature 'f1' is a category and row 2 holds the code");
    }
}

static void test_infinite_cells_are_refused(void **state)
{
    (void)state;
    static const char *const methods[] = {"hist", "exact"};
    for (size_t i = 0; i < 2; i++) {
        bl_job *job = job_new("binary:logistic", 1);
        job_param(job, "tree_method", methods[i]);
        fails(job, matrix_text("0 1 inf 3\n1 2 3 4\n", 3, 1), NULL, BL_E_DATA, "`inf`");
    }
}

static void test_metrics_of_other_tasks_are_refused(void **state)
{
    (void)state;
    bl_job *job = job_new("binary:logistic", 1);
    job_metric(job, "merror");
    fails(job, matrix_text(ROWS, 3, 1), NULL, BL_E_CONFIG,
          "merror and mlogloss need a multi:* objective");
    job = job_new("multi:softprob", 1);
    job_param(job, "num_class", "2");
    job_metric(job, "error");
    fails(job, matrix_text(ROWS, 3, 1), NULL, BL_E_CONFIG,
          "hint: use merror or mlogloss");
}

static void test_no_rows_and_wrong_calls_are_refused(void **state)
{
    (void)state;
    bl_matrix *rows = matrix_text(ROWS, 3, 1);
    rows->n_rows = 0;
    fails(job_new("binary:logistic", 1), rows, NULL, BL_E_DATA,
          "train: the data has 0 rows and 3 features");
    fails(job_new("binary:logistic", 0), matrix_text(ROWS, 3, 1), NULL, BL_E_ARG,
          "at least one round");
    fails(job_new("binary:logistic", (int64_t)INT32_MAX + 1), matrix_text(ROWS, 3, 1),
          NULL, BL_E_LIMIT,
          "num_round is 2147483648: XGBoost counts rounds up to 2147483647");
    rows = matrix_text(ROWS, 3, 1);
    free(rows->roles.labels);
    rows->roles.labels = NULL;
    fails(job_new("binary:logistic", 1), rows, NULL, BL_E_CONFIG,
          "objective binary:logistic needs a label: name its column with bl_label");
}

/* --- Trained, with a warning -------------------------------------------------------- */

static void warns(bl_job *job, bl_matrix *rows, bl_matrix *validation, const char *says)
{
    heard h = {.cancel_after = -1};
    bl_training *t;
    bl_err err = {0};
    CHECK_OK(train(job, rows, validation, &h, &t, &err), err);
    CHECK(h.log.data && strstr(h.log.data, says), "'%s'", h.log.data ? h.log.data : "");
    heard_done(&h);
    bli_training_free(t);
    matrix_free(rows);
    matrix_free(validation);
    job_free(job);
}

static void test_doubtful_data_trains_with_a_warning(void **state)
{
    (void)state;
    bl_job *job = job_new("multi:softprob", 1);
    job_param(job, "num_class", "8");
    warns(job, matrix_text("1 1 1 1\n7 2 2 2\n3 3 3 3\n", 3, 1), NULL,
          "warning train: 5 of 8 classes never occur in the training labels (0, 2, 4, 5, "
          "6)");
    warns(
        job_new("binary:logistic", 1), matrix_text("1 1 1 1\n1 2 2 2\n", 3, 1), NULL,
        "warning train: all training labels are 1: there is nothing to learn from them");
    bl_matrix *validation = matrix_text(ROWS, 3, 1);
    validation->roles.weights = calloc(4, sizeof(float));
    warns(job_new("binary:logistic", 1), matrix_text(ROWS, 3, 1), validation,
          "warning train: all validation weights are 0");
    job = job_new("binary:logistic", 1);
    job_param(job, "booster", "gblinear");
    job_param(job, "max_depth", "3");
    warns(job, matrix_text(ROWS, 3, 1), NULL,
          "warning train: XGBoost: Parameters: { \"max_depth\" } are not used");
}

static void test_verbosity_decides_what_is_heard(void **state)
{
    (void)state;
    for (int verbosity = 0; verbosity < 4; verbosity++) {
        bl_job *job = job_new("binary:logistic", 1);
        char text[2] = {(char)('0' + verbosity), 0};
        bl_matrix *rows = matrix_new(200, 3, 1, 0, 1);
        heard h = {.cancel_after = -1};
        bl_training *t;
        bl_err err = {0};
        job_param(job, "booster", "gblinear");
        job_param(job, "verbosity", text);
        CHECK_OK(train(job, rows, NULL, &h, &t, &err), err);
        const char *log = h.log.data ? h.log.data : "";
        CHECK((strstr(log, "is deprecated") != NULL) == (verbosity > 0), "%d: %s",
              verbosity, log);
        CHECK((strstr(log, "debug train: XGBoost") != NULL) == (verbosity > 2), "%d: %s",
              verbosity, log);
        CHECK(!strstr(log, ".cc:") && !strstr(log, "WARNING"), "%s", log);
        heard_done(&h);
        bli_training_free(t);
        matrix_free(rows);
        job_free(job);
    }
}

static void test_map_and_large_relevance_train_where_allowed(void **state)
{
    (void)state;
    bl_job *job = job_new("rank:ndcg", 1);
    bl_matrix *rows = matrix_text("0 1 2 3\n40 2 3 4\n1.5 3 3 3\n", 3, 1);
    bl_training *t;
    bl_err err = {0};
    job_param(job, "ndcg_exp_gain", "false");
    matrix_groups(rows, 3);
    CHECK_OK(train(job, rows, NULL, NULL, &t, &err), err);
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
}

static void test_version_is_checked(void **state)
{
    (void)state;
    int v[3] = {0, 0, 0};
    bl_err err = {0};
    CHECK_OK(bli_xgboost_check(v, &err), err);
    CHECK(v[0] > 3 || (v[0] == 3 && v[1] >= 3), "%d.%d.%d", v[0], v[1], v[2]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_says_what_was_found_and_what_is_accepted),
        cmocka_unit_test(test_validation_is_checked_too),
        cmocka_unit_test(test_rows_are_named_by_their_file),
        cmocka_unit_test(test_bounds_are_checked),
        cmocka_unit_test(test_base_margins_are_one_an_output),
        cmocka_unit_test(test_several_labels_need_an_objective_for_them),
        cmocka_unit_test(test_categories_are_checked),
        cmocka_unit_test(test_infinite_cells_are_refused),
        cmocka_unit_test(test_metrics_of_other_tasks_are_refused),
        cmocka_unit_test(test_no_rows_and_wrong_calls_are_refused),
        cmocka_unit_test(test_doubtful_data_trains_with_a_warning),
        cmocka_unit_test(test_verbosity_decides_what_is_heard),
        cmocka_unit_test(test_map_and_large_relevance_train_where_allowed),
        cmocka_unit_test(test_version_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
