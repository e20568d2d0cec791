/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any model that XGBoost can load, as UBJSON; everything else in one sentence that says
 * what it is and how to get a model out of it. Nothing is ever unpickled or unpacked
 * here.
 */
#include "train/train_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/model.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define CONVERT                                                                          \
    "load it with the XGBoost that wrote it and save it as UBJSON: "                     \
    "booster.save_model('xgboost-model.ubj')"

static bool starts(const unsigned char *b, size_t n, const char *with, size_t n_with)
{
    return n >= n_with && !memcmp(b, with, n_with);
}

static bool is_text(const unsigned char *b, size_t n)
{
    for (size_t i = 0; i < n && i < 512; i++)
        if (b[i] < 0x20 && !isspace(b[i]))
            return false;
    return n > 0;
}

/*
 * XGBoost's binary format before 1.0 begins with its parameters: base_score (float32),
 * num_feature (uint32), num_class (int32), contain_extra_attrs (int32), ..., 136 bytes in
 * all, then the objective's name after its 64-bit length.
 */
static bool is_headerless(const unsigned char *b, size_t n)
{
    uint64_t length;
    if (n < 152)
        return false;
    memcpy(&length, b + 136, sizeof length);
    if (length < 3 || length > 64 || n < 144 + length)
        return false;
    for (uint64_t i = 0; i < length; i++)
        if (!isalnum(b[144 + i]) && b[144 + i] != ':' && b[144 + i] != '_')
            return false;
    return true;
}

/* Spark's package writes a few values as Java does before an old model: the number of classes, or
 * column names with their 16-bit lengths. */
static bool is_spark(const unsigned char *b, size_t n)
{
    for (size_t wrapper = 4; wrapper <= 256 && wrapper < n && b[0] == 0; wrapper++)
        if (is_headerless(b + wrapper, n - wrapper) ||
            starts(b + wrapper, n - wrapper, "binf", 4))
            return true;
    return false;
}

/* What the bytes are, as a whole sentence; NULL where they may be a model. */
static const char *what_it_is(const unsigned char *b, size_t n)
{
    if (!n)
        return "the file is empty: a model file of XGBoost (UBJSON or JSON) is expected";
    if (starts(b, n, "binf", 4))
        return "this is a model in XGBoost's old binary format (binf), written by 0.4 to "
               "3.0 and "
               "read by none after 3.0: " CONVERT;
    if (starts(b, n, "bs64", 4))
        return "this is a model in XGBoost's old binary format as text (bs64), written "
               "by 0.4 to "
               "0.9: " CONVERT;
    if (n > 1 && b[0] == 0x80 && b[1] >= 2 && b[1] <= 5)
        return "this is a Python pickle, and unpickling runs code, so it is never done "
               "here: in "
               "Python, pickle.load it where you trust it, then "
               "booster.save_model('xgboost-model.ubj') (of a scikit-learn wrapper: "
               "model.get_booster())";
    if (starts(b, n, "\x1f\x8b", 2))
        return "this is a gzip archive: take the file xgboost-model out of it (tar -xzf "
               "model.tar.gz xgboost-model), or give the archive as channel model with "
               "ContentType application/x-sagemaker-model";
    if (n > 262 && !memcmp(b + 257, "ustar", 5))
        return "this is a tar archive: take the file xgboost-model out of it (tar -xf "
               "... "
               "xgboost-model)";
    if (starts(b, n, "PK\x03\x04", 4))
        return "this is a zip archive: take the model file out of it first";
    if (starts(b, n, "\xac\xed", 2))
        return "this is a serialized Java object, not a model of XGBoost: in Java, "
               "booster.saveModel(\"xgboost-model.ubj\")";
    if (starts(b, n, "\x89HDF", 4))
        return "this is an HDF5 file, not a model of XGBoost";
    if (starts(b, n, "CONFIG-offset:", 14))
        return "this is a serialized booster of XGBoost 1.x with its settings, no model "
               "file: " CONVERT;
    if (is_headerless(b, n))
        return "this is a model in XGBoost's oldest binary format (no header), written "
               "by 0.3 to "
               "0.9: " CONVERT;
    if (is_spark(b, n))
        return "this is the file of XGBoost's Spark package (a wrapper before an old "
               "binary "
               "model): in Spark, model.nativeBooster.saveModel(\"xgboost-model.json\") "
               "with the "
               "version that wrote it";
    if (starts(b, n, "booster[", 8))
        return "this is a text dump of trees (dump_model), which is no model: it lacks "
               "what a "
               "model needs; use booster.save_model('xgboost-model.ubj')";
    return NULL;
}

static bl_status refuse_unknown(const unsigned char *b, size_t n, bl_err *err)
{
    char quote[48];
    if (is_text(b, n))
        return bli_fail(
            err, BL_E_MODEL,
            "this is text ('%s'), not a model: XGBoost's JSON begins with {\"learner\"",
            bli_quote((const char *)b, n < 24 ? n : 24, quote, sizeof quote));
    return bli_fail(
        err, BL_E_MODEL,
        "these bytes (0x%02x 0x%02x ...) are no model of XGBoost: UBJSON begins with "
        "{L, JSON with {\"",
        b[0], n > 1 ? b[1] : 0);
}

/* Place of the '{' of a JSON object, n where it is none. A byte order mark and blanks may
 * stand before it, blanks after it. */
static size_t json_start(const unsigned char *b, size_t n, size_t *ret_quote)
{
    size_t start = starts(b, n, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (start < n && isspace(b[start]))
        start++;
    if (start == n || b[start] != '{')
        return n;
    size_t i = start + 1;
    while (i < n && isspace(b[i]))
        i++;
    if (i == n || b[i] != '"')
        return n;
    *ret_quote = i;
    return start;
}

/* Trees of vector leaves as XGBoost 2.0 to 3.1 wrote them, on which 3.4.1 crashes: a leaf vector
 * longer than 1, and no leaf_weights anywhere. */
static bool is_old_vector_leaf(const unsigned char *b, size_t n)
{
    static const char size_key[] = "\"size_leaf_vector\"";
    if (memmem(b, n, "\"leaf_weights\"", strlen("\"leaf_weights\"")))
        return false;
    const unsigned char *at = b, *end = b + n;
    while ((at = memmem(at, (size_t)(end - at), size_key, strlen(size_key)))) {
        at += strlen(size_key);
        while (at < end && (isspace(*at) || *at == ':' || *at == '"'))
            at++;
        int digits = 0;
        while (at + digits < end && isdigit(at[digits]))
            digits++;
        if (digits > 1 || (digits == 1 && *at > '1'))
            return true;
    }
    return false;
}

/* UBJSON, checked to its last index and its trees brought up to date: libxgboost trusts what
 * it loads. */
static bl_status load_ubj(BoosterHandle booster, const unsigned char *b, size_t n,
                          int *ret_rc, bl_err *err)
{
    bl_limits limits = bli_limits();
    bl_buf safe = {0};
    bl_status st = bli_model_prepare(b, n, &limits, NULL, &safe, err);
    if (st == BL_OK)
        *ret_rc = XGBoosterLoadModelFromBuffer(booster, safe.data, safe.n);
    bli_buf_done(&safe);
    return st;
}

/* XGBoost knows JSON by its first two bytes, {" without a blank: pretty-printed JSON is
 * given as a copy without those blanks. */
static bl_status load_json(BoosterHandle booster, const unsigned char *b, size_t n,
                           size_t start, size_t quote, int *ret_rc, bl_err *err)
{
    if (quote == start + 1) {
        *ret_rc = XGBoosterLoadModelFromBuffer(booster, b + start, n - start);
        return BL_OK;
    }
    bl_buf copy = {0};
    bli_buf_char(&copy, '{');
    bli_buf_add(&copy, b + quote, n - quote);
    bl_status st = bli_buf_check(&copy, "model", err);
    if (st == BL_OK)
        *ret_rc = XGBoosterLoadModelFromBuffer(booster, copy.data, copy.n);
    bli_buf_done(&copy);
    return st;
}

bl_status bli_xgb_load(BoosterHandle booster, const void *bytes, size_t n, bl_err *err)
{
    const unsigned char *b = bytes;
    const char *refusal = what_it_is(b, n);
    if (refusal)
        return bli_fail(err, BL_E_MODEL, "%s", refusal);
    size_t quote = 0;
    size_t start = json_start(b, n, &quote);
    bool json = start < n;
    int rc = 0;
    if (json) {
        if (is_old_vector_leaf(b, n))
            return bli_fail(
                err, BL_E_MODEL,
                "JSON of a model with vector leaves by XGBoost 2.0 to 3.1, which "
                "XGBoost 3.4 cannot load: save it with the XGBoost that made it as "
                "UBJSON (save_model(\"model.ubj\")) and give that");
        bl_status st = load_json(booster, b, n, start, quote, &rc, err);
        if (st != BL_OK)
            return st;
    } else if (n > 1 && b[0] == '{' && b[1] == 'L') {
        bl_status st = load_ubj(booster, b, n, &rc, err);
        if (st != BL_OK)
            return st;
    } else {
        return refuse_unknown(b, n, err);
    }
    if (!rc)
        return BL_OK;
    bl_err why = {0};
    if (bli_xgb_fail(&why, "loading") == BL_E_NOMEM)
        return bli_fail(err, BL_E_NOMEM, "loading the model: not enough memory");
    return bli_fail(err, BL_E_MODEL,
                    "the %s is damaged, or no model that XGBoost's save_model wrote (%s)",
                    json ? "JSON" : "UBJSON", why.msg);
}

bl_status bli_xgb_save(BoosterHandle booster, bl_buf *out, bl_err *err)
{
    const char *bytes;
    bst_ulong n;
    if (XGBoosterSaveModelToBuffer(booster, "{\"format\": \"ubj\"}", &n, &bytes))
        return bli_xgb_fail(err, "saving the model");
    bl_buf fresh = {0};
    bli_buf_add(&fresh, bytes, n);
    bl_status st = bli_buf_check(&fresh, "model", err);
    if (st != BL_OK) {
        bli_buf_done(&fresh);
        return st;
    }
    bli_buf_done(out);
    *out = fresh;
    return BL_OK;
}

bl_status bli_model_to_ubj(const void *bytes, size_t n_bytes, bl_buf *ret_ubj,
                           bl_err *err)
{
    int version[3];
    bl_xgb_log messages;
    bl_status st = bli_xgboost_check(version, err);
    if (st == BL_OK)
        st = bli_xgb_log_begin(&messages, NULL, "0", err);
    if (st != BL_OK)
        return st;
    BoosterHandle booster = NULL;
    bl_buf ubj = {0};
    if (XGBoosterCreate(NULL, 0, &booster))
        st = bli_xgb_fail(err, "opening a booster");
    /* One thread: loading must not start a team, or take one from the host program. */
    if (st == BL_OK && XGBoosterSetParam(booster, "nthread", "1"))
        st = bli_xgb_fail(err, "setting nthread");
    if (st == BL_OK)
        st = bli_xgb_load(booster, bytes, n_bytes, err);
    if (st == BL_OK)
        st = bli_xgb_save(booster, &ubj, err);
    XGBoosterFree(booster);
    bli_xgb_log_end();
    if (st == BL_OK)
        *ret_ubj = ubj;
    return st;
}
