/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef BL_CONTRACT_CONTRACT_PRIV_H
#define BL_CONTRACT_CONTRACT_PRIV_H

#include "contract/contract.h"

#include "base/json.h"
#include "base/text.h"

#define BL_N_PARAMS    102
#define BL_STAGE       "settings"
#define BL_QUOTE_BYTES 81 /* of a user's text in a message */

/* --- The files as bytes: what the job is made of, and what the fuzz target feeds ---- */

/* One file of input/config; bytes NULL where it is absent. */
typedef struct bl_config_text {
    const char *bytes;
    size_t n;
} bl_config_text;

typedef struct bl_config_texts {
    bl_config_text hyperparameters;
    bl_config_text input_data;
    bl_config_text resource;
    bl_config_text checkpoint;
    const char *job_name; /* TRAINING_JOB_NAME, or NULL */
} bl_config_texts;

/* Everything bli_job_read does but look whether the folders of channels are there. */
bl_status bli_job_parse(const char *root, const bl_config_texts *texts, const bl_log *log,
                        bl_job **ret_job, bl_err *err);

/* --- params.c, param_help.c --------------------------------------------------------- */

/* By name or alias; NULL where there is none. */
const bl_param_def *bli_param_find(const char *name);
size_t bli_param_index(const bl_param_def *def);

/* "a whole number, 1 or more", "one of auto, yes, no", ...: ends a sentence that begins
 * "accepted is". Returns out. */
#define BL_ACCEPTS_BYTES 640
const char *bli_param_accepts(const bl_param_def *def, char out[BL_ACCEPTS_BYTES]);

/* --- values.c: one hyperparameter --------------------------------------------------- */

typedef struct bl_value {
    const bl_param_def *def; /* NULL: not given */
    char *key;               /* as written: name or alias */
    char *text;              /* as given, unwrapped once and trimmed */
    int64_t i;
    double d;
    bool b;
    const char *choice; /* of def->choices */
    /* List types, an array of: LIST texts; FLOATS reals; TUPLE integers, or an object
     * name -> integer; NESTED arrays of integers and texts; COLUMN(S) integers (index)
     * and texts. */
    json_t *items;
} bl_value;

typedef struct bl_values {
    bl_value value[BL_N_PARAMS];
} bl_values;

/* root: for "@NAME", a file of channel config. raw is borrowed and not null. */
bl_status bli_value_read(const bl_param_def *def, const char *key, const json_t *raw,
                         const char *root, bl_value *ret_value, bl_err *err);
void bli_value_done(bl_value *value);
void bli_values_free(bl_values *values);

/* The value given for a name of the table; NULL where none was. */
const bl_value *bli_given(const bl_values *values, const char *name);
/* Given, or the table's default. */
int64_t bli_int_or_default(const bl_values *values, const char *name);
bool bli_bool_or_default(const bl_values *values, const char *name);
const char *bli_choice_or_default(const bl_values *values, const char *name);

/* Items of a given list (0: not given), and whether it holds a text. */
size_t bli_n_items(const bl_values *values, const char *name);
bool bli_lists(const bl_values *values, const char *name, const char *item);
/* Texts equal; text begins with another. */
bool bli_is(const char *a, const char *b);
bool bli_starts(const char *text, const char *with);

/* Do two given values mean the same. */
bool bli_value_equal(const bl_value *a, const bl_value *b);

/* Steps of it that items.c shares. "eta is '2'; accepted is a number, 0 to 1". */
bl_status bli_value_refuse(const bl_value *value, const char *found, bl_err *err);
bl_status bli_choice_refuse(const bl_value *value, const char *text, bl_err *err);
const char *bli_choice_find(const bl_param_def *def, const char *text);
bool bli_in_range(const bl_param_def *def, double v);
bool bli_read_whole(const char *text, int64_t *ret);
bl_status bli_number_read(const bl_value *value, const char *text, double *ret,
                          bl_err *err);
/* A JSON text (lent), number or boolean as text; empty for the rest. */
const char *bli_scalar_text(const json_t *raw, char out[BL_NUMBER_BYTES]);

/* --- items.c: its items where it is a list ------------------------------------------ */

bool bli_is_list_type(bl_param_type type);
/* Items of a JSON array or object; plain: whole numbers among texts are column indices.
 */
bl_status bli_items_read(bl_value *value, const json_t *list, bool plain, bl_err *err);
bl_status bli_items_from_text(bl_value *value, bl_err *err);
/* Sets value->text from its items. */
bl_status bli_items_text(bl_value *value, bl_err *err);

/* --- lists.c: lists as people write them -------------------------------------------- */

/* The text of a list as a JSON array (or object): JSON; a Python list, tuple or dict; or texts
 * between commas (ret_plain). numbers: each item is one, so that (.5, 1.) is a list too. */
bl_status bli_list_parse(const char *text, bool numbers, json_t **ret_list,
                         bool *ret_plain, bl_err *err);

/* Contents of file `name` of channel config as JSON: its JSON, else (ret_plain) an array
 * of its lines, trimmed, without empty ones. */
bl_status bli_config_item(const char *root, const char *name, json_t **ret_value,
                          bool *ret_plain, bl_err *err);

/* --- hyperparameters.c: the whole file ---------------------------------------------- */

bl_status bli_hyperparameters_read(const bl_config_text *file, const char *root,
                                   const bl_log *log, bl_values **ret_values,
                                   bl_err *err);

/* --- The parts of a job ------------------------------------------------------------- */

bl_status bli_channels_read(const bl_config_text *file, const char *root,
                            const bl_log *log, bl_channel channels[BL_N_CHANNELS],
                            bl_err *err);
/* Folders of declared channels are there; channels of known name that nobody declared get
 * a note. */
bl_status bli_channels_check_folders(const bl_job *job, const bl_log *log, bl_err *err);
bl_status bli_resources_read(const bl_config_text *file, bl_job *job, bl_err *err);
bl_status bli_checkpoint_read(const bl_config_text *file, bl_job *job, bl_err *err);

bl_status bli_columns_read(const bl_values *values, bl_read_settings *settings,
                           bl_err *err);
/* Rules between settings that XGBoost is told or that steer training. */
bl_status bli_rules_check(const bl_values *values, const bl_job *job, const bl_log *log,
                          bl_err *err);
bl_status bli_booster_check(const bl_values *values, const bl_job *job, bl_err *err);
/* One note that names given settings which do nothing in this job. */
void bli_rules_note_unused(const bl_values *values, const bl_job *job, const bl_log *log);
/* tree_method in force: the updater's where one that grows trees is named. */
const char *bli_effective_method(const bl_values *values);
bl_status bli_metrics_read(const bl_values *values, const bl_log *log, bl_job *job,
                           bl_err *err);
/* What XGBoost is told; feature names resolve names in constraints. */
bl_status bli_told_make(const bl_values *values, bl_job *job, bl_err *err);

#endif
