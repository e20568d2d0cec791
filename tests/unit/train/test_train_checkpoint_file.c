/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a checkpoint: whatever is cut off or changed, it is passed over, never misread. */
#include "help.h"

#include "base/rng.h"
#include "train/checkpoint_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const bl_checkpoint_item items[] = {{"channel train", "0123"}, {"eta", "0.3"}};
static const char *const metrics[] = {"logloss", "auc"};

/* A checkpoint as small as it gets; the booster is opaque here. */
static bl_buf small_file(void)
{
    double history[8] = {0.5,  0.25,   (double)NAN, (double)INFINITY,
                         -0.0, 5e-324, 1e308,       0.1};
    const bl_ckpt ckpt = {.job_name = "job",
                          .xgboost = "3.4.1",
                          .instructions = "x86-64",
                          .nthread = 2,
                          .num_round = 10,
                          .n_items = 2,
                          .items = items,
                          .first_round = 3,
                          .n_rounds = 2,
                          .have_best = true,
                          .best_iteration = 4,
                          .best_score = 0.1,
                          .n_sets = 2,
                          .set_names = {"train", "validation"},
                          .n_metrics = 2,
                          .metric_names = metrics,
                          .history = history,
                          .booster = "booster",
                          .n_booster = 7,
                          .best_model = "best",
                          .n_best_model = 4};
    bl_buf file = {0};
    bl_err err = {0};
    CHECK_OK(bli_ckpt_encode(&ckpt, &file, &err), err);
    bli_buf_add(&file, ckpt.booster, ckpt.n_booster);
    bli_buf_add(&file, ckpt.best_model, ckpt.n_best_model);
    assert_false(file.failed);
    return file;
}

static bl_ckpt_kind decode(const char *bytes, size_t n, bl_ckpt *ret)
{
    bl_buf copy = {0};
    bl_ckpt_kind kind;
    char why[BL_CKPT_WHY] = "";
    bl_err err = {0};
    bli_buf_add(&copy, bytes, n);
    bli_buf_text(&copy, "");
    CHECK_OK(bli_ckpt_decode(&copy, ret, &kind, why, &err), err);
    CHECK(kind == BL_CKPT_OURS || why[0], "no word about why");
    assert_null(copy.data);
    return kind;
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    bl_buf file = small_file();
    bl_ckpt c;
    assert_int_equal(decode(file.data, file.n, &c), BL_CKPT_OURS);
    assert_string_equal(c.job_name, "job");
    assert_int_equal(c.nthread, 2);
    assert_int_equal(c.num_round, 10);
    assert_int_equal(c.first_round, 3);
    assert_int_equal(c.n_rounds, 2);
    assert_int_equal(c.best_iteration, 4);
    assert_true(c.best_score == 0.1);
    assert_int_equal(c.n_sets, 2);
    assert_string_equal(c.set_names[1], "validation");
    assert_string_equal(c.metric_names[1], "auc");
    assert_int_equal(c.n_items, 2);
    assert_true(isnan(c.history[2]) && isinf(c.history[3]) && signbit(c.history[4]));
    assert_true(c.history[5] == 5e-324 && c.history[7] == 0.1);
    assert_int_equal(c.n_booster, 7);
    assert_memory_equal(c.booster, "booster", 7);
    assert_memory_equal(c.best_model, "best", 4);
    bli_ckpt_done(&c);
    bli_buf_done(&file);
}

static void test_cut_at_every_length_it_is_passed_over(void **state)
{
    (void)state;
    bl_buf file = small_file();
    bl_ckpt c;
    for (size_t n = 0; n < file.n; n++)
        CHECK(decode(file.data, n, &c) == (n < 16 ? BL_CKPT_FOREIGN : BL_CKPT_TORN),
              "%zu of %zu bytes", n, file.n);
    bli_buf_char(&file, 'x');
    assert_int_equal(decode(file.data, file.n, &c), BL_CKPT_TORN);
    bli_buf_done(&file);
}

static void test_every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    bl_buf file = small_file();
    bl_ckpt c;
    for (size_t at = 0; at < file.n; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file.data[at] = (char)(file.data[at] ^ (1 << bit));
            bl_ckpt_kind kind = decode(file.data, file.n, &c);
            CHECK(kind == (at < 16   ? BL_CKPT_FOREIGN
                           : at < 24 ? BL_CKPT_NEWER
                                     : BL_CKPT_TORN),
                  "byte %zu, bit %u: kind %d", at, bit, kind);
            file.data[at] = (char)(file.data[at] ^ (1 << bit));
        }
    bli_buf_done(&file);
}

/* Sizes that lie, with a digest that is right, as only somebody who means it can make. */
static void test_sizes_that_wrap_around_are_refused(void **state)
{
    (void)state;
    static const unsigned char nasty[] = {0xff, 0x80, 0x7f, 0x01, 0x00};
    bl_buf file = small_file();
    bl_ckpt c;
    for (size_t field = 24; field < 56; field += 8)
        for (size_t i = 0; i < sizeof nasty; i++)
            for (size_t byte = 0; byte < 8; byte++) {
                char kept = file.data[field + byte];
                if ((unsigned char)kept == nasty[i])
                    continue;
                file.data[field + byte] = (char)nasty[i];
                CHECK(decode(file.data, file.n, &c) == BL_CKPT_TORN, "field %zu", field);
                file.data[field + byte] = kept;
            }
    bli_buf_done(&file);
}

static void test_the_first_difference_is_named(void **state)
{
    (void)state;
    static const bl_checkpoint_item other_data[] = {{"channel train", "4567"},
                                                    {"eta", "0.3"}},
                                    other_eta[] = {{"channel train", "0123"},
                                                   {"eta", "0.1"}},
                                    more[] = {{"channel train", "0123"},
                                              {"channel model", "89"},
                                              {"eta", "0.3"}},
                                    less[] = {{"channel train", "0123"}};
    static const struct {
        const bl_checkpoint_item *items;
        size_t n;
        int64_t rounds;
        const char *says;
    } cases[] = {
        {items, 2, 10, NULL},
        {items, 2, 11, NULL},
        {items, 2, 9, "num_round is 9, less than the 10"},
        {other_data, 2, 10, "channel train holds other data"},
        {other_eta, 2, 10, "eta is 0.1, the checkpoint's job had 0.3"},
        {more, 3, 10, "channel model is new"},
        {less, 1, 10, "eta is not given, the checkpoint's job had 0.3"},
    };
    bl_buf file = small_file();
    bl_ckpt c;
    assert_int_equal(decode(file.data, file.n, &c), BL_CKPT_OURS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bl_checkpoints place = {.n_items = cases[i].n, .items = cases[i].items};
        char out[BL_ERR_BYTES] = "";
        bool differs = bli_ckpt_differs(&c, &place, cases[i].rounds, out);
        CHECK(differs == (cases[i].says != NULL) &&
                  (!differs || strstr(out, cases[i].says)),
              "case %zu: %s", i, out);
    }
    bli_ckpt_done(&c);
    bli_buf_done(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read_back),
        cmocka_unit_test(test_cut_at_every_length_it_is_passed_over),
        cmocka_unit_test(test_every_flipped_bit_is_noticed),
        cmocka_unit_test(test_sizes_that_wrap_around_are_refused),
        cmocka_unit_test(test_the_first_difference_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
