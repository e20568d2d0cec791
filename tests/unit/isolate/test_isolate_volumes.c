/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of encryption: small trees of /proc and /sys, and this machine. */
#include "check.h"

#include "isolate/isolate.h"

#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Trees (trees/README.md) --------------------------------------------------------------- */

static void make_parents(char *path)
{
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
}

static void make_entry(const char *root, char *line)
{
    char path[1024];
    char *arrow = strstr(line, " -> "), *equals = strstr(line, " =");
    char *end = arrow ? arrow : equals;
    CHECK(end, "no line of a tree: %s", line);
    *end = '\0';
    snprintf(path, sizeof path, "%s/%s", root, line);
    make_parents(path);
    if (arrow) {
        CHECK(symlink(arrow + 4, path) == 0, "link %s", path);
        return;
    }
    FILE *file = fopen(path, "a");
    CHECK(file, "file %s", path);
    const char *text = equals[2] ? equals + 3 : "";
    size_t n = strlen(text);
    if (n > 1 && text[0] == '"' && text[n - 1] == '"')
        fprintf(file, "%.*s\n", (int)(n - 2), text + 1);
    else
        fprintf(file, "%s\n", text);
    fclose(file);
}

/* "PATH LEVEL WORDS", where PATH may hold a blank. */
static void check_expectation(const char *tree, const char *root, const char *line)
{
    static const char *const levels[] = {" not-encrypted ", " unknown ",
                                         " platform-asserted ", " proven "};
    for (size_t i = 0; i < BL_LEN(levels); i++) {
        const char *found = strstr(line, levels[i]);
        if (!found)
            continue;
        char path[256];
        bl_volumes volumes = {0};
        bl_err err = {0};
        snprintf(path, sizeof path, "%.*s", (int)(found - line), line);
        CHECK_OK(bli_volumes_add(&volumes, root, path, "p", &err), err);
        const bl_volume *v = volumes.volume;
        const char *words = found + strlen(levels[i]);
        CHECK(volumes.n >= 1 && v->level == (bl_encryption)i &&
                  strstr(v->evidence, words),
              "%s: %s: %s (%s)", tree, line, bli_encryption_name(v->level), v->evidence);
        bli_volumes_done(&volumes);
        return;
    }
    CHECK(line == NULL, "%s: no level in: %s", tree, line);
}

static size_t check_tree(const char *name)
{
    char path[1024], root[] = "/tmp/boostlens-tree-XXXXXX", line[1024];
    char expected[16][256];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/%s", TREES, name);
    FILE *file = fopen(path, "r");
    CHECK(file && mkdtemp(root), "%s", path);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "expect ", 7) == 0 && n < BL_LEN(expected))
            snprintf(expected[n++], sizeof expected[0], "%.255s", line + 7);
        else if (line[0] && line[0] != '#')
            make_entry(root, line);
    }
    fclose(file);
    for (size_t i = 0; i < n; i++)
        check_expectation(name, root, expected[i]);
    snprintf(line, sizeof line, "rm -rf %s", root);
    CHECK(system(line) == 0, "%s", line);
    return n;
}

static void test_volumes_every_tree_gets_the_level_it_expects(void **state)
{
    (void)state;
    DIR *dir = opendir(TREES);
    CHECK(dir, "%s", TREES);
    size_t n = 0;
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, ".tree"))
            n += check_tree(entry->d_name);
    closedir(dir);
    CHECK(n >= 30, "%zu expectations", n);
}

/* --- What is required ---------------------------------------------------------------------- */

static void add(bl_volumes *volumes, const char *name, bl_encryption level)
{
    bl_volume *v = &volumes->volume[volumes->n++];
    *v = (bl_volume){strdup(name), strdup("ext4"), strdup("8:1"), level, strdup("seen")};
}

static void test_volumes_the_first_below_the_level_is_named(void **state)
{
    (void)state;
    bl_volumes volumes = {.cap = 3, .volume = calloc(3, sizeof(bl_volume))};
    bl_err err = {0};
    add(&volumes, "input/data/train", BL_PROVEN);
    add(&volumes, "model", BL_ASSERTED);
    CHECK_OK(bli_volumes_require(&volumes, BL_ASSERTED, &err), err);
    CHECK_OK(bli_volumes_require(&volumes, BL_NOT_ENCRYPTED, &err), err);
    CHECK_FAILS(bli_volumes_require(&volumes, BL_PROVEN, &err), BL_E_CONFIG, err,
                "bl_require_encryption is proven, and the volume of 'model' is "
                "platform-asserted: ext4, seen. Nothing was read");
    add(&volumes, "/tmp", BL_UNKNOWN);
    CHECK_FAILS(bli_volumes_require(&volumes, BL_ASSERTED, &err), BL_E_CONFIG, err,
                "bl_require_encryption is asserted, and the volume of '/tmp' is unknown");
    bli_volumes_done(&volumes);
}

static void test_volumes_mounts_further_down_are_volumes_of_their_own(void **state)
{
    (void)state;
    char root[] = "/tmp/boostlens-tree-XXXXXX", line[1024];
    bl_volumes volumes = {0};
    bl_err err = {0};
    CHECK(mkdtemp(root), "mkdtemp");
    snprintf(line, sizeof line, "proc/self/mountinfo = 1 0 0:1 / / rw - overlay o rw");
    make_entry(root, line);
    snprintf(line, sizeof line,
             "proc/self/mountinfo = 2 1 0:2 / /job/input/data/train ro - nfs a:/ ro");
    make_entry(root, line);
    CHECK_OK(bli_volumes_add(&volumes, root, "/job/input", "input", &err), err);
    assert_int_equal(volumes.n, 2);
    assert_string_equal(volumes.volume[0].file_system, "overlay");
    assert_string_equal(volumes.volume[1].name, "input/data/train");
    assert_string_equal(volumes.volume[1].file_system, "nfs");
    assert_string_equal(volumes.volume[1].device, "0:2");
    bli_volumes_done(&volumes);
    snprintf(line, sizeof line, "rm -rf %s", root);
    CHECK(system(line) == 0, "%s", line);
}

static void
test_volumes_of_this_machine_are_found_and_a_missing_folder_is_none(void **state)
{
    (void)state;
    bl_volumes volumes = {0};
    bl_err err = {0};
    CHECK_OK(bli_volumes_add(&volumes, "", "/no/such/folder", "x", &err), err);
    assert_int_equal(volumes.n, 0);
    CHECK_OK(bli_volumes_add(&volumes, "", "/proc", "proc", &err), err);
    CHECK(volumes.n >= 1, "%zu", volumes.n);
    assert_string_equal(volumes.volume[0].file_system, "proc");
    assert_int_equal(volumes.volume[0].level, BL_UNKNOWN);
    bli_volumes_done(&volumes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_volumes_every_tree_gets_the_level_it_expects),
        cmocka_unit_test(test_volumes_the_first_below_the_level_is_named),
        cmocka_unit_test(test_volumes_mounts_further_down_are_volumes_of_their_own),
        cmocka_unit_test(
            test_volumes_of_this_machine_are_found_and_a_missing_folder_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
