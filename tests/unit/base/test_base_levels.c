/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/levels.h"

#include <stdlib.h>

static uint32_t add(bl_levels *levels, const char *text)
{
    uint32_t code = BL_NO_LEVEL;
    bl_err err = {0};
    CHECK_OK(bli_levels_add(levels, text, strlen(text), 100000, &code, &err), err);
    return code;
}

static void test_levels_sort_by_bytes_and_keep_their_rows(void **state)
{
    (void)state;
    bl_levels *levels = NULL;
    bl_err err = {0};
    CHECK_OK(bli_levels_new(&levels, &err), err);
    static const char *const texts[] = {"b", "B", "10", "9", "", "bb", "\xc3\xa9"};
    for (uint32_t i = 0; i < 7; i++)
        CHECK(add(levels, texts[i]) == i && add(levels, texts[i]) == i, "%s", texts[i]);
    uint32_t moved[7];
    CHECK_OK(bli_levels_sort(levels, moved, &err), err);
    static const char *const sorted[] = {"", "10", "9", "B", "b", "bb", "\xc3\xa9"};
    for (uint32_t i = 0; i < 7; i++) {
        CHECK(strcmp(bli_levels_text(levels, i), sorted[i]) == 0, "%u", i);
        CHECK(strcmp(bli_levels_text(levels, moved[i]), texts[i]) == 0, "%u", i);
        CHECK(bli_levels_find(levels, texts[i], strlen(texts[i])) == moved[i], "%u", i);
    }
    CHECK(bli_levels_find(levels, "1", 1) == BL_NO_LEVEL, "a prefix is no level");
    bli_levels_free(levels);
}

static void test_many_levels_are_found_and_the_limit_holds(void **state)
{
    (void)state;
    bl_levels *levels = NULL, *copy = NULL;
    bl_err err = {0};
    CHECK_OK(bli_levels_new(&levels, &err), err);
    char text[16];
    for (int i = 0; i < 5000; i++) {
        snprintf(text, sizeof text, "level %d", i);
        add(levels, text);
    }
    uint32_t code;
    CHECK_FAILS(bli_levels_add(levels, "more", 4, 5000, &code, &err), BL_E_LIMIT, err,
                "more than 5000 different levels");
    CHECK_OK(bli_levels_copy(levels, &copy, &err), err);
    bli_levels_free(levels);
    CHECK(bli_levels_count(copy) == 5000, "count");
    CHECK(bli_levels_find(copy, "level 4321", 10) == 4321, "copied");
    bli_levels_free(copy);
    bli_levels_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels_sort_by_bytes_and_keep_their_rows),
        cmocka_unit_test(test_many_levels_are_found_and_the_limit_holds),
    };
    return cmocka_run_group_tests_name("levels", tests, NULL, NULL);
}
