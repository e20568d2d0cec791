/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/mem.h"
#include "met.h"

#include <stdlib.h>

static const char csv[] = "n,t,d,g,y\n"
                          "1,a,2024-01-05,p,0\n"
                          "2,b,2024-01-04,p,1\n"
                          "3,,2024-01-03,q,0\n"
                          "4,a,2024-01-02,q,1\n"
                          ",a,2024-01-01,r,0\n"
                          "1,a,2024-01-05,p,0\n";

/* Rows of a set as text: "0 1 4". */
static const char *rows_of(const met *m, int set, char *out)
{
    size_t used = 0;
    *out = '\0';
    for (uint64_t i = 0; i < m->sets.n[set]; i++)
        used += (size_t)sprintf(out + used, "%s%llu", i ? " " : "",
                                (unsigned long long)m->sets.row[set][i]);
    return out;
}

static void test_rows_that_filters_leave(void **state)
{
    static const struct {
        const char *steps, *left;
    } cases[] = {
        {"{\"keep\": {\"column\": \"n\", \"min\": 2}}", "1 2 3"},
        {"{\"keep\": {\"column\": \"n\", \"min\": 2, \"max\": 3}}", "1 2"},
        {"{\"drop\": {\"column\": \"n\", \"min\": 2, \"max\": 3}}", "0 3 4 5"},
        {"{\"drop\": {\"column\": \"n\", \"missing\": true}}", "0 1 2 3 5"},
        {"{\"keep\": {\"column\": \"t\", \"missing\": false}}", "0 1 3 4 5"},
        {"{\"keep\": {\"column\": \"t\", \"in\": [\"a\"]}}", "0 3 4 5"},
        {"{\"drop\": {\"column\": \"t\", \"in\": [\"a\"]}}", "1 2"},
        {"{\"keep\": {\"column\": \"n\", \"in\": [\"1.0\", \"4\"]}}", "0 3 5"},
        {"\"duplicates\"", "0 1 2 3 4"},
        {"{\"drop\": {\"column\": \"n\", \"max\": 1}}, \"duplicates\"", "1 2 3 4"},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        met m;
        char plan[300], rows[100];
        snprintf(plan, sizeof plan, "{\"label\": \"y\", \"rows\": [%s]}", cases[i].steps);
        CHECK_OK(met_fit(&m, plan, csv, NULL), m.err);
        rows_of(&m, BL_SET_TRAIN, rows);
        CHECK(strcmp(rows, cases[i].left) == 0, "%s: %s", cases[i].steps, rows);
        met_done(&m);
    }
}

static void test_rows_are_split_as_asked(void **state)
{
    static const struct {
        const char *split, *train, *validation, *test;
    } cases[] = {
        {"\"by\": \"time\", \"column\": \"d\", \"test\": 0.3", "4 3 2 1", "", "0 5"},
        {"\"by\": \"time\", \"column\": \"n\", \"validation\": 0.2, \"test\": 0.2", NULL,
         NULL, NULL},
        /* RandomState(0).permutation(6) is 5 2 1 3 0 4 */
        {"\"test\": 0.3", "1 3 0 4", "", "5 2"},
        {"\"test\": 0.3, \"validation\": 0.1", "3 0 4", "1", "5 2"},
        {"\"test\": 0", "0 1 2 3 4 5", "", ""},
        /* RandomState(0).permutation(3) is 2 1 0: group r, then q */
        {"\"by\": \"group\", \"column\": \"g\", \"test\": 0.4", "0 1 5", "", "2 3 4"},
        /* one of each class, each the first in the order of the random split */
        {"\"by\": \"stratified\", \"column\": \"y\", \"test\": 0.33", "2 3 0 4", "",
         "5 1"},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        met m;
        char plan[300], rows[100];
        snprintf(plan, sizeof plan, "{\"label\": \"y\", \"split\": {%s}}",
                 cases[i].split);
        bl_status st = met_fit(&m, plan, csv, NULL);
        if (!cases[i].train) {
            CHECK_FAILS(st, BL_E_DATA, m.err, "'t.csv', row 4 (from 0): split by time");
            met_done(&m);
            continue;
        }
        CHECK_OK(st, m.err);
        const char *const want[] = {cases[i].train, cases[i].validation, cases[i].test};
        for (int set = 0; set < BL_N_SETS; set++)
            CHECK(strcmp(rows_of(&m, set, rows), want[set]) == 0, "%s: part %d is %s",
                  cases[i].split, set, rows);
        met_done(&m);
    }
}

static void test_rows_keep_their_part_by_hash_when_the_data_grow(void **state)
{
    static const char plan[] =
        "{\"split\": {\"by\": \"hash\", \"column\": \"id\", \"test\": "
        "0.3}, \"columns\": [{\"columns\": \"x\"}]}";
    met small, large;
    bl_buf a = {0}, b = {0};
    bool is_test[2000] = {false};
    (void)state;
    bli_buf_text(&a, "id,x\n");
    bli_buf_text(&b, "id,x\n");
    for (int i = 0; i < 2000; i++) {
        bli_buf_printf(&b, "k%d,%d\n", 1999 - i, i);
        if (i < 1000)
            bli_buf_printf(&a, "k%d,%d\n", i, i);
    }
    CHECK_OK(met_fit(&small, plan, a.data, NULL), small.err);
    CHECK_OK(met_fit(&large, plan, b.data, NULL), large.err);
    for (uint64_t i = 0; i < large.sets.n[BL_SET_TEST]; i++)
        is_test[1999 - large.sets.row[BL_SET_TEST][i]] = true;
    for (uint64_t i = 0; i < small.sets.n[BL_SET_TEST]; i++)
        CHECK(is_test[small.sets.row[BL_SET_TEST][i]], "row %llu moved",
              (unsigned long long)small.sets.row[BL_SET_TEST][i]);
    for (uint64_t i = 0; i < small.sets.n[BL_SET_TRAIN]; i++)
        CHECK(!is_test[small.sets.row[BL_SET_TRAIN][i]], "row %llu moved",
              (unsigned long long)small.sets.row[BL_SET_TRAIN][i]);
    /* 600 expected; five standard deviations are 102 */
    CHECK(large.sets.n[BL_SET_TEST] > 498 && large.sets.n[BL_SET_TEST] < 702,
          "%llu of 2000", (unsigned long long)large.sets.n[BL_SET_TEST]);
    met_done(&small);
    met_done(&large);
    bli_buf_done(&a);
    bli_buf_done(&b);
}

static void test_rows_and_roles_that_do_not_fit_are_told_with_their_place(void **state)
{
    static const struct {
        const char *plan, *csv, *says;
        bl_status status;
    } cases[] = {
        {"{\"label\": \"y\"}", "x,y\n1,0\n2,\n",
         "'t.csv', row 1 (from 0), column 'y': the cell "
         "is missing, but every row needs a label",
         BL_E_DATA},
        {"{\"label\": \"y\", \"weight\": \"w\"}", "x,y,w\n1,0,1\n2,1,-1\n",
         "a negative weight, -1", BL_E_DATA},
        {"{\"label\": \"y\", \"weight\": \"w\"}", "x,y,w\n1,0,0\n2,1,0\n",
         "all 2 weights are 0", BL_E_DATA},
        {"{\"label\": \"y\", \"group\": \"g\"}", "x,y,g\n1,0,a\n2,1,b\n3,1,a\n",
         "row 2 (from 0), column 'g': group 'a' begins again", BL_E_DATA},
        {"{\"label_lower_bound\": \"l\", \"label_upper_bound\": \"u\"}",
         "x,l,u\n1,2,3\n1,4,3\n", "the lower bound 4 is above the upper bound 3",
         BL_E_DATA},
        {"{\"label\": {\"column\": \"y\", \"classes\": [\"a\"]}}", "x,y\n1,a\n2,b\n",
         "label 'b' is no class; the plan knows 1 of them", BL_E_DATA},
        {"{\"label\": \"y\", \"columns\": [{\"columns\": \"x\", \"steps\": "
         "[\"standardize\"]}]}",
         "x,y\n1,0\nhigh,1\n",
         "'t.csv', line 3, column 'x': 'high' is no number, but the column is read as "
         "numbers",
         BL_E_DATA},
        {"{\"label\": \"y\"}", "x,y\n1,0\nhigh,1\n",
         "the column holds both numbers and text ('high')", BL_E_DATA},
        {"{\"label\": \"y\", \"columns\": [{\"columns\": \"x\", \"steps\": [{\"date\": "
         "[\"day\"]}]}]}",
         "x,y\n2024-02-29,0\n29.2.2024,1\n",
         "row 1 (from 0), column 'x': '29.2.2024' is no date", BL_E_DATA},
        {"{\"columns\": [{\"columns\": [\"a\", \"b\"]}], \"pca\": {\"columns\": [\"a\", "
         "\"b\"], "
         "\"components\": 1}}",
         "a,b\n1,2\n3,\n4,5\n", "pca: column 'b' has missing cells", BL_E_CONFIG},
        {"{\"columns\": [{\"columns\": \"x\"}]}", "x,y\ncaf\xe9,0\nt\xc3\xa9,1\n",
         "is no UTF-8 text", BL_E_DATA},
        {"{\"label\": 1}", "caf\xe9,y\n1,0\n2,1\n", "of a column is no UTF-8 text",
         BL_E_DATA},
        {"{\"split\": {\"by\": \"stratified\", \"column\": \"x\", \"test\": 0.5}}",
         "x,y\n1,0\n2,1\n3,1\n4,1\n", "stratified by a column of 4 values in 4 rows",
         BL_E_CONFIG},
        {"{\"columns\": [{\"columns\": \"x\", \"steps\": [{\"clip\": [0, 1]}]}, "
         "{\"columns\": \"x=1\"}, "
         "{\"columns\": \"z\", \"type\": \"category\"}]}",
         "x,y\n1,0\n", "columns[1]: column 'x=1'", BL_E_CONFIG},
    };
    (void)state;
    for (size_t i = 0; i < BL_LEN(cases); i++) {
        met m;
        bl_status st = met_fit(&m, cases[i].plan, cases[i].csv, NULL);
        CHECK(st == cases[i].status && strstr(m.err.msg, cases[i].says), "%s: %d: %s",
              cases[i].plan, (int)st, m.err.msg);
        met_done(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_that_filters_leave),
        cmocka_unit_test(test_rows_are_split_as_asked),
        cmocka_unit_test(test_rows_keep_their_part_by_hash_when_the_data_grow),
        cmocka_unit_test(test_rows_and_roles_that_do_not_fit_are_told_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
