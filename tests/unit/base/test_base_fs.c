/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/digest.h"
#include "base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/boostlens-fs-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static int count_files(void)
{
    int n = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return -1;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 2;
}

static const char *at(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void test_a_file_is_whole_or_absent(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_output output;
    CHECK_OK(bli_output_open(at("whole"), 0640, &output, &err), err);
    fputs("half", output.file);
    CHECK(!bli_exists(at("whole")), "there before commit");
    bli_output_abort(&output);
    CHECK(count_files() == 0, "something left after abort");
    CHECK_OK(bli_write_file(at("whole"), 0640, "all", 3, &err), err);
    struct stat st;
    CHECK(stat(at("whole"), &st) == 0 && st.st_size == 3 && (st.st_mode & 07777) == 0640,
          "mode %o", st.st_mode);
    CHECK(count_files() == 1, "a temporary file is left");
}

static void test_a_full_disk_leaves_nothing(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_output output;
    if (access("/dev/full", W_OK) != 0)
        SKIP("no /dev/full");
    CHECK_OK(bli_output_open(at("full"), 0644, &output, &err), err);
    /* The real stream, on the device that is always full. */
    CHECK(freopen("/dev/full", "w", output.file), "freopen");
    fputs("does not fit", output.file);
    CHECK_FAILS(bli_output_commit(&output, &err), BL_E_IO, err,
                "No space left on device");
    CHECK(!bli_exists(at("full")), "half a file is left");
    CHECK(count_files() == 1, "a temporary file is left");
}

static void write_named(const char *path, const char *text)
{
    bl_err err = {0};
    bl_output output;
    CHECK_OK(bli_output_open_named(path, 0600, &output, &err), err);
    fputs(text, output.file);
    CHECK_OK(bli_output_commit(&output, &err), err);
}

static void check_content(const char *path, const char *want)
{
    bl_err err = {0};
    bl_buf found = {0};
    CHECK_OK(bli_read_file(path, 100, &found, &err), err);
    CHECK(strcmp(found.data, want) == 0, "'%s' holds '%s'", path, found.data);
    bli_buf_done(&found);
}

static void test_an_output_replaces_a_link_and_a_named_one_follows_it(void **state)
{
    (void)state;
    bl_err err = {0};
    struct stat info;
    char link[256], behind[256];
    snprintf(link, sizeof link, "%s", at("link"));
    snprintf(behind, sizeof behind, "%s", at("behind"));
    CHECK_OK(bli_write_file(behind, 0600, "old", 3, &err), err);
    CHECK(symlink("behind", link) == 0, "symlink");
    write_named(link, "named");
    CHECK(lstat(link, &info) == 0 && S_ISLNK(info.st_mode), "the link is gone");
    check_content(behind, "named");
    CHECK_OK(bli_write_file(link, 0600, "ours", 4, &err), err);
    CHECK(lstat(link, &info) == 0 && S_ISREG(info.st_mode), "the link was followed");
    check_content(link, "ours");
    check_content(behind, "named");
    unlink(behind);
    unlink(link);
}

static void test_an_output_replaces_a_pipe_and_a_named_one_goes_into_it(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_output output;
    struct stat info;
    char path[256], text[8] = {0};
    snprintf(path, sizeof path, "%s", at("pipe"));
    CHECK(mkfifo(path, 0600) == 0, "mkfifo");
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    CHECK(reader >= 0, "open");
    write_named(path, "all");
    CHECK(read(reader, text, sizeof text) == 3 && strcmp(text, "all") == 0, "'%s'", text);
    close(reader);
    CHECK(lstat(path, &info) == 0 && S_ISFIFO(info.st_mode), "the pipe is gone");
    /* Nobody reads it now: an output that opened it would wait for ever. */
    CHECK_OK(bli_write_file(path, 0600, "ours", 4, &err), err);
    check_content(path, "ours");
    unlink(path);
    CHECK_FAILS(bli_output_open_named(folder, 0600, &output, &err), BL_E_ARG, err,
                "is a folder; a file is expected");
}

static void test_a_missing_folder_is_named(void **state)
{
    (void)state;
    bl_err err = {0};
    CHECK_FAILS(bli_write_file(at("none/x"), 0644, "", 0, &err), BL_E_IO, err,
                "none/x': create: No such file");
    CHECK_OK(bli_make_folder(at("a/b/c"), 0755, &err), err);
    CHECK(bli_is_folder(at("a/b/c")), "not made");
}

static void test_reading_is_bounded(void **state)
{
    (void)state;
    bl_err err = {0};
    bl_buf buf = {0};
    CHECK_FAILS(bli_read_file(at("whole"), 2, &buf, &err), BL_E_LIMIT, err,
                "larger than 2 bytes");
    CHECK_OK(bli_read_file(at("whole"), 3, &buf, &err), err);
    CHECK(buf.n == 3 && strcmp(buf.data, "all") == 0, "%s", buf.data);
    bli_buf_done(&buf);
}

static void test_digests_are_sha256(void **state)
{
    (void)state;
    bl_err err = {0};
    char hex[BL_DIGEST_TEXT];
    /* FIPS 180-4's example. */
    CHECK_OK(bli_digest_bytes("abc", 3, hex, &err), err);
    CHECK(strcmp(hex,
                 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad") == 0,
          "%s", hex);
    CHECK_FAILS(bli_digest_file(at("nothing"), hex, &err), BL_E_IO, err, "No such file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_whole_or_absent),
        cmocka_unit_test(test_a_full_disk_leaves_nothing),
        cmocka_unit_test(test_an_output_replaces_a_link_and_a_named_one_follows_it),
        cmocka_unit_test(test_an_output_replaces_a_pipe_and_a_named_one_goes_into_it),
        cmocka_unit_test(test_a_missing_folder_is_named),
        cmocka_unit_test(test_reading_is_bounded),
        cmocka_unit_test(test_digests_are_sha256),
    };
    return cmocka_run_group_tests_name("fs", tests, make_folder, remove_folder);
}
