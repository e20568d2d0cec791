/* SPDX-License-Identifier: Apache-2.0 */
/* What is broken is refused, and the message says where and what was awaited. */
#include "check.h"

#include "hand.h"

#include "base/limits.h"
#include "base/mem.h"

#include <stdlib.h>

static bl_status read_bytes(const void *bytes, size_t n, const bl_limits *limits,
                            bl_err *err)
{
    static char mark;
    bl_forest *forest = (bl_forest *)&mark;
    bl_status st = bli_forest_read(bytes, n, limits, NULL, &forest, err);
    if (st == BL_OK)
        bli_forest_free(forest);
    else
        CHECK(forest == (bl_forest *)&mark, "%s: output written", err->msg);
    return st;
}

static void check_text(const char *text, bl_status want, const char *says)
{
    bl_limits limits = bli_limits();
    bl_buf ubj = ubjson(text);
    bl_err err = {0};
    bl_status st = read_bytes(ubj.data, ubj.n, &limits, &err);
    CHECK(st == want && (st == BL_OK || strstr(err.msg, says)), "'%s': status %d: %s",
          says, (int)st, err.msg);
    bli_buf_done(&ubj);
}

static const struct {
    const char *find, *with, *says;
} damage[] = {
    /* Trees. A2: a leaf that is no number. */
    {"'split_conditions':[0.5,1.0,2.0]", "'split_conditions':[0.5,'NaN',2.0]",
     "tree 0, node 1: the leaf's value is nan"},
    {"'left_children':[1,-1,-1]", "'left_children':[3,-1,-1]",
     "tree 0, node 0: child 3 is not among its 3 nodes"},
    {"'right_children':[2,-1,-1]", "'right_children':[-7,-1,-1]",
     "tree 0, node 0: child -7 is not among its 3 nodes"},
    {"'right_children':[2,-1,-1]", "'right_children':[1,-1,-1]",
     "tree 0, node 1 is reached twice"},
    {"'left_children':[1,-1,-1],'loss", "'left_children':[1,0,-1],'loss",
     "tree 0, node 0 is reached twice"},
    {"'left_children':[1,-1,-1]", "'left_children':[-1,-1,-1]",
     "tree 0, node 1 is not reached from the root"},
    {"'split_indices':[0,0,0]", "'split_indices':[2,0,0]",
     "tree 0, node 0 splits on feature 2, the model has 2"},
    {"'split_indices':[0,0,0]", "'split_indices':[0,0]",
     "tree 0: split_indices has 2 entries, expected 3"},
    {"'sum_hessian':[10.0,10.0,0.0],", "", "tree 0 has no sum_hessian"},
    {"'loss_changes':[3.0,0.0,0.0]", "'loss_changes':[3.0,0.0,null]",
     "tree 0: loss_changes is no list of numbers that fit"},
    {"'default_left':[1,0,0]", "'default_left':7",
     "tree 0: default_left is no list of numbers that fit"},
    {"'left_children':[1,-1,-1]", "'left_children':[1,-1,2.5]",
     "tree 0: left_children is no list of numbers that fit"},
    {"'left_children':[1,-1,-1],", "", "tree 0 has no left_children"},
    {"'num_nodes':'3'", "'num_nodes':'4'", "tree 0: num_nodes is 4, left_children has 3"},
    {"'size_leaf_vector':'1'", "'size_leaf_vector':'2'",
     "tree 0: its leaves have 2 values, the model 1 outputs"},
    {"'size_leaf_vector':'1'", "'size_leaf_vector':'x'",
     "tree 0: size_leaf_vector is no whole number"},
    {"'parents':[2147483647,0,0]", "'parents':[2147483647,0,3]",
     "tree 0, node 2: parent 3 is not among its 3 nodes"},
    {"'parents':[2147483647,0,0]", "'parents':[2147483647,0,1]",
     "tree 0, node 0 is not what its children call their parent"},
    /* Categories. */
    {"'split_type':[0,0,0]", "'split_type':[1,0,0]",
     "tree 0, node 0: a categorical split without categories"},
    {"'split_type':[0,0,0]", "'split_type':[0,0]",
     "tree 0: split_type has 2 entries, expected 3"},
    /* Around the trees. */
    {"'tree_info':[0]", "'tree_info':[1]", "tree 0 adds to output 1, the model has 1"},
    {"'tree_info':[0]", "'tree_info':[0,0]",
     "tree_info has no whole number for each of 1"},
    {"'num_trees':'1'", "'num_trees':'2'", "num_trees is 2, but there are 1 trees"},
    {"'iteration_indptr':[0,1]", "'iteration_indptr':[0,2]",
     "iteration_indptr: round 1 begins at tree 2 of 1"},
    {"'iteration_indptr':[0,1]", "'iteration_indptr':[1,1]",
     "iteration_indptr: round 0 begins at tree 1 of 1"},
    {"'iteration_indptr':[0,1]", "'iteration_indptr':[0]",
     "iteration_indptr ends at tree 0, there are 1"},
    {"'iteration_indptr':[0,1],'tree_info':[0]",
     "'tree_info':[0],'weight_drop':[1.0,0.5]", "weight_drop has 2 weights for 1 trees"},
    {"'iteration_indptr':[0,1],'tree_info':[0]", "'tree_info':[0],'weight_drop':['NaN']",
     "weight_drop: the weight of tree 0 is nan"},
    {"'num_parallel_tree':'1','num_trees':'1'},'iteration_indptr':[0,1],",
     "'num_parallel_tree':'3','num_trees':'1'},",
     "1 trees do not make whole rounds of 3"},
    {"'name':'gbtree'", "'name':'gbforest'", "none of gbtree, dart and gblinear"},
    {"'name':'reg:squarederror'", "'name':'reg:nothing'",
     "objective 'reg:nothing' is not one that XGBoost 3.4 knows"},
    {"'name':'reg:squarederror'",
     "'name':'reg:quantileerror','quantile_loss_param':{'quantile_alpha':'[0.1,0.9]'}",
     "reg:quantileerror with 2 levels, but 1 outputs"},
    {"'objective':{", "'objection':{", "the model names no objective"},
    {"'num_feature':'2','num_target'", "'num_feature':'0','num_target'",
     "the model has no features"},
    {"'num_feature':'2','num_target'", "'num_feature':'-1','num_target'",
     "num_feature is -1"},
    {"'num_feature':'2','num_target'", "'num_feature':'many','num_target'",
     "num_feature is no whole number"},
    {"'num_class':'0'", "'num_class':'3'", NULL}, /* three outputs, trees for one: fine */
    {"'num_class':'0','num_feature':'2','num_target':'1'",
     "'num_class':'3','num_feature':'2','num_target':'2'",
     "3 classes and 2 targets at once"},
    {"'base_score':'[0E0]'", "'base_score':'[1,2]'",
     "base_score has 2 values, the model 1 outputs"},
    {"'base_score':'[0E0]'", "'base_score':'[nan]'",
     "base_score '[nan]' is no number or list of numbers"},
    {"'base_score':'[0E0]'", "'base_score':''", "base_score '' is no number"},
    {"'base_score':'[0E0]',", "", "the model has no base_score"},
    {"'learner_model_param':{", "'learner_modal_param':{", "no learner_model_param"},
    {"'trees':[", "'leaves':[", "the model has no trees"},
    {"'learner':{", "'teacher':{", "it has no `learner`"},
    {"'feature_names':[]", "'feature_names':['a',7]",
     "feature_names: entry 1 is no text"},
    {"'gbtree_model_param':{", "'cats':{'enc':[{'values':[]}]},'gbtree_model_param':{",
     "cats has tables for 1 features, the model has 2"},
    {"'gbtree_model_param':{",
     "'cats':{'enc':[{'offsets':[0,9],'values':[65]},{'offsets':[],'values':[]}]},"
     "'gbtree_model_param':{",
     "cats: text 0 of feature 0 lies outside the 1 bytes"},
    {"'gbtree_model_param':{",
     "'cats':{'enc':[{'offsets':[0,1,2],'values':[65,65]},{'offsets':[],'values':[]}]},"
     "'gbtree_model_param':{",
     "cats: feature 0 has category 1 twice"},
};

static void test_damage_is_refused_with_its_place(void **state)
{
    (void)state;
    check_text(stump, BL_OK, "");
    for (size_t i = 0; i < BL_LEN(damage); i++)
        check_text(replaced(stump, damage[i].find, damage[i].with),
                   damage[i].says ? BL_E_MODEL : BL_OK,
                   damage[i].says ? damage[i].says : "");
}

static const struct {
    const char *nodes, *segments, *sizes, *codes, *says;
} sets[] = {
    {"[0]", "[0]", "[2]", "[0,3]", NULL},
    {"[3]", "[0]", "[2]", "[0,3]", "names node 3 out of range or order"},
    {"[0,0]", "[0,0]", "[1,1]", "[0,3]", "names node 0 out of range or order"},
    {"[0]", "[1]", "[2]", "[0,3]", "its categories are 2 from entry 1 of 2"},
    {"[0]", "[0]", "[0]", "[0,3]", "its categories are 0 from entry 0 of 2"},
    {"[0]", "[-1]", "[1]", "[0,3]", "its categories are 1 from entry -1 of 2"},
    {"[0]", "[0]", "[2]", "[0,-3]", "category -3, expected 0 to 16777214"},
    {"[0]", "[0]", "[2]", "[0,16777216]", "category 16777216, expected 0 to 16777214"},
    {"[0]", "[0]", "[1,1]", "[0,3]", "categories_sizes has 2 entries, expected 1"},
};

static void test_damaged_category_sets_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < BL_LEN(sets); i++) {
        char with[512];
        snprintf(with, sizeof with,
                 "'categories':%s,'categories_nodes':%s,'categories_segments':%s,"
                 "'categories_sizes':%s",
                 sets[i].codes, sets[i].nodes, sets[i].segments, sets[i].sizes);
        const char *text = replaced(stump,
                                    "'categories':[],'categories_nodes':[],"
                                    "'categories_segments':[],'categories_sizes':[]",
                                    with);
        check_text(replaced(text, "'split_type':[0,", "'split_type':[1,"),
                   sets[i].says ? BL_E_MODEL : BL_OK, sets[i].says ? sets[i].says : "");
    }
}

static const struct {
    const char *bytes;
    size_t n;
    const char *says;
} others[] = {
    {"", 0, "the model is empty (0 bytes)"},
    {"binf\0\0\0\0", 8, "old binary format"},
    {"\0\0\0\x80\x7f\0\0\0\x0f\0\0\0\0\0\0\0binary:logistic\x06\0\0\0\0\0\0\0gbtree", 45,
     "old binary format"},
    {"\x80\x04\x95", 3, "a Python pickle, which is never unpickled here"},
    {"\x1f\x8b\x08", 3, "a gzip file"},
    {"PK\x03\x04", 4, "a zip file"},
    {"{\"learner\":{}}", 14, "JSON where UBJSON is expected"},
    {"f0<1", 4, "UBJSON begins with '{L', this with bytes 66 30"},
    {"{L", 2, "no length"},
    {"{L\0\0\0\0\0\0\0\x63"
     "abc",
     13, "a length that goes beyond the end"},
    {"{L\0\0\0\0\0\0\0\x01"
     "aH",
     12, "a marker that XGBoost's UBJSON does not have"},
    {"{L\0\0\0\0\0\0\0\x01"
     "al\0",
     13, "the bytes end within a number"},
    {"{L\0\0\0\0\0\0\0\x01"
     "a",
     11, "the bytes end where a value must be"},
    {"{L\0\0\0\0\0\0\0\x01"
     "a[$l",
     14, "a typed array"},
    {"{L\0\0\0\0\0\0\0\x01"
     "a[$S#",
     15, "a typed array of no known type"},
    {"{L\0\0\0\0\0\0\0\x01"
     "a[$l#L\x7f\xff\xff\xff\xff\xff\xff\xff}",
     25, "a length that goes beyond the end"},
    {"{L\0\0\0\0\0\0\0\x01"
     "a[#L\xff\xff\xff\xff\xff\xff\xff\xff}",
     23, "a length that goes beyond the end"},
    {"{L\0\0\0\0\0\0\0\x01"
     "aZ}x",
     14, "the UBJSON is damaged: 1 bytes follow its end"},
};

static void test_other_bytes_are_named(void **state)
{
    (void)state;
    bl_limits limits = bli_limits();
    for (size_t i = 0; i < BL_LEN(others); i++) {
        bl_err err = {0};
        char *exact = malloc(others[i].n ? others[i].n : 1);
        assert_non_null(exact);
        memcpy(exact, others[i].bytes, others[i].n);
        bl_status st = read_bytes(exact, others[i].n, &limits, &err);
        CHECK_FAILS(st, BL_E_MODEL, err, others[i].says);
        free(exact);
    }
}

static void test_every_prefix_of_a_model_is_refused(void **state)
{
    (void)state;
    bl_limits limits = bli_limits();
    bl_buf ubj = ubjson(stump);
    for (size_t n = 0; n < ubj.n; n++) {
        bl_err err = {0};
        char *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, ubj.data, n);
        bl_status st = read_bytes(exact, n, &limits, &err);
        CHECK(st == BL_E_MODEL && err.msg[0], "%zu bytes: status %d", n, (int)st);
        free(exact);
    }
    bli_buf_done(&ubj);
}

static void check_limit(bl_limits limits, bl_status want, const char *says)
{
    bl_buf ubj = ubjson(stump);
    bl_err err = {0};
    bl_status st = read_bytes(ubj.data, ubj.n, &limits, &err);
    CHECK(st == want && (st == BL_OK || strstr(err.msg, says)), "status %d: %s", (int)st,
          err.msg);
    bli_buf_done(&ubj);
}

static void test_limits_hold_at_the_limit_and_one_beyond(void **state)
{
    (void)state;
    bl_limits l = bli_limits();
    l.tree_nodes = 3;
    l.trees = 1;
    l.columns = 2;
    l.json_depth = 7;
    check_limit(l, BL_OK, "");
    l.tree_nodes = 2;
    check_limit(l, BL_E_LIMIT, "tree 0 has 3 nodes, the limit is 2");
    l.tree_nodes = 3;
    l.trees = 0;
    check_limit(l, BL_E_LIMIT, "num_trees is 1, expected 0 to 0");
    l.trees = 1;
    l.columns = 1;
    check_limit(l, BL_E_LIMIT, "num_feature is 2, expected 0 to 1");
    l.columns = 2;
    l.json_depth = 6;
    check_limit(l, BL_E_LIMIT, "nested deeper than 6");
    l.json_depth = 7;
    l.model_bytes = 100;
    check_limit(l, BL_E_LIMIT, "bytes, the limit is 100");
}

static void test_an_intercept_without_margin_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *objective, *score, *says;
    } cases[] = {
        {"binary:logistic", "[1.5E0]",
         "base_score must be in (0,1) for the logistic loss, got 1.5"},
        {"binary:logistic", "-0.25",
         "base_score must be in (0,1) for the logistic loss, got -0.25"},
        {"count:poisson", "[-1E0]",
         "base_score must not be negative for count:poisson, got -1"},
        {"survival:aft", "[-1E0]",
         "base_score must not be negative for survival:aft, got -1"},
    };
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        char score[64];
        snprintf(score, sizeof score, "'base_score':'%s'", cases[i].score);
        const char *text = replaced(stump, "reg:squarederror", cases[i].objective);
        check_text(replaced(text, "'base_score':'[0E0]'", score), BL_E_MODEL,
                   cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damage_is_refused_with_its_place),
        cmocka_unit_test(test_damaged_category_sets_are_refused),
        cmocka_unit_test(test_other_bytes_are_named),
        cmocka_unit_test(test_every_prefix_of_a_model_is_refused),
        cmocka_unit_test(test_limits_hold_at_the_limit_and_one_beyond),
        cmocka_unit_test(test_an_intercept_without_margin_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
