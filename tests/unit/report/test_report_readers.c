/* SPDX-License-Identifier: Apache-2.0 */
/* attributions.h5 in the hands of h5py, shap and HDF5's own tools. */
#include "check.h"

#include "made.h"
#include "python.h"

#include <unistd.h>

static void write_floats(const char *folder, const char *name, const float *values,
                         size_t n)
{
    char *path = made_path(folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(values, sizeof(float), n, file), n);
    fclose(file);
    free(path);
}

static void write_names(const char *folder, const bl_schema *schema)
{
    char *path = made_path(folder, "names.txt");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < schema->n_features; i++)
        fprintf(file, "%s\n", schema->features[i].name);
    fclose(file);
    free(path);
}

static void write_raw(const char *folder, const bl_made *made)
{
    size_t f = made->n_features;
    size_t k = made->n_outputs;
    size_t n = (size_t)made->n_rows;
    float *values = calloc(n * f * k, sizeof(float));
    float *data = calloc(n * f, sizeof(float));
    float *margins = calloc(n * k, sizeof(float));
    assert_true(values && data && margins);
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < f; c++) {
            data[i * f + c] = made_x(made, i, c);
            for (size_t o = 0; o < k; o++) {
                values[(i * f + c) * k + o] = made_phi(made, i, o, c);
                margins[i * k + o] = made_margin(made, i, o);
            }
        }
    write_floats(folder, "values.f32", values, n * f * k);
    write_floats(folder, "data.f32", data, n * f);
    write_floats(folder, "margins.f32", margins, n * k);
    free(values);
    free(data);
    free(margins);
}

/* A folder with attributions.h5 and what it should hold. */
static char *write_folder(const bl_made *made, bool compress)
{
    static const char *const names[] = {"plain", "with blank", "\xc3\xa4rger", "a/b",
                                        "\xe6\x97\xa5"};
    enum { ROWS = 9000 };
    static char text[ROWS * 6];
    static uint64_t offset[ROWS + 1];
    for (uint64_t i = 0; i < ROWS; i++)
        offset[i + 1] = offset[i] + (uint64_t)sprintf(text + offset[i], "c%d", (int)i);
    char customer[] = "customer";
    bl_text_column ids = {customer, text, offset};
    bl_h5_options options = {
        .compress = compress,
        .with_data = true,
        .ids = &ids,
        .n_ids = 1,
    };
    bl_err err = {0};
    char *folder = made_folder();
    char *path = made_path(folder, "attributions.h5");
    bl_schema *schema = made_schema(made->n_features, names);
    CHECK_OK(made_write(made, path, schema, &options, 1000,
                        made->n_outputs > 1 ? "multi:softprob" : "binary:logistic", &err),
             err);
    write_names(folder, schema);
    write_raw(folder, made);
    bli_schema_free(schema);
    free(path);
    return folder;
}

static const bl_made one = {
    .n_features = 5, .n_outputs = 1, .n_rows = 9000, .row_step = 1, .noisy = true};
static const bl_made several = {
    .n_features = 5, .n_outputs = 3, .n_rows = 9000, .row_step = 1};

/* 0 or 3 (no shap), -1 where there is no h5py. */
static int read_by_python(const char *modules)
{
    const char *python = python_with(modules);
    int worst = python ? 0 : -1;
    for (int i = 0; python && i < 4; i++) {
        char *folder = write_folder(i % 2 ? &several : &one, i / 2);
        int rc = run_python(python, SCRIPT, folder);
        CHECK(rc == 0 || rc == 3, "%s ended with %d", SCRIPT, rc);
        worst = rc > worst ? rc : worst;
        made_folder_remove(folder);
    }
    return worst;
}

static void test_h5py_reads_attributions(void **state)
{
    (void)state;
    if (read_by_python("h5py, numpy") < 0)
        SKIP("no Python with h5py (python3-h5py, or set BOOSTLENS_PYTHON)");
}

static void test_shap_takes_attributions(void **state)
{
    (void)state;
    int rc = read_by_python("h5py, numpy, shap");
    if (rc < 0)
        SKIP("no Python with h5py and shap (set BOOSTLENS_PYTHON to one)");
    CHECK(rc == 0, "shap was not fed");
}

static void check_tool(const char *command, const char *folder)
{
    char line[1024];
    snprintf(line, sizeof(line), "cd '%s' && %s", folder, command);
    CHECK(system(line) == 0, "%s", line);
}

static void test_hdf5_tools_read_attributions(void **state)
{
    (void)state;
    if (system("command -v h5dump h5repack h5diff >/dev/null") != 0)
        SKIP("no h5dump, h5repack and h5diff (hdf5-tools)");
    for (int i = 0; i < 2; i++) {
        char *folder = write_folder(i ? &several : &one, true);
        check_tool("h5dump -d /values -d /feature_names attributions.h5 >/dev/null",
                   folder);
        check_tool("h5repack -f NONE attributions.h5 plain.h5", folder);
        check_tool("h5diff attributions.h5 plain.h5", folder);
        made_folder_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h5py_reads_attributions),
        cmocka_unit_test(test_shap_takes_attributions),
        cmocka_unit_test(test_hdf5_tools_read_attributions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
