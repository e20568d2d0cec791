/* SPDX-License-Identifier: Apache-2.0 */
/* Random weighted data with many ties, scored by us and by scikit-learn. */
#include "check.h"

#include "python.h"

#include "base/rng.h"
#include "evaluate/evaluate.h"

#include <unistd.h>

enum { MAX_ROWS = 400, CLASSES = 5, TRIALS = 12 };

typedef struct bl_random {
    uint64_t n;
    size_t width;
    float predictions[MAX_ROWS * CLASSES];
    float labels[MAX_ROWS];
    float weights[MAX_ROWS];
    bool weighted;
} bl_random;

static float unit(bl_rng *rng, uint64_t steps)
{
    return ((float)bli_rng_below(rng, steps) + 0.5F) / (float)steps;
}

static void fill_weights(bl_rng *rng, bl_random *data, int trial)
{
    data->n = 20 + bli_rng_below(rng, MAX_ROWS - 19);
    data->weighted = trial % 2;
    for (uint64_t i = 0; i < data->n; i++)
        data->weights[i] = (float)(1 + bli_rng_below(rng, 12)) / 4;
}

/* Chances on few or many steps; labels that lean on them. */
static void fill_binary(bl_rng *rng, bl_random *data, int trial)
{
    fill_weights(rng, data, trial);
    data->width = 1;
    for (uint64_t i = 0; i < data->n; i++) {
        data->predictions[i] = unit(rng, trial % 3 ? 1000 : 7);
        data->labels[i] = unit(rng, 1000) < data->predictions[i];
    }
    data->labels[0] = 1;
    data->labels[1] = 0;
}

static void fill_classes(bl_rng *rng, bl_random *data, int trial)
{
    fill_weights(rng, data, trial);
    data->width = CLASSES;
    for (uint64_t i = 0; i < data->n; i++) {
        float *p = data->predictions + i * CLASSES;
        float sum = 0;
        size_t label = i < CLASSES ? (size_t)i : (size_t)bli_rng_below(rng, CLASSES);
        for (size_t k = 0; k < CLASSES; k++)
            sum += p[k] = unit(rng, trial % 3 ? 1000 : 4) + (k == label ? 0.3F : 0);
        for (size_t k = 0; k < CLASSES; k++)
            p[k] /= sum;
        data->labels[i] = (float)label;
    }
}

/* Positive numbers, for all families. */
static void fill_numbers(bl_rng *rng, bl_random *data, int trial)
{
    fill_weights(rng, data, trial);
    data->width = 1;
    for (uint64_t i = 0; i < data->n; i++) {
        data->predictions[i] = 10 * unit(rng, 1000);
        data->labels[i] = data->predictions[i] * (0.5F + unit(rng, 100));
    }
}

/* Ten lists; many scores tied in some trials. */
static void fill_ranking(bl_rng *rng, bl_random *data, int trial)
{
    fill_weights(rng, data, trial);
    data->width = 1;
    data->n = data->n / 10 * 10;
    for (uint64_t i = 0; i < data->n; i++) {
        uint64_t first = i - i % (data->n / 10);
        data->predictions[i] = unit(rng, trial % 3 ? 1000 : 4);
        data->labels[i] =
            i == first ? 1 : (float)bli_rng_below(rng, trial % 4 < 2 ? 2 : 5);
        data->weights[i] = data->weights[first];
    }
}

static void write_floats(bl_jw *jw, const char *name, const float *values, uint64_t n)
{
    bli_jw_key(jw, name);
    bli_jw_list(jw, true);
    for (uint64_t i = 0; i < n; i++)
        bli_jw_double(jw, (double)values[i]);
    bli_jw_list_end(jw);
}

static const char *const class_metrics[] = {
    "accuracy",        "balanced_accuracy", "f1",           "f1_macro",
    "precision_macro", "precision_micro",   "recall_macro", "recall_micro"};
static const char *const binary_metrics[] = {"f1_binary", "precision", "recall"};
static const char *const number_metrics[] = {"mse", "r2"};

static void write_custom(bl_jw *jw, const char *const *names, size_t n,
                         const bl_scored *scored)
{
    bl_err err = {0};
    for (size_t i = 0; i < n; i++) {
        double value;
        CHECK_OK(bli_custom_metric(names[i], scored, &value, &err), err);
        bli_jw_key(jw, names[i]);
        bli_jw_double(jw, value);
    }
}

static void write_case(bl_jw *jw, const char *objective, const bl_random *data)
{
    uint64_t group_rows[10];
    bl_roles roles = {.n_groups = 10, .group_rows = group_rows};
    bl_scored scored = {.n_rows = data->n,
                        .n_outputs = data->width,
                        .n_predictions = data->width,
                        .predictions = data->predictions,
                        .labels = data->labels,
                        .n_labels = 1,
                        .weights = data->weighted ? data->weights : NULL,
                        .roles = strncmp(objective, "rank:", 5) == 0 ? &roles : NULL,
                        .objective = objective,
                        .n_classes = data->width > 1 ? CLASSES : 2,
                        .tweedie_power = 1.3};
    bl_err err = {0};
    for (size_t g = 0; g < 10; g++)
        group_rows[g] = data->n / 10;
    bli_jw_object(jw);
    bli_jw_key(jw, "objective");
    bli_jw_text(jw, objective);
    bli_jw_key(jw, "width");
    bli_jw_int(jw, (int64_t)data->width);
    write_floats(jw, "predictions", data->predictions, data->n * data->width);
    write_floats(jw, "labels", data->labels, data->n);
    if (data->weighted)
        write_floats(jw, "weights", data->weights, data->n);
    bli_jw_key(jw, "final");
    bli_jw_object(jw);
    CHECK_OK(bli_final_metrics(&scored, jw, &err), err);
    bli_jw_object_end(jw);
    bli_jw_key(jw, "custom");
    bli_jw_object(jw);
    if (strncmp(objective, "binary:", 7) == 0 || data->width > 1)
        write_custom(jw, class_metrics, sizeof(class_metrics) / sizeof(char *), &scored);
    if (strncmp(objective, "binary:", 7) == 0)
        write_custom(jw, binary_metrics, sizeof(binary_metrics) / sizeof(char *),
                     &scored);
    write_custom(jw, number_metrics, sizeof(number_metrics) / sizeof(char *), &scored);
    bli_jw_object_end(jw);
    bli_jw_object_end(jw);
}

static void test_metrics_equal_scikit_learns(void **state)
{
    (void)state;
    const char *python = python_with("sklearn.metrics");
    if (!python)
        SKIP("no Python with scikit-learn (set BOOSTLENS_PYTHON to one)");
    static const struct {
        const char *objective;
        void (*fill)(bl_rng *, bl_random *, int);
    } kinds[] = {
        {"binary:logistic", fill_binary},   {"multi:softprob", fill_classes},
        {"reg:squarederror", fill_numbers}, {"count:poisson", fill_numbers},
        {"reg:gamma", fill_numbers},        {"reg:tweedie", fill_numbers},
        {"rank:ndcg", fill_ranking},
    };
    const char *text = getenv("TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : 7;
    print_message("seed %llu (TEST_SEED)\n", (unsigned long long)seed);
    bl_rng rng = bli_rng(seed);
    static bl_random data;
    bl_buf buf = {0};
    bl_jw jw = {.buf = &buf};
    bl_err err = {0};
    bli_jw_list(&jw, false);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (int trial = 0; trial < TRIALS; trial++) {
            kinds[k].fill(&rng, &data, trial);
            write_case(&jw, kinds[k].objective, &data);
        }
    bli_jw_list_end(&jw);
    bli_jw_end(&jw);
    CHECK_OK(bli_buf_check(&buf, "cases", &err), err);
    char path[] = "/tmp/boostlens-metrics-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, buf.data, buf.n), (ssize_t)buf.n);
    close(fd);
    bli_buf_done(&buf);
    int rc = run_python(python, SCRIPT, path);
    unlink(path);
    CHECK(rc == 0, "%s ended with %d", SCRIPT, rc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_metrics_equal_scikit_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
