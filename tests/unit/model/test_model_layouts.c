/* SPDX-License-Identifier: Apache-2.0 */
/* Every layout XGBoost 1.0 to 3.4 wrote reads to the same forest; odd but valid models predict
 * what they should. */
#include "trained.h"

#include "hand.h"

#include "base/mem.h"
#include "model/ubj_priv.h"

#include <stdlib.h>

static bl_forest *read_text(const char *text)
{
    bl_buf ubj = ubjson(text);
    bl_forest *forest = read_forest(ubj.data, ubj.n);
    bli_buf_done(&ubj);
    return forest;
}

static float margin_of(const bl_forest *forest, float f0)
{
    const float row[2] = {f0, NAN};
    float margin;
    bli_forest_margins(forest, 0, forest->n_rounds, row, 1, NULL, &margin);
    return margin;
}

/* --- Stumps by hand ----------------------------------------------------------------- */

static void test_a_stump_with_a_leaf_no_row_reached_predicts(void **state)
{
    (void)state;
    bl_forest *f = read_text(stump); /* A2: cover 0 in node 2 */
    assert_true(margin_of(f, 0) == 1 && margin_of(f, 1) == 2 && margin_of(f, NAN) == 1);
    assert_true(f->trees[0].depth == 1 && f->trees[0].n_leaves == 2 && f->n_rounds == 1);
    assert_true(f->trees[0].cover[2] == 0 && f->version[0] == 3 && f->version[2] == 1);
    assert_true(f->best_iteration == -1 && isnan(f->best_score) && !f->has_names);
    bli_forest_free(f);
}

static void test_a_tiny_negative_threshold_is_kept(void **state)
{
    (void)state; /* A21 */
    bl_forest *f = read_text(replaced(stump, "'split_conditions':[0.5",
                                      "'split_conditions':[-9.53674316e-07"));
    assert_true(margin_of(f, 0.0f) == 2 && margin_of(f, -0.0f) == 2);
    assert_true(margin_of(f, -1e-6f) == 1 && margin_of(f, -9.53674316e-07f) == 2);
    bli_forest_free(f);
}

static const struct {
    float x;
    float margin; /* 1 left, 2 right */
} choices[] = {
    {0, 2},        {3, 2},         {31, 2},
    {1, 1},        {2, 1},         {32, 1},
    {1000, 1},     {3.7f, 2},      {0.9f, 2},
    {-0.0f, 2},    {-1, 1},        {-0.5f, 1},
    {16777215, 1}, {16777216, 1},  {3e38f, 1},
    {INFINITY, 1}, {-INFINITY, 1}, {4294967296.0f + 4096.0f, 1},
};

static void test_a_category_set_decides_as_xgboost_does(void **state)
{
    (void)state; /* A17: the set {0, 3, 31} goes right, a missing value the default way */
    const char *text = replaced(stump,
                                "'categories':[],'categories_nodes':[],"
                                "'categories_segments':[],'categories_sizes':[]",
                                "'categories':[0,3,31],'categories_nodes':[0],"
                                "'categories_segments':[0],'categories_sizes':[3]");
    text = replaced(text, "'split_type':[0,", "'split_type':[1,");
    bl_forest *left = read_text(text);
    for (size_t i = 0; i < BL_LEN(choices); i++)
        CHECK(margin_of(left, choices[i].x) == choices[i].margin, "%g: margin %g",
              (double)choices[i].x, (double)margin_of(left, choices[i].x));
    assert_true(margin_of(left, NAN) == 1);
    bl_forest *right =
        read_text(replaced(text, "'default_left':[1,", "'default_left':[0,"));
    assert_true(margin_of(right, NAN) == 2);
    /* A set at a split that split_type calls numeric is not looked at. */
    bl_forest *numeric =
        read_text(replaced(text, "'split_type':[1,", "'split_type':[0,"));
    assert_true(margin_of(numeric, 0) == 1 && margin_of(numeric, 1) == 2);
    bli_forest_free(left);
    bli_forest_free(right);
    bli_forest_free(numeric);
}

static void test_deleted_nodes_are_passed_over(void **state)
{
    (void)state;
    /* Node 1 and 2 pruned away: the root is a leaf, they are marked as deleted. */
    const char *text = replaced(stump, "'left_children':[1,", "'left_children':[-1,");
    text = replaced(text, "'split_indices':[0,0,0]",
                    "'split_indices':[0,2147483647,2147483647]");
    text = replaced(text, "'num_deleted':'0'", "'num_deleted':'2'");
    bl_forest *f = read_text(text);
    assert_true(margin_of(f, 3) == 0.5f && f->trees[0].n_leaves == 1);
    assert_true(f->trees[0].feature[1] == 0 && f->trees[0].left[1] == -1);
    bli_forest_free(f);
}

/* --- Old spellings ------------------------------------------------------------------ */

static void test_the_first_json_layout_is_read(void **state)
{
    (void)
        state; /* 1.0: no split_type, cats, rounds, types, targets; flags as true and false */
    const char *text = replaced(stump,
                                "'categories':[],'categories_nodes':[],"
                                "'categories_segments':[],'categories_sizes':[],",
                                "");
    text = replaced(text, "'split_type':[0,0,0],", "");
    text = replaced(text, "'iteration_indptr':[0,1],", "");
    text = replaced(text, "'num_parallel_tree':'1',", "");
    text = replaced(text, "'default_left':[1,0,0]", "'default_left':[true,false,false]");
    text = replaced(text, "'feature_names':[],'feature_types':[],", "");
    text = replaced(text, "'boost_from_average':'1',", "");
    text = replaced(text, ",'num_target':'1'", "");
    text = replaced(text, "'size_leaf_vector':'1'", "'size_leaf_vector':'0'");
    text = replaced(text, "'base_score':'[0E0]'", "'base_score':'0.500000'");
    bl_forest *f = read_text(text);
    assert_true(margin_of(f, 0) == 1.5f && margin_of(f, NAN) == 1.5f);
    assert_true(f->n_rounds == 1 && f->n_outputs == 1 && f->base_score[0] == 0.5f);
    bli_forest_free(f);
}

static void test_base_score_is_read_in_every_spelling(void **state)
{
    (void)state;
    static const char *const spelling[] = {"[5E-1]", "5E-1",       "0.5",     "[0.5]",
                                           "(0.5)",  " [ 5E-1 ] ", "0.500000"};
    for (size_t i = 0; i < BL_LEN(spelling); i++) {
        char with[64];
        snprintf(with, sizeof with, "'base_score':'%s'", spelling[i]);
        bl_forest *f = read_text(replaced(stump, "'base_score':'[0E0]'", with));
        CHECK(f->base_margin[0] == 0.5f, "'%s' is %g", spelling[i],
              (double)f->base_margin[0]);
        bli_forest_free(f);
    }
    bl_forest *f = read_text(replaced(replaced(stump, "'[0E0]'", "'[1E0,-2.5E0,3]'"),
                                      "'num_class':'0'", "'num_class':'3'"));
    assert_true(f->n_base_scores == 3 && f->base_margin[0] == 1.0f &&
                f->base_margin[1] == -2.5f && f->base_margin[2] == 3.0f);
    bli_forest_free(f);
}

static void test_a_gamma_model_without_its_parameter_block_is_read(void **state)
{
    (void)state; /* A68 */
    const char *text = replaced(stump,
                                "'name':'reg:squarederror','reg_loss_param':{"
                                "'scale_pos_weight':'1'}",
                                "'name':'reg:gamma'");
    bl_forest *f = read_text(replaced(text, "'[0E0]'", "'5E-1'"));
    assert_true(f->base_margin[0] == logf(0.5f));
    bli_forest_free(f);
}

/* What the log said. */
static char said[512];
static bl_level said_level;

static void remember(void *cookie, bl_level level, const char *stage, const char *text)
{
    (void)cookie;
    (void)stage;
    said_level = level;
    snprintf(said, sizeof said, "%s", text);
}

static bl_forest *read_logged(const char *text)
{
    bl_limits limits = bli_limits();
    bl_log log = {.line = remember};
    bl_buf ubj = ubjson(text);
    bl_forest *f = NULL;
    bl_err err = {0};
    said[0] = '\0';
    CHECK_OK(bli_forest_read(ubj.data, ubj.n, &limits, &log, &f, &err), err);
    bli_buf_done(&ubj);
    return f;
}

static void test_unknown_keys_pass_with_one_note(void **state)
{
    (void)state; /* A71 */
    const char *text = replaced(stump, "'id':0", "'id':0,'future':{'a':[1]}");
    bl_forest *f =
        read_logged(replaced(text, "'attributes':{}", "'attributes':{},'novel':1"));
    assert_true(margin_of(f, 0) == 1);
    CHECK(said_level == BL_NOTE &&
              strstr(said, "2 entries of the model are not known here"),
          "%s", said);
    bli_forest_free(f);
    f = read_logged(stump);
    CHECK(said[0] == '\0', "%s", said);
    bli_forest_free(f);
}

static void test_a_minus_zero_probability_is_a_margin(void **state)
{
    (void)state; /* A66 */
    const char *text = replaced(stump, "reg:squarederror", "binary:logistic");
    bl_forest *f = read_logged(replaced(text, "'[0E0]'", "'-0E0'"));
    assert_true(f->base_margin[0] == 0.0f);
    CHECK(said_level == BL_WARNING && strstr(said, "base_score is -0, a margin"), "%s",
          said);
    bli_forest_free(f);
    /* A plain 0 is a probability, moved inside as XGBoost 3.4 does. */
    f = read_logged(text);
    assert_true(f->base_margin[0] == -logf(1.0f / 1e-6f - 1.0f));
    bli_forest_free(f);
}

static void test_attributes_and_names_are_read(void **state)
{
    (void)state;
    const char *text =
        replaced(stump, "'attributes':{}",
                 "'attributes':{'best_iteration':'0','best_score':'0.25'}");
    text =
        replaced(text, "'feature_names':[],'feature_types':[]",
                 "'feature_names':['x.y','fixed acidity'],'feature_types':['q','int']");
    bl_forest *f = read_text(text);
    assert_true(f->best_iteration == 0 && f->best_score == 0.25 &&
                bli_forest_rounds(f) == 1);
    assert_true(f->has_names && f->has_types);
    assert_string_equal(f->names[1], "fixed acidity");
    assert_string_equal(f->types[1], "int");
    bli_forest_free(f);
    /* Beyond the trees: all of them count. */
    f = read_text(
        replaced(stump, "'attributes':{}", "'attributes':{'best_iteration':'7'}"));
    assert_true(f->best_iteration == 7 && bli_forest_rounds(f) == 1);
    bli_forest_free(f);
    f = read_logged(replaced(stump, "'feature_names':[]", "'feature_names':['a']"));
    assert_true(!f->has_names);
    CHECK(strstr(said, "feature_names has 1 entries for 2 features: ignored"), "%s",
          said);
    bli_forest_free(f);
}

/* --- Trained models in other layouts ------------------------------------------------ */

typedef struct opened {
    bl_ubj_doc *doc;
    bl_ubj *learner, *booster, *model;
} opened;

static opened open_trained(const trained *t)
{
    opened o = {0};
    bl_err err = {0};
    CHECK_OK(bli_ubj_read(t->ubj, t->n_ubj, 64, &o.doc, &err), err);
    o.learner = bli_ubj_get(bli_ubj_root(o.doc), "learner");
    o.booster = bli_ubj_get(o.learner, "gradient_booster");
    o.model = bli_ubj_get(o.booster, "model");
    return o;
}

/* Reads the changed document and compares its margins with XGBoost's of the trained model. */
static bl_forest *check_changed(trained *t, const opened *o, const char *what)
{
    bl_buf ubj = {0};
    bli_ubj_write(bli_ubj_root(o->doc), &ubj);
    bl_forest *f = read_forest(ubj.data, ubj.n);
    size_t n;
    float *want = trained_predict(t, true, 0, 0, NULL, 0, &n);
    float *got = calloc(n, sizeof *got);
    assert_non_null(got);
    bli_forest_margins(f, 0, f->n_rounds, t->x, t->n_rows, NULL, got);
    CHECK(differing(got, want, n) == 0, "%s: %zu of %zu differ", what,
          differing(got, want, n), n);
    free(want);
    free(got);
    bli_buf_done(&ubj);
    bli_ubj_free(o->doc);
    return f;
}

static const recipe dart = {.params = "max_depth=3 booster=dart rate_drop=0.5",
                            .rounds = 10};

static void test_dart_weights_are_found_in_all_three_places(void **state)
{
    (void)state;
    trained *t = train(&dart);
    bl_forest *f = read_forest(t->ubj, t->n_ubj);
    assert_string_equal(f->booster, "dart");
    bli_forest_free(f);
    opened o = open_trained(t); /* 3.3: beside the model */
    assert_true(bli_ubj_put(o.doc, o.booster, "weight_drop",
                            bli_ubj_take(o.model, "weight_drop")));
    f = check_changed(t, &o, "beside");
    assert_string_equal(f->booster, "dart");
    bli_forest_free(f);
    o = open_trained(t); /* up to 3.2: an inner gbtree */
    bl_ubj *outer = bli_ubj_new_object(o.doc);
    bl_ubj *weights = bli_ubj_take(o.model, "weight_drop");
    bli_ubj_take(o.learner, "gradient_booster");
    assert_true(bli_ubj_put(o.doc, outer, "gbtree", o.booster));
    assert_true(bli_ubj_put(o.doc, outer, "name", bli_ubj_new_text(o.doc, "dart")));
    assert_true(bli_ubj_put(o.doc, outer, "weight_drop", weights));
    assert_true(bli_ubj_put(o.doc, o.learner, "gradient_booster", outer));
    f = check_changed(t, &o, "inner");
    assert_string_equal(f->booster, "dart");
    bli_forest_free(f);
    trained_free(t);
}

static void test_vector_leaves_are_read_in_both_layouts(void **state)
{
    (void)state; /* A70 */
    static const recipe r = {.params = "max_depth=2 multi_strategy=multi_output_tree",
                             .rounds = 3,
                             .y = Y_MULTI,
                             .n_targets = 2,
                             .n_features = 3};
    trained *t = train(&r);
    opened o = open_trained(t);
    for (bl_ubj *tree = bli_ubj_get(o.model, "trees")->u.first; tree; tree = tree->next) {
        bli_ubj_take(tree, "leaf_weights");
        bli_ubj_take(tree, "sum_hessian");
        bli_ubj_take(tree, "loss_changes");
    }
    bl_forest *f = check_changed(t, &o, "base_weights");
    assert_true(f->vector_leaf && f->trees[0].n_values == 2 && f->trees[0].cover[0] == 0);
    bli_forest_free(f);
    trained_free(t);
}

static void test_old_vector_leaves_are_made_ready_for_xgboost(void **state)
{
    (void)state; /* libxgboost 3.4.1 crashes on them as 2.0 to 3.1 wrote them */
    static const recipe r = {.params = "max_depth=3 multi_strategy=multi_output_tree",
                             .rounds = 4,
                             .y = Y_MULTI,
                             .n_targets = 3};
    trained *t = train(&r);
    opened o = open_trained(t);
    for (bl_ubj *tree = bli_ubj_get(o.model, "trees")->u.first; tree; tree = tree->next) {
        size_t n = bli_ubj_get(tree, "left_children")->n;
        int32_t left[64], right[64];
        assert_true(n <= 64);
        assert_true(bli_ubj_ints(bli_ubj_get(tree, "left_children"), n, left));
        assert_true(bli_ubj_ints(bli_ubj_get(tree, "right_children"), n, right));
        for (size_t i = 0; i < n; i++)
            right[i] = left[i] < 0 ? -1 : right[i];
        bli_ubj_take(tree, "leaf_weights");
        bli_ubj_take(tree, "sum_hessian");
        bli_ubj_take(tree, "loss_changes");
        assert_true(bli_ubj_put(o.doc, tree, "right_children",
                                bli_ubj_new_ints(o.doc, right, n)));
    }
    bl_buf old = {0}, ready = {0}, same = {0};
    bl_limits limits = bli_limits();
    bl_err err = {0};
    bli_ubj_write(bli_ubj_root(o.doc), &old);
    CHECK_OK(bli_model_prepare(old.data, old.n, &limits, NULL, &ready, &err), err);
    BoosterHandle booster = load(ready.data, ready.n);
    CHECK(booster, "%s", XGBGetLastError());
    size_t n, n2;
    float *want = trained_predict(t, true, 0, 0, NULL, 0, &n);
    float *got = predict_with(booster, t->data, true, 0, 0, &n2);
    assert_true(n == n2 && differing(want, got, n) == 0);
    /* What needs nothing stays as it is. */
    CHECK_OK(bli_model_prepare(t->ubj, t->n_ubj, &limits, NULL, &same, &err), err);
    assert_true(same.n == t->n_ubj && memcmp(same.data, t->ubj, same.n) == 0);
    free(want);
    free(got);
    XGBoosterFree(booster);
    bli_buf_done(&old);
    bli_buf_done(&ready);
    bli_buf_done(&same);
    bli_ubj_free(o.doc);
    trained_free(t);
}

static void test_a_broken_model_is_not_made_ready(void **state)
{
    (void)state;
    bl_buf ubj = ubjson(replaced(stump, "'left_children':[1,", "'left_children':[9,"));
    bl_buf out = {0};
    bl_limits limits = bli_limits();
    bl_err err = {0};
    bl_status st = bli_model_prepare(ubj.data, ubj.n, &limits, NULL, &out, &err);
    CHECK_FAILS(st, BL_E_MODEL, err, "tree 0, node 0: child 9 is not among its 3 nodes");
    assert_null(out.data);
    bli_buf_done(&ubj);
}

static void test_trees_belong_to_the_output_tree_info_says(void **state)
{
    (void)state; /* A10: not to i mod classes */
    static const recipe r = {
        .params = "max_depth=3 objective=multi:softprob num_class=3 num_parallel_tree=2 "
                  "subsample=0.8",
        .rounds = 5,
        .y = Y_CLASS,
        .n_targets = 3};
    trained *t = train(&r);
    opened o = open_trained(t);
    bli_ubj_take(o.model, "iteration_indptr"); /* rounds from the counts, as before 1.7 */
    bl_forest *f = check_changed(t, &o, "rounds");
    assert_true(f->n_rounds == 5 && f->round_first[1] == 6 && f->n_trees == 30);
    assert_true(f->trees[1].output == 0 && f->trees[2].output == 1 &&
                f->trees[5].output == 2);
    bli_forest_free(f);
    trained_free(t);
}

static void test_a_serialized_booster_is_read(void **state)
{
    (void)state;
    trained *t = train(&dart);
    bst_ulong n;
    const char *bytes;
    assert_int_equal(XGBoosterSerializeToBuffer(t->booster, &n, &bytes), 0);
    bl_forest *f = read_forest(bytes, n);
    assert_true(f->n_rounds == 10);
    bli_forest_free(f);
    trained_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stump_with_a_leaf_no_row_reached_predicts),
        cmocka_unit_test(test_a_tiny_negative_threshold_is_kept),
        cmocka_unit_test(test_a_category_set_decides_as_xgboost_does),
        cmocka_unit_test(test_deleted_nodes_are_passed_over),
        cmocka_unit_test(test_the_first_json_layout_is_read),
        cmocka_unit_test(test_base_score_is_read_in_every_spelling),
        cmocka_unit_test(test_a_gamma_model_without_its_parameter_block_is_read),
        cmocka_unit_test(test_unknown_keys_pass_with_one_note),
        cmocka_unit_test(test_a_minus_zero_probability_is_a_margin),
        cmocka_unit_test(test_attributes_and_names_are_read),
        cmocka_unit_test(test_dart_weights_are_found_in_all_three_places),
        cmocka_unit_test(test_vector_leaves_are_read_in_both_layouts),
        cmocka_unit_test(test_old_vector_leaves_are_made_ready_for_xgboost),
        cmocka_unit_test(test_a_broken_model_is_not_made_ready),
        cmocka_unit_test(test_trees_belong_to_the_output_tree_info_says),
        cmocka_unit_test(test_a_serialized_booster_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
