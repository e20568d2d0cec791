/* SPDX-License-Identifier: Apache-2.0 */
/* The help is the table: every name, what it accepts and its default are in both forms. */
#include "folder.h"

static char *help(bool markdown)
{
    bl_buf out = {0};
    bl_err err = {0};
    CHECK_OK(bli_param_help(&out, markdown, &err), err);
    return out.data;
}

static void test_help_names_every_parameter_with_its_default(void **state)
{
    size_t n;
    const bl_param_def *def = bli_param_defs(&n);
    char *text = help(false), *markdown = help(true);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        char line[256];
        size_t at = (size_t)snprintf(line, sizeof line, "\n  %s", def[i].name);
        if (def[i].alias)
            at += (size_t)snprintf(line + at, sizeof line - at, " (%s)", def[i].alias);
        if (def[i].default_text[0])
            at += (size_t)snprintf(line + at, sizeof line - at, " = %s",
                                   def[i].default_text);
        snprintf(line + at, sizeof line - at, "\n");
        CHECK(strstr(text, line), "%s is missing", line);
        snprintf(line, sizeof line, "\n| `%s`", def[i].name);
        CHECK(strstr(markdown, line), "%s is missing", line);
    }
    free(text);
    free(markdown);
}

static void test_help_lines_fit_a_terminal(void **state)
{
    char *text = help(false);
    (void)state;
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        CHECK(n <= 88, "%.*s", (int)n, line);
        line += n + 1;
    }
    free(text);
}

/* Four cells a row: five bars that no backslash stands before. */
static void test_help_markdown_rows_have_four_cells(void **state)
{
    char *text = help(true);
    size_t n_rows = 0, n_defs;
    bli_param_defs(&n_defs);
    (void)state;
    for (char *line = text; *line;) {
        size_t n = strcspn(line, "\n"), bars = 0;
        for (size_t i = 0; i < n; i++)
            bars += line[i] == '|' && (i == 0 || line[i - 1] != '\\');
        if (*line == '|') {
            CHECK(bars == 5, "%zu bars: %.*s", bars, (int)n, line);
            n_rows += line[2] == '`';
        }
        line += n + 1;
    }
    assert_int_equal(n_rows, n_defs);
    free(text);
}

static void test_help_says_ranges_in_words(void **state)
{
    static const char *const says[] = {
        "| `eta` (`learning_rate`) | a number, 0 to 1 | `0.3` |",
        "| `subsample` | a number, above 0, at most 1 | `1` |",
        "between 1 and 2, neither included | `1.5` |",
        "| `lambda` (`reg_lambda`) | a number, 0 or more | `1` |",
        "| `base_score` | one or more numbers, as 0.1 or [0.1, 0.9] | |",
        "| `booster` | one of gbtree, gblinear, dart | `gbtree` |",
        "| `device` | only cpu | `cpu` |",
        "| `save_model_on_termination` | true or false | `false` |",
        "| `seed` (`random_state`) | a whole number | `0` |",
    };
    char *text = help(true);
    (void)state;
    for (size_t i = 0; i < BL_LEN(says); i++)
        CHECK(strstr(text, says[i]), "%s", says[i]);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_names_every_parameter_with_its_default),
        cmocka_unit_test(test_help_lines_fit_a_terminal),
        cmocka_unit_test(test_help_markdown_rows_have_four_cells),
        cmocka_unit_test(test_help_says_ranges_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
