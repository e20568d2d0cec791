/* SPDX-License-Identifier: Apache-2.0 */
/* The eight public sets: label first, no header, missing cells empty. Skipped where absent. */
#include "ingest_test.h"

/* Counts and sums by an independent reader (Python: gzip, csv, float; sums by math.fsum of
 * values rounded to float32). */
static const struct {
    const char *file;
    uint64_t n_rows;
    size_t n_features;
    uint64_t n_missing;
    uint64_t n_zero;
    double label_sum, sum;
} sets[] = {
    {"adult/adult_train_num.csv.gz", 32561, 14, 4262, 95291, 7841, 6222257379},
    {"adult/adult_test_num.csv.gz", 16281, 14, 2203, 47547, 3846, 3105727735},
    {"bank-marketing/bank_num.csv.gz", 41188, 20, 0, 180807, 4640, 267932910.14026758},
    {"california-housing/housing_num.csv", 20640, 9, 207, 9136, 4269504061,
     104087393.56961906},
    {"covertype-93k/covertype_93k_num.csv.gz", 92962, 54, 0, 3915851, 97750, 777372371},
    {"credit-default/train_data.csv.gz", 24000, 23, 0, 114760, 5339, 9905852528.4186954},
    {"credit-default/test_data.csv", 6000, 23, 0, 28973, 1297, 2458650820.1829658},
    {"sgemm/sgemm_num.csv.gz", 241600, 14, 0, 483200, 1116933.2217619419, 63022592},
    {"kddcup99-10pct/kddcup99_10pct_num.csv.gz", 494021, 41, 0, 14358550, 396743,
     2481742085.5400233},
    {"diabetes-130/diabetes_num.csv.gz", 101766, 47, 192849, 1476117, 11357, 103512225},
};

static void read_set(const char *folder, size_t i)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, sets[i].file);
    if (access(path, R_OK) != 0) {
        print_message("not there: %s\n", path);
        return;
    }
    bench *b = malloc(sizeof *b);
    assert_non_null(b);
    setup(b);
    const char *const paths[] = {path};
    CHECK_OK(bli_ingest_files(&b->ingest, paths, 1, &b->table, &b->err), b->err);
    const bl_table *table = b->table;
    CHECK(!table->has_header && table->n_rows == sets[i].n_rows &&
              table->n_features == sets[i].n_features,
          "%s: %d x %zu", path, (int)table->n_rows, table->n_features);
    uint64_t n_missing = 0, n_zero = 0;
    for (size_t k = 0; k < table->n_features; k++) {
        n_missing += table->columns[k].n_missing;
        n_zero += table->columns[k].n_zero;
    }
    CHECK(n_missing == sets[i].n_missing, "%s: %d missing", path, (int)n_missing);
    CHECK(n_zero == sets[i].n_zero, "%s: %d zero", path, (int)n_zero);
    /* long double keeps these sums exact to far below the tolerance */
    long double sum = 0, label_sum = 0;
    for (size_t n = 0; n < table->n_blocks; n++)
        for (size_t c = 0; c < table->blocks[n].n_rows * table->n_features; c++)
            if (!isnan(table->blocks[n].x[c]))
                sum += (long double)table->blocks[n].x[c];
    for (uint64_t r = 0; r < table->n_rows; r++)
        label_sum += (long double)table->roles.labels[r];
    CHECK(relative_error((double)sum, sets[i].sum) < 1e-15, "%s: sum %.17g, wanted %.17g",
          path, (double)sum, sets[i].sum);
    CHECK(relative_error((double)label_sum, sets[i].label_sum) < 1e-15,
          "%s: labels %.17g", path, (double)label_sum);
    teardown(b);
    free(b);
}

static void test_the_public_sets_are_read_without_special_handling(void **state)
{
    (void)state;
    const char *folder = getenv("BOOSTLENS_DATA");
    if (!folder)
        folder = BOOSTLENS_DATA_DEFAULT;
    if (access(folder, R_OK) != 0)
        SKIP("BOOSTLENS_DATA names no folder of data sets");
    for (size_t i = 0; i < BL_LEN(sets); i++)
        read_set(folder, i);
}

/* The readable files of the same sets: header, text columns as categories. */
static void test_the_readable_sets_are_read_with_categories(void **state)
{
    (void)state;
    const char *folder = getenv("BOOSTLENS_DATA");
    if (!folder)
        folder = BOOSTLENS_DATA_DEFAULT;
    static const struct {
        const char *file;
        char label[24];
        size_t n_features, n_text;
        uint64_t n_rows;
    } readable[] = {
        {"credit-default/rawdata.csv.gz", "Label", 23, 0, 30000},
        {"california-housing/housing.csv", "median_house_value", 9, 1, 20640},
    };
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, readable[0].file);
    if (access(path, R_OK) != 0)
        SKIP("BOOSTLENS_DATA names no folder of data sets");
    for (size_t i = 0; i < BL_LEN(readable); i++) {
        bench *b = malloc(sizeof *b);
        assert_non_null(b);
        setup(b);
        char label[24];
        memcpy(label, readable[i].label, sizeof label);
        b->label.name = label;
        b->settings.enable_categorical = true;
        snprintf(path, sizeof path, "%s/%s", folder, readable[i].file);
        const char *const paths[] = {path};
        CHECK_OK(bli_ingest_files(&b->ingest, paths, 1, &b->table, &b->err), b->err);
        size_t n_text = 0;
        for (size_t k = 0; k < b->table->n_features; k++)
            n_text += b->table->columns[k].levels != NULL;
        CHECK(b->table->has_header && b->table->n_rows == readable[i].n_rows &&
                  b->table->n_features == readable[i].n_features &&
                  n_text == readable[i].n_text,
              "%s: %d x %zu, %zu text", path, (int)b->table->n_rows, b->table->n_features,
              n_text);
        teardown(b);
        free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_public_sets_are_read_without_special_handling),
        cmocka_unit_test(test_the_readable_sets_are_read_with_categories),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
