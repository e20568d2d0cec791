/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the C API: their errors as ours, XGBoost's own messages to our log, its
 * version. */
#include "train/train_priv.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* XGBoost's log callback gets a text and nothing else, so the place the text goes to has
 * to be found without a cookie. Registered and read by the thread that trains. */
static _Thread_local bl_xgb_log *thread_log;

/* --- Texts -------------------------------------------------------------------------- */

/* Skips "[12:34:56] " and "/some/where/learner.cc:790: " and the level word between them.
 */
static const char *skip_places(const char *text)
{
    for (;;) {
        const char *start = text;
        while (isspace((unsigned char)*text))
            text++;
        if (*text == '[' && isdigit((unsigned char)text[1])) {
            const char *end = strchr(text, ']');
            if (end && end - text <= 9)
                text = end + 1;
        }
        static const char *const words[] = {"WARNING: ", "INFO: ", "DEBUG: "};
        for (size_t i = 0; i < BL_LEN(words); i++)
            if (!strncmp(text, words[i], strlen(words[i])))
                text += strlen(words[i]);
        size_t n = strcspn(text, " \n");
        if (n > 4 && text[n - 1] == ':' && memchr(text, '/', n) && memchr(text, '.', n))
            text += n;
        if (text == start)
            return text;
    }
}

/* "Check failed: size == n (2 vs. 3) : text" -> text, where there is one. */
static const char *skip_check(const char *text, const char *end)
{
    if (strncmp(text, "Check failed: ", 14))
        return text;
    const char *colon = strstr(text, " : ");
    if (!colon) {
        colon = strstr(text, ": ");
        colon = colon ? strstr(colon + 2, ": ") : NULL;
        if (!colon)
            return text;
        colon--;
    }
    const char *rest = colon + 3;
    while (isspace((unsigned char)*rest))
        rest++;
    return rest < end ? rest : text;
}

void bli_xgb_tidy(const char *text, char *out, size_t max)
{
    const char *end = strstr(text, "Stack trace:");
    if (!end)
        end = text + strlen(text);
    text = skip_check(skip_places(text), end);
    size_t n = 0;
    bool blank = false;
    for (; text < end && *text && n + 2 < max; text++) {
        if (isspace((unsigned char)*text)) {
            blank = n > 0;
            continue;
        }
        if (blank)
            out[n++] = ' ';
        blank = false;
        out[n++] = *text;
    }
    while (n && (out[n - 1] == ':' || out[n - 1] == '.'))
        n--;
    out[n] = '\0';
}

/* --- Errors ------------------------------------------------------------------------- */

/* Texts of XGBoost 3.3 and 3.4 whose cause is the user's to mend or the machine's; the
 * rest is a call of ours that should not have been made. Most are caught by checks.c
 * before. */
static const struct {
    const char *fragment;
    bl_status status;
    const char *advice;
} known[] = {
    {"bad_alloc", BL_E_NOMEM, "not enough memory"},
    {"MultiClassEvaluation", BL_E_CONFIG,
     "merror and mlogloss need a multi:* objective (of two classes: error and logloss)"},
    {"Invalid Parameter format", BL_E_CONFIG, NULL},
    {"could not be parsed", BL_E_CONFIG, NULL},
    {"exceed bound", BL_E_CONFIG, NULL},
    {"Invalid Input:", BL_E_CONFIG, NULL},
    {"Unknown metric function", BL_E_CONFIG, NULL},
    {"Unknown objective function", BL_E_CONFIG, NULL},
    {"base_score", BL_E_CONFIG, NULL},
    {"doesn't support", BL_E_CONFIG, NULL},
    {"not supported", BL_E_CONFIG, NULL},
    {"not yet supported", BL_E_CONFIG, NULL},
    {"do not support", BL_E_CONFIG, NULL},
    {"does not support", BL_E_CONFIG, NULL},
    {"is only support", BL_E_CONFIG, NULL},
    {"Only the hist tree method", BL_E_CONFIG, NULL},
    {"not yet implemented", BL_E_CONFIG, NULL},
    {"not implemented", BL_E_CONFIG, NULL},
    {"can not be used to", BL_E_CONFIG, NULL},
    {"No more tree left for updating", BL_E_CONFIG, NULL},
    {"onstraint", BL_E_CONFIG, NULL},
    {"must be in format", BL_E_CONFIG, NULL},
    {"tweedie variance power", BL_E_CONFIG, NULL},
    {"hint: use merror or mlogloss", BL_E_CONFIG, NULL},
    {"threshold value for the error metric", BL_E_CONFIG, NULL},
    {"AUC", BL_E_CONFIG, NULL},
    {"alpha", BL_E_CONFIG, NULL},
    {"can only be used with binary labels", BL_E_DATA, NULL},
    {"relevance deg", BL_E_DATA, NULL},
    {"label must be", BL_E_DATA, NULL},
    {"Label contains NaN", BL_E_DATA, NULL},
    {"Weights must be positive", BL_E_DATA, NULL},
    {"contains `inf`", BL_E_DATA, NULL},
    {"Invalid categorical value", BL_E_DATA, NULL},
};

bl_status bli_xgb_fail(bl_err *err, const char *doing)
{
    const char *raw = XGBGetLastError();
    char text[BL_ERR_BYTES];
    bli_xgb_tidy(raw ? raw : "", text, sizeof text);
    for (size_t i = 0; i < BL_LEN(known); i++)
        if (strstr(text, known[i].fragment))
            return bli_fail(err, known[i].status, "%s: %s", doing,
                            known[i].advice ? known[i].advice : text);
    return bli_fail(err, BL_E_INTERNAL, "%s: XGBoost failed: %s", doing,
                    *text ? text : "it gives no reason");
}

/* --- Messages ----------------------------------------------------------------------- */

/* FNV-1a, 64 bits (Fowler, Noll, Vo): tells texts apart, nothing more. */
static uint64_t text_hash(const char *text)
{
    uint64_t hash = 14695981039346656037u;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static bool seen_before(bl_xgb_log *state, const char *text)
{
    uint64_t hash = text_hash(text);
    for (size_t i = 0; i < state->n_seen; i++)
        if (state->seen[i] == hash)
            return true;
    if (state->n_seen < BL_XGB_SEEN)
        state->seen[state->n_seen++] = hash;
    return false;
}

static void on_message(const char *raw)
{
    bl_xgb_log *state = thread_log;
    if (!state || !raw)
        return;
    char text[BL_ERR_BYTES];
    bli_xgb_tidy(raw, text, sizeof text);
    /* The same warning comes each round and each data set (AUC of one class). */
    if (!*text || seen_before(state, text))
        return;
    bl_level level = strstr(raw, "WARNING: ") ? BL_WARNING
                     : strstr(raw, "INFO: ")  ? BL_INFO
                                              : BL_DEBUG;
    bli_log(state->log, level, BL_STAGE, "XGBoost: %s", text);
}

bl_status bli_xgb_log_begin(bl_xgb_log *state, const bl_log *log, const char *verbosity,
                            bl_err *err)
{
    *state = (bl_xgb_log){.log = log};
    thread_log = state;
    char config[64];
    int level =
        verbosity && *verbosity >= '0' && *verbosity <= '3' ? *verbosity - '0' : 1;
    snprintf(config, sizeof config, "{\"verbosity\": %d}", level);
    if (XGBRegisterLogCallback(on_message) || XGBSetGlobalConfig(config)) {
        bli_xgb_log_end();
        return bli_xgb_fail(err, "setting XGBoost's verbosity");
    }
    return BL_OK;
}

void bli_xgb_log_end(void)
{
    /* The callback stays registered (there is no way to ask for the one before) and drops
     * what comes while no training runs. */
    thread_log = NULL;
}

/* --- Version ------------------------------------------------------------------------ */

bl_status bli_xgboost_check(int ret_version[3], bl_err *err)
{
    int v[3] = {0, 0, 0};
    XGBoostVersion(&v[0], &v[1], &v[2]);
    if (v[0] < 3 || (v[0] == 3 && v[1] < 3))
        return bli_fail(
            err, BL_E_CONFIG,
            "libxgboost %d.%d.%d is loaded, 3.3 or later is needed: older ones read "
            "newer models without an error and predict wrong numbers; install the "
            "one that container/deps.sh brings, or point LD_LIBRARY_PATH to it",
            v[0], v[1], v[2]);
    memcpy(ret_version, v, sizeof v);
    return BL_OK;
}
