/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/fs.h"
#include "base/mem.h"
#include "met.h"

#include <stdlib.h>

static bl_status read_plan(const char *text, bl_err *err)
{
    bl_limits limits = bli_limits();
    bl_plan *plan = NULL;
    bl_status st = bli_plan_read("p.json", text, strlen(text), &limits, &plan, err);
    bli_plan_free(plan);
    return st;
}

#define STEP(step) "{\"columns\": [{\"columns\": \"a\", \"steps\": [" step "]}]}"

static void test_plan_refusals_name_the_path_and_what_is_allowed(void **state)
{
    static const struct {
        const char *plan, *says;
    } cases[] = {
        {"[]", "plan 'p.json', as a whole: a list; expected is an object with format"},
        {"{\"labels\": 1}", "labels: no such member; did you mean 'label'"},
        {"{\"format\": 2}", "format: 2; expected is a whole number, 1 to 1"},
        {"{\"label\": true}", "label: true or false; expected is a column: its name"},
        {"{\"label\": -1}", "label: -1; expected is a column"},
        {"{\"label\": {\"classes\": {}}}", "label.column: absent; expected is a column"},
        {"{\"label\": {\"column\": 0, \"classes\": {\"a\": \"b\"}}}",
         "label.classes.a: 'b'; expected is a number"},
        {"{\"label\": {\"column\": 0, \"classes\": 3}}",
         "label.classes: 3; expected is a map"},
        {"{\"id\": [0, null]}", "id[1]: null; expected is a column"},
        {"{\"missing\": \"?\"}", "missing: '?'; expected is a list of texts"},
        {"{\"unseen\": \"ignore\"}", "unseen: 'ignore'; expected is error or missing"},
        {"{\"rows\": [{\"keep\": {\"column\": 0}}]}",
         "rows[0].keep: no condition; expected is at least one of min, max, in, missing"},
        {"{\"rows\": [{\"keep\": {\"column\": 0, \"min\": \"x\"}}]}",
         "rows[0].keep.min: 'x'; expected is a number"},
        {"{\"rows\": [{\"hold\": {}}]}", "rows[0].hold: no such member"},
        {"{\"rows\": [{\"keep\": {\"column\": 0, \"min\": 1, \"in\": [\"a\"]}}]}",
         "rows[0].keep: \"in\" compares texts"},
        {"{\"columns\": {}}", "columns: an object; expected is a list of entries"},
        {"{\"columns\": [{}]}", "columns[0].columns: absent; expected is a column"},
        {"{\"columns\": [{\"columns\": \"a\", \"type\": \"text\"}]}",
         "columns[0].type: 'text'; expected is auto, number, category or date"},
        {STEP("5"), "columns[0].steps[0]: 5; expected is a step"},
        {STEP("\"onehott\""),
         "'onehott' is no step; did you mean 'onehot'?; steps are impute"},
        {STEP("\"impute\""), "columns[0].steps[0]: impute needs to know more"},
        {STEP("{\"impute\": {}}"),
         "columns[0].steps[0].impute: expected is one of \"with\""},
        {STEP("{\"impute\": {\"with\": \"mean\", \"constant\": 1}}"),
         "expected is one of"},
        {STEP("{\"impute\": {\"constant\": []}}"), "steps[0].impute.constant: a list"},
        {STEP("{\"standardize\": {}}"), "standardize takes no an object"},
        {STEP("{\"minmax\": [1, 1]}"),
         "minmax: [1, 1]: the first must be below the second"},
        {STEP("{\"minmax\": [null, 1]}"),
         "steps[0].minmax[0]: null; expected is a number"},
        {STEP("{\"robust\": [25, 175]}"),
         "robust[1]: 175; expected is a number, 0 to 100"},
        {STEP("{\"clip\": 3}"), "clip takes no 3; write it as {\"clip\": [0, null]}"},
        {STEP("{\"winsorize\": [-1, 0.5]}"),
         "winsorize[0]: -1; expected is a number, 0 to 1"},
        {STEP("{\"bins\": 1}"), "bins: 1; expected is a whole number, 2 to 65536"},
        {STEP("{\"bins\": {\"n\": 5, \"method\": \"hazen\"}}"),
         "bins.method: 'hazen'; expected is linear"},
        {STEP("{\"rare\": {}}"), "rare.below: absent; expected is a number, 0 or more"},
        {STEP("{\"ordinal\": {\"order\": [\"a\", \"a\"]}}"),
         "ordinal.order[1]: level 'a' stands twice"},
        {STEP("{\"target\": {\"folds\": 1}}"),
         "target.folds: 1; expected is a whole number, 2"},
        {STEP("{\"target\": {\"smooth\": \"max\"}}"), "target.smooth: 'max'"},
        {STEP("{\"date\": [\"year\", \"year\"]}"), "date[1]: 'year' stands twice"},
        {STEP("{\"date\": {\"format\": \"%B\"}}"), "date.format: '%B' is not known"},
        {STEP("{\"date\": {\"format\": \"%d.%m.\"}}"),
         "date.format: a date needs its year"},
        {STEP("\"onehot\", \"standardize\""), "standardize stands after onehot"},
        {STEP("\"standardize\", \"ordinal\""),
         "ordinal works on text, but the column is of"},
        {STEP("\"ordinal\", \"ordinal\""), "encoded already"},
        {"{\"columns\": [{\"columns\": \"a\", \"type\": \"date\", \"steps\": "
         "[\"onehot\"]}]}",
         "onehot does not go with type date"},
        {"{\"correlation\": 2}", "correlation: 2; expected is a number, 0 to 1"},
        {"{\"pca\": {\"columns\": \"a\"}}", "pca.components: absent"},
        {"{\"pca\": [{\"columns\": \"a\", \"components\": 1}, {\"columns\": \"b\", "
         "\"components\": 1}]}",
         "pca[1]: two are named 'pca'"},
        {"{\"split\": {}}", "split: no share"},
        {"{\"split\": {\"by\": \"date\", \"test\": 0.1}}", "split.by: 'date'"},
        {"{\"split\": {\"by\": \"hash\", \"test\": 0.1}}", "by hash needs \"column\""},
        {"{\"split\": {\"test\": 0.1, \"seed\": -1}}", "split.seed: -1"},
        {"{\"label\": 0, \"label_lower_bound\": 1, \"label_upper_bound\": 2}",
         "label: the bounds stand instead of a label"},
        {"{\"label_lower_bound\": 1}", "label_lower_bound: both bounds are needed"},
        {"{\"label\": 1, \"label\": 2}", "duplicate"},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        bl_err err = {0};
        bl_status st = read_plan(cases[i].plan, &err);
        CHECK(st == BL_E_CONFIG && strstr(err.msg, cases[i].says) &&
                  strstr(err.msg, "plan 'p.json'"),
              "%s: status %d: %s", cases[i].plan, (int)st, err.msg);
    }
}

/* n times item between brackets. */
static char *repeated(const char *head, const char *item, size_t n, const char *tail)
{
    bl_buf text = {0};
    bli_buf_text(&text, head);
    for (size_t i = 0; i < n; i++)
        bli_buf_printf(&text, "%s%s%zu\"", i ? ", " : "", item, i);
    bli_buf_text(&text, tail);
    assert_false(text.failed);
    return text.data;
}

static void test_plan_of_hostile_size_meets_a_limit(void **state)
{
    bl_err err = {0};
    (void)state;
    char *levels =
        repeated("{\"columns\": [{\"columns\": \"a\", \"steps\": [{\"ordinal\": "
                 "{\"order\": [",
                 "\"", 1000000, "]}}]}]}");
    CHECK_FAILS(read_plan(levels, &err), BL_E_LIMIT, err,
                "columns[0].steps[0].ordinal.order: 1000000 levels; the limit is 100000");
    free(levels);
    char *columns = repeated("{\"columns\": [{\"columns\": [", "\"c", 100000, "]}]}");
    CHECK_FAILS(read_plan(columns, &err), BL_E_LIMIT, err,
                "columns[0].columns: 100000 columns; the limit is 65536");
    free(columns);
    bl_limits limits = bli_limits();
    bl_plan *plan = NULL;
    limits.config_bytes = 1;
    CHECK_FAILS(bli_plan_read("p.json", "{}", 2, &limits, &plan, &err), BL_E_LIMIT, err,
                "has 2 bytes; the limit is 1");
}

static void test_plan_limits_hold_for_what_data_bring(void **state)
{
    met m;
    bl_limits limits = bli_limits();
    (void)state;
    limits.plan_levels = 3;
    CHECK_FAILS(met_fit(&m,
                        "{\"columns\": [{\"columns\": \"t\", \"steps\": [\"ordinal\"]}]}",
                        "t,x\na,1\nb,2\nc,3\nd,4\n", &limits),
                BL_E_LIMIT, m.err, "column 't': 4 levels, the limit of a plan is 3");
    met_done(&m);
    limits = bli_limits();
    limits.plan_columns = 3;
    CHECK_FAILS(met_fit(&m,
                        "{\"columns\": [{\"columns\": \"t\", \"steps\": [\"onehot\"]}]}",
                        "t,x\na,1\nb,2\nc,3\nd,4\n", &limits),
                BL_E_LIMIT, m.err, "column 't': 4 columns come of it; the limit is 3");
    met_done(&m);
    limits = bli_limits();
    limits.plan_joint = 1;
    CHECK_FAILS(met_fit(&m, "{\"correlation\": 0.9}", "a,b\n1,2\n2,3\n", &limits),
                BL_E_LIMIT, m.err, "correlation: 2 columns; the limit is 1");
    met_done(&m);
}

static void test_plan_columns_are_found_or_told(void **state)
{
    static const char csv[] = "age,sex,y\n1,m,0\n2,f,1\n3,m,1\n";
    static const struct {
        const char *plan, *says;
    } cases[] = {
        {"{\"label\": \"Y\"}",
         "label: column 'Y', which 't.csv' has not; did you mean 'y'?"},
        {"{\"label\": 3}", "label: column 3; 't.csv' has 3 columns (0 to 2)"},
        {"{\"label\": \"y\", \"weight\": \"y\"}",
         "weight: column y has another use already (label)"},
        {"{\"columns\": [{\"columns\": \"b*\"}]}", "columns[0]: 'b*' matches no column"},
        {"{\"drop\": [\"age\", \"sex\", \"y\"]}",
         "columns: no column is left as a feature"},
        {"{\"columns\": [{\"columns\": \"*\"}], \"pca\": {\"columns\": \"x\", "
         "\"components\": 1}}",
         "pca: column 'x' is no feature"},
        {"{\"columns\": [{\"columns\": \"sex\"}], \"pca\": {\"columns\": \"sex\", "
         "\"components\": 1}}",
         "pca: column 'sex' is a category"},
        {"{\"split\": {\"by\": \"group\", \"column\": \"z\", \"test\": 0.5}}",
         "split.column: column 'z'"},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        met m;
        bl_status st = met_fit(&m, cases[i].plan, csv, NULL);
        CHECK(st == BL_E_CONFIG && strstr(m.err.msg, cases[i].says), "%s: %d: %s",
              cases[i].plan, (int)st, m.err.msg);
        met_done(&m);
    }
}

static void test_plan_order_of_columns_is_the_plans(void **state)
{
    met m;
    (void)state;
    CHECK_OK(met_fit(&m,
                     "{\"label\": \"y\", \"columns\": [{\"columns\": \"c\"}, "
                     "{\"columns\": \"*\"}, "
                     "{\"columns\": \"a\"}]}",
                     "a,b,c,y\n1,2,3,0\n4,5,6,1\n", NULL),
             m.err);
    static const char *const names[] = {"c", "b", "a"};
    CHECK(m.schema->n_features == 3, "%zu features", m.schema->n_features);
    for (size_t i = 0; i < 3; i++)
        CHECK(strcmp(m.schema->features[i].name, names[i]) == 0, "%s",
              m.schema->features[i].name);
    CHECK(met_cell(m.train, 1, 0) == 6 && met_cell(m.train, 1, 2) == 4, "cells");
    met_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_refusals_name_the_path_and_what_is_allowed),
        cmocka_unit_test(test_plan_of_hostile_size_meets_a_limit),
        cmocka_unit_test(test_plan_limits_hold_for_what_data_bring),
        cmocka_unit_test(test_plan_columns_are_found_or_told),
        cmocka_unit_test(test_plan_order_of_columns_is_the_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
