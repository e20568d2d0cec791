/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/fs.h"
#include "job/job_priv.h"

#include <stdlib.h>

static char root[] = "/tmp/boostlens-model-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command);
}

/* Runs a shell script in a fresh channel folder and reads the model from there. */
static bl_status read_after(const char *script, const bl_limits *limits, bl_buf *model,
                            bl_err *err)
{
    static int number;
    char folder[256], command[2048];
    snprintf(folder, sizeof folder, "%s/%d", root, number++);
    snprintf(command, sizeof command, "mkdir '%s' && cd '%s' && { %s; }", folder, folder,
             script);
    CHECK(system(command) == 0, "%s", command);
    const bl_channel channel = {.present = true, .path = folder};
    return bli_start_model_read(&channel, limits, model, err);
}

static void test_the_model_is_read_bare_or_from_an_archive(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "printf abc > anything",
        "printf abc > .xgboost-model; printf abc > xgboost-model",
        "mkdir d && printf abc > d/xgboost-model && printf x > d/other && "
        "tar -C d -czf model.tar.gz other xgboost-model && rm -r d",
        "mkdir -p d/boostlens && printf abc > d/xgboost-model && printf x > "
        "d/boostlens/xgboost-model && tar -C d -czf model.tar.gz . && rm -r d",
    };
    bl_limits limits = bli_limits();
    for (size_t i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
        bl_buf model = {0};
        bl_err err = {0};
        CHECK_OK(read_after(scripts[i], &limits, &model, &err), err);
        CHECK(model.n == 3 && memcmp(model.data, "abc", 3) == 0, "%s", scripts[i]);
        bli_buf_done(&model);
    }
}

static void test_what_is_no_model_archive_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        bl_status status;
        const char *says;
    } cases[] = {
        {":", BL_E_CONFIG, "channel model is empty"},
        {"mkdir sub", BL_E_CONFIG, "is a folder"},
        {"touch a b", BL_E_CONFIG, "more than one file"},
        {"printf abc | gzip > m.tar.gz", BL_E_MODEL, "ends in the middle"},
        {"head -c 5000 /dev/zero | tr '\\0' x | gzip > m.tar.gz", BL_E_MODEL,
         "no tar archive"},
        {"touch other && tar -czf ../m.tgz other && mv ../m.tgz . && rm other",
         BL_E_MODEL, "no regular member 'xgboost-model'"},
        {"ln -s /etc/passwd xgboost-model && tar -czf ../m.tgz xgboost-model && mv "
         "../m.tgz . && "
         "rm xgboost-model",
         BL_E_MODEL, "no regular member 'xgboost-model'"},
        {"head -c 9000 /dev/urandom > xgboost-model && tar -cf ../t xgboost-model && "
         "gzip < ../t | "
         "head -c 4000 > m.tar.gz && rm xgboost-model",
         BL_E_MODEL, "'m.tar.gz'"},
        {"head -c 2000 /dev/zero > xgboost-model && tar -czf m.tar.gz xgboost-model && "
         "rm "
         "xgboost-model",
         BL_E_LIMIT, "2000 bytes, at most 1000"},
    };
    bl_limits limits = bli_limits();
    limits.model_bytes = 1000;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bl_buf model = {0};
        bl_err err = {0};
        bl_limits *in_force = &limits;
        bl_limits large = bli_limits();
        if (cases[i].status != BL_E_LIMIT)
            in_force = &large;
        CHECK_FAILS(read_after(cases[i].script, in_force, &model, &err), cases[i].status,
                    err, cases[i].says);
        CHECK(!model.data, "%s: output written", cases[i].script);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_model_is_read_bare_or_from_an_archive),
        cmocka_unit_test(test_what_is_no_model_archive_is_refused_in_words),
    };
    return cmocka_run_group_tests_name("start model", tests, setup, teardown);
}
