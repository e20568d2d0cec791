/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Job folders for the tests of this room: made under /tmp, read by bli_job_read, removed.
 * A case is one hyperparameters.json (and where it matters an inputdataconfig.json);
 * notes are kept so that tests can look for them.
 */
#ifndef BL_TESTS_CONTRACT_FOLDER_H
#define BL_TESTS_CONTRACT_FOLDER_H

#include "check.h"

#include "base/fs.h"
#include "base/mem.h"
#include "contract/contract.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

#define TRAIN_ONLY "{\"train\": {\"ContentType\": \"text/csv\"}}"
#define TRAIN_AND_VALIDATION                                                             \
    "{\"train\": {\"ContentType\": \"text/csv\"}, \"validation\": {\"ContentType\": "    \
    "\"text/csv\"}}"

typedef struct bl_folder {
    char root[64];
    char notes[8192]; /* lines "LEVEL text\n" of the last read */
} bl_folder;

static inline void folder_make(bl_folder *folder)
{
    *folder = (bl_folder){.root = "/tmp/boostlens-contract-XXXXXX"};
    CHECK(mkdtemp(folder->root), "no folder under /tmp");
}

static inline int folder_remove_one(const char *path, const struct stat *st, int kind,
                                    struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static inline void folder_remove(bl_folder *folder)
{
    nftw(folder->root, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes root/below, making folders; NULL text removes it. */
static inline void folder_write(const bl_folder *folder, const char *below,
                                const char *text)
{
    char path[512], parent[512];
    bl_err err = {0};
    snprintf(path, sizeof path, "%s/%s", folder->root, below);
    if (!text) {
        remove(path);
        return;
    }
    snprintf(parent, sizeof parent, "%s", path);
    *strrchr(parent, '/') = '\0';
    CHECK_OK(bli_make_folder(parent, 0755, &err), err);
    FILE *file = fopen(path, "wb");
    CHECK(file, "cannot write %s", path);
    fputs(text, file);
    fclose(file);
}

static inline void folder_channel(const bl_folder *folder, const char *name)
{
    char below[128];
    snprintf(below, sizeof below, "input/data/%s/part.csv", name);
    folder_write(folder, below, "1,2,3\n");
}

static inline void folder_line(void *cookie, bl_level level, const char *stage,
                               const char *text)
{
    static const char *const levels[] = {"debug", "info", "note", "warning", "error"};
    bl_folder *folder = cookie;
    size_t n = strlen(folder->notes);
    (void)stage;
    snprintf(folder->notes + n, sizeof folder->notes - n, "%s %s\n", levels[level], text);
}

/* Reads a job of these two files (NULL: absent) with folders for train and validation. */
static inline bl_status folder_read(bl_folder *folder, const char *hyperparameters,
                                    const char *inputs, bl_job **ret_job, bl_err *err)
{
    bl_log log = {.line = folder_line, .cookie = folder};
    folder->notes[0] = '\0';
    *err = (bl_err){0};
    folder_write(folder, "input/config/hyperparameters.json", hyperparameters);
    folder_write(folder, "input/config/inputdataconfig.json", inputs);
    return bli_job_read(folder->root, &log, ret_job, err);
}

/* Text XGBoost is told for a name, or NULL. */
static inline const char *told(const bl_job *job, const char *name)
{
    for (size_t i = 0; i < job->n_xgboost; i++)
        if (strcmp(job->xgboost_names[i], name) == 0)
            return job->xgboost_texts[i];
    return NULL;
}

/* One refusal: these hyperparameters (after num_round) give status and text. */
typedef struct bl_refusal {
    const char *members; /* JSON members, without braces */
    const char *says;
} bl_refusal;

static inline void check_refusals(const bl_refusal *cases, size_t n, const char *inputs)
{
    bl_folder folder;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_channel(&folder, "model");
    folder_channel(&folder, "config");
    for (size_t i = 0; i < n; i++) {
        char text[4096];
        bl_err err;
        static char mark;
        bl_job *job = (bl_job *)(void *)&mark;
        snprintf(text, sizeof text, "{\"num_round\": \"3\", %s}", cases[i].members);
        bl_status st = folder_read(&folder, text, inputs, &job, &err);
        CHECK(st == BL_E_CONFIG, "%s: status %d '%s'", cases[i].members, (int)st,
              err.msg);
        CHECK(strstr(err.msg, cases[i].says), "%s: '%s'", cases[i].members, err.msg);
        CHECK((char *)(void *)job == &mark, "%s: output written", cases[i].members);
    }
    folder_remove(&folder);
}

/* One acceptance: `name` is told to XGBoost as text (NULL: not told at all). */
typedef struct bl_acceptance {
    const char *members, *name, *text;
} bl_acceptance;

static inline void check_acceptances(const bl_acceptance *cases, size_t n,
                                     const char *inputs)
{
    bl_folder folder;
    folder_make(&folder);
    folder_channel(&folder, "train");
    folder_channel(&folder, "validation");
    folder_channel(&folder, "model");
    folder_channel(&folder, "config");
    for (size_t i = 0; i < n; i++) {
        char text[4096];
        bl_err err;
        bl_job *job = NULL;
        snprintf(text, sizeof text, "{\"num_round\": \"3\", %s}", cases[i].members);
        bl_status st = folder_read(&folder, text, inputs, &job, &err);
        CHECK(st == BL_OK, "%s: '%s'", cases[i].members, err.msg);
        const char *got = told(job, cases[i].name);
        if (cases[i].text)
            CHECK(got && strcmp(got, cases[i].text) == 0, "%s: %s is told '%s'",
                  cases[i].members, cases[i].name, got ? got : "nothing");
        else
            CHECK(!got, "%s: %s is told '%s'", cases[i].members, cases[i].name, got);
        bli_job_free(job);
    }
    folder_remove(&folder);
}

#endif
