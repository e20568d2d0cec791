/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model/boostlens/boostlens.json: what the model was made from and with, digests
 * included. No time, host or absolute path stands in it: two runs of one job give the
 * same bytes.
 */
#ifndef BL_EVIDENCE_EVIDENCE_H
#define BL_EVIDENCE_EVIDENCE_H

#include "base/json.h"
#include "base/rows.h"
#include "contract/contract.h"

/* One model file: xgboost-model, or each fold's xgboost-model-<i>. */
typedef struct bl_card_model {
    char name[64]; /* relative to model/ */
    const char *sha256;
    uint64_t n_bytes;
    size_t n_rounds, n_rounds_used, n_trees;
    int64_t best_iteration;      /* -1: none */
    const char *oldest_xgboost;  /* that reads the model right: "1.7" */
    const char *portable_reason; /* "" where fully portable */
    bool portable, folded;
} bl_card_model;

typedef struct bl_card_input {
    const char *channel;
    const bl_files *files;
    uint64_t n_rows;
} bl_card_input;

/* What other rooms offer for the card; the schema is written by a callback, because this
 * room does not know it. */
typedef struct bl_card {
    const bl_job *job;
    const bl_read_settings
        *read; /* the job's, columns by name where the data had a header */
    const char *boostlens_version;
    int xgboost_version[3];
    size_t n_models;
    const bl_card_model *models;
    size_t n_inputs;
    const bl_card_input *inputs;
    void (*schema)(const void *schema, bl_jw *jw); /* writes one object */
    const void *schema_product;
    /* The fitted plan, likewise; NULL: none. */
    void (*plan)(const void *plan, bl_jw *jw);
    const void *plan_product;
    const char *plan_sha256; /* of the text that the callback writes by itself */
} bl_card;

/*
 * One JSON object:
 *
 * format      1
 * boostlens, xgboost, objective, booster
 * models      [{file, sha256, bytes, portable, folded, oldest_xgboost, reason, rounds,
 *             rounds_used, trees, best_iteration}]
 * schema      as the callback writes it
 * plan        the fitted preprocessing plan, where there is one; plan_sha256 beside it
 * read        how other files are to be read with this model: header, labels, weight,
 *             group, label_lower_bound, label_upper_bound, base_margins, drop, ids,
 *             missing, missing_texts, missing_texts_given, enable_categorical, unseen. A
 *             column is its name as text, or its index as a number; missing is null for
 *             NaN, infinities are text
 * parameters  {name: {value, source}}: those given and every default in force, in the
 *             order of the table; source as in bl_param
 * inputs      {channel: {rows, files: [{path below the root, bytes, rows, sha256}]}}
 */
bl_status bli_card_write(const char *path, const bl_card *card, bl_err *err);

/* The settings under `read` of a card; free with bli_read_settings_done. BL_E_MODEL names the
 * member that is not as we write it. */
bl_status bli_card_settings(const json_t *card, bl_read_settings *ret_settings,
                            bl_err *err);

#endif
