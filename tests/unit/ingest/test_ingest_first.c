/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest_test.h"
static void test_numbers(void **state)
{
    (void)state;
    bench b; setup(&b);
    READ(&b, "1,2,3\n0,,5.5\n");
    CHECK(b.table->n_rows == 2 && b.table->n_features == 2, "shape");
    CELL_IS(b.table, 0, 0, 2.0F);
    CELL_IS(b.table, 1, 0, NAN);
    READ(&b, "y,a,b\n1,2,3\n0,NA,5.5\n");
    printf("%s", b.heard.text);
    REFUSED(&b, "1,2,3\n0,x,5.5\n", BL_E_DATA, "x");
    printf("%s\n", b.err.msg);
    REFUSED(&b, "1,2,3\n0,5.5\n", BL_E_DATA, "2 cells, expected 3");
    printf("%s\n", b.err.msg);
    REFUSED(&b, "120,4,setosa,versicolor,virginica\n1,2,3,4,5\n", BL_E_DATA, "bl_header");
    printf("%s\n", b.err.msg);
    teardown(&b);
}
int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
