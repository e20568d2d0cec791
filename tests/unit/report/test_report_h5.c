/* SPDX-License-Identifier: Apache-2.0 */
/* attributions.h5 read back by the HDF5 library; its bytes; what happens when writing
 * fails. */
#include "check.h"

#include "made.h"

#include "base/fs.h"

#include <hdf5.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* A whole dataset, as h5py would read it. */
static void *read_all(hid_t file, const char *name, hid_t type, int rank,
                      const hsize_t *dims)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    CHECK(dataset >= 0, "no dataset %s", name);
    hid_t space = H5Dget_space(dataset);
    hsize_t found[3] = {0};
    size_t n = 1;
    CHECK(H5Sget_simple_extent_ndims(space) == rank, "%s has another rank than %d", name,
          rank);
    H5Sget_simple_extent_dims(space, found, NULL);
    for (int i = 0; i < rank; i++) {
        CHECK(found[i] == dims[i], "%s: dimension %d is %llu", name, i,
              (unsigned long long)found[i]);
        n *= (size_t)dims[i];
    }
    void *values = calloc(n ? n : 1, H5Tget_size(type));
    assert_non_null(values);
    CHECK(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0, "%s", name);
    H5Sclose(space);
    H5Dclose(dataset);
    return values;
}

static float *read_floats(hid_t file, const char *name, int rank, hsize_t a, hsize_t b,
                          hsize_t c)
{
    hsize_t dims[3] = {a, b, c};
    return read_all(file, name, H5T_NATIVE_FLOAT, rank, dims);
}

static bool same_bits(float a, float b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

static void check_file(const bl_made *made, const char *path)
{
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CHECK(file >= 0, "cannot open %s", path);
    uint64_t n = made->n_rows;
    size_t f = made->n_features;
    size_t k = made->n_outputs;
    int more = k > 1;
    float *values = read_floats(file, "values", 2 + more, n, f, k);
    float *base = read_floats(file, "base_values", 1 + more, n, k, 0);
    float *margins = read_floats(file, "margins", 1 + more, n, k, 0);
    float *data = read_floats(file, "data", 2, n, f, 0);
    hsize_t one[1] = {n};
    int64_t *row = read_all(file, "row", H5T_NATIVE_INT64, 1, one);
    for (uint64_t i = 0; i < n; i++) {
        CHECK(row[i] == (int64_t)(i * made->row_step), "row %llu", (unsigned long long)i);
        for (size_t o = 0; o < k; o++) {
            CHECK(same_bits(margins[i * k + o], made_margin(made, i, o)), "margin");
            CHECK(same_bits(base[i * k + o], made_phi(made, i, o, f)), "base value");
            for (size_t c = 0; c < f; c++)
                CHECK(same_bits(values[(i * f + c) * k + o], made_phi(made, i, o, c)),
                      "value of row %llu, feature %zu, output %zu", (unsigned long long)i,
                      c, o);
        }
        for (size_t c = 0; c < f; c++)
            CHECK(same_bits(data[i * f + c], made_x(made, i, c)), "data");
    }
    free(values);
    free(base);
    free(margins);
    free(data);
    free(row);
    H5Fclose(file);
}

static const bl_h5_options plain = {.with_data = true};
static const bl_h5_options packed = {.compress = true, .with_data = true};

static void check_round_trip(bl_made made, const bl_h5_options *options,
                             uint64_t batch_rows)
{
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "attributions.h5");
    bl_schema *schema = made_schema(made.n_features, NULL);
    const char *objective = made.n_outputs > 1 ? "multi:softprob" : "binary:logistic";
    CHECK_OK(made_write(&made, path, schema, options, batch_rows, objective, &err), err);
    CHECK(made_count_files(folder) == 1, "something is left beside the file");
    check_file(&made, path);
    bl_buf whole = made_read(path);
    uint64_t size = whole.n;
    bli_buf_done(&whole);
    const bl_h5_options with_data = {.with_data = true};
    uint64_t most =
        bli_h5_estimate_of(made.n_rows, made.n_features, made.n_outputs, &with_data);
    /* Rows of an unknown number fill whole chunks. */
    CHECK(size <= most || made.unknown, "%llu bytes, estimated at most %llu",
          (unsigned long long)size, (unsigned long long)most);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

static void test_h5_holds_what_came(void **state)
{
    (void)state;
    for (int noisy = 0; noisy < 2; noisy++) {
        /* 5 chunks and a part of one; batches that meet chunks nowhere. */
        bl_made one = {.n_features = 23,
                       .n_outputs = 1,
                       .n_rows = 60000,
                       .row_step = 3,
                       .noisy = noisy};
        bl_made several = {.n_features = 11,
                           .n_outputs = 7,
                           .n_rows = 20000,
                           .row_step = 1,
                           .noisy = noisy};
        check_round_trip(one, &packed, 7001);
        check_round_trip(several, &packed, 6000);
        check_round_trip(several, &plain, 6000);
    }
}

static void test_h5_of_more_than_one_round_of_chunks(void **state)
{
    (void)state;
    /* 1 row a chunk and more chunks than are packed side by side. */
    bl_made wide = {.n_features = 300000, .n_outputs = 1, .n_rows = 37, .row_step = 1};
    check_round_trip(wide, &packed, 5);
    check_round_trip(wide, &plain, 5);
}

static void test_h5_of_few_rows_and_one_feature(void **state)
{
    (void)state;
    for (uint64_t rows = 0; rows < 3; rows++) {
        bl_made made = {.n_features = 1, .n_outputs = 1, .n_rows = rows, .row_step = 1};
        check_round_trip(made, &packed, 1);
        check_round_trip(made, &plain, 1);
        made.n_outputs = 500;
        check_round_trip(made, &packed, 1);
    }
}

static bl_buf bytes_with(bl_h5_options options, int n_threads, uint64_t batch_rows)
{
    bl_err err = {0};
    bl_made made = {.n_features = 30, .n_outputs = 3, .n_rows = 30000, .row_step = 1};
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(made.n_features, NULL);
    options.n_threads = n_threads;
    CHECK_OK(
        made_write(&made, path, schema, &options, batch_rows, "multi:softprob", &err),
        err);
    bl_buf bytes = made_read(path);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
    return bytes;
}

static void test_h5_bytes_do_not_depend_on_threads_batches_or_time(void **state)
{
    (void)state;
    bl_buf first = bytes_with(packed, 1, 4096);
    sleep(1); /* HDF5's own time stamps have whole seconds */
    static const struct {
        int n_threads;
        uint64_t batch_rows;
    } others[] = {{1, 4096}, {2, 4096}, {3, 4096}, {7, 4096}, {2, 999}, {3, 30000}};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        mallopt(M_PERTURB, 17 * (int)i + 1); /* fresh memory differs; the file must not */
        bl_buf other = bytes_with(packed, others[i].n_threads, others[i].batch_rows);
        CHECK(other.n == first.n && memcmp(other.data, first.data, first.n) == 0,
              "other bytes with %d threads and %llu rows a batch", others[i].n_threads,
              (unsigned long long)others[i].batch_rows);
        bli_buf_done(&other);
    }
    mallopt(M_PERTURB, 0);
    bl_buf unpacked = bytes_with(plain, 1, 100);
    bl_buf again = bytes_with(plain, 2, 30000);
    CHECK(again.n == unpacked.n && memcmp(again.data, unpacked.data, again.n) == 0,
          "plain");
    CHECK(first.n < unpacked.n / 2, "%zu bytes packed, %zu plain", first.n, unpacked.n);
    bli_buf_done(&first);
    bli_buf_done(&unpacked);
    bli_buf_done(&again);
}

static void check_text(hid_t file, const char *name, size_t n, const char *const *want)
{
    hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    CHECK(dataset >= 0, "no %s", name);
    hid_t type = H5Dget_type(dataset);
    size_t width = H5Tget_size(type);
    char *text = calloc(n + 1, width);
    assert_non_null(text);
    CHECK(H5Tget_cset(type) == H5T_CSET_UTF8, "%s is not UTF-8", name);
    CHECK(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0, "%s", name);
    for (size_t i = 0; i < n; i++)
        CHECK(strncmp(text + i * width, want[i], width) == 0,
              "%s %zu is '%.*s', not '%s'", name, i, (int)width, text + i * width,
              want[i]);
    free(text);
    H5Tclose(type);
    H5Dclose(dataset);
}

static void test_h5_text_is_clean_utf8(void **state)
{
    (void)state;
    const char *const names[] = {"plain", "\xc3\xa4\xe2\x82\xac", "bad\xff\xc3", "",
                                 "a,\"b\n"};
    const char *const cleaned[] = {"plain", "\xc3\xa4\xe2\x82\xac",
                                   "bad\xef\xbf\xbd\xef\xbf\xbd", "", "a,\"b\n"};
    /* Four texts; the selection takes the first and the third. */
    char text[] = "k1long-key\xc3\xa9\xfe";
    uint64_t offset[] = {0, 2, 10, 13, 13};
    char cust[] = "cust/omer";
    char dot[] = ".";
    bl_text_column ids[] = {
        {cust, text, offset}, {cust, text, offset}, {dot, text, offset}};
    const char *const want_ids[] = {"k1", "\xc3\xa9\xef\xbf\xbd"};
    const float labels[] = {5, 6, 7, 8};
    bl_made made = {.n_features = 5, .n_outputs = 1, .n_rows = 2, .row_step = 2};
    for (int compress = 0; compress < 2; compress++) {
        bl_h5_options options = {
            .compress = compress,
            .with_data = true,
            .labels = labels,
            .n_labels = 1,
            .ids = ids,
            .n_ids = 3,
        };
        bl_err err = {0};
        char *folder = made_folder();
        char *path = made_path(folder, "a.h5");
        bl_schema *schema = made_schema(5, names);
        CHECK_OK(made_write(&made, path, schema, &options, 2, "reg:squarederror", &err),
                 err);
        hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
        check_text(file, "feature_names", 5, cleaned);
        check_text(file, "id/cust_omer", 2, want_ids);
        check_text(file, "id/cust_omer_2", 2, want_ids);
        check_text(file, "id/._", 2, want_ids);
        float *read = read_floats(file, "labels", 1, 2, 0, 0);
        CHECK(read[0] == 5 && read[1] == 7, "labels %g %g", (double)read[0],
              (double)read[1]);
        free(read);
        H5Fclose(file);
        bli_schema_free(schema);
        free(path);
        made_folder_remove(folder);
    }
}

static void test_h5_without_data_has_none(void **state)
{
    (void)state;
    const float labels[] = {1, 0, 1};
    bl_h5_options options = {.compress = true, .labels = labels, .n_labels = 1};
    bl_made made = {.n_features = 2, .n_outputs = 1, .n_rows = 3, .row_step = 1};
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(2, NULL);
    CHECK_OK(made_write(&made, path, schema, &options, 3, "binary:logistic", &err), err);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    CHECK(H5Lexists(file, "data", H5P_DEFAULT) == 0, "data are there");
    CHECK(H5Lexists(file, "labels", H5P_DEFAULT) == 0, "labels are there");
    CHECK(H5Lexists(file, "values", H5P_DEFAULT) > 0, "values are not there");
    float *predictions = read_floats(file, "predictions", 1, 3, 0, 0);
    double margin = (double)made_margin(&made, 1, 0);
    CHECK(relative_error((double)predictions[1], 1 / (1 + exp(-margin))) < 1e-6,
          "prediction %g", (double)predictions[1]);
    free(predictions);
    H5Fclose(file);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

/* --- Failure ------------------------------------------------------------------------ */

/* Writes past `bytes` of a file fail as they do on a full disk. */
static void check_failing_at(const bl_h5_options *options, rlim_t bytes)
{
    bl_made made = {
        .n_features = 20, .n_outputs = 2, .n_rows = 20000, .row_step = 1, .noisy = true};
    bl_err err = {0};
    struct rlimit before;
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(made.n_features, NULL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {bytes, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bl_status status =
        made_write(&made, path, schema, options, 5000, "multi:softprob", &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    CHECK_FAILS(status, BL_E_IO, err, path);
    CHECK(strstr(err.msg, "could not write") && strstr(err.msg, "File too large"), "%s",
          err.msg);
    CHECK(made_count_files(folder) == 0, "a file is left after a failure at %llu bytes",
          (unsigned long long)bytes);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

static void test_h5_of_a_full_disk_is_an_error_and_no_file(void **state)
{
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    static const rlim_t limits[] = {0, 100, 1000, 3000, 100000, 1500000, 3000000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        check_failing_at(&plain, limits[i]);
        check_failing_at(&packed, limits[i]);
    }
}

static void test_h5_in_no_folder_is_an_error(void **state)
{
    (void)state;
    bl_made made = {.n_features = 2, .n_outputs = 1, .n_rows = 1, .row_step = 1};
    bl_err err = {0};
    bl_schema *schema = made_schema(2, NULL);
    CHECK_FAILS(made_write(&made, "/nowhere/a.h5", schema, &plain, 1, "reg:gamma", &err),
                BL_E_IO, err,
                "'/nowhere/a.h5': could not write: No such file or directory");
    bli_schema_free(schema);
}

static void test_h5_with_rows_missing_is_no_file(void **state)
{
    (void)state;
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(1, NULL);
    char objective[] = "reg:squarederror";
    bl_forest forest = {.n_features = 1, .n_outputs = 1, .objective = objective};
    const float phi[] = {1, 2, 3, 4};
    const uint64_t row[] = {0, 1};
    bl_batch batch = {.n_rows = 2, .row = row, .x = phi, .phi = phi, .margins = phi};
    bl_h5 *h5 = NULL;
    CHECK_OK(bli_h5_open(path, &forest, schema, NULL, 3, &plain, &h5, &err), err);
    CHECK_OK(bli_h5_sink(h5, &batch, &err), err);
    CHECK_FAILS(bli_h5_sink(h5, &batch, &err), BL_E_INTERNAL, err, "after 2 of 3");
    CHECK_FAILS(bli_h5_close(h5, &err), BL_E_INTERNAL, err,
                "2 rows came for 'values', 3 were announced");
    CHECK(made_count_files(folder) == 0, "a file is left");
    bli_h5_abort(NULL);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

static void test_h5_row_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(1024, NULL);
    char objective[] = "multi:softprob";
    /* 2^10 features of 2^18 outputs: exactly 2^30 bytes a row; one output more is
     * refused. */
    bl_forest forest = {
        .n_features = 1024, .n_outputs = (1 << 18) + 1, .objective = objective};
    bl_h5 *h5 = NULL;
    CHECK_FAILS(
        bli_h5_open(path, &forest, schema, NULL, 1, &plain, &h5, &err), BL_E_LIMIT, err,
        "one row of 'values' is larger than the 1073741824 bytes that an HDF5 file of "
        "ours can hold");
    forest.n_outputs--;
    CHECK_OK(bli_h5_open(path, &forest, schema, NULL, 1, &plain, &h5, &err), err);
    bli_h5_abort(h5);
    CHECK(made_count_files(folder) == 0, "a file is left");
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

/* Rows in parts of an unknown number: what they are in one part of a known one. */
static void test_h5_of_an_unknown_number_of_rows_holds_them_all(void **state)
{
    (void)state;
    static const bl_h5_options kinds[] = {
        {.with_data = true, .in_parts = true},
        {.compress = true, .with_data = true, .in_parts = true}};
    static const uint64_t rows[] = {1, 5, 70000};
    for (size_t i = 0; i < 6; i++) {
        bl_made made = {.n_rows = rows[i / 2],
                        .n_features = 40,
                        .n_outputs = 1,
                        .row_step = 1,
                        .unknown = true};
        check_round_trip(made, &kinds[i % 2], 1000);
    }
}

static void test_h5_keeps_the_ids_of_parts(void **state)
{
    (void)state;
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "a.h5");
    bl_schema *schema = made_schema(1, NULL);
    char objective[] = "reg:gamma", name[] = "who", text[] = "abbccc";
    uint64_t offsets[2][3] = {{0, 1, 3}, {0, 3, 3}};
    bl_text_column ids[2] = {{name, text, offsets[0]}, {name, text + 3, offsets[1]}};
    bl_forest forest = {.n_features = 1, .n_outputs = 1, .objective = objective};
    const bl_h5_options options = {.ids = ids, .n_ids = 1, .in_parts = true};
    float x[2] = {1, 2}, phi[4] = {1, 2, 3, 4}, margins[2] = {3, 7};
    bl_h5 *h5 = NULL;
    CHECK_OK(
        bli_h5_open(path, &forest, schema, NULL, BL_H5_ROWS_UNKNOWN, &options, &h5, &err),
        err);
    for (uint64_t part = 0; part < 2; part++) {
        const uint64_t row[2] = {2 * part, 2 * part + 1};
        const bl_roles roles = {.n_ids = 1, .ids = ids + part};
        const bl_batch batch = {2 * part, 2, row, x, phi, margins};
        bli_h5_part(h5, &roles, 2 * part);
        CHECK_OK(bli_h5_sink(h5, &batch, &err), err);
    }
    CHECK_OK(bli_h5_close(h5, &err), err);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, 3);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    const hsize_t dims[1] = {4};
    char *got = read_all(file, "id/who", type, 1, dims);
    CHECK(memcmp(got, "a\0\0bb\0ccc\0\0\0", 12) == 0, "%.12s", got);
    free(got);
    H5Tclose(type);
    H5Fclose(file);
    bli_schema_free(schema);
    free(path);
    made_folder_remove(folder);
}

static void test_h5_leaves_the_error_handler_of_hdf5_alone(void **state)
{
    (void)state;
    bl_err err = {0};
    H5E_auto2_t before;
    H5E_auto2_t after;
    void *data;
    bl_schema *schema = made_schema(1, NULL);
    bl_made made = {.n_features = 1, .n_outputs = 1, .n_rows = 1, .row_step = 1};
    H5Eget_auto2(H5E_DEFAULT, &before, &data);
    CHECK(made_write(&made, "/nowhere/a.h5", schema, &plain, 1, "reg:gamma", &err) ==
              BL_E_IO,
          "%s", err.msg);
    H5Eget_auto2(H5E_DEFAULT, &after, &data);
    CHECK(before == after && before != NULL,
          "HDF5 reports errors differently afterwards");
    bli_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h5_holds_what_came),
        cmocka_unit_test(test_h5_of_more_than_one_round_of_chunks),
        cmocka_unit_test(test_h5_of_few_rows_and_one_feature),
        cmocka_unit_test(test_h5_bytes_do_not_depend_on_threads_batches_or_time),
        cmocka_unit_test(test_h5_text_is_clean_utf8),
        cmocka_unit_test(test_h5_without_data_has_none),
        cmocka_unit_test(test_h5_of_a_full_disk_is_an_error_and_no_file),
        cmocka_unit_test(test_h5_in_no_folder_is_an_error),
        cmocka_unit_test(test_h5_with_rows_missing_is_no_file),
        cmocka_unit_test(test_h5_row_beyond_the_limit_is_refused),
        cmocka_unit_test(test_h5_of_an_unknown_number_of_rows_holds_them_all),
        cmocka_unit_test(test_h5_keeps_the_ids_of_parts),
        cmocka_unit_test(test_h5_leaves_the_error_handler_of_hdf5_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
