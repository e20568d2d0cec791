/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>

static void test_failing_fills_the_error_and_returns_its_status(void **state)
{
    (void)state;
    bl_err err = {0};
    CHECK(bli_fail(&err, BL_E_DATA, "line %d", 3) == BL_E_DATA, "status");
    CHECK(err.status == BL_E_DATA && strcmp(err.msg, "line 3") == 0, "%s", err.msg);
    CHECK(bli_fail(NULL, BL_E_DATA, "nobody listens") == BL_E_DATA, "NULL");
    bli_fail_errno(&err, BL_E_IO, ENOENT, "'a.csv': open");
    CHECK(strcmp(err.msg, "'a.csv': open: No such file or directory") == 0, "%s",
          err.msg);
    CHECK(err.sys_errno == ENOENT, "errno %d", err.sys_errno);
}

static void test_a_prefix_goes_before_and_the_tail_is_cut(void **state)
{
    (void)state;
    bl_err err = {0};
    bli_fail(&err, BL_E_DATA, "%01000d", 7);
    bli_err_prefix(&err, "%s", "train channel: 'a.csv'");
    CHECK(strncmp(err.msg, "train channel: 'a.csv': 000", 27) == 0, "%s", err.msg);
    CHECK(strlen(err.msg) == BL_ERR_BYTES - 1, "%zu", strlen(err.msg));
}

static void test_every_status_has_a_name_and_an_exit_code(void **state)
{
    (void)state;
    for (int s = BL_OK; s <= BL_E_INTERNAL; s++)
        CHECK(strncmp(bl_status_name((bl_status)s), "BL_", 3) == 0, "%d", s);
    CHECK(bli_status_exit_code(BL_E_CONFIG) == 1 && bli_status_exit_code(BL_E_IO) == 74 &&
              bli_status_exit_code(BL_E_CANCELLED) == 143 &&
              bli_status_exit_code(BL_E_INTERNAL) == 70,
          "codes");
}

static void test_products_that_overflow_are_seen(void **state)
{
    (void)state;
    size_t product;
    CHECK(!bli_mul(SIZE_MAX / 2, 3, &product), "overflow");
    CHECK(bli_mul(3, 4, &product) && product == 12, "12");
    bl_err err = {0};
    void *array = NULL;
    size_t cap = 0;
    CHECK_FAILS(bli_grow(&array, &cap, SIZE_MAX / 4, 16, "rows", &err), BL_E_NOMEM, err,
                "no memory for rows");
    CHECK(!array && cap == 0, "output written");
}

static void test_a_buffer_collects_text(void **state)
{
    (void)state;
    bl_buf buf = {0};
    bl_err err = {0};
    for (int i = 0; i < 1000; i++)
        bli_buf_printf(&buf, "%d,", i);
    bli_buf_char(&buf, '\n');
    CHECK_OK(bli_buf_check(&buf, "text", &err), err);
    CHECK(buf.n == 3891 && strncmp(buf.data, "0,1,2,", 6) == 0, "%zu", buf.n);
    CHECK(buf.data[buf.n] == '\0', "no end");
    bli_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failing_fills_the_error_and_returns_its_status),
        cmocka_unit_test(test_a_prefix_goes_before_and_the_tail_is_cut),
        cmocka_unit_test(test_every_status_has_a_name_and_an_exit_code),
        cmocka_unit_test(test_products_that_overflow_are_seen),
        cmocka_unit_test(test_a_buffer_collects_text),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
