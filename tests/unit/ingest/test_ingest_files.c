/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, links, gzip, pipes, digests, memory: files as files. One file, because all of it
 * shares one job folder. */
#include "ingest_test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <zlib.h>

static char root[64], train[128];

static int make_root(void **state)
{
    (void)state;
    strcpy(root, "/tmp/boostlens-ingest-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(train, sizeof train, "%s/input/data/train", root);
    char command[300];
    snprintf(command, sizeof command, "mkdir -p '%s'", train);
    return system(command);
}

static int remove_root(void **state)
{
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwX '%s'; rm -rf '%s'", root, root);
    return system(command);
}

/* Below root; folders are made on the way. */
static void put(const char *name, const void *bytes, size_t n)
{
    char path[512], command[700];
    snprintf(path, sizeof path, "%s/%s", root, name);
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", path);
    if (system(command) != 0)
        fail_msg("mkdir");
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    CHECK(fwrite(bytes, 1, n, file) == n && fclose(file) == 0, "%s", path);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void put_link(const char *target, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(symlink(target, path) == 0, "%s: %s", path, strerror(errno));
}

static bl_status read_channel(bench *b)
{
    teardown(b);
    b->err = (bl_err){0};
    b->heard = (heard){0};
    b->ingest.channel = "train";
    return bli_ingest_folder(&b->ingest, root, train, &b->table, &b->err);
}

static void test_files_of_any_depth_in_order_of_their_path(void **state)
{
    (void)state;
    put_text("input/data/train/some/prefix/2019-02-03/part-00025", "5,5\n");
    put_text("input/data/train/some/prefix/2019-02-02/part-00001", "1,1\n2,2");
    put_text("input/data/train/some/prefix/2019-02-03/part-00020", "3,3\r\n4,4");
    put_text("input/data/train/some.csv", "0,0\n");
    bench b;
    setup(&b);
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 6, "%d rows", (int)b.table->n_rows);
    for (size_t r = 0; r < 6; r++)
        CHECK(b.table->roles.labels[r] == (float)r, "row %zu", r);
    const bl_files *files = &b.table->files;
    CHECK(files->n == 4, "%zu files", files->n);
    assert_string_equal(files->file[0].path, "input/data/train/some.csv");
    assert_string_equal(files->file[3].path,
                        "input/data/train/some/prefix/2019-02-03/part-00025");
    CHECK(files->file[2].first_row == 3 && files->file[2].n_rows == 2, "rows of file 2");
    HEARD(&b, "'input/data/train/some.csv': 1 rows, 4 bytes");
    HEARD(&b, "train: 6 rows of 1 features from 4 files");
    teardown(&b);
}

static void test_hidden_and_empty_files_are_skipped_with_one_note(void **state)
{
    (void)state;
    put_text("input/data/train/a.csv", "1,2\n");
    put_text("input/data/train/_SUCCESS", "");
    put_text("input/data/train/.hidden", "not,to,be,read\n");
    put_text("input/data/train/_temporary/part-0", "not,to,be,read\n");
    put_text("input/data/train/deep/.ipynb_checkpoints/a.csv", "not,to,be,read\n");
    put_text("input/data/train/empty.csv", "");
    /* beside the channel: the platform's listing, and another channel */
    put_text("input/data/train-manifest", "s3://somewhere\n");
    put_text("input/data/other/b.csv", "7,8,9\n");
    bench b;
    setup(&b);
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 1 && b.table->files.n == 1, "one row");
    HEARD(&b, "train: skipped: 4 whose names begin with . or _, 1 empty files");
    CHECK(b.heard.n_of[BL_NOTE] == 1, "%s", b.heard.text);
    teardown(&b);
}

static void test_a_channel_without_data_is_refused(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    bl_status st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "train: No data in 'input/data/train' (0 files");
    put_text("input/data/train/empty.csv", "");
    put_text("input/data/train/_SUCCESS", "");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "No data in 'input/data/train' (0 files; 1 hidden and "
                "1 empty ones skipped)");
    put_text("input/data/train/blank.csv", "\n\n\n");
    b.settings.header = BL_HEADER_YES;
    put_text("input/data/train/only.csv", "y,a\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "not one row was found");
    teardown(&b);
}

static void test_links_lead_inside_the_root_only(void **state)
{
    (void)state;
    put_text("elsewhere/a.csv", "1,2\n");
    put_text("elsewhere/deep/b.csv", "3,4\n");
    put_link("../../../elsewhere/a.csv", "input/data/train/a.csv");
    put_link("../../../elsewhere/deep", "input/data/train/more");
    bench b;
    setup(&b);
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 2, "%d rows", (int)b.table->n_rows);
    assert_string_equal(b.table->files.file[1].path, "input/data/train/more/b.csv");
    put_link("/etc/passwd", "input/data/train/z.csv");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "train: 'input/data/train/z.csv' is a link that leads out of the job's");
    char path[256], sibling[256];
    snprintf(path, sizeof path, "%s/z.csv", train);
    unlink(path);
    /* a folder whose name begins as the root's does is outside */
    snprintf(sibling, sizeof sibling, "%s-more", root);
    CHECK(mkdir(sibling, 0700) == 0, "mkdir");
    put_link(sibling, "input/data/train/z.csv");
    st = read_channel(&b);
    rmdir(sibling);
    CHECK_FAILS(st, BL_E_DATA, b.err, "leads out of the job's folder");
    unlink(path);
    put_link("nowhere", "input/data/train/z.csv");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "'input/data/train/z.csv' is a link that leads nowhere");
    unlink(path);
    put_link("..", "input/data/train/z.csv");
    st = read_channel(&b);
    CHECK(st == BL_E_DATA, "%d %s", (int)st, b.err.msg);
    unlink(path);
    put_link(".", "input/data/train/z.csv");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "is a link back to a folder that holds it");
    teardown(&b);
}

static void test_what_is_no_file_is_refused(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    put_text("input/data/train/a.csv", "1,2\n");
    char path[256];
    snprintf(path, sizeof path, "%s/b.csv", train);
    bl_err err = {0};
    const char *const paths[] = {path}, *const folders[] = {root};
    bl_status st = bli_ingest_files(&b.ingest, paths, 1, &b.table, &err);
    CHECK_FAILS(st, BL_E_IO, err, "No such file");
    CHECK(err.sys_errno == ENOENT, "errno %d", err.sys_errno);
    st = bli_ingest_files(&b.ingest, folders, 1, &b.table, &err);
    CHECK_FAILS(st, BL_E_DATA, err, "is a folder; name its files");
    st = bli_ingest_folder(&b.ingest, root, path, &b.table, &err);
    CHECK(st != BL_OK && strstr(err.msg, "b.csv"), "%s", err.msg);
    st = bli_ingest_files(&b.ingest, NULL, 0, &b.table, &err);
    CHECK_FAILS(st, BL_E_DATA, err, "No data in the files given");
    CHECK(!b.table, "no table");
}

static void test_a_file_that_may_not_be_read_is_an_io_error(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    put_text("input/data/train/a.csv", "1,2\n");
    char path[256];
    snprintf(path, sizeof path, "%s/a.csv", train);
    CHECK(chmod(path, 0) == 0 && chmod(root, 0755) == 0, "chmod");
    /* root may read everything: become someone else for the call */
    bool is_root = geteuid() == 0;
    if (is_root && seteuid(65534) != 0)
        SKIP("cannot become another user");
    bl_status st = read_channel(&b);
    if (is_root && seteuid(0) != 0)
        fail_msg("cannot become root again");
    CHECK_FAILS(st, BL_E_IO, b.err, "'input/data/train/a.csv': open");
}

static void test_files_of_a_channel_agree(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    put_text("input/data/train/a.csv", "y,a,b\n1,2,3\n");
    put_text("input/data/train/b.csv", "b;y;a\n30;10;20\n");
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 2 && b.table->roles.labels[1] == 10, "matched by name");
    CELL_IS(b.table, 1, 0, 20.0F);
    put_text("input/data/train/b.csv", "1,2,3\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "'input/data/train/b.csv' does not begin with the "
                "header that 'input/data/train/a.csv' has");
    put_text("input/data/train/b.csv", "y,a,c\n1,2,3\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "lacks column 'b' of the other files");
    put_text("input/data/train/b.csv", "y,a,b,c\n1,2,3,4\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "has column 'c', which the other files have not");
    put_text("input/data/train/b.csv", "y,a,b,a\n1,2,3,4\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err, "two columns of the header have one name");
    put_text("input/data/train/a.csv", "1,2,3\n");
    put_text("input/data/train/b.csv", "y,a,b\n1,2,3\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "'input/data/train/b.csv', line 1 reads as a header");
    put_text("input/data/train/b.csv", "1,2\n");
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "'input/data/train/b.csv', line 1: 2 cells, expected 3");
    teardown(&b);
}

static void test_limits_on_files_and_depth(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    put_text("input/data/train/a.csv", "1,2\n");
    put_text("input/data/train/1/2/b.csv", "1,2\n");
    b.limits.files = 2;
    b.limits.folder_depth = 2;
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    b.limits.files = 1;
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_LIMIT, b.err, "more than 1 files");
    b.limits.files = 2;
    b.limits.folder_depth = 1;
    st = read_channel(&b);
    CHECK_FAILS(st, BL_E_LIMIT, b.err,
                "'input/data/train/1/2': folders lie deeper than 1");
    teardown(&b);
}

/* --- gzip --------------------------------------------------------------------------- */

static size_t pack(const char *text, size_t n, unsigned char *out, size_t cap)
{
    z_stream zip = {0};
    CHECK(deflateInit2(&zip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK,
          "zlib");
    zip.next_in = (unsigned char *)(uintptr_t)text;
    zip.avail_in = (unsigned)n;
    zip.next_out = out;
    zip.avail_out = (unsigned)cap;
    CHECK(deflate(&zip, Z_FINISH) == Z_STREAM_END, "deflate");
    size_t packed = cap - zip.avail_out;
    deflateEnd(&zip);
    return packed;
}

static void test_gzip_is_known_by_its_first_bytes(void **state)
{
    (void)state;
    unsigned char packed[4096];
    /* two members, the line between them cut in the middle, zeros at the end */
    size_t n = pack("1,2\n3,", 6, packed, sizeof packed);
    n += pack("4\n5,6\n", 6, packed + n, sizeof packed - n);
    memset(packed + n, 0, 512);
    bench b;
    setup(&b);
    b.ingest.channel = NULL;
    for (size_t chunk = 1; chunk < 5000; chunk = chunk * 3 + 1) {
        bl_read_how how = {.chunk_bytes = chunk};
        teardown(&b);
        bl_status st = bli_ingest_text_how(&b.ingest, "no-suffix", packed, n + 512, &how,
                                           &b.table, &b.err);
        CHECK_OK(st, b.err);
        CHECK(b.table->n_rows == 3, "%d rows", (int)b.table->n_rows);
        CELL_IS(b.table, 1, 0, 4.0F);
        CHECK(b.table->files.file[0].n_bytes == n + 512, "bytes as stored");
        char digest[BL_DIGEST_TEXT];
        CHECK_OK(bli_digest_bytes(packed, n + 512, digest, &b.err), b.err);
        assert_string_equal(b.table->files.file[0].sha256, digest);
    }
    teardown(&b);
    bl_status st = bli_ingest_text(&b.ingest, "cut.gz", packed, n - 9, &b.table, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "'cut.gz': the gzip data break off");
    packed[n] = 'x';
    st = bli_ingest_text(&b.ingest, "more.gz", packed, n + 1, &b.table, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "'more.gz': other bytes follow the end");
    packed[n - 5] ^= 1; /* the checksum of the second member */
    st = bli_ingest_text(&b.ingest, "bad.gz", packed, n, &b.table, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "'bad.gz': damaged gzip data");
    CHECK(!b.table, "no table");
    /* named .gz, but plain: by the bytes, not by the name */
    CHECK_OK(bli_ingest_text(&b.ingest, "a.csv.gz", "1,2\n", 4, &b.table, &b.err), b.err);
    teardown(&b);
}

/* --- Pipes, digests, stopping ------------------------------------------------------- */

static void *write_slowly(void *path)
{
    int fd = open(path, O_WRONLY);
    const char text[] = "1,2\n3,4\r\n5,\"6\"\n7,8";
    for (size_t i = 0; fd >= 0 && i < sizeof text - 1; i++)
        if (write(fd, text + i, 1) != 1)
            break;
    close(fd);
    return NULL;
}

static void test_a_pipe_is_read_front_to_back(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    char path[256];
    snprintf(path, sizeof path, "%s/pipe", train);
    CHECK(mkfifo(path, 0600) == 0, "mkfifo");
    pthread_t writer;
    CHECK(pthread_create(&writer, NULL, write_slowly, path) == 0, "thread");
    const char *const paths[] = {path};
    bl_status st = bli_ingest_files(&b.ingest, paths, 1, &b.table, &b.err);
    pthread_join(writer, NULL);
    CHECK_OK(st, b.err);
    CHECK(b.table->n_rows == 4 && b.table->files.file[0].n_bytes == 18, "all of it");
    CELL_IS(b.table, 2, 0, 6.0F);
    teardown(&b);
}

static void test_the_digest_is_that_of_the_file(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    put_text("input/data/train/a.csv", "\xef\xbb\xbf"
                                       "1,2\r\n\r\n");
    bl_status st = read_channel(&b);
    CHECK_OK(st, b.err);
    char path[256], digest[BL_DIGEST_TEXT];
    snprintf(path, sizeof path, "%s/a.csv", train);
    CHECK_OK(bli_digest_file(path, digest, &b.err), b.err);
    assert_string_equal(b.table->files.file[0].sha256, digest);
    teardown(&b);
}

typedef struct asked {
    unsigned n, stop_at;
} asked;

static bool ask(void *cookie)
{
    asked *a = cookie;
    return ++a->n >= a->stop_at;
}

static void test_reading_stops_on_request(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    enum { ROWS = 100000 };
    char *text = malloc(ROWS * 4 + 1);
    assert_non_null(text);
    for (size_t r = 0; r < ROWS; r++)
        memcpy(text + 4 * r, "1,2\n", 5);
    asked a = {0, 3};
    b.ingest.cancelled = ask;
    b.ingest.cookie = &a;
    REFUSED(&b, text, BL_E_CANCELLED, "stopped on request");
    CHECK(a.n == 3 && !b.table, "asked %u times", a.n);
    a = (asked){0, UINT32_MAX};
    READ(&b, text);
    CHECK(a.n > 3, "asked %u times", a.n);
    free(text);
    teardown(&b);
}

/* --- Peeking ------------------------------------------------------------------------ */

static void test_peeking_reads_two_records_of_each_file(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    b.ingest.channel = "train";
    put_text("input/data/train/a.csv", "y,a\n1,2\nno,number\nx\n");
    put_text("input/data/train/b.csv", "y,a\n3,4\n");
    CHECK_OK(bli_ingest_peek(&b.ingest, root, train, &b.err), b.err);
    put_text("input/data/train/b.csv", "y,a\nx,4\n");
    bl_status st = bli_ingest_peek(&b.ingest, root, train, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err,
                "train: 'input/data/train/b.csv', line 2, column 'y'");
    put_text("input/data/train/b.csv", "y,a\n1\n");
    st = bli_ingest_peek(&b.ingest, root, train, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "line 2: 1 cell, expected 2");
    put_text("input/data/train/b.csv", "y,b\n1,2\n");
    st = bli_ingest_peek(&b.ingest, root, train, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "lacks column 'a'");
    put_text("input/data/train/b.csv", "y,a\n1,2\n");
    /* nobody writes to it: reading would wait for ever */
    char path[256];
    snprintf(path, sizeof path, "%s/pipe", train);
    CHECK(mkfifo(path, 0600) == 0, "mkfifo");
    CHECK_OK(bli_ingest_peek(&b.ingest, root, train, &b.err), b.err);
}

#define IN_ROOT(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ROOT(test_files_of_any_depth_in_order_of_their_path),
        IN_ROOT(test_hidden_and_empty_files_are_skipped_with_one_note),
        IN_ROOT(test_a_channel_without_data_is_refused),
        IN_ROOT(test_links_lead_inside_the_root_only),
        IN_ROOT(test_what_is_no_file_is_refused),
        IN_ROOT(test_a_file_that_may_not_be_read_is_an_io_error),
        IN_ROOT(test_files_of_a_channel_agree),
        IN_ROOT(test_limits_on_files_and_depth),
        cmocka_unit_test(test_gzip_is_known_by_its_first_bytes),
        IN_ROOT(test_a_pipe_is_read_front_to_back),
        IN_ROOT(test_the_digest_is_that_of_the_file),
        cmocka_unit_test(test_reading_stops_on_request),
        IN_ROOT(test_peeking_reads_two_records_of_each_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
