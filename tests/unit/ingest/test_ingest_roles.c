/* SPDX-License-Identifier: Apache-2.0 */
/* Labels, weights, groups, bounds, margins, ids and columns left out. */
#include "ingest_test.h"

static void test_roles_by_index_and_by_name(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    bl_column_ref margins[] = {{NULL, 4}}, drops[] = {{(char[]){"junk"}, 0}},
                  ids[] = {{(char[]){"who"}, 0}, {NULL, 7}};
    b.settings.has_weight = true;
    b.settings.weight = (bl_column_ref){(char[]){"w"}, 0};
    b.settings.base_margins = (bl_column_refs){1, margins};
    b.settings.drop = (bl_column_refs){1, drops};
    b.settings.ids = (bl_column_refs){2, ids};
    READ(&b, "y,a,w,junk,m,who,b,where\n1,2,0.5,x,-3,\"Lee, Ann\",7,\n"
             "0,3,2,,1e2,Bo,8, far  away \n");
    const bl_roles *roles = &b.table->roles;
    CHECK(b.table->n_features == 2 && b.table->n_rows == 2, "shape");
    CELL_IS(b.table, 1, 1, 8.0F);
    CHECK(roles->n_labels == 1 && roles->labels[0] == 1 && roles->labels[1] == 0, "y");
    CHECK(roles->weights[0] == 0.5F && roles->weights[1] == 2, "w");
    CHECK(roles->n_base_margins == 1 && roles->base_margins[1] == 100, "m");
    CHECK(roles->n_ids == 2, "ids");
    assert_string_equal(roles->ids[0].name, "who");
    const bl_text_column *who = &roles->ids[0], *where = &roles->ids[1];
    CHECK(who->offset[2] == 10 && memcmp(who->text, "Lee, AnnBo", 10) == 0, "who");
    CHECK(who->offset[1] == 8, "first");
    CHECK(where->offset[1] == 0 && where->offset[2] == 9 &&
              memcmp(where->text, "far  away", 9) == 0,
          "where");
    teardown(&b);
}

static void test_several_labels_make_several_targets(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    bl_column_ref labels[] = {{NULL, 2}, {NULL, 0}};
    b.settings.labels = (bl_column_refs){2, labels};
    READ(&b, "1,5,2\n3,6,4\n");
    CHECK(b.table->n_features == 1 && b.table->roles.n_labels == 2, "shape");
    const float want[] = {2, 1, 4, 3};
    for (size_t i = 0; i < 4; i++)
        CHECK(b.table->roles.labels[i] == want[i], "label %zu", i);
    REFUSED(&b, "1,5,2\n3,6,\n", BL_E_DATA, "line 2, column 2: the cell is empty or ''");
    labels[1].index = 2;
    REFUSED(&b, "1,5,2\n", BL_E_CONFIG, "bl_label names column 2 twice");
    teardown(&b);
}

static void test_what_a_role_lacks_is_refused_with_its_place(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    REFUSED(&b, "1,2\n,3\n", BL_E_DATA, "'t.csv', line 2, column 0: the cell is empty");
    REFUSED(&b, "1,2\nNA,3\n", BL_E_DATA, "or 'NA', but every row needs a label");
    REFUSED(&b, "y,a\n1,2\nyes,3\n", BL_E_DATA, "line 3, column 'y': 'yes' is no number");
    REFUSED(&b, "1,2\ninf,3\n", BL_E_DATA, "'inf' is not finite");
    REFUSED(&b, "1,2\n1e39,3\n", BL_E_DATA, "'1e39' is not finite");
    b.settings.has_weight = true;
    b.settings.weight = (bl_column_ref){NULL, 1};
    REFUSED(&b, "1,1,2\n1,,3\n", BL_E_DATA,
            "line 2, column 1: the cell is empty or '', "
            "but every row needs a weight");
    REFUSED(&b, "1,1,2\n1,-0.5,3\n", BL_E_DATA, "a negative weight, -0.5");
    REFUSED(&b, "1,1,2\n1,x,3\n", BL_E_DATA, "bl_weight");
    b.settings.weight.index = 9;
    REFUSED(&b, "1,1,2\n", BL_E_CONFIG,
            "3 columns (0 to 2), but bl_weight names column 9");
    b.settings.weight.index = 0;
    REFUSED(&b, "1,1,2\n", BL_E_CONFIG, "bl_label and bl_weight both name column 0");
    teardown(&b);
}

static void test_a_label_alone_leaves_no_feature(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    REFUSED(&b, "1\n0\n", BL_E_DATA, "no feature is left");
    teardown(&b);
}

static void test_zero_weights_warn_and_nothing_but_zero_is_refused(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.has_weight = true;
    b.settings.weight = (bl_column_ref){NULL, 1};
    READ(&b, "1000000,0,618827.16,173\n0,0,637345.679,\n0,1,638888.889,\n"
             "500000,0,628086.42,\n");
    HEARD(&b, "3 of 4 rows have weight 0");
    CHECK(b.heard.n_of[BL_WARNING] == 1, "%s", b.heard.text);
    REFUSED(&b, "1,0,2\n0,0.0,3\n", BL_E_DATA, "all 2 weights are 0");
    REFUSED(&b, "1,0,2\n0,-0.0,3\n", BL_E_DATA, "all 2 weights are 0");
    teardown(&b);
}

static void test_groups_are_text_and_their_rows_stand_together(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.has_group = true;
    b.settings.group = (bl_column_ref){NULL, 1};
    /* equal as numbers, and as float32, but not as text */
    READ(&b, "1,7,1\n2,7,2\n1,7.0,3\n1,16777216,4\n1,16777217,5\n0,16777217,6\n");
    const uint64_t want[] = {2, 1, 1, 2};
    CHECK(b.table->roles.n_groups == 4, "%zu groups", b.table->roles.n_groups);
    for (size_t i = 0; i < 4; i++)
        CHECK(b.table->roles.group_rows[i] == want[i], "group %zu", i);
    REFUSED(&b, "1,a,1\n2,b,2\n1,a,3\n", BL_E_DATA,
            "'t.csv', line 3, column 1: group 'a' begins again");
    REFUSED(&b, "1,a,1\n2,,2\n", BL_E_DATA, "every row needs a group");
    b.settings.has_weight = true;
    b.settings.weight = (bl_column_ref){NULL, 2};
    READ(&b, "1,a,1,5\n2,a,1.0,6\n1,b,2,7\n");
    REFUSED(&b, "1,a,1,5\n2,a,1.5,6\n", BL_E_DATA,
            "line 2: weight 1.5 differs from 1 of the rows before it in the same group");
    /* the weight column before the group column */
    b.settings.group.index = 3;
    REFUSED(&b, "1,5,1,a\n2,6,1,b\n2,6,2,b\n", BL_E_DATA, "line 3: weight 2 differs");
    teardown(&b);
}

/* Survival: bounds instead of a label, names with '=', an upper bound that is open. */
static void test_bounds_of_survival_times(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.settings.labels.n = 0;
    b.settings.has_lower = b.settings.has_upper = true;
    b.settings.lower = (bl_column_ref){(char[]){"t_low"}, 0};
    b.settings.upper = (bl_column_ref){(char[]){"t_high"}, 0};
    READ(&b, "t_low,t_high,kind=a,age\n72,72,1,69\n411,inf,0,64\n1,+Infinity,0,3\n");
    CHECK(!b.table->roles.labels && b.table->n_features == 2, "shape");
    CHECK(b.table->roles.lower_bounds[1] == 411, "lower");
    CHECK(isinf(b.table->roles.upper_bounds[1]) && isinf(b.table->roles.upper_bounds[2]),
          "open");
    assert_string_equal(b.table->columns[0].name, "kind=a");
    REFUSED(&b, "t_low,t_high,a\n1,2,3\n5,4,3\n", BL_E_DATA,
            "'t.csv', line 3: the lower bound 5 is above the upper bound 4");
    REFUSED(&b, "t_low,t_high,a\ninf,inf,3\n", BL_E_DATA, "'inf' is not finite");
    REFUSED(&b, "t_low,t_high,a\n1,-inf,3\n", BL_E_DATA, "'-inf' is not finite");
    REFUSED(&b, "t_low,t_high,a\n1,1e39,3\n", BL_E_DATA, "'1e39' is not finite");
    REFUSED(&b, "t_low,t_high,a\n1,,3\n", BL_E_DATA, "every row needs an upper bound");
    REFUSED(&b, "t_low,t_high,a\n,1,3\n", BL_E_DATA, "every row needs a lower bound");
    teardown(&b);
}

/* A question mark for a missing age, classes in the last column. */
static void test_a_label_in_the_last_column(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.label.index = 3;
    char *texts[] = {(char[]){"?"}};
    b.settings.missing_texts = (bl_texts){1, texts};
    b.settings.missing_texts_given = true;
    READ(&b, "2,2,55,6\n3,3,?,1\n");
    CHECK(b.table->roles.labels[0] == 6 && b.table->roles.labels[1] == 1, "classes");
    CELL_IS(b.table, 1, 2, NAN);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_roles_by_index_and_by_name),
        cmocka_unit_test(test_several_labels_make_several_targets),
        cmocka_unit_test(test_what_a_role_lacks_is_refused_with_its_place),
        cmocka_unit_test(test_a_label_alone_leaves_no_feature),
        cmocka_unit_test(test_zero_weights_warn_and_nothing_but_zero_is_refused),
        cmocka_unit_test(test_groups_are_text_and_their_rows_stand_together),
        cmocka_unit_test(test_bounds_of_survival_times),
        cmocka_unit_test(test_a_label_in_the_last_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
