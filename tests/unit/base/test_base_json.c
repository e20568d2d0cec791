/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/json.h"

#include <stdlib.h>

static void test_the_emitter_writes_what_jansson_reads_back(void **state)
{
    (void)state;
    bl_buf buf = {0};
    bl_jw jw = {.buf = &buf};
    bli_jw_object(&jw);
    bli_jw_key(&jw, "name");
    bli_jw_text(&jw, "a\"b\\\n\xc3\xa9\xff");
    bli_jw_key(&jw, "numbers");
    bli_jw_list(&jw, true);
    bli_jw_double(&jw, 0.1);
    bli_jw_double(&jw, (double)NAN);
    bli_jw_int(&jw, -3);
    bli_jw_list_end(&jw);
    bli_jw_key(&jw, "empty");
    bli_jw_object(&jw);
    bli_jw_object_end(&jw);
    bli_jw_key(&jw, "list");
    bli_jw_list(&jw, false);
    bli_jw_bool(&jw, true);
    bli_jw_object(&jw);
    bli_jw_key(&jw, "x");
    bli_jw_null(&jw);
    bli_jw_object_end(&jw);
    bli_jw_list_end(&jw);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    const char *want =
        "{\n  \"name\": \"a\\\"b\\\\\\u000a\xc3\xa9\xef\xbf\xbd\",\n"
        "  \"numbers\": [0.1, null, -3],\n  \"empty\": {},\n"
        "  \"list\": [\n    true,\n    {\n      \"x\": null\n    }\n  ]\n}\n";
    CHECK(strcmp(buf.data, want) == 0, "%s", buf.data);
    bl_err err = {0};
    json_t *value = NULL;
    CHECK_OK(bli_json_parse(buf.data, buf.n, &value, &err), err);
    CHECK(json_real_value(json_array_get(json_object_get(value, "numbers"), 0)) == 0.1,
          "0.1");
    json_decref(value);
    bli_buf_done(&buf);
}

static void test_broken_json_is_refused_with_line_and_column(void **state)
{
    (void)state;
    bl_err err = {0};
    json_t *value = (json_t *)&err;
    const char *text = "{\"a\": 1,\n \"b\" 2}";
    CHECK_FAILS(bli_json_parse(text, strlen(text), &value, &err), BL_E_CONFIG, err,
                "line 2, column 6");
    CHECK(value == (json_t *)&err, "output written");
    CHECK_FAILS(bli_json_parse("{\"a\":1,\"a\":2}", 13, &value, &err), BL_E_CONFIG, err,
                "duplicate");
    CHECK_FAILS(bli_json_parse("", 0, &value, &err), BL_E_CONFIG, err, "line 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_emitter_writes_what_jansson_reads_back),
        cmocka_unit_test(test_broken_json_is_refused_with_line_and_column),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
