/* SPDX-License-Identifier: Apache-2.0 */
/* The peak of a reading, and counters beyond 32 bits. */
#include "ingest_test.h"

#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { BIG_ROWS = 400000, BIG_COLUMNS = 40 };

static void write_big(const char *path)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    char line[BIG_COLUMNS * 8];
    for (unsigned r = 0; r < BIG_ROWS; r++) {
        size_t n = (size_t)sprintf(line, "%u", r % 2);
        for (unsigned k = 1; k < BIG_COLUMNS; k++)
            n += (size_t)sprintf(line + n, ",%u.%u", (r * k) % 1000, k % 10);
        line[n++] = '\n';
        CHECK(fwrite(line, 1, n, file) == n, "write");
    }
    CHECK(fclose(file) == 0, "close");
}

/* The program called as `<name> --peak FILE`: reads it and prints the peak of the process. */
static int print_peak(const char *path)
{
    static bench b;
    struct rusage usage;
    setup(&b);
    bl_status st = bli_ingest_files(&b.ingest, &path, 1, &b.table, &b.err);
    getrusage(RUSAGE_SELF, &usage);
    if (st != BL_OK || b.table->n_rows != BIG_ROWS)
        return 1;
    printf("%ld\n", usage.ru_maxrss * 1024);
    return 0;
}

/* In a process of its own, so that nothing before counts. */
static long peak_of_reading(const char *path)
{
    char command[400];
    long peak = -1;
    snprintf(command, sizeof command, "'/proc/%d/exe' --peak '%s'", (int)getpid(), path);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    if (fscanf(out, "%ld", &peak) != 1)
        peak = -1;
    return pclose(out) == 0 ? peak : -1;
}

static void test_the_peak_is_at_most_twice_the_matrix_and_64_mb(void **state)
{
    (void)state;
    if (SANITIZED)
        SKIP("the sanitizer's own memory is in the way");
    char path[] = "/tmp/boostlens-big-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        fail_msg("no file in /tmp");
    close(fd);
    write_big(path);
    long peak = peak_of_reading(path);
    unlink(path);
    long matrix = (long)BIG_ROWS * (BIG_COLUMNS - 1) * 4;
    print_message("matrix %.1f MB, peak %.1f MB\n", (double)matrix / 1e6,
                  (double)peak / 1e6);
    CHECK(peak > 0, "the child failed");
    CHECK(peak <= 2 * matrix + 64000000, "peak %ld, matrix %ld", peak, matrix);
}

/* Row counters beyond 32 bits: a table that already holds 2^31 rows goes on counting. */
static void test_counters_pass_2_to_the_32(void **state)
{
    (void)state;
    bench b;
    setup(&b);
    READ(&b, "1,2\n");
    bl_use uses[] = {{BL_ROLE_DROP, 0, 0}, {BL_ROLE_FEATURE, 0, 1}};
    bl_column_state states[2] = {{0}};
    char *names[2] = {NULL, NULL};
    bl_build build = {
        .ingest = &b.ingest,
        .missing = bli_missing(&b.settings),
        .table = b.table,
        .layout = {.n_columns = 2,
                   .names = names,
                   .uses = uses,
                   .n_of = {[BL_ROLE_FEATURE] = 1}},
        .states = states,
        .block_rows = bli_block_rows(1),
        .cap_block = bli_block_rows(1),
        .cap_blocks = 1,
        .cap_rows = SIZE_MAX,
        .name = "t.csv",
        .uses = uses,
        .n_cells = 2,
    };
    const uint64_t before = (UINT64_C(1) << 32) - 2;
    b.table->n_rows = before;
    b.table->blocks[0].first_row = before - 1;
    b.table->files.file[0].n_rows = before;
    b.table->columns[0].n_missing = before;
    bl_cell cells[] = {{"1", 1}, {"", 0}};
    float *x = realloc(b.table->blocks[0].x, (size_t)build.block_rows * sizeof(float));
    assert_non_null(x);
    b.table->blocks[0].x = x;
    for (uint64_t r = 0; r < 4; r++) {
        bl_record record = {before + r, 2, cells};
        CHECK_OK(bli_build_record(&build, &record, &b.err), b.err);
    }
    CHECK(b.table->n_rows == before + 4 && b.table->columns[0].n_missing == before + 4,
          "counted");
    CHECK(b.table->files.file[0].n_rows == before + 4, "rows of the file");
    cells[1] = (bl_cell){"x", 1};
    bl_record record = {before + 4, 2, cells};
    bl_status st = bli_build_record(&build, &record, &b.err);
    CHECK_FAILS(st, BL_E_DATA, b.err, "line 4294967298,");
    teardown(&b);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--peak") == 0)
        return print_peak(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_peak_is_at_most_twice_the_matrix_and_64_mb),
        cmocka_unit_test(test_counters_pass_2_to_the_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
